#include "tests/rig/echo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

/* Bytes of samples that are kept for the truth. */
static const size_t most_bytes = (size_t)2 << 30;

void rig_echo_init(struct rig_echo *echo, const struct session *session, const nfsar_scene *scene) {
    *echo = (struct rig_echo){.session = session, .physics = nfsar_scene_physics(scene)};
    echo->scatterers = nfsar_scene_scatterers(scene, &echo->n_scatterers);
    echo->physics.threads = 1; /* a frame is too small to share */
}

static void forget(struct rig_echo *echo) {
    nfsar_capture_free(&echo->batch);
    free(echo->values);
    free(echo->samples);
    free(echo->triggers);
    free(echo->taken);
    echo->values = NULL;
    echo->samples = NULL;
    echo->triggers = NULL;
    echo->taken = NULL;
    echo->frames = echo->room = 0;
    echo->clipped = 0;
    echo->begun = false;
}

void rig_echo_free(struct rig_echo *echo) {
    forget(echo);
}

static size_t channels(const struct rig_echo *echo) {
    return echo->session->array.n_channel;
}

/* Of the channels; more may be sent. */
static size_t frame_values(const struct rig_echo *echo) {
    return echo->frame.loops * channels(echo) * echo->frame.samples;
}

/* That are sent. */
static size_t frame_samples(const struct rig_echo *echo) {
    return echo->layout.chirps * echo->layout.receivers * echo->layout.samples;
}

/* ---- a frame ---- */

static enum nfsar_status make_header(const struct rig_echo *echo, size_t n_pulse, size_t n_pose,
                                     bool with_echo, nfsar_capture *capture, nfsar_error *error) {
    nfsar_array array = {0};
    enum nfsar_status status = nfsar_array_copy(&echo->session->array, &array, error);
    if (status == NFSAR_OK) {
        status =
            nfsar_capture_create(n_pulse, echo->frame.samples, &array, with_echo, capture, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    free(capture->pose);
    free(capture->pose_time_s);
    capture->n_pose = n_pose;
    capture->pose = calloc(n_pose, sizeof *capture->pose);
    capture->pose_time_s = calloc(n_pose, sizeof *capture->pose_time_s);
    if (capture->pose == NULL || capture->pose_time_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    capture->has_fmcw = true;
    capture->fmcw = echo->frame.fmcw;
    snprintf(capture->model, sizeof capture->model, "%s",
             echo->session->radar.model != NULL ? echo->session->radar.model : "");
    return nfsar_fmcw_frequencies(&capture->fmcw, capture->frequency_hz, capture->n_sample, error);
}

static double loop_s(const struct rig_echo *echo) {
    return (double)echo->frame.chirps * echo->frame.chirp_period_s;
}

/* From the trigger to the last chirp's end, at least. */
static double length_s(const struct rig_echo *echo) {
    return fmax(echo->frame.frame_s, (double)echo->frame.loops * loop_s(echo));
}

/* Frames of a batch are a second apart in the simulation, whatever they were in truth. */
static void time_batch(struct rig_echo *echo) {
    const size_t loops = echo->frame.loops;
    for (size_t i = 0; i < RIG_BATCH; i++) {
        const double time_s = (double)i * (1.0 + 2.0 * length_s(echo));
        for (size_t k = 0; k < loops; k++) {
            echo->batch.time_s[i * loops + k] = time_s + (double)k * loop_s(echo);
        }
        echo->batch.pose_time_s[2 * i] = time_s;
        echo->batch.pose_time_s[2 * i + 1] = time_s + length_s(echo);
    }
}

static enum nfsar_status simulate(struct rig_echo *echo, const struct rig_trigger *triggers,
                                  size_t n, nfsar_error *error) {
    for (size_t i = 0; i < RIG_BATCH; i++) {
        memcpy(echo->batch.pose + 2 * i, triggers[i < n ? i : n - 1].pose,
               2 * sizeof *echo->batch.pose);
    }
    return nfsar_simulate(&echo->batch, echo->scatterers, echo->n_scatterers, &echo->physics, 0,
                          n * echo->frame.loops, echo->values, NULL, error);
}

static enum nfsar_status find_scale(struct rig_echo *echo, const nfsar_pose *poses, size_t n,
                                    nfsar_error *error) {
    double peak = 0.0;
    for (size_t at = 0; at < n; at += RIG_BATCH) {
        struct rig_trigger triggers[RIG_BATCH];
        const size_t few = n - at < RIG_BATCH ? n - at : RIG_BATCH;
        for (size_t i = 0; i < few; i++) {
            triggers[i] = (struct rig_trigger){0, {poses[at + i], poses[at + i]}};
        }
        const enum nfsar_status status = simulate(echo, triggers, few, error);
        if (status != NFSAR_OK) {
            return status;
        }
        for (size_t k = 0; k < few * frame_values(echo); k++) {
            peak = fmax(peak, cabs((double complex)echo->values[k]));
        }
    }
    echo->scale = peak > 0.0 ? RIG_PEAK / peak : 1.0;
    return NFSAR_OK;
}

/* The session's channels are lines of the frame that the radar was told to make. */
static enum nfsar_status check(const struct rig_echo *echo, nfsar_error *error) {
    const struct ti_cfg_frame *frame = &echo->frame, *planned = &echo->session->radar.frame;
    if (frame->chirps != planned->chirps || frame->receivers != planned->receivers ||
        frame->samples != planned->samples || frame->loops != planned->loops) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the radar was sent %zu loops of %zu chirps, %zu receivers, %zu samples; "
                          "the session's .cfg says %zu, %zu, %zu, %zu",
                          frame->loops, frame->chirps, frame->receivers, frame->samples,
                          planned->loops, planned->chirps, planned->receivers, planned->samples);
    }
    if (echo->layout.lanes == 2 && frame->samples % 2 != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "an odd number of samples, %zu, does not go over 2 lanes",
                          frame->samples);
    }
    return NFSAR_OK;
}

