#include <nfsar/capture.h>

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/lines.h"

/* calloc that refuses a product too large for size_t. n may be 0. */
static void *make(size_t n, size_t size) {
    return calloc(n > 0 ? n : 1, size);
}

enum nfsar_status nfsar_capture_create(size_t n_pulse, size_t n_sample, nfsar_array *array,
                                       bool with_echo, nfsar_capture *capture, nfsar_error *error) {
    memset(capture, 0, sizeof *capture);
    capture->array = *array;
    memset(array, 0, sizeof *array);
    capture->n_pulse = n_pulse;
    capture->n_sample = n_sample;
    capture->n_pose = n_pulse;
    size_t line = 0, total = 0;
    if (n_pulse < 1 || n_sample < 1 || capture->array.n_channel < 1 ||
        __builtin_mul_overflow(capture->array.n_channel, n_sample, &line) ||
        __builtin_mul_overflow(line, n_pulse, &total) || total > SIZE_MAX / 16) {
        enum nfsar_status status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                       "a capture of %zu pulses x %zu channels x %zu samples cannot be made",
                       n_pulse, capture->array.n_channel, n_sample);
        nfsar_capture_free(capture);
        return status;
    }
    capture->frequency_hz = make(n_sample, sizeof(double));
    capture->time_s = make(n_pulse, sizeof(double));
    capture->flags = make(n_pulse, 1);
    capture->pose_time_s = make(n_pulse, sizeof(double));
    capture->pose = make(n_pulse, sizeof(nfsar_pose));
    capture->echo = with_echo ? make(total, sizeof(float complex)) : NULL;
    if (capture->frequency_hz == NULL || capture->time_s == NULL || capture->flags == NULL ||
        capture->pose_time_s == NULL || capture->pose == NULL ||
        (with_echo && capture->echo == NULL)) {
        nfsar_capture_free(capture);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for %zu pulses x %zu samples of a pulse", n_pulse, line);
    }
    for (size_t i = 0; i < n_pulse; i++) {
        capture->time_s[i] = (double)i;
        capture->pose_time_s[i] = (double)i;
        capture->pose[i].orientation = NFSAR_QUATERNION_IDENTITY;
    }
    return NFSAR_OK;
}

void nfsar_capture_free(nfsar_capture *capture) {
    nfsar_array_free(&capture->array);
    free(capture->frequency_hz);
    free(capture->time_s);
    free(capture->flags);
    free(capture->pose_time_s);
    free(capture->pose);
    free(capture->true_pose);
    free(capture->calibration.channel_gain);
    free(capture->calibration.channel_delay_s);
    free(capture->calibration.background);
    lines_free(capture->provenance, capture->n_provenance);
    free(capture->echo);
    memset(capture, 0, sizeof *capture);
}

enum nfsar_status nfsar_capture_note(nfsar_capture *capture, nfsar_error *error, const char *format,
                                     ...) {
    va_list arguments;
    va_start(arguments, format);
    enum nfsar_status status =
        lines_append(&capture->provenance, &capture->n_provenance, error, format, arguments);
    va_end(arguments);
    return status;
}

/* Index of the first number that is not finite, or n. */
static size_t first_bad(const double *value, size_t n) {
    size_t i = 0;
    while (i < n && isfinite(value[i])) {
        i++;
    }
    return i;
}

/* Index of the first value smaller than the one before, or n. */
static size_t first_descent(const double *value, size_t n) {
    size_t i = 1;
    while (i < n && value[i] >= value[i - 1]) {
        i++;
    }
    return i < n ? i : n;
}

static enum nfsar_status check_times(const char *what, const double *time, size_t n,
                                     nfsar_error *error) {
    size_t bad = first_bad(time, n);
    if (bad < n) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s[%zu] is not a finite number", what, bad);
    }
    bad = first_descent(time, n);
    if (bad < n) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s[%zu] = %.9g is before its predecessor",
                          what, bad, time[bad]);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_poses(const char *what, const nfsar_pose *pose, size_t n,
                                     nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 p = pose[i].position;
        nfsar_quaternion q = pose[i].orientation;
        if (!isfinite(p.x) || !isfinite(p.y) || !isfinite(p.z)) {
            return nfsar_fail(
                error, NFSAR_ERROR_FORMAT,
                "%s: the position of pose %zu is not a finite number: leave that pose and "
                "its time out, positions between others are interpolated",
                what, i);
        }
        double norm = q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z;
        if (!(fabs(norm - 1.0) < 1e-3)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: the orientation of pose %zu is not a unit quaternion", what, i);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_array(const nfsar_array *array, nfsar_error *error) {
    size_t bad = first_bad(&array->tx_m[0].x, 3 * array->n_tx);
    if (bad < 3 * array->n_tx) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "/array/tx_m: antenna %zu is not finite",
                          bad / 3);
    }
    bad = first_bad(&array->rx_m[0].x, 3 * array->n_rx);
    if (bad < 3 * array->n_rx) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "/array/rx_m: antenna %zu is not finite",
                          bad / 3);
    }
    for (size_t i = 0; i < array->n_channel; i++) {
        nfsar_channel c = array->channel[i];
        if (c.tx < 0 || (size_t)c.tx >= array->n_tx || c.rx < 0 || (size_t)c.rx >= array->n_rx) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "/array/channel[%zu] = (%d, %d), but there are %zu transmitters and "
                              "%zu receivers",
                              i, c.tx, c.rx, array->n_tx, array->n_rx);
        }
    }
    bad = first_bad(array->channel_time_s, array->n_channel);
    if (bad < array->n_channel) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "/array/channel_time_s[%zu] is not finite",
                          bad);
    }
    return NFSAR_OK;
}

