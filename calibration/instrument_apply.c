/* Delay, slope, start and residual video phase put into a capture (docs/theory/range.md). */
#include <nfsar/instrument.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

/* Nearer to the chirp's own frequencies is rounding, and farther another chirp. */
#define LEAST_VIDEO_DELAY_S 1e-11
#define MOST_VIDEO_DELAY_S  1e-6

double nfsar_instrument_video_delay(const nfsar_capture *capture) {
    const nfsar_fmcw *chirp = &capture->fmcw;
    if (!capture->has_fmcw || chirp->slope_hz_per_s == 0.0 || capture->n_sample == 0) {
        return 0.0;
    }
    double first = chirp->start_frequency_hz + chirp->slope_hz_per_s * chirp->adc_start_s;
    double delay = (first - capture->frequency_hz[0]) / chirp->slope_hz_per_s;
    return delay > LEAST_VIDEO_DELAY_S && delay < MOST_VIDEO_DELAY_S ? delay : 0.0;
}

/* true frequency = scale * the capture's + shift */
struct straight {
    double scale, shift;
};

static struct straight find_change(const nfsar_instrument *found, const nfsar_capture *capture) {
    const double scale = found->scale_told ? found->scale : 1.0;
    const double slope = capture->has_fmcw ? scale * capture->fmcw.slope_hz_per_s : 0.0;
    struct straight s = {scale, 0.0};
    if (found->shift_told) {
        s.shift = (1.0 - scale) * found->centre_hz + found->shift_hz;
    } else if (found->scale_told) {
        /* The start is a synthesizer's, and the slope turns about it. */
        double start =
            capture->has_fmcw ? capture->fmcw.start_frequency_hz : capture->frequency_hz[0];
        s.shift = (1.0 - scale) * start;
    }
    s.shift -= slope * (found->video_delay_s - found->video_had_s);
    return s;
}

/* gain exp(+j 2 pi f delay) stays what it is with other names for the frequencies. */
static void restate_channels(struct straight change, nfsar_calibration *c, size_t n_channel) {
    for (size_t i = 0; i < n_channel; i++) {
        double delay = c->channel_delay_s[i] / change.scale;
        double complex turn = cexp(-2.0 * NFSAR_PI * I * fmod(change.shift * delay, 1.0));
        c->channel_gain[i] = (float complex)(c->channel_gain[i] * turn);
        c->channel_delay_s[i] = delay;
    }
}

enum nfsar_status nfsar_instrument_apply(const nfsar_instrument *found, nfsar_capture *capture,
                                         nfsar_error *error) {
    nfsar_calibration *c = &capture->calibration;
    const size_t n_channel = capture->array.n_channel;
    const struct straight change = find_change(found, capture);
    const bool moves = change.scale != 1.0 || change.shift != 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        double f = change.scale * capture->frequency_hz[i] + change.shift;
        if (!(f > 0.0) || !isfinite(f)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "sample %zu would be of %g Hz: these are not the ranges of two "
                              "reflectors",
                              i, f);
        }
    }
    if (moves && c->channel_delay_s != NULL && c->channel_gain == NULL) {
        c->channel_gain = malloc(n_channel * sizeof *c->channel_gain);
        for (size_t i = 0; c->channel_gain != NULL && i < n_channel; i++) {
            c->channel_gain[i] = 1.0f;
        }
        if (c->channel_gain == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
    }
    if (moves && c->channel_delay_s != NULL) {
        restate_channels(change, c, n_channel);
    }
    if (c->channel_delay_s == NULL) {
        c->channel_delay_s = calloc(n_channel, sizeof *c->channel_delay_s);
        if (c->channel_delay_s == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
    }
    for (size_t i = 0; i < n_channel; i++) {
        c->channel_delay_s[i] += found->delay_s;
    }
    for (size_t i = 0; moves && i < capture->n_sample; i++) {
        capture->frequency_hz[i] = change.scale * capture->frequency_hz[i] + change.shift;
    }
    if (capture->has_fmcw && (found->shift_told || found->scale_told)) {
        nfsar_fmcw *chirp = &capture->fmcw;
        chirp->slope_hz_per_s *= change.scale;
        chirp->adc_start_s =
            found->video_delay_s +
            (capture->frequency_hz[0] - chirp->start_frequency_hz) / chirp->slope_hz_per_s;
    }
    return NFSAR_OK;
}
