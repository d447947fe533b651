/* Rounds of image, scatterers and estimate, until nothing is gained any more. */
#include "algorithms/autofocus/phase_rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/sort.h"

/* Range cells that envelopes are looked for in, and the held-out coherence that noise exceeds once
 * in a million times, times the pulses: -ln of it, as its power is exponential. */
#define SEARCH_CELLS   4.0
#define LEAST_COHERENT 13.8

/* ---- a capture as it is in a round ---------------------------------------------------------- */

/* The emptiest tenth of the ranges has noise alone, or little else. */
static enum nfsar_status find_noise(struct rounds *r, nfsar_error *error) {
    enum { PROFILE = 512, TENTH = 10 };
    double power[PROFILE];
    const double step = nfsar_range_unambiguous(r->original) / PROFILE;
    enum nfsar_status status =
        nfsar_range_profile(r->original, r->recorded, step, PROFILE, power, error);
    if (status == NFSAR_OK) {
        sort_doubles(power, PROFILE);
        r->noise = power[PROFILE / TENTH];
    }
    return status;
}

static enum nfsar_status read_turned(void *context, size_t first_pulse, size_t n_pulse,
                                     size_t first_sample, size_t n_sample, float complex *out,
                                     nfsar_error *error) {
    const struct rounds *r = context;
    enum nfsar_status status = r->recorded->read(r->recorded->context, first_pulse, n_pulse,
                                                 first_sample, n_sample, out, error);
    if (status == NFSAR_OK && r->options->error == NFSAR_PHASE_PER_PULSE) {
        phase_turn(r->found->phase_rad, r->original->array.n_channel * n_sample, first_pulse,
                   n_pulse, out);
    }
    return status;
}

void phase_rounds_set_poses(struct rounds *r) {
    memcpy(r->capture.pose, r->original->pose, r->original->n_pose * sizeof *r->capture.pose);
    nfsar_phase_gradient_move(r->found, &r->capture);
}

/* Add (sign 1) the estimate to what was found, or take it away again (-1). */
void phase_rounds_add(struct rounds *r, double sign) {
    nfsar_phase_gradient *f = r->found;
    for (size_t l = 0; l < f->n_pulse; l++) {
        f->displacement_m[l] = nfsar_vec3_add(
            f->displacement_m[l], nfsar_vec3_scale(r->estimate.displacement_m[l], sign));
        f->phase_rad[l] += sign * r->estimate.phase_rad[l];
    }
    phase_rounds_set_poses(r);
}

/* Envelopes aligned, the poses moved along the line of sight. */
static enum nfsar_status align(struct rounds *r, nfsar_error *error) {
    const nfsar_phase_gradient_options *o = r->options;
    const double search =
        o->search_m > 0.0 ? o->search_m : SEARCH_CELLS * nfsar_range_resolution(r->original);
    double *range = r->estimate.phase_rad; /* room for it */
    enum nfsar_status status =
        range_alignment(&r->capture, &r->source, r->scatterer[0].place, search, o->threads, range,
                        &r->found->aligned, error);
    for (size_t l = 0; status == NFSAR_OK && l < r->found->n_pulse; l++) {
        const nfsar_vec3 sight = phase_rounds_sight(&r->capture, l, r->scatterer[0].place);
        r->estimate.displacement_m[l] = nfsar_vec3_scale(sight, -range[l]);
    }
    memset(range, 0, r->found->n_pulse * sizeof *range);
    if (status == NFSAR_OK && r->found->aligned) {
        phase_rounds_add(r, 1.0);
    }
    return status;
}

enum nfsar_status phase_rounds_look(struct rounds *r, nfsar_phase_sharpness *sharpness,
                                    nfsar_error *error) {
    r->n_scatterer = r->options->scatterers;
    enum nfsar_status status =
        phase_find_scatterers(&r->capture, &r->source, r->options, r->scatterer, &r->n_scatterer,
                              r->bright, &r->n_bright, sharpness, NULL, error);
    for (size_t i = 0; status == NFSAR_OK && i < r->n_scatterer; i++) {
        r->place[i] = r->scatterer[i].place;
    }
    return status;
}

