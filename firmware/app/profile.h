/* A move of a whole number of steps with limited jerk: planned outside the interrupt, made in it by
 * three additions a tick.
 *
 * Seven segments of whole ticks: jerk +J for tj, 0 for ta, -J for tj (speed reached), 0 for tv
 * (cruise), and the mirror image. Each tick does a += j, v += a, p += v. In z-transforms the jerk
 * is J B(tj) (1 - z^-(tj+ta)) (1 - z^-(2tj+ta+tv)) with B(n) = (1 - z^-n) / (1 - z^-1), and
 * position is that over (1 - z^-1)^3, so in the end
 *
 *     a = v = 0,   p = J tj (tj + ta) (2 tj + ta + tv),   peaks  a = J tj,  v = J tj (tj + ta)
 *
 * exactly, in integers. docs/firmware-motion.md has the derivation and the ranges.
 *
 * Speed, acceleration and jerk are multiples of 2^-64 step per tick, tick^2, tick^3. The position
 * is a fraction of a step and its carry is the step. Speed stays below 1/2, so a step never follows
 * in the very next tick. */
#ifndef NFSAR_FIRMWARE_PROFILE_H
#define NFSAR_FIRMWARE_PROFILE_H

#include "firmware/app/motion_error.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROFILE_SEGMENTS = 7 };

/* The longest ramp and the longest move, in ticks. */
#define PROFILE_RAMP_TICKS (1u << 24)
#define PROFILE_MOVE_TICKS (1u << 31)
#define PROFILE_STEPS      (1u << 31)
#define PROFILE_SPEED      0.499f

/* What the mechanics bear, in steps per tick, tick^2, tick^3. */
struct profile_limits {
    float speed;
    float acceleration;
    float jerk;
};

struct profile {
    uint32_t ticks[PROFILE_SEGMENTS];
    uint64_t jerk;
    uint64_t creep; /* speed added throughout, for what rounding J down leaves of the distance */
};

/* Plans 1 to 2^31 - 1 steps. Takes some thousand cycles. MOTION_SPEED_TOO_HIGH, MOTION_TOO_SLOW,
 * MOTION_OUT_OF_RANGE, MOTION_NOT_CONFIGURED (a limit is not above 0). */
enum motion_error profile_plan(struct profile *profile, uint32_t steps,
                               const struct profile_limits *limits);

uint32_t profile_duration(const struct profile *profile);

/* Steps at either end, rounded up, that a move within these limits makes at a changing speed, where
 * it is long enough to reach full speed. */
enum motion_error profile_run_in(uint32_t *steps, const struct profile_limits *limits);
/* The same of a planned move. */
uint32_t profile_ramp_steps(const struct profile *profile);
/* Cruising speed in steps per tick. */
float profile_cruise_speed(const struct profile *profile);

/* A move being made. */
struct profile_run {
    uint64_t position; /* fraction of a step */
    uint64_t speed;
    int64_t acceleration;
    int64_t slope; /* the jerk of this segment */
    uint32_t left; /* ticks of this segment to come */
    uint32_t segment;
    int64_t jerk;
    uint32_t ticks[PROFILE_SEGMENTS];
};

void profile_start(struct profile_run *run, const struct profile *profile);

/* Brings the move to a stand as soon as jerk and acceleration allow: what is left of the segments
 * is cut so that the same law ends in a = v = 0. Cheap; may be called again. */
void profile_stop(struct profile_run *run);

/* To the next segment that has ticks. False: there is none, the move has ended. */
bool profile_next(struct profile_run *run);

/* One tick. False: the move had ended before it. *step: a step is due. */
static inline bool profile_tick(struct profile_run *run, bool *step) {
    *step = false;
    if (run->left == 0 && !profile_next(run)) {
        return false;
    }
    run->left--;
    run->acceleration += run->slope;
    run->speed += (uint64_t)run->acceleration;
    run->position += run->speed;
    *step = run->position < run->speed;
    return true;
}

#endif
