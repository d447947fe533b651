/** @file
 * Smooth errors of poses, from the echoes themselves: the displacements that make the image sharp
 * and explain the echoes (docs/autofocus.md, docs/theory/autofocus.md).
 */
#ifndef NFSAR_AUTOFOCUS_H
#define NFSAR_AUTOFOCUS_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** Options; nfsar_autofocus_defaults() fills them. */
typedef struct nfsar_autofocus_options {
    double
        time_scale_s; /**< the errors' correlation time tau: correlation exp(-t^2 / (2 tau^2)); 1.
                           Within a third of it they must change by less than a wavelength */
    double most_m;    /**< standard deviation that each component of the error may have; 3 mm */
    size_t lines;     /**< most pairs of pulse and channel that are looked at; 10000 */
    size_t voxels;    /**< most voxels of the region; 60000 */
    bool null_test;   /**< also see what the same procedure gains on pulses of random phase, which
                           takes as long again; false */
    uint64_t seed;    /**< of the null test's phases; 1 */
    /** Called with the region's image [z][y][x], on its grid, of the pulses that are focused so
     * far, whenever that has changed; NULL (default) for nobody. Not to be kept. */
    void (*seen)(void *context, const nfsar_grid *grid, const float complex *image, size_t n_pulse);
    void *context; /**< handed to seen() untouched */
} nfsar_autofocus_options;

/** What is to be made of it. */
enum nfsar_autofocus_verdict {
    NFSAR_AUTOFOCUS_FOCUSED = 0, /**< echoes that were kept aside confirm the correction */
    NFSAR_AUTOFOCUS_LEFT_ALONE,  /**< the poses as they are explain them as well; correction 0 */
    NFSAR_AUTOFOCUS_REFUSED      /**< neither explains them: noise, or an error of another kind */
};

/** A step on the way. */
typedef struct nfsar_autofocus_step {
    size_t n_pulse;   /**< pulses that were focused together */
    double sharpness; /**< sum |o|^4 over (sum |o|^2)^2 of their image */
} nfsar_autofocus_step;

/** What was found; release with nfsar_autofocus_free(). */
typedef struct nfsar_autofocus {
    enum nfsar_autofocus_verdict verdict; /**< see there */
    bool nothing_there;     /**< the region explains hardly any of the echoes: nothing was tried */
    size_t n_pulse;         /**< of the capture */
    nfsar_vec3 *correction; /**< [n_pulse] to be added to the poses' positions at the pulses' times,
                                 mean 0: a common displacement moves the image and is not told.
                                 What was found, whatever the verdict; owned */
    double correction_m;    /**< its root of the mean square along the line of sight to the region's
                                 centre, metres */
    double unexplained_before;   /**< part of the energy of the echoes kept aside that the image
                                      which explains the others best does not predict: poses as
                                      reported */
    double unexplained_after;    /**< likewise with the correction */
    double unexplained_null[2];  /**< of the null test, before and after; NaN without */
    double sharpness_before;     /**< sum |o|^4 over (sum |o|^2)^2 of the image of the echoes kept
                                    aside,     poses as reported */
    double sharpness_after;      /**< likewise with the correction */
    double entropy_before;       /**< of |o|^2 as a distribution, natural logarithm; likewise */
    double entropy_after;        /**< likewise with the correction */
    double null_sharpness[2];    /**< as sharpness, of the null test; NaN without */
    size_t lines;                /**< that were looked at */
    size_t n_trace;              /**< steps */
    nfsar_autofocus_step *trace; /**< [n_trace] owned */
} nfsar_autofocus;

/** An opaque plan. */
typedef struct nfsar_autofocus_plan nfsar_autofocus_plan;

/** The defaults above. */
nfsar_autofocus_options nfsar_autofocus_defaults(void);

/** Prepare to focus captures of this geometry.
 * @param capture frequencies, array, poses, times; its echo is not looked at. Must outlive the
 * plan.
 * @param region  where the targets are: its limits matter, the spacing is chosen here. What lies
 *                outside is clutter.
 * @param options NULL for the defaults.
 * @return NFSAR_ERROR_ARGUMENT for options that make no sense or a region of too many voxels,
 *         NFSAR_ERROR_GEOMETRY for fewer than 64 pulses, too few samples to keep some aside, an
 *         antenna in the region, or poses too far apart in time to carry a correction. */
enum nfsar_status nfsar_autofocus_plan_create(const nfsar_capture *capture,
                                              const nfsar_grid *region,
                                              const nfsar_autofocus_options *options,
                                              nfsar_autofocus_plan **plan, nfsar_error *error);

/** The grid of the images: the region with the plan's own spacing. */
nfsar_grid nfsar_autofocus_plan_grid(const nfsar_autofocus_plan *plan);

/** Find the correction. @param source samples, already calibrated. */
enum nfsar_status nfsar_autofocus_execute(nfsar_autofocus_plan *plan,
                                          const nfsar_echo_source *source, nfsar_autofocus *result,
                                          const nfsar_progress *progress, nfsar_error *error);

/** Release a plan; NULL is allowed. */
void nfsar_autofocus_plan_destroy(nfsar_autofocus_plan *plan);

/** Add the correction to the poses of @p capture, interpolated linearly between pulses. */
void nfsar_autofocus_apply(const nfsar_autofocus *result, nfsar_capture *capture);

/** Release what the result owns and zero it. */
void nfsar_autofocus_free(nfsar_autofocus *result);

#endif
