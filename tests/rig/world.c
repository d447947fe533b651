#include "tests/rig/world.h"

#include <math.h>

enum { STRIDE = 4 }; /* beats that a difference is taken over */

void rig_world_init(struct rig_world *world, const struct session *session,
                    const nfsar_capture *path) {
    *world = (struct rig_world){.session = session,
                                .path = session->scan.kind == SESSION_PERIOD ? path : NULL};
    rig_stage_init(&world->stage, session->stage);
}

void rig_world_begin(struct rig_world *world, uint64_t time_ns) {
    if (!world->began) {
        world->began = true;
        world->began_ns = time_ns;
    }
}

static nfsar_pose on_path(const nfsar_capture *path, double time_s) {
    const nfsar_pose *track = path->true_pose != NULL ? path->true_pose : path->pose;
    const double first = path->pose_time_s[0];
    const double last = path->pose_time_s[path->n_pose - 1];
    return nfsar_track_pose(path->pose_time_s, track, path->n_pose,
                            fmin(fmax(time_s + first, first), last), NULL);
}

static nfsar_pose on_stage(const struct rig_world *world, uint64_t now_ns, double ahead_s) {
    int32_t here[RIG_AXES], there[RIG_AXES];
    double fraction = 0.0;
    for (unsigned i = 0; i < RIG_AXES; i++) {
        const double steps = rig_stage_speed(&world->stage, i, now_ns) * ahead_s;
        const double whole = copysign(ceil(fabs(steps)), steps);
        here[i] = there[i] = rig_stage_position(&world->stage, i);
        if (whole != 0.0) {
            there[i] += (int32_t)whole;
            fraction = fmax(fraction, steps / whole);
        }
    }
    const nfsar_pose pose = session_stage_pose(world->session, here);
    return fraction == 0.0
               ? pose
               : nfsar_pose_interpolate(pose, session_stage_pose(world->session, there), fraction);
}

nfsar_pose rig_world_pose(const struct rig_world *world, uint64_t now_ns, double ahead_s) {
    if (world->path == NULL) {
        return on_stage(world, now_ns, ahead_s);
    }
    const double since =
        world->began ? ((double)now_ns - (double)world->began_ns) * 1e-9 + ahead_s : 0.0;
    return on_path(world->path, since);
}

/* ---- what sensors feel ---- */

static nfsar_vec3 carriage(const struct rig_world *world) {
    const int32_t steps[RIG_AXES] = {rig_stage_position(&world->stage, 0),
                                     rig_stage_position(&world->stage, 1), 0};
    return session_stage_pose(world->session, steps).position;
}

void rig_world_note(struct rig_world *world, uint64_t now_ns) {
    const uint64_t due = now_ns / RIG_BEAT_NS + 1;
    if (due <= world->beats || world->path != NULL) {
        return;
    }
    const nfsar_vec3 here = carriage(world);
    const uint64_t first = due > world->beats + RIG_HISTORY ? due - RIG_HISTORY : world->beats;
    for (uint64_t beat = world->beats == 0 ? 0 : first; beat < due; beat++) {
        world->history[beat % RIG_HISTORY] = here;
    }
    world->beats = due;
}

void rig_world_restart(struct rig_world *world) {
    world->beats = 0;
    world->began = false;
    rig_stage_restart(&world->stage);
}

/* As if it had always stood where the history begins. */
static nfsar_vec3 noted(const struct rig_world *world, uint64_t beat, unsigned back) {
    const uint64_t oldest = world->beats > RIG_HISTORY ? world->beats - RIG_HISTORY : 0;
    const uint64_t at = beat > oldest + back ? beat - back : oldest;
    return world->history[at % RIG_HISTORY];
}

static nfsar_vec3 difference(nfsar_vec3 a, nfsar_vec3 b, double seconds) {
    return nfsar_vec3_scale(nfsar_vec3_subtract(a, b), 1.0 / seconds);
}

static void stage_motion(const struct rig_world *world, uint64_t time_ns,
                         struct rig_motion *motion) {
    const double dt = STRIDE * RIG_BEAT_NS * 1e-9;
    uint64_t beat = time_ns / RIG_BEAT_NS;
    beat = world->beats > 0 && beat >= world->beats ? world->beats - 1 : beat;
    const nfsar_vec3 p[3] = {noted(world, beat, 0), noted(world, beat, STRIDE),
                             noted(world, beat, 2 * STRIDE)};
    motion->pose = (nfsar_pose){p[0], NFSAR_QUATERNION_IDENTITY};
    motion->velocity = difference(p[0], p[1], dt);
    motion->acceleration = difference(motion->velocity, difference(p[1], p[2], dt), dt);
    motion->rate = (nfsar_vec3){0};
}

/* Twice the vector part of a small rotation, in the body's frame. */
static nfsar_vec3 turned(nfsar_quaternion from, nfsar_quaternion to) {
    const nfsar_quaternion back = nfsar_quaternion_conjugate(from);
    const nfsar_quaternion q = nfsar_quaternion_multiply(back, to);
    return nfsar_vec3_scale((nfsar_vec3){q.x, q.y, q.z}, q.w < 0.0 ? -2.0 : 2.0);
}

void rig_world_motion(const struct rig_world *world, uint64_t time_ns, struct rig_motion *motion) {
    if (world->path == NULL) {
        stage_motion(world, time_ns, motion);
        return;
    }
    const double h = 0.01;
    const nfsar_pose before = rig_world_pose(world, time_ns, -h);
    const nfsar_pose after = rig_world_pose(world, time_ns, h);
    motion->pose = rig_world_pose(world, time_ns, 0.0);
    const nfsar_vec3 at = motion->pose.position;
    motion->velocity = difference(after.position, before.position, 2.0 * h);
    motion->acceleration =
        difference(difference(after.position, at, h), difference(at, before.position, h), h);
    motion->rate = nfsar_vec3_scale(turned(before.orientation, after.orientation), 1.0 / (2.0 * h));
}

/* ---- where a scan goes ---- */

void rig_world_survey(const struct rig_world *world, nfsar_pose *poses, size_t room) {
    const double most = room > 1 ? (double)(room - 1) : 1.0;
    for (size_t i = 0; i < room; i++) {
        const double part = (double)i / most;
        if (world->path != NULL) {
            const nfsar_capture *path = world->path;
            poses[i] =
                on_path(path, part * (path->pose_time_s[path->n_pose - 1] - path->pose_time_s[0]));
        } else {
            int32_t steps[RIG_AXES];
            const uint64_t last = session_triggers(world->session) - 1;
            session_trigger_steps(world->session, (uint64_t)(part * (double)last), steps);
            poses[i] = session_stage_pose(world->session, steps);
        }
    }
}
