#include "host/import/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/capture.h>

#include "host/import/survey.h"

void transform_free(struct transform *transform) {
    if (transform->plan != NULL) {
        fftwf_destroy_plan(transform->plan);
    }
    fftwf_free(transform->line);
    free(transform->taper);
    free(transform->power);
}

enum nfsar_status transform_make(size_t n_sample, struct transform *transform, nfsar_error *error) {
    *transform = (struct transform){.n_sample = n_sample, .n_bin = PROFILE_PADDING * n_sample};
    transform->taper = calloc(n_sample, sizeof *transform->taper);
    transform->power = calloc(transform->n_bin, sizeof *transform->power);
    transform->line = fftwf_alloc_complex(transform->n_bin);
    if (transform->taper != NULL && transform->power != NULL && transform->line != NULL) {
        transform->plan = fftwf_plan_dft_1d((int)transform->n_bin, transform->line, transform->line,
                                            FFTW_FORWARD, FFTW_ESTIMATE);
    }
    if (transform->plan == NULL) {
        transform_free(transform);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n_sample; i++) {
        /* Hann: sidelobes fall fast enough to see an image 60 dB below. */
        transform->taper[i] =
            (float)(0.5 - 0.5 * cos(2.0 * NFSAR_PI * ((double)i + 0.5) / (double)n_sample));
    }
    return NFSAR_OK;
}

void transform_add(struct transform *transform, const float complex *samples) {
    for (size_t i = 0; i < transform->n_sample; i++) {
        transform->line[i] = samples[i] * transform->taper[i];
    }
    memset(transform->line + transform->n_sample, 0,
           (transform->n_bin - transform->n_sample) * sizeof *transform->line);
    fftwf_execute(transform->plan);
    for (size_t i = 0; i < transform->n_bin; i++) {
        double re = (double)crealf(transform->line[i]), im = (double)cimagf(transform->line[i]);
        transform->power[i] += re * re + im * im;
    }
}
