/* What the importer notices in the samples: a recording of one echo, and what can be wrong with
 * it. */
#include "tests/import/recorder.h"

#include <math.h>

/* 6 rows of 16 positions, one channel of 64 samples, 2 lanes. The echo lies at bin BIN of the
 * beat spectrum; its phase and amplitude vary along each row, not symmetrically. */
enum { ROWS = 6, POSITIONS = 16, SAMPLES = 64, BIN = 10 };

struct faults {
    bool reversed_rows; /* odd rows are recorded the other way */
    bool mirrored;      /* I and Q exchanged by the device */
    bool real;          /* no Q */
    double leakage;     /* constant in all samples */
    double amplitude;
    int zero_pulse; /* -1: none */
    bool noise;     /* only noise */
};

static const struct faults sound = {.amplitude = 3000.0, .zero_pulse = -1};

static float complex beat(const struct faults *f, int row, int position, int s) {
    if (f->noise) {
        return sample_of((unsigned)(row * POSITIONS + position), 0, (unsigned)s) / 50.0f;
    }
    int at = f->reversed_rows && row % 2 == 1 ? POSITIONS - 1 - position : position;
    double phase = 2.0 * M_PI * BIN * s / SAMPLES + 0.05 * at * at + 0.1 * row;
    double re = f->amplitude * (1.0 + 0.05 * at) * cos(phase);
    double im = f->amplitude * (1.0 + 0.05 * at) * sin(phase);
    return CMPLXF((float)(re + f->leakage), f->real ? 0.0f : (float)im);
}

static int clip(float value) {
    return value > 32767.0f ? 32767 : value < -32768.0f ? -32768 : (int)lrintf(value);
}

static void record(const struct faults *f) {
    struct tape tape = {0};
    for (int pulse = 0; pulse < ROWS * POSITIONS; pulse++) {
        for (int s = 0; s < SAMPLES; s += 2) {
            float complex a = beat(f, pulse / POSITIONS, pulse % POSITIONS, s);
            float complex b = beat(f, pulse / POSITIONS, pulse % POSITIONS, s + 1);
            /* Lost packets leave 20 samples zero. */
            bool lost = pulse == f->zero_pulse && s >= 30 && s < 50;
            int i[2] = {clip(crealf(a)), clip(crealf(b))},
                q[2] = {clip(cimagf(a)), clip(cimagf(b))};
            const int *first = f->mirrored ? q : i, *second = f->mirrored ? i : q;
            tape_word(&tape, lost ? 0 : first[0]);
            tape_word(&tape, lost ? 0 : first[1]);
            tape_word(&tape, lost ? 0 : second[0]);
            tape_word(&tape, lost ? 0 : second[1]);
        }
    }
    test_write_file("a.bin", tape.bytes, tape.size);
    tape_free(&tape);
}

static nfsar_import *surveyed(const struct faults *faults, const char *more, const char *scan) {
    char text[1024];
    nfsar_import *import = NULL;
    nfsar_error error;
    record(faults);
    snprintf(text, sizeof text,
             "files: {list: [a.bin]}\nlayout: 2-lane\n%s"
             "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 50e12, sample_rate_hz: 1e6, "
             "samples: 64}\narray: {preset: single}\n"
             "scan: {rows: 6, positions: 16, step_m: 1e-3, row_step_m: 1e-3%s}\n",
             more, scan);
    assert_ok(open_rig(text, &import, &error), error);
    assert_ok(nfsar_import_survey(import, NULL, &error), error);
    return import;
}

static void assert_warning(nfsar_import *import, const char *part) {
    size_t n = 0;
    const char *const *warning = nfsar_import_warnings(import, &n);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found = found || strstr(warning[i], part) != NULL;
    }
    if (!found) {
        fail_msg("no warning of %s among %zu: %s", part, n, n > 0 ? warning[0] : "");
    }
}

static void explain(nfsar_import *import, char *text, size_t size) {
    FILE *stream = tmpfile();
    nfsar_import_explain(import, stream);
    rewind(stream);
    text[fread(text, 1, size - 1, stream)] = '\0';
    fclose(stream);
}

static void sound_data_raise_no_warning(void **state) {
    (void)state;
    size_t n = 0;
    char text[4096];
    nfsar_import *import = surveyed(&sound, "calibration: {range_bias_m: 0.1}\n", "");
    nfsar_import_warnings(import, &n);
    assert_int_equal(n, 0);
    explain(import, text, sizeof text);
    /* Bin 10 of 64 at 1 MHz is a beat of 156.25 kHz: tau = 156.25e3 / 50e12 = 3.125 ns, range
     * 0.46843 m, less the bias. */
    assert_contains(text, "echoes      0.3684 m (bin 10.0, 0.0 dB)");
    assert_contains(text, "1 chirp x 1 Rx x 64 samples x 4 bytes = 24576 bytes");
    assert_contains(text, "96 = 6 rows x 16 positions");
    assert_contains(text, "instrument delay 0.6671 ns = 100.00 mm of range");
    /* Band 77 .. 77 + 50e12 * 63e-6 = 80.15 GHz; resolution c / (2 * 3.15 GHz). */
    assert_contains(text, "77.000 .. 80.150 GHz, centre 78.575 GHz");
    assert_contains(text, "resolution 47.59 mm, at most 1.50 m");
    nfsar_error error;
    assert_ok(nfsar_import_picture(import, test_path("profile.png"), &error), error);
    assert_int_equal(test_count_files("profile.png"), 1);
    nfsar_import_close(import);
}

