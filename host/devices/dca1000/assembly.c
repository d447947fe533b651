#include "host/devices/dca1000/assembly.h"

#include <stdlib.h>
#include <string.h>

#include "host/devices/dca1000/gaps.h"
#include "host/devices/dca1000/order.h"
#include "host/devices/dca1000/packet.h"

/* Memory of one frame. Those in use last are used again first, so that no more of them are ever
 * touched than frames wait. */
struct slot {
    uint8_t *data;
    uint64_t first_ns;
    uint64_t last_ns;
};

/* Frames that are ready: one with memory, or a run of lost ones. */
struct ready {
    uint64_t number;
    uint64_t frames;
    struct slot *slot; /* NULL: lost */
    size_t missing;
};

struct assembly {
    size_t frame_bytes;
    struct order order;
    uint8_t kept[DCA1000_PAYLOAD_LIMIT]; /* payload of the packet that order keeps */
    uint64_t kept_ns;

    uint8_t *memory;
    uint8_t *zeros; /* a frame of them */
    struct slot *slots;
    size_t slot_count;
    struct slot **unused; /* a stack */
    size_t unused_count;

    struct slot **open; /* of frame n: at n % open_room; NULL: none yet */
    size_t open_room;
    uint64_t first_open; /* frame number: all before are ready or gone */
    uint64_t open_end;   /* one past the last frame that ever had a slot */
    uint64_t end;        /* of the stream: one past the last byte seen */
    struct gaps gaps;    /* in [first_open * frame_bytes, end) */
    struct gaps lost;    /* before that: the loss map */
    bool finished;

    struct ready *queue;
    size_t queue_room;
    size_t queue_first;
    size_t queue_count;
    size_t waiting;    /* frames with memory in it */
    struct slot *held; /* of the frame handed out */
    struct nfsar_dca1000_frame frame;

    struct nfsar_dca1000_counters counters;
};

/* ---- memory ---- */

static bool allocate(struct assembly *a) {
    a->memory = malloc(a->slot_count * a->frame_bytes);
    a->zeros = calloc(1, a->frame_bytes);
    a->slots = calloc(a->slot_count, sizeof *a->slots);
    a->unused = calloc(a->slot_count, sizeof(struct slot *));
    a->open = calloc(a->open_room, sizeof(struct slot *));
    a->queue = calloc(a->queue_room, sizeof *a->queue);
    a->gaps.at = calloc(a->gaps.room, sizeof *a->gaps.at);
    a->lost.at = calloc(a->lost.room, sizeof *a->lost.at);
    return a->memory != NULL && a->zeros != NULL && a->slots != NULL && a->unused != NULL &&
           a->open != NULL && a->queue != NULL && a->gaps.at != NULL && a->lost.at != NULL;
}

enum nfsar_status assembly_create(size_t frame_bytes, size_t window_bytes, size_t queue_bytes,
                                  uint64_t now_ns, struct assembly **assembly, nfsar_error *error) {
    *assembly = NULL;
    const size_t window = window_bytes < ASSEMBLY_WINDOW_MIN ? ASSEMBLY_WINDOW_MIN : window_bytes;
    if (frame_bytes == 0 || frame_bytes > SIZE_MAX / 16 || window > SIZE_MAX / 16) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a frame of %zu bytes and a window of %zu bytes for the capture card: "
                          "one is 0 or too large",
                          frame_bytes, window_bytes);
    }
    const size_t open_room = window / frame_bytes + 3;
    size_t queued = queue_bytes / frame_bytes < 2 ? 2 : queue_bytes / frame_bytes;
    queued = queued > ASSEMBLY_FRAMES_MAX ? ASSEMBLY_FRAMES_MAX : queued;
    if (queued + open_room + 1 > SIZE_MAX / 2 / frame_bytes) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a queue of %zu bytes for frames of %zu bytes of the capture card is too "
                          "large",
                          queue_bytes, frame_bytes);
    }
    struct assembly *a = calloc(1, sizeof *a);
    if (a != NULL) {
        a->frame_bytes = frame_bytes;
        a->open_room = open_room;
        a->slot_count = queued + open_room + 1;
        a->queue_room = 2 * a->slot_count + 2;
        a->gaps.room = ASSEMBLY_GAPS;
        a->lost.room = ASSEMBLY_LOSSES;
        a->counters.queue_frames = a->slot_count - 1;
    }
    if (a == NULL || !allocate(a)) {
        assembly_free(a);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "no memory for %zu frames of %zu bytes; make the queue smaller",
                          queued + open_room, frame_bytes);
    }
    order_begin(&a->order, window, now_ns);
    for (size_t i = 0; i < a->slot_count; i++) {
        a->slots[i].data = a->memory + i * frame_bytes;
        a->unused[a->slot_count - 1 - i] = &a->slots[i];
    }
    a->unused_count = a->slot_count;
    *assembly = a;
    return NFSAR_OK;
}

