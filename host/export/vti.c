#include "host/export/formats.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arrays of the file, in order. */
enum quantity { MAGNITUDE, DECIBEL, PHASE, N_QUANTITY };
static const char *const quantity_name[N_QUANTITY] = {"magnitude", "magnitude_dB", "phase"};

/* VTK wants a spacing along an axis of one sample too; another axis has a fitting size. */
static double spacing(const nfsar_grid *grid, const nfsar_axis *axis) {
    const nfsar_axis *const candidate[] = {axis, &grid->x, &grid->y, &grid->z};
    for (int i = 0; i < 4; i++) {
        if (candidate[i]->count > 1) {
            return candidate[i]->step;
        }
    }
    return 0.001;
}

/* VTK's XML ImageData with appended raw data: each array is its byte count (UInt64) and its values.
 * VTK stores x fastest, as images do. */
static bool write_head(FILE *file, const nfsar_grid *grid, uint64_t array_bytes) {
    const char *order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "LittleEndian" : "BigEndian";
    char extent[96];
    snprintf(extent, sizeof extent, "0 %zu 0 %zu 0 %zu", grid->x.count - 1, grid->y.count - 1,
             grid->z.count - 1);
    fprintf(file,
            "<?xml version=\"1.0\"?>\n"
            "<VTKFile type=\"ImageData\" version=\"1.0\" byte_order=\"%s\" "
            "header_type=\"UInt64\">\n"
            "  <ImageData WholeExtent=\"%s\" Origin=\"%.17g %.17g %.17g\" "
            "Spacing=\"%.17g %.17g %.17g\">\n"
            "    <Piece Extent=\"%s\">\n"
            "      <PointData Scalars=\"%s\">\n",
            order, extent, grid->x.start, grid->y.start, grid->z.start, spacing(grid, &grid->x),
            spacing(grid, &grid->y), spacing(grid, &grid->z), extent, quantity_name[DECIBEL]);
    for (int q = 0; q < N_QUANTITY; q++) {
        fprintf(file,
                "        <DataArray type=\"Float32\" Name=\"%s\" format=\"appended\" "
                "offset=\"%" PRIu64 "\"/>\n",
                quantity_name[q], (uint64_t)q * (array_bytes + sizeof(uint64_t)));
    }
    fprintf(file, "      </PointData>\n    </Piece>\n  </ImageData>\n"
                  "  <AppendedData encoding=\"raw\">\n_");
    return ferror(file) == 0;
}

static float value_of(enum quantity quantity, float complex voxel, double maximum) {
    double re = crealf(voxel), im = cimagf(voxel);
    if (quantity == PHASE) {
        return (float)atan2(im, re);
    }
    double magnitude = sqrt(re * re + im * im);
    if (quantity == MAGNITUDE) {
        return (float)magnitude;
    }
    float decibel = (float)(20.0 * log10(magnitude / maximum));
    return decibel > EXPORT_FLOOR_DB ? decibel : EXPORT_FLOOR_DB;
}

#define BLOCK ((size_t)1 << 16)

/* Converted block by block: no copy of the volume. */
static bool write_array(FILE *file, const nfsar_image *image, double maximum,
                        enum quantity quantity) {
    const size_t n = nfsar_grid_voxels(&image->grid);
    const uint64_t bytes = (uint64_t)n * sizeof(float);
    float *block = malloc(BLOCK * sizeof *block);
    bool good = block != NULL && fwrite(&bytes, sizeof bytes, 1, file) == 1;
    for (size_t first = 0; good && first < n; first += BLOCK) {
        const size_t count = n - first < BLOCK ? n - first : BLOCK;
#pragma omp parallel for schedule(static) if (count == BLOCK)
        for (size_t i = 0; i < count; i++) {
            block[i] = value_of(quantity, image->data[first + i], maximum);
        }
        good = fwrite(block, sizeof *block, count, file) == count;
    }
    free(block);
    return good;
}

enum nfsar_status export_vti(const nfsar_image *image, double maximum, const char *path,
                             nfsar_error *error) {
    const uint64_t bytes = (uint64_t)nfsar_grid_voxels(&image->grid) * sizeof(float);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && write_head(file, &image->grid, bytes);
    for (int q = 0; good && q < N_QUANTITY; q++) {
        good = write_array(file, image, maximum, (enum quantity)q);
    }
    if (good) {
        good = fprintf(file, "\n  </AppendedData>\n</VTKFile>\n") > 0 && fflush(file) == 0;
    }
    int reason = errno;
    if (file != NULL && fclose(file) != 0 && good) {
        reason = errno;
        good = false;
    }
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_FILE, "could not be written: %s", strerror(reason));
}
