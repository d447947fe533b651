/* From samples to orders of the angle, at heights of a uniform grid. */
#include "algorithms/csar_plan.h"

#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* nodes[m] = sum_i weight[i][m] samples[i] for CSAR_NODES of them; `pitch` from real to imaginary
 * weights, `step` from those of a sample to the next. */
MULTIVERSION
static void make_nodes(const float complex *samples, size_t n, const float *weight, size_t pitch,
                       size_t step, float *re_out, float *im_out) {
    const float *in = (const float *)samples;
    float re[CSAR_NODES] = {0}, im[CSAR_NODES] = {0};
    for (size_t i = 0; i < n; i++, weight += step) {
        float sr = in[2 * i], si = in[2 * i + 1];
        const float *wr = weight, *wi = weight + pitch;
        for (int m = 0; m < CSAR_NODES; m++) {
            re[m] += sr * wr[m] - si * wi[m];
            im[m] += sr * wi[m] + si * wr[m];
        }
    }
    memcpy(re_out, re, sizeof re);
    memcpy(im_out, im, sizeof im);
}

/* Scratch of one line's nodes, real and imaginary parts of each term, for a tile of lines. */
size_t csar_place_work(const nfsar_csar_plan *plan) {
    size_t tile = CSAR_TILE * plan->node_pitch * plan->n_term;
    size_t lines = 2 * CSAR_TILE * csar_pitch(plan->n_angle);
    return tile > lines ? tile : lines;
}

/* The nodes [first, first + n) of up to CSAR_TILE lines, of which `line` is the first. */
static void place_tile(const nfsar_csar_plan *plan, size_t line, size_t count,
                       float complex *samples, size_t first, size_t n, float *work) {
    size_t n_sample = plan->capture->n_sample, all = csar_lines(plan), terms = plan->n_term;
    size_t begin = first / CSAR_NODES * CSAR_NODES, pitch = plan->node_pitch;
    for (size_t l = 0; l < count; l++) {
        const struct csar_line *at = plan->line + line + l;
        float complex *from = samples + l * n_sample;
        if (at->path != 0.0) {
            nfsar_compensation_apply(at->path, plan->wavenumber, n_sample, from);
        }
        for (size_t t = 0; t < terms; t++) {
            const float *weight = plan->to_nodes + (at->class * n_sample * terms + t) * 2 * pitch;
            float *re = work + 2 * (l * terms + t) * pitch, *im = re + pitch;
            for (size_t m = begin; m < first + n; m += CSAR_NODES) {
                make_nodes(from, n_sample, weight + m, pitch, 2 * terms * pitch, re + m, im + m);
            }
        }
    }
    for (size_t i = 0; i < n * terms; i++) {
        float complex *to = plan->values + i * all + line;
        const float *re = work + 2 * (i % terms) * pitch + first + i / terms;
        for (size_t l = 0; l < count; l++, re += 2 * terms * pitch) {
            to[l] = CMPLXF(re[0], re[pitch]);
        }
    }
}

static enum nfsar_status load(nfsar_csar_plan *plan, const nfsar_echo_source *source, size_t first,
                              size_t n, nfsar_error *error) {
    const nfsar_capture *capture = plan->capture;
    size_t n_channel = capture->array.n_channel, n_sample = capture->n_sample;
    for (size_t p = 0; p < capture->n_pulse; p += plan->pulse_block) {
        size_t pulses =
            capture->n_pulse - p < plan->pulse_block ? capture->n_pulse - p : plan->pulse_block;
        size_t lines = pulses * n_channel;
        enum nfsar_status status =
            source->read(source->context, p, pulses, 0, n_sample, plan->samples, error);
        if (status != NFSAR_OK) {
            return status;
        }
#pragma omp parallel for schedule(dynamic, 16) num_threads(plan->threads)
        for (size_t l = 0; l < lines; l += CSAR_TILE) {
            size_t count = lines - l < CSAR_TILE ? lines - l : CSAR_TILE;
            float *work = (float *)(plan->work + (size_t)omp_get_thread_num() * plan->work_size);
            place_tile(plan, p * n_channel + l, count, plan->samples + l * n_sample, first, n,
                       work);
        }
    }
    return NFSAR_OK;
}

