/* image.h5: what is written comes back; axes are exactly those asked for. */
#include "tests/files/sample.h"

static void test_round_trip(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image = sample_image(), read;
    assert_ok(nfsar_image_save(test_path("i.h5"), &image, &error), error);
    assert_ok(nfsar_image_load(test_path("i.h5"), &read, &error), error);
    assert_memory_equal(&image.grid, &read.grid, sizeof image.grid);
    assert_memory_equal(image.data, read.data, sizeof(float complex[24]));
    assert_string_equal(read.method, "rma");
    assert_string_equal(read.options, "--pad 2");
    assert_int_equal(read.n_provenance, 1);
    assert_string_equal(read.provenance[0], "made by hand");
    enum nfsar_file_kind kind = NFSAR_FILE_CAPTURE;
    assert_ok(nfsar_file_identify(test_path("i.h5"), &kind, &error), error);
    assert_int_equal(kind, NFSAR_FILE_IMAGE);
    nfsar_image_free(&read);
    nfsar_image_free(&image);
}

/* A single coordinate keeps even the step that nobody can see in it. */
static void test_single_slice(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image, read;
    const nfsar_grid grid = {{-0.1, 1e-3, 201}, {0.0, 0.1 / 7.0, 8}, {0.34, 0.02, 1}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    assert_ok(nfsar_image_save(test_path("s.h5"), &image, &error), error);
    assert_ok(nfsar_image_load(test_path("s.h5"), &read, &error), error);
    assert_memory_equal(&grid, &read.grid, sizeof grid);
    assert_null(read.method);
    assert_null(read.options);
    assert_int_equal(read.n_provenance, 0);
    nfsar_image_free(&read);
    nfsar_image_free(&image);
}

static void test_slices(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image = sample_image();
    nfsar_image_writer *writer = NULL;
    assert_ok(nfsar_image_writer_create(test_path("z.h5"), &image, &writer, &error), error);
    assert_ok(nfsar_image_writer_write(writer, 1, 1, image.data + 12, &error), error);
    assert_int_equal(nfsar_image_writer_write(writer, 1, 2, image.data, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_image_writer_commit(writer, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "slice 0 was never written");
    assert_int_equal(test_count_files("z.h5"), 0);

    assert_ok(nfsar_image_writer_create(test_path("z.h5"), &image, &writer, &error), error);
    assert_ok(nfsar_image_writer_write(writer, 1, 1, image.data + 12, &error), error);
    assert_ok(nfsar_image_writer_write(writer, 0, 1, image.data, &error), error);
    assert_ok(nfsar_image_writer_commit(writer, &error), error);
    nfsar_image_file *file = NULL;
    float complex slice[12];
    assert_ok(nfsar_image_file_open(test_path("z.h5"), &file, &error), error);
    assert_null(nfsar_image_file_header(file)->data);
    assert_ok(nfsar_image_file_read(file, 1, 1, slice, &error), error);
    assert_memory_equal(slice, image.data + 12, sizeof slice);
    assert_int_equal(nfsar_image_file_read(file, 2, 1, slice, &error), NFSAR_ERROR_ARGUMENT);
    nfsar_image_file_close(file);
    nfsar_image_free(&image);
}

static void test_wrong_kind(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image = sample_image(), read_image;
    nfsar_capture capture = sample_capture(2, 2), read;
    assert_ok(nfsar_image_save(test_path("image.h5"), &image, &error), error);
    assert_ok(nfsar_capture_save(test_path("capture.h5"), &capture, &error), error);
    assert_int_equal(nfsar_capture_load(test_path("image.h5"), &read, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "image.h5: is an image, but a capture is needed");
    assert_int_equal(nfsar_image_load(test_path("capture.h5"), &read_image, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "capture.h5: is a capture, but an image is needed");
    nfsar_capture_free(&capture);
    nfsar_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_single_slice),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_wrong_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
