/* nfsar calibrate: a capture with what was wrong in it found from its own echoes. */
#include "host/cli/calibrate.h"
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

struct job {
    const char *input, *output, *point;
    bool axis, channels, json;
    nfsar_rotation_options options;
};

#define DEGREES (180.0 / NFSAR_PI)

/* ---- the capture ---------------------------------------------------------------------------- */

static enum nfsar_status note(nfsar_capture *capture, const nfsar_rotation *r, nfsar_error *error) {
    enum nfsar_status status = nfsar_capture_note(
        capture, error, "%s (nfsar " NFSAR_VERSION "): radius %.6f m by %+.3f mm, sigma %.3f mm",
        cli_command_line(), r->radius_m, 1e3 * r->change_m, 1e3 * r->uncertainty_m);
    if (status == NFSAR_OK && r->has_zero) {
        status = nfsar_capture_note(capture, error,
                                    "calibrate: angles by %+.4f degrees, heights by %+.3f mm",
                                    DEGREES * r->turn_rad, 1e3 * r->rise_m);
    }
    return status;
}

static enum nfsar_status write_capture(const struct job *job, nfsar_capture_file *file,
                                       const nfsar_rotation *rotation, nfsar_error *error) {
    nfsar_capture corrected;
    enum nfsar_status status = calibrate_copy_header(file, &corrected, error);
    nfsar_pose *pose = malloc(corrected.n_pose * sizeof *pose);
    if (status == NFSAR_OK && pose == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        memcpy(pose, corrected.pose, corrected.n_pose * sizeof *pose);
        corrected.pose = pose;
        nfsar_rotation_apply(rotation, &corrected);
        status = note(&corrected, rotation, error);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->output, file, &corrected, error);
    }
    calibrate_free_header(file, &corrected);
    free(pose);
    return status;
}

/* ---- what was found ------------------------------------------------------------------------- */

static int print_json(const struct job *job, const nfsar_rotation *r) {
    json_t *zero = json_null();
    if (r->has_zero) {
        zero = json_pack("{s:f, s:f, s:f, s:[f, f, f]}", "turn_deg", DEGREES * r->turn_rad,
                         "uncertainty_deg", DEGREES * r->turn_uncertainty_rad, "rise_m", r->rise_m,
                         "found_m", r->found.x, r->found.y, r->found.z);
    }
    return print_object(json_pack(
        "{s:o, s:[f, f], s:f, s:f, s:f, s:f, s:o, s:f, s:f, s:I, s:f, s:f, s:o, s:o}", "output",
        json_text(job->output), "axis_m", r->axis_x, r->axis_z, "radius_m",
        r->radius_m + r->change_m, "change_m", r->change_m, "uncertainty_m", r->uncertainty_m,
        "uncertainty_of_noise_m", r->noise_m, "uncertainty_of_scatterers_m",
        json_number(r->spread_m), "sharpness_before", r->sharpness_before, "sharpness_after",
        r->sharpness_after, "scatterers", (json_int_t)r->scatterers, "farthest_m", r->farthest_m,
        "snr_db", r->snr_db, "range_offset_m", json_number(r->range_offset_m), "zero", zero));
}

static void print_found(const nfsar_rotation *r) {
    printf("axis       x %.2f, z %.2f mm in the poses\n", calibrate_hundredths(r->axis_x),
           calibrate_hundredths(r->axis_z));
    printf("scatterers %zu, the farthest %.1f mm from the axis, the strongest %.0f dB over noise\n",
           r->scatterers, 1e3 * r->farthest_m, r->snr_db);
    printf("radius     %.2f mm, which is %+.2f mm; standard deviation %.2g mm\n",
           1e3 * (r->radius_m + r->change_m), 1e3 * r->change_m, 1e3 * r->uncertainty_m);
    printf("sharpness  %.4g before, %.4g now (%+.1f %%)\n", r->sharpness_before, r->sharpness_after,
           100.0 * (r->sharpness_after / r->sharpness_before - 1.0));
    if (!isnan(r->range_offset_m)) {
        printf("ranges     %+.1f mm, the same from all sides: left as they are\n",
               1e3 * r->range_offset_m);
    }
    if (r->has_zero) {
        printf("angle      %+.3f degrees, standard deviation %.2g; height %+.2f mm\n",
               DEGREES * r->turn_rad, DEGREES * r->turn_uncertainty_rad, 1e3 * r->rise_m);
    } else {
        printf("angle      left as it is: echoes do not tell where angles count from, a reflector "
               "at a known place does (--point)\n");
    }
}

static int run(const struct job *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_rotation rotation;
    enum nfsar_status status = calibrate_open(job->input, job->output, &file, &error);
    if (status == NFSAR_OK) {
        nfsar_calibrated_source calibrated = {nfsar_capture_file_header(file),
                                              nfsar_capture_file_source(file), NULL};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        status = nfsar_rotation_find(nfsar_capture_file_header(file), &source, &job->options,
                                     &rotation, cli_progress("calibrating"), &error);
        cli_progress_end();
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->input);
        } else {
            status = write_capture(job, file, &rotation, &error);
        }
    }
    nfsar_capture_file_close(file);
    if (status != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (job->json) {
        return print_json(job, &rotation);
    }
    print_found(&rotation);
    return CLI_DONE;
}

