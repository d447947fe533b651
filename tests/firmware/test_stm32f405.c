/* The STM32F405's board as it would set up and use the chip: its registers are plain memory at
 * their own addresses here. qemu shows only the ways that board_emulated() leaves open; this shows
 * the others: clocks, pins' functions, captures, sending by interrupt, reset flags. */
#include "tests/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/stm32f405/pins.h"
#include "firmware/boards/stm32f405/serial.h"
#include "firmware/boards/stm32f405/stamps.h"
#include "firmware/boards/stm32f405/usb.h"

#define PERIPHERALS ((void *)0x40000000)
#define SYSTEM      ((void *)0x1FFF7000)
#define DEBUG       ((void *)0xE0042000)

enum { PERIPHERALS_SIZE = 0x80000, PAGE = 0x1000 };

/* What the processor's part (boards/cortex_m4) and the application were told. */
static struct {
    enum core_cause cause;
    uint32_t priority[IRQ_COUNT]; /* 0: off */
    uint32_t reload, counts_per_tick, watchdog_ticks;
    unsigned inputs, stamps;
    uint32_t input, stamp, count;
} told;

enum core_cause core_take_cause(bool *warm) {
    *warm = true;
    return told.cause;
}

void core_interrupt_on(unsigned number, enum core_priority priority) {
    told.priority[number] = priority;
}

void core_interrupt_off(unsigned number) {
    told.priority[number] = 0;
}

void core_tick_start(uint32_t reload, uint32_t counts_per_tick) {
    told.reload = reload;
    told.counts_per_tick = counts_per_tick;
}

void core_watchdog_start(uint32_t ticks) {
    told.watchdog_ticks = ticks;
}

void core_watchdog_feed(void) {
}

uint32_t board_lock(void) {
    return 0;
}

void board_unlock(uint32_t state) {
    (void)state;
}

void board_on_input(enum board_input input, uint32_t count) {
    told.inputs++;
    told.input = input;
    told.count = count;
}

void board_on_stamp(enum board_stamp stamp, uint32_t count) {
    told.stamps++;
    told.stamp = stamp;
    told.count = count;
}

void usb_init(void) {
}

static void map_at(void *address, size_t size) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap(address, size, PROT_READ | PROT_WRITE, flags, -1, 0) != address) {
        puts("SKIPPED: the registers' addresses are taken in this process");
        exit(77);
    }
}

static int map_registers(void **state) {
    (void)state;
    map_at(PERIPHERALS, PERIPHERALS_SIZE);
    map_at(SYSTEM, PAGE);
#ifndef NFSAR_SANITIZED
    map_at(DEBUG, PAGE);
#endif
    return 0;
}

/* As after a reset: HSI runs (RM0090 7.3.1), JTAG's pins (8.4.1), PLLCFGR's value (7.3.2). Ready
 * bits of the others are there from the start: memory does not follow. */
static void reset_chip(uint32_t ready, uint32_t flags) {
    memset(PERIPHERALS, 0, PERIPHERALS_SIZE);
    memset(&told, 0, sizeof told);
    GPIO(PORT_A)->MODER = 0xA8000000u;
    GPIO(PORT_B)->MODER = 0x00000280u;
    RCC_CR = 0x83u | ready;
    RCC_PLLCFGR = 0x24003010u;
    RCC_CSR = flags;
}

static void start_chip(void) {
    reset_chip(RCC_CR_HSERDY | RCC_CR_PLLRDY, RCC_CSR_PORRSTF | RCC_CSR_PINRSTF);
    board_init();
}

/* RM0090 7.3.2: the PLL's output and USB's clock from its register. */
static void check_pll(double hse_hz, bool from_crystal) {
    uint32_t p = RCC_PLLCFGR;
    assert_int_equal(p >> 22 & 1u, from_crystal);
    double vco = (from_crystal ? hse_hz : 16e6) / (p & 63u) * (p >> 6 & 511u);
    assert_true(vco / (p >> 6 & 511u) == 2e6);
    assert_true(vco / (2 * (p >> 16 & 3u) + 2) == 168e6);
    assert_true(vco / (p >> 24 & 15u) == 48e6);
    assert_int_equal(p & 0xF0BC8000u, 0x20000000u);
}

