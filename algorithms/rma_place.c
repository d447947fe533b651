/* From samples to places on the lattice: compensation, windows, and as many frequencies as the
 * grid's ranges need. */
#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/nurma_plan.h"
#include "algorithms/phasor.h"

void rma_samples_for(const nfsar_rma_plan *plan, size_t first, size_t n, size_t *first_sample,
                     size_t *n_sample) {
    *first_sample = plan->thin->exact ? first : 0;
    *n_sample = plan->thin->exact ? n : plan->capture->n_sample;
}

size_t rma_place_work(const nfsar_rma_plan *plan) {
    return RMA_TILE * (plan->thin->exact ? plan->k_block : plan->capture->n_sample);
}

/* Turn a piece of a line by exp(-j k path) and weigh it; real and imaginary parts apart. */
MULTIVERSION
static void turn(const float complex *samples, const double *wavenumber, const float *taper,
                 size_t n, double path, float weight, float *re, float *im) {
    const float *in = (const float *)samples;
    double scale = -path / (2.0 * NFSAR_PI);
    for (size_t i = 0; i < n; i++) {
        double turns = wavenumber[i] * scale;
        float c, s, w = weight * taper[i];
        phasor_turns((float)(turns - rint(turns)), &c, &s);
        re[i] = w * (in[2 * i] * c - in[2 * i + 1] * s);
        im[i] = w * (in[2 * i] * s + in[2 * i + 1] * c);
    }
}

/* n numbers of one line to column l of a tile: [n][2][RMA_TILE]. */
static void lay(const float *re, const float *im, size_t n, float *tile) {
    for (size_t i = 0; i < n; i++) {
        tile[2 * RMA_TILE * i] = re[i];
        tile[2 * RMA_TILE * i + RMA_TILE] = im[i];
    }
}

static inline void store(const float *re, const float *im, float complex *out) {
    float *to = (float *)out;
    for (size_t l = 0; l < RMA_TILE; l++) {
        to[2 * l] = re[l];
        to[2 * l + 1] = im[l];
    }
}

/* out[m][line] = sum_i weight[i][first + m] tile[i][line]. */
static void thin(const nfsar_rma_plan *plan, const float *tile, size_t n_in, size_t first, size_t n,
                 float complex *out, size_t pitch) {
    _Alignas(64) float sum[RMA_ROWS * 2 * RMA_TILE];
    for (size_t m = 0; m < n; m += RMA_ROWS) {
        size_t rows = n - m < RMA_ROWS ? n - m : RMA_ROWS;
        const float *weight[RMA_ROWS];
        for (size_t r = 0; r < RMA_ROWS; r++) {
            weight[r] = plan->thin->weight + first + m + (r < rows ? r : 0);
        }
        plan->kernels->weigh(tile, n_in, weight, plan->n_wave, sum);
        for (size_t r = 0; r < rows; r++) {
            const float *re = sum + 2 * RMA_TILE * r;
            store(re, re + RMA_TILE, out + (m + r) * pitch);
        }
    }
}

/* One tile of lines, of which `count` are there. */
static void place_tile(const nfsar_rma_plan *plan, const struct rma_line *line,
                       const float complex *samples, size_t count, size_t first_wave, size_t n_wave,
                       float complex *out, size_t pitch, float *tile) {
    size_t first, n;
    rma_samples_for(plan, first_wave, n_wave, &first, &n);
    if (count < RMA_TILE) {
        memset(tile, 0, 2 * RMA_TILE * n * sizeof *tile);
    }
    for (size_t i = 0; i < n; i += RMA_CHUNK) {
        size_t piece = n - i < RMA_CHUNK ? n - i : RMA_CHUNK;
        for (size_t l = 0; l < count; l++) {
            float re[RMA_CHUNK], im[RMA_CHUNK];
            turn(samples + l * n + i, plan->wavenumber + first + i,
                 plan->frequency_taper + first + i, piece, line[l].path, line[l].weight, re, im);
            lay(re, im, piece, tile + 2 * RMA_TILE * i + l);
        }
    }
    if (!plan->thin->exact) {
        thin(plan, tile, n, first_wave, n_wave, out, pitch);
        return;
    }
    for (size_t m = 0; m < n; m++) {
        const float *re = tile + 2 * RMA_TILE * m;
        store(re, re + RMA_TILE, out + m * pitch);
    }
}

