#include "host/files/capture_description.h"

#include "host/files/capture_layout.h"

static enum nfsar_status write_radar(struct h5_output *output, const nfsar_capture *capture,
                                     nfsar_error *error) {
    const struct h5_shape shape = {1, {capture->n_sample}};
    enum nfsar_status status = h5_write_group(output, CAPTURE_RADAR, error);
    if (status == NFSAR_OK) {
        status =
            h5_write_data(output, CAPTURE_FREQUENCY, H5_REAL, &shape, capture->frequency_hz, error);
    }
    if (status == NFSAR_OK && capture->model[0] != '\0') {
        status = h5_write_text(output, CAPTURE_RADAR, CAPTURE_MODEL, capture->model, error);
    }
    const struct {
        const char *name;
        double value;
    } numbers[] = {{CAPTURE_START_FREQUENCY, capture->fmcw.start_frequency_hz},
                   {CAPTURE_SLOPE, capture->fmcw.slope_hz_per_s},
                   {CAPTURE_SAMPLE_RATE, capture->fmcw.sample_rate_hz},
                   {CAPTURE_ADC_START, capture->fmcw.adc_start_s}};
    for (size_t i = 0; status == NFSAR_OK && capture->has_fmcw && i < 4; i++) {
        status = h5_write_number(output, CAPTURE_RADAR, numbers[i].name, numbers[i].value, error);
    }
    const nfsar_gated *gated = &capture->gated;
    const struct {
        const char *name;
        double value;
    } gate[] = {{CAPTURE_GATE_FIRST, gated->range_m[0]},
                {CAPTURE_GATE_LAST, gated->range_m[1]},
                {CAPTURE_GATE_LOW, gated->band_hz[0]},
                {CAPTURE_GATE_HIGH, gated->band_hz[1]}};
    for (size_t i = 0; status == NFSAR_OK && gated->range_m[1] > 0.0 && i < 4; i++) {
        status = h5_write_number(output, CAPTURE_RADAR, gate[i].name, gate[i].value, error);
    }
    return status;
}

static enum nfsar_status write_array(struct h5_output *output, const nfsar_array *array,
                                     nfsar_error *error) {
    _Static_assert(sizeof(nfsar_vec3) == 3 * sizeof(double), "vectors are written as they are");
    _Static_assert(sizeof(nfsar_channel) == 2 * sizeof(int32_t), "and so are channels");
    const struct {
        const char *name;
        enum h5_kind kind;
        struct h5_shape shape;
        const void *data;
    } parts[] = {{CAPTURE_TX, H5_REAL, {2, {array->n_tx, 3}}, array->tx_m},
                 {CAPTURE_RX, H5_REAL, {2, {array->n_rx, 3}}, array->rx_m},
                 {CAPTURE_CHANNEL, H5_INTEGER, {2, {array->n_channel, 2}}, array->channel},
                 {CAPTURE_CHANNEL_TIME, H5_REAL, {1, {array->n_channel}}, array->channel_time_s}};
    enum nfsar_status status = h5_write_group(output, CAPTURE_ARRAY, error);
    for (size_t i = 0; status == NFSAR_OK && i < 4; i++) {
        status = h5_write_data(output, parts[i].name, parts[i].kind, &parts[i].shape, parts[i].data,
                               error);
    }
    return status;
}

static enum nfsar_status write_calibration(struct h5_output *output, const nfsar_capture *capture,
                                           nfsar_error *error) {
    const nfsar_calibration *calibration = &capture->calibration;
    const size_t n = capture->array.n_channel;
    const struct {
        const char *name;
        enum h5_kind kind;
        struct h5_shape shape;
        const void *data;
    } parts[] = {
        {CAPTURE_GAIN, H5_COMPLEX, {1, {n}}, calibration->channel_gain},
        {CAPTURE_DELAY, H5_REAL, {1, {n}}, calibration->channel_delay_s},
        {CAPTURE_BACKGROUND, H5_COMPLEX, {2, {n, capture->n_sample}}, calibration->background}};
    if (parts[0].data == NULL && parts[1].data == NULL && parts[2].data == NULL) {
        return NFSAR_OK;
    }
    enum nfsar_status status = h5_write_group(output, CAPTURE_CALIBRATION, error);
    for (size_t i = 0; status == NFSAR_OK && i < 3; i++) {
        if (parts[i].data != NULL) {
            status = h5_write_data(output, parts[i].name, parts[i].kind, &parts[i].shape,
                                   parts[i].data, error);
        }
    }
    return status;
}

enum nfsar_status capture_write_description(struct h5_output *output, const nfsar_capture *capture,
                                            nfsar_error *error) {
    enum nfsar_status status = write_radar(output, capture, error);
    if (status == NFSAR_OK) {
        status = write_array(output, &capture->array, error);
    }
    if (status == NFSAR_OK) {
        status = write_calibration(output, capture, error);
    }
    return status == NFSAR_OK ? h5_write_lines(output, CAPTURE_PROVENANCE, capture->provenance,
                                               capture->n_provenance, error)
                              : status;
}
