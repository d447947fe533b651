/* What `nfsar track` says of sensors, poses and doubts. */
#include "host/cli/track_sensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/files/capture_file.h"

#define DEGREES (180.0 / NFSAR_PI)
/* Beyond these the noise is not what the pod says. */
#define NIS_LOW       0.5
#define NIS_HIGH      2.0
#define REJECTED_MANY 0.05
#define ALIKE_MUCH    0.15
/* A heading that is known no better is a thing to say. */
#define HEADING_POOR 0.1

double sensors_alike(const nfsar_sensor_use *use) {
    return use->used > 20 ? fmax(use->alike - 3.0 / sqrt((double)use->used), 0.0) : 0.0;
}

bool sensors_have_place(const struct sensors_work *w) {
    return w->found.use[NFSAR_SENSOR_TRACKER].used > 0 ||
           w->found.use[NFSAR_SENSOR_ENCODER].used > 0 || w->pod.pod.start.given;
}

/* Why nothing of flow was of use. */
static void warn_of_flow(const struct sensors_work *w) {
    const nfsar_sensor_records *r = &w->records;
    const nfsar_pod *pod = &w->pod.pod;
    size_t interval = 0, poor = 0;
    for (size_t i = 0; i < r->n_flow; i++) {
        interval += !(r->flow[i].interval_s > 0.0 && r->flow[i].interval_s <= 1.0);
        poor += !(r->flow[i].quality >= pod->flow.quality);
    }
    if (2 * interval > r->n_flow) {
        cli_say("warning: no record of flow could be used: interval_s of %zu of %zu is not above 0 "
                "and at most 1 s",
                interval, r->n_flow);
    } else if (2 * poor > r->n_flow) {
        cli_say("warning: no record of flow could be used: quality of %zu of %zu is below %g, "
                "flow.quality of the pod",
                poor, r->n_flow, pod->flow.quality);
    } else if (w->found.use[NFSAR_SENSOR_RANGE].used == 0 && !(pod->surface.distance_m > 0.0)) {
        cli_say("warning: no record of flow could be used: it needs a range finder%s, or "
                "surface.distance_m",
                w->found.use[NFSAR_SENSOR_RANGE].records > 0 ? ", of which no record could be used"
                                                             : "");
    } else {
        cli_say("warning: no record of flow could be used: they are no numbers, outside the imu's "
                "time, or look past the surface");
    }
}

/* The same of the range finder. */
static void warn_of_range(const struct sensors_work *w) {
    const nfsar_sensor_records *r = &w->records;
    size_t none = 0;
    for (size_t i = 0; i < r->n_range; i++) {
        none += !(r->range[i].range_m > 0.0 && r->range[i].range_m <= 1000.0);
    }
    if (2 * none > r->n_range) {
        cli_say("warning: no record of range could be used: range_m of %zu of %zu is not above 0 "
                "and at most 1000 m",
                none, r->n_range);
    } else {
        cli_say("warning: no record of range could be used: they are outside the imu's time, or "
                "look past the surface");
    }
}

static void warn_of_sensor(const struct sensors_work *w, enum nfsar_sensor sensor) {
    const nfsar_sensor_use *u = &w->found.use[sensor];
    const char *name = nfsar_sensor_name(sensor);
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
    if (sensors_alike(u) > ALIKE_MUCH) {
        cli_say("warning: successive records of %s err alike, by %.2f of the variance expected: "
                "its mounting or time_offset_s (or the imu's) is somewhat off, or its errors last; "
                "the true errors are larger than the expected ones",
                name, u->alike);
    }
    if (u->records > 0 && seen == 0 && sensor == NFSAR_SENSOR_RANGE) {
        warn_of_range(w);
    } else if (u->records > 0 && seen == 0 && sensor == NFSAR_SENSOR_FLOW) {
        warn_of_flow(w);
    } else if (u->records > 0 && seen == 0) {
        cli_say("warning: no record of %s could be used", name);
    }
}

/* The poses that the sensors' replace may have been better. */
static void warn_of_poses(const nfsar_capture *capture) {
    const char *last = NULL;
    for (size_t i = 0; i < capture->n_provenance; i++) {
        const char *line = capture->provenance[i];
        last = strncmp(line, "nfsar track ", 12) == 0 ? line : last;
    }
    const char *mode = last == NULL                           ? NULL
                       : strstr(last, " --autofocus") != NULL ? "--autofocus"
                       : strstr(last, " --phase") != NULL     ? "--phase"
                                                              : NULL;
    if (mode != NULL) {
        cli_say("warning: the poses that nfsar track %s made are replaced by the sensors' alone: "
                "sensors come first, then %s",
                mode, mode);
    }
}

/* Parts of the pod that nothing was recorded for. */
static void warn_of_parts(const struct sensors_work *w) {
    const struct {
        bool said;
        enum nfsar_sensor sensor;
        const char *where;
    } part[] = {
        {w->pod.has_tracker, NFSAR_SENSOR_TRACKER, "/sensor/tracker (see --use-poses)"},
        {w->pod.has_encoder, NFSAR_SENSOR_ENCODER, "/sensor/trigger"},
    };
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        if (part[i].said && w->found.use[part[i].sensor].records == 0 &&
            !track_sensors_without(w->job->without, part[i].sensor)) {
            cli_say("warning: %s: has a part %s, but the capture has no records of it in %s",
                    w->job->pod, nfsar_sensor_name(part[i].sensor), part[i].where);
        }
    }
}

