/* Targets that need no file: points, plates, random points and solids. */
#include <math.h>
#include <stdlib.h>

#include "tests/scene/scenes.h"

#define WITH(targets) PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets:\n" targets

static const nfsar_scatterer *scatterers(const nfsar_scene *scene, size_t *n) {
    return nfsar_scene_scatterers(scene, n);
}

static void test_points(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(WITH("  - points:\n"
                                         "      - {at_m: [0.1, -0.2, 0.3]}\n"
                                         "      - {at_m: [0, 0, 1], amplitude: 2, phase_deg: 90}\n"
                                         "  - points: [{at_m: [0, 0, 2]}]\n"));
    size_t n = 0;
    const nfsar_scatterer *s = scatterers(scene, &n);
    assert_int_equal(n, 3);
    assert_near(s[0].position.x, 0.1, 0.0);
    assert_near(s[0].position.y, -0.2, 0.0);
    assert_near(s[0].position.z, 0.3, 0.0);
    assert_true(s[0].reflectivity == 1.0f);
    assert_near(crealf(s[1].reflectivity), 0.0, 1e-6);
    assert_near(cimagf(s[1].reflectivity), 2.0, 1e-6);
    assert_near(s[2].position.z, 2.0, 0.0);
    nfsar_scene_close(scene);
}

static void test_plate_placement(void **state) {
    (void)state;
    /* Turned by 90 degrees about y: what was x is now -z. */
    nfsar_scene *scene =
        good_scene(WITH("  - plate: {size_m: [0.2, 0.1], at_m: [1, 2, 3], rotate_deg: [0, 90, 0], "
                        "spacing_m: 0.01, amplitude: 0.5}\n"));
    size_t n = 0;
    const nfsar_scatterer *s = scatterers(scene, &n);
    assert_int_equal(n, 21 * 11);
    double low[3] = {9, 9, 9}, high[3] = {-9, -9, -9};
    for (size_t i = 0; i < n; i++) {
        const double p[3] = {s[i].position.x, s[i].position.y, s[i].position.z};
        for (int k = 0; k < 3; k++) {
            low[k] = fmin(low[k], p[k]);
            high[k] = fmax(high[k], p[k]);
        }
        /* A cell of 100 square millimetres. */
        assert_near(crealf(s[i].reflectivity), 0.5 * 100.0, 1e-4);
    }
    assert_near(low[0], 1.0, 1e-12);
    assert_near(high[0], 1.0, 1e-12);
    assert_near(low[1], 1.95, 1e-12);
    assert_near(high[1], 2.05, 1e-12);
    assert_near(low[2], 2.9, 1e-12);
    assert_near(high[2], 3.1, 1e-12);
    nfsar_scene_close(scene);
    /* About x, then about z: the normal of the plate goes from z to -y to x. */
    scene = good_scene(WITH("  - plate: {size_m: [0.2, 0.2], rotate_deg: [90, 0, 90], "
                            "at_m: [0, 0, 1], spacing_m: 0.1}\n"));
    s = scatterers(scene, &n);
    for (size_t i = 0; i < n; i++) {
        assert_near(s[i].position.x, 0.0, 1e-12);
    }
    nfsar_scene_close(scene);
}

/* Is there a scatterer within half a spacing of (x, y)? */
static bool metal_at(const nfsar_scene *scene, double x, double y, double spacing) {
    size_t n = 0;
    const nfsar_scatterer *s = scatterers(scene, &n);
    for (size_t i = 0; i < n; i++) {
        if (fabs(s[i].position.x - x) <= 0.51 * spacing &&
            fabs(s[i].position.y - y) <= 0.51 * spacing) {
            return true;
        }
    }
    return false;
}

