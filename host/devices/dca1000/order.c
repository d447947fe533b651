#include "host/devices/dca1000/order.h"

/* No network that a card hangs on brings more than 10 Gb/s, and not more than this at once,
 * whatever the clock says. */
#define RATE_BYTES_PER_NS 1.25
#define BURST_BYTES       (UINT64_C(64) << 20)

void order_begin(struct order *order, uint64_t window, uint64_t now_ns) {
    *order = (struct order){.window = window, .began_ns = now_ns};
}

static int32_t newer_by(uint32_t sequence, uint32_t than) {
    return (int32_t)(sequence - than);
}

/* So many packets apart, the places are so many bytes apart: at least one a packet, at most a full
 * one's. A short packet may come whenever the radar was silent for a while. */
static bool apart(const struct order_point *from, const struct order_point *to) {
    const int64_t packets = newer_by(to->sequence, from->sequence);
    if (packets == 0) {
        return to->byte == from->byte && to->bytes == from->bytes;
    }
    const struct order_point *first = packets > 0 ? from : to;
    const struct order_point *second = packets > 0 ? to : from;
    const uint64_t n = (uint64_t)(packets > 0 ? packets : -packets);
    return second->byte >= first->byte + first->bytes + (n - 1) &&
           second->byte - first->byte <= n * DCA1000_PAYLOAD_LIMIT;
}

/* The card has had no time yet to send so much. */
static bool too_soon(const struct order *order, uint64_t end, uint64_t now_ns) {
    const uint64_t ns = now_ns > order->began_ns ? now_ns - order->began_ns : 0;
    return end > BURST_BYTES && (double)(end - BURST_BYTES) > RATE_BYTES_PER_NS * (double)ns;
}

/* Does it fit to what came before? */
static bool fits(const struct order *order, const struct order_point *point, uint64_t now_ns) {
    if (too_soon(order, point->byte + point->bytes, now_ns)) {
        return false;
    }
    if (order->began) {
        return apart(&order->newest, point);
    }
    const int32_t before = newer_by(point->sequence, 1);
    return before >= 0 && point->byte >= (uint64_t)before &&
           point->byte <= (uint64_t)before * DCA1000_PAYLOAD_LIMIT;
}

static void take(struct order *order, const struct order_point *point) {
    if (!order->began || newer_by(point->sequence, order->newest.sequence) > 0) {
        order->newest = *point;
    }
    order->began = true;
    order->old = 0;
}

/* The first two packets agree on where they are, but not with a count that began at 0: the card
 * goes on counting where it was. Where the stream begins, the numbers say. */
static bool begin_elsewhere(struct order *order, const struct order_point *a,
                            const struct order_point *b) {
    const struct order_point *first = newer_by(b->sequence, a->sequence) > 0 ? a : b;
    const uint64_t full = a->bytes > b->bytes ? a->bytes : b->bytes;
    const int32_t before = newer_by(first->sequence, 1);
    if (before < 0 || first->byte < (uint64_t)before * full ||
        (uint64_t)before * full > order->window) {
        return false;
    }
    order->base = first->byte - (uint64_t)before * full;
    return true;
}

/* The packet says the same as the one that is kept: both are taken. */
static bool agree(struct order *order, const struct order_point *counted, uint64_t now_ns) {
    const struct order_point *kept = &order->kept;
    const uint64_t between =
        counted->byte > kept->byte ? counted->byte - kept->byte : kept->byte - counted->byte;
    if (!order->waits || counted->sequence == kept->sequence || between > order->window ||
        !apart(kept, counted)) {
        return false;
    }
    struct order_point one = *kept;
    struct order_point two = *counted;
    one.byte -= order->base;
    two.byte -= order->base;
    if (!fits(order, &one, now_ns) || !fits(order, &two, now_ns)) {
        if (order->began || !begin_elsewhere(order, kept, counted)) {
            return false;
        }
        one.byte = kept->byte - order->base;
        two.byte = counted->byte - order->base;
    }
    take(order, &one);
    take(order, &two);
    return true;
}

enum order_verdict order_judge(struct order *order, const struct dca1000_data *data,
                               uint64_t now_ns, uint64_t *place, bool *dropped) {
    const struct order_point counted = {data->sequence, data->byte_count, data->bytes};
    struct order_point point = counted;
    *dropped = false;
    if (data->byte_count < order->base) {
        return ORDER_MALFORMED;
    }
    point.byte -= order->base;
    *place = point.byte;
    const uint64_t end = order->newest.byte + order->newest.bytes;
    const bool fitting = fits(order, &point, now_ns);
    if (!fitting && order->began) {
        return ORDER_MALFORMED;
    }
    if (fitting && order->began && newer_by(point.sequence, order->newest.sequence) <= 0) {
        order->old = end - point.byte > order->window ? order->old + 1 : 0;
        return ORDER_OLDER;
    }
    if (fitting && point.byte <= end + order->window) {
        *dropped = order->waits;
        order->waits = false;
        take(order, &point);
        return ORDER_NEWER;
    }
    if (agree(order, &counted, now_ns)) {
        order->waits = false;
        *place = counted.byte - order->base;
        return ORDER_AGREED;
    }
    *dropped = order->waits;
    order->waits = true;
    order->kept = counted;
    return ORDER_WAIT;
}

bool order_last(struct order *order, uint64_t now_ns) {
    struct order_point point = order->kept;
    if (!order->waits || point.byte < order->base) {
        return false;
    }
    point.byte -= order->base;
    order->waits = false;
    if (!fits(order, &point, now_ns)) {
        return false;
    }
    take(order, &point);
    return true;
}

uint64_t order_kept_place(const struct order *order) {
    return order->kept.byte - order->base;
}
