/* Records on their way out: nothing is lost that is not counted, whatever the line takes. */
#include "tests/firmware/check.h"

#include "firmware/protocol/outbox.h"
#include "nfsar/wire.h"

/* The host's end of a line: takes as much as it is let, and reads frames. */
struct line {
    size_t room;  /* bytes that it takes yet */
    size_t piece; /* at most in one call */
    struct nfsar_wire_reader reader;
    uint32_t frames;
    uint32_t kinds[256];
    uint32_t next; /* sequence expected */
    uint32_t missed;
    size_t bytes;
    uint8_t first;
};

static size_t take(void *context, const uint8_t *from, size_t n) {
    struct line *line = context;
    n = n < line->piece ? n : line->piece;
    n = n < line->room ? n : line->room;
    line->room -= n;
    for (size_t i = 0; i < n; i++) {
        struct nfsar_wire_message message;
        if (line->bytes++ == 0) {
            line->first = from[0];
        }
        if (nfsar_wire_read(&line->reader, from[i], &message)) {
            line->frames++;
            line->kinds[message.header.kind]++;
            line->missed += message.header.sequence - line->next;
            line->next = message.header.sequence + 1;
            /* Payloads are made of the sequence: see put(). */
            for (size_t k = 0; k < message.bytes; k++) {
                assert_int_equal(message.payload[k], (uint8_t)(message.header.sequence * k));
            }
            assert_true(message.header.time_ns == UINT64_C(1000) * message.header.sequence);
        }
    }
    return n;
}

static struct line open_line(void) {
    return (struct line){.room = SIZE_MAX, .piece = SIZE_MAX};
}

static bool put(struct outbox *outbox, uint8_t kind, size_t n) {
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX + 1];
    for (size_t k = 0; k < n; k++) {
        payload[k] = (uint8_t)(outbox->made * k);
    }
    return outbox_put(outbox, kind, 7, UINT64_C(1000) * outbox->made, payload, n);
}

static void records_come_out_as_they_went_in(void **state) {
    (void)state;
    static struct outbox outbox;
    struct line line = open_line();
    outbox_init(&outbox);
    outbox_drain(&outbox, take, &line);
    assert_int_equal(line.bytes, 0);
    for (size_t n = 0; n <= NFSAR_WIRE_PAYLOAD_MAX; n++) {
        assert_true(put(&outbox, NFSAR_WIRE_STATUS, n));
        assert_int_equal(outbox.used, n + NFSAR_WIRE_HEADER_BYTES + NFSAR_WIRE_CRC_BYTES + 2);
        outbox_drain(&outbox, take, &line);
        assert_int_equal(outbox.used, 0);
        assert_int_equal(line.frames, n + 1);
    }
    assert_int_equal(line.missed, 0);
    assert_int_equal(line.reader.bad, 0);
    assert_int_equal(outbox.made, NFSAR_WIRE_PAYLOAD_MAX + 1);
    assert_int_equal(outbox.dropped, 0);
    assert_int_equal(outbox.worst, NFSAR_WIRE_FRAME_MAX);
}

/* The line may have been left within a frame: by a hub that was reset, or before another line. */
static void a_line_begins_with_a_zero(void **state) {
    (void)state;
    static struct outbox outbox;
    struct line line = open_line();
    struct nfsar_wire_message message;
    outbox_init(&outbox);
    nfsar_wire_read(&line.reader, 0x55, &message);
    put(&outbox, NFSAR_WIRE_HELLO, 20);
    line.room = 0;
    outbox_drain(&outbox, take, &line);
    line.room = SIZE_MAX;
    outbox_drain(&outbox, take, &line);
    assert_int_equal(line.first, 0);
    assert_int_equal(line.frames, 1);
    assert_int_equal(line.reader.bad, 1);
    put(&outbox, NFSAR_WIRE_HELLO, 20);
    outbox_drain(&outbox, take, &line);
    assert_int_equal(line.frames, 2);
    assert_int_equal(line.reader.bad, 1);
}

static void what_is_too_long_is_dropped_and_counted(void **state) {
    (void)state;
    static struct outbox outbox;
    struct line line = open_line();
    outbox_init(&outbox);
    assert_false(put(&outbox, NFSAR_WIRE_STATUS, NFSAR_WIRE_PAYLOAD_MAX + 1));
    assert_int_equal(outbox.made, 1);
    assert_int_equal(outbox.dropped, 1);
    assert_true(put(&outbox, NFSAR_WIRE_STATUS, 4));
    outbox_drain(&outbox, take, &line);
    assert_int_equal(line.missed, 1);
    assert_int_equal(line.frames, 1);
}

