/* A .cfg on its way to the radar: by its own serial port, where a thread plays it, and through the
 * hub's firmware on this computer. */
#include "host/radar/control.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/radar/emulated_radar.h"
#include "tests/support.h"

static const char lines[] = "% a comment\r\n"
                            "\r\n"
                            "sensorStop\r\n"
                            "flushCfg\r\n"
                            "dfeDataOutputMode 1 % frames\r\n"
                            "channelCfg 15 5 0\r\n"
                            "adcCfg 2 1\r\n"
                            "adcbufCfg 0 0 0 1\r\n"
                            "profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30\r\n"
                            "chirpCfg 0 0 0 0 0 0 0 1\r\n"
                            "frameCfg 0 0 1 0 5 2 0\r\n"
                            "sensorStart\r\n";

/* What of them goes to the radar before its start. */
static const char sent[] = "sensorStop\nflushCfg\ndfeDataOutputMode 1\nchannelCfg 15 5 0\n"
                           "adcCfg 2 1\nadcbufCfg 0 0 0 1\n"
                           "profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30\n"
                           "chirpCfg 0 0 0 0 0 0 0 1\nframeCfg 0 0 1 0 5 2 0\n";

static void load(const char *text, struct ti_cfg *cfg) {
    nfsar_error error;
    assert_ok(ti_cfg_parse("radar.cfg", text, strlen(text), cfg, &error), error);
}

/* Patience for a busy computer, where an answer comes. */
static struct radar_control_options patient(const struct emulated_radar *radar) {
    return (struct radar_control_options){.port = radar->path, .timeout_ms = 10000};
}

static void lines_go_one_by_one(void **state) {
    (void)state;
    struct emulated_radar radars[] = {{.prompt = NULL},
                                      {.prompt = "CaptureDemo:/>", .no_echo = true},
                                      {.delay_ms = 20, .note = "Debug: Init \x01\xff\n\r"}};
    for (size_t i = 0; i < sizeof radars / sizeof radars[0]; i++) {
        struct emulated_radar *radar = &radars[i];
        struct radar_control *control = NULL;
        struct ti_cfg cfg;
        nfsar_error error;
        load(lines, &cfg);
        emulated_radar_begin(radar);
        const struct radar_control_options options = patient(radar);
        assert_ok(radar_open(&options, &control, &error), error);
        assert_ok(radar_send(control, &cfg, &error), error);
        assert_ok(radar_start(control, &cfg, &error), error);
        assert_ok(radar_start(control, NULL, &error), error);
        assert_ok(radar_stop(control, &error), error);
        radar_record(control, NULL); /* nothing to do with this way */
        radar_close(control);
        emulated_radar_end(radar);
        ti_cfg_free(&cfg);
        char want[1024];
        snprintf(want, sizeof want, "%ssensorStart\nsensorStart\nsensorStop\n", sent);
        assert_string_equal(radar->heard, want);
    }
    radar_close(NULL);
    radar_record(NULL, NULL);
}

static void keep_said(void *context, const char *text) {
    strcat(context, text);
    strcat(context, "\n");
}

/* What the radar prints is told without echo and prompt, made printable. */
static void said_lines_are_told(void **state) {
    (void)state;
    struct emulated_radar radar = {.note = "Debug: \x01\xff\n\r"};
    struct radar_control *control = NULL;
    nfsar_error error;
    char said[512] = "";
    emulated_radar_begin(&radar);
    struct radar_control_options options = patient(&radar);
    options.said = keep_said;
    options.context = said;
    assert_ok(radar_open(&options, &control, &error), error);
    assert_ok(radar_stop(control, &error), error);
    radar_close(control);
    emulated_radar_end(&radar);
    assert_string_equal(said, "Debug: ??\nDone\n");
}

