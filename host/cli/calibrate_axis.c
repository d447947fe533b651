/* nfsar calibrate --axis: how far a turntable's radar is from the axis. */
#include "host/cli/calibrate.h"

#include <math.h>
#include <stdio.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"

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

static enum nfsar_status write_capture(const struct calibrate_axis *job, nfsar_capture_file *file,
                                       const nfsar_rotation *rotation, nfsar_error *error) {
    nfsar_capture corrected;
    enum nfsar_status status = calibrate_copy_header(file, &corrected, error);
    if (status == NFSAR_OK) {
        nfsar_rotation_apply(rotation, &corrected);
        status = note(&corrected, rotation, error);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write(job->files.output, file, &corrected, NULL, error);
    }
    calibrate_free_header(file, &corrected);
    return status;
}

/* ---- what was found ------------------------------------------------------------------------- */

static int print_json(const struct calibrate_axis *job, const nfsar_rotation *r) {
    json_t *zero = json_null();
    if (r->has_zero) {
        zero = json_pack("{s:f, s:f, s:f, s:[f, f, f]}", "turn_deg", DEGREES * r->turn_rad,
                         "uncertainty_deg", DEGREES * r->turn_uncertainty_rad, "rise_m", r->rise_m,
                         "found_m", r->found.x, r->found.y, r->found.z);
    }
    return print_object(json_pack(
        "{s:o, s:[f, f], s:f, s:f, s:f, s:f, s:o, s:f, s:f, s:I, s:f, s:f, s:o, s:o}", "output",
        json_text(job->files.output), "axis_m", r->axis_x, r->axis_z, "radius_m",
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

int calibrate_axis(const struct calibrate_axis *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_rotation rotation;
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK) {
        nfsar_calibrated_source calibrated = {nfsar_capture_file_header(file),
                                              nfsar_capture_file_source(file), NULL};
        const nfsar_echo_source source = nfsar_calibrated(&calibrated);
        status = nfsar_rotation_find(nfsar_capture_file_header(file), &source, &job->options,
                                     &rotation, cli_progress("calibrating"), &error);
        cli_progress_end();
        nfsar_calibrated_free(&calibrated);
        if (status != NFSAR_OK) {
            nfsar_fail_in(&error, status, "%s", job->files.input);
        } else {
            status = write_capture(job, file, &rotation, &error);
        }
    }
    nfsar_capture_file_close(file);
    if (status != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (job->files.json) {
        return print_json(job, &rotation);
    }
    print_found(&rotation);
    return CLI_DONE;
}
