/* nfsar reconstruct: from a capture to an image. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/reconstruct_best.h"
#include "host/cli/reconstruct_gate.h"
#include "host/cli/reconstruct_options.h"
#include "host/cli/reconstruct_sparse.h"
#include "host/cli/verbs.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/files/pending.h"

/* Most voxels of a grid that nobody asked for. */
#define RMA_VOXELS ((size_t)16 << 20)
#define BP_VOXELS  ((size_t)1 << 20)

/* Most voxels times pulses times channels that backprojection does unasked: a minute's work. */
#define BP_UPDATES 1e10

/* Depths that are searched when nobody gave them. */
#define FOCUS_DEPTHS 41

/* Image data in memory at a time; larger volumes are made slab by slab. */
#define SLAB_BYTES ((size_t)2 << 30)

/* What is being worked on. */
struct job {
    struct reconstruct_request request;
    struct reconstruct_choice choice;
    nfsar_capture_file *file;
    nfsar_capture view; /* the file's header, or what the gate leaves of it; owns nothing */
    const nfsar_capture *capture;
    struct reconstruct_gate gate;
    nfsar_calibrated_source calibrated;
    nfsar_echo_source source;
    float *weight; /* [n_pulse][n_channel], or NULL */
    nfsar_weighted_source weighted;
    nfsar_imager *imager;
    nfsar_grid grid;
    nfsar_focus focus;
    bool focused;
    float complex *volume; /* of --sparse and --quality best, which make it as a whole */
    struct reconstruct_best best;
    nfsar_sparse_report sparsely;
};

/* Let samples be read with the weights of their density. */
static enum nfsar_status weigh_samples(struct job *job, nfsar_error *error) {
    const nfsar_capture *capture = job->capture;
    size_t n_channel = capture->array.n_channel, n = 0;
    if (job->choice.density == NFSAR_DENSITY_NONE) {
        return NFSAR_OK;
    }
    if (!__builtin_mul_overflow(capture->n_pulse, n_channel, &n)) {
        job->weight = calloc(n, sizeof *job->weight);
    }
    if (job->weight == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu weights", n);
    }
    enum nfsar_status status =
        nfsar_density_weights(capture, job->choice.density, job->weight, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "--density %s",
                             nfsar_density_name(job->choice.density));
    }
    float least = job->weight[0], most = job->weight[0];
    for (size_t i = 1; i < n; i++) {
        least = fminf(least, job->weight[i]);
        most = fmaxf(most, job->weight[i]);
    }
    cli_say("density %s: samples weigh from %.3g to %.3g, mean 1; white noise %.1f dB stronger",
            nfsar_density_name(job->choice.density), (double)least, (double)most,
            10.0 * log10(nfsar_density_noise_factor(job->weight, n)));
    job->weighted = (nfsar_weighted_source){job->weight, n_channel, job->source};
    job->source = nfsar_weighted(&job->weighted);
    return NFSAR_OK;
}

/* Options that mean nothing where the radar went round the target. */
static enum nfsar_status check_round(const struct job *job, nfsar_error *error) {
    const struct reconstruct_request *r = &job->request;
    if (r->focus) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--focus searches depths in front of a plane, and these positions go "
                          "round the target: leave it out, or add --method bp");
    }
    if (r->patches > 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--patches is for methods rma, empm and nurma");
    }
    if (r->has_target_depth &&
        job->choice.use.csar.compensation != NFSAR_COMPENSATION_REFERENCE_POINT) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--target-depth is for csar's --compensation reference-point: %s needs "
                          "none",
                          nfsar_compensation_name(job->choice.use.csar.compensation));
    }
    return NFSAR_OK;
}

