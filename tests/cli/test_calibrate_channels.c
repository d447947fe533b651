/* nfsar calibrate --channels: from a simulated capture with bad channels to one whose
 * /calibration is what the simulation did. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

static const char *const scene =
    "radar: {waveform: 77-81ghz-64}\n"
    "array: {preset: xwr1443-3tx}\n"
    "path:\n"
    "  raster: {x: {size_m: 0.08, count: 12}, y: {size_m: 0.08, count: 8}}\n"
    "targets:\n"
    "  - points:\n"
    "      - {at_m: [0.01, 0.02, 0.3]}\n"
    "impairments:\n"
    "  snr_db: 20\n"
    "  channels: {gain_db: 1.5, phase_deg: 100, delay_s: 30e-12}\n";

static int set_up(void **state) {
    (void)state;
    char output[4096], right[1024];
    test_write_file("bad.yaml", scene, strlen(scene));
    /* The same, saying what it did. */
    snprintf(right, sizeof right, "%s  calibrated: true\n", scene);
    test_write_file("right.yaml", right, strlen(right));
    int status = test_command(output, sizeof output, "simulate '%s' -o '%s'", test_path("bad.yaml"),
                              test_path("bad.h5"));
    return status != 0 ? status
                       : test_command(output, sizeof output, "simulate '%s' -o '%s'",
                                      test_path("right.yaml"), test_path("right.h5"));
}

static const nfsar_calibration *open_calibration(const char *name, nfsar_capture_file **file) {
    nfsar_error error;
    assert_ok(nfsar_capture_file_open(test_path(name), file, &error), error);
    const nfsar_capture *capture = nfsar_capture_file_header(*file);
    assert_int_equal(capture->array.n_channel, 12);
    assert_non_null(capture->calibration.channel_gain);
    assert_non_null(capture->calibration.channel_delay_s);
    return &capture->calibration;
}

static void channels_are_found(void **state) {
    (void)state;
    char output[8192];
    nfsar_capture_file *found_file, *true_file;
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --channels",
                                  test_path("bad.h5"), test_path("found.h5")),
                     0);
    assert_contains(output, "verdict    good");
    const nfsar_calibration *found = open_calibration("found.h5", &found_file);
    const nfsar_calibration *truth = open_calibration("right.h5", &true_file);
    double complex common = 0.0, ratio[12];
    for (size_t c = 0; c < 12; c++) {
        double late = found->channel_delay_s[c] - truth->channel_delay_s[c];
        assert_near(late, 0.0, 1e-12);
        ratio[c] = (double complex)(found->channel_gain[c] / truth->channel_gain[c]) *
                   cexp(2.0 * NFSAR_PI * I * 79e9 * late);
        common += ratio[c] / 12.0;
    }
    for (size_t c = 0; c < 12; c++) {
        assert_near(cabs(ratio[c] / common - 1.0), 0.0, 0.017); /* a degree */
    }
    const nfsar_capture *capture = nfsar_capture_file_header(found_file);
    assert_contains(capture->provenance[capture->n_provenance - 1], "--channels");
    nfsar_capture_file_close(found_file);
    nfsar_capture_file_close(true_file);
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0.01,0.02,0.3 --json",
                                  test_path("bad.h5"), test_path("found.h5")),
                     0);
    assert_contains(output, "\"verdict\": \"good\"");
    assert_contains(output, "\"directions_told\": 3");
    /* Another capture of the radar takes them over. */
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --table '%s'",
                                  test_path("bad.h5"), test_path("taken.h5"),
                                  test_path("right.h5")),
                     0);
    nfsar_capture_file *taken_file;
    const nfsar_calibration *taken = open_calibration("taken.h5", &taken_file);
    truth = open_calibration("right.h5", &true_file);
    for (size_t c = 0; c < 12; c++) {
        assert_true(taken->channel_gain[c] == truth->channel_gain[c]);
        assert_near(taken->channel_delay_s[c], truth->channel_delay_s[c], 0.0);
    }
    nfsar_capture_file_close(taken_file);
    nfsar_capture_file_close(true_file);
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --table '%s'",
                                  test_path("right.h5"), test_path("taken.h5"),
                                  test_path("bad.h5")),
                     1);
    assert_contains(output, "bad.h5: is not calibrated");
}

