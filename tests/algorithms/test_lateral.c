/* Waves to the places of a grid: the direct transform and chirp-z, against each other and the sum.
 */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/lateral.h"

#define TWO_PI 6.28318530717958647692

static float complex wave(size_t m) {
    return (float)cos(0.7 * (double)m * (double)m) + (float)sin(1.3 * (double)m) * I;
}

static void transform(const lateral *plan, size_t bins, size_t n_out, float complex *out) {
    float complex *line = buffer_zeros(lateral_length(plan), sizeof *line);
    float complex *work = buffer_zeros(lateral_work(plan), sizeof *work);
    for (int again = 0; again < 2; again++) {
        for (size_t m = 0; m < bins; m++) {
            float complex *to = &line[lateral_place(plan, m)];
            *to = lateral_folds(plan) ? (again ? *to : *to + wave(m)) : wave(m);
        }
        /* The second time shows that the line was not changed. */
        memcpy(out, lateral_execute(plan, line, work), n_out * sizeof *out);
    }
    free(line);
    free(work);
}

/* Error of the second relative to the peak of the first, in dB. */
static double difference(const double complex *a, const float complex *b, size_t n) {
    double peak = 0.0, worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        peak = fmax(peak, cabs(a[i]));
        worst = fmax(worst, cabs(a[i] - (double complex)b[i]));
    }
    return 20.0 * log10(worst / peak);
}

static void compare(size_t bins, size_t half, size_t n_out, double alpha, size_t length) {
    double complex *sum = calloc(n_out, sizeof *sum), *other = calloc(n_out, sizeof *other);
    float complex *direct = malloc(n_out * sizeof *direct), *chirp = malloc(n_out * sizeof *chirp);
    for (size_t i = 0; i < n_out; i++) {
        for (size_t m = 0; m < bins; m++) {
            sum[i] +=
                (double complex)wave(m) * cexp(I * alpha * ((double)m - (double)half) * (double)i);
        }
    }
    assert_int_equal(lateral_direct_length(alpha, n_out), length);
    lateral *plan = lateral_create(bins, half, n_out, alpha, 1.0);
    assert_non_null(plan);
    transform(plan, bins, n_out, direct);
    lateral_destroy(plan);
    plan = lateral_create_chirp(bins, half, n_out, alpha);
    assert_non_null(plan);
    transform(plan, bins, n_out, chirp);
    lateral_destroy(plan);
    for (size_t i = 0; i < n_out; i++) {
        other[i] = (double complex)chirp[i];
    }
    print_message("%zu waves to %zu places, length %zu: %.1f dB off the sum, %.1f dB off chirp-z\n",
                  bins, n_out, length, difference(sum, direct, n_out),
                  difference(other, direct, n_out));
    assert_true(difference(sum, direct, n_out) < -110.0);
    assert_true(difference(sum, chirp, n_out) < -110.0);
    assert_true(difference(other, direct, n_out) < -100.0);
    free(sum);
    free(other);
    free(direct);
    free(chirp);
}

static void both_ways_are_the_sum(void **state) {
    (void)state;
    compare(101, 50, 40, TWO_PI / 128.0, 128);
    compare(101, 50, 128, TWO_PI / 128.0, 128);
    compare(301, 150, 256, TWO_PI / 640.0, 640);
    compare(641, 320, 90, TWO_PI / 96.0, 96); /* folded almost seven times */
    compare(129, 64, 1, 0.0, 1);
    compare(1, 0, 1, 0.0, 1);
    compare(1, 0, 9, TWO_PI / 9.0, 9);
}

static void odd_spacings_take_chirp_z(void **state) {
    (void)state;
    compare(101, 50, 40, 0.0123, 0);
    compare(101, 50, 40, TWO_PI / 128.01, 0);
    compare(101, 50, 40, TWO_PI / 127.0, 0);  /* a prime */
    compare(101, 50, 140, TWO_PI / 128.0, 0); /* more than a period */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_are_the_sum),
        cmocka_unit_test(odd_spacings_take_chirp_z),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
