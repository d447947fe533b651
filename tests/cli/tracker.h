/* Scans whose poses are written as a tracker would, by another clock: for the tests of nfsar track
 * --poses. */
#ifndef NFSAR_TESTS_CLI_TRACKER_H
#define NFSAR_TESTS_CLI_TRACKER_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/support.h"

static const char tracker_radar[] = "radar: {waveform: 77-81ghz-64}\n"
                                    "array: {preset: single}\n";

static const char tracker_hand[] = "seed: 5\n"
                                   "path:\n"
                                   "  handheld:\n"
                                   "    size_m: [0.2, 0.1]\n"
                                   "    line_spacing_m: 10e-3\n"
                                   "    speed_m_per_s: 0.3\n"
                                   "    pulse_rate_hz: 400\n"
                                   "    wander_m: [2e-3, 2e-3, 5e-3]\n"
                                   "    wander_deg: [1, 1, 1]\n"
                                   "    wander_time_s: 0.8\n";

static const char tracker_points[] = "targets:\n"
                                     "  - points:\n"
                                     "      - {at_m: [0, 0, 0.3]}\n"
                                     "      - {at_m: [0.05, 0.03, 0.33]}\n"
                                     "      - {at_m: [-0.06, 0.02, 0.36]}\n"
                                     "      - {at_m: [0.02, -0.05, 0.28]}\n"
                                     "impairments: {snr_db: 20}\n";

/* A capture of the path and the targets, both with their keys. */
static inline void tracker_simulate(const char *path, const char *targets, const char *name) {
    char scene[3000], output[2000];
    snprintf(scene, sizeof scene, "%s%s%s", tracker_radar, path, targets);
    test_write_file("scene.yaml", scene, strlen(scene));
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("scene.yaml"), test_path(name)),
                     0);
}

/* Poses every 5 ms by a clock that is `offset_s` ahead of the capture's; moved: by a body 0.1 m
 * above the radar and turned by a quarter about its y axis. */
static inline void tracker_write(const char *capture_name, const char *name, double offset_s,
                                 bool moved) {
    nfsar_capture_file *file = NULL;
    nfsar_error error;
    assert_ok(nfsar_capture_file_open(test_path(capture_name), &file, &error), error);
    const nfsar_capture *c = nfsar_capture_file_header(file);
    FILE *out = fopen(test_path(name), "we");
    assert_non_null(out);
    fprintf(out, "# timestamp tx ty tz qx qy qz qw\n");
    for (double t = c->pose_time_s[0]; t <= c->pose_time_s[c->n_pose - 1]; t += 5e-3) {
        nfsar_pose p = nfsar_track_pose(c->pose_time_s, c->pose, c->n_pose, t, NULL);
        if (moved) {
            p.position = nfsar_pose_transform(p, (nfsar_vec3){0.0, 0.1, 0.0});
            p.orientation = nfsar_quaternion_multiply(
                p.orientation,
                nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, 0.5 * NFSAR_PI));
        }
        fprintf(out, "%.6f %.8f %.8f %.8f %.9f %.9f %.9f %.9f\n", t + offset_s, p.position.x,
                p.position.y, p.position.z, p.orientation.x, p.orientation.y, p.orientation.z,
                p.orientation.w);
    }
    fclose(out);
    nfsar_capture_file_close(file);
}

static inline double number_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

#endif
