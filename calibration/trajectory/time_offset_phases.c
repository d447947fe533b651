/* Maximum likelihood: in each half window the amplitudes of all reflectors, at the ranges that are
 * predicted, are fitted to the samples; their phases are what is left of the ranges, to a hundredth
 * of a wavelength. First from window to window, which needs no unwrapping; then as they stand, with
 * the errors' correlation in time taken out. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/trajectory/time_offset_moving.h"
#include "calibration/trajectory/time_offset_rates.h"

enum { LAG = 3, ROUNDS = 10, ABSOLUTE_FROM = 5, LEAST_WINDOWS = 10 };

/* Phases are used that noise leaves to this, radians. */
#define SURE 0.5
/* Noise that is there whatever the amplitude says: the poses', neighbours'. */
#define FLOOR 0.1
/* Phases that agree so well with the model are taken as they stand. */
#define COHERENT 0.6

/* What was seen in the half windows. */
struct seen {
    double complex *value; /* [n_window][n] amplitude of each reflector */
    double *noise;         /* [n_window][n] of its phase, radians; INFINITY: not seen */
};

struct work {
    const struct offset_data *data;
    const struct offset_maps *maps;
    struct moving moving;
    struct seen seen;
    double wavenumber;        /* of half the two-way path: phase = wavenumber * range */
    size_t stride;            /* half windows that are put together */
    double energy, explained; /* of what moves, and what the reflectors are of it */
};

/* ---- amplitudes of a half window ------------------------------------------------------------- */

struct half {
    double complex gram[REFLECTORS * REFLECTORS], match[REFLECTORS];
    double energy, samples;
};

static void add_pulse(const struct work *work, const struct offset_state *state, size_t p,
                      double complex *steering, struct half *half) {
    const struct offset_data *data = work->data;
    const struct sight sight = offset_sight(data, data->time_s[p], state->offset_s);
    const size_t n_sample = data->n_sample;
    for (size_t k = 0; k < state->n; k++) {
        const double delay =
            2.0 * (offset_range(&sight, state->place[k]) + state->bias_m) / NFSAR_SPEED_OF_LIGHT;
        for (size_t i = 0; i < n_sample; i++) {
            const double cycles = data->capture->frequency_hz[i] * delay;
            const double phase = 2.0 * NFSAR_PI * (cycles - floor(cycles));
            steering[k * n_sample + i] = CMPLX(cos(phase), sin(phase));
        }
    }
    for (size_t i = 0; i < n_sample; i++) {
        const double complex s =
            (double complex)(data->echo[p * n_sample + i] - work->moving.mean[i]);
        const double taper = data->taper[i];
        half->energy += taper * (creal(s) * creal(s) + cimag(s) * cimag(s));
        half->samples += taper;
        for (size_t k = 0; k < state->n; k++) {
            const double complex back = taper * conj(steering[k * n_sample + i]);
            half->match[k] += back * s;
            for (size_t l = k; l < state->n; l++) {
                half->gram[k * state->n + l] += back * steering[l * n_sample + i];
            }
        }
    }
}

/* Amplitudes, and how uncertain noise and all that is not modelled leave their phases. */
static double solve_half(struct half *half, size_t n, double complex *value, double *noise) {
    double complex match[REFLECTORS];
    double explained = 0.0;
    memcpy(match, half->match, n * sizeof *match);
    for (size_t k = 0; k < n; k++) {
        /* Two that cannot be told apart in this window share what is there. */
        half->gram[k * n + k] += 0.02 * half->samples + 1e-300;
        noise[k] = INFINITY;
        value[k] = 0.0;
    }
    const lapack_int order = (lapack_int)n;
    if (LAPACKE_zpotrf(LAPACK_ROW_MAJOR, 'U', order, half->gram, order) != 0 ||
        LAPACKE_zpotrs(LAPACK_ROW_MAJOR, 'U', order, 1, half->gram, order, match, 1) != 0 ||
        LAPACKE_zpotri(LAPACK_ROW_MAJOR, 'U', order, half->gram, order) != 0) {
        return 0.0;
    }
    for (size_t k = 0; k < n; k++) {
        explained += creal(conj(match[k]) * half->match[k]);
    }
    const double rest = fmax(half->energy - explained, 1e-6 * half->energy) / half->samples;
    for (size_t k = 0; k < n; k++) {
        value[k] = match[k];
        const double power = creal(match[k] * conj(match[k]));
        /* Of what is not modelled much is as narrow as a reflector: ten times white noise. */
        noise[k] = power > 0.0 ? sqrt(5.0 * rest * creal(half->gram[k * n + k]) / power) : INFINITY;
    }
    return explained;
}

