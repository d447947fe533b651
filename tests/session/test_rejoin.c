/* Frames and triggers of small recordings: whether they agree, and their pulses joined anew. */
#include "tests/files/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/session/record.h"
#include "host/session/record_tables.h"

enum { MOST = 400, LOOPS = 2, SAMPLES = 4, CHANNELS = 6 };
#define LOOP_S 1e-3

/* A recording as the recorder would make it. Lists end with -1. */
struct made {
    const char *name;
    size_t triggers;
    const int *missing;  /* triggers that gave no frame */
    const int *spurious; /* a frame more, half way to the next trigger */
    const int *lost;     /* triggers whose record was lost */
    size_t more_frames;  /* behind the last trigger */
    size_t pulses_less;  /* not written yet */
    size_t bytes;        /* of a frame; 0: 2048 */
    double jitter_s;     /* 0: 0.2 ms */
};

static bool has(const int *list, size_t i) {
    for (; list != NULL && *list >= 0; list++) {
        if ((size_t)*list == i) {
            return true;
        }
    }
    return false;
}

/* Even but for half a millisecond. */
static double trigger_at(size_t i) {
    return 100.0 + 0.01 * (double)i + 1e-4 * (double)(i * 7 % 5);
}

static double on_host(double hub_s) {
    return 7000.0 + 1.0001 * hub_s;
}

static double frame_s[MOST];

/* Times of frames, in their order; how many. */
static size_t list_frames(const struct made *made) {
    size_t n = 0;
    for (size_t i = 0; i < made->triggers + made->more_frames; i++) {
        const double most = made->jitter_s > 0.0 ? made->jitter_s : 2e-4;
        const double jitter = most * (double)(i * 13 % 7) / 7.0;
        if (!has(made->missing, i)) {
            frame_s[n++] = on_host(trigger_at(i)) + 0.8e-3 + jitter;
        }
        if (has(made->spurious, i)) {
            frame_s[n++] = on_host(trigger_at(i)) + 5.8e-3;
        }
    }
    for (size_t i = 0; i < n && made->bytes > 0; i++) { /* packets come when they are full */
        const size_t end = (i * made->bytes / 1456 + 1) * 1456, filler = (end - 1) / made->bytes;
        frame_s[i] = frame_s[filler < n ? filler : n - 1];
    }
    return n;
}

/* Where the recorder puts a trigger whose record was lost. */
static double told_at(const struct made *made, size_t i) {
    size_t before = i, next = i;
    if (!has(made->lost, i)) {
        return trigger_at(i);
    }
    while (before > 0 && has(made->lost, before)) {
        before--;
    }
    while (next < made->triggers && has(made->lost, next)) {
        next++;
    }
    return next < made->triggers
               ? join_between(trigger_at(before), trigger_at(next), i - before - 1,
                              next - before - 1)
               : trigger_at(before) +
                     (double)(i - before) * (trigger_at(before) - trigger_at(before - 1));
}

static void put_triggers(struct recording *recording, const struct made *made) {
    nfsar_error error;
    for (uint32_t i = 0; i < made->triggers; i++) {
        const double time_s = trigger_at(i);
        const double host_s = on_host(time_s) + 2e-3 * (double)(i * 11 % 13) / 13.0;
        const int32_t position[3] = {(int32_t)i, 0, 0};
        const uint32_t row = 0;
        const uint16_t repeat = 0, scan = 9;
        const void *values[] = {&time_s, &i, position, &row, &i, &repeat, &host_s, &scan};
        const nfsar_pose pose = {{(double)i, 0.0, 0.0}, NFSAR_QUATERNION_IDENTITY};
        if (!has(made->lost, i)) {
            assert_ok(recording_append(recording, RECORD_TRIGGER, values, &error), error);
        }
        assert_ok(recording_append_pose(recording, told_at(made, i), &pose, &error), error);
    }
}

