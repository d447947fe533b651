#include "firmware/app/hub.h"

#include <string.h>

#include "firmware/app/commands.h"
#include "firmware/boards/board.h"

#define MILLISECOND UINT64_C(1000000)

/* Set by the build; the version of the whole. */
#ifndef NFSAR_FIRMWARE_VERSION
#define NFSAR_FIRMWARE_VERSION "0"
#endif

/* More than the outbox holds: a flood is to be one. */
enum { FLOOD_A_TURN = 256 };

enum { STALL_MOST_MS = 10000 };

static bool wanted(const struct hub *hub, uint8_t kind) {
    if (kind == NFSAR_WIRE_REPLY) {
        return true;
    }
    if (!hub->greeted) {
        /* To a line on which nobody has spoken: that the hub started, and that it lives. */
        return kind == NFSAR_WIRE_HELLO || kind == NFSAR_WIRE_CRASH;
    }
    const unsigned bit = kind - NFSAR_WIRE_TRIGGER;
    return bit >= 32 || (hub->streams.off & 1U << bit) == 0;
}

void hub_record(struct hub *hub, enum nfsar_wire_kind kind, uint8_t channel, uint64_t time_ns,
                const uint8_t *payload, size_t n) {
    if (wanted(hub, (uint8_t)kind)) {
        outbox_put(&hub->outbox, (uint8_t)kind, channel, time_ns, payload, n);
    }
}

static void copy_text(uint8_t *to, size_t room, const char *text) {
    const size_t n = strlen(text);
    memset(to, 0, room);
    memcpy(to, text, n < room ? n : room);
}

void hub_say_hello(struct hub *hub) {
    struct nfsar_wire_crash crash;
    struct nfsar_wire_hello hello = {
        .major = NFSAR_WIRE_MAJOR,
        .minor = NFSAR_WIRE_MINOR,
        .count_hz = hub->clock.count_hz,
        .tick_hz = board_tick_hz(),
        .radar_bytes = RADAR_TEXT_BYTES,
        .axes = BOARD_AXES,
        .sensors = SENSORS,
        .reset = (uint8_t)board_reset_cause(),
        .flags = (uint8_t)((board_emulated() ? NFSAR_WIRE_HELLO_EMULATED : 0) |
                           (board_usb() != NULL ? NFSAR_WIRE_HELLO_USB : 0) |
                           (board_spi_imu() != NULL ? NFSAR_WIRE_HELLO_SPI_IMU : 0) |
                           (crash_read(&crash) ? NFSAR_WIRE_HELLO_CRASHED : 0) |
                           (board_clock_exact() ? 0 : NFSAR_WIRE_HELLO_INEXACT)),
        .starts = crash_starts()};
    copy_text(hello.firmware, sizeof hello.firmware, NFSAR_FIRMWARE_VERSION);
    copy_text(hello.board, sizeof hello.board, board_name());
    board_serial(hello.serial);
    HUB_RECORD(hub, HELLO, hello, 0, hub->now_ns, &hello);
}

void hub_say_crash(struct hub *hub) {
    struct nfsar_wire_crash crash;
    if (crash_read(&crash)) {
        HUB_RECORD(hub, CRASH, crash, 0, hub->now_ns, &crash);
    }
}

