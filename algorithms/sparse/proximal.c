#include "algorithms/sparse/proximal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/sparse/vectors.h"

struct proximal {
    struct proximal_shape shape;
    size_t n, n_axis;
    size_t axis[3];       /* 0 x, 1 y, 2 z: those with more than one voxel */
    float complex *p[3];  /* dual, one number for each difference */
    float complex *q[3];  /* the extrapolated dual */
    float complex *older; /* the last x */
};

struct proximal *proximal_create(struct proximal_shape shape, bool tv) {
    struct proximal *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->shape = shape;
    made->n = shape.x * shape.y * shape.z;
    const size_t count[3] = {shape.x, shape.y, shape.z};
    bool good = true;
    for (size_t a = 0; tv && a < 3; a++) {
        if (count[a] > 1) {
            size_t d = made->n_axis++;
            made->axis[d] = a;
            made->p[d] = buffer_zeros(made->n, sizeof **made->p);
            made->q[d] = buffer_zeros(made->n, sizeof **made->q);
            good = good && made->p[d] != NULL && made->q[d] != NULL;
        }
    }
    if (made->n_axis > 0) {
        made->older = buffer_alloc(made->n, sizeof *made->older);
        good = good && made->older != NULL;
    }
    if (!good) {
        proximal_destroy(made);
        return NULL;
    }
    return made;
}

void proximal_destroy(struct proximal *proximal) {
    for (int d = 0; proximal != NULL && d < 3; d++) {
        free(proximal->p[d]);
        free(proximal->q[d]);
    }
    if (proximal != NULL) {
        free(proximal->older);
    }
    free(proximal);
}

/* Numbers between neighbours along an axis. */
static size_t stride_of(struct proximal_shape shape, size_t axis) {
    return axis == 0 ? 1 : axis == 1 ? shape.x : shape.x * shape.y;
}

/* Magnitudes less `threshold`, or 0. */
static void shrink(const float complex *b, size_t n, float threshold, float complex *x) {
    for (size_t i = 0; i < n; i++) {
        float re = crealf(b[i]), im = cimagf(b[i]);
        float magnitude = sqrtf(re * re + im * im);
        float keep = magnitude > threshold ? 1.0f - threshold / magnitude : 0.0f;
        x[i] = keep * b[i];
    }
}

/* Voxels of a row [y][z] that have a neighbour along the axis: all, all but the last, or none. */
static size_t neighbours(struct proximal_shape shape, size_t axis, size_t y, size_t z) {
    switch (axis) {
    case 0:
        return shape.x - 1;
    case 1:
        return y + 1 < shape.y ? shape.x : 0;
    default:
        return z + 1 < shape.z ? shape.x : 0;
    }
}

/* x = shrink(b - tv D^H q): the volume that a dual stands for. */
static void primal(const struct proximal *proximal, const float complex *b, float l1, float tv,
                   float complex *x) {
    struct proximal_shape shape = proximal->shape;
    memcpy(x, b, proximal->n * sizeof *x);
    for (size_t d = 0; d < proximal->n_axis; d++) {
        size_t axis = proximal->axis[d], stride = stride_of(shape, axis);
        for (size_t row = 0; row < shape.y * shape.z; row++) {
            size_t n = neighbours(shape, axis, row % shape.y, row / shape.y);
            const float complex *q = proximal->q[d] + row * shape.x;
            float complex *to = x + row * shape.x;
            for (size_t i = 0; i < n; i++) {
                to[i] += tv * q[i];
                to[i + stride] -= tv * q[i];
            }
        }
    }
    if (l1 > 0.0f) {
        shrink(x, proximal->n, l1, x);
    }
}

/* q = q + step D x, each voxel's differences together no longer than 1. */
static void climb(const struct proximal *proximal, const float complex *x, float step) {
    struct proximal_shape shape = proximal->shape;
    for (size_t d = 0; d < proximal->n_axis; d++) {
        size_t axis = proximal->axis[d], stride = stride_of(shape, axis);
        for (size_t row = 0; row < shape.y * shape.z; row++) {
            size_t n = neighbours(shape, axis, row % shape.y, row / shape.y);
            const float complex *from = x + row * shape.x;
            float complex *q = proximal->q[d] + row * shape.x;
            for (size_t i = 0; i < n; i++) {
                q[i] += step * (from[i + stride] - from[i]);
            }
        }
    }
    for (size_t i = 0; i < proximal->n; i++) {
        float power = 0.0f;
        for (size_t d = 0; d < proximal->n_axis; d++) {
            float re = crealf(proximal->q[d][i]), im = cimagf(proximal->q[d][i]);
            power += re * re + im * im;
        }
        float scale = power > 1.0f ? 1.0f / sqrtf(power) : 1.0f;
        for (size_t d = 0; d < proximal->n_axis; d++) {
            proximal->q[d][i] *= scale;
        }
    }
}

/* q is the new dual, p the old one: q runs on by `momentum` of the difference, p becomes the new.
 */
static void extrapolate(struct proximal *proximal, float momentum) {
    for (size_t d = 0; d < proximal->n_axis; d++) {
        float complex *p = proximal->p[d], *q = proximal->q[d];
        for (size_t i = 0; i < proximal->n; i++) {
            float complex now = q[i];
            q[i] = now + momentum * (now - p[i]);
            p[i] = now;
        }
    }
}

size_t proximal_map(struct proximal *proximal, const float complex *b, double l1, double tv,
                    size_t iterations, float complex *x) {
    if (!(tv > 0.0) || proximal->n_axis == 0) {
        shrink(b, proximal->n, (float)l1, x);
        return 0;
    }
    /* |D|^2 is at most 4 for each axis. */
    float step = (float)(1.0 / (tv * 4.0 * (double)proximal->n_axis));
    double t = 1.0;
    size_t done = 0;
    for (size_t d = 0; d < proximal->n_axis; d++) {
        memcpy(proximal->q[d], proximal->p[d], proximal->n * sizeof **proximal->q);
    }
    primal(proximal, b, (float)l1, (float)tv, x);
    while (done < iterations) {
        memcpy(proximal->older, x, proximal->n * sizeof *x);
        climb(proximal, x, step);
        double next = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
        extrapolate(proximal, (float)((t - 1.0) / next));
        t = next;
        primal(proximal, b, (float)l1, (float)tv, x);
        done++;
        double moved = vectors_distance(x, proximal->older, proximal->n);
        if (moved <= 1e-13 * vectors_power(x, proximal->n)) {
            break;
        }
    }
    /* What stands for the dual itself, not for where it would go next. */
    for (size_t d = 0; d < proximal->n_axis; d++) {
        memcpy(proximal->q[d], proximal->p[d], proximal->n * sizeof **proximal->q);
    }
    primal(proximal, b, (float)l1, (float)tv, x);
    return done;
}

double proximal_l1(const float complex *x, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)cabsf(x[i]);
    }
    return sum;
}

double proximal_tv(const float complex *x, struct proximal_shape shape) {
    const size_t count[3] = {shape.x, shape.y, shape.z};
    double sum = 0.0;
    for (size_t i = 0; i < shape.x * shape.y * shape.z; i++) {
        const size_t at[3] = {i % shape.x, i / shape.x % shape.y, i / shape.x / shape.y};
        double power = 0.0;
        for (size_t a = 0; a < 3; a++) {
            if (at[a] + 1 < count[a]) {
                double off = (double)cabsf(x[i + stride_of(shape, a)] - x[i]);
                power += off * off;
            }
        }
        sum += sqrt(power);
    }
    return sum;
}
