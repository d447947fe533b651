/** @file
 * The hub: the microcontroller that triggers the radar, moves the stage and stamps the sensors
 * (docs/hub.md). nfsar/wire.h has what it and the host say to each other.
 *
 * One hub belongs to one thread at a time. No call waits without a limit: each returns within the
 * time that its comment says.
 */
#ifndef NFSAR_HUB_H
#define NFSAR_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>
#include <nfsar/wire.h>

/** A hub that was opened. */
typedef struct nfsar_hub nfsar_hub;

/** A record as it came, replies excepted. It is gone when the function returns, which must not call
 * the hub's other functions. Returning false ends nfsar_hub_listen() early. */
typedef bool nfsar_hub_record(void *context, const struct nfsar_wire_message *record);

/** How to speak with a hub; all zero are the defaults. */
struct nfsar_hub_options {
    nfsar_hub_record *record; /**< gets every record; NULL for none */
    void *context;            /**< its first argument */
    unsigned timeout_ms;      /**< for the reply to a command, before it is sent again; 0: 500 */
    unsigned tries;           /**< how often a command is sent; 0: 4 */
    unsigned reconnect_ms;    /**< how long a hub that left the USB is looked for; 0: 10000 */
};

/** What went over the link since the hub was greeted. */
struct nfsar_hub_counters {
    uint64_t records;      /**< that came, replies included */
    uint64_t lost;         /**< gaps in their numbers: lost on the way, or dropped on the hub */
    uint64_t dropped;      /**< of the lost, those that the hub's last status counts as dropped */
    uint64_t bad;          /**< pieces of the stream that were no frame */
    uint64_t bytes;        /**< that came */
    uint64_t commands;     /**< sent, each counted once */
    uint64_t repeated;     /**< times a command was sent again, because no reply had come */
    uint64_t unasked;      /**< replies that nobody waited for any more */
    uint64_t not_readable; /**< records of kinds or lengths that this version does not know */
    uint64_t reconnects;   /**< times the hub went from the USB and came back */
    uint64_t faults;       /**< transfers on USB that failed and were made good, such as a stall */
    uint64_t twice;        /**< records that came again after a reconnect; not handed on, not in
                            * `records` */
};

/**
 * Opens a hub and greets it: the protocol's major version must be this library's.
 *
 * A hub on USB that goes away (its cable, a reset of the bus) is looked for by its serial number,
 * for reconnect_ms; calls that find it away wait for it that long beyond their own time. When it is
 * back the session goes on: the hub repeats what had not arrived, records are numbered on, and what
 * it had no room for meanwhile shows in `lost` and `dropped`. A hub that lost its power with the
 * cable has restarted: nfsar_hub_restarted().
 * @param port     "usb", "" or NULL: the only hub on USB; "usb:SERIAL": the one of this serial
 * number; else a serial port (921600 baud), or the unix socket of an emulated one
 * @param options  NULL for the defaults
 * @param hub      close it with nfsar_hub_close(); NULL on failure
 * @param error    NFSAR_ERROR_FILE: the port cannot be opened, or there is not exactly one such
 *                 hub on USB; NFSAR_ERROR_DEVICE: nothing, or
 *                 something else, answers; NFSAR_ERROR_VERSION: a hub of another major version
 * @return within timeout_ms * tries and a second
 */
enum nfsar_status nfsar_hub_open(const char *port, const struct nfsar_hub_options *options,
                                 nfsar_hub **hub, nfsar_error *error);

/** Closes the hub, which goes on with what it does. NULL is allowed. */
void nfsar_hub_close(nfsar_hub *hub);

/** Greets again, after the hub restarted. As nfsar_hub_open() does. */
enum nfsar_status nfsar_hub_greet(nfsar_hub *hub, nfsar_error *error);

/** Who the hub is, as it said last. Owned by the hub. */
const struct nfsar_wire_hello *nfsar_hub_hello(const nfsar_hub *hub);

/** True when the hub restarted since it was greeted: it takes no command before it is greeted
 * again, and has forgotten its settings. */
bool nfsar_hub_restarted(const nfsar_hub *hub);

/** What went over the link. */
void nfsar_hub_counters(const nfsar_hub *hub, struct nfsar_hub_counters *counters);

/** What a hub answered to a command. */
struct nfsar_hub_reply {
    uint8_t command;                         /**< enum nfsar_wire_kind */
    uint8_t result;                          /**< enum nfsar_wire_result */
    uint16_t detail;                         /**< which field, which state */
    size_t bytes;                            /**< of what follows the reply's fields */
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX]; /**< these bytes */
};

/**
 * Sends a command and waits for its reply. A command whose reply does not come is sent again under
 * the same number, and the hub carries it out once. Records that come meanwhile go to the callback.
 * @param kind     enum nfsar_wire_kind, from NFSAR_WIRE_DO_HELLO on
 * @param channel  axis or sensor
 * @param payload  n bytes, at most NFSAR_WIRE_PAYLOAD_MAX; NULL for none
 * @param reply    what the hub answered, whatever its result
 * @param error    NFSAR_ERROR_DEVICE: no reply, the hub is gone, or it restarted
 * @return within timeout_ms * tries
 */
enum nfsar_status nfsar_hub_command(nfsar_hub *hub, uint8_t kind, uint8_t channel,
                                    const uint8_t *payload, size_t n, struct nfsar_hub_reply *reply,
                                    nfsar_error *error);

/** nfsar_hub_command() which also fails, with NFSAR_ERROR_REFUSED and the reason in words, when the
 * hub's result is not NFSAR_WIRE_RESULT_DONE. @p reply may be NULL. */
enum nfsar_status nfsar_hub_do(nfsar_hub *hub, uint8_t kind, uint8_t channel,
                               const uint8_t *payload, size_t n, struct nfsar_hub_reply *reply,
                               nfsar_error *error);

/** Hears records for @p milliseconds, or until the callback returns false. Fails with
 * NFSAR_ERROR_DEVICE when the hub is gone, not when it is silent. */
enum nfsar_status nfsar_hub_listen(nfsar_hub *hub, unsigned milliseconds, nfsar_error *error);

/** A few words for a command, such as "move of an axis". Static. */
const char *nfsar_hub_command_name(unsigned kind);

/** What a reply says, in words, such as "a field has a value that cannot be: jerk". Returns
 * @p text. */
const char *nfsar_hub_reply_text(const struct nfsar_hub_reply *reply, char text[160]);

#endif
