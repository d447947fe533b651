#include "host/session/join.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"

/* EXTRA: frames missing and as many too many that are looked for beyond the difference.
 * MEDIAN_OF: of so many evenly taken, a lag is the median. BESIDE: frames on a side of a change. */
enum { EXTRA = 2, REFINEMENTS = 4, MEDIAN_OF = 4096, BESIDE = 8 };

/* Costs in intervals: of a trigger without a frame, or a frame without a trigger. Their sum is how
 * many frames in a row must be off by an interval before both are believed. An open end leaves
 * triggers over anyway. */
#define ODD_COST     8.0
#define OPEN_COST    (JOIN_TAIL + 0.5)
#define LATE_COST    12.0
#define LATE_WEIGHT  0.01
#define EARLY_MOST_S 2e-3

/* ---- alignment ---- */

/* Frame i belongs to trigger i + lowest + state[i]. */
struct alignment {
    const double *frame_s, *trigger_s;
    size_t frames, triggers;
    bool open_end;
    ptrdiff_t lowest;
    size_t width; /* states */
    double cap;   /* of the cost of one pair: the median interval */
    double missing, spurious;
    uint8_t *from;       /* [frames][width] the state before, for the way back */
    double *cost, *next; /* [width] */
    uint8_t *state;      /* [frames] */
    double *scratch;     /* [frames or triggers] */
};

static void alignment_free(struct alignment *a) {
    free(a->from);
    free(a->cost);
    free(a->next);
    free(a->state);
    free(a->scratch);
}

/* Its trigger; -1 before all, `triggers` behind all. */
static ptrdiff_t trigger_of(const struct alignment *a, size_t frame, size_t state) {
    const ptrdiff_t trigger = (ptrdiff_t)frame + a->lowest + (ptrdiff_t)state;
    return trigger < 0 ? -1 : (size_t)trigger >= a->triggers ? (ptrdiff_t)a->triggers : trigger;
}

/* NAN where there is no such trigger, or the frame did not come. */
static double off(const struct alignment *a, size_t frame, size_t state, double lag) {
    const ptrdiff_t trigger = trigger_of(a, frame, state);
    return trigger < 0 || (size_t)trigger >= a->triggers
               ? NAN
               : a->frame_s[frame] - a->trigger_s[trigger] - lag;
}

static double pair_cost(const struct alignment *a, size_t frame, size_t state, double lag) {
    const ptrdiff_t trigger = trigger_of(a, frame, state);
    if (trigger < 0 || (size_t)trigger >= a->triggers) {
        return trigger >= 0 && a->open_end ? 0.0 : a->spurious;
    }
    const double distance = fabs(a->frame_s[frame] - a->trigger_s[trigger] - lag);
    return isnan(distance) ? 0.0 : fmin(distance, a->cap);
}

/* One frame more; the least cost of all states. */
static double step(struct alignment *a, size_t frame, double lag) {
    double more = INFINITY, least = INFINITY; /* more: from states below, triggers left out */
    size_t more_state = 0;
    for (size_t s = 0; s < a->width; s++) {
        double best = a->cost[s];
        size_t state = s;
        if (s > 0 && a->cost[s - 1] < more) {
            more = a->cost[s - 1];
            more_state = s - 1;
        }
        more += a->missing;
        if (more < best) {
            best = more;
            state = more_state;
        }
        if (s + 1 < a->width && a->cost[s + 1] + a->spurious < best) {
            best = a->cost[s + 1] + a->spurious;
            state = s + 1;
        }
        a->from[frame * a->width + s] = (uint8_t)state;
        a->next[s] = best + pair_cost(a, frame, s, lag);
        least = fmin(least, a->next[s]);
    }
    double *swap = a->cost;
    a->cost = a->next;
    a->next = swap;
    return least;
}

/* Triggers left over behind the last frame. */
static double end_cost(const struct alignment *a, size_t s) {
    const ptrdiff_t over = (ptrdiff_t)a->triggers - (ptrdiff_t)a->frames - a->lowest - (ptrdiff_t)s;
    return a->cost[s] + (over > 0 && !a->open_end ? (double)over * a->missing : 0.0);
}

/* The cheapest way through all states, for a lag, by dynamic programming; its cost, or INFINITY
 * where it is seen to be more than `most`. */
