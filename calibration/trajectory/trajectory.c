/* From records to a track of poses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/trajectory/filter.h"
#include "calibration/trajectory/records.h"

void nfsar_trajectory_free(nfsar_trajectory *trajectory) {
    free(trajectory->time_s);
    free(trajectory->pose);
    free(trajectory->covariance);
    free(trajectory->gap);
    memset(trajectory, 0, sizeof *trajectory);
}

static enum nfsar_status check_wanted(const double *time_s, size_t n, double window_s,
                                      nfsar_error *error) {
    if (n == 0 || !(window_s > 0.0) || !isfinite(window_s)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "poses at %zu times and a window of %g s were asked for", n, window_s);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(time_s[i]) || (i > 0 && time_s[i] <= time_s[i - 1])) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "time %zu that a pose is wanted at, %g s, does not follow the one "
                              "before",
                              i, time_s[i]);
        }
    }
    return NFSAR_OK;
}

/* A heading that nothing tells: everything may be turned about where the sensor of places is, by an
 * angle x of normal distribution that may be wide. The body is then off by a (cos x - 1) along its
 * way from there, and by a sin x across. */
static void add_heading(const struct track *track, const nfsar_pose *pose, double *covariance) {
    const double variance = track->heading_beyond * track->heading_beyond;
    const double once = exp(-0.5 * variance), twice = exp(-2.0 * variance);
    const nfsar_vec3 g = track->scene.pod->gravity;
    const nfsar_vec3 up = nfsar_vec3_scale(g, -1.0 / nfsar_vec3_norm(g));
    const nfsar_vec3 arm = nfsar_quaternion_rotate(pose->orientation, track->anchor);
    const nfsar_vec3 across = nfsar_vec3_cross(arm, up), along = nfsar_vec3_cross(across, up);
    const double x[3] = {across.x, across.y, across.z}, y[3] = {along.x, along.y, along.z};
    const double u[3] = {up.x, up.y, up.z};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            covariance[i * 6 + j] +=
                0.5 * (1.0 - twice) * x[i] * x[j] + (1.5 - 2.0 * once + 0.5 * twice) * y[i] * y[j];
            covariance[i * 6 + 3 + j] += variance * once * x[i] * u[j];
            covariance[(3 + i) * 6 + j] += variance * once * u[i] * x[j];
            covariance[(3 + i) * 6 + 3 + j] += variance * u[i] * u[j];
        }
    }
}

/* The pose a little after a node, by the IMU; covariance is that of the nearer of two nodes: they
 * are as near to one another as readings of the IMU, in its gaps too (filter_events()). */
static void pose_at(const struct track *track, size_t node, double time, nfsar_pose *pose,
                    double *covariance) {
    const nfsar_pod *pod = track->scene.pod;
    const struct node *n = &track->node[node];
    struct state state = n->state;
    struct step step = n->step;
    size_t near = node;
    double p[MATRIX], j[6 * ERRORS];
    if (node + 1 < track->n_node) {
        step.seconds = time - n->time;
        state_propagate(&state, &step, pod->gravity);
        near += 2.0 * step.seconds > n->step.seconds;
    }
    *pose = body_pose(pod, &state);
    matrix_unpack(track->packed + near * PACKED, p);
    body_jacobian(pod, &state, j);
    for (int a = 0; a < 6; a++) {
        for (int b = 0; b <= a; b++) {
            double sum = 0.0;
            for (int k = 0; k < ERRORS; k++) {
                for (int l = 0; l < ERRORS; l++) {
                    sum += j[a * ERRORS + k] * p[k * ERRORS + l] * j[b * ERRORS + l];
                }
            }
            covariance[a * 6 + b] = covariance[b * 6 + a] = sum;
        }
    }
    add_heading(track, pose, covariance);
}

static enum nfsar_status make_poses(const struct track *track, const double *time_s, size_t n,
                                    nfsar_trajectory *out, nfsar_error *error) {
    const double begin = track->node[0].time, end = track->node[track->n_node - 1].time;
    out->time_s = calloc(n, sizeof *out->time_s);
    out->pose = calloc(n, sizeof *out->pose);
    out->covariance = calloc(n, 36 * sizeof *out->covariance);
    if (out->time_s == NULL || out->pose == NULL || out->covariance == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu poses", n);
    }
    size_t node = 0;
    for (size_t i = 0; i < n; i++) {
        if (time_s[i] < begin || time_s[i] > end) {
            continue;
        }
        while (node + 1 < track->n_node && track->node[node + 1].time <= time_s[i]) {
            node++;
        }
        pose_at(track, node, time_s[i], &out->pose[out->n], out->covariance + 36 * out->n);
        out->time_s[out->n++] = time_s[i];
    }
    if (out->n == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "imu: records are of %.3f to %.3f s, poses are wanted from %.3f to %.3f "
                          "s: they do not overlap; is its time_offset_s right?",
                          begin, end, time_s[0], time_s[n - 1]);
    }
    return NFSAR_OK;
}

