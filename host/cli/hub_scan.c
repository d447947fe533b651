/* nfsar hub PORT trigger, scan. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"

static int ended(struct hub_session *session, enum nfsar_status status, const nfsar_error *error) {
    hub_close(session);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(error);
}

/* ---- triggers ---- */

/* Words into a command. False after saying what is wrong. */
static bool read_trigger(const char *const *words, size_t n, struct nfsar_wire_do_trigger_arm *arm,
                         bool *stop) {
    static const char form[] = "hub PORT trigger";
    *stop = n == 1 && strcmp(words[0], "stop") == 0;
    if (*stop || (n == 1 && strcmp(words[0], "one") == 0)) {
        return true;
    }
    if (n != 2 || strcmp(words[0], "period") != 0) {
        cli_usage(form, "expected one, period TIME, or stop");
        return false;
    }
    arm->mode = 1;
    if (!hub_time(form, words[1], &arm->period_ns)) {
        return false;
    }
    if (arm->period_ns == 0 || arm->period_ns > UINT32_MAX) {
        cli_usage(form, "%s: a period is above 0 and below 4.29 s", words[1]);
        return false;
    }
    return true;
}

int hub_trigger(const char *port, int argc, char **argv) {
    const char *words[2];
    size_t n = 0, count = 0;
    bool stop = false;
    struct nfsar_wire_do_trigger_arm arm = {0};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"count", 'n', CLI_COUNT, &count, NULL, "N", "triggers of a period; until stopped without"},
        {0},
    };
    if (!cli_parse_some("hub PORT trigger", "one|period TIME [--count N]|stop", options, 2, words,
                        &n, argc, argv, &exit_status) ||
        !read_trigger(words, n, &arm, &stop)) {
        return exit_status;
    }
    if (count > UINT32_MAX) {
        return cli_usage("hub PORT trigger", "--count %zu: at most 2^32 - 1", count);
    }
    arm.count = (uint32_t)count;
    struct hub_session session = {0};
    nfsar_error error;
    uint8_t payload[NFSAR_WIRE_DO_TRIGGER_ARM_BYTES];
    const size_t bytes = nfsar_wire_pack_do_trigger_arm(payload, &arm);
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = stop ? hub_command(&session, NFSAR_WIRE_DO_TRIGGER_STOP, 0, NULL, 0, &error)
                      : hub_command(&session, NFSAR_WIRE_DO_TRIGGER_ARM, 0, payload, bytes, &error);
    }
    if (status == NFSAR_OK && !stop && arm.mode == 1) {
        printf("a trigger each %g ms, ", (double)arm.period_ns * 1e-6);
        printf(arm.count > 0 ? "%" PRIu32 " in all\n" : "until `trigger stop`\n", arm.count);
    }
    return ended(&session, status, &error);
}

/* ---- scans ---- */

static const char scan_form[] = "hub PORT scan";

/* The options as they are written. */
struct request {
    const char *rig, *fast, *slow;
    const char *first, *pitch, *row_first, *row_pitch;
    const char *speed, *settle, *period, *dwell, *backlash, *row_backlash, *turn;
    size_t columns, rows, repeats;
    bool stop, check;
};

static bool milliseconds(const char *text, uint16_t *ms) {
    uint64_t ns = 0;
    if (text == NULL) {
        return true;
    }
    if (!hub_time(scan_form, text, &ns)) {
        return false;
    }
    if (ns > UINT64_C(65535000000)) {
        cli_usage(scan_form, "%s: at most 65.5 s", text);
        return false;
    }
    *ms = (uint16_t)((ns + 500000U) / 1000000U);
    return true;
}

/* A length that may be left out; not negative where it goes into *size. */
static bool length(const char *text, const struct stage *rig, unsigned axis, int32_t *steps,
                   uint32_t *size) {
    int32_t read = 0;
    if (text == NULL) {
        return true;
    }
    if (!hub_length(scan_form, text, rig, axis, &read)) {
        return false;
    }
    if (size != NULL && read < 0) {
        cli_usage(scan_form, "%s: cannot be negative", text);
        return false;
    }
    if (steps != NULL) {
        *steps = read;
    } else {
        *size = (uint32_t)read;
    }
    return true;
}

static bool read_axes(const struct request *request, struct nfsar_wire_do_program_load *load) {
    const bool turns = load->pattern == 2;
    const int fast = hub_axis(scan_form, request->fast != NULL ? request->fast
                                         : turns               ? "turntable"
                                                               : "x");
    const int slow = hub_axis(scan_form, request->slow != NULL ? request->slow : "y");
    load->fast = (uint8_t)fast;
    load->slow = (uint8_t)slow;
    return fast >= 0 && slow >= 0;
}

