#include "host/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/yaml_events.h"
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

/* Without waiting for a writer where path is a pipe. */
static enum nfsar_status open_regular(const char *path, FILE **file, nfsar_error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is not a regular file", path);
    } else if ((*file = fdopen(fd, "rb")) == NULL) {
        nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    } else {
        return NFSAR_OK;
    }
    if (fd >= 0) {
        close(fd);
    }
    return NFSAR_ERROR_FILE;
}

static enum nfsar_status read_text(const char *path, uint8_t **text, size_t *length,
                                   nfsar_error *error) {
    FILE *file = NULL;
    if (open_regular(path, &file, error) != NFSAR_OK) {
        return NFSAR_ERROR_FILE;
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
    } else if (n >= 8 && memcmp(buffer, "\x89HDF\r\n\x1a\n", 8) == 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: is an HDF5 file, not a rig file or another YAML description", path);
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
    status = events_check(text, length, error);
    if (status == NFSAR_OK) {
        status = strict_check(text, length, schema, error);
    }
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
