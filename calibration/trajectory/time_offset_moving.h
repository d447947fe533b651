/* The pulses during which the radar moves, for a given offset. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_MOVING_H
#define NFSAR_CALIBRATION_TIME_OFFSET_MOVING_H

#include "calibration/trajectory/time_offset_data.h"

/* The echoes while the radar moves, without what all of them share. */
struct moving {
    bool *moves;         /* [n_pulse] */
    float complex *mean; /* [n_sample] */
};

/* false: no memory. Release with moving_free(), also then. */
bool moving_make(const struct offset_data *data, const struct offset_maps *maps,
                 const struct offset_state *state, struct moving *moving);
void moving_free(struct moving *moving);

#endif
