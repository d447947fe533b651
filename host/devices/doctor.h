/* `nfsar doctor`: is everything there that a recording wants, one check after the other, each with
 * what to do about it (docs/doctor.md). */
#ifndef NFSAR_HOST_DEVICES_DOCTOR_H
#define NFSAR_HOST_DEVICES_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_verdict {
    DOCTOR_OK,
    DOCTOR_WRONG,
    DOCTOR_UNKNOWN, /* could not be looked at, or is no fault by itself */
    DOCTOR_VERDICTS
};

/* One check. The texts are gone when the function that is told returns. */
struct doctor_finding {
    const char *check; /* its name, "network link" */
    enum doctor_verdict verdict;
    const char *text; /* what was found, one line */
    const char *fix;  /* what to do, one line; "" for nothing */
};

struct doctor_options {
    const char *session; /* path; NULL: the defaults of a session */
    const char *output;  /* folder of recordings; NULL: "." */
    bool lvds;           /* starts the radar and records for a moment */
    void (*tell)(void *context, const struct doctor_finding *finding);
    bool (*cancelled)(void *context); /* may be NULL */
    void *context;
};

/* Makes all checks; found[DOCTOR_VERDICTS] counts them. False: cancelled. */
bool doctor_run(const struct doctor_options *options, size_t found[DOCTOR_VERDICTS]);

/* "ok", "wrong", "unknown". Static. */
const char *doctor_verdict_name(enum doctor_verdict verdict);

#endif
