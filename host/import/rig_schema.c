#include "host/import/rig.h"

#include <stdlib.h>

#include "host/yaml.h"
#include "host/yaml_fields.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Files and lists longer than this are not descriptions of a rig. */
enum { LIST_LIMIT = 100000, ANTENNA_LIMIT = 4096 };

static const cyaml_strval_t layouts[] = {
    {"4-lane", RIG_LAYOUT_4LANE},
    {"2-lane", RIG_LAYOUT_2LANE},
    {"4-lane-reordered", RIG_LAYOUT_4LANE_REORDERED},
    {"2-lane-reordered", RIG_LAYOUT_2LANE_REORDERED},
    {"tsw1400", RIG_LAYOUT_TSW1400},
    {"mat", RIG_LAYOUT_MAT},
    {"npy", RIG_LAYOUT_NPY},
};

static const cyaml_strval_t holds[] = {{"scan", RIG_HOLDS_SCAN}, {"row", RIG_HOLDS_ROW}};

static const cyaml_strval_t repeats[] = {
    {"mean", RIG_REPEATS_MEAN}, {"first", RIG_REPEATS_FIRST}, {"each", RIG_REPEATS_EACH}};

static const cyaml_strval_t axes[] = {{"x", RIG_ALONG_X}, {"y", RIG_ALONG_Y}};

static const cyaml_strval_t paths[] = {{"raster", RIG_PATH_RASTER},
                                       {"serpentine", RIG_PATH_SERPENTINE}};

static const cyaml_strval_t motions[] = {{"stop-and-go", RIG_MOTION_STOP_AND_GO},
                                         {"fly-by", RIG_MOTION_FLY_BY}};

static const cyaml_strval_t dimensions[] = {
    {"sample", RIG_DIMENSION_SAMPLE},
    {"rx", RIG_DIMENSION_RX},
    {"tx", RIG_DIMENSION_TX},
    {"channel", RIG_DIMENSION_CHANNEL},
    {"loop", RIG_DIMENSION_LOOP},
    {"x", RIG_DIMENSION_X},
    {"y", RIG_DIMENSION_Y},
    {"position", RIG_DIMENSION_POSITION},
    {"row", RIG_DIMENSION_ROW},
    {"pulse", RIG_DIMENSION_PULSE},
    {"complex", RIG_DIMENSION_COMPLEX},
};

static const cyaml_schema_value_t name_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 4096)};
static const cyaml_schema_value_t number_entry = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_value_t whole_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint64_t)};
static const cyaml_schema_value_t dimension_entry = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum rig_dimension, dimensions, COUNT(dimensions))};
static const cyaml_schema_value_t place_entry = {
    CYAML_VALUE_SEQUENCE_FIXED(CYAML_FLAG_DEFAULT, double, &number_entry, 3)};
static const cyaml_schema_value_t pair_entry = {
    CYAML_VALUE_SEQUENCE_FIXED(CYAML_FLAG_DEFAULT, double, &number_entry, 2)};

static const cyaml_schema_field_t files_fields[] = {
    TEXT(struct rig_files, pattern),
    LIST(struct rig_files, list, &name_entry, 1, LIST_LIMIT),
    CYAML_FIELD_ENUM("holds", OPTIONAL | CYAML_FLAG_STRICT, struct rig_files, holds, holds,
                     COUNT(holds)),
    YES_NO(struct rig_files, joined),
    WHOLE(struct rig_files, header_bytes),
    CYAML_FIELD_BOOL("ignore_rest", OPTIONAL, struct rig_files, ignore_rest),
    TEXT(struct rig_files, variable),
    LIST(struct rig_files, axes, &dimension_entry, 1, RIG_DIMENSIONS),
    CYAML_FIELD_END};

static const cyaml_schema_field_t pulsed_fields[] = {
    NUMBER(struct rig_pulsed, first_range_m), NUMBER(struct rig_pulsed, step_m),
    NUMBER(struct rig_pulsed, low_hz), NUMBER(struct rig_pulsed, high_hz), CYAML_FIELD_END};

static const cyaml_schema_field_t radar_fields[] = {
    TEXT(struct rig_radar, model),
    TEXT(struct rig_radar, waveform),
    NUMBER(struct rig_radar, start_frequency_hz),
    NUMBER(struct rig_radar, slope_hz_per_s),
    NUMBER(struct rig_radar, adc_start_s),
    NUMBER(struct rig_radar, sample_rate_hz),
    NUMBER(struct rig_radar, first_frequency_hz),
    NUMBER(struct rig_radar, frequency_step_hz),
    CYAML_FIELD_SEQUENCE_COUNT("frequencies_hz", POINTER, struct rig_radar, frequency_list,
                               n_frequency_list, &number_entry, 1, LIST_LIMIT),
    TEXT(struct rig_radar, frequency_variable),
    TEXT(struct rig_radar, cfg),
    CYAML_FIELD_MAPPING_PTR("pulsed", POINTER, struct rig_radar, pulsed, pulsed_fields),
    WHOLE(struct rig_radar, samples),
    NUMBER(struct rig_radar, chirp_period_s),
    NUMBER(struct rig_radar, frame_period_s),
    CYAML_FIELD_END};

static const cyaml_schema_field_t frames_fields[] = {
    WHOLE(struct rig_frames, loops),
    WHOLE(struct rig_frames, per_position),
    WHOLE(struct rig_frames, per_row),
    WHOLE(struct rig_frames, skip),
    WHOLE(struct rig_frames, lead),
    CYAML_FIELD_ENUM("repeats", OPTIONAL | CYAML_FLAG_STRICT, struct rig_frames, repeats, repeats,
                     COUNT(repeats)),
    CYAML_FIELD_END};

