/* The pulse per second: which pulses count, what drift and spread are made of them. */
#include "tests/firmware/check.h"

#include <math.h>

#include "firmware/app/pps.h"

enum { HZ = 84000000 };

/* n pulses of a true second each, of a clock that is fast by ppm, each off by up to +-jitter. */
static uint64_t run(struct pps *pps, uint64_t from, unsigned n, double ppm, uint32_t jitter) {
    uint32_t seed = 99;
    uint64_t count = from;
    for (unsigned i = 0; i < n; i++) {
        count = from + (uint64_t)llround((double)i * HZ * (1.0 + ppm * 1e-6));
        const uint32_t off = jitter > 0 ? noise(&seed) % (2 * jitter + 1) : 0;
        assert_true(pps_pulse(pps, count + off - jitter));
    }
    return count;
}

static void drift_of_a_perfect_clock(void **state) {
    (void)state;
    struct pps pps;
    float drift = -1;
    float spread = -1;
    pps_init(&pps, HZ, PPS_CRYSTAL);
    run(&pps, 1000, 2, 0, 0);
    assert_false(pps_drift(&pps, &drift, &spread));
    pps_init(&pps, HZ, PPS_CRYSTAL);
    run(&pps, 1000, 3, 0, 0);
    assert_true(pps_drift(&pps, &drift, &spread));
    assert_close(drift, 0, 0);
    assert_close(spread, 0, 0);
    assert_int_equal(pps.pulses, 3);
    assert_int_equal(pps.refused, 0);
}

static void drift_is_that_of_the_clock(void **state) {
    (void)state;
    static const double ppms[] = {-150, -20, -0.5, 0.5, 3, 47.25, 199};
    for (size_t i = 0; i < sizeof ppms / sizeof *ppms; i++) {
        for (unsigned n = 3; n < 100; n += 8) {
            struct pps pps;
            float drift;
            float spread;
            pps_init(&pps, HZ, PPS_CRYSTAL);
            run(&pps, UINT64_C(1) << 40, n, ppms[i], 0);
            assert_true(pps_drift(&pps, &drift, &spread));
            /* A pulse is known to half a count, which is 6 ns, at either end. */
            const double seconds = n - 1 < PPS_WINDOW ? n - 1 : PPS_WINDOW;
            assert_close(drift, ppms[i], 0.013 / seconds + 1e-5 * fabs(ppms[i]));
            assert_true(spread < 12.0F);
        }
    }
}

/* Against least squares in double precision over the same pulses. */
static void jitter_is_told_as_spread(void **state) {
    (void)state;
    struct pps pps;
    float drift;
    float spread;
    uint32_t seed = 5;
    double at[PPS_WINDOW + 1];
    pps_init(&pps, HZ, PPS_CRYSTAL);
    for (unsigned i = 0; i < 100; i++) {
        const uint64_t count = (uint64_t)i * (HZ + 840) + noise(&seed) % 169;
        assert_true(pps_pulse(&pps, 5000 + count));
        if (i >= 100 - (PPS_WINDOW + 1)) {
            at[i - (100 - (PPS_WINDOW + 1))] = (double)count - (double)i * HZ;
        }
    }
    double mean = 0;
    double with = 0;
    double squares = 0;
    double rest = 0;
    const unsigned n = PPS_WINDOW + 1;
    for (unsigned i = 0; i < n; i++) {
        mean += at[i] / n;
    }
    for (unsigned i = 0; i < n; i++) {
        const double x = i - (n - 1) / 2.0;
        with += x * (at[i] - mean);
        squares += x * x;
    }
    for (unsigned i = 0; i < n; i++) {
        const double off = at[i] - mean - with / squares * (i - (n - 1) / 2.0);
        rest += off * off / n;
    }
    assert_true(pps_drift(&pps, &drift, &spread));
    assert_close(drift, with / squares / HZ * 1e6, 1e-5);
    assert_close(spread, sqrt(rest) / HZ * 1e9, 0.5);
    assert_close(drift, 10, 0.1);
    /* 169 equally likely counts: 169 / sqrt(12) r.m.s. */
    assert_close(spread, 169 / sqrt(12) / HZ * 1e9, 100);
}

static void wrong_pulses_are_refused_and_counted(void **state) {
    (void)state;
    struct pps pps;
    float drift;
    float spread;
    pps_init(&pps, HZ, PPS_CRYSTAL);
    uint64_t count = run(&pps, 0, 10, 0, 0);
    assert_false(pps_pulse(&pps, count + HZ / 2));
    assert_int_equal(pps.refused, 1);
    assert_false(pps_drift(&pps, &drift, &spread));
    assert_false(pps_pulse(&pps, count + HZ));
    assert_true(pps_pulse(&pps, count + 2 * (uint64_t)HZ));
    assert_int_equal(pps.refused, 2);
    assert_int_equal(pps.pulses, 11);
    /* The same edge twice; a missing one. */
    assert_false(pps_pulse(&pps, count + 2 * (uint64_t)HZ));
    assert_true(pps_pulse(&pps, count + 3 * (uint64_t)HZ));
    assert_false(pps_pulse(&pps, count + 5 * (uint64_t)HZ));
    assert_true(pps_pulse(&pps, count + 6 * (uint64_t)HZ));
    assert_true(pps_pulse(&pps, count + 7 * (uint64_t)HZ));
    assert_true(pps_drift(&pps, &drift, &spread));
    assert_close(drift, 0, 0);
    assert_int_equal(pps.refused, 4);
}

