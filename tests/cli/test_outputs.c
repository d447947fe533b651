/* Outputs: what they may replace, and what is left when the command is interrupted. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nfsar/file.h>

#include "tests/scene/scenes.h"

static char output[4096];
static const char scene[] = PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET;

static int set_up(void **state) {
    (void)state;
    nfsar_image image;
    nfsar_error error;
    nfsar_grid grid = {{-0.01, 0.01, 3}, {-0.01, 0.01, 3}, {0.2, 0.01, 2}};
    test_write_file("scene.yaml", scene, strlen(scene));
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    image.data[4] = 1.0f;
    assert_ok(nfsar_image_save(test_path("image.h5"), &image, &error), error);
    nfsar_image_free(&image);
    return test_command(output, sizeof output, "simulate %s -o %s", test_path("scene.yaml"),
                        test_path("capture.h5"));
}

/* Two files of at most 64 kB hold the same. */
static bool same(const char *a, const char *b) {
    static char text[2][65536];
    const char *const name[2] = {a, b};
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(test_path(name[i]), "rb");
        assert_non_null(file);
        n[i] = fread(text[i], 1, sizeof text[i], file);
        fclose(file);
    }
    return n[0] == n[1] && memcmp(text[0], text[1], n[0]) == 0;
}

/* Status 2, one line with part, and the file at the output's name is as it was. */
static void kept(const char *name, const char *part, const char *arguments) {
    char copy[2048];
    snprintf(copy, sizeof copy, "cp %s %s", test_path(name), test_path("before"));
    assert_int_equal(system(copy), 0);
    int status = test_command(output, sizeof output, "%s", arguments);
    if (status != 2 || strstr(output, part) == NULL ||
        strchr(output, '\n') != output + strlen(output) - 1) {
        fail_msg("%s\nstatus %d, said: %s", arguments, status, output);
    }
    assert_true(same(name, "before"));
    assert_int_equal(test_count_files(".part-"), 0);
}

static const char *line(const char *format, const char *a, const char *b) {
    static char text[2048];
    snprintf(text, sizeof text, format, test_path(a), test_path(b));
    return text;
}

static void inputs_are_not_replaced(void **state) {
    (void)state;
    kept("capture.h5", "is an input",
         line("reconstruct %s --x 0 --y 0 --z 0.3 -q -o %s", "capture.h5", "capture.h5"));
    kept("scene.yaml", "is an input", line("simulate %s -o %s", "scene.yaml", "scene.yaml"));
    kept("image.h5", ".png", line("render %s -o %s", "image.h5", "image.h5"));
    /* By another name, too. */
    assert_int_equal(symlink(test_path("capture.h5"), test_path("link.h5")), 0);
    kept("capture.h5", "is an input",
         line("reconstruct %s --x 0 --y 0 --z 0.3 -q -o %s", "capture.h5", "link.h5"));
    assert_int_equal(link(test_path("capture.h5"), test_path("hard.h5")), 0);
    kept("capture.h5", "is an input",
         line("reconstruct %s --x 0 --y 0 --z 0.3 -q -o %s", "hard.h5", "capture.h5"));
    remove(test_path("link.h5"));
    remove(test_path("hard.h5"));
}

static void other_kinds_are_not_replaced(void **state) {
    (void)state;
    test_write_file("scan_Raw_0.bin", "\1\2\3\4", 4);
    test_write_file("notes.npy", "notes", 5);
    kept("scan_Raw_0.bin", "not an HDF5 file",
         line("simulate %s -o %s", "scene.yaml", "scan_Raw_0.bin"));
    kept("notes.npy", "not a NumPy array", line("export %s -o %s", "image.h5", "notes.npy"));
    test_write_file("own.mat", "MATLAB 5.0 MAT-file, Platform: GLNXA64, created by somebody", 59);
    kept("own.mat", "not a MATLAB file of nfsar", line("export %s -o %s", "image.h5", "own.mat"));
    test_write_file("picture.png", "GIF89a", 6);
    kept("picture.png", "not a PNG", line("render %s -o %s", "image.h5", "picture.png"));
    kept("scene.yaml", "end its name in .png", line("render %s -o %s", "image.h5", "scene.yaml"));
}

