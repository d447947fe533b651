/* Positions and times of pulses against numbers worked out by hand. */
#include "tests/import/recorder.h"

/* A recording long enough for every rig of this file; sizes are what the rigs say. */
static nfsar_import *open_scan(const char *files, size_t bytes, const char *rest) {
    char text[2048];
    unsigned char *zeros = calloc(bytes, 1);
    test_write_file("r1.bin", zeros, bytes);
    test_write_file("r2.bin", zeros, bytes);
    free(zeros);
    snprintf(text, sizeof text, "files: {%s}\n%s", files, rest);
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig(text, &import, &error), error);
    return import;
}

static void assert_position(const nfsar_capture *capture, size_t pulse, double x, double y,
                            double z) {
    int extrapolated = 0;
    nfsar_pose pose = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                       capture->time_s[pulse], &extrapolated);
    assert_int_equal(extrapolated, 0);
    assert_near(pose.position.x, x, 1e-12);
    assert_near(pose.position.y, y, 1e-12);
    assert_near(pose.position.z, z, 1e-12);
}

/* One frame of RADAR_8 with one transmitter has 128 bytes. */
#define TWO_ROWS "pattern: r*.bin, holds: row"

static void a_raster_is_centred(void **state) {
    (void)state;
    nfsar_import *import =
        open_scan(TWO_ROWS, 4 * 128,
                  RADAR_8 ARRAY_1X4 "scan: {positions: 4, step_m: 1e-3, row_step_m: 3e-3}\n");
    const nfsar_capture *c = nfsar_import_header(import);
    assert_int_equal(c->n_pulse, 8);
    assert_int_equal(c->n_pose, 8);
    assert_position(c, 0, -1.5e-3, -1.5e-3, 0);
    assert_position(c, 3, 1.5e-3, -1.5e-3, 0);
    assert_position(c, 4, -1.5e-3, 1.5e-3, 0);
    assert_position(c, 6, 0.5e-3, 1.5e-3, 0);
    assert_near(c->time_s[3], 0.03, 1e-15);
    assert_near(c->time_s[4], 0.04, 1e-15);
    nfsar_import_close(import);
}

static void a_serpentine_comes_back(void **state) {
    (void)state;
    nfsar_import *import = open_scan(
        TWO_ROWS, 4 * 128,
        RADAR_8 ARRAY_1X4 "scan: {positions: 4, step_m: 1e-3, row_step_m: -3e-3, path: serpentine, "
                          "start_m: [0.1, 0.2], z_m: 0.05, row_period_s: 0.5}\n");
    const nfsar_capture *c = nfsar_import_header(import);
    assert_position(c, 0, 0.1, 0.2, 0.05);
    assert_position(c, 3, 0.103, 0.2, 0.05);
    assert_position(c, 4, 0.103, 0.197, 0.05);
    assert_position(c, 7, 0.1, 0.197, 0.05);
    assert_near(c->time_s[4], 0.5, 1e-15);
    assert_near(c->time_s[7], 0.53, 1e-15);
    nfsar_import_close(import);
}

static void columns_run_along_y(void **state) {
    (void)state;
    nfsar_import *import = open_scan(
        TWO_ROWS, 4 * 128,
        RADAR_8 ARRAY_1X4
        "scan: {rows_along: y, positions: 4, step_m: -1e-3, row_step_m: 3e-3, centre_m: [1, 2]}\n");
    const nfsar_capture *c = nfsar_import_header(import);
    /* Columns at x = 0.9985 and 1.0015, from the top down. */
    assert_position(c, 0, 0.9985, 2.0015, 0);
    assert_position(c, 1, 0.9985, 2.0005, 0);
    assert_position(c, 3, 0.9985, 1.9985, 0);
    assert_position(c, 4, 1.0015, 2.0015, 0);
    nfsar_import_close(import);
}

/* Two transmitters 100 us apart, three loops: a frame is 6 chirps of 128 bytes. */
#define TDM                                                                                        \
    RADAR_8 "array: {tx_m: [[0, 0, 0], [0, 0.01, 0]], rx_m: [[0, 0, 0], [1, 0, 0], [2, 0, 0], "    \
            "[3, 0, 0]]}\n"

