/* nfsar calibrate --range: the instrument's delay from reflectors at known ranges. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

#define DEGREES (180.0 / NFSAR_PI)

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

static int print_json(const struct calibrate_range *job, const nfsar_capture *capture,
                      const nfsar_instrument *f) {
    json_t *two = json_null();
    if (f->has_scale) {
        double slope = capture->has_fmcw ? capture->fmcw.slope_hz_per_s : NAN;
        two = json_pack("{s:f, s:f, s:b, s:f, s:f, s:f, s:o}", "scale", f->scale, "scale_sigma",
                        f->scale_sigma, "scale_told", f->scale_told, "shift_hz", f->shift_hz,
                        "shift_sigma_hz", f->shift_sigma_hz, "ambiguity_hz", f->ambiguity_hz,
                        "adc_start_change_s", json_number(f->shift_hz / slope));
    }
    json_t *apparent = json_array(), *video = json_array(), *contrast = json_array();
    for (size_t r = 0; r < job->options.n_range; r++) {
        json_array_append_new(apparent, json_number(f->apparent_m[r]));
        json_array_append_new(video, json_number(DEGREES * f->video_rad[r]));
        json_array_append_new(contrast, json_number(f->contrast_db[r]));
    }
    return print_object(json_pack("{s:o, s:f, s:f, s:f, s:o, s:o, s:o, s:o}", "output",
                                  json_text(job->files.output), "delay_s", f->delay_s,
                                  "delay_sigma_s", f->delay_sigma_s, "spread_s", f->spread_s,
                                  "apparent_m", apparent, "contrast_db", contrast,
                                  "residual_video_phase_deg", video, "two_ranges", two));
}

static void print_two(const nfsar_capture *capture, const nfsar_instrument *f) {
    printf("slope      %+.3f %% of the capture's, standard deviation %.2g %%: %s\n",
           100.0 * (f->scale - 1.0), 100.0 * f->scale_sigma,
           f->scale_told ? "the chirp's slope or the sampling rate is not what the capture says"
                         : "as the capture says");
    printf("start      frequencies %+.2f MHz, standard deviation %.2g, modulo %.4g MHz",
           1e-6 * f->shift_hz, 1e-6 * f->shift_sigma_hz, 1e-6 * f->ambiguity_hz);
    if (capture->has_fmcw && capture->fmcw.slope_hz_per_s != 0.0) {
        double slope = capture->fmcw.slope_hz_per_s;
        printf(": ADC start %+.3f us, standard deviation %.2g", 1e6 * f->shift_hz / slope,
               1e6 * fabs(f->shift_sigma_hz / slope));
    }
    printf("; if both reflectors are of one kind\n");
    if (f->scale_told || fabs(f->shift_hz) > 3.0 * f->shift_sigma_hz) {
        printf("           slope and start are the frequencies' and are left as they are: put them "
               "into the rig's description and import again\n");
    }
}

static void print_found(const struct calibrate_range *job, const nfsar_capture *capture,
                        const nfsar_instrument *f) {
    for (size_t r = 0; r < job->options.n_range; r++) {
        printf("reflector  at %.2f mm, seen at %.2f mm, %.0f dB above the median of the profile\n",
               1e3 * job->options.range_m[r], 1e3 * f->apparent_m[r], f->contrast_db[r]);
    }
    printf("delay      %.2f ps (%.2f mm of range), standard deviation %.2g ps with %g mm for the "
           "ruler; channels differ by %.2g ps\n",
           1e12 * f->delay_s, 0.5e3 * NFSAR_SPEED_OF_LIGHT * f->delay_s, 1e12 * f->delay_sigma_s,
           1e3 * job->options.range_sigma_m, 1e12 * f->spread_s);
    if (f->has_scale) {
        print_two(capture, f);
    }
    if (!isnan(f->video_rad[0])) {
        double slope = capture->fmcw.slope_hz_per_s, t = f->apparent_m[0] / NFSAR_SPEED_OF_LIGHT;
        printf(
            "video      residual video phase %.3f degrees there, the same for all pulses; what it "
            "does to ranges is %.2g um for each 10 cm: left in\n",
            DEGREES * f->video_rad[0], 1e5 * fabs(2.0 * slope * t / capture->frequency_hz[0]));
    }
}

static enum nfsar_status write_capture(const struct calibrate_range *job, nfsar_capture_file *file,
                                       const nfsar_instrument *found, nfsar_error *error) {
    nfsar_capture copy;
    size_t n = nfsar_capture_file_header(file)->array.n_channel;
    double *delay = calloc(n, sizeof *delay);
    enum nfsar_status status = calibrate_copy_header(file, &copy, error);
    if (status == NFSAR_OK && delay == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        if (copy.calibration.channel_delay_s != NULL) {
            memcpy(delay, copy.calibration.channel_delay_s, n * sizeof *delay);
        }
        copy.calibration.channel_delay_s = delay;
        status = nfsar_instrument_apply(found, &copy, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_note(&copy, error,
                                    "%s (nfsar " NFSAR_VERSION "): delay of all channels %+.2f ps, "
                                    "sigma %.2g ps",
                                    cli_command_line(), 1e12 * found->delay_s,
                                    1e12 * found->delay_sigma_s);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &copy, NULL, error);
    }
    calibrate_free_header(file, &copy);
    free(delay);
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
        status = nfsar_instrument_find(nfsar_capture_file_header(file), &source, &job->options,
                                       &found, &error);
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->files.input);
        } else {
            status = write_capture(job, file, &found, &error);
        }
    }
    int answer = CLI_DONE;
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
