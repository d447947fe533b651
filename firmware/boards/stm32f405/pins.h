/* The pins of the hub on an STM32F405RG (64 pins), and nothing else: docs/firmware-boards.md and
 * hardware/pinmap.csv have the same table; tools/check-hardware compares them. Alternate functions:
 * datasheet DS8626 table 9.
 *
 * (F) = on the headers of an Adafruit Feather STM32F405. Each input has an EXTI line of its own,
 * and the two stamped ones are also inputs of TIM2. PB2 (BOOT1), PC14 and PC15 (32 kHz crystal on
 * most boards), PA13 and PA14 (SWD), PH0 and PH1 (crystal) stay free. */
#ifndef NFSAR_BOARDS_STM32F405_PINS_H
#define NFSAR_BOARDS_STM32F405_PINS_H

#include "firmware/boards/stm32f405/gpio.h"

/* Crystal: 8 MHz on most boards, 12 MHz on the Feather (cmake -DNFSAR_HSE_HZ=12000000). */
#ifndef BOARD_HSE_HZ
#define BOARD_HSE_HZ 8000000u
#endif

/* The Feather joins PA9 and PA10, the link's pins, to its 3.3 V (Adafruit's schematic, net +3V3): a
 * TX that goes low there shorts the supply. cmake -DNFSAR_LINK=OFF leaves the TX alone; it is the
 * default for 12 MHz. */
#ifndef BOARD_LINK
#define BOARD_LINK 1
#endif

/* Radar */
#define PIN_SYNC        PIN(B, 8) /* (F) SYNC_IN */
#define PIN_RADAR_RESET PIN(B, 9) /* (F) NRESET, low = held; open drain: pulled up there */
#define PIN_RADAR_SOP0  PIN(C, 2) /* (F) */
#define PIN_RADAR_SOP1  PIN(C, 3) /* (F) */
#define PIN_RADAR_SOP2  PIN(C, 4) /* (F) */

/* Steppers, by enum of board.h: x, y, turntable. Enable is low = on, as TMC and A4988 have it. */
#define PIN_STEP      PIN(C, 8), PIN(A, 8), PIN(B, 0)
#define PIN_DIRECTION PIN(C, 9), PIN(B, 4), PIN(B, 1)
#define PIN_ENABLE    PIN(C, 12), PIN(B, 5), PIN(D, 2)

/* Switches to ground, normally closed, with the chip's pull-up: an open wire reads active. In the
 * order of enum board_input. */
/* On the Feather: both of x, the emergency stop. */
#define PIN_INPUT PIN(A, 6), PIN(A, 7), PIN(B, 12), PIN(C, 13), PIN(A, 0), PIN(A, 4)

/* Stamped edges, rising: TIM2 channel 1 and 2 (AF1). */
#define PIN_PPS         PIN(A, 5) /* (F) TIM2_CH1 */
#define PIN_SPI_IMU_INT PIN(A, 1) /* TIM2_CH2 */

/* SPI IMU: SPI2 (AF5) */
#define PIN_SPI_SCK    PIN(B, 13) /* (F) */
#define PIN_SPI_MISO   PIN(B, 14) /* (F) */
#define PIN_SPI_MOSI   PIN(B, 15) /* (F) */
#define PIN_SPI_SELECT PIN(C, 5)  /* (F) */

/* Serial ports: AF7 for USART1 to 3, AF8 for UART4 and USART6. The link's is also the one that the
 * ROM's boot loader listens on. */
#define PIN_LINK_TX  PIN(A, 9)
#define PIN_LINK_RX  PIN(A, 10)
#define PIN_IMU_TX   PIN(A, 2)
#define PIN_IMU_RX   PIN(A, 3)
#define PIN_FLOW_TX  PIN(B, 10) /* (F) */
#define PIN_FLOW_RX  PIN(B, 11) /* (F) */
#define PIN_GNSS_TX  PIN(C, 10)
#define PIN_GNSS_RX  PIN(C, 11)
#define PIN_RADAR_TX PIN(C, 6) /* (F) */
#define PIN_RADAR_RX PIN(C, 7) /* (F) */

/* USB: OTG_FS (AF10). No VBUS sensing: the boards are powered by the bus. */
#define PIN_USB_DM PIN(A, 11)
#define PIN_USB_DP PIN(A, 12)

#define PIN_LED PIN(C, 1) /* the Feather's */

#endif