static void a_fly_by_moves_between_chirps(void **state) {
    (void)state;
    nfsar_import *import =
        open_scan(TWO_ROWS, 4 * 6 * 128,
                  TDM "frames: {loops: 3, repeats: each}\n"
                      "scan: {positions: 4, speed_m_per_s: 0.2, row_step_m: 3e-3, motion: fly-by, "
                      "path: serpentine, start_m: [0, 0]}\n");
    const nfsar_capture *c = nfsar_import_header(import);
    assert_int_equal(c->n_pulse, 24);
    /* 0.2 m/s x 10 ms = 2 mm a frame; a loop is 200 us, 0.04 mm. */
    assert_position(c, 0, 0, 0, 0);
    assert_position(c, 1, 0.04e-3, 0, 0);
    assert_position(c, 2, 0.08e-3, 0, 0);
    assert_position(c, 3, 2e-3, 0, 0);
    assert_position(c, 11, 6.08e-3, 0, 0);
    /* The way back begins where the last frame was, and runs the other way. */
    assert_position(c, 12, 6e-3, 3e-3, 0);
    assert_position(c, 13, 5.96e-3, 3e-3, 0);
    assert_position(c, 23, -0.08e-3, 3e-3, 0);
    assert_near(c->time_s[2], 400e-6, 1e-15);
    assert_near(c->time_s[12], 0.04, 1e-15);
    /* The second transmitter is sampled 100 us = 0.02 mm later, also in the last pulse of a row,
     * where the next pose is far away. */
    assert_near(c->array.channel_time_s[3], 0, 0);
    assert_near(c->array.channel_time_s[4], 100e-6, 1e-15);
    nfsar_vec3 tx[8], rx[8];
    nfsar_error error;
    assert_ok(nfsar_capture_antennas(c, false, 11, 1, tx, rx, &error), error);
    assert_near(tx[3].x, 6.08e-3, 1e-12);
    assert_near(tx[4].x, 6.10e-3, 1e-12);
    assert_near(tx[4].y, 0.01, 1e-12);
    assert_near(rx[7].x, 3.0061, 1e-12);
    assert_ok(nfsar_capture_antennas(c, false, 23, 1, tx, rx, &error), error);
    assert_near(tx[4].x, -0.10e-3, 1e-12);
    nfsar_import_close(import);
}

static void the_mean_of_loops_lies_in_their_middle(void **state) {
    (void)state;
    nfsar_import *import = open_scan(TWO_ROWS, 4 * 6 * 128,
                                     TDM "frames: {loops: 3, repeats: mean}\n"
                                         "scan: {positions: 4, step_m: 2e-3, row_step_m: 3e-3, "
                                         "motion: fly-by, start_m: [0, 0]}\n");
    const nfsar_capture *c = nfsar_import_header(import);
    /* Loops at 0, 200, 400 us: the mean is at 200 us; the second transmitter at 300 us. */
    assert_near(c->array.channel_time_s[0], 200e-6, 1e-15);
    assert_near(c->array.channel_time_s[4], 300e-6, 1e-15);
    nfsar_vec3 tx[8], rx[8];
    nfsar_error error;
    assert_ok(nfsar_capture_antennas(c, false, 3, 1, tx, rx, &error), error);
    assert_near(tx[0].x, 6.04e-3, 1e-12);
    assert_near(tx[4].x, 6.06e-3, 1e-12);
    nfsar_import_close(import);
}

static void a_stop_lasts_until_the_last_channel(void **state) {
    (void)state;
    nfsar_import *import =
        open_scan(TWO_ROWS, 8 * 2 * 128,
                  TDM "frames: {per_position: 2, repeats: first}\n"
                      "scan: {positions: 4, step_m: 2e-3, row_step_m: 3e-3, start_m: [0, 0]}\n");
    const nfsar_capture *c = nfsar_import_header(import);
    assert_int_equal(c->n_pulse, 8);
    nfsar_vec3 tx[8], rx[8];
    nfsar_error error;
    for (size_t pulse = 0; pulse < 8; pulse++) {
        double x = 2e-3 * (double)(pulse % 4);
        assert_near(c->time_s[pulse], 0.020 * (double)pulse, 1e-15);
        assert_ok(nfsar_capture_antennas(c, false, pulse, 1, tx, rx, &error), error);
        assert_near(tx[0].x, x, 1e-12);
        assert_near(tx[4].x, x, 1e-12);
    }
    nfsar_import_close(import);
}

static void antennas_are_chosen_ordered_and_turned(void **state) {
    (void)state;
    nfsar_import *import = open_scan(
        "list: [r1.bin]", 128 * 2,
        RADAR_8 "array: {tx_m: [[0, 0, 0], [0.5, 0.25, 0]], rx_m: [[1, 0, 0.1], [2, 0, 0], "
                "[3, 7, 0]], tx: [0, 2], rx: [3, 0, 1, 0], upside_down: true}\n");
    const nfsar_array *a = &nfsar_import_header(import)->array;
    assert_int_equal(a->n_tx, 1);
    assert_int_equal(a->n_rx, 2);
    assert_int_equal(a->n_channel, 2);
    assert_near(a->tx_m[0].x, -0.5, 0);
    assert_near(a->tx_m[0].y, -0.25, 0);
    assert_near(a->rx_m[0].x, -3, 0);
    assert_near(a->rx_m[0].y, -7, 0);
    assert_near(a->rx_m[1].x, -1, 0);
    assert_near(a->rx_m[1].z, 0.1, 0);
    /* Only the second chirp is used: it comes one chirp period late. */
    assert_near(a->channel_time_s[0], 100e-6, 1e-15);
    nfsar_import_close(import);
    /* The samples follow: put one frame of two chirps there. */
    write_chirps("r1.bin", 5, 2, 8);
    nfsar_error error;
    assert_ok(nfsar_import_open(test_path("rig.yaml"), NULL, &import, &error), error);
    float complex out[16];
    assert_ok(nfsar_import_read(import, 0, 1, out, &error), error);
    for (unsigned s = 0; s < 8; s++) {
        assert_true(out[s] == sample_of(6, 0, s));
        assert_true(out[8 + s] == sample_of(6, 2, s));
    }
    nfsar_import_close(import);
}

