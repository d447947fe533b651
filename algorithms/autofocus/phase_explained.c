/* How much of all echoes the strongest places of an image explain (docs/theory/phase-gradient.md).
 *
 * Scatterers of like strength in one range cell are made into one bright one by the phases of their
 * common echo, and the image is sharper for it; its ghosts are then many, as the echo's strength
 * goes up and down still. Poses that are right make few places do for all echoes. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/elimination.h"
#include "algorithms/frequencies.h"

/* Range cells and steps in each that the response is tabulated for; the stretches that take turns
 * in telling the strengths and in being explained; passes of the places. */
enum { CELLS = 32, STEPS = 32, STRETCHES = 16, PLACE_PASSES = 4, BLOCK = 256 };

/* Strengths and phases of the pulses are found in turns, so often with the places as they are. */
enum { TURNS = 30 };

/* Of the largest diagonal: what keeps places that are told alike from making up large strengths. */
#define RIDGE 1e-3

/* What a place may move by, in wavelengths: that its phases stay told. */
#define MOST_MOVE 0.25

/* sum_n w_n exp(j (k_n - k) way), for ways of either sign. */
struct response {
    double k, step;
    size_t half;
    double complex *at; /* [2 half + 1] */
};

struct explanation {
    const nfsar_capture *capture;
    struct phase_history history;
    struct response response;
    size_t n;
    double complex *seen[2]; /* [n] sums of the echoes at the places, over stretches of each kind */
    double complex *cross[2];        /* [n][n] what each place's echo adds to another's */
    double energy[2];                /* sum w |s|^2 */
    double complex *strength;        /* [n] */
    double *system;                  /* [2n][2n + 1] */
    nfsar_vec3 *tx, *rx;             /* [BLOCK][n_channel] */
    struct phase_estimate *estimate; /* found as well, unless NULL */
    double *along;                   /* [n_pulse] of it: phase, or metres along the line of sight */
    double complex *match;  /* [n_pulse] of what the places make with what is seen, turned */
    double complex *smooth; /* [2][n_pulse] */
};

static enum nfsar_status make_response(const nfsar_capture *capture, struct response *response,
                                       nfsar_error *error) {
    double *k = NULL, low = 0.0, high = 0.0;
    float *w = NULL;
    enum nfsar_status status = frequencies_make(capture, NFSAR_WINDOW_HANN, &k, &w, error);
    if (status != NFSAR_OK) {
        return status;
    }
    frequencies_range(k, capture->n_sample, &low, &high);
    *response = (struct response){.k = 0.5 * (low + high),
                                  .step = 2.0 * nfsar_range_resolution(capture) / STEPS,
                                  .half = (size_t)CELLS * STEPS};
    response->at = buffer_zeros(2 * response->half + 1, sizeof *response->at);
    if (response->at == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; status == NFSAR_OK && i <= 2 * response->half; i++) {
        const double way = ((double)i - (double)response->half) * response->step;
        for (size_t n = 0; n < capture->n_sample; n++) {
            response->at[i] += (double)w[n] * cexp(I * (k[n] - response->k) * way);
        }
    }
    free(k);
    free(w);
    return status;
}

/* A unit echo of a place whose way is longer by that much; none beyond the table. */
static double complex response_at(const struct response *r, double way) {
    const double at = way / r->step + (double)r->half;
    if (!(at >= 0.0) || !(at < (double)(2 * r->half))) {
        return 0.0;
    }
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    return ((1.0 - part) * r->at[i] + part * r->at[i + 1]) * cexp(I * r->k * way);
}

static size_t kind_of(size_t pulse, size_t n_pulse) {
    return pulse * STRETCHES / n_pulse % 2;
}

