#include "host/devices/stage.h"

#include <math.h>

#include "host/yaml.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPTIONAL     CYAML_FLAG_OPTIONAL
#define POINTER      (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

/* Positions of the hub are below 2^30 steps. */
#define STEPS_LIMIT 1073741824.0

enum { TURNTABLE = NFSAR_WIRE_AXIS_IS_TURNTABLE, AXES = NFSAR_WIRE_axis_id_end };

static const cyaml_strval_t ends[] = {{"low", STAGE_LOW}, {"high", STAGE_HIGH}};

static const cyaml_schema_value_t end_entry = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum stage_end, ends, COUNT(ends))};

/* The keys of an axis carry its unit: m, or deg. */
#define HOME_FIELDS(UNIT)                                                                          \
    {                                                                                              \
        CYAML_FIELD_ENUM("end", OPTIONAL | CYAML_FLAG_STRICT, struct stage_home, end, ends,        \
                         COUNT(ends)),                                                             \
            CYAML_FIELD_FLOAT("speed_" UNIT "_per_s", CYAML_FLAG_DEFAULT, struct stage_home,       \
                              speed),                                                              \
            CYAML_FIELD_FLOAT("slow_" UNIT "_per_s", CYAML_FLAG_DEFAULT, struct stage_home, slow), \
            CYAML_FIELD_FLOAT_PTR("back_" UNIT, POINTER, struct stage_home, back),                 \
            CYAML_FIELD_FLOAT_PTR("travel_" UNIT, POINTER, struct stage_home, travel),             \
            CYAML_FIELD_FLOAT_PTR("position_" UNIT, POINTER, struct stage_home, position),         \
            CYAML_FIELD_FLOAT_PTR("timeout_s", POINTER, struct stage_home, timeout_s),             \
            CYAML_FIELD_END                                                                        \
    }
#define AXIS_FIELDS(UNIT, STEPS, home_fields)                                                      \
    {                                                                                              \
        CYAML_FIELD_FLOAT(STEPS, CYAML_FLAG_DEFAULT, struct stage_axis, steps),                    \
            CYAML_FIELD_FLOAT("speed_" UNIT "_per_s", CYAML_FLAG_DEFAULT, struct stage_axis,       \
                              speed),                                                              \
            CYAML_FIELD_FLOAT("acceleration_" UNIT "_per_s2", CYAML_FLAG_DEFAULT,                  \
                              struct stage_axis, acceleration),                                    \
            CYAML_FIELD_FLOAT("jerk_" UNIT "_per_s3", CYAML_FLAG_DEFAULT, struct stage_axis,       \
                              jerk),                                                               \
            CYAML_FIELD_FLOAT_PTR("low_" UNIT, POINTER, struct stage_axis, low),                   \
            CYAML_FIELD_FLOAT_PTR("high_" UNIT, POINTER, struct stage_axis, high),                 \
            CYAML_FIELD_BOOL("invert", OPTIONAL, struct stage_axis, invert),                       \
            CYAML_FIELD_BOOL("no_ramp_at_switch", OPTIONAL, struct stage_axis, no_ramp_at_switch), \
            CYAML_FIELD_SEQUENCE_COUNT("switches", POINTER, struct stage_axis, switches,           \
                                       n_switches, &end_entry, 0, 2),                              \
            CYAML_FIELD_MAPPING_PTR("home", POINTER, struct stage_axis, home, home_fields),        \
            CYAML_FIELD_FLOAT_PTR("enable_delay_s", POINTER, struct stage_axis, enable_delay_s),   \
            CYAML_FIELD_FLOAT_PTR("idle_off_s", POINTER, struct stage_axis, idle_off_s),           \
            CYAML_FIELD_END                                                                        \
    }

static const cyaml_schema_field_t linear_home[] = HOME_FIELDS("m");
static const cyaml_schema_field_t linear[] = AXIS_FIELDS("m", "steps_per_m", linear_home);
static const cyaml_schema_field_t round_home[] = HOME_FIELDS("deg");
static const cyaml_schema_field_t round_[] = AXIS_FIELDS("deg", "steps_per_turn", round_home);

