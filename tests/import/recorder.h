/* Encoders of the raw layouts, written from their descriptions and not from the decoder, and small
 * recordings whose every sample tells where it belongs. */
#ifndef NFSAR_TESTS_IMPORT_RECORDER_H
#define NFSAR_TESTS_IMPORT_RECORDER_H

#include <complex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/import.h>

#include "tests/support.h"

/* Bytes that grow. */
struct tape {
    unsigned char *bytes;
    size_t size;
};

static inline void tape_word(struct tape *tape, int value) {
    tape->bytes = realloc(tape->bytes, tape->size + 2);
    tape->bytes[tape->size++] = (unsigned char)(value & 255);
    tape->bytes[tape->size++] = (unsigned char)(value >> 8 & 255);
}

static inline void tape_free(struct tape *tape) {
    free(tape->bytes);
    *tape = (struct tape){0};
}

/* A number from -32768 to 32767 that depends on all of its place: a multiplicative hash. */
static inline int sample_word_of(unsigned chirp, unsigned rx, unsigned sample, unsigned part) {
    unsigned h = chirp * 2654435761u ^ (rx + 1) * 2246822519u ^ (sample + 1) * 3266489917u ^
                 (part + 1) * 668265263u;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    return (int)(h & 65535u) - 32768;
}

static inline float complex sample_of(unsigned chirp, unsigned rx, unsigned sample) {
    return CMPLXF((float)sample_word_of(chirp, rx, sample, 0),
                  (float)sample_word_of(chirp, rx, sample, 1));
}

/* Part 0 is what is sent first: I, or Q when q_first. */
static inline int sent(unsigned chirp, unsigned rx, unsigned sample, unsigned which, bool q_first) {
    return sample_word_of(chirp, rx, sample, q_first ? 1 - which : which);
}

static inline void put_4lane(struct tape *tape, unsigned chirp, unsigned n_sample, bool q_first) {
    for (unsigned s = 0; s < n_sample; s++) {
        for (unsigned which = 0; which < 2; which++) {
            for (unsigned lane = 0; lane < 4; lane++) {
                tape_word(tape, sent(chirp, lane, s, which, q_first));
            }
        }
    }
}

static inline void put_2lane(struct tape *tape, unsigned chirp, unsigned n_rx, unsigned n_sample,
                             bool q_first) {
    for (unsigned rx = 0; rx < n_rx; rx++) {
        for (unsigned s = 0; s < n_sample; s += 2) {
            tape_word(tape, sent(chirp, rx, s, 0, q_first));
            tape_word(tape, sent(chirp, rx, s + 1, 0, q_first));
            tape_word(tape, sent(chirp, rx, s, 1, q_first));
            tape_word(tape, sent(chirp, rx, s + 1, 1, q_first));
        }
    }
}

/* TI's reorder of L lanes, over each 2 L words: out[(i % L) * 2 + i / L] = in[i]. */
static inline void reorder(struct tape *tape, size_t from, size_t lanes) {
    for (size_t at = from; at < tape->size; at += 4 * lanes) {
        unsigned char in[16];
        memcpy(in, tape->bytes + at, 4 * lanes);
        for (size_t i = 0; i < 2 * lanes; i++) {
            memcpy(tape->bytes + at + 2 * ((i % lanes) * 2 + i / lanes), in + 2 * i, 2);
        }
    }
}

static inline void put_tsw1400(struct tape *tape, unsigned chirp, unsigned n_rx, unsigned n_sample,
                               bool q_first) {
    for (unsigned s = 0; s < n_sample; s++) {
        for (unsigned rx = 0; rx < n_rx; rx++) {
            tape_word(tape, sent(chirp, rx, s, 0, q_first) + 32768);
            tape_word(tape, sent(chirp, rx, s, 1, q_first) + 32768);
        }
    }
}

/* Append a chirp as the device sends it. */
static inline void put_chirp(struct tape *tape, enum nfsar_raw_layout layout, unsigned chirp,
                             unsigned n_rx, unsigned n_sample, bool q_first) {
    size_t from = tape->size;
    switch (layout) {
    case NFSAR_RAW_4LANE:
        put_4lane(tape, chirp, n_sample, q_first);
        break;
    case NFSAR_RAW_2LANE:
        put_2lane(tape, chirp, n_rx, n_sample, q_first);
        break;
    case NFSAR_RAW_4LANE_REORDERED:
        put_4lane(tape, chirp, n_sample, q_first);
        reorder(tape, from, 4);
        break;
    case NFSAR_RAW_2LANE_REORDERED:
        put_2lane(tape, chirp, n_rx, n_sample, q_first);
        reorder(tape, from, 2);
        break;
    case NFSAR_RAW_TSW1400:
        put_tsw1400(tape, chirp, n_rx, n_sample, q_first);
        break;
    }
}

/* Chirps [first, first + n) in the 4-lane layout to a file of the test folder. */
static inline void write_chirps(const char *name, unsigned first, unsigned n, unsigned n_sample) {
    struct tape tape = {0};
    for (unsigned i = 0; i < n; i++) {
        put_chirp(&tape, NFSAR_RAW_4LANE, first + i, 4, n_sample, false);
    }
    test_write_file(name, tape.bytes, tape.size);
    tape_free(&tape);
}

/* A chirp of 8 samples and one transmitter with four receivers: the radar of most tests. */
#define RADAR_8                                                                                    \
    "layout: 4-lane\n"                                                                             \
    "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 70e12, sample_rate_hz: 5e6, samples: 8, "   \
    "frame_period_s: 10e-3, chirp_period_s: 100e-6}\n"
#define ARRAY_1X4                                                                                  \
    "array: {tx_m: [[0, 0, 0]], rx_m: [[0, 0, 0], [0.002, 0, 0], [0.004, 0, 0], [0.006, 0, 0]]}\n"

/* Write a rig file and open it. */
static inline enum nfsar_status open_rig(const char *text, nfsar_import **import,
                                         nfsar_error *error) {
    test_write_file("rig.yaml", text, strlen(text));
    return nfsar_import_open(test_path("rig.yaml"), NULL, import, error);
}

/* The rig must be refused with a message that contains part. */
static inline void assert_refused(const char *text, const char *part) {
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    enum nfsar_status status = open_rig(text, &import, &error);
    if (status == NFSAR_OK) {
        nfsar_import_close(import);
        fail_msg("not refused (%s): %s", part, text);
    }
    assert_null(import);
    assert_int_equal(status, error.status);
    assert_contains(error.message, "rig.yaml");
    assert_contains(error.message, part);
}

#endif
