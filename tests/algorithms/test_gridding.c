/* The gridding kernel: its transform against the plain integral, and whether the error that it
 * tells is the error that a sum makes. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>

#include <nfsar/geometry.h>

#include "algorithms/gridding.h"

/* Midpoint rule with so many points that nothing is left to doubt. */
static double integral(int width, double beta, double omega) {
    enum { POINTS = 400000 };
    double sum = 0.0, h = (double)width / POINTS;
    for (int i = 0; i < POINTS; i++) {
        double u = h * (i + 0.5) - 0.5 * width;
        sum += gridding_value(2.0 * u / width, beta) * cos(omega * u);
    }
    return sum * h;
}

static void transform_is_the_integral(void **state) {
    (void)state;
    for (int width = 2; width <= GRIDDING_WIDEST; width += 2) {
        struct gridding kernel = gridding_best(width, 1.5);
        for (double omega = 0.0; omega < 6.0; omega += 0.9) {
            double exact = integral(width, kernel.beta, omega);
            /* The step at the ends is what the quadrature sees worst. */
            double end = exp(-kernel.beta);
            assert_near(gridding_transform(width, kernel.beta, omega), exact,
                        1e-8 * width + 1e-3 * end);
        }
    }
}

static void ends(void **state) {
    (void)state;
    assert_near(gridding_value(0.0, 9.0), 1.0, 0.0);
    assert_near(gridding_value(1.0, 9.0), exp(-9.0), 1e-18);
    assert_near(gridding_value(-1.0000001, 9.0), exp(-9.0), 1e-18);
    assert_near(gridding_value(0.6, 5.0), exp(-1.0), 1e-15);
}

/* One value at t of a fine grid of n points: bin m of what the kernel lays there, over the kernel's
 * transform, beside exp(-j 2 pi m t / n). */
static double error_of_one(const struct gridding *kernel, int n, double m, double t) {
    double complex sum = 0.0;
    for (double i = ceil(t - 0.5 * kernel->width); i <= t + 0.5 * kernel->width; i += 1.0) {
        double weight = gridding_value(2.0 * (i - t) / kernel->width, kernel->beta);
        sum += weight * cexp(-2.0 * I * NFSAR_PI * m * i / n);
    }
    sum /= gridding_transform(kernel->width, kernel->beta, 2.0 * NFSAR_PI * m / n);
    return cabs(sum - cexp(-2.0 * I * NFSAR_PI * m * t / n));
}

static void error_is_told(void **state) {
    (void)state;
    static const double oversampling[] = {1.15, 1.25, 1.5, 2.0, 2.5};
    for (size_t s = 0; s < sizeof oversampling / sizeof oversampling[0]; s++) {
        for (double tolerance = 1e-2; tolerance > 5e-6; tolerance /= 10.0) {
            struct gridding kernel = gridding_choose(tolerance, oversampling[s]);
            enum { N = 240 };
            double worst = 0.0, edge = 0.5 * N / oversampling[s];
            for (double m = -floor(edge); m <= edge; m += 1.0) {
                for (int i = 0; i < 20; i++) {
                    worst = fmax(worst, error_of_one(&kernel, N, m, 40.0 + 0.0501 * i));
                }
            }
            print_message("oversampling %.2f, asked %.0e: width %2d, told %.1e, is %.1e\n",
                          oversampling[s], tolerance, kernel.width, kernel.error, worst);
            assert_true(kernel.error <= tolerance);
            assert_true(worst < 1.1 * kernel.error && worst > 0.3 * kernel.error);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transform_is_the_integral),
        cmocka_unit_test(ends),
        cmocka_unit_test(error_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
