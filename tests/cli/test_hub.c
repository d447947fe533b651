/* `nfsar hub` as a user meets it: with the hub's firmware running on this computer, and with things
 * that are no hub. */
#include <jansson.h>
#include <nfsar/hub.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/devices/peer.h"
#include "tests/support.h"

static char output[16384];
static char port[256];
static char rig[1024];
static pid_t hub;

static const char cfg[] = "% a profile\r\n\r\nsensorStop\r\nflushCfg\r\nchannelCfg 15 7 0\r\n"
                          "profileCfg 0 77 7 7 58 0 0 68 1 256 5500 0 0 30\r\nsensorStart\r\n";

static int start_hub(void **state) {
    (void)state;
    const char *program = getenv("NFSAR_HUB_ON_HOST");
    snprintf(port, sizeof port, "%s", test_path("hub"));
    snprintf(rig, sizeof rig, "%s/docs/examples/stage-scanner.yaml", getenv("NFSAR_SOURCE"));
    test_write_file("good.cfg", cfg, sizeof cfg - 1);
    hub = fork();
    if (hub == 0) {
        execl(program, program, port, "300", (char *)NULL);
        _exit(127);
    }
    struct stat info;
    for (int i = 0; i < 2000 && stat(port, &info) != 0; i++) {
        usleep(10000);
    }
    return stat(port, &info);
}

static int stop_hub(void **state) {
    (void)state;
    int status = 0;
    kill(hub, SIGTERM);
    return waitpid(hub, &status, 0) == hub && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
                                                                                            : -1;
}

static void assert_runs(int expected, const char *arguments) {
    const int status = test_command(output, sizeof output, "hub '%s' %s", port, arguments);
    if (status != expected) {
        fail_msg("exit %d in place of %d: hub %s: %s", status, expected, arguments, output);
    }
}

/* One line of error. */
static void assert_fails(int expected, const char *arguments, const char *part) {
    assert_runs(expected, arguments);
    assert_contains(output, part);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void assert_runs_with_rig(int expected, const char *arguments) {
    char text[2048];
    snprintf(text, sizeof text, "%s --rig '%s'", arguments, rig);
    assert_runs(expected, text);
}

static void set_up(void) {
    char text[2048];
    snprintf(text, sizeof text, "setup '%s'", rig);
    assert_runs(0, text);
}

static void the_hub_says_who_it_is(void **state) {
    (void)state;
    assert_runs(0, "");
    assert_contains(output, "hub         fake (emulated), firmware ");
    assert_contains(output, "protocol 1.0, number 66616B6520626F6172642031");
    assert_contains(output, "clock       stamps to 11.9 ns, 20000 steps/s at most");
    assert_contains(output, "axes        x 0 (not trusted) idle, current off");
    assert_contains(output, "imu      ");
    assert_contains(output, "errors      none");
    assert_null(strstr(output, "crash"));
}

static void json_is_one_object(void **state) {
    (void)state;
    assert_runs(0, "--json");
    json_t *object = json_loads(output, 0, NULL);
    assert_non_null(object);
    const json_t *who = json_object_get(object, "hub");
    assert_string_equal(json_string_value(json_object_get(who, "board")), "fake");
    assert_int_equal(json_integer_value(json_object_get(who, "protocol_major")), 1);
    const json_t *status = json_object_get(object, "status");
    assert_true(json_real_value(json_object_get(status, "uptime_s")) > 0.0);
    assert_int_equal(json_integer_value(json_object_get(status, "dropped")), 0);
    assert_int_equal(json_object_size(json_object_get(status, "bytes_lost")), 5);
    assert_int_equal(json_object_size(json_object_get(object, "sensors")), 4);
    const json_t *axes = json_object_get(object, "axes");
    assert_int_equal(json_object_size(axes), 3);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(axes, "turntable"), "state")), "idle");
    assert_true(json_is_null(json_object_get(object, "crash")));
    assert_int_equal(json_array_size(json_object_get(object, "errors")), 0);
    json_decref(object);
}

static void the_radar_is_configured(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "radar '%s'", test_path("good.cfg"));
    assert_runs(0, text);
    assert_contains(output, "good.cfg: 5 lines, each answered by the radar");
    snprintf(text, sizeof text, "radar '%s' --reset -v", test_path("good.cfg"));
    assert_runs(0, text);
    assert_contains(output, "radar: xWR14xx MMW Demo");
    assert_contains(output, "radar: Done");
}

