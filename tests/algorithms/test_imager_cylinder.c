/* Scans round their target: when csar is chosen, what is said of it, and what is refused. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/reconstruct.h>

#include "algorithms/compensate_cylinder.h"
#include "algorithms/residue.h"
#include "tests/images.h"
#include "tests/radar.h"

#define DEGREE  (NFSAR_PI / 180.0)
#define QUARTER (RADAR_LAMBDA / 4.0)

enum { SAMPLES = 16 };

/* A turn of the radar round (axis.x, axis.z). */
struct turn {
    nfsar_vec3 axis;
    double radius, span; /* degrees */
    size_t angles, heights;
    double first;  /* degrees */
    nfsar_vec3 rx; /* of the only pair; the transmitter is at the origin */
};

static const struct turn usual = {.radius = 0.25, .span = 360.0, .angles = 360, .heights = 12};

static double angle_of(const struct turn *turn, size_t i) {
    size_t steps = turn->span < 360.0 ? turn->angles - 1 : turn->angles;
    return DEGREE * (turn->first + turn->span * (double)(i % turn->angles) / (double)steps);
}

static void make(const struct turn *turn, nfsar_capture *capture) {
    const nfsar_vec3 up = {0.0, 1.0, 0.0};
    nfsar_array array;
    nfsar_error error;
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    array.rx_m[0] = turn->rx;
    assert_ok(
        nfsar_capture_create(turn->angles * turn->heights, SAMPLES, &array, true, capture, &error),
        error);
    for (size_t i = 0; i < SAMPLES; i++) {
        capture->frequency_hz[i] = 77e9 + 4e9 * (double)i / (SAMPLES - 1);
    }
    for (size_t i = 0; i < capture->n_pulse; i++) {
        double angle = angle_of(turn, i);
        double y = QUARTER * ((double)(i / turn->angles) - 0.5 * (double)(turn->heights - 1));
        capture->pose[i].position = (nfsar_vec3){turn->axis.x + turn->radius * cos(angle), y,
                                                 turn->axis.z + turn->radius * sin(angle)};
        /* Body x is tangential, body z points at the axis. */
        capture->pose[i].orientation =
            nfsar_quaternion_from_axis_angle(up, atan2(-cos(angle), -sin(angle)));
    }
}

static void make_with_targets(const struct turn *turn, nfsar_capture *capture) {
    const nfsar_vec3 point[3] = {{turn->axis.x + 0.01, 0.0, turn->axis.z},
                                 {turn->axis.x, 0.002, turn->axis.z - 0.02},
                                 {turn->axis.x, -0.003, turn->axis.z + 0.03}};
    make(turn, capture);
    radar_add_points(capture, point, 3);
}

/* `half` to all sides of the axis, n voxels a side, three heights. */
static nfsar_grid box(const struct turn *turn, double half, size_t n) {
    double step = 2.0 * half / (double)(n - 1);
    return (nfsar_grid){.x = {turn->axis.x - half, step, n},
                        .y = {-0.004, 0.004, 3},
                        .z = {turn->axis.z - half, step, n}};
}

static nfsar_imager *fit(const nfsar_capture *capture, enum nfsar_method method,
                         const nfsar_method_options *options, const nfsar_grid *grid) {
    nfsar_error error;
    nfsar_imager *imager;
    assert_ok(nfsar_imager_create(capture, method, options, &imager, &error), error);
    assert_ok(nfsar_imager_fit(imager, grid, &error), error);
    print_message("%s: %s (%s)\n", nfsar_method_name(nfsar_imager_method(imager)),
                  nfsar_imager_reason(imager),
                  nfsar_imager_warning(imager) != NULL ? nfsar_imager_warning(imager) : "");
    return imager;
}

/* AUTO on this turn and grid takes `method` and says `reason` and, unless NULL, warns of
 * `warning`. */
