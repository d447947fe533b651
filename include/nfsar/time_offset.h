/** @file
 * The time offset between the radar's clock and a tracker's, and the range bias, from the echoes:
 * the range motion of reflectors that is seen is compared with that which the poses predict
 * (docs/theory/time-offset.md).
 */
#ifndef NFSAR_TIME_OFFSET_H
#define NFSAR_TIME_OFFSET_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/pose_track.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** Most reflectors that are looked for or may be given. */
#define NFSAR_TIME_OFFSET_REFLECTORS 12

/** How the offset is looked for; all zero is the default. */
typedef struct nfsar_time_offset_options {
    bool has_search;    /**< search_s holds; else every offset at which the poses cover at least
                             half of the capture's time is tried */
    double search_s[2]; /**< offsets from and to */
    double gate_m[2];   /**< only echoes of these ranges, as the radar sees them; gate_m[1] 0: all
                             of them */
    const nfsar_vec3
        *point;     /**< [n_point] reflectors whose places are known, world frame, or NULL */
    size_t n_point; /**< at most NFSAR_TIME_OFFSET_REFLECTORS */
    const nfsar_progress *progress; /**< may be NULL */
} nfsar_time_offset_options;

/** A reflector that was used. */
typedef struct nfsar_time_offset_reflector {
    nfsar_vec3 position; /**< world frame, metres. Along directions that the motion does not tell
                              (about the line of a straight path) it is one of many */
    size_t windows;      /**< windows of time in which it was seen */
    double residual_m;   /**< rms of seen less predicted range */
} nfsar_time_offset_reflector;

/** What was found. */
typedef struct nfsar_time_offset {
    double offset_s;     /**< pose clock = radar clock + offset: the tracker's clock is so
                              much ahead. nfsar_mounting::time_offset_s has the other sign */
    double sigma_s;      /**< its standard deviation */
    double bias_m;       /**< how much too far everything appears (half of the two-way path) */
    double bias_sigma_m; /**< its standard deviation; INFINITY where places are not told */
    bool bias_told;      /**< |bias_m| is more than three times its standard deviation */
    double residual_m;   /**< rms over all reflectors and windows */
    double window_s;     /**< length of a window of time */
    double second;       /**< score of the best other offset, as a fraction of the best's */
    double second_s;     /**< that offset */
    size_t n_reflector;  /**< reflectors used */
    nfsar_time_offset_reflector reflector[NFSAR_TIME_OFFSET_REFLECTORS]; /**< strongest first */
} nfsar_time_offset;

/** Find the offset. @p source gives calibrated samples (nfsar_calibrated()); orientations and the
 * array's geometry are used, and the echo of the channel in which what moves stands out best. Poses
 * may err smoothly: how is found with the offset. NFSAR_ERROR_GEOMETRY, with the reason, when the
 * motion does not tell it: the radar at rest, a straight line at constant speed, no reflector that
 * stands out, two offsets that explain the echoes alike; or when the echoes do not move as the
 * poses do. NFSAR_ERROR_UNSUPPORTED where echoes or maps need more than 1 GiB, or the search more
 * than a million offsets. The same input gives the same bits for a given number of threads. */
enum nfsar_status nfsar_time_offset_find(const nfsar_capture *capture,
                                         const nfsar_echo_source *source,
                                         const nfsar_pose_track *track,
                                         const nfsar_time_offset_options *options,
                                         nfsar_time_offset *found, nfsar_error *error);

#endif