static void test_holes_and_islands(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(
        WITH("  - plate:\n"
             "      size_m: [0.1, 0.1]\n"
             "      at_m: [0, 0, 0.3]\n"
             "      spacing_m: 5.0e-4\n"
             "      holes:\n"
             "        - disc: {centre_m: [-0.025, 0.025], radius_m: 0.015}\n"
             "        - rectangle: {centre_m: [0.025, 0.025], size_m: [0.03, 0.004], "
             "rotate_deg: 90}\n"
             "        - polygon: {corners_m: [[-0.04, -0.04], [-0.01, -0.04], [-0.01, -0.01]]}\n"
             "        - star: {centre_m: [0.025, -0.025], radius_m: 0.02, inner_m: 0.006, "
             "points: 4}\n"
             "      islands:\n"
             "        - disc: {centre_m: [-0.025, 0.025], radius_m: 0.005}\n"));
    const struct {
        double x, y;
        bool metal;
    } places[] = {
        {0.0, 0.0, true},
        {0.049, 0.049, true},
        {-0.025, 0.035, false},
        {-0.025, 0.0415, true}, /* in and out of the disc */
        {-0.025, 0.025, true},  /* the island */
        {0.025, 0.038, false},
        {0.035, 0.025, true}, /* the rectangle stands upright */
        {-0.015, -0.03, false},
        {-0.035, -0.02, true}, /* the triangle's lower right half */
        {0.025, -0.007, false},
        {0.043, -0.025, false},        /* tips of the star: up, right */
        {0.025 + 0.009, -0.016, true}, /* between them */
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (metal_at(scene, places[i].x, places[i].y, 5e-4) != places[i].metal) {
            fail_msg("metal at %g, %g: expected %d", places[i].x, places[i].y, places[i].metal);
        }
    }
    /* Number of scatterers = area over the cell's area. The star of n tips has the area
     * n R r sin(pi / n). */
    size_t n = 0;
    (void)scatterers(scene, &n);
    double area = 0.1005 * 0.1005 - NFSAR_PI * (0.015 * 0.015 - 0.005 * 0.005) - 0.03 * 0.004 -
                  0.5 * 0.03 * 0.03 - 4 * 0.02 * 0.006 * sin(NFSAR_PI / 4);
    assert_near((double)n, area / 2.5e-7, 0.005 * area / 2.5e-7);
    nfsar_scene_close(scene);
}

static void test_outline(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(
        WITH("  - plate: {outline_m: [[0, 0], [0.1, 0], [0, 0.1]], at_m: [0, 0, 0.3]}\n"));
    size_t n = 0;
    (void)scatterers(scene, &n);
    assert_near((double)n, 5000.0, 110.0);
    assert_true(metal_at(scene, 0.02, 0.03, 1e-3));
    assert_false(metal_at(scene, 0.06, 0.06, 1e-3));
    nfsar_scene_close(scene);
}

static void test_random_points(void **state) {
    (void)state;
    const char *text = "seed: 9\n" WITH(
        "  - random_points: {count: 4000, centre_m: [0, 0, 0.5], size_m: [0.2, 0.1, 0], "
        "amplitude_min: 0.5, amplitude_max: 1.5, random_phase: true}\n");
    nfsar_scene *scene = good_scene(text);
    size_t n = 0;
    const nfsar_scatterer *s = scatterers(scene, &n);
    assert_int_equal(n, 4000);
    double mean = 0.0;
    double complex sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        assert_true(fabs(s[i].position.x) <= 0.1 && fabs(s[i].position.y) <= 0.05);
        assert_near(s[i].position.z, 0.5, 0.0);
        double a = cabsf(s[i].reflectivity);
        assert_true(a > 0.499 && a < 1.501);
        mean += a / 4000.0;
        sum += (double complex)s[i].reflectivity / a / 4000.0;
    }
    assert_near(mean, 1.0, 0.023);     /* 5 / sqrt(12 N) */
    assert_near(cabs(sum), 0.0, 0.08); /* 5 / sqrt(N) */
    nfsar_scene *again = good_scene(text);
    size_t m = 0;
    assert_memory_equal(scatterers(again, &m), s, n * sizeof *s);
    nfsar_scene_close(again);
    nfsar_scene_close(scene);
}

/* Of one solid: extents along x, y, z about their middle, and the distances from it. */
struct extent {
    double size[3], nearest, farthest;
    size_t n;
};

static struct extent extent_of(const char *shape, const char *fill) {
    char text[1024];
    snprintf(text, sizeof text,
             WITH("  - random_solids: {count: 1, size_m: [0, 0, 0], centre_m: [0, 0, 0.3], "
                  "smallest_m: 0.03, largest_m: 0.03, shapes: [%s], fill: %s, spacing_m: 1e-3}\n"),
             shape, fill);
    nfsar_scene *scene = good_scene(text);
    struct extent e = {.nearest = INFINITY};
    const nfsar_scatterer *s = scatterers(scene, &e.n);
    for (size_t i = 0; i < e.n; i++) {
        nfsar_vec3 p = s[i].position;
        const double off[3] = {p.x, p.y, p.z - 0.3};
        for (int k = 0; k < 3; k++) {
            e.size[k] = fmax(e.size[k], 2.0 * fabs(off[k]));
        }
        double r = sqrt(off[0] * off[0] + off[1] * off[1] + off[2] * off[2]);
        e.nearest = fmin(e.nearest, r);
        e.farthest = fmax(e.farthest, r);
    }
    nfsar_scene_close(scene);
    return e;
}

