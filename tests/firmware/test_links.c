/* The ways to the host: commands heard on either, answered once or again, never run twice. */
#include "tests/firmware/check.h"

#include "firmware/app/links.h"
#include "tests/firmware/dcd_sim.h"
#include "tests/firmware/fake_board.h"

struct bench {
    struct links links;
    struct outbox outbox;
    struct dcd_sim sim;
    struct usb_host host;
    /* What commands came, and the replies that went out. */
    unsigned runs;
    uint8_t last_kind;
    uint32_t last_count;
    struct nfsar_wire_reader readers[LINKS];
    unsigned replies[LINKS];
    uint32_t answered; /* what the last reply says */
    uint8_t channel;   /* its */
};

/* Answers with how many commands it ran by now. */
static size_t command(void *context, const struct nfsar_wire_message *message, uint32_t count,
                      uint8_t answer[NFSAR_WIRE_PAYLOAD_MAX]) {
    struct bench *bench = context;
    uint8_t *at = answer;
    bench->runs++;
    bench->last_kind = message->header.kind;
    bench->last_count = count;
    nfsar_wire_put_u32(&at, bench->runs);
    return (size_t)(at - answer);
}

static void turn(struct bench *bench) {
    links_poll(&bench->links, &bench->outbox, 1000, command, bench);
    links_send(&bench->links, &bench->outbox);
}

static void turn_for_usb(void *context) {
    turn(context);
}

static void start(struct bench *bench, bool usb) {
    memset(bench, 0, sizeof *bench);
    fake_board_reset();
    outbox_init(&bench->outbox);
    if (usb) {
        dcd_sim_init(&bench->sim, true);
        fake_board.usb = &bench->sim.dcd;
    }
    links_init(&bench->links);
    bench->host =
        (struct usb_host){.port = dcd_sim_port(&bench->sim), .run = turn_for_usb, .device = bench};
    assert_int_equal(fake_board.port[BOARD_PORT_LINK].rate, LINK_RATE);
}

static void hear(struct bench *bench, enum link link, const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct nfsar_wire_message message;
        if (nfsar_wire_read(&bench->readers[link], bytes[i], &message) &&
            message.header.kind == NFSAR_WIRE_REPLY) {
            const uint8_t *at = message.payload;
            assert_int_equal(message.bytes, 4);
            bench->replies[link]++;
            bench->answered = nfsar_wire_get_u32(&at);
            bench->channel = message.header.channel;
        }
    }
}

/* Turns of the loop, and what came of them on both ways. */
static void go(struct bench *bench) {
    uint8_t bytes[4096];
    for (unsigned i = 0; i < 20; i++) {
        turn(bench);
        hear(bench, LINK_SERIAL, bytes, fake_board_receive(BOARD_PORT_LINK, bytes, sizeof bytes));
    }
    if (bench->sim.connected) {
        int n;
        while ((n = usb_host_in(&bench->host, 0x81, bytes, sizeof bytes)) > 0) {
            hear(bench, LINK_USB, bytes, (size_t)n);
        }
    }
}

static size_t frame(uint8_t *to, uint8_t kind, uint32_t sequence) {
    const struct nfsar_wire_header header = {.kind = kind, .channel = 9, .sequence = sequence};
    return nfsar_wire_encode(to, &header, (const uint8_t *)"payload", 7);
}

static void say(struct bench *bench, enum link link, uint8_t kind, uint32_t sequence) {
    uint8_t bytes[NFSAR_WIRE_FRAME_MAX];
    const size_t n = frame(bytes, kind, sequence);
    if (link == LINK_SERIAL) {
        assert_int_equal(fake_board_send(BOARD_PORT_LINK, bytes, n), n);
    } else {
        assert_int_equal(usb_host_out(&bench->host, 1, bytes, n, true), n);
    }
    go(bench);
}

static void a_command_is_answered(void **state) {
    (void)state;
    static struct bench bench;
    start(&bench, false);
    fake_board.time = 4242;
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_ECHO, 1);
    assert_int_equal(bench.runs, 1);
    assert_int_equal(bench.last_kind, NFSAR_WIRE_DO_ECHO);
    assert_int_equal(bench.last_count, 4242);
    assert_int_equal(bench.replies[LINK_SERIAL], 1);
    assert_int_equal(bench.channel, 9);
    assert_int_equal(links_frames(&bench.links), 1);
    assert_int_equal(links_bad(&bench.links), 0);
}

