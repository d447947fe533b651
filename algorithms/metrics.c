#include <nfsar/metrics.h>

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/peak.h"

/* Sums over |o|^2 = p of all voxels, and the strongest one. */
struct sums {
    double p, p_log_p, p_squared;
    double strongest;
    size_t index;
    bool finite;
};

/* In double precision the square of any float is neither infinite nor zero. */
static inline double power_of(float complex value) {
    double re = crealf(value), im = cimagf(value);
    return re * re + im * im;
}

static struct sums sum_range(const float complex *data, size_t first, size_t last) {
    struct sums sums = {.index = first, .finite = true};
    for (size_t i = first; i < last; i++) {
        double p = power_of(data[i]);
        if (!(p <= DBL_MAX)) {
            sums.finite = false;
            return sums;
        }
        if (p > sums.strongest) {
            sums.strongest = p;
            sums.index = i;
        }
        sums.p += p;
        sums.p_squared += p * p;
        sums.p_log_p += p > 0.0 ? p * log(p) : 0.0;
    }
    return sums;
}

static void add_sums(struct sums *total, const struct sums *part) {
    total->p += part->p;
    total->p_log_p += part->p_log_p;
    total->p_squared += part->p_squared;
    total->finite = total->finite && part->finite;
    /* Of equals the first, whatever thread came first. */
    if (part->strongest > total->strongest ||
        (part->strongest == total->strongest && part->index < total->index)) {
        total->strongest = part->strongest;
        total->index = part->index;
    }
}

#define BLOCK ((size_t)1 << 16)

/* Below this threads cost more than they bring. */
#define SMALL ((size_t)1 << 18)

static struct sums sum_all(const float complex *data, size_t n) {
    const size_t n_block = (n + BLOCK - 1) / BLOCK;
    struct sums total = {.index = n, .finite = true};
#pragma omp parallel if (n > SMALL)
    {
        struct sums mine = {.index = n, .finite = true};
#pragma omp for schedule(static)
        for (size_t block = 0; block < n_block; block++) {
            size_t first = block * BLOCK;
            size_t last = n - first > BLOCK ? first + BLOCK : n;
            struct sums part = sum_range(data, first, last);
            add_sums(&mine, &part);
        }
#pragma omp critical
        add_sums(&total, &mine);
    }
    return total;
}

/* The bits of a non-negative float, as a number, are in the order of the floats. */
static uint32_t magnitude_bits(float complex value) {
    float magnitude = (float)sqrt(power_of(value));
    uint32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    return bits;
}

/* Count the high or, among those with the given high half, the low halves of the bits. */
static void count_halves(const float complex *data, size_t n, bool low, uint32_t high,
                         uint64_t *count) {
    memset(count, 0, 65536 * sizeof *count);
#pragma omp parallel if (n > SMALL)
    {
        uint64_t *mine = calloc(65536, sizeof *mine);
#pragma omp for schedule(static)
        for (size_t i = 0; i < n; i++) {
            uint32_t bits = magnitude_bits(data[i]);
            if (low && bits >> 16 != high) {
                continue;
            }
            size_t slot = low ? bits & 0xffff : bits >> 16;
            if (mine != NULL) {
                mine[slot]++;
            } else {
#pragma omp atomic
                count[slot]++;
            }
        }
        if (mine != NULL) {
#pragma omp critical
            for (size_t slot = 0; slot < 65536; slot++) {
                count[slot] += mine[slot];
            }
        }
        free(mine);
    }
}

/* The slot in which the sample of this rank lies; the rank becomes that within the slot. */
static uint32_t find_rank(const uint64_t *count, size_t *rank) {
    uint32_t slot = 0;
    while (slot < 65535 && *rank >= count[slot]) {
        *rank -= count[slot++];
    }
    return slot;
}

/* The middle magnitude (of an even number the lower), by counting instead of sorting: no copy of
 * the volume. */
static enum nfsar_status find_median(const float complex *data, size_t n, double *median,
                                     nfsar_error *error) {
    uint64_t *count = malloc(65536 * sizeof *count);
    if (count == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the median");
    }
    size_t rank = (n - 1) / 2;
    count_halves(data, n, false, 0, count);
    uint32_t high = find_rank(count, &rank);
    count_halves(data, n, true, high, count);
    uint32_t bits = high << 16 | find_rank(count, &rank);
    free(count);
    float value;
    memcpy(&value, &bits, sizeof value);
    *median = value;
    return NFSAR_OK;
}

static enum nfsar_status measure_peak(const nfsar_image *image, size_t index,
                                      nfsar_image_metrics *metrics, nfsar_error *error) {
    const nfsar_grid *grid = &image->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    const size_t voxel[3] = {index % grid->x.count, index / grid->x.count % grid->y.count,
                             index / grid->x.count / grid->y.count};
    struct peak peak;
    peak_refine(image, voxel, &peak);
    for (int a = 0; a < 3; a++) {
        struct lobes lobes;
        enum nfsar_status status = peak_cut(image, &peak, a, &lobes, error);
        if (status != NFSAR_OK) {
            return status;
        }
        metrics->peak_m[a] = axis[a]->start + axis[a]->step * peak.at[a];
        metrics->width_m[a] = lobes.width * axis[a]->step;
        metrics->pslr_db[a] = lobes.pslr_db;
        metrics->islr_db[a] = lobes.islr_db;
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_image_measure(const nfsar_image *image, nfsar_image_metrics *metrics,
                                      nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(&image->grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t n = nfsar_grid_voxels(&image->grid);
    const struct sums sums = sum_all(image->data, n);
    if (!sums.finite) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image has voxels that are not finite numbers: make it anew, `nfsar "
                          "doctor` looks at the capture");
    }
    if (!(sums.strongest > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image is zero everywhere, there is nothing to measure");
    }
    double median = 0.0;
    status = find_median(image->data, n, &median, error);
    if (status != NFSAR_OK) {
        return status;
    }
    metrics->peak_amplitude = sqrt(sums.strongest);
    /* -sum (p / P) ln (p / P) with P = sum p. */
    metrics->entropy = fmax(log(sums.p) - sums.p_log_p / sums.p, 0.0);
    metrics->contrast = sqrt(fmax((double)n * sums.p_squared / (sums.p * sums.p) - 1.0, 0.0));
    metrics->dynamic_range_db = 20.0 * log10(metrics->peak_amplitude / median);
    return measure_peak(image, sums.index, metrics, error);
}
