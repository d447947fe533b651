/* What a board gives the application. Each folder beside this file implements it once; the facts of
 * a board (pins, clocks, which port is which) are in its pins.h alone. tests/firmware/fake_board.c
 * implements it for the host. Functions return at once unless they say how long they may take. */
#ifndef NFSAR_BOARDS_BOARD_H
#define NFSAR_BOARDS_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/drivers/bus.h"

enum board_port {
    BOARD_PORT_LINK,  /* the host, where it does not come by USB */
    BOARD_PORT_IMU,   /* WitMotion's protocol */
    BOARD_PORT_FLOW,  /* MSP v2: optical flow and range */
    BOARD_PORT_GNSS,  /* UBX */
    BOARD_PORT_RADAR, /* the radar's command line */
    BOARD_PORTS
};

enum { BOARD_AXES = 3 }; /* x, y, turntable */

/* Inputs, as bits of board_inputs(). */
enum board_input {
    BOARD_LIMIT_X_LOW,
    BOARD_LIMIT_X_HIGH,
    BOARD_LIMIT_Y_LOW,
    BOARD_LIMIT_Y_HIGH,
    BOARD_LIMIT_TURN_HOME,
    BOARD_EMERGENCY_STOP,
    BOARD_INPUTS
};

/* What the timer's count is captured for. */
enum board_stamp { BOARD_STAMP_PPS, BOARD_STAMP_SPI_IMU, BOARD_STAMPS };

/* Clocks, pins, ports, timer, watchdog off, interrupts off. */
void board_init(void);
/* Lets interrupts come. */
void board_start(void);

const char *board_name(void);
/* True in an emulator, where timers capture nothing and pins read zero. */
bool board_emulated(void);
/* The chip's own number, 12 bytes. */
void board_serial(uint8_t serial[12]);

/* The free-running 32-bit timer that every stamp is read from, and its exact rate. */
uint32_t board_count(void);
uint32_t board_count_hz(void);
/* False: the crystal did not start, and every rate is only within 1 %. */
bool board_clock_exact(void);
/* The rate at which board_on_tick() is called. */
uint32_t board_tick_hz(void);

/* In board_on_tick(): the count at which this tick was due. Ticks that an emulator makes up for
 * come one upon the other, but were due a period apart; on silicon it is the count now. */
uint32_t board_tick_count(void);

/* Interrupts that the application handles. The board calls them at these priorities, highest first;
 * the same priority never interrupts itself. */
void board_on_tick(void);                                    /* motion and triggers: tick_hz */
void board_on_input(enum board_input input, uint32_t count); /* an edge of an input */
void board_on_stamp(enum board_stamp stamp, uint32_t count); /* a captured edge */

/* Sleeps until the next interrupt, at most a tick; returns at once where one is waiting. For the
 * end of the main loop: it leaves an emulator's processor to others. */
void board_idle(void);

/* Keeps all interrupts off between the two. Returns what board_unlock() wants. */
uint32_t board_lock(void);
void board_unlock(uint32_t state);

const struct serial_port *board_port(enum board_port port);
/* The SPI IMU's bus, or NULL where the board has none. */
const struct spi_device *board_spi_imu(void);
/* The controller of the USB device, or NULL where the board has none. */
struct dcd;
struct dcd *board_usb(void);

/* Pins out. Levels are logical: true = active. */
void board_set_step(unsigned axis, bool level);
void board_set_direction(unsigned axis, bool forward);
void board_set_enable(unsigned axis, bool on);
/* Raises SYNC_IN, returns the timer's count at the edge, lowers it at least width_ns later. Called
 * from board_on_tick(); takes the width, 1 to 10 us. */
uint32_t board_pulse_sync(uint32_t width_ns);
void board_set_radar_reset(bool held);
/* SOP[2:0] as the radar samples them when its reset is released. */
void board_set_radar_boot(unsigned sop);
/* Lets go of the SOP pins, which the radar drives itself once it runs (TDO, SYNC_OUT, PMIC_CLKOUT).
 * They are let go from the start until board_set_radar_boot(). */
void board_release_radar_boot(void);
void board_set_led(bool on);

/* Levels of the inputs now, bit for bit of enum board_input; 1 = active. An open wire reads active:
 * switches are normally closed. An emulator reads 0. */
uint32_t board_inputs(void);

/* The watchdog resets the chip when it is not fed for timeout_ms. Once started it cannot be
 * stopped. */
void board_watchdog_start(uint32_t timeout_ms);
void board_watchdog_feed(void);
/* Resets the chip; does not return. */
void board_reset(void);

enum board_reset_cause {
    BOARD_RESET_POWER,
    BOARD_RESET_PIN,
    BOARD_RESET_SOFTWARE,
    BOARD_RESET_WATCHDOG,
    BOARD_RESET_UNKNOWN
};
enum board_reset_cause board_reset_cause(void);

/* Memory that a reset leaves as it was (power-on leaves noise), for the crash record. */
enum { BOARD_KEPT_BYTES = 256 };
void *board_kept(void);

/* Bytes of the stack never used since the start, and its size. */
uint32_t board_stack_free(void);
uint32_t board_stack_size(void);

/* For the tests of the fault handler and the watchdog: on purpose, these do not come back. */
void board_fault_now(void);
void board_hang_now(void);

/* The fault handler of the board fills this and calls it; it stores the record and resets. */
struct board_fault {
    uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
    uint32_t cfsr, hfsr, fault_address;
    uint32_t exception; /* number of the exception: 3 hard fault ... */
};
void board_on_fault(const struct board_fault *fault);

#endif
