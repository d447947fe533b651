/* A track against the truth. */
#include <math.h>

#include "calibration/trajectory/state.h"

/* Turn about `up` by angle, then move by shift. */
struct fit {
    nfsar_quaternion turn;
    nfsar_vec3 from, to; /* means */
};

static nfsar_vec3 fitted_place(const struct fit *fit, nfsar_vec3 p) {
    return nfsar_vec3_add(fit->to,
                          nfsar_quaternion_rotate(fit->turn, nfsar_vec3_subtract(p, fit->from)));
}

/* The angle about `up` and the shift with the least squares of distances: with a and b across `up`
 * from their means, tan(angle) = sum up . (a x b) / sum a . b. */
static struct fit find_fit(const nfsar_pose *pose, const nfsar_pose *truth, size_t n,
                           nfsar_vec3 up) {
    struct fit fit = {.turn = NFSAR_QUATERNION_IDENTITY};
    for (size_t i = 0; i < n; i++) {
        fit.from = nfsar_vec3_add(fit.from, truth[i].position);
        fit.to = nfsar_vec3_add(fit.to, pose[i].position);
    }
    fit.from = nfsar_vec3_scale(fit.from, 1.0 / (double)n);
    fit.to = nfsar_vec3_scale(fit.to, 1.0 / (double)n);
    double sine = 0.0, cosine = 0.0;
    for (size_t i = 0; i < n; i++) {
        const nfsar_vec3 a = nfsar_vec3_subtract(truth[i].position, fit.from);
        const nfsar_vec3 b = nfsar_vec3_subtract(pose[i].position, fit.to);
        sine += vec3_dot(up, vec3_cross(a, b));
        cosine += vec3_dot(a, b) - vec3_dot(a, up) * vec3_dot(b, up);
    }
    fit.turn = rotation_exp(nfsar_vec3_scale(up, atan2(sine, cosine)));
    return fit;
}

nfsar_trajectory_error nfsar_trajectory_compare(const double *time_s, const nfsar_pose *pose,
                                                const nfsar_pose *truth, size_t n, nfsar_vec3 up,
                                                bool fitted, double window_s) {
    nfsar_trajectory_error e = {0};
    if (n == 0) {
        return e;
    }
    const struct fit none = {.turn = NFSAR_QUATERNION_IDENTITY};
    const struct fit fit = fitted ? find_fit(pose, truth, n, up) : none;
    double place = 0.0, turn = 0.0, along = 0.0, across = 0.0;
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        const nfsar_vec3 off =
            nfsar_vec3_subtract(pose[i].position, fitted_place(&fit, truth[i].position));
        const nfsar_quaternion is = nfsar_quaternion_multiply(fit.turn, truth[i].orientation);
        const double angle = nfsar_vec3_norm(
            rotation_log(nfsar_quaternion_multiply(pose[i].orientation, rotation_inverse(is))));
        place += vec3_dot(off, off);
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
        const double ahead =
            vec3_dot(relative, nfsar_quaternion_rotate(pose[i].orientation, (nfsar_vec3){0, 0, 1}));
        along += ahead * ahead;
        across += 0.5 * (vec3_dot(relative, relative) - ahead * ahead);
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
