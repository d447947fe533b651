#include "host/picture/surface.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cells along each edge of a block. */
#define BLOCK 8

/* Halvings of a step that find where the surface is crossed: to a hundredth of a voxel. */
#define HALVINGS 6

struct camera camera_from(double azimuth_deg, double elevation_deg) {
    const double a = azimuth_deg * M_PI / 180.0, e = elevation_deg * M_PI / 180.0;
    return (struct camera){.right = {sin(a), 0.0, -cos(a)},
                           .up = {-sin(e) * cos(a), cos(e), -sin(e) * sin(a)},
                           .toward = {cos(e) * cos(a), sin(e), cos(e) * sin(a)},
                           .scale = 1.0};
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* The largest value among the voxels of a block, its far edges included: no interpolation in the
 * block's cells exceeds it. */
static float most_in_block(const struct field *field, const size_t block[3]) {
    const size_t nx = field->grid.x.count, ny = field->grid.y.count, nz = field->grid.z.count;
    float most = 0.0f;
    for (size_t z = block[2] * BLOCK; z < least(block[2] * BLOCK + BLOCK + 1, nz); z++) {
        for (size_t y = block[1] * BLOCK; y < least(block[1] * BLOCK + BLOCK + 1, ny); y++) {
            const float *row = field->value + (z * ny + y) * nx;
            for (size_t x = block[0] * BLOCK; x < least(block[0] * BLOCK + BLOCK + 1, nx); x++) {
                most = row[x] > most ? row[x] : most;
            }
        }
    }
    return most;
}

enum nfsar_status surface_make(const struct field *field, double level, struct surface *surface,
                               nfsar_error *error) {
    const nfsar_axis *axis[3] = {&field->grid.x, &field->grid.y, &field->grid.z};
    *surface = (struct surface){.field = field, .level = level};
    for (int i = 0; i < 3; i++) {
        surface->low[i] = axis[i]->start - 0.5 * axis[i]->step;
        surface->high[i] = nfsar_axis_end(axis[i]) + 0.5 * axis[i]->step;
        surface->blocks[i] = (axis[i]->count + BLOCK - 1) / BLOCK;
    }
    const size_t *n = surface->blocks;
    surface->most = calloc(n[0] * n[1] * n[2], sizeof *surface->most);
    if (surface->most == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the blocks of the image");
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n[0] * n[1] * n[2]; i++) {
        const size_t block[3] = {i % n[0], i / n[0] % n[1], i / (n[0] * n[1])};
        surface->most[i] = most_in_block(field, block);
    }
    return NFSAR_OK;
}

void surface_free(struct surface *surface) {
    free(surface->most);
    memset(surface, 0, sizeof *surface);
}

/* A ray through the box, in voxels: place(t) = first + t * along, t from 0 to `end` metres. */
struct ray {
    double first[3], along[3];
    double begin, end; /* metres from the plane through the camera's centre, away from the viewer */
    int face;          /* the axis across which it enters */
    double step;       /* metres: half a voxel along the axis that it crosses fastest */
};

static bool clip(const struct surface *surface, const double origin[3], const double away[3],
                 struct ray *ray) {
    ray->begin = -INFINITY;
    ray->end = INFINITY;
    for (int i = 0; i < 3; i++) {
        if (fabs(away[i]) < 1e-12) {
            if (origin[i] < surface->low[i] || origin[i] > surface->high[i]) {
                return false;
            }
            continue;
        }
        double one = (surface->low[i] - origin[i]) / away[i];
        double two = (surface->high[i] - origin[i]) / away[i];
        if (fmin(one, two) > ray->begin) {
            ray->begin = fmin(one, two);
            ray->face = i;
        }
        ray->end = fmin(ray->end, fmax(one, two));
    }
    return ray->begin < ray->end;
}

static bool start_ray(const struct surface *surface, const struct camera *camera, double right,
                      double up, struct ray *ray) {
    const nfsar_grid *grid = &surface->field->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    double origin[3], away[3], fastest = 0.0;
    for (int i = 0; i < 3; i++) {
        origin[i] = camera->centre[i] + right * camera->right[i] + up * camera->up[i];
        away[i] = -camera->toward[i];
    }
    if (!clip(surface, origin, away, ray)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        ray->first[i] = (origin[i] + ray->begin * away[i] - axis[i]->start) / axis[i]->step;
        ray->along[i] = away[i] / axis[i]->step;
        fastest = fmax(fastest, fabs(ray->along[i]));
    }
    ray->step = 0.5 / fastest;
    ray->end -= ray->begin;
    return true;
}

static void place_at(const struct ray *ray, double t, double place[3]) {
    for (int i = 0; i < 3; i++) {
        place[i] = ray->first[i] + t * ray->along[i];
    }
}

static float value_at(const struct surface *surface, const struct ray *ray, double t) {
    double place[3];
    place_at(ray, t, place);
    return field_at(surface->field, place);
}

/* How far to go on from step k because the block there holds nothing: the number of the first step
 * behind it, or k when it holds something. The steps stay where they are, so that what is found
 * does not depend on the blocks. */
static long skip(const struct surface *surface, const struct ray *ray, long k) {
    size_t block[3];
    double place[3], leave = INFINITY;
    const double t = (double)k * ray->step;
    place_at(ray, t, place);
    for (int i = 0; i < 3; i++) {
        double inside = fmin(fmax(place[i], 0.0), (double)(surface->blocks[i] * BLOCK) - 0.5);
        block[i] = (size_t)inside / BLOCK;
    }
    const size_t *n = surface->blocks;
    if (surface->most[(block[2] * n[1] + block[1]) * n[0] + block[0]] >= (float)surface->level) {
        return k;
    }
    for (int i = 0; i < 3; i++) {
        if (ray->along[i] != 0.0) {
            double edge = (double)((block[i] + (ray->along[i] > 0.0 ? 1 : 0)) * BLOCK);
            leave = fmin(leave, (edge - place[i]) / ray->along[i]);
        }
    }
    const long next = leave > 0.0 ? (long)ceil((t + fmin(leave, ray->end)) / ray->step) : 0;
    return next > k ? next : k + 1;
}

/* Where between t - step and t the surface is crossed. */
static double refine(const struct surface *surface, const struct ray *ray, double t) {
    double before = t - ray->step;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = 0.5 * (before + t);
        if (value_at(surface, ray, middle) >= (float)surface->level) {
            t = middle;
        } else {
            before = middle;
        }
    }
    return t;
}

