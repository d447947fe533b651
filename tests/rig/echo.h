/* What the radar samples, frame by frame, and the truth file of all of it. */
#ifndef NFSAR_TESTS_RIG_ECHO_H
#define NFSAR_TESTS_RIG_ECHO_H

#include <nfsar/capture.h>
#include <nfsar/file.h>
#include <nfsar/scene.h>

#include "host/radar/ti_cfg.h"
#include "host/session/session.h"
#include "tests/rig/layout.h"

enum {
    RIG_PEAK = 8000, /* of the strongest sample, of 32767 */
    RIG_BATCH = 32   /* frames at a time, for the simulation's start costs more than a frame */
};

/* A trigger: the radar is at pose[0] when it comes, at pose[1] when the frame ends. */
struct rig_trigger {
    uint64_t time_ns;
    nfsar_pose pose[2];
};

struct rig_echo {
    const struct session *session;
    const nfsar_scatterer *scatterers;
    size_t n_scatterers;
    nfsar_simulation_options physics;

    /* Of the series: between two starts of the radar. */
    bool begun;
    struct ti_cfg_frame frame;
    struct rig_layout layout;
    double scale;
    nfsar_capture batch;        /* RIG_BATCH frames: a pulse for each loop, two poses each */
    float complex *values;      /* of them */
    struct rig_sample *samples; /* of a frame */
    uint64_t clipped;           /* samples beyond 16 bits */

    /* The truth so far. */
    size_t frames, room;
    struct rig_trigger *triggers;
    struct rig_sample *taken; /* [frames][loops][lines][samples] */
};

void rig_echo_init(struct rig_echo *echo, const struct session *session, const nfsar_scene *scene);

/* The radar started with these frames; what was there before is forgotten. The scale is found from
 * the poses. */
enum nfsar_status rig_echo_begin(struct rig_echo *echo, const struct ti_cfg_frame *frame,
                                 bool q_first, const nfsar_pose *poses, size_t n_poses,
                                 nfsar_error *error);

/* Frames of n triggers, at most RIG_BATCH. bytes has room for n times rig_layout_bytes(). A trigger
 * that is older than the one before begins a new truth: the hub restarted. */
enum nfsar_status rig_echo_frames(struct rig_echo *echo, const struct rig_trigger *triggers,
                                  size_t n, uint8_t *bytes, nfsar_error *error);

/* The capture of all frames since the start, a pulse for each loop. Nothing is written when there
 * is none. */
enum nfsar_status rig_echo_save(const struct rig_echo *echo, const char *path, nfsar_error *error);

void rig_echo_free(struct rig_echo *echo);

#endif
