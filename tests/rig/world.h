/* Where the radar truly is, in hub time: moved by the stage, or along a scene's path. */
#ifndef NFSAR_TESTS_RIG_WORLD_H
#define NFSAR_TESTS_RIG_WORLD_H

#include <nfsar/capture.h>

#include "host/session/session.h"
#include "tests/rig/stage_model.h"

enum { RIG_HISTORY = 64, RIG_BEAT_NS = 5000000 };

struct rig_world {
    const struct session *session;
    const nfsar_capture *path; /* its track is the motion; NULL: the stage is */
    struct rig_stage stage;
    bool began; /* the radar left the path's first pose */
    uint64_t began_ns;
    uint64_t beats;                  /* noted */
    nfsar_vec3 history[RIG_HISTORY]; /* where the stage's carriage was at the last beats */
};

/* What the sensors feel: world frame, the rate in the body's. */
struct rig_motion {
    nfsar_pose pose;
    nfsar_vec3 velocity, acceleration, rate;
};

/* The path is taken for a session without a stage's scan (SESSION_PERIOD). */
void rig_world_init(struct rig_world *world, const struct session *session,
                    const nfsar_capture *path);

/* The path begins, if it has not. Before, the radar rests at its first pose; after its end, at its
 * last. */
void rig_world_begin(struct rig_world *world, uint64_t time_ns);

/* The pose ahead_s after now; a stage goes on as fast as its last steps came. */
nfsar_pose rig_world_pose(const struct rig_world *world, uint64_t now_ns, double ahead_s);

/* Notes where the stage is, for what sensors feel; as often as it comes round. */
void rig_world_note(struct rig_world *world, uint64_t now_ns);

/* What sensors beside the radar feel at a time that is now or a little past. On a stage it is found
 * from where the carriage was, over 40 ms; a turntable turns the scene, not the sensors. */
void rig_world_motion(const struct rig_world *world, uint64_t time_ns, struct rig_motion *motion);

/* The hub's time begins anew. */
void rig_world_restart(struct rig_world *world);

/* Poses that a scan sees, to find how strong echoes get: `room` of them. */
void rig_world_survey(const struct rig_world *world, nfsar_pose *poses, size_t room);

#endif
