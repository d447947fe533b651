#include "algorithms/echo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/bp_array.h"
#include "algorithms/buffer.h"
#include "algorithms/echo_kernel.h"
#include "algorithms/simulate_kernel.h"
#include "algorithms/transform.h"

/* Of a unit line at the band's edges, and four profile samples to a range cell for it. */
#define TOLERANCE 2e-5
enum { DENSITY = 4 };

/* Deeper scenes, in profile samples, would take much memory for each thread. */
#define LONGEST_GATE 65536.0

/* An antenna nearer to a cluster's centre than twice its half diagonal sees it from too near for
 * relative ranges in floats: 1 / R loses digits. */
#define NEAR_HALVES 2.0

/* Half turns of the carrier from a cluster's centre to its corners, at most: floats hold them to
 * 1e-5 rad. */
#define WIDEST 64.0

/* What one thread works with. */
struct worker {
    struct bp_lines lines; /* of some pulses */
    struct bp_terms terms;
    struct echo_scratch scratch;
    double *at[3];  /* [pulses * n_antenna] */
    float *profile; /* [pulses * n_link][2][room] */
    size_t room;
    float complex *spectrum; /* [length] */
    double *place[4];        /* [CLUSTER_LIMIT] with a beam: x, y, z of scatterers, distance */
    float *gain;             /* [pulses * n_antenna][CLUSTER_LIMIT] with a beam */
    const float **gains;     /* [pulses * n_antenna] into gain */
};

struct echo_engine {
    const nfsar_capture *capture;
    const nfsar_scatterer *scatterer;
    const nfsar_simulation_options *options;
    struct clusters clusters;
    double low[3], high[3]; /* box of all scatterers */
    struct bp_array array;
    struct bp_lines lines; /* what all pulses have in common */
    struct bandfit *fit;
    echo_kernel *add;
    bool falling;        /* frequencies descend */
    size_t length;       /* of the transform from range to frequency */
    float complex *turn; /* [2 length] exp(-j 2 pi middle i / length), of period 2 length */
    fftwf_plan to_frequency;
    int threads;
    struct worker *worker; /* [threads] */
};

static double square(double x) {
    return x * x;
}

static echo_kernel *kernel_of(enum nfsar_kernel kernel) {
    switch (kernel) {
#if defined(__x86_64__)
    case NFSAR_KERNEL_AVX512:
        return echo_add_avx512;
    case NFSAR_KERNEL_AVX2:
        return echo_add_avx2;
#endif
    default:
        return echo_add_portable;
    }
}

static bool worker_make(const struct echo_engine *engine, struct worker *worker) {
    const struct bp_lines *lines = &engine->lines;
    bool beam = engine->options->beamwidth_rad > 0.0;
    size_t shared = lines->shared ? lines->n_antenna : 0;
    worker->lines = *lines;
    bool good = bp_terms_make(lines, &worker->terms);
    size_t antennas = worker->terms.pulses * lines->n_antenna;
    for (int k = 0; k < 3; k++) {
        worker->at[k] = buffer_alloc(antennas, sizeof *worker->at[k]);
        worker->lines.at[k] = worker->at[k];
        good = good && worker->at[k] != NULL;
    }
    worker->scratch.antenna = buffer_alloc(shared, sizeof *worker->scratch.antenna);
    worker->scratch.moment = buffer_alloc(lines->n_link * ECHO_MOMENT_FLOATS, sizeof(float));
    worker->spectrum = transform_alloc(engine->length);
    good = good && worker->scratch.antenna != NULL && worker->scratch.moment != NULL &&
           worker->spectrum != NULL;
    for (int k = 0; k < 4 && beam; k++) {
        worker->place[k] = buffer_alloc(CLUSTER_LIMIT + CLUSTER_PAD, sizeof *worker->place[k]);
        good = good && worker->place[k] != NULL;
    }
    if (beam) {
        size_t row = CLUSTER_LIMIT + CLUSTER_PAD;
        worker->gain = buffer_alloc(antennas * row, sizeof *worker->gain);
        worker->gains = buffer_alloc(antennas, sizeof *worker->gains);
        good = good && worker->gain != NULL && worker->gains != NULL;
        for (size_t a = 0; good && a < antennas; a++) {
            worker->gains[a] = worker->gain + a * row;
        }
    }
    return good;
}

static void worker_free(struct worker *worker) {
    bp_terms_free(&worker->terms);
    for (int k = 0; k < 3; k++) {
        free(worker->at[k]);
    }
    for (int k = 0; k < 4; k++) {
        free(worker->place[k]);
    }
    free(worker->scratch.antenna);
    free(worker->scratch.moment);
    free(worker->profile);
    fftwf_free(worker->spectrum);
    free(worker->gain);
    free(worker->gains);
}

