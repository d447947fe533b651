/* In each half window the amplitudes of all reflectors, at the ranges that are predicted, are
 * fitted to the samples together, so that each phase is free of the others' side lobes. */
#include "calibration/trajectory/time_offset_look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/trajectory/time_offset_hermitian.h"
#include "calibration/trajectory/time_offset_steer.h"

struct half {
    double complex gram[REFLECTORS * REFLECTORS], match[REFLECTORS];
    double energy, samples;
};

/* line: [2 (n + 1)][n_sample], real and imaginary parts of each reflector's echo and of the pulse.
 */
static void add_pulse(const struct seen *seen, const struct offset_state *state, size_t p,
                      double *line, struct half *half) {
    const struct offset_data *data = seen->data;
    const struct sight sight = offset_sight(data, data->time_s[p], state->offset_s);
    const size_t n_sample = data->n_sample;
    double *re = line + 2 * state->n * n_sample, *im = re + n_sample;
    for (size_t i = 0; i < n_sample; i++) {
        const float complex s = data->echo[p * n_sample + i] - seen->moving.mean[i];
        re[i] = (double)crealf(s);
        im[i] = (double)cimagf(s);
        half->samples += data->taper[i];
    }
    half->energy += creal(offset_product(data, re, im, re, im));
    for (size_t k = 0; k < state->n; k++) {
        double *echo = line + 2 * k * n_sample;
        offset_steer(data, offset_range(&sight, state->place[k]) + state->bias_m, echo,
                     echo + n_sample);
        half->match[k] += offset_product(data, echo, echo + n_sample, re, im);
        for (size_t l = 0; l <= k; l++) {
            const double *other = line + 2 * l * n_sample;
            half->gram[l * state->n + k] +=
                offset_product(data, other, other + n_sample, echo, echo + n_sample);
        }
    }
}

/* Amplitudes, and how uncertain noise and all that is not modelled leave their phases. Returns the
 * energy that they explain. */
static double solve_half(struct half *half, size_t n, double complex *value, double *noise) {
    double complex match[REFLECTORS];
    double diagonal[REFLECTORS], explained = 0.0;
    memcpy(match, half->match, n * sizeof *match);
    for (size_t k = 0; k < n; k++) {
        /* Two that cannot be told apart in this window share what is there. */
        half->gram[k * n + k] += 0.02 * half->samples + 1e-300;
    }
    if (!offset_solve_hermitian(half->gram, n, match, diagonal)) {
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
        noise[k] = power > 0.0 ? sqrt(5.0 * rest * diagonal[k] / power) : INFINITY;
    }
    return explained;
}

/* Half the time that is put together about a window's middle. */
static double reach_of(const struct seen *seen) {
    return 0.25 * seen->data->window_s * (double)seen->stride;
}

/* The first pulse of it; of windows that are left out none. */
static size_t first_pulse(const struct seen *seen, size_t w) {
    const struct offset_data *data = seen->data;
    size_t low = 0, high = data->n_pulse;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (data->time_s[middle] < data->middle_s[w] - reach_of(seen)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return w % seen->stride == 0 ? low : data->n_pulse;
}

static void look_at(struct seen *seen, const struct offset_state *state, size_t w, double *line) {
    const struct offset_data *data = seen->data;
    struct half half = {.energy = 0.0};
    size_t pulses = 0;
    for (size_t p = first_pulse(seen, w); p < data->n_pulse; p++) {
        if (!(data->time_s[p] - data->middle_s[w] < reach_of(seen))) {
            break;
        }
        if (seen->moving.moves[p]) {
            add_pulse(seen, state, p, line, &half);
            pulses++;
        }
    }
    double complex *value = seen->value + w * state->n;
    double *noise = seen->noise + w * state->n;
    for (size_t k = 0; k < state->n; k++) {
        value[k] = 0.0;
        noise[k] = INFINITY;
    }
    const bool enough = pulses >= 3;
    seen->explained[w] = enough ? solve_half(&half, state->n, value, noise) : 0.0;
    seen->energy[w] = enough ? half.energy : 0.0;
}

bool seen_look(struct seen *seen, const struct offset_state *state) {
    const size_t n_sample = seen->data->n_sample;
    bool memory = true;
#pragma omp parallel
    {
        double *line = malloc(2 * (state->n + 1) * n_sample * sizeof *line);
        if (line == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic)
        for (size_t w = 0; w < seen->data->n_window; w++) {
            if (line != NULL) {
                look_at(seen, state, w, line);
            }
        }
        free(line);
    }
    return memory;
}

double seen_explained(const struct seen *seen) {
    double energy = 0.0, explained = 0.0;
    for (size_t w = 0; w < seen->data->n_window; w++) {
        energy += seen->energy[w];
        explained += seen->explained[w];
    }
    return energy > 0.0 ? explained / energy : 0.0;
}

bool seen_choose_stride(struct seen *seen, const struct offset_state *state) {
    for (seen->stride = 1;; seen->stride *= 2) {
        size_t sure = 0, all = 0;
        if (!seen_look(seen, state)) {
            return false;
        }
        for (size_t i = 0; i < seen->data->n_window * state->n; i++) {
            sure += seen->noise[i] < 0.5 * SURE;
            all += isfinite(seen->noise[i]);
        }
        if (2 * sure > all || seen->stride == 8) {
            return true;
        }
    }
}

bool seen_make(const struct offset_data *data, const struct offset_maps *maps,
               const struct offset_state *state, struct seen *seen) {
    const size_t n = data->n_window * (state->n > 0 ? state->n : 1);
    *seen = (struct seen){.data = data, .stride = 1};
    seen->value = malloc(n * sizeof *seen->value);
    seen->noise = malloc(n * sizeof *seen->noise);
    seen->energy = calloc(data->n_window, sizeof *seen->energy);
    seen->explained = calloc(data->n_window, sizeof *seen->explained);
    return seen->value != NULL && seen->noise != NULL && seen->energy != NULL &&
           seen->explained != NULL && moving_make(data, maps, state, &seen->moving);
}

void seen_free(struct seen *seen) {
    free(seen->value);
    free(seen->noise);
    free(seen->energy);
    free(seen->explained);
    moving_free(&seen->moving);
    memset(seen, 0, sizeof *seen);
}
