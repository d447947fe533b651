/* Range profiles: is there an echo, where, is it in every channel, and does leakage hide it? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/sort.h"
#include "calibration/examine.h"

/* Pulses that profiles are taken of, and the memory they may take. */
enum { MOST_PULSES = 512, LEAST_PULSES = 8, MOST_PLACES = 4096 };
#define PART_BYTES ((size_t)64 << 20)

/* Antennas couple over some centimetres; a Hann window's main lobe is two cells to either side. */
#define LEAK_RANGE 0.06
#define LEAK_CELLS 2.5

/* Echoes of a target's own extent, and what is a channel's usual scatter: 20 and 10 dB. */
#define EXTENT 0.01
#define WEAK   0.1
/* Gains that differ from the usual by more than 2 dB are worth a calibration. */
#define UNEVEN 1.6

struct profiles {
    size_t n, told;    /* places, and those where echoes are looked for: not the mirrored ones */
    double step, leak; /* metres */
    double lines;      /* independent ones that are averaged */
    double *all, *moving, *constant;
    double *mixed; /* what moves near zero, everything beyond */
    double *one, *sorted;
};

static void profiles_free(struct profiles *p) {
    free(p->all);
    free(p->moving);
    free(p->constant);
    free(p->mixed);
    free(p->one);
    free(p->sorted);
}

static bool profiles_make(const nfsar_capture *capture, bool is_real, struct profiles *p) {
    double cell = nfsar_range_resolution(capture), far = nfsar_range_unambiguous(capture);
    double places = fmin(2.0 * far / cell, MOST_PLACES);
    *p = (struct profiles){.n = (size_t)places, .step = far / (double)(size_t)places};
    p->told = is_real ? (p->n + 1) / 2 : p->n;
    p->leak = LEAK_RANGE + LEAK_CELLS * cell;
    p->all = buffer_zeros(p->n, sizeof *p->all);
    p->moving = buffer_zeros(p->n, sizeof *p->moving);
    p->constant = buffer_zeros(p->n, sizeof *p->constant);
    p->mixed = buffer_zeros(p->n, sizeof *p->mixed);
    p->one = buffer_zeros(p->n, sizeof *p->one);
    p->sorted = buffer_zeros(p->n, sizeof *p->sorted);
    return p->all != NULL && p->moving != NULL && p->constant != NULL && p->mixed != NULL &&
           p->one != NULL && p->sorted != NULL;
}

/* Near zero, on either side: the last places are just before it. */
static bool is_near(const struct profiles *p, size_t i) {
    double range = p->step * (double)i;
    return range < p->leak || range > p->step * (double)p->n - p->leak;
}

static double median_of(const struct profiles *p, const double *power) {
    memcpy(p->sorted, power, p->n * sizeof *power);
    return sort_median(p->sorted, p->n);
}

/* What noise alone would exceed at one place of all with the probability of a false alarm. */
static double noise_limit(const struct profiles *p, const double *power, double lines) {
    return median_of(p, power) *
           examine_mean_power(lines, NFSAR_DOCTOR_FALSE_ALARM / (double)p->n) /
           examine_mean_power(lines, 0.5);
}

/* ---- samples that move and samples that do not ----------------------------------------------- */

/* The mean over pulses into mean[n_channel][n_sample], and out of the part. */
static void take_mean(nfsar_capture *part, float complex *mean) {
    size_t n = part->array.n_channel * part->n_sample;
    for (size_t i = 0; i < n; i++) {
        double complex sum = 0.0;
        for (size_t p = 0; p < part->n_pulse; p++) {
            sum += part->echo[p * n + i];
        }
        mean[i] = (float complex)(sum / (double)part->n_pulse);
        for (size_t p = 0; p < part->n_pulse; p++) {
            part->echo[p * n + i] -= mean[i];
        }
    }
}

static enum nfsar_status profile(const nfsar_capture *part, const struct profiles *p, double *power,
                                 nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(part);
    return nfsar_range_profile(part, &source, p->step, p->n, power, error);
}

