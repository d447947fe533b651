/* From the targets of a scene to scatterers. */
#ifndef NFSAR_HOST_SCENE_TARGETS_H
#define NFSAR_HOST_SCENE_TARGETS_H

#include "host/scene/description.h"
#include "host/scene/scatterers.h"

/* Add the scatterers of target number `number`. folder is where the scene's files are looked for,
 * with a slash at its end, or "" for the working folder; seed feeds random targets; eye is the
 * middle of the aperture, for surfaces of which only the faces toward the radar are wanted. */
enum nfsar_status target_make(const struct scene_target *target, size_t number, const char *folder,
                              uint64_t seed, nfsar_vec3 eye, struct scatterers *list,
                              nfsar_error *error);

/* The kinds, each in its own file. */
enum nfsar_status target_plate(const struct scene_plate *plate, struct scatterers *list,
                               nfsar_error *error);
enum nfsar_status target_mask(const struct scene_mask *mask, const char *folder,
                              struct scatterers *list, nfsar_error *error);
enum nfsar_status target_random_points(const struct scene_random_points *points,
                                       nfsar_random *random, struct scatterers *list,
                                       nfsar_error *error);
enum nfsar_status target_random_solids(const struct scene_random_solids *solids,
                                       nfsar_random *random, struct scatterers *list,
                                       nfsar_error *error);
enum nfsar_status target_stl(const struct scene_stl *stl, const char *folder, nfsar_vec3 eye,
                             struct scatterers *list, nfsar_error *error);

/* name in folder, or name when it is absolute; freed by the caller. NULL when out of memory. */
char *target_file(const char *folder, const char *name);
/* A file that is there and is a file, not a folder or a pipe. */
enum nfsar_status target_check_file(const char *path, nfsar_error *error);

#endif
