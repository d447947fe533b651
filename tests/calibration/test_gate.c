/* The range gate against the sums that it stands for, written out in double. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <liquid/liquid.h>
#include <nfsar/gate.h>
#include <nfsar/simulation.h>

#include "tests/radar.h"

enum { SAMPLES = 256, LINES = 8 };

/* sum_n w_n s_n exp(-j k_n 2 r) as it is written. */
static double complex image(const double *frequency_hz, const float complex *line, size_t n,
                            bool hann, double r) {
    double complex sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double k = 2.0 * NFSAR_PI * frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
        double phase = 2.0 * NFSAR_PI * (double)i / (double)(n - 1);
        double w = hann ? (1.0 - cos(phase)) * (double)n / (double)(n - 1) : 1.0;
        sum += w * (double complex)line[i] * cexp(-2.0 * I * k * r);
    }
    return sum;
}

/* One pulse of eight channels with noise in all samples: echoes from everywhere. */
static void noisy(nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 7);
    radar_raster("xwr1443-2tx", 1, 1e-3, 1, 1e-3, SAMPLES, capture);
    for (size_t i = 0; i < LINES * SAMPLES; i++) {
        capture->echo[i] = (float complex)nfsar_random_complex_normal(&random);
    }
}

/* Largest difference within the gate, of the sum of all magnitudes. */
static double worst(const nfsar_capture *capture, const nfsar_gate_options *options,
                    size_t *samples) {
    nfsar_error error;
    nfsar_gate *gate = NULL;
    assert_ok(nfsar_gate_create(capture, options, &gate, &error), error);
    nfsar_capture view = nfsar_gate_view(gate, capture);
    *samples = nfsar_gate_samples(gate);
    float complex *out = malloc(LINES * *samples * sizeof *out);
    const nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_gate_read(gate, capture, &source, out, NULL, &error), error);
    double most = 0.0;
    bool hann = options->window == NFSAR_WINDOW_HANN;
    for (size_t line = 0; line < LINES; line++) {
        const float complex *in = capture->echo + line * SAMPLES;
        double all = 0.0;
        for (size_t i = 0; i < SAMPLES; i++) {
            all += (double)cabsf(in[i]);
        }
        for (int i = 0; i <= 64; i++) {
            double r = options->range_m[0] +
                       (options->range_m[1] - options->range_m[0]) * (double)i / 64.0;
            double complex wanted = image(capture->frequency_hz, in, SAMPLES, hann, r);
            double complex got =
                image(view.frequency_hz, out + line * *samples, *samples, false, r);
            most = fmax(most, cabs(got - wanted) / all);
        }
    }
    free(out);
    nfsar_gate_destroy(gate);
    return most;
}

static void keeps_the_image_of_the_gate(void **state) {
    (void)state;
    nfsar_capture capture;
    noisy(&capture);
    nfsar_gate_options options = nfsar_gate_defaults();
    const double gates[][2] = {{0.2, 0.4}, {0.0, 0.2}, {8.9, 9.1}, {0.3, 1.2}};
    size_t samples = 0;
    for (size_t i = 0; i < 4; i++) {
        options.range_m[0] = gates[i][0];
        options.range_m[1] = gates[i][1];
        assert_true(worst(&capture, &options, &samples) < 1e-5);
        /* 4 GHz tell 26.7 ranges in a metre apart; so many frequencies, and some. */
        double cells = (gates[i][1] - gates[i][0]) * 2.0 * 4e9 / NFSAR_SPEED_OF_LIGHT;
        assert_true((double)samples < 1.2 * cells + 14.0);
    }
    options.range_m[0] = 0.2, options.range_m[1] = 0.4;
    options.window = NFSAR_WINDOW_HANN;
    /* Tapers are positions rounded to 1/4096. */
    assert_true(worst(&capture, &options, &samples) < 1e-3);
    options.window = NFSAR_WINDOW_RECTANGULAR;
    options.tolerance = 1e-3;
    assert_true(worst(&capture, &options, &samples) < 1e-3);
    assert_true(samples < 16);
    /* All that there is: nothing to gain, and nothing changes. */
    options.range_m[0] = 0.0, options.range_m[1] = 9.5;
    assert_true(worst(&capture, &options, &samples) < 1e-6);
    assert_int_equal(samples, SAMPLES);
    nfsar_capture_free(&capture);
}

/* ---- an echo outside that is stronger than those inside ------------------------------------- */

