/* nfsar track without a way to poses: the run, and what is said of it. */
#ifndef NFSAR_HOST_CLI_TRACK_SENSORS_H
#define NFSAR_HOST_CLI_TRACK_SENSORS_H

#include <nfsar/trajectory.h>

#include "host/cli/track.h"
#include "host/pod/pod.h"

/* A run: what goes in, and what comes out. */
struct sensors_work {
    const struct track_sensors *job;
    nfsar_capture_file *file;
    struct pod pod;
    nfsar_sensor_records records;
    size_t invalid;
    double *time_s; /* where poses are wanted */
    size_t n;
    nfsar_trajectory found;
    nfsar_pose *truth; /* [found.n] or NULL */
    nfsar_trajectory_error error;
    size_t n_outside, n_gap; /* pulses outside the IMU's time, and in its gaps */
};

/* Share of a sensor's records that may be rejected, and how much more alike than noise its
 * neighbours may be (sensors_alike()), before nothing is written. Sensors as their pod says stay
 * below 0.05 and 0; those that are turned by 90 degrees come to 0.3 and 1. */
#define SENSORS_REJECTED_MOST 0.25
#define SENSORS_ALIKE_MOST    0.7
/* nfsar_sensor_use::alike beyond three standard deviations of what noise alone has. */
double sensors_alike(const nfsar_sensor_use *use);
/* Whether something told where in the world the radar is; else it begins at its origin. */
bool sensors_have_place(const struct sensors_work *w);
/* On stderr, what the user should know of what was read. */
void sensors_warn(const struct sensors_work *w);
/* What was found; the exit status. */
int sensors_print(const struct sensors_work *w);
int sensors_print_json(const struct sensors_work *w);

#endif
