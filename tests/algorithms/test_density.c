/* Density weights of captures: what even and uneven scans weigh, what that does to an image, and
 * what is refused. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "algorithms/compensate.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

static const enum nfsar_density both[] = {NFSAR_DENSITY_VORONOI, NFSAR_DENSITY_ITERATIVE};

/* n pulses of one antenna at the origin. */
static void make(size_t n, nfsar_capture *capture) {
    radar_raster("single", n, 0.0, 1, 0.0, 2, capture);
}

static void put(nfsar_capture *capture, size_t pulse, double x, double y, double z) {
    capture->pose[pulse].position = (nfsar_vec3){x, y, z};
}

static float *weigh(const nfsar_capture *capture, enum nfsar_density density) {
    nfsar_error error;
    size_t n = capture->n_pulse * capture->array.n_channel;
    float *weight = malloc(n * sizeof *weight);
    assert_ok(nfsar_density_weights(capture, density, weight, &error), error);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(weight[i]) && weight[i] >= 0.0f);
        sum += (double)weight[i];
    }
    assert_near(sum / (double)n, 1.0, 1e-6);
    return weight;
}

static void assert_even(const float *weight, size_t n) {
    for (size_t i = 0; i < n; i++) {
        assert_near((double)weight[i], 1.0, 1e-6);
    }
    assert_near(nfsar_density_noise_factor(weight, n), 1.0, 1e-6);
}

static void words(void **state) {
    (void)state;
    nfsar_error error;
    enum nfsar_density density = NFSAR_DENSITY_NONE;
    for (int i = 0; i < 3; i++) {
        const char *name = nfsar_density_name((enum nfsar_density)i);
        assert_ok(nfsar_density_parse(name, &density, &error), error);
        assert_int_equal(density, i);
    }
    assert_int_equal(nfsar_density_parse("even", &density, &error), NFSAR_ERROR_ARGUMENT);
    assert_string_equal(error.message, "density 'even': known are none, voronoi, iterative");
}

/* A lattice is summed as it always was: with an array, turned, tilted, wider than the waves need
 * and finer. */
static void lattices_weigh_one(void **state) {
    (void)state;
    static const double steps[] = {0.1, 0.25, 0.7, 3.0};
    for (int k = 0; k < 4; k++) {
        nfsar_capture capture;
        radar_raster("single", 30, steps[k] * RADAR_LAMBDA, 20, 0.37 * RADAR_LAMBDA, 2, &capture);
        float *weight = weigh(&capture, NFSAR_DENSITY_VORONOI);
        assert_even(weight, 600);
        free(weight);
        for (size_t i = 0; i < 600; i++) {
            nfsar_vec3 at = capture.pose[i].position;
            put(&capture, i, 0.8 * at.x - 0.6 * at.y + 3.0, 0.6 * at.x + 0.8 * at.y - 7.0,
                0.4 * at.x - 0.2 * at.y);
        }
        weight = weigh(&capture, NFSAR_DENSITY_VORONOI);
        assert_even(weight, 600);
        free(weight);
        nfsar_capture_free(&capture);
    }
    nfsar_capture capture;
    radar_raster("xwr1443-2tx", 40, QUARTER, 5, 2.0 * RADAR_LAMBDA, 2, &capture);
    float *weight = weigh(&capture, NFSAR_DENSITY_VORONOI);
    assert_even(weight, 40 * 5 * 8);
    free(weight);
    weight = weigh(&capture, NFSAR_DENSITY_NONE);
    assert_even(weight, 40 * 5 * 8);
    free(weight);
    nfsar_capture_free(&capture);
}

/* 20 x 20 places a quarter of a wavelength apart, and 40 more visits of place 210, there or within
 * off of it. */
