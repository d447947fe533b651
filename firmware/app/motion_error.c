#include "firmware/app/motion_error.h"

static const char *const names[MOTION_ERRORS] = {
    [MOTION_OK] = "ok",
    [MOTION_BUSY] = "busy",
    [MOTION_NOT_CONFIGURED] = "not-configured",
    [MOTION_BAD_CONFIG] = "bad-config",
    [MOTION_SPEED_TOO_HIGH] = "speed-too-high",
    [MOTION_TOO_SLOW] = "too-slow",
    [MOTION_OUT_OF_RANGE] = "out-of-range",
    [MOTION_SOFT_LIMIT] = "soft-limit",
    [MOTION_NOT_TRUSTED] = "not-trusted",
    [MOTION_NO_HOME_SWITCH] = "no-home-switch",
    [MOTION_LIMIT_LOW] = "limit-low",
    [MOTION_LIMIT_HIGH] = "limit-high",
    [MOTION_EMERGENCY_STOP] = "emergency-stop",
    [MOTION_HOME_NOT_FOUND] = "home-not-found",
    [MOTION_HOME_STUCK] = "home-stuck",
    [MOTION_HOME_TIMEOUT] = "home-timeout",
    [TRIGGER_BUSY] = "trigger-busy",
    [TRIGGER_BAD_SETUP] = "trigger-bad-setup",
    [TRIGGER_NO_MINIMUM] = "trigger-no-minimum",
    [TRIGGER_TOO_FAST] = "trigger-too-fast",
    [TRIGGER_TOO_EARLY] = "trigger-too-early",
    [TRIGGER_MISSED] = "trigger-missed",
    [TRIGGER_OVERRUN] = "trigger-overrun",
    [TRIGGER_RING_FULL] = "trigger-ring-full",
    [PROGRAM_BAD_AXES] = "program-bad-axes",
    [PROGRAM_EMPTY] = "program-empty",
    [PROGRAM_TOO_LARGE] = "program-too-large",
    [PROGRAM_NO_PITCH] = "program-no-pitch",
    [PROGRAM_BAD_TURN] = "program-bad-turn",
    [PROGRAM_TOO_FAST] = "program-too-fast",
    [PROGRAM_BAD_PATTERN] = "program-bad-pattern",
    [PROGRAM_ABORTED] = "program-aborted",
    [PROGRAM_WRONG_COUNT] = "program-wrong-count",
    [PROGRAM_ROW_LATE] = "program-row-late",
};

const char *motion_error_name(enum motion_error error) {
    return (unsigned)error < MOTION_ERRORS ? names[error] : "unknown";
}
