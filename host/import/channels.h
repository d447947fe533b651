/* The array of a rig, and which of the recorded lines (transmitter slot, receiver slot) is which
 * channel of the capture. */
#ifndef NFSAR_HOST_IMPORT_CHANNELS_H
#define NFSAR_HOST_IMPORT_CHANNELS_H

#include <stddef.h>

#include <nfsar/array.h>

#include "host/import/rig.h"

struct channels {
    size_t n_tx, n_rx; /* slots in the recording */
    size_t n;          /* channels of the capture */
    size_t *line;      /* [n] tx_slot * n_rx + rx_slot */
};

/* Make the array (to be freed by the caller) and the map. Errors start with the key. */
enum nfsar_status channels_make(const struct rig *rig, nfsar_array *array,
                                struct channels *channels, nfsar_error *error);

/* Number, in the array, of a transmitter of the board, both from 1: presets with two transmitters
 * are the first and the third. 0: the array has it not. */
unsigned channels_antenna(const struct rig_array *array, unsigned number);

void channels_free(struct channels *channels);

#endif
