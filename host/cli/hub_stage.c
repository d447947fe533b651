/* nfsar hub PORT setup, home, move, place, stop, enable, emergency. */
#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"

enum { AXES = NFSAR_WIRE_axis_id_end, MOVE_S = 3600, QUIET_MS = 600, BRAKING_MS = 10000 };

static int ended(struct hub_session *session, enum nfsar_status status, const nfsar_error *error) {
    hub_close(session);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(error);
}

/* ---- setup ---- */

static enum nfsar_status set_axis(struct hub_session *session, const struct stage *rig,
                                  unsigned axis, nfsar_error *error) {
    struct nfsar_wire_do_axis_set set;
    uint8_t payload[NFSAR_WIRE_DO_AXIS_SET_BYTES];
    stage_wire_axis(rig, axis, &set);
    const enum nfsar_status status =
        hub_command(session, NFSAR_WIRE_DO_AXIS_SET, (uint8_t)axis, payload,
                    nfsar_wire_pack_do_axis_set(payload, &set), error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", nfsar_wire_axis_id_name(axis));
    }
    const bool turns = axis == NFSAR_WIRE_AXIS_IS_TURNTABLE;
    printf("%-12s%g steps per %s, %g %s/s = %.0f steps/s\n", nfsar_wire_axis_id_name(axis),
           stage_axis(rig, axis)->steps, turns ? "turn" : "m",
           stage_axis(rig, axis)->speed * (turns ? 1.0 : 1e3), turns ? "deg" : "mm",
           (double)set.speed);
    return NFSAR_OK;
}

static enum nfsar_status set_radar(struct hub_session *session, const struct stage_radar *radar,
                                   nfsar_error *error) {
    struct nfsar_wire_do_trigger_set set;
    uint8_t payload[NFSAR_WIRE_DO_TRIGGER_SET_BYTES];
    stage_wire_radar(radar, &set);
    const enum nfsar_status status =
        hub_command(session, NFSAR_WIRE_DO_TRIGGER_SET, 0, payload,
                    nfsar_wire_pack_do_trigger_set(payload, &set), error);
    if (status == NFSAR_OK) {
        printf("%-12sat most a frame each %g ms, pulses of %g us\n", "radar", set.frame_ns * 1e-6,
               set.pulse_ns * 1e-3);
    }
    return status;
}

int hub_setup(const char *port, int argc, char **argv) {
    const char *path = NULL;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {{0}};
    if (!cli_parse("hub PORT setup", "RIG.yaml", options, 1, &path, argc, argv, &exit_status)) {
        return exit_status;
    }
    struct hub_session session = {0};
    struct stage *rig = NULL;
    nfsar_error error;
    enum nfsar_status status = stage_load(path, &rig, &error);
    if (status == NFSAR_OK) {
        status = hub_open(&session, port, &error);
    }
    for (unsigned axis = 0; axis < AXES && status == NFSAR_OK; axis++) {
        if (stage_axis(rig, axis) != NULL) {
            status = set_axis(&session, rig, axis, &error);
        }
    }
    if (status == NFSAR_OK && rig->radar != NULL) {
        status = set_radar(&session, rig->radar, &error);
    }
    stage_free(rig);
    return ended(&session, status, &error);
}

/* ---- moving ---- */

struct moving {
    struct hub_session *session;
    unsigned axis;
    uint64_t told;    /* records of the axis when the command was answered, later the last seen */
    uint64_t told_ms; /* when it last said something */
    bool stands;
};

/* It said that it stands, or says nothing, which a moving axis does not. */
static bool is_quiet(void *context) {
    struct moving *moving = context;
    const struct hub_session *session = moving->session;
    if (session->axis_told[moving->axis] != moving->told) {
        const uint8_t state = session->axes[moving->axis].state;
        moving->told = session->axis_told[moving->axis];
        moving->told_ms = hub_now_ms();
        moving->stands = state == NFSAR_WIRE_AXIS_IDLE || state == NFSAR_WIRE_AXIS_FAULT;
    }
    return moving->stands || hub_now_ms() - moving->told_ms > QUIET_MS;
}

