/* The non-uniform transforms against the direct sums. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>
#include <nfsar/nufft.h>
#include <nfsar/simulation.h>

#include "algorithms/transpose.h"

/* Where positions are. */
enum where { ANYWHERE, CLUSTERED, AT_THE_WRAP, TOGETHER };

struct problem {
    int dimension;
    size_t modes[3]; /* x, y, z; 1 beyond the dimension */
    size_t n_point, n_vector, n_mode;
    double *position[3];
    float complex *values;         /* [n_point][n_vector] */
    float complex *spectrum;       /* [n_vector][nz][ny][nx] */
    double complex *type1, *type2; /* exact */
    int sign;
};

static float complex *noise(size_t n, nfsar_random *random) {
    float complex *made = malloc(n * sizeof *made);
    for (size_t i = 0; i < n; i++) {
        made[i] = (float complex)nfsar_random_complex_normal(random);
    }
    return made;
}

static double place(enum where where, nfsar_random *random) {
    double u = nfsar_random_uniform(random);
    switch (where) {
    case CLUSTERED:
        return 0.7 + 0.05 * u * u;
    case AT_THE_WRAP: /* multiples of 2 pi, and a little beside, many turns away */
        return 2.0 * NFSAR_PI * floor(9.0 * u - 4.0) +
               0.02 * floor(3.0 * nfsar_random_uniform(random) - 1.0);
    case TOGETHER:
        return -2.1;
    default:
        return 30.0 * (u - 0.5);
    }
}

/* exp(sign j k x) for the modes of an axis. */
static void phasors(double x, size_t n, int sign, double complex *to) {
    for (size_t m = 0; m < n; m++) {
        to[m] = cexp(I * sign * x * ((double)m - (double)(n / 2)));
    }
}

static void sum_exactly(struct problem *p) {
    size_t nx = p->modes[0], ny = p->modes[1], nz = p->modes[2];
    double complex *wave[3];
    for (int k = 0; k < 3; k++) {
        wave[k] = malloc(p->modes[k] * sizeof *wave[k]);
        wave[k][0] = 1.0;
    }
    p->type1 = calloc(p->n_mode * p->n_vector, sizeof *p->type1);
    p->type2 = calloc(p->n_point * p->n_vector, sizeof *p->type2);
    for (size_t i = 0; i < p->n_point; i++) {
        for (int k = 0; k < p->dimension; k++) {
            phasors(p->position[k][i], p->modes[k], p->sign, wave[k]);
        }
        for (size_t m = 0; m < p->n_mode; m++) {
            double complex w = wave[0][m % nx] * wave[1][m / nx % ny] * wave[2][m / nx / ny % nz];
            for (size_t v = 0; v < p->n_vector; v++) {
                p->type1[v * p->n_mode + m] += w * (double complex)p->values[i * p->n_vector + v];
                p->type2[i * p->n_vector + v] +=
                    conj(w) * (double complex)p->spectrum[v * p->n_mode + m];
            }
        }
    }
    for (int k = 0; k < 3; k++) {
        free(wave[k]);
    }
}

static struct problem pose(int dimension, size_t nx, size_t ny, size_t nz, size_t n_point,
                           size_t n_vector, enum where where, int sign) {
    nfsar_random random;
    nfsar_random_seed(&random, 11 + nx + n_point);
    struct problem p = {.dimension = dimension,
                        .modes = {nx, ny, nz},
                        .n_point = n_point,
                        .n_vector = n_vector,
                        .n_mode = nx * ny * nz,
                        .sign = sign};
    for (int k = 0; k < 3; k++) {
        p.position[k] = malloc(n_point * sizeof(double));
        for (size_t i = 0; i < n_point; i++) {
            p.position[k][i] = place(where, &random);
        }
    }
    p.values = noise(n_point * n_vector, &random);
    p.spectrum = noise(p.n_mode * n_vector, &random);
    sum_exactly(&p);
    return p;
}

static void free_problem(struct problem *p) {
    for (int k = 0; k < 3; k++) {
        free(p->position[k]);
    }
    free(p->values);
    free(p->spectrum);
    free(p->type1);
    free(p->type2);
}

struct error {
    double l2, largest;
};

static struct error error_of(const float complex *got, const double complex *exact, size_t n) {
    double off = 0.0, all = 0.0, worst = 0.0, peak = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = cabs((double complex)got[i] - exact[i]), e = cabs(exact[i]);
        off += d * d;
        all += e * e;
        worst = fmax(worst, d);
        peak = fmax(peak, e);
    }
    return (struct error){sqrt(off / all), worst / peak};
}

