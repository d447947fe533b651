/* Do wavefronts and ranges agree? Samples are imaged as they are, conjugated, in reverse order of
 * the frequencies, and both: the one that focuses is how they are meant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/backprojection.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Pulses times channels of the part that is imaged, how large it is (in wavelengths times the root
 * of the target's distance in wavelengths: some Fresnel zones), and the voxels. */
enum { MOST_LINES = 2000, MOST_VOXELS = 40000, LEAST_PULSES = 8 };
#define ZONES 3.0

/* The other way focuses so much better, in power. */
#define BETTER 2.0

enum way { AS_IT_IS, CONJUGATED, REVERSED, BOTH, WAYS };

struct tried {
    double gain;   /* the brightest voxel's power over what noise of the same power makes */
    double peak_m; /* where the range profile has its peak */
    double voxels;
};

/* The pulses within `reach` of the middle one, thinned out evenly to `most`. */
static size_t choose_pulses(const nfsar_capture *capture, double reach, size_t most,
                            size_t *pulse) {
    size_t n = 0, kept = 0;
    const size_t middle = capture->n_pulse / 2;
    nfsar_vec3 centre = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                         capture->time_s[middle], NULL)
                            .position;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        nfsar_vec3 at = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                         capture->time_s[i], NULL)
                            .position;
        if (nfsar_vec3_distance(at, centre) <= reach &&
            (capture->flags[i] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            pulse[n++] = i;
        }
    }
    if (n <= most) {
        return n;
    }
    /* By an irrational number, which is in step with no row. */
    double share = (double)most / (double)n;
    for (size_t i = 0; i < n && kept < most; i++) {
        if (fmod(0.6180339887498949 * (double)i, 1.0) < share) {
            pulse[kept++] = pulse[i];
        }
    }
    return kept;
}

static void change(nfsar_capture *part, const float complex *echo, enum way way) {
    size_t n = part->n_sample, lines = part->n_pulse * part->array.n_channel;
    for (size_t l = 0; l < lines; l++) {
        for (size_t i = 0; i < n; i++) {
            bool reversed = way == REVERSED || way == BOTH;
            float complex s = echo[l * n + (reversed ? n - 1 - i : i)];
            part->echo[l * n + i] = way == CONJUGATED || way == BOTH ? conjf(s) : s;
        }
    }
}

static double energy(const nfsar_capture *part) {
    double sum = 0.0;
    for (size_t i = 0; i < part->n_pulse * part->array.n_channel * part->n_sample; i++) {
        double re = (double)crealf(part->echo[i]), im = (double)cimagf(part->echo[i]);
        sum += re * re + im * im;
    }
    return sum;
}

static enum nfsar_status image_of(const nfsar_capture *part, const nfsar_grid *grid, int threads,
                                  float complex **image, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(part);
    nfsar_bp_options options = nfsar_bp_defaults();
    nfsar_bp_plan *plan = NULL;
    options.threads = threads;
    options.tolerance = 1e-2;
    *image = buffer_alloc(nfsar_grid_voxels(grid), sizeof **image);
    if (*image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels",
                          nfsar_grid_voxels(grid));
    }
    enum nfsar_status status = nfsar_bp_plan_create(part, grid, &options, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_bp_execute(plan, &source, *image, NULL, error);
    }
    nfsar_bp_plan_destroy(plan);
    if (status != NFSAR_OK) {
        free(*image);
        *image = NULL;
    }
    return status;
}

/* Image a part where its own profile says that the target is. */
static enum nfsar_status try_way(const nfsar_capture *part, int threads, struct tried *tried,
                                 nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(part);
    nfsar_grid grid;
    nfsar_grid_reasons reasons;
    float complex *image = NULL;
    *tried = (struct tried){0.0, NAN, 1.0};
    if (nfsar_grid_suggest(part, &source, NULL, MOST_VOXELS, &grid, &reasons, NULL) != NFSAR_OK) {
        return NFSAR_OK; /* nothing to look at this way */
    }
    enum nfsar_status status = image_of(part, &grid, threads, &image, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double most = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        double re = (double)crealf(image[i]), im = (double)cimagf(image[i]);
        most = fmax(most, re * re + im * im);
    }
    free(image);
    tried->gain = most / fmax(energy(part), 1e-300);
    tried->peak_m = reasons.range_peak;
    tried->voxels = (double)nfsar_grid_voxels(&grid);
    return NFSAR_OK;
}

/* Reversing or conjugating alone mirrors ranges: what was near is at the far end of the unambiguous
 * ones. A target may be there (a plate looks the same to all of an aperture, and a far one focuses
 * as well); so only what is nearer the other way is believed. */
static bool explains(const struct tried *other, const struct tried *now, bool mirrors) {
    double noise = log(4.0 * other->voxels / NFSAR_DOCTOR_FALSE_ALARM);
    return other->gain > BETTER * now->gain && other->gain > noise &&
           (!mirrors || other->peak_m < now->peak_m);
}

