#include <nfsar/progress.h>
#include <nfsar/status.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *nfsar_status_string(enum nfsar_status status) {
    switch (status) {
    case NFSAR_OK:
        return "done";
    case NFSAR_ERROR_ARGUMENT:
        return "argument not accepted";
    case NFSAR_ERROR_MEMORY:
        return "out of memory";
    case NFSAR_ERROR_FILE:
        return "file error";
    case NFSAR_ERROR_FORMAT:
        return "wrong file content";
    case NFSAR_ERROR_VERSION:
        return "file of a newer version";
    case NFSAR_ERROR_GEOMETRY:
        return "geometry does not fit the method";
    case NFSAR_ERROR_UNSUPPORTED:
        return "not supported";
    case NFSAR_ERROR_CANCELLED:
        return "cancelled";
    }
    return "unknown status";
}

static void one_line(char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\r' || *text == '\t') {
            *text = ' ';
        }
    }
}

enum nfsar_status nfsar_fail(nfsar_error *error, enum nfsar_status status, const char *format,
                             ...) {
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        one_line(error->message);
    }
    return status;
}

enum nfsar_status nfsar_fail_in(nfsar_error *error, enum nfsar_status status, const char *format,
                                ...) {
    if (error != NULL) {
        char inner[NFSAR_ERROR_LENGTH];
        memcpy(inner, error->message, sizeof inner);
        va_list arguments;
        va_start(arguments, format);
        int used = vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        if (used >= 0 && (size_t)used < sizeof error->message) {
            snprintf(error->message + used, sizeof error->message - (size_t)used, ": %s", inner);
        }
        one_line(error->message);
    }
    return status;
}

bool nfsar_progress_report(const nfsar_progress *progress, double fraction) {
    if (progress == NULL || progress->report == NULL) {
        return true;
    }
    return progress->report(progress->context, fraction);
}
