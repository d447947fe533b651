#include "algorithms/sparse/planar_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Waves whose k_z is below the root of this times K are left out. */
#define LEAST_COSINE_SQUARED 0.02

/* What a row of waves of one frequency has in common: k_z, and the weight and 1 / k_z. */
struct row {
    size_t from, end; /* the waves that are there */
    double *kz;
    float *weight, *inverse;
};

/* 1 up to `inner`, 0 from `outer` on, with two continuous derivatives. */
static inline double fade(double tangent, double inner, double per) {
    double u = 1.0 - (tangent - inner) * per;
    u = u < 0.0 ? 0.0 : u;
    u = u > 1.0 ? 1.0 : u;
    return u * u * u * (10.0 - 15.0 * u + 6.0 * u * u);
}

MULTIVERSION
static void make_waves(const struct planar_axis *x, const struct planar_axis *y, double two_k,
                       double ky, const struct row *row) {
    double along = two_k * two_k - ky * ky, least = LEAST_COSINE_SQUARED * two_k * two_k;
    double scale = two_k * x->step * y->step / (2.0 * NFSAR_PI), step = x->step;
    double x_inner = x->inner, x_per = 1.0 / (x->outer - x->inner), y_inner = y->inner;
    double y_per = 1.0 / (y->outer - y->inner), across = fabs(ky);
    int half = (int)x->half, n = (int)x->bins;
    double *restrict kz = row->kz;
    float *restrict weight = row->weight, *restrict inverse = row->inverse;
    for (int i = 0; i < n; i++) {
        double kx = step * (double)(i - half), square = along - kx * kx;
        double root = sqrt(square > least ? square : least), per = 1.0 / root;
        double w = fade(fabs(kx) * per, x_inner, x_per) * fade(across * per, y_inner, y_per);
        kz[i] = root;
        inverse[i] = (float)per;
        weight[i] = (float)((square > least ? scale : 0.0) * w * per * per);
    }
}

static void make_row(const struct planar *planar, double wavenumber, double ky, struct row *row) {
    make_waves(&planar->x, &planar->y, 2.0 * wavenumber, ky, row);
    row->from = 0, row->end = planar->x.bins;
    while (row->end > 0 && row->weight[row->end - 1] == 0.0f) {
        row->end--;
    }
    while (row->from < row->end && row->weight[row->from] == 0.0f) {
        row->from++;
    }
}

/* to[i] += F from[i] at one depth, or to[i] += conj(F) from[i]; both F by the same arithmetic. */
MULTIVERSION
static void turn_row(const struct row *row, double depth, double turns, bool conjugate,
                     const float complex *from, float complex *to) {
    const float *restrict in = (const float *)(from + row->from);
    float *restrict out = (float *)(to + row->from), d = (float)depth;
    const float *restrict weight = row->weight + row->from, *restrict inverse =
                                                                row->inverse + row->from;
    const double *restrict kz = row->kz + row->from;
    float sign = conjugate ? -1.0f : 1.0f;
    double per = depth * (0.5 / NFSAR_PI);
    size_t n = row->end - row->from;
    for (size_t i = 0; i < n; i++) {
        double phase = kz[i] * per + turns;
        float c, s;
        phasor_turns((float)(phase - rint(phase)), &c, &s);
        float w = weight[i], v = inverse[i];
        float re = w * (-d * s - v * c), im = sign * w * (d * c - v * s);
        out[2 * i] += re * in[2 * i] - im * in[2 * i + 1];
        out[2 * i + 1] += re * in[2 * i + 1] + im * in[2 * i];
    }
}

/* One plane of positions, and a block of frequencies. */
struct pass {
    size_t first, n; /* frequencies */
    double offset;   /* of the plane */
    bool back;       /* from samples to the volume */
};

static double depth_of(const struct planar *planar, const struct pass *pass, size_t z) {
    return planar->side * (nfsar_axis_at(&planar->grid.z, z) - planar->plane) - pass->offset;
}

/* All frequencies of one row of waves. line[nz][x.bins]: the volume's waves there, or room for
 * them. */
