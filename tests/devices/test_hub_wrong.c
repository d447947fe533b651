/* The hub's line with the wrong thing at its other end. */
#include <string.h>
#include <unistd.h>

#include "tests/devices/hub_line.h"

/* Less patience where no answer will come; enough for what does to be heard on a busy computer. */
static const struct nfsar_hub_options hasty = {.timeout_ms = 250, .tries = 4};

static void assert_open_fails(const struct peer *peer, const struct nfsar_hub_options *options,
                              enum nfsar_status status, const char *part) {
    nfsar_hub *hub = NULL;
    nfsar_error error = {0};
    assert_int_equal(nfsar_hub_open(peer->path, options, &hub, &error), status);
    assert_null(hub);
    assert_contains(error.message, part);
    assert_contains(error.message, peer->path);
}

static void say_nothing(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
    }
}

static void say_garbage(struct peer *peer) {
    while (!peer->ended) {
        peer_garbage(peer, 10);
        usleep(2000);
    }
}

static void flood(struct peer *peer) {
    while (!peer->ended) {
        peer_garbage(peer, 1000);
    }
}

static void only_talk(struct peer *peer) {
    struct nfsar_wire_message command;
    while (!peer->ended) {
        const uint8_t payload[NFSAR_WIRE_IMU_BYTES] = {0};
        peer_record(peer, NFSAR_WIRE_IMU, 0, payload, sizeof payload);
        peer_hear(peer, &command, 5);
    }
}

static void loop_back(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        uint8_t frame[NFSAR_WIRE_FRAME_MAX];
        peer_send(peer, frame,
                  nfsar_wire_encode(frame, &command.header, command.payload, command.bytes));
    }
}

static void hang_up(struct peer *peer) {
    struct nfsar_wire_message command;
    peer_hear(peer, &command, 20000);
}

static void other_major_in_reply(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_reply(peer, &command, NFSAR_WIRE_RESULT_VERSION, 9, NULL, 0);
    }
}

static void other_major_in_hello(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_hello(peer, 0, 3, 1);
        peer_reply(peer, &command, NFSAR_WIRE_RESULT_DONE, 0, NULL, 0);
    }
}

static void no_introduction(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_reply(peer, &command, NFSAR_WIRE_RESULT_DONE, NFSAR_WIRE_MAJOR, NULL, 0);
    }
}

static void what_is_no_hub_is_said(void **state) {
    (void)state;
    static const struct {
        peer_script *script;
        bool answers;
        enum nfsar_status status;
        const char *part;
    } wrong[] = {
        {say_nothing, false, NFSAR_ERROR_DEVICE,
         "nothing answers; an emulated hub serves one program"},
        {say_garbage, false, NFSAR_ERROR_DEVICE, "something else than the hub speaks here"},
        {flood, false, NFSAR_ERROR_DEVICE, "something else than the hub speaks here"},
        {only_talk, false, NFSAR_ERROR_DEVICE, "the hub is heard, but does not answer"},
        {loop_back, false, NFSAR_ERROR_DEVICE, "what is sent comes back"},
        {hang_up, true, NFSAR_ERROR_DEVICE, "the hub is gone"},
        {no_introduction, true, NFSAR_ERROR_DEVICE, "does not say who it is"},
        {other_major_in_reply, true, NFSAR_ERROR_VERSION,
         "the hub speaks version 9 of the protocol, this nfsar version 1; update the nfsar"},
        {other_major_in_hello, true, NFSAR_ERROR_VERSION,
         "version 0 of the protocol, this nfsar version "
         "1; update the firmware of the hub"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct peer peer;
        peer_begin(&peer, wrong[i].script, NULL);
        assert_open_fails(&peer, wrong[i].answers ? &patient : &hasty, wrong[i].status,
                          wrong[i].part);
        peer_end(&peer);
    }
}

static void more_minor(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        if (command.header.kind == NFSAR_WIRE_DO_HELLO) {
            peer_hello(peer, NFSAR_WIRE_MAJOR, NFSAR_WIRE_MINOR + 5, 1);
            peer_reply(peer, &command, NFSAR_WIRE_RESULT_DONE, NFSAR_WIRE_MAJOR, NULL, 0);
        } else {
            peer_record(peer, 0x7f, 0, NULL, 0);
            peer_answer(peer, &command);
        }
    }
}

