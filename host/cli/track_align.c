/* nfsar track --poses: the poses of a tracker's file at the times of pulses and channels, and with
 * --align the offset between its clock and the radar's from the echoes. */
#include "host/cli/track.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/track_motion.h"
#include "host/files/hdf5_error.h"
#include "host/pod/tracker_table.h"

/* What is known when the output is written. */
struct result {
    const struct track_poses *job;
    nfsar_pose_track track;
    nfsar_pose *seen; /* [track.n] of the tracked body, as the file has them */
    nfsar_pose_file_found read;
    double offset_s;
    nfsar_time_offset found; /* with --align */
    struct track_motion motion;
    size_t n_outside, n_gap; /* pulses outside the track, and in its gaps */
};

/* From the tracked body to the radar. */
static void move_to_radar(const struct track_poses *job, nfsar_pose_track *track) {
    for (size_t i = 0; i < track->n; i++) {
        nfsar_pose *pose = &track->pose[i];
        pose->position = nfsar_pose_transform(*pose, job->lever);
        pose->orientation =
            nfsar_quaternion_normalize(nfsar_quaternion_multiply(pose->orientation, job->rotation));
    }
}

static enum nfsar_status load(const struct track_poses *job, const nfsar_capture *capture,
                              struct result *result, nfsar_error *error) {
    enum nfsar_status status =
        nfsar_pose_file_load(job->poses, &job->how, &result->track, &result->read, error);
    if (status == NFSAR_OK) {
        status = track_poses_check_options(job, result->read.format, error);
    }
    if (status == NFSAR_OK) {
        status = track_poses_check_units(job, &result->track, capture, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const bool turned = job->lever.x != 0.0 || job->lever.y != 0.0 || job->lever.z != 0.0;
    if (turned && !result->track.has_orientation) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: has no orientations, and so --lever means nothing", job->poses);
    }
    result->seen = malloc((result->track.n + 1) * sizeof *result->seen);
    if (result->seen == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    memcpy(result->seen, result->track.pose, result->track.n * sizeof *result->seen);
    move_to_radar(job, &result->track);
    return NFSAR_OK;
}

/* The poses that were read as a sensor's records, in the radar's clock, so that they can be fused
 * with others (docs/track.md). */
static enum nfsar_status write_records(void *context, struct h5_output *output,
                                       nfsar_error *error) {
    const struct result *r = context;
    const struct track_poses *job = r->job;
    const nfsar_quaternion q = nfsar_quaternion_normalize(job->rotation);
    const nfsar_quaternion back = nfsar_quaternion_conjugate(q);
    const nfsar_mounting mounting = {
        .at_m = nfsar_quaternion_rotate(back, nfsar_vec3_scale(job->lever, -1.0)),
        .rotation = back};
    nfsar_tracker_record *record = malloc((r->track.n + 1) * sizeof *record);
    if (record == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < r->track.n; i++) {
        record[i] = (nfsar_tracker_record){r->track.time_s[i] - r->offset_s, r->seen[i]};
    }
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_write_group(output, "/sensor", error);
    if (status == NFSAR_OK) {
        status = tracker_table_write(output, record, r->track.n, r->track.has_orientation,
                                     &mounting, error);
    }
    h5_restore(before);
    free(record);
    return status;
}

/* Own poses, times, flags and delays of the copy. */
struct own {
    double *time_s, *delay_s;
    nfsar_pose *pose, *truth;
    uint8_t *flags;
};

static void free_own(struct own *own) {
    free(own->time_s);
    free(own->delay_s);
    free(own->pose);
    free(own->truth);
    free(own->flags);
}

/* Where the pulses are told by the track; counts those that are not. */
static void flag(struct result *result, const nfsar_capture *capture, double gap_s,
                 uint8_t *flags) {
    for (size_t i = 0; i < capture->n_pulse; i++) {
        const double time_s = capture->time_s[i] + result->offset_s;
        nfsar_pose pose;
        const bool told = nfsar_pose_track_at(&result->track, gap_s, time_s, &pose);
        const bool outside =
            time_s < result->track.time_s[0] || time_s > result->track.time_s[result->track.n - 1];
        flags[i] = (uint8_t)(capture->flags[i] & ~NFSAR_PULSE_POSE_EXTRAPOLATED) |
                   (told ? 0 : NFSAR_PULSE_POSE_EXTRAPOLATED);
        result->n_outside += outside;
        result->n_gap += !told && !outside;
    }
}

static enum nfsar_status place(struct result *result, const nfsar_capture *capture, struct own *own,
                               size_t *n, nfsar_error *error) {
    const double gap_s = nfsar_pose_track_gap(&result->track);
    own->time_s = track_times(capture, n);
    own->flags = malloc(capture->n_pulse);
    own->pose = own->time_s != NULL ? malloc(*n * sizeof *own->pose) : NULL;
    if (own->pose != NULL && capture->true_pose != NULL) {
        own->truth = malloc(*n * sizeof *own->truth);
    }
    if (own->pose == NULL || own->flags == NULL ||
        (capture->true_pose != NULL && own->truth == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < *n; i++) {
        nfsar_pose_track_at(&result->track, gap_s, own->time_s[i] + result->offset_s,
                            &own->pose[i]);
        if (own->truth != NULL) {
            own->truth[i] = nfsar_track_pose(capture->pose_time_s, capture->true_pose,
                                             capture->n_pose, own->time_s[i], NULL);
        }
    }
    flag(result, capture, gap_s, own->flags);
    enum nfsar_status status =
        track_poses_check_cover(result->job, &result->track, capture, result->offset_s,
                                result->n_outside + result->n_gap, error);
    if (status == NFSAR_OK) {
        status = track_motion_of(&result->track, own->pose, *n, own->time_s[0] + result->offset_s,
                                 own->time_s[*n - 1] + result->offset_s, &result->motion, error);
    }
    if (status == NFSAR_OK) {
        track_motion_warn(&result->motion, capture, result->job->poses);
    }
    return status;
}

/* The bias as a delay of all channels. */
static enum nfsar_status add_delay(const struct result *result, const nfsar_capture *capture,
                                   struct own *own, nfsar_error *error) {
    if (!result->found.bias_told) {
        return NFSAR_OK;
    }
    const double *before = capture->calibration.channel_delay_s;
    own->delay_s = malloc(capture->array.n_channel * sizeof *own->delay_s);
    if (own->delay_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t c = 0; c < capture->array.n_channel; c++) {
        own->delay_s[c] =
            (before != NULL ? before[c] : 0.0) + 2.0 * result->found.bias_m / NFSAR_SPEED_OF_LIGHT;
    }
    return NFSAR_OK;
}

static enum nfsar_status note(const struct result *result, nfsar_capture *copy,
                              nfsar_error *error) {
    char how[160] = "as told";
    if (result->job->align) {
        snprintf(how, sizeof how, "from the echoes, sigma %.2g s", result->found.sigma_s);
    }
    if (result->found.bias_told) {
        const size_t used = strlen(how);
        snprintf(how + used, sizeof how - used, ", range bias %+.4g m stored as channel delay",
                 result->found.bias_m);
    }
    return nfsar_capture_note(copy, error,
                              "%s (nfsar " NFSAR_VERSION
                              "): %zu poses of %s (%s), tracker's clock ahead of the radar's by "
                              "%.6f s %s, %zu pulses outside; the poses are in /sensor/tracker too",
                              cli_command_line(), result->track.n, result->job->poses,
                              nfsar_pose_format_name(result->read.format), result->offset_s, how,
                              result->n_outside + result->n_gap);
}

static enum nfsar_status write_capture(struct result *result, nfsar_capture_file *file,
                                       nfsar_error *error) {
    nfsar_capture copy;
    struct own own = {0};
    enum nfsar_status status = calibrate_copy_header(file, &copy, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_capture *header = nfsar_capture_file_header(file);
    nfsar_pose *copied = copy.pose;
    size_t n = 0;
    status = place(result, header, &own, &n, error);
    if (status == NFSAR_OK) {
        status = add_delay(result, header, &own, error);
    }
    if (status == NFSAR_OK) {
        copy.n_pose = n;
        copy.pose_time_s = own.time_s;
        copy.pose = own.pose;
        copy.true_pose = own.truth;
        copy.flags = own.flags;
        copy.calibration.channel_delay_s =
            own.delay_s != NULL ? own.delay_s : copy.calibration.channel_delay_s;
        status = note(result, &copy, error);
    }
    if (status == NFSAR_OK) {
        const struct calibrate_extra extra = {write_records, result, "/sensor/tracker"};
        status = calibrate_write_with(result->job->files.output, file, &copy, NULL, &extra, error);
    }
    copy.pose = copied;
    calibrate_free_header(file, &copy);
    free_own(&own);
    return status;
}

static enum nfsar_status align(struct result *result, nfsar_capture_file *file,
                               nfsar_error *error) {
    const struct track_poses *job = result->job;
    const nfsar_capture *header = nfsar_capture_file_header(file);
    nfsar_time_offset_options options = job->options;
    if (job->search_s > 0.0) {
        options.has_search = true;
        options.search_s[0] = job->clock_ahead_s - job->search_s;
        options.search_s[1] = job->clock_ahead_s + job->search_s;
    }
    options.progress = cli_progress("align");
    nfsar_calibrated_source calibrated = {header, nfsar_capture_file_source(file), NULL};
    const nfsar_echo_source source = nfsar_calibrated(&calibrated);
    enum nfsar_status status =
        nfsar_time_offset_find(header, &source, &result->track, &options, &result->found, error);
    nfsar_calibrated_free(&calibrated);
    cli_progress_end();
    if (status == NFSAR_OK) {
        result->offset_s = result->found.offset_s;
    } else {
        nfsar_fail_in(error, status, "%s", job->files.input);
    }
    return status;
}

static void print_aligned(const struct result *r) {
    const nfsar_time_offset *f = &r->found;
    printf(
        "clock      %.6f s ahead of the radar's, standard deviation %.2g s; the next best, %.3f s, "
        "explains %.0f %% as much\n",
        f->offset_s, f->sigma_s, f->second_s, 100.0 * f->second);
    if (isfinite(f->bias_sigma_m)) {
        printf("bias       %+.2f mm of range, standard deviation %.2g mm: %s\n", 1e3 * f->bias_m,
               1e3 * f->bias_sigma_m,
               f->bias_told ? "stored as delay of the channels" : "not told from 0, left out");
    } else {
        printf("bias       the motion does not tell it; --point X,Y,Z of a reflector would\n");
    }
    for (size_t i = 0; i < f->n_reflector; i++) {
        const nfsar_vec3 p = f->reflector[i].position;
        printf("reflector  at (%.3f, %.3f, %.3f) m, seen in %zu windows of %.3g s; range seen less "
               "predicted %.3f mm rms\n",
               p.x, p.y, p.z, f->reflector[i].windows, f->window_s,
               1e3 * f->reflector[i].residual_m);
    }
}

static void print_found(const struct result *r, const nfsar_capture *capture) {
    const nfsar_pose_track *t = &r->track;
    char body[200] = "";
    if (r->read.body[0] != '\0') {
        snprintf(body, sizeof body, ", body %s", r->read.body);
    }
    printf("poses      %zu of %s (%s%s), %.3f to %.3f s; %zu rows left out\n", t->n, r->job->poses,
           nfsar_pose_format_name(r->read.format), body, t->time_s[0], t->time_s[t->n - 1],
           t->n_lost);
    if (r->job->align) {
        print_aligned(r);
    }
    track_motion_print(&r->motion);
    printf(
        "pulses     %zu of %zu have poses; %zu lie outside the track, %zu in its gaps: flagged\n",
        capture->n_pulse - r->n_outside - r->n_gap, capture->n_pulse, r->n_outside, r->n_gap);
}

static json_t *reflectors_of(const nfsar_time_offset *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->n_reflector; i++) {
        const nfsar_time_offset_reflector *p = &f->reflector[i];
        json_array_append_new(list, json_pack("{s:[f,f,f], s:I, s:o}", "position_m", p->position.x,
                                              p->position.y, p->position.z, "windows",
                                              (json_int_t)p->windows, "residual_m",
                                              json_number(p->residual_m)));
    }
    return list;
}

static int print_json(const struct result *r) {
    const nfsar_time_offset *f = &r->found;
    json_t *aligned = json_null();
    if (r->job->align) {
        aligned = json_pack("{s:f, s:f, s:o, s:b, s:f, s:f, s:f, s:o}", "sigma_s", f->sigma_s,
                            "bias_m", f->bias_m, "bias_sigma_m", json_number(f->bias_sigma_m),
                            "bias_told", f->bias_told, "residual_m", f->residual_m, "second",
                            f->second, "second_s", f->second_s, "reflectors", reflectors_of(f));
    }
    return print_object(
        json_pack("{s:o, s:s, s:o, s:I, s:I, s:f, s:I, s:I, s:o, s:o}", "output",
                  json_text(r->job->files.output), "format", nfsar_pose_format_name(r->read.format),
                  "body", json_text(r->read.body), "poses", (json_int_t)r->track.n, "lost",
                  (json_int_t)r->track.n_lost, "clock_ahead_s", r->offset_s, "pulses_outside",
                  (json_int_t)r->n_outside, "pulses_in_gaps", (json_int_t)r->n_gap, "motion",
                  track_motion_json(&r->motion), "aligned", aligned));
}

int track_poses(const struct track_poses *job) {
    nfsar_error error = {0};
    nfsar_capture_file *file = NULL;
    struct result result = {.job = job, .offset_s = job->clock_ahead_s};
    enum nfsar_status status = calibrate_open(job->files.input, job->files.output, &file, &error);
    if (status == NFSAR_OK) {
        status = load(job, nfsar_capture_file_header(file), &result, &error);
    }
    if (status == NFSAR_OK && job->align) {
        status = align(&result, file, &error);
    }
    if (status == NFSAR_OK) {
        status = write_capture(&result, file, &error);
    }
    int answer = CLI_DONE;
    if (status != NFSAR_OK) {
        answer = cli_fail(&error);
    } else if (job->files.json) {
        answer = print_json(&result);
    } else {
        print_found(&result, nfsar_capture_file_header(file));
    }
    nfsar_pose_track_free(&result.track);
    free(result.seen);
    nfsar_capture_file_close(file);
    return answer;
}
