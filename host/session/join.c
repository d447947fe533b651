#include "host/session/join.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64, WINDOW = 16, REFINEMENTS = 4 };

/* ---- the triggers on the host's clock ---- */

/* Line of least squares through n points, moved down to touch the lowest. */
static void settle_block(const double *hub_s, double *host_s, size_t n) {
    double x0 = 0.0, y0 = 0.0, xx = 0.0, xy = 0.0;
    for (size_t i = 0; i < n; i++) {
        x0 += hub_s[i] / (double)n;
        y0 += host_s[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (hub_s[i] - x0) * (hub_s[i] - x0);
        xy += (hub_s[i] - x0) * (host_s[i] - y0);
    }
    const double slope = xx > 0.0 ? xy / xx : 1.0;
    double lowest = 0.0;
    for (size_t i = 0; i < n; i++) {
        lowest = fmin(lowest, host_s[i] - y0 - slope * (hub_s[i] - x0));
    }
    for (size_t i = 0; i < n; i++) {
        host_s[i] = y0 + slope * (hub_s[i] - x0) + lowest;
    }
}

void join_clock(const double *hub_s, double *host_s, size_t n) {
    for (size_t i = 0; i < n; i += BLOCK) {
        /* A short rest belongs to the block before it. */
        const size_t left = n - i, size = left < 2 * BLOCK ? left : BLOCK;
        settle_block(hub_s + i, host_s + i, size);
        if (size == left) {
            break;
        }
    }
    for (size_t i = 1; i < n; i++) { /* blocks meet */
        host_s[i] = fmax(host_s[i], host_s[i - 1]);
    }
}

/* ---- medians ---- */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of n numbers, which it sorts; 0 of none. */
static double median(double *numbers, size_t n) {
    if (n == 0) {
        return 0.0;
    }
    qsort(numbers, n, sizeof *numbers, ascending);
    return n % 2 == 1 ? numbers[n / 2] : 0.5 * (numbers[n / 2 - 1] + numbers[n / 2]);
}

/* ---- alignment ---- */

/* The shorter of the two lists, frames or triggers, against the longer one; shift[i] entries of the
 * longer one are left out before entry i of the shorter. */
struct alignment {
    const double *few, *many;
    size_t n, shifts; /* of the shorter; longer less shorter */
    double cap;       /* of the cost of one pair */
    uint8_t *from;    /* [n][shifts + 1] the shift before, for the way back */
    double *cost;     /* [shifts + 1] */
    uint8_t *shift;   /* [n] */
    double *scratch;  /* [n] */
};

static void alignment_free(struct alignment *a) {
    free(a->from);
    free(a->cost);
    free(a->shift);
    free(a->scratch);
}

static double pair_cost(const struct alignment *a, size_t i, size_t shift, double lag) {
    const double off = fabs(a->few[i] - a->many[i + shift] - lag);
    return isnan(off) ? 0.0 : fmin(off, a->cap);
}

/* The cheapest way through all shifts, for a lag, by dynamic programming; its cost. */
static double align(struct alignment *a, double lag) {
    const size_t width = a->shifts + 1;
    memset(a->cost, 0, width * sizeof *a->cost);
    for (size_t i = 0; i < a->n; i++) {
        double best = INFINITY;
        uint8_t best_shift = 0;
        for (size_t s = 0; s < width; s++) {
            if (a->cost[s] < best) {
                best = a->cost[s];
                best_shift = (uint8_t)s;
            }
            a->from[i * width + s] = best_shift;
            a->cost[s] = best + pair_cost(a, i, s, lag);
        }
    }
    size_t shift = 0;
    for (size_t s = 1; s < width; s++) {
        shift = a->cost[s] < a->cost[shift] ? s : shift;
    }
    const double cost = a->cost[shift];
    for (size_t i = a->n; i-- > 0;) {
        a->shift[i] = (uint8_t)shift;
        shift = a->from[i * width + shift];
    }
    return cost;
}

/* Median of the lag as aligned now, or with one shift for all (below JOIN_SHIFTS + 1). */
static double median_lag(struct alignment *a, size_t shift) {
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        const double lag = a->few[i] - a->many[i + (shift <= a->shifts ? shift : a->shift[i])];
        if (!isnan(lag)) {
            a->scratch[n++] = lag;
        }
    }
    return median(a->scratch, n);
}

/* From a first guess of the lag, alignment and lag in turn. */
static double refine(struct alignment *a, double *lag) {
    double cost = align(a, *lag);
    for (int i = 0; i < REFINEMENTS; i++) {
        const double better_lag = median_lag(a, SIZE_MAX);
        const double better = align(a, better_lag);
        if (!(better < cost)) {
            break;
        }
        cost = better;
        *lag = better_lag;
    }
    align(a, *lag);
    return cost;
}

/* Whatever was left out, most frames stand at one shift: that of which the best alignment begins.
 * Triggers at even intervals leave it open whether the first or the last gave no frame; frames come
 * after their triggers, and soon: sign is 1 where a positive lag is that of a frame. */
static double find_alignment(struct alignment *a, double sign) {
    double best_lag = 0.0, best_cost = INFINITY;
    for (size_t shift = 0; shift <= a->shifts; shift++) {
        double lag = median_lag(a, shift);
        double cost = refine(a, &lag);
        const double late = sign * lag;
        cost += (double)a->n * fmin(a->cap, late < 0.0 ? -late : 0.01 * late);
        if (cost < best_cost) {
            best_cost = cost;
            best_lag = lag;
        }
    }
    align(a, best_lag);
    return best_lag;
}

