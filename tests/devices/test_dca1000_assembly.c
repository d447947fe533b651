/* Frames out of packets that are lost, late, twice there or out of order: every byte where it
 * belongs, and what never came zero and in the loss map, exactly. */
#include "host/devices/dca1000/assembly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/devices/dca1000_stream.h"
#include "tests/support.h"

enum { WINDOW = 256 << 10, QUEUE = 4 << 20, STEP_NS = 20000 };

/* A stream under test: which bytes went in, and what came out. */
struct bench {
    struct assembly *assembly;
    size_t frame_bytes;
    uint64_t packets;     /* full ones */
    size_t last;          /* bytes of a short one after them; 0: none */
    uint64_t first_count; /* of the card's byte count */
    uint8_t *came;        /* a flag for each packet */
    uint64_t now_ns;
    uint64_t next_frame;
    uint64_t missing; /* bytes of the frames that came out */
    uint64_t flagged; /* frames */
    uint8_t *expected;
};

static void begin(struct bench *bench, size_t frame_bytes, uint64_t packets, size_t last) {
    nfsar_error error;
    *bench = (struct bench){.frame_bytes = frame_bytes, .packets = packets, .last = last};
    bench->came = calloc(packets + 1, 1);
    bench->expected = malloc(frame_bytes);
    assert_ok(assembly_create(frame_bytes, WINDOW, QUEUE, 0, &bench->assembly, &error), error);
}

static uint64_t stream_end(const struct bench *bench) {
    return bench->packets * STREAM_PAYLOAD + bench->last;
}

/* What the frame has to be, from the packets that came. */
static size_t expect(const struct bench *bench, uint64_t number) {
    const uint64_t first = number * bench->frame_bytes;
    size_t missing = 0;
    for (size_t i = 0; i < bench->frame_bytes; i++) {
        const uint64_t at = first + i;
        const bool there = at < stream_end(bench) && bench->came[at / STREAM_PAYLOAD];
        bench->expected[i] = there ? stream_byte(at) : 0;
        missing += !there;
    }
    return missing;
}

static void fetch(struct bench *bench) {
    const struct nfsar_dca1000_frame *frame;
    while ((frame = assembly_next(bench->assembly)) != NULL) {
        assert_int_equal(frame->number, bench->next_frame);
        assert_int_equal(frame->missing_bytes, expect(bench, frame->number));
        assert_memory_equal(frame->data, bench->expected, bench->frame_bytes);
        assert_true((frame->first_ns != 0) == (frame->missing_bytes < bench->frame_bytes));
        assert_true(frame->last_ns >= frame->first_ns);
        bench->missing += frame->missing_bytes;
        bench->flagged += frame->missing_bytes > 0;
        bench->next_frame++;
    }
}

/* The packet numbered i arrives. */
static void feed(struct bench *bench, uint64_t i, bool in_time) {
    uint8_t packet[DCA1000_HEADER_BYTES + STREAM_PAYLOAD];
    const uint64_t at = i * STREAM_PAYLOAD;
    const size_t n = i == bench->packets ? bench->last : STREAM_PAYLOAD;
    dca1000_write_header(packet, (uint32_t)(i + 1), bench->first_count + at);
    stream_fill(packet + DCA1000_HEADER_BYTES, at, n);
    bench->came[i] |= in_time;
    bench->now_ns += STEP_NS;
    assembly_packet(bench->assembly, packet, DCA1000_HEADER_BYTES + n, bench->now_ns);
}

