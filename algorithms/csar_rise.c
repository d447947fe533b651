/* From k_y to the grid's heights. */
#include "algorithms/csar_plan.h"

#include <omp.h>
#include <string.h>

/* Columns that are worked on together. */
enum { TILE = 32 };

/* Numbers of a column's transform, of which no two begin in the same set of the cache. */
size_t csar_column_pitch(const nfsar_csar_plan *plan) {
    return (csar_pitch(plan->down_length) / CSAR_TILE | 1) * CSAR_TILE;
}

/* exp(+j r k_y_step (height of voxel i)): what set r is turned by. */
void csar_rise_ramp(const nfsar_csar_plan *plan, size_t r, float complex *ramp) {
    double step = plan->grid.y.count > 1 ? (double)r * plan->k_y_step * plan->grid.y.step : 0.0;
    for (size_t i = 0; i < plan->grid.y.count; i++) {
        ramp[i] = (float complex)cexp(CMPLX(0.0, step * (double)i));
    }
}

size_t csar_rise_work(const nfsar_csar_plan *plan) {
    return csar_pitch(plan->grid.y.count) + 2 * TILE * csar_column_pitch(plan);
}

/* A tile of columns of the set's slices, from x = i on: k_y that differ by a period of the
 * transform are the same on the grid. */
static void rise_tile(const nfsar_csar_plan *plan, long q0, size_t bins, size_t z, size_t i,
                      const float complex *ramp, float complex *work, float complex *image) {
    size_t nx = plan->x.count, ny = plan->grid.y.count, slice = csar_slice_pitch(plan);
    size_t pitch = csar_column_pitch(plan), count = nx - i < TILE ? nx - i : TILE;
    float complex *in = work, *out = in + TILE * pitch;
    long length = (long)plan->down_length;
    memset(in, 0, TILE * pitch * sizeof *in);
    for (size_t q = 0; q < bins; q++) {
        const float complex *from = plan->slices + q * slice + z * nx + i;
        size_t bin = (size_t)((((q0 + (long)q) % length) + length) % length);
        for (size_t l = 0; l < count; l++) {
            in[l * pitch + bin] += from[l];
        }
    }
    for (size_t l = 0; l < count; l++) {
        fftwf_execute_dft(plan->down, in + l * pitch, out + l * pitch);
    }
    for (size_t y = 0; y < ny; y++) {
        float complex *to = image + (z * ny + y) * nx + i;
        size_t at = y % plan->down_length;
        for (size_t l = 0; l < count; l++) {
            to[l] += out[l * pitch + at] * ramp[y];
        }
    }
}

void csar_rise(nfsar_csar_plan *plan, size_t r, float complex *image) {
    size_t bins = 0, tiles = (plan->x.count + TILE - 1) / TILE;
    long q0 = csar_set(plan, r, &bins);
#pragma omp parallel num_threads(plan->threads)
    {
        float complex *ramp = plan->work + (size_t)omp_get_thread_num() * plan->work_size;
        float complex *work = ramp + csar_pitch(plan->grid.y.count);
        csar_rise_ramp(plan, r, ramp);
#pragma omp for schedule(dynamic, 4)
        for (size_t t = 0; t < plan->z.count * tiles; t++) {
            rise_tile(plan, q0, bins, t / tiles, t % tiles * TILE, ramp, work, image);
        }
    }
}
