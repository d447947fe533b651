/* The radar's command line: a .cfg goes there line by line, each answered before the next. The way
 * is the hub, or the radar's own serial port (docs/radar-cfg.md).
 *
 * "Record first, then sensorStart": radar_send() leaves sensorStart out, radar_start() says it. */
#ifndef NFSAR_HOST_RADAR_CONTROL_H
#define NFSAR_HOST_RADAR_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/hub.h>
#include <nfsar/status.h>

#include "host/radar/ti_cfg.h"

struct radar_control; /* belongs to one thread at a time */

struct radar_control_options {
    const char *port;    /* serial port (115200 baud), or the unix socket of an emulated one; NULL:
                          * through the hub */
    nfsar_hub *hub;      /* open; not owned. Its records must be handed to radar_record() */
    unsigned timeout_ms; /* for the answer to a line; 0: 1000 */
    unsigned start_timeout_ms; /* to sensorStart, which calibrates; 0: 10 times timeout_ms */
    /* Told of each line that the radar prints, without its end and made printable; may be NULL. */
    void (*said)(void *context, const char *text);
    /* Asked a few times a second; true ends the call with NFSAR_ERROR_CANCELLED. May be NULL. */
    bool (*cancelled)(void *context);
    void *context;
};

/* Opens the way. On a serial port the radar must show its prompt. Errors: NFSAR_ERROR_FILE for the
 * port, NFSAR_ERROR_DEVICE for a radar that is silent. */
enum nfsar_status radar_open(const struct radar_control_options *options,
                             struct radar_control **radar, nfsar_error *error);
void radar_close(struct radar_control *radar);

/* From the hub's callback, of every record. NULL and a radar on a serial port are allowed. */
void radar_record(struct radar_control *radar, const struct nfsar_wire_message *record);

/* All lines but sensorStart. NFSAR_ERROR_REFUSED: the radar refused one; NFSAR_ERROR_DEVICE: it did
 * not answer, or the way is gone. The error quotes path, line number, line and answer. */
enum nfsar_status radar_send(struct radar_control *radar, const struct ti_cfg *cfg,
                             nfsar_error *error);
/* sensorStart, as the cfg has it; cfg may be NULL. */
enum nfsar_status radar_start(struct radar_control *radar, const struct ti_cfg *cfg,
                              nfsar_error *error);
enum nfsar_status radar_stop(struct radar_control *radar, nfsar_error *error);

/* n bytes of text as they are, sensorStart too; path is for the errors. */
enum nfsar_status radar_send_text(struct radar_control *radar, const char *path, const char *text,
                                  size_t n, nfsar_error *error);

/* Lines in a text that go to the radar: not empty, no comment. */
size_t radar_count_lines(const char *text, size_t n);

#endif
