/** @file
 * Windows (tapers) by name, computed by liquid-dsp.
 */
#ifndef NFSAR_WINDOW_H
#define NFSAR_WINDOW_H

#include <stddef.h>

#include <nfsar/status.h>

/** Shape of a taper. */
enum nfsar_window {
    NFSAR_WINDOW_RECTANGULAR = 0, /**< none */
    NFSAR_WINDOW_HANN,
    NFSAR_WINDOW_HAMMING,
    NFSAR_WINDOW_BLACKMAN_HARRIS,
    NFSAR_WINDOW_KAISER /**< 60 dB */
};

/** Parse "rectangular", "hann", "hamming", "blackman-harris" or "kaiser"; NFSAR_ERROR_ARGUMENT
 * lists the names otherwise. */
enum nfsar_status nfsar_window_parse(const char *name, enum nfsar_window *window,
                                     nfsar_error *error);
/** The name that nfsar_window_parse() takes. */
const char *nfsar_window_name(enum nfsar_window window);
/** Coefficients into taper[n], symmetric, scaled to mean 1 so that a window leaves the peak of a
 * point target where it was. n = 1 gives 1. */
void nfsar_window_taper(enum nfsar_window window, size_t n, float *taper);

/** The same for samples at any positions, 0 (one end of the window) to 1 (the other): aperture
 * places that are no list, frequencies out of order. Positions are rounded to 1/4096. */
void nfsar_window_taper_at(enum nfsar_window window, const double *position, size_t n,
                           float *taper);

#endif
