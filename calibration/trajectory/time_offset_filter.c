#include "calibration/trajectory/time_offset_filter.h"

#include <math.h>
#include <string.h>

enum { ORDER = 3, STATES = 3 * ORDER + REFLECTORS };

/* Of one axis, over one step: state = (x, x' / lambda, x'' / lambda^2). */
struct transition {
    int order;
    double phi[ORDER][ORDER], rest[ORDER][ORDER]; /* unit variance that comes in */
};

/* The state of each axis, and a constant of each reflector. */
struct filter {
    size_t n_state, n_column;
    double covariance[STATES][STATES];
    double mean[STATES][FILTERED];
};

/* Stationary covariance of the state for unit variance: even moments of the spectrum
 * 1 / (1 + w^2)^order. */
static double stationary(int order, int i, int j) {
    static const double moment[ORDER][3] = {{1, 0, 0}, {1, 1, 0}, {1, 1.0 / 3.0, 1}};
    const int sum = i + j;
    const double sign = (i - j) % 4 == 0 ? 1.0 : -1.0;
    return sum % 2 == 0 ? sign * moment[order - 1][sum / 2] : 0.0;
}

/* (d/dt + lambda)^order x = white noise. F + lambda is nilpotent, and so the exponential ends after
 * `order` terms. */
static struct transition transition_over(int order, double s) {
    static const double binomial[ORDER][ORDER] = {{1, 0, 0}, {1, 2, 0}, {1, 3, 3}};
    struct transition t = {.order = order};
    double nilpotent[ORDER][ORDER] = {{0.0}}, power[ORDER][ORDER] = {{0.0}};
    const double decay = exp(-s);
    double factor = decay;
    for (int i = 0; i < order; i++) {
        power[i][i] = 1.0;
        nilpotent[i][i] = 1.0;
        for (int j = 0; j < order; j++) {
            nilpotent[i][j] += i + 1 < order ? (double)(j == i + 1) : -binomial[order - 1][j];
        }
    }
    for (int term = 0; term < order; term++) {
        double next[ORDER][ORDER] = {{0.0}};
        for (int i = 0; i < order; i++) {
            for (int j = 0; j < order; j++) {
                t.phi[i][j] += factor * power[i][j];
                for (int k = 0; k < order; k++) {
                    next[i][j] += power[i][k] * nilpotent[k][j];
                }
            }
        }
        memcpy(power, next, sizeof power);
        factor *= s / (double)(term + 1);
    }
    for (int i = 0; i < order; i++) {
        for (int j = 0; j < order; j++) {
            t.rest[i][j] = stationary(order, i, j);
            for (int k = 0; k < order * order; k++) {
                t.rest[i][j] -= t.phi[i][k / order] * stationary(order, k / order, k % order) *
                                t.phi[j][k % order];
            }
        }
    }
    return t;
}

static void start(struct filter *f, size_t n_reflector, const struct pose_error *e,
                  double constant_m) {
    const size_t order = (size_t)e->order;
    memset(f, 0, sizeof *f);
    f->n_state = 3 * order + n_reflector;
    f->n_column = FILTERED_PLACE + 3 * n_reflector;
    for (size_t axis = 0; axis < 3; axis++) {
        for (size_t i = 0; i < order * order; i++) {
            f->covariance[axis * order + i / order][axis * order + i % order] =
                e->sigma_m[axis] * e->sigma_m[axis] *
                stationary(e->order, (int)(i / order), (int)(i % order));
        }
    }
    for (size_t k = 3 * order; k < f->n_state; k++) {
        f->covariance[k][k] = constant_m * constant_m;
    }
}

/* Each axis' part of one column of a matrix with the given stride, turned by phi. */
static void turn(const struct transition *t, double *column, size_t stride) {
    const size_t order = (size_t)t->order;
    for (size_t axis = 0; axis < 3; axis++) {
        double *at = column + axis * order * stride, old[ORDER] = {0.0};
        for (size_t i = 0; i < order; i++) {
            old[i] = at[i * stride];
        }
        for (size_t i = 0; i < order; i++) {
            double sum = 0.0;
            for (size_t j = 0; j < order; j++) {
                sum += t->phi[i][j] * old[j];
            }
            at[i * stride] = sum;
        }
    }
}

