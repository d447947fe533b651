/* Spreading and gathering against the double sum of weights. */
#include "algorithms/spread_kernel.h"

spread_add spread_add_wide;
spread_gather spread_gather_wide;

#define LANES_WIDE
#include "algorithms/spread_kernel_body.h"

#include "tests/support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "algorithms/buffer.h"
#include "algorithms/gridding.h"
#include "algorithms/spread.h"

enum { MOST_VECTORS = 16 };

struct problem {
    struct spread_shape shape;
    size_t n, pitch;
    double *at[3];
    float complex *values; /* [n][pitch], as the points come */
};

static const struct spread_axis absent = {0.0, 1.0, 1, 1, 0.0};

static const struct spread_axis *axis_of(const struct problem *p, int k) {
    return k == 0 ? &p->shape.x : k == 1 ? &p->shape.y : &p->shape.z;
}

static void place(struct problem *p, size_t n, nfsar_random *random) {
    p->n = n;
    for (int k = 0; k < 3; k++) {
        const struct spread_axis *axis = axis_of(p, k);
        p->at[k] = axis->width == 1 ? NULL : malloc(n * sizeof(double));
        double room = (double)axis->count - 1.0 - axis->width;
        for (size_t i = 0; axis->width > 1 && i < n; i++) {
            double step = 0.5 * axis->width + room * nfsar_random_uniform(random);
            p->at[k][i] = axis->first + axis->step * step;
        }
    }
    p->pitch = MOST_VECTORS;
    p->values = malloc(n * p->pitch * sizeof *p->values);
    for (size_t i = 0; i < n * p->pitch; i++) {
        p->values[i] =
            CMPLXF((float)nfsar_random_normal(random), (float)nfsar_random_normal(random));
    }
}

static void free_problem(struct problem *p) {
    for (int k = 0; k < 3; k++) {
        free(p->at[k]);
    }
    free(p->values);
}

/* Weight of a cell of an axis at point i. */
static double weight(const struct spread_axis *axis, const double *at, size_t i, size_t cell) {
    if (axis->width == 1) {
        return 1.0;
    }
    double u = (double)cell - (at[i] - axis->first) / axis->step;
    double x = 2.0 * u / axis->width;
    return fabs(x) < 1.0 ? gridding_value(x, axis->beta) : 0.0;
}

static spread *create(const struct problem *p, enum nfsar_kernel kernel) {
    spread *made = spread_create(&p->shape, p->at[0], p->at[1], p->at[2], p->n, kernel);
    assert_non_null(made);
    return made;
}

static float complex *ranked(const struct problem *p, const spread *plan) {
    float complex *sorted = malloc(p->n * p->pitch * sizeof *sorted);
    bool *taken = calloc(p->n, sizeof *taken);
    for (size_t i = 0; i < p->n; i++) {
        uint32_t rank = spread_rank(plan)[i];
        assert_true(rank < p->n && !taken[rank]);
        taken[rank] = true;
        memcpy(sorted + rank * p->pitch, p->values + i * p->pitch, p->pitch * sizeof *sorted);
    }
    free(taken);
    return sorted;
}

/* All cells, chunk by chunk, of 8 vectors. */
static float complex *spread_all(const spread *plan, const struct problem *p,
                                 const float complex *sorted, size_t first_vector) {
    size_t row = p->shape.x.count * p->shape.z.count * SPREAD_VECTORS, next = 0;
    float complex *all = buffer_alloc(row * p->shape.y.count, sizeof *all);
    float complex *cells = buffer_alloc(spread_cells(plan), sizeof *cells);
    for (size_t c = 0; c < spread_chunks(plan); c++) {
        size_t first, n;
        spread_rows(plan, c, &first, &n);
        assert_int_equal(first, next);
        next += n;
        assert_true(n > 0 && n * row <= spread_cells(plan));
        spread_chunk(plan, c, sorted, p->pitch, first_vector, cells);
        memcpy(all + first * row, cells, n * row * sizeof *all);
    }
    assert_int_equal(next, p->shape.y.count);
    free(cells);
    return all;
}

static double complex exact_cell(const struct problem *p, size_t y, size_t z, size_t x, size_t v) {
    double complex sum = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        double w = weight(&p->shape.x, p->at[0], i, x) * weight(&p->shape.y, p->at[1], i, y) *
                   weight(&p->shape.z, p->at[2], i, z);
        sum += w * (double complex)p->values[i * p->pitch + v];
    }
    return sum;
}

