/* nfsar calibrate --channels: gain and delay of each channel from a point's echo. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

#define DEGREES (180.0 / NFSAR_PI)

static const char *const verdicts[] = {
    [NFSAR_CHANNELS_GOOD] = "good",
    [NFSAR_CHANNELS_FAIR] = "fair",
    [NFSAR_CHANNELS_POOR] = "poor",
};

static const char *advice(enum nfsar_channels_verdict verdict) {
    switch (verdict) {
    case NFSAR_CHANNELS_GOOD:
        return "a point explains the echoes at its range";
    case NFSAR_CHANNELS_FAIR:
        return "usable; other things at the reflector's range, or poses, disturb it";
    case NFSAR_CHANNELS_POOR:
    default:
        return "what is at that range is no single point: set up a corner reflector with nothing "
               "near its range";
    }
}

/* ---- output ---------------------------------------------------------------------------------- */

static int print_json(const struct calibrate_channels *job, const nfsar_channels *f) {
    json_t *channels = json_array();
    for (size_t c = 0; c < f->n_channel; c++) {
        const nfsar_channel_error *one = &f->channel[c];
        json_array_append_new(channels, json_pack("{s:[f, f], s:f, s:f, s:f, s:o, s:o, s:o}",
                                                  "gain", creal(one->gain), cimag(one->gain),
                                                  "gain_db", 20.0 * log10(cabs(one->gain)),
                                                  "phase_deg", DEGREES * one->phase_rad, "delay_s",
                                                  one->delay_s, "phase_sigma_deg",
                                                  json_number(DEGREES * one->phase_sigma_rad),
                                                  "delay_sigma_s", json_number(one->delay_sigma_s),
                                                  "residual_db", json_number(one->residual_db)));
    }
    json_t *sigma = json_array();
    for (int i = 0; i < 3; i++) {
        json_array_append_new(sigma, json_number(f->place_sigma_m[i]));
    }
    return print_object(json_pack(
        "{s:o, s:[f, f, f], s:o, s:i, s:b, s:b, s:f, s:f, s:o, s:f, s:s, s:I, s:o}", "output",
        json_text(job->files.output), "place_m", f->place.x, f->place.y, f->place.z,
        "place_sigma_m", sigma, "directions_told", f->told, "delay_is_range", f->delay_is_range,
        "angle_is_phase", f->angle_is_phase, "centre_hz", f->centre_hz, "coherence", f->coherence,
        "residual_db", json_number(f->residual_db), "contrast_db", f->contrast_db, "verdict",
        verdicts[nfsar_channels_judge(f)], "pulses", (json_int_t)f->n_pulse, "channels", channels));
}

static void print_place(const struct calibrate_channels *job, const nfsar_channels *f) {
    printf("place      %.2f, %.2f, %.2f mm", calibrate_hundredths(f->place.x),
           calibrate_hundredths(f->place.y), calibrate_hundredths(f->place.z));
    if (job->options.has_point) {
        nfsar_vec3 p = job->options.point;
        printf(", %.2f mm from the point; standard deviation",
               1e3 * nfsar_vec3_distance(p, f->place));
    } else if (f->told > 0) {
        printf("; standard deviation");
    }
    for (int i = 0; i < f->told; i++) {
        printf("%s%.2g", i == 0 ? " " : ", ", 1e3 * f->place_sigma_m[i]);
    }
    printf("%s\n", f->told > 0 ? " mm along its axes" : "");
    if (f->delay_is_range) {
        printf("           a radar at rest does not tell range from a delay of all channels: the "
               "mean delay is set to 0 (--point tells)\n");
    }
    if (f->angle_is_phase && f->told > 0) {
        printf(
            "           the pulses tell the place in %d of 3 directions only: in the others it is "
            "as ranges alone have it (--point tells)\n",
            f->told);
    } else if (f->angle_is_phase) {
        printf("           angle and phases that grow along the array are not told apart: the "
               "reflector is taken to be where the channels as they are add up best (--point "
               "tells)\n");
    }
}

static void print_found(const struct calibrate_channels *job, const nfsar_channels *f) {
    enum nfsar_channels_verdict verdict = nfsar_channels_judge(f);
    printf("reflector  %.0f dB above the median of the profile, in %zu pulse%s\n", f->contrast_db,
           f->n_pulse, cli_s(f->n_pulse));
    print_place(job, f);
    printf("channel    gain       phase at %.2f GHz   delay          residual\n",
           1e-9 * f->centre_hz);
    for (size_t c = 0; c < f->n_channel; c++) {
        const nfsar_channel_error *one = &f->channel[c];
        printf("%7zu %+8.2f dB %+9.2f +- %.2g deg %+9.2f +- %.2g ps", c,
               20.0 * log10(cabs(one->gain)), DEGREES * one->phase_rad,
               DEGREES * one->phase_sigma_rad, 1e12 * one->delay_s, 1e12 * one->delay_sigma_s);
        if (!isnan(one->residual_db)) {
            printf(" %8.1f dB", one->residual_db);
        }
        printf("\n");
    }
    printf("verdict    %s: ", verdicts[verdict]);
    if (!isnan(f->residual_db)) {
        printf("%.1f dB remain of the echo at the reflector's range, %.1f %% adds up; ",
               f->residual_db, 100.0 * f->coherence);
    }
    printf("%s\n", advice(verdict));
}

/* ---- the work -------------------------------------------------------------------------------- */

static enum nfsar_status write_capture(const struct calibrate_channels *job,
                                       nfsar_capture_file *file, const nfsar_channels *found,
                                       nfsar_error *error) {
    nfsar_capture copy;
    enum nfsar_status status = calibrate_copy_header(file, &copy, error);
    if (status == NFSAR_OK) {
        copy.calibration.channel_gain = NULL;
        copy.calibration.channel_delay_s = NULL;
        status = nfsar_channels_apply(found, &copy, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_note(
                &copy, error,
                "%s (nfsar " NFSAR_VERSION "): gain and delay of %zu channels, reflector at %.5f, "
                "%.5f, %.5f m, residual %.1f dB",
                cli_command_line(), found->n_channel, found->place.x, found->place.y,
                found->place.z,
                isnan(found->residual_db) ? -found->contrast_db : found->residual_db);
        }
        if (status == NFSAR_OK) {
            status = calibrate_write(job->files.output, file, &copy, NULL, error);
        }
        free(copy.calibration.channel_gain);
        free(copy.calibration.channel_delay_s);
    }
    calibrate_free_header(file, &copy);
    return status;
}

int calibrate_channels(const struct calibrate_channels *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_channels found = {0};
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK) {
        /* Of the calibration that is there only the background is taken out: gains and delays are
         * found anew. */
        nfsar_capture raw = *nfsar_capture_file_header(file);
        raw.calibration.channel_gain = NULL;
        raw.calibration.channel_delay_s = NULL;
        nfsar_calibrated_source calibrated = {&raw, nfsar_capture_file_source(file), NULL};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        status = nfsar_channels_find(&raw, &source, &job->options, &found,
                                     cli_progress("calibrating"), &error);
        cli_progress_end();
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->files.input);
        } else {
            status = write_capture(job, file, &found, &error);
        }
    }
    nfsar_capture_file_close(file);
    int answer = CLI_DONE;
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, &found);
    } else {
        print_found(job, &found);
    }
    nfsar_channels_free(&found);
    return answer;
}
