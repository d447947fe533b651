/* The unix socket that stands for the hub's serial line: one client at a time. Bytes for a client
 * that is not there are lost, as on a serial line; so are those for one that is slow, when there
 * are more than the buffers of a serial port hold. */
#ifndef NFSAR_TESTS_RIG_LINE_H
#define NFSAR_TESTS_RIG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>
#include <nfsar/wire.h>

#include "tests/rig/faults.h"

enum { RIG_LINE_BYTES = 1 << 16 };

struct rig_line {
    int listener, client;
    char path[108];
    size_t waiting; /* bytes that the client did not take yet */
    uint8_t bytes[RIG_LINE_BYTES];

    /* Records of triggers that never arrive. */
    uint64_t drop_first, drop_end, records; /* counted from 1 */
    struct nfsar_wire_reader reader;
    uint8_t frame[NFSAR_WIRE_FRAME_MAX + 1];
    size_t frame_bytes;
};

enum nfsar_status rig_line_open(struct rig_line *line, const char *path, nfsar_error *error);
void rig_line_close(struct rig_line *line);
/* Records of triggers that are to be lost on the way from the hub. */
void rig_line_drops(struct rig_line *line, const struct rig_faults *faults);

/* Up to n bytes that came from the client; at once. Sends what waits, too. */
size_t rig_line_read(struct rig_line *line, uint8_t *bytes, size_t n);
void rig_line_write(struct rig_line *line, const uint8_t *bytes, size_t n);

#endif
