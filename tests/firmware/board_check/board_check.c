/* The self-test of a board: a terminal on the link port, or run beside this file, asks each part of
 * board.h to show itself. Commands are one letter, numbers in decimal, and a newline:
 *
 *   n         name, identity, why it was reset, what the last run left in the kept memory
 *   t         ticks so far, timer count, their rates
 *   e N       echoes the next N bytes of the link (the other ports always echo), at 1 Mbit/s or
 * more where the wire allows it i         edges of inputs and stamps since the last i: "input 3
 * COUNT", "stamp 0 COUNT" l         levels of the inputs p A N     N step pulses on axis A, one in
 * two ticks; answers when done s N W     N SYNC pulses of W ns, one in ten ticks; their counts o B
 * radar boot mode B, with the reset held around it m         bytes of stack: size, never used;
 * bytes lost by each port x         a transfer of 4 bytes with the SPI IMU w MS      starts the
 * watchdog; the main loop feeds it h H f v r hangs, hangs with interrupts off, faults, overflows
 * the stack, resets */
#include "firmware/boards/board.h"

enum { EVENTS = 64, LINE = 40, SYNC_SPACING = 10, MARK = 0x600DF00D };

struct event {
    char kind;
    uint8_t which;
    uint32_t count;
};

struct kept {
    uint32_t mark;
    uint32_t runs;
    uint32_t faults;
    struct board_fault fault;
};

static struct {
    volatile uint32_t ticks;
    volatile uint32_t pulses; /* half-periods to go */
    volatile unsigned axis;
    volatile uint32_t syncs, sync_width, sync_made;
    volatile uint32_t sync_count[EVENTS];
    volatile uint32_t events_head, events_tail;
    struct event events[EVENTS];
    bool watching;
    uint32_t echo;
} check;

static void say(const char *text) {
    const struct serial_port *link = board_port(BOARD_PORT_LINK);
    while (*text) {
        text += link->write(link->context, (const uint8_t *)text, 1);
    }
}

static void say_number(const char *before, uint32_t value) {
    char digits[11];
    int i = 10;
    digits[i] = 0;
    do {
        digits[--i] = (char)('0' + value % 10);
    } while ((value /= 10) != 0);
    say(before);
    say(&digits[i]);
}

static void say_hex(const char *before, uint32_t value) {
    char text[] = "0x00000000";
    for (int i = 9; i > 1; i--, value >>= 4) {
        text[i] = "0123456789abcdef"[value & 15];
    }
    say(before);
    say(text);
}

void board_on_tick(void) {
    check.ticks++;
    if (check.pulses) {
        board_set_step(check.axis, check.pulses % 2 == 0);
        check.pulses--;
    }
    if (check.syncs && check.ticks % SYNC_SPACING == 0) {
        check.sync_count[check.sync_made++ % EVENTS] = board_pulse_sync(check.sync_width);
        check.syncs--;
    }
}

static void note(char kind, unsigned which, uint32_t count) {
    uint32_t state = board_lock(); /* two priorities come here */
    uint32_t head = check.events_head;
    if (head - check.events_tail < EVENTS) {
        check.events[head % EVENTS] = (struct event){kind, (uint8_t)which, count};
        check.events_head = head + 1;
    }
    board_unlock(state);
}

void board_on_input(enum board_input input, uint32_t count) {
    note('i', input, count);
}

void board_on_stamp(enum board_stamp stamp, uint32_t count) {
    note('s', stamp, count);
}

void board_on_fault(const struct board_fault *fault) {
    struct kept *kept = board_kept();
    kept->fault = *fault;
    kept->faults++;
}

static void tell_name(void) {
    static const char *const causes[] = {"power", "pin", "software", "watchdog", "unknown"};
    const struct kept *kept = board_kept();
    uint8_t serial[12];
    board_serial(serial);
    say("board ");
    say(board_name());
    say(board_emulated() ? " emulated" : " silicon");
    say(" reset=");
    say(causes[board_reset_cause()]);
    say_number(" runs=", kept->runs);
    say(" serial=");
    for (int i = 0; i < 12; i++) {
        char hex[3] = {"0123456789abcdef"[serial[i] >> 4], "0123456789abcdef"[serial[i] & 15], 0};
        say(hex);
    }
    say_number(" faults=", kept->faults);
    if (kept->faults) {
        say_number(" exception=", kept->fault.exception);
        say_hex(" pc=", kept->fault.pc);
        say_hex(" lr=", kept->fault.lr);
        say_hex(" cfsr=", kept->fault.cfsr);
        say_hex(" hfsr=", kept->fault.hfsr);
        say_hex(" address=", kept->fault.fault_address);
    }
    say("\n");
}

static void tell_time(void) {
    uint32_t state = board_lock();
    uint32_t ticks = check.ticks, count = board_count();
    board_unlock(state);
    say_number("time ticks=", ticks);
    say_number(" count=", count);
    say_number(" tick_hz=", board_tick_hz());
    say_number(" count_hz=", board_count_hz());
    say("\n");
}

static void tell_events(void) {
    while (check.events_tail != check.events_head) {
        struct event event = check.events[check.events_tail % EVENTS];
        check.events_tail++;
        say_number(event.kind == 'i' ? "input " : "stamp ", event.which);
        say_number(" ", event.count);
        say("\n");
    }
    say("end\n");
}

