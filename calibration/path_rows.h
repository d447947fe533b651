/* The rows of a planar scan, from its poses. */
#ifndef NFSAR_CALIBRATION_PATH_ROWS_H
#define NFSAR_CALIBRATION_PATH_ROWS_H

#include <nfsar/path.h>

/* Where the phase centre of a channel is beside the pose, along and across the rows. */
struct path_channel {
    double along, across;
    double apart; /* squared distance of transmitter and receiver */
};

struct path_scan {
    double *along;                          /* [n_pulse] position along the row, from the middle */
    size_t *row_of;                         /* [n_pulse], or SIZE_MAX: in no row */
    struct path_channel *channel;           /* [n_channel] */
    double extent[2];                       /* of the poses, along and across */
    double channels_along, channels_across; /* extent of the array */
};

/* Fills the members of path that say what the scan is; path_scan_free() and nfsar_path_free() in
 * any case. NFSAR_ERROR_GEOMETRY, with the reason, for what is no scan in rows. */
enum nfsar_status path_scan_make(const nfsar_capture *capture, struct path_scan *scan,
                                 nfsar_path *path, nfsar_error *error);
void path_scan_free(struct path_scan *scan);

/* Along and across the rows of a vector. */
static inline void path_split(const nfsar_path *path, nfsar_vec3 v, double *along, double *across) {
    *along = path->along_x ? v.x : v.y;
    *across = path->along_x ? v.y : v.x;
}

#endif
