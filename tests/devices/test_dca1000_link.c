/* The whole link over the loopback: the samples of the emulated card, with each of its faults. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/devices/dca1000_rig.h"
#include "tests/devices/dca1000_stream.h"

enum {
    FRAMES = 120,
    TAIL = 378 /* bytes of a frame that is not whole */
};

/* What came out of a run: the frames one after the other. */
struct received {
    uint8_t *bytes;
    uint64_t frames;
    uint64_t missing;
    uint64_t flagged;
    uint32_t notices;
    struct nfsar_dca1000_counters counters;
};

static void keep(struct received *received, const struct nfsar_dca1000_frame *frame) {
    assert_int_equal(frame->number, received->frames);
    assert_true(received->frames < FRAMES + 2);
    memcpy(received->bytes + received->frames * FRAME, frame->data, FRAME);
    received->frames++;
    received->missing += frame->missing_bytes;
    received->flagged += frame->missing_bytes > 0;
    received->notices |= frame->notices;
}

/* Hands the card its samples. Where the kernel grants the socket only a small buffer, not more at a
 * time than it holds: what it drops on a busy machine is not what is tested here. */
static void feed(struct rig *rig, struct received *received, const uint8_t *samples, size_t n) {
    enum { CHUNK = 32768, ON_THE_WAY = 120000, LARGE = 16 << 20 };
    nfsar_error error;
    const struct nfsar_dca1000_frame *frame;
    struct nfsar_dca1000_counters counters;
    nfsar_dca1000_counters(rig->link, &counters);
    const size_t chunk = counters.receive_bytes < LARGE ? CHUNK : n;
    for (size_t sent = 0; sent < n;) {
        const size_t bytes = n - sent < chunk ? n - sent : chunk;
        assert_int_equal(card_send(rig->card, samples + sent, bytes), bytes);
        sent += bytes;
        for (unsigned tries = 0; tries < WAIT_MS && chunk < n; tries++) {
            nfsar_dca1000_counters(rig->link, &counters);
            if (counters.end_byte + ON_THE_WAY >= sent) {
                break;
            }
            assert_ok(nfsar_dca1000_next(rig->link, 1, &frame, &error), error);
            if (frame != NULL) {
                keep(received, frame);
            }
        }
    }
}

/* Records FRAMES frames and a bit. */
static void record(struct rig *rig, struct received *received) {
    nfsar_error error;
    const struct nfsar_dca1000_frame *frame;
    const size_t n = (size_t)FRAMES * FRAME + TAIL;
    uint8_t *samples = malloc(n);
    *received = (struct received){.bytes = calloc(FRAMES + 2, FRAME)};
    stream_fill(samples, 0, n);
    assert_ok(nfsar_dca1000_configure(rig->link, &error), error);
    assert_ok(nfsar_dca1000_start(rig->link, FRAME, &error), error);
    feed(rig, received, samples, n);
    while (received->frames < FRAMES - 5) {
        assert_ok(nfsar_dca1000_next(rig->link, WAIT_MS, &frame, &error), error);
        assert_non_null(frame);
        keep(received, frame);
    }
    assert_true(card_wait_flushed(rig->card, WAIT_MS));
    assert_ok(nfsar_dca1000_stop(rig->link, QUIET_MS, &error), error);
    for (;;) {
        assert_ok(nfsar_dca1000_next(rig->link, 0, &frame, &error), error);
        if (frame == NULL) {
            break;
        }
        keep(received, frame);
    }
    nfsar_dca1000_counters(rig->link, &received->counters);
    received->notices |= received->counters.notices;
    free(samples);
}

/* Every byte is the stream's, or zero where the map says so; the map is what the card chose to
 * lose. */
static void check(struct rig *rig, const struct received *received) {
    static struct card_loss lost[4096];
    static struct nfsar_dca1000_loss map[4096];
    const struct nfsar_dca1000_counters *counters = &received->counters;
    const size_t n = card_losses(rig->card, lost, 4096);
    size_t entries = nfsar_dca1000_losses(rig->link, 0, map, 4096);
    uint64_t sum = 0;
    size_t i = 0;
    for (; i < n && lost[i].offset < counters->end_byte; i++) {
        assert_true(i < entries);
        assert_int_equal(map[i].offset, lost[i].offset);
        assert_int_equal(map[i].bytes, lost[i].bytes);
        sum += lost[i].bytes;
    }
    assert_int_equal(i, entries);
    assert_int_equal(counters->losses, entries);
    assert_int_equal(counters->lost_bytes, sum);
    assert_int_equal(counters->bytes + sum, counters->end_byte);
    assert_int_equal(received->frames, (counters->end_byte + FRAME - 1) / FRAME);
    assert_int_equal(received->missing, received->frames * FRAME - counters->bytes);
    i = 0;
    for (uint64_t at = 0; at < received->frames * FRAME; at++) {
        while (i < entries && at >= map[i].offset + map[i].bytes) {
            i++;
        }
        const bool gone = at >= counters->end_byte || (i < entries && at >= map[i].offset);
        if (received->bytes[at] != (gone ? 0 : stream_byte(at))) {
            fail_msg("byte %llu", (unsigned long long)at);
        }
    }
    assert_int_equal(counters->malformed + counters->overrun + counters->kernel_drops, 0);
}

