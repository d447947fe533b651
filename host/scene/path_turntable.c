/* A turntable: in the target's frame the radar goes round the y axis. What real tables do wrong is
 * put into where the radar is; what the poses report is what the scene asked for, unless they know
 * of the errors. */
#include <math.h>
#include <stdlib.h>

#include <nfsar/simulation.h>

#include "host/scene/check.h"
#include "host/scene/path.h"
#include "host/scene/streams.h"

static const nfsar_vec3 up = {0.0, 1.0, 0.0};

/* At angle a the radar is at (R cos a, y, R sin a) and looks at the axis: body z points to
 * (-cos a, 0, -sin a), body y along the axis. A turn by b about y takes z to (sin b, 0, cos b). */
static nfsar_pose turntable_pose(double radius, double angle, double y) {
    double turn = atan2(-cos(angle), -sin(angle));
    return (nfsar_pose){
        {radius * cos(angle), y, radius * sin(angle)},
        nfsar_quaternion_from_axis_angle(up, turn),
    };
}

/* The radar at angle, with all that is wrong but with the angle itself. A target that turns rigidly
 * about a line other than its y axis sees the radar go round that line, wherever it is. */
static nfsar_pose true_pose(const struct scene_turntable *t, double angle, double y) {
    const struct scene_turntable_errors *e = t->errors;
    double cycles = check_default(e->wobble_turns, 1.0);
    double wobble = e->wobble_m * cos(cycles * (angle - e->wobble_deg * NFSAR_PI / 180.0));
    nfsar_pose pose = turntable_pose(t->radius_m + e->radius_m + wobble, angle, y);
    const nfsar_vec3 along = {-sin(angle), 0.0, cos(angle)};
    pose.position = nfsar_vec3_add(pose.position, nfsar_vec3_scale(along, e->aside_m));
    if (e->tilt_deg != 0.0) {
        /* About -along the axis goes outward at the top. */
        nfsar_quaternion tilt =
            nfsar_quaternion_from_axis_angle(along, -e->tilt_deg * NFSAR_PI / 180.0);
        pose.position = nfsar_quaternion_rotate(tilt, pose.position);
        pose.orientation = nfsar_quaternion_multiply(tilt, pose.orientation);
    }
    pose.position.x += e->axis_m[0];
    pose.position.z += e->axis_m[1];
    return pose;
}

static enum nfsar_status check_errors(const struct scene_turntable *t, nfsar_error *error) {
    const struct scene_turntable_errors *e = t->errors;
    const double turns = check_default(e->wobble_turns, 1.0);
    const double scale = check_default(e->angle_scale, 1.0);
    enum nfsar_status status = check_not_negative("path.turntable.errors.angle_jitter_deg",
                                                  &e->angle_jitter_deg, 1, error);
    if (status == NFSAR_OK) {
        status = check_not_negative("path.turntable.errors.wobble_turns", &turns, 1, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("path.turntable.errors.angle_scale", &scale, 1, error);
    }
    if (status == NFSAR_OK) {
        status = check_between("path.turntable.errors.tilt_deg", e->tilt_deg, -45.0, 45.0, error);
    }
    const struct {
        const char *key;
        const double *value;
        size_t n;
    } finite[] = {
        {"path.turntable.errors.radius_m", &e->radius_m, 1},
        {"path.turntable.errors.angle_zero_deg", &e->angle_zero_deg, 1},
        {"path.turntable.errors.axis_m", e->axis_m, 2},
        {"path.turntable.errors.aside_m", &e->aside_m, 1},
        {"path.turntable.errors.wobble_m", &e->wobble_m, 1},
        {"path.turntable.errors.wobble_deg", &e->wobble_deg, 1},
    };
    for (size_t i = 0; status == NFSAR_OK && i < sizeof finite / sizeof finite[0]; i++) {
        status = check_finite(finite[i].key, finite[i].value, finite[i].n, error);
    }
    double smallest = t->radius_m + e->radius_m - fabs(e->wobble_m);
    if (status == NFSAR_OK && !(smallest > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "path.turntable.errors: radius_m and wobble_m leave a radius of %g m: it "
                          "must stay above zero",
                          smallest);
    }
    return status;
}

static enum nfsar_status check(const struct scene_turntable *t, nfsar_error *error) {
    const double angles[2] = {t->from_deg, check_default(t->to_deg, t->from_deg + 360.0)};
    enum nfsar_status status = check_positive("path.turntable.radius_m", &t->radius_m, 1, error);
    if (status == NFSAR_OK) {
        status = check_finite("path.turntable: from_deg or to_deg", angles, 2, error);
    }
    if (status == NFSAR_OK) {
        status = check_count("path.turntable.count", t->count, PATH_PULSES, error);
    }
    if (status == NFSAR_OK) {
        status = check_count("path.turntable.count", t->count, PATH_PULSES, error);
    }
    if (status == NFSAR_OK && !(t->missing >= 0.0 && t->missing < 1.0)) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "path.turntable.missing is %g: a fraction, from 0 to below 1", t->missing);
    }
    return status == NFSAR_OK && t->errors != NULL ? check_errors(t, error) : status;
}

