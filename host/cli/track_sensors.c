/* nfsar track: poses from the sensors of a recording. */
#include "host/cli/track_sensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/calibrate.h"
#include "host/cli/cli.h"
#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/pod/tables.h"

/* ---- what goes in --------------------------------------------------------------------------- */

/* Whether `nfsar track` made the poses: its line of provenance begins with the command. */
static bool are_ours(const nfsar_capture *capture) {
    for (size_t i = 0; i < capture->n_provenance; i++) {
        if (strncmp(capture->provenance[i], "nfsar track ", 12) == 0) {
            return true;
        }
    }
    return false;
}

/* The capture's poses in place of a tracker's. */
static enum nfsar_status take_poses(struct sensors_work *w, nfsar_error *error) {
    const nfsar_capture *c = nfsar_capture_file_header(w->file);
    if (c->n_pose < 2) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has no track of poses for --use-poses, only %zu pose%s",
                          w->job->input, c->n_pose, cli_s(c->n_pose));
    }
    if (are_ours(c) && w->records.n_tracker > 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: its poses were made by `nfsar track`, but the tracker's own are in "
                          "/sensor/tracker, and are taken without --use-poses: leave it out",
                          w->job->input);
    }
    if (are_ours(c)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: its poses were made by `nfsar track`, one at each pulse, out of "
                          "fewer records: --use-poses would take each for a measurement of its "
                          "own; take the capture as it was before",
                          w->job->input);
    }
    nfsar_tracker_record *record = calloc(c->n_pose, sizeof *record);
    if (record == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < c->n_pose; i++) {
        record[i] = (nfsar_tracker_record){c->pose_time_s[i], c->pose[i]};
    }
    free(w->records.tracker);
    w->records.tracker = record;
    w->records.n_tracker = c->n_pose;
    return NFSAR_OK;
}

bool track_sensors_without(const char *names, enum nfsar_sensor sensor) {
    const char *name = nfsar_sensor_name(sensor);
    const size_t length = strlen(name);
    for (const char *at = names; at != NULL && *at != '\0';) {
        const size_t n = strcspn(at, ",");
        if (n == length && strncmp(at, name, n) == 0) {
            return true;
        }
        at += n + (at[n] == ',');
    }
    return false;
}

bool track_sensors_known(const char *names) {
    size_t wanted = 1, known = 0;
    for (const char *at = names; *at != '\0'; at++) {
        wanted += *at == ',';
    }
    for (int s = NFSAR_SENSOR_IMU + 1; s < NFSAR_SENSORS; s++) {
        known += track_sensors_without(names, (enum nfsar_sensor)s);
    }
    return known == wanted;
}

static void leave_out(struct sensors_work *w) {
    nfsar_sensor_records *r = &w->records;
    size_t *const n[NFSAR_SENSORS] = {NULL, &r->n_flow, &r->n_range, &r->n_tracker, &r->n_encoder};
    for (int s = NFSAR_SENSOR_IMU + 1; s < NFSAR_SENSORS; s++) {
        if (track_sensors_without(w->job->without, (enum nfsar_sensor)s)) {
            *n[s] = 0;
        }
    }
}

static enum nfsar_status read_sensors(struct sensors_work *w, nfsar_error *error) {
    enum nfsar_status status =
        tables_read(capture_file_input(w->file), &w->pod, &w->records, &w->invalid, error);
    if (status == NFSAR_OK && w->records.n_imu == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has no inertial records in /sensor/imu, and nothing else carries "
                          "the pose from one pulse to the next: nfsar track --poses FILE takes a "
                          "tracker's file, --phase and --autofocus go by the echoes",
                          w->job->input);
    }
    if (status == NFSAR_OK && w->job->use_poses) {
        status = take_poses(w, error);
    }
    leave_out(w);
    return status;
}

/* ---- what comes out ------------------------------------------------------------------------- */

static enum nfsar_status compare_truth(struct sensors_work *w, nfsar_error *error) {
    const nfsar_capture *c = nfsar_capture_file_header(w->file);
    const nfsar_vec3 g = w->pod.pod.gravity;
    if (c->true_pose == NULL) {
        return NFSAR_OK;
    }
    w->truth = calloc(w->found.n, sizeof *w->truth);
    if (w->truth == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < w->found.n; i++) {
        w->truth[i] =
            nfsar_track_pose(c->pose_time_s, c->true_pose, c->n_pose, w->found.time_s[i], NULL);
    }
    w->error = nfsar_trajectory_compare(w->found.time_s, w->found.pose, w->truth, w->found.n,
                                        nfsar_vec3_scale(g, -1.0 / nfsar_vec3_norm(g)),
                                        !sensors_have_place(w), w->job->window_s);
    return NFSAR_OK;
}

static enum nfsar_status write_covariance(void *context, struct h5_output *output,
                                          nfsar_error *error) {
    const nfsar_trajectory *t = context;
    const struct h5_shape shape = {3, {t->n, 6, 6}};
    return h5_write_data(output, CAPTURE_COVARIANCE, H5_REAL, &shape, t->covariance, error);
}

/* The sensors that were used, as "imu, flow, range". */
static void list_sensors(const nfsar_trajectory *t, char *text, size_t size) {
    text[0] = '\0';
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        if (t->use[s].used > 0) {
            const size_t at = strlen(text);
            snprintf(text + at, size - at, "%s%s", at > 0 ? ", " : "",
                     nfsar_sensor_name((enum nfsar_sensor)s));
        }
    }
}

/* Where much of what a sensor said was not believed, or pulls one way all the time, nothing that
 * came out can be. */
