/* The length that total variation is measured in, and what phases turn by. */
#ifndef NFSAR_ALGORITHMS_SPARSE_RESOLUTION_H
#define NFSAR_ALGORITHMS_SPARSE_RESOLUTION_H

#include <nfsar/capture.h>
#include <nfsar/image.h>

/* *length: the finest that this scan resolves on this grid, lambda R / 2D with the largest extent D
 * of the phase centres and their middle's distance R from the grid's, but no less than lambda / 4;
 * lambda of the middle frequency.
 * *turns: the phase by which waves that go to a voxel and back are ahead of those to a voxel one
 * metre less in z, with all positions on one side of the grid: 2k, negative where z goes toward the
 * positions; the image of a target turns by minus that. 0 where positions lie on several sides. */
enum nfsar_status resolution_finest(const nfsar_capture *capture, const nfsar_grid *grid,
                                    double *length, double *turns, nfsar_error *error);

#endif
