/* nfsar enhance: the slices of a volume through the network, and what it refuses. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#include "tests/algorithms/enhance_reference.h"

enum { NX = 14, NY = 9, NZ = 2, PIXELS = NX * NY };

static const struct reference_shape tiny = {.inputs = 1,
                                            .stem = 1,
                                            .n_stage = 1,
                                            .channels = {4},
                                            .dims = {4},
                                            .depths = {1},
                                            .hidden = {4},
                                            .heads = 1,
                                            .head_dim = 4,
                                            .patch = 4,
                                            .shuffle = 1};

/* A volume whose second slice is fainter, with phases that must not matter. */
static void write_image(const struct reference *net, float *magnitude[NZ]) {
    nfsar_error error;
    nfsar_image image;
    const nfsar_grid grid = {{-0.01, 0.001, NX}, {0.0, 0.001, NY}, {0.3, 0.002, NZ}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (int z = 0; z < NZ; z++) {
        magnitude[z] = reference_image(&net->shape, NX, NY, z == 0 ? 40.0 : 4.0, 7);
        for (int i = 0; i < PIXELS; i++) {
            image.data[z * PIXELS + i] = magnitude[z][i] * cexpf(0.7f * (float)i * I);
        }
    }
    image.method = strdup("bp");
    assert_ok(nfsar_image_note(&image, &error, "where it came from"), error);
    assert_ok(nfsar_image_save(test_path("image.h5"), &image, &error), error);
    nfsar_image_free(&image);
}

static void slices_go_through_the_network(void **state) {
    (void)state;
    struct reference *net = reference_make(&tiny, 3);
    float *magnitude[NZ];
    char output[4096];
    size_t size;
    unsigned char *file = reference_file(net, &size);
    test_write_file("tiny.safetensors", file, size);
    write_image(net, magnitude);
    assert_int_equal(
        test_command(output, sizeof output, "enhance %s -o %s --model %s --threads 2 -q",
                     test_path("image.h5"), test_path("sharp.h5"), test_path("tiny.safetensors")),
        0);
    assert_string_equal(output, "");
    nfsar_error error;
    nfsar_image image;
    assert_ok(nfsar_image_load(test_path("sharp.h5"), &image, &error), error);
    assert_string_equal(image.method, "bp+enhance");
    assert_int_equal(image.n_provenance, 2);
    assert_string_equal(image.provenance[0], "where it came from");
    assert_contains(image.provenance[1],
                    "tiny.safetensors of 806 parameters on slices, each divided by");
    assert_near(image.grid.z.step, 0.002, 1e-12);
    for (int z = 0; z < NZ; z++) {
        double *wanted = reference_run(net, magnitude[z], NX, NY), peak = 0.0;
        for (int i = 0; i < PIXELS; i++) {
            peak = fmax(peak, (double)magnitude[z][i]);
        }
        for (int i = 0; i < PIXELS; i++) {
            const float complex voxel = image.data[z * PIXELS + i];
            assert_near(crealf(voxel), wanted[i], 1e-5 * peak);
            assert_true(cimagf(voxel) == 0.0f);
        }
        free(wanted);
        free(magnitude[z]);
    }
    nfsar_image_free(&image);
    free(file);
    reference_free(net);
}

static void write_slice(const char *path, size_t nx, size_t ny, int bad, float value) {
    nfsar_error error;
    nfsar_image image;
    const nfsar_grid grid = {{0.0, 0.001, nx}, {0.0, 0.001, ny}, {0.3, 1.0, 1}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < nx * ny; i++) {
        image.data[i] = 1.0f + (float)(i % 7) * I;
    }
    image.data[bad] = value;
    assert_ok(nfsar_image_save(path, &image, &error), error);
    nfsar_image_free(&image);
}

/* Of the default network, whose levels are learned ones: a slice is as sharp beside a brighter one
 * as it is alone, and 42 dB down as it is there. */
static void dim_slices_stay_what_they_are(void **state) {
    (void)state;
    enum { SIDE = 40, SLICE = SIDE * SIDE };
    char output[4096];
    nfsar_error error;
    nfsar_image image;
    const nfsar_grid grid = {{0.0, 0.001, SIDE}, {0.0, 0.001, SIDE}, {0.3, 0.002, 2}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (int i = 0; i < SLICE; i++) {
        const int x = i % SIDE - 17, y = i / SIDE - 22;
        image.data[i] = expf(-0.1f * (float)(x * x + y * y)) * cexpf(0.2f * (float)(x + y) * I);
        image.data[SLICE + i] = 0x1p-7f * image.data[i];
    }
    assert_ok(nfsar_image_save(test_path("pair.h5"), &image, &error), error);
    nfsar_image_free(&image);
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s -q",
                                  test_path("pair.h5"), test_path("both.h5")),
                     0);
    assert_ok(nfsar_image_load(test_path("both.h5"), &image, &error), error);
    float most = 0.0f;
    for (int i = 0; i < SLICE; i++) {
        most = fmaxf(most, crealf(image.data[i]));
        assert_true(crealf(image.data[SLICE + i]) == 0x1p-7f * crealf(image.data[i]));
    }
    assert_true(most > 0.5f && most <= 1.0f);
    nfsar_image_free(&image);
}

