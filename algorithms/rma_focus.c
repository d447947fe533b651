/* From the spectrum to the image:
 * o(x, y, z) = sum_k sum_{k_x, k_y} A S exp(-j k_z depth) exp(+j(k_x x + k_y y)) dk_x dk_y,
 * where A makes exp(-2jkR) out of plane waves (docs/theory/planar.md). */
#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* Squared cosine of the smallest angle to the plane that is kept, see LARGEST_SINE. */
#define SMALLEST_COSINE_SQUARED 0.04

/* Which part of one axis' spectrum is kept: all of it up to `sine`, nothing beyond `end`. */
struct view {
    float sine, per_margin;
};

static struct view view_of(const struct rma_axis *axis) {
    /* An axis without spectrum has k = 0; any limits do. */
    double sine = axis->line ? 1.0 : axis->sine, end = axis->line ? 2.0 : axis->end;
    return (struct view){(float)sine, (float)(1.0 / fmax(end - sine, 1e-6))};
}

/* Squared cosine from 1 at view.sine to 0 at its end: an abrupt end would ring. */
static inline float view_weight(float sine, struct view view) {
    float t = (sine - view.sine) * view.per_margin;
    t = t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
    float c, s;
    phasor_turns(0.25f * t, &c, &s);
    return c * c;
}

/* Coefficients of one (k_x, k_y) for the depth sum: S A exp(-j k_z centre), and t = k_z dz.
 * A is 2k / k_z^2, and for a line of positions 2k / k_z^(3/2): stationary phase in two dimensions
 * and in one. Factors that do not depend on k are left to rma_focus_finish(). */
MULTIVERSION
static void coefficients(const float complex *spectrum, size_t stride, const double *wavenumber,
                         size_t n, double kx, double ky, struct view view_x, struct view view_y,
                         int line, double centre, double dz, float complex *c, double *t) {
    const float *in = (const float *)spectrum;
    float *out = (float *)c;
    for (size_t i = 0; i < n; i++) {
        double two_k = 2.0 * wavenumber[i];
        double square = two_k * two_k - kx * kx - ky * ky;
        double limit = SMALLEST_COSINE_SQUARED * two_k * two_k;
        double kz = sqrt(square > limit ? square : limit);
        float weight = (float)(two_k / (kz * (line ? sqrt(kz) : kz)));
        weight *= view_weight((float)(fabs(kx) / two_k), view_x);
        weight *= view_weight((float)(fabs(ky) / two_k), view_y);
        weight = square > limit ? weight : 0.0f;
        double turns = -kz * centre * (0.5 / NFSAR_PI);
        float cosine, sine;
        phasor_turns((float)(turns - rint(turns)), &cosine, &sine);
        float re = weight * in[2 * i * stride], im = weight * in[2 * i * stride + 1];
        out[2 * i] = re * cosine - im * sine;
        out[2 * i + 1] = re * sine + im * cosine;
        t[i] = kz * dz;
    }
}

static double centre_depth(const nfsar_rma_plan *plan, size_t first_z) {
    double z = nfsar_axis_at(&plan->grid.z, first_z + plan->z_slab / 2);
    return plan->side * (z - plan->lattice->z);
}

void rma_focus_add(nfsar_rma_plan *plan, size_t first_k, size_t n_k, size_t first_z) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t plane = x->bins * y->bins;
    double centre = centre_depth(plan, first_z);
    double dz = plan->side * (plan->grid.z.count > 1 ? plan->grid.z.step : 0.0);
    struct view view_x = view_of(x), view_y = view_of(y);
