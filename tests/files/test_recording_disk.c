/* Disks that are full, slow, broken or read-only: the error says what and what to do, and the rows
 * before it can be sealed. */
#include "tests/files/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/files/recording_io.h"

#define SAMPLES     8
#define PULSE_BYTES (2 * 2 * RECORDED_CHANNELS * SAMPLES)

/* A disk with so much room: what has its place already can be written again. */
struct tight {
    _Atomic uint64_t room;
    _Atomic int syncs_left;    /* then they fail with EIO; below 0: never */
    _Atomic uint64_t free_now; /* what it says it has */
};

static bool has_its_place(int descriptor, uint64_t offset) {
    return lseek(descriptor, (off_t)offset, SEEK_DATA) == (off_t)offset;
}

static int tight_write(void *context, int descriptor, const void *bytes, size_t n,
                       uint64_t offset) {
    struct tight *disk = context;
    int failure = 0;
    if (!has_its_place(descriptor, offset) || n > 64) {
        if (atomic_load(&disk->room) < n) {
            n = atomic_load(&disk->room); /* as much as fits is written */
            failure = ENOSPC;
        }
        atomic_fetch_sub(&disk->room, n);
    }
    int result = recording_io_system.write(NULL, descriptor, bytes, n, offset);
    return failure != 0 ? failure : result;
}

static int tight_sync(void *context, int descriptor) {
    struct tight *disk = context;
    (void)descriptor;
    if (atomic_load(&disk->syncs_left) < 0) {
        return 0;
    }
    return atomic_fetch_sub(&disk->syncs_left, 1) > 0 ? 0 : EIO;
}

static int tight_free_space(void *context, int descriptor, uint64_t *bytes) {
    struct tight *disk = context;
    (void)descriptor;
    *bytes = atomic_load(&disk->free_now);
    return 0;
}

static struct recording_io tight_io(struct tight *disk) {
    return (struct recording_io){.context = disk,
                                 .write = tight_write,
                                 .sync = tight_sync,
                                 .begin = recording_io_system.begin,
                                 .free_space = tight_free_space};
}

/* Record until it fails, n pulses at most; what was said. */
static enum nfsar_status record(const char *path, size_t n, const struct recording_options *options,
                                nfsar_error *error) {
    struct recording *recording = NULL;
    nfsar_error again;
    enum nfsar_status status = recorded_begin(path, SAMPLES, n, options, &recording, error);
    if (status != NFSAR_OK) {
        return status;
    }
    for (size_t p = 0; status == NFSAR_OK && p < n; p++) {
        status = recorded_append(recording, SAMPLES, p, error);
    }
    enum nfsar_status closed = recording_close(recording, &again);
    if (status == NFSAR_OK && closed != NFSAR_OK) {
        *error = again;
    }
    /* What failed while it was recorded is said again when it is closed. */
    assert_true(status != NFSAR_ERROR_FILE || closed == NFSAR_ERROR_FILE);
    return status == NFSAR_OK ? closed : status;
}

/* With every amount of room: what fitted is there, and sealed. */
static void test_full(void **state) {
    (void)state;
    size_t most = 0;
    for (uint64_t room = 0; room <= 300000; room += 7919) {
        nfsar_error error;
        struct recording_summary summary;
        struct tight disk = {.room = room, .syncs_left = -1, .free_now = UINT64_MAX};
        const struct recording_io io = tight_io(&disk);
        const struct recording_options options = {.sync_ms = 2, .queue_bytes = 8000, .io = &io};
        const char *name = test_path("full.h5.recording");
        assert_int_equal(record(test_path("full.h5"), 2000, &options, &error), NFSAR_ERROR_FILE);
        assert_contains(error.message, "full.h5.recording: the disk is full");
        assert_contains(error.message, "make room, then `nfsar repair ");
        assert_ok(recording_inspect(name, &summary, &error), error);
        assert_int_equal(summary.end, RECORDING_FAILED);
        assert_int_equal(summary.n_log, 1);
        assert_string_equal(summary.log[0], "writing failed: No space left on device");
        assert_true(summary.pulses * PULSE_BYTES <= room);
        if (summary.pulses > 0) {
            assert_ok(recording_seal(name, test_path("full.h5"), NULL, NULL, &error), error);
            assert_int_equal(recorded_check(test_path("full.h5"), SAMPLES), summary.pulses);
        }
        most = summary.pulses > most ? summary.pulses : most;
        recording_summary_free(&summary);
        unlink(name);
    }
    print_message("at most %zu pulses fitted\n", most);
    assert_true(most > 200);
}

