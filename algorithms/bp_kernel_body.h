/* Backprojection onto a block, one text for every instruction set: included by bp_kernel_*.c. */
#include <math.h>

#include "algorithms/bp_kernel.h"
#include "algorithms/bp_ranges.h"
#include "algorithms/bp_terms.h"
#include "algorithms/halfturns.h"

enum {
    LOOK_UP = 0,                       /* the degree that stands for a profile that is looked up */
    PER_ROW = BP_LANES / LANES_WIDTH,  /* vectors of a row */
    GROUP_ROWS = LANES_GROUP / PER_ROW /* rows of a group of vectors */
};

_Static_assert((int)PER_ROW <= (int)LANES_GROUP, "a group holds at least a row");
_Static_assert(LANES_GROUP *LANES_WIDTH <= BP_GROUP_FLOATS, "room for a group");

/* t along the lanes at row offset 0, and along the rows at lane offset 0: they add up, since the
 * lanes' axis is at right angles to the rows'. */
LANES_INLINE void tilt_lanes(const struct bp_block *block, const struct bp_terms *terms, size_t a,
                             float *lane) {
    for (int i = 0; i < BP_LANES; i += LANES_WIDTH) {
        lanes_store(lane + i, terms->tilt[0][a] * lanes_load(block->u + i) +
                                  terms->bend[a] * lanes_load(block->uu + i));
    }
}

LANES_INLINE void tilt_rows(const struct bp_block *block, const struct bp_terms *terms, size_t a,
                            float *row) {
    for (size_t i = 0; i < block->rows; i += LANES_WIDTH) {
        lanes_store(row + i, terms->tilt[1][a] * lanes_load(block->v + i) +
                                 (terms->tilt[2][a] * lanes_load(block->w + i) +
                                  terms->bend[a] * lanes_load(block->vw + i)));
    }
}

LANES_INLINE void tilt_group(const float *lane, const float *row, lanes *t) {
    for (int i = 0; i < LANES_GROUP; i++) {
        t[i] = lanes_load(lane + i % PER_ROW * LANES_WIDTH) + row[i / PER_ROW];
    }
}

/* The profile at h half turns from its sample `at`, between two samples linearly, times the
 * carrier's phasor there. */
LANES_INLINE void look_up(const struct bp_lines *lines, const struct bp_terms *terms, size_t line,
                          const float *profile, const lanes *h, lanes *a, lanes *b) {
    float per_halfturn = (float)(1.0 / (lines->range_step * lines->halfturns_per_metre));
    const float *re = profile + terms->sample[line], *im = re + lines->pitch;
    for (int i = 0; i < LANES_GROUP; i++) {
        lanes at = h[i] * per_halfturn, x, y, dx, dy;
        lanes whole = (at - 0.5f) + HALFTURNS_ROUNDER;
        lanes_int sample = (lanes_int)whole - HALFTURNS_ROUNDER_BITS;
        lanes fraction = at - (whole - HALFTURNS_ROUNDER);
        for (int l = 0; l < LANES_WIDTH; l++) {
            int32_t n = sample[l];
            x[l] = re[n];
            y[l] = im[n];
            dx[l] = re[n + 1];
            dy[l] = im[n + 1];
        }
        x += fraction * (dx - x);
        y += fraction * (dy - y);
        a[i] = x * terms->cosine[line] + y * terms->sine[line];
        b[i] = y * terms->cosine[line] - x * terms->sine[line];
    }
}

LANES_INLINE void add_products(const lanes *a, const lanes *b, const lanes *c, const lanes *s,
                               float *re, float *im) {
    for (int i = 0; i < LANES_GROUP; i++) {
        lanes x = lanes_load(re + i * LANES_WIDTH), y = lanes_load(im + i * LANES_WIDTH);
        x += a[i] * c[i];
        y += b[i] * c[i];
        lanes_store(re + i * LANES_WIDTH, x + b[i] * s[i]);
        lanes_store(im + i * LANES_WIDTH, y - a[i] * s[i]);
    }
}

