/* Small images round scatterers, straight from the samples: what the search for a turntable's
 * radius looks at. */
#ifndef NFSAR_CALIBRATION_ROTATION_PATCH_H
#define NFSAR_CALIBRATION_ROTATION_PATCH_H

#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/status.h>

/* Voxels of a patch along x and z, and how far from its middle they reach. */
enum { PATCH_HALF = 4, PATCH_SIDE = 2 * PATCH_HALF + 1, PATCH_VOXELS = PATCH_SIDE * PATCH_SIDE };

/* The transmit-receive pairs that are looked at, with their samples. */
struct rotation_lines {
    size_t n, n_sample, n_channel; /* n is pulses times channels */
    nfsar_vec3 *tx, *rx;           /* [n] */
    double *out_x, *out_z;         /* [n] outward from the axis */
    float complex *samples;        /* [n][n_sample] */
    double *k;                     /* [n_sample] wavenumbers */
    double k_centre, k_step;       /* k_step 0: not uniform */
    double step;                   /* between a patch's voxels, metres */
    double energy;                 /* sum of |s|^2 */
    double noise;                  /* power of noise in each sample */
};

/* What poses are tried with: radius_change is added to all distances from the axis, and what that
 * makes ranges on the axis longer is added to the echoes' ranges too, with range_offset. */
struct rotation_trial {
    double radius_change, range_offset;
};

/* The image of a patch round centre: image[z][x]. */
void rotation_patch(const struct rotation_lines *lines, struct rotation_trial trial,
                    nfsar_vec3 centre, double step, float complex image[PATCH_VOXELS]);

/* Sum |o|^4 and largest |o|^2 of a patch. */
struct rotation_sharpness {
    double fourth, peak;
};
struct rotation_sharpness rotation_patch_sharpness(const float complex image[PATCH_VOXELS]);

/* The exact sum at one place: |o|^2. */
double rotation_intensity(const struct rotation_lines *lines, struct rotation_trial trial,
                          nfsar_vec3 at);

#endif
