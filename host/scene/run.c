/* Simulating a scene into a capture file, a block of pulses at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#include "host/files/capture_file.h"
#include "host/pod/tables.h"
#include "host/scene/scene.h"
#include "host/scene/streams.h"

/* Samples in memory at a time, bytes. */
#define BLOCK_MEMORY ((size_t)128 << 20)
/* Pulses from which the echo's mean power is estimated when there are more. */
#define PROBE_LIMIT 512

static size_t block_pulses(const nfsar_capture *capture) {
    size_t pulse = capture->array.n_channel * capture->n_sample * sizeof(float complex);
    size_t block = BLOCK_MEMORY / pulse > 0 ? BLOCK_MEMORY / pulse : 1;
    return block < capture->n_pulse ? block : capture->n_pulse;
}

/* ---- mean power, which noise and leakage are relative to ------------------------------------ */

/* One pulse from each of n equal parts of the capture, at random within the part: a stride would
 * beat with the length of the lines. */
static void choose_pulses(const nfsar_capture *capture, size_t n, uint64_t seed, double *time_s) {
    nfsar_random random;
    nfsar_random_stream(&random, seed, STREAM_PROBE);
    for (size_t i = 0; i < n; i++) {
        double part = (double)capture->n_pulse / (double)n;
        size_t pulse = i;
        if (n < capture->n_pulse) {
            pulse = (size_t)(part * ((double)i + nfsar_random_uniform(&random)));
        }
        time_s[i] = capture->time_s[pulse < capture->n_pulse ? pulse : capture->n_pulse - 1];
    }
}

static enum nfsar_status mean_power(const nfsar_scene *scene,
                                    const nfsar_simulation_options *options, double *power,
                                    nfsar_error *error) {
    const nfsar_capture *capture = &scene->capture;
    size_t room = block_pulses(capture);
    size_t n = room < PROBE_LIMIT ? room : PROBE_LIMIT;
    size_t stride = capture->array.n_channel * capture->n_sample;
    double *time = calloc(n, sizeof *time);
    float complex *echo = calloc(stride, sizeof *echo * n);
    enum nfsar_status status = NFSAR_OK;
    if (time == NULL || echo == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        choose_pulses(capture, n, scene->seed, time);
        nfsar_capture probe = *capture;
        probe.n_pulse = n;
        probe.time_s = time;
        status = nfsar_simulate(&probe, scene->scatterers.item, scene->scatterers.n, options, 0, n,
                                echo, NULL, error);
    }
    double sum = 0.0;
    for (size_t i = 0; status == NFSAR_OK && i < n * stride; i++) {
        double re = (double)crealf(echo[i]), im = (double)cimagf(echo[i]);
        sum += re * re + im * im;
    }
    *power = sum / (double)(n * stride);
    free(time);
    free(echo);
    return status;
}

/* No reader takes a capture with a sample that is not a finite number. */
static enum nfsar_status check_samples(const float complex *sample, size_t n, nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(crealf(sample[i])) || !isfinite(cimagf(sample[i]))) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "the echoes are too large for the capture's single precision: make "
                              "the targets' amplitude smaller or their distance larger");
        }
    }
    return NFSAR_OK;
}

/* Name the scene in an error of its content; an argument that it does not accept is one too. */
static enum nfsar_status in_scene(const nfsar_scene *scene, enum nfsar_status status,
                                  nfsar_error *error) {
    if (status == NFSAR_OK || status == NFSAR_ERROR_CANCELLED) {
        return status;
    }
    if (status == NFSAR_ERROR_ARGUMENT) {
        status = NFSAR_ERROR_FORMAT;
        if (error != NULL) {
            error->status = status;
        }
    }
    return nfsar_fail_in(error, status, "%s", scene->path);
}

/* ---- the hardware -------------------------------------------------------------------------- */

struct hardware {
    nfsar_calibration channels; /* what the samples go through; owned */
    double noise_power;
};

