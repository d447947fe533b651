/* The imager's choice for irregular scans, and the error it promises; captures that no radar makes.
 */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/reconstruct.h>
#include <nfsar/simulation.h>

#include "algorithms/imager.h"
#include "tests/images.h"
#include "tests/radar.h"

static double between(nfsar_random *random, double half) {
    return half * (2.0 * nfsar_random_uniform(random) - 1.0);
}

/* A scan and the method that AUTO has to take for it. */
struct choice {
    const char *preset;
    size_t side;  /* pulses along x and y */
    double step;  /* of the lattice they are near, metres */
    double apart; /* each pulse off its place in x and y by up to so much */
    double off;   /* and in z */
    enum nfsar_method method;
    const char *reason;
};

/* A grid so large that fast methods pay, of which a small part is made. */
static const nfsar_grid whole = {
    .x = {-0.0405, 0.0005, 163}, .y = {-0.0405, 0.0005, 163}, .z = {0.29, 0.001, 21}};

/* The error of a part of the image, in the grid's middle or at its corner, against the exact sum.
 */
static double part_error(nfsar_imager *imager, const nfsar_capture *capture, bool corner) {
    nfsar_error error;
    nfsar_image image;
    nfsar_grid part = whole;
    nfsar_echo_source source = nfsar_capture_source(capture);
    part.x.step = part.y.step = 0.002;
    part.x.count = part.y.count = 8;
    part.x.start = part.y.start = corner ? whole.x.start : -0.008;
    part.z.start = 0.3;
    part.z.count = 2;
    assert_ok(nfsar_image_create(&part, &image, &error), error);
    assert_ok(nfsar_imager_run(imager, &part, &source, image.data, NULL, &error), error);
    nfsar_image truth = image_bp(capture, &part, NFSAR_BP_DOUBLE);
    double away = image_error(&truth, &image);
    nfsar_image_free(&truth);
    nfsar_image_free(&image);
    return away;
}

static void check_choice(const struct choice *choice) {
    nfsar_capture capture;
    nfsar_error error;
    nfsar_imager *imager;
    nfsar_random random;
    nfsar_random_seed(&random, 5);
    radar_raster(choice->preset, choice->side, choice->step, choice->side, choice->step, 6,
                 &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        nfsar_vec3 *at = &capture.pose[i].position;
        at->x += between(&random, choice->apart);
        at->y += between(&random, choice->apart);
        at->z += between(&random, choice->off);
    }
    nfsar_vec3 point[40];
    for (int i = 0; i < 40; i++) {
        point[i] = (nfsar_vec3){between(&random, 0.04), between(&random, 0.04),
                                0.3 + between(&random, 0.01)};
    }
    radar_add_points(&capture, point, 40);
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_AUTO, NULL, &imager, &error), error);
    assert_ok(nfsar_imager_fit(imager, &whole, &error), error);
    print_message("%s: %s\n", nfsar_method_name(nfsar_imager_method(imager)),
                  nfsar_imager_reason(imager));
    assert_int_equal(nfsar_imager_method(imager), choice->method);
    assert_contains(nfsar_imager_reason(imager), choice->reason);
    double middle = part_error(imager, &capture, false);
    double corner = part_error(imager, &capture, true);
    print_message("  measured %.2e in the middle, %.2e at a corner; promised %.2e\n", middle,
                  corner, imager->expected_error);
    if (choice->method != NFSAR_METHOD_BP) {
        assert_contains(nfsar_imager_reason(imager), "expected error");
        assert_true(fmax(middle, corner) < 2.0 * imager->expected_error);
    }
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

static void what_auto_takes(void **state) {
    (void)state;
    const struct choice choice[] = {
        {"single", 40, 0.0019, 0.0, 0.0, NFSAR_METHOD_RMA, "lattice"},
        {"single", 40, 0.0019, 0.0009, 0.0, NFSAR_METHOD_EMPM, "in one plane"},
        {"single", 40, 0.0019, 0.0009, 0.0001, NFSAR_METHOD_EMPM, "off the plane"},
        {"single", 40, 0.0019, 0.0009, 0.01, NFSAR_METHOD_NURMA, "off the plane"},
        {"xwr1443-2tx", 16, 0.005, 0.002, 0.0, NFSAR_METHOD_EMPM, "in one plane"},
        {"xwr1443-2tx", 16, 0.005, 0.002, 0.01, NFSAR_METHOD_NURMA, "off the plane"},
        {"single", 10, 0.0076, 0.002, 0.01, NFSAR_METHOD_BP, "so few"},
    };
    for (size_t i = 0; i < sizeof choice / sizeof choice[0]; i++) {
        check_choice(&choice[i]);
    }
}

/* Numbers as a careless or hostile file has them. */
static double odd_number(nfsar_random *random, double usual) {
    const double odd[] = {0.0, -1.0, 1e-300, 1e-9, 1e9, 1e300, -1e30, NAN, INFINITY, 300.0};
    size_t pick = (size_t)(400.0 * nfsar_random_uniform(random));
    return pick < sizeof odd / sizeof odd[0] ? odd[pick] : usual;
}

