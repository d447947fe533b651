/* Reading a scene: from its description to a capture's header and a list of scatterers. */
#include "host/scene/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/locale.h"
#include "host/scene/check.h"
#include "host/scene/path.h"
#include "host/scene/pose_error.h"
#include "host/scene/radar.h"
#include "host/scene/targets.h"

static double channel_span(const nfsar_array *array) {
    double last = 0.0;
    for (size_t i = 0; i < array->n_channel; i++) {
        last = fmax(last, array->channel_time_s[i]);
    }
    return last;
}

/* What the scene's sensors say along the true path. */
static enum nfsar_status make_sensors(nfsar_scene *scene, const struct path *path,
                                      nfsar_error *error) {
    const struct pod_description *d = scene->description->sensors;
    if (d == NULL) {
        return NFSAR_OK;
    }
    enum nfsar_status status = pod_make(d, &scene->pod, error);
    if (status == NFSAR_OK && (d->flow != NULL || d->range != NULL) &&
        (d->surface == NULL || d->surface->from_origin_m == NULL)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "surface.from_origin_m is missing: flow and range see a flat surface, "
                            "which is so far from the world's origin along its normal");
    }
    if (status == NFSAR_OK) {
        status =
            nfsar_sensors_simulate(&scene->pod.pod, &scene->pod.rates, path->pose_time_s,
                                   path->pose, path->n_pose, scene->seed, &scene->records, error);
    }
    return status == NFSAR_OK ? status : nfsar_fail_in(error, status, "sensors");
}

/* The track of poses into the capture, with truth and report apart where they differ. Takes over
 * the path's arrays. */
