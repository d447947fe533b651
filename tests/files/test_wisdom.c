/* FFTW's wisdom between runs: kept, and never a reason to fail. */
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nfsar/wisdom.h>

#include "algorithms/transform.h"

/* So much work that planning measures, and so much time that it ends even on a busy machine. */
#define MANY 1e9
#define LONG 60.0

static void forget(void) {
    fftwf_forget_wisdom();
    transform_learn("");
}

static void learn_something(size_t length) {
    fftwf_plan plan = transform_plan_within(length, FFTW_FORWARD, MANY, LONG);
    assert_non_null(plan);
    transform_destroy(plan);
}

/* Whether FFTW knows this length without measuring. */
static bool knows(size_t length) {
    float complex *in = transform_alloc(length), *out = transform_alloc(length);
    fftwf_plan plan =
        fftwf_plan_dft_1d((int)length, in, out, FFTW_FORWARD, FFTW_MEASURE | FFTW_WISDOM_ONLY);
    transform_destroy(plan);
    fftwf_free(in);
    fftwf_free(out);
    return plan != NULL;
}

static size_t read_whole(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, size, file);
    fclose(file);
    return length;
}

static void is_kept(void **state) {
    (void)state;
    const char *path = test_path("kept");
    forget();
    assert_false(nfsar_wisdom_load(path));
    assert_false(nfsar_wisdom_save(path)); /* nothing to keep */
    assert_int_not_equal(access(path, F_OK), 0);
    learn_something(96);
    assert_true(nfsar_wisdom_save(path));
    forget();
    assert_false(knows(96));
    assert_true(nfsar_wisdom_load(path));
    assert_true(knows(96));
    assert_false(nfsar_wisdom_save(path)); /* nothing new */
    assert_int_equal(test_count_files(".wisdom-"), 0);
}

/* What another process saved in the meantime is not lost. */
static void is_added_to(void **state) {
    (void)state;
    const char *path = test_path("added");
    forget();
    learn_something(96);
    assert_true(nfsar_wisdom_save(path));
    forget();
    learn_something(160);
    assert_true(nfsar_wisdom_save(path));
    forget();
    assert_true(nfsar_wisdom_load(path));
    assert_true(knows(96) && knows(160));
}

static void little_work_is_not_measured(void **state) {
    (void)state;
    forget();
    fftwf_plan plan = transform_plan_line(112, FFTW_FORWARD, 10.0);
    assert_non_null(plan);
    assert_false(transform_has_learnt());
    transform_destroy(plan);
}

/* Every length of a file, and every byte of it changed: not used, no crash, and replaced. */
static void damage_is_ignored(void **state) {
    (void)state;
    const char *path = test_path("whole");
    static char whole[1 << 16], changed[1 << 16];
    forget();
    learn_something(96);
    assert_true(nfsar_wisdom_save(path));
    size_t length = read_whole(path, whole, sizeof whole);
    assert_true(length > 64 && length < sizeof whole);
    for (size_t n = 0; n < length; n++) {
        test_write_file("cut", whole, n);
        assert_false(nfsar_wisdom_load(test_path("cut")));
        memcpy(changed, whole, length);
        changed[n] = (char)(changed[n] ^ 0x15);
        test_write_file("changed", changed, length);
        assert_false(nfsar_wisdom_load(test_path("changed")));
        changed[n] = '\0';
        test_write_file("changed", changed, length);
        assert_false(nfsar_wisdom_load(test_path("changed")));
    }
    memcpy(changed, whole, length);
    memset(changed + length, ' ', 40);
    test_write_file("longer", changed, length + 40);
    assert_false(nfsar_wisdom_load(test_path("longer")));
    learn_something(192);
    assert_true(nfsar_wisdom_save(test_path("cut")));
    assert_true(nfsar_wisdom_load(test_path("cut")));
}

static void foreign_files_are_ignored(void **state) {
    (void)state;
    static char large[3 << 20];
    memset(large, 'x', sizeof large);
    test_write_file("large", large, sizeof large);
    assert_false(nfsar_wisdom_load(test_path("large")));
    large[0] = '\n';
    test_write_file("large", large, sizeof large);
    assert_false(nfsar_wisdom_load(test_path("large")));
    const char other[] = "(fftw-3.3.4 fftwf_wisdom #x0 #x1 #x2 #x3\n)\n";
    test_write_file("other", other, sizeof other - 1);
    assert_false(nfsar_wisdom_load(test_path("other")));
    assert_false(nfsar_wisdom_load(test_folder())); /* a folder */
    assert_false(nfsar_wisdom_load(""));
}

/* The user's cache folder is made when it is not there, and done without when it cannot be. */
static void cache_folder(void **state) {
    (void)state;
    char cache[512], name[600];
    snprintf(cache, sizeof cache, "%s", test_path("new-cache"));
    setenv("XDG_CACHE_HOME", cache, 1);
    forget();
    learn_something(96);
    assert_true(nfsar_wisdom_save(NULL));
    snprintf(name, sizeof name, "%s/nfsar/wisdom", cache);
    assert_int_equal(access(name, R_OK), 0);
    forget();
    assert_true(nfsar_wisdom_load(NULL));
    /* A file where the folder should be: as good as read-only, for root too. */
    test_write_file("no-folder", "", 0);
    setenv("XDG_CACHE_HOME", test_path("no-folder"), 1);
    learn_something(160);
    assert_false(nfsar_wisdom_save(NULL));
    assert_false(nfsar_wisdom_load(NULL));
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("HOME", test_path("home"), 1);
    mkdir(test_path("home"), 0700);
    assert_true(nfsar_wisdom_save(NULL));
    assert_int_equal(access(test_path("home/.cache/nfsar/wisdom"), R_OK), 0);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    learn_something(320);
    assert_false(nfsar_wisdom_save(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_kept),
        cmocka_unit_test(is_added_to),
        cmocka_unit_test(little_work_is_not_measured),
        cmocka_unit_test(damage_is_ignored),
        cmocka_unit_test(foreign_files_are_ignored),
        cmocka_unit_test(cache_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
