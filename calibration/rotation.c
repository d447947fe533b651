#include <nfsar/rotation.h>

#include <complex.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "calibration/rotation_lines.h"

/* Scatterers that sharpness is summed over, and that a known place is compared with. */
enum { SHARP = 12, KNOWN = 32 };

/* Intensity over noise from which on a maximum of the image is no noise: of a million independent
 * voxels the strongest is expected at 14. */
#define STANDS_OUT 30.0
/* Scatterers weaker than this part of the strongest are as likely its side lobes. */
#define WEAKEST 0.1

/* A larger change than this has to make the image so much sharper, where the ranges say that there
 * is nothing to change. */
#define DENIED_FROM 1e-3
#define DENIED_GAIN 0.1

/* A radius less certain than this is refused, metres. */
#define MOST_UNCERTAIN 1e-3
/* And so is one that makes less than this of phase error, rad/m rms: targets so near the axis that
 * what they themselves do to the phase outweighs it. */
#define LEAST_PHASE 2.0

/* Pulses so far above and below their middle are looked at, in radii: finer heights would take many
 * slices to find scatterers in. */
#define HEIGHTS 0.25

/* A full circle, nearly: ranges from all sides tell what is added to all of them. */
#define ALL_ROUND (NFSAR_PI * 300.0 / 180.0)

/* ---- the search ----------------------------------------------------------------------------- */

struct search {
    const nfsar_rotation_options *options;
    const nfsar_progress *progress;
    int threads;
    struct rotation_lines lines;
    struct rotation_heights heights;
    struct rotation_scatterer known[KNOWN];
    size_t n_known, n;   /* the first n are sharpness' */
    double ideal[SHARP]; /* d ln S / d change of a point's patch, phases right all along */
    double rise[SHARP];  /* how their heights go with the change of the radius */
    double reference;    /* the change at which they are where known[] says */
    double range_offset;
    double voxel_noise; /* power of noise in a voxel */
};

/* Sharpness of each scatterer's patch. */
struct sharpness {
    double each[SHARP], total;
};

static struct sharpness sharpness_at(const struct search *s, double change, double range_offset) {
    struct sharpness made = {{0.0}, 0.0};
    const struct rotation_trial trial = {change, range_offset};
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (size_t i = 0; i < s->n; i++) {
        float complex image[PATCH_VOXELS];
        nfsar_vec3 at = s->known[i].at;
        at.y += s->rise[i] * (change - s->reference);
        rotation_patch(&s->lines, trial, at, s->lines.step, image);
        made.each[i] =
            rotation_patch_sharpness(image).fourth * exp(-s->ideal[i] * (change - s->reference));
    }
    for (size_t i = 0; i < s->n; i++) {
        made.total += made.each[i];
    }
    return made;
}

/* Where a parabola through three values has its vertex, in steps from the middle; NaN if it has no
 * maximum. */
static double vertex(double left, double middle, double right) {
    double bend = left - 2.0 * middle + right;
    return bend < 0.0 ? 0.5 * (left - right) / bend : NAN;
}

/* ---- scatterers to a fraction of a voxel ---------------------------------------------------- */

/* Onto the strongest voxel of patches at three heights, and to the vertex of a parabola through
 * their peaks. */
static void centre_on(const struct search *s, struct rotation_trial trial, double step,
                      double height_step, struct rotation_scatterer *scatterer) {
    struct rotation_scatterer best = {scatterer->at, -1.0};
    double peak[3] = {0.0};
    int reach = height_step > 0.0 ? 1 : 0, strongest = 0;
    for (int h = -reach; h <= reach; h++) {
        float complex image[PATCH_VOXELS];
        nfsar_vec3 at = scatterer->at;
        at.y += h * height_step;
        rotation_patch(&s->lines, trial, at, step, image);
        double x = 0.0, z = 0.0;
        rotation_patch_strongest(image, &x, &z, &peak[h + 1]);
        if (peak[h + 1] > best.power) {
            best.at = (nfsar_vec3){at.x + step * x, at.y, at.z + step * z};
            best.power = peak[h + 1];
            strongest = h;
        }
    }
    if (reach > 0 && strongest == 0) {
        best.at.y += height_step * vertex(peak[0], peak[1], peak[2]);
    }
    *scatterer = best;
}

