/* board.h on the host, in virtual time: a tick comes when the test says so. Outputs are recorded
 * and their rules checked as they happen; inputs and serial ports are the test's. One board, as on
 * a chip: fake_board_reset() makes it new. */
#ifndef NFSAR_TESTS_FAKE_BOARD_H
#define NFSAR_TESTS_FAKE_BOARD_H

#include "firmware/boards/board.h"

/* Bytes of a serial line, in the order of their coming. */
enum { FAKE_PORT_BYTES = 1 << 16 };
struct fake_queue {
    uint8_t bytes[FAKE_PORT_BYTES];
    uint32_t head, tail;
};

struct fake_port {
    struct fake_queue to_hub, from_hub;
    uint32_t rate;
    uint32_t lost;
    size_t most_taken; /* of one write(); 0 = as many as fit */
};

enum fake_kind { FAKE_STEP, FAKE_DIRECTION, FAKE_ENABLE, FAKE_SYNC };

struct fake_edge {
    uint64_t time; /* count, 64 bits */
    enum fake_kind kind;
    unsigned axis;
    bool level;
};

struct fake_axis {
    bool step, direction, enable;
    int32_t position; /* counted from the pins: rising edges of step, direction high = +1 */
    uint64_t steps;
    uint64_t rose, fell, turned, woke; /* when the pins last changed */
    uint64_t shortest_high, shortest_low, shortest_setup;
    uint64_t asleep; /* steps made while not enabled */
};

struct fake_board {
    uint32_t count_hz, tick_hz;
    uint64_t time;       /* of the free-running timer, whose 32 bits are board_count() */
    uint32_t count_step; /* by which the timer moves whenever it is read */
    uint32_t stack_free; /* of 4096 */
    uint64_t ticks;
    bool emulated;
    uint8_t serial[12];

    uint32_t inputs;
    uint32_t pending; /* edges whose handler has still to come */
    uint32_t pending_count[BOARD_INPUTS];
    struct fake_axis axis[BOARD_AXES];
    uint64_t syncs;
    uint64_t sync_time;
    uint32_t sync_width_ns;
    bool radar_reset, led;
    unsigned radar_boot; /* SOP as driven */
    bool radar_boot_driven;
    bool inexact; /* board_clock_exact() says so */

    struct fake_port port[BOARD_PORTS];
    const struct spi_device *spi;
    struct dcd *usb;

    uint32_t watchdog_ms; /* 0 = not started */
    uint64_t fed;
    unsigned resets, faults, hangs;
    enum board_reset_cause cause;
    uint8_t kept[BOARD_KEPT_BYTES];

    unsigned locked;
    bool in_tick;
    /* A tick comes whenever interrupts are let in again: the worst that can happen. */
    bool tick_on_unlock;

    /* What the interrupts call; NULL: nothing. */
    void (*on_tick)(void *context);
    void (*on_input)(void *context, enum board_input input, uint32_t count);
    void (*on_stamp)(void *context, enum board_stamp stamp, uint32_t count);
    /* Told of every edge of the pins; the record if a test wants one. */
    void (*on_edge)(void *context, const struct fake_edge *edge);
    void *context;
    void *edge_context;
};

extern struct fake_board fake_board;

/* As after power-on: 84 MHz, 40 kHz. */
void fake_board_reset(void);
/* The timer runs on to the next tick, and the tick comes. */
void fake_board_tick(void);
void fake_board_ticks(uint64_t n);
/* The timer runs on without a tick, as when interrupts are kept off too long. */
void fake_board_starve(uint64_t counts);
/* The level of an input; an edge to active calls on_input. */
void fake_board_input(enum board_input input, bool active);
/* Only the edge, as the emulator gives it: the level reads 0. */
void fake_board_edge(enum board_input input);
void fake_board_stamp(enum board_stamp stamp);
/* Bytes for the hub; how many fitted. */
size_t fake_board_send(enum board_port port, const void *bytes, size_t n);
/* Takes up to n bytes that the hub sent. */
size_t fake_board_receive(enum board_port port, void *bytes, size_t n);

#endif
