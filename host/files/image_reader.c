/* image.h5, read. */
#include <nfsar/file.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/files/hdf5_error.h"
#include "host/files/hdf5_input.h"
#include "host/files/image_layout.h"

/* How far a coordinate may lie from an even spacing, in steps: lists in single precision do. */
#define EVEN_TOLERANCE 1e-3

struct nfsar_image_file {
    struct h5_input input;
    struct h5_data data;
    nfsar_image header;
};

/* Index of the first coordinate that is not where the axis says, or the count. */
static size_t first_uneven(const double *list, const nfsar_axis *axis) {
    size_t i = 0;
    while (i < axis->count &&
           fabs(list[i] - nfsar_axis_at(axis, i)) <= EVEN_TOLERANCE * axis->step) {
        i++;
    }
    return i;
}

static enum nfsar_status fit_axis(const struct h5_input *input, const char *name,
                                  const double *list, size_t n, nfsar_axis *axis,
                                  nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(list[i])) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s[%zu] is not a finite number",
                              input->path, name, i);
        }
    }
    *axis = (nfsar_axis){.start = list[0], .step = 1.0, .count = n};
    if (n > 1) {
        axis->step = (list[n - 1] - list[0]) / (double)(n - 1);
    }
    size_t uneven = first_uneven(list, axis);
    if (!(axis->step > 0.0) || uneven < n) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %s is not an ascending list of even steps (entry %zu)", input->path,
                          name, uneven);
    }
    return NFSAR_OK;
}

/* The step as it was asked for, where it was kept and says the same as the list. */
static enum nfsar_status read_step(const struct h5_input *input, const char *name,
                                   const double *list, nfsar_axis *axis, nfsar_error *error) {
    nfsar_axis exact = *axis;
    bool found = false;
    enum nfsar_status status = h5_read_number(input, name, IMAGE_STEP, &exact.step, &found, error);
    if (status == NFSAR_OK && found && exact.step > 0.0 &&
        first_uneven(list, &exact) == axis->count) {
        *axis = exact;
    }
    return status;
}

static enum nfsar_status read_axis(const struct h5_input *input, const char *name, size_t n,
                                   nfsar_axis *axis, nfsar_error *error) {
    struct h5_shape shape = {1, {n}};
    double *list = NULL;
    enum nfsar_status status = h5_read_data(input, name, H5_REAL, &shape, (void **)&list, error);
    if (status == NFSAR_OK) {
        status = fit_axis(input, name, list, n, axis, error);
    }
    if (status == NFSAR_OK) {
        status = read_step(input, name, list, axis, error);
    }
    free(list);
    return status;
}

static enum nfsar_status read_grid(nfsar_image_file *file, nfsar_error *error) {
    const struct h5_input *input = &file->input;
    nfsar_grid *grid = &file->header.grid;
    struct h5_shape shape = {3, {0, 0, 0}};
    enum nfsar_status status =
        h5_data_open(&file->data, input, IMAGE_DATA, H5_COMPLEX, true, &shape, error);
    if (status == NFSAR_OK) {
        status = read_axis(input, IMAGE_Z, shape.extent[0], &grid->z, error);
    }
    if (status == NFSAR_OK) {
        status = read_axis(input, IMAGE_Y, shape.extent[1], &grid->y, error);
    }
    if (status == NFSAR_OK) {
        status = read_axis(input, IMAGE_X, shape.extent[2], &grid->x, error);
    }
    if (status == NFSAR_OK && nfsar_grid_check(grid, error) != NFSAR_OK) {
        status = nfsar_fail_in(error, NFSAR_ERROR_FORMAT, "%s", input->path);
    }
    return status;
}

static enum nfsar_status read_header(nfsar_image_file *file, nfsar_error *error) {
    const struct h5_input *input = &file->input;
    nfsar_image *image = &file->header;
    enum nfsar_file_kind kind = NFSAR_FILE_IMAGE;
    enum nfsar_status status = h5_input_kind(input, &kind, error);
    if (status == NFSAR_OK && kind != NFSAR_FILE_IMAGE) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: is a capture, but an image is needed; `nfsar reconstruct` makes "
                            "one of it",
                            input->path);
    }
    if (status == NFSAR_OK) {
        status = read_grid(file, error);
    }
    if (status == NFSAR_OK) {
        status = h5_read_text(input, IMAGE_GROUP, IMAGE_METHOD, &image->method, error);
    }
    if (status == NFSAR_OK) {
        status = h5_read_text(input, IMAGE_GROUP, IMAGE_OPTIONS, &image->options, error);
    }
    return status == NFSAR_OK ? h5_read_lines(input, IMAGE_PROVENANCE, &image->provenance,
                                              &image->n_provenance, error)
                              : status;
}

enum nfsar_status nfsar_image_file_open(const char *path, nfsar_image_file **file,
                                        nfsar_error *error) {
    *file = NULL;
    nfsar_image_file *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_input_open(&made->input, path, error);
    if (status == NFSAR_OK) {
        status = read_header(made, error);
    }
    h5_restore(before);
    if (status != NFSAR_OK) {
        nfsar_image_file_close(made);
        return status;
    }
    *file = made;
    return NFSAR_OK;
}

const nfsar_image *nfsar_image_file_header(const nfsar_image_file *file) {
    return &file->header;
}

enum nfsar_status nfsar_image_file_read(nfsar_image_file *file, size_t first_z, size_t n_z,
                                        float complex *out, nfsar_error *error) {
    const nfsar_grid *grid = &file->header.grid;
    size_t nx = grid->x.count, ny = grid->y.count;
    if (first_z > grid->z.count || n_z > grid->z.count - first_z) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: slices %zu + %zu were asked for, there are only %zu",
                          file->input.path, first_z, n_z, grid->z.count);
    }
    if (n_z == 0) {
        return NFSAR_OK;
    }
    const struct h5_shape first = {3, {first_z, 0, 0}};
    const struct h5_shape count = {3, {n_z, ny, nx}};
    struct h5_reporting before = h5_silence();
    size_t n = n_z * ny * nx, bad = n;
    enum nfsar_status status = h5_data_read_samples(&file->data, &first, &count, out, &bad, error);
    h5_restore(before);
    if (status != NFSAR_OK) {
        return status;
    }
    if (bad < n) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: " IMAGE_DATA "[%zu, %zu, %zu] is not a finite number",
                          file->input.path, first_z + bad / (nx * ny), bad / nx % ny, bad % nx);
    }
    return NFSAR_OK;
}

void nfsar_image_file_close(nfsar_image_file *file) {
    if (file == NULL) {
        return;
    }
    struct h5_reporting before = h5_silence();
    h5_data_close(&file->data);
    h5_input_close(&file->input);
    h5_restore(before);
    nfsar_image_free(&file->header);
    free(file);
}

enum nfsar_status nfsar_image_load(const char *path, nfsar_image *image, nfsar_error *error) {
    memset(image, 0, sizeof *image);
    nfsar_image_file *file = NULL;
    enum nfsar_status status = nfsar_image_file_open(path, &file, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_grid *grid = &file->header.grid;
    float complex *data = calloc(nfsar_grid_voxels(grid), sizeof *data);
    if (data == NULL) {
        status =
            nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory for %zu x %zu x %zu voxels",
                       path, grid->x.count, grid->y.count, grid->z.count);
    } else {
        status = nfsar_image_file_read(file, 0, grid->z.count, data, error);
    }
    if (status == NFSAR_OK) {
        *image = file->header;
        image->data = data;
        memset(&file->header, 0, sizeof file->header);
    } else {
        free(data);
    }
    nfsar_image_file_close(file);
    return status;
}
