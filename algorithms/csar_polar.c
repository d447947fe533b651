/* Plane waves from all sides to a slice's x and z: a non-uniform transform whose points lie on
 * circles. */
#include "algorithms/csar_echo.h"
#include "algorithms/csar_plan.h"

#include <math.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Cells have room for the kernel at their ends, which is folded back. */
static size_t row_of(const nfsar_csar_plan *plan) {
    return csar_pitch(plan->x.length + GRIDDING_WIDEST);
}

static size_t rows_of(const nfsar_csar_plan *plan) {
    return plan->z.length + GRIDDING_WIDEST;
}

size_t csar_cells(const nfsar_csar_plan *plan) {
    return row_of(plan) * rows_of(plan);
}

/* Waves that are spread together: of so many neighbouring angles of one wavenumber. */
enum { WAVES = 64 };

/* Where they are, and what they bring. */
struct batch {
    int column[WAVES], row[WAVES]; /* grid points of the first weights */
    float x[WAVES], z[WAVES];      /* see taps_first() */
    float re[WAVES], im[WAVES];
};

/* Waves of k radians a voxel, `turns` periods of the grid that is transformed. */
static inline void locate(double turns, double length, double half, int *first, float *fraction) {
    double begin = (turns - floor(turns)) * length - half, up = ceil(begin);
    *fraction = (float)(2.0 * (up - begin) - 1.0);
    *first = (int)(up < 0.0 ? up + length : up);
}

static inline __attribute__((always_inline)) void
fill_batch(const nfsar_csar_plan *plan, double k_r, size_t n, const double *cosine,
           const double *sine, const float complex *value, struct batch *batch) {
    double turn = k_r / (2.0 * NFSAR_PI), half = 0.5 * plan->across.width;
    double x_step = turn * plan->x.step, z_step = turn * plan->z.step;
    double x_middle = turn * plan->x.middle, z_middle = turn * plan->z.middle;
    double x_length = (double)plan->x.length, z_length = (double)plan->z.length;
    const float *in = (const float *)value;
    for (size_t i = 0; i < n; i++) {
        double turns = x_middle * cosine[i] + z_middle * sine[i];
        float c, s, re = in[2 * i], im = in[2 * i + 1];
        phasor_turns((float)(turns - rint(turns)), &c, &s);
        batch->re[i] = re * c - im * s;
        batch->im[i] = re * s + im * c;
        locate(x_step * cosine[i], x_length, half, &batch->column[i], &batch->x[i]);
        locate(z_step * sine[i], z_length, half, &batch->row[i], &batch->z[i]);
    }
}

static inline __attribute__((always_inline)) void spread_one(const struct taps *taps,
                                                             const struct batch *batch, size_t i,
                                                             int wide, size_t pitch, float *cells) {
    float wx[GRIDDING_WIDEST], wz[GRIDDING_WIDEST], pair[2 * GRIDDING_WIDEST];
    taps_pair(taps, batch->x[i], batch->z[i], wide, wx, wz);
    for (int t = 0; t < wide; t++) {
        pair[2 * t] = wx[t] * batch->re[i];
        pair[2 * t + 1] = wx[t] * batch->im[i];
    }
    float *to = cells + (size_t)batch->row[i] * pitch + 2 * (size_t)batch->column[i];
    for (int j = 0; j < taps->width && j < wide; j++, to += pitch) {
        for (int t = 0; t < 2 * wide; t++) {
            to[t] += wz[j] * pair[t];
        }
    }
}

/* Where they are, with nothing on them yet. */
static inline __attribute__((always_inline)) void
place_batch(const nfsar_csar_plan *plan, double k_r, size_t n, const double *cosine,
            const double *sine, struct batch *batch) {
    double turn = k_r / (2.0 * NFSAR_PI), half = 0.5 * plan->across.width;
    double x_step = turn * plan->x.step, z_step = turn * plan->z.step;
    double x_length = (double)plan->x.length, z_length = (double)plan->z.length;
    for (size_t i = 0; i < n; i++) {
        locate(x_step * cosine[i], x_length, half, &batch->column[i], &batch->x[i]);
        locate(z_step * sine[i], z_length, half, &batch->row[i], &batch->z[i]);
    }
}

/* Neighbours overlap: a number that was just stored in one place and is loaded with those beside it
 * holds the processor up. So they are taken in turns, from places far enough apart. */
enum { APART = 16 };

