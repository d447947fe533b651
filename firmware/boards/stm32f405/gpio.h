/* Pins as one number each: port * 16 + bit, which is also what the EXTI multiplexer counts by. */
#ifndef NFSAR_BOARDS_STM32F405_GPIO_H
#define NFSAR_BOARDS_STM32F405_GPIO_H

#include <stdbool.h>

#include "firmware/boards/stm32f405/registers.h"

enum { PORT_A, PORT_B, PORT_C, PORT_D };

typedef uint8_t pin;

#define PIN(port, bit) ((pin)(PORT_##port * 16 + (bit)))

enum gpio_pull { GPIO_NO_PULL, GPIO_PULL_UP, GPIO_PULL_DOWN };

void gpio_input(pin p, enum gpio_pull pull);
/* Push-pull, at `level` from the first moment. */
void gpio_output(pin p, bool level);
void gpio_output_open_drain(pin p, bool level);
void gpio_alternate(pin p, unsigned function, enum gpio_pull pull);
/* The steepest edges; after one of the above. */
void gpio_fast(pin p);

static inline unsigned gpio_bit(pin p) {
    return p % 16u;
}

/* One plain store: it cannot disturb another pin, whatever interrupts it, and an emulator's log of
 * these stores is the truth of the rig's tests. */
static inline void gpio_set(pin p, bool level) {
    GPIO(p / 16u)->BSRR = 1u << (gpio_bit(p) + (level ? 0 : 16));
}

static inline bool gpio_get(pin p) {
    return GPIO(p / 16u)->IDR >> gpio_bit(p) & 1u;
}

#endif
