/* The scatterers that the estimate goes by: maxima of the image above what noise makes. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/metrics.h>
#include <nfsar/reconstruct.h>

#include "algorithms/buffer.h"
#include "algorithms/peak.h"
#include "algorithms/sort.h"

/* Maxima nearer than this to a stronger one, in voxels along each axis, are its side. */
#define APART 4.0

/* Places that are looked at together may be nearer: what one makes at the other is known. */
#define NEAR 2.0

/* Weaker ones than this beside the strongest are mostly its side lobes; dB. */
#define WEAKEST (-40.0)

/* The strongest of all voxels of an image of noise exceeds the threshold as often as that. */
#define FALSE_ALARM 1e-3

static double power_of(float complex o) {
    return (double)crealf(o) * (double)crealf(o) + (double)cimagf(o) * (double)cimagf(o);
}

/* Power of noise in a voxel is exponential, with ln 2 of its mean as the median; n voxels stay
 * below mean ln(n / p) with probability 1 - p. */
static enum nfsar_status threshold(const nfsar_image *image, double *least, nfsar_error *error) {
    const size_t n = nfsar_grid_voxels(&image->grid);
    double *power = buffer_alloc(n, sizeof *power);
    if (power == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", n);
    }
    for (size_t i = 0; i < n; i++) {
        power[i] = power_of(image->data[i]);
    }
    sort_doubles(power, n);
    *least = power[n / 2] / log(2.0) * log((double)n / FALSE_ALARM);
    free(power);
    return NFSAR_OK;
}

