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

const char *hub_axis_text(const struct nfsar_wire_axis *axis, unsigned number, char text[128]) {
    snprintf(text, 128, "%s %d%s %s%s", nfsar_wire_axis_id_name(number), (int)axis->position,
             axis->placed != 0 ? "" : " (not trusted)", nfsar_wire_axis_state_name(axis->state),
             axis->enabled != 0 ? "" : ", current off");
    return text;
}
