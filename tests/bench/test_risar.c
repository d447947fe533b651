/* The turntable of the R-ISAR paper: its scan, its blade, what widths are expected, and the page
 * and pictures that the command makes. No time is asserted. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/risar/risar.h"

static const double wavelength = NFSAR_SPEED_OF_LIGHT / 79e9;

static char output[1 << 16];

static nfsar_capture make(const struct risar_scan *scan) {
    nfsar_error error;
    nfsar_capture capture;
    struct scatterers targets = {0};
    assert_ok(risar_point((nfsar_vec3){0.0, 0.0, 0.0}, &targets, &error), error);
    assert_ok(risar_scan_make(scan, &targets, 1, &capture, &error), error);
    scatterers_free(&targets);
    return capture;
}

/* Table I of the paper: 0.36 degrees, 484.8 mm of phase centres lambda/4 apart, at 0.25 m. */
static void scan_is_the_papers(void **state) {
    (void)state;
    nfsar_error error;
    struct risar_scan scan = risar_scan_mimo(false);
    assert_int_equal(scan.angles, 1000);
    assert_int_equal(scan.heights, 64);
    assert_int_equal(scan.n_sample, 64);
    scan.angles = 10;
    scan.n_sample = 2;
    nfsar_capture capture = make(&scan);
    assert_int_equal(capture.n_pulse, 640);
    assert_int_equal(capture.array.n_channel, 8);
    double y[512];
    nfsar_vec3 tx[8], rx[8];
    for (size_t p = 0; p < 640; p++) {
        assert_ok(nfsar_capture_antennas(&capture, false, p, 1, tx, rx, &error), error);
        for (size_t c = 0; c < 8; c++) {
            double angle = 2.0 * NFSAR_PI * (double)(p % 10) / 10.0;
            assert_near(0.5 * (tx[c].x + rx[c].x), 0.25 * cos(angle), 1e-9);
            assert_near(0.5 * (tx[c].z + rx[c].z), 0.25 * sin(angle), 1e-9);
            y[p / 10 * 8 + c] = 0.5 * (tx[c].y + rx[c].y);
        }
        /* It looks at the axis. */
        nfsar_vec3 ahead = nfsar_pose_transform(capture.pose[p], (nfsar_vec3){0.0, 0.0, 0.25});
        assert_near(hypot(ahead.x, ahead.z), 0.0, 1e-9);
    }
    assert_near(fabs(y[511] - y[0]), 0.4848, 5e-5);
    assert_near(y[511] + y[0], 0.0, 1e-9);
    for (size_t i = 1; i < 512; i++) {
        assert_near(fabs(y[i] - y[i - 1]), 0.25 * wavelength, 1e-9);
    }
    nfsar_capture_free(&capture);
    struct risar_scan single = risar_scan_single(false);
    assert_near(single.step * (double)(single.heights - 1), 0.4848, 5e-5);
}

static void blade_is_serrated(void **state) {
    (void)state;
    nfsar_error error;
    struct scatterers upright = {0}, across = {0};
    assert_ok(risar_blade(true, 0.5e-3, &upright, &error), error);
    assert_ok(risar_blade(false, 0.5e-3, &across, &error), error);
    size_t on_edge = 0, changes = 0;
    bool before = false;
    double area = 0.25e-6 * (double)upright.n;
    /* Half of the parabolas of 24 teeth 3 mm deep are missing, and a third of the tip's 45 mm. */
    double expected = 0.150 * 0.025 - 24.0 * 0.006 * 0.003 * 2.0 / 3.0 - 0.045 * 0.025 / 3.0;
    assert_near(area, expected, 0.03 * expected);
    for (size_t i = 0; i < upright.n; i++) {
        nfsar_vec3 at = upright.item[i].position;
        assert_true(fabs(at.x) <= 0.0125 + 1e-9 && fabs(at.y) <= 0.075 + 1e-9 && at.z == 0.0);
    }
    /* Along a line 1.5 mm above the edge teeth come and go. */
    for (size_t i = 0; i < across.n; i++) {
        nfsar_vec3 at = across.item[i].position;
        assert_true(fabs(at.y) <= 0.0125 + 1e-9 && fabs(at.x) <= 0.075 + 1e-9 && at.z == 0.0);
        if (fabs(at.y + 0.011) < 1e-6) {
            bool gap = on_edge > 0 && at.x - across.item[i - 1].position.x > 0.75e-3;
            changes += gap && !before;
            before = gap;
            on_edge++;
        }
    }
    assert_in_range(changes, 22, 25);
    scatterers_free(&upright);
    scatterers_free(&across);
}

