/* Garbage, and packets that are almost right: nothing crashes, memory stays what it was, the sums
 * hold, and what is real is still taken. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nfsar/dca1000.h>

#include "host/devices/dca1000/assembly.h"
#include "tests/devices/dca1000_stream.h"
#include "tests/rig/card.h"
#include "tests/support.h"

enum { PACKETS = 1000000, FLOOD = 100000, WAIT_MS = 20000, MOST = 2048 };

static uint64_t random_state;

static uint64_t draw(uint64_t below) {
    return stream_draw(&random_state) % below;
}

static void fill_randomly(uint8_t *to, size_t n) {
    for (size_t i = 0; i < n; i += 8) {
        const uint64_t word = stream_draw(&random_state);
        memcpy(to + i, &word, n - i < 8 ? n - i : 8);
    }
}

/* Where a hostile sender is in its stream. */
struct hostile {
    uint32_t sequence;
    uint64_t byte;
};

/* A packet that is garbage, or goes on in the stream, or jumps, ever so often with something wrong.
 */
static size_t make(struct hostile *hostile, uint8_t *packet) {
    const uint64_t kind = draw(24);
    const size_t payload = draw(8) == 0 ? 1 + draw(DCA1000_PAYLOAD_LIMIT) : STREAM_PAYLOAD;
    if (kind == 0) {
        const size_t n = draw(MOST);
        fill_randomly(packet, n < 64 ? n : 64);
        return n;
    }
    if (kind == 1) { /* ahead for good, consistently, mostly within the window */
        const uint64_t packets = draw(draw(200) == 0 ? 2000 : 60);
        hostile->sequence += (uint32_t)packets;
        hostile->byte += packets * STREAM_PAYLOAD;
    }
    uint32_t sequence = hostile->sequence + 1;
    uint64_t byte = hostile->byte;
    const uint64_t back = draw(300);
    const uint64_t far = draw(UINT64_C(1) << draw(31));
    switch (kind) {
    case 2:
    case 3:
    case 4: /* back, consistently */
        sequence -= (uint32_t)back;
        byte -= back * STREAM_PAYLOAD;
        break;
    case 5:
        byte += draw(UINT64_C(1) << draw(48));
        break;
    case 6:
        sequence = (uint32_t)stream_draw(&random_state);
        break;
    case 7:
        byte -= draw(5000);
        break;
    case 8: /* after a hole of odd size */
        sequence += 1 + (uint32_t)draw(3);
        byte += draw(3 * DCA1000_PAYLOAD_LIMIT);
        break;
    case 9: /* ahead, consistently, but nothing follows */
        sequence += (uint32_t)far;
        byte += far * STREAM_PAYLOAD;
        break;
    case 10: /* too long */
        dca1000_write_header(packet, sequence, byte);
        return DCA1000_HEADER_BYTES + DCA1000_PAYLOAD_LIMIT + 1 + draw(500);
    default:
        hostile->sequence++;
        hostile->byte += payload;
        break;
    }
    dca1000_write_header(packet, sequence, byte);
    memset(packet + DCA1000_HEADER_BYTES, 0xAA, payload);
    return DCA1000_HEADER_BYTES + payload;
}

static void check_sums(struct assembly *assembly, uint64_t now_ns) {
    struct nfsar_dca1000_counters counters = {0};
    static struct nfsar_dca1000_loss map[ASSEMBLY_LOSSES];
    assembly_counters(assembly, &counters);
    assert_int_equal(counters.bytes + counters.lost_bytes, counters.end_byte);
    /* Never more than a network of 10 Gb/s can have brought. */
    assert_true(counters.end_byte <= (UINT64_C(64) << 20) + now_ns / 4 * 5 + 1);
    const size_t entries = assembly_losses(assembly, 0, map, ASSEMBLY_LOSSES);
    uint64_t sum = 0;
    for (size_t i = 0; i < entries; i++) {
        assert_true(i == 0 || map[i].offset > map[i - 1].offset + map[i - 1].bytes);
        sum += map[i].bytes;
    }
    if (entries < ASSEMBLY_LOSSES) {
        assert_int_equal(sum, counters.lost_bytes);
    }
}

