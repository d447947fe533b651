/* An import by any number of threads is the same, to the bit, and ends well when it cannot go on.
 */
#include "tests/import/recorder.h"

#include <math.h>
#include <omp.h>
#include <unistd.h>

#include <nfsar/file.h>

enum { PULSES = 3000, RX = 4, LENGTH = 64, WORDS = PULSES * RX * LENGTH * 2 };

/* Several units of pulses in two files that are one recording, with stretches of zeros in pulses
 * 1500 and 2999. */
static void write_recording(void) {
    int16_t *word = malloc(WORDS * sizeof *word);
    for (unsigned i = 0; i < WORDS; i++) {
        word[i] = (int16_t)(sample_word_of(i / 512, i % 512, 1, 0) / 4 | 1);
    }
    memset(word + (size_t)1500 * RX * LENGTH * 2, 0, sizeof(int16_t[RX * LENGTH]));
    memset(word + (size_t)2999 * RX * LENGTH * 2, 0, sizeof(int16_t[RX * LENGTH]));
    size_t half = WORDS / 2 + 334; /* in the middle of a chirp */
    test_write_file("scan_Raw_0.bin", word, half * sizeof *word);
    test_write_file("scan_Raw_1.bin", word + half, (WORDS - half) * sizeof *word);
    free(word);
}

static nfsar_import *open_recording(bool conjugate) {
    char text[1024];
    nfsar_import *import = NULL;
    nfsar_error error;
    write_recording();
    snprintf(text, sizeof text,
             "files: {pattern: scan_Raw_*.bin}\nlayout: 4-lane\nconjugate: %s\n"
             "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 63e12, sample_rate_hz: 9e6, "
             "samples: 64}\narray: {preset: xwr1443-2tx, tx: [1]}\n"
             "scan: {positions: 100, rows: 30, step_m: 1e-3, row_step_m: 1e-3}\n",
             conjugate ? "true" : "false");
    test_write_file("rig.yaml", text, strlen(text));
    assert_ok(nfsar_import_open(test_path("rig.yaml"), NULL, &import, &error), error);
    return import;
}

static void run_with(int threads, bool survey_first, nfsar_capture *capture) {
    nfsar_error error;
    omp_set_num_threads(threads);
    nfsar_import *import = open_recording(true);
    if (survey_first) {
        assert_ok(nfsar_import_survey(import, NULL, &error), error);
    }
    assert_ok(nfsar_import_run(import, test_path("capture.h5"), NULL, &error), error);
    size_t n = 0;
    const char *const *warning = nfsar_import_warnings(import, &n);
    bool told = false;
    for (size_t i = 0; i < n; i++) {
        told = told || strstr(warning[i], "2 of 3000 pulses") != NULL;
    }
    assert_true(told);
    nfsar_import_close(import);
    assert_ok(nfsar_capture_load(test_path("capture.h5"), capture, &error), error);
}

static void any_number_of_threads_is_the_same(void **state) {
    (void)state;
    nfsar_capture one, other;
    run_with(1, true, &one);
    /* The second sample of the third pulse, from its words; conjugated. */
    float complex value = one.echo[((size_t)2 * RX + 3) * LENGTH + 1];
    unsigned at = (2 * LENGTH + 1) * RX * 2 + 3;
    assert_true(crealf(value) ==
                (float)(int16_t)(sample_word_of(at / 512, at % 512, 1, 0) / 4 | 1));
    at += RX;
    assert_true(cimagf(value) ==
                -(float)(int16_t)(sample_word_of(at / 512, at % 512, 1, 0) / 4 | 1));
    for (size_t p = 0; p < PULSES; p++) {
        assert_int_equal(one.flags[p], p == 1500 || p == 2999 ? NFSAR_PULSE_SAMPLES_MISSING : 0);
    }
    for (int threads = 1; threads < 6; threads += 2) {
        for (int survey_first = 0; survey_first < 2; survey_first++) {
            run_with(threads, survey_first, &other);
            assert_memory_equal(one.echo, other.echo,
                                (size_t)PULSES * RX * LENGTH * sizeof *one.echo);
            assert_memory_equal(one.flags, other.flags, PULSES);
            nfsar_capture_free(&other);
        }
    }
    nfsar_capture_free(&one);
    unlink(test_path("capture.h5"));
}

static void a_recording_that_shrinks_is_an_error(void **state) {
    (void)state;
    nfsar_error error = {0};
    omp_set_num_threads(3);
    nfsar_import *import = open_recording(false);
    assert_int_equal(truncate(test_path("scan_Raw_1.bin"), 1000), 0);
    assert_int_equal(nfsar_import_run(import, test_path("capture.h5"), NULL, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "scan_Raw_1.bin: became shorter while it was read");
    assert_int_equal(test_count_files("capture.h5"), 0);
    nfsar_import_close(import);
}

static bool refuse(void *context, double fraction) {
    int *calls = context;
    ++*calls;
    return fraction < 0.0;
}

static void it_can_be_cancelled(void **state) {
    (void)state;
    nfsar_error error = {0};
    int calls = 0;
    const nfsar_progress progress = {refuse, &calls};
    omp_set_num_threads(3);
    nfsar_import *import = open_recording(false);
    assert_int_equal(nfsar_import_run(import, test_path("capture.h5"), &progress, &error),
                     NFSAR_ERROR_CANCELLED);
    assert_true(calls > 0);
    assert_int_equal(test_count_files("capture.h5"), 0);
    /* And begun again. */
    assert_ok(nfsar_import_run(import, test_path("capture.h5"), NULL, &error), error);
    nfsar_import_close(import);
    unlink(test_path("capture.h5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_is_the_same),
        cmocka_unit_test(a_recording_that_shrinks_is_an_error),
        cmocka_unit_test(it_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
