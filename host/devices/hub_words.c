/* Commands of the hub and their fields, in words. */
#include <nfsar/hub.h>

#include <stdio.h>

#define FIELD(type, name)         #name,
#define FIELDS(type, name, count) #name,
/* Each list ends with NULL. */
#define NAMES(NAME, name)                                                                          \
    static const char *const fields_of_##name[] = {NFSAR_WIRE_FIELDS_##NAME(FIELD, FIELDS) NULL};
NAMES(DO_HELLO, do_hello)
NAMES(DO_CLEAR, do_clear)
NAMES(DO_CRASH, do_crash)
NAMES(DO_RESTART, do_restart)
NAMES(DO_STREAMS, do_streams)
NAMES(DO_INJECT, do_inject)
NAMES(DO_TRIGGER_SET, do_trigger_set)
NAMES(DO_TRIGGER_ARM, do_trigger_arm)
NAMES(DO_AXIS_SET, do_axis_set)
NAMES(DO_AXIS_MOVE, do_axis_move)
NAMES(DO_AXIS_PLACE, do_axis_place)
NAMES(DO_AXIS_ENABLE, do_axis_enable)
NAMES(DO_EMERGENCY, do_emergency)
NAMES(DO_PROGRAM_LOAD, do_program_load)
NAMES(DO_SENSOR_SET, do_sensor_set)
NAMES(DO_RADAR_TEXT, do_radar_text)
NAMES(DO_RADAR_RUN, do_radar_run)
NAMES(DO_RADAR_RESET, do_radar_reset)

static const struct {
    uint8_t kind;
    const char *name;
    const char *const *fields; /* NULL: none */
} commands[] = {
    {NFSAR_WIRE_DO_HELLO, "greeting", fields_of_do_hello},
    {NFSAR_WIRE_DO_ECHO, "echo", NULL},
    {NFSAR_WIRE_DO_TIME, "question for the time", NULL},
    {NFSAR_WIRE_DO_STATUS, "question for the status", NULL},
    {NFSAR_WIRE_DO_CLEAR, "clearing of errors", fields_of_do_clear},
    {NFSAR_WIRE_DO_CRASH, "question for the crash record", fields_of_do_crash},
    {NFSAR_WIRE_DO_RESTART, "restart", fields_of_do_restart},
    {NFSAR_WIRE_DO_STREAMS, "choice of records", fields_of_do_streams},
    {NFSAR_WIRE_DO_INJECT, "fault for a test", fields_of_do_inject},
    {NFSAR_WIRE_DO_TRIGGER_SET, "radar's frame time", fields_of_do_trigger_set},
    {NFSAR_WIRE_DO_TRIGGER_ARM, "arming of triggers", fields_of_do_trigger_arm},
    {NFSAR_WIRE_DO_TRIGGER_STOP, "stop of triggers", NULL},
    {NFSAR_WIRE_DO_AXIS_SET, "settings of an axis", fields_of_do_axis_set},
    {NFSAR_WIRE_DO_AXIS_MOVE, "move of an axis", fields_of_do_axis_move},
    {NFSAR_WIRE_DO_AXIS_STOP, "stop of an axis", NULL},
    {NFSAR_WIRE_DO_AXIS_HOME, "homing of an axis", NULL},
    {NFSAR_WIRE_DO_AXIS_PLACE, "placing of an axis", fields_of_do_axis_place},
    {NFSAR_WIRE_DO_AXIS_ENABLE, "current of an axis", fields_of_do_axis_enable},
    {NFSAR_WIRE_DO_EMERGENCY, "emergency stop", fields_of_do_emergency},
    {NFSAR_WIRE_DO_PROGRAM_LOAD, "scan program", fields_of_do_program_load},
    {NFSAR_WIRE_DO_PROGRAM_START, "start of the scan", NULL},
    {NFSAR_WIRE_DO_PROGRAM_ABORT, "end of the scan", NULL},
    {NFSAR_WIRE_DO_SENSOR_SET, "switching of a sensor", fields_of_do_sensor_set},
    {NFSAR_WIRE_DO_RADAR_TEXT, "text for the radar", fields_of_do_radar_text},
    {NFSAR_WIRE_DO_RADAR_RUN, "radar's configuration", fields_of_do_radar_run},
    {NFSAR_WIRE_DO_RADAR_LINE, "line for the radar", NULL},
    {NFSAR_WIRE_DO_RADAR_CANCEL, "end of the radar's configuration", NULL},
    {NFSAR_WIRE_DO_RADAR_RESET, "reset of the radar", fields_of_do_radar_reset},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

const char *nfsar_hub_command_name(unsigned kind) {
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].kind == kind) {
            return commands[i].name;
        }
    }
    return "unknown command";
}

/* The name of field i of a command, or NULL. */
static const char *field_name(unsigned kind, unsigned i) {
    for (size_t c = 0; c < COMMANDS; c++) {
        if (commands[c].kind != kind || commands[c].fields == NULL) {
            continue;
        }
        unsigned n = 0;
        while (commands[c].fields[n] != NULL && n < i) {
            n++;
        }
        return commands[c].fields[n];
    }
    return NULL;
}

const char *nfsar_hub_reply_text(const struct nfsar_hub_reply *reply, char text[160]) {
    const char *result = nfsar_wire_result_name(reply->result);
    const char *field = NULL;
    if (reply->detail > NFSAR_WIRE_REASON && reply->result != NFSAR_WIRE_RESULT_PLACE) {
        const char *reason = nfsar_wire_reason_name(reply->detail - NFSAR_WIRE_REASON);
        /* The reason says more than the result; only where something is latched does the result
         * say what to do. */
        if (reply->result != NFSAR_WIRE_RESULT_LATCHED) {
            result = reason;
        } else {
            field = reason;
        }
    } else if (reply->result == NFSAR_WIRE_RESULT_VALUE) {
        field = field_name(reply->command, reply->detail);
    }
    snprintf(text, 160, "%s%s%s", result, field != NULL ? ": " : "", field != NULL ? field : "");
    return text;
}