static double align(struct alignment *a, double lag, double most) {
    for (size_t s = 0; s < a->width; s++) {
        const ptrdiff_t skipped = a->lowest + (ptrdiff_t)s;
        a->cost[s] = (skipped > 0 ? (double)skipped * a->missing : 0.0) + pair_cost(a, 0, s, lag);
        a->from[s] = (uint8_t)s;
    }
    for (size_t i = 1; i < a->frames; i++) {
        if (step(a, i, lag) > most) {
            return INFINITY;
        }
    }
    size_t state = 0;
    for (size_t s = 1; s < a->width; s++) {
        state = end_cost(a, s) < end_cost(a, state) ? s : state;
    }
    const double cost = end_cost(a, state);
    for (size_t i = a->frames; i-- > 0;) {
        a->state[i] = (uint8_t)state;
        state = a->from[i * a->width + state];
    }
    return cost;
}

/* Lags of evenly taken frames, each at its state; how many. state NULL: all at `one`. */
static size_t list_lags(struct alignment *a, const uint8_t *state, size_t one) {
    const size_t stride = a->frames / MEDIAN_OF + 1;
    size_t n = 0;
    for (size_t i = 0; i < a->frames; i += stride) {
        const double lag = off(a, i, state != NULL ? state[i] : one, 0.0);
        if (!isnan(lag)) {
            a->scratch[n++] = lag;
        }
    }
    return n;
}

/* With one state for all, the lag at which most frames are: those that stand at this state, if any
 * do, while the others are spread. */
static double common_lag(struct alignment *a, size_t state) {
    const size_t n = list_lags(a, NULL, state);
    const size_t part = n / a->width > 8 ? n / a->width : 8;
    if (n <= part) {
        return sort_median(a->scratch, n);
    }
    sort_doubles(a->scratch, n);
    size_t best = 0;
    for (size_t i = 1; i + part < n; i++) {
        if (a->scratch[i + part] - a->scratch[i] < a->scratch[best + part] - a->scratch[best]) {
            best = i;
        }
    }
    return a->scratch[best + part / 2];
}

/* From a first guess of the lag, alignment and lag in turn. */
static double refine(struct alignment *a, double *lag, double most) {
    double cost = align(a, *lag, most);
    for (int i = 0; i < REFINEMENTS && !isinf(cost); i++) {
        const double better_lag = sort_median(a->scratch, list_lags(a, a->state, 0));
        const double better = align(a, better_lag, cost);
        if (!(better < 0.99 * cost)) {
            break;
        }
        cost = better;
        *lag = better_lag;
    }
    return cost;
}

/* A trigger's record comes late by the link's latency: so early a frame may seem. */
static double early_most(const struct alignment *a) {
    return fmin(EARLY_MOST_S, 0.4 * a->cap);
}

/* Frames come after their triggers, and soon. Where triggers are even this alone tells whether the
 * first or the last gave no frame; it weighs less than what the times say. */
static double lag_cost(const struct alignment *a, double lag) {
    const double early = -lag - early_most(a);
    const double of_cap = early > 0.0 ? early / a->cap : LATE_WEIGHT * fmax(lag, 0.0) / a->cap;
    return LATE_COST * a->cap * fmin(1.0, of_cap);
}

/* Whatever was left out, most frames stand at one state: from this state's lag the best alignment
 * is found. */
static double find_alignment(struct alignment *a) {
    const size_t zero = (size_t)-a->lowest;
    double best_lag = 0.0, best_cost = INFINITY;
    for (size_t i = 0; i < a->width; i++) {
        double lag = common_lag(a, (zero + i) % a->width);
        if (i > 0 && lag < -early_most(a) - 0.5 * a->cap) {
            continue; /* the frames of later triggers: another state has these in time */
        }
        /* One that is far worse is left before its end. */
        const double most = 1.5 * best_cost + 16.0 * a->cap;
        const double cost = refine(a, &lag, most) + lag_cost(a, lag);
        if (cost < best_cost) {
            best_cost = cost;
            best_lag = lag;
        }
    }
    align(a, best_lag, INFINITY);
    return best_lag;
}

static bool allocate(struct alignment *a) {
    a->from = malloc(a->frames * a->width);
    a->cost = calloc(a->width, sizeof *a->cost);
    a->next = calloc(a->width, sizeof *a->next);
    a->state = calloc(a->frames, sizeof *a->state);
    a->scratch = calloc(a->frames > a->triggers ? a->frames : a->triggers, sizeof *a->scratch);
    return a->from != NULL && a->cost != NULL && a->next != NULL && a->state != NULL &&
           a->scratch != NULL;
}

/* ---- what it says ---- */

