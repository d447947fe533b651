/* image.h5, written. */
#include <nfsar/file.h>

#include <stdlib.h>
#include <string.h>

#include "host/files/format.h"
#include "host/files/hdf5_error.h"
#include "host/files/hdf5_output.h"
#include "host/files/image_layout.h"

struct nfsar_image_writer {
    struct h5_output output;
    hid_t data;
    size_t nx, ny, nz;
    unsigned char *written; /* [nz] */
};

/* The coordinates as a list, for everybody, and the exact step, as a list has only differences. */
static enum nfsar_status write_axis(struct h5_output *output, const char *name,
                                    const nfsar_axis *axis, nfsar_error *error) {
    double *list = calloc(axis->count, sizeof *list);
    if (list == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    }
    for (size_t i = 0; i < axis->count; i++) {
        list[i] = nfsar_axis_at(axis, i);
    }
    const struct h5_shape shape = {1, {axis->count}};
    enum nfsar_status status = h5_write_data(output, name, H5_REAL, &shape, list, error);
    free(list);
    return status == NFSAR_OK ? h5_write_number(output, name, IMAGE_STEP, axis->step, error)
                              : status;
}

static enum nfsar_status write_axes(struct h5_output *output, const nfsar_grid *grid,
                                    nfsar_error *error) {
    enum nfsar_status status = write_axis(output, IMAGE_X, &grid->x, error);
    if (status == NFSAR_OK) {
        status = write_axis(output, IMAGE_Y, &grid->y, error);
    }
    return status == NFSAR_OK ? write_axis(output, IMAGE_Z, &grid->z, error) : status;
}

static enum nfsar_status write_header(nfsar_image_writer *writer, const nfsar_image *image,
                                      nfsar_error *error) {
    struct h5_output *output = &writer->output;
    const struct h5_shape shape = {3, {writer->nz, writer->ny, writer->nx}};
    enum nfsar_status status = h5_write_group(output, IMAGE_GROUP, error);
    if (status == NFSAR_OK) {
        status = write_axes(output, &image->grid, error);
    }
    if (status == NFSAR_OK && image->method != NULL) {
        status = h5_write_text(output, IMAGE_GROUP, IMAGE_METHOD, image->method, error);
    }
    if (status == NFSAR_OK && image->options != NULL) {
        status = h5_write_text(output, IMAGE_GROUP, IMAGE_OPTIONS, image->options, error);
    }
    if (status == NFSAR_OK) {
        status =
            h5_write_lines(output, IMAGE_PROVENANCE, image->provenance, image->n_provenance, error);
    }
    return status == NFSAR_OK
               ? h5_reserve_complex(output, IMAGE_DATA, &shape, NULL, &writer->data, error)
               : status;
}

static enum nfsar_status create(const char *path, const nfsar_image *header,
                                nfsar_image_writer **writer, nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(&header->grid, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s cannot be written", path);
    }
    nfsar_image_writer *made = calloc(1, sizeof *made);
    unsigned char *written = calloc(header->grid.z.count, 1);
    if (made == NULL || written == NULL) {
        free(made);
        free(written);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    made->data = H5I_INVALID_HID;
    made->nx = header->grid.x.count;
    made->ny = header->grid.y.count;
    made->nz = header->grid.z.count;
    made->written = written;
    status = h5_output_create(&made->output, path, FORMAT_IMAGE, error);
    if (status != NFSAR_OK) {
        free(made->written);
        free(made);
        return status;
    }
    status = write_header(made, header, error);
    if (status != NFSAR_OK) {
        nfsar_image_writer_abandon(made);
        return status;
    }
    *writer = made;
    return NFSAR_OK;
}

enum nfsar_status nfsar_image_writer_create(const char *path, const nfsar_image *header,
                                            nfsar_image_writer **writer, nfsar_error *error) {
    *writer = NULL;
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = create(path, header, writer, error);
    h5_restore(before);
    return status;
}

enum nfsar_status nfsar_image_writer_write(nfsar_image_writer *writer, size_t first_z, size_t n_z,
                                           const float complex *data, nfsar_error *error) {
    if (first_z > writer->nz || n_z > writer->nz - first_z) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: slices %zu + %zu cannot be written, there are only %zu",
                          writer->output.path, first_z, n_z, writer->nz);
    }
    if (n_z == 0) {
        return NFSAR_OK;
    }
    struct h5_reporting before = h5_silence();
    const struct h5_shape first = {3, {first_z, 0, 0}};
    const struct h5_shape count = {3, {n_z, writer->ny, writer->nx}};
    enum nfsar_status status =
        h5_write_part(&writer->output, writer->data, &first, &count, data, error);
    if (status == NFSAR_OK) {
        memset(writer->written + first_z, 1, n_z);
    }
    h5_restore(before);
    return status;
}

enum nfsar_status nfsar_image_writer_commit(nfsar_image_writer *writer, nfsar_error *error) {
    const unsigned char *missing = memchr(writer->written, 0, writer->nz);
    if (missing != NULL) {
        enum nfsar_status status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: slice %zu was never written",
                       writer->output.path, (size_t)(missing - writer->written));
        nfsar_image_writer_abandon(writer);
        return status;
    }
    struct h5_reporting before = h5_silence();
    H5Dclose(writer->data);
    enum nfsar_status status = h5_output_commit(&writer->output, error);
    free(writer->written);
    free(writer);
    h5_restore(before);
    return status;
}

void nfsar_image_writer_abandon(nfsar_image_writer *writer) {
    if (writer == NULL) {
        return;
    }
    struct h5_reporting before = h5_silence();
    h5_sink_discard(&writer->output.sink);
    h5_drop(writer->data);
    h5_output_abandon(&writer->output);
    free(writer->written);
    free(writer);
    h5_restore(before);
}

enum nfsar_status nfsar_image_save(const char *path, const nfsar_image *image, nfsar_error *error) {
    if (image->data == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: the image holds no voxels to write",
                          path);
    }
    nfsar_image_writer *writer = NULL;
    enum nfsar_status status = nfsar_image_writer_create(path, image, &writer, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = nfsar_image_writer_write(writer, 0, image->grid.z.count, image->data, error);
    if (status != NFSAR_OK) {
        nfsar_image_writer_abandon(writer);
        return status;
    }
    return nfsar_image_writer_commit(writer, error);
}
