/* nfsar hub PORT: who it is and how it does. */
#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"
#include "host/cli/image_verbs.h"
#include "host/cli/info.h"

/* Sensors and axes tell of themselves after the greeting; one that does not in this time does not
 * hold up the rest. */
enum { WAIT_MS = 1500 };

static bool all_told(void *context) {
    const struct hub_session *session = context;
    const struct nfsar_wire_hello *hello = nfsar_hub_hello(session->hub);
    bool all = session->has_status;
    for (unsigned i = 0; i < hello->sensors && i < HUB_SENSORS; i++) {
        all = all && session->has_sensor[i];
    }
    for (unsigned i = 0; i < hello->axes && i < HUB_AXES; i++) {
        all = all && session->has_axis[i];
    }
    return all;
}

static const char *serial_text(const uint8_t serial[12], char text[25]) {
    for (unsigned i = 0; i < 12; i++) {
        snprintf(text + 2 * i, 3, "%02X", serial[i]);
    }
    return text;
}

static const char *duration_text(uint64_t ns, char text[32]) {
    const uint64_t s = ns / 1000000000U;
    if (s < 60) {
        snprintf(text, 32, "%.1f s", (double)ns * 1e-9);
    } else if (s < 3600) {
        snprintf(text, 32, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    } else {
        snprintf(text, 32, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s % 3600 / 60);
    }
    return text;
}

/* The names of the bits that are set, "x low, emergency stop". */
static const char *inputs_text(uint8_t inputs, char text[160]) {
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < NFSAR_WIRE_input_end; i++) {
        if ((inputs >> i & 1U) != 0) {
            used += (size_t)snprintf(text + used, 160 - used, "%s%s", used > 0 ? ", " : "",
                                     nfsar_wire_input_name(i));
        }
    }
    return used > 0 ? text : "none active";
}

/* ---- for people ---- */

static void print_hello(const struct hub_session *session) {
    const struct nfsar_wire_hello *hello = nfsar_hub_hello(session->hub);
    char board[17], firmware[25], serial[25], up[32];
    hub_copy_text(board, sizeof board, hello->board, sizeof hello->board);
    hub_copy_text(firmware, sizeof firmware, hello->firmware, sizeof hello->firmware);
    info_label("hub");
    printf("%s%s, firmware %s, protocol %u.%u, number %s\n", board,
           (hello->flags & NFSAR_WIRE_HELLO_EMULATED) != 0 ? " (emulated)" : "", firmware,
           hello->major, hello->minor, serial_text(hello->serial, serial));
    info_label("clock");
    printf("stamps to %.1f ns, %" PRIu32 " steps/s at most\n", 1e9 / hello->count_hz,
           hello->tick_hz / 2);
    info_label("started");
    printf("%" PRIu32 " time%s since power came, last by %s", hello->starts, cli_s(hello->starts),
           nfsar_wire_reset_name(hello->reset));
    if (session->has_status) {
        printf("; up for %s", duration_text(session->status_ns, up));
    }
    puts("");
}

static void print_status(const struct hub_session *session) {
    const struct nfsar_wire_status *status = &session->status;
    char inputs[160];
    info_label("stage");
    printf("%s, triggers %s (%" PRIu32 " since the start), scan %s\n",
           status->emergency != 0 ? "EMERGENCY STOP" : "free", status->armed != 0 ? "armed" : "off",
           status->triggers, nfsar_wire_program_state_name(status->program));
    info_label("inputs");
    puts(inputs_text(status->inputs, inputs));
    info_label("records");
    printf("%" PRIu32 " made, %" PRIu32 " dropped (%" PRIu32 " of sensors, %" PRIu32
           " of triggers); queue at most %u of %u bytes\n",
           status->made, status->dropped, status->dropped_sensors, status->dropped_triggers,
           status->queue_worst, status->queue_size);
    info_label("commands");
    printf("%" PRIu32 " heard, %" PRIu32 " garbled\n", status->frames, status->frames_bad);
    info_label("lost bytes");
    for (unsigned i = 0; i < NFSAR_WIRE_port_end; i++) {
        printf("%s%s %" PRIu32, i > 0 ? ", " : "", nfsar_wire_port_name(i), status->bytes_lost[i]);
    }
    puts("");
    info_label("load");
    printf("loop at most %.0f us, motion at most %.1f us and late by %.1f us; %u bytes of stack "
           "never used\n",
           status->loop_worst_ns * 1e-3, status->tick_worst_ns * 1e-3,
           status->tick_late_worst_ns * 1e-3, status->stack_free);
}

