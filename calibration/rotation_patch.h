/* Small images round scatterers, straight from the samples: what the search for a turntable's
 * radius looks at. */
#ifndef NFSAR_CALIBRATION_ROTATION_PATCH_H
#define NFSAR_CALIBRATION_ROTATION_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/status.h>

/* A patch is square in x and z, its middle between its voxels. */
enum { PATCH_SIDE = 8, PATCH_VOXELS = PATCH_SIDE * PATCH_SIDE };
/* Offset of voxel i from the middle, in steps. */
static inline double patch_offset(int i) {
    return i - 0.5 * (PATCH_SIDE - 1);
}

/* The transmit-receive pairs that are looked at, with their samples. */
struct rotation_lines {
    size_t n, n_sample;
    nfsar_vec3 *tx, *rx;     /* [n] */
    double *out_x, *out_z;   /* [n] outward from the axis */
    size_t pitch;            /* samples of a line, with zeros to a multiple of 8 */
    float *re, *im;          /* [n][pitch] */
    float *k_off;            /* [pitch] k - k_centre */
    double band;             /* of k */
    double *k;               /* [n_sample] wavenumbers */
    double k_centre, k_step; /* k_step 0: not uniform */
    double step;             /* between a patch's voxels, metres */
    double energy;           /* sum of |s|^2 */
    double noise;            /* power of noise in each sample */
};

/* What poses are tried with: radius_change is added to all distances from the axis, and what that
 * makes ranges on the axis longer is added to the echoes' ranges too, with range_offset. */
struct rotation_trial {
    double radius_change, range_offset;
};

/* The image of a patch round centre: image[z][x]. */
void rotation_patch(const struct rotation_lines *lines, struct rotation_trial trial,
                    nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]);

/* The same of a point in the middle, for which each pair has the sum 1 at its range. */
void rotation_patch_ideal(const struct rotation_lines *lines, double radius_change,
                          nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]);

/* Sum |o|^4 and largest |o|^2 of a patch. */
struct rotation_sharpness {
    double fourth, peak;
};
struct rotation_sharpness rotation_patch_sharpness(const float complex image[PATCH_VOXELS]);

/* The strongest voxel's offsets from the middle, in steps, and |o|^2. */
void rotation_patch_strongest(const float complex image[PATCH_VOXELS], double *at_x, double *at_z,
                              double *power);

/* How much phase a change of the radius makes at a scatterer: what varies from pair to pair, less
 * what another place of the scatterer makes as well (another height too where those are told).
 * rad/m, root of the mean square. */
double rotation_phase(const struct rotation_lines *lines, nfsar_vec3 at, bool heights);

/* The exact sum at one place: |o|^2. */
double rotation_intensity(const struct rotation_lines *lines, struct rotation_trial trial,
                          nfsar_vec3 at);

#endif
