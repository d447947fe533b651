#include "host/cli/verbs.h"

#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {"compare", "how much an image differs from a reference", verb_compare},
    {"export", "write an image for ParaView, NumPy or MATLAB", verb_export},
    {"measure", "peak, resolution, side lobes and sharpness of an image", verb_measure},
    {"reconstruct", "make an image from a capture", verb_reconstruct},
    {"render", "draw an image as a PNG picture", verb_render},
    {0},
};
