/* The filter forward, the smoother backward, over nodes: one for each time at which a sensor spoke.
 */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_FILTER_H
#define NFSAR_CALIBRATION_TRAJECTORY_FILTER_H

#include "calibration/trajectory/matrix.h"
#include "calibration/trajectory/measure.h"

/* A reading of the time axis. */
struct event {
    double time;
    struct measurement what; /* of the IMU: no measurement, only a node */
};

struct node {
    double time;
    struct state state; /* filtered, then smoothed */
    struct step step;   /* to the next node */
};

/* Axes of an IMU: three of force, three of rate. */
enum { UNSEEN = 6 };

/* The IMU was silent from one reading to the next. What the line between both leaves out is as much
 * as white noise of a density, (m/s^2)^2/Hz and (rad/s)^2/Hz, along the body's axes. */
struct gap {
    size_t reading; /* the one before */
    double from, to;
    double open[UNSEEN];   /* that density, where nothing tells how the gap ended */
    double closed[UNSEEN]; /* where speed, place and angle are known at both ends */
    struct unseen unseen;  /* the one in between that is taken */
    bool entered;          /* and that it is there */
};

/* Innovations of a sensor, each over its standard deviation, against those of the record before:
 * they are independent of each other where model and noise are right (Mehra 1970, and Kailath
 * 1968), and alike where something pulls one way all the time. */
struct neighbours {
    double before[MEASURED]; /* of the record before */
    double product[MEASURED];
    size_t n;   /* products */
    bool there; /* there was one before, and it was used */
};

/* Everything of one run. */
struct track {
    struct scene_of_sensors scene;
    const nfsar_sensor_records *records; /* checked */
    double gap_s;                        /* longer intervals of the IMU are gaps */
    struct gap *gap;                     /* [n_gap] */
    size_t n_gap;
    double begin;          /* when the filter starts */
    double heading_beyond; /* struct heading's */
    nfsar_vec3 anchor;     /* about which that turns: body axes */
    struct neighbours neighbours[NFSAR_SENSORS];
    struct event *event;
    size_t n_event;
    struct node *node;
    double *packed; /* [n_node][PACKED] covariance, filtered, then smoothed */
    size_t n_node;
};

/* The gaps of the IMU, and what happens in them by what it says elsewhere. */
enum nfsar_status imu_gaps_find(struct track *track, nfsar_error *error);
/* The gap that begins with a reading, or NULL. */
struct gap *imu_gap_at(const struct track *track, size_t reading);
/* unseen of a gap, by how well the state is known where the filter comes to it. */
void imu_gap_enter(struct gap *gap, const struct state *state, const double *covariance);

/* Where the filter starts, and how sure that is: from gravity, and tracker, encoder, range finder
 * where they are. Fills scene's axes of the surface, begin, and trajectory's still_ and start_. */
enum nfsar_status filter_start(struct track *track, struct state *state, double *covariance,
                               nfsar_trajectory *trajectory, nfsar_error *error);

/* The events in the order of time, from begin on and within the IMU's time; and in its gaps a node
 * for each time[n] that a pose is wanted at. */
enum nfsar_status filter_events(struct track *track, const double *time_s, size_t n,
                                nfsar_sensor_use use[NFSAR_SENSORS], nfsar_error *error);

/* Forward: nodes with filtered states. */
enum nfsar_status filter_run(struct track *track, const struct state *start,
                             const double *covariance, nfsar_sensor_use use[NFSAR_SENSORS],
                             nfsar_error *error);

/* Backward: smoothed states, and how well windows of that length are known in themselves. */
enum nfsar_status smooth_run(struct track *track, double window_s, nfsar_relative_sigma *relative,
                             nfsar_error *error);

/* Reading of the IMU at a time between readings i and i + 1. */
nfsar_imu_record imu_between(const nfsar_sensor_records *records, size_t i, double time);

/* The body's pose of a state of the IMU's point, and the Jacobian [6][ERRORS] of it. */
nfsar_pose body_pose(const nfsar_pod *pod, const struct state *state);
void body_jacobian(const nfsar_pod *pod, const struct state *state, double *jacobian);

#endif