static bool read_counts(const struct request *request, struct nfsar_wire_do_program_load *load) {
    if (request->columns == 0 || request->columns > 65535 || request->rows > 65535 ||
        request->repeats > 65535) {
        cli_usage(scan_form, "--columns, --rows and --repeats are from 1 to 65535; --columns has "
                             "to be given");
        return false;
    }
    load->columns = (uint32_t)request->columns;
    load->rows = request->rows > 0 ? (uint32_t)request->rows : 1;
    load->repeats = request->repeats > 0 ? (uint16_t)request->repeats : 1;
    if (load->repeats > 1 && load->stop == 0) {
        cli_usage(scan_form, "--repeats is for scans that stop at each point: add --stop");
        return false;
    }
    return true;
}

/* False after saying what is wrong. */
static bool read_scan(const char *pattern, const struct request *request, const struct stage *rig,
                      struct nfsar_wire_do_program_load *load) {
    static const char *const patterns[] = {"raster", "serpentine", "turntable"};
    while (load->pattern < 3 && strcmp(pattern, patterns[load->pattern]) != 0) {
        load->pattern++;
    }
    if (load->pattern == 3) {
        cli_usage(scan_form, "%s: expected raster, serpentine, turntable or stop", pattern);
        return false;
    }
    load->stop = request->stop;
    uint64_t period_ns = 0;
    if (!read_axes(request, load) || !read_counts(request, load)) {
        return false;
    }
    if (load->pattern == 2 && (rig == NULL || rig->turntable == NULL) && request->turn == NULL) {
        cli_usage(scan_form,
                  "give the steps of a whole turn: --turn 72000steps, or --rig RIG.yaml");
        return false;
    }
    if (load->pattern == 2 && rig != NULL && rig->turntable != NULL) {
        load->turn = (uint32_t)(rig->turntable->steps + 0.5);
    }
    const bool good = length(request->first, rig, load->fast, &load->fast_first, NULL) &&
                      length(request->pitch, rig, load->fast, &load->fast_pitch, NULL) &&
                      length(request->row_first, rig, load->slow, &load->slow_first, NULL) &&
                      length(request->row_pitch, rig, load->slow, &load->slow_pitch, NULL) &&
                      length(request->backlash, rig, load->fast, NULL, &load->fast_backlash) &&
                      length(request->row_backlash, rig, load->slow, NULL, &load->slow_backlash) &&
                      length(request->turn, rig, load->fast, NULL, &load->turn) &&
                      (request->speed == NULL ||
                       hub_speed(scan_form, request->speed, rig, load->fast, &load->speed)) &&
                      milliseconds(request->settle, &load->settle_ms) &&
                      milliseconds(request->dwell, &load->dwell_ms) &&
                      (request->period == NULL || hub_time(scan_form, request->period, &period_ns));
    if (good && period_ns > UINT32_MAX) {
        cli_usage(scan_form, "--period %s: below 4.29 s", request->period);
        return false;
    }
    load->period_ns = (uint32_t)period_ns;
    return good;
}

static void print_plan(const struct nfsar_wire_do_program_load *load, const struct stage *rig,
                       const struct nfsar_wire_plan *plan) {
    printf("plan        %" PRIu32 " triggers: %" PRIu32 " row%s of %" PRIu32 " points",
           plan->triggers, load->rows, cli_s(load->rows), load->columns);
    if (load->stop == 0) {
        printf(", %" PRIu32 " steps/s", plan->speed);
        if (rig != NULL && stage_axis(rig, load->fast) != NULL) {
            const bool turns = load->fast == NFSAR_WIRE_AXIS_IS_TURNTABLE;
            printf(" = %.4g %s", plan->speed / stage_steps(rig, load->fast) * (turns ? 1.0 : 1e3),
                   turns ? "deg/s" : "mm/s");
        }
    }
    printf("; %s %d to %d, %s %d to %d steps\n", nfsar_wire_axis_id_name(load->fast),
           (int)plan->fast_range[0], (int)plan->fast_range[1], nfsar_wire_axis_id_name(load->slow),
           (int)plan->slow_range[0], (int)plan->slow_range[1]);
    fflush(stdout);
}

/* ---- making it ---- */

static void show_progress(struct hub_session *session, const struct nfsar_wire_message *record) {
    const nfsar_progress *progress = cli_progress("scanning");
    (void)record;
    if (progress != NULL && session->has_program && session->program.planned > 0) {
        progress->report(progress->context,
                         (double)session->program.triggers / session->program.planned);
    }
}

static bool is_over(void *context) {
    const struct hub_session *session = context;
    const uint8_t told = session->has_program ? session->program.state : NFSAR_WIRE_PROGRAM_RUNNING;
    /* Where the record of the end was lost, the status knows it too. */
    const uint8_t status =
        session->has_status ? session->status.program : NFSAR_WIRE_PROGRAM_RUNNING;
    return told == NFSAR_WIRE_PROGRAM_FINISHED || told == NFSAR_WIRE_PROGRAM_ABORTED ||
           status == NFSAR_WIRE_PROGRAM_FINISHED || status == NFSAR_WIRE_PROGRAM_ABORTED;
}

