#include "firmware/boards/stm32f405/serial.h"
#include "firmware/boards/cortex_m4/baud.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/cortex_m4/ring.h"
#include "firmware/boards/stm32f405/clock.h"
#include "firmware/boards/stm32f405/pins.h"

struct port {
    struct usart *usart;
    uint32_t clock_hz;
    unsigned irq;
    unsigned function; /* alternate function of its pins */
    pin tx, rx;
};

static const struct port ports[BOARD_PORTS] = {
    [BOARD_PORT_LINK] = {USART1, CLOCK_APB2_HZ, IRQ_USART1, 7, PIN_LINK_TX, PIN_LINK_RX},
    [BOARD_PORT_IMU] = {USART2, CLOCK_APB1_HZ, IRQ_USART2, 7, PIN_IMU_TX, PIN_IMU_RX},
    [BOARD_PORT_FLOW] = {USART3, CLOCK_APB1_HZ, IRQ_USART3, 7, PIN_FLOW_TX, PIN_FLOW_RX},
    [BOARD_PORT_GNSS] = {UART4, CLOCK_APB1_HZ, IRQ_UART4, 8, PIN_GNSS_TX, PIN_GNSS_RX},
    [BOARD_PORT_RADAR] = {USART6, CLOCK_APB2_HZ, IRQ_USART6, 8, PIN_RADAR_TX, PIN_RADAR_RX},
};

static struct ring_received received[BOARD_PORTS];
static struct ring_sending sending[BOARD_PORTS];

/* An emulator on a busy host keeps the main loop waiting for longer than a ring lasts. There a full
 * ring makes the sender wait: the byte stays where it is, and its interrupt off, until one is read.
 */
static volatile bool held[BOARD_PORTS];

/* RM0090 30.3.3: reading SR, then DR, clears the flags of errors with the byte. An overrun lost the
 * byte after this one; noise and framing errors spoiled this one. */
static inline void receive(enum board_port i, struct usart *usart, uint32_t status) {
    uint32_t now = TIM2->CNT;
    uint8_t byte = (uint8_t)usart->DR;
    if (status & USART_SR_ORE) {
        received[i].lost++;
    }
    if (status & (USART_SR_FE | USART_SR_NE)) {
        received[i].lost++;
    } else if (status & USART_SR_RXNE) {
        ring_received_put(&received[i], byte, now);
    }
}

static inline void interrupt(enum board_port i, struct usart *usart) {
    uint32_t status = usart->SR;
    if (clock_emulated() && ring_received_full(&received[i])) {
        held[i] = true;
        core_interrupt_off(ports[i].irq);
        return;
    }
    if (status & (USART_SR_RXNE | USART_SR_ORE)) {
        receive(i, usart, status);
    }
    if ((status & USART_SR_TXE) && (usart->CR1 & USART_CR1_TXEIE)) {
        uint8_t byte;
        if (ring_sending_get(&sending[i], &byte)) {
            usart->DR = byte;
        } else {
            usart->CR1 &= ~USART_CR1_TXEIE;
        }
    }
}

void serial_usart1_handler(void) {
    interrupt(BOARD_PORT_LINK, USART1);
}

void serial_usart2_handler(void) {
    interrupt(BOARD_PORT_IMU, USART2);
}

void serial_usart3_handler(void) {
    interrupt(BOARD_PORT_FLOW, USART3);
}

void serial_uart4_handler(void) {
    interrupt(BOARD_PORT_GNSS, UART4);
}

void serial_usart6_handler(void) {
    interrupt(BOARD_PORT_RADAR, USART6);
}

static enum board_port index_of(const struct port *port) {
    return (enum board_port)(port - ports);
}

static bool port_read(void *context, uint8_t *byte, uint32_t *count) {
    enum board_port i = index_of(context);
    bool got = ring_received_get(&received[i], byte, count);
    if (held[i]) {
        held[i] = false;
        core_interrupt_on(ports[i].irq, CORE_PRIORITY_SERIAL);
    }
    return got;
}

/* qemu raises no interrupt for an empty transmitter, but it is always empty. */
static size_t write_at_once(struct usart *usart, const uint8_t *from, size_t n) {
    size_t taken = 0;
    while (taken < n && (usart->SR & USART_SR_TXE)) {
        usart->DR = from[taken++];
    }
    return taken;
}

static size_t port_write(void *context, const uint8_t *from, size_t n) {
    const struct port *port = context;
    if (clock_emulated()) {
        return write_at_once(port->usart, from, n);
    }
    size_t taken = ring_sending_put(&sending[index_of(port)], from, n);
    if (taken) {
        uint32_t state = board_lock(); /* the interrupt clears the same register's bit */
        port->usart->CR1 |= USART_CR1_TXEIE;
        board_unlock(state);
    }
    return taken;
}

/* RM0090 30.3.4: BRR is the bus clock over the rate. */
static bool port_set_rate(void *context, uint32_t bits_per_s) {
    const struct port *port = context;
    uint32_t divider;
    if (!baud_divider(port->clock_hz, bits_per_s, 0xFFFF, &divider)) {
        return false;
    }
    port->usart->BRR = divider;
    return true;
}

static uint32_t port_lost(void *context) {
    return received[index_of(context)].lost;
}

const struct serial_port *board_port(enum board_port port) {
#define SERIAL_PORT(i)                                                                             \
    { port_read, port_write, port_set_rate, port_lost, (void *)&ports[i] }
    static const struct serial_port serial[BOARD_PORTS] = {
        SERIAL_PORT(0), SERIAL_PORT(1), SERIAL_PORT(2), SERIAL_PORT(3), SERIAL_PORT(4)};
#undef SERIAL_PORT
    return &serial[port];
}

void serial_init(void) {
    clock_enable(&RCC_APB1ENR, RCC_APB1ENR_USART2 | RCC_APB1ENR_USART3 | RCC_APB1ENR_UART4);
    clock_enable(&RCC_APB2ENR, RCC_APB2ENR_USART1 | RCC_APB2ENR_USART6);
    for (int i = 0; i < BOARD_PORTS; i++) {
        const struct port *port = &ports[i];
        if (BOARD_LINK || i != BOARD_PORT_LINK) {
            gpio_alternate(port->tx, port->function, GPIO_NO_PULL);
        }
        gpio_alternate(port->rx, port->function, GPIO_PULL_UP); /* an open line is idle */
        port_set_rate((void *)port, 115200);
        port->usart->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
        core_interrupt_on(port->irq, CORE_PRIORITY_SERIAL);
    }
}