/* What is to stay free does, whatever the disk would take. */
static void test_reserve(void **state) {
    (void)state;
    nfsar_error error;
    struct recording_summary summary;
    struct recording *recording = NULL;
    struct tight disk = {.room = UINT64_MAX / 2, .syncs_left = -1, .free_now = 999999};
    const struct recording_io io = tight_io(&disk);
    const struct recording_options options = {
        .sync_ms = 1, .queue_bytes = 8000, .reserve_bytes = 1000000, .io = &io};
    assert_int_equal(record(test_path("reserve.h5"), 10, &options, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "reserve.h5.recording: only 1.0 MB of the disk are free");
    assert_int_equal(test_count_files("reserve.h5"), 0);

    atomic_store(&disk.free_now, 2000000);
    assert_ok(
        recorded_begin(test_path("reserve.h5"), SAMPLES, 100000, &options, &recording, &error),
        error);
    enum nfsar_status status = NFSAR_OK;
    for (size_t p = 0; status == NFSAR_OK && p < 100000; p++) {
        status = recorded_append(recording, SAMPLES, p, &error);
        atomic_store(&disk.free_now, p < 1000 ? 2000000 : 999999);
    }
    assert_int_equal(status, NFSAR_ERROR_FILE);
    assert_contains(error.message, "reserve.h5.recording: the disk is full (1.0 MB are left)");
    assert_int_equal(recording_close(recording, &error), NFSAR_ERROR_FILE);
    assert_ok(recording_inspect(test_path("reserve.h5.recording"), &summary, &error), error);
    assert_string_equal(summary.log[0], "writing failed: the disk is full");
    assert_true(summary.pulses > 900);
    assert_int_equal(recorded_check(test_path("reserve.h5.recording"), SAMPLES), summary.pulses);
    recording_summary_free(&summary);
}

/* A disk that loses what it was given: what it confirmed before counts, nothing else. */
static void test_sync_fails(void **state) {
    (void)state;
    for (int syncs = 0; syncs < 6; syncs++) {
        nfsar_error error;
        struct recording_summary summary;
        struct tight disk = {.room = UINT64_MAX / 2, .syncs_left = syncs, .free_now = UINT64_MAX};
        const struct recording_io io = tight_io(&disk);
        const struct recording_options options = {.sync_ms = 1, .queue_bytes = 8000, .io = &io};
        assert_int_equal(record(test_path("eio.h5"), 100000, &options, &error), NFSAR_ERROR_FILE);
        assert_contains(error.message, "eio.h5.recording: cannot be written: Input/output error");
        assert_ok(recording_inspect(test_path("eio.h5.recording"), &summary, &error), error);
        assert_int_equal(summary.end, RECORDING_FAILED);
        /* Rows are counted after a sync, and that again is synced. */
        assert_true((summary.pulses > 0) == (syncs >= 1));
        if (summary.pulses > 0) {
            assert_int_equal(recorded_check(test_path("eio.h5.recording"), SAMPLES),
                             summary.pulses);
        }
        recording_summary_free(&summary);
        unlink(test_path("eio.h5.recording"));
    }
}

/* ---- slow ----------------------------------------------------------------------------------- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

static int gate_write(void *context, int descriptor, const void *bytes, size_t n, uint64_t offset) {
    struct gate *gate = context;
    pthread_mutex_lock(&gate->lock);
    while (!gate->open) {
        pthread_cond_wait(&gate->opened, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
    return recording_io_system.write(NULL, descriptor, bytes, n, offset);
}

static void set_gate(struct gate *gate, bool open) {
    pthread_mutex_lock(&gate->lock);
    gate->open = open;
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

/* A disk that stands still: the queue takes what it may, then says so, and loses nothing. */
static void test_slow(void **state) {
    (void)state;
    nfsar_error error;
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct recording_io io = recording_io_system;
    struct recording *recording = NULL;
    struct recording_counters counters;
    io.context = &gate;
    io.write = gate_write;
    const size_t room = 20 * (PULSE_BYTES + 100);
    const struct recording_options options = {.queue_bytes = room, .wait_ms = 20, .io = &io};
    assert_ok(recorded_begin(test_path("slow.h5"), SAMPLES, 1000, &options, &recording, &error),
              error);
    size_t n = 0;
    int16_t words[2 * RECORDED_CHANNELS * SAMPLES];
    enum nfsar_status status = NFSAR_OK;
    while (status == NFSAR_OK && n < 1000) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            words[i] = recorded_word(n, i);
        }
        status =
            recording_append_pulse(recording, words, recorded_time(n), recorded_flags(n), &error);
        n += status == NFSAR_OK;
    }
    assert_int_equal(status, NFSAR_ERROR_FILE);
    assert_contains(error.message,
                    "slow.h5.recording: the disk is too slow: no row could be handed "
                    "over for 0.02 s");
    assert_int_equal(n, room / (PULSE_BYTES + 9));
    assert_int_equal(recording_rows(recording, 0), n);
    recording_counters(recording, &counters);
    assert_int_equal(counters.waits, 1);
    assert_true(counters.waited_ns >= 20000000);
    assert_int_equal(counters.queue_worst, n * (PULSE_BYTES + 9));
    set_gate(&gate, true);
    /* It goes on where it was. */
    for (int i = 0; i < 1000 && status != NFSAR_OK; i++) {
        status =
            recording_append_pulse(recording, words, recorded_time(n), recorded_flags(n), &error);
    }
    assert_int_equal(status, NFSAR_OK);
    assert_ok(recording_close(recording, &error), error);
    assert_int_equal(recorded_check(test_path("slow.h5.recording"), SAMPLES), n + 1);
}

