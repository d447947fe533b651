/* How well compensation makes a multistatic scan monostatic over a whole image. */
#ifndef NFSAR_ALGORITHMS_RESIDUE_H
#define NFSAR_ALGORITHMS_RESIDUE_H

#include <nfsar/capture.h>
#include <nfsar/compensation.h>
#include <nfsar/cylinder.h>
#include <nfsar/image.h>

/* Correlation with exact multistatic imaging to be expected from midpoints and compensation, for
 * targets all over the grid: |mean of exp(jk(beta(voxel) - beta(model)))| over pulses, channels
 * and 3 x 3 x 3 voxels. 1 where every antenna is its own partner. Negative when memory is out. */
double residue_correlation(const nfsar_capture *capture, const nfsar_grid *grid,
                           enum nfsar_compensation model, nfsar_vec3 reference);

/* The same for pairs on a cylinder, compensated as compensate_cylinder.h says; `every-range` takes
 * from each voxel what belongs to its distance from the midpoint. */
double residue_on_cylinder(const nfsar_capture *capture, const nfsar_cylinder *cylinder,
                           const nfsar_grid *grid, enum nfsar_compensation model,
                           nfsar_vec3 reference);

#endif
