/* From what is written to what is meant: defaults, units, and what cannot be. */
#include "host/session/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/channels.h"
#include "host/session/description.h"
#include "host/session/limits.h"

enum { TEXT_MOST = 1 << 20 };

static enum nfsar_status no_memory(nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

static enum nfsar_status copy(const char *from, char **to, nfsar_error *error) {
    *to = from != NULL ? strdup(from) : NULL;
    return from == NULL || *to != NULL ? NFSAR_OK : no_memory(error);
}

/* ---- files beside the session ---- */

/* `name` as seen from the folder of `path`. NULL without memory. */
static char *beside(const char *path, const char *name) {
    const char *end = strrchr(path, '/');
    const size_t folder = name[0] != '/' && end != NULL ? (size_t)(end - path) + 1 : 0;
    char *whole_name = malloc(folder + strlen(name) + 1);
    if (whole_name != NULL) {
        memcpy(whole_name, path, folder);
        strcpy(whole_name + folder, name);
    }
    return whole_name;
}

static enum nfsar_status read_text(const char *path, char **text, nfsar_error *error) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s", strerror(errno));
    }
    *text = malloc(TEXT_MOST + 1);
    const size_t n = *text != NULL ? fread(*text, 1, TEXT_MOST, file) : 0;
    const bool failed = ferror(file) != 0, more = !failed && fgetc(file) != EOF;
    fclose(file);
    if (*text == NULL) {
        return no_memory(error);
    }
    (*text)[n] = '\0';
    return failed || more ? nfsar_fail(error, NFSAR_ERROR_FILE,
                                       failed ? "cannot be read" : "is too long to be a session")
                          : NFSAR_OK;
}

/* ---- part by part ---- */

static enum nfsar_status take_card(struct session *session, const struct session_card *card,
                                   nfsar_error *error) {
    const struct range ranges[] = {{"card.packet_delay_s", card->packet_delay_s, 5e-6, 500e-6}};
    const struct count counts[] = {{"card.config_port", card->config_port, 1, 65535},
                                   {"card.data_port", card->data_port, 1, 65535},
                                   {"card.receive_bytes", card->receive_bytes, 65536, 1 << 30}};
    enum nfsar_status status = CHECK_RANGES(ranges, error);
    status = status == NFSAR_OK ? CHECK_COUNTS(counts, error) : status;
    if (status == NFSAR_OK && card->lanes != NULL && *card->lanes != 2 && *card->lanes != 4) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "card.lanes: %llu is not 2 or 4 (xWR12xx and 14xx have 4, later radars "
                            "2)",
                            (unsigned long long)*card->lanes);
    }
    if (status == NFSAR_OK) {
        status = copy(card->address != NULL ? card->address : "192.168.33.180",
                      &session->card_address, error);
    }
    if (status == NFSAR_OK) {
        status =
            copy(card->host != NULL ? card->host : "192.168.33.30", &session->host_address, error);
    }
    const struct {
        const char *key, *address;
    } addresses[] = {{"card.address", session->card_address}, {"card.host", session->host_address}};
    for (size_t i = 0; status == NFSAR_OK && i < 2; i++) {
        struct in_addr read;
        if (inet_pton(AF_INET, addresses[i].address, &read) != 1) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: '%s' is no IPv4 address, such as 192.168.33.30",
                                addresses[i].key, addresses[i].address);
        }
    }
    session->card =
        (struct nfsar_dca1000_options){.card_address = session->card_address,
                                       .host_address = session->host_address,
                                       .config_port = (uint16_t)whole(card->config_port, 4096),
                                       .data_port = (uint16_t)whole(card->data_port, 4098),
                                       .lanes = (unsigned)whole(card->lanes, 2),
                                       .bits = 16,
                                       .packet_delay_s = number(card->packet_delay_s, 25e-6),
                                       .receive_bytes = (size_t)whole(card->receive_bytes, 0)};
    return status;
}

static enum nfsar_status make_array(struct session *session, struct rig_array *array,
                                    nfsar_error *error) {
    const struct ti_cfg_frame *frame = &session->radar.frame;
    const bool four = session->card.lanes == 4;
    uint64_t tx[TI_CFG_CHIRPS], rx[4];
    if ((array->preset == NULL) == (array->tx_m == NULL || array->rx_m == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "array: give either preset, or tx_m and rx_m (docs/arrays.md)");
    }
    for (size_t i = 0; i < frame->chirps; i++) {
        tx[i] = channels_antenna(array, frame->transmitter[i]);
        if (tx[i] == 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "array.preset: %s has no transmitter %u, which chirp %zu of the "
                              "radar's .cfg uses",
                              array->preset, frame->transmitter[i], i);
        }
    }
    /* Four lanes carry four receivers, whichever are on. */
    session->receivers = four ? 4 : frame->receivers;
    for (size_t i = 0; i < 4; i++) {
        rx[i] = frame->receiver[i]; /* 0: off */
    }
    struct rig rig = {.layout = four ? RIG_LAYOUT_4LANE : RIG_LAYOUT_2LANE, .array = *array};
    rig.array.tx = tx;
    rig.array.n_tx = (unsigned)frame->chirps;
    rig.array.rx = rx;
    rig.array.n_rx = (unsigned)session->receivers;
    struct channels channels;
    const enum nfsar_status status = channels_make(&rig, &session->array, &channels, error);
    if (status != NFSAR_OK) {
        return status;
    }
    for (size_t i = 0; i < channels.n; i++) {
        const double chirp = (double)(channels.line[i] / channels.n_rx);
        session->array.channel_time_s[i] = chirp * frame->chirp_period_s;
    }
    session->line = channels.line; /* taken over */
    return NFSAR_OK;
}

