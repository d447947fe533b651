/* nfsar track --phase, as people run it. */
#include "tests/support.h"

#include <complex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#define SCENE                                                                                      \
    "seed: 5\n"                                                                                    \
    "radar: {waveform: 77-81ghz-64}\n"                                                             \
    "array: {preset: single}\n"                                                                    \
    "path: {raster: {x: {size_m: 0.3, count: 300}, y: {size_m: 0, count: 1}}}\n"                   \
    "targets:\n"                                                                                   \
    "  - points:\n"                                                                                \
    "      - {at_m: [0.01, 0, 0.31], amplitude: %s}\n"                                             \
    "      - {at_m: [-0.04, 0, 0.33], amplitude: %s}\n"                                            \
    "impairments:\n"                                                                               \
    "  snr_db: %s\n"                                                                               \
    "  pose_error: {kind: smooth, sigma_m: [1e-3, 1e-3, 1e-3], time_s: 0.3, displaces: radar}\n"

#define GRID "--x -0.08:0.08:161 --y 0 --z 0.27:0.36:19"

static char output[8192];

#define RUN(...) test_command(output, sizeof output, __VA_ARGS__)

static void make(const char *name, const char *strong, const char *weak, const char *snr) {
    char text[1024], scene[64];
    snprintf(text, sizeof text, SCENE, strong, weak, snr);
    snprintf(scene, sizeof scene, "%s.yaml", name);
    test_write_file(scene, text, strlen(text));
    assert_int_equal(RUN("simulate '%s' -o '%s'", test_path(scene), test_path(name)), 0);
}

static int set_up(void **state) {
    (void)state;
    make("scan.h5", "20", "1", "15");
    make("noise.h5", "1", "1", "-80");
    return 0;
}

static nfsar_capture load(const char *name) {
    nfsar_capture capture;
    nfsar_error error;
    assert_ok(nfsar_capture_load(test_path(name), &capture, &error), error);
    return capture;
}

static void poses_move_and_samples_stay(void **state) {
    (void)state;
    assert_int_equal(
        RUN("track '%s' -o '%s' --phase " GRID, test_path("scan.h5"), test_path("moved.h5")), 0);
    assert_contains(output, "scatterers 1: (0.0");
    assert_contains(output, "poses      moved by ");
    assert_contains(output, "verdict    sharper");
    nfsar_capture before = load("scan.h5"), after = load("moved.h5");
    size_t moved = 0;
    for (size_t l = 0; l < before.n_pulse; l++) {
        moved += nfsar_vec3_distance(before.pose[l].position, after.pose[l].position) > 1e-5;
    }
    assert_true(moved > before.n_pulse / 2);
    assert_memory_equal(before.echo, after.echo, before.n_pulse * 64 * sizeof *before.echo);
    assert_int_equal(after.n_provenance, before.n_provenance + 1);
    assert_contains(after.provenance[before.n_provenance], "phase gradient of 1 scatterers");
    nfsar_capture_free(&before);
    nfsar_capture_free(&after);
}

static void samples_turn_and_poses_stay(void **state) {
    (void)state;
    assert_int_equal(RUN("track '%s' -o '%s' --phase --per-pulse --json " GRID,
                         test_path("scan.h5"), test_path("turned.h5")),
                     0);
    assert_contains(output, "\"gained\": true");
    assert_contains(output, "\"error\": \"phase\"");
    assert_contains(output, "\"reason\": \"taken\"");
    assert_contains(output, "\"steady\": 0.9");
    assert_contains(output, "\"explained_before\": 0.");
    assert_contains(output, "\"explained_after\": 0.");
    nfsar_capture before = load("scan.h5"), after = load("turned.h5");
    for (size_t l = 0; l < before.n_pulse; l++) {
        assert_near(nfsar_vec3_distance(before.pose[l].position, after.pose[l].position), 0, 0);
        const float complex turn = after.echo[l * 64] / before.echo[l * 64];
        assert_near((double)cabsf(turn), 1.0, 1e-5);
        assert_near((double)cabsf(after.echo[l * 64 + 63] - turn * before.echo[l * 64 + 63]), 0.0,
                    1e-5 * (double)cabsf(before.echo[l * 64 + 63]));
    }
    assert_contains(after.provenance[before.n_provenance], "samples of each pulse turned");
    nfsar_capture_free(&before);
    nfsar_capture_free(&after);
}

