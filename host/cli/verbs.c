#include "host/cli/cli.h"

int verb_reconstruct(int argc, char **argv);

const struct cli_verb cli_verbs[] = {
    {"reconstruct", "make an image from a capture", verb_reconstruct},
    {0},
};
