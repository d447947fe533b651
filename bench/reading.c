/* Reading beside what the machine needs for the same bytes: read(), memcpy(), write(). Files are in
 * the page cache. Rates count the bytes of the file that is read. */
#include "bench/bench.h"
#include "bench/rig_files.h"
#include "bench/subjects.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nfsar/file.h>
#include <nfsar/import.h>

#include "host/files/pending.h"

/* Read and written in one piece. */
#define BLOCK ((size_t)4 << 20)

struct reading {
    struct rig_files files;
    size_t n_pulse, pulse;      /* complex numbers of a pulse */
    size_t samples;             /* complex numbers in all */
    unsigned char *raw;         /* [files.raw_bytes] */
    float complex *one, *other; /* [samples] */
    int threads;
};

enum lane { DECODE, COPY, IMPORT, READ_RAW, CONVERT, PLAIN_CONVERT, HDF5, READ_HDF5, LANES };

static enum nfsar_status decode(void *context, nfsar_error *error) {
    struct reading *r = context;
    size_t chirp = r->files.raw_bytes / r->files.chirps, line = 4 * r->files.n_sample;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < r->files.chirps; i++) {
        status = nfsar_raw_decode_chirp(NFSAR_RAW_4LANE, false, 4, r->files.n_sample,
                                        r->raw + i * chirp, r->one + i * line, error);
    }
    return status;
}

static enum nfsar_status copy(void *context, nfsar_error *error) {
    struct reading *r = context;
    (void)error;
    memcpy(r->other, r->one, r->samples * sizeof *r->one);
    return NFSAR_OK;
}

/* Plain read() of a whole file, a block after the other, into memory that goes on like a cube's. */
static enum nfsar_status read_plainly(const char *path, unsigned char *to, size_t room,
                                      nfsar_error *error) {
    int file = open(path, O_RDONLY);
    ssize_t got = file >= 0 ? 1 : -1;
    for (size_t at = 0; got > 0 && at < room;) {
        size_t piece = room - at < BLOCK ? room - at : BLOCK;
        got = read(file, to + at, piece);
        at += got > 0 ? (size_t)got : 0;
    }
    if (file >= 0) {
        close(file);
    }
    return got >= 0 ? NFSAR_OK
                    : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
}

static enum nfsar_status read_raw(void *context, nfsar_error *error) {
    struct reading *r = context;
    return read_plainly(pending_path(r->files.raw), r->raw, r->files.raw_bytes, error);
}

static enum nfsar_status read_hdf5_plainly(void *context, nfsar_error *error) {
    struct reading *r = context;
    return read_plainly(pending_path(r->files.capture), (unsigned char *)r->one,
                        r->samples * sizeof *r->one, error);
}

static enum nfsar_status import(void *context, nfsar_error *error) {
    struct reading *r = context;
    nfsar_import *from = NULL;
    size_t step = BLOCK / sizeof *r->one / r->pulse;
    enum nfsar_status status =
        nfsar_import_open(pending_path(r->files.rig), r->files.folder, &from, error);
    step = step > 0 ? step : 1;
    for (size_t p = 0; status == NFSAR_OK && p < r->n_pulse; p += step) {
        size_t n = r->n_pulse - p < step ? r->n_pulse - p : step;
        status = nfsar_import_read(from, p, n, r->one + p * r->pulse, error);
    }
    nfsar_import_close(from);
    return status;
}

static enum nfsar_status convert(void *context, nfsar_error *error) {
    struct reading *r = context;
    nfsar_import *from = NULL;
    enum nfsar_status status =
        nfsar_import_open(pending_path(r->files.rig), r->files.folder, &from, error);
    if (status == NFSAR_OK) {
        status = nfsar_import_run(from, pending_path(r->files.capture), NULL, error);
    }
    nfsar_import_close(from);
    return status;
}

/* Read the raw file, write as many bytes as its samples have, and wait for the disk. */
static enum nfsar_status convert_plainly(void *context, nfsar_error *error) {
    struct reading *r = context;
    const unsigned char *from = (const unsigned char *)r->one;
    const char *path = pending_path(r->files.copy);
    size_t bytes = r->samples * sizeof *r->one;
    enum nfsar_status status = read_raw(context, error);
    int file = open(path, O_WRONLY | O_TRUNC);
    ssize_t put = file >= 0 ? 1 : -1;
    for (size_t at = 0; put > 0 && at < bytes; at += (size_t)put) {
        put = write(file, from + at, bytes - at < BLOCK ? bytes - at : BLOCK);
    }
    bool good = put > 0 && fsync(file) == 0;
    if (status == NFSAR_OK && !good) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    if (file >= 0) {
        close(file);
    }
    return status;
}

