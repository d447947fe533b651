#include "tests/firmware/usb_host.h"

#include <string.h>

/* How often a NAK is asked again: enough for a device that moves one thing a run. */
#define PATIENCE 20

static int in_once(struct usb_host *host, uint8_t endpoint, uint8_t *to) {
    unsigned toggle = 2;
    int n = USB_NAK;
    for (unsigned i = 0; i < PATIENCE && n == USB_NAK; i++) {
        host->run(host->device);
        n = host->port.in(host->port.controller, host->address, endpoint, &toggle, to);
    }
    if (n >= 0) {
        unsigned *expected = &host->toggle_in[endpoint & 15];
        host->toggle_errors += toggle != *expected;
        *expected ^= 1;
        host->run(host->device);
    }
    return n;
}

static int out_once(struct usb_host *host, uint8_t endpoint, const uint8_t *from, size_t n) {
    int answer = USB_NAK;
    for (unsigned i = 0; i < PATIENCE && answer == USB_NAK; i++) {
        host->run(host->device);
        answer = host->port.out(host->port.controller, host->address, endpoint,
                                host->toggle_out[endpoint], from, n);
    }
    if (answer == 0) {
        host->toggle_out[endpoint] ^= 1;
        host->run(host->device);
    }
    return answer;
}

static int data_in(struct usb_host *host, uint8_t *data, size_t length) {
    size_t got = 0;
    while (got < length) {
        uint8_t packet[64];
        int n = in_once(host, 0x80, packet);
        if (n < 0) {
            return n;
        }
        if (got + (size_t)n > length) {
            return USB_NO_ANSWER; /* babble */
        }
        memcpy(data + got, packet, (size_t)n);
        got += (size_t)n;
        if (n < 64) {
            break;
        }
    }
    return (int)got;
}

static int data_out(struct usb_host *host, const uint8_t *data, size_t length) {
    for (size_t sent = 0; sent < length; sent += 64) {
        size_t n = length - sent < 64 ? length - sent : 64;
        int answer = out_once(host, 0, data + sent, n);
        if (answer != 0) {
            return answer;
        }
    }
    return (int)length;
}

int usb_host_control(struct usb_host *host, uint8_t type, uint8_t request, uint16_t value,
                     uint16_t index, uint16_t length, uint8_t *data) {
    const uint8_t setup[8] = {type,
                              request,
                              (uint8_t)value,
                              (uint8_t)(value >> 8),
                              (uint8_t)index,
                              (uint8_t)(index >> 8),
                              (uint8_t)length,
                              (uint8_t)(length >> 8)};
    host->run(host->device);
    if (!host->port.setup(host->port.controller, host->address, setup)) {
        return USB_NO_ANSWER;
    }
    host->toggle_in[0] = host->toggle_out[0] = 1; /* data and status stages begin with DATA1 */
    host->run(host->device);
    bool to_host = type & 0x80 && length > 0;
    int n = to_host ? data_in(host, data, length) : data_out(host, data, length);
    if (n < 0) {
        return n;
    }
    host->toggle_in[0] = host->toggle_out[0] = 1;
    uint8_t nothing[64];
    int status = to_host ? out_once(host, 0, nothing, 0) : in_once(host, 0x80, nothing);
    return status == 0 ? n : status > 0 ? USB_NO_ANSWER : status;
}

int usb_host_out(struct usb_host *host, uint8_t endpoint, const uint8_t *from, size_t n, bool end) {
    size_t sent = 0;
    do {
        size_t size = n - sent < 64 ? n - sent : 64;
        int answer = out_once(host, endpoint, from + sent, size);
        if (answer == USB_NAK) {
            break;
        }
        if (answer < 0) {
            return answer;
        }
        sent += size;
        end = end && size == 64;
    } while (sent < n || end);
    return (int)sent;
}

int usb_host_in(struct usb_host *host, uint8_t endpoint, uint8_t *to, size_t max) {
    size_t got = 0;
    while (got + 64 <= max) {
        int n = in_once(host, endpoint, to + got);
        if (n == USB_NAK) {
            break;
        }
        if (n < 0) {
            return n;
        }
        got += (size_t)n;
        if (n < 64) {
            break;
        }
    }
    return (int)got;
}

void usb_host_reset(struct usb_host *host) {
    host->port.reset(host->port.controller);
    host->address = 0;
    memset(host->toggle_in, 0, sizeof host->toggle_in);
    memset(host->toggle_out, 0, sizeof host->toggle_out);
    host->run(host->device);
}

bool usb_host_enumerate(struct usb_host *host, uint8_t address) {
    usb_host_reset(host);
    if (usb_host_control(host, 0x00, 5, address, 0, 0, NULL) != 0) {
        return false;
    }
    host->run(host->device);
    host->address = address;
    return usb_host_control(host, 0x00, 9, 1, 0, 0, NULL) == 0;
}