/* What stopped the axis, if something did. */
static enum nfsar_status look_for_errors(const struct hub_session *session, unsigned axis,
                                         nfsar_error *error) {
    static const uint8_t codes[] = {NFSAR_WIRE_ERROR_EMERGENCY_STOP, NFSAR_WIRE_ERROR_AXIS_HOMING,
                                    NFSAR_WIRE_ERROR_AXIS_LIMIT, NFSAR_WIRE_ERROR_AXIS_PLACE};
    for (size_t i = 0; i < sizeof codes; i++) {
        const struct nfsar_wire_error *what = &session->errors[codes[i]];
        if (session->has_error[codes[i]] &&
            (what->source == axis || codes[i] == NFSAR_WIRE_ERROR_EMERGENCY_STOP)) {
            char text[256];
            return nfsar_fail(error, NFSAR_ERROR_DEVICE, "%s: %s; `nfsar hub %s clear` goes on",
                              nfsar_wire_axis_id_name(axis), hub_error_text(what, text),
                              session->port);
        }
    }
    return NFSAR_OK;
}

/* Waits until the axis stands, an interrupt, or the limit. */
static enum nfsar_status await_stand(struct moving *moving, uint64_t limit_ms, nfsar_error *error) {
    const uint64_t end = hub_now_ms() + limit_ms;
    while (!moving->stands && !hub_interrupted() && hub_now_ms() < end) {
        bool quiet = false;
        enum nfsar_status status = hub_wait(moving->session, is_quiet, moving, 1000, &quiet, error);
        /* Where it stood already, or its last record was lost, a greeting has it told again. */
        if (status == NFSAR_OK && quiet && !moving->stands) {
            moving->told_ms = hub_now_ms();
            status = nfsar_hub_greet(moving->session->hub, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return NFSAR_OK;
}

/* Waits for the end of a move. Ctrl-C brings the axis to a stand. */
static enum nfsar_status await(struct hub_session *session, unsigned axis, nfsar_error *error) {
    struct moving moving = {session, axis, session->axis_told[axis], hub_now_ms(), false};
    enum nfsar_status status = await_stand(&moving, MOVE_S * UINT64_C(1000), error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (moving.stands) {
        return look_for_errors(session, axis, error);
    }
    hub_forget_interrupt();
    status = hub_command(session, NFSAR_WIRE_DO_AXIS_STOP, (uint8_t)axis, NULL, 0, error);
    if (status == NFSAR_OK) {
        status = await_stand(&moving, BRAKING_MS, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted: %s %s at step %d",
                            nfsar_wire_axis_id_name(axis),
                            moving.stands ? "was brought to a stand" : "is still moving",
                            (int)session->axes[axis].position);
    }
    return status;
}

static void print_axis(const struct hub_session *session, const struct stage *rig, unsigned axis) {
    char text[128];
    if (!session->has_axis[axis]) {
        return;
    }
    printf("%s", hub_axis_text(&session->axes[axis], axis, text));
    if (rig != NULL && stage_axis(rig, axis) != NULL) {
        const double place = session->axes[axis].position / stage_steps(rig, axis);
        printf(axis == NFSAR_WIRE_AXIS_IS_TURNTABLE ? ", at %.3f deg" : ", at %.3f mm",
               axis == NFSAR_WIRE_AXIS_IS_TURNTABLE ? place : place * 1e3);
    }
    puts("");
}

/* Gives a command for an axis and, if it moves, waits for its end. */
static int command_axis(const char *port, uint8_t kind, unsigned axis, const uint8_t *payload,
                        size_t n, const struct stage *rig, bool wait) {
    struct hub_session session = {0};
    nfsar_error error;
    hub_catch_interrupts();
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = hub_command(&session, kind, (uint8_t)axis, payload, n, &error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", nfsar_wire_axis_id_name(axis));
        }
    }
    if (status == NFSAR_OK && wait) {
        status = await(&session, axis, &error);
    }
    if (status == NFSAR_OK && wait) {
        print_axis(&session, rig, axis);
    }
    return ended(&session, status, &error);
}

/* Names of axes; false after saying what is wrong. */
static bool read_axes(const char *form, const char *const *names, size_t n, unsigned *axes) {
    for (size_t i = 0; i < n; i++) {
        const int axis = hub_axis(form, names[i]);
        if (axis < 0) {
            return false;
        }
        axes[i] = (unsigned)axis;
    }
    return true;
}

int hub_home(const char *port, int argc, char **argv) {
    const char *names[AXES];
    unsigned axes[AXES];
    size_t n = 0;
    bool no_wait = false;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"no-wait", 0, CLI_FLAG, &no_wait, NULL, NULL, "do not wait for the end"},
        {0},
    };
    if (!cli_parse_some("hub PORT home", "AXIS... [--no-wait]", options, AXES, names, &n, argc,
                        argv, &exit_status) ||
        !read_axes("hub PORT home", names, n, axes)) {
        return exit_status;
    }
    if (n == 0) {
        return cli_usage("hub PORT home", "give the axes: x, y, turntable");
    }
    exit_status = CLI_DONE;
    for (size_t i = 0; i < n && exit_status == CLI_DONE; i++) {
        exit_status = command_axis(port, NFSAR_WIRE_DO_AXIS_HOME, axes[i], NULL, 0, NULL, !no_wait);
    }
    return exit_status;
}

/* AXIS and a length, for move and place. */
static bool read_target(const char *form, const char *const *words, const char *rig_path,
                        struct stage **rig, int *axis, int32_t *steps, int *exit_status) {
    nfsar_error error;
    *exit_status = CLI_USAGE;
    *axis = hub_axis(form, words[0]);
    if (*axis < 0) {
        return false;
    }
    if (rig_path != NULL && stage_load(rig_path, rig, &error) != NFSAR_OK) {
        *exit_status = cli_fail(&error);
        return false;
    }
    return hub_length(form, words[1], *rig, (unsigned)*axis, steps);
}

int hub_move(const char *port, int argc, char **argv) {
    const char *words[2], *rig_path = NULL, *speed = NULL;
    bool no_wait = false;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"rig", 0, CLI_STRING, &rig_path, NULL, "RIG.yaml", "says what a millimetre is in steps"},
        {"speed", 0, CLI_STRING, &speed, NULL, "SPEED", "such as 20mm/s; the axis' by default"},
        {"no-wait", 0, CLI_FLAG, &no_wait, NULL, NULL, "do not wait until it is there"},
        {0},
    };
    if (!cli_parse("hub PORT move", "AXIS TO [--rig RIG.yaml] [--speed SPEED] [--no-wait]", options,
                   2, words, argc, argv, &exit_status)) {
        return exit_status;
    }
    struct stage *rig = NULL;
    struct nfsar_wire_do_axis_move move = {0};
    int axis = -1;
    if (read_target("hub PORT move", words, rig_path, &rig, &axis, &move.target, &exit_status) &&
        (speed == NULL || hub_speed("hub PORT move", speed, rig, (unsigned)axis, &move.speed))) {
        uint8_t payload[NFSAR_WIRE_DO_AXIS_MOVE_BYTES];
        exit_status = command_axis(port, NFSAR_WIRE_DO_AXIS_MOVE, (unsigned)axis, payload,
                                   nfsar_wire_pack_do_axis_move(payload, &move), rig, !no_wait);
    }
    stage_free(rig);
    return exit_status;
}

