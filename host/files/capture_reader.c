/* capture.h5, read. */
#include <nfsar/file.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/files/hdf5_error.h"
#include "host/files/hdf5_input.h"
#include "host/files/recording_counts.h"
#include "host/files/recording_layout.h"
#include "host/files/utf8.h"

/* Lengths of quaternions are this uncertain: written as single precision, or with three digits. */
#define QUATERNION_TOLERANCE 0.01
#define UNIT_ROUNDING        (8 * DBL_EPSILON)

struct nfsar_capture_file {
    struct h5_input input;
    struct h5_data data;
    struct recording_counts counts; /* of a recording, which has room for more than there is */
    nfsar_capture header;
};

static enum nfsar_status read_fmcw(const struct h5_input *input, nfsar_capture *capture,
                                   nfsar_error *error) {
    nfsar_fmcw *fmcw = &capture->fmcw;
    const struct {
        const char *name;
        double *value;
    } numbers[] = {{CAPTURE_START_FREQUENCY, &fmcw->start_frequency_hz},
                   {CAPTURE_SLOPE, &fmcw->slope_hz_per_s},
                   {CAPTURE_SAMPLE_RATE, &fmcw->sample_rate_hz},
                   {CAPTURE_ADC_START, &fmcw->adc_start_s}};
    bool found[4] = {false};
    for (size_t i = 0; i < 4; i++) {
        enum nfsar_status status = h5_read_number(input, CAPTURE_RADAR, numbers[i].name,
                                                  numbers[i].value, &found[i], error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    /* Sampling that begins with the ramp needs no saying. */
    capture->has_fmcw = found[0] && found[1] && found[2];
    return NFSAR_OK;
}

static enum nfsar_status read_gated(const struct h5_input *input, nfsar_capture *capture,
                                    nfsar_error *error) {
    nfsar_gated *gated = &capture->gated;
    const struct {
        const char *name;
        double *value;
    } numbers[] = {{CAPTURE_GATE_FIRST, &gated->range_m[0]},
                   {CAPTURE_GATE_LAST, &gated->range_m[1]},
                   {CAPTURE_GATE_LOW, &gated->band_hz[0]},
                   {CAPTURE_GATE_HIGH, &gated->band_hz[1]}};
    size_t found = 0;
    for (size_t i = 0; i < 4; i++) {
        bool there = false;
        enum nfsar_status status =
            h5_read_number(input, CAPTURE_RADAR, numbers[i].name, numbers[i].value, &there, error);
        if (status != NFSAR_OK) {
            return status;
        }
        found += there ? 1 : 0;
    }
    if (found > 0 &&
        !(found == 4 && gated->range_m[0] >= 0.0 && gated->range_m[1] > gated->range_m[0] &&
          gated->band_hz[0] > 0.0 && gated->band_hz[1] >= gated->band_hz[0])) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: attributes gate_first_m %g, gate_last_m %g, gate_low_hz %g and "
                          "gate_high_hz %g are no range gate: all four belong together, ascending",
                          CAPTURE_RADAR, gated->range_m[0], gated->range_m[1], gated->band_hz[0],
                          gated->band_hz[1]);
    }
    return NFSAR_OK;
}

static enum nfsar_status read_radar(const struct h5_input *input, nfsar_capture *capture,
                                    nfsar_error *error) {
    struct h5_shape shape = {1, {0}};
    enum nfsar_status status = h5_read_data(input, CAPTURE_FREQUENCY, H5_REAL, &shape,
                                            (void **)&capture->frequency_hz, error);
    if (status != NFSAR_OK) {
        return status;
    }
    capture->n_sample = shape.extent[0];
    char *model = NULL;
    status = h5_read_text(input, CAPTURE_RADAR, CAPTURE_MODEL, &model, error);
    if (model != NULL) {
        utf8_copy(capture->model, sizeof capture->model, model);
        free(model);
    }
    if (status == NFSAR_OK) {
        status = read_fmcw(input, capture, error);
    }
    return status == NFSAR_OK ? read_gated(input, capture, error) : status;
}