static void many_packets(size_t frame_bytes, size_t window, size_t queue, unsigned packets,
                         bool fetched) {
    nfsar_error error;
    struct assembly *assembly;
    struct hostile hostile = {0};
    uint8_t packet[MOST] = {0};
    uint64_t now_ns = 0;
    uint64_t frames = 0;
    uint64_t missing = 0;
    const struct nfsar_dca1000_frame *frame;
    assert_ok(assembly_create(frame_bytes, window, queue, 0, &assembly, &error), error);
    for (unsigned i = 0; i < packets; i++) {
        now_ns += draw(80000);
        const size_t n = make(&hostile, packet);
        uint8_t *exact = malloc(n > 0 ? n : 1); /* so that a look beyond its end is seen */
        memcpy(exact, packet, n);
        assembly_packet(assembly, exact, n, now_ns);
        free(exact);
        for (unsigned tries = 0; fetched && tries < 50; tries++) {
            frame = assembly_next(assembly);
            if (frame == NULL) {
                break;
            }
            assert_int_equal(frame->number, frames++);
            missing += frame->missing_bytes;
        }
    }
    assembly_finish(assembly, now_ns);
    check_sums(assembly, now_ns);
    for (unsigned tries = 0; tries < 3000000 && (frame = assembly_next(assembly)) != NULL;
         tries++) {
        assert_int_equal(frame->number, frames++);
        assert_true(frame->data[0] == frame->data[0] && frame->data[frame_bytes - 1] < 256);
        missing += frame->missing_bytes;
    }
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    if (assembly_next(assembly) == NULL) {
        assert_int_equal(frames, (counters.end_byte + frame_bytes - 1) / frame_bytes);
        assert_int_equal(missing, frames * frame_bytes - counters.bytes);
    }
    assert_true(counters.packets + counters.overrun + counters.late > packets / 10);
    assert_true(counters.reordered > 0 && counters.malformed > 0 && counters.losses > 0);
    assembly_free(assembly);
}

static void almost_right(void **state) {
    (void)state;
    random_state = 1;
    many_packets(16384, 256 << 10, 4 << 20, PACKETS / 4, true);
    many_packets(16384, 256 << 10, 4 << 20, PACKETS / 4, false);
    many_packets(1000, 256 << 10, 1 << 20, PACKETS / 8, true);
    many_packets(1 << 20, 64 << 10, 4 << 20, PACKETS / 8, true);
    many_packets(7, 4096, 1 << 16, PACKETS / 8, true);
    many_packets(3 << 20, 2 << 20, 4 << 20, PACKETS / 8, false);
}

/* Bytes alone at random: hardly any is taken. */
static void garbage(void **state) {
    (void)state;
    nfsar_error error;
    struct assembly *assembly;
    uint8_t packet[MOST];
    random_state = 2;
    assert_ok(assembly_create(16384, 256 << 10, 4 << 20, 0, &assembly, &error), error);
    for (unsigned i = 0; i < PACKETS; i++) {
        const size_t n = draw(2) == 0 ? 1466 : draw(MOST);
        fill_randomly(packet, n < 32 ? n : 32);
        assembly_packet(assembly, packet, n, i * UINT64_C(20000));
        struct dca1000_reply reply;
        assert_false(dca1000_read_reply(packet, n < 32 ? n : 32, &reply) && n != 8);
    }
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    assert_int_equal(counters.packets, 0);
    assert_true(counters.malformed >= PACKETS - 1); /* one may wait for another that agrees */
    assembly_free(assembly);
}

/* As many holes as there can be: the list of them is bounded. */
static void nothing_but_holes(void **state) {
    (void)state;
    nfsar_error error;
    struct assembly *assembly;
    assert_ok(assembly_create(64 << 20, 8192, 1, 0, &assembly, &error), error);
    uint8_t packet[DCA1000_HEADER_BYTES + 16] = {0};
    const uint32_t packets = 4 * ASSEMBLY_GAPS;
    memset(packet + DCA1000_HEADER_BYTES, 0xAA, 16);
    for (uint32_t i = 0; i < packets; i += 2) {
        dca1000_write_header(packet, i + 1, (uint64_t)i * 16);
        assembly_packet(assembly, packet, sizeof packet, i);
    }
    /* The second half of each hole would make two of one. */
    for (uint32_t i = packets - 101; i < packets; i += 2) {
        dca1000_write_header(packet, i + 1, (uint64_t)i * 16 + 4);
        assembly_packet(assembly, packet, DCA1000_HEADER_BYTES + 4, packets);
    }
    assembly_finish(assembly, packets);
    check_sums(assembly, packets);
    const struct nfsar_dca1000_frame *frame = assembly_next(assembly);
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    uint64_t zeros = 0;
    for (uint64_t i = 0; i < counters.end_byte; i++) {
        zeros += frame->data[i] == 0;
    }
    assert_int_equal(zeros, counters.lost_bytes);
    assert_int_equal(frame->missing_bytes, (64 << 20) - counters.bytes);
    assert_true(counters.losses <= ASSEMBLY_GAPS);
    assembly_free(assembly);
}