static enum nfsar_status make_imager(struct job *job, nfsar_error *error) {
    const struct reconstruct_choice *choice = &job->choice;
    nfsar_method_options use = choice->use;
    if (job->request.has_range && !choice->sparse) {
        /* The gate has put the window in. */
        job->gate.window = use.rma.frequency_window;
        use.rma.frequency_window = use.nurma.frequency_window = use.csar.frequency_window =
            use.bp.frequency_window = NFSAR_WINDOW_RECTANGULAR;
    }
    use.rma.threads = use.nurma.threads = use.csar.threads = use.bp.threads = cli_threads();
    /* A sparse volume is for grids of the size that exact imaging takes. */
    enum nfsar_method method = choice->sparse ? NFSAR_METHOD_BP : choice->method;
    enum nfsar_status status = nfsar_imager_create(job->capture, method, &use, &job->imager, error);
    if (status != NFSAR_OK) {
        return status;
    }
    bool exact = nfsar_imager_method(job->imager) == NFSAR_METHOD_BP;
    bool round = nfsar_imager_method(job->imager) == NFSAR_METHOD_CSAR;
    if (round) {
        status = check_round(job, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    if ((exact || round) && use.rma.aperture_window != NFSAR_WINDOW_RECTANGULAR) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--aperture-window is for methods rma, empm and nurma");
    }
    if (!exact && use.bp.precision == NFSAR_BP_DOUBLE) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--precision double is the reference form of bp: add --method bp");
    }
    return NFSAR_OK;
}

/* As an option to start from. */
static void say_axis(char name, const nfsar_axis *axis) {
    if (axis->count == 1) {
        cli_say("  --%c %.9g", name, axis->start);
        return;
    }
    /* As many digits as make the same grid, to a hundredth of its step. */
    double end = nfsar_axis_end(axis), most = fmax(fabs(axis->start), fabs(end));
    int digits = (int)ceil(log10(fmax(most / (0.01 * axis->step), 1.0)));
    digits = digits < 5 ? 5 : digits > 15 ? 15 : digits;
    cli_say("  --%c %.*g:%.*g:%zu  (steps of %.4g mm)", name, digits, axis->start, digits, end,
            axis->count, 1e3 * axis->step);
}

/* A derived grid that had to be so coarse that targets fall between its voxels. */
static void warn_of_coarse(const struct job *job, const nfsar_grid_reasons *why) {
    const nfsar_axis *axis[3] = {&job->grid.x, &job->grid.y, &job->grid.z};
    for (int a = 0; a < 3; a++) {
        if (axis[a]->count > 1 && axis[a]->step > 0.75 * why->resolution[a]) {
            cli_say("warning: voxels of %.3g mm along %c are too coarse for the resolution of %.3g "
                    "mm: give a grid round the target with --x, --y and --z",
                    1e3 * axis[a]->step, "xyz"[a], 1e3 * why -> resolution[a]);
            return;
        }
    }
}

/* Most voxels of a grid that is derived. */
static size_t voxel_limit(const struct job *job) {
    if (nfsar_imager_method(job->imager) != NFSAR_METHOD_BP) {
        return RMA_VOXELS;
    }
    double lines = (double)job->capture->n_pulse * (double)job->capture->array.n_channel;
    double voxels = fmin((double)BP_VOXELS, fmax(4096.0, BP_UPDATES / lines));
    return (size_t)voxels;
}

/* The grid asked for; axes not given come from the data, and are shown as options to start from. */
static enum nfsar_status make_grid(struct job *job, nfsar_error *error) {
    struct reconstruct_request *r = &job->request;
    nfsar_grid_reasons why = {0};
    if (!r->has_x || !r->has_y || !r->has_z) {
        const double depths[2] = {r->z.start, nfsar_axis_end(&r->z)};
        /* With the depths given the range gate is known, but for where the radar was. */
        const double *gated = job->capture->gated.range_m;
        const double *range = r->has_range                  ? r->range
                              : r->has_z && depths[0] > 0.0 ? depths
                              : gated[1] > 0.0              ? gated
                                                            : NULL;
        size_t limit = voxel_limit(job);
        enum nfsar_status status =
            nfsar_grid_suggest(job->capture, &job->source, range, limit, &job->grid, &why, error);
        if (status != NFSAR_OK) {
            return status;
        }
        if (range == NULL) {
            cli_say("strongest echo at %.3f m of range, within 20 dB from %.3f to %.3f m",
                    why.range_peak, why.range_gate[0], why.range_gate[1]);
        }
    }
    bool derived = !r->has_x && !r->has_y && !r->has_z;
    job->grid.x = r->has_x ? r->x : job->grid.x;
    job->grid.y = r->has_y ? r->y : job->grid.y;
    if (r->has_z) {
        job->grid.z = r->z;
    } else if (r->focus) {
        nfsar_axis found = job->grid.z;
        return nfsar_axis_between(found.start, nfsar_axis_end(&found) + 1e-9, FOCUS_DEPTHS,
                                  &job->grid.z, error);
    }
    if (derived) {
        warn_of_coarse(job, &why);
    }
    return NFSAR_OK;
}

