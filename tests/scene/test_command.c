/* nfsar simulate as a user runs it, and the example scenes. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <nfsar/file.h>

#include "tests/scene/scenes.h"

static char output[8192];

static void write_scene(const char *text) {
    test_write_file("scene.yaml", text, strlen(text));
}

static const char good[] = PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET;

static void test_simulates(void **state) {
    (void)state;
    write_scene(good);
    int status = test_command(output, sizeof output, "simulate %s -o %s --threads 1",
                              test_path("scene.yaml"), test_path("made.h5"));
    assert_int_equal(status, 0);
    assert_contains(output, "1 pulse x 1 channel x 8 samples of 1 scatterer,");
    nfsar_capture capture;
    nfsar_error error;
    assert_ok(nfsar_capture_load(test_path("made.h5"), &capture, &error), error);
    double phase = 4.0 * NFSAR_PI * 77e9 * 0.3 / 299792458.0;
    assert_near(crealf(capture.echo[0]), cos(phase), 1e-5);
    nfsar_capture_free(&capture);
    status = test_command(output, sizeof output, "simulate %s -o %s --json -q --seed 9",
                          test_path("scene.yaml"), test_path("made.h5"));
    assert_int_equal(status, 0);
    assert_contains(output, "\"scatterers\": 1");
    assert_ok(nfsar_capture_load(test_path("made.h5"), &capture, &error), error);
    assert_contains(capture.provenance[0], "seed 9");
    nfsar_capture_free(&capture);
    json_t *json = NULL;
    status = test_command(output, sizeof output, "simulate %s -o %s/made\xff.h5 --json -q",
                          test_path("scene.yaml"), test_folder());
    assert_int_equal(status, 0);
    assert_non_null(json = json_loads(output, 0, NULL));
    assert_non_null(strstr(json_string_value(json_object_get(json, "output")), "made?.h5"));
    json_decref(json);
    char made[512];
    snprintf(made, sizeof made, "%s/made\xff.h5", test_folder());
    remove(made);
    remove(test_path("made.h5"));
    /* What --explain prints is no JSON. */
    status = test_command(output, sizeof output, "simulate %s --explain --json",
                          test_path("scene.yaml"));
    assert_int_equal(status, 2);
    assert_contains(output, "give -o");
}

static void test_explains(void **state) {
    (void)state;
    write_scene(PLAIN_RADAR PLAIN_ARRAY
                "path:\n  raster: {x: {size_m: 0.2, step_m: 0.01}, y: {size_m: 0, count: 1}}\n"
                "targets:\n"
                "  - points: [{at_m: [0, 0, 0.5]}]\n"
                "  - plate: {size_m: [0.1, 0.1], at_m: [0, 0, 0.3], spacing_m: 0.005}\n"
                "impairments: {snr_db: 20}\n");
    int status =
        test_command(output, sizeof output, "simulate %s --explain", test_path("scene.yaml"));
    assert_int_equal(status, 0);
    /* 4 GHz over 8 samples: steps of 571 MHz, 0.262 m unambiguous; 0.5 m is beyond. */
    assert_contains(output, "8 samples from 77 to 81 GHz");
    assert_contains(output, "unambiguous within 0.262 m");
    assert_contains(output, "21 pulses");
    assert_contains(output, "target 2  plate, 441 scatterers");
    assert_contains(output, "20 dB below the mean echo");
    assert_contains(output, "warning: ranges up to");
    /* lambda sqrt(0.15^2 + 0.3^2) / (2 0.3) = 2.07 mm at 81 GHz. */
    assert_contains(output, "undersample the scene, which needs 2.07 mm");
    assert_contains(output, "warning: target 2");
    assert_int_equal(test_count_files(".h5"), 0);
    /* Warnings come without --explain too, unless --quiet. */
    write_scene(PLAIN_RADAR PLAIN_ARRAY
                "path:\n  raster: {x: {size_m: 0.02, step_m: 0.001}, y: {size_m: 0, count: 1}}\n"
                "targets:\n  - points: [{at_m: [0, 0, 0.2]}]\n"
                "  - points: [{at_m: [0, 0, -0.2]}, {at_m: [0, 0, 0.2]}]\n");
    const char *const quiet[] = {"", "-q"};
    for (int i = 0; i < 2; i++) {
        status = test_command(output, sizeof output, "simulate %s -o %s %s",
                              test_path("scene.yaml"), test_path("made.h5"), quiet[i]);
        assert_int_equal(status, 0);
        const char *warning = strstr(output, "warning: target 2: 1 of 2 scatterers are behind");
        assert_true((warning != NULL) == (i == 0));
    }
    remove(test_path("made.h5"));
}

