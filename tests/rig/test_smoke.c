/* nfsar-rig as a whole, with the hub on this computer: a scan by `nfsar hub` and the hub's line,
 * the card's bytes and the hub's triggers against the truth. The examples of docs/examples are
 * used. */
#include <complex.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nfsar/dca1000.h>
#include <nfsar/file.h>
#include <nfsar/hub.h>
#include <nfsar/import.h>
#include <nfsar/scene.h>

#include "host/session/session.h"
#include "tests/support.h"

enum { COLUMNS = 20, ROWS = 2, PULSES = COLUMNS * ROWS, START_MS = 60000, FRAME_MS = 60000 };

/* ---- examples, made small and quick ---- */

struct change {
    const char *from, *to;
};

static void change(char *text, size_t size, const struct change *what) {
    char *at = strstr(text, what->from);
    char rest[8192];
    assert_non_null(at);
    snprintf(rest, sizeof rest, "%s", at + strlen(what->from));
    const int n = snprintf(at, size - (size_t)(at - text), "%s%s", what->to, rest);
    assert_true(n > 0 && (size_t)n < size - (size_t)(at - text));
}

/* docs/examples/NAME into the test's folder. */
static void example(const char *name, const struct change *changes, size_t n) {
    char path[512], text[8192] = "";
    const char *source = getenv("NFSAR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/examples/%s", source != NULL ? source : ".", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    for (size_t i = 0; i < n; i++) {
        change(text, sizeof text, &changes[i]);
    }
    test_write_file(name, text, strlen(text));
}

static void write_examples(void) {
    const char *hub = test_path("rig/hub");
    const struct change session[] = {{"127.0.0.2", "127.0.71.2"},
                                     {"127.0.0.1", "127.0.71.1"},
                                     {"emulated/hub", hub},
                                     {"positions: 50", "positions: 20"},
                                     {"rows: 10", "rows: 2"}};
    const struct change stage[] = {{"back_m: 0.01", "back_m: 0.001"},
                                   {"back_m: 0.01", "back_m: 0.001"}};
    example("session-emulated.yaml", session, sizeof session / sizeof *session);
    example("stage-scanner.yaml", stage, 2);
    example("scene-emulated.yaml", NULL, 0);
    example("radar-stage.cfg", NULL, 0);
}

/* ---- the program ---- */

struct program {
    pid_t pid;
    int output;
    char text[4096];
    size_t n;
};

static void begin(struct program *program) {
    int ends[2];
    *program = (struct program){0};
    assert_int_equal(pipe(ends), 0);
    program->pid = fork();
    assert_true(program->pid >= 0);
    if (program->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execl(getenv("NFSAR_RIG_PROGRAM"), "nfsar-rig", test_path("session-emulated.yaml"),
              test_path("scene-emulated.yaml"), "--truth", test_path("truth.h5"), "--tracker",
              test_path("tracker.csv"), "--seconds", "300", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    program->output = ends[0];
}

static void hear(struct program *program, const char *what) {
    while (strstr(program->text, what) == NULL) {
        struct pollfd wait = {.fd = program->output, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, START_MS), 1);
        const ssize_t came = read(program->output, program->text + program->n,
                                  sizeof program->text - 1 - program->n);
        if (came <= 0) {
            fail_msg("nfsar-rig ended, after: %s", program->text);
        }
        program->n += (size_t)came;
    }
}

static void end(struct program *program) {
    int status = 0;
    kill(program->pid, SIGTERM);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(program->output);
}

static void hub_does(const char *format, const char *more) {
    char output[2048], command[512];
    snprintf(command, sizeof command, format, more);
    if (test_command(output, sizeof output, "hub %s %s", test_path("rig/hub"), command) != 0) {
        fail_msg("nfsar hub %s: %s", command, output);
    }
}

/* ---- the scan ---- */

struct scan {
    struct nfsar_wire_trigger trigger[PULSES];
    uint64_t time_ns[PULSES];
    size_t triggers;
    bool over;
};

static bool take(void *context, const struct nfsar_wire_message *record) {
    struct scan *scan = context;
    struct nfsar_wire_program program;
    if (record->header.kind == NFSAR_WIRE_TRIGGER && scan->triggers < PULSES) {
        assert_true(nfsar_wire_unpack_trigger(&scan->trigger[scan->triggers], record->payload,
                                              record->bytes));
        scan->time_ns[scan->triggers++] = record->header.time_ns;
    }
    if (record->header.kind == NFSAR_WIRE_PROGRAM &&
        nfsar_wire_unpack_program(&program, record->payload, record->bytes)) {
        scan->over = program.state == NFSAR_WIRE_PROGRAM_FINISHED ||
                     program.state == NFSAR_WIRE_PROGRAM_ABORTED;
    }
    return !scan->over;
}

static void make_scan(const struct session *session, struct scan *scan) {
    const struct nfsar_hub_options options = {.record = take, .context = scan, .timeout_ms = 5000};
    struct nfsar_wire_do_program_load load;
    uint8_t payload[NFSAR_WIRE_DO_PROGRAM_LOAD_BYTES];
    nfsar_hub *hub = NULL;
    nfsar_error error;
    assert_ok(nfsar_hub_open(session->hub_port, &options, &hub, &error), error);
    session_program(session, &load);
    assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_PROGRAM_LOAD, 0, payload,
                           nfsar_wire_pack_do_program_load(payload, &load), NULL, &error),
              error);
    assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_PROGRAM_START, 0, NULL, 0, NULL, &error), error);
    for (int i = 0; i < 600 && !scan->over; i++) {
        assert_ok(nfsar_hub_listen(hub, 100, &error), error);
    }
    nfsar_hub_close(hub);
    assert_true(scan->over);
    assert_int_equal(scan->triggers, PULSES);
}