void echo_destroy(struct echo_engine *engine) {
    if (engine == NULL) {
        return;
    }
    for (int i = 0; engine->worker != NULL && i < engine->threads; i++) {
        worker_free(&engine->worker[i]);
    }
    free(engine->worker);
    clusters_free(&engine->clusters);
    bp_array_free(&engine->array);
    bandfit_destroy(engine->fit);
    fftwf_free(engine->turn);
    transform_destroy(engine->to_frequency);
    free(engine);
}

/* Profile samples that the scene is deep, there and back. */
static double scene_gate(const struct echo_engine *engine) {
    double x = engine->high[0] - engine->low[0], y = engine->high[1] - engine->low[1];
    double z = engine->high[2] - engine->low[2];
    return 2.0 * sqrt(x * x + y * y + z * z) / engine->lines.range_step;
}

/* Most clusters that are less work than the sum sample by sample, by what one line takes in
 * nanoseconds, roughly. */
static size_t most_clusters(const struct echo_engine *engine, size_t n) {
    double length = (double)engine->length, gate = scene_gate(engine);
    double sum = 0.25 * (double)n * (double)engine->capture->n_sample;
    double left = sum - 1.2 * (double)n - 1.5 * gate - 0.5 * length * log2(length);
    return gate < LONGEST_GATE && left > 0.0 ? (size_t)(left / 150.0) : 0;
}

static void find_box(struct echo_engine *engine, size_t n) {
    for (int k = 0; k < 3; k++) {
        engine->low[k] = INFINITY;
        engine->high[k] = -INFINITY;
    }
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 p = engine->scatterer[i].position;
        double at[3] = {p.x, p.y, p.z};
        for (int k = 0; k < 3; k++) {
            engine->low[k] = fmin(engine->low[k], at[k]);
            engine->high[k] = fmax(engine->high[k], at[k]);
        }
    }
}

/* How steeply ranges change along each axis on average: from a few pulses' first channel to the
 * middle of the scene. Never nothing, since not every pulse is the average. */
static enum nfsar_status find_slopes(const struct echo_engine *engine, double slope[3],
                                     nfsar_error *error) {
    enum { LOOKS = 32 };
    const nfsar_capture *capture = engine->capture;
    size_t n = capture->array.n_channel, every = capture->n_pulse / LOOKS + 1;
    nfsar_vec3 *tx = malloc(n * sizeof *tx), *rx = malloc(n * sizeof *rx);
    enum nfsar_status status = tx != NULL && rx != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    slope[0] = slope[1] = slope[2] = 0.15;
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p += every) {
        status = nfsar_capture_antennas(capture, true, p, 1, tx, rx, error);
        if (status != NFSAR_OK) {
            break;
        }
        double from[3] = {tx[0].x, tx[0].y, tx[0].z}, away[3], range = 1e-9;
        for (int k = 0; k < 3; k++) {
            away[k] = 0.5 * (engine->low[k] + engine->high[k]) - from[k];
            range = hypot(range, away[k]);
        }
        for (int k = 0; k < 3; k++) {
            slope[k] += 0.15 + fabs(away[k]) / range;
        }
    }
    free(tx);
    free(rx);
    return status;
}

/* The band, range steps and polynomials; false when frequencies are not equally spaced. */
static bool prepare_band(struct echo_engine *engine) {
    const nfsar_capture *capture = engine->capture;
    size_t n = capture->n_sample;
    double step_hz = 0.0, per_hertz = 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
    if (n < 2 || n > (1u << 24) ||
        !nfsar_frequencies_uniform(capture->frequency_hz, n, 1e-8, &step_hz) || step_hz == 0.0) {
        return false;
    }
    double first = capture->frequency_hz[0] * per_hertz;
    double last = capture->frequency_hz[n - 1] * per_hertz;
    engine->falling = step_hz < 0.0;
    engine->length = transform_length(DENSITY * n);
    engine->lines.range_step =
        2.0 * NFSAR_PI / (fabs(step_hz) * per_hertz * (double)engine->length);
    engine->lines.halfturns_per_metre = 0.5 * (first + last) / NFSAR_PI;
    /* So narrow a band that floats cannot count the half turns of a step. */
    if (engine->lines.range_step * engine->lines.halfturns_per_metre >= 1024.0) {
        return false;
    }
    engine->lines.series_error = 0.3 * TOLERANCE;
    engine->fit = bandfit_create(0.5 * fabs(last - first) * engine->lines.range_step, TOLERANCE);
    engine->lines.fit = engine->fit;
    engine->lines.n_pulse = 1;
    return engine->fit != NULL;
}