static void pass_row(const struct planar *planar, const struct pass *pass, size_t j,
                     const struct row *place, float complex *line) {
    const struct planar_axis *x = &planar->x;
    size_t nz = planar->grid.z.count, plane = planar->y.bins * x->bins;
    double ky = planar->y.step * ((double)j - (double)planar->y.half);
    struct row row = *place;
    for (size_t m = 0; m < pass->n; m++) {
        double k = planar->wavenumber[pass->first + m];
        float complex *mode = planar->modes + m * plane + j * x->bins;
        double turns = planar_carrier(planar, k) * pass->offset * (0.5 / NFSAR_PI);
        make_row(planar, k, ky, &row);
        if (!pass->back) {
            memset(mode, 0, x->bins * sizeof *mode);
        }
        for (size_t z = 0; z < nz; z++) {
            float complex *here = line + z * x->bins;
            turn_row(&row, depth_of(planar, pass, z), turns, pass->back, pass->back ? mode : here,
                     pass->back ? here : mode);
        }
    }
}

/* The waves that share row r of the volume's transform. */
static void pass_place(const struct planar *planar, const struct pass *pass, size_t r,
                       const struct row *row, float complex *line) {
    const struct planar_axis *x = &planar->x, *y = &planar->y;
    size_t nz = planar->grid.z.count, plane = y->length * x->length;
    float complex *spectrum = planar->spectrum + r * x->length;
    for (size_t z = 0; z < nz; z++) {
        for (size_t i = 0; i < x->bins; i++) {
            line[z * x->bins + i] = pass->back ? 0.0f : spectrum[z * plane + x->place[i]];
        }
    }
    for (size_t j = 0; j < y->bins; j++) {
        if (y->place[j] == r) {
            pass_row(planar, pass, j, row, line);
        }
    }
    for (size_t z = 0; pass->back && z < nz; z++) {
        for (size_t i = 0; i < x->bins; i++) {
            spectrum[z * plane + x->place[i]] += line[z * x->bins + i];
        }
    }
}

static void pass_all(const struct planar *planar, const struct pass *pass) {
#pragma omp parallel num_threads(planar->threads)
    {
        size_t thread = (size_t)omp_get_thread_num(), bins = planar->x.bins;
        float complex *work = planar->work + thread * planar->work_size;
        float *floats = (float *)(work + planar->grid.z.count * bins);
        struct row row = {
            .kz = planar->kz + thread * bins, .weight = floats, .inverse = floats + bins};
#pragma omp for schedule(dynamic)
        for (size_t r = 0; r < planar->y.length; r++) {
            pass_place(planar, pass, r, &row, work);
        }
    }
}

/* Factor of a line's sample: compensation and carrier, times the weight of the plane. */
static float complex factor_of(const struct planar *planar, size_t line, size_t k, size_t plane) {
    double wave = planar->wavenumber[k];
    double phase = wave * planar->path[line] - planar_carrier(planar, wave) * planar->away[line];
    const exponentials *planes = planar->planes;
    double weight = planes == NULL  ? 1.0
                    : planes->exact ? (line == plane ? 1.0 : 0.0)
                                    : (double)planes->weight[line * planes->n_node + plane];
    return (float complex)(weight * cexp(phase * I));
}

/* Between samples and the values of one plane and block. */
static void exchange(const struct planar *planar, const struct pass *pass, size_t plane,
                     float complex *samples, const float complex *given) {
#pragma omp parallel for schedule(static) num_threads(planar->threads)
    for (size_t l = 0; l < planar->n_line; l++) {
        float complex *values = planar->values + l * PLANAR_BLOCK;
        for (size_t m = 0; m < PLANAR_BLOCK; m++) {
            size_t k = pass->first + m, at = l * planar->n_sample + k;
            if (m >= pass->n) {
                values[m] = 0.0f;
                continue;
            }
            float complex factor = factor_of(planar, l, k, plane);
            if (pass->back) {
                values[m] = conjf(factor) * given[at];
            } else {
                samples[at] += factor * values[m];
            }
        }
    }
}

