#include "firmware/boards/stm32f405/gpio.h"

enum { MODE_INPUT, MODE_OUTPUT, MODE_ALTERNATE };

static void set_two_bits(reg *where, unsigned bit, unsigned value) {
    *where = (*where & ~(3u << 2 * bit)) | value << 2 * bit;
}

void gpio_input(pin p, enum gpio_pull pull) {
    set_two_bits(&GPIO(p / 16u)->PUPDR, gpio_bit(p), pull);
    set_two_bits(&GPIO(p / 16u)->MODER, gpio_bit(p), MODE_INPUT);
}

void gpio_output(pin p, bool level) {
    gpio_set(p, level);
    set_two_bits(&GPIO(p / 16u)->OSPEEDR, gpio_bit(p), 1); /* 25 MHz: edges of 10 ns */
    set_two_bits(&GPIO(p / 16u)->MODER, gpio_bit(p), MODE_OUTPUT);
}

void gpio_output_open_drain(pin p, bool level) {
    GPIO(p / 16u)->OTYPER |= 1u << gpio_bit(p);
    gpio_output(p, level);
}

void gpio_fast(pin p) {
    set_two_bits(&GPIO(p / 16u)->OSPEEDR, gpio_bit(p), 3);
}

void gpio_alternate(pin p, unsigned function, enum gpio_pull pull) {
    reg *afr = &GPIO(p / 16u)->AFR[gpio_bit(p) / 8];
    unsigned shift = 4 * (gpio_bit(p) % 8);
    *afr = (*afr & ~(0xFu << shift)) | function << shift;
    set_two_bits(&GPIO(p / 16u)->PUPDR, gpio_bit(p), pull);
    set_two_bits(&GPIO(p / 16u)->OSPEEDR, gpio_bit(p), 2);
    set_two_bits(&GPIO(p / 16u)->MODER, gpio_bit(p), MODE_ALTERNATE);
}
