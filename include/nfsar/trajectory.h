/** @file
 * Where the radar was: inertial sensor, optical flow, range finder, encoders and poses of a tracker
 * fused by an error-state Kalman filter and a Rauch-Tung-Striebel smoother
 * (docs/theory/trajectory.md; Solà 2017, arXiv 1711.02508, and Rauch, Tung and Striebel 1965).
 *
 * Body axes are the radar's (nfsar/geometry.h). All lever arms are from the radar's reference point
 * to the sensor in body axes; all mountings rotate the sensor's axes into the body's. Times of
 * records plus time_offset_s are times of the radar's clock.
 */
#ifndef NFSAR_TRAJECTORY_H
#define NFSAR_TRAJECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/geometry.h>
#include <nfsar/status.h>

/** The sensors that are fused. */
enum nfsar_sensor {
    NFSAR_SENSOR_IMU,     /**< accelerometer and gyroscope; the others correct it */
    NFSAR_SENSOR_FLOW,    /**< optical flow */
    NFSAR_SENSOR_RANGE,   /**< range finder */
    NFSAR_SENSOR_TRACKER, /**< poses from outside */
    NFSAR_SENSOR_ENCODER, /**< positions of a stage */
    NFSAR_SENSORS         /**< how many there are */
};

/** "imu", "flow", "range", "tracker", "encoder". Static. */
const char *nfsar_sensor_name(enum nfsar_sensor sensor);

/** How a sensor is fixed to the radar. */
typedef struct nfsar_mounting {
    nfsar_vec3 at_m;           /**< lever arm, body axes */
    nfsar_quaternion rotation; /**< sensor's axes into the body's */
    double time_offset_s;      /**< time of the radar's clock = time of the record + this: a clock
                                  that is ahead has a negative one (nfsar_time_offset::offset_s has
                                  the other sign) */
} nfsar_mounting;

/** Noise of three like axes in the terms of an Allan variance. Units are u = m/s^2 or rad/s. */
typedef struct nfsar_inertial_noise {
    double density;       /**< white noise N, u/sqrt(Hz) */
    double instability;   /**< sigma B of a slow Gauss-Markov part of the bias, u */
    double instability_s; /**< its correlation time, s */
    double random_walk;   /**< K, u/sqrt(s) */
    double bias;          /**< sigma of the bias when it is switched on, u */
} nfsar_inertial_noise;

/** What sensors a pod carries, where, and how good they are. nfsar_pod_defaults() has those of a
 * consumer's parts. Sigmas are standard deviations of one record. */
typedef struct nfsar_pod {
    struct {
        nfsar_mounting mounting;
        nfsar_inertial_noise acceleration, rate;
    } imu; /**< accelerometer (specific force) and gyroscope */
    struct {
        nfsar_mounting mounting; /**< looks along its z axis */
        double sigma_rad;        /**< white error of a record's motion */
        double scale_sigma;      /**< relative error of the scale, the same for a whole recording */
        double quality;          /**< records of less quality are not used */
    } flow;                      /**< optical flow, see nfsar_flow_record */
    struct {
        nfsar_mounting mounting; /**< looks along its z axis */
        double sigma_m;          /**< white error */
        double offset_m;         /**< sigma of an error that stays the same */
    } range;                     /**< range finder */
    struct {
        nfsar_mounting mounting;
        double sigma_m;   /**< white error of each coordinate */
        double sigma_rad; /**< white errors of each axis; sigma_rad 0: positions alone */
    } tracker;            /**< poses in the world's frame */
    struct {
        nfsar_mounting mounting;
        nfsar_vec3 sigma_m; /**< of each world axis; 0: that axis has no encoder */
    } encoder;              /**< positions in the world's frame */
    struct {
        nfsar_vec3 normal; /**< roughly, away from the radar, world; zero: the world's axis nearest
                              to where the range finder (or else flow) looks at the start */
        double tilt_rad;   /**< sigma by which the true normal is off, about each of two axes */
        double distance_m; /**< from the start, when there is no range finder; 0: not known */
        double distance_sigma_m; /**< of that */
    } surface;                   /**< the flat surface that flow and range finder see */
    struct {
        bool given;              /**< else at the world's origin, boresight over the world's +z */
        nfsar_pose pose;         /**< of the body at the first inertial record */
        double sigma_m, yaw_rad; /**< of each coordinate, of the heading; tilt is from gravity */
    } start;                     /**< ignored where a tracker says it. Where others say only places
                                    and this is not given, the heading is found by motion, and wide
                                    open before: docs/theory/trajectory.md */
    nfsar_vec3 gravity;          /**< m/s^2, world: where things fall */
} nfsar_pod;

