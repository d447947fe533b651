/* Whether what the IMU says can be m/s^2, rad/s and seconds. */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_IMU_UNITS_H
#define NFSAR_CALIBRATION_TRAJECTORY_IMU_UNITS_H

#include <nfsar/trajectory.h>

/* Refuses accelerations that are in g or without gravity, rates in degrees/s, times that are not in
 * seconds, by the records of the IMU that can be used; interval_s is their usual distance. */
enum nfsar_status imu_units_check(const nfsar_pod *pod, const nfsar_sensor_records *good,
                                  double interval_s, nfsar_error *error);

/* Why more than half of the readings cannot be used: words for the end of a message, empty where it
 * is none of the usual reasons. */
const char *imu_units_unusable(const nfsar_imu_record *imu, size_t n);

#endif
