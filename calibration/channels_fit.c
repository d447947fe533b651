#include "calibration/channels_fit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>
#include <nfsar/geometry.h>

/* Directions in which the place is not known to this are not told by the pulses. */
#define UNTOLD_BY_DELAY_M 0.03
#define UNTOLD_BY_PHASE_M 0.003
/* Steps of the place by delays. */
#define STEP_M 0.02
/* What the model itself is not better than. */
#define LEAST_DELAY_S 1e-14
#define LEAST_PHASE   1e-3
/* Lines and places that the search between the two looks at. */
#define SEARCH_LINES 400
#define SEARCH_STEPS 20

enum nfsar_status channel_fit_open(struct channel_fit *fit, nfsar_error *error) {
    size_t n = fit->lines->n_line;
    fit->t = malloc(n * sizeof *fit->t);
    fit->s0 = malloc(n * sizeof *fit->s0);
    fit->s1 = malloc(n * sizeof *fit->s1);
    fit->gradient = malloc(n * sizeof *fit->gradient);
    if (fit->t == NULL || fit->s0 == NULL || fit->s1 == NULL || fit->gradient == NULL) {
        channel_fit_close(fit);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return NFSAR_OK;
}

void channel_fit_close(struct channel_fit *fit) {
    free(fit->t);
    free(fit->s0);
    free(fit->s1);
    free(fit->gradient);
    fit->t = NULL;
    fit->s0 = fit->s1 = NULL;
    fit->gradient = NULL;
}

static void look_from(struct channel_fit *fit, nfsar_vec3 place) {
    const bool held = fit->range_m > 0.0;
    nfsar_vec3 out = {0.0, 0.0, 0.0};
    if (held) {
        out = nfsar_vec3_subtract(place, fit->centre);
        out = nfsar_vec3_scale(out, 1.0 / nfsar_vec3_norm(out));
        place = nfsar_vec3_add(fit->centre, nfsar_vec3_scale(out, fit->range_m));
    }
    fit->place = place;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < fit->lines->n_line; i++) {
        nfsar_vec3 h = channel_lines_gradient(fit->lines, i, place);
        fit->gradient[i] =
            held ? nfsar_vec3_subtract(h, nfsar_vec3_scale(out, nfsar_vec3_dot(h, out))) : h;
    }
}

enum nfsar_status channel_fit_sum(struct channel_fit *fit, nfsar_error *error) {
    size_t n_channel = fit->lines->n_channel;
    look_from(fit, fit->place);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < fit->lines->n_line; i++) {
        fit->t[i] = channel_lines_delay(fit->lines, i, fit->place) + fit->delay_s[i % n_channel];
    }
    return channel_lines_sum(fit->lines, fit->t, fit->s0, fit->s1, error);
}

double complex channel_fit_gain(const struct channel_fit *fit, size_t channel) {
    double complex sum = 0.0;
    for (size_t i = channel; i < fit->lines->n_line; i += fit->lines->n_channel) {
        sum += fit->s0[i];
    }
    return sum / (double)fit->lines->n_pulse;
}

/* |s0|^2 Im(s1 / s0): how late a line is, weighted. */
static double late(const struct channel_fit *fit, size_t line) {
    return cimag(fit->s1[line] * conj(fit->s0[line]));
}

double channel_fit_late(const struct channel_fit *fit, size_t channel) {
    double complex s0 = 0.0, s1 = 0.0;
    for (size_t i = channel; i < fit->lines->n_line; i += fit->lines->n_channel) {
        s0 += fit->s0[i];
        s1 += fit->s1[i];
    }
    return channel_power(s0) > 0.0 ? cimag(s1 * conj(s0)) / channel_power(s0) : 0.0;
}

/* The sums as they would be with another place; good for a part of a range cell. */
static double complex moved(const struct channel_fit *fit, size_t line, nfsar_vec3 place) {
    double more = channel_lines_delay(fit->lines, line, place) +
                  fit->delay_s[line % fit->lines->n_channel] - fit->t[line];
    double turns = fmod(fit->lines->centre_hz * more, 1.0);
    return fit->s0[line] * cexp(-2.0 * NFSAR_PI * I * turns);
}

/* ---- one step ------------------------------------------------------------------------------- */

/* Equations value = gradient . step + (free number of the channel), weighted. */
struct equations {
    double matrix[3][3], right[3]; /* with the channels' numbers eliminated */
    double spread, weight;         /* sum of weight * (value - channel's mean)^2; sum of weights */
};

