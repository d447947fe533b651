/* Few exponentials in the place of many, against the many. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "algorithms/exponentials.h"

/* Largest error over all s and a dense sweep of x, between the points that the search looks at. */
static double worst_error(const exponentials *plan, const double *s, double half) {
    double worst = 0.0;
    for (size_t i = 0; i < plan->n; i += i % 5 == 0 ? 1 : 2) {
        for (int q = -1; q <= 61; q++) {
            double x = half * q / 61.0;
            double complex sum = -cexp(-I * s[i] * x);
            for (size_t m = 0; m < plan->n_node; m++) {
                sum += (double)plan->weight[i * plan->n_node + m] * cexp(-I * plan->node[m] * x);
            }
            worst = fmax(worst, cabs(sum));
        }
    }
    return worst;
}

static void try_one(size_t n, double span, double half, double tolerance,
                    enum exponentials_nodes nodes) {
    double *s = malloc(n * sizeof *s);
    for (size_t i = 0; i < n; i++) {
        s[i] = 3000.0 + span * (double)i / (double)(n - 1);
    }
    exponentials *plan = exponentials_create(s, n, half, tolerance, nodes);
    assert_non_null(plan);
    double cells = span * half / 3.14159265358979;
    if (plan->exact) {
        print_message("%4zu over %5.1f cells: not worth it\n", n, cells);
        assert_true(cells + 6.0 > 0.5 * (double)n);
        assert_int_equal(plan->n_node, n);
    } else {
        double worst = worst_error(plan, s, half);
        print_message("%4zu over %5.1f cells: %3zu nodes, error %.1e\n", n, cells, plan->n_node,
                      worst);
        assert_true(plan->n_node < n);
        /* Weights are single precision. */
        assert_true(worst < 2.0 * tolerance + 1e-6);
    }
    exponentials_destroy(plan);
    free(s);
}

static void are_equal_to_the_many(void **state) {
    (void)state;
    static const double halves[] = {0.0, 0.01, 0.1, 0.3, 1.0, 2.0};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        for (double tolerance = 1e-3; tolerance > 0.9e-6; tolerance *= 0.1) {
            try_one(256, 160.0, halves[i], tolerance, EXPONENTIALS_CLUSTERED);
            try_one(256, 160.0, halves[i], tolerance, EXPONENTIALS_UNIFORM);
        }
        try_one(20, 160.0, halves[i], 1e-5, EXPONENTIALS_CLUSTERED);
        try_one(2, 160.0, halves[i], 1e-5, EXPONENTIALS_UNIFORM);
    }
}

static void nodes_lie_as_promised(void **state) {
    (void)state;
    double s[200];
    for (size_t i = 0; i < 200; i++) {
        s[i] = 5.0 - 0.05 * (double)((i * 37) % 200); /* in no order */
    }
    exponentials *plan = exponentials_create(s, 200, 3.0, 1e-6, EXPONENTIALS_CLUSTERED);
    assert_false(plan->exact);
    for (size_t m = 0; m < plan->n_node; m++) {
        assert_true(plan->node[m] >= -4.95 - 1e-9 && plan->node[m] <= 5.0 + 1e-9);
    }
    assert_true(worst_error(plan, s, 3.0) < 3e-6);
    exponentials_destroy(plan);
    for (size_t i = 0; i < 200; i++) {
        s[i] = -0.05 * (double)i;
    }
    plan = exponentials_create(s, 200, 3.0, 1e-6, EXPONENTIALS_UNIFORM);
    assert_false(plan->exact);
    double step = plan->node[1] - plan->node[0];
    for (size_t m = 0; m < plan->n_node; m++) {
        assert_near(plan->node[m], plan->node[0] + step * (double)m, 1e-9);
    }
    exponentials_destroy(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_equal_to_the_many),
        cmocka_unit_test(nodes_lie_as_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
