/* The scan of a session: what it needs, and what its kind does not have. */
#include "host/session/limits.h"

#include <math.h>

enum { COUNT_MOST = 65535 };

/* Keys that this path of a scan does not have. */
static enum nfsar_status check_foreign(const struct session_path *path, nfsar_error *error) {
    const struct {
        const char *key;
        bool given;
        bool in_lines, in_turns, in_time;
    } keys[] = {
        {"x_m", path->x_m != NULL, true, false, false},
        {"y_m", path->y_m != NULL, true, true, false},
        {"first_deg", path->first_deg != NULL, false, true, false},
        {"step_m", path->step_m != NULL, true, false, false},
        {"row_step_m", path->row_step_m != NULL, true, true, false},
        {"step_deg", path->step_deg != NULL, false, true, false},
        {"speed_m_per_s", path->speed_m_per_s != NULL, true, false, false},
        {"speed_deg_per_s", path->speed_deg_per_s != NULL, false, true, false},
        {"settle_s", path->settle_s != NULL, true, true, false},
        {"positions", path->positions != NULL, true, true, false},
        {"rows", path->rows != NULL, true, true, false},
        {"repeats", path->repeats != NULL, true, true, false},
        {"stop", path->stop, true, true, false},
        {"home", path->home != NULL, true, true, false},
        {"triggers", path->triggers != NULL, false, false, true},
        {"limit_s", path->limit_s != NULL, false, false, true},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const bool fits = path->path == SESSION_TURNTABLE ? keys[i].in_turns
                          : path->path == SESSION_PERIOD  ? keys[i].in_time
                                                          : keys[i].in_lines;
        if (keys[i].given && !fits) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.%s: does not go with this scan.path; leave it out",
                              keys[i].key);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status take_period(struct session *session, const struct session_path *path,
                                     nfsar_error *error) {
    const struct range ranges[] = {{"scan.period_s", path->period_s, 1e-4, 4.0},
                                   {"scan.limit_s", path->limit_s, 1e-3, 48 * 3600.0}};
    const struct count counts[] = {{"scan.triggers", path->triggers, 1, UINT32_MAX}};
    if (path->period_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan.period_s: is missing: the time between triggers");
    }
    enum nfsar_status status = CHECK_RANGES(ranges, error);
    status = status == NFSAR_OK ? CHECK_COUNTS(counts, error) : status;
    session->scan.period_s = *path->period_s;
    session->scan.triggers = whole(path->triggers, 0);
    session->scan.limit_s = number(path->limit_s, 3600.0);
    return status;
}

static enum nfsar_status take_lines(struct session *session, const struct session_path *path,
                                    nfsar_error *error) {
    const bool turns = path->path == SESSION_TURNTABLE;
    const struct range ranges[] = {
        {"scan.x_m", path->x_m, -1e3, 1e3},
        {"scan.y_m", path->y_m, -1e3, 1e3},
        {"scan.first_deg", path->first_deg, -1e6, 1e6},
        {"scan.step_m", path->step_m, -10.0, 10.0},
        {"scan.row_step_m", path->row_step_m, -10.0, 10.0},
        {"scan.step_deg", path->step_deg, -360.0, 360.0},
        {"scan.speed_m_per_s", path->speed_m_per_s, 1e-6, 100.0},
        {"scan.speed_deg_per_s", path->speed_deg_per_s, 1e-3, 1e4},
        {"scan.settle_s", path->settle_s, 0.0, 65.0},
        {"scan.period_s", path->period_s, 1e-4, 4.0},
    };
    const struct count counts[] = {{"scan.positions", path->positions, 1, COUNT_MOST},
                                   {"scan.rows", path->rows, 1, COUNT_MOST},
                                   {"scan.repeats", path->repeats, 1, COUNT_MOST}};
    enum nfsar_status status = CHECK_RANGES(ranges, error);
    status = status == NFSAR_OK ? CHECK_COUNTS(counts, error) : status;
    if (status != NFSAR_OK) {
        return status;
    }
    const double *step = turns ? path->step_deg : path->step_m;
    const char *missing = path->positions == NULL        ? "scan.positions"
                          : step == NULL || *step == 0.0 ? turns ? "scan.step_deg" : "scan.step_m"
                          : whole(path->rows, 1) > 1 && path->row_step_m == NULL ? "scan.row_step_m"
                                                                                 : NULL;
    if (missing != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is missing%s", missing,
                          step != NULL && *step == 0.0 ? " or zero" : "");
    }
    if (path->settle_s != NULL && !path->stop) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan.settle_s: is for scans that stop at each point; add stop: true");
    }
    if (whole(path->repeats, 1) > 1 && !path->stop) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan.repeats: is for scans that stop at each point; add stop: true");
    }
    session->scan.first[0] = number(turns ? path->first_deg : path->x_m, 0.0);
    session->scan.first[1] = number(path->y_m, 0.0);
    session->scan.pitch[0] = *step;
    session->scan.pitch[1] = number(path->row_step_m, 0.0);
    session->scan.columns = (size_t)*path->positions;
    session->scan.rows = (size_t)whole(path->rows, 1);
    session->scan.repeats = (size_t)whole(path->repeats, 1);
    session->scan.speed = number(turns ? path->speed_deg_per_s : path->speed_m_per_s, 0.0);
    session->scan.stop = path->stop;
    session->scan.settle_s = number(path->settle_s, 0.0);
    session->scan.period_s = number(path->period_s, 0.0);
    session->scan.home = path->home == NULL || *path->home;
    return NFSAR_OK;
}

/* What a scan of the stage needs of the stage. */
static enum nfsar_status check_stage(const struct session *session, nfsar_error *error) {
    if (session->stage == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "hub.stage: is missing: the file that describes the axes "
                          "(docs/hub.md); a scan without a stage has path: period");
    }
    const unsigned axes[] = {session_fast_axis(session), session_slow_axis(session)};
    for (size_t i = 0; i < (session->scan.rows > 1 ? 2U : 1U); i++) {
        if (stage_axis(session->stage, axes[i]) == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "hub.stage: does not describe the axis %s, which the scan moves",
                              nfsar_wire_axis_id_name(axes[i]));
        }
    }
    for (size_t i = 0; i < (session->scan.rows > 1 ? 2U : 1U); i++) {
        const double steps = stage_steps(session->stage, axes[i]);
        const double last =
            session->scan.first[i] + session->scan.pitch[i] * (i == 0 ? session->scan.columns - 1.0
                                                                      : session->scan.rows - 1.0);
        if (!(fabs(last * steps) < 1073741824.0 &&
              fabs(session->scan.first[i] * steps) < 1073741824.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan: axis %s would go to %g, more than 2^30 steps",
                              nfsar_wire_axis_id_name(axes[i]), last);
        }
    }
    if (lround(fabs(session->scan.pitch[0]) * stage_steps(session->stage, axes[0])) < 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan: points are less than one step of the axis apart");
    }
    return NFSAR_OK;
}

enum nfsar_status session_take_scan(struct session *session, const struct session_path *path,
                                    nfsar_error *error) {
    session->scan.kind = path->path;
    session->scan.repeats = 1;
    enum nfsar_status status = check_foreign(path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (path->path == SESSION_PERIOD) {
        return take_period(session, path, error);
    }
    status = take_lines(session, path, error);
    return status == NFSAR_OK ? check_stage(session, error) : status;
}
