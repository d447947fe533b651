/* Frames of the emulated radar: samples against the simulator's, in the order of the lanes; the
 * truth file; loops; and what cannot be. */
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/import.h>

#include "tests/rig/echo.h"
#include "tests/support.h"

static const char cfg[] = "dfeDataOutputMode 1\n"
                          "channelCfg 5 5 0\n"
                          "adcCfg 2 1\n"
                          "adcbufCfg -1 0 1 1 1\n"
                          "profileCfg 0 77 7 6 39 0 0 100 0 32 2000 0 0 30\n"
                          "chirpCfg 0 0 0 0 0 0 0 4\n"
                          "chirpCfg 1 1 0 0 0 0 0 1\n"
                          "frameCfg 0 1 3 0 5 2 0\n"
                          "lvdsStreamCfg -1 0 1 0\n";

static const char session_text[] = "radar: {model: AWR1843BOOST, cfg: radar.cfg}\n"
                                   "array: {preset: xwr1843-2tx, along: y}\n"
                                   "card: {lanes: %u}\n"
                                   "scan: {path: period, period_s: 10e-3, triggers: 10}\n"
                                   "pose: {from: none}\n";

static const char scene_text[] = "radar: {waveform: 77-81ghz-64}\n"
                                 "array: {preset: single}\n"
                                 "path: {raster: {x: {size_m: 0.01, step_m: 1e-3}, y: {size_m: "
                                 "0.01, step_m: 1e-3}}}\n"
                                 "targets:\n"
                                 "  - points:\n"
                                 "      - {at_m: [0, 0.01, 0.3]}\n"
                                 "      - {at_m: [0.02, 0, 0.35]}\n";

enum { CHIRPS = 2, LOOPS = 3, SAMPLES = 32, FRAMES = 5 };

struct bench {
    struct session *session;
    nfsar_scene *scene;
    struct rig_echo echo;
};

static void begin(struct bench *bench, unsigned lanes) {
    char text[1024];
    nfsar_error error;
    test_write_file("radar.cfg", cfg, sizeof cfg - 1);
    test_write_file("scene.yaml", scene_text, sizeof scene_text - 1);
    snprintf(text, sizeof text, session_text, lanes);
    test_write_file("session.yaml", text, strlen(text));
    assert_ok(session_load(test_path("session.yaml"), &bench->session, &error), error);
    assert_ok(nfsar_scene_open(test_path("scene.yaml"), NULL, &bench->scene, &error), error);
    rig_echo_init(&bench->echo, bench->session, bench->scene);
}

static void end(struct bench *bench) {
    rig_echo_free(&bench->echo);
    nfsar_scene_close(bench->scene);
    session_free(bench->session);
}

/* The radar goes along x, 0.1 m in a frame's time. */
static struct rig_trigger trigger(size_t i) {
    const nfsar_vec3 at = {1e-3 * (double)i, 0, 0}, then = {1e-3 * (double)i + 1e-5, 0, 0};
    return (struct rig_trigger){
        1000000000 + 10000000 * i,
        {{at, NFSAR_QUATERNION_IDENTITY}, {then, NFSAR_QUATERNION_IDENTITY}}};
}

static void start(struct bench *bench) {
    nfsar_pose poses[FRAMES];
    nfsar_error error;
    for (size_t i = 0; i < FRAMES; i++) {
        poses[i] = trigger(i).pose[0];
    }
    assert_ok(
        rig_echo_begin(&bench->echo, &bench->session->radar.frame, true, poses, FRAMES, &error),
        error);
}

static uint8_t *make_frames(struct bench *bench, size_t batch) {
    const size_t each = rig_layout_bytes(&bench->echo.layout);
    uint8_t *bytes = malloc(FRAMES * each);
    struct rig_trigger triggers[FRAMES];
    nfsar_error error;
    assert_non_null(bytes);
    for (size_t i = 0; i < FRAMES; i++) {
        triggers[i] = trigger(i);
    }
    for (size_t i = 0; i < FRAMES; i += batch) {
        const size_t n = FRAMES - i < batch ? FRAMES - i : batch;
        assert_ok(rig_echo_frames(&bench->echo, triggers + i, n, bytes + i * each, &error), error);
    }
    return bytes;
}

