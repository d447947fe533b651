/* A plate with holes, and islands of metal in the holes. */
#include <math.h>

#include "host/scene/check.h"
#include "host/scene/targets.h"

struct flat {
    double x, y;
};

static bool in_polygon(const struct scene_point2 *corner, size_t n, struct flat p) {
    bool inside = false;
    for (size_t i = 0, j = n - 1; i < n; j = i++) {
        const double *a = corner[i].v, *b = corner[j].v;
        if ((a[1] > p.y) != (b[1] > p.y) &&
            p.x < a[0] + (b[0] - a[0]) * (p.y - a[1]) / (b[1] - a[1])) {
            inside = !inside;
        }
    }
    return inside;
}

/* The point seen from a shape at centre, turned by degrees. */
static struct flat relative(struct flat p, const double centre[2], double degrees) {
    double c = cos(degrees * NFSAR_PI / 180.0), s = sin(degrees * NFSAR_PI / 180.0);
    double x = p.x - centre[0], y = p.y - centre[1];
    return (struct flat){c * x + s * y, c * y - s * x};
}

/* One tip points along +y before the star is turned. */
static bool in_star(const struct scene_star *star, struct flat p) {
    struct flat q = relative(p, star->centre_m, star->rotate_deg);
    double radius = hypot(q.x, q.y);
    double wedge = NFSAR_PI / (double)star->points;
    double angle = fabs(remainder(atan2(q.x, q.y), 2.0 * wedge));
    /* Between the tip (radius, 0) and the notch at (inner, wedge): left of the line. */
    double tip_x = star->radius_m, notch_x = star->inner_m * cos(wedge),
           notch_y = star->inner_m * sin(wedge);
    double x = radius * cos(angle), y = radius * sin(angle);
    return (notch_x - tip_x) * y - notch_y * (x - tip_x) >= 0.0;
}

static bool in_shape(const struct scene_shape *shape, struct flat p) {
    if (shape->disc != NULL) {
        return hypot(p.x - shape->disc->centre_m[0], p.y - shape->disc->centre_m[1]) <=
               shape->disc->radius_m;
    }
    if (shape->rectangle != NULL) {
        const struct scene_rectangle *r = shape->rectangle;
        struct flat q = relative(p, r->centre_m, r->rotate_deg);
        return fabs(q.x) <= 0.5 * r->size_m[0] && fabs(q.y) <= 0.5 * r->size_m[1];
    }
    if (shape->star != NULL) {
        return in_star(shape->star, p);
    }
    return in_polygon(shape->polygon->corners_m, shape->polygon->corners_m_count, p);
}

static bool in_any(const struct scene_shape *shapes, size_t n, struct flat p) {
    for (size_t i = 0; i < n; i++) {
        if (in_shape(&shapes[i], p)) {
            return true;
        }
    }
    return false;
}

/* The lattice covers the plate about the middle of its outline. */
struct plate_context {
    const struct scene_plate *plate;
    struct flat middle;
};

static bool is_metal(const void *context, nfsar_vec3 point) {
    const struct plate_context *c = context;
    const struct scene_plate *plate = c->plate;
    struct flat p = {point.x + c->middle.x, point.y + c->middle.y};
    if (plate->outline_m != NULL && !in_polygon(plate->outline_m, plate->outline_m_count, p)) {
        return false;
    }
    return !in_any(plate->holes, plate->holes_count, p) ||
           in_any(plate->islands, plate->islands_count, p);
}

