/* nfsar reconstruct --quality best: the image as it comes, and then sharper. */
#ifndef NFSAR_HOST_CLI_RECONSTRUCT_BEST_H
#define NFSAR_HOST_CLI_RECONSTRUCT_BEST_H

#include <jansson.h>

#include <nfsar/nfsar.h>

#include "host/cli/enhancing.h"

struct reconstruct_best {
    struct enhancing enhancing;
};

/* The volume of the grid, sharpened; the caller owns *data, also after an error. */
enum nfsar_status reconstruct_best(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, struct reconstruct_best *best,
                                   float complex **data, nfsar_error *error);

/* What was done. */
json_t *reconstruct_best_json(const struct reconstruct_best *best);

#endif
