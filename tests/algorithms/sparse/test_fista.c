/* Proximal maps and FISTA on small problems whose solutions are known, or certified by the
 * conditions of optimality. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#include <nfsar/simulation.h>

#include "algorithms/sparse/fista.h"

/* A matrix of random numbers. */
struct matrix {
    size_t rows, columns;
    float complex *at; /* [rows][columns] */
};

static enum nfsar_status forward(void *context, const float complex *image, float complex *samples,
                                 nfsar_error *error) {
    const struct matrix *a = context;
    (void)error;
    for (size_t i = 0; i < a->rows; i++) {
        double complex sum = 0.0;
        for (size_t j = 0; j < a->columns; j++) {
            sum += (double complex)a->at[i * a->columns + j] * (double complex)image[j];
        }
        samples[i] = (float complex)sum;
    }
    return NFSAR_OK;
}

static enum nfsar_status adjoint(void *context, const float complex *samples, float complex *image,
                                 nfsar_error *error) {
    const struct matrix *a = context;
    (void)error;
    for (size_t j = 0; j < a->columns; j++) {
        double complex sum = 0.0;
        for (size_t i = 0; i < a->rows; i++) {
            sum += conj((double complex)a->at[i * a->columns + j]) * (double complex)samples[i];
        }
        image[j] = (float complex)sum;
    }
    return NFSAR_OK;
}

static struct linear_operator operator_of(struct matrix *a) {
    return (struct linear_operator){a->columns, a->rows, a, forward, adjoint};
}

static struct matrix random_matrix(size_t rows, size_t columns, uint64_t seed) {
    struct matrix a = {rows, columns, calloc(rows * columns, sizeof *a.at)};
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    for (size_t i = 0; i < rows * columns; i++) {
        a.at[i] = (float complex)nfsar_random_complex_normal(&random);
    }
    return a;
}

/* Differences from voxel to voxel count as they are. */
static struct proximal_shape unit(size_t x, size_t y, size_t z) {
    return (struct proximal_shape){.x = x, .y = y, .z = z, .weight = {1.0, 1.0, 1.0}};
}

static void map(struct proximal_shape shape, const float complex *b, double l1, double tv,
                float complex *x) {
    struct proximal *proximal = proximal_create(shape, tv > 0.0, 0);
    assert_non_null(proximal);
    /* Twice: from nothing, and from where the first left the dual. */
    for (int i = 0; i < 2; i++) {
        proximal_map(proximal, b, l1, tv, 2000, x);
    }
    proximal_destroy(proximal);
}

static void shrinks(void **state) {
    (void)state;
    const float complex b[4] = {3.0f + 4.0f * I, -0.5f, 0.0f, 2.0f * I};
    float complex x[4];
    map(unit(4, 1, 1), b, 1.0, 0.0, x);
    assert_near(cabsf(x[0] - (2.4f + 3.2f * I)), 0.0, 1e-6);
    assert_true(x[1] == 0.0f && x[2] == 0.0f);
    assert_near(cabsf(x[3] - 1.0f * I), 0.0, 1e-6);
    assert_near(proximal_l1(b, 4), 7.5, 1e-6);
}

/* A step of one axis: the penalty lifts what lies low by tv / (its length), and lowers the rest. */
static void flattens_steps(void **state) {
    (void)state;
    const float complex turn = (3.0f + 4.0f * I) / 5.0f;
    for (int axis = 0; axis < 3; axis++) {
        float complex b[10], x[10];
        for (int i = 0; i < 10; i++) {
            b[i] = turn * (i < 6 ? 1.0f : 2.0f);
        }
        struct proximal_shape shape =
            unit(axis == 0 ? 10 : 1, axis == 1 ? 10 : 1, axis == 2 ? 10 : 1);
        assert_near(proximal_tv(b, shape), 1.0, 1e-6);
        map(shape, b, 0.0, 0.6, x);
        for (int i = 0; i < 10; i++) {
            assert_near(cabsf(x[i] - turn * (i < 6 ? 1.1f : 1.85f)), 0.0, 1e-4);
        }
        /* With l1 as well, everything loses that much. */
        map(shape, b, 0.3, 0.6, x);
        for (int i = 0; i < 10; i++) {
            assert_near(cabsf(x[i] - turn * (i < 6 ? 0.8f : 1.55f)), 0.0, 1e-4);
        }
        /* So much of it that only the mean is left: 1.4. */
        map(shape, b, 0.0, 10.0, x);
        for (int i = 0; i < 10; i++) {
            assert_near(cabsf(x[i] - turn * 1.4f), 0.0, 1e-4);
        }
    }
}

/* Slices whose phase turns as it should are flat, and stay what they are; and the penalty of one
 * step along an axis is the step times the axis' weight. */
