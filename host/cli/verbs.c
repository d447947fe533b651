#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {"import", "make a capture of raw, MATLAB or NumPy recordings", verb_import},
    {0},
};