static bool allocate(struct alignment *a, struct join *join, size_t few) {
    a->from = malloc(few * (a->shifts + 1));
    a->cost = calloc(a->shifts + 1, sizeof *a->cost);
    a->shift = calloc(few, sizeof *a->shift);
    a->scratch = calloc(few + a->shifts, sizeof *a->scratch);
    join->trigger = calloc(join->n_frames, sizeof *join->trigger);
    join->odd = calloc(a->shifts + 1, sizeof *join->odd);
    return a->from != NULL && a->cost != NULL && a->shift != NULL && a->scratch != NULL &&
           join->trigger != NULL && join->odd != NULL;
}

/* ---- what it says ---- */

static double median_interval(const double *trigger_s, size_t n, double *scratch) {
    for (size_t i = 1; i < n; i++) {
        scratch[i - 1] = trigger_s[i] - trigger_s[i - 1];
    }
    return median(scratch, n - 1);
}

static double spread(struct alignment *a, double lag) {
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        const double off = fabs(a->few[i] - a->many[i + a->shift[i]] - lag);
        if (!isnan(off)) {
            a->scratch[n++] = off;
        }
    }
    return median(a->scratch, n);
}

/* Frames of their triggers, and the entries of the longer list that have none. */
static void assign(const struct alignment *a, bool frames_missing, struct join *join) {
    size_t next = 0; /* of the longer list */
    for (size_t i = 0; i < join->n_frames; i++) {
        join->trigger[i] = -1;
    }
    for (size_t i = 0; i < a->n; i++) {
        for (; next < i + a->shift[i]; next++) {
            join->odd[join->n_odd++] = next;
        }
        join->trigger[frames_missing ? i : next] = (int64_t)(frames_missing ? next : i);
        next++;
    }
    for (; next < a->n + a->shifts; next++) {
        join->odd[join->n_odd++] = next;
    }
}

/* Numbers agree, but a run of frames comes a whole interval early, or late without an exception. */
static void look_for_shift(const struct alignment *a, struct join *join) {
    size_t early = 0, late = 0;
    for (size_t i = 0; i < a->n && !join->shifted; i++) {
        const double off = a->few[i] - a->many[i] - join->lag_s;
        if (isnan(off)) {
            continue;
        }
        early = off < -0.6 * join->interval_s ? early + 1 : 0;
        late = off > 0.6 * join->interval_s ? late + 1 : 0;
        if (early == WINDOW || late == WINDOW) {
            join->shifted = true;
            join->from = i + 1 - WINDOW;
        }
    }
}

enum nfsar_status join_find(const double *frame_s, size_t n_frames, const double *trigger_s,
                            size_t n_triggers, struct join *join, nfsar_error *error) {
    const bool frames_missing = n_frames <= n_triggers;
    const size_t few = frames_missing ? n_frames : n_triggers;
    const size_t shifts = (frames_missing ? n_triggers : n_frames) - few;
    *join = (struct join){.n_frames = n_frames, .n_triggers = n_triggers};
    if (few < 2 || shifts > JOIN_SHIFTS) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "%zu frames and %zu triggers are too far apart to be joined by their "
                          "times",
                          n_frames, n_triggers);
    }
    struct alignment a = {.few = frames_missing ? frame_s : trigger_s,
                          .many = frames_missing ? trigger_s : frame_s,
                          .n = few,
                          .shifts = shifts};
    if (!allocate(&a, join, few)) {
        alignment_free(&a);
        join_free(join);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    join->interval_s = median_interval(trigger_s, n_triggers, a.scratch);
    a.cap = join->interval_s;
    const double lag = find_alignment(&a, frames_missing ? 1.0 : -1.0);
    join->lag_s = frames_missing ? lag : -lag;
    join->spread_s = spread(&a, lag);
    join->certain = join->spread_s < 0.1 * join->interval_s;
    assign(&a, frames_missing, join);
    if (shifts == 0) {
        look_for_shift(&a, join);
    }
    alignment_free(&a);
    return NFSAR_OK;
}

void join_free(struct join *join) {
    free(join->trigger);
    free(join->odd);
    memset(join, 0, sizeof *join);
}

const char *join_text(const struct join *join, char *text, size_t size) {
    const bool missing = join->n_frames <= join->n_triggers;
    int used = 0;
    if (join->n_odd == 0) {
        snprintf(text, size, "%zu frames and as many triggers%s", join->n_frames,
                 join->shifted ? ", but not at the same times" : "");
        return text;
    }
    used = missing ? snprintf(text, size, "%zu of %zu triggers gave no frame:", join->n_odd,
                              join->n_triggers)
                   : snprintf(text, size, "%zu of %zu frames belong to no trigger:", join->n_odd,
                              join->n_frames);
    for (size_t i = 0; i < join->n_odd && used > 0 && (size_t)used + 48 < size;) {
        size_t end = i;
        while (end + 1 < join->n_odd && join->odd[end + 1] == join->odd[end] + 1) {
            end++;
        }
        used += snprintf(text + used, size - (size_t)used, end > i ? "%s %llu to %llu" : "%s %llu",
                         i > 0 ? "," : "", (unsigned long long)join->odd[i],
                         (unsigned long long)join->odd[end]);
        i = end + 1;
        if ((size_t)used + 48 >= size && i < join->n_odd) {
            snprintf(text + used, size - (size_t)used, " ...");
        }
    }
    return text;
}
