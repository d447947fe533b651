/* hub_on_host SOCKET [SECONDS]: the hub's firmware on this computer, in real time, on the fake
 * board. The serial line to the host is a unix socket; behind the board's pins and ports are two
 * linear axes with switches, a turntable with its mark, a radar's command line and an IMU. For
 * tests of what speaks with a hub, and to try `nfsar hub` without one. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "firmware/app/hub.h"
#include "tests/firmware/fake_board.h"

enum {
    TICKS_A_TURN = 4,       /* of the motion interrupt, in one turn of the main loop */
    TICKS_BEHIND = 4000,    /* beyond these, time that the computer did not give is lost */
    TRAVEL = 40000,         /* steps from switch to switch */
    BEGIN = 2000,           /* where the carriages stand, from the low switch */
    TURN = 16000,           /* steps of a turn */
    MARK = 100,             /* steps that the turntable's mark is wide */
    IMU_TICKS = 200,        /* 40 kHz: 200 Hz */
    RADAR_BOOT_TICKS = 4000 /* 0.1 s */
};

struct bench {
    struct hub hub;
    int listener, client;
    uint64_t ticks; /* made */
    int32_t carriage[BOARD_AXES];
    int32_t counted[BOARD_AXES];
    char line[256]; /* for the radar, being received */
    size_t line_bytes;
    bool radar_held;
    uint64_t radar_boots; /* tick at which it shows its prompt; 0: it has */
};

static volatile sig_atomic_t ended;

static void on_signal(int number) {
    (void)number;
    ended = 1;
}

/* ---- what the pins are connected to ---- */

static void on_tick(void *context) {
    hub_on_tick(&((struct bench *)context)->hub);
}

static void on_input(void *context, enum board_input input, uint32_t count) {
    (void)count;
    hub_on_input(&((struct bench *)context)->hub, input);
}

static void on_stamp(void *context, enum board_stamp stamp, uint32_t count) {
    hub_on_stamp(&((struct bench *)context)->hub, stamp, count);
}

static void set_input(enum board_input input, bool active) {
    if (((fake_board.inputs >> input & 1U) != 0) != active) {
        fake_board_input(input, active);
    }
}

/* The carriages follow the step pins; a reset of the hub does not move them. */
static void move_stage(struct bench *bench) {
    for (unsigned axis = 0; axis < BOARD_AXES; axis++) {
        bench->carriage[axis] += fake_board.axis[axis].position - bench->counted[axis];
        bench->counted[axis] = fake_board.axis[axis].position;
    }
    set_input(BOARD_LIMIT_X_LOW, bench->carriage[0] <= 0);
    set_input(BOARD_LIMIT_X_HIGH, bench->carriage[0] >= TRAVEL);
    set_input(BOARD_LIMIT_Y_LOW, bench->carriage[1] <= 0);
    set_input(BOARD_LIMIT_Y_HIGH, bench->carriage[1] >= TRAVEL);
    const int32_t turned = ((bench->carriage[2] % TURN) + TURN) % TURN;
    set_input(BOARD_LIMIT_TURN_HOME, turned < MARK);
}

static void radar_says(const char *text) {
    fake_board_send(BOARD_PORT_RADAR, text, strlen(text));
}

/* As the mmWave SDK's demo answers. */
static void radar_answers(const char *line) {
    static const char *const known[] = {"sensorStop",
                                        "flushCfg",
                                        "dfeDataOutputMode",
                                        "channelCfg",
                                        "adcCfg",
                                        "adcbufCfg",
                                        "profileCfg",
                                        "chirpCfg",
                                        "frameCfg",
                                        "lowPower",
                                        "guiMonitor",
                                        "cfarCfg",
                                        "peakGrouping",
                                        "multiObjBeamForming",
                                        "clutterRemoval",
                                        "calibDcRangeSig",
                                        "lvdsStreamCfg",
                                        "sensorStart",
                                        "version"};
    char word[64];
    int first = -1;
    const int words = sscanf(line, "%63s %d", word, &first);
    bool found = false;
    radar_says(line);
    radar_says("\n");
    for (size_t i = 0; i < sizeof known / sizeof *known && words > 0; i++) {
        found = found || strcmp(word, known[i]) == 0;
    }
    if (words > 0 && !found) {
        radar_says("'");
        radar_says(word);
        radar_says("' is not recognized as a CLI command\n");
    } else if (words > 0 && strcmp(word, "profileCfg") == 0 && first > 3) {
        radar_says("Error: profile id is above 3\nError -1\n");
    } else if (words > 0) {
        radar_says("Done\n");
    }
    radar_says("mmwDemo:/>");
}

static void run_radar(struct bench *bench) {
    char byte;
    if (fake_board.radar_reset) {
        bench->radar_held = true;
    } else if (bench->radar_held) {
        bench->radar_held = false;
        bench->radar_boots = bench->ticks + RADAR_BOOT_TICKS;
    }
    if (bench->radar_boots != 0 && bench->ticks >= bench->radar_boots) {
        bench->radar_boots = 0;
        radar_says("xWR14xx MMW Demo 02.01.00.04\nmmwDemo:/>");
    }
    while (fake_board_receive(BOARD_PORT_RADAR, &byte, 1) == 1) {
        if (byte != '\n' && bench->line_bytes + 1 < sizeof bench->line) {
            bench->line[bench->line_bytes++] = byte;
        } else if (byte == '\n') {
            bench->line[bench->line_bytes] = '\0';
            bench->line_bytes = 0;
            if (!bench->radar_held && bench->radar_boots == 0) {
                radar_answers(bench->line);
            }
        }
    }
}