static bool is_maximum(const nfsar_image *image, size_t x, size_t y, size_t z) {
    const nfsar_grid *g = &image->grid;
    const size_t nx = g->x.count, ny = g->y.count;
    const double here = power_of(image->data[(z * ny + y) * nx + x]);
    for (size_t c = z > 0 ? z - 1 : 0; c <= z + 1 && c < g->z.count; c++) {
        for (size_t b = y > 0 ? y - 1 : 0; b <= y + 1 && b < ny; b++) {
            for (size_t a = x > 0 ? x - 1 : 0; a <= x + 1 && a < nx; a++) {
                if (power_of(image->data[(c * ny + b) * nx + a]) > here) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool is_apart(const nfsar_grid *g, nfsar_vec3 place, double apart,
                     const nfsar_phase_scatterer *others, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const nfsar_vec3 away = nfsar_vec3_subtract(place, others[i].place);
        if (fabs(away.x) < apart * g->x.step + 1e-12 && fabs(away.y) < apart * g->y.step + 1e-12 &&
            fabs(away.z) < apart * g->z.step + 1e-12) {
            return false;
        }
    }
    return true;
}

static nfsar_vec3 place_of(const nfsar_image *image, const double at[3]) {
    const nfsar_grid *g = &image->grid;
    return (nfsar_vec3){g->x.start + g->x.step * at[0], g->y.start + g->y.step * at[1],
                        g->z.start + g->z.step * at[2]};
}

/* A maximum: its power and voxel, the strongest first. */
struct maximum {
    double power;
    size_t voxel[3];
};

static int descending(const void *a, const void *b) {
    const double x = ((const struct maximum *)a)->power, y = ((const struct maximum *)b)->power;
    return (x < y) - (x > y);
}

static size_t list_maxima(const nfsar_image *image, double least, struct maximum *maximum,
                          size_t room) {
    const nfsar_grid *g = &image->grid;
    size_t n = 0;
    for (size_t z = 0; z < g->z.count; z++) {
        for (size_t y = 0; y < g->y.count; y++) {
            for (size_t x = 0; x < g->x.count; x++) {
                const double power = power_of(image->data[(z * g->y.count + y) * g->x.count + x]);
                if (power > least && n < room && is_maximum(image, x, y, z)) {
                    maximum[n++] = (struct maximum){power, {x, y, z}};
                }
            }
        }
    }
    qsort(maximum, n, sizeof *maximum, descending);
    return n;
}

/* The range from the middle of the track. */
static double range_of(const nfsar_capture *capture, nfsar_vec3 place) {
    const nfsar_pose middle = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                               capture->time_s[capture->n_pulse / 2], NULL);
    return nfsar_vec3_distance(place, middle.position);
}

static enum nfsar_status choose(const nfsar_capture *capture,
                                const nfsar_phase_gradient_options *options,
                                const nfsar_image *image, double apart,
                                nfsar_phase_scatterer *scatterer, size_t *n, nfsar_error *error) {
    const size_t room = nfsar_grid_voxels(&image->grid) / 2 + 1, wanted = *n;
    double least = 0.0;
    struct maximum *maximum = buffer_alloc(room, sizeof *maximum);
    enum nfsar_status status = maximum != NULL ? threshold(image, &least, error)
                                               : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                                                            "out of memory for %zu maxima", room);
    size_t there = status == NFSAR_OK ? list_maxima(image, least, maximum, room) : 0;
    double strongest = 0.0;
    *n = 0;
    for (size_t i = 0; i < there && *n < wanted; i++) {
        const double voxel[3] = {(double)maximum[i].voxel[0], (double)maximum[i].voxel[1],
                                 (double)maximum[i].voxel[2]};
        nfsar_vec3 place = place_of(image, voxel);
        const double range = range_of(capture, place);
        if (options->far_m > 0.0 && (range < options->near_m || range > options->far_m)) {
            continue;
        }
        strongest = *n == 0 ? maximum[i].power : strongest;
        const double db = 10.0 * log10(maximum[i].power / strongest);
        if (db < WEAKEST) {
            break;
        }
        if (is_apart(&image->grid, place, apart, scatterer, *n)) {
            struct peak peak;
            peak_refine(image, maximum[i].voxel, &peak);
            place = place_of(image, peak.at);
            scatterer[(*n)++] = (nfsar_phase_scatterer){.place = place, .power_db = db};
        }
    }
    free(maximum);
    return status;
}

enum nfsar_status phase_find_scatterers(const nfsar_capture *capture,
                                        const nfsar_echo_source *source,
                                        const nfsar_phase_gradient_options *options,
                                        nfsar_phase_scatterer *scatterer, size_t *n,
                                        nfsar_vec3 *bright, size_t *n_bright,
                                        nfsar_phase_sharpness *sharpness,
                                        const nfsar_progress *progress, nfsar_error *error) {
    nfsar_method_options use = nfsar_method_defaults();
    nfsar_imager *imager = NULL;
    nfsar_image image = {0};
    nfsar_image_metrics metrics;
    use.bp.threads = options->threads;
    enum nfsar_status status = nfsar_image_create(&options->grid, &image, error);
    if (status == NFSAR_OK) {
        status = nfsar_imager_create(capture, NFSAR_METHOD_AUTO, &use, &imager, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_imager_run(imager, &options->grid, source, image.data, progress, error);
    }
    nfsar_imager_destroy(imager);
    if (status == NFSAR_OK) {
        status = nfsar_image_measure(&image, &metrics, error);
    }
    if (status == NFSAR_OK) {
        *sharpness =
            (nfsar_phase_sharpness){metrics.peak_amplitude, metrics.entropy, metrics.contrast};
        if (options->has_point) {
            scatterer[0] = (nfsar_phase_scatterer){.place = options->point};
            *n = 1;
        } else {
            status = choose(capture, options, &image, APART, scatterer, n, error);
        }
    }
    if (status == NFSAR_OK) {
        nfsar_phase_gradient_options everywhere = *options;
        nfsar_phase_scatterer strongest[PHASE_MOST_EXPLAIN];
        everywhere.far_m = 0.0;
        *n_bright = PHASE_MOST_EXPLAIN;
        status = choose(capture, &everywhere, &image, NEAR, strongest, n_bright, error);
        for (size_t i = 0; status == NFSAR_OK && i < *n_bright; i++) {
            bright[i] = strongest[i].place;
        }
    }
    nfsar_image_free(&image);
    return status;
}
