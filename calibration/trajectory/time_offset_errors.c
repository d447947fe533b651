#include "calibration/trajectory/time_offset_errors.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"

/* Residuals beyond so many standard deviations count as one that large. */
#define HUBER 3.0

enum { PASSES = 3, KNOBS = 4 + REFLECTORS, UNKNOWNS = FIT_PLACE + 3 * REFLECTORS };

/* ---- how likely ------------------------------------------------------------------------------ */

/* What is known of errors beforehand, loosely: few phases must not make one axis err and another
 * not, nor one reflector be a hundred times as sure as the next. Twice the negative logarithm. */
static double unusual(const struct errors_problem *p, const struct pose_error *e) {
    static const double usual_m = 3e-4, decades_m = 1.0, decades_s = 0.5, decades_axis = 0.3,
                        decades_noise = 0.5;
    double sigma = 0.0, noise = 0.0, sum = 0.0;
    for (size_t axis = 0; axis < 3; axis++) {
        sigma += log10(e->sigma_m[axis]) / 3.0;
    }
    for (size_t k = 0; k < p->n_reflector; k++) {
        noise += log10(e->noise[k]) / (double)p->n_reflector;
    }
    for (size_t axis = 0; axis < 3; axis++) {
        sum += pow((log10(e->sigma_m[axis]) - sigma) / decades_axis, 2.0);
    }
    for (size_t k = 0; k < p->n_reflector; k++) {
        sum += pow((log10(e->noise[k]) - noise) / decades_noise, 2.0);
    }
    return sum + pow((sigma - log10(usual_m)) / decades_m, 2.0) +
           pow(log10(e->time_s) / decades_s, 2.0);
}

/* Twice the negative logarithm of the phases' density, without what does not depend on the errors.
 */
static double unlikely(const struct errors_problem *p, const struct pose_error *e) {
    struct filtered f;
    double matrix[FILTERED * FILTERED], right[FILTERED];
    filter_phases(p->row, p->n, p->n_reflector, e, p->constant_m, NULL, &f);
    const size_t m = f.columns - 1;
    for (size_t a = 0; a < m; a++) {
        right[a] = f.normal[(a + 1) * f.columns];
        for (size_t b = 0; b < m; b++) {
            matrix[a * m + b] = f.normal[(a + 1) * f.columns + b + 1];
        }
        const double reach = a + 1 == FILTERED_OFFSET ? p->reach_s : fmax(p->reach_m, 1e-7);
        matrix[a * m + a] += 1.0 / (reach * reach);
    }
    double sum = f.log_determinant + f.normal[0] + unusual(p, e);
    const lapack_int order = (lapack_int)m;
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', order, matrix, order) != 0) {
        return INFINITY;
    }
    /* right^T matrix^-1 right = |L^-1 right|^2 */
    for (size_t a = 0; a < m; a++) {
        for (size_t b = 0; b < a; b++) {
            right[a] -= matrix[a * m + b] * right[b];
        }
        right[a] /= matrix[a * m + a];
        sum += 2.0 * log(matrix[a * m + a]) - right[a] * right[a];
    }
    return isfinite(sum) ? sum : INFINITY;
}

/* ---- the search for it ----------------------------------------------------------------------- */

/* What is turned: all three deviations together, each by itself, the time, and each reflector's
 * noise. */
static void turn_knob(const struct errors_problem *p, size_t knob, double factor,
                      struct pose_error *e) {
    static const double least_m = 1e-7, most_m = 0.1, least_noise = 1e-2, most_noise = 1e3;
    for (size_t axis = 0; axis < 3; axis++) {
        if (knob == axis) {
            e->sigma_m[axis] = fmax(least_m, fmin(most_m, e->sigma_m[axis] * factor));
        }
    }
    if (knob == 3) {
        e->time_s = fmax(p->shortest_s, fmin(p->longest_s, e->time_s * factor));
    } else if (knob > 3) {
        double *noise = &e->noise[knob - 4];
        *noise = fmax(least_noise, fmin(most_noise, *noise * factor));
    }
}

/* One knob after the other, by steps that grow where they help and shrink where they do not. */
static double descend(const struct errors_problem *p, struct pose_error *e, double best) {
    double step[KNOBS];
    const size_t n = 4 + p->n_reflector;
    double most = 0.7;
    for (size_t i = 0; i < n; i++) {
        step[i] = most;
    }
    for (int round = 0; round < 30 && most > 0.08; round++) {
        most = 0.0;
        for (size_t i = 0; i < n; i++) {
            struct pose_error trial = *e;
            turn_knob(p, i, exp(step[i]), &trial);
            double here = unlikely(p, &trial);
            if (!(here < best)) {
                trial = *e;
                step[i] = -step[i];
                turn_knob(p, i, exp(step[i]), &trial);
                here = unlikely(p, &trial);
            }
            if (here < best) {
                best = here;
                *e = trial;
                step[i] *= 1.4;
            } else {
                step[i] *= 0.4;
            }
            most = fmax(most, fabs(step[i]));
        }
    }
    return best;
}

