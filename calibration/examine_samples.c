/* The samples as the converter gave them: full scale, zeros, numbers that are none. */
#include <math.h>
#include <stdlib.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

#define BLOCK_BYTES ((size_t)16 << 20)

/* Values of one sign of a channel: how often the largest occurs, and how many are within an eighth
 * of it. */
struct side {
    float top;
    uint64_t at[2]; /* of I and of Q */
    uint64_t near;
};

struct channel_survey {
    struct side side[2]; /* above and below zero */
    uint64_t values[2];  /* of I and of Q that are not zero */
    float quantum;       /* the smallest value that is not zero: the converter's step */
    size_t zero_rows;    /* pulses without any sample */
};

struct survey {
    struct channel_survey *channel;
    size_t empty, empty_flagged, first_empty; /* pulses that are zero in all channels */
    size_t part_rows, first_part;             /* rows with a run of zeros */
    size_t longest_run;
    size_t flagged, first_flagged;
    size_t bad, first_bad; /* samples that are no numbers */
    double starts, values; /* how often a zero follows a value, and values */
};

/* Squares of larger samples, summed over a capture, overflow. */
#define LARGEST 1e15F

/* Zeros in a row that are counted as missing when they cannot be chance. */
enum { LEAST_RUN = 8 };

static void take_value(struct channel_survey *channel, int quadrature, float v) {
    float size = fabsf(v);
    if (size == 0.0F) {
        return;
    }
    channel->values[quadrature]++;
    channel->quantum = size < channel->quantum ? size : channel->quantum;
    struct side *side = &channel->side[v < 0.0F];
    if (size > side->top) {
        bool stays = side->top >= 0.875F * size;
        side->near = stays ? side->near + side->at[0] + side->at[1] : 0;
        side->top = size;
        side->at[0] = side->at[1] = 0;
    }
    side->at[quadrature] += size == side->top;
    side->near += size < side->top && size >= 0.875F * side->top;
}

/* Returns the number of zero samples of the row. */
static size_t take_row(struct survey *survey, struct channel_survey *channel, size_t pulse,
                       const float complex *row, size_t n) {
    size_t zeros = 0, run = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        float re = crealf(row[i]), im = cimagf(row[i]);
        if (!(fabsf(re) < LARGEST && fabsf(im) < LARGEST)) {
            survey->first_bad = survey->bad == 0 ? pulse : survey->first_bad;
            survey->bad++;
            continue;
        }
        take_value(channel, 0, re);
        take_value(channel, 1, im);
        bool zero = re == 0.0F && im == 0.0F;
        run = zero ? run + 1 : 0;
        zeros += zero;
        longest = run > longest ? run : longest;
        survey->values += !zero;
        survey->starts += zero && run == 1 && i > 0;
    }
    if (zeros < n && longest >= LEAST_RUN) {
        survey->first_part = survey->part_rows == 0 ? pulse : survey->first_part;
        survey->part_rows++;
        survey->longest_run = longest > survey->longest_run ? longest : survey->longest_run;
    }
    return zeros;
}

static void take_pulse(struct survey *survey, const nfsar_capture *capture, size_t pulse,
                       const float complex *echo) {
    size_t n_channel = capture->array.n_channel, zero_rows = 0;
    bool flagged = (capture->flags[pulse] & NFSAR_PULSE_SAMPLES_MISSING) != 0;
    for (size_t c = 0; c < n_channel; c++) {
        size_t zeros = take_row(survey, &survey->channel[c], pulse, echo + c * capture->n_sample,
                                capture->n_sample);
        survey->channel[c].zero_rows += zeros == capture->n_sample;
        zero_rows += zeros == capture->n_sample;
    }
    survey->first_flagged = flagged && survey->flagged == 0 ? pulse : survey->first_flagged;
    survey->flagged += flagged;
    if (zero_rows == n_channel) {
        survey->first_empty = survey->empty == 0 ? pulse : survey->first_empty;
        survey->empty++;
        survey->empty_flagged += flagged;
    }
}

/* Of a signal that is not clipped the share of the largest value among those within an eighth of it
 * is at most that of a pure tone, whose values crowd most at the top: 1/sqrt(B) of B steps of the
 * converter, and a hundredth where steps are fine. */
static bool is_clipped(const struct side *side, double quantum, size_t tests) {
    double at = (double)(side->at[0] + side->at[1]), top = (double)side->top;
    double steps = 0.125 * top / fmax(quantum, 6e-8 * top);
    if (steps < 8.0 || side->at[0] < 2 || side->at[1] < 2 || at < 8.0) {
        return false;
    }
    double share = fmax(1.0 / sqrt(steps + 1.0), 0.01);
    return examine_binomial_bound(at, at + (double)side->near, share) <
           NFSAR_DOCTOR_FALSE_ALARM / (double)tests;
}