static void assert_chosen(const struct turn *turn, const nfsar_grid *grid, enum nfsar_method method,
                          const char *reason, const char *warning) {
    nfsar_capture capture;
    make(turn, &capture);
    nfsar_imager *imager = fit(&capture, NFSAR_METHOD_AUTO, NULL, grid);
    assert_int_equal(nfsar_imager_method(imager), method);
    assert_contains(nfsar_imager_reason(imager), reason);
    if (warning == NULL) {
        assert_null(nfsar_imager_warning(imager));
    } else {
        assert_non_null(nfsar_imager_warning(imager));
        assert_contains(nfsar_imager_warning(imager), warning);
    }
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

static void what_auto_takes(void **state) {
    (void)state;
    struct turn turn = usual;
    nfsar_grid grid = box(&turn, 0.038, 241);
    assert_chosen(&turn, &grid, NFSAR_METHOD_CSAR,
                  "the positions go round the axis x = 0, z = 0 m at a radius of 0.25 m, exactly: "
                  "a full circle of 360 angles, in steps of 1 degree, heights from -0.005218 to "
                  "0.005218 m; expected error 0.10 %",
                  NULL);
    /* The axis is where the positions have it. */
    turn.axis = (nfsar_vec3){0.3, 0.0, -0.2};
    turn.heights = 1;
    turn.angles = 3600;
    grid = box(&turn, 0.038, 301);
    assert_chosen(&turn, &grid, NFSAR_METHOD_CSAR, "the axis x = 0.3, z = -0.2 m", NULL);
    turn.span = 70.0;
    turn.angles = 3501;
    assert_chosen(&turn, &grid, NFSAR_METHOD_CSAR,
                  "70 degrees in 3501 angles, in steps of 0.02 degrees, height 0 m", NULL);
    /* A shorter arc, whose positions all lie beyond the grid: range migration. */
    turn.first = -110.0;
    turn.span = 40.0;
    turn.angles = 101;
    turn.heights = 40;
    turn.axis = (nfsar_vec3){0.0, 0.0, 0.0};
    nfsar_grid before = {
        .x = {-0.05, 0.00025, 401}, .y = {-0.004, 0.0001, 81}, .z = {-0.15, 0.002, 80}};
    assert_chosen(&turn, &before, NFSAR_METHOD_NURMA, "irregular", NULL);
    /* The same arc with a grid that begins among the antennas: csar. */
    nfsar_grid among = {
        .x = {-0.02, 0.0005, 81}, .y = {-0.004, 0.0004, 21}, .z = {-0.238, 0.001, 200}};
    turn.angles = 1001;
    assert_chosen(&turn, &among, NFSAR_METHOD_CSAR, "40 degrees in 1001 angles", NULL);
    /* Beyond the cylinder only bp does it. */
    turn = usual;
    grid = box(&turn, 0.2, 61);
    assert_chosen(&turn, &grid, NFSAR_METHOD_BP, "from the axis", "the angles step by 1 degree");
    /* Little to do. */
    grid = box(&turn, 0.01, 11);
    assert_chosen(&turn, &grid, NFSAR_METHOD_BP,
                  "the positions are on a cylinder, and so few for this grid", NULL);
}

static void warnings(void **state) {
    (void)state;
    struct turn turn = usual;
    nfsar_grid grid = box(&turn, 0.1, 201);
    /* Corners are 0.1414 m away: pi sqrt(R0^2 + r^2) / (2 k R0 r) with k at 81 GHz is 0.4309
     * degrees; 1 degree samples up to pi / (2 k) = 0.9253 mm over sin(1 degree). */
    assert_chosen(&turn, &grid, NFSAR_METHOD_CSAR, "full circle",
                  "the angles step by 1 degree, and voxels up to 0.141 m from the axis want 0.431: "
                  "targets more than 0.054");
    nfsar_capture capture;
    grid = box(&turn, 0.03, 301);
    make(&turn, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        /* Nothing between 100 and 150 degrees. */
        double angle = angle_of(&turn, i);
        if (angle > 100.5 * DEGREE && angle < 149.5 * DEGREE) {
            capture.pose[i] = capture.pose[0];
        }
    }
    nfsar_imager *imager = fit(&capture, NFSAR_METHOD_AUTO, NULL, &grid);
    assert_int_equal(nfsar_imager_method(imager), NFSAR_METHOD_CSAR);
    assert_contains(nfsar_imager_reason(imager), "310 degrees in 311 angles");
    assert_null(nfsar_imager_warning(imager));
    nfsar_imager_destroy(imager);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        double angle = angle_of(&turn, i);
        if (angle > 200.5 * DEGREE && angle < 239.5 * DEGREE) {
            capture.pose[i] = capture.pose[0];
        }
    }
    imager = fit(&capture, NFSAR_METHOD_AUTO, NULL, &grid);
    assert_contains(nfsar_imager_warning(imager), "a gap of 40 degrees");
    nfsar_imager_destroy(imager);
    /* Random angles, ten times denser than need be: their widest gaps are none. */
    for (size_t i = 0; i < capture.n_pulse; i++) {
        double turns = 0.754877666 * (double)i + 0.2 * sin(1e4 * (double)i);
        double angle = 2.0 * NFSAR_PI * turns;
        capture.pose[i].position.x = 0.25 * cos(angle);
        capture.pose[i].position.z = 0.25 * sin(angle);
    }
    imager = fit(&capture, NFSAR_METHOD_AUTO, NULL, &grid);
    assert_contains(nfsar_imager_reason(imager), "unevenly");
    assert_null(nfsar_imager_warning(imager));
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

/* By name csar says in one line what it cannot do, with numbers and a way out. */
static void refuse(const struct turn *turn, const nfsar_grid *grid, const char *reason) {
    nfsar_capture capture;
    nfsar_error error = {0};
    nfsar_imager *imager = NULL;
    make(turn, &capture);
    enum nfsar_status status =
        nfsar_imager_create(&capture, NFSAR_METHOD_CSAR, NULL, &imager, &error);
    if (status == NFSAR_OK) {
        status = nfsar_imager_fit(imager, grid, &error);
    }
    print_message("%s\n", error.message);
    assert_int_equal(status, NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, reason);
    assert_contains(error.message, "csar: ");
    assert_contains(error.message, "; --method bp has no such limit");
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

static void what_csar_refuses(void **state) {
    (void)state;
    struct turn turn = usual;
    nfsar_grid grid = box(&turn, 0.03, 11), wide = box(&turn, 0.2, 11);
    refuse(&turn, &wide, "from the axis");
    turn.angles = 7;
    refuse(&turn, &grid, "in 7 places, needed are 8");
    turn = usual;
    turn.span = 15.0;
    refuse(&turn, &grid, "go round 15 degrees of the best one (radius 0.25 m), needed are 20");
    turn = usual;
    turn.radius = 0.0;
    refuse(&turn, &grid, "radius is zero");
    /* Planes. */
    nfsar_capture raster;
    nfsar_error error;
    nfsar_imager *imager;
    radar_raster("single", 20, QUARTER, 20, QUARTER, 4, &raster);
    assert_int_equal(nfsar_imager_create(&raster, NFSAR_METHOD_CSAR, NULL, &imager, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "csar: the positions are no cylinder: seen along y they lie on");
    nfsar_capture_free(&raster);
}

/* A wide pair is not for midpoints: AUTO leaves it to bp, by name it is warned of. */
static void wide_pairs(void **state) {
    (void)state;
    struct turn turn = usual;
    nfsar_capture capture;
    turn.rx.x = 0.15;
    nfsar_grid grid = box(&turn, 0.06, 121);
    assert_chosen(&turn, &grid, NFSAR_METHOD_BP, "so far apart that csar would be only",
                  "the angles step by 1 degree");
    make(&turn, &capture);
    nfsar_imager *imager = fit(&capture, NFSAR_METHOD_CSAR, NULL, &grid);
    assert_non_null(nfsar_imager_warning(imager));
    assert_contains(nfsar_imager_warning(imager), "so far apart");
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

/* Radii that wobble: 1 mm is 34 degrees of phase at the corners of a grid that reaches 0.141 m,
 * 2 * 1697.6 / m * 1 mm * (1 - cos(asin(0.1414 / 0.25)) * 0.999); 2 mm is too much. */
static void wobble(void **state) {
    (void)state;
    static const double off[] = {2e-4, 1e-3, 2e-3};
    static const char *const reason[] = {
        "to within 0.2 mm: ",
        "phases are up to 34 degrees wrong by positions up to 1 mm off the cylinder",
        "positions lie up to 2 mm off the cylinder"};
    struct turn turn = usual;
    nfsar_grid grid = box(&turn, 0.1, 251);
    for (size_t w = 0; w < 3; w++) {
        nfsar_capture capture;
        nfsar_error error = {0};
        nfsar_imager *imager;
        make(&turn, &capture);
        for (size_t i = 0; i < capture.n_pulse; i++) {
            nfsar_vec3 *at = &capture.pose[i].position;
            double scale = 1.0 + off[w] / turn.radius * cos(9.0 * angle_of(&turn, i));
            at->x *= scale;
            at->z *= scale;
        }
        imager = fit(&capture, NFSAR_METHOD_AUTO, NULL, &grid);
        assert_int_equal(nfsar_imager_method(imager), w == 0 ? NFSAR_METHOD_CSAR : NFSAR_METHOD_BP);
        assert_contains(nfsar_imager_reason(imager), reason[w]);
        nfsar_imager_destroy(imager);
        assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_CSAR, NULL, &imager, &error), error);
        assert_int_equal(nfsar_imager_fit(imager, &grid, &error),
                         w < 2 ? NFSAR_OK : NFSAR_ERROR_GEOMETRY);
        if (w == 1) {
            assert_non_null(nfsar_imager_warning(imager));
            assert_contains(nfsar_imager_warning(imager), reason[1]);
        }
        nfsar_imager_destroy(imager);
        nfsar_capture_free(&capture);
    }
}

/* `every-range` belongs to csar. */
static void compensation_of_other_methods(void **state) {
    (void)state;
    static const enum nfsar_method methods[] = {NFSAR_METHOD_RMA, NFSAR_METHOD_EMPM,
                                                NFSAR_METHOD_NURMA, NFSAR_METHOD_AUTO};
    nfsar_capture capture;
    nfsar_error error;
    nfsar_imager *imager;
    nfsar_grid grid = {.x = {-0.01, 0.002, 11}, .y = {0.0, 1.0, 1}, .z = {0.2, 1.0, 1}};
    nfsar_method_options options = nfsar_method_defaults();
    options.rma.compensation = options.nurma.compensation = NFSAR_COMPENSATION_EVERY_RANGE;
    radar_raster("single", 20, QUARTER, 20, QUARTER, 4, &capture);
    for (size_t i = 0; i < 4; i++) {
        assert_ok(nfsar_imager_create(&capture, methods[i], &options, &imager, &error), error);
        assert_int_equal(nfsar_imager_fit(imager, &grid, &error), NFSAR_ERROR_ARGUMENT);
        assert_contains(error.message, "compensation every-range is for csar");
        nfsar_imager_destroy(imager);
    }
    nfsar_capture_free(&capture);
}

/* Image by csar and by exact multistatic backprojection in double precision. */
static double against_truth(const struct turn *turn, double half, size_t n) {
    nfsar_capture capture;
    nfsar_error error;
    nfsar_image image;
    make_with_targets(turn, &capture);
    nfsar_grid grid = box(turn, half, n);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_imager *imager = fit(&capture, NFSAR_METHOD_CSAR, NULL, &grid);
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    assert_ok(nfsar_imager_run(imager, &grid, &source, image.data, NULL, &error), error);
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    double correlation = image_correlation(&truth, &image);
    print_message("  correlation %.6f, error %.4f\n", correlation, image_error(&truth, &image));
    nfsar_image_free(&truth);
    nfsar_image_free(&image);
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
    return correlation;
}

static void images_are_those_of_backprojection(void **state) {
    (void)state;
    struct turn turn = usual;
    turn.heights = 2;
    assert_true(against_truth(&turn, 0.03, 31) > 0.9999);
    turn.axis = (nfsar_vec3){0.1, 0.0, 0.2};
    turn.span = 100.0;
    turn.angles = 201;
    assert_true(against_truth(&turn, 0.03, 31) > 0.9999);
    turn.rx.y = -0.012;
    assert_true(against_truth(&turn, 0.03, 31) > 0.999);
    turn.rx = (nfsar_vec3){0.012, 0.003, 0.0};
    assert_true(against_truth(&turn, 0.03, 31) > 0.999);
}

/* Parts of the grid, one after the other, are the whole, their compensation's reference being that
 * of the whole. */
static void parts_fit_each_other(void **state) {
    (void)state;
    struct turn turn = usual;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_image whole, parts;
    turn.heights = 1;
    turn.rx.y = 0.01;
    make_with_targets(&turn, &capture);
    nfsar_grid grid = box(&turn, 0.03, 21);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_method_options options = nfsar_method_defaults();
    options.csar.compensation = NFSAR_COMPENSATION_REFERENCE_POINT;
    nfsar_imager *imager = fit(&capture, NFSAR_METHOD_CSAR, &options, &grid);
    assert_contains(nfsar_imager_options(imager), "compensation=reference-point");
    assert_ok(nfsar_image_create(&grid, &whole, &error), error);
    assert_ok(nfsar_image_create(&grid, &parts, &error), error);
    assert_ok(nfsar_imager_run(imager, &grid, &source, whole.data, NULL, &error), error);
    for (size_t i = 0; i < 21; i += 8) {
        nfsar_grid part = grid;
        part.z.start = nfsar_axis_at(&grid.z, i);
        part.z.count = i + 8 < 21 ? 8 : 21 - i;
        assert_ok(nfsar_imager_run(imager, &part, &source, parts.data + i * 21 * 3, NULL, &error),
                  error);
    }
    assert_true(image_error(&whole, &parts) < 3e-3);
    nfsar_image_free(&whole);
    nfsar_image_free(&parts);
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_auto_takes),
        cmocka_unit_test(warnings),
        cmocka_unit_test(what_csar_refuses),
        cmocka_unit_test(wide_pairs),
        cmocka_unit_test(wobble),
        cmocka_unit_test(compensation_of_other_methods),
        cmocka_unit_test(images_are_those_of_backprojection),
        cmocka_unit_test(parts_fit_each_other),
    };
    return cmocka_run_group_tests_name("imager_cylinder", tests, NULL, NULL);
}
