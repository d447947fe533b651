/* nfsar calibrate --background, --leakage, --iq: what the radar sees of itself, taken out. */
#ifndef NFSAR_HOST_CLI_CALIBRATE_BACKGROUND_H
#define NFSAR_HOST_CLI_CALIBRATE_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>

struct calibrate_background {
    const char *input, *output;
    const char *empty; /* capture of the empty room, or NULL */
    double leakage[2]; /* up to the first, targets beyond the second; 0: none looked for */
    size_t drift;      /* pulses over which it stays; 0: all */
    bool iq, json;
};

/* Returns the exit status. */
int calibrate_background(const struct calibrate_background *request);

#endif
