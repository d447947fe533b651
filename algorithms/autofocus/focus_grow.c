/* From the strongest pulses to all: errors of a whole wavelength leave no image to climb from, but
 * within a short time they hardly change, and each new pulse is nearly where its neighbour was. */
#include "algorithms/autofocus/focus_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

/* In correlation times: the first pulses, those added at a time, and those matched again with them.
 */
#define START 0.3
#define BLOCK 0.06
#define AGAIN 0.3

/* The pulses so far are focused anew after growing by this part; by less where more lost some, but
 * not by less than the least. */
#define GROWTH 1.25
#define LEAST  1.01

/* Pulses that were matched to a wrong wavelength leave more of the echoes than this, for what the
 * best fit so far left. */
#define WORSE 1.25
#define MORE  0.003

/* Nats for each correlation time at the most: what sharpness prefers to the true poses is paid by
 * the prior, and so is what a match of few pulses makes of displacements across the line of sight;
 * a fit is not partial. */
#define TRUST_SHARP 5.0
#define TRUST_FIT   1e4

/* A shorter span, in correlation times, is one line of a scan or two: any poses explain it. */
#define FIT_FROM 3.0

/* A round of a fit that gains less is the last. */
#define ENOUGH 0.02

enum { MATCHES = 3, CLIMBS = 4, ROUNDS = 4, STEPS = 15 };

/* Most returns to where a growth began, so that hopeless echoes come to an end. */
enum { RETURNS = 30 };

static double time_of(const struct focus_search *s, size_t pulse) {
    return s->lines->time_s[pulse * s->lines->per_pulse];
}