/* Bytes used when no record of this kind fits any more, one of each before it filled up. */
static size_t fill(struct outbox *outbox, uint8_t kind, size_t n) {
    while (put(outbox, kind, n)) {
    }
    return outbox->used;
}

static void sensors_leave_room_and_all_but_triggers_do(void **state) {
    (void)state;
    static struct outbox outbox;
    static const uint8_t sensors[] = {NFSAR_WIRE_IMU, NFSAR_WIRE_FLOW, NFSAR_WIRE_RANGE,
                                      NFSAR_WIRE_GNSS};
    static const uint8_t others[] = {NFSAR_WIRE_HELLO,  NFSAR_WIRE_STATUS,    NFSAR_WIRE_ERROR,
                                     NFSAR_WIRE_CRASH,  NFSAR_WIRE_REPLY,     NFSAR_WIRE_AXIS,
                                     NFSAR_WIRE_RADAR,  NFSAR_WIRE_PROGRAM,   NFSAR_WIRE_CLOCK,
                                     NFSAR_WIRE_SENSOR, NFSAR_WIRE_RADAR_TEXT};
    /* The smallest frame has 20 bytes. */
    outbox_init(&outbox);
    for (size_t i = 0; i < sizeof sensors; i++) {
        assert_in_range(fill(&outbox, sensors[i], 0), OUTBOX_BYTES * 3 / 4 - 19,
                        OUTBOX_BYTES * 3 / 4);
    }
    assert_int_equal(outbox.dropped, 4);
    assert_int_equal(outbox.dropped_sensors, 4);
    for (size_t i = 0; i < sizeof others; i++) {
        assert_in_range(fill(&outbox, others[i], 0), OUTBOX_BYTES * 7 / 8 - 19,
                        OUTBOX_BYTES * 7 / 8);
    }
    assert_int_equal(outbox.dropped, 15);
    assert_int_equal(outbox.dropped_sensors, 4);
    assert_int_equal(outbox.dropped_triggers, 0);
    assert_in_range(fill(&outbox, NFSAR_WIRE_TRIGGER, 0), OUTBOX_BYTES - 19, OUTBOX_BYTES);
    assert_int_equal(outbox.dropped, 16);
    assert_int_equal(outbox.dropped_triggers, 1);
    assert_int_equal(outbox.worst, outbox.used);
    struct line line = open_line();
    outbox_drain(&outbox, take, &line);
    assert_int_equal(line.frames + outbox.dropped, outbox.made);
    assert_int_equal(line.reader.bad, 0);
}

/* Any mix of kinds and sizes, lines that take any number of bytes at any time: sent = received +
 * dropped, exactly. */
static void sent_is_received_and_dropped(void **state) {
    (void)state;
    static struct outbox outbox;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        uint32_t at = seed;
        struct line line = open_line();
        uint32_t kinds[256] = {0};
        uint32_t refused[256] = {0};
        outbox_init(&outbox);
        const uint32_t fast = 1 + seed * 40; /* bytes a turn, from starving to plenty */
        for (unsigned i = 0; i < 3000; i++) {
            const uint8_t kind =
                (uint8_t)(noise(&at) % 3 == 0 ? NFSAR_WIRE_TRIGGER : noise(&at) % 0x40);
            const bool went = put(&outbox, kind, noise(&at) % (NFSAR_WIRE_PAYLOAD_MAX + 1));
            kinds[kind] += went;
            refused[kind] += !went;
            line.room = noise(&at) % fast;
            line.piece = 1 + noise(&at) % 300;
            outbox_drain(&outbox, take, &line);
        }
        line.piece = SIZE_MAX;
        line.room = SIZE_MAX;
        outbox_drain(&outbox, take, &line);
        assert_int_equal(outbox.used, 0);
        assert_int_equal(outbox.made, 3000);
        assert_int_equal(outbox.made, line.frames + outbox.dropped);
        assert_int_equal(line.missed + (outbox.made - line.next), outbox.dropped);
        assert_int_equal(line.reader.bad, 0);
        uint32_t sensors = 0;
        for (unsigned kind = 0; kind < 256; kind++) {
            assert_int_equal(line.kinds[kind], kinds[kind]);
            sensors += kind >= NFSAR_WIRE_IMU && kind <= NFSAR_WIRE_GNSS ? refused[kind] : 0;
        }
        assert_int_equal(outbox.dropped_triggers, refused[NFSAR_WIRE_TRIGGER]);
        assert_int_equal(outbox.dropped_sensors, sensors);
    }
}