/* Let the grid decide the method where that is open. Backprojection takes a coarser grid, where
 * none was asked for. */
static enum nfsar_status settle_method(struct job *job, nfsar_error *error) {
    enum nfsar_method before = nfsar_imager_method(job->imager);
    enum nfsar_status status = nfsar_imager_fit(job->imager, &job->grid, error);
    if (status == NFSAR_OK && nfsar_imager_method(job->imager) != before) {
        status = make_grid(job, error);
        if (status == NFSAR_OK) {
            status = nfsar_imager_fit(job->imager, &job->grid, error);
        }
    }
    if (status == NFSAR_OK && job->request.equal_views &&
        nfsar_imager_method(job->imager) != NFSAR_METHOD_CSAR) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "--equal-views is for method csar (add --method csar), and this is for %s: %s",
            nfsar_method_name(nfsar_imager_method(job->imager)), nfsar_imager_reason(job->imager));
    }
    if (status == NFSAR_OK && !job->choice.sparse) {
        cli_say("method %s: %s", nfsar_method_name(nfsar_imager_method(job->imager)),
                nfsar_imager_reason(job->imager));
    }
    if (status == NFSAR_OK && nfsar_imager_warning(job->imager) != NULL) {
        cli_say("warning: %s", nfsar_imager_warning(job->imager));
    }
    return status;
}

static enum nfsar_status draw_focus(const struct job *job, nfsar_error *error) {
    size_t n = job->focus.z.count;
    double *z_mm = malloc(n * sizeof *z_mm);
    if (z_mm == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        z_mm[i] = 1e3 * nfsar_axis_at(&job->focus.z, i);
    }
    nfsar_curve curve = {.label = "sharpness", .y = job->focus.sharpness};
    char title[96];
    snprintf(title, sizeof title, "Depth search: sharpest at %.1f mm", 1e3 * job->focus.z_m);
    enum nfsar_status status =
        nfsar_picture_curves(title, "z (mm)", "sharpness, of the largest", z_mm, n, &curve, 1,
                             job->request.focus_picture, error);
    free(z_mm);
    return status;
}

/* Search the grid's depths for the sharpest and make it the only one. */
static enum nfsar_status find_focus(struct job *job, nfsar_error *error) {
    enum nfsar_status status =
        nfsar_focus_search(job->imager, &job->grid.x, &job->grid.y, &job->grid.z, &job->source,
                           &job->focus, cli_progress("depth search"), error);
    cli_progress_end();
    if (status != NFSAR_OK) {
        return status;
    }
    job->focused = true;
    cli_say("sharpest of %zu depths from %.4f to %.4f m: z = %.4f m%s", job->focus.z.count,
            job->focus.z.start, nfsar_axis_end(&job->focus.z), job->focus.z_m,
            job->focus.at_edge ? ", the edge of the search: give a wider --z" : "");
    job->grid.z = (nfsar_axis){job->focus.z_m, 1.0, 1};
    return job->request.focus_picture != NULL ? draw_focus(job, error) : NFSAR_OK;
}

/* The method's name, out of a static string or `room`. */
static const char *method_name(const struct job *job, char room[32]) {
    if (!job->choice.sparse) {
        return nfsar_method_name(nfsar_imager_method(job->imager));
    }
    snprintf(room, 32, "sparse-%s", nfsar_sparse_name(job->choice.sparsely.penalty));
    return room;
}

/* The imager's options and what was done to the samples before; NULL when out of memory. */
static char *describe_options(const struct job *job) {
    if (job->choice.sparse) {
        return reconstruct_sparse_options(&job->choice);
    }
    char *text = NULL;
    char gate[128];
    int length =
        asprintf(&text, "%s density=%s%s", nfsar_imager_options(job->imager),
                 nfsar_density_name(job->choice.density), reconstruct_gate_text(&job->gate, gate));
    return length < 0 ? NULL : text;
}

