#include <nfsar/progress.h>
#include <nfsar/status.h>

#include <stdarg.h>
#include <stdbool.h>
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
    case NFSAR_ERROR_DEVICE:
        return "device does not answer";
    case NFSAR_ERROR_REFUSED:
        return "refused by the device";
    }
    return "unknown status";
}

/* What a terminal would obey has no place in a message: names come from anywhere. */
static void one_line(char *text) {
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '\n' || byte == '\r' || byte == '\t') {
            *text = ' ';
        } else if (byte < 0x20 || byte == 0x7f) {
            *text = '?';
        }
    }
}

/* Longest text that a message is cut from: a longest path, and words. */
#define LONGEST 8192

static bool continues(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Long text loses its middle: a name is long, and the reason stands at the end. */
static void set_message(nfsar_error *error, const char *text) {
    static const char gap[] = " ... ";
    const size_t head = NFSAR_ERROR_LENGTH / 3;
    size_t length = strlen(text);
    if (length < NFSAR_ERROR_LENGTH) {
        memcpy(error->message, text, length + 1);
    } else {
        size_t from = length - (NFSAR_ERROR_LENGTH - head - sizeof gap), to = head;
        while (to > 0 && continues(text[to])) {
            to--;
        }
        while (from < length && continues(text[from])) {
            from++;
        }
        snprintf(error->message, sizeof error->message, "%.*s%s%s", (int)to, text, gap,
                 text + from);
    }
    one_line(error->message);
}

enum nfsar_status nfsar_fail(nfsar_error *error, enum nfsar_status status, const char *format,
                             ...) {
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        char text[LONGEST];
        error->status = status;
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        set_message(error, text);
    }
    return status;
}

enum nfsar_status nfsar_fail_in(nfsar_error *error, enum nfsar_status status, const char *format,
                                ...) {
    if (error != NULL) {
        char text[LONGEST];
        va_list arguments;
        va_start(arguments, format);
        int used = vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        bool there = used > 0 && (size_t)used < sizeof text &&
                     strncmp(error->message, text, (size_t)used) == 0 &&
                     error->message[used] == ':';
        if (used >= 0 && !there && (size_t)used < sizeof text - NFSAR_ERROR_LENGTH - 2) {
            snprintf(text + used, sizeof text - (size_t)used, ": %s", error->message);
            set_message(error, text);
        }
    }
    return status;
}

bool nfsar_progress_report(const nfsar_progress *progress, double fraction) {
    if (progress == NULL || progress->report == NULL) {
        return true;
    }
    return progress->report(progress->context, fraction);
}
