#include "calibration/trajectory/time_offset_places.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Stretches of time of which each gives a seed, and places tried on each circle. */
enum { SEEDS = 64, TURNS = 48 };
/* A reflector's cells in the maps reach so far, in cells. */
#define REACH 1.5
/* Range biases that are tried where places are given. */
#define BIAS_M 0.75
/* Scores of reflectors behind the radar count less. */
#define BEHIND 0.9
/* Reflectors of less than this part of the first one's score are left out. */
#define FAINT 0.4

bool passage_make(size_t n, struct passage *p) {
    p->before = malloc(3 * n * sizeof *p->before);
    p->ahead = malloc(n * sizeof *p->ahead);
    if (p->before == NULL || p->ahead == NULL) {
        return false;
    }
    p->middle = p->before + n;
    p->after = p->before + 2 * n;
    return true;
}

void passage_free(struct passage *p) {
    free(p->before);
    free(p->ahead);
    p->before = NULL;
    p->ahead = NULL;
}

void passage_fill(const struct offset_data *data, double offset_s, struct passage *p) {
    const double quarter = 0.25 * data->window_s;
    for (size_t w = 0; w < data->n_window; w++) {
        p->before[w] = offset_sight(data, data->middle_s[w] - quarter, offset_s);
        p->middle[w] = offset_sight(data, data->middle_s[w], offset_s);
        p->after[w] = offset_sight(data, data->middle_s[w] + quarter, offset_s);
        p->ahead[w] = offset_ahead(data, data->middle_s[w], offset_s);
        p->middle[w].told = p->middle[w].told && p->before[w].told && p->after[w].told;
    }
}

double score_place(const struct offset_data *data, const struct offset_maps *maps,
                   const struct passage *p, nfsar_vec3 place, double bias_m) {
    double sum = 0.0;
    for (size_t w = 0; w < data->n_window; w++) {
        if (p->middle[w].told) {
            const double rate =
                (offset_range(&p->after[w], place) - offset_range(&p->before[w], place)) /
                (0.5 * data->window_s);
            sum += (double)offset_maps_at(data, maps, w,
                                          offset_range(&p->middle[w], place) + bias_m, rate);
        }
    }
    return sum;
}

double score_points(const struct offset_data *data, const struct offset_maps *maps,
                    const struct passage *p, const nfsar_time_offset_options *options,
                    double *bias_m) {
    const double step = 0.5 * data->cell_m;
    const long reach = lround(fmin(BIAS_M, 0.5 * data->unambiguous_m) / step);
    double best = 0.0;
    for (long i = -reach; i <= reach; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < options->n_point; k++) {
            sum += score_place(data, maps, p, options->point[k], step * (double)i);
        }
        if (sum > best) {
            best = sum;
            *bias_m = step * (double)i;
        }
    }
    return best;
}

/* Two directions across a unit vector. */
static void frame_of(nfsar_vec3 v, nfsar_vec3 *a, nfsar_vec3 *b) {
    const nfsar_vec3 axis = fabs(v.x) < 0.6 ? (nfsar_vec3){1, 0, 0} : (nfsar_vec3){0, 1, 0};
    *a = nfsar_vec3_cross(v, axis);
    *a = nfsar_vec3_scale(*a, 1.0 / nfsar_vec3_norm(*a));
    *b = nfsar_vec3_cross(v, *a);
}

/* Rates repeat, so all that the motion reaches are tried. */
double score_seed(const struct offset_data *data, const struct offset_maps *maps,
                  const struct passage *p, const struct seed *seed, size_t turns,
                  nfsar_vec3 *place) {
    const size_t w = seed->window;
    if (!p->middle[w].told) {
        return 0.0;
    }
    const nfsar_vec3 from = nfsar_vec3_midpoint(p->before[w].tx, p->before[w].rx);
    const nfsar_vec3 to = nfsar_vec3_midpoint(p->after[w].tx, p->after[w].rx);
    const nfsar_vec3 at = nfsar_vec3_midpoint(p->middle[w].tx, p->middle[w].rx);
    nfsar_vec3 v = nfsar_vec3_scale(nfsar_vec3_subtract(to, from), 2.0 / data->window_s);
    const double speed = nfsar_vec3_norm(v), turn = 2.0 * data->nyquist_m_per_s;
    double best = 0.0;
    if (speed < maps->notch) {
        return 0.0;
    }
    v = nfsar_vec3_scale(v, 1.0 / speed);
    nfsar_vec3 a, b;
    frame_of(v, &a, &b);
    const double most = speed + 0.5 * maps->rate_cell;
    for (double rate = seed->rate - turn * floor((seed->rate + most) / turn); rate <= most;
         rate += turn) {
        const double along = -fmax(-1.0, fmin(1.0, rate / speed));
        const double across = sqrt(1.0 - along * along);
        for (size_t i = 0; i < turns; i++) {
            const double phi = 2.0 * NFSAR_PI * (double)i / (double)turns;
            const nfsar_vec3 u = nfsar_vec3_add(
                nfsar_vec3_scale(v, along), nfsar_vec3_add(nfsar_vec3_scale(a, across * cos(phi)),
                                                           nfsar_vec3_scale(b, across * sin(phi))));
            const nfsar_vec3 q = nfsar_vec3_add(at, nfsar_vec3_scale(u, seed->range_m));
            const double score = score_place(data, maps, p, q, 0.0);
            /* Where the motion does not tell one side from the other, it is the one looked at. */
            const nfsar_vec3 ahead = nfsar_vec3_subtract(p->ahead[w], at);
            const double side = nfsar_vec3_dot(ahead, u) < 0.0 ? BEHIND : 1.0;
            if (side * score > best) {
                best = side * score;
                *place = q;
            }
        }
    }
    return best;
}

