/* The filter that takes smooth errors of poses out of phases, against the covariance of all phases
 * written down and solved at once; and what it makes of many scans: an offset within the goal, and
 * as far off as its standard deviation says. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/smooth.h"
#include "calibration/trajectory/time_offset_errors.h"
#include "tests/support.h"

enum { WINDOWS = 150, POINTS = 4 };
#define HOP_S 0.0515

static const nfsar_vec3 points[POINTS] = {
    {0, 0, 0.3}, {0.05, 0.03, 0.33}, {-0.06, 0.02, 0.36}, {0.02, -0.05, 0.28}};

/* A hand that goes to and fro along rows. */
static nfsar_vec3 hand(double t) {
    const double row = 0.78, phase = fmod(t, 2.0 * row) / row;
    const double x = phase < 1.0 ? phase : 2.0 - phase;
    return (nfsar_vec3){0.2 * (x - 0.5) + 0.002 * sin(3.1 * t), 0.012 * t - 0.05,
                        0.005 * sin(1.7 * t)};
}

/* Rows of phases at the windows and the offset's true value, without errors. */
static size_t make_rows(struct phase_row *row, double noise_m) {
    size_t n = 0;
    for (size_t w = 0; w < WINDOWS; w++) {
        const double t = HOP_S * (double)w;
        for (size_t k = 0; k < POINTS; k++) {
            const nfsar_vec3 to = nfsar_vec3_subtract(points[k], hand(t));
            const double range = nfsar_vec3_norm(to);
            const double before = nfsar_vec3_distance(points[k], hand(t - 0.02));
            const double after = nfsar_vec3_distance(points[k], hand(t + 0.02));
            row[n++] = (struct phase_row){.reflector = k,
                                          .window = w,
                                          .begins = w == 0,
                                          .time_s = t,
                                          .noise = noise_m,
                                          .by_offset = (after - before) / 0.04,
                                          .by_place = {to.x / range, to.y / range, to.z / range},
                                          .doubt = 1.0};
        }
    }
    return n;
}

/* ---- against the covariance ------------------------------------------------------------------ */

/* Matern's correlation for smoothness 1/2, 3/2, 5/2 (Rasmussen and Williams, equations 4.14 to
 * 4.17). */
static double matern(int order, double time_s, double dt) {
    const double r = fabs(dt) / time_s;
    if (order == 1) {
        return exp(-r);
    }
    if (order == 2) {
        return (1.0 + sqrt(3.0) * r) * exp(-sqrt(3.0) * r);
    }
    return (1.0 + sqrt(5.0) * r + 5.0 * r * r / 3.0) * exp(-sqrt(5.0) * r);
}

static void filter(void **state) {
    (void)state;
    enum { ROWS = WINDOWS * POINTS, COLUMNS = FILTERED_PLACE + 3 * POINTS };
    static struct phase_row row[ROWS];
    double *covariance = malloc(sizeof(double[ROWS * ROWS]));
    double *by = calloc(ROWS * COLUMNS, sizeof *by);
    double *white = malloc(sizeof(double[ROWS * COLUMNS]));
    const double constant_m = 1e-3;
    for (int order = 1; order <= 3; order++) {
        const struct pose_error error = {order, {2e-4, 1e-4, 3e-4}, 0.7, {1.0, 0.5, 2.0, 1.5}};
        struct filtered filtered;
        size_t n = make_rows(row, 2e-5);
        /* Some are missing, one is doubted, and one chain breaks: its constant begins anew. */
        row[77].doubt = 4.0;
        row[200].begins = true;
        memmove(row + 300, row + 345, (n - 345) * sizeof *row);
        n -= 45;
        memset(by, 0, sizeof(double[ROWS * COLUMNS]));
        for (size_t i = 0; i < n; i++) {
            row[i].value = 1e-4 * sin(0.37 * (double)i);
            double *line = by + i * COLUMNS;
            line[FILTERED_VALUE] = row[i].value;
            line[FILTERED_OFFSET] = row[i].by_offset;
            memcpy(line + FILTERED_PLACE + 3 * row[i].reflector, row[i].by_place,
                   sizeof row[i].by_place);
            for (size_t j = 0; j < n; j++) {
                double sum = 0.0;
                for (size_t axis = 0; axis < 3; axis++) {
                    sum += row[i].by_place[axis] * row[j].by_place[axis] * error.sigma_m[axis] *
                           error.sigma_m[axis];
                }
                sum *= matern(order, error.time_s, row[i].time_s - row[j].time_s);
                const bool apart = row[i].reflector == row[200].reflector && (i < 200) != (j < 200);
                if (row[i].reflector == row[j].reflector && !apart) {
                    sum += constant_m * constant_m;
                }
                const double noise = row[i].noise * row[i].doubt * error.noise[row[i].reflector];
                covariance[i * n + j] = sum + (i == j ? noise * noise : 0.0);
            }
        }
        filter_phases(row, n, POINTS, &error, constant_m, white, &filtered);
        assert_int_equal(filtered.columns, COLUMNS);
        /* L^-1 by, and twice the logarithm of L's diagonal. */
        assert_int_equal(
            LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, covariance, (lapack_int)n), 0);
        double log_determinant = 0.0;
        for (size_t i = 0; i < n; i++) {
            log_determinant += 2.0 * log(covariance[i * n + i]);
        }
        assert_int_equal(LAPACKE_dtrtrs(LAPACK_ROW_MAJOR, 'L', 'N', 'N', (lapack_int)n, COLUMNS,
                                        covariance, (lapack_int)n, by, COLUMNS),
                         0);
        assert_near(filtered.log_determinant, log_determinant, 1e-4);
        double largest = 0.0, worst = 0.0;
        for (size_t i = 0; i < n * COLUMNS; i++) {
            largest = fmax(largest, fabs(by[i]));
            worst = fmax(worst, fabs(by[i] - white[i]));
        }
        assert_near(worst / largest, 0.0, 1e-6);
        for (size_t a = 0; a < COLUMNS; a++) {
            double sum = 0.0;
            for (size_t i = 0; i < n; i++) {
                sum += by[i * COLUMNS] * by[i * COLUMNS + a];
            }
            assert_near(filtered.normal[a], sum, 1e-5 * fmax(1.0, fabs(sum)));
        }
    }
    free(covariance);
    free(by);
    free(white);
}

