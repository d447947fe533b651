/* Echoes of point scatterers: who computes what. Many scatterers go by clusters (echo.c), a few
 * sample by sample (simulate_kernel.c).
 *
 * A pulse is computed by one thread, tile of scatterers after tile, each sum in a fixed order: the
 * result does not depend on the number of threads. Distances are computed once for each antenna
 * of a pulse (a transmitter and a receiver serve several channels) and added in pairs. */
#include <nfsar/simulation.h>

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/echo.h"
#include "algorithms/simulate_kernel.h"

/* A scatterer nearer to an antenna than this, in metres, sits on it. */
#define NEAREST 1e-6

/* The scatterers as the kernel wants them, and what is common to all pulses. */
struct job {
    const nfsar_capture *capture;
    const nfsar_simulation_options *options;
    const nfsar_pose *track;
    size_t n_padded;         /* scatterers, filled up to whole lanes */
    double *x, *y, *z;       /* [n_padded] */
    float *re, *im;          /* [n_padded] */
    double *turns_per_metre; /* [n_sample] */
    struct kernel_frequencies frequencies;
    struct echo_engine *engine; /* NULL for few scatterers */
    size_t batch;               /* pulses that are computed together */
};

/* An antenna at the time it is used. */
struct antenna {
    nfsar_vec3 position;
    nfsar_vec3 boresight;
};

/* What one thread works with. */
struct worker {
    struct kernel_scratch *kernel;
    size_t n_antenna;        /* different antennas of the pulse, at most 2 n_channel */
    struct antenna *antenna; /* [2 n_channel] */
    size_t *tx, *rx;         /* [n_channel] index into antenna */
    double *distance;        /* [2 n_channel][KERNEL_TILE] */
    float *gain;             /* [2 n_channel][KERNEL_TILE], with a beam only */
    double *echo;            /* [n_channel][n_sample][2] */
    nfsar_vec3 *ends[3];     /* [batch][n_channel] transmitters, receivers, boresights */
};

static void job_free(struct job *job) {
    free(job->x);
    free(job->y);
    free(job->z);
    free(job->re);
    free(job->im);
    free(job->turns_per_metre);
    echo_destroy(job->engine);
}

static void fill_scatterers(struct job *job, const nfsar_scatterer *scatterer, size_t n) {
    for (size_t i = 0; i < job->n_padded; i++) {
        const nfsar_scatterer *from = &scatterer[i < n ? i : n - 1];
        job->x[i] = from->position.x;
        job->y[i] = from->position.y;
        job->z[i] = from->position.z;
        job->re[i] = i < n ? crealf(from->reflectivity) : 0.0f;
        job->im[i] = i < n ? cimagf(from->reflectivity) : 0.0f;
    }
}

static void fill_frequencies(struct job *job) {
    const nfsar_capture *capture = job->capture;
    double step_hz = 0.0;
    /* 1e-8 of a step over a segment is some 1e-6 turns at most. */
    job->frequencies.uniform =
        nfsar_frequencies_uniform(capture->frequency_hz, capture->n_sample, 1e-8, &step_hz);
    job->frequencies.step_turns_per_metre = step_hz / NFSAR_SPEED_OF_LIGHT;
    job->frequencies.turns_per_metre = job->turns_per_metre;
    job->frequencies.n_sample = capture->n_sample;
    for (size_t i = 0; i < capture->n_sample; i++) {
        job->turns_per_metre[i] = capture->frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
    }
}

static enum nfsar_status job_create(struct job *job, const nfsar_scatterer *scatterer, size_t n,
                                    nfsar_error *error) {
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 p = scatterer[i].position;
        float complex a = scatterer[i].reflectivity;
        if (!isfinite(p.x) || !isfinite(p.y) || !isfinite(p.z) || !isfinite(crealf(a)) ||
            !isfinite(cimagf(a))) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "scatterer %zu is not finite", i);
        }
    }
    if (n > SIZE_MAX - KERNEL_LANES) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%zu scatterers are too many", n);
    }
    job->n_padded = (n + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
    job->x = buffer_alloc(job->n_padded, sizeof *job->x);
    job->y = buffer_alloc(job->n_padded, sizeof *job->y);
    job->z = buffer_alloc(job->n_padded, sizeof *job->z);
    job->re = buffer_alloc(job->n_padded, sizeof *job->re);
    job->im = buffer_alloc(job->n_padded, sizeof *job->im);
    job->turns_per_metre = buffer_alloc(job->capture->n_sample, sizeof *job->turns_per_metre);
    if (job->x == NULL || job->y == NULL || job->z == NULL || job->re == NULL || job->im == NULL ||
        job->turns_per_metre == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu scatterers", n);
    }
    fill_scatterers(job, scatterer, n);
    fill_frequencies(job);
    return NFSAR_OK;
}

