#include "host/files/recording_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int write_all(void *context, int descriptor, const void *bytes, size_t n, uint64_t offset) {
    (void)context;
    const char *at = bytes;
    while (n > 0) {
        ssize_t done = pwrite(descriptor, at, n, (off_t)offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? errno : EIO;
        }
        at += done;
        offset += (uint64_t)done;
        n -= (size_t)done;
    }
    return 0;
}

static int sync_data(void *context, int descriptor) {
    (void)context;
    int result = 0;
    do {
        result = fdatasync(descriptor);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

static void begin(void *context, int descriptor) {
    (void)context;
    sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void forget(void *context, int descriptor, uint64_t offset, uint64_t n) {
    (void)context;
    posix_fadvise(descriptor, (off_t)offset, (off_t)n, POSIX_FADV_DONTNEED);
}

static int free_space(void *context, int descriptor, uint64_t *bytes) {
    (void)context;
    struct statvfs disk;
    if (fstatvfs(descriptor, &disk) != 0) {
        return errno;
    }
    *bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return 0;
}

const struct recording_io recording_io_system = {.write = write_all,
                                                 .sync = sync_data,
                                                 .begin = begin,
                                                 .forget = forget,
                                                 .free_space = free_space};
