/* Where the emulated radar is, and what sensors beside it feel. */
#include <math.h>

#include "tests/rig/world.h"
#include "tests/support.h"

enum { POSES = 101 };

static const uint64_t second = 1000000000;

/* A parabola in x, a steady turn about z, for a second; sampled 100 times. */
static void make_path(nfsar_capture *path, double *time_s, nfsar_pose *pose) {
    for (int i = 0; i < POSES; i++) {
        const double t = 0.01 * i;
        time_s[i] = 5.0 + t;
        pose[i].position = (nfsar_vec3){t * t, 0.1, 0};
        pose[i].orientation = nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 0, 1}, 0.3 * t);
    }
    *path = (nfsar_capture){.n_pose = POSES, .pose_time_s = time_s, .pose = pose};
}

static void a_path_begins_and_ends_at_rest(void **state) {
    (void)state;
    double time_s[POSES];
    nfsar_pose pose[POSES], seen[3];
    nfsar_capture path;
    struct rig_world world;
    struct session session = {.scan.kind = SESSION_PERIOD};
    make_path(&path, time_s, pose);
    rig_world_init(&world, &session, &path);
    assert_true(rig_world_pose(&world, 7 * second, 0.5).position.x == 0.0);
    rig_world_begin(&world, 10 * second);
    rig_world_begin(&world, 20 * second); /* it has begun */
    assert_near(rig_world_pose(&world, 10 * second + second / 2, 0.0).position.x, 0.25, 1e-12);
    assert_near(rig_world_pose(&world, 10 * second, 0.3).position.x, 0.09, 1e-12);
    assert_near(rig_world_pose(&world, 10 * second, -1.0).position.x, 0.0, 1e-12);
    assert_near(rig_world_pose(&world, 30 * second, 0.0).position.x, 1.0, 1e-12);
    rig_world_restart(&world); /* the hub's time is 0 again */
    assert_near(rig_world_pose(&world, second, 0.0).position.x, 0.0, 1e-12);
    rig_world_survey(&world, seen, 3);
    assert_near(seen[0].position.x, 0.0, 1e-12);
    assert_near(seen[1].position.x, 0.25, 1e-9);
    assert_near(seen[2].position.x, 1.0, 1e-12);
}

static void on_a_path_motion_is_its_derivative(void **state) {
    (void)state;
    double time_s[POSES];
    nfsar_pose pose[POSES];
    nfsar_capture path;
    struct rig_world world;
    struct rig_motion motion;
    struct session session = {.scan.kind = SESSION_PERIOD};
    make_path(&path, time_s, pose);
    rig_world_init(&world, &session, &path);
    rig_world_motion(&world, second, &motion);
    assert_near(nfsar_vec3_norm(motion.velocity), 0.0, 1e-12);
    assert_near(nfsar_vec3_norm(motion.rate), 0.0, 1e-12);
    rig_world_begin(&world, 10 * second);
    rig_world_motion(&world, 10 * second + second / 2, &motion);
    assert_near(motion.pose.position.x, 0.25, 1e-9);
    assert_near(motion.velocity.x, 1.0, 1e-6);
    assert_near(motion.acceleration.x, 2.0, 1e-4);
    assert_near(motion.velocity.y, 0.0, 1e-9);
    assert_near(motion.rate.z, 0.3, 1e-5);
    assert_near(motion.rate.x, 0.0, 1e-9);
}

static const char description[] = "x:\n"
                                  "  steps_per_m: 10000\n"
                                  "  speed_m_per_s: 0.1\n"
                                  "  acceleration_m_per_s2: 1\n"
                                  "  jerk_m_per_s3: 10\n"
                                  "turntable:\n"
                                  "  steps_per_turn: 3600\n"
                                  "  speed_deg_per_s: 90\n"
                                  "  acceleration_deg_per_s2: 900\n"
                                  "  jerk_deg_per_s3: 9000\n";

/* 1000 steps of x a second: 0.1 m/s; then none. */
static void on_a_stage_motion_is_the_carriages(void **state) {
    (void)state;
    struct rig_world world;
    struct rig_motion motion;
    struct session session = {.scan.kind = SESSION_RASTER, .pose.origin_m = {1, 2, 3}};
    nfsar_error error;
    test_write_file("stage.yaml", description, sizeof description - 1);
    assert_ok(stage_load(test_path("stage.yaml"), &session.stage, &error), error);
    rig_world_init(&world, &session, NULL);
    uint64_t now = 0;
    for (int i = 0; i < 500; i++, now += second / 1000) {
        rig_world_note(&world, now);
        rig_stage_step(&world.stage, 0, true, now);
    }
    const nfsar_pose pose = rig_world_pose(&world, now - second / 1000, 0.0);
    assert_near(pose.position.x, 1.05, 1e-12);
    assert_near(pose.position.z, 3.0, 1e-12);
    /* Between steps it goes on as it went: half a step further in half a millisecond. */
    assert_near(rig_world_pose(&world, now - second / 1000, 0.5e-3).position.x, 1.05005, 1e-12);
    rig_world_motion(&world, now, &motion);
    assert_near(motion.velocity.x, 0.1, 1e-9);
    assert_near(motion.acceleration.x, 0.0, 1e-6);
    for (int i = 0; i < 500; i++, now += second / 1000) {
        rig_world_note(&world, now);
    }
    rig_world_motion(&world, now, &motion);
    assert_near(motion.velocity.x, 0.0, 1e-12);
    /* The turntable turns the scene where it is scanned: the pose goes round it, the sensors stand.
     */
    rig_stage_step(&world.stage, 2, true, now);
    assert_true(rig_world_pose(&world, now, 0.0).orientation.w == 1.0);
    session.scan.kind = SESSION_TURNTABLE;
    assert_near(rig_world_pose(&world, now, 0.0).orientation.w, cos(NFSAR_PI / 3600.0), 1e-12);
    rig_world_motion(&world, now, &motion);
    assert_true(motion.pose.orientation.w == 1.0);
    stage_free(session.stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_begins_and_ends_at_rest),
        cmocka_unit_test(on_a_path_motion_is_its_derivative),
        cmocka_unit_test(on_a_stage_motion_is_the_carriages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