/* Against the gradient, over a voxel to both sides. */
static void find_normal(const struct surface *surface, const double place[3], double normal[3]) {
    const nfsar_grid *grid = &surface->field->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    double length = 0.0;
    for (int i = 0; i < 3; i++) {
        double before[3], after[3];
        memcpy(before, place, sizeof before);
        memcpy(after, place, sizeof after);
        before[i] -= 1.0;
        after[i] += 1.0;
        normal[i] = (field_at(surface->field, before) - field_at(surface->field, after)) /
                    (2.0 * axis[i]->step);
        length = hypot(length, normal[i]);
    }
    for (int i = 0; i < 3; i++) {
        normal[i] = length > 0.0 ? normal[i] / length : 0.0;
    }
}

static void describe(const struct surface *surface, const struct camera *camera,
                     const struct ray *ray, double t, bool at_face, struct hit *hit) {
    double place[3];
    memset(hit, 0, sizeof *hit);
    hit->depth = -(ray->begin + t);
    place_at(ray, t, place);
    if (at_face) {
        hit->normal[ray->face] = camera->toward[ray->face] > 0.0 ? 1.0 : -1.0;
    } else {
        find_normal(surface, place, hit->normal);
    }
    hit->peak = field_at(surface->field, place);
    for (t += ray->step; t <= ray->end; t += ray->step) {
        double value = value_at(surface, ray, t);
        if (value < surface->level) {
            break;
        }
        hit->peak = fmax(hit->peak, value);
    }
}

bool surface_ray(const struct surface *surface, const struct camera *camera, double right,
                 double up, struct hit *hit) {
    struct ray ray;
    if (!start_ray(surface, camera, right, up, &ray)) {
        return false;
    }
    const long last = (long)(ray.end / ray.step);
    for (long k = 0; k <= last;) {
        const long next = skip(surface, &ray, k);
        if (next > k) {
            k = next;
            continue;
        }
        const double t = (double)k * ray.step;
        if (value_at(surface, &ray, t) >= (float)surface->level) {
            describe(surface, camera, &ray, k == 0 ? 0.0 : refine(surface, &ray, t), k == 0, hit);
            return true;
        }
        k++;
    }
    return false;
}
