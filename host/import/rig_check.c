/* The meaning of a rig file: finite numbers, counts in range, keys that go together. What depends
 * on the sizes of the recordings is checked in plan.c. */
#include "host/import/rig.h"

#include <math.h>

#include "host/import/units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Larger counts are mistakes: at one byte each they would not fit any disk. */
#define COUNT_LIMIT ((uint64_t)1 << 40)

struct number_key {
    const char *key;
    const double *first;
    size_t n;
};

static enum nfsar_status check_numbers(const struct rig *rig, nfsar_error *error) {
    const struct rig_radar *radar = &rig->radar;
    const struct rig_calibration *calibration = &rig->calibration;
    static const struct rig_scan no_scan;
    const struct rig_scan *scan = rig->scan != NULL ? rig->scan : &no_scan;
    const double *tx_m = rig->array.n_tx_m > 0 ? rig->array.tx_m[0] : NULL;
    const double *rx_m = rig->array.n_rx_m > 0 ? rig->array.rx_m[0] : NULL;
    const double *gain = calibration->n_channel_gain > 0 ? calibration->channel_gain[0] : NULL;
    static const struct rig_pulsed no_pulsed;
    const struct rig_pulsed *pulsed = radar->pulsed != NULL ? radar->pulsed : &no_pulsed;
    const struct number_key keys[] = {
        {"radar.pulsed.first_range_m", pulsed->first_range_m, 1},
        {"radar.pulsed.step_m", pulsed->step_m, 1},
        {"radar.pulsed.low_hz", pulsed->low_hz, 1},
        {"radar.pulsed.high_hz", pulsed->high_hz, 1},
        {"radar.start_frequency_hz", radar->start_frequency_hz, 1},
        {"radar.slope_hz_per_s", radar->slope_hz_per_s, 1},
        {"radar.adc_start_s", radar->adc_start_s, 1},
        {"radar.sample_rate_hz", radar->sample_rate_hz, 1},
        {"radar.first_frequency_hz", radar->first_frequency_hz, 1},
        {"radar.frequency_step_hz", radar->frequency_step_hz, 1},
        {"radar.frequencies_hz", radar->frequency_list, radar->n_frequency_list},
        {"radar.chirp_period_s", radar->chirp_period_s, 1},
        {"radar.frame_period_s", radar->frame_period_s, 1},
        {"array.tx_m", tx_m, 3 * (size_t)rig->array.n_tx_m},
        {"array.rx_m", rx_m, 3 * (size_t)rig->array.n_rx_m},
        {"scan.step_m", scan->step_m, 1},
        {"scan.row_step_m", scan->row_step_m, 1},
        {"scan.speed_m_per_s", scan->speed_m_per_s, 1},
        {"scan.row_period_s", scan->row_period_s, 1},
        {"scan.centre_m", scan->centre_m, scan->n_centre_m},
        {"scan.start_m", scan->start_m, scan->n_start_m},
        {"scan.z_m", scan->z_m, 1},
        {"calibration.delay_s", calibration->delay_s, 1},
        {"calibration.range_bias_m", calibration->range_bias_m, 1},
        {"calibration.channel_delay_s", calibration->channel_delay_s,
         calibration->n_channel_delay_s},
        {"calibration.channel_gain", gain, 2 * (size_t)calibration->n_channel_gain},
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        for (size_t j = 0; keys[i].first != NULL && j < keys[i].n; j++) {
            if (!isfinite(keys[i].first[j])) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %g is not a finite number",
                                  keys[i].key, keys[i].first[j]);
            }
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_counts(const struct rig *rig, nfsar_error *error) {
    const struct rig_frames *frames = &rig->frames;
    const uint64_t *positions = rig->scan != NULL ? rig->scan->positions : NULL;
    const uint64_t *rows = rig->scan != NULL ? rig->scan->rows : NULL;
    const struct {
        const char *key;
        const uint64_t *value;
        uint64_t least;
    } keys[] = {
        {"radar.samples", rig->radar.samples, 1},
        {"frames.loops", frames->loops, 1},
        {"frames.per_position", frames->per_position, 1},
        {"frames.per_row", frames->per_row, 1},
        {"frames.skip", frames->skip, 0},
        {"frames.lead", frames->lead, 0},
        {"files.header_bytes", rig->files.header_bytes, 0},
        {"scan.positions", positions, 1},
        {"scan.rows", rows, 1},
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (keys[i].value != NULL &&
            (*keys[i].value < keys[i].least || *keys[i].value > COUNT_LIMIT)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %llu cannot be; at least %llu",
                              keys[i].key, (unsigned long long)*keys[i].value,
                              (unsigned long long)keys[i].least);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_periods(const struct rig *rig, nfsar_error *error) {
    const struct {
        const char *key;
        const double *value;
    } keys[] = {
        {"radar.chirp_period_s", rig->radar.chirp_period_s},
        {"radar.frame_period_s", rig->radar.frame_period_s},
        {"radar.sample_rate_hz", rig->radar.sample_rate_hz},
        {"scan.row_period_s", rig->scan != NULL ? rig->scan->row_period_s : NULL},
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (keys[i].value != NULL && !(*keys[i].value > 0.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %g: must be positive", keys[i].key,
                              *keys[i].value);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_files(const struct rig *rig, nfsar_error *error) {
    const struct rig_files *files = &rig->files;
    if ((files->pattern != NULL) == (files->list != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files: give either pattern (such as scan*_Raw_*.bin) or list");
    }
    bool raw = rig_layout_is_raw(rig->layout);
    const char *layout = rig_layout_name(rig->layout);
    if (raw && (files->axes != NULL || files->variable != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.%s: only for layout mat or npy, but the layout is %s",
                          files->axes != NULL ? "axes" : "variable", layout);
    }
    if (!raw && files->axes == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.axes: is missing; name each axis of the array, such as "
                          "[sample, rx, tx, x, y]");
    }
    if (rig->layout == RIG_LAYOUT_NPY && files->variable != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.variable: a .npy file holds one array without a name");
    }
    const struct {
        const char *key;
        bool given;
    } raw_only[] = {
        {"files.header_bytes", files->header_bytes != NULL},
        {"files.ignore_rest", files->ignore_rest},
        {"q_first", rig->q_first != NULL},
        {"frames.per_position", rig->frames.per_position != NULL},
        {"frames.per_row", rig->frames.per_row != NULL},
        {"frames.skip", rig->frames.skip != NULL},
        {"frames.lead", rig->frames.lead != NULL},
    };
    for (size_t i = 0; !raw && i < COUNT(raw_only); i++) {
        if (raw_only[i].given) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: only for raw recordings, but the layout is %s", raw_only[i].key,
                              layout);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_pulsed(const struct rig *rig, nfsar_error *error) {
    const struct rig_pulsed *pulsed = rig->radar.pulsed;
    const struct {
        const char *key;
        const double *value;
        bool may_be_zero;
    } keys[] = {{"first_range_m", pulsed->first_range_m, true},
                {"step_m", pulsed->step_m, false},
                {"low_hz", pulsed->low_hz, false},
                {"high_hz", pulsed->high_hz, false}};
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (keys[i].value == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "radar.pulsed.%s: is missing; waveforms need first_range_m, step_m, "
                              "low_hz and high_hz",
                              keys[i].key);
        }
        if (!(*keys[i].value > 0.0 || (keys[i].may_be_zero && *keys[i].value == 0.0))) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "radar.pulsed.%s: %g: must be positive",
                              keys[i].key, *keys[i].value);
        }
    }
    if (!(*pulsed->high_hz > *pulsed->low_hz)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.pulsed.high_hz: %g Hz is not above low_hz, %g Hz",
                          *pulsed->high_hz, *pulsed->low_hz);
    }
    if (rig_layout_is_raw(rig->layout) || rig->conjugate) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.pulsed: waveforms are arrays of real numbers (layout npy or mat), "
                          "and not conjugated");
    }
    return NFSAR_OK;
}