static enum nfsar_status read_array(const struct h5_input *input, nfsar_array *array,
                                    nfsar_error *error) {
    struct h5_shape tx = {2, {0, 3}}, rx = {2, {0, 3}}, channel = {2, {0, 2}};
    enum nfsar_status status =
        h5_read_data(input, CAPTURE_TX, H5_REAL, &tx, (void **)&array->tx_m, error);
    if (status == NFSAR_OK) {
        status = h5_read_data(input, CAPTURE_RX, H5_REAL, &rx, (void **)&array->rx_m, error);
    }
    if (status == NFSAR_OK) {
        status = h5_read_data(input, CAPTURE_CHANNEL, H5_INTEGER, &channel,
                              (void **)&array->channel, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    array->n_tx = tx.extent[0];
    array->n_rx = rx.extent[0];
    array->n_channel = channel.extent[0];
    struct h5_shape time = {1, {array->n_channel}};
    status = h5_read_optional(input, CAPTURE_CHANNEL_TIME, H5_REAL, &time,
                              (void **)&array->channel_time_s, error);
    if (status == NFSAR_OK && array->channel_time_s == NULL) {
        array->channel_time_s = calloc(array->n_channel, sizeof(double));
        if (array->channel_time_s == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", input->path);
        }
    }
    return status;
}

/* Scale to unit length what was meant to have it. */
static enum nfsar_status normalize(const struct h5_input *input, const char *name, nfsar_pose *pose,
                                   size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        nfsar_quaternion q = pose[i].orientation;
        double length = nfsar_quaternion_norm(q);
        if (!(fabs(length - 1.0) <= QUATERNION_TOLERANCE)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: %s[%zu] has length %.6g; an orientation is a quaternion "
                              "(w, x, y, z) of length 1",
                              input->path, name, i, length);
        }
        /* What has it but for rounding stays as it is: a capture written anew is the same. */
        if (fabs(length - 1.0) > UNIT_ROUNDING) {
            pose[i].orientation = nfsar_quaternion_normalize(q);
        }
    }
    return NFSAR_OK;
}

/* A dataset with an entry for each of something; of a recording, those that are there. */
static enum nfsar_status read_entries(const nfsar_capture_file *file, const char *name,
                                      enum h5_kind kind, struct h5_shape *shape, void **out,
                                      nfsar_error *error) {
    return file->counts.is_recording
               ? h5_read_first(&file->input, name, kind, shape->extent[0], shape, out, error)
               : h5_read_data(&file->input, name, kind, shape, out, error);
}

static enum nfsar_status read_optional_entries(const nfsar_capture_file *file, const char *name,
                                               enum h5_kind kind, struct h5_shape *shape,
                                               void **out, nfsar_error *error) {
    bool found = false;
    *out = NULL;
    enum nfsar_status status = h5_has(&file->input, name, &found, error);
    return status == NFSAR_OK && found ? read_entries(file, name, kind, shape, out, error) : status;
}

/* The poses of a group; *n = 0 on entry takes as many as there are. */
static enum nfsar_status read_poses(const nfsar_capture_file *file, const char *group, size_t *n,
                                    nfsar_pose **pose, nfsar_error *error) {
    const struct h5_input *input = &file->input;
    char name[64];
    double *position = NULL, *orientation = NULL;
    struct h5_shape p = {2, {*n, 3}};
    snprintf(name, sizeof name, "%s/" CAPTURE_POSITION, group);
    enum nfsar_status status = read_entries(file, name, H5_REAL, &p, (void **)&position, error);
    if (status == NFSAR_OK) {
        struct h5_shape q = {2, {p.extent[0], 4}};
        *n = p.extent[0];
        snprintf(name, sizeof name, "%s/" CAPTURE_ORIENTATION, group);
        status = read_optional_entries(file, name, H5_REAL, &q, (void **)&orientation, error);
    }
    if (status == NFSAR_OK) {
        *pose = calloc(*n, sizeof **pose);
        if (*pose == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", input->path);
        }
    }
    for (size_t i = 0; status == NFSAR_OK && i < *n; i++) {
        const double *at = position + 3 * i, *turn = orientation + 4 * i;
        (*pose)[i].position = (nfsar_vec3){at[0], at[1], at[2]};
        (*pose)[i].orientation = orientation != NULL
                                     ? (nfsar_quaternion){turn[0], turn[1], turn[2], turn[3]}
                                     : NFSAR_QUATERNION_IDENTITY;
    }
    free(position);
    free(orientation);
    return status == NFSAR_OK ? normalize(input, name, *pose, *n, error) : status;
}

