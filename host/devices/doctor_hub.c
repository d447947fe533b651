/* The hub, and the radar behind it or on a port of its own. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nfsar/hub.h>

#include "host/devices/doctor_check.h"
#include "host/devices/transport.h"
#include "host/radar/control.h"

enum { ERRORS = 32, SENSORS = NFSAR_WIRE_SENSOR_SPI_IMU + 1, TOLD_MS = 2500, RADAR_MS = 2000 };

/* What the hub and the radar said. */
struct ear {
    struct doctor *doctor;
    nfsar_hub *hub;
    struct radar_control *radar;
    bool has_status, has_crash;
    struct nfsar_wire_status status;
    bool latched[ERRORS];
    uint8_t sensors[SENSORS]; /* enum nfsar_wire_sensor_state, as told last */
    char version[128];        /* of the radar */
};

static bool is_usb_port(const char *port) {
    return port == NULL || strncmp(port, "usb", 3) == 0;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static void say_forbidden(struct doctor *doctor, const char *check, const char *port,
                          const struct stat *info) {
    const struct group *group = getgrgid(info->st_gid);
    char fix[256];
    snprintf(fix, sizeof fix, "sudo adduser $USER %s, then log out and in again",
             group != NULL && info->st_gid != 0 ? group->gr_name : "dialout");
    doctor_say(doctor, check, DOCTOR_WRONG, fix, "%s: you may not use it", port);
}

/* A serial port can be opened by this user, and nobody else has it. */
static bool check_port(struct doctor *doctor, const char *check, const char *port) {
    struct stat info;
    char ports[256], fix[400], real[4096], holder[96];
    if (stat(port, &info) != 0) {
        serial_ports(ports, sizeof ports);
        snprintf(fix, sizeof fix,
                 "plug it in; serial ports here: %s (sudo dmesg | tail says what "
                 "was plugged in last)",
                 ports[0] != '\0' ? ports : "none");
        doctor_say(doctor, check, DOCTOR_WRONG, fix, "%s: %s", port, strerror(errno));
        return false;
    }
    if (!S_ISCHR(info.st_mode) && !S_ISSOCK(info.st_mode)) {
        doctor_say(doctor, check, DOCTOR_WRONG, "a path such as /dev/ttyUSB0",
                   "%s: is no serial port", port);
        return false;
    }
    if (access(port, R_OK | W_OK) != 0) {
        say_forbidden(doctor, check, port, &info);
        return false;
    }
    if (S_ISCHR(info.st_mode) && realpath(port, real) != NULL && real[0] != '\0') {
        doctor_holder(real, holder);
        if (strchr(holder, '(') != NULL) {
            doctor_say(doctor, check, DOCTOR_WRONG,
                       strncmp(holder, "ModemManager", 12) == 0
                           ? "sudo systemctl disable --now ModemManager"
                           : "end that program",
                       "%s is held by %s", port, holder);
            return false;
        }
    }
    doctor_say(doctor, check, DOCTOR_OK, NULL, "%s can be opened", port);
    return true;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static bool hear(void *context, const struct nfsar_wire_message *record) {
    struct ear *ear = context;
    struct nfsar_wire_error error;
    struct nfsar_wire_sensor sensor;
    if (record->header.kind == NFSAR_WIRE_SENSOR && record->header.channel < SENSORS &&
        nfsar_wire_unpack_sensor(&sensor, record->payload, record->bytes)) {
        ear->sensors[record->header.channel] = sensor.state;
    } else if (record->header.kind == NFSAR_WIRE_STATUS) {
        ear->has_status |= nfsar_wire_unpack_status(&ear->status, record->payload, record->bytes);
    } else if (record->header.kind == NFSAR_WIRE_CRASH) {
        ear->has_crash = true;
    } else if (record->header.kind == NFSAR_WIRE_ERROR &&
               nfsar_wire_unpack_error(&error, record->payload, record->bytes) &&
               error.error < ERRORS) {
        ear->latched[error.error] = error.latched != 0;
    }
    radar_record(ear->radar, record);
    return true;
}

static void hear_radar(void *context, const char *text) {
    struct ear *ear = context;
    if (strstr(text, "SDK Version") != NULL) {
        snprintf(ear->version, sizeof ear->version, "%s", text);
    }
}

static bool is_cancelled(void *context) {
    return doctor_cancelled(((struct ear *)context)->doctor);
}

/* ---- the hub --------------------------------------------------------------------------------- */

static const char *port_name(const struct doctor *doctor) {
    return doctor->hub_port != NULL ? doctor->hub_port : "usb";
}

static bool open_hub(struct ear *ear) {
    struct doctor *doctor = ear->doctor;
    const struct nfsar_hub_options options = {.record = hear, .context = ear};
    nfsar_error error;
    if (nfsar_hub_open(port_name(doctor), &options, &ear->hub, &error) != NFSAR_OK) {
        const bool usb = is_usb_port(doctor->hub_port);
        doctor_say(doctor, "hub", DOCTOR_WRONG,
                   error.status == NFSAR_ERROR_VERSION
                       ? "flash the firmware of this version (docs/firmware-boards.md)"
                   : usb
                       ? "plug it in with a cable that carries data; a hub on a serial port is "
                         "hub.port in the session (docs/hub.md)"
                       : "is it powered and flashed (docs/firmware-boards.md), and this its port?",
                   "%s", error.message);
        return false;
    }
    const struct nfsar_wire_hello *hello = nfsar_hub_hello(ear->hub);
    doctor_say(doctor, "hub", DOCTOR_OK, NULL, "%s answers: %.*s, firmware %.*s, protocol %u.%u",
               port_name(doctor), (int)strnlen((const char *)hello->board, sizeof hello->board),
               (const char *)hello->board,
               (int)strnlen((const char *)hello->firmware, sizeof hello->firmware),
               (const char *)hello->firmware, hello->major, hello->minor);
    return true;
}

/* A hub tells its status every second, and what is latched behind the greeting. */
static void await_status(struct ear *ear) {
    const uint64_t began = transport_now_ms();
    nfsar_error error;
    while (!ear->has_status && transport_now_ms() - began < TOLD_MS &&
           !doctor_cancelled(ear->doctor) && nfsar_hub_listen(ear->hub, 50, &error) == NFSAR_OK) {
    }
    nfsar_hub_listen(ear->hub, 200, &error);
}

static void check_errors(struct ear *ear) {
    struct doctor *doctor = ear->doctor;
    char fix[400];
    size_t latched = 0;
    await_status(ear);
    snprintf(fix, sizeof fix, "remove the cause (docs/firmware.md), then: nfsar hub %.300s clear",
             port_name(doctor));
    for (unsigned i = 0; i < ERRORS; i++) {
        if (ear->latched[i]) {
            latched++;
            doctor_say(doctor, "hub's errors", DOCTOR_WRONG, fix, "latched: %s",
                       nfsar_wire_error_code_name(i));
        }
    }
    if (ear->has_crash) {
        latched++;
        snprintf(fix, sizeof fix, "nfsar hub %.300s crash shows where", port_name(doctor));
        doctor_say(doctor, "hub's errors", DOCTOR_WRONG, fix, "the firmware has crashed before");
    }
    if (ear->has_status && ear->status.emergency != 0) {
        latched++;
        snprintf(fix, sizeof fix, "release its button, then: nfsar hub %.300s emergency release",
                 port_name(doctor));
        doctor_say(doctor, "hub's errors", DOCTOR_WRONG, fix, "the emergency stop is on");
    }
    if (latched == 0 && ear->has_status) {
        doctor_say(doctor, "hub's errors", DOCTOR_OK, NULL, "none are latched");
    } else if (latched == 0) {
        doctor_say(doctor, "hub's errors", DOCTOR_UNKNOWN, NULL, "the hub told no status");
    }
}

struct wanted {
    const char *name;
    bool wanted;
    unsigned first, second; /* either will do */
};

static bool runs(const struct ear *ear, const struct wanted *sensor) {
    return ear->sensors[sensor->first] == NFSAR_WIRE_SENSOR_IS_RUNNING ||
           ear->sensors[sensor->second] == NFSAR_WIRE_SENSOR_IS_RUNNING;
}

/* Those that the session records. A hub that was just switched on still starts them. */
static void check_sensors(struct ear *ear) {
    const struct session *session = ear->doctor->session;
    const struct wanted sensors[] = {
        {"imu", session->sensors.imu, NFSAR_WIRE_SENSOR_IMU, NFSAR_WIRE_SENSOR_SPI_IMU},
        {"flow", session->sensors.flow, NFSAR_WIRE_SENSOR_FLOW, NFSAR_WIRE_SENSOR_FLOW},
        {"gnss", session->sensors.gnss, NFSAR_WIRE_SENSOR_GNSS, NFSAR_WIRE_SENSOR_GNSS},
    };
    const uint64_t began = transport_now_ms();
    for (size_t i = 0; i < sizeof sensors / sizeof sensors[0]; i++) {
        nfsar_error error;
        if (!sensors[i].wanted) {
            continue;
        }
        while (!runs(ear, &sensors[i]) && transport_now_ms() - began < TOLD_MS &&
               nfsar_hub_listen(ear->hub, 50, &error) == NFSAR_OK) {
        }
        if (runs(ear, &sensors[i])) {
            doctor_say(ear->doctor, "sensors", DOCTOR_OK, NULL, "%s is running", sensors[i].name);
        } else {
            doctor_say(ear->doctor, "sensors", DOCTOR_WRONG,
                       "its wires and rate (docs/firmware-sensors.md), or leave it out of sensors: "
                       "in the session",
                       "%s is wanted by the session, and is %s", sensors[i].name,
                       nfsar_wire_sensor_state_name(ear->sensors[sensors[i].first]));
        }
    }
}

/* ---- the radar ------------------------------------------------------------------------------- */

/* Any answer to `version` will do, also that there is no such command. */
static void check_radar(struct ear *ear, const char *port) {
    struct doctor *doctor = ear->doctor;
    const struct radar_control_options options = {.port = port,
                                                  .hub = ear->hub,
                                                  .timeout_ms = RADAR_MS,
                                                  .said = hear_radar,
                                                  .cancelled = is_cancelled,
                                                  .context = ear};
    nfsar_error error;
    enum nfsar_status status = radar_open(&options, &ear->radar, &error);
    if (status == NFSAR_OK) {
        static const char version[] = "version\n";
        status = radar_send_text(ear->radar, "radar", version, sizeof version - 1, &error);
    }
    if (status == NFSAR_OK || status == NFSAR_ERROR_REFUSED) {
        doctor_say(doctor, "radar", DOCTOR_OK, NULL, "its command line answers %s%s%s%s",
                   port != NULL ? "on " : "", port != NULL ? port : "through the hub",
                   ear->version[0] != '\0' ? ": " : "", ear->version);
        if (doctor->options->lvds) {
            doctor_lvds(doctor, ear->hub, ear->radar);
        }
    } else if (status != NFSAR_ERROR_CANCELLED) {
        doctor_say(doctor, "radar", DOCTOR_WRONG,
                   port != NULL
                       ? "5 V plugged in, SOP jumpers for functional mode, TI's demo flashed; its "
                         "command port is the first of the two that its USB cable makes"
                       : "5 V plugged in, SOP jumpers for functional mode, TI's demo flashed, and "
                         "its UART wired to the hub (docs/firmware-boards.md)",
                   "%s", error.message);
    }
    radar_close(ear->radar);
    ear->radar = NULL;
}

/* A radar without `version` refused it, and the hub remembers that. */
static void forget_refusal(struct ear *ear) {
    const struct nfsar_wire_do_clear clear = {UINT32_C(1) << NFSAR_WIRE_ERROR_RADAR_REFUSED};
    uint8_t payload[NFSAR_WIRE_DO_CLEAR_BYTES];
    nfsar_error error;
    nfsar_hub_do(ear->hub, NFSAR_WIRE_DO_CLEAR, 0, payload,
                 nfsar_wire_pack_do_clear(payload, &clear), NULL, &error);
}

static void check_radar_of_hub(struct ear *ear) {
    if (ear->hub == NULL) {
        doctor_say(ear->doctor, "radar", DOCTOR_UNKNOWN,
                   "radar.port in the session reaches it without a hub",
                   "not asked: it is behind the hub");
        return;
    }
    const bool before = ear->latched[NFSAR_WIRE_ERROR_RADAR_REFUSED];
    check_radar(ear, NULL);
    if (!before) {
        forget_refusal(ear);
    }
}

void doctor_hub(struct doctor *doctor) {
    struct ear ear = {.doctor = doctor};
    if (!is_usb_port(doctor->hub_port) && !check_port(doctor, "hub's port", doctor->hub_port)) {
        doctor_say(doctor, "hub", DOCTOR_UNKNOWN, NULL, "not asked: see its port");
    } else if (open_hub(&ear)) {
        check_errors(&ear);
        if (doctor->session != NULL) {
            check_sensors(&ear);
        }
    }
    if (doctor->radar_port == NULL) {
        check_radar_of_hub(&ear);
    } else if (check_port(doctor, "radar's port", doctor->radar_port)) {
        check_radar(&ear, doctor->radar_port);
    }
    nfsar_hub_close(ear.hub);
}
