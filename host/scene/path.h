/* Where the radar is when: the path of a scene as pulses and a track of poses. */
#ifndef NFSAR_HOST_SCENE_PATH_H
#define NFSAR_HOST_SCENE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/geometry.h>
#include <nfsar/status.h>

#include "host/scene/description.h"

/* Most pulses of a path. */
enum { PATH_PULSES = 5000000 };

/* Pulses and poses. Every pulse has a pose at its time; poses that follow one carry the track on:
 * a radar that stands until the last channel is sampled, or one that leaves the end of a line
 * straight on. All pointers are owned. */
struct path {
    size_t n_pulse, n_pose;
    double *time_s;       /* [n_pulse] */
    double *pose_time_s;  /* [n_pose] */
    nfsar_pose *pose;     /* [n_pose] where the radar is */
    nfsar_pose *reported; /* [n_pose] where it is said to be, or NULL: the same */
    bool *follows;        /* [n_pose] the pose belongs to the pulse before it */
    size_t room;          /* pulses that fit */
    size_t slot;          /* intervals gone by */
};

/* Make the path that the scene describes. channel_span_s is the time from the first to the last
 * channel of a pulse. Random paths draw from the stream that belongs to seed. */
enum nfsar_status path_make(const struct scene_path *description, double channel_span_s,
                            uint64_t seed, struct path *path, nfsar_error *error);
void path_free(struct path *path);

/* A lattice axis: first coordinate, step and count. */
struct path_axis {
    double first, step;
    size_t count;
};

/* For the paths below: positions of an axis, centred; key names it in errors. */
enum nfsar_status path_axis_make(const char *key, const struct scene_axis *axis,
                                 struct path_axis *made, nfsar_error *error);
/* Room for n_pulse pulses. */
enum nfsar_status path_allocate(struct path *path, size_t n_pulse, nfsar_error *error);
/* How the pulses of a line follow each other. */
struct path_timing {
    enum scene_motion motion;
    double interval_s;     /* from pulse to pulse */
    double channel_span_s; /* of each pulse */
};
/* The interval and what it must hold; key names the path. */
enum nfsar_status path_timing_make(const char *key, const double *interval_s,
                                   enum scene_motion motion, double channel_span_s,
                                   struct path_timing *timing, nfsar_error *error);
/* Append the next pulse of a line, in time order. */
void path_add(struct path *path, const struct path_timing *timing, nfsar_pose pose);
/* The next pulse of a line is lost: its time goes by, and a radar that moves goes through there. */
void path_skip(struct path *path, const struct path_timing *timing, nfsar_pose pose);
/* The line is over: the next pulse does not continue its motion. */
void path_end_line(struct path *path, const struct path_timing *timing);

/* Positions of two axes; SIZE_MAX when there are more than can be counted. */
size_t path_product(const struct path_axis *x, const struct path_axis *y);

/* Round the y axis, with what real turntables do wrong (path_turntable.c). */
enum nfsar_status path_turntable(const struct scene_turntable *turntable, double channel_span_s,
                                 uint64_t seed, struct path *path, nfsar_error *error);

/* Paths that are not lattices (path_free.c). */
enum nfsar_status path_cloud(const struct scene_cloud *cloud, double channel_span_s, uint64_t seed,
                             struct path *path, nfsar_error *error);
enum nfsar_status path_handheld(const struct scene_handheld *handheld, double channel_span_s,
                                uint64_t seed, struct path *path, nfsar_error *error);
enum nfsar_status path_positions(const struct scene_path *description, double channel_span_s,
                                 struct path *path, nfsar_error *error);

#endif
