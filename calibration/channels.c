#include <nfsar/channels.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "calibration/channels_fit.h"
#include "calibration/channels_lines.h"
#include "calibration/channels_start.h"

/* A channel so much below the others does not see the reflector. */
#define DEAD_DB (-40.0)
/* Pulses that agree less than this do not see one point from where the poses say. */
#define LEAST_COHERENCE 0.5
/* Sine of the widest angle from which channels are tried to add up. */
#define WIDEST 0.8

nfsar_channels_options nfsar_channels_defaults(void) {
    return (nfsar_channels_options){
        .point_sigma_m = 2e-3, .search_delay_s = 1e-9, .near_m = 0.1, .window = NFSAR_WINDOW_HANN};
}

static enum nfsar_status check_options(const nfsar_channels_options *o, nfsar_error *error) {
    if (!(o->point_sigma_m > 0.0) || !isfinite(o->point_sigma_m)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "the point's uncertainty %g m: must be > 0",
                          o->point_sigma_m);
    }
    if (!(o->search_delay_s > 0.0) || !(o->search_delay_s <= 1e-7)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the delay to search, %g s: must be > 0 and at most 1e-7",
                          o->search_delay_s);
    }
    if (!(o->near_m >= 0.0) || !(o->far_m >= 0.0) || !isfinite(o->near_m) || !isfinite(o->far_m)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "ranges from %g to %g m: must not be negative", o->near_m, o->far_m);
    }
    if (!isfinite(o->point.x) || !isfinite(o->point.y) || !isfinite(o->point.z)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "the point's place is not a number");
    }
    return NFSAR_OK;
}

static enum nfsar_status check_capture(const nfsar_capture *capture, nfsar_error *error) {
    if (capture->n_pulse == 0 || capture->array.n_channel == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the capture has no echoes");
    }
    if (capture->n_sample < 4) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%zu frequencies do not tell a delay: 4 are the least",
                          capture->n_sample);
    }
    return NFSAR_OK;
}

static double power(double complex z) {
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

/* ---- what the pulses do not tell --------------------------------------------------------------
 */

static nfsar_vec3 mean_centre(const struct channel_lines *l) {
    nfsar_vec3 sum = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < l->n_line; i++) {
        sum = nfsar_vec3_add(sum, nfsar_vec3_midpoint(l->tx[i], l->rx[i]));
    }
    return nfsar_vec3_scale(sum, 1.0 / (double)l->n_line);
}

/* |sum of the channels as they are| seen from the first pulse, were the reflector at that place. */
static double beam(const struct channel_fit *fit, const double complex *response,
                   nfsar_vec3 place) {
    double complex sum = 0.0;
    for (size_t c = 0; c < fit->lines->n_channel; c++) {
        double more = channel_lines_delay(fit->lines, c, place) -
                      channel_lines_delay(fit->lines, c, fit->place);
        sum += response[c] * cexp(-2.0 * NFSAR_PI * I * fmod(fit->lines->centre_hz * more, 1.0));
    }
    return cabs(sum);
}

/* A radar at rest tells neither range from a delay of all channels, nor angle from phases that grow
 * along the array. The rules: the mean delay is zero, and the angle is the one from which the
 * channels as they are add up best; of equals the one ahead. */
static enum nfsar_status follow_rules(struct channel_fit *fit, nfsar_error *error) {
    const struct channel_lines *l = fit->lines;
    size_t n_channel = l->n_channel;
    double complex *response = malloc(n_channel * sizeof *response);
    if (response == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_vec3 centre = mean_centre(l);
    double common = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        double turns = fmod(l->centre_hz * fit->delay_s[c], 1.0);
        response[c] = channel_fit_gain(fit, c) * cexp(2.0 * NFSAR_PI * I * turns);
        common += fit->delay_s[c] / (double)n_channel;
    }
    nfsar_vec3 way = nfsar_vec3_subtract(fit->place, centre);
    double range = nfsar_vec3_norm(way) + 0.5 * common * NFSAR_SPEED_OF_LIGHT;
    nfsar_pose pose = nfsar_track_pose(l->capture->pose_time_s, l->capture->pose,
                                       l->capture->n_pose, l->capture->time_s[0], NULL);
    double best = -1.0, u = 0.0, v = 0.0, step = 0.02;
    nfsar_vec3 found = fit->place;
    for (int pass = 0, n = (int)(WIDEST / step); pass < 8; pass++, n = 4, step *= 0.3) {
        double from_u = u, from_v = v;
        for (int i = -n; i <= n; i++) {
            for (int j = -n; j <= n; j++) {
                double s = from_u + i * step, t = from_v + j * step, aside = s * s + t * t;
                if (aside > WIDEST * WIDEST) {
                    continue;
                }
                nfsar_vec3 ahead = {s, t, sqrt(1.0 - aside)};
                ahead = nfsar_quaternion_rotate(pose.orientation, ahead);
                nfsar_vec3 place = nfsar_vec3_add(centre, nfsar_vec3_scale(ahead, range));
                double score = beam(fit, response, place) * (1.0 - 1e-3 * aside);
                if (score > best) {
                    best = score;
                    found = place;
                    u = s;
                    v = t;
                }
            }
        }
    }
    free(response);
    /* The delays as the new place has them: what is measured is the sum of both. */
    double mean = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        fit->delay_s[c] += channel_lines_delay(l, c, fit->place) - channel_lines_delay(l, c, found);
        mean += fit->delay_s[c] / (double)n_channel;
    }
    for (size_t c = 0; c < n_channel; c++) {
        fit->delay_s[c] -= mean;
    }
    way = nfsar_vec3_subtract(found, centre);
    double longer = 1.0 + 0.5 * mean * NFSAR_SPEED_OF_LIGHT / nfsar_vec3_norm(way);
    fit->place = nfsar_vec3_add(centre, nfsar_vec3_scale(way, longer));
    return channel_fit_sum(fit, error);
}

