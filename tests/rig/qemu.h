/* qemu with the hub's image for the STM32F405: its ports as sockets, its pins from the log of
 * devices that it does not have, edges into its inputs and its timer by qtest. As
 * tests/firmware/emulated_board.py, which says more of the ways. */
#ifndef NFSAR_TESTS_RIG_QEMU_H
#define NFSAR_TESTS_RIG_QEMU_H

#include <nfsar/status.h>

#include <stdbool.h>
#include <sys/types.h>

#include "firmware/boards/board.h"

enum { QEMU_COUNT_HZ = 100000000, QEMU_PORT_BYTES = 1 << 16 };

/* A pin's level as it was written. */
enum qemu_pin {
    QEMU_STEP0,
    QEMU_STEP1,
    QEMU_STEP2,
    QEMU_DIRECTION0,
    QEMU_DIRECTION1,
    QEMU_DIRECTION2,
    QEMU_SYNC,
    QEMU_RADAR_RESET,
    QEMU_PINS
};
typedef void qemu_wrote(void *context, enum qemu_pin pin, bool level);

struct qemu {
    pid_t pid; /* 0: not running */
    char folder[220];
    int port[BOARD_PORTS];
    int qtest;
    int log;            /* the pipe that qemu writes its log to */
    char text[1 << 20]; /* of the log, not looked at yet */
    size_t bytes;
    bool reading;
    uint8_t came[BOARD_PORTS][QEMU_PORT_BYTES]; /* from the ports, not asked for yet */
    size_t n_came[BOARD_PORTS];
    qemu_wrote *wrote;
    void *context;
};

/* Sockets are made in the folder. wrote() is called from qemu_read_pins(), and from whatever waits
 * for qemu: it stands still, deaf to qtest too, while nobody reads its log or a port that is full.
 * A few hundred bytes fill one, as each is a packet to the socket. */
enum nfsar_status qemu_start(struct qemu *qemu, const char *image, const char *folder,
                             qemu_wrote *wrote, void *context, nfsar_error *error);
/* Ends qemu, in 5 s at most. */
void qemu_end(struct qemu *qemu);
bool qemu_runs(struct qemu *qemu);

/* What pins did since the last time. */
void qemu_read_pins(struct qemu *qemu);

/* Bytes that the hub sent, n at most; 0: none now. */
size_t qemu_read_port(struct qemu *qemu, enum board_port port, uint8_t *bytes, size_t n);
/* To the hub: all of it, or what it takes in a while. One that does not read loses bytes, as on a
 * serial line. */
void qemu_write_port(struct qemu *qemu, enum board_port port, const void *bytes, size_t n);

/* The free-running timer. Fails when qemu is gone. */
enum nfsar_status qemu_count(struct qemu *qemu, uint32_t *count, nfsar_error *error);
/* The level at an EXTI line. */
enum nfsar_status qemu_set_line(struct qemu *qemu, unsigned line, bool level, nfsar_error *error);

#endif
