#include "algorithms/sparse/pair.h"

#include <math.h>

#include "algorithms/sparse/cylindrical.h"
#include "algorithms/sparse/exact.h"
#include "algorithms/sparse/planar.h"

/* Of one processor, for a voxel and a line of samples there and back. */
#define EXACT_SECONDS 2.5e-9

/* Seconds of one processor for the exact pair. */
static double exact_seconds(const nfsar_capture *capture, const nfsar_grid *grid) {
    double lines = (double)capture->n_pulse * (double)capture->array.n_channel;
    return EXACT_SECONDS * lines * (double)nfsar_grid_voxels(grid);
}

static enum nfsar_status refuse(enum nfsar_status status, enum nfsar_sparse_operators which,
                                const nfsar_error *why, nfsar_error *error) {
    return nfsar_fail(error, status, "%s operators: %s; the exact ones have no such limit",
                      nfsar_sparse_operators_name(which), why->message);
}

/* The planar pair if it is wanted, or suits and takes less than `limit` seconds. */
static enum nfsar_status try_planar(const nfsar_capture *capture, const nfsar_grid *grid,
                                    bool wanted, int threads, double limit, struct pair *pair,
                                    nfsar_error *error) {
    nfsar_error why = {0};
    enum nfsar_status status =
        planar_create(capture, grid, threads, wanted ? INFINITY : limit, &pair->planar, &why);
    if (status != NFSAR_OK) {
        return wanted ? refuse(status, NFSAR_SPARSE_PLANAR, &why, error) : NFSAR_OK;
    }
    if (!wanted && planar_seconds(pair->planar) > limit) {
        planar_destroy(pair->planar);
        pair->planar = NULL;
        return NFSAR_OK;
    }
    pair->which = NFSAR_SPARSE_PLANAR;
    pair->op = planar_operator(pair->planar);
    return NFSAR_OK;
}

static enum nfsar_status try_cylindrical(const nfsar_capture *capture, const nfsar_grid *grid,
                                         bool wanted, int threads, double limit, struct pair *pair,
                                         nfsar_error *error) {
    nfsar_error why = {0};
    enum nfsar_status status = cylindrical_create(capture, grid, threads, &pair->cylindrical, &why);
    if (status != NFSAR_OK) {
        return wanted ? refuse(status, NFSAR_SPARSE_CYLINDRICAL, &why, error) : NFSAR_OK;
    }
    if (!wanted && cylindrical_seconds(pair->cylindrical) > limit) {
        cylindrical_destroy(pair->cylindrical);
        pair->cylindrical = NULL;
        return NFSAR_OK;
    }
    pair->which = NFSAR_SPARSE_CYLINDRICAL;
    pair->op = cylindrical_operator(pair->cylindrical);
    return NFSAR_OK;
}

enum nfsar_status pair_choose(const nfsar_capture *capture, const nfsar_grid *grid,
                              enum nfsar_sparse_operators wanted, int threads, struct pair *pair,
                              nfsar_error *error) {
    double limit = exact_seconds(capture, grid);
    bool any = wanted == NFSAR_SPARSE_AUTO;
    enum nfsar_status status = NFSAR_OK;
    *pair = (struct pair){.which = NFSAR_SPARSE_AUTO};
    if (any || wanted == NFSAR_SPARSE_PLANAR) {
        status = try_planar(capture, grid, !any, threads, limit, pair, error);
    }
    if (status == NFSAR_OK &&
        ((any && pair->which == NFSAR_SPARSE_AUTO) || wanted == NFSAR_SPARSE_CYLINDRICAL)) {
        status = try_cylindrical(capture, grid, !any, threads, limit, pair, error);
    }
    if (status == NFSAR_OK && pair->which == NFSAR_SPARSE_AUTO) {
        status = exact_create(capture, grid, threads, &pair->exact, error);
        pair->which = NFSAR_SPARSE_EXACT;
        pair->op = status == NFSAR_OK ? exact_operator(pair->exact) : pair->op;
    }
    return status;
}

void pair_release(struct pair *pair) {
    planar_destroy(pair->planar);
    cylindrical_destroy(pair->cylindrical);
    exact_destroy(pair->exact);
    *pair = (struct pair){0};
}
