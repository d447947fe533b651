#include "host/devices/dca1000/packet.h"

#include <string.h>

enum { HEADER = 0xA55A, FOOTER = 0xEEAA };

static void put16(uint8_t *to, unsigned value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static unsigned get16(const uint8_t *from) {
    return from[0] | (unsigned)from[1] << 8;
}

size_t dca1000_command(uint8_t *out, enum dca1000_code code, const uint8_t *data, size_t n) {
    if (n > DCA1000_COMMAND_DATA) {
        return 0;
    }
    put16(out, HEADER);
    put16(out + 2, code);
    put16(out + 4, (unsigned)n);
    if (n > 0) {
        memcpy(out + 6, data, n);
    }
    put16(out + 6 + n, FOOTER);
    return n + 8;
}

void dca1000_fpga_data(uint8_t out[DCA1000_CONFIG_BYTES], unsigned lanes, unsigned bits) {
    enum { RAW = 1, CAPTURE = 1, ETHERNET = 2, TIMER_S = 30 };
    out[0] = RAW;
    out[1] = lanes == 4 ? 1 : 2;
    out[2] = CAPTURE;
    out[3] = ETHERNET;
    out[4] = bits == 12 ? 1 : bits == 14 ? 2 : 3;
    out[5] = TIMER_S;
}

void dca1000_record_data(uint8_t out[DCA1000_CONFIG_BYTES], uint16_t packet_bytes, uint16_t ticks) {
    put16(out, packet_bytes);
    put16(out + 2, ticks);
    put16(out + 4, 0);
}

bool dca1000_read_reply(const uint8_t *bytes, size_t n, struct dca1000_reply *reply) {
    if (n != DCA1000_REPLY_BYTES || get16(bytes) != HEADER || get16(bytes + 6) != FOOTER) {
        return false;
    }
    reply->code = (uint16_t)get16(bytes + 2);
    reply->status = (uint16_t)get16(bytes + 4);
    return true;
}

bool dca1000_read_data(const uint8_t *bytes, size_t n, struct dca1000_data *data) {
    if (n <= DCA1000_HEADER_BYTES || n > DCA1000_HEADER_BYTES + DCA1000_PAYLOAD_LIMIT) {
        return false;
    }
    data->sequence = (uint32_t)get16(bytes) | (uint32_t)get16(bytes + 2) << 16;
    data->byte_count = (uint64_t)get16(bytes + 4) | (uint64_t)get16(bytes + 6) << 16 |
                       (uint64_t)get16(bytes + 8) << 32;
    data->payload = bytes + DCA1000_HEADER_BYTES;
    data->bytes = n - DCA1000_HEADER_BYTES;
    return true;
}

void dca1000_write_header(uint8_t out[DCA1000_HEADER_BYTES], uint32_t sequence,
                          uint64_t byte_count) {
    put16(out, sequence & 0xFFFF);
    put16(out + 2, sequence >> 16);
    for (unsigned i = 0; i < 6; i++) {
        out[4 + i] = (uint8_t)(byte_count >> 8 * i);
    }
}

size_t dca1000_payload(unsigned packet_bytes) {
    return packet_bytes < DCA1000_HEADER_BYTES ? 0
                                               : (packet_bytes - DCA1000_HEADER_BYTES) / 16U * 16U;
}

const char *dca1000_name(unsigned code) {
    switch (code) {
    case DCA1000_RESET_FPGA:
        return "reset of the FPGA";
    case DCA1000_RESET_RADAR:
        return "reset of the radar";
    case DCA1000_CONFIG_FPGA:
        return "configuration of the FPGA";
    case DCA1000_CONFIG_EEPROM:
        return "configuration of the EEPROM";
    case DCA1000_RECORD_START:
        return "record start";
    case DCA1000_RECORD_STOP:
        return "record stop";
    case DCA1000_ALIVE:
        return "aliveness";
    case DCA1000_STATUS:
        return "asynchronous status";
    case DCA1000_CONFIG_RECORD:
        return "configuration of the record";
    case DCA1000_VERSION:
        return "version of the FPGA";
    default:
        return "unknown command";
    }
}
