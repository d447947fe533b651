/* Which antennas a pulse has, and its channels as links between them. */
#ifndef NFSAR_ALGORITHMS_BP_ARRAY_H
#define NFSAR_ALGORITHMS_BP_ARRAY_H

#include <nfsar/array.h>
#include <nfsar/status.h>

#include "algorithms/bp_kernel.h"

struct bp_array {
    struct bp_link *link; /* [n_channel], those of one transmitter side by side */
    size_t *channel;      /* [n_channel] of each link */
    size_t *source;       /* [n_antenna] channel whose end it is, times 2, plus 1 for receivers */
};

/* Find them, and tell `lines` about them: numbers, links, what they share. */
enum nfsar_status bp_array_find(const nfsar_array *array, struct bp_array *made,
                                struct bp_lines *lines, nfsar_error *error);

/* Positions of the antennas of n_pulse pulses along the kernel's axes (axis: the world's 0 x, 1 y,
 * 2 z) from those of the channels' ends. */
void bp_array_place(const struct bp_array *array, const struct bp_lines *lines,
                    const nfsar_vec3 *tx, const nfsar_vec3 *rx, size_t n_pulse, const int axis[3],
                    double *const at[3]);

void bp_array_free(struct bp_array *array);

#endif
