#include "host/files/seal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "algorithms/lines.h"
#include "host/files/capture_layout.h"
#include "host/files/hdf5_copy.h"
#include "host/files/hdf5_error.h"
#include "host/files/recording_layout.h"

/* Samples that are moved at a time, where a step of pulses is not larger. */
#define BLOCK_BYTES ((size_t)16 << 20)

struct seal {
    nfsar_capture_file *from;
    const nfsar_capture *header;
    const char *path;
    size_t step; /* pulses at a time */
    float complex *block, *again;
    struct seal_report *report;
    const nfsar_progress *progress;
};

static size_t pulse_size(const nfsar_capture *header) {
    return header->array.n_channel * header->n_sample;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* half: writing is the first half of the work, comparing the second. */
static enum nfsar_status report_progress(const struct seal *seal, int half, size_t done,
                                         nfsar_error *error) {
    double fraction = 0.5 * half + 0.5 * (double)done / (double)seal->header->n_pulse;
    return nfsar_progress_report(seal->progress, fraction)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_CANCELLED, "%s: stopped before it was complete",
                            seal->path);
}

/* ---- the sensors' tables of a recording ----------------------------------------------------- */

/* For every column of the tables behind echo and pose: what is to be done with it. */
typedef enum nfsar_status column_action(const struct h5_input *from, const char *name, size_t rows,
                                        void *context, nfsar_error *error);

static enum nfsar_status for_columns(const nfsar_capture_file *file, column_action *action,
                                     void *context, nfsar_error *error) {
    const struct recording_counts *counts = capture_file_counts(file);
    const struct h5_input *input = capture_file_input(file);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = POSE_TABLE + 1; status == NFSAR_OK && i < counts->n_tables; i++) {
        char **names = NULL;
        size_t n = 0;
        status = h5_list_data(input, counts->table[i], &names, &n, error);
        for (size_t j = 0; status == NFSAR_OK && j < n; j++) {
            status = action(input, names[j], counts->rows[i], context, error);
        }
        lines_free(names, n);
    }
    return status;
}

/* The groups on the way to a name. */
static enum nfsar_status make_groups(struct h5_output *output, const char *name,
                                     nfsar_error *error) {
    char part[128];
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 1; status == NFSAR_OK && name[i] != '\0' && i < sizeof part; i++) {
        if (name[i] == '/') {
            memcpy(part, name, i);
            part[i] = '\0';
            if (H5Lexists(output->file, part, H5P_DEFAULT) <= 0) {
                status = h5_write_group(output, part, error);
            }
        }
    }
    return status;
}

static enum nfsar_status copy_column(const struct h5_input *from, const char *name, size_t rows,
                                     void *context, nfsar_error *error) {
    struct h5_output *output = context;
    enum nfsar_status status = make_groups(output, name, error);
    return status == NFSAR_OK ? h5_copy_data(from, name, rows, output, name, error) : status;
}

static enum nfsar_status compare_column(const struct h5_input *from, const char *name, size_t rows,
                                        void *context, nfsar_error *error) {
    return rows > 0 ? h5_compare_data(from, name, rows, context, name, error) : NFSAR_OK;
}

/* ---- there ---------------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b) {
    struct stat here, there;
    return stat(a, &here) == 0 && stat(b, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* Of a capture: what the program knows nothing of. Nothing is lost by sealing in place. */
static enum nfsar_status copy_unknown(const struct seal *seal, struct h5_output *output,
                                      nfsar_error *error) {
    const struct h5_input *input = capture_file_input(seal->from);
    size_t *left_out = &seal->report->left_out;
    enum nfsar_status status = h5_copy_rest(input, output, NULL, left_out, error);
    if (status == NFSAR_OK && *left_out > 0 && is_same_file(input->path, seal->path)) {
        status = nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                            "%s: %zu of its objects cannot be copied safely (links to elsewhere, "
                            "types of variable length), so it is not replaced; -o OUT.h5 makes a "
                            "file without them",
                            seal->path, *left_out);
    }
    return status;
}

/* All but the samples and what goes with them. */
static enum nfsar_status carry_over(const struct seal *seal, struct h5_output *output,
                                    nfsar_error *error) {
    const struct h5_input *input = capture_file_input(seal->from);
    bool has_session = false;
    if (!capture_file_counts(seal->from)->is_recording) {
        return copy_unknown(seal, output, error);
    }
    enum nfsar_status status = for_columns(seal->from, copy_column, output, error);
    if (status == NFSAR_OK) {
        status = h5_has(input, RECORDING_SESSION, &has_session, error);
    }
    if (status == NFSAR_OK && has_session) {
        status =
            h5_copy_data(input, RECORDING_SESSION, H5_ALL_ENTRIES, output, CAPTURE_SESSION, error);
    }
    return status;
}

static enum nfsar_status read_pulses(const struct seal *seal, nfsar_capture_file *file,
                                     size_t first, float complex *block, size_t *n,
                                     nfsar_error *error) {
    *n = smaller(seal->step, seal->header->n_pulse - first);
    return nfsar_capture_file_read(file, first, *n, 0, seal->header->n_sample, block, error);
}