static void test_random_solids(void **state) {
    (void)state;
    struct extent disc = extent_of("disc", "filled");
    assert_near((double)disc.n, NFSAR_PI * 15.0 * 15.0, 25.0);
    assert_near(disc.farthest, 0.015, 1e-9);
    assert_near(disc.size[2], 0.0, 1e-12);
    struct extent ring = extent_of("disc", "hollow");
    assert_true(ring.nearest > 0.015 - 1.5e-3 - 1e-9);
    assert_near((double)ring.n, NFSAR_PI * (15.0 * 15.0 - 13.5 * 13.5), 20.0);
    struct extent ball = extent_of("sphere", "filled");
    assert_near((double)ball.n, 4.0 / 3.0 * NFSAR_PI * pow(15.0, 3.0), 300.0);
    assert_near(ball.size[2], 0.03, 1e-9);
    struct extent shell = extent_of("sphere", "hollow");
    assert_near((double)shell.n, 4.0 / 3.0 * NFSAR_PI * (pow(15.0, 3.0) - pow(13.5, 3.0)), 300.0);
    struct extent square = extent_of("rectangle", "filled");
    assert_int_equal(square.n, 31 * 31);
    struct extent box = extent_of("box", "filled");
    assert_int_equal(box.n, 31 * 31 * 31);
    struct extent case_ = extent_of("box", "hollow");
    assert_int_equal(case_.n, 31 * 31 * 31 - 27 * 27 * 27);
}

static void test_refusals(void **state) {
    (void)state;
    assert_refused(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets: []\n", "scene.yaml");
    assert_refused(WITH("  - {}\n"), "target 1: give one of points");
    assert_refused(WITH("  - points: [{at_m: [0, 0, 1]}]\n    plate: {size_m: [1, 1]}\n"),
                   "there are 2");
    assert_refused(WITH("  - points: [{at_m: [0, inf, 1]}]\n"), "point 1");
    assert_refused(WITH("  - points: [{at_m: [0, 1]}]\n"), "scene.yaml");
    assert_refused(WITH("  - plate: {at_m: [0, 0, 1]}\n"), "give either size_m or outline_m");
    assert_refused(WITH("  - plate: {size_m: [0, 1]}\n"), "plate.size_m is 0");
    assert_refused(WITH("  - plate: {size_m: [1, 1], spacing_m: 0}\n"), "spacing_m is 0");
    assert_refused(WITH("  - plate: {size_m: [1, 1], spacing_m: 1e-9}\n"), "too fine");
    assert_refused(WITH("  - plate: {size_m: [2.5, 2.5], spacing_m: 1e-3}\n"), "more than 5000000");
    assert_refused(WITH("  - plate: {size_m: [1, 1], holes: [{disc: {radius_m: -1}}]}\n"),
                   "plate.holes: shape 1: radius_m is -1");
    assert_refused(WITH("  - plate: {size_m: [1, 1], holes: [{}]}\n"), "shape 1: give one of disc");
    assert_refused(
        WITH(
            "  - plate: {size_m: [1, 1], holes: [{star: {radius_m: 1, inner_m: 2, points: 5}}]}\n"),
        "inner_m");
    assert_refused(
        WITH(
            "  - plate: {size_m: [1, 1], holes: [{star: {radius_m: 2, inner_m: 1, points: 1}}]}\n"),
        "points is 1");
    assert_refused(WITH("  - plate: {size_m: [0.1, 0.1], holes: [{disc: {radius_m: 1}}]}\n"),
                   "no scatterer");
    assert_refused(WITH("  - plate: {outline_m: [[1e300, 0], [-1e300, 0], [0, 1]]}\n"),
                   "plate.outline_m is 1e+300");
    assert_refused(WITH("  - random_points: {count: 0, size_m: [1, 1, 1]}\n"), "count is 0");
    assert_refused(WITH("  - random_points: {count: -5, size_m: [1, 1, 1]}\n"), "scene.yaml");
    assert_refused(WITH("  - random_points: {count: 99999999999, size_m: [1, 1, 1]}\n"),
                   "must be from 1 to");
    assert_refused(WITH("  - random_points: {count: 1, size_m: [1, 1, 1], amplitude_min: 2}\n"),
                   "above amplitude_max");
    assert_refused(WITH("  - random_solids: {count: 1, size_m: [1, 1, 1], smallest_m: 2, "
                        "largest_m: 1}\n"),
                   "above largest_m");
    assert_refused(WITH("  - random_solids: {count: 1, size_m: [1, 1, 1], smallest_m: 1, "
                        "largest_m: 1, shapes: [cow]}\n"),
                   "scene.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_plate_placement),
        cmocka_unit_test(test_holes_and_islands),
        cmocka_unit_test(test_outline),
        cmocka_unit_test(test_random_points),
        cmocka_unit_test(test_random_solids),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