static enum nfsar_status fail_aborted(const struct hub_session *session, nfsar_error *error) {
    const struct nfsar_wire_program *program = &session->program;
    const struct nfsar_wire_error *why = &session->errors[NFSAR_WIRE_ERROR_PROGRAM_ABORTED];
    return nfsar_fail(
        error, NFSAR_ERROR_DEVICE,
        "the scan was broken off in row %" PRIu32 ", after %" PRIu32 " of %" PRIu32 " triggers: %s",
        program->row, program->triggers, program->planned,
        session->has_error[NFSAR_WIRE_ERROR_PROGRAM_ABORTED] ? nfsar_wire_reason_name(why->source)
        : program->error < NFSAR_WIRE_error_code_end ? nfsar_wire_error_code_name(program->error)
                                                     : "by command");
}

/* Starts the loaded scan and waits for its end; Ctrl-C breaks it off. */
static enum nfsar_status make(struct hub_session *session, nfsar_error *error) {
    enum { LIMIT_MS = 7 * 24 * 3600 * 1000, BRAKING_MS = 10000 };
    struct nfsar_hub_counters before, after;
    bool over = false;
    session->has_program = false;
    session->has_status = false;
    session->has_error[NFSAR_WIRE_ERROR_PROGRAM_ABORTED] = false;
    session->kinds[NFSAR_WIRE_TRIGGER] = 0;
    nfsar_hub_counters(session->hub, &before);
    enum nfsar_status status = hub_command(session, NFSAR_WIRE_DO_PROGRAM_START, 0, NULL, 0, error);
    /* A status from before the start would say how the scan before this one ended. */
    session->has_status = false;
    if (status == NFSAR_OK) {
        session->also = show_progress;
        status = hub_wait(session, is_over, session, LIMIT_MS, &over, error);
        session->also = NULL;
        cli_progress_end();
    }
    if (status == NFSAR_OK && !over) {
        hub_forget_interrupt();
        status = hub_command(session, NFSAR_WIRE_DO_PROGRAM_ABORT, 0, NULL, 0, error);
        if (status == NFSAR_OK) {
            status = hub_wait(session, is_over, session, BRAKING_MS, &over, error);
        }
        if (status == NFSAR_OK && !over) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED,
                                "interrupted: the hub was told to break the scan off, and has not "
                                "said yet that it has");
        }
    }
    if (status != NFSAR_OK) {
        return status;
    }
    /* The reason follows. */
    hub_wait(session, NULL, NULL, 100, &over, NULL);
    const bool finished =
        session->program.state == NFSAR_WIRE_PROGRAM_FINISHED ||
        (session->has_status && session->status.program == NFSAR_WIRE_PROGRAM_FINISHED);
    if (!finished) {
        return fail_aborted(session, error);
    }
    nfsar_hub_counters(session->hub, &after);
    printf("scan %u      finished: %" PRIu32 " of %" PRIu32 " triggers, %" PRIu64
           " records of them came, %" PRIu64 " records lost\n",
           session->program.scan, session->program.triggers, session->program.planned,
           session->kinds[NFSAR_WIRE_TRIGGER], after.lost - before.lost);
    return NFSAR_OK;
}

/* From the first to the last point along an axis, "x 20 to 29 mm". */
static void print_span(char *text, size_t size, const struct stage *rig, unsigned axis,
                       int32_t first, int32_t pitch, uint32_t points) {
    const bool known = rig != NULL && stage_axis(rig, axis) != NULL;
    const bool turns = axis == NFSAR_WIRE_AXIS_IS_TURNTABLE;
    const double unit = known ? (turns ? 1.0 : 1e3) / stage_steps(rig, axis) : 1.0;
    const double last = first + (double)pitch * (points - 1.0);
    snprintf(text, size, "%s %.6g to %.6g %s", nfsar_wire_axis_id_name(axis), first * unit,
             last * unit,
             !known  ? "steps"
             : turns ? "deg"
                     : "mm");
}

/* The hub does not say which axis. */
static enum nfsar_status fail_outside(const struct nfsar_wire_do_program_load *load,
                                      const struct stage *rig, const struct nfsar_hub_reply *reply,
                                      nfsar_error *error) {
    char reason[160], fast[96], slow[96];
    print_span(fast, sizeof fast, rig, load->fast, load->fast_first, load->fast_pitch,
               load->columns);
    print_span(slow, sizeof slow, rig, load->slow, load->slow_first, load->slow_pitch, load->rows);
    return nfsar_fail(error, NFSAR_ERROR_REFUSED,
                      "scan program refused: %s: points at %s%s (--first), %s (--row-first)",
                      nfsar_hub_reply_text(reply, reason), fast,
                      load->stop == 0 ? ", with the way to gather speed at both ends" : "", slow);
}