/* ---- the answer -------------------------------------------------------------------------------
 */

/* Variance of a channel's phase (times scale^2) by the place's, relative to another channel. */
static double place_variance(const struct channel_fit *fit, size_t a, size_t b) {
    double variance = 0.0;
    nfsar_vec3 h = nfsar_vec3_subtract(fit->gradient[a], fit->gradient[b]);
    for (int i = 0; i < 3; i++) {
        nfsar_vec3 u = fit->direction[i];
        double along = h.x * u.x + h.y * u.y + h.z * u.z;
        if (isfinite(fit->sigma_m[i])) {
            variance += along * along * fit->sigma_m[i] * fit->sigma_m[i];
        }
    }
    return variance;
}

/* Variance of a line's s0, and moduli: what the pulses disagree, or with a single one what the
 * profile has beside the reflector. */
static double scatter(const struct channel_fit *fit, size_t channel, double complex gain,
                      double contrast, double *moduli) {
    double sum = 0.0;
    *moduli = 0.0;
    size_t n_pulse = fit->lines->n_pulse;
    for (size_t i = channel; i < fit->lines->n_line; i += fit->lines->n_channel) {
        sum += power(fit->s0[i] - gain);
        *moduli += cabs(fit->s0[i]) / (double)n_pulse;
    }
    return n_pulse > 1 ? sum / (double)(n_pulse - 1) : power(gain) / contrast;
}

static void fill(const struct channel_fit *fit, double contrast_db, nfsar_channels *found) {
    const struct channel_lines *l = fit->lines;
    double sum = 0.0, moduli = 0.0, disagree = 0.0, powers = 0.0;
    double n_pulse = (double)l->n_pulse, contrast = pow(10.0, 0.1 * contrast_db);
    double ratio = l->phase_weight / l->delay_weight; /* of the variances, s^2 */
    for (size_t c = 0; c < l->n_channel; c++) {
        nfsar_channel_error *one = &found->channel[c];
        double modulus;
        double complex gain = channel_fit_gain(fit, c);
        double noise = scatter(fit, c, gain, contrast, &modulus);
        one->gain = gain;
        one->delay_s = fit->delay_s[c];
        one->residual_db = l->n_pulse > 1 ? 10.0 * log10(fmax(noise / power(gain), 1e-20)) : NAN;
        double phase = noise / (2.0 * power(gain) * n_pulse);
        double place = place_variance(fit, c, 0);
        double scale = 2.0 * NFSAR_PI * l->centre_hz;
        one->phase_sigma_rad = sqrt(phase + scale * scale * place);
        one->delay_sigma_s = sqrt(phase * ratio + place);
        sum += cabs(gain);
        moduli += modulus;
        disagree += noise;
        powers += power(gain);
    }
    found->coherence = sum / moduli;
    found->residual_db = l->n_pulse > 1 ? 10.0 * log10(fmax(disagree / powers, 1e-20)) : NAN;
    found->contrast_db = contrast_db;
    /* The reflector's own amplitude and phase are nobody's. */
    double complex common =
        found->channel[0].gain / cabs(found->channel[0].gain) * sqrt(powers / (double)l->n_channel);
    double first = found->channel[0].delay_s;
    for (size_t c = 0; c < l->n_channel; c++) {
        nfsar_channel_error *one = &found->channel[c];
        one->gain /= common;
        double turns = fmod(l->centre_hz * (one->delay_s - first), 1.0);
        one->phase_rad = carg(one->gain * cexp(2.0 * NFSAR_PI * I * turns));
    }
}

