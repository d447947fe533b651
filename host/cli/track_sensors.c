/* nfsar track: poses from the sensors of a recording. */
#include "host/cli/track.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/calibrate.h"
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/pod/tables.h"

#define DEGREES (180.0 / NFSAR_PI)
/* Beyond these the noise is not what the pod says. */
#define NIS_LOW       0.5
#define NIS_HIGH      2.0
#define REJECTED_MANY 0.05

struct work {
    const struct track_sensors *job;
    nfsar_capture_file *file;
    struct pod pod;
    nfsar_sensor_records records;
    size_t invalid;
    double *time_s; /* where poses are wanted */
    size_t n;
    nfsar_trajectory found;
    nfsar_pose *truth; /* [found.n] or NULL */
    nfsar_trajectory_error error;
};

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
static enum nfsar_status take_poses(struct work *w, nfsar_error *error) {
    const nfsar_capture *c = nfsar_capture_file_header(w->file);
    if (c->n_pose < 2) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has no track of poses for --use-poses, only %zu pose%s",
                          w->job->input, c->n_pose, cli_s(c->n_pose));
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

/* Whether a sensor is among names with commas between. */
static bool is_named(const char *names, enum nfsar_sensor sensor) {
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
        known += is_named(names, (enum nfsar_sensor)s);
    }
    return known == wanted;
}

static void leave_out(struct work *w) {
    nfsar_sensor_records *r = &w->records;
    size_t *const n[NFSAR_SENSORS] = {NULL, &r->n_flow, &r->n_range, &r->n_tracker, &r->n_encoder};
    for (int s = NFSAR_SENSOR_IMU + 1; s < NFSAR_SENSORS; s++) {
        if (is_named(w->job->without, (enum nfsar_sensor)s)) {
            *n[s] = 0;
        }
    }
}

static enum nfsar_status read_sensors(struct work *w, nfsar_error *error) {
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

static bool has_place(const struct work *w) {
    return w->found.use[NFSAR_SENSOR_TRACKER].used > 0 ||
           w->found.use[NFSAR_SENSOR_ENCODER].used > 0 || w->pod.pod.start.given;
}

static enum nfsar_status compare_truth(struct work *w, nfsar_error *error) {
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
                                        !has_place(w), w->job->window_s);
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

/* Where most of what a sensor said was not believed, nothing that came out can be. */
static enum nfsar_status check_sense(const struct work *w, nfsar_error *error) {
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        const nfsar_sensor_use *u = &w->found.use[s];
        const char *name = nfsar_sensor_name((enum nfsar_sensor)s);
        if (u->rejected > 20 && u->rejected > u->used) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: %zu of %zu records of %s do not fit the others: correct its "
                              "mounting, time_offset_s or sigma in the pod (or those of the "
                              "others), or say --without %s",
                              w->job->input, u->rejected, u->rejected + u->used, name, name);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status write_capture(struct work *w, nfsar_error *error) {
    const nfsar_capture *header = nfsar_capture_file_header(w->file);
    const struct calibrate_extra extra = {write_covariance, &w->found};
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
            const int rest = header->flags[i] & ~NFSAR_PULSE_POSE_EXTRAPOLATED;
            flags[i] = (uint8_t)(rest | (outside ? NFSAR_PULSE_POSE_EXTRAPOLATED : 0));
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

/* ---- report --------------------------------------------------------------------------------- */

static void warn(const struct work *w) {
    const nfsar_trajectory *t = &w->found;
    const nfsar_sensor_use *imu = &t->use[NFSAR_SENSOR_IMU];
    for (int s = 1; s < NFSAR_SENSORS; s++) {
        const nfsar_sensor_use *u = &t->use[s];
        const char *name = nfsar_sensor_name((enum nfsar_sensor)s);
        const size_t seen = u->used + u->rejected;
        if (u->used > 20 && (u->nis > NIS_HIGH || u->nis < NIS_LOW)) {
            cli_say("warning: %s errs %.2g times as much as its sigma says, and the expected "
                    "errors are as wrong: correct the pod",
                    name, sqrt(u->nis));
        }
        if (seen > 0 && (double)u->rejected > REJECTED_MANY * (double)seen) {
            cli_say("warning: %zu of %zu records of %s do not fit the others and were not used: "
                    "is its mounting, its time_offset_s right?",
                    u->rejected, seen, name);
        }
        if (u->records > 0 && seen == 0) {
            cli_say("warning: no record of %s could be used%s", name,
                    s == NFSAR_SENSOR_FLOW ? ": it needs a range finder, or surface.distance_m"
                                           : "");
        }
    }
    if (!isnan(imu->first_gap_s)) {
        cli_say("warning: the imu has gaps, the first at %.3f s, the longest of %.3f s: what the "
                "hand did then is not known",
                imu->first_gap_s, imu->longest_s);
    }
    if (!t->still && !has_place(w)) {
        cli_say("warning: the recording does not begin at rest: tilt and gyroscope are found less "
                "surely; let the pod rest for a second first");
    }
    const nfsar_capture *c = nfsar_capture_file_header(w->file);
    size_t outside = 0;
    for (size_t i = 0; i < c->n_pulse; i++) {
        outside += c->time_s[i] < t->time_s[0] || c->time_s[i] > t->time_s[t->n - 1];
    }
    if (outside > 0) {
        cli_say("warning: %zu of %zu pulses are outside the sensors' time, and flagged", outside,
                c->n_pulse);
    }
}

static void print_report(const struct work *w) {
    const nfsar_trajectory *t = &w->found;
    const nfsar_relative_sigma *r = &t->relative;
    if (t->still) {
        printf("start      at rest for %.2f s, tilt to %.2f degrees\n", t->still_s,
               DEGREES * t->start_tilt_rad);
    } else {
        printf("start      not at rest, tilt to %.2f degrees\n", DEGREES * t->start_tilt_rad);
    }
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        const nfsar_sensor_use *u = &t->use[s];
        if (u->records == 0) {
            continue;
        }
        printf("%-10s %zu records: %zu used", nfsar_sensor_name((enum nfsar_sensor)s), u->records,
               u->used);
        if (s != NFSAR_SENSOR_IMU) {
            printf(", %zu rejected", u->rejected);
        }
        printf(u->left_out > 0 ? ", %zu left out" : "", u->left_out);
        if (s != NFSAR_SENSOR_IMU && u->used > 0) {
            printf("; innovations squared %.2f of what they should be", u->nis);
        }
        printf("\n");
    }
    if (w->invalid > 0) {
        printf("invalid    %zu records that their sensors call so\n", w->invalid);
    }
    printf("poses      %zu at the times of pulses and channels, from %.3f to %.3f s\n", t->n,
           t->time_s[0], t->time_s[t->n - 1]);
    if (r->windows > 0) {
        printf("expected   over %g s, standard deviation: %.3f mm along the boresight (at worst "
               "%.3f), %.2f mm across\n",
               r->window_s, 1e3 * r->along_m, 1e3 * r->worst_m, 1e3 * r->across_m);
    }
    if (w->truth != NULL) {
        printf("true       over %g s, rms: %.3f mm along, %.2f mm across; over all %.2f mm, %.3f "
               "degrees%s\n",
               w->job->window_s, 1e3 * w->error.along_m, 1e3 * w->error.across_m,
               1e3 * w->error.position_m, DEGREES * w->error.rotation_rad,
               has_place(w) ? "" : ", from the first pose on");
    }
}

static json_t *json_sensor(const nfsar_sensor_use *u) {
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "records", (json_int_t)u->records, "used",
                     (json_int_t)u->used, "rejected", (json_int_t)u->rejected, "left_out",
                     (json_int_t)u->left_out, "nis", json_number(u->nis), "longest_s",
                     json_number(u->longest_s));
}

