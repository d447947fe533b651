#include "calibration/path_spectrum.h"

#include <math.h>
#include <stdlib.h>

/* How far a time is outside a row. */
static double outside(const nfsar_path_row *row, double time_s) {
    return fmax(0.0, fmax(row->from_s - time_s, time_s - row->to_s));
}

bool path_is_turned(enum nfsar_path_turned turned, size_t row) {
    return turned == NFSAR_PATH_TURNED_ALL || (turned == NFSAR_PATH_TURNED_ODD && row % 2 == 1) ||
           (turned == NFSAR_PATH_TURNED_EVEN && row % 2 == 0);
}

void nfsar_path_apply(const nfsar_path *path, nfsar_capture *capture) {
    const double fast = 1.0 + path->estimate[NFSAR_PATH_FAST].applied;
    const double slow = 1.0 + path->estimate[NFSAR_PATH_SLOW].applied;
    const double skew = path->estimate[NFSAR_PATH_SKEW].applied;
    const double offset = path->estimate[NFSAR_PATH_OFFSET].applied;
    size_t r = 0;
    for (size_t i = 0; i < capture->n_pose; i++) {
        const double time = capture->pose_time_s[i];
        while (r + 1 < path->rows &&
               outside(&path->row[r + 1], time) <= outside(&path->row[r], time)) {
            r++;
        }
        const nfsar_path_row *row = &path->row[r];
        nfsar_vec3 *at = &capture->pose[i].position;
        double x = path->along_x ? at->x - path->centre.x : at->y - path->centre.y;
        double y = path->along_x ? at->y - path->centre.y : at->x - path->centre.x;
        if (path_is_turned(path->turned, r)) {
            x = 2.0 * row->middle_m - x;
        }
        x = fast * x + skew * y + 0.5 * offset * row->direction;
        y = slow * y;
        at->x = path->centre.x + (path->along_x ? x : y);
        at->y = path->centre.y + (path->along_x ? y : x);
    }
}

void nfsar_path_free(nfsar_path *path) {
    free(path->row);
    *path = (nfsar_path){0};
}
