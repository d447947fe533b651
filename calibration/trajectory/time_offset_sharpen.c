/* Reflectors as sharp as long windows show them. The maps take two that are near each other for
 * one; with the offset known to a millisecond the echoes of some windows can be added in phase, and
 * tell them apart. One after the other is moved to where that sum is largest, and taken out of the
 * echoes.
 */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/trajectory/time_offset_moving.h"
#include "calibration/trajectory/time_offset_steer.h"

/* Windows that are put together. */
#define LENGTH 4
/* First and last step of the search: of the range, and of the wavelength. */
#define FIRST_STEP 0.04
#define LAST_STEP  0.1
/* Reflectors of less than this part of the first one's energy are left out. */
#define FAINT 0.2
/* What is nearer than this part of the range to a reflector is what was left of it. */
#define SAME 0.03

struct work {
    const struct offset_data *data;
    float complex *echo;           /* [n_pulse][n_sample] what is left */
    struct sight *sight;           /* [n_pulse] */
    bool *moves;                   /* [n_pulse] */
    size_t n_long, *first, *count; /* [n_long] pulses of the long windows */
    double *part;                  /* [6][n_long] energies of places in them */
    double weight;                 /* of a pulse: sum of the taper */
};

/* Amplitude in a long window, and its energy. line: [4][n_sample], of which the first two become
 * the echo of the last pulse. */
static double match(const struct work *work, size_t l, nfsar_vec3 place, double bias_m,
                    double *line, double complex *amplitude) {
    const struct offset_data *data = work->data;
    const size_t n_sample = data->n_sample;
    double *re = line + 2 * n_sample, *im = line + 3 * n_sample, weight = 0.0;
    double complex sum = 0.0;
    for (size_t p = work->first[l]; p < work->first[l] + work->count[l]; p++) {
        if (!work->moves[p]) {
            continue;
        }
        offset_steer(data, offset_range(&work->sight[p], place) + bias_m, line, line + n_sample);
        for (size_t i = 0; i < n_sample; i++) {
            re[i] = (double)crealf(work->echo[p * n_sample + i]);
            im[i] = (double)cimagf(work->echo[p * n_sample + i]);
        }
        sum += offset_product(data, line, line + n_sample, re, im);
        weight += work->weight;
    }
    *amplitude = weight > 0.0 ? sum / weight : 0.0;
    return weight > 0.0 ? (creal(sum) * creal(sum) + cimag(sum) * cimag(sum)) / weight : 0.0;
}

/* Energy at each of n places, at most 6. The windows' energies are added in their order, so that
 * the same capture gives the same bits. false: no memory. */
static bool energies(const struct work *work, const nfsar_vec3 *place, size_t n, double bias_m,
                     double *energy) {
    bool memory = true;
#pragma omp parallel
    {
        double *line = malloc(4 * work->data->n_sample * sizeof *line);
        if (line == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n * work->n_long; i++) {
            double complex amplitude;
            work->part[i] = line != NULL ? match(work, i % work->n_long, place[i / work->n_long],
                                                 bias_m, line, &amplitude)
                                         : 0.0;
        }
        free(line);
    }
    for (size_t k = 0; k < n; k++) {
        energy[k] = 0.0;
        for (size_t l = 0; l < work->n_long; l++) {
            energy[k] += work->part[k * work->n_long + l];
        }
    }
    return memory;
}

static bool climb(const struct work *work, double bias_m, nfsar_vec3 *place, double *energy) {
    size_t near = 0;
    while (near + 1 < work->data->n_pulse && !work->moves[near]) {
        near++;
    }
    double step = FIRST_STEP * offset_range(&work->sight[near], *place);
    if (!energies(work, place, 1, bias_m, energy)) {
        return false;
    }
    for (int round = 0; round < 60 && step > LAST_STEP * work->data->wavelength_m; round++) {
        nfsar_vec3 trial[6];
        double e[6];
        size_t best = 0;
        for (size_t i = 0; i < 6; i++) {
            const double s = i % 2 == 0 ? step : -step;
            trial[i] =
                nfsar_vec3_add(*place, (nfsar_vec3){i / 2 == 0 ? s : 0.0, i / 2 == 1 ? s : 0.0,
                                                    i / 2 == 2 ? s : 0.0});
        }
        if (!energies(work, trial, 6, bias_m, e)) {
            return false;
        }
        for (size_t i = 1; i < 6; i++) {
            best = e[i] > e[best] ? i : best;
        }
        if (e[best] > *energy) {
            *energy = e[best];
            *place = trial[best];
        } else {
            step *= 0.5;
        }
    }
    return true;
}

