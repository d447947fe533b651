#include "algorithms/sparse/proximal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/multiversion.h"

struct proximal {
    struct proximal_shape shape;
    int threads;
    size_t n, n_axis;
    size_t axis[3];   /* 0 x, 1 y, 2 z: those with more than one voxel */
    double weight[3]; /* of them */
    /* Complex numbers, as pairs. */
    float *p[3];  /* dual, one number for each difference */
    float *q[3];  /* the extrapolated dual */
    float *b, *m; /* the volume given, its slices turned, and the one found */
};

/* Voxels below which one thread is enough. */
enum { SMALL = 32768 };

static size_t axes_of(struct proximal_shape shape, size_t axis[3]) {
    const size_t count[3] = {shape.x, shape.y, shape.z};
    size_t n = 0;
    for (size_t a = 0; a < 3; a++) {
        if (count[a] > 1) {
            axis[n++] = a;
        }
    }
    return n;
}

size_t proximal_copies(struct proximal_shape shape, bool tv) {
    size_t axis[3];
    return tv ? 4 * axes_of(shape, axis) + 4 : 0;
}

struct proximal *proximal_create(struct proximal_shape shape, bool tv, int threads) {
    struct proximal *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->shape = shape;
    made->n = shape.x * shape.y * shape.z;
    /* Of little work the threads' meeting is most. */
    int most = made->n < SMALL ? 1 : omp_get_max_threads();
    made->threads = threads > 0 && threads < most ? threads : most;
    made->n_axis = tv ? axes_of(shape, made->axis) : 0;
    bool good = true;
    for (size_t d = 0; d < made->n_axis; d++) {
        made->weight[d] = shape.weight[made->axis[d]];
        made->p[d] = buffer_zeros(2 * made->n, sizeof **made->p);
        made->q[d] = buffer_zeros(2 * made->n, sizeof **made->q);
        good = good && made->p[d] != NULL && made->q[d] != NULL;
    }
    if (made->n_axis > 0) {
        made->b = buffer_alloc(2 * made->n, sizeof *made->b);
        made->m = buffer_zeros(2 * made->n, sizeof *made->m);
        good = good && made->b != NULL && made->m != NULL;
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
        free(proximal->b);
        free(proximal->m);
    }
    free(proximal);
}

/* Numbers between neighbours along an axis. */
static size_t stride_of(struct proximal_shape shape, size_t axis) {
    return axis == 0 ? 1 : axis == 1 ? shape.x : shape.x * shape.y;
}

/* Magnitudes less `threshold`, or 0. */
static void shrink(const struct proximal *proximal, const float complex *b, float threshold,
                   float complex *x) {
#pragma omp parallel for schedule(static) num_threads(proximal->threads)
    for (size_t i = 0; i < proximal->n; i++) {
        float re = crealf(b[i]), im = cimagf(b[i]);
        float magnitude = sqrtf(re * re + im * im);
        float keep = magnitude > threshold ? 1.0f - threshold / magnitude : 0.0f;
        x[i] = keep * b[i];
    }
}

/* Voxels of a row [z][y] that have a neighbour along the axis: all, all but the last, or none. */
static size_t neighbours(struct proximal_shape shape, size_t axis, size_t row) {
    switch (axis) {
    case 0:
        return shape.x - 1;
    case 1:
        return row % shape.y + 1 < shape.y ? shape.x : 0;
    default:
        return row / shape.y + 1 < shape.z ? shape.x : 0;
    }
}

/* And those that are somebody's neighbour: from `first` on. */
static size_t neighboured(struct proximal_shape shape, size_t axis, size_t row, size_t *first) {
    *first = axis == 0 ? 1 : 0;
    bool none = (axis == 1 && row % shape.y == 0) || (axis == 2 && row / shape.y == 0);
    return none ? 0 : shape.x;
}

/* Voxels of a row that are worked on together. */
enum { PIECE = 128 };

