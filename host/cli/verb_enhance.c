/* nfsar enhance: a sharper image, slice by slice, from a network. */
#include "host/cli/cli.h"
#include "host/cli/verbs.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/enhance.h>
#include <nfsar/file.h>
#include <nfsar/version.h>

#include "host/files/pending.h"

struct enhance {
    const char *input, *output, *weights;
    nfsar_enhance_model *model;
    nfsar_enhance_plan *plan;
    nfsar_image_file *file;
    nfsar_image_writer *writer;
    float complex *slice; /* [ny][nx] */
    float *planes;        /* what the network takes, and returns in the first of them */
    size_t pixels;
};

static enum nfsar_status out_of_memory(nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

static enum nfsar_status open_all(struct enhance *job, nfsar_error *error) {
    enum nfsar_status status = nfsar_enhance_load(job->weights, &job->model, error);
    if (status == NFSAR_OK) {
        status = nfsar_image_file_open(job->input, &job->file, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_grid *grid = &nfsar_image_file_header(job->file)->grid;
    nfsar_enhance_options options = nfsar_enhance_defaults();
    options.threads = cli_threads();
    status = nfsar_enhance_plan_create(job->model, grid->x.count, grid->y.count, &options,
                                       &job->plan, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", job->input);
    }
    job->pixels = grid->x.count * grid->y.count;
    job->slice = malloc(job->pixels * sizeof *job->slice);
    job->planes = malloc(job->pixels * 2 * sizeof *job->planes);
    return job->slice != NULL && job->planes != NULL ? NFSAR_OK : out_of_memory(error);
}

/* The slice as planes; its largest magnitude. */
static double split(const struct enhance *job) {
    const bool both = nfsar_enhance_model_info(job->model).inputs == 2;
    double peak = 0.0;
    for (size_t i = 0; i < job->pixels; i++) {
        const double re = (double)crealf(job->slice[i]), im = (double)cimagf(job->slice[i]);
        const double magnitude = hypot(re, im);
        job->planes[i] = both ? (float)re : (float)magnitude;
        job->planes[job->pixels + i] = (float)im;
        peak = magnitude > peak ? magnitude : peak;
    }
    return peak;
}

/* The volume's largest magnitude, by which all of its slices are divided: a slice in which there is
 * nothing must stay dark. */
static enum nfsar_status find_peak(struct enhance *job, double *peak, nfsar_error *error) {
    const size_t n_z = nfsar_image_file_header(job->file)->grid.z.count;
    *peak = 0.0;
    for (size_t z = 0; z < n_z; z++) {
        enum nfsar_status status = nfsar_image_file_read(job->file, z, 1, job->slice, error);
        if (status != NFSAR_OK) {
            return status;
        }
        *peak = fmax(*peak, split(job));
    }
    return NFSAR_OK;
}

static enum nfsar_status enhance_slice(struct enhance *job, size_t z, double peak,
                                       nfsar_error *error) {
    enum nfsar_status status = nfsar_image_file_read(job->file, z, 1, job->slice, error);
    if (status != NFSAR_OK) {
        return status;
    }
    split(job);
    status = nfsar_enhance_execute(job->plan, job->planes, peak, job->planes, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s, slice %zu", job->input, z);
    }
    /* The network returns magnitudes but for what it leaves below 0. */
    for (size_t i = 0; i < job->pixels; i++) {
        job->slice[i] = job->planes[i] > 0.0f ? job->planes[i] : 0.0f;
    }
    return nfsar_image_writer_write(job->writer, z, 1, job->slice, error);
}

static enum nfsar_status begin_output(struct enhance *job, double peak, nfsar_error *error) {
    const nfsar_image *image = nfsar_image_file_header(job->file);
    nfsar_image header = {.grid = image->grid, .options = image->options};
    enum nfsar_status status = NFSAR_OK;
    if (asprintf(&header.method, "%s%senhance", image->method != NULL ? image->method : "",
                 image->method != NULL ? "+" : "") < 0) {
        return out_of_memory(error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < image->n_provenance; i++) {
        status = nfsar_image_note(&header, error, "%s", image->provenance[i]);
    }
    if (status == NFSAR_OK) {
        status = nfsar_image_note(&header, error,
                                  "%s (nfsar %s): network of %zu parameters on slices divided by "
                                  "%.9g, the largest magnitude of the volume",
                                  cli_command_line(), NFSAR_VERSION,
                                  nfsar_enhance_model_info(job->model).parameters, peak);
    }
    if (status == NFSAR_OK) {
        status = nfsar_image_writer_create(job->output, &header, &job->writer, error);
    }
    header.options = NULL;
    nfsar_image_free(&header);
    return status;
}

static enum nfsar_status run(struct enhance *job, nfsar_error *error) {
    double peak = 0.0;
    enum nfsar_status status = open_all(job, error);
    if (status == NFSAR_OK) {
        status = find_peak(job, &peak, error);
    }
    if (status == NFSAR_OK) {
        status = begin_output(job, peak, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t n_z = nfsar_image_file_header(job->file)->grid.z.count;
    const nfsar_progress *progress = cli_progress("enhance");
    for (size_t z = 0; status == NFSAR_OK && z < n_z; z++) {
        status = enhance_slice(job, z, peak, error);
        nfsar_progress_report(progress, (double)(z + 1) / (double)n_z);
    }
    cli_progress_end();
    if (status != NFSAR_OK) {
        nfsar_image_writer_abandon(job->writer);
        return status;
    }
    return nfsar_image_writer_commit(job->writer, error);
}

int verb_enhance(int argc, char **argv) {
    struct enhance job = {0};
    int exit_status;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &job.output, NULL, "FILE", "image file to write"},
        {"model", 0, CLI_STRING, &job.weights, NULL, "FILE",
         "the network's weights (safetensors; docs/enhance.md)"},
        {0},
    };
    if (!cli_parse("enhance", "IMAGE.h5 -o OUT.h5 --model WEIGHTS.safetensors", options, 1,
                   &job.input, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (job.output == NULL || job.weights == NULL) {
        return cli_usage("enhance", "%s is missing",
                         job.output == NULL ? "-o OUT.h5" : "--model WEIGHTS.safetensors");
    }
    nfsar_error error;
    pending_protect(job.input);
    pending_protect(job.weights);
    enum nfsar_status status = run(&job, &error);
    free(job.slice);
    free(job.planes);
    nfsar_image_file_close(job.file);
    nfsar_enhance_plan_destroy(job.plan);
    nfsar_enhance_model_free(job.model);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}