static void make_dwell(double off, nfsar_capture *capture) {
    nfsar_capture lattice;
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    radar_raster("single", 20, QUARTER, 20, QUARTER, 2, &lattice);
    make(440, capture);
    for (size_t i = 0; i < 440; i++) {
        nfsar_vec3 at = lattice.pose[i < 400 ? i : 210].position;
        double around = i < 400 ? 0.0 : 2.0 * off;
        put(capture, i, at.x + around * (nfsar_random_uniform(&random) - 0.5),
            at.y + around * (nfsar_random_uniform(&random) - 0.5), 0.0);
    }
    nfsar_capture_free(&lattice);
}

/* Weight of the samples within `distance` of a place along either axis. */
static double weight_about(const nfsar_capture *capture, const float *weight, size_t place,
                           double distance) {
    double sum = 0.0;
    nfsar_vec3 at = capture->pose[place].position;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        nfsar_vec3 d = nfsar_vec3_subtract(capture->pose[i].position, at);
        if (fmax(fabs(d.x), fabs(d.y)) < distance) {
            sum += (double)weight[i];
        }
    }
    return sum;
}

/* A place that is visited again and again, or dwelt upon within a small part of a wavelength,
 * weighs as much as another. */
static void places_share(void **state) {
    (void)state;
    nfsar_capture capture;
    const double all = 440.0 / 400.0;
    for (int k = 0; k < 2; k++) {
        make_dwell(k * 0.01 * RADAR_LAMBDA, &capture);
        float *weight = weigh(&capture, NFSAR_DENSITY_VORONOI);
        /* Dwelt upon over 0.08 of a step, it reaches halfway from there to its neighbours. */
        double there = weight_about(&capture, weight, 210, 0.1 * QUARTER) / all;
        assert_near(there, k == 0 ? 1.0 : 1.04 * 1.04, k == 0 ? 1e-6 : 0.03);
        assert_near((double)weight[205], all, 1e-5);
        for (size_t i = 400; i < 440; i++) {
            assert_near((double)weight[i], (double)weight[210], 1e-6);
        }
        free(weight);
        /* Iteration takes from the neighbours too, where the waves see no difference. */
        weight = weigh(&capture, NFSAR_DENSITY_ITERATIVE);
        double here = weight_about(&capture, weight, 210, 3.5 * QUARTER) / 49.0;
        double elsewhere = weight_about(&capture, weight, 205, 3.5 * QUARTER) / 49.0;
        print_message("iterative: %.4f about the place, %.4f elsewhere, without weights %.4f\n",
                      here, elsewhere, 89.0 / 49.0);
        assert_near(here / elsewhere, 1.0, 0.05);
        free(weight);
        nfsar_capture_free(&capture);
    }
}

/* One row, whatever its direction: lengths instead of areas. */
static void lines(void **state) {
    (void)state;
    nfsar_capture capture;
    static const double at[] = {0.0, 1.0, 3.0, 4.0, 4.5};
    static const double wanted[] = {1.0, 1.5, 1.5, 0.75, 0.5};
    make(5, &capture);
    for (int k = 0; k < 3; k++) {
        double angle = 0.3 + k;
        for (size_t i = 0; i < 5; i++) {
            put(&capture, i, 1e-3 * at[i] * cos(angle), 1e-3 * at[i] * sin(angle), 0.0);
        }
        float *weight = weigh(&capture, NFSAR_DENSITY_VORONOI);
        for (size_t i = 0; i < 5; i++) {
            assert_near((double)weight[i], 5.0 / 5.25 * wanted[i], 1e-6);
        }
        free(weight);
    }
    nfsar_capture_free(&capture);
    make(2, &capture);
    put(&capture, 1, 0.0, 0.5, 0.0);
    for (int k = 0; k < 2; k++) {
        float *weight = weigh(&capture, both[k]);
        assert_even(weight, 2);
        free(weight);
    }
    nfsar_capture_free(&capture);
}

/* The image of a point is an integral over the aperture, here known from a fine lattice: a sum with
 * weights is nearer to it than one without. Places are three times as dense on one side, and
 * random. */
