/* After the scan: the last poses, whether frames and triggers agree, and the capture. */
#include "host/session/recorder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/pose_file.h>

#define TRACK_MARGIN_S 2.0

enum { POSE_TABLE = 1 };

/* Triggers that the hub counted, the last of whose records may be lost. */
static size_t triggers_made(const struct recorder *recorder) {
    size_t made = recorder->n_triggers;
    if (recorder->has_program && recorder->program.triggers > made) {
        made = recorder->program.triggers;
    }
    if (recorder->made > made) {
        made = recorder->made;
    }
    return made;
}

static enum nfsar_status write_tracker(struct recorder *recorder, nfsar_error *error) {
    nfsar_pose_track tracker;
    const nfsar_pose_file_options wxyz = {.format = NFSAR_POSE_WXYZ};
    const struct session *session = recorder->session;
    enum nfsar_status status =
        nfsar_pose_file_load(session->pose.file, &wxyz, &tracker, NULL, error);
    if (status != NFSAR_OK) {
        return status;
    }
    /* Of a track that is longer than the scan, what lies about it. */
    const double offset = session->pose.time_offset_s;
    const double begin_s = recorder->triggers[0].time_s;
    const double end_s = recorder->triggers[recorder->n_triggers - 1].time_s;
    size_t poses = 0;
    for (size_t i = 0; status == NFSAR_OK && i < tracker.n; i++) {
        const double time_s = tracker.time_s[i] + offset;
        if (time_s > begin_s - TRACK_MARGIN_S && time_s < end_s + TRACK_MARGIN_S) {
            status = recording_append_pose(recorder->recording, time_s, &tracker.pose[i], error);
            poses++;
        }
    }
    if (status == NFSAR_OK && poses == 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: its times, %.3f to %.3f s with pose.time_offset_s, are not those of "
                       "the scan, %.3f to %.3f s of the hub's clock",
                       session->pose.file, tracker.time_s[0] + offset,
                       tracker.time_s[tracker.n - 1] + offset, begin_s, end_s);
    }
    nfsar_pose_track_free(&tracker);
    return status;
}

/* Without the tracker's poses the scan is worth keeping, with all pulses flagged; it has failed
 * nevertheless. */
static enum nfsar_status write_track(struct recorder *recorder, nfsar_error *error) {
    recorder->poseless = write_tracker(recorder, &recorder->why_poseless);
    if (recorder->poseless == NFSAR_OK || recording_rows(recorder->recording, POSE_TABLE) > 0) {
        return recorder->poseless;
    }
    nfsar_fail_in(&recorder->why_poseless, recorder->poseless,
                  "sealed without poses, all pulses flagged");
    const nfsar_pose pose = {{0.0, 0.0, 0.0}, NFSAR_QUATERNION_IDENTITY};
    return recording_append_pose(recorder->recording, recorder->triggers[0].time_s, &pose, error);
}

/* The end of the last frame, whose loops are later than the last trigger: the stage went on, where
 * it did not stop. */
static enum nfsar_status write_last_pose(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    const size_t n = recorder->n_triggers;
    const struct recorder_trigger *last = &recorder->triggers[n - 1];
    const double frame_s = session->radar.frame.frame_s;
    nfsar_pose pose = session_stage_pose(session, last->position);
    const bool same_row = (n - 1) % session->scan.columns != 0;
    if (!session->scan.stop && n > 1 && same_row && last->time_s > last[-1].time_s) {
        const nfsar_pose before = session_stage_pose(session, last[-1].position);
        const double part = frame_s / (last->time_s - last[-1].time_s);
        pose = nfsar_pose_interpolate(before, pose, 1.0 + part);
    }
    return recording_append_pose(recorder->recording, last->time_s + frame_s, &pose, error);
}

struct times {
    double *hub_s, *host_s, *frame_s;
};

static void times_free(struct times *times) {
    free(times->hub_s);
    free(times->host_s);
    free(times->frame_s);
}

static bool list_times(const struct recorder *recorder, struct times *times) {
    const size_t n = recorder->n_triggers, frames = (size_t)recorder->frames;
    times->hub_s = calloc(n + 1, sizeof *times->hub_s);
    times->host_s = calloc(n + 1, sizeof *times->host_s);
    times->frame_s = calloc(frames + 1, sizeof *times->frame_s);
    if (times->hub_s == NULL || times->host_s == NULL || times->frame_s == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        times->hub_s[i] = recorder->triggers[i].time_s;
        times->host_s[i] = recorder->triggers[i].known ? recorder->triggers[i].host_s : NAN;
    }
    if (frames > 0) {
        memcpy(times->frame_s, recorder->frame_s, frames * sizeof *times->frame_s);
    }
    join_frames(times->frame_s, frames, recorder->session->radar.frame.bytes);
    return join_clock(times->hub_s, times->host_s, n);
}

