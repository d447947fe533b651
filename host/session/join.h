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

enum {
    JOIN_SHIFTS = 64, /* differences larger than this are not looked into */
    JOIN_TAIL = 3     /* of an open end: whether one of the last few is missing cannot be told */
};

struct join {
    size_t n_frames, n_triggers;
    bool open_end;
    int64_t *trigger;  /* [n_frames] of each frame; -1: of none */
    size_t n_odd;      /* triggers without a frame, or frames without a trigger */
    uint64_t *odd;     /* [n_odd] their numbers, ascending */
    bool frames_odd;   /* they are frames */
    size_t n_beyond;   /* of an open end: frames behind the last trigger */
    double lag_s;      /* from trigger to frame */
    double spread_s;   /* median of the lag's deviation */
    double interval_s; /* median of the triggers' */
    bool certain;      /* deviations are small against the intervals, and beside what is odd */
    bool shifted;      /* frames are missing and others too many: from frame `from` on the times */
    uint64_t from;     /* do not agree with what the numbers say */
};

/* Triggers on the host's clock: record i was stamped hub_s[i] by the hub and came at host_s[i],
 * late by what the link and the host took, NAN where it was lost. The lower edge of these points is
 * followed, over pauses of some seconds. hub_s ascending; host_s is overwritten by the result.
 * false: no memory. */
bool join_clock(const double *hub_s, double *host_s, size_t n);

/* When the i-th of n triggers was whose records were lost, between those beside them: at even
 * times. before_s NAN: there is none before, each is a millisecond earlier. */
double join_between(double before_s, double next_s, size_t i, size_t n);

/* A frame shorter than a packet is not sent before later ones have filled it: frame_s[i], when the
 * packet came that has the first byte of frame i, is moved to the frame that filled this packet.
 * NAN is left to the others. Nothing changes where frames are as long as packets. */
void join_frames(double *frame_s, size_t n, size_t frame_bytes);
/* A missing frame is known to so many frames; 0: exactly. */
size_t join_blur(size_t frame_bytes);

/* frame_s[i]: when the first packet of the frame came (as of join_frames()), NAN where none did.
 * trigger_s: as of join_clock(), ascending. open_end: the recording broke off, so the last triggers
 * may have no frame yet, and the last frames no trigger. Free with join_free().
 * NFSAR_ERROR_UNSUPPORTED: more than JOIN_SHIFTS apart, or fewer than two of either. */
enum nfsar_status join_find(const double *frame_s, size_t n_frames, const double *trigger_s,
                            size_t n_triggers, bool open_end, struct join *join,
                            nfsar_error *error);
void join_free(struct join *join);

/* Whether each frame belongs to the trigger of its number, but for frames behind the last trigger,
 * and, of an open end, for JOIN_TAIL. */
bool join_agrees(const struct join *join);

/* What was found, in a sentence: "3 of 16000 triggers gave no frame: 120, 4032 to 4033 ...".
 * Returns text. */
const char *join_text(const struct join *join, char *text, size_t size);

#endif
