/* Do wavefronts and ranges agree? Samples are imaged as they are, conjugated, in reverse order of
 * the frequencies, and both: the one that focuses is how they are meant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/backprojection.h>
#include <nfsar/cylinder.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Pulses times channels of the part that is imaged, how large it is (in wavelengths times the root
 * of the target's distance in wavelengths: some Fresnel zones), and the voxels. */
enum { MOST_LINES = 1200, MOST_VOXELS = 40000, MOST_SLICES = 40, LEAST_PULSES = 8 };
#define ZONES      3.0
#define FINE_DEPTH 6e-3

/* One way focuses so much better than the other, in power: no plate does, and no noise. */
#define BETTER 2.0

enum way { AS_IT_IS, CONJUGATED, REVERSED, BOTH };

/* Samples one way, imaged where their own range profile says that the target is, or where those of
 * another do. */
struct tried {
    nfsar_grid grid;
    double peak_m; /* of the range profile */
    double gain;   /* the brightest voxel's power over what noise of the same power makes */
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

/* Where a part's target is; false where the profile does not tell. */
static bool find_place(const nfsar_capture *part, struct tried *tried) {
    const nfsar_echo_source source = nfsar_capture_source(part);
    nfsar_grid_reasons reasons;
    if (nfsar_grid_suggest(part, &source, NULL, MOST_VOXELS, &tried->grid, &reasons, NULL) !=
        NFSAR_OK) {
        return false;
    }
    /* Depths as fine as wavefronts of a wide aperture are sharp. */
    nfsar_axis *z = &tried->grid.z;
    if (!reasons.converging && z->count > 1 && z->step > FINE_DEPTH) {
        double length = z->step * (double)(z->count - 1);
        z->count = (size_t)fmin(ceil(length / FINE_DEPTH), MOST_SLICES - 1) + 1;
        z->step = length / (double)(z->count - 1);
    }
    tried->peak_m = reasons.range_peak;
    return true;
}

static enum nfsar_status try_way(const nfsar_capture *part, int threads, struct tried *tried,
                                 nfsar_error *error) {
    float complex *image = NULL;
    enum nfsar_status status = image_of(part, &tried->grid, threads, &image, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double most = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(&tried->grid); i++) {
        double re = (double)crealf(image[i]), im = (double)cimagf(image[i]);
        most = fmax(most, re * re + im * im);
    }
    tried->gain = most / fmax(energy(part), 1e-300);
    free(image);
    return NFSAR_OK;
}

/* ---- the sign of phases ---------------------------------------------------------------------- */

/* Conjugating or reversing alone mirrors ranges, both together leave them: so of the four ways two
 * have the target at the near end of the unambiguous ranges, and these see wavefronts that bend the
 * one way and the other: compared on one grid, where plates, which look the same from everywhere
 * and far away as well, make no difference. A target that really is far focuses there. */
struct sign {
    bool mirrored;        /* as the samples are the target is at the far end */
    struct tried now;     /* as they are */
    struct tried near[2]; /* mirrored: conjugated and reversed; else: as they are and both */
};

/* Round a turntable nothing is farther than its other side. */
static bool is_beyond(const nfsar_capture *capture, const struct sign *sign) {
    nfsar_cylinder round;
    return nfsar_cylinder_detect(capture, 0.0, &round, NULL) == NFSAR_OK &&
           round.span_rad > NFSAR_PI && sign->now.peak_m > 2.0 * round.radius &&
           sign->near[0].peak_m < 2.0 * round.radius;
}

static void tell_mirrored(struct examined *e, const struct sign *sign) {
    bool swapped = sign->near[0].gain >= sign->near[1].gain;
    const struct tried *best = &sign->near[!swapped], *other = &sign->near[swapped];
    double noise = log(4.0 * (double)nfsar_grid_voxels(&best->grid) / NFSAR_DOCTOR_FALSE_ALARM);
    double by = 10.0 * log10(best->gain / fmax(other->gain, 1e-30));
    bool told =
        best->gain > noise && best->gain > BETTER * other->gain && best->gain > sign->now.gain;
    if (!told && !is_beyond(e->capture, sign)) {
        examine_unknown(e, "phase",
                        "if nothing stands there, I and Q are swapped, the phase has the other "
                        "sign, or the chirp's slope: conjugate the samples, or reverse "
                        "/radar/frequency_hz",
                        "the strongest echo is at %.3g m, in the far half of the unambiguous %.3g "
                        "m (the image side of the beat spectrum); its wavefronts do not tell "
                        "whether that is so",
                        sign->now.peak_m, nfsar_range_unambiguous(e->capture));
    } else if (swapped) {
        examine_wrong(e, "phase", NFSAR_FAULT_IQ_SWAPPED, NFSAR_DOCTOR_LIKELY,
                      "import again with the order of I and Q, or the sign of the phase, the other "
                      "way (docs/import.md); in Python: echo = echo.conj()",
                      "I and Q are swapped, or phases have the other sign: the echo is in the "
                      "image side of the beat spectrum (%.3g m); conjugated it is at %.3g m, where "
                      "its wavefronts focus (%.0f dB better than with the other bend)",
                      sign->now.peak_m, best->peak_m, by);
    } else {
        examine_wrong(e, "phase", NFSAR_FAULT_RANGE_BACKWARDS, NFSAR_DOCTOR_LIKELY,
                      "the chirp's slope has the wrong sign: reverse /radar/frequency_hz",
                      "ranges run backwards: with the frequencies in reverse order the echo is at "
                      "%.3g m instead of %.3g m, where its wavefronts focus (%.0f dB better than "
                      "with the other bend)",
                      best->peak_m, sign->now.peak_m, by);
    }
}

static void tell_sign(struct examined *e, const struct sign *sign) {
    const struct tried *now = &sign->near[0], *both = &sign->near[1];
    double noise = log(4.0 * (double)nfsar_grid_voxels(&now->grid) / NFSAR_DOCTOR_FALSE_ALARM);
    double by = 10.0 * log10(fmax(now->gain, 1e-30) / fmax(both->gain, 1e-30));
    if (both->gain > noise && both->gain > BETTER * now->gain) {
        examine_wrong(e, "phase", NFSAR_FAULT_RANGE_BACKWARDS, NFSAR_DOCTOR_LIKELY,
                      "the chirp's slope and the sign of the phase are both wrong: reverse "
                      "/radar/frequency_hz and conjugate the samples",
                      "wavefronts bend the wrong way for ranges that grow as these do (by %.0f dB)",
                      -by);
    } else if (now->gain > BETTER * both->gain) {
        examine_ok(e, "phase", "wavefronts bend as ranges grow (%.0f dB)", by);
    } else {
        examine_ok(e, "phase", "ranges grow the right way; wavefronts do not contradict");
    }
}

static enum nfsar_status examine_sign(struct examined *e, nfsar_capture *part, nfsar_error *error) {
    size_t n = part->n_pulse * part->array.n_channel * part->n_sample;
    struct sign sign = {0};
    enum nfsar_status status = NFSAR_OK;
    float complex *echo = buffer_alloc(n, sizeof *echo);
    if (echo == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu samples", n);
    }
    memcpy(echo, part->echo, n * sizeof *echo);
    bool there = find_place(part, &sign.now);
    sign.near[0] = sign.now;
    sign.mirrored = there && sign.now.peak_m > 0.5 * nfsar_range_unambiguous(part);
    if (sign.mirrored) {
        status = try_way(part, e->options.threads, &sign.now, error);
        change(part, echo, CONJUGATED);
        there = find_place(part, &sign.near[0]);
    }
    sign.near[1] = sign.near[0];
    const enum way way[2] = {sign.mirrored ? CONJUGATED : AS_IT_IS,
                             sign.mirrored ? REVERSED : BOTH};
    for (int i = 0; there && status == NFSAR_OK && i < 2; i++) {
        change(part, echo, way[i]);
        status = try_way(part, e->options.threads, &sign.near[i], error);
    }
    if (status == NFSAR_OK && there) {
        (sign.mirrored ? tell_mirrored : tell_sign)(e, &sign);
    }
    change(part, echo, AS_IT_IS);
    free(echo);
    return status;
}

/* What does not move is leakage, or a plate across the aperture, which looks the same at all
 * distances. */
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
            take_out_constant(&part);
            status = examine_sign(e, &part, error);
        }
        nfsar_capture_free(&part);
    }
    free(pulse);
    return status;
}