/* The first n scatterers, wherever they are at this change of the radius. */
static void centre(struct search *s, double change, size_t n) {
    const struct rotation_trial trial = {change, s->range_offset};
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (size_t i = 0; i < n; i++) {
        double step = s->lines.step, height = 0.5 * s->heights.step;
        for (int round = 0; round < 3; round++) {
            centre_on(s, trial, step, height, &s->known[i]);
            step *= 0.5;
            height *= 0.5;
        }
    }
}

/* The radius changes from where a scatterer is seen, too, and with that the form of its image: S of
 * a point whose phases are all right is not the same for all radii. That is not for the search. */
static void take_ideal(struct search *s, double change) {
    const double aside = 1e-3;
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (size_t i = 0; i < s->n; i++) {
        double sharp[2];
        for (int k = 0; k < 2; k++) {
            float complex image[PATCH_VOXELS];
            rotation_patch_ideal(&s->lines, change + (k == 0 ? -aside : aside), s->known[i].at,
                                 s->lines.step, image);
            sharp[k] = rotation_patch_sharpness(image).fourth;
        }
        s->ideal[i] = log(sharp[1] / sharp[0]) / (2.0 * aside);
    }
    s->reference = change;
}

/* A wrong radius and a wrong height make errors of the phase that are much alike: a scatterer's
 * height follows the radius that is tried. Centre at both sides of `change` and draw a line. */
static void centre_along(struct search *s, double change) {
    const double aside = 0.8e-3;
    if (s->heights.step == 0.0) {
        centre(s, change, s->n);
        take_ideal(s, change);
        return;
    }
    double low[SHARP];
    memset(s->rise, 0, sizeof s->rise);
    centre(s, change - aside, s->n);
    for (size_t i = 0; i < s->n; i++) {
        low[i] = s->known[i].at.y;
    }
    centre(s, change + aside, s->n);
    for (size_t i = 0; i < s->n; i++) {
        s->rise[i] = (s->known[i].at.y - low[i]) / (2.0 * aside);
        s->known[i].at.y = 0.5 * (s->known[i].at.y + low[i]);
    }
    take_ideal(s, change);
}

/* ---- the radius ----------------------------------------------------------------------------- */

static enum nfsar_status keep_going(const struct search *s, double done, nfsar_error *error) {
    return nfsar_progress_report(s->progress, done)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_CANCELLED, "stopped");
}

/* The sharpest of the whole search, to 1.5 mm or a twentieth of it. */
static enum nfsar_status scan(struct search *s, double *change, double *step, nfsar_error *error) {
    double reach = s->options->search_m, most = -1.0;
    int n = 2 * (int)ceil(fmin(reach / 1.5e-3, 20.0)) + 1;
    *step = 2.0 * reach / (n - 1);
    int best = 0;
    for (int i = 0; i < n; i++) {
        double sharp = sharpness_at(s, -reach + *step * i, s->range_offset).total;
        if (sharp > most) {
            most = sharp;
            best = i;
        }
        enum nfsar_status status = keep_going(s, 0.4 + 0.3 * i / n, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    *change = -reach + *step * best;
    return NFSAR_OK;
}

/* From there to the vertex of ever smaller parabolas. A few more steps to either side, where the
 * patches were centred anew. */
static enum nfsar_status climb(struct search *s, double *change, double step, nfsar_error *error) {
    for (int round = 0; round < 12; round++) {
        double left = sharpness_at(s, *change - step, s->range_offset).total;
        double middle = sharpness_at(s, *change, s->range_offset).total;
        double right = sharpness_at(s, *change + step, s->range_offset).total;
        double off = vertex(left, middle, right);
        enum nfsar_status status = keep_going(s, 0.7 + 0.02 * round, error);
        if (status != NFSAR_OK) {
            return status;
        }
        if (isnan(off) || fabs(off) > 1.0) {
            *change += left > right ? -step : step;
            if (fabs(*change) > s->options->search_m + step) {
                return NFSAR_OK; /* said by its caller */
            }
            continue;
        }
        *change += off * step;
        if (step < 0.3e-3) {
            break;
        }
        step *= 0.4;
    }
    return NFSAR_OK;
}

/* Leaving out each scatterer in turn: the jackknife's standard deviation of the vertex. */
static double spread(const struct sharpness *left, const struct sharpness *middle,
                     const struct sharpness *right, size_t n, double step) {
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i++) {
        double off = vertex(left->total - left->each[i], middle->total - middle->each[i],
                            right->total - right->each[i]);
        if (isnan(off)) {
            return INFINITY;
        }
        mean += off * step / (double)n;
        square += off * step * off * step / (double)n;
    }
    return sqrt(fmax(square - mean * mean, 0.0) * (double)(n - 1));
}

/* A sum of N phasors whose phases go as p_i c has intensity I = N^2 (1 - var(p) c^2) and carries
 * information 2 N snr var(p) = -I''/noise on c (Cramer and Rao). Patches have sharpness ~ I^2, so
 * I''/I = S''/2S. */
static enum nfsar_status judge(struct search *s, double change, nfsar_rotation *rotation,
                               nfsar_error *error) {
    const double step = 0.4e-3;
    struct sharpness left = sharpness_at(s, change - step, s->range_offset);
    struct sharpness middle = sharpness_at(s, change, s->range_offset);
    struct sharpness right = sharpness_at(s, change + step, s->range_offset);
    double information = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        double bend = (left.each[i] - 2.0 * middle.each[i] + right.each[i]) / (step * step);
        double per_intensity = -0.5 * bend / middle.each[i];
        information += s->known[i].power * per_intensity / s->voxel_noise;
    }
    rotation->noise_m = information > 0.0 ? 1.0 / sqrt(information) : INFINITY;
    rotation->spread_m = s->n >= 3 ? spread(&left, &middle, &right, s->n, step) : NAN;
    rotation->uncertainty_m = fmax(rotation->noise_m, rotation->spread_m);
    double most = s->lines.energy * (double)(s->lines.n * s->lines.n_sample);
    rotation->sharpness_after = middle.total / (most * most);
    rotation->sharpness_before = sharpness_at(s, 0.0, s->range_offset).total / (most * most);
    if (!(rotation->uncertainty_m <= MOST_UNCERTAIN)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the echoes do not tell the radius: its standard deviation would be %.2g "
                          "mm (noise alone %.2g mm); put a strong reflector far from the axis, a "
                          "quarter of the radius for example",
                          1e3 * rotation->uncertainty_m, 1e3 * rotation->noise_m);
    }
    return NFSAR_OK;
}