/* A network that takes everything away, one that cannot be computed with, one without an end. */
static void odd_networks_are_told(void **state) {
    (void)state;
    char output[4096];
    size_t size;
    struct reference *net = reference_make(&tiny, 3);
    net->shape.output = REFERENCE_LINEAR;
    reference_fill(net, "head.bn.weight", 0.0f);
    reference_fill(net, "head.bn.bias", -1.0f);
    unsigned char *file = reference_file(net, &size);
    test_write_file("none.safetensors", file, size);
    free(file);
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s --model %s",
                                  test_path("image.h5"), test_path("none.h5"),
                                  test_path("none.safetensors")),
                     0);
    assert_contains(output, "note: nothing is left of the image");
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s", test_path("none.h5"),
                                  test_path("none2.h5")),
                     0);
    assert_contains(output, "note: the image is zero everywhere");
    assert_contains(output, "warning: the image was enhanced already");
    reference_fill(net, "head.bn.weight", 1e38f);
    reference_fill(net, "conv1.bn.weight", 1e37f);
    file = reference_file(net, &size);
    test_write_file("absurd.safetensors", file, size);
    free(file);
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s --model %s",
                                  test_path("image.h5"), test_path("absurd.h5"),
                                  test_path("absurd.safetensors")),
                     1);
    assert_contains(output, "absurd.safetensors: the network makes ");
    assert_int_equal(test_count_files("absurd.h5"), 0);
    reference_free(net);
    struct reference_shape endless = tiny;
    endless.heads = endless.head_dim = 64;
    endless.patch = 1;
    net = reference_make(&endless, 1);
    file = reference_file(net, &size);
    test_write_file("endless.safetensors", file, size);
    free(file);
    write_slice(test_path("large.h5"), 256, 256, 0, 1.0f);
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s --model %s",
                                  test_path("large.h5"), test_path("endless.h5"),
                                  test_path("endless.safetensors")),
                     1);
    assert_contains(output,
                    "endless.safetensors: one tile of 256 x 256 pixels, 65536 tokens, takes");
    assert_int_equal(test_count_files("endless.h5"), 0);
    reference_free(net);
}