static nfsar_nufft_plan *plan_of(const struct problem *p, nfsar_nufft_options options) {
    nfsar_error error;
    nfsar_nufft_plan *plan;
    options.sign = p->sign;
    const double *const position[3] = {p->position[0], p->position[1], p->position[2]};
    assert_ok(nfsar_nufft_plan_create(p->dimension, p->modes, p->n_point, position, p->n_vector,
                                      &options, &plan, &error),
              error);
    return plan;
}

static void judge(const struct problem *p, double tolerance, enum nfsar_kernel kernel, int threads,
                  const char *what) {
    nfsar_nufft_options options = nfsar_nufft_defaults();
    options.tolerance = tolerance;
    options.kernel = kernel;
    options.threads = threads;
    nfsar_nufft_plan *plan = plan_of(p, options);
    float complex *modes = malloc(p->n_mode * p->n_vector * sizeof *modes);
    float complex *values = malloc(p->n_point * p->n_vector * sizeof *values);
    nfsar_nufft_type1(plan, p->values, modes);
    nfsar_nufft_type2(plan, p->spectrum, values);
    struct error one = error_of(modes, p->type1, p->n_mode * p->n_vector);
    struct error two = error_of(values, p->type2, p->n_point * p->n_vector);
    nfsar_nufft_axis x = nfsar_nufft_plan_axis(plan, 0);
    print_message("%-22s %.0e %-8s %zu to %zu, width %d: type 1 %.1e %.1e, type 2 %.1e %.1e\n",
                  what, tolerance, nfsar_kernel_name(kernel), x.modes, x.fine, x.width, one.l2,
                  one.largest, two.l2, two.largest);
    assert_true(one.l2 < tolerance && one.largest < tolerance);
    assert_true(two.l2 < tolerance && two.largest < tolerance);
    nfsar_nufft_plan_destroy(plan);
    free(modes);
    free(values);
}

static void judge_all(struct problem p, const char *what) {
    for (double tolerance = 1e-2; tolerance > 0.9e-5; tolerance /= 10.0) {
        judge(&p, fmax(tolerance, 1e-5), NFSAR_KERNEL_AUTO, 2, what);
    }
    for (enum nfsar_kernel k = NFSAR_KERNEL_PORTABLE; k <= NFSAR_KERNEL_AVX512; k++) {
        if (nfsar_kernel_available(k)) {
            judge(&p, 1e-3, k, 1, what);
        }
    }
    free_problem(&p);
}

static void planes(void **state) {
    (void)state;
    judge_all(pose(2, 128, 128, 1, 1000, 1, ANYWHERE, -1), "128 x 128");
    judge_all(pose(2, 32, 24, 1, 300, 8, ANYWHERE, -1), "32 x 24");
    judge_all(pose(2, 33, 19, 1, 200, 3, ANYWHERE, 1), "33 x 19, 3 vectors");
    judge_all(pose(2, 17, 50, 1, 150, 19, ANYWHERE, -1), "17 x 50, 19 vectors");
    judge_all(pose(2, 1, 7, 1, 40, 9, ANYWHERE, -1), "1 x 7");
    judge_all(pose(2, 128, 5, 1, 90, 2, ANYWHERE, -1), "128 x 5");
}

static void volumes(void **state) {
    (void)state;
    judge_all(pose(3, 24, 24, 24, 400, 1, ANYWHERE, -1), "24 x 24 x 24");
    judge_all(pose(3, 12, 10, 8, 100, 8, ANYWHERE, -1), "12 x 10 x 8");
    judge_all(pose(3, 9, 5, 17, 80, 10, ANYWHERE, 1), "9 x 5 x 17, 10 vectors");
    judge_all(pose(3, 20, 3, 1, 60, 1, ANYWHERE, -1), "20 x 3 x 1, 1 vector");
}

static void awkward_positions(void **state) {
    (void)state;
    judge_all(pose(2, 40, 36, 1, 300, 8, CLUSTERED, -1), "clustered");
    judge_all(pose(2, 40, 36, 1, 300, 8, AT_THE_WRAP, -1), "at the wrap");
    judge_all(pose(3, 11, 12, 10, 100, 8, AT_THE_WRAP, -1), "at the wrap, 3-D");
    judge_all(pose(2, 40, 36, 1, 50, 8, TOGETHER, -1), "all in one place");
    judge_all(pose(2, 31, 30, 1, 1, 8, ANYWHERE, -1), "one point");
    judge_all(pose(3, 9, 8, 7, 1, 1, AT_THE_WRAP, -1), "one point, 3-D");
}