static void print_axes(const struct hub_session *session) {
    const char *label = "axes";
    for (unsigned i = 0; i < HUB_AXES; i++) {
        if (session->has_axis[i]) {
            char text[128];
            info_label(label);
            puts(hub_axis_text(&session->axes[i], i, text));
            label = "";
        }
    }
}

static void print_sensors(const struct hub_session *session) {
    const char *label = "sensors";
    for (unsigned i = 0; i < HUB_SENSORS; i++) {
        const struct nfsar_wire_sensor *sensor = &session->sensors[i];
        if (!session->has_sensor[i]) {
            continue;
        }
        info_label(label);
        printf("%-8s %-9s %" PRIu32 " samples; %" PRIu32 " wrong sums, %" PRIu32
               " outside, %" PRIu32 " lost, %" PRIu32 " silences, %u restarts\n",
               nfsar_wire_sensor_id_name(i), nfsar_wire_sensor_state_name(sensor->state),
               sensor->samples, sensor->checksum, sensor->outside, sensor->overflows,
               sensor->silences, sensor->restarts);
        label = "";
    }
}

static void print_errors(const struct hub_session *session) {
    const char *label = "errors";
    for (unsigned i = 0; i < HUB_ERRORS; i++) {
        char text[256];
        if (session->has_error[i]) {
            info_label(label);
            puts(hub_error_text(&session->errors[i], text));
            label = "";
        }
    }
    if (label[0] != '\0') {
        info_label(label);
        puts("none");
    }
}

static void print_all(const struct hub_session *session) {
    print_hello(session);
    if (session->has_status) {
        print_status(session);
    }
    print_axes(session);
    print_sensors(session);
    print_errors(session);
    if (session->has_crash) {
        hub_print_crash(&session->crash, nfsar_hub_hello(session->hub));
    }
}

/* ---- for programs ---- */

static json_t *json_of_hello(const struct nfsar_wire_hello *hello) {
    char board[17], firmware[25], serial[25];
    hub_copy_text(board, sizeof board, hello->board, sizeof hello->board);
    hub_copy_text(firmware, sizeof firmware, hello->firmware, sizeof hello->firmware);
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:I, s:I, s:s, s:I}", "board", board,
                     "firmware", firmware, "serial", serial_text(hello->serial, serial),
                     "protocol_major", hello->major, "protocol_minor", hello->minor, "emulated",
                     (hello->flags & NFSAR_WIRE_HELLO_EMULATED) != 0, "usb",
                     (hello->flags & NFSAR_WIRE_HELLO_USB) != 0, "count_hz",
                     (json_int_t)hello->count_hz, "tick_hz", (json_int_t)hello->tick_hz, "reset",
                     nfsar_wire_reset_name(hello->reset), "starts", (json_int_t)hello->starts);
}

static json_t *json_of_status(const struct hub_session *session) {
    const struct nfsar_wire_status *status = &session->status;
    if (!session->has_status) {
        return json_null();
    }
    json_t *inputs = json_array();
    for (unsigned i = 0; i < NFSAR_WIRE_input_end; i++) {
        if ((status->inputs >> i & 1U) != 0) {
            json_array_append_new(inputs, json_string(nfsar_wire_input_name(i)));
        }
    }
    json_t *lost = json_object();
    for (unsigned i = 0; i < NFSAR_WIRE_port_end; i++) {
        json_object_set_new(lost, nfsar_wire_port_name(i), json_integer(status->bytes_lost[i]));
    }
    return json_pack(
        "{s:f, s:b, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:f, s:f, s:f, "
        "s:o, s:o}",
        "uptime_s", (double)session->status_ns * 1e-9, "emergency", status->emergency != 0, "armed",
        status->armed != 0, "scan", nfsar_wire_program_state_name(status->program), "triggers",
        (json_int_t)status->triggers, "made", (json_int_t)status->made, "dropped",
        (json_int_t)status->dropped, "dropped_sensors", (json_int_t)status->dropped_sensors,
        "dropped_triggers", (json_int_t)status->dropped_triggers, "commands",
        (json_int_t)status->frames, "commands_garbled", (json_int_t)status->frames_bad,
        "queue_worst_bytes", status->queue_worst, "queue_bytes", status->queue_size,
        "stack_free_bytes", status->stack_free, "loop_worst_s", status->loop_worst_ns * 1e-9,
        "motion_worst_s", status->tick_worst_ns * 1e-9, "motion_late_s",
        status->tick_late_worst_ns * 1e-9, "inputs", inputs, "bytes_lost", lost);
}