#pragma omp parallel for schedule(dynamic) num_threads(plan->threads)
    for (size_t j = 0; j < y->bins; j++) {
        size_t thread = (size_t)omp_get_thread_num();
        float complex *scratch = plan->scratch + thread * plan->scratch_size;
        float complex *c = scratch;
        float complex *tile = scratch + rma_pitch(plan->k_block);
        float complex *work = tile + RMA_TILE * plan->z_slab;
        double *t = plan->scratch_t + thread * plan->k_block;
        double ky = y->step * ((double)j - (double)y->half);
        for (size_t first = 0; first < x->bins; first += RMA_TILE) {
            size_t count = x->bins - first < RMA_TILE ? x->bins - first : RMA_TILE;
            memset(tile, 0, RMA_TILE * plan->z_slab * sizeof *tile);
            for (size_t i = 0; i < count; i++) {
                size_t bin = j * x->bins + first + i;
                double kx = x->step * ((double)(first + i) - (double)x->half);
                coefficients(plan->spectrum + bin, plane, plan->wavenumber + first_k, n_k, kx, ky,
                             view_x, view_y, x->line || y->line, centre, dz, c, t);
                depthsum_execute(plan->to_depth, c, t, n_k, tile + i, RMA_TILE, work);
            }
            for (size_t m = 0; m < plan->z_slab; m++) {
                float complex *to = plan->depths + m * plane + j * x->bins + first;
                for (size_t i = 0; i < count; i++) {
                    to[i] += tile[m * RMA_TILE + i];
                }
            }
        }
    }
}

/* What A leaves over: the depth, the bins' width and the constant phase of stationary phase. */
static float complex slice_factor(const nfsar_rma_plan *plan, size_t z_index) {
    double depth = fabs(nfsar_axis_at(&plan->grid.z, z_index) - plan->lattice->z);
    if (plan->x.line || plan->y.line) {
        double dk = plan->x.line ? plan->y.step : plan->x.step;
        double complex phase = cexp(-0.25 * NFSAR_PI * I);
        return (float complex)(phase * dk * sqrt(depth / (2.0 * NFSAR_PI)));
    }
    return (float complex)(-I * plan->x.step * plan->y.step * depth / (2.0 * NFSAR_PI));
}

static void finish_slice(nfsar_rma_plan *plan, const float complex *spectrum, float complex factor,
                         float complex *slice) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t nx = plan->grid.x.count, ny = plan->grid.y.count;
#pragma omp parallel num_threads(plan->threads)
    {
        float complex *scratch = plan->scratch + (size_t)omp_get_thread_num() * plan->scratch_size;
#pragma omp for schedule(static)
        for (size_t j = 0; j < y->bins; j++) {
            chirpz_execute(x->to_grid, spectrum + j * x->bins, 1, plan->rows + j * nx, 1, scratch);
        }
        /* Columns in tiles, so that memory is read a cache line at a time. */
        float complex *in = scratch, *out = in + RMA_TILE * y->bins;
        float complex *work = out + RMA_TILE * ny;
#pragma omp for schedule(static)
        for (size_t first = 0; first < nx; first += RMA_TILE) {
            size_t count = nx - first < RMA_TILE ? nx - first : RMA_TILE;
            for (size_t j = 0; j < y->bins; j++) {
                for (size_t i = 0; i < count; i++) {
                    in[i * y->bins + j] = factor * plan->rows[j * nx + first + i];
                }
            }
            for (size_t i = 0; i < count; i++) {
                chirpz_execute(y->to_grid, in + i * y->bins, 1, out + i * ny, 1, work);
            }
            for (size_t j = 0; j < ny; j++) {
                for (size_t i = 0; i < count; i++) {
                    slice[j * nx + first + i] = out[i * ny + j];
                }
            }
        }
    }
}

void rma_focus_finish(nfsar_rma_plan *plan, size_t first_z, size_t n_z, float complex *image) {
    size_t plane = plan->x.bins * plan->y.bins;
    size_t slice = plan->grid.x.count * plan->grid.y.count;
    for (size_t m = 0; m < n_z; m++) {
        finish_slice(plan, plan->depths + m * plane, slice_factor(plan, first_z + m),
                     image + m * slice);
    }
}
