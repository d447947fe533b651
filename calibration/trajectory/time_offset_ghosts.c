/* Rows of a scan make ghosts beside a reflector, and least squares on phases stay at the one at
 * which they begin; the phases over the whole way tell the place from its ghosts. Also, two
 * reflectors may have become one. */
#include <math.h>
#include <stdlib.h>

#include "calibration/trajectory/time_offset_look.h"
#include "calibration/trajectory/time_offset_way.h"

/* How far ghosts are looked for, radians as seen from the middle of the way. */
#define REACH 0.35
/* Places looked at in one plane, at most. */
#define PLACES 40000.0
/* So many steps away is the place itself. */
#define NEAR 3
/* A place must explain so much more to be taken for the better one. */
#define BETTER 1.1

/* A window in which reflector k was seen: its phase, and where from. */
struct glance {
    size_t window;
    double complex phase; /* times exp(j k R) of the place it was looked for at */
    struct sight sight;
};

/* Phases followed through time, [n_window][n]. */
static void unwrap(const struct seen *seen, const struct offset_state *state, double *phase) {
    for (size_t k = 0; k < state->n; k++) {
        double complex last = 1.0;
        double sum = 0.0;
        for (size_t i = k; i < seen->data->n_window * state->n; i += state->n) {
            if (seen->noise[i] < SURE) {
                sum += carg(seen->value[i] * conj(last));
                last = seen->value[i];
            }
            phase[i] = sum;
        }
    }
}

/* What the other reflectors' phases have in common in a window: most of what errors of the poses
 * do. */
static double common_phase(const struct seen *seen, const struct offset_state *state, size_t k,
                           size_t w, const double *phase) {
    double sum = 0.0, n = 0.0;
    for (size_t l = 0; l < state->n; l++) {
        if (l != k && seen->noise[w * state->n + l] < SURE) {
            sum += phase[w * state->n + l];
            n += 1.0;
        }
    }
    return n > 0.0 ? sum / n : 0.0;
}

/* unwrapped: NULL where poses are taken for exact. */
static size_t gather(const struct seen *seen, const struct offset_state *state, size_t k,
                     double wavenumber, const double *unwrapped, struct glance *glance) {
    const struct offset_data *data = seen->data;
    size_t n = 0;
    for (size_t w = 0; w < data->n_window; w++) {
        const double complex z = seen->value[w * state->n + k];
        if (seen->noise[w * state->n + k] < SURE) {
            glance[n].window = w;
            glance[n].sight = offset_sight(data, data->middle_s[w], state->offset_s);
            const double phase =
                wavenumber * offset_range(&glance[n].sight, state->place[k]) -
                (unwrapped != NULL ? common_phase(seen, state, k, w, unwrapped) : 0.0);
            glance[n++].phase = z / cabs(z) * CMPLX(cos(phase), sin(phase));
        }
    }
    return n;
}

/* Part of the glances that is in phase for a place. */
static double agreement(const struct glance *glance, size_t n, double wavenumber,
                        nfsar_vec3 place) {
    double re = 0.0, im = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double phase = wavenumber * offset_range(&glance[i].sight, place);
        const double complex turned = glance[i].phase * CMPLX(cos(phase), -sin(phase));
        re += creal(turned);
        im += cimag(turned);
    }
    return hypot(re, im) / (double)n;
}

/* The place at the same distance from the middle of the way that is turned by so much towards the
 * two directions. */
static nfsar_vec3 turned(const struct way *way, nfsar_vec3 place, double a, double b) {
    const nfsar_vec3 off = nfsar_vec3_subtract(place, way->middle);
    const double range = nfsar_vec3_norm(off);
    nfsar_vec3 to = nfsar_vec3_add(off, nfsar_vec3_add(nfsar_vec3_scale(way->axis[0], a * range),
                                                       nfsar_vec3_scale(way->axis[1], b * range)));
    to = nfsar_vec3_scale(to, range / fmax(nfsar_vec3_norm(to), 1e-12));
    return nfsar_vec3_add(way->middle, to);
}

/* Steps that turn the phases at the way's ends by less than a radian. */
static void find_steps(const struct way *way, double wavenumber, double step[2], long reach[2]) {
    double many = 1.0;
    for (int i = 0; i < 2; i++) {
        step[i] = 0.5 / fmax(wavenumber * way->length[i], 0.5 / REACH);
        many *= 2.0 * REACH / step[i] + 1.0;
    }
    /* Along the longer direction samples are dense, and ghosts are far. */
    const double cut = many > PLACES ? PLACES / many : 1.0;
    reach[0] = lround(cut * REACH / step[0]);
    reach[1] = lround(fmin(REACH / step[1], 0.25 * PLACES));
}

static nfsar_vec3 best_of(const struct way *way, const struct glance *glance, size_t n,
                          double wavenumber, nfsar_vec3 place) {
    double step[2], best = BETTER * agreement(glance, n, wavenumber, place);
    long reach[2];
    nfsar_vec3 found = place;
    find_steps(way, wavenumber, step, reach);
    for (long i = -reach[0]; i <= reach[0]; i++) {
        for (long j = -reach[1]; j <= reach[1]; j++) {
            const nfsar_vec3 at = turned(way, place, step[0] * (double)i, step[1] * (double)j);
            const double here = agreement(glance, n, wavenumber, at);
            if (here > best) {
                best = here;
                found = at;
            }
        }
    }
    return found;
}