static const cyaml_schema_field_t radar_fields[] = {
    CYAML_FIELD_FLOAT("frame_s", CYAML_FLAG_DEFAULT, struct stage_radar, frame_s),
    CYAML_FIELD_FLOAT_PTR("pulse_s", POINTER, struct stage_radar, pulse_s), CYAML_FIELD_END};

static const cyaml_schema_field_t stage_fields[] = {
    CYAML_FIELD_MAPPING_PTR("x", POINTER, struct stage, x, linear),
    CYAML_FIELD_MAPPING_PTR("y", POINTER, struct stage, y, linear),
    CYAML_FIELD_MAPPING_PTR("turntable", POINTER, struct stage, turntable, round_),
    CYAML_FIELD_MAPPING_PTR("radar", POINTER, struct stage, radar, radar_fields), CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct stage, stage_fields)};

static double number(const double *given, double otherwise) {
    return given != NULL ? *given : otherwise;
}

const struct stage_axis *stage_axis(const struct stage *stage, unsigned axis) {
    switch (axis) {
    case NFSAR_WIRE_AXIS_IS_X:
        return stage->x;
    case NFSAR_WIRE_AXIS_IS_Y:
        return stage->y;
    case NFSAR_WIRE_AXIS_IS_TURNTABLE:
        return stage->turntable;
    default:
        return NULL;
    }
}

double stage_steps(const struct stage *stage, unsigned axis) {
    const struct stage_axis *what = stage_axis(stage, axis);
    return axis == TURNTABLE ? what->steps / 360.0 : what->steps;
}

/* ---- what cannot be ---- */

struct key {
    const char *name;
    const double *value;
    double least, most; /* in steps */
    bool above;         /* least is excluded */
};

static enum nfsar_status check_axis(const struct stage *stage, unsigned axis, nfsar_error *error) {
    const struct stage_axis *what = stage_axis(stage, axis);
    const char *name = nfsar_wire_axis_id_name(axis);
    if (!(isfinite(what->steps) && what->steps > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %g steps are not possible; a motor that runs the other way has "
                          "'invert: true'",
                          name, what->steps);
    }
    static const struct stage_home none = {.speed = 1.0, .slow = 1.0};
    const struct stage_home *home = what->home != NULL ? what->home : &none;
    const double scale = stage_steps(stage, axis);
    const struct key keys[] = {
        {"speed", &what->speed, 0.0, 1e6, true},
        {"acceleration", &what->acceleration, 0.0, 4e9, true},
        {"jerk", &what->jerk, 0.0, 4e9, true},
        {"low", what->low, -STEPS_LIMIT, STEPS_LIMIT, false},
        {"high", what->high, -STEPS_LIMIT, STEPS_LIMIT, false},
        {"home.speed", what->home != NULL ? &home->speed : NULL, 0.0, 1e6, true},
        {"home.slow", what->home != NULL ? &home->slow : NULL, 0.0, 1e6, true},
        {"home.back", home->back, 0.0, STEPS_LIMIT, false},
        {"home.travel", home->travel, 0.0, STEPS_LIMIT, true},
        {"home.position", home->position, -STEPS_LIMIT, STEPS_LIMIT, false},
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        const double steps = keys[i].value != NULL ? *keys[i].value * scale : 0.0;
        if (keys[i].value != NULL && !(steps <= keys[i].most && steps >= keys[i].least &&
                                       !(keys[i].above && steps == keys[i].least))) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s.%s: %g is %g steps, which must be %s %g and at most %g", name,
                              keys[i].name, *keys[i].value, steps,
                              keys[i].above ? "above" : "at least", keys[i].least, keys[i].most);
        }
    }
    if ((what->low != NULL) != (what->high != NULL) ||
        (what->low != NULL && *what->low >= *what->high)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: low and high go together, and low is below high", name);
    }
    if (axis != TURNTABLE && what->home != NULL && home->end == STAGE_NO_END) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s.home.end: is missing; low or high", name);
    }
    const struct key times[] = {
        {"home.timeout_s", home->timeout_s, 0.0, 4e6, false},
        {"enable_delay_s", what->enable_delay_s, 0.0, 65.0, false},
        {"idle_off_s", what->idle_off_s, 0.0, 4e6, false},
    };
    for (size_t i = 0; i < COUNT(times); i++) {
        if (times[i].value != NULL &&
            !(*times[i].value >= 0.0 && *times[i].value <= times[i].most)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s.%s: %g is not from 0 to %g s", name,
                              times[i].name, *times[i].value, times[i].most);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check(const struct stage *stage, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    unsigned axes = 0;
    for (unsigned axis = 0; axis < AXES && status == NFSAR_OK; axis++) {
        if (stage_axis(stage, axis) != NULL) {
            status = check_axis(stage, axis, error);
            axes++;
        }
    }
    const struct stage_radar *radar = stage->radar;
    if (status == NFSAR_OK && axes == 0 && radar == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "describes no axis and no radar");
    }
    if (status == NFSAR_OK && radar != NULL && !(radar->frame_s > 0.0 && radar->frame_s <= 4.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "radar.frame_s: %g is not from 0 to 4 s",
                          radar->frame_s);
    }
    const double pulse_s =
        status == NFSAR_OK && radar != NULL ? number(radar->pulse_s, 5e-6) : 5e-6;
    if (status == NFSAR_OK && !(pulse_s >= 1e-6 && pulse_s <= 10e-6)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.pulse_s: %g is not from 1e-6 to 10e-6 s", pulse_s);
    }
    return status;
}

