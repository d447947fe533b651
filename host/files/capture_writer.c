/* capture.h5, written. */
#include <nfsar/file.h>

#include <stdlib.h>
#include <string.h>

#include "host/files/capture_description.h"
#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/files/format.h"
#include "host/files/hdf5_error.h"
#include "host/files/hdf5_stack.h"

/* Samples of a channel that lie together: those who read a few frequencies of all pulses read at
 * most this many times too much, and still 256 bytes at a stretch. */
#define CHUNK_SAMPLES 32
#define CHUNK_BYTES   ((size_t)1 << 20)

/* The largest part, at most limit, that divides n into nearly equal ones: the last chunk of a row
 * takes the room of a full one. */
static size_t even_part(size_t n, size_t limit) {
    size_t parts = (n - 1) / limit + 1;
    return (n - 1) / parts + 1;
}

/* About a mebibyte: some samples of all channels of many pulses. */
static struct h5_shape chunk_shape(size_t n_pulse, size_t n_channel, size_t n_sample) {
    size_t samples = even_part(n_sample, CHUNK_SAMPLES);
    size_t channels = even_part(n_channel, CHUNK_BYTES / (samples * sizeof(float complex)));
    size_t pulses = CHUNK_BYTES / (samples * channels * sizeof(float complex));
    return (struct h5_shape){3, {even_part(n_pulse, pulses > 0 ? pulses : 1), channels, samples}};
}

/* One member of every pose: [n][width] doubles, from the given byte of each pose on. */
static enum nfsar_status write_pose_part(struct h5_output *output, const char *name,
                                         const nfsar_pose *pose, size_t n, size_t offset,
                                         size_t width, nfsar_error *error) {
    double *packed = calloc(n, width * sizeof *packed);
    if (packed == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(packed + i * width, (const char *)&pose[i] + offset, width * sizeof *packed);
    }
    const struct h5_shape shape = {2, {n, width}};
    enum nfsar_status status = h5_write_data(output, name, H5_REAL, &shape, packed, error);
    free(packed);
    return status;
}

static enum nfsar_status write_poses(struct h5_output *output, const char *group,
                                     const nfsar_pose *pose, size_t n, nfsar_error *error) {
    char position[64], orientation[64];
    snprintf(position, sizeof position, "%s/" CAPTURE_POSITION, group);
    snprintf(orientation, sizeof orientation, "%s/" CAPTURE_ORIENTATION, group);
    enum nfsar_status status = h5_write_group(output, group, error);
    if (status == NFSAR_OK) {
        status =
            write_pose_part(output, position, pose, n, offsetof(nfsar_pose, position), 3, error);
    }
    if (status == NFSAR_OK) {
        status = write_pose_part(output, orientation, pose, n, offsetof(nfsar_pose, orientation), 4,
                                 error);
    }
    return status;
}

static enum nfsar_status write_track(struct h5_output *output, const nfsar_capture *capture,
                                     nfsar_error *error) {
    const struct h5_shape shape = {1, {capture->n_pose}};
    enum nfsar_status status =
        write_poses(output, CAPTURE_POSE, capture->pose, capture->n_pose, error);
    if (status == NFSAR_OK) {
        status =
            h5_write_data(output, CAPTURE_POSE_TIME, H5_REAL, &shape, capture->pose_time_s, error);
    }
    if (status == NFSAR_OK && capture->true_pose != NULL) {
        status = write_poses(output, CAPTURE_TRUTH, capture->true_pose, capture->n_pose, error);
    }
    return status;
}

static enum nfsar_status write_echo(struct h5_stack *stack, const nfsar_capture *capture,
                                    nfsar_error *error) {
    struct h5_output *output = &stack->output;
    const struct h5_shape line = {1, {capture->n_pulse}};
    const struct h5_shape shape = {3, {stack->extents[0], stack->extents[1], stack->extents[2]}};
    const struct h5_shape chunk =
        chunk_shape(stack->extents[0], stack->extents[1], stack->extents[2]);
    enum nfsar_status status = h5_write_group(output, CAPTURE_ECHO, error);
    if (status == NFSAR_OK) {
        status = h5_write_data(output, CAPTURE_TIME, H5_REAL, &line, capture->time_s, error);
    }
    if (status == NFSAR_OK) {
        status = h5_write_data(output, CAPTURE_FLAGS, H5_BYTE, &line, capture->flags, error);
    }
    if (status == NFSAR_OK) {
        status =
            stack->pack.level > 0
                ? h5_pack_create(&stack->pack, output, CAPTURE_DATA, &shape, &chunk, error)
                : h5_reserve_complex(output, CAPTURE_DATA, &shape, &chunk, &stack->data, error);
    }
    return status;
}