static enum nfsar_status check_sense(const struct sensors_work *w, nfsar_error *error) {
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        const nfsar_sensor_use *u = &w->found.use[s];
        const char *name = nfsar_sensor_name((enum nfsar_sensor)s);
        const size_t seen = u->rejected + u->used;
        if (u->rejected > 20 && (double)u->rejected > SENSORS_REJECTED_MOST * (double)seen) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: %zu of %zu records of %s do not fit the others: correct its "
                              "mounting, time_offset_s or sigma in the pod (or those of the "
                              "others), or say --without %s",
                              w->job->input, u->rejected, seen, name, name);
        }
    }
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        const nfsar_sensor_use *u = &w->found.use[s];
        const char *name = nfsar_sensor_name((enum nfsar_sensor)s);
        if (sensors_alike(u) > SENSORS_ALIKE_MOST) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: successive records of %s err alike, by %.2f of the variance "
                              "expected where noise alone has 0: %s; correct rotate_deg, at_m, "
                              "time_offset_s of %s or of the imu, or say --without %s",
                              w->job->input, name, u->alike,
                              w->job->pod != NULL
                                  ? "they are not mounted as the pod file says"
                                  : "they are not mounted as without --pod POD.yaml",
                              name, name);
        }
    }
    return NFSAR_OK;
}

/* Whether the IMU was silent then. */
static bool is_in_gap(const nfsar_trajectory *t, double time_s) {
    size_t low = 0, high = t->n_gap;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (t->gap[middle].to_s <= time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->n_gap && time_s > t->gap[low].from_s;
}

static enum nfsar_status write_capture(struct sensors_work *w, nfsar_error *error) {
    const nfsar_capture *header = nfsar_capture_file_header(w->file);
    const struct calibrate_extra extra = {write_covariance, &w->found, NULL};
    nfsar_trajectory *t = &w->found;
    char sensors[64];
    nfsar_capture copy;
    enum nfsar_status status = calibrate_copy_header(w->file, &copy, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_pose *own = copy.pose;
    uint8_t *flags = malloc(copy.n_pulse);
    if (flags == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        for (size_t i = 0; i < copy.n_pulse; i++) {
            const bool outside =
                header->time_s[i] < t->time_s[0] || header->time_s[i] > t->time_s[t->n - 1];
            const bool in_gap = is_in_gap(t, header->time_s[i]);
            const int rest = header->flags[i] & ~NFSAR_PULSE_POSE_EXTRAPOLATED;
            flags[i] = (uint8_t)(rest | (outside || in_gap ? NFSAR_PULSE_POSE_EXTRAPOLATED : 0));
            w->n_outside += outside;
            w->n_gap += in_gap;
        }
        copy.flags = flags;
        copy.n_pose = t->n;
        copy.pose = t->pose;
        copy.pose_time_s = t->time_s;
        copy.true_pose = w->truth;
        list_sensors(t, sensors, sizeof sensors);
        char expected[128] = "";
        if (t->relative.windows > 0) {
            snprintf(expected, sizeof expected,
                     "; expected error over %g s %.3g mm along, %.3g mm across",
                     t->relative.window_s, 1e3 * t->relative.along_m, 1e3 * t->relative.across_m);
        }
        status =
            nfsar_capture_note(&copy, error, "%s (nfsar " NFSAR_VERSION "): %zu poses from %s%s",
                               cli_command_line(), t->n, sensors, expected);
    }
    if (status == NFSAR_OK) {
        status = calibrate_write_with(w->job->output, w->file, &copy, NULL, &extra, error);
    }
    free(flags);
    copy.pose = own;
    calibrate_free_header(w->file, &copy);
    return status;
}

static enum nfsar_status run(struct sensors_work *w, nfsar_error *error) {
    const struct track_sensors *job = w->job;
    w->pod = pod_defaults();
    enum nfsar_status status = job->pod != NULL ? pod_load(job->pod, &w->pod, error) : NFSAR_OK;
    if (status == NFSAR_OK) {
        status = calibrate_open(job->input, job->output, &w->file, error);
    }
    if (status == NFSAR_OK) {
        status = read_sensors(w, error);
    }
    if (status == NFSAR_OK) {
        w->time_s = track_times(nfsar_capture_file_header(w->file), &w->n);
        status =
            w->time_s != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK && job->has_window &&
        job->window_s > w->time_s[w->n - 1] - w->time_s[0]) {
        status = nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                            "%s: --window %g s is longer than the recording, %.3f s", job->input,
                            job->window_s, w->time_s[w->n - 1] - w->time_s[0]);
    }
    if (status == NFSAR_OK) {
        status = nfsar_trajectory_find(&w->pod.pod, &w->records, w->time_s, w->n, job->window_s,
                                       &w->found, error);
        if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", job->input);
        }
    }
    if (status == NFSAR_OK) {
        status = check_sense(w, error);
    }
    if (status == NFSAR_OK) {
        status = compare_truth(w, error);
    }
    return status == NFSAR_OK ? write_capture(w, error) : status;
}

int track_sensors(const struct track_sensors *job) {
    nfsar_error error = {0};
    struct sensors_work w = {.job = job};
    int answer = CLI_DONE;
    if (run(&w, &error) != NFSAR_OK) {
        answer = cli_fail(&error);
    } else {
        sensors_warn(&w);
        answer = job->json ? sensors_print_json(&w) : sensors_print(&w);
    }
    nfsar_capture_file_close(w.file);
    nfsar_sensor_records_free(&w.records);
    nfsar_trajectory_free(&w.found);
    free(w.truth);
    free(w.time_s);
    return answer;
}
