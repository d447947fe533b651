#include "host/picture/resample.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Where both sides of a voxel are longer than this many pixels the picture shows the voxels as they
 * are: smoothing them would suggest detail that was never computed. */
#define SHOW_VOXELS 16.0

/* What one pixel takes along one axis: the maximum of samples [first, last] when it covers several,
 * so that no point is lost in a reduction; else the mean of two, weighted. */
struct reach {
    size_t first, last;
    double weight; /* of last, when reduced is false */
    bool reduced;
};

static struct reach reach_of(size_t pixel, size_t n_pixel, size_t n, bool voxels) {
    struct reach reach = {0};
    double scale = (double)n / (double)n_pixel; /* samples a pixel */
    double low = (double)pixel * scale, high = low + scale;
    if (scale > 1.0) {
        /* Samples whose cells [i, i + 1] have their centre in the pixel; scale > 1 has at least
         * one except for rounding. */
        double first = ceil(low - 0.5), last = ceil(high - 0.5) - 1.0;
        reach.reduced = true;
        reach.first = (size_t)fmin(fmax(first, 0.0), (double)n - 1.0);
        reach.last = (size_t)fmin(fmax(last, (double)reach.first), (double)n - 1.0);
        return reach;
    }
    double at = 0.5 * (low + high) - 0.5;
    at = fmin(fmax(at, 0.0), (double)n - 1.0);
    if (voxels) {
        at = round(at);
    }
    reach.first = (size_t)at;
    reach.last = reach.first + 1 < n ? reach.first + 1 : reach.first;
    reach.weight = at - (double)reach.first;
    return reach;
}

/* One sample from values[stride * i] within reach. */
static double take(const double *values, size_t stride, const struct reach *reach) {
    if (!reach->reduced) {
        return (1.0 - reach->weight) * values[stride * reach->first] +
               reach->weight * values[stride * reach->last];
    }
    double maximum = 0.0;
    for (size_t i = reach->first; i <= reach->last; i++) {
        maximum = fmax(maximum, values[stride * i]);
    }
    return maximum;
}

double *resample_plane(const struct plane *plane, size_t width, size_t height) {
    const size_t nu = plane->u.count, nv = plane->v.count;
    size_t n_rows = 0, n_out = 0;
    if (__builtin_mul_overflow(nv, width, &n_rows) ||
        __builtin_mul_overflow(width, height, &n_out)) {
        return NULL;
    }
    double *rows = calloc(n_rows, sizeof *rows);
    double *out = calloc(n_out, sizeof *out);
    if (rows == NULL || out == NULL) {
        free(rows);
        free(out);
        return NULL;
    }
    const bool voxels =
        (double)width > SHOW_VOXELS * (double)nu && (double)height > SHOW_VOXELS * (double)nv;
    for (size_t x = 0; x < width; x++) {
        struct reach reach = reach_of(x, width, nu, voxels);
        for (size_t v = 0; v < nv; v++) {
            rows[v * width + x] = take(plane->magnitude + v * nu, 1, &reach);
        }
    }
    for (size_t y = 0; y < height; y++) {
        struct reach reach = reach_of(height - 1 - y, height, nv, voxels);
        for (size_t x = 0; x < width; x++) {
            out[y * width + x] = take(rows + x, width, &reach);
        }
    }
    free(rows);
    return out;
}

/* Where the plane is largest within reach of a pixel. */
static size_t strongest(const struct plane *plane, const struct reach *u, const struct reach *v) {
    size_t best = v->first * plane->u.count + u->first;
    for (size_t j = v->first; j <= v->last; j++) {
        for (size_t i = u->first; i <= u->last; i++) {
            size_t at = j * plane->u.count + i;
            best = plane->magnitude[at] > plane->magnitude[best] ? at : best;
        }
    }
    return best;
}

/* Of the two samples that a mean would be taken of, the nearer one. */
static struct reach nearer(struct reach reach) {
    if (!reach.reduced) {
        reach.first = reach.last = reach.weight > 0.5 ? reach.last : reach.first;
    }
    return reach;
}

double *resample_beside(const struct plane *plane, const double *beside, size_t width,
                        size_t height) {
    double *out = calloc(width, height * sizeof *out);
    for (size_t y = 0; out != NULL && y < height; y++) {
        struct reach v = nearer(reach_of(height - 1 - y, height, plane->v.count, false));
        for (size_t x = 0; x < width; x++) {
            struct reach u = nearer(reach_of(x, width, plane->u.count, false));
            out[y * width + x] = beside[strongest(plane, &u, &v)];
        }
    }
    return out;
}
