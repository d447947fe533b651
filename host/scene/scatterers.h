/* The growing list of a scene's scatterers, and where targets are put. */
#ifndef NFSAR_HOST_SCENE_SCATTERERS_H
#define NFSAR_HOST_SCENE_SCATTERERS_H

#include <stddef.h>

#include <nfsar/simulation.h>
#include <nfsar/status.h>

/* Owned; free with scatterers_free(). */
struct scatterers {
    nfsar_scatterer *item;
    size_t n, room;
};

enum { SCATTERER_LIMIT = 5000000 };

enum nfsar_status scatterers_add(struct scatterers *list, nfsar_vec3 position,
                                 float complex reflectivity, nfsar_error *error);
void scatterers_free(struct scatterers *list);

/* A target's own frame in the world: turned about x, then y, then z, then moved. */
struct placement {
    nfsar_pose pose;
    double spacing_m;   /* between scatterers of a surface */
    float reflectivity; /* of one of them */
};

/* From a target's keys (NULL for the defaults: 1 mm, amplitude 1); key names it in errors. A
 * surface of amplitude 1 reflects as one scatterer of amplitude 1 for each square millimetre,
 * whatever the spacing. */
enum nfsar_status placement_make(const char *key, const double at_m[3], const double rotate_deg[3],
                                 const double *spacing_m, const double *amplitude,
                                 struct placement *placement, nfsar_error *error);

/* Scatterers on a lattice over the box [-half, +half] of the target's frame (a half of 0: one
 * layer) wherever inside() says so. */
enum nfsar_status placement_fill(const struct placement *placement, nfsar_vec3 half,
                                 bool (*inside)(const void *context, nfsar_vec3 point),
                                 const void *context, struct scatterers *list, nfsar_error *error);

#endif