/* A line over a block goes in two passes, so that the chains of one vector group fill the latencies
 * of the next: first every voxel's half turns, then what the line adds. */
struct halfturns {
    _Alignas(BP_ALIGN) float of[BP_ROWS][BP_LANES];
};

/* First pass: half turns from the line's place to every voxel, there and back. */
LANES_INLINE void measure_line(const struct bp_block *block, const struct bp_terms *terms,
                               size_t line, int ends, enum bp_series series,
                               struct halfturns *halfturns) {
    _Alignas(BP_ALIGN) float lane[2][BP_LANES], row[2][BP_ROWS];
    size_t antenna[2] = {(size_t)terms->tx[line], (size_t)terms->rx[line]};
    for (int e = 0; e < ends; e++) {
        tilt_lanes(block, terms, antenna[e], lane[e]);
        tilt_rows(block, terms, antenna[e], row[e]);
    }
    lanes offset = lanes_splat(terms->offset[line]);
    for (size_t r = 0; r < block->rows; r += GROUP_ROWS) {
        lanes t[LANES_GROUP], other[LANES_GROUP], h[LANES_GROUP];
        for (int i = 0; i < LANES_GROUP; i++) {
            h[i] = offset;
        }
        tilt_group(lane[0], row[0] + r, t);
        if (ends == 2) {
            tilt_group(lane[1], row[1] + r, other);
        }
        add_ranges(terms, antenna, ends, series, t, other, h);
        for (int i = 0; i < LANES_GROUP; i++) {
            lanes_store(halfturns->of[r] + i * LANES_WIDTH, h[i]);
        }
    }
}

/* Second pass: the profile there, turned back by the carrier's phase. */
LANES_INLINE void add_line(const struct bp_lines *lines, const struct bp_block *block,
                           const struct bp_terms *terms, size_t line, const float *profile,
                           int degree, const struct halfturns *halfturns, struct bp_sums *sums) {
    for (size_t r = 0; r < block->rows; r += GROUP_ROWS) {
        lanes h[LANES_GROUP], a[LANES_GROUP], b[LANES_GROUP], c[LANES_GROUP], s[LANES_GROUP];
        for (int i = 0; i < LANES_GROUP; i++) {
            h[i] = lanes_load(halfturns->of[r] + i * LANES_WIDTH);
        }
        halfturns_phasor(false, h, c, s);
        if (degree == LOOK_UP) {
            look_up(lines, terms, line, profile, h, a, b);
        } else {
            const struct bp_fit *fit = &terms->fit[line];
            lanes_polynomials(h, fit->re, degree, a, h, fit->im, degree, b);
        }
        add_products(a, b, c, s, sums->re[r], sums->im[r]);
    }
}

#define MEASURE(name, ends, series)                                                                \
    static void name(const struct bp_block *block, const struct bp_terms *terms, size_t line,      \
                     struct halfturns *halfturns) {                                                \
        measure_line(block, terms, line, ends, series, halfturns);                                 \
    }
MEASURE(measure_one_third, 1, BP_SERIES_THIRD)
MEASURE(measure_one_fourth, 1, BP_SERIES_FOURTH)
MEASURE(measure_one_fifth, 1, BP_SERIES_FIFTH)
MEASURE(measure_one_root, 1, BP_SERIES_ROOT)
MEASURE(measure_two_third, 2, BP_SERIES_THIRD)
MEASURE(measure_two_fourth, 2, BP_SERIES_FOURTH)
MEASURE(measure_two_fifth, 2, BP_SERIES_FIFTH)
MEASURE(measure_two_root, 2, BP_SERIES_ROOT)

#define ADD(degree)                                                                                \
    static void add_##degree(const struct bp_lines *lines, const struct bp_block *block,           \
                             const struct bp_terms *terms, size_t line, const float *profile,      \
                             const struct halfturns *halfturns, struct bp_sums *sums) {            \
        add_line(lines, block, terms, line, profile, degree, halfturns, sums);                     \
    }
ADD(0)
ADD(3)
ADD(4)
ADD(5)
ADD(6)
ADD(7)

