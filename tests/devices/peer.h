/* The other end of a hub's line, played by a thread: a script that hears commands and says what it
 * likes, right or wrong. */
#ifndef NFSAR_TESTS_PEER_H
#define NFSAR_TESTS_PEER_H

#include <pthread.h>
#include <stdbool.h>

#include <nfsar/wire.h>

struct peer;
typedef void peer_script(struct peer *peer);

struct peer {
    char path[200]; /* what a host opens */
    int listener;   /* -1: a pseudo terminal */
    int line;
    bool ended; /* the host is gone */
    peer_script *script;
    void *context;
    pthread_t thread;
    struct nfsar_wire_reader reader;
    uint32_t sequence; /* of the next record */
    uint64_t time_ns;
};

/* Begins the script on a unix socket / on a pseudo terminal. The script runs once, with the line
 * connected. */
void peer_begin(struct peer *peer, peer_script *script, void *context);
void peer_begin_terminal(struct peer *peer, peer_script *script, void *context);
/* Waits for the script to end. */
void peer_end(struct peer *peer);

/* For scripts. Hears the next command within a time; false: none, or the host is gone. Its payload
 * lies in the reader. */
bool peer_hear(struct peer *peer, struct nfsar_wire_message *command, int timeout_ms);
void peer_send(struct peer *peer, const void *bytes, size_t n);
/* A record with the next number. */
void peer_record(struct peer *peer, uint8_t kind, uint8_t channel, const uint8_t *payload,
                 size_t n);
void peer_reply(struct peer *peer, const struct nfsar_wire_message *command, uint8_t result,
                uint16_t detail, const uint8_t *more, size_t n);
void peer_hello(struct peer *peer, uint16_t major, uint16_t minor, uint32_t starts);
/* Answers a command as a well-behaved hub does: hello, status, echo, anything else with done. */
void peer_answer(struct peer *peer, const struct nfsar_wire_message *command);
/* n times 64 bytes of noise, some of them without a zero for long. */
void peer_garbage(struct peer *peer, unsigned n);
/* Answers all until the host is gone. */
void peer_behave(struct peer *peer);

#endif
