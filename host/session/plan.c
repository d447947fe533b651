#include "host/session/plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* Of what the packet delay lets through: the rest is for what the radar's bursts are unlike. */
#define RATE_SHARE 0.8

/* What the hub needs between frames; beyond the radar's own time. */
static double frame_s(const struct session *session) {
    return session->stage != NULL && session->stage->radar != NULL
               ? session->stage->radar->frame_s
               : session->radar.frame.frame_period_s;
}

static double axis_speed(const struct session *session, unsigned axis) {
    const struct stage_axis *what = stage_axis(session->stage, axis);
    return what != NULL ? what->speed : 0.0;
}

/* Seconds of a way with a trapezium of speed; jerk rounds its corners. */
static double way_s(const struct session *session, unsigned axis, double way, double speed) {
    const struct stage_axis *what = stage_axis(session->stage, axis);
    if (what == NULL || way == 0.0 || speed <= 0.0) {
        return 0.0;
    }
    const double ramp = speed * speed / what->acceleration;
    return way >= ramp ? way / speed + speed / what->acceleration + what->acceleration / what->jerk
                       : 2.0 * sqrt(way / what->acceleration) + what->acceleration / what->jerk;
}

static void plan_lines(const struct session *session, struct plan *plan) {
    const unsigned fast = session_fast_axis(session), slow = session_slow_axis(session);
    const double pitch = fabs(session->scan.pitch[0]), frame = frame_s(session);
    const double most = axis_speed(session, fast);
    double speed = session->scan.speed > 0.0 ? session->scan.speed : most;
    const double length = pitch * ((double)session->scan.columns - 1.0);
    const double rows = (double)session->scan.rows;
    double row_s = 0.0;
    if (session->scan.stop) {
        const double repeats = (double)session->scan.repeats - 1.0;
        const double point = way_s(session, fast, pitch, speed) + session->scan.settle_s +
                             repeats * fmax(session->scan.period_s, frame) + frame;
        plan->interval_s = session->scan.repeats > 1 ? fmax(session->scan.period_s, frame) : point;
        row_s = point * (double)session->scan.columns;
    } else {
        speed = fmin(speed, pitch / frame);
        plan->interval_s = speed > 0.0 ? pitch / speed : frame;
        row_s = way_s(session, fast, length, speed);
    }
    /* A raster runs back; a turntable goes on. */
    const double back =
        session->scan.kind == SESSION_RASTER ? way_s(session, fast, length, most) : 0.0;
    const double step =
        way_s(session, slow, fabs(session->scan.pitch[1]), axis_speed(session, slow));
    plan->seconds = rows * row_s + (rows - 1.0) * (back + step);
}

void plan_make(const struct session *session, const char *output, struct plan *plan) {
    const struct ti_cfg_frame *frame = &session->radar.frame;
    *plan = (struct plan){.triggers = session_triggers(session)};
    plan->pulses = plan->triggers * frame->loops;
    if (session->scan.kind == SESSION_PERIOD) {
        plan->interval_s = session->scan.period_s;
        plan->seconds =
            session->scan.triggers > 0 ? (double)plan->triggers * plan->interval_s : 0.0;
    } else {
        plan_lines(session, plan);
    }
    plan->rate = plan->interval_s > 0.0 ? (double)frame->bytes / plan->interval_s : 0.0;
    plan->rate_limit = nfsar_dca1000_rate_limit(&session->card);
    plan->file_bytes =
        (double)plan->pulses * (double)(session->array.n_channel * frame->samples) * 4.0 +
        (double)plan->triggers * 160.0 + plan->seconds * 20e3;
    /* The folder: what is before the last slash. */
    const char *slash = output != NULL ? strrchr(output, '/') : NULL;
    char *folder = slash != NULL ? strndup(output, (size_t)(slash - output) + 1) : NULL;
    struct statvfs disk;
    if (output != NULL && statvfs(folder != NULL ? folder : ".", &disk) == 0) {
        plan->disk_free = (double)disk.f_bavail * (double)disk.f_frsize;
    }
    free(folder);
}

/* ---- what stands against it ---- */

struct teller {
    plan_tell *tell;
    void *context;
    size_t n;
};

static void tell_cfg(void *context, const char *text) {
    struct teller *teller = context;
    teller->n++;
    teller->tell(teller->context, text);
}

