/* The papers' experiments: what is scanned, how growth is judged, and the page and pictures that
 * the command makes. No time is asserted. */
#include "tests/support.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/empm/papers.h"

static char output[1 << 16];

/* 32 pulses of 8 channels: phase centres a quarter of a wavelength apart over 64 wavelengths, and
 * the surface's extremes are the offset asked for. */
static void scan_is_the_papers(void **state) {
    (void)state;
    const double wavelength = NFSAR_SPEED_OF_LIGHT / 79e9;
    nfsar_error error;
    nfsar_capture capture;
    struct scatterers targets = {0};
    struct papers_scan scan = {.nx = 1, .ny = 32, .kept = 32, .n_sample = 4, .offset = 0.1};
    assert_ok(papers_point(0.5, &targets, &error), error);
    assert_ok(papers_scan_make(&scan, &targets, 1, &capture, &error), error);
    assert_int_equal(papers_lines(&capture), 256);
    assert_near(papers_highest(&capture), 0.1, 1e-9);
    double lowest = 0.0, y[256];
    for (size_t i = 0; i < 256; i++) {
        nfsar_vec3 at = capture.pose[i / 8].position;
        lowest = fmin(lowest, at.z);
        assert_near(at.x, 0.0, 0.0);
        y[i] = at.y + nfsar_array_phase_centre(&capture.array, i % 8).y;
    }
    assert_near(lowest, -0.1, 1e-9);
    assert_near(y[0] + y[255], 0.0, 1e-9);
    for (size_t i = 1; i < 256; i++) {
        assert_near(fabs(y[i] - y[i - 1]), 0.25 * wavelength, 1e-9);
    }
    nfsar_capture_free(&capture);
    scatterers_free(&targets);
}

/* Some of the places, none of them twice. */
static void places_are_drawn(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    struct scatterers targets = {0};
    struct papers_scan scan = {.nx = 40, .ny = 32, .kept = 1000, .n_sample = 2, .offset = 0.025};
    assert_ok(papers_point(0.3, &targets, &error), error);
    assert_ok(papers_scan_make(&scan, &targets, 1, &capture, &error), error);
    assert_int_equal(capture.n_pulse, 1000);
    for (size_t i = 1; i < 1000; i++) {
        nfsar_vec3 before = capture.pose[i - 1].position, at = capture.pose[i].position;
        assert_true(at.y > before.y + 1e-9 || (at.y > before.y - 1e-9 && at.x > before.x + 1e-4));
        assert_true(fabs(at.z) <= 0.025 + 1e-9);
    }
    nfsar_capture_free(&capture);
    scatterers_free(&targets);
}

static void letters_have_21_points(void **state) {
    (void)state;
    nfsar_error error;
    struct scatterers targets = {0};
    double sum = 0.0;
    assert_ok(papers_letters(0.3, &targets, &error), error);
    assert_int_equal(targets.n, 21);
    for (size_t i = 0; i < targets.n; i++) {
        nfsar_vec3 at = targets.item[i].position;
        assert_true(fabs(at.y) <= 0.075 + 1e-12 && fabs(at.z - 0.3) <= 0.0675 + 1e-12);
        sum += at.x;
    }
    assert_near(sum, 0.0, 0.0);
    scatterers_free(&targets);
}

/* Times that are known: N squared, and N log N with one size left out. */
static void growth_is_judged(void **state) {
    (void)state;
    struct bench_row row[8] = {0};
    double round[8];
    struct bench bench = {.row = row, .n_row = 8};
    struct papers papers = {.bench = &bench};
    struct papers_growth square = {.n = 4}, log_linear = {.n = 4};
    for (size_t i = 0; i < 4; i++) {
        double n = 1000.0 * (double)(1 << i);
        /* Half of the time the processor was elsewhere. */
        round[i] = 2e-9 * n * n;
        round[4 + i] = 2e-6 * n * log(n);
        square.size[i] = log_linear.size[i] = n;
        square.row[i] = i;
        log_linear.row[i] = 4 + i;
    }
    for (size_t i = 0; i < 8; i++) {
        row[i].round = &round[i];
        row[i].seconds.n = 1;
        row[i].busy = 0.5;
        row[i].threads = 1;
    }
    assert_near(papers_growth_seconds(&papers, &square, 1), 4e-3, 1e-12);
    log_linear.row[3] = SIZE_MAX;
    assert_near(papers_growth_exponent(&papers, &square), 2.0, 1e-12);
    /* The first step is the worst: log N grows least slowly there. */
    assert_near(papers_growth_worst(&papers, &square), 2.0 * log(4000.0) / log(8000.0), 1e-12);
    assert_near(papers_growth_worst(&papers, &log_linear), 1.0, 1e-12);
    log_linear.row[0] = log_linear.row[1] = SIZE_MAX;
    assert_true(isnan(papers_growth_exponent(&papers, &log_linear)));
    assert_true(isnan(papers_growth_worst(&papers, &log_linear)));
}

