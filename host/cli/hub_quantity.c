/* Lengths, speeds and times of the command line, with their units. What moves a machine says its
 * unit: a bare number would be metres for one user and steps for the next. */
#include "host/cli/hub.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

enum sort { STEPS, LENGTH, ANGLE, TIME };

static const struct unit {
    const char *name;
    enum sort sort;
    double scale; /* to steps, metres, degrees, seconds */
} units[] = {
    {"steps", STEPS, 1.0}, {"step", STEPS, 1.0}, {"m", LENGTH, 1.0},  {"cm", LENGTH, 1e-2},
    {"mm", LENGTH, 1e-3},  {"um", LENGTH, 1e-6}, {"deg", ANGLE, 1.0}, {"turns", ANGLE, 360.0},
    {"turn", ANGLE, 360.}, {"s", TIME, 1.0},     {"ms", TIME, 1e-3},  {"us", TIME, 1e-6},
    {"ns", TIME, 1e-9},    {"min", TIME, 60.0},
};

/* A number and its unit, which ends at `end`. NULL: neither. */
static const struct unit *read_quantity(const char *text, const char *end_with, double *value) {
    const char *rest = NULL;
    if (!cli_number(text, &rest, value)) {
        return NULL;
    }
    const size_t length = strlen(rest);
    const size_t tail = strlen(end_with);
    if (length < tail || strcmp(rest + length - tail, end_with) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == length - tail &&
            strncmp(units[i].name, rest, length - tail) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

int hub_axis(const char *form, const char *name) {
    for (unsigned axis = 0; axis < NFSAR_WIRE_axis_id_end; axis++) {
        if (strcmp(name, nfsar_wire_axis_id_name(axis)) == 0) {
            return (int)axis;
        }
    }
    cli_usage(form, "there is no axis '%s'; x, y or turntable", name);
    return -1;
}

/* Steps for one of the quantity's unit; 0 after saying what is wrong. */
static double scale_of(const char *form, const char *text, const struct unit *unit,
                       const struct stage *rig, unsigned axis) {
    const char *name = nfsar_wire_axis_id_name(axis);
    const enum sort own = axis == NFSAR_WIRE_AXIS_IS_TURNTABLE ? ANGLE : LENGTH;
    if (unit->sort == STEPS) {
        return unit->scale;
    }
    if (unit->sort != own) {
        cli_usage(form, "%s: %s is %s", text, name,
                  own == ANGLE ? "turned by deg, turns or steps" : "moved by m, cm, mm or steps");
        return 0.0;
    }
    if (rig == NULL || stage_axis(rig, axis) == NULL) {
        cli_usage(form,
                  rig == NULL ? "%s: how many steps is that? --rig RIG.yaml says so, or give "
                                "steps, such as 1200steps"
                              : "%s: the rig file does not describe %s",
                  text, name);
        return 0.0;
    }
    return unit->scale * stage_steps(rig, axis);
}

bool hub_length(const char *form, const char *text, const struct stage *rig, unsigned axis,
                int32_t *steps) {
    double value = 0.0;
    const struct unit *unit = strcmp(text, "0") == 0 ? &units[0] : read_quantity(text, "", &value);
    if (unit == NULL) {
        cli_usage(form, "%s: expected a length with its unit, such as %s or 1200steps", text,
                  axis == NFSAR_WIRE_AXIS_IS_TURNTABLE ? "90deg" : "120mm");
        return false;
    }
    const double scale = scale_of(form, text, unit, rig, axis);
    if (scale == 0.0) {
        return false;
    }
    const double exact = value * scale;
    if (!(fabs(exact) <= 1073741824.0)) {
        cli_usage(form, "%s: is %.0f steps, more than 2^30", text, exact);
        return false;
    }
    *steps = (int32_t)lround(exact);
    return true;
}

bool hub_speed(const char *form, const char *text, const struct stage *rig, unsigned axis,
               float *steps_per_s) {
    double value = 0.0;
    const struct unit *unit = read_quantity(text, "/s", &value);
    if (unit == NULL || !(value > 0.0)) {
        cli_usage(form, "%s: expected a speed above 0 with its unit, such as %s or 4000steps/s",
                  text, axis == NFSAR_WIRE_AXIS_IS_TURNTABLE ? "10deg/s" : "50mm/s");
        return false;
    }
    const double scale = scale_of(form, text, unit, rig, axis);
    *steps_per_s = (float)(value * scale);
    return scale != 0.0;
}

bool hub_time(const char *form, const char *text, uint64_t *ns) {
    double value = 0.0;
    const struct unit *unit = strcmp(text, "0") == 0 ? &units[9] : read_quantity(text, "", &value);
    const double exact = unit != NULL ? value * unit->scale * 1e9 : -1.0;
    if (unit == NULL || unit->sort != TIME || !(exact >= 0.0 && exact < 9e18)) {
        cli_usage(form, "%s: expected a time with its unit, such as 20ms", text);
        return false;
    }
    *ns = (uint64_t)llround(exact);
    return true;
}