static uint32_t counts_ns(const struct hub *hub, uint32_t counts) {
    const uint64_t ns = clock_ns(&hub->clock, counts);
    return ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static uint16_t cap16(uint32_t value) {
    return value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

/* On silicon a late tick would shift triggers; an emulator's come in bunches. */
static void tell_late(struct hub *hub, uint32_t late) {
    if (!board_emulated() && late > hub->ticks.period / 2 && late > hub->told_late) {
        hub->told_late = late;
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_TICK_LATE, 0, (int32_t)counts_ns(hub, late));
    }
}

/* Taken and cleared in one: what a tick between the two wrote would be gone. */
static void take_worst(struct hub *hub, uint32_t *worst, uint32_t *late_worst) {
    const uint32_t state = board_lock();
    *worst = hub->ticks.worst;
    *late_worst = hub->ticks.late_worst;
    hub->ticks.worst = 0;
    hub->ticks.late_worst = 0;
    board_unlock(state);
    tell_late(hub, *late_worst);
    hub->told_late = 0;
}

void hub_say_status(struct hub *hub) {
    uint32_t tick_worst;
    uint32_t late_worst;
    take_worst(hub, &tick_worst, &late_worst);
    struct nfsar_wire_status status = {.errors = hub->errors.latched,
                                       .made = hub->outbox.made,
                                       .dropped = hub->outbox.dropped,
                                       .dropped_sensors = hub->outbox.dropped_sensors,
                                       .dropped_triggers = hub->outbox.dropped_triggers,
                                       .triggers = hub->stage.triggers,
                                       .frames = links_frames(&hub->links),
                                       .frames_bad = links_bad(&hub->links),
                                       .queue_worst = (uint16_t)hub->outbox.worst,
                                       .queue_size = OUTBOX_BYTES,
                                       .trigger_worst = hub->stage.trigger_worst,
                                       .stack_free = cap16(board_stack_free()),
                                       .loop_worst_ns = counts_ns(hub, hub->loop_worst),
                                       .tick_worst_ns = counts_ns(hub, tick_worst),
                                       .tick_late_worst_ns = counts_ns(hub, late_worst),
                                       .inputs = (uint8_t)board_inputs(),
                                       .emergency = stage_emergency_latched(&hub->stage),
                                       .armed = stage_armed(&hub->stage),
                                       .program = stage_program_state(&hub->stage)};
    for (unsigned port = 0; port < BOARD_PORTS; port++) {
        const struct serial_port *serial = board_port((enum board_port)port);
        status.bytes_lost[port] = serial->lost(serial->context);
    }
    HUB_RECORD(hub, STATUS, status, 0, hub->now_ns, &status);
    hub->loop_worst = 0;
    hub->status_ns = hub->now_ns;
}

static void tell_error(void *context, const struct nfsar_wire_error *error) {
    struct hub *hub = context;
    HUB_RECORD(hub, ERROR, error, 0, hub->now_ns, error);
}

static void tell_radar(void *context, const struct nfsar_wire_radar *state, const char *text,
                       size_t n) {
    struct hub *hub = context;
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    const size_t fields = nfsar_wire_pack_radar(payload, state);
    const size_t room = sizeof payload - fields;
    const size_t bytes = n < room ? n : room;
    memcpy(payload + fields, text, bytes);
    hub_record(hub, NFSAR_WIRE_RADAR, 0, hub->now_ns, payload, fields + bytes);
    if (state->state == NFSAR_WIRE_RADAR_REFUSED) {
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_RADAR_REFUSED, 0, state->line);
    } else if (state->state == NFSAR_WIRE_RADAR_SILENT) {
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_RADAR_SILENT, 0, state->line);
    }
}

static void pass_radar_text(void *context, const char *text, size_t n) {
    struct hub *hub = context;
    hub_record(hub, NFSAR_WIRE_RADAR_TEXT, 0, hub->now_ns, (const uint8_t *)text,
               n < NFSAR_WIRE_PAYLOAD_MAX ? n : NFSAR_WIRE_PAYLOAD_MAX);
}

static void set_radar_reset(void *context, bool held) {
    (void)context;
    board_set_radar_reset(held);
}

static void set_radar_boot(void *context, unsigned sop) {
    (void)context;
    board_set_radar_boot(sop);
}

static void release_radar_boot(void *context) {
    (void)context;
    board_release_radar_boot();
}

const struct nfsar_wire_do_streams hub_streams = {.status_ms = HUB_STATUS_MS,
                                                  .axis_ms = HUB_AXIS_MS};

