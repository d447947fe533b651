#include "host/import/units.h"

#include <math.h>
#include <nfsar/range.h>

#include "host/import/signal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct limits {
    const char *key;
    const double *value;
    size_t n;
    double least, most;
    const char *unit, *range, *question;
};

static enum nfsar_status check_limits(const struct limits *limits, nfsar_error *error) {
    for (size_t i = 0; limits->value != NULL && i < limits->n; i++) {
        double value = limits->value[i];
        if (!(value >= limits->least && value <= limits->most)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %.3g %s; possible are %s: %s",
                              limits->key, value, limits->unit, limits->range, limits->question);
        }
    }
    return NFSAR_OK;
}

#define METRES(part, name, size, most)                                                             \
    {                                                                                              \
#part "." #name, part->name, size, -(most), most, "m", "at most " #most " m",              \
            "is it given in metres?"                                                               \
    }

enum nfsar_status units_check(const struct rig *rig, nfsar_error *error) {
    static const struct rig_scan no_scan;
    const struct rig_radar *radar = &rig->radar;
    const struct rig_scan *scan = rig->scan != NULL ? rig->scan : &no_scan;
    const struct rig_calibration *calibration = &rig->calibration;
    const double *tx_m = rig->array.n_tx_m > 0 ? rig->array.tx_m[0] : NULL;
    const double *rx_m = rig->array.n_rx_m > 0 ? rig->array.rx_m[0] : NULL;
    const struct limits all[] = {
        /* The band's centre is looked at below; a chirp starts a little beside it. */
        {"radar.start_frequency_hz", radar->start_frequency_hz, 1, 1e7, 1e12, "Hz",
         "10 MHz to 1 THz", "is it given in GHz?"},
        {"radar.sample_rate_hz", radar->sample_rate_hz, 1, 1e3, 1e10, "Hz", "1 kHz to 10 GHz",
         "is it given in ksps?"},
        {"radar.adc_start_s", radar->adc_start_s, 1, 0.0, 10e-3, "s", "0 to 10 ms",
         "is it given in us?"},
        {"radar.chirp_period_s", radar->chirp_period_s, 1, 0.0, 10.0, "s", "at most 10 s",
         "is it given in us?"},
        METRES(scan, step_m, 1, 1),
        METRES(scan, row_step_m, 1, 1),
        METRES(scan, z_m, 1, 10000),
        METRES(scan, centre_m, scan->n_centre_m, 10000),
        METRES(scan, start_m, scan->n_start_m, 10000),
        METRES(calibration, range_bias_m, 1, 10000),
        {"array.tx_m", tx_m, 3 * (size_t)rig->array.n_tx_m, -1e4, 1e4, "m", "at most 10000 m",
         "is it given in metres?"},
        {"array.rx_m", rx_m, 3 * (size_t)rig->array.n_rx_m, -1e4, 1e4, "m", "at most 10000 m",
         "is it given in metres?"},
    };
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < COUNT(all); i++) {
        status = check_limits(&all[i], error);
    }
    return status;
}

/* ---- the band -------------------------------------------------------------------------------- */

struct band {
    double low, high, centre, width;
};

static struct band band_of(const nfsar_capture *capture) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < capture->n_sample; i++) {
        low = fmin(low, capture->frequency_hz[i]);
        high = fmax(high, capture->frequency_hz[i]);
    }
    return (struct band){low, high, 0.5 * low + 0.5 * high, high - low};
}

/* A chirp sweeps too much, too little, or elsewhere: the key that is farthest from what radars
 * have. */
static enum nfsar_status check_chirp(const struct rig_radar *radar, const struct band *band,
                                     size_t n_sample, nfsar_error *error) {
    double rate = *radar->sample_rate_hz, slope = *radar->slope_hz_per_s;
    double start = *radar->start_frequency_hz;
    if (n_sample > 1 && band->width < 1e-5 * band->centre) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.slope_hz_per_s: %.3g Hz/s sweeps only %.3g Hz in %zu samples: is "
                          "it given in MHz/us? (1 MHz/us is 1e12)",
                          slope, band->width, n_sample);
    }
    if (band->width > band->centre && rate < 1e5) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.sample_rate_hz: %.3g Hz lets the chirp sweep %.3g Hz in %zu "
                          "samples: is it given in ksps?",
                          rate, band->width, n_sample);
    }
    if (band->width > band->centre && fabs(slope) > 1e15) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.slope_hz_per_s: %.3g Hz/s sweeps %.3g Hz in %zu samples: is it "
                          "given in Hz/s? (1 MHz/us is 1e12)",
                          slope, band->width, n_sample);
    }
    if (band->width > band->centre || !(band->centre >= 1e8 && band->centre <= 1e12)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.start_frequency_hz: %.3g Hz with this slope gives a band from "
                          "%.3g to %.3g Hz: is it given in GHz?",
                          start, band->low, band->high);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_stepped(const struct rig_radar *radar, const struct band *band,
                                       size_t n_sample, nfsar_error *error) {
    const char *key = radar->pulsed != NULL               ? "radar.pulsed.low_hz"
                      : radar->frequency_list != NULL     ? "radar.frequencies_hz"
                      : radar->frequency_variable != NULL ? "radar.frequency_variable"
                                                          : "radar.first_frequency_hz";
    bool steps = radar->frequency_step_hz != NULL;
    if (!(band->centre >= 1e8 && band->centre <= 1e12) || band->low < 1e6) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: the band goes from %.3g to %.3g Hz; possible is a centre of 100 MHz "
                          "to 1 THz: is it given in GHz?",
                          key, band->low, band->high);
    }
    if (n_sample > 1 && band->width < 1e-5 * band->centre) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: the band of %.3g Hz at %.3g Hz is too narrow for any range: is it "
                          "given in GHz or MHz?",
                          steps ? "radar.frequency_step_hz" : key, band->width, band->centre);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_delay(const struct rig *rig, const nfsar_capture *capture,
                                     nfsar_error *error) {
    const struct rig_calibration *known = &rig->calibration;
    double most = nfsar_range_unambiguous(capture);
    for (unsigned i = 0; i <= known->n_channel_delay_s; i++) {
        double delay = i == 0 ? signal_delay(rig) : known->channel_delay_s[i - 1];
        double range = 0.5 * NFSAR_SPEED_OF_LIGHT * delay;
        if (!(fabs(range) <= most)) {
            bool bias = i == 0 && known->range_bias_m != NULL;
            return nfsar_fail(
                error, NFSAR_ERROR_FORMAT,
                "calibration.%s: %.3g %s is %.3g m of range, more than the unambiguous "
                "%.3g m: is it given in %s?",
                i > 0  ? "channel_delay_s"
                : bias ? "range_bias_m"
                       : "delay_s",
                bias ? range : delay, bias ? "m" : "s", range, most, bias ? "metres" : "ns");
        }
    }
    return NFSAR_OK;
}

enum nfsar_status units_check_band(const struct rig *rig, const nfsar_capture *capture,
                                   nfsar_error *error) {
    const struct rig_radar *radar = &rig->radar;
    struct band band = band_of(capture);
    enum nfsar_status status = NFSAR_OK;
    if (radar->start_frequency_hz != NULL) {
        status = check_chirp(radar, &band, capture->n_sample, error);
    } else if (radar->waveform == NULL) {
        status = check_stepped(radar, &band, capture->n_sample, error);
    }
    return status == NFSAR_OK ? check_delay(rig, capture, error) : status;
}
