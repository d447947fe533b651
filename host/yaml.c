#include "host/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/yaml_strict.h"

/* Rig and scene files are written by people; anything larger is the wrong file. */
#define YAML_SIZE_LIMIT (4u << 20)

/* libcyaml reports a failure as a first line (what) and a backtrace (where, innermost first). */
struct yaml_report {
    char what[256];
    char where[512];
};

static void collect(cyaml_log_t level, void *context, const char *format, va_list arguments) {
    struct yaml_report *report = context;
    (void)level;
    char line[256];
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
    if (strncmp(text, "Backtrace", 9) == 0) {
        return;
    }
    if (strncmp(text, "  in ", 5) == 0) {
        size_t used = strlen(report->where);
        if (used + strlen(text) + 2 < sizeof report->where) {
            snprintf(report->where + used, sizeof report->where - used, "%s%s",
                     used > 0 ? ", " : "", text + 2);
        }
    } else if (report->what[0] == '\0') {
        snprintf(report->what, sizeof report->what, "%s", text);
    }
}

static cyaml_config_t configuration(struct yaml_report *report) {
    return (cyaml_config_t){.log_fn = report != NULL ? collect : NULL,
                            .log_ctx = report,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_WARNING,
                            .flags = CYAML_CFG_NO_ALIAS};
}

static enum nfsar_status read_text(const char *path, uint8_t **text, size_t *length,
                                   nfsar_error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    uint8_t *buffer = malloc(YAML_SIZE_LIMIT + 1);
    size_t n = buffer != NULL ? fread(buffer, 1, YAML_SIZE_LIMIT, file) : 0;
    int failed = ferror(file);
    int more = fgetc(file) != EOF;
    fclose(file);
    enum nfsar_status status = NFSAR_OK;
    if (buffer == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    } else if (failed) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read", path);
    } else if (more) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: larger than 4 MiB, so not a YAML description", path);
    } else if (memchr(buffer, '\0', n) != NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: holds zero bytes, so not a YAML description", path);
    }
    if (status != NFSAR_OK) {
        free(buffer);
        return status;
    }
    buffer[n] = '\0';
    *text = buffer;
    *length = n;
    return NFSAR_OK;
}

enum nfsar_status yaml_load(const char *path, const cyaml_schema_value_t *schema, void **data,
                            nfsar_error *error) {
    uint8_t *text = NULL;
    size_t length = 0;
    enum nfsar_status status = read_text(path, &text, &length, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = strict_check(text, length, schema, error);
    if (status != NFSAR_OK) {
        free(text);
        return nfsar_fail_in(error, status, "%s", path);
    }
    struct yaml_report report = {0};
    cyaml_config_t config = configuration(&report);
    *data = NULL;
    cyaml_err_t result = cyaml_load_data(text, length, &config, schema, data, NULL);
    if (result != CYAML_OK) {
        const char *what = report.what[0] != '\0' ? report.what : cyaml_strerror(result);
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s%s%s%s", path, what,
                            report.where[0] != '\0' ? " (" : "", report.where,
                            report.where[0] != '\0' ? ")" : "");
    } else if (*data == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is empty", path);
    }
    free(text);
    return status;
}

void yaml_release(const cyaml_schema_value_t *schema, void *data) {
    cyaml_config_t config = configuration(NULL);
    if (data != NULL) {
        cyaml_free(&config, schema, data, 0);
    }
}
