/* Profiles: as many steps as asked for, limits held, stops at any moment. Speed, acceleration and
 * jerk are differences of the position alone, exact modulo one step. */
#include "firmware/app/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t state = 1;

static uint32_t draw(uint32_t below) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

/* 10^(-least .. -least + span), spread evenly in the exponent. */
static float scale(double least, double span) {
    return (float)pow(10, least + span * draw(1000000) / 1e6);
}

struct watch {
    uint64_t position;
    int64_t speed, acceleration;
    double most_speed, most_acceleration, most_jerk;
    uint64_t ticks, steps, last_step;
};

static void watch_start(struct watch *watch, const struct profile *profile) {
    *watch = (struct watch){.position = UINT64_C(1) << 63, .speed = (int64_t)profile->creep};
}

static void most(double *value, int64_t seen) {
    double size = fabs((double)seen) * 0x1p-64;
    if (size > *value) {
        *value = size;
    }
}

/* One tick; false when the move has ended. */
static bool watch_tick(struct watch *watch, struct profile_run *run) {
    bool step;
    if (!profile_tick(run, &step)) {
        return false;
    }
    watch->ticks++;
    int64_t speed = (int64_t)(run->position - watch->position);
    int64_t acceleration = speed - watch->speed;
    int64_t jerk = acceleration - watch->acceleration;
    assert_true(speed >= 0);
    most(&watch->most_speed, speed);
    most(&watch->most_acceleration, acceleration);
    most(&watch->most_jerk, jerk);
    watch->position = run->position;
    watch->speed = speed;
    watch->acceleration = acceleration;
    if (step) {
        if (watch->steps > 0) {
            assert_true(watch->ticks - watch->last_step >= 2);
        }
        watch->last_step = watch->ticks;
        watch->steps++;
    }
    return true;
}

static void within(const struct watch *watch, const struct profile_limits *limits) {
    assert_true(watch->most_speed <= (double)limits->speed);
    assert_true(watch->most_acceleration <= (double)limits->acceleration);
    assert_true(watch->most_jerk <= (double)limits->jerk);
}

static struct profile_limits any_limits(void) {
    return (struct profile_limits){
        .speed = scale(-2, 1.69), .acceleration = scale(-5, 3), .jerk = scale(-8, 6)};
}

static void random_moves_make_every_step(void **unused) {
    (void)unused;
    for (int k = 0; k < 1200; k++) {
        struct profile_limits limits = any_limits();
        uint32_t steps = (uint32_t)scale(0, 3.7);
        struct profile profile;
        if (profile_plan(&profile, steps, &limits) != MOTION_OK) {
            fail_msg("%u steps refused", steps);
        }
        struct profile_run run;
        struct watch watch;
        profile_start(&run, &profile);
        watch_start(&watch, &profile);
        while (watch_tick(&watch, &run)) {
            ;
        }
        assert_int_equal(watch.steps, steps);
        assert_int_equal(watch.ticks, profile_duration(&profile));
        within(&watch, &limits);
        /* The end is exact to a fraction of 2^-32 of a step, and stands. */
        int64_t off = (int64_t)(run.position - (UINT64_C(1) << 63));
        assert_true(off <= 0 && off > -(INT64_C(1) << 32));
        assert_int_equal(run.acceleration, 0);
        assert_int_equal(run.speed, profile.creep);
        assert_false(watch_tick(&watch, &run));
    }
}

