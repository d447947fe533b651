/* Poses of a tracker, from a text file: a line for each pose, eight numbers separated by commas or
 * blanks: time_s x y z qw qx qy qz. Lines that begin with a letter, # or % are headings. */
#ifndef NFSAR_HOST_SESSION_TRACKER_H
#define NFSAR_HOST_SESSION_TRACKER_H

#include <stddef.h>

#include <nfsar/geometry.h>
#include <nfsar/status.h>

struct tracker {
    size_t n;
    double *time_s; /* ascending */
    nfsar_pose *pose;
};

/* Errors name path and line. Free with tracker_free(). */
enum nfsar_status tracker_load(const char *path, struct tracker *tracker, nfsar_error *error);
void tracker_free(struct tracker *tracker);

#endif
