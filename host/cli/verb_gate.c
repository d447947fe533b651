/* nfsar gate: a capture with the samples that a gate of ranges needs. */
#include "host/cli/carry.h"
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/files/pending.h"

/* Echoes that are not this much over the median of all ranges are none. */
#define STANDS_OUT 4.0

struct job {
    const char *input, *output, *window, *spurs;
    double range[2], loss_db;
    bool has_range, has_loss, json;
    nfsar_gate_options options;
};

static enum nfsar_status note(const struct job *job, const nfsar_capture *before,
                              nfsar_capture *view, nfsar_error *error) {
    const nfsar_gated *gated = &view->gated;
    return nfsar_capture_note(view, error,
                              "%s (nfsar " NFSAR_VERSION "): %zu samples of %zu, range %.6g to "
                              "%.6g m, window %s, %zu spurs out, error %.0f dB",
                              cli_command_line(), view->n_sample, before->n_sample,
                              gated->range_m[0], gated->range_m[1],
                              nfsar_window_name(job->options.window), job->options.n_spur,
                              20.0 * log10(job->options.tolerance));
}

static enum nfsar_status write_block(void *writer, size_t first, size_t n,
                                     const float complex *samples, nfsar_error *error) {
    return nfsar_capture_writer_write(writer, first, n, samples, error);
}

/* Samples, and what of the file is neither they nor changed by a gate: sensors' records and what
 * this program does not know. */
static enum nfsar_status write_content(const struct job *job, const nfsar_capture_file *file,
                                       const nfsar_gate *gate, const nfsar_echo_source *source,
                                       nfsar_capture_writer *writer, nfsar_error *error) {
    static const char *const applied[] = {
        CAPTURE_GAIN, CAPTURE_DELAY, CAPTURE_BACKGROUND,
        /* and of a chirp, that gated frequencies are not: */
        CAPTURE_RADAR "/" CAPTURE_START_FREQUENCY, CAPTURE_RADAR "/" CAPTURE_SLOPE,
        CAPTURE_RADAR "/" CAPTURE_SAMPLE_RATE, CAPTURE_RADAR "/" CAPTURE_ADC_START, NULL};
    enum nfsar_status status =
        nfsar_gate_stream(gate, nfsar_capture_file_header(file), source, write_block, writer,
                          cli_progress("range gate"), error);
    cli_progress_end();
    return status == NFSAR_OK ? carry_rest(file, writer, job->output, applied, error) : status;
}

static enum nfsar_status write_capture(const struct job *job, const nfsar_capture_file *file,
                                       const nfsar_gate *gate, const nfsar_echo_source *source,
                                       nfsar_error *error) {
    const nfsar_capture *capture = nfsar_capture_file_header(file);
    nfsar_capture view = nfsar_gate_view(gate, capture);
    nfsar_capture_writer *writer = NULL;
    size_t n_line = view.n_provenance;
    char **lines = malloc((n_line + 1) * sizeof *lines);
    if (lines == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (n_line > 0) {
        memcpy(lines, view.provenance, n_line * sizeof *lines);
    }
    view.provenance = lines;
    enum nfsar_status status = note(job, capture, &view, error);
    lines = view.provenance;
    if (status == NFSAR_OK) {
        status = nfsar_capture_writer_create(job->output, &view, &writer, error);
    }
    if (status == NFSAR_OK) {
        status = write_content(job, file, gate, source, writer, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_commit(writer, error);
        } else {
            nfsar_capture_writer_abandon(writer);
        }
    }
    for (size_t i = n_line; i < view.n_provenance; i++) {
        free(lines[i]);
    }
    free(lines);
    return status;
}

static double decibels(double power) {
    return 10.0 * log10(fmax(power, 1e-30));
}

static int report(const struct job *job, const nfsar_capture *capture, const nfsar_gate *gate,
                  const nfsar_gate_content *content) {
    const size_t n = nfsar_gate_samples(gate);
    if (job->json) {
        return print_object(json_pack(
            "{s:o, s:I, s:I, s:[f, f], s:f, s:f, s:f, s:f, s:I}", "output", json_text(job->output),
            "samples_before", (json_int_t)capture->n_sample, "samples", (json_int_t)n, "range_m",
            job->options.range_m[0], job->options.range_m[1], "error_db",
            20.0 * log10(job->options.tolerance), "energy_part", content->part, "strongest_m",
            content->strongest_m, "strongest_over_median_db",
            decibels(content->power) - decibels(content->noise), "spurs",
            (json_int_t)job->options.n_spur));
    }
    printf("samples    %zu of %zu%s\n", n, capture->n_sample,
           n < capture->n_sample || !job->has_range ? "" : ": the gate is too wide to need fewer");
    if (job->has_range) {
        printf("gate       %.4g to %.4g m; error at most %.0f dB of the samples' mean magnitude\n",
               job->range[0], job->range[1], 20.0 * log10(job->options.tolerance));
        printf("echoes     %.1f %% of the energy is in it, the strongest at %.3f m, %.0f dB over "
               "the median of all ranges\n",
               100.0 * content->part, content->strongest_m,
               decibels(content->power) - decibels(content->noise));
    }
    return CLI_DONE;
}

/* A gate without an echo is a wrong number most often. */
static enum nfsar_status look(const struct job *job, const nfsar_capture *capture,
                              const nfsar_echo_source *source, nfsar_gate_content *content,
                              nfsar_error *error) {
    *content = (nfsar_gate_content){.part = 1.0};
    if (!job->has_range) {
        return NFSAR_OK;
    }
    enum nfsar_status status = nfsar_gate_check(capture, job->range, error);
    if (status == NFSAR_OK) {
        status = nfsar_gate_look(capture, source, job->range, content, error);
    }
    if (status == NFSAR_OK && content->power < STANDS_OUT * content->noise) {
        cli_say("warning: the gate is empty: nothing from %g to %g m stands out of the noise; the "
                "strongest echo is at %.3f m",
                job->range[0], job->range[1], content->elsewhere_m);
    }
    return status;
}

static enum nfsar_status gate_file(const struct job *job, nfsar_capture_file *file,
                                   nfsar_gate **gate, nfsar_gate_content *content,
                                   nfsar_error *error) {
    const nfsar_capture *capture = nfsar_capture_file_header(file);
    nfsar_calibrated_source calibrated = {capture, nfsar_capture_file_source(file), NULL};
    const nfsar_echo_source source = nfsar_calibrated(&calibrated);
    enum nfsar_status status = look(job, capture, &source, content, error);
    if (status == NFSAR_OK) {
        status = nfsar_gate_create(capture, &job->options, gate, error);
    }
    bool before = job->options.window != NFSAR_WINDOW_RECTANGULAR || job->options.n_spur > 0;
    if (status == NFSAR_OK && before && capture->gated.range_m[1] > 0.0) {
        status = nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                            "is gated already, and --window and --notch come before a gate: take "
                            "the capture it was made of");
    }
    if (status != NFSAR_OK) {
        nfsar_fail_in(error, status, "%s", job->input);
    } else {
        status = write_capture(job, file, *gate, &source, error);
    }
    nfsar_calibrated_free(&calibrated);
    return status;
}

