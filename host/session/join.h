/* Which trigger each frame belongs to, when their numbers do not agree (docs/theory/joining.md).
 *
 * Frame N belongs to trigger N. Where a frame is missing or one too many, all that follow are
 * shifted by one, and nothing in the samples shows it. Times do: a frame comes a nearly constant
 * time after its trigger, on the host's clock. The alignment that keeps this lag most nearly
 * constant says which triggers gave no frame; it is a finding to be told, not to be acted upon
 * unasked. */
#ifndef NFSAR_HOST_SESSION_JOIN_H
#define NFSAR_HOST_SESSION_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

enum { JOIN_SHIFTS = 64 }; /* differences larger than this are not looked into */

struct join {
    size_t n_frames, n_triggers;
    int64_t *trigger;  /* [n_frames] of each frame; -1: of none */
    size_t n_odd;      /* triggers without a frame, or frames without a trigger */
    uint64_t *odd;     /* [n_odd] their numbers */
    double lag_s;      /* from trigger to frame */
    double spread_s;   /* median of the lag's deviation */
    double interval_s; /* median of the triggers' */
    bool certain;      /* the deviation is small against the intervals where frames are missing */
    bool shifted;      /* numbers agree, but not the times: from frame `from` on */
    uint64_t from;
};

/* Triggers on the host's clock: record i was stamped hub_s[i] by the hub and came at host_s[i],
 * late by what the link took. In blocks of records the line of least squares, moved down to the
 * earliest, is followed. host_s is overwritten by the result. */
void join_clock(const double *hub_s, double *host_s, size_t n);

/* frame_s[i]: when the first packet of the frame came, NAN where none did. trigger_s: as of
 * join_clock(), ascending. Free with join_free(). NFSAR_ERROR_UNSUPPORTED: more than JOIN_SHIFTS
 * apart, or fewer than two of either. */
enum nfsar_status join_find(const double *frame_s, size_t n_frames, const double *trigger_s,
                            size_t n_triggers, struct join *join, nfsar_error *error);
void join_free(struct join *join);

/* What was found, in a sentence: "3 of 16000 triggers gave no frame: 120, 4032 to 4033 ...".
 * Returns text. */
const char *join_text(const struct join *join, char *text, size_t size);

#endif