int hub_place(const char *port, int argc, char **argv) {
    const char *words[2], *rig_path = NULL;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"rig", 0, CLI_STRING, &rig_path, NULL, "RIG.yaml", "says what a millimetre is in steps"},
        {0},
    };
    if (!cli_parse("hub PORT place", "AXIS AT [--rig RIG.yaml]", options, 2, words, argc, argv,
                   &exit_status)) {
        return exit_status;
    }
    struct stage *rig = NULL;
    struct nfsar_wire_do_axis_place place = {0};
    int axis = -1;
    if (read_target("hub PORT place", words, rig_path, &rig, &axis, &place.position,
                    &exit_status)) {
        uint8_t payload[NFSAR_WIRE_DO_AXIS_PLACE_BYTES];
        exit_status = command_axis(port, NFSAR_WIRE_DO_AXIS_PLACE, (unsigned)axis, payload,
                                   nfsar_wire_pack_do_axis_place(payload, &place), rig, false);
    }
    stage_free(rig);
    return exit_status;
}

int hub_stop(const char *port, int argc, char **argv) {
    const char *names[AXES];
    unsigned axes[AXES];
    size_t n = 0;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {{0}};
    if (!cli_parse_some("hub PORT stop", "[AXIS...]", options, AXES, names, &n, argc, argv,
                        &exit_status) ||
        !read_axes("hub PORT stop", names, n, axes)) {
        return exit_status;
    }
    struct hub_session session = {0};
    nfsar_error error;
    enum nfsar_status status = hub_open(&session, port, &error);
    /* None named: whatever moves, and a scan first, which would go on. */
    if (status == NFSAR_OK && n == 0) {
        status = hub_command(&session, NFSAR_WIRE_DO_PROGRAM_ABORT, 0, NULL, 0, &error);
        n = nfsar_hub_hello(session.hub)->axes < AXES ? nfsar_hub_hello(session.hub)->axes : AXES;
        for (unsigned i = 0; i < AXES; i++) {
            axes[i] = i;
        }
    }
    for (size_t i = 0; i < n && status == NFSAR_OK; i++) {
        status = hub_command(&session, NFSAR_WIRE_DO_AXIS_STOP, (uint8_t)axes[i], NULL, 0, &error);
    }
    return ended(&session, status, &error);
}

