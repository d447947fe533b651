/* A device on a serial port, or on the unix socket that an emulator has in place of one. */
#include "host/devices/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct serial {
    int fd;
    bool is_socket;
    char port[256];
    const char *who; /* is at the other end */
};

uint64_t transport_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

const char *serial_ports(char *text, size_t size) {
    static const char *const patterns[] = {"/dev/ttyACM*", "/dev/ttyUSB*"};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) != 0) {
            continue;
        }
        for (size_t j = 0; j < found.gl_pathc && used + strlen(found.gl_pathv[j]) + 3 < size; j++) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     found.gl_pathv[j]);
        }
        globfree(&found);
    }
    return text;
}

/* Waits until the port is ready. 1 ready, 0 not in time or a signal came, -1 gone. */
static int wait_for(const struct serial *serial, short what, unsigned timeout_ms) {
    struct pollfd wait = {.fd = serial->fd, .events = what};
    const int limit = timeout_ms > 60000 ? 60000 : (int)timeout_ms;
    const int ready = poll(&wait, 1, limit);
    if (ready < 0) {
        return errno == EINTR ? 0 : -1;
    }
    if (ready > 0 && (wait.revents & what) == 0) {
        return -1;
    }
    return ready > 0;
}

static enum nfsar_status gone(const struct serial *serial, const char *why, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                      "%s: %s is gone (%s); is it powered, and its cable plugged in?", serial->port,
                      serial->who, why);
}

static enum nfsar_status serial_read(void *context, uint8_t *to, size_t n, unsigned timeout_ms,
                                     size_t *got, nfsar_error *error) {
    const struct serial *serial = context;
    *got = 0;
    const int ready = wait_for(serial, POLLIN, timeout_ms);
    if (ready == 0) {
        return NFSAR_OK;
    }
    const ssize_t bytes = ready > 0 ? read(serial->fd, to, n) : 0;
    if (bytes > 0) {
        *got = (size_t)bytes;
        return NFSAR_OK;
    }
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
        return NFSAR_OK;
    }
    return gone(serial, bytes < 0 ? strerror(errno) : "the connection ended", error);
}

static enum nfsar_status serial_write(void *context, const uint8_t *from, size_t n,
                                      unsigned timeout_ms, nfsar_error *error) {
    const struct serial *serial = context;
    const uint64_t end = transport_now_ms() + timeout_ms;
    while (n > 0) {
        const ssize_t bytes = serial->is_socket ? send(serial->fd, from, n, MSG_NOSIGNAL)
                                                : write(serial->fd, from, n);
        if (bytes > 0) {
            from += bytes;
            n -= (size_t)bytes;
            continue;
        }
        if (bytes < 0 && errno != EAGAIN && errno != EINTR) {
            return gone(serial, strerror(errno), error);
        }
        const uint64_t now = transport_now_ms();
        if (now >= end) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "%s: takes no bytes; is something else connected to it?",
                              serial->port);
        }
        if (wait_for(serial, POLLOUT, (unsigned)(end - now)) < 0) {
            return gone(serial, "the connection ended", error);
        }
    }
    return NFSAR_OK;
}

static void serial_close(void *context) {
    struct serial *serial = context;
    close(serial->fd);
    free(serial);
}

static enum nfsar_status connect_socket(struct serial *serial, const char *port,
                                        nfsar_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(port) >= sizeof address.sun_path) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: the path of a socket has at most %zu characters", port,
                          sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, port, strlen(port) + 1);
    serial->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (serial->fd < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", port, strerror(errno));
    }
    /* A listener whose queue is full would keep connect() waiting. */
    const struct timeval limit = {.tv_sec = 2};
    setsockopt(serial->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(serial->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s%s", port, strerror(errno),
                          errno == ECONNREFUSED ? "; the emulator that made this socket has ended"
                          : errno == EAGAIN     ? "; another program is connected to it"
                                                : "");
    }
    const int flags = fcntl(serial->fd, F_GETFL);
    if (flags < 0 || fcntl(serial->fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", port, strerror(errno));
    }
    return NFSAR_OK;
}

/* The rates of the two devices that have one. */
static speed_t speed_of(unsigned baud) {
    return baud == 115200 ? B115200 : B921600;
}

static enum nfsar_status open_line(struct serial *serial, const char *port, unsigned baud,
                                   nfsar_error *error) {
    serial->fd = open(port, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (serial->fd < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s%s", port, strerror(errno),
                          errno == EACCES ? "; join the group of serial ports (`sudo adduser $USER "
                                            "dialout`) and log in again"
                          : errno == EBUSY ? "; another program uses it"
                                           : "");
    }
    struct termios settings;
    if (tcgetattr(serial->fd, &settings) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is not a serial port", port);
    }
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cflag &= ~(tcflag_t)(CRTSCTS | CSTOPB | HUPCL);
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    cfsetispeed(&settings, speed_of(baud));
    cfsetospeed(&settings, speed_of(baud));
    if (tcsetattr(serial->fd, TCSANOW, &settings) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be set to %u baud: %s", port, baud,
                          strerror(errno));
    }
    /* Two programs on one line would each get half of the frames. */
    if (ioctl(serial->fd, TIOCEXCL) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", port, strerror(errno));
    }
    tcflush(serial->fd, TCIOFLUSH);
    return NFSAR_OK;
}

static enum nfsar_status none_there(const char *port, nfsar_error *error) {
    char ports[256];
    serial_ports(ports, sizeof ports);
    return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s; %s%s", port, strerror(errno),
                      ports[0] != '\0' ? "serial ports here: " : "no serial port is plugged in",
                      ports);
}

enum nfsar_status serial_open_at(const char *port, const char *who, unsigned baud,
                                 struct transport *transport, nfsar_error *error) {
    struct stat info;
    if (stat(port, &info) != 0) {
        return none_there(port, error);
    }
    if (!S_ISSOCK(info.st_mode) && !S_ISCHR(info.st_mode)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: is neither a serial port nor a socket",
                          port);
    }
    struct serial *serial = calloc(1, sizeof *serial);
    if (serial == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    serial->fd = -1;
    serial->who = who;
    snprintf(serial->port, sizeof serial->port, "%s", port);
    serial->is_socket = S_ISSOCK(info.st_mode);
    const enum nfsar_status status = serial->is_socket ? connect_socket(serial, port, error)
                                                       : open_line(serial, port, baud, error);
    if (status != NFSAR_OK) {
        if (serial->fd >= 0) {
            close(serial->fd);
        }
        free(serial);
        return status;
    }
    *transport = (struct transport){
        .context = serial, .read = serial_read, .write = serial_write, .close = serial_close};
    return NFSAR_OK;
}

enum nfsar_status serial_open(const char *port, struct transport *transport, nfsar_error *error) {
    return serial_open_at(port, "the hub", 921600, transport, error);
}
