/* The hub's protocol: golden frames, and streams that are cut, damaged, too long or hostile. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "golden_check.h"

static const struct nfsar_wire_header echo = {NFSAR_WIRE_DO_ECHO, 3, 77, 123456789012345ULL};

/* Reproducible noise; xorshift32 (Marsaglia 2003). */
static uint32_t noise(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static unsigned read_all(struct nfsar_wire_reader *reader, const uint8_t *bytes, size_t n,
                         struct nfsar_wire_message *last) {
    unsigned found = 0;
    for (size_t i = 0; i < n; i++) {
        found += nfsar_wire_read(reader, bytes[i], last);
    }
    return found;
}

/* A frame with n bytes of payload, some of them zero. */
static size_t some_frame(uint8_t *frame, size_t n, uint32_t seed) {
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    uint32_t state = seed + 1;
    for (size_t i = 0; i < n; i++) {
        payload[i] = (uint8_t)(noise(&state) % 5 == 0 ? 0 : noise(&state));
    }
    return nfsar_wire_encode(frame, &echo, payload, n);
}

/* The reader takes the next good frame, whatever came before. */
static void assert_in_step(struct nfsar_wire_reader *reader) {
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    struct nfsar_wire_message message;
    const size_t bytes = some_frame(frame, 20, 99);
    const uint32_t before = reader->frames;
    assert_int_equal(read_all(reader, frame, bytes, &message), 1);
    assert_int_equal(reader->frames, before + 1);
    assert_int_equal(message.header.sequence, echo.sequence);
}

static void golden(void **state) {
    (void)state;
    struct golden_count count = {0};
    golden_check(&count);
    if (count.wrong > 0) {
        fail_msg("%u of %u wrong, the first is %s", count.wrong, count.vectors, count.first);
    }
    printf("%u golden frames right\n", count.vectors);
}

static void crc_is_that_of_ethernet(void **state) {
    (void)state;
    /* The check value of CRC-32/ISO-HDLC in every catalogue. */
    assert_int_equal(nfsar_wire_crc32(0, (const uint8_t *)"123456789", 9), 0xCBF43926U);
    const uint32_t half = nfsar_wire_crc32(0, (const uint8_t *)"1234", 4);
    assert_int_equal(nfsar_wire_crc32(half, (const uint8_t *)"56789", 5), 0xCBF43926U);
}

static void every_length_returns(void **state) {
    (void)state;
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX + 1] = {0};
    for (unsigned zeros = 0; zeros < 3; zeros++) {
        for (size_t n = 0; n <= NFSAR_WIRE_PAYLOAD_MAX; n++) {
            uint32_t seed = (uint32_t)n + 1;
            for (size_t i = 0; i < n; i++) {
                payload[i] = (uint8_t)(zeros == 0 ? 0 : noise(&seed) % (zeros == 1 ? 2 : 256));
            }
            const size_t bytes = nfsar_wire_encode(frame, &echo, payload, n);
            assert_int_equal(bytes, NFSAR_WIRE_HEADER_BYTES + n + NFSAR_WIRE_CRC_BYTES + 2);
            assert_null(memchr(frame, 0, bytes - 1));
            struct nfsar_wire_reader reader = {0};
            struct nfsar_wire_message message;
            assert_int_equal(read_all(&reader, frame, bytes, &message), 1);
            assert_int_equal(message.bytes, n);
            assert_memory_equal(message.payload, payload, n);
        }
    }
    assert_int_equal(nfsar_wire_encode(frame, &echo, payload, NFSAR_WIRE_PAYLOAD_MAX + 1), 0);
}

static void truncated(void **state) {
    (void)state;
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    struct nfsar_wire_message message;
    const size_t bytes = some_frame(frame, 40, 1);
    for (size_t n = 0; n < bytes - 1; n++) {
        struct nfsar_wire_reader reader = {0};
        assert_int_equal(read_all(&reader, frame, n, &message), 0);
        assert_false(nfsar_wire_read(&reader, 0, &message));
        assert_int_equal(reader.bad, n > 0);
        assert_in_step(&reader);
        /* The beginning lost instead. */
        memset(&reader, 0, sizeof reader);
        assert_int_equal(read_all(&reader, frame + n + 1, bytes - n - 1, &message), 0);
        assert_in_step(&reader);
        /* Without the closing zero the next frame is lost too, and no more than that. */
        memset(&reader, 0, sizeof reader);
        assert_int_equal(read_all(&reader, frame, n, &message), 0);
        uint8_t next[NFSAR_WIRE_FRAME_MAX];
        const size_t more = some_frame(next, 7, 2);
        assert_int_equal(read_all(&reader, next, more, &message), n == 0);
        assert_int_equal(reader.bad, n > 0);
        assert_in_step(&reader);
    }
}

