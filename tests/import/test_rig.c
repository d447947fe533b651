/* Rig files with mistakes: the message names the key, and the line where libcyaml knows it. */
#include "tests/import/recorder.h"

#define FILES "files: {list: [a.bin]}\n"

static void wrong_keys_are_named_with_their_line(void **state) {
    (void)state;
    assert_refused("files:\n  list: [a.bin]\n  patern: x\n" RADAR_8 ARRAY_1X4, "line 3");
    assert_refused("files:\n  list: [a.bin]\n  patern: x\n" RADAR_8 ARRAY_1X4, "patern");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scam: {}\n", "line 5");
    assert_refused(FILES "layout: 4lane\nradar: {waveform: xwr1443-512}\n" ARRAY_1X4, "4lane");
    assert_refused(FILES "radar: {waveform: xwr1443-512}\n" ARRAY_1X4, "layout");
    assert_refused("layout: npy\n", "files");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: many}\n" ARRAY_1X4, "samples");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: -4}\n" ARRAY_1X4, "samples");
    assert_refused(FILES "layout: 4-lane\nradar: [1, 2]\n" ARRAY_1X4, "radar");
    assert_refused("files: {list: []}\n" RADAR_8 ARRAY_1X4, "list");
    assert_refused(FILES RADAR_8 "array: {tx_m: [[0, 0]], rx_m: [[0, 0, 0]]}\n", "tx_m");
    assert_refused("", "is empty");
    assert_refused("just text\n", "rig.yaml");
    assert_refused("a: [1\n", "rig.yaml");
}

/* libcyaml alone would read 2.05, 2, 400 and true. */
static void half_read_values_are_refused(void **state) {
    (void)state;
    write_chirps("a.bin", 0, 4, 8);
#define SCAN(value) FILES RADAR_8 ARRAY_1X4 "scan:\n  positions: 4\n  rows: 1\n  " value "\n"
    assert_refused(SCAN("step_m: 2.05 mm"), "line 8: step_m: '2.05 mm' is not a number");
    assert_refused(SCAN("step_m: 2,05"), "line 8: step_m: '2,05' is not a number");
    assert_refused(SCAN("step_m: 1e-3\n  rows: 1.5"), "line 9: rows: '1.5' is not a whole number");
    assert_refused(SCAN("step_m: 1e-3\n  rows: -1"), "is not a whole number of 0 or more");
    assert_refused(SCAN("step_m: 1e-3\n  path: zigzag"),
                   "line 9: path: 'zigzag' is not one of raster, serpentine");
    assert_refused(SCAN("start_m: [0, 0mm]"), "line 8: start_m: '0mm' is not a number");
    assert_refused(SCAN("step_m:"), "line 8: step_m: '' is not a number");
    assert_refused(FILES "conjugate: maybe\n" RADAR_8 ARRAY_1X4,
                   "line 2: conjugate: 'maybe' is not true or false");
    assert_refused(
        FILES RADAR_8 ARRAY_1X4 "scan: {step: 1}\n",
        "line 5: Unexpected key: step; did you mean step_m? (known here: rows_along, path, motion");
#undef SCAN
}

static void what_does_not_go_together_is_refused(void **state) {
    (void)state;
    write_chirps("a.bin", 0, 4, 8);
    assert_refused("files: {holds: row}\n" RADAR_8 ARRAY_1X4, "either pattern");
    assert_refused("files: {pattern: a, list: [b]}\n" RADAR_8 ARRAY_1X4, "either pattern");
    assert_refused("files: {pattern: a, axes: [sample]}\n" RADAR_8 ARRAY_1X4, "files.axes: only");
    assert_refused("files: {pattern: a}\nlayout: npy\nradar: {waveform: xwr1443-512}\n" ARRAY_1X4,
                   "files.axes: is missing");
    assert_refused("files: {pattern: a, axes: [sample]}\nq_first: true\nlayout: npy\n"
                   "radar: {waveform: xwr1443-512}\n" ARRAY_1X4,
                   "q_first: only for raw");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 4}\n" ARRAY_1X4, "say in one way");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 4, waveform: xwr1443-512, "
                         "start_frequency_hz: 77e9}\n" ARRAY_1X4,
                   "say in one way");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 4, start_frequency_hz: 77e9, "
                         "slope_hz_per_s: 1e12}\n" ARRAY_1X4,
                   "radar.sample_rate_hz: is missing");
    assert_refused(FILES "layout: 4-lane\nradar: {start_frequency_hz: 77e9, slope_hz_per_s: 1e12, "
                         "sample_rate_hz: 5e6}\n" ARRAY_1X4,
                   "radar.samples: is missing");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 4, start_frequency_hz: nan, "
                         "slope_hz_per_s: 1e12, sample_rate_hz: 5e6}\n" ARRAY_1X4,
                   "radar.start_frequency_hz: nan is not a finite number");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 4, start_frequency_hz: 77e9, "
                         "slope_hz_per_s: 1e12, sample_rate_hz: -5e6}\n" ARRAY_1X4,
                   "radar.sample_rate_hz: -5e+06: must be positive");
    assert_refused(FILES RADAR_8 "array: {preset: nothing}\n", "array.preset: there is no array");
    assert_refused(FILES RADAR_8 "array: {preset: single, tx_m: [[0, 0, 0]]}\n", "either preset");
    assert_refused(FILES RADAR_8 "array: {tx_m: [[0, 0, 0]]}\n", "either preset");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "calibration: {delay_s: 1, range_bias_m: 1}\n",
                   "not both");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "calibration: {channel_gain: [[0, 0]]}\n",
                   "entry 1 is zero");
}

