/* nfsar calibrate --range: delay, slope, start and residual video phase of the instrument from
 * reflectors at known ranges. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

#define DEGREES (180.0 / NFSAR_PI)
/* Residual video phase that is nothing. */
#define LITTLE_DEGREES 0.1

/* nfsar's own simulation has the echo model's phases, without the residual video phase. */
static bool is_simulated(const nfsar_capture *capture) {
    return capture->n_provenance > 0 && strncmp(capture->provenance[0], "simulate: ", 10) == 0;
}

/* So far from the range at which it is taken out less than LITTLE_DEGREES of it are left. */
static double video_within(const nfsar_capture *capture) {
    double slope = fabs(capture->fmcw.slope_hz_per_s);
    return 0.5 * NFSAR_SPEED_OF_LIGHT * sqrt(LITTLE_DEGREES / DEGREES / (NFSAR_PI * slope));
}

/* How much later on the chirp samples begin than the capture says. */
static double adc_start_change(const nfsar_capture *capture, const nfsar_instrument *f) {
    return capture->has_fmcw && capture->fmcw.slope_hz_per_s != 0.0
               ? f->shift_hz / capture->fmcw.slope_hz_per_s
               : NAN;
}

bool calibrate_read_ranges(const char *text, nfsar_instrument_options *options) {
    const char *end = text;
    options->n_range = 1;
    if (!cli_number(text, &end, &options->range_m[0])) {
        return false;
    }
    if (*end == ',') {
        options->n_range = 2;
        if (!cli_number(end + 1, &end, &options->range_m[1])) {
            return false;
        }
    }
    return *end == '\0';
}

/* A tenth of a millimetre tells no place. */
static bool is_at_rest(const nfsar_instrument *f) {
    return f->extent_m < 1e-4;
}

static int print_json(const struct calibrate_range *job, const nfsar_capture *capture,
                      const nfsar_instrument *f) {
    json_t *two = json_null(), *taken = json_null();
    if (f->has_scale) {
        two = json_pack("{s:f, s:f, s:b, s:f, s:f, s:b, s:f, s:o}", "scale", f->scale,
                        "scale_sigma", f->scale_sigma, "scale_told", f->scale_told, "shift_hz",
                        f->shift_hz, "shift_sigma_hz", f->shift_sigma_hz, "shift_told",
                        f->shift_told, "ambiguity_hz", f->ambiguity_hz, "adc_start_change_s",
                        json_number(adc_start_change(capture, f)));
    }
    if (f->video_delay_s > 0.0) {
        taken = json_pack("{s:f, s:f}", "range_m", 0.5 * NFSAR_SPEED_OF_LIGHT * f->video_delay_s,
                          "within_m", video_within(capture));
    }
    json_t *apparent = json_array(), *video = json_array(), *contrast = json_array();
    json_t *places = json_array();
    for (size_t r = 0; r < job->options.n_range; r++) {
        json_array_append_new(
            places, json_pack("{s:[f, f, f], s:f, s:i, s:o, s:o, s:o}", "place_m", f->place[r].x,
                              f->place[r].y, f->place[r].z, "aside_deg", DEGREES * f->aside_rad[r],
                              "directions_told", f->told[r], "place_sigma_m",
                              f->told[r] > 0 ? json_number(f->place_sigma_m[r]) : json_null(),
                              "other_echo_db", json_number(f->other_db[r]), "other_echo_m",
                              isfinite(f->other_db[r]) ? json_number(f->other_m[r]) : json_null()));
        json_array_append_new(apparent, json_number(f->apparent_m[r]));
        json_array_append_new(video, json_number(DEGREES * f->video_rad[r]));
        json_array_append_new(contrast, json_number(f->contrast_db[r]));
    }
    return print_object(json_pack(
        "{s:o, s:f, s:f, s:f, s:[f, f, f], s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "output",
        json_text(job->files.output), "delay_s", f->delay_s, "delay_sigma_s", f->delay_sigma_s,
        "spread_s", f->spread_s, "middle_m", f->middle.x, f->middle.y, f->middle.z, "middle_pulse",
        (json_int_t)f->middle_pulse, "at_rest", is_at_rest(f), "reflectors", places, "apparent_m",
        apparent, "contrast_db", contrast, "residual_video_phase_deg", video, "video_taken_out",
        taken, "two_ranges", two));
}

