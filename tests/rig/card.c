#include "tests/rig/card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The bytes are written here once more, apart from the host's own code, so that one checks the
 * other. */
enum {
    HEADER_BYTES = 10,
    PAYLOAD_MAX = 1462,
    PACKETS_HELD = 4096, /* at most, for faults */
    LOSSES = 65536,
    BATCH = 64, /* packets between two looks at the commands */
    VERSION = 0x0402,
    NO_LVDS = 1 << 0,
    DDR_FULL = 1 << 7,
    RECORDED = 1 << 8
};
#define WIRE_S(payload) (((payload) + 76) * 8e-9)

struct packet {
    uint8_t bytes[HEADER_BYTES + PAYLOAD_MAX];
    size_t length;
    uint64_t due; /* held back until so many packets were made */
};

struct card {
    struct card_options options;
    struct sockaddr_in host;
    int config; /* hears commands */
    int talk;   /* sends replies, notices and samples */
    int wake;   /* eventfd: there is something to do */
    pthread_t thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool ending;
    uint8_t *fifo;
    size_t fifo_first;
    size_t fifo_bytes;
    uint64_t last_sample_ns;
    bool ddr_full;
    bool stopping;    /* record stop was heard: the rest is flushed, then recording is off */
    uint32_t notices; /* to be sent */
    struct card_state state;
    struct card_loss *losses;
    size_t loss_count;

