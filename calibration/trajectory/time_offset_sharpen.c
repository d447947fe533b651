/* Reflectors as sharp as long windows show them. The maps take two that are near each other for
 * one; with the offset known to a millisecond the echoes of some windows can be added in phase, and
 * tell them apart. One after the other is moved to where that sum is largest, and taken out of the
 * echoes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/frequencies.h"
#include "calibration/trajectory/time_offset_moving.h"

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
    double step_hz;                /* between frequencies; 0 where they are not evenly spaced */
};

/* exp(+j2kR) of all samples. */
static void steer(const struct work *work, double range_m, double complex *out) {
    const double *f = work->data->capture->frequency_hz;
    const double delay = 2.0 * range_m / NFSAR_SPEED_OF_LIGHT;
    double complex turn = 1.0;
    if (work->step_hz != 0.0) {
        const double phase = 2.0 * NFSAR_PI * fmod(work->step_hz * delay, 1.0);
        turn = CMPLX(cos(phase), sin(phase));
    }
    for (size_t i = 0; i < work->data->n_sample; i++) {
        if (i % 64 == 0 || work->step_hz == 0.0) {
            const double phase = 2.0 * NFSAR_PI * fmod(f[i] * delay, 1.0);
            out[i] = CMPLX(cos(phase), sin(phase));
        } else {
            out[i] = out[i - 1] * turn;
        }
    }
}

/* Amplitude in a long window, and its energy. */
static double match(const struct work *work, size_t l, nfsar_vec3 place, double bias_m,
                    double complex *steering, double complex *amplitude) {
    const struct offset_data *data = work->data;
    const size_t n_sample = data->n_sample;
    double complex sum = 0.0;
    double weight = 0.0;
    for (size_t p = work->first[l]; p < work->first[l] + work->count[l]; p++) {
        if (!work->moves[p]) {
            continue;
        }
        steer(work, offset_range(&work->sight[p], place) + bias_m, steering);
        for (size_t i = 0; i < n_sample; i++) {
            sum +=
                data->taper[i] * conj(steering[i]) * (double complex)work->echo[p * n_sample + i];
            weight += data->taper[i];
        }
    }
    *amplitude = weight > 0.0 ? sum / weight : 0.0;
    return weight > 0.0 ? (creal(sum) * creal(sum) + cimag(sum) * cimag(sum)) / weight : 0.0;
}

/* Energy at each of n places; negative: no memory. */
static bool energies(const struct work *work, const nfsar_vec3 *place, size_t n, double bias_m,
                     double *energy) {
    bool memory = true;
    memset(energy, 0, n * sizeof *energy);
#pragma omp parallel
    {
        double complex *steering = malloc(work->data->n_sample * sizeof *steering);
        if (steering == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic) collapse(2)
        for (size_t k = 0; k < n; k++) {
            for (size_t l = 0; l < work->n_long; l++) {
                double complex amplitude;
                const double e =
                    steering != NULL ? match(work, l, place[k], bias_m, steering, &amplitude) : 0.0;
#pragma omp atomic
                energy[k] += e;
            }
        }
        free(steering);
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
    const size_t n_sample = work->data->n_sample;
    double complex *steering = malloc(n_sample * sizeof *steering);
    for (size_t l = 0; steering != NULL && l < work->n_long; l++) {
        double complex amplitude;
        match(work, l, place, bias_m, steering, &amplitude);
        for (size_t p = work->first[l]; p < work->first[l] + work->count[l]; p++) {
            steer(work, offset_range(&work->sight[p], place) + bias_m, steering);
            for (size_t i = 0; work->moves[p] && i < n_sample; i++) {
                work->echo[p * n_sample + i] -= (float complex)(amplitude * steering[i]);
            }
        }
    }
    const bool done = steering != NULL;
    free(steering);
    return done;
}

static bool work_make(const struct offset_data *data, const struct offset_maps *maps,
                      const struct offset_state *state, struct moving *moving, struct work *work) {
    const size_t n_sample = data->n_sample;
    double df = 0.0;
    if (!moving_make(data, maps, state, moving)) {
        return false;
    }
    *work = (struct work){.data = data, .moves = moving->moves};
    if (nfsar_frequencies_uniform(data->capture->frequency_hz, n_sample, 1e-6, &df)) {
        work->step_hz = df;
    }
    work->echo = malloc(data->n_pulse * n_sample * sizeof *work->echo);
    work->sight = malloc(data->n_pulse * sizeof *work->sight);
    work->first = malloc(data->n_window * sizeof *work->first);
    work->count = malloc(data->n_window * sizeof *work->count);
    if (work->echo == NULL || work->sight == NULL || work->first == NULL || work->count == NULL) {
        return false;
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
        bool same = false;
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
    moving_free(&moving);
    return memory ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