/* The loss map has to be exactly the packets that did not come, up to the last one that did. */
static void check_map(const struct bench *bench, const struct nfsar_dca1000_counters *counters) {
    uint64_t lost = 0;
    size_t entries = 0;
    struct nfsar_dca1000_loss *map = calloc(ASSEMBLY_LOSSES, sizeof *map);
    const size_t count = assembly_losses(bench->assembly, 0, map, ASSEMBLY_LOSSES);
    for (uint64_t i = 0; i * STREAM_PAYLOAD < counters->end_byte; i++) {
        if (bench->came[i]) {
            continue;
        }
        const bool joins = i > 0 && !bench->came[i - 1];
        if (!joins) {
            assert_true(entries < count);
            assert_int_equal(map[entries].offset, i * STREAM_PAYLOAD);
        }
        entries += !joins;
        lost += STREAM_PAYLOAD;
        assert_true(map[entries - 1].bytes >= (i + 1) * STREAM_PAYLOAD - map[entries - 1].offset);
    }
    assert_int_equal(entries, count);
    assert_int_equal(counters->losses, count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += map[i].bytes;
    }
    assert_int_equal(sum, lost);
    assert_int_equal(counters->lost_bytes, lost);
    assert_int_equal(counters->bytes + lost, counters->end_byte);
    free(map);
}

static struct nfsar_dca1000_counters finish(struct bench *bench) {
    assembly_finish(bench->assembly, bench->now_ns);
    fetch(bench);
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(bench->assembly, &counters);
    assert_int_equal(bench->next_frame,
                     (counters.end_byte + bench->frame_bytes - 1) / bench->frame_bytes);
    check_map(bench, &counters);
    assert_int_equal(counters.malformed, 0);
    return counters;
}

static void end(struct bench *bench) {
    assembly_free(bench->assembly);
    free(bench->came);
    free(bench->expected);
}

/* Frames of sizes that packets divide, and do not; smaller than a packet, and larger than the
 * window. */
static const size_t frame_sizes[] = {STREAM_PAYLOAD, 16384, 1000, 8, 65536, 399360, 1 << 20};
#define FRAME_SIZES (sizeof frame_sizes / sizeof *frame_sizes)

static uint64_t packets_for(size_t frame_bytes) {
    return frame_bytes < 1000 ? 600 : 4000;
}

static void nothing_lost(void **state) {
    (void)state;
    for (size_t f = 0; f < FRAME_SIZES; f++) {
        struct bench bench;
        begin(&bench, frame_sizes[f], packets_for(frame_sizes[f]), 378);
        for (uint64_t i = 0; i <= bench.packets; i++) {
            feed(&bench, i, true);
            fetch(&bench);
            /* A frame is there with its last byte. */
            const uint64_t came = i < bench.packets ? (i + 1) * STREAM_PAYLOAD : stream_end(&bench);
            assert_int_equal(bench.next_frame, came / bench.frame_bytes);
        }
        const struct nfsar_dca1000_counters counters = finish(&bench);
        assert_int_equal(counters.packets, bench.packets + 1);
        assert_int_equal(counters.lost_bytes + counters.late + counters.duplicates, 0);
        end(&bench);
    }
}

static void one_percent_lost(void **state) {
    (void)state;
    for (size_t f = 0; f < FRAME_SIZES; f++) {
        struct bench bench;
        uint64_t random = f;
        uint64_t lost = 0;
        begin(&bench, frame_sizes[f], packets_for(frame_sizes[f]), 0);
        for (uint64_t i = 0; i < bench.packets; i++) {
            if (stream_draw(&random) % 100 == 0 && i + 1 < bench.packets) {
                lost++;
                continue;
            }
            feed(&bench, i, true);
            fetch(&bench);
        }
        const struct nfsar_dca1000_counters counters = finish(&bench);
        assert_true(lost > 0);
        assert_int_equal(counters.lost_bytes, lost * STREAM_PAYLOAD);
        assert_int_equal(counters.packets, bench.packets - lost);
        assert_true(bench.flagged > 0);
        end(&bench);
    }
}

/* In random order within blocks of so many; with twice_in_100 some come twice, with lost_in_100
 * some never. */