/* A row larger than the whole queue goes through, one at a time. */
static void test_large_rows(void **state) {
    (void)state;
    nfsar_error error;
    const struct recording_options options = {.queue_bytes = 1, .sync_ms = 1};
    assert_int_equal(record(test_path("large.h5"), 200, &options, &error), NFSAR_OK);
    assert_int_equal(recorded_check(test_path("large.h5.recording"), SAMPLES), 200);
}

/* ---- real disks ----------------------------------------------------------------------------- */

/* In a namespace of our own the mount goes with the process, however that ends. */
static int mount_disk(void **state) {
    static char disk[512];
    snprintf(disk, sizeof disk, "%s/disk", test_folder());
    *state = disk;
    return 0;
}

static bool may_mount(const char *disk) {
    return (mkdir(disk, 0700) == 0 || errno == EEXIST) && unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", disk, "tmpfs", 0, "size=512k") == 0;
}

static void test_real_disk(void **state) {
    const char *disk = *state;
    nfsar_error error;
    struct recording_summary summary;
    char path[600], name[620], output[2000];
    if (!may_mount(disk)) {
        print_message("SKIPPED: no file system may be mounted here: %s\n", strerror(errno));
        skip();
    }
    snprintf(path, sizeof path, "%s/c.h5", disk);
    snprintf(name, sizeof name, "%s.recording", path);
    const struct recording_options options = {
        .sync_ms = 2, .queue_bytes = 64 << 10, .reserve_bytes = 1};
    assert_int_equal(record(path, 100000, &options, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "c.h5.recording: the disk is full");
    assert_ok(recording_inspect(name, &summary, &error), error);
    assert_int_equal(summary.end, RECORDING_FAILED);
    /* The disk is smaller by what describes the recording. */
    assert_true(summary.pulses > 300 && summary.pulses < (512 << 10) / PULSE_BYTES);
    print_message("%llu pulses on a disk of 512 KiB\n", (unsigned long long)summary.pulses);
    /* There is no room for the capture either: that is said, and nothing is lost. */
    assert_int_equal(test_command(output, sizeof output, "repair %s", name), 1);
    assert_contains(output, "c.h5: ");
    assert_contains(output, "No space left on device");
    assert_int_equal(recorded_check(name, SAMPLES), summary.pulses);
    /* The way out that is named. */
    assert_int_equal(
        test_command(output, sizeof output, "repair %s -o %s", name, test_path("room.h5")), 0);
    assert_contains(output, "ended when writing failed");
    assert_int_equal(recorded_check(test_path("room.h5"), SAMPLES), summary.pulses);
    recording_summary_free(&summary);

    /* Read-only: nothing begins there, and what is there can be sealed elsewhere. */
    const struct recording_options few = {.reserve_bytes = 1};
    assert_int_equal(record(path, 100, &few, &error), NFSAR_OK);
    assert_int_equal(mount("none", disk, "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
    char other[620];
    snprintf(other, sizeof other, "%s/d.h5", disk);
    assert_int_equal(record(other, 100, &few, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "d.h5: cannot be written here: Read-only file system");
    assert_int_equal(test_command(output, sizeof output, "repair --keep %s -o %s", name,
                                  test_path("elsewhere.h5")),
                     0);
    assert_int_equal(recorded_check(test_path("elsewhere.h5"), SAMPLES), 100);
    assert_int_equal(
        test_command(output, sizeof output, "repair %s -o %s", name, test_path("again.h5")), 1);
    assert_contains(output, "is sealed, but cannot be removed: Read-only file system");
    umount2(disk, MNT_DETACH);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),       cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_sync_fails), cmocka_unit_test(test_slow),
        cmocka_unit_test(test_large_rows), cmocka_unit_test_setup(test_real_disk, mount_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