/* The work fails, by name, and nothing is written. */
static void bad_images_are_refused(void **state) {
    (void)state;
    char output[4096];
    const char *image = test_path("bad.h5");
    const float values[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        write_slice(image, 8, 4, 13, values[i]);
        assert_int_equal(
            test_command(output, sizeof output, "enhance %s -o %s", image, test_path("no.h5")), 1);
        assert_contains(output, "bad.h5: /image/data[0, 1, 5] is not a finite number");
    }
    write_slice(image, 40, 1, 0, 1.0f);
    assert_int_equal(
        test_command(output, sizeof output, "enhance %s -o %s", image, test_path("no.h5")), 1);
    assert_contains(output, "bad.h5: slices of 40 x 1 pixels are lines");
    write_slice(image, 65537, 2, 0, 1.0f);
    assert_int_equal(
        test_command(output, sizeof output, "enhance %s -o %s", image, test_path("no.h5")), 1);
    assert_contains(output, "bad.h5: enhance: an image of 65537 x 2 pixels: enhancing takes 1 to "
                            "65536 along each side");
    assert_int_equal(test_count_files("no.h5"), 0);
}

/* Without --model, a network that is built in; --models says what they are. */
static void networks_are_built_in(void **state) {
    (void)state;
    char output[4096];
    write_slice(test_path("small.h5"), 20, 10, 0, 1.0f);
    const char *const models[] = {"", "--model paper", "--model default"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s %s",
                                      test_path("small.h5"), test_path("sharp.h5"), models[i]),
                         0);
        nfsar_error error;
        nfsar_image image;
        assert_ok(nfsar_image_load(test_path("sharp.h5"), &image, &error), error);
        assert_string_equal(image.method, "enhance");
        assert_contains(image.provenance[0],
                        i == 1 ? "network paper of 69122 parameters" : "network default of ");
        nfsar_image_free(&image);
    }
    assert_int_equal(test_command(output, sizeof output, "enhance --models"), 0);
    assert_contains(output, "default     ");
    assert_contains(output, "paper       69122 parameters, variant paper, of magnitude");
    assert_null(strstr(output, "tiny"));
    assert_int_equal(test_command(output, sizeof output, "enhance --models --model %s",
                                  test_path("tiny.safetensors")),
                     0);
    assert_contains(output, "tiny.safetensors\n");
    assert_contains(output, "not validated");
    assert_int_equal(test_command(output, sizeof output, "enhance --models --model small.h5"), 2);
    assert_contains(output, "--model 'small.h5'");
}

/* After the first test: its files are there. */
static void wrong_use_is_refused(void **state) {
    (void)state;
    char output[4096];
    const char *image = test_path("image.h5"), *weights = test_path("tiny.safetensors");
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s --model papr", image,
                                  test_path("no.h5")),
                     2);
    assert_contains(output, "--model 'papr': the networks that are built in are default and paper; "
                            "a file has a / in its name, or ends in .safetensors");
    assert_int_equal(test_command(output, sizeof output, "enhance -o %s", test_path("no.h5")), 2);
    assert_contains(output, "IMAGE.h5 is missing");
    assert_int_equal(test_command(output, sizeof output, "enhance %s --models", image), 2);
    assert_contains(output, "--models takes no image");
    assert_int_equal(test_command(output, sizeof output, "enhance %s --model %s", image, weights),
                     2);
    assert_contains(output, "-o OUT.h5 is missing");
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s --model %s", image,
                                  test_path("no.h5"), image),
                     1);
    assert_contains(output, "image.h5: no weights (safetensors)");
    assert_int_equal(test_command(output, sizeof output, "enhance %s -o %s --model %s", weights,
                                  test_path("no.h5"), weights),
                     1);
    assert_contains(output, "tiny.safetensors: ");
    assert_int_equal(
        test_command(output, sizeof output, "enhance %s -o %s --model %s", image, weights, weights),
        2);
    assert_int_equal(test_count_files("no.h5"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_go_through_the_network),
        cmocka_unit_test(dim_slices_stay_what_they_are),
        cmocka_unit_test(odd_networks_are_told),
        cmocka_unit_test(bad_images_are_refused),
        cmocka_unit_test(networks_are_built_in),
        cmocka_unit_test(wrong_use_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