    /* of the thread alone */
    uint64_t random;
    uint32_t sequence;
    uint64_t made; /* bytes of samples since the start of recording */
    uint64_t packets;
    bool last_sent; /* and the notice after it: nothing new since */
    uint64_t next_ns;
    struct packet *shuffled; /* packets to be sent in random order */
    size_t shuffled_count;
    struct packet *held;
    size_t held_count;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* splitmix64 */
static uint64_t draw(struct card *card) {
    uint64_t z = card->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static bool chance(struct card *card, double probability) {
    return probability > 0 && (double)(draw(card) >> 11) * 0x1p-53 < probability;
}

static void poke(struct card *card) {
    const uint64_t one = 1;
    while (write(card->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void send_to(struct card *card, uint16_t port, const uint8_t *bytes, size_t n) {
    struct sockaddr_in to = card->host;
    to.sin_port = htons(port);
    /* A full socket waits; a host that is not there refuses, and the card does not care. */
    while (sendto(card->talk, bytes, n, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) <
               0 &&
           errno == EINTR) {
    }
}

/* ---- commands ---- */

static void put16(uint8_t *to, unsigned value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static unsigned get16(const uint8_t *from) {
    return from[0] | (unsigned)from[1] << 8;
}

static void reply(struct card *card, unsigned code, unsigned status) {
    uint8_t bytes[8];
    put16(bytes, 0xA55A);
    put16(bytes + 2, code);
    put16(bytes + 4, status);
    put16(bytes + 6, 0xEEAA);
    send_to(card, card->options.config_port, bytes, sizeof bytes);
}

static void reply_wrongly(struct card *card, unsigned code) {
    uint8_t garbage[64];
    for (size_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = (uint8_t)draw(card);
    }
    send_to(card, card->options.config_port, garbage, 8);
    send_to(card, card->options.config_port, garbage, sizeof garbage);
    send_to(card, card->options.config_port, garbage, 0);
    reply(card, code ^ 0x40, 0);
}

static void start_recording(struct card *card) {
    struct card_state *state = &card->state;
    state->recording = true;
    state->starts++;
    state->accepted = 0;
    state->refused = 0;
    state->sent_packets = 0;
    state->made_bytes = 0;
    state->lost_packets = 0;
    state->lost_bytes = 0;
    state->duplicates = 0;
    state->held_packets = 0;
    state->flushed = true;
    card->stopping = false;
    card->loss_count = 0;
    card->fifo_bytes = 0;
    card->fifo_first = 0;
    card->ddr_full = false;
    card->sequence = 0;
    card->made = 0;
    card->packets = 0;
    card->last_sent = false;
    card->last_sample_ns = now_ns();
    card->shuffled_count = 0;
    card->held_count = 0;
    card->next_ns = now_ns();
}

/* Carries a command out; returns the status of the reply. The lock is held. */
static unsigned obey(struct card *card, unsigned code, const uint8_t *data, size_t n) {
    struct card_state *state = &card->state;
    switch (code) {
    case 0x01: /* reset of the FPGA: recording ends, what is in the memory is gone */
        state->recording = false;
        card->fifo_bytes = 0;
        state->flushed = true;
        return 0;
    case 0x02:
        return 0;
    case 0x03:
        if (n != 6 || data[1] < 1 || data[1] > 2 || data[4] < 1 || data[4] > 3) {
            return 1;
        }
        state->lanes = data[1] == 1 ? 4 : 2;
        state->bits = 10 + 2 * (unsigned)data[4];
        return 0;
    case 0x04:
        return n == 18 ? 0 : 1;
    case 0x05:
        start_recording(card);
        return 0;
    case 0x06:
        card->stopping = state->recording;
        return 0;
    case 0x09:
        return 0;
    case 0x0B:
        if (n != 6 || get16(data) < HEADER_BYTES + 16 || get16(data) > HEADER_BYTES + PAYLOAD_MAX) {
            return 1;
        }
        state->packet_bytes = get16(data);
        state->packet_delay_s = get16(data + 2) * 8e-9;
        return 0;
    case 0x0E:
        return VERSION;
    default:
        return 1;
    }
}

static void hear(struct card *card) {
    uint8_t bytes[2048];
    const ssize_t got = recv(card->config, bytes, sizeof bytes, MSG_DONTWAIT);
    const size_t n = got > 0 ? (size_t)got : 0;
    if (n < 8 || get16(bytes) != 0xA55A || get16(bytes + 4) + 8U != n ||
        get16(bytes + n - 2) != 0xEEAA) {
        return; /* a real card is silent as well */
    }
    const struct card_faults *faults = &card->options.faults;
    const unsigned code = get16(bytes + 2);
    pthread_mutex_lock(&card->lock);
    card->state.commands++;
    card->state.last_code = code;
    const bool deaf = faults->silent || card->state.commands <= faults->silent_commands;
    const bool refused = faults->refuse != 0 && faults->refuse == code;
    unsigned status = 1;
    if (!deaf && !refused && !faults->wrong_replies) {
        status = obey(card, code, bytes + 6, n - 8);
    }
    pthread_cond_broadcast(&card->changed);
    pthread_mutex_unlock(&card->lock);
    if (deaf) {
        return;
    }
    if (faults->wrong_replies) {
        reply_wrongly(card, code);
        return;
    }
    reply(card, code, status);
    if (code == 0x02 && status == 0 && card->options.on_reset_radar != NULL) {
        card->options.on_reset_radar(card->options.context);
    }
}

/* ---- packets of samples ---- */

static void note_loss(struct card *card, uint64_t offset, uint64_t bytes) {
    card->state.lost_packets++;
    card->state.lost_bytes += bytes;
    struct card_loss *last = card->loss_count > 0 ? &card->losses[card->loss_count - 1] : NULL;
    if (last != NULL && last->offset + last->bytes == offset) {
        last->bytes += bytes;
    } else if (card->loss_count < LOSSES) {
        card->losses[card->loss_count++] = (struct card_loss){offset, bytes};
    }
}

static void emit(struct card *card, const struct packet *packet) {
    send_to(card, card->options.data_port, packet->bytes, packet->length);
    card->state.sent_packets++;
    if (chance(card, card->options.faults.duplicate)) {
        send_to(card, card->options.data_port, packet->bytes, packet->length);
        card->state.sent_packets++;
        card->state.duplicates++;
    }
}

/* Sends the packets that were gathered, in random order. */
static void emit_shuffled(struct card *card) {
    for (size_t left = card->shuffled_count; left > 0; left--) {
        const size_t i = draw(card) % left;
        emit(card, &card->shuffled[i]);
        card->shuffled[i] = card->shuffled[left - 1];
    }
    card->shuffled_count = 0;
}

/* Sends packets that were held back and are due; all of them at the end. */
static void emit_held(struct card *card, bool all) {
    for (size_t i = 0; i < card->held_count;) {
        if (!all && card->held[i].due > card->packets) {
            i++;
            continue;
        }
        emit(card, &card->held[i]);
        card->held[i] = card->held[--card->held_count];
    }
}

/* A packet on its way, past the faults. */
static void pass(struct card *card, struct packet *packet, uint64_t offset, size_t bytes) {
    const struct card_faults *faults = &card->options.faults;
    if (chance(card, faults->loss)) {
        note_loss(card, offset, bytes);
    } else if (chance(card, faults->late) && card->held_count < PACKETS_HELD) {
        packet->due = card->packets + faults->late_packets;
        card->held[card->held_count++] = *packet;
        card->state.held_packets++;
    } else if (faults->reorder > 1) {
        card->shuffled[card->shuffled_count++] = *packet;
        if (card->shuffled_count >= faults->reorder || card->shuffled_count == PACKETS_HELD) {
            emit_shuffled(card);
        }
    } else {
        emit(card, packet);
    }
    emit_held(card, false);
}

/* Cuts n bytes from the memory into a packet. cut: of its end are not sent. The lock is held. */
static void make_packet(struct card *card, size_t n, size_t cut) {
    struct packet packet;
    const uint64_t count = card->options.faults.first_byte + card->made;
    card->sequence++;
    put16(packet.bytes, card->sequence & 0xFFFF);
    put16(packet.bytes + 2, card->sequence >> 16);
    for (unsigned i = 0; i < 6; i++) {
        packet.bytes[4 + i] = (uint8_t)(count >> 8 * i);
    }
    const size_t to_end = card->options.fifo_bytes - card->fifo_first;
    const size_t first = n < to_end ? n : to_end;
    memcpy(packet.bytes + HEADER_BYTES, card->fifo + card->fifo_first, first);
    memcpy(packet.bytes + HEADER_BYTES + first, card->fifo, n - first);
    card->fifo_first = (card->fifo_first + n) % card->options.fifo_bytes;
    card->fifo_bytes -= n;
    packet.length = HEADER_BYTES + n - cut;
    card->made += n;
    card->packets++;
    card->state.made_bytes = card->made;
    pass(card, &packet, card->made - n, n);
}

static size_t payload_of(const struct card *card) {
    return (card->state.packet_bytes - HEADER_BYTES) / 16 * 16;
}

/* The radar is silent: what does not fill a packet is sent as a short one. */
static void flush(struct card *card) {
    const struct card_faults *faults = &card->options.faults;
    if (card->fifo_bytes > 0 && !faults->no_last) {
        const size_t n = card->fifo_bytes;
        make_packet(card, n, faults->cut_last < n ? faults->cut_last : n - 1);
    }
    card->fifo_bytes = 0;
    emit_shuffled(card);
    emit_held(card, true);
    card->notices |= card->state.accepted > 0 ? RECORDED : NO_LVDS;
    card->last_sent = true;
    card->state.flushed = true;
}

/* Sends what is due. Returns the time of the next thing to do. The lock is held. */
static uint64_t stream(struct card *card) {
    struct card_state *state = &card->state;
    if (!state->recording) {
        return UINT64_MAX;
    }
    const size_t payload = payload_of(card);
    const uint64_t now = now_ns();
    const uint64_t step = (uint64_t)((state->packet_delay_s + WIRE_S(payload)) * 1e9);
    if (!card->options.unpaced && card->next_ns + 50000000 < now) {
        card->next_ns = now; /* time without samples, or without a processor, is not made up for */
    }
    for (unsigned i = 0; i < BATCH && card->fifo_bytes >= payload; i++) {
        if (!card->options.unpaced && card->next_ns > now) {
            return card->next_ns;
        }
        card->next_ns += step;
        card->last_sent = false;
        make_packet(card, payload, 0);
        if (card->fifo_bytes <= card->options.fifo_bytes / 2) {
            card->ddr_full = false;
        }
    }
    if (card->fifo_bytes >= payload) {
        return now;
    }
    const uint64_t quiet_ns = (uint64_t)card->options.quiet_ms * 1000000U;
    const bool pending = card->fifo_bytes > 0 || !card->last_sent;
    if (pending && (card->stopping || now >= card->last_sample_ns + quiet_ns)) {
        flush(card);
    }
    if (card->stopping) {
        state->recording = false;
        card->stopping = false;
        return UINT64_MAX;
    }
    return card->fifo_bytes > 0 || !card->last_sent ? card->last_sample_ns + quiet_ns : UINT64_MAX;
}

static void send_notices(struct card *card) {
    pthread_mutex_lock(&card->lock);
    const uint32_t notices = card->notices;
    card->notices = 0;
    pthread_mutex_unlock(&card->lock);
    if (notices != 0) {
        reply(card, 0x0A, notices);
    }
}

static void wait_until(struct card *card, uint64_t due_ns) {
    struct pollfd wait[] = {{.fd = card->config, .events = POLLIN},
                            {.fd = card->wake, .events = POLLIN}};
    const uint64_t now = now_ns();
    const uint64_t limit_ns = 1000000000U;
    uint64_t ns = due_ns > now ? due_ns - now : 0;
    ns = ns > limit_ns ? limit_ns : ns;
    const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000U),
                                  .tv_nsec = (long)(ns % 1000000000U)};
    ppoll(wait, 2, &time, NULL);
    if (wait[1].revents != 0) {
        uint64_t count;
        while (read(card->wake, &count, sizeof count) < 0 && errno == EINTR) {
        }
    }
    if (wait[0].revents != 0) {
        hear(card);
    }
}

static void *run(void *context) {
    struct card *card = context;
    for (;;) {
        pthread_mutex_lock(&card->lock);
        const bool ending = card->ending;
        const uint64_t due = stream(card);
        pthread_cond_broadcast(&card->changed);
        pthread_mutex_unlock(&card->lock);
        if (ending) {
            return NULL;
        }
        send_notices(card);
        wait_until(card, due);
    }
}

/* ---- from outside ---- */

static bool bind_to(int fd, const char *address, uint16_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, address, &at.sin_addr) == 1 &&
           bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
}

static bool open_sockets(struct card *card) {
    const struct card_options *options = &card->options;
    card->config = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    card->talk = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    card->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    card->host.sin_family = AF_INET;
    return card->config >= 0 && card->talk >= 0 && card->wake >= 0 &&
           inet_pton(AF_INET, options->host_address, &card->host.sin_addr) == 1 &&
           bind_to(card->config, options->card_address, options->config_port) &&
           bind_to(card->talk, options->card_address, 0);
}

static bool allocate(struct card *card) {
    card->fifo = malloc(card->options.fifo_bytes);
    card->losses = malloc(LOSSES * sizeof *card->losses);
    card->shuffled = malloc(PACKETS_HELD * sizeof *card->shuffled);
    card->held = malloc(PACKETS_HELD * sizeof *card->held);
    return card->fifo != NULL && card->losses != NULL && card->shuffled != NULL &&
           card->held != NULL;
}

static void card_free(struct card *card) {
    const int fds[] = {card->config, card->talk, card->wake};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    pthread_mutex_destroy(&card->lock);
    pthread_cond_destroy(&card->changed);
    free(card->fifo);
    free(card->losses);
    free(card->shuffled);
    free(card->held);
    free(card);
}

static void fill_in(struct card *card, const struct card_options *options) {
    struct card_options *o = &card->options;
    *o = *options;
    o->card_address = o->card_address != NULL ? o->card_address : "127.0.0.2";
    o->host_address = o->host_address != NULL ? o->host_address : "127.0.0.1";
    o->config_port = o->config_port != 0 ? o->config_port : 4096;
    o->data_port = o->data_port != 0 ? o->data_port : 4098;
    o->fifo_bytes = o->fifo_bytes != 0 ? o->fifo_bytes : (size_t)256 << 20;
    o->quiet_ms = o->quiet_ms != 0 ? o->quiet_ms : 2000;
    card->random = o->faults.seed;
    card->state.packet_bytes = 1470;
    card->state.packet_delay_s = 25e-6;
    card->state.flushed = true;
}

struct card *card_open(const struct card_options *options, const char **why) {
    struct card *card = calloc(1, sizeof *card);
    if (card == NULL) {
        *why = "no memory";
        return NULL;
    }
    fill_in(card, options);
    pthread_mutex_init(&card->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&card->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!open_sockets(card)) {
        *why = strerror(errno);
        card_free(card);
        return NULL;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool runs = allocate(card) && pthread_create(&card->thread, NULL, run, card) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!runs) {
        *why = "no memory";
        card_free(card);
        return NULL;
    }
    return card;
}

void card_close(struct card *card) {
    if (card == NULL) {
        return;
    }
    pthread_mutex_lock(&card->lock);
    card->ending = true;
    pthread_mutex_unlock(&card->lock);
    poke(card);
    pthread_join(card->thread, NULL);
    card_free(card);
}

size_t card_send(struct card *card, const void *bytes, size_t n) {
    const size_t size = card->options.fifo_bytes;
    pthread_mutex_lock(&card->lock);
    if (!card->state.recording || card->stopping) {
        pthread_mutex_unlock(&card->lock);
        return 0;
    }
    const size_t room = size - card->fifo_bytes;
    const size_t taken = n < room ? n : room;
    const size_t at = (card->fifo_first + card->fifo_bytes) % size;
    const size_t first = taken < size - at ? taken : size - at;
    memcpy(card->fifo + at, bytes, first);
    memcpy(card->fifo, (const uint8_t *)bytes + first, taken - first);
    card->fifo_bytes += taken;
    card->state.accepted += taken;
    card->state.refused += n - taken;
    card->state.flushed = card->state.flushed && n == 0;
    card->last_sample_ns = now_ns();
    if (taken < n && !card->ddr_full) {
        card->ddr_full = true;
        card->notices |= DDR_FULL;
    }
    pthread_mutex_unlock(&card->lock);
    poke(card);
    return taken;
}

size_t card_room(struct card *card) {
    pthread_mutex_lock(&card->lock);
    const size_t room = card->options.fifo_bytes - card->fifo_bytes;
    pthread_mutex_unlock(&card->lock);
    return room;
}

/* Waits until *flag is as wanted. */
static bool wait_for(struct card *card, const bool *flag, bool wanted, unsigned timeout_ms) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&card->lock);
    int result = 0;
    while (*flag != wanted && result == 0) {
        result = pthread_cond_timedwait(&card->changed, &card->lock, &end);
    }
    const bool is = *flag == wanted;
    pthread_mutex_unlock(&card->lock);
    return is;
}

bool card_wait_recording(struct card *card, bool on, unsigned timeout_ms) {
    return wait_for(card, &card->state.recording, on, timeout_ms);
}

bool card_wait_flushed(struct card *card, unsigned timeout_ms) {
    return wait_for(card, &card->state.flushed, true, timeout_ms);
}

void card_notice(struct card *card, unsigned mask) {
    pthread_mutex_lock(&card->lock);
    card->notices |= mask;
    pthread_mutex_unlock(&card->lock);
    poke(card);
}

void card_state(struct card *card, struct card_state *state) {
    pthread_mutex_lock(&card->lock);
    *state = card->state;
    pthread_mutex_unlock(&card->lock);
}

size_t card_losses(struct card *card, struct card_loss *losses, size_t room) {
    pthread_mutex_lock(&card->lock);
    const size_t n = card->loss_count < room ? card->loss_count : room;
    memcpy(losses, card->losses, n * sizeof *losses);
    const size_t count = card->loss_count;
    pthread_mutex_unlock(&card->lock);
    return count;
}
