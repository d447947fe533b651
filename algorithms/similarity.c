#include "algorithms/similarity.h"

#include <math.h>
#include <stdlib.h>

#define RADIUS 5
#define WIDTH  (2 * RADIUS + 1)
#define SIGMA  1.5
#define C1     (0.01 * 0.01)
#define C2     (0.03 * 0.03)

/* Of a window, or of a row filtered along x: the means of a, b, a^2, b^2, ab. */
enum { MEAN_A, MEAN_B, MEAN_AA, MEAN_BB, MEAN_AB, N_MEAN };

struct work {
    double gauss[WIDTH];
    size_t nx;
    double *a, *b; /* one row of magnitudes, [nx] */
    double *row;   /* filtered rows, [WIDTH][N_MEAN][nx]; row y at y % WIDTH */
};

static double *filtered_row(const struct work *work, size_t y, int mean) {
    return work->row + ((y % WIDTH) * N_MEAN + (size_t)mean) * work->nx;
}

/* The part of the window around i that lies inside [0, n), as offsets into gauss. */
static void inside(size_t i, size_t n, size_t *from, size_t *to) {
    *from = i < RADIUS ? RADIUS - i : 0;
    *to = n - i <= RADIUS ? n - i + RADIUS : WIDTH;
}

static double weight_of(const struct work *work, size_t from, size_t to) {
    double weight = 0.0;
    for (size_t k = from; k < to; k++) {
        weight += work->gauss[k];
    }
    return weight;
}

static void filter_along(struct work *work, const float complex *a, double a_scale,
                         const float complex *b, double b_scale, size_t y) {
    const size_t nx = work->nx;
    for (size_t x = 0; x < nx; x++) {
        work->a[x] = a_scale * hypot(crealf(a[y * nx + x]), cimagf(a[y * nx + x]));
        work->b[x] = b_scale * hypot(crealf(b[y * nx + x]), cimagf(b[y * nx + x]));
    }
    for (size_t x = 0; x < nx; x++) {
        double mean[N_MEAN] = {0};
        size_t from, to;
        inside(x, nx, &from, &to);
        for (size_t k = from; k < to; k++) {
            double u = work->a[x + k - RADIUS], v = work->b[x + k - RADIUS], w = work->gauss[k];
            mean[MEAN_A] += w * u;
            mean[MEAN_B] += w * v;
            mean[MEAN_AA] += w * u * u;
            mean[MEAN_BB] += w * v * v;
            mean[MEAN_AB] += w * u * v;
        }
        double weight = weight_of(work, from, to);
        for (int m = 0; m < N_MEAN; m++) {
            filtered_row(work, y, m)[x] = mean[m] / weight;
        }
    }
}

static double similarity(const double mean[N_MEAN]) {
    double aa = mean[MEAN_A] * mean[MEAN_A], bb = mean[MEAN_B] * mean[MEAN_B];
    double ab = mean[MEAN_A] * mean[MEAN_B];
    double variance_a = mean[MEAN_AA] - aa, variance_b = mean[MEAN_BB] - bb;
    double covariance = mean[MEAN_AB] - ab;
    return (2.0 * ab + C1) * (2.0 * covariance + C2) /
           ((aa + bb + C1) * (variance_a + variance_b + C2));
}

static double sum_row(const struct work *work, size_t y, size_t ny) {
    size_t from, to;
    double sum = 0.0;
    inside(y, ny, &from, &to);
    double weight = weight_of(work, from, to);
    for (size_t x = 0; x < work->nx; x++) {
        double mean[N_MEAN] = {0};
        for (size_t k = from; k < to; k++) {
            for (int m = 0; m < N_MEAN; m++) {
                mean[m] += work->gauss[k] * filtered_row(work, y + k - RADIUS, m)[x];
            }
        }
        for (int m = 0; m < N_MEAN; m++) {
            mean[m] /= weight;
        }
        sum += similarity(mean);
    }
    return sum;
}

bool similarity_sum(const float complex *a, double a_scale, const float complex *b, double b_scale,
                    size_t nx, size_t ny, size_t first, size_t last, double *sum) {
    struct work work = {.nx = nx};
    for (int k = 0; k < WIDTH; k++) {
        work.gauss[k] = exp(-0.5 * pow((k - RADIUS) / SIGMA, 2.0));
    }
    work.a = calloc(nx, sizeof *work.a);
    work.b = calloc(nx, sizeof *work.b);
    work.row = calloc(nx, WIDTH * N_MEAN * sizeof *work.row);
    bool memory = work.a != NULL && work.b != NULL && work.row != NULL;
    *sum = 0.0;
    /* Row y needs the filtered rows up to y + RADIUS; the ring holds exactly those around y. */
    size_t ready = first > RADIUS ? first - RADIUS : 0;
    for (size_t y = first; memory && y < last; y++) {
        for (; ready < ny && ready <= y + RADIUS; ready++) {
            filter_along(&work, a, a_scale, b, b_scale, ready);
        }
        *sum += sum_row(&work, y, ny);
    }
    free(work.a);
    free(work.b);
    free(work.row);
    return memory;
}
