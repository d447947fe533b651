#include "algorithms/turns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#define CIRCLE (2.0 * NFSAR_PI)

/* Angles closer than this part of a step are one place, and a place is so near to a multiple. */
#define SAME 0.01

/* The same for angles that differ by rounding. */
#define ROUNDING 1e-12

/* Steps that are tried, and how much shorter gaps get where the gaps between places end. */
enum { CANDIDATES = 8 };
#define BREAK 3.0

/* Fewer of the multiples filled than this are a coincidence. */
#define LEAST_OCCUPANCY 0.5

/* A gap of so many usual ones, or this wide and not much wider than others, closes a circle. */
#define USUAL_GAPS    3.5
#define LIKE_OTHERS   1.5
#define WIDEST_CLOSED (10.0 * NFSAR_PI / 180.0)

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int descending(const void *a, const void *b) {
    return ascending(b, a);
}

static double gap_before(const double *sorted, size_t n, size_t i) {
    return i > 0 ? sorted[i] - sorted[i - 1] : sorted[0] + CIRCLE - sorted[n - 1];
}

/* Sort and count from behind the largest gap; of equal ones the first. Returns that gap. */
static double lay_out(double *angle, double *work, size_t n, double *first) {
    for (size_t i = 0; i < n; i++) {
        angle[i] = remainder(angle[i], CIRCLE);
    }
    qsort(angle, n, sizeof *angle, ascending);
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, gap_before(angle, n, i));
    }
    size_t start = 0;
    while (gap_before(angle, n, start) < (1.0 - 1e-3) * largest) {
        start++;
    }
    double gap = gap_before(angle, n, start);
    *first = angle[start];
    for (size_t i = 0; i < n; i++) {
        size_t from = start + i < n ? start + i : start + i - n;
        work[i] = angle[from] - *first + (from < start ? CIRCLE : 0.0);
    }
    memcpy(angle, work, n * sizeof *angle);
    return gap;
}

/* Multiples of a step that angles lie on. */
struct steps {
    double first, step;
    size_t filled, last;
};

/* Whether all angles lie near multiples, and how many of them are filled. */
static int on_multiples(const double *angle, size_t n, struct steps *steps) {
    size_t last = 0;
    steps->filled = 0;
    for (size_t i = 0; i < n; i++) {
        double at = (angle[i] - steps->first) / steps->step, index = round(at);
        if (!(fabs(at - index) <= SAME) || index < 0.0 || index > 1e9) {
            return 0;
        }
        steps->filled += steps->filled == 0 || (size_t)index != last;
        last = (size_t)index;
    }
    steps->last = last;
    return (double)steps->filled >= LEAST_OCCUPANCY * (double)(last + 1);
}

/* The line through the angles over their index, counted in steps that are known the better the
 * farther they were followed. */
static int follow(const double *angle, size_t n, double step, struct steps *steps) {
    double index = 0.0, so_far = 0.0, refined = step, count = (double)n;
    double si = 0.0, sii = 0.0, sa = 0.0, sia = 0.0;
    for (size_t i = 0; i < n; i++) {
        double next = round((angle[i] - so_far) / refined);
        if (next > 0.0) {
            index += next;
            so_far = angle[i];
            refined = angle[i] / index;
        }
        si += index / count;
        sii += index / count * index;
        sa += angle[i] / count;
        sia += index / count * angle[i];
    }
    double slope = (sia - si * sa) / (sii - si * si);
    *steps = (struct steps){.first = sa - slope * si, .step = slope};
    return isfinite(slope) && slope > 0.0 && on_multiples(angle, n, steps);
}

/* gap[n - 1] in descending order. Where they drop, those before may be the gaps between places and
 * those behind what is between angles of one place. */
static int find_step(const double *angle, const double *gap, size_t n, struct steps *steps) {
    int tried = 0;
    for (size_t k = 1; k < n && tried < CANDIDATES; k++) {
        double next = k + 1 < n ? gap[k] : 0.0;
        if (gap[k - 1] < ROUNDING) {
            break;
        }
        if (gap[k - 1] > BREAK * fmax(next, ROUNDING)) {
            tried++;
            if (follow(angle, n, gap[k / 2], steps)) {
                return 1;
            }
        }
    }
    return 0;
}

/* Most places that differ by more than a hundredth of their mean step. */
static size_t count_places(const double *gap, size_t n, double span) {
    size_t k = n - 1;
    while (k > 0 && !(gap[k - 1] > fmax(SAME * span / (double)k, ROUNDING))) {
        k--;
    }
    return k + 1;
}

/* A full circle whose steps close it. */
static void close_circle(const double *angle, size_t n, struct steps *steps) {
    double round_trip = round(CIRCLE / steps->step);
    struct steps closed = {.first = steps->first, .step = CIRCLE / round_trip};
    if ((double)steps->last < round_trip && on_multiples(angle, n, &closed)) {
        *steps = closed;
    }
}

void turns_find(double *angle, double *work, size_t n, struct turns *turns) {
    struct steps steps = {0};
    double first = 0.0, outside = lay_out(angle, work, n, &first);
    double span = angle[n - 1], usual = 0.0;
    *turns = (struct turns){.first = first, .span = span, .places = 1};
    for (size_t i = 0; i + 1 < n; i++) {
        work[i] = angle[i + 1] - angle[i];
    }
    qsort(work, n - 1, sizeof *work, descending);
    turns->places = count_places(work, n, span);
    if (turns->places < 2) {
        return;
    }
    int even = find_step(angle, work, n, &steps);
    usual = even ? steps.step : work[(turns->places - 1) / 2];
    turns->largest_gap = work[0];
    if (outside <= USUAL_GAPS * usual ||
        (outside <= LIKE_OTHERS * work[0] && outside <= WIDEST_CLOSED)) {
        turns->span = CIRCLE;
        turns->largest_gap = fmax(outside, work[0]);
        if (even) {
            close_circle(angle, n, &steps);
        }
    }
    if (even) {
        turns->places = steps.filled;
        turns->step = steps.step;
        turns->first = remainder(first + steps.first, CIRCLE);
    }
}
