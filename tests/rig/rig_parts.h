/* What is inside the emulated rig. Not for boards: the firmware has a struct stage of its own. */
#ifndef NFSAR_TESTS_RIG_RIG_PARTS_H
#define NFSAR_TESTS_RIG_RIG_PARTS_H

#include <stdatomic.h>
#include <stdio.h>

#include "tests/rig/radar_line.h"
#include "tests/rig/rig.h"
#include "tests/rig/sensors.h"
#include "tests/rig/worker.h"
#include "tests/rig/world.h"

enum { RIG_PULSES = 1024 };

struct rig {
    struct rig_options options;
    char folder[200];
    bool made_folder;
    struct session *session;
    nfsar_scene *scene;
    struct rig_board board;
    struct rig_world world;
    struct radar_line radar;
    struct rig_sensors sensors;
    struct card *card;
    struct worker worker;
    FILE *tracker;
    uint64_t tracked; /* lines of it */
    uint32_t inputs;  /* as the board was told */
    unsigned starts;  /* of the radar, as the worker was told */
    bool started;
    uint64_t boots_ns;                 /* when the radar shows its prompt; 0: it has */
    bool emergency, restart;           /* by a fault: pressed; to be done */
    atomic_bool radar_pulled;          /* its reset, by the card */
    uint64_t pulses, timed;            /* of SYNC_IN; those whose time is known */
    struct rig_stage seen[RIG_PULSES]; /* where the stage was at those not timed yet */
    uint64_t frames;
    uint64_t answered; /* triggers that the radar was ready for, missed ones too */
};

#endif
