/* Ranges of the stream that are missing: ascending, never touching, bounded in number. */
#ifndef NFSAR_HOST_DEVICES_DCA1000_GAPS_H
#define NFSAR_HOST_DEVICES_DCA1000_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gap {
    uint64_t begin;
    uint64_t end; /* one past the last byte */
};

struct gaps {
    struct gap *at; /* ascending; owned by whoever made the list */
    size_t count;
    size_t room;
};

/* Adds [begin, end), which lies behind all others. Joined with the last one where that ends at
 * begin. Where there is no room, the last one grows over what lies between them, and *swallowed
 * says how many bytes that were there are in it now. */
void gaps_append(struct gaps *gaps, uint64_t begin, uint64_t end, uint64_t *swallowed);

/* The number of the first gap that ends after this byte; gaps->count: none. */
size_t gaps_find(const struct gaps *gaps, uint64_t byte);

/* Takes [begin, end), which lies within the gap numbered i, out of the list. False: that would
 * make two of one, and there is no room. */
bool gaps_cut(struct gaps *gaps, size_t i, uint64_t begin, uint64_t end);

/* Forgets all that lies before this byte. */
void gaps_drop(struct gaps *gaps, uint64_t byte);

#endif
