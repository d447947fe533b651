/* What was understood of a scene, for people: and where it asks for trouble. */
#include <math.h>
#include <string.h>

#include "host/locale.h"
#include "host/scene/check.h"
#include "host/scene/scene.h"

struct box {
    nfsar_vec3 low, high;
};

static void widen(struct box *box, nfsar_vec3 p) {
    box->low = (nfsar_vec3){fmin(box->low.x, p.x), fmin(box->low.y, p.y), fmin(box->low.z, p.z)};
    box->high =
        (nfsar_vec3){fmax(box->high.x, p.x), fmax(box->high.y, p.y), fmax(box->high.z, p.z)};
}

static const struct box nothing = {{INFINITY, INFINITY, INFINITY},
                                   {-INFINITY, -INFINITY, -INFINITY}};

static struct box aperture(const nfsar_capture *capture) {
    struct box box = nothing;
    for (size_t i = 0; i < capture->n_pose; i++) {
        widen(&box, capture->pose[i].position);
    }
    return box;
}

static struct box targets(const nfsar_scene *scene) {
    struct box box = nothing;
    for (size_t i = 0; i < scene->scatterers.n; i++) {
        widen(&box, scene->scatterers.item[i].position);
    }
    return box;
}

static void print_box(FILE *stream, const char *label, struct box box) {
    fprintf(stream, "%-9s x %.4g to %.4g, y %.4g to %.4g, z %.4g to %.4g m\n", label, box.low.x,
            box.high.x, box.low.y, box.high.y, box.low.z, box.high.z);
}

static const char *path_name(const struct scene_path *path) {
    return path->raster != NULL      ? "raster"
           : path->irregular != NULL ? "irregular surface"
           : path->turntable != NULL ? "turntable"
           : path->cloud != NULL     ? "cloud"
           : path->handheld != NULL  ? "handheld"
                                     : "list of positions";
}

static const char *target_name(const struct scene_target *target) {
    return target->points != NULL          ? "points"
           : target->plate != NULL         ? "plate"
           : target->mask != NULL          ? "mask"
           : target->random_points != NULL ? "random points"
           : target->random_solids != NULL ? "random solids"
                                           : "STL surface";
}

static void print_radar(const nfsar_capture *capture, FILE *stream) {
    size_t n = capture->n_sample;
    double step = 0.0;
    bool uniform = nfsar_frequencies_uniform(capture->frequency_hz, n, 1e-6, &step);
    fprintf(stream, "radar     %zu samples from %.6g to %.6g GHz", n,
            capture->frequency_hz[0] * 1e-9, capture->frequency_hz[n - 1] * 1e-9);
    if (n > 1 && uniform && step != 0.0) {
        fprintf(stream, ", range resolution %.3g mm, unambiguous within %.3g m",
                1e3 * NFSAR_SPEED_OF_LIGHT / (2.0 * fabs(step) * (double)n),
                NFSAR_SPEED_OF_LIGHT / (2.0 * fabs(step)));
    }
    fputc('\n', stream);
}

/* One part of a line that names only what is there. */
static void part(FILE *stream, const char *format, double value, double none) {
    if (value != none) {
        fprintf(stream, format, value);
    }
}

static void print_turntable(const struct scene_turntable *t, FILE *stream) {
    const struct scene_turntable_errors *e = t->errors;
    if (t->missing > 0.0) {
        fprintf(stream, "missing   %g %% of the positions, at random\n", 100.0 * t->missing);
    }
    if (e == NULL) {
        return;
    }
    double turns = check_default(e->wobble_turns, 1.0);
    fprintf(stream, "table    ");
    part(stream, " radius %+g mm,", 1e3 * e->radius_m, 0.0);
    part(stream, " angle zero %+g degrees,", e->angle_zero_deg, 0.0);
    part(stream, " angle scale %g,", check_default(e->angle_scale, 1.0), 1.0);
    part(stream, " angle jitter %g degrees,", e->angle_jitter_deg, 0.0);
    if (e->axis_m[0] != 0.0 || e->axis_m[1] != 0.0) {
        fprintf(stream, " axis at x %g, z %g mm,", 1e3 * e->axis_m[0], 1e3 * e->axis_m[1]);
    }
    part(stream, " radar %g mm aside,", 1e3 * e->aside_m, 0.0);
    part(stream, " lift tilted %g degrees,", e->tilt_deg, 0.0);
    if (e->wobble_m != 0.0) {
        fprintf(stream, " wobble %g mm, %g cycles a turn,", 1e3 * e->wobble_m, turns);
    }
    fprintf(stream, " %s the poses\n", e->reported ? "known to" : "not in");
}