/* Whether the scatterers are where the radius matters. */
static enum nfsar_status check_phase(const struct search *s, const nfsar_rotation *r,
                                     nfsar_error *error) {
    double sum = 0.0, weight = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        double phase = rotation_phase(&s->lines, s->known[i].at, s->heights.step > 0.0);
        double power = s->known[i].power;
        sum += power * power * phase * phase;
        weight += power * power;
    }
    double phase = sqrt(sum / weight);
    return phase >= LEAST_PHASE
               ? NFSAR_OK
               : nfsar_fail(
                     error, NFSAR_ERROR_FORMAT,
                     "the echoes do not tell the radius: the farthest of %zu scatterer%s is "
                     "%.3g mm from the axis, where 1 mm of radius makes a phase error of %.2g "
                     "rad only; put a reflector farther out, at a quarter of the radius for "
                     "example",
                     s->n, s->n == 1 ? "" : "s", 1e3 * r->farthest_m, 1e-3 * phase);
}

/* What to add to all ranges, by how far echoes reach: within half a range cell of `from`. A third
 * of the cell is a sixth of a sinc's main lobe. */
static double range_offset_at(const struct search *s, double change, double from, int reach) {
    double step = NFSAR_PI / s->lines.band / 6.0, most = -1.0, best = from;
    for (int i = -reach; i <= reach; i++) {
        double sharp = sharpness_at(s, change, from + step * i).total;
        if (sharp > most) {
            most = sharp;
            best = from + step * i;
        }
    }
    double off = vertex(sharpness_at(s, change, best - step).total, most,
                        sharpness_at(s, change, best + step).total);
    return fabs(off) <= 1.0 ? best + off * step : best;
}

/* An answer that the ranges deny while it makes little sharper is not one: smooth bodies, whose
 * echoes come from other places as they turn, have such. */
static enum nfsar_status believe(const nfsar_rotation *r, nfsar_error *error) {
    double moved = fabs(r->change_m), gain = r->sharpness_after / r->sharpness_before - 1.0;
    bool denied = moved > DENIED_FROM && fabs(r->range_offset_m + r->change_m) < 0.15 * moved;
    if (!denied || gain > DENIED_GAIN) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "the echoes do not tell the radius: the image is sharpest %+.3g mm from that "
                      "of the poses, by %.2g %%, but the ranges of the echoes say that the poses "
                      "are right; put some points far from the axis in place of smooth bodies",
                      1e3 * r->change_m, 100.0 * gain);
}

