/* Frame N belongs to trigger N: pulses are written as soon as both are there. */
#include "host/session/recorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames that wait for triggers: the hub may be gone for some seconds. */
enum { WAITING_MOST = 256 << 20, FRAMES_TOO_MANY = 64 };

static enum nfsar_status no_memory(nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

/* ---- writing ---- */

static bool pose_by_stage(const struct recorder *recorder) {
    return recorder->session->pose.from == SESSION_POSE_STAGE;
}

/* Poses of the triggers that are known by now. */
static enum nfsar_status write_poses(struct recorder *recorder, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    if (recorder->session->pose.from == SESSION_POSE_FILE) {
        return NFSAR_OK;
    }
    for (; recorder->posed < recorder->n_triggers && status == NFSAR_OK; recorder->posed++) {
        const struct recorder_trigger *trigger = &recorder->triggers[recorder->posed];
        if (pose_by_stage(recorder)) {
            const nfsar_pose pose = session_stage_pose(recorder->session, trigger->position);
            status = recording_append_pose(recorder->recording, trigger->time_s, &pose, error);
        } else if (recorder->posed == 0) { /* nothing is known: one place, and all flagged */
            const nfsar_pose pose = {{0.0, 0.0, 0.0}, NFSAR_QUATERNION_IDENTITY};
            status = recording_append_pose(recorder->recording, trigger->time_s, &pose, error);
        }
    }
    return status;
}

static enum nfsar_status write_pulse(struct recorder *recorder, const int16_t *samples, size_t loop,
                                     bool missing, nfsar_error *error) {
    const struct recorder_trigger *trigger = &recorder->triggers[recorder->joined];
    const struct ti_cfg_frame *frame = &recorder->session->radar.frame;
    const double later = (double)(loop * frame->chirps) * frame->chirp_period_s;
    const uint8_t flags = (uint8_t)((missing ? NFSAR_PULSE_SAMPLES_MISSING : 0) |
                                    (trigger->known ? 0 : NFSAR_PULSE_POSE_EXTRAPOLATED));
    recorder->result->flagged += missing;
    return recording_append_pulse(recorder->recording, samples, trigger->time_s + later, flags,
                                  error);
}

/* Frames that waited and whose triggers are there now. */
static enum nfsar_status write_waiting(struct recorder *recorder, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    while (recorder->first != NULL && recorder->joined < recorder->n_triggers &&
           status == NFSAR_OK) {
        struct waiting_frame *frame = recorder->first;
        for (size_t loop = 0; loop < recorder->unpack.loops && status == NFSAR_OK; loop++) {
            status = write_pulse(recorder, frame->samples + loop * recorder->unpack.values, loop,
                                 frame->missing, error);
        }
        recorder->joined++;
        recorder->first = frame->next;
        recorder->last_waiting =
            recorder->first == NULL ? &recorder->first : recorder->last_waiting;
        recorder->waiting_bytes -=
            recorder->unpack.values * recorder->unpack.loops * sizeof(int16_t);
        free(frame);
    }
    return status;
}

/* ---- triggers ---- */

static enum nfsar_status grow_triggers(struct recorder *recorder, size_t n, nfsar_error *error) {
    if (n > session_triggers(recorder->session) + 65536) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "the hub tells of trigger %zu, of a scan of %llu", n - 1,
                          (unsigned long long)session_triggers(recorder->session));
    }
    if (n > recorder->room) {
        const size_t room = 2 * n + 1024;
        struct recorder_trigger *more = realloc(recorder->triggers, room * sizeof *more);
        if (more == NULL) {
            return no_memory(error);
        }
        recorder->triggers = more;
        recorder->room = room;
    }
    return NFSAR_OK;
}

/* Between two triggers, where nothing is known of them: no less than the radar takes. */
static double interval_s(const struct session *session) {
    return session->scan.kind == SESSION_PERIOD ? session->scan.period_s
                                                : session->radar.frame.frame_period_s;
}

