#include "tests/rig/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 20000, ANSWER_MS = 20000, END_MS = 5000, SEND_TRIES = 100, PIPE_BYTES = 1 << 20 };

static const char *const names[BOARD_PORTS] = {"LINK", "IMU", "FLOW", "GNSS", "RADAR"};

/* ---- starting ---- */

static int listen_at(const struct qemu *qemu, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int n =
        snprintf(address.sun_path, sizeof address.sun_path, "%s/%s.sock", qemu->folder, name);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || n < 0 || (size_t)n >= sizeof address.sun_path) {
        return -1;
    }
    unlink(address.sun_path);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0) {
        close(listener);
        return -1;
    }
    return listener;
}

/* Whom qemu connects to; bounded. */
static int accept_from(int listener) {
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    return poll(&wait, 1, START_MS) == 1 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
}

/* In the child. */
static void become(const struct qemu *qemu, const char *image) {
    char text[BOARD_PORTS + 2][300];
    for (unsigned port = 0; port < BOARD_PORTS; port++) {
        snprintf(text[port], sizeof text[port], "unix:%s/%s.sock", qemu->folder, names[port]);
    }
    snprintf(text[BOARD_PORTS], sizeof text[0], "unix:%s/QTEST.sock", qemu->folder);
    snprintf(text[BOARD_PORTS + 1], sizeof text[0], "%s/pins", qemu->folder);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* Ctrl-C is for the rig, which ends qemu */
    execlp("qemu-system-arm", "qemu-system-arm", "-M", "netduinoplus2", "-display", "none",
           "-monitor", "none", "-accel", "tcg", "-icount", "shift=4,sleep=on", "-kernel", image,
           /* USART1, 2, 3, UART4, 5, USART6 */
           "-serial", text[BOARD_PORT_LINK], "-serial", text[BOARD_PORT_IMU], "-serial",
           text[BOARD_PORT_FLOW], "-serial", text[BOARD_PORT_GNSS], "-serial", "null", "-serial",
           text[BOARD_PORT_RADAR], "-qtest", text[BOARD_PORTS], "-qtest-log", "none", "-d", "unimp",
           "-D", text[BOARD_PORTS + 1], (char *)NULL);
    perror("qemu-system-arm");
    _exit(127);
}

