/* What the radar samples, frame by frame, and the truth file of all of it. */
#ifndef NFSAR_TESTS_RIG_ECHO_H
#define NFSAR_TESTS_RIG_ECHO_H

#include <nfsar/capture.h>
#include <nfsar/file.h>
#include <nfsar/scene.h>

#include "host/radar/ti_cfg.h"
#include "host/session/session.h"
#include "tests/rig/layout.h"

enum { RIG_PEAK = 8000 }; /* of the strongest sample, of 32767 */

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
    nfsar_capture one;          /* a frame: a pulse for each loop, a track of two poses */
    float complex *values;      /* of it */
    struct rig_sample *samples; /* of it */
    uint64_t clipped;           /* samples beyond 16 bits */

    /* The truth so far. */
    size_t frames, room;
    uint64_t *time_ns;
    nfsar_pose *pose;         /* [frames][2], at the trigger and at the frame's end */
    struct rig_sample *taken; /* [frames][loops][channels][samples] */
};

void rig_echo_init(struct rig_echo *echo, const struct session *session, const nfsar_scene *scene);

/* The radar started with these frames; what was there before is forgotten. The scale is found from
 * the poses. */
enum nfsar_status rig_echo_begin(struct rig_echo *echo, const struct ti_cfg_frame *frame,
                                 bool q_first, const nfsar_pose *poses, size_t n_poses,
                                 nfsar_error *error);

/* One frame: the radar is at pose[0] when its trigger comes, at pose[1] when it ends. bytes has
 * room for rig_layout_bytes(). A trigger that is older than the one before begins a new truth: the
 * hub restarted. */
enum nfsar_status rig_echo_frame(struct rig_echo *echo, uint64_t time_ns, const nfsar_pose pose[2],
                                 uint8_t *bytes, nfsar_error *error);

/* The capture of all frames since the start, a pulse for each loop. Nothing is written when there
 * is none. */
enum nfsar_status rig_echo_save(const struct rig_echo *echo, const char *path, nfsar_error *error);

void rig_echo_free(struct rig_echo *echo);

#endif
