/* A picture as a plate: metal where the picture is dark (or bright). */
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "host/scene/check.h"
#include "host/scene/targets.h"

/* A picture larger than this is not a mask of a target. */
#define PIXEL_LIMIT (64u << 20)

/* Grey and opacity of each pixel, row after row from the top. */
struct picture {
    unsigned char *grey_alpha; /* [height][width][2], owned */
    size_t width, height;
};

static enum nfsar_status decode(const char *path, png_image *png, struct picture *picture,
                                nfsar_error *error) {
    if (!png_image_begin_read_from_file(png, path)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s", path, png->message);
    }
    picture->width = png->width;
    picture->height = png->height;
    if ((unsigned long long)png->width * png->height > PIXEL_LIMIT) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %u x %u pixels are more than a mask needs; at most %u in all", path,
                          png->width, png->height, PIXEL_LIMIT);
    }
    png->format = PNG_FORMAT_GA;
    picture->grey_alpha = malloc(PNG_IMAGE_SIZE(*png));
    if (picture->grey_alpha == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (!png_image_finish_read(png, NULL, picture->grey_alpha, 0, NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s", path, png->message);
    }
    return NFSAR_OK;
}

static enum nfsar_status read_picture(const char *path, struct picture *picture,
                                      nfsar_error *error) {
    png_image png = {.version = PNG_IMAGE_VERSION};
    memset(picture, 0, sizeof *picture);
    enum nfsar_status status = target_check_file(path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = decode(path, &png, picture, error);
    png_image_free(&png);
    if (status != NFSAR_OK) {
        free(picture->grey_alpha);
        picture->grey_alpha = NULL;
    }
    return status;
}

struct mask_context {
    struct picture picture;
    double pixel_m;
    double threshold; /* of grey, 0 to 1 */
    bool dark;
};

/* The pixel under a point; the picture's middle is the origin and its top looks along +y.
 * Transparent pixels are never metal. */
static bool is_metal(const void *context, nfsar_vec3 point) {
    const struct mask_context *c = context;
    double column = floor(point.x / c->pixel_m + 0.5 * (double)c->picture.width);
    double row = floor(0.5 * (double)c->picture.height - point.y / c->pixel_m);
    size_t i = (size_t)fmax(0.0, fmin(column, (double)(c->picture.width - 1)));
    size_t j = (size_t)fmax(0.0, fmin(row, (double)(c->picture.height - 1)));
    const unsigned char *pixel = c->picture.grey_alpha + 2 * (j * c->picture.width + i);
    bool is_dark = (double)pixel[0] < 255.0 * c->threshold;
    return pixel[1] >= 128 && is_dark == c->dark;
}

static enum nfsar_status check(const struct scene_mask *mask, nfsar_error *error) {
    double threshold = check_default(mask->threshold, 0.5);
    if ((mask->width_m != NULL) == (mask->pixel_m != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "mask: give either width_m or pixel_m");
    }
    enum nfsar_status status = check_positive("mask.threshold", &threshold, 1, error);
    if (status == NFSAR_OK && threshold > 1.0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "mask.threshold is %g: must be from 0 to 1",
                          threshold);
    }
    return status == NFSAR_OK
               ? check_positive(mask->width_m != NULL ? "mask.width_m" : "mask.pixel_m",
                                mask->width_m != NULL ? mask->width_m : mask->pixel_m, 1, error)
               : status;
}

enum nfsar_status target_mask(const struct scene_mask *mask, const char *folder,
                              struct scatterers *list, nfsar_error *error) {
    struct placement placement;
    struct mask_context context = {
        .threshold = check_default(mask->threshold, 0.5),
        .dark = mask->metal == SCENE_METAL_DARK,
    };
    enum nfsar_status status = placement_make("mask", mask->at_m, mask->rotate_deg, mask->spacing_m,
                                              mask->amplitude, &placement, error);
    if (status == NFSAR_OK) {
        status = check(mask, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    char *path = target_file(folder, mask->file);
    status = path != NULL ? read_picture(path, &context.picture, error)
                          : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    free(path);
    if (status == NFSAR_OK) {
        context.pixel_m =
            mask->width_m != NULL ? *mask->width_m / (double)context.picture.width : *mask->pixel_m;
        /* From the middle of the first cell to that of the last: no row on the picture's edge. */
        double w = context.pixel_m * (double)context.picture.width;
        double h = context.pixel_m * (double)context.picture.height;
        double s = placement.spacing_m;
        nfsar_vec3 half = {0.5 * fmax(0.0, w - s), 0.5 * fmax(0.0, h - s), 0.0};
        status = placement_fill(&placement, half, is_metal, &context, list, error);
    }
    free(context.picture.grey_alpha);
    return status;
}
