/* nfsar record: a session, from the rig to a sealed capture. */
#include "host/cli/cli.h"
#include "host/cli/hub.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/files/pending.h"
#include "host/files/recording_layout.h"
#include "host/session/plan.h"
#include "host/session/record.h"

struct request {
    const char *session, *output;
    bool dry_run, overwrite, join_by_time, no_seal, keep, json;
};

static int print_json(const struct request *request, const struct record_result *result) {
    const struct record_state *state = &result->state;
    return print_object(json_pack(
        "{s:o, s:o, s:b, s:b, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "session",
        json_text(request->session), "capture", json_text(request->output), "sealed",
        result->sealed, "interrupted", result->interrupted, "triggers", (json_int_t)state->triggers,
        "pulses", (json_int_t)state->pulses, "pulses_with_samples_missing",
        (json_int_t)result->flagged, "triggers_guessed", (json_int_t)result->guessed, "scan_s",
        result->scan_s, "sample_bytes", (json_int_t)state->card.bytes, "lost_bytes",
        (json_int_t)state->card.lost_bytes, "hub_records", (json_int_t)state->hub.records,
        "hub_records_lost", (json_int_t)state->hub.lost, "hub_reconnects",
        (json_int_t)state->hub.reconnects, "queue_waits", (json_int_t)state->file.waits));
}

/* ---- how it goes ---- */

/* Is a line on the terminal that the next one replaces? */
static bool shown;

static void say(void *context, const char *text) {
    (void)context;
    if (shown) {
        fprintf(stderr, "\r\033[K");
        shown = false;
    }
    cli_say("%s", text);
}

static void show(void *context, const struct record_state *state) {
    (void)context;
    if (cli_quiet() || !isatty(STDERR_FILENO)) {
        return;
    }
    char of[48] = "";
    if (state->planned > 0) {
        snprintf(of, sizeof of, " of %" PRIu64 " (%.0f %%)", state->planned,
                 100.0 * (double)state->triggers / (double)state->planned);
    }
    fprintf(stderr,
            "\r\033[K%s %.0f s  triggers %" PRIu64 "%s  %.1f MB/s  lost %" PRIu64
            " B, records %" PRIu64 "  disk %.1f GB",
            state->phase, state->seconds, state->triggers, of, state->bytes_per_s * 1e-6,
            state->card.lost_bytes, state->hub.lost - state->hub.dropped,
            (double)state->file.disk_free * 1e-9);
    shown = true;
}

static bool interrupted(void *context) {
    (void)context;
    return hub_interrupted();
}

/* Sealing has its own bar, and may be interrupted: the recording is complete by then. */
static const nfsar_progress *sealing_bar;
static bool sealing;

static bool seal_goes_on(void *context, double fraction) {
    (void)context;
    if (!sealing) { /* an interrupt of the scan is over */
        sealing = true;
        hub_forget_interrupt();
        if (shown) {
            fprintf(stderr, "\r\033[K");
            shown = false;
        }
        sealing_bar = cli_progress("sealing");
    }
    if (sealing_bar != NULL) {
        sealing_bar->report(sealing_bar->context, fraction);
    }
    return !hub_interrupted();
}

static void print_result(const struct request *request, const struct record_result *result) {
    const struct record_state *state = &result->state;
    printf("triggers    %" PRIu64 ", %" PRIu64 " pulses in %.1f s\n", state->triggers,
           state->pulses, result->scan_s);
    printf("samples     %.2f MB in %" PRIu64 " packets; %" PRIu64 " bytes lost in %" PRIu64
           " gaps, %" PRIu64 " pulses flagged\n",
           (double)state->card.bytes * 1e-6, state->card.packets, state->card.lost_bytes,
           state->card.losses, result->flagged);
    printf("            socket %.1f MB as granted; out of order %" PRIu64 ", twice %" PRIu64
           ", late %" PRIu64 ", dropped by the kernel %" PRIu64 ", by a full queue %" PRIu64 "\n",
           (double)state->card.receive_bytes * 1e-6, state->card.reordered, state->card.duplicates,
           state->card.late, state->card.kernel_drops, state->card.overrun);
    printf("hub         %" PRIu64 " records, %" PRIu64 " lost (%" PRIu64
           " dropped on the hub), %" PRIu64 " reconnects; %" PRIu64 " triggers without a record\n",
           state->hub.records, state->hub.lost, state->hub.dropped, state->hub.reconnects,
           result->guessed);
    if (state->file.waits > 0) {
        printf("disk        too slow %" PRIu64 " times, %.2f s in all; longest sync %.0f ms\n",
               state->file.waits, (double)state->file.waited_ns * 1e-9,
               (double)state->file.longest_sync_ns * 1e-6);
    }
    if (result->sealed) {
        printf("capture     %s, read back and compared\n", request->output);
    } else if (state->pulses > 0) {
        printf("recording   %s.recording: kept as it is\n", request->output);
    }
}

