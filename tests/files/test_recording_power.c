/* The power is cut: of what was written since the last sync, any part may be on the disk, in any
 * order, page by page and sector by sector; of what was written before, all is. Whenever it
 * happens, the file opens, what it counts is there, and what it counted before the last sync it
 * still counts. */
#include "tests/files/recorded.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files/recording_io.h"
#include "host/files/recording_layout.h"

#define SAMPLES 8
#define PULSES  2500
#define PAGE    4096
#define SECTOR  512
#define CUTS    250

/* Everything that the recorder did, in order; bytes == NULL is a sync. */
struct operation {
    uint8_t *bytes;
    size_t n;
    uint64_t offset;
};

struct journal {
    struct operation *list;
    size_t n, room;
};

static void remember(struct journal *journal, struct operation operation) {
    if (journal->n == journal->room) {
        journal->room = 2 * journal->room + 64;
        journal->list = realloc(journal->list, journal->room * sizeof *journal->list);
    }
    journal->list[journal->n++] = operation;
}

static int journal_write(void *context, int descriptor, const void *bytes, size_t n,
                         uint64_t offset) {
    struct operation operation = {malloc(n), n, offset};
    memcpy(operation.bytes, bytes, n);
    remember(context, operation);
    return recording_io_system.write(NULL, descriptor, bytes, n, offset);
}

static int journal_sync(void *context, int descriptor) {
    (void)descriptor;
    remember(context, (struct operation){0});
    return 0;
}

/* The disk: what is on it for sure, and what each page was at some time since. */
struct version {
    struct version *next; /* older */
    uint8_t bytes[PAGE];
};

struct disk {
    uint8_t *sure;
    size_t size, n_page;
    struct version **since; /* [n_page], newest first */
};

static void read_disk(struct disk *disk, const char *path) {
    struct stat info;
    int descriptor = open(path, O_RDONLY);
    assert_true(descriptor >= 0 && fstat(descriptor, &info) == 0);
    disk->size = (size_t)info.st_size;
    disk->n_page = (disk->size + PAGE - 1) / PAGE;
    disk->sure = calloc(disk->n_page, PAGE);
    disk->since = calloc(disk->n_page, sizeof *disk->since);
    assert_int_equal(pread(descriptor, disk->sure, disk->size, 0), disk->size);
    close(descriptor);
}

static const uint8_t *newest(const struct disk *disk, size_t page) {
    return disk->since[page] != NULL ? disk->since[page]->bytes : disk->sure + page * PAGE;
}

static void disk_write(struct disk *disk, const struct operation *operation) {
    size_t done = 0;
    while (done < operation->n) {
        uint64_t at = operation->offset + done;
        size_t page = at / PAGE, from = at % PAGE;
        size_t n = PAGE - from < operation->n - done ? PAGE - from : operation->n - done;
        struct version *made = malloc(sizeof *made);
        memcpy(made->bytes, newest(disk, page), PAGE);
        memcpy(made->bytes + from, operation->bytes + done, n);
        made->next = disk->since[page];
        disk->since[page] = made;
        done += n;
    }
}

static void disk_sync(struct disk *disk) {
    for (size_t i = 0; i < disk->n_page; i++) {
        memmove(disk->sure + i * PAGE, newest(disk, i), PAGE);
        while (disk->since[i] != NULL) {
            struct version *next = disk->since[i]->next;
            free(disk->since[i]);
            disk->since[i] = next;
        }
    }
}

static const uint8_t *any_version(const struct disk *disk, size_t page, unsigned *seed) {
    size_t n = 1;
    for (const struct version *v = disk->since[page]; v != NULL; v = v->next) {
        n++;
    }
    size_t pick = (size_t)rand_r(seed) % n;
    const struct version *v = disk->since[page];
    for (size_t i = 1; v != NULL && i <= pick; i++) {
        v = v->next;
    }
    return v != NULL ? v->bytes : disk->sure + page * PAGE;
}

/* What may be found after the cut. */
static void cut(const struct disk *disk, const char *path, bool sectors, unsigned *seed) {
    uint8_t *image = malloc(disk->n_page * PAGE);
    memcpy(image, disk->sure, disk->n_page * PAGE);
    for (size_t i = 0; i < disk->n_page; i++) {
        for (size_t j = 0; disk->since[i] != NULL && j < PAGE; j += sectors ? SECTOR : PAGE) {
            memcpy(image + i * PAGE + j, any_version(disk, i, seed) + j, sectors ? SECTOR : PAGE);
        }
    }
    unlink(path);
    int descriptor = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, image, disk->size), disk->size);
    close(descriptor);
    free(image);
}

