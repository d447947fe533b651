#include "host/picture/lit.h"

#include <math.h>
#include <stdint.h>

#include <nfsar/picture.h>

/* Rays for a pixel, along each side. */
#define FINER 2

/* Steps of colour and of brightness: more is not seen, and makes the file larger. */
#define COLOURS      32
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

/* The mean of the rays of a pixel, as cairo wants it: alpha first, colours times alpha. */
static uint32_t pack(const double sum[3], int hits) {
    const double n = FINER * FINER;
    return (uint32_t)lround(255.0 * hits / n) << 24 | (uint32_t)lround(255.0 * sum[0] / n) << 16 |
           (uint32_t)lround(255.0 * sum[1] / n) << 8 | (uint32_t)lround(255.0 * sum[2] / n);
}

/* Everything that the pixels need. */
struct scene {
    const struct surface *surface;
    const struct camera *camera;
    const struct shade *shade;
    double reach;
    struct paints paints;
};

static uint32_t pixel(const struct scene *scene, double right, double up) {
    const double ray = 1.0 / (FINER * scene->camera->scale);
    double sum[3] = {0.0};
    int hits = 0;
    for (int i = 0; i < FINER * FINER; i++) {
        struct hit hit;
        const double across = (i % FINER - 0.5 * (FINER - 1)) * ray;
        const double upward = (i / FINER - 0.5 * (FINER - 1)) * ray;
        if (!surface_ray(scene->surface, scene->camera, right + across, up + upward, &hit)) {
            continue;
        }
        const double value = shade_value(scene->shade, hit.peak * scene->surface->field->maximum);
        const double *colour = scene->paints.colour[lround(value * (COLOURS - 1))];
        const double bright =
            round(lit_brightness(scene->camera, &hit, scene->reach) * BRIGHTNESSES) / BRIGHTNESSES;
        for (int c = 0; c < 3; c++) {
            const double ground = scene->paints.ground[c];
            sum[c] += ground + bright * (colour[c] - ground);
        }
        hits++;
    }
    return pack(sum, hits);
}

cairo_surface_t *lit_image(const struct surface *surface, const struct camera *camera,
                           const struct shade *shade, double reach, int width, int height) {
    struct scene scene = {.surface = surface, .camera = camera, .shade = shade, .reach = reach};
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    unsigned char *bytes = cairo_image_surface_get_data(image);
    if (bytes == NULL) {
        cairo_surface_destroy(image);
        return NULL;
    }
    const size_t stride = (size_t)cairo_image_surface_get_stride(image);
    fill_paints(&scene.paints);
#pragma omp parallel for schedule(dynamic, 4)
    for (int y = 0; y < height; y++) {
        uint32_t *row = (uint32_t *)(void *)(bytes + (size_t)y * stride);
        for (int x = 0; x < width; x++) {
            row[x] = pixel(&scene, (x + 0.5 - 0.5 * width) / camera->scale,
                           (0.5 * height - y - 0.5) / camera->scale);
        }
    }
    cairo_surface_mark_dirty(image);
    return image;
}
