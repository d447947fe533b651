/* nfsar calibrate --channels: gain and delay of each channel from a point's echo. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

#define DEGREES (180.0 / NFSAR_PI)

static const char *const verdicts[] = {
    [NFSAR_CHANNELS_GOOD] = "good",
    [NFSAR_CHANNELS_FAIR] = "fair",
    [NFSAR_CHANNELS_POOR] = "poor",
};

/* Mean delays below this part of a range cell are of no instrument. */
#define EARLY_CELLS (-0.5)

static const char *advice(const nfsar_channels *f) {
    if (nfsar_channels_differ(f)) {
        return "channels differ by more than those of a board do, so that this may be no single "
               "point";
    }
    if (nfsar_channels_misplaced(f) && nfsar_channels_judge(f) == NFSAR_CHANNELS_FAIR) {
        return f->behind ? "the place is behind the radar" : "the echoes contradict the point";
    }
    if (f->by_pulses == 0 && nfsar_channels_judge(f) == NFSAR_CHANNELS_FAIR) {
        return "from one place this cannot be checked";
    }
    switch (nfsar_channels_judge(f)) {
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

/* A poor calibration is worse than none. */
static bool is_wanted(const struct calibrate_channels *job, const nfsar_channels *f) {
    return job->force || nfsar_channels_judge(f) != NFSAR_CHANNELS_POOR;
}

/* ---- output ---------------------------------------------------------------------------------- */

static int print_json(const struct calibrate_channels *job, const nfsar_channels *f, double kept) {
    json_t *channels = json_array();
    for (size_t c = 0; c < f->n_channel; c++) {
        const nfsar_channel_error *one = &f->channel[c];
        json_array_append_new(channels, json_pack("{s:[f, f], s:f, s:f, s:f, s:o, s:o, s:o}",
                                                  "gain", creal(one->gain), cimag(one->gain),
                                                  "gain_db", 20.0 * log10(cabs(one->gain)),
                                                  "phase_deg", DEGREES * one->phase_rad, "delay_s",
                                                  one->delay_s + kept, "phase_sigma_deg",
                                                  json_number(DEGREES * one->phase_sigma_rad),
                                                  "delay_sigma_s", json_number(one->delay_sigma_s),
                                                  "residual_db", json_number(one->residual_db)));
    }
    json_t *sigma = json_array();
    for (int i = 0; i < 3; i++) {
        json_array_append_new(sigma, json_number(f->place_sigma_m[i]));
    }
    return print_object(json_pack(
        "{s:o, s:b, s:[f, f, f], s:o, s:i, s:i, s:b, s:b, s:f, s:f, s:o, s:o, s:f, s:f, s:f, s:s, "
        "s:o, s:b, s:I, s:I, s:o}",
        "output", json_text(job->files.output), "written", is_wanted(job, f), "place_m", f->place.x,
        f->place.y, f->place.z, "place_sigma_m", sigma, "directions_told", f->told,
        "directions_by_pulses", f->by_pulses, "delay_is_range", f->delay_is_range, "angle_is_phase",
        f->angle_is_phase, "centre_hz", f->centre_hz, "coherence", f->coherence, "residual_db",
        json_number(f->residual_db), "mean_residual_db", json_number(f->mean_residual_db),
        "contrast_db", f->contrast_db, "gain_spread_db", f->gain_spread_db, "delay_spread_s",
        f->delay_spread_s, "verdict", verdicts[nfsar_channels_judge(f)], "point_off_sigmas",
        json_number(job->options.has_point ? f->point_sigmas : NAN), "behind", f->behind, "pulses",
        (json_int_t)f->n_pulse, "pulses_missing", (json_int_t)f->n_missing, "channels", channels));
}

static void print_place(const struct calibrate_channels *job, const nfsar_channels *f,
                        double kept) {
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
    if (f->by_pulses == 0) {
        printf("           the radar does not move: whatever is there explains these echoes, so "
               "this cannot be checked; record a scan, or move the reflector and calibrate "
               "again\n");
    }
    if (f->delay_is_range) {
        printf("           the pulses do not tell range from a delay of all channels: the mean "
               "delay is set to %s (--point tells)\n",
               kept != 0.0 ? "what it was" : "0");
    }
    if (f->angle_is_phase) {
        printf("           the pulses tell the place in %d of 3 directions: angles that they do "
               "not tell are where the channels as they are add up best, or ahead (--point "
               "tells)\n",
               f->told);
    }
}

/* What looks wrong. */
static void print_doubts(const nfsar_channels *f) {
    double mean = 0.0;
    for (size_t c = 0; c < f->n_channel; c++) {
        double db = 20.0 * log10(cabs(f->channel[c].gain));
        mean += f->channel[c].delay_s / (double)f->n_channel;
        if (db < NFSAR_CHANNELS_WEAK_DB) {
            printf("           channel %zu is %.0f dB below the others: find out why, or leave it "
                   "out of the array\n",
                   c, -db);
        }
    }
    if (mean < EARLY_CELLS * f->cell_s) {
        printf("           the echo is %.0f mm nearer than the reflector is said to be: it may be "
               "leakage or something else (--leakage), or the point is wrong\n",
               -0.5e3 * NFSAR_SPEED_OF_LIGHT * mean);
    }
    if (f->behind) {
        printf("           the place is behind the radar, which looks along its +z: a wrong point, "
               "or poses whose frame or orientation is another\n");
    }
    if (f->point_sigmas > 4.0) {
        printf("           the place is %.0f standard deviations from the point (--point-error): a "
               "wrong point, unit or frame?\n",
               f->point_sigmas);
    }
    if (nfsar_channels_differ(f)) {
        printf("           channels differ by %.1f dB and %.0f ps, standard deviation\n",
               f->gain_spread_db, 1e12 * f->delay_spread_s);
    }
}

static void print_found(const struct calibrate_channels *job, const nfsar_channels *f,
                        double kept) {
    enum nfsar_channels_verdict verdict = nfsar_channels_judge(f);
    printf("reflector  %.0f dB above the median of the profile, in %zu pulse%s", f->contrast_db,
           f->n_pulse, cli_s(f->n_pulse));
    if (f->n_missing > 0) {
        printf("; %zu that miss%s samples left out", f->n_missing, f->n_missing == 1 ? "es" : "");
    }
    printf("\n");
    print_place(job, f, kept);
    printf("phases     at %.2f GHz, relative to channel 0\n", 1e-9 * f->centre_hz);
    printf("channel    gain       phase                delay          residual\n");
    for (size_t c = 0; c < f->n_channel; c++) {
        const nfsar_channel_error *one = &f->channel[c];
        printf("%7zu %+8.2f dB %+9.2f +- %.2g deg %+9.2f +- %.2g ps", c,
               20.0 * log10(cabs(one->gain)), DEGREES * one->phase_rad,
               DEGREES * one->phase_sigma_rad, 1e12 * (one->delay_s + kept),
               1e12 * one->delay_sigma_s);
        if (!isnan(one->residual_db)) {
            printf(" %8.1f dB", one->residual_db);
        }
        printf("\n");
    }
    print_doubts(f);
    printf("verdict    %s: ", verdicts[verdict]);
    if (!isnan(f->residual_db)) {
        printf("%.1f dB remain of the echo at the reflector's range, %.1f %% adds up; ",
               f->residual_db, 100.0 * f->coherence);
    }
    printf("%s\n", advice(f));
}

/* ---- the work -------------------------------------------------------------------------------- */

static enum nfsar_status write_capture(const struct calibrate_channels *job,
                                       nfsar_capture_file *file, const nfsar_channels *found,
                                       nfsar_error *error) {
    nfsar_capture copy;
    const double *had = nfsar_capture_file_header(file)->calibration.channel_delay_s;
    enum nfsar_status status = calibrate_copy_header(file, &copy, error);
    if (status == NFSAR_OK) {
        copy.calibration.channel_gain = NULL;
        copy.calibration.channel_delay_s = NULL;
        if (had != NULL) {
            copy.calibration.channel_delay_s = malloc(found->n_channel * sizeof *had);
            status = copy.calibration.channel_delay_s != NULL
                         ? NFSAR_OK
                         : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
        if (status == NFSAR_OK && had != NULL) {
            memcpy(copy.calibration.channel_delay_s, had, found->n_channel * sizeof *had);
        }
        if (status == NFSAR_OK) {
            status = nfsar_channels_apply(found, &copy, error);
        }
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
    double kept = 0.0;
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
            kept = nfsar_channels_kept(&found, nfsar_capture_file_header(file));
            status = is_wanted(job, &found) ? write_capture(job, file, &found, &error) : NFSAR_OK;
        }
    }
    int answer = CLI_DONE;
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(job, &found, kept);
    } else {
        print_found(job, &found, kept);
    }
    if (status == NFSAR_OK && answer == CLI_DONE && !is_wanted(job, &found)) {
        nfsar_fail(&error, NFSAR_ERROR_FORMAT,
                   "%s: what was found is poor, and %s is not written; --force writes it",
                   job->files.input, job->files.output);
        answer = cli_fail(&error);
    }
    nfsar_capture_file_close(file);
    nfsar_channels_free(&found);
    return answer;
}
