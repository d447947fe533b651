/* Which byte counts can be, and which packets only wait for another that agrees. */
#include "host/devices/dca1000/order.h"

#include "host/devices/dca1000/assembly.h"
#include "tests/devices/dca1000_stream.h"
#include "tests/support.h"

enum { WINDOW = 256 << 10 };
#define SECOND UINT64_C(1000000000)

static struct order order;
static uint64_t place;
static bool dropped;

static enum order_verdict judge(uint32_t sequence, uint64_t count, size_t bytes, uint64_t now_ns) {
    const struct dca1000_data data = {sequence, count, NULL, bytes};
    return order_judge(&order, &data, now_ns, &place, &dropped);
}

static enum order_verdict full(uint64_t i, uint64_t now_ns) {
    return judge((uint32_t)(i + 1), i * STREAM_PAYLOAD, STREAM_PAYLOAD, now_ns);
}

static void in_order(void **state) {
    (void)state;
    order_begin(&order, WINDOW, 0);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(full(i, 0), ORDER_NEWER);
        assert_int_equal(place, i * STREAM_PAYLOAD);
    }
    assert_int_equal(full(99, 0), ORDER_OLDER);
    assert_int_equal(full(0, 0), ORDER_OLDER);
    assert_int_equal(full(110, 0), ORDER_NEWER);
    assert_int_equal(full(105, 0), ORDER_OLDER);
}

