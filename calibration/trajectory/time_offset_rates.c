/* Ranges and range rates of the maps' peaks against those predicted: from the search's step to a
 * fraction of a millisecond, and from its circle of places to the place. */
#include <math.h>
#include <string.h>

#include "calibration/trajectory/time_offset_fit.h"
#include "calibration/trajectory/time_offset_rates.h"

enum { ROUNDS = 12, LEAST_WINDOWS = 6 };

/* A peak is told to about this part of a cell. */
#define PART 0.125
/* Reflectors whose windows over residuals are below this part of the best's are left out. */
#define POOR 0.3

/* What is predicted in a window, and its derivatives by the offset. */
struct predicted {
    double range, rate, range_by_offset, rate_by_offset;
    nfsar_vec3 range_by_place, rate_by_place;
    bool told;
};

static struct predicted predict(const struct offset_data *data, const struct offset_state *state,
                                size_t k, size_t w) {
    const double quarter = 0.25 * data->window_s;
    const nfsar_vec3 q = state->place[k];
    double range[5];
    struct sight sight[5];
    struct predicted p = {.told = true};
    for (int i = 0; i < 5; i++) {
        sight[i] = offset_sight(data, data->middle_s[w] + quarter * (i - 2), state->offset_s);
        range[i] = offset_range(&sight[i], q);
        p.told = p.told && sight[i].told;
    }
    p.range = range[2];
    p.rate = (range[3] - range[1]) / (2.0 * quarter);
    p.range_by_offset = p.rate;
    p.rate_by_offset = (range[4] - 2.0 * range[2] + range[0]) / (4.0 * quarter * quarter);
    p.range_by_place = offset_gradient(&sight[2], q);
    p.rate_by_place = nfsar_vec3_scale(
        nfsar_vec3_subtract(offset_gradient(&sight[3], q), offset_gradient(&sight[1], q)),
        1.0 / (2.0 * quarter));
    return p;
}

static struct fit_row row_of(size_t k, size_t w, double value, double by_offset, double by_bias,
                             nfsar_vec3 by_place, double unit) {
    return (struct fit_row){.reflector = k,
                            .window = w,
                            .value = value / unit,
                            .weight = 1.0,
                            .by_offset = by_offset / unit,
                            .by_bias = by_bias / unit,
                            .by_place = {by_place.x / unit, by_place.y / unit, by_place.z / unit}};
}

bool rates_gather(const struct offset_data *data, const struct offset_maps *maps,
                  struct offset_state *state, bool ranges_only, struct fit *fit) {
    for (size_t k = 0; k < state->n; k++) {
        double sum = 0.0;
        size_t n = 0;
        for (size_t w = 0; w < data->n_window; w++) {
            const struct predicted p = predict(data, state, k, w);
            double range = 0.0, rate = 0.0;
            if (!p.told || !offset_maps_peak(data, maps, w, p.range + state->bias_m, p.rate,
                                             state->reach, &range, &rate)) {
                continue;
            }
            const double off = range - p.range - state->bias_m;
            struct fit_row row =
                row_of(k, w, off, p.range_by_offset, 1.0, p.range_by_place, PART * data->cell_m);
            bool room = fit_add(fit, &row);
            if (!ranges_only) {
                row = row_of(k, w, rate - p.rate, p.rate_by_offset, 0.0, p.rate_by_place,
                             PART * maps->rate_cell);
                room = room && fit_add(fit, &row);
            }
            if (!room) {
                return false;
            }
            sum += off * off;
            n++;
        }
        if (!ranges_only) {
            state->windows[k] = n;
            state->residual_m[k] = n > 0 ? sqrt(sum / (double)n) : INFINITY;
        }
    }
    return true;
}

bool rates_doubt(const struct offset_data *data, const struct offset_maps *maps,
                 struct offset_state *state, double *doubt_m) {
    struct fit fit = {0};
    const bool done = rates_gather(data, maps, state, true, &fit);
    double mean[NFSAR_TIME_OFFSET_REFLECTORS] = {0.0}, square = 0.0, all = 0.0;
    size_t n[NFSAR_TIME_OFFSET_REFLECTORS] = {0}, seen = 0;
    for (size_t i = 0; i < fit.n; i++) {
        const struct fit_row *row = &fit.row[i];
        mean[row->reflector] += row->value;
        n[row->reflector]++;
        all += row->value / (double)fit.n;
        square += row->value * row->value / (double)fit.n;
    }
    for (size_t k = 0; k < state->n; k++) {
        if (n[k] > 0) {
            const double off = mean[k] / (double)n[k] - all;
            square += off * off;
            seen++;
        }
    }
    *doubt_m = seen > 0 ? PART * data->cell_m * sqrt(square) / (double)seen : 0.0;
    fit_free(&fit);
    return done;
}