/* The part of all echoes that the strongest places of the image explain. */
enum nfsar_status phase_rounds_explain(struct rounds *r, double *explained, nfsar_error *error) {
    struct phase_explanation found;
    enum nfsar_status status = phase_explained(&r->capture, &r->source, r->bright, r->n_bright,
                                               r->noise, r->options->threads, NULL, &found, error);
    *explained = found.explained;
    r->found->noise = found.noise;
    return status;
}

/* What the last round used, with its coherences before that round and after it. */
static enum nfsar_status keep_scatterers(struct rounds *r, const struct phase_history *history,
                                         nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    nfsar_phase_scatterer *kept = malloc(r->n_scatterer * sizeof *kept);
    if (kept == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(kept, r->scatterer, r->n_scatterer * sizeof *kept);
    for (size_t i = 0; i < r->n_scatterer; i++) {
        kept[i].before = phase_coherence(history, NULL, i);
        kept[i].after = phase_coherence(history, &r->estimate, i);
    }
    free(f->scatterer);
    f->scatterer = kept;
    f->n_scatterer = r->n_scatterer;
    return NFSAR_OK;
}

/* Side lobes tell nothing of their own. */
static void prune(struct rounds *r, struct phase_history *history) {
    bool keep[PHASE_MOST_SCATTERERS];
    size_t kept = 0;
    phase_history_prune(history, keep);
    for (size_t i = 0; i < r->n_scatterer; i++) {
        if (keep[i]) {
            r->place[kept] = r->place[i];
            r->scatterer[kept++] = r->scatterer[i];
        }
    }
    r->n_scatterer = kept;
}

/* Once the image is as sharp as echoes as they are make it, they are smoothed over so many boxes of
 * pulses: then weak scatterers beside a strong one have echoes of their own, and with enough of
 * them displacements in three dimensions are told. */
enum { WINDOW_BY = 4, ENOUGH = 6 };

/* The echoes at the scatterers, side lobes left out. */
static enum nfsar_status make_history(struct rounds *r, struct phase_history *history,
                                      nfsar_error *error) {
    enum nfsar_status status = phase_history_make(&r->capture, &r->source, r->place, r->n_scatterer,
                                                  r->options->threads, history, error);
    if (status == NFSAR_OK && r->windowed && r->n_scatterer >= ENOUGH) {
        status = phase_history_smooth(history, WINDOW_BY, error);
        if (status != NFSAR_OK) {
            phase_history_free(history);
        }
    }
    if (status == NFSAR_OK) {
        prune(r, history);
    }
    return status;
}

/* A place that somebody told stays. A blurred image has a scatterer at some range of its envelope;
 * what is estimated then makes it sharp there, with a wavefront that is bent too much or too
 * little. The envelope's own range is told once the echoes agree: scatterers are moved there. True
 * where that changes anything. */
enum { MOST_MOVES = 3 };
#define MATTERS 0.02 /* of a range cell */

static bool move_to_envelopes(struct rounds *r, const struct phase_history *history) {
    const double cell = nfsar_range_resolution(r->original);
    double most = 0.0;
    for (size_t i = 0; i < r->n_scatterer; i++) {
        const double farther = phase_range_offset(history, &r->estimate, i);
        const nfsar_vec3 sight =
            phase_rounds_sight(&r->capture, r->original->n_pulse / 2, r->scatterer[i].place);
        r->place[i] = nfsar_vec3_add(r->place[i], nfsar_vec3_scale(sight, farther));
        r->scatterer[i].place = r->place[i];
        most = fmax(most, fabs(farther));
    }
    return most > MATTERS * cell;
}

/* Noise is no more coherent where it was not used than anywhere. */
static enum nfsar_status check_coherent(const struct rounds *r, const struct phase_score *score,
                                        nfsar_error *error) {
    if (score->after * (double)r->found->n_pulse > LEAST_COHERENT) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%zu scatterer%s, but what half of the frequencies tell does not make the "
                      "echoes of the other half coherent (%.2g of the power, noise makes up to "
                      "%.2g): this is noise, or the error is larger than what is looked for",
                      r->n_scatterer, r->n_scatterer == 1 ? "" : "s", score->after,
                      LEAST_COHERENT / (double)r->found->n_pulse);
}

