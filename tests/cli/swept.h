/* A sweep by hand with what its sensors said, for tests of nfsar track: written once, changed by
 * hand in copies, and tracked. */
#ifndef NFSAR_TESTS_CLI_SWEPT_H
#define NFSAR_TESTS_CLI_SWEPT_H

#include "tests/support.h"

#include <hdf5.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

static char output[8192];

#define HEAD                                                                                       \
    "radar: {start_frequency_hz: 77e9, bandwidth_hz: 4e9, samples: 8}\n"                           \
    "targets:\n  - points:\n      - {at_m: [0, 0, 0.3]}\n"
#define HAND                                                                                       \
    "path:\n  handheld: {size_m: [0.2, 0.04], line_spacing_m: 0.01, speed_m_per_s: 0.107,\n"       \
    "    pulse_rate_hz: 200, wander_m: [2e-3, 2e-3, 5e-3], wander_deg: [1, 1, 1],\n"               \
    "    wander_time_s: 0.8, rest_s: 1.3, smooth_s: 0.15}\n"
#define SENSORS                                                                                    \
    "sensors:\n  imu: {rate_hz: 1000, at_m: [0.03, -0.02, -0.01]}\n"                               \
    "  flow: {rate_hz: 100, at_m: [-0.04, 0.01, 0], step_rad: 1.66e-3}\n"                          \
    "  range: {rate_hz: 50, at_m: [-0.03, 0.01, 0], step_m: 1e-3}\n"                               \
    "  surface: {from_origin_m: 0.35, lean_deg: [2, -1.5]}\n"
#define POD                                                                                        \
    "imu: {at_m: [0.03, -0.02, -0.01]}\nflow: {at_m: [-0.04, 0.01, 0]}\n"                          \
    "range: {at_m: [-0.03, 0.01, 0]}\n"
#define SINGLE "array: {preset: single}\n"

static inline void write_text(const char *name, const char *text) {
    test_write_file(name, text, strlen(text));
}

static inline int simulate(const char *scene, const char *name) {
    write_text("scene.yaml", scene);
    return test_command(output, sizeof output, "simulate '%s' -o '%s' --quiet",
                        test_path("scene.yaml"), test_path(name));
}

/* swept.h5, and pod.yaml with its mountings. */
static inline int swept_set_up(void **state) {
    (void)state;
    write_text("pod.yaml", POD);
    return simulate(HEAD SINGLE HAND SENSORS, "swept.h5");
}

static inline double number(const json_t *object, const char *key) {
    const json_t *item = json_object_get(object, key);
    assert_true(json_is_number(item));
    return json_number_value(item);
}

static inline json_t *track(const char *from, const char *to, const char *options) {
    json_error_t error;
    const int status = test_command(output, sizeof output, "track '%s' -o '%s' --json --quiet %s",
                                    test_path(from), test_path(to), options);
    if (status != 0) {
        fail_msg("%s", output);
    }
    json_t *root = json_loads(output, 0, &error);
    assert_non_null(root);
    return root;
}

/* A copy of the sweep, with a column changed by hand. */
static inline void change(const char *name, const char *column,
                          void (*how)(hid_t file, const char *column)) {
    char copy[2048];
    snprintf(copy, sizeof copy, "cp '%s' '%s'", test_path("swept.h5"), test_path(name));
    assert_int_equal(system(copy), 0);
    hid_t file = H5Fopen(test_path(name), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    how(file, column);
    H5Fclose(file);
}

#endif