static double complex exact_value(const struct problem *p, const float complex *cells, size_t i,
                                  size_t v) {
    double complex sum = 0.0;
    for (size_t y = 0; y < p->shape.y.count; y++) {
        double wy = weight(&p->shape.y, p->at[1], i, y);
        for (size_t z = 0; wy > 0.0 && z < p->shape.z.count; z++) {
            double wz = wy * weight(&p->shape.z, p->at[2], i, z);
            for (size_t x = 0; wz > 0.0 && x < p->shape.x.count; x++) {
                size_t cell = (y * p->shape.z.count + z) * p->shape.x.count + x;
                sum += wz * weight(&p->shape.x, p->at[0], i, x) *
                       (double complex)cells[cell * SPREAD_VECTORS + v];
            }
        }
    }
    return sum;
}

/* The same in a ring, beginning at a chunk in the middle, to the bit. */
static void check_ring(const struct problem *p, const spread *plan, const float complex *all) {
    size_t row = p->shape.x.count * p->shape.z.count * SPREAD_VECTORS, first, n, most, begin;
    size_t reach = (size_t)p->shape.y.width - 1, start = spread_chunks(plan) / 2;
    spread_rows(plan, start, &begin, &n);
    spread_rows(plan, 0, &first, &most);
    size_t ring = most + reach + 1;
    float complex *cells = buffer_zeros(ring * row, sizeof *cells);
    for (size_t c = 0; c < spread_chunks(plan); c++) {
        spread_rows(plan, c, &first, &n);
        if (first + n + reach > begin) {
            spread_add_chunk(plan, c, p->values, p->pitch, SPREAD_VECTORS, begin, cells, ring);
        }
        for (size_t r = first; c >= start && r < first + n; r++) {
            assert_memory_equal(cells + r % ring * row, all + r * row, row * sizeof *all);
            memset(cells + r % ring * row, 0, row * sizeof *cells);
        }
    }
    free(cells);
}

/* A sample of cells, all vectors of the second block. */
static double spread_error(const struct problem *p, const float complex *all) {
    double worst = 0.0, peak = 0.0;
    size_t n_cell = p->shape.y.count * p->shape.z.count * p->shape.x.count;
    for (size_t cell = 0; cell < n_cell; cell += 1 + n_cell / 900) {
        size_t x = cell % p->shape.x.count, z = cell / p->shape.x.count % p->shape.z.count;
        size_t y = cell / p->shape.x.count / p->shape.z.count, v = cell % SPREAD_VECTORS;
        double complex exact = exact_cell(p, y, z, x, SPREAD_VECTORS + v);
        worst = fmax(worst, cabs(exact - (double complex)all[cell * SPREAD_VECTORS + v]));
        peak = fmax(peak, cabs(exact));
    }
    return worst / peak;
}

/* Gather with the rows of a chunk, and those that its points reach into, in a small ring. */
static double gather_error(const struct problem *p, const spread *plan, const float complex *all,
                           float complex *sorted) {
    double worst = 0.0, peak = 0.0;
    size_t row = p->shape.x.count * p->shape.z.count * SPREAD_VECTORS, first, n, most;
    spread_rows(plan, 0, &first, &most);
    size_t ring = most + (size_t)p->shape.y.width - 1;
    float complex *cells = buffer_zeros(ring * row, sizeof *cells);
    for (size_t c = 0; c < spread_chunks(plan); c++) {
        spread_rows(plan, c, &first, &n);
        for (size_t r = first; r < first + ring && r < p->shape.y.count; r++) {
            memcpy(cells + r % ring * row, all + r * row, row * sizeof *cells);
        }
        spread_gather_chunk(plan, c, cells, ring, sorted, p->pitch, SPREAD_VECTORS);
    }
    free(cells);
    for (size_t i = 0; i < p->n; i++) {
        size_t v = i % SPREAD_VECTORS, at = spread_rank(plan)[i] * p->pitch + SPREAD_VECTORS + v;
        double complex exact = exact_value(p, all, i, v);
        worst = fmax(worst, cabs(exact - (double complex)sorted[at]));
        peak = fmax(peak, cabs(exact));
    }
    return worst / peak;
}

static void check_unsorted(const struct problem *p, const spread *plan, const float complex *all) {
    float complex *out = calloc(p->n * p->pitch, sizeof *out);
    for (size_t c = 0; c < spread_chunks(plan); c++) {
        spread_gather_chunk(plan, c, all, p->shape.y.count, out, p->pitch, 3);
    }
    double complex exact = exact_value(p, all, p->n / 2, 1);
    double complex got = (double complex)out[p->n / 2 * p->pitch + 3 + 1];
    assert_near(cabs(got - exact), 0.0, 1e-5 * cabs(exact));
    free(out);
}