static void clocks_come_from_the_crystal(void **state) {
    (void)state;
    start_chip();
    assert_false(board_emulated());
    assert_true(board_clock_exact());
    check_pll(BOARD_HSE_HZ, true);
    assert_int_equal(RCC_CFGR & 3u, 2);       /* the PLL is the system's clock */
    assert_int_equal(RCC_CFGR >> 4 & 15u, 0); /* AHB undivided */
    assert_int_equal(RCC_CFGR >> 10 & 7u, 5); /* APB1 / 4 = 42 MHz, its limit */
    assert_int_equal(RCC_CFGR >> 13 & 7u, 4); /* APB2 / 2 = 84 MHz, its limit */
    assert_int_equal(FLASH_ACR & 7u, 5);      /* 3.5.1: 168 MHz at 2.7 to 3.6 V */
    assert_int_equal(PWR_CR >> 14 & 1u, 1);
}

static void a_dead_crystal_is_no_end(void **state) {
    (void)state;
    reset_chip(RCC_CR_PLLRDY, 0);
    board_init();
    assert_false(board_clock_exact());
    check_pll(0, false);
    assert_int_equal(RCC_CFGR & 3u, 2);
}

static void a_dead_pll_is_no_end_either(void **state) {
    (void)state;
    reset_chip(RCC_CR_HSERDY, 0);
    board_init();
    assert_false(board_clock_exact());
    assert_int_equal(RCC_CFGR & 3u, 0); /* HSI stays */
}

static unsigned mode(char port, unsigned bit) {
    return GPIO((unsigned)(port - 'A'))->MODER >> 2 * bit & 3u;
}

/* DS8626 table 9, written down again from there. */
static void pins_have_their_functions(void **state) {
    (void)state;
    static const struct {
        char port;
        uint8_t bit, function;
    } alternate[] = {{'A', 10, 7},                             /* USART1, RX */
                     {'A', 2, 7},  {'A', 3, 7},                /* USART2 */
                     {'B', 10, 7}, {'B', 11, 7},               /* USART3 */
                     {'C', 10, 8}, {'C', 11, 8},               /* UART4 */
                     {'C', 6, 8},  {'C', 7, 8},                /* USART6 */
                     {'B', 13, 5}, {'B', 14, 5}, {'B', 15, 5}, /* SPI2 */
                     {'A', 5, 1},  {'A', 1, 1}};               /* TIM2_CH1, TIM2_CH2 */
    static const struct {
        char port;
        uint8_t bit;
    } outputs[] = {{'B', 8}, {'B', 9},  {'C', 8}, {'A', 8}, {'B', 0}, {'C', 9}, {'B', 4},
                   {'B', 1}, {'C', 12}, {'B', 5}, {'D', 2}, {'C', 5}, {'C', 1}},
      inputs[] = {{'A', 6}, {'A', 7}, {'B', 12}, {'C', 13}, {'A', 0}, {'A', 4}},
      free_[] = {{'C', 2}, {'C', 3}, {'C', 4}};
    start_chip();
    for (size_t i = 0; i < sizeof alternate / sizeof *alternate; i++) {
        unsigned port = (unsigned)(alternate[i].port - 'A'), bit = alternate[i].bit;
        assert_int_equal(mode(alternate[i].port, bit), 2);
        assert_int_equal(GPIO(port)->AFR[bit / 8] >> 4 * (bit % 8) & 15u, alternate[i].function);
    }
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        assert_int_equal(mode(outputs[i].port, outputs[i].bit), 1);
    }
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        assert_int_equal(mode(inputs[i].port, inputs[i].bit), 0);
        unsigned pull = GPIO((unsigned)(inputs[i].port - 'A'))->PUPDR >> 2 * inputs[i].bit & 3u;
        assert_int_equal(pull, 1); /* up: an open wire is active */
    }
    for (size_t i = 0; i < sizeof free_ / sizeof *free_; i++) {
        assert_int_equal(mode(free_[i].port, free_[i].bit), 0);
    }
    /* USART1's TX. A Feather has its supply on PA9, which a TX would short. */
    assert_int_equal(mode('A', 9), BOARD_LINK ? 2 : 0);
    assert_int_equal(GPIO(0)->AFR[1] >> 4 & 15u, BOARD_LINK ? 7 : 0);
    assert_int_equal(mode('A', 13), 2); /* SWD stays */
    assert_int_equal(mode('A', 14), 2);
    assert_int_equal(GPIO(PORT_B)->OTYPER, 1u << 9); /* NRESET alone is open drain */
}

