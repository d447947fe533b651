/* image.h5, written. */
#include <nfsar/file.h>

#include <stdlib.h>
#include <string.h>

#include "host/files/format.h"
#include "host/files/hdf5_error.h"
#include "host/files/hdf5_stack.h"
#include "host/files/image_layout.h"

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

static enum nfsar_status write_header(struct h5_stack *stack, const nfsar_image *image,
                                      nfsar_error *error) {
    struct h5_output *output = &stack->output;
    const struct h5_shape shape = {3, {stack->extents[0], stack->extents[1], stack->extents[2]}};
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
               ? h5_reserve_complex(output, IMAGE_DATA, &shape, NULL, &stack->data, error)
               : status;
}

/* The public writer is the stack itself, under the name that the interface gives it. */
static struct h5_stack *stack_of(nfsar_image_writer *writer) {
    return (struct h5_stack *)writer;
}

static enum nfsar_status create(const char *path, const nfsar_image *header,
                                struct h5_stack **stack, nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(&header->grid, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s cannot be written", path);
    }
    const size_t extents[3] = {header->grid.z.count, header->grid.y.count, header->grid.x.count};
    status = h5_stack_create(path, FORMAT_IMAGE, "slice", extents, stack, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = write_header(*stack, header, error);
    if (status != NFSAR_OK) {
        h5_stack_abandon(*stack);
    }
    return status;
}

enum nfsar_status nfsar_image_writer_create(const char *path, const nfsar_image *header,
                                            nfsar_image_writer **writer, nfsar_error *error) {
    struct h5_stack *stack = NULL;
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = create(path, header, &stack, error);
    h5_restore(before);
    *writer = status == NFSAR_OK ? (nfsar_image_writer *)stack : NULL;
    return status;
}

enum nfsar_status nfsar_image_writer_write(nfsar_image_writer *writer, size_t first_z, size_t n_z,
                                           const float complex *data, nfsar_error *error) {
    return h5_stack_write(stack_of(writer), first_z, n_z, data, error);
}

enum nfsar_status nfsar_image_writer_commit(nfsar_image_writer *writer, nfsar_error *error) {
    return h5_stack_commit(stack_of(writer), error);
}

void nfsar_image_writer_abandon(nfsar_image_writer *writer) {
    h5_stack_abandon(stack_of(writer));
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
