/* Do wavefronts and ranges agree? Samples are imaged as they are, conjugated, in reverse order of
 * the frequencies, and both: the one that focuses is how they are meant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/cylinder.h>
#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Pulses times channels of the part that is imaged, how large it is (in wavelengths times the root
 * of the target's distance in wavelengths: some Fresnel zones), and the voxels. */
enum { MOST_LINES = 2400, MOST_VOXELS = 40000 };
#define ZONES 3.0

/* One way focuses so much better than the other, in power: no plate does, and no noise. Edges and
 * holes of plates show in the sharpness of the slice: blurred it is speckle's, about 2. */
#define BETTER  2.0
#define SHARPER 1.5

enum way { AS_IT_IS, CONJUGATED, REVERSED, BOTH };

/* Samples one way, imaged where their own range profile says that the target is, or where those of
 * another do. */
struct tried {
    nfsar_grid grid;
    double peak_m; /* of the range profile */
    double gain;   /* the brightest voxel's power over what noise of the same power makes */
    double sharp;  /* of the slice with the most power */
};

/* The delay in the file is the instrument's whichever way its samples are: it was taken out of them
 * as they are, and is put back before they are changed and taken out after. */
static void change(nfsar_capture *part, const double *delay_s, const float complex *echo,
                   enum way way) {
    size_t n = part->n_sample, lines = part->n_pulse * part->array.n_channel;
    bool reversed = way == REVERSED || way == BOTH, conjugated = way == CONJUGATED || way == BOTH;
    for (size_t l = 0; l < lines; l++) {
        double delay = delay_s != NULL ? delay_s[l % part->array.n_channel] : 0.0;
        for (size_t i = 0; i < n; i++) {
            size_t from = reversed ? n - 1 - i : i;
            double back = delay * part->frequency_hz[from], off = delay * part->frequency_hz[i];
            float complex s = echo[l * n + from];
            if (delay != 0.0 && way != AS_IT_IS) {
                double turns = conjugated ? -back - off : back - off;
                s = conjugated ? conjf(s) : s;
                s *= (float complex)cexp(2.0 * NFSAR_PI * I * (turns - floor(turns)));
            } else if (conjugated) {
                s = conjf(s);
            }
            part->echo[l * n + i] = s;
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

/* Where a part's target is; false where the profile does not tell. */
static bool find_place(const nfsar_capture *part, struct tried *tried) {
    const nfsar_echo_source source = nfsar_capture_source(part);
    nfsar_grid_reasons reasons;
    if (nfsar_grid_suggest(part, &source, NULL, MOST_VOXELS, &tried->grid, &reasons, NULL) !=
        NFSAR_OK) {
        return false;
    }
    examine_thin_depths(&tried->grid, &reasons);
    tried->peak_m = reasons.range_peak;
    return true;
}

static enum nfsar_status try_way(const nfsar_capture *part, int threads, struct tried *tried,
                                 nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(part);
    size_t n = nfsar_grid_voxels(&tried->grid);
    float complex *image = buffer_alloc(n, sizeof *image);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", n);
    }
    enum nfsar_status status = examine_image(part, &source, &tried->grid, threads, image, error);
    double most = 0.0, strongest = 0.0;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        double re = (double)crealf(image[i]), im = (double)cimagf(image[i]);
        most = fmax(most, re * re + im * im);
    }
    size_t slice = tried->grid.x.count * tried->grid.y.count;
    for (size_t z = 0; status == NFSAR_OK && z < tried->grid.z.count; z++) {
        double power = 0.0, sharp = examine_sharpness(image + z * slice, slice, &power);
        if (power > strongest) {
            strongest = power;
            tried->sharp = sharp;
        }
    }
    tried->gain = most / fmax(energy(part), 1e-300);
    free(image);
    return status;
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

/* Which of the two is how samples are meant; -1 where that is not told. Were the target far as it
 * seems, its wavefronts would hardly bend: conjugated they are blurred by 1/near + 1/far, with the
 * frequencies reversed by 1/near - 1/far, and never is the first the sharper one. The second may be
 * sharper by the square of the ratio. */
static int which_is_near(const struct sign *sign) {
    const struct tried *near = sign->near;
    double noise = log(4.0 * (double)nfsar_grid_voxels(&near[0].grid) / NFSAR_DOCTOR_FALSE_ALARM);
    int best = near[0].gain >= near[1].gain ? 0 : 1;
    if (near[best].gain > noise && near[best].gain > BETTER * near[!best].gain &&
        near[best].gain > sign->now.gain) {
        return best;
    }
    double ratio = near[0].peak_m / fmax(sign->now.peak_m, 1e-3);
    double blur = (1.0 + ratio) / fmax(1.0 - ratio, 1e-3);
    if (near[0].sharp > SHARPER * near[1].sharp) {
        return 0;
    }
    return near[1].sharp > SHARPER * blur * blur * near[0].sharp ? 1 : -1;
}

static void tell_mirrored(struct examined *e, const struct sign *sign) {
    int told = which_is_near(sign);
    bool swapped = told >= 0 ? told == 0 : sign->near[0].gain >= sign->near[1].gain;
    const struct tried *best = &sign->near[!swapped], *other = &sign->near[swapped];
    double by = 10.0 * log10(fmax(best->gain / fmax(other->gain, 1e-30),
                                  best->sharp / fmax(other->sharp, 1e-30)));
    if (told < 0 && !is_beyond(e->capture, sign)) {
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
    double power = 10.0 * log10(fmax(now->gain, 1e-30) / fmax(both->gain, 1e-30));
    double sharp = 10.0 * log10(fmax(now->sharp, 1e-30) / fmax(both->sharp, 1e-30));
    bool points = both->gain > noise && both->gain > BETTER * now->gain;
    if (points || both->sharp > BETTER * now->sharp) {
        examine_wrong(e, "phase", NFSAR_FAULT_RANGE_BACKWARDS, NFSAR_DOCTOR_LIKELY,
                      "the chirp's slope and the sign of the phase are both wrong: reverse "
                      "/radar/frequency_hz and conjugate the samples",
                      "wavefronts bend the wrong way for ranges that grow as these do (by %.0f dB)",
                      -fmin(power, sharp));
    } else if (now->gain > BETTER * both->gain || now->sharp > SHARPER * both->sharp) {
        examine_ok(e, "phase", "wavefronts bend as ranges grow (%.0f dB)", fmax(power, sharp));
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
    e->mirrored = sign.mirrored;
    if (sign.mirrored) {
        status = try_way(part, e->options.threads, &sign.now, error);
        change(part, e->capture->calibration.channel_delay_s, echo, CONJUGATED);
        there = find_place(part, &sign.near[0]);
    }
    sign.near[1] = sign.near[0];
    const enum way way[2] = {sign.mirrored ? CONJUGATED : AS_IT_IS,
                             sign.mirrored ? REVERSED : BOTH};
    for (int i = 0; there && status == NFSAR_OK && i < 2; i++) {
        change(part, e->capture->calibration.channel_delay_s, echo, way[i]);
        status = try_way(part, e->options.threads, &sign.near[i], error);
    }
    if (status == NFSAR_OK && there) {
        (sign.mirrored ? tell_mirrored : tell_sign)(e, &sign);
    }
    change(part, e->capture->calibration.channel_delay_s, echo, AS_IT_IS);
    free(echo);
    return status;
}

enum nfsar_status examine_focus(struct examined *e, nfsar_error *error) {
    nfsar_capture part = {0};
    double reach = ZONES * sqrt(examine_wave(e) * examine_target(e));
    enum nfsar_status status = examine_near_part(e, reach, MOST_LINES, &part, error);
    if (status == NFSAR_OK && part.echo == NULL) {
        examine_unknown(e, "phase", NULL, "too few pulses near each other to tell wavefronts");
    } else if (status == NFSAR_OK) {
        status = examine_sign(e, &part, error);
    }
    nfsar_capture_free(&part);
    return status;
}