static void turns_slices(void **state) {
    (void)state;
    struct proximal_shape shape = unit(2, 2, 6);
    float complex b[24], x[24];
    shape.turn = 2.1;
    for (int i = 0; i < 24; i++) {
        b[i] = (float complex)cexp(-2.1 * (i / 4) * I);
    }
    assert_near(proximal_tv(b, shape), 0.0, 1e-5);
    map(shape, b, 0.0, 0.4, x);
    for (int i = 0; i < 24; i++) {
        assert_near(cabsf(x[i] - b[i]), 0.0, 1e-5);
    }
    shape.turn = 0.0;
    assert_near(proximal_tv(b, shape), 20.0 * 2.0 * sin(1.05), 1e-5);
    shape.weight[2] = 0.3;
    assert_near(proximal_tv(b, shape), 0.3 * 20.0 * 2.0 * sin(1.05), 1e-5);
    /* Weights are in the map: as if the penalty were so much stronger. */
    for (int i = 0; i < 24; i++) {
        b[i] = i < 12 ? 1.0f : 2.0f;
    }
    map(shape, b, 0.0, 1.0, x);
    for (int i = 0; i < 24; i++) {
        assert_near(cabsf(x[i] - (i < 12 ? 1.1f : 1.9f)), 0.0, 1e-4);
    }
}

static double cost(struct proximal_shape shape, const float complex *b, const float complex *x,
                   double l1, double tv) {
    double sum = 0.0;
    size_t n = shape.x * shape.y * shape.z;
    for (size_t i = 0; i < n; i++) {
        sum += 0.5 * pow((double)cabsf(x[i] - b[i]), 2.0);
    }
    return sum + l1 * proximal_l1(x, n) + tv * proximal_tv(x, shape);
}

/* Volumes of random numbers: strongly convex, so cost(x + d) >= cost(x) + |d|^2 / 2 at the minimum
 * and nowhere else; rounding makes 1e-6 of that. */
static void is_a_minimum(void **state) {
    (void)state;
    struct proximal_shape shape = unit(5, 4, 3);
    shape.weight[0] = 0.7, shape.weight[2] = 1.5, shape.turn = 0.8;
    enum { N = 60 };
    float complex b[N], x[N], other[N];
    nfsar_random random;
    nfsar_random_seed(&random, 4);
    for (int i = 0; i < N; i++) {
        b[i] = (float complex)nfsar_random_complex_normal(&random);
    }
    map(shape, b, 0.2, 0.4, x);
    double least = cost(shape, b, x, 0.2, 0.4);
    for (int trial = 0; trial < 400; trial++) {
        double size = pow(10.0, -0.5 - 1.5 * nfsar_random_uniform(&random)), moved = 0.0;
        for (int i = 0; i < N; i++) {
            /* Toward or away from the data, flatness, nothing, or anywhere. */
            float complex to = (float complex)nfsar_random_complex_normal(&random);
            to = trial % 4 == 0 ? b[i] - x[i] : trial % 4 == 1 ? x[(i + 1) % N] - x[i] : to;
            to = trial % 4 == 2 ? -x[i] : to;
            other[i] = x[i] + (float)(trial % 8 < 4 ? size : -size) * to;
            moved += pow((double)cabsf(other[i] - x[i]), 2.0);
        }
        assert_true(cost(shape, b, other, 0.2, 0.4) >= least + 0.5 * moved - 3e-6);
    }
}