/* A background stays what it was: only the echoes turn. */
static void a_background_does_not_turn(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture before = load("scan.h5");
    float complex *background = calloc(64, sizeof *background);
    assert_non_null(background);
    for (size_t n = 0; n < 64; n++) {
        background[n] = 300.0f + 100.0f * (float)n * I;
    }
    for (size_t i = 0; i < before.n_pulse * 64; i++) {
        before.echo[i] += background[i % 64];
    }
    before.calibration.background = background;
    assert_ok(nfsar_capture_save(test_path("leaky.h5"), &before, &error), error);
    assert_int_equal(RUN("track '%s' -o '%s' --phase --per-pulse --json " GRID,
                         test_path("leaky.h5"), test_path("dry.h5")),
                     0);
    nfsar_capture after = load("dry.h5");
    for (size_t l = 0; l < before.n_pulse; l++) {
        const float complex *was = before.echo + l * 64, *is = after.echo + l * 64;
        const float complex turn = (is[0] - background[0]) / (was[0] - background[0]);
        assert_near((double)cabsf(turn), 1.0, 1e-2);
        assert_near((double)cabsf((is[63] - background[63]) - turn * (was[63] - background[63])),
                    0.0, 1e-2 * (double)cabsf(was[63] - background[63]));
    }
    nfsar_capture_free(&before);
    nfsar_capture_free(&after);
}

/* The grid that is suggested for 41 x 41 pulses 5 mm apart is too coarse along z: it is made finer;
 * one that was given is refused with one that would do. */
static void coarse_grids_are_made_fine(void **state) {
    (void)state;
    const char *scene =
        "radar: {waveform: 77-81ghz-64}\narray: {preset: single}\n"
        "path: {raster: {x: {size_m: 0.2, count: 41}, y: {size_m: 0.2, count: 41}}}\n"
        "targets: [{points: [{at_m: [0, 0, 0.2]}, {at_m: [0.04, 0.02, 0.25]}]}]\n";
    test_write_file("wide.yaml", scene, strlen(scene));
    assert_int_equal(RUN("simulate '%s' -o '%s'", test_path("wide.yaml"), test_path("wide.h5")), 0);
    assert_int_equal(RUN("track '%s' -o '%s' --phase --z 0.15:0.3:4", test_path("wide.h5"),
                         test_path("fine.h5")),
                     2);
    assert_contains(output, "along z miss scatterers");
    assert_contains(output, "give --z=0.15:0.3:");
    assert_int_equal(test_count_files("fine"), 0);
    assert_int_equal(RUN("track '%s' -o '%s' --phase", test_path("wide.h5"), test_path("fine.h5")),
                     0);
    assert_contains(output, "verdict");
}

static void noise_is_refused(void **state) {
    (void)state;
    assert_int_equal(
        RUN("track '%s' -o '%s' --phase " GRID, test_path("noise.h5"), test_path("none.h5")), 1);
    assert_contains(output, "no scatterer stands out of the noise");
    assert_int_equal(RUN("track '%s' -o '%s' --phase --point 0.01,0,0.31 " GRID,
                         test_path("noise.h5"), test_path("none.h5")),
                     1);
    assert_contains(output, "this is noise");
    assert_int_equal(RUN("track '%s' -o '%s' --phase --gate 5:6 " GRID, test_path("scan.h5"),
                         test_path("none.h5")),
                     1);
    assert_contains(output, "in the gate");
    assert_int_equal(test_count_files("none"), 0);
}

static void usage_is_named(void **state) {
    (void)state;
    assert_int_equal(
        RUN("track '%s' -o '%s' --phase --autofocus", test_path("scan.h5"), test_path("none.h5")),
        2);
    assert_contains(output, "--phase and --autofocus are two steps");
    assert_int_equal(RUN("track --help"), 0);
    assert_contains(output, "--phase ");
    assert_int_equal(RUN("track --poses --help"), 0);
    assert_contains(output, "--align");
    assert_int_equal(RUN("track '%s' --phase", test_path("scan.h5")), 2);
    assert_contains(output, "-o OUT.h5 is missing");
    assert_int_equal(
        RUN("track '%s' -o '%s' --phase --point here", test_path("scan.h5"), test_path("none.h5")),
        2);
    assert_contains(output, "--point here");
    assert_int_equal(RUN("track '%s' -o '%s' --phase --point 10,0,310 " GRID, test_path("scan.h5"),
                         test_path("none.h5")),
                     2);
    assert_contains(output, "are its coordinates metres?");
    assert_int_equal(RUN("track '%s' -o '%s' --phase --scatterers 0 " GRID, test_path("scan.h5"),
                         test_path("none.h5")),
                     2);
    assert_contains(output, "scatterers 1 to");
    assert_int_equal(RUN("track '%s' -o '%s' --phase --search 0 " GRID, test_path("scan.h5"),
                         test_path("none.h5")),
                     2);
    assert_contains(output, "--search 0: metres of range above 0");
    assert_int_equal(test_count_files("none"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poses_move_and_samples_stay),
        cmocka_unit_test(samples_turn_and_poses_stay),
        cmocka_unit_test(a_background_does_not_turn),
        cmocka_unit_test(coarse_grids_are_made_fine),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(usage_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
