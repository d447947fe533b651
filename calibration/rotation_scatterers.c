/* Where the strongest scatterers are: local maxima of a coarse image. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/backprojection.h>

#include "calibration/rotation_lines.h"

/* The coarse image's voxels in wavelengths (a full circle resolves 0.2 to 0.3), its most voxels in
 * a slice, and its heights. */
#define COARSE_STEP   0.2
#define COARSE_VOXELS 62500.0
enum { MOST_HEIGHTS = 49 };
/* Voxels times pairs that the coarse image takes time for. */
#define COARSE_UPDATES 2e9

/* An array's span of heights resolves lambda R / (2 span). */
struct rotation_heights rotation_heights_choose(const struct rotation_lines *lines, double radius,
                                                double single) {
    double low = INFINITY, high = -INFINITY;
    for (size_t l = 0; l < lines->n; l++) {
        double y = 0.5 * (lines->tx[l].y + lines->rx[l].y);
        low = fmin(low, y);
        high = fmax(high, y);
    }
    double middle = 0.5 * (low + high), span = high - low;
    double resolution = NFSAR_PI / lines->k_centre * radius / fmax(span, 1e-9);
    if (resolution > 0.3 * radius) {
        return (struct rotation_heights){isnan(single) ? middle : single, 0.0, 1};
    }
    double step = 0.7 * resolution;
    size_t half = (size_t)ceil(0.5 * span / step);
    half = half < MOST_HEIGHTS / 2 ? half : MOST_HEIGHTS / 2;
    return (struct rotation_heights){middle - step * (double)half, step, 2 * half + 1};
}

/* Some of the lines as a capture of one antenna, at their phase centres: good enough to see where
 * scatterers are. Its echo is read from them. */
struct coarse {
    const struct rotation_lines *lines;
    size_t *line; /* [capture.n_pulse] */
    nfsar_capture capture;
};

static enum nfsar_status read_coarse(void *context, size_t first_pulse, size_t n_pulse,
                                     size_t first_sample, size_t n_sample, float complex *out,
                                     nfsar_error *error) {
    (void)error;
    const struct coarse *coarse = context;
    const struct rotation_lines *lines = coarse->lines;
    for (size_t i = 0; i < n_pulse; i++) {
        size_t from = coarse->line[first_pulse + i] * lines->pitch + first_sample;
        for (size_t k = 0; k < n_sample; k++) {
            out[i * n_sample + k] = CMPLXF(lines->re[from + k], lines->im[from + k]);
        }
    }
    return NFSAR_OK;
}

static void coarse_free(struct coarse *coarse) {
    nfsar_capture_free(&coarse->capture);
    free(coarse->line);
}

static enum nfsar_status coarse_make(const struct rotation_lines *lines, const double *frequency_hz,
                                     double voxels, struct coarse *coarse, nfsar_error *error) {
    double share = COARSE_UPDATES / (voxels * (double)lines->n);
    size_t n = 0;
    nfsar_array single = {0};
    *coarse = (struct coarse){.lines = lines, .line = malloc(lines->n * sizeof *coarse->line)};
    if (coarse->line == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < lines->n; i++) {
        if (rotation_is_in(i, 0.41421356237309505, share)) { /* another one than before */
            coarse->line[n++] = i;
        }
    }
    enum nfsar_status status = nfsar_array_create(1, 1, &single, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(n, lines->n_sample, &single, false, &coarse->capture, error);
    }
    if (status == NFSAR_OK) {
        memcpy(coarse->capture.frequency_hz, frequency_hz,
               lines->n_sample * sizeof *coarse->capture.frequency_hz);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        size_t l = coarse->line[i];
        coarse->capture.pose[i] = (nfsar_pose){nfsar_vec3_midpoint(lines->tx[l], lines->rx[l]),
                                               NFSAR_QUATERNION_IDENTITY};
    }
    return status;
}

static double power_of(float complex o) {
    double re = (double)crealf(o), im = (double)cimagf(o);
    return re * re + im * im;
}

struct found {
    struct rotation_scatterer *list;
    size_t room, n;
    /* Side lobes nearer than this are no scatterers of their own; at another height the image of a
     * scatterer is a ring that grows with the distance. */
    double apart, cone;
};

static bool is_beside(const struct found *found, nfsar_vec3 a, nfsar_vec3 b) {
    return hypot(a.x - b.x, a.z - b.z) < found->apart + found->cone * fabs(a.y - b.y);
}

