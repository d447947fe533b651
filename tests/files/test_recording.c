/* A recording, from the first row to the sealed capture. */
#include "tests/files/recorded.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "host/files/capture_file.h"

#define SAMPLES 16

/* What was put in comes out: while it goes on, when it is closed, when it is sealed. */
static void test_life(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    struct recording_summary summary;
    const char *file = test_path("life.h5.recording");
    const struct recording_options options = {.sync_ms = 5};
    assert_ok(recorded_begin(test_path("life.h5"), SAMPLES, 5000, &options, &recording, &error),
              error);
    for (size_t p = 0; p < 1000; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
    }
    assert_int_equal(recording_rows(recording, 0), 1000);
    assert_ok(recording_note(recording, &error, "hub: %d triggers\nlost", 3), error);

    /* A reader follows: at some time all of it is there. */
    size_t n = 0;
    for (int i = 0; i < 2000 && n < 1000; i++) {
        nfsar_capture_file *open = NULL;
        if (nfsar_capture_file_open(file, &open, &error) == NFSAR_OK) {
            n = nfsar_capture_file_header(open)->n_pulse;
        }
        nfsar_capture_file_close(open);
        usleep(5000);
    }
    assert_int_equal(n, 1000);
    assert_int_equal(recorded_check(file, SAMPLES), 1000);
    assert_ok(recording_inspect(file, &summary, &error), error);
    assert_true(summary.live);
    assert_int_equal(summary.end, RECORDING_GOES_ON);
    recording_summary_free(&summary);
    assert_int_equal(recording_seal(file, test_path("life.h5"), NULL, NULL, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "life.h5.recording: is being recorded");

    for (size_t p = 1000; p < 1500; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
    }
    struct recording_counters counters;
    recording_counters(recording, &counters);
    assert_true(counters.waits == 0 && counters.syncs > 0);
    assert_ok(recording_close(recording, &error), error);

    assert_int_equal(recorded_check(file, SAMPLES), 1500);
    assert_ok(recording_inspect(file, &summary, &error), error);
    assert_false(summary.live);
    assert_int_equal(summary.end, RECORDING_CLOSED);
    assert_int_equal(summary.pulses, 1500);
    assert_int_equal(summary.poses, 1500);
    assert_int_equal(summary.missing, 150);
    assert_near(summary.seconds, 1.499, 1e-9);
    assert_int_equal(summary.n_log, 1);
    assert_string_equal(summary.log[0], "hub: 3 triggers lost");
    recording_summary_free(&summary);

    assert_ok(recording_seal(file, test_path("life.h5"), NULL, NULL, &error), error);
    assert_int_not_equal(access(file, F_OK), 0);
    assert_int_equal(recorded_check(test_path("life.h5"), SAMPLES), 1500);
    assert_int_equal(recorded_check_imu(test_path("life.h5")), 1500);
    nfsar_capture_file *sealed = NULL;
    assert_ok(nfsar_capture_file_open(test_path("life.h5"), &sealed, &error), error);
    const nfsar_capture *header = nfsar_capture_file_header(sealed);
    assert_int_equal(header->n_provenance, 3);
    assert_string_equal(header->provenance[0], "made by hand");
    assert_string_equal(header->provenance[2], "hub: 3 triggers lost");
    assert_string_equal(header->model, "xWR1443");
    assert_non_null(header->calibration.background);
    nfsar_capture_file_close(sealed);
    assert_int_equal(test_count_files("life.h5"), 1);
}

/* Rows of many sizes, columns of every type, a queue of a few rows, tables that fill at their own
 * pace: all of it comes back. */
static void test_types(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    const struct recording_column columns[] = {
        {"u8", RECORDING_U8, 5},   {"u16", RECORDING_U16, 1}, {"u32", RECORDING_U32, 2},
        {"i32", RECORDING_I32, 1}, {"u64", RECORDING_U64, 1}, {"i64", RECORDING_I64, 1},
        {"f32", RECORDING_F32, 1}, {"f64", RECORDING_F64, 9}, {"pair", RECORDING_I16_PAIR, 3}};
    const struct recording_table tables[] = {{"/sensor/all", columns, 9, 300},
                                             {"/hub", columns + 4, 1, 300},
                                             {"/sensor/none", columns + 1, 1, 10}};
    const struct recording_options options = {.sync_ms = 1, .queue_bytes = 2000};
    nfsar_capture head = sample_capture(1, 3);
    assert_ok(recording_create(test_path("types.h5"), &head, 10, 10, tables, 3, NULL, &options,
                               &recording, &error),
              error);
    nfsar_capture_free(&head);
    const int16_t samples[36] = {1, -2, 3};
    for (size_t i = 0; i < 300; i++) {
        const uint8_t u8[5] = {(uint8_t)i, 1, 2, 3, 255};
        const uint16_t u16 = (uint16_t)(65535 - i);
        const uint32_t u32[2] = {UINT32_MAX, (uint32_t)i};
        const int32_t i32 = -(int32_t)i;
        const uint64_t u64 = UINT64_MAX - i;
        const int64_t i64 = INT64_MIN + (int64_t)i;
        const float f32 = 0.5f * (float)i;
        const double f64[9] = {1e300, (double)i};
        const int16_t pair[6] = {(int16_t)i, -32768, 32767};
        const void *const values[] = {u8, &u16, u32, &i32, &u64, &i64, &f32, f64, pair};
        assert_ok(recording_append(recording, 2, values, &error), error);
        if (i % 3 == 0) {
            assert_ok(recording_append(recording, 3, values + 4, &error), error);
        }
    }
    const void *const more[9] = {samples, samples, samples, samples, samples,
                                 samples, samples, samples, samples};
    assert_int_equal(recording_append(recording, 2, more, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "has all the 300 rows of table 2");
    assert_ok(recording_append_pulse(recording, samples, 1.0, 0, &error), error);
    assert_ok(recording_close(recording, &error), error);
    assert_ok(
        recording_seal(test_path("types.h5.recording"), test_path("types.h5"), NULL, NULL, &error),
        error);

    hid_t file = H5Fopen(test_path("types.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    uint64_t u64[300];
    hid_t dataset = H5Dopen2(file, "/sensor/all/u64", H5P_DEFAULT);
    assert_true(H5Dread(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, u64) >= 0);
    assert_true(u64[0] == UINT64_MAX && u64[299] == UINT64_MAX - 299);
    H5Dclose(dataset);
    dataset = H5Dopen2(file, "/hub/u64", H5P_DEFAULT);
    assert_int_equal(H5Dget_storage_size(dataset), 800);
    assert_true(H5Dread(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, u64) >= 0);
    assert_true(u64[99] == UINT64_MAX - 297);
    H5Dclose(dataset);
    double f64[300][9];
    dataset = H5Dopen2(file, "/sensor/all/f64", H5P_DEFAULT);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, f64) >= 0);
    assert_true(f64[299][0] == 1e300 && f64[299][1] == 299.0 && f64[299][8] == 0.0);
    H5Dclose(dataset);
    dataset = H5Dopen2(file, "/sensor/none/u16", H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset);
    assert_int_equal(H5Sget_simple_extent_npoints(space), 0);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
}

struct part {
    struct recording *recording;
    size_t table, rows;
    enum nfsar_status status;
};

/* Fill one table. */
static void *fill(void *context) {
    struct part *part = context;
    nfsar_error error;
    int16_t words[2 * RECORDED_CHANNELS * SAMPLES];
    for (size_t p = 0; part->status == NFSAR_OK && p < part->rows; p++) {
        const nfsar_pose pose = recorded_pose(p);
        const double time_s = recorded_time(p);
        const float acceleration[] = {(float)p, -(float)p, 9.81f};
        const uint16_t count = (uint16_t)p;
        const void *const values[] = {&time_s, acceleration, &count};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            words[i] = recorded_word(p, i);
        }
        if (part->table == 0) {
            part->status =
                recording_append_pulse(part->recording, words, time_s, recorded_flags(p), &error);
        } else if (part->table == 1) {
            part->status = recording_append_pose(part->recording, time_s, &pose, &error);
        } else {
            part->status = recording_append(part->recording, 2, values, &error);
            recording_note(part->recording, &error, "%zu", p);
        }
    }
    return NULL;
}

/* Every table may have a thread of its own, all of them waiting for room all the time. */
static void test_threads(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    pthread_t thread[3];
    struct part part[3];
    const struct recording_options options = {.sync_ms = 20, .queue_bytes = 4000, .wait_ms = 60000};
    assert_ok(recorded_begin(test_path("t.h5"), SAMPLES, 5000, &options, &recording, &error),
              error);
    for (size_t i = 0; i < 3; i++) {
        part[i] = (struct part){recording, i, 800 - 200 * i, NFSAR_OK};
        assert_int_equal(pthread_create(&thread[i], NULL, fill, &part[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(part[i].status, NFSAR_OK);
        assert_int_equal(recording_rows(recording, i), part[i].rows);
    }
    struct recording_counters counters;
    recording_counters(recording, &counters);
    assert_true(counters.queue_worst <= 4000);
    assert_ok(recording_close(recording, &error), error);
    assert_ok(recording_seal(test_path("t.h5.recording"), test_path("t.h5"), NULL, NULL, &error),
              error);
    assert_int_equal(recorded_check(test_path("t.h5"), SAMPLES), 800);
    assert_int_equal(recorded_check_imu(test_path("t.h5")), 400);
}

/* No poses: one at the origin, and no pulse lies within the track. */
static void test_no_pose(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    nfsar_capture capture;
    const int16_t samples[2 * RECORDED_CHANNELS * SAMPLES] = {0};
    assert_ok(recorded_begin(test_path("still.h5"), SAMPLES, 100, NULL, &recording, &error), error);
    for (size_t p = 0; p < 3; p++) {
        assert_ok(recording_append_pulse(recording, samples, (double)p, 0, &error), error);
    }
    assert_ok(recording_close(recording, &error), error);
    assert_ok(
        recording_seal(test_path("still.h5.recording"), test_path("still.h5"), NULL, NULL, &error),
        error);
    assert_ok(nfsar_capture_load(test_path("still.h5"), &capture, &error), error);
    assert_int_equal(capture.n_pose, 1);
    assert_int_equal(capture.flags[2], NFSAR_PULSE_POSE_EXTRAPOLATED);
    nfsar_capture_free(&capture);
}

/* Nothing came: it opens, and says so. */
static void test_no_pulse(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    nfsar_capture_file *file = NULL;
    char output[2000];
    const char *name = test_path("empty.h5.recording");
    assert_ok(recorded_begin(test_path("empty.h5"), SAMPLES, 100, NULL, &recording, &error), error);
    assert_int_equal(nfsar_capture_file_open(name, &file, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message,
                    "empty.h5.recording: is a recording without a single pulse so far");
    assert_int_equal(recorded_begin(test_path("empty.h5"), SAMPLES, 100, NULL,
                                    &(struct recording *){NULL}, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "empty.h5.recording: is there already");
    assert_ok(recording_close(recording, &error), error);
    assert_int_equal(nfsar_capture_file_open(name, &file, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "there is nothing to be had from it");
    assert_int_equal(test_command(output, sizeof output, "repair %s", name), 1);
    assert_contains(output, "empty.h5.recording: closed; 0 pulses over 0 s");
    assert_contains(output, "without a single pulse");
    assert_int_equal(access(name, F_OK), 0);
    unlink(name);
}

/* What no capture could be made of is refused when it comes. */
static void test_refused(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    const int16_t samples[2 * RECORDED_CHANNELS * SAMPLES] = {0};
    nfsar_pose pose = recorded_pose(0);
    assert_ok(recorded_begin(test_path("refused.h5"), SAMPLES, 2, NULL, &recording, &error), error);
    assert_ok(recording_append_pulse(recording, samples, 2.0, 0, &error), error);
    assert_int_equal(recording_append_pulse(recording, samples, 1.0, 0, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message,
                    "refused.h5.recording: the pulse at 1 s is before the one at 2 s");
    assert_int_equal(recording_append_pulse(recording, samples, NAN, 0, &error),
                     NFSAR_ERROR_ARGUMENT);
    pose.orientation.w = 2.0;
    assert_int_equal(recording_append_pose(recording, 1.0, &pose, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "quaternion of length 2");
    assert_ok(recording_append_pulse(recording, samples, 2.0, 0, &error), error);
    assert_int_equal(recording_append_pulse(recording, samples, 3.0, 0, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "has all the 2 rows");
    assert_ok(recording_close(recording, &error), error);
    assert_ok(recording_close(NULL, &error), error);

    const struct recording_table bad[] = {{"sensor", recorded_imu_columns, 3, 10},
                                          {"/sensor", recorded_imu_columns, 3, 0},
                                          {"/sensor", recorded_imu_columns, 0, 10}};
    nfsar_capture head = sample_capture(1, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(recording_create(test_path("bad.h5"), &head, 1, 1, &bad[i], 1, NULL, NULL,
                                          &recording, &error),
                         NFSAR_ERROR_ARGUMENT);
        assert_null(recording);
    }
    head.frequency_hz[1] = -1.0;
    assert_int_equal(
        recording_create(test_path("bad.h5"), &head, 1, 1, NULL, 0, NULL, NULL, &recording, &error),
        NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "bad.h5.recording: /radar/frequency_hz[1]");
    nfsar_capture_free(&head);
    assert_int_equal(test_count_files("bad.h5"), 0);
}

/* The log takes what fits, and says how much did not. */
static void test_log(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    struct recording_summary summary;
    assert_ok(recorded_begin(test_path("log.h5"), SAMPLES, 100, NULL, &recording, &error), error);
    for (int i = 0; i < 2000; i++) {
        assert_ok(recording_note(recording, &error, "%04d %095d", i, 0), error);
    }
    assert_ok(recorded_append(recording, SAMPLES, 0, &error), error);
    assert_ok(recording_close(recording, &error), error);
    assert_ok(recording_inspect(test_path("log.h5.recording"), &summary, &error), error);
    /* 101 bytes each of 65536 - 256. */
    assert_int_equal(summary.n_log, 646 + 1);
    assert_contains(summary.log[645], "0645 0");
    assert_string_equal(summary.log[646], "1354 lines more did not fit");
    recording_summary_free(&summary);
}

/* Follow, seal and repair by the command. */
static void test_verbs(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    char output[4000];
    assert_ok(recorded_begin(test_path("verb.h5"), SAMPLES, 1000, NULL, &recording, &error), error);
    for (size_t p = 0; p < 200; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
    }
    assert_ok(recording_close(recording, &error), error);
    const char *name = test_path("verb.h5.recording");
    assert_int_equal(test_command(output, sizeof output, "info %s", name), 0);
    assert_contains(output, "capture of 200 pulses x 6 channels x 16 samples");
    assert_contains(output, "recording   closed");
    assert_int_equal(test_command(output, sizeof output, "info --json %s", name), 0);
    assert_contains(output, "\"state\": \"closed\"");
    assert_int_equal(test_command(output, sizeof output, "seal %s", name), 2);
    assert_contains(output, "is a recording; `nfsar repair");
    assert_int_equal(test_command(output, sizeof output, "repair --keep %s", name), 0);
    assert_contains(output, "closed; 200 pulses over 0.199 s, 20 with samples missing, 200 poses");
    assert_contains(output, "verb.h5: made, read back and compared");
    assert_int_equal(access(name, F_OK), 0);
    assert_int_equal(test_command(output, sizeof output, "repair --json --level 9 %s", name), 0);
    assert_contains(output, "\"pulses\": 200");
    assert_int_not_equal(access(name, F_OK), 0);
    assert_int_equal(test_command(output, sizeof output, "repair %s", name), 0);
    assert_contains(output, "nothing to repair");
    assert_int_equal(recorded_check(test_path("verb.h5"), SAMPLES), 200);
    assert_int_equal(test_command(output, sizeof output, "repair %s", test_path("verb.h5")), 2);
    assert_contains(output, "does not end in .recording");
    assert_int_equal(test_command(output, sizeof output, "repair -o %s %s", test_path("x.h5"),
                                  test_path("verb.h5")),
                     2);
    assert_contains(output, "verb.h5: is no recording, but a capture that is complete");
    assert_int_equal(test_command(output, sizeof output, "repair %s.recording", test_path("none")),
                     1);
    assert_int_equal(test_command(output, sizeof output, "repair --level 10 %s", name), 2);
    assert_int_equal(test_command(output, sizeof output, "seal --level 0 %s", name), 2);
}

/* An image of what is there so far is the one that the sealed capture gives. */
static void test_reconstruct(void **state) {
    (void)state;
    nfsar_error error;
    struct recording *recording = NULL;
    nfsar_image early, late;
    char output[4000];
    static const char grid[] = "--quiet --method bp --x=0:0.1:5 --y=0.4:0.6:5 --z=0.1";
    const struct recording_options options = {.sync_ms = 5};
    assert_ok(recorded_begin(test_path("r.h5"), SAMPLES, 5000, &options, &recording, &error),
              error);
    for (size_t p = 0; p < 100; p++) {
        assert_ok(recorded_append(recording, SAMPLES, p, &error), error);
    }
    const char *name = test_path("r.h5.recording");
    struct recording_summary summary = {0};
    for (int i = 0; i < 2000 && summary.pulses < 100; i++) {
        recording_summary_free(&summary);
        assert_ok(recording_inspect(name, &summary, &error), error);
        usleep(5000);
    }
    recording_summary_free(&summary);
    if (test_command(output, sizeof output, "reconstruct %s -o %s %s", name, test_path("early.h5"),
                     grid) != 0) {
        fail_msg("%s", output);
    }
    assert_ok(recording_close(recording, &error), error);
    assert_int_equal(test_command(output, sizeof output, "repair --quiet %s", name), 0);
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s %s",
                                  test_path("r.h5"), test_path("late.h5"), grid),
                     0);
    assert_ok(nfsar_image_load(test_path("early.h5"), &early, &error), error);
    assert_ok(nfsar_image_load(test_path("late.h5"), &late, &error), error);
    assert_true(cabsf(early.data[0]) > 0.0f);
    assert_memory_equal(early.data, late.data, 25 * sizeof *early.data);
    nfsar_image_free(&early);
    nfsar_image_free(&late);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),        cmocka_unit_test(test_types),
        cmocka_unit_test(test_threads),     cmocka_unit_test(test_no_pose),
        cmocka_unit_test(test_no_pulse),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_log),         cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_reconstruct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
