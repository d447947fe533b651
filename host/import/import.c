#include "host/import/import.h"

#include <libgen.h>
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/version.h>

#include "algorithms/lines.h"
#include "host/import/signal.h"
#include "host/import/survey.h"
#include "host/import/ti_cfg.h"
#include "host/import/units.h"
#include "host/locale.h"

/* Bytes of an array that are held at once. */
#define ARRAY_MEMORY ((size_t)256 << 20)

/* ---- opening ------------------------------------------------------------------------------- */

static enum nfsar_status out_of_memory(nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

/* The folder of a path, to be freed; "" for a bare name. */
static char *folder_of(const char *path) {
    if (strchr(path, '/') == NULL) {
        return strdup("");
    }
    char *copy = strdup(path);
    char *folder = copy != NULL ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

static const char *recording_name(const void *context, size_t i) {
    return recordings_name(context, i);
}

static enum nfsar_status plan_recordings(nfsar_import *import, nfsar_error *error) {
    const struct recordings *recordings = &import->recordings;
    uint64_t *bytes = calloc(recordings->n, sizeof *bytes);
    if (bytes == NULL) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < recordings->n; i++) {
        bytes[i] = recordings->item[i].size;
    }
    struct plan_sizes sizes = {recordings->n, bytes, recording_name, recordings};
    enum nfsar_status status = plan_raw(import->rig, &sizes, &import->plan, error);
    free(bytes);
    char missing[1024];
    if (status != NFSAR_OK && import->rig->scan != NULL && recordings->n != import->plan.rows &&
        recordings_gap(recordings, missing, sizeof missing) && error != NULL) {
        size_t used = strlen(error->message);
        snprintf(error->message + used, sizeof error->message - used, "; there is no %s", missing);
    }
    return status;
}

enum nfsar_status import_open_array(nfsar_import *import, size_t index, nfsar_error *error) {
    if (import->open_cube == index) {
        return NFSAR_OK;
    }
    cube_close(&import->cube);
    import->open_cube = SIZE_MAX;
    const struct recordings *recordings = &import->recordings;
    const char *path = recordings->part[recordings->item[index].first_part].path;
    enum nfsar_status status = cube_open(import->rig, path, ARRAY_MEMORY, &import->cube, error);
    if (status == NFSAR_OK && index > 0) {
        /* The others must be like the first. */
        struct plan plan = {.n_tx = import->plan.n_tx,
                            .n_rx = import->plan.n_rx,
                            .n_sample = import->plan.n_wave > 0 ? import->plan.n_wave
                                                                : import->plan.n_sample};
        status = cube_plan(import->rig, &import->cube, recordings->n, &plan, error);
        if (status == NFSAR_OK && import->plan.n_wave == plan.n_sample) {
            plan.n_sample = import->plan.n_sample;
        }
        bool longer = plan.positions != import->plan.positions && import->rig->poses == NULL;
        if (status == NFSAR_OK && (longer || plan.n_sample != import->plan.n_sample ||
                                   plan.loops != import->plan.loops)) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: has another shape than the first array, %s", path,
                                recordings_name(recordings, 0));
        }
        if (status != NFSAR_OK) {
            cube_close(&import->cube);
        }
    }
    if (status == NFSAR_OK) {
        import->open_cube = index;
    }
    return status;
}

