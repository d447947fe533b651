#include <nfsar/simulation.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Transmitter to receiver through cover and board: about this long, metres. */
#define LEAKAGE_PATH   0.10
#define LEAKAGE_SPREAD 0.01

void nfsar_impairments_free(nfsar_calibration *hardware) {
    free(hardware->channel_gain);
    free(hardware->channel_delay_s);
    free(hardware->background);
    memset(hardware, 0, sizeof *hardware);
}

static enum nfsar_status check(const nfsar_impairments *what, double echo_rms, nfsar_error *error) {
    const double value[] = {what->gain_error_db, what->phase_error_rad, what->delay_error_s,
                            what->leakage, echo_rms};
    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++) {
        if (!isfinite(value[i]) || value[i] < 0.0) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "channel errors: %g is not a sigma, which must be finite and not "
                              "negative",
                              value[i]);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status allocate(const nfsar_capture *capture, const nfsar_impairments *what,
                                  nfsar_calibration *hardware, nfsar_error *error) {
    size_t channels = capture->array.n_channel;
    size_t samples = 0;
    bool gain = what->gain_error_db > 0.0 || what->phase_error_rad > 0.0;
    bool delay = what->delay_error_s > 0.0;
    bool background = what->leakage > 0.0;
    if (__builtin_mul_overflow(channels, capture->n_sample, &samples)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    hardware->channel_gain = gain ? calloc(channels, sizeof *hardware->channel_gain) : NULL;
    hardware->channel_delay_s = delay ? calloc(channels, sizeof *hardware->channel_delay_s) : NULL;
    hardware->background = background ? calloc(samples, sizeof *hardware->background) : NULL;
    if ((gain && hardware->channel_gain == NULL) || (delay && hardware->channel_delay_s == NULL) ||
        (background && hardware->background == NULL)) {
        nfsar_impairments_free(hardware);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return NFSAR_OK;
}

/* exp(+j 2 pi f t); the phase is reduced in double. */
static float complex phasor(double frequency_hz, double time_s) {
    double turns = frequency_hz * time_s;
    double phase = 2.0 * NFSAR_PI * (turns - floor(turns));
    return CMPLXF((float)cos(phase), (float)sin(phase));
}

static void draw_background(const nfsar_capture *capture, size_t channel, double amplitude,
                            nfsar_random *random, float complex *background) {
    double path = LEAKAGE_PATH + LEAKAGE_SPREAD * nfsar_random_normal(random);
    double phase = 2.0 * NFSAR_PI * nfsar_random_uniform(random);
    float complex factor = (float complex)(amplitude * cexp(I * phase));
    float complex *out = background + channel * capture->n_sample;
    for (size_t i = 0; i < capture->n_sample; i++) {
        out[i] = factor * phasor(capture->frequency_hz[i], path / NFSAR_SPEED_OF_LIGHT);
    }
}

enum nfsar_status nfsar_impairments_draw(const nfsar_capture *capture,
                                         const nfsar_impairments *what, double echo_rms,
                                         nfsar_random *random, nfsar_calibration *hardware,
                                         nfsar_error *error) {
    memset(hardware, 0, sizeof *hardware);
    enum nfsar_status status = check(what, echo_rms, error);
    if (status == NFSAR_OK) {
        status = allocate(capture, what, hardware, error);
    }
    for (size_t c = 0; status == NFSAR_OK && c < capture->array.n_channel; c++) {
        /* Drawn in the same order whatever is wanted: a sigma of zero changes nothing else. */
        double gain = pow(10.0, what->gain_error_db * nfsar_random_normal(random) / 20.0);
        double phase = what->phase_error_rad * nfsar_random_normal(random);
        double delay = what->delay_error_s * nfsar_random_normal(random);
        if (hardware->channel_gain != NULL) {
            hardware->channel_gain[c] = (float complex)(gain * cexp(I * phase));
        }
        if (hardware->channel_delay_s != NULL) {
            hardware->channel_delay_s[c] = delay;
        }
        if (hardware->background != NULL) {
            draw_background(capture, c, what->leakage * echo_rms, random, hardware->background);
        }
    }
    return status;
}

/* gain * exp(+j 2 pi f delay) of every channel and sample. */
static float complex *channel_factors(const nfsar_capture *capture,
                                      const nfsar_calibration *hardware) {
    size_t n = capture->n_sample;
    float complex *factor = calloc(capture->array.n_channel * n, sizeof *factor);
    for (size_t c = 0; factor != NULL && c < capture->array.n_channel; c++) {
        float complex gain = hardware->channel_gain != NULL ? hardware->channel_gain[c] : 1.0f;
        for (size_t i = 0; i < n; i++) {
            factor[c * n + i] = gain;
            if (hardware->channel_delay_s != NULL) {
                factor[c * n + i] =
                    gain * phasor(capture->frequency_hz[i], hardware->channel_delay_s[c]);
            }
        }
    }
    return factor;
}

static void add_noise(double power, uint64_t seed, size_t pulse, size_t n, float complex *echo) {
    nfsar_random random;
    double amplitude = sqrt(power);
    nfsar_random_stream(&random, seed, pulse);
    for (size_t i = 0; i < n; i++) {
        echo[i] += (float complex)(amplitude * nfsar_random_complex_normal(&random));
    }
}

enum nfsar_status nfsar_impair(const nfsar_capture *capture, const nfsar_calibration *hardware,
                               size_t first_pulse, size_t n_pulse, double noise_power,
                               uint64_t noise_seed, int threads, float complex *echo,
                               nfsar_error *error) {
    size_t n = capture->array.n_channel * capture->n_sample;
    bool linear =
        hardware != NULL && (hardware->channel_gain != NULL || hardware->channel_delay_s != NULL);
    const float complex *background = hardware != NULL ? hardware->background : NULL;
    float complex *factor = linear ? channel_factors(capture, hardware) : NULL;
    if (linear && factor == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    threads = threads > 0 ? threads : omp_get_max_threads();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t p = 0; p < n_pulse; p++) {
        float complex *pulse = echo + p * n;
        for (size_t i = 0; factor != NULL && i < n; i++) {
            pulse[i] *= factor[i];
        }
        for (size_t i = 0; background != NULL && i < n; i++) {
            pulse[i] += background[i];
        }
        if (noise_power > 0.0) {
            add_noise(noise_power, noise_seed, first_pulse + p, n, pulse);
        }
    }
    free(factor);
    return NFSAR_OK;
}
