/* Samples in memory as a source of echoes. */
#ifndef NFSAR_ALGORITHMS_SPARSE_MEMORY_H
#define NFSAR_ALGORITHMS_SPARSE_MEMORY_H

#include <complex.h>
#include <string.h>

#include <nfsar/capture.h>

struct memory_source {
    const float complex *samples; /* [pulse][n_channel][n_sample] */
    size_t n_channel, n_sample;
};

static inline struct memory_source memory_of(const nfsar_capture *capture,
                                             const float complex *samples) {
    return (struct memory_source){samples, capture->array.n_channel, capture->n_sample};
}

static inline enum nfsar_status memory_read(void *context, size_t first_pulse, size_t n_pulse,
                                            size_t first_sample, size_t n_sample,
                                            float complex *out, nfsar_error *error) {
    const struct memory_source *memory = context;
    (void)error;
    for (size_t line = 0; line < n_pulse * memory->n_channel; line++) {
        size_t from = (first_pulse * memory->n_channel + line) * memory->n_sample + first_sample;
        memcpy(out + line * n_sample, memory->samples + from, n_sample * sizeof *out);
    }
    return NFSAR_OK;
}

/* memory must outlive it. */
static inline nfsar_echo_source memory_echoes(struct memory_source *memory) {
    return (nfsar_echo_source){memory_read, memory};
}

#endif
