/* nfsar enhance: a sharper image, slice by slice, from a network. */
#include "host/cli/cli.h"
#include "host/cli/enhancing.h"
#include "host/cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#include "host/files/pending.h"

struct enhance {
    const char *input, *output, *model;
    bool models;
    struct enhancing enhancing;
    nfsar_image_file *file;
    nfsar_image_writer *writer;
    float complex *slice; /* [ny][nx] */
};

/* What networks have not been trained with, as far as the image says of itself. */
static void warn_of_method(const char *method) {
    if (method != NULL && strstr(method, "enhance") != NULL) {
        cli_say("warning: the image was enhanced already, which networks have not been trained "
                "with: enhance the one that it was made of");
    } else if (method != NULL && strncmp(method, "sparse", 6) == 0) {
        cli_say("warning: the image was made by --sparse, which networks have not been trained "
                "with: what it shows is sharp as it is");
    }
}

static enum nfsar_status open_all(struct enhance *job, nfsar_error *error) {
    enum nfsar_status status = nfsar_image_file_open(job->input, &job->file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_grid *grid = &nfsar_image_file_header(job->file)->grid;
    warn_of_method(nfsar_image_file_header(job->file)->method);
    status = enhancing_open(job->model, grid, &job->enhancing, error);
    if (status == NFSAR_ERROR_UNSUPPORTED) {
        return nfsar_fail_in(error, status, "%s", job->input);
    }
    if (status == NFSAR_OK) {
        job->slice = malloc(grid->x.count * grid->y.count * sizeof *job->slice);
        status = job->slice != NULL ? NFSAR_OK
                                    : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                                                 "out of memory for slices of %zu x %zu",
                                                 grid->x.count, grid->y.count);
    }
    return status;
}

static enum nfsar_status enhance_slice(struct enhance *job, size_t z, nfsar_error *error) {
    enum nfsar_status status = nfsar_image_file_read(job->file, z, 1, job->slice, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = enhancing_slice(&job->enhancing, job->slice, error);
    return status == NFSAR_OK ? nfsar_image_writer_write(job->writer, z, 1, job->slice, error)
                              : nfsar_fail_in(error, status, "%s, slice %zu", job->input, z);
}

static enum nfsar_status begin_output(struct enhance *job, nfsar_error *error) {
    const nfsar_image *image = nfsar_image_file_header(job->file);
    nfsar_image header = {.grid = image->grid, .options = image->options};
    enum nfsar_status status = NFSAR_OK;
    if (image->method != NULL && (header.method = strdup(image->method)) == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; status == NFSAR_OK && i < image->n_provenance; i++) {
        status = nfsar_image_note(&header, error, "%s", image->provenance[i]);
    }
    if (status == NFSAR_OK) {
        status = enhancing_note(&job->enhancing, &header, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_image_writer_create(job->output, &header, &job->writer, error);
    }
    header.options = NULL;
    nfsar_image_free(&header);
    return status;
}

static enum nfsar_status run(struct enhance *job, nfsar_error *error) {
    enum nfsar_status status = open_all(job, error);
    if (status == NFSAR_OK) {
        status = begin_output(job, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t n_z = nfsar_image_file_header(job->file)->grid.z.count;
    const nfsar_progress *progress = cli_progress("enhance");
    for (size_t z = 0; status == NFSAR_OK && z < n_z; z++) {
        status = enhance_slice(job, z, error);
        nfsar_progress_report(progress, (double)(z + 1) / (double)n_z);
    }
    cli_progress_end();
    if (status != NFSAR_OK) {
        nfsar_image_writer_abandon(job->writer);
        return status;
    }
    enhancing_tell(&job->enhancing, &nfsar_image_file_header(job->file)->grid);
    return nfsar_image_writer_commit(job->writer, error);
}

/* The networks that are built in, and a file's. */
static int show_models(const char *model) {
    nfsar_error error;
    nfsar_enhance_model *asked = NULL, *made = NULL;
    if (enhancing_load(model, &asked, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    const char *name = nfsar_enhance_builtin_name(0);
    for (size_t i = 0; name != NULL; name = nfsar_enhance_builtin_name(++i)) {
        if (nfsar_enhance_builtin(name, &made, &error) != NFSAR_OK) {
            nfsar_enhance_model_free(asked);
            return cli_fail(&error);
        }
        enhancing_show_model(name, made);
        nfsar_enhance_model_free(made);
    }
    if (enhancing_is_file(model)) {
        printf("%s\n", model);
        enhancing_show_model("", asked);
    }
    nfsar_enhance_model_free(asked);
    return CLI_DONE;
}

int verb_enhance(int argc, char **argv) {
    struct enhance job = {.model = "default"};
    int exit_status;
    size_t n = 0;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &job.output, NULL, "FILE", "image file to write"},
        {"model", 0, CLI_STRING, &job.model, NULL, "M",
         "the network: default, paper, or a file of weights (FILE.safetensors; docs/enhance.md)"},
        {"models", 0, CLI_FLAG, &job.models, NULL, NULL,
         "say what the networks that are built in are, and the file of --model, and end"},
        {0},
    };
    if (!cli_parse_some("enhance", "IMAGE.h5 -o OUT.h5 [--model M]", options, 1, &job.input, &n,
                        argc, argv, &exit_status)) {
        return exit_status;
    }
    if (job.models) {
        return n == 0 ? show_models(job.model) : cli_usage("enhance", "--models takes no image");
    }
    if (n == 0 || job.output == NULL) {
        return cli_usage("enhance", "%s is missing", n == 0 ? "IMAGE.h5" : "-o OUT.h5");
    }
    nfsar_error error;
    pending_protect(job.input);
    if (enhancing_is_file(job.model)) {
        pending_protect(job.model);
    }
    enum nfsar_status status = run(&job, &error);
    free(job.slice);
    nfsar_image_file_close(job.file);
    enhancing_free(&job.enhancing);
    return status == NFSAR_OK ? CLI_DONE : cli_fail(&error);
}
