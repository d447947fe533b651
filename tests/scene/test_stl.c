/* STL: both forms, what is refused, and how a surface is covered with scatterers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/scene/stl.h"
#include "tests/scene/scenes.h"

/* A right triangle and its mirror image: a square of side 2 in the plane z = 1, outward +z. */
static const float square[2][3][3] = {
    {{0, 0, 1}, {2, 0, 1}, {2, 2, 1}},
    {{0, 0, 1}, {2, 2, 1}, {0, 2, 1}},
};

static size_t binary_square(unsigned char bytes[184]) {
    memset(bytes, 0, 184);
    memcpy(bytes, "solid is what some binary files begin with", 42);
    bytes[80] = 2;
    for (int t = 0; t < 2; t++) {
        /* Tests run on little-endian machines, as this file is. */
        memcpy(bytes + 84 + 50 * t + 12, square[t], 36);
    }
    return 184;
}

static const char ascii_square[] = "solid name with words\n"
                                   "  facet normal 0 0 1\n"
                                   "    outer loop\n"
                                   "      vertex 0 0 1\n"
                                   "      vertex 2.0 0 1e0\n"
                                   "      vertex 2 2 1\n"
                                   "    endloop\n"
                                   "  endfacet\n"
                                   "  FACET NORMAL nan nan nan\n"
                                   "    outer   loop vertex 0 0 1 vertex 2 2 1 vertex 0 2 1\r\n"
                                   "    endloop endfacet\n"
                                   "endsolid name with words\n";

static void assert_square(void) {
    nfsar_error error;
    struct stl_triangle *triangle = NULL;
    size_t n = 0;
    assert_ok(stl_read(test_path("part.stl"), &triangle, &n, &error), error);
    assert_int_equal(n, 2);
    assert_memory_equal(triangle, square, sizeof square);
    free(triangle);
}

static void test_binary_and_ascii(void **state) {
    (void)state;
    unsigned char bytes[184];
    test_write_file("part.stl", bytes, binary_square(bytes));
    assert_square();
    test_write_file("part.stl", ascii_square, sizeof ascii_square - 1);
    assert_square();
    /* Without a newline at the end, and two solids in one file. */
    test_write_file("part.stl", ascii_square, sizeof ascii_square - 2);
    assert_square();
    char twice[2 * sizeof ascii_square];
    snprintf(twice, sizeof twice, "%s%s", ascii_square, ascii_square);
    test_write_file("part.stl", twice, strlen(twice));
    nfsar_error error;
    struct stl_triangle *triangle = NULL;
    size_t n = 0;
    assert_ok(stl_read(test_path("part.stl"), &triangle, &n, &error), error);
    assert_int_equal(n, 4);
    free(triangle);
}

static void refuse(const void *bytes, size_t size, const char *part) {
    nfsar_error error = {0};
    struct stl_triangle *triangle = NULL;
    size_t n = 0;
    test_write_file("part.stl", bytes, size);
    assert_int_equal(stl_read(test_path("part.stl"), &triangle, &n, &error), NFSAR_ERROR_FORMAT);
    assert_null(triangle);
    assert_contains(error.message, part);
    assert_contains(error.message, "part.stl");
    assert_null(strchr(error.message, '\n'));
}

static void refuse_text(const char *text, const char *part) {
    refuse(text, strlen(text), part);
}

static void test_refusals(void **state) {
    (void)state;
    unsigned char bytes[184 + 1];
    size_t size = binary_square(bytes);
    /* Every truncation, and a byte too much: the arithmetic is shown. */
    memcpy(bytes, "binary", 6);
    for (size_t cut = 0; cut < size; cut++) {
        refuse(bytes, cut, cut < 84 ? "too short" : "184 bytes expected");
    }
    bytes[size] = 0;
    refuse(bytes, size + 1, "the file has 185");
    bytes[83] = 0xff; /* 4 278 190 082 triangles */
    refuse(bytes, size, "4278190082 triangles");
    memset(bytes, 0, sizeof bytes);
    refuse(bytes, 84, "holds no triangles");
    binary_square(bytes);
    const float bad[2] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        memcpy(bytes + 84 + 50 + 12, &bad[i], 4);
        refuse(bytes, size, "triangle 1 has a corner that is not finite");
    }
    refuse_text("solid x\nendsolid x\n", "holds no triangles");
    refuse_text("solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0\n",
                "line 5: expected a finite");
    refuse_text("solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 nan 0\n",
                "line 4: expected a finite");
    refuse_text("solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 1e99 0\n",
                "line 4: expected a finite");
    refuse_text("solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 1x 0\n",
                "line 4: expected a finite");
    refuse_text("solid x\nfacet normal 0 0 1\ninner loop\n", "line 3: expected 'outer loop'");
    refuse_text("solid x\nfacet 0 0 1\n", "line 2: expected 'normal'");
    refuse_text("solid x\n", "expected 'endsolid', but the file ends");
    /* Cut anywhere before the word endsolid is complete. */
    size_t whole = (size_t)(strstr(ascii_square, "endsolid") - ascii_square) + 8;
    for (size_t n = 6; n < whole; n++) {
        refuse(ascii_square, n, "part.stl");
    }
    refuse_text("solid x\nendsolid\ngarbage", "line 3: expected 'solid'");
}

