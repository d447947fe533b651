/* One run of a recipe over some of the echoes: phase_gradient_run.c does its steps,
 * phase_gradient_estimate.c decides which. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_PHASE_RUN_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_PHASE_RUN_H

#include "algorithms/autofocus/phase_gradient.h"

struct phase_run {
    const struct phase_history *h;
    bool per_pulse;
    double k;                /* of the band in use */
    size_t n;                /* scatterers in use */
    size_t *index;           /* [n] of the history */
    double complex *echo;    /* [n][n_pulse] as they are */
    double complex *turned;  /* [n][n_pulse] less what is estimated */
    double complex *smooth;  /* [n][n_pulse] */
    double complex *scratch; /* [n_pulse] */
    double complex *room;    /* [n_pulse] */
    double *trend;           /* [2][n_pulse] */
    double *along;           /* [n_pulse] phase, or metres along the line of sight */
    nfsar_vec3 *moved;       /* [n_pulse] metres besides */
    nfsar_vec3 *offset;      /* [n] metres from the place of the scatterer to where it is */
    bool others; /* scatterers of other ranges are held out, by fold[n_scatterer of the history] */
    size_t *fold;
    double condition;
};

/* All of the recipe, from nothing; phases on the way, displacements and places at the end. */
void phase_run_recipe(struct phase_run *run, const struct phase_recipe *recipe);
/* The echoes less what was found, into run->turned. */
void phase_run_turn(struct phase_run *run);
/* The scatterers' own places, by one step of least squares. */
void phase_run_places(struct phase_run *run);

#endif
