/* nfsar calibrate: a capture with what was wrong in it found from its own echoes. */
#include "host/cli/calibrate_background.h"
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/files/capture_file.h"
#include "host/files/hdf5_copy.h"
#include "host/files/pending.h"

/* Samples copied at a time. */
#define COPY_BYTES ((size_t)64 << 20)

struct job {
    const char *input, *output, *point;
    bool axis, json;
    nfsar_rotation_options options;
};

#define DEGREES (180.0 / NFSAR_PI)

/* ---- the capture ---------------------------------------------------------------------------- */

/* A copy of the file's header with the poses that were found, the samples read from the file. */
static enum nfsar_status copy_samples(nfsar_capture_file *file, nfsar_capture_writer *writer,
                                      nfsar_error *error) {
    const nfsar_capture *header = nfsar_capture_file_header(file);
    size_t pulse = header->array.n_channel * header->n_sample * sizeof(float complex);
    size_t block = pulse < COPY_BYTES ? COPY_BYTES / pulse : 1;
    block = block < header->n_pulse ? block : header->n_pulse;
    float complex *echo = malloc(block * pulse);
    enum nfsar_status status =
        echo != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t first = 0; status == NFSAR_OK && first < header->n_pulse; first += block) {
        size_t left = header->n_pulse - first, n = left < block ? left : block;
        status = nfsar_capture_file_read(file, first, n, 0, header->n_sample, echo, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_write(writer, first, n, echo, error);
        }
    }
    free(echo);
    return status;
}

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
    nfsar_capture corrected = *nfsar_capture_file_header(file);
    nfsar_capture_writer *writer = NULL;
    size_t n_pose = corrected.n_pose, n_line = corrected.n_provenance;
    nfsar_pose *pose = malloc(n_pose * sizeof *pose);
    char **lines = malloc((n_line + 1) * sizeof *lines);
    enum nfsar_status status = NFSAR_OK;
    if (pose == NULL || lines == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        memcpy(pose, corrected.pose, n_pose * sizeof *pose);
        memcpy(lines, corrected.provenance, n_line * sizeof *lines);
        corrected.pose = pose;
        corrected.provenance = lines;
        nfsar_rotation_apply(rotation, &corrected);
        status = note(&corrected, rotation, error);
        lines = corrected.provenance;
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_writer_create(job->output, &corrected, &writer, error);
    }
    if (status == NFSAR_OK) {
        status = copy_samples(file, writer, error);
        /* Sensors' records and what else this program only carries along. */
        size_t left_out = 0;
        if (status == NFSAR_OK) {
            status = h5_copy_rest(capture_file_input(file), capture_writer_output(writer),
                                  &left_out, error);
        }
        if (left_out > 0) {
            cli_say("%s: %zu object%s that cannot be copied safely left out", job->output, left_out,
                    cli_s(left_out));
        }
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_commit(writer, error);
        } else {
            nfsar_capture_writer_abandon(writer);
        }
    }
    /* The lines before are the file's. */
    for (size_t i = n_line; lines != NULL && i < corrected.n_provenance; i++) {
        free(lines[i]);
    }
    free(lines);
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

/* Millimetres to two places, without the sign of a zero. */
static double hundredths(double metres) {
    return round(1e5 * metres) / 100.0 + 0.0;
}

static void print_found(const nfsar_rotation *r) {
    printf("axis       x %.2f, z %.2f mm in the poses\n", hundredths(r->axis_x),
           hundredths(r->axis_z));
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
    pending_protect(job->input);
    enum nfsar_status status = pending_check(job->output, PENDING_HDF5, &error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_file_open(job->input, &file, &error);
    }
    if (status == NFSAR_OK && capture_file_counts(file)->is_recording) {
        status = nfsar_fail(&error, NFSAR_ERROR_ARGUMENT,
                            "%s: is a recording; `nfsar repair %s` makes a capture of it",
                            job->input, job->input);
    }
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
    bool has_search = false, has_within = false, has_leakage = false;
    struct calibrate_background self = {0};
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &job.output, NULL, "FILE.h5", "the capture to write"},
        {"axis", 0, CLI_FLAG, &job.axis, NULL, NULL,
         "of a turntable: how far the radar is from the axis, by the sharpest image"},
        {"point", 0, CLI_STRING, &job.point, NULL, "X,Y,Z",
         "with --axis: a reflector is there on the table, metres; angles and heights follow"},
        {"search", 0, CLI_NUMBER, &job.options.search_m, &has_search, "M",
         "with --axis: largest error of the radius; 0.01"},
        {"within", 0, CLI_NUMBER, &job.options.within_m, &has_within, "M",
         "with --axis: look for scatterers so near the axis; 0.4 of the radius, at most 0.1"},
        {"background", 0, CLI_STRING, &self.empty, NULL, "EMPTY.h5",
         "subtract the mean of a capture of the empty room"},
        {"leakage", 0, CLI_RANGE, self.leakage, &has_leakage, "M:FROM",
         "subtract what all pulses share, as far as it comes from ranges up to M; targets begin at "
         "FROM"},
        {"drift", 0, CLI_COUNT, &self.drift, NULL, "N",
         "with --leakage: it changes in the course of N pulses"},
        {"iq", 0, CLI_FLAG, &self.iq, NULL, NULL, "take out the receivers' DC and I/Q imbalance"},
        {"json", 0, CLI_FLAG, &job.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse(
            "calibrate",
            "CAPTURE.h5 -o OUT.h5 (--axis | --background EMPTY.h5 | --leakage M:FROM | --iq)",
            options, 1, &job.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    use_threads();
    job.options.threads = cli_threads();
    bool of_itself = self.empty != NULL || has_leakage || self.iq;
    if (of_itself && job.axis) {
        return cli_usage("calibrate", "--axis is a step of its own: first --background, --leakage "
                                      "and --iq, then --axis");
    }
    if (self.drift > 0 && !has_leakage) {
        return cli_usage("calibrate", "--drift is for --leakage");
    }
    if (!job.axis && (job.point != NULL || has_search || has_within)) {
        return cli_usage("calibrate", "--point, --search and --within are for --axis");
    }
    if (!job.axis && !of_itself) {
        return cli_usage("calibrate",
                         "say what to find: --axis, a turntable's radius; --background "
                         "EMPTY.h5, --leakage M:FROM or --iq");
    }
    if (job.output == NULL) {
        return cli_usage("calibrate", "-o OUT.h5 is missing");
    }
    if (of_itself) {
        self.input = job.input;
        self.output = job.output;
        self.json = job.json;
        return calibrate_background(&self);
    }
    if (job.point != NULL) {
        job.options.has_point = true;
        if (!read_point(job.point, &job.options.point)) {
            return cli_usage("calibrate", "--point %s: expected X,Y,Z in metres", job.point);
        }
    }
    return run(&job);
}
