/* nfsar hub PORT radar: a .cfg to the radar, through the hub. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"

enum { PIECE = NFSAR_WIRE_PAYLOAD_MAX - NFSAR_WIRE_DO_RADAR_TEXT_BYTES, SAID = 400 };

/* What the radar printed since it last said Done. */
struct answer {
    char said[SAID];
    bool verbose;
};

static void listen(struct hub_session *session, const struct nfsar_wire_message *record) {
    struct answer *answer = session->context;
    if (record->header.kind != NFSAR_WIRE_RADAR_TEXT) {
        return;
    }
    char text[NFSAR_WIRE_PAYLOAD_MAX + 1];
    hub_copy_text(text, sizeof text, record->payload, record->bytes);
    if (answer->verbose) {
        printf("radar: %s\n", text);
        fflush(stdout);
    }
    if (strcmp(text, "Done") == 0) {
        answer->said[0] = '\0';
        return;
    }
    const size_t used = strlen(answer->said);
    snprintf(answer->said + used, sizeof answer->said - used, "%s%s", used > 0 ? " | " : "", text);
}

/* Lines that say something; comments begin with %. */
static size_t count_lines(const uint8_t *text, size_t n) {
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        while (i < n && text[i] <= ' ') {
            i++;
        }
        lines += i < n && text[i] != '%';
        while (i < n && text[i] != '\n') {
            i++;
        }
    }
    return lines;
}

static enum nfsar_status read_file(const char *path, size_t most, uint8_t **text, size_t *n,
                                   nfsar_error *error) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    uint8_t *bytes = malloc(most + 1);
    *n = bytes != NULL ? fread(bytes, 1, most + 1, file) : 0;
    const bool failed = ferror(file) != 0;
    fclose(file);
    enum nfsar_status status = NFSAR_OK;
    if (bytes == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else if (failed) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read", path);
    } else if (*n > most) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: is longer than the %zu bytes that the hub has room for", path, most);
    } else if (memchr(bytes, 0, *n) != NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: holds zero bytes, so it is no .cfg file", path);
    } else if (count_lines(bytes, *n) == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no line for the radar", path);
    }
    if (status != NFSAR_OK) {
        free(bytes);
        return status;
    }
    *text = bytes;
    return NFSAR_OK;
}

static enum nfsar_status send_text(struct hub_session *session, const uint8_t *text, size_t n,
                                   nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t offset = 0; offset < n && status == NFSAR_OK; offset += PIECE) {
        const struct nfsar_wire_do_radar_text piece = {(uint32_t)offset};
        uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
        const size_t fields = nfsar_wire_pack_do_radar_text(payload, &piece);
        const size_t bytes = n - offset < PIECE ? n - offset : PIECE;
        memcpy(payload + fields, text + offset, bytes);
        status = hub_command(session, NFSAR_WIRE_DO_RADAR_TEXT, 0, payload, fields + bytes, error);
    }
    return status;
}

static bool is_over(void *context) {
    const struct hub_session *session = context;
    return session->has_radar && session->radar.state != NFSAR_WIRE_RADAR_SENDING &&
           session->radar.state != NFSAR_WIRE_RADAR_RESETTING;
}

/* Waits for the end of what the radar does; an interrupt cancels it. */
static enum nfsar_status await(struct hub_session *session, uint64_t limit_ms, nfsar_error *error) {
    bool over = false;
    enum nfsar_status status = hub_wait(session, is_over, session, limit_ms, &over, error);
    if (status != NFSAR_OK || over) {
        return status;
    }
    const bool interrupted = hub_interrupted();
    status = hub_command(session, NFSAR_WIRE_DO_RADAR_CANCEL, 0, NULL, 0, error);
    if (status != NFSAR_OK) {
        return status;
    }
    return interrupted ? nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted")
                       : nfsar_fail(error, NFSAR_ERROR_DEVICE,
                                    "the hub said nothing of the radar for too long");
}