static void exchanged_i_and_q_are_noticed(void **state) {
    (void)state;
    struct faults faults = sound;
    faults.mirrored = true;
    nfsar_import *import = surveyed(&faults, "", "");
    assert_warning(import, "set q_first: true");
    nfsar_import_close(import);
    size_t n = 0;
    import = surveyed(&faults, "q_first: true\n", "");
    nfsar_import_warnings(import, &n);
    assert_int_equal(n, 0);
    nfsar_import_close(import);
    import = surveyed(&faults, "conjugate: true\n", "");
    nfsar_import_warnings(import, &n);
    assert_int_equal(n, 0);
    nfsar_import_close(import);
    import = surveyed(&sound, "q_first: true\n", "");
    assert_warning(import, "leave out q_first: true");
    nfsar_import_close(import);
    import = surveyed(&sound, "conjugate: true\n", "");
    assert_warning(import, "leave out conjugate: true");
    nfsar_import_close(import);
}

static void real_samples_and_wrong_layouts_are_noticed(void **state) {
    (void)state;
    struct faults faults = sound;
    faults.real = true;
    nfsar_import *import = surveyed(&faults, "", "");
    assert_warning(import, "image on the negative side");
    nfsar_import_close(import);
    faults = sound;
    faults.noise = true;
    import = surveyed(&faults, "", "");
    assert_warning(import, "no echo stands out");
    nfsar_import_close(import);
}

static void another_layout_is_named(void **state) {
    (void)state;
    char text[1024];
    nfsar_error error;
    static const struct {
        const char *given, *fits;
        bool mirrored;
    } cases[] = {{"2-lane-reordered", "layout: 2-lane", false},
                 {"tsw1400", "layout: 2-lane", false},
                 {"2-lane-reordered", "layout: 2-lane with q_first: true", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct faults faults = sound;
        faults.mirrored = cases[i].mirrored;
        record(&faults);
        snprintf(text, sizeof text,
                 "files: {list: [a.bin]}\nlayout: %s\n"
                 "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 50e12, sample_rate_hz: 1e6, "
                 "samples: 64}\narray: {preset: single}\n"
                 "scan: {rows: 6, positions: 16, step_m: 1e-3, row_step_m: 1e-3}\n",
                 cases[i].given);
        nfsar_import *import = NULL;
        assert_ok(open_rig(text, &import, &error), error);
        assert_ok(nfsar_import_survey(import, NULL, &error), error);
        assert_warning(import, "make more sense in another layout");
        assert_warning(import, cases[i].fits);
        nfsar_import_close(import);
    }
}

static void leakage_and_clipping_are_noticed(void **state) {
    (void)state;
    struct faults faults = sound;
    faults.leakage = 20000.0;
    nfsar_import *import = surveyed(&faults, "", "");
    assert_warning(import, "strongest echo is at zero range");
    nfsar_import_close(import);
    faults = sound;
    faults.amplitude = 30000.0;
    import = surveyed(&faults, "", "");
    assert_warning(import, "of 6144 samples are clipped");
    nfsar_import_close(import);
}

static void lost_packets_are_flagged(void **state) {
    (void)state;
    struct faults faults = sound;
    faults.zero_pulse = 37;
    nfsar_import *import = surveyed(&faults, "", "");
    assert_warning(import, "1 of 96 pulses hold stretches of zeros (lost packets?); the first is "
                           "row 2, position 5");
    const nfsar_capture *capture = nfsar_import_header(import);
    for (size_t i = 0; i < 96; i++) {
        assert_int_equal(capture->flags[i], i == 37 ? NFSAR_PULSE_SAMPLES_MISSING : 0);
    }
    nfsar_import_close(import);
    faults.amplitude = 0.0;
    import = surveyed(&faults, "", "");
    assert_warning(import, "all samples are zero");
    nfsar_error error = {0};
    assert_int_equal(nfsar_import_picture(import, test_path("none.png"), &error),
                     NFSAR_ERROR_UNSUPPORTED);
    assert_int_equal(test_count_files("none.png"), 0);
    nfsar_import_close(import);
}

static void the_wrong_path_is_noticed(void **state) {
    (void)state;
    struct faults faults = sound;
    faults.reversed_rows = true;
    nfsar_import *import = surveyed(&faults, "", "");
    assert_warning(import, "is scan.path serpentine?");
    nfsar_import_close(import);
    size_t n = 0;
    import = surveyed(&faults, "", ", path: serpentine");
    nfsar_import_warnings(import, &n);
    assert_int_equal(n, 0);
    nfsar_import_close(import);
    import = surveyed(&sound, "", ", path: serpentine");
    assert_warning(import, "is scan.path raster?");
    nfsar_import_close(import);
}

static void millimetres_for_metres_are_noticed(void **state) {
    (void)state;
    nfsar_import *import = surveyed(&sound, "", ", start_m: [0, 0]");
    nfsar_import_close(import);
    char text[1024];
    nfsar_error error;
    snprintf(text, sizeof text,
             "files: {list: [a.bin]}\nlayout: 2-lane\n"
             "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 50e12, sample_rate_hz: 1e6, "
             "samples: 64}\narray: {preset: single}\n"
             "scan: {rows: 6, positions: 16, step_m: 1, row_step_m: 1e-3}\n");
    assert_ok(open_rig(text, &import, &error), error);
    assert_warning(import, "scan.step_m is 1 m, which is 257 wavelengths");
    nfsar_import_close(import);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_data_raise_no_warning),
        cmocka_unit_test(exchanged_i_and_q_are_noticed),
        cmocka_unit_test(real_samples_and_wrong_layouts_are_noticed),
        cmocka_unit_test(another_layout_is_named),
        cmocka_unit_test(leakage_and_clipping_are_noticed),
        cmocka_unit_test(lost_packets_are_flagged),
        cmocka_unit_test(the_wrong_path_is_noticed),
        cmocka_unit_test(millimetres_for_metres_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