static enum nfsar_status find_radius(struct search *s, double arc, nfsar_rotation *rotation,
                                     nfsar_error *error) {
    double change = 0.0, step = 0.0;
    enum nfsar_status status = scan(s, &change, &step, error);
    if (status == NFSAR_OK) {
        centre_along(s, change);
        s->range_offset = range_offset_at(s, change, 0.0, 3);
        status = climb(s, &change, step, error);
    }
    if (status == NFSAR_OK) {
        /* Once more, each scatterer in the middle of its patch. */
        centre_along(s, change);
        status = climb(s, &change, 0.25e-3, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    if (fabs(change) > s->options->search_m) {
        return nfsar_fail(
            error, NFSAR_ERROR_FORMAT,
            "the image is sharpest at the end of the search, %+.3g mm from the radius "
            "of %.4g m that the poses have: search farther (--search), or correct that first",
            1e3 * change, rotation->radius_m);
    }
    rotation->change_m = change;
    rotation->range_offset_m =
        arc >= ALL_ROUND ? range_offset_at(s, change, s->range_offset, 0) - change : NAN;
    status = judge(s, change, rotation, error);
    return status == NFSAR_OK ? believe(rotation, error) : status;
}

/* ---- the angle ------------------------------------------------------------------------------ */

static double *coordinate(nfsar_vec3 *v, int axis) {
    return axis == 0 ? &v->x : axis == 1 ? &v->y : &v->z;
}

/* The maximum near a scatterer, one coordinate after the other. *width: the standard deviation of
 * its place across, from noise. */
static nfsar_vec3 exact_place(const struct search *s, double change, nfsar_vec3 at, double *width) {
    const struct rotation_trial trial = {change, s->range_offset};
    const double step[3] = {0.5 * s->lines.step, 0.25 * s->heights.step, 0.5 * s->lines.step};
    *width = 0.0;
    for (int round = 0; round < 3; round++) {
        for (int axis = 0; axis < 3; axis++) {
            if (step[axis] == 0.0) {
                continue;
            }
            nfsar_vec3 left = at, right = at;
            *coordinate(&left, axis) -= step[axis];
            *coordinate(&right, axis) += step[axis];
            double a = rotation_intensity(&s->lines, trial, left);
            double b = rotation_intensity(&s->lines, trial, at);
            double c = rotation_intensity(&s->lines, trial, right);
            double off = vertex(a, b, c);
            if (!isnan(off)) {
                *coordinate(&at, axis) += fmax(-1.0, fmin(1.0, off)) * step[axis];
                double bend = (2.0 * b - a - c) / (step[axis] * step[axis]);
                *width = axis != 1 ? fmax(*width, sqrt(s->voxel_noise / bend)) : *width;
            }
        }
    }
    return at;
}

static enum nfsar_status find_zero(struct search *s, nfsar_rotation *r, nfsar_error *error) {
    const nfsar_vec3 point = s->options->point;
    const struct rotation_scatterer *strongest = NULL;
    double least = INFINITY;
    for (size_t i = 0; i < s->n_known; i++) {
        nfsar_vec3 off = nfsar_vec3_subtract(s->known[i].at, point);
        off.y = s->heights.step > 0.0 ? off.y : 0.0;
        double distance = nfsar_vec3_norm(off);
        least = fmin(least, distance);
        if (distance <= s->options->point_off_m &&
            (strongest == NULL || s->known[i].power > strongest->power)) {
            strongest = &s->known[i];
        }
    }
    if (strongest == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "no reflector within %.3g mm of the point %.4g,%.4g,%.4g; the nearest of "
                          "the %zu strongest scatterers is %.3g mm away",
                          1e3 * s->options->point_off_m, point.x, point.y, point.z, s->n_known,
                          1e3 * least);
    }
    double width = 0.0;
    struct rotation_scatterer centred = *strongest;
    const struct rotation_trial trial = {r->change_m, s->range_offset};
    centre_on(s, trial, s->lines.step, 0.5 * s->heights.step, &centred);
    nfsar_vec3 found = exact_place(s, r->change_m, centred.at, &width);
    double x = point.x - r->axis_x, z = point.z - r->axis_z;
    double turn = atan2(z, x) - atan2(found.z - r->axis_z, found.x - r->axis_x);
    r->has_zero = true;
    r->turn_rad = remainder(turn, 2.0 * NFSAR_PI);
    r->turn_uncertainty_rad = width / hypot(x, z);
    r->rise_m = s->heights.step > 0.0 ? point.y - found.y : 0.0;
    r->found = found;
    return NFSAR_OK;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static enum nfsar_status check(const nfsar_rotation_options *o, const nfsar_rotation *r,
                               nfsar_error *error) {
    if (!(o->search_m >= 1e-4 && o->search_m <= 0.2 * r->radius_m)) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "a search over %g m: must be from 0.0001 to a fifth of the radius, %.4g m", o->search_m,
            0.2 * r->radius_m);
    }
    if (!(o->within_m >= 0.0 && o->within_m <= 0.9 * r->radius_m)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "scatterers within %g m: must be less than 0.9 of the radius of %.4g m",
                          o->within_m, r->radius_m);
    }
    double away = hypot(o->point.x - r->axis_x, o->point.z - r->axis_z);
    if (o->has_point && away >= r->radius_m) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the point %g,%g,%g is %.4g m from the axis, and the radar goes round at "
                          "%.4g m: it has to be within; coordinates are metres",
                          o->point.x, o->point.y, o->point.z, away, r->radius_m);
    }
    if (o->has_point && !(away >= 5e-3 && isfinite(o->point.y))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the point %g,%g,%g is on the axis: it does not tell angles, take one at "
                          "least 5 mm away",
                          o->point.x, o->point.y, o->point.z);
    }
    return NFSAR_OK;
}