/* The first pulse at or after a time. */
static size_t pulse_at(const struct focus_search *s, double time_s) {
    size_t low = 0, high = s->lines->n_pulse;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (time_of(s, middle) < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Where the echoes are strongest, over the time of the first pulses. */
static void choose_start(const struct focus_search *s, double span, size_t *from, size_t *to) {
    double best = -1.0, sum = 0.0;
    size_t end = 0;
    for (size_t begin = 0; begin < s->lines->n_pulse; begin++) {
        while (end < s->lines->n_pulse &&
               (time_of(s, end) < time_of(s, begin) + span || end < begin + 16)) {
            sum += s->energy[end++];
        }
        if (sum > best) {
            best = sum;
            *from = begin;
            *to = end;
        }
        if (end == s->lines->n_pulse) {
            break;
        }
        sum -= s->energy[begin];
    }
}

/* The coefficients that matter in a span of time. */
static void active(const struct focus_search *s, size_t from, size_t to, size_t *first,
                   size_t *last) {
    double w[FOCUS_ORDER];
    *first = focus_spline_at(&s->spline, time_of(s, from), 0, w);
    *last = focus_spline_at(&s->spline, time_of(s, to - 1), 0, w) + FOCUS_ORDER;
}

/* Match the new pulses, with some old ones beside them, to the image of the old, and add them. */
static void add_block(struct focus_search *s, size_t *from, size_t *to, bool forward, bool image) {
    const double block = BLOCK * s->tau_s, again = AGAIN * s->tau_s;
    size_t new_from = *to, new_to = *to, near_from = *from, near_to = *to;
    if (forward) {
        new_to = pulse_at(s, time_of(s, *to) + block);
        new_to = new_to <= *to ? *to + 1 : new_to;
        near_from = pulse_at(s, time_of(s, *to) - again);
        near_from = near_from < *from ? *from : near_from >= *to ? *to - 1 : near_from;
    } else {
        new_to = *from;
        new_from = pulse_at(s, time_of(s, *from - 1) - block);
        new_from = new_from >= *from ? *from - 1 : new_from;
        near_to = pulse_at(s, time_of(s, *from) + again);
        near_to = near_to > *to ? *to : near_to <= *from ? *from + 1 : near_to;
    }
    const size_t all_from = new_from < near_from ? new_from : near_from;
    const size_t all_to = new_to > near_to ? new_to : near_to;
    size_t first, last;
    active(s, all_from, all_to, &first, &last);
    focus_search_weigh(s, FOCUS_MATCHED);
    s->trust = TRUST_SHARP;
    /* The old ones alone carry the curve on to where the new ones are. */
    focus_search_project(s, near_from, near_to);
    focus_search_match(s, near_from, near_to, first, last);
    for (int i = 0; i < MATCHES; i++) {
        focus_search_project(s, all_from, all_to);
        focus_search_match(s, all_from, all_to, first, last);
    }
    if (image) {
        focus_search_image(s, new_from, new_to, false);
    }
    *from = *from < new_from ? *from : new_from;
    *to = *to > new_to ? *to : new_to;
}

/* What makes the image of the pulses so far sharper, and, once they are many, what explains them
 * better: *left is the part that is not explained, 0 while they are few. */
static enum nfsar_status improve(struct focus_search *s, enum focus_way way, size_t from, size_t to,
                                 double *left, nfsar_error *error) {
    const double times = (time_of(s, to - 1) - time_of(s, from)) / s->tau_s;
    enum nfsar_status status = NFSAR_OK;
    *left = 0.0;
    if (way == FOCUS_SHARP) {
        int taken = 0;
        s->trust = TRUST_SHARP;
        status = focus_search_climb(s, from, to, CLIMBS, 1e-4, &taken, error);
    }
    if (status == NFSAR_OK && (way == FOCUS_FIT_ALONE || times >= FIT_FROM)) {
        s->trust = TRUST_FIT;
        s->enough = ENOUGH;
        status = focus_search_fit(s, from, to, ROUNDS, STEPS, left, error);
        if (status == NFSAR_OK && way == FOCUS_SHARP) {
            s->fitted = false;
            focus_search_image(s, from, to, true);
        }
    }
    return status;
}

/* Pulses that are focused together, and all that growing from them needs. */
struct stage {
    size_t from, to;
    double best; /* part of the echoes that the best fit so far left; 0 before the first */
    double *c;   /* owned */
    float *m;    /* owned */
};

static void keep(const struct focus_search *s, size_t from, size_t to, struct stage *stage) {
    stage->from = from;
    stage->to = to;
    memcpy(stage->c, s->c, 3 * s->spline.n * sizeof *s->c);
    memcpy(stage->m, s->m_re, 2 * s->voxels->padded * sizeof *s->m_re);
}

static void go_back(struct focus_search *s, const struct stage *stage) {
    memcpy(s->c, stage->c, 3 * s->spline.n * sizeof *s->c);
    memcpy(s->m_re, stage->m, 2 * s->voxels->padded * sizeof *s->m_re);
    if (s->fitted) {
        memcpy(s->re, s->m_re, s->voxels->padded * sizeof *s->re);
        memcpy(s->im, s->m_im, s->voxels->padded * sizeof *s->im);
    } else {
        focus_search_image(s, stage->from, stage->to, true);
    }
}

static enum nfsar_status grow(struct focus_search *s, enum focus_way way,
                              const struct focus_growth *growth, struct stage *stage,
                              nfsar_error *error) {
    size_t from = 0, to = 0;
    double by = GROWTH;
    int returns = 0;
    s->progress = growth->progress;
    s->done = growth->from;
    choose_start(s, START * s->tau_s, &from, &to);
    enum nfsar_status status = improve(s, way, from, to, &stage->best, error);
    keep(s, from, to, stage);
    while (status == NFSAR_OK && (from > 0 || to < s->lines->n_pulse)) {
        if (to < s->lines->n_pulse) {
            add_block(s, &from, &to, true, !s->fitted);
        }
        if (from > 0) {
            add_block(s, &from, &to, false, !s->fitted);
        }
        const size_t old = stage->to - stage->from;
        if ((from == 0 && to == s->lines->n_pulse) || (double)(to - from) >= by * (double)old) {
            double left = 0.0;
            status = improve(s, way, from, to, &left, error);
            if (status == NFSAR_OK && stage->best > 0.0 && left > WORSE * stage->best + MORE &&
                by > LEAST && returns < RETURNS) {
                returns++;
                by = fmax(1.0 + 0.5 * fmin(by - 1.0, (double)(to - from) / (double)old - 1.0),
                          LEAST);
                from = stage->from;
                to = stage->to;
                go_back(s, stage);
                continue;
            }
            /* Where the least was wrong as well there is no better. */
            stage->best = stage->best > 0.0 && by > LEAST ? fmin(left, stage->best) : left;
            by = fmin(1.0 + 1.5 * (by - 1.0), GROWTH);
            keep(s, from, to, stage);
            if (growth->seen != NULL) {
                growth->seen(growth->context, s, from, to);
            }
        }
        const double part = (double)(to - from) / (double)s->lines->n_pulse;
        s->done = growth->from + (growth->to - growth->from) * part * part;
        if (!nfsar_progress_report(s->progress, s->done)) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    return status;
}

enum nfsar_status focus_search_grow(struct focus_search *s, enum focus_way way,
                                    const struct focus_growth *growth, nfsar_error *error) {
    struct stage stage = {.c = buffer_alloc(3 * s->spline.n, sizeof *stage.c),
                          .m = buffer_alloc(2 * s->voxels->padded, sizeof *stage.m)};
    const enum nfsar_status status =
        stage.c != NULL && stage.m != NULL
            ? grow(s, way, growth, &stage, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu echoes", s->lines->n);
    free(stage.c);
    free(stage.m);
    return status;
}
