#include "calibration/rotation_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/frequencies.h"
#include "algorithms/sort.h"

/* Work of one patch: pairs times samples and what each pair costs beyond them. */
#define BUDGET    1.6e6
#define PAIR_COST 130.0

/* Positions farther from the circle than this part of its radius are no turntable. */
#define ROUND 0.02

/* Less of a circle, and a wrong radius is made up for by wrong places of the scatterers: with 20 dB
 * of signal over noise errors were above 0.4 mm up to 210 degrees, and below 0.1 mm from 240 on. */
#define LEAST_ARC (NFSAR_PI * 4.0 / 3.0 - 1e-3)

/* Fewest samples that tell noise from targets by range. */
enum { LEAST_SAMPLES = 8 };

/* ---- the circle ----------------------------------------------------------------------------- */

/* Where the radar is at every pulse. */
static nfsar_pose pose_at(const nfsar_capture *capture, double time_s) {
    return nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose, time_s, NULL);
}

/* A circle less the largest gap between angles. */
static double arc_of(double *angle, size_t n) {
    sort_doubles(angle, n);
    double gap = angle[0] + 2.0 * NFSAR_PI - angle[n - 1];
    for (size_t i = 1; i < n; i++) {
        gap = fmax(gap, angle[i] - angle[i - 1]);
    }
    return 2.0 * NFSAR_PI - gap;
}

/* Least squares of x^2 + z^2 = 2 a x + 2 b z + c about the mean: a linear problem (Kasa 1976). */
static bool fit_circle(const nfsar_vec3 *p, size_t n, double *x, double *z, double *radius) {
    double mx = 0.0, mz = 0.0;
    for (size_t i = 0; i < n; i++) {
        mx += p[i].x / (double)n;
        mz += p[i].z / (double)n;
    }
    double xx = 0.0, xz = 0.0, zz = 0.0, xs = 0.0, zs = 0.0, s = 0.0;
    for (size_t i = 0; i < n; i++) {
        double u = p[i].x - mx, v = p[i].z - mz, square = u * u + v * v;
        xx += u * u;
        xz += u * v;
        zz += v * v;
        xs += 0.5 * u * square;
        zs += 0.5 * v * square;
        s += square;
    }
    double determinant = xx * zz - xz * xz;
    if (!(determinant > 1e-12 * (xx + zz) * (xx + zz))) {
        return false;
    }
    double a = (xs * zz - zs * xz) / determinant, b = (zs * xx - xs * xz) / determinant;
    *x = mx + a;
    *z = mz + b;
    *radius = sqrt(a * a + b * b + s / (double)n);
    return true;
}

static enum nfsar_status judge_circle(const nfsar_vec3 *p, double *angle, size_t n,
                                      nfsar_rotation *r, double *arc, nfsar_error *error) {
    if (n < 8 || !fit_circle(p, n, &r->axis_x, &r->axis_z, &r->radius_m)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "%zu positions on no circle about an axis parallel to y: this is for "
                          "turntables",
                          n);
    }
    double off = 0.0;
    for (size_t i = 0; i < n; i++) {
        double x = p[i].x - r->axis_x, z = p[i].z - r->axis_z;
        angle[i] = atan2(z, x);
        off = fmax(off, fabs(hypot(x, z) - r->radius_m));
    }
    *arc = arc_of(angle, n);
    if (off > ROUND * r->radius_m) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "positions deviate by %.3g mm from a circle of %.4g m about an axis "
                          "parallel to y: this is for turntables",
                          1e3 * off, r->radius_m);
    }
    if (*arc < LEAST_ARC) {
        return nfsar_fail(
            error, NFSAR_ERROR_GEOMETRY,
            "the radar goes round the axis by %.4g degrees only: the radius needs %g, "
            "or scatterers elsewhere look the same",
            *arc * 180.0 / NFSAR_PI, LEAST_ARC * 180.0 / NFSAR_PI);
    }
    return NFSAR_OK;
}

enum nfsar_status rotation_circle(const nfsar_capture *capture, nfsar_rotation *rotation,
                                  double *arc, nfsar_error *error) {
    size_t n = capture->n_pulse;
    nfsar_vec3 *p = malloc((n + 1) * sizeof *p);
    double *angle = malloc((n + 1) * sizeof *angle);
    enum nfsar_status status = NFSAR_OK;
    if (p == NULL || angle == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", n);
    } else {
        for (size_t i = 0; i < n; i++) {
            p[i] = pose_at(capture, capture->time_s[i]).position;
        }
        status = judge_circle(p, angle, n, rotation, arc, error);
    }
    free(angle);
    free(p);
    return status;
}

