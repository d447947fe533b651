/* The system of Smith and Torlak 2020 (RadarConf20, "Near-Field MIMO-ISAR Millimeter-Wave
 * Imaging"), simulated, imaged by csar and by backprojection, measured. */
#ifndef NFSAR_BENCH_RISAR_RISAR_H
#define NFSAR_BENCH_RISAR_RISAR_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/backprojection.h>
#include <nfsar/capture.h>
#include <nfsar/csar.h>
#include <nfsar/image.h>
#include <nfsar/metrics.h>

#include "bench/bench.h"
#include "host/scene/scatterers.h"

/* Distance of the radar from the turntable's axis, metres. */
#define RISAR_RADIUS 0.25

/* --- scans.c --- */

/* The radar goes round the y axis at RISAR_RADIUS, once at each height. */
struct risar_scan {
    const char *array; /* preset, along y */
    size_t angles;     /* of a full circle */
    size_t heights;    /* centred on y = 0 */
    double step;       /* between heights, metres */
    size_t n_sample;   /* of 77 to 81 GHz */
};

/* The paper's: 8 phase centres lambda/4 apart at 64 heights 2 lambda apart. */
struct risar_scan risar_scan_mimo(bool quick);
/* The paper's comparison: one channel at 512 heights lambda/4 apart. */
struct risar_scan risar_scan_single(bool quick);
/* One channel at one height. */
struct risar_scan risar_scan_circle(bool quick);

/* The capture with the echo of the targets, spreading loss included; free with
 * nfsar_capture_free(). */
enum nfsar_status risar_scan_make(const struct risar_scan *scan, const struct scatterers *targets,
                                  int threads, nfsar_capture *capture, nfsar_error *error);

/* --- targets.c: free with scatterers_free() --- */

enum nfsar_status risar_point(nfsar_vec3 at, struct scatterers *targets, nfsar_error *error);
/* A serrated blade in the plane z = 0 round the origin, 150 mm long, 25 mm wide, scatterers
 * `spacing` apart: its length along y (upright) or along x. */
enum nfsar_status risar_blade(bool upright, double spacing, struct scatterers *targets,
                              nfsar_error *error);

/* --- theory.c --- */

/* The paper's point spread function of a full circle seen from far,
 * PSF(r) = k_max J1(2 k_max r) / (pi r) - k_min J1(2 k_min r) / (pi r), which is 2 / pi times the
 * integral of k J0(2 k r) over the band. */
double risar_psf(double k_min, double k_max, double r);
/* Its full width at half power, and the radius of its first zero. */
double risar_psf_width(double k_min, double k_max);
double risar_psf_zero(double k_min, double k_max);

/* Full width at half power along an axis (0: x, 1: y, 2: z) of the image of a point at `at`, from
 * the directions in which the capture's antennas see it, each with its spreading loss, as if the
 * waves were plane there. NFSAR_ERROR_MEMORY. */
enum nfsar_status risar_expected_width(const nfsar_capture *capture, nfsar_vec3 at, int axis,
                                       double *width, nfsar_error *error);

/* Distance from the peak of the image's first minimum along x, mean of both sides; NaN without. */
double risar_first_minimum(const nfsar_image *image);

/* The strongest voxel of a line along y that is more than 2 cm from y, over the strongest of all,
 * dB; NaN where the image is no line or not as long. */
double risar_ghost_db(const nfsar_image *image, double y);

/* --- methods.c --- */

/* All on one thread, as those of bench/empm. */
enum risar_method {
    RISAR_BP, /* exact backprojection */
    RISAR_NONE,
    RISAR_CLOSED_FORM,
    RISAR_REFERENCE_POINT,
    RISAR_EVERY_RANGE,
    RISAR_METHODS
};

const char *risar_method_name(enum risar_method method);

/* A method that is ready to image a capture on a grid. */
struct risar_imager {
    nfsar_bp_plan *bp;
    nfsar_csar_plan *csar;
    nfsar_echo_source source;
    nfsar_image image;
    double plan_seconds; /* processor time that making the plan took */
    size_t bytes;        /* that the plan holds */
};

/* The capture must outlive the imager. */
enum nfsar_status risar_imager_create(enum risar_method method, const nfsar_capture *capture,
                                      const nfsar_grid *grid, struct risar_imager *imager,
                                      nfsar_error *error);
/* A bench_lane's function; the context is a risar_imager. */
enum nfsar_status risar_imager_run(void *context, nfsar_error *error);
void risar_imager_free(struct risar_imager *imager);

/* --- results.c --- */

/* What one method made of one experiment. */
struct risar_result {
    char experiment[48];
    enum risar_method method;
    size_t voxels;
    size_t row; /* of the bench */
    double plan_seconds;
    size_t bytes;
    double times; /* time of the whole over that of what was timed; 1, more where extrapolated */
    nfsar_image_comparison comparison; /* with bp */
    bool point;                        /* what follows is of one point target */
    nfsar_image_metrics metrics;
    double minimum;       /* risar_first_minimum() */
    double ghost_db;      /* risar_ghost_db() */
    double error_m;       /* distance of the peak from the target */
    double expected_m[3]; /* widths by risar_expected_width(); NaN where the grid is flat */
};

/* Everything that was found. */
struct risar {
    struct bench *bench;
    struct risar_result *result;
    size_t n_result;
    const char *folder; /* for the page and its pictures; NULL: none are made */
    struct bench_machine machine;
    double k_min, k_max; /* of the band, rad/m */
    size_t scatterers;   /* of the blade */
};

/* An experiment: a capture, a grid, the methods that image it, bp among them. */
struct risar_experiment {
    const char *name;
    const nfsar_capture *capture;
    nfsar_grid grid;
    size_t n_method; /* of enum risar_method, from the first on */
    const nfsar_vec3 *point;
    bool part; /* bp images a few slices in the middle, the others all */
};

/* Image, time, measure and compare. image[n_method] gets the images, to be freed by the caller. */
enum nfsar_status risar_experiment_run(struct risar *risar,
                                       const struct risar_experiment *experiment,
                                       nfsar_image *image, nfsar_error *error);

/* The slices of an image that lie on the reference's, as an image that borrows them. */
nfsar_image risar_slices(const nfsar_image *image, const nfsar_image *reference);
/* Those times the factor that fits the reference best, less the reference: what the relative error
 * is of. Free with nfsar_image_free(). */
enum nfsar_status risar_difference(const nfsar_image *reference, const nfsar_image *image,
                                   nfsar_image *difference, nfsar_error *error);

/* --- page.c --- */

/* Put the tables and pictures between the markers of folder/results.md, or make that page. */
enum nfsar_status risar_page_write(const struct risar *risar, nfsar_error *error);

#endif
