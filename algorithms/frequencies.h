/* What backprojection and range migration make of a capture's frequency list. */
#ifndef NFSAR_ALGORITHMS_FREQUENCIES_H
#define NFSAR_ALGORITHMS_FREQUENCIES_H

#include <nfsar/capture.h>
#include <nfsar/window.h>

/* Wavenumbers and the window over the band into freshly allocated [n_sample] arrays. The window
 * goes by frequency, so a list may be in any order. */
enum nfsar_status frequencies_make(const nfsar_capture *capture, enum nfsar_window window,
                                   double **wavenumber, float **taper, nfsar_error *error);

/* Smallest and largest of n values. */
void frequencies_range(const double *value, size_t n, double *low, double *high);

#endif
