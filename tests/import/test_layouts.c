/* Round trips: encoder -> file -> import -> identical samples, for every layout and either order of
 * I and Q. */
#include "tests/import/recorder.h"

#include <nfsar/file.h>

static const struct {
    const char *name;
    enum nfsar_raw_layout layout;
    unsigned n_rx;
} layouts[] = {
    {"4-lane", NFSAR_RAW_4LANE, 4},
    {"2-lane", NFSAR_RAW_2LANE, 4},
    {"2-lane", NFSAR_RAW_2LANE, 1},
    {"2-lane", NFSAR_RAW_2LANE, 3},
    {"4-lane-reordered", NFSAR_RAW_4LANE_REORDERED, 4},
    {"2-lane-reordered", NFSAR_RAW_2LANE_REORDERED, 4},
    {"2-lane-reordered", NFSAR_RAW_2LANE_REORDERED, 2},
    {"tsw1400", NFSAR_RAW_TSW1400, 4},
    {"tsw1400", NFSAR_RAW_TSW1400, 2},
};

enum { LAYOUTS = sizeof layouts / sizeof layouts[0], SAMPLES = 22 };

static void encoders_write_what_the_tables_say(void **state) {
    (void)state;
    /* Two samples, as printed in docs/import.md; w(rx, sample, part). */
#define W(rx, s, part) sample_word_of(0, rx, s, part)
    const struct {
        enum nfsar_raw_layout layout;
        int words[16];
    } known[] = {
        {NFSAR_RAW_4LANE,
         {W(0, 0, 0), W(1, 0, 0), W(2, 0, 0), W(3, 0, 0), W(0, 0, 1), W(1, 0, 1), W(2, 0, 1),
          W(3, 0, 1), W(0, 1, 0), W(1, 1, 0), W(2, 1, 0), W(3, 1, 0), W(0, 1, 1), W(1, 1, 1),
          W(2, 1, 1), W(3, 1, 1)}},
        {NFSAR_RAW_2LANE,
         {W(0, 0, 0), W(0, 1, 0), W(0, 0, 1), W(0, 1, 1), W(1, 0, 0), W(1, 1, 0), W(1, 0, 1),
          W(1, 1, 1), W(2, 0, 0), W(2, 1, 0), W(2, 0, 1), W(2, 1, 1), W(3, 0, 0), W(3, 1, 0),
          W(3, 0, 1), W(3, 1, 1)}},
        {NFSAR_RAW_4LANE_REORDERED,
         {W(0, 0, 0), W(0, 0, 1), W(1, 0, 0), W(1, 0, 1), W(2, 0, 0), W(2, 0, 1), W(3, 0, 0),
          W(3, 0, 1), W(0, 1, 0), W(0, 1, 1), W(1, 1, 0), W(1, 1, 1), W(2, 1, 0), W(2, 1, 1),
          W(3, 1, 0), W(3, 1, 1)}},
        {NFSAR_RAW_2LANE_REORDERED,
         {W(0, 0, 0), W(0, 0, 1), W(0, 1, 0), W(0, 1, 1), W(1, 0, 0), W(1, 0, 1), W(1, 1, 0),
          W(1, 1, 1), W(2, 0, 0), W(2, 0, 1), W(2, 1, 0), W(2, 1, 1), W(3, 0, 0), W(3, 0, 1),
          W(3, 1, 0), W(3, 1, 1)}},
    };
#undef W
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct tape tape = {0};
        put_chirp(&tape, known[i].layout, 0, 4, 2, false);
        assert_int_equal(tape.size, 32);
        for (size_t w = 0; w < 16; w++) {
            int16_t word = (int16_t)(tape.bytes[2 * w] | tape.bytes[2 * w + 1] << 8);
            assert_int_equal(word, known[i].words[w]);
        }
        tape_free(&tape);
    }
}

static void a_chirp_decodes_to_what_was_encoded(void **state) {
    (void)state;
    for (size_t i = 0; i < LAYOUTS; i++) {
        for (int q_first = 0; q_first < 2; q_first++) {
            struct tape tape = {0};
            float complex out[4 * SAMPLES];
            nfsar_error error;
            put_chirp(&tape, layouts[i].layout, 77, layouts[i].n_rx, SAMPLES, q_first);
            assert_ok(nfsar_raw_decode_chirp(layouts[i].layout, q_first, layouts[i].n_rx, SAMPLES,
                                             tape.bytes, out, &error),
                      error);
            for (unsigned rx = 0; rx < layouts[i].n_rx; rx++) {
                for (unsigned s = 0; s < SAMPLES; s++) {
                    assert_true(out[rx * SAMPLES + s] == sample_of(77, rx, s));
                }
            }
            tape_free(&tape);
        }
    }
}

