/* The hub's part of a recording: what it is told, what it says, and when its scan is over. */
#include "host/session/recorder.h"

#include <stdio.h>
#include <string.h>

#include "host/devices/hub_error.h"

enum {
    HOME_MS = 180000,
    SENSORS_MS = 15000,
    BRAKING_MS = 10000,
    LISTEN_MS = 20,
    ASK_MS = 2000 /* for a status, once asked */
};

/* ---- what it says ---- */

static void hear_error(struct recorder *recorder, const struct nfsar_wire_message *record) {
    struct nfsar_wire_error error;
    char text[256];
    if (!nfsar_wire_unpack_error(&error, record->payload, record->bytes) || error.error > 31) {
        return;
    }
    const uint32_t bit = UINT32_C(1) << error.error;
    /* What was latched before is cleared, and nobody's business now. */
    if (recorder->prepared && error.latched != 0 && (recorder->errors & bit) == 0) {
        recorder_say(recorder, "the hub: %s", hub_error_text(&error, text));
    }
    recorder->errors = error.latched != 0 ? recorder->errors | bit : recorder->errors & ~bit;
    recorder->last[error.error] = error;
}

static void hear_axis(struct recorder *recorder, const struct nfsar_wire_message *record) {
    const uint8_t axis = record->header.channel;
    if (axis < RECORDER_AXES &&
        nfsar_wire_unpack_axis(&recorder->axes[axis], record->payload, record->bytes)) {
        recorder->axis_told[axis]++;
    }
}

static void hear_sensor(struct recorder *recorder, const struct nfsar_wire_message *record) {
    struct nfsar_wire_sensor sensor;
    if (record->header.channel < RECORDER_SENSORS &&
        nfsar_wire_unpack_sensor(&sensor, record->payload, record->bytes)) {
        recorder->sensors[record->header.channel] = sensor.state;
    }
}

static enum nfsar_status hear_trigger(struct recorder *recorder,
                                      const struct nfsar_wire_message *record, double host_s,
                                      nfsar_error *error) {
    struct nfsar_wire_trigger trigger;
    return nfsar_wire_unpack_trigger(&trigger, record->payload, record->bytes)
               ? recorder_take_trigger(recorder, &trigger, (double)record->header.time_ns * 1e-9,
                                       host_s, error)
               : NFSAR_OK;
}

static bool hear(void *context, const struct nfsar_wire_message *record) {
    struct recorder *recorder = context;
    const double host_s = recorder_now_s();
    enum nfsar_status status = NFSAR_OK;
    const bool kept = recorder->scanning || record->header.kind == NFSAR_WIRE_ERROR;
    radar_record(recorder->radar, record);
    recorder->heard_s = host_s;
    /* First the row, then the pulses that waited for it: a kill between the two costs no join. */
    if (recorder->recording != NULL && kept) {
        status = record_keep(recorder->recording, record, host_s, &recorder->error);
        /* A sensor's table is full: the scan took far longer than planned, and is worth more. */
        if (status == NFSAR_ERROR_ARGUMENT && record->header.kind != NFSAR_WIRE_TRIGGER) {
            recorder->refused_rows++;
            status = NFSAR_OK;
        }
    }
    switch (record->header.kind) {
    case NFSAR_WIRE_TRIGGER:
        status =
            status == NFSAR_OK ? hear_trigger(recorder, record, host_s, &recorder->error) : status;
        break;
    case NFSAR_WIRE_AXIS:
        hear_axis(recorder, record);
        break;
    case NFSAR_WIRE_SENSOR:
        hear_sensor(recorder, record);
        break;
    case NFSAR_WIRE_ERROR:
        hear_error(recorder, record);
        break;
    case NFSAR_WIRE_PROGRAM:
        recorder->has_program |=
            nfsar_wire_unpack_program(&recorder->program, record->payload, record->bytes);
        break;
    case NFSAR_WIRE_STATUS:
        recorder->has_status |=
            nfsar_wire_unpack_status(&recorder->status, record->payload, record->bytes);
        break;
    default:
        break;
    }
    recorder->failed = recorder->failed == NFSAR_OK ? status : recorder->failed;
    return true;
}

