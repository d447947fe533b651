#include "bench/rig_files.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/simulation.h>

enum { RECEIVERS = 4, TRANSMITTERS = 2 };

/* A name that is removed when the command ends, however it does: it stays pending for good. */
static enum nfsar_status reserve(const char *folder, const char *what, pending_file **file,
                                 nfsar_error *error) {
    char path[320];
    snprintf(path, sizeof path, "%s/nfsar-bench-%ld-%s", folder, (long)getpid(), what);
    return pending_create(path, PENDING_HDF5, file, error);
}

static enum nfsar_status write_raw(const struct rig_files *files, nfsar_error *error) {
    uint64_t block[4096];
    nfsar_random random;
    nfsar_random_seed(&random, 1);
    FILE *stream = fopen(pending_path(files->raw), "wb");
    bool good = stream != NULL;
    for (size_t left = files->raw_bytes; good && left > 0;) {
        size_t n = left < sizeof block ? left : sizeof block;
        for (size_t i = 0; i < sizeof block / sizeof block[0]; i++) {
            /* Four words of 12 bits: noise that clips nothing. */
            block[i] = nfsar_random_bits(&random) & UINT64_C(0x07ff07ff07ff07ff);
        }
        good = fwrite(block, 1, n, stream) == n;
        left -= n;
    }
    good = stream != NULL && fclose(stream) == 0 && good;
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_FILE,
                             "%s: cannot be written; set TMPDIR to a folder with room for %zu MB",
                             pending_path(files->raw), 7 * files->raw_bytes / 1000000);
}

static enum nfsar_status write_rig(const struct rig_files *files, size_t positions, size_t rows,
                                   nfsar_error *error) {
    const char *raw = strrchr(pending_path(files->raw), '/') + 1;
    FILE *stream = fopen(pending_path(files->rig), "w");
    if (stream != NULL) {
        fprintf(stream,
                "files:\n  list: [%s]\n  holds: scan\nlayout: 4-lane\n"
                "radar:\n  model: bench\n  start_frequency_hz: 77e9\n"
                "  slope_hz_per_s: 63.343e12\n  adc_start_s: 6e-6\n  sample_rate_hz: 9.121e6\n"
                "  samples: %zu\n  chirp_period_s: 70e-6\n  frame_period_s: 20e-3\n"
                "frames:\n  loops: 1\n  repeats: first\n"
                "array:\n  preset: xwr1443-2tx\n  along: y\n"
                "scan:\n  rows_along: x\n  path: raster\n  motion: stop-and-go\n"
                "  positions: %zu\n  rows: %zu\n  step_m: 1e-3\n  row_step_m: 7.59e-3\n",
                raw, files->n_sample, positions, rows);
    }
    return stream != NULL && fclose(stream) == 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written",
                            pending_path(files->rig));
}

enum nfsar_status rig_files_make(size_t positions, size_t rows, size_t n_sample,
                                 struct rig_files *files, nfsar_error *error) {
    const char *base = getenv("TMPDIR");
    memset(files, 0, sizeof *files);
    snprintf(files->folder, sizeof files->folder, "%s",
             base != NULL && base[0] != '\0' ? base : "/tmp");
    files->chirps = positions * rows * TRANSMITTERS;
    files->n_sample = n_sample;
    files->raw_bytes = files->chirps * RECEIVERS * n_sample * 2 * sizeof(int16_t);
    enum nfsar_status status = reserve(files->folder, "raw.bin", &files->raw, error);
    if (status == NFSAR_OK) {
        status = reserve(files->folder, "rig.yaml", &files->rig, error);
    }
    if (status == NFSAR_OK) {
        status = reserve(files->folder, "capture.h5", &files->capture, error);
    }
    if (status == NFSAR_OK) {
        status = reserve(files->folder, "written.h5", &files->written, error);
    }
    if (status == NFSAR_OK) {
        status = reserve(files->folder, "copy", &files->copy, error);
    }
    if (status == NFSAR_OK) {
        status = write_raw(files, error);
    }
    if (status == NFSAR_OK) {
        status = write_rig(files, positions, rows, error);
    }
    return status;
}

void rig_files_remove(struct rig_files *files) {
    pending_abandon(files->rig);
    pending_abandon(files->raw);
    pending_abandon(files->capture);
    pending_abandon(files->written);
    pending_abandon(files->copy);
}
