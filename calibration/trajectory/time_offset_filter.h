/* Phases less what is told of them by those before, where the poses err smoothly: a Kalman filter
 * over the error of the poses (docs/theory/time-offset.md). */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_FILTER_H
#define NFSAR_CALIBRATION_TIME_OFFSET_FILTER_H

#include "calibration/trajectory/time_offset_data.h"

/* A phase as a range: seen less predicted, and by how much the prediction grows with the offset and
 * with the reflector's place (as it shrinks with the antennas'). */
struct phase_row {
    size_t reflector, window;
    bool begins; /* nothing ties its constant to that of the reflector's row before */
    double time_s;
    double value, noise; /* metres */
    double by_offset, by_place[3];
    double doubt; /* noise is taken for so many times as much; 1 but for outliers */
};

/* How the poses err: along each axis of the world a stationary Gaussian process, Matern's of
 * smoothness order - 1/2, 1 to 3. */
struct pose_error {
    int order;
    double sigma_m[3], time_s;
    double noise[REFLECTORS]; /* a factor to the noise of each reflector */
};

/* Columns of filtered rows: value, offset, places. */
enum { FILTERED_VALUE, FILTERED_OFFSET, FILTERED_PLACE, FILTERED = 2 + 3 * REFLECTORS };

struct filtered {
    size_t columns;                     /* 2 + 3 n_reflector */
    double normal[FILTERED * FILTERED]; /* [columns][columns] sums of products of filtered rows */
    double log_determinant;             /* of the rows' covariance */
};

/* row[n], ascending in window; constant_m is the standard deviation of their constants. What is
 * left of a row has unit variance, and is independent of the rows before: white[n][columns], unless
 * NULL. */
void filter_phases(const struct phase_row *row, size_t n, size_t n_reflector,
                   const struct pose_error *pose_error, double constant_m, double *white,
                   struct filtered *filtered);

#endif
