#include "host/import/scan_path.h"

#include <math.h>
#include <stdlib.h>

static enum nfsar_status make_clock(const struct rig *rig, const struct plan *plan,
                                    struct scan_path *path, nfsar_error *error) {
    const struct rig_radar *radar = &rig->radar;
    path->has_clock = radar->frame_period_s != NULL;
    path->chirp_period_s = rig_number(radar->chirp_period_s, 0.0);
    path->loop_period_s = path->chirp_period_s * (double)plan->n_tx;
    double busy = path->loop_period_s * (double)plan->loops;
    /* Without a clock the frames are counted in seconds. */
    path->frame_period_s = rig_number(radar->frame_period_s, 1.0);
    if (busy > path->frame_period_s * (1.0 + 1e-9)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.frame_period_s: %g s, but a frame lasts longer: %zu loops x %zu "
                          "Tx x %g s = %g s",
                          path->frame_period_s, plan->loops, plan->n_tx, path->chirp_period_s,
                          busy);
    }
    bool raw = rig_layout_is_raw(rig->layout);
    size_t frames = raw ? plan->frames_per_row : plan->positions * plan->per_position;
    double row = path->frame_period_s * (double)frames;
    path->row_period_s = row;
    if (rig->scan != NULL && rig->scan->row_period_s != NULL) {
        path->row_period_s = *rig->scan->row_period_s;
        if (raw && plan->rows_here > 1 && fabs(path->row_period_s - row) > 1e-9 * row) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.row_period_s: in one recording the rows follow each other "
                              "after %zu frames x %g s = %g s",
                              frames, path->frame_period_s, row);
        }
        if (path->row_period_s < row * (1.0 - 1e-9)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.row_period_s: %g s, but a row lasts longer: %zu frames x %g s "
                              "= %g s",
                              path->row_period_s, frames, path->frame_period_s, row);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status make_step(const struct rig_scan *scan, const struct plan *plan,
                                   struct scan_path *path, nfsar_error *error) {
    path->step_m = rig_number(scan->step_m, 0.0);
    path->row_step_m = rig_number(scan->row_step_m, 0.0);
    if (scan->speed_m_per_s != NULL) {
        if (!path->has_clock) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.speed_m_per_s: needs radar.frame_period_s");
        }
        path->step_m = *scan->speed_m_per_s * path->frame_period_s;
        if (!(fabs(path->step_m) <= 1.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "scan.speed_m_per_s: %.3g m/s x %.3g s is %.3g m from one position "
                              "to the next: is it given in metres per second?",
                              *scan->speed_m_per_s, path->frame_period_s, path->step_m);
        }
    }
    if (plan->positions > 1 && path->step_m == 0.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan.step_m: %s; %zu positions in a row need a step (for a radar that "
                          "stood still leave the whole scan out)",
                          scan->step_m == NULL && scan->speed_m_per_s == NULL ? "is missing"
                                                                              : "is zero",
                          plan->positions);
    }
    if (plan->rows > 1 && path->row_step_m == 0.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "scan.row_step_m: %s; %zu rows need a step",
                          scan->row_step_m == NULL ? "is missing" : "is zero", plan->rows);
    }
    return NFSAR_OK;
}

/* Coordinates of the first position and row: a centred scan begins half its extent before the
 * centre, against the direction of its steps. */
static void make_origin(const struct rig_scan *scan, const struct plan *plan,
                        struct scan_path *path) {
    double along = 0.5 * path->step_m * (double)(plan->positions - 1);
    double across = 0.5 * path->row_step_m * (double)(plan->rows - 1);
    int first = scan->rows_along == RIG_ALONG_X ? 0 : 1;
    if (scan->start_m != NULL) {
        path->first_m = scan->start_m[first];
        path->first_row_m = scan->start_m[1 - first];
    } else {
        path->first_m = (scan->centre_m != NULL ? scan->centre_m[first] : 0.0) - along;
        path->first_row_m = (scan->centre_m != NULL ? scan->centre_m[1 - first] : 0.0) - across;
    }
}

enum nfsar_status scan_path_make(const struct rig *rig, const struct plan *plan,
                                 struct scan_path *path, nfsar_error *error) {
    *path = (struct scan_path){.still = rig->scan == NULL};
    enum nfsar_status status = make_clock(rig, plan, path, error);
    if (status != NFSAR_OK || path->still) {
        return status;
    }
    const struct rig_scan *scan = rig->scan;
    path->along = scan->rows_along;
    path->serpentine = scan->path == RIG_PATH_SERPENTINE;
    path->moving = scan->motion == RIG_MOTION_FLY_BY;
    path->z_m = rig_number(scan->z_m, 0.0);
    if (path->moving && plan->n_tx * plan->loops > 1 && rig->radar.chirp_period_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.chirp_period_s: is missing (idle time + ramp end time); in a "
                          "fly-by the radar moves between the %zu chirps of a frame",
                          plan->n_tx * plan->loops);
    }
    if (path->moving && plan->n_tx * plan->loops > 1 && !path->has_clock) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.frame_period_s: is missing; in a fly-by it tells how far the "
                          "radar moves between chirps");
    }
    status = make_step(scan, plan, path, error);
    if (status == NFSAR_OK) {
        make_origin(scan, plan, path);
    }
    return status;
}

