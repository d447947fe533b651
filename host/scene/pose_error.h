/* The difference between where the radar is and where it is said to be. */
#ifndef NFSAR_HOST_SCENE_POSE_ERROR_H
#define NFSAR_HOST_SCENE_POSE_ERROR_H

#include <stdint.h>

#include "host/scene/path.h"

/* Draw an error for every pose of the path into disturbed[n_pose]: pose[n_pose], moved by
 * sigma_m along the world's axes and turned by sigma_deg about them. A pose that follows a pulse
 * has that pulse's error when errors are white. */
enum nfsar_status pose_error_draw(const struct scene_pose_error *what, const struct path *path,
                                  const nfsar_pose *pose, uint64_t seed, nfsar_pose *disturbed,
                                  nfsar_error *error);

#endif
