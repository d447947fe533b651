/* Clock tree of the STM32F405: 168 MHz core, 42 and 84 MHz buses, 48 MHz for USB. */
#ifndef NFSAR_BOARDS_STM32F405_CLOCK_H
#define NFSAR_BOARDS_STM32F405_CLOCK_H

#include <stdbool.h>

#include "firmware/boards/stm32f405/registers.h"

#define CLOCK_CORE_HZ 168000000u
#define CLOCK_APB1_HZ 42000000u
#define CLOCK_APB2_HZ 84000000u

/* Clocks peripherals. What is written to one within two cycles of its bus may be lost (ES0182,
 * delay after an RCC peripheral clock enabling): the register is read back. */
static inline void clock_enable(reg *enable, uint32_t peripherals) {
    *enable |= peripherals;
    (void)*enable;
}

/* Before anything else. Takes up to a few ms on silicon. */
void clock_tree_init(void);
/* There is no clock controller: the chip is emulated (RM0090 7.3.1: HSION is set out of reset). */
bool clock_emulated(void);
/* The crystal runs. Otherwise the PLL runs from HSI, within 1 %, and USB may not work. */
bool clock_from_crystal(void);

#endif