/* Seconds from the start of the recording to a look at a position of row 0. */
static double time_in_row(const struct scan_path *path, const struct plan *plan, size_t position,
                          size_t look) {
    double frame = (double)(plan->lead + plan->skip) +
                   (double)position * (double)plan->per_position + (double)(look / plan->loops);
    return frame * path->frame_period_s + (double)(look % plan->loops) * path->loop_period_s;
}

double scan_path_time(const struct scan_path *path, const struct plan *plan,
                      struct plan_place place) {
    return (double)place.row * path->row_period_s +
           time_in_row(path, plan, place.position, place.look);
}

/* Place in a row at a fractional count of positions after the first, either way. */
static nfsar_vec3 position_at(const struct scan_path *path, const struct plan *plan, size_t row,
                              double position) {
    if (path->still) {
        return (nfsar_vec3){0.0, 0.0, 0.0};
    }
    if (path->serpentine && row % 2 == 1) {
        position = (double)(plan->positions - 1) - position;
    }
    double along = path->first_m + position * path->step_m;
    double across = path->first_row_m + (double)row * path->row_step_m;
    return path->along == RIG_ALONG_X ? (nfsar_vec3){along, across, path->z_m}
                                      : (nfsar_vec3){across, along, path->z_m};
}

/* Positions that the radar moves on in a time. */
static double positions_in(const struct scan_path *path, double time_s) {
    return path->moving ? time_s / path->frame_period_s : 0.0;
}

nfsar_vec3 scan_path_position(const struct scan_path *path, const struct plan *plan,
                              struct plan_place place) {
    double late = time_in_row(path, plan, place.position, place.look) -
                  time_in_row(path, plan, place.position, 0);
    return position_at(path, plan, place.row, (double)place.position + positions_in(path, late));
}

/* How long after a pulse its last channel is sampled. The mean of several looks is made at the
 * mean of their times. */
static double fill_channel_times(const struct scan_path *path, const struct plan *plan,
                                 const size_t *channel_line, nfsar_array *array) {
    double mean = 0.0, last = 0.0;
    if (plan->repeats == RIG_REPEATS_MEAN) {
        mean = 0.5 * (double)(plan->loops - 1) * path->loop_period_s +
               0.5 * (double)(plan->per_position - 1) * path->frame_period_s;
    }
    for (size_t c = 0; c < array->n_channel; c++) {
        double slot = (double)(channel_line[c] / plan->n_rx);
        array->channel_time_s[c] = slot * path->chirp_period_s + mean;
        last = fmax(last, array->channel_time_s[c]);
    }
    return last;
}

static bool last_of_row(const struct plan *plan, struct plan_place place) {
    return place.position + 1 == plan->positions && place.look + 1 == plan_pulses_at(plan);
}

enum nfsar_status scan_path_fill(const struct scan_path *path, const struct plan *plan,
                                 const size_t *channel_line, nfsar_capture *capture,
                                 nfsar_error *error) {
    double dwell = fill_channel_times(path, plan, channel_line, &capture->array);
    size_t pulses_at = plan_pulses_at(plan);
    size_t extra = 0;
    if (dwell > 0.0 && !path->still) {
        /* A stop ends only after its last channel; a moving row goes on straight. */
        extra = path->moving ? plan->rows : plan->rows * plan->positions;
    }
    if (extra > 0) {
        free(capture->pose);
        free(capture->pose_time_s);
        capture->n_pose = capture->n_pulse + extra;
        capture->pose = calloc(capture->n_pose, sizeof *capture->pose);
        capture->pose_time_s = calloc(capture->n_pose, sizeof *capture->pose_time_s);
        if (capture->pose == NULL || capture->pose_time_s == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu poses",
                              capture->n_pose);
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        struct plan_place place = plan_place(plan, i);
        double time = scan_path_time(path, plan, place);
        nfsar_vec3 position = scan_path_position(path, plan, place);
        capture->time_s[i] = time;
        capture->pose_time_s[n] = time;
        capture->pose[n++] = (nfsar_pose){position, NFSAR_QUATERNION_IDENTITY};
        bool leaves = path->moving ? last_of_row(plan, place) : place.look + 1 == pulses_at;
        if (extra > 0 && leaves) {
            double late =
                time + dwell -
                scan_path_time(path, plan, (struct plan_place){place.row, place.position, 0});
            nfsar_vec3 end = position_at(path, plan, place.row,
                                         (double)place.position + positions_in(path, late));
            capture->pose_time_s[n] = time + dwell;
            capture->pose[n++] = (nfsar_pose){end, NFSAR_QUATERNION_IDENTITY};
        }
    }
    return NFSAR_OK;
}
