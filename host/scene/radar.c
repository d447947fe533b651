#include "host/scene/radar.h"

#include <stdlib.h>
#include <string.h>

#include "host/scene/check.h"

#define SAMPLE_LIMIT 1000000u

/* Which of the ways to say it was taken. */
enum way { WAY_PRESET, WAY_CHIRP, WAY_BAND, WAY_STEPPED, WAY_LIST };

static enum nfsar_status find_way(const struct scene_radar *r, enum way *way, nfsar_error *error) {
    int given = (r->waveform != NULL) + (r->slope_hz_per_s != NULL) + (r->bandwidth_hz != NULL) +
                (r->step_hz != NULL) + (r->frequency_hz != NULL);
    if (given != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "say the waveform in one way: waveform (a preset), slope_hz_per_s "
                          "(a chirp), bandwidth_hz, step_hz or frequency_hz; %s",
                          given == 0 ? "none is given" : "several are given");
    }
    *way = r->waveform != NULL         ? WAY_PRESET
           : r->slope_hz_per_s != NULL ? WAY_CHIRP
           : r->bandwidth_hz != NULL   ? WAY_BAND
           : r->step_hz != NULL        ? WAY_STEPPED
                                       : WAY_LIST;
    const bool chirp = *way == WAY_CHIRP;
    const bool whole = *way == WAY_PRESET || *way == WAY_LIST;
    if (whole && (r->samples != NULL || r->start_frequency_hz != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s says it all; leave out samples and start_frequency_hz",
                          *way == WAY_PRESET ? "waveform" : "frequency_hz");
    }
    if (!whole && (r->samples == NULL || r->start_frequency_hz == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s is missing",
                          r->samples == NULL ? "samples" : "start_frequency_hz");
    }
    if (chirp != (r->sample_rate_hz != NULL) || (!chirp && r->adc_start_s != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          chirp ? "sample_rate_hz is missing"
                                : "sample_rate_hz and adc_start_s go with slope_hz_per_s");
    }
    return NFSAR_OK;
}

/* Frequencies by start and step; the last of a band is its end. */
static enum nfsar_status fill_steps(const struct scene_radar *r, enum way way,
                                    struct radar_waveform *w, nfsar_error *error) {
    double step = way == WAY_STEPPED ? *r->step_hz
                  : w->n_sample > 1  ? *r->bandwidth_hz / (double)(w->n_sample - 1)
                                     : 0.0;
    return nfsar_stepped_frequencies(*r->start_frequency_hz, step, w->frequency_hz, w->n_sample,
                                     error);
}

static enum nfsar_status fill(const struct scene_radar *r, enum way way, struct radar_waveform *w,
                              nfsar_error *error) {
    if (way == WAY_LIST) {
        memcpy(w->frequency_hz, r->frequency_hz, w->n_sample * sizeof *w->frequency_hz);
        return check_positive("frequency_hz", w->frequency_hz, w->n_sample, error);
    }
    return w->has_fmcw ? nfsar_fmcw_frequencies(&w->fmcw, w->frequency_hz, w->n_sample, error)
                       : fill_steps(r, way, w, error);
}

static enum nfsar_status size(const struct scene_radar *r, enum way way, struct radar_waveform *w,
                              nfsar_error *error) {
    w->has_fmcw = way == WAY_PRESET || way == WAY_CHIRP;
    if (way == WAY_PRESET) {
        return nfsar_waveform_preset(r->waveform, &w->fmcw, &w->n_sample, error);
    }
    if (way == WAY_CHIRP) {
        w->fmcw = (nfsar_fmcw){*r->start_frequency_hz, *r->slope_hz_per_s, *r->sample_rate_hz,
                               check_default(r->adc_start_s, 0.0)};
    }
    if (way == WAY_LIST) {
        w->n_sample = r->frequency_hz_count;
        return NFSAR_OK;
    }
    w->n_sample = *r->samples;
    return check_count("samples", *r->samples, SAMPLE_LIMIT, error);
}

static enum nfsar_status make(const struct scene_radar *radar, struct radar_waveform *waveform,
                              nfsar_error *error) {
    enum way way = WAY_PRESET;
    enum nfsar_status status = find_way(radar, &way, error);
    if (status == NFSAR_OK) {
        status = size(radar, way, waveform, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    waveform->frequency_hz = calloc(waveform->n_sample, sizeof *waveform->frequency_hz);
    if (waveform->frequency_hz == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return fill(radar, way, waveform, error);
}

enum nfsar_status radar_waveform_make(const struct scene_radar *radar,
                                      struct radar_waveform *waveform, nfsar_error *error) {
    memset(waveform, 0, sizeof *waveform);
    enum nfsar_status status = make(radar, waveform, error);
    if (status != NFSAR_OK) {
        free(waveform->frequency_hz);
        waveform->frequency_hz = NULL;
        return nfsar_fail_in(error, status, "radar");
    }
    return NFSAR_OK;
}

static enum nfsar_status own_antennas(const struct scene_array *d, nfsar_array *array,
                                      nfsar_error *error) {
    enum nfsar_status status = check_finite("tx_m", d->tx_m[0].v, 3 * d->tx_m_count, error);
    if (status == NFSAR_OK) {
        status = check_finite("rx_m", d->rx_m[0].v, 3 * d->rx_m_count, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_array_create(d->tx_m_count, d->rx_m_count, array, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < d->tx_m_count; i++) {
        array->tx_m[i] = (nfsar_vec3){d->tx_m[i].v[0], d->tx_m[i].v[1], d->tx_m[i].v[2]};
    }
    for (size_t i = 0; status == NFSAR_OK && i < d->rx_m_count; i++) {
        array->rx_m[i] = (nfsar_vec3){d->rx_m[i].v[0], d->rx_m[i].v[1], d->rx_m[i].v[2]};
    }
    return status;
}

enum nfsar_status radar_array_make(const struct scene_array *description, nfsar_array *array,
                                   nfsar_error *error) {
    const struct scene_array *d = description;
    memset(array, 0, sizeof *array);
    bool own = d->tx_m != NULL && d->rx_m != NULL;
    if ((d->preset != NULL) == own || (d->tx_m != NULL) != (d->rx_m != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "array: give either preset, or tx_m and rx_m");
    }
    enum nfsar_status status =
        check_not_negative("chirp_interval_s", &d->chirp_interval_s, 1, error);
    if (status == NFSAR_OK) {
        status = own ? own_antennas(d, array, error)
                     : nfsar_array_preset(d->preset, d->along, array, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < array->n_channel; i++) {
        array->channel_time_s[i] = array->channel[i].tx * d->chirp_interval_s;
    }
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "array");
}
