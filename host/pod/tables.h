/* Sensors' records in the tables of a capture (docs/recording.md), read and written. */
#ifndef NFSAR_HOST_POD_TABLES_H
#define NFSAR_HOST_POD_TABLES_H

#include "host/files/hdf5_input.h"
#include "host/files/hdf5_output.h"
#include "host/pod/pod.h"

/* Read /sensor/imu, flow, range, tracker and, where the pod has encoders, trigger. What is not
 * there, or has no row, is no record; rows whose bits say that they are not valid are left out.
 * *invalid counts these. What a table says of its sensor goes to the pod (tracker_table.h). */
enum nfsar_status tables_read(const struct h5_input *input, struct pod *pod,
                              nfsar_sensor_records *records, size_t *invalid, nfsar_error *error);

/* Write those that there are, under /sensor, which is made. */
enum nfsar_status tables_write(struct h5_output *output, const struct pod *pod,
                               const nfsar_sensor_records *records, nfsar_error *error);

#endif
