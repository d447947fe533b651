/* PNG masks: which pixels become scatterers, where, and what is refused. */
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/scene/scenes.h"

/* Write a picture of 8-bit pixels; format as libpng's PNG_FORMAT_... */
static void write_png(const char *name, const unsigned char *pixels, unsigned width,
                      unsigned height, unsigned format) {
    png_image png = {.version = PNG_IMAGE_VERSION};
    png.width = width;
    png.height = height;
    png.format = format;
    if (!png_image_write_to_file(&png, test_path(name), 0, pixels, 0, NULL)) {
        fail_msg("%s", png.message);
    }
}

/* 8 x 4 pixels, bright, with one dark pixel in column 6 of the top row and a dark left edge. */
enum { WIDTH = 8, HEIGHT = 4 };
static void make_picture(void) {
    unsigned char grey[HEIGHT][WIDTH];
    memset(grey, 255, sizeof grey);
    grey[0][6] = 0;
    for (int row = 0; row < HEIGHT; row++) {
        grey[row][0] = 20;
    }
    write_png("mask.png", &grey[0][0], WIDTH, HEIGHT, PNG_FORMAT_GRAY);
}

static nfsar_scene *mask_scene(const char *keys) {
    char text[1024];
    snprintf(text, sizeof text,
             PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets:\n  - mask: {file: mask.png, %s}\n", keys);
    return good_scene(text);
}

static void test_places(void **state) {
    (void)state;
    make_picture();
    /* Pixels of 10 mm, one scatterer each: column 6 is at x = (6.5 - 4) 10 mm, the top row at
     * y = (2 - 0.5) 10 mm. */
    nfsar_scene *scene =
        mask_scene("metal: dark, pixel_m: 0.01, spacing_m: 0.01, at_m: [0, 0, 0.3]");
    size_t n = 0;
    const nfsar_scatterer *s = nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 5);
    double right = 0.0, left = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (s[i].position.x > 0.0) {
            assert_near(s[i].position.x, 0.025, 1e-9);
            assert_near(s[i].position.y, 0.015, 1e-9);
            right += 1.0;
        } else {
            assert_near(s[i].position.x, -0.035, 1e-9);
            left += 1.0;
        }
        assert_near(s[i].position.z, 0.3, 0.0);
    }
    assert_near(right, 1.0, 0.0);
    assert_near(left, 4.0, 0.0);
    nfsar_scene_close(scene);
    /* The other polarity has the other pixels. */
    scene = mask_scene("metal: bright, pixel_m: 0.01, spacing_m: 0.01");
    (void)nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, WIDTH * HEIGHT - 5);
    nfsar_scene_close(scene);
}

static void test_spacing_and_width(void **state) {
    (void)state;
    make_picture();
    /* 0.08 m over 8 columns is a pixel of 10 mm again; at 2 mm each pixel holds 25. */
    nfsar_scene *scene = mask_scene("metal: dark, width_m: 0.08, spacing_m: 0.002");
    size_t n = 0;
    const nfsar_scatterer *s = nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 5 * 25);
    double low = 9, high = -9;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, s[i].position.x);
        high = fmax(high, s[i].position.x);
    }
    assert_near(low, -0.039, 1e-9);
    assert_near(high, 0.029, 1e-9);
    nfsar_scene_close(scene);
}

static void test_threshold_and_transparency(void **state) {
    (void)state;
    const unsigned char grey[4] = {10, 100, 160, 250};
    write_png("mask.png", grey, 4, 1, PNG_FORMAT_GRAY);
    size_t n = 0;
    nfsar_scene *scene = mask_scene("metal: dark, pixel_m: 0.01, spacing_m: 0.01");
    (void)nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 2);
    nfsar_scene_close(scene);
    scene = mask_scene("metal: dark, pixel_m: 0.01, spacing_m: 0.01, threshold: 0.8");
    (void)nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 3);
    nfsar_scene_close(scene);
    /* Black but transparent is nothing; opaque black and white in colour. */
    const unsigned char rgba[12] = {0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255};
    write_png("mask.png", rgba, 3, 1, PNG_FORMAT_RGBA);
    scene = mask_scene("metal: dark, pixel_m: 0.01, spacing_m: 0.01");
    const nfsar_scatterer *s = nfsar_scene_scatterers(scene, &n);
    assert_int_equal(n, 1);
    assert_near(s[0].position.x, 0.0, 1e-12);
    nfsar_scene_close(scene);
}