enum nfsar_status recorder_listen(struct recorder *recorder, unsigned ms, nfsar_error *error) {
    enum nfsar_status status = nfsar_hub_listen(recorder->hub, ms, error);
    if (status == NFSAR_OK && nfsar_hub_restarted(recorder->hub)) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "the hub restarted (%s) amid the recording: the scan is broken off",
                          nfsar_wire_reset_name(nfsar_hub_hello(recorder->hub)->reset));
    }
    if (status == NFSAR_OK && recorder->failed != NFSAR_OK) {
        *error = recorder->error;
        return recorder->failed;
    }
    return status;
}

/* ---- what it is told ---- */

static enum nfsar_status command(struct recorder *recorder, uint8_t kind, uint8_t channel,
                                 const uint8_t *payload, size_t n, nfsar_error *error) {
    return nfsar_hub_do(recorder->hub, kind, channel, payload, n, NULL, error);
}

static const char *port_of(const struct recorder *recorder) {
    return recorder->session->hub_port != NULL ? recorder->session->hub_port : "usb";
}

enum nfsar_status recorder_open_hub(struct recorder *recorder, nfsar_error *error) {
    const struct nfsar_hub_options options = {
        .record = hear, .context = recorder, .timeout_ms = 1000, .tries = 5};
    return nfsar_hub_open(port_of(recorder), &options, &recorder->hub, error);
}

/* Listens until done() or the limit; false where it was not reached. */
static enum nfsar_status wait(struct recorder *recorder, bool (*done)(const struct recorder *),
                              unsigned limit_ms, bool *reached, nfsar_error *error) {
    const uint64_t end = recorder_now_ms() + limit_ms;
    enum nfsar_status status = NFSAR_OK;
    *reached = done(recorder);
    while (!*reached && status == NFSAR_OK && recorder_now_ms() < end) {
        if (recorder_interrupted(recorder)) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted");
        }
        status = recorder_listen(recorder, LISTEN_MS, error);
        *reached = status == NFSAR_OK && done(recorder);
    }
    return status;
}

static enum nfsar_status set_axis(struct recorder *recorder, unsigned axis, nfsar_error *error) {
    struct nfsar_wire_do_axis_set set;
    uint8_t payload[NFSAR_WIRE_DO_AXIS_SET_BYTES];
    stage_wire_axis(recorder->session->stage, axis, &set);
    const enum nfsar_status status =
        command(recorder, NFSAR_WIRE_DO_AXIS_SET, (uint8_t)axis, payload,
                nfsar_wire_pack_do_axis_set(payload, &set), error);
    return status == NFSAR_OK ? status
                              : nfsar_fail_in(error, status, "%s", nfsar_wire_axis_id_name(axis));
}

/* Homes one axis; its records say when it stands. */
static enum nfsar_status home(struct recorder *recorder, unsigned axis, nfsar_error *error) {
    const struct stage_axis *what = stage_axis(recorder->session->stage, axis);
    const char *name = nfsar_wire_axis_id_name(axis);
    if (!recorder->session->scan.home || what->home == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "the place of axis %s is not known: `nfsar hub %s home %s`, or `place`",
                          name, port_of(recorder), name);
    }
    recorder_say(recorder, "homing %s", name);
    const uint64_t told = recorder->axis_told[axis];
    enum nfsar_status status =
        command(recorder, NFSAR_WIRE_DO_AXIS_HOME, (uint8_t)axis, NULL, 0, error);
    const uint64_t end = recorder_now_ms() + HOME_MS;
    bool stands = false;
    while (status == NFSAR_OK && !stands) {
        status = recorder_listen(recorder, LISTEN_MS, error);
        const uint8_t state = recorder->axes[axis].state;
        stands = recorder->axis_told[axis] != told &&
                 (state == NFSAR_WIRE_AXIS_IDLE || state == NFSAR_WIRE_AXIS_FAULT);
        if (status == NFSAR_OK && recorder_interrupted(recorder)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted");
        } else if (status == NFSAR_OK && recorder_now_ms() > end) {
            status = nfsar_fail(error, NFSAR_ERROR_DEVICE, "axis %s: homing takes too long", name);
        }
    }
    if (status != NFSAR_OK) {
        command(recorder, NFSAR_WIRE_DO_AXIS_STOP, (uint8_t)axis, NULL, 0, NULL);
    }
    if (status == NFSAR_OK && !recorder->axes[axis].placed) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "axis %s was not homed; `nfsar hub %s` says why", name,
                          port_of(recorder));
    }
    return status;
}

