#include "tests/firmware/fake_board.h"

#include <string.h>

struct fake_board fake_board;

void fake_board_reset(void) {
    /* All but the bytes of the ports, which are many. */
    memset(&fake_board, 0, offsetof(struct fake_board, port));
    const size_t behind = offsetof(struct fake_board, spi);
    memset((char *)&fake_board + behind, 0, sizeof fake_board - behind);
    for (unsigned port = 0; port < BOARD_PORTS; port++) {
        struct fake_port *it = &fake_board.port[port];
        it->to_hub.head = it->to_hub.tail = it->from_hub.head = it->from_hub.tail = 0;
        it->rate = it->lost = 0;
        it->most_taken = 0;
    }
    fake_board.count_hz = 84000000;
    fake_board.tick_hz = 40000;
    fake_board.emulated = true;
    fake_board.stack_free = 3072;
    memcpy(fake_board.serial, "fake board 1", 12);
    fake_board.cause = BOARD_RESET_POWER;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        struct fake_axis *axis = &fake_board.axis[k];
        axis->shortest_high = axis->shortest_low = axis->shortest_setup = UINT64_MAX;
    }
}

/* Edges that came while the tick ran or interrupts were off: their handlers come after. */
static void pending_edges(void) {
    if (fake_board.in_tick || fake_board.locked > 0 || fake_board.on_input == NULL) {
        return;
    }
    for (unsigned input = 0; input < BOARD_INPUTS; input++) {
        uint32_t bit = UINT32_C(1) << input;
        if (fake_board.pending & bit) {
            fake_board.pending &= ~bit;
            fake_board.on_input(fake_board.context, (enum board_input)input,
                                fake_board.pending_count[input]);
        }
    }
}

static void tick(void) {
    if (fake_board.on_tick == NULL || fake_board.in_tick) {
        return;
    }
    fake_board.in_tick = true;
    fake_board.ticks++;
    fake_board.on_tick(fake_board.context);
    fake_board.in_tick = false;
    pending_edges();
}

void fake_board_tick(void) {
    uint64_t period = fake_board.count_hz / fake_board.tick_hz;
    fake_board.time = (fake_board.time / period + 1) * period;
    tick();
}

void fake_board_ticks(uint64_t n) {
    for (uint64_t k = 0; k < n; k++) {
        fake_board_tick();
    }
}

void fake_board_starve(uint64_t counts) {
    fake_board.time += counts;
}

void fake_board_edge(enum board_input input) {
    fake_board.pending |= UINT32_C(1) << input;
    fake_board.pending_count[input] = board_count();
    pending_edges();
}

void fake_board_input(enum board_input input, bool active) {
    uint32_t bit = UINT32_C(1) << input;
    bool was = fake_board.inputs & bit;
    fake_board.inputs = active ? fake_board.inputs | bit : fake_board.inputs & ~bit;
    if (active && !was) {
        fake_board_edge(input);
    }
}

void fake_board_stamp(enum board_stamp stamp) {
    if (fake_board.on_stamp != NULL) {
        fake_board.on_stamp(fake_board.context, stamp, board_count());
    }
}

/* ---- serial ports ---- */

static bool queue_put(struct fake_queue *queue, uint8_t byte) {
    if (queue->head - queue->tail >= FAKE_PORT_BYTES) {
        return false;
    }
    queue->bytes[queue->head++ % FAKE_PORT_BYTES] = byte;
    return true;
}

static bool queue_take(struct fake_queue *queue, uint8_t *byte) {
    if (queue->head == queue->tail) {
        return false;
    }
    *byte = queue->bytes[queue->tail++ % FAKE_PORT_BYTES];
    return true;
}

size_t fake_board_send(enum board_port port, const void *bytes, size_t n) {
    size_t k = 0;
    while (k < n && queue_put(&fake_board.port[port].to_hub, ((const uint8_t *)bytes)[k])) {
        k++;
    }
    return k;
}

size_t fake_board_receive(enum board_port port, void *bytes, size_t n) {
    size_t k = 0;
    while (k < n && queue_take(&fake_board.port[port].from_hub, (uint8_t *)bytes + k)) {
        k++;
    }
    return k;
}

static bool port_read(void *context, uint8_t *byte, uint32_t *count) {
    struct fake_port *port = context;
    *count = board_count();
    return queue_take(&port->to_hub, byte);
}

static size_t port_write(void *context, const uint8_t *from, size_t n) {
    struct fake_port *port = context;
    if (port->most_taken > 0 && n > port->most_taken) {
        n = port->most_taken;
    }
    size_t k = 0;
    while (k < n && queue_put(&port->from_hub, from[k])) {
        k++;
    }
    return k;
}

static bool port_set_rate(void *context, uint32_t bits_per_s) {
    struct fake_port *port = context;
    if (bits_per_s == 0) {
        return false;
    }
    port->rate = bits_per_s;
    return true;
}