/* The number says one thing and the count another. */
static void counts_that_cannot_be(void **state) {
    (void)state;
    order_begin(&order, WINDOW, 0);
    for (uint64_t i = 0; i < 100; i++) {
        full(i, SECOND);
    }
    const uint64_t next = 100 * STREAM_PAYLOAD;
    assert_int_equal(judge(101, next - 1, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(101, next + 7, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(101, 0, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(100, next, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(99, next, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(50, 20 * STREAM_PAYLOAD, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(50, 99 * STREAM_PAYLOAD, STREAM_PAYLOAD, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(102, (UINT64_C(1) << 48) - 1, 1, SECOND), ORDER_MALFORMED);
    assert_int_equal(judge(101, next, STREAM_PAYLOAD, SECOND), ORDER_NEWER);
}

/* A jump is believed when a second packet agrees. */
static void a_jump_waits_for_another(void **state) {
    (void)state;
    order_begin(&order, WINDOW, 0);
    full(0, 0);
    assert_int_equal(full(5000, SECOND), ORDER_WAIT);
    assert_int_equal(full(5000, SECOND), ORDER_WAIT); /* the same again proves nothing */
    assert_true(dropped);
    assert_int_equal(full(5001, SECOND), ORDER_AGREED);
    assert_false(dropped);
    assert_int_equal(order_kept_place(&order), 5000 * STREAM_PAYLOAD);
    assert_int_equal(place, 5001 * STREAM_PAYLOAD);
    assert_int_equal(full(5002, SECOND), ORDER_NEWER);

    /* One that nothing follows is dropped. */
    assert_int_equal(full(9000, SECOND), ORDER_WAIT);
    assert_int_equal(full(5003, SECOND), ORDER_NEWER);
    assert_true(dropped);
    /* Two that do not agree. */
    assert_int_equal(full(9000, SECOND), ORDER_WAIT);
    assert_int_equal(full(20000, SECOND), ORDER_WAIT);
    assert_true(dropped);
    /* The stream ends after one. */
    assert_true(order_last(&order, SECOND));
    assert_int_equal(order_kept_place(&order), 20000 * STREAM_PAYLOAD);
    assert_false(order_last(&order, SECOND));
}

/* No card sends 10 TB in a second. */
static void a_jump_takes_its_time(void **state) {
    (void)state;
    const uint64_t far = UINT64_C(10000000000000) / STREAM_PAYLOAD;
    order_begin(&order, WINDOW, 0);
    full(0, 0);
    full(1, SECOND);
    for (uint64_t i = far % 0x7FFFFFFF; i < far % 0x7FFFFFFF + 10; i++) {
        assert_int_equal(full(i, SECOND), ORDER_MALFORMED);
    }
    assert_int_equal(full(2, SECOND), ORDER_NEWER);
    /* 1 GB after a second is what a network of 10 Gb/s can bring. */
    assert_int_equal(full(700000, SECOND), ORDER_WAIT);
    assert_int_equal(full(700001, SECOND), ORDER_AGREED);
}

/* The first packets were lost, or came late. */
static void begins_late(void **state) {
    (void)state;
    order_begin(&order, WINDOW, 0);
    assert_int_equal(full(10, 0), ORDER_NEWER);
    assert_int_equal(full(0, 0), ORDER_OLDER);
    order_begin(&order, WINDOW, 0);
    assert_int_equal(full(1000, SECOND), ORDER_WAIT);
    assert_int_equal(full(1001, SECOND), ORDER_AGREED);
    assert_int_equal(place, 1001 * STREAM_PAYLOAD);
    assert_int_equal(order.base, 0);
}

/* Numbers from 1, counts from elsewhere: the card goes on counting. */
static void begins_elsewhere(void **state) {
    (void)state;
    const uint64_t base = UINT64_C(123456789012);
    order_begin(&order, WINDOW, 0);
    assert_int_equal(judge(3, base + 2 * STREAM_PAYLOAD, STREAM_PAYLOAD, 0), ORDER_WAIT);
    assert_int_equal(judge(4, base + 3 * STREAM_PAYLOAD, 100, 0), ORDER_AGREED);
    assert_int_equal(order.base, base);
    assert_int_equal(order_kept_place(&order), 2 * STREAM_PAYLOAD);
    assert_int_equal(place, 3 * STREAM_PAYLOAD);
    assert_int_equal(judge(1, base, STREAM_PAYLOAD, 0), ORDER_OLDER);
    assert_int_equal(place, 0);
    assert_int_equal(judge(5, 0, STREAM_PAYLOAD, 0), ORDER_MALFORMED);
}

/* After 6.2 TB the sequence number begins anew. */
static void sequence_passes_2_to_the_32(void **state) {
    (void)state;
    order_begin(&order, WINDOW, 0);
    const uint64_t last = (UINT64_C(1) << 32) - 3;
    order.began = true;
    order.newest =
        (struct order_point){(uint32_t)last, (last - 1) * STREAM_PAYLOAD, STREAM_PAYLOAD};
    for (uint64_t i = last; i < last + 10; i++) {
        assert_int_equal(full(i, 86400 * SECOND), ORDER_NEWER);
        assert_int_equal(place, i * STREAM_PAYLOAD);
    }
    assert_int_equal(full(last, 86400 * SECOND), ORDER_OLDER);
}

/* A jump far ahead, agreed on: 800 MB of frames of 8 bytes that were all lost. They come out as
 * zeros, and take no memory. */
static void lost_frames_take_no_memory(void **state) {
    (void)state;
    nfsar_error error;
    struct assembly *assembly;
    uint8_t packet[DCA1000_HEADER_BYTES + STREAM_PAYLOAD];
    assert_ok(assembly_create(8, WINDOW, 1 << 20, 0, &assembly, &error), error);
    const uint64_t far = 550000;
    const uint64_t in[] = {0, far, far + 1, far + 100};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        const size_t n =
            stream_packet(packet, (uint32_t)(in[i] + 1), in[i] * STREAM_PAYLOAD, STREAM_PAYLOAD);
        assembly_packet(assembly, packet, n, SECOND);
    }
    struct nfsar_dca1000_counters counters = {0};
    assembly_counters(assembly, &counters);
    assert_int_equal(counters.packets, 4);
    assert_true(counters.queue_worst <= 2 * STREAM_PAYLOAD / 8 + STREAM_PAYLOAD / 8);
    assert_true(assembly_memory(assembly) < 32 << 20);
    assembly_finish(assembly, SECOND);
    uint64_t number = 0;
    uint64_t lost = 0;
    const struct nfsar_dca1000_frame *frame;
    while ((frame = assembly_next(assembly)) != NULL) {
        assert_int_equal(frame->number, number++);
        lost += frame->missing_bytes;
    }
    assert_int_equal(lost, (far - 1 + 98) * STREAM_PAYLOAD);
    assert_int_equal(number, (far + 101) * STREAM_PAYLOAD / 8);
    assembly_free(assembly);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(counts_that_cannot_be),
        cmocka_unit_test(a_jump_waits_for_another),
        cmocka_unit_test(a_jump_takes_its_time),
        cmocka_unit_test(begins_late),
        cmocka_unit_test(begins_elsewhere),
        cmocka_unit_test(sequence_passes_2_to_the_32),
        cmocka_unit_test(lost_frames_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
