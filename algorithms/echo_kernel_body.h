/* Echoes of a cluster, one text for every instruction set: included by echo_kernel_*.c. */
#include <string.h>

#include "algorithms/bp_ranges.h"
#include "algorithms/echo_kernel.h"
#include "algorithms/halfturns.h"

enum {
    GROUP_FLOATS = LANES_GROUP * LANES_WIDTH,
    MEASURE_GROUP = 4, /* ranges have more coefficients to share than phasors have registers */
    MEASURE_FLOATS = MEASURE_GROUP * LANES_WIDTH
};

_Static_assert(CLUSTER_PAD % (LANES_GROUP * LANES_WIDTH) == 0, "clusters hold whole groups");
_Static_assert(CLUSTER_PAD % (4 * LANES_WIDTH) == 0, "clusters hold whole groups");

/* t of the scatterers from i on, seen by antenna a. */
LANES_INLINE void tilt_scatterers(const struct echo_cluster *cluster, const struct bp_terms *terms,
                                  size_t a, size_t i, lanes *t) {
    const float *tilts[4] = {terms->bend, terms->tilt[0], terms->tilt[1], terms->tilt[2]};
    const float *offsets[4] = {cluster->norm, cluster->offset[0], cluster->offset[1],
                               cluster->offset[2]};
    for (int k = 0; k < 4; k++) {
        lanes tilt = lanes_splat(tilts[k][a]);
        for (int g = 0; g < MEASURE_GROUP; g++) {
            lanes part = tilt * lanes_load(offsets[k] + i + (size_t)g * LANES_WIDTH);
            t[g] = k > 0 ? t[g] + part : part;
        }
    }
}

LANES_INLINE void store_group(float *to, const lanes *from) {
    for (int g = 0; g < LANES_GROUP; g++) {
        lanes_store(to + g * LANES_WIDTH, from[g]);
    }
}

LANES_INLINE void load_group(const float *from, lanes *to) {
    for (int g = 0; g < LANES_GROUP; g++) {
        to[g] = lanes_load(from + g * LANES_WIDTH);
    }
}

/* 1 / R, or 1 where there is no spreading, times the antenna's pattern: onto factor. */
LANES_INLINE void weigh_group(const struct echo_cluster *cluster, const struct bp_terms *terms,
                              size_t a, size_t i, const lanes *t, float *factor) {
    float range = (float)terms->range[a];
    for (int g = 0; g < MEASURE_GROUP; g++, i += LANES_WIDTH, factor += LANES_WIDTH) {
        lanes weight = lanes_load(factor);
        if (cluster->spreading) {
            lanes square = 1.0f + t[g];
            weight /= range * lanes_sqrt((lanes)((lanes_int)square & (square > 0.0f)));
        }
        if (cluster->gain != NULL) {
            weight *= lanes_load(cluster->gain[a] + i);
        }
        lanes_store(factor, weight);
    }
}

/* Half turns from the place, and factors, of n scatterers from `first` on: out from one antenna and
 * back to the same (ends 1) or another (ends 2), or just out (ends 0). */
LANES_INLINE void measure(const struct echo_cluster *cluster, const struct bp_terms *terms,
                          const size_t *antenna, int ends, float offset, enum bp_series series,
                          bool weighted, size_t first, size_t n, float *halfturns, float *factors) {
    for (size_t i = 0; i < n && weighted; i++) {
        factors[i] = 1.0f;
    }
    for (size_t i = 0; i < n; i += MEASURE_FLOATS) {
        lanes t[MEASURE_GROUP], slope[MEASURE_GROUP], h[MEASURE_GROUP];
        lanes start = lanes_splat(offset);
        for (int g = 0; g < MEASURE_GROUP; g++) {
            h[g] = start;
        }
        for (int e = 0; e < (ends == 2 ? 2 : 1); e++) {
            tilt_scatterers(cluster, terms, antenna[e], first + i, t);
            add_range(MEASURE_GROUP, terms, antenna[e], series, t, slope, h);
            for (int back = 0; back < (ends == 1 ? 2 : 1) && weighted; back++) {
                weigh_group(cluster, terms, antenna[e], first + i, t, factors + i);
            }
        }
        for (int g = 0; g < MEASURE_GROUP; g++) {
            lanes_store(halfturns + i + (size_t)g * LANES_WIDTH, h[g]);
        }
    }
}

