/* Frames to and from the hub: commands that are repeated until answered, records handed on, losses
 * counted. */
#include <nfsar/hub.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "host/devices/transport.h"

enum { TIMEOUT_MS = 500, TRIES = 4, RECONNECT_MS = 10000, CHUNK = 4096 };

/* Frames that can end in the packet whose receipt the hub did not hear of. */
enum { RECENT = 16 };

/* The command whose reply is awaited. */
struct awaited {
    bool open; /* nobody answered yet */
    uint8_t kind;
    uint32_t number;
    struct nfsar_hub_reply reply;
};

/* What tells a record from all others. */
struct record_id {
    uint8_t kind;
    uint32_t sequence;
    uint64_t time_ns;
};

struct nfsar_hub {
    struct transport transport;
    struct nfsar_hub_options options;
    char port[256];
    struct nfsar_wire_reader reader;
    uint8_t bytes[CHUNK]; /* came, not yet looked at: from begin to filled */
    size_t begin;
    size_t filled;
    bool stopped; /* the callback wants no more for now */

    struct nfsar_wire_hello hello;
    uint64_t hello_ns;
    bool introduced; /* a hello came */
    bool greeted;
    bool restarted;
    bool echoed; /* our own words come back */
    struct awaited awaited;
    uint32_t number; /* of the next command */

    uint32_t expected; /* number of the next record, once greeted */
    uint32_t dropped_before;
    bool dropped_known;
    uint32_t bad_before;
    struct record_id recent[RECENT];
    bool came_back;      /* the line was away at least once */
    unsigned reconnects; /* known so far */
    bool probing;        /* the hub is asked whether it is still the one that was greeted */
    uint32_t probe;
    struct nfsar_hub_counters counters;
};

/* ---- what comes ---- */

static void hear_reply(nfsar_hub *hub, const struct nfsar_wire_message *message) {
    struct awaited *awaited = &hub->awaited;
    struct nfsar_wire_reply reply;
    if (!nfsar_wire_unpack_reply(&reply, message->payload, message->bytes)) {
        hub->counters.not_readable++;
        return;
    }
    if (hub->probing && reply.number == hub->probe) {
        hub->probing = false;
        hub->restarted = hub->restarted || reply.result == NFSAR_WIRE_RESULT_VERSION;
        return;
    }
    if (!awaited->open || reply.number != awaited->number || reply.command != awaited->kind) {
        hub->counters.unasked++;
        return;
    }
    awaited->open = false;
    awaited->reply.command = reply.command;
    awaited->reply.result = reply.result;
    awaited->reply.detail = reply.detail;
    awaited->reply.bytes = message->bytes - NFSAR_WIRE_REPLY_BYTES;
    memcpy(awaited->reply.payload, message->payload + NFSAR_WIRE_REPLY_BYTES, awaited->reply.bytes);
}

static void hear_hello(nfsar_hub *hub, const struct nfsar_wire_message *message) {
    struct nfsar_wire_hello hello;
    if (!nfsar_wire_unpack_hello(&hello, message->payload, message->bytes)) {
        hub->counters.not_readable++;
        return;
    }
    /* A late second hello of the greeting is later than the first; one after a start is not. */
    hub->restarted = hub->restarted || (hub->greeted && (hello.starts != hub->hello.starts ||
                                                         message->header.time_ns < hub->hello_ns));
    hub->hello = hello;
    hub->hello_ns = message->header.time_ns;
    hub->introduced = true;
}

static void hear_status(nfsar_hub *hub, const struct nfsar_wire_message *message) {
    struct nfsar_wire_status status;
    if (!nfsar_wire_unpack_status(&status, message->payload, message->bytes)) {
        hub->counters.not_readable++;
        return;
    }
    if (!hub->dropped_known || hub->restarted) {
        hub->dropped_before = status.dropped;
        hub->dropped_known = true;
    }
    hub->counters.dropped = status.dropped - hub->dropped_before;
}

/* A number that steps back is that of a hub that restarted, and begins anew. */
static void count(nfsar_hub *hub, uint32_t sequence) {
    const uint32_t gap = sequence - hub->expected;
    if (hub->greeted && gap < UINT32_C(1) << 31) {
        hub->counters.lost += gap;
    }
    hub->expected = sequence + 1;
    hub->counters.records++;
}

/* After a reconnect the hub repeats what it is not sure arrived. */
static bool is_repeated(nfsar_hub *hub, const struct nfsar_wire_header *header) {
    struct record_id *recent = &hub->recent[header->sequence % RECENT];
    if (hub->came_back && recent->kind == header->kind && recent->sequence == header->sequence &&
        recent->time_ns == header->time_ns) {
        hub->counters.twice++;
        return true;
    }
    *recent = (struct record_id){header->kind, header->sequence, header->time_ns};
    return false;
}

