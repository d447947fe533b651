/* Orders at heights to the lines' samples, and all of it together. */
#include "algorithms/csar_echo.h"

#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"

enum nfsar_status csar_echo_prepare(nfsar_csar_plan *plan, struct csar_echo *echo,
                                    nfsar_error *error) {
    double k_y = 2.0 * (double)plan->half + 1.0, nodes = (double)plan->n_node;
    double sets = (double)plan->n_residue, slice = (double)(plan->x.count * plan->z.count);
    *echo = (struct csar_echo){.plan = plan};
    echo->turn = transform_plan_line(plan->n_angle, FFTW_BACKWARD, nodes * (double)plan->n_fine);
    echo->climb = transform_plan_line(plan->rise_length, FFTW_BACKWARD,
                                      sets * nodes * (double)(2 * plan->orders + 1));
    echo->down = transform_plan_line(plan->down_length, FFTW_FORWARD, sets * slice);
    echo->x = transform_plan_line(plan->x.length, FFTW_FORWARD, k_y * (double)plan->z.length);
    echo->z = transform_plan_line(plan->z.length, FFTW_FORWARD, k_y * (double)plan->x.count);
    bool good = echo->turn != NULL && echo->climb != NULL && echo->down != NULL &&
                echo->x != NULL && echo->z != NULL;
    for (size_t i = 0; i < plan->n_length; i++) {
        echo->to_orders[i] =
            transform_plan_line(plan->length[i], FFTW_FORWARD, k_y * nodes / CSAR_LENGTHS);
        good = good && echo->to_orders[i] != NULL;
    }
    return good ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for transforms");
}

void csar_echo_release(struct csar_echo *echo) {
    transform_destroy(echo->turn);
    transform_destroy(echo->climb);
    transform_destroy(echo->down);
    transform_destroy(echo->x);
    transform_destroy(echo->z);
    for (size_t i = 0; i < CSAR_LENGTHS; i++) {
        transform_destroy(echo->to_orders[i]);
    }
    *echo = (struct csar_echo){0};
}

/* Orders to angles, at every height. */
static void turn_back(const struct csar_echo *echo, const float complex *from, float complex *rows,
                      float complex *work) {
    const nfsar_csar_plan *plan = echo->plan;
    size_t pitch = csar_pitch(plan->n_angle), n = 2 * plan->orders + 1;
    float complex *in = work, *out = work + CSAR_TILE * pitch;
    for (size_t g = 0; g < plan->n_fine; g += CSAR_TILE) {
        memset(in, 0, CSAR_TILE * pitch * sizeof *in);
        for (size_t i = 0; i < n; i++) {
            long order = (long)i - (long)plan->orders, turn = (long)plan->n_angle;
            size_t bin = (size_t)(((order % turn) + turn) % turn);
            for (size_t l = 0; l < CSAR_TILE; l++) {
                in[l * pitch + bin] += from[i * plan->n_fine + g + l];
            }
        }
        for (size_t l = 0; l < CSAR_TILE; l++) {
            float complex *row = rows + (g + l) * plan->angle_row;
            fftwf_execute_dft(echo->turn, in + l * pitch, out);
            memcpy(row, out, plan->n_angle * sizeof *row);
            for (size_t i = plan->n_angle; i < plan->angle_row; i++) {
                row[i] = row[i - plan->n_angle];
            }
        }
    }
}

/* Every line from the grid points under its kernel. */
static inline __attribute__((always_inline)) void
gather_lines(const nfsar_csar_plan *plan, const float *rows, int wide, float complex *value) {
    size_t lines = csar_lines(plan), pitch = 2 * plan->angle_row;
    int width = plan->lattice ? 1 : plan->around.width, height = plan->upward.width;
    for (size_t l = 0; l < lines; l++) {
        const struct csar_line *at = plan->line + l;
        float up[GRIDDING_WIDEST], round[GRIDDING_WIDEST], sum[2 * GRIDDING_WIDEST] = {0};
        float re = 0.0f, im = 0.0f;
        taps_weights(&plan->upward, at->up, wide, up);
        const float *from = rows + at->row * pitch + 2 * at->column;
        if (width == 1) {
            for (int j = 0; j < height && j < wide; j++, from += pitch) {
                re += up[j] * from[0];
                im += up[j] * from[1];
            }
            value[l] = CMPLXF(re, im);
            continue;
        }
        taps_weights(&plan->around, at->round, wide, round);
        for (int j = 0; j < height && j < wide; j++, from += pitch) {
            for (int i = 0; i < 2 * wide; i++) {
                sum[i] += up[j] * from[i];
            }
        }
        for (int i = 0; i < wide; i++) {
            re += round[i] * sum[2 * i];
            im += round[i] * sum[2 * i + 1];
        }
        value[l] = CMPLXF(re, im);
    }
}

