#include "algorithms/nufft_plan.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "algorithms/buffer.h"
#include "algorithms/gridding.h"

/* What single precision keeps, and beyond what nobody wants a result. */
#define SMALLEST_TOLERANCE 1e-5
#define LARGEST_TOLERANCE  0.1

#define DEFAULT_MEMORY ((size_t)2 << 30)

/* Executions that FFTW's measuring is to pay for itself in. */
#define EXECUTIONS 4.0

/* Chunks that each thread should have at least, so that all end together. */
enum { CHUNKS_EACH = 6 };

/* Blocks that each thread should have at least to work on blocks alone; and the planes' bytes. */
enum { BLOCKS_EACH = 4 };
#define APART_BYTES ((size_t)32 << 20)

/* Modes along an axis, and values and results in all, that are not a mistake. */
static const size_t most_modes = (size_t)1 << 24, most_numbers = (size_t)1 << 48;

nfsar_nufft_options nfsar_nufft_defaults(void) {
    return (nfsar_nufft_options){.tolerance = 1e-3, .sign = -1};
}

static enum nfsar_status check_sizes(int dimension, const size_t modes[], size_t n_point,
                                     size_t n_vector, nfsar_error *error) {
    if (dimension != 2 && dimension != 3) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "dimension %d: give 2 or 3", dimension);
    }
    size_t numbers = n_vector;
    for (int k = 0; k < dimension; k++) {
        if (modes[k] < 1 || modes[k] > most_modes) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "modes[%d] = %zu: give 1 to %zu modes along an axis", k, modes[k],
                              most_modes);
        }
        if (__builtin_mul_overflow(numbers, modes[k], &numbers) || numbers > most_numbers) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "%zu vectors of so many modes: no memory holds them", n_vector);
        }
    }
    if (n_point < 1 || n_point > UINT32_MAX / 64) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%zu positions: give 1 to %d", n_point,
                          UINT32_MAX / 64);
    }
    if (n_vector < 1 || n_vector > most_numbers / n_point) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%zu vectors at %zu positions: give 1 or more, and no more than memory "
                          "holds",
                          n_vector, n_point);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_options(const nfsar_nufft_options *options, nfsar_error *error) {
    if (!(options->tolerance >= SMALLEST_TOLERANCE && options->tolerance <= LARGEST_TOLERANCE)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "tolerance %g: single precision keeps %g to %g", options->tolerance,
                          SMALLEST_TOLERANCE, LARGEST_TOLERANCE);
    }
    if (options->sign != -1 && options->sign != 1) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "sign %d: give -1 or 1", options->sign);
    }
    if (options->threads < 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "threads %d: give 0 for all processors",
                          options->threads);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_positions(int dimension, size_t n_point,
                                         const double *const position[], nfsar_error *error) {
    for (int k = 0; k < dimension; k++) {
        if (position[k] == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "position[%d] is missing", k);
        }
        for (size_t i = 0; i < n_point; i++) {
            if (!isfinite(position[k][i])) {
                return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                                  "position[%d][%zu] is %g: leave out what has no position", k, i,
                                  position[k][i]);
            }
        }
    }
    return NFSAR_OK;
}

static void *take(nfsar_nufft_plan *plan, size_t n, size_t size) {
    plan->bytes += n * size;
    return buffer_zeros(n, size);
}

static bool make_correction(nfsar_nufft_plan *plan, struct nufft_axis *axis) {
    axis->correction = take(plan, axis->modes, sizeof *axis->correction);
    for (size_t m = 0; axis->correction != NULL && m < axis->modes; m++) {
        double index = (double)m - (double)(axis->modes / 2);
        double omega = 2.0 * NFSAR_PI * index / (double)axis->fine;
        axis->correction[m] =
            axis->width == 1 ? 1.0f
                             : (float)(1.0 / gridding_transform(axis->width, axis->beta, omega));
    }
    return axis->correction != NULL;
}

/* Transforms of an axis of which an execution makes so many lines. */
static bool make_transforms(nfsar_nufft_plan *plan, struct nufft_axis *axis, double lines) {
    if (axis->fine == 1) {
        return true;
    }
    int sign = plan->options.sign < 0 ? FFTW_FORWARD : FFTW_BACKWARD;
    lines *= EXECUTIONS * (double)plan->n_vector;
    axis->there = transform_plan_line(axis->fine, sign, lines);
    axis->back = transform_plan_line(axis->fine, -sign, lines);
    return axis->there != NULL && axis->back != NULL;
}

