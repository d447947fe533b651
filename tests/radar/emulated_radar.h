/* The radar's command line as TI's mmWave SDK has it, on a pseudo terminal, played by a thread: an
 * echo, then `Done`, `Error -1` or `'x' is not recognized as a CLI command`, then the prompt. */
#ifndef NFSAR_TESTS_EMULATED_RADAR_H
#define NFSAR_TESTS_EMULATED_RADAR_H

#include <pthread.h>
#include <stdbool.h>

struct emulated_radar {
    /* How it behaves, set before it begins. */
    const char *prompt;     /* NULL: "mmwDemo:/>" */
    const char *refused;    /* a line that begins so is answered with Error -1 */
    const char *unanswered; /* a line that begins so is not answered, and so are all that follow */
    const char *vanishes;   /* a line that begins so makes the radar go away */
    const char *note;       /* printed in front of each answer */
    bool silent;            /* hears, but says nothing */
    bool noise;             /* talks without a line or prompt, as the data port does */
    bool no_echo;
    unsigned delay_ms; /* before each answer */

    char path[64];    /* what a host opens */
    char heard[8192]; /* the lines that came, each with its end; read it after the end */
    bool started;
    pthread_t thread;
    int line, slave, stop[2];
    char rest[512];
    size_t n_rest;
};

void emulated_radar_begin(struct emulated_radar *radar);
void emulated_radar_end(struct emulated_radar *radar);

#endif
