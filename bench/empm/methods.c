/* The methods that are compared, behind one face. */
#include <string.h>

#include "bench/empm/papers.h"

const char *papers_method_name(enum papers_method method) {
    static const char *const name[] = {"bp", "rma, lattice", "rma, uncompensated", "empm", "nurma"};
    return name[method];
}

/* What the papers' algorithms do is done as they print it; nurma as it is meant to be used. */
static nfsar_nurma_options migration(enum papers_method method) {
    nfsar_nurma_options options = nfsar_nurma_defaults();
    options.threads = 1;
    if (method == PAPERS_NURMA) {
        return options;
    }
    options.plane = 0.0;
    if (method == PAPERS_EMPM) {
        options.offsets = NFSAR_OFFSETS_BORESIGHT;
        options.compensation = NFSAR_COMPENSATION_CLOSED_FORM;
    } else {
        options.offsets = NFSAR_OFFSETS_IGNORED;
        options.compensation = NFSAR_COMPENSATION_NONE;
    }
    return options;
}

static enum nfsar_status plan_lattice(const nfsar_capture *capture, const nfsar_grid *grid,
                                      struct papers_imager *imager, nfsar_error *error) {
    nfsar_rma_options options = nfsar_rma_defaults();
    options.threads = 1;
    enum nfsar_status status = nfsar_lattice_detect(capture, 0.0, &imager->lattice, error);
    return status == NFSAR_OK ? nfsar_rma_plan_create(capture, &imager->lattice, grid, &options,
                                                      &imager->rma, error)
                              : status;
}

static enum nfsar_status plan(enum papers_method method, const nfsar_capture *capture,
                              const nfsar_grid *grid, struct papers_imager *imager,
                              nfsar_error *error) {
    if (method == PAPERS_BP) {
        nfsar_bp_options options = nfsar_bp_defaults();
        options.threads = 1;
        return nfsar_bp_plan_create(capture, grid, &options, &imager->bp, error);
    }
    if (method == PAPERS_LATTICE) {
        return plan_lattice(capture, grid, imager, error);
    }
    nfsar_nurma_options options = migration(method);
    return nfsar_nurma_plan_create(capture, grid, &options, &imager->nurma, error);
}

enum nfsar_status papers_imager_create(enum papers_method method, const nfsar_capture *capture,
                                       const nfsar_grid *grid, struct papers_imager *imager,
                                       nfsar_error *error) {
    memset(imager, 0, sizeof *imager);
    imager->source = nfsar_capture_source(capture);
    enum nfsar_status status = nfsar_image_create(grid, &imager->image, error);
    size_t before = bench_allocated();
    double start = bench_processor_clock();
    if (status == NFSAR_OK) {
        status = plan(method, capture, grid, imager, error);
    }
    if (status == NFSAR_OK) {
        imager->plan_seconds = bench_processor_clock() - start;
        size_t after = bench_allocated();
        imager->bytes = after > before ? after - before : 0;
    } else {
        papers_imager_free(imager);
    }
    return status;
}

enum nfsar_status papers_imager_run(void *context, nfsar_error *error) {
    struct papers_imager *imager = context;
    if (imager->bp != NULL) {
        return nfsar_bp_execute(imager->bp, &imager->source, imager->image.data, NULL, error);
    }
    if (imager->rma != NULL) {
        return nfsar_rma_execute(imager->rma, &imager->source, imager->image.data, NULL, error);
    }
    return nfsar_nurma_execute(imager->nurma, &imager->source, imager->image.data, NULL, error);
}

void papers_imager_free(struct papers_imager *imager) {
    nfsar_bp_plan_destroy(imager->bp);
    nfsar_rma_plan_destroy(imager->rma);
    nfsar_lattice_free(&imager->lattice);
    nfsar_nurma_plan_destroy(imager->nurma);
    nfsar_image_free(&imager->image);
    memset(imager, 0, sizeof *imager);
}
