#include "host/devices/hub_error.h"

#include <stdio.h>

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