static bool prepare_transform(struct echo_engine *engine) {
    size_t length = engine->length;
    double middle = 0.5 * (double)(engine->capture->n_sample - 1);
    engine->turn = transform_alloc(2 * length);
    engine->to_frequency = transform_plan(length, 1, length, FFTW_BACKWARD);
    for (size_t i = 0; engine->turn != NULL && i < 2 * length; i++) {
        double turns = fmod(middle * (double)i / (double)length, 1.0);
        engine->turn[i] = (float complex)cexp(-2.0 * NFSAR_PI * turns * I);
    }
    return engine->turn != NULL && engine->to_frequency != NULL;
}

enum nfsar_status echo_create(const nfsar_capture *capture, const nfsar_scatterer *scatterer,
                              size_t n, const nfsar_simulation_options *options, int threads,
                              struct echo_engine **engine, nfsar_error *error) {
    enum nfsar_kernel kernel;
    enum nfsar_status status = nfsar_kernel_choose(options->kernel, &kernel, error);
    *engine = NULL;
    if (status != NFSAR_OK || n == 0) {
        return status;
    }
    struct echo_engine *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->scatterer = scatterer;
    made->options = options;
    made->threads = threads;
    made->add = kernel_of(kernel);
    find_box(made, n);
    if (!prepare_band(made)) {
        echo_destroy(made);
        return NFSAR_OK;
    }
    double reach = made->fit->level[BANDFIT_LEVELS - 1].reach * (1.0 - 1.0 / BANDFIT_PLACES);
    double radius =
        fmin(0.5 * reach * made->lines.range_step, WIDEST / made->lines.halfturns_per_metre);
    double slope[3];
    status = find_slopes(made, slope, error);
    if (status == NFSAR_OK) {
        status = bp_array_find(&capture->array, &made->array, &made->lines, error);
    }
    if (status != NFSAR_OK) {
        echo_destroy(made);
        return status;
    }
    size_t most = most_clusters(made, n);
    bool good = most > 0 && clusters_make(scatterer, n, radius, slope, most, &made->clusters) &&
                prepare_transform(made);
    made->worker = good ? calloc((size_t)threads, sizeof *made->worker) : NULL;
    good = made->worker != NULL;
    for (int i = 0; good && i < threads; i++) {
        good = worker_make(made, &made->worker[i]);
    }
    /* Where there is no memory for it, scatterers are summed sample by sample. */
    if (!good) {
        echo_destroy(made);
        return NFSAR_OK;
    }
    *engine = made;
    return NFSAR_OK;
}

/* Two-way ranges of all scatterers' box, from all antennas: the profiles' gate. */
static bool open_gate(const struct echo_engine *engine, struct worker *worker, long *first_bin) {
    struct bp_lines *lines = &worker->lines;
    double nearest = INFINITY, farthest = 0.0;
    for (size_t a = 0; a < lines->n_pulse * lines->n_antenna; a++) {
        double near = 0.0, far = 0.0;
        for (int k = 0; k < 3; k++) {
            double low = engine->low[k] - worker->at[k][a];
            double high = engine->high[k] - worker->at[k][a];
            double close = low > 0.0 ? low : high < 0.0 ? high : 0.0;
            double away = -low > high ? low : high;
            near += close * close;
            far += away * away;
        }
        nearest = near < nearest ? near : nearest;
        farthest = far > farthest ? far : farthest;
    }
    double first = floor(2.0 * sqrt(nearest) / lines->range_step) - BANDFIT_TAPS / 2;
    double gate = ceil(2.0 * sqrt(farthest) / lines->range_step) + BANDFIT_TAPS / 2 + 1.0 - first;
    if (!(first + gate < 1e9 && gate < 1e8)) {
        return false;
    }
    *first_bin = (long)first;
    lines->gate = (size_t)gate;
    /* Places are counted from range 0, not from the gate, which depends on the pulses at hand. */
    lines->range_first = 0.0;
    if (lines->gate > worker->room) {
        free(worker->profile);
        worker->room = lines->gate + lines->gate / 4;
        worker->profile = buffer_alloc(2 * worker->terms.pulses * lines->n_link * worker->room,
                                       sizeof *worker->profile);
        worker->room = worker->profile != NULL ? worker->room : 0;
    }
    lines->pitch = worker->room;
    return worker->profile != NULL;
}

bool echo_near(const struct echo_engine *engine, const nfsar_vec3 *tx, const nfsar_vec3 *rx) {
    const struct bp_lines *lines = &engine->lines;
    for (size_t c = 0; c < engine->clusters.n; c++) {
        const struct cluster *cluster = &engine->clusters.cluster[c];
        double reach = square(1e-3);
        for (int k = 0; k < 3; k++) {
            reach += square(NEAR_HALVES * (double)cluster->half[k]);
        }
        for (size_t a = 0; a < lines->n_antenna; a++) {
            size_t source = engine->array.source[a];
            nfsar_vec3 at = source % 2 == 0 ? tx[source / 2] : rx[source / 2];
            if (square(at.x - cluster->centre[0]) + square(at.y - cluster->centre[1]) +
                    square(at.z - cluster->centre[2]) <
                reach) {
                return true;
            }
        }
    }
    return false;
}

