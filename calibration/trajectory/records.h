/* Records as the filter takes them: checked, in the radar's clock, those of the IMU in body axes.
 */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_RECORDS_H
#define NFSAR_CALIBRATION_TRAJECTORY_RECORDS_H

#include <nfsar/trajectory.h>

/* An interval of the IMU so many times the usual one is a gap. */
#define GAP_FACTOR 4.0

/* Over a longer silence nobody carries a pose. */
#define CARRY_S 10.0

/* Beyond what an IMU can say: 50 g, 10000 degrees/s. */
#define ACCELERATION_LIMIT 500.0
#define RATE_LIMIT         175.0

/* No time in seconds is beyond this, of any clock. */
#define TIME_LIMIT 1e12

/* What can be used of the records, in *good, which is to be freed with nfsar_sensor_records_free().
 * Records of flow get the time of their interval's middle. use[] is filled but for what becomes
 * known later; *gap_s is the interval of the IMU beyond which it is a
 * gap. */
enum nfsar_status records_check(const nfsar_pod *pod, const nfsar_sensor_records *records,
                                nfsar_sensor_records *good, nfsar_sensor_use use[NFSAR_SENSORS],
                                double *gap_s, nfsar_error *error);

/* The numbers of a pod are possible. */
enum nfsar_status pod_check(const nfsar_pod *pod, nfsar_error *error);

#endif