void assembly_free(struct assembly *a) {
    if (a == NULL) {
        return;
    }
    free(a->memory);
    free(a->zeros);
    free(a->slots);
    free(a->unused);
    free(a->open);
    free(a->queue);
    free(a->gaps.at);
    free(a->lost.at);
    free(a);
}

size_t assembly_memory(const struct assembly *a) {
    return sizeof *a + (a->slot_count + 1) * a->frame_bytes +
           a->slot_count * (sizeof *a->slots + sizeof(struct slot *)) +
           a->open_room * sizeof(struct slot *) + a->queue_room * sizeof *a->queue +
           (a->gaps.room + a->lost.room) * sizeof(struct gap);
}

static struct slot **open_slot(struct assembly *a, uint64_t number) {
    return &a->open[number % a->open_room];
}

/* The slot of an open frame, a fresh one where it has none; NULL: all are in use. */
static struct slot *slot_for(struct assembly *a, uint64_t number, uint64_t now_ns) {
    struct slot **slot = open_slot(a, number);
    if (*slot == NULL && a->unused_count > 0) {
        *slot = a->unused[--a->unused_count];
        (*slot)->first_ns = now_ns;
        if (number >= a->open_end) {
            a->open_end = number + 1;
        }
    }
    return *slot;
}

/* ---- frames that are ready ---- */

static struct ready *queue_add(struct assembly *a, const struct ready *item) {
    struct ready *place = &a->queue[(a->queue_first + a->queue_count) % a->queue_room];
    *place = *item;
    a->queue_count++;
    return place;
}

static void queue_lost(struct assembly *a, uint64_t number, uint64_t frames) {
    if (a->queue_count > 0) {
        struct ready *last = &a->queue[(a->queue_first + a->queue_count - 1) % a->queue_room];
        if (last->slot == NULL) {
            last->frames += frames;
            return;
        }
    }
    queue_add(a, &(struct ready){number, frames, NULL, a->frame_bytes});
}

/* Bytes [begin, end) of a frame that is about to be ready are lost for good. */
static void lose(struct assembly *a, struct slot *slot, uint64_t begin, uint64_t end) {
    uint64_t swallowed;
    gaps_append(&a->lost, begin, end, &swallowed);
    a->counters.lost_bytes += end - begin;
    if (slot != NULL) {
        memset(slot->data + begin % a->frame_bytes, 0, end - begin);
    }
}

/* The first open frame is ready as it is, and with it all frames after it that are lost as well, up
 * to the one numbered limit. */
static void publish(struct assembly *a, uint64_t limit) {
    const uint64_t number = a->first_open;
    const uint64_t begin = number * a->frame_bytes;
    struct slot **open = open_slot(a, number);
    struct slot *slot = *open;
    *open = NULL;
    uint64_t frames = 1;
    if (slot == NULL && number >= a->open_end && a->gaps.count > 0) {
        const uint64_t gap_frames = (a->gaps.at[0].end - begin) / a->frame_bytes;
        const uint64_t most = limit > number ? limit - number : 1;
        frames = gap_frames < 1 ? 1 : gap_frames > most ? most : gap_frames;
    }
    const uint64_t frame_end = begin + frames * a->frame_bytes;
    size_t missing = 0;
    for (size_t i = 0; i < a->gaps.count && a->gaps.at[i].begin < frame_end; i++) {
        const struct gap *gap = &a->gaps.at[i];
        const uint64_t end = gap->end < frame_end ? gap->end : frame_end;
        lose(a, slot, gap->begin, end);
        missing += end - gap->begin;
    }
    gaps_drop(&a->gaps, frame_end);
    if (slot != NULL && a->end < frame_end) { /* the stream ended before the frame did */
        memset(slot->data + (a->end - begin), 0, frame_end - a->end);
        missing += frame_end - a->end;
    }
    a->first_open += frames;
    if (slot == NULL) {
        queue_lost(a, number, frames);
        return;
    }
    queue_add(a, &(struct ready){number, 1, slot, missing});
    a->waiting++;
    if (a->waiting > a->counters.queue_worst) {
        a->counters.queue_worst = a->waiting;
    }
}