static void a_refused_line_is_named(void **state) {
    (void)state;
    static const struct {
        const char *cfg, *part;
    } refused[] = {
        {"% one\nsensorStop\n\nchanelCfg 15 7 0\nsensorStart\n",
         ": line 4: the radar refused 'chanelCfg 15 7 0'; it printed: chanelCfg 15 7 0 | "
         "'chanelCfg' is not recognized as a CLI command"},
        {"profileCfg 9 77\n",
         ": line 1: the radar refused 'profileCfg 9 77'; it printed: profileCfg 9 77 | Error: "
         "profile id is above 3"},
        {"% only\n\n   \n", ": has no line for the radar"},
    };
    char text[1024];
    snprintf(text, sizeof text, "radar '%s'", test_path("bad.cfg"));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        test_write_file("bad.cfg", refused[i].cfg, strlen(refused[i].cfg));
        assert_fails(1, text, refused[i].part);
    }
    assert_fails(1, "radar /none.cfg", "/none.cfg: No such file or directory");
    assert_fails(1, "radar /dev/zero", "longer than the 6144 bytes");
    assert_fails(2, "radar a.cfg --timeout 5", "expected a time with its unit");
    assert_runs(0, "");
    assert_contains(output, "errors      the radar refused a line (line 4)");
    assert_runs(0, "clear");
    assert_string_equal(output, "1 error cleared\n");
}

static void nothing_moves_before_it_is_set_up(void **state) {
    (void)state;
    assert_fails(1, "move x 100steps",
                 "nfsar: x: move of an axis refused: the axis has no settings yet");
    assert_fails(1, "home y", "nfsar: y: homing of an axis refused: ");
    assert_fails(1, "trigger period 10ms",
                 "arming of triggers refused: the radar's frame time was not set");
    assert_fails(1, "scan raster --columns 3 --pitch 10steps", "scan program refused: ");
}

static void axes_home_and_move(void **state) {
    (void)state;
    set_up();
    assert_contains(output, "x           80000 steps per m, 100 mm/s = 8000 steps/s");
    assert_contains(output, "radar       at most a frame each 5 ms, pulses of 5 us");
    assert_runs(0, "home x y");
    assert_string_equal(output, "x 800 idle\ny 800 idle\n");
    assert_runs_with_rig(0, "move x 20mm");
    assert_string_equal(output, "x 1600 idle, at 20.000 mm\n");
    /* Where it stands already, and without a rig. */
    assert_runs(0, "move x 1600steps");
    assert_string_equal(output, "x 1600 idle\n");
    assert_runs_with_rig(0, "move y 1.5cm --speed 50mm/s");
    assert_string_equal(output, "y 1200 idle, at 15.000 mm\n");
    assert_runs_with_rig(0, "place turntable -90deg");
    assert_runs_with_rig(0, "move turntable 0.025turns");
    assert_string_equal(output, "turntable 400 idle, at 9.000 deg\n");
    assert_runs_with_rig(1, "move x 600mm");
    assert_contains(output, "x: move of an axis refused: the target is outside the limits of the "
                            "axis");
    assert_runs_with_rig(1, "move x 30mm --speed 500mm/s");
    assert_runs(0, "stop x");
    assert_runs(0, "stop");
}

static void a_scan_is_made(void **state) {
    (void)state;
    assert_runs_with_rig(0, "scan serpentine --columns 30 --pitch 1mm --first 20mm --rows 3 "
                            "--row-pitch 2mm --row-first 10mm --check");
    assert_contains(output,
                    "plan        90 triggers: 3 rows of 30 points, 8000 steps/s = 100 mm/s;");
    assert_runs_with_rig(0, "scan serpentine --columns 30 --pitch 1mm --first 20mm --rows 3 "
                            "--row-pitch 2mm --row-first 10mm");
    assert_contains(output, "finished: 90 of 90 triggers, 90 records of them came, 0 records lost");
    assert_runs_with_rig(0, "scan raster --stop --repeats 2 --settle 10ms --columns 3 --pitch 1mm "
                            "--first 20mm --row-first 10mm");
    assert_contains(output, "finished: 6 of 6 triggers, 6 records of them came");
    assert_runs_with_rig(1, "scan raster --columns 30 --pitch 0.1mm --first 20mm --speed 100mm/s "
                            "--row-first 10mm");
    assert_contains(output, "at that speed columns come before the radar is ready");
    assert_runs_with_rig(1, "scan raster --columns 3 --pitch 1mm --first 20mm --row-pitch -10mm "
                            "--rows 4 --row-first 10mm");
    assert_contains(output, "outside the limits of the axis: points at x 20 to 22 mm, with the way "
                            "to gather speed at both ends (--first), y 10 to -20 mm (--row-first)");
    assert_runs(0, "trigger one");
    assert_runs(0, "trigger stop");
    assert_runs(0, "trigger period 10ms --count 3");
    assert_runs(0, "trigger stop");
    assert_runs(0, "trigger period 50ms");
    assert_fails(1, "trigger one", "triggers are armed already");
    assert_runs(0, "trigger stop");
    assert_runs(0, "scan stop");
}

