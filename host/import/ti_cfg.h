/* The radar's own description: a .cfg file of TI's SDK demo (profileCfg, chirpCfg, frameCfg ...).
 */
#ifndef NFSAR_HOST_IMPORT_TI_CFG_H
#define NFSAR_HOST_IMPORT_TI_CFG_H

#include <nfsar/status.h>

#include "host/import/rig.h"

/* Read rig->radar.cfg, relative to folder, and fill in what the rig file leaves out: waveform,
 * samples, periods, loops, transmitters, receivers and I/Q order. */
enum nfsar_status ti_cfg_apply(const char *folder, struct rig *rig, nfsar_error *error);

#endif