/* Record all pulses, some at a time between two syncs; where the counts are in the file. */
static uint64_t record(struct journal *journal, struct disk *disk) {
    nfsar_error error;
    struct recording_io io = recording_io_system;
    struct recording *recording = NULL;
    io.context = journal;
    io.write = journal_write;
    io.sync = journal_sync;
    const struct recording_options options = {.sync_ms = 1, .queue_bytes = 20000, .io = &io};
    assert_ok(recorded_begin(test_path("p.h5"), SAMPLES, PULSES, &options, &recording, &error),
              error);
    read_disk(disk, test_path("p.h5.recording"));
    for (size_t p = 0; p < PULSES; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
        if (p % 50 == 0) {
            assert_ok(recording_note(recording, &error, "at %zu", p), error);
            usleep(1000);
        }
    }
    assert_ok(recording_close(recording, &error), error);
    hid_t file = H5Fopen(test_path("p.h5.recording"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, RECORDING_ROWS, H5P_DEFAULT);
    uint64_t offset = H5Dget_offset(dataset);
    H5Dclose(dataset);
    H5Fclose(file);
    /* No dataset shares a page with the counts, nor do these lie across sectors. */
    assert_int_equal(offset % PAGE, 0);
    return offset;
}

static uint64_t count_at(const uint8_t *image, uint64_t offset) {
    uint64_t count = 0;
    memcpy(&count, image + offset, sizeof count);
    return count;
}

static void test_power(void **state) {
    (void)state;
    struct journal journal = {0};
    struct disk disk = {0};
    unsigned seed = 4711;
    const uint64_t counts = record(&journal, &disk);
    size_t cuts = 0, empty = 0, unfinished = 0, behind = 0;
    for (size_t i = 0; i < journal.n; i++) {
        const struct operation *operation = &journal.list[i];
        if (operation->bytes == NULL) {
            disk_sync(&disk);
        } else {
            disk_write(&disk, operation);
        }
        if ((size_t)rand_r(&seed) % journal.n >= CUTS && i + 1 < journal.n) {
            continue;
        }
        nfsar_error error;
        struct recording_summary summary;
        uint64_t sure = count_at(disk.sure, counts);
        uint64_t said = count_at(newest(&disk, counts / PAGE), counts % PAGE);
        cut(&disk, test_path("cut.h5.recording"), cuts % 2 == 0, &seed);
        cuts++;
        assert_ok(recording_inspect(test_path("cut.h5.recording"), &summary, &error), error);
        assert_true(summary.pulses >= sure && summary.pulses <= said);
        unfinished += summary.end == RECORDING_GOES_ON;
        behind += summary.pulses < said;
        if (summary.pulses > 0) {
            assert_int_equal(recorded_check(test_path("cut.h5.recording"), SAMPLES),
                             summary.pulses);
        }
        empty += summary.pulses == 0;
        if (cuts % 20 == 0 && summary.pulses > 0) {
            assert_ok(recording_seal(test_path("cut.h5.recording"), test_path("cut.h5"), NULL, NULL,
                                     &error),
                      error);
            assert_int_equal(recorded_check(test_path("cut.h5"), SAMPLES), summary.pulses);
            /* A block may end between a pulse and the sensor's row that comes after it. */
            const size_t rows = recorded_check_imu(test_path("cut.h5"));
            assert_true(rows == summary.pulses || rows + 1 == summary.pulses);
        }
        recording_summary_free(&summary);
    }
    print_message("%zu operations, %zu cuts: %zu before the first count, %zu lost what was said "
                  "last\n",
                  journal.n, cuts, empty, behind);
    assert_true(cuts > CUTS / 2 && unfinished > CUTS / 4);
    assert_int_equal(recorded_check(test_path("p.h5.recording"), SAMPLES), PULSES);
    disk_sync(&disk);
    for (size_t i = 0; i < journal.n; i++) {
        free(journal.list[i].bytes);
    }
    free(journal.list);
    free(disk.sure);
    free(disk.since);
}

/* Between two counts in the file there is a sync, and one before the first: nothing is promised
 * that is not there. */
static void test_order(void **state) {
    (void)state;
    struct journal journal = {0};
    struct disk disk = {0};
    const uint64_t counts = record(&journal, &disk);
    bool synced = false;
    size_t said = 0;
    for (size_t i = 0; i < journal.n; i++) {
        const struct operation *operation = &journal.list[i];
        if (operation->bytes == NULL) {
            synced = true;
        } else if (operation->offset == counts) {
            assert_true(synced);
            synced = false;
            said++;
            /* And the count itself is made sure at once. */
            assert_true(i + 1 < journal.n && journal.list[i + 1].bytes == NULL);
        }
    }
    assert_true(said > 2);
    for (size_t i = 0; i < journal.n; i++) {
        free(journal.list[i].bytes);
    }
    free(journal.list);
    free(disk.sure);
    free(disk.since);
}

static int remove_last(void **state) {
    (void)state;
    unlink(test_path("p.h5.recording"));
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_power, remove_last),
                                       cmocka_unit_test_setup(test_order, remove_last)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