static void the_edges_of_what_is_a_second(void **state) {
    (void)state;
    static const struct {
        int32_t late;
        bool good;
    } cases[] = {{0, true},       {16800, true}, {-16800, true}, {16801, false},
                 {-16801, false}, {-HZ, false},  {HZ, false},    {1000000000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pps pps;
        pps_init(&pps, HZ, PPS_CRYSTAL);
        assert_true(pps_pulse(&pps, UINT64_C(3) << 33));
        const uint64_t next = (UINT64_C(3) << 33) + HZ + (uint64_t)(int64_t)cases[i].late;
        assert_int_equal(pps_pulse(&pps, next), cases[i].good);
    }
}

static void only_the_last_pulse_is_named(void **state) {
    (void)state;
    struct pps pps;
    const uint64_t utc = UINT64_C(1700000000) * 1000000000U;
    pps_init(&pps, HZ, PPS_CRYSTAL);
    assert_false(pps_name(&pps, 0, utc));
    assert_true(pps_pulse(&pps, 777));
    assert_false(pps_name(&pps, 778, utc));
    assert_int_equal(pps.utc_ns, 0);
    assert_true(pps_name(&pps, 777, utc));
    assert_int_equal(pps.utc_ns, utc);
    /* The next pulse has no name yet, and the one before is past. */
    assert_true(pps_pulse(&pps, 777 + HZ));
    assert_int_equal(pps.utc_ns, 0);
    assert_false(pps_name(&pps, 777, utc));
    assert_true(pps_name(&pps, 777 + HZ, utc + 1000000000U));
    /* Nor has a refused one. */
    assert_false(pps_pulse(&pps, 777 + HZ + 5));
    assert_int_equal(pps.utc_ns, 0);
    assert_false(pps_name(&pps, 777 + HZ + 5, utc));
}

static void a_stop_is_told_once(void **state) {
    (void)state;
    struct pps pps;
    float drift;
    float spread;
    pps_init(&pps, HZ, PPS_CRYSTAL);
    assert_false(pps_stopped(&pps, 100 * (uint64_t)HZ));
    const uint64_t last = run(&pps, 10, 5, 0, 0);
    assert_false(pps_stopped(&pps, last - 5));
    assert_false(pps_stopped(&pps, last + 3 * (uint64_t)HZ - 1));
    assert_true(pps_stopped(&pps, last + 3 * (uint64_t)HZ));
    assert_false(pps_stopped(&pps, last + 9 * (uint64_t)HZ));
    assert_false(pps_drift(&pps, &drift, &spread));
    assert_false(pps_name(&pps, last, 1));
    /* It begins anew with any pulse. */
    run(&pps, last + 50 * (uint64_t)HZ + 12345, 4, 10, 0);
    assert_true(pps_drift(&pps, &drift, &spread));
    assert_close(drift, 10, 0.01);
    assert_int_equal(pps.pulses, 9);
    assert_int_equal(pps.refused, 0);
}

/* Where an emulator makes the edges, a second may be 20 ms wrong. */
static void edges_of_an_emulator(void **state) {
    (void)state;
    struct pps pps;
    pps_init(&pps, 25000000, PPS_COARSE);
    assert_true(pps_pulse(&pps, 0));
    assert_true(pps_pulse(&pps, 25500000));
    assert_true(pps_pulse(&pps, 50000000));
    assert_false(pps_pulse(&pps, 75500001));
}

/* Noise on the wire keeps edges coming, but the pulse per second is gone all the same. */
static void noise_is_no_pulse_per_second(void **state) {
    (void)state;
    struct pps pps;
    pps_init(&pps, HZ, PPS_CRYSTAL);
    const uint64_t last = run(&pps, 10, 5, 0, 0);
    unsigned stops = 0;
    for (uint64_t i = 1; i < 100; i++) {
        const uint64_t count = last + i * (HZ / 10 + 7);
        pps_pulse(&pps, count);
        stops += pps_stopped(&pps, count);
    }
    assert_int_equal(stops, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drift_of_a_perfect_clock),
        cmocka_unit_test(drift_is_that_of_the_clock),
        cmocka_unit_test(jitter_is_told_as_spread),
        cmocka_unit_test(wrong_pulses_are_refused_and_counted),
        cmocka_unit_test(the_edges_of_what_is_a_second),
        cmocka_unit_test(only_the_last_pulse_is_named),
        cmocka_unit_test(a_stop_is_told_once),
        cmocka_unit_test(edges_of_an_emulator),
        cmocka_unit_test(noise_is_no_pulse_per_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
