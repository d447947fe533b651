#include "host/import/survey.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/layout_fit.h"
#include "host/import/signal.h"
#include "host/import/transform.h"

/* Samples in a row that are exactly zero. A receiver's noise makes this impossible; lost packets
 * are filled with 364 or so. */
#define ZERO_STRETCH 16

/* Lines (pulses x channels) that the profile is made of, at most: more change nothing. */
#define PROFILE_LINES 32768
/* Pulses that tell where the strongest echo is. */
#define PROBE_PULSES 64

/* ---- the whole recording, pulse by pulse ------------------------------------------------------
 */

/* Clipping and zeros are looked for in what the converter gave, before looks are averaged. */
static void look_seen(nfsar_import *import) {
    struct survey *survey = import->survey;
    size_t n_sample = import->plan.n_sample;
    for (size_t c = 0; c < import->channels.n; c++) {
        const float complex *line = import->look + import->channels.line[c] * n_sample;
        size_t zeros = 0;
        for (size_t n = 0; n < n_sample; n++) {
            float re = crealf(line[n]), im = cimagf(line[n]);
            survey->n_clipped += fabsf(re) >= 32767.0f || fabsf(im) >= 32767.0f;
            zeros = re == 0.0f && im == 0.0f ? zeros + 1 : 0;
            survey->look_has_zeros |= zeros >= ZERO_STRETCH;
        }
    }
    survey->n_raw += import->channels.n * n_sample;
}

static void note_missing(nfsar_import *import, size_t pulse) {
    struct survey *survey = import->survey;
    if (survey->look_has_zeros) {
        survey->first_missing = survey->n_missing == 0 ? pulse : survey->first_missing;
        survey->n_missing++;
        import->capture.flags[pulse] |= NFSAR_PULSE_SAMPLES_MISSING;
    }
    survey->look_has_zeros = false;
}

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

static size_t strongest_bin(const struct transform *transform) {
    size_t best = 0;
    for (size_t i = 1; i < transform->n_bin; i++) {
        best = transform->power[i] > transform->power[best] ? i : best;
    }
    return best;
}

/* Find the strongest range from a few pulses spread over the scan. */
static enum nfsar_status probe(nfsar_import *import, struct transform *transform,
                               float complex *samples, size_t *bin, nfsar_error *error) {
    size_t total = import->capture.n_pulse;
    size_t n = total < PROBE_PULSES ? total : PROBE_PULSES;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        size_t pulse = (size_t)((double)i / (double)n * (double)total);
        status = nfsar_import_read(import, pulse, 1, samples, error);
        if (status == NFSAR_OK) {
            transform_add(transform, samples);
        }
    }
    *bin = strongest_bin(transform);
    memset(transform->power, 0, transform->n_bin * sizeof *transform->power);
    return status;
}

static void survey_pulse(nfsar_import *import, struct transform *transform, size_t bin,
                         size_t every, size_t pulse, const float complex *samples) {
    struct survey *survey = import->survey;
    struct plan_place place = plan_place(&import->plan, pulse);
    if (survey->echo != NULL && place.look == 0) {
        survey->echo[place.row * import->plan.positions + place.position] =
            echo_at(transform, bin, samples);
    }
    if (pulse % every == 0) {
        for (size_t c = 0; c < import->channels.n; c++) {
            transform_add(transform, samples + c * import->plan.n_sample);
        }
        survey->n_profile++;
    }
}

static enum nfsar_status read_all(nfsar_import *import, struct transform *transform, size_t bin,
                                  float complex *samples, const nfsar_progress *progress,
                                  nfsar_error *error) {
    size_t total = import->capture.n_pulse;
    size_t every = 1 + total * import->channels.n / PROFILE_LINES;
    enum nfsar_status status = NFSAR_OK;
    import->look_seen = look_seen;
    for (size_t i = 0; status == NFSAR_OK && i < total; i++) {
        status = nfsar_import_read(import, i, 1, samples, error);
        if (status == NFSAR_OK) {
            note_missing(import, i);
            if (transform->n_bin > 0) {
                survey_pulse(import, transform, bin, every, i, samples);
            }
        }
        if (status == NFSAR_OK && i % 256 == 0 &&
            !nfsar_progress_report(progress, (double)i / (double)total)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "import was cancelled");
        }
    }
    import->look_seen = NULL;
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Put the bins in the order of range and the power in dB below the strongest. A chirp's bins are
 * split in two halves around zero; stepped frequencies see only what is in front. */
