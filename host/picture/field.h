/* The magnitudes of a volume, and what lies between its voxels.
 *
 * Between voxels the magnitude is interpolated, not the complex value: an image's phase turns once
 * in half a wavelength along the range, often by more than half a turn from voxel to voxel, and the
 * mean of two such values has holes where the object has none. A mean of magnitudes has none, and
 * never exceeds its voxels. */
#ifndef NFSAR_HOST_PICTURE_FIELD_H
#define NFSAR_HOST_PICTURE_FIELD_H

#include <nfsar/image.h>
#include <nfsar/status.h>

struct field {
    nfsar_grid grid;
    double maximum; /* the largest magnitude */
    float *value;   /* [z][y][x], magnitude over maximum */
};

/* NFSAR_ERROR_FORMAT when the image is zero everywhere or has a voxel that is not finite. */
enum nfsar_status field_make(const nfsar_image *image, struct field *field, nfsar_error *error);
void field_free(struct field *field);

/* The two voxels round a place along an axis of n >= 2, and the weight of the second. The outer
 * half of the outermost voxels has their value. */
struct between {
    size_t first;
    float weight;
};

static inline struct between field_between(double place, size_t n) {
    const double last = (double)(n - 1);
    place = place < 0.0 ? 0.0 : place > last ? last : place;
    size_t first = (size_t)place;
    first = first > n - 2 ? n - 2 : first;
    return (struct between){first, (float)(place - (double)first)};
}

/* The value at the place (x, y, z) counted in voxels from the first, by three linear
 * interpolations. All counts are at least 2. */
static inline float field_at(const struct field *field, const double place[3]) {
    const size_t nx = field->grid.x.count, ny = field->grid.y.count;
    const struct between x = field_between(place[0], nx), y = field_between(place[1], ny),
                         z = field_between(place[2], field->grid.z.count);
    const float *low = field->value + (z.first * ny + y.first) * nx + x.first;
    const float *high = low + nx * ny;
    float a = low[0] + x.weight * (low[1] - low[0]);
    float b = low[nx] + x.weight * (low[nx + 1] - low[nx]);
    float c = high[0] + x.weight * (high[1] - high[0]);
    float d = high[nx] + x.weight * (high[nx + 1] - high[nx]);
    a += y.weight * (b - a);
    c += y.weight * (d - c);
    return a + z.weight * (c - a);
}

#endif
