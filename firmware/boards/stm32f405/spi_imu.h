/* The SPI IMU's bus: SPI2, mode 3, one byte at a time. */
#ifndef NFSAR_BOARDS_STM32F405_SPI_IMU_H
#define NFSAR_BOARDS_STM32F405_SPI_IMU_H

void spi_imu_init(void);

#endif