static enum nfsar_status copy_calibration(nfsar_capture *capture, const nfsar_calibration *from,
                                          nfsar_error *error) {
    size_t n = capture->array.n_channel;
    nfsar_calibration *to = &capture->calibration;
    nfsar_impairments_free(to);
    if (from->channel_gain != NULL && (to->channel_gain = calloc(n, sizeof *to->channel_gain))) {
        memcpy(to->channel_gain, from->channel_gain, n * sizeof *to->channel_gain);
    }
    if (from->channel_delay_s != NULL &&
        (to->channel_delay_s = calloc(n, sizeof *to->channel_delay_s))) {
        memcpy(to->channel_delay_s, from->channel_delay_s, n * sizeof *to->channel_delay_s);
    }
    if (from->background != NULL &&
        (to->background = calloc(n * capture->n_sample, sizeof *to->background))) {
        memcpy(to->background, from->background, n * capture->n_sample * sizeof *to->background);
    }
    bool all = (from->channel_gain == NULL || to->channel_gain != NULL) &&
               (from->channel_delay_s == NULL || to->channel_delay_s != NULL) &&
               (from->background == NULL || to->background != NULL);
    return all ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

static enum nfsar_status make_hardware(nfsar_scene *scene, const nfsar_simulation_options *options,
                                       struct hardware *hardware, nfsar_error *error) {
    const struct scene_impairments *d = &scene->description->impairments;
    nfsar_impairments what = {0};
    double power = 0.0;
    enum nfsar_status status = NFSAR_OK;
    memset(hardware, 0, sizeof *hardware);
    if (d->snr_db != NULL || d->leakage_db != NULL) {
        status = mean_power(scene, options, &power, error);
    }
    if (d->snr_db != NULL) {
        hardware->noise_power = power * pow(10.0, -*d->snr_db / 10.0);
    }
    if (d->leakage_db != NULL) {
        what.leakage = pow(10.0, *d->leakage_db / 20.0);
    }
    if (d->channels != NULL) {
        what.gain_error_db = d->channels->gain_db;
        what.phase_error_rad = d->channels->phase_deg * NFSAR_PI / 180.0;
        what.delay_error_s = d->channels->delay_s;
    }
    nfsar_random random;
    nfsar_random_stream(&random, scene->seed, STREAM_CHANNELS);
    if (status == NFSAR_OK) {
        status = nfsar_impairments_draw(&scene->capture, &what, sqrt(power), &random,
                                        &hardware->channels, error);
    }
    if (status == NFSAR_OK && hardware->channels.background != NULL) {
        status = check_samples(hardware->channels.background,
                               scene->capture.array.n_channel * scene->capture.n_sample, error);
    }
    if (status == NFSAR_OK && d->calibrated) {
        status = copy_calibration(&scene->capture, &hardware->channels, error);
    }
    return status;
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* Progress of one block as part of the whole. */
struct part {
    const nfsar_progress *whole;
    double from, share;
};

static bool report_part(void *context, double fraction) {
    const struct part *part = context;
    return nfsar_progress_report(part->whole, part->from + part->share * fraction);
}

static enum nfsar_status write_blocks(nfsar_scene *scene, const struct hardware *hardware,
                                      const nfsar_simulation_options *options,
                                      nfsar_capture_writer *writer, float complex *echo,
                                      size_t block, const nfsar_progress *progress,
                                      nfsar_error *error) {
    const nfsar_capture *capture = &scene->capture;
    uint64_t noise_seed = scene->seed ^ (uint64_t)STREAM_NOISE << 56;
    enum nfsar_status status = NFSAR_OK;
    for (size_t first = 0; status == NFSAR_OK && first < capture->n_pulse; first += block) {
        size_t left = capture->n_pulse - first;
        size_t n = left < block ? left : block;
        struct part part = {progress, (double)first / (double)capture->n_pulse,
                            (double)n / (double)capture->n_pulse};
        const nfsar_progress inner = {report_part, &part};
        status = nfsar_simulate(capture, scene->scatterers.item, scene->scatterers.n, options,
                                first, n, echo, &inner, error);
        if (status == NFSAR_OK) {
            status = nfsar_impair(capture, &hardware->channels, first, n, hardware->noise_power,
                                  noise_seed, options->threads, echo, error);
        }
        if (status == NFSAR_OK) {
            status = check_samples(echo, n * capture->array.n_channel * capture->n_sample, error);
        }
        status = in_scene(scene, status, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_write(writer, first, n, echo, error);
        }
    }
    return status;
}

enum nfsar_status nfsar_scene_run(nfsar_scene *scene, const char *path, int threads,
                                  const nfsar_progress *progress, nfsar_error *error) {
    struct hardware hardware;
    nfsar_capture_writer *writer = NULL;
    nfsar_simulation_options options = nfsar_scene_physics(scene);
    options.threads = threads;
    enum nfsar_status status =
        in_scene(scene, make_hardware(scene, &options, &hardware, error), error);
    size_t block = block_pulses(&scene->capture);
    float complex *echo =
        calloc(block, scene->capture.array.n_channel * scene->capture.n_sample * sizeof *echo);
    if (status == NFSAR_OK && echo == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", block);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_writer_create(path, &scene->capture, &writer, error);
    }
    if (status == NFSAR_OK) {
        status =
            scene->description->sensors != NULL
                ? tables_write(capture_writer_output(writer), &scene->pod, &scene->records, error)
                : NFSAR_OK;
        if (status != NFSAR_OK) {
            nfsar_capture_writer_abandon(writer);
        }
    }
    if (status == NFSAR_OK) {
        status = write_blocks(scene, &hardware, &options, writer, echo, block, progress, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_writer_commit(writer, error);
        } else {
            nfsar_capture_writer_abandon(writer);
        }
    }
    nfsar_impairments_free(&hardware.channels);
    free(echo);
    return status;
}
