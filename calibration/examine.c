/* The doctor: all checks one after the other. */
#include "calibration/examine.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/calibration.h>

#include "algorithms/buffer.h"
#include "calibration/path_rows.h"

const char *nfsar_fault_name(enum nfsar_fault fault) {
    static const char *const names[] = {
        [NFSAR_FAULT_NONE] = "none",
        [NFSAR_FAULT_NOT_FINITE] = "not-finite",
        [NFSAR_FAULT_CLIPPING] = "clipping",
        [NFSAR_FAULT_SAMPLES_MISSING] = "samples-missing",
        [NFSAR_FAULT_CHANNEL_DEAD] = "channel-dead",
        [NFSAR_FAULT_CHANNEL_WEAK] = "channel-weak",
        [NFSAR_FAULT_POSE_UNITS] = "pose-units",
        [NFSAR_FAULT_POSE_JUMP] = "pose-jump",
        [NFSAR_FAULT_POSE_REPEATED] = "pose-repeated",
        [NFSAR_FAULT_POSE_OUTSIDE] = "pose-outside",
        [NFSAR_FAULT_NO_APERTURE] = "no-aperture",
        [NFSAR_FAULT_STEP_COARSE] = "step-coarse",
        [NFSAR_FAULT_NO_ECHO] = "no-echo",
        [NFSAR_FAULT_GATE_EMPTY] = "gate-empty",
        [NFSAR_FAULT_LEAKAGE] = "leakage",
        [NFSAR_FAULT_REAL_SAMPLES] = "real-samples",
        [NFSAR_FAULT_IQ_SWAPPED] = "iq-swapped",
        [NFSAR_FAULT_RANGE_BACKWARDS] = "range-backwards",
        [NFSAR_FAULT_IQ_IMBALANCE] = "iq-imbalance",
        [NFSAR_FAULT_CHANNELS_UNCALIBRATED] = "channels-uncalibrated",
        [NFSAR_FAULT_CHANNELS_ORDER] = "channels-order",
        [NFSAR_FAULT_RANGE_OFFSET] = "range-offset",
    };
    return (size_t)fault < sizeof names / sizeof *names ? names[fault] : "unknown";
}

/* ---- what is told ---------------------------------------------------------------------------- */

static nfsar_finding *add(struct examined *e, const char *check, enum nfsar_doctor_verdict verdict,
                          const char *fix, const char *format, va_list arguments) {
    static const size_t room = sizeof e->report->finding / sizeof *e->report->finding;
    if (e->report->n >= room) {
        return NULL;
    }
    nfsar_finding *finding = &e->report->finding[e->report->n++];
    *finding = (nfsar_finding){.check = check, .verdict = verdict};
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    snprintf(finding->fix, sizeof finding->fix, "%s", fix != NULL ? fix : "");
    e->report->verdicts[verdict]++;
    return finding;
}

void examine_ok(struct examined *e, const char *check, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(e, check, NFSAR_DOCTOR_OK, NULL, format, arguments);
    va_end(arguments);
}

void examine_unknown(struct examined *e, const char *check, const char *fix, const char *format,
                     ...) {
    va_list arguments;
    va_start(arguments, format);
    add(e, check, NFSAR_DOCTOR_UNKNOWN, fix, format, arguments);
    va_end(arguments);
}

void examine_wrong(struct examined *e, const char *check, enum nfsar_fault fault,
                   enum nfsar_doctor_certainty certainty, const char *fix, const char *format,
                   ...) {
    va_list arguments;
    va_start(arguments, format);
    nfsar_finding *finding = add(e, check, NFSAR_DOCTOR_WRONG, fix, format, arguments);
    if (finding != NULL) {
        finding->fault = fault;
        finding->certainty = certainty;
    }
    va_end(arguments);
}

/* ---- statistics ------------------------------------------------------------------------------ */

/* What a normal variable exceeds with probability p. */
static double normal_quantile(double p) {
    double low = -38.0, high = 38.0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (0.5 * erfc(middle / sqrt(2.0)) > p) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return 0.5 * (low + high);
}

double examine_mean_power(double n, double p) {
    double cube = 1.0 - 1.0 / (9.0 * n) + normal_quantile(p) / (3.0 * sqrt(n));
    return cube > 0.0 ? cube * cube * cube : 0.0;
}

double examine_binomial_bound(double k, double n, double p) {
    double share = k / n;
    if (!(share > p)) {
        return 1.0;
    }
    double divergence = share * log(share / p);
    if (share < 1.0) {
        divergence += (1.0 - share) * log((1.0 - share) / (1.0 - p));
    }
    return exp(-n * divergence);
}

/* ---- parts of a capture ---------------------------------------------------------------------- */

