/* The radar's .cfg: what is read, what is refused, and with which words. */
#include "host/radar/ti_cfg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

static const char good[] = "% AWR1843, SDK 3\r\n"
                           "sensorStop\r\n"
                           "flushCfg\r\n"
                           "\r\n"
                           "  dfeDataOutputMode\t1  % frames\r\n"
                           "channelCfg 15 5 0\r\n"
                           "adcCfg 2 1\r\n"
                           "adcbufCfg -1 0 1 1 1\r\n"
                           "profileCfg 0 77 429 7 57.14 0 0 70 1 256 5209 0 0 30\r\n"
                           "chirpCfg 0 0 0 0 0 0 0 1\r\n"
                           "chirpCfg 1 1 0 0 0 0 0 4\r\n"
                           "frameCfg 0 1 16 0 100 2 0\r\n"
                           "lowPower 0 0\r\n"
                           "guiMonitor -1 1 1 0 0 0 1\r\n"
                           "bpmCfg -1 0 0 1\r\n"
                           "lvdsStreamCfg -1 0 1 0\r\n"
                           "sensorStart"; /* no end of the line */

/* good with `from` replaced, parsed. */
static enum nfsar_status parse_changed(const char *from, const char *to, struct ti_cfg *cfg,
                                       nfsar_error *error) {
    char text[2048];
    const char *at = strstr(good, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    return ti_cfg_parse("radar.cfg", text, strlen(text), cfg, error);
}

static void lines_are_read(void **state) {
    (void)state;
    struct ti_cfg cfg;
    nfsar_error error;
    test_write_file("good.cfg", good, strlen(good));
    assert_ok(ti_cfg_load(test_path("good.cfg"), &cfg, &error), error);
    assert_string_equal(cfg.path, test_path("good.cfg"));
    assert_int_equal(cfg.n_lines, 15);
    assert_string_equal(cfg.lines[2].text, "dfeDataOutputMode 1");
    assert_int_equal(cfg.lines[2].number, 5);
    assert_string_equal(cfg.lines[14].text, "sensorStart");
    assert_int_equal(cfg.lines[14].number, 17);
    assert_int_equal(cfg.output_mode, 1);
    assert_int_equal(cfg.rx_mask, 15);
    assert_int_equal(cfg.tx_mask, 5);
    assert_int_equal(cfg.adc_bits, 16);
    assert_int_equal(cfg.complex_samples, 1);
    assert_int_equal(cfg.sample_swap, 1);
    assert_int_equal(cfg.interleaved, 1);
    assert_int_equal(cfg.adcbuf_values, 5);
    assert_int_equal(cfg.trigger, TI_CFG_HARDWARE);
    assert_int_equal(cfg.loops, 16);
    assert_int_equal(cfg.frames, 0);
    assert_int_equal(cfg.lvds_format, 1);
    assert_int_equal(cfg.lvds_header, 0);
    assert_int_equal(cfg.lvds_software, 0);
    assert_true(cfg.starts && cfg.stops && cfg.flushes);
    assert_false(cfg.bpm);
    struct ti_cfg_frame frame;
    assert_ok(ti_cfg_frame(&cfg, 2, &frame, &error), error);
    assert_near(frame.fmcw.start_frequency_hz, 77e9, 1);
    assert_near(frame.fmcw.slope_hz_per_s, 70e12, 1e3);
    assert_near(frame.fmcw.sample_rate_hz, 5.209e6, 1e-3);
    assert_near(frame.fmcw.adc_start_s, 7e-6, 1e-15);
    assert_near(frame.chirp_period_s, 486.14e-6, 1e-12);
    assert_near(frame.frame_s, 15.55648e-3, 1e-9);
    assert_near(frame.frame_period_s, 0.1, 1e-12);
    assert_int_equal(frame.bytes, 131072); /* 16 * 2 * 4 * 256 * 4 */
    assert_int_equal(frame.transmitter[0], 1);
    assert_int_equal(frame.transmitter[1], 3);
    ti_cfg_free(&cfg);
    ti_cfg_free(&cfg); /* nothing is left */
    assert_true(ti_cfg_is("sensorStart 0", "sensorStart"));
    assert_false(ti_cfg_is("sensorStarts", "sensorStart"));
    ti_cfg_free(NULL);
}

static void receivers_follow_the_lanes(void **state) {
    (void)state;
    struct ti_cfg cfg;
    struct ti_cfg_frame frame;
    nfsar_error error;
    assert_ok(parse_changed("channelCfg 15", "channelCfg 10", &cfg, &error), error);
    assert_ok(ti_cfg_frame(&cfg, 2, &frame, &error), error);
    assert_int_equal(frame.receivers, 2);
    assert_int_equal(frame.receiver[0], 2);
    assert_int_equal(frame.receiver[1], 4);
    assert_int_equal(frame.bytes, 65536);
    assert_ok(ti_cfg_frame(&cfg, 4, &frame, &error), error);
    assert_int_equal(frame.receivers, 4);
    assert_int_equal(frame.receiver[0], 0);
    assert_int_equal(frame.receiver[3], 4);
    assert_int_equal(frame.bytes, 131072);
    assert_int_equal(ti_cfg_frame(&cfg, 3, &frame, &error), NFSAR_ERROR_ARGUMENT);
    ti_cfg_free(&cfg);
}

/* flushCfg makes the radar forget what came before it. */
static void flush_forgets(void **state) {
    (void)state;
    struct ti_cfg cfg;
    nfsar_error error;
    struct ti_cfg_frame frame;
    assert_ok(parse_changed("sensorStart", "flushCfg\nsensorStart", &cfg, &error), error);
    assert_int_equal(ti_cfg_frame(&cfg, 2, &frame, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "has no frameCfg");
    assert_int_equal(cfg.adc_bits, TI_CFG_UNKNOWN);
    assert_int_equal(cfg.sample_swap, 1); /* of the demo, which flushCfg does not reach */
    ti_cfg_free(&cfg);
}

static void wrong_lines_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *part;
    } changes[] = {
        {"sensorStop", "sensorStop 1", "line 2: sensorStop needs 0 values and has 1"},
        {"sensorStart", "sensorStart 1 2", "line 17: sensorStart needs 0 or 1 value"},
        {"channelCfg 15 5 0", "channelCfg 15 5",
         "radar.cfg: line 6: channelCfg needs 3 values (rxMask txMask cascading) and has 2"},
        {"channelCfg 15", "channelCfg 16", "a whole number of 1 to 15 for rxMask"},
        {"channelCfg 15", "channelCfg 1.5", "for rxMask (value 1), and has '1.5'"},
        {"channelCfg 15", "channelCfg 0xF", "has '0xF'"},
        {"adcCfg 2 1", "adcCfg 3 1", "for bits"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg -1 0 1", "needs 4 or 5 values ([subframe] format"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg -1 0 1 1 1 1", "and has 6"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg 0 2 1 1", "for sampleSwap (value 2), and has '2'"},
        {" 256 5209", " 256", "line 9: profileCfg needs 14 values"},
        {" 256 5209", " 256.5 5209", "no usable samples and rate"},
        {" 256 5209", " 256 inf", "needs a number for rate_ksps (value 11), and has 'inf'"},
        {" 70 1 ", " 7O 1 ", "for slope_MHz/us (value 8), and has '7O'"},
        {"chirpCfg 1 1 0", "chirpCfg 1 0 0", "line 11: chirpCfg needs a last chirp"},
        {"chirpCfg 1 1 0", "chirpCfg 1 512 0", "0 to 511 for lastChirp"},
        {"frameCfg 0 1 16 0 100 2 0", "frameCfg 0 1 16 0 100 2", "needs 7 values"},
        {"frameCfg 0 1 16 0 100 2 0", "frameCfg 0 1 16 0 100 3 0", "for trigger"},
        {"frameCfg 0 1 16 0", "frameCfg 0 1 0 0", "1 to 255 for loops"},
        {"frameCfg 0 1 16 0", "frameCfg 1 0 16 0", "a last chirp"},
        {"lvdsStreamCfg -1 0 1 0", "lvdsStreamCfg 0 1 0", "needs 4 values"},
        {"lvdsStreamCfg -1 0 1 0", "lvdsStreamCfg -1 0 3 0", "0 (off), 1 (ADC samples) or 4"},
        {"lowPower 0 0", "advFrameCfg 2 0 0 1 0", "several subframes"},
        {"lowPower 0 0", "contModeCfg 77 0 0 5000 0 0 30 0 256", "continuous wave"},
        {"lowPower 0 0", "lowPower 0 \xC2\xB5", "line 13: byte 0xC2 in column 12"},
        {"lowPower 0 0", "low\x1bPower 0 0", "byte 0x1B in column 4"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct ti_cfg cfg;
        nfsar_error error;
        assert_int_equal(parse_changed(changes[i].from, changes[i].to, &cfg, &error),
                         NFSAR_ERROR_FORMAT);
        assert_contains(error.message, changes[i].part);
        assert_contains(error.message, "radar.cfg: line ");
        assert_null(strchr(error.message, '\n'));
        ti_cfg_free(&cfg);
    }
}

/* What may be in a file that some editor wrote. */
static void harmless_lines_are_taken(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"% AWR1843", "\xEF\xBB\xBF% \xB5s \xFF\xFE \x01"}, /* a mark, and Latin-1 in a comment */
        {"lowPower 0 0", "% lowPower 0 0"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg 0 1 1 1"},
        {"lowPower 0 0", "calibData 0 0 0x1F0000"},
        {"sensorStart", "sensorStart 0"},
        {"70 1 256", "+7.0e1 1 256"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct ti_cfg cfg;
        struct ti_cfg_frame frame;
        nfsar_error error;
        assert_ok(parse_changed(changes[i].from, changes[i].to, &cfg, &error), error);
        assert_ok(ti_cfg_frame(&cfg, 2, &frame, &error), error);
        assert_near(frame.fmcw.slope_hz_per_s, 70e12, 1e3);
        ti_cfg_free(&cfg);
    }
}

static void frames_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *part;
    } changes[] = {
        {"dfeDataOutputMode\t1", "dfeDataOutputMode\t3", "dfeDataOutputMode 3 is not 1"},
        {"frameCfg 0 1 16 0 100 2 0", "", "has no frameCfg"},
        {"channelCfg 15 5 0", "", "has no channelCfg"},
        {"frameCfg 0 1", "frameCfg 0 2", "line 12: frameCfg wants chirp 2, which no chirpCfg"},
        {"profileCfg 0", "profileCfg 1", "line 10: chirp 0 has profile 0, which no profileCfg"},
        {"chirpCfg 1 1 0", "chirpCfg 1 1 2", "line 11: chirp 1 has profile 2, and chirp 0 has 0"},
        {"chirpCfg 1 1 0 0", "chirpCfg 1 1 0 5", "line 11: chirp 1 changes its profile"},
        {"0 0 0 0 4", "0 0 0 0 5", "line 11: chirp 1 sends with mask 5, several transmitters"},
        {"0 0 0 0 4", "0 0 0 0 0", "mask 0, no transmitter"},
        {"0 0 0 0 4", "0 0 0 0 2", "sends with Tx2, which channelCfg (line 6, mask 5)"},
        {"bpmCfg -1 0", "bpmCfg -1 1", "line 15: bpmCfg lets two transmitters send at once (BPM)"},
        {"adcbufCfg -1 0", "adcbufCfg -1 1", "line 8: real samples"},
        {"adcCfg 2 1", "adcCfg 2 0", "real samples"},
        /* 7 us + 256/5.0 Msps = 58.2 us */
        {"256 5209", "256 5000", "256 samples at 5000 ksps from 7 us end at 58.2 us, after the "},
        {"77 429 7 57.14", "77 429 7 57.16", "goes from 77 to 81.0012 GHz"},
        {"0 0 70 1", "0 0 -70 1", "from 77 to 73.0002 GHz"},
        {"profileCfg 0 77", "profileCfg 0 76", "from 76 to 79.9998 GHz"},
        {"profileCfg 0 77", "profileCfg 0 64", "from 64 to 67.9998 GHz"},
        /* 32 * 486.14 us = 15.55648 ms */
        {"0 100 2 0", "0 15.5 2 0", "32 chirps of 486.14 us last 15.55648 ms, longer than"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct ti_cfg cfg;
        struct ti_cfg_frame frame;
        nfsar_error error;
        assert_ok(parse_changed(changes[i].from, changes[i].to, &cfg, &error), error);
        assert_int_equal(ti_cfg_frame(&cfg, 2, &frame, &error), NFSAR_ERROR_FORMAT);
        assert_contains(error.message, changes[i].part);
        assert_contains(error.message, "radar.cfg: ");
        ti_cfg_free(&cfg);
    }
}

static void keep_told(void *context, const char *text) {
    strcat(context, text);
    strcat(context, "\n");
}

static void recordings_have_wishes(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        unsigned lanes, bits;
        bool triggered;
        const char *part; /* NULL: nothing is told */
    } cases[] = {
        {"lowPower 0 0", "lowPower 0 0", 2, 16, true, NULL},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg -1 0 1 0 1", 4, 16, true, NULL},
        {"100 2 0", "100 1 0", 2, 16, false, NULL},
        {"100 2 0", "100 1 0", 2, 16, true, "line 12: frameCfg starts frames by the radar's own"},
        {"100 2 0", "100 2 0", 2, 16, false, "waits for a pulse at SYNC_IN"},
        {"16 0 100", "16 8 100", 2, 16, true, "ends after a number of frames"},
        {"lvdsStreamCfg -1 0 1 0", "", 2, 16, true, "has no lvdsStreamCfg"},
        {"lvdsStreamCfg -1 0 1 0", "lvdsStreamCfg -1 0 0 0", 2, 16, true, "line 16: lvdsStreamCfg"},
        {"lvdsStreamCfg -1 0 1 0", "lvdsStreamCfg -1 0 4 0", 2, 16, true, "chirp quality"},
        {"lvdsStreamCfg -1 0 1 0", "lvdsStreamCfg -1 1 1 0", 2, 16, true, "headers between"},
        {"lvdsStreamCfg -1 0 1 0", "lvdsStreamCfg -1 0 1 1", 2, 16, true, "own results"},
        {"adcCfg 2 1", "adcCfg 1 1", 2, 16, true, "line 7: adcCfg gives samples of 14 bits"},
        {"adcCfg 2 1", "", 2, 16, true, "has no adcCfg"},
        {"adcbufCfg -1 0 1 1 1", "", 2, 16, true, "has no adcbufCfg"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg -1 1 1 1 1", 2, 16, true, "line 8: real samples"},
        {"lowPower 0 0", "lowPower 0 0", 4, 16, true, "chanInterleave 1"},
        {"adcbufCfg -1 0 1 1 1", "adcbufCfg -1 0 1 0 1", 2, 16, true, "chanInterleave 0"},
        {"sensorStart", "sensorStart\nlowPower 0 0", 2, 16, true, "line 17: lines follow"},
        {"sensorStart", "", 2, 16, true, NULL},
        {"frameCfg 0 1 16 0 100 2 0", "", 2, 16, true, "has no frameCfg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ti_cfg cfg;
        nfsar_error error;
        char told[2048] = "";
        assert_ok(parse_changed(cases[i].from, cases[i].to, &cfg, &error), error);
        const size_t n = ti_cfg_check_recording(&cfg, cases[i].lanes, cases[i].bits,
                                                cases[i].triggered, keep_told, told);
        assert_int_equal(ti_cfg_check_recording(&cfg, cases[i].lanes, cases[i].bits,
                                                cases[i].triggered, NULL, NULL),
                         n);
        if (n != (cases[i].part != NULL)) {
            fail_msg("case %zu: %zu told: %s", i, n, told);
        }
        if (cases[i].part != NULL) {
            assert_contains(told, cases[i].part);
        }
        ti_cfg_free(&cfg);
    }
}

static void the_example_can_be_recorded(void **state) {
    (void)state;
    char path[512];
    const char *source = getenv("NFSAR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/examples/radar-stage.cfg", source != NULL ? source : ".");
    struct ti_cfg cfg;
    struct ti_cfg_frame frame;
    nfsar_error error;
    assert_ok(ti_cfg_load(path, &cfg, &error), error);
    assert_ok(ti_cfg_frame(&cfg, 4, &frame, &error), error);
    assert_int_equal(frame.samples, 64);
    assert_int_equal(frame.bytes, 2048); /* 2 chirps, 4 receivers, 64 samples of 4 bytes */
    /* The sampled band: 64 / 2 MHz at 100 MHz/us. */
    assert_near((double)frame.samples / frame.fmcw.sample_rate_hz * frame.fmcw.slope_hz_per_s,
                3.2e9, 1.0);
    char told[2048] = "";
    assert_int_equal(ti_cfg_check_recording(&cfg, 4, 16, true, keep_told, told), 0);
    ti_cfg_free(&cfg);
}

/* ---- files from outside ---------------------------------------------------------------------- */

static void real_files_are_read(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double start_hz;
        size_t bytes;
        int trigger, q_first;
    } files[] = {
        {"dca1000_pcap/xwr18xx_profile_2023_01_01T00_00_00_000.cfg", 77e9, 131072, 1, 1},
        {"utd_calibration/josiah_radar1_60GHz_profile1.cfg", 60e9, 8192, 2, 1},
        {"utd_calibration/josiah_radar2_77GHz_profile2.cfg", 77e9, 8192, 2, 1},
    };
    const char *folder = test_data_folder();
    if (folder == NULL) {
        print_message("no real .cfg files (NFSAR_DATA or ../shared/data): skipped\n");
        skip();
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];
        struct ti_cfg cfg;
        struct ti_cfg_frame frame;
        nfsar_error error;
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        assert_ok(ti_cfg_load(path, &cfg, &error), error);
        assert_ok(ti_cfg_frame(&cfg, 2, &frame, &error), error);
        assert_near(frame.fmcw.start_frequency_hz, files[i].start_hz, 1.0);
        assert_int_equal(frame.bytes, files[i].bytes);
        assert_int_equal(cfg.trigger, files[i].trigger);
        assert_int_equal(cfg.sample_swap, files[i].q_first);
        char told[2048] = "";
        assert_int_equal(
            ti_cfg_check_recording(&cfg, 2, 16, files[i].trigger == 2, keep_told, told), 0);
        ti_cfg_free(&cfg);
    }
}

/* The text alone in memory that the sanitizer watches; an answer, whatever it is. */
static bool answers(const char *bytes, size_t n) {
    char *text = malloc(n > 0 ? n : 1);
    struct ti_cfg cfg;
    struct ti_cfg_frame frame;
    nfsar_error error = {0};
    assert_non_null(text);
    memcpy(text, bytes, n);
    const enum nfsar_status status = ti_cfg_parse("hostile.cfg", text, n, &cfg, &error);
    if (status == NFSAR_OK) {
        if (ti_cfg_frame(&cfg, 4, &frame, &error) == NFSAR_OK) {
            assert_true(frame.bytes > 0 && isfinite(frame.frame_s));
        }
        ti_cfg_check_recording(&cfg, 4, 16, true, NULL, NULL);
        for (size_t i = 0; i < cfg.n_lines; i++) {
            const char *line = cfg.lines[i].text;
            assert_true(line[0] > ' ' && strlen(line) <= TI_CFG_TEXT);
        }
    } else {
        assert_int_equal(status, NFSAR_ERROR_FORMAT);
        assert_contains(error.message, "hostile.cfg: ");
        for (const char *c = error.message; *c != '\0'; c++) {
            assert_true(*c >= ' ' && *c <= '~');
        }
    }
    ti_cfg_free(&cfg);
    free(text);
    return status == NFSAR_OK;
}

static void every_cut_answers(void **state) {
    (void)state;
    for (size_t n = 0; n <= strlen(good); n++) {
        answers(good, n);
    }
    assert_true(answers(good, strlen(good)));
    assert_false(answers("", 0));
    assert_false(answers("% nothing\n\n \t\r\n", 15));
    assert_false(answers("sensorStop\0\n", 12));
}

static uint32_t draw(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void damage_answers(void **state) {
    (void)state;
    uint32_t seed = 20261121;
    size_t taken = 0;
    enum { TRIES = 20000 };
    static const char likely[] = " \n\r\t%0123456789.-+eExnNaAiIfF\"'\\\x7f\x80\xff";
    for (unsigned i = 0; i < TRIES; i++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        size_t n = strlen(good);
        for (unsigned k = 1 + draw(&seed) % 4; k > 0; k--) {
            const size_t at = draw(&seed) % n;
            switch (draw(&seed) % 4) {
            case 0:
                text[at] = (char)draw(&seed);
                break;
            case 1:
                text[at] = likely[draw(&seed) % (sizeof likely - 1)];
                break;
            case 2: /* a byte less */
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
                break;
            default: /* a piece again somewhere else */
                memmove(text + at, text + draw(&seed) % (n - (n - at) / 2), (n - at) / 2);
            }
        }
        taken += answers(text, n);
    }
    for (unsigned i = 0; i < TRIES / 20; i++) {
        char noise[600];
        for (size_t k = 0; k < sizeof noise; k++) {
            noise[k] = (char)(i % 2 == 0 ? draw(&seed)
                                         : (uint32_t)likely[draw(&seed) % (sizeof likely - 1)]);
        }
        answers(noise, draw(&seed) % sizeof noise);
    }
    /* Neither all nor none: the damage reaches both ways. */
    assert_in_range(taken, TRIES / 50, TRIES - TRIES / 50);
}

static void too_much_is_refused(void **state) {
    (void)state;
    const size_t n = TI_CFG_FILE + 1;
    char *text = malloc(n);
    struct ti_cfg cfg;
    nfsar_error error;
    assert_non_null(text);
    memset(text, '\n', n);
    assert_int_equal(ti_cfg_parse("a", text, n, &cfg, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "too long for a .cfg file: over 256 KiB");
    ti_cfg_free(&cfg);
    test_write_file("long.cfg", text, n);
    assert_int_equal(ti_cfg_load(test_path("long.cfg"), &cfg, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "too long");
    ti_cfg_free(&cfg);
    memset(text, 'a', n);
    assert_int_equal(ti_cfg_parse("a", text, n - 1, &cfg, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "a: line 1: aaaaaaaaaaaaaaaaaaaa... is longer than the 254 ");
    ti_cfg_free(&cfg);
    for (size_t i = 1; i < n; i += 2) {
        text[i] = '\n';
    }
    assert_int_equal(ti_cfg_parse("a", text, n - 1, &cfg, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "a: line 1025: more than 1024 lines");
    ti_cfg_free(&cfg);
    /* As long as may be. */
    memset(text, ' ', n);
    memset(text + 300, 'b', TI_CFG_TEXT - 2);
    text[300 + TI_CFG_TEXT] = 'c';
    assert_ok(ti_cfg_parse("a", text, 1000, &cfg, &error), error);
    assert_int_equal(strlen(cfg.lines[0].text), TI_CFG_TEXT);
    ti_cfg_free(&cfg);
    text[300 + TI_CFG_TEXT + 1] = 'c';
    assert_int_equal(ti_cfg_parse("a", text, 1000, &cfg, &error), NFSAR_ERROR_FORMAT);
    ti_cfg_free(&cfg);
    /* A word for every second byte: more words than are kept. */
    for (size_t i = 0; i < TI_CFG_TEXT; i++) {
        text[i] = i % 2 == 0 ? 'w' : ' ';
    }
    assert_ok(ti_cfg_parse("a", text, TI_CFG_TEXT, &cfg, &error), error);
    ti_cfg_free(&cfg);
    free(text);
    assert_int_equal(ti_cfg_load("/none.cfg", &cfg, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "/none.cfg: No such file");
    ti_cfg_free(&cfg);
    assert_int_equal(ti_cfg_load(test_folder(), &cfg, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "Is a directory");
    ti_cfg_free(&cfg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(receivers_follow_the_lanes),
        cmocka_unit_test(flush_forgets),
        cmocka_unit_test(wrong_lines_are_refused),
        cmocka_unit_test(harmless_lines_are_taken),
        cmocka_unit_test(frames_that_cannot_be_are_refused),
        cmocka_unit_test(recordings_have_wishes),
        cmocka_unit_test(the_example_can_be_recorded),
        cmocka_unit_test(real_files_are_read),
        cmocka_unit_test(every_cut_answers),
        cmocka_unit_test(damage_answers),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