static void simulate(const char *scene_text, const char *name) {
    char output[4096];
    test_write_file("scene.yaml", scene_text, strlen(scene_text));
    assert_int_equal(test_command(output, sizeof output, "simulate '%s' -o '%s'",
                                  test_path("scene.yaml"), test_path(name)),
                     0);
}

/* Two reflectors at one range, the second 8 dB weaker: what is poor is not written. */
static void what_is_poor_is_not_written(void **state) {
    (void)state;
    char output[8192];
    simulate("radar: {waveform: 77-81ghz-64}\n"
             "array: {preset: xwr1443-2tx}\n"
             "path:\n"
             "  raster: {x: {size_m: 0.08, count: 12}, y: {size_m: 0.08, count: 8}}\n"
             "targets:\n"
             "  - points:\n"
             "      - {at_m: [0.06, 0, 0.3]}\n"
             "      - {at_m: [-0.06, 0.01, 0.3], amplitude: 0.4}\n",
             "pair.h5");
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0.06,0,0.3",
                                  test_path("pair.h5"), test_path("poor.h5")),
                     1);
    assert_contains(output, "verdict    poor");
    assert_contains(output, "--force writes it");
    assert_int_equal(test_count_files("poor.h5"), 0);
    assert_int_equal(
        test_command(output, sizeof output,
                     "calibrate '%s' -o '%s' --channels --point 0.06,0,0.3 --json 2>&-",
                     test_path("pair.h5"), test_path("poor.h5")),
        1);
    assert_contains(output, "\"written\": false");
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0.06,0,0.3 --force",
                                  test_path("pair.h5"), test_path("poor.h5")),
                     0);
    assert_contains(output, "verdict    poor");
    assert_int_equal(test_count_files("poor.h5"), 1);
}

/* At rest: said, never good; --search as far as the cable takes; a delay that --range found stays.
 */
static void a_radar_at_rest(void **state) {
    (void)state;
    char output[8192];
    nfsar_error error;
    nfsar_capture capture;
    simulate("radar: {waveform: 77-81ghz-64}\n"
             "array: {preset: xwr1443-2tx}\n"
             "path: {raster: {x: {size_m: 0.0, count: 1}, y: {size_m: 0.0, count: 1}}}\n"
             "targets:\n"
             "  - points:\n"
             "      - {at_m: [0, 0, 0.5]}\n"
             "impairments: {snr_db: 30}\n",
             "rest.h5");
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0,0,0.5",
                                  test_path("rest.h5"), test_path("point.h5")),
                     0);
    assert_contains(output, "this cannot be checked; record a scan, or move the reflector");
    assert_contains(output, "verdict    fair");
    /* 240 mm nearer than where the echo is. */
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0,0,0.26",
                                  test_path("rest.h5"), test_path("none.h5")),
                     1);
    assert_contains(output, "--search looks there");
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0,0,0.26 --search 0.3",
                                  test_path("rest.h5"), test_path("point.h5")),
                     0);
    /* 2 * 240 mm / c. */
    assert_contains(output, " +160");
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --point 0,0,0.58",
                                  test_path("rest.h5"), test_path("point.h5")),
                     0);
    assert_contains(output, "80 mm nearer than the reflector is said to be");
    /* Something was known before. */
    assert_ok(nfsar_capture_load(test_path("rest.h5"), &capture, &error), error);
    free(capture.calibration.channel_delay_s);
    capture.calibration.channel_delay_s =
        malloc(capture.array.n_channel * sizeof *capture.calibration.channel_delay_s);
    for (size_t c = 0; c < capture.array.n_channel; c++) {
        capture.calibration.channel_delay_s[c] = 450e-12;
    }
    for (size_t n = 0; n < capture.n_sample; n++) {
        capture.echo[3 * capture.n_sample + n] *= 0.2f; /* -14 dB */
    }
    assert_ok(nfsar_capture_save(test_path("ranged.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --channels",
                                  test_path("ranged.h5"), test_path("kept.h5")),
                     0);
    assert_contains(output, "the mean delay is set to what it was");
    /* Against the root mean square of all eight, which is 0.55 dB lower by it. */
    assert_contains(output, "channel 3 is 13 dB below the others");
    assert_ok(nfsar_capture_load(test_path("kept.h5"), &capture, &error), error);
    double mean = 0.0;
    for (size_t c = 0; c < capture.array.n_channel; c++) {
        mean += capture.calibration.channel_delay_s[c] / (double)capture.array.n_channel;
    }
    assert_near(mean, 450e-12, 1e-15);
    nfsar_capture_free(&capture);
}

