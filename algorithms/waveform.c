#include <nfsar/waveform.h>

#include <math.h>

#include <nfsar/geometry.h>

static enum nfsar_status check(const double *frequency_hz, size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(frequency_hz[i]) || frequency_hz[i] <= 0.0) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "the waveform gives sample %zu a frequency of %g Hz; frequencies "
                              "must be positive",
                              i, frequency_hz[i]);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_fmcw_frequencies(const nfsar_fmcw *fmcw, double *frequency_hz, size_t n,
                                         nfsar_error *error) {
    if (!(fmcw->sample_rate_hz > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "sample rate %g Hz: must be positive",
                          fmcw->sample_rate_hz);
    }
    for (size_t i = 0; i < n; i++) {
        double time = fmcw->adc_start_s + (double)i / fmcw->sample_rate_hz;
        frequency_hz[i] = fmcw->start_frequency_hz + fmcw->slope_hz_per_s * time;
    }
    return check(frequency_hz, n, error);
}

enum nfsar_status nfsar_stepped_frequencies(double first_hz, double step_hz, double *frequency_hz,
                                            size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        frequency_hz[i] = first_hz + (double)i * step_hz;
    }
    return check(frequency_hz, n, error);
}

bool nfsar_frequencies_uniform(const double *frequency_hz, size_t n, double tolerance,
                               double *step_hz) {
    double step = n > 1 ? (frequency_hz[n - 1] - frequency_hz[0]) / (double)(n - 1) : 0.0;
    if (step_hz != NULL) {
        *step_hz = step;
    }
    for (size_t i = 1; i + 1 < n; i++) {
        double expected = frequency_hz[0] + (double)i * step;
        if (fabs(frequency_hz[i] - expected) > tolerance * fabs(step)) {
            return false;
        }
    }
    return true;
}

void nfsar_wavenumbers(const double *frequency_hz, size_t n, double *wavenumber) {
    for (size_t i = 0; i < n; i++) {
        wavenumber[i] = 2.0 * NFSAR_PI * frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
    }
}
