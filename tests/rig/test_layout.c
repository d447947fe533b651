/* Bytes as the card sends them, against the importer's reader of the same layout. */
#include <complex.h>
#include <string.h>

#include <nfsar/import.h>

#include "tests/rig/layout.h"
#include "tests/support.h"

enum { RX = 4, SAMPLES = 6, CHIRPS = 2 };

/* All different, both signs. */
static void fill(struct rig_sample *samples, size_t n) {
    for (size_t i = 0; i < n; i++) {
        samples[i] = (struct rig_sample){(int16_t)(100 + (int)i), (int16_t)(-3000 - (int)i)};
    }
}

static void assert_read_back(unsigned lanes, enum nfsar_raw_layout layout, bool q_first,
                             size_t rx) {
    struct rig_sample samples[CHIRPS * RX * SAMPLES];
    uint8_t bytes[sizeof samples];
    float complex out[RX * SAMPLES];
    const struct rig_layout how = {lanes, q_first, CHIRPS, rx, SAMPLES};
    nfsar_error error;
    fill(samples, CHIRPS * rx * SAMPLES);
    assert_int_equal(rig_layout_bytes(&how), CHIRPS * rx * SAMPLES * 4);
    rig_layout_pack(&how, samples, bytes);
    for (size_t chirp = 0; chirp < CHIRPS; chirp++) {
        assert_ok(nfsar_raw_decode_chirp(layout, q_first, rx, SAMPLES,
                                         bytes + chirp * rx * SAMPLES * 4, out, &error),
                  error);
        for (size_t i = 0; i < rx * SAMPLES; i++) {
            assert_true(crealf(out[i]) == samples[chirp * rx * SAMPLES + i].i);
            assert_true(cimagf(out[i]) == samples[chirp * rx * SAMPLES + i].q);
        }
    }
}

static void the_importer_reads_what_is_sent(void **state) {
    (void)state;
    for (int q_first = 0; q_first < 2; q_first++) {
        assert_read_back(4, NFSAR_RAW_4LANE, q_first != 0, RX);
        assert_read_back(2, NFSAR_RAW_2LANE, q_first != 0, RX);
        assert_read_back(2, NFSAR_RAW_2LANE, q_first != 0, 3);
        assert_read_back(2, NFSAR_RAW_2LANE, q_first != 0, 1);
    }
}

/* Written out, as the references have it. */
static void words_are_where_they_belong(void **state) {
    (void)state;
    const struct rig_sample samples[] = {{1, 11}, {2, 12}, {3, 13}, {4, 14},
                                         {5, 15}, {6, 16}, {7, 17}, {8, 18}};
    static const uint8_t four[] = {1, 3, 5, 7, 11, 13, 15, 17, 2, 4, 6, 8, 12, 14, 16, 18};
    static const uint8_t two[] = {1, 2, 11, 12, 3, 4, 13, 14, 5, 6, 15, 16, 7, 8, 17, 18};
    static const uint8_t swapped[] = {11, 12, 1, 2, 13, 14, 3, 4, 15, 16, 5, 6, 17, 18, 7, 8};
    const struct {
        struct rig_layout layout;
        const uint8_t *words;
    } cases[] = {
        {{4, false, 1, 4, 2}, four}, {{2, false, 1, 4, 2}, two}, {{2, true, 1, 4, 2}, swapped}};
    uint8_t bytes[32];
    for (size_t i = 0; i < 3; i++) {
        rig_layout_pack(&cases[i].layout, samples, bytes);
        for (size_t k = 0; k < 16; k++) {
            assert_int_equal(bytes[2 * k], cases[i].words[k]);
            assert_int_equal(bytes[2 * k + 1], 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_importer_reads_what_is_sent),
        cmocka_unit_test(words_are_where_they_belong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
