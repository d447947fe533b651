/* nfsar info: what is in a file. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/info.h"
#include "host/cli/verbs.h"

#include <stdio.h>

#include <nfsar/file.h>

#include "host/files/capture_file.h"

void info_label(const char *label) {
    printf("%-12s", label);
}

void info_lines(const char *label, char *const *lines, size_t n) {
    for (size_t i = 0; i < n; i++) {
        info_label(i == 0 ? label : "");
        puts(lines[i]);
    }
}

json_t *info_json_lines(char *const *lines, size_t n) {
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, json_text(lines[i]));
    }
    return array;
}

const char *info_bytes(double bytes, char text[32]) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 999.95 && unit < 4) {
        bytes /= 1e3;
        unit++;
    }
    snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return text;
}

const char *info_recording_end(const struct recording_summary *recording) {
    if (recording->live) {
        return "goes on";
    }
    switch (recording->end) {
    case RECORDING_CLOSED:
        return "closed";
    case RECORDING_FAILED:
        return "ended when writing failed";
    case RECORDING_GOES_ON:
        break;
    }
    return "was cut off";
}

static int show_capture(const char *path, bool json, nfsar_error *error) {
    nfsar_capture_file *file = NULL;
    if (nfsar_capture_file_open(path, &file, error) != NFSAR_OK) {
        return cli_fail(error);
    }
    struct recording_summary recording;
    const bool is_recording = capture_file_counts(file)->is_recording;
    int exit_status = CLI_FAILED;
    if (is_recording && recording_inspect(path, &recording, error) != NFSAR_OK) {
        exit_status = cli_fail(error);
    } else {
        exit_status = info_capture(path, nfsar_capture_file_header(file),
                                   is_recording ? &recording : NULL, json);
    }
    if (is_recording) {
        recording_summary_free(&recording);
    }
    nfsar_capture_file_close(file);
    return exit_status;
}

static int show_image(const char *path, bool json, nfsar_error *error) {
    nfsar_image_file *file = NULL;
    if (nfsar_image_file_open(path, &file, error) != NFSAR_OK) {
        return cli_fail(error);
    }
    int exit_status = info_image(path, nfsar_image_file_header(file), json);
    nfsar_image_file_close(file);
    return exit_status;
}

int verb_info(int argc, char **argv) {
    const char *path = NULL;
    bool json = false;
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one JSON object, in SI units"},
        {0},
    };
    if (!cli_parse("info", "FILE.h5 [--json]", options, 1, &path, argc, argv, &exit_status)) {
        return exit_status;
    }
    nfsar_error error;
    enum nfsar_file_kind kind = NFSAR_FILE_CAPTURE;
    if (nfsar_file_identify(path, &kind, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    return kind == NFSAR_FILE_CAPTURE ? show_capture(path, json, &error)
                                      : show_image(path, json, &error);
}
