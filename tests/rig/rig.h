/* The emulated rig: what a board that runs the hub calls when pins move and bytes come. One thread
 * runs the board and all that is on its pins and ports; another computes echoes and hands them to
 * the capture card. What is inside: rig_parts.h. */
#ifndef NFSAR_TESTS_RIG_RIG_H
#define NFSAR_TESTS_RIG_RIG_H

#include <signal.h>

#include <nfsar/status.h>

#include "firmware/boards/board.h"
#include "tests/rig/faults.h"

struct rig;

/* What the rig does to a board. */
struct rig_board {
    void *context;
    void (*send)(void *context, enum board_port port, const void *bytes, size_t n);
    void (*input)(void *context, enum board_input input, bool active);
    void (*pulse)(void *context);   /* per second */
    void (*restart)(void *context); /* NULL: it cannot be made to */
};

struct rig_options {
    const char *session, *scene;
    const char *folder;          /* NULL: that of the session's hub port, or a new one */
    const char *hub;             /* "host", or an image for qemu; NULL: host */
    const char *truth, *tracker; /* files; NULL: none */
    struct rig_faults faults;
    double seconds; /* 0: until a signal */
};

/* Reads session and scene, starts card and worker. rig_close() in any case. rig_new(): NULL when
 * there is no memory. */
struct rig *rig_new(void);
enum nfsar_status rig_open(struct rig *rig, const struct rig_options *options, nfsar_error *error);
void rig_close(struct rig *rig);
/* A board takes the rig over. */
void rig_connect(struct rig *rig, const struct rig_board *board);
const char *rig_folder(const struct rig *rig);
const struct rig_options *rig_options(const struct rig *rig);
/* All is up: says so. */
void rig_ready(const struct rig *rig);

/* ---- what a board calls; times are the hub's ---- */

void rig_heard(struct rig *rig, enum board_port port, const uint8_t *bytes, size_t n);
void rig_step(struct rig *rig, unsigned axis, bool direction, uint64_t time_ns);
/* SYNC_IN rose: the radar is where it is now. When that was, a board may know later; times come in
 * the order of the pulses. */
void rig_sync(struct rig *rig);
void rig_sync_was(struct rig *rig, uint64_t time_ns);
void rig_radar_reset(struct rig *rig, bool held, uint64_t time_ns);
/* What is due by now; as often as it comes round. */
void rig_run(struct rig *rig, uint64_t now_ns);
/* Only the switches. */
void rig_switches(struct rig *rig);
/* The hub was reset: its time begins anew. */
void rig_restart(struct rig *rig);

/* Runs a board with the hub behind the unix socket folder/hub until *ended, or so many seconds. */
enum nfsar_status rig_run_on_host(struct rig *rig, const volatile sig_atomic_t *ended,
                                  nfsar_error *error);
enum nfsar_status rig_run_in_qemu(struct rig *rig, const volatile sig_atomic_t *ended,
                                  nfsar_error *error);

#endif
