/* nfsar doctor: is everything there that a recording wants? */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"
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
    size_t found[DOCTOR_VERDICTS];
    bool json = false;
    int exit_status = CLI_USAGE;
    const struct cli_option known[] = {
        {"rig", 0, CLI_STRING, &options.session, NULL, "SESSION.yaml",
         "the session that is to be recorded; without: the usual addresses"},
        {"output", 'o', CLI_STRING, &options.output, NULL, "FOLDER",
         "where recordings go; the current folder by default"},
        {"lvds", 0, CLI_FLAG, &options.lvds, NULL, NULL,
         "start the radar and record for a moment too"},
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one object for programs"},
        {0},
    };
    if (!cli_parse("doctor",
                   "[--rig SESSION.yaml] [--output FOLDER] [--lvds] [--json]\n\n"
                   "Checks one after the other what a recording wants, and says what to do.",
                   known, 0, NULL, argc, argv, &exit_status)) {
        return exit_status;
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
