#include "host/pod/pod.h"

#include <math.h>
#include <stdio.h>

#define DEGREE (NFSAR_PI / 180.0)
/* No pod is larger: a lever arm of 30 is one in millimetres. */
#define FAR_M 10.0
/* Densities and biases beyond these are those of no sensor, and give tilts of many turns: a
 * thousand times those of the worst parts. */
#define NOISE_MOST 1.0

struct pod pod_defaults(void) {
    return (struct pod){.pod = nfsar_pod_defaults(), .imu_sensor = -1, .step_m = {1e-5, 1e-5}};
}

/* ---- single values, with their limits ---- */

/* First error wins: later calls do nothing. */
struct reading {
    enum nfsar_status status;
    nfsar_error *error;
};

static void take(struct reading *reading, const char *part, const char *key, const double *from,
                 double low, double high, double factor, double *to) {
    if (reading->status != NFSAR_OK || from == NULL) {
        return;
    }
    if (!(*from >= low && *from <= high)) {
        reading->status =
            nfsar_fail(reading->error, NFSAR_ERROR_FORMAT, "%s%s%s is %g: must be from %g to %g",
                       part, part[0] != '\0' ? "." : "", key, *from, low, high);
        return;
    }
    *to = factor * *from;
}

static void take_vector(struct reading *reading, const char *part, const char *key,
                        const double *from, double low, double high, nfsar_vec3 *to) {
    if (from != NULL) {
        take(reading, part, key, from, low, high, 1.0, &to->x);
        take(reading, part, key, from + 1, low, high, 1.0, &to->y);
        take(reading, part, key, from + 2, low, high, 1.0, &to->z);
    }
}