/* Amplitude patterns of every antenna toward the cluster's scatterers. */
static void point_beams(const struct echo_engine *engine, struct worker *worker,
                        const struct cluster *cluster, const nfsar_vec3 *boresight) {
    const struct bp_lines *lines = &worker->lines;
    for (size_t i = 0; i < cluster->padded; i++) {
        size_t index = engine->clusters.index[cluster->first + i];
        worker->place[0][i] = engine->scatterer[index].position.x;
        worker->place[1][i] = engine->scatterer[index].position.y;
        worker->place[2][i] = engine->scatterer[index].position.z;
    }
    const double *x = worker->place[0], *y = worker->place[1], *z = worker->place[2];
    for (size_t a = 0; a < lines->n_pulse * lines->n_antenna; a++) {
        nfsar_vec3 at = {worker->at[0][a], worker->at[1][a], worker->at[2][a]};
        size_t channel =
            a / lines->n_antenna * lines->n_link + engine->array.source[a % lines->n_antenna] / 2;
        kernel_distances(x, y, z, cluster->padded, at, 0.0, worker->place[3]);
        kernel_beam(x, y, z, cluster->padded, at, boresight[channel],
                    engine->options->beamwidth_rad, worker->place[3],
                    worker->gain + a * (CLUSTER_LIMIT + CLUSTER_PAD));
    }
}

/* From a line's profile to its samples: s_n = sum_r q(r) exp(+j(k_n - k_c) r). */
static void to_samples(const struct echo_engine *engine, struct worker *worker, const float *re,
                       const float *im, long first_bin, float complex *out) {
    long length = (long)engine->length, n = (long)engine->capture->n_sample;
    memset(worker->spectrum, 0, engine->length * sizeof *worker->spectrum);
    long at = first_bin % (2 * length);
    at += at < 0 ? 2 * length : 0;
    for (size_t i = 0; i < worker->lines.gate; i++) {
        worker->spectrum[at % length] += CMPLXF(re[i], im[i]) * engine->turn[at];
        at = at + 1 < 2 * length ? at + 1 : 0;
    }
    fftwf_execute_dft(engine->to_frequency, worker->spectrum, worker->spectrum);
    for (long i = 0; i < n; i++) {
        out[i] = worker->spectrum[engine->falling ? n - 1 - i : i];
    }
}

size_t echo_room(const struct echo_engine *engine) {
    return engine->worker[0].terms.pulses;
}

enum nfsar_status echo_pulses(struct echo_engine *engine, int thread, size_t n_pulse,
                              const nfsar_vec3 *tx, const nfsar_vec3 *rx,
                              const nfsar_vec3 *boresight, float complex *echo) {
    static const int axis[3] = {0, 1, 2};
    struct worker *worker = &engine->worker[thread];
    struct bp_lines *lines = &worker->lines;
    const struct clusters *all = &engine->clusters;
    size_t n_sample = engine->capture->n_sample;
    long first_bin = 0;
    lines->n_pulse = n_pulse;
    bp_array_place(&engine->array, lines, tx, rx, n_pulse, axis, worker->at);
    if (!open_gate(engine, worker, &first_bin)) {
        return NFSAR_ERROR_MEMORY;
    }
    memset(worker->profile, 0,
           2 * n_pulse * lines->n_link * lines->pitch * sizeof *worker->profile);
    for (size_t c = 0; c < all->n; c++) {
        const struct cluster *cluster = &all->cluster[c];
        if (worker->gain != NULL) {
            point_beams(engine, worker, cluster, boresight);
        }
        struct echo_cluster seen = {
            .n = cluster->padded,
            .norm = all->norm + cluster->first,
            .re = all->re + cluster->first,
            .im = all->im + cluster->first,
            .gain = worker->gains,
            .spreading = engine->options->spreading,
            .first_sample = (int32_t)first_bin,
        };
        for (int k = 0; k < 3; k++) {
            seen.block.centre[k] = cluster->centre[k];
            seen.block.half[k] = cluster->half[k];
            seen.offset[k] = all->offset[k] + cluster->first;
        }
        engine->add(lines, &seen, &worker->terms, &worker->scratch, worker->profile);
    }
    for (size_t line = 0; line < n_pulse * lines->n_link; line++) {
        const float *re = worker->profile + 2 * line * lines->pitch;
        size_t channel =
            line / lines->n_link * lines->n_link + engine->array.channel[line % lines->n_link];
        to_samples(engine, worker, re, re + lines->pitch, first_bin, echo + channel * n_sample);
    }
    return NFSAR_OK;
}
