/* Waveforms of pulsed radars: real samples along range, turned to samples of the echo's spectrum.
 */
#ifndef NFSAR_HOST_IMPORT_WAVEFORM_H
#define NFSAR_HOST_IMPORT_WAVEFORM_H

#include <complex.h>
#include <stddef.h>

#include <fftw3.h>

#include <nfsar/status.h>

#include "host/import/rig.h"

/* The spectrum's lines that are kept: first_bin + i times step_hz. */
struct waveform {
    size_t n_wave;   /* real samples of a line */
    size_t n_padded; /* so many, with zeros, are transformed */
    size_t first_bin, n_bin;
    double step_hz;
    float complex *turn; /* [n_bin] from the first sample's range to range zero; NULL: not opened */
    float *line;         /* [n_padded] */
    fftwf_complex *spectrum;
    fftwf_plan plan;
};

/* Counts alone, from the rig file's radar.pulsed and the samples of a line. */
enum nfsar_status waveform_size(const struct rig_pulsed *pulsed, size_t n_wave,
                                struct waveform *waveform, nfsar_error *error);

/* Memory and plan for waveform_transform(). Release with waveform_close(), also after an error. */
enum nfsar_status waveform_open(const struct rig_pulsed *pulsed, struct waveform *waveform,
                                nfsar_error *error);
void waveform_close(struct waveform *waveform);

/* The real parts of n_wave numbers to n_bin samples of the spectrum, s ~ exp(+j2kR); from and to
 * may be the same. */
void waveform_transform(struct waveform *waveform, const float complex *from, float complex *to);

#endif