/* Minimise for a random matrix; the conditions of optimality say how well that went. */
static void satisfies_optimality(void **state) {
    (void)state;
    enum { M = 40, N = 64 };
    nfsar_error error;
    struct matrix a = random_matrix(M, N, 1);
    struct linear_operator op = operator_of(&a);
    float complex truth[N] = {0}, s[M], x[N] = {0}, g[N];
    truth[5] = 1.0f + 2.0f * I;
    truth[20] = -2.0f;
    truth[51] = 1.5f * I;
    forward(&a, truth, s, &error);
    adjoint(&a, s, g, &error);
    double most = 0.0, norm = 0.0;
    for (int i = 0; i < N; i++) {
        most = fmax(most, (double)cabsf(g[i]));
    }
    assert_ok(operator_norm(&op, 30, &norm, NULL, &error), error);
    struct fista_problem problem = {.op = &op,
                                    .shape = unit(N, 1, 1),
                                    .samples = s,
                                    .l1 = 0.02 * most,
                                    .lipschitz = norm,
                                    .tolerance = 1e-6,
                                    .iterations = 2000};
    struct fista_outcome outcome;
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    assert_true(outcome.converged);
    print_message("%zu iterations, %zu restarts, residual %.4f\n", outcome.iterations,
                  outcome.restarts, outcome.residual);
    float complex left[M];
    forward(&a, x, left, &error);
    for (int i = 0; i < M; i++) {
        left[i] = s[i] - left[i];
    }
    adjoint(&a, left, g, &error);
    for (int i = 0; i < N; i++) {
        if (x[i] != 0.0f) {
            float complex along = x[i] / cabsf(x[i]) * (float)problem.l1;
            assert_near(cabsf(g[i] - along) / problem.l1, 0.0, 2e-3);
        } else {
            assert_true((double)cabsf(g[i]) <= problem.l1 * 1.001);
        }
        /* And the few numbers are found from fewer equations than unknowns. */
        assert_near(cabsf(x[i] - truth[i]), 0.0, 0.08);
        assert_true((x[i] != 0.0f) == (truth[i] != 0.0f));
    }
    /* The solution is where a warm start stays. */
    size_t cold = outcome.iterations;
    double objective = outcome.objective;
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    assert_true(outcome.converged && outcome.iterations <= 3 && cold > 10);
    assert_near(outcome.objective / objective, 1.0, 1e-6);
    assert_false(outcome.capped);
    /* A step three times too long is noticed. */
    memset(x, 0, sizeof x);
    problem.lipschitz = norm / 3.0;
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    assert_true(outcome.converged && outcome.lipschitz > 0.5 * norm && !outcome.capped);
    assert_near(outcome.objective / objective, 1.0, 1e-5);
    /* What cannot be by an estimate of |A|^2 is said. */
    problem.lipschitz = norm / 20.0, problem.iterations = 5;
    memset(x, 0, sizeof x);
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    assert_true(outcome.capped && !outcome.converged);
    assert_near(outcome.lipschitz * 5.0 / norm, 1.0, 1e-9);
    free(a.at);
}

/* What places 3 mm apart, a quarter of them, see of 31 x 25 voxels of 1 mm at 0.3 m, at four
 * frequencies from 77 to 81 GHz: neighbours look almost alike. Eight points, and noise 20 dB below
 * them. */
static struct matrix fine_voxels(float complex **samples) {
    enum { X = 31, Y = 25, PLACES = 27, FREQUENCIES = 4 };
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    struct matrix a = {0, X * Y, calloc(PLACES * PLACES * FREQUENCIES * X * Y, sizeof *a.at)};
    for (int p = 0; p < PLACES * PLACES; p++) {
        double px = 0.006 * (p % PLACES - PLACES / 2), py = 0.006 * (p / PLACES - PLACES / 2);
        for (int f = 0; nfsar_random_uniform(&random) < 0.4 && f < FREQUENCIES; f++, a.rows++) {
            double wave = 2.0 * NFSAR_PI * (77e9 + f * 4e9 / 3.0) / NFSAR_SPEED_OF_LIGHT;
            for (int v = 0; v < X * Y; v++) {
                double dx = 1e-3 * (v % X - X / 2) - px, dy = 1e-3 * (v / X - Y / 2) - py;
                double range = sqrt(dx * dx + dy * dy + 0.09);
                a.at[a.rows * X * Y + (size_t)v] = (float complex)cexp(2.0 * wave * range * I);
            }
        }
    }
    float complex truth[X * Y] = {0};
    for (int t = 0; t < 8; t++) {
        truth[(size_t)(nfsar_random_uniform(&random) * X * Y)] = 1.0f;
    }
    nfsar_error error;
    *samples = calloc(a.rows, sizeof **samples);
    forward(&a, truth, *samples, &error);
    for (size_t i = 0; i < a.rows; i++) {
        (*samples)[i] += (float complex)(0.28 * nfsar_random_complex_normal(&random));
    }
    return a;
}

/* "Converged" is said of what is all but the least, not of the short steps after a restart: of the
 * objective 1e-4 at most are left, as a run that is a thousand times stricter shows. */
