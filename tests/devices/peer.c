#include "tests/devices/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support.h"

static void *run(void *context) {
    struct peer *peer = context;
    if (peer->listener >= 0) {
        struct pollfd wait = {.fd = peer->listener, .events = POLLIN};
        if (poll(&wait, 1, 10000) != 1) {
            return NULL;
        }
        peer->line = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
    }
    if (peer->line >= 0) {
        peer->script(peer);
        close(peer->line);
    }
    return NULL;
}

static void begin(struct peer *peer, peer_script *script, void *context) {
    peer->script = script;
    peer->context = context;
    assert_int_equal(pthread_create(&peer->thread, NULL, run, peer), 0);
}

void peer_begin(struct peer *peer, peer_script *script, void *context) {
    static unsigned number;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *peer = (struct peer){.line = -1};
    snprintf(peer->path, sizeof peer->path, "%s/peer%u", test_folder(), number++);
    assert_true(strlen(peer->path) < sizeof address.sun_path);
    memcpy(address.sun_path, peer->path, strlen(peer->path) + 1);
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer->listener >= 0);
    assert_int_equal(bind(peer->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(peer->listener, 1), 0);
    begin(peer, script, context);
}

void peer_begin_terminal(struct peer *peer, peer_script *script, void *context) {
    *peer = (struct peer){.listener = -1};
    peer->line = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(peer->line >= 0);
    assert_int_equal(grantpt(peer->line), 0);
    assert_int_equal(unlockpt(peer->line), 0);
    assert_int_equal(ptsname_r(peer->line, peer->path, sizeof peer->path), 0);
    begin(peer, script, context);
}

void peer_end(struct peer *peer) {
    assert_int_equal(pthread_join(peer->thread, NULL), 0);
    if (peer->listener >= 0) {
        close(peer->listener);
        unlink(peer->path);
    }
}

bool peer_hear(struct peer *peer, struct nfsar_wire_message *command, int timeout_ms) {
    while (!peer->ended) {
        struct pollfd wait = {.fd = peer->line, .events = POLLIN};
        const int ready = poll(&wait, 1, timeout_ms);
        uint8_t byte;
        if (ready == 0) {
            return false;
        }
        /* A terminal that nobody has opened yet hangs up; the host is to come. */
        if (peer->listener < 0 && (wait.revents & POLLIN) == 0 && peer->reader.frames == 0) {
            usleep(1000);
            continue;
        }
        if (ready < 0 || read(peer->line, &byte, 1) != 1) {
            peer->ended = true;
        } else if (nfsar_wire_read(&peer->reader, byte, command)) {
            return true;
        }
    }
    return false;
}

void peer_send(struct peer *peer, const void *bytes, size_t n) {
    const uint8_t *from = bytes;
    while (n > 0 && !peer->ended) {
        const ssize_t sent = peer->listener >= 0 ? send(peer->line, from, n, MSG_NOSIGNAL)
                                                 : write(peer->line, from, n);
        if (sent <= 0) {
            peer->ended = true;
            return;
        }
        from += sent;
        n -= (size_t)sent;
    }
}

void peer_record(struct peer *peer, uint8_t kind, uint8_t channel, const uint8_t *payload,
                 size_t n) {
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    const struct nfsar_wire_header header = {.kind = kind,
                                             .channel = channel,
                                             .sequence = peer->sequence++,
                                             .time_ns = peer->time_ns += 1000000};
    peer_send(peer, frame, nfsar_wire_encode(frame, &header, payload, n));
}

void peer_reply(struct peer *peer, const struct nfsar_wire_message *command, uint8_t result,
                uint16_t detail, const uint8_t *more, size_t n) {
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    const struct nfsar_wire_reply reply = {command->header.kind, result, detail,
                                           command->header.sequence};
    const size_t fields = nfsar_wire_pack_reply(payload, &reply);
    if (n > 0) {
        memcpy(payload + fields, more, n);
    }
    peer_record(peer, NFSAR_WIRE_REPLY, command->header.channel, payload, fields + n);
}

void peer_hello(struct peer *peer, uint16_t major, uint16_t minor, uint32_t starts) {
    /* More minor, more fields. */
    uint8_t payload[NFSAR_WIRE_HELLO_BYTES + 8] = {0};
    const struct nfsar_wire_hello hello = {.major = major,
                                           .minor = minor,
                                           .firmware = "7.8",
                                           .board = "scripted",
                                           .count_hz = 84000000,
                                           .tick_hz = 40000,
                                           .radar_bytes = 6144,
                                           .axes = 3,
                                           .sensors = 4,
                                           .reset = NFSAR_WIRE_RESET_WATCHDOG,
                                           .starts = starts};
    const size_t n = nfsar_wire_pack_hello(payload, &hello);
    peer_record(peer, NFSAR_WIRE_HELLO, 0, payload, n + (minor > NFSAR_WIRE_MINOR ? 8 : 0));
}

void peer_answer(struct peer *peer, const struct nfsar_wire_message *command) {
    const struct nfsar_wire_status status = {.made = peer->sequence, .queue_size = 12288};
    uint8_t payload[NFSAR_WIRE_STATUS_BYTES];
    switch (command->header.kind) {
    case NFSAR_WIRE_DO_HELLO:
        peer_hello(peer, NFSAR_WIRE_MAJOR, NFSAR_WIRE_MINOR, 1);
        peer_reply(peer, command, NFSAR_WIRE_RESULT_DONE, NFSAR_WIRE_MAJOR, NULL, 0);
        break;
    case NFSAR_WIRE_DO_STATUS:
        peer_record(peer, NFSAR_WIRE_STATUS, 0, payload, nfsar_wire_pack_status(payload, &status));
        peer_reply(peer, command, NFSAR_WIRE_RESULT_DONE, 0, NULL, 0);
        break;
    case NFSAR_WIRE_DO_ECHO:
        peer_reply(peer, command, NFSAR_WIRE_RESULT_DONE, 0, command->payload, command->bytes);
        break;
    default:
        peer_reply(peer, command, NFSAR_WIRE_RESULT_DONE, 0, NULL, 0);
        break;
    }
}

void peer_behave(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_answer(peer, &command);
    }
}

void peer_garbage(struct peer *peer, unsigned n) {
    uint32_t random = 12345;
    for (unsigned i = 0; i < n; i++) {
        uint8_t bytes[64];
        for (size_t j = 0; j < sizeof bytes; j++) {
            random = random * 1664525U + 1013904223U;
            bytes[j] = (uint8_t)(random >> 24);
        }
        /* Long stretches without a zero as well. */
        for (size_t j = 0; i % 20 > 8 && j < sizeof bytes; j++) {
            bytes[j] |= 1;
        }
        peer_send(peer, bytes, sizeof bytes);
    }
}
