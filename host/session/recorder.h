/* A recording under way, as its parts see it. */
#ifndef NFSAR_HOST_SESSION_RECORDER_H
#define NFSAR_HOST_SESSION_RECORDER_H

#include "host/radar/control.h"
#include "host/session/record.h"
#include "host/session/record_tables.h"
#include "host/session/unpack.h"

enum { RECORDER_AXES = NFSAR_WIRE_axis_id_end, RECORDER_SENSORS = NFSAR_WIRE_sensor_id_end };

/* A trigger of the scan. */
struct recorder_trigger {
    double time_s, host_s;
    int32_t position[3];
    bool known; /* its record came */
};

/* A frame that came before its trigger's record. */
struct waiting_frame {
    struct waiting_frame *next;
    bool missing;
    int16_t samples[]; /* loops * values */
};

struct recorder {
    const struct session *session;
    const struct record_options *options;
    struct record_result *result;

    nfsar_hub *hub;
    struct radar_control *radar;
    nfsar_dca1000 *card;
    struct recording *recording;
    struct unpack unpack;
    int16_t *pulse; /* unpack.values */

    /* What the hub said last. */
    struct nfsar_wire_axis axes[RECORDER_AXES];
    uint64_t axis_told[RECORDER_AXES];
    struct nfsar_wire_program program;
    struct nfsar_wire_status status;
    uint8_t sensors[RECORDER_SENSORS]; /* states */
    uint32_t errors;                   /* latched, bits */
    struct nfsar_wire_error last[32];
    bool has_program, has_status;

    /* Triggers of this scan, by number, and frames. */
    struct recorder_trigger *triggers;
    size_t n_triggers, room; /* up to the last whose record came */
    bool scanning;           /* triggers that come now are of this scan */
    bool has_scan;
    uint16_t scan;
    uint64_t posed;  /* triggers whose pose is written */
    uint64_t frames; /* that came */
    double *frame_s; /* [frame_room] when */
    size_t frame_room;
    uint64_t joined; /* frames written */
    struct waiting_frame *first, **last_waiting;
    size_t waiting_bytes;

    uint64_t began_ms, shown_ms;
    uint64_t shown_bytes;
    size_t losses_kept;
    uint64_t refused_rows; /* of sensors, whose tables were full */
    bool prepared;         /* errors from here on are of this recording */
    bool stopping;         /* an interrupt was heard, or the scan is over */
    bool broken;           /* the scan did not come to its end: something failed */
    bool damaged;          /* the card lost samples inside: frames from here on are not sure */
    uint32_t made_before;  /* triggers of the hub before the scan */
    size_t made;           /* triggers that the hub counts in the scan, where it said */
    double looked_s, came_s, heard_s;
    uint64_t end_byte;
    enum nfsar_status poseless; /* why the tracker's poses are missing */
    nfsar_error why_poseless;
    enum nfsar_status failed; /* in a callback: ends the recording */
    nfsar_error error;
};

/* Of CLOCK_MONOTONIC, as the times of frames are. */
double recorder_now_s(void);
uint64_t recorder_now_ms(void);
void recorder_say(struct recorder *recorder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool recorder_interrupted(const struct recorder *recorder);

/* ---- recorder_hub.c ---- */

/* Opens the hub; its records come to recorder_hear() from then on. */
enum nfsar_status recorder_open_hub(struct recorder *recorder, nfsar_error *error);
/* Axes as the session's stage describes them, homed where they are not placed; triggers; sensors.
 */
enum nfsar_status recorder_prepare_hub(struct recorder *recorder, nfsar_error *error);
/* The scan begins. */
enum nfsar_status recorder_start_scan(struct recorder *recorder, nfsar_error *error);
/* Has it ended? Of a scan that was broken off: why. */
bool recorder_scan_over(const struct recorder *recorder);
enum nfsar_status recorder_scan_verdict(struct recorder *recorder, nfsar_error *error);
/* Brings axes to a stand and ends triggers; waits for it. */
enum nfsar_status recorder_stop_scan(struct recorder *recorder, nfsar_error *error);
/* Asks the hub how many triggers it made. */
void recorder_count_triggers(struct recorder *recorder);
/* Hears the hub for so long, and keeps what it says. */
enum nfsar_status recorder_listen(struct recorder *recorder, unsigned ms, nfsar_error *error);

/* ---- recorder_frames.c ---- */

/* A trigger's record came. */
enum nfsar_status recorder_take_trigger(struct recorder *recorder,
                                        const struct nfsar_wire_trigger *trigger, double time_s,
                                        double host_s, nfsar_error *error);
/* All frames that are ready, at most `most`; *n of them. */
enum nfsar_status recorder_take_frames(struct recorder *recorder, size_t most, size_t *n,
                                       nfsar_error *error);
/* Triggers up to `n` in all: those at the end whose records did not come. */
enum nfsar_status recorder_complete_triggers(struct recorder *recorder, size_t n,
                                             nfsar_error *error);
/* Losses that will not grow any more, or all of them. */
enum nfsar_status recorder_keep_losses(struct recorder *recorder, bool all, nfsar_error *error);
void recorder_free_frames(struct recorder *recorder);

/* ---- record.c ---- */

/* Tells how it goes, not more often than people can read. */
void recorder_look(struct recorder *recorder, const char *phase);

/* ---- recorder_check.c ---- */

enum { RECORDER_NOTICES_FATAL = NFSAR_DCA1000_DDR_FULL | NFSAR_DCA1000_LVDS_FULL };

/* NFSAR_ERROR_DEVICE when triggers are made and no samples come of them for some seconds. */
enum nfsar_status recorder_check_samples(struct recorder *recorder, nfsar_error *error);
/* ... when the hub is silent for too long. */
enum nfsar_status recorder_check_hub(const struct recorder *recorder, nfsar_error *error);
/* ... when the card has lost samples inside. */
enum nfsar_status recorder_check_notices(struct recorder *recorder, nfsar_error *error);

/* ---- recorder_stop.c ---- */

/* Keeps the first of two failures. */
enum nfsar_status recorder_first(enum nfsar_status status, enum nfsar_status next,
                                 const nfsar_error *what, nfsar_error *error);
/* True when the radar's command line answers afterwards. */
bool recorder_reset_radar(struct recorder *recorder);
/* Stops all, hears out hub and card. Returns `status`, or what failed first. */
enum nfsar_status recorder_stop(struct recorder *recorder, enum nfsar_status status,
                                nfsar_error *error);

/* ---- recorder_finish.c ---- */

/* Last triggers and poses; then NFSAR_ERROR_FORMAT where frames and triggers do not agree. */
enum nfsar_status recorder_finish(struct recorder *recorder, nfsar_error *error);
/* The capture, of the closed recording; frames joined by time where their numbers differ. */
enum nfsar_status recorder_seal(struct recorder *recorder, nfsar_error *error);
/* Removes OUTPUT.recording, in which nothing is. */
void recorder_remove_empty(const char *output);

#endif
