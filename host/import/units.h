/* Numbers that no radar and no scanner has: nearly always GHz, MHz/us, ksps, us, ns or millimetres
 * given for SI units. Messages name the key, the value and the unit that it seems to be in. */
#ifndef NFSAR_HOST_IMPORT_UNITS_H
#define NFSAR_HOST_IMPORT_UNITS_H

#include <nfsar/capture.h>

#include "host/import/rig.h"

/* Each number by itself. */
enum nfsar_status units_check(const struct rig *rig, nfsar_error *error);

/* The band that the numbers make together, and the instrument's delay against it; the frequencies
 * of the capture are set before. */
enum nfsar_status units_check_band(const struct rig *rig, const nfsar_capture *capture,
                                   nfsar_error *error);

#endif
