/** @file
 * Phase-gradient autofocus: where the radar was at each pulse, from the echoes of scatterers that
 * stand out (docs/phase-gradient.md, docs/theory/phase-gradient.md).
 *
 * At the place r of a scatterer the samples of pulse l, times exp(-jk(R_T + R_R)) and summed over
 * frequencies and channels, are a exp(j phi_l) and what else is in that cell of range. If the radar
 * was d_l away from where the poses say, phi_l = -k (t + r) . d_l, t and r the unit vectors from
 * the transmitter and the receiver to the scatterer. phi is found for many scatterers at once by
 * its gradient from pulse to pulse, and d_l from it.
 */
#ifndef NFSAR_PHASE_GRADIENT_H
#define NFSAR_PHASE_GRADIENT_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** What the error is taken to be. */
enum nfsar_phase_error {
    NFSAR_PHASE_OF_POSES = 0, /**< displacements of the radar: in three dimensions where scatterers
                                   at different angles tell them, else along the line of sight */
    NFSAR_PHASE_PER_PULSE     /**< a phase of each pulse, whatever made it */
};

/** Options; nfsar_phase_gradient_defaults() fills them. */
typedef struct nfsar_phase_gradient_options {
    nfsar_grid grid;   /**< where scatterers are looked for and the image is measured; to be set */
    bool has_point;    /**< one scatterer is known to be at `point`: no others are looked for */
    nfsar_vec3 point;  /**< see has_point */
    size_t scatterers; /**< most that are used; 24 */
    double near_m;     /**< scatterers at these ranges from the middle pose only; 0 and 0 */
    double far_m;      /**< (default) for all */
    enum nfsar_phase_error error; /**< NFSAR_PHASE_OF_POSES */
    bool align;      /**< envelopes are aligned first, for errors of range cells; true */
    double search_m; /**< largest error of range that is looked for then; 0 (default) for four
                          range cells */
    size_t rounds;   /**< most rounds of image and estimate; 8 */
    int threads;     /**< 0 for all processors */
} nfsar_phase_gradient_options;

/** Why what was found is taken, or is not. */
enum nfsar_phase_reason {
    NFSAR_PHASE_TAKEN = 0,      /**< held-out echoes, the image and its scatterers confirm it; or
                                     the strongest places together explain the echoes (joint) */
    NFSAR_PHASE_NOT_COHERENT,   /**< held-out echoes, or the image, gain nothing */
    NFSAR_PHASE_NOT_STEADY,     /**< no echo is that of one scatterer which stands out: several of
                                     like strength in a range cell go up and down together, and are
                                     made into one bright one by the phase of their sum */
    NFSAR_PHASE_LESS_EXPLAINED, /**< the strongest places of the image explain less of the echoes
                                     than with the poses as they were */
    NFSAR_PHASE_NOT_SHARPER     /**< the entropy of the image has not become smaller */
};

/** A scatterer that was used. */
typedef struct nfsar_phase_scatterer {
    nfsar_vec3 place; /**< where the image had it in the last round */
    double power_db;  /**< of the image there, relative to the strongest */
    double before;    /**< coherence of its pulses, |sum g| / (n sum |g|^2)^(1/2): 1 for a perfect
                           track; with the poses as they were */
    double after;     /**< and with those found */
} nfsar_phase_scatterer;

/** Numbers of an image of the grid, as nfsar_image_measure() has them. */
typedef struct nfsar_phase_sharpness {
    double peak;     /**< magnitude */
    double entropy;  /**< smaller is sharper */
    double contrast; /**< larger is sharper */
} nfsar_phase_sharpness;

