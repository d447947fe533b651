#include "tests/rig/rig_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BOOT_NS = 100000000, /* of the radar */
    TRACK_NS = 1000000,  /* between the tracker's lines */
    CONFIG_PORT = 4096,
    DATA_PORT = 4098,
    DDR_FULL = 1 << 7 /* the card's notice */
};

/* ---- parts that need the rig ---- */

static void radar_says(void *context, const char *text, size_t n) {
    struct rig *rig = context;
    rig->board.send(rig->board.context, BOARD_PORT_RADAR, text, n);
}

static void sensor_sends(void *context, enum board_port port, const void *bytes, size_t n) {
    struct rig *rig = context;
    rig->board.send(rig->board.context, port, bytes, n);
}

static void sensor_feels(void *context, uint64_t time_ns, struct rig_motion *motion) {
    rig_world_motion(&((struct rig *)context)->world, time_ns, motion);
}

static void second_begins(void *context) {
    struct rig *rig = context;
    rig->board.pulse(rig->board.context);
}

static void card_pulls(void *context) {
    atomic_store(&((struct rig *)context)->radar_pulled, true);
}

/* ---- up and down ---- */

/* Where hub and files are: as asked for, or as the session's hub port has it, or somewhere. */
static enum nfsar_status make_folder(struct rig *rig, nfsar_error *error) {
    const char *port = rig->session->hub_port;
    const size_t n = port != NULL ? strlen(port) : 0;
    if (rig->options.folder != NULL) {
        snprintf(rig->folder, sizeof rig->folder, "%s", rig->options.folder);
    } else if (n > 4 && n < sizeof rig->folder && strcmp(port + n - 4, "/hub") == 0) {
        snprintf(rig->folder, sizeof rig->folder, "%.*s", (int)(n - 4), port);
    } else {
        strcpy(rig->folder, "/tmp/nfsar-rig-XXXXXX");
        rig->made_folder = mkdtemp(rig->folder) != NULL;
        return rig->made_folder
                   ? NFSAR_OK
                   : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", rig->folder, strerror(errno));
    }
    if (mkdir(rig->folder, 0777) == 0) {
        rig->made_folder = true;
    } else if (errno != EEXIST) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", rig->folder, strerror(errno));
    }
    return NFSAR_OK;
}

static void remove_folder(const struct rig *rig) {
    if (rig->made_folder) {
        rmdir(rig->folder);
    }
}

static const char *card_address(const struct rig *rig) {
    const char *address = rig->session->card.card_address;
    return address != NULL ? address : "192.168.33.180";
}

static const char *host_address(const struct rig *rig) {
    const char *address = rig->session->card.host_address;
    return address != NULL ? address : "192.168.33.30";
}

static enum nfsar_status open_card(struct rig *rig, nfsar_error *error) {
    const struct card_options options = {.card_address = card_address(rig),
                                         .host_address = host_address(rig),
                                         .config_port = rig->session->card.config_port,
                                         .data_port = rig->session->card.data_port,
                                         .faults = rig->options.faults.card,
                                         .on_reset_radar = card_pulls,
                                         .context = rig};
    const char *why = "";
    rig->card = card_open(&options, &why);
    return rig->card != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_DEVICE,
                            "the card cannot be at %s: %s; card.address of the session has to be "
                            "this computer's and free: 127.0.0.2, or 127.0.0.3 beside another rig",
                            options.card_address, why);
}

static double plane_of(const nfsar_scene *scene) {
    size_t n = 0;
    const nfsar_scatterer *scatterers = nfsar_scene_scatterers(scene, &n);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += scatterers[i].position.z;
    }
    return n > 0 ? sum / (double)n : 1.0;
}

static enum nfsar_status open_tracker(struct rig *rig, nfsar_error *error) {
    if (rig->options.tracker == NULL) {
        return NFSAR_OK;
    }
    rig->tracker = fopen(rig->options.tracker, "w");
    if (rig->tracker == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", rig->options.tracker, strerror(errno));
    }
    fputs("time_s,x,y,z,qw,qx,qy,qz\n", rig->tracker);
    return NFSAR_OK;
}