/* The profiles of a part; its samples are what they were in the end. */
static enum nfsar_status take_profiles(nfsar_capture *part, struct profiles *p,
                                       nfsar_error *error) {
    size_t n = part->array.n_channel * part->n_sample;
    p->lines = (double)part->n_pulse * (double)part->array.n_channel;
    enum nfsar_status status = profile(part, p, p->all, error);
    memcpy(p->moving, p->all, p->n * sizeof *p->all);
    if (status == NFSAR_OK && part->n_pulse >= LEAST_PULSES) {
        float complex *mean = buffer_alloc(n, sizeof *mean);
        if (mean == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a mean echo");
        }
        take_mean(part, mean);
        status = profile(part, p, p->moving, error);
        for (size_t i = 0; i < n * part->n_pulse; i++) {
            part->echo[i] += mean[i % n];
        }
        if (status == NFSAR_OK) {
            nfsar_capture once = *part;
            once.n_pulse = 1;
            once.echo = mean;
            status = profile(&once, p, p->constant, error);
        }
        free(mean);
    }
    for (size_t i = 0; status == NFSAR_OK && i < p->n; i++) {
        p->mixed[i] = is_near(p, i) ? p->moving[i] : p->all[i];
    }
    return status;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static size_t largest(const double *power, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = power[i] > power[best] ? i : best;
    }
    return best;
}

static void tell_echo(struct examined *e, const struct profiles *p) {
    size_t peak = largest(p->mixed, p->told);
    double limit = noise_limit(p, p->mixed, p->lines), far = p->step * (double)p->told;
    if (!(p->mixed[peak] > limit)) {
        examine_wrong(
            e, "echo", NFSAR_FAULT_NO_ECHO, NFSAR_DOCTOR_TESTED,
            "is the transmitter on (chirpCfg's mask), the target within reach, the file's "
            "format the one that was imported? Look at nfsar info",
            "nothing stands out of the noise between 0 and %.3g m", far);
        return;
    }
    e->has_echo = true;
    /* The mean square of a Hann window of mean 1 is 1.5. */
    e->noise = median_of(p, p->mixed) * (double)e->capture->n_sample / 1.5;
    e->peak_m = e->low_m = e->high_m = p->step * (double)peak;
    for (size_t i = 0; i < p->told; i++) {
        double range = p->step * (double)i;
        if (p->mixed[i] > limit && p->mixed[i] > EXTENT * p->mixed[peak]) {
            e->low_m = fmin(e->low_m, range);
            e->high_m = fmax(e->high_m, range);
        }
    }
    examine_ok(e, "echo",
               "the strongest at %.3g m, %.0f dB over noise; within 20 dB of it %.3g to "
               "%.3g m, of %.3g m that are unambiguous",
               e->peak_m, 10.0 * log10(p->mixed[peak] / fmax(median_of(p, p->mixed), 1e-300)),
               e->low_m, e->high_m, far);
}

/* A local maximum in the gate that noise does not make, nor side lobes of what is outside. */
static void tell_gate(struct examined *e, const struct profiles *p) {
    double far = p->step * (double)p->told, low = e->options.gate[0], high = e->options.gate[1];
    if (high > far) {
        examine_wrong(e, "range gate", NFSAR_FAULT_GATE_EMPTY, NFSAR_DOCTOR_CERTAIN,
                      "give a gate within that, or record with more samples or a slower chirp",
                      "%.3g to %.3g m goes beyond the unambiguous %.3g m", low, high, far);
        return;
    }
    double limit = noise_limit(p, p->mixed, p->lines);
    double strongest = p->mixed[largest(p->mixed, p->n)];
    size_t best = SIZE_MAX;
    for (size_t i = 1; i + 1 < p->n; i++) {
        double range = p->step * (double)i, power = p->mixed[i];
        if (range >= low && range <= high && power > limit && power > 1e-4 * strongest &&
            power >= p->mixed[i - 1] && power >= p->mixed[i + 1] &&
            (best == SIZE_MAX || power > p->mixed[best])) {
            best = i;
        }
    }
    if (best == SIZE_MAX) {
        examine_wrong(e, "range gate", NFSAR_FAULT_GATE_EMPTY, NFSAR_DOCTOR_TESTED,
                      "move the gate to where echoes are (see echo), or the target into it",
                      "no target between %.3g and %.3g m stands out of the noise", low, high);
    } else {
        examine_ok(e, "range gate", "the strongest echo between %.3g and %.3g m is at %.3g m", low,
                   high, p->step * (double)best);
    }
}