static void a_repeated_command_is_answered_again_and_run_once(void **state) {
    (void)state;
    static struct bench bench;
    start(&bench, false);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_AXIS_MOVE, 7);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_AXIS_MOVE, 7);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_AXIS_MOVE, 7);
    assert_int_equal(bench.runs, 1);
    assert_int_equal(bench.replies[LINK_SERIAL], 3);
    assert_int_equal(bench.answered, 1);
    /* Another number, or another command of the same number, is another command. */
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_AXIS_MOVE, 8);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_AXIS_STOP, 8);
    assert_int_equal(bench.runs, 3);
    assert_int_equal(bench.answered, 3);
    /* The number 0 is as good as any, also as the first. */
    start(&bench, false);
    say(&bench, LINK_SERIAL, 0, 0);
    say(&bench, LINK_SERIAL, 0, 0);
    assert_int_equal(bench.runs, 1);
    assert_int_equal(bench.replies[LINK_SERIAL], 2);
}

/* A reply that found no room is made when the command comes again. */
static void a_lost_reply_is_had_by_asking_again(void **state) {
    (void)state;
    static struct bench bench;
    uint8_t bytes[NFSAR_WIRE_FRAME_MAX];
    start(&bench, false);
    while (outbox_put(&bench.outbox, NFSAR_WIRE_STATUS, 0, 0, NULL, 0)) {
    }
    fake_board_send(BOARD_PORT_LINK, bytes, frame(bytes, NFSAR_WIRE_DO_AXIS_MOVE, 1));
    links_poll(&bench.links, &bench.outbox, 0, command, &bench);
    assert_int_equal(bench.runs, 1);
    go(&bench);
    assert_int_equal(bench.replies[LINK_SERIAL], 0);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_AXIS_MOVE, 1);
    assert_int_equal(bench.replies[LINK_SERIAL], 1);
    assert_int_equal(bench.runs, 1);
}

static void hello_is_always_carried_out(void **state) {
    (void)state;
    static struct bench bench;
    start(&bench, false);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_HELLO, 1);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_HELLO, 1);
    assert_int_equal(bench.runs, 2);
    /* A new session numbers from the beginning again. */
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_ECHO, 2);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_HELLO, 1);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_ECHO, 2);
    assert_int_equal(bench.runs, 5);
    assert_int_equal(bench.replies[LINK_SERIAL], 5);
}

static void garbage_between_frames_costs_no_command(void **state) {
    (void)state;
    static struct bench bench;
    uint8_t bytes[NFSAR_WIRE_FRAME_MAX];
    uint32_t seed = 12;
    start(&bench, false);
    for (uint32_t i = 1; i <= 200; i++) {
        /* The zero that a host sends first ends whatever came before. */
        const unsigned n = noise(&seed) % 600;
        for (unsigned k = 0; k < n; k++) {
            const uint8_t byte = (uint8_t)(noise(&seed) | 1U);
            fake_board_send(BOARD_PORT_LINK, &byte, 1);
        }
        fake_board_send(BOARD_PORT_LINK, "", 1);
        fake_board_send(BOARD_PORT_LINK, bytes, frame(bytes, NFSAR_WIRE_DO_ECHO, i));
        go(&bench);
        assert_int_equal(bench.runs, i);
    }
    assert_int_equal(bench.replies[LINK_SERIAL], 200);
    assert_int_equal(links_frames(&bench.links), 200);
    assert_in_range(links_bad(&bench.links), 195, 200);
}

/* A frame whose bytes are damaged one by one is never taken for a command. */
static void damaged_frames_are_counted_and_not_run(void **state) {
    (void)state;
    static struct bench bench;
    uint8_t bytes[NFSAR_WIRE_FRAME_MAX];
    const size_t n = frame(bytes, NFSAR_WIRE_DO_EMERGENCY, 1);
    start(&bench, false);
    for (size_t i = 0; i + 1 < n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t damaged[NFSAR_WIRE_FRAME_MAX];
            memcpy(damaged, bytes, n);
            damaged[i] ^= (uint8_t)(1U << bit);
            fake_board_send(BOARD_PORT_LINK, damaged, n);
            go(&bench);
        }
    }
    assert_int_equal(bench.runs, 0);
    assert_true(links_bad(&bench.links) >= 8 * (n - 1));
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_EMERGENCY, 1);
    assert_int_equal(bench.runs, 1);
}