/* The integer law itself, on the largest numbers: J F + creep T = steps, but for T units. */
static void end_is_exact_where_it_cannot_be_run(void **unused) {
    (void)unused;
    __extension__ typedef unsigned __int128 wide;
    int planned = 0;
    for (int k = 0; k < 200000; k++) {
        struct profile_limits limits = {
            .speed = scale(-4, 3.69), .acceleration = scale(-8, 6), .jerk = scale(-13, 11)};
        /* 2^31 ticks, and 2^63 of J's parts, are the ends of the range. */
        double longest = fmin((double)limits.speed * 1e9, (double)limits.jerk * 4e18);
        uint32_t steps = 1 + (uint32_t)fmin((double)scale(0, 9.3), longest);
        struct profile profile;
        enum motion_error error = profile_plan(&profile, steps, &limits);
        if (error != MOTION_OK) {
            assert_int_equal(error, MOTION_TOO_SLOW);
            continue;
        }
        planned++;
        uint64_t tj = profile.ticks[0], ta = profile.ticks[1], tv = profile.ticks[3];
        wide made = (wide)profile.jerk * (tj * (tj + ta) * (2 * tj + ta + tv)) +
                    (wide)profile.creep * profile_duration(&profile);
        wide asked = (wide)steps << 64;
        assert_true(made <= asked && asked - made < profile_duration(&profile));
        double jerk = (double)profile.jerk * 0x1p-64;
        assert_true(jerk <= (double)limits.jerk);
        assert_true(jerk * (double)tj <= (double)limits.acceleration);
        assert_true(jerk * (double)(tj * (tj + ta)) <= (double)limits.speed);
        assert_true(profile.jerk > 0);
    }
    assert_in_range(planned, 190000, 200000);
}

/* Not slower than need be: a long move takes steps / speed + the ramp, to a few ticks. */
static void moves_are_short(void **unused) {
    (void)unused;
    /* 8000 steps/s, 40000 steps/s^2, 4e5 steps/s^3 at 40 kHz: tj = 0.1 s, ta = 0.1 s. */
    struct profile_limits limits = {0.2f, 2.5e-5f, 6.25e-9f};
    struct profile profile;
    assert_int_equal(profile_plan(&profile, 80000, &limits), MOTION_OK);
    assert_in_range(profile.ticks[0], 4000, 4001);
    assert_in_range(profile.ticks[0] + profile.ticks[1], 8000, 8001);
    assert_in_range(profile_duration(&profile), 412000, 412010);
    /* Too short for full speed: 800 steps = a (tj + ta)(2 tj + ta), ta = 12.2 ticks less than 0. */
    assert_int_equal(profile_plan(&profile, 800, &limits), MOTION_OK);
    assert_int_equal(profile.ticks[1], 0);
    assert_in_range(profile.ticks[0], 4000, 4001);
    /* Without reaching the acceleration: tj = cbrt(100 / 2 J) = 2000. */
    assert_int_equal(profile_plan(&profile, 100, &limits), MOTION_OK);
    assert_in_range(profile.ticks[0], 2000, 2001);
    /* Reaching it: (tj + ta)(2 tj + ta) = 1400 / a = 5.6e7 ticks^2. */
    assert_int_equal(profile_plan(&profile, 1400, &limits), MOTION_OK);
    double rise = profile.ticks[0] + profile.ticks[1];
    assert_true(fabs(rise * (rise + 4000) - 5.6e7) < 3e4);
}

static void stops_anywhere(void **unused) {
    (void)unused;
    for (int k = 0; k < 2500; k++) {
        struct profile_limits limits = any_limits();
        uint32_t steps = 1 + (uint32_t)scale(0, 3.5);
        struct profile profile;
        assert_int_equal(profile_plan(&profile, steps, &limits), MOTION_OK);
        struct profile_run run;
        struct watch watch;
        profile_start(&run, &profile);
        watch_start(&watch, &profile);
        uint64_t at = draw(profile_duration(&profile));
        while (watch.ticks < at) {
            assert_true(watch_tick(&watch, &run));
        }
        profile_stop(&run);
        if (draw(2) == 0) {
            profile_stop(&run);
        }
        uint64_t again = draw(1000);
        while (watch_tick(&watch, &run)) {
            if (again-- == 0) {
                profile_stop(&run);
            }
        }
        assert_int_equal(run.acceleration, 0);
        assert_int_equal(run.speed, profile.creep);
        within(&watch, &limits);
        assert_true(watch.steps <= steps);
        assert_true(watch.ticks <= profile_duration(&profile));
        assert_true(watch.ticks - at <= 2 * (2 * profile.ticks[0] + profile.ticks[1]));
    }
}

