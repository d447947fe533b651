/* Scenes from text, for the tests of this folder. */
#ifndef NFSAR_TESTS_SCENE_SCENES_H
#define NFSAR_TESTS_SCENE_SCENES_H

#include <string.h>

#include "tests/support.h"

#include <nfsar/scene.h>

/* A radar, an array of one antenna at the body's origin, and one point: what a test does not
 * care about. */
#define PLAIN_RADAR  "radar: {start_frequency_hz: 77e9, bandwidth_hz: 4e9, samples: 8}\n"
#define PLAIN_ARRAY  "array: {preset: single}\n"
#define PLAIN_PATH   "path: {positions_m: [[0, 0, 0]]}\n"
#define PLAIN_TARGET "targets:\n  - points:\n      - {at_m: [0, 0, 0.3]}\n"

/* Write text to test_path("scene.yaml") and open it. */
static inline enum nfsar_status scene_from(const char *text, nfsar_scene **scene,
                                           nfsar_error *error) {
    test_write_file("scene.yaml", text, strlen(text));
    return nfsar_scene_open(test_path("scene.yaml"), NULL, scene, error);
}

static inline nfsar_scene *good_scene(const char *text) {
    nfsar_error error;
    nfsar_scene *scene = NULL;
    assert_ok(scene_from(text, &scene, &error), error);
    return scene;
}

/* The scene must be refused in one line that contains part. */
static inline void assert_refused(const char *text, const char *part) {
    nfsar_error error = {0};
    nfsar_scene *scene = NULL;
    enum nfsar_status status = scene_from(text, &scene, &error);
    if (status == NFSAR_OK) {
        fail_msg("accepted, expected \"%s\": %s", part, text);
    }
    assert_null(scene);
    assert_true(status == NFSAR_ERROR_FORMAT || status == NFSAR_ERROR_FILE ||
                status == NFSAR_ERROR_MEMORY);
    assert_int_equal(error.status, status);
    assert_contains(error.message, part);
    assert_contains(error.message, "scene.yaml");
    assert_null(strchr(error.message, '\n'));
}

#endif
