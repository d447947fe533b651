#include "firmware/boards/stm32f405/spi_imu.h"
#include "firmware/boards/board.h"
#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"

enum {
    DIVIDER_8 = 2, /* 42 MHz / 8 = 5.25 MHz: under the 10 MHz of common parts, wires may be long */
    TRIES = 1000   /* of a poll of some 10 cycles: 60 us, where a byte takes 1.5 us */
};

static bool wait(uint32_t flag, bool level) {
    for (int i = 0; i < TRIES; i++)
        if (!!(SPI2->SR & flag) == level)
            return true;
    return false;
}

static bool exchange(uint8_t out, uint8_t *in) {
    if (!wait(SPI_SR_TXE, true))
        return false;
    SPI2->DR = out;
    if (!wait(SPI_SR_RXNE, true))
        return false;
    *in = (uint8_t)SPI2->DR;
    return true;
}

static bool transfer(void *context, const uint8_t *out, uint8_t *in, size_t n) {
    (void)context;
    bool done = true;
    gpio_set(PIN_SPI_SELECT, false);
    for (size_t i = 0; done && i < n; i++) {
        uint8_t byte;
        done = exchange(out ? out[i] : 0xFF, &byte);
        if (done && in)
            in[i] = byte;
    }
    done = wait(SPI_SR_BSY, false) && done;
    gpio_set(PIN_SPI_SELECT, true);
    return done;
}

void spi_imu_init(void) {
    clock_enable(&RCC_APB1ENR, RCC_APB1ENR_SPI2);
    gpio_output(PIN_SPI_SELECT, true);
    gpio_alternate(PIN_SPI_SCK, 5, GPIO_NO_PULL);
    gpio_fast(PIN_SPI_SCK); /* a slow clock spoils the last bit: errata ES0182, SPI */
    gpio_alternate(PIN_SPI_MOSI, 5, GPIO_NO_PULL);
    gpio_alternate(PIN_SPI_MISO, 5, GPIO_PULL_UP);
    SPI2->CR1 = SPI_CR1_CPHA | SPI_CR1_CPOL | SPI_CR1_MSTR | SPI_CR1_BR(DIVIDER_8) | SPI_CR1_SSM |
                SPI_CR1_SSI;
    SPI2->CR1 |= SPI_CR1_SPE;
}

const struct spi_device *board_spi_imu(void) {
    static const struct spi_device device = {transfer, NULL};
    return &device;
}
