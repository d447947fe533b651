/* Do wavefronts focus at the range that the echo shows? What the instrument adds to all ranges
 * moves the echo, but bends no wavefront: with that much taken off ranges the image is sharper.
 * Slices at several depths are imaged, with ranges put right for each. The sharpest one is where
 * the target is; with what offset the echo is strongest there tells how far ranges are off. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Lines, and voxels of a slice. With a quarter of the lines what they leave between them blurs the
 * sharp slice as much as the others. */
enum { MOST_LINES = 6400, MOST_VOXELS = 5000 };
/* The part's radius in Fresnel zones. */
#define ZONES 3.0
/* Offsets that are tried, metres, a slice's own place being known to a cell: of 12 cm both sides
 * are seen. */
#define MOST_OFFSET 0.15
enum { MOST_TRIALS = 10 };
/* Then, where it is sharp, offsets within a range cell. */
enum { FINE_TRIALS = 4 };
/* So much sharper, and so sharp at least: speckle has 2, and what is blurred has little more. */
#define SHARPER 1.5
#define SHARP   4.0
/* Less is no fault: depths of field and cells of range are not much smaller. */
#define LEAST_OFFSET 0.02

struct offsets {
    nfsar_capture part;
    float complex *echo; /* as it was */
    nfsar_grid slice;    /* at the depth where ranges say that the target is */
    double step;
    int n; /* offsets -n .. n times the step */
    double sharp[2 * MOST_TRIALS + 1];
    int best, low, high; /* the sharpest, and where it is blurred to either side of it */
    double offset;       /* that the echo is strongest with, where it is sharp; metres */
};

/* Take an offset off all ranges. */
static void turn(struct offsets *o, double offset) {
    nfsar_capture *part = &o->part;
    size_t lines = part->n_pulse * part->array.n_channel;
    for (size_t i = 0; i < part->n_sample; i++) {
        double turns = 2.0 * offset * part->frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
        float complex factor = (float complex)cexp(-2.0 * NFSAR_PI * I * (turns - floor(turns)));
        for (size_t l = 0; l < lines; l++) {
            part->echo[l * part->n_sample + i] = factor * o->echo[l * part->n_sample + i];
        }
    }
}

/* The slice at a depth so much nearer, with that much taken off ranges. */
static enum nfsar_status try_one(const struct examined *e, struct offsets *o, double nearer,
                                 double offset, double *sharp, double *power, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(&o->part);
    nfsar_grid slice = o->slice;
    size_t n = nfsar_grid_voxels(&slice);
    float complex *image = buffer_alloc(n, sizeof *image);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", n);
    }
    slice.z.start -= nearer;
    turn(o, offset);
    enum nfsar_status status =
        examine_image(&o->part, &source, &slice, e->options.threads, image, error);
    if (status == NFSAR_OK) {
        *sharp = examine_sharpness(image, n, power);
    }
    free(image);
    return status;
}

static bool is_blurred(const struct offsets *o, int i) {
    return o->sharp[i + o->n] <= o->sharp[o->best + o->n] / SHARPER;
}

static enum nfsar_status try_all(const struct examined *e, struct offsets *o, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (int i = -o->n; status == NFSAR_OK && i <= o->n; i++) {
        double power = 0.0;
        status = try_one(e, o, i * o->step, i * o->step, &o->sharp[i + o->n], &power, error);
        o->best = o->sharp[i + o->n] > o->sharp[o->best + o->n] ? i : o->best;
    }
    o->low = o->high = o->best;
    while (o->low > -o->n && !is_blurred(o, o->low)) {
        o->low--;
    }
    while (o->high < o->n && !is_blurred(o, o->high)) {
        o->high++;
    }
    return status;
}

/* The top of the parabola through three values in logarithms, in steps from the middle one. */
static double top(const double *v) {
    double a = log(fmax(v[-1], 1e-300)), b = log(fmax(v[0], 1e-300)), c = log(fmax(v[1], 1e-300));
    return fmax(fmin(0.5 * (a - c) / fmin(a - 2.0 * b + c, -1e-300), 0.5), -0.5);
}

/* The echo's own range gives the slice's depth to a cell only: the offset is found anew there. */
static enum nfsar_status try_offsets(const struct examined *e, struct offsets *o,
                                     nfsar_error *error) {
    double nearer = o->step * (o->best + top(o->sharp + o->n + o->best));
    double step = nfsar_range_resolution(&o->part) / FINE_TRIALS;
    double strong[2 * FINE_TRIALS + 1];
    int best = 0;
    enum nfsar_status status = NFSAR_OK;
    for (int i = 0; status == NFSAR_OK && i <= 2 * FINE_TRIALS; i++) {
        double sharp = 0.0, power = 0.0;
        status = try_one(e, o, nearer, nearer + (i - FINE_TRIALS) * step, &sharp, &power, error);
        strong[i] = sharp * power * power;
        best = strong[i] > strong[best] ? i : best;
    }
    bool inside = best > 0 && best < 2 * FINE_TRIALS;
    o->offset = nearer + step * (best - FINE_TRIALS + (inside ? top(strong + best) : 0.0));
    return status;
}

static const char *const late_fix =
    "the instrument's delay is not taken off: record a reflector at a known range, nfsar calibrate "
    "--range (docs/calibrate.md); or positions along the range are wrong";

