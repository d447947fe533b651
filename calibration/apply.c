#include <nfsar/calibration.h>

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

/* What one channel's samples are multiplied by to take its gain and delay out. */
static void correction(const nfsar_capture *capture, size_t channel, size_t first_sample,
                       size_t n_sample, float complex *factor) {
    const nfsar_calibration *c = &capture->calibration;
    double complex gain = c->channel_gain != NULL ? c->channel_gain[channel] : 1.0f;
    double delay = c->channel_delay_s != NULL ? c->channel_delay_s[channel] : 0.0;
    for (size_t i = 0; i < n_sample; i++) {
        double phase = 2.0 * NFSAR_PI * fmod(capture->frequency_hz[first_sample + i] * delay, 1.0);
        factor[i] = (float complex)((cos(phase) - I * sin(phase)) / gain);
    }
}

enum nfsar_status nfsar_calibration_apply(const nfsar_capture *capture, size_t n_pulse,
                                          size_t first_sample, size_t n_sample, float complex *echo,
                                          nfsar_error *error) {
    const nfsar_calibration *c = &capture->calibration;
    bool scaled = c->channel_gain != NULL || c->channel_delay_s != NULL;
    size_t n_channel = capture->array.n_channel;
    if (!scaled && c->background == NULL) {
        return NFSAR_OK;
    }
    float complex *factor = scaled ? malloc(n_sample * sizeof *factor) : NULL;
    if (scaled && factor == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t channel = 0; channel < n_channel; channel++) {
        const float complex *background =
            c->background != NULL ? c->background + channel * capture->n_sample + first_sample
                                  : NULL;
        if (scaled) {
            correction(capture, channel, first_sample, n_sample, factor);
        }
        for (size_t p = 0; p < n_pulse; p++) {
            float complex *line = echo + (p * n_channel + channel) * n_sample;
            for (size_t i = 0; background != NULL && i < n_sample; i++) {
                line[i] -= background[i];
            }
            for (size_t i = 0; scaled && i < n_sample; i++) {
                line[i] *= factor[i];
            }
        }
    }
    free(factor);
    return NFSAR_OK;
}

static enum nfsar_status read_calibrated(void *context, size_t first_pulse, size_t n_pulse,
                                         size_t first_sample, size_t n_sample, float complex *out,
                                         nfsar_error *error) {
    const nfsar_calibrated_source *calibrated = context;
    enum nfsar_status status = calibrated->raw.read(calibrated->raw.context, first_pulse, n_pulse,
                                                    first_sample, n_sample, out, error);
    if (status == NFSAR_OK) {
        status = nfsar_calibration_apply(calibrated->capture, n_pulse, first_sample, n_sample, out,
                                         error);
    }
    return status;
}

nfsar_echo_source nfsar_calibrated(nfsar_calibrated_source *calibrated) {
    return (nfsar_echo_source){.read = read_calibrated, .context = calibrated};
}
