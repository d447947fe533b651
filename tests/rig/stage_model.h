/* What the step and direction pins move: three carriages with their switches. Positions are those
 * of the hub once it was homed: the low switch closes at home.position_m, and so on. Before, a hub
 * counts from where the carriage stood when it started. */
#ifndef NFSAR_TESTS_RIG_STAGE_MODEL_H
#define NFSAR_TESTS_RIG_STAGE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "host/devices/stage.h"

enum { RIG_AXES = 3, RIG_STEP_TIMES = 8 };

struct rig_axis {
    bool inverted, endless;
    bool has_low, has_high;
    int32_t low,
        high;      /* the switches are closed there and beyond; a turntable's mark lies between */
    int32_t turn;  /* of a turntable */
    bool to_high;  /* it homes to the high switch */
    bool found;    /* the switch or mark to home to was closed since the hub's start */
    int32_t began; /* position at the hub's start */
    int32_t position;
    uint64_t steps;                   /* pulses that came */
    uint64_t step_ns[RIG_STEP_TIMES]; /* when the last ones came */
    int8_t direction;                 /* of the last */
    unsigned alike;                   /* of the last, one after the other in this direction */
};

struct rig_stage {
    struct rig_axis axis[RIG_AXES];
};

/* stage: NULL for one without axes. The carriages stand 25 mm inside the switch to which they home,
 * a turntable half a turn from its mark. */
void rig_stage_init(struct rig_stage *model, const struct stage *stage);

/* The hub starts again, the carriages stay. */
void rig_stage_restart(struct rig_stage *model);

/* As a hub has it that was homed after the switch was found, or not at all. */
int32_t rig_stage_position(const struct rig_stage *model, unsigned axis);

/* A rising edge of a step pin while the direction pin is as given. */
void rig_stage_step(struct rig_stage *model, unsigned axis, bool direction, uint64_t time_ns);

/* Switches that are closed now, bits of enum board_input. */
uint32_t rig_stage_inputs(const struct rig_stage *model);

/* Steps per second, from the last steps; 0 when none came for long. */
double rig_stage_speed(const struct rig_stage *model, unsigned axis, uint64_t now_ns);

#endif
