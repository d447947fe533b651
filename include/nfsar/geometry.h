/** @file
 * Vectors, rotations and poses.
 *
 * Right-handed axes, metres. World: x across the scan, y up, z from the aperture toward the
 * scene. Body: origin at the array's reference point, +z along boresight.
 */
#ifndef NFSAR_GEOMETRY_H
#define NFSAR_GEOMETRY_H

#include <stddef.h>

/** Speed of light in vacuum, m/s (exact by definition of the metre). */
#define NFSAR_SPEED_OF_LIGHT 299792458.0

/** Circle constant; C17 does not promise M_PI. */
#define NFSAR_PI 3.14159265358979323846

/** A point or direction, metres. */
typedef struct nfsar_vec3 {
    double x; /**< across the scan */
    double y; /**< up */
    double z; /**< from the aperture toward the scene */
} nfsar_vec3;

/** A rotation as a Hamilton quaternion, body into world; of unit length. */
typedef struct nfsar_quaternion {
    double w; /**< cosine of half the angle */
    double x; /**< of the axis times the sine of half the angle */
    double y; /**< likewise */
    double z; /**< likewise */
} nfsar_quaternion;

/** Where the body is and how it is turned. */
typedef struct nfsar_pose {
    nfsar_vec3 position;          /**< of the body's origin, world frame, metres */
    nfsar_quaternion orientation; /**< rotates body vectors into the world */
} nfsar_pose;

/** The rotation that changes nothing. */
#define NFSAR_QUATERNION_IDENTITY ((nfsar_quaternion){1.0, 0.0, 0.0, 0.0})

nfsar_vec3 nfsar_vec3_add(nfsar_vec3 a, nfsar_vec3 b);      /**< a + b */
nfsar_vec3 nfsar_vec3_subtract(nfsar_vec3 a, nfsar_vec3 b); /**< a - b */
nfsar_vec3 nfsar_vec3_scale(nfsar_vec3 a, double factor);   /**< factor * a */
double nfsar_vec3_dot(nfsar_vec3 a, nfsar_vec3 b);          /**< a . b */
nfsar_vec3 nfsar_vec3_cross(nfsar_vec3 a, nfsar_vec3 b);    /**< a x b */
double nfsar_vec3_norm(nfsar_vec3 a);                       /**< Euclidean length */
double nfsar_vec3_distance(nfsar_vec3 a, nfsar_vec3 b);     /**< |a - b| */
nfsar_vec3 nfsar_vec3_midpoint(nfsar_vec3 a, nfsar_vec3 b); /**< (a + b) / 2 */
nfsar_vec3 nfsar_vec3_min(nfsar_vec3 a, nfsar_vec3 b);      /**< the smaller of each component */
nfsar_vec3 nfsar_vec3_max(nfsar_vec3 a, nfsar_vec3 b);      /**< the larger of each component */

/** Hamilton product: the rotation @p b followed by @p a. */
nfsar_quaternion nfsar_quaternion_multiply(nfsar_quaternion a, nfsar_quaternion b);
/** @p v rotated by the unit quaternion @p q. */
nfsar_vec3 nfsar_quaternion_rotate(nfsar_quaternion q, nfsar_vec3 v);
/** The opposite rotation, of a unit quaternion. */
nfsar_quaternion nfsar_quaternion_conjugate(nfsar_quaternion q);
/** Its length, 1 for a rotation. */
double nfsar_quaternion_norm(nfsar_quaternion q);
/** @p q scaled to unit length; the identity when q is zero or not finite. */
nfsar_quaternion nfsar_quaternion_normalize(nfsar_quaternion q);
/** Rotation by @p angle_rad about @p axis (any length; the identity when it is zero). */
nfsar_quaternion nfsar_quaternion_from_axis_angle(nfsar_vec3 axis, double angle_rad);
/** Spherical linear interpolation along the shorter arc; fraction 0 gives a, 1 gives b. */
nfsar_quaternion nfsar_quaternion_slerp(nfsar_quaternion a, nfsar_quaternion b, double fraction);

/** A point given in the body frame, in world coordinates. */
nfsar_vec3 nfsar_pose_transform(nfsar_pose pose, nfsar_vec3 body_point);
/** Linear in position, spherical in orientation; fractions outside 0..1 extrapolate the
 * position and clamp the orientation. */
nfsar_pose nfsar_pose_interpolate(nfsar_pose a, nfsar_pose b, double fraction);

/** Pose at @p time_s on a track of @p n poses with ascending times.
 * Between poses it interpolates; outside it goes on linearly along the first or last segment
 * and sets *extrapolated (may be NULL) to 1, else to 0. With n == 1 it is that pose. */
nfsar_pose nfsar_track_pose(const double *track_time_s, const nfsar_pose *track, size_t n,
                            double time_s, int *extrapolated);

#endif
