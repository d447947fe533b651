/* A session: one YAML file that says what `nfsar record` does (docs/recording.md). */
#ifndef NFSAR_HOST_SESSION_SESSION_H
#define NFSAR_HOST_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/array.h>
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
    SESSION_POSE_NONE   /* unknown: identity, flagged; nfsar track */
};

enum session_loops { SESSION_LOOPS_EACH, SESSION_LOOPS_MEAN };

/* A session that was read and checked; what is left out in the file has its default here. Lengths
 * in metres, angles in radians, times in seconds. */
struct session {
    char *path; /* of the file, owned */
    char *text; /* of it */

    struct {
        char *model;
        char *cfg_path; /* relative to the session's folder resolved */
        char *port;     /* of its command line; NULL: through the hub */
        struct ti_cfg cfg;
        struct ti_cfg_frame frame;
        bool q_first;
        enum session_loops loops;
    } radar;

    nfsar_array array; /* channels in the order of the stream: chirp slowest, receiver next */

    struct nfsar_dca1000_options card;
    char *card_address, *host_address; /* owned; card points to them */

    char *hub_port;      /* NULL: the one on USB */
    struct stage *stage; /* NULL: none */

    struct {
        enum session_scan kind;
        double x_m, y_m;             /* first point */
        double x_pitch_m, y_pitch_m; /* turntable: rows along y, turn_rad between points */
        double turn_rad;
        size_t columns, rows;
        double speed; /* of the fast axis; 0: as fast as axis and radar can */
        bool stop;
        double settle_s;
        size_t repeats;
        double period_s; /* SESSION_PERIOD */
        size_t triggers; /* in all; 0: until Ctrl-C */
        double limit_s;  /* SESSION_PERIOD without triggers: at most */
        bool home;       /* axes first */
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

/* Reads and checks a session, its stage and its .cfg. Errors name file and key. */
enum nfsar_status session_load(const char *path, struct session **session, nfsar_error *error);
void session_free(struct session *session);

/* Triggers at most, for sizes; the exact number of a scan of the stage. */
uint64_t session_triggers(const struct session *session);

/* World pose of the radar when the axes are at these steps (x, y, turntable). */
nfsar_pose session_stage_pose(const struct session *session, const int32_t steps[3]);

/* What the hub is to do, from the session's scan; not for SESSION_PERIOD. */
void session_program(const struct session *session, struct nfsar_wire_do_program_load *load);

#endif
