/* Hankel functions, and the azimuth filter that they are. */
#include "tests/support.h"

#include <math.h>

#include <nfsar/geometry.h>

#include "algorithms/hankel.h"
#include "algorithms/taps.h"

enum { MOST = 900 };

/* Against the C library's Bessel functions. */
static void orders_are_those_of_bessel(void **state) {
    (void)state;
    static const double arguments[] = {0.7, 12.0, 240.0, 828.0};
    double complex made[MOST];
    for (size_t i = 0; i < 4; i++) {
        size_t count = (size_t)(arguments[i] * 1.02) + 2;
        hankel_orders(arguments[i], count, made);
        for (size_t n = 0; n < count; n += 1 + n / 7) {
            double complex wanted = cexp(CMPLX(0.0, -0.5 * NFSAR_PI * (double)n)) *
                                    CMPLX(jn((int)n, arguments[i]), -yn((int)n, arguments[i]));
            assert_true(cabs(made[n] - wanted) < 1e-9 * cabs(wanted));
        }
    }
}

/* The filter of the papers is the spectrum of exp(+ja cos t) over the half circle that faces the
 * target: by stationary phase sqrt(2 pi) (a^2 - n^2)^(-1/4) exp(j(sqrt(a^2 - n^2) + n asin(n / a) -
 * pi / 4)). Its conjugate is what hankel_orders() makes, times pi. */
static void half_circle_has_the_arcsine(void **state) {
    (void)state;
    enum { STEPS = 200000 };
    const double a = 828.0;
    double complex hankel[MOST];
    hankel_orders(a, 701, hankel);
    for (int n = 0; n <= 700; n += 50) {
        double complex sum = 0.0;
        for (int i = 0; i < STEPS; i++) {
            /* The ends are rounded off: what they scatter is not of the stationary point. */
            double part = ((double)i + 0.5) / STEPS, t = NFSAR_PI * (part - 0.5);
            double edge = fmin(part, 1.0 - part) / 0.12;
            double weight = edge < 1.0 ? 0.5 - 0.5 * cos(NFSAR_PI * edge) : 1.0;
            sum += weight * cexp(CMPLX(0.0, a * cos(t) - n * t)) * (NFSAR_PI / STEPS);
        }
        double root = sqrt(a * a - (double)n * n), along = root + n * asin(n / a);
        double complex stationary =
            sqrt(2.0 * NFSAR_PI / root) * cexp(CMPLX(0.0, along - 0.25 * NFSAR_PI));
        double phase = carg(sum / stationary),
               exact = carg(NFSAR_PI * conj(hankel[n]) / stationary);
        double without =
            carg(sum / stationary * cexp(CMPLX(0.0, n * asin(n / a) - (double)n * n / a)));
        print_message("n = %d: integral over stationary phase %.4f rad, Hankel over it %.4f, with "
                      "n^2/a for the arcsine %.3f\n",
                      n, phase, exact, without);
        assert_true(fabs(phase) < 0.01 && fabs(exact) < 0.002);
        assert_true(fabs(cabs(NFSAR_PI * hankel[n]) / cabs(stationary) - 1.0) < 1e-3);
    }
}

/* Far beyond x the functions grow without bound: cut, not infinite. */
static void nothing_overflows(void **state) {
    (void)state;
    double complex made[MOST];
    hankel_orders(3.0, MOST, made);
    for (size_t n = 0; n < MOST; n++) {
        assert_true(isfinite(creal(made[n])) && isfinite(cimag(made[n])));
    }
    assert_true(cabs(made[MOST - 1]) == 0.0);
}

static void taps_are_the_kernel(void **state) {
    (void)state;
    for (int width = 2; width <= GRIDDING_WIDEST; width++) {
        struct gridding kernel = gridding_best(width, 1.5);
        struct taps taps;
        taps_make(&kernel, &taps);
        double worst = 0.0;
        for (int i = 0; i <= 100; i++) {
            float weight[GRIDDING_WIDEST], other[GRIDDING_WIDEST],
                fraction = -1.0f + 0.02f * (float)i;
            taps_pair(&taps, fraction, -fraction, GRIDDING_WIDEST, weight, other);
            for (int t = 0; t < GRIDDING_WIDEST; t++) {
                double u = 0.5 * ((double)fraction + 1.0) + t - 0.5 * width;
                double wanted = t < width ? gridding_value(2.0 * u / width, kernel.beta) : 0.0;
                worst = fmax(worst, fabs((double)weight[t] - wanted));
                /* Mirrored: the kernel is even. */
                worst =
                    t < width ? fmax(worst, fabs((double)other[width - 1 - t] - wanted)) : worst;
            }
        }
        assert_true(worst < fmax(0.1 * kernel.error, 2e-7));
    }
}

static void places_of_taps(void **state) {
    (void)state;
    struct gridding kernel = gridding_best(6, 1.5);
    struct taps taps;
    float fraction;
    taps_make(&kernel, &taps);
    assert_int_equal(taps_first(&taps, 10.25, &fraction), 8);
    assert_float_equal(fraction, 0.5f, 1e-6f);
    assert_int_equal(taps_first(&taps, 1.5, &fraction), -1);
    assert_float_equal(fraction, 0.0f, 1e-6f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_those_of_bessel),
        cmocka_unit_test(half_circle_has_the_arcsine),
        cmocka_unit_test(nothing_overflows),
        cmocka_unit_test(taps_are_the_kernel),
        cmocka_unit_test(places_of_taps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