static void tell_leakage(struct examined *e, const struct profiles *p, size_t n_channel) {
    double near = 0.0, near_all = 0.0, target = p->mixed[largest(p->mixed, p->n)], at = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        if (is_near(p, i) && p->constant[i] > near) {
            near = p->constant[i];
            near_all = p->all[i];
            at = p->step * (double)i;
        }
    }
    double limit = noise_limit(p, p->constant, (double)n_channel);
    if (near > limit && near > 0.5 * near_all && near > target) {
        double far = p->step * (double)p->n;
        e->leaks = true;
        at = at > 0.5 * far ? at - far : at;
        examine_wrong(e, "leakage", NFSAR_FAULT_LEAKAGE, NFSAR_DOCTOR_TESTED,
                      "nfsar calibrate --background with a recording without the target, or "
                      "--leakage; an offset of the converter: --iq (docs/calibrate.md)",
                      "a constant at %.3g m (antennas coupling, or an offset of the converter) is "
                      "%.0f dB above the strongest target",
                      at, 10.0 * log10(near / fmax(target, 1e-300)));
    } else {
        examine_ok(e, "leakage", "no constant near zero range is stronger than the target");
    }
}

/* ---- channels -------------------------------------------------------------------------------- */

/* Power of a channel's echo near the place of all channels', and of its noise. */
static enum nfsar_status measure_channel(const nfsar_capture *part, const struct profiles *p,
                                         size_t channel, size_t peak, double *echo, double *limit,
                                         nfsar_error *error) {
    struct channel_view view;
    examine_channel(part, channel, &view);
    enum nfsar_status status =
        nfsar_range_profile(&view.view, &view.source, p->step, p->n, p->one, error);
    if (status == NFSAR_OK) {
        double noise = median_of(p, p->one);
        *echo = 0.0;
        for (size_t i = peak < 3 ? 0 : peak - 3; i < p->n && i <= peak + 3; i++) {
            *echo = fmax(*echo, p->one[i]);
        }
        *limit = noise_limit(p, p->one, (double)part->n_pulse);
        *echo = *echo > noise ? *echo : noise;
    }
    return status;
}

/* An echo of speckle in as few independent pulses as a quarter of those looked at falls short of
 * its mean by this with the probability of a false alarm: weak is that, and 10 dB. */
static void tell_channel(struct examined *e, size_t channel, double echo, double limit,
                         double usual, double weak) {
    const nfsar_channel pair = e->capture->array.channel[channel];
    double below = -10.0 * log10(fmax(echo / usual, 1e-30));
    if (echo > weak * usual) {
        return;
    }
    if (echo <= limit) {
        examine_wrong(e, "channels", NFSAR_FAULT_CHANNEL_DEAD, NFSAR_DOCTOR_TESTED,
                      "see that antenna and receiver work; without the channel the image is "
                      "cleaner: leave it out when importing",
                      "channel %zu (tx %d, rx %d) has noise only, where the others have echoes "
                      "that are %.0f dB stronger",
                      channel, (int)pair.tx, (int)pair.rx, below);
    } else {
        examine_wrong(e, "channels", NFSAR_FAULT_CHANNEL_WEAK, NFSAR_DOCTOR_TESTED,
                      "check its antenna; if that is how it is: nfsar calibrate --channels "
                      "(docs/calibrate.md)",
                      "the echo of channel %zu (tx %d, rx %d) is %.0f dB below the others'",
                      channel, (int)pair.tx, (int)pair.rx, below);
    }
}

