/* `nfsar doctor`: with the emulated rig, and with each thing missing, by its name. */
#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/radar/emulated_radar.h"
#include "tests/support.h"

static char output[32768];
static char host[32], card[32]; /* addresses of this program's own */
static pid_t rig;

static const char cfg[] = "sensorStop\nflushCfg\ndfeDataOutputMode 1\nchannelCfg 15 5 0\n"
                          "adcCfg 2 1\nadcbufCfg 0 0 0 1\n"
                          "profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30\n"
                          "chirpCfg 0 0 0 0 0 0 0 1\nchirpCfg 1 1 0 0 0 0 0 4\n"
                          "frameCfg 0 1 1 0 5 2 0\nlowPower 0 0\nsensorStart\n";

/* What a test changes of a session that is right. */
struct change {
    const char *radar_port, *hub_port, *host, *card, *cfg;
};

static void write_session(const char *name, struct change change) {
    char text[2048], port[256] = "";
    if (change.radar_port != NULL) {
        snprintf(port, sizeof port, "  port: %s\n", change.radar_port);
    }
    snprintf(text, sizeof text,
             "radar:\n  model: AWR1443BOOST\n  cfg: %s\n%s"
             "array:\n  preset: xwr1443-2tx\n  along: y\n"
             "card:\n  lanes: 4\n  address: %s\n  host: %s\n  receive_bytes: 65536\n"
             "hub:\n  port: %s\n  stage: %s/docs/examples/stage-scanner.yaml\n"
             "scan:\n  path: serpentine\n  x_m: 20e-3\n  y_m: 20e-3\n  positions: 5\n  rows: 2\n"
             "  step_m: 1e-3\n  row_step_m: 2e-3\n",
             change.cfg != NULL ? change.cfg : "radar.cfg", port,
             change.card != NULL ? change.card : card, change.host != NULL ? change.host : host,
             change.hub_port != NULL ? change.hub_port : test_path("hub"), getenv("NFSAR_SOURCE"));
    test_write_file(name, text, strlen(text));
}

/* The findings as JSON; free it. */
static json_t *examine(int expected, const char *session, const char *more) {
    const int status = test_command(output, sizeof output, "doctor --rig '%s' -o '%s' --json %s",
                                    test_path(session), test_folder(), more);
    if (status != expected) {
        fail_msg("exit %d in place of %d: %s", status, expected, output);
    }
    json_t *object = json_loads(output, 0, NULL);
    if (object == NULL) {
        fail_msg("no JSON: %s", output);
    }
    return object;
}

/* The n-th finding of a check must be there with this verdict and these words. */
static void assert_finds(const json_t *object, const char *check, const char *verdict,
                         const char *part, const char *fix) {
    const json_t *list = json_object_get(object, "checks");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(one, "check")), check) == 0) {
            const char *text = json_string_value(json_object_get(one, "text"));
            if (strcmp(json_string_value(json_object_get(one, "verdict")), verdict) != 0) {
                fail_msg("%s is not %s: %s", check, verdict, text);
            }
            assert_contains(text, part);
            assert_contains(json_string_value(json_object_get(one, "fix")), fix);
            return;
        }
    }
    fail_msg("no finding of %s: %s", check, output);
}

/* ---- with the emulated rig ------------------------------------------------------------------- */

