#include "host/cli/capture_summary.h"

#include <math.h>
#include <nfsar/range.h>
#include <string.h>

/* Uniform within this part of a step: what a list in single precision still keeps. */
#define EVEN_TOLERANCE 1e-3

static const struct box nothing = {{INFINITY, INFINITY, INFINITY},
                                   {-INFINITY, -INFINITY, -INFINITY}};

static void enclose(struct box *box, nfsar_vec3 p) {
    box->low = (nfsar_vec3){fmin(box->low.x, p.x), fmin(box->low.y, p.y), fmin(box->low.z, p.z)};
    box->high =
        (nfsar_vec3){fmax(box->high.x, p.x), fmax(box->high.y, p.y), fmax(box->high.z, p.z)};
}

static void summarize_frequencies(const nfsar_capture *capture, struct capture_summary *summary) {
    size_t n = capture->n_sample;
    summary->low_hz = summary->high_hz = capture->frequency_hz[0];
    for (size_t i = 1; i < n; i++) {
        summary->low_hz = fmin(summary->low_hz, capture->frequency_hz[i]);
        summary->high_hz = fmax(summary->high_hz, capture->frequency_hz[i]);
    }
    summary->step_hz = NAN;
    summary->even_steps =
        nfsar_frequencies_uniform(capture->frequency_hz, n, EVEN_TOLERANCE, &summary->step_hz);
    bool wide = n > 1 && summary->high_hz > summary->low_hz && summary->step_hz != 0.0;
    if (!wide) {
        summary->step_hz = NAN;
    }
    summary->range_resolution_m = wide ? nfsar_range_resolution(capture) : NAN;
    summary->unambiguous_range_m =
        wide ? NFSAR_SPEED_OF_LIGHT / (2.0 * fabs(summary->step_hz)) : NAN;
}

/* Angle of the rotation between two orientations. */
static double turn(nfsar_quaternion a, nfsar_quaternion b) {
    double cosine = fabs(a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z);
    return 2.0 * acos(fmin(cosine, 1.0));
}

static void summarize_scan(const nfsar_capture *capture, struct capture_summary *summary) {
    nfsar_pose first = {0}, previous = {0};
    double way = 0.0;
    summary->scan = nothing;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        nfsar_pose pose = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                           capture->time_s[i], NULL);
        enclose(&summary->scan, pose.position);
        if (i == 0) {
            first = pose;
        } else {
            double step = nfsar_vec3_distance(pose.position, previous.position);
            way += step;
            summary->largest_step_m = fmax(summary->largest_step_m, step);
            summary->largest_turn_rad =
                fmax(summary->largest_turn_rad, turn(first.orientation, pose.orientation));
        }
        previous = pose;
        summary->n_missing += (capture->flags[i] & NFSAR_PULSE_SAMPLES_MISSING) != 0;
        summary->n_outside += (capture->flags[i] & NFSAR_PULSE_POSE_EXTRAPOLATED) != 0;
    }
    bool several = capture->n_pulse > 1;
    summary->mean_step_m = several ? way / (double)(capture->n_pulse - 1) : NAN;
    summary->largest_step_m = several ? summary->largest_step_m : NAN;
}

void capture_summarize(const nfsar_capture *capture, struct capture_summary *summary) {
    memset(summary, 0, sizeof *summary);
    summarize_frequencies(capture, summary);
    summarize_scan(capture, summary);
    summary->array = nothing;
    for (size_t i = 0; i < capture->array.n_channel; i++) {
        enclose(&summary->array, nfsar_array_phase_centre(&capture->array, i));
    }
    summary->duration_s = capture->time_s[capture->n_pulse - 1] - capture->time_s[0];
    summary->poses_at_pulses =
        capture->n_pose == capture->n_pulse &&
        memcmp(capture->pose_time_s, capture->time_s, capture->n_pulse * sizeof(double)) == 0;
    summary->memory_bytes = (double)capture->n_pulse * (double)capture->array.n_channel *
                            (double)capture->n_sample * sizeof(float complex);
}