static json_t *json_of_axes(const struct hub_session *session) {
    json_t *axes = json_object();
    for (unsigned i = 0; i < HUB_AXES; i++) {
        const struct nfsar_wire_axis *axis = &session->axes[i];
        if (session->has_axis[i]) {
            json_object_set_new(axes, nfsar_wire_axis_id_name(i),
                                json_pack("{s:s, s:b, s:b, s:i, s:i}", "state",
                                          nfsar_wire_axis_state_name(axis->state), "trusted",
                                          axis->placed != 0, "enabled", axis->enabled != 0,
                                          "position_steps", (int)axis->position, "target_steps",
                                          (int)axis->target));
        }
    }
    return axes;
}

static json_t *json_of_sensors(const struct hub_session *session) {
    json_t *sensors = json_object();
    for (unsigned i = 0; i < HUB_SENSORS; i++) {
        const struct nfsar_wire_sensor *sensor = &session->sensors[i];
        if (session->has_sensor[i]) {
            json_object_set_new(
                sensors, nfsar_wire_sensor_id_name(i),
                json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "state",
                          nfsar_wire_sensor_state_name(sensor->state), "samples",
                          (json_int_t)sensor->samples, "wrong_sums", (json_int_t)sensor->checksum,
                          "outside", (json_int_t)sensor->outside, "resyncs",
                          (json_int_t)sensor->resyncs, "lost", (json_int_t)sensor->overflows,
                          "silences", (json_int_t)sensor->silences, "restarts", sensor->restarts));
        }
    }
    return sensors;
}

static json_t *json_of_errors(const struct hub_session *session) {
    json_t *errors = json_array();
    for (unsigned i = 0; i < HUB_ERRORS; i++) {
        const struct nfsar_wire_error *error = &session->errors[i];
        char text[256];
        if (session->has_error[i]) {
            json_array_append_new(
                errors, json_pack("{s:i, s:s, s:i, s:i, s:I}", "error", error->error, "text",
                                  hub_error_text(error, text), "source", error->source, "value",
                                  (int)error->value, "times", (json_int_t)error->times));
        }
    }
    return errors;
}

static json_t *json_of_crash(const struct hub_session *session) {
    const struct nfsar_wire_crash *crash = &session->crash;
    if (!session->has_crash) {
        return json_null();
    }
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:I}", "exception",
                     nfsar_wire_exception_name(crash->exception), "place",
                     nfsar_wire_place_name(crash->place), "pc", (json_int_t)crash->registers[6],
                     "lr", (json_int_t)crash->registers[5], "cfsr", (json_int_t)crash->cfsr, "hfsr",
                     (json_int_t)crash->hfsr, "address", (json_int_t)crash->address, "uptime_s",
                     (double)crash->uptime_ns * 1e-9, "crashes", (json_int_t)crash->crashes);
}

static int print_json(const struct hub_session *session) {
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "port", json_text(session->port), "hub",
                  json_of_hello(nfsar_hub_hello(session->hub)), "status", json_of_status(session),
                  "axes", json_of_axes(session), "sensors", json_of_sensors(session), "errors",
                  json_of_errors(session), "crash", json_of_crash(session));
    const int failed = object == NULL || json_dumpf(object, stdout, JSON_INDENT(2)) != 0;
    json_decref(object);
    puts("");
    if (failed) {
        nfsar_error error;
        nfsar_fail(&error, NFSAR_ERROR_MEMORY, "the JSON object cannot be made: out of memory");
        return cli_fail(&error);
    }
    return CLI_DONE;
}

int hub_show(const char *port, int argc, char **argv) {
    bool json = false;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one JSON object, in SI units"},
        {0},
    };
    if (!cli_parse("hub PORT", "[--json]", options, 0, NULL, argc, argv, &exit_status)) {
        return exit_status;
    }
    struct hub_session session = {0};
    nfsar_error error;
    bool reached = false;
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = hub_command(&session, NFSAR_WIRE_DO_STATUS, 0, NULL, 0, &error);
    }
    if (status == NFSAR_OK) {
        status = hub_wait(&session, all_told, &session, WAIT_MS, &reached, &error);
    }
    if (status != NFSAR_OK) {
        exit_status = cli_fail(&error);
    } else if (json) {
        exit_status = print_json(&session);
    } else {
        print_all(&session);
        exit_status = CLI_DONE;
    }
    hub_close(&session);
    return exit_status;
}
