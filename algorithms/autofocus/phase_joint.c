/* The strongest places of the image together: what they make in common tells the phase of each
 * pulse, also where they share a range cell and none of them stands out
 * (docs/theory/phase-gradient.md). */
#include "algorithms/autofocus/phase_rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

/* Rounds of image, places and phases; and in a row that explain hardly more than the best. */
enum { ROUNDS = 10, MOST_IDLE = 2 };

/* Less than this of what was left: so many rounds of it would not halve that, as is asked. */
#define HARDLY 0.067

/* What a way has found. */
struct way {
    nfsar_vec3 *displacement_m; /* [n_pulse] */
    double *phase_rad;          /* [n_pulse] */
};

static void copy(size_t n, const nfsar_vec3 *displacement_m, const double *phase_rad,
                 struct way *to) {
    memcpy(to->displacement_m, displacement_m, n * sizeof *displacement_m);
    memcpy(to->phase_rad, phase_rad, n * sizeof *phase_rad);
}

static void take(struct rounds *r, const struct way *way) {
    struct way found = {r->found->displacement_m, r->found->phase_rad};
    copy(r->found->n_pulse, way->displacement_m, way->phase_rad, &found);
    phase_rounds_set_poses(r);
}

/* From the poses as they were; the best of the rounds is what is found. */
static enum nfsar_status go_round(struct rounds *r, struct way *best, size_t *rounds,
                                  const nfsar_progress *progress, nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    nfsar_phase_sharpness now;
    double most = 0.0;
    enum nfsar_status status = NFSAR_OK;
    *rounds = 0;
    take(r, best);
    for (size_t round = 0, idle = 0; status == NFSAR_OK && round < ROUNDS && idle < MOST_IDLE;
         round++, idle++) {
        struct phase_explanation found;
        status = phase_rounds_look(r, &now, error);
        if (status == NFSAR_OK) {
            status = phase_explained(&r->capture, &r->source, r->bright, r->n_bright, r->noise,
                                     r->options->threads, &r->estimate, &found, error);
        }
        if (status != NFSAR_OK || r->n_bright == 0) {
            break;
        }
        phase_rounds_add(r, 1.0);
        if (found.explained > most) {
            const double left = fmax(1.0 - f->noise - most, 0.0);
            idle = found.explained - most > HARDLY * left ? 0 : idle;
            most = found.explained;
            copy(f->n_pulse, f->displacement_m, f->phase_rad, best);
            *rounds = round + 1;
        }
        if (!nfsar_progress_report(progress, (double)(round + 1) / ROUNDS)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "autofocus was cancelled");
        }
    }
    return status;
}

/* The scatterers of the image as it is, with their coherences at the poses as they were and now. */
static enum nfsar_status keep_scatterers(struct rounds *r, nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    struct phase_history before = {0}, after = {0};
    nfsar_phase_scatterer *kept = buffer_alloc(r->n_scatterer, sizeof *kept);
    enum nfsar_status status =
        kept == NULL ? nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory")
                     : phase_history_make(r->original, r->recorded, r->place, r->n_scatterer,
                                          r->options->threads, &before, error);
    if (status == NFSAR_OK) {
        status = phase_history_make(&r->capture, &r->source, r->place, r->n_scatterer,
                                    r->options->threads, &after, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < r->n_scatterer; i++) {
        kept[i] = r->scatterer[i];
        kept[i].before = phase_coherence(&before, NULL, i);
        kept[i].after = phase_coherence(&after, NULL, i);
    }
    if (status == NFSAR_OK) {
        free(f->scatterer);
        f->scatterer = kept;
        f->n_scatterer = r->n_scatterer;
    } else {
        free(kept);
    }
    phase_history_free(&before);
    phase_history_free(&after);
    return status;
}

/* Taken if it stands its test; else all is as it was before. */
static enum nfsar_status choose(struct rounds *r, const struct way *first, const struct way *joint,
                                size_t rounds, nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    nfsar_phase_sharpness now = {0};
    double explained = 0.0;
    take(r, joint);
    enum nfsar_status status = phase_rounds_look(r, &now, error);
    if (status == NFSAR_OK) {
        status = phase_rounds_explain(r, &explained, error);
    }
    f->joint = status == NFSAR_OK && r->n_scatterer > 0 && now.entropy < f->before.entropy &&
               phase_judge_joint(f, explained);
    if (f->joint) {
        f->after = now;
        f->explained_after = explained;
        f->rounds = rounds;
        f->aligned = f->spatial = false;
        status = keep_scatterers(r, error);
    } else {
        take(r, first);
    }
    return status;
}

static struct way make_way(size_t n) {
    return (struct way){buffer_zeros(n, sizeof(nfsar_vec3)), buffer_zeros(n, sizeof(double))};
}

enum nfsar_status phase_joint(struct rounds *r, const nfsar_progress *progress,
                              nfsar_error *error) {
    nfsar_phase_gradient *f = r->found;
    if (phase_judge(f) == NFSAR_PHASE_TAKEN || !phase_judge_open(f)) {
        return NFSAR_OK;
    }
    struct way first = make_way(f->n_pulse), joint = make_way(f->n_pulse);
    size_t rounds = 0;
    enum nfsar_status status = NFSAR_OK;
    if (first.displacement_m == NULL || first.phase_rad == NULL || joint.displacement_m == NULL ||
        joint.phase_rad == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", f->n_pulse);
    } else {
        copy(f->n_pulse, f->displacement_m, f->phase_rad, &first);
        status = go_round(r, &joint, &rounds, progress, error);
    }
    if (status == NFSAR_OK) {
        status = choose(r, &first, &joint, rounds, error);
    }
    free(first.displacement_m);
    free(first.phase_rad);
    free(joint.displacement_m);
    free(joint.phase_rad);
    return status;
}