/** ICM-42688-class IMU, PMW3901-class flow, VL53L1X-class range finder, all looking along the
 * boresight, gravity along -y. docs/track.md has the numbers. */
nfsar_pod nfsar_pod_defaults(void);

/** One reading of the IMU, sensor's axes. */
typedef struct nfsar_imu_record {
    double time_s;           /**< of the reading */
    nfsar_vec3 acceleration; /**< specific force, m/s^2: +9.81 upward at rest */
    nfsar_vec3 rate;         /**< rad/s */
} nfsar_imu_record;

/** Angles by which the sensor's line of sight moved over the scene during interval_s before time_s:
 * motion_rad[0] is the integral of v_x / r + omega_y, motion_rad[1] that of v_y / r - omega_x, with
 * velocity v and rate omega of the sensor in its own axes, and the distance r along its z axis. */
typedef struct nfsar_flow_record {
    double time_s;        /**< end of the interval */
    double interval_s;    /**< > 0 */
    double motion_rad[2]; /**< along the sensor's x and y */
    double quality;       /**< 0 (nothing) to 255 */
} nfsar_flow_record;

/** Distance along the sensor's z axis to the surface. */
typedef struct nfsar_range_record {
    double time_s;  /**< of the reading */
    double range_m; /**< > 0 */
} nfsar_range_record;

/** Pose of a tracker's body in the world. */
typedef struct nfsar_tracker_record {
    double time_s;   /**< of the reading */
    nfsar_pose pose; /**< orientation of unit length to 1 % */
} nfsar_tracker_record;

/** Position of a stage's carriage in the world. */
typedef struct nfsar_encoder_record {
    double time_s;       /**< of the reading */
    nfsar_vec3 position; /**< metres */
} nfsar_encoder_record;

/** What the sensors said, each in the order of time. Owned, where nfsar_sensor_records_free() is
 * to be used. */
typedef struct nfsar_sensor_records {
    nfsar_imu_record *imu;         /**< [n_imu] */
    nfsar_flow_record *flow;       /**< [n_flow] or NULL */
    nfsar_range_record *range;     /**< [n_range] or NULL */
    nfsar_tracker_record *tracker; /**< [n_tracker] or NULL */
    nfsar_encoder_record *encoder; /**< [n_encoder] or NULL */
    size_t n_imu;                  /**< readings */
    size_t n_flow;                 /**< records */
    size_t n_range;                /**< records */
    size_t n_tracker;              /**< records */
    size_t n_encoder;              /**< records */
} nfsar_sensor_records;

/** Release the arrays and zero it. */
void nfsar_sensor_records_free(nfsar_sensor_records *records);

/** What became of a sensor's records. */
typedef struct nfsar_sensor_use {
    size_t records;  /**< that there are */
    size_t left_out; /**< not finite, not possible, doubled, or outside the IMU's time */
    size_t used;     /**< that corrected the pose (for the IMU: that carried it) */
    size_t rejected; /**< whose innovation failed the gate: chi-square at 1e-4 */
    double nis;      /**< mean normalised innovation squared of those used, over its degrees of
                        freedom: 1 where noise is as said */
    double alike;    /**< mean product of the innovations of two successive records used, each over
                        its standard deviation, of the axis where it is largest; not below 0. It
                        is of noise alone within a few 1/sqrt(used) of 0; more, where mounting,
                        time offset or units of this or of another sensor are wrong */
    double first_gap_s; /**< time of the first gap, NaN when there is none (IMU alone) */
    double longest_s;   /**< longest time between records */
    size_t stray;   /**< of those left out: a few at the beginning or the end, more than 10 s from
                       all others (IMU alone) */
    double stray_s; /**< time of the first of them, NaN when there is none */
} nfsar_sensor_use;

/** Standard deviations over windows of window_s, from the smoothed covariance of both ends. */
typedef struct nfsar_relative_sigma {
    double window_s; /**< 0: the recording is shorter than a window */
    size_t windows;  /**< how many, a quarter of a window apart */
    double along_m;  /**< along the boresight at the window's end, rms over windows */
    double across_m; /**< across it, each of two directions, rms */
    double worst_m;  /**< the worst along the boresight */
} nfsar_relative_sigma;

/** The IMU was silent from one of its readings to the next: times of the radar's clock. */
typedef struct nfsar_imu_gap {
    double from_s; /**< last reading before */
    double to_s;   /**< first reading after */
} nfsar_imu_gap;

