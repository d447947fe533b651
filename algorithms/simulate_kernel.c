#include "algorithms/simulate_kernel.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* Adding and taking off 1.5 * 2^52 (2^23 for float) rounds to a whole number without a call. */
#define ROUND_DOUBLE 6755399441055744.0
#define ROUND_FLOAT  12582912.0f

MULTIVERSION bool kernel_distances(const double *restrict x, const double *restrict y,
                                   const double *restrict z, size_t n, nfsar_vec3 antenna,
                                   double nearest, double *restrict r) {
    int near = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - antenna.x, dy = y[i] - antenna.y, dz = z[i] - antenna.z;
        r[i] = sqrt(dx * dx + dy * dy + dz * dz);
    }
    for (size_t i = 0; i < n; i++) {
        near |= r[i] < nearest;
    }
    return near;
}

/* acos for 0 <= c <= 1 within 2e-8 (Abramowitz and Stegun 4.4.46). */
static inline __attribute__((always_inline)) double arc_cosine(double c) {
    double p = -0.0012624911;
    p = p * c + 0.0066700901;
    p = p * c - 0.0170881256;
    p = p * c + 0.0308918810;
    p = p * c - 0.0501743046;
    p = p * c + 0.0889789874;
    p = p * c - 0.2145988016;
    p = p * c + 1.5707963050;
    return sqrt(1.0 - c) * p;
}

/* 2^y for -126 < y <= 0: the whole part goes into the exponent, the rest (within 1/2) into the
 * Taylor series, whose next term is below 1e-8. */
