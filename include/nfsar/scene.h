/** @file
 * Scene files: what `nfsar simulate` makes a capture from (docs/simulate.md).
 */
#ifndef NFSAR_SCENE_H
#define NFSAR_SCENE_H

#include <stdio.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/simulation.h>
#include <nfsar/status.h>

/** A scene file that was read, checked and turned into scatterers and a path. */
typedef struct nfsar_scene nfsar_scene;

/** Read a scene file (YAML). Paths in it are relative to its folder. */
enum nfsar_status nfsar_scene_open(const char *path, nfsar_scene **scene, nfsar_error *error);
/** The capture that would be made, without its echo; owned by the scene. */
const nfsar_capture *nfsar_scene_header(const nfsar_scene *scene);
/** The scatterers, *n of them; owned by the scene. */
const nfsar_scatterer *nfsar_scene_scatterers(const nfsar_scene *scene, size_t *n);
/** Simulate into a capture file, a block of pulses at a time. */
enum nfsar_status nfsar_scene_run(nfsar_scene *scene, const char *path, int threads,
                                  const nfsar_progress *progress, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_scene_close(nfsar_scene *scene);

#endif