static void ctrl_c_ends_what_runs(void **state) {
    (void)state;
    char command[4096];
    const char *nfsar = getenv("NFSAR_COMMAND");
    static const char *const forms[] = {
        "watch", "move x 470mm --speed 20mm/s",
        "scan raster --columns 30 --pitch 1mm --first 20mm --rows 200 --row-pitch 1mm "
        "--row-first 10mm"};
    static const char *const says[] = {"imu ", "interrupted: x was brought to a stand at step ",
                                       "the scan was broken off in row "};
    for (size_t i = 0; i < 3; i++) {
        if (i == 2) {
            assert_runs(0, "home x"); /* after the interrupted move, so that it stands */
        }
        snprintf(command, sizeof command, "timeout -k 20 -s INT 3 '%s' hub '%s' %s%s%s%s 2>&1",
                 nfsar, port, forms[i], i > 0 ? " --rig '" : "", i > 0 ? rig : "",
                 i > 0 ? "'" : "");
        FILE *pipe = popen(command, "r");
        assert_non_null(pipe);
        const size_t n = fread(output, 1, sizeof output - 1, pipe);
        output[n] = '\0';
        /* 124: timeout's word for its signal, and that it was enough. */
        assert_int_equal(WEXITSTATUS(pclose(pipe)), 124);
        assert_contains(output, says[i]);
    }
    assert_runs(0, "");
    assert_contains(output, "a scan was broken off (row ");
    assert_contains(output, ": by command)");
    assert_runs(0, "clear");
}

static void an_emergency_stops_all(void **state) {
    (void)state;
    assert_runs(0, "emergency");
    assert_contains(output, "stopped");
    assert_fails(1, "move x 1000steps", "the emergency stop is pressed, or not released");
    assert_runs(0, "");
    assert_contains(output, "stage       EMERGENCY STOP");
    assert_contains(output, "emergency stop");
    assert_runs(0, "emergency release");
    assert_contains(output, "released; `clear`");
    assert_runs(0, "clear");
    assert_runs(0, "enable x on");
    assert_runs(0, "enable x off");
    assert_runs(0, "home x");
}

static void watching_tells_rates(void **state) {
    (void)state;
    assert_runs(0, "watch --for 2");
    assert_contains(output, "     1.0 s ");
    assert_contains(output, " imu ");
    assert_contains(output, "lost 0 (0 dropped on the hub), garbled 0");
}

/* The test's own fault: there is no form of the command for it. */
static void crash_hub(void) {
    nfsar_hub *open = NULL;
    nfsar_error error;
    const struct nfsar_wire_do_inject inject = {.magic = NFSAR_WIRE_MAGIC,
                                                .fault = NFSAR_WIRE_FAULT_BUS};
    uint8_t payload[NFSAR_WIRE_DO_INJECT_BYTES];
    assert_ok(nfsar_hub_open(port, NULL, &open, &error), error);
    assert_ok(nfsar_hub_do(open, NFSAR_WIRE_DO_INJECT, 0, payload,
                           nfsar_wire_pack_do_inject(payload, &inject), NULL, &error),
              error);
    for (int i = 0; i < 100 && !nfsar_hub_restarted(open); i++) {
        assert_ok(nfsar_hub_listen(open, 100, &error), error);
    }
    assert_true(nfsar_hub_restarted(open));
    nfsar_hub_close(open);
}

static void a_crash_says_where(void **state) {
    (void)state;
    assert_runs(0, "crash");
    assert_string_equal(output, "no crash is recorded\n");
    crash_hub();
    assert_runs(0, "");
    assert_contains(output, "errors      the hub had crashed; its crash record says where (pc "
                            "0x08001234)");
    assert_contains(output, "crash       hard fault, ");
    assert_contains(output, "; 1 crash since power came");
    assert_contains(output, "pc 08001234  lr 08000567");
    assert_contains(output, "arm-none-eabi-addr2line -fe hub-fake.elf 0x08001234 0x08000564");
    assert_runs(0, "--json");
    json_t *object = json_loads(output, 0, NULL);
    const json_t *crash = json_object_get(object, "crash");
    assert_int_equal(json_integer_value(json_object_get(crash, "pc")), 0x08001234);
    json_decref(object);
    assert_runs(0, "crash --forget");
    assert_runs(0, "crash");
    assert_string_equal(output, "no crash is recorded\n");
    assert_runs(0, "restart");
    assert_string_equal(output, "restarted; 3 starts since power came\n");
}