static int print_json(const struct work *w) {
    const nfsar_trajectory *t = &w->found;
    json_t *sensors = json_object(), *truth = json_null();
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        if (t->use[s].records > 0) {
            json_object_set_new(sensors, nfsar_sensor_name((enum nfsar_sensor)s),
                                json_sensor(&t->use[s]));
        }
    }
    if (w->truth != NULL) {
        truth = json_pack("{s:o, s:o, s:o, s:o, s:b}", "along_m", json_number(w->error.along_m),
                          "across_m", json_number(w->error.across_m), "position_m",
                          json_number(w->error.position_m), "rotation_rad",
                          json_number(w->error.rotation_rad), "from_start", !has_place(w));
    }
    return print_object(json_pack(
        "{s:o, s:I, s:b, s:o, s:o, s:o, s:{s:o, s:I, s:o, s:o, s:o}, s:o}", "output",
        json_text(w->job->output), "poses", (json_int_t)t->n, "still", t->still, "still_s",
        json_number(t->still_s), "start_tilt_rad", json_number(t->start_tilt_rad), "sensors",
        sensors, "expected", "window_s", json_number(t->relative.window_s), "windows",
        (json_int_t)t->relative.windows, "along_m", json_number(t->relative.along_m), "across_m",
        json_number(t->relative.across_m), "worst_m", json_number(t->relative.worst_m), "true",
        truth));
}

static enum nfsar_status run(struct work *w, nfsar_error *error) {
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
    struct work w = {.job = job};
    int answer = CLI_DONE;
    if (run(&w, &error) != NFSAR_OK) {
        answer = cli_fail(&error);
    } else {
        warn(&w);
        if (job->json) {
            answer = print_json(&w);
        } else {
            print_report(&w);
        }
    }
    nfsar_capture_file_close(w.file);
    nfsar_sensor_records_free(&w.records);
    nfsar_trajectory_free(&w.found);
    free(w.truth);
    free(w.time_s);
    return answer;
}