/* Each channel by itself: one phasor for its two-way range. */
static void add_lines(const struct bp_lines *lines, const struct bp_block *block,
                      const struct bp_terms *terms, size_t pulse, size_t pulses,
                      enum bp_series series, int degree, struct bp_sums *sums) {
    static void (*const measures[2][4])(const struct bp_block *, const struct bp_terms *, size_t,
                                        struct halfturns *) = {
        {measure_two_third, measure_two_fourth, measure_two_fifth, measure_two_root},
        {measure_one_third, measure_one_fourth, measure_one_fifth, measure_one_root}};
    static void (*const adds[])(const struct bp_lines *, const struct bp_block *,
                                const struct bp_terms *, size_t, const float *,
                                const struct halfturns *, struct bp_sums *) = {
        add_0, NULL, NULL, add_3, add_4, add_5, add_6, add_7};
    struct halfturns halfturns;
    const float *profile = lines->profile + 2 * pulse * lines->n_link * lines->pitch;
    for (size_t line = 0; line < pulses * lines->n_link; line++) {
        measures[lines->monostatic][series](block, terms, line, &halfturns);
        adds[degree](lines, block, terms, line, profile, &halfturns, sums);
        profile += 2 * lines->pitch;
    }
}

/* Half turns and phasors of all antennas of a pulse for a group of rows. */
LANES_INLINE void antenna_phasors(const struct bp_lines *lines, const struct bp_terms *terms,
                                  size_t first, size_t r, enum bp_series series) {
    for (size_t n = 0; n < lines->n_antenna; n++) {
        lanes t[LANES_GROUP], h[LANES_GROUP] = {{0}}, c[LANES_GROUP], s[LANES_GROUP];
        tilt_group(terms->lane + n * BP_LANES, terms->row + n * BP_ROWS + r, t);
        size_t antenna = first + n;
        add_ranges(terms, &antenna, 1, series, t, t, h);
        halfturns_phasor(false, h, c, s);
        float *to = terms->phasor + n * 3 * BP_GROUP_FLOATS;
        for (int i = 0; i < LANES_GROUP; i++) {
            lanes_store(to + i * LANES_WIDTH, h[i]);
            lanes_store(to + BP_GROUP_FLOATS + i * LANES_WIDTH, c[i]);
            lanes_store(to + 2 * BP_GROUP_FLOATS + i * LANES_WIDTH, s[i]);
        }
    }
}

/* The channels of one transmitter: profiles times the receivers' phasors, summed, then times the
 * transmitter's. Returns how many channels those were. */
LANES_INLINE size_t add_transmitter(const struct bp_lines *lines, const struct bp_terms *terms,
                                    size_t line, size_t link, int degree, float *re, float *im) {
    const float *tx = terms->phasor + lines->link[link].tx * 3 * BP_GROUP_FLOATS;
    lanes sum_re[LANES_GROUP] = {{0}}, sum_im[LANES_GROUP] = {{0}};
    size_t n = 0;
    for (; link + n < lines->n_link && lines->link[link + n].tx == lines->link[link].tx; n++) {
        const float *rx = terms->phasor + lines->link[link + n].rx * 3 * BP_GROUP_FLOATS;
        lanes h[LANES_GROUP], a[LANES_GROUP], b[LANES_GROUP];
        lanes offset = lanes_splat(terms->offset[line + n]);
        for (int i = 0; i < LANES_GROUP; i++) {
            h[i] = offset + lanes_load(tx + i * LANES_WIDTH) + lanes_load(rx + i * LANES_WIDTH);
        }
        lanes_polynomials(h, terms->fit[line + n].re, degree, a, h, terms->fit[line + n].im, degree,
                          b);
        for (int i = 0; i < LANES_GROUP; i++) {
            lanes c = lanes_load(rx + BP_GROUP_FLOATS + i * LANES_WIDTH);
            lanes s = lanes_load(rx + 2 * BP_GROUP_FLOATS + i * LANES_WIDTH);
            /* The products first: the sums' chains are then additions alone. */
            lanes re_part = a[i] * c + b[i] * s, im_part = b[i] * c - a[i] * s;
            sum_re[i] = sum_re[i] + re_part;
            sum_im[i] = sum_im[i] + im_part;
        }
    }
    lanes c[LANES_GROUP], s[LANES_GROUP];
    for (int i = 0; i < LANES_GROUP; i++) {
        c[i] = lanes_load(tx + BP_GROUP_FLOATS + i * LANES_WIDTH);
        s[i] = lanes_load(tx + 2 * BP_GROUP_FLOATS + i * LANES_WIDTH);
    }
    add_products(sum_re, sum_im, c, s, re, im);
    return n;
}

