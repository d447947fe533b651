/** @file
 * Do the positions of this scan lie on a cylinder? Detected from the poses and the array, never
 * declared: a turntable is poses that go round the y axis of its target's frame.
 */
#ifndef NFSAR_CYLINDER_H
#define NFSAR_CYLINDER_H

#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/status.h>

/** A cylinder whose axis is parallel to y, and where the phase centres lie on it. Angles count from
 * +x toward +z: a phase centre is at axis + radius (cos a, sin a) in x and z. */
typedef struct nfsar_cylinder {
    nfsar_vec3 axis;        /**< x and z of the axis, metres; y is 0 */
    double radius;          /**< metres */
    double deviation;       /**< largest distance of a phase centre from the cylinder, metres */
    double first_rad;       /**< where the arc that holds all angles begins, -pi to pi */
    double span_rad;        /**< how long it is: 2 pi for a full circle */
    double largest_gap_rad; /**< between neighbouring angles within the arc */
    size_t places;          /**< angles that differ by more than a hundredth of the mean step */
    double step_rad;        /**< between places when all lie on multiples of it from the first, to
                                 a hundredth; else 0 */
    double low_y;           /**< of the phase centres, metres */
    double high_y;          /**< likewise */
} nfsar_cylinder;

/** Find the cylinder of @p capture's phase centres (midpoints of transmitter and receiver at each
 * channel's time): axis and radius by least squares over x and z.
 * @param tolerance largest deviation allowed, metres; <= 0 for 0.02 of the radius.
 * @return NFSAR_ERROR_GEOMETRY, with the reason and its numbers, when there is none: fewer than
 *         8 places, an arc of less than 20 degrees, positions that deviate by more than the
 *         tolerance, a radius of zero. */
enum nfsar_status nfsar_cylinder_detect(const nfsar_capture *capture, double tolerance,
                                        nfsar_cylinder *cylinder, nfsar_error *error);

#endif