MULTIVERSION
static void gather(const nfsar_csar_plan *plan, const float complex *rows, float complex *value) {
    if (plan->around.row == TAPS_NARROW && plan->upward.row == TAPS_NARROW) {
        gather_lines(plan, (const float *)rows, TAPS_NARROW, value);
    } else {
        gather_lines(plan, (const float *)rows, GRIDDING_WIDEST, value);
    }
}

static void unplace(const struct csar_echo *echo, size_t n) {
    nfsar_csar_plan *plan = echo->plan;
    size_t cells = plan->n_fine * plan->angle_row, turned = (2 * plan->orders + 1) * plan->n_fine;
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->threads)
    for (size_t m = 0; m < n * plan->n_term; m++) {
        size_t thread = (size_t)omp_get_thread_num();
        float complex *rows = plan->rows + thread * cells;
        turn_back(echo, plan->turned + m * turned, rows, plan->work + thread * plan->work_size);
        gather(plan, rows, plan->values + m * csar_lines(plan));
    }
}

/* samples[i] += sum_m conj(weight[i][m]) node[m], of `count` nodes: csar_place.c's sum the other
 * way. */
MULTIVERSION
static void make_samples(const float *re, const float *im, size_t count, size_t n,
                         const float *weight, size_t pitch, size_t step, float complex *samples) {
    float *out = (float *)samples;
    for (size_t i = 0; i < n; i++, weight += step) {
        const float *wr = weight, *wi = weight + pitch;
        float sr[CSAR_NODES] = {0}, si[CSAR_NODES] = {0}, sum_re = 0.0f, sum_im = 0.0f;
        for (size_t m = 0; m < count; m += CSAR_NODES) {
            for (size_t t = 0; t < CSAR_NODES; t++) {
                sr[t] += re[m + t] * wr[m + t] + im[m + t] * wi[m + t];
                si[t] += im[m + t] * wr[m + t] - re[m + t] * wi[m + t];
            }
        }
        for (size_t t = 0; t < CSAR_NODES; t++) {
            sum_re += sr[t];
            sum_im += si[t];
        }
        out[2 * i] += sum_re;
        out[2 * i + 1] += sum_im;
    }
}

/* What the nodes [first, first + n) have of every line's samples. */
static void sample_lines(const nfsar_csar_plan *plan, size_t first, size_t n,
                         float complex *samples) {
    size_t all = csar_lines(plan), terms = plan->n_term, pitch = plan->node_pitch;
    size_t n_sample = plan->capture->n_sample;
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (size_t l = 0; l < all; l++) {
        const struct csar_line *at = plan->line + l;
        float *re = (float *)(plan->work + (size_t)omp_get_thread_num() * plan->work_size);
        float *im = re + pitch;
        for (size_t t = 0; t < terms; t++) {
            const float *weight = plan->to_nodes + (at->class * n_sample * terms + t) * 2 * pitch;
            memset(re, 0, 2 * pitch * sizeof *re);
            for (size_t m = 0; m < n; m++) {
                float complex value = plan->values[(m * terms + t) * all + l];
                re[first + m] = crealf(value);
                im[first + m] = cimagf(value);
            }
            make_samples(re, im, pitch, n_sample, weight, pitch, 2 * terms * pitch,
                         samples + l * n_sample);
        }
    }
}

/* The paths that imaging takes out. */
static void put_paths_in(const nfsar_csar_plan *plan, float complex *samples) {
    size_t n_sample = plan->capture->n_sample;
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (size_t l = 0; l < csar_lines(plan); l++) {
        if (plan->line[l].path != 0.0) {
            nfsar_compensation_apply(-plan->line[l].path, plan->wavenumber, n_sample,
                                     samples + l * n_sample);
        }
    }
}

void csar_echo_run(const struct csar_echo *echo, const float complex *image,
                   float complex *samples) {
    nfsar_csar_plan *plan = echo->plan;
    size_t turned = (2 * plan->orders + 1) * plan->n_fine;
    memset(samples, 0, csar_lines(plan) * plan->capture->n_sample * sizeof *samples);
    for (size_t first = 0; first < plan->n_node; first += plan->group) {
        size_t n = plan->n_node - first < plan->group ? plan->n_node - first : plan->group;
        memset(plan->turned, 0, n * plan->n_term * turned * sizeof *plan->turned);
        for (size_t r = 0; r < plan->n_residue; r++) {
            csar_echo_slices(echo, r, image);
            csar_echo_waves(echo, r, first, n);
            csar_echo_climb(echo, r, n);
        }
        unplace(echo, n);
        sample_lines(plan, first, n, samples);
    }
    put_paths_in(plan, samples);
}