static void ends_at_the_minimum(void **state) {
    (void)state;
    nfsar_error error;
    float complex *s;
    struct matrix a = fine_voxels(&s);
    struct linear_operator op = operator_of(&a);
    float complex *x = calloc(a.columns, sizeof *x);
    double norm = 0.0;
    assert_ok(operator_norm(&op, 8, &norm, NULL, &error), error);
    adjoint(&a, s, x, &error);
    double most = 0.0;
    for (size_t i = 0; i < a.columns; i++) {
        most = fmax(most, (double)cabsf(x[i]));
    }
    struct fista_problem problem = {.op = &op,
                                    .shape = unit(a.columns, 1, 1),
                                    .samples = s,
                                    .l1 = 0.05 * most,
                                    .lipschitz = norm,
                                    .tolerance = 1e-3,
                                    .iterations = 2000};
    struct fista_outcome loose, strict;
    memset(x, 0, a.columns * sizeof *x);
    assert_ok(fista_solve(&problem, x, &loose, NULL, &error), error);
    assert_true(loose.converged);
    /* On from there, so that what it took is not done again. */
    problem.tolerance = 1e-6;
    assert_ok(fista_solve(&problem, x, &strict, NULL, &error), error);
    print_message("%zu + %zu iterations, %zu + %zu restarts, %.1e above\n", loose.iterations,
                  strict.iterations, loose.restarts, strict.restarts,
                  loose.objective / strict.objective - 1.0);
    assert_true(loose.objective <= strict.objective * (1.0 + 1e-4));
    assert_true(strict.converged);
    /* Rounding is not taken for a step too long. */
    assert_true(strict.lipschitz < 1.2 * norm && !strict.capped);
    free(x);
    free(s);
    free(a.at);
}

/* Above max |A^H s| nothing is left; l1 of a volume that a multiple of one measures is shrinkage.
 */
static void knows_its_ends(void **state) {
    (void)state;
    enum { N = 12 };
    nfsar_error error;
    struct matrix a = {N, N, calloc(N * N, sizeof *a.at)};
    struct linear_operator op = operator_of(&a);
    float complex s[N], x[N] = {0};
    for (int i = 0; i < N; i++) {
        a.at[i * N + i] = 2.0f;
        s[i] = (float)(i + 1) * (0.6f + 0.8f * I);
    }
    double norm = 0.0;
    assert_ok(operator_norm(&op, 3, &norm, NULL, &error), error);
    assert_near(norm, 4.0, 1e-5);
    struct fista_problem problem = {.op = &op,
                                    .shape = unit(4, 3, 1),
                                    .samples = s,
                                    .l1 = 6.0,
                                    .lipschitz = norm,
                                    .tolerance = 1e-7,
                                    .iterations = 50};
    struct fista_outcome outcome;
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    for (int i = 0; i < N; i++) {
        /* arg min 1/2 |2 x - s|^2 + 6 |x|: (2 |s| - 6) / 4. */
        double expected = fmax(0.0, (2.0 * (i + 1) - 6.0) / 4.0);
        assert_near(cabsf(x[i] - (float)expected * (0.6f + 0.8f * I)), 0.0, 1e-5);
    }
    problem.l1 = 24.01;
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    for (int i = 0; i < N; i++) {
        assert_true(x[i] == 0.0f);
    }
    assert_near(outcome.residual, 1.0, 1e-6);
    /* TV is solved by the same map as by itself. */
    float complex b[N], alone[N];
    for (int i = 0; i < N; i++) {
        b[i] = s[i] / 2.0f;
    }
    map(problem.shape, b, 0.0, 0.5, alone);
    problem.l1 = 0.0, problem.tv = 2.0, problem.tv_iterations = 500;
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    for (int i = 0; i < N; i++) {
        assert_near(cabsf(x[i] - alone[i]), 0.0, 1e-4);
    }
    free(a.at);
}

static bool stop(void *context, double fraction) {
    (void)fraction;
    return --*(int *)context > 0;
}

static void stops_when_told(void **state) {
    (void)state;
    nfsar_error error;
    struct matrix a = random_matrix(6, 9, 3);
    struct linear_operator op = operator_of(&a);
    float complex s[6] = {1.0f, 2.0f}, x[9] = {0};
    int calls = 4;
    nfsar_progress progress = {stop, &calls};
    struct fista_problem problem = {.op = &op,
                                    .shape = unit(9, 1, 1),
                                    .samples = s,
                                    .l1 = 0.1,
                                    .lipschitz = 30.0,
                                    .iterations = 100};
    struct fista_outcome outcome;
    assert_int_equal(fista_solve(&problem, x, &outcome, &progress, &error), NFSAR_ERROR_CANCELLED);
    assert_int_equal(outcome.iterations, 3);
    assert_ok(fista_solve(&problem, x, &outcome, NULL, &error), error);
    assert_false(outcome.converged && outcome.excess > 0.0);
    double mismatch = 1.0;
    assert_ok(operator_mismatch(&op, 1, &mismatch, &error), error);
    assert_true(mismatch < 1e-6);
    free(a.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinks),
        cmocka_unit_test(flattens_steps),
        cmocka_unit_test(turns_slices),
        cmocka_unit_test(is_a_minimum),
        cmocka_unit_test(satisfies_optimality),
        cmocka_unit_test(ends_at_the_minimum),
        cmocka_unit_test(knows_its_ends),
        cmocka_unit_test(stops_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