static void check(const struct spread_shape *shape, size_t n, const char *what) {
    nfsar_random random;
    nfsar_random_seed(&random, 5);
    struct problem p = {.shape = *shape};
    place(&p, n, &random);
    for (size_t i = 1; i < n; i += 7) { /* some coincide */
        for (int k = 0; k < 3; k++) {
            if (p.at[k] != NULL) {
                p.at[k][i] = p.at[k][i / 2];
            }
        }
    }
    for (enum nfsar_kernel k = NFSAR_KERNEL_PORTABLE; k <= NFSAR_KERNEL_AVX512; k++) {
        if (nfsar_kernel_available(k)) {
            spread *plan = create(&p, k);
            float complex *sorted = ranked(&p, plan);
            float complex *all = spread_all(plan, &p, sorted, SPREAD_VECTORS);
            double there = spread_error(&p, all), back = gather_error(&p, plan, all, sorted);
            print_message("%-24s %-8s %3zu chunks: spread %.1e, gathered %.1e\n", what,
                          nfsar_kernel_name(k), spread_chunks(plan), there, back);
            assert_true(there < 2e-6 && back < 2e-6);
            /* The first block of vectors is left alone. */
            for (size_t i = 0; i < n; i++) {
                assert_memory_equal(sorted + spread_rank(plan)[i] * p.pitch, p.values + i * p.pitch,
                                    SPREAD_VECTORS * sizeof *sorted);
            }
            free(sorted);
            /* As they come, and out of the whole. */
            spread_take_unsorted(plan);
            float complex *same = spread_all(plan, &p, p.values, SPREAD_VECTORS);
            size_t cells = shape->x.count * shape->y.count * shape->z.count * SPREAD_VECTORS;
            assert_memory_equal(same, all, cells * sizeof *all);
            check_unsorted(&p, plan, all);
            check_ring(&p, plan, all);
            free(same);
            free(all);
            spread_destroy(plan);
        }
    }
    free_problem(&p);
}

static struct spread_axis axis(double first, double step, size_t count, int width) {
    return (struct spread_axis){first, step, count, width, 2.2 * width};
}

static void planes(void **state) {
    (void)state;
    for (int width = 2; width <= GRIDDING_WIDEST; width++) {
        char what[32];
        snprintf(what, sizeof what, "plane, width %d", width);
        check(
            &(struct spread_shape){axis(-0.3, 0.01, 70, width), axis(2.0, 0.5, 90, width), absent},
            300, what);
    }
    check(&(struct spread_shape){axis(1.0, -0.5, 700, 6), axis(0.0, 1.0, 40, 5), absent}, 900,
          "long rows");
    check(&(struct spread_shape){axis(1.0, -0.5, 100, 5), axis(0.0, 1.0, 100, 6), absent}, 900,
          "wider along y");
    check(&(struct spread_shape){axis(0.0, 1.0, 6, 4), axis(0.0, 1.0, 6, 4), absent}, 50,
          "smallest");
}

static void volumes(void **state) {
    (void)state;
    check(&(struct spread_shape){axis(0.0, 1.0, 30, 5), axis(0.0, 1.0, 20, 4), axis(3., 2., 25, 6)},
          200, "volume");
    check(&(struct spread_shape){axis(0., 1., 90, 4), axis(0., 1., 12, 6), axis(3., 2., 70, 3)},
          400, "chunks of one row");
}

/* More points in one cell than anywhere else, and lists that are longer than the points. */
static void a_heap(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 6);
    struct problem p = {.shape = {axis(0.0, 1.0, 64, 6), axis(0.0, 1.0, 64, 6), absent}};
    place(&p, 2000, &random);
    for (size_t i = 0; i < p.n; i++) {
        p.at[0][i] = 30.0 + 1e-3 * p.at[0][i];
        p.at[1][i] = 31.0 + 1e-3 * p.at[1][i];
    }
    spread *plan = create(&p, NFSAR_KERNEL_AUTO);
    float complex *sorted = ranked(&p, plan);
    float complex *all = spread_all(plan, &p, sorted, SPREAD_VECTORS);
    assert_true(spread_error(&p, all) < 5e-6);
    assert_true(spread_bytes(plan) > p.n * 4);
    free(all);
    free(sorted);
    spread_destroy(plan);
    free_problem(&p);
}

