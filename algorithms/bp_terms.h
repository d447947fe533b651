/* What a block of voxels sees of a few pulses: a part of the text of the backprojection kernels.
 * Ranges from the block's centre are computed in double; what varies over the block is float. */
#ifndef NFSAR_ALGORITHMS_BP_TERMS_H
#define NFSAR_ALGORITHMS_BP_TERMS_H

#include <math.h>

#include <nfsar/geometry.h>

#include "algorithms/bp_kernel.h"
#include "algorithms/lanes.h"
#include "algorithms/phasor.h"

/* How R - range is computed from t: by the series of the root to the third, fourth or fifth power,
 * economised for the t of the block, or by the root itself. */
enum bp_series { BP_SERIES_THIRD, BP_SERIES_FOURTH, BP_SERIES_FIFTH, BP_SERIES_ROOT };

/* What the antennas ask of the loops. */
struct bp_demand {
    enum bp_series series;
    double reach; /* metres: most that the range to an antenna differs over the block */
};

/* What each series leaves, radians: above the true error for any t >= -1. */
struct series_errors {
    double third, fourth, fifth;
};

LANES_INLINE struct series_errors series_errors(double phase, double t) {
    double t2 = t * t, t4 = t2 * t2, t6 = t4 * t2;
    return (struct series_errors){
        phase * t4 * (0.0068 + 0.035 * t2 + 0.25 * t6),
        phase * t4 * t * (0.00171 + t * (0.00081 + t * (0.0162 + t * (0.0131 + 0.2 * t)))),
        phase * t6 * (0.00081 + 0.019 * t2 + 0.22 * t6)};
}

LANES_INLINE enum bp_series shortest_series(double allowed, double third, double fourth,
                                            double fifth) {
    return third < allowed    ? BP_SERIES_THIRD
           : fourth < allowed ? BP_SERIES_FOURTH
           : fifth < allowed  ? BP_SERIES_FIFTH
                              : BP_SERIES_ROOT;
}

/* Ranges and tilts of n antennas. */
LANES_INLINE void bp_terms_tilts(const struct bp_lines *lines, const struct bp_block *block,
                                 size_t first, size_t n, struct bp_terms *terms) {
    const double *restrict x = lines->at[0] + first, *restrict y = lines->at[1] + first,
                           *restrict z = lines->at[2] + first;
    float *restrict tilt_x = terms->tilt[0], *restrict tilt_y = terms->tilt[1],
                    *restrict tilt_z = terms->tilt[2], *restrict bends = terms->bend,
                    *restrict bounds = terms->largest;
    double *restrict ranges = terms->range;
    double cx = block->centre[0], cy = block->centre[1], cz = block->centre[2];
    double hx = block->half[0], hy = block->half[1], hz = block->half[2];
    double radius = hx * hx + hy * hy + hz * hz;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        double dx = cx - x[i], dy = cy - y[i], dz = cz - z[i];
        /* Never zero: nearer than a micrometre is a micrometre. */
        double square = dx * dx + dy * dy + dz * dz + 1e-12;
        double bend = 1.0 / square;
        double along = fabs(dx) * hx + fabs(dy) * hy + fabs(dz) * hz;
        ranges[i] = sqrt(square);
        tilt_x[i] = (float)(2.0 * dx * bend);
        tilt_y[i] = (float)(2.0 * dy * bend);
        tilt_z[i] = (float)(2.0 * dz * bend);
        bends[i] = (float)bend;
        bounds[i] = (float)(bend * (2.0 * along + radius));
    }
}

