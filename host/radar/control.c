#include "host/radar/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/radar/control_way.h"

enum { TIMEOUT_MS = 1000, STARTS_AS_LONG_AS = 10 };

struct radar_control {
    struct radar_control_options options;
    struct radar_way way;
};

/* ---- text ------------------------------------------------------------------------------------ */

void radar_copy_text(char *to, size_t size, const void *from, size_t n) {
    const unsigned char *bytes = from;
    size_t length = 0;
    while (length < n && length + 1 < size && bytes[length] != 0) {
        to[length] = bytes[length] >= 0x20 && bytes[length] < 0x7f ? (char)bytes[length] : '?';
        length++;
    }
    to[length] = '\0';
}

bool radar_next_line(const char *text, size_t n, size_t *at, unsigned *number, const char **line,
                     size_t *bytes) {
    while (*at < n) {
        size_t begin = *at, end = *at;
        while (end < n && text[end] != '\n') {
            end++;
        }
        *at = end + 1;
        (*number)++;
        while (end > begin && (unsigned char)text[end - 1] <= ' ') {
            end--;
        }
        while (begin < end && (unsigned char)text[begin] <= ' ') {
            begin++;
        }
        if (begin < end && text[begin] != '%') {
            *line = text + begin;
            *bytes = end - begin;
            return true;
        }
    }
    return false;
}

size_t radar_count_lines(const char *text, size_t n) {
    size_t lines = 0, at = 0, bytes = 0;
    unsigned number = 0;
    for (const char *line = NULL; radar_next_line(text, n, &at, &number, &line, &bytes);) {
        lines++;
    }
    return lines;
}

