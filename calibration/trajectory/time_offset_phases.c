/* Maximum likelihood: the phases of the reflectors in half windows are what is left of the ranges,
 * to a hundredth of a wavelength. First from window to window, which needs no unwrapping; then
 * followed through time, with smooth errors of the poses as part of the model. */
#include <math.h>
#include <stdlib.h>

#include "calibration/trajectory/time_offset_errors.h"
#include "calibration/trajectory/time_offset_look.h"
#include "calibration/trajectory/time_offset_rates.h"

enum { ROUNDS = 10, FOLLOW_FROM = 5, LEAST_WINDOWS = 10 };

/* Noise that is there whatever the amplitude says: the poses', neighbours'. */
#define FLOOR 0.1
/* The same where the poses' errors are part of the model. */
#define LEAST_NOISE 0.01
/* Phases whose steps agree so well with the model are followed. */
#define COHERENT 0.6
/* A longer step, radians, may as well be one the other way round. */
#define FAR 2.2

struct work {
    const struct offset_data *data;
    const struct offset_maps *maps;
    struct seen seen;
    double wavenumber; /* of half the two-way path: phase = wavenumber * range */
    struct pose_error pose_error;
};

/* ---- rows ------------------------------------------------------------------------------------ */

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
                            .by_place = {g.x, g.y, g.z}};
}

/* By how much the phase grew since the last look, 0 where either is not sure. */
static bool step_of(const struct work *work, const struct offset_state *state, size_t k, size_t w,
                    double *radians) {
    if (w < work->seen.stride) {
        return false;
    }
    const size_t at = w * state->n + k, last = (w - work->seen.stride) * state->n + k;
    *radians = carg(work->seen.value[at] * conj(work->seen.value[last]));
    return work->seen.noise[at] < SURE && work->seen.noise[last] < SURE;
}

/* From window to window: a reflector's phase must not run away by half a turn. */
static bool gather_steps(const struct work *work, const struct offset_state *state, double unit_m,
                         struct fit *fit) {
    const struct offset_data *data = work->data;
    for (size_t k = 0; k < state->n; k++) {
        for (size_t w = 0; w < data->n_window; w += work->seen.stride) {
            double radians;
            if (!step_of(work, state, k, w, &radians)) {
                continue;
            }
            const double a = work->seen.noise[(w - work->seen.stride) * state->n + k];
            const double b = work->seen.noise[w * state->n + k];
            const struct fit_row from = derivatives(data, state, k, w - work->seen.stride);
            struct fit_row row = derivatives(data, state, k, w);
            row.value = radians / work->wavenumber / unit_m;
            row.weight = FLOOR * FLOOR / (FLOOR * FLOOR + 0.5 * (a * a + b * b));
            row.by_offset = (row.by_offset - from.by_offset) / unit_m;
            for (size_t i = 0; i < 3; i++) {
                row.by_place[i] = (row.by_place[i] - from.by_place[i]) / unit_m;
            }
            if (!fit_add(fit, &row)) {
                return false;
            }
        }
    }
    return true;
}

/* Phases followed through time, [n_window * n] of *rows; how well steps agree with the model. */
static double gather_phases(const struct work *work, const struct offset_state *state,
                            struct phase_row *rows, size_t *n) {
    const struct offset_data *data = work->data;
    double turned[REFLECTORS] = {0.0}, agree = 0.0;
    double complex sum[REFLECTORS] = {0.0};
    size_t steps = 0;
    for (size_t i = 0; i < data->n_window * state->n; i++) {
        const double complex z = work->seen.value[i];
        sum[i % state->n] += work->seen.noise[i] < SURE ? z / cabs(z) : 0.0;
    }
    *n = 0;
    for (size_t w = 0; w < data->n_window; w += work->seen.stride) {
        for (size_t k = 0; k < state->n; k++) {
            const size_t at = w * state->n + k;
            double radians = 0.0;
            if (!(work->seen.noise[at] < SURE)) {
                continue;
            }
            const bool step = step_of(work, state, k, w, &radians);
            if (step) {
                agree += cos(radians);
                steps++;
            }
            const bool follows = step && fabs(radians) < FAR;
            turned[k] = follows ? turned[k] + radians : carg(work->seen.value[at] * conj(sum[k]));
            const struct fit_row by = derivatives(data, state, k, w);
            rows[(*n)++] = (struct phase_row){
                .reflector = k,
                .window = w,
                .begins = !follows,
                .time_s = data->middle_s[w],
                .value = turned[k] / work->wavenumber,
                .noise = hypot(LEAST_NOISE, work->seen.noise[at]) / work->wavenumber,
                .by_offset = by.by_offset,
                .by_place = {by.by_place[0], by.by_place[1], by.by_place[2]},
                .doubt = 1.0};
        }
    }
    return steps > 0 ? agree / (double)steps : 0.0;
}

