/* nfsar seal: a capture compressed and looked through. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/info.h"
#include "host/cli/verbs.h"

#include <stdio.h>

#include <nfsar/file.h>

#include "host/files/pending.h"
#include "host/files/seal.h"

struct sealing {
    const char *input, *output;
    int level;
    bool json;
};

static int print_report(const struct sealing *sealing, const struct seal_report *report) {
    char before[32], after[32];
    if (sealing->json) {
        return print_object(
            json_pack("{s:o, s:I, s:I, s:I, s:I}", "file", json_text(sealing->output), "pulses",
                      (json_int_t)report->pulses, "bytes_before", (json_int_t)report->bytes_before,
                      "bytes_after", (json_int_t)report->bytes_after, "left_out",
                      (json_int_t)report->left_out));
    }
    printf("%s: %llu pulse%s read back and compared; %s before, %s now (%.0f %%)\n",
           sealing->output, (unsigned long long)report->pulses, cli_s(report->pulses),
           info_bytes((double)report->bytes_before, before),
           info_bytes((double)report->bytes_after, after),
           100.0 * (double)report->bytes_after /
               (double)(report->bytes_before > 0 ? report->bytes_before : 1));
    return CLI_DONE;
}

static int run(const struct sealing *sealing) {
    nfsar_error error;
    nfsar_capture_file *file = NULL;
    struct seal_report report;
    char line[64];
    char *lines[] = {line};
    snprintf(line, sizeof line, "nfsar seal --level %d", sealing->level);
    if (nfsar_capture_file_open(sealing->input, &file, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    enum nfsar_status status = NFSAR_OK;
    if (capture_file_counts(file)->is_recording) {
        status = nfsar_fail(&error, NFSAR_ERROR_ARGUMENT,
                            "%s: is a recording; `nfsar repair %s` makes a sealed capture of it",
                            sealing->input, sealing->input);
    } else {
        status = seal_capture(file, sealing->output, sealing->level, lines, 1, &report,
                              cli_progress("sealing"), &error);
        cli_progress_end();
    }
    nfsar_capture_file_close(file);
    if (status != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (report.left_out > 0) {
        cli_say("%s: %zu object%s could not be copied safely and %s left out: links to elsewhere, "
                "or types of variable length",
                sealing->output, report.left_out, cli_s(report.left_out),
                report.left_out == 1 ? "is" : "are");
    }
    return print_report(sealing, &report);
}

int verb_seal(int argc, char **argv) {
    int exit_status = CLI_USAGE;
    size_t level = 1;
    struct sealing sealing = {0};
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &sealing.output, NULL, "FILE.h5",
         "the sealed capture (without: in place, once it is complete)"},
        {"level", 0, CLI_COUNT, &level, NULL, "N", "of gzip, 1 (default, quick) to 9 (small)"},
        {"json", 0, CLI_FLAG, &sealing.json, NULL, NULL, "one JSON object, sizes in bytes"},
        {0},
    };
    if (!cli_parse("seal", "CAPTURE.h5 [-o OUT.h5]", options, 1, &sealing.input, argc, argv,
                   &exit_status)) {
        return exit_status;
    }
    use_threads();
    if (level < 1 || level > 9) {
        return cli_usage("seal", "--level %zu: gzip has levels from 1 to 9", level);
    }
    sealing.level = (int)level;
    if (sealing.output == NULL) {
        sealing.output = sealing.input;
    }
    return run(&sealing);
}
