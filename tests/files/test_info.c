/* nfsar info: what it says of files whose content is known. */
#include "tests/files/sample.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

/* 3 x 2 places of 2 x 4 mm, one pulse each 10 ms, one antenna, two frequencies 1 GHz apart. */
static nfsar_capture raster(void) {
    nfsar_error error;
    nfsar_array array;
    nfsar_capture capture;
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    assert_ok(nfsar_capture_create(6, 2, &array, true, &capture, &error), error);
    capture.frequency_hz[0] = 30e9;
    capture.frequency_hz[1] = 31e9;
    for (size_t i = 0; i < 6; i++) {
        capture.time_s[i] = capture.pose_time_s[i] = 0.01 * (double)i;
        capture.pose[i].position =
            (nfsar_vec3){0.002 * (double)(i % 3), 0.004 * (double)(i / 3), -0.5};
    }
    capture.flags[2] = NFSAR_PULSE_SAMPLES_MISSING;
    assert_ok(nfsar_capture_note(&capture, &error, "laid out by hand"), error);
    return capture;
}

static json_t *info_json(const char *path) {
    static char output[16384];
    json_error_t where;
    if (test_command(output, sizeof output, "info --json '%s'", path) != 0) {
        fail_msg("%s", output);
    }
    json_t *root = json_loads(output, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        fail_msg("line %d: %s", where.line, where.text);
    }
    return root;
}