/* Two pulses ahead, at 0.3 and 0.36 m, and behind them one 60 dB stronger. */
static const nfsar_vec3 inside_and_beyond[] = {
    {0.0, 0.0, 0.3}, {0.02, -0.01, 0.36}, {0.05, 0.02, 1.1}};
static const double amplitude[] = {1.0, 0.5, 1000.0};

static void add_echoes(nfsar_capture *capture, const nfsar_vec3 *tx, const nfsar_vec3 *rx) {
    for (size_t l = 0; l < capture->n_pulse * LINES; l++) {
        for (size_t t = 0; t < 3; t++) {
            double path = nfsar_vec3_distance(tx[l], inside_and_beyond[t]) +
                          nfsar_vec3_distance(rx[l], inside_and_beyond[t]);
            for (size_t n = 0; n < SAMPLES; n++) {
                double k = 2.0 * NFSAR_PI * capture->frequency_hz[n] / NFSAR_SPEED_OF_LIGHT;
                capture->echo[l * SAMPLES + n] +=
                    (float complex)(amplitude[t] * cexp(I * k * path));
            }
        }
    }
}

/* What is bounded is the error beside the sum of all samples' magnitudes, echoes outside the gate
 * among them, and not beside the strongest echo of the image. */
static void error_is_bounded_by_all_samples(void **state) {
    (void)state;
    enum { PULSES = 12 };
    nfsar_capture capture;
    nfsar_error error;
    nfsar_gate *gate = NULL;
    nfsar_vec3 tx[PULSES * LINES], rx[PULSES * LINES];
    nfsar_gate_options options = nfsar_gate_defaults();
    options.range_m[0] = 0.25, options.range_m[1] = 0.45;
    radar_raster("xwr1443-2tx", 4, 10e-3, 3, 15e-3, SAMPLES, &capture);
    assert_ok(nfsar_capture_antennas(&capture, false, 0, PULSES, tx, rx, &error), error);
    memset(capture.echo, 0, PULSES * LINES * SAMPLES * sizeof *capture.echo);
    add_echoes(&capture, tx, rx);
    assert_ok(nfsar_gate_create(&capture, &options, &gate, &error), error);
    const nfsar_capture view = nfsar_gate_view(gate, &capture);
    float complex *out = malloc(PULSES * LINES * view.n_sample * sizeof *out);
    assert_ok(nfsar_gate_lines(gate, PULSES * LINES, capture.echo, out, &error), error);
    double all = 0.0, worst_error = 0.0, peak = 0.0;
    for (size_t i = 0; i < PULSES * LINES * SAMPLES; i++) {
        all += (double)cabsf(capture.echo[i]);
    }
    for (int voxel = 0; voxel < 9 * 5; voxel++) {
        nfsar_vec3 at = {0.01 * (voxel % 3 - 1), 0.01 * (voxel / 3 % 3 - 1),
                         0.28 + 0.02 * (double)(voxel / 9)};
        double complex wanted = 0.0, got = 0.0;
        for (size_t l = 0; l < PULSES * LINES; l++) {
            double r = 0.5 * (nfsar_vec3_distance(tx[l], at) + nfsar_vec3_distance(rx[l], at));
            assert_true(r >= options.range_m[0] && r <= options.range_m[1]);
            wanted += image(capture.frequency_hz, capture.echo + l * SAMPLES, SAMPLES, false, r);
            got += image(view.frequency_hz, out + l * view.n_sample, view.n_sample, false, r);
        }
        peak = fmax(peak, cabs(wanted));
        worst_error = fmax(worst_error, cabs(got - wanted));
    }
    print_message("60 dB stronger outside: error %.0f dB of all samples' magnitudes, %.0f dB of "
                  "the image's peak\n",
                  20.0 * log10(worst_error / all), 20.0 * log10(worst_error / peak));
    assert_true(worst_error < 1e-5 * all);
    /* The image's own peak is far below that sum: */
    assert_true(peak < 1e-2 * all);
    free(out);
    nfsar_gate_destroy(gate);
    nfsar_capture_free(&capture);
}

/* ---- a block after the other ---------------------------------------------------------------- */

struct blocks {
    size_t most_read, next, most_taken;
};