static inline __attribute__((always_inline)) float power_of_two(float y) {
    float whole = (y + ROUND_FLOAT) - ROUND_FLOAT;
    float f = y - whole;
    float p = 1.52527338e-5f;
    p = p * f + 1.54035304e-4f;
    p = p * f + 1.33335581e-3f;
    p = p * f + 9.61812911e-3f;
    p = p * f + 5.55041087e-2f;
    p = p * f + 2.40226507e-1f;
    p = p * f + 6.93147181e-1f;
    p = p * f + 1.0f;
    int32_t bits = ((int32_t)whole + 127) * (1 << 23);
    float scale = 0.0f;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

MULTIVERSION void kernel_beam(const double *restrict x, const double *restrict y,
                              const double *restrict z, size_t n, nfsar_vec3 antenna,
                              nfsar_vec3 boresight, double width, const double *restrict distance,
                              float *restrict gain) {
    for (size_t i = 0; i < n; i++) {
        double along = (x[i] - antenna.x) * boresight.x + (y[i] - antenna.y) * boresight.y +
                       (z[i] - antenna.z) * boresight.z;
        double cosine = along / distance[i];
        double ahead = cosine < 0.0 ? 0.0 : cosine > 1.0 ? 1.0 : cosine;
        double angle = arc_cosine(ahead) / width;
        /* Beyond 2^-100 nothing is left of a float sum. */
        double exponent = -2.0 * angle * angle;
        float value = power_of_two(exponent < -100.0 ? -100.0f : (float)exponent);
        gain[i] = cosine > 0.0 ? value : 0.0f;
    }
}

/* exp(+j 2 pi t) for |t| <= 1/2. Reduced to |u| <= 1/8 turn, where the Taylor series used err by
 * less than 2e-9 (sine) and 1e-9 (cosine): less than a float can hold. */
static inline __attribute__((always_inline)) void phasor(float t, float *re, float *im) {
    float quarter = (4.0f * t + ROUND_FLOAT) - ROUND_FLOAT;
    float u = t - 0.25f * quarter;
    float s = u * u;
    float sine = u * (6.28318531f + s * (-41.3417023f +
                                         s * (81.6052493f + s * (-76.7058598f + s * 42.0586940f))));
    float cosine =
        1.0f + s * (-19.7392088f +
                    s * (64.9393940f + s * (-85.4568173f + s * (60.2446414f + s * -26.4262568f))));
    int q = (int)quarter;
    float a = (q & 1) != 0 ? sine : cosine;
    float b = (q & 1) != 0 ? cosine : sine;
    *re = ((q + 1) & 2) != 0 ? -a : a;
    *im = (q & 2) != 0 ? -b : b;
}

/* Phasor of whole and fractional turns; only the fraction is rounded to float. */
static inline __attribute__((always_inline)) void turns_phasor(double turns, float *re, float *im) {
    double whole = (turns + ROUND_DOUBLE) - ROUND_DOUBLE;
    phasor((float)(turns - whole), re, im);
}

MULTIVERSION void kernel_phasors(const double *restrict turns, size_t n, float *restrict re,
                                 float *restrict im) {
    for (size_t i = 0; i < n; i++) {
        turns_phasor(turns[i], &re[i], &im[i]);
    }
}

/* scratch->phase = amplitude times exp(+j 2 pi path turns_per_metre). */
static inline __attribute__((always_inline)) void anchor(struct kernel_scratch *restrict s,
                                                         size_t n, double turns_per_metre) {
    for (size_t i = 0; i < n; i++) {
        float c = 0.0f, d = 0.0f;
        turns_phasor(s->path[i] * turns_per_metre, &c, &d);
        s->phase_re[i] = s->re[i] * c - s->im[i] * d;
        s->phase_im[i] = s->re[i] * d + s->im[i] * c;
    }
}

/* Four samples from the phasors of a tile, which move on by four steps. The phasors stay in the
 * first cache and the sums in registers; each scatterer's chain of turns is independent of the
 * next one's, so that the processor overlaps them. */
static inline __attribute__((always_inline)) void four_samples(struct kernel_scratch *restrict s,
                                                               size_t blocks, float sum[8]) {
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f, e = 0.0f, f = 0.0f, g = 0.0f, h = 0.0f;
#pragma omp simd reduction(+ : a, b, c, d, e, f, g, h)
    for (size_t i = 0; i < blocks * KERNEL_LANES; i++) {
        float re = s->phase_re[i], im = s->phase_im[i];
        float step_re = s->step_re[i], step_im = s->step_im[i];
        float next = 0.0f;
        a += re;
        b += im;
        next = re * step_re - im * step_im;
        im = re * step_im + im * step_re;
        re = next;
        c += re;
        d += im;
        next = re * step_re - im * step_im;
        im = re * step_im + im * step_re;
        re = next;
        e += re;
        f += im;
        next = re * step_re - im * step_im;
        im = re * step_im + im * step_re;
        re = next;
        g += re;
        h += im;
        s->phase_re[i] = re * step_re - im * step_im;
        s->phase_im[i] = re * step_im + im * step_re;
    }
    sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
    sum[4] = e, sum[5] = f, sum[6] = g, sum[7] = h;
}

/* Neighbouring samples differ by a constant turn of each scatterer's phasor. */
MULTIVERSION static void echo_uniform(const struct kernel_frequencies *f,
                                      struct kernel_scratch *restrict s, size_t n,
                                      double *restrict echo) {
    for (size_t i = 0; i < n; i++) {
        turns_phasor(s->path[i] * f->step_turns_per_metre, &s->step_re[i], &s->step_im[i]);
    }
    for (size_t k = 0; k < f->n_sample; k += 4) {
        float sum[8];
        if (k % KERNEL_SEGMENT == 0) {
            anchor(s, n, f->turns_per_metre[k]);
        }
        four_samples(s, n / KERNEL_LANES, sum);
        size_t left = f->n_sample - k;
        for (size_t i = 0; i < 2 * (left < 4 ? left : 4); i++) {
            echo[2 * k + i] += (double)sum[i];
        }
    }
}

/* Any list of frequencies: every phase from scratch. */
MULTIVERSION static void echo_general(const struct kernel_frequencies *f,
                                      struct kernel_scratch *restrict s, size_t n,
                                      double *restrict echo) {
    for (size_t k = 0; k < f->n_sample; k++) {
        float re = 0.0f, im = 0.0f;
        anchor(s, n, f->turns_per_metre[k]);
#pragma omp simd reduction(+ : re, im)
        for (size_t i = 0; i < n / KERNEL_LANES * KERNEL_LANES; i++) {
            re += s->phase_re[i];
            im += s->phase_im[i];
        }
        echo[2 * k] += (double)re;
        echo[2 * k + 1] += (double)im;
    }
}

void kernel_echo(const struct kernel_frequencies *frequencies, struct kernel_scratch *scratch,
                 size_t n, double *echo) {
    if (frequencies->uniform) {
        echo_uniform(frequencies, scratch, n, echo);
    } else {
        echo_general(frequencies, scratch, n, echo);
    }
}