/* ---- many scans ------------------------------------------------------------------------------ */

/* A scan whose poses err by sigma_m along each axis, for about time_s. Its offset's error over its
 * standard deviation; *error_s: the error. */
static double scan(uint64_t seed, double sigma_m, double time_s, double *error_s) {
    static struct phase_row row[WINDOWS * POINTS];
    const double noise_m = 3e-6;
    nfsar_random random;
    struct smooth_function error[3];
    nfsar_random_stream(&random, seed, 11);
    for (int axis = 0; axis < 3; axis++) {
        smooth_function_draw(&error[axis], time_s, &random);
    }
    const size_t n = make_rows(row, noise_m);
    for (size_t i = 0; i < n; i++) {
        /* Twice as noisy as is thought. */
        row[i].value = 2.0 * noise_m * nfsar_random_normal(&random);
        for (int axis = 0; axis < 3; axis++) {
            row[i].value +=
                row[i].by_place[axis] * sigma_m * smooth_function_at(&error[axis], row[i].time_s);
        }
    }
    const struct fit none = {0};
    struct errors_problem problem = {.row = row,
                                     .n = n,
                                     .n_reflector = POINTS,
                                     .ranges = &none,
                                     .constant_m = 0.04,
                                     .reach_m = 0.03,
                                     .reach_s = 0.1,
                                     .bias_m = 2.0,
                                     .shortest_s = HOP_S,
                                     .longest_s = HOP_S * WINDOWS};
    struct pose_error found = {0};
    struct fit_answer answer;
    assert_true(errors_find(&problem, &found));
    assert_true(errors_solve(&problem, &found, &answer));
    *error_s = answer.offset;
    return answer.offset / answer.sigma_offset;
}

static void honest(void **state) {
    (void)state;
    static const struct {
        double sigma_m, time_s, most_s;
    } cases[] = {{2e-4, 1.0, 3e-5}, {2e-4, 0.3, 1e-4}, {1e-3, 1.0, 5e-5}, {0.0, 1.0, 1e-5}};
#ifdef NFSAR_SANITIZED
    enum { SCANS = 2 };
#else
    enum { SCANS = 24 };
#endif
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double square = 0.0, ratio = 0.0;
        for (uint64_t seed = 1; seed <= SCANS; seed++) {
            double off;
            const double over = scan(seed, cases[c].sigma_m, cases[c].time_s, &off);
            square += off * off / SCANS;
            ratio += over * over / SCANS;
        }
        print_message("poses err by %.1f mm for %.1f s: offset off by %.2g s rms, %.2f of its "
                      "standard deviation\n",
                      1e3 * cases[c].sigma_m, cases[c].time_s, sqrt(square), sqrt(ratio));
        assert_true(sqrt(square) < cases[c].most_s);
#ifndef NFSAR_SANITIZED
        assert_true(sqrt(ratio) > 0.7 && sqrt(ratio) < 1.5);
#endif
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(filter), cmocka_unit_test(honest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
