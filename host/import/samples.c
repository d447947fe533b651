/* One pulse of an open import. */
#include "host/import/import.h"

#include <math.h>

#include "host/import/layout.h"
#include "host/import/survey_watch.h"

enum nfsar_status import_raw_look(const nfsar_import *import, struct import_reader *reader,
                                  struct plan_place place, const unsigned char **bytes,
                                  nfsar_error *error) {
    const struct plan *plan = &import->plan;
    bool row_each = import->rig->files.holds == RIG_HOLDS_ROW;
    size_t frame = plan->lead + (row_each ? 0 : place.row * plan->frames_per_row) + plan->skip +
                   place.position * plan->per_position + place.look / plan->loops;
    size_t look_bytes = plan->n_tx * plan->chirp_bytes;
    uint64_t offset = plan->header_bytes + (uint64_t)frame * plan->frame_bytes +
                      place.look % plan->loops * look_bytes;
    return recordings_look(&import->recordings, &reader->window, row_each ? place.row : 0, offset,
                           look_bytes, bytes, error);
}

/* One look of a raw recording into out[n_tx][n_rx][n_sample]. */
static enum nfsar_status read_raw_look(const nfsar_import *import, struct import_reader *reader,
                                       struct plan_place place, bool conjugate, float complex *out,
                                       nfsar_error *error) {
    const struct plan *plan = &import->plan;
    const unsigned char *bytes = NULL;
    enum nfsar_status status = import_raw_look(import, reader, place, &bytes, error);
    for (size_t tx = 0; status == NFSAR_OK && tx < plan->n_tx; tx++) {
        status = raw_decode_chirp((enum nfsar_raw_layout)import->rig->layout,
                                  rig_flag(import->rig->q_first, false), conjugate, plan->n_rx,
                                  plan->n_sample, bytes + tx * plan->chirp_bytes,
                                  out + tx * plan->n_rx * plan->n_sample, error);
    }
    if (status == NFSAR_OK && reader->watch != NULL) {
        survey_watch_look(reader->watch, &import->channels, plan->n_sample, out);
    }
    return status;
}

static enum nfsar_status read_array_look(nfsar_import *import, struct plan_place place,
                                         float complex *out, nfsar_error *error) {
    size_t recording = import->rig->files.holds == RIG_HOLDS_ROW ? place.row : 0;
    if (import->rig->poses != NULL) {
        recording = pose_table_recording(&import->poses, place.position);
        place.position -= import->poses.first[recording];
    }
    enum nfsar_status status = import_open_array(import, recording, error);
    if (status == NFSAR_OK) {
        status = cube_read(&import->cube, import->rig, &import->plan, place, out, error);
    }
    const size_t n_line = import->plan.n_wave > 0 ? import->plan.n_tx * import->plan.n_rx : 0;
    /* In place: lines that grow from the last one on, so that none is written over before it is
     * read. */
    const bool grows = import->plan.n_sample > import->plan.n_wave;
    for (size_t i = 0; status == NFSAR_OK && i < n_line; i++) {
        const size_t line = grows ? n_line - 1 - i : i;
        waveform_transform(&import->waveform, out + line * import->plan.n_wave,
                           out + line * import->plan.n_sample);
    }
    return status;
}

/* One version for all machines, as fused multiplications and additions would round differently.
 * to = weight * value, or that added to it; value conjugated where that is asked for. */
static void add_line(const float complex *from, size_t n, float weight, bool conjugate, bool first,
                     float complex *to) {
    const float *in = (const float *)from;
    float *out = (float *)to;
    float sign = conjugate ? -1.0f : 1.0f;
    for (size_t i = 0; first && i < 2 * n; i += 2) {
        out[i] = weight * in[i];
        out[i + 1] = weight * (sign * in[i + 1]);
    }
    for (size_t i = 0; !first && i < 2 * n; i += 2) {
        out[i] = out[i] + weight * in[i];
        out[i + 1] = out[i + 1] + weight * (sign * in[i + 1]);
    }
}

/* Add the look in memory to the channels of a pulse. */
static void add_look(const nfsar_import *import, const float complex *look, float weight,
                     bool first, float complex *out) {
    size_t n_sample = import->plan.n_sample;
    for (size_t c = 0; c < import->channels.n; c++) {
        add_line(look + import->channels.line[c] * n_sample, n_sample, weight,
                 import->rig->conjugate, first, out + c * n_sample);
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

/* Whether the channels are all that was recorded, in its order. */
static bool takes_all(const nfsar_import *import) {
    const struct channels *channels = &import->channels;
    bool all = channels->n == channels->n_tx * channels->n_rx;
    for (size_t c = 0; all && c < channels->n; c++) {
        all = channels->line[c] == c;
    }
    return all;
}

static enum nfsar_status read_looks(nfsar_import *import, struct import_reader *reader,
                                    struct plan_place place, size_t looks, float complex *out,
                                    nfsar_error *error) {
    bool raw = rig_layout_is_raw(import->rig->layout);
    if (raw && looks == 1 && takes_all(import)) {
        return read_raw_look(import, reader, place, import->rig->conjugate, out, error);
    }
    float weight = 1.0f / (float)looks;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < looks; i++) {
        status = raw ? read_raw_look(import, reader, place, false, reader->look, error)
                     : read_array_look(import, place, reader->look, error);
        if (status == NFSAR_OK) {
            add_look(import, reader->look, weight, i == 0, out);
        }
        place.look++;
    }
    return status;
}

enum nfsar_status import_pulse(nfsar_import *import, struct import_reader *reader, size_t pulse,
                               float complex *out, nfsar_error *error) {
    const struct plan *plan = &import->plan;
    size_t looks = plan->repeats == RIG_REPEATS_MEAN ? plan_looks(plan) : 1;
    enum nfsar_status status =
        read_looks(import, reader, plan_place(plan, pulse), looks, out, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", import->rig_path);
    }
    if (import->rig->poses != NULL) {
        pose_table_turn(&import->poses, &import->capture, pulse, import->rig->conjugate, out);
    }
    if (!rig_layout_is_raw(import->rig->layout)) {
        status = check_finite(import, pulse, out, error);
    }
    if (status == NFSAR_OK && reader->watch != NULL) {
        survey_watch_pulse(reader->watch, pulse, out);
    }
    return status;
}
