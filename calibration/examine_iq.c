/* I and Q that are not alike: an echo at range R has an image at minus R, its conjugate times b
 * (docs/theory/gate.md). A target that really is there is no conjugate of another. */
#include <math.h>
#include <stdlib.h>

#include <nfsar/range.h>
#include <nfsar/window.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Pulses that are looked at, and the least; ranges of each, quarter cells apart. */
enum { MOST_PULSES = 1024, LEAST_PULSES = 64, RANGES = 9 };
#define PART_BYTES ((size_t)64 << 20)

/* An image that is weaker, -26 dB, does no harm: it is where nothing is looked for. What is not
 * coherent with the echo to this part of its power is something else; noise is so in 64 pulses with
 * a probability of 0.5^63. */
#define HARMFUL  0.05
#define COHERENT 0.5

/* Of one channel: sums over pulses and ranges. */
struct pair {
    double complex product;
    double echo, image;
};

/* Each sample's factor for a range, from the first frequency, where the phase of the image is the
 * conjugate's. */
static void fill_factors(const nfsar_capture *part, const float *window, double range,
                         double complex *factor) {
    double k = 4.0 * NFSAR_PI * range / NFSAR_SPEED_OF_LIGHT;
    for (size_t i = 0; i < part->n_sample; i++) {
        double phase = k * (part->frequency_hz[i] - part->frequency_hz[0]);
        factor[i] = (double)window[i] * cexp(-I * phase);
    }
}

/* At one range of all channels: pair[n_channel]. */
static void compare(const nfsar_capture *part, const double complex *factor, struct pair *pair) {
    for (size_t l = 0; l < part->n_pulse * part->array.n_channel; l++) {
        struct pair *of = &pair[l % part->array.n_channel];
        const float complex *row = part->echo + l * part->n_sample;
        double complex echo = 0.0, image = 0.0;
        for (size_t i = 0; i < part->n_sample; i++) {
            echo += (double complex)row[i] * factor[i];
            image += (double complex)row[i] * conj(factor[i]);
        }
        /* The window is real: the image's factors are the conjugates. */
        of->product += echo * image;
        of->echo += creal(echo) * creal(echo) + cimag(echo) * cimag(echo);
        of->image += creal(image) * creal(image) + cimag(image) * cimag(image);
    }
}

static void judge(struct examined *e, const struct pair *pair, size_t n_channel) {
    double worst = 0.0;
    size_t bad = 0, worst_channel = 0;
    for (size_t c = 0; c < n_channel; c++) {
        double size = cabs(pair[c].product) / fmax(pair[c].echo, 1e-300);
        double coherent = size * cabs(pair[c].product) / fmax(pair[c].image, 1e-300);
        bool is_bad = size > HARMFUL && coherent > COHERENT;
        worst_channel = is_bad && size > worst ? c : worst_channel;
        worst = is_bad ? fmax(worst, size) : worst;
        bad += is_bad;
    }
    if (bad > 0) {
        examine_wrong(e, "I and Q", NFSAR_FAULT_IQ_IMBALANCE, NFSAR_DOCTOR_TESTED,
                      "nfsar calibrate --iq puts it right (docs/calibrate.md)",
                      "%zu of %zu channels have an image of the echo in the other half of the "
                      "spectrum; the strongest, of channel %zu, is %.0f dB below the echo",
                      bad, n_channel, worst_channel, -20.0 * log10(worst));
    } else {
        examine_ok(e, "I and Q",
                   "no image of the echo above %.0f dB in the other half of the "
                   "spectrum",
                   20.0 * log10(HARMFUL));
    }
}

static enum nfsar_status tell(struct examined *e, const nfsar_capture *part, nfsar_error *error) {
    size_t n_channel = part->array.n_channel;
    float *window = buffer_alloc(part->n_sample, sizeof *window);
    double complex *factor = buffer_alloc(part->n_sample, sizeof *factor);
    struct pair *pair = buffer_zeros(n_channel, sizeof *pair);
    enum nfsar_status status = NFSAR_OK;
    if (window == NULL || factor == NULL || pair == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu channels", n_channel);
    } else {
        nfsar_window_taper(NFSAR_WINDOW_HANN, part->n_sample, window);
        for (int i = 0; i < RANGES; i++) {
            double step = 0.25 * nfsar_range_resolution(part);
            fill_factors(part, window, e->peak_m + (i - RANGES / 2) * step, factor);
            compare(part, factor, pair);
        }
        judge(e, pair, n_channel);
    }
    free(window);
    free(factor);
    free(pair);
    return status;
}

/* As recorded: delays that are taken out of channels would move the echo and not its image. */
static enum nfsar_status read_part(const struct examined *e, nfsar_capture *part,
                                   nfsar_error *error) {
    struct examined raw = *e;
    const nfsar_capture *capture = e->capture;
    size_t pulse[MOST_PULSES], n = 0;
    size_t bytes = capture->array.n_channel * capture->n_sample * sizeof(float complex);
    size_t most = PART_BYTES / bytes < MOST_PULSES ? PART_BYTES / bytes : MOST_PULSES;
    most = most < capture->n_pulse ? most : capture->n_pulse;
    for (size_t i = 0; i < most; i++) {
        size_t at = (size_t)((double)i * (double)capture->n_pulse / (double)most);
        if ((capture->flags[at] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            pulse[n++] = at;
        }
    }
    raw.calibrated = e->raw;
    return n < LEAST_PULSES ? NFSAR_OK : examine_part(&raw, pulse, n, part, error);
}

enum nfsar_status examine_iq(struct examined *e, nfsar_error *error) {
    double far = nfsar_range_unambiguous(e->capture), cell = nfsar_range_resolution(e->capture);
    double apart = fabs(remainder(2.0 * e->peak_m, far));
    nfsar_capture part = {0};
    if (apart < 8.0 * cell) { /* the image is where the echo is */
        return NFSAR_OK;
    }
    enum nfsar_status status = read_part(e, &part, error);
    if (status == NFSAR_OK && part.echo != NULL) {
        examine_take_out_constant(&part);
        status = tell(e, &part, error);
    }
    nfsar_capture_free(&part);
    return status;
}
