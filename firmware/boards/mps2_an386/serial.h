/* The five serial ports, UART 0 to 4 in the order of enum board_port. */
#ifndef NFSAR_BOARDS_MPS2_AN386_SERIAL_H
#define NFSAR_BOARDS_MPS2_AN386_SERIAL_H

#include "firmware/boards/board.h"

void serial_init(void);

void serial_uart0_rx_handler(void);
void serial_uart0_tx_handler(void);
void serial_uart1_rx_handler(void);
void serial_uart1_tx_handler(void);
void serial_uart2_rx_handler(void);
void serial_uart2_tx_handler(void);
void serial_uart3_rx_handler(void);
void serial_uart3_tx_handler(void);
void serial_uart4_rx_handler(void);
void serial_uart4_tx_handler(void);

#endif