static void tell_memory(void) {
    say_number("stack size=", board_stack_size());
    say_number(" free=", board_stack_free());
    say(" lost=");
    for (int i = 0; i < BOARD_PORTS; i++) {
        const struct serial_port *port = board_port((enum board_port)i);
        say_number(i ? "," : "", port->lost(port->context));
    }
    say("\n");
}

static void step(unsigned axis, uint32_t pulses) {
    board_set_direction(axis, true);
    board_set_enable(axis, true);
    check.axis = axis;
    check.pulses = 2 * pulses;
    while (check.pulses) {
        if (check.watching) {
            board_watchdog_feed();
        }
    }
    board_set_enable(axis, false);
    say("done\n");
}

static void pulse_sync(uint32_t pulses, uint32_t width_ns) {
    check.sync_made = 0;
    check.sync_width = width_ns;
    check.syncs = pulses;
    while (check.syncs) {
        if (check.watching) {
            board_watchdog_feed();
        }
    }
    say("sync");
    for (uint32_t i = 0; i < pulses && i < EVENTS; i++) {
        say_number(" ", check.sync_count[i]);
    }
    say("\n");
}

static void boot_radar(unsigned mode) {
    board_set_radar_reset(true);
    board_set_radar_boot(mode);
    board_set_radar_reset(false);
    board_release_radar_boot();
    say("done\n");
}

static void try_spi(void) {
    const struct spi_device *spi = board_spi_imu();
    const uint8_t out[4] = {0xF5, 0, 0, 0};
    uint8_t in[4] = {0};
    if (!spi) {
        say("spi none\n");
        return;
    }
    say_number("spi ok=", spi->transfer(spi->context, out, in, sizeof in));
    for (unsigned i = 0; i < sizeof in; i++) {
        say_number(" ", in[i]);
    }
    say("\n");
}

/* Deeper than any stack, with something to do after the call so that it is one. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static uint32_t overflow(uint32_t depth) {
    volatile uint32_t words[32] = {depth};
    return overflow(depth + 1) + words[depth % 32];
}
#pragma GCC diagnostic pop

static uint32_t number(const char **text) {
    uint32_t value = 0;
    while (**text == ' ') {
        (*text)++;
    }
    while (**text >= '0' && **text <= '9') {
        value = value * 10 + (uint32_t)(*(*text)++ - '0');
    }
    return value;
}

static void obey(const char *line) {
    const char *rest = line + 1;
    uint32_t first = number(&rest), second = number(&rest);
    switch (line[0]) {
    case 'n':
        tell_name();
        break;
    case 't':
        tell_time();
        break;
    case 'e':
        check.echo = first;
        break;
    case 'i':
        tell_events();
        break;
    case 'l':
        say_hex("levels ", board_inputs());
        say("\n");
        break;
    case 'p':
        step(first % BOARD_AXES, second);
        break;
    case 's':
        pulse_sync(first, second);
        break;
    case 'o':
        boot_radar(first);
        break;
    case 'm':
        tell_memory();
        break;
    case 'x':
        try_spi();
        break;
    case 'w':
        check.watching = true;
        board_watchdog_start(first);
        say("done\n");
        break;
    case 'h':
        board_hang_now();
        break;
    case 'H':
        (void)board_lock();
        board_hang_now();
        break;
    case 'f':
        board_fault_now();
        break;
    case 'v':
        say_number("", overflow(first));
        break;
    case 'r':
        board_reset();
        break;
    default:
        say("what?\n");
    }
}

/* A byte back to where it came from: waits for room, which a self-test may. */
static void echo(const struct serial_port *port, uint8_t byte) {
    while (!port->write(port->context, &byte, 1)) {
    }
}

static void serve_link(void) {
    static char line[LINE];
    static unsigned length;
    const struct serial_port *link = board_port(BOARD_PORT_LINK);
    uint8_t byte;
    uint32_t count;
    while (link->read(link->context, &byte, &count)) {
        if (check.echo) {
            check.echo--;
            echo(link, byte);
        } else if (byte == '\n') {
            line[length] = 0;
            length = 0;
            obey(line);
        } else if (length < LINE - 1) {
            line[length++] = (char)byte;
        }
    }
}

static void serve_port(enum board_port i) {
    const struct serial_port *port = board_port(i);
    uint8_t byte;
    uint32_t count;
    while (port->read(port->context, &byte, &count)) {
        echo(port, byte);
    }
}

static void open_kept(void) {
    struct kept *kept = board_kept();
    if (kept->mark != MARK) {
        *kept = (struct kept){.mark = MARK};
    }
    kept->runs++;
}

/* Half a second on, half off; the pin is written only when it changes. */
static void blink(void) {
    static bool lit;
    bool light = check.ticks / (board_tick_hz() / 2) % 2;
    if (light != lit) {
        board_set_led(light);
    }
    lit = light;
}

int main(void) {
    board_init();
    open_kept();
    board_start();
    tell_name();
    for (;;) {
        blink();
        if (check.watching) {
            board_watchdog_feed();
        }
        serve_link();
        for (int i = BOARD_PORT_LINK + 1; i < BOARD_PORTS; i++) {
            serve_port((enum board_port)i);
        }
        board_idle();
    }
}
