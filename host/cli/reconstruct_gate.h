/* The range gate of `nfsar reconstruct --range`. */
#ifndef NFSAR_HOST_CLI_RECONSTRUCT_GATE_H
#define NFSAR_HOST_CLI_RECONSTRUCT_GATE_H

#include <nfsar/nfsar.h>

#include "host/cli/reconstruct_options.h"

struct reconstruct_gate {
    enum nfsar_window window; /* put into the samples */
    nfsar_gate *plan;
    nfsar_capture view; /* the capture as gated; echo is owned, all else belongs to others */
    size_t before;      /* samples of a line */
    double range[2];    /* as asked for, and as far as the grid needs it */
};

/* Whether the gate is in the capture, and what cannot be asked of a capture with a gate of its own.
 */
enum nfsar_status reconstruct_gate_check(const nfsar_capture *capture,
                                         const struct reconstruct_request *request,
                                         const struct reconstruct_choice *choice,
                                         nfsar_error *error);

/* Warn of a grid that reaches beyond the capture's own gate; a word is enough where nobody asked
 * for that grid. */
enum nfsar_status reconstruct_gate_warn(const nfsar_capture *capture, const nfsar_grid *grid,
                                        bool derived, nfsar_error *error);

/* Gate the whole capture into memory: gate->view. Voxels of the grid that need more than `range`
 * widen it. */
enum nfsar_status reconstruct_gate(const nfsar_capture *capture, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, const double range[2],
                                   struct reconstruct_gate *gate, nfsar_error *error);

/* For the image's options: " range=... samples=... window=...", or nothing. */
const char *reconstruct_gate_text(const struct reconstruct_gate *gate, char room[128]);

void reconstruct_gate_free(struct reconstruct_gate *gate);

#endif
