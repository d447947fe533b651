#include "bench/naive_bp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples of the range profile for each range cell. */
enum { OVERSAMPLING = 32 };

struct naive_bp {
    nfsar_grid grid;
    size_t n_pair;
    nfsar_vec3 *tx, *rx;     /* [n_pair] */
    double k_centre;         /* wavenumber that the profiles are mixed down by */
    double first, step;      /* two-way ranges of the profiles */
    size_t length;           /* of a profile */
    double complex *profile; /* [n_pair][length] */
    double complex *image;   /* [voxels] */
};

/* Two-way ranges between the box round the grid and the antennas lie within these. */
static void find_ranges(naive_bp *naive, double cell) {
    const nfsar_grid *g = &naive->grid;
    nfsar_vec3 centre = {g->x.start, g->y.start, g->z.start};
    nfsar_vec3 end = {nfsar_axis_end(&g->x), nfsar_axis_end(&g->y), nfsar_axis_end(&g->z)};
    double radius = 0.5 * nfsar_vec3_distance(centre, end);
    double nearest = INFINITY, farthest = 0.0;
    centre = nfsar_vec3_midpoint(centre, end);
    for (size_t p = 0; p < naive->n_pair; p++) {
        double range =
            nfsar_vec3_distance(centre, naive->tx[p]) + nfsar_vec3_distance(centre, naive->rx[p]);
        nearest = fmin(nearest, range - 2.0 * radius);
        farthest = fmax(farthest, range + 2.0 * radius);
    }
    naive->first = nearest;
    naive->step = cell / OVERSAMPLING;
    naive->length = (size_t)((farthest - nearest) / naive->step) + 2;
}

/* profile(r) = sum_n s_n exp(-j (k_n - k_centre) r), by Horner's rule in exp(-j k_step r). */
static void compress(const naive_bp *naive, const float complex *line, size_t n, double k_step,
                     double complex *profile) {
    for (size_t i = 0; i < naive->length; i++) {
        double range = naive->first + naive->step * (double)i;
        double complex turn = cexp(-I * k_step * range), sum = 0.0;
        for (size_t k = n; k-- > 0;) {
            sum = sum * turn + (double complex)line[k];
        }
        profile[i] = sum * cexp(0.5 * I * (double)(n - 1) * k_step * range);
    }
}

static enum nfsar_status fill(naive_bp *naive, const nfsar_capture *capture, nfsar_error *error) {
    size_t n = capture->n_sample, voxels = nfsar_grid_voxels(&naive->grid);
    naive->tx = malloc(naive->n_pair * sizeof *naive->tx);
    naive->rx = malloc(naive->n_pair * sizeof *naive->rx);
    naive->image = malloc(voxels * sizeof *naive->image);
    if (naive->tx == NULL || naive->rx == NULL || naive->image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status =
        nfsar_capture_antennas(capture, false, 0, capture->n_pulse, naive->tx, naive->rx, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double per_hz = 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
    double band = capture->frequency_hz[n - 1] - capture->frequency_hz[0];
    naive->k_centre = per_hz * 0.5 * (capture->frequency_hz[0] + capture->frequency_hz[n - 1]);
    find_ranges(naive, NFSAR_SPEED_OF_LIGHT / band);
    naive->profile = malloc(naive->n_pair * naive->length * sizeof *naive->profile);
    if (naive->profile == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t p = 0; p < naive->n_pair; p++) {
        compress(naive, capture->echo + p * n, n, per_hz * band / (double)(n - 1),
                 naive->profile + p * naive->length);
    }
    return NFSAR_OK;
}

enum nfsar_status naive_bp_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                  naive_bp **naive, nfsar_error *error) {
    *naive = NULL;
    naive_bp *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->grid = *grid;
    made->n_pair = capture->n_pulse * capture->array.n_channel;
    enum nfsar_status status = fill(made, capture, error);
    if (status != NFSAR_OK) {
        naive_bp_destroy(made);
        return status;
    }
    *naive = made;
    return NFSAR_OK;
}

enum nfsar_status naive_bp_run(void *context, nfsar_error *error) {
    const naive_bp *naive = context;
    const nfsar_grid *grid = &naive->grid;
    (void)error;
    memset(naive->image, 0, nfsar_grid_voxels(grid) * sizeof *naive->image);
    for (size_t p = 0; p < naive->n_pair; p++) {
        nfsar_vec3 tx = naive->tx[p], rx = naive->rx[p];
        const double complex *profile = naive->profile + p * naive->length;
        double complex *voxel = naive->image;
        for (size_t iz = 0; iz < grid->z.count; iz++) {
            double z = grid->z.start + grid->z.step * (double)iz;
            for (size_t iy = 0; iy < grid->y.count; iy++) {
                double y = grid->y.start + grid->y.step * (double)iy;
                for (size_t ix = 0; ix < grid->x.count; ix++) {
                    double x = grid->x.start + grid->x.step * (double)ix;
                    double range = sqrt((x - tx.x) * (x - tx.x) + (y - tx.y) * (y - tx.y) +
                                        (z - tx.z) * (z - tx.z)) +
                                   sqrt((x - rx.x) * (x - rx.x) + (y - rx.y) * (y - rx.y) +
                                        (z - rx.z) * (z - rx.z));
                    double bin = (range - naive->first) / naive->step;
                    size_t i = (size_t)bin;
                    double f = bin - (double)i;
                    double complex sample = (1.0 - f) * profile[i] + f * profile[i + 1];
                    double phase = naive->k_centre * range;
                    *voxel++ += sample * (cos(phase) - I * sin(phase));
                }
            }
        }
    }
    return NFSAR_OK;
}

void naive_bp_image(const naive_bp *naive, float complex *out) {
    for (size_t i = 0; i < nfsar_grid_voxels(&naive->grid); i++) {
        out[i] = (float complex)naive->image[i];
    }
}

void naive_bp_destroy(naive_bp *naive) {
    if (naive != NULL) {
        free(naive->tx);
        free(naive->rx);
        free(naive->profile);
        free(naive->image);
        free(naive);
    }
}