static enum nfsar_status declare(struct recorder *recorder, unsigned axis, nfsar_error *error) {
    const struct nfsar_wire_do_axis_place place = {0};
    uint8_t payload[NFSAR_WIRE_DO_AXIS_PLACE_BYTES];
    return command(recorder, NFSAR_WIRE_DO_AXIS_PLACE, (uint8_t)axis, payload,
                   nfsar_wire_pack_do_axis_place(payload, &place), error);
}

static enum nfsar_status prepare_axes(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    enum nfsar_status status = NFSAR_OK;
    for (unsigned axis = 0; axis < RECORDER_AXES && status == NFSAR_OK; axis++) {
        if (session->stage != NULL && stage_axis(session->stage, axis) != NULL) {
            status = set_axis(recorder, axis, error);
        }
    }
    if (session->scan.kind == SESSION_PERIOD) {
        return status;
    }
    const unsigned moved[2] = {session_fast_axis(session), session_slow_axis(session)};
    for (size_t i = 0; i < 2 && status == NFSAR_OK; i++) {
        if (recorder->axes[moved[i]].placed) {
            continue;
        }
        /* The hub wants a place of the slow axis of a single row too: an axis that is not there
         * stands at 0. */
        status = stage_axis(session->stage, moved[i]) != NULL ? home(recorder, moved[i], error)
                                                              : declare(recorder, moved[i], error);
    }
    return status;
}

/* Times between triggers: the stage's, or those of the radar's own file. */
static enum nfsar_status prepare_triggers(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    struct stage_radar radar = {.frame_s = session->radar.frame.frame_period_s};
    if (session->stage != NULL && session->stage->radar != NULL) {
        radar = *session->stage->radar;
    }
    struct nfsar_wire_do_trigger_set set;
    uint8_t payload[NFSAR_WIRE_DO_TRIGGER_SET_BYTES];
    stage_wire_radar(&radar, &set);
    return command(recorder, NFSAR_WIRE_DO_TRIGGER_SET, 0, payload,
                   nfsar_wire_pack_do_trigger_set(payload, &set), error);
}

static bool sensors_run(const struct recorder *recorder) {
    const struct session *session = recorder->session;
    return (!session->sensors.imu ||
            recorder->sensors[NFSAR_WIRE_SENSOR_IMU] == NFSAR_WIRE_SENSOR_IS_RUNNING ||
            recorder->sensors[NFSAR_WIRE_SENSOR_SPI_IMU] == NFSAR_WIRE_SENSOR_IS_RUNNING) &&
           (!session->sensors.flow ||
            recorder->sensors[NFSAR_WIRE_SENSOR_FLOW] == NFSAR_WIRE_SENSOR_IS_RUNNING) &&
           (!session->sensors.gnss ||
            recorder->sensors[NFSAR_WIRE_SENSOR_GNSS] == NFSAR_WIRE_SENSOR_IS_RUNNING);
}

static enum nfsar_status prepare_sensors(struct recorder *recorder, nfsar_error *error) {
    bool run = false;
    enum nfsar_status status = wait(recorder, sensors_run, SENSORS_MS, &run, error);
    if (status != NFSAR_OK || run) {
        return status;
    }
    const struct {
        const char *name;
        bool wanted;
        unsigned sensor;
    } sensors[] = {{"imu", recorder->session->sensors.imu, NFSAR_WIRE_SENSOR_IMU},
                   {"flow", recorder->session->sensors.flow, NFSAR_WIRE_SENSOR_FLOW},
                   {"gnss", recorder->session->sensors.gnss, NFSAR_WIRE_SENSOR_GNSS}};
    char states[128] = "";
    for (size_t i = 0; i < 3; i++) {
        const size_t used = strlen(states);
        if (sensors[i].wanted &&
            recorder->sensors[sensors[i].sensor] != NFSAR_WIRE_SENSOR_IS_RUNNING) {
            snprintf(states + used, sizeof states - used, "%s%s is %s", used > 0 ? ", " : "",
                     sensors[i].name,
                     nfsar_wire_sensor_state_name(recorder->sensors[sensors[i].sensor]));
        }
    }
    return nfsar_fail(
        error, NFSAR_ERROR_DEVICE,
        "%s: plug it in, or take it out of the session's sensors; `nfsar hub %s` says "
        "more",
        states, port_of(recorder));
}

