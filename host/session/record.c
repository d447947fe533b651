/* The order of a recording. "Record first, then sensorStart": the card listens before the radar
 * sends, and the radar waits for SYNC_IN before the hub makes the first trigger. */
#include "host/session/record.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/session/plan.h"
#include "host/session/recorder.h"

enum {
    FRAMES_A_TURN = 4096,
    LISTEN_MS = 2,
    SHOW_MS = 250,
    TRACKER_HZ = 2000, /* of a tracker's poses, at most */
};

double recorder_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t recorder_now_ms(void) {
    return (uint64_t)(recorder_now_s() * 1e3);
}

void recorder_say(struct recorder *recorder, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (recorder->options->say != NULL) {
        recorder->options->say(recorder->options->context, text);
    }
    if (recorder->recording != NULL) {
        recording_note(recorder->recording, NULL, "%.3f s: %s",
                       (double)(recorder_now_ms() - recorder->began_ms) * 1e-3, text);
    }
}

bool recorder_interrupted(const struct recorder *recorder) {
    return recorder->options->interrupted != NULL &&
           recorder->options->interrupted(recorder->options->context);
}

/* ---- what is shown ---- */

void recorder_look(struct recorder *recorder, const char *phase) {
    struct record_state *state = &recorder->result->state;
    const uint64_t now = recorder_now_ms();
    if (now - recorder->shown_ms < SHOW_MS && state->phase == phase) {
        return;
    }
    nfsar_dca1000_counters(recorder->card, &state->card);
    nfsar_hub_counters(recorder->hub, &state->hub);
    recording_counters(recorder->recording, &state->file);
    state->bytes_per_s = now > recorder->shown_ms
                             ? (double)(state->card.bytes - recorder->shown_bytes) * 1e3 /
                                   (double)(now - recorder->shown_ms)
                             : 0.0;
    recorder->shown_ms = now;
    recorder->shown_bytes = state->card.bytes;
    state->phase = phase;
    state->triggers = recorder->n_triggers;
    state->planned =
        recorder->session->scan.kind != SESSION_PERIOD || recorder->session->scan.triggers > 0
            ? session_triggers(recorder->session)
            : 0;
    state->pulses = recorder->joined * recorder->unpack.loops;
    state->waiting = recorder->frames - recorder->joined;
    state->seconds = (double)(now - recorder->began_ms) * 1e-3;
    if (recorder->options->show != NULL) {
        recorder->options->show(recorder->options->context, state);
    }
}

/* ---- before the scan ---- */

static bool cancelled(void *context) {
    const struct recorder *recorder = context;
    return !recorder->stopping && recorder_interrupted(recorder);
}

static enum nfsar_status open_devices(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    enum nfsar_status status = recorder_open_hub(recorder, error);
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_open(&session->card, &recorder->card, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_configure(recorder->card, error);
    }
    const struct radar_control_options options = {.port = session->radar.port,
                                                  .hub = recorder->hub,
                                                  .cancelled = cancelled,
                                                  .context = recorder};
    if (status == NFSAR_OK) {
        status = radar_open(&options, &recorder->radar, error);
    }
    return status;
}

/* Seconds that the tables of sensors should last. A scan that takes longer still goes on, without.
 */
static double seconds_at_most(const struct session *session) {
    struct plan plan;
    plan_make(session, NULL, &plan);
    const double longest = 48 * 3600.0;
    return fmin(longest, 600.0 + 3.0 * fmax(plan.seconds, (double)plan.triggers * plan.interval_s));
}

