/* The capture card's link and the emulated card, opened at addresses of this program alone. */
#ifndef NFSAR_TESTS_DEVICES_DCA1000_RIG_H
#define NFSAR_TESTS_DEVICES_DCA1000_RIG_H

#include <stdio.h>
#include <unistd.h>

#include <nfsar/dca1000.h>

#include "tests/rig/card.h"
#include "tests/support.h"

enum {
    FRAME = 65536,
    WAIT_MS = 20000, /* for what comes at once where nothing else runs */
    QUIET_MS = 100
};

/* Addresses of this program alone, so that tests may run beside each other on the real ports. */
static char card_address[32], host_address[32], stranger_address[32];

struct rig {
    struct card *card;
    nfsar_dca1000 *link;
    struct nfsar_dca1000_options options;
};

static inline void open_rig(struct rig *rig, const struct card_faults *faults) {
    const char *why = "";
    nfsar_error error;
    struct card_options card = {.card_address = card_address,
                                .host_address = host_address,
                                .quiet_ms = 50,
                                .faults = *faults};
    *rig = (struct rig){.options = {.card_address = card_address,
                                    .host_address = host_address,
                                    .packet_delay_s = 5e-6,
                                    .timeout_ms = 5000}};
    rig->card = card_open(&card, &why);
    if (rig->card == NULL) {
        fail_msg("no card: %s", why);
    }
    assert_ok(nfsar_dca1000_open(&rig->options, &rig->link, &error), error);
}

static inline void close_rig(struct rig *rig) {
    nfsar_dca1000_close(rig->link);
    card_close(rig->card);
}

/* At the start of main(). */
static inline void choose_addresses(void) {
    const unsigned number = (unsigned)getpid();
    const unsigned a = 10 + (number >> 8) % 200;
    const unsigned b = number & 0xFF;
    snprintf(host_address, sizeof host_address, "127.%u.%u.1", a, b);
    snprintf(card_address, sizeof card_address, "127.%u.%u.2", a, b);
    snprintf(stranger_address, sizeof stranger_address, "127.%u.%u.3", a, b);
}

#endif
