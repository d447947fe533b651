/* Records of the hub as a line for people. */
#include "host/cli/hub.h"

#include <stdio.h>

const char *hub_kind_name(unsigned kind) {
    switch (kind) {
    case NFSAR_WIRE_HELLO:
        return "hello";
    case NFSAR_WIRE_STATUS:
        return "status";
    case NFSAR_WIRE_ERROR:
        return "error";
    case NFSAR_WIRE_CRASH:
        return "crash";
    case NFSAR_WIRE_TRIGGER:
        return "trigger";
    case NFSAR_WIRE_AXIS:
        return "axis";
    case NFSAR_WIRE_PROGRAM:
        return "program";
    case NFSAR_WIRE_IMU:
        return "imu";
    case NFSAR_WIRE_FLOW:
        return "flow";
    case NFSAR_WIRE_RANGE:
        return "range";
    case NFSAR_WIRE_GNSS:
        return "gnss";
    case NFSAR_WIRE_CLOCK:
        return "clock";
    case NFSAR_WIRE_SENSOR:
        return "sensor";
    case NFSAR_WIRE_RADAR:
        return "radar";
    case NFSAR_WIRE_RADAR_TEXT:
        return "radar-text";
    default:
        return "other";
    }
}

const char *hub_error_text(const struct nfsar_wire_error *error, char text[256]) {
    const char *what = nfsar_wire_error_code_name(error->error);
    char more[128] = "";
    switch (error->error) {
    case NFSAR_WIRE_ERROR_AXIS_LIMIT:
    case NFSAR_WIRE_ERROR_AXIS_HOMING:
    case NFSAR_WIRE_ERROR_AXIS_PLACE:
        snprintf(more, sizeof more, " (%s, at step %d)", nfsar_wire_axis_id_name(error->source),
                 (int)error->value);
        break;
    case NFSAR_WIRE_ERROR_TRIGGER_EARLY:
    case NFSAR_WIRE_ERROR_TRIGGER_MISSED:
    case NFSAR_WIRE_ERROR_TRIGGER_LOST:
        snprintf(more, sizeof more, " (trigger %d)", (int)error->value);
        break;
    case NFSAR_WIRE_ERROR_PROGRAM_ABORTED:
        snprintf(more, sizeof more, " (row %d: %s)", (int)error->value,
                 nfsar_wire_reason_name(error->source));
        break;
    case NFSAR_WIRE_ERROR_SENSOR_SILENT:
    case NFSAR_WIRE_ERROR_SENSOR_FAULT:
        snprintf(more, sizeof more, " (%s)", nfsar_wire_sensor_id_name(error->source));
        break;
    case NFSAR_WIRE_ERROR_RADAR_SILENT:
    case NFSAR_WIRE_ERROR_RADAR_REFUSED:
        snprintf(more, sizeof more, " (line %d)", (int)error->value);
        break;
    case NFSAR_WIRE_ERROR_INPUT_LOST:
        snprintf(more, sizeof more, " (%s, %d bytes)", nfsar_wire_port_name(error->source),
                 (int)error->value);
        break;
    case NFSAR_WIRE_ERROR_LINK_DROPPED:
        snprintf(more, sizeof more, " (%d)", (int)error->value);
        break;
    case NFSAR_WIRE_ERROR_TICK_LATE:
        snprintf(more, sizeof more, " (%.1f us)", error->value * 1e-3);
        break;
    case NFSAR_WIRE_ERROR_STACK_LOW:
        snprintf(more, sizeof more, " (%d bytes left)", (int)error->value);
        break;
    case NFSAR_WIRE_ERROR_CRASHED:
        snprintf(more, sizeof more, " (pc 0x%08x)", (unsigned)error->value);
        break;
    default:
        break;
    }
    if (error->times > 1) {
        snprintf(text, 256, "%s%s, %u times", what, more, (unsigned)error->times);
    } else {
        snprintf(text, 256, "%s%s", what, more);
    }
    return text;
}

const char *hub_axis_text(const struct nfsar_wire_axis *axis, unsigned number, char text[128]) {
    snprintf(text, 128, "%s %d%s %s%s", nfsar_wire_axis_id_name(number), (int)axis->position,
             axis->placed != 0 ? "" : " (not trusted)", nfsar_wire_axis_state_name(axis->state),
             axis->enabled != 0 ? "" : ", current off");
    return text;
}
