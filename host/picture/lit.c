#include "host/picture/lit.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <nfsar/picture.h>

/* Rays for a pixel on an edge, along each side; and what makes an edge: so large a difference of a
 * channel of 255. */
#define FINER 2
#define EDGE  20

/* Steps of colour and of brightness: more is not seen, and makes the file larger. */
#define COLOURS      64
#define BRIGHTNESSES 64

/* What a face in the shade keeps of the light, and what the farthest end of the box keeps. */
#define AMBIENT 0.22
#define FAR     0.55

/* The light is up and left of the viewer, as in maps of mountains: bumps are then seen as bumps. */
static const double light[3] = {-0.40, 0.55, 1.0}; /* right, up, toward */

double lit_brightness(const struct camera *camera, const struct hit *hit, double reach) {
    const double length = sqrt(light[0] * light[0] + light[1] * light[1] + light[2] * light[2]);
    double cosine = 0.0;
    for (int i = 0; i < 3; i++) {
        cosine += hit->normal[i] * (light[0] * camera->right[i] + light[1] * camera->up[i] +
                                    light[2] * camera->toward[i]);
    }
    const double lit = AMBIENT + (1.0 - AMBIENT) * fmax(cosine / length, 0.0);
    const double near = reach > 0.0 ? 0.5 + 0.5 * hit->depth / reach : 1.0;
    return lit * (FAR + (1.0 - FAR) * fmin(fmax(near, 0.0), 1.0));
}

/* Colours of the map, and the ground that everything fades to. */
struct paints {
    double colour[COLOURS][3], ground[3];
};

static void fill_paints(struct paints *paints) {
    nfsar_colour(0.0, paints->ground);
    for (int i = 0; i < COLOURS; i++) {
        nfsar_colour(i / (COLOURS - 1.0), paints->colour[i]);
    }
}

/* What one ray sees, as cairo wants it: alpha first, colours times alpha. */
static uint32_t pack(const double rgb[3]) {
    return (uint32_t)255 << 24 | (uint32_t)lround(255.0 * rgb[0]) << 16 |
           (uint32_t)lround(255.0 * rgb[1]) << 8 | (uint32_t)lround(255.0 * rgb[2]);
}

/* Everything that the pixels need. */
struct scene {
    const struct surface *surface;
    const struct camera *camera;
    const struct shade *shade;
    double reach;
    int width, height;
    struct paints paints;
};

/* The colour at a place of the picture in pixels from its top left corner; 0 where nothing is. */
static uint32_t look(const struct scene *scene, double x, double y) {
    const double right = (x - 0.5 * scene->width) / scene->camera->scale;
    const double up = (0.5 * scene->height - y) / scene->camera->scale;
    struct hit hit;
    if (!surface_ray(scene->surface, scene->camera, right, up, &hit)) {
        return 0;
    }
    const double value = shade_value(scene->shade, hit.peak * scene->surface->field->maximum);
    const double *colour = scene->paints.colour[lround(value * (COLOURS - 1))];
    const double bright =
        round(lit_brightness(scene->camera, &hit, scene->reach) * BRIGHTNESSES) / BRIGHTNESSES;
    double rgb[3];
    for (int c = 0; c < 3; c++) {
        rgb[c] = scene->paints.ground[c] + bright * (colour[c] - scene->paints.ground[c]);
    }
    return pack(rgb);
}

static int channel(uint32_t pixel, int i) {
    return (int)(pixel >> (8 * i) & 0xff);
}

static bool differ(uint32_t a, uint32_t b) {
    for (int i = 0; i < 4; i++) {
        if (abs(channel(a, i) - channel(b, i)) > EDGE) {
            return true;
        }
    }
    return false;
}

/* The mean of several rays of a pixel. */
static uint32_t look_finely(const struct scene *scene, int x, int y) {
    int sum[4] = {0};
    uint32_t mean = 0;
    for (int i = 0; i < FINER * FINER; i++) {
        const uint32_t pixel =
            look(scene, x + (i % FINER + 0.5) / FINER, y + (i / FINER + 0.5) / FINER);
        for (int c = 0; c < 4; c++) {
            sum[c] += channel(pixel, c);
        }
    }
    for (int c = 0; c < 4; c++) {
        mean |= (uint32_t)((sum[c] + FINER * FINER / 2) / (FINER * FINER)) << (8 * c);
    }
    return mean;
}

static bool is_edge(const struct scene *scene, const uint32_t *rough, int x, int y) {
    const uint32_t *at = rough + (size_t)y * (size_t)scene->width + x;
    return (x > 0 && differ(*at, at[-1])) || (x + 1 < scene->width && differ(*at, at[1])) ||
           (y > 0 && differ(*at, at[-scene->width])) ||
           (y + 1 < scene->height && differ(*at, at[scene->width]));
}

/* One ray for each pixel, then more where neighbours differ: edges come out smooth, and the rest
 * keeps few colours. */
static void fill(const struct scene *scene, uint32_t *rough, unsigned char *bytes, size_t stride) {
#pragma omp parallel
    {
#pragma omp for schedule(dynamic, 4)
        for (int y = 0; y < scene->height; y++) {
            for (int x = 0; x < scene->width; x++) {
                rough[(size_t)y * (size_t)scene->width + (size_t)x] = look(scene, x + 0.5, y + 0.5);
            }
        }
#pragma omp for schedule(dynamic, 4)
        for (int y = 0; y < scene->height; y++) {
            uint32_t *row = (uint32_t *)(void *)(bytes + (size_t)y * stride);
            for (int x = 0; x < scene->width; x++) {
                row[x] = is_edge(scene, rough, x, y)
                             ? look_finely(scene, x, y)
                             : rough[(size_t)y * (size_t)scene->width + (size_t)x];
            }
        }
    }
}

cairo_surface_t *lit_image(const struct surface *surface, const struct camera *camera,
                           const struct shade *shade, double reach, int width, int height) {
    struct scene scene = {.surface = surface,
                          .camera = camera,
                          .shade = shade,
                          .reach = reach,
                          .width = width,
                          .height = height};
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    unsigned char *bytes = cairo_image_surface_get_data(image);
    uint32_t *rough = calloc((size_t)width, (size_t)height * sizeof *rough);
    if (bytes == NULL || rough == NULL) {
        cairo_surface_destroy(image);
        free(rough);
        return NULL;
    }
    fill_paints(&scene.paints);
    fill(&scene, rough, bytes, (size_t)cairo_image_surface_get_stride(image));
    free(rough);
    cairo_surface_mark_dirty(image);
    return image;
}