static void images_are_integrals(void **state) {
    (void)state;
    enum { N = 4000, FINE = 200, VIEWS = 9 };
    const double size = 0.05, depth = 0.2, k = 2.0 * NFSAR_PI / RADAR_LAMBDA;
    nfsar_capture capture;
    nfsar_random random;
    nfsar_random_seed(&random, 11);
    make(N, &capture);
    for (size_t i = 0; i < N; i++) {
        double u = nfsar_random_uniform(&random), v = nfsar_random_uniform(&random);
        put(&capture, i, size * (sqrt(1.0 + 8.0 * u) - 1.0) / 2.0, size * v, 0.0);
    }
    double plain = 0.0, error[2] = {0.0, 0.0}, whole = 0.0;
    float *weight[2] = {weigh(&capture, both[0]), weigh(&capture, both[1])};
    for (int view = 0; view < VIEWS; view++) {
        /* The point in the middle, seen at places beside it. */
        nfsar_vec3 point = {0.025, 0.025, depth},
                   at = {0.025 + 2e-3 * view, 0.025 + 1e-3 * view, depth};
        double complex truth = 0.0, sum = 0.0, weighted[2] = {0.0, 0.0};
        for (int i = 0; i < FINE * FINE; i++) {
            nfsar_vec3 r = {size * (i % FINE + 0.5) / FINE, size * (i / FINE + 0.5) / FINE, 0.0};
            truth +=
                cexp(2.0 * I * k * (nfsar_vec3_distance(r, point) - nfsar_vec3_distance(r, at)));
        }
        for (size_t i = 0; i < N; i++) {
            nfsar_vec3 r = capture.pose[i].position;
            double complex echo =
                cexp(2.0 * I * k * (nfsar_vec3_distance(r, point) - nfsar_vec3_distance(r, at)));
            sum += echo;
            weighted[0] += (double)weight[0][i] * echo;
            weighted[1] += (double)weight[1][i] * echo;
        }
        truth /= FINE * FINE;
        plain += pow(cabs(sum / N - truth), 2.0);
        error[0] += pow(cabs(weighted[0] / N - truth), 2.0);
        error[1] += pow(cabs(weighted[1] / N - truth), 2.0);
        whole += pow(cabs(truth), 2.0);
    }
    print_message("error of the image: plain %.4f, voronoi %.4f, iterative %.4f\n",
                  sqrt(plain / whole), sqrt(error[0] / whole), sqrt(error[1] / whole));
    assert_true(sqrt(plain / whole) > 0.1);
    assert_true(sqrt(error[0] / whole) < 0.01);
    assert_true(sqrt(error[1] / whole) < 0.03);
    free(weight[0]);
    free(weight[1]);
    nfsar_capture_free(&capture);
}

/* What iterating is for: K w is 1 at every point, by the plain sum over all pairs. */
static void the_convolution_is_flat(void **state) {
    (void)state;
    enum { N = 600 };
    static struct plane_point point[N];
    static double weight[N];
    nfsar_random random;
    nfsar_error error;
    nfsar_random_seed(&random, 5);
    for (int i = 0; i < N; i++) {
        double u = nfsar_random_uniform(&random);
        point[i] = (struct plane_point){10.0 * u * u, 10.0 * nfsar_random_uniform(&random)};
    }
    assert_ok(compensate_density(point, N, 1.0, weight, &error), error);
    double before = 0.0, off = 0.0, mean = 0.0;
    for (int i = 0; i < N; i++) {
        double plain = 0.0, sum = 0.0;
        for (int k = 0; k < N; k++) {
            double square = pow(point[k].x - point[i].x, 2.0) + pow(point[k].y - point[i].y, 2.0);
            double kernel = square < 1.0 ? (1.0 - square) * (1.0 - square) : 0.0;
            plain += kernel;
            sum += kernel * weight[k];
        }
        off += pow(sum - 1.0, 2.0) / N;
        mean += plain / N;
        before += plain * plain / N;
    }
    before = sqrt(before - mean * mean) / mean;
    print_message("K w is off by %.4f of itself without weights, by %.4f with\n", before,
                  sqrt(off));
    assert_true(before > 0.5);
    assert_true(sqrt(off) < before / 8.0);
}

