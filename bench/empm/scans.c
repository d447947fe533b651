/* Scans as the papers make them: a radar on a raster whose distance to the scene wanders. */
#include "bench/empm/papers.h"

#include <math.h>
#include <stdlib.h>

#include "algorithms/smooth.h"

/* At the middle of the band, 79 GHz, as in the papers. */
#define WAVELENGTH (NFSAR_SPEED_OF_LIGHT / 79e9)

/* The filter's width in the papers' surface, and the seed of all that is random here. */
#define ROUGHNESS 3.0
#define SEED      2022

size_t papers_lines(const nfsar_capture *capture) {
    return capture->n_pulse * capture->array.n_channel;
}

double papers_highest(const nfsar_capture *capture) {
    double highest = -INFINITY;
    for (size_t i = 0; i < capture->n_pose; i++) {
        highest = fmax(highest, capture->pose[i].position.z);
    }
    return highest;
}

/* Place number i of the raster, at its height. */
static nfsar_vec3 place(const struct papers_scan *scan, const float *surface, size_t i) {
    double column = (double)(i % scan->nx) - 0.5 * (double)(scan->nx - 1);
    double row = (double)(i / scan->nx) - 0.5 * (double)(scan->ny - 1);
    return (nfsar_vec3){0.125 * WAVELENGTH * column, 2.0 * WAVELENGTH * row,
                        2.0 * scan->offset * ((double)surface[i] - 0.5)};
}

/* Keep so many of the places, each as likely as any other (Knuth, selection sampling). */
static void place_pulses(const struct papers_scan *scan, const float *surface, nfsar_random *random,
                         nfsar_capture *capture) {
    size_t all = scan->nx * scan->ny, kept = 0;
    for (size_t i = 0; i < all && kept < scan->kept; i++) {
        if (nfsar_random_uniform(random) * (double)(all - i) < (double)(scan->kept - kept)) {
            capture->pose[kept++].position = place(scan, surface, i);
        }
    }
}

static enum nfsar_status make_geometry(const struct papers_scan *scan, nfsar_capture *capture,
                                       nfsar_error *error) {
    nfsar_random random;
    nfsar_random_seed(&random, SEED);
    float *surface = malloc(scan->nx * scan->ny * sizeof *surface);
    if (surface == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status =
        smooth_surface(scan->nx, scan->ny, ROUGHNESS, &random, surface, error);
    if (status == NFSAR_OK) {
        place_pulses(scan, surface, &random, capture);
    }
    free(surface);
    return status;
}

enum nfsar_status papers_scan_make(const struct papers_scan *scan, const struct scatterers *targets,
                                   int threads, nfsar_capture *capture, nfsar_error *error) {
    nfsar_array array;
    nfsar_simulation_options physics = {.spreading = true, .threads = threads};
    *capture = (nfsar_capture){0};
    enum nfsar_status status =
        nfsar_array_preset("xwr1443-2tx", NFSAR_ARRAY_ALONG_Y, &array, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(scan->kept, scan->n_sample, &array, true, capture, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_stepped_frequencies(77e9, 4e9 / (double)(scan->n_sample - 1),
                                           capture->frequency_hz, scan->n_sample, error);
    }
    if (status == NFSAR_OK) {
        status = make_geometry(scan, capture, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_simulate(capture, targets->item, targets->n, &physics, 0, scan->kept,
                                capture->echo, NULL, error);
    }
    if (status != NFSAR_OK) {
        nfsar_capture_free(capture);
    }
    return status;
}