/* Found by quadrature of J0 over the band, with numpy; at mid-band the zero of J0 is at 2.4048 and
 * half of its power at 1.126364. */
static void formula_has_its_widths(void **state) {
    (void)state;
    double per_hz = 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
    double low = per_hz * 77e9, high = per_hz * 81e9, middle = per_hz * 79e9;
    assert_near(risar_psf_width(low, high), 0.68009391e-3, 1e-9);
    assert_near(risar_psf_zero(low, high), 0.72614086e-3, 1e-9);
    double narrow = per_hz * 1e5;
    assert_near(risar_psf_zero(middle - narrow, middle + narrow), 2.404826 / (2.0 * middle), 1e-9);
    assert_near(risar_psf_width(middle - narrow, middle + narrow), 1.126364 / middle, 1e-9);
    assert_near(risar_psf(low, high, 1e-9), risar_psf(low, high, 0.0), 1.0);
}

/* A full circle round a point is what the formula is about, but for its weight k on frequencies
 * (2e-4 of the width); a short line of places before it is what lambda R0 / (2 D) is about. */
static void expected_widths_are_the_formulas_where_they_hold(void **state) {
    (void)state;
    nfsar_error error;
    const nfsar_vec3 origin = {0.0, 0.0, 0.0};
    double width, per_hz = 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
    struct risar_scan circle = risar_scan_circle(false);
    nfsar_capture capture = make(&circle);
    for (int axis = 0; axis < 3; axis += 2) {
        assert_ok(risar_expected_width(&capture, origin, axis, &width, &error), error);
        assert_near(width, risar_psf_width(per_hz * 77e9, per_hz * 81e9), 3e-7);
    }
    nfsar_capture_free(&capture);
    struct risar_scan line = {"single", 1, 61, 0.5e-3, 16};
    capture = make(&line);
    assert_ok(risar_expected_width(&capture, origin, 1, &width, &error), error);
    /* 61 places 0.5 mm apart act like a length of 30.5 mm. */
    double expected = 0.885893 * wavelength * 0.25 / (2.0 * 0.0305);
    assert_near(width, expected, 3e-3 * expected);
    nfsar_capture_free(&capture);
}

static void first_minimum_is_found(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image;
    nfsar_grid grid = {{-1.0, 0.01, 201}, {0.0, 1.0, 1}, {0.0, 1.0, 2}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < 402; i++) {
        double value = j0(2.404826 * (nfsar_axis_at(&grid.x, i % 201) - 0.013) / 0.4);
        image.data[i] = (float)(i < 201 ? 0.5 * value : value);
    }
    assert_near(risar_first_minimum(&image), 0.4, 1e-3);
    for (size_t i = 0; i < 402; i++) {
        image.data[i] = 1.0f;
    }
    assert_true(isnan(risar_first_minimum(&image)));
    nfsar_image_free(&image);
}

static void ghosts_are_far_from_the_target(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image;
    nfsar_grid line = {{0.0, 1.0, 1}, {-0.05, 0.001, 101}, {0.0, 1.0, 1}};
    assert_ok(nfsar_image_create(&line, &image, &error), error);
    image.data[50] = 10.0f;
    image.data[65] = 8.0f;
    image.data[75] = 1.0f * I;
    assert_near(risar_ghost_db(&image, 0.0), -20.0, 1e-6);
    assert_near(risar_ghost_db(&image, -0.01), 20.0 * log10(0.8), 1e-6);
    image.grid.x.count = 101;
    image.grid.y.count = 1;
    assert_true(isnan(risar_ghost_db(&image, 0.0)));
    nfsar_image_free(&image);
}