static enum nfsar_status read_zeros(void *context, size_t first_pulse, size_t n_pulse,
                                    size_t first_sample, size_t n_sample, float complex *out,
                                    nfsar_error *error) {
    struct blocks *blocks = context;
    (void)error;
    assert_int_equal(first_pulse, blocks->next);
    assert_int_equal(first_sample, 0);
    blocks->most_read = n_pulse > blocks->most_read ? n_pulse : blocks->most_read;
    memset(out, 0, n_pulse * n_sample * sizeof *out);
    out[0] = (float)(first_pulse + 1); /* of frequency 0: the sum of weights for each node */
    return NFSAR_OK;
}

static enum nfsar_status take_block(void *context, size_t first_pulse, size_t n_pulse,
                                    const float complex *samples, nfsar_error *error) {
    struct blocks *blocks = context;
    (void)error;
    assert_int_equal(first_pulse, blocks->next);
    assert_true(cabsf(samples[0]) > 0.0F);
    blocks->next += n_pulse;
    blocks->most_taken = n_pulse > blocks->most_taken ? n_pulse : blocks->most_taken;
    return NFSAR_OK;
}

static enum nfsar_status refuse_block(void *context, size_t first_pulse, size_t n_pulse,
                                      const float complex *samples, nfsar_error *error) {
    (void)context, (void)first_pulse, (void)n_pulse, (void)samples;
    return nfsar_fail(error, NFSAR_ERROR_FILE, "full");
}

/* What is in memory at a time does not grow with the number of pulses. */
static void streams_blocks(void **state) {
    (void)state;
    nfsar_gate_options options = nfsar_gate_defaults();
    options.range_m[0] = 0.25, options.range_m[1] = 0.45;
    for (size_t pulses = 20000; pulses <= 50000; pulses += 30000) {
        nfsar_capture capture;
        nfsar_error error;
        nfsar_gate *gate = NULL;
        struct blocks blocks = {0};
        const nfsar_echo_source source = {read_zeros, &blocks};
        radar_raster("single", 1, 1e-3, 1, 1e-3, SAMPLES, &capture);
        capture.n_pulse = pulses; /* nothing but their number is looked at */
        assert_ok(nfsar_gate_create(&capture, &options, &gate, &error), error);
        assert_ok(nfsar_gate_stream(gate, &capture, &source, take_block, &blocks, NULL, &error),
                  error);
        assert_int_equal(blocks.next, pulses);
        assert_int_equal(blocks.most_taken, blocks.most_read);
        assert_int_equal(blocks.most_read, ((size_t)32 << 20) / (SAMPLES * sizeof(float complex)));
        blocks.next = 0;
        assert_int_equal(
            nfsar_gate_stream(gate, &capture, &source, refuse_block, &blocks, NULL, &error),
            NFSAR_ERROR_FILE);
        nfsar_gate_destroy(gate);
        capture.n_pulse = 1;
        nfsar_capture_free(&capture);
    }
}

/* ---- against a filter and decimation -------------------------------------------------------- */

/* Echoes from 0.05 to 4 m, many more than there are cells, and places in the gate. */
enum { ECHOES = 317, PLACES = 17 };

static double echo_range(int i) {
    return 0.05 + 0.0125 * (double)i;
}

/* A Kaiser filter of liquid's that keeps its tails beyond the sweep, and every step-th of its sums:
 * n_out of them, as far out as the filter reaches. Largest error of the image in the gate, of the
 * echo. */
static double filter_error(const nfsar_capture *capture, const double gate[2], int n_out,
                           int step) {
    const int first = (SAMPLES - 1 - (n_out - 1) * step) / 2;
    const int below = step - first - 1, above = first + n_out * step - SAMPLES;
    const int half = below < above ? below : above;
    const double step_hz = capture->frequency_hz[1] - capture->frequency_hz[0];
    const double middle = 0.5 * (gate[0] + gate[1]);
    /* Cycles in a sample, to the gate's end and from where it would be folded into the gate. */
    const double pass = (gate[1] - gate[0]) * step_hz / NFSAR_SPEED_OF_LIGHT;
    const double stop = 1.0 / (double)step - pass;
    if (half < 8 || stop <= pass) {
        return INFINITY;
    }
    const unsigned length = 2U * (unsigned)half + 1U;
    const float width = (float)(stop - pass);
    float *h = malloc(length * sizeof *h);
    liquid_firdes_kaiser(length, 0.5f * (float)(pass + stop),
                         fminf(estimate_req_filter_As(width, length), 140.0f), 0.0f, h);
    double sum = 0.0, worst_error = 0.0;
    for (unsigned i = 0; i < length; i++) {
        sum += (double)h[i];
    }
    for (int place = 0; place < PLACES; place++) {
        double r = gate[0] + (gate[1] - gate[0]) * (double)place / (double)(PLACES - 1);
        double rate = 4.0 * NFSAR_PI * step_hz / NFSAR_SPEED_OF_LIGHT;
        double complex error[SAMPLES];
        for (int n = 0; n < SAMPLES; n++) {
            error[n] = cexp(-I * rate * (double)n * (r - middle));
            for (int m = 0; m < n_out; m++) {
                int tap = n - (first + m * step) + half;
                if (tap >= 0 && tap < (int)length) {
                    error[n] -= (double)step * (double)h[tap] / sum *
                                cexp(-I * rate * (double)(first + m * step) * (r - middle));
                }
            }
        }
        for (int i = 0; i < ECHOES; i++) {
            double complex all = 0.0;
            for (int n = 0; n < SAMPLES; n++) {
                all += error[n] * cexp(I * rate * (double)n * (echo_range(i) - middle));
            }
            worst_error = fmax(worst_error, cabs(all) / SAMPLES);
        }
    }
    free(h);
    return 20.0 * log10(worst_error);
}

