/* Paths that are not lattices: a cloud of positions, a hand, a list. */
#include "host/scene/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/smooth.h"
#include "host/scene/check.h"
#include "host/scene/streams.h"

enum nfsar_status path_cloud(const struct scene_cloud *cloud, double channel_span_s, uint64_t seed,
                             struct path *path, nfsar_error *error) {
    struct path_timing timing = {0};
    enum nfsar_status status = check_not_negative("path.cloud.size_m", cloud->size_m, 3, error);
    if (status == NFSAR_OK) {
        status = check_finite("path.cloud.centre_m", cloud->centre_m, 3, error);
    }
    if (status == NFSAR_OK) {
        status = path_timing_make("path.cloud", cloud->pulse_interval_s, SCENE_STOP_AND_GO,
                                  channel_span_s, &timing, error);
    }
    if (status == NFSAR_OK) {
        status = path_allocate(path, cloud->count, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_random random;
    nfsar_random_stream(&random, seed, STREAM_PATH);
    for (size_t i = 0; i < path->room; i++) {
        double at[3];
        for (int axis = 0; axis < 3; axis++) {
            at[axis] =
                cloud->centre_m[axis] + cloud->size_m[axis] * (nfsar_random_uniform(&random) - 0.5);
        }
        path_add(path, &timing, (nfsar_pose){{at[0], at[1], at[2]}, NFSAR_QUATERNION_IDENTITY});
    }
    return NFSAR_OK;
}

enum nfsar_status path_positions(const struct scene_path *description, double channel_span_s,
                                 struct path *path, nfsar_error *error) {
    struct path_timing timing = {0};
    size_t n = description->positions_m_count;
    enum nfsar_status status =
        check_finite("path.positions_m", description->positions_m[0].v, 3 * n, error);
    if (status == NFSAR_OK) {
        status = path_timing_make("path", description->pulse_interval_s, SCENE_STOP_AND_GO,
                                  channel_span_s, &timing, error);
    }
    if (status == NFSAR_OK) {
        status = path_allocate(path, n, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        const double *p = description->positions_m[i].v;
        path_add(path, &timing, (nfsar_pose){{p[0], p[1], p[2]}, NFSAR_QUATERNION_IDENTITY});
    }
    return status;
}

/* ---- a hand -------------------------------------------------------------------------------- */

/* Lines to and fro, joined by half circles whose diameter is the line spacing: the way at a
 * distance along it. */
struct sweep {
    double width, spacing, bottom, left;
    size_t lines;
};

static double sweep_length(const struct sweep *s) {
    return (double)s->lines * s->width + (double)(s->lines - 1) * 0.5 * NFSAR_PI * s->spacing;
}

static nfsar_vec3 sweep_at(const struct sweep *s, double distance) {
    double period = s->width + 0.5 * NFSAR_PI * s->spacing;
    double line = fmin(floor(distance / period), (double)(s->lines - 1));
    double along = distance - line * period;
    double sign = fmod(line, 2.0) == 0.0 ? 1.0 : -1.0;
    double y = s->bottom + line * s->spacing;
    double x = fmin(along, s->width);
    if (along > s->width) {
        double angle = (along - s->width) / (0.5 * s->spacing);
        x += 0.5 * s->spacing * sin(angle);
        y += 0.5 * s->spacing * (1.0 - cos(angle));
    }
    return (nfsar_vec3){sign > 0.0 ? s->left + x : s->left + s->width - x, y, 0.0};
}

static enum nfsar_status check_handheld(const struct scene_handheld *h, nfsar_error *error) {
    double time = check_default(h->wander_time_s, 1.0);
    enum nfsar_status status = check_positive("path.handheld.size_m", h->size_m, 2, error);
    if (status == NFSAR_OK) {
        status = check_finite("path.handheld.centre_m", h->centre_m, 3, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("path.handheld.line_spacing_m", &h->line_spacing_m, 1, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("path.handheld.speed_m_per_s", &h->speed_m_per_s, 1, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("path.handheld.pulse_rate_hz", &h->pulse_rate_hz, 1, error);
    }
    if (status == NFSAR_OK) {
        status = check_not_negative("path.handheld.wander_m", h->wander_m, 3, error);
    }
    if (status == NFSAR_OK) {
        status = check_not_negative("path.handheld.wander_deg", h->wander_deg, 3, error);
    }
    if (status == NFSAR_OK) {
        status = check_between("path.handheld.speed_wander", h->speed_wander, 0.0, 2.0, error);
    }
    if (status == NFSAR_OK) {
        status = check_between("path.handheld.rest_s", h->rest_s, 0.0, 1e6, error);
    }
    if (status == NFSAR_OK) {
        status = check_between("path.handheld.smooth_s", h->smooth_s, 0.0, 100.0, error);
    }
    return status == NFSAR_OK ? check_positive("path.handheld.wander_time_s", &time, 1, error)
                              : status;
}

static enum nfsar_status make_sweep(const struct scene_handheld *h, struct sweep *sweep,
                                    nfsar_error *error) {
    double lines = floor(h->size_m[1] / h->line_spacing_m + 1e-6) + 1.0;
    if (!(lines < 1e6)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "path.handheld.line_spacing_m: %g lines are too many", lines);
    }
    *sweep = (struct sweep){
        .width = h->size_m[0],
        .spacing = h->line_spacing_m,
        .bottom = h->centre_m[1] - 0.5 * (lines - 1.0) * h->line_spacing_m,
        .left = h->centre_m[0] - 0.5 * h->size_m[0],
        .lines = (size_t)lines,
    };
    return NFSAR_OK;
}

/* How much of the wander there is: none at rest, all on the way. */
static nfsar_pose wander(const struct scene_handheld *h, const struct smooth_function function[6],
                         double time, nfsar_vec3 at, double share) {
    double move[3], turn[3];
    for (int axis = 0; axis < 3; axis++) {
        move[axis] = share * h->wander_m[axis] * smooth_function_at(&function[axis], time);
        turn[axis] = share * h->wander_deg[axis] * NFSAR_PI / 180.0 *
                     smooth_function_at(&function[3 + axis], time);
    }
    nfsar_vec3 rotation = {turn[0], turn[1], turn[2]};
    return (nfsar_pose){
        {at.x + move[0], at.y + move[1], at.z + h->centre_m[2] + move[2]},
        nfsar_quaternion_from_axis_angle(rotation, nfsar_vec3_norm(rotation)),
    };
}

/* What is smoothed of a way: x, y, and how much of the wander there is. */
enum { WAY = 3, SMOOTHINGS = 3 };

/* way[n][WAY], with room behind for as much again, averaged over 2 half + 1 points three times,
 * ends held: a way whose third derivative jumps nowhere, as a hand of some mass takes. */
static void smooth_way(double *way, size_t n, size_t half) {
    double *copy = way + WAY * n;
    for (int pass = 0; half > 0 && pass < SMOOTHINGS; pass++) {
        memcpy(copy, way, WAY * n * sizeof *way);
        for (int k = 0; k < WAY; k++) {
            double sum = 0.0;
            for (size_t j = 0; j <= 2 * half; j++) {
                const size_t from = j < half ? 0 : j - half;
                sum += copy[WAY * (from < n ? from : n - 1) + (size_t)k];
            }
            for (size_t i = 0; i < n; i++) {
                way[WAY * i + (size_t)k] = sum / (double)(2 * half + 1);
                const size_t in = i + half + 1 < n ? i + half + 1 : n - 1;
                const size_t out = i < half ? 0 : i - half;
                sum += copy[WAY * in + (size_t)k] - copy[WAY * out + (size_t)k];
            }
        }
    }
}

/* How fast the hand goes along the way: at constant speed, or at one that wanders. */
struct walk {
    double length, speed, rate;
    double wander;                   /* deviation of the speed's logarithm */
    struct smooth_function function; /* of time, where it wanders */
};

/* How far it is at a pulse, from how far it was at the one before. */
static double walk_on(const struct walk *walk, size_t pulse, double before) {
    double time = (double)pulse * (1.0 / walk->rate);
    if (walk->wander == 0.0) {
        return time * walk->speed;
    }
    if (pulse == 0) {
        return 0.0;
    }
    double pace = smooth_function_at(&walk->function, time - 0.5 / walk->rate);
    return before + walk->speed / walk->rate * exp(walk->wander * pace);
}

/* Pulses until the way is over; more than a path may have when there are too many to count. */
static size_t walk_pulses(const struct walk *walk) {
    double even = floor(walk->length / walk->speed * walk->rate) + 1.0;
    size_t pulses = even < 1e12 ? (size_t)even : (size_t)1e12;
    /* On average a pace that wanders is exp(wander^2 / 2) of the even one: 7.4 at most. */
    if (walk->wander == 0.0 || pulses > (size_t)100 * PATH_PULSES) {
        return pulses;
    }
    pulses = 1;
    double distance = walk_on(walk, 1, 0.0);
    while (distance <= walk->length && pulses <= PATH_PULSES) {
        distance = walk_on(walk, ++pulses, distance);
    }
    return pulses;
}

enum nfsar_status path_handheld(const struct scene_handheld *handheld, double channel_span_s,
                                uint64_t seed, struct path *path, nfsar_error *error) {
    const struct scene_handheld *h = handheld;
    struct sweep sweep = {0};
    struct path_timing timing = {0};
    enum nfsar_status status = check_handheld(h, error);
    if (status == NFSAR_OK) {
        status = make_sweep(h, &sweep, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    double interval = 1.0 / h->pulse_rate_hz, wander_time = check_default(h->wander_time_s, 1.0);
    struct walk walk = {
        sweep_length(&sweep), h->speed_m_per_s, h->pulse_rate_hz, h->speed_wander, {{0.0}, {0.0}}};
    struct smooth_function function[6];
    nfsar_random random;
    nfsar_random_stream(&random, seed, STREAM_PATH);
    for (int i = 0; i < 6; i++) {
        smooth_function_draw(&function[i], wander_time, &random);
    }
    smooth_function_draw(&walk.function, wander_time, &random);
    status =
        path_timing_make("path.handheld", &interval, SCENE_FLY_BY, channel_span_s, &timing, error);
    const size_t rest = (size_t)fmin(floor(h->rest_s * h->pulse_rate_hz + 0.5), 1e12);
    if (status == NFSAR_OK) {
        status = path_allocate(path, rest + walk_pulses(&walk), error);
    }
    double *way = NULL;
    if (status == NFSAR_OK) {
        way = calloc(2 * path->room, WAY * sizeof *way);
        status = way != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    double distance = 0.0;
    for (size_t i = 0; status == NFSAR_OK && i < path->room; i++) {
        distance = i < rest ? 0.0 : walk_on(&walk, i - rest, distance);
        const nfsar_vec3 at = sweep_at(&sweep, distance);
        const double point[WAY] = {at.x, at.y, rest > 0 && i <= rest ? 0.0 : 1.0};
        memcpy(way + WAY * i, point, sizeof point);
    }
    if (status == NFSAR_OK) {
        const double half = floor(0.5 * h->smooth_s * h->pulse_rate_hz + 0.5);
        smooth_way(way, path->room, (size_t)fmin(half, (double)path->room));
    }
    for (size_t i = 0; status == NFSAR_OK && i < path->room; i++) {
        const nfsar_vec3 at = {way[WAY * i], way[WAY * i + 1], 0.0};
        path_add(path, &timing, wander(h, function, (double)i * interval, at, way[WAY * i + 2]));
    }
    free(way);
    if (status == NFSAR_OK) {
        path_end_line(path, &timing);
    }
    return status;
}