/* The top of what is sharp is known to half of its half width, and better. */
static void tell(struct examined *e, const struct offsets *o) {
    const double *sharp = o->sharp + o->n;
    double focus = 0.25 * (o->high - o->low) * o->step, ps = 2e12 / NFSAR_SPEED_OF_LIGHT;
    bool falls = is_blurred(o, o->low) && is_blurred(o, o->high);
    bool outside = is_blurred(o, 0);
    if (sharp[o->best] < SHARP || !(falls || outside)) {
        examine_unknown(e, "range",
                        "record a small reflector at a known range to be sure: nfsar calibrate "
                        "--range (docs/calibrate.md)",
                        "wavefronts do not tell it: with ranges up to %.0f mm shorter or longer "
                        "the image is as blurred or as sharp",
                        1e3 * o->n * o->step);
    } else if (!falls) {
        examine_wrong(e, "range", NFSAR_FAULT_RANGE_OFFSET, NFSAR_DOCTOR_LIKELY, late_fix,
                      "the echo is at %.4g m, but its wavefronts focus %.0f mm or more %s (%.0f ps "
                      "both ways): the image is %.1f times sharper there",
                      e->peak_m, 1e3 * fabs(o->best * o->step), o->best > 0 ? "nearer" : "farther",
                      ps * fabs(o->best * o->step), sharp[o->best] / sharp[0]);
    } else if (fabs(o->offset) <= fmax(focus, LEAST_OFFSET)) {
        examine_ok(e, "range", "wavefronts focus at the range of the echo, to within %.0f mm",
                   1e3 * fmax(focus, LEAST_OFFSET));
    } else {
        examine_wrong(e, "range", NFSAR_FAULT_RANGE_OFFSET, NFSAR_DOCTOR_LIKELY, late_fix,
                      "the echo is at %.4g m, but its wavefronts focus %.0f mm %s (+- %.0f mm; "
                      "%.0f ps both ways)",
                      e->peak_m, 1e3 * fabs(o->offset), o->offset > 0.0 ? "nearer" : "farther",
                      1e3 * focus, ps * fabs(o->offset));
    }
}

/* The half width of the part, metres. */
static double half_width(const nfsar_capture *part) {
    nfsar_vec3 middle = {0.0, 0.0, 0.0};
    double widest = 0.0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < part->n_pulse; i++) {
            nfsar_vec3 at =
                nfsar_track_pose(part->pose_time_s, part->pose, part->n_pose, part->time_s[i], NULL)
                    .position;
            if (pass == 0) {
                middle = nfsar_vec3_add(middle, nfsar_vec3_scale(at, 1.0 / (double)part->n_pulse));
            } else {
                widest = fmax(widest, nfsar_vec3_distance(at, middle));
            }
        }
    }
    return widest;
}

/* The slice where ranges say that the target is, and what offsets to try. Not for turntables: there
 * it looks like a wrong radius, and nfsar calibrate --axis tells. */
static bool prepare(const struct examined *e, struct offsets *o) {
    const nfsar_echo_source source = nfsar_capture_source(&o->part);
    nfsar_grid_reasons reasons;
    double distance = examine_target(e), wide = half_width(&o->part);
    if (!(wide > 0.1 * distance) ||
        nfsar_grid_suggest(&o->part, &source, NULL, MOST_VOXELS * 100, &o->slice, &reasons, NULL) !=
            NFSAR_OK ||
        reasons.converging) {
        return false;
    }
    nfsar_axis *x = &o->slice.x, *y = &o->slice.y, *z = &o->slice.z;
    z->start = nfsar_axis_end(z) - reasons.range_gate[1] + reasons.range_peak -
               0.5 * nfsar_range_resolution(&o->part);
    z->count = 1;
    while (x->count * y->count > MOST_VOXELS) { /* the middle of it will do */
        nfsar_axis *longer = x->count > y->count ? x : y;
        longer->start += 0.125 * (double)longer->count * longer->step;
        longer->count -= longer->count / 4;
    }
    double dof = examine_wave(e) / (4.0 * (1.0 - cos(atan2(wide, distance))));
    o->step = fmax(fmin(0.5 * dof, MOST_OFFSET / 3.0), MOST_OFFSET / MOST_TRIALS);
    o->n = (int)fmin(floor(fmin(MOST_OFFSET, 0.5 * distance) / o->step), MOST_TRIALS);
    return o->n >= 2 && z->start > 0.0;
}

enum nfsar_status examine_offset(struct examined *e, nfsar_error *error) {
    struct offsets o = {0};
    double reach = ZONES * sqrt(examine_wave(e) * examine_target(e));
    enum nfsar_status status = examine_near_part(e, reach, MOST_LINES, &o.part, error);
    if (status == NFSAR_OK && o.part.echo != NULL && prepare(e, &o)) {
        size_t n = o.part.n_pulse * o.part.array.n_channel * o.part.n_sample;
        o.echo = buffer_alloc(n, sizeof *o.echo);
        if (o.echo == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu samples", n);
        } else {
            memcpy(o.echo, o.part.echo, n * sizeof *o.echo);
            status = try_all(e, &o, error);
        }
        if (status == NFSAR_OK && o.low < o.best && o.best < o.high) {
            status = try_offsets(e, &o, error);
        }
        if (status == NFSAR_OK) {
            tell(e, &o);
        }
    }
    free(o.echo);
    nfsar_capture_free(&o.part);
    return status;
}
