/* What the files of the phase-gradient autofocus share: phase_history.c sums the samples at the
 * scatterers' places, phase_gradient_estimate.c and _run.c find displacements from these sums,
 * phase_gradient_scatterers.c the scatterers, range_alignment.c delays of the envelopes,
 * phase_gradient_shift.c takes out what no echo tells, phase_explained.c says what the image
 * explains, phase_gradient.c runs the rounds, and phase_gradient_apply.c puts into a capture what
 * they found.
 */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_PHASE_GRADIENT_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_PHASE_GRADIENT_H

#include <nfsar/phase_gradient.h>

/* The frequencies in two bands, so that what is found from one can be tried on the other, whose
 * noise is another and whose clutter mostly so, and all of them. */
enum {
    PHASE_LOWER = 0,
    PHASE_UPPER,
    PHASE_ALL,
    PHASE_BANDS,
    PHASE_LEAST_PULSES = 16,
    PHASE_MOST_SCATTERERS = 256
};

/* Options that cannot be, and grids that are too coarse to find a scatterer with. */
enum nfsar_status phase_gradient_check(const nfsar_capture *capture,
                                       const nfsar_phase_gradient_options *options,
                                       nfsar_error *error);

/* Echoes at the places of the scatterers. */
struct phase_history {
    size_t n_scatterer, n_pulse;
    double k[PHASE_BANDS];             /* wavenumber in the middle of the band */
    double complex *echo[PHASE_BANDS]; /* [n_scatterer][n_pulse] */
    nfsar_vec3 *way;   /* [n_scatterer][n_pulse] -(t + r), the channels' mean: range that the echo's
                          way grows by for each metre that the radar is displaced */
    double *path;      /* [n_scatterer][n_pulse] to the scatterer and back, the channels' mean */
    nfsar_vec3 *sight; /* [n_pulse] from the pulse toward the scatterers, unit length */
    double *energy;    /* [n_pulse] sum of w |s|^2 over its channels and frequencies */
    double noise[PHASE_BANDS]; /* power in echo[] of noise which is 1 in a range profile */
    double noise_energy;       /* of the same in energy[], all pulses together */
    double cell;               /* of range, metres */
};
enum nfsar_status phase_history_make(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     const nfsar_vec3 *place, size_t n_scatterer, int threads,
                                     struct phase_history *history, nfsar_error *error);
void phase_history_free(struct phase_history *history);

/* Smooth the echoes over some pulses: what moves through a scatterer's range cell, being elsewhere,
 * is taken out as by a window round it in the image. */
enum nfsar_status phase_history_smooth(struct phase_history *history, size_t by,
                                       nfsar_error *error);

/* Means over by pulses to either side, three times; scratch[n]. (phase_gradient_run.c) */
void phase_smooth(const double complex *from, size_t n, size_t by, double complex *scratch,
                  double complex *to);

/* Leave out scatterers whose echoes are those of a stronger one in the same range cell: side lobes.
 * keep[n_scatterer] says which stay; they close up. */
void phase_history_prune(struct phase_history *history, bool *keep);

/* Echo envelopes at `point`: sums over all frequencies at ranges farther than the point's by
 * (j - half) step_m, magnitudes into profile[n_pulse][2 half + 1]. */
enum nfsar_status phase_history_profiles(const nfsar_capture *capture,
                                         const nfsar_echo_source *source, nfsar_vec3 point,
                                         double step_m, size_t half, int threads, float *profile,
                                         nfsar_error *error);

/* How the estimate is made; smoothing lengths are in pulses. */
struct phase_recipe {
    bool gradient;        /* integrate the gradient, first of echoes smoothed by gradient_from */
    size_t gradient_from; /* doubled until an eighth of the track */
    bool residual;        /* then compare with the mean echo, smoothed by residual_by */
    size_t residual_by;
    bool spatial; /* then displacements in three dimensions, smoothed by spatial_by */
    size_t spatial_by;
};

/* What it gives: displacements of the radar, or a phase of each pulse, [n_pulse]. */
struct phase_estimate {
    bool per_pulse;
    double *phase_rad;
    nfsar_vec3 *displacement_m;
};

/* The part of all echoes' energy (that of the frequencies' window) which unit scatterers at so many
 * places explain, at most PHASE_MOST_EXPLAIN of them: strengths are told by every other stretch of
 * the pulses and tried on those between. Places are moved to where they explain most. Noise which
 * is `noise` in a range profile is that part of the energy. With an estimate, not NULL, phases of
 * the pulses that all places together agree on are found as well. */
enum { PHASE_MOST_EXPLAIN = 24 };
struct phase_explanation {
    double explained, noise;
};
enum nfsar_status phase_explained(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  nfsar_vec3 *place, size_t n, double noise, int threads,
                                  struct phase_estimate *estimate, struct phase_explanation *found,
                                  nfsar_error *error);

/* What held-out echoes say of it. */
struct phase_score {
    double before, after; /* their coherent over all power, without it and with it */
    bool others;   /* held out were scatterers of other ranges, not the same in half a band */
    double steady; /* of the steadiest scatterer: coherent over all power but noise's, with its
                      own phases or those that the other half of the band told; NaN with others */
    double told;   /* of the same, with those that the other half told */
};

/* The recipe that makes echoes which were not used for it most coherent, and with it the estimate
 * from all. noise is its power in a range profile; condition that of the spatial least squares. */
enum nfsar_status phase_estimate_make(const struct phase_history *history, double noise,
                                      struct phase_estimate *estimate, struct phase_recipe *recipe,
                                      struct phase_score *score, double *condition,
                                      nfsar_error *error);

/* What no echo tells is where the track is as a whole: take a translation of it out of the
 * estimate, so that the scene stays about where the poses had it: what the displacements along the
 * line of sight have on average, and what goes with its direction as a shift of the scene across it
 * does. */
void phase_remove_shift(const struct phase_history *history, struct phase_estimate *estimate);

/* How much farther than its place the envelope of a scatterer's echoes lies, metres: from the phase
 * between the halves of the band, with the estimate taken out. */
double phase_range_offset(const struct phase_history *history,
                          const struct phase_estimate *estimate, size_t scatterer);

/* Coherence of one scatterer's pulses with the estimate: |sum g| / sqrt(n sum |g|^2). */
double phase_coherence(const struct phase_history *history, const struct phase_estimate *estimate,
                       size_t scatterer);

/* The strongest places of an image that stand out of noise and each other, at most n: their number;
 * that of options->point instead where it is told. The image is measured as well, and bright has
 * the strongest of the whole image, at most PHASE_MOST_EXPLAIN. */
enum nfsar_status phase_find_scatterers(const nfsar_capture *capture,
                                        const nfsar_echo_source *source,
                                        const nfsar_phase_gradient_options *options,
                                        nfsar_phase_scatterer *scatterer, size_t *n,
                                        nfsar_vec3 *bright, size_t *n_bright,
                                        nfsar_phase_sharpness *sharpness,
                                        const nfsar_progress *progress, nfsar_error *error);

/* echo[n][pulse_samples] of the pulses from `first` on, times e^{-j phase}. */
void phase_turn(const double *phase, size_t pulse_samples, size_t first, size_t n,
                float complex *echo);

/* Delays of the pulses' envelopes, as range[n_pulse] that the echo at `point` lies too far; true in
 * *found where they matter: more than a quarter of a range cell, and the mean envelope becomes
 * sharper by a tenth. */
enum nfsar_status range_alignment(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  nfsar_vec3 point, double search_m, int threads, double *range_m,
                                  bool *found, nfsar_error *error);

#endif
