#include "algorithms/nurma_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

struct nfsar_nurma_plan {
    nfsar_rma_plan rma;
    struct nurma nurma;
    nfsar_vec3 no_shift;
};

nfsar_nurma_options nfsar_nurma_defaults(void) {
    return (nfsar_nurma_options){
        .offsets = NFSAR_OFFSETS_EXACT,
        .compensation = NFSAR_COMPENSATION_REFERENCE_POINT,
        .reference = {NAN, NAN, NAN},
        .plane = NAN,
        .frequency_window = NFSAR_WINDOW_RECTANGULAR,
        .aperture_window = NFSAR_WINDOW_RECTANGULAR,
        .tolerance = 1e-3,
    };
}

static enum nfsar_status check(const nfsar_nurma_options *options, nfsar_error *error) {
    if (!(options->tolerance >= 1e-5 && options->tolerance <= 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g: from 1e-5 to 0.1",
                          options->tolerance);
    }
    return NFSAR_OK;
}

/* Aperture window of one coordinate. */
static float taper(enum nfsar_window window, struct nurma_range range, double at) {
    float weight = 1.0f;
    double place = range.high > range.low ? (at - range.low) / (range.high - range.low) : 0.5;
    nfsar_window_taper_at(window, &place, 1, &weight);
    return weight;
}

void nurma_line(const nfsar_rma_plan *plan, nfsar_vec3 tx, nfsar_vec3 rx, struct rma_line *line) {
    const struct nurma *nurma = plan->nurma;
    nfsar_vec3 at = nfsar_vec3_midpoint(tx, rx);
    double away = plan->side * (at.z - nurma->plane);
    enum nfsar_window window = plan->options.aperture_window;
    if (nurma->offsets != NFSAR_OFFSETS_EXACT) {
        /* The baseline's term is that of the plane too. */
        tx.z += nurma->plane - at.z;
        rx.z += nurma->plane - at.z;
    }
    line->cell = 0;
    line->path = nfsar_compensation_path(plan->options.compensation, tx, rx, plan->reference) +
                 2.0 * (plan->distance - nurma->fraction * away);
    line->weight = taper(window, nurma->x, at.x) * taper(window, nurma->y, at.y);
}

static void shape_of(const nfsar_rma_plan *plan, struct spread_shape *shape) {
    const struct nurma *nurma = plan->nurma;
    const nfsar_lattice_axis *place[2] = {&nurma->lattice.x, &nurma->lattice.y};
    const bool line[2] = {plan->x.line, plan->y.line};
    struct spread_axis *axis[2] = {&shape->x, &shape->y};
    for (int a = 0; a < 2; a++) {
        *axis[a] = (struct spread_axis){.first = place[a]->first,
                                        .step = place[a]->step,
                                        .count = place[a]->count,
                                        .width = nurma->kernel.width,
                                        .beta = nurma->kernel.beta};
        if (line[a]) {
            *axis[a] = (struct spread_axis){.step = 1.0, .count = 1, .width = 1};
        }
    }
    shape->z = nurma->layer;
}

size_t nurma_bytes(const nfsar_rma_plan *plan) {
    const struct nurma *nurma = plan->nurma;
    size_t lines = plan->capture->n_pulse * plan->capture->array.n_channel;
    size_t width = (size_t)(2 * nurma->kernel.width + nurma->layer.width);
    struct spread_shape shape;
    shape_of(plan, &shape);
    /* A last, partial block of frequencies takes the room of a whole one. */
    size_t rest = (SPREAD_VECTORS - 1) * sizeof(float complex);
    return lines * (width * sizeof(float) + 16 + 3 * sizeof(double) + 4 + rest) +
           (size_t)plan->threads * spread_cells_for(&shape) * sizeof(float complex);
}

/* Sort the phase centres by place and offset. */
static struct spread *sort_places(const nfsar_rma_plan *plan) {
    const struct nurma *nurma = plan->nurma;
    size_t lines = plan->capture->n_pulse * plan->capture->array.n_channel;
    double *away = malloc(lines * sizeof *away);
    struct spread *made = NULL;
    if (away != NULL) {
        struct spread_shape shape;
        shape_of(plan, &shape);
        for (size_t l = 0; l < lines; l++) {
            away[l] = plan->side * (nurma->place[2][l] - nurma->plane);
        }
        made =
            spread_create(&shape, nurma->place[0], nurma->place[1], away, lines, NFSAR_KERNEL_AUTO);
    }
    free(away);
    return made;
}

enum nfsar_status nurma_prepare(nfsar_rma_plan *plan, nfsar_error *error) {
    struct nurma *nurma = plan->nurma;
    size_t lines = plan->capture->n_pulse * plan->capture->array.n_channel;
    size_t threads = (size_t)plan->threads, unit = sizeof(float complex);
    nurma->spread = sort_places(plan);
    if (nurma->spread != NULL) {
        size_t cells = threads * spread_cells(nurma->spread);
        size_t tiles = threads * NURMA_TILES * plan->y.bins;
        nurma->rank = spread_rank(nurma->spread);
        nurma->amplitude = malloc(lines * sizeof *nurma->amplitude);
        nurma->values = buffer_zeros(lines * nurma->pitch, unit);
        nurma->cells = buffer_alloc(cells, unit);
        nurma->column = buffer_alloc(tiles, sizeof *nurma->column);
        plan->bytes += spread_bytes(nurma->spread) + (lines * nurma->pitch + cells) * unit +
                       tiles * sizeof *nurma->column + lines * (3 * sizeof(double) + 4);
    }
    if (nurma->spread == NULL || nurma->amplitude == NULL || nurma->values == NULL ||
        nurma->cells == NULL || nurma->column == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu lines of samples",
                          lines);
    }
    for (size_t l = 0; l < lines; l++) {
        nurma->amplitude[l] = plan->line[l].weight;
    }
    return NFSAR_OK;
}

