#include "host/cli/capture_summary.h"
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/info.h"

#include <math.h>
#include <stdio.h>

#include <nfsar/cylinder.h>
#include <nfsar/lattice.h>

/* A capture and everything that is said of it. */
struct report {
    const nfsar_capture *capture;
    const struct recording_summary *recording; /* NULL: none */
    struct capture_summary summary;
    bool planar;
    nfsar_lattice lattice; /* when planar */
    nfsar_error reason;    /* when not */
    bool round;
    nfsar_cylinder cylinder; /* when not planar but round */
};

static void print_radar(const struct report *report) {
    const nfsar_capture *capture = report->capture;
    const struct capture_summary *s = &report->summary;
    info_label("radar");
    printf("%s%s%.6g to %.6g GHz, %zu sample%s", capture->model,
           capture->model[0] != '\0' ? ", " : "", 1e-9 * s->low_hz, 1e-9 * s->high_hz,
           capture->n_sample, cli_s(capture->n_sample));
    if (isnan(s->step_hz)) {
        puts("");
        return;
    }
    printf("%s%.6g MHz\n", s->even_steps ? " in steps of " : ", unevenly spaced, on average ",
           1e-6 * s->step_hz);
    if (capture->has_fmcw) {
        const nfsar_fmcw *fmcw = &capture->fmcw;
        info_label("");
        printf("chirp from %.6g GHz, %.6g MHz/us, sampled at %.6g MHz from %.6g us on\n",
               1e-9 * fmcw->start_frequency_hz, 1e-12 * fmcw->slope_hz_per_s,
               1e-6 * fmcw->sample_rate_hz, 1e6 * fmcw->adc_start_s);
    }
    info_label("");
    const nfsar_gated *gated = &capture->gated;
    if (gated->range_m[1] > 0.0) {
        printf("range resolution %.4g mm, gated from %.4g to %.4g m, of %.6g to %.6g GHz\n",
               1e3 * s->range_resolution_m, gated->range_m[0], gated->range_m[1],
               1e-9 * gated->band_hz[0], 1e-9 * gated->band_hz[1]);
        return;
    }
    printf("range resolution %.4g mm, unambiguous to %.4g m\n", 1e3 * s->range_resolution_m,
           s->unambiguous_range_m);
}

static void print_array(const struct report *report) {
    const nfsar_array *array = &report->capture->array;
    const struct box *box = &report->summary.array;
    info_label("array");
    printf("%zu transmitter%s, %zu receiver%s, %zu channel%s; phase centres within %.4g x %.4g x "
           "%.4g mm\n",
           array->n_tx, cli_s(array->n_tx), array->n_rx, cli_s(array->n_rx), array->n_channel,
           cli_s(array->n_channel), 1e3 * (box->high.x - box->low.x),
           1e3 * (box->high.y - box->low.y), 1e3 * (box->high.z - box->low.z));
}

static void print_pulses(const struct report *report) {
    const struct capture_summary *s = &report->summary;
    info_label("pulses");
    printf("%zu over %.6g s; %zu with samples missing, %zu outside the track of poses\n",
           report->capture->n_pulse, s->duration_s, s->n_missing, s->n_outside);
    info_label("poses");
    printf("%zu, %s; ", report->capture->n_pose,
           s->poses_at_pulses ? "one for each pulse" : "with times of their own");
    if (s->largest_turn_rad < 1e-6) {
        printf("never turned");
    } else {
        printf("turned by up to %.4g degrees against the first",
               s->largest_turn_rad * 180.0 / NFSAR_PI);
    }
    puts(report->capture->true_pose != NULL ? "; the true ones are there too" : "");
}

static void print_scan(const struct report *report) {
    const struct capture_summary *s = &report->summary;
    const double low[] = {s->scan.low.x, s->scan.low.y, s->scan.low.z};
    const double high[] = {s->scan.high.x, s->scan.high.y, s->scan.high.z};
    for (int i = 0; i < 3; i++) {
        info_label(i == 0 ? "scan" : "");
        printf("%c  %.6g to %.6g m (%.4g mm)\n", 'x' + i, low[i], high[i],
               1e3 * (high[i] - low[i]));
    }
    if (!isnan(s->mean_step_m)) {
        info_label("");
        printf("%.4g mm from pulse to pulse on average, at most %.4g mm\n", 1e3 * s->mean_step_m,
               1e3 * s->largest_step_m);
    }
}