/* One round; *more says whether another may gain something. */
static enum nfsar_status estimate_once(struct rounds *r, size_t round, bool *more,
                                       nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    struct phase_history history;
    struct phase_recipe recipe = {0};
    struct phase_score score = {0};
    double condition = NAN;
    *more = false;
    enum nfsar_status status = NFSAR_OK;
    for (int move = 0; status == NFSAR_OK; move++) {
        status = make_history(r, &history, error);
        if (status != NFSAR_OK) {
            return status;
        }
        status = phase_estimate_make(&history, r->noise, &r->estimate, &recipe, &score, &condition,
                                     error);
        if (move == MOST_MOVES || status != NFSAR_OK || r->options->has_point ||
            !move_to_envelopes(r, &history)) {
            break;
        }
        phase_history_free(&history);
    }
    if (status == NFSAR_OK && round == 0) {
        status = check_coherent(r, &score, error);
        f->held_out_before = score.before;
        f->held_out_after = score.after;
        f->others = score.others;
        /* In later rounds the other half has been used for the poses. */
        f->told = score.told;
    }
    /* Of the poses as they have become: an echo that left its range cell now and then was not. */
    if (status == NFSAR_OK && !r->windowed && !score.others) {
        f->steady = score.steady;
    }
    const bool any = recipe.gradient || recipe.residual || recipe.spatial;
    if (status == NFSAR_OK && (any || round == 0)) {
        status = keep_scatterers(r, &history, error);
    }
    if (status == NFSAR_OK && any) {
        if (!r->estimate.per_pulse) {
            phase_remove_shift(&history, &r->estimate);
        }
        phase_rounds_add(r, 1.0);
        r->score = score;
        r->spatial = recipe.spatial;
        r->condition = condition;
        *more = true;
    }
    phase_history_free(&history);
    return status;
}

/* What the scatterers of the image are worth held out, with the poses of the round. */
static enum nfsar_status try_once(struct rounds *r, double *score, nfsar_error *error) {
    struct phase_history history;
    struct phase_recipe recipe = {0};
    struct phase_score both = {0};
    double condition = NAN;
    const size_t n = r->n_scatterer;
    nfsar_phase_scatterer *kept = buffer_alloc(n, sizeof *kept);
    if (kept == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(kept, r->scatterer, n * sizeof *kept);
    enum nfsar_status status = make_history(r, &history, error);
    if (status == NFSAR_OK) {
        status = phase_estimate_make(&history, r->noise, &r->estimate, &recipe, &both, &condition,
                                     error);
        phase_history_free(&history);
    }
    *score = both.after;
    memcpy(r->scatterer, kept, n * sizeof *kept);
    r->n_scatterer = n;
    free(kept);
    return status;
}

/* Aligned envelopes are kept where they make held-out echoes clearly more coherent: several
 * scatterers in sight make envelopes that move of themselves. */
#define MUCH_BETTER 1.2

static enum nfsar_status align_if_better(struct rounds *r, nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    double without = 0.0, with = 0.0;
    enum nfsar_status status = align(r, error);
    if (status != NFSAR_OK || !f->aligned) {
        return status;
    }
    nfsar_vec3 *moved = buffer_alloc(f->n_pulse, sizeof *moved);
    if (moved == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(moved, f->displacement_m, f->n_pulse * sizeof *moved);
    status = try_once(r, &with, error);
    memset(f->displacement_m, 0, f->n_pulse * sizeof *moved);
    phase_rounds_set_poses(r);
    if (status == NFSAR_OK) {
        status = try_once(r, &without, error);
    }
    f->aligned = with > MUCH_BETTER * without;
    if (f->aligned) {
        memcpy(f->displacement_m, moved, f->n_pulse * sizeof *moved);
        phase_rounds_set_poses(r);
    }
    free(moved);
    return status;
}

static enum nfsar_status no_scatterer(const struct rounds *r, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "no scatterer stands out of the noise%s: give a grid that holds one, or its "
                      "place with --point",
                      r->options->far_m > 0.0 ? " in the gate" : "");
}

static enum nfsar_status go_round(struct rounds *r, const nfsar_progress *progress,
                                  nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    const size_t most = r->options->rounds;
    enum nfsar_status status = phase_rounds_look(r, &f->before, error);
    if (status == NFSAR_OK && r->n_scatterer == 0) {
        status = no_scatterer(r, error);
    }
    if (status == NFSAR_OK) {
        status = phase_rounds_explain(r, &f->explained_before, error);
    }
    f->after = f->before;
    f->explained_after = f->explained_before;
    if (status == NFSAR_OK && r->options->align && r->options->error == NFSAR_PHASE_OF_POSES) {
        status = align_if_better(r, error);
    }
    for (size_t round = 0; status == NFSAR_OK && round < most; round++) {
        nfsar_phase_sharpness now = f->after;
        bool more = false;
        status = estimate_once(r, round, &more, error);
        if (status == NFSAR_OK && more) {
            status = phase_rounds_look(r, &now, error);
            more = now.entropy < f->after.entropy && r->n_scatterer > 0;
            f->reason = NFSAR_PHASE_NOT_SHARPER;
            if (!more) {
                phase_rounds_add(r, -1.0);
            }
        }
        if (status == NFSAR_OK && more) {
            f->after = now;
            f->held_out_after = r->score.after;
            f->others = r->score.others;
            f->rounds++;
            status = phase_rounds_explain(r, &f->explained_after, error);
            if (r->spatial) {
                f->spatial = true;
                f->condition = r->condition;
            }
        } else if (status == NFSAR_OK && !r->windowed && f->rounds > 0) {
            r->windowed = true;
            status = phase_rounds_look(r, &now, error);
        } else {
            break;
        }
        if (status == NFSAR_OK &&
            !nfsar_progress_report(progress, (double)(round + 1) / (double)most)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "autofocus was cancelled");
        }
    }
    return status;
}

