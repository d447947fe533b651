#include "algorithms/csar_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nfsar_csar_options nfsar_csar_defaults(void) {
    return (nfsar_csar_options){.compensation = NFSAR_COMPENSATION_EVERY_RANGE,
                                .reference = {NAN, NAN, NAN},
                                .tolerance = 1e-3};
}

enum nfsar_status nfsar_csar_plan_create(const nfsar_capture *capture,
                                         const nfsar_cylinder *cylinder, const nfsar_grid *grid,
                                         const nfsar_csar_options *options, nfsar_csar_plan **plan,
                                         nfsar_error *error) {
    *plan = NULL;
    nfsar_csar_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = csar_begin(made, capture, cylinder, grid, options, NULL, error);
    if (status == NFSAR_OK) {
        status = csar_prepare(made, error);
    }
    if (status != NFSAR_OK) {
        nfsar_csar_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

enum nfsar_status nfsar_csar_check(const nfsar_capture *capture, const nfsar_cylinder *cylinder,
                                   const nfsar_grid *grid, const nfsar_csar_options *options,
                                   nfsar_csar_report *report, nfsar_error *error) {
    nfsar_csar_plan *tried = calloc(1, sizeof *tried);
    if (tried == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = csar_begin(tried, capture, cylinder, grid, options, report, error);
    nfsar_csar_plan_destroy(tried);
    return status;
}

enum nfsar_status nfsar_csar_execute(nfsar_csar_plan *plan, const nfsar_echo_source *source,
                                     float complex *image, const nfsar_progress *progress,
                                     nfsar_error *error) {
    size_t groups = (plan->n_node + plan->group - 1) / plan->group;
    double done = 0.0, all = (double)(groups * (plan->n_residue + 1));
    memset(image, 0, nfsar_grid_voxels(&plan->grid) * sizeof *image);
    for (size_t first = 0; first < plan->n_node; first += plan->group) {
        size_t n = plan->n_node - first < plan->group ? plan->n_node - first : plan->group;
        enum nfsar_status status = csar_place(plan, source, first, n, error);
        if (status != NFSAR_OK) {
            return status;
        }
        bool go_on = nfsar_progress_report(progress, (done += 1.0) / all);
        for (size_t r = 0; go_on && r < plan->n_residue; r++) {
            csar_waves(plan, r, n);
            csar_slices(plan, r, first, n);
            csar_rise(plan, r, image);
            go_on = nfsar_progress_report(progress, (done += 1.0) / all);
        }
        if (!go_on) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    return NFSAR_OK;
}

/* Adds to list[room] as far as it goes. */
static size_t add(nfsar_csar_transform *list, size_t room, size_t n, size_t length, size_t count,
                  int sign) {
    if (n < room) {
        list[n] = (nfsar_csar_transform){length, 1, count, sign};
    }
    return n + 1;
}

size_t nfsar_csar_plan_transforms(const nfsar_csar_plan *plan, nfsar_csar_transform *list,
                                  size_t room) {
    size_t orders = 2 * plan->orders + 1, k_y = 2 * (size_t)plan->half + 1;
    size_t groups = (plan->n_node + plan->group - 1) / plan->group, n = 0;
    size_t to_angles[CSAR_LENGTHS] = {0};
    for (long i = -plan->half; i <= plan->half; i++) {
        size_t nodes = 0, length = csar_length_at(plan, i, &nodes);
        to_angles[length] += nodes;
    }
    n = add(list, room, n, plan->n_angle, plan->n_node * plan->n_fine, -1);
    n = add(list, room, n, plan->rise_length, plan->n_residue * plan->n_node * orders, -1);
    for (size_t i = 0; i < plan->n_length; i++) {
        n = add(list, room, n, plan->length[i], to_angles[i], +1);
    }
    n = add(list, room, n, plan->x.length, groups * k_y * plan->z.length, +1);
    n = add(list, room, n, plan->z.length, groups * k_y * plan->x.count, +1);
    n = add(list, room, n, plan->down_length,
            groups * plan->n_residue * plan->x.count * plan->z.count, +1);
    return n;
}

size_t nfsar_csar_plan_memory(const nfsar_csar_plan *plan) {
    return plan->bytes;
}

void nfsar_csar_plan_destroy(nfsar_csar_plan *plan) {
    if (plan != NULL) {
        csar_release(plan);
        free(plan);
    }
}