/* What the caller is told of gaps. */
static enum nfsar_status tell_gaps(const struct track *track, nfsar_trajectory *out,
                                   nfsar_error *error) {
    out->gap = track->n_gap > 0 ? calloc(track->n_gap, sizeof *out->gap) : NULL;
    if (track->n_gap > 0 && out->gap == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu gaps", track->n_gap);
    }
    for (; out->n_gap < track->n_gap; out->n_gap++) {
        const struct gap *gap = &track->gap[out->n_gap];
        out->gap[out->n_gap] = (nfsar_imu_gap){gap->from, gap->to};
    }
    return NFSAR_OK;
}

/* Whether some record is within the gap; its time comes first. */
static bool speaks(const void *array, size_t n, size_t size, const struct gap *gap) {
    for (size_t i = 0; i < n; i++) {
        double time = 0.0;
        memcpy(&time, (const char *)array + i * size, sizeof time);
        if (time > gap->from && time < gap->to) {
            return true;
        }
    }
    return false;
}

/* After a long silence of all sensors the pod may be anywhere: so far off that numbers do not bear
 * it beside what a tracker's records know. */
static enum nfsar_status check_silence(const struct track *track, nfsar_error *error) {
    const nfsar_sensor_records *r = track->records;
    for (size_t g = 0; g < track->n_gap; g++) {
        const struct gap *gap = &track->gap[g];
        if (gap->to - gap->from > CARRY_S && !speaks(r->flow, r->n_flow, sizeof *r->flow, gap) &&
            !speaks(r->range, r->n_range, sizeof *r->range, gap) &&
            !speaks(r->tracker, r->n_tracker, sizeof *r->tracker, gap) &&
            !speaks(r->encoder, r->n_encoder, sizeof *r->encoder, gap)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "imu: is silent from %.3f to %.3f s, as all others are, and nothing "
                              "carries the pose over that: track what was recorded before and "
                              "after it apart; or did a clock jump?",
                              gap->from, gap->to);
        }
    }
    return NFSAR_OK;
}

/* Sigma of the first pose's turn about the vertical. */
static double heading_of(const nfsar_pod *pod, const nfsar_trajectory *t) {
    const double g[3] = {pod->gravity.x, pod->gravity.y, pod->gravity.z};
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            sum += g[i] * t->covariance[6 * (3 + i) + 3 + j] * g[j];
        }
    }
    return sqrt(fmax(sum, 0.0)) / nfsar_vec3_norm(pod->gravity);
}

static enum nfsar_status run(struct track *track, const double *time_s, size_t n, double window_s,
                             nfsar_trajectory *out, nfsar_error *error) {
    struct state start;
    double covariance[MATRIX];
    enum nfsar_status status = imu_gaps_find(track, error);
    if (status == NFSAR_OK) {
        status = tell_gaps(track, out, error);
    }
    if (status == NFSAR_OK) {
        status = check_silence(track, error);
    }
    if (status == NFSAR_OK) {
        status = filter_start(track, &start, covariance, out, error);
    }
    if (status == NFSAR_OK) {
        status = filter_events(track, time_s, n, out->use, error);
    }
    if (status == NFSAR_OK) {
        status = filter_run(track, &start, covariance, out->use, error);
    }
    if (status == NFSAR_OK) {
        const struct state *last = &track->node[track->n_node - 1].state;
        out->acceleration_bias = last->acceleration_bias;
        out->rate_bias = last->rate_bias;
        status = smooth_run(track, window_s, &out->relative, error);
    }
    if (status == NFSAR_OK) {
        status = make_poses(track, time_s, n, out, error);
    }
    if (status == NFSAR_OK) {
        out->heading_rad = heading_of(track->scene.pod, out);
    }
    return status;
}

enum nfsar_status nfsar_trajectory_find(const nfsar_pod *pod, const nfsar_sensor_records *records,
                                        const double *time_s, size_t n, double window_s,
                                        nfsar_trajectory *trajectory, nfsar_error *error) {
    nfsar_sensor_records good = {0};
    memset(trajectory, 0, sizeof *trajectory);
    enum nfsar_status status = pod_check(pod, error);
    if (status == NFSAR_OK) {
        status = check_wanted(time_s, n, window_s, error);
    }
    struct track track = {.scene.pod = pod, .records = &good};
    if (status == NFSAR_OK) {
        status = records_check(pod, records, &good, trajectory->use, &track.gap_s, error);
    }
    if (status == NFSAR_OK) {
        status = run(&track, time_s, n, window_s, trajectory, error);
    }
    nfsar_sensor_records_free(&good);
    free(track.gap);
    free(track.event);
    free(track.node);
    free(track.packed);
    if (status != NFSAR_OK) {
        nfsar_trajectory_free(trajectory);
    }
    return status;
}