/* However many threads: the same bits. */
static void threads_change_nothing(void **state) {
    (void)state;
    struct problem p = pose(2, 90, 70, 1, 700, 27, ANYWHERE, -1);
    struct problem q = pose(3, 14, 15, 13, 200, 27, ANYWHERE, -1);
    const struct problem *problems[] = {&p, &q};
    for (size_t i = 0; i < 2; i++) {
        const struct problem *r = problems[i];
        size_t n_mode = r->n_mode * r->n_vector, n_value = r->n_point * r->n_vector;
        float complex *modes[2], *values[2];
        for (int threads = 1; threads <= 5; threads++) {
            nfsar_nufft_options options = nfsar_nufft_defaults();
            int k = threads > 1;
            options.threads = threads;
            nfsar_nufft_plan *plan = plan_of(r, options);
            assert_true(nfsar_nufft_plan_memory(plan) > 1000);
            /* Just as much memory gives the same plan. */
            options.memory = nfsar_nufft_plan_memory(plan);
            nfsar_nufft_plan_destroy(plan);
            plan = plan_of(r, options);
            assert_true(nfsar_nufft_plan_memory(plan) <= options.memory);
            modes[k] = malloc(n_mode * sizeof *modes[k]);
            values[k] = malloc(n_value * sizeof *values[k]);
            nfsar_nufft_type1(plan, r->values, modes[k]);
            nfsar_nufft_type2(plan, r->spectrum, values[k]);
            if (k == 1) {
                assert_memory_equal(modes[0], modes[1], n_mode * sizeof *modes[0]);
                assert_memory_equal(values[0], values[1], n_value * sizeof *values[0]);
                free(modes[1]);
                free(values[1]);
            }
            nfsar_nufft_plan_destroy(plan);
        }
        free(modes[0]);
        free(values[0]);
    }
    free_problem(&p);
    free_problem(&q);
}

/* <A values, spectrum> = <values, A* spectrum>: better than either is exact. */
static void types_are_adjoint(void **state) {
    (void)state;
    for (int dimension = 2; dimension <= 3; dimension++) {
        struct problem p = pose(dimension, 21, 16, dimension == 3 ? 9 : 1, 150, 11, ANYWHERE, -1);
        nfsar_nufft_options options = nfsar_nufft_defaults();
        options.tolerance = 0.01;
        nfsar_nufft_plan *plan = plan_of(&p, options);
        float complex *modes = malloc(p.n_mode * p.n_vector * sizeof *modes);
        float complex *values = malloc(p.n_point * p.n_vector * sizeof *values);
        nfsar_nufft_type1(plan, p.values, modes);
        nfsar_nufft_type2(plan, p.spectrum, values);
        double complex left = 0.0, right = 0.0;
        double norm = 0.0, other = 0.0;
        for (size_t i = 0; i < p.n_mode * p.n_vector; i++) {
            left += (double complex)modes[i] * conj((double complex)p.spectrum[i]);
            norm += pow(cabs((double complex)modes[i]), 2.0);
            other += pow(cabs((double complex)p.spectrum[i]), 2.0);
        }
        for (size_t i = 0; i < p.n_point * p.n_vector; i++) {
            right += (double complex)p.values[i] * conj((double complex)values[i]);
        }
        double off = cabs(left - right) / sqrt(norm * other);
        print_message("%d-D: products differ by %.1e\n", dimension, off);
        assert_true(off < 1e-7);
        nfsar_nufft_plan_destroy(plan);
        free(modes);
        free(values);
        free_problem(&p);
    }
}

static void again_and_again(void **state) {
    (void)state;
    struct problem p = pose(2, 20, 20, 1, 100, 12, ANYWHERE, -1);
    nfsar_nufft_plan *plan = plan_of(&p, nfsar_nufft_defaults());
    size_t bytes = p.n_mode * p.n_vector * sizeof(float complex);
    float complex *first = malloc(bytes), *then = malloc(bytes);
    float complex *values = malloc(p.n_point * p.n_vector * sizeof *values);
    nfsar_nufft_type1(plan, p.values, first);
    nfsar_nufft_type2(plan, p.spectrum, values);
    nfsar_nufft_type1(plan, p.values, then);
    assert_memory_equal(first, then, bytes);
    nfsar_nufft_plan_destroy(plan);
    nfsar_nufft_plan_destroy(NULL);
    free(first);
    free(then);
    free(values);
    free_problem(&p);
}

static void refuse(int dimension, const size_t modes[3], size_t n_point, const double *x,
                   size_t n_vector, nfsar_nufft_options options, enum nfsar_status status,
                   const char *message) {
    nfsar_error error;
    nfsar_nufft_plan *plan;
    const double *const position[3] = {x, x, x};
    assert_int_equal(nfsar_nufft_plan_create(dimension, modes, n_point, position, n_vector,
                                             &options, &plan, &error),
                     status);
    assert_null(plan);
    assert_contains(error.message, message);
}