/* Windows and residuals of each reflector, about their mean between breaks. */
static void count_windows(struct offset_state *state, const struct phase_row *row, size_t n) {
    for (size_t k = 0; k < state->n; k++) {
        double sum = 0.0, square = 0.0, total = 0.0;
        size_t stretch = 0, windows = 0;
        for (size_t i = 0; i <= n; i++) {
            if (i < n && row[i].reflector != k) {
                continue;
            }
            if (i == n || row[i].begins) {
                total += stretch > 0 ? square - sum * sum / (double)stretch : 0.0;
                sum = square = 0.0;
                stretch = 0;
            }
            if (i < n) {
                sum += row[i].value;
                square += row[i].value * row[i].value;
                stretch++;
                windows++;
            }
        }
        state->windows[k] = windows;
        state->residual_m[k] = windows > 0 ? sqrt(fmax(total, 0.0) / (double)windows) : INFINITY;
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* Least squares on steps, and with them the ranges of the maps' peaks, which tell the bias. */
static bool solve_steps(const struct work *work, struct offset_state *state, double reach_m,
                        struct fit_answer *answer) {
    /* Rows in units that a quiet capture reaches, so that ranges of peaks weigh little. */
    const double unit_m = FLOOR / work->wavenumber;
    struct fit fit = {0};
    const bool done = gather_steps(work, state, unit_m, &fit) && fit.n >= LEAST_WINDOWS &&
                      rates_gather(work->data, work->maps, state, true, &fit) &&
                      fit_solve(&fit, state->n, reach_m, work->data->window_s, 2.0, answer);
    fit_free(&fit);
    return done;
}

static bool solve_phases(struct work *work, struct offset_state *state, double reach_m, bool again,
                         struct phase_row *rows, size_t n, struct fit_answer *answer) {
    const struct offset_data *data = work->data;
    struct fit ranges = {0};
    struct errors_problem problem = {.row = rows,
                                     .n = n,
                                     .n_reflector = state->n,
                                     .ranges = &ranges,
                                     .constant_m = 10.0 * data->wavelength_m,
                                     .reach_m = reach_m,
                                     .reach_s = data->window_s,
                                     .bias_m = 2.0,
                                     .shortest_s = 0.5 * data->window_s * (double)work->seen.stride,
                                     .longest_s =
                                         data->time_s[data->n_pulse - 1] - data->time_s[0]};
    bool done = rates_gather(data, work->maps, state, true, &ranges);
    /* Once to see outliers, once with them known. */
    for (int pass = 0; done && pass < 2; pass++) {
        done =
            (!(again || work->pose_error.order == 0) || errors_find(&problem, &work->pose_error)) &&
            errors_solve(&problem, &work->pose_error, answer);
    }
    fit_free(&ranges);
    return done;
}

/* One step; false when it cannot be made. *agree: how well the phases' steps agree. */
static bool step(struct work *work, struct offset_state *state, int round, double reach_m,
                 struct phase_row *rows, double *agree) {
    struct fit_answer answer;
    size_t n = 0;
    if (!seen_look(&work->seen, state)) {
        return false;
    }
    *agree = gather_phases(work, state, rows, &n);
    const bool follow = round >= FOLLOW_FROM && *agree > COHERENT && n >= LEAST_WINDOWS;
    const bool done =
        follow ? solve_phases(work, state, reach_m, round + 2 >= ROUNDS, rows, n, &answer)
               : solve_steps(work, state, reach_m, &answer);
    if (done) {
        rates_step(state, &answer, reach_m);
    }
    return done;
}

/* How much of the echoes is explained, by phases that follow the model. */
static void assess(const struct work *work, double agree, struct offset_state *state) {
    const size_t n = work->data->n_window * state->n;
    size_t sure = 0, seen = 0;
    for (size_t i = 0; i < n; i++) {
        sure += work->seen.noise[i] < SURE;
        seen += isfinite(work->seen.noise[i]);
    }
    state->agree = agree;
    state->sure = seen > 0 ? (double)sure / (double)seen : 0.0;
    state->explained = seen_explained(&work->seen) * fmax(agree, 0.0) * fmax(agree, 0.0);
}

enum nfsar_status offset_phases(const struct offset_data *data, const struct offset_maps *maps,
                                struct offset_state *state, nfsar_error *error) {
    struct work work = {
        .data = data, .maps = maps, .wavenumber = 4.0 * NFSAR_PI / data->wavelength_m};
    struct offset_state trial = *state;
    const double reach_m = state->known ? 0.0 : 0.1 * fmax(data->range_m, data->cell_m);
    struct phase_row *rows = malloc((data->n_window * state->n + 1) * sizeof *rows);
    bool memory = seen_make(data, maps, state, &work.seen) && rows != NULL;
    bool going = memory && seen_choose_stride(&work.seen, &trial);
    double agree = 0.0;
    size_t n = 0;
    for (int round = 0; going && round < ROUNDS; round++) {
        going = step(&work, &trial, round, reach_m, rows, &agree);
    }
    state->phases =
        going && agree > COHERENT && fabs(trial.offset_s - state->offset_s) < data->window_s;
    if (state->phases) {
        *state = trial;
        state->phases = true;
    }
    if (memory && state->n > 0) {
        memory = seen_look(&work.seen, state);
    }
    if (memory && state->n > 0) {
        assess(&work, gather_phases(&work, state, rows, &n), state);
        if (state->phases) {
            count_windows(state, rows, n);
        }
    }
    free(rows);
    seen_free(&work.seen);
    return memory ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