void hub_init(struct hub *hub) {
    memset(hub, 0, sizeof *hub);
    crash_start(board_reset_cause());
    board_set_radar_reset(false); /* held since the start of the board */
    clock_init(&hub->clock, board_count_hz(), board_count());
    hub->now_ns = clock_stamp_ns(&hub->clock, board_count());
    hub->streams = hub_streams;
    hub->errors.tell = tell_error;
    hub->errors.context = hub;
    hub->ticks.period = board_count_hz() / board_tick_hz();
    outbox_init(&hub->outbox);
    links_init(&hub->links);
    stage_init(hub);
    sensors_init(hub);
    radar_init(&hub->radar, board_port(BOARD_PORT_RADAR),
               &(struct radar_events){.state = tell_radar,
                                      .said = pass_radar_text,
                                      .reset = set_radar_reset,
                                      .boot = set_radar_boot,
                                      .release_boot = release_radar_boot,
                                      .context = hub});
    struct nfsar_wire_crash crash;
    if (crash_read(&crash)) {
        errors_raise(&hub->errors,
                     crash.exception == 0 ? NFSAR_WIRE_ERROR_WATCHDOG : NFSAR_WIRE_ERROR_CRASHED, 0,
                     (int32_t)crash.registers[6]);
    }
    hub_say_hello(hub);
    hub_say_crash(hub);
    board_watchdog_start(board_emulated() ? HUB_EMULATED_WATCHDOG_MS : HUB_WATCHDOG_MS);
}

/* ---- the interrupts ---- */

void hub_on_tick(struct hub *hub) {
    volatile struct hub_ticks *ticks = &hub->ticks;
    const uint32_t began = board_count();
    const uint32_t gap = began - ticks->began;
    if (ticks->number > 0 && gap > ticks->period && gap - ticks->period > ticks->late_worst) {
        ticks->late_worst = gap - ticks->period;
    }
    ticks->began = began;
    ticks->number++;
    motion_tick(&hub->stage.motion);
    const uint32_t took = board_count() - began;
    if (took > ticks->worst) {
        ticks->worst = took;
    }
}

/* On silicon an edge is noise unless the level stands, and limits are the tick's, which wants to
 * see them twice. An emulator's levels read 0: there its edges are all there is. */
void hub_on_input(struct hub *hub, enum board_input input) {
    const bool stands = (board_inputs() >> input & 1U) != 0;
    if (!board_emulated() && (input != BOARD_EMERGENCY_STOP || !stands)) {
        return;
    }
    motion_input(&hub->stage.motion, input);
}

void hub_on_stamp(struct hub *hub, enum board_stamp stamp, uint32_t count) {
    sensors_edge(&hub->sensors, stamp, count);
}

/* ---- the main loop ---- */

static void poll_injected(struct hub *hub) {
    /* The answer to the command goes out before. */
    if (hub->injected != 0 && hub->outbox.used == 0 && hub->now_ns > hub->inject_ns) {
        crash_place(PLACE_INJECTED, hub->now_ns);
        if (hub->injected == NFSAR_WIRE_FAULT_BUS) {
            board_fault_now();
        } else {
            board_hang_now();
        }
        hub->injected = 0; /* only a test's board comes back */
    }
    for (unsigned i = 0; i < FLOOD_A_TURN && hub->flood > 0; i++, hub->flood--) {
        const struct nfsar_wire_imu none = {0};
        HUB_RECORD(hub, IMU, imu, NFSAR_WIRE_CHANNEL_FLOOD, hub->now_ns, &none);
    }
    if (hub->stall_ms > 0) {
        /* Longer ones are the watchdog's; without it they end before the count wraps. */
        const uint32_t began = board_count();
        const uint32_t ms = hub->stall_ms < STALL_MOST_MS ? hub->stall_ms : STALL_MOST_MS;
        const uint32_t counts = hub->clock.count_hz / 1000 * ms;
        hub->stall_ms = 0;
        for (uint32_t turn = 0; board_count() - began < counts && turn < UINT32_MAX; turn++) {
        }
    }
    if (hub->restart_ns != 0 && hub->now_ns > hub->restart_ns) {
        hub->restart_ns = 0;
        board_reset();
    }
}