static enum nfsar_status write_header(struct h5_stack *stack, const nfsar_capture *capture,
                                      nfsar_error *error) {
    enum nfsar_status status = capture_write_description(&stack->output, capture, error);
    if (status == NFSAR_OK) {
        status = write_track(&stack->output, capture, error);
    }
    return status == NFSAR_OK ? write_echo(stack, capture, error) : status;
}

/* The public writer is the stack itself, under the name that the interface gives it. */
static struct h5_stack *stack_of(nfsar_capture_writer *writer) {
    return (struct h5_stack *)writer;
}

static enum nfsar_status create(const char *path, const nfsar_capture *header, int level,
                                struct h5_stack **stack, nfsar_error *error) {
    enum nfsar_status status = nfsar_capture_check(header, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s cannot be written", path);
    }
    const size_t extents[3] = {header->n_pulse, header->array.n_channel, header->n_sample};
    status = h5_stack_create(path, FORMAT_CAPTURE, "pulse", extents, stack, error);
    if (status != NFSAR_OK) {
        return status;
    }
    (*stack)->pack = (struct h5_pack){.level = level, .dataset = H5I_INVALID_HID};
    status = write_header(*stack, header, error);
    if (status != NFSAR_OK) {
        h5_stack_abandon(*stack);
    }
    return status;
}

enum nfsar_status nfsar_capture_writer_create(const char *path, const nfsar_capture *header,
                                              nfsar_capture_writer **writer, nfsar_error *error) {
    return capture_writer_create_packed(path, header, 0, writer, error);
}

enum nfsar_status capture_writer_create_packed(const char *path, const nfsar_capture *header,
                                               int level, nfsar_capture_writer **writer,
                                               nfsar_error *error) {
    struct h5_stack *stack = NULL;
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = create(path, header, level, &stack, error);
    h5_restore(before);
    *writer = status == NFSAR_OK ? (nfsar_capture_writer *)stack : NULL;
    return status;
}

enum nfsar_status nfsar_capture_writer_write(nfsar_capture_writer *writer, size_t first_pulse,
                                             size_t n_pulse, const float complex *echo,
                                             nfsar_error *error) {
    return h5_stack_write(stack_of(writer), first_pulse, n_pulse, echo, error);
}

enum nfsar_status nfsar_capture_writer_flags(nfsar_capture_writer *writer, const uint8_t *flags,
                                             nfsar_error *error) {
    struct h5_reporting before = h5_silence();
    enum nfsar_status status =
        h5_rewrite_data(&stack_of(writer)->output, CAPTURE_FLAGS, H5_BYTE, flags, error);
    h5_restore(before);
    return status;
}

enum nfsar_status nfsar_capture_writer_commit(nfsar_capture_writer *writer, nfsar_error *error) {
    return h5_stack_commit(stack_of(writer), error);
}

size_t capture_writer_step(nfsar_capture_writer *writer) {
    const struct h5_stack *stack = stack_of(writer);
    return stack->pack.level > 0 ? stack->pack.chunk.extent[0] : 1;
}

struct h5_output *capture_writer_output(nfsar_capture_writer *writer) {
    return &stack_of(writer)->output;
}

enum nfsar_status capture_writer_commit_checked(nfsar_capture_writer *writer,
                                                h5_output_check *check, void *context,
                                                nfsar_error *error) {
    return h5_stack_commit_checked(stack_of(writer), check, context, error);
}

void nfsar_capture_writer_abandon(nfsar_capture_writer *writer) {
    h5_stack_abandon(stack_of(writer));
}

enum nfsar_status nfsar_capture_save(const char *path, const nfsar_capture *capture,
                                     nfsar_error *error) {
    if (capture->echo == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: the capture holds no samples to write",
                          path);
    }
    nfsar_capture_writer *writer = NULL;
    enum nfsar_status status = nfsar_capture_writer_create(path, capture, &writer, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = nfsar_capture_writer_write(writer, 0, capture->n_pulse, capture->echo, error);
    if (status != NFSAR_OK) {
        nfsar_capture_writer_abandon(writer);
        return status;
    }
    return nfsar_capture_writer_commit(writer, error);
}