/* How frames and triggers belong together by their times, as far as these tell. */
static enum nfsar_status find_join(struct recorder *recorder, bool open_end, nfsar_error *error) {
    struct times times = {0};
    nfsar_error why = {0};
    enum nfsar_status status = nfsar_fail(&why, NFSAR_ERROR_MEMORY, "out of memory");
    if (list_times(recorder, &times)) {
        status = join_find(times.frame_s, (size_t)recorder->frames, times.host_s,
                           recorder->n_triggers, open_end, &recorder->result->join, &why);
    }
    times_free(&times);
    recorder->result->has_join = status == NFSAR_OK;
    return status == NFSAR_ERROR_UNSUPPORTED || status == NFSAR_OK
               ? NFSAR_OK
               : nfsar_fail(error, status, "%s", why.message);
}

/* Frames that no trigger was told of are in no pulse. */
static void tell_left_out(struct recorder *recorder) {
    if (recorder->frames > recorder->joined) {
        recorder_say(recorder,
                     "%" PRIu64 " frames at the end are left out: they came after the last trigger "
                     "that the hub told of",
                     recorder->frames - recorder->joined);
    }
}

/* Do frames and triggers agree, in numbers and times? */
static enum nfsar_status judge(struct recorder *recorder, nfsar_error *error) {
    struct record_result *result = recorder->result;
    const struct join *join = &result->join;
    const bool open_end = recorder->broken;
    const bool same = open_end || recorder->frames == recorder->n_triggers;
    const enum nfsar_status status = find_join(recorder, open_end, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const bool agree = result->has_join ? join_agrees(join) : same;
    const bool certain = result->has_join && join->certain;
    if (agree && (same || certain)) {
        tell_left_out(recorder);
        return NFSAR_OK;
    }
    char text[384] = "their times do not say which";
    if (result->has_join) {
        join_text(join, text, sizeof text);
    }
    if (same && !certain) {
        recorder_say(recorder, "%s; their times are too uncertain to refuse it for that", text);
        tell_left_out(recorder);
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%" PRIu64 " frames came for %zu triggers: %s (%s)", recorder->frames,
                      recorder->n_triggers, text, certain ? "by their times" : "not certain");
}

enum nfsar_status recorder_finish(struct recorder *recorder, nfsar_error *error) {
    enum nfsar_status status = recorder_complete_triggers(recorder, triggers_made(recorder), error);
    if (status == NFSAR_OK && recorder->n_triggers == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_DEVICE, "there was not one trigger");
    }
    if (status == NFSAR_OK && recorder->session->pose.from == SESSION_POSE_FILE) {
        status = write_track(recorder, error);
    } else if (status == NFSAR_OK && recorder->session->pose.from == SESSION_POSE_STAGE) {
        status = write_last_pose(recorder, error);
    }
    if (recorder->refused_rows > 0) {
        recorder_say(recorder,
                     "%" PRIu64 " records of sensors found their tables full: the scan took three "
                     "times as long as planned",
                     recorder->refused_rows);
    }
    recorder_look(recorder, "finished");
    return status == NFSAR_OK ? judge(recorder, error) : status;
}

/* OUTPUT.recording, to be freed; NULL without memory. */
static char *recording_name(const char *output) {
    const size_t size = strlen(output) + sizeof ".recording";
    char *name = malloc(size);
    if (name != NULL) {
        snprintf(name, size, "%s.recording", output);
    }
    return name;
}

/* Nothing came: there is nothing to keep, and the name is free for the next try. */
void recorder_remove_empty(const char *output) {
    char *name = recording_name(output);
    if (name != NULL) {
        unlink(name);
    }
    free(name);
}

enum nfsar_status recorder_seal(struct recorder *recorder, nfsar_error *error) {
    const struct record_options *options = recorder->options;
    const struct recording_seal_options how = {.keep = options->keep};
    char *name = recording_name(options->output);
    if (name == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = NFSAR_OK;
    if (recorder->result->has_join && !join_agrees(&recorder->result->join) &&
        record_can_rejoin(&recorder->result->join)) {
        status = record_rejoin(name, &recorder->result->join, recorder->result->join.open_end, NULL,
                               error);
    }
    if (status == NFSAR_OK) {
        status = recording_seal(name, options->output, &how, options->sealing, error);
        if (status == NFSAR_ERROR_CANCELLED) {
            nfsar_fail(error, status,
                       "interrupted while sealing; all is in %s: nfsar repair makes the capture",
                       name);
        }
    }
    recorder->result->sealed = status == NFSAR_OK;
    free(name);
    return status;
}