/* What n of these antennas ask of the loops. */
LANES_INLINE struct bp_demand bp_terms_demand(const struct bp_lines *lines,
                                              const struct bp_block *block, size_t first, size_t n,
                                              const struct bp_terms *terms) {
    const double *restrict ranges = terms->range + first;
    const float *restrict bounds = terms->largest + first;
    double hx = block->half[0], hy = block->half[1], hz = block->half[2];
    double phase_per_metre = lines->halfturns_per_metre * NFSAR_PI;
    double third = 0.0, fourth = 0.0, fifth = 0.0, reach = 0.0;
#pragma omp simd reduction(max : third, fourth, fifth, reach)
    for (size_t i = 0; i < n; i++) {
        double range = ranges[i], largest = (double)bounds[i];
        struct series_errors left = series_errors(range * phase_per_metre, largest);
        /* |sqrt(1 + t) - 1| <= |t| / 2 + t^2 / 2; and the triangle's inequality. */
        double differs = range * (0.5 * largest + 0.5 * largest * largest);
        third = third > left.third ? third : left.third;
        fourth = fourth > left.fourth ? fourth : left.fourth;
        fifth = fifth > left.fifth ? fifth : left.fifth;
        reach = reach > differs ? reach : differs;
    }
    enum bp_series series = shortest_series(lines->series_error, third, fourth, fifth);
    return (struct bp_demand){series, fmin(reach, sqrt(hx * hx + hy * hy + hz * hz))};
}

/* sqrt(1 + t) - 1 = t/2 - t^2/8 + t^3/16 - 5t^4/128 + 7t^5/256 - 21t^6/1024 + 33t^7/2048 - ...,
 * cut off with the first two powers left out replaced by the lower ones, from t on, that are
 * nearest to them on |t| <= T: t^5 ~ 5/4 T^2 t^3 - 5/16 T^4 t and t^7 ~ 7/4 T^2 t^5 - 7/8 T^4 t^3 +
 * 7/64 T^6 t (Chebyshev's), t^4 ~ 0.82843 T^2 t^2 and t^6 ~ 1.39230 T^2 t^4 - 0.43078 T^4 t^2
 * (Chebyshev's of t^2, moved so that they vanish at 0). A pair of one antenna goes there and
 * back. */
LANES_INLINE void bp_terms_series(const struct bp_lines *lines, size_t first, size_t n,
                                  enum bp_series series, struct bp_terms *terms) {
    float ways = lines->monostatic ? 2.0f : 1.0f;
    float per_metre = (float)lines->halfturns_per_metre * ways;
    const float *restrict bounds = terms->largest + first;
    const double *restrict ranges = terms->range + first;
    float *restrict c0 = terms->series[0] + first, *restrict c1 = terms->series[1] + first,
                    *restrict c2 = terms->series[2] + first,
                    *restrict c3 = terms->series[3] + first,
                    *restrict c4 = terms->series[4] + first,
                    *restrict scales = terms->halfturns + first;
    if (series == BP_SERIES_THIRD) {
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            float scale = (float)ranges[i] * per_metre, t2 = bounds[i] * bounds[i], t4 = t2 * t2;
            c0[i] = scale * (0.5f - t4 * (7.0f / 256.0f * 5.0f / 16.0f));
            c1[i] = scale * (-0.125f - t2 * (5.0f / 128.0f * 0.82843f));
            c2[i] = scale * (0.0625f + t2 * (7.0f / 256.0f * 1.25f));
        }
    } else if (series == BP_SERIES_FOURTH) {
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            float scale = (float)ranges[i] * per_metre, t2 = bounds[i] * bounds[i], t4 = t2 * t2;
            c0[i] = scale * (0.5f - t4 * (7.0f / 256.0f * 5.0f / 16.0f));
            c1[i] = scale * (-0.125f + t4 * (21.0f / 1024.0f * 0.43078f));
            c2[i] = scale * (0.0625f + t2 * (7.0f / 256.0f * 1.25f));
            c3[i] = scale * (-5.0f / 128.0f - t2 * (21.0f / 1024.0f * 1.39230f));
        }
    } else {
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            float scale = (float)ranges[i] * per_metre, t2 = bounds[i] * bounds[i], t4 = t2 * t2;
            scales[i] = scale;
            c0[i] = scale * (0.5f + t4 * t2 * (33.0f / 2048.0f * 7.0f / 64.0f));
            c1[i] = scale * (-0.125f + t4 * (21.0f / 1024.0f * 0.43078f));
            c2[i] = scale * (0.0625f - t4 * (33.0f / 2048.0f * 7.0f / 8.0f));
            c3[i] = scale * (-5.0f / 128.0f - t2 * (21.0f / 1024.0f * 1.39230f));
            c4[i] = scale * (7.0f / 256.0f + t2 * (33.0f / 2048.0f * 1.75f));
        }
    }
}

