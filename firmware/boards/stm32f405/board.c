/* board.h on an STM32F405: start, identity, pins out, watchdog, cause of the reset. */
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"
#include "firmware/boards/stm32f405/serial.h"
#include "firmware/boards/stm32f405/spi_imu.h"
#include "firmware/boards/stm32f405/stamps.h"
#include "firmware/boards/stm32f405/usb.h"

/* qemu's clocks are the host's: it keeps this rate, and twice it not (docs/firmware-boards.md). */
enum { TICK_HZ = 40000, QEMU_TICK_HZ = 10000 };

enum { SYNC_POLLS = 2000 }; /* more than 10 us of looks at the timer */

static const pin step[BOARD_AXES] = {PIN_STEP};
static const pin direction[BOARD_AXES] = {PIN_DIRECTION};
static const pin enable[BOARD_AXES] = {PIN_ENABLE};
static const pin sop[] = {PIN_RADAR_SOP0, PIN_RADAR_SOP1, PIN_RADAR_SOP2};

static enum board_reset_cause cause;

static enum board_reset_cause cause_of_flags(uint32_t flags) {
    if (flags & RCC_CSR_IWDGRSTF)
        return BOARD_RESET_WATCHDOG;
    if (flags & RCC_CSR_SFTRSTF)
        return BOARD_RESET_SOFTWARE;
    if (flags & RCC_CSR_PORRSTF)
        return BOARD_RESET_POWER;
    if (flags & RCC_CSR_PINRSTF)
        return BOARD_RESET_PIN;
    return BOARD_RESET_UNKNOWN;
}

/* RM0090 7.3.21; the pin's flag is set with every other. What the firmware wrote down before it
 * reset itself says more, and is all that there is in an emulator. */
static void find_cause(void) {
    bool warm;
    enum core_cause own = core_take_cause(&warm);
    if (clock_emulated()) {
        cause = warm ? BOARD_RESET_PIN : BOARD_RESET_POWER;
    } else {
        cause = cause_of_flags(RCC_CSR);
        RCC_CSR |= RCC_CSR_RMVF;
    }
    if (own == CORE_CAUSE_WATCHDOG)
        cause = BOARD_RESET_WATCHDOG;
    else if (own == CORE_CAUSE_SOFTWARE && clock_emulated())
        cause = BOARD_RESET_SOFTWARE;
}

static void start_outputs(void) {
    gpio_output(PIN_SYNC, false);
    gpio_output_open_drain(PIN_RADAR_RESET, false); /* held until the application lets go */
    board_release_radar_boot();
    for (unsigned axis = 0; axis < BOARD_AXES; axis++) {
        gpio_output(enable[axis], true);
        gpio_output(direction[axis], false);
        gpio_output(step[axis], false);
    }
    gpio_output(PIN_LED, false);
}

void board_init(void) {
    (void)board_lock();
    clock_tree_init();
    clock_enable(&RCC_AHB1ENR, RCC_AHB1ENR_GPIO);
    find_cause();
    start_outputs();
    stamps_init();
    serial_init();
    spi_imu_init();
    usb_init();
}

void board_start(void) {
    uint32_t counts = clock_emulated() ? board_count_hz() / board_tick_hz() : 0;
    core_tick_start(CLOCK_CORE_HZ / board_tick_hz(), counts);
    board_unlock(0);
}

const char *board_name(void) {
    return "stm32f405";
}

bool board_emulated(void) {
    return clock_emulated();
}

/* The address of the number leads nowhere in qemu. */
void board_serial(uint8_t serial[12]) {
    static const uint8_t emulated[12] = {'q', 'e', 'm', 'u', '-', 'f',
                                         '4', '0', '5', '-', '0', '1'};
    const uint8_t *from = clock_emulated() ? emulated : UNIQUE_ID;
    for (int i = 0; i < 12; i++)
        serial[i] = from[i];
}

bool board_clock_exact(void) {
    return clock_emulated() || clock_from_crystal();
}

uint32_t board_tick_hz(void) {
    return clock_emulated() ? QEMU_TICK_HZ : TICK_HZ;
}

void board_set_step(unsigned axis, bool level) {
    gpio_set(step[axis], level);
}

void board_set_direction(unsigned axis, bool forward) {
    gpio_set(direction[axis], forward);
}

void board_set_enable(unsigned axis, bool on) {
    gpio_set(enable[axis], !on);
}

uint32_t board_pulse_sync(uint32_t width_ns) {
    uint32_t width = (width_ns * (board_count_hz() / 1000000u) + 999) / 1000;
    uint32_t state = board_lock(); /* a serial port's interrupt would come between */
    gpio_set(PIN_SYNC, true);
    uint32_t edge = TIM2->CNT;
    board_unlock(state);
    for (int i = 0; i < SYNC_POLLS && TIM2->CNT - edge < width; i++) {
    }
    gpio_set(PIN_SYNC, false);
    return edge;
}

void board_set_radar_reset(bool held) {
    gpio_set(PIN_RADAR_RESET, !held);
}

void board_set_radar_boot(unsigned mode) {
    for (unsigned i = 0; i < sizeof sop / sizeof *sop; i++)
        gpio_output(sop[i], mode >> i & 1u);
}

void board_release_radar_boot(void) {
    for (unsigned i = 0; i < sizeof sop / sizeof *sop; i++)
        gpio_input(sop[i], GPIO_NO_PULL);
}

void board_set_led(bool on) {
    gpio_set(PIN_LED, on);
}

/* The hardware's comes last: 32 kHz within 17 to 47 kHz (DS8626, internal clocks), so it is given
 * twice the time, and the tick's watchdog is there for the exact one. */
static void start_hardware_watchdog(uint32_t timeout_ms) {
    uint32_t reload = timeout_ms * 2 > 0xFFF ? 0xFFF : timeout_ms * 2;
    DBGMCU_APB1_FZ |= DBGMCU_APB1_FZ_IWDG;
    IWDG_KR = IWDG_KR_START;
    IWDG_KR = IWDG_KR_ACCESS;
    IWDG_PR = IWDG_PR_32;
    IWDG_RLR = reload;
    for (int i = 0; i < 100000 && IWDG_SR; i++) { /* five periods of 32 kHz */
    }
    IWDG_KR = IWDG_KR_FEED;
}

void board_watchdog_start(uint32_t timeout_ms) {
    core_watchdog_start(timeout_ms * (board_tick_hz() / 1000));
    if (!clock_emulated())
        start_hardware_watchdog(timeout_ms);
}

void board_watchdog_feed(void) {
    core_watchdog_feed();
    if (!clock_emulated())
        IWDG_KR = IWDG_KR_FEED;
}

enum board_reset_cause board_reset_cause(void) {
    return cause;
}
