#include <nfsar/gate.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/exponentials.h"
#include "algorithms/frequencies.h"
#include "algorithms/multiversion.h"

/* Sums made at a time: lines are read once for all of them. */
enum { NODES_AT_ONCE = 4 };

/* Samples below which waking other threads does not pay. */
#define PARALLEL_SAMPLES ((size_t)1 << 15)

struct nfsar_gate {
    size_t n_sample, n_node;
    bool exact; /* the samples stay: no weights */
    nfsar_gated gated;
    double *node_hz;     /* [n_node] */
    float *weight;       /* [n_node and up to three rows of zeros][n_sample] */
    float complex *turn; /* [n_sample] window, and the gate's middle moved to range 0 */
    float complex *back; /* [n_node] and moved back */
    size_t n_spur;
    float complex *spur; /* [n_spur][n_sample] orthonormal tones */
};

nfsar_gate_options nfsar_gate_defaults(void) {
    return (nfsar_gate_options){.tolerance = 1e-5};
}

/* ---- limits --------------------------------------------------------------------------------- */

enum nfsar_status nfsar_gate_check(const nfsar_capture *capture, const double range_m[2],
                                   nfsar_error *error) {
    if (!(range_m[0] >= 0.0) || !(range_m[1] > range_m[0]) || !isfinite(range_m[1])) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "range gate %g:%g m: expected 0 <= MIN < MAX, half the way there and back", range_m[0],
            range_m[1]);
    }
    const double *had = capture->gated.range_m;
    /* Limits that went through text. */
    double slack = 1e-6 * range_m[1];
    if (had[1] > 0.0 && (range_m[0] < had[0] - slack || range_m[1] > had[1] + slack)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "range gate %g:%g m: the capture is gated from %g to %g m already, and "
                          "there is nothing beyond; take the capture it was made of",
                          range_m[0], range_m[1], had[0], had[1]);
    }
    double last = nfsar_range_unambiguous(capture);
    if (!(had[1] > 0.0) && range_m[1] > last + slack) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "range gate %g:%g m: this capture's frequency steps tell ranges from 0 "
                          "to %.4g m only",
                          range_m[0], range_m[1], last);
    }
    return NFSAR_OK;
}

static enum nfsar_status check_options(const nfsar_capture *capture,
                                       const nfsar_gate_options *options, nfsar_error *error) {
    const double *range = options->range_m;
    bool all = range[0] == 0.0 && range[1] == 0.0;
    if (!all && (!(range[0] >= 0.0) || !(range[1] > range[0]) || !isfinite(range[1]))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "range gate %g:%g m: expected 0 <= MIN < MAX", range[0], range[1]);
    }
    if (!(options->tolerance >= 1e-7 && options->tolerance <= 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g: expected 1e-7 to 0.1",
                          options->tolerance);
    }
    for (size_t i = 0; i < options->n_spur; i++) {
        if (options->n_spur > NFSAR_GATE_SPURS || !isfinite(options->spur_m[i])) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "spurs: at most %d, at ranges that are numbers", NFSAR_GATE_SPURS);
        }
        /* Tones of either sign. */
        double last = capture->n_sample > 1 ? nfsar_range_unambiguous(capture) : 0.0;
        if (!(capture->gated.range_m[1] > 0.0) && fabs(options->spur_m[i]) > last) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "spur at %g m: this capture's frequency steps tell ranges up to "
                              "%.4g m only",
                              options->spur_m[i], last);
        }
    }
    return NFSAR_OK;
}

/* ---- weights -------------------------------------------------------------------------------- */

/* exp(+j k path); the phase is reduced in double. */
static float complex turned(double k, double path) {
    double phase = fmod(k * path, 2.0 * NFSAR_PI);
    return CMPLXF((float)cos(phase), (float)sin(phase));
}

/* Tones at the spurs' ranges, made orthonormal by Gram and Schmidt, twice. Tones that are in the
 * others' span (ranges given twice) are left out. */
static bool make_spurs(nfsar_gate *gate, const nfsar_gate_options *options, const double *k) {
    size_t n = gate->n_sample;
    double complex *tone = malloc((options->n_spur * n + 1) * sizeof *tone);
    gate->spur = malloc((options->n_spur * n + 1) * sizeof *gate->spur);
    for (size_t i = 0; tone != NULL && gate->spur != NULL && i < options->n_spur; i++) {
        double complex *mine = tone + gate->n_spur * n;
        for (size_t s = 0; s < n; s++) {
            mine[s] = cexp(I * fmod(2.0 * (k[s] - k[0]) * options->spur_m[i], 2.0 * NFSAR_PI)) /
                      sqrt((double)n);
        }
        for (size_t turn = 0; turn < 2 * gate->n_spur; turn++) {
            const double complex *other = tone + turn % gate->n_spur * n;
            double complex dot = 0.0;
            for (size_t s = 0; s < n; s++) {
                dot += conj(other[s]) * mine[s];
            }
            for (size_t s = 0; s < n; s++) {
                mine[s] -= dot * other[s];
            }
        }
        double norm = 0.0;
        for (size_t s = 0; s < n; s++) {
            norm += creal(mine[s]) * creal(mine[s]) + cimag(mine[s]) * cimag(mine[s]);
        }
        for (size_t s = 0; norm > 1e-6 && s < n; s++) {
            mine[s] /= sqrt(norm);
            gate->spur[gate->n_spur * n + s] = (float complex)mine[s];
        }
        gate->n_spur += norm > 1e-6 ? 1 : 0;
    }
    bool fits = tone != NULL && gate->spur != NULL;
    free(tone);
    return fits;
}