/* A row of m = shrink(b - tv D^T q, l1): the volume that a dual stands for. Returns by how much it
 * moved, squared, and adds its own square to *power. */
MULTIVERSION
static double primal_row(const struct proximal *proximal, float l1, float tv, size_t row,
                         double *power) {
    struct proximal_shape shape = proximal->shape;
    float *m = proximal->m + 2 * row * shape.x, line[2 * PIECE];
    double moved = 0.0, square = 0.0;
    for (size_t from = 0; from < shape.x; from += PIECE) {
        size_t end = from + PIECE < shape.x ? from + PIECE : shape.x;
        memcpy(line, proximal->b + 2 * (row * shape.x + from), 2 * (end - from) * sizeof *line);
        for (size_t d = 0; d < proximal->n_axis; d++) {
            size_t axis = proximal->axis[d], stride = stride_of(shape, axis), first;
            float w = tv * (float)proximal->weight[d];
            const float *q = proximal->q[d] + 2 * (row * shape.x + from);
            size_t to = neighbours(shape, axis, row);
            to = to < end ? to : end;
            for (size_t i = 0; i + 2 * from < 2 * to; i++) {
                line[i] += w * q[i];
            }
            to = neighboured(shape, axis, row, &first);
            to = to < end ? to : end;
            for (size_t i = from < first ? 2 * (first - from) : 0; i + 2 * from < 2 * to; i++) {
                line[i] -= w * *(q + i - 2 * stride);
            }
        }
        float sum_moved = 0.0f, sum_square = 0.0f, *to = m + 2 * from;
#pragma omp simd reduction(+ : sum_moved, sum_square)
        for (size_t i = 0; i < end - from; i++) {
            float re = line[2 * i], im = line[2 * i + 1], magnitude = sqrtf(re * re + im * im);
            float keep = magnitude > l1 ? 1.0f - l1 / magnitude : 0.0f;
            keep = l1 > 0.0f ? keep : 1.0f;
            re *= keep;
            im *= keep;
            float off_re = re - to[2 * i], off_im = im - to[2 * i + 1];
            sum_moved += off_re * off_re + off_im * off_im;
            sum_square += re * re + im * im;
            to[2 * i] = re;
            to[2 * i + 1] = im;
        }
        moved += (double)sum_moved;
        square += (double)sum_square;
    }
    *power += square;
    return moved;
}

/* The part of m's length that it moved by, squared. */
static double primal(const struct proximal *proximal, float l1, float tv) {
    size_t rows = proximal->shape.y * proximal->shape.z;
    double moved = 0.0, power = 0.0;
#pragma omp parallel for schedule(static) num_threads(proximal->threads) reduction(+ : moved, power)
    for (size_t row = 0; row < rows; row++) {
        moved += primal_row(proximal, l1, tv, row, &power);
    }
    return power > 0.0 ? moved / power : moved > 0.0 ? 1.0 : 0.0;
}

/* A row of q = q + step D m, each voxel's differences together no longer than 1; and from there as
 * far again as it came, times `momentum`. */
MULTIVERSION
static void climb_row(const struct proximal *proximal, float step, float momentum, size_t row) {
    struct proximal_shape shape = proximal->shape;
    size_t at = 2 * row * shape.x;
    const float *m = proximal->m + at;
    float scale[PIECE];
    for (size_t d = 0; d < proximal->n_axis; d++) {
        size_t axis = proximal->axis[d], stride = 2 * stride_of(shape, axis);
        size_t n = 2 * neighbours(shape, axis, row);
        float *q = proximal->q[d] + at, w = step * (float)proximal->weight[d];
        for (size_t i = 0; i < n; i++) {
            q[i] += w * (m[i + stride] - m[i]);
        }
    }
    for (size_t from = 0; from < shape.x; from += PIECE) {
        size_t n = shape.x - from < PIECE ? shape.x - from : PIECE, here = at + 2 * from;
        memset(scale, 0, n * sizeof *scale);
        for (size_t d = 0; d < proximal->n_axis; d++) {
            const float *q = proximal->q[d] + here;
            for (size_t i = 0; i < n; i++) {
                scale[i] += q[2 * i] * q[2 * i] + q[2 * i + 1] * q[2 * i + 1];
            }
        }
        for (size_t i = 0; i < n; i++) {
            scale[i] = scale[i] > 1.0f ? 1.0f / sqrtf(scale[i]) : 1.0f;
        }
        for (size_t d = 0; d < proximal->n_axis; d++) {
            float *restrict q = proximal->q[d] + here, *restrict p = proximal->p[d] + here;
            for (size_t i = 0; i < 2 * n; i++) {
                float now = q[i] * scale[i / 2];
                q[i] = now + momentum * (now - p[i]);
                p[i] = now;
            }
        }
    }
}

