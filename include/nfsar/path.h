/** @file
 * What the poses of a planar raster have wrong, from its echoes: the lengths of the steps along and
 * across the rows, skew, backlash, rows recorded the other way round (docs/calibrate.md,
 * docs/theory/path.md).
 */
#ifndef NFSAR_PATH_H
#define NFSAR_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** Options; nfsar_path_defaults() fills them. */
typedef struct nfsar_path_options {
    double search;          /**< largest relative error of the steps that is looked for; 0.1 */
    double search_skew;     /**< likewise of the skew; 0.1 */
    double search_offset_m; /**< likewise of the backlash; 5 mm */
    double near_m;          /**< the target is in these ranges; 0 and 0 (default) for the strongest
                                 echo beyond 5 cm and two and a half range cells */
    double far_m;           /**< see near_m */
    double range_sigma_m;   /**< how well ranges are known, standard deviation; 0 (default) for 3 mm
                                 where the capture has channels' delays, else 30 mm */
} nfsar_path_options;

/** Rows whose positions were found to run the other way. */
enum nfsar_path_turned {
    NFSAR_PATH_AS_THEY_ARE = 0,
    NFSAR_PATH_TURNED_ODD,  /**< the second, fourth ...: serpentine taken for raster, or the other
                                 way round */
    NFSAR_PATH_TURNED_EVEN, /**< the first, third ... */
    NFSAR_PATH_TURNED_ALL   /**< all rows */
};

/** What is estimated. */
enum nfsar_path_parameter {
    NFSAR_PATH_FAST = 0, /**< true step along the rows over that of the poses, less 1 */
    NFSAR_PATH_SLOW,     /**< likewise of the steps across the rows */
    NFSAR_PATH_SKEW,     /**< position along the rows that is gained for each metre across */
    NFSAR_PATH_OFFSET,   /**< metres by which rows in the positive direction lie before those in the
                              negative one: backlash, and 2 v tau of a lag tau at the speed v */
    NFSAR_PATH_PARAMETERS
};

/** An estimate. */
typedef struct nfsar_path_estimate {
    bool told;     /**< the echoes tell it; else the rest is NaN and applied 0 */
    double value;  /**< to be added to what the poses say; FAST and SLOW with ranges as they are */
    double sigma;  /**< standard deviation: the larger of the next two, and for FAST and SLOW what
                        ranges leave open as well */
    double noise;  /**< what noise alone makes, from the curvature of the sharpness */
    double spread; /**< from the scatter between parts of the image; NaN for fewer than three */
    double by_range; /**< by how much value grows for a range that is longer by a small part, over
                          that part: half of FAST and SLOW themselves, else 0 */
    double harmless; /**< a change by less than this makes the image sharper by half a percent at
                          most */
    double applied;  /**< what nfsar_path_apply() does: 0 for a value within two sigma of 0, or
                          harmless */
} nfsar_path_estimate;

/** A row of the scan. */
typedef struct nfsar_path_row {
    size_t first;     /**< its first pulse */
    size_t count;     /**< its pulses */
    double across_m;  /**< where it is, from the scan's middle */
    double middle_m;  /**< its middle along the row, likewise */
    double direction; /**< +1 or -1 */
    double from_s;    /**< time of its first pulse */
    double to_s;      /**< and of its last */
} nfsar_path_row;

/** What was found; release with nfsar_path_free(). */
typedef struct nfsar_path {
    bool along_x;           /**< rows run along x; else along y */
    size_t rows;            /**< number of rows */
    nfsar_path_row *row;    /**< [rows], directions as found; owned */
    nfsar_vec3 centre;      /**< of the poses, which changes leave where it is */
    double fast_step_m;     /**< mean step along the rows, as the poses have it */
    double slow_step_m;     /**< likewise across */
    double seconds_per_row; /**< mean time from a row's first to its last pulse */
    double length_m;        /**< mean length of a row */
    bool both_ways;         /**< rows run in both directions, after turning */
    bool channels_along;    /**< the array extends along the rows: then the direction of all rows
                                 shows */
    enum nfsar_path_turned turned; /**< what was done to directions */
    double turned_gain;            /**< sharpness as chosen over the next best of the directions;
                                        NaN where correlation leaves one only */
    double correlation[2]; /**< of neighbouring rows, position by position, as the poses have them
                                and with every other row reversed */
    double range_m;        /**< of the target, from its echoes' delays; mean over the image's parts,
                                each as it matters */
    double range_sigma_m;  /**< how well it was taken to be known */
    size_t parts;          /**< of the image that were looked at */
    nfsar_path_estimate estimate[NFSAR_PATH_PARAMETERS]; /**< see nfsar_path_parameter */
    nfsar_path_estimate ratio; /**< true FAST over SLOW step, over that of the poses, less 1; does
                                    not depend on ranges. applied: of what is applied */
    double sharpness_before;   /**< gradient energy of the image at its sharpest depth over that of
                                    the poses as found: with the poses as they were */
    double sharpness_after;    /**< likewise with what is applied */
} nfsar_path;

/** The defaults above. */
nfsar_path_options nfsar_path_defaults(void);

/** Find what the poses of a planar raster or serpentine scan have wrong, by the sharpest image.
 * @param capture geometry; its echo is not looked at.
 * @param source  its samples, already calibrated.
 * @param options NULL for the defaults.
 * @return NFSAR_ERROR_GEOMETRY for what is no planar scan in rows, or has fewer than four,
 *         NFSAR_ERROR_FORMAT when the echoes do not tell, NFSAR_ERROR_ARGUMENT for options that
 *         make no sense. */
enum nfsar_status nfsar_path_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  const nfsar_path_options *options, nfsar_path *path,
                                  const nfsar_progress *progress, nfsar_error *error);

/** Put what was found into the poses of @p capture. A pose belongs to the row nearest in time. */
void nfsar_path_apply(const nfsar_path *path, nfsar_capture *capture);

/** Release what the path owns and zero it. */
void nfsar_path_free(nfsar_path *path);

#endif