void rates_step(struct offset_state *state, const struct fit_answer *answer, double most_m) {
    state->offset_s += answer->offset;
    state->bias_m += answer->bias;
    for (size_t k = 0; k < state->n; k++) {
        nfsar_vec3 move = {answer->place[k][0], answer->place[k][1], answer->place[k][2]};
        const double far = nfsar_vec3_norm(move);
        move = nfsar_vec3_scale(move, far > most_m ? most_m / far : 1.0);
        state->place[k] = state->known ? state->place[k] : nfsar_vec3_add(state->place[k], move);
    }
    state->sigma_s = answer->sigma_offset;
    state->bias_sigma_m = answer->sigma_bias;
}

/* Whether two reflectors are one to the maps: in most windows they are nearer than half a cell. */
static bool is_same(const struct offset_data *data, const struct offset_maps *maps,
                    const struct offset_state *state, size_t a, size_t b) {
    size_t near = 0, all = 0;
    for (size_t w = 0; w < data->n_window; w++) {
        const struct predicted p = predict(data, state, a, w), q = predict(data, state, b, w);
        if (p.told && q.told) {
            near += fabs(p.range - q.range) < 0.6 * data->cell_m &&
                    fabs(p.rate - q.rate) < 0.6 * maps->rate_cell;
            all++;
        }
    }
    return 10 * near > 7 * all;
}

/* Leave out the weaker of those that have become one. */
static void merge(const struct offset_data *data, const struct offset_maps *maps,
                  struct offset_state *state) {
    for (size_t b = state->n; b-- > 1;) {
        for (size_t a = 0; a < b; a++) {
            if (is_same(data, maps, state, a, b)) {
                state->windows[state->windows[a] < state->windows[b] ? a : b] = 0;
            }
        }
    }
    rates_drop_faint(state, 1);
}

/* What is seen less, and less where it should be, than the others is no reflector, or several. */
static void drop_poor(struct offset_state *state) {
    double best = 0.0;
    for (size_t k = 0; k < state->n; k++) {
        best = fmax(best, (double)state->windows[k] / state->residual_m[k]);
    }
    for (size_t k = 0; k < state->n; k++) {
        if ((double)state->windows[k] / state->residual_m[k] < POOR * best) {
            state->windows[k] = 0;
        }
    }
    rates_drop_faint(state, 1);
}

void rates_drop_faint(struct offset_state *state, size_t least) {
    size_t kept = 0;
    for (size_t k = 0; k < state->n; k++) {
        if (state->windows[k] >= least) {
            state->place[kept] = state->place[k];
            state->strength[kept] = state->strength[k];
            state->windows[kept] = state->windows[k];
            state->residual_m[kept] = state->residual_m[k];
            kept++;
        }
    }
    state->n = kept;
}

enum nfsar_status offset_rates(const struct offset_data *data, const struct offset_maps *maps,
                               struct offset_state *state, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    const double reach_m = state->known ? 0.0 : 0.1 * fmax(data->range_m, data->cell_m);
    /* Peaks tell a bias from a place that is farther only where the place is known. */
    const double bias_m = state->known ? 2.0 : 1e-6;
    for (int round = 0; status == NFSAR_OK && round < ROUNDS; round++) {
        struct fit fit = {0};
        struct fit_answer answer;
        /* Nearer and nearer: what else is there is not to be followed. */
        state->reach = round < 5 ? 3 : 2;
        if (!rates_gather(data, maps, state, false, &fit)) { /* counts windows too */
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        } else if (round == 2 || round == 8) {
            rates_drop_faint(state, LEAST_WINDOWS);
            if (!state->known) {
                merge(data, maps, state);
            }
            if (!state->known && round == 8) {
                drop_poor(state);
            }
        } else if (fit.n < 2 * LEAST_WINDOWS ||
                   !fit_solve(&fit, state->n, reach_m, data->window_s, bias_m, &answer)) {
            status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                                "no reflector is seen long enough to follow its range: the motion "
                                "does not tell the time offset");
        } else {
            rates_step(state, &answer, reach_m);
        }
        fit_free(&fit);
    }
    return status;
}
