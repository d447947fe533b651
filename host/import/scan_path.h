/* When and where each pulse was measured. */
#ifndef NFSAR_HOST_IMPORT_SCAN_PATH_H
#define NFSAR_HOST_IMPORT_SCAN_PATH_H

#include <nfsar/capture.h>

#include "host/import/plan.h"
#include "host/import/rig.h"

/* The scan with what was left out filled in. Lengths in metres, directions in signs. */
struct scan_path {
    bool still;              /* the radar did not move */
    enum rig_axis along;     /* of the rows */
    bool serpentine, moving; /* moving: fly-by */
    double step_m;           /* between positions of a row; its sign is the direction */
    double row_step_m;
    double first_m, first_row_m; /* coordinate of position 0 and of row 0 */
    double z_m;
    double chirp_period_s, loop_period_s, frame_period_s, row_period_s;
    bool has_clock; /* frame_period_s was given */
};

/* Work the scan out. Errors start with the key. */
enum nfsar_status scan_path_make(const struct rig *rig, const struct plan *plan,
                                 struct scan_path *path, nfsar_error *error);

/* Time of a pulse, and position of the body at that time. */
double scan_path_time(const struct scan_path *path, const struct plan *plan,
                      struct plan_place place);
nfsar_vec3 scan_path_position(const struct scan_path *path, const struct plan *plan,
                              struct plan_place place);

/* Fill time_s, pose_time_s and pose of a capture made for plan_pulses(), and channel_time_s from
 * the transmitter slot of each channel. Poses are added where the line between two pulses would
 * misplace the channels that are sampled after the first of them. */
enum nfsar_status scan_path_fill(const struct scan_path *path, const struct plan *plan,
                                 const size_t *channel_line, nfsar_capture *capture,
                                 nfsar_error *error);

#endif