/** A track of poses with covariance, and how it came about. Owned. */
typedef struct nfsar_trajectory {
    size_t n;           /**< poses */
    double *time_s;     /**< [n] those asked for that lie within the IMU's time */
    nfsar_pose *pose;   /**< [n] of the body */
    double *covariance; /**< [n][6][6] position (m), small rotation about world axes (rad) */
    nfsar_sensor_use use[NFSAR_SENSORS]; /**< by enum nfsar_sensor */
    nfsar_imu_gap *gap;                  /**< [n_gap] in the order of time, or NULL */
    size_t n_gap;           /**< intervals of the IMU four times the usual one and more */
    bool still;             /**< the start was at rest, which gave tilt and the gyroscope's bias */
    double still_s;         /**< for so long */
    double start_tilt_rad;  /**< sigma of the tilt to begin with */
    bool heading_by_motion; /**< nothing said the heading but motion against places, if at all */
    double heading_rad;     /**< sigma of the heading of the first pose, after all */
    nfsar_vec3 acceleration_bias;  /**< at the end, body axes, m/s^2 */
    nfsar_vec3 rate_bias;          /**< the same, rad/s */
    nfsar_relative_sigma relative; /**< expected error of one end against the other */
} nfsar_trajectory;

/** Fuse.
 * @param time_s [n] ascending, where poses are wanted
 * @param window_s for nfsar_trajectory::relative, > 0
 * @param trajectory to be released with nfsar_trajectory_free()
 *
 * NFSAR_ERROR_ARGUMENT: a number of the pod or a wanted time cannot be. NFSAR_ERROR_FORMAT names
 * the record: times that go back, quaternions that are none, no or too few inertial records, more
 * than 10 s in which no sensor speaks, units that cannot be, no wanted time within them. Records
 * that are not finite numbers are left out, and counted. Takes about 1.8 kB for each record. */
enum nfsar_status nfsar_trajectory_find(const nfsar_pod *pod, const nfsar_sensor_records *records,
                                        const double *time_s, size_t n, double window_s,
                                        nfsar_trajectory *trajectory, nfsar_error *error);

/** Release what a trajectory owns and zero it. */
void nfsar_trajectory_free(nfsar_trajectory *trajectory);

/** How far a track is from the truth. */
typedef struct nfsar_trajectory_error {
    double position_m;   /**< rms over all poses */
    double rotation_rad; /**< rms */
    double along_m;      /**< error of one end of a window against the other along the boresight of
                            its end, rms over windows */
    double across_m;     /**< the same across, each of two directions */
    size_t windows;      /**< how many; 0: too short */
} nfsar_trajectory_error;

/** Compare pose[n] with truth[n] at time_s[n], ascending; windows of window_s.
 * @param up world, unit length
 * @param from_start the truth is moved, and turned about up, so that the first poses agree in place
 *     and heading: these define the world where no tracker and no start say it */
nfsar_trajectory_error nfsar_trajectory_compare(const double *time_s, const nfsar_pose *pose,
                                                const nfsar_pose *truth, size_t n, nfsar_vec3 up,
                                                bool from_start, double window_s);

/** How records are to be simulated: noise is that of the pod. A rate of 0: no such sensor. */
typedef struct nfsar_sensor_rates {
    double imu_hz;           /**< readings a second */
    double flow_hz;          /**< records a second */
    double range_hz;         /**< records a second */
    double tracker_hz;       /**< records a second */
    double encoder_hz;       /**< records a second */
    double flow_step_rad;    /**< a count of flow, the rest carried on to the next; 0: none */
    double range_step_m;     /**< resolution; 0: none */
    double encoder_step_m;   /**< resolution; 0: none */
    double imu_scale;        /**< sigma of each entry of a matrix of scale errors and misalignment,
                                one for accelerations and one for rates; track knows nothing of it */
    double wall_tilt_rad[2]; /**< the surface's normal is so far from the pod's, about two axes */
    double wall_m;           /**< distance of the surface from the world's origin along it */
} nfsar_sensor_rates;

/** What the sensors of a pod would say along a path: exact kinematics of the twice differentiable
 * spline through the poses, noise of the pod drawn from @p seed.
 * @param time_s [n] ascending, n >= 4
 * @param records to be released with nfsar_sensor_records_free()
 *
 * NFSAR_ERROR_GEOMETRY: the path asks for more than 157 m/s^2 or 35 rad/s (16 g, 2000 degrees/s,
 * the limits of such an IMU), or the surface is not before the sensors. */
enum nfsar_status nfsar_sensors_simulate(const nfsar_pod *pod, const nfsar_sensor_rates *rates,
                                         const double *time_s, const nfsar_pose *pose, size_t n,
                                         unsigned long long seed, nfsar_sensor_records *records,
                                         nfsar_error *error);

#endif