static void wrong_lanes_and_antennas_are_refused(void **state) {
    (void)state;
    write_chirps("a.bin", 0, 4, 8);
    assert_refused(FILES RADAR_8 "array: {preset: single}\n",
                   "array.rx: 1 receivers, but 4-lane recordings always hold 4");
    assert_refused(FILES RADAR_8 "array: {preset: xwr1443-2tx, rx: [1, 2, 3, 5]}\n",
                   "array.rx: there is no antenna 5, the array has 4");
    assert_refused(FILES RADAR_8 "array: {preset: xwr1443-2tx, tx: [1, 1]}\n",
                   "array.tx: antenna 1 is there twice");
    assert_refused(FILES RADAR_8 "array: {preset: xwr1443-2tx, rx: [0, 0, 0, 0]}\n",
                   "array.rx: no antenna is used");
    assert_refused(FILES "layout: 2-lane\nradar: {start_frequency_hz: 77e9, slope_hz_per_s: 70e12, "
                         "sample_rate_hz: 5e6, samples: 7}\narray: {preset: single}\n",
                   "radar.samples: 7 is odd");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "calibration: {channel_gain: [[1, 0]]}\n",
                   "calibration.channel_gain: 1 entries for 4 channels");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "calibration: {channel_delay_s: [1, 2]}\n",
                   "calibration.channel_delay_s: 2 entries for 4 channels");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 8, waveform: xwr1443-512}\n" ARRAY_1X4,
                   "radar.samples: 8, but xwr1443-512 has 512");
    assert_refused(FILES "layout: 4-lane\nradar: {waveform: fast}\n" ARRAY_1X4, "radar.waveform");
    assert_refused(FILES "layout: 4-lane\nradar: {samples: 8, first_frequency_hz: 77e9, "
                         "frequency_step_hz: -70e9}\n" ARRAY_1X4,
                   "radar: the waveform gives sample 2");
    assert_refused(FILES "layout: 4-lane\nradar: {frequencies_hz: [1e9, 2e9, -1, 3e9, 4e9, 5e9, "
                         "6e9, 7e9]}\n" ARRAY_1X4,
                   "radar.frequencies_hz: entry 3");
}

/* ---- TI's .cfg files ------------------------------------------------------------------------- */

/* The lines of the SDK demo that matter; two transmitters, receivers 1 and 3, Q first. */
static const char good_cfg[] = "% comment\n"
                               "dfeDataOutputMode 1\n"
                               "channelCfg 5 5 0\n"
                               "adcCfg 2 1\n"
                               "adcbufCfg -1 0 1 1 1\n"
                               "profileCfg 1 77 429 7 57.14 0 0 70 1 8 5209 0 0 30\n"
                               "chirpCfg 0 0 1 0 0 0 0 4\n"
                               "chirpCfg 1 1 1 0 0 0 0 1\n"
                               "frameCfg 0 1 2 0 100 1 0\n";

#define CFG_RIG                                                                                    \
    "files: {list: [cfg.bin]}\nlayout: 2-lane\nradar: {cfg: radar.cfg}\n"                          \
    "array: {preset: xwr1843-2tx}\n"

static void a_cfg_file_says_it_all(void **state) {
    (void)state;
    test_write_file("radar.cfg", good_cfg, strlen(good_cfg));
    struct tape tape = {0};
    for (unsigned chirp = 0; chirp < 4; chirp++) {
        put_chirp(&tape, NFSAR_RAW_2LANE, chirp, 2, 8, true);
    }
    test_write_file("cfg.bin", tape.bytes, tape.size);
    tape_free(&tape);
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig(CFG_RIG "frames: {repeats: first}\n", &import, &error), error);
    const nfsar_capture *c = nfsar_import_header(import);
    assert_near(c->fmcw.start_frequency_hz, 77e9, 1);
    assert_near(c->fmcw.slope_hz_per_s, 70e12, 1e3);
    assert_near(c->fmcw.adc_start_s, 7e-6, 1e-15);
    assert_near(c->fmcw.sample_rate_hz, 5.209e6, 1e-3);
    assert_int_equal(c->n_sample, 8);
    assert_int_equal(c->array.n_channel, 4);
    assert_near(c->array.channel_time_s[2], 486.14e-6, 1e-12);
    /* Masks 4 and 1 are Tx3 and Tx1: the second and the first of the two-transmitter preset. */
    nfsar_array preset;
    assert_ok(nfsar_array_preset("xwr1843-2tx", NFSAR_ARRAY_ALONG_Y, &preset, &error), error);
    assert_near(c->array.tx_m[0].y, preset.tx_m[1].y, 0);
    assert_near(c->array.tx_m[1].y, preset.tx_m[0].y, 0);
    assert_near(c->array.rx_m[1].y, preset.rx_m[2].y, 0);
    nfsar_array_free(&preset);
    float complex out[32];
    assert_ok(nfsar_import_read(import, 0, 1, out, &error), error);
    assert_true(out[3] == sample_of(0, 0, 3));
    assert_true(out[31] == sample_of(1, 1, 7));
    nfsar_import_close(import);
}

