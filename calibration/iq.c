/* DC and imbalance of the receivers. With y = a (s + b s*) and E s^2 = 0, E y^2 / E |y|^2 =
 * 2 b / (1 + |b|^2) times the phase of a^2, which joins the gain; hence b. */
#include <nfsar/background.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/blocks.h"

/* What is looked at for each sample of each channel, over pulses. */
struct moments {
    double complex sum, square;
    double power;
};

/* The same of the means of a channel's pulses: how much those differ is what chance makes of DC. */
struct look {
    size_t n, n_sample;
    struct moments *at;   /* [n_channel][n_sample] */
    struct moments *mean; /* [n_channel] */
};

/* A mean is so many of its variances above zero by chance once in e^9 = 8000. */
#define DC_VARIANCES 9.0

static void add(void *context, size_t pulse, const float complex *echo) {
    struct look *look = context;
    (void)pulse;
    double complex mean = 0.0;
    for (size_t i = 0; i < look->n; i++) {
        double complex s = (double complex)echo[i];
        look->at[i].sum += s;
        look->at[i].square += s * s;
        look->at[i].power += creal(s) * creal(s) + cimag(s) * cimag(s);
        mean += s / (double)look->n_sample;
        if ((i + 1) % look->n_sample == 0) {
            struct moments *m = &look->mean[i / look->n_sample];
            m->sum += mean;
            m->power += creal(mean) * creal(mean) + cimag(mean) * cimag(mean);
            mean = 0.0;
        }
    }
}

/* Of one channel, less what all its pulses share. */
static void judge(const struct moments *at, const struct moments *means, size_t n_sample,
                  double pulses, float complex *dc, float complex *imbalance) {
    const double complex mean = means->sum / pulses;
    double complex square = 0.0;
    double power = 0.0;
    for (size_t i = 0; i < n_sample; i++) {
        double complex sum = at[i].sum;
        square += at[i].square - sum * sum / pulses;
        power += at[i].power - (creal(sum) * creal(sum) + cimag(sum) * cimag(sum)) / pulses;
    }
    double complex ratio = power > 0.0 ? square / power : 0.0;
    double size = fmin(cabs(ratio), 1.0);
    /* Of a single pulse nothing tells how much means differ. */
    const double apart = creal(mean) * creal(mean) + cimag(mean) * cimag(mean);
    const double variance =
        pulses > 1.0 ? fmax(means->power / pulses - apart, 0.0) / (pulses - 1.0) : INFINITY;
    *dc = apart > DC_VARIANCES * variance ? (float complex)mean : 0.0f;
    *imbalance = (float complex)(ratio / (1.0 + sqrt(1.0 - size * size)));
}

enum nfsar_status nfsar_iq_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                nfsar_iq *iq, nfsar_error *error) {
    size_t channels = capture->array.n_channel;
    struct look look = {.n = channels * capture->n_sample, .n_sample = capture->n_sample};
    look.at = calloc(look.n, sizeof *look.at);
    look.mean = calloc(channels, sizeof *look.mean);
    *iq = (nfsar_iq){.n_channel = channels,
                     .dc = calloc(channels, sizeof *iq->dc),
                     .imbalance = calloc(channels, sizeof *iq->imbalance)};
    size_t n = 0;
    enum nfsar_status status = NFSAR_OK;
    if (look.at == NULL || look.mean == NULL || iq->dc == NULL || iq->imbalance == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        status = blocks_read(capture, source, add, &look, &n, error);
    }
    for (size_t c = 0; status == NFSAR_OK && c < channels; c++) {
        judge(look.at + c * capture->n_sample, &look.mean[c], capture->n_sample, (double)n,
              &iq->dc[c], &iq->imbalance[c]);
    }
    if (status != NFSAR_OK) {
        nfsar_iq_free(iq);
    } else {
        iq->doubt = 1.5 / sqrt((double)n);
    }
    free(look.at);
    free(look.mean);
    return status;
}

void nfsar_iq_apply(const nfsar_iq *iq, size_t channel, size_t n, float complex *samples) {
    float complex dc = iq->dc[channel], b = iq->imbalance[channel];
    for (size_t i = 0; i < n; i++) {
        float complex s = samples[i] - dc;
        samples[i] = s - b * conjf(s);
    }
}

void nfsar_iq_free(nfsar_iq *iq) {
    free(iq->dc);
    free(iq->imbalance);
    memset(iq, 0, sizeof *iq);
}
