#include "host/scene/pose_error.h"

#include "algorithms/smooth.h"
#include "host/scene/check.h"
#include "host/scene/streams.h"

static enum nfsar_status check(const struct scene_pose_error *what, nfsar_error *error) {
    double time = check_default(what->time_s, 1.0);
    enum nfsar_status status =
        check_not_negative("impairments.pose_error.sigma_m", what->sigma_m, 3, error);
    if (status == NFSAR_OK) {
        status = check_not_negative("impairments.pose_error.sigma_deg", what->sigma_deg, 3, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("impairments.pose_error.time_s", &time, 1, error);
    }
    if (status == NFSAR_OK && what->kind == SCENE_ERROR_WHITE && what->time_s != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "impairments.pose_error: white errors have no time_s; leave it out or "
                          "say kind: smooth");
    }
    return status;
}

/* value[0..2] metres, value[3..5] degrees. */
static nfsar_pose disturb(nfsar_pose pose, const struct scene_pose_error *what,
                          const double value[6]) {
    const double radians = NFSAR_PI / 180.0;
    nfsar_vec3 move = {what->sigma_m[0] * value[0], what->sigma_m[1] * value[1],
                       what->sigma_m[2] * value[2]};
    nfsar_vec3 turn = {radians * what->sigma_deg[0] * value[3],
                       radians * what->sigma_deg[1] * value[4],
                       radians * what->sigma_deg[2] * value[5]};
    nfsar_quaternion rotation = nfsar_quaternion_from_axis_angle(turn, nfsar_vec3_norm(turn));
    return (nfsar_pose){nfsar_vec3_add(pose.position, move),
                        nfsar_quaternion_multiply(rotation, pose.orientation)};
}

enum nfsar_status pose_error_draw(const struct scene_pose_error *what, const struct path *path,
                                  const nfsar_pose *pose, uint64_t seed, nfsar_pose *disturbed,
                                  nfsar_error *error) {
    enum nfsar_status status = check(what, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_random random;
    struct smooth_function function[6];
    double value[6] = {0.0};
    nfsar_random_stream(&random, seed, STREAM_POSE_ERROR);
    for (int k = 0; k < 6; k++) {
        smooth_function_draw(&function[k], check_default(what->time_s, 1.0), &random);
    }
    for (size_t i = 0; i < path->n_pose; i++) {
        bool white = what->kind == SCENE_ERROR_WHITE;
        for (int k = 0; k < 6; k++) {
            if (!white) {
                value[k] = smooth_function_at(&function[k], path->pose_time_s[i]);
            } else if (!path->follows[i]) {
                value[k] = nfsar_random_normal(&random);
            }
        }
        disturbed[i] = disturb(pose[i], what, value);
    }
    return NFSAR_OK;
}
