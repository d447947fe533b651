#include "host/files/hdf5_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESS_LIMIT ((haddr_t)INT64_MAX)
/* HDF5 1.10 sorts free space by the logarithm of its size, and looks up a request for more than
 * half of the largest address behind the end of its table. */
#define REQUEST_LIMIT (ADDRESS_LIMIT / 2)
/* What is given to the disk at a time. */
#define DISK_BYTES ((uint64_t)32 << 20)

/* What HDF5 calls a file; its public part has to come first. */
struct sink_file {
    H5FD_t public;
    struct h5_sink *sink;
    haddr_t allocated; /* end of what HDF5 has given out ("eoa") */
    haddr_t end;       /* end of what was written ("eof") */
};

/* Handed to sink_open() through the access property list. */
struct sink_info {
    struct h5_sink *sink;
};

static H5FD_t *sink_open(const char *name, unsigned flags, hid_t access_list, haddr_t limit) {
    (void)name;
    (void)flags;
    (void)limit;
    const struct sink_info *info = H5Pget_driver_info(access_list);
    struct sink_file *file = info != NULL ? calloc(1, sizeof *file) : NULL;
    if (file == NULL) {
        return NULL;
    }
    file->sink = info->sink;
    return &file->public;
}

static herr_t sink_close(H5FD_t *file) {
    free(file);
    return 0;
}

static herr_t sink_query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t sink_get_allocated(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const struct sink_file *)file)->allocated;
}

static herr_t sink_set_allocated(H5FD_t *file, H5FD_mem_t type, haddr_t address) {
    (void)type;
    ((struct sink_file *)file)->allocated = address;
    return 0;
}

static haddr_t sink_get_end(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const struct sink_file *)file)->end;
}

static bool in_range(haddr_t address, size_t size) {
    return address <= ADDRESS_LIMIT && size <= ADDRESS_LIMIT - address;
}

/* What was never written reads as zero. */
static herr_t sink_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                        void *buffer) {
    (void)type;
    (void)transfer;
    const struct h5_sink *sink = ((const struct sink_file *)file)->sink;
    char *at = buffer;
    if (!in_range(address, size)) {
        return -1;
    }
    while (size > 0) {
        ssize_t n = pread(sink->descriptor, at, size, (off_t)address);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            memset(at, 0, size);
            return n < 0 ? -1 : 0;
        }
        at += n;
        address += (haddr_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static herr_t sink_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address,
                         size_t size, const void *buffer) {
    (void)type;
    (void)transfer;
    struct sink_file *to = (struct sink_file *)file;
    const char *at = buffer;
    if (!in_range(address, size)) {
        return -1;
    }
    if (address + size > to->end) {
        to->end = address + size;
    }
    while (size > 0 && to->sink->failure == 0) {
        ssize_t n = pwrite(to->sink->descriptor, at, size, (off_t)address);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            to->sink->failure = n < 0 ? errno : EIO;
            break;
        }
        at += n;
        address += (haddr_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static herr_t sink_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
    (void)transfer;
    (void)closing;
    struct sink_file *to = (struct sink_file *)file;
    /* Always, as the space that was reserved may be more than what came to be used. */
    if (to->sink->failure == 0 && ftruncate(to->sink->descriptor, (off_t)to->allocated) != 0) {
        to->sink->failure = errno;
    }
    to->end = to->allocated;
    return 0;
}

static const H5FD_class_t sink_class = {
    .name = "nfsar_sink",
    .maxaddr = ADDRESS_LIMIT,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(struct sink_info),
    .open = sink_open,
    .close = sink_close,
    .query = sink_query,
    .get_eoa = sink_get_allocated,
    .set_eoa = sink_set_allocated,
    .get_eof = sink_get_end,
    .read = sink_read,
    .write = sink_write,
    .truncate = sink_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* Registered anew for every file, as the library keeps no global; and until the file is closed:
 * HDF5 1.10 gives up its own hold on a driver before it calls the driver's close(). */
hid_t h5_sink_create_file(struct h5_sink *sink, hid_t access_list) {
    const hid_t driver = H5FDregister(&sink_class);
    if (driver < 0) {
        return driver;
    }
    struct sink_info info = {.sink = sink};
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_driver(access_list, driver, &info) >= 0) {
        file = H5Fcreate("nfsar", H5F_ACC_TRUNC, H5P_DEFAULT, access_list);
    }
    if (file < 0) {
        H5FDunregister(driver);
    } else {
        sink->driver = driver;
    }
    return file;
}

herr_t h5_sink_close_file(struct h5_sink *sink, hid_t file) {
    const herr_t result = H5Fclose(file);
    H5FDunregister(sink->driver);
    sink->driver = 0;
    return result;
}

bool h5_sink_takes(struct h5_sink *sink, hid_t type, const struct h5_shape *shape) {
    size_t elements = 0;
    const size_t size = H5Tget_size(type);
    if (size > 0 && h5_shape_elements(shape, &elements) && elements <= REQUEST_LIMIT / size) {
        return true;
    }
    if (sink->failure == 0) {
        sink->failure = EFBIG;
    }
    return false;
}

int h5_sink_reserve(struct h5_sink *sink, hid_t file) {
    hsize_t size = 0;
    if (sink->failure == 0 && H5Fget_filesize(file, &size) >= 0 && size > 0) {
        int result = 0;
        do {
            result = fallocate(sink->descriptor, 0, 0, (off_t)size);
        } while (result != 0 && errno == EINTR);
        /* Not every file system can reserve; there a full disk shows while writing. */
        if (result != 0 && (errno == ENOSPC || errno == EFBIG || errno == EDQUOT)) {
            sink->failure = errno;
        }
    }
    return sink->failure;
}

void h5_sink_wrote(struct h5_sink *sink, size_t bytes) {
    uint64_t before = atomic_fetch_add(&sink->wrote, bytes);
    if (before / DISK_BYTES != (before + bytes) / DISK_BYTES) {
        /* Only a hint: what goes wrong shows in fsync(). */
        sync_file_range(sink->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
}

void h5_sink_discard(struct h5_sink *sink) {
    if (sink->failure == 0) {
        sink->failure = ECANCELED;
    }
}
