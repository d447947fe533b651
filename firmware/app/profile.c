#include "firmware/app/profile.h"

#include <math.h>

/* Jerk and constant-acceleration ticks of one ramp. */
struct ramp {
    uint32_t jerk;
    uint32_t constant;
};

/* Floats are off by some 2^-24; limits are taken lower by more, so that they hold. */
static const float derating = 1.0f - 0x1p-20f;

static uint32_t ramp_ticks(const struct ramp *ramp) {
    return 2 * ramp->jerk + ramp->constant;
}

/* The speed that a ramp of so many ticks may reach within all three limits. */
static float ramp_speed(const struct ramp *ramp, const struct profile_limits *limits) {
    float rise = (float)(ramp->jerk + ramp->constant);
    float speed = fminf(limits->speed, limits->acceleration * rise);
    return derating * fminf(speed, limits->jerk * (float)ramp->jerk * rise);
}

static enum motion_error check(const struct profile_limits *limits) {
    /* Written so that NaN is refused. */
    if (!(limits->speed > 0) || !(limits->acceleration > 0) || !(limits->jerk > 0)) {
        return MOTION_NOT_CONFIGURED;
    }
    if (!(limits->speed <= PROFILE_SPEED)) {
        return MOTION_SPEED_TOO_HIGH;
    }
    float most = (float)PROFILE_RAMP_TICKS;
    if (limits->speed / limits->acceleration > most / 4 ||
        limits->speed / limits->jerk > (most / 4) * (most / 4)) {
        return MOTION_TOO_SLOW;
    }
    return MOTION_OK;
}

/* The shortest ramp to full speed. */
static struct ramp full_ramp(const struct profile_limits *limits) {
    float rise = limits->speed / limits->acceleration;
    float jerk = limits->acceleration / limits->jerk;
    if (jerk > rise) {
        jerk = sqrtf(limits->speed / limits->jerk);
        rise = jerk;
    }
    struct ramp ramp = {.jerk = (uint32_t)ceilf(jerk)};
    if (ramp.jerk == 0) { /* the quotient of floats far apart */
        ramp.jerk = 1;
    }
    uint32_t total = (uint32_t)ceilf(rise);
    ramp.constant = total > ramp.jerk ? total - ramp.jerk : 0;
    return ramp;
}

/* The ramp of a move too short for full speed: from steps = a (tj + ta) (2 tj + ta), or
 * steps = 2 j tj^3 where the acceleration is not reached either. */
static struct ramp short_ramp(struct ramp full, float steps, const struct profile_limits *limits) {
    float tj = (float)full.jerk;
    float ta = (sqrtf(tj * tj + 4 * steps / limits->acceleration) - 3 * tj) / 2;
    struct ramp ramp = full;
    if (ta > 0) {
        ramp.constant = (uint32_t)ceilf(ta);
    } else {
        ramp.constant = 0;
        ramp.jerk = (uint32_t)ceilf(cbrtf(steps / (2 * limits->jerk)));
    }
    return ramp;
}

/* floor(steps 2^64 / by) and what is left over, bit by bit; steps < by < 2^63. */
static uint64_t divide(uint32_t steps, uint64_t by, uint64_t *left) {
    uint64_t rest = steps, quotient = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        rest <<= 1;
        quotient <<= 1;
        if (rest >= by) {
            rest -= by;
            quotient |= 1;
        }
    }
    *left = rest;
    return quotient;
}

