/* The inner loops of autofocus: one transmit-receive pair and all voxels of a region.
 *
 * Ways are counted from the region's centre: R - R0 = (|d|^2 - 2 d.a) / (R + R0) for a voxel at d
 * and an antenna at a, both from the centre, which keeps single precision exact to 1e-7 of the
 * region's size however far away the antenna is. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_KERNEL_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_KERNEL_H

#include <stddef.h>

#include <nfsar/geometry.h>

enum {
    FOCUS_TILE = 256, /* voxels whose arrays stay in the first cache */
    FOCUS_BINS = 64   /* most frequencies */
};

/* Voxels of a region, filled up to whole tiles with voxels at the centre. */
struct focus_voxels {
    size_t n, padded;
    float *x, *y, *z,
        *square; /* [padded] from the centre, and |d|^2; owned by one allocation at x */
};

/* A pair: antennas from the region's centre, and their distances from it. */
struct focus_pair {
    float tx[3], rx[3], tx_range, rx_range;
};

/* Uniform wavenumbers k0 + i dk, as turns for each metre of way. */
struct focus_band {
    size_t n;
    double turns, step; /* f0 / c and df / c */
};

struct focus_pair focus_pair_make(nfsar_vec3 tx, nfsar_vec3 rx);

/* o[v] += sum_i c_i exp(-j k_i P_v) for the FOCUS_TILE voxels from `first` on, P the way beyond
 * that by the centre; c as re, im pairs. */
void focus_add(const struct focus_voxels *voxels, size_t first, const struct focus_band *band,
               const struct focus_pair *pair, const float *c, float *re, float *im);

/* What a pair receives from the reflectivity g, and its derivative's factor: field[i] = sum_v g_v
 * exp(+j k_i P_v) and pull[a][i] = sum_v g_v (u_T + u_R)_a exp(+j k_i P_v), u the unit vectors from
 * the antennas to the voxel. Moving both antennas by e changes field by -j k e.pull. re, im pairs.
 */
struct focus_field {
    double field[2 * FOCUS_BINS], pull[3][2 * FOCUS_BINS];
};
void focus_project(const struct focus_voxels *voxels, const struct focus_band *band,
                   const struct focus_pair *pair, const float *g_re, const float *g_im,
                   struct focus_field *out);

/* Only the field. */
void focus_echo(const struct focus_voxels *voxels, const struct focus_band *band,
                const struct focus_pair *pair, const float *g_re, const float *g_im,
                struct focus_field *out);

#endif
