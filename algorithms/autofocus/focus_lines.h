/* The echoes that autofocus looks at: some pulses' channels, moved to the region's centre and
 * summed to the few frequencies that the region needs. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_LINES_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_LINES_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/autofocus.h>

#include "algorithms/autofocus/focus_kernel.h"

/* What is fitted, and what is kept aside to see whether the fit holds. */
enum focus_half { FOCUS_FIT = 0, FOCUS_HELD, FOCUS_HALVES };

struct focus_lines {
    size_t n_pulse, per_pulse, n; /* n = n_pulse * per_pulse lines, in order of time */
    size_t *pulse;                /* [n_pulse] which of the capture's */
    double *time_s;               /* [n] of each line */
    double begin_s, end_s;        /* the first and last of them: channels need not be in order */
    nfsar_vec3 *tx, *rx;          /* [n] as reported, from the region's centre */
    double *base;                 /* [n] way by the centre, as reported */
    double k0, dk;                /* wavenumbers, rad/m */
    struct focus_band band;
    float complex *data[FOCUS_HALVES]; /* [n][band.n] at ways beyond base */
    float complex *both;               /* their sum */
};

/* @p most lines at the most; ways up to `reach` beyond the centre's matter. */
enum nfsar_status focus_lines_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                   nfsar_vec3 centre, double reach, size_t most,
                                   struct focus_lines *lines, const nfsar_progress *progress,
                                   nfsar_error *error);
void focus_lines_free(struct focus_lines *lines);

/* Turn each pulse by a random phase: the same echoes, of no scene. */
void focus_lines_scramble(struct focus_lines *lines, unsigned long seed);

#endif
