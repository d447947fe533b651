/* The simulation of many scatterers: against the sum written out, against itself by parts, and as
 * the adjoint of backprojection. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#include <nfsar/simulation.h>

#include "algorithms/clusters.h"
#include "tests/images.h"
#include "tests/radar.h"

enum { MANY = 3000 };

/* A sheet of scatterers that bends through a box, of random reflectivity. */
static nfsar_scatterer *sheet(size_t n, double range, uint64_t seed) {
    nfsar_scatterer *s = calloc(n, sizeof *s);
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) {
        double x = 0.1 * (nfsar_random_uniform(&random) - 0.5);
        double y = 0.06 * (nfsar_random_uniform(&random) - 0.5);
        s[i].position = (nfsar_vec3){x, y, range + 4.0 * x * x + 0.3 * y};
        s[i].reflectivity = (float complex)nfsar_random_complex_normal(&random);
    }
    return s;
}

/* Relative RMS error of some samples of some lines. */
static double error_of(const nfsar_capture *capture, const nfsar_scatterer *s, size_t n,
                       bool spreading) {
    size_t n_channel = capture->array.n_channel, n_sample = capture->n_sample;
    nfsar_error error;
    nfsar_vec3 tx[64], rx[64];
    double off = 0.0, power = 0.0;
    for (size_t pulse = 0; pulse < capture->n_pulse; pulse += capture->n_pulse / 3 + 1) {
        assert_ok(nfsar_capture_antennas(capture, true, pulse, 1, tx, rx, &error), error);
        for (size_t c = 0; c < n_channel; c++) {
            for (size_t k = 0; k < n_sample; k += n_sample / 7 + 1) {
                double wave = 2.0 * NFSAR_PI * capture->frequency_hz[k] / NFSAR_SPEED_OF_LIGHT;
                double complex sum = 0.0;
                for (size_t i = 0; i < n; i++) {
                    double out = nfsar_vec3_distance(tx[c], s[i].position);
                    double back = nfsar_vec3_distance(rx[c], s[i].position);
                    double complex echo =
                        (double complex)s[i].reflectivity * cexp(I * wave * (out + back));
                    sum += spreading ? echo / (out * back) : echo;
                }
                double complex got =
                    (double complex)capture->echo[(pulse * n_channel + c) * n_sample + k];
                off += pow(cabs(got - sum), 2.0);
                power += pow(cabs(sum), 2.0);
            }
        }
    }
    return sqrt(off / power);
}

static void equals_the_sum(void **state) {
    (void)state;
    static const struct {
        const char *what, *preset;
        double range;
        size_t n_sample;
        bool spreading, falling;
    } cases[] = {
        {"monostatic", "single", 0.3, 64, false, false},
        {"monostatic, spreading", "single", 0.3, 64, true, false},
        {"3 x 4", "xwr1443-3tx", 0.3, 64, false, false},
        {"3 x 4, spreading", "xwr1443-3tx", 0.3, 64, true, false},
        {"2 x 4 at 0.1 m", "xwr1443-2tx", 0.1, 100, true, false},
        {"3 x 4 at 3 m", "xwr1443-3tx", 3.0, 64, false, false},
        {"falling chirp", "single", 0.3, 65, false, true},
    };
    nfsar_error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nfsar_capture capture;
        nfsar_scatterer *s = sheet(MANY, cases[i].range, i);
        radar_raster(cases[i].preset, 5, 0.01, 4, 0.012, cases[i].n_sample, &capture);
        for (size_t k = 0; cases[i].falling && k < cases[i].n_sample; k++) {
            capture.frequency_hz[k] = 81e9 - 4e9 * (double)k / (double)(cases[i].n_sample - 1);
        }
        for (int k = NFSAR_KERNEL_PORTABLE; k <= NFSAR_KERNEL_AVX512; k++) {
            nfsar_simulation_options options = {.spreading = cases[i].spreading,
                                                .kernel = (enum nfsar_kernel)k};
            if (!nfsar_kernel_available(options.kernel)) {
                continue;
            }
            assert_ok(
                nfsar_simulate(&capture, s, MANY, &options, 0, 20, capture.echo, NULL, &error),
                error);
            double off = error_of(&capture, s, MANY, cases[i].spreading);
            print_message("%-24s %-8s %.1e\n", cases[i].what, nfsar_kernel_name(options.kernel),
                          off);
            assert_true(off < 1e-5);
        }
        nfsar_capture_free(&capture);
        free(s);
    }
}

