/* Echoes of a point at all frequencies, and sums with them: the innermost loops of sharpening and
 * of the phases. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_STEER_H
#define NFSAR_CALIBRATION_TIME_OFFSET_STEER_H

#include "calibration/trajectory/time_offset_data.h"

/* exp(+j2kR) of all samples into re and im, [n_sample] each. */
void offset_steer(const struct offset_data *data, double range_m, double *re, double *im);

/* sum of taper x conj(a) x b. */
double complex offset_product(const struct offset_data *data, const double *a_re,
                              const double *a_im, const double *b_re, const double *b_im);

#endif
