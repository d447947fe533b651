#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <nfsar/import.h>
#include <nfsar/range.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"
#include "host/files/pending.h"
#include "host/import/import.h"

struct request {
    const char *rig, *output, *data, *picture;
    bool explain, json;
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

/* Draw the profile. One that nobody named never takes the place of a file that is there. */
static enum nfsar_status draw(nfsar_import *import, const struct request *request,
                              nfsar_error *error) {
    char name[4200];
    const char *picture = picture_name(request, name, sizeof name);
    bool named = request->picture != NULL;
    bool told = request->explain && !request->json;
    if (!named && access(picture, F_OK) == 0) {
        if (told) {
            printf("picture     none: %s is there already; --picture PNG names another\n", picture);
        }
        return NFSAR_OK;
    }
    enum nfsar_status status = nfsar_import_picture(import, picture, error);
    if (status == NFSAR_ERROR_UNSUPPORTED && !named) {
        /* The lines above say why there is none. */
        return NFSAR_OK;
    }
    if (status == NFSAR_OK && told) {
        printf("picture     %s\n", picture);
    }
    return status;
}

static enum nfsar_status look(nfsar_import *import, const struct request *request,
                              nfsar_error *error) {
    enum nfsar_status status = nfsar_import_survey(import, cli_progress("looking"), error);
    cli_progress_end();
    if (status == NFSAR_OK && request->explain && !request->json) {
        nfsar_import_explain(import, stdout);
    }
    if (status == NFSAR_OK && (request->picture != NULL || request->output == NULL)) {
        status = draw(import, request, error);
    }
    return status;
}

/* One object on stdout: what was understood, and what looks wrong. */
static enum nfsar_status print_json(const nfsar_import *import, const struct request *request,
                                    nfsar_error *error) {
    const nfsar_capture *capture = nfsar_import_header(import);
    double low = INFINITY, high = -INFINITY, resolution = nfsar_range_resolution(capture);
    for (size_t i = 0; i < capture->n_sample; i++) {
        low = fmin(low, capture->frequency_hz[i]);
        high = fmax(high, capture->frequency_hz[i]);
    }
    json_t *files = json_array(), *warnings = json_array();
    for (size_t i = 0; i < import->recordings.n; i++) {
        json_array_append_new(files, json_string(recordings_name(&import->recordings, i)));
    }
    size_t n = 0;
    const char *const *warning = nfsar_import_warnings(import, &n);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(warnings, json_string(warning[i]));
    }
    json_t *band = json_pack("{s:f, s:f}", "low_hz", low, "high_hz", high);
    json_t *object =
        json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "rig", request->rig, "files",
                  files, "layout", rig_layout_name(import->rig->layout), "pulses",
                  (json_int_t)capture->n_pulse, "channels", (json_int_t)capture->array.n_channel,
                  "samples", (json_int_t)capture->n_sample, "band", band, "range_resolution_m",
                  isfinite(resolution) ? json_real(resolution) : json_null(), "warnings", warnings);
    if (object != NULL && request->output != NULL) {
        json_object_set_new(object, "output", json_string(request->output));
    }
    int failed = object == NULL || json_dumpf(object, stdout, JSON_INDENT(2)) != 0;
    json_decref(object);
    putchar('\n');
    return failed ? nfsar_fail(error, NFSAR_ERROR_MEMORY,
                               "the JSON object cannot be made: out of "
                               "memory, or a name is not UTF-8")
                  : NFSAR_OK;
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
    if (status == NFSAR_OK && request->json) {
        status = print_json(import, request, &error);
    } else if (status == NFSAR_OK && !request->explain) {
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
         "range profile; without -o RIG-profile.png by default"},
        {"json", 0, CLI_FLAG, &request.json, NULL, NULL, "print one JSON object in place of lines"},
        {0},
    };
    int status = CLI_USAGE;
    if (!cli_parse("import",
                   "RIG.yaml -o CAPTURE.h5 [--data FOLDER] [--explain] [--picture PNG] [--json]",
                   options, 1, &request.rig, argc, argv, &status)) {
        return status;
    }
    if (request.output == NULL && !request.explain && request.picture == NULL) {
        return cli_usage("import", "give -o CAPTURE.h5, or --explain to only look");
    }
    use_threads();
    return run(&request);
}