/* A bistatic pair with beams, all at once and a few scatterers at a time, which are summed sample
 * by sample. */
static void equals_its_parts(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    nfsar_scatterer *s = sheet(600, 0.25, 9);
    radar_raster("single", 4, 0.02, 3, 0.03, 256, &capture);
    capture.array.rx_m[0] = (nfsar_vec3){0.03, 0.01, 0.002};
    size_t n = 12 * 256;
    float complex *sum = calloc(n, sizeof *sum);
    nfsar_simulation_options options = {.spreading = true, .beamwidth_rad = 0.6};
    for (size_t first = 0; first < 600; first += 10) {
        assert_ok(
            nfsar_simulate(&capture, s + first, 10, &options, 0, 12, capture.echo, NULL, &error),
            error);
        for (size_t i = 0; i < n; i++) {
            sum[i] += capture.echo[i];
        }
    }
    assert_ok(nfsar_simulate(&capture, s, 600, &options, 0, 12, capture.echo, NULL, &error), error);
    double off = 0.0, power = 0.0;
    for (size_t i = 0; i < n; i++) {
        off += pow((double)cabsf(sum[i] - capture.echo[i]), 2.0);
        power += pow((double)cabsf(sum[i]), 2.0);
    }
    print_message("parts: %.1e\n", sqrt(off / power));
    assert_true(sqrt(off / power) < 1e-5);
    assert_true(memcmp(sum, capture.echo, n * sizeof *sum) != 0);
    free(sum);
    free(s);
    nfsar_capture_free(&capture);
}

/* Threads and the company of other pulses change nothing. */
static void pulses_are_alone(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    nfsar_scatterer *s = sheet(MANY, 0.3, 3);
    radar_raster("xwr1443-3tx", 10, 0.01, 10, 0.012, 64, &capture);
    size_t line = capture.array.n_channel * 64;
    float complex *one = calloc(100 * line, sizeof *one);
    nfsar_simulation_options options = {.threads = 1};
    assert_ok(nfsar_simulate(&capture, s, MANY, &options, 0, 100, capture.echo, NULL, &error),
              error);
    options.threads = 3;
    assert_ok(nfsar_simulate(&capture, s, MANY, &options, 0, 100, one, NULL, &error), error);
    assert_memory_equal(one, capture.echo, 100 * line * sizeof *one);
    for (size_t p = 0; p < 100; p += 13) {
        assert_ok(nfsar_simulate(&capture, s, MANY, &options, p, 1, one, NULL, &error), error);
        double off = 0.0, power = 0.0;
        for (size_t i = 0; i < line; i++) {
            off += pow((double)cabsf(one[i] - capture.echo[p * line + i]), 2.0);
            power += pow((double)cabsf(one[i]), 2.0);
        }
        assert_true(sqrt(off / power) < 1e-6);
    }
    free(one);
    free(s);
    nfsar_capture_free(&capture);
}

