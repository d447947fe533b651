/* Echoes of a cluster, one text for every instruction set: included by echo_kernel_*.c. */
#include "algorithms/bp_ranges.h"
#include "algorithms/echo_kernel.h"
#include "algorithms/halfturns.h"

enum { GROUP_FLOATS = LANES_GROUP * LANES_WIDTH };

_Static_assert(CLUSTER_PAD % (LANES_GROUP * LANES_WIDTH) == 0, "clusters hold whole groups");

/* t of the scatterers from i on, seen by antenna a. */
LANES_INLINE void tilt_scatterers(const struct echo_cluster *cluster, const struct bp_terms *terms,
                                  size_t a, size_t i, lanes *t) {
    lanes x = lanes_splat(terms->tilt[0][a]), y = lanes_splat(terms->tilt[1][a]);
    lanes z = lanes_splat(terms->tilt[2][a]), bend = lanes_splat(terms->bend[a]);
    for (int g = 0; g < LANES_GROUP; g++, i += LANES_WIDTH) {
        t[g] = bend * lanes_load(cluster->norm + i);
        t[g] += x * lanes_load(cluster->offset[0] + i);
        t[g] += y * lanes_load(cluster->offset[1] + i);
        t[g] += z * lanes_load(cluster->offset[2] + i);
    }
}

LANES_INLINE lanes above_zero(lanes value) {
    return (lanes)((lanes_int)value & (value > 0.0f));
}

LANES_INLINE void load_gain(const struct echo_cluster *cluster, size_t a, size_t i, lanes *factor) {
    for (int g = 0; g < LANES_GROUP && cluster->gain != NULL; g++) {
        factor[g] *= lanes_load(cluster->gain[a] + i + (size_t)g * LANES_WIDTH);
    }
}

/* Sums of z h^d, d = 0 .. degree, onto moment[d][re, im]. */
LANES_INLINE void add_moments(int degree, const lanes *h, lanes *re, lanes *im, float *moment) {
    for (int d = 0; d <= degree; d++) {
        float *to = moment + (size_t)d * 2 * BP_LANES;
        lanes sum_re = lanes_load(to), sum_im = lanes_load(to + BP_LANES);
        for (int g = 0; g < LANES_GROUP; g++) {
            sum_re += re[g];
            sum_im += im[g];
        }
        lanes_store(to, sum_re);
        lanes_store(to + BP_LANES, sum_im);
        for (int g = 0; g < LANES_GROUP && d < degree; g++) {
            re[g] *= h[g];
            im[g] *= h[g];
        }
    }
}

/* The moments of a line, summed over the lanes, turned by the carrier's phase at its place and
 * spread onto the samples of its profile that the place is fitted from. */
LANES_INLINE void spread_moments(const struct bp_lines *lines, const struct bp_terms *terms,
                                 size_t line, const struct bandfit_level *level,
                                 const float *moment, float *profile) {
    typedef float samples __attribute__((vector_size(4 * BANDFIT_TAPS)));
    const samples *weight = (const samples *)level->spread[terms->place[line]];
    float scale = 1.0f, c = terms->cosine[line], s = terms->sine[line];
    float per_sample = (float)(1.0 / (lines->range_step * lines->halfturns_per_metre));
    samples x = {0}, y = {0};
    for (int d = 0; d <= level->degree; d++, scale *= per_sample) {
        float re = 0.0f, im = 0.0f;
        for (int i = 0; i < LANES_WIDTH; i++) {
            re += moment[2 * d * BP_LANES + i];
            im += moment[(2 * d + 1) * BP_LANES + i];
        }
        x += weight[d] * ((re * c - im * s) * scale);
        y += weight[d] * ((re * s + im * c) * scale);
    }
    float *to = profile + terms->sample[line] - 3;
    for (int i = 0; i < BANDFIT_TAPS; i++) {
        to[i] += x[i];
        to[lines->pitch + (size_t)i] += y[i];
    }
}