static void outputs_are_single_stores(void **state) {
    (void)state;
    start_chip();
    board_set_step(1, true);
    assert_int_equal(GPIO(PORT_A)->BSRR, 1u << 8);
    board_set_step(1, false);
    assert_int_equal(GPIO(PORT_A)->BSRR, 1u << 24);
    board_set_enable(2, true); /* low = on */
    assert_int_equal(GPIO(PORT_D)->BSRR, 1u << 18);
    board_set_radar_reset(false);
    assert_int_equal(GPIO(PORT_B)->BSRR, 1u << 9);
    board_set_radar_boot(4);
    assert_int_equal(GPIO(PORT_C)->BSRR, 1u << 4);
    assert_int_equal(mode('C', 2) + mode('C', 3) + mode('C', 4), 3);
    board_release_radar_boot();
    assert_int_equal(mode('C', 2) + mode('C', 3) + mode('C', 4), 0);
    TIM2->CNT = 1234;
    assert_int_equal(board_pulse_sync(2000), 1234); /* the timer stands still: and yet an end */
    assert_int_equal(GPIO(PORT_B)->BSRR, 1u << 24);
}

static void inputs_interrupt(void **state) {
    (void)state;
    start_chip();
    assert_int_equal(SYSCFG_EXTICR(0), 0);            /* PA0 */
    assert_int_equal(SYSCFG_EXTICR(1), 0);            /* PA4, PA6, PA7 */
    assert_int_equal(SYSCFG_EXTICR(3), 1u | 2u << 4); /* PB12, PC13 */
    assert_int_equal(EXTI_IMR, 1u | 1u << 4 | 3u << 6 | 3u << 12);
    assert_int_equal(EXTI_RTSR, EXTI_IMR);
    GPIO(PORT_A)->IDR = 1u << 7;
    GPIO(PORT_C)->IDR = 1u << 13;
    assert_int_equal(board_inputs(), 1u << BOARD_LIMIT_X_HIGH | 1u << BOARD_LIMIT_Y_HIGH);
    TIM2->CNT = 77;
    EXTI_PR = 1u << 4 | 1u << 5; /* line 5 is not listened to: the timer captures PPS */
    stamps_exti_handler();
    assert_int_equal(told.inputs, 1);
    assert_int_equal(told.input, BOARD_EMERGENCY_STOP);
    assert_int_equal(told.count, 77);
    static const uint8_t lines[] = {IRQ_EXTI0, IRQ_EXTI4, IRQ_EXTI9_5, IRQ_EXTI15_10};
    for (size_t i = 0; i < sizeof lines; i++) {
        assert_int_equal(told.priority[lines[i]], CORE_PRIORITY_INPUT);
    }
}

