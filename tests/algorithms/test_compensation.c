/* Multistatic to monostatic: against exact distances. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>

#include <nfsar/compensation.h>

static const nfsar_vec3 tx = {0.01, 0.02, 0.001}, rx = {0.01, 0.004, 0.001};

static double exact(nfsar_vec3 target) {
    return nfsar_vec3_distance(tx, target) + nfsar_vec3_distance(rx, target) -
           2.0 * nfsar_vec3_distance(nfsar_vec3_midpoint(tx, rx), target);
}

static void reference_point_is_exact_there(void **state) {
    (void)state;
    nfsar_vec3 target = {-0.05, 0.03, 0.21};
    assert_near(nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, tx, rx, target),
                exact(target), 1e-15);
}

static void closed_form_is_the_quadratic_term(void **state) {
    (void)state;
    /* Straight below the midpoint the next term of the series is -(d/2)^4 / (4 z^3). */
    double z = 0.3;
    nfsar_vec3 target = {0.01, 0.012, 0.001 + z};
    double closed = nfsar_compensation_path(NFSAR_COMPENSATION_CLOSED_FORM, tx, rx, target);
    assert_near(closed, 0.016 * 0.016 / (4.0 * z), 1e-15);
    assert_near(closed - exact(target), pow(0.008, 4.0) / (4.0 * z * z * z), 1e-9);
    /* Behind the radar the path is as long. */
    target.z = 0.001 - z;
    assert_near(nfsar_compensation_path(NFSAR_COMPENSATION_CLOSED_FORM, tx, rx, target), closed,
                1e-15);
}

static void none_and_in_the_plane(void **state) {
    (void)state;
    nfsar_vec3 target = {0.0, 0.0, 0.001};
    assert_near(nfsar_compensation_path(NFSAR_COMPENSATION_NONE, tx, rx, target), 0.0, 0.0);
    assert_near(nfsar_compensation_path(NFSAR_COMPENSATION_CLOSED_FORM, tx, rx, target), 0.0, 0.0);
}

static void applying_makes_the_pair_monostatic(void **state) {
    (void)state;
    nfsar_vec3 target = {0.02, -0.01, 0.15};
    double k[3] = {1614.0, 1650.0, 1697.0};
    float complex echo[3];
    double two_way = nfsar_vec3_distance(tx, target) + nfsar_vec3_distance(rx, target);
    for (int i = 0; i < 3; i++) {
        echo[i] = (float complex)cexp(I * k[i] * two_way);
    }
    double path = nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, tx, rx, target);
    nfsar_compensation_apply(path, k, 3, echo);
    double mono = 2.0 * nfsar_vec3_distance(nfsar_vec3_midpoint(tx, rx), target);
    for (int i = 0; i < 3; i++) {
        assert_near(cabs((double complex)echo[i] - cexp(I * k[i] * mono)), 0.0, 1e-6);
    }
}

static void names(void **state) {
    (void)state;
    nfsar_error error;
    enum nfsar_compensation model;
    assert_ok(nfsar_compensation_parse("closed-form", &model, &error), error);
    assert_int_equal(model, NFSAR_COMPENSATION_CLOSED_FORM);
    assert_string_equal(nfsar_compensation_name(NFSAR_COMPENSATION_REFERENCE_POINT),
                        "reference-point");
    assert_int_equal(nfsar_compensation_parse("magic", &model, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "closed-form");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_point_is_exact_there),
        cmocka_unit_test(closed_form_is_the_quadratic_term),
        cmocka_unit_test(none_and_in_the_plane),
        cmocka_unit_test(applying_makes_the_pair_monostatic),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
