#include "host/import/survey_watch.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "host/import/survey.h"

/* Samples in a row that are exactly zero. A receiver's noise makes this impossible; lost packets
 * are filled with 364 or so. */
#define ZERO_STRETCH 16
/* Any such stretch has one of these whole, where they follow each other from the line's start. */
#define ZERO_PART (ZERO_STRETCH / 2)

/* ---- looks ---------------------------------------------------------------------------------- */

MULTIVERSION
static size_t count_clipped(const float complex *line, size_t n) {
    const float *part = (const float *)line;
    uint32_t clipped = 0;
    for (size_t i = 0; i < n; i++) {
        clipped += (fabsf(part[2 * i]) >= 32767.0f) | (fabsf(part[2 * i + 1]) >= 32767.0f);
    }
    return clipped;
}

/* Quick, and true where there might be a stretch of zeros. */
MULTIVERSION
static bool may_have_zeros(const float complex *line, size_t n) {
    uint32_t empty = 0;
    for (size_t i = 0; i + ZERO_PART <= n; i += ZERO_PART) {
        uint32_t bits[2 * ZERO_PART], any = 0;
        memcpy(bits, line + i, sizeof bits);
        for (size_t k = 0; k < 2 * ZERO_PART; k++) {
            any |= bits[k] << 1; /* but the sign */
        }
        empty |= any == 0;
    }
    return empty != 0;
}

static bool has_zeros(const float complex *line, size_t n) {
    size_t zeros = 0;
    for (size_t i = 0; i < n; i++) {
        zeros = crealf(line[i]) == 0.0f && cimagf(line[i]) == 0.0f ? zeros + 1 : 0;
        if (zeros >= ZERO_STRETCH) {
            return true;
        }
    }
    return false;
}

void survey_watch_look(struct survey_watch *watch, const struct channels *channels, size_t n_sample,
                       const float complex *look) {
    for (size_t c = 0; c < channels->n; c++) {
        const float complex *line = look + channels->line[c] * n_sample;
        watch->n_clipped += count_clipped(line, n_sample);
        watch->look_has_zeros =
            watch->look_has_zeros || (may_have_zeros(line, n_sample) && has_zeros(line, n_sample));
    }
    watch->n_raw += channels->n * n_sample;
}

/* ---- pulses --------------------------------------------------------------------------------- */

/* The sum that shows how a row goes on: the strongest range of the first channel. */
static float complex echo_at(const struct transform *transform, size_t bin,
                             const float complex *samples) {
    double complex sum = 0.0, phasor = 1.0;
    double step = -2.0 * NFSAR_PI * (double)bin / (double)transform->n_bin;
    double complex turn = cos(step) + I * sin(step);
    for (size_t i = 0; i < transform->n_sample; i++) {
        sum += (double complex)(samples[i] * transform->taper[i]) * phasor;
        phasor *= turn;
    }
    return (float complex)sum;
}

void survey_watch_pulse(struct survey_watch *watch, size_t pulse, const float complex *samples) {
    nfsar_import *import = watch->import;
    struct survey *survey = import->survey;
    if (watch->look_has_zeros) {
        import->capture.flags[pulse] |= NFSAR_PULSE_SAMPLES_MISSING;
        watch->look_has_zeros = false;
    }
    if (watch->transform.n_bin == 0) {
        return;
    }
    struct plan_place place = plan_place(&import->plan, pulse);
    if (survey->echo != NULL && place.look == 0) {
        survey->echo[place.row * import->plan.positions + place.position] =
            echo_at(&watch->transform, watch->bin, samples);
    }
    if (pulse % watch->every == 0) {
        for (size_t c = 0; c < import->channels.n; c++) {
            transform_add(&watch->transform, samples + c * import->plan.n_sample);
        }
        watch->n_profile++;
    }
}
