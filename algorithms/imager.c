#include <nfsar/reconstruct.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/choice.h"

struct nfsar_imager {
    const nfsar_capture *capture;
    enum nfsar_method method;
    bool has_lattice;
    nfsar_lattice lattice;
    nfsar_rma_options rma;
    nfsar_bp_options bp;
    char reason[NFSAR_ERROR_LENGTH + 64];
    char options[256];
};

static const char *const names[] = {
    [NFSAR_METHOD_AUTO] = "auto",
    [NFSAR_METHOD_BP] = "bp",
    [NFSAR_METHOD_RMA] = "rma",
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

static void describe_lattice(const nfsar_lattice *lattice, char *text, size_t size) {
    char shifts[48] = "";
    if (lattice->n_shift > 1) {
        snprintf(shifts, sizeof shifts, ", %zu shifted copies", lattice->n_shift);
    }
    snprintf(text, size,
             "the positions are a planar lattice: %zu x %zu places, steps %.4f x %.4f mm%s, to "
             "within %.4f mm",
             lattice->x.count, lattice->y.count, 1e3 * lattice->x.step, 1e3 * lattice->y.step,
             shifts, 1e3 * lattice->deviation);
}

static void describe_options(nfsar_imager *imager) {
    if (imager->method == NFSAR_METHOD_RMA) {
        snprintf(imager->options, sizeof imager->options,
                 "compensation=%s window=%s aperture-window=%s tolerance=%g margin=%g",
                 nfsar_compensation_name(imager->rma.compensation),
                 nfsar_window_name(imager->rma.frequency_window),
                 nfsar_window_name(imager->rma.aperture_window), imager->rma.tolerance,
                 imager->rma.margin);
    } else {
        snprintf(imager->options, sizeof imager->options, "precision=%s window=%s oversampling=%zu",
                 imager->bp.precision == NFSAR_BP_DOUBLE ? "double" : "single",
                 nfsar_window_name(imager->bp.frequency_window), imager->bp.oversampling);
    }
}

/* A single place, or a line whose every position coincides, has no aperture. */
static bool has_aperture(const nfsar_lattice *lattice) {
    return lattice->x.count > 1 || lattice->y.count > 1;
}

static enum nfsar_status choose(nfsar_imager *imager, enum nfsar_method wanted,
                                nfsar_error *error) {
    nfsar_error why = {0};
    enum nfsar_status status = nfsar_lattice_detect(imager->capture, 0.0, &imager->lattice, &why);
    if (status != NFSAR_OK && status != NFSAR_ERROR_GEOMETRY) {
        return nfsar_fail(error, status, "%s", why.message);
    }
    imager->has_lattice = status == NFSAR_OK;
    if (imager->has_lattice && !has_aperture(&imager->lattice)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the scan has no aperture: all phase centres are at x = %g, y = %g m; "
                          "check the poses and their units",
                          imager->lattice.x.first, imager->lattice.y.first);
    }
    if (wanted == NFSAR_METHOD_RMA && !imager->has_lattice) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY, "rma: %s", why.message);
    }
    if (wanted == NFSAR_METHOD_AUTO) {
        imager->method = imager->has_lattice ? NFSAR_METHOD_RMA : NFSAR_METHOD_BP;
    } else {
        imager->method = wanted;
    }
    if (wanted == NFSAR_METHOD_BP) {
        snprintf(imager->reason, sizeof imager->reason, "as asked");
    } else if (imager->has_lattice) {
        describe_lattice(&imager->lattice, imager->reason, sizeof imager->reason);
    } else {
        /* "; `--method bp` ..." would advise what is being done. */
        char *advice = strchr(why.message, ';');
        if (advice != NULL) {
            *advice = '\0';
        }
        snprintf(imager->reason, sizeof imager->reason, "%s", why.message);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_imager_create(const nfsar_capture *capture, enum nfsar_method method,
                                      const nfsar_rma_options *rma, const nfsar_bp_options *bp,
                                      nfsar_imager **imager, nfsar_error *error) {
    *imager = NULL;
    nfsar_imager *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->rma = rma != NULL ? *rma : nfsar_rma_defaults();
    made->bp = bp != NULL ? *bp : nfsar_bp_defaults();
    enum nfsar_status status = choose(made, method, error);
    if (status != NFSAR_OK) {
        nfsar_imager_destroy(made);
        return status;
    }
    describe_options(made);
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

const char *nfsar_imager_options(const nfsar_imager *imager) {
    return imager->options;
}

enum nfsar_status nfsar_imager_run(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error) {
    enum nfsar_status status;
    if (imager->method == NFSAR_METHOD_RMA) {
        nfsar_rma_plan *plan = NULL;
        status = nfsar_rma_plan_create(imager->capture, &imager->lattice, grid, &imager->rma, &plan,
                                       error);
        if (status == NFSAR_OK) {
            status = nfsar_rma_execute(plan, source, image, progress, error);
        }
        nfsar_rma_plan_destroy(plan);
    } else {
        nfsar_bp_plan *plan = NULL;
        status = nfsar_bp_plan_create(imager->capture, grid, &imager->bp, &plan, error);
        if (status == NFSAR_OK) {
            status = nfsar_bp_execute(plan, source, image, progress, error);
        }
        nfsar_bp_plan_destroy(plan);
    }
    return status;
}

void nfsar_imager_destroy(nfsar_imager *imager) {
    if (imager != NULL) {
        nfsar_lattice_free(&imager->lattice);
        free(imager);
    }
}
