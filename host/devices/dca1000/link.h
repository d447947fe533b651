/* What the parts of the card's link share. */
#ifndef NFSAR_HOST_DEVICES_DCA1000_LINK_H
#define NFSAR_HOST_DEVICES_DCA1000_LINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/dca1000.h>

#include "host/devices/dca1000/packet.h"

struct receiver;

/* The options with every default filled in. */
struct dca1000_settings {
    char card_address[INET_ADDRSTRLEN];
    char host_address[INET_ADDRSTRLEN];
    struct in_addr card, host;
    uint16_t config_port, data_port;
    unsigned lanes, bits;
    uint16_t delay_ticks;
    uint16_t packet_bytes;
    unsigned timeout_ms;
    size_t receive_bytes, window_bytes, queue_bytes;
};

struct nfsar_dca1000 {
    struct dca1000_settings settings;
    int config_socket;
    int data_socket;
    size_t receive_bytes;      /* granted */
    struct receiver *receiver; /* of the last start; NULL: never started */
    bool recording;            /* the card was told so */
    uint32_t notices;          /* since the start */
    uint32_t fresh_notices;    /* since the last frame */
    uint64_t foreign;          /* on the config port, since the start */
    uint64_t unreadable;       /* on the config port from the card, since the start */
    struct nfsar_dca1000_frame frame;
};

/* settings.c: fails with NFSAR_ERROR_ARGUMENT and the option's name. */
enum nfsar_status dca1000_settings(const struct nfsar_dca1000_options *options,
                                   struct dca1000_settings *settings, nfsar_error *error);

/* sockets.c: a UDP socket at the host's address, or NFSAR_ERROR_DEVICE and the way out. */
enum nfsar_status dca1000_bind(const struct dca1000_settings *settings, uint16_t port, int *fd,
                               nfsar_error *error);
/* A buffer of so many bytes for what comes; returns what the kernel granted. */
size_t dca1000_grow_buffer(int fd, size_t bytes);
/* Packets that the kernel dropped at this socket, ever, modulo 2^32. */
uint32_t dca1000_dropped(int fd);
/* Throws away what came, a bounded number. */
void dca1000_empty(int fd);

/* control.c: sends a command and waits for its answer. status may be NULL: then anything but 0 is
 * NFSAR_ERROR_REFUSED. It is sent again after timeout_ms / tries without answer. */
enum nfsar_status dca1000_ask(nfsar_dca1000 *card, enum dca1000_code code, const uint8_t *data,
                              size_t n, unsigned tries, uint16_t *status, nfsar_error *error);
/* Takes the notices that came to the config port. */
void dca1000_hear(nfsar_dca1000 *card);

#endif
