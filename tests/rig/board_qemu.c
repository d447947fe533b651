/* The hub's image in qemu, with the rig around it. A pulse's time is what the hub says of it: qemu
 * tells that a pin was written, not when. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <nfsar/wire.h>

#include "tests/rig/line.h"
#include "tests/rig/qemu.h"
#include "tests/rig/rig.h"

enum {
    LOOK_MS = 2,    /* between looks at qemu's timer, which hold it up */
    AGES_MS = 1000, /* then a pulse's time is when its pin was seen */
    PENDING = 1024
};

struct machine {
    struct rig *rig;
    struct qemu qemu;
    struct rig_line line;
    bool level[QEMU_PINS], known[QEMU_PINS];
    uint32_t count;
    uint64_t counts;           /* since the hub's start */
    uint64_t seen_ns[PENDING]; /* when the pulses that are not timed yet were seen */
    uint64_t pulses, timed;
    struct nfsar_wire_reader reader;
    bool failed;
    nfsar_error error;
};

static uint64_t hub_ns(const struct machine *machine) {
    return machine->counts * (1000000000U / QEMU_COUNT_HZ);
}

/* ---- what the hub does ---- */

static void time_pulse(struct machine *machine, uint64_t time_ns) {
    if (machine->timed < machine->pulses) {
        machine->timed++;
        rig_sync_was(machine->rig, time_ns);
    }
}

static void wrote(void *context, enum qemu_pin pin, bool level) {
    struct machine *machine = context;
    const bool rose = machine->known[pin] && level && !machine->level[pin];
    const bool changed = machine->known[pin] && level != machine->level[pin];
    machine->level[pin] = level;
    machine->known[pin] = true;
    if (rose && pin <= QEMU_STEP2) {
        const unsigned axis = pin - QEMU_STEP0;
        rig_step(machine->rig, axis, machine->level[QEMU_DIRECTION0 + axis], 0);
    } else if (rose && pin == QEMU_SYNC) {
        machine->seen_ns[machine->pulses++ % PENDING] = hub_ns(machine);
        rig_sync(machine->rig);
    } else if (changed && pin == QEMU_RADAR_RESET) {
        rig_radar_reset(machine->rig, !level, hub_ns(machine));
    }
}

static void hear(struct machine *machine, const uint8_t *bytes, size_t n) {
    struct nfsar_wire_message message;
    for (size_t i = 0; i < n; i++) {
        if (nfsar_wire_read(&machine->reader, bytes[i], &message) &&
            message.header.kind == NFSAR_WIRE_TRIGGER) {
            time_pulse(machine, message.header.time_ns);
        }
    }
}

/* Pulses that the hub says nothing of: nobody said hello to it. */
static void time_old_pulses(struct machine *machine) {
    while (machine->timed < machine->pulses &&
           hub_ns(machine) - machine->seen_ns[machine->timed % PENDING] >
               AGES_MS * UINT64_C(1000000)) {
        time_pulse(machine, machine->seen_ns[machine->timed % PENDING]);
    }
}

static void run_ports(struct machine *machine) {
    uint8_t bytes[4096];
    for (unsigned port = 0; port < BOARD_PORTS; port++) {
        size_t came;
        while ((came = qemu_read_port(&machine->qemu, (enum board_port)port, bytes, sizeof bytes)) >
               0) {
            if (port != BOARD_PORT_LINK) {
                rig_heard(machine->rig, (enum board_port)port, bytes, came);
                continue;
            }
            rig_line_write(&machine->line, bytes, came);
            /* A pulse's pin was written before the hub spoke of it. */
            qemu_read_pins(&machine->qemu);
            hear(machine, bytes, came);
        }
    }
}

/* ---- what the rig does ---- */

static void send_bytes(void *context, enum board_port port, const void *bytes, size_t n) {
    struct machine *machine = context;
    qemu_write_port(&machine->qemu, port, bytes, n);
}

