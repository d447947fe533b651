/* Where the antennas were in the windows, for a given offset. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_WAY_H
#define NFSAR_CALIBRATION_TIME_OFFSET_WAY_H

#include "calibration/trajectory/time_offset_data.h"

/* Of the windows that the poses tell: places, their middle, and the two directions in which the way
 * reaches farthest. */
struct way {
    size_t n;
    nfsar_vec3 *at, middle, axis[2];
    double length[2]; /* rms about the middle, 0 where there is no such direction */
};

/* false: no memory. Release with way_free(). */
bool way_find(const struct offset_data *data, double offset_s, struct way *way);
void way_free(struct way *way);

#endif