/* A factor is no difference; what does not fit is, and slices that the reference lacks are none. */
static void difference_is_what_no_factor_explains(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image reference, image, difference;
    nfsar_grid two = {{0.0, 1.0, 2}, {0.0, 1.0, 1}, {3.0, 1.0, 2}};
    nfsar_grid four = {{0.0, 1.0, 2}, {0.0, 1.0, 1}, {2.0, 1.0, 4}};
    assert_ok(nfsar_image_create(&two, &reference, &error), error);
    assert_ok(nfsar_image_create(&four, &image, &error), error);
    const float complex exact[4] = {1.0f, 2.0f * I, -1.0f, 0.0f}, other = 2.0f - 1.0f * I;
    for (size_t i = 0; i < 8; i++) {
        image.data[i] = i < 2 || i > 5 ? 9.0f : other * exact[i - 2];
    }
    memcpy(reference.data, exact, sizeof exact);
    assert_ok(risar_difference(&reference, &image, &difference, &error), error);
    assert_int_equal(nfsar_grid_voxels(&difference.grid), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_near(cabsf(difference.data[i]), 0.0, 1e-6);
    }
    nfsar_image_free(&difference);
    image.data[5] = other;
    assert_ok(risar_difference(&reference, &image, &difference, &error), error);
    /* <image, reference> / |image|^2 = 6 / 7 of 1 / other: what is left of each voxel. */
    assert_near(cabsf(difference.data[1]), 2.0 / 7.0, 1e-6);
    assert_near(cabsf(difference.data[3]), 6.0 / 7.0, 1e-6);
    nfsar_image_free(&difference);
    nfsar_image_free(&reference);
    nfsar_image_free(&image);
}

static void read_page(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(output, 1, sizeof output - 1, file);
    output[n] = '\0';
    fclose(file);
}

static void assert_picture(const char *name) {
    char path[1024], magic[9] = "";
    snprintf(path, sizeof path, "%s/pictures/risar-%s.png", test_folder(), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(magic, 1, 8, file), 8);
    assert_string_equal(magic, "\x89PNG\r\n\x1a\n");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_true(ftell(file) < 200000);
    fclose(file);
}

/* The correlation with bp in the row of the images' table. */
static double correlation(const char *experiment, const char *method) {
    char start[64];
    const char *at = strstr(output, "| image |");
    assert_non_null(at);
    snprintf(start, sizeof start, "| %s |", experiment);
    at = strstr(at, start);
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

/* What stands before and after the section stays, another subject's too; what stood in it goes. */
static void page_is_made(void **state) {
    (void)state;
    const char text[] =
        "# Results\n\n<!-- bench papers: made by `nfsar bench papers --output docs` "
        "-->\nTheirs.\n<!-- end of bench papers -->\n"
        "<!-- bench risar: made by `nfsar bench risar --output docs` -->\n"
        "Old.\n<!-- end of bench risar -->\n\nAfter.\n";
    test_write_file("results.md", text, strlen(text));
    assert_int_equal(test_command(output, sizeof output,
                                  "bench risar --quick --threads 1 --output %s", test_folder()),
                     0);
    read_page(test_path("results.md"));
    assert_contains(output, "\nTheirs.\n<!-- end of bench papers -->\n<!-- bench risar");
    assert_contains(output, "<!-- end of bench risar -->\n\nAfter.\n");
    assert_null(strstr(output, "Old."));
    assert_contains(output, "| 0.7261 mm | 0.6801 mm |");
    assert_contains(output, "| 0.978 mm | 0.867 mm");
    assert_picture("point-above");
    assert_picture("point-side");
    assert_picture("point-difference");
    assert_picture("upright");
    assert_picture("upright-difference");
    assert_picture("across");
    assert_true(correlation("one height, on the axis", "csar, none") > 0.999);
    assert_true(correlation("1 channel, off the axis", "csar, none") > 0.999);
    assert_true(correlation("8 channels, off the axis", "csar, every-range") > 0.98);
    assert_true(correlation("blade upright, 8 channels", "csar, every-range") > 0.98);
    assert_true(correlation("blade across, 8 channels", "csar, every-range") > 0.98);
    assert_int_equal(test_count_files(".part"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_is_the_papers),
        cmocka_unit_test(blade_is_serrated),
        cmocka_unit_test(formula_has_its_widths),
        cmocka_unit_test(expected_widths_are_the_formulas_where_they_hold),
        cmocka_unit_test(first_minimum_is_found),
        cmocka_unit_test(ghosts_are_far_from_the_target),
        cmocka_unit_test(difference_is_what_no_factor_explains),
        cmocka_unit_test(page_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
