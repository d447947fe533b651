/* All pulses of an open import: read by all processors, looked at, written. */
#include "host/import/import.h"

#include <omp.h>
#include <stdlib.h>

#include "host/import/survey.h"

/* What a thread reads, looks at and writes before it takes the next: it stays in the second-level
 * cache, and many of these are in any recording that is worth the threads. */
#define UNIT_BYTES ((size_t)2 << 20)

/* A task being done. */
struct work {
    nfsar_import *import;
    const struct import_task *task;
    size_t pulse_samples;
    size_t unit, units;  /* pulses in one; how many there are */
    size_t done, failed; /* units; the first that failed, or units */
    nfsar_error *error;  /* of that one */
};

/* Read, and perhaps write, the pulses of a unit. */
static enum nfsar_status do_unit(const struct work *work, struct import_reader *reader, size_t unit,
                                 float complex *own, nfsar_error *error) {
    const struct import_task *task = work->task;
    size_t first = unit * work->unit;
    size_t n = task->n - first < work->unit ? task->n - first : work->unit;
    float complex *to = task->out != NULL ? task->out + first * work->pulse_samples : own;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        status = import_pulse(work->import, reader, task->first + first + i,
                              to + i * work->pulse_samples, error);
    }
    return status == NFSAR_OK && task->writer != NULL
               ? nfsar_capture_writer_write(task->writer, task->first + first, n, to, error)
               : status;
}

/* The error of the first unit in the order of the pulses is the one to tell: units are begun in
 * that order, and those that were begun are ended. */
static void note_failure(struct work *work, size_t unit, const nfsar_error *error) {
#pragma omp critical(nfsar_import_failure)
    if (unit < work->failed) {
#pragma omp atomic write
        work->failed = unit;
        if (work->error != NULL) {
            *work->error = *error;
        }
    }
}

/* A thread's share. */
static void do_share(struct work *work, struct import_reader *reader, bool reports) {
    nfsar_error error = {0};
    float complex *own = NULL;
    if (work->task->out == NULL) {
        own = malloc(work->unit * work->pulse_samples * sizeof *own);
    }
#pragma omp for schedule(dynamic)
    for (size_t unit = 0; unit < work->units; unit++) {
        size_t failed = 0, done = 0;
#pragma omp atomic read
        failed = work->failed;
        if (unit > failed) {
            continue;
        }
        enum nfsar_status status = own == NULL && work->task->out == NULL
                                       ? nfsar_fail(&error, NFSAR_ERROR_MEMORY, "out of memory")
                                       : do_unit(work, reader, unit, own, &error);
#pragma omp atomic capture
        done = ++work->done;
        if (status == NFSAR_OK && reports &&
            !nfsar_progress_report(work->task->progress, (double)done / (double)work->units)) {
            status = nfsar_fail(&error, NFSAR_ERROR_CANCELLED, "import was cancelled");
        }
        if (status != NFSAR_OK) {
            note_failure(work, unit, &error);
        }
    }
    free(own);
}

enum nfsar_status import_pulses(nfsar_import *import, const struct import_task *task,
                                nfsar_error *error) {
    nfsar_error first = {0};
    struct work work = {.import = import,
                        .task = task,
                        .pulse_samples = import->channels.n * import->plan.n_sample,
                        .error = &first};
    if (task->n == 0) {
        return NFSAR_OK;
    }
    size_t pulses = UNIT_BYTES / (work.pulse_samples * sizeof(float complex));
    work.unit = pulses < 1 ? 1 : pulses > task->n ? task->n : pulses;
    work.units = work.failed = (task->n - 1) / work.unit + 1;
    int threads = work.units < import->n_reader ? (int)work.units : (int)import->n_reader;
#pragma omp parallel num_threads(threads)
    {
        int thread = omp_get_thread_num();
        do_share(&work, &import->reader[thread], thread == 0);
    }
    if (work.failed < work.units) {
        if (error != NULL) {
            *error = first;
        }
        return first.status;
    }
    return nfsar_progress_report(task->progress, 1.0)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_CANCELLED, "import was cancelled");
}

enum nfsar_status nfsar_import_read(nfsar_import *import, size_t first_pulse, size_t n_pulse,
                                    float complex *out, nfsar_error *error) {
    if (first_pulse > import->capture.n_pulse || n_pulse > import->capture.n_pulse - first_pulse) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "pulses %zu + %zu: there are only %zu",
                          first_pulse, n_pulse, import->capture.n_pulse);
    }
    const struct import_task task = {.first = first_pulse, .n = n_pulse, .out = out};
    return import_pulses(import, &task, error);
}

/* Write the samples; if no survey was made before, make it on the way, so that a recording larger
 * than memory is read once. */
static enum nfsar_status write_pulses(nfsar_import *import, nfsar_capture_writer *writer,
                                      const nfsar_progress *progress, nfsar_error *error) {
    const struct import_task task = {
        .n = import->capture.n_pulse, .writer = writer, .progress = progress};
    if (import->survey != NULL) {
        return import_pulses(import, &task, error);
    }
    enum nfsar_status status = survey_make(import, &task, error);
    return status == NFSAR_OK && import->survey->n_missing > 0
               ? nfsar_capture_writer_flags(writer, import->capture.flags, error)
               : status;
}

enum nfsar_status nfsar_import_run(nfsar_import *import, const char *path,
                                   const nfsar_progress *progress, nfsar_error *error) {
    nfsar_capture_writer *writer = NULL;
    enum nfsar_status status = nfsar_capture_writer_create(path, &import->capture, &writer, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = write_pulses(import, writer, progress, error);
    if (status != NFSAR_OK) {
        nfsar_capture_writer_abandon(writer);
        return status;
    }
    return nfsar_capture_writer_commit(writer, error);
}