/* Each channel by itself. */
LANES_INLINE void gather_line(const struct echo_cluster *cluster, const struct bp_terms *terms,
                              size_t line, int ends, enum bp_series series, int degree,
                              float *moment) {
    size_t antenna[2] = {(size_t)terms->tx[line], (size_t)terms->rx[line]};
    double both = terms->range[antenna[0]] * terms->range[antenna[1]];
    for (size_t i = 0; i < cluster->n; i += GROUP_FLOATS) {
        lanes t[LANES_GROUP], other[LANES_GROUP], h[LANES_GROUP], c[LANES_GROUP], s[LANES_GROUP];
        lanes offset = lanes_splat(terms->offset[line]), factor[LANES_GROUP];
        tilt_scatterers(cluster, terms, antenna[0], i, t);
        if (ends == 2) {
            tilt_scatterers(cluster, terms, antenna[1], i, other);
        }
        for (int g = 0; g < LANES_GROUP; g++) {
            h[g] = offset;
            factor[g] = (lanes){0} + 1.0f;
        }
        add_ranges(terms, antenna, ends, series, t, other, h);
        halfturns_phasor(true, h, c, s);
        if (cluster->spreading) {
            for (int g = 0; g < LANES_GROUP; g++) {
                lanes square = 1.0f + t[g], far = 1.0f + (ends == 2 ? other[g] : t[g]);
                factor[g] = 1.0f / ((float)both * lanes_sqrt(above_zero(square * far)));
            }
        }
        load_gain(cluster, antenna[0], i, factor);
        load_gain(cluster, antenna[1], i, factor);
        lanes re[LANES_GROUP], im[LANES_GROUP];
        for (int g = 0; g < LANES_GROUP; g++) {
            lanes x = lanes_load(cluster->re + i + (size_t)g * LANES_WIDTH);
            lanes y = lanes_load(cluster->im + i + (size_t)g * LANES_WIDTH);
            if (cluster->spreading || cluster->gain != NULL) {
                x *= factor[g];
                y *= factor[g];
            }
            re[g] = x * c[g] - y * s[g];
            im[g] = x * s[g] + y * c[g];
        }
        add_moments(degree, h, re, im, moment);
    }
}

/* Half turns, phasors and 1 / R of every antenna for a group of scatterers. */
LANES_INLINE void gather_antennas(const struct bp_lines *lines, const struct echo_cluster *cluster,
                                  const struct bp_terms *terms, size_t i, enum bp_series series,
                                  float *phasor) {
    for (size_t a = 0; a < lines->n_antenna; a++, phasor += 4 * BP_GROUP_FLOATS) {
        lanes t[LANES_GROUP], h[LANES_GROUP] = {{0}}, c[LANES_GROUP], s[LANES_GROUP];
        lanes factor[LANES_GROUP];
        tilt_scatterers(cluster, terms, a, i, t);
        add_ranges(terms, &a, 1, series, t, t, h);
        halfturns_phasor(true, h, c, s);
        if (cluster->spreading || cluster->gain != NULL) {
            float range = (float)terms->range[a];
            for (int g = 0; g < LANES_GROUP; g++) {
                factor[g] = cluster->spreading
                                ? 1.0f / (range * lanes_sqrt(above_zero(1.0f + t[g])))
                                : (lanes){0} + 1.0f;
            }
            load_gain(cluster, a, i, factor);
            for (int g = 0; g < LANES_GROUP; g++) {
                c[g] *= factor[g];
                s[g] *= factor[g];
            }
        }
        for (int g = 0; g < LANES_GROUP; g++) {
            lanes_store(phasor + g * LANES_WIDTH, h[g]);
            lanes_store(phasor + BP_GROUP_FLOATS + g * LANES_WIDTH, c[g]);
            lanes_store(phasor + 2 * BP_GROUP_FLOATS + g * LANES_WIDTH, s[g]);
        }
    }
}

LANES_INLINE void gather_shared(const struct bp_lines *lines, const struct echo_cluster *cluster,
                                const struct bp_terms *terms, enum bp_series series, int degree,
                                struct echo_shared *shared) {
    for (size_t i = 0; i < cluster->n; i += GROUP_FLOATS) {
        gather_antennas(lines, cluster, terms, i, series, shared->phasor);
        int32_t sent = -1;
        lanes x[LANES_GROUP] = {{0}}, y[LANES_GROUP] = {{0}};
        const float *tx = shared->phasor;
        for (size_t line = 0; line < lines->n_link; line++) {
            if (terms->tx[line] != sent) {
                sent = terms->tx[line];
                tx = shared->phasor + (size_t)sent * 4 * BP_GROUP_FLOATS;
                for (int g = 0; g < LANES_GROUP; g++) {
                    lanes a = lanes_load(cluster->re + i + (size_t)g * LANES_WIDTH);
                    lanes b = lanes_load(cluster->im + i + (size_t)g * LANES_WIDTH);
                    lanes c = lanes_load(tx + BP_GROUP_FLOATS + g * LANES_WIDTH);
                    lanes s = lanes_load(tx + 2 * BP_GROUP_FLOATS + g * LANES_WIDTH);
                    x[g] = a * c - b * s;
                    y[g] = a * s + b * c;
                }
            }
            const float *rx = shared->phasor + (size_t)terms->rx[line] * 4 * BP_GROUP_FLOATS;
            lanes offset = lanes_splat(terms->offset[line]);
            lanes h[LANES_GROUP], re[LANES_GROUP], im[LANES_GROUP];
            for (int g = 0; g < LANES_GROUP; g++) {
                lanes c = lanes_load(rx + BP_GROUP_FLOATS + g * LANES_WIDTH);
                lanes s = lanes_load(rx + 2 * BP_GROUP_FLOATS + g * LANES_WIDTH);
                h[g] = offset + lanes_load(tx + g * LANES_WIDTH) + lanes_load(rx + g * LANES_WIDTH);
                re[g] = x[g] * c - y[g] * s;
                im[g] = x[g] * s + y[g] * c;
            }
            add_moments(degree, h, re, im, shared->moment + line * ECHO_MOMENTS * 2 * BP_LANES);
        }
    }
}