static enum nfsar_status compare_channels(struct examined *e, const nfsar_capture *part,
                                          const struct profiles *p, nfsar_error *error) {
    size_t n_channel = part->array.n_channel, peak = largest(p->mixed, p->n);
    double *power = buffer_alloc(3 * n_channel, sizeof *power);
    enum nfsar_status status = NFSAR_OK;
    if (power == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu channels", n_channel);
    }
    double *limit = power + n_channel, *sorted = limit + n_channel;
    for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
        status = measure_channel(part, p, c, peak, &power[c], &limit[c], error);
    }
    if (status == NFSAR_OK) {
        size_t before = e->report->verdicts[NFSAR_DOCTOR_WRONG];
        memcpy(sorted, power, n_channel * sizeof *power);
        double usual = sort_median(sorted, n_channel);
        double independent = fmax(0.25 * (double)part->n_pulse, 1.0);
        double chance = NFSAR_DOCTOR_FALSE_ALARM / (double)n_channel;
        double weak = fmin(WEAK, examine_mean_power(independent, 1.0 - chance));
        for (size_t c = 0; c < n_channel; c++) {
            if (power[c] > 0.0) { /* zeros have been told */
                tell_channel(e, c, power[c], limit[c], usual, weak);
            }
        }
        double high = sorted[n_channel - 1] / fmax(usual, 1e-300);
        double low = sorted[0] / fmax(usual, 1e-300);
        bool uneven = sorted[0] > 0.0 &&
                      (high > fmax(UNEVEN, examine_mean_power(independent, chance)) ||
                       low < fmin(1.0 / UNEVEN, examine_mean_power(independent, 1.0 - chance)));
        /* Half of the echo is what the channels that are real have; that has been told. */
        bool told = e->report->verdicts[NFSAR_DOCTOR_WRONG] > before || (uneven && e->is_real);
        if (!told && uneven) {
            examine_wrong(e, "channels", NFSAR_FAULT_CHANNELS_UNCALIBRATED, NFSAR_DOCTOR_TESTED,
                          "record a corner reflector: nfsar calibrate --channels, and --table for "
                          "this capture (docs/calibrate.md)",
                          "echoes of %zu channels differ by %.1f dB", n_channel,
                          10.0 * log10(high / fmax(low, 1e-30)));
        } else if (!told) {
            examine_ok(e, "channels", "echoes of %zu channels are within %.1f dB of their median",
                       n_channel, 10.0 * log10(fmax(high, 1.0 / fmax(low, 1e-30))));
        }
    }
    free(power);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static enum nfsar_status read_part(struct examined *e, nfsar_capture *part, nfsar_error *error) {
    const nfsar_capture *capture = e->capture;
    size_t bytes = capture->array.n_channel * capture->n_sample * sizeof(float complex);
    size_t most = PART_BYTES / bytes < MOST_PULSES ? PART_BYTES / bytes : MOST_PULSES, n = 0;
    size_t pulse[MOST_PULSES];
    most = most < 1 ? 1 : most;
    most = most < capture->n_pulse ? most : capture->n_pulse;
    for (size_t i = 0; i < most; i++) {
        size_t at = (size_t)((double)i * (double)capture->n_pulse / (double)most);
        if ((capture->flags[at] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            pulse[n++] = at;
        }
    }
    if (n == 0) {
        pulse[n++] = 0;
    }
    return examine_part(e, pulse, n, part, error);
}

enum nfsar_status examine_echo(struct examined *e, nfsar_error *error) {
    double far = nfsar_range_unambiguous(e->capture);
    if (!(far < INFINITY) || e->capture->n_sample < 8) {
        examine_unknown(e, "echo", NULL, "fewer than 8 frequencies tell no ranges");
        return NFSAR_OK;
    }
    nfsar_capture part = {0};
    struct profiles p = {0};
    enum nfsar_status status = read_part(e, &part, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = profiles_make(e->capture, e->is_real, &p)
                 ? take_profiles(&part, &p, error)
                 : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for range profiles");
    if (status == NFSAR_OK) {
        tell_echo(e, &p);
        if (e->options.has_gate) {
            tell_gate(e, &p);
        }
        if (part.n_pulse >= LEAST_PULSES) {
            tell_leakage(e, &p, part.array.n_channel);
        }
        if (e->has_echo && part.array.n_channel > 1) {
            status = compare_channels(e, &part, &p, error);
        }
    }
    profiles_free(&p);
    nfsar_capture_free(&part);
    return status;
}