static enum nfsar_status fill_header(const struct job *job, nfsar_image *header,
                                     nfsar_error *error) {
    memset(header, 0, sizeof *header);
    header->grid = job->grid;
    char room[32];
    header->method = strdup(method_name(job, room));
    header->options = describe_options(job);
    if (header->method == NULL || header->options == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < job->capture->n_provenance; i++) {
        status = nfsar_image_note(header, error, "%s", job->capture->provenance[i]);
    }
    if (status == NFSAR_OK) {
        status = nfsar_image_note(header, error, "%s (nfsar %s): method %s, %s", cli_command_line(),
                                  NFSAR_VERSION, header->method, header->options);
    }
    if (status == NFSAR_OK && job->choice.best) {
        status = enhancing_note(&job->best.enhancing, header, error);
    }
    return status;
}

static enum nfsar_status image_slabs(struct job *job, nfsar_image_writer *writer,
                                     nfsar_error *error) {
    size_t slice = job->grid.x.count * job->grid.y.count, nz = job->grid.z.count;
    size_t slab = SLAB_BYTES / sizeof(float complex) / slice;
    slab = slab < 1 ? 1 : slab < nz ? slab : nz;
    float complex *data = malloc(slab * slice * sizeof *data);
    if (data == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for %zu slices of %zu x %zu voxels", slab,
                          job->grid.x.count, job->grid.y.count);
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t first = 0; status == NFSAR_OK && first < nz; first += slab) {
        nfsar_grid part = job->grid;
        part.z.start = nfsar_axis_at(&job->grid.z, first);
        part.z.count = nz - first < slab ? nz - first : slab;
        status = nfsar_imager_run(job->imager, &part, &job->source, data, cli_progress("imaging"),
                                  error);
        if (status == NFSAR_OK) {
            status = nfsar_image_writer_write(writer, first, part.z.count, data, error);
        }
    }
    cli_progress_end();
    free(data);
    return status;
}

static enum nfsar_status write_image(struct job *job, nfsar_error *error) {
    nfsar_image header;
    nfsar_image_writer *writer = NULL;
    enum nfsar_status status = fill_header(job, &header, error);
    if (status == NFSAR_OK) {
        status = nfsar_image_writer_create(job->request.output, &header, &writer, error);
    }
    nfsar_image_free(&header);
    if (status != NFSAR_OK) {
        return status;
    }
    status = job->volume != NULL
                 ? nfsar_image_writer_write(writer, 0, job->grid.z.count, job->volume, error)
                 : image_slabs(job, writer, error);
    if (status != NFSAR_OK) {
        nfsar_image_writer_abandon(writer);
        return status;
    }
    return nfsar_image_writer_commit(writer, error);
}

static int print_json(const struct job *job) {
    char *options = describe_options(job), room[32];
    json_t *root = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "output", json_text(job->request.output), "method",
        method_name(job, room), "reason",
        json_text(job->choice.sparse ? "--sparse" : nfsar_imager_reason(job->imager)), "options",
        json_text(options != NULL ? options : ""), "x", json_axis(&job->grid.x), "y",
        json_axis(&job->grid.y), "z", json_axis(&job->grid.z));
    free(options);
    if (job->focused) {
        json_t *curve = json_array();
        for (size_t i = 0; i < job->focus.z.count; i++) {
            json_array_append_new(curve, json_number(job->focus.sharpness[i]));
        }
        json_object_set_new(root, "focus",
                            json_pack("{s:f, s:b, s:o, s:o}", "z_m", job->focus.z_m, "at_edge",
                                      (int)job->focus.at_edge, "depths", json_axis(&job->focus.z),
                                      "sharpness", curve));
    }
    if (job->choice.sparse) {
        json_object_set_new(root, "sparse", reconstruct_sparse_json(&job->sparsely));
    }
    if (job->choice.best) {
        json_object_set_new(root, "enhanced", reconstruct_best_json(&job->best));
    }
    return print_object(root);
}

