/* nfsar doctor CAPTURE.h5: what is wrong with a capture? */
#include "host/cli/doctor_capture.h"

#include <stdio.h>

#include <nfsar/doctor.h>
#include <nfsar/file.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

static const char *const verdict[] = {"ok", "wrong", "unknown"};

static const char *sure(const nfsar_finding *finding) {
    static const char *const names[] = {"certain", "tested", "likely"};
    return finding->verdict == NFSAR_DOCTOR_WRONG ? names[finding->certainty] : NULL;
}

static void print_findings(const nfsar_doctor_report *report) {
    for (size_t i = 0; i < report->n; i++) {
        const nfsar_finding *f = &report->finding[i];
        printf("%-8s %-11s %s%s\n", verdict[f->verdict], f->check,
               f->certainty == NFSAR_DOCTOR_LIKELY && f->verdict == NFSAR_DOCTOR_WRONG ? "likely: "
                                                                                       : "",
               f->text);
        if (f->fix[0] != '\0') {
            printf("%-8s %-11s -> %s\n", "", "", f->fix);
        }
    }
    fflush(stdout);
    cli_say("%zu ok, %zu wrong, %zu unknown", report->verdicts[NFSAR_DOCTOR_OK],
            report->verdicts[NFSAR_DOCTOR_WRONG], report->verdicts[NFSAR_DOCTOR_UNKNOWN]);
    if (report->in_rows && report->verdicts[NFSAR_DOCTOR_WRONG] == 0) {
        cli_say("steps, skew and backlash of the rows were not looked at: nfsar calibrate --path "
                "does that, with a target of points, holes or edges");
    }
}

static void print_findings_json(const nfsar_doctor_report *report) {
    json_t *checks = json_array();
    for (size_t i = 0; i < report->n; i++) {
        const nfsar_finding *f = &report->finding[i];
        const bool wrong = f->verdict == NFSAR_DOCTOR_WRONG;
        json_array_append_new(checks,
                              json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o}", "check", f->check,
                                        "verdict", verdict[f->verdict], "fault",
                                        wrong ? nfsar_fault_name(f->fault) : NULL, "sure", sure(f),
                                        "text", json_text(f->text), "fix", json_text(f->fix)));
    }
    print_object(json_pack("{s:o, s:I, s:I, s:I}", "checks", checks, "ok",
                           (json_int_t)report->verdicts[NFSAR_DOCTOR_OK], "wrong",
                           (json_int_t)report->verdicts[NFSAR_DOCTOR_WRONG], "unknown",
                           (json_int_t)report->verdicts[NFSAR_DOCTOR_UNKNOWN]));
}

int doctor_capture(const char *path, const double *gate, bool json) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_doctor_report report;
    nfsar_doctor_options options = {.threads = cli_threads()};
    if (gate != NULL) {
        options.has_gate = true;
        options.gate[0] = gate[0];
        options.gate[1] = gate[1];
    }
    enum nfsar_status status = nfsar_capture_file_open(path, &file, &error);
    if (status == NFSAR_OK) {
        const nfsar_echo_source source = nfsar_capture_file_source(file);
        status = nfsar_doctor_examine(nfsar_capture_file_header(file), &source, &options, &report,
                                      cli_progress("examining"), &error);
        cli_progress_end();
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", path);
        }
    }
    nfsar_capture_file_close(file);
    if (status != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (json) {
        print_findings_json(&report);
    } else {
        print_findings(&report);
    }
    return report.verdicts[NFSAR_DOCTOR_WRONG] == 0 ? CLI_DONE : CLI_FAILED;
}