LANES_INLINE void add_shared(const struct bp_lines *lines, const struct bp_block *block,
                             const struct bp_terms *terms, size_t pulses, enum bp_series series,
                             int degree, struct bp_sums *sums) {
    for (size_t p = 0; p < pulses; p++) {
        size_t first = p * lines->n_antenna;
        for (size_t n = 0; n < lines->n_antenna; n++) {
            tilt_lanes(block, terms, first + n, terms->lane + n * BP_LANES);
            tilt_rows(block, terms, first + n, terms->row + n * BP_ROWS);
        }
        for (size_t r = 0; r < block->rows; r += GROUP_ROWS) {
            antenna_phasors(lines, terms, first, r, series);
            for (size_t link = 0; link < lines->n_link;) {
                link += add_transmitter(lines, terms, p * lines->n_link + link, link, degree,
                                        sums->re[r], sums->im[r]);
            }
        }
    }
}

/* Antennas that serve several channels: their phasors are computed once. */
static void add_pulses(const struct bp_lines *lines, const struct bp_block *block,
                       const struct bp_terms *terms, size_t pulses, enum bp_series series,
                       int degree, struct bp_sums *sums) {
#define SHARED(s)                                                                                  \
    switch (degree) {                                                                              \
    case 3:                                                                                        \
        add_shared(lines, block, terms, pulses, s, 3, sums);                                       \
        break;                                                                                     \
    case 4:                                                                                        \
        add_shared(lines, block, terms, pulses, s, 4, sums);                                       \
        break;                                                                                     \
    case 5:                                                                                        \
        add_shared(lines, block, terms, pulses, s, 5, sums);                                       \
        break;                                                                                     \
    case 6:                                                                                        \
        add_shared(lines, block, terms, pulses, s, 6, sums);                                       \
        break;                                                                                     \
    default:                                                                                       \
        add_shared(lines, block, terms, pulses, s, 7, sums);                                       \
    }
    if (series == BP_SERIES_THIRD) {
        SHARED(BP_SERIES_THIRD)
    } else if (series == BP_SERIES_FOURTH) {
        SHARED(BP_SERIES_FOURTH)
    } else if (series == BP_SERIES_FIFTH) {
        SHARED(BP_SERIES_FIFTH)
    } else {
        SHARED(BP_SERIES_ROOT)
    }
}

void LANES_VERSION(bp_add)(const struct bp_lines *lines, const struct bp_block *block,
                           struct bp_terms *terms, struct bp_sums *sums) {
    for (size_t pulse = 0; pulse < lines->n_pulse; pulse += terms->pulses) {
        size_t left = lines->n_pulse - pulse;
        size_t pulses = left < terms->pulses ? left : terms->pulses;
        size_t n_antenna = pulses * lines->n_antenna;
        bp_terms_tilts(lines, block, pulse * lines->n_antenna, n_antenna, terms);
        struct bp_demand demand = bp_terms_demand(lines, block, 0, n_antenna, terms);
        enum bp_series series = demand.series;
        bp_terms_series(lines, 0, n_antenna, series, terms);
        bp_terms_places(lines, pulses, terms);
        int degree = LOOK_UP;
        if (lines->fit != NULL) {
            degree = bp_terms_fits(lines, pulse, pulses, demand.reach, terms);
        }
        if (lines->shared) {
            add_pulses(lines, block, terms, pulses, series, degree, sums);
        } else {
            add_lines(lines, block, terms, pulse, pulses, series, degree, sums);
        }
    }
}
