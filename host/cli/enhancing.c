#include "host/cli/enhancing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/version.h>

#include "host/cli/cli.h"

#define ENDING ".safetensors"

/* Spacings in resolution cells that no image of what networks are trained with (0.1 to 0.5) seems
 * to have: noise makes it look coarser by a third, a plate that outshines all else finer by four.
 */
#define COARSE 0.65
#define FINE   0.02

bool enhancing_is_file(const char *name) {
    const size_t length = strlen(name), end = sizeof ENDING - 1;
    return strchr(name, '/') != NULL || (length >= end && strcmp(name + length - end, ENDING) == 0);
}

enum nfsar_status enhancing_load(const char *name, nfsar_enhance_model **model,
                                 nfsar_error *error) {
    if (enhancing_is_file(name)) {
        return nfsar_enhance_load(name, model, error);
    }
    enum nfsar_status status = nfsar_enhance_builtin(name, model, error);
    if (status == NFSAR_ERROR_ARGUMENT) {
        return nfsar_fail(error, status,
                          "--model '%s': the networks that are built in are default and paper; a "
                          "file has a / in its name, or ends in " ENDING,
                          name);
    }
    return status;
}

/* What the library takes for a wrong argument: the command was right, the image is what it is. */
static enum nfsar_status of_the_image(nfsar_error *error, enum nfsar_status status) {
    error->status = status;
    return nfsar_fail_in(error, status, "enhance");
}

enum nfsar_status enhancing_open(const char *name, const nfsar_grid *grid, struct enhancing *made,
                                 nfsar_error *error) {
    *made = (struct enhancing){.name = name, .nx = grid->x.count, .ny = grid->y.count};
    if (made->nx == 1 || made->ny == 1) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "slices of %zu x %zu pixels are lines: networks know pictures across the "
                          "range, along x and y",
                          made->nx, made->ny);
    }
    enum nfsar_status status = enhancing_load(name, &made->model, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_enhance_options options = nfsar_enhance_defaults();
    options.threads = cli_threads();
    status =
        nfsar_enhance_plan_create(made->model, made->nx, made->ny, &options, &made->plan, error);
    if (status == NFSAR_ERROR_ARGUMENT) {
        return of_the_image(error, NFSAR_ERROR_UNSUPPORTED);
    }
    if (status == NFSAR_ERROR_UNSUPPORTED) {
        error->status = NFSAR_ERROR_FORMAT;
        return nfsar_fail_in(error, NFSAR_ERROR_FORMAT, "--model %s", name);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t pixels = made->nx * made->ny;
    made->planes = malloc(2 * pixels * sizeof *made->planes);
    made->sharp = malloc(pixels * sizeof *made->sharp);
    return made->planes != NULL && made->sharp != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for slices of %zu x %zu",
                            made->nx, made->ny);
}

void enhancing_free(struct enhancing *enhancing) {
    nfsar_enhance_plan_destroy(enhancing->plan);
    nfsar_enhance_model_free(enhancing->model);
    free(enhancing->planes);
    free(enhancing->sharp);
    *enhancing = (struct enhancing){0};
}

/* Of numbers up to the largest float, whose squares a double holds. */
static double magnitude(float complex voxel) {
    const double re = (double)crealf(voxel), im = (double)cimagf(voxel);
    return sqrt(re * re + im * im);
}

/* The slice as real and imaginary parts. */
static void take_apart(const struct enhancing *enhancing, const float complex *slice) {
    const size_t pixels = enhancing->nx * enhancing->ny;
    for (size_t i = 0; i < pixels; i++) {
        enhancing->planes[i] = crealf(slice[i]);
        enhancing->planes[pixels + i] = cimagf(slice[i]);
    }
}

/* How bright it is, and how fine when no slice was brighter. */
static void look_at(struct enhancing *enhancing, const float complex *slice) {
    double largest = 0.0;
    for (size_t i = 0; i < enhancing->nx * enhancing->ny; i++) {
        largest = fmax(largest, magnitude(slice[i]));
    }
    if (largest > enhancing->peak) {
        enhancing->peak = largest;
        nfsar_enhance_spacing(enhancing->planes, enhancing->nx, enhancing->ny, enhancing->spacing);
    }
}

