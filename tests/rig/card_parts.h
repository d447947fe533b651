/* What the parts of the emulated card share: card.c runs it, card_commands.c hears and answers,
 * card_stream.c sends samples. */
#ifndef NFSAR_TESTS_RIG_CARD_PARTS_H
#define NFSAR_TESTS_RIG_CARD_PARTS_H

#include <netinet/in.h>
#include <pthread.h>

#include "tests/rig/card.h"

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

uint64_t card_now_ns(void);
uint64_t card_draw(struct card *card); /* 64 random bits */
void card_put16(uint8_t *to, unsigned value);
void card_transmit(struct card *card, uint16_t port, const uint8_t *bytes, size_t n);

/* card_commands.c */
void card_hear(struct card *card); /* a command is there */
void card_reply(struct card *card, unsigned code, unsigned status);

/* card_stream.c; the lock is held */
void card_begin_stream(struct card *card);
uint64_t card_stream(struct card *card); /* sends what is due; returns when the next thing is */

#endif
