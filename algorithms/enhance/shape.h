/* What the metadata of a weights' file says of the network (docs/enhance.md). */
#ifndef NFSAR_ALGORITHMS_ENHANCE_SHAPE_H
#define NFSAR_ALGORITHMS_ENHANCE_SHAPE_H

#include <stdbool.h>

#include "algorithms/enhance/safetensors.h"

enum {
    ENHANCE_STAGES = 8,     /* most stages of the trunk */
    ENHANCE_CHANNELS = 128, /* most channels of a part */
    ENHANCE_SHUFFLE = 8     /* most pixels along the side of a square */
};

struct enhance_stage_shape {
    int channels, d, depth, hidden;
};

struct enhance_shape {
    int inputs;  /* planes that the caller has: 1 magnitude; 2 real and imaginary part */
    int planes;  /* that the network takes: inputs, or 3 with the magnitude behind the two */
    int shuffle; /* pixels along the side of a square, which are the channels of one place */
    int stem;    /* blocks before the trunk */
    int n_stage;
    struct enhance_stage_shape stage[ENHANCE_STAGES];
    int heads, head_dim;
    int patch;     /* squares along a side */
    bool residual; /* the output is added to the input's magnitude */
};

/* Read the metadata; NFSAR_ERROR_FORMAT names the key, NFSAR_ERROR_VERSION a newer file. */
enum nfsar_status enhance_shape_read(const struct safetensors *file, struct enhance_shape *shape,
                                     nfsar_error *error);

#endif