static enum nfsar_status take_radar(struct session *session,
                                    struct session_description *description, nfsar_error *error) {
    const struct session_radar *radar = &description->radar;
    if (radar->cfg == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "radar.cfg: is missing: the file with the radar's commands");
    }
    char *path = beside(session->path, radar->cfg);
    enum nfsar_status status =
        path != NULL ? ti_cfg_load(path, &session->radar.cfg, error) : no_memory(error);
    free(path);
    if (status == NFSAR_OK) {
        status =
            ti_cfg_frame(&session->radar.cfg, session->card.lanes, &session->radar.frame, error);
    }
    if (status == NFSAR_OK) {
        status = copy(radar->model, &session->radar.model, error);
    }
    if (status == NFSAR_OK) {
        status = copy(radar->port, &session->radar.port, error);
    }
    session->radar.q_first =
        radar->q_first != NULL ? *radar->q_first : session->radar.cfg.sample_swap > 0;
    return status == NFSAR_OK ? make_array(session, &description->array, error) : status;
}

static enum nfsar_status take_hub(struct session *session, const struct session_hub *hub,
                                  nfsar_error *error) {
    enum nfsar_status status = copy(hub->port, &session->hub_port, error);
    if (status != NFSAR_OK || hub->stage == NULL) {
        return status;
    }
    char *path = beside(session->path, hub->stage);
    status = path != NULL ? stage_load(path, &session->stage, error) : no_memory(error);
    free(path);
    return status;
}

static enum nfsar_status take_pose(struct session *session, const struct session_poses *pose,
                                   nfsar_error *error) {
    const bool stage = session->scan.kind != SESSION_PERIOD;
    session->pose.from = pose->from != NULL   ? *pose->from
                         : pose->file != NULL ? SESSION_POSE_FILE
                         : stage              ? SESSION_POSE_STAGE
                                              : SESSION_POSE_NONE;
    session->pose.time_offset_s = number(pose->time_offset_s, 0.0);
    if (pose->origin_m != NULL) {
        session->pose.origin_m =
            (nfsar_vec3){pose->origin_m[0], pose->origin_m[1], pose->origin_m[2]};
    }
    const nfsar_vec3 origin = session->pose.origin_m;
    if (!isfinite(origin.x) || !isfinite(origin.y) || !isfinite(origin.z) ||
        !isfinite(session->pose.time_offset_s)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "pose: a number is not finite");
    }
    if (session->pose.from == SESSION_POSE_STAGE && session->stage == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "pose.from: stage, but hub.stage is not given; say file or none");
    }
    if ((session->pose.from == SESSION_POSE_FILE) != (pose->file != NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "pose.file: goes with from: file, and is then needed");
    }
    if (pose->file == NULL) {
        return NFSAR_OK;
    }
    session->pose.file = beside(session->path, pose->file);
    return session->pose.file != NULL ? NFSAR_OK : no_memory(error);
}

static enum nfsar_status take(struct session *session, struct session_description *description,
                              nfsar_error *error) {
    for (unsigned i = 0; i < description->n_sensors; i++) {
        session->sensors.imu |= description->sensors[i] == SESSION_IMU;
        session->sensors.flow |= description->sensors[i] == SESSION_FLOW;
        session->sensors.gnss |= description->sensors[i] == SESSION_GNSS;
    }
    enum nfsar_status status = take_hub(session, &description->hub, error);
    if (status == NFSAR_OK) {
        status = take_card(session, &description->card, error);
    }
    if (status == NFSAR_OK) {
        status = take_radar(session, description, error);
    }
    if (status == NFSAR_OK) {
        status = session_take_scan(session, &description->scan, error);
    }
    return status == NFSAR_OK ? take_pose(session, &description->pose, error) : status;
}

enum nfsar_status session_load(const char *path, struct session **session, nfsar_error *error) {
    struct session_description *description = NULL;
    *session = NULL;
    enum nfsar_status status = session_description_load(path, &description, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct session *made = calloc(1, sizeof *made);
    status = made != NULL ? copy(path, &made->path, error) : no_memory(error);
    if (status == NFSAR_OK) {
        status = read_text(path, &made->text, error);
    }
    if (status == NFSAR_OK) {
        status = take(made, description, error);
    }
    session_description_free(description);
    if (status != NFSAR_OK) {
        session_free(made);
        return nfsar_fail_in(error, status, "%s", path);
    }
    *session = made;
    return NFSAR_OK;
}

void session_free(struct session *session) {
    if (session == NULL) {
        return;
    }
    char *const texts[] = {session->path,       session->text,         session->radar.model,
                           session->radar.port, session->card_address, session->host_address,
                           session->hub_port,   session->pose.file};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(texts[i]);
    }
    ti_cfg_free(&session->radar.cfg);
    nfsar_array_free(&session->array);
    free(session->line);
    stage_free(session->stage);
    free(session);
}

enum nfsar_status session_header(const struct session *session, nfsar_capture *header,
                                 nfsar_error *error) {
    const struct ti_cfg_frame *frame = &session->radar.frame;
    nfsar_array array;
    enum nfsar_status status = nfsar_array_copy(&session->array, &array, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(1, frame->samples, &array, false, header, error);
    }
    if (status == NFSAR_OK) {
        header->has_fmcw = true;
        header->fmcw = frame->fmcw;
        snprintf(header->model, sizeof header->model, "%s",
                 session->radar.model != NULL ? session->radar.model : "");
        status = nfsar_fmcw_frequencies(&frame->fmcw, header->frequency_hz, frame->samples, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_capture_note(header, error, "nfsar record: session %s", session->path);
    }
    if (status != NFSAR_OK) {
        nfsar_capture_free(header);
    }
    return status;
}
