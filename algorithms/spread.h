/* Irregular points onto a uniform grid and back, for many vectors of values at the same points:
 *
 *     cell(y, z, x) = sum_i wy_i(y) wz_i(z) wx_i(x) value_i
 *
 * with the kernel of gridding.h along each axis, and its adjoint. The weights are computed once.
 * SPREAD_VECTORS vectors lie side by side in a cell, so that everything is a multiple of a whole
 * vector register.
 *
 * The rows (along y) come in chunks, each the work of one thread at a time. A point
 * belongs to the chunk of the first row that it touches; within a chunk points are in an order in
 * which the cells that are worked on stay in the first-level cache. A chunk is made of its own
 * points and of those of chunks before that reach into it, of each the rows that are in the chunk.
 * So there are neither atomics nor copies to be added, and results do not depend on the number of
 * threads. */
#ifndef NFSAR_ALGORITHMS_SPREAD_H
#define NFSAR_ALGORITHMS_SPREAD_H

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/kernel.h>

/* Complex numbers side by side in a cell: 64 bytes. */
enum { SPREAD_VECTORS = 8 };

/* A uniform grid along an axis, and the kernel on it. Every point lies at least width / 2 steps
 * inside its ends. An axis that is absent has count 1 and width 1, and weight 1. */
struct spread_axis {
    double first, step;
    size_t count;
    int width;
    double beta;
};

struct spread_shape {
    struct spread_axis x, y, z;
};

typedef struct spread spread;

/* x, y, z: [n_point] where the points are, NULL for an axis that is absent. Nothing of them is
 * kept. The kernel is one that nfsar_kernel_choose() gave, or auto. NULL when there is no memory,
 * and when a point or the shape is not as above. */
spread *spread_create(const struct spread_shape *shape, const double *x, const double *y,
                      const double *z, size_t n_point, enum nfsar_kernel kernel);

/* NULL is allowed. */
void spread_destroy(spread *plan);

/* Bytes that it takes. */
size_t spread_bytes(const spread *plan);

/* [n_point]: the values of point i lie at values[rank[i] * pitch]. */
const uint32_t *spread_rank(const spread *plan);

/* From now on values lie as the points were given, at values[i * pitch], for those who would have
 * to put them in order for one transform alone. */
void spread_take_unsorted(spread *plan);

/* Chunks of rows; the rows of one; complex numbers that the cells of the largest take. */
size_t spread_chunks(const spread *plan);
void spread_rows(const spread *plan, size_t chunk, size_t *first, size_t *n);
size_t spread_cells(const spread *plan);
size_t spread_cells_for(const struct spread_shape *shape); /* before there is a plan */

/* Points that are a chunk's own. */
size_t spread_points(const spread *plan, size_t chunk);

/* cells[n rows][z.count][x.count][SPREAD_VECTORS] of a chunk: zeroed, then everything added that
 * the vectors first_vector .. first_vector + SPREAD_VECTORS - 1 have there. values[n_point, by
 * rank][pitch] holds that many vectors. Cells are aligned to 64 bytes. Re-entrant. */
void spread_chunk(const spread *plan, size_t chunk, const float complex *values, size_t pitch,
                  size_t first_vector, float complex *cells);

/* The same piece by piece, for one who goes through the chunks in order: add the chunk's own points
 * (whose first touched row is in it), all their rows from row `from` on. Row r of the grid lies at
 * cells[r % ring][z.count][x.count][SPREAD_VECTORS], in a ring that holds the rows of a chunk and
 * y.width - 1 more at least; the caller zeroes rows before they are reached. When all chunks up to
 * this one have been added, the rows of this one are what spread_chunk() makes, to the bit.
 * Re-entrant. */
void spread_add_chunk(const spread *plan, size_t chunk, const float complex *values, size_t pitch,
                      size_t first_vector, size_t from, float complex *cells, size_t ring);

/* The adjoint: at each of the chunk's own points , the sum of weight times cell, stored as values
 * of the same vectors, out of such a ring (or, with ring = y.count, out of the whole grid).
 * Re-entrant. */
void spread_gather_chunk(const spread *plan, size_t chunk, const float complex *cells, size_t ring,
                         float complex *values, size_t pitch, size_t first_vector);

#endif
