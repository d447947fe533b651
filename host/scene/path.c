/* Lattice paths: raster and irregular surface; and what all paths share. */
#include "host/scene/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/smooth.h"
#include "host/scene/check.h"
#include "host/scene/streams.h"

/* Pulses of a scanner that moves a millimetre from one to the next come at about this interval. */
#define DEFAULT_INTERVAL 5e-3

void path_free(struct path *path) {
    free(path->time_s);
    free(path->pose_time_s);
    free(path->pose);
    free(path->reported);
    free(path->follows);
    memset(path, 0, sizeof *path);
}

enum nfsar_status path_allocate(struct path *path, size_t n_pulse, nfsar_error *error) {
    if (n_pulse < 1 || n_pulse > PATH_PULSES) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%zu pulses: must be from 1 to %d", n_pulse,
                          PATH_PULSES);
    }
    /* Each pulse has at most one pose that follows it, each line one more at its end. */
    path->time_s = calloc(n_pulse, sizeof *path->time_s);
    path->pose_time_s = calloc(2 * n_pulse, sizeof *path->pose_time_s);
    path->pose = calloc(2 * n_pulse, sizeof *path->pose);
    path->follows = calloc(2 * n_pulse, sizeof *path->follows);
    path->room = n_pulse;
    return path->time_s != NULL && path->pose_time_s != NULL && path->pose != NULL &&
                   path->follows != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", n_pulse);
}

enum nfsar_status path_timing_make(const char *key, const double *interval_s,
                                   enum scene_motion motion, double channel_span_s,
                                   struct path_timing *timing, nfsar_error *error) {
    *timing =
        (struct path_timing){motion, check_default(interval_s, DEFAULT_INTERVAL), channel_span_s};
    enum nfsar_status status = check_positive("pulse_interval_s", &timing->interval_s, 1, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", key);
    }
    if (!(channel_span_s < timing->interval_s)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: the channels of a pulse take %g s, but the next pulse comes after "
                          "%g s; make array.chirp_interval_s shorter or the pulse interval longer",
                          key, channel_span_s, timing->interval_s);
    }
    return NFSAR_OK;
}

static void add_pose(struct path *path, double time_s, nfsar_pose pose, bool follows) {
    path->pose_time_s[path->n_pose] = time_s;
    path->pose[path->n_pose] = pose;
    path->follows[path->n_pose++] = follows;
}

/* Times are counted in slots of one interval, so that rounding does not add up. */
static double next_slot(struct path *path, const struct path_timing *timing) {
    return (double)path->slot++ * timing->interval_s;
}

void path_add(struct path *path, const struct path_timing *timing, nfsar_pose pose) {
    double time = next_slot(path, timing);
    path->time_s[path->n_pulse++] = time;
    add_pose(path, time, pose, false);
    if (timing->motion == SCENE_STOP_AND_GO && timing->channel_span_s > 0.0) {
        add_pose(path, time + timing->channel_span_s, pose, true);
    }
}

void path_skip(struct path *path, const struct path_timing *timing, nfsar_pose pose) {
    double time = next_slot(path, timing);
    if (timing->motion == SCENE_FLY_BY) {
        add_pose(path, time, pose, false);
    }
}

void path_end_line(struct path *path, const struct path_timing *timing) {
    if (timing->motion != SCENE_FLY_BY || path->n_pose < 2) {
        return;
    }
    nfsar_pose last = path->pose[path->n_pose - 1];
    if (!path->follows[path->n_pose - 2]) {
        nfsar_quaternion orientation = last.orientation;
        last = nfsar_pose_interpolate(path->pose[path->n_pose - 2], last, 2.0);
        last.orientation = orientation;
    }
    add_pose(path, next_slot(path, timing), last, true);
}

static enum nfsar_status axis_by_count(const struct scene_axis *axis, struct path_axis *made,
                                       nfsar_error *error) {
    enum nfsar_status status = check_count("count", *axis->count, PATH_PULSES, error);
    if (status == NFSAR_OK &&
        (axis->size_m < 0.0 || (axis->size_m == 0.0) != (*axis->count == 1))) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "size_m is %g with count %llu: a size above zero needs two positions or "
                          "more, one position the size zero",
                          axis->size_m, (unsigned long long)*axis->count);
    }
    made->count = (size_t)*axis->count;
    made->step = made->count > 1 ? axis->size_m / (double)(made->count - 1) : 0.0;
    return status;
}

static enum nfsar_status axis_by_step(const struct scene_axis *axis, struct path_axis *made,
                                      nfsar_error *error) {
    enum nfsar_status status = check_positive("step_m", axis->step_m, 1, error);
    if (status == NFSAR_OK) {
        status = check_positive("size_m", &axis->size_m, 1, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    /* A hair more, so that 0.2 / 0.001 is 200 steps. */
    double steps = floor(axis->size_m / *axis->step_m + 1e-6);
    if (steps >= PATH_PULSES) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "step_m is %g: %g steps are too many",
                          *axis->step_m, steps);
    }
    made->count = (size_t)steps + 1;
    made->step = *axis->step_m;
    return NFSAR_OK;
}

