/* A track against the truth. */
#include <math.h>

#include "calibration/trajectory/state.h"

/* Turn about `up` by angle, then move by shift. */
struct fit {
    nfsar_quaternion turn;
    nfsar_vec3 from, to;
};

static nfsar_vec3 fitted_place(const struct fit *fit, nfsar_vec3 p) {
    return nfsar_vec3_add(fit->to,
                          nfsar_quaternion_rotate(fit->turn, nfsar_vec3_subtract(p, fit->from)));
}

/* The truth's first pose onto the track's, but for the tilt, which gravity tells. */
static struct fit find_fit(nfsar_pose pose, nfsar_pose truth, nfsar_vec3 up) {
    nfsar_quaternion back = nfsar_quaternion_conjugate(truth.orientation);
    const nfsar_quaternion q = nfsar_quaternion_multiply(pose.orientation, back);
    const double angle = 2.0 * atan2(nfsar_vec3_dot((nfsar_vec3){q.x, q.y, q.z}, up), q.w);
    return (struct fit){rotation_exp(nfsar_vec3_scale(up, angle)), truth.position, pose.position};
}

nfsar_trajectory_error nfsar_trajectory_compare(const double *time_s, const nfsar_pose *pose,
                                                const nfsar_pose *truth, size_t n, nfsar_vec3 up,
                                                bool from_start, double window_s) {
    nfsar_trajectory_error e = {0};
    if (n == 0) {
        return e;
    }
    const struct fit none = {.turn = NFSAR_QUATERNION_IDENTITY};
    const struct fit fit = from_start ? find_fit(pose[0], truth[0], up) : none;
    double place = 0.0, turn = 0.0, along = 0.0, across = 0.0;
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        const nfsar_vec3 off =
            nfsar_vec3_subtract(pose[i].position, fitted_place(&fit, truth[i].position));
        const nfsar_quaternion is = nfsar_quaternion_multiply(fit.turn, truth[i].orientation);
        const double angle = nfsar_vec3_norm(rotation_log(
            nfsar_quaternion_multiply(pose[i].orientation, nfsar_quaternion_conjugate(is))));
        place += nfsar_vec3_dot(off, off);
        turn += angle * angle;
        while (first < i && time_s[i] - time_s[first + 1] >= window_s) {
            first++;
        }
        if (time_s[i] - time_s[first] < window_s) {
            continue;
        }
        const nfsar_vec3 before =
            nfsar_vec3_subtract(pose[first].position, fitted_place(&fit, truth[first].position));
        const nfsar_vec3 relative = nfsar_vec3_subtract(off, before);
        const double ahead = nfsar_vec3_dot(
            relative, nfsar_quaternion_rotate(pose[i].orientation, (nfsar_vec3){0, 0, 1}));
        along += ahead * ahead;
        across += 0.5 * (nfsar_vec3_dot(relative, relative) - ahead * ahead);
        e.windows++;
    }
    e.position_m = sqrt(place / (double)n);
    e.rotation_rad = sqrt(turn / (double)n);
    if (e.windows > 0) {
        e.along_m = sqrt(along / (double)e.windows);
        e.across_m = sqrt(across / (double)e.windows);
    }
    return e;
}
