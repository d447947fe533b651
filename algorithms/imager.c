#include "algorithms/imager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/choice.h"
#include "algorithms/rma_plan.h"

static const char *const names[] = {
    [NFSAR_METHOD_AUTO] = "auto", [NFSAR_METHOD_BP] = "bp",       [NFSAR_METHOD_RMA] = "rma",
    [NFSAR_METHOD_EMPM] = "empm", [NFSAR_METHOD_NURMA] = "nurma", [NFSAR_METHOD_CSAR] = "csar",
};

enum nfsar_status nfsar_method_parse(const char *name, enum nfsar_method *method,
                                     nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status =
        choice_parse("method", names, sizeof names / sizeof names[0], name, &index, error);
    if (status == NFSAR_OK) {
        *method = (enum nfsar_method)index;
    }
    return status;
}

const char *nfsar_method_name(enum nfsar_method method) {
    return names[method];
}

nfsar_method_options nfsar_method_defaults(void) {
    return (nfsar_method_options){.bp = nfsar_bp_defaults(),
                                  .rma = nfsar_rma_defaults(),
                                  .nurma = nfsar_nurma_defaults(),
                                  .csar = nfsar_csar_defaults()};
}

bool imager_migrates(enum nfsar_method method) {
    return method == NFSAR_METHOD_RMA || method == NFSAR_METHOD_EMPM ||
           method == NFSAR_METHOD_NURMA;
}

enum nfsar_method imager_first(const nfsar_imager *imager) {
    return imager->has_lattice         ? NFSAR_METHOD_RMA
           : imager_goes_round(imager) ? NFSAR_METHOD_CSAR
                                       : NFSAR_METHOD_NURMA;
}

nfsar_nurma_options imager_nurma(const nfsar_imager *imager) {
    nfsar_nurma_options options = imager->use.nurma;
    options.offsets =
        imager->method == NFSAR_METHOD_EMPM ? NFSAR_OFFSETS_BORESIGHT : NFSAR_OFFSETS_EXACT;
    return options;
}

static enum nfsar_status choose(nfsar_imager *imager, enum nfsar_method wanted,
                                nfsar_error *error) {
    nfsar_error why = {0};
    enum nfsar_status status = nfsar_lattice_detect(imager->capture, 0.0, &imager->lattice, &why);
    if (status != NFSAR_OK && status != NFSAR_ERROR_GEOMETRY) {
        return nfsar_fail(error, status, "%s", why.message);
    }
    imager->has_lattice = status == NFSAR_OK;
    if (imager->has_lattice && !rma_has_aperture(&imager->lattice)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the scan has no aperture: all phase centres are at x = %g, y = %g m; "
                          "check the poses and their units",
                          imager->lattice.x.first, imager->lattice.y.first);
    }
    if (wanted == NFSAR_METHOD_RMA && !imager->has_lattice) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY, "rma: %s", why.message);
    }
    if (wanted == NFSAR_METHOD_BP) {
        snprintf(imager->reason, sizeof imager->reason, "as asked");
    } else if (imager->has_lattice) {
        imager_describe_lattice(imager);
    } else {
        snprintf(imager->reason, sizeof imager->reason, "the positions are irregular");
    }
    if (wanted == NFSAR_METHOD_CSAR || (wanted == NFSAR_METHOD_AUTO && !imager->has_lattice)) {
        status = imager_find_cylinder(imager, error);
    } else {
        status = NFSAR_OK;
    }
    imager->method = wanted == NFSAR_METHOD_AUTO ? imager_first(imager) : wanted;
    return status;
}

enum nfsar_status nfsar_imager_create(const nfsar_capture *capture, enum nfsar_method method,
                                      const nfsar_method_options *options, nfsar_imager **imager,
                                      nfsar_error *error) {
    *imager = NULL;
    nfsar_imager *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->wanted = method;
    made->patches = 1;
    made->use = options != NULL ? *options : nfsar_method_defaults();
    enum nfsar_status status = choose(made, method, error);
    if (status != NFSAR_OK) {
        nfsar_imager_destroy(made);
        return status;
    }
    imager_describe_options(made);
    *imager = made;
    return NFSAR_OK;
}

enum nfsar_method nfsar_imager_method(const nfsar_imager *imager) {
    return imager->method;
}

const char *nfsar_imager_reason(const nfsar_imager *imager) {
    return imager->reason;
}

const nfsar_lattice *nfsar_imager_lattice(const nfsar_imager *imager) {
    return imager->has_lattice ? &imager->lattice : NULL;
}

const nfsar_cylinder *nfsar_imager_cylinder(const nfsar_imager *imager) {
    return imager->has_cylinder ? &imager->cylinder : NULL;
}

