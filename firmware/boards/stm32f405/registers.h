/* Registers of the STM32F405, as far as the hub uses them. Sections are those of RM0090. */
#ifndef NFSAR_BOARDS_STM32F405_REGISTERS_H
#define NFSAR_BOARDS_STM32F405_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

typedef volatile uint32_t reg;

/* 5.4 power control */
#define PWR_CR     (*(reg *)0x40007000u)
#define PWR_CR_VOS (1u << 14) /* scale 1: up to 168 MHz */

/* 3.9 flash interface */
#define FLASH_ACR        (*(reg *)0x40023C00u)
#define FLASH_ACR_168MHZ (1u << 10 | 1u << 9 | 1u << 8 | 5u) /* caches, prefetch, 5 wait states */

/* 7.3 reset and clock control */
#define RCC_CR       (*(reg *)0x40023800u)
#define RCC_PLLCFGR  (*(reg *)0x40023804u)
#define RCC_CFGR     (*(reg *)0x40023808u)
#define RCC_AHB1RSTR (*(reg *)0x40023810u)
#define RCC_AHB2RSTR (*(reg *)0x40023814u)
#define RCC_APB1RSTR (*(reg *)0x40023820u)
#define RCC_APB2RSTR (*(reg *)0x40023824u)
#define RCC_AHB1ENR  (*(reg *)0x40023830u)
#define RCC_AHB2ENR  (*(reg *)0x40023834u)
#define RCC_APB1ENR  (*(reg *)0x40023840u)
#define RCC_APB2ENR  (*(reg *)0x40023844u)
#define RCC_CSR      (*(reg *)0x40023874u)

#define RCC_CR_HSION       (1u << 0)
#define RCC_CR_HSIRDY      (1u << 1)
#define RCC_CR_HSEON       (1u << 16)
#define RCC_CR_HSERDY      (1u << 17)
#define RCC_CR_PLLON       (1u << 24)
#define RCC_CR_PLLRDY      (1u << 25)
#define RCC_PLLCFGR_KEEP   0xF0BC8000u /* reserved bits */
#define RCC_PLLCFGR_HSE    (1u << 22)
#define RCC_CFGR_SW_PLL    2u
#define RCC_CFGR_SWS_PLL   (2u << 2)
#define RCC_CFGR_SWS       (3u << 2)
#define RCC_CFGR_APB1_DIV4 (5u << 10)
#define RCC_CFGR_APB2_DIV2 (4u << 13)
#define RCC_AHB1ENR_GPIO   0xFu /* ports A to D */
#define RCC_AHB2ENR_OTGFS  (1u << 7)
#define RCC_APB1ENR_TIM2   (1u << 0)
#define RCC_APB1ENR_SPI2   (1u << 14)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB1ENR_USART3 (1u << 18)
#define RCC_APB1ENR_UART4  (1u << 19)
#define RCC_APB1ENR_PWR    (1u << 28)
#define RCC_APB2ENR_USART1 (1u << 4)
#define RCC_APB2ENR_USART6 (1u << 5)
#define RCC_APB2ENR_SYSCFG (1u << 14)
#define RCC_CSR_RMVF       (1u << 24)
#define RCC_CSR_PINRSTF    (1u << 26)
#define RCC_CSR_PORRSTF    (1u << 27)
#define RCC_CSR_SFTRSTF    (1u << 28)
#define RCC_CSR_IWDGRSTF   (1u << 29)

/* 8.4 general-purpose ports */
struct gpio {
    reg MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFR[2];
};
#define GPIO(port) ((struct gpio *)(uintptr_t)(0x40020000u + 0x400u * (port)))

/* 9.2, 12.3 which port an external interrupt line hears, and the lines */
#define SYSCFG_EXTICR(n) (*(reg *)(uintptr_t)(0x40013808u + 4u * (n)))
#define EXTI_IMR         (*(reg *)0x40013C00u)
#define EXTI_RTSR        (*(reg *)0x40013C08u)
#define EXTI_FTSR        (*(reg *)0x40013C0Cu)
#define EXTI_PR          (*(reg *)0x40013C14u)

/* 18.4 timer 2: 32 bits */
struct timer {
    reg CR1, CR2, SMCR, DIER, SR, EGR, CCMR[2], CCER, CNT, PSC, ARR, RCR, CCR[4];
};
#define TIM2          ((struct timer *)0x40000000u)
#define TIM_CR1_CEN   1u
#define TIM_EGR_UG    1u
#define TIM_INPUT(ch) (1u << 8 * ((ch) % 2)) /* CCMR: the channel's own pin */

/* 30.6 serial ports */
struct usart {
    reg SR, DR, BRR, CR1, CR2, CR3, GTPR;
};
#define USART1           ((struct usart *)0x40011000u)
#define USART2           ((struct usart *)0x40004400u)
#define USART3           ((struct usart *)0x40004800u)
#define UART4            ((struct usart *)0x40004C00u)
#define USART6           ((struct usart *)0x40011400u)
#define USART_SR_FE      (1u << 1)
#define USART_SR_NE      (1u << 2)
#define USART_SR_ORE     (1u << 3)
#define USART_SR_RXNE    (1u << 5)
#define USART_SR_TXE     (1u << 7)
#define USART_CR1_RE     (1u << 2)
#define USART_CR1_TE     (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_TXEIE  (1u << 7)
#define USART_CR1_UE     (1u << 13)

/* 28.5 SPI */
struct spi {
    reg CR1, CR2, SR, DR;
};
#define SPI2          ((struct spi *)0x40003800u)
#define SPI_CR1_CPHA  (1u << 0)
#define SPI_CR1_CPOL  (1u << 1)
#define SPI_CR1_MSTR  (1u << 2)
#define SPI_CR1_BR(n) ((n) << 3) /* bus clock / 2^(n+1) */
#define SPI_CR1_SPE   (1u << 6)
#define SPI_CR1_SSI   (1u << 8)
#define SPI_CR1_SSM   (1u << 9)
#define SPI_SR_RXNE   (1u << 0)
#define SPI_SR_TXE    (1u << 1)
#define SPI_SR_BSY    (1u << 7)

/* 21.4 independent watchdog */
#define IWDG_KR        (*(reg *)0x40003000u)
#define IWDG_PR        (*(reg *)0x40003004u)
#define IWDG_RLR       (*(reg *)0x40003008u)
#define IWDG_SR        (*(reg *)0x4000300Cu)
#define IWDG_KR_START  0xCCCCu
#define IWDG_KR_ACCESS 0x5555u
#define IWDG_KR_FEED   0xAAAAu
#define IWDG_PR_32     3u /* 32 kHz / 32: about a millisecond */

/* 38.16 debug: the watchdog stands still while a debugger holds the core */
#define DBGMCU_APB1_FZ      (*(reg *)0xE0042008u)
#define DBGMCU_APB1_FZ_IWDG (1u << 12)

/* 39.1 the chip's own number, 96 bits */
#define UNIQUE_ID ((const uint8_t *)0x1FFF7A10u)

/* 12.1.3 positions in the vector table */
enum interrupt {
    IRQ_EXTI0 = 6,
    IRQ_EXTI1 = 7,
    IRQ_EXTI4 = 10,
    IRQ_EXTI9_5 = 23,
    IRQ_TIM2 = 28,
    IRQ_USART1 = 37,
    IRQ_USART2 = 38,
    IRQ_USART3 = 39,
    IRQ_EXTI15_10 = 40,
    IRQ_UART4 = 52,
    IRQ_USART6 = 71,
    IRQ_COUNT = 82
};

#endif