static void climb(const struct proximal *proximal, float step, float momentum) {
    size_t rows = proximal->shape.y * proximal->shape.z;
#pragma omp parallel for schedule(static) num_threads(proximal->threads)
    for (size_t row = 0; row < rows; row++) {
        climb_row(proximal, step, momentum, row);
    }
}

/* The dual itself, not where it would go next. */
static void stand_still(const struct proximal *proximal) {
    for (size_t d = 0; d < proximal->n_axis; d++) {
        memcpy(proximal->q[d], proximal->p[d], 2 * proximal->n * sizeof **proximal->q);
    }
}

/* The slices turned, from pairs or to them; sign -1 for back. */
static void turn_slices(const struct proximal *proximal, double sign, const float *from,
                        float *to) {
    size_t slice = proximal->shape.x * proximal->shape.y;
#pragma omp parallel for schedule(static) num_threads(proximal->threads)
    for (size_t z = 0; z < proximal->shape.z; z++) {
        double angle = sign * proximal->shape.turn * (double)z;
        float c = (float)cos(angle), s = (float)sin(angle);
        for (size_t i = 2 * z * slice; i < 2 * (z + 1) * slice; i += 2) {
            float re = from[i], im = from[i + 1];
            to[i] = c * re - s * im;
            to[i + 1] = c * im + s * re;
        }
    }
}

size_t proximal_map(struct proximal *proximal, const float complex *b, double l1, double tv,
                    size_t iterations, float complex *x) {
    if (!(tv > 0.0) || proximal->n_axis == 0) {
        shrink(proximal, b, (float)l1, x);
        return 0;
    }
    /* |D|^2 is at most 4 w^2 for each axis. */
    double squares = 0.0, t = 1.0;
    for (size_t d = 0; d < proximal->n_axis; d++) {
        squares += proximal->weight[d] * proximal->weight[d];
    }
    float step = (float)(1.0 / (tv * 4.0 * squares));
    size_t done = 0;
    turn_slices(proximal, 1.0, (const float *)b, proximal->b);
    stand_still(proximal);
    primal(proximal, (float)l1, (float)tv);
    while (done < iterations) {
        double next = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
        climb(proximal, step, (float)((t - 1.0) / next));
        t = next;
        done++;
        if (primal(proximal, (float)l1, (float)tv) <= 1e-13) {
            break;
        }
    }
    stand_still(proximal);
    primal(proximal, (float)l1, (float)tv);
    turn_slices(proximal, -1.0, proximal->m, (float *)x);
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
    size_t axis[3], n_axis = axes_of(shape, axis);
    double sum = 0.0;
    for (size_t i = 0; i < shape.x * shape.y * shape.z; i++) {
        double power = 0.0;
        for (size_t d = 0; d < n_axis; d++) {
            if (i % shape.x < neighbours(shape, axis[d], i / shape.x)) {
                double angle = axis[d] == 2 ? shape.turn : 0.0;
                double complex next = cexp(angle * I) * x[i + stride_of(shape, axis[d])];
                power += pow(shape.weight[axis[d]] * cabs(next - (double complex)x[i]), 2.0);
            }
        }
        sum += sqrt(power);
    }
    return sum;
}
