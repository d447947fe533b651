/* What a pod's YAML file says (docs/track.md), the same keys as `sensors:` of a scene has: mounting
 * and noise of each sensor; and for simulations also how often it speaks, and what is before it. */
#ifndef NFSAR_HOST_POD_POD_H
#define NFSAR_HOST_POD_POD_H

#include <cyaml/cyaml.h>
#include <stdint.h>

#include <nfsar/trajectory.h>

/* The file as it was written; optional numbers are pointers, lists of numbers arrays or NULL. */
#define POD_MOUNTING double *at_m, *rotate_deg, *time_offset_s, *rate_hz

struct pod_mounting {
    POD_MOUNTING;
};

struct pod_noise {
    double *density, *instability, *instability_s, *random_walk, *bias;
};

struct pod_imu {
    POD_MOUNTING;
    struct pod_noise *acceleration, *rate;
    uint64_t *sensor;
    double *scale;
};

struct pod_flow {
    POD_MOUNTING;
    double *sigma_rad, *scale_sigma, *quality, *step_rad;
};

struct pod_range {
    POD_MOUNTING;
    double *sigma_m, *offset_m, *step_m;
};

struct pod_tracker {
    POD_MOUNTING;
    double *sigma_m, *sigma_deg;
};

struct pod_encoder {
    POD_MOUNTING;
    double *sigma_m, *step_m, *origin_m;
};

struct pod_surface {
    double *normal, *tilt_deg, *distance_m, *distance_sigma_m, *from_origin_m, *lean_deg;
};

struct pod_start {
    double *position_m, *yaw_deg, *sigma_m, *sigma_deg;
};

struct pod_description {
    struct pod_imu *imu;
    struct pod_flow *flow;
    struct pod_range *range;
    struct pod_tracker *tracker;
    struct pod_encoder *encoder;
    struct pod_surface *surface;
    struct pod_start *start;
    double *gravity;
};

/* The schema's fields, for who has a pod as part of a file. */
extern const cyaml_schema_field_t pod_fields[];

/* What it means. */
struct pod {
    nfsar_pod pod;
    nfsar_sensor_rates rates; /* of sensors that a scene has; 0 without rate_hz's sensor */
    int imu_sensor;           /* number of the hub's sensor to take for the IMU, -1: the best */
    bool has_tracker;         /* there is a part tracker: */
    bool tracker_mounted;     /* at_m or rotate_deg of the tracker was said */
    bool has_encoder;         /* the trigger table's steps are the pose's */
    double step_m[2];         /* metres of a step of x and y */
    nfsar_vec3 origin_m;      /* world position where both are at 0 */
};

/* The defaults, and no sensor. */
struct pod pod_defaults(void);
/* Make it of a description; errors name the key. */
enum nfsar_status pod_make(const struct pod_description *description, struct pod *pod,
                           nfsar_error *error);
/* Read a file; errors name file and key. */
enum nfsar_status pod_load(const char *path, struct pod *pod, nfsar_error *error);

#endif