static struct nfsar_dca1000_counters shuffled(size_t frame_bytes, size_t block,
                                              unsigned lost_in_100, unsigned twice_in_100) {
    struct bench bench;
    uint64_t random = frame_bytes;
    uint64_t order[512];
    begin(&bench, frame_bytes, 4000, 100);
    for (uint64_t first = 0; first <= bench.packets; first += block) {
        size_t n = 0;
        for (; n < block && first + n <= bench.packets; n++) {
            order[n] = first + n;
        }
        for (size_t left = n; left > 0; left--) {
            const size_t pick = stream_draw(&random) % left;
            const uint64_t i = order[pick];
            order[pick] = order[left - 1];
            if (stream_draw(&random) % 100 < lost_in_100) {
                continue;
            }
            feed(&bench, i, true);
            if (stream_draw(&random) % 100 < twice_in_100) {
                feed(&bench, i, true);
            }
        }
        fetch(&bench);
    }
    const struct nfsar_dca1000_counters counters = finish(&bench);
    end(&bench);
    return counters;
}

static void reordered_by_50(void **state) {
    (void)state;
    for (size_t f = 0; f < FRAME_SIZES; f++) {
        if (frame_sizes[f] < 1000) {
            continue;
        }
        const struct nfsar_dca1000_counters counters = shuffled(frame_sizes[f], 50, 0, 0);
        assert_int_equal(counters.lost_bytes, 0);
        assert_int_equal(counters.packets, 4001);
        assert_true(counters.reordered > 3000);
        assert_int_equal(counters.late + counters.duplicates, 0);
    }
}

static void twice_there(void **state) {
    (void)state;
    for (size_t f = 0; f < FRAME_SIZES; f++) {
        if (frame_sizes[f] < 1000) {
            continue;
        }
        const struct nfsar_dca1000_counters counters = shuffled(frame_sizes[f], 1, 0, 10);
        assert_int_equal(counters.lost_bytes + counters.late, 0);
        assert_int_equal(counters.packets, 4001);
        assert_true(counters.duplicates > 300);
    }
}

static void all_at_once(void **state) {
    (void)state;
    for (size_t f = 0; f < FRAME_SIZES; f++) {
        if (frame_sizes[f] < 1000) {
            continue;
        }
        const struct nfsar_dca1000_counters counters = shuffled(frame_sizes[f], 100, 5, 5);
        assert_true(counters.lost_bytes > 100 * STREAM_PAYLOAD);
        assert_int_equal(counters.late, 0);
    }
}

/* Packets that come when the window has passed are refused; their frames are gone. */
static void too_late(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench, 16384, 2000, 0);
    uint64_t late = 0;
    for (uint64_t i = 0; i < bench.packets; i++) {
        if (i % 100 != 50) {
            feed(&bench, i, true);
        }
        if (i >= 350 && i % 100 == 50) { /* 300 packets are more than the window and a frame */
            feed(&bench, i - 300, false);
            late++;
        }
        fetch(&bench);
    }
    const struct nfsar_dca1000_counters counters = finish(&bench);
    assert_int_equal(counters.late, late);
    assert_int_equal(counters.duplicates, 0);
    assert_int_equal(counters.lost_bytes, 20 * STREAM_PAYLOAD);
    assert_int_equal(counters.losses, 20);
    end(&bench);
}

/* As late as the window allows. */
static void just_in_time(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench, 16384, 2000, 0);
    const uint64_t wait = WINDOW / STREAM_PAYLOAD - 1;
    for (uint64_t i = 0; i < bench.packets + wait; i++) {
        if (i < bench.packets && i % 100 != 50) {
            feed(&bench, i, true);
        }
        if (i >= wait && (i - wait) % 100 == 50) {
            feed(&bench, i - wait, true);
        }
        fetch(&bench);
    }
    const struct nfsar_dca1000_counters counters = finish(&bench);
    assert_int_equal(counters.late + counters.lost_bytes, 0);
    assert_int_equal(counters.reordered, 20);
    end(&bench);
}

/* The card's count starts short of 4 GiB: 32 bits would not do. */
static void count_passes_4_gib(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench, 16384, 2000, 77);
    bench.first_count = (UINT64_C(1) << 32) - 1000 * STREAM_PAYLOAD - 5;
    for (uint64_t i = 0; i <= bench.packets; i++) {
        if (i != 1000 && i != 1500) {
            feed(&bench, i, true);
        }
        fetch(&bench);
    }
    const struct nfsar_dca1000_counters counters = finish(&bench);
    assert_int_equal(counters.first_byte, bench.first_count);
    assert_int_equal(counters.lost_bytes, 2 * STREAM_PAYLOAD);
    end(&bench);
}