/* Makes ready what is whole, or so far behind that nothing is waited for. */
static void advance(struct assembly *a) {
    const uint64_t passed = a->end > a->order.window ? a->end - a->order.window : 0;
    const uint64_t whole_frames = a->end / a->frame_bytes;
    const uint64_t limit =
        a->finished ? whole_frames + (a->end % a->frame_bytes != 0) : passed / a->frame_bytes;
    for (;;) {
        const uint64_t frame_end = (a->first_open + 1) * a->frame_bytes;
        const bool whole = a->first_open < whole_frames &&
                           (a->gaps.count == 0 || a->gaps.at[0].begin >= frame_end);
        if (!whole && a->first_open >= limit) {
            return;
        }
        publish(a, limit);
    }
}

/* ---- bytes into their places ---- */

/* The bytes of [begin, end) that never came, or had no place, at the end of the stream. */
static void miss(struct assembly *a, uint64_t begin, uint64_t end) {
    uint64_t swallowed;
    gaps_append(&a->gaps, begin, end, &swallowed);
    a->counters.bytes -= swallowed;
}

/* Copies bytes of one frame. False: it has no memory. */
static bool copy(struct assembly *a, uint64_t begin, const uint8_t *from, size_t n,
                 uint64_t now_ns) {
    struct slot *slot = slot_for(a, begin / a->frame_bytes, now_ns);
    if (slot == NULL) {
        return false;
    }
    memcpy(slot->data + begin % a->frame_bytes, from, n);
    slot->last_ns = now_ns;
    a->counters.bytes += n;
    return true;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Bytes that were missing: what a gap has of [begin, end). Returns how many were placed. */
static uint64_t fill(struct assembly *a, uint64_t begin, uint64_t end, const uint8_t *from,
                     uint64_t now_ns, bool *overrun) {
    uint64_t placed = 0;
    uint64_t at = begin;
    while (at < end) {
        const size_t i = gaps_find(&a->gaps, at);
        if (i == a->gaps.count || a->gaps.at[i].begin >= end) {
            break;
        }
        at = a->gaps.at[i].begin > at ? a->gaps.at[i].begin : at;
        const uint64_t frame_end = (at / a->frame_bytes + 1) * a->frame_bytes;
        const uint64_t stop = least(least(end, a->gaps.at[i].end), frame_end);
        /* The bytes are copied first: if the gap cannot be cut they are zeroed later. */
        if (!copy(a, at, from + (at - begin), stop - at, now_ns)) {
            *overrun = true;
        } else if (!gaps_cut(&a->gaps, i, at, stop)) {
            a->counters.bytes -= stop - at;
            *overrun = true;
        } else {
            placed += stop - at;
        }
        at = stop;
    }
    return placed;
}

/* Bytes at the end of the stream. Returns how many were placed. */
static uint64_t append(struct assembly *a, uint64_t begin, uint64_t end, const uint8_t *from,
                       uint64_t now_ns, bool *overrun) {
    uint64_t placed = 0;
    for (uint64_t at = begin; at < end;) {
        const uint64_t frame_end = (at / a->frame_bytes + 1) * a->frame_bytes;
        const uint64_t stop = least(end, frame_end);
        if (copy(a, at, from + (at - begin), stop - at, now_ns)) {
            placed += stop - at;
        } else {
            miss(a, at, stop);
            *overrun = true;
        }
        at = stop;
    }
    return placed;
}

/* Nothing of it was new: was it missed meanwhile, or had it come? */
static void count_useless(struct assembly *a, uint64_t begin, uint64_t end) {
    const size_t i = gaps_find(&a->lost, begin);
    if (i < a->lost.count && a->lost.at[i].begin < end) {
        a->counters.late++;
    } else {
        a->counters.duplicates++;
    }
}

static void place(struct assembly *a, uint64_t begin, const uint8_t *from, size_t n, bool newer,
                  uint64_t now_ns) {
    const uint64_t end = begin + n;
    if (begin > a->end) {
        miss(a, a->end, begin);
    }
    const uint64_t known = a->end > begin ? least(a->end, end) : begin;
    a->end = a->end > end ? a->end : end;
    /* Room in the table of open frames, before any of this packet's is opened. */
    if (known < end) {
        const uint64_t frame = begin / a->frame_bytes;
        const uint64_t limit = a->end > a->order.window ? (a->end - a->order.window) : 0;
        while (a->first_open < limit / a->frame_bytes && a->first_open < frame) {
            publish(a, least(limit / a->frame_bytes, frame));
        }
    }
    const uint64_t open_begin = a->first_open * a->frame_bytes;
    const uint64_t from_byte = begin > open_begin ? begin : open_begin;
    bool overrun = false;
    uint64_t placed = 0;
    if (from_byte < known) {
        placed += fill(a, from_byte, known, from + (from_byte - begin), now_ns, &overrun);
    }
    if (known < end) {
        placed += append(a, known, end, from + (known - begin), now_ns, &overrun);
    }
    if (placed > 0) {
        a->counters.packets++;
        a->counters.reordered += !newer;
    } else if (!overrun) {
        count_useless(a, begin, end);
    }
    a->counters.overrun += overrun;
    advance(a);
}

void assembly_packet(struct assembly *a, const uint8_t *packet, size_t n, uint64_t now_ns) {
    struct dca1000_data data;
    uint64_t begin;
    bool dropped = false;
    if (a->finished || !dca1000_read_data(packet, n, &data)) {
        a->counters.malformed++;
        return;
    }
    const enum order_verdict verdict = order_judge(&a->order, &data, now_ns, &begin, &dropped);
    a->counters.malformed += dropped;
    switch (verdict) {
    case ORDER_MALFORMED:
        a->counters.malformed++;
        return;
    case ORDER_WAIT:
        memcpy(a->kept, data.payload, data.bytes);
        a->kept_ns = now_ns;
        return;
    case ORDER_AGREED:
        place(a, order_kept_place(&a->order), a->kept, a->order.kept.bytes, true, a->kept_ns);
        break;
    case ORDER_NEWER:
    case ORDER_OLDER:
        break;
    }
    place(a, begin, data.payload, data.bytes, verdict != ORDER_OLDER, now_ns);
}

void assembly_finish(struct assembly *a, uint64_t now_ns) {
    if (a->finished) {
        return;
    }
    if (order_last(&a->order, now_ns)) {
        place(a, order_kept_place(&a->order), a->kept, a->order.kept.bytes, true, a->kept_ns);
    } else if (a->order.waits) {
        a->counters.malformed++;
    }
    a->finished = true;
    advance(a);
}

/* ---- frames out ---- */

bool assembly_restarted(const struct assembly *a) {
    return a->order.old >= ORDER_RESTARTED;
}

bool assembly_ready(const struct assembly *a) {
    return a->queue_count > 0;
}

const struct nfsar_dca1000_frame *assembly_next(struct assembly *a) {
    if (a->held != NULL) {
        a->unused[a->unused_count++] = a->held;
        a->held = NULL;
    }
    if (a->queue_count == 0) {
        return NULL;
    }
    struct ready *item = &a->queue[a->queue_first];
    const struct slot *slot = item->slot;
    a->frame = (struct nfsar_dca1000_frame){
        .number = item->number,
        .data = slot != NULL ? slot->data : a->zeros,
        .missing_bytes = item->missing,
        .first_ns = slot != NULL ? slot->first_ns : 0,
        .last_ns = slot != NULL ? slot->last_ns : 0,
    };
    a->held = item->slot;
    a->waiting -= slot != NULL;
    item->number++;
    item->frames--;
    if (item->frames == 0) {
        a->queue_first = (a->queue_first + 1) % a->queue_room;
        a->queue_count--;
    }
    return &a->frame;
}

void assembly_counters(const struct assembly *a, struct nfsar_dca1000_counters *counters) {
    const struct nfsar_dca1000_counters old = *counters;
    *counters = a->counters;
    counters->foreign = old.foreign;
    counters->kernel_drops = old.kernel_drops;
    counters->notices = old.notices;
    counters->receive_bytes = old.receive_bytes;
    counters->losses = a->lost.count;
    counters->end_byte = a->end;
    counters->first_byte = a->order.base;
}

size_t assembly_losses(const struct assembly *a, size_t first, struct nfsar_dca1000_loss *losses,
                       size_t room) {
    for (size_t i = 0; i < room && first + i < a->lost.count; i++) {
        const struct gap *gap = &a->lost.at[first + i];
        losses[i] = (struct nfsar_dca1000_loss){gap->begin, gap->end - gap->begin};
    }
    return a->lost.count;
}