/* Where the block's centre is in every line's profile, and the carrier's phasor there. */
LANES_INLINE void bp_terms_places(const struct bp_lines *lines, size_t pulses,
                                  struct bp_terms *terms) {
    double per_step = 1.0 / lines->range_step, per_metre = lines->halfturns_per_metre;
    double first = lines->range_first, step = lines->range_step;
    double own = lines->shared ? 0.0 : 1.0, places = lines->fit != NULL ? BANDFIT_PLACES : 0.0;
    const double *restrict range = terms->range;
    const int32_t *restrict tx = terms->tx, *restrict rx = terms->rx;
    int32_t *restrict sample = terms->sample, *restrict place = terms->place;
    float *restrict offset = terms->offset, *restrict cosine = terms->cosine,
                    *restrict sine = terms->sine;
#pragma omp simd
    for (size_t i = 0; i < pulses * lines->n_link; i++) {
        double both = range[tx[i]] + range[rx[i]];
        double at = (both - first) * per_step, whole = floor(at);
        double steps = floor((at - whole) * places + 0.5);
        double rest = (at - whole - steps * (1.0 / BANDFIT_PLACES)) * step * per_metre;
        /* A shared phasor starts from the centre, a channel's own one from the place. */
        double halfturns = both * per_metre - own * rest;
        float c, s;
        phasor_turns((float)(0.5 * halfturns - rint(0.5 * halfturns)), &c, &s);
        sample[i] = (int32_t)whole;
        place[i] = (int32_t)steps;
        offset[i] = (float)rest;
        cosine[i] = c;
        sine[i] = s;
    }
}

/* The shortest polynomial that reaches as far as the block does. */
static const struct bandfit_level *bp_terms_level(const struct bp_lines *lines, double reach) {
    double samples = 2.0 * reach / lines->range_step + 0.5 / BANDFIT_PLACES;
    int level = 0;
    while (level < BANDFIT_LEVELS - 1 && lines->fit->level[level].reach < samples) {
        level++;
    }
    return &lines->fit->level[level];
}

/* The profiles round the block's centre as polynomials in half turns. */
LANES_INLINE int bp_terms_fits(const struct bp_lines *lines, size_t pulse, size_t pulses,
                               double reach, struct bp_terms *terms) {
    typedef float coefficients __attribute__((vector_size(4 * BANDFIT_COLUMNS)));
    const struct bandfit_level *level = bp_terms_level(lines, reach);
    coefficients scale;
    float per_sample = (float)(1.0 / (lines->range_step * lines->halfturns_per_metre)), power = 1;
    for (int d = 0; d < BANDFIT_COLUMNS; d++, power *= per_sample) {
        scale[d] = power;
    }
    const float *profile = lines->profile + 2 * pulse * lines->n_link * lines->pitch;
    for (size_t line = 0; line < pulses * lines->n_link; line++, profile += 2 * lines->pitch) {
        const coefficients *weight = (const coefficients *)level->weight[terms->place[line]];
        const float *x = profile + terms->sample[line] - 3, *y = x + lines->pitch;
        coefficients re = {0}, im = {0};
        for (int i = 0; i < BANDFIT_TAPS; i++) {
            re += weight[i] * x[i];
            im += weight[i] * y[i];
        }
        re *= scale;
        im *= scale;
        float c = terms->cosine[line], s = terms->sine[line];
        *(coefficients *)terms->fit[line].re = re * c + im * s;
        *(coefficients *)terms->fit[line].im = im * c - re * s;
    }
    return level->degree;
}

#endif
