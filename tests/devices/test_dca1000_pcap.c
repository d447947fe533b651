/* Captures of a real DCA1000EVM and its AWR1843, replayed. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nfsar/dca1000.h>

#include "host/devices/dca1000/assembly.h"
#include "host/devices/dca1000/packet.h"
#include "tests/support.h"

enum {
    FILE_HEADER = 24,
    PACKET_HEADER = 16,
    UDP_AT = 14 + 20, /* Ethernet, and IP without options */
    PAYLOAD_AT = UDP_AT + 8,
    FRAME = 16384,
    FILE_MAX = 1 << 20
};

static const char *folder;

static uint8_t *read_file(const char *name, size_t *n) {
    char path[600];
    snprintf(path, sizeof path, "%s/dca1000_pcap/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = malloc(FILE_MAX);
    *n = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return bytes;
}

/* A packet of a capture; port is that of the host. */
struct packet {
    uint64_t ns;
    unsigned port;
    const uint8_t *bytes;
    size_t n;
};

static uint32_t get32(const uint8_t *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* The next packet of a classic pcap file, from *at on. */
static bool next(const uint8_t *file, size_t n, size_t *at, struct packet *packet) {
    if (*at + PACKET_HEADER > n) {
        return false;
    }
    const uint8_t *header = file + *at;
    const uint8_t *frame = header + PACKET_HEADER;
    const size_t captured = get32(header + 8);
    assert_true(*at + PACKET_HEADER + captured <= n && captured >= PAYLOAD_AT);
    packet->ns = get32(header) * UINT64_C(1000000000) + get32(header + 4) * UINT64_C(1000);
    packet->port = (unsigned)frame[UDP_AT + 2] << 8 | frame[UDP_AT + 3];
    packet->n = ((size_t)frame[UDP_AT + 4] << 8 | frame[UDP_AT + 5]) - 8;
    packet->bytes = frame + PAYLOAD_AT;
    assert_true(PAYLOAD_AT + packet->n <= captured); /* small ones are padded to 60 bytes */
    *at += PACKET_HEADER + captured;
    return true;
}

static void statuses_are_decoded(void **state) {
    (void)state;
    static const unsigned codes[] = {1, 2, 5, 6, 0x0B, 3, 4, 9, 0x0A, 0x0E};
    size_t n;
    uint8_t *file = read_file("test_cmd.pcap", &n);
    size_t at = FILE_HEADER;
    size_t i = 0;
    struct packet packet;
    for (; next(file, n, &at, &packet); i++) {
        struct dca1000_reply reply;
        assert_true(i < sizeof codes / sizeof *codes);
        assert_int_equal(packet.port, 4096);
        assert_true(dca1000_read_reply(packet.bytes, packet.n, &reply));
        assert_int_equal(reply.code, codes[i]);
        assert_int_equal(reply.status, codes[i] == DCA1000_VERSION ? 0x0402 : 0);
        assert_string_not_equal(dca1000_name(reply.code), "unknown command");
    }
    assert_int_equal(i, 10);
    free(file);
}

/* One frame of the radar: 11 full packets, 2 s later a short one, and with it the notice that the
 * recording is complete: its bytes are 00 01, as 02 04 are those of version 2.8. */
static void the_frame_is_the_payload(void **state) {
    (void)state;
    size_t n;
    size_t expected_bytes;
    uint8_t *file = read_file("test_one_frame.pcap", &n);
    uint8_t *expected = read_file("one_frame_payload.bin", &expected_bytes);
    assert_int_equal(expected_bytes, FRAME);
    struct assembly *assembly = NULL;
    nfsar_error error;
    size_t at = FILE_HEADER;
    unsigned replies = 0;
    uint32_t notices = 0;
    uint64_t first_ns = 0;
    uint64_t last_ns = 0;
    struct packet packet;
    while (next(file, n, &at, &packet)) {
        struct dca1000_reply reply;
        if (packet.port == 4096) {
            assert_true(dca1000_read_reply(packet.bytes, packet.n, &reply));
            notices |= reply.code == DCA1000_STATUS ? reply.status : 0;
            replies += reply.code != DCA1000_STATUS;
            continue;
        }
        assert_int_equal(packet.port, 4098);
        if (assembly == NULL) {
            first_ns = packet.ns;
            assert_ok(assembly_create(FRAME, 256 << 10, 1 << 20, first_ns, &assembly, &error),
                      error);
        }
        assert_false(assembly_ready(assembly));
        assembly_packet(assembly, packet.bytes, packet.n, packet.ns);
        last_ns = packet.ns;
    }
    assert_int_equal(replies, 5);
    assert_int_equal(notices, NFSAR_DCA1000_RECORDED);

    const struct nfsar_dca1000_frame *frame = assembly_next(assembly);
    assert_non_null(frame);
    assert_int_equal(frame->number, 0);
    assert_int_equal(frame->missing_bytes, 0);
    assert_memory_equal(frame->data, expected, FRAME);
    assert_true(frame->first_ns == first_ns && frame->last_ns == last_ns);
    assert_near((double)(last_ns - first_ns) * 1e-9, 2.01, 0.01);
    assert_null(assembly_next(assembly));
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    assert_int_equal(counters.packets, 12);
    assert_int_equal(counters.bytes, FRAME);
    assert_int_equal(counters.end_byte, FRAME);
    assert_int_equal(counters.lost_bytes + counters.malformed + counters.late, 0);
    assembly_free(assembly);
    free(expected);
    free(file);
}

/* ---- the whole link, with a card whose every byte was a real one's ---- */

struct player {
    int commands; /* hears them */
    int from;     /* sends what was captured */
    struct sockaddr_in host;
    const uint8_t *replies; /* test_cmd.pcap */
    size_t reply_bytes;
    const uint8_t *stream; /* test_one_frame.pcap */
    size_t stream_bytes;
};

static void play(const struct player *player, const struct packet *packet) {
    struct sockaddr_in to = player->host;
    to.sin_port = htons((uint16_t)packet->port);
    sendto(player->from, packet->bytes, packet->n, 0, (const struct sockaddr *)&to, sizeof to);
}

/* The captured reply to a command, and after record start the captured stream. */
static void answer(const struct player *player, unsigned code) {
    struct packet packet;
    struct dca1000_reply reply;
    size_t at = FILE_HEADER;
    while (next(player->replies, player->reply_bytes, &at, &packet)) {
        if (dca1000_read_reply(packet.bytes, packet.n, &reply) && reply.code == code) {
            play(player, &packet);
        }
    }
    at = FILE_HEADER;
    while (code == DCA1000_RECORD_START &&
           next(player->stream, player->stream_bytes, &at, &packet)) {
        const bool answered =
            dca1000_read_reply(packet.bytes, packet.n, &reply) && reply.code != DCA1000_STATUS;
        if (!answered) {
            play(player, &packet);
        }
    }
}

/* Until a command that the card does not have. */
static void *be_the_card(void *context) {
    const struct player *player = context;
    uint8_t command[64];
    while (recv(player->commands, command, sizeof command, 0) >= 4 && command[2] != 0xFF) {
        answer(player, command[2]);
    }
    return NULL;
}

static int socket_at(const char *address, uint16_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, address, &at.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void the_whole_link(void **state) {
    (void)state;
    enum { WAIT_MS = 20000 };
    char card_address[32];
    char host_address[32];
    const unsigned number = (unsigned)getpid();
    snprintf(host_address, sizeof host_address, "127.%u.%u.6", 10 + (number >> 8) % 200,
             number & 0xFF);
    snprintf(card_address, sizeof card_address, "127.%u.%u.7", 10 + (number >> 8) % 200,
             number & 0xFF);
    struct player player = {.commands = socket_at(card_address, 4096),
                            .from = socket_at(card_address, 0),
                            .host = {.sin_family = AF_INET}};
    inet_pton(AF_INET, host_address, &player.host.sin_addr);
    uint8_t *replies = read_file("test_cmd.pcap", &player.reply_bytes);
    uint8_t *stream = read_file("test_one_frame.pcap", &player.stream_bytes);
    player.replies = replies;
    player.stream = stream;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, be_the_card, &player), 0);

    nfsar_error error;
    nfsar_dca1000 *card;
    unsigned major = 0;
    unsigned minor = 0;
    size_t expected_bytes;
    uint8_t *expected = read_file("one_frame_payload.bin", &expected_bytes);
    const struct nfsar_dca1000_options options = {
        .card_address = card_address, .host_address = host_address, .timeout_ms = WAIT_MS};
    const struct nfsar_dca1000_frame *frame;
    assert_ok(nfsar_dca1000_open(&options, &card, &error), error);
    assert_ok(nfsar_dca1000_configure(card, &error), error);
    assert_ok(nfsar_dca1000_version(card, &major, &minor, NULL, &error), error);
    assert_true(major == 2 && minor == 8);
    assert_ok(nfsar_dca1000_start(card, FRAME, &error), error);
    assert_ok(nfsar_dca1000_next(card, WAIT_MS, &frame, &error), error);
    assert_non_null(frame);
    assert_int_equal(frame->missing_bytes, 0);
    assert_memory_equal(frame->data, expected, FRAME);
    assert_ok(nfsar_dca1000_stop(card, 100, &error), error);
    struct nfsar_dca1000_counters counters;
    nfsar_dca1000_counters(card, &counters);
    assert_int_equal(counters.packets, 12);
    assert_int_equal(counters.end_byte, FRAME);
    assert_int_equal(counters.notices, NFSAR_DCA1000_RECORDED);
    assert_int_equal(counters.foreign + counters.malformed + counters.lost_bytes, 0);
    nfsar_dca1000_close(card);

    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4096)};
    inet_pton(AF_INET, card_address, &to.sin_addr);
    assert_int_equal(
        sendto(player.from, "\x5A\xA5\xFF\x00", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    pthread_join(thread, NULL);
    close(player.commands);
    close(player.from);
    free(expected);
    free(replies);
    free(stream);
}

int main(void) {
    folder = test_data_folder();
    if (folder == NULL) {
        print_message("no real recordings (NFSAR_DATA or ../shared/data): skipped\n");
        return TEST_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_decoded),
        cmocka_unit_test(the_frame_is_the_payload),
        cmocka_unit_test(the_whole_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
