#include "host/pod/tracker_table.h"

#include <math.h>
#include <stdlib.h>

#include "host/files/hdf5_error.h"

#define TABLE "/sensor/tracker"
/* As of other mountings, and of quaternions in files (docs/files.md). */
#define ARM_LIMIT      100.0
#define UNIT_TOLERANCE 0.01

static enum nfsar_status read_mounting(const struct h5_input *input, nfsar_mounting *mounting,
                                       nfsar_error *error) {
    double *at = NULL, *q = NULL;
    struct h5_shape three = {1, {3}}, four = {1, {4}};
    enum nfsar_status status =
        h5_read_optional(input, TABLE "/at_m", H5_REAL, &three, (void **)&at, error);
    if (status == NFSAR_OK) {
        status = h5_read_optional(input, TABLE "/rotation", H5_REAL, &four, (void **)&q, error);
    }
    for (int i = 0; status == NFSAR_OK && at != NULL && i < 3; i++) {
        if (!(fabs(at[i]) <= ARM_LIMIT)) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: " TABLE "/at_m is %g m: a lever arm is within %g m",
                                input->path, at[i], ARM_LIMIT);
        }
    }
    if (status == NFSAR_OK && q != NULL) {
        const double length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
        if (!(fabs(length - 1.0) <= UNIT_TOLERANCE)) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: " TABLE "/rotation is no unit quaternion (w, x, y, z)",
                                input->path);
        }
    }
    if (status == NFSAR_OK && at != NULL) {
        mounting->at_m = (nfsar_vec3){at[0], at[1], at[2]};
    }
    if (status == NFSAR_OK && q != NULL) {
        mounting->rotation = nfsar_quaternion_normalize((nfsar_quaternion){q[0], q[1], q[2], q[3]});
    }
    free(at);
    free(q);
    return status;
}

enum nfsar_status tracker_table_mounting(const struct h5_input *input, struct pod *pod,
                                         nfsar_error *error) {
    bool is_there = false, oriented = false;
    enum nfsar_status status = h5_has(input, TABLE "/time_s", &is_there, error);
    if (status == NFSAR_OK && is_there) {
        status = h5_has(input, TABLE "/orientation", &oriented, error);
    }
    if (status != NFSAR_OK || !is_there) {
        return status;
    }
    if (!oriented) {
        pod->pod.tracker.sigma_rad = 0.0;
    }
    return pod->tracker_mounted ? NFSAR_OK
                                : read_mounting(input, &pod->pod.tracker.mounting, error);
}

enum nfsar_status tracker_table_write(struct h5_output *output, const nfsar_tracker_record *record,
                                      size_t n, bool oriented, const nfsar_mounting *mounting,
                                      nfsar_error *error) {
    double *column = malloc((n + 1) * 4 * sizeof *column);
    if (column == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    }
    const struct h5_shape one = {1, {n}}, three = {2, {n, 3}}, four = {2, {n, 4}};
    enum nfsar_status status = h5_write_group(output, TABLE, error);
    for (size_t i = 0; i < n; i++) {
        column[i] = record[i].time_s;
    }
    if (status == NFSAR_OK) {
        status = h5_write_data(output, TABLE "/time_s", H5_REAL, &one, column, error);
    }
    for (size_t i = 0; i < n; i++) {
        const nfsar_vec3 p = record[i].pose.position;
        column[3 * i] = p.x;
        column[3 * i + 1] = p.y;
        column[3 * i + 2] = p.z;
    }
    if (status == NFSAR_OK) {
        status = h5_write_data(output, TABLE "/position_m", H5_REAL, &three, column, error);
    }
    for (size_t i = 0; i < n; i++) {
        const nfsar_quaternion q = record[i].pose.orientation;
        column[4 * i] = q.w;
        column[4 * i + 1] = q.x;
        column[4 * i + 2] = q.y;
        column[4 * i + 3] = q.z;
    }
    if (status == NFSAR_OK && oriented) {
        status = h5_write_data(output, TABLE "/orientation", H5_REAL, &four, column, error);
    }
    free(column);
    if (status == NFSAR_OK && mounting != NULL) {
        const struct h5_shape arm = {1, {3}}, turn = {1, {4}};
        const double at[3] = {mounting->at_m.x, mounting->at_m.y, mounting->at_m.z};
        const double q[4] = {mounting->rotation.w, mounting->rotation.x, mounting->rotation.y,
                             mounting->rotation.z};
        status = h5_write_data(output, TABLE "/at_m", H5_REAL, &arm, at, error);
        if (status == NFSAR_OK) {
            status = h5_write_data(output, TABLE "/rotation", H5_REAL, &turn, q, error);
        }
    }
    return status;
}
