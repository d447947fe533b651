#include "host/cli/verbs.h"

#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {"simulate", "make a capture from a scene", verb_simulate},
    {"import", "make a capture from raw, MATLAB or NumPy recordings", verb_import},
    {"reconstruct", "make an image from a capture", verb_reconstruct},
    {0},
};
