/* Polynomials of a band-limited signal: within the tolerance over their whole reach, for every
 * frequency of the band and every place between two samples. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>

#include <nfsar/geometry.h>

#include "algorithms/bandfit.h"

/* Largest error of unit lines, of the weights as they are kept. */
static double worst_error(const struct bandfit_level *level, double edge) {
    double worst = 0.0;
    for (int p = 0; p <= BANDFIT_PLACES; p++) {
        for (int k = 0; k < 31 * 21; k++) {
            double x = level->reach * (k % 31 - 15) / 15.0, wave = edge * (k / 31 - 10) / 10.0;
            double complex sum = -cexp(I * wave * ((double)p / BANDFIT_PLACES + x));
            for (int i = 0; i < BANDFIT_TAPS; i++) {
                double tap = 0.0;
                for (int d = level->degree; d >= 0; d--) {
                    tap = tap * x + (double)level->weight[p][i][d];
                    assert_true(level->weight[p][i][d] == level->spread[p][d][i]);
                }
                sum += tap * cexp(I * wave * (i - 3));
            }
            worst = fmax(worst, cabs(sum));
        }
    }
    return worst;
}

static void keeps_its_tolerance(void **state) {
    (void)state;
    static const double tolerances[] = {0.1, 1e-2, 1e-3, 3e-4, 1e-4, 5e-5, 1e-5};
    for (size_t t = 0; t < sizeof tolerances / sizeof tolerances[0]; t++) {
        double density = tolerances[t] < 2e-4 ? 4.0 : 3.0, edge = NFSAR_PI / density;
        struct bandfit *fit = bandfit_create(edge, tolerances[t]);
        assert_non_null(fit);
        for (int i = 0; i < BANDFIT_LEVELS; i++) {
            const struct bandfit_level *level = &fit->level[i];
            double worst = worst_error(level, edge);
            print_message("tolerance %g, degree %d: %.3f cells, error %.2e\n", tolerances[t],
                          level->degree, level->reach / density, worst);
            assert_true(level->reach > 0.1 && level->error < tolerances[t]);
            assert_true(worst < 1.05 * tolerances[t]);
            assert_true(i == 0 || level->reach >= fit->level[i - 1].reach);
        }
        bandfit_destroy(fit);
    }
}

/* No band at all, and hardly any: the correlation of the samples is singular. */
static void narrow_bands(void **state) {
    (void)state;
    static const double edges[] = {0.0, 1e-9, 1e-3, 0.1};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        struct bandfit *fit = bandfit_create(edges[i], 1e-5);
        assert_non_null(fit);
        for (int l = 0; l < BANDFIT_LEVELS; l++) {
            assert_true(worst_error(&fit->level[l], edges[i]) < 1.05e-5);
        }
        bandfit_destroy(fit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_tolerance),
        cmocka_unit_test(narrow_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
