/* Whether a recording's frames belong to its triggers, and its pulses' times anew where not. */
#include "host/session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files/recording_io.h"
#include "host/files/recording_lock.h"
#include "host/session/joined.h"

/* ---- what times say ---- */

static enum nfsar_status find(struct joined *joined, bool died, struct join *join,
                              nfsar_error *error) {
    if (!join_clock(joined->trigger_s, joined->host_s, joined->triggers)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    join_frames(joined->frame_s, joined->frames, joined->frame_bytes);
    return join_find(joined->frame_s, joined->frames, joined->host_s, joined->triggers, died, join,
                     error);
}

bool record_can_rejoin(const struct join *join) {
    return join->certain && !join->shifted && !join->frames_odd;
}

/* NFSAR_ERROR_FORMAT: frames and triggers do not agree. *doubtful: perhaps. */
static enum nfsar_status judge(const struct join *join, bool died, bool *doubtful,
                               nfsar_error *error) {
    const bool agree = join_agrees(join);
    const bool same = died || join->n_frames == join->n_triggers;
    *doubtful = !agree && same && !join->certain;
    if (*doubtful || (agree && (same || join->certain))) {
        return NFSAR_OK;
    }
    char text[384];
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s%s%s", join_text(join, text, sizeof text),
                      join->certain ? ", by their times" : ", but not with certainty",
                      record_can_rejoin(join) ? "; --join-by-time goes by that" : "");
}

/* The same of what was read; *join is of use where it has triggers. */
static enum nfsar_status look(struct joined *joined, bool died, struct join *join,
                              struct record_agreement *agreement, nfsar_error *error) {
    agreement->frames = joined->frames;
    agreement->triggers = joined->triggers;
    for (size_t i = 0; i < joined->triggers; i++) {
        agreement->guessed += isnan(joined->host_s[i]);
    }
    if (joined->frames > joined->in_echo) {
        agreement->left_out = joined->frames - joined->in_echo;
    }
    if (joined->pulses == 0) {
        return NFSAR_OK;
    }
    nfsar_error why = {0};
    const enum nfsar_status status = find(joined, died, join, &why);
    if (status == NFSAR_OK) {
        agreement->from = join->from;
        return judge(join, died, &agreement->doubtful, error);
    }
    if (status != NFSAR_ERROR_UNSUPPORTED) {
        return nfsar_fail(error, status, "%s", why.message);
    }
    return died || joined->frames == joined->triggers
               ? NFSAR_OK /* too short to tell */
               : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s", why.message);
}

enum nfsar_status record_check_join(const char *recording, bool died,
                                    struct record_agreement *agreement, nfsar_error *error) {
    struct joined joined;
    struct join join = {0};
    struct record_agreement own;
    bool there = false;
    agreement = agreement != NULL ? agreement : &own;
    *agreement = (struct record_agreement){0};
    enum nfsar_status status = joined_read(recording, 0, &joined, &there, error);
    if (status == NFSAR_OK && there) {
        status = look(&joined, died, &join, agreement, error);
    }
    joined_free(&joined);
    join_free(&join);
    return status == NFSAR_OK ? status : nfsar_fail_in(error, status, "%s", recording);
}

/* ---- pulses anew ---- */

/* Of a recording that died the last frames may be in /echo and not in their table. */
static int64_t trigger_of(const struct join *join, size_t frame) {
    const size_t last = join->n_frames - 1;
    return frame <= last             ? join->trigger[frame]
           : join->trigger[last] < 0 ? -1
                                     : join->trigger[last] + (int64_t)(frame - last);
}

/* Whether a trigger without a frame is so near that it may be this frame's. */
static bool is_blurred(const struct join *join, int64_t trigger, size_t blur) {
    for (size_t i = 0; i < join->n_odd && blur > 0; i++) {
        if (llabs((int64_t)join->odd[i] - trigger) < (int64_t)blur) {
            return true;
        }
    }
    return false;
}

/* Loops of a frame keep their distance from its first; a place that was guessed stays with its
 * trigger. known: of each trigger. */