static void test_capture(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = raster();
    assert_ok(nfsar_capture_save(test_path("c.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);

    const char *kind, *line;
    int pulses, channels, samples, missing, outside, poses, planar, nx, ny, gain;
    double bytes, low, high, step, resolution, duration, mean, largest, dx, dy, z, high_x, high_y;
    json_t *root = info_json(test_path("c.h5"));
    assert_int_equal(
        json_unpack(root,
                    "{s:s, s:i, s:i, s:i, s:F, s:{s:n, s:F, s:F, s:F, s:F, s:n},"
                    " s:{s:{s:[F,F]}, s:F, s:F, s:F, s:i, s:i, s:i},"
                    " s:{s:b, s:{s:F, s:i}, s:{s:F, s:i}, s:F}, s:{s:b}, s:[s]}",
                    "kind", &kind, "pulses", &pulses, "channels", &channels, "samples", &samples,
                    "memory_bytes", &bytes, "radar", "model", "low_hz", &low, "high_hz", &high,
                    "step_hz", &step, "range_resolution_m", &resolution, "chirp", "scan", "extent",
                    "high_m", &high_x, &high_y, "duration_s", &duration, "mean_step_m", &mean,
                    "largest_step_m", &largest, "pulses_with_samples_missing", &missing,
                    "pulses_outside_track", &outside, "poses", &poses, "lattice", "planar", &planar,
                    "x", "step_m", &dx, "count", &nx, "y", "step_m", &dy, "count", &ny, "z_m", &z,
                    "calibration", "channel_gain", &gain, "provenance", &line),
        0);
    assert_string_equal(kind, "capture");
    assert_int_equal(pulses, 6);
    assert_int_equal(channels, 1);
    assert_int_equal(samples, 2);
    assert_true(bytes == 6 * 2 * 8);
    assert_true(low == 30e9 && high == 31e9 && step == 1e9);
    assert_near(resolution, 299792458.0 / 2e9, 1e-12);
    assert_near(duration, 0.05, 1e-12);
    /* Four steps along the lines and one from (4, 0) mm to (0, 4) mm. */
    assert_near(mean, (4 * 0.002 + 0.004 * sqrt(2.0)) / 5, 1e-12);
    assert_near(largest, 0.004 * sqrt(2.0), 1e-12);
    assert_near(high_x, 0.004, 1e-15);
    assert_near(high_y, 0.004, 1e-15);
    assert_int_equal(missing, 1);
    assert_int_equal(outside, 0);
    assert_int_equal(poses, 6);
    assert_true(planar);
    assert_int_equal(nx, 3);
    assert_int_equal(ny, 2);
    assert_near(dx, 0.002, 1e-9);
    assert_near(dy, 0.004, 1e-9);
    assert_near(z, -0.5, 1e-9);
    assert_false(gain);
    assert_string_equal(line, "laid out by hand");
    json_decref(root);

    char output[4096];
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("c.h5")), 0);
    assert_contains(output, "capture of 6 pulses x 1 channel x 2 samples, 96 B in memory");
    assert_contains(output, "30 to 31 GHz, 2 samples in steps of 1000 MHz");
    assert_contains(output, "6 over 0.05 s; 1 with samples missing, 0 outside the track");
    assert_contains(output, "planar lattice at z = -0.5 m, 3 x 2 phase centres");
    assert_contains(output, "calibration none");
    assert_contains(output, "provenance  laid out by hand");
}

/* Neither a lattice nor several frequencies nor several pulses. */
static void test_sparse_capture(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_array array;
    nfsar_capture capture;
    char output[4096];
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    assert_ok(nfsar_capture_create(1, 1, &array, true, &capture, &error), error);
    capture.frequency_hz[0] = 30e9;
    assert_ok(nfsar_capture_save(test_path("one.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("one.h5")), 0);
    assert_contains(output, "capture of 1 pulse x 1 channel x 1 sample,");
    assert_null(strstr(output, "nan"));
    assert_null(strstr(output, "inf"));
    json_t *root = info_json(test_path("one.h5"));
    json_t *scan = json_object_get(root, "scan");
    assert_true(json_is_null(json_object_get(scan, "mean_step_m")));
    json_decref(root);

    capture = raster();
    capture.pose[4].position.z = 0.3;
    assert_ok(nfsar_capture_save(test_path("bent.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("bent.h5")), 0);
    assert_contains(output, "no planar lattice: ");
}

static void test_image(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image = sample_image();
    char output[4096];
    assert_ok(nfsar_image_save(test_path("i.h5"), &image, &error), error);
    nfsar_image_free(&image);
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("i.h5")), 0);
    assert_contains(output, "image of 4 x 3 x 2 voxels, 192 B in memory");
    assert_contains(output, "x  -0.1 to 0 m, 4 voxels of 33.3333 mm");
    assert_contains(output, "z  0.3 to 0.301 m, 2 voxels of 1 mm");
    assert_contains(output, "method      rma");
    assert_contains(output, "options     --pad 2");
    json_t *root = info_json(test_path("i.h5"));
    double first = 0.0, step = 0.0;
    int count = 0;
    assert_int_equal(json_unpack(root, "{s:{s:F, s:F, s:i}}", "x", "first_m", &first, "step_m",
                                 &step, "count", &count),
                     0);
    assert_true(first == -0.1 && step == 0.1 / 3.0);
    assert_int_equal(count, 4);
    json_decref(root);
}

static void test_wrong(void **state) {
    (void)state;
    char output[4096];
    test_write_file("text.h5", "hello", 5);
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("text.h5")), 1);
    assert_contains(output, "text.h5: is not an HDF5 file");
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("none.h5")), 1);
    assert_contains(output, "none.h5: cannot be opened");
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(test_command(output, sizeof output, "info"), 2);
    assert_int_equal(test_command(output, sizeof output, "info a.h5 b.h5"), 2);
    assert_int_equal(test_command(output, sizeof output, "info --xml a.h5"), 2);
    assert_contains(output, "there is no option --xml");
}

/* What HDF5 says of a damaged file stays inside: one line of ours, and no crash at the end. */
static void test_damaged(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = raster();
    char output[4096];
    assert_ok(nfsar_capture_save(test_path("d.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    FILE *file = fopen(test_path("d.h5"), "r+b");
    assert_non_null(file);
    for (long at = 49; at < 900; at += 50) {
        fseek(file, at, SEEK_SET);
        fputc(0x5A, file);
    }
    fclose(file);
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("d.h5")), 1);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_contains(output, "d.h5: ");
    assert_int_equal(truncate(test_path("d.h5"), 2000), 0);
    assert_int_equal(test_command(output, sizeof output, "info '%s'", test_path("d.h5")), 1);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture), cmocka_unit_test(test_sparse_capture),
        cmocka_unit_test(test_image),   cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
