#include <nfsar/channels.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "calibration/channels_fit.h"
#include "calibration/channels_lines.h"
#include "calibration/channels_rules.h"
#include "calibration/channels_start.h"

/* A channel so much below the others does not see the reflector. */
#define DEAD_DB (-40.0)
/* Channels of one board differ by less, standard deviations. */
#define MOST_SPREAD_DB    3.0
#define MOST_SPREAD_CELLS 0.4
/* A place farther from the point that was given contradicts it. */
#define MOST_POINT_SIGMAS 4.0
/* Pulses that agree less than this do not see one point from where the poses say. */
#define LEAST_COHERENCE 0.5

nfsar_channels_options nfsar_channels_defaults(void) {
    return (nfsar_channels_options){
        .point_sigma_m = 2e-3, .search_delay_s = 1e-9, .window = NFSAR_WINDOW_HANN};
}

static enum nfsar_status check_options(const nfsar_channels_options *o, nfsar_error *error) {
    if (!(o->point_sigma_m > 0.0) || !isfinite(o->point_sigma_m)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the point's uncertainty (--point-error) %g m: must be > 0",
                          o->point_sigma_m);
    }
    if (!(o->search_delay_s > 0.0) || !(o->search_delay_s <= 1e-7)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the delay to search, %g s (--search %g): must be > 0 and at most 1e-7 "
                          "(15 m)",
                          o->search_delay_s, 0.5 * NFSAR_SPEED_OF_LIGHT * o->search_delay_s);
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

/* ---- the answer -------------------------------------------------------------------------------
 */

/* How a channel's delay goes with the place, mean over the pulses. */
static nfsar_vec3 mean_gradient(const struct channel_fit *fit, size_t channel) {
    nfsar_vec3 sum = {0.0, 0.0, 0.0};
    for (size_t i = channel; i < fit->lines->n_line; i += fit->lines->n_channel) {
        sum = nfsar_vec3_add(sum, fit->gradient[i]);
    }
    return nfsar_vec3_scale(sum, 1.0 / (double)fit->lines->n_pulse);
}

/* Variance of a delay that goes with the place as h, by the place's. */
static double place_variance(const struct channel_fit *fit, nfsar_vec3 h) {
    double variance = 0.0;
    for (int i = 0; i < 3; i++) {
        nfsar_vec3 u = fit->direction[i];
        double along = nfsar_vec3_dot(h, u);
        if (isfinite(fit->sigma_m[i])) {
            variance += along * along * fit->sigma_m[i] * fit->sigma_m[i];
        }
    }
    return variance;
}

/* Variance of a line's s0: what the pulses disagree, or with a single one what the profile has
 * beside the reflector. */
static double scatter(const struct channel_fit *fit, size_t channel, double complex gain,
                      double floor) {
    double sum = 0.0;
    size_t n_pulse = fit->lines->n_pulse;
    for (size_t i = channel; i < fit->lines->n_line; i += fit->lines->n_channel) {
        sum += channel_power(fit->s0[i] - gain);
    }
    return n_pulse > 1 ? sum / (double)(n_pulse - 1) : floor;
}

static double decibels(double ratio) {
    return 10.0 * log10(fmax(ratio, 1e-20));
}

/* Standard deviations of gains and delays over the channels that are not WEAK_DB below. */
static void spread(nfsar_channels *found) {
    double n = 0.0, db[2] = {0.0, 0.0}, s[2] = {0.0, 0.0};
    for (size_t c = 0; c < found->n_channel; c++) {
        double gain = 20.0 * log10(cabs(found->channel[c].gain)), late = found->channel[c].delay_s;
        if (gain > NFSAR_CHANNELS_WEAK_DB) {
            n += 1.0;
            db[0] += gain;
            db[1] += gain * gain;
            s[0] += late;
            s[1] += late * late;
        }
    }
    found->gain_spread_db = sqrt(fmax(db[1] / n - db[0] / n * (db[0] / n), 0.0));
    found->delay_spread_s = sqrt(fmax(s[1] / n - s[0] / n * (s[0] / n), 0.0));
}

