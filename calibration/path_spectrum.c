#include "calibration/path_spectrum.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/phasor.h"
#include "calibration/blocks.h"

/* Spectra are as fine as a field this much larger than the scan takes: what is defocused stays
 * inside. */
#define FIELD        1.4
#define FIELD_MARGIN 0.02
/* Larger angles than this are left out in any case, and fewer numbers than this are kept. */
#define STEEPEST 0.8
enum { MOST_BINS = 60000 };

/* ---- which angles --------------------------------------------------------------------------- */

/* The sine up to which one axis is looked at: from one end of the scan to what is before the
 * other, and not beyond what positions sample. */
static double steepest(double extent, double range, double step, double k, bool array_fills) {
    double sine = fmin(STEEPEST, extent / hypot(extent, range));
    return array_fills ? sine : fmin(sine, NFSAR_PI / (2.0 * k * step));
}

static void choose(const struct path_scan *scan, const nfsar_path *path, double k_most,
                   struct path_spectra *s) {
    s->sin_along = steepest(scan->extent[0] + scan->channels_along, s->range, path->fast_step_m,
                            k_most, path->channels_along);
    s->sin_across = steepest(scan->extent[1] + scan->channels_across, s->range, path->slow_step_m,
                             k_most, scan->channels_across > 0.0);
    s->du = 2.0 * NFSAR_PI / (FIELD * (scan->extent[0] + scan->channels_along) + FIELD_MARGIN);
    s->dv = 2.0 * NFSAR_PI / (FIELD * (scan->extent[1] + scan->channels_across) + FIELD_MARGIN);
    for (;;) {
        s->hu = (size_t)fmax(2.0, 2.0 * k_most * s->sin_along / s->du);
        s->hv = (size_t)fmax(2.0, 2.0 * k_most * s->sin_across / s->dv);
        s->nu = 2 * s->hu + 1;
        s->nv = 2 * s->hv + 1;
        if (s->nu * s->nv <= MOST_BINS) {
            return;
        }
        *(s->nu > s->nv ? &s->sin_along : &s->sin_across) *= 0.9;
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

struct reading {
    const struct path_scan *scan;
    const nfsar_path *path;
    struct path_spectra *s;
    float complex *weight; /* [PATH_BANDS][n_sample] window and exp(-2jk range) */
    float complex *apart;  /* [PATH_BANDS][channels] for antennas apart from each other */
    float complex *wave;   /* [nu] */
    float complex *first;  /* [n_pulse] of the middle band and first channel, for correlations */
    size_t n_sample;
};

static void set_weights(const nfsar_capture *capture, struct reading *r) {
    const size_t n = capture->n_sample, width = n > 3 ? n / 2 : n;
    for (size_t m = 0; m < PATH_BANDS; m++) {
        const size_t first = (n - width) * m / (PATH_BANDS - 1);
        double sum = 0.0, k_sum = 0.0;
        for (size_t i = 0; i < width; i++) {
            double k = 2.0 * NFSAR_PI * capture->frequency_hz[first + i] / NFSAR_SPEED_OF_LIGHT;
            double hann = 1.0 - cos(2.0 * NFSAR_PI * ((double)i + 0.5) / (double)width);
            r->weight[m * n + first + i] =
                (float complex)(hann * cexp(-2.0 * I * k * r->s->range) / (double)width);
            sum += hann;
            k_sum += hann * k;
        }
        r->s->k[m] = k_sum / sum;
        for (size_t c = 0; c < r->s->channels; c++) {
            double longer = r->scan->channel[c].apart / (4.0 * r->s->range);
            r->apart[m * r->s->channels + c] = (float complex)cexp(-I * r->s->k[m] * longer);
        }
    }
}

static float complex weigh(const float complex *echo, const float complex *weight, size_t n) {
    float re = 0.0F, im = 0.0F;
    for (size_t i = 0; i < n; i++) {
        float complex product = path_times(echo[i], weight[i]);
        re += crealf(product);
        im += cimagf(product);
    }
    return CMPLXF(re, im);
}

static float complex turn(double turns) {
    float cosine, sine;
    phasor_turns((float)(turns - rint(turns)), &cosine, &sine);
    return CMPLXF(cosine, sine);
}

static void add_wave(const float complex *wave, float complex value, size_t n, float complex *out) {
    for (size_t i = 0; i < n; i++) {
        out[i] += path_times(wave[i], value);
    }
}

static void read_pulse(void *context, size_t pulse, const float complex *echo) {
    struct reading *r = context;
    struct path_spectra *s = r->s;
    const size_t row = r->scan->row_of[pulse];
    if (row == SIZE_MAX) {
        return;
    }
    double step = -s->du * r->scan->along[pulse] / (2.0 * NFSAR_PI);
    for (size_t i = 0; i < s->nu; i++) {
        r->wave[i] = turn(step * ((double)i - (double)s->hu));
    }
    for (size_t m = 0; m < PATH_BANDS; m++) {
        for (size_t c = 0; c < s->channels; c++) {
            float complex value =
                weigh(echo + c * r->n_sample, r->weight + m * r->n_sample, r->n_sample);
            value = path_times(value, r->apart[m * s->channels + c]);
            if (m == 1 && c == 0) {
                r->first[pulse] = value;
            }
            add_wave(r->wave, value, s->nu,
                     s->row + ((row * PATH_BANDS + m) * s->channels + c) * s->nu);
        }
    }
}

/* Of neighbouring rows, as they are and with one of each pair reversed: where the poses say that
 * they are, to the nearest position of the neighbour in order of its pulses. */
static void correlate(const nfsar_path *path, const float complex *value, double correlation[2]) {
    double sum[2] = {0.0, 0.0};
    for (size_t r = 0; r + 1 < path->rows; r++) {
        const nfsar_path_row *a = &path->row[r], *b = &path->row[r + 1];
        const size_t n = a->count < b->count ? a->count : b->count;
        double power[2] = {0.0, 0.0};
        double complex product[2] = {0.0, 0.0};
        for (size_t i = 0; i < n; i++) {
            size_t same = a->direction == b->direction ? i : b->count - 1 - i;
            double complex x = value[a->first + i], y[2];
            y[0] = value[b->first + same];
            y[1] = value[b->first + b->count - 1 - same];
            product[0] += conj(x) * y[0];
            product[1] += conj(x) * y[1];
            power[0] += creal(x * conj(x));
            power[1] += creal(y[0] * conj(y[0]));
        }
        for (int way = 0; way < 2; way++) {
            sum[way] += cabs(product[way]) / sqrt(fmax(power[0] * power[1], 1e-300));
        }
    }
    correlation[0] = sum[0] / (double)(path->rows - 1);
    correlation[1] = sum[1] / (double)(path->rows - 1);
}

static bool allocate(const nfsar_capture *capture, size_t rows, struct path_spectra *s,
                     struct reading *r) {
    const size_t lines = PATH_BANDS * s->channels;
    s->row = buffer_zeros(rows * lines * s->nu, sizeof *s->row);
    s->sum[0] = buffer_alloc(lines * s->nu * s->nv, sizeof *s->sum[0]);
    s->sum[1] = buffer_alloc(lines * s->nu * s->nv, sizeof *s->sum[1]);
    r->weight = buffer_zeros(PATH_BANDS * capture->n_sample, sizeof *r->weight);
    r->apart = buffer_alloc(lines, sizeof *r->apart);
    r->wave = buffer_alloc(s->nu, sizeof *r->wave);
    r->first = buffer_zeros(capture->n_pulse, sizeof *r->first);
    return s->row != NULL && s->sum[0] != NULL && s->sum[1] != NULL && r->weight != NULL &&
           r->apart != NULL && r->wave != NULL && r->first != NULL;
}

enum nfsar_status path_spectra_make(const nfsar_capture *capture, const nfsar_echo_source *source,
                                    const struct path_scan *scan, const nfsar_path *path,
                                    double range, struct path_spectra *spectra,
                                    nfsar_error *error) {
    double most = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        most = fmax(most, capture->frequency_hz[i]);
    }
    *spectra = (struct path_spectra){.range = range, .channels = capture->array.n_channel};
    choose(scan, path, 2.0 * NFSAR_PI * most / NFSAR_SPEED_OF_LIGHT, spectra);
    struct reading reading = {
        .scan = scan, .path = path, .s = spectra, .n_sample = capture->n_sample};
    enum nfsar_status status =
        allocate(capture, path->rows, spectra, &reading)
            ? NFSAR_OK
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the scan's spectra");
    size_t n = 0;
    if (status == NFSAR_OK) {
        set_weights(capture, &reading);
        status = blocks_read(capture, source, read_pulse, &reading, &n, error);
    }
    if (status == NFSAR_OK) {
        correlate(path, reading.first, spectra->correlation);
    }
    free(reading.weight);
    free(reading.apart);
    free(reading.wave);
    free(reading.first);
    return status;
}

void path_spectra_free(struct path_spectra *spectra) {
    free(spectra->row);
    free(spectra->sum[0]);
    free(spectra->sum[1]);
    *spectra = (struct path_spectra){0};
}

/* ---- sums over rows ------------------------------------------------------------------------- */

/* Positions mirrored about the row's middle: exp(-2 j u middle) times the spectrum at -u. */
static float complex mirrored(const struct path_spectra *s, const float complex *line, size_t i,
                              double middle) {
    double u = s->du * ((double)i - (double)s->hu);
    return path_times(line[s->nu - 1 - i], turn(-u * middle / NFSAR_PI));
}

void path_spectra_sum(struct path_spectra *s, const nfsar_path *path,
                      enum nfsar_path_turned turned) {
    const size_t lines = PATH_BANDS * s->channels;
    for (int way = 0; way < 2; way++) {
        memset(s->sum[way], 0, lines * s->nu * s->nv * sizeof *s->sum[way]);
        s->has[way] = false;
    }
    float complex wave[MOST_BINS / 5];
    for (size_t r = 0; r < path->rows; r++) {
        const nfsar_path_row *row = &path->row[r];
        const bool reverse = path_is_turned(turned, r);
        const int way = (row->direction > 0.0) != reverse ? 0 : 1;
        s->has[way] = true;
        for (size_t i = 0; i < s->nv; i++) {
            wave[i] = turn(-s->dv * row->across_m * ((double)i - (double)s->hv) / (2.0 * NFSAR_PI));
        }
        for (size_t l = 0; l < lines; l++) {
            const float complex *line = s->row + (r * lines + l) * s->nu;
            float complex *out = s->sum[way] + l * s->nu * s->nv;
            for (size_t i = 0; i < s->nu; i++) {
                add_wave(wave, reverse ? mirrored(s, line, i, row->middle_m) : line[i], s->nv,
                         out + i * s->nv);
            }
        }
    }
}
