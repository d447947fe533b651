/* nfsar reconstruct --sparse. */
#ifndef NFSAR_HOST_CLI_RECONSTRUCT_SPARSE_H
#define NFSAR_HOST_CLI_RECONSTRUCT_SPARSE_H

#include <jansson.h>

#include "host/cli/reconstruct_options.h"

/* Reconstruct the whole grid into *data (free it), and say how that went. */
enum nfsar_status reconstruct_sparsely(const nfsar_capture *capture, const nfsar_grid *grid,
                                       const nfsar_echo_source *source,
                                       const struct reconstruct_request *request,
                                       const struct reconstruct_choice *choice,
                                       float complex **data, nfsar_sparse_report *report,
                                       nfsar_error *error);

/* The options as an image file's text; NULL when out of memory. */
char *reconstruct_sparse_options(const struct reconstruct_choice *choice);

json_t *reconstruct_sparse_json(const nfsar_sparse_report *report);

#endif