static void fill(const struct channel_fit *fit, const struct channel_start *start,
                 nfsar_channels *found) {
    const struct channel_lines *l = fit->lines;
    double disagree = 0.0, powers = 0.0, first_phase = 0.0;
    double n_pulse = (double)l->n_pulse, n_channel = (double)l->n_channel;
    double ratio = l->phase_weight / l->delay_weight; /* of the variances, s^2 */
    double scale = 2.0 * NFSAR_PI * l->centre_hz;
    nfsar_vec3 h0 = mean_gradient(fit, 0);
    for (size_t c = 0; c < l->n_channel; c++) {
        nfsar_channel_error *one = &found->channel[c];
        double complex gain = channel_fit_gain(fit, c);
        double noise = scatter(fit, c, gain, start->floor);
        nfsar_vec3 h = mean_gradient(fit, c);
        one->gain = gain;
        one->delay_s = fit->delay_s[c];
        one->residual_db = l->n_pulse > 1 ? decibels(noise / channel_power(gain)) : NAN;
        double phase = noise / (2.0 * channel_power(gain) * n_pulse);
        first_phase = c == 0 ? phase : first_phase;
        /* The phase is that against channel 0, the delay is absolute. */
        double place = scale * scale * place_variance(fit, nfsar_vec3_subtract(h, h0));
        one->phase_sigma_rad = c == 0 ? 0.0 : sqrt(phase + first_phase + place);
        one->delay_sigma_s = sqrt(phase * ratio + place_variance(fit, h));
        disagree += noise;
        powers += channel_power(gain);
    }
    /* Noise, which the other ranges show, averages out; the rest may be the same in all pulses. */
    double noise = fmin(disagree, n_channel * start->floor), rest = disagree - noise;
    found->coherence = sqrt(powers / (powers + rest));
    found->residual_db = l->n_pulse > 1 ? decibels(disagree / powers) : NAN;
    found->mean_residual_db = l->n_pulse > 1 ? decibels((rest + noise / n_pulse) / powers) : NAN;
    found->contrast_db = start->contrast_db;
    /* The reflector's own amplitude and phase are nobody's. */
    double complex common =
        found->channel[0].gain / cabs(found->channel[0].gain) * sqrt(powers / n_channel);
    double first = found->channel[0].delay_s;
    for (size_t c = 0; c < l->n_channel; c++) {
        nfsar_channel_error *one = &found->channel[c];
        one->gain /= common;
        double turns = fmod(l->centre_hz * (one->delay_s - first), 1.0);
        one->phase_rad = c == 0 ? 0.0 : carg(one->gain * cexp(2.0 * NFSAR_PI * I * turns));
    }
    spread(found);
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
                          "the pulses do not see one point: of the echo at %.3f m %.0f %% adds up, "
                          "50 are needed; poses are wrong, or it is no corner reflector (--gate "
                          "looks elsewhere, --leakage takes leakage out), or samples are "
                          "conjugated: nfsar doctor tells",
                          found->range_m, 100.0 * found->coherence);
    }
    return NFSAR_OK;
}

static enum nfsar_status work(struct channel_fit *fit, nfsar_channels *found,
                              const nfsar_progress *progress, nfsar_error *error) {
    struct channel_start start = {0};
    enum nfsar_status status =
        channel_start_find(fit->lines, fit->options, &start, fit->delay_s, error);
    fit->place = start.place;
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
    found->angle_is_phase = fit->told < 3;
    if (status == NFSAR_OK && fit->told < 3) {
        status = channel_rules_follow(fit, &found->delay_is_range, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    for (size_t c = 0; c < found->n_channel; c++) {
        if (!(channel_power(channel_fit_gain(fit, c)) > 0.0)) {
            return nfsar_fail(
                error, NFSAR_ERROR_FORMAT,
                "channel %zu has no echo at all: it is dead; leave it out of the array in "
                "the rig file and import again",
                c);
        }
    }
    found->place = fit->place;
    memcpy(found->direction, fit->direction, sizeof found->direction);
    memcpy(found->place_sigma_m, fit->sigma_m, sizeof found->place_sigma_m);
    found->told = fit->told;
    found->by_pulses = fit->by_pulses;
    found->cell_s = 1.0 / fit->lines->bandwidth_hz;
    for (size_t i = 0; i < fit->lines->n_line; i++) {
        found->range_m += 0.5 * NFSAR_SPEED_OF_LIGHT * fit->t[i] / (double)fit->lines->n_line;
    }
    found->centre_hz = fit->lines->centre_hz;
    nfsar_vec3 centre;
    const nfsar_vec3 ahead =
        nfsar_quaternion_rotate(channel_lines_radar(fit->lines, fit->lines->n_pulse / 2, &centre),
                                (nfsar_vec3){0.0, 0.0, 1.0});
    found->behind = nfsar_vec3_dot(nfsar_vec3_subtract(fit->place, centre), ahead) < 0.0;
    if (fit->options->has_point) {
        found->point_sigmas =
            nfsar_vec3_distance(fit->place, fit->options->point) / fit->options->point_sigma_m;
    }
    fill(fit, &start, found);
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
    found->n_pulse = lines.n_pulse;
    found->n_missing = lines.n_missing;
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
    double db = isnan(found->mean_residual_db) ? -found->contrast_db : found->mean_residual_db;
    int steps = db < -20.0 ? 0 : db < -10.0 ? 1 : 2;
    if ((found->by_pulses == 0 || nfsar_channels_misplaced(found)) && steps < 1) {
        steps = 1;
    }
    if (nfsar_channels_differ(found)) {
        steps++;
    }
    return steps == 0   ? NFSAR_CHANNELS_GOOD
           : steps == 1 ? NFSAR_CHANNELS_FAIR
                        : NFSAR_CHANNELS_POOR;
}

bool nfsar_channels_differ(const nfsar_channels *found) {
    return found->gain_spread_db > MOST_SPREAD_DB ||
           found->delay_spread_s > MOST_SPREAD_CELLS * found->cell_s;
}

bool nfsar_channels_misplaced(const nfsar_channels *found) {
    return found->point_sigmas > MOST_POINT_SIGMAS || found->behind;
}

double nfsar_channels_kept(const nfsar_channels *found, const nfsar_capture *capture) {
    const double *had = capture->calibration.channel_delay_s;
    double mean = 0.0;
    for (size_t c = 0; found->delay_is_range && had != NULL && c < found->n_channel; c++) {
        mean += had[c] / (double)found->n_channel;
    }
    return mean;
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
    double kept = nfsar_channels_kept(found, capture);
    for (size_t c = 0; c < found->n_channel; c++) {
        gain[c] = (float complex)found->channel[c].gain;
        delay[c] = found->channel[c].delay_s + kept;
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