static bool take_weights(nfsar_gate *gate, const exponentials *fit, const double *frequency_hz) {
    size_t rows = (fit->n_node + NODES_AT_ONCE - 1) / NODES_AT_ONCE * NODES_AT_ONCE;
    gate->n_node = fit->n_node;
    gate->exact = fit->exact;
    gate->node_hz = malloc(fit->n_node * sizeof *gate->node_hz);
    gate->back = malloc(fit->n_node * sizeof *gate->back);
    gate->weight = fit->exact ? NULL : calloc(rows * fit->n, sizeof *gate->weight);
    if (gate->node_hz == NULL || gate->back == NULL || (!fit->exact && gate->weight == NULL)) {
        return false;
    }
    for (size_t m = 0; m < fit->n_node; m++) {
        gate->node_hz[m] =
            fit->exact ? frequency_hz[m] : fit->node[m] * NFSAR_SPEED_OF_LIGHT / (2.0 * NFSAR_PI);
        for (size_t i = 0; !fit->exact && i < fit->n; i++) {
            gate->weight[m * fit->n + i] = fit->weight[i * fit->n_node + m];
        }
    }
    return true;
}

/* Nodes by the range, or none where all of it stays. */
static exponentials *find_nodes(const nfsar_gate_options *options, const double *k, size_t n) {
    double half = options->range_m[1] - options->range_m[0];
    /* A half width of all ranges there are: nothing can be gained. */
    return exponentials_create(k, n, options->range_m[1] > 0.0 ? half : INFINITY,
                               options->tolerance, EXPONENTIALS_UNIFORM);
}

static enum nfsar_status fill(nfsar_gate *gate, const nfsar_capture *capture,
                              const nfsar_gate_options *options, nfsar_error *error) {
    size_t n = capture->n_sample;
    double *k = NULL;
    float *taper = NULL;
    enum nfsar_status status = frequencies_make(capture, options->window, &k, &taper, error);
    exponentials *fit = status == NFSAR_OK ? find_nodes(options, k, n) : NULL;
    gate->turn = malloc(n * sizeof *gate->turn);
    if (fit != NULL && gate->turn != NULL && take_weights(gate, fit, capture->frequency_hz) &&
        make_spurs(gate, options, k)) {
        double path = gate->exact ? 0.0 : options->range_m[0] + options->range_m[1];
        for (size_t i = 0; i < n; i++) {
            gate->turn[i] = taper[i] * conjf(turned(k[i] - k[0], path));
        }
        for (size_t m = 0; m < gate->n_node; m++) {
            double at = gate->node_hz[m] * 2.0 * NFSAR_PI / NFSAR_SPEED_OF_LIGHT;
            gate->back[m] = turned(at - k[0], path);
        }
    } else if (status == NFSAR_OK) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a range gate");
    }
    exponentials_destroy(fit);
    free(taper);
    free(k);
    return status;
}

enum nfsar_status nfsar_gate_create(const nfsar_capture *capture, const nfsar_gate_options *options,
                                    nfsar_gate **gate, nfsar_error *error) {
    *gate = NULL;
    enum nfsar_status status = check_options(capture, options, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_gate *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a range gate");
    }
    made->n_sample = capture->n_sample;
    made->gated = capture->gated;
    status = fill(made, capture, options, error);
    if (status == NFSAR_OK && !made->exact) {
        memcpy(made->gated.range_m, options->range_m, sizeof made->gated.range_m);
        if (!(capture->gated.range_m[1] > 0.0)) {
            frequencies_range(capture->frequency_hz, capture->n_sample, &made->gated.band_hz[0],
                              &made->gated.band_hz[1]);
        }
    }
    if (status != NFSAR_OK) {
        nfsar_gate_destroy(made);
        return status;
    }
    *gate = made;
    return NFSAR_OK;
}

void nfsar_gate_destroy(nfsar_gate *gate) {
    if (gate != NULL) {
        free(gate->node_hz);
        free(gate->weight);
        free(gate->turn);
        free(gate->back);
        free(gate->spur);
        free(gate);
    }
}