static uint64_t move_pulses(struct joined *joined, const struct join *join, const bool *known) {
    const size_t blur = join_blur(joined->frame_bytes);
    uint64_t moved = 0;
    for (size_t frame = 0; frame < joined->in_echo; frame++) {
        const int64_t trigger = trigger_of(join, frame);
        const bool there = trigger >= 0 && (size_t)trigger < joined->triggers;
        if (!there || (trigger == (int64_t)frame && !is_blurred(join, trigger, blur))) {
            continue;
        }
        const bool told = known[trigger] && !is_blurred(join, trigger, blur);
        const size_t begin = frame * joined->loops;
        const double first = joined->pulse_s[begin];
        for (size_t i = begin; i < begin + joined->loops && i < joined->pulses; i++) {
            joined->pulse_s[i] += joined->trigger_s[trigger] - first;
            joined->flags[i] = (uint8_t)(joined->flags[i] & ~NFSAR_PULSE_POSE_EXTRAPOLATED);
            joined->flags[i] |= told ? 0 : NFSAR_PULSE_POSE_EXTRAPOLATED;
        }
        moved++;
    }
    return moved;
}

/* In place, as the recording itself was written: HDF5 would mark the file as being written, and a
 * program that dies then leaves one that cannot be opened. */
static enum nfsar_status write_pulses(int descriptor, const struct joined *joined,
                                      nfsar_error *error) {
    const struct recording_io *io = &recording_io_system;
    int failure = io->write(io->context, descriptor, joined->pulse_s,
                            joined->pulses * sizeof *joined->pulse_s, joined->offset_s);
    if (failure == 0) {
        failure =
            io->write(io->context, descriptor, joined->flags, joined->pulses, joined->offset_flags);
    }
    failure = failure == 0 ? io->sync(io->context, descriptor) : failure;
    return failure == 0 ? NFSAR_OK
                        : nfsar_fail(error, NFSAR_ERROR_FILE, "/echo: cannot be written: %s",
                                     strerror(failure));
}

static enum nfsar_status move(int descriptor, struct joined *joined, const struct join *join,
                              const bool *known, uint64_t *moved, nfsar_error *error) {
    if (join->n_frames != joined->frames || join->n_triggers > joined->triggers) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "has not the frames and triggers that were joined");
    }
    *moved = move_pulses(joined, join, known);
    return *moved > 0 ? write_pulses(descriptor, joined, error) : NFSAR_OK;
}

/* Nobody else records into it, or seals it, from here on. */
static enum nfsar_status take(const char *recording, int *descriptor, nfsar_error *error) {
    *descriptor = open(recording, O_RDWR | O_CLOEXEC);
    if (*descriptor < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "cannot be opened for writing: %s",
                          strerror(errno));
    }
    return recording_lock(*descriptor)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FILE,
                            "is being recorded, or sealed by another process; stop that first");
}

static bool *list_known(const struct joined *joined) {
    bool *known = calloc(joined->triggers + 1, sizeof *known);
    for (size_t i = 0; known != NULL && i < joined->triggers; i++) {
        known[i] = !isnan(joined->host_s[i]);
    }
    return known;
}

/* Finds out by itself, where nobody has. Agreement, or what cannot be mended, comes before all. */
static enum nfsar_status decide(struct joined *joined, bool died, struct join *join, bool *moves,
                                struct record_agreement *agreement, nfsar_error *error) {
    nfsar_error why = {0};
    const enum nfsar_status status = look(joined, died, join, agreement, &why);
    *moves = status == NFSAR_ERROR_FORMAT && join->trigger != NULL && record_can_rejoin(join);
    if (status == NFSAR_OK || *moves) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, status == NFSAR_ERROR_FORMAT ? NFSAR_ERROR_UNSUPPORTED : status,
                      "%s%s", why.message,
                      join->trigger == NULL || !join->certain
                          ? ""
                          : ": frames cannot be taken out, --join-by-time does not help");
}

static enum nfsar_status rejoin(int descriptor, struct joined *joined, const struct join *given,
                                bool died, struct record_agreement *agreement, nfsar_error *error) {
    struct join own = {0};
    bool moves = given != NULL;
    bool *known = list_known(joined);
    enum nfsar_status status = NFSAR_OK;
    if (known == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (given == NULL) {
        status = decide(joined, died, &own, &moves, agreement, error);
    } else if (!record_can_rejoin(given)) {
        char text[384];
        status =
            nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "%s", join_text(given, text, sizeof text));
    }
    if (status == NFSAR_OK && moves) {
        status =
            move(descriptor, joined, given != NULL ? given : &own, known, &agreement->moved, error);
    }
    join_free(&own);
    free(known);
    return status;
}