static void move_on(struct filter *f, const struct pose_error *e, double step_s) {
    const double lambda = sqrt(2.0 * (double)e->order - 1.0) / e->time_s;
    const struct transition t = transition_over(e->order, lambda * step_s);
    const size_t order = (size_t)e->order;
    for (size_t c = 0; c < f->n_column; c++) {
        turn(&t, &f->mean[0][c], FILTERED);
    }
    for (size_t c = 0; c < f->n_state; c++) {
        turn(&t, &f->covariance[0][c], STATES);
    }
    for (size_t r = 0; r < f->n_state; r++) {
        turn(&t, f->covariance[r], 1);
    }
    for (size_t axis = 0; axis < 3; axis++) {
        for (size_t i = 0; i < order * order; i++) {
            f->covariance[axis * order + i / order][axis * order + i % order] +=
                e->sigma_m[axis] * e->sigma_m[axis] * t.rest[i / order][i % order];
        }
    }
}

/* A reflector's constant is no longer what it was. */
static void forget(struct filter *f, size_t k, double constant_m) {
    for (size_t i = 0; i < f->n_state; i++) {
        f->covariance[k][i] = 0.0;
        f->covariance[i][k] = 0.0;
    }
    memset(f->mean[k], 0, sizeof f->mean[k]);
    f->covariance[k][k] = constant_m * constant_m;
}

/* Take a row in; out becomes what it said beyond what was known, over its standard deviation.
 * Returns the logarithm of its variance. */
static double take(struct filter *f, const struct phase_row *row, const struct pose_error *e,
                   double *out) {
    const size_t order = (size_t)e->order, k = 3 * order + row->reflector;
    const double noise = row->noise * row->doubt * e->noise[row->reflector];
    double gain[STATES], column[FILTERED] = {0.0};
    for (size_t i = 0; i < f->n_state; i++) {
        gain[i] = f->covariance[i][k];
        for (size_t axis = 0; axis < 3; axis++) {
            gain[i] += f->covariance[i][axis * order] * row->by_place[axis];
        }
    }
    double variance = noise * noise + gain[k];
    column[FILTERED_VALUE] = row->value;
    column[FILTERED_OFFSET] = row->by_offset;
    for (size_t axis = 0; axis < 3; axis++) {
        variance += gain[axis * order] * row->by_place[axis];
        column[FILTERED_PLACE + 3 * row->reflector + axis] = row->by_place[axis];
    }
    for (size_t c = 0; c < f->n_column; c++) {
        column[c] -= f->mean[k][c];
        for (size_t axis = 0; axis < 3; axis++) {
            column[c] -= f->mean[axis * order][c] * row->by_place[axis];
        }
        out[c] = column[c] / sqrt(variance);
    }
    for (size_t i = 0; i < f->n_state; i++) {
        const double part = gain[i] / variance;
        for (size_t c = 0; c < f->n_column; c++) {
            f->mean[i][c] += part * column[c];
        }
        for (size_t j = 0; j < f->n_state; j++) {
            f->covariance[i][j] -= part * gain[j];
        }
    }
    return log(variance);
}

void filter_phases(const struct phase_row *row, size_t n, size_t n_reflector,
                   const struct pose_error *pose_error, double constant_m, double *white,
                   struct filtered *filtered) {
    struct filter f;
    start(&f, n_reflector, pose_error, constant_m);
    memset(filtered, 0, sizeof *filtered);
    filtered->columns = f.n_column;
    for (size_t i = 0; i < n; i++) {
        double line[FILTERED], *out = white != NULL ? white + i * f.n_column : line;
        if (i > 0 && row[i].time_s > row[i - 1].time_s) {
            move_on(&f, pose_error, row[i].time_s - row[i - 1].time_s);
        }
        if (row[i].begins) {
            forget(&f, 3 * (size_t)pose_error->order + row[i].reflector, constant_m);
        }
        filtered->log_determinant += take(&f, &row[i], pose_error, out);
        for (size_t a = 0; a < f.n_column; a++) {
            for (size_t b = 0; b < f.n_column; b++) {
                filtered->normal[a * f.n_column + b] += out[a] * out[b];
            }
        }
    }
}