/* A WitMotion at rest: acceleration, rate, orientation, 200 times a second. */
static void run_imu(const struct bench *bench) {
    static const struct {
        uint8_t type;
        int16_t values[4];
    } packets[] = {{0x51, {0, 0, 2048, 2500}}, {0x52, {1, -1, 0, 0}}, {0x59, {32767, 0, 0, 0}}};
    uint8_t bytes[11];
    if (bench->ticks % IMU_TICKS >= TICKS_A_TURN) {
        return;
    }
    while (fake_board_receive(BOARD_PORT_IMU, bytes, sizeof bytes) > 0) {
        /* What the hub asks of it, it does already. */
    }
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        uint8_t *at = bytes;
        nfsar_wire_put_u8(&at, 0x55);
        nfsar_wire_put_u8(&at, packets[i].type);
        for (unsigned j = 0; j < 4; j++) {
            nfsar_wire_put_u16(&at, (uint16_t)packets[i].values[j]);
        }
        uint8_t sum = 0;
        for (const uint8_t *byte = bytes; byte < at; byte++) {
            sum = (uint8_t)(sum + *byte);
        }
        nfsar_wire_put_u8(&at, sum);
        fake_board_send(BOARD_PORT_IMU, bytes, sizeof bytes);
    }
}

/* ---- the chip ---- */

/* A reset leaves the kept memory and the world outside as they are. */
static void start_hub(struct bench *bench, enum board_reset_cause cause) {
    uint8_t kept[BOARD_KEPT_BYTES];
    memcpy(kept, fake_board.kept, sizeof kept);
    fake_board_reset();
    memcpy(fake_board.kept, kept, sizeof kept);
    fake_board.cause = cause;
    fake_board.on_tick = on_tick;
    fake_board.on_input = on_input;
    fake_board.on_stamp = on_stamp;
    fake_board.context = bench;
    memset(bench->counted, 0, sizeof bench->counted);
    move_stage(bench);
    hub_init(&bench->hub);
}

static void look_for_resets(struct bench *bench) {
    if (fake_board.faults > 0) {
        /* What a store to nowhere leaves on an STM32F405. */
        const struct board_fault fault = {.r0 = 0x20000000,
                                          .pc = 0x08001234,
                                          .lr = 0x08000567,
                                          .psr = 0x01000000,
                                          .cfsr = 0x00008200,
                                          .hfsr = 0x40000000,
                                          .fault_address = 0x70000000,
                                          .exception = 3};
        board_on_fault(&fault);
    }
    if (fake_board.hangs > 0) {
        start_hub(bench, BOARD_RESET_WATCHDOG);
    } else if (fake_board.resets > 0) {
        start_hub(bench, BOARD_RESET_SOFTWARE);
    }
}

/* ---- the line to the host ---- */

static void run_line(struct bench *bench) {
    uint8_t bytes[4096];
    if (bench->client < 0) {
        bench->client = accept4(bench->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    const ssize_t came = bench->client >= 0 ? read(bench->client, bytes, sizeof bytes) : -1;
    if (came > 0) {
        fake_board_send(BOARD_PORT_LINK, bytes, (size_t)came);
    } else if (came == 0 || (bench->client >= 0 && errno != EAGAIN && errno != EINTR)) {
        close(bench->client);
        bench->client = -1;
    }
    /* A line that nobody listens to takes its bytes all the same; so does one whose reader is slow.
     */
    for (;;) {
        const size_t n = fake_board_receive(BOARD_PORT_LINK, bytes, sizeof bytes);
        if (n == 0) {
            return;
        }
        if (bench->client >= 0) {
            send(bench->client, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int run(struct bench *bench, double seconds) {
    const uint64_t began = now_ns();
    uint64_t lost = 0; /* ticks that came too late to be made */
    while (!ended) {
        const uint64_t passed = now_ns() - began;
        if (seconds > 0.0 && (double)passed > seconds * 1e9) {
            return 0;
        }
        const uint64_t due = passed / (1000000000U / 40000U) - lost;
        if (due > bench->ticks + TICKS_BEHIND) {
            lost += due - bench->ticks - TICKS_BEHIND;
        }
        run_line(bench);
        for (uint64_t i = 0; bench->ticks < due && i < TICKS_BEHIND; i += TICKS_A_TURN) {
            for (unsigned k = 0; k < TICKS_A_TURN; k++, bench->ticks++) {
                fake_board_tick();
                move_stage(bench);
            }
            run_imu(bench);
            run_radar(bench);
            hub_poll(&bench->hub);
            look_for_resets(bench);
        }
        poll(NULL, 0, 1);
    }
    return 0;
}

int main(int argc, char **argv) {
    static struct bench bench = {.client = -1, .carriage = {BEGIN, BEGIN, TURN / 2}};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc < 2 || argc > 3 || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: hub_on_host SOCKET [SECONDS]\n");
        return 2;
    }
    strcpy(address.sun_path, argv[1]);
    unlink(argv[1]);
    bench.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bench.listener < 0 ||
        bind(bench.listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(bench.listener, 4) != 0) {
        perror(argv[1]);
        return 1;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    start_hub(&bench, BOARD_RESET_POWER);
    const int status = run(&bench, argc == 3 ? atof(argv[2]) : 0.0);
    unlink(argv[1]);
    return status;
}