static struct nfsar_dca1000_counters run(const struct card_faults *faults,
                                         struct card_state *state) {
    struct rig rig;
    struct received received;
    open_rig(&rig, faults);
    record(&rig, &received);
    check(&rig, &received);
    card_state(rig.card, state);
    assert_int_equal(state->refused, 0);
    assert_int_equal(state->lost_packets > 0, received.counters.losses > 0);
    close_rig(&rig);
    free(received.bytes);
    return received.counters;
}

static void without_faults(void **state_) {
    (void)state_;
    struct card_state state;
    const struct nfsar_dca1000_counters counters = run(&(struct card_faults){0}, &state);
    const uint64_t bytes = (uint64_t)FRAMES * FRAME + TAIL;
    assert_int_equal(state.lanes, 2);
    assert_int_equal(state.bits, 16);
    assert_int_equal(state.packet_bytes, 1470);
    assert_near(state.packet_delay_s, 5e-6, 1e-12);
    assert_int_equal(state.last_code, 6);
    assert_int_equal(state.recording, false);
    assert_int_equal(counters.bytes, bytes);
    assert_int_equal(counters.end_byte, bytes);
    assert_int_equal(counters.packets, (bytes + STREAM_PAYLOAD - 1) / STREAM_PAYLOAD);
    assert_int_equal(counters.reordered + counters.late + counters.duplicates + counters.foreign,
                     0);
    assert_int_equal(counters.notices, NFSAR_DCA1000_RECORDED);
    assert_true(counters.receive_bytes >= 65536);
}

/* One recording after the other: the second knows nothing of the first. */
static void twice(void **state_) {
    (void)state_;
    struct rig rig;
    struct received received;
    open_rig(&rig, &(struct card_faults){.seed = 9, .loss = 0.005});
    for (unsigned i = 0; i < 2; i++) {
        record(&rig, &received);
        check(&rig, &received);
        assert_int_equal(received.counters.first_byte, 0);
        assert_int_equal(received.counters.late + received.counters.duplicates, 0);
        free(received.bytes);
    }
    close_rig(&rig);
}

/* As where nobody may have a large buffer. */
static void with_a_small_buffer(void **state_) {
    (void)state_;
    struct rig rig;
    struct received received;
    nfsar_error error;
    open_rig(&rig, &(struct card_faults){.seed = 8, .loss = 0.01});
    nfsar_dca1000_close(rig.link);
    rig.options.receive_bytes = 212992;
    assert_ok(nfsar_dca1000_open(&rig.options, &rig.link, &error), error);
    record(&rig, &received);
    check(&rig, &received);
    assert_int_equal(received.counters.receive_bytes, 212992);
    close_rig(&rig);
    free(received.bytes);
}

static void one_percent_lost(void **state_) {
    (void)state_;
    struct card_state state;
    const struct nfsar_dca1000_counters counters =
        run(&(struct card_faults){.seed = 1, .loss = 0.01}, &state);
    assert_true(counters.losses > 20);
    assert_true(state.lost_packets < state.made_bytes / STREAM_PAYLOAD / 50);
}

static void reordered_by_50(void **state_) {
    (void)state_;
    struct card_state state;
    const struct nfsar_dca1000_counters counters =
        run(&(struct card_faults){.seed = 2, .reorder = 50}, &state);
    assert_true(counters.reordered > 4000);
    assert_int_equal(counters.lost_bytes, 0);
}

static void duplicates(void **state_) {
    (void)state_;
    struct card_state state;
    const struct nfsar_dca1000_counters counters =
        run(&(struct card_faults){.seed = 3, .duplicate = 0.05}, &state);
    assert_true(state.duplicates > 100);
    assert_int_equal(counters.duplicates, state.duplicates);
    assert_int_equal(counters.lost_bytes, 0);
}

static void count_passes_4_gib(void **state_) {
    (void)state_;
    struct card_state state;
    const uint64_t first = (UINT64_C(1) << 32) - 3000000;
    const struct nfsar_dca1000_counters counters =
        run(&(struct card_faults){.seed = 4, .first_byte = first}, &state);
    assert_int_equal(counters.first_byte, first);
    assert_int_equal(counters.lost_bytes, 0);
}

/* Within the window of 256 KiB all that is late is placed. */
static void held_back_within_the_window(void **state_) {
    (void)state_;
    struct card_state state;
    const struct nfsar_dca1000_counters counters =
        run(&(struct card_faults){.seed = 5, .late = 0.01, .late_packets = 100}, &state);
    assert_true(state.held_packets > 20);
    assert_int_equal(counters.lost_bytes, 0);
    assert_int_equal(counters.late, 0);
}