static bool take_out(struct work *work, nfsar_vec3 place, double bias_m) {
    const struct offset_data *data = work->data;
    const size_t n_sample = data->n_sample;
    double *line = malloc(4 * n_sample * sizeof *line);
    for (size_t l = 0; line != NULL && l < work->n_long; l++) {
        double complex amplitude;
        match(work, l, place, bias_m, line, &amplitude);
        for (size_t p = work->first[l]; p < work->first[l] + work->count[l]; p++) {
            if (!work->moves[p]) {
                continue;
            }
            offset_steer(data, offset_range(&work->sight[p], place) + bias_m, line,
                         line + n_sample);
            for (size_t i = 0; i < n_sample; i++) {
                work->echo[p * n_sample + i] -=
                    (float complex)(amplitude * CMPLX(line[i], line[n_sample + i]));
            }
        }
    }
    const bool done = line != NULL;
    free(line);
    return done;
}

static bool work_make(const struct offset_data *data, const struct offset_maps *maps,
                      const struct offset_state *state, struct moving *moving, struct work *work) {
    const size_t n_sample = data->n_sample;
    if (!moving_make(data, maps, state, moving)) {
        return false;
    }
    *work = (struct work){.data = data, .moves = moving->moves};
    work->echo = malloc(data->n_pulse * n_sample * sizeof *work->echo);
    work->sight = malloc(data->n_pulse * sizeof *work->sight);
    work->first = malloc(data->n_window * sizeof *work->first);
    work->count = malloc(data->n_window * sizeof *work->count);
    work->part = malloc(6 * data->n_window * sizeof *work->part);
    if (work->echo == NULL || work->sight == NULL || work->first == NULL || work->count == NULL ||
        work->part == NULL) {
        return false;
    }
    for (size_t i = 0; i < n_sample; i++) {
        work->weight += data->taper[i];
    }
    for (size_t p = 0; p < data->n_pulse; p++) {
        work->sight[p] = offset_sight(data, data->time_s[p], state->offset_s);
        for (size_t i = 0; i < n_sample; i++) {
            work->echo[p * n_sample + i] = data->echo[p * n_sample + i] - moving->mean[i];
        }
    }
    size_t p = 0;
    while (p < data->n_pulse) {
        size_t last = p;
        while (last < data->n_pulse &&
               data->time_s[last] < data->time_s[p] + LENGTH * data->window_s) {
            last++;
        }
        if (work->n_long < data->n_window) {
            work->first[work->n_long] = p;
            work->count[work->n_long++] = last - p;
        }
        p = last;
    }
    return true;
}

enum nfsar_status offset_sharpen(const struct offset_data *data, const struct offset_maps *maps,
                                 const nfsar_vec3 *start, size_t n_start,
                                 struct offset_state *state, nfsar_error *error) {
    struct work work = {0};
    struct moving moving = {0};
    double first = 0.0;
    bool memory = work_make(data, maps, state, &moving, &work);
    state->n = 0;
    for (size_t i = 0; memory && i < n_start && state->n < REFLECTORS; i++) {
        nfsar_vec3 place = start[i];
        double energy = 0.0;
        memory = climb(&work, state->bias_m, &place, &energy);
        if (!memory || !(energy > FAINT * first)) {
            continue;
        }
        first = fmax(first, energy);
        bool same = !offset_in_gate(data, state, place);
        for (size_t k = 0; k < state->n; k++) {
            same = same || nfsar_vec3_distance(place, state->place[k]) <
                               SAME * offset_range(&work.sight[data->n_pulse / 2], place);
        }
        if (!same) {
            state->place[state->n] = place;
            state->strength[state->n++] = energy;
        }
        memory = take_out(&work, place, state->bias_m);
    }
    free(work.echo);
    free(work.sight);
    free(work.first);
    free(work.count);
    free(work.part);
    moving_free(&moving);
    return memory ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
