/* `nfsar doctor` with the emulated rig. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/cli/doctor.h"

static pid_t rig;

static int start_rig(void **state) {
    (void)state;
    const char *program = getenv("NFSAR_RIG_PROGRAM");
    char scene[512], session[512];
    struct stat info;
    rig = 0;
    if (program == NULL || access(program, X_OK) != 0) {
        return 0;
    }
    write_session("rig.yaml", (struct change){.sensors = "imu"});
    snprintf(session, sizeof session, "%s", test_path("rig.yaml"));
    snprintf(scene, sizeof scene, "%s/docs/examples/scene-emulated.yaml", getenv("NFSAR_SOURCE"));
    rig = fork();
    if (rig == 0) {
        execl(program, program, session, scene, "--folder", test_folder(), "--seconds", "240",
              (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 2000 && stat(test_path("hub"), &info) != 0; i++) {
        usleep(10000);
    }
    return stat(test_path("hub"), &info);
}

static int stop_rig(void **state) {
    (void)state;
    int status = 0;
    if (rig == 0) {
        return 0;
    }
    kill(rig, SIGTERM);
    waitpid(rig, &status, 0);
    unlink(test_path("hub"));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void a_ready_rig_is_well(void **state) {
    (void)state;
    static const struct {
        const char *check, *part;
    } expected[] = {
        {"session", "10 triggers, with a stage"},
        {"plan",
         "64 samples, 2 chirps, 1 loop: 2048 bytes a frame, busy for 0.092 ms; a trigger each "},
        {"network address", "lo has 127."},
        {"network link", "lo is up"},
        {"receive buffer", "64 KiB as asked for"},
        {"command port", "UDP port 4096 is free"},
        {"sample port", "UDP port 4098 is free"},
        {"capture card", " answers, FPGA "},
        {"hub's port", "can be opened"},
        {"hub", "answers: fake, firmware "},
        {"hub's errors", "none are latched"},
        {"sensors", "imu is running"},
        {"radar", "its command line answers through the hub: mmWave SDK Version: "},
        {"LVDS", "64 frames came, all whole"},
        {"disk space", "GB are free, a recording needs"},
        {"disk speed", "the radar sends up to "},
    };
    if (rig == 0) {
        print_message("no nfsar-rig (NFSAR_RIG_PROGRAM): skipped\n");
        skip();
    }
    json_t *object = examine(0, "rig.yaml", "--lvds");
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_finds(object, expected[i].check, "ok", expected[i].part, "");
    }
    assert_int_equal(json_integer_value(json_object_get(object, "wrong")), 0);
    json_decref(object);
    /* Nothing is left behind, in the folder or in the hub. */
    assert_int_equal(test_count_files("nfsar-doctor"), 0);
}

static void what_the_hub_remembers_is_told(void **state) {
    (void)state;
    if (rig == 0) {
        skip();
    }
    test_write_file("bad.cfg", "chanelCfg 1\n", 12);
    assert_int_equal(test_command(output, sizeof output, "hub '%s' radar '%s'", test_path("hub"),
                                  test_path("bad.cfg")),
                     1);
    /* The IMU is there, a GNSS receiver is not. */
    write_session("sensors.yaml", (struct change){.sensors = "gnss"});
    json_t *object = examine(1, "sensors.yaml", "");
    assert_finds(object, "sensors", "wrong", "gnss is wanted by the session, and is ",
                 "out of sensors:");
    assert_finds(object, "hub's errors", "wrong", "latched: the radar refused a line", " clear");
    assert_finds(object, "radar", "ok", "answers through the hub", "");
    assert_int_equal(json_integer_value(json_object_get(object, "wrong")), 2);
    json_decref(object);
    assert_int_equal(test_command(output, sizeof output, "hub '%s' clear", test_path("hub")), 0);
}

static void people_read_lines(void **state) {
    (void)state;
    if (rig == 0) {
        skip();
    }
    assert_int_equal(test_command(output, sizeof output, "doctor --rig '%s' -o '%s'",
                                  test_path("rig.yaml"), test_folder()),
                     0);
    assert_contains(output, "ok       capture card     127.");
    assert_contains(output, " ok, 0 wrong, ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_rig_is_well),
        cmocka_unit_test(what_the_hub_remembers_is_told),
        cmocka_unit_test(people_read_lines),
    };
    begin();
    return cmocka_run_group_tests(tests, start_rig, stop_rig);
}