/* Add a block of lines to the cells of one frequency. Phase centres that share a cell add up, as
 * they would in backprojection. */
static void scatter(const struct rma_line *line, const float complex *from, size_t n,
                    float complex *cells) {
    for (size_t l = 0; l < n; l++) {
        cells[line[l].cell] += from[l];
    }
}

/* What all blocks of pulses have in common. */
struct job {
    nfsar_rma_plan *plan;
    const nfsar_echo_source *source;
    size_t first, n;               /* waves' frequencies */
    size_t first_sample, n_sample; /* what they are made of */
    size_t pitch, cells;
    enum nfsar_status status;
    nfsar_error *error;
};

static size_t pulses_from(const nfsar_rma_plan *plan, size_t p) {
    size_t left = p < plan->lattice->n_pulse ? plan->lattice->n_pulse - p : 0;
    return left < plan->pulse_block ? left : plan->pulse_block;
}

/* The samples of the block that begins with pulse p: two blocks have room, one that is worked on
 * and one that is read. */
static float complex *block_at(const nfsar_rma_plan *plan, size_t p, size_t n_sample) {
    size_t block = plan->pulse_block * plan->lattice->n_channel * n_sample;
    return plan->samples + p / plan->pulse_block % 2 * block;
}

static void read_block(struct job *job, size_t p) {
    size_t count = pulses_from(job->plan, p);
    if (count > 0 && job->status == NFSAR_OK) {
        job->status =
            job->source->read(job->source->context, p, count, job->first_sample, job->n_sample,
                              block_at(job->plan, p, job->n_sample), job->error);
    }
}

/* One thread's share of the block that begins with pulse p, while one of the threads reads the
 * next.
 */
static void place_block(struct job *job, size_t p) {
    nfsar_rma_plan *plan = job->plan;
    size_t lines = pulses_from(plan, p) * plan->lattice->n_channel;
    const struct rma_line *line = plan->line + p * plan->lattice->n_channel;
    const float complex *samples = block_at(plan, p, job->n_sample);
    float *tile = (float *)(plan->work + (size_t)omp_get_thread_num() * plan->work_size);
#pragma omp single nowait
    read_block(job, p + plan->pulse_block);
#pragma omp for schedule(dynamic, 4)
    for (size_t l = 0; l < lines; l += RMA_TILE) {
        size_t count = lines - l < RMA_TILE ? lines - l : RMA_TILE;
        place_tile(plan, line + l, samples + l * job->n_sample, count, job->first, job->n,
                   plan->thinned + l, job->pitch, tile);
        if (plan->nurma != NULL) {
            nurma_keep(plan, p * plan->lattice->n_channel + l, count, plan->thinned + l, job->pitch,
                       job->n);
        }
    }
    if (plan->nurma != NULL) {
        return;
    }
    /* Threads take different frequencies, so none writes where another does. */
#pragma omp for schedule(static)
    for (size_t m = 0; m < job->n; m++) {
        scatter(line, plan->thinned + m * job->pitch, lines, plan->cube + m * job->cells);
    }
}

enum nfsar_status rma_place(nfsar_rma_plan *plan, const nfsar_echo_source *source, size_t first,
                            size_t n, nfsar_error *error) {
    const nfsar_lattice *lattice = plan->lattice;
    struct job job = {.plan = plan,
                      .source = source,
                      .first = first,
                      .n = n,
                      .pitch = rma_pitch(plan->pulse_block * lattice->n_channel),
                      .cells = lattice->n_shift * plan->y.n * plan->cell_width,
                      .error = error};
    rma_samples_for(plan, first, n, &job.first_sample, &job.n_sample);
    read_block(&job, 0);
#pragma omp parallel num_threads(plan->threads)
    {
#pragma omp for schedule(static)
        for (size_t m = 0; m < (plan->nurma == NULL ? n : 0); m++) {
            memset(plan->cube + m * job.cells, 0, job.cells * sizeof *plan->cube);
        }
        /* After a failure the rest is done with what is there, and thrown away. */
        for (size_t p = 0; p < lattice->n_pulse; p += plan->pulse_block) {
            place_block(&job, p);
        }
    }
    return job.status;
}
