#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {"simulate", "make a capture from a scene file", verb_simulate},
    {0},
};
