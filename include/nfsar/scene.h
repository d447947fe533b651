/** @file
 * Scene files: what `nfsar simulate` makes a capture from (docs/simulate.md).
 */
#ifndef NFSAR_SCENE_H
#define NFSAR_SCENE_H

#include <stdint.h>
#include <stdio.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/simulation.h>
#include <nfsar/status.h>

/** A scene file that was read, checked and turned into scatterers and a path. */
typedef struct nfsar_scene nfsar_scene;

/** Read a scene file (YAML). Paths in it are relative to its folder.
 * @param seed replaces the file's seed; NULL to keep that. */
enum nfsar_status nfsar_scene_open(const char *path, const uint64_t *seed, nfsar_scene **scene,
                                   nfsar_error *error);
/** The capture that would be made, without its echo; owned by the scene. With channel errors
 * that are recorded (`calibrated: true`) its calibration is there once nfsar_scene_run() has
 * been called: leakage is scaled by the echo. */
const nfsar_capture *nfsar_scene_header(const nfsar_scene *scene);
/** The scatterers, *n of them; owned by the scene. */
const nfsar_scatterer *nfsar_scene_scatterers(const nfsar_scene *scene, size_t *n);
/** The physics that the scene asks for. */
nfsar_simulation_options nfsar_scene_physics(const nfsar_scene *scene);
/** Print what was understood, a line each: radar, array, path, targets, impairments, sizes, and
 * warnings where the scan undersamples the scene or the scene lies beyond the unambiguous range.
 */
void nfsar_scene_explain(const nfsar_scene *scene, FILE *stream);
/** Simulate into a capture file, a block of pulses at a time. The same scene and seed give the same
 * samples whatever @p threads is (0 for all processors). */
enum nfsar_status nfsar_scene_run(nfsar_scene *scene, const char *path, int threads,
                                  const nfsar_progress *progress, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_scene_close(nfsar_scene *scene);

#endif
