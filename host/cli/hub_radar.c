/* nfsar hub PORT radar: a .cfg to the radar, through the hub. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/hub.h"
#include "host/radar/control.h"

static void print_said(void *context, const char *text) {
    (void)context;
    printf("radar: %s\n", text);
    fflush(stdout);
}

static bool is_interrupted(void *context) {
    (void)context;
    return hub_interrupted();
}

/* What the radar says while it is reset. */
struct listener {
    struct radar_control *radar;
    bool verbose, resetting;
};

static void listen(struct hub_session *session, const struct nfsar_wire_message *record) {
    const struct listener *listener = session->context;
    radar_record(listener->radar, record);
    if (listener->verbose && listener->resetting && record->header.kind == NFSAR_WIRE_RADAR_TEXT) {
        char text[NFSAR_WIRE_PAYLOAD_MAX + 1];
        hub_copy_text(text, sizeof text, record->payload, record->bytes);
        print_said(NULL, text);
    }
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
    } else if (radar_count_lines((const char *)bytes, *n) == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no line for the radar", path);
    }
    if (status != NFSAR_OK) {
        free(bytes);
        return status;
    }
    *text = bytes;
    return NFSAR_OK;
}

static bool is_over(void *context) {
    const struct hub_session *session = context;
    return session->has_radar && session->radar.state != NFSAR_WIRE_RADAR_SENDING &&
           session->radar.state != NFSAR_WIRE_RADAR_RESETTING;
}

/* Waits for the end of a reset; an interrupt cancels it. */
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

static enum nfsar_status configure(struct hub_session *session, struct listener *listener,
                                   const char *path, const char *text, size_t n,
                                   unsigned timeout_ms, nfsar_error *error) {
    const struct radar_control_options options = {.hub = session->hub,
                                                  .timeout_ms = timeout_ms,
                                                  .said = listener->verbose ? print_said : NULL,
                                                  .cancelled = is_interrupted};
    enum nfsar_status status = radar_open(&options, &listener->radar, error);
    if (status == NFSAR_OK) {
        status = radar_send_text(listener->radar, path, text, n, error);
    }
    radar_close(listener->radar);
    listener->radar = NULL;
    return status;
}

int hub_radar(const char *port, int argc, char **argv) {
    const char *path = NULL;
    bool reset = false;
    struct listener listener = {0};
    const char *timeout = "1s";
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"reset", 0, CLI_FLAG, &reset, NULL, NULL, "reset the radar first, by its reset pin"},
        {"timeout", 0, CLI_STRING, &timeout, NULL, "TIME", "for each line; 1s by default"},
        {"verbose", 'v', CLI_FLAG, &listener.verbose, NULL, NULL, "print what the radar prints"},
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
    struct hub_session session = {.also = listen, .context = &listener};
    nfsar_error error;
    uint8_t *text = NULL;
    size_t n = 0;
    enum nfsar_status status = hub_open(&session, port, &error);
    if (status == NFSAR_OK) {
        status = read_file(path, nfsar_hub_hello(session.hub)->radar_bytes, &text, &n, &error);
    }
    if (status == NFSAR_OK && reset) {
        listener.resetting = true;
        status = reset_radar(&session, &error);
        listener.resetting = false;
    }
    if (status == NFSAR_OK) {
        status = configure(&session, &listener, path, (const char *)text, n,
                           (unsigned)(timeout_ns / 1000000U), &error);
    }
    if (status == NFSAR_OK) {
        cli_say("%s: %u line%s, each answered by the radar", path, session.radar.lines,
                cli_s(session.radar.lines));
    }
    free(text);
    hub_close(&session);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}