/* A stream that really is that long: 4.5 GiB, most of it lost at once. */
static void beyond_4_gib(void **state) {
    (void)state;
    nfsar_error error;
    struct assembly *assembly;
    const size_t frame_bytes = 1 << 20;
    const uint64_t end_packet = (UINT64_C(9) << 29) / STREAM_PAYLOAD;
    const uint64_t gone_first = 1000;
    const uint64_t gone_end = (UINT64_C(4) << 30) / STREAM_PAYLOAD - 100;
    assert_ok(assembly_create(frame_bytes, WINDOW, QUEUE, 0, &assembly, &error), error);
    uint8_t packet[DCA1000_HEADER_BYTES + STREAM_PAYLOAD];
    uint64_t frames = 0;
    uint64_t lost = 0;
    for (uint64_t i = 0; i < end_packet; i++) {
        if (i == gone_first) {
            i = gone_end;
        }
        dca1000_write_header(packet, (uint32_t)(i + 1), i * STREAM_PAYLOAD);
        memset(packet + DCA1000_HEADER_BYTES, (int)(1 + i % 255), STREAM_PAYLOAD);
        assembly_packet(assembly, packet, sizeof packet, i * 20000);
        const struct nfsar_dca1000_frame *frame;
        while ((frame = assembly_next(assembly)) != NULL) {
            const uint64_t at = frame->number * frame_bytes;
            const uint64_t last = at + frame_bytes - 1;
            const uint64_t in = last / STREAM_PAYLOAD;
            const bool gone = in >= gone_first && in < gone_end;
            assert_int_equal(frame->number, frames);
            assert_int_equal(frame->data[frame_bytes - 1], gone ? 0 : 1 + in % 255);
            lost += frame->missing_bytes;
            frames++;
        }
    }
    struct nfsar_dca1000_loss loss;
    assert_int_equal(assembly_losses(assembly, 0, &loss, 1), 1);
    assert_int_equal(loss.offset, gone_first * STREAM_PAYLOAD);
    assert_int_equal(loss.bytes, (gone_end - gone_first) * STREAM_PAYLOAD);
    assert_int_equal(lost, loss.bytes);
    assert_int_equal(frames, end_packet * STREAM_PAYLOAD / frame_bytes);
    assembly_free(assembly);
}

/* The stream ends in the middle of a frame: that one is short, the map knows of no loss. */
static void ends_in_a_frame(void **state) {
    (void)state;
    struct bench bench;
    begin(&bench, 16384, 15, 100);
    for (uint64_t i = 0; i <= bench.packets; i++) {
        feed(&bench, i, true);
    }
    const struct nfsar_dca1000_counters counters = finish(&bench);
    assert_int_equal(bench.next_frame, 2);
    assert_int_equal(bench.missing, 2 * 16384 - 15 * STREAM_PAYLOAD - 100);
    assert_int_equal(counters.lost_bytes, 0);
    end(&bench);
}

/* The radar was silent for a while in mid-stream: a short packet, and the next one where it ended.
 */
