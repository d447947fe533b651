/** @file
 * A track of poses: times and where a body was at them, by a tracker's clock.
 */
#ifndef NFSAR_POSE_TRACK_H
#define NFSAR_POSE_TRACK_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/geometry.h>

/** Poses of one body. Owned: release with nfsar_pose_track_free(). */
typedef struct nfsar_pose_track {
    size_t n;             /**< poses */
    double *time_s;       /**< [n] ascending, the tracker's clock */
    nfsar_pose *pose;     /**< [n] orientations of unit length */
    bool has_orientation; /**< false where the source has positions only (identities then) */
    size_t n_lost;        /**< rows of the source that were left out: without a pose (tracking was
                               lost), or of the same time as the row before */
} nfsar_pose_track;

/** Release what the track owns and zero it. */
void nfsar_pose_track_free(nfsar_pose_track *track);

/** The longest time from one pose to the next that is no gap: four times the median step. 0 with
 * fewer than two poses. */
double nfsar_pose_track_gap(const nfsar_pose_track *track);

/** The pose at @p time_s: positions by the cubic through the four poses about it (Hermite, with the
 * slope of the parabola through each three), orientations spherically between the two. At the ends,
 * and beside steps longer than @p gap_s, it is a straight line in place of the cubic. Returns
 * whether the track tells: false outside it, where the pose is the first or the last, and within
 * such a step. n must be at least 1. */
bool nfsar_pose_track_at(const nfsar_pose_track *track, double gap_s, double time_s,
                         nfsar_pose *pose);

#endif
