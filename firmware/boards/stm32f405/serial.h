/* The five serial ports: an interrupt for each byte received and sent. */
#ifndef NFSAR_BOARDS_STM32F405_SERIAL_H
#define NFSAR_BOARDS_STM32F405_SERIAL_H

#include "firmware/boards/board.h"

/* Pins, 115200 bits/s, interrupts. */
void serial_init(void);

void serial_usart1_handler(void);
void serial_usart2_handler(void);
void serial_usart3_handler(void);
void serial_uart4_handler(void);
void serial_usart6_handler(void);

#endif
