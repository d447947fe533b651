/* The surface of an STL model as scatterers, spread evenly over its area. */
#include <math.h>
#include <stdlib.h>

#include "host/scene/check.h"
#include "host/scene/stl.h"
#include "host/scene/targets.h"

/* A triangle in the world. */
struct face {
    nfsar_vec3 corner[3];
    nfsar_vec3 normal; /* as long as twice the area */
};

static struct face face_of(const struct stl_triangle *t, double scale, nfsar_pose pose) {
    struct face face;
    for (int i = 0; i < 3; i++) {
        nfsar_vec3 own = {scale * (double)t->corner[i][0], scale * (double)t->corner[i][1],
                          scale * (double)t->corner[i][2]};
        face.corner[i] = nfsar_pose_transform(pose, own);
    }
    face.normal = nfsar_vec3_cross(nfsar_vec3_subtract(face.corner[1], face.corner[0]),
                                   nfsar_vec3_subtract(face.corner[2], face.corner[0]));
    return face;
}

static bool looks_at(const struct face *face, nfsar_vec3 eye) {
    nfsar_vec3 way = nfsar_vec3_subtract(eye, face->corner[0]);
    return way.x * face->normal.x + way.y * face->normal.y + way.z * face->normal.z > 0.0;
}

/* Point number j of a sequence that fills the triangle evenly: Roberts' R2 sequence, by the powers
 * of the inverse plastic number, folded over the diagonal of the unit square. */
static nfsar_vec3 point_on(const struct face *face, size_t j) {
    double u = fmod(0.5 + 0.75487766624669276 * (double)(j + 1), 1.0);
    double v = fmod(0.5 + 0.56984029099805327 * (double)(j + 1), 1.0);
    if (u + v > 1.0) {
        u = 1.0 - u;
        v = 1.0 - v;
    }
    nfsar_vec3 a = nfsar_vec3_subtract(face->corner[1], face->corner[0]);
    nfsar_vec3 b = nfsar_vec3_subtract(face->corner[2], face->corner[0]);
    return nfsar_vec3_add(face->corner[0],
                          nfsar_vec3_add(nfsar_vec3_scale(a, u), nfsar_vec3_scale(b, v)));
}

/* Each face gets its share of scatterers; what is less than one is carried to the next face, so
 * that many small faces get as many together as one large one. */
static enum nfsar_status sample(const struct stl_triangle *triangle, size_t n, double scale,
                                const struct placement *placement, const nfsar_vec3 *eye,
                                struct scatterers *list, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    double cell = placement->spacing_m * placement->spacing_m;
    double due = 0.5;
    size_t sequence = 0;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        struct face face = face_of(&triangle[i], scale, placement->pose);
        if (eye != NULL && !looks_at(&face, *eye)) {
            continue;
        }
        due += 0.5 * nfsar_vec3_norm(face.normal) / cell;
        if (!(due < (double)SCATTERER_LIMIT)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "triangle %zu alone needs %g scatterers; check scale and spacing_m",
                              i, due);
        }
        for (; status == NFSAR_OK && due >= 1.0; due -= 1.0) {
            status =
                scatterers_add(list, point_on(&face, sequence++), placement->reflectivity, error);
        }
    }
    return status;
}

enum nfsar_status target_stl(const struct scene_stl *stl, const char *folder, nfsar_vec3 eye,
                             struct scatterers *list, nfsar_error *error) {
    struct placement placement;
    struct stl_triangle *triangle = NULL;
    size_t n = 0;
    double scale = check_default(stl->scale, 1.0);
    enum nfsar_status status = placement_make("stl", stl->at_m, stl->rotate_deg, stl->spacing_m,
                                              stl->amplitude, &placement, error);
    if (status == NFSAR_OK) {
        status = check_positive("stl.scale", &scale, 1, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    char *path = target_file(folder, stl->file);
    status = path != NULL ? stl_read(path, &triangle, &n, error)
                          : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    free(path);
    if (status == NFSAR_OK) {
        status = sample(triangle, n, scale, &placement, stl->facing ? &eye : NULL, list, error);
    }
    free(triangle);
    return status;
}