static void print_two(const nfsar_capture *capture, const nfsar_instrument *f) {
    printf("slope      %+.3f %% of the capture's, standard deviation %.2g %%: %s\n",
           100.0 * (f->scale - 1.0), 100.0 * f->scale_sigma,
           f->scale_told ? "put right (the chirp's slope, or the sampling rate)"
                         : "as the capture says");
    printf("start      frequencies %+.2f MHz, standard deviation %.2g, modulo %.4g MHz",
           1e-6 * f->shift_hz, 1e-6 * f->shift_sigma_hz, 1e-6 * f->ambiguity_hz);
    if (!isnan(adc_start_change(capture, f))) {
        printf(": ADC start %+.3f us, standard deviation %.2g", 1e6 * adc_start_change(capture, f),
               1e6 * fabs(f->shift_sigma_hz / capture->fmcw.slope_hz_per_s));
    }
    printf("; %s\n", f->shift_told ? "put right, which takes both reflectors to be of one kind"
                                   : "left as it is, since that is not told from 0");
}

static void print_video(const nfsar_capture *capture, const nfsar_instrument *f) {
    if (isnan(f->video_rad[0])) {
        printf("video      no chirp is known, and so no residual video phase\n");
        return;
    }
    printf("video      residual video phase %.3f degrees at the %s",
           DEGREES * f->video_rad[f->has_scale ? 1 : 0], f->has_scale ? "second" : "reflector");
    if (f->video_delay_s > 0.0) {
        printf(": %s at %.3f m; within %.2f m of that less than %g degrees are left\n",
               f->video_delay_s == f->video_had_s ? "was taken out before" : "taken out",
               0.5 * NFSAR_SPEED_OF_LIGHT * f->video_delay_s, video_within(capture),
               LITTLE_DEGREES);
    } else {
        printf(" in a recording; a simulation has none\n");
    }
}

/* Where ranges count from, and where that puts the reflectors. */
static void print_places(const struct calibrate_range *job, const nfsar_instrument *f) {
    printf("radar      ");
    if (is_at_rest(f)) {
        printf("at rest: ranges count from the middle of its array, %.2f, %.2f, %.2f mm\n",
               calibrate_hundredths(f->middle.x), calibrate_hundredths(f->middle.y),
               calibrate_hundredths(f->middle.z));
    } else {
        printf("ranges count from %.2f, %.2f, %.2f mm: the middle of the array at pulse %zu, the "
               "nearest the middle of the scan\n",
               calibrate_hundredths(f->middle.x), calibrate_hundredths(f->middle.y),
               calibrate_hundredths(f->middle.z), f->middle_pulse);
    }
    for (size_t r = 0; r < job->options.n_range; r++) {
        printf("reflector  at %.2f mm, seen at %.2f mm, %.0f dB above the median of the profile\n",
               1e3 * job->options.range_m[r], 1e3 * f->apparent_m[r], f->contrast_db[r]);
        printf("           place %.2f, %.2f, %.2f mm, ", calibrate_hundredths(f->place[r].x),
               calibrate_hundredths(f->place[r].y), calibrate_hundredths(f->place[r].z));
        if (f->told[r] == 0) {
            printf("taken to be straight ahead\n");
        } else {
            printf("%.1f degrees off straight ahead; standard deviation %.2g mm %s\n",
                   DEGREES * f->aside_rad[r], 1e3 * f->place_sigma_m[r],
                   f->told[r] < 2 ? "along the scan; across it is taken to be straight ahead"
                                  : "across the line of sight");
        }
    }
}

/* A stand, a table's edge: which echo is the reflector's is for the user to see. */
static void warn_of_others(const struct calibrate_range *job, const nfsar_instrument *f) {
    for (size_t r = 0; r < job->options.n_range; r++) {
        if (isfinite(f->other_db[r])) {
            cli_say("warning: within the search there is another echo, %.0f mm %s than that taken "
                    "for the reflector at %g m and %.0f dB weaker: is it the right one? Leave "
                    "nothing else there, or search less far (--search)",
                    1e3 * fabs(f->other_m[r]), f->other_m[r] > 0.0 ? "farther" : "nearer",
                    job->options.range_m[r], fabs(f->other_db[r]));
        }
    }
}