static void more_minor_is_accepted(void **state) {
    (void)state;
    struct peer peer;
    peer_begin(&peer, more_minor, NULL);
    nfsar_hub *hub = open_peer(&peer, &patient);
    assert_int_equal(nfsar_hub_hello(hub)->minor, NFSAR_WIRE_MINOR + 5);
    assert_echoes(hub);
    nfsar_hub_close(hub);
    peer_end(&peer);
}

static void ports_that_are_none(void **state) {
    (void)state;
    nfsar_hub *hub = NULL;
    nfsar_error error;
    test_write_file("file", "x", 1);
    assert_int_equal(nfsar_hub_open("/dev/none", NULL, &hub, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "/dev/none: No such file or directory; ");
    assert_int_equal(nfsar_hub_open(test_path("file"), NULL, &hub, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "is neither a serial port nor a socket");
    assert_int_equal(nfsar_hub_open("/dev/null", NULL, &hub, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "is not a serial port");
    /* A socket whose emulator has ended. */
    struct peer peer;
    peer_begin(&peer, hang_up, NULL);
    close(peer.listener);
    pthread_cancel(peer.thread);
    pthread_join(peer.thread, NULL);
    assert_int_equal(nfsar_hub_open(peer.path, NULL, &hub, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "the emulator that made this socket has ended");
    assert_null(hub);
}

/* Frames that are right, with payloads that are not: every length of every kind. */
static void hostile(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
        memset(payload, 0xff, sizeof payload);
        if (command.header.kind != NFSAR_WIRE_DO_HELLO) {
            for (unsigned kind = 0; kind < 0x40; kind++) {
                for (size_t n = 0; n < 12; n++) {
                    peer_record(peer, (uint8_t)kind, 0xff, payload, n);
                }
                /* Not a hello or reply that can be read: that would be believed. */
                if (kind != NFSAR_WIRE_HELLO) {
                    peer_record(peer, (uint8_t)kind, 0xff, payload, sizeof payload);
                }
            }
        }
        /* A frame longer than any, one of a single byte, one that ends within its own code. */
        memset(payload, 0x7f, sizeof payload);
        peer_send(peer, payload, sizeof payload);
        peer_send(peer, payload, sizeof payload);
        peer_send(peer, "\0\1\0\377\1\0", 6);
        peer_answer(peer, &command);
    }
}

static bool count_records(void *context, const struct nfsar_wire_message *record) {
    unsigned *n = context;
    assert_true(record->bytes <= NFSAR_WIRE_PAYLOAD_MAX);
    (*n)++;
    return true;
}

static void hostile_lengths_do_no_harm(void **state) {
    (void)state;
    unsigned n = 0;
    struct peer peer;
    peer_begin(&peer, hostile, NULL);
    const struct nfsar_hub_options options = {
        .record = count_records, .context = &n, .timeout_ms = 5000, .tries = 4};
    nfsar_hub *hub = open_peer(&peer, &options);
    assert_int_equal(n, 1);
    assert_echoes(hub);
    /* Five echoes, each after 64 kinds of 13 lengths; hellos of 12, replies are not handed on. */
    assert_int_equal(n, 1 + 5 * (64 * 13 - 1 - 13));
    struct nfsar_hub_counters counters;
    nfsar_hub_counters(hub, &counters);
    assert_int_equal(counters.lost, 0);
    assert_true(counters.not_readable > 0);
    assert_false(nfsar_hub_restarted(hub));
    nfsar_hub_close(hub);
    peer_end(&peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_hub_is_said),
        cmocka_unit_test(more_minor_is_accepted),
        cmocka_unit_test(ports_that_are_none),
        cmocka_unit_test(hostile_lengths_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
