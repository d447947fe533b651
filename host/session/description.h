/* A session file as it is written (docs/recording.md): its form, checked by the schema. What may be
 * left out is a pointer, NULL when it is. */
#ifndef NFSAR_HOST_SESSION_DESCRIPTION_H
#define NFSAR_HOST_SESSION_DESCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include <nfsar/status.h>

#include "host/import/rig.h"
#include "host/session/session.h"

enum session_sensor { SESSION_IMU, SESSION_FLOW, SESSION_GNSS };

struct session_radar {
    char *model, *cfg, *port;
    bool *q_first;
};

struct session_card {
    char *address, *host;
    uint64_t *config_port, *data_port, *lanes, *receive_bytes;
    double *packet_delay_s;
};

struct session_hub {
    char *port, *stage;
};

struct session_path {
    enum session_scan path;
    double *x_m, *y_m, *first_deg, *step_m, *row_step_m, *step_deg, *speed_m_per_s,
        *speed_deg_per_s, *settle_s, *period_s, *limit_s;
    uint64_t *positions, *rows, *repeats, *triggers;
    bool stop;
    bool *home;
};

struct session_poses {
    enum session_pose *from;
    char *file;
    double *origin_m;
    unsigned n_origin_m;
    double *time_offset_s;
};

struct session_description {
    struct session_radar radar;
    struct rig_array array;
    struct session_card card;
    struct session_hub hub;
    struct session_path scan;
    enum session_sensor *sensors;
    unsigned n_sensors;
    struct session_poses pose;
};

/* Free with session_description_free(). */
enum nfsar_status session_description_load(const char *path,
                                           struct session_description **description,
                                           nfsar_error *error);
void session_description_free(struct session_description *description);

#endif