static void print_impairments(const struct scene_description *d, FILE *stream) {
    const struct scene_impairments *i = &d->impairments;
    if (i->snr_db != NULL) {
        fprintf(stream, "noise     %g dB below the mean echo\n", *i->snr_db);
    }
    if (i->pose_error != NULL) {
        const struct scene_pose_error *e = i->pose_error;
        fprintf(stream, "poses     %s errors of %g, %g, %g mm in %s\n",
                e->kind == SCENE_ERROR_WHITE ? "white" : "smooth", 1e3 * e->sigma_m[0],
                1e3 * e->sigma_m[1], 1e3 * e->sigma_m[2],
                e->displaces == SCENE_DISPLACES_REPORT ? "what is reported"
                                                       : "where the radar really is");
    }
    if (i->channels != NULL) {
        fprintf(stream, "channels  errors of %g dB, %g degrees, %g ps\n", i->channels->gain_db,
                i->channels->phase_deg, 1e12 * i->channels->delay_s);
    }
    if (i->leakage_db != NULL) {
        fprintf(stream, "leakage   %g dB relative to the mean echo\n", *i->leakage_db);
    }
    if (i->channels != NULL || i->leakage_db != NULL) {
        fprintf(stream, "          %s in the capture's calibration\n",
                i->calibrated ? "recorded" : "not recorded");
    }
}

/* ---- warnings ------------------------------------------------------------------------------ */

static double shortest_wavelength(const nfsar_capture *capture) {
    double highest = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        highest = fmax(highest, capture->frequency_hz[i]);
    }
    return NFSAR_SPEED_OF_LIGHT / highest;
}

static void warn_range(const nfsar_capture *capture, struct box from, struct box to, FILE *stream) {
    double step = 0.0;
    if (!nfsar_frequencies_uniform(capture->frequency_hz, capture->n_sample, 1e-6, &step) ||
        step == 0.0) {
        return;
    }
    double dx = fmax(to.high.x - from.low.x, from.high.x - to.low.x);
    double dy = fmax(to.high.y - from.low.y, from.high.y - to.low.y);
    double dz = fmax(to.high.z - from.low.z, from.high.z - to.low.z);
    double farthest = sqrt(dx * dx + dy * dy + dz * dz);
    double limit = NFSAR_SPEED_OF_LIGHT / (2.0 * fabs(step));
    if (farthest > limit) {
        fprintf(stream,
                "warning: ranges up to %.3g m, beyond the %.3g m that the frequency steps tell "
                "apart; use more samples\n",
                farthest, limit);
    }
}

/* Sampling of an aperture of size D_S for a target of size D_T at a distance R: the step must be
 * below lambda sqrt((D_S + D_T)^2 / 4 + R^2) / (2 (D_S + D_T)). */
static void warn_step(const char *axis, double step, double aperture_size, double target_size,
                      double distance, double wavelength, FILE *stream) {
    double size = aperture_size + target_size;
    double limit = wavelength * hypot(0.5 * size, distance) / (2.0 * size);
    if (step > limit * (1.0 + 1e-9)) {
        fprintf(stream,
                "warning: steps of %.3g mm along %s undersample the scene, which needs %.3g mm\n",
                1e3 * step, axis, 1e3 * limit);
    }
}

static double lattice_step(const struct scene_axis *axis) {
    if (axis->step_m != NULL) {
        return *axis->step_m;
    }
    return *axis->count > 1 ? axis->size_m / (double)(*axis->count - 1) : 0.0;
}