static void add_channel(const struct channel_fit *fit, size_t channel, const double *value,
                        const double *weight, struct equations *e) {
    size_t step = fit->lines->n_channel;
    double sum = 0.0, mean = 0.0, h[3] = {0.0, 0.0, 0.0};
    for (size_t i = channel; i < fit->lines->n_line; i += step) {
        sum += weight[i];
        mean += weight[i] * value[i];
        h[0] += weight[i] * fit->gradient[i].x;
        h[1] += weight[i] * fit->gradient[i].y;
        h[2] += weight[i] * fit->gradient[i].z;
    }
    if (!(sum > 0.0)) {
        return;
    }
    for (size_t i = channel; i < fit->lines->n_line; i += step) {
        double d[3] = {fit->gradient[i].x - h[0] / sum, fit->gradient[i].y - h[1] / sum,
                       fit->gradient[i].z - h[2] / sum};
        double b = value[i] - mean / sum;
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 3; k++) {
                e->matrix[j][k] += weight[i] * d[j] * d[k];
            }
            e->right[j] += weight[i] * d[j] * b;
        }
        e->spread += weight[i] * b * b;
    }
    e->weight += sum;
}

/* How many directions are told to that. */
static int count_told(const double matrix[9], double untold_m) {
    double a[9], lambda[3];
    int told = 0;
    memcpy(a, matrix, sizeof a);
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', 3, a, 3, lambda) == 0) {
        for (int i = 0; i < 3; i++) {
            told += lambda[i] > 1.0 / (untold_m * untold_m) ? 1 : 0;
        }
    }
    return told;
}

/* Solve, the point's own uncertainty being one more equation, and move the place. scale: value per
 * delay; least: standard deviation of a value that is not gone below. */
static enum nfsar_status step_place(struct channel_fit *fit, struct equations *e, double scale,
                                    double least, double untold_m, double limit_m, double *moved_m,
                                    nfsar_error *error) {
    /* Standard deviation of a value of mean weight, from what the channels' means leave; as long as
     * the place is wrong it is too large, which only widens the uncertainty. */
    double n = (double)fit->lines->n_line;
    double variance = fmax(e->spread / e->weight, least * least);
    double a[9], right[3], sigma = fit->options->point_sigma_m, lambda[3];
    double gain = scale * scale * n / (e->weight * variance);
    /* Levenberg's: what is known worse than that goes there in smaller steps. */
    double damping = 1.0 / (limit_m * limit_m);
    nfsar_vec3 back = nfsar_vec3_subtract(fit->options->point, fit->place);
    double aim[3] = {back.x, back.y, back.z};
    for (int j = 0; j < 3; j++) {
        for (int k = 0; k < 3; k++) {
            a[3 * j + k] = gain * e->matrix[j][k];
        }
        right[j] = gain / scale * e->right[j];
    }
    fit->by_pulses = count_told(a, untold_m);
    for (int j = 0; fit->options->has_point && j < 3; j++) {
        a[4 * j] += 1.0 / (sigma * sigma);
        right[j] += aim[j] / (sigma * sigma);
    }
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', 3, a, 3, lambda) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the equations of the place have no solution");
    }
    nfsar_vec3 step = {0.0, 0.0, 0.0};
    fit->told = 0;
    for (int i = 0; i < 3; i++) { /* eigenvalues ascend: the best direction is the last */
        nfsar_vec3 u = {a[2 - i], a[3 + 2 - i], a[6 + 2 - i]};
        double value = lambda[2 - i];
        fit->direction[i] = u;
        fit->sigma_m[i] = value > 0.0 ? 1.0 / sqrt(value) : INFINITY;
        if (!fit->options->has_point && !(fit->sigma_m[i] < untold_m)) {
            fit->sigma_m[i] = INFINITY;
            continue;
        }
        fit->told++;
        double along = (u.x * right[0] + u.y * right[1] + u.z * right[2]) / (value + damping);
        step = nfsar_vec3_add(step, nfsar_vec3_scale(u, along));
    }
    double length = nfsar_vec3_norm(step);
    if (length > limit_m) {
        step = nfsar_vec3_scale(step, limit_m / length);
    }
    *moved_m = nfsar_vec3_norm(step);
    look_from(fit, nfsar_vec3_add(fit->place, step));
    return NFSAR_OK;
}

/* ---- by delays ------------------------------------------------------------------------------ */

