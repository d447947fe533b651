/* The voxels that autofocus looks at. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_REGION_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_REGION_H

#include <nfsar/capture.h>
#include <nfsar/image.h>

#include "algorithms/autofocus/focus_kernel.h"

struct focus_region {
    nfsar_grid grid;
    nfsar_vec3 centre;
    double reach; /* largest way of a voxel beyond the centre's, there and back */
    int main;     /* the axis nearest to the line of sight */
    struct focus_voxels voxels;
};

/* Limits from `limits`, spacing from what the capture resolves there. */
enum nfsar_status focus_region_make(const nfsar_capture *capture, const nfsar_grid *limits,
                                    size_t most, struct focus_region *region, nfsar_error *error);
void focus_region_free(struct focus_region *region);

#endif