static void test_bad_usage(void **state) {
    (void)state;
    write_scene(good);
    const char *scene = test_path("scene.yaml");
    assert_int_equal(test_command(output, sizeof output, "simulate %s", scene), 2);
    assert_contains(output, "-o says where");
    assert_int_equal(test_command(output, sizeof output, "simulate -o x.h5"), 2);
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o x.h5 --seed -1", scene),
                     2);
    assert_int_equal(test_command(output, sizeof output, "simulate %s --nonsense", scene), 2);
}

/* The text must make the command fail with status 1, one line that has part, and no file. */
static void fails(const char *text, const char *part) {
    write_scene(text);
    int status = test_command(output, sizeof output, "simulate %s -o %s", test_path("scene.yaml"),
                              test_path("made.h5"));
    assert_int_equal(status, 1);
    assert_contains(output, part);
    char *newline = strchr(output, '\n');
    assert_non_null(newline);
    assert_int_equal(newline[1], '\0');
    assert_int_equal(test_count_files("made"), 0);
}

static void test_failures(void **state) {
    (void)state;
    fails("", "is empty");
    fails("just words", "scene.yaml");
    fails("[1, 2]", "scene.yaml");
    fails("radar: {", "scene.yaml");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH, "targets");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET "imparments: {snr_db: 3}\n",
          "line 7: Unexpected key: imparments");
    fails(PLAIN_RADAR PLAIN_ARRAY
          "path:\n  raster: {x: {size_m: 1, stepp_m: 1}, y: {size_m: 1, count: 2}}\n" PLAIN_TARGET,
          "line 4: Unexpected key: stepp_m");
    /* Numbers with something behind them, which libcyaml would cut off. */
    fails("radar: {start_frequency_hz: 77e9 GHz, bandwidth_hz: 1, samples: 2}\n" PLAIN_ARRAY
              PLAIN_PATH PLAIN_TARGET,
          "line 1: start_frequency_hz: '77e9 GHz' is not a number");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets:\n  - points:\n    - {at_m: [0, 0, 3 mm]}\n",
          "line 6: at_m: '3 mm' is not a number");
    fails("radar: {waveform: 77-81ghz-64}\n" PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET "seed: 12abc\n",
          "line 7: seed: '12abc' is not a whole number");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET "seed: -1\n", "scene.yaml");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET "seed: 1.5\n", "seed: '1.5' is not");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET "seed: 99999999999999999999\n",
          "scene.yaml");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets: [{points: [{at_m: [0, 0, 0]}]}]\n",
          "sits on an antenna of pulse 0");
    /* Numbers that would make samples that are no numbers. */
    const struct {
        const char *text, *part;
    } extreme[] = {
        {"impairments: {snr_db: -4000}\n", "scene.yaml: impairments.snr_db is -4000"},
        {"impairments: {leakage_db: 4000}\n", "scene.yaml: impairments.leakage_db is 4000"},
        {"impairments: {channels: {gain_db: 1e4}}\n", "impairments.channels.gain_db is 10000"},
        {"impairments: {channels: {delay_s: 1e300}}\n", "impairments.channels.delay_s is 1e+300"},
    };
    for (size_t i = 0; i < sizeof extreme / sizeof extreme[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s", good, extreme[i].text);
        fails(text, extreme[i].part);
    }
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
          "targets: [{points: [{at_m: [0, 0, 1], amplitude: 1e300}]}]\n",
          "amplitude");
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH "targets: [{points: [{at_m: [0, 0, 1e308]}]}]\n",
          "at_m");
    fails(PLAIN_RADAR PLAIN_ARRAY "path: {positions_m: [[0, 0, 1e308]]}\n" PLAIN_TARGET,
          "path.positions_m is 1e+308");
    /* Close to the antenna, with spreading: each number is fine, the echo is not. */
    fails(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH
          "targets: [{plate: {size_m: [1, 1], at_m: [0, 0, 1e-3], spacing_m: 1e3,\n"
          "                   amplitude: 1e15}}]\n"
          "physics: {spreading: true}\nimpairments: {leakage_db: 200}\n",
          "too large for the capture's single precision");
    /* An output that cannot be. */
    write_scene(good);
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o /nowhere/at/all.h5",
                                  test_path("scene.yaml")),
                     1);
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("scene.yaml"), test_folder()),
                     2);
    assert_int_equal(
        test_command(output, sizeof output, "simulate /nowhere.yaml -o %s", test_path("made.h5")),
        1);
    assert_contains(output, "/nowhere.yaml: No such file");
    assert_int_equal(test_count_files("made"), 0);
}

