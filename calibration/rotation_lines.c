#include "calibration/rotation_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/backprojection.h>
#include <nfsar/range.h>

#include "algorithms/frequencies.h"

/* Work of one patch: pairs times samples and what each pair costs beyond them. */
#define BUDGET    2.5e6
#define PAIR_COST 130.0

/* Positions farther from the circle than this part of its radius are no turntable. */
#define ROUND 0.02

/* Fewest samples that tell noise from targets by range. */
enum { LEAST_SAMPLES = 8 };

/* ---- the circle ----------------------------------------------------------------------------- */

/* Where the radar is at every pulse. */
static nfsar_pose pose_at(const nfsar_capture *capture, double time_s) {
    return nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose, time_s, NULL);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A circle less the largest gap between angles. */
static double arc_of(double *angle, size_t n) {
    qsort(angle, n, sizeof *angle, ascending);
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
    if (*arc < NFSAR_PI / 6.0) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the radar goes round the axis by %.3g degrees only: at least 30 are "
                          "needed",
                          *arc * 180.0 / NFSAR_PI);
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

enum nfsar_status rotation_pulses_choose(const nfsar_capture *capture,
                                         struct rotation_pulses *pulses, nfsar_error *error) {
    const double golden = 0.61803398874989485;
    double cost = (double)capture->array.n_channel * ((double)capture->n_sample + PAIR_COST);
    double share = fmin(1.0, BUDGET / (cost * (double)capture->n_pulse));
    memset(pulses, 0, sizeof *pulses);
    pulses->index = malloc(capture->n_pulse * sizeof *pulses->index);
    pulses->time_s = malloc(capture->n_pulse * sizeof *pulses->time_s);
    if (pulses->index == NULL || pulses->time_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    /* Multiples of the golden ratio: even, and in step with no lattice of angles and heights. */
    for (size_t i = 0; i < capture->n_pulse; i++) {
        double turns = golden * (double)i;
        if (turns - floor(turns) < share && (capture->flags == NULL || capture->flags[i] == 0)) {
            pulses->index[pulses->n] = i;
            pulses->time_s[pulses->n++] = capture->time_s[i];
        }
    }
    return pulses->n >= 8
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%zu whole pulses are too few to find the radius from", pulses->n);
}

void rotation_pulses_free(struct rotation_pulses *pulses) {
    free(pulses->index);
    free(pulses->time_s);
    memset(pulses, 0, sizeof *pulses);
}

void rotation_lines_free(struct rotation_lines *lines) {
    free(lines->tx);
    free(lines->rx);
    free(lines->out_x);
    free(lines->out_z);
    free(lines->samples);
    free(lines->k);
    memset(lines, 0, sizeof *lines);
}

static enum nfsar_status allocate(const nfsar_capture *capture, size_t n_pulse,
                                  struct rotation_lines *lines, nfsar_error *error) {
    size_t n = n_pulse * capture->array.n_channel;
    memset(lines, 0, sizeof *lines);
    lines->n = n;
    lines->n_sample = capture->n_sample;
    lines->n_channel = capture->array.n_channel;
    lines->tx = malloc(n * sizeof *lines->tx);
    lines->rx = malloc(n * sizeof *lines->rx);
    lines->out_x = malloc(n * sizeof *lines->out_x);
    lines->out_z = malloc(n * sizeof *lines->out_z);
    lines->samples = malloc(n * capture->n_sample * sizeof *lines->samples);
    return lines->tx != NULL && lines->rx != NULL && lines->out_x != NULL && lines->out_z != NULL &&
                   lines->samples != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", n_pulse);
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
    lines->k_step = uniform ? 2.0 * NFSAR_PI * step / NFSAR_SPEED_OF_LIGHT : 0.0;
    lines->step = 0.1 * 2.0 * NFSAR_PI / lines->k_centre;
    return NFSAR_OK;
}

/* Outward at the time of each channel: a radar that moves on does so between its channels. */
static void take_directions(const nfsar_capture *capture, double time_s,
                            const nfsar_rotation *rotation, size_t first,
                            struct rotation_lines *lines) {
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        double when = time_s + capture->array.channel_time_s[c];
        nfsar_vec3 p = pose_at(capture, when).position;
        double x = p.x - rotation->axis_x, z = p.z - rotation->axis_z, length = hypot(x, z);
        lines->out_x[first + c] = length > 0.0 ? x / length : 0.0;
        lines->out_z[first + c] = length > 0.0 ? z / length : 0.0;
    }
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
        qsort(power, n, sizeof *power, ascending);
        *noise = power[n / 2] * (double)n / 1.5;
    }
    free(power);
    return status;
}

