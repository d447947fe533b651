/* A recording of others (bwsi_uwb_rail, where it is there): the offset of its two clocks and the
 * range bias, found without being told, make both reflectors sharp. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/support.h"

static char output[20000];

static double number_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* Contrast of the image's peak about a reflector, dB over its median, and where it is. */
static double contrast(const char *name, const char *x, const char *z, nfsar_vec3 *at) {
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --method bp --x %s --y 0.04 --z %s",
                                  test_path(name), test_path("image.h5"), x, z),
                     0);
    nfsar_image image;
    nfsar_error error;
    assert_ok(nfsar_image_load(test_path("image.h5"), &image, &error), error);
    const size_t n = image.grid.x.count * image.grid.y.count * image.grid.z.count;
    size_t best = 0, below = 0;
    for (size_t i = 0; i < n; i++) {
        best = cabsf(image.data[i]) > cabsf(image.data[best]) ? i : best;
    }
    /* The median by bisection. */
    double low = 0.0, high = (double)cabsf(image.data[best]);
    for (int round = 0; round < 40; round++) {
        const double middle = 0.5 * (low + high);
        below = 0;
        for (size_t i = 0; i < n; i++) {
            below += (double)cabsf(image.data[i]) < middle;
        }
        *(below < n / 2 ? &low : &high) = middle;
    }
    const nfsar_axis ax = image.grid.x, az = image.grid.z;
    at->x = ax.start + ax.step * (double)(best % ax.count);
    at->z = az.start + az.step * (double)(best / ax.count);
    const double db = 20.0 * log10((double)cabsf(image.data[best]) / low);
    nfsar_image_free(&image);
    return db;
}

/* Of a capture in a file the pulses during which the radar moves faster than 0.2 m/s, less what
 * they share: at rest the same echo comes hundreds of times, and the antennas' own is in all of
 * them. */
static void keep_moving(const char *name, const char *kept_name) {
    nfsar_capture c;
    nfsar_error error;
    assert_ok(nfsar_capture_load(test_path(name), &c, &error), error);
    const size_t n = c.n_sample;
    float complex *mean = calloc(n, sizeof *mean);
    size_t kept = 0;
    for (size_t i = 0; i < c.n_pulse; i++) {
        const double t = c.time_s[i];
        const nfsar_pose a = nfsar_track_pose(c.pose_time_s, c.pose, c.n_pose, t - 0.1, NULL);
        const nfsar_pose b = nfsar_track_pose(c.pose_time_s, c.pose, c.n_pose, t + 0.1, NULL);
        if (t > 0.2 && nfsar_vec3_distance(a.position, b.position) > 0.04) {
            c.time_s[kept] = t;
            c.flags[kept] = c.flags[i];
            memmove(c.echo + kept * n, c.echo + i * n, n * sizeof *c.echo);
            for (size_t k = 0; k < n; k++) {
                mean[k] += c.echo[kept * n + k];
            }
            kept++;
        }
    }
    assert_true(kept > 200 && kept < 300);
    for (size_t i = 0; i < kept * n; i++) {
        c.echo[i] -= mean[i % n] / (float)kept;
    }
    c.n_pulse = kept;
    assert_ok(nfsar_capture_save(test_path(kept_name), &c, &error), error);
    nfsar_capture_free(&c);
    free(mean);
}

static void rail(void **state) {
    (void)state;
    const char *folder = test_data_folder();
    const char *source = getenv("NFSAR_SOURCE");
    if (folder == NULL) {
        print_message("no real recordings (NFSAR_DATA or ../shared/data): skipped\n");
        skip();
    }
    assert_int_equal(test_command(output, sizeof output,
                                  "import %s/docs/examples/rig-bwsi-uwb-rail.yaml --data "
                                  "%s/bwsi_uwb_rail -o %s",
                                  source != NULL ? source : ".", folder, test_path("rail.h5")),
                     0);
    assert_int_equal(test_command(output, sizeof output,
                                  "track %s -o %s --poses %s/bwsi_uwb_rail/group6_trial_008.csv "
                                  "--align --rotate 0,90,0 --json",
                                  test_path("rail.h5"), test_path("tracked.h5"), folder),
                     0);
    /* Exact backprojection over a grid of offsets, beside this program, has both reflectors
     * sharpest at 9.275 to 9.28 s; 9.20 s puts them nearest to their survey. */
    const double offset = number_after(output, "\"clock_ahead_s\": ");
    assert_near(offset, 9.2775, 0.015);
    /* And at a bias of 0.45 m, flat to a tenth of a metre. */
    assert_near(number_after(output, "\"bias_m\": "), 0.45, 0.2);
    /* README: 26 and 22 dB over the median at (2.21, -3.87) and (2.24, 1.20). Bias and range may be
     * exchanged, and an offset moves both along the rail. */
    nfsar_vec3 a = {0}, b = {0};
    keep_moving("tracked.h5", "moving.h5");
    const double first = contrast("moving.h5", "1.2:3.2:101", "-4.6:-3.2:71", &a);
    const double second = contrast("moving.h5", "1.2:3.2:101", "0.5:1.9:71", &b);
    print_message("offset %.4f s; reflectors at (%.2f, %.2f) and (%.2f, %.2f), %.1f and %.1f dB\n",
                  offset, a.x, a.z, b.x, b.z, first, second);
    assert_near(a.z, -3.9, 0.15);
    assert_near(b.z, 1.2, 0.15);
    assert_near(a.x, 2.2, 0.3);
    assert_near(b.x, 2.2, 0.3);
    assert_true(first > 30.0 && second > 25.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rail)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed == 0 && test_data_folder() == NULL ? TEST_SKIPPED : failed;
}