/* out = in exp(+j pi h), times the factors where there are any. */
LANES_INLINE void turn(const float *halfturns, const float *factors, const float *in_re,
                       const float *in_im, size_t n, float *out_re, float *out_im) {
    for (size_t i = 0; i < n; i += GROUP_FLOATS) {
        lanes h[LANES_GROUP], c[LANES_GROUP], s[LANES_GROUP], x[LANES_GROUP], y[LANES_GROUP];
        lanes re[LANES_GROUP], im[LANES_GROUP];
        load_group(halfturns + i, h);
        halfturns_phasor(true, h, c, s);
        load_group(in_re + i, x);
        load_group(in_im + i, y);
        for (int g = 0; g < LANES_GROUP; g++) {
            if (factors != NULL) {
                lanes factor = lanes_load(factors + i + (size_t)g * LANES_WIDTH);
                x[g] *= factor;
                y[g] *= factor;
            }
            re[g] = x[g] * c[g] - y[g] * s[g];
            im[g] = x[g] * s[g] + y[g] * c[g];
        }
        store_group(out_re + i, re);
        store_group(out_im + i, im);
    }
}

/* Sums of z h^d onto moment[d], d = 0 .. degree: even powers step by h^2, and odd ones are a
 * multiply-add away from them, which keeps chains short and spares additions. */
LANES_INLINE void add_moments(int degree, const float *halfturns, const float *part, size_t n,
                              float *moment) {
    lanes sum[ECHO_MOMENTS];
    for (int d = 0; d <= degree; d++) {
        sum[d] = lanes_load(moment + (size_t)d * 2 * BP_LANES);
    }
    for (size_t i = 0; i < n; i += LANES_WIDTH) {
        lanes h = lanes_load(halfturns + i), z = lanes_load(part + i), square = h * h;
        for (int d = 0; d <= degree; d += 2) {
            sum[d] += z;
            if (d < degree) {
                sum[d + 1] += z * h;
            }
            z *= square;
        }
    }
    for (int d = 0; d <= degree; d++) {
        lanes_store(moment + (size_t)d * 2 * BP_LANES, sum[d]);
    }
}

LANES_INLINE float total(const float *part) {
    lanes all = lanes_load(part);
    float sum[LANES_WIDTH];
    memcpy(sum, &all, sizeof sum);
    for (int half = LANES_WIDTH / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            sum[i] += sum[i + half];
        }
    }
    return sum[0];
}

/* The moments of a line, summed over the lanes, turned by the carrier's phase at its place and
 * spread onto the samples of its profile that the place is fitted from. */
LANES_INLINE void spread_moments(const struct bp_lines *lines, const struct bp_terms *terms,
                                 size_t line, const struct bandfit_level *level,
                                 const float *moment, int32_t first_sample, float *profile) {
    typedef float samples __attribute__((vector_size(4 * BANDFIT_TAPS)));
    const samples *weight = (const samples *)level->spread[terms->place[line]];
    float scale = 1.0f, c = terms->cosine[line], s = terms->sine[line];
    float per_sample = (float)(1.0 / (lines->range_step * lines->halfturns_per_metre));
    samples x = {0}, y = {0};
    for (int d = 0; d <= level->degree; d++, scale *= per_sample) {
        float re = total(moment + (size_t)(2 * d) * BP_LANES);
        float im = total(moment + (size_t)(2 * d + 1) * BP_LANES);
        x += weight[d] * ((re * c - im * s) * scale);
        y += weight[d] * ((re * s + im * c) * scale);
    }
    float *to = profile + (terms->sample[line] - first_sample - 3);
    for (int i = 0; i < BANDFIT_TAPS; i++) {
        to[i] += x[i];
        to[lines->pitch + (size_t)i] += y[i];
    }
}

/* Each channel by itself. */
LANES_INLINE void gather_line(const struct echo_cluster *cluster, const struct bp_terms *terms,
                              size_t line, int ends, enum bp_series series, bool weighted,
                              struct echo_chunk *chunk, size_t first, size_t n) {
    size_t antenna[2] = {(size_t)terms->tx[line], (size_t)terms->rx[line]};
    measure(cluster, terms, antenna, ends, terms->offset[line], series, weighted, first, n,
            chunk->halfturns, chunk->factor);
    turn(chunk->halfturns, weighted ? chunk->factor : NULL, cluster->re + first,
         cluster->im + first, n, chunk->re, chunk->im);
}