/* <A s, o> = <s, A* o> for backprojection A and simulation A*: random samples, random image. */
static void adjoint_of_backprojection(void **state) {
    (void)state;
    static const char *const presets[] = {"single", "xwr1443-3tx"};
    nfsar_grid grid = {{-0.03, 2e-3, 31}, {-0.02, 2e-3, 21}, {0.28, 3e-3, 9}};
    size_t voxels = nfsar_grid_voxels(&grid);
    for (int i = 0; i < 2; i++) {
        nfsar_capture capture;
        nfsar_random random;
        nfsar_error error;
        radar_raster(presets[i], 6, 0.01, 5, 0.012, 64, &capture);
        nfsar_random_seed(&random, 5);
        size_t n = 30 * capture.array.n_channel * 64;
        for (size_t k = 0; k < n; k++) {
            capture.echo[k] = (float complex)nfsar_random_complex_normal(&random);
        }
        nfsar_scatterer *o = calloc(voxels, sizeof *o);
        for (size_t v = 0; v < voxels; v++) {
            o[v].position =
                (nfsar_vec3){nfsar_axis_at(&grid.x, v % 31), nfsar_axis_at(&grid.y, v / 31 % 21),
                             nfsar_axis_at(&grid.z, v / 31 / 21)};
            o[v].reflectivity = (float complex)nfsar_random_complex_normal(&random);
        }
        nfsar_image image = image_bp(&capture, &grid, NFSAR_BP_SINGLE);
        float complex *echo = calloc(n, sizeof *echo);
        assert_ok(nfsar_simulate(&capture, o, voxels, NULL, 0, 30, echo, NULL, &error), error);
        double complex left = 0.0, right = 0.0;
        double norm_image = 0.0, norm_o = 0.0;
        for (size_t v = 0; v < voxels; v++) {
            left += (double complex)image.data[v] * conj((double complex)o[v].reflectivity);
            norm_image += pow((double)cabsf(image.data[v]), 2.0);
            norm_o += pow((double)cabsf(o[v].reflectivity), 2.0);
        }
        for (size_t k = 0; k < n; k++) {
            right += (double complex)capture.echo[k] * conj((double complex)echo[k]);
        }
        double off = cabs(left - right) / sqrt(norm_image * norm_o);
        print_message("%s: adjoint to %.1e\n", presets[i], off);
        assert_true(off < 1e-5);
        assert_true(cabs(left) > 1e-4 * sqrt(norm_image * norm_o));
        free(o);
        free(echo);
        nfsar_image_free(&image);
        nfsar_capture_free(&capture);
    }
}

static void clusters_hold_everything(void **state) {
    (void)state;
    static const double even[3] = {1.0, 1.0, 1.0};
    nfsar_scatterer *s = sheet(5000, 0.3, 4);
    /* Thousands in one place cannot be told apart by halving. */
    for (size_t i = 0; i < 2500; i++) {
        s[i].position = (nfsar_vec3){0.01, 0.02, 0.03};
    }
    struct clusters clusters;
    unsigned char *seen = calloc(5000, 1);
    assert_true(clusters_make(s, 5000, 0.01, even, 5000, &clusters));
    size_t total = 0;
    for (size_t c = 0; c < clusters.n; c++) {
        const struct cluster *cluster = &clusters.cluster[c];
        assert_true(cluster->n > 0 && cluster->n <= CLUSTER_LIMIT);
        assert_true(cluster->padded % CLUSTER_PAD == 0 && cluster->padded >= cluster->n);
        assert_true(hypot(hypot((double)cluster->half[0], (double)cluster->half[1]),
                          (double)cluster->half[2]) < 0.01001);
        for (size_t i = 0; i < cluster->n; i++) {
            size_t index = clusters.index[cluster->first + i];
            nfsar_vec3 at = {cluster->centre[0] + (double)clusters.offset[0][cluster->first + i],
                             cluster->centre[1] + (double)clusters.offset[1][cluster->first + i],
                             cluster->centre[2] + (double)clusters.offset[2][cluster->first + i]};
            assert_false(seen[index]);
            seen[index] = 1;
            assert_true(nfsar_vec3_distance(at, s[index].position) < 1e-8);
        }
        for (size_t i = cluster->n; i < cluster->padded; i++) {
            assert_true(clusters.re[cluster->first + i] == 0.0f);
        }
        total += cluster->n;
    }
    assert_int_equal(total, 5000);
    clusters_free(&clusters);
    assert_false(clusters_make(s, 5000, 0.01, even, 3, &clusters));
    free(seen);
    free(s);
}

