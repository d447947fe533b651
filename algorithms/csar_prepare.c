/* Tables and scratch of a plan whose sizes are known. */
#include "algorithms/csar_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/compensate_cylinder.h"
#include "algorithms/frequencies.h"

static enum nfsar_status check_options(const nfsar_csar_options *options, nfsar_error *error) {
    if (!(options->tolerance >= 1e-5 && options->tolerance <= 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g: must be from 1e-5 to 0.1",
                          options->tolerance);
    }
    return NFSAR_OK;
}

enum nfsar_status csar_begin(nfsar_csar_plan *plan, const nfsar_capture *capture,
                             const nfsar_cylinder *cylinder, const nfsar_grid *grid,
                             const nfsar_csar_options *options, nfsar_csar_report *report,
                             nfsar_error *error) {
    plan->capture = capture;
    plan->cylinder = *cylinder;
    plan->grid = *grid;
    plan->options = options != NULL ? *options : nfsar_csar_defaults();
    plan->threads = plan->options.threads > 0 ? plan->options.threads : omp_get_num_procs();
    plan->reference = compensate_cylinder_reference(plan->options.reference, cylinder, grid);
    enum nfsar_status status = check_options(&plan->options, error);
    if (status == NFSAR_OK) {
        status = nfsar_grid_check(grid, error);
    }
    if (status == NFSAR_OK) {
        status = frequencies_make(capture, plan->options.frequency_window, &plan->wavenumber,
                                  &plan->taper, error);
    }
    if (status == NFSAR_OK) {
        frequencies_range(plan->wavenumber, capture->n_sample, &plan->k_min, &plan->k_max);
    }
    return status == NFSAR_OK ? csar_size(plan, report, error) : status;
}

static bool make_table(float **table, size_t n, const struct taps *taps, double step) {
    *table = malloc(n * sizeof **table);
    for (size_t i = 0; *table != NULL && i < n; i++) {
        double omega = step * (double)i;
        (*table)[i] =
            (float)(taps->width == 1 ? 1.0
                                     : 1.0 / gridding_transform(taps->width, taps->beta, omega));
    }
    return *table != NULL;
}

static bool make_lateral(const struct taps *taps, struct csar_lateral *to, double lines) {
    to->correction = malloc(to->count * sizeof *to->correction);
    for (size_t i = 0; to->correction != NULL && i < to->count; i++) {
        double at = (double)i - (double)(to->count / 2);
        double omega = 2.0 * NFSAR_PI * at / (double)to->length;
        to->correction[i] = (float)(1.0 / gridding_transform(taps->width, taps->beta, omega));
    }
    to->plan = transform_plan_line(to->length, FFTW_BACKWARD, lines);
    return to->correction != NULL && to->plan != NULL;
}

static bool make_directions(nfsar_csar_plan *plan, double k_y) {
    for (size_t i = 0; i < plan->n_length; i++) {
        size_t n = plan->length[i];
        double *to = plan->direction[i] = malloc(2 * n * sizeof *to);
        plan->to_angles[i] =
            transform_plan_line(n, FFTW_BACKWARD, k_y * (double)plan->n_node / CSAR_LENGTHS);
        if (to == NULL || plan->to_angles[i] == NULL) {
            return false;
        }
        for (size_t j = 0; j < n; j++) {
            double angle = plan->first_angle + 2.0 * NFSAR_PI * (double)j / (double)n;
            to[j] = cos(angle);
            to[n + j] = sin(angle);
        }
    }
    return true;
}

static bool make_tables(nfsar_csar_plan *plan) {
    double k_y = 2.0 * (double)plan->half + 1.0, nodes = (double)plan->n_node;
    double sets = (double)plan->n_residue, turn = 2.0 * NFSAR_PI / (double)plan->n_angle;
    double slice = (double)(plan->x.count * plan->z.count);
    struct taps none = {.width = 1};
    bool made = make_table(&plan->of_order, plan->orders + 1, plan->lattice ? &none : &plan->around,
                           turn) &&
                make_table(&plan->of_rise, (size_t)plan->half + 1, &plan->upward,
                           plan->k_y_step * plan->fine_step) &&
                make_lateral(&plan->across, &plan->x, k_y * (double)plan->z.length) &&
                make_lateral(&plan->across, &plan->z, k_y * (double)plan->x.count) &&
                make_directions(plan, k_y);
    plan->turn = transform_plan_line(plan->n_angle, FFTW_FORWARD, nodes * (double)plan->n_fine);
    plan->climb = transform_plan_line(plan->rise_length, FFTW_FORWARD,
                                      sets * nodes * (double)(2 * plan->orders + 1));
    plan->down = transform_plan_line(plan->down_length, FFTW_BACKWARD, sets * slice);
    return made && plan->turn != NULL && plan->climb != NULL && plan->down != NULL;
}

static bool allocate(nfsar_csar_plan *plan) {
    size_t unit = sizeof(float complex), n = 2 * plan->orders + 1;
    size_t threads = (size_t)plan->threads, group = plan->group * plan->n_term;
    size_t line = plan->capture->array.n_channel * plan->capture->n_sample;
    plan->samples = buffer_alloc(plan->pulse_block * line, unit);
    plan->values = buffer_alloc(group * csar_lines(plan), unit);
    plan->rows = buffer_alloc(threads * plan->n_fine * plan->angle_row, unit);
    plan->turned = buffer_alloc(group * n * plan->n_fine, unit);
    plan->waves = buffer_alloc(plan->bins * group * n, unit);
    plan->slices = buffer_alloc(plan->bins * csar_slice_pitch(plan), unit);
    plan->work = buffer_alloc(threads * plan->work_size, unit);
    return plan->samples != NULL && plan->values != NULL && plan->rows != NULL &&
           plan->turned != NULL && plan->waves != NULL && plan->slices != NULL &&
           plan->work != NULL;
}

enum nfsar_status csar_prepare(nfsar_csar_plan *plan, nfsar_error *error) {
    if (!make_tables(plan) || !allocate(plan)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for %zu nodes, %zu orders and %ld heights of waves",
                          plan->n_node, 2 * plan->orders + 1, 2 * plan->half + 1);
    }
    return csar_fill_lines(plan, error);
}

void csar_release(nfsar_csar_plan *plan) {
    free(plan->wavenumber);
    free(plan->taper);
    free(plan->node);
    free(plan->class);
    free(plan->to_nodes);
    free(plan->of_order);
    free(plan->of_rise);
    for (size_t i = 0; i < CSAR_LENGTHS; i++) {
        free(plan->direction[i]);
        transform_destroy(plan->to_angles[i]);
    }
    free(plan->x.correction);
    free(plan->z.correction);
    transform_destroy(plan->x.plan);
    transform_destroy(plan->z.plan);
    transform_destroy(plan->turn);
    transform_destroy(plan->climb);
    transform_destroy(plan->down);
    free(plan->line);
    free(plan->samples);
    free(plan->values);
    free(plan->rows);
    free(plan->turned);
    free(plan->waves);
    free(plan->slices);
    free(plan->work);
}
