/* The Stolt step's non-uniform sum against the sum as it stands. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "algorithms/depthsum.h"
#include "algorithms/transform.h"

static double uniform(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216.0;
}

/* Largest error over all depths, relative to the largest |out|: the figure that the issue bounds
 * by -60 dB of the peak. Smooth: c like the spectrum of one point target, so that there is a
 * peak; else random, where errors have nothing to hide behind. */
static double worst_error(size_t n_in, size_t n_out, double tolerance, enum depthsum_way way,
                          int smooth) {
    unsigned state = 7;
    float complex *c = malloc(n_in * sizeof *c);
    double *t = malloc(n_in * sizeof *t);
    float complex *out = calloc(n_out, sizeof *out);
    for (size_t i = 0; i < n_in; i++) {
        t[i] = 5.0 + 40.0 * uniform(&state);
        if (smooth) {
            /* k_z of an oblique plane wave over 77-81 GHz, 0.5 mm steps, target at index 20. */
            double k = 3227.0 + 168.0 * (double)i / (double)n_in;
            t[i] = 0.5e-3 * sqrt(k * k - 1000.0 * 1000.0);
            c[i] = (float complex)cexp(I * 20.0 * t[i]);
        } else {
            c[i] = (float)(uniform(&state) - 0.5) + (float)(uniform(&state) - 0.5) * I;
        }
    }
    depthsum *plan = depthsum_create(n_in, n_out, tolerance, way);
    assert_non_null(plan);
    float complex *scratch = transform_alloc(depthsum_scratch(plan));
    depthsum_execute(plan, c, t, n_in, out, 1, scratch);
    double peak = 0.0, worst = 0.0;
    for (size_t m = 0; m < n_out; m++) {
        double complex exact = 0.0;
        for (size_t i = 0; i < n_in; i++) {
            exact += (double complex)c[i] * cexp(-I * t[i] * ((double)m - (double)(n_out / 2)));
        }
        peak = fmax(peak, cabs(exact));
        worst = fmax(worst, cabs(exact - (double complex)out[m]));
    }
    fftwf_free(scratch);
    depthsum_destroy(plan);
    free(c);
    free(t);
    free(out);
    return worst / peak;
}

static void exact_when_direct(void **state) {
    (void)state;
    assert_true(worst_error(64, 33, 1e-4, DEPTHSUM_DIRECT, 0) < 2e-6);
    assert_true(worst_error(64, 1, 1e-4, DEPTHSUM_AUTO, 0) < 2e-6);
}

static void tolerance_is_kept(void **state) {
    (void)state;
    static const size_t depths[] = {1, 2, 5, 64, 101, 256};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        for (double tolerance = 1e-2; tolerance > 5e-6; tolerance /= 10.0) {
            double smooth = worst_error(64, depths[i], tolerance, DEPTHSUM_NUFFT, 1);
            double random = worst_error(64, depths[i], tolerance, DEPTHSUM_NUFFT, 0);
            print_message("%3zu depths, tolerance %.0e: point %.1e, random %.1e of the peak\n",
                          depths[i], tolerance, smooth, random);
            assert_true(smooth < tolerance);
            assert_true(random < 4.0 * tolerance);
        }
    }
}

static void stolt_step_is_below_60_db(void **state) {
    (void)state;
    /* The default tolerance of nfsar_rma_options. */
    double error = worst_error(64, 128, 1e-4, DEPTHSUM_NUFFT, 1);
    print_message("Stolt step against the exact sum: %.1f dB of the peak\n", 20.0 * log10(error));
    assert_true(20.0 * log10(error) <= -60.0);
}

static void sums_add_up(void **state) {
    (void)state;
    /* Blocks of frequencies are added one after the other. */
    float complex c[2] = {1.0f, 2.0f * I}, out[9] = {0}, parts[9] = {0};
    double t[2] = {0.3, 1.9};
    depthsum *plan = depthsum_create(2, 9, 1e-5, DEPTHSUM_NUFFT);
    float complex *scratch = transform_alloc(depthsum_scratch(plan));
    depthsum_execute(plan, c, t, 2, out, 1, scratch);
    depthsum_execute(plan, c, t, 1, parts, 1, scratch);
    depthsum_execute(plan, c + 1, t + 1, 1, parts, 1, scratch);
    for (int m = 0; m < 9; m++) {
        assert_near((double)cabsf(out[m] - parts[m]), 0.0, 1e-5);
    }
    fftwf_free(scratch);
    depthsum_destroy(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_when_direct),
        cmocka_unit_test(tolerance_is_kept),
        cmocka_unit_test(stolt_step_is_below_60_db),
        cmocka_unit_test(sums_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
