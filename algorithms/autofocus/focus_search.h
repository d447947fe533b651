/* Displacements that make the image of a region sharp (docs/theory/autofocus.md). */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_SEARCH_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_SEARCH_H

#include <stdbool.h>

#include "algorithms/autofocus/focus_kernel.h"
#include "algorithms/autofocus/focus_lines.h"
#include "algorithms/autofocus/focus_spline.h"

/* What a line says about its own displacement, given an image that is to be matched. */
struct focus_pull {
    double complex match; /* sum_k conj(field) echo */
    double power;         /* sum_k |field|^2 */
    double slope[3];      /* of Re match by the displacement */
    double drift[3];      /* of sum |field|^2 / 2 by the displacement */
    double bend[6];       /* sum_k k^2 Re(conj(pull_a) pull_b): xx, xy, xz, yy, yz, zz */
};

/* Add to power and bend what one of the frequencies gives, k its wavenumber. */
void focus_pull_add(struct focus_pull *pull, const struct focus_field *field, size_t bin, double k);

/* The search's state; memory is its own, lines and voxels are not. */
struct focus_search {
    const struct focus_lines *lines;
    const struct focus_voxels *voxels;
    const float complex *data;      /* [n][band.n] one of the lines' */
    double sigma, tau_s;            /* the prior's */
    double stiff[3];                /* factors on the prior of each component */
    double trust;                   /* most that echoes count against it: nats for each tau_s */
    double enough;                  /* a fit's round that gains less than this part is the last, */
    bool settled;                   /* and there has been one */
    const nfsar_progress *progress; /* asked within a fit whether to go on, at `done` */
    double done;
    bool cancelled;
    double damping; /* of Levenberg and Marquardt, from fit to fit */
    bool fitted;    /* re, im are the image that explains the echoes, not A^H of them */
    struct focus_spline spline;
    double *c;               /* [n][3] coefficients */
    double *kept;            /* [n][3] those before a step */
    double *prior;           /* [n][FOCUS_ORDER] */
    double *system;          /* [3n][FOCUS_BAND] lower band */
    double *right;           /* [3n] */
    double *damped;          /* [3n] what Levenberg and Marquardt add to its diagonal */
    float *re, *im;          /* [padded] the image */
    float *g_re, *g_im;      /* [padded] what is projected back */
    float *m_re, *m_im;      /* [padded] the image that explains the echoes; owned at m_re */
    float *d_re, *d_im;      /* [padded] the direction in which it is improved */
    float *coefficient;      /* [lines][2 band.n] echoes with the present displacements */
    float *rest, *turned;    /* [lines][2 band.n] what m leaves of them; echoes of d */
    struct focus_pair *pair; /* [lines] */
    struct focus_pull *pull; /* [lines] */
    double *energy;          /* [n_pulse] sum |echo|^2 */
};

enum nfsar_status focus_search_make(const struct focus_lines *lines,
                                    const struct focus_voxels *voxels, double step_s, double sigma,
                                    double tau_s, struct focus_search *search, nfsar_error *error);
void focus_search_free(struct focus_search *search);
/* Which of the lines' data are looked at. */
void focus_search_use(struct focus_search *search, const float complex *data);

/* Closer knots, the same displacements. */
enum nfsar_status focus_search_refine_knots(struct focus_search *search, double step_s,
                                            nfsar_error *error);

/* The image of the pulses [from, to): added to what there is, or anew. */
void focus_search_image(struct focus_search *search, size_t from, size_t to, bool anew);
/* ln sum |o|^4 - 2 ln sum |o|^2 of the image: what is maximised. */
double focus_search_sharpness(const struct focus_search *search);

/* What is projected. */
enum focus_weight {
    FOCUS_DERIVATIVE, /* of the sharpness by conj(o), times two */
    FOCUS_MATCHED     /* what echoes are matched to: |o|^2 o, or o itself where it is fitted */
};
void focus_search_weigh(struct focus_search *search, enum focus_weight weight);
/* Project it on the pulses [from, to): fills pull of their lines. */
void focus_search_project(struct focus_search *search, size_t from, size_t to);
/* gradient[n][3] of the sharpness by the coefficients, after weighing with derivative and
 * projecting. */
void focus_search_gradient(const struct focus_search *search, size_t from, size_t to,
                           double *gradient);

/* One Gauss-Newton step of the coefficients [first, last) that matches pulses [from, to) to the
 * image as projected. */
void focus_search_match(struct focus_search *search, size_t from, size_t to, size_t first,
                        size_t last);

/* Steps of L-BFGS, its first metric that of Gauss and Newton, on the pulses [from, to). Returns how
 * many were taken; fewer when nothing is gained any more. Leaves the image of these pulses. */
enum nfsar_status focus_search_climb(struct focus_search *search, size_t from, size_t to, int steps,
                                     double tolerance, int *taken, nfsar_error *error);

/* Echoes of an image with the pairs as they lie: out[line][2 band.n] of the lines [first, last). */
void focus_search_echo(struct focus_search *search, size_t first, size_t last, const float *re,
                       const float *im, float *out);
/* re, im = A^H of what lies at data[line][2 band.n]. */
void focus_search_back(struct focus_search *search, size_t first, size_t last, const float *data,
                       float *re, float *im);
/* Weight of |m|^2 against that of what m leaves. */
double focus_search_damping(const struct focus_search *search, size_t first, size_t last);
/* Fills rest with what m leaves of the lines' echoes, and returns its energy. */
double focus_search_left(struct focus_search *search, size_t first, size_t last);
/* Steps of conjugate gradients toward the m that explains the pulses [from, to) best, from the m
 * that is there. */
void focus_search_solve(struct focus_search *search, size_t from, size_t to, int steps);

/* Rounds of Gauss and Newton in m and displacements together, so many steps of conjugate gradients
 * each, until one gains less than the search's `enough`. *part is that of the echoes' energy that
 * is left. Leaves m as the image. */
enum nfsar_status focus_search_fit(struct focus_search *search, size_t from, size_t to, int rounds,
                                   int steps, double *part, nfsar_error *error);
/* The part of the held echoes' energy that the image which explains the fitted ones leaves. */
double focus_search_unexplained(struct focus_search *search, const float complex *fit,
                                const float complex *held, int steps);

/* Parts of steps: the prior's matrix times c; a line with the present displacements; the factored
 * matrix of the displacements' own equations, rescale * prior + sum bend, damped, and a division by
 * it. */
void focus_search_prior(const struct focus_search *search, double *product);
void focus_search_place(struct focus_search *search, size_t line);
bool focus_search_factor(struct focus_search *search, size_t first, size_t last, double rescale);
void focus_search_divide(const struct focus_search *search, double *c);

/* Grow from the strongest pulses to all, each new one matched to the image of those before. */
struct focus_growth {
    const nfsar_progress *progress;
    double from, to; /* of the progress */
    /* Called with the image after each climb; may be NULL. */
    void (*seen)(void *context, const struct focus_search *search, size_t from, size_t to);
    void *context;
};
/* By sharpness first, or by what explains the echoes alone. */
enum focus_way { FOCUS_SHARP, FOCUS_FIT_ALONE };
enum nfsar_status focus_search_grow(struct focus_search *search, enum focus_way way,
                                    const struct focus_growth *growth, nfsar_error *error);

#endif
