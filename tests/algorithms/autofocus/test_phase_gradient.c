/* Phase-gradient autofocus: a line scan at 77 GHz past a strong point and clutter, with poses that
 * err; noise, which must not be focused into points. */
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

static nfsar_grid grid_of(void) {
    return (nfsar_grid){{-0.08, 1e-3, 161}, {0.0, 1.0, 1}, {0.27, 5e-3, 19}};
}

/* Echoes of the point, 20 times as strong as the strongest of the clutter, and noise of 10 dB below
 * them in each sample. */
static void make_scan(double point, double noise, nfsar_capture *capture) {
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

static void move(nfsar_capture *capture, size_t pulse, double x, double y, double z) {
    capture->pose[pulse].position =
        nfsar_vec3_add(capture->pose[pulse].position, (nfsar_vec3){x, y, z});
}

/* Errors of exactly this rms along each axis; smooth over a seventh of the track, or white. */
static void disturb(nfsar_capture *capture, double sigma, bool white) {
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
static double range_error(const nfsar_capture *capture, const nfsar_vec3 *truth, double *each) {
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
static double align(nfsar_capture *capture, const nfsar_vec3 *truth) {
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
static double plane_error(const nfsar_capture *capture, const nfsar_vec3 *truth) {
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
static double likeness(nfsar_capture *capture, const nfsar_vec3 *truth) {
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

static double entropy_of(const nfsar_capture *capture) {
    const nfsar_grid grid = grid_of();
    nfsar_image_metrics metrics;
    nfsar_error error;
    nfsar_image image = image_bp(capture, &grid, NFSAR_BP_SINGLE);
    assert_ok(nfsar_image_measure(&image, &metrics, &error), error);
    nfsar_image_free(&image);
    return metrics.entropy;
}

static void keep_truth(const nfsar_capture *capture, nfsar_vec3 *truth) {
    for (size_t l = 0; l < PULSES; l++) {
        truth[l] = capture->pose[l].position;
    }
}

static void keep_poses(nfsar_capture *capture, const nfsar_vec3 *position) {
    for (size_t l = 0; l < PULSES; l++) {
        capture->pose[l].position = position[l];
    }
}

static nfsar_phase_gradient_options options_of(void) {
    nfsar_phase_gradient_options options = nfsar_phase_gradient_defaults();
    options.grid = grid_of();
    return options;
}

static enum nfsar_status find(const nfsar_capture *capture,
                              const nfsar_phase_gradient_options *options,
                              nfsar_phase_gradient *found, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(capture);
    return nfsar_phase_gradient_find(capture, &source, options, found, NULL, error);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static const struct {
    double sigma;
    bool white;
    double left; /* of the range, at most: a sixteenth of the wavelength, but for clutter */
} errors[] = {{1e-3, false, 0.08e-3},
              {2e-3, false, 0.08e-3},
              {4e-3, false, 0.08e-3},
              {0.3e-3, true, 0.15e-3}};

static void poses_are_found(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        nfsar_capture capture;
        nfsar_phase_gradient found;
        nfsar_error error;
        nfsar_vec3 truth[PULSES];
        double each[PULSES];
        const nfsar_phase_gradient_options options = options_of();
        make_scan(10.0, 3.0, &capture);
        keep_truth(&capture, truth);
        const double best = entropy_of(&capture);
        disturb(&capture, errors[i].sigma, errors[i].white);
        const double wrong = range_error(&capture, truth, each);
        assert_ok(find(&capture, &options, &found, &error), error);
        assert_true(found.gained);
        print_message("entropy %.3f to %.3f (true poses %.3f), contrast %.2f to %.2f, held out "
                      "%.3f to %.3f\n",
                      found.before.entropy, found.after.entropy, best, found.before.contrast,
                      found.after.contrast, found.held_out_before, found.held_out_after);
        assert_true(found.after.entropy < found.before.entropy);
        assert_near(found.after.entropy, best, 0.02 * best);
        assert_true(found.held_out_after > 2.0 * found.held_out_before);
        assert_true(found.scatterer[0].after > 0.95);
        nfsar_phase_gradient_move(&found, &capture);
        const double left = align(&capture, truth);
        const double like = likeness(&capture, truth);
        print_message("%.1f mm %s: range error %.3f mm, %.3f mm left, correlation %.4f\n",
                      1e3 * errors[i].sigma, errors[i].white ? "white" : "smooth", 1e3 * wrong,
                      1e3 * left, like);
        assert_true(left < errors[i].left);
        assert_true(like >= 0.95);
        nfsar_phase_gradient_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* Scatterers at angles of a radian and more tell both coordinates of the plane of the scan. */
static void displacements_are_spatial(void **state) {
    (void)state;
    enum { POINTS = 12 };
    nfsar_scatterer scatterer[POINTS];
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_random random;
    nfsar_vec3 truth[PULSES];
    nfsar_phase_gradient_options options = nfsar_phase_gradient_defaults();
    options.grid = (nfsar_grid){{-0.3, 1.5e-3, 401}, {0.0, 1.0, 1}, {0.2, 5e-3, 101}};
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    for (int i = 0; i < POINTS; i++) {
        scatterer[i] = (nfsar_scatterer){
            {0.24 * sin(2.0 * i + 1.0), 0.0, 0.24 + 0.4 * (double)i / (POINTS - 1)}, 1.0f};
    }
    assert_ok(
        nfsar_simulate(&capture, scatterer, POINTS, NULL, 0, PULSES, capture.echo, NULL, &error),
        error);
    nfsar_random_seed(&random, 9);
    for (size_t i = 0; i < (size_t)PULSES * SAMPLES; i++) {
        capture.echo[i] += (float complex)(0.5 * nfsar_random_complex_normal(&random));
    }
    keep_truth(&capture, truth);
    disturb(&capture, 0.5e-3, false);
    for (size_t l = 0; l < PULSES; l++) {
        capture.pose[l].position.y = 0.0; /* across the plane nothing is told */
    }
    double before = plane_error(&capture, truth);
    assert_ok(find(&capture, &options, &found, &error), error);
    nfsar_phase_gradient_move(&found, &capture);
    double after = plane_error(&capture, truth);
    print_message(
        "%zu scatterers, condition %.3g, entropy %.3f to %.3f: %.3f mm before, %.3f now\n",
        found.n_scatterer, found.condition, found.before.entropy, found.after.entropy, 1e3 * before,
        1e3 * after);
    assert_true(found.gained && found.spatial);
    assert_true(found.condition >= 1.0 && found.condition < 100.0);
    assert_true(after < 0.3 * before);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Phases of the pulses that no place of the radar makes. */
static void phases_are_found(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_random random;
    nfsar_vec3 truth[PULSES];
    nfsar_phase_gradient_options options = options_of();
    options.error = NFSAR_PHASE_PER_PULSE;
    make_scan(10.0, 3.0, &capture);
    keep_truth(&capture, truth);
    nfsar_image best = image_bp(&capture, &options.grid, NFSAR_BP_SINGLE);
    nfsar_random_seed(&random, 2);
    for (size_t l = 0; l < PULSES; l++) {
        const double phase = 1.5 * nfsar_random_normal(&random);
        for (size_t n = 0; n < SAMPLES; n++) {
            capture.echo[l * SAMPLES + n] *= (float complex)(cos(phase) + I * sin(phase));
        }
    }
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.gained);
    assert_near(found.displacement_m[7].x, 0.0, 0.0);
    nfsar_phase_gradient_turn(&found, &capture, 0, 100, capture.echo);
    nfsar_phase_gradient_turn(&found, &capture, 100, PULSES - 100,
                              capture.echo + (size_t)100 * SAMPLES);
    nfsar_image image = image_bp(&capture, &options.grid, NFSAR_BP_SINGLE);
    nfsar_image_comparison comparison;
    assert_ok(nfsar_image_compare(&best, &image, &comparison, &error), error);
    print_message("phases of 1.5 rad: correlation %.4f\n", comparison.complex_correlation);
    assert_true(comparison.complex_correlation > 0.97);
    nfsar_image_free(&image);
    nfsar_image_free(&best);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Ranges that err by more than a cell (37 mm): envelopes first. The point is told, as there is
 * nothing to be seen in the image. */
static void envelopes_are_aligned(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_random random;
    nfsar_phase_gradient_options options = options_of();
    options.has_point = true;
    options.point = strong;
    make_scan(10.0, 3.0, &capture);
    nfsar_random_seed(&random, 5);
    for (size_t l = 0; l < PULSES; l++) {
        move(&capture, l, 0.0, 0.0, 0.04 * nfsar_random_normal(&random));
    }
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.gained && found.aligned);
    assert_true(found.scatterer[0].after > 0.9);
    print_message("40 mm white: peak %.3g before, %.3g now\n", found.before.peak, found.after.peak);
    assert_true(found.after.peak > 4.0 * found.before.peak);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* True poses stay: what is found is what clutter makes of the line of sight. */
static void true_poses_stay(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_vec3 truth[PULSES];
    const nfsar_phase_gradient_options options = options_of();
    make_scan(10.0, 3.0, &capture);
    keep_truth(&capture, truth);
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.rms_m < 0.1e-3);
    nfsar_phase_gradient_move(&found, &capture);
    assert_true(align(&capture, truth) < 0.1e-3);
    assert_true(likeness(&capture, truth) > 0.99);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Scatterers of like strength in one range cell have one echo, whose phase would make them one
 * bright point with ghosts: a sharper image by entropy, of something else. True poses stay. */
static void like_scatterers_are_left_alone(void **state) {
    (void)state;
    const struct {
        size_t n;
        nfsar_scatterer scatterer[6];
    } scenes[] = {{2, {{{0.0, 0.0, 0.3}, 1.0f}, {{0.03, 0.0, 0.305}, 1.0f}}},
                  {6,
                   {{{0.0, 0.0, 0.3}, 1.0f},
                    {{0.03, 0.0, 0.305}, 0.8f},
                    {{-0.03, 0.0, 0.3}, 0.9f},
                    {{-0.02, 0.0, 0.295}, 0.7f},
                    {{0.045, 0.0, 0.3}, 1.0f},
                    {{0.012, 0.0, 0.3}, 0.6f}}}};
    for (size_t s = 0; s < sizeof scenes / sizeof scenes[0]; s++) {
        nfsar_capture capture;
        nfsar_phase_gradient found;
        nfsar_error error;
        const nfsar_phase_gradient_options options = options_of();
        radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
        assert_ok(nfsar_simulate(&capture, scenes[s].scatterer, scenes[s].n, NULL, 0, PULSES,
                                 capture.echo, NULL, &error),
                  error);
        assert_ok(find(&capture, &options, &found, &error), error);
        print_message("%zu alike: reason %d, steady %.3f, explained %.3f before, %.3f then\n",
                      scenes[s].n, (int)found.reason, found.steady, found.explained_before,
                      found.explained_after);
        assert_false(found.gained);
        assert_int_not_equal(found.reason, NFSAR_PHASE_TAKEN);
        assert_true(found.explained_before > 0.9);
        for (size_t l = 0; l < PULSES; l++) {
            assert_near(nfsar_vec3_norm(found.displacement_m[l]), 0.0, 0.0);
        }
        nfsar_phase_gradient_free(&found);
        nfsar_capture_free(&capture);
    }
}

static void make_points(const nfsar_scatterer *scatterer, size_t n, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_error error;
    nfsar_random_seed(&random, 12);
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, capture);
    assert_ok(nfsar_simulate(capture, scatterer, n, NULL, 0, PULSES, capture->echo, NULL, &error),
              error);
    for (size_t i = 0; i < (size_t)PULSES * SAMPLES; i++) {
        capture->echo[i] += (float complex)(0.1 * nfsar_random_complex_normal(&random));
    }
}

/* A row of equal points has an echo of nearly constant strength, and the phases that bend the track
 * into one make a sharper image of it, which is wrong. */
static void a_row_is_not_made_a_point(void **state) {
    (void)state;
    enum { ROW = 7 };
    const double sigma[] = {0.0, 0.5e-3, 1e-3, 2e-3, 4e-3};
    for (size_t s = 0; s < sizeof sigma / sizeof sigma[0]; s++) {
        nfsar_scatterer row[ROW];
        nfsar_capture capture;
        nfsar_phase_gradient found;
        nfsar_error error;
        nfsar_vec3 truth[PULSES], wrong[PULSES];
        const nfsar_phase_gradient_options options = options_of();
        for (int i = 0; i < ROW; i++) {
            row[i] = (nfsar_scatterer){{0.01 * (i - ROW / 2), 0.0, 0.3}, 1.0f};
        }
        make_points(row, ROW, &capture);
        keep_truth(&capture, truth);
        if (sigma[s] > 0.0) {
            disturb(&capture, sigma[s], false);
        }
        keep_truth(&capture, wrong);
        assert_ok(find(&capture, &options, &found, &error), error);
        const double before = likeness(&capture, truth);
        keep_poses(&capture, wrong);
        nfsar_phase_gradient_move(&found, &capture);
        const double after = likeness(&capture, truth);
        print_message("a row, %.1f mm: reason %d, joint %d, told %.3f, explained %.3f before, %.3f "
                      "then: correlation %.3f, %.3f\n",
                      1e3 * sigma[s], (int)found.reason, found.joint, found.told,
                      found.explained_before, found.explained_after, before, after);
        assert_true(!found.gained || after > before);
        assert_true(sigma[s] > 0.0 || !found.gained);
        nfsar_phase_gradient_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* Two of like strength in one range cell: neither stands out, both together tell the phases. */
static void two_alike_are_found_together(void **state) {
    (void)state;
    const nfsar_scatterer two[] = {{{0.0, 0.0, 0.3}, 1.0f}, {{0.03, 0.0, 0.305}, 1.0f}};
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_vec3 truth[PULSES], wrong[PULSES];
    const nfsar_phase_gradient_options options = options_of();
    make_points(two, 2, &capture);
    keep_truth(&capture, truth);
    disturb(&capture, 0.5e-3, false);
    keep_truth(&capture, wrong);
    assert_ok(find(&capture, &options, &found, &error), error);
    const double before = likeness(&capture, truth);
    keep_poses(&capture, wrong);
    nfsar_phase_gradient_move(&found, &capture);
    const double after = likeness(&capture, truth);
    print_message("two alike, 0.5 mm: joint %d, explained %.3f before, %.3f then: correlation "
                  "%.3f, %.3f\n",
                  found.joint, found.explained_before, found.explained_after, before, after);
    assert_true(found.gained && found.joint);
    assert_true(found.explained_after > 0.95);
    assert_true(after > before && after > 0.95);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* A place that somebody told is where the scatterer is. */
static void a_told_place_stays(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_phase_gradient_options options = options_of();
    options.has_point = true;
    options.point = strong;
    make_scan(10.0, 3.0, &capture);
    disturb(&capture, 2e-3, false);
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.gained);
    assert_near(nfsar_vec3_distance(found.scatterer[0].place, strong), 0.0, 1e-12);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Voxels that miss what is between them are refused with the grid to give, or made fine enough. */
static void coarse_grids_are_made_fine(void **state) {
    (void)state;
    const bool all[3] = {true, true, true}, but_z[3] = {true, true, false};
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_phase_gradient_options options = options_of();
    make_scan(10.0, 3.0, &capture);
    options.grid.z = (nfsar_axis){0.25, 0.1, 2};
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "give --z=0.25:0.35:");
    nfsar_grid grid = options.grid;
    nfsar_phase_gradient_refine(&capture, but_z, 1000000, &grid);
    assert_int_equal(grid.z.count, 2);
    nfsar_phase_gradient_refine(&capture, all, 2 * 161, &grid);
    assert_int_equal(grid.z.count, 2);
    nfsar_phase_gradient_refine(&capture, all, 1000000, &grid);
    assert_true(grid.z.count > 4);
    assert_near(grid.z.start, 0.25, 1e-12);
    assert_near(nfsar_axis_end(&grid.z), 0.35, 1e-9);
    assert_int_equal(grid.x.count, 161);
    options.grid = grid;
    assert_ok(find(&capture, &options, &found, &error), error);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Noise is refused, also where somebody says that a point is there. */
static void noise_is_refused(void **state) {
    (void)state;
    for (int told = 0; told < 2; told++) {
        for (int per_pulse = 0; per_pulse < 2; per_pulse++) {
            nfsar_capture capture;
            nfsar_phase_gradient found;
            nfsar_error error;
            nfsar_phase_gradient_options options = options_of();
            options.has_point = told == 1;
            options.point = strong;
            options.error = per_pulse ? NFSAR_PHASE_PER_PULSE : NFSAR_PHASE_OF_POSES;
            make_scan(0.0, 1.0, &capture);
            assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_FORMAT);
            assert_contains(error.message, told == 1 ? "noise" : "no scatterer stands out");
            assert_null(found.displacement_m);
            nfsar_capture_free(&capture);
        }
    }
}

static void impossible_options_are_named(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_phase_gradient_options options = options_of();
    make_scan(0.0, 1.0, &capture);
    options.scatterers = 0;
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_ARGUMENT);
    options = options_of();
    options.has_point = true;
    options.point.x = NAN;
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_ARGUMENT);
    options = options_of();
    options.grid.x.count = 0;
    assert_int_not_equal(find(&capture, &options, &found, &error), NFSAR_OK);
    nfsar_capture_free(&capture);
    radar_raster("single", 10, 1e-3, 1, 1e-3, SAMPLES, &capture);
    options = options_of();
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "10 pulses");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(displacements_are_spatial),
        cmocka_unit_test(poses_are_found),
        cmocka_unit_test(phases_are_found),
        cmocka_unit_test(envelopes_are_aligned),
        cmocka_unit_test(true_poses_stay),
        cmocka_unit_test(like_scatterers_are_left_alone),
        cmocka_unit_test(a_row_is_not_made_a_point),
        cmocka_unit_test(two_alike_are_found_together),
        cmocka_unit_test(a_told_place_stays),
        cmocka_unit_test(coarse_grids_are_made_fine),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(impossible_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