void radar_heard(const struct radar_control_options *options, struct radar_answer *answer,
                 const char *line) {
    if (options->said != NULL) {
        options->said(options->context, line);
    }
    if (strcmp(line, "Done") == 0) {
        answer->said[0] = '\0';
        return;
    }
    const size_t used = strlen(answer->said);
    snprintf(answer->said + used, sizeof answer->said - used, "%s%s", used > 0 ? " | " : "", line);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* What helps where the radar refuses; NULL: nobody knows. */
static const char *hint_refused(const struct radar_answer *answer) {
    if (strstr(answer->said, "is not recognized") != NULL) {
        return ti_cfg_is(answer->text, "lvdsStreamCfg")
                   ? "this firmware has no LVDS stream to switch on: the out-of-box demo of "
                     "xWR14xx "
                     "never has one, its capture demo always (then leave the line out)"
                   : "the radar's firmware has no such command; another version of the SDK?";
    }
    if (strstr(answer->said, "Invalid usage") != NULL) {
        return ti_cfg_is(answer->text, "adcbufCfg")
                   ? "adcbufCfg has 4 values in SDK 1, and the subframe (-1) in front of them later"
                   : "this SDK wants another number of values";
    }
    if (ti_cfg_is(answer->text, "sensorStart")) {
        return "sensorStart refuses what the lines before say together: a command that this SDK "
               "wants is missing, or profile and frame do not fit";
    }
    return NULL;
}

static const char *hint_silent(const struct radar_answer *answer) {
    return ti_cfg_is(answer->text, "sensorStop")
               ? "a radar that waits for a trigger may hang in sensorStop: reset it"
               : "is it powered, and its UART connected?";
}

/* path may be NULL: no file. */
static enum nfsar_status verdict(const struct radar_answer *answer, const char *path, unsigned line,
                                 nfsar_error *error) {
    char where[512] = "";
    if (path != NULL && line > 0) {
        snprintf(where, sizeof where, "%.400s: line %u: ", path, line);
    }
    const char *printed = answer->said[0] != '\0' ? "; it printed: " : "";
    switch (answer->outcome) {
    case RADAR_ANSWERED:
        return NFSAR_OK;
    case RADAR_SILENT:
        return nfsar_fail(
            error, NFSAR_ERROR_DEVICE, "%sthe radar did not answer '%s' within %u ms%s%s; %s",
            where, answer->text, answer->took_ms, printed, answer->said, hint_silent(answer));
    case RADAR_CANCELLED:
        return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted");
    default:
        break;
    }
    const char *hint = hint_refused(answer);
    return nfsar_fail(error, NFSAR_ERROR_REFUSED, "%sthe radar refused '%s'%s%s%s%s", where,
                      answer->text, printed, answer->said, hint != NULL ? "; " : "",
                      hint != NULL ? hint : "");
}

/* ---- the interface --------------------------------------------------------------------------- */

enum nfsar_status radar_open(const struct radar_control_options *options,
                             struct radar_control **radar, nfsar_error *error) {
    *radar = calloc(1, sizeof **radar);
    if (*radar == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    struct radar_control_options *own = &(*radar)->options;
    *own = *options;
    own->timeout_ms = own->timeout_ms > 0 ? own->timeout_ms : TIMEOUT_MS;
    if (own->start_timeout_ms == 0) {
        own->start_timeout_ms = STARTS_AS_LONG_AS * own->timeout_ms;
    }
    own->start_timeout_ms = own->start_timeout_ms < 60000 ? own->start_timeout_ms : 60000;
    const enum nfsar_status status = own->port != NULL
                                         ? radar_way_serial(own, &(*radar)->way, error)
                                         : radar_way_hub(own, &(*radar)->way, error);
    if (status != NFSAR_OK) {
        free(*radar);
        *radar = NULL;
    }
    return status;
}

void radar_close(struct radar_control *radar) {
    if (radar != NULL) {
        radar->way.close(radar->way.context);
        free(radar);
    }
}

void radar_record(struct radar_control *radar, const struct nfsar_wire_message *record) {
    if (radar != NULL && radar->way.record != NULL) {
        radar->way.record(radar->way.context, record);
    }
}

enum nfsar_status radar_send_text(struct radar_control *radar, const char *path, const char *text,
                                  size_t n, nfsar_error *error) {
    struct radar_answer answer = {0};
    if (radar_count_lines(text, n) == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no line for the radar", path);
    }
    const enum nfsar_status status =
        radar->way.run(radar->way.context, text, n, radar->options.timeout_ms, &answer, error);
    return status == NFSAR_OK ? verdict(&answer, path, answer.line, error) : status;
}

/* The lines but sensorStart, each in the row that it has in the file, so that the numbers of both
 * are the same. NULL: no memory. */
static char *text_of(const struct ti_cfg *cfg, size_t *n) {
    size_t bytes = 1;
    for (size_t i = 0; i < cfg->n_lines; i++) {
        bytes += strlen(cfg->lines[i].text) + 1;
    }
    bytes += cfg->n_lines > 0 ? cfg->lines[cfg->n_lines - 1].number : 0;
    char *text = malloc(bytes);
    unsigned row = 1;
    *n = 0;
    for (size_t i = 0; text != NULL && i < cfg->n_lines; i++) {
        if (ti_cfg_is(cfg->lines[i].text, "sensorStart")) {
            continue;
        }
        for (; row < cfg->lines[i].number; row++) {
            text[(*n)++] = '\n';
        }
        *n += (size_t)sprintf(text + *n, "%s", cfg->lines[i].text);
    }
    return text;
}

enum nfsar_status radar_send(struct radar_control *radar, const struct ti_cfg *cfg,
                             nfsar_error *error) {
    size_t n = 0;
    char *text = text_of(cfg, &n);
    if (text == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    const enum nfsar_status status = radar_send_text(radar, cfg->path, text, n, error);
    free(text);
    return status;
}

static enum nfsar_status say(struct radar_control *radar, const char *text, const char *path,
                             unsigned line, unsigned timeout_ms, nfsar_error *error) {
    struct radar_answer answer = {0};
    const enum nfsar_status status =
        radar->way.run(radar->way.context, text, strlen(text), timeout_ms, &answer, error);
    return status == NFSAR_OK ? verdict(&answer, path, line, error) : status;
}

enum nfsar_status radar_start(struct radar_control *radar, const struct ti_cfg *cfg,
                              nfsar_error *error) {
    for (size_t i = 0; cfg != NULL && i < cfg->n_lines; i++) {
        const struct ti_cfg_line *line = &cfg->lines[i];
        if (ti_cfg_is(line->text, "sensorStart")) {
            return say(radar, line->text, cfg->path, line->number, radar->options.start_timeout_ms,
                       error);
        }
    }
    return say(radar, "sensorStart", NULL, 0, radar->options.start_timeout_ms, error);
}

enum nfsar_status radar_stop(struct radar_control *radar, nfsar_error *error) {
    return say(radar, "sensorStop", NULL, 0, radar->options.timeout_ms, error);
}