/* One antenna of several channels: half turns and phasors, with its factor, to be multiplied. */
LANES_INLINE void gather_antenna(const struct echo_cluster *cluster, const struct bp_terms *terms,
                                 size_t antenna, enum bp_series series, bool weighted,
                                 struct echo_chunk *chunk, size_t first, size_t n) {
    measure(cluster, terms, &antenna, 0, 0.0f, series, weighted, first, n, chunk->halfturns,
            chunk->factor);
    for (size_t i = 0; i < n; i += GROUP_FLOATS) {
        lanes h[LANES_GROUP], c[LANES_GROUP], s[LANES_GROUP];
        load_group(chunk->halfturns + i, h);
        halfturns_phasor(true, h, c, s);
        for (int g = 0; g < LANES_GROUP && weighted; g++) {
            lanes factor = lanes_load(chunk->factor + i + (size_t)g * LANES_WIDTH);
            c[g] *= factor;
            s[g] *= factor;
        }
        store_group(chunk->re + i, c);
        store_group(chunk->im + i, s);
    }
}

/* out = a b, complex. */
LANES_INLINE void multiply(const float *a_re, const float *a_im, const float *b_re,
                           const float *b_im, size_t n, float *out_re, float *out_im) {
    for (size_t i = 0; i < n; i += LANES_WIDTH) {
        lanes a = lanes_load(a_re + i), b = lanes_load(a_im + i);
        lanes c = lanes_load(b_re + i), s = lanes_load(b_im + i);
        lanes_store(out_re + i, a * c - b * s);
        lanes_store(out_im + i, a * s + b * c);
    }
}

/* Half turns of a channel from its antennas' ones. */
LANES_INLINE void add_halfturns(const float *a, const float *b, float offset, size_t n,
                                float *out) {
    lanes start = lanes_splat(offset);
    for (size_t i = 0; i < n; i += LANES_WIDTH) {
        lanes_store(out + i, start + lanes_load(a + i) + lanes_load(b + i));
    }
}

#define MOMENTS(name, degree)                                                                      \
    static void name(const struct echo_chunk *chunk, size_t n, float *moment) {                    \
        add_moments(degree, chunk->halfturns, chunk->re, n, moment);                               \
        add_moments(degree, chunk->halfturns, chunk->im, n, moment + BP_LANES);                    \
    }
MOMENTS(moments_3, 3)
MOMENTS(moments_4, 4)
MOMENTS(moments_5, 5)
MOMENTS(moments_6, 6)
MOMENTS(moments_7, 7)

static void (*const moments_of[ECHO_MOMENTS])(const struct echo_chunk *, size_t, float *) = {
    [3] = moments_3, [4] = moments_4, [5] = moments_5, [6] = moments_6, [7] = moments_7};

#define GATHER(name, kind, ...)                                                                    \
    static void name(const struct echo_cluster *cluster, const struct bp_terms *terms, size_t of,  \
                     struct echo_chunk *chunk, size_t first, size_t n) {                           \
        bool weighted = cluster->spreading || cluster->gain != NULL;                               \
        if (weighted) {                                                                            \
            kind(cluster, terms, of, __VA_ARGS__, true, chunk, first, n);                          \
        } else {                                                                                   \
            kind(cluster, terms, of, __VA_ARGS__, false, chunk, first, n);                         \
        }                                                                                          \
    }
GATHER(gather_two_third, gather_line, 2, BP_SERIES_THIRD)
GATHER(gather_two_fourth, gather_line, 2, BP_SERIES_FOURTH)
GATHER(gather_two_fifth, gather_line, 2, BP_SERIES_FIFTH)
GATHER(gather_two_root, gather_line, 2, BP_SERIES_ROOT)
GATHER(gather_mono_third, gather_line, 1, BP_SERIES_THIRD)
GATHER(gather_mono_fourth, gather_line, 1, BP_SERIES_FOURTH)
GATHER(gather_mono_fifth, gather_line, 1, BP_SERIES_FIFTH)
GATHER(gather_mono_root, gather_line, 1, BP_SERIES_ROOT)
GATHER(gather_one_third, gather_antenna, BP_SERIES_THIRD)
GATHER(gather_one_fourth, gather_antenna, BP_SERIES_FOURTH)
GATHER(gather_one_fifth, gather_antenna, BP_SERIES_FIFTH)
GATHER(gather_one_root, gather_antenna, BP_SERIES_ROOT)

typedef void gather(const struct echo_cluster *, const struct bp_terms *, size_t,
                    struct echo_chunk *, size_t, size_t);

