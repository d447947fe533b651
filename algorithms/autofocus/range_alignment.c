/* Delays of the envelopes: each pulse's range profile round a scatterer is shifted to where it is
 * most like the mean of all, and the mean made anew (after Wang and Kasilingam, "Global range
 * alignment for ISAR", IEEE Transactions on Aerospace and Electronic Systems 39, 2003). */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include <nfsar/metrics.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"

/* Steps of the profile in a range cell, passes over all pulses, and the widest search in cells. */
enum { STEPS = 4, PASSES = 4, MOST_CELLS = 64 };

/* A pulse that is less like the mean than this takes the delay of its neighbours. */
#define LIKE 0.5

struct alignment {
    size_t n_pulse, width; /* of a profile */
    ptrdiff_t most;        /* shift, in steps */
    float *profile;        /* [n_pulse][width] */
    double *shift;         /* [n_pulse] steps that the pulse's profile lies too far */
    double *mean;          /* [width] */
};

/* Value of a pulse's profile at a place between its steps, 0 outside. */
static double value_at(const float *profile, size_t width, double at) {
    if (!(at >= 0.0) || at > (double)(width - 1)) {
        return 0.0;
    }
    const size_t i = at < (double)(width - 1) ? (size_t)at : width - 2;
    const double part = at - (double)i;
    return (1.0 - part) * (double)profile[i] + part * (double)profile[i + 1];
}

/* The mean of the profiles, each of unit energy, as they are shifted; its sharpness. */
static double make_mean(struct alignment *a) {
    double sum = 0.0, squares = 0.0;
    for (size_t j = 0; j < a->width; j++) {
        a->mean[j] = 0.0;
    }
    for (size_t l = 0; l < a->n_pulse; l++) {
        for (size_t j = 0; j < a->width; j++) {
            a->mean[j] += value_at(a->profile + l * a->width, a->width, (double)j + a->shift[l]);
        }
    }
    for (size_t j = 0; j < a->width; j++) {
        const double power = a->mean[j] * a->mean[j];
        sum += power;
        squares += power * power;
    }
    return sum > 0.0 ? squares / (sum * sum) : 0.0;
}

static double likeness(const struct alignment *a, const float *profile, ptrdiff_t shift) {
    double product = 0.0, energy = 0.0;
    for (size_t j = 0; j < a->width; j++) {
        const double v = value_at(profile, a->width, (double)j + (double)shift);
        product += v * a->mean[j];
        energy += a->mean[j] * a->mean[j];
    }
    return energy > 0.0 ? product / sqrt(energy) : 0.0;
}

/* The shift of a pulse that makes it most like the mean; NaN where it is not like it. */
static double best_shift(const struct alignment *a, const float *profile) {
    ptrdiff_t best = 0;
    double most = -1.0;
    for (ptrdiff_t s = -a->most; s <= a->most; s++) {
        const double like = likeness(a, profile, s);
        if (like > most) {
            most = like;
            best = s;
        }
    }
    if (most < LIKE) {
        return NAN;
    }
    if (best == -a->most || best == a->most) {
        return (double)best;
    }
    return (double)best + nfsar_parabola_peak(likeness(a, profile, best - 1), most,
                                              likeness(a, profile, best + 1));
}

/* Straight lines over the pulses without a shift. */
static void fill_gaps(double *shift, size_t n) {
    size_t last = n;
    for (size_t i = 0; i < n; i++) {
        if (isnan(shift[i])) {
            continue;
        }
        for (size_t j = last == n ? 0 : last + 1; j < i; j++) {
            const double part = last == n ? 1.0 : (double)(j - last) / (double)(i - last);
            shift[j] = last == n ? shift[i] : shift[last] + part * (shift[i] - shift[last]);
        }
        last = i;
    }
    for (size_t j = last == n ? 0 : last + 1; j < n; j++) {
        shift[j] = last == n ? 0.0 : shift[last];
    }
}

static void normalise(struct alignment *a) {
    for (size_t l = 0; l < a->n_pulse; l++) {
        float *profile = a->profile + l * a->width;
        double energy = 0.0;
        for (size_t j = 0; j < a->width; j++) {
            energy += (double)profile[j] * (double)profile[j];
        }
        const float scale = energy > 0.0 ? (float)(1.0 / sqrt(energy)) : 0.0f;
        for (size_t j = 0; j < a->width; j++) {
            profile[j] *= scale;
        }
    }
}

/* Shifts less their mean, which is no error of single pulses; their rms. */
static double centre(double *shift, size_t n) {
    double mean = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += shift[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        shift[i] -= mean;
        squares += shift[i] * shift[i];
    }
    return sqrt(squares / (double)n);
}

static bool align(struct alignment *a, int threads) {
    normalise(a);
    const double before = make_mean(a);
    double sharp = before;
    for (int pass = 0; pass < PASSES; pass++) {
#pragma omp parallel for num_threads(threads > 0 ? threads : omp_get_max_threads())
        for (size_t l = 0; l < a->n_pulse; l++) {
            a->shift[l] = best_shift(a, a->profile + l * a->width);
        }
        fill_gaps(a->shift, a->n_pulse);
        centre(a->shift, a->n_pulse);
        sharp = make_mean(a);
    }
    return centre(a->shift, a->n_pulse) > 0.25 * STEPS && sharp > 1.1 * before;
}

enum nfsar_status range_alignment(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  nfsar_vec3 point, double search_m, int threads, double *range_m,
                                  bool *found, nfsar_error *error) {
    const double cell = nfsar_range_resolution(capture);
    const double cells = fmin(search_m / cell, MOST_CELLS);
    *found = false;
    for (size_t l = 0; l < capture->n_pulse; l++) {
        range_m[l] = 0.0;
    }
    if (!(cells >= 0.5)) {
        return NFSAR_OK;
    }
    struct alignment a = {.n_pulse = capture->n_pulse, .most = (ptrdiff_t)ceil(cells * STEPS)};
    const size_t half = (size_t)a.most + 3 * STEPS;
    a.width = 2 * half + 1;
    a.profile = buffer_alloc(a.n_pulse * a.width, sizeof *a.profile);
    a.mean = buffer_alloc(a.width, sizeof *a.mean);
    a.shift = range_m;
    enum nfsar_status status =
        a.profile != NULL && a.mean != NULL
            ? phase_history_profiles(capture, source, point, cell / STEPS, half, threads, a.profile,
                                     error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu profiles", a.n_pulse);
    if (status == NFSAR_OK) {
        *found = align(&a, threads);
        for (size_t l = 0; l < a.n_pulse; l++) {
            range_m[l] *= *found ? cell / STEPS : 0.0;
        }
    }
    free(a.profile);
    free(a.mean);
    return status;
}
