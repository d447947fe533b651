/* Generalised least squares on phases where the poses err smoothly: how they err is found by what
 * makes the phases likeliest, the unknowns integrated out (restricted maximum likelihood). */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_ERRORS_H
#define NFSAR_CALIBRATION_TIME_OFFSET_ERRORS_H

#include "calibration/trajectory/time_offset_filter.h"
#include "calibration/trajectory/time_offset_fit.h"

struct errors_problem {
    struct phase_row *row; /* [n]; outliers get their doubt */
    size_t n, n_reflector;
    const struct fit *ranges; /* rows of ranges, in units of what is expected of them */
    double constant_m, reach_m, reach_s, bias_m; /* standard deviations beforehand */
    double shortest_s, longest_s;                /* how long errors of the poses may last */
};

/* Find *pose_error, from what it is when its order is not 0. false: no memory. */
bool errors_find(struct errors_problem *problem, struct pose_error *pose_error);

/* The step to take. false when it cannot be solved. */
bool errors_solve(struct errors_problem *problem, const struct pose_error *pose_error,
                  struct fit_answer *answer);

#endif