enum nfsar_status nfsar_phase_gradient_find(const nfsar_capture *capture,
                                            const nfsar_echo_source *source,
                                            const nfsar_phase_gradient_options *options,
                                            nfsar_phase_gradient *found,
                                            const nfsar_progress *progress, nfsar_error *error) {
    memset(found, 0, sizeof *found);
    enum nfsar_status status = phase_gradient_check(capture, options, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t n = capture->n_pulse;
    struct rounds r = {
        .options = options,
        .original = capture,
        .capture = *capture,
        .recorded = source,
        .found = found,
        .scatterer = buffer_zeros(options->scatterers, sizeof *r.scatterer),
        .place = buffer_zeros(options->scatterers, sizeof *r.place),
        .estimate = {.per_pulse = options->error == NFSAR_PHASE_PER_PULSE,
                     .phase_rad = buffer_zeros(n, sizeof(double)),
                     .displacement_m = buffer_zeros(n, sizeof(nfsar_vec3))},
    };
    r.source = (nfsar_echo_source){read_turned, &r};
    r.capture.pose = buffer_alloc(capture->n_pose, sizeof *r.capture.pose);
    *found = (nfsar_phase_gradient){.n_pulse = n,
                                    .condition = NAN,
                                    .steady = NAN,
                                    .told = NAN,
                                    .time_s = malloc(n * sizeof(double)),
                                    .displacement_m = calloc(n, sizeof(nfsar_vec3)),
                                    .phase_rad = calloc(n, sizeof(double))};
    if (r.scatterer == NULL || r.place == NULL || r.estimate.phase_rad == NULL ||
        r.estimate.displacement_m == NULL || r.capture.pose == NULL || found->time_s == NULL ||
        found->displacement_m == NULL || found->phase_rad == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", n);
    } else {
        memcpy(found->time_s, capture->time_s, n * sizeof(double));
        phase_rounds_set_poses(&r);
        status = find_noise(&r, error);
    }
    if (status == NFSAR_OK) {
        status = go_round(&r, progress, error);
    }
    if (status == NFSAR_OK) {
        status = phase_joint(&r, progress, error);
    }
    if (status == NFSAR_OK) {
        phase_conclude(&r);
    } else {
        nfsar_phase_gradient_free(found);
    }
    free(r.scatterer);
    free(r.place);
    free(r.estimate.phase_rad);
    free(r.estimate.displacement_m);
    free(r.capture.pose);
    return status;
}