static void cut_at_the_end(void **state_) {
    (void)state_;
    struct card_state state;
    struct nfsar_dca1000_counters counters = run(&(struct card_faults){.cut_last = 100}, &state);
    assert_int_equal(counters.end_byte, (uint64_t)FRAMES * FRAME + TAIL - 100);
    assert_int_equal(counters.lost_bytes, 0);
    counters = run(&(struct card_faults){.no_last = true}, &state);
    const uint64_t bytes = (uint64_t)FRAMES * FRAME + TAIL;
    assert_int_equal(counters.end_byte, bytes / STREAM_PAYLOAD * STREAM_PAYLOAD);
}

static void all_at_once(void **state_) {
    (void)state_;
    struct card_state state;
    const struct card_faults faults = {.seed = 6,
                                       .loss = 0.02,
                                       .duplicate = 0.02,
                                       .reorder = 50,
                                       .late = 0.02,
                                       .late_packets = 60,
                                       .first_byte = (UINT64_C(1) << 32) - 700001};
    const struct nfsar_dca1000_counters counters = run(&faults, &state);
    assert_true(counters.losses > 20 && counters.reordered > 1000 && counters.duplicates > 20);
}

/* What is later than the window is lost, and counted; nothing else suffers. */
static void later_than_the_window(void **state_) {
    (void)state_;
    struct rig rig;
    struct received received;
    open_rig(&rig, &(struct card_faults){.seed = 7, .late = 0.002, .late_packets = 400});
    record(&rig, &received);
    struct card_state state;
    card_state(rig.card, &state);
    const struct nfsar_dca1000_counters *counters = &received.counters;
    assert_true(counters->late > 0);
    assert_true(counters->late <= state.held_packets);
    assert_int_equal(counters->lost_bytes, counters->late * STREAM_PAYLOAD);
    assert_int_equal(counters->bytes + counters->lost_bytes, counters->end_byte);
    assert_int_equal(counters->duplicates, 0);
    uint64_t zeros = 0;
    for (uint64_t at = 0; at < counters->end_byte; at++) {
        assert_true(received.bytes[at] == 0 || received.bytes[at] == stream_byte(at));
        zeros += received.bytes[at] == 0;
    }
    assert_int_equal(zeros, counters->lost_bytes);
    close_rig(&rig);
    free(received.bytes);
}

/* Somebody else starts the card in the middle: what was whole comes, then an error that says why no
 * more does; and the next recording is a good one. */
static void the_card_restarts(void **state) {
    (void)state;
    struct rig rig;
    struct received received;
    nfsar_error error;
    struct card_state told;
    const struct nfsar_dca1000_frame *frame;
    const size_t n = 1 << 20;
    uint8_t *samples = malloc(n);
    stream_fill(samples, 0, n);
    open_rig(&rig, &(struct card_faults){0});
    assert_ok(nfsar_dca1000_start(rig.link, FRAME, &error), error);
    assert_int_equal(card_send(rig.card, samples, n), n);
    assert_true(card_wait_flushed(rig.card, WAIT_MS));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4096)};
    inet_pton(AF_INET, card_address, &to.sin_addr);
    const int stranger = socket(AF_INET, SOCK_DGRAM, 0);
    sendto(stranger, "\x5A\xA5\x05\x00\x00\x00\xAA\xEE", 8, 0, (struct sockaddr *)&to, sizeof to);
    close(stranger);
    for (unsigned i = 0; i < WAIT_MS; i++) {
        card_state(rig.card, &told);
        if (told.starts == 2) {
            break;
        }
        usleep(1000);
    }
    assert_int_equal(told.starts, 2);
    assert_int_equal(card_send(rig.card, samples, n), n);
    uint64_t frames = 0;
    enum nfsar_status status = NFSAR_OK;
    while (status == NFSAR_OK && frames <= n / FRAME) {
        status = nfsar_dca1000_next(rig.link, WAIT_MS, &frame, &error);
        frames += status == NFSAR_OK;
        assert_true(status != NFSAR_OK || frame != NULL);
    }
    assert_int_equal(status, NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "it began its count anew");
    assert_int_equal(frames, n / FRAME);
    assert_ok(nfsar_dca1000_stop(rig.link, QUIET_MS, &error), error);
    assert_ok(nfsar_dca1000_next(rig.link, 0, &frame, &error), error);
    assert_null(frame);
    record(&rig, &received);
    check(&rig, &received);
    close_rig(&rig);
    free(received.bytes);
    free(samples);
}

int main(void) {
    choose_addresses();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults),        cmocka_unit_test(twice),
        cmocka_unit_test(with_a_small_buffer),   cmocka_unit_test(one_percent_lost),
        cmocka_unit_test(reordered_by_50),       cmocka_unit_test(duplicates),
        cmocka_unit_test(count_passes_4_gib),    cmocka_unit_test(held_back_within_the_window),
        cmocka_unit_test(later_than_the_window), cmocka_unit_test(cut_at_the_end),
        cmocka_unit_test(all_at_once),           cmocka_unit_test(the_card_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