/* Before the work: an output that cannot be written is known at once. */
static enum nfsar_status check_outputs(const struct reconstruct_request *r, nfsar_error *error) {
    enum nfsar_status status = pending_check(r->output, PENDING_HDF5, error);
    if (status == NFSAR_OK && r->focus_picture != NULL) {
        status = pending_check(r->focus_picture, PENDING_PNG, error);
    }
    return status;
}

/* Sum the samples to those that the grid needs, before anything goes by their number. The imager
 * looks at its capture's frequencies only once it is given a grid. */
static enum nfsar_status put_gate(struct job *job, nfsar_error *error) {
    const struct reconstruct_request *r = &job->request;
    if (!r->has_range || job->choice.sparse) {
        const bool derived = !r->has_x && !r->has_y && !r->has_z;
        return job->choice.sparse ? NFSAR_OK
                                  : reconstruct_gate_warn(job->capture, &job->grid, derived, error);
    }
    enum nfsar_status status = reconstruct_gate(job->capture, &job->grid, &job->source,
                                                job->request.range, &job->gate, error);
    if (status == NFSAR_OK) {
        job->view = job->gate.view;
        job->source = nfsar_capture_source(&job->view);
    }
    return status;
}

static enum nfsar_status run(struct job *job, nfsar_error *error) {
    pending_protect(job->request.capture);
    enum nfsar_status status = reconstruct_choose(&job->request, &job->choice, error);
    if (status == NFSAR_OK) {
        status = check_outputs(&job->request, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_file_open(job->request.capture, &job->file, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    job->view = *nfsar_capture_file_header(job->file);
    job->capture = &job->view;
    job->calibrated = (nfsar_calibrated_source){.capture = nfsar_capture_file_header(job->file),
                                                .raw = nfsar_capture_file_source(job->file)};
    job->source = nfsar_calibrated(&job->calibrated);
    nfsar_wisdom_load(NULL);
    status = reconstruct_gate_check(job->capture, &job->request, &job->choice, error);
    if (status == NFSAR_OK) {
        status = make_imager(job, error);
    }
    if (status == NFSAR_OK) {
        status = weigh_samples(job, error);
    }
    if (status == NFSAR_OK) {
        status = make_grid(job, error);
    }
    if (status == NFSAR_OK) {
        status = put_gate(job, error);
    }
    if (status == NFSAR_OK) {
        status = settle_method(job, error);
    }
    if (status == NFSAR_OK && job->request.focus) {
        status = find_focus(job, error);
    }
    if (status == NFSAR_OK) {
        cli_say("grid of %zu x %zu x %zu voxels:", job->grid.x.count, job->grid.y.count,
                job->grid.z.count);
        say_axis('x', &job->grid.x);
        say_axis('y', &job->grid.y);
        say_axis('z', &job->grid.z);
    }
    if (status == NFSAR_OK && job->choice.sparse) {
        status = reconstruct_sparsely(job->capture, &job->grid, &job->source, &job->request,
                                      &job->choice, &job->volume, &job->sparsely, error);
    } else if (status == NFSAR_OK && job->choice.best) {
        status = reconstruct_best(job->imager, &job->grid, &job->source, &job->best, &job->volume,
                                  error);
    }
    if (status == NFSAR_OK) {
        status = write_image(job, error);
    }
    nfsar_wisdom_save(NULL);
    return status;
}

int verb_reconstruct(int argc, char **argv) {
    struct job job = {0};
    struct reconstruct_request *r = &job.request;
    int exit_status = CLI_USAGE;
    if (!reconstruct_parse(argc, argv, r, &exit_status)) {
        return exit_status;
    }
    use_threads();
    nfsar_error error = {0};
    enum nfsar_status status = run(&job, &error);
    exit_status = status == NFSAR_OK && r->json ? print_json(&job) : CLI_DONE;
    nfsar_focus_free(&job.focus);
    nfsar_imager_destroy(job.imager);
    nfsar_calibrated_free(&job.calibrated);
    reconstruct_gate_free(&job.gate);
    free(job.weight);
    free(job.volume);
    enhancing_free(&job.best.enhancing);
    nfsar_capture_file_close(job.file);
    return status == NFSAR_OK ? exit_status : cli_fail(&error);
}