static bool make_axes(nfsar_nufft_plan *plan) {
    struct nufft_axis *x = &plan->axis[0], *y = &plan->axis[1], *z = &plan->axis[2];
    double rows = (double)nufft_cells(y), layers = (double)nufft_cells(z);
    for (int k = 0; k < 3; k++) {
        plan->axis[k].pitch = nufft_pitch(plan->axis[k].fine);
        if (!make_correction(plan, &plan->axis[k])) {
            return false;
        }
    }
    return make_transforms(plan, x, rows * layers) &&
           make_transforms(plan, y, (double)x->modes * (double)z->modes) &&
           make_transforms(plan, z, rows * (double)x->modes);
}

/* Positions in steps of the periodic grid. */
static double *wrap(const struct nufft_axis *axis, const double *position, size_t n_point) {
    double *at = buffer_alloc(n_point, sizeof *at);
    for (size_t i = 0; at != NULL && i < n_point; i++) {
        double turns = position[i] / (2.0 * NFSAR_PI), fine = (double)axis->fine;
        double step = (turns - floor(turns)) * fine;
        at[i] = step < fine ? step : 0.0;
    }
    return at;
}

static struct spread_axis spread_axis_of(const struct nufft_axis *axis) {
    return (struct spread_axis){.first = -(double)axis->ghost,
                                .step = 1.0,
                                .count = nufft_cells(axis),
                                .width = axis->width,
                                .beta = axis->beta};
}

static bool make_spread(nfsar_nufft_plan *plan, const double *const position[]) {
    struct spread_shape shape = {spread_axis_of(&plan->axis[0]), spread_axis_of(&plan->axis[1]),
                                 spread_axis_of(&plan->axis[2])};
    double *at[3] = {NULL, NULL, NULL};
    bool good = true;
    for (int k = 0; k < 3; k++) {
        if (plan->axis[k].width > 1) {
            at[k] = wrap(&plan->axis[k], position[k], plan->n_point);
            good = good && at[k] != NULL;
        }
    }
    if (good) {
        plan->spread =
            spread_create(&shape, at[0], at[1], at[2], plan->n_point, plan->options.kernel);
    }
    for (int k = 0; k < 3; k++) {
        free(at[k]);
    }
    if (plan->spread != NULL) {
        spread_take_unsorted(plan->spread);
        plan->bytes += spread_bytes(plan->spread);
    }
    return plan->spread != NULL;
}

/* The chunks weigh what their points and their rows take. */
static bool make_shares(nfsar_nufft_plan *plan) {
    size_t chunks = spread_chunks(plan->spread), first, n;
    plan->load = take(plan, chunks + 1, sizeof *plan->load);
    for (size_t c = 0; plan->load != NULL && c < chunks; c++) {
        spread_rows(plan->spread, c, &first, &n);
        plan->load[c + 1] =
            plan->load[c] + nufft_cost(plan->axis, spread_points(plan->spread, c), (double)n);
    }
    return plan->load != NULL;
}

size_t nufft_share(const nfsar_nufft_plan *plan, size_t n, size_t thread, size_t threads) {
    size_t chunks = spread_chunks(plan->spread), low = 0, high = n * chunks;
    if (thread == threads) {
        return high;
    }
    double all = plan->load[chunks], wanted = all * (double)n * (double)thread / (double)threads;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        double before = all * (double)(middle / chunks) + plan->load[middle % chunks];
        if (before < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool make_scratch(nfsar_nufft_plan *plan) {
    size_t unit = sizeof(float complex), pitch = 0, first, rows;
    bool partial = plan->n_vector % SPREAD_VECTORS != 0;
    const struct nufft_axis *x = &plan->axis[0], *z = &plan->axis[2];
    for (int k = 0; k < 3; k++) {
        pitch = plan->axis[k].pitch > pitch ? plan->axis[k].pitch : pitch;
    }
    spread_rows(plan->spread, 0, &first, &rows);
    plan->chunk_rows = rows;
    plan->ring = rows + (size_t)plan->axis[1].width - 1;
    plan->scratch = take(plan, (size_t)plan->threads, sizeof *plan->scratch);
    plan->rest = take(plan, partial ? plan->n_point * SPREAD_VECTORS : 0, unit);
    bool good = plan->scratch != NULL && plan->rest != NULL;
    for (int t = 0; good && t < plan->threads; t++) {
        struct nufft_scratch *s = &plan->scratch[t];
        s->cells = take(plan, plan->ring * nufft_cells(z) * nufft_cells(x) * SPREAD_VECTORS, unit);
        s->lines = take(plan, NUFFT_TILE * pitch, unit);
        s->bins = take(plan, NUFFT_TILE * pitch, unit);
        size_t layers = z->fine > 1 ? SPREAD_VECTORS * nufft_cells(z) * plan->row_pitch : 0;
        s->layers = take(plan, layers, unit);
        good = s->cells != NULL && s->lines != NULL && s->bins != NULL && s->layers != NULL;
    }
    return good;
}

static enum nfsar_status out_of_memory(const nfsar_nufft_plan *plan, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                      "out of memory for a non-uniform transform of %zu positions", plan->n_point);
}

/* Planes of a block for each thread, when there are blocks enough to keep them busy and the planes
 * may stay in the last cache; else of as many blocks as have chunks for all threads. */
static enum nfsar_status make_planes(nfsar_nufft_plan *plan, nfsar_error *error) {
    size_t block = nufft_plane_bytes(plan->axis), chunks = spread_chunks(plan->spread);
    size_t threads = (size_t)plan->threads, memory = plan->options.memory;
    size_t fit = memory > plan->bytes ? (memory - plan->bytes) / block : 0;
    plan->apart =
        plan->n_block >= BLOCKS_EACH * threads && threads <= fit && threads * block <= APART_BYTES;
    size_t wanted = plan->apart ? threads : (CHUNKS_EACH * threads + chunks - 1) / chunks;
    plan->group = wanted < fit ? wanted : fit;
    plan->group = plan->group < plan->n_block ? plan->group : plan->n_block;
    if (plan->group == 0) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "memory %zu: weights, scratch and a block of eight vectors take %zu; "
                          "allow so much",
                          memory, plan->bytes + block);
    }
    plan->planes = take(plan, plan->group * block / sizeof *plan->planes, sizeof *plan->planes);
    return plan->planes != NULL ? NFSAR_OK : out_of_memory(plan, error);
}