static enum nfsar_status connect_all(struct qemu *qemu, const char *image, int listeners[],
                                     nfsar_error *error) {
    qemu->pid = fork();
    if (qemu->pid == 0) {
        become(qemu, image);
    }
    if (qemu->pid < 0) {
        qemu->pid = 0;
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "no process for qemu: %s", strerror(errno));
    }
    /* Without waiting for anyone, in the order of its command line. */
    for (unsigned i = 0; i <= BOARD_PORTS; i++) {
        const int fd = accept_from(listeners[i]);
        if (fd < 0) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "qemu-system-arm with %s does not start; --hub host does without",
                              image);
        }
        *(i < BOARD_PORTS ? &qemu->port[i] : &qemu->qtest) = fd;
        if (i < BOARD_PORTS) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status open_log(struct qemu *qemu, nfsar_error *error) {
    char path[300];
    snprintf(path, sizeof path, "%s/pins", qemu->folder);
    unlink(path);
    if (mkfifo(path, 0600) == 0) {
        qemu->log = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    if (qemu->log < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    fcntl(qemu->log, F_SETPIPE_SZ, PIPE_BYTES);
    return NFSAR_OK;
}

enum nfsar_status qemu_start(struct qemu *qemu, const char *image, const char *folder,
                             qemu_wrote *wrote, void *context, nfsar_error *error) {
    int listeners[BOARD_PORTS + 1];
    *qemu = (struct qemu){.qtest = -1, .log = -1, .wrote = wrote, .context = context};
    for (unsigned i = 0; i < BOARD_PORTS; i++) {
        qemu->port[i] = -1;
    }
    snprintf(qemu->folder, sizeof qemu->folder, "%s", folder);
    if (access(image, R_OK) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", image, strerror(errno));
    }
    enum nfsar_status status = open_log(qemu, error);
    for (unsigned i = 0; i <= BOARD_PORTS; i++) {
        listeners[i] = listen_at(qemu, i < BOARD_PORTS ? names[i] : "QTEST");
        if (listeners[i] < 0 && status == NFSAR_OK) {
            status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: no socket there: %s", folder,
                                strerror(errno));
        }
    }
    if (status == NFSAR_OK) {
        status = connect_all(qemu, image, listeners, error);
    }
    for (unsigned i = 0; i <= BOARD_PORTS; i++) {
        if (listeners[i] >= 0) {
            close(listeners[i]);
        }
    }
    return status;
}

bool qemu_runs(struct qemu *qemu) {
    if (qemu->pid > 0 && waitpid(qemu->pid, NULL, WNOHANG) == qemu->pid) {
        qemu->pid = 0;
    }
    return qemu->pid > 0;
}

static void close_all(struct qemu *qemu) {
    for (unsigned i = 0; i < BOARD_PORTS; i++) {
        if (qemu->port[i] >= 0) {
            close(qemu->port[i]);
        }
    }
    if (qemu->qtest >= 0) {
        close(qemu->qtest);
    }
    if (qemu->log >= 0) {
        close(qemu->log);
    }
}

void qemu_end(struct qemu *qemu) {
    char path[300];
    if (qemu_runs(qemu)) {
        kill(qemu->pid, SIGTERM);
    }
    for (int ms = 0; qemu_runs(qemu); ms += 10) {
        if (ms == END_MS) {
            kill(qemu->pid, SIGKILL);
        }
        poll(NULL, 0, 10);
    }
    close_all(qemu);
    for (unsigned i = 0; i <= BOARD_PORTS; i++) {
        snprintf(path, sizeof path, "%s/%s.sock", qemu->folder,
                 i < BOARD_PORTS ? names[i] : "QTEST");
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/pins", qemu->folder);
    unlink(path);
}

/* ---- pins ---- */

/* Port and bit, as firmware/boards/stm32f405/pins.h has them; in the order of enum qemu_pin. */
static const struct {
    char port;
    uint8_t bit;
} pins[QEMU_PINS] = {{'C', 8}, {'A', 8}, {'B', 0}, {'C', 9},
                     {'B', 4}, {'B', 1}, {'B', 8}, {'B', 9}};

/* A store to BSRR: bits 0 to 15 set pins, 16 to 31 clear them. */
static void read_line(const struct qemu *qemu, const char *line) {
    char port;
    unsigned value;
    if (sscanf(line, "GPIO%c: unimplemented device write (size 4, offset 0x018, value 0x%x)", &port,
               &value) != 2) {
        return;
    }
    for (unsigned pin = 0; pin < QEMU_PINS; pin++) {
        if (pins[pin].port != port) {
            continue;
        }
        if (value >> pins[pin].bit & 1U) {
            qemu->wrote(qemu->context, (enum qemu_pin)pin, true);
        } else if (value >> (pins[pin].bit + 16U) & 1U) {
            qemu->wrote(qemu->context, (enum qemu_pin)pin, false);
        }
    }
}

/* What is there of the log, as far as there is room. False: nothing. */
static bool fetch(struct qemu *qemu) {
    const size_t room = sizeof qemu->text - 1 - qemu->bytes;
    const ssize_t came = room > 0 ? read(qemu->log, qemu->text + qemu->bytes, room) : 0;
    qemu->bytes += came > 0 ? (size_t)came : 0;
    return came > 0;
}

void qemu_read_pins(struct qemu *qemu) {
    /* What a line leads to may wait for qemu, which waits for a reader of its log: then lines are
     * only fetched, and their turn comes in order. */
    if (qemu->reading) {
        fetch(qemu);
        return;
    }
    qemu->reading = true;
    while (fetch(qemu)) {
        char *line = qemu->text, *end;
        while ((end = memchr(line, '\n', qemu->bytes - (size_t)(line - qemu->text))) != NULL) {
            *end = '\0';
            read_line(qemu, line);
            line = end + 1;
        }
        qemu->bytes -= (size_t)(line - qemu->text);
        memmove(qemu->text, line, qemu->bytes);
        if (qemu->bytes == sizeof qemu->text - 1) {
            qemu->bytes = 0; /* no line is so long */
        }
    }
    qemu->reading = false;
}

/* ---- ports ---- */

static void fetch_ports(struct qemu *qemu) {
    for (unsigned port = 0; port < BOARD_PORTS; port++) {
        ssize_t came;
        do {
            const size_t have = qemu->n_came[port];
            came = have < QEMU_PORT_BYTES ? recv(qemu->port[port], qemu->came[port] + have,
                                                 QEMU_PORT_BYTES - have, MSG_DONTWAIT)
                                          : 0;
            qemu->n_came[port] += came > 0 ? (size_t)came : 0;
        } while (came > 0);
    }
}

/* What qemu may be waiting for. */
static void serve(struct qemu *qemu) {
    qemu_read_pins(qemu);
    fetch_ports(qemu);
}

size_t qemu_read_port(struct qemu *qemu, enum board_port port, uint8_t *bytes, size_t n) {
    fetch_ports(qemu);
    const size_t given = qemu->n_came[port] < n ? qemu->n_came[port] : n;
    memcpy(bytes, qemu->came[port], given);
    qemu->n_came[port] -= given;
    memmove(qemu->came[port], qemu->came[port] + given, qemu->n_came[port]);
    return given;
}

void qemu_write_port(struct qemu *qemu, enum board_port port, const void *bytes, size_t n) {
    const char *from = bytes;
    for (int tries = 0; n > 0 && tries < SEND_TRIES;) {
        const ssize_t sent = send(qemu->port[port], from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            from += sent;
            n -= (size_t)sent;
        } else {
            tries++;
            poll(NULL, 0, 1);
            serve(qemu);
        }
    }
}

/* ---- qtest ---- */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A line, while log and ports are read as well. False: none in time. */
static bool hear(struct qemu *qemu, char *answer, size_t size) {
    const int64_t until = now_ms() + ANSWER_MS;
    size_t have = 0;
    answer[0] = '\0';
    while (have + 1 < size && now_ms() < until) {
        struct pollfd wait[BOARD_PORTS + 2] = {{qemu->qtest, POLLIN, 0}, {qemu->log, POLLIN, 0}};
        for (unsigned port = 0; port < BOARD_PORTS; port++) {
            const bool room = qemu->n_came[port] < QEMU_PORT_BYTES;
            wait[2 + port] = (struct pollfd){room ? qemu->port[port] : -1, POLLIN, 0};
        }
        poll(wait, BOARD_PORTS + 2, 100);
        serve(qemu);
        if (wait[0].revents == 0) {
            continue;
        }
        const ssize_t came = recv(qemu->qtest, answer + have, size - 1 - have, 0);
        if (came <= 0) {
            return false;
        }
        have += (size_t)came;
        answer[have] = '\0';
        if (answer[have - 1] == '\n') {
            return true;
        }
    }
    return false;
}

static enum nfsar_status ask(struct qemu *qemu, const char *question, char *answer, size_t size,
                             nfsar_error *error) {
    const size_t n = strlen(question);
    return send(qemu->qtest, question, n, MSG_NOSIGNAL) == (ssize_t)n && hear(qemu, answer, size) &&
                   strncmp(answer, "OK", 2) == 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_DEVICE, "qemu does not answer any more");
}

enum nfsar_status qemu_count(struct qemu *qemu, uint32_t *count, nfsar_error *error) {
    char answer[128];
    const enum nfsar_status status = ask(qemu, "readl 0x40000024\n", answer, sizeof answer, error);
    if (status == NFSAR_OK) {
        *count = (uint32_t)strtoull(answer + 3, NULL, 16);
    }
    return status;
}

enum nfsar_status qemu_set_line(struct qemu *qemu, unsigned line, bool level, nfsar_error *error) {
    char question[128], answer[128];
    snprintf(question, sizeof question,
             "set_irq_in /machine/unattached/device[0]/exti unnamed-gpio-in %u %d\n", line, level);
    return ask(qemu, question, answer, sizeof answer, error);
}
