/* Samples times weights, on the way from where they are read. */
#include <nfsar/density.h>

#include "algorithms/multiversion.h"

MULTIVERSION
static void scale(float weight, size_t n, float complex *line) {
    for (size_t i = 0; i < n; i++) {
        line[i] *= weight;
    }
}

static enum nfsar_status read_weighted(void *context, size_t first_pulse, size_t n_pulse,
                                       size_t first_sample, size_t n_sample, float complex *out,
                                       nfsar_error *error) {
    const nfsar_weighted_source *weighted = context;
    enum nfsar_status status = weighted->raw.read(weighted->raw.context, first_pulse, n_pulse,
                                                  first_sample, n_sample, out, error);
    const float *weight = weighted->weight + first_pulse * weighted->n_channel;
    for (size_t i = 0; status == NFSAR_OK && i < n_pulse * weighted->n_channel; i++) {
        scale(weight[i], n_sample, out + i * n_sample);
    }
    return status;
}

nfsar_echo_source nfsar_weighted(nfsar_weighted_source *weighted) {
    return (nfsar_echo_source){.read = read_weighted, .context = weighted};
}
