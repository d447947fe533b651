/* Pins of GPIO 0, all outputs. This board is for the emulator and for keeping board.h honest: it
 * has no inputs, no captures, no SPI IMU and no USB. */
#ifndef NFSAR_BOARDS_MPS2_AN386_PINS_H
#define NFSAR_BOARDS_MPS2_AN386_PINS_H

enum {
    PIN_STEP = 0,      /* x, y, turntable: 0 to 2 */
    PIN_DIRECTION = 3, /* 3 to 5 */
    PIN_SYNC = 6,
    PIN_RADAR_RESET = 7, /* low = held */
    PIN_ENABLE = 8,      /* 8 to 10, low = on */
    PIN_RADAR_SOP = 11,  /* 11 to 13 */
    PIN_COUNT = 14
};

#endif
