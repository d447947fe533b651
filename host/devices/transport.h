/* The way to a device: bytes out, bytes in, each within a time. hub.c knows no more of it. */
#ifndef NFSAR_HOST_DEVICES_TRANSPORT_H
#define NFSAR_HOST_DEVICES_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

/* What a way that comes back by itself went through, since it was opened. */
struct transport_counts {
    unsigned reconnects; /* the other end went away and came back */
    unsigned faults;     /* transfers that failed and were made good */
};

struct transport {
    void *context;
    /* Up to n bytes, at least one unless nothing comes within the time or a signal arrives: then
     * *got is 0. Fails with NFSAR_ERROR_DEVICE when the other end is gone for good. */
    enum nfsar_status (*read)(void *context, uint8_t *to, size_t n, unsigned timeout_ms,
                              size_t *got, nfsar_error *error);
    /* All n bytes, or NFSAR_ERROR_DEVICE. While the other end is looked for it waits for that too.
     */
    enum nfsar_status (*write)(void *context, const uint8_t *from, size_t n, unsigned timeout_ms,
                               nfsar_error *error);
    void (*close)(void *context);
    struct transport_counts (*counts)(void *context); /* NULL: all are 0 */
};

/* A serial port, raw, 8 bits, no parity, at 921600 baud; or, where the path is that of a unix
 * socket, the other end of it. Bytes that came before are dropped. Errors begin with the port's
 * name. */
enum nfsar_status serial_open(const char *port, struct transport *transport, nfsar_error *error);
/* The same at another rate (115200 or 921600), for errors with what is at its other end: "the
 * radar". who is kept as it is, not copied. */
enum nfsar_status serial_open_at(const char *port, const char *who, unsigned baud,
                                 struct transport *transport, nfsar_error *error);

/* The hub on USB: port "usb" is the only one that is plugged in, "usb:SERIAL" that one. When it
 * goes it is looked for, for reconnect_ms, by its serial number. Errors begin with the port's name.
 */
enum nfsar_status usb_open(const char *port, unsigned reconnect_ms, struct transport *transport,
                           nfsar_error *error);

/* Whether a port's name means USB. */
bool is_usb(const char *port);

/* The hub's protocol has another major version. */
enum nfsar_status fail_version(const char *port, unsigned major, nfsar_error *error);

/* The serial ports that are there, "/dev/ttyACM0, /dev/ttyUSB0", or "" for none. */
const char *serial_ports(char *text, size_t size);

/* Milliseconds of a clock that never steps back. */
uint64_t transport_now_ms(void);

#endif