static enum nfsar_status find_scatterers(const nfsar_capture *capture, struct search *s,
                                         nfsar_rotation *r, nfsar_error *error) {
    const nfsar_rotation_options *o = s->options;
    double within = o->within_m > 0.0 ? o->within_m : fmin(0.4 * r->radius_m, 0.1);
    if (o->has_point) {
        double point = hypot(o->point.x - r->axis_x, o->point.z - r->axis_z);
        within = fmin(fmax(within, point + o->point_off_m), 0.9 * r->radius_m);
    }
    s->voxel_noise = s->lines.noise * (double)(s->lines.n * s->lines.n_sample);
    enum nfsar_status status =
        rotation_scatterers_find(capture, &s->lines, s->heights, r, within, STANDS_OUT, s->threads,
                                 s->known, KNOWN, &s->n_known, s->progress, error);
    if (status == NFSAR_OK && s->n_known == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "nothing within %.3g m of the axis stands out of the noise", within);
    }
    while (status == NFSAR_OK && s->n < s->n_known && s->n < SHARP &&
           s->known[s->n].power >= WEAKEST * s->known[0].power) {
        nfsar_vec3 at = s->known[s->n++].at;
        r->farthest_m = fmax(r->farthest_m, hypot(at.x - r->axis_x, at.z - r->axis_z));
    }
    return status;
}

static enum nfsar_status run(const nfsar_capture *capture, const nfsar_echo_source *source,
                             struct search *s, double arc, nfsar_rotation *r, nfsar_error *error) {
    enum nfsar_status status =
        rotation_lines_read(capture, source, HEIGHTS * r->radius_m, r, &s->lines, error);
    if (status == NFSAR_OK) {
        double single = s->options->has_point ? s->options->point.y : NAN;
        s->heights = rotation_heights_choose(&s->lines, r->radius_m, single);
        status = find_scatterers(capture, s, r, error);
    }
    if (status == NFSAR_OK) {
        centre(s, 0.0, s->n);
        r->scatterers = s->n;
        r->snr_db = 10.0 * log10(s->known[0].power / s->voxel_noise);
        status = check_phase(s, r, error);
    }
    if (status == NFSAR_OK) {
        status = find_radius(s, arc, r, error);
    }
    return status == NFSAR_OK && s->options->has_point ? find_zero(s, r, error) : status;
}

enum nfsar_status nfsar_rotation_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      const nfsar_rotation_options *options,
                                      nfsar_rotation *rotation, const nfsar_progress *progress,
                                      nfsar_error *error) {
    const nfsar_rotation_options defaults = nfsar_rotation_defaults();
    struct search *s = calloc(1, sizeof *s);
    double arc = 0.0;
    memset(rotation, 0, sizeof *rotation);
    if (s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    s->options = options != NULL ? options : &defaults;
    s->progress = progress;
    s->threads = s->options->threads > 0 ? s->options->threads : omp_get_max_threads();
    enum nfsar_status status = rotation_circle(capture, rotation, &arc, error);
    if (status == NFSAR_OK) {
        status = check(s->options, rotation, error);
    }
    if (status == NFSAR_OK) {
        status = run(capture, source, s, arc, rotation, error);
    }
    rotation_lines_free(&s->lines);
    free(s);
    return status;
}
