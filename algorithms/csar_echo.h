/* Echoes of a volume round an axis: every factor of cylindrical imaging (csar_plan.h) run
 * backwards, so that the sum of the conjugate kernel comes out,
 * s_l(k) = sum o(r) exp(+2jkR_l(r)), to csar's tolerance, and so that the pair is adjoint but for
 * rounding whatever the approximations. */
#ifndef NFSAR_ALGORITHMS_CSAR_ECHO_H
#define NFSAR_ALGORITHMS_CSAR_ECHO_H

#include "algorithms/csar_plan.h"

/* Transforms the other way. */
struct csar_echo {
    nfsar_csar_plan *plan; /* not owned; its scratch is used */
    fftwf_plan turn, climb, down, x, z;
    fftwf_plan to_orders[CSAR_LENGTHS];
};

/* NFSAR_ERROR_MEMORY; csar_echo_release() either way. */
enum nfsar_status csar_echo_prepare(nfsar_csar_plan *plan, struct csar_echo *echo,
                                    nfsar_error *error);
void csar_echo_release(struct csar_echo *echo);

/* samples[n_pulse][n_channel][n_sample] of image[nz][ny][nx]. Allocates nothing. */
void csar_echo_run(const struct csar_echo *echo, const float complex *image,
                   float complex *samples);

/* What set r has of the volume: its slices, of the n nodes from `first` on the waves, and those
 * added to orders at heights, plan->turned. */
void csar_echo_slices(const struct csar_echo *echo, size_t r, const float complex *image);
void csar_echo_waves(const struct csar_echo *echo, size_t r, size_t first, size_t n);
void csar_echo_climb(const struct csar_echo *echo, size_t r, size_t n);

/* Numbers out of cells[z.length + some][x.length + some] where the waves lie: csar_spread() and
 * csar_flatten() run backwards, arguments alike. */
void csar_gather(const nfsar_csar_plan *plan, const double *k_r, size_t n_wave, size_t length,
                 float complex *value, size_t pitch, const float complex *cells);
void csar_raise(const struct csar_echo *echo, const float complex *slice, float complex *cells,
                float complex *work);

#endif