static void hear(nfsar_hub *hub, const struct nfsar_wire_message *message) {
    if (message->header.kind >= NFSAR_WIRE_DO_HELLO) {
        hub->echoed = true;
        hub->counters.not_readable++;
        return;
    }
    if (is_repeated(hub, &message->header)) {
        return;
    }
    count(hub, message->header.sequence);
    if (message->header.kind == NFSAR_WIRE_REPLY) {
        hear_reply(hub, message);
        return;
    }
    if (message->header.kind == NFSAR_WIRE_HELLO) {
        hear_hello(hub, message);
    } else if (message->header.kind == NFSAR_WIRE_STATUS) {
        hear_status(hub, message);
    }
    if (hub->options.record != NULL && !hub->options.record(hub->options.context, message)) {
        hub->stopped = true;
    }
}

/* ---- the line ---- */

static enum nfsar_status send_frame(nfsar_hub *hub, uint8_t kind, uint8_t channel, uint32_t number,
                                    const uint8_t *payload, size_t n, nfsar_error *error) {
    /* A zero first ends whatever the line carried before. */
    uint8_t frame[1 + NFSAR_WIRE_FRAME_MAX] = {0};
    const struct nfsar_wire_header header = {.kind = kind,
                                             .channel = channel,
                                             .sequence = number,
                                             .time_ns = transport_now_ms() * 1000000U};
    const size_t bytes = nfsar_wire_encode(frame + 1, &header, payload, n);
    return hub->transport.write(hub->transport.context, frame, 1 + bytes, hub->options.timeout_ms,
                                error);
}

static struct transport_counts line_counts(const nfsar_hub *hub) {
    return hub->transport.counts != NULL ? hub->transport.counts(hub->transport.context)
                                         : (struct transport_counts){0};
}

/* A hub that is back may have lost its power, and then says nothing before it is spoken to. A
 * greeting would reset its streams, so it is asked for its status, which also tells what it
 * dropped. Not beside a command: that one's own repetition finds out, and asking between the two
 * would make the hub carry it out again. */
static enum nfsar_status look_for_reconnect(nfsar_hub *hub, nfsar_error *error) {
    const unsigned reconnects = line_counts(hub).reconnects;
    hub->came_back = reconnects > 0;
    if (reconnects == hub->reconnects || hub->awaited.open || !hub->greeted) {
        return NFSAR_OK;
    }
    hub->reconnects = reconnects;
    hub->probing = true;
    hub->probe = hub->number++;
    return send_frame(hub, NFSAR_WIRE_DO_STATUS, 0, hub->probe, NULL, 0, error);
}

/* Looks at what came; waits for more, at most timeout_ms, when there is nothing. Stops behind the
 * reply that is awaited, and where the callback says so. */
static enum nfsar_status take(nfsar_hub *hub, unsigned timeout_ms, nfsar_error *error) {
    if (hub->begin == hub->filled) {
        hub->begin = 0;
        hub->filled = 0;
        const enum nfsar_status status = hub->transport.read(
            hub->transport.context, hub->bytes, sizeof hub->bytes, timeout_ms, &hub->filled, error);
        hub->counters.bytes += hub->filled;
        if (status != NFSAR_OK) {
            return status;
        }
    }
    const enum nfsar_status looked = look_for_reconnect(hub, error);
    if (looked != NFSAR_OK) {
        return looked;
    }
    const bool awaiting = hub->awaited.open;
    while (hub->begin < hub->filled && !hub->stopped && hub->awaited.open == awaiting) {
        struct nfsar_wire_message message;
        if (nfsar_wire_read(&hub->reader, hub->bytes[hub->begin++], &message)) {
            hear(hub, &message);
        }
    }
    return NFSAR_OK;
}

/* ---- commands ---- */

static enum nfsar_status send_command(nfsar_hub *hub, uint8_t channel, const uint8_t *payload,
                                      size_t n, nfsar_error *error) {
    return send_frame(hub, hub->awaited.kind, channel, hub->awaited.number, payload, n, error);
}

/* Waits for the reply, at most timeout_ms. */
static enum nfsar_status await(nfsar_hub *hub, nfsar_error *error) {
    const uint64_t end = transport_now_ms() + hub->options.timeout_ms;
    while (hub->awaited.open && !hub->restarted) {
        const uint64_t now = transport_now_ms();
        if (now >= end) {
            break;
        }
        /* The callback's wish ends listening, not a command. */
        hub->stopped = false;
        const enum nfsar_status status = take(hub, (unsigned)(end - now), error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    hub->stopped = false;
    return NFSAR_OK;
}

static enum nfsar_status fail_restarted(const nfsar_hub *hub, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                      "%s: the hub restarted (%s) and has forgotten its settings; set it up again",
                      hub->port, nfsar_wire_reset_name(hub->hello.reset));
}

static enum nfsar_status fail_silent(const nfsar_hub *hub, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                      "%s: no reply to the %s, sent %u times in %u ms; is the hub powered and "
                      "connected?",
                      hub->port, nfsar_hub_command_name(hub->awaited.kind), hub->options.tries,
                      hub->options.tries * hub->options.timeout_ms);
}

