#include "algorithms/sparse/cylindrical.h"

#include <stdlib.h>

#include <nfsar/csar.h>

#include "algorithms/csar_echo.h"
#include "algorithms/sparse/memory.h"

/* Of the operator; the pair is exact whatever it is. */
#define TOLERANCE 3e-4

/* Phases at the grid's corners that positions off the cylinder, or baselines of slanting waves, may
 * be wrong by, rad. */
#define LARGEST_ERROR 0.06

struct cylindrical {
    const nfsar_capture *capture;
    nfsar_grid grid;
    nfsar_csar_plan *plan;
    struct csar_echo echo;
    double seconds;
};

static enum nfsar_status forward(void *context, const float complex *image, float complex *samples,
                                 nfsar_error *error) {
    const struct cylindrical *cylindrical = context;
    (void)error;
    csar_echo_run(&cylindrical->echo, image, samples);
    return NFSAR_OK;
}

static enum nfsar_status adjoint(void *context, const float complex *samples, float complex *image,
                                 nfsar_error *error) {
    const struct cylindrical *cylindrical = context;
    struct memory_source memory = memory_of(cylindrical->capture, samples);
    nfsar_echo_source source = memory_echoes(&memory);
    return nfsar_csar_execute(cylindrical->plan, &source, image, NULL, error);
}

static enum nfsar_status check(const nfsar_csar_report *report, nfsar_error *error) {
    double most = report->deviation_rad + report->slope_rad;
    return most <= LARGEST_ERROR
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "positions off the cylinder and transmitters and receivers apart would "
                            "make phases up to %.2g rad wrong",
                            most);
}

enum nfsar_status cylindrical_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                     int threads, struct cylindrical **cylindrical,
                                     nfsar_error *error) {
    nfsar_cylinder cylinder;
    nfsar_csar_report report = {0};
    *cylindrical = NULL;
    struct cylindrical *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->grid = *grid;
    nfsar_csar_options options = nfsar_csar_defaults();
    options.tolerance = TOLERANCE;
    options.threads = threads;
    enum nfsar_status status = nfsar_cylinder_detect(capture, 0.0, &cylinder, error);
    if (status == NFSAR_OK) {
        status = nfsar_csar_check(capture, &cylinder, grid, &options, &report, error);
    }
    if (status == NFSAR_OK) {
        status = check(&report, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_csar_plan_create(capture, &cylinder, grid, &options, &made->plan, error);
    }
    if (status == NFSAR_OK) {
        status = csar_echo_prepare(made->plan, &made->echo, error);
    }
    if (status != NFSAR_OK) {
        cylindrical_destroy(made);
        return status;
    }
    made->seconds = 2.0 * report.seconds;
    *cylindrical = made;
    return NFSAR_OK;
}

struct linear_operator cylindrical_operator(struct cylindrical *cylindrical) {
    const nfsar_capture *capture = cylindrical->capture;
    return (struct linear_operator){.n_image = nfsar_grid_voxels(&cylindrical->grid),
                                    .n_sample = capture->n_pulse * capture->array.n_channel *
                                                capture->n_sample,
                                    .context = cylindrical,
                                    .forward = forward,
                                    .adjoint = adjoint};
}

double cylindrical_seconds(const struct cylindrical *cylindrical) {
    return cylindrical->seconds;
}

void cylindrical_destroy(struct cylindrical *cylindrical) {
    if (cylindrical != NULL) {
        csar_echo_release(&cylindrical->echo);
        nfsar_csar_plan_destroy(cylindrical->plan);
        free(cylindrical);
    }
}
