/* What was understood, in words. */
#include "host/import/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/picture.h>
#include <nfsar/range.h>

#include "host/import/signal.h"
#include "host/import/survey.h"

static void explain_files(const nfsar_import *import, FILE *stream) {
    const struct recordings *recordings = &import->recordings;
    fprintf(stream, "files       %zu recording%s, %s:", recordings->n, recordings->n > 1 ? "s" : "",
            import->rig->files.holds == RIG_HOLDS_ROW ? "each a row" : "the whole scan");
    for (size_t i = 0; i < recordings->n; i++) {
        if (recordings->n > 6 && i >= 3 && i + 1 < recordings->n) {
            if (i == 3) {
                fprintf(stream, " ...");
            }
            continue;
        }
        fprintf(stream, " %s", recordings_name(recordings, i));
        if (recordings->item[i].n_part > 1) {
            fprintf(stream, " (+%zu parts)", recordings->item[i].n_part - 1);
        }
    }
    fputc('\n', stream);
}

static const char *layout_words(enum rig_layout layout, bool q_first) {
    static const char *const words[][2] = {
        [RIG_LAYOUT_4LANE] = {"I0 I1 I2 I3 Q0 Q1 Q2 Q3 of each sample",
                              "Q0 Q1 Q2 Q3 I0 I1 I2 I3 of each sample"},
        [RIG_LAYOUT_2LANE] = {"receiver after receiver, I0 I1 Q0 Q1 of two samples",
                              "receiver after receiver, Q0 Q1 I0 I1 of two samples"},
        [RIG_LAYOUT_4LANE_REORDERED] = {"I0 Q0 I1 Q1 I2 Q2 I3 Q3 of each sample",
                                        "Q0 I0 Q1 I1 Q2 I2 Q3 I3 of each sample"},
        [RIG_LAYOUT_2LANE_REORDERED] = {"receiver after receiver, I Q of each sample",
                                        "receiver after receiver, Q I of each sample"},
        [RIG_LAYOUT_TSW1400] = {"offset binary, I0 Q0 I1 Q1 ... of each sample",
                                "offset binary, Q0 I0 Q1 I1 ... of each sample"},
    };
    return words[layout][q_first];
}

static void explain_layout(const nfsar_import *import, FILE *stream) {
    const struct rig *rig = import->rig;
    const struct plan *plan = &import->plan;
    fprintf(stream, "layout      %s: ", rig_layout_name(rig->layout));
    if (rig_layout_is_raw(rig->layout)) {
        char arithmetic[256];
        plan_arithmetic(plan, arithmetic, sizeof arithmetic);
        fprintf(stream, "%s%s\nsize        %s bytes%s%s\n",
                layout_words(rig->layout, rig_flag(rig->q_first, false)),
                rig->conjugate ? ", conjugated" : "", arithmetic,
                import->recordings.n > 1 ? " in each recording" : "",
                plan->positions_found                     ? " (positions found from the size)"
                : plan->rows_found && plan->rows_here > 1 ? " (rows found from the size)"
                                                          : "");
        return;
    }
    for (size_t i = 0; i < import->cube.n_axis; i++) {
        fprintf(stream, "%s%s %zu", i > 0 ? " x " : "", rig_dimension_name(import->cube.axis[i]),
                import->cube.size[i]);
    }
    fprintf(stream, "%s\n", rig->conjugate ? ", conjugated" : "");
}

static void explain_pulses(const nfsar_import *import, FILE *stream) {
    const struct plan *plan = &import->plan;
    static const char *const ways[] = {[RIG_REPEATS_MEAN] = "averaged",
                                       [RIG_REPEATS_FIRST] = "of which the first is taken",
                                       [RIG_REPEATS_EACH] = "each a pulse"};
    fprintf(stream, "pulses      %zu = %zu row%s x %zu position%s", import->capture.n_pulse,
            plan->rows, plan->rows > 1 ? "s" : "", plan->positions, plan->positions > 1 ? "s" : "");
    if (plan_looks(plan) > 1) {
        fprintf(stream, ", %zu measurements at each, %s", plan_looks(plan), ways[plan->repeats]);
    }
    if (rig_layout_is_raw(import->rig->layout) &&
        plan->frames_per_row != plan->positions * plan->per_position) {
        fprintf(stream, "; of the %zu frames of a row %zu are skipped, then %zu used",
                plan->frames_per_row, plan->skip, plan->positions * plan->per_position);
    }
    fputc('\n', stream);
}