/* Sends a command until it is answered. No answer is no failure here: `awaited` stays open. */
static enum nfsar_status ask(nfsar_hub *hub, uint8_t kind, uint8_t channel, const uint8_t *payload,
                             size_t n, nfsar_error *error) {
    hub->awaited = (struct awaited){.open = true, .kind = kind, .number = hub->number++};
    hub->counters.commands++;
    for (unsigned i = 0; i < hub->options.tries && hub->awaited.open; i++) {
        hub->counters.repeated += i > 0;
        enum nfsar_status status = send_command(hub, channel, payload, n, error);
        if (status == NFSAR_OK) {
            status = await(hub, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
        if (hub->restarted) {
            return fail_restarted(hub, error);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_hub_command(nfsar_hub *hub, uint8_t kind, uint8_t channel,
                                    const uint8_t *payload, size_t n, struct nfsar_hub_reply *reply,
                                    nfsar_error *error) {
    if (n > NFSAR_WIRE_PAYLOAD_MAX || kind < NFSAR_WIRE_DO_HELLO) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a command has a kind from 0x80 on and at most %d bytes",
                          NFSAR_WIRE_PAYLOAD_MAX);
    }
    if (hub->restarted) {
        return fail_restarted(hub, error);
    }
    const enum nfsar_status status = ask(hub, kind, channel, payload, n, error);
    const bool answered = !hub->awaited.open;
    hub->awaited.open = false;
    if (status != NFSAR_OK) {
        return status;
    }
    if (!answered) {
        return fail_silent(hub, error);
    }
    *reply = hub->awaited.reply;
    if (reply->result == NFSAR_WIRE_RESULT_VERSION && kind != NFSAR_WIRE_DO_HELLO) {
        /* It was greeted, and knows nothing of it: its hello was lost. */
        hub->restarted = true;
        return fail_restarted(hub, error);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_hub_do(nfsar_hub *hub, uint8_t kind, uint8_t channel,
                               const uint8_t *payload, size_t n, struct nfsar_hub_reply *reply,
                               nfsar_error *error) {
    struct nfsar_hub_reply own;
    reply = reply != NULL ? reply : &own;
    const enum nfsar_status status =
        nfsar_hub_command(hub, kind, channel, payload, n, reply, error);
    if (status != NFSAR_OK || reply->result == NFSAR_WIRE_RESULT_DONE) {
        return status;
    }
    char text[160];
    return nfsar_fail(error, NFSAR_ERROR_REFUSED, "%s refused: %s", nfsar_hub_command_name(kind),
                      nfsar_hub_reply_text(reply, text));
}

enum nfsar_status nfsar_hub_listen(nfsar_hub *hub, unsigned milliseconds, nfsar_error *error) {
    const uint64_t end = transport_now_ms() + milliseconds;
    hub->stopped = false;
    for (uint64_t now = transport_now_ms(); !hub->stopped; now = transport_now_ms()) {
        const enum nfsar_status status = take(hub, now < end ? (unsigned)(end - now) : 0, error);
        if (status != NFSAR_OK || now >= end) {
            return status;
        }
    }
    hub->stopped = false;
    return NFSAR_OK;
}

/* ---- beginning and end ---- */

enum nfsar_status fail_version(const char *port, unsigned major, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_VERSION,
                      "%s: the hub speaks version %u of the protocol, this nfsar version %d; "
                      "update the %s",
                      port, major, NFSAR_WIRE_MAJOR,
                      major > NFSAR_WIRE_MAJOR ? "nfsar on this computer" : "firmware of the hub");
}

/* Why nothing answered the greeting. */
static enum nfsar_status fail_unheard(const nfsar_hub *hub, uint64_t bytes, nfsar_error *error) {
    if (hub->introduced && hub->hello.major != NFSAR_WIRE_MAJOR) {
        return fail_version(hub->port, hub->hello.major, error);
    }
    struct stat port;
    if (bytes == 0 && stat(hub->port, &port) == 0 && S_ISSOCK(port.st_mode)) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: nothing answers; an emulated hub serves one program at a time: does "
                          "another have it open?",
                          hub->port);
    }
    if (bytes == 0) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: nothing answers; is the hub powered, is this its port, and do its "
                          "TX and RX not need crossing?",
                          hub->port);
    }
    if (hub->echoed) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: what is sent comes back, so there is no hub here; are its TX and RX "
                          "joined?",
                          hub->port);
    }
    if (hub->reader.frames == 0) {
        return nfsar_fail(
            error, NFSAR_ERROR_DEVICE,
            "%s: something else than the hub speaks here (%llu bytes, no frame of the "
            "hub); the radar's own ports look alike: try another port",
            hub->port, (unsigned long long)bytes);
    }
    return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                      "%s: the hub is heard, but does not answer; is the line to its RX connected?",
                      hub->port);
}

