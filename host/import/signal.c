#include "host/import/signal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/cube.h"

enum nfsar_status signal_samples(const struct rig *rig, size_t *n, nfsar_error *error) {
    nfsar_fmcw fmcw;
    *n = rig_count(rig->radar.samples, rig->radar.n_frequency_list);
    if (rig->radar.waveform == NULL) {
        return NFSAR_OK;
    }
    size_t preset = 0;
    enum nfsar_status status = nfsar_waveform_preset(rig->radar.waveform, &fmcw, &preset, error);
    if (status != NFSAR_OK) {
        return rig_wrong(error, "radar.waveform");
    }
    if (*n != 0 && *n != preset) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "radar.samples: %zu, but %s has %zu", *n,
                          rig->radar.waveform, preset);
    }
    *n = preset;
    return NFSAR_OK;
}

/* Frequencies that are listed in the rig file or in a MATLAB variable. */
static enum nfsar_status copy_frequencies(const char *key, const double *listed, size_t n,
                                          nfsar_capture *capture, nfsar_error *error) {
    if (n != capture->n_sample) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %zu frequencies for %zu samples", key, n,
                          capture->n_sample);
    }
    for (size_t i = 0; i < n; i++) {
        if (!(listed[i] > 0.0) || listed[i] > 1e15) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: entry %zu is %g Hz", key, i + 1,
                              listed[i]);
        }
    }
    memcpy(capture->frequency_hz, listed, n * sizeof *listed);
    return NFSAR_OK;
}

static nfsar_fmcw chirp(const struct rig_radar *radar) {
    return (nfsar_fmcw){.start_frequency_hz = *radar->start_frequency_hz,
                        .slope_hz_per_s = *radar->slope_hz_per_s,
                        .sample_rate_hz = *radar->sample_rate_hz,
                        .adc_start_s = rig_number(radar->adc_start_s, 0.0)};
}

enum nfsar_status signal_fill(const struct rig *rig, const char *path, nfsar_capture *capture,
                              nfsar_error *error) {
    const struct rig_radar *radar = &rig->radar;
    enum nfsar_status status = NFSAR_OK;
    snprintf(capture->model, sizeof capture->model, "%s", radar->model != NULL ? radar->model : "");
    if (radar->pulsed != NULL) {
        return NFSAR_OK; /* the waveform's spectrum has them */
    }
    if (radar->frequency_list != NULL) {
        return copy_frequencies("radar.frequencies_hz", radar->frequency_list,
                                radar->n_frequency_list, capture, error);
    }
    if (radar->frequency_variable != NULL) {
        double *listed = NULL;
        size_t n = 0;
        status = cube_mat_vector(path, radar->frequency_variable, &listed, &n, error);
        if (status == NFSAR_OK) {
            status = copy_frequencies("radar.frequency_variable", listed, n, capture, error);
        }
        free(listed);
        return status;
    }
    if (radar->first_frequency_hz != NULL) {
        status = nfsar_stepped_frequencies(*radar->first_frequency_hz, *radar->frequency_step_hz,
                                           capture->frequency_hz, capture->n_sample, error);
        if (status == NFSAR_OK && capture->n_sample > 1 && *radar->frequency_step_hz == 0.0) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "radar.frequency_step_hz: is zero");
        }
    } else {
        capture->has_fmcw = true;
        size_t preset = 0;
        if (radar->waveform != NULL) {
            status = nfsar_waveform_preset(radar->waveform, &capture->fmcw, &preset, error);
        } else {
            capture->fmcw = chirp(radar);
        }
        if (status == NFSAR_OK) {
            status = nfsar_fmcw_frequencies(&capture->fmcw, capture->frequency_hz,
                                            capture->n_sample, error);
        }
    }
    if (status == NFSAR_ERROR_ARGUMENT) {
        return rig_wrong(error, "radar");
    }
    return status;
}

double signal_delay(const struct rig *rig) {
    /* Range is half the two-way path. */
    return rig_number(rig->calibration.delay_s, 0.0) +
           2.0 * rig_number(rig->calibration.range_bias_m, 0.0) / NFSAR_SPEED_OF_LIGHT;
}

static enum nfsar_status check_channels(const char *key, size_t n, const nfsar_capture *capture,
                                        nfsar_error *error) {
    return n == capture->array.n_channel
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %zu entries for %zu channels", key, n,
                            capture->array.n_channel);
}

enum nfsar_status signal_calibrate(const struct rig *rig, nfsar_capture *capture,
                                   nfsar_error *error) {
    const struct rig_calibration *known = &rig->calibration;
    nfsar_calibration *to = &capture->calibration;
    size_t n = capture->array.n_channel;
    enum nfsar_status status = NFSAR_OK;
    if (known->channel_gain != NULL) {
        status = check_channels("calibration.channel_gain", known->n_channel_gain, capture, error);
        to->channel_gain = calloc(n, sizeof *to->channel_gain);
        for (size_t i = 0; status == NFSAR_OK && to->channel_gain != NULL && i < n; i++) {
            const double *gain = known->channel_gain[i];
            to->channel_gain[i] = CMPLXF((float)gain[0], (float)gain[1]);
        }
    }
    if (status == NFSAR_OK && known->channel_delay_s != NULL) {
        status =
            check_channels("calibration.channel_delay_s", known->n_channel_delay_s, capture, error);
    }
    double delay = signal_delay(rig);
    if (status == NFSAR_OK && (known->channel_delay_s != NULL || delay != 0.0)) {
        to->channel_delay_s = calloc(n, sizeof *to->channel_delay_s);
        for (size_t i = 0; to->channel_delay_s != NULL && i < n; i++) {
            to->channel_delay_s[i] =
                delay + (known->channel_delay_s != NULL ? known->channel_delay_s[i] : 0.0);
        }
    }
    if (status == NFSAR_OK &&
        ((known->channel_gain != NULL && to->channel_gain == NULL) ||
         ((known->channel_delay_s != NULL || delay != 0.0) && to->channel_delay_s == NULL))) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return status;
}