static enum nfsar_status read_pose_times(nfsar_capture_file *file, nfsar_error *error) {
    nfsar_capture *capture = &file->header;
    const char *path = file->input.path;
    struct h5_shape shape = {1, {capture->n_pose}};
    enum nfsar_status status = read_optional_entries(file, CAPTURE_POSE_TIME, H5_REAL, &shape,
                                                     (void **)&capture->pose_time_s, error);
    if (status != NFSAR_OK || capture->pose_time_s != NULL) {
        return status;
    }
    if (capture->n_pose != capture->n_pulse) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: there are %zu poses for %zu pulses, so " CAPTURE_POSE_TIME
                          " has to say when they were taken, but it is missing",
                          path, capture->n_pose, capture->n_pulse);
    }
    capture->pose_time_s = malloc(capture->n_pose * sizeof(double));
    if (capture->pose_time_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    memcpy(capture->pose_time_s, capture->time_s, capture->n_pose * sizeof(double));
    return NFSAR_OK;
}

/* A recording that no pose has come to: one that is not known, and no pulse lies within. */
static enum nfsar_status make_no_pose(nfsar_capture_file *file, nfsar_error *error) {
    nfsar_capture *capture = &file->header;
    capture->pose = calloc(1, sizeof *capture->pose);
    capture->pose_time_s = calloc(1, sizeof *capture->pose_time_s);
    if (capture->pose == NULL || capture->pose_time_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", file->input.path);
    }
    capture->n_pose = 1;
    capture->pose->orientation = NFSAR_QUATERNION_IDENTITY;
    *capture->pose_time_s = *capture->time_s;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        capture->flags[i] |= NFSAR_PULSE_POSE_EXTRAPOLATED;
    }
    return NFSAR_OK;
}

static enum nfsar_status read_track(nfsar_capture_file *file, nfsar_error *error) {
    nfsar_capture *capture = &file->header;
    if (file->counts.is_recording) {
        capture->n_pose = file->counts.rows[POSE_TABLE];
        if (capture->n_pose == 0) {
            return make_no_pose(file, error);
        }
    }
    const char *const positions = CAPTURE_POSE "/" CAPTURE_POSITION;
    bool known = false;
    enum nfsar_status status = h5_has(&file->input, positions, &known, error);
    if (status == NFSAR_OK && !known) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: %s is missing: where the radar was at each pulse is told by scan: "
                            "of a rig file (docs/import.md), or written there (docs/files.md)",
                            file->input.path, positions);
    }
    if (status == NFSAR_OK) {
        status = read_poses(file, CAPTURE_POSE, &capture->n_pose, &capture->pose, error);
    }
    if (status == NFSAR_OK) {
        status = read_pose_times(file, error);
    }
    bool truth = false;
    if (status == NFSAR_OK) {
        status = h5_has(&file->input, CAPTURE_TRUTH "/" CAPTURE_POSITION, &truth, error);
    }
    if (status == NFSAR_OK && truth) {
        size_t n = capture->n_pose;
        status = read_poses(file, CAPTURE_TRUTH, &n, &capture->true_pose, error);
    }
    return status;
}