static void put_frames(struct recording *recording, const struct made *made) {
    nfsar_error error;
    const size_t n = list_frames(made);
    size_t joined = n < made->triggers ? n : made->triggers;
    for (size_t i = 0; i < n; i++) {
        const struct nfsar_dca1000_frame frame = {.number = i,
                                                  .first_ns = (uint64_t)(frame_s[i] * 1e9)};
        assert_ok(record_keep_frame(recording, &frame, LOOPS, made->bytes > 0 ? made->bytes : 2048,
                                    &error),
                  error);
    }
    for (size_t p = 0; p + made->pulses_less < LOOPS * joined; p++) {
        int16_t samples[CHANNELS * SAMPLES * 2] = {(int16_t)p};
        const uint8_t flags = has(made->lost, p / LOOPS) ? NFSAR_PULSE_POSE_EXTRAPOLATED : 0;
        assert_ok(recording_append_pulse(recording, samples,
                                         told_at(made, p / LOOPS) + LOOP_S * (double)(p % LOOPS),
                                         flags, &error),
                  error);
    }
}

static struct recording *begin(const struct made *made) {
    nfsar_error error;
    struct recording *recording = NULL;
    struct recording_table tables[RECORD_TABLES_END - 2];
    nfsar_capture head = sample_capture(2, SAMPLES);
    record_tables(MOST, 10.0, tables);
    assert_ok(recording_create(test_path(made->name), &head, LOOPS * MOST, MOST, tables,
                               RECORD_TABLES_END - 2, NULL, NULL, &recording, &error),
              error);
    nfsar_capture_free(&head);
    put_triggers(recording, made);
    put_frames(recording, made);
    return recording;
}

/* Its name. */
static const char *make(const struct made *made) {
    nfsar_error error;
    char name[128];
    assert_ok(recording_close(begin(made), &error), error);
    snprintf(name, sizeof name, "%s.recording", made->name);
    return test_path(name);
}

