/* nfsar doctor: is everything there that a recording wants, or what is wrong with a capture? */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "host/cli/cli.h"
#include "host/cli/doctor_capture.h"
#include "host/cli/hub.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"
#include "host/devices/doctor.h"

/* For people: each as it is found. */
static void print_finding(void *context, const struct doctor_finding *finding) {
    (void)context;
    printf("%-8s %-16s %s\n", doctor_verdict_name(finding->verdict), finding->check, finding->text);
    if (finding->fix[0] != '\0') {
        printf("%-8s %-16s -> %s\n", "", "", finding->fix);
    }
    fflush(stdout);
}

static void add_finding(void *context, const struct doctor_finding *finding) {
    json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:s}", "check", finding->check,
                                             "verdict", doctor_verdict_name(finding->verdict),
                                             "text", finding->text, "fix", finding->fix));
}

static bool is_interrupted(void *context) {
    (void)context;
    return hub_interrupted();
}

static bool run_json(struct doctor_options *options, size_t found[DOCTOR_VERDICTS]) {
    json_t *findings = json_array();
    options->tell = add_finding;
    options->context = findings;
    const bool whole = doctor_run(options, found);
    json_t *object = json_pack(
        "{s:o, s:I, s:I, s:I}", "checks", findings, "ok", (json_int_t)found[DOCTOR_OK], "wrong",
        (json_int_t)found[DOCTOR_WRONG], "unknown", (json_int_t)found[DOCTOR_UNKNOWN]);
    json_dumpf(object, stdout, JSON_INDENT(2));
    puts("");
    json_decref(object);
    return whole;
}

int verb_doctor(int argc, char **argv) {
    struct doctor_options options = {.tell = print_finding, .cancelled = is_interrupted};
    size_t found[DOCTOR_VERDICTS], n_capture = 0;
    const char *capture = NULL;
    bool json = false, has_gate = false;
    double gate[2];
    int exit_status = CLI_USAGE;
    const struct cli_option known[] = {
        {"rig", 0, CLI_STRING, &options.session, NULL, "SESSION.yaml",
         "the session that is to be recorded; without: the usual addresses"},
        {"output", 'o', CLI_STRING, &options.output, NULL, "FOLDER",
         "where recordings go; the current folder by default"},
        {"lvds", 0, CLI_FLAG, &options.lvds, NULL, NULL,
         "start the radar and record for a moment too"},
        {"range", 0, CLI_RANGE, gate, &has_gate, "MIN:MAX",
         "of a capture: where its target is to be, metres"},
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one object for programs"},
        {0},
    };
    if (!cli_parse_some("doctor",
                        "CAPTURE.h5 [--range MIN:MAX] [--json]\n"
                        "       nfsar doctor [--rig SESSION.yaml] [--output FOLDER] [--lvds] "
                        "[--json]\n\n"
                        "Says what is wrong with a capture, or checks one after the other what a "
                        "recording wants; and what to do.",
                        known, 1, &capture, &n_capture, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (n_capture > 0) {
        const char *ending = strrchr(capture, '.');
        if (ending != NULL && (strcmp(ending, ".yaml") == 0 || strcmp(ending, ".yml") == 0)) {
            return cli_usage("doctor", "%s is no capture; a session: nfsar doctor --rig %s",
                             capture, capture);
        }
        if (options.session != NULL || options.output != NULL || options.lvds) {
            return cli_usage("doctor", "--rig, --output and --lvds are for a rig, not for %s",
                             capture);
        }
        use_threads();
        return doctor_capture(capture, has_gate ? gate : NULL, json);
    }
    if (has_gate) {
        return cli_usage("doctor", "--range is for a capture: nfsar doctor CAPTURE.h5 --range ...");
    }
    hub_catch_interrupts();
    const bool whole = json ? run_json(&options, found) : doctor_run(&options, found);
    if (!whole) {
        cli_say("interrupted");
    } else if (!json) {
        cli_say("%zu ok, %zu wrong, %zu unknown", found[DOCTOR_OK], found[DOCTOR_WRONG],
                found[DOCTOR_UNKNOWN]);
    }
    return whole && found[DOCTOR_WRONG] == 0 ? CLI_DONE : CLI_FAILED;
}