static void tell_sign(struct examined *e, const struct tried tried[WAYS]) {
    enum way best = AS_IT_IS;
    for (enum way way = CONJUGATED; way < WAYS; way++) {
        if (explains(&tried[way], &tried[AS_IT_IS], way != BOTH) &&
            (best == AS_IT_IS || tried[way].gain > tried[best].gain)) {
            best = way;
        }
    }
    double better = 10.0 * log10(tried[best].gain / fmax(tried[AS_IT_IS].gain, 1e-300));
    double far = nfsar_range_unambiguous(e->capture);
    switch (best) {
    case CONJUGATED:
        examine_wrong(
            e, "phase", NFSAR_FAULT_IQ_SWAPPED, NFSAR_DOCTOR_LIKELY,
            "import again with the order of I and Q (or the sign of the phase) the other "
            "way: docs/import.md; in Python: echo = echo.conj()",
            "I and Q are swapped, or phases have the other sign: the echo is in the image "
            "side of the beat spectrum (%.3g m), and conjugated it focuses %.0f dB better "
            "at %.3g m",
            tried[AS_IT_IS].peak_m, better, tried[best].peak_m);
        break;
    case REVERSED:
    case BOTH:
        examine_wrong(e, "phase", NFSAR_FAULT_RANGE_BACKWARDS, NFSAR_DOCTOR_LIKELY,
                      best == REVERSED
                          ? "reverse /radar/frequency_hz: the chirp's slope has the wrong sign"
                          : "reverse /radar/frequency_hz and conjugate the samples: the chirp's "
                            "slope and the sign of the phase are both wrong",
                      "ranges run backwards: %swith the frequencies in reverse order the echo "
                      "focuses %.0f dB better, at %.3g m instead of %.3g m",
                      best == BOTH ? "conjugated and " : "", better, tried[best].peak_m,
                      tried[AS_IT_IS].peak_m);
        break;
    default:
        if (tried[AS_IT_IS].peak_m > 0.5 * far) {
            examine_unknown(e, "phase",
                            "if nothing stands there, I and Q are swapped or the phase has the "
                            "other sign: conjugate the samples",
                            "the strongest echo is at %.3g m, in the far half of the unambiguous "
                            "%.3g m, and its wavefronts do not tell the sign of the phase",
                            tried[AS_IT_IS].peak_m, far);
        } else {
            examine_ok(e, "phase", "wavefronts and ranges grow the same way");
        }
    }
}

static enum nfsar_status examine_sign(struct examined *e, nfsar_capture *part, nfsar_error *error) {
    size_t n = part->n_pulse * part->array.n_channel * part->n_sample;
    struct tried tried[WAYS];
    enum nfsar_status status = NFSAR_OK;
    float complex *echo = buffer_alloc(n, sizeof *echo);
    if (echo == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu samples", n);
    }
    memcpy(echo, part->echo, n * sizeof *echo);
    for (enum way way = AS_IT_IS; status == NFSAR_OK && way < WAYS; way++) {
        change(part, echo, way);
        status = try_way(part, e->options.threads, &tried[way], error);
    }
    if (status == NFSAR_OK) {
        tell_sign(e, tried);
    }
    change(part, echo, AS_IT_IS);
    free(echo);
    return status;
}

/* What does not move is no target, where it is stronger than that. */
static void take_out_constant(nfsar_capture *part) {
    size_t n = part->array.n_channel * part->n_sample;
    for (size_t i = 0; i < n; i++) {
        double complex sum = 0.0;
        for (size_t p = 0; p < part->n_pulse; p++) {
            sum += part->echo[p * n + i];
        }
        float complex mean = (float complex)(sum / (double)part->n_pulse);
        for (size_t p = 0; p < part->n_pulse; p++) {
            part->echo[p * n + i] -= mean;
        }
    }
}

enum nfsar_status examine_focus(struct examined *e, nfsar_error *error) {
    const nfsar_capture *capture = e->capture;
    double middle = capture->frequency_hz[capture->n_sample / 2];
    double wave = NFSAR_SPEED_OF_LIGHT / middle, far = nfsar_range_unambiguous(capture);
    /* Whichever way round ranges are, the target is nearer than half of them, or so. */
    double range = fmin(e->peak_m, fabs(far - e->peak_m));
    double reach = ZONES * sqrt(wave * fmax(range, 10.0 * wave));
    size_t most = MOST_LINES / capture->array.n_channel + LEAST_PULSES;
    size_t *pulse = buffer_alloc(capture->n_pulse, sizeof *pulse);
    if (pulse == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses",
                          capture->n_pulse);
    }
    enum nfsar_status status = NFSAR_OK;
    size_t n = choose_pulses(capture, reach, most, pulse);
    if (n < LEAST_PULSES) {
        examine_unknown(e, "phase", NULL, "too few pulses near each other to tell wavefronts");
    } else {
        nfsar_capture part = {0};
        status = examine_part(e, pulse, n, &part, error);
        if (status == NFSAR_OK) {
            if (e->leaks) {
                take_out_constant(&part);
            }
            status = examine_sign(e, &part, error);
        }
        nfsar_capture_free(&part);
    }
    free(pulse);
    return status;
}