static void short_packets_in_between(void **state) {
    (void)state;
    enum { FRAME = 3000, PACKETS = 3000 };
    nfsar_error error;
    struct assembly *assembly;
    assert_ok(assembly_create(FRAME, WINDOW, QUEUE, 0, &assembly, &error), error);
    uint64_t at = 0;
    uint64_t random = 7;
    uint64_t lost = 0;
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint8_t packet[DCA1000_HEADER_BYTES + STREAM_PAYLOAD];
        const size_t n = i % 10 == 9 ? 1 + stream_draw(&random) % 1455 : STREAM_PAYLOAD;
        const size_t length = stream_packet(packet, i + 1, at, n);
        if (i % 70 != 33) {
            assembly_packet(assembly, packet, length, i * 1000);
        } else {
            lost += n;
        }
        at += n;
    }
    assembly_finish(assembly, PACKETS * 1000);
    uint64_t missing = 0;
    const struct nfsar_dca1000_frame *frame;
    while ((frame = assembly_next(assembly)) != NULL) {
        uint8_t expected[FRAME];
        stream_fill(expected, frame->number * FRAME, FRAME);
        uint64_t wrong = 0;
        for (size_t i = 0; i < FRAME; i++) {
            wrong += frame->data[i] != expected[i];
            assert_true(frame->data[i] == expected[i] || frame->data[i] == 0);
        }
        assert_int_equal(wrong, frame->missing_bytes);
        missing += frame->missing_bytes;
    }
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    assert_int_equal(counters.malformed, 0);
    assert_int_equal(counters.end_byte, at);
    assert_int_equal(counters.losses, 43);
    assert_int_equal(counters.lost_bytes, lost);
    assert_int_equal(missing, lost + (FRAME - at % FRAME) % FRAME);
    assembly_free(assembly);
}

/* Nobody fetches: what finds no room is lost, and is in the map; the rest of the stream is whole.
 */
static void queue_full(void **state) {
    (void)state;
    nfsar_error error;
    struct bench bench = {.frame_bytes = 14560, .packets = 6000};
    bench.came = calloc(bench.packets + 1, 1);
    bench.expected = malloc(bench.frame_bytes);
    assert_ok(assembly_create(14560, 20000, 10 * 14560, 0, &bench.assembly, &error), error);
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(bench.assembly, &counters);
    const uint64_t room = counters.queue_frames + 1; /* none is handed out */
    for (uint64_t i = 0; i < bench.packets; i++) {
        if (i == 3000) {
            fetch(&bench);
        }
        const bool fits = i < room * 10 || i >= 3000;
        feed(&bench, i, fits);
        if (i >= 3000) {
            fetch(&bench);
        }
    }
    counters = finish(&bench);
    assert_int_equal(counters.overrun, 3000 - room * 10);
    assert_int_equal(counters.lost_bytes, counters.overrun * STREAM_PAYLOAD);
    assert_int_equal(counters.losses, 1);
    assert_int_equal(counters.queue_worst, room);
    end(&bench);
}

/* The loss map is full: its last entry spans all that follow. */
static void more_losses_than_the_map_holds(void **state) {
    (void)state;
    nfsar_error error;
    struct assembly *assembly;
    assert_ok(assembly_create(4096, 8192, 1 << 20, 0, &assembly, &error), error);
    const uint32_t packets = 2 * ASSEMBLY_LOSSES + 200;
    for (uint32_t i = 0; i < packets; i += 2) {
        uint8_t packet[DCA1000_HEADER_BYTES + 16] = {0};
        dca1000_write_header(packet, i + 1, (uint64_t)i * 16);
        assembly_packet(assembly, packet, sizeof packet, i);
        while (assembly_next(assembly) != NULL) {
        }
    }
    assembly_finish(assembly, 0);
    struct nfsar_dca1000_loss last;
    assert_int_equal(assembly_losses(assembly, ASSEMBLY_LOSSES - 1, &last, 1), ASSEMBLY_LOSSES);
    assert_int_equal(last.offset, (2 * ASSEMBLY_LOSSES - 1) * 16);
    assert_int_equal(last.offset + last.bytes, (uint64_t)(packets - 2) * 16);
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    assert_int_equal(counters.lost_bytes, (packets / 2 - 1) * 16);
    assembly_free(assembly);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost),
        cmocka_unit_test(one_percent_lost),
        cmocka_unit_test(reordered_by_50),
        cmocka_unit_test(twice_there),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(too_late),
        cmocka_unit_test(just_in_time),
        cmocka_unit_test(count_passes_4_gib),
        cmocka_unit_test(beyond_4_gib),
        cmocka_unit_test(ends_in_a_frame),
        cmocka_unit_test(short_packets_in_between),
        cmocka_unit_test(queue_full),
        cmocka_unit_test(more_losses_than_the_map_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