/* Whether what comes at this port is wanted: a radar in its reset may send anything. */
static bool heard(const struct hub *hub, enum board_port port) {
    return port == BOARD_PORT_RADAR ? hub->radar.state != NFSAR_WIRE_RADAR_RESETTING
                                    : !sensors_seek(&hub->sensors, port);
}

static void poll_losses(struct hub *hub) {
    for (unsigned port = 0; port < BOARD_PORTS; port++) {
        const struct serial_port *serial = board_port((enum board_port)port);
        const uint32_t lost = serial->lost(serial->context);
        if (lost != hub->lost[port]) {
            hub->lost[port] = lost;
            if (heard(hub, (enum board_port)port)) {
                errors_raise(&hub->errors, NFSAR_WIRE_ERROR_INPUT_LOST, (uint16_t)port,
                             (int32_t)lost);
            }
        }
    }
    if (hub->outbox.dropped != hub->told_dropped) {
        hub->told_dropped = hub->outbox.dropped;
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_LINK_DROPPED, 0, (int32_t)hub->outbox.dropped);
    }
    tell_late(hub, hub->ticks.late_worst);
}

/* Finding how far down the stack went reads all that it did not use, some 50 us: not every turn. */
static void poll_stack(struct hub *hub) {
    if (hub->now_ns - hub->stack_ns < HUB_STACK_MS * MILLISECOND) {
        return;
    }
    hub->stack_ns = hub->now_ns;
    const uint32_t free = board_stack_free();
    if (free < board_stack_size() / 8 &&
        !errors_latched(&hub->errors, NFSAR_WIRE_ERROR_STACK_LOW)) {
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_STACK_LOW, 0, (int32_t)free);
    }
}

static void poll_status(struct hub *hub) {
    poll_losses(hub);
    poll_stack(hub);
    if (hub->streams.status_ms > 0 &&
        hub->now_ns - hub->status_ns >= hub->streams.status_ms * MILLISECOND) {
        hub_say_status(hub);
    }
    /* Dark for a tenth of a second each second; every fifth when an error is latched. */
    const uint64_t period = hub->errors.latched != 0 ? 200 : 1000;
    const bool lit = hub->now_ns / MILLISECOND % period >= 100;
    if (lit != hub->lit) {
        hub->lit = lit;
        board_set_led(lit);
    }
}

static void feed_watchdog(struct hub *hub) {
    /* Fed only while steps and triggers are alive as well. */
    if (hub->ticks.number != hub->fed) {
        hub->fed = hub->ticks.number;
        board_watchdog_feed();
    }
}

void hub_poll(struct hub *hub) {
    const uint32_t began = board_count();
    clock_advance(&hub->clock, began);
    hub->now_ns = clock_ns(&hub->clock, hub->clock.base);
    crash_place(PLACE_LINK, hub->now_ns);
    links_poll(&hub->links, &hub->outbox, hub->now_ns, commands_do, hub);
    crash_place(PLACE_MOTION, hub->now_ns);
    stage_poll(hub);
    crash_place(PLACE_SENSORS, hub->now_ns);
    sensors_poll(hub);
    crash_place(PLACE_RADAR, hub->now_ns);
    radar_poll(&hub->radar, hub->now_ns);
    crash_place(PLACE_STATUS, hub->now_ns);
    poll_status(hub);
    poll_injected(hub);
    crash_place(PLACE_SEND, hub->now_ns);
    links_send(&hub->links, &hub->outbox);
    feed_watchdog(hub);
    const uint32_t took = board_count() - began;
    if (took > hub->loop_worst) {
        hub->loop_worst = took;
    }
}
