/* What the search for a turntable's radius works on: axis, samples, scatterers. */
#ifndef NFSAR_CALIBRATION_ROTATION_LINES_H
#define NFSAR_CALIBRATION_ROTATION_LINES_H

#include <nfsar/progress.h>
#include <nfsar/rotation.h>

#include "calibration/rotation_patch.h"

/* The circle that the pulses' positions lie on, by least squares, and whether it is one: axis_x,
 * axis_z and radius_m of *rotation. *arc is the angle that holds all positions. */
enum nfsar_status rotation_circle(const nfsar_capture *capture, nfsar_rotation *rotation,
                                  double *arc, nfsar_error *error);

/* Read samples, evenly scattered over the capture, as many as the search takes time for, of pulses
 * at heights within `reach` of their middle; and find out how strong noise is. */
enum nfsar_status rotation_lines_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      double reach, const nfsar_rotation *rotation,
                                      struct rotation_lines *lines, nfsar_error *error);
void rotation_lines_free(struct rotation_lines *lines);

/* Whether number i is among a part of all numbers, by its multiple of an irrational number: even,
 * and in step with no lattice of angles and heights. */
bool rotation_is_in(size_t i, double irrational, double share);

/* A scatterer and its |o|^2. */
struct rotation_scatterer {
    nfsar_vec3 at;
    double power;
};

/* Heights at which scatterers are looked for; where there is but one, it is `single`, or with NaN
 * that of the phase centres. */
struct rotation_heights {
    double first, step; /* step 0: there is one height only, and it cannot be told */
    size_t n;
};
struct rotation_heights rotation_heights_choose(const struct rotation_lines *lines, double radius,
                                                double single);

/* The strongest scatterers within `within` of the axis, strongest first, into list[room]; as far as
 * they have stands_out times the power of noise. Powers are relative. */
enum nfsar_status rotation_scatterers_find(const nfsar_capture *capture,
                                           const struct rotation_lines *lines,
                                           struct rotation_heights heights,
                                           const nfsar_rotation *rotation, double within,
                                           double stands_out, int threads,
                                           struct rotation_scatterer *list, size_t room, size_t *n,
                                           const nfsar_progress *progress, nfsar_error *error);

#endif
