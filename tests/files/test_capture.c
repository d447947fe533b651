/* capture.h5: what is written comes back, whole and in parts. */
#include "tests/files/sample.h"

#include <hdf5.h>
#include <stdio.h>
#include <unistd.h>

enum { PULSES = 7, SAMPLES = 5, CHANNELS = 6 };

static void assert_same_header(const nfsar_capture *a, const nfsar_capture *b) {
    assert_int_equal(a->n_pulse, b->n_pulse);
    assert_int_equal(a->n_sample, b->n_sample);
    assert_int_equal(a->n_pose, b->n_pose);
    assert_memory_equal(a->frequency_hz, b->frequency_hz, a->n_sample * sizeof(double));
    assert_int_equal(a->has_fmcw, b->has_fmcw);
    assert_memory_equal(&a->fmcw, &b->fmcw, sizeof a->fmcw);
    assert_string_equal(a->model, b->model);
    assert_int_equal(a->array.n_tx, b->array.n_tx);
    assert_int_equal(a->array.n_rx, b->array.n_rx);
    assert_int_equal(a->array.n_channel, b->array.n_channel);
    assert_memory_equal(a->array.tx_m, b->array.tx_m, a->array.n_tx * sizeof(nfsar_vec3));
    assert_memory_equal(a->array.rx_m, b->array.rx_m, a->array.n_rx * sizeof(nfsar_vec3));
    assert_memory_equal(a->array.channel, b->array.channel, CHANNELS * sizeof(nfsar_channel));
    assert_memory_equal(a->array.channel_time_s, b->array.channel_time_s, CHANNELS * 8);
    assert_memory_equal(a->time_s, b->time_s, a->n_pulse * sizeof(double));
    assert_memory_equal(a->flags, b->flags, a->n_pulse);
    assert_memory_equal(a->pose_time_s, b->pose_time_s, a->n_pose * sizeof(double));
    assert_int_equal(a->n_provenance, b->n_provenance);
    for (size_t i = 0; i < a->n_provenance; i++) {
        assert_string_equal(a->provenance[i], b->provenance[i]);
    }
    for (size_t i = 0; i < a->n_pose; i++) {
        assert_memory_equal(&a->pose[i].position, &b->pose[i].position, sizeof(nfsar_vec3));
        /* Normalised on reading, so only nearly the same bits. */
        assert_near(a->pose[i].orientation.w, b->pose[i].orientation.w, 1e-15);
        assert_near(a->pose[i].orientation.y, b->pose[i].orientation.y, 1e-15);
    }
}

static void test_round_trip(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(PULSES, SAMPLES), read;
    assert_ok(nfsar_capture_save(test_path("a.h5"), &capture, &error), error);
    assert_ok(nfsar_capture_load(test_path("a.h5"), &read, &error), error);
    assert_same_header(&capture, &read);
    assert_memory_equal(capture.echo, read.echo,
                        sizeof(float complex[PULSES * CHANNELS * SAMPLES]));
    assert_memory_equal(capture.true_pose, read.true_pose, sizeof(nfsar_pose[PULSES]));
    assert_memory_equal(capture.calibration.channel_gain, read.calibration.channel_gain,
                        sizeof(float complex[CHANNELS]));
    assert_memory_equal(capture.calibration.channel_delay_s, read.calibration.channel_delay_s,
                        sizeof(double[CHANNELS]));
    assert_memory_equal(capture.calibration.background, read.calibration.background,
                        sizeof(float complex[CHANNELS * SAMPLES]));
    enum nfsar_file_kind kind = NFSAR_FILE_IMAGE;
    assert_ok(nfsar_file_identify(test_path("a.h5"), &kind, &error), error);
    assert_int_equal(kind, NFSAR_FILE_CAPTURE);
    assert_int_equal(test_count_files(".part"), 0);
    nfsar_capture_free(&read);
    nfsar_capture_free(&capture);
}

/* Nothing optional in memory, nothing optional back. */
static void test_plain(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_array array;
    nfsar_capture capture, read;
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    assert_ok(nfsar_capture_create(3, 1, &array, true, &capture, &error), error);
    capture.frequency_hz[0] = 10e9;
    assert_ok(nfsar_capture_save(test_path("plain.h5"), &capture, &error), error);
    assert_ok(nfsar_capture_load(test_path("plain.h5"), &read, &error), error);
    assert_false(read.has_fmcw);
    assert_string_equal(read.model, "");
    assert_null(read.true_pose);
    assert_null(read.calibration.channel_gain);
    assert_null(read.calibration.channel_delay_s);
    assert_null(read.calibration.background);
    assert_int_equal(read.n_provenance, 0);
    nfsar_capture_free(&read);
    nfsar_capture_free(&capture);
}

