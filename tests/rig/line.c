#include "tests/rig/line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum nfsar_status rig_line_open(struct rig_line *line, const char *path, nfsar_error *error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    line->listener = line->client = -1;
    line->waiting = 0;
    if (strlen(path) >= sizeof address.sun_path) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: too long for a socket's name", path);
    }
    strcpy(address.sun_path, path);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(path);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 4) != 0) {
        const int why = errno;
        if (listener >= 0) {
            close(listener);
        }
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(why));
    }
    line->listener = listener;
    strcpy(line->path, path);
    return NFSAR_OK;
}

void rig_line_close(struct rig_line *line) {
    if (line->client >= 0) {
        close(line->client);
    }
    if (line->listener >= 0) {
        close(line->listener);
        unlink(line->path);
    }
    line->listener = line->client = -1;
}

static void drop_client(struct rig_line *line) {
    close(line->client);
    line->client = -1;
    line->waiting = 0;
}

static void send_waiting(struct rig_line *line) {
    const ssize_t sent =
        line->client >= 0 && line->waiting > 0
            ? send(line->client, line->bytes, line->waiting, MSG_NOSIGNAL | MSG_DONTWAIT)
            : 0;
    if (sent > 0) {
        line->waiting -= (size_t)sent;
        memmove(line->bytes, line->bytes + sent, line->waiting);
    }
}

size_t rig_line_read(struct rig_line *line, uint8_t *bytes, size_t n) {
    if (line->client < 0) {
        line->client = accept4(line->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    if (line->client < 0) {
        return 0;
    }
    send_waiting(line);
    const ssize_t came = read(line->client, bytes, n);
    if (came == 0 || (came < 0 && errno != EAGAIN && errno != EINTR)) {
        drop_client(line);
    }
    return came > 0 ? (size_t)came : 0;
}

void rig_line_write(struct rig_line *line, const uint8_t *bytes, size_t n) {
    if (line->client < 0 || n > sizeof line->bytes - line->waiting) {
        return;
    }
    memcpy(line->bytes + line->waiting, bytes, n);
    line->waiting += n;
    send_waiting(line);
}
