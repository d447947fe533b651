#include "host/devices/dca1000/gaps.h"

#include <string.h>

void gaps_append(struct gaps *gaps, uint64_t begin, uint64_t end, uint64_t *swallowed) {
    *swallowed = 0;
    struct gap *last = gaps->count > 0 ? &gaps->at[gaps->count - 1] : NULL;
    if (last != NULL && (last->end == begin || gaps->count == gaps->room)) {
        *swallowed = begin - last->end;
        last->end = end;
        return;
    }
    gaps->at[gaps->count++] = (struct gap){begin, end};
}

size_t gaps_find(const struct gaps *gaps, uint64_t byte) {
    size_t low = 0;
    size_t high = gaps->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (gaps->at[middle].end > byte) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static void close_up(struct gaps *gaps, size_t first, size_t n) {
    memmove(gaps->at + first, gaps->at + first + n, (gaps->count - first - n) * sizeof *gaps->at);
    gaps->count -= n;
}

bool gaps_cut(struct gaps *gaps, size_t i, uint64_t begin, uint64_t end) {
    struct gap *gap = &gaps->at[i];
    if (gap->begin == begin && gap->end == end) {
        close_up(gaps, i, 1);
    } else if (gap->begin == begin) {
        gap->begin = end;
    } else if (gap->end == end) {
        gap->end = begin;
    } else if (gaps->count == gaps->room) {
        return false;
    } else {
        memmove(gap + 2, gap + 1, (gaps->count - i - 1) * sizeof *gap);
        gap[1] = (struct gap){end, gap->end};
        gap->end = begin;
        gaps->count++;
    }
    return true;
}

void gaps_drop(struct gaps *gaps, uint64_t byte) {
    const size_t keep = gaps_find(gaps, byte);
    if (keep > 0) {
        close_up(gaps, 0, keep);
    }
    if (gaps->count > 0 && gaps->at[0].begin < byte) {
        gaps->at[0].begin = byte;
    }
}