static void warn_lattice(const nfsar_scene *scene, struct box from, struct box to, FILE *stream) {
    const struct scene_path *path = &scene->description->path;
    const struct scene_axis *x = path->raster != NULL      ? &path->raster->x
                                 : path->irregular != NULL ? &path->irregular->x
                                                           : NULL;
    const struct scene_axis *y = path->raster != NULL      ? &path->raster->y
                                 : path->irregular != NULL ? &path->irregular->y
                                                           : NULL;
    if (x == NULL) {
        return;
    }
    double wavelength = shortest_wavelength(&scene->capture);
    double distance = fmax(0.0, fmax(to.low.z - from.high.z, from.low.z - to.high.z));
    /* Along the array the channels lie between the steps, which the lattice detection judges. */
    bool single = scene->capture.array.n_channel == 1;
    if (single || scene->description->array.along == NFSAR_ARRAY_ALONG_Y) {
        warn_step("x", lattice_step(x), x->size_m, to.high.x - to.low.x, distance, wavelength,
                  stream);
    }
    if (single || scene->description->array.along == NFSAR_ARRAY_ALONG_X) {
        warn_step("y", lattice_step(y), y->size_m, to.high.y - to.low.y, distance, wavelength,
                  stream);
    }
}

static void warn_spacing(const nfsar_scene *scene, FILE *stream) {
    double limit = 0.5 * shortest_wavelength(&scene->capture);
    for (size_t i = 0; i < scene->description->targets_count; i++) {
        const struct scene_target *t = &scene->description->targets[i];
        const double *spacing = t->plate != NULL           ? t->plate->spacing_m
                                : t->mask != NULL          ? t->mask->spacing_m
                                : t->random_solids != NULL ? t->random_solids->spacing_m
                                : t->stl != NULL           ? t->stl->spacing_m
                                                           : NULL;
        if (check_default(spacing, 0.0) > limit) {
            fprintf(stream,
                    "warning: target %zu: scatterers %.3g mm apart are no surface at %.3g mm of "
                    "wavelength; keep below %.3g mm\n",
                    i + 1, 1e3 * *spacing, 2e3 * limit, 1e3 * limit);
        }
    }
}

/* Boresight is +z on these paths; the antennas do not see what lies behind them. */
static void warn_behind(const nfsar_scene *scene, struct box from, FILE *stream) {
    const struct scene_path *path = &scene->description->path;
    if (path->raster == NULL && path->irregular == NULL) {
        return;
    }
    size_t first = 0;
    for (size_t i = 0; i < scene->description->targets_count; i++) {
        size_t behind = 0;
        for (size_t k = 0; k < scene->target_count[i]; k++) {
            behind += scene->scatterers.item[first + k].position.z < from.low.z;
        }
        if (behind > 0) {
            fprintf(stream,
                    "warning: target %zu: %zu of %zu scatterers are behind the antennas, which "
                    "look to +z from z = %.4g m on\n",
                    i + 1, behind, scene->target_count[i], from.low.z);
        }
        first += scene->target_count[i];
    }
}

void scene_warn(const nfsar_scene *scene, FILE *stream) {
    struct box from = aperture(&scene->capture), to = targets(scene);
    warn_range(&scene->capture, from, to, stream);
    warn_lattice(scene, from, to, stream);
    warn_spacing(scene, stream);
    warn_behind(scene, from, stream);
}

void nfsar_scene_explain(const nfsar_scene *scene, FILE *stream) {
    PLAIN_NUMBERS;
    const nfsar_capture *capture = &scene->capture;
    const nfsar_array *array = &capture->array;
    const struct scene_description *d = scene->description;
    struct box from = aperture(capture), to = targets(scene);
    print_radar(capture, stream);
    fprintf(stream, "array     %zu x %zu antennas, %zu channels\n", array->n_tx, array->n_rx,
            array->n_channel);
    fprintf(stream, "path      %s, %zu pulses in %.4g s\n", path_name(&d->path), capture->n_pulse,
            capture->time_s[capture->n_pulse - 1] - capture->time_s[0]);
    print_box(stream, "aperture", from);
    if (d->path.turntable != NULL) {
        print_turntable(d->path.turntable, stream);
    }
    for (size_t i = 0; i < d->targets_count; i++) {
        fprintf(stream, "target %zu  %s, %zu scatterers\n", i + 1, target_name(&d->targets[i]),
                scene->target_count[i]);
    }
    print_box(stream, "scene", to);
    print_impairments(d, stream);
    double lines = (double)capture->n_pulse * (double)array->n_channel * (double)capture->n_sample;
    fprintf(stream, "capture   %.4g MB; %.3g phasors in it; seed %llu\n",
            lines * sizeof(float complex) * 1e-6, lines * (double)scene->scatterers.n,
            (unsigned long long)scene->seed);
    scene_warn(scene, stream);
}
