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

/* Pulses of the capture, evenly scattered, as many as the search takes time for. Owned arrays. */
struct rotation_pulses {
    size_t n;
    size_t *index;
    double *time_s;
};
enum nfsar_status rotation_pulses_choose(const nfsar_capture *capture,
                                         struct rotation_pulses *pulses, nfsar_error *error);
void rotation_pulses_free(struct rotation_pulses *pulses);

/* Read their samples, [pulse][channel], and find out how strong noise is. */
enum nfsar_status rotation_lines_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      const struct rotation_pulses *pulses,
                                      const nfsar_rotation *rotation, struct rotation_lines *lines,
                                      nfsar_error *error);
void rotation_lines_free(struct rotation_lines *lines);

/* A scatterer and its |o|^2. */
struct rotation_scatterer {
    nfsar_vec3 at;
    double power;
};

/* Heights at which scatterers are looked for. */
struct rotation_heights {
    double first, step; /* step 0: there is one height only, and it cannot be told */
    size_t n;
};
struct rotation_heights rotation_heights_choose(const struct rotation_lines *lines, double radius);

/* The strongest scatterers within `within` of the axis, strongest first, into list[room]; as far as
 * they reach `floor`. */
enum nfsar_status rotation_scatterers_find(const nfsar_capture *capture,
                                           const struct rotation_pulses *pulses,
                                           const struct rotation_lines *lines,
                                           const nfsar_rotation *rotation, double within,
                                           double floor, int threads,
                                           struct rotation_scatterer *list, size_t room, size_t *n,
                                           const nfsar_progress *progress, nfsar_error *error);

#endif
