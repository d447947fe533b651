#include "host/import/waveform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/transform.h"

/* Longer lines are no waveforms. */
#define LIMIT ((size_t)1 << 24)

/* Zeros are added until range zero to the last sample fits twice: nothing comes round, and ranges
 * of the first half are those that other radars show. */
enum nfsar_status waveform_size(const struct rig_pulsed *pulsed, size_t n_wave,
                                struct waveform *waveform, nfsar_error *error) {
    const double step = *pulsed->step_m;
    const double end = *pulsed->first_range_m + step * (double)n_wave;
    const double wanted = 2.0 * end / step;
    memset(waveform, 0, sizeof *waveform);
    if (n_wave < 2 || !(wanted < (double)LIMIT)) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "radar.pulsed: %zu samples every %g m from %g m are no waveform: are they "
            "given in metres?",
            n_wave, step, *pulsed->first_range_m);
    }
    const double rate_hz = NFSAR_SPEED_OF_LIGHT / (2.0 * step);
    waveform->n_wave = n_wave;
    waveform->n_padded = transform_length((size_t)ceil(wanted));
    waveform->step_hz = rate_hz / (double)waveform->n_padded;
    if (!(*pulsed->high_hz < 0.5 * rate_hz)) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "radar.pulsed.high_hz: %g Hz, but samples every %g m hold less than %g Hz",
            *pulsed->high_hz, step, 0.5 * rate_hz);
    }
    waveform->first_bin = (size_t)ceil(*pulsed->low_hz / waveform->step_hz);
    const size_t last = (size_t)floor(*pulsed->high_hz / waveform->step_hz);
    if (waveform->first_bin < 1 || last < waveform->first_bin + 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.pulsed: from %g to %g Hz there are fewer than two lines of the "
                          "spectrum, %g Hz apart",
                          *pulsed->low_hz, *pulsed->high_hz, waveform->step_hz);
    }
    waveform->n_bin = last - waveform->first_bin + 1;
    return NFSAR_OK;
}

enum nfsar_status waveform_open(const struct rig_pulsed *pulsed, struct waveform *waveform,
                                nfsar_error *error) {
    const size_t n = waveform->n_padded;
    waveform->turn = malloc(waveform->n_bin * sizeof *waveform->turn);
    waveform->line = fftwf_alloc_real(n);
    waveform->spectrum = fftwf_alloc_complex(n / 2 + 1);
    if (waveform->turn != NULL && waveform->line != NULL && waveform->spectrum != NULL) {
        waveform->plan =
            fftwf_plan_dft_r2c_1d((int)n, waveform->line, waveform->spectrum, FFTW_ESTIMATE);
    }
    if (waveform->plan == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < waveform->n_bin; i++) {
        const double frequency = waveform->step_hz * (double)(waveform->first_bin + i);
        const double cycles = 2.0 * frequency * *pulsed->first_range_m / NFSAR_SPEED_OF_LIGHT;
        const double phase = 2.0 * NFSAR_PI * (cycles - floor(cycles));
        /* Twice, as the analytic signal has the power of both halves of the spectrum in one. */
        waveform->turn[i] = CMPLXF((float)(2.0 * cos(phase)), (float)(2.0 * sin(phase)));
    }
    return NFSAR_OK;
}

void waveform_close(struct waveform *waveform) {
    if (waveform->plan != NULL) {
        transform_destroy(waveform->plan);
    }
    fftwf_free(waveform->line);
    fftwf_free(waveform->spectrum);
    free(waveform->turn);
    memset(waveform, 0, sizeof *waveform);
}

void waveform_transform(struct waveform *waveform, const float complex *from, float complex *to) {
    for (size_t i = 0; i < waveform->n_wave; i++) {
        waveform->line[i] = crealf(from[i]);
    }
    memset(waveform->line + waveform->n_wave, 0,
           (waveform->n_padded - waveform->n_wave) * sizeof *waveform->line);
    fftwf_execute(waveform->plan);
    /* An echo from R is a pulse later by 2R/c, whose transform is exp(-j2kR) times the pulse's: the
     * conjugate has the sign that is wanted. */
    for (size_t i = 0; i < waveform->n_bin; i++) {
        to[i] = conjf(waveform->spectrum[waveform->first_bin + i]) * waveform->turn[i];
    }
}
