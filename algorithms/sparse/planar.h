/* The fast pair for antennas in front of the grid, in a plane or off it: plane waves.
 *
 * With K = 2k and R from a phase centre to a voxel that lies (dx, dy, d) away, exactly
 *
 *     exp(jKR) = int int F exp(j(k_x dx + k_y dy)) dk_x dk_y,
 *     F = K / (2 pi k_z^2) (j d - 1 / k_z) exp(j k_z d),   k_z = sqrt(K^2 - k_x^2 - k_y^2):
 *
 * Weyl's integral for exp(jKR) / R, derived by K. So samples are a non-uniform transform of what
 * the volume's lateral transforms give when they are summed over the depths with F. The waves end,
 * smoothly, a few Fresnel zones beyond the steepest that go from a position to a voxel, and the
 * period of the integral's sum leaves room for all of them. Offsets of positions from their plane
 * go through a few planes between which samples are interpolated. Transmitters and receivers apart
 * are compensated for the middles of boxes of the grid, as many as it takes; and few frequencies
 * stand for all where the ranges between positions and voxels differ little.
 *
 * Every step is a linear map whose adjoint is made of the same numbers, so the pair is exact but
 * for rounding, whatever the approximations. */
#ifndef NFSAR_ALGORITHMS_SPARSE_PLANAR_H
#define NFSAR_ALGORITHMS_SPARSE_PLANAR_H

#include <nfsar/capture.h>
#include <nfsar/image.h>

#include "algorithms/sparse/operator.h"

struct planar;

/* NFSAR_ERROR_GEOMETRY for antennas among the voxels, views too steep, baselines too wide,
 * periods too long, and for what is estimated to take more than `limit` seconds of one processor
 * for the operator and its adjoint; NFSAR_ERROR_MEMORY for more than 4 GiB. Both are known from
 * the sizes, before anything large is made. capture must outlive it; its echo is not looked at. */
enum nfsar_status planar_create(const nfsar_capture *capture, const nfsar_grid *grid, int threads,
                                double limit, struct planar **planar, nfsar_error *error);

struct linear_operator planar_operator(struct planar *planar);

/* Roughly how long one processor takes for the operator and its adjoint. */
double planar_seconds(const struct planar *planar);

/* Planes that offsets go through, and boxes of the grid that baselines are compensated for. */
size_t planar_planes(const struct planar *planar);
size_t planar_parts(const struct planar *planar);

/* NULL is allowed. */
void planar_destroy(struct planar *planar);

#endif