static void read_page(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(output, 1, sizeof output - 1, file);
    output[n] = '\0';
    fclose(file);
}

static size_t count(const char *part) {
    size_t n = 0;
    for (const char *at = output; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        n++;
    }
    return n;
}

static void assert_picture(const char *folder, const char *name) {
    char path[1024], magic[9] = "";
    snprintf(path, sizeof path, "%s/pictures/papers-%s.png", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(magic, 1, 8, file), 8);
    assert_string_equal(magic, "\x89PNG\r\n\x1a\n");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_true(ftell(file) < 200000);
    fclose(file);
}

/* The correlation with bp in the row that begins so. */
static double correlation(const char *experiment, const char *method) {
    char start[64];
    snprintf(start, sizeof start, "| %s |", experiment);
    const char *at = strstr(output, start);
    assert_non_null(at);
    snprintf(start, sizeof start, "| %s |", method);
    at = strstr(at, start);
    assert_non_null(at);
    for (int column = 0; column < 4; column++) {
        at = strchr(at + 1, '|');
        assert_non_null(at);
    }
    return atof(at + 1);
}

/* What stands before and after the section stays, and what stood in it goes. */
static void page_is_made(void **state) {
    (void)state;
    const char before[] = "# Results\n\nBy hand.\n\n";
    const char section[] = "<!-- bench papers: made by `nfsar bench papers --output docs` -->\n"
                           "Old.\n<!-- end of bench papers -->\n\nAfter.\n";
    char page[512];
    snprintf(page, sizeof page, "%s%s", before, section);
    test_write_file("results.md", page, strlen(page));
    assert_int_equal(test_command(output, sizeof output,
                                  "bench papers --quick --threads 1 --output %s", test_folder()),
                     0);
    read_page(test_path("results.md"));
    assert_int_equal(strncmp(output, before, strlen(before)), 0);
    assert_int_equal(count("<!-- bench papers"), 1);
    assert_int_equal(count("\nAfter.\n"), 1);
    assert_int_equal(count("Old."), 0);
    assert_int_equal(count("| point, offsets to "), 2);
    assert_int_equal(count("339159.2 s"), 1);
    assert_picture(test_folder(), "point");
    assert_picture(test_folder(), "letters");
    assert_picture(test_folder(), "cutout");
    assert_picture(test_folder(), "samples");
    assert_picture(test_folder(), "frequencies");
    assert_picture(test_folder(), "voxels");
    assert_true(correlation("point, offsets to 0 cm", "rma, lattice") > 0.999);
    assert_true(correlation("point, offsets to 5 cm", "nurma") > 0.999);
    assert_true(correlation("point, offsets to 5 cm", "rma, uncompensated") < 0.5);
    assert_true(correlation("21 points", "nurma") > 0.99);
    assert_true(correlation("cut-out, slice", "nurma") > 0.999);
    assert_true(correlation("cut-out, volume", "nurma") > 0.999);
    assert_true(correlation("cut-out, volume", "empm") < 0.999);
    assert_int_equal(test_count_files(".part"), 0);
}

static void failures_name_the_file(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output,
                                  "bench papers --quick --output %s/no/folder", test_folder()),
                     1);
    assert_contains(output, "no/folder: the folder could not be made");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_is_the_papers),     cmocka_unit_test(places_are_drawn),
        cmocka_unit_test(letters_have_21_points), cmocka_unit_test(growth_is_judged),
        cmocka_unit_test(page_is_made),           cmocka_unit_test(failures_name_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
