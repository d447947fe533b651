/** @file
 * Multistatic-to-monostatic compensation: what a transmit-receive pair sees, turned into what
 * one antenna at the pair's midpoint would see.
 *
 * docs/theory/compensation.md derives the formulas.
 */
#ifndef NFSAR_COMPENSATION_H
#define NFSAR_COMPENSATION_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/geometry.h>
#include <nfsar/status.h>

/** How the extra path of a pair is modelled. */
enum nfsar_compensation {
    /** Leave the data alone: a pair is taken for an antenna at its midpoint. */
    NFSAR_COMPENSATION_NONE = 0,
    /** beta = (d_x^2 + d_y^2) / (4 z), with d = r_T - r_R and z the depth of the target below
     * the pair's midpoint (Smith and Torlak 2022, eq. 12 without the offset term). */
    NFSAR_COMPENSATION_CLOSED_FORM,
    /** beta = R_T + R_R - 2 R of one reference point: exact there, for every pair (the form
     * that the public toolbox of Yanik and Torlak uses). */
    NFSAR_COMPENSATION_REFERENCE_POINT,
    /** R_T + R_R - 2 R as a function of the range R at boresight: right at every range, where the
     * two above are at one. For methods whose ranges vary much (csar). */
    NFSAR_COMPENSATION_EVERY_RANGE
};

/** Parse "none", "closed-form", "reference-point" or "every-range". */
enum nfsar_status nfsar_compensation_parse(const char *name, enum nfsar_compensation *model,
                                           nfsar_error *error);
/** The name that nfsar_compensation_parse() takes. */
const char *nfsar_compensation_name(enum nfsar_compensation model);

/** Extra two-way path beta, metres, of the pair (tx, rx) over an antenna at its midpoint, for a
 * target at @p reference (world frame; only its z is used by the closed form). 0 for `none` and for
 * `every-range`, which is no path. */
double nfsar_compensation_path(enum nfsar_compensation model, nfsar_vec3 tx, nfsar_vec3 rx,
                               nfsar_vec3 reference);

/** echo[i] *= exp(-j wavenumber[i] path) for i < n. The phase is evaluated in double. */
void nfsar_compensation_apply(double path, const double *wavenumber, size_t n, float complex *echo);

#endif