static void say(struct teller *teller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct teller *teller, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tell_cfg(teller, text);
}

/* The way that an axis needs to gather its speed, with limited jerk: half the ramp's time at that
 * speed (docs/firmware-motion.md). */
static double lead(const struct stage_axis *axis, double speed) {
    const double ramp_s = speed * axis->jerk >= axis->acceleration * axis->acceleration
                              ? speed / axis->acceleration + axis->acceleration / axis->jerk
                              : 2.0 * sqrt(speed / axis->jerk);
    return 0.5 * speed * ramp_s;
}

/* Where the axes would go, and whether the stage allows it. */
static void check_ways(const struct session *session, struct teller *teller) {
    if (session->scan.kind == SESSION_PERIOD) {
        return;
    }
    const unsigned axes[2] = {session_fast_axis(session), session_slow_axis(session)};
    const size_t points[2] = {session->scan.columns, session->scan.rows};
    const double needed = frame_s(session), pitch = fabs(session->scan.pitch[0]);
    double speed = session->scan.speed > 0.0 ? session->scan.speed : axis_speed(session, axes[0]);
    if (!session->scan.stop && session->scan.speed > 0.0 && pitch / speed < needed * (1.0 - 1e-9)) {
        say(teller,
            "scan.speed: at %.4g a second points come each %.3g ms, but the radar needs %.3g "
            "ms; slower, or a larger step",
            speed, pitch / speed * 1e3, needed * 1e3);
    }
    speed = fmin(speed, pitch / needed);
    for (size_t i = 0; i < 2; i++) {
        const struct stage_axis *axis = stage_axis(session->stage, axes[i]);
        if (axis == NULL || axis->low == NULL || axis->high == NULL) {
            continue;
        }
        const double more = i == 0 && !session->scan.stop ? lead(axis, speed) : 0.0;
        const double first = session->scan.first[i];
        const double last = first + session->scan.pitch[i] * ((double)points[i] - 1.0);
        const double low = fmin(first, last) - more, high = fmax(first, last) + more;
        if (low < *axis->low || high > *axis->high) {
            say(teller,
                "scan: %s would go from %.1f to %.1f mm%s, and hub.stage allows %.1f to %.1f mm",
                nfsar_wire_axis_id_name(axes[i]), low * 1e3, high * 1e3,
                more > 0.0 ? ", with the way to gather speed" : "", *axis->low * 1e3,
                *axis->high * 1e3);
        }
    }
}

size_t plan_check(const struct session *session, const struct plan *plan, plan_tell *tell,
                  void *context) {
    struct teller teller = {tell, context, 0};
    const struct ti_cfg_frame *frame = &session->radar.frame;
    ti_cfg_check_recording(&session->radar.cfg, session->card.lanes, session->card.bits, true,
                           tell_cfg, &teller);
    const double needed = frame_s(session);
    if (needed < frame->frame_s) {
        say(&teller,
            "hub.stage: radar.frame_s is %.3g ms, but a frame of %s is %.3g ms long: triggers "
            "would be missed",
            needed * 1e3, session->radar.cfg.path, frame->frame_s * 1e3);
    }
    check_ways(session, &teller);
    if (session->scan.kind == SESSION_PERIOD && plan->interval_s < needed * (1.0 - 1e-9)) {
        say(&teller, "scan.period_s: %.3g ms between triggers, but the radar needs %.3g ms",
            plan->interval_s * 1e3, needed * 1e3);
    }
    if (plan->rate > RATE_SHARE * plan->rate_limit) {
        say(&teller,
            "card.packet_delay_s: the radar sends %.1f MB/s (%zu bytes each %.3g ms), and more "
            "than "
            "80 %% of the %.1f MB/s that a packet delay of %.3g us lets through; make it shorter",
            plan->rate * 1e-6, frame->bytes, plan->interval_s * 1e3, plan->rate_limit * 1e-6,
            session->card.packet_delay_s * 1e6);
    }
    if (plan->disk_free > 0.0 && plan->file_bytes * 2.0 > plan->disk_free) {
        say(&teller,
            "the disk has %.2f GB left; the recording takes %.2f GB, and as much again while it is "
            "sealed",
            plan->disk_free * 1e-9, plan->file_bytes * 1e-9);
    }
    return teller.n;
}

/* ---- in words ---- */

