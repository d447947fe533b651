/** @file
 * The depth at which a scene is sharpest.
 */
#ifndef NFSAR_FOCUS_H
#define NFSAR_FOCUS_H

#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/reconstruct.h>
#include <nfsar/status.h>

/** Result of a depth search. Owned; free with nfsar_focus_free(). */
typedef struct nfsar_focus {
    nfsar_axis z;      /**< depths that were imaged */
    double *sharpness; /**< [z.count] nfsar_slice_sharpness() of each, divided by the largest */
    size_t sharpest;   /**< index of the largest */
    double z_m;        /**< depth of the maximum, refined between the slices by a parabola */
    bool at_edge;      /**< the maximum is the first or last slice: search wider */
} nfsar_focus;

/** Image the slice x by y at every depth of @p z and compare their sharpness. */
enum nfsar_status nfsar_focus_search(nfsar_imager *imager, const nfsar_axis *x, const nfsar_axis *y,
                                     const nfsar_axis *z, const nfsar_echo_source *source,
                                     nfsar_focus *focus, const nfsar_progress *progress,
                                     nfsar_error *error);

/** Release what the result owns and zero it. */
void nfsar_focus_free(nfsar_focus *focus);

#endif
