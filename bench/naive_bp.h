/* Yardstick: backprojection as one writes it first: a double-precision loop over pairs and voxels,
 * for each two square roots, linear interpolation in a range profile, and libm's sine and cosine.
 * One thread. */
#ifndef NFSAR_BENCH_NAIVE_BP_H
#define NFSAR_BENCH_NAIVE_BP_H

#include <complex.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>

typedef struct naive_bp naive_bp;

/* Compress range, which is not part of what is timed: it favours this yardstick. */
enum nfsar_status naive_bp_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                  naive_bp **naive, nfsar_error *error);
/* A bench_lane's function; the context is a naive_bp. */
enum nfsar_status naive_bp_run(void *context, nfsar_error *error);
/* The image that it made, [voxels], rounded to float into out. */
void naive_bp_image(const naive_bp *naive, float complex *out);
void naive_bp_destroy(naive_bp *naive);

#endif
