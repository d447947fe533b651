/* --fault of nfsar-rig: "loss=0.01,reorder=50". */
#ifndef NFSAR_TESTS_RIG_FAULTS_H
#define NFSAR_TESTS_RIG_FAULTS_H

#include <nfsar/status.h>

#include "tests/rig/card.h"

struct rig_faults {
    struct card_faults card;
    /* At which trigger that the radar waits for, counted from 1 since the rig began; 0: never. */
    uint64_t miss, miss2; /* the radar does not answer */
    uint64_t mute;        /* from then on no samples reach the card */
    uint64_t ddr_full;    /* the card says that its memory is full */
    uint64_t emergency;   /* the emergency stop is pressed, and stays so */
    uint64_t restart;     /* the hub restarts */
    /* Of the hub's records of triggers, counted from 1: from which on so many never arrive. */
    uint64_t drop_record;
    uint64_t drop_records; /* 0: one */
    bool hang_stop;        /* the radar hangs in sensorStop while it waits for triggers */
};

/* Adds what the text says. */
enum nfsar_status rig_faults_read(const char *text, struct rig_faults *faults, nfsar_error *error);

#endif
