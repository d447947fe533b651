/* The host's commands: each checked, carried out, answered. */
#ifndef NFSAR_APP_COMMANDS_H
#define NFSAR_APP_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "nfsar/wire.h"

/* A reply being made: behind its fields, n bytes. */
struct answer {
    uint16_t detail;
    uint8_t *bytes;
    size_t n;
};

/* A links_command; context is the hub. */
size_t commands_do(void *context, const struct nfsar_wire_message *message, uint32_t count,
                   uint8_t answer[NFSAR_WIRE_PAYLOAD_MAX]);

#endif