static enum nfsar_status step_delays(struct channel_fit *fit, double *value, double *weight,
                                     double *moved_m, nfsar_error *error) {
    enum nfsar_status status = channel_fit_sum(fit, error);
    struct equations e = {0};
    double cell = 1.0 / fit->lines->bandwidth_hz;
    for (size_t i = 0; i < fit->lines->n_line; i++) {
        weight[i] = channel_power(fit->s0[i]);
        double b = weight[i] > 0.0 ? late(fit, i) / weight[i] : 0.0;
        value[i] = fmax(fmin(b, cell), -cell);
    }
    for (size_t c = 0; c < fit->lines->n_channel; c++) {
        add_channel(fit, c, value, weight, &e);
    }
    if (status == NFSAR_OK && !(e.weight > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "all samples are zero");
    }
    nfsar_vec3 before = fit->place;
    if (status == NFSAR_OK) {
        status = step_place(fit, &e, 1.0, LEAST_DELAY_S, UNTOLD_BY_DELAY_M, STEP_M, moved_m, error);
    }
    /* What the place does not explain on average is the channel's own. */
    for (size_t c = 0; status == NFSAR_OK && c < fit->lines->n_channel; c++) {
        double sum = 0.0, all = 0.0;
        for (size_t i = c; i < fit->lines->n_line; i += fit->lines->n_channel) {
            double taken = channel_lines_delay(fit->lines, i, fit->place) -
                           channel_lines_delay(fit->lines, i, before);
            sum += weight[i] * (value[i] - taken);
            all += weight[i];
        }
        fit->delay_s[c] += all > 0.0 ? sum / all : 0.0;
    }
    return status;
}

enum nfsar_status channel_fit_delays(struct channel_fit *fit, nfsar_error *error) {
    size_t n = fit->lines->n_line;
    double *value = malloc(n * sizeof *value), *weight = malloc(n * sizeof *weight);
    enum nfsar_status status = NFSAR_OK;
    if (value == NULL || weight == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    double moved_m = INFINITY;
    for (int i = 0; status == NFSAR_OK && i < 40 && moved_m > 3e-5; i++) {
        status = step_delays(fit, value, weight, &moved_m, error);
    }
    free(value);
    free(weight);
    return status;
}

/* ---- by phases ------------------------------------------------------------------------------ */

/* Sum over the channels of |sum over the pulses|^2 at a place, of the lines that are listed: groups
 * of one channel. */
static double focus(const struct channel_fit *fit, const size_t *line, size_t n, nfsar_vec3 place) {
    double sum = 0.0;
    for (size_t i = 0; i < n;) {
        size_t c = line[i] % fit->lines->n_channel;
        double complex one = 0.0;
        for (; i < n && line[i] % fit->lines->n_channel == c; i++) {
            one += moved(fit, line[i], place);
        }
        sum += channel_power(one);
    }
    return sum;
}

/* Lines of up to four channels, their pulses scattered by the golden section. */
static size_t pick_lines(const struct channel_lines *l, size_t *line) {
    size_t n_channel = l->n_channel < 4 ? l->n_channel : 4;
    size_t n_pulse = l->n_pulse < SEARCH_LINES / 4 ? l->n_pulse : SEARCH_LINES / 4;
    size_t n = 0;
    for (size_t c = 0; c < n_channel; c++) {
        for (size_t i = 0; i < n_pulse; i++) {
            size_t pulse = i;
            if (n_pulse < l->n_pulse) {
                pulse = (size_t)((double)l->n_pulse * fmod(0.6180339887498949 * (double)i, 1.0));
            }
            line[n++] = pulse * l->n_channel + c * l->n_channel / n_channel;
        }
    }
    return n;
}

/* Phases tell the place modulo a wavelength: look round where the delays put it, as far as they may
 * be wrong, in steps that phases can bear. */
static void search(struct channel_fit *fit, const struct equations *e) {
    double a[9], lambda[3];
    size_t line[SEARCH_LINES];
    size_t n = pick_lines(fit->lines, line);
    memcpy(a, e->matrix, sizeof a);
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', 3, a, 3, lambda) != 0) {
        return;
    }
    nfsar_vec3 step[3];
    int steps[3];
    for (int i = 0; i < 3; i++) {
        nfsar_vec3 u = {a[i], a[3 + i], a[6 + i]};
        double per_metre =
            2.0 * NFSAR_PI * fit->lines->centre_hz * sqrt(fmax(lambda[i], 0.0) / e->weight);
        double variance = 0.0;
        for (int j = 0; j < 3; j++) {
            nfsar_vec3 v = fit->direction[j];
            double part = nfsar_vec3_dot(u, v);
            double sigma = fmin(fit->sigma_m[j], UNTOLD_BY_DELAY_M);
            variance += part * part * sigma * sigma;
        }
        double size = per_metre > 0.0 ? 0.8 / per_metre : INFINITY;
        double many = 4.0 * sqrt(variance) / size;
        steps[i] = many < 0.5 ? 0 : (int)fmin(ceil(many), SEARCH_STEPS);
        step[i] = steps[i] > 0 ? nfsar_vec3_scale(u, size) : (nfsar_vec3){0.0, 0.0, 0.0};
    }
    nfsar_vec3 best_place = fit->place;
    double best = focus(fit, line, n, fit->place);
#pragma omp parallel for schedule(dynamic)
    for (int i = -steps[0]; i <= steps[0]; i++) {
        for (int j = -steps[1]; j <= steps[1]; j++) {
            for (int k = -steps[2]; k <= steps[2]; k++) {
                nfsar_vec3 place = nfsar_vec3_add(
                    nfsar_vec3_add(fit->place, nfsar_vec3_scale(step[0], i)),
                    nfsar_vec3_add(nfsar_vec3_scale(step[1], j), nfsar_vec3_scale(step[2], k)));
                double score = focus(fit, line, n, place);
#pragma omp critical(nfsar_channels_search)
                {
                    if (score > best) {
                        best = score;
                        best_place = place;
                    }
                }
            }
        }
    }
    look_from(fit, best_place);
}

