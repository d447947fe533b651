/* Least squares for the offset, the range bias and the place of each reflector: rows of
 * residuals are gathered, solved, and their spread tells how sure the offset is. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_FIT_H
#define NFSAR_CALIBRATION_TIME_OFFSET_FIT_H

#include "calibration/trajectory/time_offset_data.h"

enum { FIT_OFFSET, FIT_BIAS, FIT_PLACE, FIT_UNKNOWNS = FIT_PLACE + 3 * REFLECTORS };

/* One residual, seen less predicted, in units of what is expected of it; and by how much the
 * prediction grows with the offset, the bias and the reflector's place. */
struct fit_row {
    size_t reflector, window;
    double value, weight;
    double by_offset, by_bias, by_place[3];
};

struct fit {
    struct fit_row *row; /* [n], room */
    size_t n, room;
};

/* Add a row; false when there is no memory. */
bool fit_add(struct fit *fit, const struct fit_row *row);
void fit_free(struct fit *fit);

struct fit_answer {
    double offset, bias, place[REFLECTORS][3];
    double sigma_offset, sigma_bias; /* by how windows differ: errors may be common to reflectors */
};

/* The step to take. Huber's weights are put on the rows' own; what the rows do not tell stays
 * within reach_m (places; 0: they are known), reach_s (the offset) and bias_m (the bias). false
 * when it cannot be solved. */
bool fit_solve(const struct fit *fit, size_t n_reflector, double reach_m, double reach_s,
               double bias_m, struct fit_answer *answer);

#endif