static void take_mounting(struct reading *reading, const char *part,
                          const struct pod_mounting *from, double usual_hz, nfsar_mounting *to,
                          double *rate_hz) {
    const nfsar_vec3 axis[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    *rate_hz = usual_hz;
    take_vector(reading, part, "at_m", from->at_m, -FAR_M, FAR_M, &to->at_m);
    take(reading, part, "time_offset_s", from->time_offset_s, -1e9, 1e9, 1.0, &to->time_offset_s);
    take(reading, part, "rate_hz", from->rate_hz, 1e-3, 1e5, 1.0, rate_hz);
    for (int i = 0; from->rotate_deg != NULL && i < 3; i++) {
        double angle = 0.0;
        take(reading, part, "rotate_deg", from->rotate_deg + i, -360.0, 360.0, DEGREE, &angle);
        to->rotation = nfsar_quaternion_multiply(nfsar_quaternion_from_axis_angle(axis[i], angle),
                                                 to->rotation);
    }
}

/* The members that every sensor's description begins with. */
#define TAKE_MOUNTING(reading, part, from, usual_hz, to, rate)                                     \
    take_mounting(reading, part,                                                                   \
                  &(const struct pod_mounting){(from)->at_m, (from)->rotate_deg,                   \
                                               (from)->time_offset_s, (from)->rate_hz},            \
                  usual_hz, to, rate)

/* ---- parts ---- */

static void take_noise(struct reading *reading, const char *part, const struct pod_noise *from,
                       nfsar_inertial_noise *to) {
    if (from != NULL) {
        take(reading, part, "density", from->density, 1e-12, NOISE_MOST, 1.0, &to->density);
        take(reading, part, "instability", from->instability, 0.0, 1e3, 1.0, &to->instability);
        take(reading, part, "instability_s", from->instability_s, 1e-3, 1e9, 1.0,
             &to->instability_s);
        take(reading, part, "random_walk", from->random_walk, 0.0, 1e3, 1.0, &to->random_walk);
        take(reading, part, "bias", from->bias, 1e-12, NOISE_MOST, 1.0, &to->bias);
    }
}

static void take_imu(struct reading *reading, const struct pod_imu *from, struct pod *to) {
    if (from == NULL) {
        return;
    }
    TAKE_MOUNTING(reading, "imu", from, 1000.0, &to->pod.imu.mounting, &to->rates.imu_hz);
    take_noise(reading, "imu.acceleration", from->acceleration, &to->pod.imu.acceleration);
    take_noise(reading, "imu.rate", from->rate, &to->pod.imu.rate);
    take(reading, "imu", "scale", from->scale, 0.0, 0.1, 1.0, &to->rates.imu_scale);
    if (from->sensor != NULL) {
        double sensor = (double)*from->sensor;
        take(reading, "imu", "sensor", &sensor, 0.0, 255.0, 1.0, &sensor);
        to->imu_sensor = reading->status == NFSAR_OK ? (int)sensor : -1;
    }
}

static void take_flow(struct reading *reading, const struct pod_flow *from, struct pod *to) {
    if (from != NULL) {
        TAKE_MOUNTING(reading, "flow", from, 100.0, &to->pod.flow.mounting, &to->rates.flow_hz);
        take(reading, "flow", "sigma_rad", from->sigma_rad, 1e-9, 1.0, 1.0,
             &to->pod.flow.sigma_rad);
        take(reading, "flow", "scale_sigma", from->scale_sigma, 0.0, 1.0, 1.0,
             &to->pod.flow.scale_sigma);
        take(reading, "flow", "quality", from->quality, 0.0, 255.0, 1.0, &to->pod.flow.quality);
        take(reading, "flow", "step_rad", from->step_rad, 0.0, 0.1, 1.0, &to->rates.flow_step_rad);
    }
}

static void take_range(struct reading *reading, const struct pod_range *from, struct pod *to) {
    if (from != NULL) {
        TAKE_MOUNTING(reading, "range", from, 50.0, &to->pod.range.mounting, &to->rates.range_hz);
        take(reading, "range", "sigma_m", from->sigma_m, 1e-9, 10.0, 1.0, &to->pod.range.sigma_m);
        take(reading, "range", "offset_m", from->offset_m, 0.0, 10.0, 1.0, &to->pod.range.offset_m);
        take(reading, "range", "step_m", from->step_m, 0.0, 1.0, 1.0, &to->rates.range_step_m);
    }
}

static void take_tracker(struct reading *reading, const struct pod_tracker *from, struct pod *to) {
    if (from != NULL) {
        TAKE_MOUNTING(reading, "tracker", from, 100.0, &to->pod.tracker.mounting,
                      &to->rates.tracker_hz);
        to->has_tracker = true;
        to->tracker_mounted = from->at_m != NULL || from->rotate_deg != NULL;
        take(reading, "tracker", "sigma_m", from->sigma_m, 1e-9, 100.0, 1.0,
             &to->pod.tracker.sigma_m);
        take(reading, "tracker", "sigma_deg", from->sigma_deg, 0.0, 180.0, DEGREE,
             &to->pod.tracker.sigma_rad);
    }
}

static void take_encoder(struct reading *reading, const struct pod_encoder *from, struct pod *to) {
    /* The hub's stage has no axis along z. */
    to->pod.encoder.sigma_m.z = 0.0;
    if (from != NULL) {
        to->has_encoder = true;
        TAKE_MOUNTING(reading, "encoder", from, 100.0, &to->pod.encoder.mounting,
                      &to->rates.encoder_hz);
        take_vector(reading, "encoder", "sigma_m", from->sigma_m, 0.0, 1.0,
                    &to->pod.encoder.sigma_m);
        take_vector(reading, "encoder", "origin_m", from->origin_m, -1e4, 1e4, &to->origin_m);
        for (int i = 0; from->step_m != NULL && i < 2; i++) {
            take(reading, "encoder", "step_m", from->step_m + i, -1.0, 1.0, 1.0, &to->step_m[i]);
        }
        if (reading->status == NFSAR_OK && (to->step_m[0] == 0.0 || to->step_m[1] == 0.0)) {
            reading->status = nfsar_fail(reading->error, NFSAR_ERROR_FORMAT,
                                         "encoder.step_m: a step cannot be 0 m");
        }
    }
}

static void take_surface(struct reading *reading, const struct pod_surface *from, struct pod *to) {
    if (from != NULL) {
        take_vector(reading, "surface", "normal", from->normal, -1e3, 1e3, &to->pod.surface.normal);
        if (reading->status == NFSAR_OK && from->normal != NULL &&
            !(nfsar_vec3_norm(to->pod.surface.normal) > 1e-6)) {
            reading->status = nfsar_fail(reading->error, NFSAR_ERROR_FORMAT,
                                         "surface.normal is [0, 0, 0], which is no direction");
        }
        take(reading, "surface", "tilt_deg", from->tilt_deg, 0.0, 45.0, DEGREE,
             &to->pod.surface.tilt_rad);
        take(reading, "surface", "distance_m", from->distance_m, 0.0, 1000.0, 1.0,
             &to->pod.surface.distance_m);
        take(reading, "surface", "distance_sigma_m", from->distance_sigma_m, 1e-9, 1000.0, 1.0,
             &to->pod.surface.distance_sigma_m);
        take(reading, "surface", "from_origin_m", from->from_origin_m, -1000.0, 1000.0, 1.0,
             &to->rates.wall_m);
        for (int i = 0; from->lean_deg != NULL && i < 2; i++) {
            take(reading, "surface", "lean_deg", from->lean_deg + i, -45.0, 45.0, DEGREE,
                 &to->rates.wall_tilt_rad[i]);
        }
    }
}

static void take_start(struct reading *reading, const struct pod_start *from, struct pod *to) {
    if (from != NULL) {
        double yaw = 0.0;
        to->pod.start.given = true;
        take_vector(reading, "start", "position_m", from->position_m, -1e4, 1e4,
                    &to->pod.start.pose.position);
        take(reading, "start", "yaw_deg", from->yaw_deg, -360.0, 360.0, DEGREE, &yaw);
        take(reading, "start", "sigma_m", from->sigma_m, 1e-9, 1e3, 1.0, &to->pod.start.sigma_m);
        take(reading, "start", "sigma_deg", from->sigma_deg, 1e-6, 180.0, DEGREE,
             &to->pod.start.yaw_rad);
        /* About what gravity calls up. */
        const nfsar_vec3 up = nfsar_vec3_scale(to->pod.gravity, -1.0);
        to->pod.start.pose.orientation = nfsar_quaternion_from_axis_angle(up, yaw);
    }
}

enum nfsar_status pod_make(const struct pod_description *description, struct pod *pod,
                           nfsar_error *error) {
    const struct pod_description *d = description;
    struct reading reading = {NFSAR_OK, error};
    *pod = pod_defaults();
    take_vector(&reading, "", "gravity_m_per_s2", d->gravity, -100.0, 100.0, &pod->pod.gravity);
    if (reading.status == NFSAR_OK && !(nfsar_vec3_norm(pod->pod.gravity) > 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "gravity_m_per_s2: must be longer than 0.1 m/s^2");
    }
    take_imu(&reading, d->imu, pod);
    take_flow(&reading, d->flow, pod);
    take_range(&reading, d->range, pod);
    take_tracker(&reading, d->tracker, pod);
    take_encoder(&reading, d->encoder, pod);
    take_surface(&reading, d->surface, pod);
    take_start(&reading, d->start, pod);
    return reading.status;
}
