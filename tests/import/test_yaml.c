/* YAML as people and enemies write it: refused at once, in words, with the line. */
#include "tests/import/recorder.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES "files: {list: [a.bin]}\n"

static void assert_path_refused(const char *name, const char *part) {
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    assert_int_not_equal(nfsar_import_open(test_path(name), NULL, &import, &error), NFSAR_OK);
    assert_null(import);
    assert_contains(error.message, part);
}

/* Nine levels of ten aliases are 10^9 nodes; the clock tells whether any were expanded. */
static void aliases_are_refused_before_they_expand(void **state) {
    (void)state;
    char text[4096] = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char level = 'b'; level <= 'j'; level++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%c: &%c [", level, level);
        for (int i = 0; i < 10; i++) {
            used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s*%c", i > 0 ? ", " : "", level - 1);
        }
        strcat(text, "]\n");
    }
    clock_t start = clock();
    assert_refused(text, "line 1: anchors (&name) and aliases (*name) are not read");
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 1.0);
    assert_refused(FILES "layout: 4-lane\nradar: *there\n", "line 3: anchors");
    assert_refused(FILES "layout: 4-lane\nradar: &r {samples: 4}\n", "line 3: anchors");
    assert_refused(FILES "layout: &l 4-lane\n", "line 2: anchors");
}

static void hostile_depth_is_refused(void **state) {
    (void)state;
    enum { N = 200000 };
    char *text = malloc(N + 1);
    memset(text, '[', N);
    text[N] = '\0';
    assert_refused(text, "line 1: nested more than 64 deep");
    free(text);
    assert_refused(FILES "---\n" FILES, "line 2: a second document");
}

static void what_is_no_file_of_text_is_refused_at_once(void **state) {
    (void)state;
    assert_int_equal(mkfifo(test_path("pipe.yaml"), 0600), 0);
    assert_path_refused("pipe.yaml", "pipe.yaml: is not a regular file");
    assert_int_equal(mkdir(test_path("folder.yaml"), 0700), 0);
    assert_path_refused("folder.yaml", "folder.yaml: is not a regular file");
    test_write_file("capture.h5", "\x89HDF\r\n\x1a\n\0\0\0\0", 12);
    assert_path_refused("capture.h5", "capture.h5: is an HDF5 file, not a rig file");
    test_write_file("latin.yaml", "model: \xe9\n", 9);
    assert_path_refused("latin.yaml", "is not a text in UTF-8");
}

static void counts_and_kinds_are_told_in_words(void **state) {
    (void)state;
    assert_refused(FILES RADAR_8 "array:\n  tx_m: [[0, 0, 0],\n    [0, 0]]\n  rx_m: [[0, 0, 0]]\n",
                   "rig.yaml: line 6: entry 2 of tx_m needs 3 numbers, has 2");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scan: {centre_m: [1, 2, 3]}\n",
                   "rig.yaml: line 5: centre_m needs 2 numbers, has 3");
    assert_refused("files: {list: []}\n" RADAR_8 ARRAY_1X4,
                   "rig.yaml: line 1: list needs at least 1 entry, has 0");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scan: [1, 2]\n",
                   "rig.yaml: line 5: scan must be a mapping (key: value lines), not a list");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scan: raster\n",
                   "must be a mapping (key: value lines), "
                   "not 'raster'");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scan:\n", "scan must be a mapping (key: value lines), "
                                                      "but is empty");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scan: {step_m: [1e-3]}\n",
                   "line 5: step_m must be a number, not a list");
    assert_refused("files: {list: a.bin}\n" RADAR_8 ARRAY_1X4,
                   "line 1: list must be a list ([a, b]), not 'a.bin'");
    assert_refused("files: {pattern: ''}\n" RADAR_8 ARRAY_1X4, "line 1: pattern is empty");
    assert_refused("just text\n", "line 1: the file must be a mapping");
    assert_refused("- a\n- b\n", "line 1: the file must be a mapping (key: value lines), not a "
                                 "list");
}

static void missing_and_repeated_keys_are_named(void **state) {
    (void)state;
    assert_refused(FILES "radar: {waveform: xwr1443-512}\n" ARRAY_1X4,
                   "rig.yaml: the key layout is missing");
    assert_refused(FILES RADAR_8 ARRAY_1X4 "calibration: {delay_s: 0}\nradar: {model: x}\n",
                   "rig.yaml: line 6: radar is given twice");
    assert_refused(FILES "layout: 4-lane\nradar: {model: [\n" ARRAY_1X4,
                   "the YAML is not well formed near here (indentation, brackets or quotes)");
    assert_refused(FILES "layout: 4-lane\n  radar: 3\n",
                   "rig.yaml: line 3: the YAML is not well formed near here");
    assert_refused(FILES "? [a, b]\n: 3\n", "line 2: a key must be a word");
}

static void misspelt_keys_get_a_suggestion(void **state) {
    (void)state;
    assert_refused(FILES RADAR_8 ARRAY_1X4 "scan: {stepm: 1}\n",
                   "line 5: Unexpected key: stepm; did you mean step_m? (known here: rows_along");
    assert_refused("fils: {list: [a.bin]}\n" RADAR_8 ARRAY_1X4, "did you mean files?");
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    assert_int_not_equal(open_rig(FILES RADAR_8 ARRAY_1X4 "weather: 1\n", &import, &error),
                         NFSAR_OK);
    assert_contains(error.message, "Unexpected key: weather (known here: files");
    assert_null(strstr(error.message, "did you mean"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aliases_are_refused_before_they_expand),
        cmocka_unit_test(hostile_depth_is_refused),
        cmocka_unit_test(what_is_no_file_of_text_is_refused_at_once),
        cmocka_unit_test(counts_and_kinds_are_told_in_words),
        cmocka_unit_test(missing_and_repeated_keys_are_named),
        cmocka_unit_test(misspelt_keys_get_a_suggestion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