static double median_interval(const double *trigger_s, size_t n, double *scratch) {
    for (size_t i = 1; i < n; i++) {
        scratch[i - 1] = trigger_s[i] - trigger_s[i - 1];
    }
    return sort_median(scratch, n - 1);
}

static double spread(struct alignment *a, double lag) {
    size_t n = 0;
    for (size_t i = 0; i < a->frames; i++) {
        const double distance = fabs(off(a, i, a->state[i], lag));
        if (!isnan(distance)) {
            a->scratch[n++] = distance;
        }
    }
    return sort_median(a->scratch, n);
}

/* Median deviation of some frames. */
static double spread_of(struct alignment *a, size_t begin, size_t end, double lag) {
    double distances[BESIDE];
    size_t n = 0;
    for (size_t i = begin; i < end && n < BESIDE; i++) {
        const double distance = fabs(off(a, i, a->state[i], lag));
        if (!isnan(distance)) {
            distances[n++] = distance;
        }
    }
    return sort_median(distances, n);
}

/* Whether the frames on either side of every change are at their triggers, so that it is a change,
 * and there: a busy computer takes frames late for a while. */
static bool changes_are_sharp(struct alignment *a, double lag) {
    const double limit = 0.25 * a->cap;
    for (size_t i = 1; i < a->frames; i++) {
        const size_t begin = i > BESIDE ? i - BESIDE : 0;
        const size_t end = i + BESIDE < a->frames ? i + BESIDE : a->frames;
        if (a->state[i] != a->state[i - 1] &&
            (spread_of(a, begin, i, lag) > limit || spread_of(a, i, end, lag) > limit)) {
            return false;
        }
    }
    return true;
}

/* Frames of their triggers. Of two at one trigger the nearer one has it. */
static void assign(const struct alignment *a, struct join *join) {
    size_t kept = 0;
    for (size_t i = 0; i < join->n_frames; i++) {
        const ptrdiff_t trigger = trigger_of(a, i, a->state[i]);
        const bool beyond = trigger >= 0 && (size_t)trigger >= a->triggers;
        join->trigger[i] = trigger < 0 || beyond ? -1 : (int64_t)trigger;
        join->n_beyond += beyond && a->open_end;
        if (join->trigger[i] < 0) {
            continue;
        }
        if (i > 0 && join->trigger[kept] == join->trigger[i]) {
            const bool nearer = fabs(off(a, i, a->state[i], join->lag_s)) <
                                fabs(off(a, kept, a->state[kept], join->lag_s));
            join->trigger[nearer ? kept : i] = -1;
            kept = nearer ? i : kept;
        } else {
            kept = i;
        }
    }
}

/* Frames of no trigger, or triggers without a frame, into `odd` where there is one; how many. */
static size_t list_frames(const struct join *join, uint64_t *odd) {
    size_t n = 0;
    for (size_t i = 0; i + join->n_beyond < join->n_frames; i++) {
        if (join->trigger[i] < 0) {
            if (odd != NULL) {
                odd[n] = i;
            }
            n++;
        }
    }
    return n;
}

static size_t list_triggers(const struct join *join, uint64_t *odd) {
    size_t n = 0;
    uint64_t next = 0;
    for (size_t i = 0; i <= join->n_frames; i++) {
        const bool end = i == join->n_frames;
        if ((end && join->open_end) || (!end && join->trigger[i] < 0)) {
            continue;
        }
        const uint64_t trigger = end ? join->n_triggers : (uint64_t)join->trigger[i];
        for (; next < trigger; next++, n++) {
            if (odd != NULL) {
                odd[n] = next;
            }
        }
        next = trigger + 1;
    }
    return n;
}

/* Both kinds of fault at once: from where on. Numbers that differ by one kind alone agree up to
 * there. */
static void look_for_shift(struct join *join) {
    const size_t frames = list_frames(join, NULL), triggers = list_triggers(join, NULL);
    join->shifted = frames > 0 && (triggers > 0 || join->open_end);
    for (size_t i = 0; join->shifted && i < join->n_frames; i++) {
        if (join->trigger[i] != (int64_t)i) {
            join->from = i;
            break;
        }
    }
}

