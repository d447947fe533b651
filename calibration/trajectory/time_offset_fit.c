#include "calibration/trajectory/time_offset_fit.h"

#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"

/* Residuals beyond so many of their median count as one that large. */
#define HUBER 3.0

enum { NONZERO = 5 };

bool fit_add(struct fit *fit, const struct fit_row *row) {
    if (fit->n == fit->room) {
        const size_t room = fit->room > 0 ? 2 * fit->room : 1024;
        struct fit_row *grown = realloc(fit->row, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        fit->row = grown;
        fit->room = room;
    }
    fit->row[fit->n++] = *row;
    return true;
}

void fit_free(struct fit *fit) {
    free(fit->row);
    memset(fit, 0, sizeof *fit);
}

/* The unknowns that a row depends on. */
static void expand(const struct fit_row *row, size_t at[NONZERO], double by[NONZERO]) {
    at[0] = FIT_OFFSET;
    by[0] = row->by_offset;
    at[1] = FIT_BIAS;
    by[1] = row->by_bias;
    for (size_t i = 0; i < 3; i++) {
        at[2 + i] = FIT_PLACE + 3 * row->reflector + i;
        by[2 + i] = row->by_place[i];
    }
}

/* Robust rms of the residuals: 1.48 of the median of their magnitudes. */
static double scale_of(const struct fit *fit, double *room) {
    size_t n = 0;
    for (size_t i = 0; i < fit->n; i++) {
        if (fit->row[i].weight > 0.0) {
            room[n++] = fabs(fit->row[i].value);
        }
    }
    return n > 0 ? fmax(1.4826 * sort_upper_median(room, n), 1e-9) : 1.0;
}

/* sum over windows of the squared sums of their rows' pull: errors of the poses are common to all
 * reflectors of a window. */
static double spread_of(const struct fit *fit, size_t n_reflector, size_t m, const double *inverse,
                        const double *step, const double *weight, size_t unknown, size_t n_window,
                        double *pull) {
    memset(pull, 0, n_window * sizeof *pull);
    for (size_t i = 0; i < fit->n; i++) {
        size_t at[NONZERO];
        double by[NONZERO], residual = fit->row[i].value, sum = 0.0;
        expand(&fit->row[i], at, by);
        for (size_t k = 0; k < NONZERO; k++) {
            residual -= by[k] * step[at[k]];
            sum += inverse[unknown * m + at[k]] * by[k];
        }
        pull[fit->row[i].window] += weight[i] * sum * residual;
    }
    double total = 0.0;
    size_t windows = 0;
    for (size_t w = 0; w < n_window; w++) {
        total += pull[w] * pull[w];
        windows += pull[w] != 0.0;
    }
    const double free_windows = (double)windows - (double)m / (double)n_reflector;
    return free_windows > 1.0 ? sqrt(total * (double)windows / free_windows) : INFINITY;
}

bool fit_solve(const struct fit *fit, size_t n_reflector, double reach_m, double reach_s,
               double bias_m, struct fit_answer *answer) {
    const size_t m = FIT_PLACE + 3 * n_reflector;
    double matrix[FIT_UNKNOWNS * FIT_UNKNOWNS] = {0.0}, step[FIT_UNKNOWNS] = {0.0};
    size_t n_window = 0;
    for (size_t i = 0; i < fit->n; i++) {
        n_window = fit->row[i].window + 1 > n_window ? fit->row[i].window + 1 : n_window;
    }
    const size_t room = fit->n > n_window ? fit->n : n_window;
    double *weight = malloc((fit->n + 1) * sizeof *weight);
    double *work = malloc((room + 1) * sizeof *work);
    bool solved = weight != NULL && work != NULL && fit->n > 0;
    const double scale = solved ? scale_of(fit, work) : 1.0;
    for (size_t i = 0; solved && i < fit->n; i++) {
        const struct fit_row *row = &fit->row[i];
        size_t at[NONZERO];
        double by[NONZERO];
        const double far = fabs(row->value) / (HUBER * scale);
        weight[i] = row->weight / (scale * scale) / fmax(1.0, far);
        expand(row, at, by);
        for (size_t k = 0; k < NONZERO; k++) {
            step[at[k]] += weight[i] * by[k] * row->value;
            for (size_t l = 0; l < NONZERO; l++) {
                matrix[at[k] * m + at[l]] += weight[i] * by[k] * by[l];
            }
        }
    }
    for (size_t k = 0; k < m; k++) {
        const double reach = k == FIT_OFFSET ? reach_s
                             : k == FIT_BIAS ? bias_m
                                             : fmax(reach_m, 1e-7);
        matrix[k * m + k] += 1.0 / (reach * reach);
    }
    const lapack_int order = (lapack_int)m;
    solved = solved && LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', order, matrix, order) == 0 &&
             LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'U', order, 1, matrix, order, step, 1) == 0 &&
             LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', order, matrix, order) == 0;
    if (solved) {
        for (size_t k = 0; k < m; k++) {
            for (size_t l = 0; l < k; l++) {
                matrix[k * m + l] = matrix[l * m + k];
            }
        }
        answer->offset = step[FIT_OFFSET];
        answer->bias = step[FIT_BIAS];
        memcpy(answer->place, step + FIT_PLACE, 3 * n_reflector * sizeof(double));
        /* Nor surer than the rows would be, were they all independent; nor less sure than unknown.
         */
        answer->sigma_offset = fmin(reach_s, fmax(spread_of(fit, n_reflector, m, matrix, step,
                                                            weight, FIT_OFFSET, n_window, work),
                                                  sqrt(matrix[FIT_OFFSET * m + FIT_OFFSET])));
        answer->sigma_bias =
            fmax(spread_of(fit, n_reflector, m, matrix, step, weight, FIT_BIAS, n_window, work),
                 sqrt(matrix[FIT_BIAS * m + FIT_BIAS]));
    }
    free(weight);
    free(work);
    return solved;
}