/* How many pulses there are, of those that there is room for. */
static enum nfsar_status count_pulses(const nfsar_capture_file *file, size_t room, size_t *n,
                                      nfsar_error *error) {
    *n = room;
    if (file->counts.is_recording) {
        *n = file->counts.rows[ECHO_TABLE];
        if (*n == 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: is a recording without a single pulse%s", file->input.path,
                              file->counts.end == RECORDING_GOES_ON
                                  ? " so far; the first are counted after half a second"
                                  : ", there is nothing to be had from it");
        }
        if (*n > room) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: counts %zu pulses, but has room for %zu", file->input.path, *n,
                              room);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status read_pulses(nfsar_capture_file *file, nfsar_error *error) {
    nfsar_capture *capture = &file->header;
    struct h5_shape data = {3, {0, capture->array.n_channel, capture->n_sample}};
    enum nfsar_status status =
        h5_data_open(&file->data, &file->input, CAPTURE_DATA, H5_COMPLEX, true, &data, error);
    if (status == NFSAR_OK) {
        status = count_pulses(file, data.extent[0], &capture->n_pulse, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    struct h5_shape line = {1, {capture->n_pulse}};
    status = read_entries(file, CAPTURE_TIME, H5_REAL, &line, (void **)&capture->time_s, error);
    if (status == NFSAR_OK) {
        status = read_optional_entries(file, CAPTURE_FLAGS, H5_BYTE, &line,
                                       (void **)&capture->flags, error);
    }
    if (status == NFSAR_OK && capture->flags == NULL) {
        capture->flags = calloc(capture->n_pulse, 1);
        if (capture->flags == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", file->input.path);
        }
    }
    return status;
}

static enum nfsar_status read_calibration(const struct h5_input *input, nfsar_capture *capture,
                                          nfsar_error *error) {
    nfsar_calibration *calibration = &capture->calibration;
    const size_t n = capture->array.n_channel;
    struct h5_shape line = {1, {n}}, both = {2, {n, capture->n_sample}};
    enum nfsar_status status = h5_read_optional(input, CAPTURE_GAIN, H5_COMPLEX, &line,
                                                (void **)&calibration->channel_gain, error);
    if (status == NFSAR_OK) {
        status = h5_read_optional(input, CAPTURE_DELAY, H5_REAL, &line,
                                  (void **)&calibration->channel_delay_s, error);
    }
    if (status == NFSAR_OK) {
        status = h5_read_optional(input, CAPTURE_BACKGROUND, H5_COMPLEX, &both,
                                  (void **)&calibration->background, error);
    }
    return status;
}

/* A single pose is a radar that stood still, at all times. */
static void flag_extrapolated(nfsar_capture *capture) {
    double first = capture->pose_time_s[0], last = capture->pose_time_s[capture->n_pose - 1];
    for (size_t i = 0; capture->n_pose > 1 && i < capture->n_pulse; i++) {
        if (capture->time_s[i] < first || capture->time_s[i] > last) {
            capture->flags[i] |= NFSAR_PULSE_POSE_EXTRAPOLATED;
        }
    }
}

static enum nfsar_status read_header(nfsar_capture_file *file, nfsar_error *error) {
    nfsar_capture *capture = &file->header;
    const struct h5_input *input = &file->input;
    enum nfsar_file_kind kind = NFSAR_FILE_CAPTURE;
    enum nfsar_status status = h5_input_kind(input, &kind, error);
    if (status == NFSAR_OK && kind != NFSAR_FILE_CAPTURE) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: is an image, but a capture is needed: take the one that it was "
                            "made of, which nfsar info %s tells",
                            input->path, input->path);
    }
    if (status == NFSAR_OK) {
        status = recording_counts_read(&file->counts, input, error);
    }
    if (status == NFSAR_OK) {
        status = read_radar(input, capture, error);
    }
    if (status == NFSAR_OK) {
        status = read_array(input, &capture->array, error);
    }
    if (status == NFSAR_OK) {
        status = read_pulses(file, error);
    }
    if (status == NFSAR_OK) {
        status = read_track(file, error);
    }
    if (status == NFSAR_OK) {
        status = read_calibration(input, capture, error);
    }
    if (status == NFSAR_OK) {
        status = h5_read_lines(input, CAPTURE_PROVENANCE, &capture->provenance,
                               &capture->n_provenance, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_check(capture, error);
        if (status != NFSAR_OK) {
            return nfsar_fail_in(error, status, "%s", input->path);
        }
        flag_extrapolated(capture);
    }
    return status;
}

enum nfsar_status nfsar_capture_file_open(const char *path, nfsar_capture_file **file,
                                          nfsar_error *error) {
    *file = NULL;
    nfsar_capture_file *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_input_open(&made->input, path, error);
    if (status == NFSAR_OK) {
        status = read_header(made, error);
    }
    h5_restore(before);
    if (status != NFSAR_OK) {
        nfsar_capture_file_close(made);
        return status;
    }
    *file = made;
    return NFSAR_OK;
}

const nfsar_capture *nfsar_capture_file_header(const nfsar_capture_file *file) {
    return &file->header;
}

enum nfsar_status nfsar_capture_file_read(nfsar_capture_file *file, size_t first_pulse,
                                          size_t n_pulse, size_t first_sample, size_t n_sample,
                                          float complex *out, nfsar_error *error) {
    const nfsar_capture *header = &file->header;
    size_t n_channel = header->array.n_channel;
    if (first_pulse > header->n_pulse || n_pulse > header->n_pulse - first_pulse ||
        first_sample > header->n_sample || n_sample > header->n_sample - first_sample) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: pulses %zu + %zu, samples %zu + %zu were asked for, there are %zu "
                          "pulses of %zu samples",
                          file->input.path, first_pulse, n_pulse, first_sample, n_sample,
                          header->n_pulse, header->n_sample);
    }
    if (n_pulse == 0 || n_sample == 0) {
        return NFSAR_OK;
    }
    const struct h5_shape first = {3, {first_pulse, 0, first_sample}};
    const struct h5_shape count = {3, {n_pulse, n_channel, n_sample}};
    struct h5_reporting before = h5_silence();
    size_t n = n_pulse * n_channel * n_sample, bad = n;
    enum nfsar_status status = h5_data_read_samples(&file->data, &first, &count, out, &bad, error);
    h5_restore(before);
    if (status != NFSAR_OK) {
        return status;
    }
    if (bad < n) {
        size_t line = bad / n_sample;
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: " CAPTURE_DATA "[%zu, %zu, %zu] is not a finite number",
                          file->input.path, first_pulse + line / n_channel, line % n_channel,
                          first_sample + bad % n_sample);
    }
    return NFSAR_OK;
}