static void print_cylinder(const nfsar_cylinder *cylinder) {
    const double degree = NFSAR_PI / 180.0;
    printf("cylinder round x = %.6g m, z = %.6g m, radius %.6g m, heights from %.6g to %.6g m\n",
           cylinder->axis.x, cylinder->axis.z, cylinder->radius, cylinder->low_y, cylinder->high_y);
    info_label("");
    printf("%zu angles over %.6g deg", cylinder->places, cylinder->span_rad / degree);
    if (cylinder->step_rad > 0.0) {
        printf(" in steps of %.6g deg", cylinder->step_rad / degree);
    } else {
        printf(", uneven");
    }
    printf("; largest gap %.4g deg; deviation at most %.3g um\n",
           cylinder->largest_gap_rad / degree, 1e6 * cylinder->deviation);
}

static void print_lattice(const struct report *report) {
    const nfsar_lattice *l = &report->lattice;
    info_label("geometry");
    if (report->round) {
        print_cylinder(&report->cylinder);
        return;
    }
    if (!report->planar) {
        printf("no planar lattice: %s\n", report->reason.message);
        return;
    }
    printf("planar lattice at z = %.6g m, %zu x %zu phase centres", l->z, l->x.count, l->y.count);
    if (l->n_shift > 1) {
        printf(" in %zu shifted copies", l->n_shift);
    }
    printf("\n");
    info_label("");
    printf("steps %.6g mm x %.6g mm; deviation at most %.3g um, %.1f %% occupied\n",
           1e3 * l->x.step, 1e3 * l->y.step, 1e6 * l->deviation, 100.0 * l->occupancy);
}

static void print_calibration(const nfsar_calibration *calibration) {
    const char *parts[] = {calibration->channel_gain != NULL ? "channel gain" : NULL,
                           calibration->channel_delay_s != NULL ? "channel delay" : NULL,
                           calibration->background != NULL ? "background" : NULL};
    bool any = false;
    info_label("calibration");
    for (int i = 0; i < 3; i++) {
        if (parts[i] != NULL) {
            printf("%s%s", any ? ", " : "", parts[i]);
            any = true;
        }
    }
    puts(any ? "" : "none");
}

static void print_recording(const struct recording_summary *recording) {
    info_label("recording");
    printf("%s", info_recording_end(recording));
    puts(recording->live ? "; what is here was on the disk half a second ago"
                         : "; `nfsar repair` makes a capture of it");
    info_lines("log", recording->log, recording->n_log);
}

static int print_text(const char *path, const struct report *report) {
    const nfsar_capture *capture = report->capture;
    char text[32];
    printf("%s: capture of %zu pulse%s x %zu channel%s x %zu sample%s, %s in memory\n", path,
           capture->n_pulse, cli_s(capture->n_pulse), capture->array.n_channel,
           cli_s(capture->array.n_channel), capture->n_sample, cli_s(capture->n_sample),
           info_bytes(report->summary.memory_bytes, text));
    if (report->recording != NULL) {
        print_recording(report->recording);
    }
    print_radar(report);
    print_array(report);
    print_pulses(report);
    print_scan(report);
    print_lattice(report);
    print_calibration(&capture->calibration);
    info_lines("provenance", capture->provenance, capture->n_provenance);
    return CLI_DONE;
}

static json_t *vector_json(nfsar_vec3 v) {
    return json_pack("[f,f,f]", v.x, v.y, v.z);
}

static json_t *box_json(const struct box *box) {
    return json_pack("{s:o, s:o}", "low_m", vector_json(box->low), "high_m",
                     vector_json(box->high));
}

static json_t *radar_json(const struct report *report) {
    const nfsar_capture *capture = report->capture;
    const struct capture_summary *s = &report->summary;
    const nfsar_fmcw *fmcw = &capture->fmcw;
    json_t *chirp =
        capture->has_fmcw
            ? json_pack("{s:f, s:f, s:f, s:f}", "start_frequency_hz", fmcw->start_frequency_hz,
                        "slope_hz_per_s", fmcw->slope_hz_per_s, "sample_rate_hz",
                        fmcw->sample_rate_hz, "adc_start_s", fmcw->adc_start_s)
            : json_null();
    return json_pack("{s:o, s:f, s:f, s:o, s:b, s:o, s:o, s:o}", "model",
                     json_text(capture->model[0] != '\0' ? capture->model : NULL), "low_hz",
                     s->low_hz, "high_hz", s->high_hz, "step_hz", json_number(s->step_hz),
                     "even_steps", (int)s->even_steps, "range_resolution_m",
                     json_number(s->range_resolution_m), "unambiguous_range_m",
                     json_number(s->unambiguous_range_m), "chirp", chirp);
}

