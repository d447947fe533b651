/* The heading, where others say places but no directions. */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_HEADING_H
#define NFSAR_CALIBRATION_TRAJECTORY_HEADING_H

#include "calibration/trajectory/filter.h"

struct heading {
    double angle;  /* about up, from the axes that were given as level */
    double sigma;  /* for the filter to begin with */
    double beyond; /* sigma of what the filter is not told, for it could not bear it: the heading
                      may be off by so much more, the same all the time */
};

/* By the tracker's places, or the encoders', from track->begin on; level: body into axes that are
 * level then, by gravity. */
struct heading heading_by_motion(const struct track *track, nfsar_quaternion level,
                                 nfsar_vec3 rate_bias, double rate_sigma);

#endif
