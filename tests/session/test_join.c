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

/* ---- a pause of the program that takes the records ---- */

enum { HELD = 2000 };

/* All records that come while it is held come at its end. */
static void hold(double *host_s, double at_s, double hold_s) {
    for (size_t i = 0; i < HELD; i++) {
        if (host_s[i] > at_s && host_s[i] < at_s + hold_s) {
            host_s[i] = at_s + hold_s + 1e-5 * (double)(i % 100);
        }
    }
}

/* Triggers 10 ms apart, records late by up to 2 ms; clocks that differ and drift. A pause of any
 * length anywhere moves no trigger by a tenth of the interval, and no frame is in doubt. */
static void held(void **state) {
    (void)state;
    static double hub_s[HELD], host_s[HELD], true_s[HELD], came_s[HELD];
    static const double holds_s[] = {0.02, 0.05, 0.1, 0.3, 1.0, 2.5, 5.0};
    static const double rates[] = {1.00002, 2.0};
    for (size_t set = 0; set < 2 * sizeof holds_s / sizeof *holds_s; set++) {
        const double hold_s = holds_s[set / 2], rate = rates[set % 2];
        for (double place = -0.1; place < 1.05; place += 0.0997) {
            nfsar_random random;
            nfsar_random_seed(&random, 11);
            for (size_t i = 0; i < HELD; i++) {
                hub_s[i] = 50.0 + 0.01 * (double)i / rate;
                true_s[i] = 900.0 + rate * hub_s[i] +
                            2e-7 * (double)i * (double)i / HELD; /* 40 ppm in 20 s */
                host_s[i] = true_s[i] + 2e-3 * nfsar_random_uniform(&random);
                came_s[i] = come(&random, true_s[i], 0.3e-3);
            }
            hold(host_s, true_s[0] + place * 20.0, hold_s);
            assert_true(join_clock(hub_s, host_s, HELD));
            double worst = 0.0;
            for (size_t i = 0; i < HELD; i++) {
                worst = fmax(worst, fabs(host_s[i] - true_s[i]));
            }
            if (worst > 1e-3) {
                fail_msg("held for %g s at %g: off by %g s", hold_s, place, worst);
            }
            struct join join;
            nfsar_error error;
            assert_ok(join_find(came_s, HELD, host_s, HELD, false, &join, &error), error);
            assert_true(join.certain && !join.shifted && join_agrees(&join));
            join_free(&join);
        }
    }
}

/* The thread that takes packets is held: frames come late in a row, and no trigger is missing. */
static void frames_held(void **state) {
    (void)state;
    static const double holds_s[] = {0.02, 0.1, 1.0, 5.0};
    make_triggers();
    for (size_t set = 0; set < 4; set++) {
        for (size_t place = 100; place < TRIGGERS; place += 977) {
            struct join join;
            nfsar_error error;
            const size_t n = leave_out(NULL, 0, 0.3e-3);
            const double end = frame_s[place] + holds_s[set];
            for (size_t i = place; i < n && frame_s[i] < end; i++) {
                frame_s[i] = end;
            }
            assert_ok(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error), error);
            assert_true(join.certain && !join.shifted);
            join_free(&join);
        }
    }
}

/* Records that were lost: times in between, and no harm to the others. */
static void records_lost(void **state) {
    (void)state;
    static double hub_s[HELD], host_s[HELD];
    for (size_t i = 0; i < HELD; i++) {
        hub_s[i] = 0.01 * (double)i;
        host_s[i] = i % 3 == 0 || i < 5 || i > HELD - 200 ? NAN : 70.0 + 1.5 * hub_s[i];
    }
    assert_true(join_clock(hub_s, host_s, HELD));
    for (size_t i = 0; i < HELD; i++) {
        assert_near(host_s[i], 70.0 + 1.5 * hub_s[i], 1e-9);
    }
    for (size_t i = 0; i < HELD; i++) {
        host_s[i] = NAN;
    }
    assert_true(join_clock(hub_s, host_s, HELD) && join_clock(hub_s, host_s, 0));
    assert_near(join_between(10.0, 14.0, 0, 3), 11.0, 1e-12);
    assert_near(join_between(10.0, 14.0, 2, 3), 13.0, 1e-12);
    assert_near(join_between(NAN, 14.0, 0, 3), 13.997, 1e-12);
}

/* ---- faults of both kinds ---- */

/* Two missing and one too many: no trigger can be given to all by leaving some out. */
static void both(void **state) {
    (void)state;
    make_triggers();
    static const size_t odd[] = {700, 1500};
    char text[256];
    size_t n = leave_out(odd, 2, 0.3e-3);
    memmove(frame_s + 3001, frame_s + 3000, (n - 3000) * sizeof *frame_s);
    frame_s[3000] = frame_s[2999] + 2.5e-3;
    struct join join;
    nfsar_error error;
    assert_ok(join_find(frame_s, n + 1, trigger_s, TRIGGERS, false, &join, &error), error);
    assert_true(join.shifted && join.certain && !join_agrees(&join));
    assert_int_equal(join.from, 700);
    assert_contains(join_text(&join, text, sizeof text), "from frame 700 on");
    join_free(&join);
}

