/* What a session would do, before it does: sizes, times, and what stands against it. */
#ifndef NFSAR_HOST_SESSION_PLAN_H
#define NFSAR_HOST_SESSION_PLAN_H

#include <stdio.h>

#include "host/session/session.h"

struct plan {
    uint64_t triggers, pulses;
    double interval_s; /* between triggers, where they are closest */
    double seconds;    /* that the scan takes, about; 0: until Ctrl-C */
    double rate;       /* of the card, bytes a second while triggers are closest */
    double rate_limit; /* that the packet delay lets through */
    double file_bytes; /* of the recording, about */
    double disk_free;  /* where the output goes; 0: not known */
};

/* output: the capture's path, or NULL. */
void plan_make(const struct session *session, const char *output, struct plan *plan);

/* Each thing that stands against recording is one call of tell(); returns how many. */
typedef void plan_tell(void *context, const char *text);
size_t plan_check(const struct session *session, const struct plan *plan, plan_tell *tell,
                  void *context);

/* Lines for people. */
void plan_print(const struct session *session, const struct plan *plan, FILE *stream);

#endif
