#include "tests/firmware/hub_bench.h"

static void on_tick(void *context) {
    hub_on_tick(context);
}

static void on_input(void *context, enum board_input input, uint32_t count) {
    (void)count;
    hub_on_input(context, input);
}

static void on_stamp(void *context, enum board_stamp stamp, uint32_t count) {
    hub_on_stamp(context, stamp, count);
}

void bench_start(struct bench *bench) {
    memset(bench, 0, offsetof(struct bench, records));
    bench_restart(bench, fake_board.cause);
}

void bench_restart(struct bench *bench, enum board_reset_cause cause) {
    fake_board.cause = cause;
    fake_board.on_tick = on_tick;
    fake_board.on_input = on_input;
    fake_board.on_stamp = on_stamp;
    fake_board.context = &bench->hub;
    hub_init(&bench->hub);
    bench->fed = fake_board.time;
    bench->expected = 0;
}

void bench_greet(struct bench *bench) {
    fake_board_reset();
    fake_board.emulated = false;
    bench_start(bench);
    assert_int_equal(
        BENCH_DO(bench, HELLO, hello, 0, .major = NFSAR_WIRE_MAJOR, .minor = NFSAR_WIRE_MINOR),
        NFSAR_WIRE_RESULT_DONE);
}

void bench_receive(struct bench *bench) {
    uint8_t bytes[4096];
    size_t n;
    while ((n = fake_board_receive(BOARD_PORT_LINK, bytes, sizeof bytes)) > 0) {
        for (size_t i = 0; i < n; i++) {
            struct nfsar_wire_message message;
            if (!nfsar_wire_read(&bench->reader, bytes[i], &message)) {
                continue;
            }
            struct bench_record *record = &bench->records[bench->received++ % BENCH_RECORDS];
            record->header = message.header;
            record->bytes = message.bytes;
            memcpy(record->payload, message.payload, message.bytes);
            bench->of_kind[message.header.kind]++;
            bench->missed += message.header.sequence - bench->expected;
            bench->expected = message.header.sequence + 1;
        }
    }
}

void bench_turns(struct bench *bench, unsigned turns) {
    for (unsigned i = 0; i < turns; i++) {
        fake_board_ticks(BENCH_TICKS_A_TURN);
        hub_poll(&bench->hub);
        if (fake_board.fed != bench->fed) {
            const uint64_t waited = fake_board.fed - bench->fed;
            bench->hungry = waited > bench->hungry ? waited : bench->hungry;
            bench->fed = fake_board.fed;
        }
        bench_receive(bench);
    }
}

void bench_ms(struct bench *bench, unsigned ms) {
    bench_turns(bench, ms * (fake_board.tick_hz / 1000) / BENCH_TICKS_A_TURN);
}

void bench_send(const void *bytes, size_t n) {
    assert_int_equal(fake_board_send(BOARD_PORT_LINK, bytes, n), n);
}

void bench_command(struct bench *bench, uint8_t kind, uint8_t channel, const void *payload,
                   size_t n) {
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    const struct nfsar_wire_header header = {
        .kind = kind, .channel = channel, .sequence = ++bench->sequence};
    const size_t bytes = nfsar_wire_encode(frame, &header, payload, n);
    assert_true(bytes > 0);
    bench_send(frame, bytes);
}

/* The reply to the last command is the only one among the records since `from`. */
static bool replied(struct bench *bench, uint8_t kind, uint8_t channel, uint32_t from,
                    struct nfsar_wire_reply *reply) {
    bool found = false;
    for (uint32_t i = from; i != bench->received; i++) {
        const struct bench_record *record = &bench->records[i % BENCH_RECORDS];
        if (record->header.kind != NFSAR_WIRE_REPLY) {
            continue;
        }
        assert_false(found);
        found = true;
        assert_true(nfsar_wire_unpack_reply(reply, record->payload, record->bytes));
        assert_int_equal(reply->command, kind);
        assert_int_equal(reply->number, bench->sequence);
        assert_int_equal(record->header.channel, channel);
        bench->answer_bytes = record->bytes - NFSAR_WIRE_REPLY_BYTES;
        memcpy(bench->answer, record->payload + NFSAR_WIRE_REPLY_BYTES, bench->answer_bytes);
    }
    return found;
}

enum nfsar_wire_result bench_do(struct bench *bench, uint8_t kind, uint8_t channel,
                                const void *payload, size_t n) {
    struct nfsar_wire_reply reply = {0};
    const uint32_t from = bench->received;
    bench_command(bench, kind, channel, payload, n);
    for (unsigned turn = 0; turn < 200; turn++) {
        bench_turns(bench, 1);
        if (replied(bench, kind, channel, from, &reply)) {
            bench->detail = reply.detail;
            return (enum nfsar_wire_result)reply.result;
        }
    }
    fail_msg("no reply to command %02x", kind);
    return NFSAR_WIRE_RESULT_UNKNOWN;
}

static const struct bench_record *find(const struct bench *bench, uint8_t kind, int channel,
                                       int first) {
    for (uint32_t i = 0; i < bench->received && i < BENCH_RECORDS; i++) {
        const struct bench_record *record =
            &bench->records[(bench->received - 1 - i) % BENCH_RECORDS];
        if (record->header.kind == kind && (channel < 0 || record->header.channel == channel) &&
            (first < 0 || record->payload[0] == first)) {
            return record;
        }
    }
    return NULL;
}

const struct bench_record *bench_last(const struct bench *bench, uint8_t kind, int channel) {
    const struct bench_record *record = find(bench, kind, channel, -1);
    if (record == NULL) {
        fail_msg("no record of kind %02x, channel %d", kind, channel);
    }
    return record;
}

uint32_t bench_count(const struct bench *bench, uint8_t kind) {
    return bench->of_kind[kind];
}

struct nfsar_wire_error bench_error(const struct bench *bench, enum nfsar_wire_error_code error) {
    struct nfsar_wire_error told = {0};
    const struct bench_record *record = find(bench, NFSAR_WIRE_ERROR, -1, (int)error);
    if (record != NULL) {
        nfsar_wire_unpack_error(&told, record->payload, record->bytes);
    }
    return told;
}

void bench_settle(struct bench *bench) {
    const struct outbox *outbox = &bench->hub.outbox;
    for (unsigned i = 0; i < 100 && (i == 0 || outbox->used > 0); i++) {
        hub_poll(&bench->hub);
        bench_receive(bench);
    }
    assert_int_equal(outbox->used, 0);
    assert_int_equal(bench->reader.bad, 0);
    assert_int_equal(outbox->made, bench->received + outbox->dropped);
    assert_int_equal(outbox->made, bench->expected + (outbox->dropped - bench->missed));
}