enum motion_error profile_plan(struct profile *profile, uint32_t steps,
                               const struct profile_limits *limits) {
    enum motion_error error = check(limits);
    if (error != MOTION_OK) {
        return error;
    }
    if (steps == 0 || steps >= PROFILE_STEPS) {
        return MOTION_OUT_OF_RANGE;
    }

    struct ramp ramp = full_ramp(limits);
    if ((float)steps < ramp_speed(&ramp, limits) * (float)ramp_ticks(&ramp)) {
        ramp = short_ramp(ramp, (float)steps, limits);
    }
    /* Whatever the ramp, the limits hold when the cruise is long enough for ramp_speed(). */
    float length = ceilf((float)steps / ramp_speed(&ramp, limits));
    if (!(length < (float)(PROFILE_MOVE_TICKS / 2))) {
        return MOTION_TOO_SLOW;
    }
    uint32_t whole = (uint32_t)length;
    uint32_t both = ramp_ticks(&ramp);
    uint32_t cruise = whole > both ? whole - both : 0;

    uint64_t rise = (uint64_t)ramp.jerk * (ramp.jerk + ramp.constant);
    uint64_t span = (uint64_t)both + cruise;
    if (rise > (UINT64_MAX >> 1) / span) {
        return MOTION_TOO_SLOW;
    }
    const uint32_t ticks[PROFILE_SEGMENTS] = {ramp.jerk, ramp.constant, ramp.jerk, cruise,
                                              ramp.jerk, ramp.constant, ramp.jerk};
    for (unsigned k = 0; k < PROFILE_SEGMENTS; k++) {
        profile->ticks[k] = ticks[k];
    }
    uint64_t rest;
    profile->jerk = divide(steps, rise * span, &rest);
    profile->creep = rest / profile_duration(profile);
    return MOTION_OK;
}

uint32_t profile_duration(const struct profile *profile) {
    uint32_t sum = 0;
    for (unsigned k = 0; k < PROFILE_SEGMENTS; k++) {
        sum += profile->ticks[k];
    }
    return sum;
}

/* After the N = 2 tj + ta ticks of a ramp the position is v (N / 2 + 1): the mean delay of the ramp
 * is N / 2 - 1. Two steps more: steps fall on half-integers, and the float is rounded. */
static uint32_t ramp_distance(uint32_t ticks, float speed) {
    float steps = speed * (0.5f * (float)ticks + 1.0f);
    return (uint32_t)ceilf(steps * (1.0f + 0x1p-18f)) + 2;
}

enum motion_error profile_run_in(uint32_t *steps, const struct profile_limits *limits) {
    enum motion_error error = check(limits);
    if (error != MOTION_OK) {
        return error;
    }
    struct ramp ramp = full_ramp(limits);
    *steps = ramp_distance(ramp_ticks(&ramp), limits->speed);
    return MOTION_OK;
}

float profile_cruise_speed(const struct profile *profile) {
    float rise = (float)profile->ticks[0] * (float)(profile->ticks[0] + profile->ticks[1]);
    return 0x1p-64f * ((float)profile->jerk * rise + (float)profile->creep);
}

uint32_t profile_ramp_steps(const struct profile *profile) {
    return ramp_distance(2 * profile->ticks[0] + profile->ticks[1], profile_cruise_speed(profile));
}

void profile_start(struct profile_run *run, const struct profile *profile) {
    *run = (struct profile_run){
        .position = UINT64_C(1) << 63, /* steps fall on half-integers */
        .speed = profile->creep,
        .slope = (int64_t)profile->jerk,
        .jerk = (int64_t)profile->jerk,
        .left = profile->ticks[0],
    };
    for (unsigned k = 0; k < PROFILE_SEGMENTS; k++) {
        run->ticks[k] = profile->ticks[k];
    }
}

bool profile_next(struct profile_run *run) {
    static const int8_t sign[PROFILE_SEGMENTS] = {1, 0, -1, 0, -1, 0, 1};
    do {
        if (run->segment + 1 >= PROFILE_SEGMENTS) {
            return false;
        }
        run->segment++;
        run->left = run->ticks[run->segment];
    } while (run->left == 0);
    run->slope = sign[run->segment] * run->jerk;
    return true;
}

void profile_stop(struct profile_run *run) {
    uint32_t *ticks = run->ticks;
    uint32_t made = ticks[run->segment] - run->left;
    switch (run->segment) {
    case 0: /* the acceleration has risen for made ticks: lower it as long, then mirror */
        ticks[0] = ticks[2] = ticks[4] = ticks[6] = made;
        ticks[1] = ticks[3] = ticks[5] = 0;
        run->left = 0;
        break;
    case 1:
        ticks[1] = ticks[5] = made;
        ticks[3] = 0;
        run->left = 0;
        break;
    case 2:
        ticks[3] = 0;
        break;
    case 3:
        ticks[3] = made;
        run->left = 0;
        break;
    default: /* braking already */
        break;
    }
}