/* cross[i][j] of one pulse: place j's unit echo as it is seen at place i. */
static void cross_of(const struct explanation *e, const nfsar_vec3 *place, const nfsar_vec3 *tx,
                     const nfsar_vec3 *rx, double complex *cross) {
    const size_t n = e->n, channels = e->capture->array.n_channel;
    double way[PHASE_MOST_EXPLAIN];
    memset(cross, 0, n * n * sizeof *cross);
    for (size_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < n; i++) {
            way[i] = nfsar_vec3_distance(place[i], tx[c]) + nfsar_vec3_distance(place[i], rx[c]);
            for (size_t j = 0; j <= i; j++) {
                cross[i * n + j] += response_at(&e->response, way[j] - way[i]);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            cross[j * n + i] = conj(cross[i * n + j]);
        }
    }
}

/* Strengths from the stretches of one kind, or of both. */
static void solve(struct explanation *e, const double complex *cross, const double complex *seen) {
    const size_t n = e->n, pitch = 2 * n + 1;
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, creal(cross[i * n + i]));
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const double complex a = cross[i * n + j] + (i == j ? RIDGE * most + 1e-300 : 0.0);
            e->system[i * pitch + j] = creal(a);
            e->system[i * pitch + n + j] = -cimag(a);
            e->system[(n + i) * pitch + j] = cimag(a);
            e->system[(n + i) * pitch + n + j] = creal(a);
        }
        e->system[i * pitch + 2 * n] = creal(seen[i]);
        e->system[(n + i) * pitch + 2 * n] = cimag(seen[i]);
    }
    eliminate(2 * n, 1, pitch, e->system, e->system + 2 * n);
    for (size_t i = 0; i < n; i++) {
        e->strength[i] = CMPLX(e->system[i * pitch + 2 * n], e->system[(n + i) * pitch + 2 * n]);
    }
}

/* What the strengths take off the energy of the stretches of a kind. */
static double taken(const struct explanation *e, size_t kind) {
    const size_t n = e->n;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double complex made = 0.0;
        for (size_t j = 0; j < n; j++) {
            made += e->cross[kind][i * n + j] * e->strength[j];
        }
        sum += creal(conj(e->strength[i]) * (2.0 * e->seen[kind][i] - made));
    }
    return sum;
}

/* ---- over all pulses ------------------------------------------------------------------------- */

struct pulse_room {
    double complex cross[PHASE_MOST_EXPLAIN * PHASE_MOST_EXPLAIN];
    double complex sum[2][PHASE_MOST_EXPLAIN * PHASE_MOST_EXPLAIN];
    double fit[PHASE_MOST_EXPLAIN][3][4];
};