static void tell_clipping(struct examined *e, const struct survey *survey) {
    size_t n_channel = e->capture->array.n_channel, clipped = 0, first = 0;
    double most = 0.0, samples = 2.0 * (double)e->capture->n_pulse * (double)e->capture->n_sample;
    float level = 0.0F;
    for (size_t c = 0; c < n_channel; c++) {
        const struct channel_survey *channel = &survey->channel[c];
        double count = 0.0;
        for (int s = 0; s < 2; s++) {
            if (is_clipped(&channel->side[s], (double)channel->quantum, 2 * n_channel)) {
                count += (double)(channel->side[s].at[0] + channel->side[s].at[1]);
                level = channel->side[s].top;
            }
        }
        if (count > 0.0) {
            first = clipped == 0 ? c : first;
            clipped++;
            most = fmax(most, count);
        }
    }
    if (clipped == 0) {
        examine_ok(e, "clipping", "no values crowd at full scale");
    } else {
        examine_wrong(
            e, "clipping", NFSAR_FAULT_CLIPPING, NFSAR_DOCTOR_TESTED,
            "turn the receiver's gain down (profileCfg, rxGain), or the reflector away, "
            "and record again; what was cut off is lost",
            "%zu of %zu channels (the first: %zu) are cut off at %g; in the worst %.2g %% "
            "of the values",
            clipped, n_channel, first, (double)level, 100.0 * most / samples);
    }
}

static void tell_missing(struct examined *e, const struct survey *survey) {
    const nfsar_capture *capture = e->capture;
    static const char *const fix =
        "images have holes there; packets are lost where the computer is too slow: nfsar doctor "
        "--rig SESSION.yaml, and record again";
    size_t unflagged = survey->empty - survey->empty_flagged;
    bool any = false;
    if (survey->flagged > 0) {
        examine_wrong(e, "samples", NFSAR_FAULT_SAMPLES_MISSING, NFSAR_DOCTOR_CERTAIN, fix,
                      "%zu of %zu pulses are flagged as having lost samples, the first is %zu",
                      survey->flagged, capture->n_pulse, survey->first_flagged);
        any = true;
    }
    if (unflagged > 0 && unflagged < capture->n_pulse) {
        examine_wrong(e, "samples", NFSAR_FAULT_SAMPLES_MISSING, NFSAR_DOCTOR_CERTAIN, fix,
                      "%zu of %zu pulses are all zero, and not flagged; the first empty one is %zu",
                      unflagged, capture->n_pulse, survey->first_empty);
        any = true;
    }
    /* Zeros by chance, of a weak signal in whole numbers, follow each other by chance. */
    double chance = survey->starts / fmax(survey->values, 1.0);
    double rows = (double)capture->n_pulse * (double)capture->array.n_channel;
    double expected = rows * (double)capture->n_sample * pow(chance, (double)survey->longest_run);
    if (survey->part_rows > 0 && survey->flagged == 0 && expected < NFSAR_DOCTOR_FALSE_ALARM) {
        examine_wrong(e, "samples", NFSAR_FAULT_SAMPLES_MISSING, NFSAR_DOCTOR_TESTED, fix,
                      "%zu rows have up to %zu zeros one after the other; the first in pulse %zu",
                      survey->part_rows, survey->longest_run, survey->first_part);
        any = true;
    }
    if (!any) {
        examine_ok(e, "samples", "none of %zu pulses is flagged, none is empty", capture->n_pulse);
    }
}

/* Channels that are zero where others are not. */
static void tell_zero_channels(struct examined *e, const struct survey *survey) {
    size_t n_pulse = e->capture->n_pulse;
    for (size_t c = 0; c < e->capture->array.n_channel; c++) {
        size_t zero = survey->channel[c].zero_rows - survey->empty;
        const nfsar_channel pair = e->capture->array.channel[c];
        if (zero > 0 && survey->channel[c].zero_rows == n_pulse) {
            examine_wrong(e, "channels", NFSAR_FAULT_CHANNEL_DEAD, NFSAR_DOCTOR_CERTAIN,
                          "see that the receiver is on (channelCfg, chirpCfg) and that the "
                          "importer's order of lanes is right; import without the channel",
                          "channel %zu (tx %d, rx %d) is zero throughout", c, (int)pair.tx,
                          (int)pair.rx);
        } else if (zero > 0) {
            examine_wrong(e, "channels", NFSAR_FAULT_SAMPLES_MISSING, NFSAR_DOCTOR_CERTAIN,
                          "its receiver drops out: check its connection and supply, record again",
                          "channel %zu (tx %d, rx %d) is zero in %zu pulses where others are not",
                          c, (int)pair.tx, (int)pair.rx, zero);
        }
    }
}