/* The ring's end at every place within a frame, and every size of partial write. */
static void frames_lie_over_the_ends_of_the_ring(void **state) {
    (void)state;
    static struct outbox outbox;
    struct line line = open_line();
    outbox_init(&outbox);
    uint32_t put_in = 0;
    for (size_t piece = 1; piece <= 300; piece++) {
        line.piece = piece;
        for (unsigned i = 0; i < 60; i++) {
            put_in += put(&outbox, NFSAR_WIRE_TRIGGER, (piece + i) % 200);
            line.room = piece;
            outbox_drain(&outbox, take, &line);
        }
        line.piece = SIZE_MAX;
        line.room = SIZE_MAX;
        outbox_drain(&outbox, take, &line);
        assert_int_equal(outbox.used, 0);
        assert_int_equal(line.frames, put_in);
    }
    assert_int_equal(line.reader.bad, 0);
    assert_int_equal(put_in + outbox.dropped, outbox.made);
}

/* Cut off at every byte of two frames: the new line has only whole ones, the old one loses one. */
static void another_line_takes_over_within_a_frame(void **state) {
    (void)state;
    static struct outbox outbox;
    const size_t frame = 30 + NFSAR_WIRE_HEADER_BYTES + NFSAR_WIRE_CRC_BYTES + 2;
    for (size_t cut = 0; cut <= 2 * frame + 1; cut++) {
        struct line old = open_line();
        struct line new = open_line();
        outbox_init(&outbox);
        put(&outbox, NFSAR_WIRE_STATUS, 30);
        put(&outbox, NFSAR_WIRE_STATUS, 30);
        put(&outbox, NFSAR_WIRE_STATUS, 30);
        old.room = cut;
        outbox_drain(&outbox, take, &old);
        outbox_restart(&outbox);
        outbox_restart(&outbox);
        /* The zero that the line begins with is the first of the bytes. */
        const bool within = cut > 1 && (cut - 1) % frame != 0;
        assert_int_equal(outbox.dropped, within);
        outbox_drain(&outbox, take, &new);
        assert_int_equal(new.first, 0);
        assert_int_equal(old.frames + new.frames + outbox.dropped, outbox.made);
        assert_int_equal(new.reader.bad, 0);
        /* And back again: what the old line was left with is one bad frame, and no more (a whole
         * one, late, when but its zero was missing). */
        outbox_restart(&outbox);
        put(&outbox, NFSAR_WIRE_STATUS, 30);
        old.room = SIZE_MAX;
        outbox_drain(&outbox, take, &old);
        const bool but_the_zero = within && (cut - 1) % frame == frame - 1;
        assert_int_equal(old.reader.bad, within && !but_the_zero);
        assert_int_equal(old.frames + new.frames + outbox.dropped, outbox.made + but_the_zero);
    }
}

/* A line that says it took more than it was given. */
static size_t boast(void *context, const uint8_t *from, size_t n) {
    take(context, from, n);
    return n == 1 ? 1 : n + 100;
}

static void a_boasting_line_is_believed_no_more_than_it_got(void **state) {
    (void)state;
    static struct outbox outbox;
    struct line line = open_line();
    outbox_init(&outbox);
    for (unsigned i = 0; i < 1000; i++) {
        put(&outbox, NFSAR_WIRE_TRIGGER, i % 200);
        outbox_drain(&outbox, boast, &line);
        assert_int_equal(outbox.used, 0);
    }
    assert_int_equal(line.frames, 1000);
    assert_int_equal(line.reader.bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(a_line_begins_with_a_zero),
        cmocka_unit_test(what_is_too_long_is_dropped_and_counted),
        cmocka_unit_test(sensors_leave_room_and_all_but_triggers_do),
        cmocka_unit_test(sent_is_received_and_dropped),
        cmocka_unit_test(frames_lie_over_the_ends_of_the_ring),
        cmocka_unit_test(another_line_takes_over_within_a_frame),
        cmocka_unit_test(a_boasting_line_is_believed_no_more_than_it_got),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