static void workers_free(struct worker *workers, int n) {
    for (int i = 0; workers != NULL && i < n; i++) {
        free(workers[i].kernel);
        free(workers[i].antenna);
        free(workers[i].tx);
        free(workers[i].rx);
        free(workers[i].distance);
        free(workers[i].gain);
        free(workers[i].echo);
        for (int k = 0; k < 3; k++) {
            free(workers[i].ends[k]);
        }
    }
    free(workers);
}

static bool worker_create(const struct job *job, struct worker *worker) {
    size_t channels = job->capture->array.n_channel;
    size_t echo = 0;
    if (channels > SIZE_MAX / (2 * KERNEL_TILE) ||
        __builtin_mul_overflow(channels, job->capture->n_sample, &echo)) {
        return false;
    }
    bool beam = job->options->beamwidth_rad > 0.0;
    worker->kernel = buffer_alloc(1, sizeof *worker->kernel);
    worker->antenna = buffer_alloc(2 * channels, sizeof *worker->antenna);
    worker->tx = buffer_alloc(channels, sizeof *worker->tx);
    worker->rx = buffer_alloc(channels, sizeof *worker->rx);
    worker->distance = buffer_alloc(2 * channels * KERNEL_TILE, sizeof *worker->distance);
    worker->gain = beam ? buffer_alloc(2 * channels * KERNEL_TILE, sizeof *worker->gain) : NULL;
    worker->echo = buffer_alloc(echo, 2 * sizeof *worker->echo);
    for (int k = 0; k < 3; k++) {
        worker->ends[k] = buffer_alloc(job->batch * channels, sizeof *worker->ends[k]);
        if (worker->ends[k] == NULL) {
            return false;
        }
    }
    return worker->kernel != NULL && worker->antenna != NULL && worker->tx != NULL &&
           worker->rx != NULL && worker->distance != NULL && (!beam || worker->gain != NULL) &&
           worker->echo != NULL;
}

static struct worker *workers_create(const struct job *job, int n) {
    struct worker *workers = calloc((size_t)n, sizeof *workers);
    for (int i = 0; workers != NULL && i < n; i++) {
        if (!worker_create(job, &workers[i])) {
            workers_free(workers, n);
            return NULL;
        }
    }
    return workers;
}

/* Index of an antenna in the worker's list, appended when it is not there yet. Antennas that move
 * between the channels' times are different antennas. */
static size_t antenna_index(struct worker *worker, const nfsar_pose *pose, nfsar_vec3 body,
                            nfsar_vec3 boresight) {
    struct antenna made = {nfsar_pose_transform(*pose, body), boresight};
    for (size_t i = 0; i < worker->n_antenna; i++) {
        if (memcmp(&worker->antenna[i], &made, sizeof made) == 0) {
            return i;
        }
    }
    worker->antenna[worker->n_antenna] = made;
    return worker->n_antenna++;
}

static void place_antennas(const struct job *job, struct worker *worker, size_t pulse) {
    const nfsar_capture *capture = job->capture;
    const nfsar_array *array = &capture->array;
    double at = NAN;
    nfsar_pose pose = {0};
    nfsar_vec3 boresight = {0};
    worker->n_antenna = 0;
    for (size_t c = 0; c < array->n_channel; c++) {
        double wanted = capture->time_s[pulse] + array->channel_time_s[c];
        if (wanted != at) {
            at = wanted;
            pose = nfsar_track_pose(capture->pose_time_s, job->track, capture->n_pose, at, NULL);
            if (worker->gain != NULL) {
                boresight = nfsar_quaternion_rotate(pose.orientation, (nfsar_vec3){0, 0, 1});
            }
        }
        worker->tx[c] = antenna_index(worker, &pose, array->tx_m[array->channel[c].tx], boresight);
        worker->rx[c] = antenna_index(worker, &pose, array->rx_m[array->channel[c].rx], boresight);
    }
}

/* Amplitudes and path lengths of a pair into the kernel's scratch. */
static void prepare_pair(const struct job *job, struct worker *worker, size_t channel, size_t first,
                         size_t n) {
    struct kernel_scratch *k = worker->kernel;
    const double *from = worker->distance + worker->tx[channel] * KERNEL_TILE;
    const double *to = worker->distance + worker->rx[channel] * KERNEL_TILE;
    for (size_t i = 0; i < n; i++) {
        k->path[i] = from[i] + to[i];
        k->re[i] = job->re[first + i];
        k->im[i] = job->im[first + i];
    }
    if (job->options->spreading) {
        for (size_t i = 0; i < n; i++) {
            float loss = (float)(1.0 / (from[i] * to[i]));
            k->re[i] *= loss;
            k->im[i] *= loss;
        }
    }
    if (worker->gain != NULL) {
        const float *send = worker->gain + worker->tx[channel] * KERNEL_TILE;
        const float *receive = worker->gain + worker->rx[channel] * KERNEL_TILE;
        for (size_t i = 0; i < n; i++) {
            k->re[i] *= send[i] * receive[i];
            k->im[i] *= send[i] * receive[i];
        }
    }
}