static gather *const gather_two[] = {gather_two_third, gather_two_fourth, gather_two_fifth,
                                     gather_two_root};
static gather *const gather_mono[] = {gather_mono_third, gather_mono_fourth, gather_mono_fifth,
                                      gather_mono_root};
static gather *const gather_one[] = {gather_one_third, gather_one_fourth, gather_one_fifth,
                                     gather_one_root};

/* Every channel of a pulse, the lines from `line` on, by itself. */
static void gather_lines(const struct bp_lines *lines, const struct echo_cluster *cluster,
                         const struct bp_terms *terms, size_t line, enum bp_series series,
                         int degree, float *moment) {
    struct echo_chunk chunk;
    gather *of_line = lines->monostatic ? gather_mono[series] : gather_two[series];
    for (size_t i = 0; i < lines->n_link; i++, moment += ECHO_MOMENT_FLOATS) {
        for (size_t first = 0; first < cluster->n; first += ECHO_CHUNK) {
            size_t n = cluster->n - first < ECHO_CHUNK ? cluster->n - first : ECHO_CHUNK;
            of_line(cluster, terms, line + i, &chunk, first, n);
            moments_of[degree](&chunk, n, moment);
        }
    }
}

/* Channels that share antennas; the pulse's first antenna and line are given. */
static void gather_shared(const struct bp_lines *lines, const struct echo_cluster *cluster,
                          const struct bp_terms *terms, size_t antenna, size_t line,
                          enum bp_series series, int degree, struct echo_scratch *scratch) {
    struct echo_chunk chunk, sent;
    for (size_t first = 0; first < cluster->n; first += ECHO_CHUNK) {
        size_t n = cluster->n - first < ECHO_CHUNK ? cluster->n - first : ECHO_CHUNK;
        for (size_t a = 0; a < lines->n_antenna; a++) {
            gather_one[series](cluster, terms, antenna + a, &scratch->antenna[a], first, n);
        }
        int32_t last = -1;
        for (size_t i = 0; i < lines->n_link; i++) {
            const struct echo_chunk *tx = &scratch->antenna[terms->tx[line + i] - (int32_t)antenna];
            const struct echo_chunk *rx = &scratch->antenna[terms->rx[line + i] - (int32_t)antenna];
            if (terms->tx[line + i] != last) {
                last = terms->tx[line + i];
                multiply(cluster->re + first, cluster->im + first, tx->re, tx->im, n, sent.re,
                         sent.im);
            }
            multiply(sent.re, sent.im, rx->re, rx->im, n, chunk.re, chunk.im);
            add_halfturns(tx->halfturns, rx->halfturns, terms->offset[line + i], n,
                          chunk.halfturns);
            moments_of[degree](&chunk, n, scratch->moment + i * ECHO_MOMENT_FLOATS);
        }
    }
}

/* Pulses choose their series and degree by themselves: what is simulated of one must not depend on
 * which others are simulated with it. */
void LANES_VERSION(echo_add)(const struct bp_lines *lines, const struct echo_cluster *cluster,
                             struct bp_terms *terms, struct echo_scratch *scratch, float *profile) {
    const struct bp_block *block = &cluster->block;
    bp_terms_tilts(lines, block, 0, lines->n_pulse * lines->n_antenna, terms);
    bp_terms_places(lines, lines->n_pulse, terms);
    for (size_t p = 0; p < lines->n_pulse; p++) {
        size_t antenna = p * lines->n_antenna, line = p * lines->n_link;
        struct bp_demand demand = bp_terms_demand(lines, block, antenna, lines->n_antenna, terms);
        const struct bandfit_level *level = bp_terms_level(lines, demand.reach);
        bp_terms_series(lines, antenna, lines->n_antenna, demand.series, terms);
        for (size_t i = 0; i < lines->n_link; i++) {
            memset(scratch->moment + i * ECHO_MOMENT_FLOATS, 0,
                   (size_t)(level->degree + 1) * 2 * BP_LANES * sizeof(float));
        }
        if (lines->shared) {
            gather_shared(lines, cluster, terms, antenna, line, demand.series, level->degree,
                          scratch);
        } else {
            gather_lines(lines, cluster, terms, line, demand.series, level->degree,
                         scratch->moment);
        }
        for (size_t i = 0; i < lines->n_link; i++) {
            spread_moments(lines, terms, line + i, level, scratch->moment + i * ECHO_MOMENT_FLOATS,
                           cluster->first_sample, profile + 2 * (line + i) * lines->pitch);
        }
    }
}