/* ---- pulses and samples --------------------------------------------------------------------- */

void rotation_lines_free(struct rotation_lines *lines) {
    free(lines->tx);
    free(lines->rx);
    free(lines->out_x);
    free(lines->out_z);
    free(lines->re);
    free(lines->im);
    free(lines->k_off);
    free(lines->k);
    memset(lines, 0, sizeof *lines);
}

/* Lines that are looked at: the part `share` of those at heights within `reach` of the middle. */
struct choice {
    double share, middle, reach;
};

static struct choice choose(const nfsar_capture *capture, double reach) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        double y = pose_at(capture, capture->time_s[i]).position.y;
        low = fmin(low, y);
        high = fmax(high, y);
    }
    double n = (double)capture->n_pulse * (double)capture->array.n_channel;
    n *= fmin(1.0, 2.0 * reach / fmax(high - low, 1e-9));
    double cost = (double)capture->n_sample + PAIR_COST;
    return (struct choice){BUDGET / (cost * n), 0.5 * (low + high), reach};
}

bool rotation_is_in(size_t i, double irrational, double share) {
    double turns = irrational * (double)i;
    return turns - floor(turns) < share;
}

static enum nfsar_status allocate(const nfsar_capture *capture, size_t n,
                                  struct rotation_lines *lines, nfsar_error *error) {
    memset(lines, 0, sizeof *lines);
    lines->n_sample = capture->n_sample;
    lines->tx = malloc(n * sizeof *lines->tx);
    lines->rx = malloc(n * sizeof *lines->rx);
    lines->out_x = malloc(n * sizeof *lines->out_x);
    lines->out_z = malloc(n * sizeof *lines->out_z);
    lines->pitch = (capture->n_sample + 7) / 8 * 8;
    lines->re = calloc(n, lines->pitch * sizeof *lines->re);
    lines->im = calloc(n, lines->pitch * sizeof *lines->im);
    lines->k_off = calloc(lines->pitch, sizeof *lines->k_off);
    bool all = lines->tx != NULL && lines->rx != NULL && lines->out_x != NULL &&
               lines->out_z != NULL && lines->re != NULL && lines->im != NULL &&
               lines->k_off != NULL;
    return all ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the samples");
}

static enum nfsar_status take_frequencies(const nfsar_capture *capture,
                                          struct rotation_lines *lines, nfsar_error *error) {
    float *taper = NULL;
    enum nfsar_status status =
        frequencies_make(capture, NFSAR_WINDOW_RECTANGULAR, &lines->k, &taper, error);
    free(taper);
    if (status != NFSAR_OK) {
        return status;
    }
    double low = 0.0, high = 0.0, step = 0.0;
    frequencies_range(lines->k, lines->n_sample, &low, &high);
    bool uniform = nfsar_frequencies_uniform(capture->frequency_hz, capture->n_sample, 1e-9, &step);
    lines->k_centre = 0.5 * (low + high);
    lines->band = high - low;
    lines->k_step = uniform ? 2.0 * NFSAR_PI * step / NFSAR_SPEED_OF_LIGHT : 0.0;
    for (size_t i = 0; i < lines->n_sample; i++) {
        lines->k_off[i] = (float)(lines->k[i] - lines->k_centre);
    }
    lines->step = 0.1 * 2.0 * NFSAR_PI / lines->k_centre;
    return NFSAR_OK;
}

/* Outward at the time of the channel: a radar that moves on does so between its channels. */
static void take_direction(const nfsar_capture *capture, double time_s,
                           const nfsar_rotation *rotation, size_t line,
                           struct rotation_lines *lines) {
    nfsar_vec3 p = pose_at(capture, time_s).position;
    double x = p.x - rotation->axis_x, z = p.z - rotation->axis_z, length = hypot(x, z);
    lines->out_x[line] = length > 0.0 ? x / length : 0.0;
    lines->out_z[line] = length > 0.0 ? z / length : 0.0;
}

/* White noise is the same in all range bins, and most of them hold nothing else: the median of the
 * mean profile. A Hann window lets through 3/2 of one bin. */
