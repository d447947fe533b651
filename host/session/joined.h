/* What a recording says of its frames and triggers, read to be joined anew. */
#ifndef NFSAR_HOST_SESSION_JOINED_H
#define NFSAR_HOST_SESSION_JOINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

struct joined {
    size_t pulses, loops, frame_bytes;
    size_t in_echo;    /* frames whose pulses are in /echo, the last perhaps in part */
    size_t frames;     /* that came: rows of /sensor/frame */
    double *frame_s;   /* [frames] host's clock; NAN: none of its packets came */
    size_t triggers;   /* by number, those between whose records were lost too */
    double *trigger_s; /* [triggers] hub's clock; at even times where the record was lost */
    double *host_s;    /* [triggers] when the record came; NAN: lost */
    double *pulse_s;   /* [pulses] */
    uint8_t *flags;    /* [pulses] */
    uint64_t offset_s, offset_flags; /* bytes, of the last two in the file */
};

/* Reads them; `triggers` are at least so many, and at least as many as frames in /echo. *there is
 * false for what `nfsar record` did not make. Free with joined_free() in any case. */
enum nfsar_status joined_read(const char *recording, size_t triggers, struct joined *joined,
                              bool *there, nfsar_error *error);
void joined_free(struct joined *joined);

#endif