enum nfsar_status rig_echo_begin(struct rig_echo *echo, const struct ti_cfg_frame *frame,
                                 bool q_first, const nfsar_pose *poses, size_t n_poses,
                                 nfsar_error *error) {
    forget(echo);
    const unsigned lanes = echo->session->card.lanes != 0 ? echo->session->card.lanes : 2;
    echo->frame = *frame;
    echo->layout = (struct rig_layout){lanes, q_first, frame->loops * frame->chirps,
                                       echo->session->receivers, frame->samples};
    enum nfsar_status status = check(echo, error);
    if (status == NFSAR_OK) {
        status = make_header(echo, RIG_BATCH * frame->loops, 2 * (size_t)RIG_BATCH, false,
                             &echo->batch, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    time_batch(echo);
    echo->values = calloc(RIG_BATCH * frame_values(echo), sizeof *echo->values);
    echo->samples = calloc(frame_samples(echo), sizeof *echo->samples);
    if (echo->values == NULL || echo->samples == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    status = find_scale(echo, poses, n_poses, error);
    echo->begun = status == NFSAR_OK;
    return status;
}

static int16_t quantise(struct rig_echo *echo, double value) {
    const double rounded = nearbyint(value * echo->scale);
    if (fabs(rounded) > INT16_MAX) {
        echo->clipped++;
        return rounded > 0.0 ? INT16_MAX : INT16_MIN;
    }
    return (int16_t)rounded;
}

/* Samples of a loop before those of a channel, where they are sent. */
static size_t line_of(const struct rig_echo *echo, size_t loop, size_t channel) {
    const size_t lines = echo->frame.chirps * echo->layout.receivers;
    return (loop * lines + echo->session->line[channel]) * echo->frame.samples;
}

static void take_line(struct rig_echo *echo, const float complex *values, size_t loop,
                      size_t channel) {
    const size_t n = echo->frame.samples;
    const float complex *from = values + (loop * channels(echo) + channel) * n;
    struct rig_sample *to = echo->samples + line_of(echo, loop, channel);
    for (size_t i = 0; i < n; i++) {
        to[i] = (struct rig_sample){quantise(echo, (double)crealf(from[i])),
                                    quantise(echo, (double)cimagf(from[i]))};
    }
}

/* ---- the truth ---- */

static enum nfsar_status grow(struct rig_echo *echo, nfsar_error *error) {
    const size_t each = frame_samples(echo) * sizeof *echo->taken;
    const size_t room = echo->room > 0 ? 2 * echo->room : FIRST_ROOM;
    if (room * each > most_bytes) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "the truth of %zu triggers is full; start the radar again", echo->frames);
    }
    struct rig_trigger *triggers = realloc(echo->triggers, room * sizeof *triggers);
    echo->triggers = triggers != NULL ? triggers : echo->triggers;
    struct rig_sample *taken = realloc(echo->taken, room * each);
    echo->taken = taken != NULL ? taken : echo->taken;
    if (triggers == NULL || taken == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    echo->room = room;
    return NFSAR_OK;
}

static enum nfsar_status keep(struct rig_echo *echo, const struct rig_trigger *trigger,
                              nfsar_error *error) {
    if (echo->frames > 0 && trigger->time_ns <= echo->triggers[echo->frames - 1].time_ns) {
        echo->frames = 0;
    }
    const enum nfsar_status status = echo->frames == echo->room ? grow(echo, error) : NFSAR_OK;
    if (status == NFSAR_OK) {
        const size_t n = frame_samples(echo);
        memcpy(echo->taken + n * echo->frames, echo->samples, n * sizeof *echo->samples);
        echo->triggers[echo->frames++] = *trigger;
    }
    return status;
}

enum nfsar_status rig_echo_frames(struct rig_echo *echo, const struct rig_trigger *triggers,
                                  size_t n, uint8_t *bytes, nfsar_error *error) {
    enum nfsar_status status = simulate(echo, triggers, n, error);
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        for (size_t line = 0; line < echo->frame.loops * channels(echo); line++) {
            take_line(echo, echo->values + i * frame_values(echo), line / channels(echo),
                      line % channels(echo));
        }
        rig_layout_pack(&echo->layout, echo->samples, bytes + i * rig_layout_bytes(&echo->layout));
        status = keep(echo, &triggers[i], error);
    }
    return status;
}

/* Both poses of each frame; a next trigger that came before the frame's end takes the second's
 * place. */
static void put_track(const struct rig_echo *echo, nfsar_capture *capture) {
    size_t n = 0;
    for (size_t i = 0; i < echo->frames; i++) {
        const double time_s = (double)echo->triggers[i].time_ns * 1e-9;
        while (n > 0 && capture->pose_time_s[n - 1] >= time_s) {
            n--;
        }
        capture->pose_time_s[n] = time_s;
        capture->pose[n++] = echo->triggers[i].pose[0];
        capture->pose_time_s[n] = time_s + length_s(echo);
        capture->pose[n++] = echo->triggers[i].pose[1];
    }
    capture->n_pose = n;
}

static void put_pulse(const struct rig_echo *echo, size_t frame, size_t loop,
                      nfsar_capture *capture) {
    const size_t n = echo->frame.samples, pulse = frame * echo->frame.loops + loop;
    const struct rig_sample *from = echo->taken + frame * frame_samples(echo);
    float complex *to = capture->echo + pulse * channels(echo) * n;
    capture->time_s[pulse] =
        (double)echo->triggers[frame].time_ns * 1e-9 + (double)loop * loop_s(echo);
    for (size_t i = 0; i < channels(echo) * n; i++) {
        const struct rig_sample *sample = &from[line_of(echo, loop, i / n) + i % n];
        to[i] = CMPLXF((float)sample->i, (float)sample->q);
    }
}

enum nfsar_status rig_echo_save(const struct rig_echo *echo, const char *path, nfsar_error *error) {
    if (!echo->begun || echo->frames == 0) {
        return NFSAR_OK;
    }
    const size_t loops = echo->frame.loops;
    nfsar_capture capture = {0};
    enum nfsar_status status =
        make_header(echo, echo->frames * loops, 2 * echo->frames, true, &capture, error);
    if (status == NFSAR_OK) {
        put_track(echo, &capture);
        for (size_t i = 0; i < echo->frames * loops; i++) {
            put_pulse(echo, i / loops, i % loops, &capture);
        }
        status = nfsar_capture_note(&capture, error,
                                    "nfsar-rig: truth of %zu triggers; a sample is %.9g times the "
                                    "echo, rounded to 16 bits (%llu clipped)",
                                    echo->frames, echo->scale, (unsigned long long)echo->clipped);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_save(path, &capture, error);
    }
    nfsar_capture_free(&capture);
    return status;
}
