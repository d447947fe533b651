/* What is kept over resets, on a board whose kept memory is the test's. */
#include "tests/firmware/check.h"

#include "firmware/app/crash.h"
#include "tests/firmware/fake_board.h"

static void power_on(uint32_t seed) {
    fake_board_reset();
    for (size_t i = 0; i < sizeof fake_board.kept; i++) {
        fake_board.kept[i] = (uint8_t)(seed == 0 ? 0 : noise(&seed));
    }
}

static void noise_is_no_crash(void **state) {
    (void)state;
    for (uint32_t seed = 0; seed < 500; seed++) {
        struct nfsar_wire_crash crash;
        power_on(seed);
        crash_start(seed % 2 ? BOARD_RESET_POWER : BOARD_RESET_WATCHDOG);
        assert_false(crash_read(&crash));
        assert_int_equal(crash_starts(), 1);
    }
}

static void starts_are_counted_over_resets(void **state) {
    (void)state;
    struct nfsar_wire_crash crash;
    power_on(3);
    for (uint32_t start = 1; start < 20; start++) {
        crash_start(start % 2 ? BOARD_RESET_PIN : BOARD_RESET_SOFTWARE);
        assert_int_equal(crash_starts(), start);
        assert_false(crash_read(&crash));
        crash_place(PLACE_RADAR, start);
    }
}

static void a_fault_is_kept(void **state) {
    (void)state;
    struct nfsar_wire_crash crash;
    power_on(4);
    crash_start(BOARD_RESET_POWER);
    crash_place(PLACE_SENSORS, UINT64_C(123456789012345));
    board_on_fault(&(struct board_fault){.r0 = 1,
                                         .r1 = 2,
                                         .r2 = 3,
                                         .r3 = 4,
                                         .r12 = 5,
                                         .lr = 6,
                                         .pc = 0x8001234,
                                         .psr = 8,
                                         .cfsr = 0x8200,
                                         .hfsr = 0x40000000,
                                         .fault_address = 0xE0000000,
                                         .exception = 3});
    assert_int_equal(fake_board.resets, 1);
    crash_start(BOARD_RESET_SOFTWARE);
    assert_true(crash_read(&crash));
    assert_int_equal(crash.exception, 3);
    const uint32_t registers[8] = {1, 2, 3, 4, 5, 6, 0x8001234, 8};
    assert_memory_equal(crash.registers, registers, sizeof registers);
    assert_int_equal(crash.cfsr, 0x8200);
    assert_int_equal(crash.hfsr, 0x40000000);
    assert_int_equal(crash.address, 0xE0000000);
    assert_true(crash.uptime_ns == UINT64_C(123456789012345));
    assert_int_equal(crash.place, PLACE_SENSORS);
    assert_int_equal(crash.crashes, 1);
    assert_int_equal(crash_starts(), 2);
    /* It stays over further resets until it is forgotten. */
    crash_start(BOARD_RESET_PIN);
    assert_true(crash_read(&crash));
    assert_int_equal(crash.exception, 3);
    crash_forget();
    assert_false(crash_read(&crash));
    crash_start(BOARD_RESET_PIN);
    assert_false(crash_read(&crash));
    assert_int_equal(crash_starts(), 4);
}

static void the_watchdog_leaves_the_place(void **state) {
    (void)state;
    struct nfsar_wire_crash crash;
    power_on(5);
    crash_start(BOARD_RESET_POWER);
    crash_place(PLACE_MOTION, 777);
    crash_start(BOARD_RESET_WATCHDOG);
    assert_true(crash_read(&crash));
    assert_int_equal(crash.exception, 0);
    assert_int_equal(crash.registers[6], 0);
    assert_int_equal(crash.place, PLACE_MOTION);
    assert_int_equal(crash.uptime_ns, 777);
    assert_int_equal(crash.crashes, 1);
    /* Hung again before the loop ever turned. */
    crash_start(BOARD_RESET_WATCHDOG);
    assert_true(crash_read(&crash));
    assert_int_equal(crash.place, PLACE_START);
    assert_int_equal(crash.uptime_ns, 0);
    assert_int_equal(crash.crashes, 2);
}

/* A reset may come at any moment, and memory may lose a bit: what is not whole counts as noise. */
static void a_flipped_bit_makes_noise_of_it(void **state) {
    (void)state;
    uint8_t whole[BOARD_KEPT_BYTES];
    power_on(6);
    crash_start(BOARD_RESET_POWER);
    crash_place(PLACE_LINK, 5);
    board_on_fault(&(struct board_fault){.pc = 99, .exception = 6});
    memcpy(whole, fake_board.kept, sizeof whole);
    unsigned kept = 0;
    for (unsigned bit = 0; bit < 8 * BOARD_KEPT_BYTES; bit++) {
        struct nfsar_wire_crash crash;
        memcpy(fake_board.kept, whole, sizeof whole);
        fake_board.kept[bit / 8] ^= (uint8_t)(1U << bit % 8);
        crash_start(BOARD_RESET_SOFTWARE);
        if (crash_read(&crash)) {
            kept++;
            assert_int_equal(crash.registers[6], 99);
            assert_int_equal(crash.place, PLACE_LINK);
            assert_int_equal(crash_starts(), 2);
        } else {
            assert_int_equal(crash_starts(), 1);
        }
    }
    /* All that is summed and the sum itself, 84 bytes, are looked at. */
    assert_int_equal(8 * BOARD_KEPT_BYTES - kept, 8 * 84);
}

/* Before crash_start() the memory is noise still, and a fault there must not pass for a crash of
 * a hub that ran. */
static void a_fault_before_the_start_resets_all_the_same(void **state) {
    (void)state;
    struct nfsar_wire_crash crash;
    power_on(7);
    board_on_fault(&(struct board_fault){.pc = 1, .exception = 3});
    assert_int_equal(fake_board.resets, 1);
    crash_start(BOARD_RESET_SOFTWARE);
    assert_false(crash_read(&crash));
    assert_int_equal(crash_starts(), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_no_crash),
        cmocka_unit_test(starts_are_counted_over_resets),
        cmocka_unit_test(a_fault_is_kept),
        cmocka_unit_test(the_watchdog_leaves_the_place),
        cmocka_unit_test(a_flipped_bit_makes_noise_of_it),
        cmocka_unit_test(a_fault_before_the_start_resets_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
