#include "host/session/description.h"

#include "host/yaml.h"
#include "host/yaml_fields.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ANTENNA_LIMIT = 64, SENSORS = 3 };

static const cyaml_strval_t alongs[] = {{"x", RIG_ALONG_X}, {"y", RIG_ALONG_Y}};
static const cyaml_strval_t paths[] = {{"raster", SESSION_RASTER},
                                       {"serpentine", SESSION_SERPENTINE},
                                       {"turntable", SESSION_TURNTABLE},
                                       {"period", SESSION_PERIOD}};
static const cyaml_strval_t sources[] = {
    {"stage", SESSION_POSE_STAGE}, {"file", SESSION_POSE_FILE}, {"none", SESSION_POSE_NONE}};
static const cyaml_strval_t sensors[] = {
    {"imu", SESSION_IMU}, {"flow", SESSION_FLOW}, {"gnss", SESSION_GNSS}};

static const cyaml_schema_value_t number_entry = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_value_t place_entry = {
    CYAML_VALUE_SEQUENCE_FIXED(CYAML_FLAG_DEFAULT, double, &number_entry, 3)};
static const cyaml_schema_value_t sensor_entry = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum session_sensor, sensors, COUNT(sensors))};

static const cyaml_schema_field_t radar_fields[] = {
    TEXT(struct session_radar, model), TEXT(struct session_radar, cfg),
    TEXT(struct session_radar, port), YES_NO(struct session_radar, q_first), CYAML_FIELD_END};

static const cyaml_schema_field_t array_fields[] = {
    TEXT(struct rig_array, preset),
    CYAML_FIELD_ENUM_PTR("along", POINTER | CYAML_FLAG_STRICT, struct rig_array, along, alongs,
                         COUNT(alongs)),
    LIST(struct rig_array, tx_m, &place_entry, 1, ANTENNA_LIMIT),
    LIST(struct rig_array, rx_m, &place_entry, 1, ANTENNA_LIMIT),
    CYAML_FIELD_BOOL("upside_down", OPTIONAL, struct rig_array, upside_down),
    CYAML_FIELD_END};

static const cyaml_schema_field_t card_fields[] = {
    TEXT(struct session_card, address),          TEXT(struct session_card, host),
    WHOLE(struct session_card, config_port),     WHOLE(struct session_card, data_port),
    WHOLE(struct session_card, lanes),           WHOLE(struct session_card, receive_bytes),
    NUMBER(struct session_card, packet_delay_s), CYAML_FIELD_END};

static const cyaml_schema_field_t hub_fields[] = {TEXT(struct session_hub, port),
                                                  TEXT(struct session_hub, stage), CYAML_FIELD_END};

static const cyaml_schema_field_t scan_fields[] = {
    CYAML_FIELD_ENUM("path", CYAML_FLAG_STRICT, struct session_path, path, paths, COUNT(paths)),
    NUMBER(struct session_path, x_m),
    NUMBER(struct session_path, y_m),
    NUMBER(struct session_path, first_deg),
    NUMBER(struct session_path, step_m),
    NUMBER(struct session_path, row_step_m),
    NUMBER(struct session_path, step_deg),
    NUMBER(struct session_path, speed_m_per_s),
    NUMBER(struct session_path, speed_deg_per_s),
    NUMBER(struct session_path, settle_s),
    NUMBER(struct session_path, period_s),
    NUMBER(struct session_path, limit_s),
    WHOLE(struct session_path, positions),
    WHOLE(struct session_path, rows),
    WHOLE(struct session_path, repeats),
    WHOLE(struct session_path, triggers),
    CYAML_FIELD_BOOL("stop", OPTIONAL, struct session_path, stop),
    YES_NO(struct session_path, home),
    CYAML_FIELD_END};

static const cyaml_schema_field_t pose_fields[] = {
    CYAML_FIELD_ENUM_PTR("from", POINTER | CYAML_FLAG_STRICT, struct session_poses, from, sources,
                         COUNT(sources)),
    TEXT(struct session_poses, file), LIST(struct session_poses, origin_m, &number_entry, 3, 3),
    NUMBER(struct session_poses, time_offset_s), CYAML_FIELD_END};

static const cyaml_schema_field_t session_fields[] = {
    CYAML_FIELD_MAPPING("radar", CYAML_FLAG_DEFAULT, struct session_description, radar,
                        radar_fields),
    CYAML_FIELD_MAPPING("array", CYAML_FLAG_DEFAULT, struct session_description, array,
                        array_fields),
    CYAML_FIELD_MAPPING("card", OPTIONAL, struct session_description, card, card_fields),
    CYAML_FIELD_MAPPING("hub", OPTIONAL, struct session_description, hub, hub_fields),
    CYAML_FIELD_MAPPING("scan", CYAML_FLAG_DEFAULT, struct session_description, scan, scan_fields),
    LIST(struct session_description, sensors, &sensor_entry, 0, SENSORS),
    CYAML_FIELD_MAPPING("pose", OPTIONAL, struct session_description, pose, pose_fields),
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct session_description, session_fields)};

enum nfsar_status session_description_load(const char *path,
                                           struct session_description **description,
                                           nfsar_error *error) {
    void *data = NULL;
    const enum nfsar_status status = yaml_load(path, &schema, &data, error);
    *description = data;
    return status;
}

void session_description_free(struct session_description *description) {
    yaml_release(&schema, description);
}