/* The widest text, in whatever instructions there are, beside the plainest. */
static void widest_vectors(void **state) {
    (void)state;
    enum { POINTS = 200, COUNT = 40, LINE = COUNT * SPREAD_FLOATS };
    nfsar_random random;
    nfsar_random_seed(&random, 9);
    for (uint32_t width = 2; width <= GRIDDING_WIDEST; width++) {
        for (uint32_t layers = 1; layers <= 3; layers += 2) {
            size_t n_weight = width * 2 + layers, ring = 2 * GRIDDING_WIDEST + 3;
            struct spread_place *places = malloc(POINTS * sizeof *places);
            float *weight = malloc(POINTS * n_weight * sizeof *weight);
            float *values = malloc(POINTS * SPREAD_FLOATS * sizeof *values);
            float *back = malloc(POINTS * SPREAD_FLOATS * sizeof *back);
            size_t floats = ring * layers * LINE;
            float *cells = buffer_zeros(floats, sizeof *cells);
            float *wide = buffer_zeros(floats, sizeof *wide);
            for (size_t i = 0; i < POINTS; i++) {
                places[i] = (struct spread_place){(uint32_t)(i / 8 % (COUNT - width)),
                                                  (uint32_t)(20 + i % 7), 0};
            }
            for (size_t i = 0; i < POINTS * n_weight; i++) {
                weight[i] = (float)nfsar_random_uniform(&random);
            }
            for (size_t i = 0; i < POINTS * SPREAD_FLOATS; i++) {
                values[i] = (float)nfsar_random_normal(&random);
            }
            struct spread_points points = {.place = places,
                                           .weight = weight,
                                           .weight_pitch = n_weight,
                                           .width_x = width,
                                           .width_y = width,
                                           .width_z = layers,
                                           .count_x = COUNT,
                                           .count_z = layers};
            struct spread_ring rows = {cells, ring, 0}, wide_rows = {wide, ring, 0};
            spread_add_portable(&points, 0, POINTS, values, SPREAD_FLOATS, &rows, 22, 40);
            spread_add_wide(&points, 0, POINTS, values, SPREAD_FLOATS, &wide_rows, 22, 40);
            double worst = 0.0, peak = 0.0;
            for (size_t i = 0; i < floats; i++) {
                worst = fmax(worst, fabs((double)cells[i] - (double)wide[i]));
                peak = fmax(peak, fabs((double)cells[i]));
            }
            assert_true(peak > 1.0 && worst < 1e-6 * peak);
            spread_gather_portable(&points, 0, POINTS, &rows, values, SPREAD_FLOATS);
            spread_gather_wide(&points, 0, POINTS, &rows, back, SPREAD_FLOATS);
            for (size_t i = 0; i < POINTS * SPREAD_FLOATS; i++) {
                double scale = peak * width * width * layers;
                assert_near((double)back[i], (double)values[i], 1e-6 * scale);
            }
            free(places);
            free(weight);
            free(values);
            free(back);
            free(cells);
            free(wide);
        }
    }
}

static void what_is_refused(void **state) {
    (void)state;
    struct spread_shape shape = {axis(0.0, 1.0, 20, 4), axis(0.0, 1.0, 20, 4), absent};
    double x = 10.0, y = 10.0;
    spread *plan = spread_create(&shape, &x, &y, NULL, 1, NFSAR_KERNEL_AUTO);
    assert_non_null(plan);
    spread_destroy(plan);
    plan = spread_create(&shape, &x, &y, NULL, 0, NFSAR_KERNEL_AUTO);
    assert_non_null(plan);
    spread_destroy(plan);
    static const double bad[] = {1.9, 18.1, -5.0, 1e300, NAN, INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(spread_create(&shape, &bad[i], &y, NULL, 1, NFSAR_KERNEL_AUTO));
        assert_null(spread_create(&shape, &x, &bad[i], NULL, 1, NFSAR_KERNEL_AUTO));
    }
    /* The ends themselves are inside. */
    static const double good[] = {2.0, 17.0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        plan = spread_create(&shape, &good[i], &y, NULL, 1, NFSAR_KERNEL_AUTO);
        assert_non_null(plan);
        spread_destroy(plan);
    }
    assert_null(spread_create(&shape, NULL, &y, NULL, 1, NFSAR_KERNEL_AUTO));
    shape.x.width = GRIDDING_WIDEST + 1;
    assert_null(spread_create(&shape, &x, &y, NULL, 1, NFSAR_KERNEL_AUTO));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes),          cmocka_unit_test(volumes),
        cmocka_unit_test(a_heap),          cmocka_unit_test(widest_vectors),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