static int start_rig(void **state) {
    (void)state;
    const char *program = getenv("NFSAR_RIG_PROGRAM");
    char scene[512], session[512];
    struct stat info;
    rig = 0;
    if (program == NULL || access(program, X_OK) != 0) {
        return 0;
    }
    write_session("rig.yaml", (struct change){0});
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
    json_t *object = examine(1, "rig.yaml", "");
    assert_finds(object, "hub's errors", "wrong", "latched: the radar refused a line", " clear");
    assert_finds(object, "radar", "ok", "answers through the hub", "");
    assert_int_equal(json_integer_value(json_object_get(object, "wrong")), 1);
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

/* ---- with nothing there ---------------------------------------------------------------------- */

static void missing_things_are_named(void **state) {
    (void)state;
    write_session("none.yaml", (struct change){.host = "10.213.77.30", .card = "10.213.77.180"});
    json_t *object = examine(1, "none.yaml", "--lvds");
    assert_finds(object, "session", "ok", "none.yaml", "");
    assert_finds(object, "network address", "wrong", "has the address 10.213.77.30",
                 "sudo ip addr add 10.213.77.30/24 dev ");
    assert_finds(object, "network link", "unknown", "", "");
    assert_finds(object, "command port", "unknown", "the address is missing", "");
    assert_finds(object, "capture card", "unknown", "not asked", "");
    assert_finds(object, "hub's port", "wrong", "hub: No such file", "plug it in");
    assert_finds(object, "hub", "unknown", "see its port", "");
    assert_finds(object, "radar", "unknown", "behind the hub", "radar.port");
    assert_finds(object, "disk space", "ok", "GB are free", "");
    json_decref(object);
}

static void silent_things_are_named(void **state) {
    (void)state;
    struct emulated_radar mute = {.silent = true};
    emulated_radar_begin(&mute);
    write_session("mute.yaml", (struct change){.radar_port = mute.path, .hub_port = "/dev/full"});
    json_t *object = examine(1, "mute.yaml", "");
    assert_finds(object, "capture card", "wrong", card, "switch it on (5 V)");
    assert_finds(object, "hub's port", "ok", "/dev/full", "");
    assert_finds(object, "hub", "wrong", "/dev/full: is not a serial port", "powered and flashed");
    assert_finds(object, "radar's port", "ok", mute.path, "");
    assert_finds(object, "radar", "wrong", "shows no prompt", "SOP jumpers");
    json_decref(object);
    emulated_radar_end(&mute);
}

static void a_radar_with_its_own_port_answers(void **state) {
    (void)state;
    struct emulated_radar radar = {.note = "mmWave SDK Version: 01.02.00.05\n\r"};
    emulated_radar_begin(&radar);
    write_session("own.yaml", (struct change){.radar_port = radar.path});
    json_t *object = examine(1, "own.yaml", "");
    assert_finds(object, "radar", "ok", "mmWave SDK Version: 01.02.00.05", "");
    json_decref(object);
    emulated_radar_end(&radar);
    assert_string_equal(radar.heard, "version\n");
    write_session("own.yaml", (struct change){.radar_port = test_path("own.yaml")});
    object = examine(1, "own.yaml", "");
    assert_finds(object, "radar's port", "wrong", "is no serial port", "/dev/ttyUSB0");
    json_decref(object);
}

/* The program that holds a port is this one. */
static void a_held_port_is_named(void **state) {
    (void)state;
    char name[64];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(4096)};
    assert_int_equal(inet_pton(AF_INET, host, &own.sin_addr), 1);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof own), 0);
    write_session("held.yaml", (struct change){0});
    json_t *object = examine(1, "held.yaml", "");
    snprintf(name, sizeof name, "held by test_cli_doctor (process %ld)", (long)getpid());
    assert_finds(object, "command port", "wrong", name, "sudo ss -ulpn");
    assert_finds(object, "sample port", "ok", "is free", "");
    assert_finds(object, "capture card", "unknown", "its way is not free", "");
    json_decref(object);
    close(fd);
}

static void wrong_sessions_are_named(void **state) {
    (void)state;
    static const char headers[] = "lvdsStreamCfg -1 1 1 0\n";
    char text[1024];
    test_write_file("broken.yaml", "radar: 7\n", 9);
    json_t *object = examine(1, "broken.yaml", "");
    assert_finds(object, "session", "wrong", "broken.yaml", "correct the file");
    assert_finds(object, "network address", strstr(output, "has 192.168.33.30") ? "ok" : "wrong",
                 "192.168.33.30", "");
    json_decref(object);
    snprintf(text, sizeof text, "%s%s", headers, cfg);
    test_write_file("headers.cfg", text, strlen(text));
    write_session("headers.yaml", (struct change){.cfg = "headers.cfg"});
    object = examine(1, "headers.yaml", "");
    assert_finds(object, "plan", "wrong", "headers.cfg: line 1: lvdsStreamCfg", "--dry-run");
    json_decref(object);
    object = examine(1, "headers.yaml", "-o /nowhere/at/all");
    assert_finds(object, "disk space", "wrong", "/nowhere/at/all: No such file", "--output");
    assert_finds(object, "disk speed", "wrong", "/nowhere/at/all: No such file", "--output");
    json_decref(object);
}

static void usage_is_checked(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "doctor session.yaml"), 2);
    assert_int_equal(test_command(output, sizeof output, "doctor --help"), 0);
    assert_contains(output, "--rig SESSION.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_things_are_named),
        cmocka_unit_test(silent_things_are_named),
        cmocka_unit_test(a_radar_with_its_own_port_answers),
        cmocka_unit_test(a_held_port_is_named),
        cmocka_unit_test(wrong_sessions_are_named),
        cmocka_unit_test(usage_is_checked),
    };
    const struct CMUnitTest with_rig[] = {
        cmocka_unit_test(a_ready_rig_is_well),
        cmocka_unit_test(what_the_hub_remembers_is_told),
        cmocka_unit_test(people_read_lines),
    };
    const unsigned own = (unsigned)getpid();
    snprintf(host, sizeof host, "127.%u.%u.1", 64 + own % 128, own / 128 % 250);
    snprintf(card, sizeof card, "127.%u.%u.2", 64 + own % 128, own / 128 % 250);
    test_write_file("radar.cfg", cfg, sizeof cfg - 1);
    return cmocka_run_group_tests(tests, NULL, NULL) +
           cmocka_run_group_tests(with_rig, start_rig, stop_rig);
}
