#include "firmware/app/radar.h"

#include <string.h>

enum { BYTES_A_POLL = 256 };

static bool busy(const struct radar *radar) {
    return radar->state == NFSAR_WIRE_RADAR_SENDING || radar->state == NFSAR_WIRE_RADAR_RESETTING;
}

static void tell(struct radar *radar, uint8_t state, uint64_t now_ns) {
    const uint64_t took_ms = (now_ns - radar->since_ns) / 1000000U;
    const bool of_line = state == NFSAR_WIRE_RADAR_REFUSED || state == NFSAR_WIRE_RADAR_SILENT ||
                         state == NFSAR_WIRE_RADAR_CANCELLED;
    const struct nfsar_wire_radar told = {.state = state,
                                          .line = radar->one ? 0 : radar->number,
                                          .lines = radar->lines,
                                          .took_ms = took_ms > UINT16_MAX ? UINT16_MAX
                                                                          : (uint16_t)took_ms};
    const bool line = of_line && radar->state == NFSAR_WIRE_RADAR_SENDING;
    if (line && radar->begun && state != NFSAR_WIRE_RADAR_REFUSED) {
        /* It may answer yet, and that would pass for the answer to the next line. */
        radar->ready_ns = now_ns + UINT64_C(1000000) * RADAR_LATE_MS;
    }
    radar->state = state;
    radar->events.state(radar->events.context, &told, line ? radar->text + radar->line : "",
                        line ? radar->line_bytes : 0);
}

void radar_init(struct radar *radar, const struct serial_port *port,
                const struct radar_events *events) {
    memset(radar, 0, sizeof *radar);
    radar->port = port;
    radar->events = *events;
    port->set_rate(port->context, RADAR_RATE);
}

enum nfsar_wire_result radar_add(struct radar *radar, uint32_t offset, const uint8_t *text,
                                 size_t n) {
    if (busy(radar)) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    if (radar->one && offset != 0) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    if (offset == 0) {
        radar->bytes = 0;
        radar->one = false;
    }
    if (offset != radar->bytes) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    if (n > RADAR_TEXT_BYTES - radar->bytes) {
        return NFSAR_WIRE_RESULT_FULL;
    }
    memcpy(radar->text + radar->bytes, text, n);
    radar->bytes += n;
    return NFSAR_WIRE_RESULT_DONE;
}

/* Finds the next line that says something; comments begin with %. False: there is none. */
static bool next_line(struct radar *radar) {
    while (radar->next < radar->bytes) {
        size_t begin = radar->next;
        size_t end = begin;
        while (end < radar->bytes && radar->text[end] != '\n') {
            end++;
        }
        radar->next = end + 1;
        radar->number++;
        while (end > begin && (unsigned char)radar->text[end - 1] <= ' ') {
            end--;
        }
        while (begin < end && (unsigned char)radar->text[begin] <= ' ') {
            begin++;
        }
        if (begin < end && radar->text[begin] != '%') {
            radar->line = begin;
            radar->line_bytes = end - begin;
            radar->sent = 0;
            radar->begun = false;
            return true;
        }
    }
    return false;
}

static void send_line(struct radar *radar, uint64_t now_ns) {
    if (radar->state != NFSAR_WIRE_RADAR_SENDING || now_ns < radar->ready_ns) {
        return;
    }
    if (!radar->begun) {
        radar->begun = true;
        radar->since_ns = now_ns;
    }
    if (radar->sent < radar->line_bytes) {
        radar->sent += radar->port->write(radar->port->context,
                                          (const uint8_t *)radar->text + radar->line + radar->sent,
                                          radar->line_bytes - radar->sent);
    }
    if (radar->sent == radar->line_bytes) {
        radar->sent += radar->port->write(radar->port->context, (const uint8_t *)"\n", 1);
    }
}

static enum nfsar_wire_result begin(struct radar *radar, uint16_t timeout_ms, uint64_t now_ns) {
    radar->next = 0;
    radar->number = 0;
    radar->lines = 0;
    radar->timeout_ms = timeout_ms > 0 ? timeout_ms : RADAR_TIMEOUT_MS;
    radar->since_ns = now_ns;
    if (!next_line(radar)) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    /* What was left unfinished on the line before must not count as part of the answer. */
    radar->heard_bytes = 0;
    tell(radar, NFSAR_WIRE_RADAR_SENDING, now_ns);
    send_line(radar, now_ns);
    return NFSAR_WIRE_RESULT_DONE;
}

enum nfsar_wire_result radar_run(struct radar *radar, const struct nfsar_wire_do_radar_run *run,
                                 uint64_t now_ns) {
    if (busy(radar) || radar->held) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    if (radar->one || run->bytes != radar->bytes ||
        run->crc != nfsar_wire_crc32(0, (const uint8_t *)radar->text, radar->bytes)) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    return begin(radar, run->timeout_ms, now_ns);
}

enum nfsar_wire_result radar_say(struct radar *radar, const uint8_t *text, size_t n,
                                 uint64_t now_ns) {
    if (busy(radar) || radar->held) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    if (memchr(text, '\n', n) != NULL || memchr(text, '\r', n) != NULL) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    memcpy(radar->text, text, n);
    radar->bytes = n;
    radar->one = true;
    return begin(radar, 0, now_ns);
}