const struct h5_input *capture_file_input(const nfsar_capture_file *file) {
    return &file->input;
}

const struct recording_counts *capture_file_counts(const nfsar_capture_file *file) {
    return &file->counts;
}

static enum nfsar_status read_source(void *context, size_t first_pulse, size_t n_pulse,
                                     size_t first_sample, size_t n_sample, float complex *out,
                                     nfsar_error *error) {
    return nfsar_capture_file_read(context, first_pulse, n_pulse, first_sample, n_sample, out,
                                   error);
}

nfsar_echo_source nfsar_capture_file_source(nfsar_capture_file *file) {
    return (nfsar_echo_source){.read = read_source, .context = file};
}

void nfsar_capture_file_close(nfsar_capture_file *file) {
    if (file == NULL) {
        return;
    }
    struct h5_reporting before = h5_silence();
    h5_data_close(&file->data);
    h5_input_close(&file->input);
    recording_counts_free(&file->counts);
    h5_restore(before);
    nfsar_capture_free(&file->header);
    free(file);
}

enum nfsar_status nfsar_capture_load(const char *path, nfsar_capture *capture, nfsar_error *error) {
    memset(capture, 0, sizeof *capture);
    nfsar_capture_file *file = NULL;
    enum nfsar_status status = nfsar_capture_file_open(path, &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_capture *header = &file->header;
    size_t line = header->array.n_channel * header->n_sample;
    float complex *echo = calloc(header->n_pulse, line * sizeof *echo);
    if (echo == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY,
                            "%s: out of memory for %zu pulses x %zu channels x %zu samples", path,
                            header->n_pulse, header->array.n_channel, header->n_sample);
    } else {
        status =
            nfsar_capture_file_read(file, 0, header->n_pulse, 0, header->n_sample, echo, error);
    }
    if (status == NFSAR_OK) {
        *capture = *header;
        capture->echo = echo;
        memset(header, 0, sizeof *header);
    } else {
        free(echo);
    }
    nfsar_capture_file_close(file);
    return status;
}