static enum nfsar_status check_shape(const struct scene_shape *shape, nfsar_error *error) {
    int given = (shape->disc != NULL) + (shape->rectangle != NULL) + (shape->polygon != NULL) +
                (shape->star != NULL);
    if (given != 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "give one of disc, rectangle, polygon and star; there are %d", given);
    }
    if (shape->disc != NULL) {
        enum nfsar_status status = check_finite("centre_m", shape->disc->centre_m, 2, error);
        return status == NFSAR_OK ? check_positive("radius_m", &shape->disc->radius_m, 1, error)
                                  : status;
    }
    if (shape->polygon != NULL) {
        return check_finite("corners_m", shape->polygon->corners_m[0].v,
                            2 * shape->polygon->corners_m_count, error);
    }
    if (shape->rectangle != NULL) {
        const struct scene_rectangle *r = shape->rectangle;
        const double numbers[3] = {r->centre_m[0], r->centre_m[1], r->rotate_deg};
        enum nfsar_status status = check_finite("centre_m or rotate_deg", numbers, 3, error);
        return status == NFSAR_OK ? check_positive("size_m", r->size_m, 2, error) : status;
    }
    const struct scene_star *s = shape->star;
    const double numbers[3] = {s->centre_m[0], s->centre_m[1], s->rotate_deg};
    const double radii[2] = {s->inner_m, s->radius_m - s->inner_m};
    enum nfsar_status status = check_finite("centre_m or rotate_deg", numbers, 3, error);
    if (status == NFSAR_OK) {
        status = check_positive("inner_m, or radius_m less inner_m,", radii, 2, error);
    }
    if (status == NFSAR_OK && s->points < 2) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "points is %llu: must be from 2 to 1000",
                            (unsigned long long)s->points);
    }
    return status == NFSAR_OK ? check_count("points", s->points, 1000, error) : status;
}

static enum nfsar_status check_shapes(const char *key, const struct scene_shape *shapes, size_t n,
                                      nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        enum nfsar_status status = check_shape(&shapes[i], error);
        if (status != NFSAR_OK) {
            return nfsar_fail_in(error, status, "plate.%s: shape %zu", key, i + 1);
        }
    }
    return NFSAR_OK;
}

/* Half the plate's extent, and the middle of it. */
static enum nfsar_status extent(const struct scene_plate *plate, nfsar_vec3 *half,
                                struct flat *middle, nfsar_error *error) {
    if ((plate->size_m != NULL) == (plate->outline_m != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "plate: give either size_m or outline_m");
    }
    if (plate->size_m != NULL) {
        *half = (nfsar_vec3){0.5 * plate->size_m[0], 0.5 * plate->size_m[1], 0.0};
        *middle = (struct flat){0.0, 0.0};
        return check_positive("plate.size_m", plate->size_m, 2, error);
    }
    enum nfsar_status status =
        check_finite("plate.outline_m", plate->outline_m[0].v, 2 * plate->outline_m_count, error);
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < plate->outline_m_count; i++) {
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = fmin(low[axis], plate->outline_m[i].v[axis]);
            high[axis] = fmax(high[axis], plate->outline_m[i].v[axis]);
        }
    }
    *half = (nfsar_vec3){0.5 * (high[0] - low[0]), 0.5 * (high[1] - low[1]), 0.0};
    *middle = (struct flat){0.5 * (high[0] + low[0]), 0.5 * (high[1] + low[1])};
    return status;
}

enum nfsar_status target_plate(const struct scene_plate *plate, struct scatterers *list,
                               nfsar_error *error) {
    struct placement placement;
    struct plate_context context = {.plate = plate};
    nfsar_vec3 half = {0};
    enum nfsar_status status =
        placement_make("plate", plate->at_m, plate->rotate_deg, plate->spacing_m, plate->amplitude,
                       &placement, error);
    if (status == NFSAR_OK) {
        status = extent(plate, &half, &context.middle, error);
    }
    if (status == NFSAR_OK) {
        status = check_shapes("holes", plate->holes, plate->holes_count, error);
    }
    if (status == NFSAR_OK) {
        status = check_shapes("islands", plate->islands, plate->islands_count, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_vec3 middle = {context.middle.x, context.middle.y, 0.0};
    placement.pose.position = nfsar_pose_transform(placement.pose, middle);
    return placement_fill(&placement, half, is_metal, &context, list, error);
}