/* ---- against the truth ---- */

static void assert_frames(nfsar_dca1000 *card, const nfsar_capture *truth) {
    float complex chirp[4 * 64];
    nfsar_error error;
    for (size_t pulse = 0; pulse < PULSES; pulse++) {
        const struct nfsar_dca1000_frame *frame = NULL;
        assert_ok(nfsar_dca1000_next(card, FRAME_MS, &frame, &error), error);
        assert_non_null(frame);
        assert_int_equal(frame->number, pulse);
        assert_int_equal(frame->missing_bytes, 0);
        for (size_t i = 0; i < 2; i++) {
            assert_ok(nfsar_raw_decode_chirp(NFSAR_RAW_4LANE, false, 4, 64,
                                             frame->data + i * 4 * 64 * 4, chirp, &error),
                      error);
            assert_memory_equal(chirp, truth->echo + (pulse * 2 + i) * 4 * 64, sizeof chirp);
        }
    }
}

static void assert_triggers(const struct session *session, const struct scan *scan,
                            const nfsar_capture *truth) {
    assert_int_equal(truth->n_pulse, PULSES);
    for (size_t i = 0; i < PULSES; i++) {
        int32_t planned[3];
        session_trigger_steps(session, i, planned);
        assert_int_equal(scan->trigger[i].number, i);
        assert_near(truth->time_s[i], (double)scan->time_ns[i] * 1e-9, 1e-12);
        const nfsar_pose pose = session_stage_pose(session, scan->trigger[i].position);
        const nfsar_pose is = nfsar_track_pose(truth->pose_time_s, truth->pose, truth->n_pose,
                                               truth->time_s[i], NULL);
        assert_near(nfsar_vec3_distance(pose.position, is.position), 0.0, 1e-12);
        assert_int_equal(scan->trigger[i].position[0], planned[0]);
        assert_int_equal(scan->trigger[i].position[1], planned[1]);
    }
}