/* More samples than one chunk holds on both axes, written in odd blocks and read across them. */
static void test_hyperslabs(void **state) {
    (void)state;
    enum { P = 1500, S = 83, STEP = 271 };
    nfsar_error error;
    nfsar_capture capture = sample_capture(P, S);
    nfsar_capture_writer *writer = NULL;
    assert_ok(nfsar_capture_writer_create(test_path("slab.h5"), &capture, &writer, &error), error);
    for (size_t p = 0; p < P; p += STEP) {
        size_t n = P - p < STEP ? P - p : STEP;
        assert_ok(nfsar_capture_writer_write(writer, p, n, capture.echo + p * CHANNELS * S, &error),
                  error);
    }
    assert_int_equal(access(test_path("slab.h5"), F_OK), -1);
    assert_ok(nfsar_capture_writer_commit(writer, &error), error);

    nfsar_capture_file *file = NULL;
    assert_ok(nfsar_capture_file_open(test_path("slab.h5"), &file, &error), error);
    assert_null(nfsar_capture_file_header(file)->echo);
    const struct {
        size_t pulse, n_pulse, sample, n_sample;
    } parts[] = {{0, P, 0, S}, {0, P, 31, 2}, {680, 20, 0, S}, {1499, 1, 82, 1}, {5, 0, 0, 1}};
    nfsar_echo_source source = nfsar_capture_file_source(file);
    float complex *out = calloc((size_t)P * CHANNELS * S, sizeof *out);
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        assert_ok(source.read(source.context, parts[k].pulse, parts[k].n_pulse, parts[k].sample,
                              parts[k].n_sample, out, &error),
                  error);
        for (size_t i = 0; i < parts[k].n_pulse * CHANNELS * parts[k].n_sample; i++) {
            size_t line = i / parts[k].n_sample;
            float complex expected = sample_echo(parts[k].pulse + line / CHANNELS, line % CHANNELS,
                                                 parts[k].sample + i % parts[k].n_sample);
            if (out[i] != expected) {
                fail_msg("part %zu, element %zu is wrong", k, i);
            }
        }
    }
    assert_int_equal(nfsar_capture_file_read(file, P, 1, 0, 1, out, &error), NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_capture_file_read(file, 0, 1, 1, S, out, &error), NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_capture_file_read(file, SIZE_MAX, 2, 0, 1, out, &error),
                     NFSAR_ERROR_ARGUMENT);
    free(out);
    nfsar_capture_file_close(file);
    nfsar_capture_free(&capture);
}

static void test_unfinished(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(PULSES, SAMPLES);
    nfsar_capture_writer *writer = NULL;
    assert_ok(nfsar_capture_writer_create(test_path("u.h5"), &capture, &writer, &error), error);
    assert_ok(nfsar_capture_writer_write(writer, 0, 3, capture.echo, &error), error);
    assert_int_equal(nfsar_capture_writer_write(writer, 5, 3, capture.echo, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_capture_writer_commit(writer, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "pulse 3 was never written");
    assert_int_equal(test_count_files("u.h5"), 0);

    assert_ok(nfsar_capture_writer_create(test_path("u.h5"), &capture, &writer, &error), error);
    assert_int_equal(test_count_files("u.h5.part"), 1);
    nfsar_capture_writer_abandon(writer);
    nfsar_capture_writer_abandon(NULL);
    assert_int_equal(test_count_files("u.h5"), 0);

    assert_int_equal(nfsar_capture_save("/nowhere/x.h5", &capture, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "/nowhere/x.h5: cannot be written here: No such file");
    nfsar_capture_free(&capture);
}

/* An existing file stays as it was until the new one is complete. */
static void test_replacing(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(PULSES, SAMPLES), read;
    nfsar_capture_writer *writer = NULL;
    assert_ok(nfsar_capture_save(test_path("r.h5"), &capture, &error), error);
    capture.echo[0] = 99.0f;
    assert_ok(nfsar_capture_writer_create(test_path("r.h5"), &capture, &writer, &error), error);
    assert_ok(nfsar_capture_writer_write(writer, 0, PULSES, capture.echo, &error), error);
    assert_ok(nfsar_capture_load(test_path("r.h5"), &read, &error), error);
    assert_true(read.echo[0] == sample_echo(0, 0, 0));
    nfsar_capture_free(&read);
    assert_ok(nfsar_capture_writer_commit(writer, &error), error);
    assert_ok(nfsar_capture_load(test_path("r.h5"), &read, &error), error);
    assert_true(read.echo[0] == 99.0f);
    nfsar_capture_free(&read);
    nfsar_capture_free(&capture);
}

/* A program that uses HDF5 itself keeps its way of reporting errors. */
static herr_t own_report(hid_t stack, void *context) {
    (void)stack;
    ++*(int *)context;
    return 0;
}

static void test_reporting_restored(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture read;
    int reports = 0;
    H5E_auto2_t before = NULL, now = NULL;
    void *context = NULL, *now_context = NULL;
    H5Eget_auto2(H5E_DEFAULT, &before, &context);
    H5Eset_auto2(H5E_DEFAULT, own_report, &reports);
    test_write_file("text.h5", "not HDF5", 8);
    assert_int_equal(nfsar_capture_load(test_path("text.h5"), &read, &error), NFSAR_ERROR_FORMAT);
    H5Eget_auto2(H5E_DEFAULT, &now, &now_context);
    assert_true(now == own_report && now_context == &reports);
    assert_int_equal(reports, 0);
    H5Eset_auto2(H5E_DEFAULT, before, context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_hyperslabs), cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_replacing),  cmocka_unit_test(test_reporting_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