enum nfsar_status enhancing_slice(struct enhancing *enhancing, float complex *slice,
                                  nfsar_error *error) {
    const bool both = nfsar_enhance_model_info(enhancing->model).inputs == 2;
    const size_t pixels = enhancing->nx * enhancing->ny;
    take_apart(enhancing, slice);
    look_at(enhancing, slice);
    for (size_t i = 0; !both && i < pixels; i++) {
        enhancing->planes[i] = (float)magnitude(slice[i]);
    }
    enum nfsar_status status =
        nfsar_enhance_execute(enhancing->plan, enhancing->planes, enhancing->sharp, error);
    if (status == NFSAR_ERROR_FORMAT) {
        return nfsar_fail_in(error, status, "--model %s", enhancing->name);
    }
    if (status != NFSAR_OK) {
        return of_the_image(error, NFSAR_ERROR_FORMAT);
    }
    for (size_t i = 0; i < pixels; i++) {
        slice[i] = enhancing->sharp[i];
        enhancing->left = fmax(enhancing->left, (double)enhancing->sharp[i]);
    }
    return NFSAR_OK;
}

void enhancing_tell(const struct enhancing *enhancing, const nfsar_grid *grid) {
    const nfsar_axis *axis[2] = {&grid->x, &grid->y};
    for (int a = 0; a < 2; a++) {
        const double cells = enhancing->spacing[a];
        if (axis[a]->count > 1 && (cells > COARSE || (cells > 0.0 && cells < FINE))) {
            cli_say("warning: pixels of %.3g mm along %c are %.2g of a resolution cell, and the "
                    "network knows 0.1 to 0.5: a %s grid would suit it",
                    1e3 * axis[a]->step, "xy"[a], cells, cells > COARSE ? "finer" : "coarser");
        }
    }
    if (grid->z.count > 1) {
        cli_say("note: networks know slices in which everything is in focus; of %zu slices those "
                "out of focus are changed most, so look at the image as it was as well",
                grid->z.count);
    }
    if (!(enhancing->left > 0.0)) {
        cli_say(enhancing->peak > 0.0
                    ? "note: nothing is left of the image: it is noise to the network, and what is "
                      "written is zero everywhere"
                    : "note: the image is zero everywhere, before as after");
    }
}

enum nfsar_status enhancing_volume(struct enhancing *enhancing, const nfsar_grid *grid,
                                   float complex *volume, nfsar_error *error) {
    const size_t pixels = enhancing->nx * enhancing->ny, n_z = grid->z.count;
    enum nfsar_status status = NFSAR_OK;
    const nfsar_progress *progress = cli_progress("enhance");
    for (size_t z = 0; status == NFSAR_OK && z < n_z; z++) {
        status = enhancing_slice(enhancing, volume + z * pixels, error);
        nfsar_progress_report(progress, (double)(z + 1) / (double)n_z);
    }
    cli_progress_end();
    if (status == NFSAR_OK) {
        enhancing_tell(enhancing, grid);
    }
    return status;
}

enum nfsar_status enhancing_note(const struct enhancing *enhancing, nfsar_image *image,
                                 nfsar_error *error) {
    char *method = NULL;
    if (asprintf(&method, "%s%senhance", image->method != NULL ? image->method : "",
                 image->method != NULL ? "+" : "") < 0) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    free(image->method);
    image->method = method;
    return nfsar_image_note(image, error,
                            "%s (nfsar %s): network %s of %zu parameters on slices%s, each divided "
                            "by its own largest magnitude",
                            cli_command_line(), NFSAR_VERSION, enhancing->name,
                            nfsar_enhance_model_info(enhancing->model).parameters,
                            nfsar_enhance_plan_tiles(enhancing->plan) > 1 ? " in tiles" : "");
}

/* Text of the file, without what a terminal would obey. */
static void show_text(const char *before, const nfsar_enhance_model *model, const char *key,
                      const char *after) {
    const char *text = nfsar_enhance_model_text(model, key);
    if (text == NULL) {
        return;
    }
    fputs(before, stdout);
    for (int n = 0; *text != '\0' && n < 120; text++, n++) {
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
    }
    fputs(after, stdout);
}

void enhancing_show_model(const char *name, const nfsar_enhance_model *model) {
    const nfsar_enhance_info info = nfsar_enhance_model_info(model);
    printf("%-12s%zu parameters", name, info.parameters);
    show_text(", variant ", model, "variant", "");
    show_text(", of ", model, "input", "");
    printf("; images are extended to a multiple of %d pixels\n", info.patch);
    printf("%-12s", "");
    show_text("training: ", model, "training", "; ");
    show_text("trained on ", model, "images", " images, ");
    show_text("", model, "step", " steps, ");
    show_text("data of recipe ", model, "recipe", "; ");
    if (nfsar_enhance_model_text(model, "validation_psnr_db") == NULL) {
        fputs("not validated", stdout);
    }
    show_text("validation: PSNR ", model, "validation_psnr_db", " dB");
    show_text(", SSIM ", model, "validation_ssim", "");
    putchar('\n');
}