static void every_bit_turned(void **state) {
    (void)state;
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    struct nfsar_wire_message message;
    for (size_t n = 0; n <= NFSAR_WIRE_PAYLOAD_MAX; n += 32) {
        const size_t bytes = some_frame(frame, n, (uint32_t)n);
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            struct nfsar_wire_reader reader = {0};
            frame[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(read_all(&reader, frame, bytes, &message), 0);
            (void)nfsar_wire_read(&reader, 0, &message);
            assert_true(reader.bad >= 1);
            assert_in_step(&reader);
            frame[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

static void overlong(void **state) {
    (void)state;
    struct nfsar_wire_message message;
    for (size_t n = NFSAR_WIRE_FRAME_MAX - 1; n < 100000; n += n < 300 ? 1 : 9973) {
        struct nfsar_wire_reader reader = {0};
        for (size_t i = 0; i < n; i++) {
            assert_false(nfsar_wire_read(&reader, (uint8_t)(i % 255 + 1), &message));
        }
        assert_false(nfsar_wire_read(&reader, 0, &message));
        assert_int_equal(reader.bad, 1);
        assert_in_step(&reader);
    }
    /* A frame that would be good but for being one byte too long. */
    uint8_t body[NFSAR_WIRE_BODY_MAX + 1] = {0};
    memset(body, 1, sizeof body);
    const size_t covered = sizeof body - NFSAR_WIRE_CRC_BYTES;
    uint8_t *at = body + covered;
    nfsar_wire_put(&at, nfsar_wire_crc32(0, body, covered), 4);
    assert_null(memchr(body, 0, sizeof body));
    struct nfsar_wire_reader reader = {0};
    assert_false(nfsar_wire_read(&reader, (uint8_t)(sizeof body + 1), &message));
    assert_int_equal(read_all(&reader, body, sizeof body, &message), 0);
    assert_false(nfsar_wire_read(&reader, 0, &message));
    assert_int_equal(reader.bad, 1);
    assert_in_step(&reader);
}

static void zeros_are_nothing(void **state) {
    (void)state;
    struct nfsar_wire_reader reader = {0};
    struct nfsar_wire_message message;
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(nfsar_wire_read(&reader, 0, &message));
    }
    assert_int_equal(reader.bad, 0);
    assert_in_step(&reader);
}

/* What decode() gets is exactly as long as it says: the sanitizer sees a byte too many. */
static bool decode_exactly(const uint8_t *coded, size_t n) {
    uint8_t *const room = malloc(n > 0 ? n : 1);
    assert_non_null(room);
    memcpy(room, coded, n);
    struct nfsar_wire_message message;
    const bool good = nfsar_wire_decode(room, n, &message);
    if (good) {
        assert_true(message.payload >= room && message.payload + message.bytes <= room + n);
    }
    free(room);
    return good;
}

static void hostile_codes(void **state) {
    (void)state;
    uint8_t coded[NFSAR_WIRE_FRAME_MAX + 8];
    for (unsigned code = 0; code < 256; code++) {
        memset(coded, (int)code, sizeof coded);
        for (size_t n = 0; n <= sizeof coded; n++) {
            assert_false(decode_exactly(coded, n));
        }
    }
    /* Right but for the code that points one beyond or one short of the end. */
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    const size_t bytes = some_frame(frame, 30, 5);
    size_t last = 0;
    while (last + frame[last] < bytes - 1) {
        last += frame[last];
    }
    assert_true(decode_exactly(frame, bytes - 1));
    for (unsigned code = 0; code < 256; code++) {
        const uint8_t right = frame[last];
        if (code != right) {
            frame[last] = (uint8_t)code;
            assert_false(decode_exactly(frame, bytes - 1));
            frame[last] = right;
        }
    }
}

static void noise_of_a_million_bytes(void **state) {
    (void)state;
    struct nfsar_wire_reader reader = {0};
    struct nfsar_wire_message message;
    uint32_t seed = 4711;
    uint32_t zeros = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        const uint8_t byte = (uint8_t)(noise(&seed) >> 11);
        zeros += byte == 0;
        if (nfsar_wire_read(&reader, byte, &message)) {
            assert_true(message.bytes <= NFSAR_WIRE_PAYLOAD_MAX);
        }
    }
    assert_int_equal(reader.frames, 0); /* one in 2^32 would be good */
    assert_true(reader.bad > 0 && reader.bad <= zeros);
    (void)nfsar_wire_read(&reader, 0, &message);
    assert_in_step(&reader);
}

/* Good frames with noise between them, which ends in a zero: every one is found. */
static void frames_in_noise(void **state) {
    (void)state;
    struct nfsar_wire_reader reader = {0};
    struct nfsar_wire_message message;
    uint32_t seed = 7;
    for (unsigned round = 0; round < 2000; round++) {
        const unsigned n = noise(&seed) % 600;
        for (unsigned i = 0; i < n; i++) {
            assert_false(nfsar_wire_read(&reader, (uint8_t)noise(&seed), &message));
        }
        (void)nfsar_wire_read(&reader, 0, &message);
        assert_in_step(&reader);
    }
    assert_int_equal(reader.frames, 2000);
}

static void newer_versions_append(void **state) {
    (void)state;
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX] = {0};
    const struct nfsar_wire_trigger trigger = {.number = 7, .position = {-1, 2, -3}, .scan = 9};
    (void)nfsar_wire_pack_trigger(payload, &trigger);
    struct nfsar_wire_trigger got;
    assert_true(nfsar_wire_unpack_trigger(&got, payload, sizeof payload));
    assert_int_equal(got.position[0], -1);
    assert_int_equal(got.scan, 9);
}

#define FITS(NAME, name)                                                                           \
    assert_true((size_t)NFSAR_WIRE_##NAME##_BYTES <= (size_t)NFSAR_WIRE_PAYLOAD_MAX);

/* What any of the payloads may read, read from memory that ends where it should. */
#define SHORT_ONES(NAME, name)                                                                     \
    for (size_t n = 0; n <= (size_t)NFSAR_WIRE_##NAME##_BYTES; n++) {                              \
        uint8_t *const bytes = calloc(1, n + 1);                                                   \
        assert_non_null(bytes);                                                                    \
        struct nfsar_wire_##name got;                                                              \
        assert_int_equal(nfsar_wire_unpack_##name(&got, bytes + 1, n),                             \
                         n == (size_t)NFSAR_WIRE_##NAME##_BYTES);                                  \
        free(bytes);                                                                               \
    }

static void payloads_fit_and_are_refused_when_short(void **state) {
    (void)state;
    NFSAR_WIRE_PAYLOADS(FITS)
    NFSAR_WIRE_PAYLOADS(SHORT_ONES)
}

static void every_word_has_a_name(void **state) {
    (void)state;
    struct {
        const char *(*name)(unsigned);
        unsigned end;
    } const lists[] = {
        {nfsar_wire_result_name, NFSAR_WIRE_result_end},
        {nfsar_wire_error_code_name, NFSAR_WIRE_error_code_end},
        {nfsar_wire_reset_name, NFSAR_WIRE_reset_end},
        {nfsar_wire_axis_state_name, NFSAR_WIRE_axis_state_end},
        {nfsar_wire_program_state_name, NFSAR_WIRE_program_state_end},
        {nfsar_wire_sensor_id_name, NFSAR_WIRE_sensor_id_end},
        {nfsar_wire_sensor_state_name, NFSAR_WIRE_sensor_state_end},
        {nfsar_wire_radar_state_name, NFSAR_WIRE_radar_state_end},
    };
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        for (unsigned i = 0; i < lists[l].end; i++) {
            if (lists[l].name != nfsar_wire_reset_name || i != NFSAR_WIRE_RESET_UNCLEAR) {
                assert_string_not_equal(lists[l].name(i), "unknown");
            }
        }
        assert_string_equal(lists[l].name(lists[l].end), "unknown");
        assert_string_equal(lists[l].name(~0U), "unknown");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(crc_is_that_of_ethernet),
        cmocka_unit_test(every_length_returns),
        cmocka_unit_test(truncated),
        cmocka_unit_test(every_bit_turned),
        cmocka_unit_test(overlong),
        cmocka_unit_test(zeros_are_nothing),
        cmocka_unit_test(hostile_codes),
        cmocka_unit_test(noise_of_a_million_bytes),
        cmocka_unit_test(frames_in_noise),
        cmocka_unit_test(newer_versions_append),
        cmocka_unit_test(payloads_fit_and_are_refused_when_short),
        cmocka_unit_test(every_word_has_a_name),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