static uint32_t port_lost(void *context) {
    return ((struct fake_port *)context)->lost;
}

const struct serial_port *board_port(enum board_port port) {
    static struct serial_port ports[BOARD_PORTS];
    ports[port] = (struct serial_port){.read = port_read,
                                       .write = port_write,
                                       .set_rate = port_set_rate,
                                       .lost = port_lost,
                                       .context = &fake_board.port[port]};
    return &ports[port];
}

const struct spi_device *board_spi_imu(void) {
    return fake_board.spi;
}

struct dcd *board_usb(void) {
    return fake_board.usb;
}

/* ---- pins ---- */

static void edge(enum fake_kind kind, unsigned axis, bool level) {
    struct fake_edge record = {fake_board.time, kind, axis, level};
    if (fake_board.on_edge != NULL) {
        fake_board.on_edge(fake_board.edge_context, &record);
    }
}

static void shorten(uint64_t *shortest, uint64_t since) {
    if (fake_board.time - since < *shortest) {
        *shortest = fake_board.time - since;
    }
}

void board_set_step(unsigned index, bool level) {
    struct fake_axis *axis = &fake_board.axis[index];
    if (axis->step == level) {
        return;
    }
    axis->step = level;
    if (level) {
        axis->position += axis->direction ? 1 : -1;
        axis->steps++;
        axis->asleep += !axis->enable;
        if (axis->steps > 1) {
            shorten(&axis->shortest_low, axis->fell);
        }
        shorten(&axis->shortest_setup, axis->turned);
        axis->rose = fake_board.time;
    } else {
        shorten(&axis->shortest_high, axis->rose);
        axis->fell = fake_board.time;
    }
    edge(FAKE_STEP, index, level);
}

void board_set_direction(unsigned index, bool forward) {
    struct fake_axis *axis = &fake_board.axis[index];
    if (axis->direction != forward) {
        axis->turned = fake_board.time;
        edge(FAKE_DIRECTION, index, forward);
    }
    axis->direction = forward;
}

void board_set_enable(unsigned index, bool on) {
    struct fake_axis *axis = &fake_board.axis[index];
    if (axis->enable != on) {
        axis->woke = fake_board.time;
        edge(FAKE_ENABLE, index, on);
    }
    axis->enable = on;
}

uint32_t board_pulse_sync(uint32_t width_ns) {
    fake_board.syncs++;
    fake_board.sync_time = fake_board.time;
    fake_board.sync_width_ns = width_ns;
    edge(FAKE_SYNC, 0, true);
    return board_count();
}

void board_set_radar_reset(bool held) {
    fake_board.radar_reset = held;
}

void board_set_radar_boot(unsigned sop) {
    fake_board.radar_boot = sop;
    fake_board.radar_boot_driven = true;
}

void board_release_radar_boot(void) {
    fake_board.radar_boot_driven = false;
}

bool board_clock_exact(void) {
    return !fake_board.inexact;
}

void board_idle(void) {
}

void board_set_led(bool on) {
    fake_board.led = on;
}

uint32_t board_inputs(void) {
    return fake_board.inputs;
}

/* ---- the chip ---- */

void board_init(void) {
}

void board_start(void) {
}

const char *board_name(void) {
    return "fake";
}

bool board_emulated(void) {
    return fake_board.emulated;
}

void board_serial(uint8_t serial[12]) {
    memcpy(serial, fake_board.serial, 12);
}

uint32_t board_tick_count(void) {
    return board_count();
}

uint32_t board_count(void) {
    fake_board.time += fake_board.count_step;
    return (uint32_t)fake_board.time;
}

uint32_t board_count_hz(void) {
    return fake_board.count_hz;
}

uint32_t board_tick_hz(void) {
    return fake_board.tick_hz;
}

uint32_t board_lock(void) {
    return fake_board.locked++;
}

void board_unlock(uint32_t state) {
    fake_board.locked = state;
    pending_edges();
    if (fake_board.tick_on_unlock && state == 0 && !fake_board.in_tick) {
        fake_board_tick();
    }
}

void board_watchdog_start(uint32_t timeout_ms) {
    fake_board.watchdog_ms = timeout_ms;
    fake_board.fed = fake_board.time;
}

void board_watchdog_feed(void) {
    fake_board.fed = fake_board.time;
}

void board_reset(void) {
    fake_board.resets++;
    fake_board.cause = BOARD_RESET_SOFTWARE;
}

enum board_reset_cause board_reset_cause(void) {
    return fake_board.cause;
}

void *board_kept(void) {
    return fake_board.kept;
}

uint32_t board_stack_free(void) {
    return fake_board.stack_free;
}

uint32_t board_stack_size(void) {
    return 4096;
}

void board_fault_now(void) {
    fake_board.faults++;
}

void board_hang_now(void) {
    fake_board.hangs++;
}