static void test_corruption(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 2);
    for (int i = 0; i < 400; i++) {
        unsigned char bytes[sizeof ascii_square];
        memcpy(bytes, ascii_square, sizeof ascii_square);
        for (int k = 0; k < 3; k++) {
            bytes[nfsar_random_bits(&random) % (sizeof ascii_square - 1)] =
                (unsigned char)nfsar_random_bits(&random);
        }
        struct stl_triangle *triangle = NULL;
        size_t n = 0;
        nfsar_error error;
        test_write_file("part.stl", bytes, sizeof ascii_square - 1);
        (void)stl_read(test_path("part.stl"), &triangle, &n, &error);
        free(triangle);
    }
}

static nfsar_scene *stl_scene(const char *keys) {
    char text[1024];
    snprintf(text, sizeof text,
             PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets:\n  - stl: {file: part.stl, %s}\n", keys);
    return good_scene(text);
}

static void test_sampling(void **state) {
    (void)state;
    unsigned char bytes[184];
    test_write_file("part.stl", bytes, binary_square(bytes));
    /* In millimetres: 2 mm x 2 mm at 0.05 mm: 1600 cells. */
    nfsar_scene *scene = stl_scene("scale: 1e-3, spacing_m: 5e-5, at_m: [0.1, 0, 0.3]");
    size_t n = 0, quarter[4] = {0};
    const nfsar_scatterer *s = nfsar_scene_scatterers(scene, &n);
    assert_near((double)n, 1600.0, 1.0);
    for (size_t i = 0; i < n; i++) {
        double x = s[i].position.x - 0.1, y = s[i].position.y;
        assert_near(s[i].position.z, 0.301, 1e-9);
        assert_true(x >= -1e-9 && x <= 2e-3 + 1e-9 && y >= -1e-9 && y <= 2e-3 + 1e-9);
        quarter[(x > 1e-3) + 2 * (y > 1e-3)]++;
        assert_near(crealf(s[i].reflectivity), 0.0025, 1e-7);
    }
    /* Even over the area: far better than the 20 that a random draw would scatter by. */
    for (int k = 0; k < 4; k++) {
        assert_near((double)quarter[k], 400.0, 12.0);
    }
    nfsar_scene_close(scene);
}

static void test_many_small_faces_get_their_share(void **state) {
    (void)state;
    /* 100 triangles of a quarter of a cell each: 25 scatterers. */
    enum { COUNT = 100 };
    static unsigned char bytes[84 + 50 * COUNT];
    bytes[80] = COUNT;
    for (int t = 0; t < COUNT; t++) {
        float x = (float)t;
        const float corner[9] = {x, 0, 0, x + 1, 0, 0, x, 0.5f, 0};
        memcpy(bytes + 84 + 50 * t + 12, corner, sizeof corner);
    }
    test_write_file("part.stl", bytes, sizeof bytes);
    nfsar_scene *scene = stl_scene("spacing_m: 1, at_m: [0, 0, 3]");
    size_t n = 0;
    (void)nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 25);
    nfsar_scene_close(scene);
}

static void test_facing(void **state) {
    (void)state;
    unsigned char bytes[184];
    test_write_file("part.stl", bytes, binary_square(bytes));
    /* The square looks along +z, away from the radar at the origin. */
    assert_refused(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
                   "targets:\n  - stl: {file: part.stl, spacing_m: 0.1, facing: true}\n",
                   "no scatterer");
    /* Turned about x it looks back; now at z = 3 - 1. */
    nfsar_scene *scene =
        stl_scene("spacing_m: 0.1, facing: true, rotate_deg: [180, 0, 0], at_m: [0, 0, 3]");
    size_t n = 0;
    const nfsar_scatterer *s = nfsar_scene_scatterers(scene, &n);
    assert_near((double)n, 400.0, 1.0);
    assert_near(s[0].position.z, 2.0, 1e-9);
    nfsar_scene_close(scene);
    assert_refused(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
                   "targets:\n  - stl: {file: part.stl, spacing_m: 1e-9}\n",
                   "check scale and spacing_m");
    assert_refused(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
                   "targets:\n  - stl: {file: part.stl, scale: 0}\n",
                   "stl.scale is 0");
    assert_refused(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets:\n  - stl: {file: none.stl}\n",
                   "none.stl: No such file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary_and_ascii),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_corruption),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_many_small_faces_get_their_share),
        cmocka_unit_test(test_facing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