/* A reflector's noise beside what its rows say: their third differences, to which what is smooth
 * does not contribute. */
static double rough_noise(const struct errors_problem *p, size_t k, double *room) {
    const struct phase_row *last[3] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct phase_row *row = &p->row[i];
        if (row->reflector != k) {
            continue;
        }
        if (row->begins) {
            memset(last, 0, sizeof last);
        }
        if (last[2] != NULL) {
            const double difference =
                row->value - 3.0 * (last[0]->value - last[1]->value) - last[2]->value;
            room[n++] = fabs(difference) / (sqrt(20.0) * row->noise);
        }
        last[2] = last[1];
        last[1] = last[0];
        last[0] = row;
    }
    return n > 0 ? fmax(1.48 * sort_upper_median(room, n), 0.02) : 1.0;
}

/* Starts all over what may be, then downhill from the best of each order. */
static void search(const struct errors_problem *p, const double *noise, struct pose_error *best) {
    double least = INFINITY;
    for (int order = 1; order <= 3; order++) {
        struct pose_error top = {.order = 0};
        double here = INFINITY;
        for (double sigma = 3e-6; sigma < 2e-2; sigma *= 4.0) {
            for (double time = 4.0 * p->shortest_s; time <= p->longest_s; time *= 3.0) {
                struct pose_error trial = {
                    .order = order, .sigma_m = {sigma, sigma, sigma}, .time_s = time};
                memcpy(trial.noise, noise, sizeof trial.noise);
                const double score = unlikely(p, &trial);
                if (score < here) {
                    here = score;
                    top = trial;
                }
            }
        }
        if (top.order != 0) {
            here = descend(p, &top, here);
        }
        if (here < least) {
            least = here;
            *best = top;
        }
    }
}

bool errors_find(struct errors_problem *p, struct pose_error *e) {
    double *room = malloc((p->n + 1) * sizeof *room);
    if (room == NULL) {
        return false;
    }
    if (e->order == 0) {
        double noise[REFLECTORS] = {0.0};
        for (size_t k = 0; k < p->n_reflector; k++) {
            noise[k] = rough_noise(p, k, room);
        }
        search(p, noise, e);
    } else {
        descend(p, e, unlikely(p, e));
    }
    free(room);
    return true;
}

/* ---- the step -------------------------------------------------------------------------------- */

struct normal {
    double matrix[UNKNOWNS * UNKNOWNS], right[UNKNOWNS];
};

static void add(struct normal *normal, size_t m, const double *by, double value, double weight) {
    for (size_t a = 0; a < m; a++) {
        normal->right[a] += weight * by[a] * value;
        for (size_t b = 0; b < m; b++) {
            normal->matrix[a * m + b] += weight * by[a] * by[b];
        }
    }
}

/* A filtered row by the unknowns of a fit: offset, bias, places. */
static void expand_white(const double *white, size_t m, double *by) {
    by[FIT_OFFSET] = white[FILTERED_OFFSET];
    by[FIT_BIAS] = 0.0;
    memcpy(by + FIT_PLACE, white + FILTERED_PLACE, (m - FIT_PLACE) * sizeof *by);
}

static void expand_range(const struct fit_row *row, size_t m, double *by) {
    memset(by, 0, m * sizeof *by);
    by[FIT_OFFSET] = row->by_offset;
    by[FIT_BIAS] = row->by_bias;
    memcpy(by + FIT_PLACE + 3 * row->reflector, row->by_place, sizeof row->by_place);
}

static double residual_of(double value, const double *by, const double *step, size_t m) {
    for (size_t a = 0; a < m; a++) {
        value -= by[a] * step[a];
    }
    return value;
}

static double huber(double residual) {
    return 1.0 / fmax(1.0, fabs(residual) / HUBER);
}

/* Standard deviation of one unknown by how the windows differ. */
static double spread_of(const struct errors_problem *p, const struct normal *inverse, size_t m,
                        const double *white, size_t columns, const double *step, double scale,
                        size_t unknown, double *pull, size_t n_window) {
    memset(pull, 0, n_window * sizeof *pull);
    const double *to = inverse->matrix + unknown * m;
    double by[UNKNOWNS];
    for (size_t i = 0; i < p->n; i++) {
        expand_white(white + i * columns, m, by);
        const double r = residual_of(white[i * columns], by, step, m);
        pull[p->row[i].window] += r * huber(r) * -residual_of(0.0, by, to, m);
    }
    for (size_t i = 0; i < p->ranges->n; i++) {
        const struct fit_row *row = &p->ranges->row[i];
        expand_range(row, m, by);
        const double r = residual_of(row->value, by, step, m);
        pull[row->window] += r * huber(r / scale) / (scale * scale) * -residual_of(0.0, by, to, m);
    }
    double sum = 0.0;
    size_t windows = 0;
    for (size_t w = 0; w < n_window; w++) {
        sum += pull[w] * pull[w];
        windows += pull[w] != 0.0;
    }
    const double left = (double)windows - (double)m / (double)p->n_reflector;
    return left > 1.0 ? sqrt(sum * (double)windows / left) : INFINITY;
}

