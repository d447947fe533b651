#include "host/picture/field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In double precision the square of any float is neither infinite nor zero. */
static inline double power_of(float complex value) {
    double re = crealf(value), im = cimagf(value);
    return re * re + im * im;
}

/* The largest power; NaN when a value is not finite (a NaN would pass every comparison unseen). */
static double largest_power(const nfsar_image *image) {
    const size_t n = nfsar_grid_voxels(&image->grid);
    double largest = 0.0, unreal = 0.0;
#pragma omp parallel for schedule(static) reduction(max : largest) reduction(+ : unreal)
    for (size_t i = 0; i < n; i++) {
        double power = power_of(image->data[i]);
        largest = power > largest ? power : largest;
        unreal += 0.0 * power;
    }
    return largest + unreal;
}

enum nfsar_status field_make(const nfsar_image *image, struct field *field, nfsar_error *error) {
    const size_t n = nfsar_grid_voxels(&image->grid);
    memset(field, 0, sizeof *field);
    const double power = largest_power(image);
    if (isnan(power)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image has voxels that are not finite numbers");
    }
    if (power == 0.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image is zero everywhere, there is nothing to show");
    }
    field->grid = image->grid;
    field->maximum = sqrt(power);
    field->value = calloc(n, sizeof *field->value);
    if (field->value == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu magnitudes", n);
    }
    const double scale = 1.0 / field->maximum;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        field->value[i] = (float)(scale * sqrt(power_of(image->data[i])));
    }
    return NFSAR_OK;
}

void field_free(struct field *field) {
    free(field->value);
    memset(field, 0, sizeof *field);
}
