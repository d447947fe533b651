/* Echoes at the places of scatterers, pulse by pulse: backprojection of one voxel without the sum
 * over the pulses. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/frequencies.h"

/* Samples that are in memory at a time. */
#define BLOCK_BYTES ((size_t)128 << 20)

/* A walk over all pulses: what is done with one. */
struct walk {
    const nfsar_capture *capture;
    double *wavenumber;
    float *taper; /* of all frequencies */
    float *half;  /* of each within its own half of the band */
    bool *upper;  /* which that is */
    double step;  /* between wavenumbers, 0 where it is not even */
    void (*visit)(const struct walk *walk, size_t pulse, const nfsar_vec3 *tx, const nfsar_vec3 *rx,
                  const float complex *echo);
    struct phase_history *history;
    const nfsar_vec3 *place;
    double step_m; /* of the profiles */
    size_t reach;
    float *profile;
};

static double even_step(const double *k, size_t n) {
    const double step = (k[n - 1] - k[0]) / (double)(n - 1);
    for (size_t i = 0; i < n; i++) {
        /* Over 10 m and back a millionth of a radian. */
        if (fabs(k[0] + step * (double)i - k[i]) * 20.0 > 1e-6) {
            return 0.0;
        }
    }
    return step;
}

/* sum of w s exp(-jk R) over each band. */
static void sum_bands(const struct walk *walk, const float complex *s, double way,
                      double complex sum[PHASE_BANDS]) {
    const double *k = walk->wavenumber;
    const float *w = walk->taper;
    double complex turn = cexp(-I * k[0] * way), step = cexp(-I * walk->step * way);
    for (size_t n = 0; n < walk->capture->n_sample; n++) {
        if (walk->step == 0.0 || n % 64 == 0) {
            turn = cexp(-I * k[n] * way);
        }
        const double complex value = (double complex)s[n] * turn;
        sum[walk->upper[n] ? PHASE_UPPER : PHASE_LOWER] += (double)walk->half[n] * value;
        sum[PHASE_ALL] += (double)w[n] * value;
        turn *= step;
    }
}

static void visit_scatterers(const struct walk *walk, size_t pulse, const nfsar_vec3 *tx,
                             const nfsar_vec3 *rx, const float complex *echo) {
    struct phase_history *h = walk->history;
    const size_t channels = walk->capture->array.n_channel;
    nfsar_vec3 sight = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < h->n_scatterer; i++) {
        double complex sum[PHASE_BANDS] = {0.0};
        nfsar_vec3 way = {0.0, 0.0, 0.0};
        double path = 0.0;
        for (size_t c = 0; c < channels; c++) {
            nfsar_vec3 t = nfsar_vec3_subtract(walk->place[i], tx[c]);
            nfsar_vec3 r = nfsar_vec3_subtract(walk->place[i], rx[c]);
            const double far_t = fmax(nfsar_vec3_norm(t), 1e-9);
            const double far_r = fmax(nfsar_vec3_norm(r), 1e-9);
            sum_bands(walk, echo + c * walk->capture->n_sample, far_t + far_r, sum);
            path += (far_t + far_r) / (double)channels;
            way = nfsar_vec3_subtract(way, nfsar_vec3_scale(t, 1.0 / far_t));
            way = nfsar_vec3_subtract(way, nfsar_vec3_scale(r, 1.0 / far_r));
        }
        way = nfsar_vec3_scale(way, 1.0 / (double)channels);
        h->way[i * h->n_pulse + pulse] = way;
        h->path[i * h->n_pulse + pulse] = path;
        sight = nfsar_vec3_subtract(sight, way);
        for (size_t b = 0; b < PHASE_BANDS; b++) {
            h->echo[b][i * h->n_pulse + pulse] = sum[b];
        }
    }
    h->sight[pulse] = nfsar_vec3_scale(sight, 1.0 / fmax(nfsar_vec3_norm(sight), 1e-9));
    h->energy[pulse] = 0.0;
    for (size_t j = 0; j < channels * walk->capture->n_sample; j++) {
        const double complex s = (double complex)echo[j];
        h->energy[pulse] += (double)walk->taper[j % walk->capture->n_sample] * creal(s * conj(s));
    }
}

static void visit_profiles(const struct walk *walk, size_t pulse, const nfsar_vec3 *tx,
                           const nfsar_vec3 *rx, const float complex *echo) {
    const size_t channels = walk->capture->array.n_channel, n = 2 * walk->reach + 1;
    for (size_t j = 0; j < n; j++) {
        double complex all = 0.0;
        for (size_t c = 0; c < channels; c++) {
            double complex sum[PHASE_BANDS] = {0.0};
            const double way = nfsar_vec3_distance(*walk->place, tx[c]) +
                               nfsar_vec3_distance(*walk->place, rx[c]) +
                               2.0 * walk->step_m * ((double)j - (double)walk->reach);
            sum_bands(walk, echo + c * walk->capture->n_sample, way, sum);
            all += sum[PHASE_ALL];
        }
        walk->profile[pulse * n + j] = (float)cabs(all);
    }
}

