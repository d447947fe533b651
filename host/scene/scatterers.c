#include "host/scene/scatterers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/scene/check.h"

#define DEFAULT_SPACING 1e-3

enum nfsar_status scatterers_add(struct scatterers *list, nfsar_vec3 position,
                                 float complex reflectivity, nfsar_error *error) {
    if (list->n >= SCATTERER_LIMIT) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "more than %d scatterers; make spacing_m larger", SCATTERER_LIMIT);
    }
    if (list->n == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 1024;
        nfsar_scatterer *grown = realloc(list->item, room * sizeof *grown);
        if (grown == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu scatterers", room);
        }
        list->item = grown;
        list->room = room;
    }
    list->item[list->n++] = (nfsar_scatterer){position, reflectivity};
    return NFSAR_OK;
}

void scatterers_free(struct scatterers *list) {
    free(list->item);
    memset(list, 0, sizeof *list);
}

static nfsar_quaternion turn(const double rotate_deg[3]) {
    const double radians = NFSAR_PI / 180.0;
    nfsar_quaternion x =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){1, 0, 0}, radians * rotate_deg[0]);
    nfsar_quaternion y =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, radians * rotate_deg[1]);
    nfsar_quaternion z =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 0, 1}, radians * rotate_deg[2]);
    return nfsar_quaternion_multiply(z, nfsar_quaternion_multiply(y, x));
}

enum nfsar_status placement_make(const char *key, const double at_m[3], const double rotate_deg[3],
                                 const double *spacing_m, const double *amplitude,
                                 struct placement *placement, nfsar_error *error) {
    double spacing = check_default(spacing_m, DEFAULT_SPACING);
    double strength = check_default(amplitude, 1.0);
    enum nfsar_status status = check_finite("at_m", at_m, 3, error);
    if (status == NFSAR_OK) {
        status = check_finite("rotate_deg", rotate_deg, 3, error);
    }
    if (status == NFSAR_OK) {
        status = check_positive("spacing_m", &spacing, 1, error);
    }
    if (status == NFSAR_OK) {
        status = check_finite("amplitude", &strength, 1, error);
    }
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "%s", key);
    }
    double square_millimetres = spacing * spacing * 1e6;
    *placement = (struct placement){
        .pose = {{at_m[0], at_m[1], at_m[2]}, turn(rotate_deg)},
        .spacing_m = spacing,
        .reflectivity = (float)(strength * square_millimetres),
    };
    return NFSAR_OK;
}

/* Lattice points along one axis, centred; 0 when there are too many. */
static size_t lattice_count(double half, double spacing) {
    double n = floor(2.0 * half / spacing + 1e-6) + 1.0;
    return n <= (double)SCATTERER_LIMIT ? (size_t)n : 0;
}

static enum nfsar_status lattice_size(nfsar_vec3 half, double spacing, size_t n[3],
                                      nfsar_error *error) {
    n[0] = lattice_count(half.x, spacing);
    n[1] = lattice_count(half.y, spacing);
    n[2] = lattice_count(half.z, spacing);
    size_t area = 0, total = 0;
    /* Ten looked at for each one kept is still quick. */
    if (n[0] == 0 || n[1] == 0 || n[2] == 0 || __builtin_mul_overflow(n[0], n[1], &area) ||
        __builtin_mul_overflow(area, n[2], &total) || total > 10 * (size_t)SCATTERER_LIMIT) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "spacing_m is %g: too fine for a target of %g x %g x %g m", spacing,
                          2.0 * half.x, 2.0 * half.y, 2.0 * half.z);
    }
    return NFSAR_OK;
}

static double lattice_at(size_t i, size_t n, double spacing) {
    return ((double)i - 0.5 * (double)(n - 1)) * spacing;
}

enum nfsar_status placement_fill(const struct placement *placement, nfsar_vec3 half,
                                 bool (*inside)(const void *context, nfsar_vec3 point),
                                 const void *context, struct scatterers *list, nfsar_error *error) {
    size_t n[3];
    double spacing = placement->spacing_m;
    enum nfsar_status status = lattice_size(half, spacing, n, error);
    for (size_t k = 0; status == NFSAR_OK && k < n[2]; k++) {
        for (size_t j = 0; status == NFSAR_OK && j < n[1]; j++) {
            for (size_t i = 0; status == NFSAR_OK && i < n[0]; i++) {
                nfsar_vec3 point = {lattice_at(i, n[0], spacing), lattice_at(j, n[1], spacing),
                                    lattice_at(k, n[2], spacing)};
                if (inside(context, point)) {
                    status = scatterers_add(list, nfsar_pose_transform(placement->pose, point),
                                            placement->reflectivity, error);
                }
            }
        }
    }
    return status;
}