static void random_capture(nfsar_random *random, nfsar_capture *capture) {
    const char *const *preset = nfsar_array_preset_names();
    size_t presets = 0;
    while (preset[presets] != NULL) {
        presets++;
    }
    size_t n = 1 + (size_t)(20.0 * nfsar_random_uniform(random));
    size_t n_sample = 1 + (size_t)(9.0 * nfsar_random_uniform(random));
    double size = pow(10.0, -4.0 + 4.0 * nfsar_random_uniform(random));
    double flat = nfsar_random_uniform(random) < 0.3 ? 0.0 : nfsar_random_uniform(random);
    double wide = nfsar_random_uniform(random) < 0.2 ? 0.0 : 1.0;
    radar_raster(preset[(size_t)((double)presets * nfsar_random_uniform(random))], n, 0.0, 1, 0.0,
                 n_sample, capture);
    for (size_t i = 0; i < n; i++) {
        nfsar_pose *pose = &capture->pose[i];
        pose->position = (nfsar_vec3){odd_number(random, wide * between(random, size)),
                                      odd_number(random, between(random, size)),
                                      odd_number(random, flat * between(random, size))};
        pose->orientation = nfsar_quaternion_from_axis_angle(
            (nfsar_vec3){between(random, 1.0), between(random, 1.0), between(random, 1.0)},
            between(random, 0.3));
    }
    for (size_t i = 0; i < n * capture->array.n_channel * n_sample; i++) {
        capture->echo[i] = (float complex)nfsar_random_complex_normal(random);
    }
}

static nfsar_axis random_axis(nfsar_random *random, double middle, double size) {
    nfsar_axis axis = {.count = 1 + (size_t)(7.0 * nfsar_random_uniform(random))};
    axis.step = odd_number(random, size * (0.01 + nfsar_random_uniform(random)));
    axis.start = odd_number(random, middle - 0.5 * axis.step * (double)(axis.count - 1));
    return axis;
}

static nfsar_nurma_options random_options(nfsar_random *random) {
    nfsar_nurma_options options = nfsar_nurma_defaults();
    options.offsets = (enum nfsar_offsets)(3.0 * nfsar_random_uniform(random));
    options.compensation = (enum nfsar_compensation)(3.0 * nfsar_random_uniform(random));
    options.tolerance = odd_number(random, pow(10.0, -5.0 + 4.0 * nfsar_random_uniform(random)));
    options.memory = (size_t)pow(10.0, 6.0 + 1.5 * nfsar_random_uniform(random));
    options.plane = nfsar_random_uniform(random) < 0.2 ? between(random, 0.1) : NAN;
    options.aperture_window = (enum nfsar_window)(2.0 * nfsar_random_uniform(random));
    options.threads = 1 + (int)(3.0 * nfsar_random_uniform(random));
    return options;
}

/* A finite image or one line. */
static bool images_or_refuses(uint64_t seed) {
    nfsar_random random;
    nfsar_capture capture;
    nfsar_nurma_plan *plan;
    nfsar_error error = {0};
    nfsar_random_seed(&random, seed);
    random_capture(&random, &capture);
    double depth = between(&random, 1.0),
           size = pow(10.0, -3.0 + 2.5 * nfsar_random_uniform(&random));
    nfsar_grid grid = {.x = random_axis(&random, between(&random, 0.1), size),
                       .y = random_axis(&random, between(&random, 0.1), size),
                       .z = random_axis(&random, depth, 0.1 * size)};
    nfsar_nurma_options options = random_options(&random);
    enum nfsar_status status = nfsar_nurma_plan_create(&capture, &grid, &options, &plan, &error);
    if (status == NFSAR_OK) {
        nfsar_image image;
        nfsar_echo_source source = nfsar_capture_source(&capture);
        assert_ok(nfsar_image_create(&grid, &image, &error), error);
        assert_ok(nfsar_nurma_execute(plan, &source, image.data, NULL, &error), error);
        for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
            if (!isfinite(crealf(image.data[i])) || !isfinite(cimagf(image.data[i]))) {
                fail_msg("seed %llu: voxel %zu is not finite", (unsigned long long)seed, i);
            }
        }
        nfsar_image_free(&image);
    } else {
        assert_null(plan);
        assert_true(error.message[0] != '\0' && strchr(error.message, '\n') == NULL);
    }
    nfsar_nurma_plan_destroy(plan);
    nfsar_capture_free(&capture);
    return status == NFSAR_OK;
}

static void hostile_captures(void **state) {
    (void)state;
    /* NFSAR_FUZZ=FIRST:COUNT for longer runs. */
    const char *wanted = getenv("NFSAR_FUZZ");
    unsigned long long first = 0, n = 60;
    size_t made = 0;
    if (wanted != NULL) {
        sscanf(wanted, "%llu:%llu", &first, &n);
    }
    for (unsigned long long seed = first; seed < first + n; seed++) {
        made += images_or_refuses(seed) ? 1 : 0;
    }
    /* A place 1e300 m away; a step of next to nothing. */
    images_or_refuses(1049);
    print_message("%llu captures: %zu images, the rest refused\n", n, made);
    assert_true(made > n / 10 && made < n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_auto_takes),
        cmocka_unit_test(hostile_captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