/* Every line onto the grid points under its kernel; `wide`: numbers in a row of weights. */
static inline __attribute__((always_inline)) void
spread_lines(const nfsar_csar_plan *plan, const float complex *value, int wide, float *rows) {
    size_t lines = csar_lines(plan), pitch = 2 * plan->angle_row;
    int width = plan->lattice ? 1 : plan->around.width, height = plan->upward.width;
    for (size_t l = 0; l < lines; l++) {
        const struct csar_line *at = plan->line + l;
        float up[GRIDDING_WIDEST], round[GRIDDING_WIDEST], pair[2 * GRIDDING_WIDEST];
        float re = crealf(value[l]), im = cimagf(value[l]);
        taps_weights(&plan->upward, at->up, wide, up);
        float *to = rows + at->row * pitch + 2 * at->column;
        if (width == 1) {
            for (int j = 0; j < height && j < wide; j++, to += pitch) {
                to[0] += up[j] * re;
                to[1] += up[j] * im;
            }
            continue;
        }
        taps_weights(&plan->around, at->round, wide, round);
        for (int i = 0; i < wide; i++) {
            pair[2 * i] = round[i] * re;
            pair[2 * i + 1] = round[i] * im;
        }
        for (int j = 0; j < height && j < wide; j++, to += pitch) {
            for (int i = 0; i < 2 * wide; i++) {
                to[i] += up[j] * pair[i];
            }
        }
    }
}

MULTIVERSION
static void spread(const nfsar_csar_plan *plan, const float complex *value, float complex *rows) {
    if (plan->around.row == TAPS_NARROW && plan->upward.row == TAPS_NARROW) {
        spread_lines(plan, value, TAPS_NARROW, (float *)rows);
    } else {
        spread_lines(plan, value, GRIDDING_WIDEST, (float *)rows);
    }
}

/* Angles to orders, at every height; the heights come to lie side by side. */
static void turn_rows(const nfsar_csar_plan *plan, float complex *rows, float complex *to,
                      float complex *work) {
    size_t pitch = csar_pitch(plan->n_angle), n = 2 * plan->orders + 1;
    float complex *in = work, *out = work + CSAR_TILE * pitch;
    for (size_t g = 0; g < plan->n_fine; g += CSAR_TILE) {
        for (size_t l = 0; l < CSAR_TILE; l++) {
            float complex *row = rows + (g + l) * plan->angle_row;
            for (size_t i = plan->n_angle; i < plan->angle_row; i++) {
                row[i - plan->n_angle] += row[i];
            }
            memcpy(in, row, plan->n_angle * sizeof *in);
            fftwf_execute_dft(plan->turn, in, out + l * pitch);
        }
        for (size_t i = 0; i < n; i++) {
            /* Orders beyond the transform come round again, as in the sum. */
            long order = (long)i - (long)plan->orders, turn = (long)plan->n_angle;
            size_t bin = (size_t)(((order % turn) + turn) % turn);
            for (size_t l = 0; l < CSAR_TILE; l++) {
                to[i * plan->n_fine + g + l] = out[l * pitch + bin];
            }
        }
    }
}

enum nfsar_status csar_place(nfsar_csar_plan *plan, const nfsar_echo_source *source, size_t first,
                             size_t n, nfsar_error *error) {
    size_t cells = plan->n_fine * plan->angle_row, turned = (2 * plan->orders + 1) * plan->n_fine;
    enum nfsar_status status = load(plan, source, first, n, error);
    if (status != NFSAR_OK) {
        return status;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->threads)
    for (size_t m = 0; m < n * plan->n_term; m++) {
        size_t thread = (size_t)omp_get_thread_num();
        float complex *rows = plan->rows + thread * cells;
        memset(rows, 0, cells * sizeof *rows);
        spread(plan, plan->values + m * csar_lines(plan), rows);
        turn_rows(plan, rows, plan->turned + m * turned, plan->work + thread * plan->work_size);
    }
    return NFSAR_OK;
}