static void weights_multiply_samples(void **state) {
    (void)state;
    enum { PULSES = 4, CHANNELS = 8, SAMPLES = 5 };
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("xwr1443-2tx", 2, 1e-3, 2, 1e-3, SAMPLES, &capture);
    float weight[PULSES * CHANNELS];
    for (size_t i = 0; i < PULSES * CHANNELS; i++) {
        weight[i] = 0.25f * (float)i;
    }
    for (size_t i = 0; i < PULSES * CHANNELS * SAMPLES; i++) {
        capture.echo[i] = (float)i - 2.0f * (float)i * I;
    }
    nfsar_weighted_source weighted = {weight, CHANNELS, nfsar_capture_source(&capture)};
    nfsar_echo_source source = nfsar_weighted(&weighted);
    float complex read[2 * CHANNELS * 3];
    assert_ok(source.read(source.context, 1, 2, 2, 3, read, &error), error);
    for (size_t i = 0; i < 2 * CHANNELS * 3; i++) {
        size_t line = CHANNELS + i / 3;
        float complex sample = capture.echo[line * SAMPLES + 2 + i % 3];
        assert_true(read[i] == weight[line] * sample);
    }
    assert_int_equal(source.read(source.context, 3, 2, 0, 1, read, &error), NFSAR_ERROR_ARGUMENT);
    const float two[] = {1.0f, 3.0f};
    assert_near(nfsar_density_noise_factor(two, 2), 2.0 * 10.0 / 16.0, 1e-12);
    nfsar_capture_free(&capture);
}

static void refuse(const nfsar_capture *capture, enum nfsar_status status, const char *message) {
    float weight[64];
    for (int k = 0; k < 2; k++) {
        nfsar_error error = {0};
        assert_int_equal(nfsar_density_weights(capture, both[k], weight, &error), status);
        assert_contains(error.message, message);
        assert_null(strchr(error.message, '\n'));
    }
}

static void refusals(void **state) {
    (void)state;
    nfsar_capture capture;
    make(1, &capture);
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "all 1 phase centres lie in one place");
    nfsar_capture_free(&capture);
    make(64, &capture);
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "all 64 phase centres lie in one place");
    for (size_t i = 0; i < 64; i++) {
        put(&capture, i, 0.0, 0.0, 1e-3 * (double)i);
    }
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "in one place: there is no aperture");
    for (size_t i = 0; i < 64; i++) {
        put(&capture, i, 0.3 * cos(0.1 * (double)i), 0.01 * (double)(i % 4),
            0.3 * sin(0.1 * (double)i));
    }
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "leave their best plane by");
    for (size_t i = 0; i < 64; i++) {
        put(&capture, i, 1e-3 * (double)(i % 8), 1e-3 * (double)(i / 8), 0.0);
    }
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e10};
    for (int k = 0; k < 5; k++) {
        put(&capture, 40, bad[k], 0.0, 0.0);
        refuse(&capture, NFSAR_ERROR_GEOMETRY, "channel 0: its position is no number of metres");
    }
    put(&capture, 40, 1e8, 0.0, 0.0);
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "too far for density weights");
    /* One stray place far off: finite weights, and it does not take all. */
    put(&capture, 40, 300.0, 2.0, 0.0);
    for (int k = 0; k < 2; k++) {
        float *weight = weigh(&capture, both[k]);
        assert_true(weight[40] < 4.0f);
        free(weight);
    }
    size_t n_pulse = capture.n_pulse;
    capture.n_pulse = SIZE_MAX / 2;
    refuse(&capture, NFSAR_ERROR_ARGUMENT, "phase centres can be weighed");
    capture.n_pulse = 0;
    refuse(&capture, NFSAR_ERROR_ARGUMENT, "0 pulses");
    capture.n_pulse = n_pulse;
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(lattices_weigh_one),
        cmocka_unit_test(places_share),
        cmocka_unit_test(lines),
        cmocka_unit_test(images_are_integrals),
        cmocka_unit_test(the_convolution_is_flat),
        cmocka_unit_test(weights_multiply_samples),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