static void refuse(const char *keys, const char *part) {
    char text[1024];
    snprintf(text, sizeof text,
             PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets:\n  - mask: {file: mask.png, %s}\n", keys);
    assert_refused(text, part);
}

static void test_refusals(void **state) {
    (void)state;
    make_picture();
    refuse("metal: dark", "give either width_m or pixel_m");
    refuse("metal: grey, pixel_m: 1", "scene.yaml");
    refuse("pixel_m: 0.01", "metal");
    refuse("metal: dark, pixel_m: 0", "mask.pixel_m is 0");
    refuse("metal: dark, pixel_m: 0.01, threshold: 1.5", "mask.threshold is 1.5");
    refuse("metal: dark, pixel_m: 1000", "too fine");
    remove(test_path("mask.png"));
    refuse("metal: dark, pixel_m: 0.01", "mask.png: No such file");
    test_write_file("mask.png", "", 0);
    refuse("metal: dark, pixel_m: 0.01", "mask.png");
    test_write_file("mask.png", "not a picture at all", 20);
    refuse("metal: dark, pixel_m: 0.01", "mask.png");
    assert_refused(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
                   "targets:\n  - mask: {file: /tmp, metal: dark, pixel_m: 1}\n",
                   "not a regular file");
}

static size_t read_back(const char *name, unsigned char *bytes, size_t room) {
    FILE *file = fopen(test_path(name), "rb");
    size_t n = fread(bytes, 1, room, file);
    fclose(file);
    return n;
}

/* Every truncation and a thousand corruptions: an error or a mask, never a crash. */
static void test_hostile(void **state) {
    (void)state;
    unsigned char bytes[4096], bent[4096];
    make_picture();
    size_t size = read_back("mask.png", bytes, sizeof bytes);
    const char *text = PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
        "targets:\n  - mask: {file: mask.png, metal: dark, pixel_m: 0.01, spacing_m: 0.01}\n";
    nfsar_error error;
    for (size_t cut = 0; cut < size; cut++) {
        nfsar_scene *scene = NULL;
        test_write_file("mask.png", bytes, cut);
        enum nfsar_status status = scene_from(text, &scene, &error);
        /* The closing IEND chunk (12 bytes) holds nothing. */
        if (cut < size - 12) {
            assert_int_equal(status, NFSAR_ERROR_FORMAT);
        }
        nfsar_scene_close(scene);
    }
    nfsar_random random;
    nfsar_random_seed(&random, 1);
    for (int i = 0; i < 500; i++) {
        nfsar_scene *scene = NULL;
        memcpy(bent, bytes, size);
        bent[nfsar_random_bits(&random) % size] = (unsigned char)nfsar_random_bits(&random);
        bent[nfsar_random_bits(&random) % size] = (unsigned char)nfsar_random_bits(&random);
        test_write_file("mask.png", bent, size);
        (void)scene_from(text, &scene, &error);
        nfsar_scene_close(scene);
    }
    /* A header that promises a million pixels on each side, with right checksums. */
    static const char huge[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x00\x0f\x42\x40\x00\x0f\x42\x40"
                               "\x08\0\0\0\0\x79\x06\x67\xa1\0\0\0\0IDAT\x35\xaf\x06\x1e";
    test_write_file("mask.png", huge, sizeof huge - 1);
    refuse("metal: dark, pixel_m: 0.01", "more than a mask needs");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_spacing_and_width),
        cmocka_unit_test(test_threshold_and_transparency),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