/* Relative RMS error of a cloud of 20 cm round the z axis with one scatterer `near` from an
 * antenna. */
static double cloud_error(double band_hz, double size, double near, bool spreading) {
    nfsar_error error;
    nfsar_capture capture;
    nfsar_scatterer *s = sheet(MANY, 0.3, 11);
    radar_raster("single", 5, 0.01, 4, 0.012, 64, &capture);
    for (size_t i = 0; i < MANY; i++) {
        s[i].position.x *= size;
        s[i].position.y *= size;
    }
    for (size_t k = 0; k < 64; k++) {
        capture.frequency_hz[k] = 77e9 + band_hz * (double)k / 63.0;
    }
    if (near > 0.0) {
        s[5].position = capture.pose[0].position;
        s[5].position.z += near;
    }
    nfsar_simulation_options options = {.spreading = spreading};
    assert_ok(nfsar_simulate(&capture, s, MANY, &options, 0, 20, capture.echo, NULL, &error),
              error);
    double off = error_of(&capture, s, MANY, spreading);
    nfsar_capture_free(&capture);
    free(s);
    return off;
}

/* Scatterers just off an antenna, and bands so narrow that clusters could be metres wide. */
static void near_and_narrow(void **state) {
    (void)state;
    static const double nears[] = {2e-6, 1e-4, 1e-3, 1e-2};
    for (size_t i = 0; i < 4; i++) {
        double off = cloud_error(4e9, 1.0, nears[i], true);
        print_message("a scatterer at %g m: %.1e\n", nears[i], off);
        assert_true(off < 1e-5);
    }
    static const double bands[] = {250e6, 20e6, 1e6, 100.0};
    for (size_t i = 0; i < 4; i++) {
        double off = cloud_error(bands[i], 1.0, 0.0, false);
        double wide = cloud_error(bands[i], 5.0, 0.0, false);
        print_message("a band of %g Hz: %.1e, %.1e\n", bands[i], off, wide);
        assert_true(off < 1e-5 && wide < 1e-5);
    }
}

/* A radar that recedes: its batches of pulses have other gates with other threads. */
static void recedes(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    nfsar_scatterer *s = sheet(MANY, 0.3, 3);
    radar_raster("single", 20, 0.01, 10, 0.012, 64, &capture);
    for (size_t p = 0; p < 200; p++) {
        capture.pose[p].position.z = -0.3 * (double)p;
    }
    float complex *other = calloc(200 * 64, sizeof *other);
    nfsar_simulation_options options = {.threads = 1};
    assert_ok(nfsar_simulate(&capture, s, MANY, &options, 0, 200, capture.echo, NULL, &error),
              error);
    for (int threads = 2; threads <= 4; threads++) {
        options.threads = threads;
        assert_ok(nfsar_simulate(&capture, s, MANY, &options, 0, 200, other, NULL, &error), error);
        assert_memory_equal(other, capture.echo, 200 * 64 * sizeof *other);
    }
    free(other);
    free(s);
    nfsar_capture_free(&capture);
}

/* A scatterer among thousands that sits on an antenna is named. */
static void refuses_what_sits_on_an_antenna(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    nfsar_scatterer *s = sheet(MANY, 0.3, 3);
    radar_raster("single", 10, 0.01, 2, 0.012, 64, &capture);
    s[77].position = capture.pose[13].position;
    assert_int_equal(nfsar_simulate(&capture, s, MANY, NULL, 0, 20, capture.echo, NULL, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "scatterer 77");
    assert_contains(error.message, "pulse 13");
    nfsar_capture_free(&capture);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_hold_everything),
        cmocka_unit_test(equals_the_sum),
        cmocka_unit_test(equals_its_parts),
        cmocka_unit_test(pulses_are_alone),
        cmocka_unit_test(adjoint_of_backprojection),
        cmocka_unit_test(near_and_narrow),
        cmocka_unit_test(recedes),
        cmocka_unit_test(refuses_what_sits_on_an_antenna),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