enum nfsar_status path_axis_make(const char *key, const struct scene_axis *axis,
                                 struct path_axis *made, nfsar_error *error) {
    enum nfsar_status status = check_finite("size_m", &axis->size_m, 1, error);
    if (status == NFSAR_OK) {
        status = check_finite("centre_m", &axis->centre_m, 1, error);
    }
    if (status == NFSAR_OK && (axis->step_m != NULL) == (axis->count != NULL)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "give either step_m or count");
    }
    if (status == NFSAR_OK) {
        status = axis->count != NULL ? axis_by_count(axis, made, error)
                                     : axis_by_step(axis, made, error);
    }
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", key);
    }
    made->first = axis->centre_m - 0.5 * made->step * (double)(made->count - 1);
    return NFSAR_OK;
}

size_t path_product(const struct path_axis *x, const struct path_axis *y) {
    size_t n = 0;
    return __builtin_mul_overflow(x->count, y->count, &n) ? SIZE_MAX : n;
}

/* Lines along x, one for each y, at heights z + offset[line][column] (offset may be NULL). */
static void add_lines(struct path *path, const struct path_timing *timing,
                      const struct path_axis *x, const struct path_axis *y, double z,
                      bool serpentine, const float *offset, double amplitude) {
    for (size_t line = 0; line < y->count; line++) {
        for (size_t i = 0; i < x->count; i++) {
            size_t column = serpentine && line % 2 == 1 ? x->count - 1 - i : i;
            double rise = offset != NULL ? (double)offset[line * x->count + column] - 0.5 : 0.0;
            nfsar_vec3 at = {x->first + x->step * (double)column, y->first + y->step * (double)line,
                             z + amplitude * rise};
            path_add(path, timing, (nfsar_pose){at, NFSAR_QUATERNION_IDENTITY});
        }
        path_end_line(path, timing);
    }
}

static enum nfsar_status raster(const struct scene_raster *r, double span, struct path *path,
                                nfsar_error *error) {
    struct path_axis x = {0}, y = {0};
    struct path_timing timing = {0};
    enum nfsar_status status = path_axis_make("path.raster.x", &r->x, &x, error);
    if (status == NFSAR_OK) {
        status = path_axis_make("path.raster.y", &r->y, &y, error);
    }
    if (status == NFSAR_OK) {
        status = check_finite("path.raster.z_m", &r->z_m, 1, error);
    }
    if (status == NFSAR_OK) {
        status =
            path_timing_make("path.raster", r->pulse_interval_s, r->motion, span, &timing, error);
    }
    if (status == NFSAR_OK) {
        status = path_allocate(path, path_product(&x, &y), error);
    }
    if (status == NFSAR_OK) {
        add_lines(path, &timing, &x, &y, r->z_m, r->serpentine, NULL, 0.0);
    }
    return status;
}

static enum nfsar_status irregular(const struct scene_irregular *r, double span, uint64_t seed,
                                   struct path *path, nfsar_error *error) {
    struct path_axis x = {0}, y = {0};
    struct path_timing timing = {0};
    const double heights[2] = {r->z_m, r->amplitude_m};
    double roughness = check_default(r->roughness, 3.0);
    enum nfsar_status status = path_axis_make("path.irregular.x", &r->x, &x, error);
    if (status == NFSAR_OK) {
        status = path_axis_make("path.irregular.y", &r->y, &y, error);
    }
    if (status == NFSAR_OK) {
        status = check_finite("path.irregular: z_m or amplitude_m", heights, 2, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("path.irregular.roughness", &roughness, 1, error);
    }
    if (status == NFSAR_OK) {
        status = path_timing_make("path.irregular", r->pulse_interval_s, r->motion, span, &timing,
                                  error);
    }
    if (status == NFSAR_OK) {
        status = path_allocate(path, path_product(&x, &y), error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    float *surface = calloc(path->room, sizeof *surface);
    nfsar_random random;
    nfsar_random_stream(&random, seed, STREAM_PATH);
    status = surface != NULL ? smooth_surface(x.count, y.count, roughness, &random, surface, error)
                             : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        add_lines(path, &timing, &x, &y, r->z_m, r->serpentine, surface, r->amplitude_m);
    }
    free(surface);
    return status;
}

enum nfsar_status path_make(const struct scene_path *description, double channel_span_s,
                            uint64_t seed, struct path *path, nfsar_error *error) {
    const struct scene_path *d = description;
    memset(path, 0, sizeof *path);
    int given = (d->raster != NULL) + (d->irregular != NULL) + (d->turntable != NULL) +
                (d->cloud != NULL) + (d->handheld != NULL) + (d->positions_m != NULL);
    if (given != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "path: give one of raster, irregular, turntable, cloud, handheld and "
                          "positions_m; there are %d",
                          given);
    }
    enum nfsar_status status =
        d->raster != NULL      ? raster(d->raster, channel_span_s, path, error)
        : d->irregular != NULL ? irregular(d->irregular, channel_span_s, seed, path, error)
        : d->turntable != NULL ? path_turntable(d->turntable, channel_span_s, seed, path, error)
        : d->cloud != NULL     ? path_cloud(d->cloud, channel_span_s, seed, path, error)
        : d->handheld != NULL  ? path_handheld(d->handheld, channel_span_s, seed, path, error)
                               : path_positions(d, channel_span_s, path, error);
    if (status != NFSAR_OK) {
        path_free(path);
    }
    return status;
}
