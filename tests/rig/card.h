/* The capture card of the emulated rig: a thread that answers the DCA1000EVM's commands on UDP and
 * sends samples as the card does, with chosen faults. The samples are the caller's.
 *
 * Commands go to card_address:config_port; replies and notices come from another port of that
 * address (the real one: 1024) and go to host_address:config_port, samples to
 * host_address:data_port, as the card's EEPROM would have it and whoever asked. All addresses of
 * 127.0.0.0/8 are this machine's, so each test can have its own pair with the card's real ports. */
#ifndef NFSAR_TESTS_RIG_CARD_H
#define NFSAR_TESTS_RIG_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What goes wrong; all zero: nothing. What chance decides is decided by the seed. */
struct card_faults {
    uint64_t seed;
    double loss;              /* probability that a packet of samples is never sent */
    double duplicate;         /* ... is sent twice */
    double late;              /* ... is held back */
    unsigned late_packets;    /* until so many others were sent; at most 4096 */
    unsigned reorder;         /* so many packets at a time are sent in random order; at most 4096 */
    uint64_t first_byte;      /* byte count of the first packet; its sequence number is still 1 */
    bool no_last;             /* the last, short packet is never sent */
    unsigned cut_last;        /* payload bytes that the last, short packet lacks */
    bool silent;              /* answers nothing */
    unsigned silent_commands; /* the first so many commands are not answered */
    bool wrong_replies;       /* garbage, replies of other lengths, then one with another code */
    unsigned refuse;          /* the command of this code is answered with status 1 */
};

struct card_options {
    const char *card_address; /* NULL: "127.0.0.2" */
    const char *host_address; /* NULL: "127.0.0.1" */
    uint16_t config_port;     /* both ends; 0: 4096 */
    uint16_t data_port;       /* of the host; 0: 4098 */
    bool unpaced;             /* packets as fast as they can be sent, whatever their delay */
    size_t fifo_bytes;        /* the card's memory, what its DDR is; 0: 256 MiB */
    unsigned quiet_ms; /* after the last sample until the short packet and the notice that the
                          recording is complete, or, if none ever came, the one of no LVDS data;
                          0: 2000 */
    struct card_faults faults;

    /* The radar's reset line was pulled; called by the card's thread. */
    void (*on_reset_radar)(void *context);
    void *context;
};

/* What the card was told, and what it did. */
struct card_state {
    bool recording;
    unsigned lanes, bits;  /* as configured; 0: not yet */
    unsigned packet_bytes; /* as configured; at first 1470 */
    double packet_delay_s; /* as configured; at first 25 us */
    uint64_t commands;     /* heard */
    uint64_t last_code;    /* of the last command */
    uint64_t starts;       /* of recording */
    /* since the last start of recording: */
    uint64_t accepted;     /* bytes from card_send() */
    uint64_t refused;      /* bytes that found the memory full */
    uint64_t sent_packets; /* to the network, second ones too */
    uint64_t made_bytes;   /* cut into packets, lost ones too */
    uint64_t lost_packets; /* chosen to be lost */
    uint64_t lost_bytes;
    uint64_t duplicates;   /* sent twice */
    uint64_t held_packets; /* held back */
    bool flushed;          /* nothing waits in the memory: the last, short packet is out too */
};

/* A range of the stream that was chosen to be lost; offset from the beginning of the recording. */
struct card_loss {
    uint64_t offset;
    uint64_t bytes;
};

struct card;

/* Starts the card. NULL: it could not, and why is in *why (static text or strerror's). */
struct card *card_open(const struct card_options *options, const char **why);

/* Ends the thread and frees all. NULL is allowed. */
void card_close(struct card *card);

/* Samples from the radar; any thread. Returns how many of the n bytes were taken: none unless
 * recording is on; where the memory is full the rest is lost and the DDR-full notice is sent. */
size_t card_send(struct card *card, const void *bytes, size_t n);

/* Bytes that the memory has room for now. A sender that wants to lose nothing waits for it. */
size_t card_room(struct card *card);

/* Waits until recording is on (or off). False: not within the time. */
bool card_wait_recording(struct card *card, bool on, unsigned timeout_ms);

/* Waits until all is sent, the last, short packet too. False: not within the time. */
bool card_wait_flushed(struct card *card, unsigned timeout_ms);

/* Sends an asynchronous status, bits of enum nfsar_dca1000_notice. */
void card_notice(struct card *card, unsigned mask);

/* What it was told and did, now. */
void card_state(struct card *card, struct card_state *state);

/* Ranges lost since the start of recording in the order of the stream, neighbours joined: copies up
 * to room of them, returns how many there are (at most 65536 are kept). */
size_t card_losses(struct card *card, struct card_loss *losses, size_t room);

#endif
