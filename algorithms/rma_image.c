/* From depths to the image: along y to the grid, then from the depths that were summed to those
 * that are wanted. */
#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* Voxels of a row that are made together: their depths stay in the second-level cache. */
enum { PIECE = 64 };

size_t rma_image_work(const nfsar_rma_plan *plan) {
    size_t columns = RMA_TILE * rma_line_pitch(lateral_work(plan->y.to_grid));
    size_t depths = PIECE * plan->depth->n_node;
    return columns > depths ? columns : depths;
}

/* What A leaves over: the depth, the bins' width and the constant phase; the next term of the plane
 * waves, -j / (k_z depth), for their middle where it is not made for each (nurma_spectrum.c); and
 * the middle of the k_z that was taken out, over the distance from the middle of the slab. */
static float complex slice_factor(const nfsar_rma_plan *plan, size_t first_z, size_t z) {
    double depth = fabs(nfsar_axis_at(&plan->grid.z, first_z + z) - plan->lattice->z);
    double step = plan->z_slab > 1 ? plan->side * plan->grid.z.step : 0.0;
    double away = step * ((double)z - 0.5 * (double)(plan->z_slab - 1));
    double complex turned = cexp(-I * fmod(plan->k_z * away, 2.0 * NFSAR_PI));
    if (plan->offsets == NULL) {
        double next = plan->x.line || plan->y.line ? 0.375 : 1.0;
        turned *= 1.0 - I * next / (plan->middle_k_z * depth);
    }
    if (plan->x.line || plan->y.line) {
        double dk = plan->x.line ? plan->y.step : plan->x.step;
        double complex phase = cexp(-0.25 * NFSAR_PI * I);
        return (float complex)(turned * phase * dk * sqrt(depth / (2.0 * NFSAR_PI)));
    }
    return (float complex)(turned * -I * plan->x.step * plan->y.step * depth / (2.0 * NFSAR_PI));
}

/* to[j][i] = factor * from[i][j] for a tile. */
MULTIVERSION
static void turn_columns(const float complex *from, size_t pitch, size_t n, size_t count,
                         float complex factor, float complex *out, size_t width) {
    const float *in = (const float *)from;
    float c = crealf(factor), s = cimagf(factor);
    for (size_t j = 0; j < n; j++) {
        float *to = (float *)(out + j * width);
        for (size_t i = 0; i < count; i++) {
            float re = in[2 * (i * pitch + j)], im = in[2 * (i * pitch + j) + 1];
            to[2 * i] = re * c - im * s;
            to[2 * i + 1] = re * s + im * c;
        }
    }
}

/* Read a tile of columns of one depth into the lines that are transformed along y. */
static void gather(const nfsar_rma_plan *plan, const float complex *depth, size_t first,
                   float complex *columns) {
    const lateral *to_grid = plan->y.to_grid;
    size_t pitch = rma_line_pitch(lateral_length(to_grid)), count = plan->grid_width - first;
    bool folds = lateral_folds(to_grid);
    count = count < RMA_TILE ? count : RMA_TILE;
    if (folds) {
        memset(columns, 0, RMA_TILE * pitch * sizeof *columns);
    }
    for (size_t j = 0; j < plan->y.bins;) {
        /* As many rows as lie side by side in a line. */
        size_t place = lateral_place(to_grid, j), n = lateral_length(to_grid) - place;
        n = n < plan->y.bins - j ? n : plan->y.bins - j;
        const float complex *in = depth + j * plan->grid_width + first;
        for (size_t r = 0; r < n; r++, in += plan->grid_width) {
            float complex *to = columns + place + r;
            for (size_t i = 0; i < count; i++) {
                to[i * pitch] = folds ? to[i * pitch] + in[i] : in[i];
            }
        }
        j += n;
    }
}

