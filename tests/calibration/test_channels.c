/* Channels of known gain and delay, put before a point in plain double precision, are found again;
 * what cannot be told is refused or follows the rules. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/calibration.h>
#include <nfsar/channels.h>
#include <nfsar/simulation.h>

#include "tests/images.h"

#define N_TX      3
#define N_RX      4
#define N_CHANNEL (N_TX * N_RX)
#define N_SAMPLE  64
#define CENTRE_HZ (77e9 + 62.5e6 * 31.5)

struct hardware {
    double complex gain[N_CHANNEL];
    double delay_s[N_CHANNEL];
};

/* Gains of +-3 dB, phases of all sizes, delays of +-50 ps beside 450. */
static void draw_hardware(uint64_t seed, struct hardware *h) {
    nfsar_random random;
    nfsar_random_stream(&random, seed, 7);
    for (int c = 0; c < N_CHANNEL; c++) {
        double db = 6.0 * nfsar_random_uniform(&random) - 3.0;
        double phase = 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
        h->gain[c] = pow(10.0, db / 20.0) * cexp(I * phase);
        h->delay_s[c] = 450e-12 + 1e-10 * (nfsar_random_uniform(&random) - 0.5);
    }
}

/* An array of 3 x 4 in two dimensions, transmitters 1 ms apart, and frequencies. */
static void make_capture(size_t n_pulse, nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array;
    double lambda = NFSAR_SPEED_OF_LIGHT / 79e9;
    assert_ok(nfsar_array_create(N_TX, N_RX, &array, &error), error);
    for (int r = 0; r < N_RX; r++) {
        array.rx_m[r] = (nfsar_vec3){0.0, 0.5 * lambda * r, 0.0};
    }
    for (int t = 0; t < N_TX; t++) {
        array.tx_m[t] = (nfsar_vec3){t == 1 ? -0.5 * lambda : 0.0, 5e-3 + (1.5 + t) * lambda, 0.0};
    }
    for (int c = 0; c < N_CHANNEL; c++) {
        array.channel_time_s[c] = 1e-3 * (double)array.channel[c].tx;
    }
    assert_ok(nfsar_capture_create(n_pulse, N_SAMPLE, &array, true, capture, &error), error);
    for (size_t n = 0; n < N_SAMPLE; n++) {
        capture->frequency_hz[n] = 77e9 + 62.5e6 * (double)n;
    }
    for (size_t p = 0; p < n_pulse; p++) {
        capture->time_s[p] = capture->pose_time_s[p] = 0.01 * (double)p;
    }
}

/* Echoes of a point of which the radar at time t is at start + t * speed within each row of
 * n_row pulses; noise of the given power beside the mean of the channels'. */
static void add_point(nfsar_capture *capture, const struct hardware *h, nfsar_vec3 point,
                      nfsar_vec3 speed, uint64_t seed, double noise) {
    nfsar_random random;
    nfsar_random_stream(&random, seed, 8);
    for (size_t p = 0; p < capture->n_pulse; p++) {
        for (size_t c = 0; c < N_CHANNEL; c++) {
            nfsar_vec3 at =
                nfsar_vec3_add(capture->pose[p].position,
                               nfsar_vec3_scale(speed, capture->array.channel_time_s[c]));
            nfsar_vec3 tx = nfsar_vec3_add(at, capture->array.tx_m[c / N_RX]);
            nfsar_vec3 rx = nfsar_vec3_add(at, capture->array.rx_m[c % N_RX]);
            double path = nfsar_vec3_distance(tx, point) + nfsar_vec3_distance(rx, point);
            float complex *line = capture->echo + (p * N_CHANNEL + c) * N_SAMPLE;
            for (size_t n = 0; n < N_SAMPLE; n++) {
                double t = path / NFSAR_SPEED_OF_LIGHT + h->delay_s[c];
                double complex y =
                    h->gain[c] * cexp(2.0 * NFSAR_PI * I * fmod(capture->frequency_hz[n] * t, 1.0));
                line[n] += (float complex)(y + noise * nfsar_random_complex_normal(&random));
            }
        }
    }
}

