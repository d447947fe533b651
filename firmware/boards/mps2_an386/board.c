/* board.h on an MPS2 with the Cortex-M4 image. */
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/cortex_m4/fault.h"
#include "firmware/boards/mps2_an386/pins.h"
#include "firmware/boards/mps2_an386/registers.h"
#include "firmware/boards/mps2_an386/serial.h"

enum { TICK_HZ = 10000 }; /* what qemu keeps; docs/firmware-boards.md */

enum { SYNC_POLLS = 2000 };

static enum board_reset_cause cause;
static uint32_t watchdog_load;
static bool emulated;

/* Other pins stay as they are: the mask is part of the address (DDI 0479 3.5.4). */
static void set_pin(unsigned pin, bool level) {
    if (pin < 8) {
        GPIO_MASK_LOW(1u << pin) = (uint32_t)level << pin;
    } else {
        GPIO_MASK_HIGH(1u << (pin - 8)) = (uint32_t)level << pin;
    }
}

static void find_cause(void) {
    bool warm;
    switch (core_take_cause(&warm)) {
    case CORE_CAUSE_SOFTWARE:
        cause = BOARD_RESET_SOFTWARE;
        break;
    case CORE_CAUSE_WATCHDOG:
        cause = BOARD_RESET_WATCHDOG;
        break;
    default:
        cause = warm ? BOARD_RESET_PIN : BOARD_RESET_POWER;
    }
}

void board_init(void) {
    (void)board_lock();
    emulated = GPIO_COMPONENT_ID == 0;
    find_cause();
    for (unsigned pin = 0; pin < PIN_COUNT; pin++) {
        set_pin(pin, pin >= PIN_ENABLE && pin < PIN_ENABLE + BOARD_AXES);
    }
    GPIO_OUTENSET = (1u << PIN_RADAR_SOP) - 1;
    TIMER_RELOAD = 0xFFFFFFFFu;
    TIMER_VALUE = 0xFFFFFFFFu;
    TIMER_CTRL = TIMER_CTRL_ON;
    serial_init();
}

void board_start(void) {
    core_tick_start(CLOCK_HZ / TICK_HZ, emulated ? CLOCK_HZ / TICK_HZ : 0);
    board_unlock(0);
}

const char *board_name(void) {
    return "mps2-an386";
}

bool board_emulated(void) {
    return emulated;
}

void board_serial(uint8_t serial[12]) {
    static const uint8_t fixed[12] = {'m', 'p', 's', '2', '-', 'a', 'n', '3', '8', '6', '-', '1'};
    for (int i = 0; i < 12; i++) {
        serial[i] = fixed[i];
    }
}

uint32_t board_count(void) {
    return ~TIMER_VALUE;
}

uint32_t board_count_hz(void) {
    return CLOCK_HZ;
}

bool board_clock_exact(void) {
    return true;
}

uint32_t board_tick_hz(void) {
    return TICK_HZ;
}

const struct spi_device *board_spi_imu(void) {
    return NULL;
}

struct dcd *board_usb(void) {
    return NULL;
}

void board_set_step(unsigned axis, bool level) {
    set_pin(PIN_STEP + axis, level);
}

void board_set_direction(unsigned axis, bool forward) {
    set_pin(PIN_DIRECTION + axis, forward);
}

void board_set_enable(unsigned axis, bool on) {
    set_pin(PIN_ENABLE + axis, !on);
}

uint32_t board_pulse_sync(uint32_t width_ns) {
    uint32_t width = (width_ns * (CLOCK_HZ / 1000000u) + 999) / 1000;
    uint32_t state = board_lock(); /* a serial port's interrupt would come between */
    set_pin(PIN_SYNC, true);
    uint32_t edge = board_count();
    board_unlock(state);
    for (int i = 0; i < SYNC_POLLS && board_count() - edge < width; i++) {
    }
    set_pin(PIN_SYNC, false);
    return edge;
}

void board_set_radar_reset(bool held) {
    set_pin(PIN_RADAR_RESET, !held);
}

void board_set_radar_boot(unsigned sop) {
    for (unsigned i = 0; i < 3; i++) {
        set_pin(PIN_RADAR_SOP + i, sop >> i & 1u);
    }
    GPIO_OUTENSET = 7u << PIN_RADAR_SOP;
}

void board_release_radar_boot(void) {
    GPIO_OUTENCLR = 7u << PIN_RADAR_SOP;
}

void board_set_led(bool on) {
    FPGAIO_LED = on;
}

uint32_t board_inputs(void) {
    return 0;
}

/* The interrupt of the watchdog: its first end writes down why, and resets; should that hang, its
 * second end resets too. */
void core_nmi_handler(void) {
    core_reset(CORE_CAUSE_WATCHDOG);
}

void board_watchdog_start(uint32_t timeout_ms) {
    watchdog_load = timeout_ms * (CLOCK_HZ / 1000);
    WATCHDOG_LOCK = WATCHDOG_KEY;
    WATCHDOG_LOAD = watchdog_load;
    WATCHDOG_CONTROL = WATCHDOG_ON;
}

/* Clearing the interrupt also takes the load value anew. */
void board_watchdog_feed(void) {
    if (watchdog_load) {
        WATCHDOG_INTCLR = 1;
    }
}

enum board_reset_cause board_reset_cause(void) {
    return cause;
}