enum nfsar_wire_result radar_reset(struct radar *radar,
                                   const struct nfsar_wire_do_radar_reset *reset, uint64_t now_ns) {
    /* SOP[2:0] of the xWR14xx: 001 functional, 011 development, 101 flashing. */
    if ((reset->sop != 1 && reset->sop != 3 && reset->sop != 5) || reset->hold > 1) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    if (busy(radar)) {
        tell(radar, NFSAR_WIRE_RADAR_CANCELLED, now_ns); /* without a moment out of reset */
    }
    radar->sop = reset->sop;
    radar->held = reset->hold == 1;
    radar->released = false;
    radar->sop_driven = true;
    radar->number = 0;
    radar->lines = 0;
    radar->ready_ns = 0;
    radar->since_ns = now_ns;
    radar->low_ns = UINT64_C(1000000) * (reset->low_ms > 0 ? reset->low_ms : 10);
    radar->heard_bytes = 0;
    radar->events.boot(radar->events.context, radar->sop);
    radar->events.reset(radar->events.context, true);
    tell(radar, NFSAR_WIRE_RADAR_RESETTING, now_ns);
    return NFSAR_WIRE_RESULT_DONE;
}

/* NRESET rises, unless it is to stay low. */
static void release(struct radar *radar, uint64_t now_ns) {
    radar->released = true;
    radar->rose_ns = now_ns;
    if (!radar->held) {
        radar->events.reset(radar->events.context, false);
    }
}

void radar_cancel(struct radar *radar, uint64_t now_ns) {
    if (!busy(radar)) {
        return;
    }
    if (radar->state == NFSAR_WIRE_RADAR_RESETTING && !radar->released) {
        release(radar, now_ns);
    }
    tell(radar, NFSAR_WIRE_RADAR_CANCELLED, now_ns);
}

static bool begins(const char *text, size_t n, const char *with) {
    const size_t bytes = strlen(with);
    return n >= bytes && memcmp(text, with, bytes) == 0;
}

static bool ends(const char *text, size_t n, const char *with) {
    const size_t bytes = strlen(with);
    return n >= bytes && memcmp(text + n - bytes, with, bytes) == 0;
}

/* A whole line came. */
static void hear_line(struct radar *radar, uint64_t now_ns) {
    const char *text = radar->heard;
    const size_t n = radar->heard_bytes;
    radar->heard_bytes = 0;
    if (n == 0) {
        return;
    }
    radar->events.said(radar->events.context, text, n);
    const bool done = n == 4 && begins(text, n, "Done");
    const bool refused =
        begins(text, n, "Error") || ends(text, n, "is not recognized as a CLI command");
    if (done || refused) {
        /* The CLI reads again only behind its prompt; what comes before overruns its UART. */
        radar->ready_ns = now_ns + UINT64_C(1000000) * RADAR_PROMPT_MS;
    }
    if (radar->state != NFSAR_WIRE_RADAR_SENDING || radar->sent <= radar->line_bytes) {
        return; /* of nobody's line, or of one given up */
    }
    if (refused) {
        tell(radar, NFSAR_WIRE_RADAR_REFUSED, now_ns);
    } else if (done) {
        radar->lines++;
        if (!next_line(radar)) {
            tell(radar, NFSAR_WIRE_RADAR_DONE, now_ns);
        }
    }
}

static void hear(struct radar *radar, char c, uint64_t now_ns) {
    if (c == '\n' || c == '\r') {
        hear_line(radar, now_ns);
        return;
    }
    if (radar->heard_bytes < RADAR_LINE_BYTES) {
        radar->heard[radar->heard_bytes++] = c;
    }
    if (ends(radar->heard, radar->heard_bytes, ":/>")) {
        /* The prompt has no end of line; the echo of what is sent follows it. */
        radar->heard_bytes = 0;
        radar->ready_ns = now_ns;
        if (radar->state == NFSAR_WIRE_RADAR_RESETTING && radar->released) {
            tell(radar, NFSAR_WIRE_RADAR_IDLE, now_ns);
        }
    }
}

static void poll_reset(struct radar *radar, uint64_t now_ns) {
    if (!radar->released) {
        if (now_ns - radar->since_ns < radar->low_ns) {
            return;
        }
        release(radar, now_ns);
        /* Only the functional mode has a command line. */
        if (radar->held || radar->sop != 1) {
            tell(radar, NFSAR_WIRE_RADAR_IDLE, now_ns);
        }
    } else if (now_ns - radar->since_ns > radar->low_ns + UINT64_C(1000000) * RADAR_BOOT_MS) {
        tell(radar, NFSAR_WIRE_RADAR_SILENT, now_ns);
    }
}

/* Whatever the radar says or does not: both must not drive the pins. */
static void poll_boot_pins(struct radar *radar, uint64_t now_ns) {
    if (radar->sop_driven && radar->released &&
        now_ns - radar->rose_ns >= UINT64_C(1000000) * RADAR_SOP_MS) {
        radar->sop_driven = false;
        radar->events.release_boot(radar->events.context);
    }
}

void radar_poll(struct radar *radar, uint64_t now_ns) {
    uint8_t byte;
    uint32_t count;
    for (unsigned i = 0; i < BYTES_A_POLL; i++) {
        if (!radar->port->read(radar->port->context, &byte, &count)) {
            break;
        }
        hear(radar, (char)byte, now_ns);
    }
    if (radar->state == NFSAR_WIRE_RADAR_SENDING && radar->sent <= radar->line_bytes) {
        send_line(radar, now_ns);
    }
    poll_boot_pins(radar, now_ns);
    if (radar->state == NFSAR_WIRE_RADAR_RESETTING) {
        poll_reset(radar, now_ns);
    } else if (radar->state == NFSAR_WIRE_RADAR_SENDING && radar->begun &&
               now_ns - radar->since_ns > UINT64_C(1000000) * radar->timeout_ms) {
        tell(radar, NFSAR_WIRE_RADAR_SILENT, now_ns);
    }
}
