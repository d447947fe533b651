/* The radar's command line on its own serial port. The dialogue is that of TI's SDK (cli.c): a
 * prompt that ends in ":/>", an echo, output, then "Done", "Error N" or "'x' is not recognized as a
 * CLI command". It reads only behind its prompt: what comes before that is lost. */
#include "host/radar/control_way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/transport.h"

enum {
    BAUD = 115200,
    LINE = 256, /* longer lines of the radar are cut */
    SLICE_MS = 50,
    WRITE_MS = 1000,
    PROMPT_MS = 250, /* between an answer and the prompt, at most */
    PROMPTS = 4      /* asked for, when the port is opened */
};

enum heard { NOTHING, A_LINE, A_PROMPT };

struct by_serial {
    const struct radar_control_options *options;
    struct transport line;
    char heard[LINE + 1]; /* what the radar prints now, without an end yet */
    size_t n_heard;
    uint8_t bytes[256]; /* that came, not looked at before `at` */
    size_t n_bytes, at;
    uint64_t total;  /* bytes that ever came */
    bool has_prompt; /* and nothing was sent since */
};

static bool ends(const char *text, size_t n, const char *with) {
    const size_t bytes = strlen(with);
    return n >= bytes && memcmp(text + n - bytes, with, bytes) == 0;
}

/* A byte into the line. The prompt has no end of line. */
static enum heard hear(struct by_serial *by, char c, char text[LINE + 1]) {
    if (c == '\n' || c == '\r') {
        radar_copy_text(text, LINE + 1, by->heard, by->n_heard);
        const bool said = by->n_heard > 0;
        by->n_heard = 0;
        return said ? A_LINE : NOTHING;
    }
    if (by->n_heard < LINE) {
        by->heard[by->n_heard++] = c != '\0' ? c : '?';
    }
    if (ends(by->heard, by->n_heard, ":/>")) {
        by->n_heard = 0;
        return A_PROMPT;
    }
    return NOTHING;
}

/* The next line or prompt until `end_ms` of the clock, or NOTHING. */
static enum nfsar_status next(struct by_serial *by, uint64_t end_ms, enum heard *what,
                              char text[LINE + 1], nfsar_error *error) {
    for (*what = NOTHING;;) {
        while (by->at < by->n_bytes && *what == NOTHING) {
            *what = hear(by, (char)by->bytes[by->at++], text);
        }
        const uint64_t now = transport_now_ms();
        if (*what != NOTHING || now >= end_ms) {
            return NFSAR_OK;
        }
        if (by->options->cancelled != NULL && by->options->cancelled(by->options->context)) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted");
        }
        const uint64_t left = end_ms - now;
        by->at = 0;
        const enum nfsar_status status =
            by->line.read(by->line.context, by->bytes, sizeof by->bytes,
                          left < SLICE_MS ? (unsigned)left : SLICE_MS, &by->n_bytes, error);
        if (status != NFSAR_OK) {
            by->n_bytes = 0;
            return status;
        }
        by->total += by->n_bytes;
    }
}

/* Drops what the radar prints until it shows its prompt, or the time is over. */
static enum nfsar_status await_prompt(struct by_serial *by, unsigned limit_ms, nfsar_error *error) {
    const uint64_t end_ms = transport_now_ms() + limit_ms;
    char text[LINE + 1];
    for (enum heard what = A_LINE; what == A_LINE;) {
        const enum nfsar_status status = next(by, end_ms, &what, text, error);
        if (status != NFSAR_OK) {
            return status;
        }
        by->has_prompt = what == A_PROMPT;
    }
    return NFSAR_OK;
}

/* An empty line is answered by the prompt alone, and ends what somebody left half typed. What the
 * radar still has to say of something else is over when the prompt comes. */
static enum nfsar_status ask_prompt(struct by_serial *by, unsigned limit_ms, nfsar_error *error) {
    by->n_heard = 0;
    by->has_prompt = false;
    enum nfsar_status status =
        by->line.write(by->line.context, (const uint8_t *)"\n", 1, WRITE_MS, error);
    return status == NFSAR_OK ? await_prompt(by, limit_ms, error) : status;
}

/* The echo is what was sent, behind the rest of a prompt or not. */
static bool is_echo(const char *text, const char *sent) {
    return sent != NULL && ends(text, strlen(text), sent);
}

