/* Packets in any order, frames in theirs. No sockets, no clock, no threads: the caller says when a
 * packet came. docs/dca1000.md, "What is lost, and what is not", has the rules.
 *
 * A packet is placed by its byte count; order.c judges whether that can be. Frames of which bytes
 * came have memory, from a pool of fixed size; frames of which nothing came need none, however many
 * they are. */
#ifndef NFSAR_HOST_DEVICES_DCA1000_ASSEMBLY_H
#define NFSAR_HOST_DEVICES_DCA1000_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/dca1000.h>

enum {
    ASSEMBLY_LOSSES = 65536,      /* entries of the loss map */
    ASSEMBLY_GAPS = 16384,        /* gaps in frames that are not ready yet */
    ASSEMBLY_WINDOW_MIN = 4096,   /* bytes */
    ASSEMBLY_FRAMES_MAX = 1 << 20 /* that wait */
};

struct assembly;

/* For a stream that begins at now_ns. queue_bytes: of whole frames that wait to be fetched; what
 * the window needs comes on top. Fails with NFSAR_ERROR_ARGUMENT and NFSAR_ERROR_MEMORY. */
enum nfsar_status assembly_create(size_t frame_bytes, size_t window_bytes, size_t queue_bytes,
                                  uint64_t now_ns, struct assembly **assembly, nfsar_error *error);
void assembly_free(struct assembly *assembly);

/* A packet as it came, header included, at now_ns of any clock that never steps back. */
void assembly_packet(struct assembly *assembly, const uint8_t *packet, size_t n, uint64_t now_ns);

/* Nothing more will come: all frames that began are ready now. */
void assembly_finish(struct assembly *assembly, uint64_t now_ns);

/* Did the card begin its count anew in mid-stream? Nothing it sends has a place then. */
bool assembly_restarted(const struct assembly *assembly);

/* Is a frame ready? */
bool assembly_ready(const struct assembly *assembly);

/* The next frame, or NULL; it is valid until the next call. notices is 0. */
const struct nfsar_dca1000_frame *assembly_next(struct assembly *assembly);

/* Its part of the counters: foreign, kernel_drops, notices and receive_bytes are left alone. */
void assembly_counters(const struct assembly *assembly, struct nfsar_dca1000_counters *counters);

/* As nfsar_dca1000_losses(). */
size_t assembly_losses(const struct assembly *assembly, size_t first,
                       struct nfsar_dca1000_loss *losses, size_t room);

/* Bytes of memory that it may come to hold, whatever the packets say. */
size_t assembly_memory(const struct assembly *assembly);

#endif