static json_t *scan_json(const struct report *report) {
    const struct capture_summary *s = &report->summary;
    return json_pack(
        "{s:o, s:f, s:o, s:o, s:f, s:I, s:I, s:I, s:b, s:b}", "extent", box_json(&s->scan),
        "duration_s", s->duration_s, "mean_step_m", json_number(s->mean_step_m), "largest_step_m",
        json_number(s->largest_step_m), "largest_turn_rad", s->largest_turn_rad,
        "pulses_with_samples_missing", (json_int_t)s->n_missing, "pulses_outside_track",
        (json_int_t)s->n_outside, "poses", (json_int_t)report->capture->n_pose, "poses_at_pulses",
        (int)s->poses_at_pulses, "true_poses", (int)(report->capture->true_pose != NULL));
}

static json_t *lattice_axis_json(const nfsar_lattice_axis *axis) {
    return json_pack("{s:f, s:f, s:I}", "first_m", axis->first, "step_m", axis->step, "count",
                     (json_int_t)axis->count);
}

static json_t *lattice_json(const struct report *report) {
    const nfsar_lattice *l = &report->lattice;
    if (!report->planar) {
        return json_pack("{s:b, s:o}", "planar", 0, "reason", json_text(report->reason.message));
    }
    return json_pack("{s:b, s:o, s:o, s:f, s:I, s:f, s:f}", "planar", 1, "x",
                     lattice_axis_json(&l->x), "y", lattice_axis_json(&l->y), "z_m", l->z, "shifts",
                     (json_int_t)l->n_shift, "deviation_m", l->deviation, "occupancy",
                     l->occupancy);
}

static json_t *cylinder_json(const struct report *report) {
    const nfsar_cylinder *c = &report->cylinder;
    return !report->round
               ? json_null()
               : json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:f, s:f}", "axis_x_m",
                           c->axis.x, "axis_z_m", c->axis.z, "radius_m", c->radius, "deviation_m",
                           c->deviation, "first_rad", c->first_rad, "span_rad", c->span_rad,
                           "step_rad", c->step_rad, "largest_gap_rad", c->largest_gap_rad, "places",
                           (json_int_t)c->places, "low_y_m", c->low_y, "high_y_m", c->high_y);
}

static json_t *recording_json(const struct recording_summary *recording) {
    return recording == NULL ? json_null()
                             : json_pack("{s:s, s:o}", "state", info_recording_end(recording),
                                         "log", info_json_lines(recording->log, recording->n_log));
}

static int print_report_json(const char *path, const struct report *report) {
    const nfsar_capture *capture = report->capture;
    const nfsar_calibration *calibration = &capture->calibration;
    return print_object(json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:f, s:o, s:{s:I, s:I, s:o}, s:o, s:o, s:o, s:{s:b, s:b, s:b}, "
        "s:o, "
        "s:o}",
        "file", json_text(path), "kind", "capture", "pulses", (json_int_t)capture->n_pulse,
        "channels", (json_int_t)capture->array.n_channel, "samples", (json_int_t)capture->n_sample,
        "memory_bytes", report->summary.memory_bytes, "radar", radar_json(report), "array",
        "transmitters", (json_int_t)capture->array.n_tx, "receivers",
        (json_int_t)capture->array.n_rx, "phase_centres", box_json(&report->summary.array), "scan",
        scan_json(report), "lattice", lattice_json(report), "cylinder", cylinder_json(report),
        "calibration", "channel_gain", (int)(calibration->channel_gain != NULL), "channel_delay",
        (int)(calibration->channel_delay_s != NULL), "background",
        (int)(calibration->background != NULL), "recording", recording_json(report->recording),
        "provenance", info_json_lines(capture->provenance, capture->n_provenance)));
}

int info_capture(const char *path, const nfsar_capture *capture,
                 const struct recording_summary *recording, bool json) {
    struct report report = {.capture = capture, .recording = recording};
    capture_summarize(capture, &report.summary);
    report.planar = nfsar_lattice_detect(capture, 0.0, &report.lattice, &report.reason) == NFSAR_OK;
    report.round =
        !report.planar && nfsar_cylinder_detect(capture, 0.0, &report.cylinder, NULL) == NFSAR_OK;
    int exit_status = json ? print_report_json(path, &report) : print_text(path, &report);
    if (report.planar) {
        nfsar_lattice_free(&report.lattice);
    }
    return exit_status;
}
