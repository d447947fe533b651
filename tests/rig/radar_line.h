/* The radar's command line, as TI's mmWave SDK demo has it (packages/ti/utils/cli/src/cli.c,
 * mmw_cli.c of SDK 2 and 3): each line is echoed, then comes what it prints, `Done`, `Error -1` or
 * "'x' is not recognized as a CLI command", then the prompt. What the lines say decides whether a
 * trigger makes a frame, and what the frame is. */
#ifndef NFSAR_TESTS_RIG_RADAR_LINE_H
#define NFSAR_TESTS_RIG_RADAR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/radar/ti_cfg.h"

enum { RADAR_LINE_BYTES = 256, RADAR_LINE_TEXT = 16384 };

/* Bytes to the other end of the line. */
typedef void radar_line_say(void *context, const char *text, size_t n);

struct radar_line {
    unsigned lanes;
    radar_line_say *say;
    void *context;

    char line[RADAR_LINE_BYTES]; /* being received */
    size_t bytes;
    char text[RADAR_LINE_TEXT]; /* configuration that was taken, since flushCfg */
    size_t text_bytes;

    bool held;  /* by its reset pin */
    bool hangs; /* in sensorStop, while it waits for SYNC_IN */
    bool hung;  /* it does, until its reset */
    bool started;
    unsigned starts;  /* that were obeyed */
    bool by_hardware; /* frames wait for SYNC_IN */
    int frames;       /* of this start; 0 endless */
    int frames_made;
    struct ti_cfg_frame frame; /* of the last start */
    bool q_first;
    bool lvds; /* samples go out */
};

/* A radar that has booted and shown its prompt. */
void radar_line_init(struct radar_line *radar, unsigned lanes, radar_line_say *say, void *context);

/* Bytes that came for it. */
void radar_line_hear(struct radar_line *radar, const char *bytes, size_t n);

/* NRESET goes low: all is forgotten, nothing is heard. */
void radar_line_hold(struct radar_line *radar);
/* After NRESET went high and the time to boot: banner and prompt. */
void radar_line_boot(struct radar_line *radar);

/* SYNC_IN rises. True: a frame is made, and its samples go out. */
bool radar_line_trigger(struct radar_line *radar);

#endif