static void set_line(struct machine *machine, unsigned line, bool level) {
    if (!machine->failed &&
        qemu_set_line(&machine->qemu, line, level, &machine->error) != NFSAR_OK) {
        machine->failed = true;
    }
}

/* EXTI lines of the inputs, as firmware/boards/stm32f405/pins.h has them. */
static void set_input(void *context, enum board_input input, bool active) {
    static const unsigned lines[BOARD_INPUTS] = {6, 7, 12, 13, 0, 4};
    set_line(context, lines[input], active);
}

static void pulse(void *context) {
    set_line(context, 5, true);
    set_line(context, 5, false);
}

/* ---- the loop ---- */

static void look_at_time(struct machine *machine) {
    uint32_t count = 0;
    if (qemu_count(&machine->qemu, &count, &machine->error) != NFSAR_OK) {
        machine->failed = true;
        return;
    }
    const uint32_t passed = count - machine->count;
    if (passed > UINT32_MAX / 2) { /* it began anew: the hub was reset */
        machine->counts = count;
        machine->timed = machine->pulses;
        rig_restart(machine->rig);
    } else {
        machine->counts += passed;
    }
    machine->count = count;
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void turn(struct machine *machine) {
    uint8_t bytes[4096];
    qemu_read_pins(&machine->qemu);
    run_ports(machine);
    const size_t came = rig_line_read(&machine->line, bytes, sizeof bytes);
    send_bytes(machine, BOARD_PORT_LINK, bytes, came);
}

static void look(struct machine *machine) {
    look_at_time(machine);
    rig_run(machine->rig, hub_ns(machine));
    time_old_pulses(machine);
    if (!qemu_runs(&machine->qemu)) {
        nfsar_fail(&machine->error, NFSAR_ERROR_DEVICE, "qemu ended by itself");
        machine->failed = true;
    }
}

static void run(struct machine *machine, const volatile sig_atomic_t *ended) {
    const double seconds = rig_options(machine->rig)->seconds;
    const double began = now_s();
    double looked = began;
    while (!*ended && !machine->failed && (seconds <= 0.0 || now_s() - began < seconds)) {
        struct pollfd wait[] = {{machine->qemu.log, POLLIN, 0},
                                {machine->qemu.port[BOARD_PORT_LINK], POLLIN, 0},
                                {machine->line.client, POLLIN, 0}};
        poll(wait, 3, LOOK_MS);
        turn(machine);
        /* A switch that closes is told at once, the rest has time. */
        if (now_s() - looked >= LOOK_MS * 1e-3) {
            looked = now_s();
            look(machine);
        } else {
            rig_switches(machine->rig);
        }
    }
}

enum nfsar_status rig_run_in_qemu(struct rig *rig, const volatile sig_atomic_t *ended,
                                  nfsar_error *error) {
    static struct machine machine;
    char path[300];
    memset(&machine, 0, sizeof machine);
    machine.rig = rig;
    machine.line.listener = machine.line.client = -1;
    rig_connect(rig, &(struct rig_board){&machine, send_bytes, set_input, pulse, NULL});
    if (rig_options(rig)->faults.restart > 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "--fault restart: not of a hub in qemu");
    }
    enum nfsar_status status =
        qemu_start(&machine.qemu, rig_options(rig)->hub, rig_folder(rig), wrote, &machine, error);
    if (status == NFSAR_OK) {
        snprintf(path, sizeof path, "%s/hub", rig_folder(rig));
        status = rig_line_open(&machine.line, path, error);
    }
    if (status == NFSAR_OK) {
        rig_line_drops(&machine.line, &rig_options(rig)->faults);
        rig_ready(rig);
        run(&machine, ended);
        if (machine.failed && !*ended) {
            *error = machine.error;
            status = NFSAR_ERROR_DEVICE;
        }
    }
    rig_line_close(&machine.line);
    qemu_end(&machine.qemu);
    return status;
}
