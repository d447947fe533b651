/* Arrays of others, MATLAB or NumPy, of which each axis was given a name. */
#ifndef NFSAR_HOST_IMPORT_CUBE_H
#define NFSAR_HOST_IMPORT_CUBE_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

#include <nfsar/status.h>

#include "host/import/plan.h"
#include "host/import/rig.h"

/* Numbers that an array may be made of. */
enum cube_element { CUBE_I8, CUBE_I16, CUBE_I32, CUBE_F32, CUBE_F64 };

/* Bytes of one. */
size_t cube_element_size(enum cube_element element);

/* An open array. The part of it that is in memory is all, or the indices
 * [window_first, window_first + window_count) of the axis slab. */
struct cube {
    const char *name; /* of the file, for messages; not owned */
    size_t n_axis;
    enum rig_dimension axis[RIG_DIMENSIONS];
    size_t size[RIG_DIMENSIONS];

    bool is_waveform; /* real numbers, each of which is a sample */
    enum cube_element element;
    const unsigned char *real, *imaginary; /* of the first sample in memory */
    ptrdiff_t stride[RIG_DIMENSIONS];      /* in elements */

    /* Of an array that is not in memory at all, real and imaginary being NULL: bytes of the element
     * at an offset, and how many of the file follow in memory, or NULL; valid until the next call.
     * The first real part lies at 0, the first imaginary at imaginary_at. */
    const unsigned char *(*fetch)(struct cube *cube, size_t offset, size_t *left,
                                  nfsar_error *error);
    size_t imaginary_at;

    size_t memory; /* bytes that a window may take; one index is the least */
    size_t slab;   /* index of an axis; n_axis when all is in memory at once */
    size_t window_first, window_count;
    /* Bring the window that holds index of the slab axis into memory; NULL when all is there. */
    enum nfsar_status (*load)(struct cube *cube, size_t index, nfsar_error *error);
    void (*close)(struct cube *cube);
    void *owner; /* what load() and close() work on */
};

/* Open path as the rig file says (layout, variable, axes); not more than memory bytes are held of
 * an array that can be read in parts. Free with cube_close(). */
enum nfsar_status cube_open(const struct rig *rig, const char *path, size_t memory,
                            struct cube *cube, nfsar_error *error);
void cube_close(struct cube *cube);

/* Openers of the two formats: fill everything but axis and n_axis, which are set. */
enum nfsar_status cube_open_npy(const char *path, struct cube *cube, nfsar_error *error);
enum nfsar_status cube_open_mat(const char *path, const char *variable, struct cube *cube,
                                nfsar_error *error);

/* NFSAR_ERROR_FORMAT unless all elements of a file of version 5 end inside it. */
enum nfsar_status cube_mat_complete(const char *path, nfsar_error *error);

/* Read a real vector of a MATLAB file, to be freed with free(). */
enum nfsar_status cube_mat_vector(const char *path, const char *variable, double **value, size_t *n,
                                  nfsar_error *error);

/* n samples whose real and imaginary parts are step bytes apart, of any alignment
 * (cube_convert.c). */
void cube_convert(enum cube_element element, const unsigned char *real,
                  const unsigned char *imaginary, ptrdiff_t step, size_t n, float complex *out);

/* Size along a dimension, 0 when the array has no such axis. */
size_t cube_size(const struct cube *cube, enum rig_dimension dimension);

/* Counts from the sizes of the axes; they must agree with what the rig file says. n_tx, n_rx and
 * n_sample (0: not said) of the plan are set before. n_recording arrays of this form are there. */
enum nfsar_status cube_plan(const struct rig *rig, const struct cube *cube, size_t n_recording,
                            struct plan *plan, nfsar_error *error);

/* Samples of one look at one position into out[n_tx][n_rx][n_sample]. */
enum nfsar_status cube_read(struct cube *cube, const struct rig *rig, const struct plan *plan,
                            struct plan_place place, float complex *out, nfsar_error *error);

#endif