/* What the poses say, pose for pose of the path: poses that follow a pulse included. */
static enum nfsar_status make_room(const struct scene_turntable *t, struct path *path,
                                   nfsar_error *error) {
    if (t->errors == NULL || t->errors->reported) {
        return NFSAR_OK;
    }
    path->reported = calloc(2 * path->room, sizeof *path->reported);
    return path->reported != NULL ? NFSAR_OK
                                  : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

struct table {
    const struct scene_turntable *t;
    struct path_timing timing;
    nfsar_random jitter, missing;
    double to, steps;
};

/* Poses [from, n_pose) of the path are those of one position, or of one line's end. */
static void report(struct path *path, size_t from, nfsar_pose pose) {
    for (size_t i = from; path->reported != NULL && i < path->n_pose; i++) {
        path->reported[i] = pose;
    }
}

static void add_position(struct table *table, double i, double y, struct path *path) {
    const struct scene_turntable *t = table->t;
    size_t before = path->n_pose;
    double degrees = t->from_deg + (table->to - t->from_deg) * i / table->steps;
    nfsar_pose said = turntable_pose(t->radius_m, degrees * NFSAR_PI / 180.0, y), pose = said;
    if (t->errors != NULL) {
        const struct scene_turntable_errors *e = t->errors;
        double turned = check_default(e->angle_scale, 1.0) * (degrees - t->from_deg);
        double jitter = e->angle_jitter_deg * nfsar_random_normal(&table->jitter);
        double angle = t->from_deg + turned + e->angle_zero_deg + jitter;
        pose = true_pose(t, angle * NFSAR_PI / 180.0, y);
    }
    if (t->missing > 0.0 && nfsar_random_uniform(&table->missing) < t->missing) {
        path_skip(path, &table->timing, pose);
    } else {
        path_add(path, &table->timing, pose);
    }
    report(path, before, said);
}

/* The radar that flies on past the end of a line: what is reported goes on likewise. */
static void end_line(struct table *table, struct path *path) {
    size_t before = path->n_pose;
    path_end_line(path, &table->timing);
    if (path->reported != NULL && path->n_pose > before && before > 0) {
        nfsar_pose *said = &path->reported[before];
        *said = before > 1 && !path->follows[before - 2]
                    ? nfsar_pose_interpolate(said[-2], said[-1], 2.0)
                    : said[-1];
        said->orientation = said[-1].orientation;
    }
}

enum nfsar_status path_turntable(const struct scene_turntable *t, double span, uint64_t seed,
                                 struct path *path, nfsar_error *error) {
    struct path_axis y = {0.0, 0.0, 1};
    struct table table = {.t = t};
    enum nfsar_status status = check(t, error);
    if (status == NFSAR_OK && t->y != NULL) {
        status = path_axis_make("path.turntable.y", t->y, &y, error);
    }
    if (status == NFSAR_OK) {
        status = path_timing_make("path.turntable", t->pulse_interval_s, t->motion, span,
                                  &table.timing, error);
    }
    const struct path_axis around = {0.0, 0.0, (size_t)t->count};
    if (status == NFSAR_OK) {
        status = path_allocate(path, path_product(&around, &y), error);
    }
    if (status == NFSAR_OK) {
        status = make_room(t, path, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_random_stream(&table.jitter, seed, STREAM_ANGLE_JITTER);
    nfsar_random_stream(&table.missing, seed, STREAM_MISSING);
    /* A full circle ends one step before it closes. */
    table.to = check_default(t->to_deg, t->from_deg + 360.0);
    bool circle = fabs(fabs(table.to - t->from_deg) - 360.0) < 1e-9;
    table.steps = circle || t->count == 1 ? (double)t->count : (double)(t->count - 1);
    for (size_t line = 0; line < y.count; line++) {
        for (size_t i = 0; i < around.count; i++) {
            add_position(&table, (double)i, y.first + y.step * (double)line, path);
        }
        end_line(&table, path);
    }
    return path->n_pulse > 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "path.turntable.missing is %g: of %zu positions none is left",
                            t->missing, path->room);
}
