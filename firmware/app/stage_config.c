#include "firmware/app/stage_config.h"

#include "firmware/boards/board.h"

enum { HOME_TIMEOUT_MS = 60000, LOW_FITTED = 1, HIGH_FITTED = 2 };

/* The inputs of each axis. */
static const struct {
    int8_t low;
    int8_t high;
} switches[BOARD_AXES] = {
    {BOARD_LIMIT_X_LOW, BOARD_LIMIT_X_HIGH},
    {BOARD_LIMIT_Y_LOW, BOARD_LIMIT_Y_HIGH},
    {BOARD_LIMIT_TURN_HOME, AXIS_NO_INPUT},
};

bool stage_config_whole(uint32_t *whole, float value) {
    if (!(value >= 0.0F && value < 4.0e9F)) {
        return false;
    }
    *whole = (uint32_t)(value + 0.5F);
    return true;
}

/* Fields by their order in NFSAR_WIRE_FIELDS_DO_AXIS_SET. */
enum {
    SPEED,
    ACCELERATION,
    JERK,
    LOW,
    HIGH,
    INVERT,
    SWITCHES,
    HOME,
    ENDLESS,
    HOME_SPEED,
    HOME_SLOW,
    HOME_BACK,
    HALT = 17
};

static bool wrong(uint16_t *field, uint16_t which) {
    *field = which;
    return false;
}

/* A bit that says nothing today may mean something to a newer host: it is not to pass for done. */
static bool check_flags(const struct nfsar_wire_do_axis_set *set, uint8_t fitted, uint16_t *field) {
    if (set->invert > 1) {
        return wrong(field, INVERT);
    }
    if ((set->switches & ~fitted) != 0) {
        return wrong(field, SWITCHES);
    }
    if (set->endless > 1) {
        return wrong(field, ENDLESS);
    }
    return set->halt > 1 ? wrong(field, HALT) : true;
}

bool stage_config_axis(struct axis_config *config, unsigned axis,
                       const struct nfsar_wire_do_axis_set *set, uint16_t *field) {
    *config = (struct axis_config){
        .inverted = set->invert == 1,
        .limit_low = AXIS_NO_INPUT,
        .limit_high = AXIS_NO_INPUT,
        .halt_at_limits = set->halt == 1,
        .soft_limits = set->low != set->high,
        .soft_low = set->low,
        .soft_high = set->high,
        .home_input = AXIS_NO_INPUT,
        .home_forward = set->home > 0,
        .home_travel = set->home_travel,
        .home_timeout_ms = set->home_timeout_ms > 0 ? set->home_timeout_ms : HOME_TIMEOUT_MS,
        .home_position = set->home_position,
        .enable_delay_us = 1000U * set->enable_ms,
        .idle_off_ms = set->idle_ms};
    const int8_t low = switches[axis].low;
    const int8_t high = switches[axis].high;
    const uint8_t fitted =
        high != AXIS_NO_INPUT || set->endless == 1 ? LOW_FITTED | HIGH_FITTED : LOW_FITTED;
    if (!check_flags(set, fitted, field)) {
        return false;
    }
    if (!stage_config_whole(&config->speed, set->speed)) {
        return wrong(field, SPEED);
    }
    if (!stage_config_whole(&config->acceleration, set->acceleration)) {
        return wrong(field, ACCELERATION);
    }
    if (!stage_config_whole(&config->jerk, set->jerk)) {
        return wrong(field, JERK);
    }
    if (set->low > set->high) {
        return wrong(field, LOW);
    }
    if (set->home < -1 || set->home > 1) {
        return wrong(field, HOME);
    }
    if (!stage_config_whole(&config->home_fast, set->home_speed)) {
        return wrong(field, HOME_SPEED);
    }
    if (!stage_config_whole(&config->home_slow, set->home_slow)) {
        return wrong(field, HOME_SLOW);
    }
    if (set->home_back < 0) {
        return wrong(field, HOME_BACK);
    }
    config->home_back_off = (uint32_t)set->home_back;
    /* A turntable passes its switch on every turn: it is a mark to home to, not an end. */
    if (set->endless == 0) {
        config->limit_low = (set->switches & LOW_FITTED) != 0 ? low : AXIS_NO_INPUT;
        config->limit_high = (set->switches & HIGH_FITTED) != 0 ? high : AXIS_NO_INPUT;
    }
    if (set->home != 0) {
        config->home_input = set->home < 0 || set->endless != 0 ? low : high;
        if (config->home_input == AXIS_NO_INPUT) {
            return wrong(field, HOME);
        }
    }
    return true;
}

/* Fields by their order in NFSAR_WIRE_FIELDS_DO_PROGRAM_LOAD. */
enum { PATTERN, STOP, PROGRAM_SPEED = 10 };

bool stage_config_program(struct program_scan *scan, const struct nfsar_wire_do_program_load *load,
                          uint16_t *field) {
    static const enum program_pattern patterns[] = {PROGRAM_RASTER, PROGRAM_SERPENTINE,
                                                    PROGRAM_TURNTABLE};
    if (load->pattern >= sizeof patterns / sizeof *patterns) {
        return wrong(field, PATTERN);
    }
    if (load->stop > 1) {
        return wrong(field, STOP);
    }
    *scan = (struct program_scan){.pattern = patterns[load->pattern],
                                  .mode = load->stop == 1 ? PROGRAM_STOP_AND_GO : PROGRAM_FLY_BY,
                                  .fast = load->fast,
                                  .slow = load->slow,
                                  .fast_first = load->fast_first,
                                  .slow_first = load->slow_first,
                                  .columns = load->columns,
                                  .rows = load->rows,
                                  .column_pitch = load->fast_pitch,
                                  .row_pitch = load->slow_pitch,
                                  .settle_ms = load->settle_ms,
                                  .dwell_ms = load->dwell_ms,
                                  .burst = load->repeats,
                                  .burst_period_ns = load->period_ns,
                                  .fast_backlash = load->fast_backlash,
                                  .slow_backlash = load->slow_backlash,
                                  .turn = load->turn};
    if (!stage_config_whole(&scan->speed, load->speed)) {
        return wrong(field, PROGRAM_SPEED);
    }
    return true;
}
