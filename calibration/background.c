#include <nfsar/background.h>

#include <math.h>
#include <stdlib.h>

#include "calibration/blocks.h"

/* Frequencies that differ by less than this part of the band are the same, written down twice. */
#define SAME_FREQUENCY 1e-6

enum nfsar_status nfsar_background_check(const nfsar_capture *capture, const nfsar_capture *empty,
                                         nfsar_error *error) {
    size_t n = capture->n_sample;
    if (empty->array.n_channel != capture->array.n_channel || empty->n_sample != n) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%zu channels x %zu samples, and the capture has %zu x %zu: record both "
                          "with the same settings",
                          empty->array.n_channel, empty->n_sample, capture->array.n_channel, n);
    }
    double band = fabs(capture->frequency_hz[n - 1] - capture->frequency_hz[0]);
    double slack = SAME_FREQUENCY * (band > 0.0 ? band : capture->frequency_hz[0]);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(empty->frequency_hz[i] - capture->frequency_hz[i]) <= slack)) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "sample %zu is at %.9g GHz, and at %.9g GHz in the capture: record "
                              "both with the same settings",
                              i, 1e-9 * empty->frequency_hz[i], 1e-9 * capture->frequency_hz[i]);
        }
    }
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        nfsar_channel a = empty->array.channel[c], b = capture->array.channel[c];
        if (a.tx != b.tx || a.rx != b.rx) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "channel %zu is transmitter %d, receiver %d, and %d, %d in the "
                              "capture: record both with the same settings",
                              c, (int)a.tx, (int)a.rx, (int)b.tx, (int)b.rx);
        }
    }
    return NFSAR_OK;
}

struct sums {
    size_t n;
    double complex *sum;
};

static void add(void *context, size_t pulse, const float complex *echo) {
    struct sums *sums = context;
    (void)pulse;
    for (size_t i = 0; i < sums->n; i++) {
        sums->sum[i] += (double complex)echo[i];
    }
}

enum nfsar_status nfsar_background_mean(const nfsar_capture *capture,
                                        const nfsar_echo_source *source, float complex *mean,
                                        nfsar_error *error) {
    struct sums sums = {.n = capture->array.n_channel * capture->n_sample};
    sums.sum = calloc(sums.n, sizeof *sums.sum);
    if (sums.sum == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    size_t n = 0;
    enum nfsar_status status = blocks_read(capture, source, add, &sums, &n, error);
    for (size_t i = 0; status == NFSAR_OK && i < sums.n; i++) {
        mean[i] = (float complex)(sums.sum[i] / (double)n);
    }
    free(sums.sum);
    return status;
}