enum nfsar_status stage_load(const char *path, struct stage **stage, nfsar_error *error) {
    void *data = NULL;
    *stage = NULL;
    enum nfsar_status status = yaml_load(path, &schema, &data, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = check(data, error);
    if (status != NFSAR_OK) {
        nfsar_fail_in(error, status, "%s", path);
        stage_free(data);
        return status;
    }
    *stage = data;
    return NFSAR_OK;
}

void stage_free(struct stage *stage) {
    yaml_release(&schema, stage);
}

/* ---- in steps ---- */

void stage_wire_axis(const struct stage *stage, unsigned axis, struct nfsar_wire_do_axis_set *set) {
    const struct stage_axis *what = stage_axis(stage, axis);
    const double scale = stage_steps(stage, axis);
    *set = (struct nfsar_wire_do_axis_set){
        .speed = (float)(what->speed * scale),
        .acceleration = (float)(what->acceleration * scale),
        .jerk = (float)(what->jerk * scale),
        .low = what->low != NULL ? (int32_t)lround(*what->low * scale) : 0,
        .high = what->high != NULL ? (int32_t)lround(*what->high * scale) : 0,
        .invert = what->invert,
        .endless = axis == TURNTABLE,
        .idle_ms = (uint32_t)lround(number(what->idle_off_s, 0.0) * 1e3),
        .enable_ms = (uint16_t)lround(number(what->enable_delay_s, 0.0) * 1e3),
        .halt = what->no_ramp_at_switch};
    for (unsigned i = 0; i < what->n_switches; i++) {
        set->switches |= what->switches[i] == STAGE_LOW ? 1 : 2;
    }
    const struct stage_home *home = what->home;
    if (home == NULL) {
        return;
    }
    /* Without a travel: as far as the axis goes, or once round and a bit, and a tenth more. */
    const double span = axis == TURNTABLE   ? 360.0
                        : what->low != NULL ? *what->high - *what->low
                                            : 0.5 * STEPS_LIMIT / scale;
    set->home = home->end == STAGE_HIGH ? 1 : -1;
    set->home_speed = (float)(home->speed * scale);
    set->home_slow = (float)(home->slow * scale);
    set->home_back = (int32_t)lround(number(home->back, axis == TURNTABLE ? 2.0 : 2e-3) * scale);
    set->home_travel = (uint32_t)lround(number(home->travel, 1.1 * span) * scale);
    set->home_position = (int32_t)lround(number(home->position, 0.0) * scale);
    set->home_timeout_ms = (uint32_t)lround(number(home->timeout_s, 0.0) * 1e3);
}

void stage_wire_radar(const struct stage_radar *radar, struct nfsar_wire_do_trigger_set *set) {
    *set = (struct nfsar_wire_do_trigger_set){
        .frame_ns = (uint32_t)llround(radar->frame_s * 1e9),
        .pulse_ns = (uint32_t)lround(number(radar->pulse_s, 5e-6) * 1e9)};
}