/* A continuous run along x, one row of n_pulse at each of n_row heights; not turned. */
static void scan(size_t n_row, size_t n_pulse, double width, double height, nfsar_vec3 *speed,
                 nfsar_capture *capture) {
    make_capture(n_row * n_pulse, capture);
    double step = width / (double)(n_pulse - 1);
    *speed = (nfsar_vec3){step / 0.01, 0.0, 0.0};
    for (size_t p = 0; p < capture->n_pulse; p++) {
        size_t row = p / n_pulse, i = p % n_pulse;
        double y = n_row > 1 ? height * ((double)row / (double)(n_row - 1) - 0.5) : 0.0;
        capture->pose[p].position = (nfsar_vec3){step * (double)i - 0.5 * width, y, 0.0};
    }
}

/* In a scan of rows the last pulse of each row flies on toward the next row's pose, which is what
 * poses between pulses say: a track of its own for each pulse. */
static void add_track(nfsar_capture *capture, nfsar_vec3 speed, double after) {
    size_t n = capture->n_pulse;
    free(capture->pose_time_s);
    nfsar_pose *pose = malloc(2 * n * sizeof *pose);
    capture->pose_time_s = malloc(2 * n * sizeof *capture->pose_time_s);
    for (size_t p = 0; p < n; p++) {
        pose[2 * p] = pose[2 * p + 1] = capture->pose[p];
        capture->pose_time_s[2 * p] = capture->time_s[p];
        capture->pose_time_s[2 * p + 1] = capture->time_s[p] + after;
        pose[2 * p + 1].position =
            nfsar_vec3_add(pose[2 * p].position, nfsar_vec3_scale(speed, after));
    }
    free(capture->pose);
    capture->pose = pose;
    capture->n_pose = 2 * n;
}

struct errors {
    double phase_deg, gain_db, delay_ps, mean_ps;
};

/* Root mean squares over the channels; the reflector's own amplitude and phase are common. */
static struct errors compare(const nfsar_channels *found, const struct hardware *h) {
    double complex ratio[N_CHANNEL], common = 0.0;
    double db = 0.0;
    struct errors e = {0};
    for (int c = 0; c < N_CHANNEL; c++) {
        double late = found->channel[c].delay_s - h->delay_s[c];
        ratio[c] =
            found->channel[c].gain / h->gain[c] * cexp(2.0 * NFSAR_PI * I * CENTRE_HZ * late);
        common += ratio[c] / cabs(ratio[c]);
        db += 20.0 * log10(cabs(ratio[c])) / N_CHANNEL;
        e.mean_ps += 1e12 * late / N_CHANNEL;
    }
    for (int c = 0; c < N_CHANNEL; c++) {
        double phase = 180.0 / NFSAR_PI * carg(ratio[c] / common);
        double gain = 20.0 * log10(cabs(ratio[c])) - db;
        double late = 1e12 * (found->channel[c].delay_s - h->delay_s[c]);
        e.phase_deg += phase * phase / N_CHANNEL;
        e.gain_db += gain * gain / N_CHANNEL;
        e.delay_ps += late * late / N_CHANNEL;
    }
    e.phase_deg = sqrt(e.phase_deg);
    e.gain_db = sqrt(e.gain_db);
    e.delay_ps = sqrt(e.delay_ps);
    return e;
}

static enum nfsar_status find(const nfsar_capture *capture, const nfsar_vec3 *point,
                              nfsar_channels *found, nfsar_error *error) {
    nfsar_echo_source source = nfsar_capture_source(capture);
    nfsar_channels_options options = nfsar_channels_defaults();
    if (point != NULL) {
        options.has_point = true;
        options.point = *point;
    }
    return nfsar_channels_find(capture, &source, &options, found, NULL, error);
}

/* The targets of the issue: 20 dB in each sample, a scan, several seeds, the place not known. The
 * radar moves between its transmitters' chirps by up to 1.6 mm. */