/* How well phases' steps agree with a place: errors of the poses change little from one window to
 * the next. */
static double step_agreement(const struct glance *glance, size_t n, size_t stride,
                             double wavenumber, nfsar_vec3 place) {
    double sum = 0.0;
    double complex last = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double phase = wavenumber * offset_range(&glance[i].sight, place);
        const double complex turned = glance[i].phase * CMPLX(cos(phase), -sin(phase));
        if (i > 0 && glance[i].window - glance[i - 1].window == stride) {
            sum += creal(turned * conj(last));
        }
        last = turned;
    }
    return sum;
}

/* All reflectors turned together: where all of them are at the same ghost, what they have in common
 * hides it. glance: [state->n][n_window], n[state->n]. */
static void turn_together(const struct seen *seen, const struct way *way,
                          const struct offset_state *state, double wavenumber,
                          const struct glance *glance, const size_t *n, nfsar_vec3 *place) {
    double step[2], best = -INFINITY;
    long reach[2], best_i = 0, best_j = 0;
    find_steps(way, wavenumber, step, reach);
#pragma omp parallel for schedule(dynamic)
    for (long i = -reach[0]; i <= reach[0]; i++) {
        for (long j = -reach[1]; j <= reach[1]; j++) {
            double here = 0.0;
            for (size_t k = 0; k < state->n; k++) {
                here += step_agreement(
                    glance + k * seen->data->n_window, n[k], seen->stride, wavenumber,
                    turned(way, state->place[k], step[0] * (double)i, step[1] * (double)j));
            }
#pragma omp critical(nfsar_time_offset_together)
            if (here > best || (here == best && (i < best_i || (i == best_i && j < best_j)))) {
                best = here;
                best_i = i;
                best_j = j;
            }
        }
    }
    if (labs(best_i) <= NEAR && labs(best_j) <= NEAR) {
        return; /* no ghost: least squares are better at that */
    }
    for (size_t k = 0; k < state->n; k++) {
        place[k] = turned(way, state->place[k], step[0] * (double)best_i, step[1] * (double)best_j);
    }
}

enum nfsar_status offset_ghosts(const struct offset_data *data, const struct offset_maps *maps,
                                enum ghosts how, struct offset_state *state, bool *changed,
                                nfsar_error *error) {
    const double wavenumber = 4.0 * NFSAR_PI / data->wavelength_m;
    struct seen seen;
    struct way way = {0};
    nfsar_vec3 place[REFLECTORS];
    size_t n[REFLECTORS] = {0};
    double *phase = malloc((data->n_window * state->n + 1) * sizeof *phase);
    struct glance *glance = malloc((data->n_window * state->n + 1) * sizeof *glance);
    const bool memory = seen_make(data, maps, state, &seen) && phase != NULL && glance != NULL &&
                        way_find(data, state->offset_s, &way) && seen_choose_stride(&seen, state);
    *changed = false;
    if (memory) {
        unwrap(&seen, state, phase);
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t k = 0; k < state->n; k++) {
        struct glance *own = glance + k * data->n_window;
        place[k] = state->place[k];
        if (memory) {
            n[k] =
                gather(&seen, state, k, wavenumber, how == GHOSTS_LESS_COMMON ? phase : NULL, own);
        }
        if (n[k] > 0 && how != GHOSTS_TOGETHER) {
            place[k] = best_of(&way, own, n[k], wavenumber, place[k]);
        }
    }
    if (memory && how == GHOSTS_TOGETHER) {
        turn_together(&seen, &way, state, wavenumber, glance, n, place);
    }
    for (size_t k = 0; k < state->n; k++) {
        *changed = *changed || nfsar_vec3_distance(place[k], state->place[k]) > 0.0;
        state->place[k] = place[k];
    }
    free(phase);
    free(glance);
    way_free(&way);
    seen_free(&seen);
    return memory ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

/* Whether the phases of two places are the same all the way, but for a constant. */
static bool is_same(const struct offset_data *data, const struct offset_state *state, size_t a,
                    size_t b) {
    double sum = 0.0, square = 0.0, n = 0.0;
    for (size_t w = 0; w < data->n_window; w++) {
        const struct sight sight = offset_sight(data, data->middle_s[w], state->offset_s);
        if (sight.told) {
            const double off =
                offset_range(&sight, state->place[a]) - offset_range(&sight, state->place[b]);
            sum += off;
            square += off * off;
            n += 1.0;
        }
    }
    /* And one range cell holds both. */
    return n > 0.0 && square / n - sum * sum / (n * n) < pow(0.08 * data->wavelength_m, 2.0) &&
           fabs(sum / n) < 0.5 * data->cell_m;
}

bool offset_prune(const struct offset_data *data, struct offset_state *state) {
    size_t kept = 0;
    for (size_t k = 0; k < state->n; k++) {
        bool same = !offset_in_gate(data, state, state->place[k]);
        for (size_t i = 0; i < kept; i++) {
            same = same || is_same(data, state, i, k);
        }
        if (!same) {
            state->place[kept] = state->place[k];
            state->strength[kept] = state->strength[k];
            state->windows[kept] = state->windows[k];
            state->residual_m[kept++] = state->residual_m[k];
        }
    }
    const bool some = kept < state->n;
    state->n = kept;
    return some;
}
