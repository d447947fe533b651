#include "algorithms/depthsum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/gridding.h"
#include "algorithms/transform.h"

enum { TABLE_STEPS = 1024, SHORTEST = 2 * GRIDDING_WIDEST };

/* Of few depths the fine grid is many times as long; the kernel is no narrower for it. */
#define MOST_OVERSAMPLING 2.5

struct depthsum {
    size_t n_out;
    int direct;
    size_t width;      /* of the kernel, grid points */
    size_t length;     /* of the fine grid */
    float *table;      /* [TABLE_STEPS + 1][width] kernel at the width points round a source */
    float *correction; /* [n_out] 1 / transform of the kernel */
    fftwf_plan forward;
};

static void fill(depthsum *plan, double beta) {
    double width = (double)plan->width;
    for (size_t step = 0; step <= TABLE_STEPS; step++) {
        /* A source at grid coordinate g touches first .. first + width - 1, first being
         * ceil(g - width / 2); `away` runs over first - (g - width / 2), in 0 .. 1. */
        double away = (double)step / TABLE_STEPS;
        for (size_t j = 0; j < plan->width; j++) {
            double u = away - 0.5 * width + (double)j;
            plan->table[step * plan->width + j] = (float)gridding_value(2.0 * u / width, beta);
        }
    }
    for (size_t m = 0; m < plan->n_out; m++) {
        double index = (double)m - (double)(plan->n_out / 2);
        double omega = 2.0 * NFSAR_PI * index / (double)plan->length;
        plan->correction[m] = (float)(1.0 / gridding_transform((int)plan->width, beta, omega));
    }
}

depthsum *depthsum_create(size_t n_in, size_t n_out, double tolerance, enum depthsum_way way) {
    depthsum *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    plan->n_out = n_out;
    plan->length = transform_length(2 * n_out > SHORTEST ? 2 * n_out : SHORTEST);
    double oversampling = (double)plan->length / (double)n_out;
    struct gridding kernel = gridding_choose(tolerance, fmin(MOST_OVERSAMPLING, oversampling));
    plan->width = (size_t)kernel.width;
    /* Direct: a complex multiply-add and a rotation a term; else spreading and the transform. */
    double direct_cost = 14.0 * (double)n_in * (double)n_out;
    double fast_cost = (double)n_in * (30.0 + 6.0 * (double)plan->width) +
                       8.0 * (double)plan->length * log2((double)plan->length);
    plan->direct = way == DEPTHSUM_DIRECT || (way == DEPTHSUM_AUTO && direct_cost <= fast_cost);
    if (plan->direct) {
        return plan;
    }
    plan->table = malloc((TABLE_STEPS + 1) * plan->width * sizeof *plan->table);
    plan->correction = malloc(n_out * sizeof *plan->correction);
    plan->forward = transform_plan(plan->length, 1, plan->length, FFTW_FORWARD);
    if (plan->table == NULL || plan->correction == NULL || plan->forward == NULL) {
        depthsum_destroy(plan);
        return NULL;
    }
    fill(plan, kernel.beta);
    return plan;
}

size_t depthsum_scratch(const depthsum *plan) {
    return plan->direct ? 1 : plan->length;
}

size_t depthsum_length(const depthsum *plan) {
    return plan->direct ? 0 : plan->length;
}

static void sum_directly(const depthsum *plan, const float complex *c, const double *t, size_t n,
                         float complex *out, size_t stride) {
    double first = -(double)(plan->n_out / 2);
    for (size_t i = 0; i < n; i++) {
        double re = (double)crealf(c[i]), im = (double)cimagf(c[i]);
        double phase = -t[i] * first, cs = cos(t[i]), sn = -sin(t[i]);
        double x = re * cos(phase) - im * sin(phase), y = re * sin(phase) + im * cos(phase);
        for (size_t m = 0; m < plan->n_out; m++) {
            out[m * stride] += (float)x + (float)y * I;
            double turned = x * cs - y * sn;
            y = x * sn + y * cs;
            x = turned;
        }
    }
}

/* Add c * kernel to the width grid points round grid coordinate g in [0, length). */
static void spread(const depthsum *plan, float complex c, double g, float *grid) {
    double left = g - 0.5 * (double)plan->width;
    double first = ceil(left);
    double at = (first - left) * TABLE_STEPS;
    size_t step = (size_t)at < TABLE_STEPS ? (size_t)at : TABLE_STEPS - 1;
    float fraction = (float)(at - (double)step);
    const float *row = plan->table + step * plan->width, *next = row + plan->width;
    float re = crealf(c), im = cimagf(c);
    long index = (long)first;
    long length = (long)plan->length;
    index += index < 0 ? length : 0;
    if (index + (long)plan->width <= length) {
        for (size_t j = 0; j < plan->width; j++) {
            float weight = row[j] + fraction * (next[j] - row[j]);
            grid[2 * ((size_t)index + j)] += re * weight;
            grid[2 * ((size_t)index + j) + 1] += im * weight;
        }
        return;
    }
    for (size_t j = 0; j < plan->width; j++) {
        size_t wrapped = ((size_t)index + j) % plan->length;
        float weight = row[j] + fraction * (next[j] - row[j]);
        grid[2 * wrapped] += re * weight;
        grid[2 * wrapped + 1] += im * weight;
    }
}

void depthsum_execute(const depthsum *plan, const float complex *c, const double *t, size_t n,
                      float complex *out, size_t stride, float complex *scratch) {
    if (plan->direct) {
        sum_directly(plan, c, t, n, out, stride);
        return;
    }
    memset(scratch, 0, plan->length * sizeof *scratch);
    double length = (double)plan->length;
    for (size_t i = 0; i < n; i++) {
        double turns = t[i] / (2.0 * NFSAR_PI);
        double g = (turns - floor(turns)) * length;
        spread(plan, c[i], g < length ? g : 0.0, (float *)scratch);
    }
    fftwf_execute_dft(plan->forward, scratch, scratch);
    size_t half = plan->n_out / 2;
    for (size_t m = 0; m < plan->n_out; m++) {
        size_t bin = m >= half ? m - half : plan->length - (half - m);
        out[m * stride] += scratch[bin] * plan->correction[m];
    }
}

void depthsum_destroy(depthsum *plan) {
    if (plan != NULL) {
        free(plan->table);
        free(plan->correction);
        transform_destroy(plan->forward);
        free(plan);
    }
}