static enum nfsar_status finish_profile(const nfsar_import *import,
                                        const struct transform *transform, struct survey *survey,
                                        nfsar_error *error) {
    size_t n = transform->n_bin;
    survey->range_m = calloc(n, sizeof *survey->range_m);
    survey->power_db = calloc(n, sizeof *survey->power_db);
    double *sorted = calloc(n, sizeof *sorted);
    if (survey->range_m == NULL || survey->power_db == NULL || sorted == NULL) {
        free(sorted);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    double strongest = transform->power[strongest_bin(transform)];
    double delay = signal_delay(import->rig);
    survey->two_sided = import->capture.has_fmcw;
    survey->zero = survey->two_sided ? n / 2 : 0;
    int sign = survey->step_hz > 0.0 ? 1 : -1;
    for (size_t i = 0; i < n; i++) {
        /* s ~ exp(+j 2 pi f tau): bin q of n stands for tau = q / (n step). */
        ptrdiff_t q = (ptrdiff_t)i - (ptrdiff_t)survey->zero;
        double tau = (double)q / ((double)n * fabs(survey->step_hz));
        size_t bin = (size_t)((sign * q + 2 * (ptrdiff_t)n) % (ptrdiff_t)n);
        double relative = strongest > 0.0 ? transform->power[bin] / strongest : 0.0;
        survey->range_m[i] = 0.5 * NFSAR_SPEED_OF_LIGHT * (tau - delay);
        survey->power_db[i] = fmax(10.0 * log10(fmax(relative, 1e-20)), -200.0);
    }
    memcpy(sorted, survey->power_db, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    survey->median_db = sorted[n / 2];
    free(sorted);
    survey->n_bin = strongest > 0.0 ? n : 0;
    return NFSAR_OK;
}

/* |<a, b>| / (|a| |b|) of two rows less their means, b read in either direction. */
static double correlation(const float complex *a, const float complex *b, size_t n, bool reversed) {
    double complex mean_a = 0.0, mean_b = 0.0, product = 0.0;
    double power_a = 0.0, power_b = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean_a += (double complex)a[i] / (double)n;
        mean_b += (double complex)b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double complex x = (double complex)a[i] - mean_a;
        double complex y = (double complex)b[reversed ? n - 1 - i : i] - mean_b;
        product += x * conj(y);
        power_a += creal(x * conj(x));
        power_b += creal(y * conj(y));
    }
    return power_a > 0.0 && power_b > 0.0 ? cabs(product) / sqrt(power_a * power_b) : 0.0;
}

static void correlate_rows(const struct plan *plan, struct survey *survey) {
    survey->row_same = survey->row_reversed = NAN;
    if (survey->echo == NULL || plan->rows < 2) {
        return;
    }
    double same = 0.0, reversed = 0.0;
    for (size_t row = 0; row + 1 < plan->rows; row++) {
        const float complex *a = survey->echo + row * plan->positions;
        same += correlation(a, a + plan->positions, plan->positions, false);
        reversed += correlation(a, a + plan->positions, plan->positions, true);
    }
    survey->row_same = same / (double)(plan->rows - 1);
    survey->row_reversed = reversed / (double)(plan->rows - 1);
}

static enum nfsar_status make_survey(nfsar_import *import, float complex *samples,
                                     const nfsar_progress *progress, nfsar_error *error) {
    struct survey *survey = import->survey;
    const struct plan *plan = &import->plan;
    struct transform transform = {0};
    size_t bin = 0;
    bool even = plan->n_sample >= 4 && plan->n_sample <= ((size_t)1 << 20) &&
                nfsar_frequencies_uniform(import->capture.frequency_hz, plan->n_sample, 0.01,
                                          &survey->step_hz) &&
                survey->step_hz != 0.0;
    enum nfsar_status status = NFSAR_OK;
    if (even) {
        status = transform_make(plan->n_sample, &transform, error);
        if (status == NFSAR_OK && plan->rows > 1 && plan->positions >= 8) {
            survey->echo = calloc(plan->rows * plan->positions, sizeof *survey->echo);
        }
        if (status == NFSAR_OK) {
            status = probe(import, &transform, samples, &bin, error);
        }
    }
    if (status == NFSAR_OK) {
        status = read_all(import, &transform, bin, samples, progress, error);
    }
    if (status == NFSAR_OK && even) {
        status = finish_profile(import, &transform, survey, error);
    }
    if (status == NFSAR_OK && even) {
        status = layout_fit(import, samples, error);
    }
    correlate_rows(plan, survey);
    transform_free(&transform);
    return status == NFSAR_OK ? survey_judge(import, error) : status;
}

enum nfsar_status nfsar_import_survey(nfsar_import *import, const nfsar_progress *progress,
                                      nfsar_error *error) {
    if (import->survey != NULL) {
        return NFSAR_OK;
    }
    import->survey = calloc(1, sizeof *import->survey);
    float complex *samples = calloc(import->channels.n * import->plan.n_sample, sizeof *samples);
    enum nfsar_status status = import->survey != NULL && samples != NULL
                                   ? make_survey(import, samples, progress, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    free(samples);
    if (status != NFSAR_OK) {
        survey_free(import->survey);
        import->survey = NULL;
    }
    return status;
}

void survey_free(struct survey *survey) {
    if (survey != NULL) {
        free(survey->range_m);
        free(survey->power_db);
        free(survey->echo);
        free(survey);
    }
}