static void mistakes(void **state) {
    (void)state;
    nfsar_nufft_options good = nfsar_nufft_defaults(), bad = good;
    const enum nfsar_status argument = NFSAR_ERROR_ARGUMENT;
    const double x[3] = {0.1, 0.2, 0.3}, nan[3] = {0.1, NAN, 0.3}, inf[3] = {-INFINITY, 0.0, 0.0};
    const size_t modes[3] = {8, 8, 8}, none[3] = {8, 0, 8}, huge[3] = {1 << 20, 1 << 20, 1 << 20};
    const size_t long_axis[3] = {(size_t)1 << 40, 8, 8};
    refuse(1, modes, 3, x, 1, good, argument, "dimension 1: give 2 or 3");
    refuse(2, none, 3, x, 1, good, argument, "modes[1] = 0");
    refuse(2, long_axis, 3, x, 1, good, argument, "modes[0] = 1099511627776");
    refuse(3, huge, 3, x, 1, good, argument, "no memory holds them");
    refuse(2, huge, 3, x, 1, good, NFSAR_ERROR_MEMORY, "allow more");
    refuse(2, modes, 0, x, 1, good, argument, "0 positions");
    refuse(2, modes, SIZE_MAX, x, 1, good, argument, "positions: give 1 to");
    refuse(2, modes, 3, x, 0, good, argument, "0 vectors");
    refuse(2, modes, 3, x, SIZE_MAX, good, argument, "vectors");
    refuse(2, modes, 3, nan, 1, good, argument, "position[0][1] is nan");
    refuse(2, modes, 3, inf, 1, good, argument, "position[0][0] is -inf");
    refuse(2, modes, 3, NULL, 1, good, argument, "position[0] is missing");
    bad.tolerance = 1e-9;
    refuse(2, modes, 3, x, 1, bad, argument, "tolerance 1e-09: single precision keeps");
    bad.tolerance = NAN;
    refuse(2, modes, 3, x, 1, bad, argument, "tolerance nan");
    bad = good;
    bad.sign = 0;
    refuse(2, modes, 3, x, 1, bad, argument, "sign 0: give -1 or 1");
    bad = good;
    bad.threads = -2;
    refuse(2, modes, 3, x, 1, bad, argument, "threads -2");
    bad = good;
    bad.memory = 1000;
    refuse(2, modes, 3, x, 1, bad, NFSAR_ERROR_MEMORY, "memory 1000");
    bad.memory = 30000;
    refuse(2, modes, 3, x, 1, bad, NFSAR_ERROR_MEMORY, "allow so much");
}

/* All shapes about the squares that the loops work on. */
static void transposes(void **state) {
    (void)state;
    static transpose *const versions[] = {
        NULL,
        transpose_portable,
#if defined(__x86_64__)
        transpose_avx2,
        transpose_avx512
#endif
    };
    enum { MOST = 11, STRIDE = 13 };
    float complex in[MOST * STRIDE], out[MOST * STRIDE];
    float weight[MOST];
    for (int i = 0; i < MOST * STRIDE; i++) {
        in[i] = CMPLXF((float)i, (float)(-2 * i));
        weight[i % MOST] = 0.5f + (float)(i % MOST);
    }
    for (size_t k = NFSAR_KERNEL_PORTABLE; k < sizeof versions / sizeof versions[0]; k++) {
        if (!nfsar_kernel_available((enum nfsar_kernel)k)) {
            continue;
        }
        assert_true(transpose_for((enum nfsar_kernel)k) == versions[k]);
        for (size_t shape = 0; shape < (size_t)(MOST + 1) * (MOST + 1) * 3; shape++) {
            size_t rows = shape % (MOST + 1), columns = shape / (MOST + 1) % (MOST + 1);
            size_t way = shape / (MOST + 1) / (MOST + 1);
            memset(out, 0, sizeof out);
            versions[k](in, STRIDE, rows, columns, way == 1 ? weight : NULL,
                        way == 2 ? weight : NULL, out, STRIDE);
            for (size_t i = 0; i < (size_t)MOST * STRIDE; i++) {
                size_t r = i % STRIDE, c = i / STRIDE;
                float complex expected = 0.0f;
                if (r < rows && c < columns) {
                    float by = way == 1 ? weight[r] : way == 2 ? weight[c] : 1.0f;
                    expected = by * in[r * STRIDE + c];
                }
                assert_true(out[i] == expected);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposes),
        cmocka_unit_test(planes),
        cmocka_unit_test(volumes),
        cmocka_unit_test(awkward_positions),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(types_are_adjoint),
        cmocka_unit_test(again_and_again),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
