/* Settings of the wire as the stage's parts want them. */
#ifndef NFSAR_APP_STAGE_CONFIG_H
#define NFSAR_APP_STAGE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/app/axis.h"
#include "firmware/app/program.h"
#include "nfsar/wire.h"

/* A number of steps, per second or so, rounded; false when it is negative, not a number, too large.
 */
bool stage_config_whole(uint32_t *whole, float value);

/* False: *field is the index of the one that cannot be. */
bool stage_config_axis(struct axis_config *config, unsigned axis,
                       const struct nfsar_wire_do_axis_set *set, uint16_t *field);
bool stage_config_program(struct program_scan *scan, const struct nfsar_wire_do_program_load *load,
                          uint16_t *field);

#endif