static void wrong_cfg_files_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *part;
    } changes[] = {
        {"profileCfg 1 77", "profileCfg 9 77", "line 6: profileCfg needs"},
        {"profileCfg 1 77", "profileCfg 2 77", "belong together"},
        {"1 8 5209", "1 nan 5209", "profileCfg needs"},
        {"1 8 5209", "1 8 -5", "no usable samples and rate"},
        {"chirpCfg 1 1 1 0 0 0 0 1", "chirpCfg 1 1 1 0 0 0 0 2", "mask 2"},
        {"chirpCfg 1 1 1 0 0 0 0 1", "chirpCfg 1 1 1 0 0 0 0 5", "mask 5"},
        {"chirpCfg 1 1 1 0 0 0 0 1", "chirpCfg 1 1 0 0 0 0 0 1", "not one profile"},
        {"chirpCfg 1 1 1 0 0 0 0 1", "chirpCfg 1 99999 1 0 0 0 0 1", "line 8: chirpCfg needs"},
        {"frameCfg 0 1 2 0 100 1 0", "", "belong together"},
        {"frameCfg 0 1 2", "frameCfg 0 9 2", "not one profile"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg -1 1 1 1 1", "real samples"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg", "needs 4 or 5"},
        {"dfeDataOutputMode 1", "advFrameCfg 1", "several subframes"},
        {"57.14", "999999", "frame lasts longer"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char text[1024];
        const char *at = strstr(good_cfg, changes[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good_cfg), good_cfg, changes[i].to,
                 at + strlen(changes[i].from));
        test_write_file("radar.cfg", text, strlen(text));
        assert_refused(CFG_RIG, changes[i].part);
    }
    assert_refused("files: {list: [cfg.bin]}\nlayout: 2-lane\nradar: {cfg: no.cfg}\n"
                   "array: {preset: xwr1843-2tx}\n",
                   "radar.cfg: ");
    assert_refused("files: {list: [cfg.bin]}\nlayout: 2-lane\nradar: {cfg: radar.cfg, "
                   "start_frequency_hz: 77e9}\narray: {preset: xwr1843-2tx}\n",
                   "say in one way");
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Whatever becomes of the bytes of a rig file: an answer, not a crash. */
static void damaged_rig_files_do_no_harm(void **state) {
    (void)state;
    static const char text[] =
        FILES RADAR_8 ARRAY_1X4 "frames: {loops: 1, repeats: each}\n"
                                "scan: {positions: 4, rows: 1, step_m: 1e-3, start_m: [0, 1]}\n"
                                "calibration: {delay_s: 1e-9, channel_gain: [[1, 0], [1, 0], [1, "
                                "0], [1, 0]]}\n";
    write_chirps("a.bin", 0, 4, 8);
    char damaged[sizeof text];
    size_t opened = 0;
    for (unsigned i = 0; i < 900; i++) {
        size_t length = sizeof text - 1;
        memcpy(damaged, text, sizeof text);
        if (i < 300) {
            length = (size_t)i * length / 300;
        } else {
            for (unsigned k = 0; k < 1 + i % 3; k++) {
                unsigned h = (unsigned)sample_word_of(i, k, 1, 0) & 65535u;
                static const char letters[] = "0129-.:{}[],e \nx#'\"&*!|>%@`~\x01\xff";
                damaged[h % length] = letters[(h / length + i) % (sizeof letters - 1)];
            }
        }
        test_write_file("rig.yaml", damaged, length);
        nfsar_import *import = NULL;
        nfsar_error error = {0};
        enum nfsar_status status = nfsar_import_open(test_path("rig.yaml"), NULL, &import, &error);
        if (status == NFSAR_OK) {
            opened++;
            nfsar_import_close(import);
        } else {
            assert_null(import);
            assert_contains(error.message, "rig.yaml");
        }
    }
    /* Both kinds must have been there for the test to mean anything. */
    assert_true(opened > 10 && opened < 800);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_keys_are_named_with_their_line),
        cmocka_unit_test(half_read_values_are_refused),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(wrong_lanes_and_antennas_are_refused),
        cmocka_unit_test(a_cfg_file_says_it_all),
        cmocka_unit_test(wrong_cfg_files_are_refused),
        cmocka_unit_test(damaged_rig_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