static void scan_of_an_unknown_place(void **state) {
    (void)state;
    nfsar_error error;
    const nfsar_vec3 point = {0.02, -0.015, 0.35};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct hardware h;
        nfsar_capture capture;
        nfsar_channels found;
        nfsar_vec3 speed;
        draw_hardware(seed, &h);
        scan(10, 20, 0.15, 0.15, &speed, &capture);
        add_point(&capture, &h, point, speed, seed, 0.1);
        add_track(&capture, speed, 4e-3);
        assert_ok(find(&capture, NULL, &found, &error), error);
        struct errors e = compare(&found, &h);
        assert_near(e.phase_deg, 0.0, 1.0);
        assert_near(e.gain_db, 0.0, 0.1);
        assert_near(e.delay_ps, 0.0, 0.5);
        assert_near(nfsar_vec3_distance(found.place, point), 0.0, 1e-4);
        assert_int_equal(found.told, 3);
        assert_false(found.delay_is_range);
        assert_false(found.angle_is_phase);
        assert_int_equal(nfsar_channels_judge(&found), NFSAR_CHANNELS_GOOD);
        /* A Hann window passes 1.5 times the noise of a mean: -20 dB / 64 * 1.5, by 36.3 dB. */
        assert_near(found.residual_db, -36.3, 1.0);
        /* What it says of its errors is what they are. */
        for (int c = 1; c < N_CHANNEL; c++) {
            assert_true(found.channel[c].delay_sigma_s > 0.05e-12);
            assert_true(found.channel[c].delay_sigma_s < 0.5e-12);
        }
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* Poses that are the same for all transmitters put the way between their chirps into the phases of
 * the channels: at 0.35 m and 20 mm aside, 0.75 mm of the way is some 60 degrees. */
static void transmitters_fire_from_other_places(void **state) {
    (void)state;
    nfsar_error error;
    struct hardware h;
    nfsar_capture capture;
    nfsar_channels found;
    nfsar_vec3 speed, point = {0.0, 0.0, 0.35};
    draw_hardware(5, &h);
    scan(1, 100, 0.1, 0.0, &speed, &capture);
    add_point(&capture, &h, point, speed, 5, 0.0);
    assert_ok(find(&capture, &point, &found, &error), error);
    struct errors e = compare(&found, &h);
    assert_near(e.phase_deg, 0.0, 0.05);
    assert_true(found.residual_db < -100.0);
    nfsar_channels_free(&found);
    /* Without the times the same echoes look like another place for each transmitter. */
    for (int c = 0; c < N_CHANNEL; c++) {
        capture.array.channel_time_s[c] = 0.0;
    }
    assert_ok(find(&capture, &point, &found, &error), error);
    assert_true(found.residual_db > -35.0);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* 4 rows of 20 pulses at 50 mm/s; from one transmitter's chirps to the next's, 19 ms later, the
 * radar goes a quarter of a wavelength, which is half a turn of the phase for a target ahead of it.
 */
static void scan_in_flight(nfsar_vec3 point, const struct hardware *h, uint64_t seed,
                           nfsar_capture *capture) {
    const nfsar_vec3 speed = {0.05, 0.0, 0.0};
    make_capture(4 * 20, capture);
    for (size_t c = 0; c < N_CHANNEL; c++) {
        capture->array.channel_time_s[c] = 19e-3 * (double)capture->array.channel[c].tx;
    }
    for (size_t p = 0; p < capture->n_pulse; p++) {
        capture->time_s[p] = capture->pose_time_s[p] = 0.06 * (double)p;
        capture->pose[p].position =
            (nfsar_vec3){3e-3 * ((double)(p % 20) - 9.5), 0.02 * ((double)(p / 20) - 1.5), 0.0};
    }
    add_point(capture, h, point, speed, seed, 0.1);
    add_track(capture, speed, 45e-3);
}

/* Part of the echoes that adds up in the image at the place. */
static double adds_up(const nfsar_capture *capture, nfsar_vec3 place) {
    const nfsar_grid grid = {{place.x, 1e-3, 1}, {place.y, 1e-3, 1}, {place.z, 1e-3, 1}};
    nfsar_image image = image_bp(capture, &grid, NFSAR_BP_DOUBLE);
    double amplitude = (double)cabsf(image.data[0]);
    nfsar_image_free(&image);
    return amplitude / (double)(capture->n_pulse * N_CHANNEL * N_SAMPLE);
}

/* Calibrated in flight, and then imaged in flight: the images of the transmitters, each from its
 * own places, agree in phase. */
static void images_of_a_moving_radar(void **state) {
    (void)state;
    nfsar_error error;
    struct hardware h;
    nfsar_capture corner, target;
    nfsar_channels found;
    const nfsar_vec3 at = {0.01, -0.005, 0.3}, point = {-0.09, 0.02, 0.4};
    draw_hardware(9, &h);
    scan_in_flight(at, &h, 9, &corner);
    assert_ok(find(&corner, NULL, &found, &error), error);
    assert_near(compare(&found, &h).phase_deg, 0.0, 1.0);
    scan_in_flight(point, &h, 10, &target);
    assert_ok(nfsar_channels_apply(&found, &target, &error), error);
    assert_ok(nfsar_calibration_apply(&target, target.n_pulse, 0, N_SAMPLE, target.echo, &error),
              error);
    double complex by_tx[N_TX] = {0.0};
    for (size_t p = 0; p < target.n_pulse; p++) {
        for (size_t c = 0; c < N_CHANNEL; c++) {
            nfsar_vec3 body = target.pose[2 * p].position;
            body.x += 0.05 * 19e-3 * (double)(c / N_RX);
            double path =
                nfsar_vec3_distance(nfsar_vec3_add(body, target.array.tx_m[c / N_RX]), point) +
                nfsar_vec3_distance(nfsar_vec3_add(body, target.array.rx_m[c % N_RX]), point);
            for (size_t n = 0; n < N_SAMPLE; n++) {
                double turns = fmod(target.frequency_hz[n] * path / NFSAR_SPEED_OF_LIGHT, 1.0);
                by_tx[c / N_RX] += (double complex)target.echo[(p * N_CHANNEL + c) * N_SAMPLE + n] *
                                   cexp(-2.0 * NFSAR_PI * I * turns);
            }
        }
    }
    for (int t = 1; t < N_TX; t++) {
        assert_near(carg(by_tx[t] * conj(by_tx[0])), 0.0, NFSAR_PI / 180.0);
    }
    double sum =
        cabs(by_tx[0] + by_tx[1] + by_tx[2]) / (double)(target.n_pulse * N_CHANNEL * N_SAMPLE);
    /* The imager puts the transmitters where they were; at the triggers' poses they do not agree.
     */
    double right = adds_up(&target, point);
    assert_near(right / sum, 1.0, 1e-4);
    for (int c = 0; c < N_CHANNEL; c++) {
        target.array.channel_time_s[c] = 0.0;
    }
    assert_true(adds_up(&target, point) < 0.95 * right);
    nfsar_channels_free(&found);
    nfsar_capture_free(&corner);
    nfsar_capture_free(&target);
}

static void a_radar_at_rest_before_a_known_place(void **state) {
    (void)state;
    nfsar_error error;
    struct hardware h;
    nfsar_capture capture;
    nfsar_channels found;
    const nfsar_vec3 point = {0.05, -0.03, 0.6};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        draw_hardware(seed, &h);
        make_capture(64, &capture);
        add_point(&capture, &h, point, (nfsar_vec3){0}, seed, 0.1);
        assert_ok(find(&capture, &point, &found, &error), error);
        struct errors e = compare(&found, &h);
        assert_near(e.phase_deg, 0.0, 1.0);
        assert_near(e.gain_db, 0.0, 0.1);
        assert_near(e.delay_ps, 0.0, 0.5);
        /* The place is the point's, to what the point was said to be good for. */
        assert_near(nfsar_vec3_distance(found.place, point), 0.0, 1e-9);
        assert_near(found.place_sigma_m[0], 2e-3, 1e-6);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* At rest and the place unknown: the mean delay is 0, and the phases do not grow along the array.
 */
static void what_is_not_told_follows_the_rules(void **state) {
    (void)state;
    nfsar_error error;
    struct hardware h;
    nfsar_capture capture;
    nfsar_channels found;
    /* 450 ps of delay appear as 67.45 mm of range. */
    const nfsar_vec3 point = {0.0, 0.1, 0.5};
    for (int c = 0; c < N_CHANNEL; c++) {
        h.gain[c] = 1.0;
        h.delay_s[c] = 450e-12;
    }
    make_capture(4, &capture);
    add_point(&capture, &h, point, (nfsar_vec3){0}, 1, 0.0);
    assert_ok(find(&capture, NULL, &found, &error), error);
    assert_true(found.delay_is_range);
    assert_true(found.angle_is_phase);
    double mean = 0.0;
    for (int c = 0; c < N_CHANNEL; c++) {
        mean += found.channel[c].delay_s / N_CHANNEL;
        assert_near(found.channel[c].phase_rad, 0.0, 0.1);
    }
    assert_near(mean, 0.0, 1e-15);
    nfsar_vec3 centre = {0.0, 0.0, 0.0};
    for (int c = 0; c < N_CHANNEL; c++) {
        centre = nfsar_vec3_add(
            centre,
            nfsar_vec3_scale(nfsar_array_phase_centre(&capture.array, (size_t)c), 1.0 / N_CHANNEL));
    }
    double range = nfsar_vec3_distance(centre, point) + 0.5 * 450e-12 * NFSAR_SPEED_OF_LIGHT;
    assert_near(nfsar_vec3_distance(centre, found.place), range, 1e-4);
    /* The sine of its elevation. */
    assert_near((found.place.y - centre.y) / range,
                (point.y - centre.y) / nfsar_vec3_distance(centre, point), 0.01);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

static void refuses(const nfsar_capture *capture, const nfsar_vec3 *point, const char *message) {
    nfsar_error error;
    nfsar_channels found;
    assert_int_equal(find(capture, point, &found, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, message);
    assert_null(found.channel);
}

static void what_is_no_point_is_refused(void **state) {
    (void)state;
    struct hardware h;
    nfsar_capture capture;
    const nfsar_vec3 point = {0.02, -0.015, 0.35}, elsewhere = {0.02, -0.015, 0.75};
    draw_hardware(1, &h);
    make_capture(20, &capture);
    refuses(&capture, NULL, "all samples are zero");
    add_point(&capture, &h, point, (nfsar_vec3){0}, 1, 0.1);
    refuses(&capture, &elsewhere, "no reflector in the data near the point");
    /* A channel that is not connected. */
    for (size_t p = 0; p < 20; p++) {
        for (size_t n = 0; n < N_SAMPLE; n++) {
            capture.echo[(p * N_CHANNEL + 3) * N_SAMPLE + n] *= 1e-4f;
        }
    }
    refuses(&capture, &point, "channel 3 does not see the reflector");
    nfsar_capture_free(&capture);
    /* Noise alone. */
    struct hardware none = {0};
    make_capture(20, &capture);
    add_point(&capture, &none, point, (nfsar_vec3){0}, 2, 1.0);
    refuses(&capture, NULL, "no reflector in the data: ");
    refuses(&capture, &point, "no reflector in the data near the point");
    nfsar_capture_free(&capture);
    /* Poses of another scan: the echo stays where it is while they move. */
    nfsar_vec3 speed;
    nfsar_capture still;
    make_capture(100, &still);
    add_point(&still, &h, point, (nfsar_vec3){0}, 3, 0.1);
    scan(10, 10, 0.2, 0.2, &speed, &capture);
    float complex *echo = capture.echo;
    capture.echo = still.echo;
    still.echo = echo;
    refuses(&capture, &point, "the pulses do not see one point");
    nfsar_capture_free(&capture);
    nfsar_capture_free(&still);
}

static void bad_options_are_named(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    nfsar_channels found;
    make_capture(2, &capture);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_channels_options options = nfsar_channels_defaults();
    options.point_sigma_m = 0.0;
    assert_int_equal(nfsar_channels_find(&capture, &source, &options, &found, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "uncertainty");
    options = nfsar_channels_defaults();
    options.near_m = 3.0; /* 2.398 m are unambiguous */
    assert_int_equal(nfsar_channels_find(&capture, &source, &options, &found, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "unambiguous within 2.398");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_of_an_unknown_place),
        cmocka_unit_test(transmitters_fire_from_other_places),
        cmocka_unit_test(images_of_a_moving_radar),
        cmocka_unit_test(a_radar_at_rest_before_a_known_place),
        cmocka_unit_test(what_is_not_told_follows_the_rules),
        cmocka_unit_test(what_is_no_point_is_refused),
        cmocka_unit_test(bad_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