static enum nfsar_status load_scan(struct hub_session *session, const struct stage *rig,
                                   const struct nfsar_wire_do_program_load *load,
                                   nfsar_error *error) {
    uint8_t payload[NFSAR_WIRE_DO_PROGRAM_LOAD_BYTES];
    struct nfsar_hub_reply reply;
    struct nfsar_wire_plan plan;
    const enum nfsar_status status =
        nfsar_hub_do(session->hub, NFSAR_WIRE_DO_PROGRAM_LOAD, 0, payload,
                     nfsar_wire_pack_do_program_load(payload, load), &reply, error);
    if (status == NFSAR_ERROR_REFUSED &&
        reply.detail == NFSAR_WIRE_REASON + NFSAR_WIRE_REASON_MOTION_SOFT_LIMIT) {
        return fail_outside(load, rig, &reply, error);
    }
    if (status == NFSAR_OK && nfsar_wire_unpack_plan(&plan, reply.payload, reply.bytes)) {
        print_plan(load, rig, &plan);
    }
    return status;
}

static int stop_scan(const char *port) {
    struct hub_session session = {0};
    nfsar_error error;
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = hub_command(&session, NFSAR_WIRE_DO_PROGRAM_ABORT, 0, NULL, 0, &error);
    }
    return ended(&session, status, &error);
}

static int run(const char *port, const char *pattern, const struct request *request,
               const struct stage *rig) {
    struct nfsar_wire_do_program_load load = {0};
    if (!read_scan(pattern, request, rig, &load)) {
        return CLI_USAGE;
    }
    struct hub_session session = {0};
    nfsar_error error;
    hub_catch_interrupts();
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = load_scan(&session, rig, &load, &error);
    }
    if (status == NFSAR_OK && !request->check) {
        status = make(&session, &error);
    }
    return ended(&session, status, &error);
}

int hub_scan(const char *port, int argc, char **argv) {
    const char *pattern = NULL;
    struct request request = {0};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"rig", 0, CLI_STRING, &request.rig, NULL, "RIG.yaml",
         "says what a millimetre is in steps"},
        {"fast", 0, CLI_STRING, &request.fast, NULL, "AXIS", "along rows; x, or turntable"},
        {"slow", 0, CLI_STRING, &request.slow, NULL, "AXIS", "from row to row; y"},
        {"first", 0, CLI_STRING, &request.first, NULL, "LENGTH", "first point of a row; 0"},
        {"pitch", 0, CLI_STRING, &request.pitch, NULL, "LENGTH", "from point to point"},
        {"columns", 0, CLI_COUNT, &request.columns, NULL, "N", "points of a row"},
        {"row-first", 0, CLI_STRING, &request.row_first, NULL, "LENGTH", "the first row; 0"},
        {"row-pitch", 0, CLI_STRING, &request.row_pitch, NULL, "LENGTH", "from row to row"},
        {"rows", 0, CLI_COUNT, &request.rows, NULL, "N", "rows; 1"},
        {"speed", 0, CLI_STRING, &request.speed, NULL, "SPEED",
         "along a row; as fast as axis and radar can"},
        {"stop", 0, CLI_FLAG, &request.stop, NULL, NULL, "stop at each point"},
        {"repeats", 0, CLI_COUNT, &request.repeats, NULL, "N",
         "triggers at each point, with --stop"},
        {"period", 0, CLI_STRING, &request.period, NULL, "TIME", "between these"},
        {"settle", 0, CLI_STRING, &request.settle, NULL, "TIME", "before triggers"},
        {"dwell", 0, CLI_STRING, &request.dwell, NULL, "TIME", "before each row"},
        {"backlash", 0, CLI_STRING, &request.backlash, NULL, "LENGTH", "play of the fast axis"},
        {"row-backlash", 0, CLI_STRING, &request.row_backlash, NULL, "LENGTH",
         "play of the slow axis"},
        {"turn", 0, CLI_STRING, &request.turn, NULL, "STEPS", "a whole turn of the turntable"},
        {"check", 0, CLI_FLAG, &request.check, NULL, NULL, "load and check it, move nothing"},
        {0},
    };
    if (!cli_parse(scan_form, "raster|serpentine|turntable|stop --columns N --pitch LENGTH ...",
                   options, 1, &pattern, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (strcmp(pattern, "stop") == 0) {
        return stop_scan(port);
    }
    struct stage *rig = NULL;
    nfsar_error error;
    if (request.rig != NULL && stage_load(request.rig, &rig, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    exit_status = run(port, pattern, &request, rig);
    stage_free(rig);
    return exit_status;
}