static enum nfsar_status check_radar(const struct rig *rig, nfsar_error *error) {
    const struct rig_radar *radar = &rig->radar;
    bool chirp = radar->start_frequency_hz != NULL || radar->slope_hz_per_s != NULL ||
                 radar->sample_rate_hz != NULL || radar->adc_start_s != NULL;
    bool stepped = radar->first_frequency_hz != NULL || radar->frequency_step_hz != NULL;
    int ways = chirp + stepped + (radar->frequency_list != NULL) +
               (radar->frequency_variable != NULL) + (radar->cfg != NULL) +
               (radar->waveform != NULL) + (radar->pulsed != NULL);
    if (ways != 1) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "radar: say in one way which frequency each sample has: cfg (a TI .cfg "
            "file); waveform (a preset); start_frequency_hz, slope_hz_per_s, adc_start_s and "
            "sample_rate_hz; first_frequency_hz and frequency_step_hz; "
            "frequencies_hz; frequency_variable; or pulsed (waveforms along range)");
    }
    if (radar->pulsed != NULL) {
        return check_pulsed(rig, error);
    }
    if (chirp && (radar->start_frequency_hz == NULL || radar->slope_hz_per_s == NULL ||
                  radar->sample_rate_hz == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.%s: is missing; a chirp needs start_frequency_hz, slope_hz_per_s, "
                          "sample_rate_hz and adc_start_s",
                          radar->start_frequency_hz == NULL ? "start_frequency_hz"
                          : radar->slope_hz_per_s == NULL   ? "slope_hz_per_s"
                                                            : "sample_rate_hz");
    }
    if (chirp && *radar->slope_hz_per_s == 0.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "radar.slope_hz_per_s: must not be zero");
    }
    if (stepped && (radar->first_frequency_hz == NULL || radar->frequency_step_hz == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.%s: is missing; first_frequency_hz and frequency_step_hz go "
                          "together",
                          radar->first_frequency_hz == NULL ? "first_frequency_hz"
                                                            : "frequency_step_hz");
    }
    if (radar->frequency_variable != NULL && rig->layout != RIG_LAYOUT_MAT) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.frequency_variable: only for layout mat");
    }
    if (rig_layout_is_raw(rig->layout) && radar->samples == NULL && radar->cfg == NULL &&
        radar->frequency_list == NULL && radar->waveform == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.samples: is missing: the number of complex samples of a chirp");
    }
    return NFSAR_OK;
}

