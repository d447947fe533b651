/* A scene file as it was written: form is checked by the schema, meaning by those who use it.
 *
 * Optional numbers whose default is not zero are pointers. Three numbers in brackets are
 * double[3]. docs/simulate.md tells what each key means. */
#ifndef NFSAR_HOST_SCENE_DESCRIPTION_H
#define NFSAR_HOST_SCENE_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/array.h>
#include <nfsar/status.h>

#include "host/pod/pod.h"

struct scene_vector {
    double v[3];
};

struct scene_point2 {
    double v[2];
};

struct scene_radar {
    char *waveform;
    double *start_frequency_hz, *slope_hz_per_s, *sample_rate_hz, *adc_start_s;
    double *bandwidth_hz, *step_hz;
    double *frequency_hz;
    size_t frequency_hz_count;
    uint64_t *samples;
    char *model;
};

struct scene_array {
    char *preset;
    enum nfsar_array_axis along;
    struct scene_vector *tx_m, *rx_m;
    size_t tx_m_count, rx_m_count;
    double chirp_interval_s;
};

/* Positions along one axis of a lattice: size and either step or count. */
struct scene_axis {
    double size_m, centre_m;
    double *step_m;
    uint64_t *count;
};

enum scene_motion { SCENE_STOP_AND_GO = 0, SCENE_FLY_BY };

struct scene_raster {
    struct scene_axis x, y;
    double z_m;
    bool serpentine;
    enum scene_motion motion;
    double *pulse_interval_s;
};

struct scene_irregular {
    struct scene_axis x, y;
    double z_m, amplitude_m;
    double *roughness;
    bool serpentine;
    enum scene_motion motion;
    double *pulse_interval_s;
};

/* How a turntable is not what its scene says; all zero where it is. */
struct scene_turntable_errors {
    double radius_m;         /* longer than it should be */
    double angle_zero_deg;   /* added to every angle */
    double *angle_scale;     /* factor on angles from the first one on */
    double angle_jitter_deg; /* sigma of each position */
    double axis_m[2];        /* x and z of the axis in the target's frame */
    double aside_m;          /* radar beside the line through the axis, to growing angles */
    double tilt_deg;         /* of the radar and its lift, outward at the top */
    double wobble_m;         /* amplitude of the radius' variation */
    double *wobble_turns;    /* its cycles in each revolution */
    double wobble_deg;       /* angle at which it is largest */
    bool reported;           /* the poses know all of this */
};

struct scene_turntable {
    double radius_m;
    uint64_t count;
    double from_deg;
    double *to_deg;
    struct scene_axis *y;
    double missing; /* fraction of the positions */
    struct scene_turntable_errors *errors;
    enum scene_motion motion;
    double *pulse_interval_s;
};

struct scene_cloud {
    uint64_t count;
    double size_m[3], centre_m[3];
    double *pulse_interval_s;
};

struct scene_handheld {
    double size_m[2], centre_m[3];
    double line_spacing_m, speed_m_per_s, pulse_rate_hz;
    double speed_wander;
    double wander_m[3], wander_deg[3];
    double *wander_time_s;
    double rest_s, smooth_s;
};

struct scene_path {
    struct scene_raster *raster;
    struct scene_irregular *irregular;
    struct scene_turntable *turntable;
    struct scene_cloud *cloud;
    struct scene_handheld *handheld;
    struct scene_vector *positions_m;
    size_t positions_m_count;
    double *pulse_interval_s; /* of positions_m */
};

struct scene_point {
    double at_m[3];
    double *amplitude;
    double phase_deg;
};

struct scene_disc {
    double centre_m[2], radius_m;
};

struct scene_rectangle {
    double centre_m[2], size_m[2], rotate_deg;
};

struct scene_polygon {
    struct scene_point2 *corners_m;
    size_t corners_m_count;
};

struct scene_star {
    double centre_m[2], radius_m, inner_m, rotate_deg;
    uint64_t points;
};

struct scene_shape {
    struct scene_disc *disc;
    struct scene_rectangle *rectangle;
    struct scene_polygon *polygon;
    struct scene_star *star;
};

struct scene_plate {
    double at_m[3], rotate_deg[3];
    double *spacing_m, *amplitude;
    double *size_m; /* [2] or NULL */
    struct scene_point2 *outline_m;
    size_t outline_m_count;
    struct scene_shape *holes, *islands;
    size_t holes_count, islands_count;
};

enum scene_metal { SCENE_METAL_DARK = 0, SCENE_METAL_BRIGHT };

struct scene_mask {
    double at_m[3], rotate_deg[3];
    double *spacing_m, *amplitude;
    char *file;
    enum scene_metal metal;
    double *threshold, *width_m, *pixel_m;
};

struct scene_random_points {
    uint64_t count;
    double centre_m[3], size_m[3];
    double *amplitude_min, *amplitude_max;
    bool random_phase;
};

enum scene_fill { SCENE_FILLED = 0, SCENE_HOLLOW, SCENE_MIXED };
enum scene_solid { SCENE_RECTANGLE = 0, SCENE_DISC, SCENE_BOX, SCENE_SPHERE, SCENE_SOLIDS };

struct scene_random_solids {
    uint64_t count;
    double centre_m[3], size_m[3];
    double smallest_m, largest_m;
    enum scene_solid *shapes;
    size_t shapes_count;
    enum scene_fill fill;
    double *spacing_m, *amplitude;
};

struct scene_stl {
    double at_m[3], rotate_deg[3];
    double *spacing_m, *amplitude, *scale;
    char *file;
    bool facing;
};

struct scene_target {
    struct scene_point *points;
    size_t points_count;
    struct scene_plate *plate;
    struct scene_mask *mask;
    struct scene_random_points *random_points;
    struct scene_random_solids *random_solids;
    struct scene_stl *stl;
};

struct scene_physics {
    bool spreading;
    double beamwidth_deg;
};

enum scene_error_kind { SCENE_ERROR_WHITE = 0, SCENE_ERROR_SMOOTH };
enum scene_displaces { SCENE_DISPLACES_REPORT = 0, SCENE_DISPLACES_RADAR };

struct scene_pose_error {
    enum scene_error_kind kind;
    enum scene_displaces displaces;
    double sigma_m[3], sigma_deg[3];
    double *time_s;
};

struct scene_channels {
    double gain_db, phase_deg, delay_s;
};

struct scene_impairments {
    double *snr_db;
    struct scene_pose_error *pose_error;
    struct scene_channels *channels;
    double *leakage_db;
    bool calibrated; /* the capture records channel errors and leakage */
};

struct scene_description {
    uint64_t *seed;
    struct scene_radar radar;
    struct scene_array array;
    struct scene_path path;
    struct scene_target *targets;
    size_t targets_count;
    struct scene_physics physics;
    struct scene_impairments impairments;
    struct pod_description *sensors;
};

/* Read a scene file; free it with scene_description_free(). */
enum nfsar_status scene_description_load(const char *path, struct scene_description **description,
                                         nfsar_error *error);
void scene_description_free(struct scene_description *description);

#endif