enum nfsar_status examine_part(const struct examined *e, const size_t *pulse, size_t n,
                               nfsar_capture *part, nfsar_error *error) {
    const nfsar_capture *all = e->capture;
    nfsar_array array = {0};
    enum nfsar_status status = nfsar_array_copy(&all->array, &array, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(n, all->n_sample, &array, true, part, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    /* The whole track: channels are sampled after the pulse's time. */
    nfsar_pose *pose = buffer_alloc(all->n_pose, sizeof *pose);
    double *time_s = buffer_alloc(all->n_pose, sizeof *time_s);
    if (pose == NULL || time_s == NULL) {
        free(pose);
        free(time_s);
        nfsar_capture_free(part);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu poses", all->n_pose);
    }
    free(part->pose);
    free(part->pose_time_s);
    part->pose = memcpy(pose, all->pose, all->n_pose * sizeof *pose);
    part->pose_time_s = memcpy(time_s, all->pose_time_s, all->n_pose * sizeof *time_s);
    part->n_pose = all->n_pose;
    memcpy(part->frequency_hz, all->frequency_hz, all->n_sample * sizeof *all->frequency_hz);
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        part->time_s[i] = all->time_s[pulse[i]];
        status =
            e->calibrated->read(e->calibrated->context, pulse[i], 1, 0, all->n_sample,
                                part->echo + i * part->array.n_channel * part->n_sample, error);
    }
    if (status != NFSAR_OK) {
        nfsar_capture_free(part);
    }
    return status;
}

static enum nfsar_status read_channel(void *context, size_t first_pulse, size_t n_pulse,
                                      size_t first_sample, size_t n_sample, float complex *out,
                                      nfsar_error *error) {
    (void)error;
    const struct channel_view *view = context;
    const nfsar_capture *part = view->part;
    for (size_t i = 0; i < n_pulse; i++) {
        size_t line = (first_pulse + i) * part->array.n_channel + view->channel;
        memcpy(out + i * n_sample, part->echo + line * part->n_sample + first_sample,
               n_sample * sizeof *out);
    }
    return NFSAR_OK;
}

void examine_channel(const nfsar_capture *part, size_t channel, struct channel_view *view) {
    *view = (struct channel_view){.part = part, .channel = channel, .view = *part};
    view->view.echo = NULL;
    view->view.array.n_channel = 1;
    view->view.array.channel += channel;
    view->view.array.channel_time_s += channel;
    view->source = (nfsar_echo_source){read_channel, view};
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* What is wrong elsewhere blurs too: fit and range are looked at where nothing else is wrong. */
static enum nfsar_status examine_wavefronts(struct examined *e, nfsar_error *error) {
    const size_t *wrong = &e->report->verdicts[NFSAR_DOCTOR_WRONG];
    enum nfsar_status status = examine_focus(e, error);
    if (status == NFSAR_OK && *wrong == 0 && !e->mirrored) {
        status = examine_channels(e, error);
    }
    if (status == NFSAR_OK && *wrong == 0 && !e->mirrored) {
        status = examine_offset(e, error);
    }
    return status;
}

static bool is_in_rows(const nfsar_capture *capture) {
    struct path_scan scan = {0};
    nfsar_path path = {0};
    bool made = path_scan_make(capture, &scan, &path, NULL) == NFSAR_OK;
    path_scan_free(&scan);
    nfsar_path_free(&path);
    return made;
}

enum nfsar_status nfsar_doctor_examine(const nfsar_capture *capture,
                                       const nfsar_echo_source *source,
                                       const nfsar_doctor_options *options,
                                       nfsar_doctor_report *report, const nfsar_progress *progress,
                                       nfsar_error *error) {
    nfsar_calibrated_source calibrated = {capture, *source, NULL};
    const nfsar_echo_source through = nfsar_calibrated(&calibrated);
    struct examined e = {.capture = capture,
                         .raw = source,
                         .calibrated = &through,
                         .report = report,
                         .peak_m = NAN,
                         .low_m = NAN,
                         .high_m = NAN};
    memset(report, 0, sizeof *report);
    if (options != NULL) {
        e.options = *options;
    }
    if (e.options.has_gate && !(e.options.gate[0] >= 0.0 && e.options.gate[1] > e.options.gate[0] &&
                                e.options.gate[1] < INFINITY)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "range gate %g to %g m: expected two distances that ascend from 0",
                          e.options.gate[0], e.options.gate[1]);
    }
    enum nfsar_status status = nfsar_capture_check(capture, error);
    if (status == NFSAR_OK && capture->gated.range_m[1] > 0.0) {
        status = nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                            "is gated, its samples obey no echo model: examine the capture that "
                            "was gated");
    }
    if (status == NFSAR_OK) {
        status = examine_samples(&e, progress, error);
    }
    if (status == NFSAR_OK && !e.not_finite) {
        status = examine_echo(&e, error);
    }
    if (status == NFSAR_OK) {
        status = examine_poses(&e, error);
    }
    if (status == NFSAR_OK) {
        status = examine_sampling(&e, error);
    }
    /* Real samples are half an image, and bend both ways. */
    if (status == NFSAR_OK && e.has_echo && !e.is_real) {
        status = examine_iq(&e, error);
    }
    if (status == NFSAR_OK && e.has_echo && !e.is_real && !e.poses_wrong) {
        status = examine_wavefronts(&e, error);
    }
    if (status == NFSAR_OK && e.has_echo && e.is_lattice) {
        report->in_rows = is_in_rows(capture);
    }
    nfsar_calibrated_free(&calibrated);
    return status;
}