size_t find_seeds(const struct offset_data *data, const struct offset_maps *maps, size_t stretches,
                  struct seed *seeds) {
    float strongest = 0.0f;
    size_t n = 0, kept = 0;
    for (size_t s = 0; s < stretches; s++) {
        struct seed best = {0};
        for (size_t w = s * data->n_window / stretches; w < (s + 1) * data->n_window / stretches;
             w++) {
            const float *map = maps->score + w * maps->n_range * maps->n_rate;
            for (size_t i = 0; i < maps->n_range * maps->n_rate; i++) {
                if (map[i] + maps->mean[w] > best.score) {
                    best = (struct seed){
                        w, maps->range_from_m + maps->range_step_m * (double)(i / maps->n_rate),
                        maps->rate_from + maps->rate_step * (double)(i % maps->n_rate),
                        map[i] + maps->mean[w]};
                }
            }
        }
        if (best.score > 0.0f) {
            double range = 0.0, rate = 0.0;
            if (offset_maps_peak(data, maps, best.window, best.range_m, best.rate, 3, &range,
                                 &rate)) {
                best.range_m = range;
                best.rate = rate;
            }
            strongest = fmaxf(strongest, best.score);
            seeds[n++] = best;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (seeds[i].score > 0.5f * strongest) {
            seeds[kept++] = seeds[i];
        }
    }
    return kept;
}

/* The best place about one that is known to the spacing of the search: steps along the axes, halved
 * when none of them helps. */
static double refine(const struct offset_data *data, const struct offset_maps *maps,
                     const struct passage *p, double step, double score, nfsar_vec3 *place) {
    for (int round = 0; round < 200 && step > 0.05 * data->cell_m; round++) {
        nfsar_vec3 best = *place;
        double most = score;
        for (int i = 0; i < 6; i++) {
            const double s = i % 2 == 0 ? step : -step;
            const nfsar_vec3 at =
                nfsar_vec3_add(*place, (nfsar_vec3){i / 2 == 0 ? s : 0.0, i / 2 == 1 ? s : 0.0,
                                                    i / 2 == 2 ? s : 0.0});
            const double here = score_place(data, maps, p, at, 0.0);
            if (here > most) {
                most = here;
                best = at;
            }
        }
        step *= most > score ? 1.0 : 0.5;
        *place = best;
        score = most;
    }
    return score;
}

/* ---- one reflector after the other ------------------------------------------------------------
 */

/* Take the cells of a reflector out of the maps. */
static void take_out(const struct offset_data *data, struct offset_maps *maps,
                     const struct passage *p, nfsar_vec3 place) {
    for (size_t w = 0; w < maps->n_window; w++) {
        if (!p->middle[w].told) {
            continue;
        }
        const double range = offset_range(&p->middle[w], place);
        const double rate =
            (offset_range(&p->after[w], place) - offset_range(&p->before[w], place)) /
            (0.5 * data->window_s);
        for (size_t b = 0; b < maps->n_range; b++) {
            double dr = maps->range_from_m + maps->range_step_m * (double)b - range;
            dr -= data->unambiguous_m * round(dr / data->unambiguous_m);
            for (size_t j = 0; fabs(dr) < REACH * data->cell_m && j < maps->n_rate; j++) {
                const double turn = 2.0 * data->nyquist_m_per_s;
                double dv = maps->rate_from + maps->rate_step * (double)j - rate;
                dv -= turn * round(dv / turn);
                if (fabs(dv) < REACH * maps->rate_cell) {
                    maps->score[(w * maps->n_range + b) * maps->n_rate + j] = -maps->mean[w];
                }
            }
        }
    }
}

/* The best place of all seeds on the maps that are left. */
static double best_place(const struct offset_data *data, const struct offset_maps *maps,
                         const struct passage *p, nfsar_vec3 *place) {
    struct seed seeds[SEEDS];
    const size_t n = find_seeds(data, maps, SEEDS, seeds);
    double best = 0.0;
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 at = {0};
        const double score = score_seed(data, maps, p, &seeds[i], TURNS, &at);
#pragma omp critical(nfsar_time_offset_best)
        if (score > best || (score == best && score > 0.0 && at.x < place->x)) {
            best = score;
            *place = at;
        }
    }
    return best;
}

enum nfsar_status offset_places(const struct offset_data *data, const struct offset_maps *maps,
                                const nfsar_time_offset_options *options, double offset_s,
                                struct offset_state *state, nfsar_error *error) {
    *state = (struct offset_state){.offset_s = offset_s, .known = options->n_point > 0};
    struct passage p;
    struct offset_maps left = *maps;
    const size_t cells = maps->n_window * maps->n_range * maps->n_rate;
    left.score = malloc(cells * sizeof *left.score);
    const bool has = passage_make(data->n_window, &p) && left.score != NULL;
    if (has) {
        memcpy(left.score, maps->score, cells * sizeof *left.score);
        passage_fill(data, offset_s, &p);
    }
    if (has && state->known) {
        state->strength[0] = score_points(data, maps, &p, options, &state->bias_m);
        state->n = options->n_point;
        memcpy(state->place, options->point, state->n * sizeof *options->point);
    }
    for (size_t k = 0; has && !state->known && k < REFLECTORS; k++) {
        nfsar_vec3 place = {0};
        double score = best_place(data, &left, &p, &place);
        if (!(score > 0.0) || (k > 0 && score < FAINT * state->strength[0])) {
            break;
        }
        score = refine(data, &left, &p, 0.1 * fmax(data->range_m, data->cell_m), score, &place);
        take_out(data, &left, &p, place);
        state->place[k] = place;
        state->strength[k] = score;
        state->n = k + 1;
    }
    passage_free(&p);
    free(left.score);
    return has ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
