/* What the forms of `nfsar hub` share: an open hub with what it said last, waiting that Ctrl-C
 * ends, quantities with units. */
#ifndef NFSAR_HOST_CLI_HUB_H
#define NFSAR_HOST_CLI_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include <nfsar/hub.h>

#include "host/devices/hub_error.h"
#include "host/devices/stage.h"

enum { HUB_SENSORS = 16, HUB_AXES = 8, HUB_ERRORS = 32, HUB_KINDS = 256, HUB_SILENT_MS = 5000 };

/* The last record of each sort. */
struct hub_session {
    nfsar_hub *hub;
    const char *port;
    bool has_status, has_crash, has_program, has_radar;
    struct nfsar_wire_status status;
    uint64_t status_ns; /* hub's time */
    struct nfsar_wire_crash crash;
    struct nfsar_wire_program program;
    struct nfsar_wire_radar radar;
    char radar_line[NFSAR_WIRE_PAYLOAD_MAX + 1]; /* the line that `radar` is about */
    bool has_sensor[HUB_SENSORS];
    struct nfsar_wire_sensor sensors[HUB_SENSORS];
    bool has_axis[HUB_AXES];
    struct nfsar_wire_axis axes[HUB_AXES];
    uint64_t axis_told[HUB_AXES]; /* how many records of it came */
    bool has_error[HUB_ERRORS];   /* latched now */
    struct nfsar_wire_error errors[HUB_ERRORS];
    uint64_t kinds[HUB_KINDS]; /* records that came, by kind */
    uint64_t heard_ms;         /* when the last record came */
    /* Told of each record, after it was kept above; NULL for none. */
    void (*also)(struct hub_session *session, const struct nfsar_wire_message *record);
    void *context;
};

/* Opens the port. Say cli_fail() of the error when it fails. */
enum nfsar_status hub_open(struct hub_session *session, const char *port, nfsar_error *error);
void hub_close(struct hub_session *session);

/* From now on Ctrl-C and SIGTERM only set what hub_interrupted() says. */
void hub_catch_interrupts(void);
bool hub_interrupted(void);
/* What was interrupted can then be waited for; a second interrupt, a second later or more, ends
 * that too. */
void hub_forget_interrupt(void);

/* Hears the hub until done(context), an interrupt, the limit, or a failure: the hub is gone, fell
 * silent, restarted. *reached: done() said so. */
enum nfsar_status hub_wait(struct hub_session *session, bool (*done)(void *context), void *context,
                           uint64_t limit_ms, bool *reached, nfsar_error *error);
uint64_t hub_now_ms(void);

/* One command; the payload is what the pack function wrote. */
enum nfsar_status hub_command(struct hub_session *session, uint8_t kind, uint8_t channel,
                              const uint8_t *payload, size_t n, nfsar_error *error);

/* ---- words ---- */

/* "x 1200 moving" */
const char *hub_axis_text(const struct nfsar_wire_axis *axis, unsigned number, char text[128]);
/* Text of a record, made printable. */
void hub_copy_text(char *to, size_t size, const uint8_t *from, size_t n);
const char *hub_kind_name(unsigned kind);

/* ---- quantities ---- */

/* The axis of this name, or -1 after saying on stderr what is wrong. */
int hub_axis(const char *form, const char *name);
/* "120mm", "-3cm", "0.5m", "90deg", "2turns", "1200steps", 0: as steps of the axis. rig may be
 * NULL: then only steps. False after saying what is wrong. */
bool hub_length(const char *form, const char *text, const struct stage *rig, unsigned axis,
                int32_t *steps);
/* "50mm/s", "10deg/s", "4000steps/s". */
bool hub_speed(const char *form, const char *text, const struct stage *rig, unsigned axis,
               float *steps_per_s);
/* "20ms", "5us", "0.1s" in nanoseconds, below 2^63. */
bool hub_time(const char *form, const char *text, uint64_t *ns);

/* ---- the forms: port and the arguments after the form's name ---- */

int hub_show(const char *port, int argc, char **argv);
int hub_watch(const char *port, int argc, char **argv);
int hub_radar(const char *port, int argc, char **argv);
int hub_setup(const char *port, int argc, char **argv);
int hub_home(const char *port, int argc, char **argv);
int hub_move(const char *port, int argc, char **argv);
int hub_place(const char *port, int argc, char **argv);
int hub_stop(const char *port, int argc, char **argv);
int hub_enable(const char *port, int argc, char **argv);
int hub_emergency(const char *port, int argc, char **argv);
int hub_clear(const char *port, int argc, char **argv);
int hub_trigger(const char *port, int argc, char **argv);
int hub_scan(const char *port, int argc, char **argv);
int hub_restart(const char *port, int argc, char **argv);
int hub_crash(const char *port, int argc, char **argv);

/* The crash record in lines, with the command that says where in the source it was. */
void hub_print_crash(const struct nfsar_wire_crash *crash, const struct nfsar_wire_hello *hello);

#endif
