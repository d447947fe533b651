/* Frames and triggers by their times: known ones left out, among jitter, pauses and a slow clock.
 */
#include "host/session/join.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "tests/support.h"

enum { TRIGGERS = 4000, COLUMNS = 100 };

static double trigger_s[TRIGGERS], frame_s[TRIGGERS + 64];

/* Rows of triggers 5 ms apart with 200 ms between rows. */
static void make_triggers(void) {
    double now = 100.0;
    for (size_t i = 0; i < TRIGGERS; i++) {
        now += i % COLUMNS == 0 ? 0.2 : 5e-3;
        trigger_s[i] = now;
    }
}

/* Late by 1.2 ms, and up to `jitter` more, rarely ten times that. */
static double come(nfsar_random *random, double at, double jitter) {
    const double late = nfsar_random_uniform(random) * jitter;
    return at + 1.2e-3 + (nfsar_random_uniform(random) < 0.01 ? 10 * late : late);
}

static size_t leave_out(const size_t *odd, size_t n_odd, double jitter) {
    nfsar_random random;
    nfsar_random_seed(&random, 7);
    size_t n = 0, next = 0;
    for (size_t i = 0; i < TRIGGERS; i++) {
        if (next < n_odd && odd[next] == i) {
            next++;
            continue;
        }
        frame_s[n++] = come(&random, trigger_s[i], jitter);
    }
    return n;
}

static void agree(void **state) {
    (void)state;
    make_triggers();
    struct join join;
    nfsar_error error;
    const size_t n = leave_out(NULL, 0, 0.3e-3);
    frame_s[17] = NAN; /* wholly lost */
    assert_int_equal(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error), NFSAR_OK);
    assert_int_equal(join.n_odd, 0);
    assert_true(join.certain);
    assert_false(join.shifted);
    assert_near(join.lag_s, 1.35e-3, 0.1e-3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(join.trigger[i], i);
    }
    join_free(&join);
}

static void frames_missing(void **state) {
    (void)state;
    static const size_t sets[][4] = {
        {0, 1, 2, 3}, {1000, 1001, 2000, 3999}, {57, 58, 1234, 3777}, {3996, 3997, 3998, 3999}};
    make_triggers();
    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++) {
        struct join join;
        nfsar_error error;
        const size_t n = leave_out(sets[set], 4, 0.3e-3);
        assert_int_equal(n, TRIGGERS - 4);
        assert_int_equal(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error),
                         NFSAR_OK);
        assert_int_equal(join.n_odd, 4);
        assert_true(join.certain);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(join.odd[i], sets[set][i]);
        }
        for (size_t i = 0, t = 0; i < n; i++, t++) {
            while (t == sets[set][0] || t == sets[set][1] || t == sets[set][2] ||
                   t == sets[set][3]) {
                t++;
            }
            assert_int_equal(join.trigger[i], t);
        }
        join_free(&join);
    }
}

static void frames_too_many(void **state) {
    (void)state;
    make_triggers();
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    size_t n = 0;
    for (size_t i = 0; i < TRIGGERS; i++) {
        frame_s[n++] = come(&random, trigger_s[i], 0.3e-3);
        if (i == 700 || i == 2050) { /* a spike on SYNC_IN, half way to the next */
            frame_s[n++] = trigger_s[i] + 2.5e-3 + 1.3e-3;
        }
    }
    struct join join;
    nfsar_error error;
    char text[256];
    assert_int_equal(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error), NFSAR_OK);
    assert_int_equal(join.n_odd, 2);
    assert_int_equal(join.odd[0], 701);
    assert_int_equal(join.odd[1], 2052);
    assert_int_equal(join.trigger[701], -1);
    assert_int_equal(join.trigger[702], 701);
    assert_string_equal(join_text(&join, text, sizeof text),
                        "2 of 4002 frames belong to no trigger: 701, 2052");
    join_free(&join);
}

/* One missing and one too many: the numbers agree, the times do not. */
static void shifted(void **state) {
    (void)state;
    make_triggers();
    static const size_t odd[] = {1500};
    const size_t n = leave_out(odd, 1, 0.3e-3);
    memmove(frame_s + 3001, frame_s + 3000, (n - 3000) * sizeof *frame_s);
    frame_s[3000] = frame_s[2999] + 2.5e-3;
    struct join join;
    nfsar_error error;
    assert_int_equal(join_find(frame_s, n + 1, trigger_s, TRIGGERS, false, &join, &error),
                     NFSAR_OK);
    assert_true(join.shifted);
    assert_true(join.from >= 1500 && join.from < 1520);
    join_free(&join);
}

static void too_far(void **state) {
    (void)state;
    make_triggers();
    struct join join;
    nfsar_error error;
    assert_int_equal(join_find(frame_s, TRIGGERS - 65, trigger_s, TRIGGERS, false, &join, &error),
                     NFSAR_ERROR_UNSUPPORTED);
    assert_int_equal(join_find(frame_s, 1, trigger_s, 2, false, &join, &error),
                     NFSAR_ERROR_UNSUPPORTED);
}

/* Jitter of the size of the interval: found about where it is, and not called certain. */
static void uncertain(void **state) {
    (void)state;
    make_triggers();
    static const size_t odd[] = {2050};
    struct join join;
    nfsar_error error;
    const size_t n = leave_out(odd, 1, 8e-3);
    assert_int_equal(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error), NFSAR_OK);
    assert_int_equal(join.n_odd, 1);
    assert_false(join.certain);
    assert_true(join.odd[0] >= 2000 && join.odd[0] < 2100); /* its row: rows are 200 ms apart */
    join_free(&join);
}

/* A hub whose clock is half as fast as it should be, and 50 ppm off: records come late, never
 * early. */
static void clocks(void **state) {
    (void)state;
    static double hub_s[TRIGGERS], host_s[TRIGGERS];
    static const double rates[] = {1.00005, 2.0};
    for (size_t r = 0; r < 2; r++) {
        nfsar_random random;
        nfsar_random_seed(&random, 5);
        make_triggers();
        double worst = 0.0;
        for (size_t i = 0; i < TRIGGERS; i++) {
            hub_s[i] = trigger_s[i];
            host_s[i] = 5000.0 + rates[r] * trigger_s[i] + 4e-3 * nfsar_random_uniform(&random);
        }
        assert_true(join_clock(hub_s, host_s, TRIGGERS));
        for (size_t i = 0; i < TRIGGERS; i++) {
            worst = fmax(worst, fabs(host_s[i] - 5000.0 - rates[r] * trigger_s[i]));
        }
        assert_true(worst < 2e-3); /* half of the jitter */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree),           cmocka_unit_test(frames_missing),
        cmocka_unit_test(frames_too_many), cmocka_unit_test(shifted),
        cmocka_unit_test(too_far),         cmocka_unit_test(uncertain),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
