/* A whole scan: hub, radar and card set up, scan run, frames joined to triggers and poses, all of
 * it written, and sealed into a capture (docs/recording.md). */
#ifndef NFSAR_HOST_SESSION_RECORD_H
#define NFSAR_HOST_SESSION_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <nfsar/hub.h>
#include <nfsar/progress.h>

#include "host/files/recording.h"
#include "host/session/join.h"
#include "host/session/session.h"

/* How it goes, told several times a second. */
struct record_state {
    const char *phase;          /* "scanning"; static */
    uint64_t triggers, planned; /* planned 0: not known */
    uint64_t pulses;            /* joined and written */
    uint64_t waiting;           /* frames whose trigger has not come */
    double seconds;             /* since the scan began */
    double bytes_per_s;         /* of samples, lately */
    struct nfsar_dca1000_counters card;
    struct nfsar_hub_counters hub;
    struct recording_counters file;
};

struct record_options {
    const char *output;       /* the capture's path */
    bool join_by_time;        /* where frames are missing and their times say which: go on */
    bool no_seal;             /* leave OUTPUT.recording */
    bool keep;                /* seal, and keep OUTPUT.recording too */
    const char *command_line; /* for the provenance; may be NULL */
    /* All may be NULL. */
    void (*say)(void *context, const char *text);
    void (*show)(void *context, const struct record_state *state);
    bool (*interrupted)(void *context);
    const nfsar_progress *sealing;
    void *context;
};

struct record_result {
    struct record_state state; /* the last */
    bool interrupted;
    bool sealed;
    double scan_s;
    uint64_t flagged; /* pulses with samples missing */
    uint64_t guessed; /* triggers whose record was lost: time and place from their neighbours' */
    bool has_join;
    struct join join; /* free with join_free() */
};

/* Runs a session. NFSAR_ERROR_CANCELLED: interrupted; what came until then is sealed. Where frames
 * and triggers do not agree: NFSAR_ERROR_FORMAT, and OUTPUT.recording stays. Whatever happens, the
 * stage stands, radar and card are stopped as far as they answer, and what came is in a file. */
enum nfsar_status record_session(const struct session *session,
                                 const struct record_options *options, struct record_result *result,
                                 nfsar_error *error);

/* What frames and triggers of a recording say of each other. */
struct record_agreement {
    uint64_t frames, triggers; /* that came; triggers by their numbers, lost records too */
    uint64_t guessed;          /* triggers whose record was lost */
    uint64_t left_out;         /* frames at the end that are not in /echo: no trigger was told */
    bool doubtful; /* numbers agree, and times seem not to, from frame `from` on, uncertainly */
    uint64_t from;
    uint64_t moved; /* frames that were given another trigger */
};

/* Whether the finding says for certain which triggers gave no frame, and nothing else. */
bool record_can_rejoin(const struct join *join);

/* Do the frames of a recording that was not sealed belong to its triggers, by their times? Of one
 * that died, the last triggers may have no frame, and the last frames no trigger. *agreement may be
 * NULL. NFSAR_ERROR_FORMAT: no, and which. */
enum nfsar_status record_check_join(const char *recording, bool died,
                                    struct record_agreement *agreement, nfsar_error *error);

/* The same, and where triggers gave no frame the times and flags of pulses are written anew, in
 * place. `join` is what was found while the recording was made, which is closed by now; NULL:
 * it is found here. *agreement may be NULL; of a given join it has `moved` alone.
 * NFSAR_ERROR_UNSUPPORTED: frames too many, or too uncertain; NFSAR_ERROR_FILE: cannot be written,
 * or goes on. */
enum nfsar_status record_rejoin(const char *recording, const struct join *join, bool died,
                                struct record_agreement *agreement, nfsar_error *error);

/* The same where a person knows which triggers gave no frame: missed[n], ascending, as many as
 * there are triggers more than frames. NFSAR_ERROR_ARGUMENT: they are not. */
enum nfsar_status record_name_missed(const char *recording, const uint64_t *missed, size_t n,
                                     struct record_agreement *agreement, nfsar_error *error);

#endif
