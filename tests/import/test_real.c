/* Real recordings, where they are there: what their READMEs say was measured must come out. */
#include "tests/import/recorder.h"

#include <math.h>

/* A folder of the real recordings, or skip. */
static const char *data(const char *name) {
    static char path[600];
    const char *folder = test_data_folder();
    if (folder == NULL) {
        print_message("no real recordings (NFSAR_DATA or ../shared/data): skipped\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static nfsar_import *open_text(const char *text, const char *folder) {
    nfsar_import *import = NULL;
    nfsar_error error;
    test_write_file("rig.yaml", text, strlen(text));
    assert_ok(nfsar_import_open(test_path("rig.yaml"), folder, &import, &error), error);
    return import;
}

/* Power of a Hann-weighted line at a bin of its own length; a plain sum. */
static double bin_power(const float complex *line, size_t n, double bin) {
    double complex sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double taper = 0.5 - 0.5 * cos(2.0 * M_PI * ((double)i + 0.5) / (double)n);
        double phase = -2.0 * M_PI * bin * (double)i / (double)n;
        sum += taper * (double complex)line[i] * (cos(phase) + I * sin(phase));
    }
    return creal(sum * conj(sum));
}

/* Strongest bin over all lines, and its power over that of the mirrored bin, dB. */
static size_t strongest(const float complex *lines, size_t n_line, size_t n, double *image_db) {
    double *power = calloc(n, sizeof *power);
    size_t best = 0;
    for (size_t bin = 0; bin < n; bin++) {
        for (size_t line = 0; line < n_line; line++) {
            power[bin] += bin_power(lines + line * n, n, (double)bin);
        }
        best = power[bin] > power[best] ? bin : best;
    }
    *image_db = 10.0 * log10(power[best] / power[(n - best) % n]);
    free(power);
    return best;
}

static void ti_corner_reflector(void **state) {
    (void)state;
    const char *folder = data("ti_iwr6843_corner");
    char path[600];
    const char *source = getenv("NFSAR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/examples/rig-single-capture.yaml",
             source != NULL ? source : ".");
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(nfsar_import_open(path, folder, &import, &error), error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 64);
    float complex *echo = calloc(12 * 256, sizeof *echo);
    assert_ok(nfsar_import_read(import, 0, 1, echo, &error), error);
    double image = 0.0;
    assert_int_equal(strongest(echo, 12, 256, &image), 38);
    assert_near(image, 58.5, 4.0); /* one loop of the 64 of the README */
    /* Phase of the channels against the first: the README's table. */
    static const double phase[12] = {0, -.07, .01, .30, .60, .53, .61, .91, 1.06, .98, 1.06, 1.36};
    for (size_t c = 0; c < 12; c++) {
        double complex sum = 0.0, first = 0.0;
        for (size_t i = 0; i < 256; i++) {
            double at = -2.0 * M_PI * 38.0 * (double)i / 256.0;
            double complex turn = cos(at) + I * sin(at);
            sum += (double complex)echo[c * 256 + i] * turn;
            first += (double complex)echo[i] * turn;
        }
        assert_near(carg(sum * conj(first)), phase[c], 0.1);
    }
    free(echo);
    nfsar_import_close(import);
}

#define PCAP(q_first)                                                                              \
    "files: {list: [one_frame_payload.bin]}\nlayout: 2-lane\nq_first: " q_first                    \
    "\nradar: {start_frequency_hz: 77e9, slope_hz_per_s: 70e12, adc_start_s: 7e-6, "               \
    "sample_rate_hz: 5.209e6, samples: 256}\nframes: {loops: 2, repeats: each}\n"                  \
    "array: {preset: xwr1843-2tx}\n"

static void dca1000_frame(void **state) {
    (void)state;
    const char *folder = data("dca1000_pcap");
    float complex *echo = calloc(16 * 256, sizeof *echo);
    nfsar_error error;
    double image = 0.0;
    nfsar_import *import = open_text(PCAP("true"), folder);
    assert_ok(nfsar_import_read(import, 0, 2, echo, &error), error);
    assert_int_equal(strongest(echo, 16, 256, &image), 59);
    assert_true(image > 30.0);
    nfsar_import_close(import);
    /* Read I first, the tone is on the other side, and the survey says so. */
    import = open_text(PCAP("false"), folder);
    assert_ok(nfsar_import_read(import, 0, 2, echo, &error), error);
    assert_int_equal(strongest(echo, 16, 256, &image), 256 - 59);
    assert_ok(nfsar_import_survey(import, NULL, &error), error);
    size_t n = 0;
    const char *const *warning = nfsar_import_warnings(import, &n);
    assert_true(n > 0);
    assert_contains(warning[n - 1], "set q_first: true");
    nfsar_import_close(import);
    free(echo);
    /* The radar's own .cfg says the same, but of 16 loops where the frame holds 2. */
    import = open_text("files: {list: [one_frame_payload.bin]}\nlayout: 2-lane\n"
                       "radar: {cfg: xwr18xx_profile_2023_01_01T00_00_00_000.cfg}\n"
                       "frames: {loops: 2}\narray: {preset: xwr1843-2tx}\n",
                       folder);
    assert_near(nfsar_import_header(import)->fmcw.slope_hz_per_s, 70e12, 1e3);
    nfsar_import_close(import);
}

static void square_plate(void **state) {
    (void)state;
    const char *folder = data("safehaven_sqplate");
    char path[600], text[4096];
    const char *source = getenv("NFSAR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/examples/rig-safehaven-sqplate.yaml",
             source != NULL ? source : ".");
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(nfsar_import_open(path, folder, &import, &error), error);
    const nfsar_capture *c = nfsar_import_header(import);
    assert_int_equal(c->n_pulse, 16000);
    assert_near(c->frequency_hz[0], 77.380e9, 1e6);
    assert_near(c->frequency_hz[511], 80.929e9, 1e6);
    assert_near(c->pose[0].position.x, 0.725e-3 * 399 / 2, 1e-9);
    assert_near(c->pose[15999].position.y, 2.05e-3 * 39 / 2, 1e-9);
    assert_near(c->calibration.channel_delay_s[3], 4.5225e-10, 1e-20);
    /* The plate reaches from row 0 to about row 26. Its range, 42.2 cm apparent, is bin 10 of
     * 512. */
    float complex *echo = calloc((size_t)40 * 4 * 512, sizeof *echo);
    for (size_t row = 9; row < 20; row += 10) {
        assert_ok(nfsar_import_read(import, row * 400 + 220, 40, echo, &error), error);
        double image = 0.0;
        size_t bin = strongest(echo, 40, 512, &image);
        assert_in_range(bin, 9, 11);
        assert_true(image > 25.0);
    }
    free(echo);
    FILE *stream = tmpfile();
    nfsar_import_explain(import, stream);
    rewind(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    assert_contains(text, "scan1_Raw_0.bin scan2_Raw_0.bin scan3_Raw_0.bin ... scan40_Raw_0.bin");
    assert_contains(text, "400 frames x 1 chirp x 4 Rx x 512 samples x 4 bytes = 3276800 bytes");
    nfsar_import_close(import);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ti_corner_reflector),
        cmocka_unit_test(dca1000_frame),
        cmocka_unit_test(square_plate),
    };
    if (test_data_folder() == NULL) {
        print_message("no real recordings (NFSAR_DATA or ../shared/data): skipped\n");
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