/* Add a tile of scatterers to the pulse; false when one of them sits on an antenna. */
static bool add_tile(const struct job *job, struct worker *worker, size_t first, size_t n) {
    const nfsar_capture *capture = job->capture;
    bool near = false;
    for (size_t a = 0; a < worker->n_antenna; a++) {
        double *distance = worker->distance + a * KERNEL_TILE;
        near |= kernel_distances(job->x + first, job->y + first, job->z + first, n,
                                 worker->antenna[a].position, NEAREST, distance);
        if (worker->gain != NULL && !near) {
            kernel_beam(job->x + first, job->y + first, job->z + first, n,
                        worker->antenna[a].position, worker->antenna[a].boresight,
                        job->options->beamwidth_rad, distance, worker->gain + a * KERNEL_TILE);
        }
    }
    for (size_t c = 0; c < capture->array.n_channel && !near; c++) {
        prepare_pair(job, worker, c, first, n);
        kernel_echo(&job->frequencies, worker->kernel, n, worker->echo + 2 * c * capture->n_sample);
    }
    return !near;
}

/* A pulse sample by sample. */
static enum nfsar_status simulate_samples(const struct job *job, struct worker *worker,
                                          size_t pulse, float complex *echo) {
    size_t n = job->capture->array.n_channel * job->capture->n_sample;
    place_antennas(job, worker, pulse);
    memset(worker->echo, 0, 2 * n * sizeof *worker->echo);
    for (size_t first = 0; first < job->n_padded; first += KERNEL_TILE) {
        size_t left = job->n_padded - first;
        if (!add_tile(job, worker, first, left < KERNEL_TILE ? left : KERNEL_TILE)) {
            return NFSAR_ERROR_GEOMETRY;
        }
    }
    for (size_t i = 0; i < n; i++) {
        echo[i] = CMPLXF((float)worker->echo[2 * i], (float)worker->echo[2 * i + 1]);
    }
    return NFSAR_OK;
}

/* Some pulses by clusters of scatterers, but for those that are too near to them. */
static enum nfsar_status simulate_clusters(const struct job *job, struct worker *worker, int thread,
                                           size_t pulse, size_t n_pulse, float complex *echo) {
    size_t n_channel = job->capture->array.n_channel;
    size_t stride = n_channel * job->capture->n_sample, n = 0;
    for (size_t p = 0; p <= n_pulse; p++) {
        nfsar_vec3 *tx = worker->ends[0] + n * n_channel, *rx = worker->ends[1] + n * n_channel;
        nfsar_vec3 *boresight = worker->ends[2] + n * n_channel;
        bool near = p == n_pulse;
        if (p < n_pulse) {
            place_antennas(job, worker, pulse + p);
            for (size_t c = 0; c < n_channel; c++) {
                tx[c] = worker->antenna[worker->tx[c]].position;
                rx[c] = worker->antenna[worker->rx[c]].position;
                boresight[c] = worker->antenna[worker->tx[c]].boresight;
            }
            near = echo_near(job->engine, tx, rx);
        }
        if (!near) {
            n++;
            continue;
        }
        /* What was gathered before this pulse, and then the pulse itself. */
        enum nfsar_status status =
            n > 0 ? echo_pulses(job->engine, thread, n, worker->ends[0], worker->ends[1],
                                worker->ends[2], echo + (p - n) * stride)
                  : NFSAR_OK;
        n = 0;
        if (status == NFSAR_OK && p < n_pulse) {
            status = simulate_samples(job, worker, pulse + p, echo + p * stride);
        }
        if (status != NFSAR_OK) {
            return status;
        }
    }
    return NFSAR_OK;
}