const char *nfsar_imager_options(const nfsar_imager *imager) {
    return imager->options;
}

const char *nfsar_imager_warning(const nfsar_imager *imager) {
    return imager->warning[0] != '\0' ? imager->warning : NULL;
}

static enum nfsar_status run_rma(const nfsar_imager *imager, const nfsar_grid *part,
                                 const nfsar_echo_source *source, float complex *image,
                                 const nfsar_progress *progress, nfsar_error *error) {
    nfsar_rma_options options = imager->use.rma;
    nfsar_rma_plan *plan = NULL;
    options.reference = imager_reference(imager, part, options.reference);
    enum nfsar_status status =
        nfsar_rma_plan_create(imager->capture, &imager->lattice, part, &options, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_rma_execute(plan, source, image, progress, error);
    }
    nfsar_rma_plan_destroy(plan);
    return status;
}

static enum nfsar_status run_nurma(const nfsar_imager *imager, const nfsar_grid *part,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error) {
    nfsar_nurma_options options = imager_nurma(imager);
    nfsar_nurma_plan *plan = NULL;
    options.reference = imager_reference(imager, part, options.reference);
    enum nfsar_status status =
        nfsar_nurma_plan_create(imager->capture, part, &options, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_nurma_execute(plan, source, image, progress, error);
    }
    nfsar_nurma_plan_destroy(plan);
    return status;
}

static enum nfsar_status run_patch(const nfsar_imager *imager, const nfsar_grid *patch,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error) {
    return imager->method == NFSAR_METHOD_RMA
               ? run_rma(imager, patch, source, image, progress, error)
               : run_nurma(imager, patch, source, image, progress, error);
}

/* A patch of a band to its place in image[nz][ny][nx]. */
static enum nfsar_status run_and_place(const nfsar_imager *imager, const nfsar_grid *band, size_t i,
                                       const nfsar_echo_source *source, float complex *image,
                                       const nfsar_progress *progress, nfsar_error *error) {
    size_t x, y, nx = band->x.count, ny = band->y.count;
    nfsar_grid patch = imager_patch(imager, band, i, &x, &y);
    size_t row = patch.x.count, rows = patch.y.count;
    if (row == 0 || rows == 0) {
        return NFSAR_OK;
    }
    float complex *part = buffer_alloc(row * rows * band->z.count, sizeof *part);
    if (part == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a patch of the grid");
    }
    enum nfsar_status status = run_patch(imager, &patch, source, part, progress, error);
    for (size_t z = 0; status == NFSAR_OK && z < band->z.count; z++) {
        for (size_t j = 0; j < rows; j++) {
            memcpy(image + (z * ny + y + j) * nx + x, part + (z * rows + j) * row,
                   row * sizeof *part);
        }
    }
    free(part);
    return status;
}

static enum nfsar_status run_bands(const nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    size_t slice = grid->x.count * grid->y.count, patches = imager->patches * imager->patches;
    for (size_t first = 0, n = 0; status == NFSAR_OK && first < grid->z.count; first += n) {
        nfsar_grid band = imager_band(imager, grid, first, &n);
        float complex *to = image + first * slice;
        if (patches == 1) {
            status = run_patch(imager, &band, source, to, progress, error);
        }
        for (size_t i = 0; status == NFSAR_OK && patches > 1 && i < patches; i++) {
            status = run_and_place(imager, &band, i, source, to, progress, error);
        }
    }
    return status;
}

static enum nfsar_status run_bp(const nfsar_imager *imager, const nfsar_grid *grid,
                                const nfsar_echo_source *source, float complex *image,
                                const nfsar_progress *progress, nfsar_error *error) {
    nfsar_bp_plan *plan = NULL;
    enum nfsar_status status =
        nfsar_bp_plan_create(imager->capture, grid, &imager->use.bp, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_bp_execute(plan, source, image, progress, error);
    }
    nfsar_bp_plan_destroy(plan);
    return status;
}

enum nfsar_status nfsar_imager_run(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error) {
    enum nfsar_status status =
        imager->fitted ? nfsar_grid_check(grid, error) : nfsar_imager_fit(imager, grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (imager->method == NFSAR_METHOD_CSAR) {
        return imager_run_cylinder(imager, grid, source, image, progress, error);
    }
    return imager_migrates(imager->method) ? run_bands(imager, grid, source, image, progress, error)
                                           : run_bp(imager, grid, source, image, progress, error);
}

void nfsar_imager_destroy(nfsar_imager *imager) {
    if (imager != NULL) {
        nfsar_lattice_free(&imager->lattice);
        free(imager);
    }
}