static void no_more_than_256_bytes_a_turn(void **state) {
    (void)state;
    static struct bench bench;
    uint8_t bytes[NFSAR_WIRE_FRAME_MAX];
    start(&bench, false);
    for (uint32_t i = 1; i <= 100; i++) {
        fake_board_send(BOARD_PORT_LINK, bytes, frame(bytes, NFSAR_WIRE_DO_ECHO, i));
    }
    unsigned before = 0;
    const unsigned each = 256 / (unsigned)frame(bytes, NFSAR_WIRE_DO_ECHO, 1);
    while (bench.runs < 100) {
        turn(&bench);
        assert_in_range(bench.runs - before, 1, each + 1);
        before = bench.runs;
    }
}

static void records_go_where_the_host_spoke_last(void **state) {
    (void)state;
    static struct bench bench;
    start(&bench, true);
    assert_true(bench.links.has_usb);
    assert_string_equal(bench.links.usb.serial, "66616B6520626F6172642031");
    assert_true(usb_host_enumerate(&bench.host, 5));
    outbox_put(&bench.outbox, NFSAR_WIRE_HELLO, 0, 0, NULL, 0);
    go(&bench);
    assert_int_equal(bench.readers[LINK_SERIAL].frames, 1);
    assert_int_equal(bench.readers[LINK_USB].frames, 0);
    say(&bench, LINK_USB, NFSAR_WIRE_DO_ECHO, 1);
    assert_int_equal(bench.replies[LINK_USB], 1);
    assert_int_equal(bench.replies[LINK_SERIAL], 0);
    outbox_put(&bench.outbox, NFSAR_WIRE_STATUS, 0, 0, NULL, 0);
    go(&bench);
    assert_int_equal(bench.readers[LINK_USB].frames, 2);
    /* The same number on the other way is another command. */
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_ECHO, 1);
    assert_int_equal(bench.runs, 2);
    assert_int_equal(bench.replies[LINK_SERIAL], 1);
    assert_int_equal(links_frames(&bench.links), 2);
    /* Garbage takes nothing over. */
    assert_int_equal(usb_host_out(&bench.host, 1, (const uint8_t *)"abc", 4, true), 4);
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_ECHO, 2);
    assert_int_equal(bench.replies[LINK_SERIAL], 2);
    assert_int_equal(links_bad(&bench.links), 1);
    assert_int_equal(bench.sim.misuse, 0);
}

/* The serial line stands within a frame when USB takes over: neither sees half a frame, and what
 * is lost is counted. */
static void the_other_way_takes_over_within_a_frame(void **state) {
    (void)state;
    static struct bench bench;
    for (size_t cut = 0; cut < 122; cut++) {
        start(&bench, true);
        assert_true(usb_host_enumerate(&bench.host, 5));
        const uint8_t payload[40] = {1, 2, 3};
        outbox_put(&bench.outbox, NFSAR_WIRE_STATUS, 0, 0, payload, sizeof payload);
        outbox_put(&bench.outbox, NFSAR_WIRE_STATUS, 0, 0, payload, sizeof payload);
        /* The line takes no more than `cut` bytes in all. */
        struct fake_queue *queue = &fake_board.port[BOARD_PORT_LINK].from_hub;
        memset(queue->bytes, 0, sizeof queue->bytes);
        queue->head = FAKE_PORT_BYTES - (uint32_t)cut;
        links_send(&bench.links, &bench.outbox);
        say(&bench, LINK_USB, NFSAR_WIRE_DO_ECHO, 1);
        assert_int_equal(bench.replies[LINK_USB], 1);
        assert_int_equal(bench.readers[LINK_USB].bad, 0);
        go(&bench);
        assert_int_equal(bench.outbox.used, 0);
        assert_int_equal(bench.outbox.made, 3);
        /* A zero, and two frames of 60 bytes. */
        const size_t whole = cut == 0 ? 0 : (cut - 1) / 60;
        const bool within = cut > 0 && (cut - 1) % 60 != 0;
        assert_int_equal(bench.outbox.dropped, within);
        assert_int_equal(bench.readers[LINK_USB].frames, 3 - whole - within);
    }
}

/* USB within a frame, half a command heard, records behind it in ring and outbox. */
static void stop_within_a_frame(struct bench *bench) {
    start(bench, true);
    assert_true(usb_host_enumerate(&bench->host, 5));
    say(bench, LINK_USB, NFSAR_WIRE_DO_ECHO, 1);
    assert_int_equal(bench->readers[LINK_USB].frames, 1);
    const uint8_t payload[200] = {1, 2, 3};
    for (unsigned i = 0; i < 40; i++) {
        outbox_put(&bench->outbox, NFSAR_WIRE_STATUS, 0, 0, payload, sizeof payload);
    }
    assert_int_equal(usb_host_out(&bench->host, 1, (const uint8_t *)"half a frame", 12, true), 12);
    turn(bench);
    uint8_t bytes[512];
    hear(bench, LINK_USB, bytes, (size_t)usb_host_in(&bench->host, 0x81, bytes, sizeof bytes));
    assert_true(bench->outbox.within);
}