/* Half the time that is put together about a window's middle. */
static double reach_of(const struct work *work) {
    return 0.25 * work->data->window_s * (double)work->stride;
}

/* The first pulse of it; of windows that are left out none. */
static size_t first_pulse(const struct work *work, size_t w) {
    const struct offset_data *data = work->data;
    size_t low = 0, high = data->n_pulse;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (data->time_s[middle] < data->middle_s[w] - reach_of(work)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return w % work->stride == 0 ? low : data->n_pulse;
}

static bool look(struct work *work, const struct offset_state *state) {
    const struct offset_data *data = work->data;
    bool memory = true;
    double energy = 0.0, explained = 0.0;
#pragma omp parallel reduction(+ : energy, explained)
    {
        double complex *steering = malloc(state->n * data->n_sample * sizeof *steering);
        if (steering == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic)
        for (size_t w = 0; w < data->n_window; w++) {
            struct half half = {.energy = 0.0};
            size_t pulses = 0;
            for (size_t p = first_pulse(work, w); steering != NULL && p < data->n_pulse; p++) {
                const double from = data->time_s[p] - data->middle_s[w];
                if (!(from < reach_of(work))) {
                    break;
                }
                if (work->moving.moves[p]) {
                    add_pulse(work, state, p, steering, &half);
                    pulses++;
                }
            }
            double complex *value = work->seen.value + w * state->n;
            double *noise = work->seen.noise + w * state->n;
            for (size_t k = 0; k < state->n; k++) {
                value[k] = 0.0;
                noise[k] = INFINITY;
            }
            if (pulses >= 3) {
                explained += solve_half(&half, state->n, value, noise);
                energy += half.energy;
            }
        }
        free(steering);
    }
    work->energy = energy;
    work->explained = explained;
    return memory;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* So many half windows together that half of the phases in them are sure. */
static bool choose_stride(struct work *work, const struct offset_state *state) {
    const struct offset_data *data = work->data;
    for (work->stride = 1;; work->stride *= 2) {
        size_t sure = 0, all = 0;
        if (!look(work, state)) {
            return false;
        }
        for (size_t i = 0; i < data->n_window * state->n; i++) {
            sure += work->seen.noise[i] < 0.5 * SURE;
            all += isfinite(work->seen.noise[i]);
        }
        if (2 * sure > all || work->stride == 8) {
            return true;
        }
    }
}

/* How the range grows with the offset and the place, over a half window. */
static struct fit_row derivatives(const struct offset_data *data, const struct offset_state *state,
                                  size_t k, size_t w) {
    const double quarter = 0.25 * data->window_s;
    const struct sight before = offset_sight(data, data->middle_s[w] - quarter, state->offset_s);
    const struct sight middle = offset_sight(data, data->middle_s[w], state->offset_s);
    const struct sight after = offset_sight(data, data->middle_s[w] + quarter, state->offset_s);
    const nfsar_vec3 q = state->place[k], g = offset_gradient(&middle, q);
    return (struct fit_row){.reflector = k,
                            .window = w,
                            .by_offset = (offset_range(&after, q) - offset_range(&before, q)) /
                                         (2.0 * quarter),
                            .by_place = {g.x, g.y, g.z},
                            .by_constant = 1.0};
}

static struct fit_row combine(const struct fit_row *a, double by, const struct fit_row *b) {
    struct fit_row row = *a;
    row.value += by * b->value;
    row.by_offset += by * b->by_offset;
    row.by_bias += by * b->by_bias;
    row.by_constant += by * b->by_constant;
    for (size_t i = 0; i < 3; i++) {
        row.by_place[i] += by * b->by_place[i];
    }
    return row;
}

static void to_unit(struct fit_row *row, double unit) {
    const struct fit_row zero = {0};
    struct fit_row scaled = combine(&zero, 1.0 / unit, row);
    scaled.reflector = row->reflector;
    scaled.window = row->window;
    scaled.weight = row->weight;
    scaled.follows = row->follows;
    *row = scaled;
}

/* From window to window: a reflector's phase must not run away by half a turn. */
static bool gather_steps(const struct work *work, const struct offset_state *state, double unit_m,
                         struct fit *fit) {
    const struct offset_data *data = work->data;
    for (size_t k = 0; k < state->n; k++) {
        for (size_t w = work->stride; w < data->n_window; w += work->stride) {
            const size_t last = w - work->stride;
            const double a = work->seen.noise[last * state->n + k];
            const double b = work->seen.noise[w * state->n + k];
            if (!(a < SURE && b < SURE)) {
                continue;
            }
            const struct fit_row from = derivatives(data, state, k, last);
            struct fit_row row = derivatives(data, state, k, w);
            row = combine(&row, -1.0, &from);
            row.value = carg(work->seen.value[w * state->n + k] *
                             conj(work->seen.value[last * state->n + k])) /
                        work->wavenumber;
            row.weight = FLOOR * FLOOR / (FLOOR * FLOOR + 0.5 * (a * a + b * b));
            to_unit(&row, unit_m);
            if (!fit_add(fit, &row)) {
                return false;
            }
        }
    }
    return true;
}

/* Reflectors whose phases are less sure than those of the best count by how sure they are: two that
 * were taken for one, for instance. */
static void weigh_reflectors(const struct offset_state *state, struct fit *fit) {
    double best = INFINITY;
    for (size_t k = 0; k < state->n; k++) {
        best = state->windows[k] >= LEAST_WINDOWS ? fmin(best, state->residual_m[k]) : best;
    }
    for (size_t i = 0; i < fit->n && isfinite(best); i++) {
        const double ratio = best / fmax(state->residual_m[fit->row[i].reflector], 1e-12);
        fit->row[i].weight *= fmin(1.0, ratio * ratio);
    }
}

/* As they stand, about the mean of each reflector; *coherence of them. */
static bool gather_phases(const struct work *work, struct offset_state *state, double unit_m,
                          struct fit *fit, double *coherence) {
    const struct offset_data *data = work->data;
    double agree = 0.0, all = 0.0;
    for (size_t k = 0; k < state->n; k++) {
        double complex sum = 0.0;
        double weight = 0.0, square = 0.0;
        for (size_t w = 0; w < data->n_window; w++) {
            const double noise = work->seen.noise[w * state->n + k];
            const double complex z = work->seen.value[w * state->n + k];
            if (noise < SURE) {
                sum += z / cabs(z);
                weight += 1.0;
            }
        }
        agree += cabs(sum);
        all += weight;
        bool follows = false;
        for (size_t w = 0; w < data->n_window; w += work->stride) {
            const double noise = work->seen.noise[w * state->n + k];
            if (!(noise < SURE)) {
                follows = false;
                continue;
            }
            struct fit_row row = derivatives(data, state, k, w);
            row.value = carg(work->seen.value[w * state->n + k] * conj(sum)) / work->wavenumber;
            row.weight = FLOOR * FLOOR / (FLOOR * FLOOR + noise * noise);
            row.follows = follows;
            square += row.value * row.value;
            to_unit(&row, unit_m);
            if (!fit_add(fit, &row)) {
                return false;
            }
            follows = true;
        }
        state->windows[k] = (size_t)weight;
        state->residual_m[k] = weight > 0.0 ? sqrt(square / weight) : INFINITY;
    }
    *coherence = all > 0.0 ? agree / all : 0.0;
    weigh_reflectors(state, fit);
    return true;
}

/* ---- correlation in time --------------------------------------------------------------------- */

/* Rows that have LAG rows before them in a chain. */
static bool is_chained(const struct fit *fit, size_t i) {
    if (i < LAG) {
        return false;
    }
    for (size_t lag = 0; lag < LAG; lag++) {
        if (!fit->row[i - lag].follows) {
            return false;
        }
    }
    return true;
}

/* The filter that predicts a residual from the LAG before it, by least squares. */
static void find_filter(const struct fit *fit, const double *residual, double filter[LAG]) {
    double matrix[LAG * LAG] = {0.0}, right[LAG] = {0.0}, trace = 0.0, square = 0.0;
    for (size_t i = 0; i < fit->n; i++) {
        square += residual[i] * residual[i] / (double)fit->n;
    }
    const double limit = 3.0 * sqrt(square);
    for (size_t i = 0; i < fit->n; i++) {
        if (!is_chained(fit, i)) {
            continue;
        }
        for (size_t a = 0; a < LAG; a++) {
            const double x = fmax(-limit, fmin(limit, residual[i - 1 - a]));
            right[a] += x * fmax(-limit, fmin(limit, residual[i]));
            for (size_t b = 0; b < LAG; b++) {
                matrix[a * LAG + b] += x * fmax(-limit, fmin(limit, residual[i - 1 - b]));
            }
        }
    }
    for (size_t a = 0; a < LAG; a++) {
        trace += matrix[a * LAG + a];
    }
    for (size_t a = 0; a < LAG; a++) {
        matrix[a * LAG + a] += 1e-6 * trace + 1e-12;
    }
    memset(filter, 0, LAG * sizeof *filter);
    if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', LAG, 1, matrix, LAG, right, 1) == 0) {
        memcpy(filter, right, LAG * sizeof *filter);
    }
}

/* The rows less what their predecessors tell of them; false: no memory. */
static bool whiten(const struct fit *fit, const double filter[LAG], struct fit *white) {
    for (size_t i = 0; i < fit->n; i++) {
        if (!is_chained(fit, i)) {
            continue;
        }
        struct fit_row row = fit->row[i];
        for (size_t lag = 0; lag < LAG; lag++) {
            row = combine(&row, -filter[lag], &fit->row[i - 1 - lag]);
        }
        if (!fit_add(white, &row)) {
            return false;
        }
    }
    return true;
}

/* Residuals of rows behind a step. */
static void residuals(const struct fit *fit, const struct fit_answer *step, double *out) {
    for (size_t i = 0; i < fit->n; i++) {
        const struct fit_row *row = &fit->row[i];
        out[i] = row->value - row->by_offset * step->offset - row->by_bias * step->bias -
                 row->by_constant * step->constant[row->reflector];
        for (size_t k = 0; k < 3; k++) {
            out[i] -= row->by_place[k] * step->place[row->reflector][k];
        }
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* Least squares on the rows, and with them the ranges of the maps' peaks, which tell the bias. */
static bool solve(const struct work *work, struct offset_state *state, struct fit *fit,
                  double reach_m, struct fit_answer *answer) {
    return rates_gather(work->data, work->maps, state, true, fit) &&
           fit_solve(fit, state->n, reach_m, work->data->window_s, 2.0, answer);
}

static bool absolute(const struct work *work, struct offset_state *state, double reach_m,
                     const struct fit *phases, struct fit_answer *answer) {
    double filter[LAG] = {0.0};
    double *residual = malloc((phases->n + 1) * sizeof *residual);
    bool done = residual != NULL;
    for (int pass = 0; done && pass < 4; pass++) {
        struct fit white = {0};
        done = whiten(phases, filter, &white) && white.n >= LEAST_WINDOWS &&
               solve(work, state, &white, reach_m, answer);
        if (done) {
            residuals(phases, answer, residual);
            find_filter(phases, residual, filter);
        }
        fit_free(&white);
    }
    free(residual);
    return done;
}

/* One step; false when it cannot be made. */
static bool step(struct work *work, struct offset_state *state, bool as_they_stand, double reach_m,
                 double *coherence) {
    /* Rows in units that a quiet capture reaches, so that ranges of peaks weigh little. */
    const double unit_m = FLOOR / work->wavenumber;
    struct fit steps = {0}, phases = {0};
    struct fit_answer answer;
    bool done = look(work, state) && gather_phases(work, state, unit_m, &phases, coherence);
    if (done && as_they_stand && *coherence > COHERENT) {
        done = absolute(work, state, reach_m, &phases, &answer);
    } else if (done) {
        done = gather_steps(work, state, unit_m, &steps) && steps.n >= LEAST_WINDOWS &&
               solve(work, state, &steps, reach_m, &answer);
    }
    if (done) {
        rates_step(state, &answer, reach_m);
    }
    fit_free(&steps);
    fit_free(&phases);
    return done;
}

enum nfsar_status offset_phases(const struct offset_data *data, const struct offset_maps *maps,
                                struct offset_state *state, nfsar_error *error) {
    struct work work = {
        .data = data, .maps = maps, .wavenumber = 4.0 * NFSAR_PI / data->wavelength_m};
    struct offset_state trial = *state;
    const double reach_m = state->known ? 0.0 : 0.1 * fmax(data->range_m, data->cell_m);
    work.seen.value = malloc(data->n_window * state->n * sizeof *work.seen.value);
    work.seen.noise = malloc(data->n_window * state->n * sizeof *work.seen.noise);
    bool memory = work.seen.value != NULL && work.seen.noise != NULL &&
                  moving_make(data, maps, state, &work.moving);
    bool going = memory;
    double coherence = 0.0;
    going = going && choose_stride(&work, &trial);
    for (int round = 0; going && round < ROUNDS; round++) {
        going = step(&work, &trial, round >= ABSOLUTE_FROM, reach_m, &coherence);
    }
    const bool told =
        going && coherence > COHERENT && fabs(trial.offset_s - state->offset_s) < data->window_s;
    if (told) {
        *state = trial;
    }
    state->phases = told;
    if (memory && state->n > 0 && look(&work, state)) {
        struct fit phases = {0};
        state->explained = work.energy > 0.0 ? work.explained / work.energy : 0.0;
        if (!told && !gather_phases(&work, &trial, 1.0, &phases, &coherence)) {
            memory = false;
        }
        fit_free(&phases);
        state->explained *= coherence * coherence;
    }
    free(work.seen.value);
    free(work.seen.noise);
    moving_free(&work.moving);
    return memory ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
