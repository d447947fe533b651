/* A line scan at 77 GHz past a strong point and clutter, with poses that err, and how far what is
 * found is from the truth. */
#ifndef NFSAR_TESTS_ALGORITHMS_AUTOFOCUS_LINE_SCAN_H
#define NFSAR_TESTS_ALGORITHMS_AUTOFOCUS_LINE_SCAN_H

#include "tests/images.h"
#include "tests/radar.h"
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/metrics.h>
#include <nfsar/phase_gradient.h>
#include <nfsar/simulation.h>

#include "algorithms/elimination.h"
#include "algorithms/smooth.h"

enum { PULSES = 300, SAMPLES = 48, CLUTTER = 40 };
static const nfsar_vec3 strong = {0.01, 0.0, 0.31};

static inline nfsar_grid grid_of(void) {
    return (nfsar_grid){{-0.08, 1e-3, 161}, {0.0, 1.0, 1}, {0.27, 5e-3, 19}};
}

/* Echoes of the point, 20 times as strong as the strongest of the clutter, and noise of 10 dB below
 * them in each sample. */
static inline void make_scan(double point, double noise, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_scatterer scatterer[1 + CLUTTER] = {{strong, (float)point}};
    nfsar_error error;
    nfsar_random_seed(&random, 4);
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, capture);
    for (size_t i = 1; i <= CLUTTER; i++) {
        scatterer[i].position = (nfsar_vec3){-0.07 + 0.14 * nfsar_random_uniform(&random), 0.0,
                                             0.275 + 0.08 * nfsar_random_uniform(&random)};
        scatterer[i].reflectivity =
            (float)(point / 20.0 * (0.3 + 0.7 * nfsar_random_uniform(&random)));
    }
    if (point > 0.0) {
        assert_ok(nfsar_simulate(capture, scatterer, 1 + CLUTTER, NULL, 0, PULSES, capture->echo,
                                 NULL, &error),
                  error);
    }
    for (size_t i = 0; i < (size_t)PULSES * SAMPLES; i++) {
        capture->echo[i] += (float complex)(noise * nfsar_random_complex_normal(&random));
    }
}

static inline void move(nfsar_capture *capture, size_t pulse, double x, double y, double z) {
    capture->pose[pulse].position =
        nfsar_vec3_add(capture->pose[pulse].position, (nfsar_vec3){x, y, z});
}

/* Errors of exactly this rms along each axis; smooth over a seventh of the track, or white. */
static inline void disturb(nfsar_capture *capture, double sigma, bool white) {
    nfsar_random random;
    struct smooth_function smooth;
    nfsar_random_seed(&random, 7);
    for (int d = 0; d < 3; d++) {
        double e[PULSES], squares = 0.0;
        smooth_function_draw(&smooth, PULSES / 7.0, &random);
        for (size_t l = 0; l < PULSES; l++) {
            e[l] = white ? nfsar_random_normal(&random) : smooth_function_at(&smooth, (double)l);
            squares += e[l] * e[l] / PULSES;
        }
        for (size_t l = 0; l < PULSES; l++) {
            const double by = sigma * e[l] / sqrt(squares);
            move(capture, l, d == 0 ? by : 0.0, d == 1 ? by : 0.0, d == 2 ? by : 0.0);
        }
    }
}

/* ---- poses beside the true ones -------------------------------------------------------------- */

/* How far the ranges to the strong point differ from the true ones, less their mean: which is only
 * a phase that all pulses share. */
static inline double range_error(const nfsar_capture *capture, const nfsar_vec3 *truth,
                                 double *each) {
    double mean = 0.0, squares = 0.0;
    for (size_t l = 0; l < PULSES; l++) {
        each[l] = nfsar_vec3_distance(capture->pose[l].position, strong) -
                  nfsar_vec3_distance(truth[l], strong);
        mean += each[l] / PULSES;
    }
    for (size_t l = 0; l < PULSES; l++) {
        squares += (each[l] - mean) * (each[l] - mean) / PULSES;
    }
    return sqrt(squares);
}

/* Move the track as a rigid body in the plane of the line and the point, which no echo tells, to
 * where these ranges are best. */