/* Robust rms of the ranges' rows. */
static double ranges_scale(const struct fit *ranges, double *room) {
    for (size_t i = 0; i < ranges->n; i++) {
        room[i] = fabs(ranges->row[i].value);
    }
    return ranges->n > 0 ? fmax(1.4826 * sort_upper_median(room, ranges->n), 1e-3) : 1.0;
}

static bool solve_once(struct errors_problem *p, const double *white, size_t columns, double scale,
                       const double *last, size_t m, double *step, struct normal *inverse) {
    struct normal *normal = inverse;
    double by[UNKNOWNS];
    memset(normal, 0, sizeof *normal);
    for (size_t i = 0; i < p->n; i++) {
        expand_white(white + i * columns, m, by);
        const double value = white[i * columns];
        add(normal, m, by, value, huber(residual_of(value, by, last, m)));
    }
    for (size_t i = 0; i < p->ranges->n; i++) {
        const struct fit_row *row = &p->ranges->row[i];
        expand_range(row, m, by);
        const double r = residual_of(row->value, by, last, m) / scale;
        add(normal, m, by, row->value, huber(r) / (scale * scale));
    }
    for (size_t a = 0; a < m; a++) {
        const double reach = a == FIT_OFFSET ? p->reach_s
                             : a == FIT_BIAS ? p->bias_m
                                             : fmax(p->reach_m, 1e-7);
        normal->matrix[a * m + a] += 1.0 / (reach * reach);
    }
    memcpy(step, normal->right, m * sizeof *step);
    const lapack_int order = (lapack_int)m;
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', order, normal->matrix, order) != 0 ||
        LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'U', order, 1, normal->matrix, order, step, 1) != 0 ||
        LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', order, normal->matrix, order) != 0) {
        return false;
    }
    for (size_t a = 0; a < m; a++) {
        for (size_t b = 0; b < a; b++) {
            normal->matrix[a * m + b] = normal->matrix[b * m + a];
        }
    }
    return true;
}

bool errors_solve(struct errors_problem *p, const struct pose_error *e, struct fit_answer *answer) {
    const size_t m = FIT_PLACE + 3 * p->n_reflector;
    struct filtered filtered;
    struct normal inverse;
    double step[UNKNOWNS] = {0.0}, last[UNKNOWNS] = {0.0};
    size_t n_window = 1;
    for (size_t i = 0; i < p->n; i++) {
        n_window = p->row[i].window + 1 > n_window ? p->row[i].window + 1 : n_window;
    }
    for (size_t i = 0; i < p->ranges->n; i++) {
        const size_t w = p->ranges->row[i].window;
        n_window = w + 1 > n_window ? w + 1 : n_window;
    }
    const size_t room = n_window > p->ranges->n ? n_window : p->ranges->n;
    double *white = malloc((p->n + 1) * FILTERED * sizeof *white);
    double *work = malloc(room * sizeof *work);
    bool solved = white != NULL && work != NULL && p->n > 0;
    const double scale = solved ? ranges_scale(p->ranges, work) : 1.0;
    if (solved) {
        filter_phases(p->row, p->n, p->n_reflector, e, p->constant_m, white, &filtered);
    }
    for (int pass = 0; solved && pass < PASSES; pass++) {
        solved = solve_once(p, white, filtered.columns, scale, last, m, step, &inverse);
        memcpy(last, step, sizeof last);
    }
    for (size_t i = 0; solved && i < p->n; i++) {
        double by[UNKNOWNS];
        expand_white(white + i * filtered.columns, m, by);
        const double r = residual_of(white[i * filtered.columns], by, step, m);
        p->row[i].doubt *= fmax(1.0, fabs(r) / HUBER);
    }
    if (solved) {
        answer->offset = step[FIT_OFFSET];
        answer->bias = step[FIT_BIAS];
        memcpy(answer->place, step + FIT_PLACE, 3 * p->n_reflector * sizeof(double));
        answer->sigma_offset = fmax(sqrt(inverse.matrix[FIT_OFFSET * m + FIT_OFFSET]),
                                    spread_of(p, &inverse, m, white, filtered.columns, step, scale,
                                              FIT_OFFSET, work, n_window));
        answer->sigma_offset = fmin(answer->sigma_offset, p->reach_s);
        answer->sigma_bias = fmax(sqrt(inverse.matrix[FIT_BIAS * m + FIT_BIAS]),
                                  spread_of(p, &inverse, m, white, filtered.columns, step, scale,
                                            FIT_BIAS, work, n_window));
    }
    free(white);
    free(work);
    return solved;
}