enum nfsar_status recorder_prepare_hub(struct recorder *recorder, nfsar_error *error) {
    const struct nfsar_wire_do_clear clear = {UINT32_MAX};
    const struct nfsar_wire_do_streams streams = {.status_ms = 500, .axis_ms = 100};
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    if ((recorder->errors & UINT32_C(1) << NFSAR_WIRE_ERROR_EMERGENCY_STOP) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "the emergency stop is on; release it, and `nfsar hub %s emergency "
                          "release`",
                          port_of(recorder));
    }
    enum nfsar_status status = command(recorder, NFSAR_WIRE_DO_CLEAR, 0, payload,
                                       nfsar_wire_pack_do_clear(payload, &clear), error);
    recorder->errors = 0;
    recorder->prepared = true;
    if (status == NFSAR_OK) {
        status = command(recorder, NFSAR_WIRE_DO_STREAMS, 0, payload,
                         nfsar_wire_pack_do_streams(payload, &streams), error);
    }
    if (status == NFSAR_OK) {
        status = prepare_triggers(recorder, error);
    }
    if (status == NFSAR_OK) {
        status = prepare_sensors(recorder, error);
    }
    return status == NFSAR_OK ? prepare_axes(recorder, error) : status;
}

/* ---- the scan ---- */

/* A status of now. */
static bool ask_status(struct recorder *recorder) {
    const uint64_t end = recorder_now_ms() + ASK_MS;
    recorder->has_status = false;
    enum nfsar_status status = command(recorder, NFSAR_WIRE_DO_STATUS, 0, NULL, 0, NULL);
    while (status == NFSAR_OK && !recorder->has_status && recorder_now_ms() < end) {
        status = nfsar_hub_listen(recorder->hub, LISTEN_MS, NULL);
    }
    return recorder->has_status;
}

void recorder_count_triggers(struct recorder *recorder) {
    if (recorder->scanning && ask_status(recorder)) {
        recorder->made = recorder->status.triggers - recorder->made_before;
    }
}

static enum nfsar_status load_program(struct recorder *recorder, nfsar_error *error) {
    struct nfsar_wire_do_program_load load;
    struct nfsar_hub_reply reply;
    struct nfsar_wire_plan plan;
    uint8_t payload[NFSAR_WIRE_DO_PROGRAM_LOAD_BYTES];
    session_program(recorder->session, &load);
    enum nfsar_status status =
        nfsar_hub_do(recorder->hub, NFSAR_WIRE_DO_PROGRAM_LOAD, 0, payload,
                     nfsar_wire_pack_do_program_load(payload, &load), &reply, error);
    if (status == NFSAR_OK && nfsar_wire_unpack_plan(&plan, reply.payload, reply.bytes) &&
        plan.triggers != session_triggers(recorder->session)) {
        status = nfsar_fail(
            error, NFSAR_ERROR_DEVICE, "the hub plans %u triggers, the session has %llu",
            (unsigned)plan.triggers, (unsigned long long)session_triggers(recorder->session));
    }
    return status;
}

enum nfsar_status recorder_start_scan(struct recorder *recorder, nfsar_error *error) {
    const struct session *session = recorder->session;
    const bool timed = session->scan.kind == SESSION_PERIOD;
    enum nfsar_status status = timed ? NFSAR_OK : load_program(recorder, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (!ask_status(recorder)) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE, "the hub does not tell its status");
    }
    recorder->made_before = recorder->status.triggers;
    recorder->has_program = false;
    recorder->has_scan = false;
    recorder->scanning = true;
    if (timed) {
        const struct nfsar_wire_do_trigger_arm arm = {
            .mode = 1,
            .period_ns = (uint64_t)(session->scan.period_s * 1e9 + 0.5),
            .count = (uint32_t)session_triggers(session)}; /* an end, whatever becomes of us */
        uint8_t payload[NFSAR_WIRE_DO_TRIGGER_ARM_BYTES];
        status = command(recorder, NFSAR_WIRE_DO_TRIGGER_ARM, 0, payload,
                         nfsar_wire_pack_do_trigger_arm(payload, &arm), error);
    } else {
        status = command(recorder, NFSAR_WIRE_DO_PROGRAM_START, 0, NULL, 0, error);
    }
    recorder->has_status = false; /* one from before the start says how the scan before ended */
    return status;
}

