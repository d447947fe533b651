/* Races: who runs, what is kept, what a ratio is. No time is asserted but that it is counted. */
#include "tests/support.h"

#include <math.h>
#include <string.h>

#include "bench/bench.h"

struct counter {
    int runs;
    int fails_at; /* 0: never */
};

static enum nfsar_status run(void *context, nfsar_error *error) {
    struct counter *counter = context;
    counter->runs++;
    volatile double sum = 0.0;
    for (int i = 0; i < 1000; i++) {
        sum += sqrt((double)i);
    }
    return counter->runs == counter->fails_at ? nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "tired")
                                              : NFSAR_OK;
}

static size_t add(struct bench *bench, const char *name, double work) {
    struct bench_row row = {.threads = 1, .work = work, .unit = "steps", .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%s", name);
    return bench_row_add(bench, &row);
}

static void lanes_take_turns(void **state) {
    (void)state;
    struct bench bench = {.quick = true, .threads = 1, .subject = "test"};
    struct counter counter[2] = {{0}};
    nfsar_error error;
    const struct bench_lane lane[] = {{add(&bench, "a", 1000.0), run, &counter[0]},
                                      {add(&bench, "b", 500.0), run, &counter[1]}};
    assert_ok(bench_race(&bench, lane, 2, &error), error);
    const struct bench_row *a = &bench.row[0], *b = &bench.row[1];
    assert_int_equal(a->seconds.n, b->seconds.n);
    assert_true(a->seconds.n >= 3);
    assert_true(counter[0].runs == (int)a->seconds.n + 1 && counter[1].runs == counter[0].runs);
    assert_true(a->seconds.median > 0.0 && a->race == b->race);

    bench_ratio_rates(&bench, "rates", 0, 1, (struct bench_goal){.at_least = 2.0});
    bench_ratio_times(&bench, "times", 0, 1, (struct bench_goal){0});
    bench_ratio_values(&bench, "values", "bytes", 6.0, 4.0, (struct bench_goal){0});
    double quotient = a->seconds.median / b->seconds.median;
    assert_near(bench.ratio[0].value, 2.0 / quotient, 1e-12 / quotient);
    assert_string_equal(bench.ratio[0].unit, "steps/s");
    assert_near(bench.ratio[1].value, quotient, 1e-12 * quotient);
    assert_true(bench.ratio[1].low <= bench.ratio[1].high);
    assert_near(bench.ratio[2].value, 1.5, 0.0);
    assert_true(isnan(bench.ratio[2].low));
    bench_free(&bench);
}

static void a_lane_that_fails_ends_it(void **state) {
    (void)state;
    struct bench bench = {.quick = true, .threads = 1, .subject = "test"};
    struct counter counter[2] = {{0}, {.fails_at = 3}};
    nfsar_error error;
    const struct bench_lane lane[] = {{add(&bench, "a", 1.0), run, &counter[0]},
                                      {add(&bench, "b", 1.0), run, &counter[1]}};
    assert_int_equal(bench_race(&bench, lane, 2, &error), NFSAR_ERROR_UNSUPPORTED);
    assert_string_equal(error.message, "tired");
    assert_int_equal(counter[1].runs, 3);
    bench_free(&bench);
}

/* Rows of different races have no rounds in common. */
static void apart(void **state) {
    (void)state;
    struct bench bench = {.quick = true, .threads = 1, .subject = "test"};
    struct counter counter = {0};
    nfsar_error error;
    for (size_t i = 0; i < 2; i++) {
        const struct bench_lane lane = {add(&bench, "a", 1.0), run, &counter};
        assert_ok(bench_race(&bench, &lane, 1, &error), error);
    }
    bench_ratio_times(&bench, "times", 0, 1, (struct bench_goal){0});
    assert_true(isnan(bench.ratio[0].low) && bench.ratio[0].value > 0.0);
    bench_free(&bench);
}

static void threads_and_kernels(void **state) {
    (void)state;
    struct bench bench = {.threads = 1};
    int count[2];
    enum nfsar_kernel kernel[BENCH_KERNELS];
    assert_int_equal(bench_thread_counts(&bench, count), 1);
    bench.threads = 3;
    assert_int_equal(bench_thread_counts(&bench, count), 2);
    assert_true(count[0] == 1 && count[1] == 3);
    size_t n = bench_kernels(&bench, kernel);
    assert_true(n >= 1 && kernel[0] == NFSAR_KERNEL_PORTABLE);
    enum nfsar_kernel best;
    nfsar_error error;
    assert_ok(nfsar_kernel_choose(NFSAR_KERNEL_AUTO, &best, &error), error);
    assert_int_equal(bench_best_kernel(&bench), best);
    bench.kernel = NFSAR_KERNEL_PORTABLE;
    assert_int_equal(bench_kernels(&bench, kernel), 1);
    assert_int_equal(bench_best_kernel(&bench), NFSAR_KERNEL_PORTABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_take_turns),
        cmocka_unit_test(a_lane_that_fails_ends_it),
        cmocka_unit_test(apart),
        cmocka_unit_test(threads_and_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
