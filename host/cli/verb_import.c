#include <stdio.h>
#include <string.h>

#include <nfsar/import.h>

#include "host/cli/cli.h"
#include "host/cli/verbs.h"
#include "host/files/pending.h"

struct request {
    const char *rig, *output, *data, *picture;
    bool explain;
};

/* "RIG-profile.png" in the current folder. */
static const char *picture_name(const struct request *request, char *name, size_t size) {
    if (request->picture != NULL) {
        return request->picture;
    }
    const char *slash = strrchr(request->rig, '/');
    const char *base = slash != NULL ? slash + 1 : request->rig;
    const char *dot = strrchr(base, '.');
    int length = (int)(dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base));
    snprintf(name, size, "%.*s-profile.png", length, base);
    return name;
}

static enum nfsar_status look(nfsar_import *import, const struct request *request,
                              nfsar_error *error) {
    char name[4200];
    const char *picture = picture_name(request, name, sizeof name);
    enum nfsar_status status = nfsar_import_survey(import, cli_progress("looking"), error);
    cli_progress_end();
    if (status != NFSAR_OK) {
        return status;
    }
    if (request->explain) {
        nfsar_import_explain(import, stdout);
    }
    status = nfsar_import_picture(import, picture, error);
    if (status == NFSAR_ERROR_UNSUPPORTED && request->picture == NULL) {
        /* Nobody asked for it by name, and the lines above say why there is none. */
        return NFSAR_OK;
    }
    if (status == NFSAR_OK && request->explain) {
        printf("picture     %s\n", picture);
    }
    return status;
}

static void warn(const nfsar_import *import) {
    size_t n = 0;
    const char *const *warning = nfsar_import_warnings(import, &n);
    for (size_t i = 0; i < n; i++) {
        cli_say("nfsar: warning: %s", warning[i]);
    }
}

static int run(const struct request *request) {
    nfsar_error error = {0};
    nfsar_import *import = NULL;
    pending_protect(request->rig);
    enum nfsar_status status = NFSAR_OK;
    if (request->output != NULL) {
        status = pending_check(request->output, PENDING_HDF5, &error);
    }
    if (status == NFSAR_OK && request->picture != NULL) {
        status = pending_check(request->picture, PENDING_PNG, &error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_import_open(request->rig, request->data, &import, &error);
    }
    if (status == NFSAR_OK && (request->explain || request->picture != NULL)) {
        status = look(import, request, &error);
    }
    if (status == NFSAR_OK && request->output != NULL) {
        status = nfsar_import_run(import, request->output, cli_progress("importing"), &error);
        cli_progress_end();
    }
    if (status == NFSAR_OK && !request->explain) {
        warn(import);
    }
    if (status == NFSAR_OK && request->output != NULL) {
        const nfsar_capture *capture = nfsar_import_header(import);
        cli_say("%s: %zu pulse%s x %zu channel%s x %zu sample%s", request->output, capture->n_pulse,
                cli_s(capture->n_pulse), capture->array.n_channel, cli_s(capture->array.n_channel),
                capture->n_sample, cli_s(capture->n_sample));
    }
    nfsar_import_close(import);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}

int verb_import(int argc, char **argv) {
    struct request request = {0};
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &request.output, NULL, "FILE", "capture to write"},
        {"data", 0, CLI_STRING, &request.data, NULL, "FOLDER",
         "where the recordings are; the rig file's folder by default"},
        {"explain", 0, CLI_FLAG, &request.explain, NULL, NULL,
         "print what was understood, and draw the range profile"},
        {"picture", 0, CLI_STRING, &request.picture, NULL, "PNG",
         "range profile; RIG-profile.png by default"},
        {0},
    };
    int status = CLI_USAGE;
    if (!cli_parse("import", "RIG.yaml -o CAPTURE.h5 [--data FOLDER] [--explain] [--picture PNG]",
                   options, 1, &request.rig, argc, argv, &status)) {
        return status;
    }
    if (request.output == NULL && !request.explain && request.picture == NULL) {
        return cli_usage("import", "give -o CAPTURE.h5, or --explain to only look");
    }
    return run(&request);
}
