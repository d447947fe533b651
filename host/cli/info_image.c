#include "host/cli/image_verbs.h"
#include "host/cli/info.h"

#include "host/cli/cli.h"

#include <complex.h>
#include <stdio.h>

static void print_axis(const char *label, char name, const nfsar_axis *axis) {
    info_label(label);
    if (axis->count == 1) {
        printf("%c  %.6g m\n", name, axis->start);
    } else {
        printf("%c  %.6g to %.6g m, %zu voxels of %.6g mm\n", name, axis->start,
               nfsar_axis_end(axis), axis->count, 1e3 * axis->step);
    }
}

int info_image(const char *path, const nfsar_image *image, bool json) {
    const nfsar_grid *grid = &image->grid;
    size_t voxels = nfsar_grid_voxels(grid);
    double bytes = (double)voxels * sizeof(float complex);
    if (json) {
        return print_object(
            json_pack("{s:o, s:s, s:o, s:o, s:o, s:I, s:f, s:o, s:o, s:o}", "file", json_text(path),
                      "kind", "image", "x", json_axis(&grid->x), "y", json_axis(&grid->y), "z",
                      json_axis(&grid->z), "voxels", (json_int_t)voxels, "memory_bytes", bytes,
                      "method", json_text(image->method), "options", json_text(image->options),
                      "provenance", info_json_lines(image->provenance, image->n_provenance)));
    }
    char text[32];
    printf("%s: image of %zu x %zu x %zu voxels, %s in memory\n", path, grid->x.count,
           grid->y.count, grid->z.count, info_bytes(bytes, text));
    print_axis("grid", 'x', &grid->x);
    print_axis("", 'y', &grid->y);
    print_axis("", 'z', &grid->z);
    if (image->method != NULL) {
        info_label("method");
        puts(image->method);
    }
    if (image->options != NULL) {
        info_label("options");
        puts(image->options);
    }
    info_lines("provenance", image->provenance, image->n_provenance);
    return CLI_DONE;
}
