#include <nfsar/sparse.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/choice.h"
#include "algorithms/sparse/fista.h"
#include "algorithms/sparse/pair.h"
#include "algorithms/sparse/resolution.h"
#include "algorithms/sparse/vectors.h"

/* Steps of the power iteration: what is left of its error FISTA notices. */
enum { POWER_STEPS = 8 };

/* Dual steps of TV for each step of FISTA; they go on from where the last ones ended. */
enum { TV_STEPS = 20 };

/* What the total variation weighs, its length the finest that is resolved, over what l1 would; and
 * what l1 does beside it: enough to clear what is empty, little of which the rest loses. */
#define TV_SHARE 0.15
#define L1_SHARE 0.2

/* Bytes that a reconstruction may take unasked, the operators' tables aside. */
#define DEFAULT_MEMORY ((size_t)8 << 30)

static const char *const names[] = {
    [NFSAR_SPARSE_L1] = "l1", [NFSAR_SPARSE_TV] = "tv", [NFSAR_SPARSE_L1_TV] = "l1+tv"};

enum nfsar_status nfsar_sparse_parse(const char *name, enum nfsar_sparse *sparse,
                                     nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status =
        choice_parse("penalty", names, sizeof names / sizeof *names, name, &index, error);
    if (status == NFSAR_OK) {
        *sparse = (enum nfsar_sparse)index;
    }
    return status;
}

static const char *const operators[] = {[NFSAR_SPARSE_AUTO] = "auto",
                                        [NFSAR_SPARSE_EXACT] = "exact",
                                        [NFSAR_SPARSE_PLANAR] = "planar",
                                        [NFSAR_SPARSE_CYLINDRICAL] = "cylindrical"};

enum nfsar_status nfsar_sparse_operators_parse(const char *name, enum nfsar_sparse_operators *which,
                                               nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status = choice_parse(
        "operators", operators, sizeof operators / sizeof *operators, name, &index, error);
    if (status == NFSAR_OK) {
        *which = (enum nfsar_sparse_operators)index;
    }
    return status;
}

const char *nfsar_sparse_operators_name(enum nfsar_sparse_operators which) {
    return operators[which];
}

const char *nfsar_sparse_name(enum nfsar_sparse sparse) {
    return names[sparse];
}

nfsar_sparse_options nfsar_sparse_defaults(void) {
    return (nfsar_sparse_options){.penalty = NFSAR_SPARSE_L1,
                                  .operators = NFSAR_SPARSE_AUTO,
                                  .weight = 0.05,
                                  .tolerance = 1e-3,
                                  .iterations = 500};
}

static enum nfsar_status check(const nfsar_sparse_options *options, nfsar_error *error) {
    if (!(options->weight > 0.0 && options->weight < 1.0)) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "sparse weight %g: above 0 and below 1, a part of the strongest scatterer",
            options->weight);
    }
    if (!(options->tolerance >= 0.0 && options->tolerance < 1.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "sparse tolerance %g: from 0 to below 1",
                          options->tolerance);
    }
    if (options->iterations == 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "sparse iterations 0: 1 or more");
    }
    if (options->threads < 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "sparse threads %d: 1 or more, or 0 for all processors",
                          options->threads);
    }
    return NFSAR_OK;
}

/* What one reconstruction works with. */
struct work {
    struct pair pair;
    double length; /* that the total variation is measured in, metres */
    double turns;  /* two-way phase of depth, rad/m */
    double scale;  /* largest number among the echoes, 0 for none */
    float complex *samples;
};

