#include "calibration/blocks.h"

#include <stdlib.h>

#define BLOCK_BYTES ((size_t)32 << 20)

enum nfsar_status blocks_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                              blocks_pulse *use, void *context, size_t *n, nfsar_error *error) {
    size_t pulse = capture->array.n_channel * capture->n_sample;
    size_t block = BLOCK_BYTES / (pulse * sizeof(float complex));
    block = block < 1 ? 1 : block < capture->n_pulse ? block : capture->n_pulse;
    float complex *echo = malloc(block * pulse * sizeof *echo);
    enum nfsar_status status =
        echo != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    *n = 0;
    for (size_t first = 0; status == NFSAR_OK && first < capture->n_pulse; first += block) {
        size_t left = capture->n_pulse - first, count = left < block ? left : block;
        status = source->read(source->context, first, count, 0, capture->n_sample, echo, error);
        for (size_t p = 0; status == NFSAR_OK && p < count; p++) {
            if ((capture->flags[first + p] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
                use(context, first + p, echo + p * pulse);
                *n += 1;
            }
        }
    }
    free(echo);
    if (status == NFSAR_OK && *n == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "every pulse misses samples");
    }
    return status;
}