/* Hears the answer to the line in answer->text. */
static enum nfsar_status hear_answer(struct by_serial *by, unsigned timeout_ms,
                                     struct radar_answer *answer, nfsar_error *error) {
    const uint64_t began = transport_now_ms(), end_ms = began + timeout_ms;
    const char *sent = answer->text;
    for (;;) {
        char text[LINE + 1] = "";
        enum heard what = NOTHING;
        const enum nfsar_status status = next(by, end_ms, &what, text, error);
        if (status != NFSAR_OK) {
            return status;
        }
        answer->took_ms = (unsigned)(transport_now_ms() - began);
        if (what == NOTHING) {
            answer->outcome = RADAR_SILENT;
            return NFSAR_OK;
        }
        if (what == A_PROMPT) {
            continue;
        }
        if (is_echo(text, sent)) {
            sent = NULL;
            continue;
        }
        const bool done = strcmp(text, "Done") == 0;
        radar_heard(by->options, answer, text);
        if (done || strncmp(text, "Error", 5) == 0 ||
            ends(text, strlen(text), "is not recognized as a CLI command")) {
            answer->outcome = done ? RADAR_ANSWERED : RADAR_REFUSED;
            return NFSAR_OK;
        }
    }
}

static enum nfsar_status say_line(struct by_serial *by, const char *line, size_t n,
                                  unsigned timeout_ms, struct radar_answer *answer,
                                  nfsar_error *error) {
    char sent[LINE + 1];
    const int length = snprintf(sent, sizeof sent, "%.*s\n", (int)n, line);
    if (length < 0 || (size_t)length >= sizeof sent) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "line %u is longer than the %d characters that the radar takes",
                          answer->line, TI_CFG_TEXT);
    }
    radar_copy_text(answer->text, sizeof answer->text, line, n);
    by->has_prompt = false;
    enum nfsar_status status =
        by->line.write(by->line.context, (const uint8_t *)sent, (size_t)length, WRITE_MS, error);
    if (status == NFSAR_OK) {
        status = hear_answer(by, timeout_ms, answer, error);
    }
    /* The second line of an error ("Error -1"), and the prompt, belong to this line. */
    return status == NFSAR_OK && answer->outcome != RADAR_SILENT
               ? await_prompt(by, PROMPT_MS, error)
               : status;
}

static enum nfsar_status serial_run(void *context, const char *text, size_t n, unsigned timeout_ms,
                                    struct radar_answer *answer, nfsar_error *error) {
    struct by_serial *by = context;
    enum nfsar_status status = NFSAR_OK;
    size_t at = 0, bytes = 0;
    unsigned number = 0;
    if (!by->has_prompt) { /* after a line that was not answered */
        status = ask_prompt(by, timeout_ms, error);
    }
    answer->outcome = RADAR_ANSWERED;
    for (const char *line = NULL; status == NFSAR_OK && answer->outcome == RADAR_ANSWERED &&
                                  radar_next_line(text, n, &at, &number, &line, &bytes);) {
        answer->line = number;
        answer->said[0] = '\0';
        status = say_line(by, line, bytes, timeout_ms, answer, error);
    }
    return status;
}

static void serial_end(void *context) {
    struct by_serial *by = context;
    by->line.close(by->line.context);
    free(by);
}

static enum nfsar_status find_prompt(struct by_serial *by, nfsar_error *error) {
    for (unsigned i = 0; i < PROMPTS; i++) {
        const enum nfsar_status status =
            ask_prompt(by, by->options->timeout_ms / PROMPTS + 1, error);
        if (status != NFSAR_OK || by->has_prompt) {
            return status;
        }
    }
    const char *port = by->options->port;
    if (by->total > 0) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: %llu bytes came within %u ms, and no radar's prompt (\":/>\" at "
                          "115200 baud); is it the radar's data port, or another device?",
                          port, (unsigned long long)by->total, by->options->timeout_ms);
    }
    return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                      "%s: the radar shows no prompt within %u ms; is it powered, in functional "
                      "mode (SOP 001), flashed with TI's demo, and this its command port (of the "
                      "two of an XDS110 the first)?",
                      port, by->options->timeout_ms);
}

enum nfsar_status radar_way_serial(const struct radar_control_options *options,
                                   struct radar_way *way, nfsar_error *error) {
    struct by_serial *by = calloc(1, sizeof *by);
    if (by == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    by->options = options;
    enum nfsar_status status = serial_open_at(options->port, "the radar", BAUD, &by->line, error);
    if (status != NFSAR_OK) {
        free(by);
        return status;
    }
    status = find_prompt(by, error);
    if (status != NFSAR_OK) {
        serial_end(by);
        return status;
    }
    *way = (struct radar_way){by, serial_run, NULL, serial_end};
    return NFSAR_OK;
}