static void explain_waveform(const nfsar_import *import, FILE *stream) {
    const nfsar_capture *capture = &import->capture;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < capture->n_sample; i++) {
        low = fmin(low, capture->frequency_hz[i]);
        high = fmax(high, capture->frequency_hz[i]);
    }
    fprintf(stream,
            "waveform    %zu frequencies, %.3f .. %.3f GHz, centre %.3f GHz, wavelength "
            "%.3f mm\n",
            capture->n_sample, low * 1e-9, high * 1e-9, 0.5e-9 * (low + high),
            1e3 * NFSAR_SPEED_OF_LIGHT / (0.5 * (low + high)));
    if (capture->n_sample < 2) {
        return;
    }
    double resolution = nfsar_range_resolution(capture);
    double unambiguous = nfsar_range_unambiguous(capture);
    if (!isfinite(resolution)) {
        return;
    }
    fprintf(stream, "range       resolution %.2f mm, ", 1e3 * resolution);
    if (capture->has_fmcw) {
        fprintf(stream,
                "at most %.2f m (half the sample rate; %.2f m where the receiver's filter "
                "suppresses the negative side)\n",
                0.5 * unambiguous, unambiguous);
    } else {
        fprintf(stream, "repeats after %.2f m\n", unambiguous);
    }
}

static void explain_array(const nfsar_import *import, FILE *stream) {
    const nfsar_array *array = &import->capture.array;
    const struct rig_array *rig = &import->rig->array;
    fprintf(stream, "array       %s%s: %zu Tx x %zu Rx = %zu channel%s",
            rig->preset != NULL ? rig->preset : "own positions",
            rig->upside_down ? ", upside down" : "", array->n_tx, array->n_rx, array->n_channel,
            array->n_channel == 1 ? "" : "s");
    if (array->n_channel > 1) {
        nfsar_vec3 first = nfsar_array_phase_centre(array, 0);
        nfsar_vec3 last = nfsar_array_phase_centre(array, array->n_channel - 1);
        fprintf(stream, ", phase centres from (%.3f, %.3f) to (%.3f, %.3f) mm", 1e3 * first.x,
                1e3 * first.y, 1e3 * last.x, 1e3 * last.y);
    }
    double last = array->channel_time_s[array->n_channel - 1];
    if (last > 0.0) {
        fprintf(stream, ", sampled %.1f .. %.1f us after the pulse", 1e6 * array->channel_time_s[0],
                1e6 * last);
    }
    fputc('\n', stream);
}

static void explain_scan(const nfsar_import *import, FILE *stream) {
    const struct scan_path *path = &import->path;
    const struct plan *plan = &import->plan;
    if (import->rig->poses != NULL) {
        const struct rig_poses *poses = import->rig->poses;
        const nfsar_vec3 a = import->capture.pose[0].position;
        const nfsar_vec3 b = import->capture.pose[import->capture.n_pose - 1].position;
        fprintf(stream,
                "poses       (%s, %s, %s), from (%.3f, %.3f, %.3f) to (%.3f, %.3f, %.3f) m%s%s\n",
                poses->position_m[0], poses->position_m[1], poses->position_m[2], a.x, a.y, a.z,
                b.x, b.y, b.z, poses->reference_range_m != NULL ? "; range from " : "",
                poses->reference_range_m != NULL ? poses->reference_range_m : "");
        return;
    }
    if (path->still) {
        fprintf(stream, "scan        none: the radar stood still\n");
        return;
    }
    const char *along = path->along == RIG_ALONG_X ? "x" : "y";
    const char *across = path->along == RIG_ALONG_X ? "y" : "x";
    double end = path->first_m + path->step_m * (double)(plan->positions - 1);
    double last_row = path->first_row_m + path->row_step_m * (double)(plan->rows - 1);
    fprintf(stream,
            "scan        rows along %s, %s, %s: %s from %.2f to %.2f mm in steps of %.4f mm, %s "
            "from %.2f to %.2f mm in steps of %.4f mm, z = %.2f mm\n",
            along, path->serpentine ? "serpentine" : "raster",
            path->moving ? "fly-by" : "stop-and-go", along, 1e3 * path->first_m, 1e3 * end,
            1e3 * path->step_m, across, 1e3 * path->first_row_m, 1e3 * last_row,
            1e3 * path->row_step_m, 1e3 * path->z_m);
}

static void explain_clock(const nfsar_import *import, FILE *stream) {
    const nfsar_capture *capture = &import->capture;
    if (!import->path.has_clock) {
        fprintf(stream, "clock       no frame_period_s: frames are counted in seconds\n");
        return;
    }
    fprintf(stream, "clock       a frame every %g ms, a row every %g s, %.3f s in all\n",
            1e3 * import->path.frame_period_s, import->path.row_period_s,
            capture->time_s[capture->n_pulse - 1] - capture->time_s[0]);
}

static void explain_calibration(const nfsar_import *import, FILE *stream) {
    const nfsar_calibration *calibration = &import->capture.calibration;
    double delay = signal_delay(import->rig);
    if (calibration->channel_delay_s == NULL && calibration->channel_gain == NULL) {
        fprintf(stream, "calibration none\n");
        return;
    }
    fprintf(stream,
            "calibration instrument delay %.4g ns = %.2f mm of range%s%s; stored, not applied\n",
            1e9 * delay, 1e3 * 0.5 * NFSAR_SPEED_OF_LIGHT * delay,
            import->rig->calibration.channel_delay_s != NULL ? ", delay of each channel" : "",
            calibration->channel_gain != NULL ? ", gain of each channel" : "");
}

