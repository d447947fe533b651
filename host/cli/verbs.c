#include "host/cli/verbs.h"

#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {"reconstruct", "make an image from a capture", verb_reconstruct},
    {"simulate", "make a capture from a scene file", verb_simulate},
    {0},
};
