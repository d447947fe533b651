/* --fault of nfsar-rig: "loss=0.01,reorder=50". */
#ifndef NFSAR_TESTS_RIG_FAULTS_H
#define NFSAR_TESTS_RIG_FAULTS_H

#include <nfsar/status.h>

#include "tests/rig/card.h"

struct rig_faults {
    struct card_faults card;
    uint64_t miss; /* the radar does not answer this trigger, counted from 1; 0: none */
};

/* Adds what the text says. */
enum nfsar_status rig_faults_read(const char *text, struct rig_faults *faults, nfsar_error *error);

#endif
