#include "calibration/trajectory/motion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Second derivatives of natural cubic splines, by elimination in the tridiagonal system; work[n].
 */
static void find_bends(struct motion *m, double *work) {
    const double *t = m->time_s;
    for (int c = 0; c < CURVES; c++) {
        work[0] = 0.0;
        for (size_t i = 1; i + 1 < m->n; i++) {
            const double h = t[i] - t[i - 1], k = t[i + 1] - t[i];
            const double *v = m->value + i * CURVES + c;
            const double slope = (v[CURVES] - v[0]) / k - (v[0] - v[-CURVES]) / h;
            const double pivot = 2.0 * (h + k) - h * work[i - 1];
            work[i] = k / pivot;
            m->bend[i * CURVES + c] = (6.0 * slope - h * m->bend[(i - 1) * CURVES + c]) / pivot;
        }
        for (size_t i = m->n - 1; i-- > 1;) {
            m->bend[i * CURVES + c] -= work[i] * m->bend[(i + 1) * CURVES + c];
        }
    }
}

enum nfsar_status motion_make(struct motion *motion, const double *time_s, const nfsar_pose *pose,
                              size_t n, nfsar_error *error) {
    *motion = (struct motion){time_s, n, calloc(n, CURVES * sizeof(double)),
                              calloc(n, CURVES * sizeof(double))};
    double *work = calloc(n, sizeof *work);
    if (motion->value == NULL || motion->bend == NULL || work == NULL) {
        free(work);
        motion_free(motion);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu poses", n);
    }
    nfsar_quaternion last = pose[0].orientation;
    for (size_t i = 0; i < n; i++) {
        nfsar_quaternion q = pose[i].orientation;
        /* Of the two quaternions of a rotation the one that goes on from the one before. */
        if (q.w * last.w + q.x * last.x + q.y * last.y + q.z * last.z < 0.0) {
            q = (nfsar_quaternion){-q.w, -q.x, -q.y, -q.z};
        }
        last = q;
        const nfsar_vec3 p = pose[i].position;
        const double value[CURVES] = {p.x, p.y, p.z, q.w, q.x, q.y, q.z};
        memcpy(motion->value + i * CURVES, value, sizeof value);
    }
    find_bends(motion, work);
    free(work);
    return NFSAR_OK;
}

void motion_free(struct motion *motion) {
    free(motion->value);
    free(motion->bend);
    memset(motion, 0, sizeof *motion);
}

static nfsar_vec3 vector_part(nfsar_quaternion q) {
    return (nfsar_vec3){q.x, q.y, q.z};
}

struct kinematics motion_at(const struct motion *motion, double time_s) {
    const double *t = motion->time_s;
    size_t low = 0, high = motion->n - 1;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        *(t[middle] <= time_s ? &low : &high) = middle;
    }
    const double h = t[high] - t[low], b = (time_s - t[low]) / h, a = 1.0 - b;
    double v[CURVES], d[CURVES], e[CURVES];
    for (int c = 0; c < CURVES; c++) {
        const double v0 = motion->value[low * CURVES + c], v1 = motion->value[high * CURVES + c];
        const double b0 = motion->bend[low * CURVES + c], b1 = motion->bend[high * CURVES + c];
        v[c] = a * v0 + b * v1 + ((a * a * a - a) * b0 + (b * b * b - b) * b1) * h * h / 6.0;
        d[c] = (v1 - v0) / h + ((3 * b * b - 1) * b1 - (3 * a * a - 1) * b0) * h / 6.0;
        e[c] = a * b0 + b * b1;
    }
    /* The orientation is s / |s|: rate = 2 vec(s* s') / |s|^2, body axes. */
    const nfsar_quaternion s = {v[3], v[4], v[5], v[6]}, s1 = {d[3], d[4], d[5], d[6]},
                           s2 = {e[3], e[4], e[5], e[6]};
    const double square = s.w * s.w + s.x * s.x + s.y * s.y + s.z * s.z;
    const double growth = 2.0 * (s.w * s1.w + s.x * s1.x + s.y * s1.y + s.z * s1.z) / square;
    const nfsar_quaternion back = nfsar_quaternion_conjugate(s);
    const nfsar_vec3 rate =
        nfsar_vec3_scale(vector_part(nfsar_quaternion_multiply(back, s1)), 2.0 / square);
    const nfsar_vec3 change =
        nfsar_vec3_scale(vector_part(nfsar_quaternion_multiply(back, s2)), 2.0 / square);
    return (struct kinematics){
        {v[0], v[1], v[2]},
        {d[0], d[1], d[2]},
        {e[0], e[1], e[2]},
        nfsar_quaternion_normalize(s),
        rate,
        nfsar_vec3_subtract(change, nfsar_vec3_scale(rate, growth)),
    };
}