/* The halves of the band, each with a window of its own. */
static enum nfsar_status make_halves(struct walk *walk, nfsar_error *error) {
    const size_t n = walk->capture->n_sample;
    const double *f = walk->capture->frequency_hz;
    double low = 0.0, high = 0.0, *position = buffer_alloc(n, sizeof *position);
    walk->half = buffer_alloc(n, sizeof *walk->half);
    walk->upper = buffer_alloc(n, sizeof *walk->upper);
    if (position == NULL || walk->half == NULL || walk->upper == NULL) {
        free(position);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu frequencies", n);
    }
    frequencies_range(f, n, &low, &high);
    for (size_t i = 0; i < n; i++) {
        const double at = high > low ? 2.0 * (f[i] - low) / (high - low) : 0.0;
        walk->upper[i] = at >= 1.0;
        position[i] = walk->upper[i] ? at - 1.0 : at;
    }
    nfsar_window_taper_at(NFSAR_WINDOW_HANN, position, n, walk->half);
    free(position);
    return NFSAR_OK;
}

/* White noise is in the sums by its windows: sum w^2; in a range profile by sum w^2 / (sum w)^2. */
static void set_noise(const struct walk *walk) {
    double sum = 0.0, squares[PHASE_BANDS] = {0.0};
    for (size_t n = 0; n < walk->capture->n_sample; n++) {
        const double w = (double)walk->taper[n], half = (double)walk->half[n];
        sum += w;
        squares[PHASE_ALL] += w * w;
        squares[walk->upper[n] ? PHASE_UPPER : PHASE_LOWER] += half * half;
    }
    for (size_t b = 0; b < PHASE_BANDS; b++) {
        walk->history->noise[b] = (double)walk->capture->array.n_channel * squares[b] * sum * sum /
                                  fmax(squares[PHASE_ALL], 1e-300);
    }
    walk->history->noise_energy = (double)walk->capture->n_pulse * walk->history->noise[PHASE_ALL] *
                                  sum / fmax(squares[PHASE_ALL], 1e-300);
}

static enum nfsar_status walk_pulses(struct walk *walk, const nfsar_echo_source *source,
                                     int threads, nfsar_error *error) {
    const nfsar_capture *capture = walk->capture;
    const size_t channels = capture->array.n_channel, samples = channels * capture->n_sample;
    const size_t fit = BLOCK_BYTES / (samples * sizeof(float complex));
    const size_t block = fit < 1 ? 1 : fit < capture->n_pulse ? fit : capture->n_pulse;
    float complex *echo = buffer_alloc(block * samples, sizeof *echo);
    nfsar_vec3 *tx = buffer_alloc(block * channels, sizeof *tx);
    nfsar_vec3 *rx = buffer_alloc(block * channels, sizeof *rx);
    enum nfsar_status status =
        frequencies_make(capture, NFSAR_WINDOW_HANN, &walk->wavenumber, &walk->taper, error);
    if (echo == NULL || tx == NULL || rx == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", block);
    }
    if (status == NFSAR_OK) {
        status = make_halves(walk, error);
    }
    if (status == NFSAR_OK) {
        walk->step = even_step(walk->wavenumber, capture->n_sample);
    }
    if (status == NFSAR_OK && walk->history != NULL) {
        set_noise(walk);
    }
    for (size_t first = 0; status == NFSAR_OK && first < capture->n_pulse; first += block) {
        const size_t left = capture->n_pulse - first, n = left < block ? left : block;
        status = nfsar_capture_antennas(capture, false, first, n, tx, rx, error);
        if (status == NFSAR_OK) {
            status = source->read(source->context, first, n, 0, capture->n_sample, echo, error);
        }
        if (status == NFSAR_OK) {
#pragma omp parallel for num_threads(threads > 0 ? threads : omp_get_max_threads())
            for (size_t i = 0; i < n; i++) {
                walk->visit(walk, first + i, tx + i * channels, rx + i * channels,
                            echo + i * samples);
            }
        }
    }
    free(echo);
    free(tx);
    free(rx);
    free(walk->wavenumber);
    free(walk->taper);
    free(walk->half);
    free(walk->upper);
    return status;
}

