/* What a scene holds once it was read; the verbs see it through nfsar/scene.h. */
#ifndef NFSAR_HOST_SCENE_SCENE_H
#define NFSAR_HOST_SCENE_SCENE_H

#include <nfsar/scene.h>

#include "host/scene/description.h"
#include "host/scene/scatterers.h"

struct nfsar_scene {
    char *path; /* of the scene file */
    uint64_t seed;
    struct scene_description *description;
    nfsar_capture capture; /* without echo */
    struct scatterers scatterers;
    struct pod pod; /* where the scene has sensors, with what they say */
    nfsar_sensor_records records;
    size_t *target_count; /* [description->targets_count] scatterers of each target */
};

/* One line "warning: ..." for each thing in the scene that asks for trouble. */
void scene_warn(const nfsar_scene *scene, FILE *stream);

#endif