static inline __attribute__((always_inline)) void
spread_waves(const nfsar_csar_plan *plan, const double *k_r, size_t n_wave, size_t length,
             const double *direction, const float complex *value, size_t pitch, int wide,
             float *cells) {
    struct batch batch;
    size_t row = 2 * row_of(plan);
    for (size_t first = 0; first < length; first += WAVES) {
        size_t n = length - first < WAVES ? length - first : WAVES;
        for (size_t m = 0; m < n_wave; m++) {
            fill_batch(plan, k_r[m], n, direction + first, direction + length + first,
                       value + m * pitch + first, &batch);
            for (size_t i = 0; i < APART; i++) {
                for (size_t j = i; j < n; j += APART) {
                    spread_one(&plan->across, &batch, j, wide, row, cells);
                }
            }
        }
    }
}

MULTIVERSION
void csar_spread(const nfsar_csar_plan *plan, const double *k_r, size_t n_wave, size_t length,
                 const float complex *value, size_t pitch, float complex *cells) {
    const double *direction = plan->direction[length];
    size_t n = plan->length[length];
    if (plan->across.row == TAPS_NARROW) {
        spread_waves(plan, k_r, n_wave, n, direction, value, pitch, TAPS_NARROW, (float *)cells);
    } else {
        spread_waves(plan, k_r, n_wave, n, direction, value, pitch, GRIDDING_WIDEST,
                     (float *)cells);
    }
}

static inline __attribute__((always_inline)) void gather_one(const struct taps *taps,
                                                             struct batch *batch, size_t i,
                                                             int wide, size_t pitch,
                                                             const float *cells) {
    float wx[GRIDDING_WIDEST], wz[GRIDDING_WIDEST], sum[2 * GRIDDING_WIDEST] = {0};
    taps_pair(taps, batch->x[i], batch->z[i], wide, wx, wz);
    const float *from = cells + (size_t)batch->row[i] * pitch + 2 * (size_t)batch->column[i];
    for (int j = 0; j < taps->width && j < wide; j++, from += pitch) {
        for (int t = 0; t < 2 * wide; t++) {
            sum[t] += wz[j] * from[t];
        }
    }
    float re = 0.0f, im = 0.0f;
    for (int t = 0; t < wide; t++) {
        re += wx[t] * sum[2 * t];
        im += wx[t] * sum[2 * t + 1];
    }
    batch->re[i] = re;
    batch->im[i] = im;
}

/* The batch's numbers, turned back to the grid's own middle. */
static inline __attribute__((always_inline)) void
empty_batch(const nfsar_csar_plan *plan, double k_r, size_t n, const double *cosine,
            const double *sine, const struct batch *batch, float complex *value) {
    double turn = k_r / (2.0 * NFSAR_PI);
    double x_middle = turn * plan->x.middle, z_middle = turn * plan->z.middle;
    float *out = (float *)value;
    for (size_t i = 0; i < n; i++) {
        double turns = x_middle * cosine[i] + z_middle * sine[i];
        float c, s, re = batch->re[i], im = batch->im[i];
        phasor_turns((float)(turns - rint(turns)), &c, &s);
        out[2 * i] = re * c + im * s;
        out[2 * i + 1] = im * c - re * s;
    }
}

static inline __attribute__((always_inline)) void
gather_waves(const nfsar_csar_plan *plan, const double *k_r, size_t n_wave, size_t length,
             const double *direction, float complex *value, size_t pitch, int wide,
             const float *cells) {
    struct batch batch;
    size_t row = 2 * row_of(plan);
    for (size_t first = 0; first < length; first += WAVES) {
        size_t n = length - first < WAVES ? length - first : WAVES;
        const double *cosine = direction + first, *sine = cosine + length;
        for (size_t m = 0; m < n_wave; m++) {
            place_batch(plan, k_r[m], n, cosine, sine, &batch);
            for (size_t i = 0; i < n; i++) {
                gather_one(&plan->across, &batch, i, wide, row, cells);
            }
            empty_batch(plan, k_r[m], n, cosine, sine, &batch, value + m * pitch + first);
        }
    }
}

MULTIVERSION
void csar_gather(const nfsar_csar_plan *plan, const double *k_r, size_t n_wave, size_t length,
                 float complex *value, size_t pitch, const float complex *cells) {
    const double *direction = plan->direction[length];
    const float *from = (const float *)cells;
    size_t n = plan->length[length];
    if (plan->across.row == TAPS_NARROW) {
        gather_waves(plan, k_r, n_wave, n, direction, value, pitch, TAPS_NARROW, from);
    } else {
        gather_waves(plan, k_r, n_wave, n, direction, value, pitch, GRIDDING_WIDEST, from);
    }
}