static double best_filter(const nfsar_capture *capture, const double gate[2], int n_out) {
    double best = INFINITY;
    int best_step = 0;
    for (int step = SAMPLES / n_out; step < 3 * SAMPLES / n_out; step++) {
        double error = filter_error(capture, gate, n_out, step);
        if (error < best) {
            best = error;
            best_step = step;
        }
    }
    print_message("gate %g to %g m: filter, every %dth of its sums, %d of them: %.0f dB\n", gate[0],
                  gate[1], best_step, n_out, best);
    return best;
}

/* The same of the gate, through its samples. */
static double gate_error(const nfsar_capture *capture, const double gate[2], size_t *samples) {
    nfsar_error error;
    nfsar_gate *made = NULL;
    nfsar_gate_options options = nfsar_gate_defaults();
    options.range_m[0] = gate[0], options.range_m[1] = gate[1];
    assert_ok(nfsar_gate_create(capture, &options, &made, &error), error);
    nfsar_capture view = nfsar_gate_view(made, capture);
    float complex line[SAMPLES], out[SAMPLES];
    double most = 0.0;
    for (int i = 0; i < ECHOES; i++) {
        for (size_t n = 0; n < SAMPLES; n++) {
            double k = 2.0 * NFSAR_PI * capture->frequency_hz[n] / NFSAR_SPEED_OF_LIGHT;
            line[n] = (float complex)cexp(2.0 * I * k * echo_range(i));
        }
        assert_ok(nfsar_gate_lines(made, 1, line, out, &error), error);
        for (int place = 0; place < PLACES; place += 4) {
            double r = gate[0] + (gate[1] - gate[0]) * (double)place / (double)(PLACES - 1);
            double complex wanted = image(capture->frequency_hz, line, SAMPLES, false, r);
            double complex got = image(view.frequency_hz, out, view.n_sample, false, r);
            most = fmax(most, cabs(got - wanted) / SAMPLES);
        }
    }
    *samples = view.n_sample;
    nfsar_gate_destroy(made);
    print_message("gate %g to %g m: fitted, %zu samples: %.0f dB\n", gate[0], gate[1], *samples,
                  20.0 * log10(most));
    return 20.0 * log10(most);
}

/* With as many samples left, which is as much work for what comes after, filters are worse by far
 * but where samples are plenty (docs/theory/gate.md has the numbers). */
static void filters_need_more_samples(void **state) {
    (void)state;
    nfsar_capture capture;
    noisy(&capture);
    const double narrow[2] = {0.24, 0.44}, wide[2] = {0.24, 1.25};
    size_t samples = 0;
    assert_true(gate_error(&capture, narrow, &samples) < -95.0);
    assert_int_equal(samples, 16);
    assert_true(best_filter(&capture, narrow, 16) > -60.0);
    assert_true(best_filter(&capture, narrow, 20) > -95.0);
    assert_true(best_filter(&capture, narrow, 48) < -95.0);
    assert_true(gate_error(&capture, wide, &samples) < -95.0);
    assert_in_range(samples, 40, 48);
    assert_true(best_filter(&capture, wide, 48) > -60.0);
    nfsar_capture_free(&capture);
}

