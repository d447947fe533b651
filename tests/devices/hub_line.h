/* What the tests of the hub's line share. */
#ifndef NFSAR_TESTS_HUB_LINE_H
#define NFSAR_TESTS_HUB_LINE_H

#include <nfsar/hub.h>

#include "tests/devices/peer.h"
#include "tests/support.h"

/* Patience for a computer that does something else meanwhile. */
static const struct nfsar_hub_options patient = {.timeout_ms = 2000, .tries = 4};

static inline nfsar_hub *open_peer(const struct peer *peer,
                                   const struct nfsar_hub_options *options) {
    nfsar_hub *hub = NULL;
    nfsar_error error;
    assert_ok(nfsar_hub_open(peer->path, options, &hub, &error), error);
    return hub;
}

/* An echo of all byte values comes back as it was. */
static inline void assert_echoes(nfsar_hub *hub) {
    uint8_t bytes[200];
    struct nfsar_hub_reply reply;
    nfsar_error error;
    for (unsigned from = 0; from < 256; from += 56) {
        for (unsigned i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(from + i);
        }
        assert_ok(nfsar_hub_do(hub, NFSAR_WIRE_DO_ECHO, 0, bytes, sizeof bytes, &reply, &error),
                  error);
        assert_int_equal(reply.bytes, sizeof bytes);
        assert_memory_equal(reply.payload, bytes, sizeof bytes);
    }
}

#endif
