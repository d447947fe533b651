/* The hub's time: 32 bits made 64, counts made nanoseconds. */
#include "tests/firmware/check.h"

#include "firmware/app/clock.h"

static const uint32_t rates[] = {84000000, 100000000, 25000000, 168000000, 4294967295U, 1};

static void the_start_is_what_the_timer_reads(void **state) {
    (void)state;
    struct clock clock;
    clock_init(&clock, 84000000, 0xFFFFFF00U);
    assert_int_equal(clock_extend(&clock, 0xFFFFFF00U), 0xFFFFFF00U);
    assert_int_equal(clock_extend(&clock, 0x00000100U), 0x100000100U);
    clock_init(&clock, 84000000, 0);
    assert_int_equal(clock_stamp_ns(&clock, 84), 1000);
}

static void stamps_from_before_the_start_are_the_start(void **state) {
    (void)state;
    struct clock clock;
    clock_init(&clock, 84000000, 1000);
    assert_int_equal(clock_extend(&clock, 999), 999);
    assert_int_equal(clock_extend(&clock, 0), 0);
    assert_int_equal(clock_extend(&clock, 0xFFFFFFFFU), 0);
    assert_int_equal(clock_extend(&clock, 1000U + 0x80000001U), 0);
    assert_int_equal(clock_extend(&clock, 1000U + 0x7FFFFFFFU), 1000U + 0x7FFFFFFFU);
}

/* A main loop of uneven turns, some nearly as long as can be, over a thousand wraps. */
static void counts_go_on_over_wraps(void **state) {
    (void)state;
    struct clock clock;
    uint32_t seed = 1;
    uint64_t truth = 5;
    clock_init(&clock, 84000000, 5);
    while (truth < UINT64_C(1000) << 32) {
        truth += noise(&seed) % 4 == 0 ? 0x7FFFFFFFU : noise(&seed) >> 4;
        clock_advance(&clock, (uint32_t)truth);
        assert_true(clock.base == truth);
        const uint32_t off = noise(&seed) & 0x7FFFFFFFU;
        assert_true(clock_extend(&clock, (uint32_t)(truth + off)) == truth + off);
        if (off <= truth) {
            assert_true(clock_extend(&clock, (uint32_t)(truth - off)) == truth - off);
        }
    }
}

/* Advancing to an older stamp and on again loses nothing. */
static void a_step_back_is_no_wrap(void **state) {
    (void)state;
    struct clock clock;
    clock_init(&clock, 84000000, 10);
    clock_advance(&clock, 500);
    clock_advance(&clock, 490);
    assert_int_equal(clock.base, 490);
    clock_advance(&clock, 510);
    assert_int_equal(clock.base, 510);
}

__extension__ typedef unsigned __int128 uint128;

static void nanoseconds_are_exact_for_centuries(void **state) {
    (void)state;
    uint32_t seed = 7;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        struct clock clock;
        clock_init(&clock, rates[r], 0);
        const uint64_t years = UINT64_C(500) * 31557600 * rates[r];
        for (unsigned i = 0; i < 2000; i++) {
            const uint64_t any = (uint64_t)noise(&seed) << 32 | noise(&seed);
            const uint64_t count = i < 1000 ? any >> (noise(&seed) % 64) : years - any % 1000000;
            if (count > years) {
                continue;
            }
            const uint128 exact = (uint128)count * 1000000000U / rates[r];
            assert_true(clock_ns(&clock, count) == (uint64_t)exact);
        }
    }
}

/* One count later is never earlier, and by no more than the next nanosecond. */
static void nanoseconds_never_go_back(void **state) {
    (void)state;
    struct clock clock;
    clock_init(&clock, 84000000, 0);
    for (uint64_t second = 0; second < 3; second++) {
        const uint64_t edge = (second + 1) * 84000000;
        uint64_t before = clock_ns(&clock, edge - 100);
        for (uint64_t count = edge - 99; count < edge + 100; count++) {
            const uint64_t now = clock_ns(&clock, count);
            assert_in_range(now - before, 11, 12);
            before = now;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_start_is_what_the_timer_reads),
        cmocka_unit_test(stamps_from_before_the_start_are_the_start),
        cmocka_unit_test(counts_go_on_over_wraps),
        cmocka_unit_test(a_step_back_is_no_wrap),
        cmocka_unit_test(nanoseconds_are_exact_for_centuries),
        cmocka_unit_test(nanoseconds_never_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
