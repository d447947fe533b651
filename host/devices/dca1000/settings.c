/* Options and their defaults, and what they allow. */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/devices/dca1000/link.h"

/* Bytes around a payload on 1 Gb/s Ethernet: the card's header 10, UDP 8, IP 20, Ethernet 14 + 4,
 * preamble 8, gap 12. */
enum { WIRE_OVERHEAD = 76, PACKET_MIN = 64, PACKET_MAX = 1472 };
#define WIRE_BYTES_PER_S 125e6
#define DELAY_DEFAULT_S  25e-6
#define DELAY_MIN_S      5e-6
#define DELAY_MAX_S      500e-6

static enum nfsar_status read_address(const char *text, const char *otherwise, const char *what,
                                      char kept[INET_ADDRSTRLEN], struct in_addr *address,
                                      nfsar_error *error) {
    const char *use = text != NULL ? text : otherwise;
    if (inet_pton(AF_INET, use, address) != 1) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: %s of the capture card has to be an IPv4 address, such as %s", use,
                          what, otherwise);
    }
    inet_ntop(AF_INET, address, kept, INET_ADDRSTRLEN);
    return NFSAR_OK;
}

static enum nfsar_status check(const struct nfsar_dca1000_options *options, nfsar_error *error) {
    const unsigned lanes = options->lanes;
    const unsigned bits = options->bits;
    const unsigned bytes = options->packet_bytes;
    const double delay_s = options->packet_delay_s;
    if (lanes != 0 && lanes != 2 && lanes != 4) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "capture card: lanes %u, but 2 or 4", lanes);
    }
    if (bits != 0 && bits != 12 && bits != 14 && bits != 16) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "capture card: bits %u, but 12, 14 or 16",
                          bits);
    }
    if (bytes != 0 && (bytes < PACKET_MIN || bytes > PACKET_MAX)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "capture card: packets of %u bytes, but %d to %d (1470 is usual)", bytes,
                          PACKET_MIN, PACKET_MAX);
    }
    /* The 1e-9 is for 5e-6 in decimal. */
    if (delay_s != 0 &&
        !(delay_s >= DELAY_MIN_S * (1 - 1e-9) && delay_s <= DELAY_MAX_S * (1 + 1e-9))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "capture card: packet delay %g us, but 5 to 500 us", delay_s * 1e6);
    }
    return NFSAR_OK;
}

static double delay_of(const struct nfsar_dca1000_options *options) {
    const double delay_s = options->packet_delay_s != 0 ? options->packet_delay_s : DELAY_DEFAULT_S;
    return round(delay_s * 1e6 * DCA1000_TICKS_PER_US);
}

static size_t or_default(size_t value, size_t otherwise) {
    return value != 0 ? value : otherwise;
}

enum nfsar_status dca1000_settings(const struct nfsar_dca1000_options *options,
                                   struct dca1000_settings *settings, nfsar_error *error) {
    memset(settings, 0, sizeof *settings);
    enum nfsar_status status = check(options, error);
    if (status == NFSAR_OK) {
        status = read_address(options->card_address, "192.168.33.180", "the address",
                              settings->card_address, &settings->card, error);
    }
    if (status == NFSAR_OK) {
        status = read_address(options->host_address, "192.168.33.30",
                              "this machine's address on the side", settings->host_address,
                              &settings->host, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    settings->config_port = (uint16_t)or_default(options->config_port, 4096);
    settings->data_port = (uint16_t)or_default(options->data_port, 4098);
    settings->lanes = (unsigned)or_default(options->lanes, 2);
    settings->bits = (unsigned)or_default(options->bits, 16);
    settings->packet_bytes = (uint16_t)or_default(options->packet_bytes, 1470);
    settings->delay_ticks = (uint16_t)delay_of(options);
    settings->timeout_ms = (unsigned)or_default(options->timeout_ms, 2000);
    settings->receive_bytes = or_default(options->receive_bytes, (size_t)32 << 20);
    settings->window_bytes = or_default(options->window_bytes, (size_t)256 << 10);
    settings->queue_bytes = or_default(options->queue_bytes, (size_t)256 << 20);
    return NFSAR_OK;
}

double nfsar_dca1000_rate_limit(const struct nfsar_dca1000_options *options) {
    if (check(options, NULL) != NFSAR_OK) {
        return 0;
    }
    const double payload =
        (double)dca1000_payload(options->packet_bytes != 0 ? options->packet_bytes : 1470);
    const double delay_s = delay_of(options) * 1e-6 / DCA1000_TICKS_PER_US;
    return payload / (delay_s + (payload + WIRE_OVERHEAD) / WIRE_BYTES_PER_S);
}
