/* nfsar repair: a capture from what a recording left. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/info.h"
#include "host/cli/verbs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/file.h>

#include "host/files/pending.h"
#include "host/files/recording_layout.h"
#include "host/session/record.h"

/* Triggers that can be named as missed. */
enum { MOST_NAMED = 100000 };

struct repair {
    const char *recording;
    char *capture; /* what is made; owned */
    bool json, join_by_time;
    const char *missed; /* triggers that gave no frame, as given; or NULL */
    struct recording_seal_options options;
};

/* The recording's name without its ending. NULL: it has none, or no memory. */
static char *capture_name(const char *recording) {
    size_t length = strlen(recording), ending = strlen(RECORDING_ENDING);
    return length > ending && strcmp(recording + length - ending, RECORDING_ENDING) == 0
               ? strndup(recording, length - ending)
               : NULL;
}

static int print_json(const struct repair *repair, const struct recording_summary *found,
                      const struct record_agreement *agreement) {
    return print_object(
        json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:b, s:o}", "recording",
                  json_text(repair->recording), "capture", json_text(repair->capture), "state",
                  info_recording_end(found), "pulses", (json_int_t)found->pulses, "poses",
                  (json_int_t)found->poses, "pulses_with_samples_missing",
                  (json_int_t)found->missing, "duration_s", found->seconds, "frames_left_out",
                  (json_int_t)agreement->left_out, "frames_moved", (json_int_t)agreement->moved,
                  "triggers_guessed", (json_int_t)agreement->guessed, "join_doubtful",
                  agreement->doubtful, "log", info_json_lines(found->log, found->n_log)));
}

static void print_found(const struct repair *repair, const struct recording_summary *found) {
    printf("%s: %s; %llu pulse%s over %.6g s, %llu with samples missing, %llu pose%s\n",
           repair->recording, info_recording_end(found), (unsigned long long)found->pulses,
           cli_s(found->pulses), found->seconds, (unsigned long long)found->missing,
           (unsigned long long)found->poses, cli_s(found->poses));
    info_lines("log", found->log, found->n_log);
    fflush(stdout);
}

static void print_agreement(const struct repair *repair, const struct record_agreement *agreement) {
    if (agreement->guessed > 0) {
        printf("%llu trigger%s whose record was lost: at even times between the others\n",
               (unsigned long long)agreement->guessed, cli_s(agreement->guessed));
    }
    if (agreement->moved > 0) {
        printf("%llu frame%s joined to other triggers by %s\n",
               (unsigned long long)agreement->moved, cli_s(agreement->moved),
               repair->missed != NULL ? "what was named" : "their times");
    }
    if (agreement->left_out > 0) {
        printf("%llu frame%s at the end left out: the hub told of no trigger for them\n",
               (unsigned long long)agreement->left_out, cli_s(agreement->left_out));
    }
    if (agreement->doubtful) {
        printf("warning: from frame %llu on the times may not be those of the triggers; they are "
               "too uncertain to tell\n",
               (unsigned long long)agreement->from);
    }
    fflush(stdout);
}

/* The second of two repairs finds the capture that the first has made. */
static bool is_done(const struct repair *repair) {
    nfsar_capture_file *file = NULL;
    bool done = access(repair->recording, F_OK) != 0 &&
                nfsar_capture_file_open(repair->capture, &file, NULL) == NFSAR_OK;
    nfsar_capture_file_close(file);
    return done;
}

/* "17,120-125": numbers and ranges. Returns how many, into list[room] as far as it goes; 0 when
 * this is no list. */
static size_t parse_list(const char *text, uint64_t *list, size_t room) {
    size_t n = 0;
    for (;; text++) {
        char *end;
        if (!isdigit((unsigned char)*text)) {
            return 0;
        }
        const unsigned long long first = strtoull(text, &end, 10);
        unsigned long long last = first;
        if (*end == '-' && isdigit((unsigned char)end[1])) {
            last = strtoull(end + 1, &end, 10);
        }
        if (last < first || last - first >= room - n) {
            return 0;
        }
        for (unsigned long long i = first; i <= last; i++) {
            list[n++] = i;
        }
        text = end;
        if (*text != ',') {
            return *text == '\0' ? n : 0;
        }
    }
}

