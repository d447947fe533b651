/* AFRL's GOTCHA recording from the file to the focused image, beside the autofocus that comes with
 * it. Skipped where the recording is not there. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/file.h>
#include <nfsar/metrics.h>

/* The two reflectors and rows of cars; three voxels to a resolution cell, or the peak would be a
 * matter of luck. */
#define GRID "--x -45:25:701 --y 0 --z 5:35:301"

static char output[8192];
static char folder[600];

static nfsar_image_metrics measure(const char *capture) {
    nfsar_error error;
    nfsar_image image;
    nfsar_image_metrics metrics;
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s " GRID " --quiet",
                                  test_path(capture), test_path("image.h5")),
                     0);
    assert_ok(nfsar_image_load(test_path("image.h5"), &image, &error), error);
    assert_ok(nfsar_image_measure(&image, &metrics, &error), error);
    print_message("%s: entropy %.4f, contrast %.2f, peak %.2f\n", capture, metrics.entropy,
                  metrics.contrast, metrics.peak_amplitude);
    nfsar_image_free(&image);
    return metrics;
}

/* The example's rig file, with the correction that comes with the data if wanted. */
static void import(const char *name, int corrected) {
    char path[700], text[4096] = "";
    const char *source = getenv("NFSAR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/examples/rig-gotcha.yaml", source != NULL ? source : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *correct = strstr(text, "# correct:");
    assert_non_null(correct);
    if (corrected) {
        memmove(correct, correct + 2, strlen(correct + 2) + 1);
    }
    test_write_file("rig.yaml", text, strlen(text));
    assert_int_equal(test_command(output, sizeof output, "import %s --data %s -o %s --quiet",
                                  test_path("rig.yaml"), folder, test_path(name)),
                     0);
}

static nfsar_image_metrics raw, theirs;

/* A car park with two corner reflectors. */
static void imported_as_it_is(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture_file *file = NULL;
    import("raw.h5", 0);
    assert_ok(nfsar_capture_file_open(test_path("raw.h5"), &file, &error), error);
    const nfsar_capture *c = nfsar_capture_file_header(file);
    assert_int_equal(c->n_pulse, 469);
    assert_int_equal(c->n_sample, 424);
    assert_near(c->frequency_hz[0], 9.28808e9, 1e5);
    assert_near(c->frequency_hz[423], 9.910441e9, 1e5);
    assert_near(nfsar_vec3_norm(c->pose[0].position), 10158.399, 2e-3);
    assert_near(c->pose[0].position.z, -7089.265, 1e-3);
    nfsar_capture_file_close(file);
    raw = measure("raw.h5");
    /* The README's backprojection has 235, by other windows and voxels. */
    assert_true(raw.dynamic_range_db > 20.0 * log10(200.0));
    import("theirs.h5", 1);
    theirs = measure("theirs.h5");
}

static void assert_as_sharp(const char *name, const char *options) {
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --phase %s " GRID,
                                  test_path(name), test_path("ours.h5"), options),
                     0);
    print_message("%s", output);
    assert_contains(output, "verdict    sharper");
    const nfsar_image_metrics ours = measure("ours.h5");
    assert_true(ours.entropy <= theirs.entropy);
    assert_true(ours.contrast >= theirs.contrast);
    assert_true(ours.peak_amplitude >= theirs.peak_amplitude);
}

static void as_sharp_as_their_autofocus(void **state) {
    (void)state;
    assert_as_sharp("raw.h5", "");
    assert_as_sharp("raw.h5", "--per-pulse");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imported_as_it_is),
        cmocka_unit_test(as_sharp_as_their_autofocus),
    };
    if (test_data_folder() != NULL) {
        snprintf(folder, sizeof folder, "%s/afrl_gotcha", test_data_folder());
    }
    if (test_data_folder() == NULL || access(folder, R_OK) != 0) {
        print_message("no afrl_gotcha (NFSAR_DATA or ../shared/data): skipped\n");
        return TEST_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
