#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"

_Static_assert(BOARD_HSE_HZ % 2000000u == 0 && BOARD_HSE_HZ >= 4000000u &&
                   BOARD_HSE_HZ <= 26000000u,
               "the PLL's input is 2 MHz: the crystal must be a multiple of it, 4 to 26 MHz");

enum {
    HSI_HZ = 16000000,
    PLL_INPUT_HZ = 2000000,
    TRIES = 200000 /* of a poll of some 10 cycles at 16 MHz: over 100 ms; a crystal needs 2 ms */
};

static bool emulated;
static bool crystal;

static bool wait(reg *where, uint32_t mask, uint32_t value) {
    for (int i = 0; i < TRIES; i++)
        if ((*where & mask) == value)
            return true;
    return false;
}

/* PLL: input / M = 2 MHz, * 168 = 336 MHz, / P 2 = 168 MHz, / Q 7 = 48 MHz (RM0090 7.3.2). */
static uint32_t pll(uint32_t input_hz, bool from_crystal) {
    return input_hz / PLL_INPUT_HZ | 168u << 6 | 0u << 16 | (from_crystal ? RCC_PLLCFGR_HSE : 0u) |
           7u << 24;
}

/* The ROM's boot loader leaves (dfu-util's :leave) with the PLL and USB running: back to what a
 * reset gives, else the PLL's settings would be refused and USB might interrupt for ever. */
static void undo_boot_loader(void) {
    RCC_CR |= RCC_CR_HSION;
    wait(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY);
    RCC_CFGR = 0;
    wait(&RCC_CFGR, RCC_CFGR_SWS, 0);
    RCC_CR &= ~RCC_CR_PLLON;
    wait(&RCC_CR, RCC_CR_PLLRDY, 0);
    RCC_AHB1RSTR = RCC_AHB1ENR_GPIO;
    RCC_AHB1RSTR = 0;
    RCC_AHB2RSTR = RCC_AHB2ENR_OTGFS;
    RCC_AHB2RSTR = 0;
    uint32_t apb1 = RCC_APB1ENR_TIM2 | RCC_APB1ENR_SPI2 | RCC_APB1ENR_USART2 | RCC_APB1ENR_USART3 |
                    RCC_APB1ENR_UART4;
    RCC_APB1RSTR = apb1;
    RCC_APB1RSTR = 0;
    RCC_APB2RSTR = RCC_APB2ENR_USART1 | RCC_APB2ENR_USART6 | RCC_APB2ENR_SYSCFG;
    RCC_APB2RSTR = 0;
}

static void start_pll(void) {
    clock_enable(&RCC_APB1ENR, RCC_APB1ENR_PWR);
    PWR_CR |= PWR_CR_VOS;
    FLASH_ACR = FLASH_ACR_168MHZ;
    (void)FLASH_ACR; /* the wait states hold from the moment they read back (RM0090 3.5.1) */
    RCC_CR |= RCC_CR_HSEON;
    crystal = wait(&RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
    RCC_PLLCFGR =
        (RCC_PLLCFGR & RCC_PLLCFGR_KEEP) | (crystal ? pll(BOARD_HSE_HZ, true) : pll(HSI_HZ, false));
    RCC_CFGR = RCC_CFGR_APB1_DIV4 | RCC_CFGR_APB2_DIV2;
    RCC_CR |= RCC_CR_PLLON;
    if (!wait(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        crystal =
            false; /* all is ten times slower, from HSI: a broken chip, but not a silent one */
        return;
    }
    RCC_CFGR |= RCC_CFGR_SW_PLL;
    wait(&RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL);
}

void clock_tree_init(void) {
    /* Some oscillator runs on a chip, whichever a boot loader has left; qemu's register reads 0. */
    emulated = RCC_CR == 0;
    if (emulated)
        return;
    undo_boot_loader();
    start_pll();
}

bool clock_emulated(void) {
    return emulated;
}

bool clock_from_crystal(void) {
    return crystal;
}