/* Copies of the volume and of the samples: the solver's four, the echoes, and two for a moment. */
static enum nfsar_status check_memory(const nfsar_capture *capture, const nfsar_grid *grid,
                                      const nfsar_sparse_options *options, nfsar_error *error) {
    const struct proximal_shape shape = {
        .x = grid->x.count, .y = grid->y.count, .z = grid->z.count};
    double limit = (double)(options->memory > 0 ? options->memory : DEFAULT_MEMORY);
    double tv = (double)proximal_copies(shape, options->penalty != NFSAR_SPARSE_L1);
    double voxels = (double)nfsar_grid_voxels(grid);
    double samples =
        (double)capture->n_pulse * (double)capture->array.n_channel * (double)capture->n_sample;
    double bytes =
        (6.0 * voxels + 6.0 * samples) * sizeof(float complex) + tv * voxels * sizeof(float);
    return bytes <= limit
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                            "%.0f voxels and %.0f samples take %.0f MiB, more than the %.0f MiB "
                            "allowed: give a smaller grid, or more memory",
                            voxels, samples, bytes / 1048576.0, limit / 1048576.0);
}

/* Everything in units of the largest number among the echoes, so that no scale overflows. */
static void normalise(struct work *work) {
    work->scale = 0.0;
    for (size_t i = 0; i < work->pair.op.n_sample; i++) {
        double re = fabs((double)crealf(work->samples[i]));
        work->scale = fmax(work->scale, fmax(re, fabs((double)cimagf(work->samples[i]))));
    }
    for (size_t i = 0; work->scale > 0.0 && i < work->pair.op.n_sample; i++) {
        work->samples[i] = (float complex)((double complex)work->samples[i] / work->scale);
    }
}

static enum nfsar_status prepare(struct work *work, const nfsar_capture *capture,
                                 const nfsar_grid *grid, const nfsar_echo_source *source,
                                 const nfsar_sparse_options *options, nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_check(capture, error);
    }
    if (status == NFSAR_OK) {
        status = check_memory(capture, grid, options, error);
    }
    if (status == NFSAR_OK) {
        status =
            pair_choose(capture, grid, options->operators, options->threads, &work->pair, error);
    }
    if (status == NFSAR_OK) {
        status = resolution_finest(capture, grid, &work->length, &work->turns, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    work->samples = buffer_alloc(work->pair.op.n_sample, sizeof *work->samples);
    if (work->samples == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu samples",
                          work->pair.op.n_sample);
    }
    status = source->read(source->context, 0, capture->n_pulse, 0, capture->n_sample, work->samples,
                          error);
    for (size_t i = 0; status == NFSAR_OK && i < work->pair.op.n_sample; i++) {
        if (!isfinite(crealf(work->samples[i])) || !isfinite(cimagf(work->samples[i]))) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "a sample of pulse %zu is not finite",
                                i / capture->n_sample / capture->array.n_channel);
        }
    }
    if (status == NFSAR_OK) {
        normalise(work);
    }
    return status;
}

/* A stretch of the whole progress. */
struct stretch {
    const nfsar_progress *whole;
    double from, length;
};

static bool report_stretch(void *context, double fraction) {
    const struct stretch *stretch = context;
    return nfsar_progress_report(stretch->whole, stretch->from + stretch->length * fraction);
}

/* A start in the units of the echoes. */
static enum nfsar_status take_start(const struct work *work, float complex *image,
                                    nfsar_error *error) {
    for (size_t i = 0; i < work->pair.op.n_image; i++) {
        if (!isfinite(crealf(image[i])) || !isfinite(cimagf(image[i]))) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "voxel %zu of the start is not finite", i);
        }
        image[i] = (float complex)((double complex)image[i] / work->scale);
    }
    return NFSAR_OK;
}

/* Step and weights from the data: lambda = weight max |A^H s|. */
static enum nfsar_status choose_weights(const struct work *work,
                                        const nfsar_sparse_options *options,
                                        struct fista_problem *problem,
                                        const nfsar_progress *progress, nfsar_error *error) {
    float complex *image = buffer_alloc(work->pair.op.n_image, sizeof *image);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels",
                          work->pair.op.n_image);
    }
    enum nfsar_status status =
        work->pair.op.adjoint(work->pair.op.context, work->samples, image, error);
    double weight = options->weight * vectors_peak(image, work->pair.op.n_image);
    free(image);
    problem->l1 = options->penalty == NFSAR_SPARSE_L1      ? weight
                  : options->penalty == NFSAR_SPARSE_L1_TV ? L1_SHARE * weight
                                                           : 0.0;
    problem->tv = options->penalty != NFSAR_SPARSE_L1 ? TV_SHARE * weight : 0.0;
    return status == NFSAR_OK
               ? operator_norm(&work->pair.op, POWER_STEPS, &problem->lipschitz, progress, error)
               : status;
}

