/* The AN386's part of the vector table (AN386 3.7), after the processor's. */
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/mps2_an386/registers.h"
#include "firmware/boards/mps2_an386/serial.h"

static core_handler *const vectors[IRQ_COUNT] __attribute__((section(".vectors_board"), used)) = {
    [IRQ_UART0_RX] = serial_uart0_rx_handler, [IRQ_UART0_TX] = serial_uart0_tx_handler,
    [IRQ_UART1_RX] = serial_uart1_rx_handler, [IRQ_UART1_TX] = serial_uart1_tx_handler,
    [IRQ_UART2_RX] = serial_uart2_rx_handler, [IRQ_UART2_TX] = serial_uart2_tx_handler,
    [IRQ_UART3_RX] = serial_uart3_rx_handler, [IRQ_UART3_TX] = serial_uart3_tx_handler,
    [IRQ_UART4_RX] = serial_uart4_rx_handler, [IRQ_UART4_TX] = serial_uart4_tx_handler,
};