static enum nfsar_status open_file(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    struct recording_table tables[RECORD_TABLES_END - RECORD_TRIGGER];
    const uint64_t triggers = session_triggers(session);
    const double seconds = seconds_at_most(session);
    nfsar_capture header;
    enum nfsar_status status = session_header(session, &header, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (recorder->options->command_line != NULL) {
        status = nfsar_capture_note(&header, error, "%s", recorder->options->command_line);
    }
    record_tables(triggers, seconds, tables);
    if (status == NFSAR_OK) {
        status = recording_create(
            recorder->options->output, &header, (triggers + 64) * recorder->unpack.loops,
            session->pose.from == SESSION_POSE_FILE ? (uint64_t)(seconds * TRACKER_HZ)
                                                    : triggers + 64,
            tables, RECORD_TABLES_END - RECORD_TRIGGER, session->text, NULL, &recorder->recording,
            error);
    }
    nfsar_capture_free(&header);
    return status;
}

/* A radar that is silent may hang in the sensorStop of the scan before: it is reset, once, and the
 * card set up anew, for what its LVDS did meanwhile is no data. */
static enum nfsar_status configure_radar(struct recorder *recorder, nfsar_error *error) {
    const struct ti_cfg *cfg = &recorder->session->radar.cfg;
    enum nfsar_status status = radar_send(recorder->radar, cfg, error);
    if (status != NFSAR_ERROR_DEVICE || recorder_interrupted(recorder)) {
        return status;
    }
    recorder_say(recorder, "%s; it is reset", error->message);
    if (!recorder_reset_radar(recorder)) {
        return status;
    }
    status = nfsar_dca1000_configure(recorder->card, error);
    return status == NFSAR_OK ? radar_send(recorder->radar, cfg, error) : status;
}

static enum nfsar_status begin(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    enum nfsar_status status = unpack_make(session, &recorder->unpack, error);
    if (status != NFSAR_OK) {
        return status;
    }
    recorder->pulse = calloc(recorder->unpack.values, sizeof *recorder->pulse);
    if (recorder->pulse == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    status = open_devices(recorder, error);
    if (status == NFSAR_OK) {
        status = recorder_prepare_hub(recorder, error);
    }
    if (status == NFSAR_OK) {
        recorder_say(recorder, "radar: %zu lines of %s", session->radar.cfg.n_lines,
                     session->radar.cfg.path);
        status = configure_radar(recorder, error);
    }
    if (status == NFSAR_OK) {
        status = open_file(recorder, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_start(recorder->card, session->radar.frame.bytes, error);
    }
    if (status == NFSAR_OK) {
        status = radar_start(recorder->radar, &session->radar.cfg, error);
    }
    return status;
}

/* ---- the scan ---- */

/* One turn of the loop. */
static enum nfsar_status go_on(struct recorder *recorder, nfsar_error *error) {
    size_t n = 0;
    enum nfsar_status status = recorder_take_frames(recorder, FRAMES_A_TURN, &n, error);
    if (status == NFSAR_OK) {
        status = recorder_listen(recorder, LISTEN_MS, error);
    }
    if (status == NFSAR_OK) {
        status = recorder_keep_losses(recorder, false, error);
    }
    recorder_look(recorder, "scanning");
    if (status == NFSAR_OK) {
        status = recorder_check_hub(recorder, error);
    }
    if (status == NFSAR_OK) {
        status = recorder_check_notices(recorder, error);
    }
    return status == NFSAR_OK ? recorder_check_samples(recorder, error) : status;
}

static enum nfsar_status scan(struct recorder *recorder, nfsar_error *error) {
    enum nfsar_status status = recorder_start_scan(recorder, error);
    recorder->began_ms = recorder_now_ms();
    recorder->came_s = recorder->heard_s = recorder_now_s();
    while (status == NFSAR_OK && !recorder_scan_over(recorder) && !recorder_interrupted(recorder)) {
        status = go_on(recorder, error);
    }
    recorder->result->scan_s = (double)(recorder_now_ms() - recorder->began_ms) * 1e-3;
    if (status == NFSAR_OK && recorder_interrupted(recorder)) {
        recorder->result->interrupted = true;
        recorder_say(recorder, "interrupted after %zu triggers", recorder->n_triggers);
    }
    return status == NFSAR_OK && !recorder->result->interrupted
               ? recorder_scan_verdict(recorder, error)
               : status;
}

/* ---- all of it ---- */

static void close_devices(struct recorder *recorder) {
    radar_close(recorder->radar);
    nfsar_dca1000_close(recorder->card);
    nfsar_hub_close(recorder->hub);
}

enum nfsar_status record_session(const struct session *session,
                                 const struct record_options *options, struct record_result *result,
                                 nfsar_error *error) {
    nfsar_error own = {0};
    error = error != NULL ? error : &own;
    memset(result, 0, sizeof *result);
    struct recorder recorder = {
        .session = session, .options = options, .result = result, .began_ms = recorder_now_ms()};
    recorder.last_waiting = &recorder.first;
    enum nfsar_status status = begin(&recorder, error);
    const bool begun = status == NFSAR_OK;
    if (begun) {
        status = scan(&recorder, error);
    }
    status = recorder_stop(&recorder, status, error);
    nfsar_error late = {0};
    enum nfsar_status joined = NFSAR_OK;
    if (begun) {
        joined = recorder_finish(&recorder, &late);
    }
    close_devices(&recorder);
    const bool rejoined = joined == NFSAR_ERROR_FORMAT && result->has_join &&
                          record_can_rejoin(&result->join) && options->join_by_time;
    if (!rejoined) {
        status = recorder_first(status, joined, &late, error);
    }
    const bool has_file = recorder.recording != NULL;
    if (has_file) {
        if (status != NFSAR_OK) {
            recording_note(recorder.recording, NULL, "failed: %s", error->message);
        }
        status = recorder_first(status, recording_close(recorder.recording, &late), &late, error);
        recorder.recording = NULL;
    }
    if (has_file && recorder.joined == 0) {
        recorder_remove_empty(options->output);
    }
    if (has_file && (joined == NFSAR_OK || rejoined) && recorder.joined > 0 && !options->no_seal) {
        status = recorder_first(status, recorder_seal(&recorder, &late), &late, error);
    }
    recorder_free_frames(&recorder);
    status = recorder_first(status, recorder.poseless, &recorder.why_poseless, error);
    /* A timed scan without a number of triggers is meant to end so. */
    const bool meant = session->scan.kind == SESSION_PERIOD && session->scan.triggers == 0;
    return status == NFSAR_OK && result->interrupted && !meant
               ? nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted")
               : status;
}
