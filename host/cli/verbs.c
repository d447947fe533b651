#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {0},
};
