/* Reading beside what the machine needs for the same bytes: read(), memcpy(), write(). Files are in
 * the page cache. Rates count the bytes of the file that is read. */
#include "bench/bench.h"
#include "bench/rig_files.h"
#include "bench/subjects.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <omp.h>
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
};

/* What is read in some way, on some threads. */
struct way {
    struct reading *reading;
    enum nfsar_status (*run)(struct reading *reading, nfsar_error *error);
    int threads;
};

static enum nfsar_status run_way(void *context, nfsar_error *error) {
    const struct way *way = context;
    omp_set_num_threads(way->threads);
    return way->run(way->reading, error);
}

static enum nfsar_status decode(struct reading *r, nfsar_error *error) {
    size_t chirp = r->files.raw_bytes / r->files.chirps, line = 4 * r->files.n_sample;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < r->files.chirps; i++) {
        status = nfsar_raw_decode_chirp(NFSAR_RAW_4LANE, false, 4, r->files.n_sample,
                                        r->raw + i * chirp, r->one + i * line, error);
    }
    return status;
}

static enum nfsar_status copy(struct reading *r, nfsar_error *error) {
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

static enum nfsar_status read_raw(struct reading *r, nfsar_error *error) {
    return read_plainly(pending_path(r->files.raw), r->raw, r->files.raw_bytes, error);
}

static enum nfsar_status read_hdf5_plainly(struct reading *r, nfsar_error *error) {
    return read_plainly(pending_path(r->files.capture), (unsigned char *)r->one,
                        r->samples * sizeof *r->one, error);
}

static enum nfsar_status import(struct reading *r, nfsar_error *error) {
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

static enum nfsar_status convert_to(struct reading *r, const char *path, nfsar_error *error) {
    nfsar_import *from = NULL;
    enum nfsar_status status =
        nfsar_import_open(pending_path(r->files.rig), r->files.folder, &from, error);
    if (status == NFSAR_OK) {
        status = nfsar_import_run(from, path, NULL, error);
    }
    nfsar_import_close(from);
    return status;
}

static enum nfsar_status convert(struct reading *r, nfsar_error *error) {
    return convert_to(r, pending_path(r->files.written), error);
}

/* Read the raw file, write as many bytes as its samples have, and wait for the disk. */
static enum nfsar_status convert_plainly(struct reading *r, nfsar_error *error) {
    const unsigned char *from = (const unsigned char *)r->one;
    const char *path = pending_path(r->files.copy);
    size_t bytes = r->samples * sizeof *r->one;
    enum nfsar_status status = read_raw(r, error);
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

static enum nfsar_status read_hdf5(struct reading *r, nfsar_error *error) {
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

/* Every way of reading, each after the plain one that it is compared with. */
enum kind { COPY, DECODE, READ_RAW, IMPORT, PLAIN_CONVERT, CONVERT, READ_HDF5, HDF5, KINDS };

static const struct {
    const char *name;
    enum nfsar_status (*run)(struct reading *reading, nfsar_error *error);
    bool whole;        /* counts the bytes of the complex samples, not of the raw file */
    bool threaded;     /* may use several threads */
    const char *ratio; /* of its time and that of the kind before; NULL: none */
} kinds[KINDS] = {
    [COPY] = {"memcpy() of those floats", copy, true, false, NULL},
    [DECODE] = {"int16 to complex float, 4 lanes", decode, false, false,
                "int16 to complex float / memcpy()"},
    [READ_RAW] = {"read() of that raw file", read_raw, false, false, NULL},
    [IMPORT] = {"import to memory", import, false, true, "import to memory / read()"},
    [PLAIN_CONVERT] = {"plain read(), write(), fsync()", convert_plainly, false, false, NULL},
    [CONVERT] = {"import to a capture file", convert, false, true,
                 "import to a file / read(), write(), fsync()"},
    [READ_HDF5] = {"read() of that file", read_hdf5_plainly, true, false, NULL},
    [HDF5] = {"capture file to memory", read_hdf5, true, true, "capture file to memory / read()"},
};

static size_t add_row(struct bench *bench, const struct reading *r, enum kind kind, int threads) {
    size_t bytes = kinds[kind].whole ? r->samples * sizeof *r->one : r->files.raw_bytes;
    struct bench_row row = {
        .threads = threads, .work = 1e-6 * (double)bytes, .unit = "MB", .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%s", kinds[kind].name);
    snprintf(row.size, sizeof row.size, "%.1f MB", row.work);
    return bench_row_add(bench, &row);
}

static void add_ratio(struct bench *bench, const char *name, int threads, size_t of, size_t to) {
    char text[80];
    snprintf(text, sizeof text, "time, %d thread%s: %s", threads, threads > 1 ? "s" : "", name);
    bench_ratio_times(bench, text, of, to, (struct bench_goal){0});
}

static enum nfsar_status race(struct bench *bench, struct reading *r, nfsar_error *error) {
    struct bench_lane lane[2 * KINDS];
    struct way way[2 * KINDS];
    enum kind kind[2 * KINDS];
    int threads[2];
    size_t counts = bench_thread_counts(bench, threads), n = 0;
    for (enum kind k = 0; k < KINDS; k++) {
        for (size_t t = 0; t < (kinds[k].threaded ? counts : 1); t++, n++) {
            kind[n] = k;
            way[n] = (struct way){r, kinds[k].run, threads[t]};
            lane[n] = (struct bench_lane){add_row(bench, r, k, threads[t]), run_way, &way[n]};
        }
    }
    int before = omp_get_max_threads();
    enum nfsar_status status = bench_race(bench, lane, n, error);
    omp_set_num_threads(before);
    for (size_t i = 0, plain = 0; status == NFSAR_OK && i < n; i++) {
        if (kinds[kind[i]].ratio == NULL) {
            plain = i;
        } else {
            add_ratio(bench, kinds[kind[i]].ratio, way[i].threads, lane[i].row, lane[plain].row);
        }
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
    return status == NFSAR_OK ? convert_to(r, pending_path(r->files.capture), error) : status;
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
