#include <nfsar/export.h>

#include <float.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "host/export/formats.h"
#include "host/files/pending.h"
#include "host/locale.h"

static const struct {
    const char *ending;
    export_writer *write;
    enum pending_kind kind;
} formats[] = {{".vti", export_vti, PENDING_VTI},
               {".npy", export_npy, PENDING_NPY},
               {".mat", export_mat, PENDING_MAT}};
#define N_FORMAT (sizeof formats / sizeof formats[0])

static int find_format(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *ending = strrchr(slash != NULL ? slash : path, '.');
    for (size_t i = 0; ending != NULL && i < N_FORMAT; i++) {
        if (strcasecmp(ending, formats[i].ending) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The largest magnitude; NaN when a voxel is not finite. */
static double find_maximum(const nfsar_image *image) {
    const size_t n = nfsar_grid_voxels(&image->grid);
    double maximum = 0.0, unreal = 0.0;
#pragma omp parallel for schedule(static) reduction(max : maximum) reduction(+ : unreal)           \
    if (n > (size_t)1 << 18)
    for (size_t i = 0; i < n; i++) {
        double re = crealf(image->data[i]), im = cimagf(image->data[i]);
        double power = re * re + im * im;
        maximum = power > maximum ? power : maximum;
        unreal += 0.0 * power;
    }
    return unreal == 0.0 ? sqrt(maximum) : NAN;
}

static enum nfsar_status check_image(const nfsar_image *image, double *maximum,
                                     nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(&image->grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    *maximum = find_maximum(image);
    if (isnan(*maximum)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image has voxels that are not finite numbers");
    }
    if (*maximum == 0.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image is zero everywhere, there is nothing to export");
    }
    return NFSAR_OK;
}

enum nfsar_status export_check_ending(const char *path, nfsar_error *error) {
    if (find_format(path) >= 0) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "%s: the ending says what to write: .vti (ParaView), .npy (NumPy) or .mat "
                      "(MATLAB)",
                      path);
}

enum nfsar_status nfsar_export(const nfsar_image *image, const char *path, nfsar_error *error) {
    PLAIN_NUMBERS;
    enum nfsar_status status = export_check_ending(path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double maximum = 0.0;
    status = check_image(image, &maximum, error);
    if (status != NFSAR_OK) {
        return status;
    }
    int format = find_format(path);
    pending_file *pending = NULL;
    status = pending_create(path, formats[format].kind, &pending, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = formats[format].write(image, maximum, pending_path(pending), error);
    if (status != NFSAR_OK) {
        pending_abandon(pending);
        return nfsar_fail_in(error, status, "%s", path);
    }
    return pending_commit(pending, error);
}