static void print_found(const struct calibrate_range *job, const nfsar_capture *capture,
                        const nfsar_instrument *f) {
    print_places(job, f);
    printf("delay      %.2f ps (%.2f mm of range), standard deviation %.2g ps with %g mm for the "
           "ruler; channels and pulses differ by %.2g ps\n",
           1e12 * f->delay_s, 0.5e3 * NFSAR_SPEED_OF_LIGHT * f->delay_s, 1e12 * f->delay_sigma_s,
           1e3 * job->options.range_sigma_m, 1e12 * f->spread_s);
    if (f->has_scale) {
        print_two(capture, f);
    }
    print_video(capture, f);
}

/* The header's own numbers, which are the file's, as numbers of the copy. */
static bool copy_numbers(nfsar_capture *copy) {
    const size_t n = copy->array.n_channel;
    nfsar_calibration *c = &copy->calibration;
    double *frequency = malloc(copy->n_sample * sizeof *frequency);
    double *delay = c->channel_delay_s != NULL ? malloc(n * sizeof *delay) : NULL;
    float complex *gain = c->channel_gain != NULL ? malloc(n * sizeof *gain) : NULL;
    if (frequency == NULL || (c->channel_delay_s != NULL && delay == NULL) ||
        (c->channel_gain != NULL && gain == NULL)) {
        free(frequency);
        free(delay);
        free(gain);
        return false;
    }
    memcpy(frequency, copy->frequency_hz, copy->n_sample * sizeof *frequency);
    if (delay != NULL) {
        memcpy(delay, c->channel_delay_s, n * sizeof *delay);
    }
    if (gain != NULL) {
        memcpy(gain, c->channel_gain, n * sizeof *gain);
    }
    copy->frequency_hz = frequency;
    c->channel_delay_s = delay;
    c->channel_gain = gain;
    return true;
}

static enum nfsar_status note(const nfsar_instrument *f, nfsar_capture *copy, nfsar_error *error) {
    char slope[64] = "", start[64] = "", video[64] = "";
    if (f->scale_told) {
        snprintf(slope, sizeof slope, ", slope %+.4g %%", 100.0 * (f->scale - 1.0));
    }
    if (f->shift_told) {
        snprintf(start, sizeof start, ", frequencies %+.4g MHz", 1e-6 * f->shift_hz);
    }
    if (f->video_delay_s > 0.0 && f->video_delay_s != f->video_had_s) {
        snprintf(video, sizeof video, ", residual video phase out at %.4g m",
                 0.5 * NFSAR_SPEED_OF_LIGHT * f->video_delay_s);
    }
    return nfsar_capture_note(copy, error,
                              "%s (nfsar " NFSAR_VERSION "): delay of all channels %+.2f ps, "
                              "sigma %.2g ps%s%s%s",
                              cli_command_line(), 1e12 * f->delay_s, 1e12 * f->delay_sigma_s, slope,
                              start, video);
}

static enum nfsar_status write_capture(const struct calibrate_range *job, nfsar_capture_file *file,
                                       const nfsar_instrument *found, nfsar_error *error) {
    nfsar_capture copy;
    bool own = false;
    enum nfsar_status status = calibrate_copy_header(file, &copy, error);
    if (status == NFSAR_OK) {
        own = copy_numbers(&copy);
        status = own ? nfsar_instrument_apply(found, &copy, error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        status = note(found, &copy, error);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &copy, NULL, error);
    }
    calibrate_free_header(file, &copy);
    if (own) {
        free(copy.frequency_hz);
        free(copy.calibration.channel_delay_s);
        free(copy.calibration.channel_gain);
    }
    return status;
}

int calibrate_range(const struct calibrate_range *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_instrument found = {0};
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK) {
        nfsar_calibrated_source calibrated = {nfsar_capture_file_header(file),
                                              nfsar_capture_file_source(file), NULL};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        nfsar_instrument_options options = job->options;
        options.no_video = is_simulated(nfsar_capture_file_header(file));
        status = nfsar_instrument_find(nfsar_capture_file_header(file), &source, &options, &found,
                                       &error);
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->files.input);
        } else {
            status = write_capture(job, file, &found, &error);
        }
    }
    int answer = CLI_DONE;
    if (status == NFSAR_OK) {
        warn_of_others(job, &found);
    }
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, nfsar_capture_file_header(file), &found);
    } else {
        print_found(job, nfsar_capture_file_header(file), &found);
    }
    nfsar_capture_file_close(file);
    return answer;
}
