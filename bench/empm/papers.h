/* The experiments of Smith and Torlak 2022 (IEEE Access 10, "Efficient 3-D Near-Field MIMO-SAR
 * Imaging for Irregular Scanning Geometries"), simulated, imaged by every method, measured. */
#ifndef NFSAR_BENCH_EMPM_PAPERS_H
#define NFSAR_BENCH_EMPM_PAPERS_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/backprojection.h>
#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/lattice.h>
#include <nfsar/metrics.h>
#include <nfsar/nurma.h>
#include <nfsar/rma.h>

#include "bench/bench.h"
#include "bench/panels.h"
#include "host/scene/scatterers.h"

/* --- scans.c --- */

/* Pulses of the papers' radar (2 transmitters, 4 receivers along y: 8 phase centres lambda/4 apart)
 * on nx columns lambda/8 apart and ny rows 2 lambda apart, centred, at heights z from a smooth
 * random surface. */
struct papers_scan {
    size_t nx, ny;
    size_t kept; /* pulses of those, drawn at random; nx * ny: all */
    size_t n_sample;
    double offset; /* largest |z| of the surface's places, metres */
};

/* The capture with the echo of the targets, spreading loss included; free with
 * nfsar_capture_free(). The same description gives the same capture. */
enum nfsar_status papers_scan_make(const struct papers_scan *scan, const struct scatterers *targets,
                                   int threads, nfsar_capture *capture, nfsar_error *error);
/* Transmit-receive pairs of all pulses: the samples of an aperture, as the papers count. */
size_t papers_lines(const nfsar_capture *capture);
/* The largest z of the pulses' places. */
double papers_highest(const nfsar_capture *capture);

/* --- targets.c: free with scatterers_free() --- */

enum nfsar_status papers_point(double z, struct scatterers *targets, nfsar_error *error);
/* The letters U, T, D of 7, 6 and 8 points 15 mm apart in y and 45 mm in z about (0, 0, z). */
enum nfsar_status papers_letters(double z, struct scatterers *targets, nfsar_error *error);
/* A plate at (0, 0, z) with shapes cut out, scatterers `spacing` apart. */
enum nfsar_status papers_plate(double z, double spacing, struct scatterers *targets,
                               nfsar_error *error);

/* --- methods.c --- */

/* All on one thread: their processor time, which other processes disturb least, is then what they
 * take where they have a processor for themselves. */
enum papers_method {
    PAPERS_BP,      /* exact backprojection */
    PAPERS_LATTICE, /* rma: only for scans in one plane */
    PAPERS_IGNORED, /* range migration of the irregular places, offsets and baselines ignored */
    PAPERS_EMPM,
    PAPERS_NURMA
};

const char *papers_method_name(enum papers_method method);

/* A method that is ready to image a capture on a grid. */
struct papers_imager {
    nfsar_bp_plan *bp;
    nfsar_rma_plan *rma;
    nfsar_lattice lattice;
    nfsar_nurma_plan *nurma;
    nfsar_echo_source source;
    nfsar_image image;
    double plan_seconds; /* processor time that making the plan took */
    size_t bytes;        /* that the plan holds */
};

/* The capture must outlive the imager. */
enum nfsar_status papers_imager_create(enum papers_method method, const nfsar_capture *capture,
                                       const nfsar_grid *grid, struct papers_imager *imager,
                                       nfsar_error *error);
/* A bench_lane's function; the context is a papers_imager. */
enum nfsar_status papers_imager_run(void *context, nfsar_error *error);
void papers_imager_free(struct papers_imager *imager);

/* --- results.c --- */

/* What one method made of one experiment. */
struct papers_result {
    char experiment[48];
    enum papers_method method;
    size_t lines, samples, voxels;
    size_t row;          /* of the bench */
    double plan_seconds; /* NaN when the method refused */
    size_t bytes;
    double times; /* time of the whole over that of what was timed; 1, more where extrapolated */
    bool compared;
    nfsar_image_comparison comparison; /* with bp, valid when compared */
    bool point;                        /* the widths and side lobes are of one point target */
    nfsar_image_metrics metrics;
    char refused[160]; /* why there is no image, or empty */
};

enum { PAPERS_FACTORS = 8, PAPERS_VARIABLES = 3, PAPERS_GROWTH_METHODS = 3 };

/* Time of a method as one of the sizes grows. */
struct papers_growth {
    const char *variable; /* "samples", ... */
    enum papers_method method;
    size_t n;                    /* sizes */
    double size[PAPERS_FACTORS]; /* of the variable */
    size_t row[PAPERS_FACTORS];  /* of the bench; SIZE_MAX where it was left out */
};

/* Everything that was found. */
struct papers {
    struct bench *bench;
    struct papers_result *result;
    size_t n_result;
    /* The methods of one variable after each other. */
    struct papers_growth growth[PAPERS_VARIABLES * PAPERS_GROWTH_METHODS];
    size_t n_growth;
    const char *folder; /* for pictures; NULL: none are made */
    struct bench_machine machine;
};

enum { PAPERS_MOST_METHODS = 5 };

/* An experiment: a capture, a grid, the methods that image it. */
struct papers_experiment {
    const char *name;
    const nfsar_capture *capture;
    nfsar_grid grid;
    const enum papers_method *method;
    size_t n_method;
    bool point;   /* one point target: widths and side lobes mean something */
    bool three_d; /* bp images a few slices in the middle, the others all */
};

/* Image, time in one race, measure and compare. image[n_method] gets the images (of zero size where
 * a method refused), to be freed by the caller, unless it is NULL. */
enum nfsar_status papers_experiment_run(struct papers *papers,
                                        const struct papers_experiment *experiment,
                                        nfsar_image *image, nfsar_error *error);

/* --- growth.c --- */

enum nfsar_status papers_growth_run(struct papers *papers, nfsar_error *error);
/* Processor time of one image at the size of this index; NaN where the method was left out. */
double papers_growth_seconds(const struct papers *papers, const struct papers_growth *growth,
                             size_t i);
/* Least squares of log time over log size; NaN with fewer than two sizes. */
double papers_growth_exponent(const struct papers *papers, const struct papers_growth *growth);
/* The largest quotient of neighbours' times over that of N log N. */
double papers_growth_worst(const struct papers *papers, const struct papers_growth *growth);
/* Curves of the variable whose first method is papers->growth[first]. */
enum nfsar_status papers_growth_picture(const struct papers *papers, size_t first, const char *path,
                                        nfsar_error *error);

/* --- page.c --- */

/* Put the tables and pictures between the markers of folder/results.md, or make that page. */
enum nfsar_status papers_page_write(const struct papers *papers, nfsar_error *error);

#endif
