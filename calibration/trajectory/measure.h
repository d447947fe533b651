/* What each sensor should say in a state, against what it says. */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_MEASURE_H
#define NFSAR_CALIBRATION_TRAJECTORY_MEASURE_H

#include "calibration/trajectory/state.h"

enum { MEASURED = 6 };

/* What measurements depend on beside the state. */
struct scene_of_sensors {
    const nfsar_pod *pod;
    nfsar_vec3 normal, first, second; /* axes of the surface: normal is first of what it may be */
    nfsar_vec3 rate;                  /* of the body by the gyroscope, bias included, at the time */
};

/* Axes with that normal. */
void surface_axes(struct scene_of_sensors *scene, nfsar_vec3 normal);

/* A record of a sensor other than the IMU. */
struct measurement {
    enum nfsar_sensor sensor;
    const void *record;
};

/* residual[] = record less what the state predicts; the number of entries, 0 when the state allows
 * no prediction (the surface is not before the sensor). variance[] is that of the record. */
int measure(const struct scene_of_sensors *scene, const struct measurement *measurement,
            const struct state *state, double residual[MEASURED], double variance[MEASURED]);

/* The same, and jacobian[MEASURED][ERRORS] of the prediction by the error of the state, by central
 * differences: so no second formula can be at odds with the first. */
int measure_linear(const struct scene_of_sensors *scene, const struct measurement *measurement,
                   const struct state *state, double residual[MEASURED], double variance[MEASURED],
                   double *jacobian);

/* Distance from a sensor to the surface along its z axis; not above 0 when there is none. */
double surface_distance(const struct scene_of_sensors *scene, const nfsar_mounting *mounting,
                        const struct state *state);

#endif