/* The truth's own header gives the truth's samples, to half of the last bit. */
static void assert_physics(const nfsar_capture *truth) {
    nfsar_scene *scene = NULL;
    nfsar_error error;
    assert_ok(nfsar_scene_open(test_path("scene-emulated.yaml"), NULL, &scene, &error), error);
    size_t n = 0;
    const nfsar_scatterer *scatterers = nfsar_scene_scatterers(scene, &n);
    const nfsar_simulation_options physics = nfsar_scene_physics(scene);
    const size_t values = truth->n_pulse * truth->array.n_channel * truth->n_sample;
    float complex *echo = malloc(values * sizeof *echo);
    assert_non_null(echo);
    assert_ok(nfsar_simulate(truth, scatterers, n, &physics, 0, truth->n_pulse, echo, NULL, &error),
              error);
    double scale = 0.0, peak = 0.0, worst = 0.0;
    const char *text = strstr(truth->provenance[0], "a sample is ");
    assert_non_null(text);
    assert_int_equal(sscanf(text, "a sample is %lf times", &scale), 1);
    for (size_t i = 0; i < values; i++) {
        const double complex off = scale * (double complex)echo[i] - (double complex)truth->echo[i];
        worst = fmax(worst, fmax(fabs(creal(off)), fabs(cimag(off))));
        peak = fmax(peak, cabs((double complex)truth->echo[i]));
    }
    assert_true(worst < 0.7); /* half a bit, and 1e-5 of 8000 */
    assert_near(peak, 8000.0, 400.0);
    free(echo);
    nfsar_scene_close(scene);
}

static void a_scan_is_what_it_says(void **state) {
    (void)state;
    static struct program program;
    static struct scan scan;
    struct session *session = NULL;
    nfsar_dca1000 *card = NULL;
    nfsar_capture truth;
    nfsar_error error;
    write_examples();
    begin(&program);
    hear(&program, "ready: hub ");
    assert_contains(program.text, "card 127.0.71.2:4096 -> 127.0.71.1:4098\n");
    assert_ok(session_load(test_path("session-emulated.yaml"), &session, &error), error);
    assert_ok(nfsar_dca1000_open(&session->card, &card, &error), error);
    assert_ok(nfsar_dca1000_configure(card, &error), error);
    assert_ok(nfsar_dca1000_start(card, session->radar.frame.bytes, &error), error);
    hub_does("radar %s --reset --timeout 20s", test_path("radar-stage.cfg"));
    hub_does("setup %s", test_path("stage-scanner.yaml"));
    hub_does("home x y", "");
    make_scan(session, &scan);
    assert_ok(nfsar_dca1000_stop(card, 0, &error), error);
    test_write_file("stop.cfg", "sensorStop\n", 11);
    hub_does("radar %s", test_path("stop.cfg"));
    hear(&program, "truth of 40 triggers");
    assert_ok(nfsar_capture_load(test_path("truth.h5"), &truth, &error), error);
    assert_frames(card, &truth);
    assert_triggers(session, &scan, &truth);
    assert_physics(&truth);
    nfsar_capture_free(&truth);
    nfsar_dca1000_close(card);
    session_free(session);
    end(&program);
    assert_int_not_equal(access(test_path("rig"), F_OK), 0); /* it made it, and took it away */
}

/* A line of the tracker each millisecond, whole. */
static void the_tracker_goes_by_the_hubs_time(void **state) {
    (void)state;
    char line[256];
    double v[8];
    unsigned n = 0;
    FILE *file = fopen(test_path("tracker.csv"), "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "time_s,x,y,z,qw,qx,qy,qz\n");
    for (; fgets(line, sizeof line, file) != NULL; n++) {
        assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1], &v[2], &v[3],
                                &v[4], &v[5], &v[6], &v[7]),
                         8);
        assert_near(v[0], 1e-3 * n, 1e-9);
        assert_true(v[4] == 1.0 && v[5] == 0.0 && v[6] == 0.0 && v[7] == 0.0);
    }
    assert_true(n > 1000);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_is_what_it_says),
        cmocka_unit_test(the_tracker_goes_by_the_hubs_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