static enum nfsar_status write_samples(const struct seal *seal, nfsar_capture_writer *writer,
                                       nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0, n = 0; status == NFSAR_OK && i < seal->header->n_pulse; i += n) {
        status = read_pulses(seal, seal->from, i, seal->block, &n, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_write(writer, i, n, seal->block, error);
        }
        if (status == NFSAR_OK) {
            status = report_progress(seal, 0, i + n, error);
        }
    }
    return status;
}

/* ---- and back ------------------------------------------------------------------------------- */

static enum nfsar_status fail_compare(const struct seal *seal, const char *what,
                                      nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FILE,
                      "%s: %s read back differently from the disk; it is not kept, and %s stays: "
                      "check the disk and the memory of this machine",
                      seal->path, what, capture_file_input(seal->from)->path);
}

static bool same_header(const nfsar_capture *a, const nfsar_capture *b) {
    return a->n_pulse == b->n_pulse && a->n_sample == b->n_sample && a->n_pose == b->n_pose &&
           a->array.n_channel == b->array.n_channel &&
           memcmp(a->time_s, b->time_s, a->n_pulse * sizeof *a->time_s) == 0 &&
           memcmp(a->flags, b->flags, a->n_pulse) == 0 &&
           memcmp(a->pose_time_s, b->pose_time_s, a->n_pose * sizeof *a->pose_time_s) == 0 &&
           memcmp(a->pose, b->pose, a->n_pose * sizeof *a->pose) == 0 &&
           memcmp(a->frequency_hz, b->frequency_hz, a->n_sample * sizeof *a->frequency_hz) == 0;
}

static enum nfsar_status compare_samples(const struct seal *seal, nfsar_capture_file *made,
                                         nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0, n = 0; status == NFSAR_OK && i < seal->header->n_pulse; i += n) {
        status = read_pulses(seal, seal->from, i, seal->block, &n, error);
        if (status == NFSAR_OK) {
            status = read_pulses(seal, made, i, seal->again, &n, error);
        }
        if (status == NFSAR_OK && memcmp(seal->block, seal->again,
                                         n * pulse_size(seal->header) * sizeof *seal->block) != 0) {
            status = fail_compare(seal, "samples", error);
        }
        if (status == NFSAR_OK) {
            status = report_progress(seal, 1, i + n, error);
        }
    }
    return status;
}

/* What the disk has is what was meant. */
static enum nfsar_status compare(void *context, const char *path, nfsar_error *error) {
    struct seal *seal = context;
    nfsar_capture_file *made = NULL;
    enum nfsar_status status = nfsar_capture_file_open(path, &made, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (!same_header(seal->header, nfsar_capture_file_header(made))) {
        status = fail_compare(seal, "times, flags or poses", error);
    }
    if (status == NFSAR_OK) {
        status = for_columns(seal->from, compare_column, (void *)capture_file_input(made), error);
    }
    if (status == NFSAR_OK) {
        status = compare_samples(seal, made, error);
    }
    nfsar_capture_file_close(made);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* On the disk: a recording is mostly not there. */
static uint64_t bytes_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
}

static enum nfsar_status make_blocks(struct seal *seal, nfsar_capture_writer *writer,
                                     nfsar_error *error) {
    const size_t pulse = pulse_size(seal->header) * sizeof *seal->block;
    const size_t step = capture_writer_step(writer);
    seal->step = step * (BLOCK_BYTES / (step * pulse) + 1);
    size_t n = smaller(seal->step, seal->header->n_pulse);
    seal->block = malloc(n * pulse);
    seal->again = malloc(n * pulse);
    return seal->block != NULL && seal->again != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", seal->path);
}

static enum nfsar_status write_and_check(struct seal *seal, const nfsar_capture *header, int level,
                                         nfsar_error *error) {
    nfsar_capture_writer *writer = NULL;
    enum nfsar_status status =
        capture_writer_create_packed(seal->path, header, level, &writer, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = make_blocks(seal, writer, error);
    if (status == NFSAR_OK) {
        status = carry_over(seal, capture_writer_output(writer), error);
    }
    if (status == NFSAR_OK) {
        status = write_samples(seal, writer, error);
    }
    if (status == NFSAR_OK) {
        return capture_writer_commit_checked(writer, compare, seal, error);
    }
    nfsar_capture_writer_abandon(writer);
    return status;
}

enum nfsar_status seal_capture(nfsar_capture_file *from, const char *path, int level,
                               char *const *lines, size_t n_lines, struct seal_report *report,
                               const nfsar_progress *progress, nfsar_error *error) {
    const nfsar_capture *header = nfsar_capture_file_header(from);
    struct seal seal = {
        .from = from, .header = header, .path = path, .report = report, .progress = progress};
    *report = (struct seal_report){.pulses = header->n_pulse,
                                   .bytes_before = bytes_of(capture_file_input(from)->path)};
    nfsar_capture copy = *header;
    size_t n = header->n_provenance + n_lines;
    copy.provenance = calloc(n + 1, sizeof *copy.provenance);
    if (copy.provenance == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    for (size_t i = 0; i < n; i++) {
        copy.provenance[i] =
            i < header->n_provenance ? header->provenance[i] : lines[i - header->n_provenance];
    }
    copy.n_provenance = n;
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = write_and_check(&seal, &copy, level, error);
    h5_restore(before);
    if (status == NFSAR_OK) {
        recording_sync_folder(path);
        report->bytes_after = bytes_of(path);
    }
    free(copy.provenance);
    free(seal.block);
    free(seal.again);
    return status;
}
