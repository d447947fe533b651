#include "host/cli/reconstruct_sparse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

/* The same places, to a hundredth of a step. */
static bool same_axis(const nfsar_axis *a, const nfsar_axis *b) {
    double step = a->count > 1 ? a->step : 1e-4;
    return a->count == b->count && fabs(a->start - b->start) < 0.01 * step &&
           fabs(nfsar_axis_end(a) - nfsar_axis_end(b)) < 0.01 * step;
}

/* A start out of a file. What other methods make is in other units, and would be far off. */
static enum nfsar_status load_start(const char *path, const nfsar_grid *grid, float complex *data,
                                    nfsar_error *error) {
    nfsar_image image;
    enum nfsar_status status = nfsar_image_load(path, &image, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (image.method == NULL || strncmp(image.method, "sparse", 6) != 0) {
        status = nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                            "--sparse-start %s: made by method %s; it has to be an image of "
                            "nfsar reconstruct --sparse",
                            path, image.method != NULL ? image.method : "(unknown)");
    } else if (!same_axis(&grid->x, &image.grid.x) || !same_axis(&grid->y, &image.grid.y) ||
               !same_axis(&grid->z, &image.grid.z)) {
        status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                       "--sparse-start %s: its grid is another; give the --x, --y and --z that "
                       "it was made with (nfsar info)",
                       path);
    }
    for (size_t i = 0; status == NFSAR_OK && i < nfsar_grid_voxels(grid); i++) {
        if (!isfinite(crealf(image.data[i])) || !isfinite(cimagf(image.data[i]))) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "--sparse-start %s: voxel %zu is not finite", path, i);
        }
        data[i] = image.data[i];
    }
    nfsar_image_free(&image);
    return status;
}

static void say(const struct reconstruct_choice *choice, const nfsar_sparse_report *report) {
    char end[128];
    if (report->converged) {
        snprintf(end, sizeof end, "converged");
    } else {
        snprintf(end, sizeof end,
                 "stopped by --sparse-iterations: the objective may be %.2g above its least",
                 report->excess);
    }
    cli_say("sparse %s (%s operators): %zu iteration%s, %zu restart%s, %s; %.3g of the echoes' "
            "amplitude is not explained",
            nfsar_sparse_name(choice->sparsely.penalty),
            nfsar_sparse_operators_name(report->operators), report->iterations,
            cli_s(report->iterations), report->restarts, cli_s(report->restarts), end,
            report->residual);
    if (report->capped) {
        cli_say("steps longer than the operators bear: the image may be wrong; "
                "--sparse-operators exact has other ones");
    }
}

enum nfsar_status reconstruct_sparsely(const nfsar_capture *capture, const nfsar_grid *grid,
                                       const nfsar_echo_source *source,
                                       const struct reconstruct_request *request,
                                       const struct reconstruct_choice *choice,
                                       float complex **data, nfsar_sparse_report *report,
                                       nfsar_error *error) {
    nfsar_sparse_options options = choice->sparsely;
    options.threads = cli_threads();
    options.start = request->sparse_start != NULL;
    *data = calloc(nfsar_grid_voxels(grid), sizeof **data);
    if (*data == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels",
                          nfsar_grid_voxels(grid));
    }
    enum nfsar_status status =
        options.start ? load_start(request->sparse_start, grid, *data, error) : NFSAR_OK;
    if (status == NFSAR_OK) {
        status = nfsar_sparse_run(capture, grid, source, &options, *data, report,
                                  cli_progress("iterating"), error);
        cli_progress_end();
    }
    if (status == NFSAR_OK) {
        say(choice, report);
    }
    return status;
}

char *reconstruct_sparse_options(const struct reconstruct_choice *choice) {
    char *text = NULL;
    int length = asprintf(&text, "weight=%g tolerance=%g iterations=%zu", choice->sparsely.weight,
                          choice->sparsely.tolerance, choice->sparsely.iterations);
    return length < 0 ? NULL : text;
}

json_t *reconstruct_sparse_json(const nfsar_sparse_report *report) {
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:b, s:b, s:f, s:f, s:f}", "operators",
                     nfsar_sparse_operators_name(report->operators), "lipschitz", report->lipschitz,
                     "lambda_l1", report->l1, "lambda_tv", report->tv, "tv_length_m",
                     report->length, "iterations", (json_int_t)report->iterations, "restarts",
                     (json_int_t)report->restarts, "converged", (int)report->converged, "capped",
                     (int)report->capped, "excess", report->excess, "residual", report->residual,
                     "objective", report->objective);
}