static enum nfsar_status take_path(nfsar_scene *scene, struct path *path, nfsar_error *error) {
    nfsar_capture *capture = &scene->capture;
    const struct scene_pose_error *what = scene->description->impairments.pose_error;
    bool report = what != NULL && what->displaces == SCENE_DISPLACES_REPORT;
    nfsar_pose **errs = report && path->reported != NULL ? &path->reported : &path->pose;
    nfsar_pose *disturbed = NULL;
    if (what != NULL) {
        disturbed = calloc(path->n_pose, sizeof *disturbed);
        enum nfsar_status status =
            disturbed != NULL ? pose_error_draw(what, path, *errs, scene->seed, disturbed, error)
                              : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        if (status != NFSAR_OK) {
            free(disturbed);
            return status;
        }
    }
    if (what != NULL && path->reported != NULL) {
        free(*errs);
        *errs = disturbed;
    } else if (report) {
        path->reported = disturbed;
    } else if (what != NULL) {
        path->reported = path->pose;
        path->pose = disturbed;
    }
    enum nfsar_status status = make_sensors(scene, path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    free(capture->time_s);
    free(capture->pose_time_s);
    free(capture->pose);
    capture->n_pose = path->n_pose;
    capture->time_s = path->time_s;
    capture->pose_time_s = path->pose_time_s;
    capture->pose = path->reported != NULL ? path->reported : path->pose;
    capture->true_pose = path->reported != NULL ? path->pose : NULL;
    if (scene->description->sensors != NULL && capture->true_pose == NULL) {
        /* For who tracks by the sensors: how far off it is. */
        capture->true_pose = malloc(path->n_pose * sizeof *capture->true_pose);
        if (capture->true_pose == NULL) {
            path->time_s = path->pose_time_s = NULL;
            path->pose = path->reported = NULL;
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
        memcpy(capture->true_pose, capture->pose, path->n_pose * sizeof *capture->true_pose);
    }
    path->time_s = path->pose_time_s = NULL;
    path->pose = path->reported = NULL;
    return NFSAR_OK;
}

static void take_waveform(nfsar_scene *scene, const struct radar_waveform *waveform) {
    nfsar_capture *capture = &scene->capture;
    const char *model = scene->description->radar.model;
    memcpy(capture->frequency_hz, waveform->frequency_hz,
           waveform->n_sample * sizeof *capture->frequency_hz);
    capture->has_fmcw = waveform->has_fmcw;
    capture->fmcw = waveform->fmcw;
    snprintf(capture->model, sizeof capture->model, "%s", model != NULL ? model : "simulated");
}

static enum nfsar_status make_capture(nfsar_scene *scene, const struct radar_waveform *waveform,
                                      nfsar_array *array, nfsar_error *error) {
    struct path path;
    enum nfsar_status status =
        path_make(&scene->description->path, channel_span(array), scene->seed, &path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = nfsar_capture_create(path.n_pulse, waveform->n_sample, array, false, &scene->capture,
                                  error);
    if (status == NFSAR_OK) {
        take_waveform(scene, waveform);
        status = take_path(scene, &path, error);
    }
    path_free(&path);
    return status;
}

static enum nfsar_status make_radar(nfsar_scene *scene, nfsar_error *error) {
    struct radar_waveform waveform = {0};
    nfsar_array array = {0};
    enum nfsar_status status = radar_waveform_make(&scene->description->radar, &waveform, error);
    if (status == NFSAR_OK) {
        status = radar_array_make(&scene->description->array, &array, error);
    }
    if (status == NFSAR_OK) {
        status = make_capture(scene, &waveform, &array, error);
    }
    free(waveform.frequency_hz);
    nfsar_array_free(&array);
    return status;
}

static nfsar_vec3 aperture_middle(const nfsar_capture *capture) {
    nfsar_vec3 sum = {0};
    for (size_t i = 0; i < capture->n_pose; i++) {
        sum = nfsar_vec3_add(sum, capture->pose[i].position);
    }
    return nfsar_vec3_scale(sum, 1.0 / (double)capture->n_pose);
}

static enum nfsar_status make_targets(nfsar_scene *scene, nfsar_error *error) {
    const struct scene_description *d = scene->description;
    const char *slash = strrchr(scene->path, '/');
    char *folder =
        slash != NULL ? strndup(scene->path, (size_t)(slash - scene->path) + 1) : strdup("");
    scene->target_count = calloc(d->targets_count, sizeof *scene->target_count);
    enum nfsar_status status = NFSAR_OK;
    if (folder == NULL || scene->target_count == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; status == NFSAR_OK && i < d->targets_count; i++) {
        size_t before = scene->scatterers.n;
        status = target_make(&d->targets[i], i, folder, scene->seed,
                             aperture_middle(&scene->capture), &scene->scatterers, error);
        scene->target_count[i] = scene->scatterers.n - before;
    }
    free(folder);
    return status;
}

/* Bounds far outside of any hardware, within which every sample stays a finite float. */
static enum nfsar_status check_impairments(const struct scene_impairments *i, nfsar_error *error) {
    const struct scene_channels none = {0}, *channels = i->channels != NULL ? i->channels : &none;
    const struct {
        const char *key;
        double value, low, high;
    } bounds[] = {
        {"impairments.snr_db", check_default(i->snr_db, 0.0), -200.0, 400.0},
        {"impairments.leakage_db", check_default(i->leakage_db, 0.0), -400.0, 200.0},
        {"impairments.channels.gain_db", channels->gain_db, 0.0, 40.0},
        {"impairments.channels.phase_deg", channels->phase_deg, 0.0, 1e6},
        {"impairments.channels.delay_s", channels->delay_s, 0.0, 1e-3},
    };
    enum nfsar_status status = NFSAR_OK;
    for (size_t k = 0; status == NFSAR_OK && k < sizeof bounds / sizeof bounds[0]; k++) {
        status =
            check_between(bounds[k].key, bounds[k].value, bounds[k].low, bounds[k].high, error);
    }
    return status;
}

static enum nfsar_status check_rest(const struct scene_description *d, nfsar_error *error) {
    enum nfsar_status status =
        check_between("physics.beamwidth_deg", d->physics.beamwidth_deg, 0.0, 1e6, error);
    return status == NFSAR_OK ? check_impairments(&d->impairments, error) : status;
}

static enum nfsar_status open_scene(nfsar_scene *scene, const uint64_t *seed, nfsar_error *error) {
    const struct scene_description *d = scene->description;
    scene->seed = seed != NULL ? *seed : d->seed != NULL ? *d->seed : 1;
    enum nfsar_status status = check_rest(d, error);
    if (status == NFSAR_OK) {
        status = make_radar(scene, error);
    }
    if (status == NFSAR_OK) {
        status = make_targets(scene, error);
    }
    if (status == NFSAR_OK) {
        status =
            nfsar_capture_note(&scene->capture, error, "simulate: %s, seed %llu, %zu scatterers",
                               scene->path, (unsigned long long)scene->seed, scene->scatterers.n);
    }
    return status == NFSAR_OK ? nfsar_capture_check(&scene->capture, error) : status;
}

enum nfsar_status nfsar_scene_open(const char *path, const uint64_t *seed, nfsar_scene **scene,
                                   nfsar_error *error) {
    PLAIN_NUMBERS;
    *scene = NULL;
    nfsar_scene *made = calloc(1, sizeof *made);
    if (made == NULL || (made->path = strdup(path)) == NULL) {
        free(made);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = scene_description_load(path, &made->description, error);
    if (status == NFSAR_OK) {
        status = open_scene(made, seed, error);
        if (status == NFSAR_ERROR_ARGUMENT) {
            /* What the file asks for is wrong, not how this function was called. */
            status = NFSAR_ERROR_FORMAT;
            if (error != NULL) {
                error->status = status;
            }
        }
        if (status != NFSAR_OK) {
            status = nfsar_fail_in(error, status, "%s", path);
        }
    }
    if (status != NFSAR_OK) {
        nfsar_scene_close(made);
        return status;
    }
    *scene = made;
    return NFSAR_OK;
}

void nfsar_scene_close(nfsar_scene *scene) {
    if (scene == NULL) {
        return;
    }
    scene_description_free(scene->description);
    nfsar_capture_free(&scene->capture);
    scatterers_free(&scene->scatterers);
    nfsar_sensor_records_free(&scene->records);
    free(scene->target_count);
    free(scene->path);
    free(scene);
}

const nfsar_capture *nfsar_scene_header(const nfsar_scene *scene) {
    return &scene->capture;
}

const nfsar_scatterer *nfsar_scene_scatterers(const nfsar_scene *scene, size_t *n) {
    *n = scene->scatterers.n;
    return scene->scatterers.item;
}

nfsar_simulation_options nfsar_scene_physics(const nfsar_scene *scene) {
    const struct scene_physics *physics = &scene->description->physics;
    return (nfsar_simulation_options){
        .spreading = physics->spreading,
        .beamwidth_rad = physics->beamwidth_deg * NFSAR_PI / 180.0,
    };
}