static void the_timer_captures(void **state) {
    (void)state;
    start_chip();
    assert_int_equal(board_count_hz(), 84000000);
    assert_int_equal(TIM2->PSC, 0);
    assert_int_equal(TIM2->ARR, 0xFFFFFFFFu);
    assert_int_equal(TIM2->CR1 & 1u, 1);
    assert_int_equal(TIM2->CCMR[0], 0x0101); /* each channel from its own pin, unfiltered */
    assert_int_equal(TIM2->CCER, 0x11);      /* rising */
    assert_int_equal(TIM2->DIER, 6);
    TIM2->CCR[0] = 1111;
    TIM2->CCR[1] = 2222;
    TIM2->SR = 2;
    stamps_tim2_handler();
    assert_int_equal(told.stamps, 1);
    assert_int_equal(told.stamp, BOARD_STAMP_PPS);
    assert_int_equal(told.count, 1111);
    TIM2->SR = 4 | 1;
    stamps_tim2_handler();
    assert_int_equal(told.stamps, 2);
    assert_int_equal(told.stamp, BOARD_STAMP_SPI_IMU);
    assert_int_equal(told.count, 2222);
}

static void ports_set_rates_that_the_clock_makes(void **state) {
    (void)state;
    start_chip();
    const struct serial_port *link = board_port(BOARD_PORT_LINK); /* 84 MHz */
    const struct serial_port *imu = board_port(BOARD_PORT_IMU);   /* 42 MHz */
    assert_int_equal(USART1->BRR, 729);                           /* 84 MHz / 115200 = 729.2 */
    assert_int_equal(USART2->BRR, 365);                           /* 364.6 */
    assert_true(link->set_rate(link->context, 3000000));
    assert_int_equal(USART1->BRR, 28);
    assert_false(imu->set_rate(imu->context, 3000000)); /* less than 16 clocks to a bit */
    assert_true(imu->set_rate(imu->context, 921600));
    assert_int_equal(USART2->BRR, 46);                  /* 913043, 0.9 % slow */
    assert_false(imu->set_rate(imu->context, 2400000)); /* 17 or 18: 3 % off either way */
    assert_false(imu->set_rate(imu->context, 0));
    assert_false(imu->set_rate(imu->context, 100)); /* 16 bits of divider end at 641 */
}

static void bytes_are_received_with_their_time(void **state) {
    (void)state;
    start_chip();
    const struct serial_port *gnss = board_port(BOARD_PORT_GNSS);
    uint8_t byte;
    uint32_t count, lost = gnss->lost(gnss->context);
    assert_int_equal(UART4->CR1, 1u << 13 | 1u << 5 | 3u << 2);
    UART4->SR = USART_SR_TXE | USART_SR_RXNE;
    UART4->DR = 0xB5;
    TIM2->CNT = 555;
    serial_uart4_handler();
    assert_true(gnss->read(gnss->context, &byte, &count));
    assert_int_equal(byte, 0xB5);
    assert_int_equal(count, 555);
    assert_false(gnss->read(gnss->context, &byte, &count));
    UART4->SR = USART_SR_RXNE | USART_SR_FE; /* spoiled: not handed on */
    serial_uart4_handler();
    assert_false(gnss->read(gnss->context, &byte, &count));
    assert_int_equal(gnss->lost(gnss->context), lost + 1);
    UART4->SR = USART_SR_RXNE | USART_SR_ORE; /* this one is good, the next was lost */
    serial_uart4_handler();
    assert_true(gnss->read(gnss->context, &byte, &count));
    assert_int_equal(gnss->lost(gnss->context), lost + 2);
    UART4->SR = USART_SR_RXNE;
    for (int i = 0; i < 300; i++) { /* the ring holds 256 */
        serial_uart4_handler();
    }
    assert_int_equal(gnss->lost(gnss->context), lost + 2 + 44);
    for (int i = 0; i < 256; i++) {
        assert_true(gnss->read(gnss->context, &byte, &count));
    }
    assert_false(gnss->read(gnss->context, &byte, &count));
}