/* ---- before it ---- */

static void tell_problem(void *context, const char *text) {
    const bool *dry_run = context;
    if (*dry_run) {
        printf("refused     %s\n", text);
    } else {
        fprintf(stderr, "nfsar: %s\n", text);
    }
}

/* What is there under the output's names already. */
static enum nfsar_status check_output(const struct request *request, nfsar_error *error) {
    enum nfsar_status status = pending_check(request->output, PENDING_HDF5, error);
    char recording[4096];
    snprintf(recording, sizeof recording, "%s" RECORDING_ENDING, request->output);
    if (status == NFSAR_OK && access(recording, F_OK) == 0) {
        return nfsar_fail(
            error, NFSAR_ERROR_FILE,
            "%s: is there already, a recording that was not sealed: `nfsar repair %s` "
            "makes a capture of it",
            recording, recording);
    }
    if (status == NFSAR_OK && !request->overwrite && access(request->output, F_OK) == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: is there already; give another name, or --overwrite",
                          request->output);
    }
    return status;
}

static int dry_run(const struct request *request, const struct session *session,
                   const struct plan *plan) {
    bool dry = true;
    plan_print(session, plan, stdout);
    size_t problems = plan_check(session, plan, tell_problem, &dry);
    nfsar_error error;
    if (request->output != NULL && check_output(request, &error) != NFSAR_OK) {
        tell_problem(&dry, error.message);
        problems++;
    }
    if (problems == 0) {
        printf("refused     nothing: this can be recorded, if the rig answers (nfsar doctor --rig "
               "%s)\n",
               request->session);
    }
    return problems == 0 ? CLI_DONE : CLI_FAILED;
}

static int record(const struct request *request, const struct session *session) {
    struct record_result result;
    nfsar_error error;
    const nfsar_progress seal = {.report = seal_goes_on};
    const struct record_options options = {.output = request->output,
                                           .join_by_time = request->join_by_time,
                                           .no_seal = request->no_seal,
                                           .keep = request->keep,
                                           .command_line = cli_command_line(),
                                           .say = say,
                                           .show = show,
                                           .interrupted = interrupted,
                                           .sealing = &seal};
    hub_catch_interrupts();
    const enum nfsar_status status = record_session(session, &options, &result, &error);
    if (shown) {
        fprintf(stderr, "\r\033[K");
    }
    if (sealing) {
        cli_progress_end();
    }
    if (request->json) {
        print_json(request, &result);
    } else if (result.state.phase != NULL) {
        print_result(request, &result);
    }
    fflush(stdout);
    if (result.has_join) {
        join_free(&result.join);
    }
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}

static int run(const struct request *request) {
    struct session *session = NULL;
    nfsar_error error;
    if (session_load(request->session, &session, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    struct plan plan;
    plan_make(session, request->output, &plan);
    int exit_status = CLI_FAILED;
    bool dry = false;
    if (request->dry_run) {
        exit_status = dry_run(request, session, &plan);
    } else if (check_output(request, &error) != NFSAR_OK) {
        exit_status = cli_fail(&error);
    } else if (plan_check(session, &plan, tell_problem, &dry) == 0) {
        exit_status = record(request, session);
    }
    session_free(session);
    return exit_status;
}

int verb_record(int argc, char **argv) {
    struct request request = {0};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &request.output, NULL, "CAPTURE.h5", "the capture"},
        {"dry-run", 'n', CLI_FLAG, &request.dry_run, NULL, NULL,
         "print the plan, the size and the time, and what would be refused; touch nothing"},
        {"overwrite", 0, CLI_FLAG, &request.overwrite, NULL, NULL,
         "replace a capture that is there"},
        {"join-by-time", 0, CLI_FLAG, &request.join_by_time, NULL, NULL,
         "where triggers gave no frame, and the times say which: go on"},
        {"no-seal", 0, CLI_FLAG, &request.no_seal, NULL, NULL,
         "leave CAPTURE.h5.recording; nfsar repair seals it"},
        {"keep", 0, CLI_FLAG, &request.keep, NULL, NULL, "keep CAPTURE.h5.recording too"},
        {"json", 0, CLI_FLAG, &request.json, NULL, NULL, "one JSON object, in SI units"},
        {0},
    };
    if (!cli_parse("record", "SESSION.yaml -o CAPTURE.h5", options, 1, &request.session, argc, argv,
                   &exit_status)) {
        return exit_status;
    }
    if (request.output == NULL && !request.dry_run) {
        return cli_usage("record", "-o CAPTURE.h5 is missing");
    }
    use_threads();
    return run(&request);
}
