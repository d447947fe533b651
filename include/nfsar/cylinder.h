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
    double first_rad;       /**< where the shortest arc that holds all angles begins, -pi to pi */
    double span_rad;        /**< how long it is: 2 pi for a full circle, where the gap left is
                                 three usual ones or less, or 10 degrees and like other gaps */
    double largest_gap_rad; /**< between neighbouring angles within the arc */
    size_t places;          /**< angles that differ by more than a hundredth of the mean step */
    double step_rad;        /**< between places when all lie on multiples of it from the first, to
                                 a hundredth, and half or more of these are filled; else 0. In a full
                                 circle it is 2 pi over a whole number where such a step fits so */
    double low_y;           /**< of the phase centres, metres */
    double high_y;          /**< likewise */
} nfsar_cylinder;

/** Find the cylinder of @p capture's phase centres (midpoints of transmitter and receiver at each
 * channel's time): axis and radius are least squares of the distances over x and z. Time
 * O(n log n), memory 16 bytes for each of the n phase centres.
 * @param tolerance largest deviation allowed, metres; <= 0 for 0.02 of the radius.
 * @return NFSAR_ERROR_GEOMETRY, with the reason and its numbers, when there is none: all phase
 *         centres in one place (a radius of zero) or on a line seen along y (planes), positions
 *         that deviate by more than the tolerance or a quarter of what the arc bends, an arc of
 *         less than 20 degrees, fewer than 8 places. @p cylinder is zeroed then. */
enum nfsar_status nfsar_cylinder_detect(const nfsar_capture *capture, double tolerance,
                                        nfsar_cylinder *cylinder, nfsar_error *error);

#endif