static void bytes_are_sent_by_interrupt(void **state) {
    (void)state;
    start_chip();
    const struct serial_port *radar = board_port(BOARD_PORT_RADAR);
    uint8_t many[600] = {'a', 'b'};
    USART6->SR = USART_SR_TXE;
    USART6->DR = 0;
    assert_int_equal(radar->write(radar->context, many, 2), 2);
    assert_true(USART6->CR1 & USART_CR1_TXEIE);
    serial_usart6_handler();
    assert_int_equal(USART6->DR, 'a');
    serial_usart6_handler();
    assert_int_equal(USART6->DR, 'b');
    serial_usart6_handler(); /* nothing left: no interrupt more */
    assert_false(USART6->CR1 & USART_CR1_TXEIE);
    assert_int_equal(radar->write(radar->context, many, sizeof many), 512);
    assert_int_equal(radar->write(radar->context, many, 1), 0);
    for (int i = 0; i < 513; i++) {
        serial_usart6_handler();
    }
    assert_false(USART6->CR1 & USART_CR1_TXEIE);
}

static void spi_ends_whatever_the_bus_does(void **state) {
    (void)state;
    start_chip();
    const struct spi_device *imu = board_spi_imu();
    const uint8_t out[2] = {0xF5, 0};
    uint8_t in[2] = {0};
    assert_int_equal(SPI2->CR1, 0x357); /* mode 3, master, / 8, software select, on */
    SPI2->SR = SPI_SR_TXE | SPI_SR_RXNE;
    assert_true(imu->transfer(imu->context, out, in, 1));
    assert_int_equal(in[0], 0xF5); /* memory gives back what was written */
    assert_int_equal(GPIO(PORT_C)->BSRR, 1u << 5);
    SPI2->SR = 0;
    assert_false(imu->transfer(imu->context, out, in, 2));
    assert_int_equal(GPIO(PORT_C)->BSRR, 1u << 5);
    SPI2->SR = SPI_SR_TXE | SPI_SR_RXNE | SPI_SR_BSY;
    assert_false(imu->transfer(imu->context, out, NULL, 1));
}

static enum board_reset_cause cause_of(uint32_t flags, enum core_cause own) {
    reset_chip(RCC_CR_HSERDY | RCC_CR_PLLRDY, flags);
    told.cause = own;
    board_init();
    assert_true(RCC_CSR & RCC_CSR_RMVF);
    return board_reset_cause();
}

/* RM0090 7.3.21: a reset of any kind also pulls the pin. */
static void causes_of_resets(void **state) {
    (void)state;
    uint32_t by_pin = 1u << 26;
    assert_int_equal(cause_of(3u << 26, CORE_CAUSE_NONE), BOARD_RESET_POWER);
    assert_int_equal(cause_of(by_pin, CORE_CAUSE_NONE), BOARD_RESET_PIN);
    assert_int_equal(cause_of(by_pin | 1u << 28, CORE_CAUSE_SOFTWARE), BOARD_RESET_SOFTWARE);
    assert_int_equal(cause_of(by_pin | 1u << 28, CORE_CAUSE_WATCHDOG), BOARD_RESET_WATCHDOG);
    assert_int_equal(cause_of(by_pin | 1u << 29, CORE_CAUSE_NONE), BOARD_RESET_WATCHDOG);
    assert_int_equal(cause_of(0, CORE_CAUSE_NONE), BOARD_RESET_UNKNOWN);
}

static void identity_and_tick(void **state) {
    (void)state;
    uint8_t serial[12], wanted[12];
    for (int i = 0; i < 12; i++) {
        ((uint8_t *)UNIQUE_ID)[i] = wanted[i] = (uint8_t)(3 * i + 1);
    }
    start_chip();
    board_start();
    board_serial(serial);
    assert_memory_equal(serial, wanted, 12);
    assert_int_equal(told.reload, 4200); /* 168 MHz / 40 kHz */
    assert_int_equal(told.counts_per_tick, 0);
}