static void takes_out_spurs(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    noisy(&capture);
    nfsar_gate_options options = nfsar_gate_defaults();
    options.n_spur = 3;
    options.spur_m[0] = 1.0, options.spur_m[1] = 1.02, options.spur_m[2] = 1.0;
    nfsar_gate *gate = NULL;
    assert_ok(nfsar_gate_create(&capture, &options, &gate, &error), error);
    assert_int_equal(nfsar_gate_samples(gate), SAMPLES);
    /* A tone at one of the ranges, 60 dB over noise. */
    float complex out[SAMPLES], clean[SAMPLES], line[SAMPLES];
    assert_ok(nfsar_gate_lines(gate, 1, capture.echo, clean, &error), error);
    for (size_t i = 0; i < SAMPLES; i++) {
        double k = 2.0 * NFSAR_PI * capture.frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
        line[i] = capture.echo[i] + (float complex)(1000.0 * cexp(2.0 * I * k * 1.02));
    }
    assert_ok(nfsar_gate_lines(gate, 1, line, out, &error), error);
    double left = 0.0, lost = 0.0, power = 0.0;
    for (size_t i = 0; i < SAMPLES; i++) {
        left += pow((double)cabsf(out[i] - clean[i]), 2.0);
        lost += pow((double)cabsf(clean[i] - capture.echo[i]), 2.0);
        power += pow((double)cabsf(capture.echo[i]), 2.0);
    }
    assert_true(sqrt(left / SAMPLES) < 1e-2);
    /* Two of 256 dimensions are gone. */
    assert_true(lost / power < 0.04);
    assert_true(cabs(image(capture.frequency_hz, out, SAMPLES, false, 1.0)) < 1e-2 * SAMPLES);
    nfsar_gate_destroy(gate);
    nfsar_capture_free(&capture);
}

static void knows_what_a_grid_needs(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("single", 3, 0.1, 1, 1e-3, 16, &capture);
    const nfsar_grid grid = {{-0.05, 0.1, 2}, {0.0, 1.0, 1}, {0.3, 0.1, 2}};
    double range[2];
    assert_ok(nfsar_gate_of_grid(&capture, &grid, range, &error), error);
    /* From (0, 0, 0) straight ahead; from (-0.1, 0, 0) to (0.05, 0, 0.4). */
    assert_near(range[0], 0.3, 1e-9);
    assert_near(range[1], hypot(0.15, 0.4), 1e-9);
    nfsar_capture_free(&capture);
}

static void refuses_other_gates(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("single", 3, 0.1, 1, 1e-3, 16, &capture);
    /* 15 steps of 267 MHz: 0.5621 m. */
    assert_int_equal(nfsar_gate_check(&capture, (double[]){0.5, 0.6}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "0.5621 m only");
    assert_int_equal(nfsar_gate_check(&capture, (double[]){0.3, 0.2}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_gate_check(&capture, (double[]){-0.1, 0.2}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_gate_check(&capture, (double[]){NAN, 0.2}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_ok(nfsar_gate_check(&capture, (double[]){0.3, 0.5}, &error), error);
    capture.gated = (nfsar_gated){{0.3, 0.5}, {77e9, 81e9}};
    assert_int_equal(nfsar_gate_check(&capture, (double[]){0.2, 0.4}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "gated from 0.3 to 0.5 m already");
    nfsar_gate *gate = NULL;
    nfsar_gate_options options = nfsar_gate_defaults();
    options.tolerance = NAN;
    assert_int_equal(nfsar_gate_create(&capture, &options, &gate, &error), NFSAR_ERROR_ARGUMENT);
    assert_null(gate);
    options = nfsar_gate_defaults();
    options.n_spur = 1, options.spur_m[0] = 0.6;
    capture.gated = (nfsar_gated){0};
    assert_int_equal(nfsar_gate_create(&capture, &options, &gate, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "spur at 0.6 m: this capture's frequency steps tell ranges up");
    /* Nothing was recorded. */
    capture.gated = (nfsar_gated){0};
    nfsar_gate_content content;
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(nfsar_gate_look(&capture, &source, (double[]){0.1, 0.2}, &content, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "samples are zero");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_image_of_the_gate),
        cmocka_unit_test(error_is_bounded_by_all_samples),
        cmocka_unit_test(streams_blocks),
        cmocka_unit_test(filters_need_more_samples),
        cmocka_unit_test(takes_out_spurs),
        cmocka_unit_test(knows_what_a_grid_needs),
        cmocka_unit_test(refuses_other_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