size_t nfsar_gate_samples(const nfsar_gate *gate) {
    return gate->n_node;
}

nfsar_capture nfsar_gate_view(const nfsar_gate *gate, const nfsar_capture *capture) {
    nfsar_capture view = *capture;
    view.n_sample = gate->n_node;
    view.frequency_hz = gate->node_hz;
    view.has_fmcw = capture->has_fmcw && gate->exact;
    view.gated = gate->gated;
    view.calibration = (nfsar_calibration){0};
    view.echo = NULL;
    return view;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Four sums over one line of real and imaginary parts. */
MULTIVERSION
static void sum_four(const float *restrict weight, size_t n, const float *restrict re,
                     const float *restrict im, float *restrict sum) {
    float a0 = 0.0f, a1 = 0.0f, a2 = 0.0f, a3 = 0.0f, b0 = 0.0f, b1 = 0.0f, b2 = 0.0f, b3 = 0.0f;
#pragma omp simd reduction(+ : a0, a1, a2, a3, b0, b1, b2, b3)
    for (size_t i = 0; i < n; i++) {
        a0 += weight[i] * re[i], b0 += weight[i] * im[i];
        a1 += weight[n + i] * re[i], b1 += weight[n + i] * im[i];
        a2 += weight[2 * n + i] * re[i], b2 += weight[2 * n + i] * im[i];
        a3 += weight[3 * n + i] * re[i], b3 += weight[3 * n + i] * im[i];
    }
    sum[0] = a0, sum[1] = a1, sum[2] = a2, sum[3] = a3;
    sum[4] = b0, sum[5] = b1, sum[6] = b2, sum[7] = b3;
}

MULTIVERSION
static void turn_apart(const float complex *restrict turn, const float complex *restrict line,
                       size_t n, float *restrict re, float *restrict im) {
    const float *t = (const float *)turn, *s = (const float *)line;
    for (size_t i = 0; i < n; i++) {
        re[i] = s[2 * i] * t[2 * i] - s[2 * i + 1] * t[2 * i + 1];
        im[i] = s[2 * i] * t[2 * i + 1] + s[2 * i + 1] * t[2 * i];
    }
}

/* Take the spurs' tones out of a line. */
MULTIVERSION
static void notch(const float complex *spur, size_t n_spur, size_t n, float complex *line) {
    for (size_t k = 0; k < n_spur; k++) {
        const float complex *tone = spur + k * n;
        double re = 0.0, im = 0.0;
        for (size_t i = 0; i < n; i++) {
            float complex term = conjf(tone[i]) * line[i];
            re += (double)crealf(term);
            im += (double)cimagf(term);
        }
        float complex dot = CMPLXF((float)re, (float)im);
        for (size_t i = 0; i < n; i++) {
            line[i] -= dot * tone[i];
        }
    }
}

/* scratch: 4 n_sample floats. */
static void gate_line(const nfsar_gate *gate, const float complex *in, float *scratch,
                      float complex *out) {
    size_t n = gate->n_sample;
    float *re = scratch, *im = scratch + n;
    const float complex *line = in;
    if (gate->n_spur > 0) {
        float complex *clean = (float complex *)(scratch + 2 * n);
        memcpy(clean, in, n * sizeof *clean);
        notch(gate->spur, gate->n_spur, n, clean);
        line = clean;
    }
    if (gate->exact) {
        for (size_t i = 0; i < n; i++) {
            out[i] = line[i] * gate->turn[i];
        }
        return;
    }
    turn_apart(gate->turn, line, n, re, im);
    for (size_t first = 0; first < gate->n_node; first += NODES_AT_ONCE) {
        float sum[2 * NODES_AT_ONCE];
        sum_four(gate->weight + first * n, n, re, im, sum);
        for (size_t m = first; m < gate->n_node && m < first + NODES_AT_ONCE; m++) {
            out[m] = gate->back[m] * CMPLXF(sum[m - first], sum[m - first + NODES_AT_ONCE]);
        }
    }
}

enum nfsar_status nfsar_gate_lines(const nfsar_gate *gate, size_t n_line, const float complex *in,
                                   float complex *out, nfsar_error *error) {
    bool fits = true;
#pragma omp parallel if (n_line * gate->n_sample > PARALLEL_SAMPLES) reduction(&& : fits)
    {
        float *scratch = malloc(4 * gate->n_sample * sizeof *scratch);
        fits = scratch != NULL;
#pragma omp for schedule(static)
        for (size_t i = 0; i < n_line; i++) {
            if (scratch != NULL) {
                gate_line(gate, in + i * gate->n_sample, scratch, out + i * gate->n_node);
            }
        }
        free(scratch);
    }
    return fits ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
