/* --fault of nfsar-rig: "loss=0.01,reorder=50". */
#ifndef NFSAR_TESTS_RIG_FAULTS_H
#define NFSAR_TESTS_RIG_FAULTS_H

#include <nfsar/status.h>

#include "tests/rig/card.h"

enum nfsar_status rig_faults_read(const char *text, struct card_faults *faults, nfsar_error *error);

#endif
