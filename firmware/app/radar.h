/* The radar's command line, supervised: the lines of a .cfg are sent one at a time; each has to be
 * answered `Done`, and the prompt be back, before the next goes out; the first that is refused, or
 * not answered in time, ends it with its number and text. What the radar prints is passed on. The
 * dialogue is that of TI's mmWave SDK (packages/ti/utils/cli/src/cli.c): a prompt that ends in
 * ":/>", an echo, output, then "Done", "Error N" or "'x' is not recognized as a CLI command". The
 * SDK prints by polling and reads only behind the prompt: what comes before that is lost. */
#ifndef NFSAR_APP_RADAR_H
#define NFSAR_APP_RADAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/drivers/bus.h"
#include "nfsar/wire.h"

enum {
    RADAR_TEXT_BYTES = 6144, /* the longest .cfg; TI's are below 2 kB */
    RADAR_LINE_BYTES = 160,  /* longer lines of the radar are cut */
    RADAR_TIMEOUT_MS = 1000,
    RADAR_BOOT_MS = 5000,
    RADAR_SOP_MS = 5, /* SOP stays after NRESET rose, which samples it; then its pins are outputs */
    RADAR_PROMPT_MS = 20, /* between an answer and the prompt, at most */
    RADAR_LATE_MS = 1000, /* an answer may come yet to a line given up */
    RADAR_RATE = 115200
};

/* What radar_poll() has to tell. */
struct radar_events {
    /* The state changed; line and text are those of the line concerned, if there is one. */
    void (*state)(void *context, const struct nfsar_wire_radar *state, const char *text, size_t n);
    /* A line the radar printed, without its end. */
    void (*said)(void *context, const char *text, size_t n);
    /* The reset and boot-mode pins. */
    void (*reset)(void *context, bool held);
    void (*boot)(void *context, unsigned sop);
    void (*release_boot)(void *context);
    void *context;
};

struct radar {
    const struct serial_port *port;
    struct radar_events events;
    char text[RADAR_TEXT_BYTES];
    size_t bytes; /* of the text */
    size_t next;  /* where its next line begins */
    size_t line;  /* where the line being answered begins */
    size_t line_bytes;
    size_t sent;     /* of the line and its end */
    uint16_t number; /* of the line, from 1 */
    uint16_t lines;  /* sent */
    uint8_t state;   /* enum nfsar_wire_radar_state */
    bool one;        /* a line of its own: the text is not kept */
    bool held;       /* NRESET stays low */
    bool released;   /* after a reset: waiting for the prompt */
    unsigned sop;
    bool sop_driven;
    uint32_t timeout_ms;
    bool begun;        /* the line is on its way */
    uint64_t ready_ns; /* the CLI does not listen before, unless it shows its prompt */
    uint64_t since_ns; /* the line was begun, the reset began */
    uint64_t low_ns;   /* how long NRESET is low */
    uint64_t rose_ns;  /* NRESET rose */
    char heard[RADAR_LINE_BYTES];
    size_t heard_bytes;
};

void radar_init(struct radar *radar, const struct serial_port *port,
                const struct radar_events *events);

/* A piece of the .cfg. Pieces come in order; offset 0 begins anew. */
enum nfsar_wire_result radar_add(struct radar *radar, uint32_t offset, const uint8_t *text,
                                 size_t n);

/* Starts sending the text, which must have these bytes and this CRC-32. */
enum nfsar_wire_result radar_run(struct radar *radar, const struct nfsar_wire_do_radar_run *run,
                                 uint64_t now_ns);

/* Sends one line. */
enum nfsar_wire_result radar_say(struct radar *radar, const uint8_t *text, size_t n,
                                 uint64_t now_ns);

enum nfsar_wire_result radar_reset(struct radar *radar,
                                   const struct nfsar_wire_do_radar_reset *reset, uint64_t now_ns);

/* Stops waiting for the radar, if it is. */
void radar_cancel(struct radar *radar, uint64_t now_ns);

/* Listens, sends, times out. At most 256 bytes are taken in one call. */
void radar_poll(struct radar *radar, uint64_t now_ns);

#endif