/* Text mutilated at random: an error or a scene, never a crash. */
static void test_mutilated_text(void **state) {
    (void)state;
    static char text[8192];
    char path[512];
    snprintf(path, sizeof path, "%s/docs/examples/scene-handheld.yaml", getenv("NFSAR_SOURCE"));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    for (int i = 0; i < 60; i++) {
        char bent[sizeof text];
        memcpy(bent, text, size);
        for (int k = 0; k < 3; k++) {
            static const char letters[] = "0123456789-+.eE:[]{},#\n \"'&*";
            bent[nfsar_random_bits(&random) % size] =
                letters[nfsar_random_bits(&random) % (sizeof letters - 1)];
        }
        nfsar_scene *scene = NULL;
        nfsar_error error;
        test_write_file("scene.yaml", bent, i % 2 == 0 ? size : nfsar_random_bits(&random) % size);
        (void)nfsar_scene_open(test_path("scene.yaml"), NULL, &scene, &error);
        nfsar_scene_close(scene);
    }
}

static nfsar_scene *example(const char *name) {
    char path[512];
    nfsar_error error;
    nfsar_scene *scene = NULL;
    snprintf(path, sizeof path, "%s/docs/examples/%s", getenv("NFSAR_SOURCE"), name);
    assert_ok(nfsar_scene_open(path, NULL, &scene, &error), error);
    return scene;
}

static void test_examples(void **state) {
    (void)state;
    const struct {
        const char *name;
        size_t pulses, channels, samples, fewest, most; /* scatterers */
    } examples[] = {
        {"scene-points.yaml", 264 * 33, 8, 64, 21, 21},
        {"scene-cutout.yaml", 211 * 27, 8, 64, 11000, 14400},
        {"scene-turntable.yaml", 360 * 14, 8, 64, 9, 9},
        {"scene-turntable-off.yaml", 887, 1, 64, 8, 8},
        {"scene-irregular.yaml", 211 * 27, 8, 64, 3000, 4500},
        {"scene-handheld.yaml", 6848, 8, 64, 100, 2000},
        {"scene-clumped.yaml", 1326, 8, 64, 1, 1},
        {"scene-tracked.yaml", 5617, 1, 64, 2, 2},
        {"scene-tracker.yaml", 7448, 8, 64, 9000, 12000},
        /* The bracket's side to the radar is 80 mm x 40 mm, less its bores. */
        {"scene-stl.yaml", 159 * 20, 8, 64, 2500, 7000},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        nfsar_scene *scene = example(examples[i].name);
        const nfsar_capture *capture = nfsar_scene_header(scene);
        size_t n = 0;
        (void)nfsar_scene_scatterers(scene, &n);
        print_message("%s: %zu pulses, %zu scatterers\n", examples[i].name, capture->n_pulse, n);
        assert_int_equal(capture->n_pulse, examples[i].pulses);
        assert_int_equal(capture->array.n_channel, examples[i].channels);
        assert_int_equal(capture->n_sample, examples[i].samples);
        assert_in_range(n, examples[i].fewest, examples[i].most);
        nfsar_scene_close(scene);
    }
}

/* One example to the end, by the command. */
static void test_run_example(void **state) {
    (void)state;
    int status =
        test_command(output, sizeof output, "simulate %s/docs/examples/scene-points.yaml -o %s",
                     getenv("NFSAR_SOURCE"), test_path("points.h5"));
    assert_int_equal(status, 0);
    nfsar_capture_file *file = NULL;
    nfsar_error error;
    assert_ok(nfsar_capture_file_open(test_path("points.h5"), &file, &error), error);
    float complex line[8 * 64];
    assert_ok(nfsar_capture_file_read(file, 4356, 1, 0, 64, line, &error), error);
    /* 21 unit scatterers, none lost: the mean power of their sum is about 21. */
    double power = 0.0;
    for (size_t i = 0; i < 8 * 64; i++) {
        power += pow(cabsf(line[i]), 2.0) / (8 * 64);
    }
    assert_in_range(power, 5, 100);
    nfsar_capture_file_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simulates),      cmocka_unit_test(test_explains),
        cmocka_unit_test(test_bad_usage),      cmocka_unit_test(test_failures),
        cmocka_unit_test(test_mutilated_text), cmocka_unit_test(test_examples),
        cmocka_unit_test(test_run_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