/* Opened, read, and handed on: given to what is to be done with it. */
struct opened {
    int descriptor;
    struct joined joined;
};

static enum nfsar_status open_joined(const char *recording, size_t triggers, struct opened *opened,
                                     nfsar_error *error) {
    bool there = false;
    *opened = (struct opened){.descriptor = -1};
    enum nfsar_status status = take(recording, &opened->descriptor, error);
    if (status == NFSAR_OK) {
        status = joined_read(recording, triggers, &opened->joined, &there, error);
    }
    if (status == NFSAR_OK && !there) {
        status = nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                            "frames are joined in recordings of nfsar record");
    }
    return status;
}

static enum nfsar_status close_joined(const char *recording, struct opened *opened,
                                      enum nfsar_status status, nfsar_error *error) {
    if (opened->descriptor >= 0) {
        close(opened->descriptor);
    }
    joined_free(&opened->joined);
    return status == NFSAR_OK ? status : nfsar_fail_in(error, status, "%s", recording);
}

enum nfsar_status record_rejoin(const char *recording, const struct join *join, bool died,
                                struct record_agreement *agreement, nfsar_error *error) {
    struct opened opened;
    struct record_agreement own;
    agreement = agreement != NULL ? agreement : &own;
    *agreement = (struct record_agreement){0};
    enum nfsar_status status =
        open_joined(recording, join != NULL ? join->n_triggers : 0, &opened, error);
    if (status == NFSAR_OK) {
        status = rejoin(opened.descriptor, &opened.joined, join, died, agreement, error);
    }
    return close_joined(recording, &opened, status, error);
}

/* ---- what a person says ---- */

static enum nfsar_status check_named(const struct joined *joined, const uint64_t *missed, size_t n,
                                     nfsar_error *error) {
    const size_t frames = joined->frames, triggers = joined->triggers;
    const size_t wanted = triggers > frames ? triggers - frames : 0;
    for (size_t i = 0; i < n; i++) {
        if (missed[i] >= triggers || (i > 0 && missed[i] <= missed[i - 1])) {
            return nfsar_fail(
                error, NFSAR_ERROR_ARGUMENT,
                "trigger %llu: there are triggers 0 to %zu, each is named once and in "
                "their order",
                (unsigned long long)missed[i], triggers - 1);
        }
    }
    return n == wanted && n > 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                            "%zu frames came for %zu triggers: %zu gave none, but %zu %s named",
                            frames, triggers, wanted, n, n == 1 ? "is" : "are");
}

enum nfsar_status record_name_missed(const char *recording, const uint64_t *missed, size_t n,
                                     struct record_agreement *agreement, nfsar_error *error) {
    struct opened opened;
    *agreement = (struct record_agreement){0};
    enum nfsar_status status = open_joined(recording, 0, &opened, error);
    struct joined *joined = &opened.joined;
    if (status == NFSAR_OK) {
        status = check_named(joined, missed, n, error);
    }
    bool *known = status == NFSAR_OK ? list_known(joined) : NULL;
    struct join join = {.n_frames = joined->frames, .n_triggers = joined->triggers};
    join.trigger = status == NFSAR_OK ? calloc(joined->frames + 1, sizeof *join.trigger) : NULL;
    if (status == NFSAR_OK && (known == NULL || join.trigger == NULL)) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        size_t frame = 0, next = 0;
        for (size_t i = 0; i < joined->triggers; i++) {
            if (next < n && missed[next] == i) {
                next++;
            } else {
                join.trigger[frame++] = (int64_t)i;
            }
            agreement->guessed += !known[i];
        }
        agreement->frames = joined->frames;
        agreement->triggers = joined->triggers;
        status = move(opened.descriptor, joined, &join, known, &agreement->moved, error);
    }
    free(known);
    join_free(&join);
    return close_joined(recording, &opened, status, error);
}
