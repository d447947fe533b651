/* The methods that are compared, behind one face. */
#include <string.h>

#include "bench/risar/risar.h"

const char *risar_method_name(enum risar_method method) {
    static const char *const name[RISAR_METHODS] = {"bp", "csar, none", "csar, closed-form",
                                                    "csar, reference-point", "csar, every-range"};
    return name[method];
}

static enum nfsar_status plan_csar(enum nfsar_compensation compensation,
                                   const nfsar_capture *capture, const nfsar_grid *grid,
                                   struct risar_imager *imager, nfsar_error *error) {
    nfsar_cylinder cylinder;
    nfsar_csar_options options = nfsar_csar_defaults();
    options.compensation = compensation;
    options.threads = 1;
    enum nfsar_status status = nfsar_cylinder_detect(capture, 0.0, &cylinder, error);
    return status == NFSAR_OK
               ? nfsar_csar_plan_create(capture, &cylinder, grid, &options, &imager->csar, error)
               : status;
}

static enum nfsar_status plan(enum risar_method method, const nfsar_capture *capture,
                              const nfsar_grid *grid, struct risar_imager *imager,
                              nfsar_error *error) {
    static const enum nfsar_compensation compensation[RISAR_METHODS] = {
        [RISAR_NONE] = NFSAR_COMPENSATION_NONE,
        [RISAR_CLOSED_FORM] = NFSAR_COMPENSATION_CLOSED_FORM,
        [RISAR_REFERENCE_POINT] = NFSAR_COMPENSATION_REFERENCE_POINT,
        [RISAR_EVERY_RANGE] = NFSAR_COMPENSATION_EVERY_RANGE};
    if (method != RISAR_BP) {
        return plan_csar(compensation[method], capture, grid, imager, error);
    }
    nfsar_bp_options options = nfsar_bp_defaults();
    options.threads = 1;
    return nfsar_bp_plan_create(capture, grid, &options, &imager->bp, error);
}

enum nfsar_status risar_imager_create(enum risar_method method, const nfsar_capture *capture,
                                      const nfsar_grid *grid, struct risar_imager *imager,
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
        risar_imager_free(imager);
    }
    return status;
}

enum nfsar_status risar_imager_run(void *context, nfsar_error *error) {
    struct risar_imager *imager = context;
    return imager->bp != NULL
               ? nfsar_bp_execute(imager->bp, &imager->source, imager->image.data, NULL, error)
               : nfsar_csar_execute(imager->csar, &imager->source, imager->image.data, NULL, error);
}

void risar_imager_free(struct risar_imager *imager) {
    nfsar_bp_plan_destroy(imager->bp);
    nfsar_csar_plan_destroy(imager->csar);
    nfsar_image_free(&imager->image);
    memset(imager, 0, sizeof *imager);
}
