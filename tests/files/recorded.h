/* A recording with a recognisable number in every place, for the tests of recordings. */
#ifndef NFSAR_TESTS_FILES_RECORDED_H
#define NFSAR_TESTS_FILES_RECORDED_H

#include "tests/files/sample.h"

#include <hdf5.h>
#include <stdbool.h>
#include <unistd.h>

#include "host/files/recording.h"

#define RECORDED_CHANNELS 6

/* Sample i of pulse p: r is element 2 * i. Any of them differs from its neighbours. */
static inline int16_t recorded_word(size_t p, size_t i) {
    return (int16_t)((p * 7919 + i * 104729 + (p >> 3)) & 0xffff);
}

static inline double recorded_time(size_t p) {
    return 100.0 + 0.001 * (double)p;
}

static inline uint8_t recorded_flags(size_t p) {
    return p % 10 == 3 ? NFSAR_PULSE_SAMPLES_MISSING : 0;
}

static inline nfsar_pose recorded_pose(size_t p) {
    return (nfsar_pose){
        .position = {0.001 * (double)p, 0.5, -0.25},
        .orientation = nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, 1e-4 * (double)p)};
}

/* Table 2 of every recording here: an inertial sensor. */
static const struct recording_column recorded_imu_columns[] = {
    {"time_s", RECORDING_F64, 1}, {"acceleration", RECORDING_F32, 3}, {"count", RECORDING_U16, 1}};
static const struct recording_table recorded_imu = {"/sensor/imu", recorded_imu_columns, 3, 100000};

/* Begin test_path(name).recording for n_sample samples; room for so many pulses. */
static inline enum nfsar_status recorded_begin(const char *path, size_t n_sample, uint64_t pulses,
                                               const struct recording_options *options,
                                               struct recording **recording, nfsar_error *error) {
    nfsar_capture head = sample_capture(2, n_sample);
    enum nfsar_status status =
        recording_create(path, &head, pulses, pulses, &recorded_imu, 1,
                         "radar: {}\n# the session\n", options, recording, error);
    nfsar_capture_free(&head);
    return status;
}

/* Append pulse p, its pose and a row of the sensor. */
static inline enum nfsar_status recorded_append(struct recording *recording, size_t n_sample,
                                                size_t p, nfsar_error *error) {
    const size_t n = 2 * RECORDED_CHANNELS * n_sample;
    int16_t *words = malloc(n * sizeof *words);
    for (size_t i = 0; i < n; i++) {
        words[i] = recorded_word(p, i);
    }
    enum nfsar_status status =
        recording_append_pulse(recording, words, recorded_time(p), recorded_flags(p), error);
    free(words);
    if (status == NFSAR_OK) {
        const nfsar_pose pose = recorded_pose(p);
        status = recording_append_pose(recording, recorded_time(p), &pose, error);
    }
    if (status == NFSAR_OK) {
        const double time_s = recorded_time(p);
        const float acceleration[] = {(float)p, -(float)p, 9.81f};
        const uint16_t count = (uint16_t)p;
        const void *const values[] = {&time_s, acceleration, &count};
        status = recording_append(recording, 2, values, error);
    }
    return status;
}

/* The pulses of a capture or recording are the first of those that were appended, all of them
 * exactly; how many there are. */
static inline size_t recorded_check(const char *path, size_t n_sample) {
    nfsar_error error;
    nfsar_capture capture;
    const size_t line = RECORDED_CHANNELS * n_sample;
    assert_ok(nfsar_capture_load(path, &capture, &error), error);
    assert_int_equal(capture.n_sample, n_sample);
    assert_int_equal(capture.array.n_channel, RECORDED_CHANNELS);
    for (size_t p = 0; p < capture.n_pulse; p++) {
        assert_true(capture.time_s[p] == recorded_time(p));
        assert_int_equal(capture.flags[p] & NFSAR_PULSE_SAMPLES_MISSING, recorded_flags(p));
        for (size_t i = 0; i < line; i++) {
            float complex found = capture.echo[p * line + i];
            if (crealf(found) != recorded_word(p, 2 * i) ||
                cimagf(found) != recorded_word(p, 2 * i + 1)) {
                fail_msg("%s: pulse %zu, sample %zu is (%g, %g) instead of (%d, %d)", path, p, i,
                         (double)crealf(found), (double)cimagf(found), recorded_word(p, 2 * i),
                         recorded_word(p, 2 * i + 1));
            }
        }
    }
    /* Where no poses were recorded there is one that holds for no pulse. */
    const bool posed = capture.n_pose > 1 || !(capture.flags[0] & NFSAR_PULSE_POSE_EXTRAPOLATED);
    for (size_t p = 0; posed && p < capture.n_pose; p++) {
        assert_true(capture.pose_time_s[p] == recorded_time(p));
        const nfsar_pose pose = recorded_pose(p);
        assert_memory_equal(&capture.pose[p], &pose, sizeof pose);
    }
    size_t n = capture.n_pulse;
    nfsar_capture_free(&capture);
    return n;
}

/* The same of the sensor's table in a sealed capture. */
static inline size_t recorded_check_imu(const char *path) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    hid_t dataset = H5Dopen2(file, "/sensor/imu/acceleration", H5P_DEFAULT);
    assert_true(dataset >= 0);
    hsize_t extent[2] = {0};
    hid_t space = H5Dget_space(dataset);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), 2);
    assert_int_equal(extent[1], 3);
    const size_t rows = extent[0];
    float *values = malloc(rows * 3 * sizeof *values);
    assert_true(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    for (size_t i = 0; i < rows; i++) {
        assert_true(values[3 * i] == (float)i && values[3 * i + 1] == -(float)i &&
                    values[3 * i + 2] == 9.81f);
    }
    free(values);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    return rows;
}

#endif
