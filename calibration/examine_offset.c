/* Do wavefronts focus at the range that the echo shows? What the instrument adds to all ranges
 * moves the echo, but bends no wavefront: with that much taken off ranges the image is sharper. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "calibration/examine.h"

/* Lines, and voxels of a slice. */
enum { MOST_LINES = 1600, MOST_VOXELS = 5000 };
/* The part's radius in Fresnel zones. */
#define ZONES 3.0
/* Offsets that are tried, metres. */
#define MOST_OFFSET 0.12
enum { MOST_TRIALS = 8 };
/* So much sharper, and so sharp at least: speckle has 2, and what is blurred has little more. */
#define SHARPER 1.5
#define SHARP   4.0

struct offsets {
    nfsar_capture part;
    float complex *echo; /* as it was */
    nfsar_grid slice;    /* at the depth where ranges say that the target is */
    double step;
    int n; /* offsets -n .. n times the step */
    double sharp[2 * MOST_TRIALS + 1];
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

static enum nfsar_status try_all(const struct examined *e, struct offsets *o, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(&o->part);
    enum nfsar_status status = NFSAR_OK;
    size_t n = nfsar_grid_voxels(&o->slice);
    float complex *image = buffer_alloc(n, sizeof *image);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", n);
    }
    for (int i = -o->n; status == NFSAR_OK && i <= o->n; i++) {
        nfsar_grid slice = o->slice;
        slice.z.start -= i * o->step;
        turn(o, i * o->step);
        status = examine_image(&o->part, &source, &slice, e->options.threads, image, error);
        if (status == NFSAR_OK) {
            double power = 0.0;
            o->sharp[i + o->n] = examine_sharpness(image, n, &power);
        }
    }
    free(image);
    return status;
}

static void tell(struct examined *e, const struct offsets *o) {
    const double *sharp = o->sharp + o->n;
    int best = 0;
    for (int i = -o->n; i <= o->n; i++) {
        best = sharp[i] > sharp[best] ? i : best;
    }
    int low = best, high = best;
    while (low > -o->n && sharp[low] > sharp[best] / SHARPER) {
        low--;
    }
    while (high < o->n && sharp[high] > sharp[best] / SHARPER) {
        high++;
    }
    bool falls = sharp[low] <= sharp[best] / SHARPER && sharp[high] <= sharp[best] / SHARPER;
    double focus = 0.5e3 * (high - low) * o->step;
    if (!(sharp[best] >= SHARP && falls)) {
        examine_ok(e, "range", "wavefronts do not contradict the ranges, and tell no more of them");
    } else if (low < 0 && high > 0) {
        examine_ok(e, "range", "wavefronts focus at the range of the echo, to within %.0f mm",
                   focus);
    } else {
        double a = sharp[best - 1], b = sharp[best], c = sharp[best + 1];
        double offset = o->step * (best + 0.5 * (a - c) / fmin(a - 2.0 * b + c, -1e-300));
        examine_wrong(e, "range", NFSAR_FAULT_RANGE_OFFSET, NFSAR_DOCTOR_LIKELY,
                      "the instrument's delay is not taken off: record a reflector at a known "
                      "range, nfsar calibrate --range (docs/calibrate.md); or positions along the "
                      "range are wrong",
                      "the echo is at %.4g m, but its wavefronts focus %.0f mm %s (+- %.0f mm; "
                      "%.0f ps both ways): the image is %.1f times sharper there",
                      e->peak_m, 1e3 * fabs(offset), offset > 0.0 ? "nearer" : "farther", focus,
                      2e12 * fabs(offset) / NFSAR_SPEED_OF_LIGHT, sharp[best] / sharp[0]);
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
        if (status == NFSAR_OK) {
            tell(e, &o);
        }
    }
    free(o.echo);
    nfsar_capture_free(&o.part);
    return status;
}
