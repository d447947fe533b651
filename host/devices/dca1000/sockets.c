/* UDP sockets at this machine's address on the card's network. */
#include <errno.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/devices/dca1000/link.h"

enum { EMPTY_LIMIT = 1 << 20, ANY_BYTES = 2048 };

static enum nfsar_status not_bound(const struct dca1000_settings *settings, uint16_t port,
                                   int reason, nfsar_error *error) {
    const char *host = settings->host_address;
    switch (reason) {
    case EADDRNOTAVAIL:
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "capture card: no network card of this machine has the address %s; give "
                          "it to the one with the card's cable: sudo ip address add %s/24 dev NAME "
                          "('ip link' lists the names)",
                          host, host);
    case EADDRINUSE:
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "capture card: another program has port %u of %s: does a recording run, "
                          "or TI's software? 'ss -lunp' lists who",
                          port, host);
    default:
        return nfsar_fail(error, NFSAR_ERROR_DEVICE, "capture card: port %u of %s: %s", port, host,
                          strerror(reason));
    }
}

enum nfsar_status dca1000_bind(const struct dca1000_settings *settings, uint16_t port, int *fd,
                               nfsar_error *error) {
    *fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE, "capture card: no UDP socket: %s",
                          strerror(errno));
    }
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = settings->host};
    if (bind(*fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        const int reason = errno;
        close(*fd);
        *fd = -1;
        return not_bound(settings, port, reason, error);
    }
    return NFSAR_OK;
}

size_t dca1000_grow_buffer(int fd, size_t bytes) {
    const int wanted = bytes > 1U << 30 ? 1 << 30 : (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    }
    int granted = 0;
    socklen_t length = sizeof granted;
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &length);
    return (size_t)granted / 2; /* Linux doubles what it is asked for, for its own use */
}

uint32_t dca1000_dropped(int fd) {
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof values;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &length) != 0 ||
        length <= SK_MEMINFO_DROPS * sizeof *values) {
        return 0;
    }
    return values[SK_MEMINFO_DROPS];
}

void dca1000_empty(int fd) {
    uint8_t bytes[ANY_BYTES];
    for (unsigned i = 0; i < EMPTY_LIMIT; i++) {
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0 &&
            (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
    }
}
