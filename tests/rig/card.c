#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/rig/card_parts.h"

uint64_t card_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* splitmix64 */
uint64_t card_draw(struct card *card) {
    uint64_t z = card->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void card_put16(uint8_t *to, unsigned value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void poke(struct card *card) {
    const uint64_t one = 1;
    while (write(card->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void card_transmit(struct card *card, uint16_t port, const uint8_t *bytes, size_t n) {
    struct sockaddr_in to = card->host;
    to.sin_port = htons(port);
    /* A full socket waits; a host that is not there refuses, and the card does not care. */
    while (sendto(card->talk, bytes, n, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) <
               0 &&
           errno == EINTR) {
    }
}

static void send_notices(struct card *card) {
    pthread_mutex_lock(&card->lock);
    const uint32_t notices = card->notices;
    card->notices = 0;
    pthread_mutex_unlock(&card->lock);
    if (notices != 0) {
        card_reply(card, 0x0A, notices);
    }
}

static void wait_until(struct card *card, uint64_t due_ns) {
    struct pollfd wait[] = {{.fd = card->config, .events = POLLIN},
                            {.fd = card->wake, .events = POLLIN}};
    const uint64_t now = card_now_ns();
    const uint64_t limit_ns = 1000000000U;
    const uint64_t least_ns = 300000; /* some packets at a time: one wake for each is too dear */
    uint64_t ns = due_ns > now ? due_ns - now : 0;
    ns = ns > limit_ns ? limit_ns : ns > 0 && ns < least_ns ? least_ns : ns;
    const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000U),
                                  .tv_nsec = (long)(ns % 1000000000U)};
    ppoll(wait, 2, &time, NULL);
    if (wait[1].revents != 0) {
        uint64_t count;
        while (read(card->wake, &count, sizeof count) < 0 && errno == EINTR) {
        }
    }
    if (wait[0].revents != 0) {
        card_hear(card);
    }
}

static void *run(void *context) {
    struct card *card = context;
    for (;;) {
        pthread_mutex_lock(&card->lock);
        const bool ending = card->ending;
        const uint64_t due = card_stream(card);
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
    card->last_sample_ns = card_now_ns();
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
