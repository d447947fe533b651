/* The schema of pod files. */
#include "host/pod/pod.h"

#include "host/yaml.h"
#include "host/yaml_fields.h"

static const cyaml_schema_value_t number = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};

#define NUMBERS(structure, key, n)                                                                 \
    CYAML_FIELD_SEQUENCE_FIXED(#key, POINTER, structure, key, &number, n)
#define MOUNTING(structure)                                                                        \
    NUMBERS(structure, at_m, 3), NUMBERS(structure, rotate_deg, 3),                                \
        NUMBER(structure, time_offset_s), NUMBER(structure, rate_hz)
#define PART(structure, key, fields) CYAML_FIELD_MAPPING_PTR(#key, POINTER, structure, key, fields)

static const cyaml_schema_field_t noise_fields[] = {
    NUMBER(struct pod_noise, density),       NUMBER(struct pod_noise, instability),
    NUMBER(struct pod_noise, instability_s), NUMBER(struct pod_noise, random_walk),
    NUMBER(struct pod_noise, bias),          CYAML_FIELD_END};

static const cyaml_schema_field_t imu_fields[] = {MOUNTING(struct pod_imu),
                                                  PART(struct pod_imu, acceleration, noise_fields),
                                                  PART(struct pod_imu, rate, noise_fields),
                                                  WHOLE(struct pod_imu, sensor),
                                                  NUMBER(struct pod_imu, scale),
                                                  CYAML_FIELD_END};

static const cyaml_schema_field_t flow_fields[] = {
    MOUNTING(struct pod_flow),         NUMBER(struct pod_flow, sigma_rad),
    NUMBER(struct pod_flow, quality),  NUMBER(struct pod_flow, scale_sigma),
    NUMBER(struct pod_flow, step_rad), CYAML_FIELD_END};

static const cyaml_schema_field_t range_fields[] = {
    MOUNTING(struct pod_range), NUMBER(struct pod_range, sigma_m),
    NUMBER(struct pod_range, offset_m), NUMBER(struct pod_range, step_m), CYAML_FIELD_END};

static const cyaml_schema_field_t tracker_fields[] = {
    MOUNTING(struct pod_tracker), NUMBER(struct pod_tracker, sigma_m),
    NUMBER(struct pod_tracker, sigma_deg), CYAML_FIELD_END};

static const cyaml_schema_field_t encoder_fields[] = {
    MOUNTING(struct pod_encoder), NUMBERS(struct pod_encoder, sigma_m, 3),
    NUMBERS(struct pod_encoder, step_m, 2), NUMBERS(struct pod_encoder, origin_m, 3),
    CYAML_FIELD_END};

static const cyaml_schema_field_t surface_fields[] = {NUMBERS(struct pod_surface, normal, 3),
                                                      NUMBER(struct pod_surface, tilt_deg),
                                                      NUMBER(struct pod_surface, distance_m),
                                                      NUMBER(struct pod_surface, distance_sigma_m),
                                                      NUMBER(struct pod_surface, from_origin_m),
                                                      NUMBERS(struct pod_surface, lean_deg, 2),
                                                      CYAML_FIELD_END};

static const cyaml_schema_field_t start_fields[] = {
    NUMBERS(struct pod_start, position_m, 3), NUMBER(struct pod_start, yaw_deg),
    NUMBER(struct pod_start, sigma_m), NUMBER(struct pod_start, sigma_deg), CYAML_FIELD_END};

const cyaml_schema_field_t pod_fields[] = {PART(struct pod_description, imu, imu_fields),
                                           PART(struct pod_description, flow, flow_fields),
                                           PART(struct pod_description, range, range_fields),
                                           PART(struct pod_description, tracker, tracker_fields),
                                           PART(struct pod_description, encoder, encoder_fields),
                                           PART(struct pod_description, surface, surface_fields),
                                           PART(struct pod_description, start, start_fields),
                                           CYAML_FIELD_SEQUENCE_FIXED("gravity_m_per_s2", POINTER,
                                                                      struct pod_description,
                                                                      gravity, &number, 3),
                                           CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct pod_description, pod_fields)};

enum nfsar_status pod_load(const char *path, struct pod *pod, nfsar_error *error) {
    void *data = NULL;
    enum nfsar_status status = yaml_load(path, &schema, &data, error);
    if (status == NFSAR_OK) {
        status = pod_make(data, pod, error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", path);
        }
    }
    yaml_release(&schema, data);
    return status;
}