static enum nfsar_status read_hdf5(void *context, nfsar_error *error) {
    struct reading *r = context;
    nfsar_capture_file *file = NULL;
    size_t step = BLOCK / sizeof *r->one / r->pulse;
    enum nfsar_status status =
        nfsar_capture_file_open(pending_path(r->files.capture), &file, error);
    step = step > 0 ? step : 1;
    if (status == NFSAR_OK) {
        nfsar_echo_source source = nfsar_capture_file_source(file);
        for (size_t p = 0; status == NFSAR_OK && p < r->n_pulse; p += step) {
            size_t n = r->n_pulse - p < step ? r->n_pulse - p : step;
            status = source.read(source.context, p, n, 0, r->files.n_sample, r->one + p * r->pulse,
                                 error);
        }
    }
    nfsar_capture_file_close(file);
    return status;
}

static size_t add_row(struct bench *bench, const char *name, size_t bytes) {
    struct bench_row row = {
        .threads = 1, .work = 1e-6 * (double)bytes, .unit = "MB", .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.size, sizeof row.size, "%.1f MB", row.work);
    return bench_row_add(bench, &row);
}

static enum nfsar_status race(struct bench *bench, struct reading *r, nfsar_error *error) {
    size_t raw = r->files.raw_bytes, whole = r->samples * sizeof *r->one;
    const struct {
        const char *name;
        enum nfsar_status (*run)(void *context, nfsar_error *error);
        size_t bytes;
    } all[LANES] = {
        [DECODE] = {"int16 to complex float, 4 lanes", decode, raw},
        [COPY] = {"memcpy() of those floats", copy, whole},
        [IMPORT] = {"import to memory", import, raw},
        [READ_RAW] = {"read() of that raw file", read_raw, raw},
        [CONVERT] = {"import to a capture file", convert, raw},
        [PLAIN_CONVERT] = {"plain read(), write(), fsync()", convert_plainly, raw},
        [HDF5] = {"capture file to memory", read_hdf5, whole},
        [READ_HDF5] = {"read() of that file", read_hdf5_plainly, whole},
    };
    struct bench_lane lane[LANES];
    for (size_t i = 0; i < LANES; i++) {
        lane[i] = (struct bench_lane){add_row(bench, all[i].name, all[i].bytes), all[i].run, r};
    }
    enum nfsar_status status = bench_race(bench, lane, LANES, error);
    if (status == NFSAR_OK) {
        const struct bench_goal none = {0};
        bench_ratio_times(bench, "time: int16 to complex float / memcpy()", lane[DECODE].row,
                          lane[COPY].row, none);
        bench_ratio_times(bench, "time: import to memory / read()", lane[IMPORT].row,
                          lane[READ_RAW].row, none);
        bench_ratio_times(bench, "time: import to a file / read(), write(), fsync()",
                          lane[CONVERT].row, lane[PLAIN_CONVERT].row, none);
        bench_ratio_times(bench, "time: capture file to memory / read()", lane[HDF5].row,
                          lane[READ_HDF5].row, none);
    }
    return status;
}

static enum nfsar_status prepare(const struct bench *bench, struct reading *r, nfsar_error *error) {
    enum nfsar_status status = rig_files_make(bench->quick ? 20 : 200, bench->quick ? 4 : 25,
                                              bench->quick ? 64 : 256, &r->files, error);
    if (status != NFSAR_OK) {
        return status;
    }
    r->n_pulse = r->files.chirps / 2;
    r->pulse = 8 * r->files.n_sample;
    r->samples = r->n_pulse * r->pulse;
    r->raw = malloc(r->files.raw_bytes);
    r->one = calloc(r->samples, sizeof *r->one);
    r->other = calloc(r->samples, sizeof *r->other);
    if (r->raw == NULL || r->one == NULL || r->other == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    status = read_raw(r, error);
    return status == NFSAR_OK ? convert(r, error) : status;
}

enum nfsar_status bench_reading(struct bench *bench, nfsar_error *error) {
    struct reading reading = {0};
    enum nfsar_status status = prepare(bench, &reading, error);
    if (status == NFSAR_OK) {
        status = race(bench, &reading, error);
    }
    rig_files_remove(&reading.files);
    free(reading.raw);
    free(reading.one);
    free(reading.other);
    return status;
}
