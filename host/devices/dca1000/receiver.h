/* The thread that takes the card's packets and assembles frames of them. */
#ifndef NFSAR_HOST_DEVICES_DCA1000_RECEIVER_H
#define NFSAR_HOST_DEVICES_DCA1000_RECEIVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/dca1000.h>

struct receiver;

/* Starts the thread on a socket, which stays the caller's. Only packets from this address are
 * taken. */
enum nfsar_status receiver_start(int fd, struct in_addr from, size_t frame_bytes,
                                 size_t window_bytes, size_t queue_bytes,
                                 struct receiver **receiver, nfsar_error *error);

/* Ends the thread and makes ready what is there. */
void receiver_finish(struct receiver *receiver);

/* Ends the thread if it runs, and frees. NULL is allowed. */
void receiver_free(struct receiver *receiver);

/* The next frame, or NULL: none is ready. Valid until the next call. */
const struct nfsar_dca1000_frame *receiver_next(struct receiver *receiver);

/* Becomes readable when a frame may have become ready, or the thread failed. */
int receiver_event(const struct receiver *receiver);

/* Reads the event away. */
void receiver_clear(struct receiver *receiver);

/* CLOCK_MONOTONIC when the last packet came; the start if none did. */
uint64_t receiver_last_ns(struct receiver *receiver);

/* Why no frames will come any more, or NULL. */
const char *receiver_failed(struct receiver *receiver);

void receiver_counters(struct receiver *receiver, struct nfsar_dca1000_counters *counters);
size_t receiver_losses(struct receiver *receiver, size_t first, struct nfsar_dca1000_loss *losses,
                       size_t room);

#endif
