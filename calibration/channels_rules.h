/* What the pulses do not tell of a reflector's place, by rule. */
#ifndef NFSAR_CALIBRATION_CHANNELS_RULES_H
#define NFSAR_CALIBRATION_CHANNELS_RULES_H

#include "calibration/channels_fit.h"

/* After the fit by phases, without a point. Of the range, if it is not told: the mean delay is zero
 * (*delay_is_range). Of the angle: it is the one from which the channels as they are add up best,
 * or the one most ahead where they do so from nowhere. Ends with sums that belong to the place. */
enum nfsar_status channel_rules_follow(struct channel_fit *fit, bool *delay_is_range,
                                       nfsar_error *error);

#endif