/* Triggers whose records were lost: at even times between those that came, and where the scan has
 * them. */
static void guess_triggers(struct recorder *recorder, size_t from, size_t to,
                           const struct recorder_trigger *next) {
    const struct session *session = recorder->session;
    const struct recorder_trigger *before = from > 0 ? &recorder->triggers[from - 1] : next;
    for (size_t i = from; i < to; i++) {
        const double part = (double)(i + 1 - from) / (double)(to + 1 - from);
        struct recorder_trigger *guess = &recorder->triggers[i];
        *guess = *before;
        guess->known = false;
        guess->time_s = before->time_s + part * (next->time_s - before->time_s);
        guess->host_s = before->host_s + part * (next->host_s - before->host_s);
        if (from == 0) { /* none before: a period earlier each */
            guess->time_s = next->time_s - (double)(to - i) * interval_s(session);
            guess->host_s = next->host_s - (double)(to - i) * interval_s(session);
        }
        if (session->scan.kind != SESSION_PERIOD) {
            session_trigger_steps(session, i, guess->position);
        }
        recorder->result->guessed++;
    }
}

enum nfsar_status recorder_take_trigger(struct recorder *recorder,
                                        const struct nfsar_wire_trigger *trigger, double time_s,
                                        double host_s, nfsar_error *error) {
    if (!recorder->scanning || (recorder->has_scan && trigger->scan != recorder->scan)) {
        return NFSAR_OK;
    }
    recorder->has_scan = true;
    recorder->scan = trigger->scan;
    if (trigger->number < recorder->n_triggers) { /* told twice */
        return NFSAR_OK;
    }
    enum nfsar_status status = grow_triggers(recorder, (size_t)trigger->number + 1, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct recorder_trigger made = {.time_s = time_s, .host_s = host_s, .known = true};
    memcpy(made.position, trigger->position, sizeof made.position);
    guess_triggers(recorder, recorder->n_triggers, trigger->number, &made);
    recorder->triggers[trigger->number] = made;
    recorder->n_triggers = (size_t)trigger->number + 1;
    status = write_poses(recorder, error);
    return status == NFSAR_OK ? write_waiting(recorder, error) : status;
}

enum nfsar_status recorder_complete_triggers(struct recorder *recorder, size_t n,
                                             nfsar_error *error) {
    const size_t had = recorder->n_triggers;
    if (n <= had || had == 0) {
        return NFSAR_OK;
    }
    enum nfsar_status status = grow_triggers(recorder, n, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct recorder_trigger end = recorder->triggers[had - 1];
    const double interval =
        had > 1 ? end.time_s - recorder->triggers[had - 2].time_s : interval_s(recorder->session);
    end.time_s += interval * (double)(n + 1 - had);
    end.host_s += interval * (double)(n + 1 - had);
    guess_triggers(recorder, had, n, &end);
    recorder->n_triggers = n;
    status = write_poses(recorder, error);
    return status == NFSAR_OK ? write_waiting(recorder, error) : status;
}

/* ---- frames ---- */

static enum nfsar_status note_frame(struct recorder *recorder,
                                    const struct nfsar_dca1000_frame *frame, nfsar_error *error) {
    if (recorder->frames >= recorder->frame_room) {
        const size_t room = 2 * recorder->frame_room + 4096;
        double *more = realloc(recorder->frame_s, room * sizeof *more);
        if (more == NULL) {
            return no_memory(error);
        }
        recorder->frame_s = more;
        recorder->frame_room = room;
    }
    recorder->frame_s[recorder->frames++] =
        frame->first_ns > 0 ? (double)frame->first_ns * 1e-9 : NAN;
    return record_keep_frame(recorder->recording, frame, error);
}

static enum nfsar_status let_wait(struct recorder *recorder,
                                  const struct nfsar_dca1000_frame *frame, nfsar_error *error) {
    const size_t values = recorder->unpack.values * recorder->unpack.loops;
    if (recorder->waiting_bytes + values * sizeof(int16_t) > WAITING_MOST) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%llu frames came, and the hub told of %zu triggers: the radar does not "
                          "wait for SYNC_IN, or the hub is gone",
                          (unsigned long long)recorder->frames, recorder->n_triggers);
    }
    struct waiting_frame *waiting = malloc(sizeof *waiting + values * sizeof(int16_t));
    if (waiting == NULL) {
        return no_memory(error);
    }
    waiting->next = NULL;
    waiting->missing = frame->missing_bytes > 0 || recorder->damaged;
    for (size_t loop = 0; loop < recorder->unpack.loops; loop++) {
        unpack_pulse(&recorder->unpack, frame->data, loop,
                     waiting->samples + loop * recorder->unpack.values);
    }
    *recorder->last_waiting = waiting;
    recorder->last_waiting = &waiting->next;
    recorder->waiting_bytes += values * sizeof(int16_t);
    return NFSAR_OK;
}

