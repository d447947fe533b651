/* Registers of the MPS2 with the Cortex-M4 FPGA image: Arm application note AN386 (memory map, 3;
 * interrupts, 3.7) and the CMSDK technical reference manual DDI 0479, sections named below. */
#ifndef NFSAR_BOARDS_MPS2_AN386_REGISTERS_H
#define NFSAR_BOARDS_MPS2_AN386_REGISTERS_H

#include <stdint.h>

typedef volatile uint32_t reg;

#define CLOCK_HZ 25000000u /* of the processor and of every peripheral */

/* DDI 0479 4.3.2 APB UART */
struct uart {
    reg DATA, STATE, CTRL, INT, BAUDDIV;
};
#define UART(n)            ((struct uart *)(0x40004000u + ((n) < 4 ? 0x1000u * (n) : 0x5000u)))
#define UART_STATE_TXFULL  (1u << 0)
#define UART_STATE_RXFULL  (1u << 1)
#define UART_STATE_OVERRUN (1u << 3)
#define UART_CTRL_ON       0xFu /* both ways, with an interrupt for each */
#define UART_INT_TX        (1u << 0)
#define UART_INT_RX        (1u << 1)

/* DDI 0479 4.3.1 APB timer 0: counts down */
#define TIMER_CTRL    (*(reg *)0x40000000u)
#define TIMER_VALUE   (*(reg *)0x40000004u)
#define TIMER_RELOAD  (*(reg *)0x40000008u)
#define TIMER_CTRL_ON 1u

/* DDI 0479 4.3.5 watchdog: interrupts at 0, resets at the next 0 */
#define WATCHDOG_LOAD    (*(reg *)0x40008000u)
#define WATCHDOG_CONTROL (*(reg *)0x40008008u)
#define WATCHDOG_INTCLR  (*(reg *)0x4000800Cu)
#define WATCHDOG_LOCK    (*(reg *)0x40008C00u)
#define WATCHDOG_ON      3u
#define WATCHDOG_KEY     0x1ACCE551u

/* DDI 0479 3.5 AHB GPIO 0: 16 pins. Stores to the masked words change only the pins of the mask. */
#define GPIO_OUTENCLR     (*(reg *)0x40010014u)
#define GPIO_OUTENSET     (*(reg *)0x40010010u)
#define GPIO_MASK_LOW(m)  (*(reg *)(0x40010400u + 4u * (m))) /* pins 0 to 7 */
#define GPIO_MASK_HIGH(m) (*(reg *)(0x40010800u + 4u * (m))) /* pins 8 to 15: m of bits 15:8 */
#define GPIO_COMPONENT_ID (*(reg *)0x40010FF0u)              /* 0x0D, except in qemu: 0 */

/* AN386 4.1 FPGA's own input and output */
#define FPGAIO_LED (*(reg *)0x40028000u)

enum interrupt {
    IRQ_UART0_RX = 0,
    IRQ_UART0_TX,
    IRQ_UART1_RX,
    IRQ_UART1_TX,
    IRQ_UART2_RX,
    IRQ_UART2_TX,
    IRQ_UART3_RX = 18,
    IRQ_UART3_TX,
    IRQ_UART4_RX,
    IRQ_UART4_TX,
    IRQ_COUNT = 32
};

#endif
