/* What the fit of phases takes over from that of ranges and rates. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_RATES_H
#define NFSAR_CALIBRATION_TIME_OFFSET_RATES_H

#include "calibration/trajectory/time_offset_fit.h"

/* Rows of all peaks that lie where the state predicts them: ranges, and rates unless ranges_only.
 * Counts windows and residuals of each reflector, unless ranges_only. false: no memory. */
bool rates_gather(const struct offset_data *data, const struct offset_maps *maps,
                  struct offset_state *state, bool ranges_only, struct fit *fit);

/* Standard deviation of the bias by what neighbours in range do to peaks: one pulls those of a
 * whole passage alike, so each reflector counts once. How much, the reflectors' means tell; and,
 * for there may be one reflector alone, all deviations, as one mean more. false: no memory. */
bool rates_doubt(const struct offset_data *data, const struct offset_maps *maps,
                 struct offset_state *state, double *doubt_m);

/* Change the state by what was found; places by most_m at most. */
void rates_step(struct offset_state *state, const struct fit_answer *answer, double most_m);

/* Leave out reflectors seen in fewer windows. */
void rates_drop_faint(struct offset_state *state, size_t least);

#endif