static enum nfsar_status measure_noise(const nfsar_capture *capture,
                                       const nfsar_echo_source *source, double *noise,
                                       nfsar_error *error) {
    size_t n = capture->n_sample;
    double unambiguous = nfsar_range_unambiguous(capture);
    if (n < LEAST_SAMPLES || !isfinite(unambiguous)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%zu samples a pulse do not tell targets from noise: at least %d are "
                          "needed",
                          n, LEAST_SAMPLES);
    }
    double *power = malloc(n * sizeof *power);
    enum nfsar_status status =
        power != NULL
            ? nfsar_range_profile(capture, source, unambiguous / (double)n, n, power, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        *noise = sort_upper_median(power, n) * (double)n / 1.5;
    }
    free(power);
    return status;
}

/* Real and imaginary parts apart, and their energy. */
static void take_samples(const float complex *sample, size_t line, struct rotation_lines *lines) {
    float *re = lines->re + line * lines->pitch, *im = lines->im + line * lines->pitch;
    for (size_t i = 0; i < lines->n_sample; i++) {
        re[i] = crealf(sample[i]);
        im[i] = cimagf(sample[i]);
        lines->energy += (double)re[i] * (double)re[i] + (double)im[i] * (double)im[i];
    }
}

/* What one pulse is read into. */
struct pulse {
    nfsar_vec3 *tx, *rx;    /* [n_channel] */
    float complex *samples; /* [n_channel][n_sample] */
};

static enum nfsar_status read_pulse(const nfsar_capture *capture, const nfsar_echo_source *source,
                                    size_t i, const struct choice *choice,
                                    const nfsar_rotation *rotation, const struct pulse *pulse,
                                    struct rotation_lines *lines, nfsar_error *error) {
    const size_t n_channel = capture->array.n_channel;
    double y = pose_at(capture, capture->time_s[i]).position.y;
    if ((capture->flags != NULL && capture->flags[i] != 0) ||
        fabs(y - choice->middle) > choice->reach) {
        return NFSAR_OK;
    }
    bool is_read = false;
    for (size_t c = 0; c < n_channel; c++) {
        if (!rotation_is_in(i * n_channel + c, 0.61803398874989485, choice->share)) {
            continue;
        }
        enum nfsar_status status = NFSAR_OK;
        if (!is_read) {
            status = nfsar_capture_antennas(capture, false, i, 1, pulse->tx, pulse->rx, error);
        }
        if (status == NFSAR_OK && !is_read) {
            status =
                source->read(source->context, i, 1, 0, capture->n_sample, pulse->samples, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
        is_read = true;
        lines->tx[lines->n] = pulse->tx[c];
        lines->rx[lines->n] = pulse->rx[c];
        take_direction(capture, capture->time_s[i] + capture->array.channel_time_s[c], rotation,
                       lines->n, lines);
        take_samples(pulse->samples + c * capture->n_sample, lines->n, lines);
        lines->n++;
    }
    return NFSAR_OK;
}

static enum nfsar_status read_all(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  const struct choice *choice, const nfsar_rotation *rotation,
                                  struct rotation_lines *lines, nfsar_error *error) {
    const size_t n_channel = capture->array.n_channel;
    struct pulse pulse = {malloc(n_channel * sizeof *pulse.tx),
                          malloc(n_channel * sizeof *pulse.rx),
                          malloc(n_channel * capture->n_sample * sizeof *pulse.samples)};
    enum nfsar_status status = NFSAR_OK;
    if (pulse.tx == NULL || pulse.rx == NULL || pulse.samples == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; status == NFSAR_OK && i < capture->n_pulse; i++) {
        status = read_pulse(capture, source, i, choice, rotation, &pulse, lines, error);
    }
    free(pulse.tx);
    free(pulse.rx);
    free(pulse.samples);
    return status;
}

enum nfsar_status rotation_lines_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      double reach, const nfsar_rotation *rotation,
                                      struct rotation_lines *lines, nfsar_error *error) {
    const struct choice choice = choose(capture, reach);
    const double all = (double)capture->n_pulse * (double)capture->array.n_channel;
    /* Any part of the golden ratio's multiples is even to some units. */
    size_t room = (size_t)(fmin(1.0, choice.share) * all) + 64;
    enum nfsar_status status = allocate(capture, room, lines, error);
    if (status == NFSAR_OK) {
        status = take_frequencies(capture, lines, error);
    }
    if (status == NFSAR_OK) {
        status = read_all(capture, source, &choice, rotation, lines, error);
    }
    if (status == NFSAR_OK && lines->n < 8) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%zu whole pulses are too few to find the radius from", lines->n);
    }
    return status == NFSAR_OK ? measure_noise(capture, source, &lines->noise, error) : status;
}
