/* The unix socket that stands for the hub's serial line: one client at a time. Bytes for a client
 * that is not there are lost, as on a serial line; so are those for one that is slow, when there
 * are more than the buffers of a serial port hold. */
#ifndef NFSAR_TESTS_RIG_LINE_H
#define NFSAR_TESTS_RIG_LINE_H

#include <nfsar/status.h>

#include <stddef.h>
#include <stdint.h>

enum { RIG_LINE_BYTES = 1 << 16 };

struct rig_line {
    int listener, client;
    char path[108];
    size_t waiting; /* bytes that the client did not take yet */
    uint8_t bytes[RIG_LINE_BYTES];
};

enum nfsar_status rig_line_open(struct rig_line *line, const char *path, nfsar_error *error);
void rig_line_close(struct rig_line *line);

/* Up to n bytes that came from the client; at once. Sends what waits, too. */
size_t rig_line_read(struct rig_line *line, uint8_t *bytes, size_t n);
void rig_line_write(struct rig_line *line, const uint8_t *bytes, size_t n);

#endif