/* The strongest local maxima in front of the radar, farthest apart enough to be echoes of their
 * own. */
static void explain_peaks(const struct survey *survey, FILE *stream) {
    size_t shown = 0;
    double below = INFINITY;
    fprintf(stream, "echoes     ");
    while (shown < 3) {
        size_t best = 0;
        for (size_t i = survey->zero + 1; i + 1 < survey->n_bin; i++) {
            double p = survey->power_db[i];
            if (p < below && p >= survey->power_db[i - 1] && p > survey->power_db[i + 1] &&
                (best == 0 || p > survey->power_db[best])) {
                best = i;
            }
        }
        if (best == 0 || survey->power_db[best] < survey->median_db + 6.0) {
            break;
        }
        below = survey->power_db[best];
        fprintf(stream, "%s %.4f m (bin %.1f, %.1f dB)", shown > 0 ? "," : "",
                survey->range_m[best], (double)(best - survey->zero) / PROFILE_PADDING, below);
        shown++;
    }
    fprintf(stream, "%s; median %.1f dB\n", shown > 0 ? "" : " none", survey->median_db);
}

static void explain_samples(const nfsar_import *import, FILE *stream) {
    const struct survey *survey = import->survey;
    if (survey == NULL) {
        return;
    }
    if (survey->n_bin > 0) {
        explain_peaks(survey, stream);
    } else if (survey->range_m == NULL) {
        fprintf(stream, "echoes      no range profile: the frequencies are not evenly spaced\n");
    }
    if (survey->row_same >= 0.0) {
        fprintf(stream,
                "rows        neighbours correlate %.2f in the same direction, %.2f reversed\n",
                survey->row_same, survey->row_reversed);
    }
}

void nfsar_import_explain(const nfsar_import *import, FILE *stream) {
    fprintf(stream, "rig         %s%s%s\n", import->rig_path,
            import->capture.model[0] != '\0' ? ", " : "", import->capture.model);
    explain_files(import, stream);
    explain_layout(import, stream);
    explain_pulses(import, stream);
    explain_waveform(import, stream);
    explain_array(import, stream);
    explain_scan(import, stream);
    explain_clock(import, stream);
    explain_calibration(import, stream);
    explain_samples(import, stream);
    for (size_t i = 0; i < import->n_warning; i++) {
        fprintf(stream, "warning     %s\n", import->warning[i]);
    }
}

/* ---- picture ------------------------------------------------------------------------------- */

/* Bins to show: where the echoes are, with as much again behind them, and the same on the negative
 * side of a chirp. */
static void choose_window(const struct survey *survey, size_t *first, size_t *last) {
    size_t far = 0;
    for (size_t i = 0; i < survey->n_bin; i++) {
        size_t away = i > survey->zero ? i - survey->zero : survey->zero - i;
        far = survey->power_db[i] > -15.0 && away > far ? away : far;
    }
    far = 3 * far / 2 + 32 * PROFILE_PADDING;
    *first = survey->zero > far ? survey->zero - far : 0;
    *last = survey->zero + far < survey->n_bin ? survey->zero + far : survey->n_bin - 1;
}

/* Two curves that share the axis: what is in front, and the side that should be empty. */
static enum nfsar_status draw(const struct survey *survey, const char *title, size_t first,
                              size_t n, const char *path, nfsar_error *error) {
    double *front = calloc(n, sizeof *front), *behind = calloc(n, sizeof *behind);
    enum nfsar_status status = NFSAR_ERROR_MEMORY;
    if (front != NULL && behind != NULL) {
        for (size_t i = 0; i < n; i++) {
            double power = survey->power_db[first + i];
            front[i] = first + i >= survey->zero ? power : (double)NAN;
            behind[i] = first + i <= survey->zero ? power : (double)NAN;
        }
        const nfsar_curve curves[] = {{"echoes", front},
                                      {"negative side: should hold only weak images", behind}};
        status = nfsar_picture_curves(title, "range (m)", "power (dB)", survey->range_m + first, n,
                                      curves, survey->two_sided ? 2 : 1, path, error);
    } else {
        nfsar_fail(error, status, "out of memory");
    }
    free(front);
    free(behind);
    return status;
}

enum nfsar_status nfsar_import_picture(const nfsar_import *import, const char *path,
                                       nfsar_error *error) {
    const struct survey *survey = import->survey;
    if (survey == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "no survey was made of the samples");
    }
    if (survey->n_bin == 0) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "%s: there is no range profile: %s", path,
                          survey->range_m != NULL
                              ? "all samples are zero"
                              : "the frequencies are not evenly spaced, or fewer than four");
    }
    char title[256];
    const char *name = strrchr(import->rig_path, '/');
    snprintf(title, sizeof title, "%s: range profile, mean of %zu pulses x %zu channels",
             name != NULL ? name + 1 : import->rig_path, survey->n_profile, import->channels.n);
    size_t first = 0, last = 0;
    choose_window(survey, &first, &last);
    return draw(survey, title, first, last - first + 1, path, error);
}
