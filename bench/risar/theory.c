/* How wide the image of a point should be: by the paper's formulas, and from the directions in
 * which this scan sees it. */
#include <math.h>
#include <stdlib.h>

#include "bench/risar/risar.h"

/* Where distances from the peak are looked for, metres: steps that no main lobe hides in. */
#define STEP 2e-5
#define FAR  2e-2

/* Of the amplitude. */
#define HALF_POWER 0.70710678118654752

double risar_psf(double k_min, double k_max, double r) {
    if (r == 0.0) {
        return (k_max * k_max - k_min * k_min) / NFSAR_PI;
    }
    return (k_max * j1(2.0 * k_max * r) - k_min * j1(2.0 * k_min * r)) / (NFSAR_PI * r);
}

/* The first distance at which level() falls to zero. */
static double first_zero(double (*level)(const void *context, double r), const void *context) {
    double low = 0.0, high = STEP;
    while (level(context, high) > 0.0) {
        low = high;
        high += STEP;
        if (high > FAR) {
            return NAN;
        }
    }
    for (int i = 0; i < 40; i++) {
        double middle = 0.5 * (low + high);
        *(level(context, middle) > 0.0 ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

struct band {
    double k_min, k_max;
    double level; /* of the peak, that the zero is counted from */
};

static double psf_level(const void *context, double r) {
    const struct band *band = context;
    return risar_psf(band->k_min, band->k_max, r) / risar_psf(band->k_min, band->k_max, 0.0) -
           band->level;
}

double risar_psf_width(double k_min, double k_max) {
    struct band band = {k_min, k_max, HALF_POWER};
    return 2.0 * first_zero(psf_level, &band);
}

double risar_psf_zero(double k_min, double k_max) {
    struct band band = {k_min, k_max, 0.0};
    return first_zero(psf_level, &band);
}

/* The scan as the point sees it. */
struct views {
    size_t n;
    double *change;  /* of the path R_T + R_R for each metre along the axis */
    double *weight;  /* of the echo */
    double sum;      /* of the weights */
    double k, half;  /* middle and half width of the band */
    size_t n_sample; /* equally spaced in it */
};

/* sum_n exp(-j k_n path) / n_sample, equally spaced about the middle: real but for the middle's
 * phase. */
static double band_sum(const struct views *views, double path) {
    size_t n = views->n_sample;
    double step = n > 1 ? views->half * path / (double)(n - 1) : 0.0;
    return fabs(sin(step)) < 1e-9 ? 1.0 : sin((double)n * step) / ((double)n * sin(step));
}

static double views_level(const void *context, double r) {
    const struct views *views = context;
    double re = 0.0, im = 0.0;
    for (size_t i = 0; i < views->n; i++) {
        double path = views->change[i] * r, part = views->weight[i] * band_sum(views, path);
        re += part * cos(views->k * path);
        im -= part * sin(views->k * path);
    }
    return hypot(re, im) / views->sum - HALF_POWER;
}

static double component(nfsar_vec3 v, int axis) {
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

/* Every so many pulses are enough: 25,000 views or so of those 64,000 or 512,000. The step is no
 * divisor of the angles of a turn, so that every angle is among them. */
static size_t stride_of(const nfsar_capture *capture) {
    return 1 + capture->n_pulse * capture->array.n_channel / 30000;
}

static enum nfsar_status look(const nfsar_capture *capture, nfsar_vec3 at, int axis,
                              struct views *views, nfsar_error *error) {
    const size_t n_channel = capture->array.n_channel, stride = stride_of(capture) | 1;
    nfsar_vec3 tx[16], rx[16];
    enum nfsar_status status = NFSAR_OK;
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p += stride) {
        status = nfsar_capture_antennas(capture, false, p, 1, tx, rx, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            nfsar_vec3 sent = nfsar_vec3_subtract(at, tx[c]), back = nfsar_vec3_subtract(at, rx[c]);
            double r_tx = nfsar_vec3_norm(sent), r_rx = nfsar_vec3_norm(back);
            views->change[views->n] = component(sent, axis) / r_tx + component(back, axis) / r_rx;
            views->weight[views->n] = 1.0 / (r_tx * r_rx);
            views->sum += views->weight[views->n++];
        }
    }
    return status;
}

enum nfsar_status risar_expected_width(const nfsar_capture *capture, nfsar_vec3 at, int axis,
                                       double *width, nfsar_error *error) {
    size_t room = capture->n_pulse * capture->array.n_channel;
    double first = capture->frequency_hz[0], last = capture->frequency_hz[capture->n_sample - 1];
    struct views views = {.change = malloc(room * sizeof(double)),
                          .weight = malloc(room * sizeof(double)),
                          .k = NFSAR_PI * (first + last) / NFSAR_SPEED_OF_LIGHT,
                          .half = NFSAR_PI * (last - first) / NFSAR_SPEED_OF_LIGHT,
                          .n_sample = capture->n_sample};
    enum nfsar_status status = NFSAR_OK;
    if (views.change == NULL || views.weight == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        status = look(capture, at, axis, &views, error);
    }
    if (status == NFSAR_OK) {
        *width = 2.0 * first_zero(views_level, &views);
    }
    free(views.change);
    free(views.weight);
    return status;
}

double risar_ghost_db(const nfsar_image *image, double y) {
    const nfsar_grid *grid = &image->grid;
    double peak = 0.0, ghost = 0.0;
    for (size_t i = 0; i < grid->y.count; i++) {
        double value = (double)cabsf(image->data[i]);
        peak = fmax(peak, value);
        ghost = fabs(nfsar_axis_at(&grid->y, i) - y) > 0.02 ? fmax(ghost, value) : ghost;
    }
    return grid->x.count == 1 && grid->z.count == 1 && ghost > 0.0 ? 20.0 * log10(ghost / peak)
                                                                   : (double)NAN;
}

/* The minimum of |o|^2 next to voxel `peak` of a line, going in direction `step`. */
static double minimum_from(const float complex *line, size_t n, size_t peak, long step) {
    long i = (long)peak + step;
    for (; i > 0 && i + 1 < (long)n; i += step) {
        double before = pow((double)cabsf(line[i - step]), 2.0);
        double here = pow((double)cabsf(line[i]), 2.0);
        double after = pow((double)cabsf(line[i + step]), 2.0);
        if (here <= before && here < after) {
            /* The least of a parabola is the most of the same one upside down. */
            double offset = nfsar_parabola_peak(-before, -here, -after);
            return fabs((double)(i - (long)peak)) + offset;
        }
    }
    return NAN;
}

double risar_first_minimum(const nfsar_image *image) {
    size_t best = 0, nx = image->grid.x.count;
    for (size_t i = 0; i < nfsar_grid_voxels(&image->grid); i++) {
        best = cabsf(image->data[i]) > cabsf(image->data[best]) ? i : best;
    }
    const float complex *line = image->data + best / nx * nx;
    double right = minimum_from(line, nx, best % nx, 1);
    double left = minimum_from(line, nx, best % nx, -1);
    return 0.5 * (left + right) * image->grid.x.step;
}
