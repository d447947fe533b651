#include "firmware/boards/mps2_an386/serial.h"
#include "firmware/boards/cortex_m4/baud.h"
#include "firmware/boards/cortex_m4/core.h"
#include "firmware/boards/cortex_m4/ring.h"
#include "firmware/boards/mps2_an386/registers.h"

struct port {
    struct uart *uart;
    uint8_t irq; /* receiving; sending is the next */
};

static const struct port ports[BOARD_PORTS] = {{UART(0), IRQ_UART0_RX},
                                               {UART(1), IRQ_UART1_RX},
                                               {UART(2), IRQ_UART2_RX},
                                               {UART(3), IRQ_UART3_RX},
                                               {UART(4), IRQ_UART4_RX}};

static struct ring_received received[BOARD_PORTS];
static struct ring_sending sending[BOARD_PORTS];

/* As on the STM32F405: in an emulator a full ring makes the sender wait. */
static volatile bool held[BOARD_PORTS];

static inline void receive(unsigned i) {
    struct uart *uart = UART(i);
    uint32_t now = board_count();
    if (board_emulated() && ring_received_full(&received[i])) {
        held[i] = true;
        core_interrupt_off(ports[i].irq);
        return;
    }
    uart->INT = UART_INT_RX;
    uint32_t state = uart->STATE;
    if (state & UART_STATE_OVERRUN) {
        received[i].lost++;
        uart->STATE = UART_STATE_OVERRUN;
    }
    if (state & UART_STATE_RXFULL) {
        ring_received_put(&received[i], (uint8_t)uart->DATA, now);
    }
}

/* One byte, if the sender is free: the interrupt comes when it is free again. */
static inline void send(unsigned i) {
    struct uart *uart = UART(i);
    uint8_t byte;
    if (!(uart->STATE & UART_STATE_TXFULL) && ring_sending_get(&sending[i], &byte)) {
        uart->DATA = byte;
    }
}

static inline void sent(unsigned i) {
    UART(i)->INT = UART_INT_TX;
    send(i);
}

void serial_uart0_rx_handler(void) {
    receive(0);
}

void serial_uart0_tx_handler(void) {
    sent(0);
}

void serial_uart1_rx_handler(void) {
    receive(1);
}

void serial_uart1_tx_handler(void) {
    sent(1);
}

void serial_uart2_rx_handler(void) {
    receive(2);
}

void serial_uart2_tx_handler(void) {
    sent(2);
}

void serial_uart3_rx_handler(void) {
    receive(3);
}

void serial_uart3_tx_handler(void) {
    sent(3);
}

void serial_uart4_rx_handler(void) {
    receive(4);
}

void serial_uart4_tx_handler(void) {
    sent(4);
}

static unsigned index_of(const struct port *port) {
    return (unsigned)(port - ports);
}

static bool port_read(void *context, uint8_t *byte, uint32_t *count) {
    unsigned i = index_of(context);
    bool got = ring_received_get(&received[i], byte, count);
    if (held[i]) {
        held[i] = false;
        core_interrupt_on(ports[i].irq, CORE_PRIORITY_SERIAL);
    }
    return got;
}

static size_t port_write(void *context, const uint8_t *from, size_t n) {
    unsigned i = index_of(context);
    size_t taken = ring_sending_put(&sending[i], from, n);
    uint32_t state = board_lock();
    send(i);
    board_unlock(state);
    return taken;
}

/* DDI 0479 4.3.2. */
static bool port_set_rate(void *context, uint32_t bits_per_s) {
    const struct port *port = context;
    uint32_t divider;
    if (!baud_divider(CLOCK_HZ, bits_per_s, 0xFFFFF, &divider)) {
        return false;
    }
    port->uart->BAUDDIV = divider;
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
    for (unsigned i = 0; i < BOARD_PORTS; i++) {
        port_set_rate((void *)&ports[i], 115200);
        ports[i].uart->CTRL = UART_CTRL_ON;
        core_interrupt_on(ports[i].irq, CORE_PRIORITY_SERIAL);
        core_interrupt_on(ports[i].irq + 1u, CORE_PRIORITY_SERIAL);
    }
}
