#include <nfsar/metrics.h>

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "algorithms/similarity.h"

/* Below this many voxels threads cost more than they bring. */
#define SMALL ((size_t)1 << 16)

static inline double power_of(float complex value) {
    double re = crealf(value), im = cimagf(value);
    return re * re + im * im;
}

static bool axes_agree(const nfsar_axis *a, const nfsar_axis *b) {
    if (a->count != b->count) {
        return false;
    }
    double voxel = a->count > 1 ? a->step : 1.0;
    return fabs(a->start - b->start) <= 1e-3 * voxel &&
           fabs(nfsar_axis_end(a) - nfsar_axis_end(b)) <= 1e-3 * voxel;
}

static void describe(const nfsar_grid *grid, char *text, size_t room) {
    snprintf(text, room, "x %.9g:%.9g:%zu y %.9g:%.9g:%zu z %.9g:%.9g:%zu", grid->x.start,
             nfsar_axis_end(&grid->x), grid->x.count, grid->y.start, nfsar_axis_end(&grid->y),
             grid->y.count, grid->z.start, nfsar_axis_end(&grid->z), grid->z.count);
}

static enum nfsar_status check_grids(const nfsar_image *reference, const nfsar_image *image,
                                     nfsar_error *error) {
    const nfsar_grid *a = &reference->grid, *b = &image->grid;
    enum nfsar_status status = nfsar_grid_check(a, error);
    if (status == NFSAR_OK) {
        status = nfsar_grid_check(b, error);
    }
    if (status == NFSAR_OK &&
        !(axes_agree(&a->x, &b->x) && axes_agree(&a->y, &b->y) && axes_agree(&a->z, &b->z))) {
        char one[200], two[200];
        describe(a, one, sizeof one);
        describe(b, two, sizeof two);
        status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "the grids differ: the reference has %s, the image has %s; reconstruct "
                            "both on the same --x --y --z",
                            one, two);
    }
    return status;
}

/* Sums over all voxels of the reference a and the image b. */
struct products {
    double aa, bb;         /* |a|^2, |b|^2 */
    double ab;             /* |a| |b| */
    double complex cross;  /* conj(b) a */
    double a_peak, b_peak; /* largest |a|^2, |b|^2 */
};

static struct products multiply(const float complex *a, const float complex *b, size_t n) {
    double aa = 0.0, bb = 0.0, ab = 0.0, re = 0.0, im = 0.0, a_peak = 0.0, b_peak = 0.0;
#pragma omp parallel for schedule(static) reduction(+ : aa, bb, ab, re, im)                        \
    reduction(max : a_peak, b_peak) if (n > SMALL)
    for (size_t i = 0; i < n; i++) {
        double pa = power_of(a[i]), pb = power_of(b[i]);
        double complex cross = conj((double complex)b[i]) * (double complex)a[i];
        aa += pa;
        bb += pb;
        ab += sqrt(pa) * sqrt(pb);
        re += creal(cross);
        im += cimag(cross);
        a_peak = pa > a_peak ? pa : a_peak;
        b_peak = pb > b_peak ? pb : b_peak;
    }
    return (struct products){aa, bb, ab, re + I * im, a_peak, b_peak};
}

static enum nfsar_status check_signal(double sum, const char *which, nfsar_error *error) {
    if (!(sum <= DBL_MAX)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s has voxels that are not finite numbers",
                          which);
    }
    if (!(sum > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s is zero everywhere, there is nothing to compare", which);
    }
    return NFSAR_OK;
}

/* Rows of one slice in one piece of work. */
#define ROWS ((size_t)128)

static bool sum_similarity(const nfsar_image *reference, const nfsar_image *image, double a_scale,
                           double b_scale, double *mean) {
    const size_t nx = reference->grid.x.count, ny = reference->grid.y.count;
    const size_t pieces = (ny + ROWS - 1) / ROWS, n_work = pieces * reference->grid.z.count;
    double total = 0.0;
    bool memory = true;
#pragma omp parallel for schedule(dynamic) reduction(+ : total) reduction(&& : memory) \
    if (n_work * ROWS * nx > SMALL)
    for (size_t work = 0; work < n_work; work++) {
        const size_t slice = work / pieces * nx * ny, first = work % pieces * ROWS;
        const size_t last = ny - first > ROWS ? first + ROWS : ny;
        double sum = 0.0;
        memory = similarity_sum(reference->data + slice, a_scale, image->data + slice, b_scale, nx,
                                ny, first, last, &sum) &&
                 memory;
        total += sum;
    }
    *mean = total / (double)nfsar_grid_voxels(&reference->grid);
    return memory;
}

enum nfsar_status nfsar_image_compare(const nfsar_image *reference, const nfsar_image *image,
                                      nfsar_image_comparison *comparison, nfsar_error *error) {
    enum nfsar_status status = check_grids(reference, image, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const float complex *a = reference->data, *b = image->data;
    const size_t n = nfsar_grid_voxels(&reference->grid);
    const struct products sums = multiply(a, b, n);
    status = check_signal(sums.aa, "the reference", error);
    if (status == NFSAR_OK) {
        status = check_signal(sums.bb, "the image", error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const double a_scale = 1.0 / sqrt(sums.a_peak), b_scale = 1.0 / sqrt(sums.b_peak);
    /* Differences are summed as such: from the products they would lose half their digits. */
    const double complex factor = sums.cross / sums.bb;
    double residual = 0.0, squares = 0.0;
#pragma omp parallel for schedule(static) reduction(+ : residual, squares) if (n > SMALL)
    for (size_t i = 0; i < n; i++) {
        double complex error_here = factor * (double complex)b[i] - (double complex)a[i];
        double difference = a_scale * sqrt(power_of(a[i])) - b_scale * sqrt(power_of(b[i]));
        residual += creal(error_here) * creal(error_here) + cimag(error_here) * cimag(error_here);
        squares += difference * difference;
    }
    const double norm = sqrt(sums.aa) * sqrt(sums.bb);
    comparison->complex_correlation = cabs(sums.cross) / norm;
    comparison->magnitude_correlation = sums.ab / norm;
    comparison->relative_error = sqrt(residual / sums.aa);
    comparison->rmse = sqrt(squares / (double)n);
    comparison->psnr_db = -20.0 * log10(comparison->rmse);
    if (!sum_similarity(reference, image, a_scale, b_scale, &comparison->ssim)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the structural similarity");
    }
    return NFSAR_OK;
}