/* Lines of one slice along x, then along y. */
static void transform_slice(const struct planar *planar, float complex *slice, bool up,
                            float complex *work) {
    const struct planar_axis *x = &planar->x, *y = &planar->y;
    for (size_t j = 0; x->length > 1 && j < y->length; j++) {
        memcpy(work, slice + j * x->length, x->length * sizeof *work);
        fftwf_execute_dft(up ? x->up : x->down, work, work);
        memcpy(slice + j * x->length, work, x->length * sizeof *work);
    }
    for (size_t i = 0; y->length > 1 && i < x->length; i++) {
        for (size_t j = 0; j < y->length; j++) {
            work[j] = slice[j * x->length + i];
        }
        fftwf_execute_dft(up ? y->up : y->down, work, work);
        for (size_t j = 0; j < y->length; j++) {
            slice[j * x->length + i] = work[j];
        }
    }
}

static void transform_volume(const struct planar *planar, bool up) {
    size_t plane = planar->x.length * planar->y.length;
#pragma omp parallel for schedule(dynamic) num_threads(planar->threads)
    for (size_t z = 0; z < planar->grid.z.count; z++) {
        float complex *work = planar->work + (size_t)omp_get_thread_num() * planar->work_size;
        transform_slice(planar, planar->spectrum + z * plane, up, work);
    }
}

/* The volume into its corner of the transforms, or out of it. */
static void copy_volume(const struct planar *planar, const float complex *in, float complex *out) {
    const struct planar_axis *x = &planar->x, *y = &planar->y;
    for (size_t z = 0; z < planar->grid.z.count; z++) {
        for (size_t j = 0; j < y->count; j++) {
            float complex *here = planar->spectrum + (z * y->length + j) * x->length;
            size_t at = (z * y->count + j) * x->count;
            if (in != NULL) {
                memcpy(here, in + at, x->count * sizeof *here);
            } else {
                memcpy(out + at, here, x->count * sizeof *here);
            }
        }
    }
}

static void clear_spectrum(const struct planar *planar) {
    memset(planar->spectrum, 0,
           planar->grid.z.count * planar->y.length * planar->x.length * sizeof *planar->spectrum);
}

/* Every block of frequencies and every plane. */
static void pass_blocks(const struct planar *planar, bool back, float complex *samples,
                        const float complex *given) {
    for (size_t first = 0; first < planar->n_sample; first += PLANAR_BLOCK) {
        size_t left = planar->n_sample - first;
        struct pass pass = {
            .first = first, .n = left < PLANAR_BLOCK ? left : PLANAR_BLOCK, .back = back};
        if (!back && pass.n < PLANAR_BLOCK) {
            size_t plane = planar->x.bins * planar->y.bins;
            memset(planar->modes + pass.n * plane, 0,
                   (PLANAR_BLOCK - pass.n) * plane * sizeof *planar->modes);
        }
        for (size_t p = 0; p < planar_planes(planar); p++) {
            pass.offset = planar->planes != NULL ? planar->planes->node[p] : 0.0;
            if (back) {
                exchange(planar, &pass, p, NULL, given);
                nfsar_nufft_type1(planar->nufft, planar->values, planar->modes);
                pass_all(planar, &pass);
            } else {
                pass_all(planar, &pass);
                nfsar_nufft_type2(planar->nufft, planar->modes, planar->values);
                exchange(planar, &pass, p, samples, NULL);
            }
        }
    }
}

static enum nfsar_status forward(void *context, const float complex *image, float complex *samples,
                                 nfsar_error *error) {
    const struct planar *planar = context;
    (void)error;
    clear_spectrum(planar);
    copy_volume(planar, image, NULL);
    transform_volume(planar, true);
    memset(samples, 0, planar->n_line * planar->n_sample * sizeof *samples);
    pass_blocks(planar, false, samples, NULL);
    return NFSAR_OK;
}

static enum nfsar_status adjoint(void *context, const float complex *samples, float complex *image,
                                 nfsar_error *error) {
    const struct planar *planar = context;
    (void)error;
    clear_spectrum(planar);
    pass_blocks(planar, true, NULL, samples);
    transform_volume(planar, false);
    copy_volume(planar, NULL, image);
    return NFSAR_OK;
}

size_t planar_planes(const struct planar *planar) {
    return planar->planes != NULL ? planar->planes->n_node : 1;
}

struct linear_operator planar_operator(struct planar *planar) {
    return (struct linear_operator){.n_image = nfsar_grid_voxels(&planar->grid),
                                    .n_sample = planar->n_line * planar->n_sample,
                                    .context = planar,
                                    .forward = forward,
                                    .adjoint = adjoint};
}
