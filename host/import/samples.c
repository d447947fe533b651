/* Samples of an open import: read by pulses, written block after block. */
#include "host/import/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#include "host/import/survey.h"

/* One look of a raw recording into import->look. */
static enum nfsar_status read_raw_look(nfsar_import *import, struct plan_place place,
                                       nfsar_error *error) {
    const struct plan *plan = &import->plan;
    bool row_each = import->rig->files.holds == RIG_HOLDS_ROW;
    size_t frame = plan->lead + (row_each ? 0 : place.row * plan->frames_per_row) + plan->skip +
                   place.position * plan->per_position + place.look / plan->loops;
    size_t look_bytes = plan->n_tx * plan->chirp_bytes;
    uint64_t offset = plan->header_bytes + (uint64_t)frame * plan->frame_bytes +
                      place.look % plan->loops * look_bytes;
    enum nfsar_status status = recordings_read(&import->recordings, row_each ? place.row : 0,
                                               offset, look_bytes, import->bytes, error);
    for (size_t tx = 0; status == NFSAR_OK && tx < plan->n_tx; tx++) {
        status = nfsar_raw_decode_chirp((enum nfsar_raw_layout)import->rig->layout,
                                        rig_flag(import->rig->q_first, false), plan->n_rx,
                                        plan->n_sample, import->bytes + tx * plan->chirp_bytes,
                                        import->look + tx * plan->n_rx * plan->n_sample, error);
    }
    return status;
}

static enum nfsar_status read_look(nfsar_import *import, struct plan_place place,
                                   nfsar_error *error) {
    if (rig_layout_is_raw(import->rig->layout)) {
        enum nfsar_status status = read_raw_look(import, place, error);
        if (status == NFSAR_OK && import->look_seen != NULL) {
            import->look_seen(import);
        }
        return status;
    }
    enum nfsar_status status =
        import_open_array(import, import->rig->files.holds == RIG_HOLDS_ROW ? place.row : 0, error);
    return status == NFSAR_OK
               ? cube_read(&import->cube, import->rig, &import->plan, place, import->look, error)
               : status;
}

/* Add the look in memory to the channels of a pulse. */
static void add_look(const nfsar_import *import, float weight, bool first, float complex *out) {
    size_t n_sample = import->plan.n_sample;
    for (size_t c = 0; c < import->channels.n; c++) {
        const float complex *from = import->look + import->channels.line[c] * n_sample;
        float complex *to = out + c * n_sample;
        for (size_t n = 0; n < n_sample; n++) {
            float complex value = import->rig->conjugate ? conjf(from[n]) : from[n];
            to[n] = first ? weight * value : to[n] + weight * value;
        }
    }
}

static enum nfsar_status check_finite(const nfsar_import *import, size_t pulse,
                                      const float complex *samples, nfsar_error *error) {
    size_t n_sample = import->plan.n_sample;
    for (size_t i = 0; i < import->channels.n * n_sample; i++) {
        /* Beyond this a sum of squares is no longer a number. */
        if (!(fabsf(crealf(samples[i])) < 1e18f) || !(fabsf(cimagf(samples[i])) < 1e18f)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: sample %zu of channel %zu of pulse %zu is %g%+gj, not a usable "
                              "number",
                              import->rig_path, i % n_sample, i / n_sample, pulse,
                              (double)crealf(samples[i]), (double)cimagf(samples[i]));
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status read_pulse(nfsar_import *import, size_t pulse, float complex *out,
                                    nfsar_error *error) {
    const struct plan *plan = &import->plan;
    struct plan_place place = plan_place(plan, pulse);
    size_t looks = plan->repeats == RIG_REPEATS_MEAN ? plan_looks(plan) : 1;
    float weight = 1.0f / (float)looks;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < looks; i++) {
        status = read_look(import, place, error);
        if (status == NFSAR_OK) {
            add_look(import, weight, i == 0, out);
        }
        place.look++;
    }
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", import->rig_path);
    }
    return rig_layout_is_raw(import->rig->layout) ? status
                                                  : check_finite(import, pulse, out, error);
}

enum nfsar_status nfsar_import_read(nfsar_import *import, size_t first_pulse, size_t n_pulse,
                                    float complex *out, nfsar_error *error) {
    if (first_pulse > import->capture.n_pulse || n_pulse > import->capture.n_pulse - first_pulse) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "pulses %zu + %zu: there are only %zu",
                          first_pulse, n_pulse, import->capture.n_pulse);
    }
    size_t pulse_samples = import->channels.n * import->plan.n_sample;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n_pulse; i++) {
        status = read_pulse(import, first_pulse + i, out + i * pulse_samples, error);
    }
    return status;
}

size_t import_block(const nfsar_import *import) {
    size_t pulse_bytes = import->channels.n * import->plan.n_sample * sizeof(float complex);
    size_t n = ((size_t)16 << 20) / pulse_bytes;
    return n < 1 ? 1 : n > import->capture.n_pulse ? import->capture.n_pulse : n;
}

static enum nfsar_status write_blocks(nfsar_import *import, nfsar_capture_writer *writer,
                                      const nfsar_progress *progress, nfsar_error *error) {
    size_t block = import_block(import), total = import->capture.n_pulse;
    float complex *samples =
        calloc(block * import->channels.n * import->plan.n_sample, sizeof *samples);
    enum nfsar_status status =
        samples != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t first = 0; status == NFSAR_OK && first < total; first += block) {
        size_t n = total - first < block ? total - first : block;
        status = nfsar_import_read(import, first, n, samples, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_write(writer, first, n, samples, error);
        }
        if (status == NFSAR_OK &&
            !nfsar_progress_report(progress, (double)(first + n) / (double)total)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "import was cancelled");
        }
    }
    free(samples);
    return status;
}

enum nfsar_status nfsar_import_run(nfsar_import *import, const char *path,
                                   const nfsar_progress *progress, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    if (import->survey == NULL) {
        /* Flags of pulses with missing samples are part of the header, which is written first. */
        status = nfsar_import_survey(import, progress, error);
    }
    nfsar_capture_writer *writer = NULL;
    if (status == NFSAR_OK) {
        status = nfsar_capture_writer_create(path, &import->capture, &writer, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    status = write_blocks(import, writer, progress, error);
    if (status != NFSAR_OK) {
        nfsar_capture_writer_abandon(writer);
        return status;
    }
    return nfsar_capture_writer_commit(writer, error);
}
