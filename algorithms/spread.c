#include "algorithms/spread.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/gridding.h"
#include "algorithms/spread_kernel.h"

/* The cells of a chunk fit the second-level cache, beside the values that come in; and the cells
 * under the kernel of the points that are worked on, in all rows, the first-level cache. */
#define CHUNK_BYTES ((size_t)320 << 10)
enum { MOST_ROWS = 24 };

/* Rows of a volume do not fit: there a chunk has rows enough, and so many layers are visited
 * together along x, that most of what comes to the cache with a point serves its neighbours too. */
#define VOLUME_BYTES ((size_t)32 << 20)
enum { VOLUME_ROWS = 8, LAYERS = 8 };

/* Bins of the sort beyond those that points fill. */
enum { SPARE_BINS = 1 << 16 };

struct spread {
    struct spread_shape shape;
    size_t n_point;
    size_t chunk_rows, n_chunk;
    uint32_t *rank;             /* [n_point] */
    uint32_t *order;            /* [n_point] points by rank */
    struct spread_place *place; /* [n_point] by rank */
    float *weight;
    size_t *own; /* [n_chunk + 1] where each chunk's points begin */
    struct spread_points points;
    spread_add *add;
    spread_gather *gather;
};

/* Steps by which rounding may put a point outside that is just inside. */
#define ROUNDING 1e-6

/* How points are ordered: by chunk, by layers of z, along x. */
struct bins {
    size_t n_x, n_z, step_x; /* cells of a bin along x */
};

static struct bins make_bins(const spread *plan) {
    struct bins bins = {.n_z = (plan->shape.z.count + LAYERS - 1) / LAYERS, .step_x = 1};
    size_t most = 4 * plan->n_point + SPARE_BINS;
    for (;; bins.step_x *= 2) {
        bins.n_x = (plan->shape.x.count + bins.step_x - 1) / bins.step_x;
        if (bins.n_x == 1 || bins.n_x <= most / bins.n_z / plan->n_chunk) {
            return bins;
        }
    }
}

static size_t bin_of(const struct bins *bins, size_t chunk, const struct spread_place *place) {
    return (chunk * bins->n_z + place->z / LAYERS) * bins->n_x + place->x / bins->step_x;
}

/* First cell under the kernel about `at`, and how far from the kernel's start it lies; false when
 * the kernel leaves the grid. */
static bool touch(const struct spread_axis *axis, const double *at, size_t i, uint32_t *first,
                  double *away) {
    if (axis->width == 1) {
        *first = 0;
        return true;
    }
    double start = (at[i] - axis->first) / axis->step - 0.5 * axis->width;
    double last = (double)axis->count - axis->width;
    if (!(start > -ROUNDING && start < last + ROUNDING)) {
        return false;
    }
    double cell = fmax(0.0, fmin(ceil(start), last));
    *first = (uint32_t)cell;
    *away = cell - start;
    return true;
}

static void weigh(const struct spread_axis *axis, double away, float *weight) {
    for (int k = 0; k < axis->width; k++) {
        double u = away + k - 0.5 * axis->width;
        weight[k] =
            axis->width == 1 ? 1.0f : (float)gridding_value(2.0 * u / axis->width, axis->beta);
    }
}

