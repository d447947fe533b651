/* Random points and random solids in a box. */
#include <math.h>

#include "host/scene/check.h"
#include "host/scene/targets.h"

#define COUNT_LIMIT 1000000u

static nfsar_vec3 place(const double centre[3], const double size[3], nfsar_random *random) {
    double at[3];
    for (int axis = 0; axis < 3; axis++) {
        at[axis] = centre[axis] + size[axis] * (nfsar_random_uniform(random) - 0.5);
    }
    return (nfsar_vec3){at[0], at[1], at[2]};
}

static double between(double low, double high, nfsar_random *random) {
    return low + (high - low) * nfsar_random_uniform(random);
}

static enum nfsar_status check_box(unsigned long long count, const double centre[3],
                                   const double size[3], nfsar_error *error) {
    enum nfsar_status status = check_count("count", count, COUNT_LIMIT, error);
    if (status == NFSAR_OK) {
        status = check_finite("centre_m", centre, 3, error);
    }
    return status == NFSAR_OK ? check_not_negative("size_m", size, 3, error) : status;
}

enum nfsar_status target_random_points(const struct scene_random_points *points,
                                       nfsar_random *random, struct scatterers *list,
                                       nfsar_error *error) {
    double range[2] = {check_default(points->amplitude_min, 1.0),
                       check_default(points->amplitude_max, 1.0)};
    enum nfsar_status status = check_box(points->count, points->centre_m, points->size_m, error);
    if (status == NFSAR_OK) {
        status = check_not_negative("amplitude_min or amplitude_max", range, 2, error);
    }
    if (status == NFSAR_OK && range[0] > range[1]) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "amplitude_min is %g, above amplitude_max, %g; give both", range[0],
                            range[1]);
    }
    for (size_t i = 0; status == NFSAR_OK && i < points->count; i++) {
        nfsar_vec3 at = place(points->centre_m, points->size_m, random);
        double amplitude = between(range[0], range[1], random);
        double phase = 2.0 * NFSAR_PI * nfsar_random_uniform(random);
        float complex a = (float)amplitude;
        if (points->random_phase) {
            a = CMPLXF((float)(amplitude * cos(phase)), (float)(amplitude * sin(phase)));
        }
        status = scatterers_add(list, at, a, error);
    }
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "random_points");
}

/* A solid of half sizes a (the radius, when round); flat ones have no z. */
struct solid {
    enum scene_solid kind;
    nfsar_vec3 half;
    double wall; /* metal only this far below the surface; infinite when filled */
};

/* Distance below the surface; negative outside. */
static double depth(const struct solid *solid, nfsar_vec3 p) {
    bool round = solid->kind == SCENE_DISC || solid->kind == SCENE_SPHERE;
    bool flat = solid->kind == SCENE_DISC || solid->kind == SCENE_RECTANGLE;
    if (round) {
        return solid->half.x - nfsar_vec3_norm(p);
    }
    double side = fmin(solid->half.x - fabs(p.x), solid->half.y - fabs(p.y));
    return flat ? side : fmin(side, solid->half.z - fabs(p.z));
}

static bool in_solid(const void *context, nfsar_vec3 p) {
    const struct solid *solid = context;
    double d = depth(solid, p);
    /* A hair: lattice points on the surface belong to it. */
    return d >= -1e-9 && d < solid->wall;
}

static struct solid draw_solid(const struct scene_random_solids *s, double spacing,
                               nfsar_random *random) {
    enum scene_solid kinds[SCENE_SOLIDS] = {SCENE_RECTANGLE, SCENE_DISC, SCENE_BOX, SCENE_SPHERE};
    size_t n = s->shapes_count > 0 ? s->shapes_count : SCENE_SOLIDS;
    size_t pick = (size_t)(nfsar_random_uniform(random) * (double)n);
    struct solid solid = {.kind = s->shapes_count > 0 ? s->shapes[pick] : kinds[pick]};
    double size[3];
    for (int axis = 0; axis < 3; axis++) {
        size[axis] = 0.5 * between(s->smallest_m, s->largest_m, random);
    }
    bool round = solid.kind == SCENE_DISC || solid.kind == SCENE_SPHERE;
    bool flat = solid.kind == SCENE_DISC || solid.kind == SCENE_RECTANGLE;
    solid.half.x = size[0];
    solid.half.y = round ? size[0] : size[1];
    solid.half.z = flat ? 0.0 : round ? size[0] : size[2];
    bool hollow = nfsar_random_uniform(random) < 0.5;
    hollow = s->fill == SCENE_MIXED ? hollow : s->fill == SCENE_HOLLOW;
    /* Thicker than a cell's diagonal: a wall without gaps. */
    solid.wall = hollow ? 1.5 * spacing : INFINITY;
    return solid;
}

static enum nfsar_status add_solid(const struct scene_random_solids *s,
                                   const struct placement *base, nfsar_random *random,
                                   struct scatterers *list, nfsar_error *error) {
    struct solid solid = draw_solid(s, base->spacing_m, random);
    struct placement placement = *base;
    placement.pose.position = place(s->centre_m, s->size_m, random);
    /* Flat shapes face the radar and are turned about its line of sight. */
    placement.pose.orientation = nfsar_quaternion_from_axis_angle(
        (nfsar_vec3){0.0, 0.0, 1.0}, NFSAR_PI * nfsar_random_uniform(random));
    return placement_fill(&placement, solid.half, in_solid, &solid, list, error);
}

enum nfsar_status target_random_solids(const struct scene_random_solids *solids,
                                       nfsar_random *random, struct scatterers *list,
                                       nfsar_error *error) {
    const struct scene_random_solids *s = solids;
    const double origin[3] = {0.0, 0.0, 0.0};
    const double sizes[2] = {s->smallest_m, s->largest_m};
    struct placement placement;
    enum nfsar_status status = check_box(s->count, s->centre_m, s->size_m, error);
    if (status == NFSAR_OK) {
        status = check_positive("smallest_m or largest_m", sizes, 2, error);
    }
    if (status == NFSAR_OK && s->smallest_m > s->largest_m) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "smallest_m is %g, above largest_m, %g",
                            s->smallest_m, s->largest_m);
    }
    if (status == NFSAR_OK) {
        status =
            placement_make("shape", origin, origin, s->spacing_m, s->amplitude, &placement, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < s->count; i++) {
        status = add_solid(s, &placement, random, list, error);
    }
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "random_solids");
}
