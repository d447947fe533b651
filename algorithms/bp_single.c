/* Backprojection from range profiles:
 * q(r) = sum_n w_n s_n exp(-j(k_n - k_c) r) on a fine grid of two-way ranges r, linearly
 * interpolated, then o += q(R_T + R_R) exp(-j k_c (R_T + R_R)).
 *
 * With `oversampling` samples for each of the band's range cells, k_n - k_c turns by at most
 * pi / oversampling between samples, so the interpolation errs by at most
 * (pi / oversampling)^2 / 8 of a line's amplitude: 1.2e-3 at 32. */
#include "algorithms/bp_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* One line by FFT: equally spaced wavenumbers. With r = i * range_step the terms turn by
 * -n k_step r = -+2 pi n i / length. */
static void compress_line(const nfsar_bp_plan *plan, const float complex *line, long first_bin,
                          float complex *work, float *re, float *im) {
    size_t n = plan->capture->n_sample, length = plan->length;
    bool down = plan->k_step < 0.0;
    for (size_t i = 0; i < n; i++) {
        work[i] = line[down ? n - 1 - i : i] * plan->frequency_taper[i];
    }
    memset(work + n, 0, (length - n) * sizeof *work);
    fftwf_execute_dft(plan->compress, work, work);
    for (size_t i = 0; i < plan->gate; i++) {
        long wrapped = (first_bin + (long)i) % (long)length;
        float complex value = work[wrapped < 0 ? wrapped + (long)length : wrapped] * plan->turn[i];
        re[i] = crealf(value);
        im[i] = cimagf(value);
    }
}

/* The transform counts frequency from its first sample; profiles are about the band's middle, where
 * they turn slowest: exp(+j middle k_step r) for every range of the gate. */
static void fill_turns(nfsar_bp_plan *plan, long first_bin) {
    double middle = 0.5 * (double)(plan->capture->n_sample - 1);
    for (size_t i = 0; i < plan->gate; i++) {
        double bin = (double)(first_bin + (long)i);
        double turns = fmod(middle * bin / (double)plan->length, 1.0);
        plan->turn[i] = (float complex)cexp(2.0 * NFSAR_PI * turns * I);
    }
}

/* One line by the sum as it stands: a list of frequencies with any spacing. */
static void sum_line(const nfsar_bp_plan *plan, const float complex *line, float *re, float *im) {
    for (size_t i = 0; i < plan->gate; i++) {
        double range = plan->range_first + plan->range_step * (double)i;
        double complex sum = 0.0;
        for (size_t n = 0; n < plan->capture->n_sample; n++) {
            double phase = (plan->wavenumber[n] - plan->k_centre) * range;
            sum += (double complex)(line[n] * plan->frequency_taper[n]) *
                   (cos(phase) - I * sin(phase));
        }
        re[i] = (float)creal(sum);
        im[i] = (float)cimag(sum);
    }
}

void bp_single_profiles(nfsar_bp_plan *plan, size_t n_pair) {
    double nearest = 0.0, farthest = 0.0;
    bp_range_bounds(plan, n_pair, &nearest, &farthest);
    double first_bin = floor(nearest / plan->range_step) - 1.0;
    plan->gate = (size_t)(ceil(farthest / plan->range_step) + 3.0 - first_bin);
    plan->range_first = first_bin * plan->range_step;
    fill_turns(plan, (long)first_bin);
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (size_t p = 0; p < n_pair; p++) {
        const float complex *line = plan->samples + p * plan->capture->n_sample;
        float *re = plan->profile + 2 * p * plan->gate_room, *im = re + plan->gate_room;
        if (plan->uniform) {
            float complex *work = plan->scratch + (size_t)omp_get_thread_num() * bp_pitch(plan);
            compress_line(plan, line, (long)first_bin, work, re, im);
        } else {
            sum_line(plan, line, re, im);
        }
    }
}

/* Add one pair to n voxels. Ranges are computed in double: at 77 GHz a float range of 1 m is off
 * by 2e-4 rad already. Turns of the carrier are reduced before they are rounded. */
MULTIVERSION
static void add_pair(const struct bp_pair *pair, const float *restrict re, const float *restrict im,
                     double range_first, double per_step, double turns_per_metre,
                     const double *restrict x, const double *restrict y, double z, size_t n,
                     float *restrict sum_re, float *restrict sum_im) {
    double tz = (z - pair->tx.z) * (z - pair->tx.z), rz = (z - pair->rx.z) * (z - pair->rx.z);
    double tx_x = pair->tx.x, tx_y = pair->tx.y, rx_x = pair->rx.x, rx_y = pair->rx.y;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        double tx = x[i] - tx_x, ty = y[i] - tx_y;
        double rx = x[i] - rx_x, ry = y[i] - rx_y;
        double range = sqrt(tx * tx + ty * ty + tz) + sqrt(rx * rx + ry * ry + rz);
        double turns = -range * turns_per_metre;
        double at = (range - range_first) * per_step;
        int bin = (int)at;
        float fraction = (float)(at - (double)bin);
        float c, s;
        phasor_turns((float)(turns - rint(turns)), &c, &s);
        float a = re[bin] + fraction * (re[bin + 1] - re[bin]);
        float b = im[bin] + fraction * (im[bin + 1] - im[bin]);
        sum_re[i] += a * c - b * s;
        sum_im[i] += a * s + b * c;
    }
}

void bp_single_tile(const nfsar_bp_plan *plan, size_t n_pair, size_t first, size_t n,
                    float complex *image) {
    double x[BP_TILE], y[BP_TILE];
    float re[BP_TILE], im[BP_TILE];
    size_t nx = plan->grid.x.count, slice = nx * plan->grid.y.count;
    for (size_t i = 0; i < n; i++) {
        x[i] = nfsar_axis_at(&plan->grid.x, (first + i) % nx);
        y[i] = nfsar_axis_at(&plan->grid.y, (first + i) % slice / nx);
    }
    memset(re, 0, n * sizeof *re);
    memset(im, 0, n * sizeof *im);
    double z = nfsar_axis_at(&plan->grid.z, first / slice);
    for (size_t p = 0; p < n_pair; p++) {
        const float *profile = plan->profile + 2 * p * plan->gate_room;
        add_pair(&plan->pair[p], profile, profile + plan->gate_room, plan->range_first,
                 1.0 / plan->range_step, plan->k_centre / (2.0 * NFSAR_PI), x, y, z, n, re, im);
    }
    for (size_t i = 0; i < n; i++) {
        image[first + i] += re[i] + im[i] * I;
    }
}