/* The versions of the loops. */
#define GATHER_DEGREES(call, series)                                                               \
    switch (degree) {                                                                              \
    case 3:                                                                                        \
        call(series, 3);                                                                           \
        break;                                                                                     \
    case 4:                                                                                        \
        call(series, 4);                                                                           \
        break;                                                                                     \
    case 5:                                                                                        \
        call(series, 5);                                                                           \
        break;                                                                                     \
    default:                                                                                       \
        call(series, 7);                                                                           \
    }
#define GATHER_ALL(call)                                                                           \
    if (series == BP_SERIES_SHORT) {                                                               \
        GATHER_DEGREES(call, BP_SERIES_SHORT)                                                      \
    } else if (series == BP_SERIES_LONG) {                                                         \
        GATHER_DEGREES(call, BP_SERIES_LONG)                                                       \
    } else {                                                                                       \
        GATHER_DEGREES(call, BP_SERIES_ROOT)                                                       \
    }

static void gather_bistatic(const struct echo_cluster *cluster, const struct bp_terms *terms,
                            size_t line, enum bp_series series, int degree, float *moment) {
#define BISTATIC(s, d) gather_line(cluster, terms, line, 2, s, d, moment)
    GATHER_ALL(BISTATIC)
}

static void gather_monostatic(const struct echo_cluster *cluster, const struct bp_terms *terms,
                              size_t line, enum bp_series series, int degree, float *moment) {
#define MONOSTATIC(s, d) gather_line(cluster, terms, line, 1, s, d, moment)
    GATHER_ALL(MONOSTATIC)
}

static void gather_multistatic(const struct bp_lines *lines, const struct echo_cluster *cluster,
                               const struct bp_terms *terms, enum bp_series series, int degree,
                               struct echo_shared *shared) {
#define MULTISTATIC(s, d) gather_shared(lines, cluster, terms, s, d, shared)
    GATHER_ALL(MULTISTATIC)
}

void LANES_VERSION(echo_add)(const struct bp_lines *lines, const struct echo_cluster *cluster,
                             struct bp_terms *terms, struct echo_shared *shared, float *profile) {
    struct bp_demand demand = bp_terms_tilts(lines, &cluster->block, 0, lines->n_antenna, terms);
    bp_terms_series(lines, lines->n_antenna, demand.series, terms);
    bp_terms_places(lines, 1, terms);
    const struct bandfit_level *level = bp_terms_level(lines, demand.reach);
    size_t moments = ECHO_MOMENTS * 2 * BP_LANES;
    if (lines->shared) {
        for (size_t i = 0; i < lines->n_link * moments; i++) {
            shared->moment[i] = 0.0f;
        }
        gather_multistatic(lines, cluster, terms, demand.series, level->degree, shared);
    }
    for (size_t line = 0; line < lines->n_link; line++, profile += 2 * lines->pitch) {
        float *moment = shared->moment + (lines->shared ? line * moments : 0);
        for (size_t i = 0; i < moments && !lines->shared; i++) {
            moment[i] = 0.0f;
        }
        if (lines->monostatic) {
            gather_monostatic(cluster, terms, line, demand.series, level->degree, moment);
        } else if (!lines->shared) {
            gather_bistatic(cluster, terms, line, demand.series, level->degree, moment);
        }
        spread_moments(lines, terms, line, level, moment, profile);
    }
}