/* I or Q is zero where the other is not, so often that it is no chance: 2 to the minus 64. */
static void tell_real(struct examined *e, const struct survey *survey) {
    size_t n_channel = e->capture->array.n_channel, alive = 0, real = 0, first = 0;
    bool has_q = false;
    for (size_t c = 0; c < n_channel; c++) {
        const uint64_t *values = survey->channel[c].values;
        const bool is_real = (values[0] == 0 || values[1] == 0) && values[0] + values[1] >= 64;
        first = is_real && real == 0 ? c : first;
        has_q = has_q || (is_real && values[1] > 0); /* and no I */
        alive += values[0] + values[1] > 0;
        real += is_real;
    }
    if (real == 0) {
        return;
    }
    e->is_real = true;
    const char *const zero = has_q ? "I" : "Q";
    if (real < alive) {
        examine_wrong(e, "I and Q", NFSAR_FAULT_REAL_SAMPLES, NFSAR_DOCTOR_CERTAIN,
                      "see that both lines of the receiver work and that the rig file's layout is "
                      "right (docs/import.md); import without the channel",
                      "%s of %zu of %zu channels (the first: %zu) is zero throughout: their echoes "
                      "are there a second time, mirrored",
                      zero, real, n_channel, first);
        return;
    }
    examine_wrong(
        e, "I and Q", NFSAR_FAULT_REAL_SAMPLES, NFSAR_DOCTOR_CERTAIN,
        "import again if I and Q were recorded (layout, docs/import.md), or set the radar "
        "to complex samples (adcCfg); else, of targets nearer than half of what is "
        "unambiguous, take the mirrored ones out: scipy.signal.hilbert(echo.real, axis=2) "
        "of frequencies that rise",
        "samples are real-valued, every %s is zero: each echo is there a second time, "
        "mirrored, at what is unambiguous less its range, and half of the ranges are "
        "left",
        zero);
}

static void tell(struct examined *e, const struct survey *survey) {
    if (survey->bad > 0) {
        e->not_finite = true;
        examine_wrong(e, "numbers", NFSAR_FAULT_NOT_FINITE, NFSAR_DOCTOR_CERTAIN,
                      "import the capture again; what wrote these is at fault",
                      "%zu samples are NaN, infinite or beyond 1e15, the first in pulse %zu",
                      survey->bad, survey->first_bad);
    }
    if (survey->empty == e->capture->n_pulse) {
        examine_wrong(e, "samples", NFSAR_FAULT_SAMPLES_MISSING, NFSAR_DOCTOR_CERTAIN,
                      "nothing was recorded or imported: see the importer's shape and offset",
                      "every sample is zero");
        return;
    }
    tell_missing(e, survey);
    tell_zero_channels(e, survey);
    tell_clipping(e, survey);
    tell_real(e, survey);
}

enum nfsar_status examine_samples(struct examined *e, const nfsar_progress *progress,
                                  nfsar_error *error) {
    const nfsar_capture *capture = e->capture;
    size_t n_channel = capture->array.n_channel;
    size_t per_pulse = n_channel * capture->n_sample, block = BLOCK_BYTES / (8 * per_pulse);
    block = block < 1 ? 1 : block;
    block = block < capture->n_pulse ? block : capture->n_pulse;
    struct survey survey = {.channel = buffer_zeros(n_channel, sizeof *survey.channel)};
    float complex *echo = buffer_alloc(block * per_pulse, sizeof *echo);
    enum nfsar_status status = NFSAR_OK;
    if (survey.channel == NULL || echo == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", block);
    }
    for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
        survey.channel[c].quantum = INFINITY;
    }
    for (size_t first = 0; status == NFSAR_OK && first < capture->n_pulse; first += block) {
        size_t left = capture->n_pulse - first, n = left < block ? left : block;
        if (!nfsar_progress_report(progress, (double)first / (double)capture->n_pulse)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "stopped");
        } else {
            status = e->raw->read(e->raw->context, first, n, 0, capture->n_sample, echo, error);
        }
        for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
            take_pulse(&survey, capture, first + i, echo + i * per_pulse);
        }
    }
    if (status == NFSAR_OK) {
        tell(e, &survey);
    }
    free(echo);
    free(survey.channel);
    return status;
}
