#include "host/export/formats.h"

#include <matio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A version 5 file counts the bytes of a variable in 32 bits. */
#define VARIABLE_LIMIT ((size_t)0x7fffffff)

/* Real and imaginary part of the image as MATLAB holds it: y fastest, then x, then z. */
static void transpose(const nfsar_image *image, float *re, float *im) {
    const size_t nx = image->grid.x.count, ny = image->grid.y.count, nz = image->grid.z.count;
#pragma omp parallel for schedule(static) if (nx * ny * nz > (size_t)1 << 18)
    for (size_t z = 0; z < nz; z++) {
        const float complex *slice = image->data + z * ny * nx;
        for (size_t x = 0; x < nx; x++) {
            for (size_t y = 0; y < ny; y++) {
                re[(z * nx + x) * ny + y] = crealf(slice[y * nx + x]);
                im[(z * nx + x) * ny + y] = cimagf(slice[y * nx + x]);
            }
        }
    }
}

static int write_variable(mat_t *mat, const char *name, enum matio_classes class_type,
                          enum matio_types type, int rank, size_t *dims, void *data, int flags) {
    matvar_t *variable =
        Mat_VarCreate(name, class_type, type, rank, dims, data, flags | MAT_F_DONT_COPY_DATA);
    int failed = variable == NULL || Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE) != 0;
    Mat_VarFree(variable);
    return failed;
}

static int write_volume(mat_t *mat, const nfsar_image *image, float *re, float *im) {
    size_t dims[3] = {image->grid.y.count, image->grid.x.count, image->grid.z.count};
    mat_complex_split_t split = {re, im};
    transpose(image, re, im);
    return write_variable(mat, "o", MAT_C_SINGLE, MAT_T_SINGLE, 3, dims, &split, MAT_F_COMPLEX);
}

static int write_axis(mat_t *mat, const char *name, const nfsar_axis *axis) {
    size_t dims[2] = {1, axis->count};
    double *at = malloc(axis->count * sizeof *at);
    if (at == NULL) {
        return 1;
    }
    for (size_t i = 0; i < axis->count; i++) {
        at[i] = nfsar_axis_at(axis, i);
    }
    int failed = write_variable(mat, name, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, at, 0);
    free(at);
    return failed;
}

/* matio does not look at what fwrite() answers: a full disk shows only in the file's size. */
static int is_short(const char *path, const nfsar_grid *grid) {
    struct stat info;
    const size_t header = 128;
    size_t least = header + nfsar_grid_voxels(grid) * 2 * sizeof(float) +
                   (grid->x.count + grid->y.count + grid->z.count) * sizeof(double);
    return stat(path, &info) != 0 || (size_t)info.st_size < least;
}

static enum nfsar_status write_file(const nfsar_image *image, float *re, float *im,
                                    const char *path, nfsar_error *error) {
    mat_t *mat = Mat_CreateVer(path, "MATLAB 5.0 MAT-file, written by nfsar", MAT_FT_MAT5);
    int failed = mat == NULL || write_volume(mat, image, re, im) ||
                 write_axis(mat, "x_m", &image->grid.x) || write_axis(mat, "y_m", &image->grid.y) ||
                 write_axis(mat, "z_m", &image->grid.z);
    if (mat != NULL) {
        failed = Mat_Close(mat) != 0 || failed;
    }
    if (failed || is_short(path, &image->grid)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "could not be written completely; is there "
                          "space on the disk?");
    }
    return NFSAR_OK;
}

enum nfsar_status export_mat(const nfsar_image *image, double maximum, const char *path,
                             nfsar_error *error) {
    (void)maximum;
    const size_t n = nfsar_grid_voxels(&image->grid);
    /* Room for the variable's own header. */
    if (n > (VARIABLE_LIMIT - 1024) / (2 * sizeof(float))) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "a MATLAB v5 file holds at most 2 GiB in a variable, and the image has "
                          "%zu voxels of 8 bytes; export .npy, or read the image file itself with "
                          "MATLAB's h5read",
                          n);
    }
    float *re = malloc(n * sizeof *re), *im = malloc(n * sizeof *im);
    enum nfsar_status status =
        re != NULL && im != NULL
            ? write_file(image, re, im, path, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", n);
    free(re);
    free(im);
    return status;
}