static void refused_lines_are_quoted(void **state) {
    (void)state;
    static const struct {
        const char *text, *refused, *part;
        size_t heard; /* lines, the refused one among them */
    } cases[] = {
        {lines, "profileCfg",
         "radar.cfg: line 9: the radar refused 'profileCfg 0 77 7 6 39 0 0 100 0 64 2000 0 0 30'; "
         "it printed: Error -1",
         7},
        {"sensorStop\n\nlvdsStreamCfg -1 0 1 0\nflushCfg\n", NULL,
         "radar.cfg: line 3: the radar refused 'lvdsStreamCfg -1 0 1 0'; it printed: "
         "'lvdsStreamCfg' is not recognized as a CLI command; this firmware has no LVDS stream",
         2},
        {"guiMonitor 1\n", NULL, "; the radar's firmware has no such command", 1},
        {"adcbufCfg -1 0 0 0 1\n", NULL,
         "line 1: the radar refused 'adcbufCfg -1 0 0 0 1'; it printed: Error: Invalid usage of "
         "the CLI command; adcbufCfg has 4 values in SDK 1",
         1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct emulated_radar radar = {.refused = cases[i].refused};
        struct radar_control *control = NULL;
        struct ti_cfg cfg;
        nfsar_error error;
        load(cases[i].text, &cfg);
        emulated_radar_begin(&radar);
        const struct radar_control_options options = patient(&radar);
        assert_ok(radar_open(&options, &control, &error), error);
        assert_int_equal(radar_send(control, &cfg, &error), NFSAR_ERROR_REFUSED);
        assert_contains(error.message, cases[i].part);
        /* The rest of the answer does not count for the next line. */
        assert_ok(radar_stop(control, &error), error);
        radar_close(control);
        emulated_radar_end(&radar);
        ti_cfg_free(&cfg);
        size_t heard = 0;
        for (const char *c = radar.heard; *c != '\0'; c++) {
            heard += *c == '\n';
        }
        assert_int_equal(heard, cases[i].heard + 1);
    }
}

static void a_refused_start_is_quoted(void **state) {
    (void)state;
    struct emulated_radar radar = {.refused = "sensorStart", .note = "Error: no frameCfg\n\r"};
    struct radar_control *control = NULL;
    struct ti_cfg cfg;
    nfsar_error error;
    load("sensorStart\n", &cfg);
    emulated_radar_begin(&radar);
    const struct radar_control_options options = patient(&radar);
    assert_ok(radar_open(&options, &control, &error), error);
    assert_int_equal(radar_start(control, &cfg, &error), NFSAR_ERROR_REFUSED);
    assert_contains(error.message, "radar.cfg: line 1: the radar refused 'sensorStart'; it "
                                   "printed: Error: no frameCfg; sensorStart refuses what");
    assert_int_equal(radar_start(control, NULL, &error), NFSAR_ERROR_REFUSED);
    assert_contains(error.message, "the radar refused 'sensorStart'");
    assert_null(strstr(error.message, "radar.cfg"));
    /* Nothing but sensorStart is nothing to send. */
    assert_int_equal(radar_send(control, &cfg, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "radar.cfg: has no line for the radar");
    radar_close(control);
    emulated_radar_end(&radar);
    ti_cfg_free(&cfg);
}

static void silence_is_named(void **state) {
    (void)state;
    struct radar_control *control = NULL;
    nfsar_error error;
    struct ti_cfg cfg;
    load(lines, &cfg);

    struct emulated_radar mute = {.silent = true};
    emulated_radar_begin(&mute);
    struct radar_control_options options = {.port = mute.path, .timeout_ms = 80};
    assert_int_equal(radar_open(&options, &control, &error), NFSAR_ERROR_DEVICE);
    assert_null(control);
    assert_contains(error.message, mute.path);
    assert_contains(error.message, "the radar shows no prompt within 80 ms; is it powered");
    emulated_radar_end(&mute);

    struct emulated_radar noisy = {.noise = true};
    emulated_radar_begin(&noisy);
    options.port = noisy.path;
    options.timeout_ms = 400;
    assert_int_equal(radar_open(&options, &control, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "bytes came within 400 ms, and no radar's prompt");
    emulated_radar_end(&noisy);

    struct emulated_radar falls = {.unanswered = "channelCfg"};
    emulated_radar_begin(&falls);
    options = patient(&falls);
    assert_ok(radar_open(&options, &control, &error), error);
    radar_close(control);
    options.timeout_ms = 1000;
    assert_ok(radar_open(&options, &control, &error), error);
    assert_int_equal(radar_send(control, &cfg, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message,
                    "radar.cfg: line 6: the radar did not answer 'channelCfg 15 5 0' within 1");
    assert_int_equal(radar_stop(control, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, "may hang in sensorStop: reset it");
    radar_close(control);
    emulated_radar_end(&falls);
    ti_cfg_free(&cfg);
}

static void a_lost_port_is_named(void **state) {
    (void)state;
    struct emulated_radar radar = {.vanishes = "profileCfg"};
    struct radar_control *control = NULL;
    struct ti_cfg cfg;
    nfsar_error error;
    load(lines, &cfg);
    emulated_radar_begin(&radar);
    struct radar_control_options options = patient(&radar);
    assert_ok(radar_open(&options, &control, &error), error);
    assert_int_equal(radar_send(control, &cfg, &error), NFSAR_ERROR_DEVICE);
    assert_contains(error.message, radar.path);
    assert_contains(error.message, "the radar is gone");
    assert_int_equal(radar_stop(control, &error), NFSAR_ERROR_DEVICE);
    radar_close(control);
    emulated_radar_end(&radar);
    ti_cfg_free(&cfg);
    options.port = "/dev/ttyNONE";
    assert_int_equal(radar_open(&options, &control, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "/dev/ttyNONE: No such file");
    options.port = NULL;
    assert_int_equal(radar_open(&options, &control, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "neither a serial port nor a hub");
}

static bool at_once(void *context) {
    return ++*(unsigned *)context > 5;
}

static void waiting_can_be_ended(void **state) {
    (void)state;
    struct emulated_radar radar = {.silent = true};
    struct radar_control *control = NULL;
    nfsar_error error;
    unsigned asked = 0;
    emulated_radar_begin(&radar);
    struct radar_control_options options = patient(&radar);
    options.timeout_ms = 60000;
    options.cancelled = at_once;
    options.context = &asked;
    assert_int_equal(radar_open(&options, &control, &error), NFSAR_ERROR_CANCELLED);
    assert_string_equal(error.message, "interrupted");
    emulated_radar_end(&radar);
}

/* ---- through the hub ------------------------------------------------------------------------- */

static pid_t hub_process;

static int start_hub(void **state) {
    (void)state;
    const char *program = getenv("NFSAR_HUB_ON_HOST"), *port = test_path("hub");
    hub_process = fork();
    if (hub_process == 0) {
        execl(program, program, port, "120", (char *)NULL);
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
    kill(hub_process, SIGTERM);
    return waitpid(hub_process, &status, 0) == hub_process ? 0 : -1;
}

static bool hand_on(void *context, const struct nfsar_wire_message *record) {
    radar_record(*(struct radar_control **)context, record);
    return true;
}

static void the_hub_passes_on(void **state) {
    (void)state;
    struct radar_control *control = NULL;
    nfsar_hub *hub = NULL;
    nfsar_error error;
    struct ti_cfg cfg;
    char said[2048] = "";
    const struct nfsar_hub_options hub_options = {
        .record = hand_on, .context = &control, .timeout_ms = 2000};
    assert_ok(nfsar_hub_open(test_path("hub"), &hub_options, &hub, &error), error);
    struct radar_control_options options = {
        .hub = hub, .timeout_ms = 10000, .said = keep_said, .context = said};
    assert_ok(radar_open(&options, &control, &error), error);
    load(lines, &cfg);
    assert_ok(radar_send(control, &cfg, &error), error);
    assert_contains(said, "dfeDataOutputMode 1\nDone\nchannelCfg 15 5 0\nDone\n");
    assert_null(strstr(said, "sensorStart"));
    assert_ok(radar_start(control, &cfg, &error), error);
    assert_contains(said, "sensorStart\nDone\n");
    assert_ok(radar_stop(control, &error), error);
    ti_cfg_free(&cfg);
    /* The number is that of the file's line, though the hub got other lines. */
    load("% one\n\nsensorStop % two\nsensorStart\nchanelCfg 1\nflushCfg\n", &cfg);
    assert_int_equal(radar_send(control, &cfg, &error), NFSAR_ERROR_REFUSED);
    assert_contains(error.message, "radar.cfg: line 5: the radar refused 'chanelCfg 1'; it "
                                   "printed: chanelCfg 1 | 'chanelCfg' is not recognized as a CLI "
                                   "command; the radar's firmware has no such command");
    ti_cfg_free(&cfg);
    /* Longer than the hub has room for. */
    const size_t most = nfsar_hub_hello(hub)->radar_bytes;
    char *text = malloc(most + 1);
    assert_non_null(text);
    memset(text, '\n', most + 1);
    memcpy(text, "flushCfg", 8);
    assert_int_equal(radar_send_text(control, "long.cfg", text, most + 1, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "more than the 6144 that the hub has room for");
    assert_ok(radar_send_text(control, "long.cfg", text, most, &error), error);
    free(text);
    radar_close(control);
    control = NULL;
    nfsar_hub_close(hub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_go_one_by_one),
        cmocka_unit_test(said_lines_are_told),
        cmocka_unit_test(refused_lines_are_quoted),
        cmocka_unit_test(a_refused_start_is_quoted),
        cmocka_unit_test(silence_is_named),
        cmocka_unit_test(a_lost_port_is_named),
        cmocka_unit_test(waiting_can_be_ended),
        cmocka_unit_test_setup_teardown(the_hub_passes_on, start_hub, stop_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