static void results_are_replaced(void **state) {
    (void)state;
    const char *const name[] = {"again.vti", "again.npy", "again.mat", "again.png"};
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 2; k++) {
            int status =
                test_command(output, sizeof output, "%s %s -o %s", i < 3 ? "export" : "render",
                             test_path("image.h5"), test_path(name[i]));
            assert_int_equal(status, 0);
        }
    }
    test_write_file("empty.h5", "", 0);
    assert_int_equal(chmod(test_path("empty.h5"), 0640), 0);
    assert_int_equal(symlink("empty.h5", test_path("link.h5")), 0);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                      test_path("scene.yaml"), test_path("link.h5")),
                         0);
    }
    struct stat info;
    assert_int_equal(lstat(test_path("link.h5"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(test_path("empty.h5"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_true(info.st_size > 1000);
    remove(test_path("link.h5"));
}

static void places_that_hold_no_results(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o /proc/none.h5",
                                  test_path("scene.yaml")),
                     2);
    assert_contains(output, "outside /dev");
    assert_int_equal(mkfifo(test_path("pipe.h5"), 0600), 0);
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("scene.yaml"), test_path("pipe.h5")),
                     2);
    assert_contains(output, "not a regular file");
    assert_int_equal(symlink("/proc/self/comm", test_path("link.h5")), 0);
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("scene.yaml"), test_path("link.h5")),
                     2);
    assert_contains(output, "outside /dev");
    remove(test_path("link.h5"));
    assert_int_equal(symlink("missing.h5", test_path("link.h5")), 0);
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("scene.yaml"), test_path("link.h5")),
                     2);
    assert_contains(output, "link to nothing");
    remove(test_path("link.h5"));
}

/* ---- signals -------------------------------------------------------------------------------- */

static void nap(void) {
    const struct timespec time = {0, 5000000};
    nanosleep(&time, NULL);
}

/* Start a simulation of some ten seconds and send the signal once its output is pending. Returns
 * what waitpid says. */
static int interrupt(int number, bool ignored) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int quiet = open(test_path("log"), O_WRONLY | O_CREAT, 0600);
        dup2(quiet, STDERR_FILENO);
        signal(number, ignored ? SIG_IGN : SIG_DFL);
        execl(getenv("NFSAR_COMMAND"), "nfsar", "simulate", test_path("long.yaml"), "-o",
              test_path("long.h5"), "--threads", "1", (char *)NULL);
        _exit(99);
    }
    /* One file, once: what is seen may be the trial of the output's folder, gone a moment later. */
    int seen = 0;
    for (int i = 0; i < 4000 && (seen = test_count_files(".part-")) == 0; i++) {
        nap();
    }
    assert_int_equal(seen, 1);
    kill(child, number);
    int status = 0;
    if (ignored) {
        for (int i = 0; i < 20; i++) {
            nap();
        }
        assert_int_equal(waitpid(child, &status, WNOHANG), 0);
        kill(child, SIGTERM);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void signals_leave_nothing(void **state) {
    (void)state;
    static const char text[] = PLAIN_RADAR PLAIN_ARRAY
        "path:\n  raster: {x: {size_m: 0.4, count: 400}, y: {size_m: 0.4, count: 400}}\n"
        "targets:\n  - plate: {size_m: [0.2, 0.2], at_m: [0, 0, 0.3], spacing_m: 0.001}\n";
    test_write_file("long.yaml", text, strlen(text));
    const int number[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU};
    for (int i = 0; i < 5; i++) {
        int status = interrupt(number[i], false);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + number[i]);
        assert_int_equal(test_count_files("long.h5"), 0);
    }
    /* As nohup starts it. */
    int status = interrupt(SIGHUP, true);
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    assert_int_equal(test_count_files("long.h5"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_not_replaced), cmocka_unit_test(other_kinds_are_not_replaced),
        cmocka_unit_test(results_are_replaced),    cmocka_unit_test(places_that_hold_no_results),
        cmocka_unit_test(signals_leave_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
