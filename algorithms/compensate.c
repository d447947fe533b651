#include "algorithms/compensate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "algorithms/buffer.h"
#include "algorithms/places.h"

enum { STEPS = 8, ROWS = 2 * STEPS + 1, ITERATIONS = 10 };

/* K w is 1 to within this: it goes on. */
#define SETTLED 1e-3

struct convolution {
    const struct places *places;
    double reach;
    uint32_t (*first)[ROWS]; /* [places->n] of each row in reach the first place that may be */
};

/* The first place at or after (row, column). */
static size_t find_square(const struct places *places, int64_t row, int64_t column) {
    size_t low = 0, high = places->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = places->row[middle] < row ||
                      (places->row[middle] == row && places->column[middle] < column);
        if (before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool convolution_make(struct convolution *to) {
    to->first = buffer_alloc(to->places->n, sizeof *to->first);
    if (to->first == NULL) {
        return false;
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < to->places->n; i++) {
        for (int r = 0; r < ROWS; r++) {
            to->first[i][r] =
                (uint32_t)find_square(to->places, (int64_t)to->places->row[i] + r - STEPS,
                                      (int64_t)to->places->column[i] - STEPS);
        }
    }
    return true;
}

/* (K w) at a place, weight being that of each of its members. */
static double convolve(const struct convolution *with, const double *weight, size_t i) {
    const struct places *places = with->places;
    double per_square = 1.0 / (with->reach * with->reach), sum = 0.0;
    for (int r = 0; r < ROWS; r++) {
        int64_t row = (int64_t)places->row[i] + r - STEPS;
        int64_t last = (int64_t)places->column[i] + STEPS;
        for (size_t k = with->first[i][r];
             k < places->n && places->row[k] == row && places->column[k] <= last; k++) {
            double dx = places->middle[k].x - places->middle[i].x;
            double dy = places->middle[k].y - places->middle[i].y;
            double left = fmax(0.0, 1.0 - (dx * dx + dy * dy) * per_square);
            sum += (double)places->members[k] * weight[k] * left * left;
        }
    }
    return sum;
}

static void iterate(const struct convolution *with, double *weight, double *convolved) {
    size_t n = with->places->n;
    for (size_t i = 0; i < n; i++) {
        weight[i] = 1.0;
    }
    double off = 1.0;
    for (int pass = 0; pass < ITERATIONS && off > SETTLED; pass++) {
        off = 0.0;
#pragma omp parallel for schedule(static) reduction(max : off)
        for (size_t i = 0; i < n; i++) {
            convolved[i] = convolve(with, weight, i);
            off = fmax(off, fabs(convolved[i] - 1.0));
        }
        for (size_t i = 0; i < n; i++) {
            weight[i] /= convolved[i];
        }
    }
}

enum nfsar_status compensate_density(const struct plane_point *point, size_t n, double reach,
                                     double *weight, nfsar_error *error) {
    struct places places;
    enum nfsar_status status = places_make(point, n, reach / STEPS, &places, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct convolution with = {.places = &places, .reach = reach};
    double *each = buffer_alloc(2 * places.n, sizeof *each);
    if (each != NULL && convolution_make(&with)) {
        iterate(&with, each, each + places.n);
        for (size_t i = 0; i < n; i++) {
            weight[i] = each[places.of[i]];
        }
    } else {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", places.n);
    }
    free(each);
    free(with.first);
    places_free(&places);
    return status;
}