enum nfsar_status nfsar_hub_greet(nfsar_hub *hub, nfsar_error *error) {
    const struct nfsar_wire_do_hello hello = {NFSAR_WIRE_MAJOR, NFSAR_WIRE_MINOR};
    uint8_t payload[NFSAR_WIRE_DO_HELLO_BYTES];
    nfsar_wire_pack_do_hello(payload, &hello);
    const struct nfsar_hub_reply *reply = &hub->awaited.reply;
    const uint64_t before = hub->counters.bytes;
    hub->greeted = false;
    hub->introduced = false;
    hub->restarted = false;
    hub->echoed = false;
    hub->reader.frames = 0;
    /* Again when the answer came without the hello, for which the hub may have had no room. */
    for (unsigned i = 0; i < 2 && !hub->introduced; i++) {
        const enum nfsar_status status =
            ask(hub, NFSAR_WIRE_DO_HELLO, 0, payload, sizeof payload, error);
        const bool answered = !hub->awaited.open;
        hub->awaited.open = false;
        if (status != NFSAR_OK) {
            return status;
        }
        if (!answered) {
            return fail_unheard(hub, hub->counters.bytes - before, error);
        }
        if (reply->result == NFSAR_WIRE_RESULT_VERSION) {
            return fail_version(hub->port, reply->detail, error);
        }
        if (reply->result != NFSAR_WIRE_RESULT_DONE) {
            char text[160];
            return nfsar_fail(error, NFSAR_ERROR_REFUSED, "%s: the hub refused the greeting: %s",
                              hub->port, nfsar_hub_reply_text(reply, text));
        }
    }
    if (!hub->introduced) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "%s: the hub answers, but does not say who it is", hub->port);
    }
    if (hub->hello.major != NFSAR_WIRE_MAJOR) {
        return fail_version(hub->port, hub->hello.major, error);
    }
    hub->greeted = true;
    hub->dropped_known = false;
    hub->reconnects = line_counts(hub).reconnects;
    hub->probing = false;
    hub->bad_before = hub->reader.bad;
    return NFSAR_OK;
}

enum nfsar_status nfsar_hub_open(const char *port, const struct nfsar_hub_options *options,
                                 nfsar_hub **hub, nfsar_error *error) {
    *hub = NULL;
    nfsar_hub *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (options != NULL) {
        made->options = *options;
    }
    if (made->options.timeout_ms == 0) {
        made->options.timeout_ms = TIMEOUT_MS;
    }
    if (made->options.tries == 0) {
        made->options.tries = TRIES;
    }
    if (made->options.reconnect_ms == 0) {
        made->options.reconnect_ms = RECONNECT_MS;
    }
    port = port != NULL && port[0] != '\0' ? port : "usb";
    strncpy(made->port, port, sizeof made->port - 1);
    /* Not a number used lately: a late reply to another program's command is not ours. */
    made->number = (uint32_t)time(NULL) << 8;
    enum nfsar_status status =
        is_usb(port) ? usb_open(port, made->options.reconnect_ms, &made->transport, error)
                     : serial_open(port, &made->transport, error);
    if (status == NFSAR_OK) {
        status = nfsar_hub_greet(made, error);
    }
    if (status != NFSAR_OK) {
        nfsar_hub_close(made);
        return status;
    }
    *hub = made;
    return NFSAR_OK;
}

void nfsar_hub_close(nfsar_hub *hub) {
    if (hub != NULL && hub->transport.close != NULL) {
        hub->transport.close(hub->transport.context);
    }
    free(hub);
}

const struct nfsar_wire_hello *nfsar_hub_hello(const nfsar_hub *hub) {
    return &hub->hello;
}

bool nfsar_hub_restarted(const nfsar_hub *hub) {
    return hub->restarted;
}

void nfsar_hub_counters(const nfsar_hub *hub, struct nfsar_hub_counters *counters) {
    *counters = hub->counters;
    counters->bad = hub->reader.bad - hub->bad_before;
    const struct transport_counts line = line_counts(hub);
    counters->reconnects = line.reconnects;
    counters->faults = line.faults;
}