static enum nfsar_status name_missed(const struct repair *repair,
                                     struct record_agreement *agreement, nfsar_error *error) {
    uint64_t *missed = malloc(MOST_NAMED * sizeof *missed);
    const size_t n = missed != NULL ? parse_list(repair->missed, missed, MOST_NAMED) : 0;
    enum nfsar_status status =
        n > 0 ? record_name_missed(repair->recording, missed, n, agreement, error)
              : nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                           "--missed %s: triggers are a list like 17,120-125", repair->missed);
    free(missed);
    return status;
}

static enum nfsar_status join(const struct repair *repair, const struct recording_summary *found,
                              struct record_agreement *agreement, nfsar_error *error) {
    const bool died = found->end != RECORDING_CLOSED;
    if (found->live) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: is being recorded, or sealed by another process; stop that first",
                          repair->recording);
    }
    if (repair->missed != NULL) {
        return name_missed(repair, agreement, error);
    }
    return repair->join_by_time ? record_rejoin(repair->recording, NULL, died, agreement, error)
                                : record_check_join(repair->recording, died, agreement, error);
}

static int run(const struct repair *repair) {
    nfsar_error error;
    struct recording_summary found;
    if (is_done(repair)) {
        cli_say("%s: is not there any more, and %s is complete: nothing to repair",
                repair->recording, repair->capture);
        return CLI_DONE;
    }
    if (recording_inspect(repair->recording, &found, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (!repair->json) {
        print_found(repair, &found);
    }
    pending_protect(repair->recording);
    struct record_agreement agreement;
    enum nfsar_status status = join(repair, &found, &agreement, &error);
    if (status != NFSAR_OK) {
        recording_summary_free(&found);
        return cli_fail(&error);
    }
    if (!repair->json) {
        print_agreement(repair, &agreement);
    }
    status = recording_seal(repair->recording, repair->capture, &repair->options,
                            cli_progress("sealing"), &error);
    cli_progress_end();
    int exit_status = status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
    if (status == NFSAR_OK && repair->json) {
        exit_status = print_json(repair, &found, &agreement);
    } else if (status == NFSAR_OK) {
        printf("%s: made, read back and compared\n", repair->capture);
    }
    recording_summary_free(&found);
    return exit_status;
}

int verb_repair(int argc, char **argv) {
    const char *output = NULL;
    int exit_status = CLI_USAGE;
    size_t level = 1;
    struct repair repair = {0};
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &output, NULL, "FILE.h5",
         "the capture (without: the recording's name without .recording)"},
        {"level", 0, CLI_COUNT, &level, NULL, "N", "of gzip, 1 (default, quick) to 9 (small)"},
        {"join-by-time", 0, CLI_FLAG, &repair.join_by_time, NULL, NULL,
         "where triggers gave no frame: join frames to triggers by their times"},
        {"missed", 0, CLI_STRING, &repair.missed, NULL, "LIST",
         "these triggers gave no frame, by your own finding: 17,120-125"},
        {"keep", 0, CLI_FLAG, &repair.options.keep, NULL, NULL, "leave the recording there"},
        {"json", 0, CLI_FLAG, &repair.json, NULL, NULL, "one JSON object, in SI units"},
        {0},
    };
    if (!cli_parse("repair", "FILE.h5.recording [-o CAPTURE.h5]", options, 1, &repair.recording,
                   argc, argv, &exit_status)) {
        return exit_status;
    }
    use_threads();
    if (level < 1 || level > 9) {
        return cli_usage("repair", "--level %zu: gzip has levels from 1 to 9", level);
    }
    if (repair.missed != NULL && repair.join_by_time) {
        return cli_usage("repair", "--missed and --join-by-time: one of them says which triggers "
                                   "gave no frame");
    }
    repair.options.deflate = (int)level;
    repair.capture = output != NULL ? strdup(output) : capture_name(repair.recording);
    if (repair.capture == NULL) {
        return cli_usage("repair",
                         "%s does not end in " RECORDING_ENDING ": -o CAPTURE.h5 is "
                         "missing",
                         repair.recording);
    }
    exit_status = run(&repair);
    free(repair.capture);
    return exit_status;
}
