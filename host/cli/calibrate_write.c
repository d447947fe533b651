/* The capture that a mode of `nfsar calibrate` writes: samples as they are or changed on
 * their way, another header. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/carry.h"
#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/files/pending.h"

/* Samples copied at a time. */
#define COPY_BYTES ((size_t)64 << 20)

enum nfsar_status calibrate_open(const char *input, const char *output, nfsar_capture_file **file,
                                 nfsar_error *error) {
    pending_protect(input);
    enum nfsar_status status = pending_check(output, PENDING_HDF5, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_file_open(input, file, error);
    }
    if (status == NFSAR_OK && capture_file_counts(*file)->is_recording) {
        status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                       "%s: is a recording; `nfsar repair %s` makes a capture of it", input, input);
    }
    if (status == NFSAR_OK && nfsar_capture_file_header(*file)->gated.range_m[1] > 0.0) {
        status = nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                            "%s: is gated, and calibration comes before a gate: take the capture "
                            "it was made of",
                            input);
    }
    return status;
}

enum nfsar_status calibrate_copy_header(const nfsar_capture_file *file, nfsar_capture *copy,
                                        nfsar_error *error) {
    *copy = *nfsar_capture_file_header(file);
    char **lines = malloc((copy->n_provenance + 1) * sizeof *lines);
    nfsar_pose *pose = malloc((copy->n_pose + 1) * sizeof *pose);
    if (lines == NULL || pose == NULL) {
        free(lines);
        free(pose);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (copy->n_provenance > 0) {
        memcpy(lines, copy->provenance, copy->n_provenance * sizeof *lines);
    }
    if (copy->n_pose > 0) {
        memcpy(pose, copy->pose, copy->n_pose * sizeof *pose);
    }
    copy->provenance = lines;
    copy->pose = pose;
    return NFSAR_OK;
}

void calibrate_free_header(const nfsar_capture_file *file, nfsar_capture *copy) {
    const nfsar_capture *header = nfsar_capture_file_header(file);
    if (copy->provenance == header->provenance) {
        return; /* it was not made */
    }
    /* The lines before are the file's. */
    for (size_t i = header->n_provenance; i < copy->n_provenance; i++) {
        free(copy->provenance[i]);
    }
    free(copy->provenance);
    free(copy->pose);
    copy->provenance = NULL;
    copy->pose = NULL;
}

static enum nfsar_status copy_samples(nfsar_capture_file *file, nfsar_capture_writer *writer,
                                      const struct calibrate_change *change, nfsar_error *error) {
    const nfsar_capture *header = nfsar_capture_file_header(file);
    size_t pulse = header->array.n_channel * header->n_sample * sizeof(float complex);
    size_t block = pulse < COPY_BYTES ? COPY_BYTES / pulse : 1;
    block = block < header->n_pulse ? block : header->n_pulse;
    float complex *echo = malloc(block * pulse);
    enum nfsar_status status =
        echo != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t first = 0; status == NFSAR_OK && first < header->n_pulse; first += block) {
        size_t left = header->n_pulse - first, n = left < block ? left : block;
        status = nfsar_capture_file_read(file, first, n, 0, header->n_sample, echo, error);
        if (status == NFSAR_OK && change != NULL) {
            change->change(change->context, first, n, echo);
        }
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_write(writer, first, n, echo, error);
        }
    }
    free(echo);
    return status;
}

/* The poses are still the file's. */
static bool same_poses(const nfsar_capture_file *file, const nfsar_capture *header) {
    const nfsar_capture *before = nfsar_capture_file_header(file);
    return header->n_pose == before->n_pose &&
           memcmp(header->pose, before->pose, header->n_pose * sizeof *header->pose) == 0;
}

enum nfsar_status calibrate_write(const char *output, nfsar_capture_file *file,
                                  const nfsar_capture *header,
                                  const struct calibrate_change *change, nfsar_error *error) {
    return calibrate_write_with(output, file, header, change, NULL, error);
}

enum nfsar_status calibrate_write_with(const char *output, nfsar_capture_file *file,
                                       const nfsar_capture *header,
                                       const struct calibrate_change *change,
                                       const struct calibrate_extra *more, nfsar_error *error) {
    nfsar_capture_writer *writer = NULL;
    enum nfsar_status status = nfsar_capture_writer_create(output, header, &writer, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = copy_samples(file, writer, change, error);
    if (status == NFSAR_OK && more != NULL) {
        status = more->write(more->context, capture_writer_output(writer), error);
    }
    if (status == NFSAR_OK) {
        /* A covariance is that of the poses it came with, and goes with them. */
        const char *stale[3] = {NULL};
        size_t n = 0;
        if (!same_poses(file, header)) {
            stale[n++] = CAPTURE_COVARIANCE;
        }
        if (more != NULL && more->replaces != NULL) {
            stale[n] = more->replaces;
        }
        status = carry_rest(file, writer, output, stale, error);
    }
    if (status == NFSAR_OK) {
        return nfsar_capture_writer_commit(writer, error);
    }
    nfsar_capture_writer_abandon(writer);
    return status;
}

double calibrate_hundredths(double metres) {
    return round(1e5 * metres) / 100.0 + 0.0;
}