int hub_enable(const char *port, int argc, char **argv) {
    const char *words[2];
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {{0}};
    if (!cli_parse("hub PORT enable", "AXIS on|off", options, 2, words, argc, argv, &exit_status)) {
        return exit_status;
    }
    const int axis = hub_axis("hub PORT enable", words[0]);
    const struct nfsar_wire_do_axis_enable enable = {strcmp(words[1], "on") == 0};
    if (axis < 0) {
        return CLI_USAGE;
    }
    if (enable.on == 0 && strcmp(words[1], "off") != 0) {
        return cli_usage("hub PORT enable", "%s: expected on or off", words[1]);
    }
    uint8_t payload[NFSAR_WIRE_DO_AXIS_ENABLE_BYTES];
    return command_axis(port, NFSAR_WIRE_DO_AXIS_ENABLE, (unsigned)axis, payload,
                        nfsar_wire_pack_do_axis_enable(payload, &enable), NULL, false);
}

int hub_emergency(const char *port, int argc, char **argv) {
    const char *word = NULL;
    size_t n = 0;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {{0}};
    if (!cli_parse_some("hub PORT emergency", "[release]", options, 1, &word, &n, argc, argv,
                        &exit_status)) {
        return exit_status;
    }
    if (n == 1 && strcmp(word, "release") != 0) {
        return cli_usage("hub PORT emergency", "%s: expected release, or nothing", word);
    }
    struct hub_session session = {0};
    nfsar_error error;
    const struct nfsar_wire_do_emergency emergency = {n == 0};
    uint8_t payload[NFSAR_WIRE_DO_EMERGENCY_BYTES];
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = hub_command(&session, NFSAR_WIRE_DO_EMERGENCY, 0, payload,
                             nfsar_wire_pack_do_emergency(payload, &emergency), &error);
    }
    if (status == NFSAR_OK) {
        puts(n == 0 ? "stopped; `emergency release` lets it move again, after homing"
                    : "released; `clear` its error, then home: no position is trusted");
    }
    return ended(&session, status, &error);
}
