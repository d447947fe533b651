/* Few frequencies that stand for all: between ranges that are known, what a line has at all
 * frequencies follows from what it has at about the band times the ranges' difference of them. */
#include "algorithms/sparse/planar_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/frequencies.h"
#include "algorithms/multiversion.h"

/* Gap between two extents, and the farthest that they are apart. */
static double gap(struct planar_extent a, struct planar_extent b) {
    return fmax(0.0, fmax(a.low - b.high, b.low - a.high));
}

static double farthest(struct planar_extent a, struct planar_extent b) {
    return fmax(fabs(a.high - b.low), fabs(b.high - a.low));
}

/* Half the path there and back, at least and at most. */
static struct planar_extent ranges(const struct planar *planar,
                                   const struct planar_antennas *antennas) {
    struct planar_extent x = planar_extent_of(&planar->grid.x),
                         y = planar_extent_of(&planar->grid.y);
    double widest = 0.0;
    for (size_t l = 0; l < planar->n_line; l++) {
        widest = fmax(widest, 0.5 * nfsar_vec3_distance(antennas->tx[l], antennas->rx[l]));
    }
    double low = hypot(hypot(gap(x, antennas->at[0]), gap(y, antennas->at[1])), planar->near);
    double high =
        hypot(hypot(farthest(x, antennas->at[0]), farthest(y, antennas->at[1])), planar->far);
    /* A pair's path is over that of its middle, by no more than the baseline. */
    return (struct planar_extent){low, high + widest};
}

static bool keep_all(struct planar *planar) {
    planar->n_wave = planar->n_sample;
    planar->wave = malloc(planar->n_sample * sizeof *planar->wave);
    if (planar->wave != NULL) {
        memcpy(planar->wave, planar->wavenumber, planar->n_sample * sizeof *planar->wave);
    }
    return planar->wave != NULL;
}

static bool keep_few(struct planar *planar, const exponentials *thin, double middle) {
    size_t n = planar->n_sample, m = thin->n_node;
    planar->n_wave = m;
    planar->wave = malloc(m * sizeof *planar->wave);
    planar->weight = buffer_alloc(m * n, sizeof *planar->weight);
    planar->range = buffer_alloc(m + n, sizeof *planar->range);
    if (planar->wave == NULL || planar->weight == NULL || planar->range == NULL) {
        return false;
    }
    for (size_t w = 0; w < m; w++) {
        planar->wave[w] = 0.5 * thin->node[w];
        planar->range[w] = (float complex)cexp(-thin->node[w] * middle * I);
        for (size_t i = 0; i < n; i++) {
            planar->weight[w * n + i] = thin->weight[i * m + w];
        }
    }
    for (size_t i = 0; i < n; i++) {
        planar->range[m + i] = (float complex)cexp(2.0 * planar->wavenumber[i] * middle * I);
    }
    return true;
}

enum nfsar_status planar_choose_waves(struct planar *planar, const struct planar_antennas *antennas,
                                      nfsar_error *error) {
    struct planar_extent range = ranges(planar, antennas);
    double *two_k = malloc(planar->n_sample * sizeof *two_k);
    exponentials *thin = NULL;
    bool good = two_k != NULL;
    for (size_t i = 0; good && i < planar->n_sample; i++) {
        two_k[i] = 2.0 * planar->wavenumber[i];
    }
    if (good) {
        thin = exponentials_create(two_k, planar->n_sample, 0.5 * (range.high - range.low),
                                   PLANAR_TOLERANCE, EXPONENTIALS_CLUSTERED);
        good =
            thin != NULL && (thin->exact ? keep_all(planar)
                                         : keep_few(planar, thin, 0.5 * (range.low + range.high)));
    }
    exponentials_destroy(thin);
    free(two_k);
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu lines of samples",
                             planar->n_line);
}

/* sample[i] = range[m + i] sum_w weight[w][i] range[w] line[w] */
MULTIVERSION
static void widen(const struct planar *planar, const float complex *line, float *work,
                  float complex *sample) {
    size_t n = planar->n_sample, m = planar->n_wave;
    float *restrict re = work, *restrict im = work + n, *out = (float *)sample;
    const float *turn = (const float *)(planar->range + m);
    memset(work, 0, 2 * n * sizeof *work);
    for (size_t w = 0; w < m; w++) {
        float complex value = planar->range[w] * line[w];
        float vr = crealf(value), vi = cimagf(value);
        const float *restrict weight = planar->weight + w * n;
        for (size_t i = 0; i < n; i++) {
            re[i] += weight[i] * vr;
            im[i] += weight[i] * vi;
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = turn[2 * i] * re[i] - turn[2 * i + 1] * im[i];
        out[2 * i + 1] = turn[2 * i] * im[i] + turn[2 * i + 1] * re[i];
    }
}

/* Its adjoint. */
MULTIVERSION
static void narrow(const struct planar *planar, const float complex *sample, float *work,
                   float complex *line) {
    size_t n = planar->n_sample, m = planar->n_wave;
    float *restrict re = work, *restrict im = work + n;
    const float *in = (const float *)sample, *turn = (const float *)(planar->range + m);
    for (size_t i = 0; i < n; i++) {
        re[i] = turn[2 * i] * in[2 * i] + turn[2 * i + 1] * in[2 * i + 1];
        im[i] = turn[2 * i] * in[2 * i + 1] - turn[2 * i + 1] * in[2 * i];
    }
    for (size_t w = 0; w < m; w++) {
        const float *restrict weight = planar->weight + w * n;
        float vr = 0.0f, vi = 0.0f;
#pragma omp simd reduction(+ : vr, vi)
        for (size_t i = 0; i < n; i++) {
            vr += weight[i] * re[i];
            vi += weight[i] * im[i];
        }
        line[w] = conjf(planar->range[w]) * CMPLXF(vr, vi);
    }
}

void planar_to_samples(const struct planar *planar, float complex *samples) {
#pragma omp parallel for schedule(static) num_threads(planar->threads)
    for (size_t l = 0; l < planar->n_line; l++) {
        float *work = (float *)(planar->work + (size_t)omp_get_thread_num() * planar->work_size);
        widen(planar, planar->lines + l * planar->n_wave, work, samples + l * planar->n_sample);
    }
}

void planar_from_samples(const struct planar *planar, const float complex *samples) {
#pragma omp parallel for schedule(static) num_threads(planar->threads)
    for (size_t l = 0; l < planar->n_line; l++) {
        float *work = (float *)(planar->work + (size_t)omp_get_thread_num() * planar->work_size);
        narrow(planar, samples + l * planar->n_sample, work, planar->lines + l * planar->n_wave);
    }
}
