#include "host/import/survey.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"
#include "host/import/layout_fit.h"
#include "host/import/signal.h"
#include "host/import/survey_watch.h"

/* Lines (pulses x channels) that the profile is made of, at most: more change nothing. */
#define PROFILE_LINES 8192
/* Pulses that tell where the strongest echo is. */
#define PROBE_PULSES 64

/* ---- the whole recording -------------------------------------------------------------------- */

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

/* Put what the threads saw together, in the first watch. */
static void gather(nfsar_import *import, struct survey_watch *watch) {
    struct survey *survey = import->survey;
    for (size_t t = 0; t < import->n_reader; t++) {
        survey->n_profile += watch[t].n_profile;
        survey->n_clipped += watch[t].n_clipped;
        survey->n_raw += watch[t].n_raw;
        for (size_t i = 0; t > 0 && i < watch[0].transform.n_bin; i++) {
            watch[0].transform.power[i] += watch[t].transform.power[i];
        }
    }
    for (size_t i = import->capture.n_pulse; i-- > 0;) {
        if (import->capture.flags[i] & NFSAR_PULSE_SAMPLES_MISSING) {
            survey->first_missing = i;
            survey->n_missing++;
        }
    }
}

static enum nfsar_status watch_all(nfsar_import *import, struct survey_watch *watch,
                                   const struct import_task *task, nfsar_error *error) {
    for (size_t t = 0; t < import->n_reader; t++) {
        import->reader[t].watch = &watch[t];
    }
    enum nfsar_status status = import_pulses(import, task, error);
    for (size_t t = 0; t < import->n_reader; t++) {
        import->reader[t].watch = NULL;
    }
    if (status == NFSAR_OK) {
        gather(import, watch);
    }
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

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
    survey->median_db = sort_upper_median(sorted, n);
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

/* A transform for each thread, where the frequencies allow one, and what it will look for. */
static enum nfsar_status prepare(nfsar_import *import, float complex *samples,
                                 struct survey_watch *watch, nfsar_error *error) {
    struct survey *survey = import->survey;
    const struct plan *plan = &import->plan;
    size_t bin = 0;
    bool even = plan->n_sample >= 4 && plan->n_sample <= ((size_t)1 << 20) &&
                nfsar_frequencies_uniform(import->capture.frequency_hz, plan->n_sample, 0.01,
                                          &survey->step_hz) &&
                survey->step_hz != 0.0;
    enum nfsar_status status = NFSAR_OK;
    for (size_t t = 0; status == NFSAR_OK && even && t < import->n_reader; t++) {
        status = transform_make(plan->n_sample, &watch[t].transform, error);
    }
    if (status == NFSAR_OK && even) {
        if (plan->rows > 1 && plan->positions >= 8) {
            survey->echo = calloc(plan->rows * plan->positions, sizeof *survey->echo);
        }
        status = probe(import, &watch[0].transform, samples, &bin, error);
    }
    for (size_t t = 0; t < import->n_reader; t++) {
        watch[t].import = import;
        watch[t].bin = bin;
        watch[t].every = 1 + import->capture.n_pulse * import->channels.n / PROFILE_LINES;
    }
    return status;
}

static enum nfsar_status look_and_judge(nfsar_import *import, const struct import_task *task,
                                        float complex *samples, struct survey_watch *watch,
                                        nfsar_error *error) {
    struct survey *survey = import->survey;
    enum nfsar_status status = prepare(import, samples, watch, error);
    if (status == NFSAR_OK) {
        status = watch_all(import, watch, task, error);
    }
    bool even = watch[0].transform.n_bin > 0;
    if (status == NFSAR_OK && even) {
        status = finish_profile(import, &watch[0].transform, survey, error);
    }
    if (status == NFSAR_OK && even) {
        status = layout_fit(import, error);
    }
    correlate_rows(&import->plan, survey);
    return status == NFSAR_OK ? survey_judge(import, error) : status;
}

enum nfsar_status survey_make(nfsar_import *import, const struct import_task *task,
                              nfsar_error *error) {
    import->survey = calloc(1, sizeof *import->survey);
    float complex *samples = calloc(import->channels.n * import->plan.n_sample, sizeof *samples);
    struct survey_watch *watch = calloc(import->n_reader, sizeof *watch);
    enum nfsar_status status = import->survey != NULL && samples != NULL && watch != NULL
                                   ? look_and_judge(import, task, samples, watch, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; watch != NULL && t < import->n_reader; t++) {
        transform_free(&watch[t].transform);
    }
    free(watch);
    free(samples);
    if (status != NFSAR_OK) {
        survey_free(import->survey);
        import->survey = NULL;
    }
    return status;
}

enum nfsar_status nfsar_import_survey(nfsar_import *import, const nfsar_progress *progress,
                                      nfsar_error *error) {
    const struct import_task task = {.n = import->capture.n_pulse, .progress = progress};
    return import->survey == NULL ? survey_make(import, &task, error) : NFSAR_OK;
}

void survey_free(struct survey *survey) {
    if (survey != NULL) {
        free(survey->range_m);
        free(survey->power_db);
        free(survey->echo);
        free(survey);
    }
}
