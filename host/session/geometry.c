/* Where the radar is in a scan of the stage. */
#include "host/session/session.h"

#include <math.h>
#include <string.h>

unsigned session_fast_axis(const struct session *session) {
    return session->scan.kind == SESSION_TURNTABLE ? NFSAR_WIRE_AXIS_IS_TURNTABLE
                                                   : NFSAR_WIRE_AXIS_IS_X;
}

unsigned session_slow_axis(const struct session *session) {
    (void)session;
    return NFSAR_WIRE_AXIS_IS_Y;
}

static double place(const struct session *session, unsigned axis, const int32_t steps[3]) {
    const bool fitted = session->stage != NULL && stage_axis(session->stage, axis) != NULL;
    return fitted ? steps[axis] / stage_steps(session->stage, axis) : 0.0;
}

nfsar_pose session_stage_pose(const struct session *session, const int32_t steps[3]) {
    const nfsar_vec3 moved = {place(session, NFSAR_WIRE_AXIS_IS_X, steps),
                              place(session, NFSAR_WIRE_AXIS_IS_Y, steps), 0.0};
    const nfsar_vec3 position = nfsar_vec3_add(session->pose.origin_m, moved);
    /* Whether the target stands on the turntable, only a scan of the turntable says. */
    const double turn_deg = session->scan.kind == SESSION_TURNTABLE
                                ? place(session, NFSAR_WIRE_AXIS_IS_TURNTABLE, steps)
                                : 0.0;
    if (turn_deg == 0.0) {
        return (nfsar_pose){position, NFSAR_QUATERNION_IDENTITY};
    }
    const nfsar_quaternion back =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 1.0, 0.0}, -turn_deg * NFSAR_PI / 180.0);
    return (nfsar_pose){nfsar_quaternion_rotate(back, position), back};
}

uint64_t session_triggers(const struct session *session) {
    if (session->scan.kind != SESSION_PERIOD) {
        return (uint64_t)session->scan.rows * session->scan.columns * session->scan.repeats;
    }
    return session->scan.triggers > 0
               ? session->scan.triggers
               : (uint64_t)floor(session->scan.limit_s / session->scan.period_s) + 1;
}

static int32_t in_steps(const struct session *session, unsigned axis, double length) {
    return (int32_t)lround(length * stage_steps(session->stage, axis));
}

void session_program(const struct session *session, struct nfsar_wire_do_program_load *load) {
    const unsigned fast = session_fast_axis(session), slow = session_slow_axis(session);
    const bool rows = session->scan.rows > 1 || stage_axis(session->stage, slow) != NULL;
    *load = (struct nfsar_wire_do_program_load){
        .pattern = session->scan.kind == SESSION_TURNTABLE    ? 2
                   : session->scan.kind == SESSION_SERPENTINE ? 1
                                                              : 0,
        .stop = session->scan.stop,
        .fast = (uint8_t)fast,
        .slow = (uint8_t)slow,
        .fast_first = in_steps(session, fast, session->scan.first[0]),
        .fast_pitch = in_steps(session, fast, session->scan.pitch[0]),
        .slow_first = rows ? in_steps(session, slow, session->scan.first[1]) : 0,
        .slow_pitch = rows ? in_steps(session, slow, session->scan.pitch[1]) : 0,
        .columns = (uint32_t)session->scan.columns,
        .rows = (uint32_t)session->scan.rows,
        .speed = (float)(session->scan.speed * stage_steps(session->stage, fast)),
        .repeats = (uint16_t)session->scan.repeats,
        .settle_ms = (uint16_t)lround(session->scan.settle_s * 1e3),
        .period_ns = (uint32_t)llround(session->scan.period_s * 1e9)};
    if (session->scan.kind == SESSION_TURNTABLE) {
        load->turn = (uint32_t)lround(session->stage->turntable->steps);
    }
}

void session_trigger_steps(const struct session *session, uint64_t trigger, int32_t steps[3]) {
    struct nfsar_wire_do_program_load load;
    session_program(session, &load);
    const uint64_t point = trigger / load.repeats;
    const uint32_t row = (uint32_t)(point / load.columns);
    uint32_t column = (uint32_t)(point % load.columns);
    if (load.pattern == 1 && row % 2 == 1) {
        column = load.columns - 1 - column;
    }
    memset(steps, 0, 3 * sizeof *steps);
    steps[load.slow] = load.slow_first + (int32_t)row * load.slow_pitch;
    steps[load.fast] = load.fast_first + (int32_t)column * load.fast_pitch;
}
