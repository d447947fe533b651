/* The unix socket that stands for the hub's serial line: one client at a time. Bytes for a client
 * that is not there, or slow, are lost, as on a serial line. */
#ifndef NFSAR_TESTS_RIG_LINE_H
#define NFSAR_TESTS_RIG_LINE_H

#include <nfsar/status.h>

#include <stddef.h>
#include <stdint.h>

struct rig_line {
    int listener, client;
    char path[108];
};

enum nfsar_status rig_line_open(struct rig_line *line, const char *path, nfsar_error *error);
void rig_line_close(struct rig_line *line);

/* Up to n bytes that came from the client; at once. */
size_t rig_line_read(struct rig_line *line, uint8_t *bytes, size_t n);
void rig_line_write(struct rig_line *line, const uint8_t *bytes, size_t n);

#endif