static enum nfsar_status make(nfsar_nufft_plan *plan, const double *const position[],
                              nfsar_error *error) {
    double tolerance = plan->options.tolerance;
    if (!nufft_choose_grid(plan->axis, tolerance, plan->n_point, plan->options.memory)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "memory %zu: eight vectors of so many modes do not fit; allow more",
                          plan->options.memory);
    }
    plan->row_pitch = nufft_pitch(plan->axis[0].modes);
    plan->slab = plan->axis[2].modes * plan->row_pitch;
    plan->plane = nufft_cells(&plan->axis[1]) * plan->slab;
    plan->transpose = transpose_for(plan->options.kernel);
    if (!make_axes(plan) || !make_spread(plan, position) || !make_shares(plan) ||
        !make_scratch(plan)) {
        return out_of_memory(plan, error);
    }
    return make_planes(plan, error);
}

enum nfsar_status nfsar_nufft_plan_create(int dimension, const size_t modes[], size_t n_point,
                                          const double *const position[], size_t n_vector,
                                          const nfsar_nufft_options *options,
                                          nfsar_nufft_plan **plan, nfsar_error *error) {
    nfsar_nufft_options chosen = options != NULL ? *options : nfsar_nufft_defaults();
    *plan = NULL;
    enum nfsar_status status = check_sizes(dimension, modes, n_point, n_vector, error);
    if (status == NFSAR_OK) {
        status = check_options(&chosen, error);
    }
    if (status == NFSAR_OK) {
        status = check_positions(dimension, n_point, position, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_kernel_choose(chosen.kernel, &chosen.kernel, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_nufft_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    chosen.memory = chosen.memory > 0 ? chosen.memory : DEFAULT_MEMORY;
    made->options = chosen;
    made->threads = chosen.threads > 0 ? chosen.threads : omp_get_num_procs();
    made->n_point = n_point;
    made->n_vector = n_vector;
    made->n_block = (n_vector + SPREAD_VECTORS - 1) / SPREAD_VECTORS;
    for (int k = 0; k < 3; k++) {
        bool there = k < dimension;
        made->axis[k] =
            (struct nufft_axis){.modes = there ? modes[k] : 1, .fine = 1, .width = there ? 0 : 1};
    }
    status = make(made, position, error);
    if (status != NFSAR_OK) {
        nfsar_nufft_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

nfsar_nufft_axis nfsar_nufft_plan_axis(const nfsar_nufft_plan *plan, int axis) {
    const struct nufft_axis *a = &plan->axis[axis < 0 ? 0 : axis > 2 ? 2 : axis];
    return (nfsar_nufft_axis){a->modes, a->fine, a->width};
}

size_t nfsar_nufft_plan_memory(const nfsar_nufft_plan *plan) {
    return sizeof *plan + plan->bytes;
}

void nfsar_nufft_plan_destroy(nfsar_nufft_plan *plan) {
    if (plan == NULL) {
        return;
    }
    for (int k = 0; k < 3; k++) {
        transform_destroy(plan->axis[k].there);
        transform_destroy(plan->axis[k].back);
        free(plan->axis[k].correction);
    }
    for (int t = 0; plan->scratch != NULL && t < plan->threads; t++) {
        free(plan->scratch[t].cells);
        free(plan->scratch[t].lines);
        free(plan->scratch[t].bins);
        free(plan->scratch[t].layers);
    }
    free(plan->scratch);
    spread_destroy(plan->spread);
    free(plan->load);
    free(plan->planes);
    free(plan->rest);
    free(plan);
}