static void impossible_chirps_are_refused(void **state) {
    (void)state;
    unsigned char bytes[256] = {0};
    float complex out[64];
    nfsar_error error;
    assert_int_equal(nfsar_raw_decode_chirp(NFSAR_RAW_4LANE, false, 3, 4, bytes, out, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "not 3");
    assert_int_equal(nfsar_raw_decode_chirp(NFSAR_RAW_2LANE, false, 1, 5, bytes, out, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "5 samples is odd");
    assert_int_equal(
        nfsar_raw_decode_chirp((enum nfsar_raw_layout)9, false, 1, 4, bytes, out, &error),
        NFSAR_ERROR_ARGUMENT);
}

/* Two transmitters, two loops, three frames in each of two rows. */
enum { TX = 2, LOOPS = 2, FRAMES = 3, ROWS = 2 };

static void write_rows(enum nfsar_raw_layout layout, unsigned n_rx, bool q_first) {
    for (unsigned row = 0; row < ROWS; row++) {
        struct tape tape = {0};
        for (unsigned c = 0; c < FRAMES * LOOPS * TX; c++) {
            put_chirp(&tape, layout, row * FRAMES * LOOPS * TX + c, n_rx, SAMPLES, q_first);
        }
        char name[32];
        snprintf(name, sizeof name, "row%u.bin", row + 1);
        test_write_file(name, tape.bytes, tape.size);
        tape_free(&tape);
    }
}

static void write_rig(const char *layout, unsigned n_rx, bool q_first, const char *repeats,
                      const char *more) {
    char text[1024];
    snprintf(text, sizeof text,
             "files: {pattern: row*.bin, holds: row}\n"
             "layout: %s\nq_first: %s\n%s"
             "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 70e12, sample_rate_hz: 5e6, "
             "samples: %d}\n"
             "frames: {loops: %d, repeats: %s}\n"
             "array:\n  tx_m: [[0, 0, 0], [0, 0.01, 0]]\n  rx_m: [%s]\n"
             "scan: {positions: 3, step_m: 1e-3, row_step_m: 2e-3}\n",
             layout, q_first ? "true" : "false", more, SAMPLES, LOOPS, repeats,
             n_rx == 1   ? "[0, 0, 0]"
             : n_rx == 2 ? "[0, 0, 0], [1, 0, 0]"
             : n_rx == 3 ? "[0, 0, 0], [1, 0, 0], [2, 0, 0]"
                         : "[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]");
    test_write_file("rig.yaml", text, strlen(text));
}

static void load(nfsar_capture *capture) {
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(nfsar_import_open(test_path("rig.yaml"), NULL, &import, &error), error);
    assert_ok(nfsar_import_run(import, test_path("out.h5"), NULL, &error), error);
    nfsar_import_close(import);
    assert_ok(nfsar_capture_load(test_path("out.h5"), capture, &error), error);
}

static void every_layout_survives_the_way_through_a_file(void **state) {
    (void)state;
    for (size_t i = 0; i < LAYOUTS; i++) {
        for (int q_first = 0; q_first < 2; q_first++) {
            unsigned n_rx = layouts[i].n_rx;
            nfsar_capture capture;
            write_rows(layouts[i].layout, n_rx, q_first);
            write_rig(layouts[i].name, n_rx, q_first, "each", "");
            load(&capture);
            assert_int_equal(capture.n_pulse, ROWS * FRAMES * LOOPS);
            assert_int_equal(capture.array.n_channel, TX * n_rx);
            assert_int_equal(capture.n_sample, SAMPLES);
            /* Chirps follow each other: pulse after pulse, transmitter after transmitter. */
            size_t at = 0;
            for (unsigned chirp = 0; chirp < ROWS * FRAMES * LOOPS * TX; chirp++) {
                for (unsigned rx = 0; rx < n_rx; rx++) {
                    for (unsigned s = 0; s < SAMPLES; s++) {
                        assert_true(capture.echo[at++] == sample_of(chirp, rx, s));
                    }
                }
            }
            nfsar_capture_free(&capture);
        }
    }
}

static void loops_are_averaged_or_the_first_is_taken(void **state) {
    (void)state;
    nfsar_capture mean, first;
    write_rows(NFSAR_RAW_4LANE, 4, false);
    write_rig("4-lane", 4, false, "mean", "");
    load(&mean);
    write_rig("4-lane", 4, false, "first", "");
    load(&first);
    assert_int_equal(mean.n_pulse, ROWS * FRAMES);
    assert_int_equal(first.n_pulse, ROWS * FRAMES);
    /* Pulse 4 is frame 4: its loops begin with chirps 16 and 18; channel 5 is Tx 1, Rx 1. */
    size_t at = (4 * 8 + 5) * SAMPLES + 3;
    float complex a = sample_of(17, 1, 3), b = sample_of(19, 1, 3);
    assert_true(first.echo[at] == a);
    assert_true(mean.echo[at] == 0.5f * (a + b));
    nfsar_capture_free(&mean);
    nfsar_capture_free(&first);
}

static void conjugation_is_done_and_said(void **state) {
    (void)state;
    nfsar_capture capture;
    write_rows(NFSAR_RAW_4LANE, 4, false);
    write_rig("4-lane", 4, false, "first", "conjugate: true\n");
    load(&capture);
    assert_true(capture.echo[5] == conjf(sample_of(0, 0, 5)));
    assert_int_equal(capture.n_provenance, 2);
    assert_contains(capture.provenance[0], "row1.bin .. row2.bin");
    assert_contains(capture.provenance[1], "conjugated");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_write_what_the_tables_say),
        cmocka_unit_test(a_chirp_decodes_to_what_was_encoded),
        cmocka_unit_test(impossible_chirps_are_refused),
        cmocka_unit_test(every_layout_survives_the_way_through_a_file),
        cmocka_unit_test(loops_are_averaged_or_the_first_is_taken),
        cmocka_unit_test(conjugation_is_done_and_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