enum nfsar_status rotation_lines_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      const struct rotation_pulses *pulses,
                                      const nfsar_rotation *rotation, struct rotation_lines *lines,
                                      nfsar_error *error) {
    size_t n_channel = capture->array.n_channel, pitch = n_channel * capture->n_sample;
    enum nfsar_status status = allocate(capture, pulses->n, lines, error);
    if (status == NFSAR_OK) {
        status = take_frequencies(capture, lines, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < pulses->n; i++) {
        size_t first = i * n_channel;
        status = nfsar_capture_antennas(capture, false, pulses->index[i], 1, lines->tx + first,
                                        lines->rx + first, error);
        if (status == NFSAR_OK) {
            take_directions(capture, pulses->time_s[i], rotation, first, lines);
            status = source->read(source->context, pulses->index[i], 1, 0, capture->n_sample,
                                  lines->samples + i * pitch, error);
        }
    }
    for (size_t i = 0; status == NFSAR_OK && i < pulses->n * pitch; i++) {
        double re = (double)crealf(lines->samples[i]), im = (double)cimagf(lines->samples[i]);
        lines->energy += re * re + im * im;
    }
    return status == NFSAR_OK ? measure_noise(capture, source, &lines->noise, error) : status;
}

/* ---- scatterers ----------------------------------------------------------------------------- */

/* The coarse image's voxels in wavelengths (a full circle resolves 0.2 to 0.3), its most voxels in
 * a slice, and its heights. */
#define COARSE_STEP   0.2
#define COARSE_VOXELS 62500.0
enum { MOST_HEIGHTS = 9 };

/* An array's span of heights resolves lambda R / (2 span). */
struct rotation_heights rotation_heights_choose(const struct rotation_lines *lines, double radius) {
    double low = INFINITY, high = -INFINITY;
    for (size_t l = 0; l < lines->n; l++) {
        double y = 0.5 * (lines->tx[l].y + lines->rx[l].y);
        low = fmin(low, y);
        high = fmax(high, y);
    }
    double middle = 0.5 * (low + high), span = high - low;
    double resolution = NFSAR_PI / lines->k_centre * radius / fmax(span, 1e-9);
    if (resolution > 0.3 * radius) {
        return (struct rotation_heights){middle, 0.0, 1};
    }
    size_t n = 1 + 2 * (size_t)ceil(0.5 * span / (0.7 * resolution));
    n = n < MOST_HEIGHTS ? n : MOST_HEIGHTS;
    double step = fmin(0.7 * resolution, span / (double)(n - 1) * 1.2);
    step = fmax(step, span / (double)(n - 1));
    return (struct rotation_heights){middle - 0.5 * step * (double)(n - 1), step, n};
}

/* The samples that were read, as a source. */
static enum nfsar_status read_lines(void *context, size_t first_pulse, size_t n_pulse,
                                    size_t first_sample, size_t n_sample, float complex *out,
                                    nfsar_error *error) {
    (void)error;
    const struct rotation_lines *lines = context;

    size_t n_channel = lines->n_channel;
    for (size_t i = 0; i < n_pulse * n_channel; i++) {
        memcpy(out + i * n_sample,
               lines->samples + (first_pulse * n_channel + i) * lines->n_sample + first_sample,
               n_sample * sizeof *out);
    }
    return NFSAR_OK;
}

static double power_of(float complex o) {
    double re = (double)crealf(o), im = (double)cimagf(o);
    return re * re + im * im;
}

struct found {
    struct rotation_scatterer *list;
    size_t room, n;
    double apart, apart_y; /* side lobes nearer than this are no scatterers of their own */
};

static bool is_beside(const struct found *found, nfsar_vec3 a, nfsar_vec3 b) {
    return hypot(a.x - b.x, a.z - b.z) < found->apart && fabs(a.y - b.y) < found->apart_y;
}

/* Into the list, which is sorted; weaker ones beside it go. */
static void insert(struct found *found, struct rotation_scatterer new) {
    for (size_t i = 0; i < found->n; i++) {
        if (found->list[i].power >= new.power && is_beside(found, found->list[i].at, new.at)) {
            return;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < found->n; i++) {
        if (!is_beside(found, found->list[i].at, new.at)) {
            found->list[kept++] = found->list[i];
        }
    }
    found->n = kept;
    size_t at = found->n;
    while (at > 0 && found->list[at - 1].power < new.power) {
        at--;
    }
    if (at >= found->room) {
        return;
    }
    size_t n = found->n < found->room ? found->n : found->room - 1;
    memmove(found->list + at + 1, found->list + at, (n - at) * sizeof *found->list);
    found->list[at] = new;
    found->n = n + 1;
}

/* Every local maximum of the slice. */
static void collect(const nfsar_grid *grid, const float complex *image, double floor,
                    const nfsar_rotation *rotation, double within, struct found *found) {
    size_t nx = grid->x.count, nz = grid->z.count;
    for (size_t j = 1; j + 1 < nz; j++) {
        for (size_t i = 1; i + 1 < nx; i++) {
            const float complex *o = image + j * nx + i;
            double power = power_of(*o);
            if (power < floor || power < power_of(o[-1]) || power < power_of(o[1]) ||
                power < power_of(o[-(ptrdiff_t)nx]) || power < power_of(o[nx])) {
                continue;
            }
            nfsar_vec3 at = {nfsar_axis_at(&grid->x, i), nfsar_axis_at(&grid->y, 0),
                             nfsar_axis_at(&grid->z, j)};
            if (hypot(at.x - rotation->axis_x, at.z - rotation->axis_z) <= within) {
                insert(found, (struct rotation_scatterer){at, power});
            }
        }
    }
}

static enum nfsar_status image_slice(const nfsar_capture *probe, const struct rotation_lines *lines,
                                     const nfsar_grid *grid, int threads, float complex *image,
                                     nfsar_error *error) {
    nfsar_bp_options options = nfsar_bp_defaults();
    nfsar_bp_plan *plan = NULL;
    options.threads = threads;
    options.tolerance = 1e-2;
    enum nfsar_status status = nfsar_bp_plan_create(probe, grid, &options, &plan, error);
    if (status == NFSAR_OK) {
        struct rotation_lines copy = *lines;
        const nfsar_echo_source source = {read_lines, &copy};
        status = nfsar_bp_execute(plan, &source, image, NULL, error);
    }
    nfsar_bp_plan_destroy(plan);
    return status;
}

enum nfsar_status rotation_scatterers_find(const nfsar_capture *capture,
                                           const struct rotation_pulses *pulses,
                                           const struct rotation_lines *lines,
                                           const nfsar_rotation *rotation, double within,
                                           double floor, int threads,
                                           struct rotation_scatterer *list, size_t room, size_t *n,
                                           const nfsar_progress *progress, nfsar_error *error) {
    const struct rotation_heights heights = rotation_heights_choose(lines, rotation->radius_m);
    double wavelength = 2.0 * NFSAR_PI / lines->k_centre;
    double step = fmax(COARSE_STEP * wavelength, 2.0 * within / sqrt(COARSE_VOXELS));
    size_t half = (size_t)ceil(within / step), side = 2 * half + 1;
    struct found found = {list, room, 0, 0.8 * wavelength,
                          heights.step > 0.0 ? 2.1 * heights.step : INFINITY};
    float complex *image = malloc(side * side * sizeof *image);
    enum nfsar_status status =
        image != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    nfsar_capture probe = *capture;
    probe.n_pulse = pulses->n;
    probe.time_s = pulses->time_s;
    for (size_t i = 0; status == NFSAR_OK && i < heights.n; i++) {
        const nfsar_grid grid = {
            {rotation->axis_x - step * (double)half, step, side},
            {heights.first + heights.step * (double)i, 1.0, 1},
            {rotation->axis_z - step * (double)half, step, side},
        };
        if (!nfsar_progress_report(progress, 0.4 * (double)i / (double)heights.n)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "stopped");
        } else {
            status = image_slice(&probe, lines, &grid, threads, image, error);
        }
        if (status == NFSAR_OK) {
            collect(&grid, image, floor, rotation, within, &found);
        }
    }
    free(image);
    *n = found.n;
    return status;
}