static const cyaml_schema_field_t array_fields[] = {
    TEXT(struct rig_array, preset),
    CYAML_FIELD_ENUM_PTR("along", POINTER | CYAML_FLAG_STRICT, struct rig_array, along, axes,
                         COUNT(axes)),
    LIST(struct rig_array, tx_m, &place_entry, 1, ANTENNA_LIMIT),
    LIST(struct rig_array, rx_m, &place_entry, 1, ANTENNA_LIMIT),
    LIST(struct rig_array, tx, &whole_entry, 1, ANTENNA_LIMIT),
    LIST(struct rig_array, rx, &whole_entry, 1, ANTENNA_LIMIT),
    CYAML_FIELD_BOOL("upside_down", OPTIONAL, struct rig_array, upside_down),
    CYAML_FIELD_END};

static const cyaml_schema_field_t scan_fields[] = {
    CYAML_FIELD_ENUM("rows_along", OPTIONAL | CYAML_FLAG_STRICT, struct rig_scan, rows_along, axes,
                     COUNT(axes)),
    CYAML_FIELD_ENUM("path", OPTIONAL | CYAML_FLAG_STRICT, struct rig_scan, path, paths,
                     COUNT(paths)),
    CYAML_FIELD_ENUM("motion", OPTIONAL | CYAML_FLAG_STRICT, struct rig_scan, motion, motions,
                     COUNT(motions)),
    WHOLE(struct rig_scan, positions),
    WHOLE(struct rig_scan, rows),
    NUMBER(struct rig_scan, step_m),
    NUMBER(struct rig_scan, row_step_m),
    NUMBER(struct rig_scan, speed_m_per_s),
    NUMBER(struct rig_scan, row_period_s),
    CYAML_FIELD_SEQUENCE_COUNT("centre_m", POINTER, struct rig_scan, centre_m, n_centre_m,
                               &number_entry, 2, 2),
    CYAML_FIELD_SEQUENCE_COUNT("start_m", POINTER, struct rig_scan, start_m, n_start_m,
                               &number_entry, 2, 2),
    NUMBER(struct rig_scan, z_m),
    CYAML_FIELD_END};

static const cyaml_schema_field_t correct_fields[] = {
    TEXT(struct rig_correct, range_m), TEXT(struct rig_correct, phase_rad), CYAML_FIELD_END};

static const cyaml_schema_field_t poses_fields[] = {
    LIST(struct rig_poses, position_m, &name_entry, 3, 3), TEXT(struct rig_poses, time_s),
    TEXT(struct rig_poses, reference_range_m),
    CYAML_FIELD_MAPPING_PTR("correct", POINTER, struct rig_poses, correct, correct_fields),
    CYAML_FIELD_END};

static const cyaml_schema_field_t calibration_fields[] = {
    NUMBER(struct rig_calibration, delay_s), NUMBER(struct rig_calibration, range_bias_m),
    LIST(struct rig_calibration, channel_delay_s, &number_entry, 1, ANTENNA_LIMIT),
    LIST(struct rig_calibration, channel_gain, &pair_entry, 1, ANTENNA_LIMIT), CYAML_FIELD_END};

static const cyaml_schema_field_t rig_fields[] = {
    CYAML_FIELD_MAPPING("files", CYAML_FLAG_DEFAULT, struct rig, files, files_fields),
    CYAML_FIELD_ENUM("layout", CYAML_FLAG_STRICT, struct rig, layout, layouts, COUNT(layouts)),
    YES_NO(struct rig, q_first),
    CYAML_FIELD_BOOL("conjugate", OPTIONAL, struct rig, conjugate),
    CYAML_FIELD_MAPPING("radar", CYAML_FLAG_DEFAULT, struct rig, radar, radar_fields),
    CYAML_FIELD_MAPPING("frames", OPTIONAL, struct rig, frames, frames_fields),
    CYAML_FIELD_MAPPING("array", CYAML_FLAG_DEFAULT, struct rig, array, array_fields),
    CYAML_FIELD_MAPPING_PTR("scan", POINTER, struct rig, scan, scan_fields),
    CYAML_FIELD_MAPPING_PTR("poses", POINTER, struct rig, poses, poses_fields),
    CYAML_FIELD_MAPPING("calibration", OPTIONAL, struct rig, calibration, calibration_fields),
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct rig, rig_fields)};

enum nfsar_status rig_load(const char *path, struct rig **rig, nfsar_error *error) {
    void *data = NULL;
    *rig = NULL;
    enum nfsar_status status = yaml_load(path, &schema, &data, error);
    if (status == NFSAR_OK) {
        status = rig_check(data, error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", path);
            rig_free(data);
            return status;
        }
        *rig = data;
    }
    return status;
}

void rig_free(struct rig *rig) {
    yaml_release(&schema, rig);
}

static const char *word(const cyaml_strval_t *words, size_t n, int64_t value) {
    for (size_t i = 0; i < n; i++) {
        if (words[i].val == value) {
            return words[i].str;
        }
    }
    return "?";
}

const char *rig_layout_name(enum rig_layout layout) {
    return word(layouts, COUNT(layouts), layout);
}

const char *rig_dimension_name(enum rig_dimension dimension) {
    return word(dimensions, COUNT(dimensions), dimension);
}

bool rig_layout_is_raw(enum rig_layout layout) {
    return layout <= RIG_LAYOUT_TSW1400;
}