void nurma_release(struct nurma *nurma) {
    spread_destroy(nurma->spread);
    free(nurma->amplitude);
    for (int a = 0; a < 3; a++) {
        free(nurma->place[a]);
    }
    free(nurma->values);
    free(nurma->cells);
    free(nurma->column);
}

/* Fresnel zones over which the end of the spectrum has to fall, docs/theory/irregular.md. */
static double margin_for(double tolerance) {
    return fmax(1.0, 1.2 * log10(1.0 / tolerance) - 1.9);
}

/* A plan that has no sizes yet. */
static void begin(nfsar_nurma_plan *plan, const nfsar_capture *capture, const nfsar_grid *grid,
                  const nfsar_nurma_options *options) {
    nfsar_rma_options rma = nfsar_rma_defaults();
    rma.compensation = options->compensation;
    rma.reference = options->reference;
    rma.frequency_window = options->frequency_window;
    rma.aperture_window = options->aperture_window;
    rma.tolerance = fmin(options->tolerance, 1e-3);
    rma.memory = options->memory;
    rma.threads = options->threads;
    rma.margin = margin_for(options->tolerance);
    memset(plan, 0, sizeof *plan);
    plan->nurma.offsets = options->offsets;
    plan->nurma.tolerance = options->tolerance;
    plan->nurma.plane = options->plane;
    plan->nurma.sigma = plan->nurma.sigma_z = options->tolerance < 3e-5 ? 2.0 : 1.5;
    plan->nurma.kernel = gridding_choose(0.4 * options->tolerance, plan->nurma.sigma);
    plan->nurma.lattice = (nfsar_lattice){.x.count = 1,
                                          .y.count = 1,
                                          .n_shift = 1,
                                          .shift = &plan->no_shift,
                                          .n_pulse = capture->n_pulse,
                                          .n_channel = capture->array.n_channel};
    rma_begin(&plan->rma, capture, &plan->nurma.lattice, grid, &rma);
    plan->rma.nurma = &plan->nurma;
}

static enum nfsar_status prepare(nfsar_nurma_plan *plan, const nfsar_capture *capture,
                                 const nfsar_grid *grid, const nfsar_nurma_options *options,
                                 bool whole, nfsar_error *error) {
    enum nfsar_status status = check(options, error);
    if (status == NFSAR_OK) {
        status = nfsar_grid_check(grid, error);
    }
    begin(plan, capture, grid, options);
    if (status == NFSAR_OK) {
        status = nurma_bounds(&plan->rma, error);
    }
    if (status == NFSAR_OK) {
        status = whole ? rma_prepare(&plan->rma, error) : rma_size(&plan->rma, error);
    }
    return status;
}

enum nfsar_status nfsar_nurma_check(const nfsar_capture *capture, const nfsar_grid *grid,
                                    const nfsar_nurma_options *options, nfsar_nurma_report *report,
                                    nfsar_error *error) {
    nfsar_nurma_options used = options != NULL ? *options : nfsar_nurma_defaults();
    nfsar_nurma_plan plan;
    enum nfsar_status status = prepare(&plan, capture, grid, &used, false, error);
    if (report != NULL) {
        *report = (nfsar_nurma_report){.plane = plan.nurma.plane,
                                       .lowest_z = plan.nurma.antennas.low,
                                       .highest_z = plan.nurma.antennas.high,
                                       .layers = plan.nurma.layer.count};
    }
    if (report != NULL && status == NFSAR_OK) {
        report->boresight_rad = nurma_boresight_error(&plan.rma);
        report->seconds = nurma_seconds(&plan.rma);
    }
    rma_release(&plan.rma);
    return status;
}

enum nfsar_status nfsar_nurma_plan_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                          const nfsar_nurma_options *options,
                                          nfsar_nurma_plan **plan, nfsar_error *error) {
    nfsar_nurma_options used = options != NULL ? *options : nfsar_nurma_defaults();
    *plan = NULL;
    nfsar_nurma_plan *made = malloc(sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = prepare(made, capture, grid, &used, true, error);
    if (status != NFSAR_OK) {
        nfsar_nurma_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

enum nfsar_status nfsar_nurma_execute(nfsar_nurma_plan *plan, const nfsar_echo_source *source,
                                      float complex *image, const nfsar_progress *progress,
                                      nfsar_error *error) {
    return nfsar_rma_execute(&plan->rma, source, image, progress, error);
}

size_t nfsar_nurma_plan_memory(const nfsar_nurma_plan *plan) {
    return nfsar_rma_plan_memory(&plan->rma);
}

void nfsar_nurma_plan_destroy(nfsar_nurma_plan *plan) {
    if (plan != NULL) {
        rma_release(&plan->rma);
        free(plan);
    }
}
