/* The search for what poses of a planar scan have wrong: where the image is sharpest. */
#ifndef NFSAR_CALIBRATION_PATH_SEARCH_H
#define NFSAR_CALIBRATION_PATH_SEARCH_H

#include "calibration/path_image.h"

struct path_search {
    struct path_imager *imager;
    const nfsar_path_options *options;
    const nfsar_progress *progress;
    double fraction; /* of the work, for progress */
    bool searched[NFSAR_PATH_PARAMETERS];
    struct path_trial trial; /* the best so far */
    double z;                /* the target's, as a whole */
    double part_z[PATH_PARTS];
    double weight[PATH_PARTS]; /* 0 for parts with next to nothing in them */
    double energy, noise;      /* of these parts; of a voxel */
    bool each;                 /* every part is imaged at its own z */
};

/* Sharpness of the parts at a trial. */
void path_search_parts(struct path_search *s, const struct path_trial *trial,
                       double sharp[PATH_PARTS]);
double path_search_total(struct path_search *s, const struct path_trial *trial);

/* Sharpness at the depth where it is largest, which is where wavefronts bend most as they do. */
double path_search_at_best(struct path_search *s, const struct path_trial *trial);

/* From nothing to the neighbourhood of the maximum, then to it. NFSAR_ERROR_CANCELLED. */
enum nfsar_status path_search_coarse(struct path_search *s, nfsar_error *error);

/* From the neighbourhood of the maximum, as ranges have changed. */
enum nfsar_status path_search_near(struct path_search *s, nfsar_error *error);

/* Give each part the range that its echoes have. */
void path_search_ranges(struct path_search *s);

/* To the maximum; fills told, value, noise and spread of the estimates searched for, those of the
 * ratio, and parts. */
enum nfsar_status path_search_fine(struct path_search *s, nfsar_path *path, nfsar_error *error);

#endif
