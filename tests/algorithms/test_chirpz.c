/* The chirp-z transform against the sum as it stands. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "algorithms/chirpz.h"
#include "algorithms/transform.h"

static double worst_error(size_t n_in, long first, size_t n_out, double alpha) {
    float complex *in = malloc(n_in * sizeof *in), *out = malloc(2 * n_out * sizeof *out);
    for (size_t m = 0; m < n_in; m++) {
        in[m] = (float)cos(0.7 * (double)m * (double)m) + (float)sin(1.3 * (double)m) * I;
    }
    chirpz *plan = chirpz_create(n_in, first, n_out, alpha);
    assert_non_null(plan);
    float complex *scratch = transform_alloc(chirpz_scratch(plan));
    chirpz_execute(plan, in, 1, out, 2, scratch);
    double worst = 0.0, peak = 0.0;
    for (size_t i = 0; i < n_out; i++) {
        double complex exact = 0.0;
        for (size_t m = 0; m < n_in; m++) {
            exact +=
                (double complex)in[m] * cexp(I * alpha * ((double)m + (double)first) * (double)i);
        }
        peak = fmax(peak, cabs(exact));
        worst = fmax(worst, cabs(exact - (double complex)out[2 * i]));
    }
    fftwf_free(scratch);
    chirpz_destroy(plan);
    free(in);
    free(out);
    return worst / peak;
}

static void equals_the_sum(void **state) {
    (void)state;
    assert_true(worst_error(1, -0, 1, 0.1) < 2e-6);
    assert_true(worst_error(7, -3, 1, 0.1) < 2e-6);
    assert_true(worst_error(1, -0, 9, 0.1) < 2e-6);
    assert_true(worst_error(100, -50, 37, 0.0123) < 2e-6);
    assert_true(worst_error(301, -150, 512, -0.31) < 2e-6);
    assert_true(worst_error(64, -32, 64, 2.0 * 3.14159265358979 / 64.0) < 2e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_sum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