/* Sums of one pulse; with `fit`, how the places should move instead. */
static void add_pulse(const struct explanation *e, const nfsar_vec3 *place, size_t pulse,
                      const nfsar_vec3 *tx, const nfsar_vec3 *rx, bool fit,
                      struct pulse_room *room) {
    const struct phase_history *h = &e->history;
    const size_t n = e->n;
    cross_of(e, place, tx, rx, room->cross);
    if (!fit) {
        double complex *sum = room->sum[kind_of(pulse, h->n_pulse)];
        for (size_t i = 0; i < n * n; i++) {
            sum[i] += room->cross[i];
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double complex own = h->echo[PHASE_ALL][i * h->n_pulse + pulse];
        for (size_t j = 0; j < n; j++) {
            own -= j != i ? room->cross[i * n + j] * e->strength[j] : 0.0;
        }
        const double complex z = conj(e->strength[i]) * own;
        const nfsar_vec3 way = h->way[i * h->n_pulse + pulse];
        const double k = e->response.k, u[4] = {-k * way.x, -k * way.y, -k * way.z, carg(z)};
        for (int d = 0; d < 3; d++) {
            for (int f = 0; f < 4; f++) {
                room->fit[i][d][f] += cabs(z) * u[d] * u[f];
            }
        }
    }
}

static enum nfsar_status over_pulses(struct explanation *e, const nfsar_vec3 *place, int threads,
                                     bool fit, double (*move)[3][4], nfsar_error *error) {
    const size_t n_pulse = e->capture->n_pulse, channels = e->capture->array.n_channel;
    enum nfsar_status status = NFSAR_OK;
    bool failed = false;
    if (fit) {
        memset(move, 0, e->n * sizeof *move);
    } else {
        memset(e->cross[0], 0, e->n * e->n * sizeof *e->cross[0]);
        memset(e->cross[1], 0, e->n * e->n * sizeof *e->cross[1]);
    }
    for (size_t first = 0; status == NFSAR_OK && first < n_pulse; first += BLOCK) {
        const size_t left = n_pulse - first, n = left < BLOCK ? left : BLOCK;
        status = nfsar_capture_antennas(e->capture, false, first, n, e->tx, e->rx, error);
        if (status != NFSAR_OK) {
            break;
        }
#pragma omp parallel num_threads(threads > 0 ? threads : omp_get_max_threads())
        {
            struct pulse_room *room = calloc(1, sizeof *room);
#pragma omp for
            for (size_t l = 0; l < n; l++) {
                if (room != NULL) {
                    add_pulse(e, place, first + l, e->tx + l * channels, e->rx + l * channels, fit,
                              room);
                }
            }
#pragma omp critical(nfsar_phase_explained)
            {
                failed = failed || room == NULL;
                for (size_t i = 0; room != NULL && fit && i < e->n * 12; i++) {
                    ((double *)move)[i] += ((double *)room->fit)[i];
                }
                for (size_t i = 0; room != NULL && !fit && i < e->n * e->n; i++) {
                    e->cross[0][i] += room->sum[0][i];
                    e->cross[1][i] += room->sum[1][i];
                }
            }
            free(room);
        }
    }
    if (status == NFSAR_OK && failed) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return status;
}

static void sum_seen(struct explanation *e) {
    const struct phase_history *h = &e->history;
    for (size_t kind = 0; kind < 2; kind++) {
        e->energy[kind] = 0.0;
        memset(e->seen[kind], 0, e->n * sizeof *e->seen[kind]);
    }
    for (size_t l = 0; l < h->n_pulse; l++) {
        const size_t kind = kind_of(l, h->n_pulse);
        e->energy[kind] += h->energy[l];
        for (size_t i = 0; i < e->n; i++) {
            e->seen[kind][i] += h->echo[PHASE_ALL][i * h->n_pulse + l];
        }
    }
}

/* Each kind of stretch explained by what the other told. */
static double explained_of(struct explanation *e) {
    double sum = 0.0;
    for (size_t kind = 0; kind < 2; kind++) {
        solve(e, e->cross[kind], e->seen[kind]);
        sum += taken(e, 1 - kind);
    }
    const double all = e->energy[0] + e->energy[1];
    return all > 0.0 ? fmax(sum / all, 0.0) : 0.0;
}

/* Strengths that both kinds of stretches tell. */
static void solve_all(struct explanation *e, double complex *room) {
    const size_t n = e->n;
    for (size_t i = 0; i < n * n; i++) {
        room[i] = e->cross[0][i] + e->cross[1][i];
    }
    for (size_t i = 0; i < n; i++) {
        room[n * n + i] = e->seen[0][i] + e->seen[1][i];
    }
    solve(e, room, room + n * n);
}

/* Places between voxels are told better by the echoes: each by what the others leave to it. */
static enum nfsar_status move_places(struct explanation *e, nfsar_vec3 *place, int threads,
                                     nfsar_error *error) {
    const size_t n = e->n;
    double(*move)[3][4] = buffer_zeros(n, sizeof *move);
    double complex *cross = buffer_alloc(n * n + n, sizeof *cross);
    enum nfsar_status status = NFSAR_OK;
    if (move == NULL || cross == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
    } else {
        solve_all(e, cross);
        status = over_pulses(e, place, threads, true, move, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        double(*a)[4] = move[i];
        const double ridge = 1e-3 * (a[0][0] + a[1][1] + a[2][2]) + 1e-300;
        for (int d = 0; d < 3; d++) {
            a[d][d] += ridge;
        }
        eliminate(3, 1, 4, a[0], &a[0][3]);
        const nfsar_vec3 by = {a[0][3], a[1][3], a[2][3]};
        const double most = MOST_MOVE * 2.0 * NFSAR_PI / e->response.k;
        const double far = nfsar_vec3_norm(by);
        place[i] = nfsar_vec3_add(place[i], nfsar_vec3_scale(by, far > most ? most / far : 1.0));
    }
    free(move);
    free(cross);
    return status;
}

/* ---- phases of the pulses -------------------------------------------------------------------- */

/* Radians of a place's echo for a unit of e->along. */
static double gain_of(const struct explanation *e, size_t i, size_t pulse) {
    const struct phase_history *h = &e->history;
    return e->estimate->per_pulse
               ? 1.0
               : e->response.k * nfsar_vec3_dot(h->way[i * h->n_pulse + pulse], h->sight[pulse]);
}

static double mean_gain(const struct explanation *e, size_t pulse) {
    double sum = 0.0;
    for (size_t i = 0; i < e->n; i++) {
        sum += gain_of(e, i, pulse) / (double)e->n;
    }
    return sum;
}

static void turn_echoes(struct explanation *e, size_t pulse, double by) {
    for (size_t i = 0; i < e->n; i++) {
        e->history.echo[PHASE_ALL][i * e->history.n_pulse + pulse] *=
            cexp(-I * gain_of(e, i, pulse) * by);
    }
}

/* The phase of each pulse is that which is left between what all places make together and what is
 * seen: with strengths in turn, the energy explained never becomes less. */
static enum nfsar_status find_phases(struct explanation *e, nfsar_error *error) {
    const struct phase_history *h = &e->history;
    double complex *room = buffer_alloc(e->n * e->n + e->n, sizeof *room);
    if (room == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", e->n);
    }
    for (size_t l = 0; l < h->n_pulse; l++) {
        turn_echoes(e, l, e->along[l]);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        sum_seen(e);
        solve_all(e, room);
        for (size_t l = 0; l < h->n_pulse; l++) {
            e->match[l] = 0.0;
            for (size_t i = 0; i < e->n; i++) {
                e->match[l] += conj(e->strength[i]) * h->echo[PHASE_ALL][i * h->n_pulse + l];
            }
            const double by = carg(e->match[l]) / mean_gain(e, l);
            e->along[l] += by;
            turn_echoes(e, l, by);
        }
    }
    free(room);
    return NFSAR_OK;
}

/* A phase goes on from pulse to pulse by less than half a turn. Pulses that fade, by so much beside
 * the mean match, do not tell it: it stays through them. */
enum { UNWRAP_BY = 2 };
#define FADED 0.3

static void unwrap(struct explanation *e) {
    const size_t n = e->history.n_pulse;
    double complex *smooth = e->smooth, *room = e->smooth + n;
    double mean = 0.0;
    for (size_t l = 0; l < n; l++) {
        e->match[l] = cabs(e->match[l]) * cexp(I * e->along[l] * mean_gain(e, l));
    }
    phase_smooth(e->match, n, UNWRAP_BY, room, smooth);
    for (size_t l = 0; l < n; l++) {
        mean += cabs(smooth[l]) / (double)n;
    }
    double complex last = 1.0;
    double on = 0.0;
    for (size_t l = 0; l < n; l++) {
        if (cabs(smooth[l]) > FADED * mean) {
            on += carg(smooth[l] * conj(last));
            last = smooth[l];
        }
        const double gain = mean_gain(e, l);
        e->along[l] = (on + remainder(e->along[l] * gain - on, 2.0 * NFSAR_PI)) / gain;
    }
}

/* Less its mean, which is no error of single pulses. */
static void keep_estimate(struct explanation *e) {
    const size_t n = e->history.n_pulse;
    double mean = 0.0;
    unwrap(e);
    for (size_t l = 0; l < n; l++) {
        mean += e->along[l] / (double)n;
    }
    for (size_t l = 0; l < n; l++) {
        const double by = e->along[l] - mean;
        const bool per_pulse = e->estimate->per_pulse;
        e->estimate->phase_rad[l] = per_pulse ? by : 0.0;
        e->estimate->displacement_m[l] =
            nfsar_vec3_scale(e->history.sight[l], per_pulse ? 0.0 : by);
    }
    if (!e->estimate->per_pulse) {
        phase_remove_shift(&e->history, e->estimate);
    }
}

static enum nfsar_status explain(struct explanation *e, const nfsar_echo_source *source,
                                 nfsar_vec3 *place, double noise, int threads,
                                 struct phase_explanation *found, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (int pass = 0; status == NFSAR_OK && pass < PLACE_PASSES; pass++) {
        phase_history_free(&e->history);
        status = phase_history_make(e->capture, source, place, e->n, threads, &e->history, error);
        if (status == NFSAR_OK) {
            status = over_pulses(e, place, threads, false, NULL, error);
        }
        if (status == NFSAR_OK && e->estimate != NULL) {
            status = find_phases(e, error);
        }
        if (status == NFSAR_OK) {
            sum_seen(e);
            const double all = e->energy[0] + e->energy[1];
            found->explained = fmax(e->estimate == NULL ? found->explained : 0.0, explained_of(e));
            found->noise = all > 0.0 ? fmin(noise * e->history.noise_energy / all, 1.0) : 0.0;
            status = move_places(e, place, threads, error);
        }
    }
    return status;
}

static enum nfsar_status prepare(struct explanation *e, nfsar_error *error) {
    const size_t n = e->n, channels = e->capture->array.n_channel, pulses = e->capture->n_pulse;
    bool there = true;
    for (int kind = 0; kind < 2; kind++) {
        e->seen[kind] = buffer_alloc(n, sizeof *e->seen[kind]);
        e->cross[kind] = buffer_alloc(n * n, sizeof *e->cross[kind]);
        there = there && e->seen[kind] != NULL && e->cross[kind] != NULL;
    }
    e->strength = buffer_alloc(n, sizeof *e->strength);
    e->system = buffer_alloc(2 * n * (2 * n + 1), sizeof *e->system);
    e->tx = buffer_alloc(BLOCK * channels, sizeof *e->tx);
    e->rx = buffer_alloc(BLOCK * channels, sizeof *e->rx);
    e->along = buffer_zeros(pulses, sizeof *e->along);
    e->match = buffer_zeros(pulses, sizeof *e->match);
    e->smooth = buffer_zeros(2 * pulses, sizeof *e->smooth);
    there = there && e->strength != NULL && e->system != NULL && e->tx != NULL && e->rx != NULL &&
            e->along != NULL && e->match != NULL && e->smooth != NULL;
    return there ? make_response(e->capture, &e->response, error)
                 : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu places", n);
}

static void release(struct explanation *e) {
    phase_history_free(&e->history);
    free(e->response.at);
    for (int kind = 0; kind < 2; kind++) {
        free(e->seen[kind]);
        free(e->cross[kind]);
    }
    free(e->strength);
    free(e->system);
    free(e->tx);
    free(e->rx);
    free(e->along);
    free(e->match);
    free(e->smooth);
}

enum nfsar_status phase_explained(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  nfsar_vec3 *place, size_t n, double noise, int threads,
                                  struct phase_estimate *estimate, struct phase_explanation *found,
                                  nfsar_error *error) {
    *found = (struct phase_explanation){0};
    n = n < PHASE_MOST_EXPLAIN ? n : PHASE_MOST_EXPLAIN;
    if (n == 0) {
        return NFSAR_OK;
    }
    struct explanation e = {.capture = capture, .n = n, .estimate = estimate};
    enum nfsar_status status = prepare(&e, error);
    if (status == NFSAR_OK) {
        status = explain(&e, source, place, noise, threads, found, error);
    }
    if (status == NFSAR_OK && estimate != NULL) {
        keep_estimate(&e);
    }
    release(&e);
    return status;
}
