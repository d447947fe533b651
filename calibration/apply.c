#include <nfsar/calibration.h>

#include <math.h>

#include <nfsar/geometry.h>

/* The channel's own gain and delay, taken out of n_sample samples. */
static void correct_line(const nfsar_capture *capture, size_t channel, size_t first_sample,
                         size_t n_sample, float complex *line) {
    const nfsar_calibration *c = &capture->calibration;
    if (c->background != NULL) {
        const float complex *background = c->background + channel * capture->n_sample;
        for (size_t i = 0; i < n_sample; i++) {
            line[i] -= background[first_sample + i];
        }
    }
    double complex factor = 1.0;
    if (c->channel_gain != NULL) {
        factor = 1.0 / (double complex)c->channel_gain[channel];
    }
    double delay = c->channel_delay_s != NULL ? c->channel_delay_s[channel] : 0.0;
    if (delay == 0.0 && factor == 1.0) {
        return;
    }
    for (size_t i = 0; i < n_sample; i++) {
        double phase = 2.0 * NFSAR_PI * fmod(capture->frequency_hz[first_sample + i] * delay, 1.0);
        line[i] *= (float complex)(factor * (cos(phase) - I * sin(phase)));
    }
}

void nfsar_calibration_apply(const nfsar_capture *capture, size_t n_pulse, size_t first_sample,
                             size_t n_sample, float complex *echo) {
    const nfsar_calibration *c = &capture->calibration;
    if (c->background == NULL && c->channel_gain == NULL && c->channel_delay_s == NULL) {
        return;
    }
    size_t n_channel = capture->array.n_channel;
    for (size_t line = 0; line < n_pulse * n_channel; line++) {
        correct_line(capture, line % n_channel, first_sample, n_sample, echo + line * n_sample);
    }
}

static enum nfsar_status read_calibrated(void *context, size_t first_pulse, size_t n_pulse,
                                         size_t first_sample, size_t n_sample, float complex *out,
                                         nfsar_error *error) {
    const nfsar_calibrated_source *calibrated = context;
    enum nfsar_status status = calibrated->raw.read(calibrated->raw.context, first_pulse, n_pulse,
                                                    first_sample, n_sample, out, error);
    if (status == NFSAR_OK) {
        nfsar_calibration_apply(calibrated->capture, n_pulse, first_sample, n_sample, out);
    }
    return status;
}

nfsar_echo_source nfsar_calibrated(nfsar_calibrated_source *calibrated) {
    return (nfsar_echo_source){.read = read_calibrated, .context = calibrated};
}