static enum nfsar_status solve(const struct work *work, const nfsar_grid *grid,
                               const nfsar_sparse_options *options, float complex *image,
                               nfsar_sparse_report *report, const nfsar_progress *progress,
                               nfsar_error *error) {
    const struct proximal_shape shape = {.x = grid->x.count,
                                         .y = grid->y.count,
                                         .z = grid->z.count,
                                         .weight = {work->length / grid->x.step,
                                                    work->length / grid->y.step,
                                                    work->length / grid->z.step},
                                         .turn = work->turns * grid->z.step};
    struct fista_problem problem = {.op = &work->pair.op,
                                    .shape = shape,
                                    .threads = options->threads,
                                    .samples = work->samples,
                                    .tolerance = options->tolerance,
                                    .iterations = options->iterations,
                                    .tv_iterations = TV_STEPS};
    struct fista_outcome outcome = {.converged = true};
    /* The power iteration's steps cost as much as the solver's. */
    double power = (double)POWER_STEPS / (double)(POWER_STEPS + options->iterations);
    struct stretch stretches[2] = {{progress, 0.0, power}, {progress, power, 1.0 - power}};
    const nfsar_progress first = {report_stretch, &stretches[0]};
    const nfsar_progress second = {report_stretch, &stretches[1]};
    enum nfsar_status status = NFSAR_OK;
    if (options->start && work->scale > 0.0) {
        status = take_start(work, image, error);
    } else {
        memset(image, 0, work->pair.op.n_image * sizeof *image);
    }
    /* Without an echo there is nothing to explain. */
    if (status == NFSAR_OK && work->scale > 0.0) {
        status = choose_weights(work, options, &problem, &first, error);
        if (status == NFSAR_OK) {
            status = fista_solve(&problem, image, &outcome, &second, error);
        }
    }
    for (size_t i = 0; i < work->pair.op.n_image; i++) {
        image[i] = (float complex)((double complex)image[i] * work->scale);
    }
    *report = (nfsar_sparse_report){.operators = work->pair.which,
                                    .lipschitz = outcome.lipschitz,
                                    .l1 = problem.l1 * work->scale,
                                    .tv = problem.tv * work->scale,
                                    .length = work->length,
                                    .iterations = outcome.iterations,
                                    .restarts = outcome.restarts,
                                    .converged = outcome.converged,
                                    .excess = outcome.excess,
                                    .capped = outcome.capped,
                                    .residual = outcome.residual,
                                    .objective = outcome.objective * work->scale * work->scale};
    return status;
}

enum nfsar_status nfsar_sparse_run(const nfsar_capture *capture, const nfsar_grid *grid,
                                   const nfsar_echo_source *source,
                                   const nfsar_sparse_options *options, float complex *image,
                                   nfsar_sparse_report *report, const nfsar_progress *progress,
                                   nfsar_error *error) {
    nfsar_sparse_options chosen = options != NULL ? *options : nfsar_sparse_defaults();
    nfsar_sparse_report unread;
    struct work work = {0};
    enum nfsar_status status = check(&chosen, error);
    if (status == NFSAR_OK) {
        status = prepare(&work, capture, grid, source, &chosen, error);
    }
    if (status == NFSAR_OK) {
        status =
            solve(&work, grid, &chosen, image, report != NULL ? report : &unread, progress, error);
    }
    pair_release(&work.pair);
    free(work.samples);
    return status;
}