static void make_parts(struct rig *rig) {
    const struct rig_sensor_ways ways = {rig, sensor_feels, sensor_sends, second_begins};
    const unsigned lanes = rig->session->card.lanes != 0 ? rig->session->card.lanes : 2;
    rig_world_init(&rig->world, rig->session, nfsar_scene_header(rig->scene));
    rig_sensors_init(&rig->sensors, &ways, rig->session->sensors.imu, rig->session->sensors.flow,
                     rig->session->sensors.gnss, plane_of(rig->scene), (int64_t)time(NULL));
    radar_line_init(&rig->radar, lanes, radar_says, rig);
    rig->radar.hangs = rig->options.faults.hang_stop;
}

struct rig *rig_new(void) {
    return calloc(1, sizeof(struct rig));
}

void rig_connect(struct rig *rig, const struct rig_board *board) {
    rig->board = *board;
}

const char *rig_folder(const struct rig *rig) {
    return rig->folder;
}

const struct rig_options *rig_options(const struct rig *rig) {
    return &rig->options;
}

enum nfsar_status rig_open(struct rig *rig, const struct rig_options *options, nfsar_error *error) {
    rig->options = *options;
    enum nfsar_status status = session_load(options->session, &rig->session, error);
    if (status == NFSAR_OK) {
        status = nfsar_scene_open(options->scene, NULL, &rig->scene, error);
    }
    if (status == NFSAR_OK) {
        status = make_folder(rig, error);
    }
    if (status == NFSAR_OK) {
        status = open_card(rig, error);
    }
    if (status == NFSAR_OK) {
        status = open_tracker(rig, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    make_parts(rig);
    return worker_open(&rig->worker, rig->session, rig->scene, rig->card, options->truth, error);
}

void rig_close(struct rig *rig) {
    worker_close(&rig->worker);
    card_close(rig->card);
    if (rig->tracker != NULL) {
        fclose(rig->tracker);
    }
    nfsar_scene_close(rig->scene);
    session_free(rig->session);
    remove_folder(rig);
    free(rig);
}

void rig_ready(const struct rig *rig) {
    const struct nfsar_dca1000_options *card = &rig->session->card;
    printf("ready: hub %s/hub, card %s:%u -> %s:%u\n", rig->folder, card_address(rig),
           card->config_port != 0 ? card->config_port : CONFIG_PORT, host_address(rig),
           card->data_port != 0 ? card->data_port : DATA_PORT);
    fflush(stdout);
}

/* ---- what happens ---- */

/* Tells the worker when the radar was started or stopped. */
static void look_at_radar(struct rig *rig) {
    if (rig->radar.starts != rig->starts) {
        nfsar_pose poses[WORKER_POSES];
        rig_world_survey(&rig->world, poses, WORKER_POSES);
        worker_begin(&rig->worker, &rig->radar.frame, rig->radar.q_first, poses);
        rig->starts = rig->radar.starts;
        rig->started = true;
        rig->world.began = false;
    }
    if (rig->started && !rig->radar.started) {
        worker_end(&rig->worker);
        rig->started = false;
    }
}

void rig_heard(struct rig *rig, enum board_port port, const uint8_t *bytes, size_t n) {
    if (port == BOARD_PORT_RADAR) {
        radar_line_hear(&rig->radar, (const char *)bytes, n);
        look_at_radar(rig);
    } else {
        rig_sensors_hear(&rig->sensors, port, bytes, n);
    }
}

void rig_step(struct rig *rig, unsigned axis, bool direction, uint64_t time_ns) {
    rig_stage_step(&rig->world.stage, axis, direction, time_ns);
}

void rig_sync(struct rig *rig) {
    rig->seen[rig->pulses++ % RIG_PULSES] = rig->world.stage;
}

/* What is to go wrong at this trigger. False: the radar does not answer it. */
static bool fault_at(struct rig *rig, uint64_t trigger) {
    const struct rig_faults *faults = &rig->options.faults;
    rig->emergency |= trigger == faults->emergency;
    rig->restart |= trigger == faults->restart;
    if (trigger == faults->ddr_full) {
        card_notice(rig->card, DDR_FULL);
    }
    return trigger != faults->miss && trigger != faults->miss2;
}

void rig_sync_was(struct rig *rig, uint64_t time_ns) {
    if (rig->timed == rig->pulses) {
        return;
    }
    const struct rig_stage now = rig->world.stage;
    const struct rig_stage *seen = &rig->seen[rig->timed++ % RIG_PULSES];
    if (!radar_line_trigger(&rig->radar) || !fault_at(rig, ++rig->answered)) {
        return;
    }
    rig_world_begin(&rig->world, time_ns);
    rig->world.stage = *seen;
    const struct rig_trigger trigger = {
        time_ns,
        {rig_world_pose(&rig->world, time_ns, 0.0),
         rig_world_pose(&rig->world, time_ns, rig->radar.frame.frame_s)}};
    rig->world.stage = now;
    const uint64_t mute = rig->options.faults.mute;
    worker_frame(&rig->worker, &trigger, mute > 0 && rig->answered >= mute);
    rig->frames++;
}

void rig_radar_reset(struct rig *rig, bool held, uint64_t time_ns) {
    if (held) {
        radar_line_hold(&rig->radar);
        rig->boots_ns = 0;
    } else if (rig->radar.held && rig->boots_ns == 0) {
        rig->boots_ns = time_ns + BOOT_NS;
    }
    look_at_radar(rig);
}

static void track(struct rig *rig, uint64_t now_ns) {
    while (rig->tracker != NULL && rig->tracked * TRACK_NS <= now_ns) {
        const uint64_t at_ns = rig->tracked++ * TRACK_NS;
        const nfsar_pose pose =
            rig_world_pose(&rig->world, now_ns, -(double)(now_ns - at_ns) * 1e-9);
        fprintf(rig->tracker, "%.9f,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", (double)at_ns * 1e-9,
                pose.position.x, pose.position.y, pose.position.z, pose.orientation.w,
                pose.orientation.x, pose.orientation.y, pose.orientation.z);
        fflush(rig->tracker); /* whoever reads sees whole lines */
    }
}

void rig_switches(struct rig *rig) {
    const uint32_t inputs = rig_stage_inputs(&rig->world.stage) | (uint32_t)rig->emergency
                                                                      << BOARD_EMERGENCY_STOP;
    const uint32_t changed = inputs ^ rig->inputs;
    rig->inputs = inputs;
    for (unsigned i = 0; changed >> i != 0; i++) {
        if (changed >> i & 1U) {
            rig->board.input(rig->board.context, (enum board_input)i, inputs >> i & 1U);
        }
    }
}

void rig_run(struct rig *rig, uint64_t now_ns) {
    if (rig->restart && rig->board.restart != NULL) {
        rig->restart = false;
        rig->board.restart(rig->board.context);
        return;
    }
    rig_switches(rig);
    rig_world_note(&rig->world, now_ns);
    rig_sensors_run(&rig->sensors, now_ns);
    track(rig, now_ns);
    if (atomic_exchange(&rig->radar_pulled, false)) {
        rig_radar_reset(rig, true, now_ns);
        rig_radar_reset(rig, false, now_ns);
    }
    if (rig->boots_ns != 0 && now_ns >= rig->boots_ns) {
        rig->boots_ns = 0;
        radar_line_boot(&rig->radar);
    }
}

void rig_restart(struct rig *rig) {
    rig->inputs = 0; /* a new board knows of none */
    rig->timed = rig->pulses;
    rig_world_restart(&rig->world);
    rig_sensors_restart(&rig->sensors);
    if (rig->boots_ns != 0) {
        rig->boots_ns = BOOT_NS;
    }
    rig->tracked = 0;
    if (rig->tracker != NULL) {
        rewind(rig->tracker);
        if (ftruncate(fileno(rig->tracker), 0) == 0) {
            fputs("time_s,x,y,z,qw,qx,qy,qz\n", rig->tracker);
        }
    }
}
