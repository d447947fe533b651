#include "firmware/boards/stm32f405/stamps.h"
#include "firmware/boards/board.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"

/* On silicon TIM2 counts 2 * APB1 = 84 MHz (RM0090 7.2). qemu's timers count 1 GHz whatever the
 * clocks are; a divider of 10 makes 100 MHz of it. */
enum { COUNT_HZ = 84000000, QEMU_DIVIDER = 10, QEMU_COUNT_HZ = 1000000000 / QEMU_DIVIDER };

enum { NO_INPUT = 0xFF };

static const pin inputs[BOARD_INPUTS] = {PIN_INPUT};
static const pin stamped[BOARD_STAMPS] = {
    [BOARD_STAMP_PPS] = PIN_PPS, [BOARD_STAMP_SPI_IMU] = PIN_SPI_IMU_INT};

static uint32_t stamp_lines;      /* EXTI lines of stamps that the timer does not capture */
static uint8_t input_of_line[16]; /* enum board_input, or NO_INPUT */

uint32_t board_count(void) {
    return TIM2->CNT;
}

uint32_t board_count_hz(void) {
    return clock_emulated() ? QEMU_COUNT_HZ : COUNT_HZ;
}

/* RM0090 18.3.5. Reading CCR clears the flag. Over-captures need no notice here: the interrupt
 * comes 1000 times in a second at most, and a missing stamp shows in the records. */
void stamps_tim2_handler(void) {
    uint32_t status = TIM2->SR;
    for (unsigned i = 0; i < BOARD_STAMPS; i++)
        if (status & 2u << i)
            board_on_stamp((enum board_stamp)i, TIM2->CCR[i]);
}

/* Every line comes here. Pending bits say which edge it was; qemu interrupts at edges that were not
 * asked for too, but leaves their bits clear. */
void stamps_exti_handler(void) {
    uint32_t now = TIM2->CNT;
    uint32_t pending = EXTI_PR & EXTI_IMR;
    EXTI_PR = pending;
    while (pending) {
        unsigned line = (unsigned)__builtin_ctz(pending);
        pending &= pending - 1;
        if (stamp_lines >> line & 1u)
            board_on_stamp(line == gpio_bit(PIN_PPS) ? BOARD_STAMP_PPS : BOARD_STAMP_SPI_IMU, now);
        else if (input_of_line[line] != NO_INPUT)
            board_on_input((enum board_input)input_of_line[line], now);
    }
}

/* Inputs are active high (a wire that opens is pulled up), and only becoming active matters. */
static void listen(pin p) {
    unsigned line = gpio_bit(p), shift = 4 * (line % 4);
    SYSCFG_EXTICR(line / 4) = (SYSCFG_EXTICR(line / 4) & ~(0xFu << shift)) | (uint32_t)(p / 16u)
                                                                                 << shift;
    EXTI_RTSR |= 1u << line;
    EXTI_PR = 1u << line;
    EXTI_IMR |= 1u << line;
}

static void start_timer(void) {
    clock_enable(&RCC_APB1ENR, RCC_APB1ENR_TIM2);
    TIM2->PSC = clock_emulated() ? QEMU_DIVIDER - 1 : 0;
    TIM2->ARR = 0xFFFFFFFFu;
    TIM2->EGR = TIM_EGR_UG; /* takes the divider over */
    TIM2->CR1 = TIM_CR1_CEN;
}

static void start_captures(void) {
    for (unsigned i = 0; i < BOARD_STAMPS; i++) {
        if (clock_emulated()) {
            gpio_input(stamped[i], GPIO_PULL_DOWN);
            stamp_lines |= 1u << gpio_bit(stamped[i]);
            listen(stamped[i]);
        } else {
            gpio_alternate(stamped[i], 1, GPIO_PULL_DOWN);
            TIM2->CCMR[i / 2] |= TIM_INPUT(i);
            TIM2->CCER |= 1u << 4 * i; /* rising edges */
            TIM2->DIER |= 2u << i;
        }
    }
    core_interrupt_on(IRQ_TIM2, CORE_PRIORITY_STAMP);
}

void stamps_init(void) {
    static const uint8_t lines[] = {IRQ_EXTI0, IRQ_EXTI1, IRQ_EXTI4, IRQ_EXTI9_5, IRQ_EXTI15_10};
    clock_enable(&RCC_APB2ENR, RCC_APB2ENR_SYSCFG);
    start_timer();
    start_captures();
    for (unsigned i = 0; i < sizeof input_of_line; i++)
        input_of_line[i] = NO_INPUT;
    for (unsigned i = 0; i < BOARD_INPUTS; i++) {
        gpio_input(inputs[i], GPIO_PULL_UP);
        input_of_line[gpio_bit(inputs[i])] = (uint8_t)i;
        listen(inputs[i]);
    }
    for (unsigned i = 0; i < sizeof lines; i++)
        core_interrupt_on(lines[i], CORE_PRIORITY_INPUT);
}

uint32_t board_inputs(void) {
    uint32_t active = 0;
    if (clock_emulated())
        return 0;
    for (unsigned i = 0; i < BOARD_INPUTS; i++)
        if (gpio_get(inputs[i]))
            active |= 1u << i;
    return active;
}