static void delays_and_gains_are_kept_beside_the_samples(void **state) {
    (void)state;
    nfsar_import *import = open_scan(
        "list: [r1.bin]", 128,
        RADAR_8 ARRAY_1X4 "calibration: {range_bias_m: 0.149896229, channel_delay_s: [0, 1e-12, "
                          "2e-12, -1e-12], channel_gain: [[1, 0], [0, 2], [1, 1], [-1, 0]]}\n");
    const nfsar_calibration *known = &nfsar_import_header(import)->calibration;
    /* 0.149896229 m of range is a nanosecond both ways. */
    assert_near(known->channel_delay_s[0], 1e-9, 1e-20);
    assert_near(known->channel_delay_s[2], 1.002e-9, 1e-20);
    assert_true(known->channel_gain[1] == CMPLXF(0.0f, 2.0f));
    nfsar_import_close(import);
}

static void impossible_scans_are_refused(void **state) {
    (void)state;
    unsigned char zeros[4 * 128] = {0};
    test_write_file("r1.bin", zeros, sizeof zeros);
    test_write_file("r2.bin", zeros, sizeof zeros);
#define REFUSED(scan, part)                                                                        \
    assert_refused("files: {" TWO_ROWS "}\n" RADAR_8 ARRAY_1X4 "scan: {positions: 4, " scan "}\n", \
                   part)
    REFUSED("step_m: 0, row_step_m: 1e-3", "scan.step_m: is zero");
    REFUSED("row_step_m: 1e-3", "scan.step_m: is missing");
    REFUSED("step_m: 1e-3, row_step_m: 0", "scan.row_step_m: is zero");
    REFUSED("step_m: 1e-3", "scan.row_step_m: is missing");
    REFUSED("step_m: .nan, row_step_m: 1e-3", "line 5: step_m: '.nan' is not a number");
    REFUSED("step_m: nan, row_step_m: 1e-3", "scan.step_m: nan is not a finite number");
    REFUSED("step_m: 1e-3, row_step_m: inf", "scan.row_step_m");
    REFUSED("step_m: 1e-3, row_step_m: 1, row_period_s: 0.01", "a row lasts longer");
    REFUSED("step_m: 1e-3, row_step_m: 1, start_m: [0, 0], centre_m: [0, 0]", "not both");
    REFUSED("step_m: 1e-3, row_step_m: 1, speed_m_per_s: 1, motion: fly-by", "not both");
    REFUSED("row_step_m: 1, speed_m_per_s: 1", "only with motion: fly-by");
    REFUSED("step_m: 1e-3, row_step_m: 1, start_m: [0, 0, 0]", "start_m");
    assert_refused("files: {" TWO_ROWS "}\n" RADAR_8 ARRAY_1X4, "scan: is missing");
    assert_refused("files: {list: [r1.bin]}\n" RADAR_8 ARRAY_1X4 "frames: {loops: 200}\n",
                   "1 Tx x 200 loops x 4 Rx x 8 samples");
    assert_refused("files: {list: [r1.bin]}\n" RADAR_8 ARRAY_1X4 "scan: {positions: 1000000000000, "
                   "rows: 1000000000000, step_m: 1, row_step_m: 1}\n",
                   "r1.bin holds 512 bytes");
    assert_refused("files: {list: [r1.bin]}\n" RADAR_8 ARRAY_1X4
                   "scan: {positions: 0, rows: 1, step_m: 1}\n",
                   "scan.positions: 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raster_is_centred),
        cmocka_unit_test(a_serpentine_comes_back),
        cmocka_unit_test(columns_run_along_y),
        cmocka_unit_test(a_fly_by_moves_between_chirps),
        cmocka_unit_test(the_mean_of_loops_lies_in_their_middle),
        cmocka_unit_test(a_stop_lasts_until_the_last_channel),
        cmocka_unit_test(antennas_are_chosen_ordered_and_turned),
        cmocka_unit_test(delays_and_gains_are_kept_beside_the_samples),
        cmocka_unit_test(impossible_scans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
