/* Recordings that are damaged or lie: an error that names the file, or data; never a crash, and
 * never more memory than the file is large. */
#include "tests/files/recorded.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files/recording_layout.h"

#define SAMPLES  8
#define PULSES   40
#define VARIANTS 300

struct bytes {
    uint8_t *at;
    size_t size;
};

static struct bytes read_file(const char *path) {
    struct bytes bytes = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    bytes.size = (size_t)ftell(file);
    rewind(file);
    bytes.at = malloc(bytes.size);
    assert_int_equal(fread(bytes.at, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

static struct bytes make(void) {
    nfsar_error error;
    struct recording *recording = NULL;
    assert_ok(recorded_begin(test_path("good.h5"), SAMPLES, 60, NULL, &recording, &error), error);
    for (size_t p = 0; p < PULSES; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
    }
    assert_ok(recording_note(recording, &error, "a line"), error);
    assert_ok(recording_close(recording, &error), error);
    return read_file(test_path("good.h5.recording"));
}

static uint64_t place_of(const char *dataset) {
    hid_t file = H5Fopen(test_path("good.h5.recording"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t opened = H5Dopen2(file, dataset, H5P_DEFAULT);
    uint64_t offset = H5Dget_offset(opened);
    H5Dclose(opened);
    H5Fclose(file);
    return offset;
}

static void write_anew(struct bytes bytes, size_t size) {
    unlink(test_path("bad.h5.recording"));
    test_write_file("bad.h5.recording", bytes.at, size);
}

static void expect_message(enum nfsar_status status, const nfsar_error *error) {
    assert_true(status == NFSAR_ERROR_FORMAT || status == NFSAR_ERROR_VERSION ||
                status == NFSAR_ERROR_FILE || status == NFSAR_ERROR_ARGUMENT);
    assert_contains(error->message, "bad.h5");
}

/* Whatever looks into such a file; whether it was found good. Sealing waits for the disk. */
static bool try_all(bool seal) {
    nfsar_error error = {0};
    struct recording_summary summary;
    nfsar_capture capture;
    const char *name = test_path("bad.h5.recording");
    enum nfsar_status status = recording_inspect(name, &summary, &error);
    if (status == NFSAR_OK) {
        recording_summary_free(&summary);
    } else {
        expect_message(status, &error);
    }
    status = nfsar_capture_load(name, &capture, &error);
    if (status == NFSAR_OK) {
        assert_int_equal(nfsar_capture_check(&capture, &error), NFSAR_OK);
        assert_true(capture.n_pulse <= 60);
        nfsar_capture_free(&capture);
    } else {
        expect_message(status, &error);
    }
    const bool loaded = status == NFSAR_OK;
    if (loaded && !seal) {
        return true;
    }
    status = recording_seal(name, test_path("bad.h5"), NULL, NULL, &error);
    if (status == NFSAR_OK) {
        assert_ok(nfsar_capture_load(test_path("bad.h5"), &capture, &error), error);
        nfsar_capture_free(&capture);
        unlink(test_path("bad.h5"));
    } else {
        expect_message(status, &error);
        assert_int_equal(access(test_path("bad.h5"), F_OK), -1);
        assert_int_equal(access(name, F_OK), 0);
    }
    assert_int_equal(test_count_files(".part-"), 0);
    assert_true(loaded || status != NFSAR_OK);
    return loaded;
}

static void test_truncated(void **state) {
    (void)state;
    struct bytes bytes = make();
    unsigned seed = 1;
    for (int i = 0; i < VARIANTS / 3; i++) {
        size_t size = i < 10 ? (size_t)i * 100 : (size_t)rand_r(&seed) % bytes.size;
        write_anew(bytes, size);
        assert_false(try_all(true));
    }
    free(bytes.at);
}

static void test_flipped(void **state) {
    (void)state;
    struct bytes bytes = make();
    const size_t samples = place_of("/echo/data");
    unsigned seed = 2;
    int good = 0;
    for (int i = 0; i < VARIANTS; i++) {
        struct bytes bad = {malloc(bytes.size), bytes.size};
        memcpy(bad.at, bytes.at, bytes.size);
        /* Half of them in what is said of the samples, the rest anywhere. */
        int n = 1 + (int)((unsigned)rand_r(&seed) % 8);
        for (int j = 0; j < n; j++) {
            size_t at = 0;
            do {
                at = (size_t)rand_r(&seed) % (i % 2 == 0 ? samples : bytes.size);
            } while (i % 2 == 0 && bytes.at[at] == 0);
            bad.at[at] ^= (uint8_t)(1 + rand_r(&seed) % 255);
        }
        write_anew(bad, bad.size);
        good += try_all(i % 4 == 0 || i % 4 == 3);
        free(bad.at);
    }
    print_message("%d of %d changed files were read\n", good, VARIANTS);
    assert_true(good > 0 && good < VARIANTS);
    free(bytes.at);
}

/* ---- lies in what may change ---------------------------------------------------------------- */

static void expect_open(const char *part) {
    nfsar_error error = {0};
    nfsar_capture capture;
    assert_int_not_equal(nfsar_capture_load(test_path("bad.h5.recording"), &capture, &error),
                         NFSAR_OK);
    assert_contains(error.message, part);
    assert_false(try_all(true));
}

static void test_lies(void **state) {
    (void)state;
    struct bytes bytes = make();
    const size_t rows = place_of(RECORDING_ROWS), log = place_of(RECORDING_LOG);
    const size_t flags = place_of("/echo/flags"), times = place_of("/echo/time_s");
    const uint64_t many[] = {61, UINT64_MAX, UINT64_C(1) << 40, 0};
    const char *const said[] = {"counts 61 pulses, but has room for 60", "is no number of rows",
                                "counts 1099511627776 pulses", "without a single pulse"};
    const uint64_t good = PULSES;
    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes.at + rows, &many[i], sizeof many[i]);
        write_anew(bytes, bytes.size);
        expect_open(said[i]);
    }
    memcpy(bytes.at + rows, &good, sizeof good);
    /* As many sensor rows as there is no room for. */
    memcpy(bytes.at + rows + 16, &many[2], sizeof many[2]);
    write_anew(bytes, bytes.size);
    nfsar_error error;
    assert_int_equal(
        recording_seal(test_path("bad.h5.recording"), test_path("bad.h5"), NULL, NULL, &error),
        NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "not the 1099511627776 that are counted");
    memcpy(bytes.at + rows + 16, &good, sizeof good);

    /* Times that go back, or are none. */
    double time = -1.0;
    memcpy(bytes.at + times + 8 * 5, &time, sizeof time);
    write_anew(bytes, bytes.size);
    expect_open("/echo/time_s[5] = -1 is before its predecessor");
    time = recorded_time(5);
    memcpy(bytes.at + times + 8 * 5, &time, sizeof time);
    /* Flags that nobody gave; a log of anything. */
    memset(bytes.at + flags, 0xff, PULSES);
    memset(bytes.at + log, 0x1b, RECORDING_LOG_BYTES);
    write_anew(bytes, bytes.size);
    struct recording_summary summary;
    assert_ok(recording_inspect(test_path("bad.h5.recording"), &summary, &error), error);
    assert_int_equal(summary.n_log, 1);
    assert_null(strchr(summary.log[0], 0x1b));
    recording_summary_free(&summary);
    assert_true(try_all(true));
    free(bytes.at);
}

/* A sparse file may claim to be huge: what is not counted takes no memory. */
static void test_huge(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    struct stat info;
    const uint64_t pulses = UINT64_C(1) << 33;
    const char *name = test_path("huge.h5.recording");
    if (recorded_begin(test_path("huge.h5"), SAMPLES, pulses, NULL, &recording, &error) !=
        NFSAR_OK) {
        print_message("SKIPPED: no sparse files of terabytes here: %s\n", error.message);
        skip();
    }
    for (size_t p = 0; p < 10; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
    }
    assert_ok(recording_close(recording, &error), error);
    assert_int_equal(stat(name, &info), 0);
    assert_true((uint64_t)info.st_size > pulses * 192 && info.st_blocks * 512 < (1 << 20));
    assert_int_equal(recorded_check(name, SAMPLES), 10);
    assert_ok(recording_seal(name, test_path("huge.h5"), NULL, NULL, &error), error);
    assert_int_equal(stat(test_path("huge.h5"), &info), 0);
    assert_true(info.st_size < (1 << 20));
    assert_int_equal(recorded_check(test_path("huge.h5"), SAMPLES), 10);
    /* And more than any file system has is said to be that. */
    assert_int_equal(
        recorded_begin(test_path("huger.h5"), SAMPLES, UINT64_C(1) << 55, NULL, &recording, &error),
        NFSAR_ERROR_FILE);
    assert_contains(error.message, "with room for 36028797018963968 pulses, ");
    assert_contains(error.message, "File too large");
    assert_int_equal(test_count_files("huger.h5"), 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    print_message("at most %ld MiB of memory\n", usage.ru_maxrss / 1024);
}

static int remove_good(void **state) {
    (void)state;
    unlink(test_path("good.h5.recording"));
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_truncated, remove_good),
        cmocka_unit_test_setup(test_flipped, remove_good),
        cmocka_unit_test_setup(test_lies, remove_good),
        cmocka_unit_test_setup(test_huge, remove_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