static enum nfsar_status take_frame(struct recorder *recorder,
                                    const struct nfsar_dca1000_frame *frame, nfsar_error *error) {
    const uint64_t planned = session_triggers(recorder->session);
    if (recorder->frames >= planned + FRAMES_TOO_MANY) {
        return nfsar_fail(
            error, NFSAR_ERROR_DEVICE,
            "%llu frames came, of a scan of %llu triggers: the radar does not wait for "
            "SYNC_IN; does frameCfg in %s ask for the hardware trigger?",
            (unsigned long long)recorder->frames, (unsigned long long)planned,
            recorder->session->radar.cfg.path);
    }
    /* What the card lost inside, its byte count does not show: nobody knows where frames begin now.
     */
    recorder->damaged = recorder->damaged || (frame->notices & RECORDER_NOTICES_FATAL) != 0;
    enum nfsar_status status = note_frame(recorder, frame, error);
    if (status != NFSAR_OK || recorder->first != NULL || recorder->joined >= recorder->n_triggers) {
        return status == NFSAR_OK ? let_wait(recorder, frame, error) : status;
    }
    for (size_t loop = 0; loop < recorder->unpack.loops && status == NFSAR_OK; loop++) {
        unpack_pulse(&recorder->unpack, frame->data, loop, recorder->pulse);
        status = write_pulse(recorder, recorder->pulse, loop,
                             frame->missing_bytes > 0 || recorder->damaged, error);
    }
    recorder->joined++;
    return status;
}

enum nfsar_status recorder_take_frames(struct recorder *recorder, size_t most, size_t *n,
                                       nfsar_error *error) {
    for (*n = 0; *n < most; ++*n) {
        const struct nfsar_dca1000_frame *frame = NULL;
        enum nfsar_status status = nfsar_dca1000_next(recorder->card, 0, &frame, error);
        if (status != NFSAR_OK || frame == NULL) {
            return status;
        }
        status = take_frame(recorder, frame, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return NFSAR_OK;
}

/* The last loss may grow while frames come. */
enum nfsar_status recorder_keep_losses(struct recorder *recorder, bool all, nfsar_error *error) {
    struct nfsar_dca1000_loss losses[64];
    enum nfsar_status status = NFSAR_OK;
    for (;;) {
        const size_t there =
            nfsar_dca1000_losses(recorder->card, recorder->losses_kept, losses, 64);
        const size_t end = all || there == 0 ? there : there - 1;
        size_t i = 0;
        while (i < 64 && recorder->losses_kept < end && status == NFSAR_OK) {
            status = record_keep_loss(recorder->recording, &losses[i++], error);
            recorder->losses_kept++;
        }
        if (i == 0 || status != NFSAR_OK) {
            return status;
        }
    }
}

void recorder_free_frames(struct recorder *recorder) {
    while (recorder->first != NULL) {
        struct waiting_frame *next = recorder->first->next;
        free(recorder->first);
        recorder->first = next;
    }
    free(recorder->frame_s);
    free(recorder->triggers);
    free(recorder->pulse);
    unpack_free(&recorder->unpack);
}
