/* Plane waves from all sides to a slice's x and z: a non-uniform transform whose points lie on
 * circles. */
#include "algorithms/csar_plan.h"

#include <math.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Cells have room for the kernel at their ends, which is folded back. */
static size_t row_of(const nfsar_csar_plan *plan) {
    return csar_pitch(plan->x.length + GRIDDING_WIDEST);
}

static size_t rows_of(const nfsar_csar_plan *plan) {
    return plan->z.length + GRIDDING_WIDEST;
}

size_t csar_cells(const nfsar_csar_plan *plan) {
    return row_of(plan) * rows_of(plan);
}

/* Grid point of the first weight, 0 .. length - 1, for a wave of k radians a voxel. */
static inline size_t wrap(const struct taps *taps, double at, size_t length, float *fraction) {
    double turns = at - floor(at);
    long first = taps_first(taps, turns * (double)length, fraction);
    return (size_t)(first < 0 ? first + (long)length : first);
}

static inline __attribute__((always_inline)) void
spread_waves(const nfsar_csar_plan *plan, double k_r, size_t length, const double *direction,
             const float complex *value, int wide, float *cells) {
    const struct taps *taps = &plan->across;
    size_t pitch = 2 * row_of(plan);
    double turn = k_r / (2.0 * NFSAR_PI);
    double x_step = turn * plan->x.step, z_step = turn * plan->z.step;
    double x_middle = turn * plan->x.middle, z_middle = turn * plan->z.middle;
    for (size_t i = 0; i < length; i++) {
        double c = direction[2 * i], s = direction[2 * i + 1];
        float wx[GRIDDING_WIDEST], wz[GRIDDING_WIDEST], pair[2 * GRIDDING_WIDEST], fx, fz;
        size_t column = wrap(taps, x_step * c, plan->x.length, &fx);
        size_t row = wrap(taps, z_step * s, plan->z.length, &fz);
        double turns = x_middle * c + z_middle * s;
        float cosine, sine, re = crealf(value[i]), im = cimagf(value[i]);
        phasor_turns((float)(turns - rint(turns)), &cosine, &sine);
        float real = re * cosine - im * sine, imag = re * sine + im * cosine;
        taps_weights(taps, fx, wide, wx);
        taps_weights(taps, fz, wide, wz);
        for (int t = 0; t < wide; t++) {
            pair[2 * t] = wx[t] * real;
            pair[2 * t + 1] = wx[t] * imag;
        }
        float *to = cells + row * pitch + 2 * column;
        for (int j = 0; j < taps->width && j < wide; j++, to += pitch) {
            for (int t = 0; t < 2 * wide; t++) {
                to[t] += wz[j] * pair[t];
            }
        }
    }
}

MULTIVERSION
void csar_spread(const nfsar_csar_plan *plan, double k_r, size_t length, const float complex *value,
                 float complex *cells) {
    const double *direction = plan->direction[length];
    size_t n = plan->length[length];
    if (plan->across.row == TAPS_NARROW) {
        spread_waves(plan, k_r, n, direction, value, TAPS_NARROW, (float *)cells);
    } else {
        spread_waves(plan, k_r, n, direction, value, GRIDDING_WIDEST, (float *)cells);
    }
}

/* What the kernels laid beyond the period, where it belongs. */
static void fold_back(const nfsar_csar_plan *plan, float complex *cells) {
    size_t row = row_of(plan), nx = plan->x.length, nz = plan->z.length;
    for (size_t j = nz; j < nz + GRIDDING_WIDEST; j++) {
        for (size_t i = 0; i < row; i++) {
            cells[(j - nz) * row + i] += cells[j * row + i];
        }
    }
    for (size_t j = 0; j < nz; j++) {
        for (size_t i = nx; i < nx + GRIDDING_WIDEST; i++) {
            cells[j * row + i - nx] += cells[j * row + i];
        }
    }
}

size_t csar_flatten_work(const nfsar_csar_plan *plan) {
    return CSAR_TILE * csar_pitch(plan->x.length) + plan->x.count * csar_pitch(plan->z.length) +
           CSAR_TILE * csar_pitch(plan->z.length);
}

/* The voxel i of a lateral axis in the transform's period. */
static inline size_t place(const struct csar_lateral *to, size_t i) {
    size_t half = to->count / 2;
    return i >= half ? i - half : to->length - (half - i);
}

void csar_flatten(const nfsar_csar_plan *plan, float complex *cells, float complex *slice,
                  float complex *work) {
    const struct csar_lateral *x = &plan->x, *z = &plan->z;
    size_t row = row_of(plan), nx = csar_pitch(x->length), nz = csar_pitch(z->length);
    float complex *lines = work, *columns = lines + CSAR_TILE * nx;
    float complex *done = columns + x->count * nz;
    fold_back(plan, cells);
    for (size_t j = 0; j < z->length; j += CSAR_TILE) {
        size_t count = z->length - j < CSAR_TILE ? z->length - j : CSAR_TILE;
        for (size_t l = 0; l < count; l++) {
            fftwf_execute_dft(x->plan, cells + (j + l) * row, lines + l * nx);
        }
        for (size_t i = 0; i < x->count; i++) {
            size_t at = place(x, i);
            for (size_t l = 0; l < count; l++) {
                columns[i * nz + j + l] = lines[l * nx + at] * x->correction[i];
            }
        }
    }
    for (size_t i = 0; i < x->count; i += CSAR_TILE) {
        size_t count = x->count - i < CSAR_TILE ? x->count - i : CSAR_TILE;
        for (size_t l = 0; l < count; l++) {
            fftwf_execute_dft(z->plan, columns + (i + l) * nz, done + l * nz);
        }
        for (size_t j = 0; j < z->count; j++) {
            size_t at = place(z, j);
            for (size_t l = 0; l < count; l++) {
                slice[j * x->count + i + l] = done[l * nz + at] * z->correction[j];
            }
        }
    }
}