/* Beyond these samples in single precision, or their phases, would be lost on the way. */
#define MOST_GAIN    1e15
#define MOST_DELAY_S 1e-3

static enum nfsar_status check_calibration(const nfsar_capture *capture, nfsar_error *error) {
    const nfsar_calibration *c = &capture->calibration;
    size_t n = capture->array.n_channel;
    for (size_t i = 0; c->channel_gain != NULL && i < n; i++) {
        double magnitude = cabs((double complex)c->channel_gain[i]);
        if (!isfinite(magnitude) || magnitude == 0.0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "/calibration/channel_gain[%zu] is zero or not finite", i);
        }
        if (magnitude < 1.0 / MOST_GAIN || magnitude > MOST_GAIN) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "/calibration/channel_gain[%zu] is %g: a gain is between %g and %g",
                              i, magnitude, 1.0 / MOST_GAIN, MOST_GAIN);
        }
    }
    if (c->channel_delay_s != NULL && first_bad(c->channel_delay_s, n) < n) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "/calibration/channel_delay_s[%zu] is not finite",
                          first_bad(c->channel_delay_s, n));
    }
    for (size_t i = 0; c->channel_delay_s != NULL && i < n; i++) {
        if (fabs(c->channel_delay_s[i]) > MOST_DELAY_S) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "/calibration/channel_delay_s[%zu] is %g s: no delay is beyond %g s",
                              i, c->channel_delay_s[i], MOST_DELAY_S);
        }
    }
    for (size_t i = 0; c->background != NULL && i < n * capture->n_sample; i++) {
        if (!isfinite(crealf(c->background[i])) || !isfinite(cimagf(c->background[i]))) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "/calibration/background: channel %zu, sample %zu is not finite",
                              i / capture->n_sample, i % capture->n_sample);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_capture_check(const nfsar_capture *capture, nfsar_error *error) {
    if (capture->n_pulse < 1 || capture->n_sample < 1 || capture->n_pose < 1 ||
        capture->array.n_channel < 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the capture is empty: %zu pulses, %zu channels, %zu samples, %zu poses",
                          capture->n_pulse, capture->array.n_channel, capture->n_sample,
                          capture->n_pose);
    }
    for (size_t i = 0; i < capture->n_sample; i++) {
        if (!isfinite(capture->frequency_hz[i]) || !(capture->frequency_hz[i] > 0.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "/radar/frequency_hz[%zu] = %g: must be positive", i,
                              capture->frequency_hz[i]);
        }
    }
    enum nfsar_status status = check_array(&capture->array, error);
    if (status == NFSAR_OK) {
        status = check_times("/echo/time_s", capture->time_s, capture->n_pulse, error);
    }
    if (status == NFSAR_OK) {
        status = check_times("/pose/time_s", capture->pose_time_s, capture->n_pose, error);
    }
    if (status == NFSAR_OK) {
        status = check_poses("/pose", capture->pose, capture->n_pose, error);
    }
    if (status == NFSAR_OK && capture->true_pose != NULL) {
        status = check_poses("/truth", capture->true_pose, capture->n_pose, error);
    }
    return status == NFSAR_OK ? check_calibration(capture, error) : status;
}

enum nfsar_status nfsar_capture_antennas(const nfsar_capture *capture, bool truth,
                                         size_t first_pulse, size_t n_pulse, nfsar_vec3 *tx_m,
                                         nfsar_vec3 *rx_m, nfsar_error *error) {
    const nfsar_array *array = &capture->array;
    const nfsar_pose *track =
        truth && capture->true_pose != NULL ? capture->true_pose : capture->pose;
    if (first_pulse > capture->n_pulse || n_pulse > capture->n_pulse - first_pulse) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "pulses %zu + %zu: there are only %zu",
                          first_pulse, n_pulse, capture->n_pulse);
    }
    for (size_t i = 0; i < n_pulse; i++) {
        double time = capture->time_s[first_pulse + i];
        double at = NAN;
        nfsar_pose pose = {0};
        for (size_t c = 0; c < array->n_channel; c++) {
            double wanted = time + array->channel_time_s[c];
            if (wanted != at) {
                at = wanted;
                pose = nfsar_track_pose(capture->pose_time_s, track, capture->n_pose, at, NULL);
            }
            tx_m[i * array->n_channel + c] =
                nfsar_pose_transform(pose, array->tx_m[array->channel[c].tx]);
            rx_m[i * array->n_channel + c] =
                nfsar_pose_transform(pose, array->rx_m[array->channel[c].rx]);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status read_memory(void *context, size_t first_pulse, size_t n_pulse,
                                     size_t first_sample, size_t n_sample, float complex *out,
                                     nfsar_error *error) {
    const nfsar_capture *capture = context;
    size_t lines = n_pulse * capture->array.n_channel;
    if (capture->echo == NULL || first_pulse + n_pulse > capture->n_pulse ||
        first_sample + n_sample > capture->n_sample) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "samples outside the capture were asked for");
    }
    for (size_t i = 0; i < lines; i++) {
        size_t line = first_pulse * capture->array.n_channel + i;
        memcpy(out + i * n_sample, capture->echo + line * capture->n_sample + first_sample,
               n_sample * sizeof *out);
    }
    return NFSAR_OK;
}

nfsar_echo_source nfsar_capture_source(const nfsar_capture *capture) {
    return (nfsar_echo_source){.read = read_memory, .context = (void *)capture};
}
