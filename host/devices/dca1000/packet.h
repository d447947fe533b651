/* Bytes of the capture card: commands, replies, headers of data packets. No sockets, no state.
 * Source: TI's command line (rf_api.h, commandsprotocol.cpp) and captures of a real card;
 * docs/dca1000.md. All numbers are little-endian. */
#ifndef NFSAR_HOST_DEVICES_DCA1000_PACKET_H
#define NFSAR_HOST_DEVICES_DCA1000_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dca1000_code {
    DCA1000_RESET_FPGA = 0x01,
    DCA1000_RESET_RADAR = 0x02,
    DCA1000_CONFIG_FPGA = 0x03,
    DCA1000_CONFIG_EEPROM = 0x04,
    DCA1000_RECORD_START = 0x05,
    DCA1000_RECORD_STOP = 0x06,
    DCA1000_ALIVE = 0x09,
    DCA1000_STATUS = 0x0A, /* only ever sent by the card */
    DCA1000_CONFIG_RECORD = 0x0B,
    DCA1000_VERSION = 0x0E
};

enum {
    DCA1000_COMMAND_DATA = 504, /* bytes of data that a command may have */
    DCA1000_COMMAND_BYTES = 8 + DCA1000_COMMAND_DATA,
    DCA1000_REPLY_BYTES = 8,
    DCA1000_CONFIG_BYTES = 6, /* data of both configurations */
    DCA1000_HEADER_BYTES = 10,
    DCA1000_PAYLOAD_LIMIT = 1462, /* what fits into Ethernet's 1500 bytes; real packets have 1456 */
    DCA1000_TICKS_PER_US = 125    /* of the packet delay */
};

/* An answer, or the asynchronous status. */
struct dca1000_reply {
    uint16_t code;
    uint16_t status;
};

/* A packet of samples; payload points into the packet. */
struct dca1000_data {
    uint32_t sequence;   /* from 1 */
    uint64_t byte_count; /* of samples sent before this packet: 48 bits */
    const uint8_t *payload;
    size_t bytes; /* of payload: 1 to DCA1000_PAYLOAD_LIMIT */
};

/* Writes a command with n bytes of data to out[DCA1000_COMMAND_BYTES]; returns its length, or 0
 * where n is too large. */
size_t dca1000_command(uint8_t *out, enum dca1000_code code, const uint8_t *data, size_t n);

/* Data of DCA1000_CONFIG_FPGA: raw samples from the LVDS lanes (2 or 4) by Ethernet, of 12, 14 or
 * 16 bits. */
void dca1000_fpga_data(uint8_t out[DCA1000_CONFIG_BYTES], unsigned lanes, unsigned bits);

/* Data of DCA1000_CONFIG_RECORD: size of packets, delay between them in ticks of 8 ns. */
void dca1000_record_data(uint8_t out[DCA1000_CONFIG_BYTES], uint16_t packet_bytes, uint16_t ticks);

/* False: not a reply. */
bool dca1000_read_reply(const uint8_t *bytes, size_t n, struct dca1000_reply *reply);

/* False: not a packet of samples: too short for its header and a byte, or too long. */
bool dca1000_read_data(const uint8_t *bytes, size_t n, struct dca1000_data *data);

/* Writes the header of a packet of samples. */
void dca1000_write_header(uint8_t out[DCA1000_HEADER_BYTES], uint32_t sequence,
                          uint64_t byte_count);

/* Payload of full packets when this size of packets was ordered: 16 bytes at a time. Known to hold
 * for 1470 and 1472: 1456. */
size_t dca1000_payload(unsigned packet_bytes);

/* "record start". */
const char *dca1000_name(unsigned code);

#endif
