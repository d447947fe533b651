/* What a pod carries by default, and whether a pod's numbers can be. */
#include "calibration/trajectory/records.h"

#include <math.h>

#define DEGREE (NFSAR_PI / 180.0)
#define G      9.80665

static nfsar_mounting straight(void) {
    return (nfsar_mounting){.rotation = NFSAR_QUATERNION_IDENTITY};
}

nfsar_pod nfsar_pod_defaults(void) {
    nfsar_pod pod = {
        .imu = {straight(),
                /* ICM-42688-P, data sheet: 70 ug/sqrt(Hz), 0.0028 degrees/s/sqrt(Hz), zero-g offset
                 * 20 mg, zero-rate 0.5 degrees/s as limits; slow parts as such parts have them. */
                {.density = 70e-6 * G,
                 .instability = 40e-6 * G,
                 .instability_s = 100.0,
                 .random_walk = 5e-5,
                 .bias = 10e-3 * G},
                {.density = 2.8e-3 * DEGREE,
                 .instability = 3e-3 * DEGREE,
                 .instability_s = 100.0,
                 .random_walk = 5e-6,
                 .bias = 0.25 * DEGREE}},
        .flow = {straight(), 2e-3, 0.03, 20.0},
        .range = {straight(), 5e-3, 20e-3},
        .tracker = {straight(), 1e-3, 0.2 * DEGREE},
        .encoder = {straight(), {50e-6, 50e-6, 50e-6}},
        .surface = {.tilt_rad = 5.0 * DEGREE, .distance_sigma_m = 0.05},
        .start = {.pose = {.orientation = NFSAR_QUATERNION_IDENTITY},
                  .sigma_m = 1e-6,
                  .yaw_rad = 1e-6},
        .gravity = {0.0, -G, 0.0},
    };
    return pod;
}

/* All numbers of an array are from low to high. */
static bool all_within(const double *value, size_t n, double low, double high) {
    for (size_t i = 0; i < n; i++) {
        if (!(value[i] >= low && value[i] <= high)) {
            return false;
        }
    }
    return true;
}

/* A sigma, or 0. */
static bool may_be_none(double sigma) {
    return sigma == 0.0 || all_within(&sigma, 1, 1e-9, 1e3);
}

static bool is_unit(nfsar_quaternion q) {
    return fabs(nfsar_quaternion_norm(q) - 1.0) < 1e-6;
}

static bool is_pose(const nfsar_pose *pose) {
    const nfsar_vec3 p = pose->position;
    const double place[] = {p.x, p.y, p.z};
    return all_within(place, 3, -1e6, 1e6) && is_unit(pose->orientation);
}

static bool is_mounting(const nfsar_mounting *m) {
    const double place[] = {m->at_m.x, m->at_m.y, m->at_m.z, m->time_offset_s};
    return all_within(place, 3, -100.0, 100.0) && all_within(place + 3, 1, -1e9, 1e9) &&
           is_unit(m->rotation);
}

#define MOUNTING ": places are within 100 m, time offsets within 1e9 s, rotations unit quaternions"

static bool is_noise(const nfsar_inertial_noise *n) {
    const double positive[] = {n->density, n->bias};
    const double rest[] = {n->instability, n->instability_s, n->random_walk};
    return all_within(positive, 2, 1e-12, 1e3) && all_within(rest, 3, 0.0, 1e9);
}

enum nfsar_status pod_check(const nfsar_pod *pod, nfsar_error *error) {
    const nfsar_vec3 e = pod->encoder.sigma_m, g = pod->gravity, n = pod->surface.normal;
    const double normal[] = {n.x, n.y, n.z};
    const double surface[] = {pod->surface.distance_m, pod->surface.tilt_rad};
    const struct {
        bool good;
        const char *what;
    } rules[] = {
        {is_mounting(&pod->imu.mounting), "imu.mounting" MOUNTING},
        {is_mounting(&pod->flow.mounting), "flow.mounting" MOUNTING},
        {is_mounting(&pod->range.mounting), "range.mounting" MOUNTING},
        {is_mounting(&pod->tracker.mounting), "tracker.mounting" MOUNTING},
        {is_mounting(&pod->encoder.mounting), "encoder.mounting" MOUNTING},
        {is_noise(&pod->imu.acceleration) && is_noise(&pod->imu.rate),
         "noise of the imu: densities and biases must be above 0, nothing below 0"},
        {all_within(&pod->flow.sigma_rad, 1, 1e-9, 10.0) &&
             all_within(&pod->flow.scale_sigma, 1, 0.0, 1.0) &&
             all_within(&pod->flow.quality, 1, 0.0, 255.0),
         "flow: sigma above 0, scale from 0 to 1, quality from 0 to 255"},
        {all_within(&pod->range.sigma_m, 1, 1e-9, 100.0) &&
             all_within(&pod->range.offset_m, 1, 0.0, 100.0),
         "range: sigma above 0, offset not below 0"},
        {all_within(&pod->tracker.sigma_m, 1, 1e-9, 1e3) && may_be_none(pod->tracker.sigma_rad),
         "tracker: sigmas from 1e-9 up, sigma_rad 0 where it has no orientations"},
        {may_be_none(e.x) && may_be_none(e.y) && may_be_none(e.z),
         "encoder: sigmas from 1e-9 m up, 0 of an axis without one"},
        {all_within(surface, 2, 0.0, 1000.0) && all_within(normal, 3, -1e6, 1e6) &&
             all_within(&pod->surface.distance_sigma_m, 1, 1e-9, 1000.0),
         "surface: distance and tilt not below 0, sigma above 0"},
        {nfsar_vec3_norm(g) > 0.1 && nfsar_vec3_norm(g) < 100.0, "gravity: from 0.1 to 100 m/s^2"},
        {all_within(&pod->start.sigma_m, 1, 1e-9, 1e6) &&
             all_within(&pod->start.yaw_rad, 1, 1e-9, 10.0),
         "start: sigmas above 0"},
        {!pod->start.given || is_pose(&pod->start.pose),
         "start.pose: places are within 1e6 m, orientations unit quaternions"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!rules[i].good) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "the pod's %s", rules[i].what);
        }
    }
    return NFSAR_OK;
}