static void print_time(FILE *stream, double seconds) {
    if (seconds >= 3600.0) {
        fprintf(stream, "%.0f h %02.0f min", floor(seconds / 3600.0),
                floor(fmod(seconds, 3600.0) / 60.0));
    } else if (seconds >= 120.0) {
        fprintf(stream, "%.0f min %02.0f s", floor(seconds / 60.0), fmod(seconds, 60.0));
    } else {
        fprintf(stream, "%.1f s", seconds);
    }
}

static void print_size(FILE *stream, double bytes) {
    if (bytes >= 1e9) {
        fprintf(stream, "%.2f GB", bytes * 1e-9);
    } else {
        fprintf(stream, "%.1f MB", bytes * 1e-6);
    }
}

static void print_scan(const struct session *session, const struct plan *plan, FILE *stream) {
    static const char *const kinds[] = {"raster", "serpentine", "turntable"};
    if (session->scan.kind == SESSION_PERIOD) {
        fprintf(stream, "scan        a trigger each %.4g ms", plan->interval_s * 1e3);
        if (session->scan.triggers == 0) {
            fprintf(stream, " until Ctrl-C, at most %.0f s", session->scan.limit_s);
        }
        fprintf(stream, "\n");
        return;
    }
    const bool turns = session->scan.kind == SESSION_TURNTABLE;
    const double unit = turns ? 1.0 : 1e3;
    fprintf(stream, "scan        %s of %zu row%s with %zu points, %.4g %s apart; %s\n",
            kinds[session->scan.kind], session->scan.rows, session->scan.rows == 1 ? "" : "s",
            session->scan.columns, fabs(session->scan.pitch[0]) * unit, turns ? "deg" : "mm",
            session->scan.stop ? "stops at each" : "without a stop");
    if (!session->scan.stop && plan->interval_s > 0.0) {
        fprintf(stream, "            %.4g %s/s, a trigger each %.4g ms\n",
                fabs(session->scan.pitch[0]) * unit / plan->interval_s, turns ? "deg" : "mm",
                plan->interval_s * 1e3);
    }
}

void plan_print(const struct session *session, const struct plan *plan, FILE *stream) {
    const struct ti_cfg_frame *frame = &session->radar.frame;
    const nfsar_fmcw *fmcw = &frame->fmcw;
    const double first = fmcw->start_frequency_hz + fmcw->slope_hz_per_s * fmcw->adc_start_s;
    const double last =
        first + fmcw->slope_hz_per_s * (double)(frame->samples - 1) / fmcw->sample_rate_hz;
    fprintf(stream, "radar       %s: %zu channels, %zu samples from %.4f to %.4f GHz\n",
            session->radar.model != NULL ? session->radar.model : "(no model)",
            session->array.n_channel, frame->samples, first * 1e-9, last * 1e-9);
    fprintf(stream, "frame       %zu loop%s of %zu chirps, %.3g ms, %zu bytes\n", frame->loops,
            frame->loops == 1 ? "" : "s", frame->chirps, frame->frame_s * 1e3, frame->bytes);
    print_scan(session, plan, stream);
    const bool open_end = session->scan.kind == SESSION_PERIOD && session->scan.triggers == 0;
    fprintf(stream, "triggers    %s%llu, %llu pulses", open_end ? "at most " : "",
            (unsigned long long)plan->triggers, (unsigned long long)plan->pulses);
    if (plan->seconds > 0.0) {
        fprintf(stream, ", about ");
        print_time(stream, plan->seconds);
    }
    fprintf(stream,
            "\ncard        %u lanes, %.2f MB/s at most, of %.1f MB/s that a packet delay of "
            "%.3g us lets through\n",
            session->card.lanes, plan->rate * 1e-6, plan->rate_limit * 1e-6,
            session->card.packet_delay_s * 1e6);
    fprintf(stream, "file        %s", plan->seconds > 0.0 ? "about " : "at most ");
    print_size(stream, plan->file_bytes);
    if (plan->disk_free > 0.0) {
        fprintf(stream, ", of ");
        print_size(stream, plan->disk_free);
        fprintf(stream, " free");
    }
    static const char *const sources[] = {"the stage's positions", "a tracker's file",
                                          "none yet (nfsar track)"};
    fprintf(stream, "\nposes       %s\n", sources[session->pose.from]);
}
