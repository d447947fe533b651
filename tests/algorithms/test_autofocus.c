/* Autofocus: its gradient beside finite differences, its operators beside double-precision sums,
 * and what it makes of small captures. */
#include "tests/radar.h"
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/autofocus.h>
#include <nfsar/simulation.h>

#include "algorithms/autofocus/focus_region.h"
#include "algorithms/autofocus/focus_search.h"

/* ---- a small scan: lines to and fro, poses that err smoothly --------------------------------- */

enum { ROWS = 9, COLUMNS = 40, SAMPLES = 16 };
#define INTERVAL 0.01

static const nfsar_vec3 points[] = {{0.0, 0.0, 0.3},
                                    {0.02, 0.013, 0.3},
                                    {-0.024, 0.008, 0.3},
                                    {0.009, -0.02, 0.3},
                                    {-0.011, -0.017, 0.3}};

/* A scan of points, whose reported poses err by amplitude times a smooth function of time. */
static void make_scan(nfsar_capture *capture, double amplitude) {
    radar_raster("single", COLUMNS, 2e-3, ROWS, 2e-3, SAMPLES, capture);
    for (size_t i = 0; i < capture->n_pulse; i++) {
        capture->time_s[i] = capture->pose_time_s[i] = INTERVAL * (double)i;
    }
    radar_add_points(capture, points, sizeof points / sizeof points[0]);
    for (size_t i = 0; i < capture->n_pulse; i++) {
        const double t = capture->time_s[i];
        nfsar_vec3 *p = &capture->pose[i].position;
        p->x += amplitude * sin(1.3 * t + 0.3);
        p->y += amplitude * cos(1.1 * t);
        p->z += amplitude * sin(1.7 * t + 1.0);
    }
}

static nfsar_grid small_region(void) {
    return (nfsar_grid){{-0.03, 0.06, 2}, {-0.03, 0.06, 2}, {0.3, 1.0, 1}};
}

/* ---- the operators ----------------------------------------------------------------------------
 */

struct bench {
    nfsar_capture capture;
    struct focus_region region;
    struct focus_lines lines;
    struct focus_search search;
};

static void make_bench(struct bench *b, double amplitude) {
    nfsar_error error = {0};
    const nfsar_grid limits = small_region();
    make_scan(&b->capture, amplitude);
    assert_ok(focus_region_make(&b->capture, &limits, 10000, &b->region, &error), error);
    const nfsar_echo_source source = nfsar_capture_source(&b->capture);
    assert_ok(focus_lines_read(&b->capture, &source, b->region.centre, b->region.reach, 10000,
                               &b->lines, NULL, &error),
              error);
    assert_ok(focus_search_make(&b->lines, &b->region.voxels, 0.4, 1e-3, 1.0, &b->search, &error),
              error);
    focus_search_use(&b->search, b->lines.both);
    for (size_t i = 0; i < 3 * b->search.spline.n; i++) {
        b->search.c[i] = 2e-4 * sin(2.1 * (double)i);
    }
}

static void free_bench(struct bench *b) {
    focus_search_free(&b->search);
    focus_lines_free(&b->lines);
    focus_region_free(&b->region);
    nfsar_capture_free(&b->capture);
}

/* The image at a voxel as the plain sum over lines and frequencies, in double precision. */
static double complex plain_voxel(const struct bench *b, size_t v) {
    const struct focus_lines *lines = &b->lines;
    const struct focus_voxels *voxels = &b->region.voxels;
    const nfsar_vec3 at = {(double)voxels->x[v], (double)voxels->y[v], (double)voxels->z[v]};
    double complex sum = 0.0;
    for (size_t l = 0; l < lines->n; l++) {
        double e[3];
        focus_spline_value(&b->search.spline, b->search.c, lines->time_s[l], e);
        const nfsar_vec3 by = {e[0], e[1], e[2]};
        const double way = nfsar_vec3_distance(at, nfsar_vec3_add(lines->tx[l], by)) +
                           nfsar_vec3_distance(at, nfsar_vec3_add(lines->rx[l], by)) -
                           lines->base[l];
        for (size_t i = 0; i < lines->band.n; i++) {
            const double k = lines->k0 + (double)i * lines->dk;
            sum += (double complex)b->search.data[l * lines->band.n + i] * cexp(-I * k * way);
        }
    }
    return sum;
}

static void image_is_the_plain_sum(void **state) {
    (void)state;
    struct bench b;
    make_bench(&b, 0.5e-3);
    focus_search_image(&b.search, 0, b.lines.n_pulse, true);
    double peak = 0.0;
    for (size_t v = 0; v < b.region.voxels.n; v++) {
        peak = fmax(peak, hypot((double)b.search.re[v], (double)b.search.im[v]));
    }
    for (size_t v = 0; v < b.region.voxels.n; v += 7) {
        const double complex o = plain_voxel(&b, v);
        assert_near((double)b.search.re[v], creal(o), 2e-5 * peak);
        assert_near((double)b.search.im[v], cimag(o), 2e-5 * peak);
    }
    free_bench(&b);
}

