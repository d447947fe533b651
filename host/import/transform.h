/* Mean power spectrum of lines of samples, Hann-weighted and zero-padded. */
#ifndef NFSAR_HOST_IMPORT_TRANSFORM_H
#define NFSAR_HOST_IMPORT_TRANSFORM_H

#include <complex.h>
#include <stddef.h>

#include <fftw3.h>

#include <nfsar/status.h>

struct transform {
    size_t n_sample, n_bin;
    float *taper;
    fftwf_complex *line; /* [n_bin] */
    fftwf_plan plan;
    double *power; /* [n_bin] sums */
};

/* Release with transform_free(), also after an error. */
enum nfsar_status transform_make(size_t n_sample, struct transform *transform, nfsar_error *error);
void transform_free(struct transform *transform);

/* Add |spectrum|^2 of n_sample samples to the sums. */
void transform_add(struct transform *transform, const float complex *samples);

#endif