static enum nfsar_status check_found(const nfsar_channels *found, nfsar_error *error) {
    for (size_t c = 0; c < found->n_channel; c++) {
        double db = 20.0 * log10(cabs(found->channel[c].gain));
        if (!(db > DEAD_DB)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "channel %zu does not see the reflector: its echo is %.0f dB below "
                              "the others'",
                              c, -db);
        }
    }
    if (!(found->coherence >= LEAST_COHERENCE)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the pulses do not see one point: %.0f %% of the echo adds up, 50 are "
                          "needed; there is no corner reflector, or the poses are wrong",
                          100.0 * found->coherence);
    }
    return NFSAR_OK;
}

static enum nfsar_status work(struct channel_fit *fit, nfsar_channels *found,
                              const nfsar_progress *progress, nfsar_error *error) {
    double contrast_db = 0.0;
    enum nfsar_status status = channel_start_find(fit->lines, fit->options, &fit->place,
                                                  fit->delay_s, &contrast_db, error);
    if (status == NFSAR_OK && !nfsar_progress_report(progress, 0.4)) {
        status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
    }
    if (status == NFSAR_OK) {
        status = channel_fit_delays(fit, error);
    }
    if (status == NFSAR_OK && !nfsar_progress_report(progress, 0.7)) {
        status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
    }
    if (status == NFSAR_OK) {
        status = channel_fit_phases(fit, error);
    }
    if (status == NFSAR_OK && fit->told == 0) {
        status = follow_rules(fit, error);
        found->delay_is_range = true;
    }
    if (status != NFSAR_OK) {
        return status;
    }
    found->angle_is_phase = fit->told < 3;
    for (size_t c = 0; c < found->n_channel; c++) {
        if (!(power(channel_fit_gain(fit, c)) > 0.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "channel %zu has no echo at all", c);
        }
    }
    found->place = fit->place;
    memcpy(found->direction, fit->direction, sizeof found->direction);
    memcpy(found->place_sigma_m, fit->sigma_m, sizeof found->place_sigma_m);
    found->told = fit->told;
    found->centre_hz = fit->lines->centre_hz;
    fill(fit, contrast_db, found);
    return check_found(found, error);
}

enum nfsar_status nfsar_channels_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      const nfsar_channels_options *options, nfsar_channels *found,
                                      const nfsar_progress *progress, nfsar_error *error) {
    const nfsar_channels_options defaults = nfsar_channels_defaults();
    struct channel_lines lines;
    struct channel_fit fit = {.lines = &lines, .options = options != NULL ? options : &defaults};
    *found = (nfsar_channels){0};
    enum nfsar_status status = check_options(fit.options, error);
    if (status == NFSAR_OK) {
        status = check_capture(capture, error);
    }
    if (status == NFSAR_OK) {
        status = channel_lines_open(capture, source, fit.options->window, &lines, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    found->n_channel = capture->array.n_channel;
    found->n_pulse = capture->n_pulse;
    found->channel = calloc(found->n_channel, sizeof *found->channel);
    fit.delay_s = calloc(found->n_channel, sizeof *fit.delay_s);
    if (found->channel == NULL || fit.delay_s == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else if (!(lines.bandwidth_hz > 0.0)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "all samples have one frequency, which does not tell a delay");
    } else {
        status = channel_fit_open(&fit, error);
    }
    if (status == NFSAR_OK) {
        status = work(&fit, found, progress, error);
        channel_fit_close(&fit);
    }
    free(fit.delay_s);
    channel_lines_close(&lines);
    if (status != NFSAR_OK) {
        nfsar_channels_free(found);
    }
    return status;
}

enum nfsar_channels_verdict nfsar_channels_judge(const nfsar_channels *found) {
    double db = isnan(found->residual_db) ? -found->contrast_db : found->residual_db;
    return db < -20.0   ? NFSAR_CHANNELS_GOOD
           : db < -10.0 ? NFSAR_CHANNELS_FAIR
                        : NFSAR_CHANNELS_POOR;
}

enum nfsar_status nfsar_channels_apply(const nfsar_channels *found, nfsar_capture *capture,
                                       nfsar_error *error) {
    if (found->n_channel != capture->array.n_channel) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%zu channels were calibrated, there are %zu", found->n_channel,
                          capture->array.n_channel);
    }
    float complex *gain = malloc(found->n_channel * sizeof *gain);
    double *delay = malloc(found->n_channel * sizeof *delay);
    if (gain == NULL || delay == NULL) {
        free(gain);
        free(delay);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t c = 0; c < found->n_channel; c++) {
        gain[c] = (float complex)found->channel[c].gain;
        delay[c] = found->channel[c].delay_s;
    }
    free(capture->calibration.channel_gain);
    free(capture->calibration.channel_delay_s);
    capture->calibration.channel_gain = gain;
    capture->calibration.channel_delay_s = delay;
    return NFSAR_OK;
}

void nfsar_channels_free(nfsar_channels *found) {
    free(found->channel);
    *found = (nfsar_channels){0};
}