/* Into the list, which is sorted; weaker ones beside it go. */
static void insert(struct found *found, struct rotation_scatterer new) {
    for (size_t i = 0; i < found->n; i++) {
        if (found->list[i].power >= new.power && is_beside(found, found->list[i].at, new.at)) {
            return;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < found->n; i++) {
        if (!is_beside(found, found->list[i].at, new.at)) {
            found->list[kept++] = found->list[i];
        }
    }
    found->n = kept;
    size_t at = found->n;
    while (at > 0 && found->list[at - 1].power < new.power) {
        at--;
    }
    if (at >= found->room) {
        return;
    }
    size_t n = found->n < found->room ? found->n : found->room - 1;
    memmove(found->list + at + 1, found->list + at, (n - at) * sizeof *found->list);
    found->list[at] = new;
    found->n = n + 1;
}

/* Every local maximum of the slice. */
static void collect(const nfsar_grid *grid, const float complex *image, double least,
                    const nfsar_rotation *rotation, double within, struct found *found) {
    size_t nx = grid->x.count, nz = grid->z.count;
    for (size_t j = 1; j + 1 < nz; j++) {
        for (size_t i = 1; i + 1 < nx; i++) {
            const float complex *o = image + j * nx + i;
            double power = power_of(*o);
            if (power < least || power < power_of(o[-1]) || power < power_of(o[1]) ||
                power < power_of(o[-(ptrdiff_t)nx]) || power < power_of(o[nx])) {
                continue;
            }
            nfsar_vec3 at = {nfsar_axis_at(&grid->x, i), nfsar_axis_at(&grid->y, 0),
                             nfsar_axis_at(&grid->z, j)};
            if (hypot(at.x - rotation->axis_x, at.z - rotation->axis_z) <= within) {
                insert(found, (struct rotation_scatterer){at, power});
            }
        }
    }
}

static enum nfsar_status image_slice(struct coarse *coarse, const nfsar_grid *grid, int threads,
                                     float complex *image, nfsar_error *error) {
    nfsar_bp_options options = nfsar_bp_defaults();
    nfsar_bp_plan *plan = NULL;
    options.threads = threads;
    options.tolerance = 1e-2;
    enum nfsar_status status = nfsar_bp_plan_create(&coarse->capture, grid, &options, &plan, error);
    if (status == NFSAR_OK) {
        const nfsar_echo_source source = {read_coarse, coarse};
        status = nfsar_bp_execute(plan, &source, image, NULL, error);
    }
    nfsar_bp_plan_destroy(plan);
    return status;
}

enum nfsar_status rotation_scatterers_find(const nfsar_capture *capture,
                                           const struct rotation_lines *lines,
                                           struct rotation_heights heights,
                                           const nfsar_rotation *rotation, double within,
                                           double stands_out, int threads,
                                           struct rotation_scatterer *list, size_t room, size_t *n,
                                           const nfsar_progress *progress, nfsar_error *error) {
    double wavelength = 2.0 * NFSAR_PI / lines->k_centre;
    double step = fmax(COARSE_STEP * wavelength, 2.0 * within / sqrt(COARSE_VOXELS));
    size_t half = (size_t)ceil(within / step), side = 2 * half + 1;
    struct found found = {list, room, 0, 0.8 * wavelength,
                          0.8 * heights.step * (double)(heights.n - 1) / rotation->radius_m};
    float complex *image = malloc(side * side * sizeof *image);
    struct coarse coarse;
    enum nfsar_status status = coarse_make(lines, capture->frequency_hz,
                                           (double)(side * side * heights.n), &coarse, error);
    if (status == NFSAR_OK && image == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    double noise = lines->noise * (double)(coarse.capture.n_pulse * lines->n_sample);
    for (size_t i = 0; status == NFSAR_OK && i < heights.n; i++) {
        const nfsar_grid grid = {
            {rotation->axis_x - step * (double)half, step, side},
            {heights.first + heights.step * (double)i, 1.0, 1},
            {rotation->axis_z - step * (double)half, step, side},
        };
        if (!nfsar_progress_report(progress, 0.4 * (double)i / (double)heights.n)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "stopped");
        } else {
            status = image_slice(&coarse, &grid, threads, image, error);
        }
        if (status == NFSAR_OK) {
            collect(&grid, image, stands_out * noise, rotation, within, &found);
        }
    }
    free(image);
    coarse_free(&coarse);
    *n = found.n;
    return status;
}
