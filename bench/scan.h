/* Scans made for measurements, and how far an image of one is from the exact sum. */
#ifndef NFSAR_BENCH_SCAN_H
#define NFSAR_BENCH_SCAN_H

#include <nfsar/capture.h>
#include <nfsar/image.h>

/* What to scan with: a raster of pulses in the plane z = 0 round the origin, 77 to 81 GHz. */
struct bench_scan_options {
    const char *array;     /* preset; "pair": a transmitter and a receiver 2 cm apart */
    size_t nx, ny;         /* pulses */
    double step_x, step_y; /* metres */
    size_t n_sample;
    nfsar_grid grid; /* eight point targets lie on voxels of this */
};

/* A capture with its echo; free with nfsar_capture_free(). */
enum nfsar_status bench_scan_make(const struct bench_scan_options *options, nfsar_capture *capture,
                                  nfsar_error *error);

/* A grid of n[3] voxels with this step, centred on the z axis and beginning at first_z. */
nfsar_grid bench_scan_grid(size_t nx, size_t ny, size_t nz, double step, double first_z);

/* The exact sum (backprojection in double precision) at some voxels. */
struct bench_truth {
    nfsar_grid grid; /* whose every stride-th voxel along each axis is there */
    nfsar_grid sampled;
    size_t stride[3];
    float complex *value; /* [voxels of sampled]; owned */
};

/* Sum the capture at about `along` voxels along each axis of the grid, the targets' among them. */
enum nfsar_status bench_truth_make(const nfsar_capture *capture, const nfsar_grid *grid,
                                   size_t along, struct bench_truth *truth, nfsar_error *error);
void bench_truth_free(struct bench_truth *truth);

/* Largest difference of the image from the truth at those voxels, in dB of the image's peak. */
double bench_truth_error(const struct bench_truth *truth, const float complex *image);

#endif
