#include "host/session/record_tables.h"

#include <math.h>
#include <string.h>

#define COLUMNS(columns) columns, sizeof(columns) / sizeof *(columns)

static const struct recording_column trigger_columns[] = {
    {"time_s", RECORDING_F64, 1}, {"number", RECORDING_U32, 1}, {"position", RECORDING_I32, 3},
    {"row", RECORDING_U32, 1},    {"column", RECORDING_U32, 1}, {"repeat", RECORDING_U16, 1},
    {"host_s", RECORDING_F64, 1}, {"scan", RECORDING_U16, 1},
};

static const struct recording_column frame_columns[] = {
    {"number", RECORDING_U64, 1}, {"host_s", RECORDING_F64, 1}, {"missing_bytes", RECORDING_U64, 1},
    {"loops", RECORDING_U16, 1},  {"bytes", RECORDING_U32, 1},  {"notices", RECORDING_U32, 1},
};

static const struct recording_column loss_columns[] = {{"offset", RECORDING_U64, 1},
                                                       {"bytes", RECORDING_U64, 1}};

static const struct recording_column imu_columns[] = {
    {"time_s", RECORDING_F64, 1},      {"sensor", RECORDING_U8, 1},
    {"valid", RECORDING_U16, 1},       {"acceleration", RECORDING_F32, 3},
    {"rate", RECORDING_F32, 3},        {"orientation", RECORDING_F32, 4},
    {"temperature", RECORDING_F32, 1},
};

static const struct recording_column flow_columns[] = {{"time_s", RECORDING_F64, 1},
                                                       {"sensor", RECORDING_U8, 1},
                                                       {"quality", RECORDING_U16, 1},
                                                       {"motion", RECORDING_F32, 2},
                                                       {"interval_s", RECORDING_F32, 1}};

static const struct recording_column range_columns[] = {{"time_s", RECORDING_F64, 1},
                                                        {"sensor", RECORDING_U8, 1},
                                                        {"quality", RECORDING_U16, 1},
                                                        {"valid", RECORDING_U16, 1},
                                                        {"range_m", RECORDING_F32, 1}};

static const struct recording_column gnss_columns[] = {
    {"time_s", RECORDING_F64, 1},           {"sensor", RECORDING_U8, 1},
    {"utc_ns", RECORDING_U64, 1},           {"latitude", RECORDING_I32, 1},
    {"longitude", RECORDING_I32, 1},        {"height_mm", RECORDING_I32, 1},
    {"velocity", RECORDING_F32, 3},         {"accuracy_m", RECORDING_F32, 2},
    {"accuracy_m_per_s", RECORDING_F32, 1}, {"fix", RECORDING_U8, 1},
    {"carrier", RECORDING_U8, 1},           {"satellites", RECORDING_U8, 1},
};

static const struct recording_column clock_columns[] = {
    {"time_s", RECORDING_F64, 1},    {"utc_ns", RECORDING_U64, 1},
    {"offset_ns", RECORDING_I64, 1}, {"drift_ppm", RECORDING_F32, 1},
    {"spread_ns", RECORDING_F32, 1},
};

static const struct recording_column error_columns[] = {
    {"time_s", RECORDING_F64, 1}, {"error", RECORDING_U8, 1},  {"latched", RECORDING_U8, 1},
    {"source", RECORDING_U16, 1}, {"value", RECORDING_I32, 1}, {"times", RECORDING_U32, 1},
};

/* Records a second, at most, of a table; 0: as many as triggers. */
static const struct {
    struct recording_table table;
    double rate_hz;
} all[] = {
    {{"/sensor/trigger", COLUMNS(trigger_columns), 0}, 0.0},
    {{"/sensor/frame", COLUMNS(frame_columns), 0}, 0.0},
    {{"/sensor/loss", COLUMNS(loss_columns), 65536}, 0.0},
    {{"/sensor/imu", COLUMNS(imu_columns), 0}, 2200.0},
    {{"/sensor/flow", COLUMNS(flow_columns), 0}, 200.0},
    {{"/sensor/range", COLUMNS(range_columns), 0}, 200.0},
    {{"/sensor/gnss", COLUMNS(gnss_columns), 0}, 25.0},
    {{"/sensor/clock", COLUMNS(clock_columns), 0}, 4.0},
    {{"/sensor/hub_error", COLUMNS(error_columns), 65536}, 0.0},
};

void record_tables(uint64_t triggers, double seconds, struct recording_table *tables) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tables[i] = all[i].table;
        if (tables[i].rows_at_most == 0) {
            tables[i].rows_at_most = all[i].rate_hz > 0.0
                                         ? (uint64_t)ceil(all[i].rate_hz * seconds) + 1000
                                         : triggers + triggers / 8 + 1000;
        }
    }
}

/* ---- records of the hub ---- */

