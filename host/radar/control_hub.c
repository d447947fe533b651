/* The radar's command line behind the hub, which sends the lines and waits for each answer itself.
 */
#include "host/radar/control_way.h"

#include <stdlib.h>
#include <string.h>

#include "host/devices/transport.h"

enum {
    PIECE = NFSAR_WIRE_PAYLOAD_MAX - NFSAR_WIRE_DO_RADAR_TEXT_BYTES,
    SLICE_MS = 50,
    SILENT_MS = 5000, /* a hub says something every second */
    MARGIN_MS = 100   /* between an answer and the next line, at most */
};

struct by_hub {
    const struct radar_control_options *options;
    struct radar_answer *answer; /* of the text that runs, or NULL */
    bool over;
    uint64_t heard_ms;
    struct nfsar_wire_radar state;
};

static void keep_state(struct by_hub *by, const struct nfsar_wire_message *record) {
    if (!nfsar_wire_unpack_radar(&by->state, record->payload, record->bytes) ||
        by->state.state == NFSAR_WIRE_RADAR_SENDING ||
        by->state.state == NFSAR_WIRE_RADAR_RESETTING) {
        return;
    }
    by->over = true;
    by->answer->line = by->state.line;
    by->answer->took_ms = by->state.took_ms;
    radar_copy_text(by->answer->text, sizeof by->answer->text,
                    record->payload + NFSAR_WIRE_RADAR_BYTES,
                    record->bytes - NFSAR_WIRE_RADAR_BYTES);
}

static void hub_record(void *context, const struct nfsar_wire_message *record) {
    struct by_hub *by = context;
    by->heard_ms = transport_now_ms();
    if (by->answer == NULL) {
        return;
    }
    if (record->header.kind == NFSAR_WIRE_RADAR) {
        keep_state(by, record);
    } else if (record->header.kind == NFSAR_WIRE_RADAR_TEXT && !by->over) {
        char text[NFSAR_WIRE_PAYLOAD_MAX + 1];
        radar_copy_text(text, sizeof text, record->payload, record->bytes);
        radar_heard(by->options, by->answer, text);
    }
}

static enum nfsar_status load(const struct by_hub *by, const char *text, size_t n,
                              nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t offset = 0; offset < n && status == NFSAR_OK; offset += PIECE) {
        const struct nfsar_wire_do_radar_text piece = {(uint32_t)offset};
        uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
        const size_t fields = nfsar_wire_pack_do_radar_text(payload, &piece);
        const size_t bytes = n - offset < PIECE ? n - offset : PIECE;
        memcpy(payload + fields, text + offset, bytes);
        status = nfsar_hub_do(by->options->hub, NFSAR_WIRE_DO_RADAR_TEXT, 0, payload,
                              fields + bytes, NULL, error);
    }
    return status;
}

static enum nfsar_status cancel(struct by_hub *by, nfsar_error *error) {
    return nfsar_hub_do(by->options->hub, NFSAR_WIRE_DO_RADAR_CANCEL, 0, NULL, 0, NULL, error);
}

/* Until the hub says that the text is over. */
static enum nfsar_status await(struct by_hub *by, uint64_t limit_ms, nfsar_error *error) {
    nfsar_hub *hub = by->options->hub;
    const uint64_t began = transport_now_ms();
    by->heard_ms = began;
    while (!by->over) {
        const uint64_t now = transport_now_ms();
        if (nfsar_hub_restarted(hub)) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "the hub restarted (%s) while it spoke with the radar",
                              nfsar_wire_reset_name(nfsar_hub_hello(hub)->reset));
        }
        if (now > by->heard_ms + SILENT_MS) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "the hub fell silent for %d s; is it powered, and its cable plugged "
                              "in?",
                              SILENT_MS / 1000);
        }
        const bool stop =
            by->options->cancelled != NULL && by->options->cancelled(by->options->context);
        if (stop || now > began + limit_ms) {
            const enum nfsar_status status = cancel(by, error);
            if (status != NFSAR_OK) {
                return status;
            }
            return stop ? nfsar_fail(error, NFSAR_ERROR_CANCELLED, "interrupted")
                        : nfsar_fail(error, NFSAR_ERROR_DEVICE,
                                     "the hub said nothing of the radar for too long");
        }
        const enum nfsar_status status = nfsar_hub_listen(hub, SLICE_MS, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status run_loaded(struct by_hub *by, const char *text, size_t n,
                                    unsigned timeout_ms, nfsar_error *error) {
    const struct nfsar_wire_do_radar_run run = {.bytes = (uint32_t)n,
                                                .crc =
                                                    nfsar_wire_crc32(0, (const uint8_t *)text, n),
                                                .timeout_ms = (uint16_t)timeout_ms};
    uint8_t payload[NFSAR_WIRE_DO_RADAR_RUN_BYTES];
    enum nfsar_status status =
        nfsar_hub_do(by->options->hub, NFSAR_WIRE_DO_RADAR_RUN, 0, payload,
                     nfsar_wire_pack_do_radar_run(payload, &run), NULL, error);
    if (status == NFSAR_OK) {
        status = await(by, 1000 + radar_count_lines(text, n) * (timeout_ms + MARGIN_MS), error);
    }
    return status;
}

static enum nfsar_status hub_run(void *context, const char *text, size_t n, unsigned timeout_ms,
                                 struct radar_answer *answer, nfsar_error *error) {
    struct by_hub *by = context;
    const uint32_t most = nfsar_hub_hello(by->options->hub)->radar_bytes;
    if (n > most) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the radar's lines have %zu bytes, more than the %u that the hub has "
                          "room for",
                          n, (unsigned)most);
    }
    enum nfsar_status status = load(by, text, n, error);
    if (status != NFSAR_OK) {
        return status;
    }
    by->answer = answer;
    by->over = false;
    status = run_loaded(by, text, n, timeout_ms, error);
    by->answer = NULL;
    if (status != NFSAR_OK) {
        return status;
    }
    answer->outcome = by->state.state == NFSAR_WIRE_RADAR_DONE        ? RADAR_ANSWERED
                      : by->state.state == NFSAR_WIRE_RADAR_SILENT    ? RADAR_SILENT
                      : by->state.state == NFSAR_WIRE_RADAR_CANCELLED ? RADAR_CANCELLED
                                                                      : RADAR_REFUSED;
    return NFSAR_OK;
}

enum nfsar_status radar_way_hub(const struct radar_control_options *options, struct radar_way *way,
                                nfsar_error *error) {
    if (options->hub == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the radar has neither a serial port nor a hub");
    }
    struct by_hub *by = calloc(1, sizeof *by);
    if (by == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    by->options = options;
    *way = (struct radar_way){by, hub_run, hub_record, free};
    return NFSAR_OK;
}
