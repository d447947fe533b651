#include "tests/rig/stage_model.h"

#include <math.h>
#include <string.h>

#include "firmware/boards/board.h"

enum {
    TURNTABLE = 2,
    MARK = 100,    /* steps that the turntable's mark is wide */
    ROOM_MM = 5,   /* from a limit of the stage to a switch that nobody homes to */
    BEGIN_MM = 25, /* from the switch */
    STILL_NS = 100000000
};

static int32_t millimetres(const struct stage *stage, unsigned axis, int mm) {
    return (int32_t)lround(mm * 1e-3 * stage_steps(stage, axis));
}

static bool has_switch(const struct stage_axis *what, enum stage_end end) {
    for (unsigned i = 0; i < what->n_switches; i++) {
        if (what->switches[i] == end) {
            return true;
        }
    }
    return what->home != NULL && what->home->end == end;
}

static void place_linear(struct rig_axis *axis, const struct stage *stage, unsigned number,
                         const struct nfsar_wire_do_axis_set *set) {
    const struct stage_axis *what = stage_axis(stage, number);
    const int32_t room = millimetres(stage, number, ROOM_MM);
    axis->has_low = has_switch(what, STAGE_LOW);
    axis->has_high = has_switch(what, STAGE_HIGH);
    axis->low = set->home < 0 ? set->home_position : set->low - room;
    axis->high = set->home > 0 ? set->home_position : set->high + room;
    if (set->low == set->high) { /* no limits: a metre between the switches */
        axis->low = set->home > 0 ? axis->high - millimetres(stage, number, 1000) : axis->low;
        axis->high = set->home > 0 ? axis->high : axis->low + millimetres(stage, number, 1000);
    }
    const int32_t inside = millimetres(stage, number, BEGIN_MM);
    axis->position = set->home > 0 ? axis->high - inside : axis->low + inside;
}

/* The mark's edge that homing comes upon is where the hub's position is home_position. */
static void place_table(struct rig_axis *axis, const struct stage *stage,
                        const struct nfsar_wire_do_axis_set *set) {
    axis->endless = true;
    axis->turn = (int32_t)lround(stage->turntable->steps);
    axis->low = set->home > 0 ? set->home_position : set->home_position - (MARK - 1);
    axis->high = axis->low + MARK - 1;
    axis->position = axis->low + axis->turn / 2;
}

void rig_stage_init(struct rig_stage *model, const struct stage *stage) {
    memset(model, 0, sizeof *model);
    for (unsigned i = 0; stage != NULL && i < RIG_AXES; i++) {
        if (stage_axis(stage, i) == NULL) {
            continue;
        }
        struct nfsar_wire_do_axis_set set;
        stage_wire_axis(stage, i, &set);
        model->axis[i].inverted = set.invert != 0;
        model->axis[i].to_high = set.home > 0;
        if (i == TURNTABLE) {
            place_table(&model->axis[i], stage, &set);
        } else {
            place_linear(&model->axis[i], stage, i, &set);
        }
    }
    rig_stage_restart(model);
}

static bool on_mark(const struct rig_axis *axis) {
    const int32_t from = axis->position - axis->low;
    return axis->turn > 0 && ((from % axis->turn) + axis->turn) % axis->turn < MARK;
}

static bool at_home(const struct rig_axis *axis) {
    return axis->endless   ? on_mark(axis)
           : axis->to_high ? axis->has_high && axis->position >= axis->high
                           : axis->has_low && axis->position <= axis->low;
}

void rig_stage_restart(struct rig_stage *model) {
    for (unsigned i = 0; i < RIG_AXES; i++) {
        model->axis[i].found = false;
        model->axis[i].began = model->axis[i].position;
    }
}

int32_t rig_stage_position(const struct rig_stage *model, unsigned axis) {
    const struct rig_axis *it = &model->axis[axis];
    return it->found ? it->position : it->position - it->began;
}

void rig_stage_step(struct rig_stage *model, unsigned axis, bool direction, uint64_t time_ns) {
    struct rig_axis *it = &model->axis[axis];
    const int8_t by = direction != it->inverted ? 1 : -1;
    it->alike = by == it->direction ? it->alike + 1 : 1;
    it->direction = by;
    it->position += by;
    it->step_ns[it->steps % RIG_STEP_TIMES] = time_ns;
    it->steps++;
    it->found = it->found || at_home(it);
}

uint32_t rig_stage_inputs(const struct rig_stage *model) {
    static const enum board_input low[] = {BOARD_LIMIT_X_LOW, BOARD_LIMIT_Y_LOW};
    static const enum board_input high[] = {BOARD_LIMIT_X_HIGH, BOARD_LIMIT_Y_HIGH};
    uint32_t inputs = 0;
    for (unsigned i = 0; i < TURNTABLE; i++) {
        const struct rig_axis *axis = &model->axis[i];
        inputs |= (uint32_t)(axis->has_low && axis->position <= axis->low) << low[i];
        inputs |= (uint32_t)(axis->has_high && axis->position >= axis->high) << high[i];
    }
    return inputs | (uint32_t)on_mark(&model->axis[TURNTABLE]) << BOARD_LIMIT_TURN_HOME;
}

double rig_stage_speed(const struct rig_stage *model, unsigned axis, uint64_t now_ns) {
    const struct rig_axis *it = &model->axis[axis];
    const unsigned n = it->alike < RIG_STEP_TIMES ? it->alike : RIG_STEP_TIMES;
    if (n < 2) {
        return 0.0;
    }
    const uint64_t last = it->step_ns[(it->steps - 1) % RIG_STEP_TIMES];
    const uint64_t first = it->step_ns[(it->steps - n) % RIG_STEP_TIMES];
    if (now_ns - last > STILL_NS || last <= first) {
        return 0.0;
    }
    /* Where the next step is overdue, it is slower than it was. */
    const double each = (double)(last - first) / (n - 1);
    const double since = (double)(now_ns - last);
    return it->direction * 1e9 / (since > 2.0 * each ? since : each);
}
