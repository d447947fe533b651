/* The schema of scene files. */
#include "host/scene/description.h"

#include "host/yaml.h"

#define REQUIRED CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL
/* Longest list that a person or a script writes by hand. */
#define LIST_LIMIT 1000000

static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_value_t vector = {
    CYAML_VALUE_SEQUENCE_FIXED(CYAML_FLAG_DEFAULT, double, &number, 3)};
static const cyaml_schema_value_t pair = {
    CYAML_VALUE_SEQUENCE_FIXED(CYAML_FLAG_DEFAULT, double, &number, 2)};

#define NUMBER(flag, type, member)    CYAML_FIELD_FLOAT(#member, flag, struct type, member)
#define DEFAULTED(type, member)       CYAML_FIELD_FLOAT_PTR(#member, OPTIONAL, struct type, member)
#define COUNT(flag, type, member)     CYAML_FIELD_UINT(#member, flag, struct type, member)
#define COUNT_DEFAULTED(type, member) CYAML_FIELD_UINT_PTR(#member, OPTIONAL, struct type, member)
#define FLAG(type, member)            CYAML_FIELD_BOOL(#member, OPTIONAL, struct type, member)
#define TEXT(flag, type, member)      CYAML_FIELD_STRING_PTR(#member, flag, struct type, member, 1, 1000)
#define NUMBERS(flag, type, member, n)                                                             \
    CYAML_FIELD_SEQUENCE_FIXED(#member, flag, struct type, member, &number, n)
#define CHOICE(flag, type, member, strings)                                                        \
    CYAML_FIELD_ENUM(#member, flag, struct type, member, strings, CYAML_ARRAY_LEN(strings))
#define LIST(flag, type, member, entry, least)                                                     \
    CYAML_FIELD_SEQUENCE(#member, (flag) | CYAML_FLAG_POINTER, struct type, member, entry, least,  \
                         LIST_LIMIT)
#define PART(flag, type, member, fields)                                                           \
    CYAML_FIELD_MAPPING(#member, flag, struct type, member, fields)
#define PART_OPTIONAL(type, member, fields)                                                        \
    CYAML_FIELD_MAPPING_PTR(#member, OPTIONAL, struct type, member, fields)

/* ---- radar and array ----------------------------------------------------------------------- */

static const cyaml_schema_field_t radar_fields[] = {
    TEXT(OPTIONAL, scene_radar, waveform),
    DEFAULTED(scene_radar, start_frequency_hz),
    DEFAULTED(scene_radar, slope_hz_per_s),
    DEFAULTED(scene_radar, sample_rate_hz),
    DEFAULTED(scene_radar, adc_start_s),
    DEFAULTED(scene_radar, bandwidth_hz),
    DEFAULTED(scene_radar, step_hz),
    LIST(OPTIONAL, scene_radar, frequency_hz, &number, 1),
    COUNT_DEFAULTED(scene_radar, samples),
    TEXT(OPTIONAL, scene_radar, model),
    CYAML_FIELD_END,
};

static const cyaml_strval_t along_names[] = {{"y", NFSAR_ARRAY_ALONG_Y},
                                             {"x", NFSAR_ARRAY_ALONG_X}};

static const cyaml_schema_field_t array_fields[] = {
    TEXT(OPTIONAL, scene_array, preset),
    CHOICE(OPTIONAL, scene_array, along, along_names),
    LIST(OPTIONAL, scene_array, tx_m, &vector, 1),
    LIST(OPTIONAL, scene_array, rx_m, &vector, 1),
    NUMBER(OPTIONAL, scene_array, chirp_interval_s),
    CYAML_FIELD_END,
};

/* ---- path ---------------------------------------------------------------------------------- */

static const cyaml_strval_t motion_names[] = {{"stop-and-go", SCENE_STOP_AND_GO},
                                              {"fly-by", SCENE_FLY_BY}};

static const cyaml_schema_field_t axis_fields[] = {
    NUMBER(REQUIRED, scene_axis, size_m),
    NUMBER(OPTIONAL, scene_axis, centre_m),
    DEFAULTED(scene_axis, step_m),
    COUNT_DEFAULTED(scene_axis, count),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t raster_fields[] = {
    PART(REQUIRED, scene_raster, x, axis_fields),
    PART(REQUIRED, scene_raster, y, axis_fields),
    NUMBER(OPTIONAL, scene_raster, z_m),
    FLAG(scene_raster, serpentine),
    CHOICE(OPTIONAL, scene_raster, motion, motion_names),
    DEFAULTED(scene_raster, pulse_interval_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t irregular_fields[] = {
    PART(REQUIRED, scene_irregular, x, axis_fields),
    PART(REQUIRED, scene_irregular, y, axis_fields),
    NUMBER(OPTIONAL, scene_irregular, z_m),
    NUMBER(REQUIRED, scene_irregular, amplitude_m),
    DEFAULTED(scene_irregular, roughness),
    FLAG(scene_irregular, serpentine),
    CHOICE(OPTIONAL, scene_irregular, motion, motion_names),
    DEFAULTED(scene_irregular, pulse_interval_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t turntable_errors_fields[] = {
    NUMBER(OPTIONAL, scene_turntable_errors, radius_m),
    NUMBER(OPTIONAL, scene_turntable_errors, angle_zero_deg),
    DEFAULTED(scene_turntable_errors, angle_scale),
    NUMBER(OPTIONAL, scene_turntable_errors, angle_jitter_deg),
    NUMBERS(OPTIONAL, scene_turntable_errors, axis_m, 2),
    NUMBER(OPTIONAL, scene_turntable_errors, aside_m),
    NUMBER(OPTIONAL, scene_turntable_errors, tilt_deg),
    NUMBER(OPTIONAL, scene_turntable_errors, wobble_m),
    DEFAULTED(scene_turntable_errors, wobble_turns),
    NUMBER(OPTIONAL, scene_turntable_errors, wobble_deg),
    FLAG(scene_turntable_errors, reported),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t turntable_fields[] = {
    NUMBER(REQUIRED, scene_turntable, radius_m),
    COUNT(REQUIRED, scene_turntable, count),
    NUMBER(OPTIONAL, scene_turntable, from_deg),
    DEFAULTED(scene_turntable, to_deg),
    PART_OPTIONAL(scene_turntable, y, axis_fields),
    NUMBER(OPTIONAL, scene_turntable, missing),
    PART_OPTIONAL(scene_turntable, errors, turntable_errors_fields),
    CHOICE(OPTIONAL, scene_turntable, motion, motion_names),
    DEFAULTED(scene_turntable, pulse_interval_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t cloud_fields[] = {
    COUNT(REQUIRED, scene_cloud, count),
    NUMBERS(REQUIRED, scene_cloud, size_m, 3),
    NUMBERS(OPTIONAL, scene_cloud, centre_m, 3),
    DEFAULTED(scene_cloud, pulse_interval_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t handheld_fields[] = {
    NUMBERS(REQUIRED, scene_handheld, size_m, 2),
    NUMBERS(OPTIONAL, scene_handheld, centre_m, 3),
    NUMBER(REQUIRED, scene_handheld, line_spacing_m),
    NUMBER(REQUIRED, scene_handheld, speed_m_per_s),
    NUMBER(REQUIRED, scene_handheld, pulse_rate_hz),
    NUMBER(OPTIONAL, scene_handheld, speed_wander),
    NUMBERS(OPTIONAL, scene_handheld, wander_m, 3),
    NUMBERS(OPTIONAL, scene_handheld, wander_deg, 3),
    DEFAULTED(scene_handheld, wander_time_s),
    NUMBER(OPTIONAL, scene_handheld, rest_s),
    NUMBER(OPTIONAL, scene_handheld, smooth_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t path_fields[] = {
    PART_OPTIONAL(scene_path, raster, raster_fields),
    PART_OPTIONAL(scene_path, irregular, irregular_fields),
    PART_OPTIONAL(scene_path, turntable, turntable_fields),
    PART_OPTIONAL(scene_path, cloud, cloud_fields),
    PART_OPTIONAL(scene_path, handheld, handheld_fields),
    LIST(OPTIONAL, scene_path, positions_m, &vector, 1),
    DEFAULTED(scene_path, pulse_interval_s),
    CYAML_FIELD_END,
};

/* ---- targets ------------------------------------------------------------------------------- */

#define PLACED(type)                                                                               \
    NUMBERS(OPTIONAL, type, at_m, 3), NUMBERS(OPTIONAL, type, rotate_deg, 3),                      \
        DEFAULTED(type, spacing_m), DEFAULTED(type, amplitude)

static const cyaml_schema_field_t point_fields[] = {
    NUMBERS(REQUIRED, scene_point, at_m, 3),
    DEFAULTED(scene_point, amplitude),
    NUMBER(OPTIONAL, scene_point, phase_deg),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t point = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct scene_point, point_fields)};

static const cyaml_schema_field_t disc_fields[] = {
    NUMBERS(OPTIONAL, scene_disc, centre_m, 2),
    NUMBER(REQUIRED, scene_disc, radius_m),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t rectangle_fields[] = {
    NUMBERS(OPTIONAL, scene_rectangle, centre_m, 2),
    NUMBERS(REQUIRED, scene_rectangle, size_m, 2),
    NUMBER(OPTIONAL, scene_rectangle, rotate_deg),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t polygon_fields[] = {
    LIST(REQUIRED, scene_polygon, corners_m, &pair, 3),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t star_fields[] = {
    NUMBERS(OPTIONAL, scene_star, centre_m, 2), NUMBER(REQUIRED, scene_star, radius_m),
    NUMBER(REQUIRED, scene_star, inner_m),      COUNT(REQUIRED, scene_star, points),
    NUMBER(OPTIONAL, scene_star, rotate_deg),   CYAML_FIELD_END,
};

static const cyaml_schema_field_t shape_fields[] = {
    PART_OPTIONAL(scene_shape, disc, disc_fields),
    PART_OPTIONAL(scene_shape, rectangle, rectangle_fields),
    PART_OPTIONAL(scene_shape, polygon, polygon_fields),
    PART_OPTIONAL(scene_shape, star, star_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t shape = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct scene_shape, shape_fields)};

static const cyaml_schema_field_t plate_fields[] = {
    PLACED(scene_plate),
    CYAML_FIELD_SEQUENCE_FIXED("size_m", OPTIONAL | CYAML_FLAG_POINTER, struct scene_plate, size_m,
                               &number, 2),
    LIST(OPTIONAL, scene_plate, outline_m, &pair, 3),
    LIST(OPTIONAL, scene_plate, holes, &shape, 0),
    LIST(OPTIONAL, scene_plate, islands, &shape, 0),
    CYAML_FIELD_END,
};

static const cyaml_strval_t metal_names[] = {{"dark", SCENE_METAL_DARK},
                                             {"bright", SCENE_METAL_BRIGHT}};

static const cyaml_schema_field_t mask_fields[] = {
    PLACED(scene_mask),
    TEXT(REQUIRED, scene_mask, file),
    CHOICE(REQUIRED, scene_mask, metal, metal_names),
    DEFAULTED(scene_mask, threshold),
    DEFAULTED(scene_mask, width_m),
    DEFAULTED(scene_mask, pixel_m),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t random_points_fields[] = {
    COUNT(REQUIRED, scene_random_points, count),
    NUMBERS(OPTIONAL, scene_random_points, centre_m, 3),
    NUMBERS(REQUIRED, scene_random_points, size_m, 3),
    DEFAULTED(scene_random_points, amplitude_min),
    DEFAULTED(scene_random_points, amplitude_max),
    FLAG(scene_random_points, random_phase),
    CYAML_FIELD_END,
};

static const cyaml_strval_t fill_names[] = {
    {"filled", SCENE_FILLED}, {"hollow", SCENE_HOLLOW}, {"mixed", SCENE_MIXED}};
static const cyaml_strval_t solid_names[] = {{"rectangle", SCENE_RECTANGLE},
                                             {"disc", SCENE_DISC},
                                             {"box", SCENE_BOX},
                                             {"sphere", SCENE_SPHERE}};
static const cyaml_schema_value_t solid = {CYAML_VALUE_ENUM(
    CYAML_FLAG_DEFAULT, enum scene_solid, solid_names, CYAML_ARRAY_LEN(solid_names))};

static const cyaml_schema_field_t random_solids_fields[] = {
    COUNT(REQUIRED, scene_random_solids, count),
    NUMBERS(OPTIONAL, scene_random_solids, centre_m, 3),
    NUMBERS(REQUIRED, scene_random_solids, size_m, 3),
    NUMBER(REQUIRED, scene_random_solids, smallest_m),
    NUMBER(REQUIRED, scene_random_solids, largest_m),
    LIST(OPTIONAL, scene_random_solids, shapes, &solid, 1),
    CHOICE(OPTIONAL, scene_random_solids, fill, fill_names),
    DEFAULTED(scene_random_solids, spacing_m),
    DEFAULTED(scene_random_solids, amplitude),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t stl_fields[] = {
    PLACED(scene_stl),
    TEXT(REQUIRED, scene_stl, file),
    DEFAULTED(scene_stl, scale),
    FLAG(scene_stl, facing),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t target_fields[] = {
    LIST(OPTIONAL, scene_target, points, &point, 1),
    PART_OPTIONAL(scene_target, plate, plate_fields),
    PART_OPTIONAL(scene_target, mask, mask_fields),
    PART_OPTIONAL(scene_target, random_points, random_points_fields),
    PART_OPTIONAL(scene_target, random_solids, random_solids_fields),
    PART_OPTIONAL(scene_target, stl, stl_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t target = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct scene_target, target_fields)};

/* ---- physics, impairments, the whole ------------------------------------------------------- */

static const cyaml_schema_field_t physics_fields[] = {
    FLAG(scene_physics, spreading),
    NUMBER(OPTIONAL, scene_physics, beamwidth_deg),
    CYAML_FIELD_END,
};

static const cyaml_strval_t error_kind_names[] = {{"white", SCENE_ERROR_WHITE},
                                                  {"smooth", SCENE_ERROR_SMOOTH}};
static const cyaml_strval_t displaces_names[] = {{"report", SCENE_DISPLACES_REPORT},
                                                 {"radar", SCENE_DISPLACES_RADAR}};

static const cyaml_schema_field_t pose_error_fields[] = {
    CHOICE(REQUIRED, scene_pose_error, kind, error_kind_names),
    CHOICE(OPTIONAL, scene_pose_error, displaces, displaces_names),
    NUMBERS(REQUIRED, scene_pose_error, sigma_m, 3),
    NUMBERS(OPTIONAL, scene_pose_error, sigma_deg, 3),
    DEFAULTED(scene_pose_error, time_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t channels_fields[] = {
    NUMBER(OPTIONAL, scene_channels, gain_db),
    NUMBER(OPTIONAL, scene_channels, phase_deg),
    NUMBER(OPTIONAL, scene_channels, delay_s),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t impairments_fields[] = {
    DEFAULTED(scene_impairments, snr_db),
    PART_OPTIONAL(scene_impairments, pose_error, pose_error_fields),
    PART_OPTIONAL(scene_impairments, channels, channels_fields),
    DEFAULTED(scene_impairments, leakage_db),
    FLAG(scene_impairments, calibrated),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t scene_fields[] = {
    COUNT_DEFAULTED(scene_description, seed),
    PART(REQUIRED, scene_description, radar, radar_fields),
    PART(REQUIRED, scene_description, array, array_fields),
    PART(REQUIRED, scene_description, path, path_fields),
    LIST(REQUIRED, scene_description, targets, &target, 1),
    PART(OPTIONAL, scene_description, physics, physics_fields),
    PART(OPTIONAL, scene_description, impairments, impairments_fields),
    PART_OPTIONAL(scene_description, sensors, pod_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t scene = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct scene_description, scene_fields)};

enum nfsar_status scene_description_load(const char *path, struct scene_description **description,
                                         nfsar_error *error) {
    void *data = NULL;
    enum nfsar_status status = yaml_load(path, &scene, &data, error);
    *description = data;
    return status;
}

void scene_description_free(struct scene_description *description) {
    yaml_release(&scene, description);
}