static enum nfsar_status reset_radar(struct hub_session *session, nfsar_error *error) {
    const struct nfsar_wire_do_radar_reset reset = {.sop = 1};
    uint8_t payload[NFSAR_WIRE_DO_RADAR_RESET_BYTES];
    session->has_radar = false;
    enum nfsar_status status = hub_command(session, NFSAR_WIRE_DO_RADAR_RESET, 0, payload,
                                           nfsar_wire_pack_do_radar_reset(payload, &reset), error);
    if (status == NFSAR_OK) {
        status = await(session, 10000, error);
    }
    if (status == NFSAR_OK && session->radar.state != NFSAR_WIRE_RADAR_IDLE) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "the radar shows no prompt after its reset; is it powered, flashed with "
                          "TI's demo, and its UART connected?");
    }
    return status;
}

static enum nfsar_status verdict(const struct hub_session *session, const char *path,
                                 const struct answer *answer, nfsar_error *error) {
    const struct nfsar_wire_radar *radar = &session->radar;
    if (radar->state == NFSAR_WIRE_RADAR_DONE) {
        return NFSAR_OK;
    }
    if (radar->state == NFSAR_WIRE_RADAR_SILENT) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: line %u: the radar did not answer '%s' within %u ms%s%s; is it "
                          "powered, and its UART connected?",
                          path, radar->line, session->radar_line, radar->took_ms,
                          answer->said[0] != '\0' ? "; it printed: " : "", answer->said);
    }
    return nfsar_fail(error, NFSAR_ERROR_REFUSED, "%s: line %u: the radar %s '%s'%s%s", path,
                      radar->line, nfsar_wire_radar_state_name(radar->state), session->radar_line,
                      answer->said[0] != '\0' ? "; it printed: " : "", answer->said);
}

static enum nfsar_status configure(struct hub_session *session, const char *path,
                                   const uint8_t *text, size_t n, uint16_t timeout_ms,
                                   nfsar_error *error) {
    enum nfsar_status status = send_text(session, text, n, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const struct nfsar_wire_do_radar_run run = {
        .bytes = (uint32_t)n, .crc = nfsar_wire_crc32(0, text, n), .timeout_ms = timeout_ms};
    uint8_t payload[NFSAR_WIRE_DO_RADAR_RUN_BYTES];
    struct answer *answer = session->context;
    answer->said[0] = '\0';
    session->has_radar = false;
    status = hub_command(session, NFSAR_WIRE_DO_RADAR_RUN, 0, payload,
                         nfsar_wire_pack_do_radar_run(payload, &run), error);
    if (status == NFSAR_OK) {
        status = await(session, 1000 + count_lines(text, n) * (timeout_ms + 100U), error);
    }
    return status == NFSAR_OK ? verdict(session, path, answer, error) : status;
}

int hub_radar(const char *port, int argc, char **argv) {
    const char *path = NULL;
    bool reset = false;
    struct answer answer = {0};
    const char *timeout = "1s";
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"reset", 0, CLI_FLAG, &reset, NULL, NULL, "reset the radar first, by its reset pin"},
        {"timeout", 0, CLI_STRING, &timeout, NULL, "TIME", "for each line; 1s by default"},
        {"verbose", 'v', CLI_FLAG, &answer.verbose, NULL, NULL, "print what the radar prints"},
        {0},
    };
    uint64_t timeout_ns = 0;
    if (!cli_parse("hub PORT radar", "FILE.cfg [--reset] [--timeout TIME] [--verbose]", options, 1,
                   &path, argc, argv, &exit_status) ||
        !hub_time("hub PORT radar", timeout, &timeout_ns)) {
        return exit_status;
    }
    if (timeout_ns < 1000000U || timeout_ns > 60000000000U) {
        return cli_usage("hub PORT radar", "--timeout %s: expected 1ms to 60s", timeout);
    }
    hub_catch_interrupts();
    struct hub_session session = {.also = listen, .context = &answer};
    nfsar_error error;
    uint8_t *text = NULL;
    size_t n = 0;
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = read_file(path, nfsar_hub_hello(session.hub)->radar_bytes, &text, &n, &error);
    }
    if (status == NFSAR_OK && reset) {
        status = reset_radar(&session, &error);
    }
    if (status == NFSAR_OK) {
        status = configure(&session, path, text, n, (uint16_t)(timeout_ns / 1000000U), &error);
    }
    if (status == NFSAR_OK) {
        cli_say("%s: %u line%s, each answered by the radar", path, session.radar.lines,
                cli_s(session.radar.lines));
    }
    free(text);
    hub_close(&session);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}