/* Phases of the lines against their channel's mean, at the place as it is now. */
static void phases(const struct channel_fit *fit, double *value, double *weight,
                   struct equations *e) {
    *e = (struct equations){0};
    for (size_t c = 0; c < fit->lines->n_channel; c++) {
        double complex mean = 0.0;
        for (size_t i = c; i < fit->lines->n_line; i += fit->lines->n_channel) {
            mean += moved(fit, i, fit->place);
        }
        for (size_t i = c; i < fit->lines->n_line; i += fit->lines->n_channel) {
            double complex z = moved(fit, i, fit->place) * conj(mean);
            value[i] = channel_power(z) > 0.0 ? carg(z) : 0.0;
            weight[i] = channel_power(fit->s0[i]);
        }
        add_channel(fit, c, value, weight, e);
    }
}

static enum nfsar_status fit_phases(struct channel_fit *fit, bool anew, nfsar_error *error) {
    size_t n = fit->lines->n_line;
    double *value = malloc(n * sizeof *value), *weight = malloc(n * sizeof *weight);
    double scale = 2.0 * NFSAR_PI * fit->lines->centre_hz, moved_m = INFINITY;
    struct equations e;
    enum nfsar_status status = NFSAR_OK;
    if (value == NULL || weight == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        status = channel_fit_sum(fit, error);
    }
    if (status == NFSAR_OK && anew) {
        phases(fit, value, weight, &e);
        search(fit, &e);
    }
    for (int outer = 0; status == NFSAR_OK && outer < 4; outer++) {
        moved_m = INFINITY;
        for (int i = 0; status == NFSAR_OK && i < 20 && moved_m > 1e-8; i++) {
            phases(fit, value, weight, &e);
            /* Equations are in delays, their right sides in radians. */
            status =
                step_place(fit, &e, scale, LEAST_PHASE, UNTOLD_BY_PHASE_M, 2e-3, &moved_m, error);
        }
        if (status == NFSAR_OK) {
            status = channel_fit_sum(fit, error);
        }
        double most = 0.0;
        for (size_t c = 0; status == NFSAR_OK && c < fit->lines->n_channel; c++) {
            double more = channel_fit_late(fit, c);
            fit->delay_s[c] += more;
            most = fmax(most, fabs(more));
        }
        if (most < 1e-16) {
            break;
        }
    }
    if (status == NFSAR_OK) {
        status = channel_fit_sum(fit, error);
    }
    free(value);
    free(weight);
    return status;
}

enum nfsar_status channel_fit_phases(struct channel_fit *fit, nfsar_error *error) {
    return fit_phases(fit, true, error);
}

enum nfsar_status channel_fit_settle(struct channel_fit *fit, nfsar_error *error) {
    return fit_phases(fit, false, error);
}
