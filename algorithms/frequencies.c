#include "algorithms/frequencies.h"

#include <math.h>
#include <stdlib.h>

void frequencies_range(const double *value, size_t n, double *low, double *high) {
    *low = *high = value[0];
    for (size_t i = 1; i < n; i++) {
        *low = fmin(*low, value[i]);
        *high = fmax(*high, value[i]);
    }
}

enum nfsar_status frequencies_make(const nfsar_capture *capture, enum nfsar_window window,
                                   double **wavenumber, float **taper, nfsar_error *error) {
    size_t n = capture->n_sample;
    double *position = malloc(n * sizeof *position);
    *wavenumber = malloc(n * sizeof **wavenumber);
    *taper = malloc(n * sizeof **taper);
    if (position == NULL || *wavenumber == NULL || *taper == NULL) {
        free(position);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_wavenumbers(capture->frequency_hz, n, *wavenumber);
    double low = 0.0, high = 0.0;
    frequencies_range(capture->frequency_hz, n, &low, &high);
    for (size_t i = 0; i < n; i++) {
        position[i] = high > low ? (capture->frequency_hz[i] - low) / (high - low) : 0.5;
    }
    nfsar_window_taper_at(window, position, n, *taper);
    free(position);
    return NFSAR_OK;
}