/** What was found; release with nfsar_phase_gradient_free(). */
typedef struct nfsar_phase_gradient {
    size_t n_pulse;             /**< of the capture */
    double *time_s;             /**< [n_pulse] of the pulses */
    nfsar_vec3 *displacement_m; /**< [n_pulse] to be added to the poses; zero per pulse */
    double *phase_rad;  /**< [n_pulse] of the echoes, to be taken out; zero unless per pulse */
    size_t n_scatterer; /**< used in the last round */
    nfsar_phase_scatterer *scatterer; /**< [n_scatterer] strongest first */
    bool gained;      /**< something was found that stood all tests; otherwise displacements and
                           phases are zero, and `reason` says why */
    bool joint;       /**< found from the strongest places of the image together, as they explain
                           more than the scatterers that stand out do, one by one */
    bool aligned;     /**< envelopes were aligned */
    bool spatial;     /**< displacements in three dimensions, not along the line of sight */
    double condition; /**< of the least squares for those, of the directions that are told: the
                               best over the worst, 1 or more; NaN unless spatial */
    size_t rounds;    /**< rounds that improved */
    double rms_m;     /**< of the displacements along the line of sight */
    double rms_rad;   /**< of the phases that these, or phase_rad, are at mid band */
    double held_out_before; /**< coherent over all power, 0 to 1, of echoes that were not used
                                 for the estimate, in the first round */
    double held_out_after;  /**< with the estimate of the last */
    bool others;            /**< held out were scatterers at other ranges, not half of the band */
    double steady; /**< of the steadiest scatterer, coherent over all power but noise's, with its
                        own phases or those told by the other half of the band; NaN with others */
    double told;   /**< of the same, with those that the other half of the band told */
    double noise;  /**< the part of all echoes that is noise, by the emptiest ranges */
    double explained_before; /**< the part of all echoes that the strongest places of the image
                                  explain, at most 24 of them, whose strengths other pulses told */
    double explained_after;  /**< with what was found */
    enum nfsar_phase_reason reason; /**< for gained or not */
    nfsar_phase_sharpness before;   /**< image with the poses as they were */
    nfsar_phase_sharpness after;    /**< with what was found */
} nfsar_phase_gradient;

/** The defaults above; the grid is to be set. */
nfsar_phase_gradient_options nfsar_phase_gradient_defaults(void);

/** Make the voxels of these axes (x, y, z) fine enough for scatterers to be found, where they are
 * not: at most a resolution cell apart in the middle of the grid. nfsar_grid_suggest() widens them
 * to stay below its limit, and goes by the range resolution along z, which a large aperture near by
 * exceeds. The grid stays as it is if it would have more than @p limit voxels. */
void nfsar_phase_gradient_refine(const nfsar_capture *capture, const bool axes[3], size_t limit,
                                 nfsar_grid *grid);

/** Find the errors of a capture's poses, or the phases of its pulses.
 *
 * What no echo tells is left out: a motion of the whole track as a rigid body, which moves the
 * image as a whole.
 * @param capture geometry; its echo is not looked at.
 * @param source  its samples, already calibrated.
 * @return NFSAR_ERROR_FORMAT when no scatterer stands out of the noise, or its echoes are not
 *         coherent where they were not used; NFSAR_ERROR_GEOMETRY for fewer than 16 pulses or 4
 *         frequencies; NFSAR_ERROR_ARGUMENT for options that make no sense. */
enum nfsar_status nfsar_phase_gradient_find(const nfsar_capture *capture,
                                            const nfsar_echo_source *source,
                                            const nfsar_phase_gradient_options *options,
                                            nfsar_phase_gradient *found,
                                            const nfsar_progress *progress, nfsar_error *error);

/** Add the displacements to the poses of @p capture, between pulses on a straight line. */
void nfsar_phase_gradient_move(const nfsar_phase_gradient *found, nfsar_capture *capture);

/** Take the phases out of echo[n_pulse][n_channel][n_sample], pulses from first_pulse on. */
void nfsar_phase_gradient_turn(const nfsar_phase_gradient *found, const nfsar_capture *capture,
                               size_t first_pulse, size_t n_pulse, float complex *echo);

/** Release what was found and zero it. */
void nfsar_phase_gradient_free(nfsar_phase_gradient *found);

#endif
