/* Medians and spreads of small lists, worked out by hand. */
#include "tests/support.h"

#include "bench/statistics.h"

static void odd(void **state) {
    (void)state;
    double value[] = {5.0, 1.0, 4.0, 2.0, 3.0};
    struct bench_statistics s = bench_statistics_of(value, 5);
    assert_int_equal(s.n, 5);
    assert_near(s.median, 3.0, 0.0);
    assert_near(s.low, 2.0, 0.0);
    assert_near(s.high, 4.0, 0.0);
    assert_near(s.min, 1.0, 0.0);
    assert_near(s.max, 5.0, 0.0);
    assert_near(bench_spread(&s), 2.0 / 3.0, 1e-15);
}

static void even(void **state) {
    (void)state;
    double value[] = {10.0, 40.0, 20.0, 30.0};
    struct bench_statistics s = bench_statistics_of(value, 4);
    assert_near(s.median, 25.0, 1e-12);
    assert_near(s.low, 17.5, 1e-12);
    assert_near(s.high, 32.5, 1e-12);
    assert_near(bench_spread(&s), 0.6, 1e-12);
}

static void one(void **state) {
    (void)state;
    double value[] = {7.0};
    struct bench_statistics s = bench_statistics_of(value, 1);
    assert_near(s.median, 7.0, 0.0);
    assert_near(s.low, 7.0, 0.0);
    assert_near(s.high, 7.0, 0.0);
    assert_near(bench_spread(&s), 0.0, 0.0);
}

/* One outlier moves neither the median nor the quartiles much: why they are what is shown. */
static void an_outlier_changes_little(void **state) {
    (void)state;
    double value[] = {1.00, 1.01, 0.99, 1.02, 0.98, 1.00, 50.0};
    struct bench_statistics s = bench_statistics_of(value, 7);
    assert_near(s.median, 1.0, 1e-12);
    assert_true(bench_spread(&s) < 0.05);
    assert_near(s.max, 50.0, 0.0);
}

static void nothing_measured(void **state) {
    (void)state;
    double value[] = {0.0, 0.0};
    struct bench_statistics s = bench_statistics_of(value, 2);
    assert_near(bench_spread(&s), 0.0, 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd),
        cmocka_unit_test(even),
        cmocka_unit_test(one),
        cmocka_unit_test(an_outlier_changes_little),
        cmocka_unit_test(nothing_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