static inline double align(nfsar_capture *capture, const nfsar_vec3 *truth) {
    double each[PULSES];
    for (int pass = 0; pass < 8; pass++) {
        double a[4][5] = {{0.0}}; /* x, z, turn, constant; the right-hand side */
        range_error(capture, truth, each);
        for (size_t l = 0; l < PULSES; l++) {
            const nfsar_vec3 p = capture->pose[l].position;
            const nfsar_vec3 u = nfsar_vec3_scale(nfsar_vec3_subtract(strong, p),
                                                  1.0 / nfsar_vec3_distance(strong, p));
            const double row[5] = {u.x, u.z, (u.z * p.x - u.x * p.z) / 0.1, 1.0, each[l]};
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 5; j++) {
                    a[i][j] += row[i] * row[j];
                }
            }
        }
        for (int i = 0; i < 4; i++) {
            a[i][i] *= 1.0 + 1e-9;
        }
        eliminate(4, 1, 5, a[0], &a[0][4]);
        const double turn = a[2][4] / 0.1, c = cos(turn), s = sin(turn);
        for (size_t l = 0; l < PULSES; l++) {
            nfsar_vec3 *p = &capture->pose[l].position;
            *p = (nfsar_vec3){c * p->x - s * p->z + a[0][4], p->y, s * p->x + c * p->z + a[1][4]};
        }
    }
    return range_error(capture, truth, each);
}

/* How far the places are from the true ones, less what no phase tells: a rigid motion in the plane,
 * and a stretch of track and scene, which ranges alone tell, and those to a millimetre. */
static inline double plane_error(const nfsar_capture *capture, const nfsar_vec3 *truth) {
    double x = 0.0, z = 0.0, stretch = 0.0, turn = 0.0, squares = 0.0, reach = 0.0;
    for (size_t l = 0; l < PULSES; l++) {
        const nfsar_vec3 e = nfsar_vec3_subtract(capture->pose[l].position, truth[l]);
        x += e.x / PULSES;
        z += e.z / PULSES;
        stretch += e.x * truth[l].x;
        turn += e.z * truth[l].x;
        reach += truth[l].x * truth[l].x;
    }
    for (size_t l = 0; l < PULSES; l++) {
        const nfsar_vec3 e = nfsar_vec3_subtract(capture->pose[l].position, truth[l]);
        const double ex = e.x - x - stretch / reach * truth[l].x;
        const double ez = e.z - z - turn / reach * truth[l].x;
        squares += (ex * ex + ez * ez) / PULSES;
    }
    return sqrt(squares);
}

/* Correlation of the magnitudes with the image of the true poses. */
static inline double likeness(nfsar_capture *capture, const nfsar_vec3 *truth) {
    const nfsar_grid grid = grid_of();
    nfsar_image_comparison comparison;
    nfsar_error error;
    nfsar_image image = image_bp(capture, &grid, NFSAR_BP_SINGLE);
    for (size_t l = 0; l < PULSES; l++) {
        capture->pose[l].position = truth[l];
    }
    nfsar_image best = image_bp(capture, &grid, NFSAR_BP_SINGLE);
    assert_ok(nfsar_image_compare(&best, &image, &comparison, &error), error);
    nfsar_image_free(&image);
    nfsar_image_free(&best);
    return comparison.magnitude_correlation;
}

static inline double entropy_of(const nfsar_capture *capture) {
    const nfsar_grid grid = grid_of();
    nfsar_image_metrics metrics;
    nfsar_error error;
    nfsar_image image = image_bp(capture, &grid, NFSAR_BP_SINGLE);
    assert_ok(nfsar_image_measure(&image, &metrics, &error), error);
    nfsar_image_free(&image);
    return metrics.entropy;
}

static inline void keep_truth(const nfsar_capture *capture, nfsar_vec3 *truth) {
    for (size_t l = 0; l < PULSES; l++) {
        truth[l] = capture->pose[l].position;
    }
}

static inline void keep_poses(nfsar_capture *capture, const nfsar_vec3 *position) {
    for (size_t l = 0; l < PULSES; l++) {
        capture->pose[l].position = position[l];
    }
}

static inline nfsar_phase_gradient_options options_of(void) {
    nfsar_phase_gradient_options options = nfsar_phase_gradient_defaults();
    options.grid = grid_of();
    return options;
}

static inline enum nfsar_status find(const nfsar_capture *capture,
                                     const nfsar_phase_gradient_options *options,
                                     nfsar_phase_gradient *found, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(capture);
    return nfsar_phase_gradient_find(capture, &source, options, found, NULL, error);
}

#endif