static void wrong_usage_is_said(void **state) {
    (void)state;
    assert_fails(2, "bogus", "there is no form 'bogus'");
    assert_fails(2, "move z 3mm", "there is no axis 'z'; x, y or turntable");
    assert_fails(2, "move x", "too few arguments");
    assert_fails(2, "move x 12", "expected a length with its unit, such as 120mm");
    assert_fails(2, "move x 12mm", "--rig RIG.yaml says so");
    assert_fails(2, "move x 12deg", "x is moved by m, cm, mm or steps");
    assert_fails(2, "move turntable 12mm", "turntable is turned by deg, turns or steps");
    assert_fails(2, "move x 1e99steps", "more than 2^30");
    assert_fails(2, "move x nansteps", "expected a length");
    assert_fails(2, "move x 10steps --speed 5", "expected a speed above 0 with its unit");
    assert_fails(2, "home", "give the axes");
    assert_fails(2, "home w", "there is no axis 'w'");
    assert_fails(2, "enable x maybe", "expected on or off");
    assert_fails(2, "emergency relax", "expected release, or nothing");
    assert_fails(2, "trigger", "expected one, period TIME, or stop");
    assert_fails(2, "trigger period 5s", "below 4.29 s");
    assert_fails(2, "trigger period 10mm", "expected a time with its unit");
    assert_fails(2, "scan zigzag --columns 3", "expected raster, serpentine, turntable or stop");
    assert_fails(2, "scan raster", "--columns has to be given");
    assert_fails(2, "scan raster --columns 3 --repeats 2", "add --stop");
    assert_fails(2, "scan turntable --columns 3", "give the steps of a whole turn");
    assert_fails(2, "scan raster --columns 3 --backlash -3steps", "cannot be negative");
    assert_fails(2, "watch --for 0", "expected a time above 0");
    assert_fails(2, "watch --for 1mm", "expected a time with its unit");
    assert_fails(2, "crash --remember", "there is no option --remember");
    assert_fails(1, "setup /dev/null", "/dev/null");
    assert_int_equal(test_command(output, sizeof output, "hub"), 2);
    assert_contains(output, "give the port of the hub");
    assert_int_equal(test_command(output, sizeof output, "hub watch"), 2);
    assert_contains(output, "give the port of the hub first: nfsar hub usb ..., or nfsar hub PORT");
    assert_int_equal(test_command(output, sizeof output, "hub --help"), 0);
    assert_contains(output, "PORT scan raster|serpentine|turntable|stop");
    assert_int_equal(test_command(output, sizeof output, "hub /dev/none"), 1);
    assert_contains(output, "nfsar: /dev/none: No such file or directory; ");
}

static void talk_nonsense(struct peer *peer) {
    struct nfsar_wire_message command;
    while (!peer->ended) {
        peer_send(peer, "mmwDemo:/>\r\nunknown command\r\n", 29);
        peer_hear(peer, &command, 20);
    }
}

static void another_major(struct peer *peer) {
    struct nfsar_wire_message command;
    while (peer_hear(peer, &command, 20000)) {
        peer_reply(peer, &command, NFSAR_WIRE_RESULT_VERSION, 2, NULL, 0);
    }
}

static void what_is_no_hub_is_said(void **state) {
    (void)state;
    peer_script *const scripts[] = {talk_nonsense, another_major};
    static const char *const parts[] = {"something else than the hub speaks here",
                                        "the hub speaks version 2 of the protocol"};
    for (size_t i = 0; i < 2; i++) {
        struct peer peer;
        peer_begin(&peer, scripts[i], NULL);
        assert_int_equal(test_command(output, sizeof output, "hub '%s'", peer.path), 1);
        assert_contains(output, parts[i]);
        assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
        peer_end(&peer);
    }
}

int main(void) {
    if (getenv("NFSAR_HUB_ON_HOST") == NULL) {
        printf("NFSAR_HUB_ON_HOST names no program\n");
        return TEST_SKIPPED;
    }
    /* One hub for all: each goes on where the one before ended. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hub_says_who_it_is),
        cmocka_unit_test(json_is_one_object),
        cmocka_unit_test(the_radar_is_configured),
        cmocka_unit_test(a_refused_line_is_named),
        cmocka_unit_test(nothing_moves_before_it_is_set_up),
        cmocka_unit_test(axes_home_and_move),
        cmocka_unit_test(a_scan_is_made),
        cmocka_unit_test(ctrl_c_ends_what_runs),
        cmocka_unit_test(an_emergency_stops_all),
        cmocka_unit_test(watching_tells_rates),
        cmocka_unit_test(a_crash_says_where),
        cmocka_unit_test(wrong_usage_is_said),
        cmocka_unit_test(what_is_no_hub_is_said),
    };
    return cmocka_run_group_tests(tests, start_hub, stop_hub);
}
