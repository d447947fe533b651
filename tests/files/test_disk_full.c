/* A disk that is full: one line that says so, no file left, and a process that ends well.
 *
 * On a file system of 256 KiB in a mount namespace of our own. */
#include "tests/files/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/files/hdf5_sink.h"

#define DISK_BYTES (256 << 10)

static char disk[512];

static const char *on_disk(const char *name) {
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", disk, name);
    return path;
}

static int files_on_disk(void) {
    char command[600], line[32] = "";
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", disk);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof line, pipe));
    pclose(pipe);
    return atoi(line);
}

/* Fill the disk but for so many bytes. */
static void leave_room(size_t bytes) {
    static const char zeros[4096];
    int filler = open(on_disk("filler"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(filler >= 0);
    for (size_t i = bytes; i + sizeof zeros <= DISK_BYTES; i += sizeof zeros) {
        if (write(filler, zeros, sizeof zeros) != (ssize_t)sizeof zeros) {
            break;
        }
    }
    close(filler);
}

static void remove_filler(void) {
    unlink(on_disk("filler"));
    assert_int_equal(files_on_disk(), 0);
}

/* Known before the first sample is written. */
static void test_too_large(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_capture capture = sample_capture(1000, 20);
    nfsar_capture_writer *writer = NULL;
    assert_int_equal(nfsar_capture_writer_create(on_disk("big.h5"), &capture, &writer, &error),
                     NFSAR_ERROR_FILE);
    assert_null(writer);
    assert_contains(error.message, "big.h5: cannot be written: No space left on device");
    assert_int_equal(files_on_disk(), 0);
    nfsar_capture_free(&capture);

    nfsar_image image;
    const nfsar_grid grid = {{0, 1e-3, 64}, {0, 1e-3, 64}, {0.3, 1e-3, 10}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    assert_int_equal(nfsar_image_save(on_disk("big.h5"), &image, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "big.h5: cannot be written: No space left on device");
    assert_int_equal(files_on_disk(), 0);
    nfsar_image_free(&image);
}

/* The disk fills while the file is being written: what was reserved is there, and the rest (a few
 * structures at the end) either still fits or is missed. */
static void test_fills_meanwhile(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_capture capture = sample_capture(100, 20), read;
    nfsar_capture_writer *writer = NULL;
    assert_ok(nfsar_capture_writer_create(on_disk("c.h5"), &capture, &writer, &error), error);
    leave_room(0);
    assert_ok(nfsar_capture_writer_write(writer, 0, 100, capture.echo, &error), error);
    enum nfsar_status status = nfsar_capture_writer_commit(writer, &error);
    if (status == NFSAR_OK) {
        assert_ok(nfsar_capture_load(on_disk("c.h5"), &read, &error), error);
        assert_memory_equal(read.echo, capture.echo, sizeof(float complex[100 * 6 * 20]));
        nfsar_capture_free(&read);
        unlink(on_disk("c.h5"));
    } else {
        assert_int_equal(status, NFSAR_ERROR_FILE);
        assert_contains(error.message, "No space left on device");
    }
    remove_filler();
    nfsar_capture_free(&capture);
}

/* With every amount of room, page by page, a capture is either whole or not there. */
static void test_every_size(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_capture capture = sample_capture(100, 10), read;
    int saved = 0, refused = 0;
    for (size_t room = 0; room <= (96 << 10); room += 4096) {
        leave_room(room);
        enum nfsar_status status = nfsar_capture_save(on_disk("c.h5"), &capture, &error);
        if (status == NFSAR_OK) {
            assert_ok(nfsar_capture_load(on_disk("c.h5"), &read, &error), error);
            nfsar_capture_free(&read);
            unlink(on_disk("c.h5"));
            saved++;
        } else {
            assert_int_equal(status, NFSAR_ERROR_FILE);
            assert_contains(error.message, "No space left on device");
            refused++;
        }
        remove_filler();
    }
    print_message("%d saved, %d refused\n", saved, refused);
    assert_true(saved > 0 && refused > 0);
    nfsar_capture_free(&capture);
}

/* Nothing reserved: HDF5 itself meets the end of the disk, and can still close everything. */
static void test_sink(void **state) {
    (void)state;
    struct h5_sink sink = {.descriptor = open(on_disk("raw.h5"), O_CREAT | O_RDWR, 0600)};
    static const double zeros[4096];
    assert_true(sink.descriptor >= 0);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = h5_sink_create_file(&sink, access);
    assert_true(file >= 0);
    for (int i = 0; i < 20; i++) {
        char name[16];
        const hsize_t extent[] = {4096};
        hid_t space = H5Screate_simple(1, extent, NULL);
        snprintf(name, sizeof name, "d%d", i);
        hid_t data =
            H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(data >= 0);
        assert_true(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0);
        assert_true(H5Dclose(data) >= 0);
        H5Sclose(space);
    }
    assert_int_equal(sink.failure, ENOSPC);
    assert_true(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    H5Pclose(access);
    close(sink.descriptor);
    unlink(on_disk("raw.h5"));
    assert_int_equal(files_on_disk(), 0);
}

/* The shell's `ulimit -f` shows as another error. */
static void test_file_size_limit(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_capture capture = sample_capture(100, 20);
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 32 << 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum nfsar_status status = nfsar_capture_save(on_disk("c.h5"), &capture, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, NFSAR_ERROR_FILE);
    assert_contains(error.message, "cannot be written: File too large");
    assert_int_equal(files_on_disk(), 0);
    nfsar_capture_free(&capture);
}

/* The command: one line, exit status 1, nothing left. */
static void test_command_line(void **state) {
    (void)state;
    char output[4096];
    const char *source = getenv("NFSAR_SOURCE");
    assert_non_null(source);
    int status = test_command(output, sizeof output,
                              "simulate --quiet '%s/docs/examples/scene-points.yaml' -o '%s'",
                              source, on_disk("s.h5"));
    assert_int_equal(status, 1);
    assert_contains(output, "s.h5: cannot be written: No space left on device");
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(files_on_disk(), 0);
}

/* In a namespace of our own the mount goes with the process, however that ends. */
static bool mount_disk(void) {
    snprintf(disk, sizeof disk, "%s/disk", test_folder());
    return mkdir(disk, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", disk, "tmpfs", 0, "size=256k") == 0;
}

int main(void) {
    if (!mount_disk()) {
        fprintf(stderr, "skipped: a small file system cannot be mounted here (%s); run as root\n",
                strerror(errno));
        return TEST_SKIPPED;
    }
    signal(SIGXFSZ, SIG_IGN);
    alarm(100); /* a hang is a failure */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_large),       cmocka_unit_test(test_fills_meanwhile),
        cmocka_unit_test(test_every_size),      cmocka_unit_test(test_sink),
        cmocka_unit_test(test_file_size_limit), cmocka_unit_test(test_command_line),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    umount(disk);
    return failed;
}
