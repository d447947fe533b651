#include <nfsar/sparse.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/choice.h"
#include "algorithms/sparse/fista.h"
#include "algorithms/sparse/pair.h"
#include "algorithms/sparse/vectors.h"

/* Steps of the power iteration: what is left of its error FISTA notices. */
enum { POWER_STEPS = 8 };

/* Dual steps of TV for each step of FISTA; they go on from where the last ones ended. */
enum { TV_STEPS = 20 };

/* lambda_TV over lambda_1. */
#define TV_SHARE 0.5

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
                                  .iterations = 200};
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
    return NFSAR_OK;
}

/* What one reconstruction works with. */
struct work {
    struct pair pair;
    float complex *samples;
};

static enum nfsar_status prepare(struct work *work, const nfsar_capture *capture,
                                 const nfsar_grid *grid, const nfsar_echo_source *source,
                                 const nfsar_sparse_options *options, nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_check(capture, error);
    }
    if (status == NFSAR_OK) {
        status =
            pair_choose(capture, grid, options->operators, options->threads, &work->pair, error);
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
    return status;
}

/* Step and weights from the data: lambda = weight max |A^H s|. */
static enum nfsar_status choose_weights(const struct work *work,
                                        const nfsar_sparse_options *options,
                                        struct fista_problem *problem, nfsar_error *error) {
    float complex *image = buffer_alloc(work->pair.op.n_image, sizeof *image);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels",
                          work->pair.op.n_image);
    }
    enum nfsar_status status =
        work->pair.op.adjoint(work->pair.op.context, work->samples, image, error);
    double weight = options->weight * vectors_peak(image, work->pair.op.n_image);
    free(image);
    problem->l1 = options->penalty != NFSAR_SPARSE_TV ? weight : 0.0;
    problem->tv = options->penalty != NFSAR_SPARSE_L1 ? TV_SHARE * weight : 0.0;
    return status == NFSAR_OK
               ? operator_norm(&work->pair.op, POWER_STEPS, &problem->lipschitz, error)
               : status;
}

static enum nfsar_status solve(const struct work *work, const nfsar_grid *grid,
                               const nfsar_sparse_options *options, float complex *image,
                               nfsar_sparse_report *report, const nfsar_progress *progress,
                               nfsar_error *error) {
    struct fista_problem problem = {.op = &work->pair.op,
                                    .shape = {grid->x.count, grid->y.count, grid->z.count},
                                    .samples = work->samples,
                                    .tolerance = options->tolerance,
                                    .iterations = options->iterations,
                                    .tv_iterations = TV_STEPS};
    struct fista_outcome outcome = {0};
    enum nfsar_status status = choose_weights(work, options, &problem, error);
    if (status == NFSAR_OK && !options->start) {
        memset(image, 0, work->pair.op.n_image * sizeof *image);
    }
    if (status == NFSAR_OK && problem.l1 == 0.0 && problem.tv == 0.0) {
        /* No echo at all. */
        memset(image, 0, work->pair.op.n_image * sizeof *image);
        outcome.converged = true;
    } else if (status == NFSAR_OK) {
        status = fista_solve(&problem, image, &outcome, progress, error);
    }
    *report = (nfsar_sparse_report){.operators = work->pair.which,
                                    .lipschitz = outcome.lipschitz,
                                    .l1 = problem.l1,
                                    .tv = problem.tv,
                                    .iterations = outcome.iterations,
                                    .restarts = outcome.restarts,
                                    .converged = outcome.converged,
                                    .change = outcome.change,
                                    .residual = outcome.residual,
                                    .objective = outcome.objective};
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
