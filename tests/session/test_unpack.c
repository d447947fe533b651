/* Bytes of a frame, written as the card's layouts are documented, become samples of channels. */
#include "host/session/unpack.h"

#include <string.h>

#include "tests/support.h"

enum { SAMPLES = 6, CHIRPS = 2, LOOPS = 3 };

/* What the numbers of a sample say of it. */
static int16_t value(size_t loop, size_t chirp, size_t receiver, size_t sample, size_t part) {
    return (int16_t)(((loop * 8 + chirp) * 8 + receiver) * 128 + sample * 2 + part - 3000);
}

static void put(uint8_t *frame, size_t *at, int16_t number) {
    frame[(*at)++] = (uint8_t)((uint16_t)number & 255);
    frame[(*at)++] = (uint8_t)((uint16_t)number >> 8);
}

/* xWR14xx: per sample I of four receivers, then Q of four. */
static void write_four_lanes(uint8_t *frame, bool q_first) {
    size_t at = 0;
    for (size_t l = 0; l < LOOPS; l++) {
        for (size_t c = 0; c < CHIRPS; c++) {
            for (size_t i = 0; i < SAMPLES; i++) {
                for (size_t part = 0; part < 2; part++) {
                    for (size_t r = 0; r < 4; r++) {
                        put(frame, &at, value(l, c, r, i, part ^ q_first));
                    }
                }
            }
        }
    }
}

/* xWR16xx and later: a receiver after the other, two samples as I0 I1 Q0 Q1. */
static void write_two_lanes(uint8_t *frame, size_t receivers, bool q_first) {
    size_t at = 0;
    for (size_t l = 0; l < LOOPS; l++) {
        for (size_t c = 0; c < CHIRPS; c++) {
            for (size_t r = 0; r < receivers; r++) {
                for (size_t i = 0; i < SAMPLES; i += 2) {
                    for (size_t part = 0; part < 2; part++) {
                        put(frame, &at, value(l, c, r, i, part ^ q_first));
                        put(frame, &at, value(l, c, r, i + 1, part ^ q_first));
                    }
                }
            }
        }
    }
}

/* channels of the capture: these lines of the stream. */
static void check(unsigned lanes, size_t receivers, bool q_first, size_t *line, size_t n,
                  const uint8_t *frame) {
    struct session session = {.card = {.lanes = lanes}, .receivers = receivers, .line = line};
    session.array.n_channel = n;
    session.radar.q_first = q_first;
    session.radar.frame.samples = SAMPLES;
    session.radar.frame.chirps = CHIRPS;
    session.radar.frame.loops = LOOPS;
    struct unpack unpack;
    nfsar_error error;
    assert_ok(unpack_make(&session, &unpack, &error), error);
    assert_int_equal(unpack.values, n * SAMPLES * 2);
    for (size_t l = 0; l < LOOPS; l++) {
        int16_t out[16 * SAMPLES * 2];
        unpack_pulse(&unpack, frame, l, out);
        for (size_t i = 0; i < n * SAMPLES * 2; i++) {
            const size_t channel = i / (2 * SAMPLES), sample = i / 2 % SAMPLES;
            assert_int_equal(out[i], value(l, line[channel] / receivers, line[channel] % receivers,
                                           sample, i % 2));
        }
    }
    unpack_free(&unpack);
}

static void four_lanes(void **state) {
    (void)state;
    uint8_t frame[LOOPS * CHIRPS * 4 * SAMPLES * 4];
    size_t all[] = {0, 1, 2, 3, 4, 5, 6, 7}, some[] = {1, 3, 5, 7};
    for (int q_first = 0; q_first < 2; q_first++) {
        write_four_lanes(frame, q_first);
        check(4, 4, q_first, all, 8, frame);
        check(4, 4, q_first, some, 4, frame); /* receivers 1 and 3 are off, and carried */
    }
}

static void two_lanes(void **state) {
    (void)state;
    uint8_t frame[LOOPS * CHIRPS * 4 * SAMPLES * 4];
    size_t eight[] = {0, 1, 2, 3, 4, 5, 6, 7}, two[] = {0, 1}, swapped[] = {4, 5, 0, 1};
    for (int q_first = 0; q_first < 2; q_first++) {
        write_two_lanes(frame, 4, q_first);
        check(2, 4, q_first, eight, 8, frame);
        check(2, 4, q_first, swapped, 4, frame);
        write_two_lanes(frame, 1, q_first);
        check(2, 1, q_first, two, 2, frame);
    }
}

static void odd_samples(void **state) {
    (void)state;
    size_t line[] = {0};
    struct session session = {.card = {.lanes = 2}, .receivers = 1, .line = line};
    session.array.n_channel = 1;
    session.radar.frame.samples = 5;
    session.radar.frame.chirps = session.radar.frame.loops = 1;
    struct unpack unpack;
    nfsar_error error;
    assert_int_equal(unpack_make(&session, &unpack, &error), NFSAR_ERROR_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(four_lanes), cmocka_unit_test(two_lanes),
                                       cmocka_unit_test(odd_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