void sensors_warn(const struct sensors_work *w) {
    const nfsar_trajectory *t = &w->found;
    const nfsar_sensor_use *imu = &t->use[NFSAR_SENSOR_IMU];
    const size_t n_pulse = nfsar_capture_file_header(w->file)->n_pulse;
    for (int s = 1; s < NFSAR_SENSORS; s++) {
        warn_of_sensor(w, (enum nfsar_sensor)s);
    }
    warn_of_parts(w);
    warn_of_poses(nfsar_capture_file_header(w->file));
    if (imu->stray > 0) {
        cli_say("warning: %zu of %zu records of imu are left out, the first of %.3f s: they are "
                "more than 10 s from all others, so their times are wrong",
                imu->stray, imu->records, imu->stray_s);
    }
    if (t->n_gap > 0) {
        cli_say(
            "warning: the imu has %zu gap%s, the first at %.3f s, the longest of %.3f s: %zu of "
            "%zu pulses are in gaps, and flagged; /pose/covariance has how well their poses are "
            "known",
            t->n_gap, cli_s(t->n_gap), imu->first_gap_s, imu->longest_s, w->n_gap, n_pulse);
    }
    if (!t->still && !sensors_have_place(w)) {
        cli_say("warning: the recording does not begin at rest: tilt and gyroscope are found less "
                "surely; let the pod rest for a second first");
    }
    if (t->heading_by_motion && t->heading_rad > HEADING_POOR) {
        cli_say("warning: places without directions, and too little motion to tell the heading: it "
                "may be off by %.0f degrees; say it in the pod, start: {yaw_deg: 0, sigma_deg: 1}",
                DEGREES * t->heading_rad);
    }
    if (w->n_outside > 0) {
        cli_say("warning: %zu of %zu pulses are outside the sensors' time, and flagged",
                w->n_outside, n_pulse);
    }
}

int sensors_print(const struct sensors_work *w) {
    const nfsar_trajectory *t = &w->found;
    const nfsar_relative_sigma *r = &t->relative;
    if (t->still) {
        printf("start      at rest for %.2f s, tilt to %.2f degrees\n", t->still_s,
               DEGREES * t->start_tilt_rad);
    } else {
        printf("start      not at rest, tilt to %.2f degrees\n", DEGREES * t->start_tilt_rad);
    }
    if (t->heading_by_motion) {
        printf("heading    by motion against places, to %.2f degrees\n", DEGREES * t->heading_rad);
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
    if (t->n_gap > 0) {
        printf("gaps       %zu of imu, with %zu pulse%s in them: flagged\n", t->n_gap, w->n_gap,
               cli_s(w->n_gap));
    }
    printf("poses      %zu at the times of pulses and channels, from %.3f to %.3f s\n", t->n,
           t->time_s[0], t->time_s[t->n - 1]);
    if (r->windows > 0) {
        printf("expected   over %g s, standard deviation: %.3f mm along the boresight (at worst "
               "%.3f), %.2f mm across\n",
               r->window_s, 1e3 * r->along_m, 1e3 * r->worst_m, 1e3 * r->across_m);
    }
    if (r->windows == 0) {
        printf("expected   nothing: the recording is shorter than %g s; give a shorter --window\n",
               w->job->window_s);
    }
    if (w->truth != NULL && w->error.windows > 0) {
        printf("true       over %g s, rms: %.3f mm along, %.2f mm across; ", w->job->window_s,
               1e3 * w->error.along_m, 1e3 * w->error.across_m);
    }
    if (w->truth != NULL) {
        printf("%sover all %.2f mm, %.3f degrees%s\n", w->error.windows > 0 ? "" : "true       ",
               1e3 * w->error.position_m, DEGREES * w->error.rotation_rad,
               sensors_have_place(w) ? "" : ", from the first pose on");
    }
    return CLI_DONE;
}

static json_t *json_sensor(const nfsar_sensor_use *u) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "records", (json_int_t)u->records,
                     "used", (json_int_t)u->used, "rejected", (json_int_t)u->rejected, "left_out",
                     (json_int_t)u->left_out, "stray", (json_int_t)u->stray, "nis",
                     json_number(u->nis), "alike", json_number(u->alike), "longest_s",
                     json_number(u->longest_s));
}

int sensors_print_json(const struct sensors_work *w) {
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
                          json_number(w->error.rotation_rad), "from_start", !sensors_have_place(w));
    }
    return print_object(json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:b, s:o, s:o, s:{s:o, s:I, s:o, s:o, s:o}, s:o}",
        "output", json_text(w->job->output), "poses", (json_int_t)t->n, "imu_gaps",
        (json_int_t)t->n_gap, "pulses_in_gaps", (json_int_t)w->n_gap, "pulses_outside",
        (json_int_t)w->n_outside, "still", t->still, "still_s", json_number(t->still_s),
        "start_tilt_rad", json_number(t->start_tilt_rad), "heading_by_motion", t->heading_by_motion,
        "heading_rad", json_number(t->heading_rad), "sensors", sensors, "expected", "window_s",
        json_number(t->relative.window_s), "windows", (json_int_t)t->relative.windows, "along_m",
        json_number(t->relative.along_m), "across_m", json_number(t->relative.across_m), "worst_m",
        json_number(t->relative.worst_m), "true", truth));
}
