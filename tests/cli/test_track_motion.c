/* What nfsar track --poses says of the motion that it read, and what it warns of; and that
 * autofocus of poses that do not move is refused. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/cli/tracker.h"

static char output[20000];

/* A track of 10 s at 100 Hz: 0.05 m/s along x, 20 mm up and down, turned about y to 10 degrees at
 * the end; the row `stray` is 3 m aside. */
static void write_track(const char *name, double unit, int stray) {
    FILE *out = fopen(test_path(name), "we");
    assert_non_null(out);
    for (int i = 0; i <= 1000; i++) {
        const double t = 0.01 * i, half = 0.5 * t * NFSAR_PI / 180.0;
        fprintf(out, "%.3f %.9f %.9f %.9f 0 %.9f 0 %.9f\n", t, unit * 0.05 * t,
                unit * 0.01 * sin(2.0 * t), i == stray ? 3.0 : 0.0, sin(half), cos(half));
    }
    fclose(out);
}

/* One more row where the times say. */
static void insert_row(const char *name, const char *row, double time_s) {
    static char text[200000];
    FILE *file = fopen(test_path(name), "re");
    assert_non_null(file);
    const size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    file = fopen(test_path(name), "we");
    assert_non_null(file);
    bool done = false;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (!done && strtod(line, NULL) > time_s) {
            fputs(row, file);
            done = true;
        }
        fprintf(file, "%s\n", line);
    }
    fclose(file);
}

static void track(const char *name, const char *options) {
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s %s",
                                  test_path("hand.h5"), test_path("out.h5"), test_path(name),
                                  options),
                     0);
}

static double last_pulse_s(void) {
    nfsar_capture_file *file = NULL;
    nfsar_error error;
    assert_ok(nfsar_capture_file_open(test_path("hand.h5"), &file, &error), error);
    const nfsar_capture *c = nfsar_capture_file_header(file);
    const double time_s = c->time_s[c->n_pulse - 1];
    nfsar_capture_file_close(file);
    return time_s;
}

static void said(void **state) {
    (void)state;
    write_track("line.tum", 1.0, -1);
    track("line.tum", "--json");
    const double end_s = last_pulse_s(); /* of the track, that of the pulses */
    const char *at = strstr(output, "\"extent_m\": [");
    assert_non_null(at);
    double x = 0.0, y = 0.0, z = 0.0;
    assert_int_equal(sscanf(at, "\"extent_m\": [ %lf , %lf , %lf", &x, &y, &z), 3);
    assert_near(x, 0.05 * end_s, 1e-6);
    assert_near(y, 0.02, 1e-5);
    assert_near(z, 0.0, 1e-12);
    /* The places' derivative: 0.05 and at most 0.02 m/s. */
    assert_near(number_after(output, "\"fastest_m_per_s\": "), hypot(0.05, 0.02), 1e-4);
    assert_near(number_after(output, "\"turned_deg\": "), end_s, 1e-3);
    at = strstr(output, "\"looks_along\": [");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"looks_along\": [ %lf , %lf , %lf", &x, &y, &z), 3);
    assert_near(x, sin(0.5 * end_s * NFSAR_PI / 180.0), 1e-3);
    assert_near(y, 0.0, 1e-9);
    assert_null(strstr(output, "warning"));
    track("line.tum", "--rotate 0,180,0");
    assert_contains(output, " x 20 x 0 mm in x, y and z, by 0.054 m/s at most; looks along (-0.07, "
                            "0.00, -1.00)");
}

static void warned(void **state) {
    (void)state;
    write_track("stray.tum", 1.0, 300);
    track("stray.tum", "");
    assert_contains(output, "s of its clock the place jumps by 3 m, at 300 m/s");
    static const char turned[] = "5.005 0.25 0 0 1 0 0 0\n"; /* by half a turn, once */
    write_track("turned.tum", 1.0, -1);
    insert_row("turned.tum", turned, 5.005);
    track("turned.tum", "");
    assert_contains(output, "turned.tum: at 5.0");
    assert_contains(output, "the direction jumps by 180 degrees");
    assert_null(strstr(output, "the place jumps"));

    write_track("small.tum", 1e-3, -1);
    track("small.tum", "");
    assert_contains(output, "small.tum stay within 0.39 mm");
    assert_null(strstr(output, "jumps"));

    static const char places[] = "time_usec,x,y,z\n0,0,0,0\n5000000,0.1,0,0\n10000000,0,0,0\n";
    test_write_file("places.csv", places, strlen(places));
    track("places.csv", "--rotate 90,0,0");
    assert_contains(output, "looks along (0.00, -1.00, 0.00) throughout, for the file has no");

    static const char semicolons[] = "Objects\n100\n;;radar;;;;;\n";
    test_write_file("table.csv", semicolons, strlen(semicolons));
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s",
                                  test_path("hand.h5"), test_path("no.h5"), test_path("table.csv")),
                     1);
    assert_contains(output, "table.csv: line 3: has semicolons");
    assert_int_equal(test_command(output, sizeof output,
                                  "track %s -o %s --poses %s --rotate 0,400,0",
                                  test_path("hand.h5"), test_path("no.h5"), test_path("line.tum")),
                     2);
    assert_contains(output, "--rotate 0,400,0: expected X,Y,Z in degrees, each within 360");
    assert_int_equal(test_count_files("no.h5"), 0);
}

/* As an import without scan: leaves them. */
static void needed(void **state) {
    (void)state;
    static const char rest[] = "0 0 0 0 0 0 0 1\n5 0 0 0 0 0 0 1\n10 0 0 0 0 0 0 1\n";
    test_write_file("rest.tum", rest, strlen(rest));
    track("rest.tum", "");
    assert_contains(output, "rest.tum stay within 0 mm");
    static const char *const modes[] = {"--phase", "--autofocus"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(test_command(output, sizeof output, "track %s -o %s %s",
                                      test_path("out.h5"), test_path("no.h5"), modes[i]),
                         1);
        assert_contains(output, "out.h5: its poses stay within 0 mm");
        assert_contains(output, "give it poses first");
    }
    assert_int_equal(test_count_files("no.h5"), 0);
}

static int set_up(void **state) {
    (void)state;
    tracker_simulate(tracker_hand, tracker_points, "hand.h5");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(said),
        cmocka_unit_test(warned),
        cmocka_unit_test(needed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
