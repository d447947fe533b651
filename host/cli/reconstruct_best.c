#include "host/cli/reconstruct_best.h"

#include <stdlib.h>

#include "host/cli/cli.h"

/* The volume is made as a whole, and then sharpened. */
#define MOST_BYTES ((size_t)2 << 30)

static enum nfsar_status allocate(const nfsar_grid *grid, float complex **data,
                                  nfsar_error *error) {
    const size_t voxels = nfsar_grid_voxels(grid);
    if (voxels > MOST_BYTES / sizeof **data) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "--quality best has the volume in memory, and %zu voxels are more than 2 "
                          "GiB: leave it out, and take nfsar enhance afterwards",
                          voxels);
    }
    *data = malloc(voxels * sizeof **data);
    return *data != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", voxels);
}

enum nfsar_status reconstruct_best(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, struct reconstruct_best *best,
                                   float complex **data, nfsar_error *error) {
    enum nfsar_status status = allocate(grid, data, error);
    if (status == NFSAR_OK) {
        status = enhancing_open("default", grid, &best->enhancing, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_imager_run(imager, grid, source, *data, cli_progress("imaging"), error);
        cli_progress_end();
    }
    return status == NFSAR_OK ? enhancing_volume(&best->enhancing, grid, *data, error) : status;
}

json_t *reconstruct_best_json(const struct reconstruct_best *best) {
    const nfsar_enhance_info info = nfsar_enhance_model_info(best->enhancing.model);
    return json_pack("{s:s, s:I, s:f}", "network", best->enhancing.name, "parameters",
                     (json_int_t)info.parameters, "peak", best->enhancing.peak);
}