static enum nfsar_status tell(const struct alignment *a, struct join *join, nfsar_error *error) {
    join->trigger = calloc(join->n_frames, sizeof *join->trigger);
    if (join->trigger == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    assign(a, join);
    look_for_shift(join);
    join->frames_odd = !a->open_end && join->n_frames > join->n_triggers;
    join->n_odd = join->frames_odd ? list_frames(join, NULL) : list_triggers(join, NULL);
    join->odd = calloc(join->n_odd + 1, sizeof *join->odd);
    if (join->odd == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (join->frames_odd) {
        list_frames(join, join->odd);
    } else {
        list_triggers(join, join->odd);
    }
    return NFSAR_OK;
}

/* ---- the whole ---- */

static enum nfsar_status find(struct alignment *a, struct join *join, nfsar_error *error) {
    if (!allocate(a)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    join->interval_s = median_interval(a->trigger_s, a->triggers, a->scratch);
    a->cap = join->interval_s;
    a->missing = a->cap * (a->open_end ? OPEN_COST : ODD_COST);
    a->spurious = a->cap * (a->open_end ? 2.0 * ODD_COST : ODD_COST);
    join->lag_s = find_alignment(a);
    join->spread_s = spread(a, join->lag_s);
    join->certain = join->spread_s < 0.1 * join->interval_s && changes_are_sharp(a, join->lag_s);
    return tell(a, join, error);
}

enum nfsar_status join_find(const double *frame_s, size_t n_frames, const double *trigger_s,
                            size_t n_triggers, bool open_end, struct join *join,
                            nfsar_error *error) {
    const ptrdiff_t more = (ptrdiff_t)n_triggers - (ptrdiff_t)n_frames;
    *join = (struct join){.n_frames = n_frames, .n_triggers = n_triggers, .open_end = open_end};
    if (n_frames < 2 || n_triggers < 2 ||
        (!open_end && (more > JOIN_SHIFTS || more < -JOIN_SHIFTS))) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "%zu frames and %zu triggers are too far apart to be joined by their "
                          "times",
                          n_frames, n_triggers);
    }
    const ptrdiff_t lowest = !open_end && more < 0 ? more - EXTRA : -EXTRA;
    const ptrdiff_t highest = open_end ? JOIN_SHIFTS : (more > 0 ? more : 0) + EXTRA;
    struct alignment a = {.frame_s = frame_s,
                          .trigger_s = trigger_s,
                          .frames = n_frames,
                          .triggers = n_triggers,
                          .open_end = open_end,
                          .lowest = lowest,
                          .width = (size_t)(highest - lowest + 1)};
    const enum nfsar_status status = find(&a, join, error);
    alignment_free(&a);
    if (status != NFSAR_OK) {
        join_free(join);
    }
    return status;
}

void join_free(struct join *join) {
    free(join->trigger);
    free(join->odd);
    memset(join, 0, sizeof *join);
}

bool join_agrees(const struct join *join) {
    if (join->shifted) {
        return false;
    }
    if (join->open_end) { /* at most JOIN_TAIL frames of the last stand elsewhere */
        const size_t end = join->n_frames - join->n_beyond;
        return join->n_odd == 0 || end <= JOIN_TAIL ||
               join->trigger[end - 1 - JOIN_TAIL] == (int64_t)(end - 1 - JOIN_TAIL);
    }
    return join->n_odd == 0 || (join->frames_odd && join->odd[0] >= join->n_triggers);
}

static int list_odd(const struct join *join, char *text, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < join->n_odd && used + 48 < size;) {
        size_t end = i;
        while (end + 1 < join->n_odd && join->odd[end + 1] == join->odd[end] + 1) {
            end++;
        }
        used += (size_t)snprintf(text + used, size - used, end > i ? "%s %llu to %llu" : "%s %llu",
                                 i > 0 ? "," : "", (unsigned long long)join->odd[i],
                                 (unsigned long long)join->odd[end]);
        i = end + 1;
        if (used + 48 >= size && i < join->n_odd) {
            used += (size_t)snprintf(text + used, size - used, " ...");
        }
    }
    return (int)used;
}

const char *join_text(const struct join *join, char *text, size_t size) {
    if (join->shifted) {
        snprintf(
            text, size,
            "%zu frames and %zu triggers, and from frame %llu on not at the same times: frames "
            "are missing and others too many",
            join->n_frames, join->n_triggers, (unsigned long long)join->from);
    } else if (join->n_odd == 0) {
        snprintf(text, size, "%zu frames and %s triggers", join->n_frames,
                 join->n_frames == join->n_triggers ? "as many" : "their");
    } else {
        const int used =
            snprintf(text, size,
                     join->frames_odd ? "%zu of %zu frames belong to no trigger:"
                                      : "%zu of %zu triggers gave no frame:",
                     join->n_odd, join->frames_odd ? join->n_frames : join->n_triggers);
        list_odd(join, text + used, (size_t)used < size ? size - (size_t)used : 0);
    }
    return text;
}