/* One tile of columns of one summed depth to the grid. */
static void transform_columns(const nfsar_rma_plan *plan, size_t node, size_t first,
                              float complex factor, float complex *columns, float complex *work,
                              float complex *image) {
    const lateral *to_grid = plan->y.to_grid;
    size_t nx = plan->grid.x.count, ny = plan->grid.y.count;
    size_t pitch = rma_line_pitch(lateral_length(to_grid)),
           out_pitch = rma_line_pitch(lateral_work(to_grid));
    size_t count = nx - first < RMA_TILE ? nx - first : RMA_TILE;
    gather(plan, plan->depths + node * plan->y.bins * plan->grid_width, first, columns);
    const float complex *out = NULL;
    for (size_t i = count; i-- > 0;) {
        out = lateral_execute(to_grid, columns + i * pitch, work + i * out_pitch);
    }
    turn_columns(out, out_pitch, ny, count, factor, image + node * nx * ny + first, nx);
}

MULTIVERSION
static void turn_voxels(const float *in, size_t n, float complex factor, float complex *out) {
    float c = crealf(factor), s = cimagf(factor);
    float *to = (float *)out;
    for (size_t l = 0; l < n; l++) {
        to[2 * l] = in[2 * l] * c - in[2 * l + 1] * s;
        to[2 * l + 1] = in[2 * l] * s + in[2 * l + 1] * c;
    }
}

/* One piece of a row of voxels: from the summed depths, which lie in the image's first slices, to
 * all depths of the slab. */
static void combine_piece(const nfsar_rma_plan *plan, size_t at, size_t count, float complex *piece,
                          float complex *image) {
    const exponentials *depth = plan->depth;
    size_t slice = plan->grid.x.count * plan->grid.y.count;
    _Alignas(64) float sum[RMA_ROWS * 2 * RMA_TILE];
    for (size_t m = 0; m < depth->n_node; m++) {
        for (size_t i = 0; i < count; i += RMA_TILE) {
            size_t n = count - i < RMA_TILE ? count - i : RMA_TILE;
            memcpy(piece + i * depth->n_node + m * RMA_TILE, image + m * slice + at + i,
                   n * sizeof *piece);
        }
    }
    for (size_t i = 0; i < count; i += RMA_TILE) {
        size_t n = count - i < RMA_TILE ? count - i : RMA_TILE;
        for (size_t z = 0; z < plan->z_slab; z += RMA_ROWS) {
            size_t rows = plan->z_slab - z < RMA_ROWS ? plan->z_slab - z : RMA_ROWS;
            const float *weight[RMA_ROWS];
            for (size_t r = 0; r < RMA_ROWS; r++) {
                weight[r] = depth->weight + (z + (r < rows ? r : 0)) * depth->n_node;
            }
            plan->kernels->weigh((const float *)(piece + i * depth->n_node), depth->n_node, weight,
                                 1, sum);
            for (size_t r = 0; r < rows; r++) {
                turn_voxels(sum + 2 * RMA_TILE * r, n, plan->factor[z + r],
                            image + (z + r) * slice + at + i);
            }
        }
    }
}

void rma_image(nfsar_rma_plan *plan, size_t first_z, float complex *image) {
    const exponentials *depth = plan->depth;
    size_t nx = plan->grid.x.count, ny = plan->grid.y.count;
    size_t tiles = (nx + RMA_TILE - 1) / RMA_TILE, pieces = (nx + PIECE - 1) / PIECE;
    for (size_t z = 0; z < plan->z_slab; z++) {
        plan->factor[z] = slice_factor(plan, first_z, z);
    }
#pragma omp parallel num_threads(plan->threads)
    {
        size_t thread = (size_t)omp_get_thread_num();
        size_t pitch = rma_line_pitch(lateral_length(plan->y.to_grid));
        float complex *work = plan->work + thread * plan->work_size;
        float complex *columns = plan->columns + thread * RMA_TILE * pitch;
#pragma omp for schedule(static)
        for (size_t i = 0; i < depth->n_node * tiles; i++) {
            size_t node = i / tiles;
            float complex factor = depth->exact ? plan->factor[node] : 1.0f;
            transform_columns(plan, node, i % tiles * RMA_TILE, factor, columns, work, image);
        }
        if (!depth->exact) {
#pragma omp for schedule(static)
            for (size_t i = 0; i < ny * pieces; i++) {
                size_t first = i % pieces * PIECE;
                combine_piece(plan, i / pieces * nx + first,
                              nx - first < PIECE ? nx - first : PIECE, work, image);
            }
        }
    }
}
