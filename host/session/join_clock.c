/* Times that can be compared: triggers on the host's clock, frames by what their packets can say.
 */
#include "host/session/join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A window is at least so many records and so long: longer than any pause of who takes them. */
enum { WINDOW_RECORDS = 64 };
#define WINDOW_S 12.0

#define PACKET_BYTES 1456

/* ---- a line below all points ---- */

struct line {
    double x, y, slope;
};

static double turn(const double *x, const double *y, size_t a, size_t b, size_t c) {
    return (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]);
}

/* The line below all points that is nearest to them in the mean: the edge of their lower convex
 * hull that lies below their middle. Points that are late, however many and how late, do not lift
 * it. hull: room for n indices. */
static struct line lower_line(const double *x, const double *y, size_t n, size_t *hull) {
    size_t size = 0, counted = 0;
    double middle = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i])) {
            continue;
        }
        counted++;
        middle += (x[i] - middle) / (double)counted;
        while (size >= 2 && turn(x, y, hull[size - 2], hull[size - 1], i) <= 0.0) {
            size--;
        }
        hull[size++] = i;
    }
    if (size < 2) {
        return (struct line){size > 0 ? x[hull[0]] : 0.0, size > 0 ? y[hull[0]] : 0.0, 1.0};
    }
    size_t edge = 1;
    while (edge + 1 < size && x[hull[edge]] < middle) {
        edge++;
    }
    const size_t a = hull[edge - 1], b = hull[edge];
    return (struct line){x[a], y[a], x[b] > x[a] ? (y[b] - y[a]) / (x[b] - x[a]) : 1.0};
}

/* ---- what stays of a curve without its narrow peaks ---- */

/* Indices whose values ascend, or descend where `sign` is -1: the first is the window's least. */
struct queue {
    size_t *index, first, end;
    const double *value;
    double sign;
};

static void queue_put(struct queue *queue, size_t i) {
    while (queue->end > queue->first && queue->sign * queue->value[queue->index[queue->end - 1]] >=
                                            queue->sign * queue->value[i]) {
        queue->end--;
    }
    queue->index[queue->end++] = i;
}

static double queue_least(struct queue *queue, size_t from) {
    while (queue->first < queue->end && queue->index[queue->first] < from) {
        queue->first++;
    }
    return queue->value[queue->index[queue->first]];
}

/* One past the end of the window that begins at k; n where it is cut. */
static size_t window_end(const double *at, size_t n, size_t k, size_t end) {
    end = end > k + WINDOW_RECORDS ? end : k + WINDOW_RECORDS;
    while (end < n && at[end - 1] - at[k] < WINDOW_S) {
        end++;
    }
    return end < n ? end : n;
}

/* The greatest, over all windows that hold a point, of the window's least. A peak that is narrower
 * than a window goes; slopes, steps and whatever lasts stay. at: times, ascending. scratch: 3 n
 * numbers; index: 2 n. */
static void cut_peaks(const double *at, double *value, size_t n, double *scratch, size_t *index) {
    double *least = scratch, *cut = scratch + n;
    size_t windows = 0, end = 0, *ends = index + n;
    struct queue low = {.index = index, .value = value, .sign = 1.0};
    for (size_t k = 0; k < n && end < n; k++) {
        const size_t next = window_end(at, n, k, end);
        for (; end < next; end++) {
            queue_put(&low, end);
        }
        least[k] = queue_least(&low, k);
        least[k] = isinf(least[k]) ? -INFINITY : least[k]; /* no record came within it */
        ends[k] = end;
        windows++;
    }
    struct queue high = {.index = index, .value = least, .sign = -1.0};
    size_t from = 0, put = 0;
    for (size_t i = 0; i < n; i++) {
        for (; put < windows && put <= i; put++) {
            queue_put(&high, put);
        }
        while (ends[from] <= i) {
            from++;
        }
        cut[i] = queue_least(&high, from);
    }
    memcpy(value, cut, n * sizeof *value);
}

/* ---- the whole ---- */

/* Of windows in which no record came: what the nearest has. */
static void fill(double *value, size_t n) {
    for (size_t i = 1; i < n; i++) {
        value[i] = isinf(value[i]) ? value[i - 1] : value[i];
    }
    for (size_t i = n - 1; i > 0; i--) {
        value[i - 1] = isinf(value[i - 1]) ? value[i] : value[i - 1];
    }
}

bool join_clock(const double *hub_s, double *host_s, size_t n) {
    double *scratch = calloc(3 * n + 1, sizeof *scratch);
    size_t *index = calloc(2 * n + 1, sizeof *index);
    const bool good = scratch != NULL && index != NULL;
    if (good && n > 0) {
        const struct line line = lower_line(hub_s, host_s, n, index);
        double *at = scratch + 2 * n;
        for (size_t i = 0; i < n; i++) {
            at[i] = line.y + line.slope * (hub_s[i] - line.x);
            host_s[i] = isnan(host_s[i]) ? INFINITY : host_s[i] - at[i];
        }
        cut_peaks(at, host_s, n, scratch, index);
        fill(host_s, n);
        for (size_t i = 0; i < n; i++) {
            host_s[i] = isinf(host_s[i]) ? at[i] : host_s[i] + at[i];
            host_s[i] = i > 0 ? fmax(host_s[i], host_s[i - 1]) : host_s[i];
        }
    }
    free(scratch);
    free(index);
    return good;
}

double join_between(double before_s, double next_s, size_t i, size_t n) {
    if (isnan(before_s)) {
        return next_s - (double)(n - i) * 1e-3;
    }
    return before_s + (double)(i + 1) / (double)(n + 1) * (next_s - before_s);
}

void join_frames(double *frame_s, size_t n, size_t frame_bytes) {
    if (frame_bytes == 0 || frame_bytes >= PACKET_BYTES) {
        return;
    }
    for (size_t i = n; i-- > 0;) {
        const size_t end = (i * frame_bytes / PACKET_BYTES + 1) * PACKET_BYTES;
        const size_t sent = (end - 1) / frame_bytes; /* with the last byte of this frame */
        if (sent == i) {
            continue;
        }
        if (sent < n && isnan(frame_s[sent])) {
            frame_s[sent] = frame_s[i];
        }
        frame_s[i] = NAN;
    }
}

size_t join_blur(size_t frame_bytes) {
    return frame_bytes == 0 || frame_bytes >= PACKET_BYTES
               ? 0
               : (PACKET_BYTES + frame_bytes - 1) / frame_bytes;
}
