/* What the rounds of the phase-gradient autofocus go by: phase_gradient.c does those of scatterers
 * that stand out, phase_joint.c those of places that are looked at together, and phase_judge.c says
 * what of it is taken. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_PHASE_ROUNDS_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_PHASE_ROUNDS_H

#include "algorithms/autofocus/phase_gradient.h"

/* A capture as it is in a round. */
struct rounds {
    const nfsar_phase_gradient_options *options;
    const nfsar_capture *original;
    nfsar_capture capture; /* the original's, but for the poses */
    const nfsar_echo_source *recorded;
    nfsar_echo_source source; /* with the phases taken out */
    nfsar_phase_gradient *found;
    nfsar_phase_scatterer *scatterer; /* [n_scatterer] of this round */
    size_t n_scatterer;
    nfsar_vec3 *place;                     /* [n_scatterer] theirs */
    nfsar_vec3 bright[PHASE_MOST_EXPLAIN]; /* the strongest of the whole image */
    size_t n_bright;
    double noise; /* its power in a range profile */
    struct phase_estimate estimate;
    bool windowed;            /* rounds with WINDOW_BY have begun */
    struct phase_score score; /* of the round */
    bool spatial;             /* of the round, and how well it was told */
    double condition;
};

/* The poses, from the original's and what was found. */
void phase_rounds_set_poses(struct rounds *r);
/* The unit vector from the radar at a pulse to a place. */
nfsar_vec3 phase_rounds_sight(const nfsar_capture *capture, size_t pulse, nfsar_vec3 place);
/* Add (sign 1) the estimate to what was found, or take it away again (-1). */
void phase_rounds_add(struct rounds *r, double sign);
/* Image, its sharpness and its scatterers, with the poses of the round. */
enum nfsar_status phase_rounds_look(struct rounds *r, nfsar_phase_sharpness *sharpness,
                                    nfsar_error *error);
/* The part of all echoes that the strongest places of that image explain. */
enum nfsar_status phase_rounds_explain(struct rounds *r, double *explained, nfsar_error *error);

/* Where nothing was found that stands its tests: rounds with the strongest places of the image
 * together, from the poses as they were. */
enum nfsar_status phase_joint(struct rounds *r, const nfsar_progress *progress, nfsar_error *error);

/* What speaks against what was found. */
enum nfsar_phase_reason phase_judge(const nfsar_phase_gradient *found);
/* Whether places left enough with the poses as they were for a better one to be told from them. */
bool phase_judge_open(const nfsar_phase_gradient *found);
/* Whether places that explain so much now do it beyond doubt. */
bool phase_judge_joint(const nfsar_phase_gradient *found, double explained);
/* Sizes of what was found, and zeros where it does not hold. */
void phase_conclude(const struct rounds *r);

#endif