static bool program_over(const struct recorder *recorder) {
    const uint8_t told =
        recorder->has_program ? recorder->program.state : NFSAR_WIRE_PROGRAM_RUNNING;
    const uint8_t state =
        recorder->has_status ? recorder->status.program : NFSAR_WIRE_PROGRAM_RUNNING;
    return told == NFSAR_WIRE_PROGRAM_FINISHED || told == NFSAR_WIRE_PROGRAM_ABORTED ||
           state == NFSAR_WIRE_PROGRAM_FINISHED || state == NFSAR_WIRE_PROGRAM_ABORTED;
}

bool recorder_scan_over(const struct recorder *recorder) {
    const struct session *session = recorder->session;
    if (session->scan.kind != SESSION_PERIOD) {
        return program_over(recorder);
    }
    return recorder->n_triggers >= session_triggers(session) ||
           (recorder->has_status && recorder->status.armed == 0);
}

/* The first of the errors that the hub told of in the scan, in words. */
static const char *latched(const struct recorder *recorder, char text[256]) {
    for (unsigned i = 0; i < NFSAR_WIRE_error_code_end; i++) {
        if ((recorder->errors >> i & 1) != 0) {
            return hub_error_text(&recorder->last[i], text);
        }
    }
    return "it does not say why";
}

static enum nfsar_status timed_verdict(struct recorder *recorder, nfsar_error *error) {
    const size_t planned = (size_t)session_triggers(recorder->session);
    char text[256];
    recorder_count_triggers(recorder);
    const size_t made =
        recorder->made > recorder->n_triggers ? recorder->made : recorder->n_triggers;
    return made >= planned ? NFSAR_OK
                           : nfsar_fail(error, NFSAR_ERROR_DEVICE,
                                        "the hub stopped triggering after %zu of %zu triggers: %s",
                                        made, planned, latched(recorder, text));
}

enum nfsar_status recorder_scan_verdict(struct recorder *recorder, nfsar_error *error) {
    if (recorder->session->scan.kind == SESSION_PERIOD) {
        return timed_verdict(recorder, error);
    }
    if ((recorder->has_program && recorder->program.state == NFSAR_WIRE_PROGRAM_FINISHED) ||
        (recorder->has_status && recorder->status.program == NFSAR_WIRE_PROGRAM_FINISHED)) {
        return NFSAR_OK;
    }
    /* The reason follows. */
    nfsar_hub_listen(recorder->hub, 100, NULL);
    const uint32_t aborted = UINT32_C(1) << NFSAR_WIRE_ERROR_PROGRAM_ABORTED;
    return nfsar_fail(
        error, NFSAR_ERROR_DEVICE,
        "the scan was broken off in row %u, after %zu of %llu triggers: %s",
        (unsigned)recorder->program.row, recorder->n_triggers,
        (unsigned long long)session_triggers(recorder->session),
        (recorder->errors & aborted) != 0
            ? nfsar_wire_reason_name(recorder->last[NFSAR_WIRE_ERROR_PROGRAM_ABORTED].source)
        : recorder->program.error < NFSAR_WIRE_error_code_end
            ? nfsar_wire_error_code_name(recorder->program.error)
            : "by command");
}

static bool stands(const struct recorder *recorder) {
    if (recorder->session->scan.kind == SESSION_PERIOD) {
        return recorder->has_status && recorder->status.armed == 0;
    }
    return program_over(recorder);
}

enum nfsar_status recorder_stop_scan(struct recorder *recorder, nfsar_error *error) {
    const bool timed = recorder->session->scan.kind == SESSION_PERIOD;
    const uint64_t end = recorder_now_ms() + BRAKING_MS;
    recorder->has_status = false;
    enum nfsar_status status =
        command(recorder, timed ? NFSAR_WIRE_DO_TRIGGER_STOP : NFSAR_WIRE_DO_PROGRAM_ABORT, 0, NULL,
                0, error);
    /* Whatever failed before must not keep it from waiting. */
    while (status == NFSAR_OK && !stands(recorder) && recorder_now_ms() < end) {
        status = nfsar_hub_listen(recorder->hub, LISTEN_MS, error);
    }
    if (status == NFSAR_OK && !stands(recorder)) {
        return nfsar_fail(
            error, NFSAR_ERROR_DEVICE,
            "the hub was told to stop the scan, and does not say that it has; use the "
            "emergency stop");
    }
    return status;
}