static enum nfsar_status check_array(const struct rig *rig, nfsar_error *error) {
    const struct rig_array *array = &rig->array;
    bool custom = array->tx_m != NULL || array->rx_m != NULL;
    if (custom == (array->preset != NULL) ||
        (custom && (array->tx_m == NULL || array->rx_m == NULL))) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "array: give either preset, or both tx_m and rx_m (lists of [x, y, z])");
    }
    if (custom && array->along != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "array.along: only with a preset; tx_m and rx_m say it all");
    }
    return NFSAR_OK;
}

static enum nfsar_status check_scan(const struct rig *rig, nfsar_error *error) {
    const struct rig_scan *scan = rig->scan;
    if (scan == NULL) {
        return rig->files.holds == RIG_HOLDS_ROW
                   ? nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "scan: is missing, but files.holds is row")
                   : NFSAR_OK;
    }
    if (scan->centre_m != NULL && scan->start_m != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "scan: give centre_m or start_m, not both");
    }
    if (scan->step_m != NULL && scan->speed_m_per_s != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan: give step_m or speed_m_per_s, not both");
    }
    if (scan->speed_m_per_s != NULL && scan->motion != RIG_MOTION_FLY_BY) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "scan.speed_m_per_s: only with motion: fly-by; stop-and-go has step_m");
    }
    if (scan->motion == RIG_MOTION_FLY_BY && rig_count(rig->frames.per_position, 1) != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "frames.per_position: must be 1 in a fly-by, where each frame has a "
                          "position of its own");
    }
    return NFSAR_OK;
}

static bool has_axis(const struct rig *rig, enum rig_dimension axis) {
    for (unsigned i = 0; i < rig->files.n_axes; i++) {
        if (rig->files.axes[i] == axis) {
            return true;
        }
    }
    return false;
}

static enum nfsar_status check_poses(const struct rig *rig, nfsar_error *error) {
    const struct rig_poses *poses = rig->poses;
    if (poses == NULL) {
        return NFSAR_OK;
    }
    if (rig->scan != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "poses: give either scan or poses, not both");
    }
    if (rig->layout != RIG_LAYOUT_MAT) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "poses: only for layout mat, but the layout is %s",
                          rig_layout_name(rig->layout));
    }
    if (poses->position_m == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "poses.position_m: is missing: the variables of x, y and z, such as "
                          "[x, y, z]");
    }
    if (!has_axis(rig, RIG_DIMENSION_PULSE)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.axes: poses are those of an axis 'pulse', which is missing");
    }
    if (has_axis(rig, RIG_DIMENSION_LOOP)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.axes: loop: each pulse has a pose of its own, so loops cannot be "
                          "told from pulses");
    }
    if (rig->files.holds == RIG_HOLDS_ROW) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.holds: row: with poses the recordings follow each other; leave it "
                          "out");
    }
    if (poses->correct != NULL && poses->correct->range_m == NULL &&
        poses->correct->phase_rad == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "poses.correct: give range_m, phase_rad or both");
    }
    return NFSAR_OK;
}

static enum nfsar_status check_calibration(const struct rig *rig, nfsar_error *error) {
    const struct rig_calibration *calibration = &rig->calibration;
    if (calibration->delay_s != NULL && calibration->range_bias_m != NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "calibration: give delay_s or range_bias_m, not both");
    }
    for (unsigned i = 0; i < calibration->n_channel_gain; i++) {
        const double *gain = calibration->channel_gain[i];
        if (!(hypot(gain[0], gain[1]) > 0.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "calibration.channel_gain: entry %u is zero", i + 1);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status rig_check(const struct rig *rig, nfsar_error *error) {
    static enum nfsar_status (*const checks[])(const struct rig *, nfsar_error *) = {
        check_numbers, check_counts, check_periods, check_files,       check_radar,
        check_array,   check_scan,   check_poses,   check_calibration, units_check,
    };
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < COUNT(checks); i++) {
        status = checks[i](rig, error);
    }
    return status;
}

enum nfsar_status rig_wrong(nfsar_error *error, const char *key) {
    nfsar_fail_in(error, NFSAR_ERROR_FORMAT, "%s", key);
    if (error != NULL) {
        error->status = NFSAR_ERROR_FORMAT;
    }
    return NFSAR_ERROR_FORMAT;
}