/* <g, A^H s> over voxels is sum over lines of match. */
static void projection_is_the_adjoint(void **state) {
    (void)state;
    struct bench b;
    make_bench(&b, 0.5e-3);
    focus_search_image(&b.search, 0, b.lines.n_pulse, true);
    focus_search_weigh(&b.search, FOCUS_MATCHED);
    double complex of_image = 0.0, of_echo = 0.0;
    for (size_t v = 0; v < b.region.voxels.n; v++) {
        of_image += conj(CMPLX((double)b.search.g_re[v], (double)b.search.g_im[v])) *
                    CMPLX((double)b.search.re[v], (double)b.search.im[v]);
    }
    focus_search_project(&b.search, 0, b.lines.n_pulse);
    for (size_t l = 0; l < b.lines.n; l++) {
        of_echo += b.search.pull[l].match;
    }
    assert_near(creal(of_echo) / creal(of_image), 1.0, 1e-5);
    assert_near(cimag(of_echo) / creal(of_image), 0.0, 1e-5);
    free_bench(&b);
}

/* ln S by central differences of two steps, extrapolated (Richardson). */
static double difference(struct bench *b, size_t i) {
    const double kept = b->search.c[i], h = 4e-5;
    double value[4];
    const double at[4] = {-2.0, -1.0, 1.0, 2.0};
    for (int k = 0; k < 4; k++) {
        b->search.c[i] = kept + at[k] * h;
        focus_search_image(&b->search, 0, b->lines.n_pulse, true);
        value[k] = focus_search_sharpness(&b->search);
    }
    b->search.c[i] = kept;
    return (8.0 * (value[2] - value[1]) - (value[3] - value[0])) / (12.0 * h);
}

static void gradient_is_that_of_finite_differences(void **state) {
    (void)state;
    struct bench b;
    make_bench(&b, 0.5e-3);
    const size_t n = 3 * b.search.spline.n;
    double *gradient = calloc(n, sizeof *gradient), largest = 0.0;
    assert_non_null(gradient);
    focus_search_image(&b.search, 0, b.lines.n_pulse, true);
    focus_search_weigh(&b.search, FOCUS_DERIVATIVE);
    focus_search_project(&b.search, 0, b.lines.n_pulse);
    focus_search_gradient(&b.search, 0, b.lines.n_pulse, gradient);
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(gradient[i]));
    }
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(difference(&b, i) - gradient[i]));
    }
    print_message("gradient: worst error %.2e of its largest component\n", worst / largest);
    assert_true(worst < 1e-4 * largest);
    free(gradient);
    free_bench(&b);
}

static void spline_prior_is_that_of_the_process(void **state) {
    (void)state;
    /* c' P c of a slow sinusoid a cos(w t) over T seconds: a^2 T / 2 over the spectrum there,
     * sigma^2 tau sqrt(2 pi) exp(-(w tau)^2 / 2), the exponential cut after the third power. */
    const double sigma = 1e-3, tau = 1.0, w = 0.8, a = 2e-3, span = 2.0 * NFSAR_PI / w * 4.0;
    struct focus_spline coarse = focus_spline_make(0.0, span, 0.1);
    double *c = calloc(3 * coarse.n, sizeof *c), *p = calloc(3 * coarse.n, sizeof *p);
    double *prior = calloc(coarse.n * FOCUS_ORDER, sizeof *prior);
    assert_true(c != NULL && p != NULL && prior != NULL);
    for (size_t i = 0; i < coarse.n; i++) {
        /* Coefficients of a sinusoid are its values, larger by the spline's response at w. */
        const double at = coarse.start_s + ((double)i - 1.0) * coarse.step_s;
        const double response = (4.0 + 2.0 * cos(w * coarse.step_s)) / 6.0;
        c[3 * i + 2] = a * cos(w * at) / response;
    }
    focus_spline_prior(&coarse, sigma, tau, prior);
    focus_spline_apply(&coarse, prior, c, p);
    double sum = 0.0;
    for (size_t i = 0; i < 3 * coarse.n; i++) {
        sum += c[i] * p[i];
    }
    const double x = 0.5 * w * w * tau * tau;
    const double expected = 0.5 * a * a * span / (sigma * sigma * tau * sqrt(2.0 * NFSAR_PI)) *
                            (1.0 + x + x * x / 2.0 + x * x * x / 6.0);
    assert_near(sum / expected, 1.0, 1e-3);
    free(c);
    free(p);
    free(prior);
}

/* ---- captures ---------------------------------------------------------------------------------
 */

static void add_noise(nfsar_capture *capture, double amplitude, bool alone) {
    nfsar_random random;
    nfsar_random_seed(&random, 5);
    for (size_t i = 0; i < capture->n_pulse * capture->n_sample; i++) {
        const float complex noise =
            (float complex)(amplitude * nfsar_random_complex_normal(&random));
        capture->echo[i] = alone ? noise : capture->echo[i] + noise;
    }
}

