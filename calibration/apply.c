#include <nfsar/calibration.h>

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "algorithms/multiversion.h"

/* Samples below which waking other threads does not pay. */
#define PARALLEL_SAMPLES ((size_t)1 << 17)

static bool is_scaled(const nfsar_calibration *c) {
    return c->channel_gain != NULL || c->channel_delay_s != NULL;
}

/* What samples are multiplied by to take gain and delay out: [n_channel][n_sample], from
 * first_sample on. NULL when out of memory. */
static float complex *make_factors(const nfsar_capture *capture, size_t first_sample,
                                   size_t n_sample) {
    const nfsar_calibration *c = &capture->calibration;
    size_t n_channel = capture->array.n_channel;
    float complex *factor = malloc(n_channel * n_sample * sizeof *factor);
    for (size_t channel = 0; factor != NULL && channel < n_channel; channel++) {
        double complex gain = c->channel_gain != NULL ? c->channel_gain[channel] : 1.0f;
        double delay = c->channel_delay_s != NULL ? c->channel_delay_s[channel] : 0.0;
        for (size_t i = 0; i < n_sample; i++) {
            double turns = fmod(capture->frequency_hz[first_sample + i] * delay, 1.0);
            double phase = 2.0 * NFSAR_PI * turns;
            factor[channel * n_sample + i] = (float complex)((cos(phase) - I * sin(phase)) / gain);
        }
    }
    return factor;
}

/* line = (line - background) * factor; either may be NULL. */
MULTIVERSION
static void correct(const float complex *background, const float complex *factor, size_t n,
                    float complex *line) {
    for (size_t i = 0; background != NULL && i < n; i++) {
        line[i] -= background[i];
    }
    for (size_t i = 0; factor != NULL && i < n; i++) {
        line[i] *= factor[i];
    }
}

/* factor[n_channel][pitch], of which the block's samples are the first n_sample of each line. */
static void apply(const nfsar_capture *capture, const float complex *factor, size_t pitch,
                  size_t n_pulse, size_t first_sample, size_t n_sample, float complex *echo) {
    const float complex *background = capture->calibration.background;
    size_t n_channel = capture->array.n_channel;
#pragma omp parallel for schedule(static) if (n_pulse * n_channel * n_sample > PARALLEL_SAMPLES)
    for (size_t p = 0; p < n_pulse; p++) {
        for (size_t c = 0; c < n_channel; c++) {
            correct(background != NULL ? background + c * capture->n_sample + first_sample : NULL,
                    factor != NULL ? factor + c * pitch : NULL, n_sample,
                    echo + (p * n_channel + c) * n_sample);
        }
    }
}

enum nfsar_status nfsar_calibration_apply(const nfsar_capture *capture, size_t n_pulse,
                                          size_t first_sample, size_t n_sample, float complex *echo,
                                          nfsar_error *error) {
    const nfsar_calibration *c = &capture->calibration;
    if ((!is_scaled(c) && c->background == NULL) || n_pulse == 0 || n_sample == 0) {
        return NFSAR_OK;
    }
    float complex *factor = NULL;
    if (is_scaled(c)) {
        factor = make_factors(capture, first_sample, n_sample);
        if (factor == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
    }
    apply(capture, factor, n_sample, n_pulse, first_sample, n_sample, echo);
    free(factor);
    return NFSAR_OK;
}

static enum nfsar_status read_calibrated(void *context, size_t first_pulse, size_t n_pulse,
                                         size_t first_sample, size_t n_sample, float complex *out,
                                         nfsar_error *error) {
    nfsar_calibrated_source *calibrated = context;
    const nfsar_capture *capture = calibrated->capture;
    enum nfsar_status status = calibrated->raw.read(calibrated->raw.context, first_pulse, n_pulse,
                                                    first_sample, n_sample, out, error);
    if (status != NFSAR_OK ||
        (!is_scaled(&capture->calibration) && capture->calibration.background == NULL)) {
        return status;
    }
    if (is_scaled(&capture->calibration) && calibrated->factor == NULL) {
        calibrated->factor = make_factors(capture, 0, capture->n_sample);
        if (calibrated->factor == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
    }
    apply(capture, calibrated->factor != NULL ? calibrated->factor + first_sample : NULL,
          capture->n_sample, n_pulse, first_sample, n_sample, out);
    return NFSAR_OK;
}

nfsar_echo_source nfsar_calibrated(nfsar_calibrated_source *calibrated) {
    return (nfsar_echo_source){.read = read_calibrated, .context = calibrated};
}

void nfsar_calibrated_free(nfsar_calibrated_source *calibrated) {
    free(calibrated->factor);
    calibrated->factor = NULL;
}