/* Which scatterer sits on which antenna of a pulse: for the message. */
static enum nfsar_status fail_near(const struct job *job, struct worker *worker, size_t pulse,
                                   size_t last, nfsar_error *error) {
    place_antennas(job, worker, pulse);
    for (size_t i = 0; i < job->n_padded; i++) {
        nfsar_vec3 p = {job->x[i], job->y[i], job->z[i]};
        for (size_t a = 0; a < worker->n_antenna; a++) {
            if (nfsar_vec3_distance(p, worker->antenna[a].position) < NEAREST) {
                return nfsar_fail(
                    error, NFSAR_ERROR_GEOMETRY,
                    "scatterer %zu at (%g, %g, %g) m sits on an antenna of pulse %zu; "
                    "move the target or the path",
                    i, p.x, p.y, p.z, pulse);
            }
        }
    }
    if (pulse < last) {
        return fail_near(job, worker, pulse + 1, last, error);
    }
    return nfsar_fail(error, NFSAR_ERROR_GEOMETRY, "a scatterer sits on an antenna of pulse %zu",
                      pulse);
}

static enum nfsar_status run(const struct job *job, struct worker *workers, int threads,
                             size_t first_pulse, size_t n_pulse, float complex *echo,
                             const nfsar_progress *progress, nfsar_error *error) {
    size_t stride = job->capture->array.n_channel * job->capture->n_sample;
    atomic_bool stop = false;
    atomic_size_t done = 0;
    size_t near = SIZE_MAX;
    bool cancelled = false, no_memory = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (size_t i = 0; i < n_pulse; i += job->batch) {
        int thread = omp_get_thread_num();
        size_t n = n_pulse - i < job->batch ? n_pulse - i : job->batch;
        if (atomic_load(&stop)) {
            continue;
        }
        enum nfsar_status status =
            job->engine != NULL
                ? simulate_clusters(job, &workers[thread], thread, first_pulse + i, n,
                                    echo + i * stride)
                : simulate_samples(job, &workers[thread], first_pulse + i, echo + i * stride);
        if (status != NFSAR_OK) {
#pragma omp critical(nfsar_simulate)
            {
                near = status == NFSAR_ERROR_GEOMETRY && first_pulse + i < near ? first_pulse + i
                                                                                : near;
                no_memory = no_memory || status == NFSAR_ERROR_MEMORY;
            }
            atomic_store(&stop, true);
        }
        size_t finished = atomic_fetch_add(&done, n) + n;
        if (thread == 0 && !nfsar_progress_report(progress, (double)finished / (double)n_pulse)) {
            cancelled = true;
            atomic_store(&stop, true);
        }
    }
    if (no_memory) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for range profiles");
    }
    if (near != SIZE_MAX) {
        return fail_near(job, &workers[0], near,
                         (near + job->batch < first_pulse + n_pulse ? near + job->batch
                                                                    : first_pulse + n_pulse) -
                             1,
                         error);
    }
    return cancelled ? nfsar_fail(error, NFSAR_ERROR_CANCELLED, "the simulation was stopped")
                     : NFSAR_OK;
}

enum nfsar_status nfsar_simulate(const nfsar_capture *capture, const nfsar_scatterer *scatterer,
                                 size_t n_scatterer, const nfsar_simulation_options *options,
                                 size_t first_pulse, size_t n_pulse, float complex *echo,
                                 const nfsar_progress *progress, nfsar_error *error) {
    const nfsar_simulation_options plain = {0};
    if (first_pulse > capture->n_pulse || n_pulse > capture->n_pulse - first_pulse) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "pulses %zu + %zu: there are only %zu",
                          first_pulse, n_pulse, capture->n_pulse);
    }
    options = options != NULL ? options : &plain;
    if (!isfinite(options->beamwidth_rad) || options->beamwidth_rad < 0.0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "beamwidth %g rad: must not be negative",
                          options->beamwidth_rad);
    }
    if (n_pulse == 0) {
        return NFSAR_OK;
    }
    struct job job = {
        .capture = capture,
        .options = options,
        .track = capture->true_pose != NULL ? capture->true_pose : capture->pose,
    };
    int threads = options->threads > 0 ? options->threads : omp_get_max_threads();
    threads = (size_t)threads > n_pulse ? (int)n_pulse : threads;
    struct worker *workers = NULL;
    enum nfsar_status status = job_create(&job, scatterer, n_scatterer, error);
    if (status == NFSAR_OK) {
        status = echo_create(capture, scatterer, n_scatterer, options, threads, &job.engine, error);
    }
    if (status == NFSAR_OK) {
        /* Several batches for each thread, so that they finish together. */
        size_t share = n_pulse / (4 * (size_t)threads) + 1;
        size_t most = job.engine != NULL ? echo_room(job.engine) : 1;
        job.batch = share < most ? share : most;
        workers = workers_create(&job, threads);
        status = workers != NULL
                     ? run(&job, workers, threads, first_pulse, n_pulse, echo, progress, error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                                  "out of memory for pulses of %zu channels x %zu samples",
                                  capture->array.n_channel, capture->n_sample);
    }
    workers_free(workers, threads);
    job_free(&job);
    return status;
}
