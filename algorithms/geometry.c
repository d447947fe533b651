#include <nfsar/geometry.h>

#include <math.h>

nfsar_vec3 nfsar_vec3_add(nfsar_vec3 a, nfsar_vec3 b) {
    return (nfsar_vec3){a.x + b.x, a.y + b.y, a.z + b.z};
}

nfsar_vec3 nfsar_vec3_subtract(nfsar_vec3 a, nfsar_vec3 b) {
    return (nfsar_vec3){a.x - b.x, a.y - b.y, a.z - b.z};
}

nfsar_vec3 nfsar_vec3_scale(nfsar_vec3 a, double factor) {
    return (nfsar_vec3){factor * a.x, factor * a.y, factor * a.z};
}

double nfsar_vec3_dot(nfsar_vec3 a, nfsar_vec3 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

nfsar_vec3 nfsar_vec3_cross(nfsar_vec3 a, nfsar_vec3 b) {
    return (nfsar_vec3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

double nfsar_vec3_norm(nfsar_vec3 a) {
    return sqrt(a.x * a.x + a.y * a.y + a.z * a.z);
}

double nfsar_vec3_distance(nfsar_vec3 a, nfsar_vec3 b) {
    return nfsar_vec3_norm(nfsar_vec3_subtract(a, b));
}

nfsar_vec3 nfsar_vec3_midpoint(nfsar_vec3 a, nfsar_vec3 b) {
    return nfsar_vec3_scale(nfsar_vec3_add(a, b), 0.5);
}

nfsar_vec3 nfsar_vec3_min(nfsar_vec3 a, nfsar_vec3 b) {
    return (nfsar_vec3){fmin(a.x, b.x), fmin(a.y, b.y), fmin(a.z, b.z)};
}

nfsar_vec3 nfsar_vec3_max(nfsar_vec3 a, nfsar_vec3 b) {
    return (nfsar_vec3){fmax(a.x, b.x), fmax(a.y, b.y), fmax(a.z, b.z)};
}

nfsar_quaternion nfsar_quaternion_multiply(nfsar_quaternion a, nfsar_quaternion b) {
    return (nfsar_quaternion){
        a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
        a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
        a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
        a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
    };
}

nfsar_vec3 nfsar_quaternion_rotate(nfsar_quaternion q, nfsar_vec3 v) {
    /* v + 2 u x (u x v + w v), u the vector part. */
    nfsar_vec3 t = {
        2.0 * (q.y * v.z - q.z * v.y),
        2.0 * (q.z * v.x - q.x * v.z),
        2.0 * (q.x * v.y - q.y * v.x),
    };
    return (nfsar_vec3){
        v.x + q.w * t.x + q.y * t.z - q.z * t.y,
        v.y + q.w * t.y + q.z * t.x - q.x * t.z,
        v.z + q.w * t.z + q.x * t.y - q.y * t.x,
    };
}

nfsar_quaternion nfsar_quaternion_conjugate(nfsar_quaternion q) {
    return (nfsar_quaternion){q.w, -q.x, -q.y, -q.z};
}

double nfsar_quaternion_norm(nfsar_quaternion q) {
    return sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
}

nfsar_quaternion nfsar_quaternion_normalize(nfsar_quaternion q) {
    double norm = nfsar_quaternion_norm(q);
    if (!(norm > 0.0) || !isfinite(norm)) {
        return NFSAR_QUATERNION_IDENTITY;
    }
    return (nfsar_quaternion){q.w / norm, q.x / norm, q.y / norm, q.z / norm};
}

nfsar_quaternion nfsar_quaternion_from_axis_angle(nfsar_vec3 axis, double angle_rad) {
    double norm = nfsar_vec3_norm(axis);
    if (!(norm > 0.0)) {
        return NFSAR_QUATERNION_IDENTITY;
    }
    double s = sin(0.5 * angle_rad) / norm;
    return (nfsar_quaternion){cos(0.5 * angle_rad), s * axis.x, s * axis.y, s * axis.z};
}

nfsar_quaternion nfsar_quaternion_slerp(nfsar_quaternion a, nfsar_quaternion b, double fraction) {
    double dot = a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z;
    double sign = dot < 0.0 ? -1.0 : 1.0;
    double angle = acos(fmin(1.0, fabs(dot)));
    double from = 1.0 - fraction, to = fraction;
    if (angle > 1e-6) {
        from = sin((1.0 - fraction) * angle) / sin(angle);
        to = sin(fraction * angle) / sin(angle);
    }
    to *= sign;
    return nfsar_quaternion_normalize(
        (nfsar_quaternion){from * a.w + to * b.w, from * a.x + to * b.x, from * a.y + to * b.y,
                           from * a.z + to * b.z});
}

nfsar_vec3 nfsar_pose_transform(nfsar_pose pose, nfsar_vec3 body_point) {
    return nfsar_vec3_add(pose.position, nfsar_quaternion_rotate(pose.orientation, body_point));
}

nfsar_pose nfsar_pose_interpolate(nfsar_pose a, nfsar_pose b, double fraction) {
    nfsar_vec3 way = nfsar_vec3_subtract(b.position, a.position);
    return (nfsar_pose){
        .position = nfsar_vec3_add(a.position, nfsar_vec3_scale(way, fraction)),
        .orientation =
            nfsar_quaternion_slerp(a.orientation, b.orientation, fmax(0.0, fmin(1.0, fraction))),
    };
}

/* Largest i in 0 .. n - 2 with time[i] <= time_s, else 0. */
static size_t segment_at(const double *time, size_t n, double time_s) {
    size_t low = 0, high = n - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (time[middle] <= time_s) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

nfsar_pose nfsar_track_pose(const double *track_time_s, const nfsar_pose *track, size_t n,
                            double time_s, int *extrapolated) {
    if (extrapolated != NULL) {
        *extrapolated = time_s < track_time_s[0] || time_s > track_time_s[n - 1];
    }
    if (n == 1) {
        return track[0];
    }
    size_t i = segment_at(track_time_s, n, time_s);
    double length = track_time_s[i + 1] - track_time_s[i];
    /* At a pose the next one does not count, whatever it is. */
    if (!(length > 0.0) || time_s == track_time_s[i]) {
        return track[i];
    }
    return nfsar_pose_interpolate(track[i], track[i + 1], (time_s - track_time_s[i]) / length);
}