/* ---- over the sockets ---- */

static char card_address[32], host_address[32];

static int socket_at(const char *address) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, address, &at.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* Garbage from the card's own address to both ports, while it records. */
static void flood(nfsar_dca1000 *link) {
    const struct nfsar_dca1000_frame *frame;
    nfsar_error error;
    uint8_t packet[MOST];
    const int fd = socket_at(card_address);
    struct sockaddr_in to = {.sin_family = AF_INET};
    inet_pton(AF_INET, host_address, &to.sin_addr);
    struct nfsar_dca1000_counters counters;
    for (unsigned i = 0; i < FLOOD; i++) {
        const size_t n = i % 2 == 0 ? draw(MOST) : draw(24);
        fill_randomly(packet, n);
        to.sin_port = htons(i % 2 == 0 ? 4098 : 4096);
        sendto(fd, packet, n, 0, (struct sockaddr *)&to, sizeof to);
        if (i % 256 == 0) {
            assert_ok(nfsar_dca1000_next(link, 0, &frame, &error), error);
        }
    }
    close(fd);
    /* All of them were seen, or the kernel dropped them. */
    for (unsigned tries = 0; tries < WAIT_MS / 10; tries++) {
        assert_ok(nfsar_dca1000_next(link, 10, &frame, &error), error);
        nfsar_dca1000_counters(link, &counters);
        if (counters.malformed + counters.kernel_drops >= FLOOD / 2) {
            break;
        }
    }
    assert_true(counters.malformed + counters.kernel_drops >= FLOOD / 2);
    assert_int_equal(counters.foreign, 0);
}

static void garbage_over_the_sockets(void **state) {
    (void)state;
    enum { FRAME = 16384, FRAMES = 100 };
    const char *why = "";
    nfsar_error error;
    nfsar_dca1000 *link;
    const struct card_options options = {
        .card_address = card_address, .host_address = host_address, .quiet_ms = 50};
    const struct nfsar_dca1000_options link_options = {.card_address = card_address,
                                                       .host_address = host_address,
                                                       .packet_delay_s = 5e-6,
                                                       .timeout_ms = 10000};
    random_state = 3;
    struct card *card = card_open(&options, &why);
    assert_non_null(card);
    uint8_t *samples = malloc((size_t)FRAMES * FRAME);
    stream_fill(samples, 0, (size_t)FRAMES * FRAME);
    assert_ok(nfsar_dca1000_open(&link_options, &link, &error), error);
    assert_ok(nfsar_dca1000_configure(link, &error), error);
    assert_ok(nfsar_dca1000_start(link, FRAME, &error), error);
    flood(link);
    assert_int_equal(card_send(card, samples, (size_t)FRAMES * FRAME), (size_t)FRAMES * FRAME);
    for (uint64_t i = 0; i < FRAMES; i++) {
        const struct nfsar_dca1000_frame *frame;
        assert_ok(nfsar_dca1000_next(link, WAIT_MS, &frame, &error), error);
        assert_non_null(frame);
        assert_int_equal(frame->number, i);
        assert_int_equal(frame->missing_bytes, 0);
        assert_memory_equal(frame->data, samples + i * FRAME, FRAME);
    }
    assert_ok(nfsar_dca1000_alive(link, &error), error);
    assert_ok(nfsar_dca1000_stop(link, 100, &error), error);
    nfsar_dca1000_close(link);
    card_close(card);
    free(samples);
}

int main(void) {
    const unsigned number = (unsigned)getpid();
    snprintf(host_address, sizeof host_address, "127.%u.%u.4", 10 + (number >> 8) % 200,
             number & 0xFF);
    snprintf(card_address, sizeof card_address, "127.%u.%u.5", 10 + (number >> 8) % 200,
             number & 0xFF);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(almost_right),
        cmocka_unit_test(garbage),
        cmocka_unit_test(nothing_but_holes),
        cmocka_unit_test(garbage_over_the_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
