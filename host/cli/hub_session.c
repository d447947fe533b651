/* An open hub and what it said last; waiting for it to say more. */
#include "host/cli/hub.h"

#include <signal.h>
#include <string.h>
#include <time.h>

/* `timeout` and some shells send a signal to the process and to its group: these are one. */
enum { SAME_MS = 1000 };

static volatile sig_atomic_t interrupted;
static _Atomic uint64_t forgotten_ms;

static void on_interrupt(int number) {
    (void)number;
    if (hub_now_ms() - forgotten_ms > SAME_MS) {
        interrupted = 1;
    }
}

void hub_catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool hub_interrupted(void) {
    return interrupted != 0;
}

void hub_forget_interrupt(void) {
    forgotten_ms = hub_now_ms();
    interrupted = 0;
}

uint64_t hub_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

void hub_copy_text(char *to, size_t size, const uint8_t *from, size_t n) {
    size_t length = 0;
    while (length < n && length + 1 < size && from[length] != 0) {
        const uint8_t byte = from[length];
        to[length++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
    }
    to[length] = '\0';
}

/* ---- keeping records ---- */

static void keep_error(struct hub_session *session, const struct nfsar_wire_message *record) {
    struct nfsar_wire_error error;
    if (nfsar_wire_unpack_error(&error, record->payload, record->bytes) &&
        error.error < HUB_ERRORS) {
        session->errors[error.error] = error;
        session->has_error[error.error] = error.latched != 0;
    }
}

static void keep_radar(struct hub_session *session, const struct nfsar_wire_message *record) {
    if (nfsar_wire_unpack_radar(&session->radar, record->payload, record->bytes)) {
        session->has_radar = true;
        hub_copy_text(session->radar_line, sizeof session->radar_line,
                      record->payload + NFSAR_WIRE_RADAR_BYTES,
                      record->bytes - NFSAR_WIRE_RADAR_BYTES);
    }
}

static void keep_of_channel(struct hub_session *session, const struct nfsar_wire_message *record) {
    const uint8_t channel = record->header.channel;
    if (record->header.kind == NFSAR_WIRE_SENSOR && channel < HUB_SENSORS) {
        session->has_sensor[channel] =
            nfsar_wire_unpack_sensor(&session->sensors[channel], record->payload, record->bytes) ||
            session->has_sensor[channel];
    } else if (record->header.kind == NFSAR_WIRE_AXIS && channel < HUB_AXES &&
               nfsar_wire_unpack_axis(&session->axes[channel], record->payload, record->bytes)) {
        session->has_axis[channel] = true;
        session->axis_told[channel]++;
    }
}

static bool keep(void *context, const struct nfsar_wire_message *record) {
    struct hub_session *session = context;
    const uint8_t *payload = record->payload;
    const size_t n = record->bytes;
    session->kinds[record->header.kind]++;
    session->heard_ms = hub_now_ms();
    switch (record->header.kind) {
    case NFSAR_WIRE_STATUS:
        session->has_status |= nfsar_wire_unpack_status(&session->status, payload, n);
        session->status_ns = record->header.time_ns;
        break;
    case NFSAR_WIRE_ERROR:
        keep_error(session, record);
        break;
    case NFSAR_WIRE_CRASH:
        session->has_crash |= nfsar_wire_unpack_crash(&session->crash, payload, n);
        break;
    case NFSAR_WIRE_PROGRAM:
        session->has_program |= nfsar_wire_unpack_program(&session->program, payload, n);
        break;
    case NFSAR_WIRE_RADAR:
        keep_radar(session, record);
        break;
    default:
        keep_of_channel(session, record);
        break;
    }
    if (session->also != NULL) {
        session->also(session, record);
    }
    /* After each record the waiting form looks whether it has what it waits for. */
    return false;
}

enum nfsar_status hub_open(struct hub_session *session, const char *port, nfsar_error *error) {
    const struct nfsar_hub_options options = {.record = keep, .context = session};
    session->port = port;
    return nfsar_hub_open(port, &options, &session->hub, error);
}

void hub_close(struct hub_session *session) {
    nfsar_hub_close(session->hub);
}

enum nfsar_status hub_command(struct hub_session *session, uint8_t kind, uint8_t channel,
                              const uint8_t *payload, size_t n, nfsar_error *error) {
    return nfsar_hub_do(session->hub, kind, channel, payload, n, NULL, error);
}

enum nfsar_status hub_wait(struct hub_session *session, bool (*done)(void *context), void *context,
                           uint64_t limit_ms, bool *reached, nfsar_error *error) {
    const uint64_t began = hub_now_ms();
    uint64_t now = began;
    session->heard_ms = now;
    *reached = false;
    while (now - began <= limit_ms && !interrupted) {
        if (done != NULL && done(context)) {
            *reached = true;
            return NFSAR_OK;
        }
        if (nfsar_hub_restarted(session->hub)) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "%s: the hub restarted (%s) and has forgotten its settings",
                              session->port,
                              nfsar_wire_reset_name(nfsar_hub_hello(session->hub)->reset));
        }
        if (now - session->heard_ms > HUB_SILENT_MS) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "%s: the hub fell silent for %d s; is it powered, and its cable "
                              "plugged in?",
                              session->port, HUB_SILENT_MS / 1000);
        }
        const uint64_t left = limit_ms - (now - began);
        const enum nfsar_status status =
            nfsar_hub_listen(session->hub, left < 100 ? (unsigned)left + 1 : 100, error);
        if (status != NFSAR_OK) {
            return status;
        }
        now = hub_now_ms();
    }
    *reached = done != NULL && done(context);
    return NFSAR_OK;
}
