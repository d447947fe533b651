/* A session as a user writes it, and every way to write it wrong. */
#include "host/session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support.h"

static char folder[] = "/tmp/nfsar-session-XXXXXX";

static const char base[] = "radar: {model: AWR1443BOOST, cfg: r.cfg}\n"
                           "array: {preset: xwr1443-2tx, along: y}\n"
                           "card: {lanes: 4, packet_delay_s: 10e-6}\n"
                           "hub: {port: /dev/ttyUSB0, stage: s.yaml}\n";
static const char scan[] = "scan: {path: serpentine, x_m: 20e-3, y_m: 10e-3, positions: 4, rows: 3,"
                           " step_m: 1e-3, row_step_m: 2e-3}\n";

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void copy_example(const char *example, const char *name) {
    char path[512], text[16384];
    const char *source = getenv("NFSAR_SOURCE");
    assert_non_null(source);
    snprintf(path, sizeof path, "%s/docs/examples/%s", source, example);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    put(name, text);
}

static int begin(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    copy_example("stage-scanner.yaml", "s.yaml");
    copy_example("radar-stage.cfg", "r.cfg");
    return 0;
}

static int end(void **state) {
    (void)state;
    static const char *const names[] = {"s.yaml", "r.cfg", "session.yaml"};
    for (size_t i = 0; i < 3; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static enum nfsar_status load(const char *one, const char *two, const char *three,
                              struct session **session, nfsar_error *error) {
    char text[4096], path[256];
    snprintf(text, sizeof text, "%s%s%s", one, two, three);
    put("session.yaml", text);
    snprintf(path, sizeof path, "%s/session.yaml", folder);
    return session_load(path, session, error);
}

static void example(void **state) {
    (void)state;
    char path[512];
    struct session *session = NULL;
    nfsar_error error;
    snprintf(path, sizeof path, "%s/docs/examples/session-stage.yaml", getenv("NFSAR_SOURCE"));
    if (session_load(path, &session, &error) != NFSAR_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(session_triggers(session), 16000);
    assert_int_equal(session->array.n_channel, 8);
    assert_int_equal(session->radar.frame.bytes, 2 * 4 * 64 * 4);
    assert_int_equal(session->pose.from, SESSION_POSE_STAGE);
    assert_null(session->hub_port);
    session_free(session);
}

static void pod(void **state) {
    (void)state;
    char path[512];
    struct session *session = NULL;
    nfsar_error error;
    snprintf(path, sizeof path, "%s/docs/examples/session-pod.yaml", getenv("NFSAR_SOURCE"));
    if (session_load(path, &session, &error) != NFSAR_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(session->pose.from, SESSION_POSE_NONE);
    assert_true(session->sensors.imu && session->sensors.flow);
    session_free(session);
}

static void meaning(void **state) {
    (void)state;
    struct session *session = NULL;
    nfsar_error error;
    assert_int_equal(
        load(base, scan, "pose: {origin_m: [1, 2, 3]}\nsensors: [imu]\n", &session, &error),
        NFSAR_OK);
    assert_true(session->sensors.imu && !session->sensors.gnss);
    assert_int_equal(session->card.lanes, 4);
    assert_string_equal(session->card.card_address, "192.168.33.180");
    /* Chirps in turn, receivers inside them; the second transmitter a chirp later. */
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(session->line[i], i);
        assert_int_equal(session->array.channel[i].tx, (int)i / 4);
        assert_near(session->array.channel_time_s[i], (double)(i / 4) * 46e-6, 1e-12);
    }
    struct nfsar_wire_do_program_load load_;
    session_program(session, &load_);
    assert_int_equal(load_.pattern, 1);
    assert_int_equal(load_.fast_first, 1600);
    assert_int_equal(load_.slow_first, 800);
    assert_int_equal(load_.fast_pitch, 80);
    assert_int_equal(load_.slow_pitch, 160);
    /* Row 1 of a serpentine runs back. */
    static const int32_t want[][3] = {
        {0, 1600, 800}, {3, 1840, 800}, {4, 1840, 960}, {7, 1600, 960}, {8, 1600, 1120}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        int32_t steps[3];
        session_trigger_steps(session, (uint64_t)want[i][0], steps);
        assert_int_equal(steps[0], want[i][1]);
        assert_int_equal(steps[1], want[i][2]);
        assert_int_equal(steps[2], 0);
        const nfsar_pose pose = session_stage_pose(session, steps);
        assert_near(pose.position.x, 1 + want[i][1] / 80000.0, 1e-12);
        assert_near(pose.position.y, 2 + want[i][2] / 80000.0, 1e-12);
        assert_near(pose.position.z, 3, 0);
    }
    nfsar_capture header;
    assert_int_equal(session_header(session, &header, &error), NFSAR_OK);
    assert_int_equal(header.n_sample, 64);
    assert_near(header.frequency_hz[0], 77e9 + 100e12 * 6e-6, 1.0);
    nfsar_capture_free(&header);
    session_free(session);
}

/* The target turns; seen from it the radar goes round the other way, and looks at the axis. */
static void turntable(void **state) {
    (void)state;
    struct session *session = NULL;
    nfsar_error error;
    assert_int_equal(load(base, "scan: {path: turntable, positions: 360, step_deg: 1}\n",
                          "pose: {origin_m: [0, 0.1, -0.5]}\n", &session, &error),
                     NFSAR_OK);
    const int32_t quarter[3] = {0, 0, 4000};
    const nfsar_pose pose = session_stage_pose(session, quarter);
    assert_near(pose.position.x, 0.5, 1e-12);
    assert_near(pose.position.y, 0.1, 1e-12);
    assert_near(pose.position.z, 0, 1e-12);
    const nfsar_vec3 ahead = nfsar_quaternion_rotate(pose.orientation, (nfsar_vec3){0.0, 0.0, 1.0});
    assert_near(ahead.x, -1, 1e-12);
    session_free(session);
}

static void period(void **state) {
    (void)state;
    struct session *session = NULL;
    nfsar_error error;
    assert_int_equal(
        load(base, "scan: {path: period, period_s: 10e-3, limit_s: 60}\n", "", &session, &error),
        NFSAR_OK);
    assert_int_equal(session_triggers(session), 6001);
    assert_int_equal(session->pose.from, SESSION_POSE_NONE);
    session_free(session);
}

static void wrong(void **state) {
    (void)state;
    static const struct {
        const char *scan, *more, *says;
    } cases[] = {
        {"", "", "scan"},
        {"scan: {path: spiral}\n", "", "spiral"},
        {"scan: {path: raster, positions: 4}\n", "", "scan.step_m: is missing"},
        {"scan: {path: raster, positions: 4, step_m: 0}\n", "", "is missing or zero"},
        {"scan: {path: raster, positions: 0, step_m: 1}\n", "", "scan.positions: 0"},
        {"scan: {path: raster, positions: 4, step_m: 1e-3, rows: 2}\n", "", "scan.row_step_m"},
        {"scan: {path: raster, positions: 4, step_m: 1e-9}\n", "", "less than one step"},
        {"scan: {path: raster, positions: 4, step_m: .nan}\n", "", "is not a number"},
        {"scan: {path: raster, positions: 4, step_m: 1e-3, repeats: 2}\n", "", "stop: true"},
        {"scan: {path: period, period_s: 1e-2, x_m: 1}\n", "", "scan.x_m: does not go"},
        {"scan: {path: period}\n", "", "scan.period_s: is missing"},
        {"scan: {path: period, period_s: 1e-2}\n", "pose: {from: file}\n", "pose.file"},
        {"scan: {path: period, period_s: 1e-2}\n", "pose: {origin_m: [0, 1e999, 0]}\n", "number"},
        {"scan: {path: period, period_s: 1e-2}\n", "sensors: [thermometer]\n", "thermometer"},
        {"scan: {path: period, period_s: 1e-2}\n", "colour: blue\n", "colour"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session *session = NULL;
        nfsar_error error = {0};
        assert_int_not_equal(load(base, cases[i].scan, cases[i].more, &session, &error), NFSAR_OK);
        assert_null(session);
        if (strstr(error.message, "session.yaml") == NULL ||
            strstr(error.message, cases[i].says) == NULL) {
            fail_msg("case %zu says '%s', not '%s'", i, error.message, cases[i].says);
        }
    }
}

static void wrong_rig(void **state) {
    (void)state;
    static const struct {
        const char *rig, *says;
    } cases[] = {
        {"radar: {cfg: none.cfg}\narray: {preset: xwr1443-2tx}\nhub: {stage: s.yaml}\n",
         "none.cfg"},
        {"radar: {model: x}\narray: {preset: xwr1443-2tx}\n", "radar.cfg: is missing"},
        {"radar: {cfg: r.cfg}\narray: {preset: xwr1443-9tx}\n", "xwr1443-9tx"},
        {"radar: {cfg: r.cfg}\narray: {along: y}\n", "array: give either"},
        {"radar: {cfg: r.cfg}\narray: {preset: xwr1443-2tx}\ncard: {lanes: 3}\n", "card.lanes: 3"},
        {"radar: {cfg: r.cfg}\narray: {preset: xwr1443-2tx}\ncard: {packet_delay_s: 1}\n",
         "card.packet_delay_s"},
        {"radar: {cfg: r.cfg}\narray: {preset: xwr1443-2tx}\nhub: {stage: none.yaml}\n",
         "none.yaml"},
        {"radar: {cfg: r.cfg}\narray: {preset: xwr1443-2tx}\n", "hub.stage: is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session *session = NULL;
        nfsar_error error = {0};
        assert_int_not_equal(load(cases[i].rig, scan, "", &session, &error), NFSAR_OK);
        if (strstr(error.message, cases[i].says) == NULL) {
            fail_msg("case %zu says '%s', not '%s'", i, error.message, cases[i].says);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example),   cmocka_unit_test(pod),    cmocka_unit_test(meaning),
        cmocka_unit_test(turntable), cmocka_unit_test(period), cmocka_unit_test(wrong),
        cmocka_unit_test(wrong_rig),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