static int run(const struct job *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    nfsar_gate *gate = NULL;
    nfsar_gate_content content;
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
        status = gate_file(job, file, &gate, &content, &error);
    }
    int exit_status = status == NFSAR_OK
                          ? report(job, nfsar_capture_file_header(file), gate, &content)
                          : cli_fail(&error);
    nfsar_gate_destroy(gate);
    nfsar_capture_file_close(file);
    return exit_status;
}

static bool read_spurs(const char *text, nfsar_gate_options *options) {
    const char *at = text;
    for (bool more = true; more; at++) {
        if (options->n_spur == NFSAR_GATE_SPURS ||
            !cli_number(at, &at, &options->spur_m[options->n_spur])) {
            return false;
        }
        options->n_spur++;
        more = *at == ',';
        if (!more && *at != '\0') {
            return false;
        }
    }
    return true;
}

int verb_gate(int argc, char **argv) {
    struct job job = {.window = "rectangular", .options = nfsar_gate_defaults()};
    int exit_status = CLI_USAGE;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &job.output, NULL, "FILE.h5", "the capture to write"},
        {"range", 0, CLI_RANGE, job.range, &job.has_range, "MIN:MAX",
         "keep these ranges, metres: half the way there and back, from any antenna to any voxel"},
        {"window", 0, CLI_STRING, &job.window, NULL, "W",
         "over frequency: rectangular, hann, hamming, blackman-harris, kaiser"},
        {"notch", 0, CLI_STRING, &job.spurs, NULL, "R,R,...",
         "take out a spur: a tone of one frequency, that shows as an echo at range R"},
        {"loss", 0, CLI_NUMBER, &job.loss_db, &job.has_loss, "DB",
         "largest error, dB of the samples' mean magnitude: -140 to -20; -100"},
        {"json", 0, CLI_FLAG, &job.json, NULL, NULL, "one JSON object"},
        {0},
    };
    if (!cli_parse("gate", "CAPTURE.h5 -o OUT.h5 --range MIN:MAX [--window W] [--notch R,...]",
                   options, 1, &job.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    use_threads();
    nfsar_error error = {0};
    if (job.output == NULL) {
        return cli_usage("gate", "-o OUT.h5 is missing");
    }
    if (!job.has_range && job.spurs == NULL) {
        return cli_usage("gate", "say what to keep, --range MIN:MAX, or what not, --notch R");
    }
    if (job.has_loss && !(job.loss_db >= -140.0 && job.loss_db <= -20.0)) {
        return cli_usage("gate", "--loss %g: expected -140 to -20 dB", job.loss_db);
    }
    if (job.spurs != NULL && !read_spurs(job.spurs, &job.options)) {
        return cli_usage("gate", "--notch %s: expected up to %d ranges in metres, R,R,...",
                         job.spurs, NFSAR_GATE_SPURS);
    }
    if (nfsar_window_parse(job.window, &job.options.window, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    job.options.tolerance = job.has_loss ? pow(10.0, job.loss_db / 20.0) : job.options.tolerance;
    memcpy(job.options.range_m, job.range, sizeof job.range);
    return run(&job);
}
