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
    line->drop_first = line->drop_end = 0;
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

void rig_line_drops(struct rig_line *line, const struct rig_faults *faults) {
    const uint64_t n = faults->drop_records > 0 ? faults->drop_records : 1;
    line->drop_first = faults->drop_record;
    line->drop_end = faults->drop_record > 0 ? faults->drop_record + n : 0;
    line->records = 0;
    line->reader = (struct nfsar_wire_reader){0};
    line->frame_bytes = 0;
}

static void write_on(struct rig_line *line, const uint8_t *bytes, size_t n) {
    if (line->client < 0 || n > sizeof line->bytes - line->waiting) {
        return;
    }
    memcpy(line->bytes + line->waiting, bytes, n);
    line->waiting += n;
    send_waiting(line);
}

/* A frame is held until its end, which says what it is. */
static void write_but_dropped(struct rig_line *line, uint8_t byte) {
    struct nfsar_wire_message message;
    line->frame[line->frame_bytes++] = byte;
    bool dropped = false;
    if (nfsar_wire_read(&line->reader, byte, &message) &&
        message.header.kind == NFSAR_WIRE_TRIGGER) {
        line->records++;
        dropped = line->records >= line->drop_first && line->records < line->drop_end;
    }
    if (byte == 0 || line->frame_bytes == sizeof line->frame) {
        if (!dropped) {
            write_on(line, line->frame, line->frame_bytes);
        }
        line->frame_bytes = 0;
    }
}

void rig_line_write(struct rig_line *line, const uint8_t *bytes, size_t n) {
    if (line->drop_first == 0) {
        write_on(line, bytes, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        write_but_dropped(line, bytes[i]);
    }
}