static bool is_axis(const struct spread_axis *axis, const double *at) {
    if (axis->width == 1) {
        return axis->count == 1;
    }
    return at != NULL && axis->width >= 2 && axis->width <= GRIDDING_WIDEST &&
           axis->count >= (size_t)axis->width && axis->count < UINT32_MAX && axis->step != 0.0 &&
           isfinite(axis->first) && isfinite(axis->step);
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Rows of a chunk, from the size of a row. */
static size_t chunk_rows(const struct spread_shape *shape) {
    size_t row = shape->x.count * shape->z.count * SPREAD_FLOATS * sizeof(float);
    size_t rows = smaller(CHUNK_BYTES / row, MOST_ROWS);
    if (shape->z.count > 1 && rows < VOLUME_ROWS) {
        rows = smaller(VOLUME_BYTES / row, VOLUME_ROWS);
    }
    rows = rows > 0 ? rows : 1;
    /* Chunks of one size, as far as that goes. */
    size_t chunks = (shape->y.count + rows - 1) / rows;
    return (shape->y.count + chunks - 1) / chunks;
}

/* order[] after a stable sort of before[] (NULL: 0, 1, ...) by key, of which there are n_key; false
 * when there is no memory. begin[k], for k <= n_key, tells where key k begins. */
static bool sort_by(const size_t *key, size_t n_key, const uint32_t *before, size_t n,
                    uint32_t *order, size_t *begin) {
    size_t *next = calloc(n_key + 1, sizeof *next);
    if (next == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        next[key[i] + 1]++;
    }
    for (size_t k = 0; k < n_key; k++) {
        next[k + 1] += next[k];
    }
    if (begin != NULL) {
        memcpy(begin, next, (n_key + 1) * sizeof *begin);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t item = before != NULL ? before[i] : (uint32_t)i;
        order[next[key[item]]++] = item;
    }
    free(next);
    return true;
}

/* The order: by bins, in a bin by rows, so that neighbours are added together. */
static bool sort(spread *plan, const struct bins *bins, const struct spread_place *place) {
    size_t n = plan->n_point, in_chunk = bins->n_z * bins->n_x, n_bin = plan->n_chunk * in_chunk;
    size_t *key = buffer_alloc(n, sizeof *key), *begin = calloc(n_bin + 1, sizeof *begin);
    uint32_t *by_row = buffer_alloc(n, sizeof *by_row);
    bool good = key != NULL && begin != NULL && by_row != NULL;
    for (size_t i = 0; good && i < n; i++) {
        key[i] = place[i].y;
    }
    good = good && sort_by(key, plan->shape.y.count, NULL, n, by_row, NULL);
    for (size_t i = 0; good && i < n; i++) {
        key[i] = bin_of(bins, place[i].y / plan->chunk_rows, &place[i]);
    }
    good = good && sort_by(key, n_bin, by_row, n, plan->order, begin);
    for (size_t c = 0; good && c <= plan->n_chunk; c++) {
        plan->own[c] = begin[c * in_chunk];
    }
    for (size_t r = 0; good && r < n; r++) {
        plan->rank[plan->order[r]] = (uint32_t)r;
        plan->place[r] = place[plan->order[r]];
    }
    free(key);
    free(begin);
    free(by_row);
    return good;
}

/* Places and weights of all points, then their order. */
static bool place(spread *plan, const double *const at[3]) {
    const struct spread_shape *shape = &plan->shape;
    struct spread_place *place = buffer_alloc(plan->n_point, sizeof *place);
    double(*away)[3] = buffer_zeros(plan->n_point, sizeof *away);
    bool good = place != NULL && away != NULL;
    for (size_t i = 0; good && i < plan->n_point; i++) {
        good = touch(&shape->x, at[0], i, &place[i].x, &away[i][0]) &&
               touch(&shape->y, at[1], i, &place[i].y, &away[i][1]) &&
               touch(&shape->z, at[2], i, &place[i].z, &away[i][2]);
    }
    struct bins bins = make_bins(plan);
    good = good && sort(plan, &bins, place);
    for (size_t i = 0; good && i < plan->n_point; i++) {
        float *weight = plan->weight + plan->rank[i] * plan->points.weight_pitch;
        weigh(&shape->x, away[i][0], weight);
        weigh(&shape->y, away[i][1], weight + shape->x.width);
        weigh(&shape->z, away[i][2], weight + shape->x.width + shape->y.width);
    }
    free(place);
    free(away);
    return good;
}

static void choose(spread *plan, enum nfsar_kernel kernel) {
    plan->add = spread_add_portable;
    plan->gather = spread_gather_portable;
#if defined(__x86_64__)
    if (nfsar_kernel_choose(kernel, &kernel, NULL) == NFSAR_OK) {
        plan->add = kernel == NFSAR_KERNEL_AVX512 ? spread_add_avx512
                    : kernel == NFSAR_KERNEL_AVX2 ? spread_add_avx2
                                                  : spread_add_portable;
        plan->gather = kernel == NFSAR_KERNEL_AVX512 ? spread_gather_avx512
                       : kernel == NFSAR_KERNEL_AVX2 ? spread_gather_avx2
                                                     : spread_gather_portable;
    }
#else
    (void)kernel;
#endif
}

spread *spread_create(const struct spread_shape *shape, const double *x, const double *y,
                      const double *z, size_t n_point, enum nfsar_kernel kernel) {
    if (!is_axis(&shape->x, x) || !is_axis(&shape->y, y) || !is_axis(&shape->z, z) ||
        n_point >= UINT32_MAX / GRIDDING_WIDEST) {
        return NULL;
    }
    spread *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->shape = *shape;
    made->n_point = n_point;
    made->chunk_rows = chunk_rows(shape);
    made->n_chunk = (shape->y.count + made->chunk_rows - 1) / made->chunk_rows;
    struct spread_points *points = &made->points;
    points->width_x = (uint32_t)shape->x.width;
    points->width_y = (uint32_t)shape->y.width;
    points->width_z = (uint32_t)shape->z.width;
    points->weight_pitch = points->width_x + points->width_y + points->width_z;
    points->count_x = shape->x.count;
    points->count_z = shape->z.count;
    made->rank = buffer_alloc(n_point, sizeof *made->rank);
    made->order = buffer_alloc(n_point, sizeof *made->order);
    made->place = buffer_alloc(n_point, sizeof *made->place);
    made->weight = buffer_alloc(n_point * points->weight_pitch, sizeof *made->weight);
    made->own = calloc(made->n_chunk + 1, sizeof *made->own);
    points->place = made->place;
    points->weight = made->weight;
    const double *const at[3] = {x, y, z};
    if (made->rank == NULL || made->order == NULL || made->place == NULL || made->weight == NULL ||
        made->own == NULL || !place(made, at)) {
        spread_destroy(made);
        return NULL;
    }
    choose(made, kernel);
    return made;
}

void spread_destroy(spread *plan) {
    if (plan != NULL) {
        free(plan->rank);
        free(plan->order);
        free(plan->place);
        free(plan->weight);
        free(plan->own);
        free(plan);
    }
}

size_t spread_bytes(const spread *plan) {
    size_t point = 2 * sizeof *plan->rank + sizeof *plan->place +
                   plan->points.weight_pitch * sizeof *plan->weight;
    return sizeof *plan + plan->n_point * point + (plan->n_chunk + 1) * sizeof *plan->own;
}

const uint32_t *spread_rank(const spread *plan) {
    return plan->rank;
}

void spread_take_unsorted(spread *plan) {
    plan->points.source = plan->order;
}

size_t spread_chunks(const spread *plan) {
    return plan->n_chunk;
}

void spread_rows(const spread *plan, size_t chunk, size_t *first, size_t *n) {
    *first = chunk * plan->chunk_rows;
    size_t left = plan->shape.y.count - *first;
    *n = left < plan->chunk_rows ? left : plan->chunk_rows;
}

size_t spread_cells_for(const struct spread_shape *shape) {
    return chunk_rows(shape) * shape->z.count * shape->x.count * SPREAD_VECTORS;
}

size_t spread_cells(const spread *plan) {
    return plan->chunk_rows * plan->shape.z.count * plan->shape.x.count * SPREAD_VECTORS;
}

size_t spread_points(const spread *plan, size_t chunk) {
    return plan->own[chunk + 1] - plan->own[chunk];
}

void spread_chunk(const spread *plan, size_t chunk, const float complex *values, size_t pitch,
                  size_t first_vector, float complex *cells) {
    size_t first, n, reach = (size_t)plan->shape.y.width - 1;
    spread_rows(plan, chunk, &first, &n);
    struct spread_ring ring = {(float *)cells, n, first};
    size_t row = plan->shape.z.count * plan->shape.x.count * SPREAD_VECTORS;
    memset(cells, 0, n * row * sizeof *cells);
    size_t before = first > reach ? (first - reach) / plan->chunk_rows : 0;
    plan->add(&plan->points, plan->own[before], plan->own[chunk + 1],
              (const float *)(values + first_vector), 2 * pitch, &ring, first, first + n);
}

/* Rows that go round in a ring, as a chunk sees them. */
static struct spread_ring ring_of(const spread *plan, size_t chunk, const float complex *cells,
                                  size_t ring) {
    size_t first = chunk * plan->chunk_rows;
    return (struct spread_ring){(float *)(uintptr_t)cells, ring, first - first % ring};
}

void spread_add_chunk(const spread *plan, size_t chunk, const float complex *values, size_t pitch,
                      size_t first_vector, size_t from, float complex *cells, size_t ring) {
    struct spread_ring rows = ring_of(plan, chunk, cells, ring);
    plan->add(&plan->points, plan->own[chunk], plan->own[chunk + 1],
              (const float *)(values + first_vector), 2 * pitch, &rows, from, plan->shape.y.count);
}

void spread_gather_chunk(const spread *plan, size_t chunk, const float complex *cells, size_t ring,
                         float complex *values, size_t pitch, size_t first_vector) {
    struct spread_ring rows = ring_of(plan, chunk, cells, ring);
    plan->gather(&plan->points, plan->own[chunk], plan->own[chunk + 1], &rows,
                 (float *)(values + first_vector), 2 * pitch);
}