static enum nfsar_status keep_trigger(struct recording *recording,
                                      const struct nfsar_wire_message *record, double time_s,
                                      double host_s, nfsar_error *error) {
    struct nfsar_wire_trigger t;
    if (!nfsar_wire_unpack_trigger(&t, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const void *values[] = {&time_s,   &t.number, t.position, &t.row,
                            &t.column, &t.repeat, &host_s,    &t.scan};
    return recording_append(recording, RECORD_TRIGGER, values, error);
}

static enum nfsar_status keep_imu(struct recording *recording,
                                  const struct nfsar_wire_message *record, double time_s,
                                  nfsar_error *error) {
    struct nfsar_wire_imu imu;
    if (!nfsar_wire_unpack_imu(&imu, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const void *values[] = {&time_s,  &record->header.channel, &imu.valid,      imu.acceleration,
                            imu.rate, imu.orientation,         &imu.temperature};
    return recording_append(recording, RECORD_IMU, values, error);
}

static enum nfsar_status keep_flow(struct recording *recording,
                                   const struct nfsar_wire_message *record, double time_s,
                                   nfsar_error *error) {
    struct nfsar_wire_flow flow;
    if (!nfsar_wire_unpack_flow(&flow, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const void *values[] = {&time_s, &record->header.channel, &flow.quality, flow.motion,
                            &flow.interval};
    return recording_append(recording, RECORD_FLOW, values, error);
}

static enum nfsar_status keep_range(struct recording *recording,
                                    const struct nfsar_wire_message *record, double time_s,
                                    nfsar_error *error) {
    struct nfsar_wire_range range;
    if (!nfsar_wire_unpack_range(&range, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const void *values[] = {&time_s, &record->header.channel, &range.quality, &range.valid,
                            &range.range};
    return recording_append(recording, RECORD_RANGE, values, error);
}

static enum nfsar_status keep_gnss(struct recording *recording,
                                   const struct nfsar_wire_message *record, double time_s,
                                   nfsar_error *error) {
    struct nfsar_wire_gnss g;
    if (!nfsar_wire_unpack_gnss(&g, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const float accuracy[2] = {g.accuracy_horizontal, g.accuracy_vertical};
    const void *values[] = {&time_s,           &record->header.channel,
                            &g.utc_ns,         &g.latitude,
                            &g.longitude,      &g.height_mm,
                            g.velocity,        accuracy,
                            &g.accuracy_speed, &g.fix,
                            &g.carrier,        &g.satellites};
    return recording_append(recording, RECORD_GNSS, values, error);
}

static enum nfsar_status keep_clock(struct recording *recording,
                                    const struct nfsar_wire_message *record, double time_s,
                                    nfsar_error *error) {
    struct nfsar_wire_clock clock;
    if (!nfsar_wire_unpack_clock(&clock, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const void *values[] = {&time_s, &clock.utc_ns, &clock.offset_ns, &clock.drift_ppm,
                            &clock.spread_ns};
    return recording_append(recording, RECORD_CLOCK, values, error);
}

static enum nfsar_status keep_error(struct recording *recording,
                                    const struct nfsar_wire_message *record, double time_s,
                                    nfsar_error *error) {
    struct nfsar_wire_error e;
    if (!nfsar_wire_unpack_error(&e, record->payload, record->bytes)) {
        return NFSAR_OK;
    }
    const void *values[] = {&time_s, &e.error, &e.latched, &e.source, &e.value, &e.times};
    return recording_append(recording, RECORD_ERROR, values, error);
}

enum nfsar_status record_keep(struct recording *recording, const struct nfsar_wire_message *record,
                              double host_s, nfsar_error *error) {
    const double time_s = (double)record->header.time_ns * 1e-9;
    switch (record->header.kind) {
    case NFSAR_WIRE_TRIGGER:
        return keep_trigger(recording, record, time_s, host_s, error);
    case NFSAR_WIRE_IMU:
        return keep_imu(recording, record, time_s, error);
    case NFSAR_WIRE_FLOW:
        return keep_flow(recording, record, time_s, error);
    case NFSAR_WIRE_RANGE:
        return keep_range(recording, record, time_s, error);
    case NFSAR_WIRE_GNSS:
        return keep_gnss(recording, record, time_s, error);
    case NFSAR_WIRE_CLOCK:
        return keep_clock(recording, record, time_s, error);
    case NFSAR_WIRE_ERROR:
        return keep_error(recording, record, time_s, error);
    default:
        return NFSAR_OK;
    }
}

/* ---- the card ---- */

enum nfsar_status record_keep_frame(struct recording *recording,
                                    const struct nfsar_dca1000_frame *frame, size_t loops,
                                    size_t bytes, nfsar_error *error) {
    const uint16_t of_loops = (uint16_t)loops;
    const uint32_t of_bytes = (uint32_t)bytes;
    const double host_s = frame->first_ns > 0 ? (double)frame->first_ns * 1e-9 : NAN;
    const uint64_t missing = frame->missing_bytes;
    const void *values[] = {&frame->number, &host_s,   &missing,
                            &of_loops,      &of_bytes, &frame->notices};
    return recording_append(recording, RECORD_FRAME, values, error);
}

enum nfsar_status record_keep_loss(struct recording *recording,
                                   const struct nfsar_dca1000_loss *loss, nfsar_error *error) {
    const void *values[] = {&loss->offset, &loss->bytes};
    return recording_append(recording, RECORD_LOSS, values, error);
}