static bool read_point(const char *text, nfsar_vec3 *point) {
    const char *end = text;
    return cli_number(text, &end, &point->x) && *end == ',' &&
           cli_number(end + 1, &end, &point->y) && *end == ',' &&
           cli_number(end + 1, &end, &point->z) && *end == '\0';
}

int verb_calibrate(int argc, char **argv) {
    struct job job = {.options = nfsar_rotation_defaults()};
    int exit_status = CLI_USAGE;
    struct calibrate_channels channels = {.options = nfsar_channels_defaults()};
    struct calibrate_table table = {0};
    struct calibrate_range range = {.options = nfsar_instrument_defaults()};
    bool has_range_error = false;
    const char *ranges = NULL;
    bool has_search = false, has_within = false, has_point_error = false, has_gate = false;
    double gate[2] = {0.0, 0.0};
    const char *taper = NULL;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &job.output, NULL, "FILE.h5", "the capture to write"},
        {"axis", 0, CLI_FLAG, &job.axis, NULL, NULL,
         "of a turntable: how far the radar is from the axis, by the sharpest image"},
        {"point", 0, CLI_STRING, &job.point, NULL, "X,Y,Z",
         "a reflector is there, metres: on the table with --axis (angles and heights follow), in "
         "the poses' frame with --channels"},
        {"channels", 0, CLI_FLAG, &job.channels, NULL, NULL,
         "gain and delay of each channel, by a corner reflector or another point"},
        {"range", 0, CLI_STRING, &ranges, NULL, "R[,R2]",
         "the instrument's delay, from reflectors straight ahead at these ranges, metres"},
        {"range-error", 0, CLI_NUMBER, &range.options.range_sigma_m, &has_range_error, "M",
         "with --range: standard deviation of the ranges; 0.001"},
        {"table", 0, CLI_STRING, &table.files, NULL, "FILE.mat[,FILE.mat]",
         "gains, delays and background from MATLAB files of calData, delayOffset, ..., or from "
         "another "
         "capture that was calibrated (FILE.h5)"},
        {"point-error", 0, CLI_NUMBER, &channels.options.point_sigma_m, &has_point_error, "M",
         "with --channels: standard deviation of the point's place; 0.002"},
        {"gate", 0, CLI_RANGE, gate, &has_gate, "MIN:MAX",
         "with --channels and no --point: the reflector is in these ranges, metres"},
        {"taper", 0, CLI_STRING, &taper, NULL, "NAME",
         "with --channels: window over the frequencies; hann, or rectangular where nothing else is "
         "in sight"},
        {"search", 0, CLI_NUMBER, &job.options.search_m, &has_search, "M",
         "with --axis: largest error of the radius; 0.01"},
        {"within", 0, CLI_NUMBER, &job.options.within_m, &has_within, "M",
         "with --axis: look for scatterers so near the axis; 0.4 of the radius, at most 0.1"},
        {"json", 0, CLI_FLAG, &job.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("calibrate",
                   "CAPTURE.h5 -o OUT.h5 --axis|--channels|--range R|--table FILE.mat [--json]",
                   options, 1, &job.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    use_threads();
    job.options.threads = cli_threads();
    if (job.axis + job.channels + (table.files != NULL) + (ranges != NULL) != 1) {
        return cli_usage("calibrate",
                         "say what to find: --axis, a turntable's radius; or one of "
                         "--channels, gain and delay of each channel; --table FILE, "
                         "what another program found; --range R, the instrument's delay");
    }
    if (ranges != NULL && !calibrate_read_ranges(ranges, &range.options)) {
        return cli_usage("calibrate", "--range %s: expected R or R,R2 in metres", ranges);
    }
    if (ranges == NULL && has_range_error) {
        return cli_usage("calibrate", "--range-error is for --range");
    }
    if ((table.files != NULL || ranges != NULL) && job.point != NULL) {
        return cli_usage("calibrate", "--point is for --axis and --channels");
    }
    if (!job.axis && (has_search || has_within)) {
        return cli_usage("calibrate", "--search and --within are for --axis");
    }
    if (!job.channels && (has_point_error || has_gate || taper != NULL)) {
        return cli_usage("calibrate", "--point-error, --gate and --taper are for --channels");
    }
    if (job.output == NULL) {
        return cli_usage("calibrate", "-o OUT.h5 is missing");
    }
    if (job.point != NULL) {
        job.options.has_point = true;
        if (!read_point(job.point, &job.options.point)) {
            return cli_usage("calibrate", "--point %s: expected X,Y,Z in metres", job.point);
        }
    }
    if (job.axis) {
        return run(&job);
    }
    if (table.files != NULL) {
        table.input = job.input;
        table.output = job.output;
        table.json = job.json;
        return calibrate_table(&table);
    }
    if (ranges != NULL) {
        range.input = job.input;
        range.output = job.output;
        range.json = job.json;
        return calibrate_range(&range);
    }
    nfsar_error error = {0};
    if (taper != NULL && nfsar_window_parse(taper, &channels.options.window, &error) != NFSAR_OK) {
        return cli_usage("calibrate", "--taper: %s", error.message);
    }
    if (has_gate) {
        channels.options.near_m = gate[0];
        channels.options.far_m = gate[1];
    }
    channels.input = job.input;
    channels.output = job.output;
    channels.json = job.json;
    channels.options.has_point = job.options.has_point;
    channels.options.point = job.options.point;
    return calibrate_channels(&channels);
}