/* One of its registers lies where the sanitizers keep their own. */
static void the_watchdog_is_fed(void **state) {
    (void)state;
#ifdef NFSAR_SANITIZED
    skip();
#else
    start_chip();
    board_watchdog_start(1000);
    assert_int_equal(told.watchdog_ticks, 40000);
    assert_int_equal(IWDG_PR, 3);     /* 32 kHz / 32 */
    assert_int_equal(IWDG_RLR, 2000); /* twice the time */
    assert_int_equal(IWDG_KR, 0xAAAA);
    IWDG_KR = 0;
    board_watchdog_feed();
    assert_int_equal(IWDG_KR, 0xAAAA);
    board_watchdog_start(4000);
    assert_int_equal(IWDG_RLR, 4095); /* 12 bits */
#endif
}

/* A boot loader may have left the crystal and the PLL on, and HSI off. */
static void a_chip_without_its_hsi_is_no_emulator(void **state) {
    (void)state;
    reset_chip(0, 0);
    RCC_CR = RCC_CR_HSEON | RCC_CR_HSERDY | RCC_CR_PLLON | RCC_CR_PLLRDY;
    board_init();
    assert_false(board_emulated());
    assert_true(board_clock_exact());
}

static void an_emulator_is_found_out(void **state) {
    (void)state;
    reset_chip(0, 0);
    RCC_CR = 0;
    board_init();
    board_start();
    assert_true(board_emulated());
    assert_true(board_clock_exact());
    assert_int_equal(board_count_hz(), 100000000);
    assert_int_equal(TIM2->PSC, 9);
    assert_int_equal(told.counts_per_tick, 10000);
    assert_int_equal(EXTI_IMR, 1u | 3u << 4 | 1u << 1 | 3u << 6 | 3u << 12);
    EXTI_PR = 1u << 5;
    stamps_exti_handler();
    assert_int_equal(told.stamps, 1);
    assert_int_equal(told.stamp, BOARD_STAMP_PPS);
    assert_int_equal(board_reset_cause(), BOARD_RESET_PIN);
    const struct serial_port *gnss = board_port(BOARD_PORT_GNSS);
    uint32_t count, lost = gnss->lost(gnss->context);
    uint8_t byte;
    UART4->SR = USART_SR_RXNE;
    for (int i = 0; i < 257; i++) {
        serial_uart4_handler();
    }
    assert_int_equal(told.priority[IRQ_UART4], 0); /* full: the sender waits */
    for (int i = 0; i < 256; i++) {
        assert_true(gnss->read(gnss->context, &byte, &count));
    }
    assert_false(gnss->read(gnss->context, &byte, &count));
    assert_int_equal(told.priority[IRQ_UART4], CORE_PRIORITY_SERIAL);
    assert_int_equal(gnss->lost(gnss->context), lost);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_come_from_the_crystal),
        cmocka_unit_test(a_dead_crystal_is_no_end),
        cmocka_unit_test(a_dead_pll_is_no_end_either),
        cmocka_unit_test(pins_have_their_functions),
        cmocka_unit_test(outputs_are_single_stores),
        cmocka_unit_test(inputs_interrupt),
        cmocka_unit_test(the_timer_captures),
        cmocka_unit_test(ports_set_rates_that_the_clock_makes),
        cmocka_unit_test(bytes_are_received_with_their_time),
        cmocka_unit_test(bytes_are_sent_by_interrupt),
        cmocka_unit_test(spi_ends_whatever_the_bus_does),
        cmocka_unit_test(causes_of_resets),
        cmocka_unit_test(identity_and_tick),
        cmocka_unit_test(the_watchdog_is_fed),
        cmocka_unit_test(a_chip_without_its_hsi_is_no_emulator),
        cmocka_unit_test(an_emulator_is_found_out),
    };
    return cmocka_run_group_tests(tests, map_registers, NULL);
}