/* A gate from 0 begins there, and not where leakage ends. */
static void a_gate_from_zero_is_from_zero(void **state) {
    (void)state;
    char output[8192];
    simulate("radar: {waveform: 77-81ghz-64}\n"
             "array: {preset: xwr1443-2tx}\n"
             "path:\n"
             "  raster: {x: {size_m: 0.04, count: 12}, y: {size_m: 0.04, count: 12}}\n"
             "targets:\n"
             "  - points:\n"
             "      - {at_m: [0, 0, 0.11]}\n",
             "near.h5");
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --channels --gate 0:0.2",
                                  test_path("near.h5"), test_path("gated.h5")),
                     0);
    assert_contains(output, "110.0");
}

static void usage_is_told(void **state) {
    (void)state;
    char output[4096];
    static const struct {
        const char *arguments, *message;
        int status;
    } cases[] = {
        {"--channels --axis", "one step at a time", 2},
        {"--path --channels", "one step at a time", 2},
        {"--path --point 0,0,1", "--point is for --axis and --channels", 2},
        {"--path --search 0.9", "steps are looked for within 0 to 0.3", 2},
        {"--channels --range 0.3", "one step at a time", 2},
        {"--channels --within 0.1", "--within is for --axis", 2},
        {"--channels --search 0.1", "for --channels with --point", 2},
        {"--axis --force", "--force is for --channels", 2},
        {"--axis --gate 0.1:0.2", "--gate is for --channels and --path", 2},
        {"--channels --taper flat", "--taper", 2},
        {"--range 0.3,x", "expected R or R,R2", 2},
        {"--range 0.3 --point 0,0,1", "--point is for", 2},
        {"--channels --range-error 1e-3", "--range-error is for --range", 2},
        {"--channels --point 0,0,0.9", "no reflector in the data near the point", 1},
        {"--range 0.9", "no reflector in the data at 0.9 m", 1},
        {"--range 7", "ranges are told from 0 to", 2},
        {"--channels --gate 1:9", "frequency steps tell ranges from 0 to 2.3", 2},
        {"--channels --point-error 0", "uncertainty", 2},
        {"--channels --point nan,0,1", "expected X,Y,Z", 2},
        {"--channels --point 10,20,300", "are its coordinates metres?", 2},
        {"--range nan", "expected R or R,R2", 2},
        {"--range 0.3,0.35", "the second must be farther by four range cells", 2},
        {"--range 0.3 --range-error -1", "errors > 0", 2},
        {"--range 0.3 --search 0", "the delay to search", 2},
        {"--range 0.3 --search nan", "--search", 2},
        {"--table t.mat --search 0.1", "--search is for --axis, --path and --range", 2},
        {"--leakage 0.1:9", "targets before", 2},
        {"--leakage 0.1:0.11", "two cells of range", 2},
        {"--table /nowhere.mat", "/nowhere.mat: cannot be opened", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int answered = test_command(output, sizeof output, "calibrate '%s' -o '%s' %s",
                                    test_path("bad.h5"), test_path("none.h5"), cases[i].arguments);
        assert_contains(output, cases[i].message);
        assert_int_equal(answered, cases[i].status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_found), cmocka_unit_test(what_is_poor_is_not_written),
        cmocka_unit_test(a_radar_at_rest),    cmocka_unit_test(a_gate_from_zero_is_from_zero),
        cmocka_unit_test(usage_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