enum nfsar_status phase_history_make(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     const nfsar_vec3 *place, size_t n_scatterer, int threads,
                                     struct phase_history *history, nfsar_error *error) {
    const size_t n = n_scatterer * capture->n_pulse;
    double low = 0.0, high = 0.0;
    frequencies_range(capture->frequency_hz, capture->n_sample, &low, &high);
    const double turn = 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
    *history = (struct phase_history){
        .n_scatterer = n_scatterer,
        .n_pulse = capture->n_pulse,
        .k = {turn * (0.75 * low + 0.25 * high), turn * (0.25 * low + 0.75 * high),
              turn * 0.5 * (low + high)},
        .echo = {buffer_alloc(n, sizeof(double complex)), buffer_alloc(n, sizeof(double complex)),
                 buffer_alloc(n, sizeof(double complex))},
        .way = buffer_alloc(n, sizeof(nfsar_vec3)),
        .path = buffer_alloc(n, sizeof(double)),
        .sight = buffer_alloc(capture->n_pulse, sizeof(nfsar_vec3)),
        .energy = buffer_alloc(capture->n_pulse, sizeof(double)),
        .cell = nfsar_range_resolution(capture),
    };
    enum nfsar_status status = NFSAR_OK;
    if (history->echo[0] == NULL || history->echo[1] == NULL || history->echo[2] == NULL ||
        history->way == NULL || history->path == NULL || history->sight == NULL ||
        history->energy == NULL) {
        status =
            nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses of %zu scatterers",
                       capture->n_pulse, n_scatterer);
    } else {
        struct walk walk = {
            .capture = capture, .visit = visit_scatterers, .history = history, .place = place};
        status = walk_pulses(&walk, source, threads, error);
    }
    if (status != NFSAR_OK) {
        phase_history_free(history);
    }
    return status;
}

void phase_history_free(struct phase_history *history) {
    for (size_t b = 0; b < PHASE_BANDS; b++) {
        free(history->echo[b]);
    }
    free(history->way);
    free(history->path);
    free(history->sight);
    free(history->energy);
    memset(history, 0, sizeof *history);
}

enum nfsar_status phase_history_smooth(struct phase_history *history, size_t by,
                                       nfsar_error *error) {
    const size_t n = history->n_pulse;
    double complex *room = buffer_alloc(2 * n, sizeof *room);
    if (room == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", n);
    }
    for (size_t i = 0; i < PHASE_BANDS * history->n_scatterer; i++) {
        double complex *line =
            history->echo[i / history->n_scatterer] + i % history->n_scatterer * n;
        phase_smooth(line, n, by, room, room + n);
        memcpy(line, room + n, n * sizeof *line);
    }
    free(room);
    return NFSAR_OK;
}

/* How much of the echo at i is that of j, 0 to 1: seen from j's place it would keep its phase. */
static double leak(const struct phase_history *h, size_t i, size_t j) {
    double complex product = 0.0;
    double power_i = 0.0, power_j = 0.0;
    for (size_t l = 0; l < h->n_pulse; l++) {
        const size_t a = i * h->n_pulse + l, b = j * h->n_pulse + l;
        const double complex gi = h->echo[PHASE_ALL][a];
        const double complex gj = h->echo[PHASE_ALL][b];
        product += conj(gj) * gi * cexp(I * h->k[PHASE_ALL] * (h->path[a] - h->path[b]));
        power_i += creal(gi * conj(gi));
        power_j += creal(gj * conj(gj));
    }
    const double power = power_i * power_j;
    return power > 0.0 ? cabs(product) / sqrt(power) : 1.0;
}

/* From this part on an echo is another's. */
#define MOST_LEAK 0.5

void phase_history_prune(struct phase_history *history, bool *keep) {
    const size_t n = history->n_pulse;
    size_t kept = 0;
    for (size_t i = 0; i < history->n_scatterer; i++) {
        keep[i] = true;
        for (size_t j = 0; j < kept && keep[i]; j++) {
            keep[i] = leak(history, i, j) < MOST_LEAK;
        }
        if (keep[i]) {
            for (size_t b = 0; b < PHASE_BANDS; b++) {
                memmove(history->echo[b] + kept * n, history->echo[b] + i * n,
                        n * sizeof(double complex));
            }
            memmove(history->way + kept * n, history->way + i * n, n * sizeof(nfsar_vec3));
            memmove(history->path + kept * n, history->path + i * n, n * sizeof(double));
            kept++;
        }
    }
    history->n_scatterer = kept;
}

enum nfsar_status phase_history_profiles(const nfsar_capture *capture,
                                         const nfsar_echo_source *source, nfsar_vec3 point,
                                         double step_m, size_t half, int threads, float *profile,
                                         nfsar_error *error) {
    struct walk walk = {.capture = capture,
                        .visit = visit_profiles,
                        .place = &point,
                        .step_m = step_m,
                        .reach = half,
                        .profile = profile};
    return walk_pulses(&walk, source, threads, error);
}
