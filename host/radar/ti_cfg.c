#include "host/radar/ti_cfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/locale.h"
#include "host/radar/ti_cfg_command.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* Words of a line of n bytes into text[TI_CFG_TEXT + 1], one blank between them. The comment does
 * not count, whatever is in it. */
static enum nfsar_status read_words(const char *path, unsigned number, const char *line, size_t n,
                                    char *text, nfsar_error *error) {
    const char *comment = memchr(line, '%', n);
    size_t end = comment != NULL ? (size_t)(comment - line) : n, used = 0;
    for (size_t i = 0; i < end; i++) {
        const unsigned char c = (unsigned char)line[i];
        if (is_blank(line[i])) {
            continue;
        }
        if (c < ' ' || c > '~') {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: byte 0x%02X in column %zu is no printable ASCII, which "
                              "is all that the radar takes",
                              path, number, c, i + 1);
        }
        const bool begins = used > 0 && is_blank(line[i - 1]);
        if (used + begins + 1 > TI_CFG_TEXT) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: %.20s... is longer than the %d characters that the "
                              "radar takes",
                              path, number, text, TI_CFG_TEXT);
        }
        if (begins) {
            text[used++] = ' ';
        }
        text[used++] = line[i];
        text[used] = '\0';
    }
    text[used] = '\0';
    return NFSAR_OK;
}

static size_t split(char *text, char **words) {
    size_t n = 0;
    for (char *rest = NULL, *word = strtok_r(text, " ", &rest); word != NULL && n < TI_CFG_WORDS;
         word = strtok_r(NULL, " ", &rest)) {
        words[n++] = word;
    }
    return n;
}

static enum nfsar_status keep_line(struct ti_cfg *cfg, unsigned number, const char *text,
                                   nfsar_error *error) {
    if (cfg->n_lines == TI_CFG_LINES) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %u: more than %d lines", cfg->path,
                          number, TI_CFG_LINES);
    }
    if ((cfg->n_lines & (cfg->n_lines - 1)) == 0) { /* room for twice as many */
        const size_t room = cfg->n_lines > 0 ? 2 * cfg->n_lines : 1;
        struct ti_cfg_line *lines = realloc(cfg->lines, room * sizeof *lines);
        if (lines == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
        cfg->lines = lines;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    cfg->lines[cfg->n_lines++] = (struct ti_cfg_line){number, copy};
    return NFSAR_OK;
}

static enum nfsar_status read_line(struct ti_cfg *cfg, unsigned number, const char *line, size_t n,
                                   nfsar_error *error) {
    char text[TI_CFG_TEXT + 1] = "", wrong[400] = "", *words[TI_CFG_WORDS];
    enum nfsar_status status = read_words(cfg->path, number, line, n, text, error);
    if (status != NFSAR_OK || text[0] == '\0') {
        return status;
    }
    status = keep_line(cfg, number, text, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t n_words = split(text, words);
    if (!ti_cfg_take(cfg, number, words, n_words, wrong, sizeof wrong)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %u: %.40s %s", cfg->path, number,
                          words[0], wrong);
    }
    return NFSAR_OK;
}

enum nfsar_status ti_cfg_parse(const char *path, const char *text, size_t n, struct ti_cfg *cfg,
                               nfsar_error *error) {
    PLAIN_NUMBERS;
    static const char mark[] = "\xEF\xBB\xBF"; /* that some editors put in front of UTF-8 */
    memset(cfg, 0, sizeof *cfg);
    cfg->complex_samples = cfg->sample_swap = cfg->interleaved = TI_CFG_UNKNOWN;
    cfg->adcbuf_values = TI_CFG_UNKNOWN;
    cfg->lvds_format = cfg->lvds_header = cfg->lvds_software = TI_CFG_UNKNOWN;
    ti_cfg_forget(cfg);
    cfg->path = strdup(path);
    if (cfg->path == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (n > TI_CFG_FILE) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is too long for a .cfg file: over %d KiB",
                          path, TI_CFG_FILE / 1024);
    }
    size_t at = n >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0 ? 3 : 0;
    enum nfsar_status status = NFSAR_OK;
    for (unsigned number = 1; at < n && status == NFSAR_OK; number++) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t length = end != NULL ? (size_t)(end - text) - at : n - at;
        if (memchr(text + at, '\0', length) != NULL) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: holds zero bytes, so it is no .cfg file", path, number);
        }
        status = read_line(cfg, number, text + at, length, error);
        at += length + 1;
    }
    if (status == NFSAR_OK && cfg->n_lines == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no line for the radar", path);
    }
    return status;
}

enum nfsar_status ti_cfg_load(const char *path, struct ti_cfg *cfg, nfsar_error *error) {
    memset(cfg, 0, sizeof *cfg);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    char *text = malloc(TI_CFG_FILE + 1);
    const size_t n = text != NULL ? fread(text, 1, TI_CFG_FILE + 1, file) : 0;
    const int code = ferror(file) != 0 ? errno : 0;
    fclose(file);
    enum nfsar_status status = NFSAR_OK;
    if (text == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else if (code != 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read: %s", path, strerror(code));
    } else {
        status = ti_cfg_parse(path, text, n, cfg, error);
    }
    free(text);
    return status;
}

void ti_cfg_free(struct ti_cfg *cfg) {
    if (cfg == NULL) {
        return;
    }
    for (size_t i = 0; i < cfg->n_lines; i++) {
        free(cfg->lines[i].text);
    }
    free(cfg->lines);
    free(cfg->path);
    cfg->lines = NULL;
    cfg->path = NULL;
    cfg->n_lines = 0;
}

bool ti_cfg_is(const char *text, const char *command) {
    const size_t n = strlen(command);
    return strncmp(text, command, n) == 0 && (text[n] == '\0' || text[n] == ' ');
}
