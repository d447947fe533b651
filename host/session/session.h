/* A session: one YAML file that says what `nfsar record` does (docs/recording.md). */
#ifndef NFSAR_HOST_SESSION_SESSION_H
#define NFSAR_HOST_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/array.h>
#include <nfsar/capture.h>
#include <nfsar/dca1000.h>
#include <nfsar/geometry.h>
#include <nfsar/status.h>

#include "host/devices/stage.h"
#include "host/radar/ti_cfg.h"

enum session_scan {
    SESSION_RASTER,
    SESSION_SERPENTINE,
    SESSION_TURNTABLE,
    SESSION_PERIOD /* triggers by time: handheld, UAV */
};

enum session_pose {
    SESSION_POSE_STAGE, /* the axes' positions at each trigger */
    SESSION_POSE_FILE,  /* a tracker's file: hub time, position, orientation */
    SESSION_POSE_NONE   /* not known yet: the identity, and nfsar track */
};

/* A session that was read and checked; what is left out in the file has its default here. Lengths
 * in metres, angles in radians, times in seconds. */
struct session {
    char *path; /* of the file, owned */
    char *text; /* of it, owned */

    struct {
        char *model;
        char *port; /* of its command line; NULL: through the hub */
        struct ti_cfg cfg;
        struct ti_cfg_frame frame;
        bool q_first;
    } radar;

    nfsar_array array; /* channels: transmitter slowest, in the order of the chirps */
    size_t *line;      /* [array.n_channel] chirp * receivers of the stream + receiver */
    size_t receivers;  /* of the stream: 4 with four lanes */

    struct nfsar_dca1000_options card;
    char *card_address, *host_address; /* owned; card points to them */

    char *hub_port;      /* NULL: the one on USB */
    struct stage *stage; /* NULL: none */

    struct {
        enum session_scan kind;
        double first[2], pitch[2]; /* fast axis, slow axis; the turntable's in degrees */
        size_t columns, rows;
        double speed; /* of the fast axis, a second; 0: as fast as axis and radar can */
        bool stop;
        double settle_s;
        size_t repeats;
        double period_s; /* SESSION_PERIOD; else between repeats, 0: as the radar can */
        size_t triggers; /* SESSION_PERIOD: in all; 0: until limit_s or Ctrl-C */
        double limit_s;  /* SESSION_PERIOD */
        bool home;       /* axes that are not placed first */
    } scan;

    struct {
        bool imu, flow, gnss;
    } sensors;

    struct {
        enum session_pose from;
        char *file;           /* owned */
        nfsar_vec3 origin_m;  /* world position of the radar where the axes are at 0 */
        double time_offset_s; /* added to the file's times */
    } pose;
};

/* Reads and checks a session, its stage and its .cfg, whose paths are relative to the session's
 * folder. Errors name file and key. Free it with session_free(). */
enum nfsar_status session_load(const char *path, struct session **session, nfsar_error *error);
/* Releases; NULL is allowed. */
void session_free(struct session *session);

/* Triggers in all; of a SESSION_PERIOD without their number: at most. */
uint64_t session_triggers(const struct session *session);

/* The axis along rows and the one across, NFSAR_WIRE_AXIS_IS_...; not for SESSION_PERIOD. */
unsigned session_fast_axis(const struct session *session);
unsigned session_slow_axis(const struct session *session);

/* World pose of the radar when the axes are at these steps (x, y, turntable). The turntable turns
 * the target about y; in the target's frame the radar goes round it the other way (design, 3). */
nfsar_pose session_stage_pose(const struct session *session, const int32_t steps[3]);

/* Where the hub makes a trigger of a scan: steps of all axes, those not moved at 0. */
void session_trigger_steps(const struct session *session, uint64_t trigger, int32_t steps[3]);

/* What the hub is to do, from the session's scan; not for SESSION_PERIOD. */
void session_program(const struct session *session, struct nfsar_wire_do_program_load *load);

/* The capture's header: waveform, array, model; no pulses. Free with nfsar_capture_free(). */
enum nfsar_status session_header(const struct session *session, nfsar_capture *header,
                                 nfsar_error *error);

#endif
