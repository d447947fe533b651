/* Which offset, of all in the search. A peak of a map says at which range and range rate something
 * is; with the poses at an offset that is a circle of places about the line of the motion. Each of
 * them predicts ranges and rates in all other windows, and the maps say how much is there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/trajectory/time_offset_places.h"

/* Places tried on the circle. */
#define TURNS 24
#define SEEDS 12
/* Other offsets with so much of the best's score are looked at closely. */
#define WORTH 0.6
/* Offsets that are tried at the most: those of some hours. */
#define OFFSETS 1e6

static double score_offset(const struct offset_data *data, const struct offset_maps *maps,
                           const nfsar_time_offset_options *options, const struct seed *seeds,
                           size_t n_seed, struct passage *p, double offset_s) {
    double sum = 0.0;
    passage_fill(data, offset_s, p);
    if (options->n_point > 0) {
        double bias_m;
        return score_points(data, maps, p, options, &bias_m);
    }
    for (size_t i = 0; i < n_seed; i++) {
        nfsar_vec3 place;
        sum += score_seed(data, maps, p, &seeds[i], TURNS, &place);
    }
    return sum;
}

/* ---- the search ------------------------------------------------------------------------------ */

static enum nfsar_status find_limits(const struct offset_data *data,
                                     const nfsar_time_offset_options *options, double *from,
                                     double *to, nfsar_error *error) {
    const double begin = data->time_s[0], end = data->time_s[data->n_pulse - 1];
    const double first = data->track->time_s[0], last = data->track->time_s[data->track->n - 1];
    const double half = 0.5 * fmin(end - begin, last - first);
    *from = first - end + half;
    *to = last - begin - half;
    if (options->has_search) {
        *from = fmax(*from, options->search_s[0]);
        *to = fmin(*to, options->search_s[1]);
    }
    return *to >= *from ? NFSAR_OK
                        : nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                                     "at no offset of the search do the poses (%.3f to %.3f s) "
                                     "cover half of the pulses (%.3f to %.3f s)",
                                     first, last, begin, end);
}

static enum nfsar_status scan(const struct offset_data *data, const struct offset_maps *maps,
                              const nfsar_time_offset_options *options, const struct seed *seeds,
                              size_t n_seed, double from, double step, size_t n, double *score,
                              nfsar_error *error) {
    bool memory = true, going = true;
    size_t done = 0;
#pragma omp parallel
    {
        struct passage p;
        const bool has = passage_make(data->n_window, &p);
        if (!has) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n; i++) {
            bool go = true;
#pragma omp atomic read
            go = going;
            if (!has || !go) {
                continue;
            }
            score[i] =
                score_offset(data, maps, options, seeds, n_seed, &p, from + step * (double)i);
#pragma omp critical(nfsar_time_offset_scan)
            if (!nfsar_progress_report(options->progress, 0.3 + 0.5 * (double)++done / (double)n)) {
#pragma omp atomic write
                going = false;
            }
        }
        passage_free(&p);
    }
    if (!memory) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return going ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_CANCELLED, "align was cancelled");
}

/* Local maxima of the score, strongest first. */
static size_t find_tops(const double *score, size_t n, size_t apart, size_t top[CANDIDATES]) {
    size_t found = 0;
    for (size_t round = 0; round < CANDIDATES; round++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            bool near = !(score[i] > 0.0);
            for (size_t k = 0; k < found; k++) {
                const size_t far = i > top[k] ? i - top[k] : top[k] - i;
                near = near || far < apart;
            }
            /* The slope of a peak that was taken is none of its own. */
            const bool slope =
                (i > 0 && score[i - 1] > score[i]) || (i + 1 < n && score[i + 1] > score[i]);
            if (!near && !slope && (best == n || score[i] > score[best])) {
                best = i;
            }
        }
        if (best == n || (found > 0 && score[best] < WORTH * score[top[0]])) {
            break;
        }
        top[found++] = best;
    }
    return found;
}

enum nfsar_status offset_coarse(const struct offset_data *data, const struct offset_maps *maps,
                                const nfsar_time_offset_options *options,
                                double offset_s[CANDIDATES], size_t *n_offset, nfsar_error *error) {
    struct seed seeds[SEEDS];
    const size_t n_seed = find_seeds(data, maps, SEEDS, seeds);
    double from = 0.0, to = 0.0;
    enum nfsar_status status = find_limits(data, options, &from, &to, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (n_seed == 0 && options->n_point == 0) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "no echo moves against the radar: such a capture does not tell the time "
                          "offset");
    }
    const double step = 0.25 * data->window_s;
    if (!((to - from) / step < OFFSETS)) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "the poses are of %.3f to %.3f s: offsets from %.3f to %.3f s, %.2g s "
                          "apart, are too many to be tried; take the poses about the capture "
                          "alone, or search about an offset that is roughly right",
                          data->track->time_s[0], data->track->time_s[data->track->n - 1], from, to,
                          step);
    }
    const size_t n = (size_t)((to - from) / step) + 1;
    double *score = calloc(n, sizeof *score);
    status = score != NULL ? scan(data, maps, options, seeds, n_seed, from, step, n, score, error)
                           : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        size_t top[CANDIDATES];
        *n_offset = find_tops(score, n, 4, top);
        for (size_t i = 0; i < *n_offset; i++) {
            offset_s[i] = from + step * (double)top[i];
        }
        if (*n_offset == 0) {
            status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                                "at no offset do the poses move as the echoes do: such a motion "
                                "does not tell the time offset");
        }
    }
    free(score);
    return status;
}
