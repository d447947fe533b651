/** @file
 * What the poses of a turntable have wrong, from its echoes: how far the radar is from the axis,
 * and with a reflector at a known place the angle and height that the poses count from
 * (docs/calibrate.md).
 */
#ifndef NFSAR_ROTATION_H
#define NFSAR_ROTATION_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** Options; nfsar_rotation_defaults() fills them. */
typedef struct nfsar_rotation_options {
    double search_m;    /**< largest error of the radius that is looked for; 10 mm */
    double within_m;    /**< scatterers are looked for so near the axis; 0 (default) for 0.4 of the
                             radius, at most 0.1 m */
    bool has_point;     /**< point is given */
    nfsar_vec3 point;   /**< where a reflector on the table is, in the target's frame, metres;
                             a scan of one height takes all scatterers to be as high, and
                             without it as high as its phase centres */
    double point_off_m; /**< it is the strongest scatterer so near to where it should be; 15 mm */
    int threads;        /**< 0 for all processors */
} nfsar_rotation_options;

/** What was found. */
typedef struct nfsar_rotation {
    double axis_x;           /**< x of the axis of the poses, metres */
    double axis_z;           /**< likewise z */
    double radius_m;         /**< distance of the poses from it */
    double change_m;         /**< to be added to the radius */
    double uncertainty_m;    /**< standard deviation of that: the larger of the next two */
    double noise_m;          /**< what noise alone makes, from the curvature of the intensities */
    double spread_m;         /**< what the scatterers disagree; NaN for fewer than three */
    double sharpness_before; /**< sum |o|^4 over patches round the scatterers, over the square of
                                  what all samples could add up to */
    double sharpness_after;  /**< likewise with the radius that was found */
    size_t scatterers;       /**< that were used */
    double farthest_m;       /**< of them from the axis */
    double snr_db;           /**< intensity of the strongest over that of noise in the image */
    double range_offset_m;   /**< by which echoes are longer than the poses with the new radius say,
                                  from the range profile's place; NaN for less than 300 degrees */
    bool has_zero;           /**< the four below are there: a point was given */
    double turn_rad;         /**< to be added to the angles, which count from +x toward +z */
    double turn_uncertainty_rad; /**< standard deviation that noise makes */
    double rise_m;    /**< to be added to the heights; 0 where they all are the same: one height
                           does not tell the target's */
    nfsar_vec3 found; /**< where the reflector was before */
} nfsar_rotation;

/** The defaults above. */
nfsar_rotation_options nfsar_rotation_defaults(void);

/** Find what the poses have wrong. They must go round an axis parallel to y,
 * by 240 degrees at least: less does not tell a wrong radius from other places of the scatterers.
 *
 * The radius is where patches round the strongest scatterers are sharpest; a distance that is added
 * to all ranges alike, the same from all sides, makes no difference.
 * @param capture geometry; its echo is not looked at.
 * @param source  its samples, already calibrated.
 * @param options NULL for the defaults.
 * @return NFSAR_ERROR_GEOMETRY when poses do not go round, NFSAR_ERROR_FORMAT when the echoes do
 *         not tell: noise, nothing but targets on the axis, no reflector near the point. */
enum nfsar_status nfsar_rotation_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      const nfsar_rotation_options *options,
                                      nfsar_rotation *rotation, const nfsar_progress *progress,
                                      nfsar_error *error);

/** Put what was found into the poses of @p capture: all of them move from or to the axis, then
 * turn about it and rise. */
void nfsar_rotation_apply(const nfsar_rotation *rotation, nfsar_capture *capture);

#endif