static enum nfsar_status plan_arrays(nfsar_import *import, nfsar_error *error) {
    enum nfsar_status status = import_open_array(import, 0, error);
    if (status == NFSAR_OK) {
        status = cube_plan(import->rig, &import->cube, import->recordings.n, &import->plan, error);
    }
    const struct rig_pulsed *pulsed = import->rig->radar.pulsed;
    if (status == NFSAR_OK && pulsed != NULL) {
        import->plan.n_wave = import->plan.n_sample;
        status = waveform_size(pulsed, import->plan.n_wave, &import->waveform, error);
        import->plan.n_sample = import->waveform.n_bin;
    }
    const struct rig_poses *poses = import->rig->poses;
    size_t *pulses = poses != NULL ? calloc(import->recordings.n, sizeof *pulses) : NULL;
    if (status == NFSAR_OK && poses != NULL && pulses == NULL) {
        status = out_of_memory(error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < import->recordings.n; i++) {
        status = import_open_array(import, i, error);
        if (pulses != NULL) {
            pulses[i] = cube_size(&import->cube, RIG_DIMENSION_PULSE);
        }
    }
    if (status == NFSAR_OK && poses != NULL) {
        status = pose_table_read(poses, &import->recordings, pulses, &import->poses, error);
        import->plan.positions =
            import->poses.first != NULL ? import->poses.first[import->recordings.n] : 0;
    }
    free(pulses);
    return status;
}

static enum nfsar_status make_plan(nfsar_import *import, nfsar_array *array, nfsar_error *error) {
    struct rig *rig = import->rig;
    enum nfsar_status status = channels_make(rig, array, &import->channels, error);
    if (status != NFSAR_OK) {
        return status;
    }
    import->plan.n_tx = import->channels.n_tx;
    import->plan.n_rx = import->channels.n_rx;
    status = signal_samples(rig, &import->plan.n_sample, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (!rig_layout_is_raw(rig->layout)) {
        return plan_arrays(import, error);
    }
    bool pairs = rig->layout == RIG_LAYOUT_2LANE || rig->layout == RIG_LAYOUT_2LANE_REORDERED;
    if (pairs && import->plan.n_sample % 2 != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.samples: %zu is odd, but %s recordings hold samples in pairs",
                          import->plan.n_sample, rig_layout_name(rig->layout));
    }
    return plan_recordings(import, error);
}

static enum nfsar_status make_room(nfsar_import *import, nfsar_error *error) {
    const struct plan *plan = &import->plan;
    size_t line = plan->n_wave > plan->n_sample ? plan->n_wave : plan->n_sample;
    size_t samples = plan->n_tx * plan->n_rx * line, pulses = import->capture.n_pulse;
    size_t threads = rig_layout_is_raw(import->rig->layout) ? (size_t)omp_get_max_threads() : 1;
    import->n_reader = threads < pulses ? threads : pulses;
    import->reader = calloc(import->n_reader, sizeof *import->reader);
    bool made = import->reader != NULL;
    for (size_t i = 0; import->reader != NULL && i < import->n_reader; i++) {
        import->reader[i].window = RECORDING_WINDOW_CLOSED;
        import->reader[i].look = malloc(samples * sizeof(float complex));
        made = made && import->reader[i].look != NULL;
    }
    if (made && import->rig->radar.pulsed != NULL) {
        return waveform_open(import->rig->radar.pulsed, &import->waveform, error);
    }
    return made ? NFSAR_OK : out_of_memory(error);
}

static enum nfsar_status note(nfsar_import *import, nfsar_error *error) {
    const struct rig *rig = import->rig;
    const struct recordings *recordings = &import->recordings;
    nfsar_capture *capture = &import->capture;
    const char *last = recordings_name(recordings, recordings->n - 1);
    enum nfsar_status status = nfsar_capture_note(
        capture, error, "nfsar %s import %s: %zu recording%s, %s%s%s; layout %s%s; %zu pulse%s",
        NFSAR_VERSION, import->rig_path, recordings->n, recordings->n > 1 ? "s" : "",
        recordings_name(recordings, 0), recordings->n > 1 ? " .. " : "",
        recordings->n > 1 ? last : "", rig_layout_name(rig->layout),
        rig_flag(rig->q_first, false) ? ", Q first" : "", capture->n_pulse,
        capture->n_pulse == 1 ? "" : "s");
    if (status == NFSAR_OK && rig->conjugate) {
        status = nfsar_capture_note(capture, error,
                                    "import: samples conjugated, as the recording has the other "
                                    "sign (conjugate: true)");
    }
    if (status == NFSAR_OK && rig->poses != NULL && rig->poses->reference_range_m != NULL) {
        status = nfsar_capture_note(capture, error,
                                    "import: motion compensation undone: samples multiplied by "
                                    "exp(+j 2 k %s)",
                                    rig->poses->reference_range_m);
    }
    if (status == NFSAR_OK && rig->poses != NULL && rig->poses->correct != NULL) {
        const struct rig_correct *correct = rig->poses->correct;
        status = nfsar_capture_note(capture, error,
                                    "import: the recording's own autofocus applied: range %s, "
                                    "phase %s",
                                    correct->range_m != NULL ? correct->range_m : "as it is",
                                    correct->phase_rad != NULL ? correct->phase_rad : "as it is");
    }
    if (status == NFSAR_OK && rig->radar.pulsed != NULL) {
        status =
            nfsar_capture_note(capture, error,
                               "import: waveforms of %zu samples from %g m, %g m apart, turned "
                               "to %zu lines of their spectrum, conjugated",
                               import->plan.n_wave, *rig->radar.pulsed->first_range_m,
                               *rig->radar.pulsed->step_m, capture->n_sample);
    }
    if (status == NFSAR_OK && capture->calibration.channel_delay_s != NULL) {
        status = nfsar_capture_note(capture, error,
                                    "import: instrument delay %g s stored as channel delay, not "
                                    "taken out of the samples",
                                    signal_delay(rig));
    }
    return status;
}

static enum nfsar_status make_capture(nfsar_import *import, nfsar_array *array,
                                      nfsar_error *error) {
    const struct recordings *recordings = &import->recordings;
    nfsar_capture *capture = &import->capture;
    enum nfsar_status status = scan_path_make(import->rig, &import->plan, &import->path, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(plan_pulses(&import->plan), import->plan.n_sample, array,
                                      false, capture, error);
    }
    if (status == NFSAR_OK) {
        status =
            scan_path_fill(&import->path, &import->plan, import->channels.line, capture, error);
    }
    if (status == NFSAR_OK && import->rig->poses != NULL) {
        status = pose_table_fill(&import->poses, capture, error);
    }
    if (status == NFSAR_OK) {
        status = signal_fill(import->rig, recordings->part[0].path, capture, error);
    }
    if (status == NFSAR_OK) {
        for (size_t i = 0; import->rig->radar.pulsed != NULL && i < capture->n_sample; i++) {
            capture->frequency_hz[i] =
                import->waveform.step_hz * (double)(import->waveform.first_bin + i);
        }
        status = signal_calibrate(import->rig, capture, error);
    }
    if (status == NFSAR_OK) {
        status = units_check_band(import->rig, capture, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_check(capture, error);
    }
    return status == NFSAR_OK ? note(import, error) : status;
}

enum nfsar_status import_warn(nfsar_import *import, nfsar_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    enum nfsar_status status =
        lines_append(&import->warning, &import->n_warning, error, format, arguments);
    va_end(arguments);
    return status;
}

/* The line arrays of the presets are made for 79 GHz, a single antenna for any. */
static enum nfsar_status warn_of_wavelength(nfsar_import *import, nfsar_error *error) {
    const nfsar_capture *capture = &import->capture;
    const char *preset = import->rig->array.preset;
    double centre = 0.5 * (capture->frequency_hz[0] + capture->frequency_hz[capture->n_sample - 1]);
    double ratio = centre / 79e9;
    if (preset == NULL || capture->array.n_channel < 2 || (ratio > 1.0 / 1.1 && ratio < 1.1)) {
        return NFSAR_OK;
    }
    return import_warn(import, error,
                       "array.preset %s has the spacings of 79 GHz, but the band's centre is %.3g "
                       "GHz: give tx_m and rx_m of this board",
                       preset, centre * 1e-9);
}

static enum nfsar_status warn_of_steps(nfsar_import *import, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    double wavelength = NFSAR_SPEED_OF_LIGHT / import->capture.frequency_hz[0];
    const struct {
        const char *key;
        double step;
        size_t count;
    } steps[] = {{"scan.step_m", import->path.step_m, import->plan.positions},
                 {"scan.row_step_m", import->path.row_step_m, import->plan.rows}};
    for (size_t i = 0; status == NFSAR_OK && i < 2; i++) {
        double ratio = fabs(steps[i].step) / wavelength;
        if (steps[i].count > 1 && ratio > 5.0) {
            status = import_warn(import, error,
                                 "%s is %.3g m, which is %.3g wavelengths: is it given in metres?",
                                 steps[i].key, steps[i].step, ratio);
        }
    }
    return status;
}

/* What is possible but looks like a slip of the pen. */
static enum nfsar_status warn_of_description(nfsar_import *import, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    char missing[1024];
    if (recordings_gap(&import->recordings, missing, sizeof missing)) {
        status = import_warn(
            import, error, "the numbers of the recordings leave one out: there is no %s", missing);
    }
    double period = rig_number(import->rig->radar.frame_period_s, 0.0);
    if (status == NFSAR_OK && period > 10.0) {
        status = import_warn(import, error,
                             "radar.frame_period_s is %.3g s from one frame to the next: is it "
                             "given in ms?",
                             period);
    }
    if (status == NFSAR_OK) {
        status = warn_of_wavelength(import, error);
    }
    return status == NFSAR_OK ? warn_of_steps(import, error) : status;
}

static enum nfsar_status open_all(nfsar_import *import, nfsar_error *error) {
    nfsar_array array = {0};
    struct rig *rig = import->rig;
    enum nfsar_status status = NFSAR_OK;
    if (rig->radar.cfg != NULL) {
        status = ti_cfg_apply(import->folder, rig, error);
    }
    if (status == NFSAR_OK) {
        bool join = rig_layout_is_raw(rig->layout) && rig_flag(rig->files.joined, true);
        status = recordings_find(&rig->files, import->folder, join, &import->recordings, error);
    }
    if (status == NFSAR_OK) {
        status = make_plan(import, &array, error);
    }
    if (status == NFSAR_OK) {
        status = make_capture(import, &array, error);
    }
    if (status == NFSAR_OK) {
        status = make_room(import, error);
    }
    if (status == NFSAR_OK) {
        status = warn_of_description(import, error);
    }
    nfsar_array_free(&array);
    return status;
}

enum nfsar_status nfsar_import_open(const char *rig_path, const char *data_folder,
                                    nfsar_import **import, nfsar_error *error) {
    PLAIN_NUMBERS;
    *import = NULL;
    nfsar_import *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return out_of_memory(error);
    }
    made->open_cube = SIZE_MAX;
    made->rig_path = strdup(rig_path);
    made->folder = data_folder != NULL ? strdup(data_folder) : folder_of(rig_path);
    enum nfsar_status status = made->rig_path == NULL || made->folder == NULL
                                   ? out_of_memory(error)
                                   : rig_load(rig_path, &made->rig, error);
    if (status == NFSAR_OK) {
        status = open_all(made, error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", rig_path);
        }
    }
    if (status != NFSAR_OK) {
        nfsar_import_close(made);
        return status;
    }
    *import = made;
    return NFSAR_OK;
}

void nfsar_import_close(nfsar_import *import) {
    if (import == NULL) {
        return;
    }
    cube_close(&import->cube);
    waveform_close(&import->waveform);
    recordings_free(&import->recordings);
    channels_free(&import->channels);
    pose_table_free(&import->poses);
    nfsar_capture_free(&import->capture);
    survey_free(import->survey);
    lines_free(import->warning, import->n_warning);
    rig_free(import->rig);
    free(import->rig_path);
    free(import->folder);
    for (size_t i = 0; import->reader != NULL && i < import->n_reader; i++) {
        recording_window_close(&import->reader[i].window);
        free(import->reader[i].look);
    }
    free(import->reader);
    free(import);
}

const char *const *nfsar_import_warnings(const nfsar_import *import, size_t *n) {
    *n = import->n_warning;
    return (const char *const *)import->warning;
}

const nfsar_capture *nfsar_import_header(const nfsar_import *import) {
    return &import->capture;
}