/* A reset of the bus, or a cable pulled and plugged: every record comes, and the host is heard at
 * once. */
static void a_reset_of_usb_within_a_frame(void **state) {
    (void)state;
    static struct bench bench;
    stop_within_a_frame(&bench);
    assert_true(usb_host_enumerate(&bench.host, 6));
    say(&bench, LINK_USB, NFSAR_WIRE_DO_ECHO, 2);
    go(&bench);
    assert_int_equal(bench.replies[LINK_USB], 2);
    assert_int_equal(bench.outbox.used, 0);
    assert_int_equal(bench.outbox.made, 42);
    assert_int_equal(bench.outbox.dropped, 0);
    assert_int_equal(bench.readers[LINK_USB].frames, 42);
    assert_int_equal(bench.readers[LINK_USB].bad, 1); /* the piece before the reset */
    assert_int_equal(links_bad(&bench.links), 0);
    assert_int_equal(bench.sim.misuse, 0);
}

/* Another program begins: it sees whole frames only, and what the ring had for the one before it is
 * counted. */
static void a_new_program_on_usb(void **state) {
    (void)state;
    static struct bench bench;
    stop_within_a_frame(&bench);
    const uint32_t seen = bench.readers[LINK_USB].frames;
    assert_int_equal(usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL), 0);
    bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
    memset(bench.readers, 0, sizeof bench.readers);
    say(&bench, LINK_USB, NFSAR_WIRE_DO_ECHO, 2);
    go(&bench);
    assert_int_equal(bench.replies[LINK_USB], 2);
    assert_int_equal(bench.outbox.used, 0);
    assert_int_equal(bench.readers[LINK_USB].bad, 0);
    assert_int_equal(bench.outbox.made, 42);
    assert_true(bench.outbox.dropped > 10);
    assert_int_equal(seen + bench.readers[LINK_USB].frames + bench.outbox.dropped, 42);
}

/* The serial line takes over while USB does not read: what lay in USB's ring is counted. */
static void the_serial_line_takes_over_from_usb(void **state) {
    (void)state;
    static struct bench bench;
    uint8_t bytes[512];
    stop_within_a_frame(&bench);
    fake_board_send(BOARD_PORT_LINK, bytes, frame(bytes, NFSAR_WIRE_DO_ECHO, 7));
    links_poll(&bench.links, &bench.outbox, 1000, command, &bench);
    go(&bench);
    assert_int_equal(bench.replies[LINK_SERIAL], 1);
    assert_int_equal(bench.outbox.used, 0);
    assert_int_equal(bench.outbox.made, 42);
    assert_int_equal(bench.readers[LINK_USB].frames + bench.readers[LINK_SERIAL].frames +
                         bench.outbox.dropped,
                     42);
    assert_int_equal(bench.readers[LINK_SERIAL].bad, 0);
}

static void a_dead_controller_leaves_the_serial_line(void **state) {
    (void)state;
    static struct bench bench;
    memset(&bench, 0, sizeof bench);
    fake_board_reset();
    outbox_init(&bench.outbox);
    dcd_sim_init(&bench.sim, true);
    bench.sim.dead = true;
    fake_board.usb = &bench.sim.dcd;
    links_init(&bench.links);
    assert_false(bench.links.has_usb);
    bench.sim.connected = false;
    say(&bench, LINK_SERIAL, NFSAR_WIRE_DO_ECHO, 1);
    assert_int_equal(bench.replies[LINK_SERIAL], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_answered),
        cmocka_unit_test(a_repeated_command_is_answered_again_and_run_once),
        cmocka_unit_test(a_lost_reply_is_had_by_asking_again),
        cmocka_unit_test(hello_is_always_carried_out),
        cmocka_unit_test(garbage_between_frames_costs_no_command),
        cmocka_unit_test(damaged_frames_are_counted_and_not_run),
        cmocka_unit_test(no_more_than_256_bytes_a_turn),
        cmocka_unit_test(records_go_where_the_host_spoke_last),
        cmocka_unit_test(the_other_way_takes_over_within_a_frame),
        cmocka_unit_test(a_reset_of_usb_within_a_frame),
        cmocka_unit_test(a_new_program_on_usb),
        cmocka_unit_test(the_serial_line_takes_over_from_usb),
        cmocka_unit_test(a_dead_controller_leaves_the_serial_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