static void refused(const struct made *made, bool died, const char *why) {
    nfsar_error error;
    const char *name = make(made);
    assert_int_equal(record_check_join(name, died, NULL, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, why);
    assert_contains(error.message, made->name);
}

/* The trigger that gave a frame, of recordings without spurious ones. */
static size_t true_trigger(const struct made *made, size_t frame) {
    size_t trigger = 0;
    for (size_t n = 0;; trigger++) {
        if (!has(made->missing, trigger) && n++ == frame) {
            return trigger;
        }
    }
}

/* Pulses of the sealed recording have the times of the triggers that gave them. */
static void check_times(const struct made *made) {
    nfsar_error error;
    nfsar_capture capture;
    char name[128];
    snprintf(name, sizeof name, "%s.recording", made->name);
    assert_ok(recording_seal(test_path(name), test_path(made->name), NULL, NULL, &error), error);
    assert_ok(nfsar_capture_load(test_path(made->name), &capture, &error), error);
    for (size_t p = 0; p < capture.n_pulse; p++) {
        const size_t trigger = true_trigger(made, p / LOOPS);
        assert_near(capture.time_s[p], told_at(made, trigger) + LOOP_S * (double)(p % LOOPS), 1e-9);
        assert_int_equal(crealf(capture.echo[p * CHANNELS * SAMPLES]), p);
        if (trigger + 1 < made->triggers) { /* the very last loop is behind all poses */
            assert_int_equal((capture.flags[p] & NFSAR_PULSE_POSE_EXTRAPOLATED) != 0,
                             has(made->lost, trigger));
        }
    }
    nfsar_capture_free(&capture);
}

static void agree(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    const struct made made = {.name = "agree.h5", .triggers = 200};
    const char *name = make(&made);
    assert_ok(record_check_join(name, false, &agreement, &error), error);
    assert_int_equal(agreement.frames, 200);
    assert_int_equal(agreement.triggers, 200);
    assert_ok(record_rejoin(name, NULL, false, &agreement, &error), error);
    assert_int_equal(agreement.moved, 0);
    check_times(&made);
}

static void frames_missing(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int missing[] = {50, 120, -1};
    const struct made made = {.name = "missing.h5", .triggers = 200, .missing = missing};
    refused(&made, false, "2 of 200 triggers gave no frame: 50, 120, by their times; --join-by");
    const char *name = test_path("missing.h5.recording");
    for (int i = 0; i < 2; i++) { /* as often as one likes */
        assert_ok(record_rejoin(name, NULL, false, &agreement, &error), error);
        assert_int_equal(agreement.moved, 148);
    }
    check_times(&made);
}

/* More than are looked for: not silently sealed. */
static void too_far(void **state) {
    (void)state;
    nfsar_error error;
    int missing[71];
    for (int i = 0; i < 70; i++) {
        missing[i] = 3 * i + 20;
    }
    missing[70] = -1;
    const struct made made = {.name = "far.h5", .triggers = 300, .missing = missing};
    refused(&made, false, "230 frames and 300 triggers are too far apart");
    assert_int_equal(record_rejoin(test_path("far.h5.recording"), NULL, false, NULL, &error),
                     NFSAR_ERROR_UNSUPPORTED);
}

static void records_lost(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int lost[] = {30, 60, 61, 62, 199, -1}, missing[] = {20, 40, -1};
    const struct made whole = {.name = "lost.h5", .triggers = 200, .lost = lost};
    for (int died = 0; died < 2; died++) {
        const struct made made = {
            .name = died ? "lost-died.h5" : "lost.h5", .triggers = whole.triggers, .lost = lost};
        assert_ok(record_check_join(make(&made), died == 1, &agreement, &error), error);
        assert_int_equal(agreement.triggers, 200);
        assert_int_equal(agreement.guessed, 5);
        check_times(&made);
    }
    static const int inner[] = {30, 60, 61, 62, -1};
    const struct made both = {
        .name = "both.h5", .triggers = 200, .lost = inner, .missing = missing};
    refused(&both, false, "2 of 200 triggers gave no frame: 20, 40");
    assert_ok(record_rejoin(test_path("both.h5.recording"), NULL, false, &agreement, &error),
              error);
    check_times(&both);
}

/* Found by the recorder, which knows of triggers at the end that the table does not. */
static void given(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int lost[] = {198, 199, -1}, missing[] = {70, -1};
    const struct made made = {
        .name = "given.h5", .triggers = 200, .lost = lost, .missing = missing};
    const char *name = make(&made);
    static double host_s[200];
    struct join join;
    for (size_t i = 0; i < 200; i++) {
        host_s[i] = on_host(trigger_at(i));
    }
    const size_t n = list_frames(&made);
    assert_ok(join_find(frame_s, n, host_s, 200, false, &join, &error), error);
    assert_int_equal(join.n_odd, 1);
    assert_ok(record_rejoin(name, &join, false, &agreement, &error), error);
    assert_int_equal(agreement.moved, 129);
    join.n_frames--; /* of another recording */
    assert_int_equal(record_rejoin(name, &join, false, NULL, &error), NFSAR_ERROR_FORMAT);
    join_free(&join);
    check_times(&made);
}

/* Which ones were missed is told by a person, where times cannot tell. */
static void named(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int missing[] = {70, 71, 130, -1};
    const struct made made = {
        .name = "named.h5", .triggers = 200, .missing = missing, .jitter_s = 60e-3};
    const char *name = make(&made);
    const uint64_t two[] = {70, 71}, far[] = {70, 71, 200}, wrong[] = {71, 70, 130};
    assert_int_equal(record_name_missed(name, two, 2, &agreement, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message,
                    "197 frames came for 200 triggers: 3 gave none, but 2 are named");
    assert_int_equal(record_name_missed(name, far, 3, &agreement, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "trigger 200: there are triggers 0 to 199");
    assert_int_equal(record_name_missed(name, wrong, 3, &agreement, &error), NFSAR_ERROR_ARGUMENT);
    const uint64_t right[] = {70, 71, 130};
    assert_ok(record_name_missed(name, right, 3, &agreement, &error), error);
    assert_int_equal(agreement.moved, 127);
    check_times(&made);
}

/* One missing, and one too many later: numbers agree. */
static void shifted(void **state) {
    (void)state;
    nfsar_error error;
    static const int missing[] = {50, -1}, spurious[] = {150, -1}, two[] = {50, 80, -1};
    const struct made equal = {
        .name = "shifted.h5", .triggers = 200, .missing = missing, .spurious = spurious};
    refused(&equal, false, "from frame 50 on");
    assert_int_equal(record_rejoin(test_path("shifted.h5.recording"), NULL, false, NULL, &error),
                     NFSAR_ERROR_UNSUPPORTED);
    assert_contains(error.message, "from frame 50 on");
    const struct made differ = {
        .name = "differ.h5", .triggers = 200, .missing = two, .spurious = spurious};
    refused(&differ, false, "from frame 50 on");
    assert_int_equal(record_rejoin(test_path("differ.h5.recording"), NULL, false, NULL, &error),
                     NFSAR_ERROR_UNSUPPORTED);
}

static void died(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int end[] = {197, 198, 199, -1}, inner[] = {50, 120, 197, 198, 199, -1},
                     late[] = {196, -1}, one_late[] = {198, -1};
    const struct made whole = {
        .name = "died.h5", .triggers = 200, .missing = end, .pulses_less = 5};
    assert_ok(record_check_join(make(&whole), true, &agreement, &error), error);
    const struct made holes = {
        .name = "holes.h5", .triggers = 200, .missing = inner, .pulses_less = 5};
    refused(&holes, true, "triggers gave no frame: 50, 120");
    assert_ok(record_rejoin(test_path("holes.h5.recording"), NULL, true, &agreement, &error),
              error);
    check_times(&holes);
    const struct made near = {.name = "near.h5", .triggers = 201, .missing = late};
    refused(&near, true, "gave no frame: 196");
    const struct made nearest = {.name = "nearest.h5", .triggers = 200, .missing = one_late};
    assert_ok(record_check_join(make(&nearest), true, &agreement, &error), error);
}

/* Frames that the hub told of no trigger for are in no pulse, and no fault. */
static void left_out(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int missing[] = {50, -1};
    for (int died = 0; died < 2; died++) {
        const struct made made = {
            .name = died ? "left-died.h5" : "left.h5", .triggers = 200, .more_frames = 10};
        assert_ok(record_check_join(make(&made), died == 1, &agreement, &error), error);
        assert_int_equal(agreement.left_out, 10);
        check_times(&made);
    }
    const struct made made = {
        .name = "left-hole.h5", .triggers = 200, .more_frames = 10, .missing = missing};
    refused(&made, true, "gave no frame: 50");
    const struct made closed = {
        .name = "left-hole-closed.h5", .triggers = 200, .more_frames = 10, .missing = missing};
    refused(&closed, false, "from frame 50 on");
}

/* Frames come late by up to an interval: nothing is refused for that, and something is said. */
static void uncertain(void **state) {
    (void)state;
    nfsar_error error;
    struct record_agreement agreement;
    static const int missing[] = {20, -1}, spurious[] = {180, -1};
    const struct made late = {.name = "late.h5", .triggers = 200, .jitter_s = 9e-3};
    for (int died = 0; died < 2; died++) {
        assert_ok(record_check_join(make(&late), died == 1, &agreement, &error), error);
        assert_false(agreement.doubtful);
        remove(test_path("late.h5.recording"));
    }
    const struct made made = {.name = "doubt.h5",
                              .triggers = 200,
                              .missing = missing,
                              .spurious = spurious,
                              .jitter_s = 5e-3};
    assert_ok(record_check_join(make(&made), false, &agreement, &error), error);
    assert_true(agreement.doubtful);
    assert_near((double)agreement.from, 20.0, 3.0);
    const struct made differ = {
        .name = "doubt-differ.h5", .triggers = 200, .missing = missing, .jitter_s = 9e-3};
    refused(&differ, false, "not with certainty");
    assert_int_equal(
        record_rejoin(test_path("doubt-differ.h5.recording"), NULL, false, NULL, &error),
        NFSAR_ERROR_UNSUPPORTED);
}

/* Of frames shorter than a packet the missing one is known to a packet: those there are flagged. */
static void short_frames(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    struct record_agreement agreement;
    static const int missing[] = {50, -1};
    const struct made made = {
        .name = "short.h5", .triggers = 200, .missing = missing, .bytes = 512};
    refused(&made, false, "1 of 200 triggers gave no frame: ");
    const char *name = test_path("short.h5.recording");
    assert_ok(record_rejoin(name, NULL, false, &agreement, &error), error);
    assert_ok(recording_seal(name, test_path("short.h5"), NULL, NULL, &error), error);
    assert_ok(nfsar_capture_load(test_path("short.h5"), &capture, &error), error);
    for (size_t frame = 0; frame < 198; frame++) {
        const double true_s = trigger_at(true_trigger(&made, frame));
        const bool flagged = capture.flags[LOOPS * frame] & NFSAR_PULSE_POSE_EXTRAPOLATED;
        assert_true(flagged || fabs(capture.time_s[LOOPS * frame] - true_s) < 1e-9);
        assert_true(!flagged || (frame > 50 - 6 && frame < 50 + 6));
    }
    nfsar_capture_free(&capture);
}

static void goes_on(void **state) {
    (void)state;
    nfsar_error error;
    static const int missing[] = {50, -1};
    const struct made made = {.name = "live.h5", .triggers = 200, .missing = missing};
    struct recording *recording = begin(&made);
    assert_int_equal(record_rejoin(test_path("live.h5.recording"), NULL, true, NULL, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "live.h5.recording: is being recorded");
    assert_ok(recording_close(recording, &error), error);
    assert_ok(record_rejoin(test_path("live.h5.recording"), NULL, false, NULL, &error), error);
    check_times(&made);
}

/* Numbers that are none: an answer, whatever it is. */
static void hostile(void **state) {
    (void)state;
    nfsar_error error;
    static const double bad[] = {NAN, INFINITY, -INFINITY, 0.0, 1e300, -1e300};
    static const uint32_t numbers[] = {UINT32_MAX, 0, 5, 5, 70000, 1000000};
    for (size_t i = 0; i < 6; i++) {
        const struct made made = {.name = "bad.h5", .triggers = 60};
        struct recording *recording = begin(&made);
        for (size_t k = 0; k < 40; k++) {
            const int32_t position[3] = {0};
            const uint32_t number = k % 2 == 0 ? numbers[i] : (uint32_t)(60 + k);
            const uint16_t scan = k == 7 ? 3 : 9;
            const void *values[] = {&bad[i], &number, position, &number,
                                    &number, &scan,   &bad[i],  &scan};
            assert_ok(recording_append(recording, RECORD_TRIGGER, values, &error), error);
        }
        assert_ok(recording_close(recording, &error), error);
        const char *name = test_path("bad.h5.recording");
        record_check_join(name, false, NULL, &error);
        record_check_join(name, true, NULL, &error);
        record_rejoin(name, NULL, false, NULL, &error);
        remove(name);
    }
    test_write_file("text.h5.recording", "no HDF5", 7);
    assert_int_equal(record_check_join(test_path("text.h5.recording"), true, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_int_not_equal(record_rejoin(test_path("none.recording"), NULL, true, NULL, &error),
                         NFSAR_OK);
    assert_contains(error.message, "none.recording: cannot be opened");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree),        cmocka_unit_test(frames_missing),
        cmocka_unit_test(too_far),      cmocka_unit_test(records_lost),
        cmocka_unit_test(given),        cmocka_unit_test(named),
        cmocka_unit_test(shifted),      cmocka_unit_test(died),
        cmocka_unit_test(left_out),     cmocka_unit_test(uncertain),
        cmocka_unit_test(short_frames), cmocka_unit_test(goes_on),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