/* What the kernels laid beyond the period, where it belongs. */
static void fold_back(const nfsar_csar_plan *plan, float complex *cells) {
    size_t row = row_of(plan), nx = plan->x.length, nz = plan->z.length;
    for (size_t j = nz; j < nz + GRIDDING_WIDEST; j++) {
        for (size_t i = 0; i < row; i++) {
            cells[(j - nz) * row + i] += cells[j * row + i];
        }
    }
    for (size_t j = 0; j < nz; j++) {
        for (size_t i = nx; i < nx + GRIDDING_WIDEST; i++) {
            cells[j * row + i - nx] += cells[j * row + i];
        }
    }
}

size_t csar_flatten_work(const nfsar_csar_plan *plan) {
    return CSAR_TILE * csar_pitch(plan->x.length) + plan->x.count * csar_pitch(plan->z.length) +
           CSAR_TILE * csar_pitch(plan->z.length);
}

/* The voxel i of a lateral axis in the transform's period. */
static inline size_t place(const struct csar_lateral *to, size_t i) {
    size_t half = to->count / 2;
    return i >= half ? i - half : to->length - (half - i);
}

void csar_flatten(const nfsar_csar_plan *plan, float complex *cells, float complex *slice,
                  float complex *work) {
    const struct csar_lateral *x = &plan->x, *z = &plan->z;
    size_t row = row_of(plan), nx = csar_pitch(x->length), nz = csar_pitch(z->length);
    float complex *lines = work, *columns = lines + CSAR_TILE * nx;
    float complex *done = columns + x->count * nz;
    fold_back(plan, cells);
    for (size_t j = 0; j < z->length; j += CSAR_TILE) {
        size_t count = z->length - j < CSAR_TILE ? z->length - j : CSAR_TILE;
        for (size_t l = 0; l < count; l++) {
            fftwf_execute_dft(x->plan, cells + (j + l) * row, lines + l * nx);
        }
        for (size_t i = 0; i < x->count; i++) {
            size_t at = place(x, i);
            for (size_t l = 0; l < count; l++) {
                columns[i * nz + j + l] = lines[l * nx + at] * x->correction[i];
            }
        }
    }
    for (size_t i = 0; i < x->count; i += CSAR_TILE) {
        size_t count = x->count - i < CSAR_TILE ? x->count - i : CSAR_TILE;
        for (size_t l = 0; l < count; l++) {
            fftwf_execute_dft(z->plan, columns + (i + l) * nz, done + l * nz);
        }
        for (size_t j = 0; j < z->count; j++) {
            size_t at = place(z, j);
            for (size_t l = 0; l < count; l++) {
                slice[j * x->count + i + l] = done[l * nz + at] * z->correction[j];
            }
        }
    }
}

/* What the kernels want beyond the period. */
static void unfold(const nfsar_csar_plan *plan, float complex *cells) {
    size_t row = row_of(plan), nx = plan->x.length, nz = plan->z.length;
    for (size_t j = 0; j < nz; j++) {
        float complex *to = cells + j * row;
        memcpy(to + nx, to, GRIDDING_WIDEST * sizeof *to);
        memset(to + nx + GRIDDING_WIDEST, 0, (row - nx - GRIDDING_WIDEST) * sizeof *to);
    }
    memcpy(cells + nz * row, cells, GRIDDING_WIDEST * row * sizeof *cells);
}

void csar_raise(const struct csar_echo *echo, const float complex *slice, float complex *cells,
                float complex *work) {
    const nfsar_csar_plan *plan = echo->plan;
    const struct csar_lateral *x = &plan->x, *z = &plan->z;
    size_t row = row_of(plan), nx = csar_pitch(x->length), nz = csar_pitch(z->length);
    float complex *line = work, *columns = line + CSAR_TILE * nx;
    float complex *given = columns + x->count * nz;
    memset(given, 0, nz * sizeof *given);
    for (size_t i = 0; i < x->count; i++) {
        for (size_t j = 0; j < z->count; j++) {
            given[place(z, j)] = slice[j * x->count + i] * z->correction[j];
        }
        fftwf_execute_dft(echo->z, given, columns + i * nz);
    }
    memset(line, 0, nx * sizeof *line);
    for (size_t j = 0; j < z->length; j++) {
        for (size_t i = 0; i < x->count; i++) {
            line[place(x, i)] = columns[i * nz + j] * x->correction[i];
        }
        fftwf_execute_dft(echo->x, line, cells + j * row);
    }
    unfold(plan, cells);
}