/* A recording that broke off: triggers and frames are left over at the end, and none within. */
static void open_end(void **state) {
    (void)state;
    make_triggers();
    static const size_t sets[][3] = {
        {3997, 3998, 3999}, {57, 1234, 3999}, {0, 1, 2}, {3900, 3901, 3902}};
    static const size_t found[] = {0, 2, 3, 3};
    for (size_t set = 0; set < 4; set++) {
        struct join join;
        nfsar_error error;
        const size_t n = leave_out(sets[set], 3, 0.3e-3);
        assert_ok(join_find(frame_s, n, trigger_s, TRIGGERS, true, &join, &error), error);
        assert_int_equal(join.n_odd, found[set]);
        assert_int_equal(join_agrees(&join), found[set] == 0);
        assert_true(join.certain && !join.shifted);
        join_free(&join);
    }
    for (size_t triggers = 2500; triggers < 3999; triggers += 700) {
        struct join join;
        nfsar_error error;
        size_t n = leave_out(NULL, 0, 0.3e-3);
        assert_ok(join_find(frame_s, n, trigger_s, triggers, true, &join, &error), error);
        assert_true(join_agrees(&join));
        assert_int_equal(join.n_beyond, n - triggers);
        join_free(&join);
        n = leave_out(sets[1], 3, 0.3e-3);
        assert_ok(join_find(frame_s, n, trigger_s, triggers, true, &join, &error), error);
        assert_int_equal(join.n_odd, 2);
        assert_int_equal(join.odd[1], 1234);
        assert_false(join_agrees(&join));
        join_free(&join);
    }
}

/* ---- frames shorter than a packet ---- */

/* Packets of 1456 bytes come when the frame that fills them has; frame_s is when the one with a
 * frame's first byte did. */
static void in_packets(double *came_s, size_t n, size_t bytes) {
    for (size_t i = 0; i < n; i++) {
        const size_t packet = i * bytes / 1456;
        size_t filler = i;
        while ((filler + 1) * bytes < (packet + 1) * 1456) {
            filler++;
        }
        came_s[i] = filler < n ? came_s[filler] : came_s[n - 1] + 2.0;
    }
}

static void short_frames(void **state) {
    (void)state;
    static const size_t sizes[] = {512, 1024, 100, 728, 1455, 1456, 2048};
    static const size_t odd[] = {1500};
    make_triggers();
    for (size_t set = 0; set < sizeof sizes / sizeof *sizes; set++) {
        struct join join;
        nfsar_error error;
        size_t n = leave_out(NULL, 0, 0.3e-3);
        in_packets(frame_s, n, sizes[set]);
        join_frames(frame_s, n, sizes[set]);
        assert_ok(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error), error);
        assert_true(join_agrees(&join) && join.certain);
        assert_near(join.lag_s, 1.35e-3, 0.1e-3);
        assert_true(join.spread_s < 0.2e-3);
        join_free(&join);

        n = leave_out(odd, 1, 0.3e-3);
        in_packets(frame_s, n, sizes[set]);
        join_frames(frame_s, n, sizes[set]);
        assert_ok(join_find(frame_s, n, trigger_s, TRIGGERS, false, &join, &error), error);
        assert_int_equal(join.n_odd, 1);
        assert_true(join.certain && !join.shifted);
        const size_t blur = join_blur(sizes[set]);
        assert_int_equal(blur, sizes[set] >= 1456 ? 0 : (1455 + sizes[set]) / sizes[set]);
        assert_near((double)join.odd[0], 1500.0, blur > 0 ? (double)(blur - 1) : 0.0);
        join_free(&join);
    }
}

/* ---- lists that are no times ---- */

static void hostile(void **state) {
    (void)state;
    static const double bad[] = {NAN, INFINITY, -INFINITY, 0.0, 1e300, -1e300};
    static double hub_s[200], host_s[200], came_s[190];
    for (size_t i = 0; i < 6 * 6 * 6; i += 5) {
        for (size_t k = 0; k < 200; k++) {
            hub_s[k] = k % 3 == 0 ? bad[i % 6] : 0.01 * (double)k;
            host_s[k] = k % 5 < 4 ? bad[i / 6 % 6] : 0.01 * (double)k;
        }
        for (size_t k = 0; k < 190; k++) {
            came_s[k] = k % 7 < 5 ? bad[i / 36] : 0.01 * (double)k;
        }
        assert_true(join_clock(hub_s, host_s, 200));
        for (int open = 0; open < 2; open++) {
            struct join join;
            char text[128];
            if (join_find(came_s, 190, host_s, 200, open == 1, &join, NULL) == NFSAR_OK) {
                join_agrees(&join);
                join_text(&join, text, sizeof text);
                join_free(&join);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree),
        cmocka_unit_test(frames_missing),
        cmocka_unit_test(frames_too_many),
        cmocka_unit_test(shifted),
        cmocka_unit_test(too_far),
        cmocka_unit_test(uncertain),
        cmocka_unit_test(clocks),
        cmocka_unit_test(held),
        cmocka_unit_test(frames_held),
        cmocka_unit_test(records_lost),
        cmocka_unit_test(both),
        cmocka_unit_test(open_end),
        cmocka_unit_test(short_frames),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