/* What profile_run_in() says: from there on the time between steps is that of the cruise. */
static void run_in_ends_in_the_cruise(void **unused) {
    (void)unused;
    for (int k = 0; k < 500; k++) {
        struct profile_limits limits = any_limits();
        uint32_t run_in;
        assert_int_equal(profile_run_in(&run_in, &limits), MOTION_OK);
        if (run_in > 2000) {
            continue;
        }
        uint32_t span = 1 + draw(500);
        struct profile profile;
        assert_int_equal(profile_plan(&profile, 2 * run_in + span, &limits), MOTION_OK);
        assert_true(profile_ramp_steps(&profile) <= run_in);
        double cruise = (double)profile_cruise_speed(&profile);
        /* Whole ticks cost less than one of the move's. */
        double whole = (2 * run_in + span) / cruise;
        assert_true(cruise <= (double)limits.speed);
        assert_true(cruise >= (double)limits.speed * (1 - 1 / whole - 2e-6));
        struct profile_run run;
        struct watch watch;
        profile_start(&run, &profile);
        watch_start(&watch, &profile);
        uint64_t before = 0;
        while (watch_tick(&watch, &run)) {
            bool on_step = watch.steps != before;
            before = watch.steps;
            if (on_step && watch.steps >= run_in && watch.steps <= run_in + span) {
                assert_int_equal(watch.acceleration, 0);
                assert_true(fabs((double)watch.speed * 0x1p-64 / cruise - 1) < 1e-6);
            }
        }
        /* Nor longer than it must be: half the ramp at full speed, and a few steps. */
        double ramp = 2 * profile.ticks[0] + profile.ticks[1];
        assert_true(run_in <= (ramp / 2 + 1) * (double)limits.speed * 1.00001 + 4);
    }
}

static void refusals(void **unused) {
    (void)unused;
    struct profile_limits good = {0.1f, 1e-5f, 1e-8f};
    struct profile profile;
    uint32_t steps;
    assert_int_equal(profile_plan(&profile, 0, &good), MOTION_OUT_OF_RANGE);
    assert_int_equal(profile_plan(&profile, PROFILE_STEPS, &good), MOTION_OUT_OF_RANGE);
    struct profile_limits bad = good;
    bad.speed = 0.5f;
    assert_int_equal(profile_plan(&profile, 10, &bad), MOTION_SPEED_TOO_HIGH);
    assert_int_equal(profile_run_in(&steps, &bad), MOTION_SPEED_TOO_HIGH);
    bad.speed = NAN;
    assert_int_equal(profile_plan(&profile, 10, &bad), MOTION_NOT_CONFIGURED);
    bad = good;
    bad.acceleration = 0;
    assert_int_equal(profile_plan(&profile, 10, &bad), MOTION_NOT_CONFIGURED);
    bad.acceleration = 1e-12f;
    assert_int_equal(profile_plan(&profile, 10, &bad), MOTION_TOO_SLOW);
    bad = good;
    bad.jerk = 0;
    assert_int_equal(profile_plan(&profile, 10, &bad), MOTION_NOT_CONFIGURED);
    bad.jerk = 1e-20f;
    assert_int_equal(profile_plan(&profile, 10, &bad), MOTION_TOO_SLOW);
    /* Many steps at a crawl: more ticks than are counted. */
    bad = (struct profile_limits){1e-6f, 1e-5f, 1e-8f};
    assert_int_equal(profile_plan(&profile, 1u << 30, &bad), MOTION_TOO_SLOW);
    /* Ramps and move so long that J would have too few bits. */
    bad = (struct profile_limits){0.4f, 1e-7f, 1e-13f};
    assert_int_equal(profile_plan(&profile, 400000000, &bad), MOTION_TOO_SLOW);
    assert_string_equal(motion_error_name(MOTION_TOO_SLOW), "too-slow");
    assert_string_equal(motion_error_name(MOTION_ERRORS), "unknown");
    for (int error = 0; error < MOTION_ERRORS; error++) {
        assert_non_null(motion_error_name((enum motion_error)error));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_moves_make_every_step),
        cmocka_unit_test(end_is_exact_where_it_cannot_be_run),
        cmocka_unit_test(moves_are_short),
        cmocka_unit_test(stops_anywhere),
        cmocka_unit_test(run_in_ends_in_the_cruise),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
