/** @file
 * Sampling density: how much of the aperture each sample stands for.
 *
 * An image is an integral over the aperture, and a sum over samples is that integral only where the
 * samples lie evenly. Where a hand slows down or a path crosses itself, places count several times:
 * side lobes grow. Weights in proportion to the area of each sample's own cell mend that
 * (docs/theory/density.md). They multiply the samples, so that every method takes them alike.
 */
#ifndef NFSAR_DENSITY_H
#define NFSAR_DENSITY_H

#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/status.h>

/** Where weights come from. */
enum nfsar_density {
    NFSAR_DENSITY_NONE = 0, /**< every sample weighs 1 */
    NFSAR_DENSITY_VORONOI,  /**< area of the phase centre's Voronoi cell */
    NFSAR_DENSITY_ITERATIVE /**< w <- w / (K w), Pipe and Menon 1999: evens out what is denser than
                                 the waves resolve, and leaves wider gaps as they are */
};

/** Parse "none", "voronoi" or "iterative"; NFSAR_ERROR_ARGUMENT lists the names otherwise. */
enum nfsar_status nfsar_density_parse(const char *name, enum nfsar_density *density,
                                      nfsar_error *error);
/** The name that nfsar_density_parse() takes. */
const char *nfsar_density_name(enum nfsar_density density);

/** Weights of the samples of @p capture into weight[n_pulse][n_channel], mean 1, none negative.
 *
 * A sample lies at its phase centre, the midpoint of transmitter and receiver when its channel is
 * sampled, projected on x and y. Phase centres within 1/16 of the shortest wavelength share the
 * area they have together. A lattice weighs 1 everywhere, its edges too; phase centres on one
 * line get lengths instead of areas.
 *
 * NFSAR_ERROR_GEOMETRY where phase centres are no numbers, are all in one place, or leave their
 * best plane by more than a quarter of their extent (a turntable): there the projection is no
 * measure of the aperture. NFSAR_ERROR_ARGUMENT beyond 2^24 phase centres. */
enum nfsar_status nfsar_density_weights(const nfsar_capture *capture, enum nfsar_density density,
                                        float *weight, nfsar_error *error);

/** What weights cost in the presence of white noise: n sum w^2 / (sum w)^2, the factor by which the
 * image's signal-to-noise ratio is less than that of the plain sum. 1 for equal weights. */
double nfsar_density_noise_factor(const float *weight, size_t n);

/** An echo source that reads from another and multiplies by weights. */
typedef struct nfsar_weighted_source {
    const float *weight;   /**< [n_pulse][n_channel]; must outlive this */
    size_t n_channel;      /**< channels of a pulse */
    nfsar_echo_source raw; /**< where samples come from */
} nfsar_weighted_source;

/** A source that reads through @p weighted, which must outlive it. */
nfsar_echo_source nfsar_weighted(nfsar_weighted_source *weighted);

#endif