static void focus_capture(const nfsar_capture *capture, nfsar_autofocus *found) {
    nfsar_error error = {0};
    nfsar_autofocus_plan *plan = NULL;
    nfsar_autofocus_options options = nfsar_autofocus_defaults();
    options.most_m = 1e-3;
    const nfsar_grid region = small_region();
    assert_ok(nfsar_autofocus_plan_create(capture, &region, &options, &plan, &error), error);
    const nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_autofocus_execute(plan, &source, found, NULL, &error), error);
    nfsar_autofocus_plan_destroy(plan);
}

static void errors_are_found(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_autofocus found;
    make_scan(&capture, 1e-3);
    add_noise(&capture, 0.1 * sqrt(5.0), false);
    focus_capture(&capture, &found);
    print_message("1 mm: unexplained %.3f before, %.3f after; entropy %.3f, %.3f\n",
                  found.unexplained_before, found.unexplained_after, found.entropy_before,
                  found.entropy_after);
    assert_int_equal(found.verdict, NFSAR_AUTOFOCUS_FOCUSED);
    assert_true(found.unexplained_after < 0.3 * found.unexplained_before);
    assert_true(found.sharpness_after > found.sharpness_before);
    assert_true(found.n_trace > 2);
    nfsar_autofocus_apply(&found, &capture);
    nfsar_autofocus again;
    focus_capture(&capture, &again);
    assert_true(again.unexplained_before < 1.3 * found.unexplained_after + 0.01);
    nfsar_autofocus_free(&again);
    nfsar_autofocus_free(&found);
    nfsar_capture_free(&capture);
}

static void true_poses_are_left_alone(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_autofocus found;
    make_scan(&capture, 0.0);
    add_noise(&capture, 0.1 * sqrt(5.0), false);
    focus_capture(&capture, &found);
    print_message("true poses: unexplained %.3f before, %.3f after; correction %.3f mm\n",
                  found.unexplained_before, found.unexplained_after, 1e3 * found.correction_m);
    assert_int_equal(found.verdict, NFSAR_AUTOFOCUS_LEFT_ALONE);
    assert_true(found.correction_m < 0.1e-3);
    nfsar_autofocus_free(&found);
    nfsar_capture_free(&capture);
}

static void noise_is_refused(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_autofocus found;
    make_scan(&capture, 1e-3);
    add_noise(&capture, 1.0, true);
    focus_capture(&capture, &found);
    print_message("noise: unexplained %.3f before, %.3f after; sharpness %.4f, %.4f\n",
                  found.unexplained_before, found.unexplained_after, found.sharpness_before,
                  found.sharpness_after);
    assert_int_equal(found.verdict, NFSAR_AUTOFOCUS_REFUSED);
    nfsar_autofocus_free(&found);
    nfsar_capture_free(&capture);
}

static void bad_requests_are_named(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error = {0};
    nfsar_autofocus_plan *plan = NULL;
    make_scan(&capture, 0.0);
    nfsar_grid region = small_region();
    nfsar_autofocus_options options = nfsar_autofocus_defaults();
    options.time_scale_s = 0.0;
    assert_int_equal(nfsar_autofocus_plan_create(&capture, &region, &options, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "--time-scale 0");
    options = nfsar_autofocus_defaults();
    options.most_m = -1.0;
    assert_int_equal(nfsar_autofocus_plan_create(&capture, &region, &options, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    options = nfsar_autofocus_defaults();
    options.time_scale_s = 1e-3;
    assert_int_equal(nfsar_autofocus_plan_create(&capture, &region, &options, &plan, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "--time-scale");
    region.z = (nfsar_axis){0.0, 0.01, 40};
    assert_int_equal(nfsar_autofocus_plan_create(&capture, &region, NULL, &plan, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "region");
    region.z = (nfsar_axis){10.0, 100.0, 40};
    assert_int_not_equal(nfsar_autofocus_plan_create(&capture, &region, NULL, &plan, &error),
                         NFSAR_OK);
    assert_null(plan);
    /* Samples that are no numbers. */
    region = small_region();
    capture.echo[1234] = NAN;
    assert_ok(nfsar_autofocus_plan_create(&capture, &region, NULL, &plan, &error), error);
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_autofocus found;
    assert_int_equal(nfsar_autofocus_execute(plan, &source, &found, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "not a finite number");
    nfsar_autofocus_plan_destroy(plan);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_is_the_plain_sum),
        cmocka_unit_test(projection_is_the_adjoint),
        cmocka_unit_test(gradient_is_that_of_finite_differences),
        cmocka_unit_test(spline_prior_is_that_of_the_process),
        cmocka_unit_test(bad_requests_are_named),
        cmocka_unit_test(true_poses_are_left_alone),
        cmocka_unit_test(errors_are_found),
        cmocka_unit_test(noise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
