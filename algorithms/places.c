#include "algorithms/places.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

/* Squares along one axis that can be told apart. */
#define SQUARES 2e9

/* Where the grid begins, in squares: no place that a scanner would stop at lies on its lines. */
#define OFFSET 0.3819660112501051

struct entry {
    int32_t row, column;
    uint32_t point;
};

static int by_square(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int rows = (x->row > y->row) - (x->row < y->row);
    return rows != 0 ? rows : (x->column > y->column) - (x->column < y->column);
}

static enum nfsar_status sort_points(const struct plane_point *point, size_t n, double square,
                                     struct entry *sorted, nfsar_error *error) {
    struct plane_point low = point[0], high = point[0];
    for (size_t i = 1; i < n; i++) {
        low = (struct plane_point){fmin(low.x, point[i].x), fmin(low.y, point[i].y)};
        high = (struct plane_point){fmax(high.x, point[i].x), fmax(high.y, point[i].y)};
    }
    double extent = fmax(high.x - low.x, high.y - low.y);
    if (!(extent / square < SQUARES)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the phase centres lie %g m apart: too far for density weights", extent);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] =
            (struct entry){(int32_t)floor((point[i].y - low.y) / square + OFFSET),
                           (int32_t)floor((point[i].x - low.x) / square + OFFSET), (uint32_t)i};
    }
    qsort(sorted, n, sizeof *sorted, by_square);
    return NFSAR_OK;
}

static void fill(const struct plane_point *point, const struct entry *sorted, size_t n,
                 struct places *places) {
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || by_square(&sorted[i - 1], &sorted[i]) != 0) {
            places->row[places->n] = sorted[i].row;
            places->column[places->n] = sorted[i].column;
            places->members[places->n] = 0.0f;
            places->middle[places->n++] = (struct plane_point){0.0, 0.0};
        }
        size_t place = places->n - 1;
        struct plane_point at = point[sorted[i].point];
        places->of[sorted[i].point] = (uint32_t)place;
        places->members[place] += 1.0f;
        places->middle[place].x += at.x;
        places->middle[place].y += at.y;
    }
    for (size_t i = 0; i < places->n; i++) {
        places->middle[i].x /= (double)places->members[i];
        places->middle[i].y /= (double)places->members[i];
    }
}

enum nfsar_status places_make(const struct plane_point *point, size_t n, double square,
                              struct places *places, nfsar_error *error) {
    memset(places, 0, sizeof *places);
    struct entry *sorted = buffer_alloc(n, sizeof *sorted);
    places->of = buffer_alloc(n, sizeof *places->of);
    places->members = buffer_alloc(n, sizeof *places->members);
    places->middle = buffer_alloc(n, sizeof *places->middle);
    places->row = buffer_alloc(n, sizeof *places->row);
    places->column = buffer_alloc(n, sizeof *places->column);
    enum nfsar_status status = NFSAR_OK;
    if (sorted == NULL || places->of == NULL || places->members == NULL || places->middle == NULL ||
        places->row == NULL || places->column == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    }
    if (status == NFSAR_OK) {
        status = sort_points(point, n, square, sorted, error);
    }
    if (status == NFSAR_OK) {
        fill(point, sorted, n, places);
    } else {
        places_free(places);
    }
    free(sorted);
    return status;
}

void places_free(struct places *places) {
    free(places->of);
    free(places->members);
    free(places->middle);
    free(places->row);
    free(places->column);
    memset(places, 0, sizeof *places);
}