/* Bytes and truth hold the same numbers, each where it belongs: line by line of the stream. */
static void assert_truth(struct bench *bench, unsigned lanes, const uint8_t *bytes) {
    const size_t rx = bench->session->receivers, channels = bench->session->array.n_channel;
    float complex chirp[4 * SAMPLES];
    nfsar_capture truth;
    nfsar_error error;
    assert_ok(rig_echo_save(&bench->echo, test_path("truth.h5"), &error), error);
    assert_ok(nfsar_capture_load(test_path("truth.h5"), &truth, &error), error);
    assert_int_equal(truth.n_pulse, FRAMES * LOOPS);
    assert_int_equal(channels, 4);
    for (size_t i = 0; i < FRAMES * LOOPS * CHIRPS; i++) {
        assert_ok(nfsar_raw_decode_chirp(lanes == 4 ? NFSAR_RAW_4LANE : NFSAR_RAW_2LANE, true, rx,
                                         SAMPLES, bytes + i * rx * SAMPLES * 4, chirp, &error),
                  error);
        for (size_t channel = 0; channel < channels; channel++) {
            const size_t line = bench->session->line[channel];
            if (line / rx == i % CHIRPS) {
                assert_memory_equal(chirp + line % rx * SAMPLES,
                                    truth.echo + (i / CHIRPS * channels + channel) * SAMPLES,
                                    SAMPLES * sizeof *chirp);
            }
        }
        if (lanes == 4) { /* receivers 2 and 4 are off: their lanes carry nothing */
            for (size_t k = 0; k < SAMPLES; k++) {
                assert_true(chirp[SAMPLES + k] == 0.0F && chirp[3 * SAMPLES + k] == 0.0F);
            }
        }
    }
    /* The model's own echo, at the truth's poses and times. */
    float complex *echo = malloc(truth.n_pulse * channels * SAMPLES * sizeof *echo);
    assert_non_null(echo);
    size_t n = 0;
    const nfsar_scatterer *scatterers = nfsar_scene_scatterers(bench->scene, &n);
    assert_ok(nfsar_simulate(&truth, scatterers, n, NULL, 0, truth.n_pulse, echo, NULL, &error),
              error);
    double peak = 0.0;
    for (size_t i = 0; i < truth.n_pulse * channels * SAMPLES; i++) {
        const double complex off =
            bench->echo.scale * (double complex)echo[i] - (double complex)truth.echo[i];
        assert_true(fabs(creal(off)) < 0.7 && fabs(cimag(off)) < 0.7);
        peak = fmax(peak, cabs((double complex)truth.echo[i]));
    }
    assert_near(peak, RIG_PEAK, 100.0);
    assert_near(truth.time_s[LOOPS], 1.01, 1e-12);
    assert_near(truth.time_s[LOOPS + 1] - truth.time_s[LOOPS],
                2 * bench->session->radar.frame.chirp_period_s, 1e-12);
    free(echo);
    nfsar_capture_free(&truth);
}

static void frames_are_what_the_model_says(void **state) {
    (void)state;
    static const unsigned lanes[] = {2, 4};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        begin(&bench, lanes[i]);
        start(&bench);
        uint8_t *bytes = make_frames(&bench, 2);
        assert_truth(&bench, lanes[i], bytes);
        assert_int_equal(bench.echo.clipped, 0);
        free(bytes);
        end(&bench);
    }
}

/* A hub that restarted counts its time from 0 again. */
static void a_restart_begins_anew(void **state) {
    (void)state;
    struct bench bench;
    nfsar_error error;
    begin(&bench, 2);
    start(&bench);
    free(make_frames(&bench, FRAMES));
    assert_int_equal(bench.echo.frames, FRAMES);
    free(make_frames(&bench, 1));
    assert_int_equal(bench.echo.frames, FRAMES);
    start(&bench);
    assert_int_equal(bench.echo.frames, 0);
    assert_ok(rig_echo_save(&bench.echo, test_path("none.h5"), &error), error);
    assert_int_equal(test_count_files("none.h5"), 0);
    end(&bench);
}

static void another_frame_than_the_sessions_is_refused(void **state) {
    (void)state;
    struct bench bench;
    nfsar_error error;
    begin(&bench, 2);
    struct ti_cfg_frame frame = bench.session->radar.frame;
    const nfsar_pose pose = trigger(0).pose[0];
    frame.samples = 64;
    assert_int_equal(rig_echo_begin(&bench.echo, &frame, true, &pose, 1, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "3 loops of 2 chirps, 2 receivers, 64 samples; the session's "
                                   ".cfg says 3, 2, 2, 32");
    end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_what_the_model_says),
        cmocka_unit_test(a_restart_begins_anew),
        cmocka_unit_test(another_frame_than_the_sessions_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
