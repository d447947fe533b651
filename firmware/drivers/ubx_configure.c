/* Bringing a receiver up: at each rate that it may be at, ask in the new way (CFG-VALSET: M9, M10,
 * F9) and then in the old (CFG-RATE: M8). Whoever answers is told the rest and moved to UBX_RATE.
 */
#include "firmware/drivers/ubx.h"

enum {
    CLASS_CFG = 0x06,
    CFG_PRT = 0x00,
    CFG_MSG = 0x01,
    CFG_RATE = 0x08,
    CFG_VALSET = 0x8A,
    NOT_ASKED = 0xFF,

    LAYER_RAM = 1,
    MESSAGE_MAX = 128,

    /* At 9600 bits/s an answer may wait behind a whole burst of NMEA. */
    ANSWER_US = 900000,
    SEND_US = 150000, /* the longest message is 54 bytes: 57 ms at 9600 bits/s */
    LISTEN_US = 2000000
};

/* What `step` says within one rate. */
enum { ASK, ANSWERED, PULSE, MOVE, ARRIVE, ANSWERED_LEGACY, MOVE_LEGACY, AT_A_RATE };

static const uint32_t rates[] = {UBX_RATE, 38400, 9600};
enum { RATES = sizeof rates / sizeof *rates };

struct message {
    uint8_t bytes[MESSAGE_MAX];
    uint8_t n;
};

static void put(struct message *message, uint32_t value, int bytes) {
    for (int i = 0; i < bytes && message->n < MESSAGE_MAX - 2; ++i) {
        message->bytes[message->n++] = (uint8_t)(value >> 8 * i);
    }
}

static void begin(struct message *message, uint8_t id) {
    message->n = 0;
    put(message, 0x62B5, 2);
    put(message, CLASS_CFG, 1);
    put(message, id, 1);
    put(message, 0, 2); /* the length, by send() */
}

static bool send(struct ubx *ubx, const struct sensor_bus *bus, struct message *message) {
    message->bytes[4] = (uint8_t)(message->n - 6);
    uint8_t a = 0;
    uint8_t b = 0;
    for (int i = 2; i < message->n; ++i) {
        a = (uint8_t)(a + message->bytes[i]);
        b = (uint8_t)(b + a);
    }
    message->bytes[message->n++] = a;
    message->bytes[message->n++] = b;
    ubx->asked = message->bytes[3];
    ubx->sensor.answer = SENSOR_ANSWER_NONE;
    return sensor_send(&ubx->sensor, bus, message->bytes, message->n);
}

struct setting {
    uint32_t key;
    uint32_t value;
};

/* Bits 30 ... 28 of a key say how long its value is: "Configuration interface", key ID. */
static int value_bytes(uint32_t key) {
    static const uint8_t size[] = {0, 1, 1, 2, 4, 8, 0, 0};
    return size[key >> 28 & 7];
}

static bool send_settings(struct ubx *ubx, const struct sensor_bus *bus,
                          const struct setting *settings, size_t n) {
    struct message message;
    begin(&message, CFG_VALSET);
    put(&message, LAYER_RAM << 8, 4); /* version 0, layers, reserved */
    for (size_t i = 0; i < n; ++i) {
        put(&message, settings[i].key, 4);
        put(&message, settings[i].value, value_bytes(settings[i].key));
    }
    return send(ubx, bus, &message);
}

static bool ask(struct ubx *ubx, const struct sensor_bus *bus) {
    static const struct setting settings[] = {
        {0x30210001, UBX_PERIOD_MS}, /* CFG-RATE-MEAS, ms */
        {0x30210002, 1},             /* CFG-RATE-NAV: a solution for each */
        {0x20210003, 0},             /* CFG-RATE-TIMEREF: at whole tenths of UTC */
        {0x10740001, 1},             /* CFG-UART1OUTPROT-UBX */
        {0x20910007, 1},             /* CFG-MSGOUT-UBX_NAV_PVT_UART1: each */
    };
    return send_settings(ubx, bus, settings, sizeof settings / sizeof *settings);
}

/* One pulse of 100 ms at each whole second of UTC, rising, and none before the time is known. */
static bool set_pulse(struct ubx *ubx, const struct sensor_bus *bus) {
    static const struct setting settings[] = {
        {0x10050007, 1},       /* CFG-TP-TP1_ENA */
        {0x10050009, 1},       /* CFG-TP-USE_LOCKED_TP1 */
        {0x40050002, 1000000}, /* CFG-TP-PERIOD_TP1, us */
        {0x40050004, 0},       /* CFG-TP-LEN_TP1 */
        {0x40050003, 1000000}, /* CFG-TP-PERIOD_LOCK_TP1 */
        {0x40050005, 100000},  /* CFG-TP-LEN_LOCK_TP1 */
        {0x1005000B, 1},       /* CFG-TP-POL_TP1: rising at the second */
        {0x2005000C, 0},       /* CFG-TP-TIMEGRID_TP1: UTC */
    };
    return send_settings(ubx, bus, settings, sizeof settings / sizeof *settings);
}

static bool move(struct ubx *ubx, const struct sensor_bus *bus) {
    static const struct setting settings[] = {
        {0x10740002, 0},        /* CFG-UART1OUTPROT-NMEA */
        {0x40520001, UBX_RATE}, /* CFG-UART1-BAUDRATE */
    };
    return send_settings(ubx, bus, settings, sizeof settings / sizeof *settings);
}

static bool ask_legacy(struct ubx *ubx, const struct sensor_bus *bus) {
    struct message message;
    begin(&message, CFG_RATE);
    put(&message, UBX_PERIOD_MS, 2);
    put(&message, 1, 2); /* navRate */
    put(&message, 0, 2); /* timeRef: UTC */
    return send(ubx, bus, &message);
}

static bool ask_pvt_legacy(struct ubx *ubx, const struct sensor_bus *bus) {
    struct message message;
    begin(&message, CFG_MSG);
    put(&message, 0x0701, 2); /* NAV-PVT */
    put(&message, 1, 1);      /* with each solution, on this port */
    return send(ubx, bus, &message);
}

static bool move_legacy(struct ubx *ubx, const struct sensor_bus *bus) {
    struct message message;
    begin(&message, CFG_PRT);
    put(&message, 1, 4);          /* UART1, reserved, no TX-ready pin */
    put(&message, 0x000008D0, 4); /* 8 data bits, no parity, 1 stop bit */
    put(&message, UBX_RATE, 4);
    put(&message, 1, 2); /* in: UBX */
    put(&message, 1, 2); /* out: UBX */
    put(&message, 0, 4);
    return send(ubx, bus, &message);
}

enum sensor_step ubx_configure(struct sensor *sensor, const struct sensor_bus *bus,
                               uint32_t *wait_us) {
    struct ubx *ubx = (struct ubx *)(void *)sensor;
    unsigned which = sensor->step / AT_A_RATE;
    unsigned at = sensor->step % AT_A_RATE;
    bool yes = sensor->answer == SENSOR_ANSWER_YES;
    bool no = sensor->answer == SENSOR_ANSWER_NO;
    bool sent = true;
    unsigned next = AT_A_RATE; /* the next rate */
    if (at == ANSWERED && yes) {
        at = PULSE; /* whose own answer does not matter: a receiver may lack one of the keys */
    }
    if (which >= RATES) {
        return SENSOR_STEP_FAILED;
    }
    *wait_us = ANSWER_US;
    sensor->answer = SENSOR_ANSWER_NONE;
    switch (at) {
    case ASK:
        sensor_set_rate(&ubx_driver, sensor, bus, rates[which]);
        ubx->legacy = false;
        sent = ask(ubx, bus);
        next = ANSWERED;
        break;
    case ANSWERED: /* not, or with no */
        sent = ask_legacy(ubx, bus);
        next = ANSWERED_LEGACY;
        break;
    case PULSE:
        sent = set_pulse(ubx, bus);
        next = MOVE;
        break;
    case MOVE:
        sent = move(ubx, bus);
        ubx->asked = NOT_ASKED; /* the answer comes at one rate or the other: not waited for */
        *wait_us = SEND_US;
        next = ARRIVE;
        break;
    case ANSWERED_LEGACY:
        if (yes) {
            ubx->legacy = true;
            sent = ask_pvt_legacy(ubx, bus);
            next = MOVE_LEGACY;
        } else {
            if (no) { /* the old way as well */
                sensor_answers_wrongly(sensor);
            }
            *wait_us = 0;
        }
        break;
    case MOVE_LEGACY:
        sent = move_legacy(ubx, bus);
        ubx->asked = NOT_ASKED;
        *wait_us = SEND_US;
        next = ARRIVE;
        break;
    default:                            /* ARRIVE */
        sensor_answers_wrongly(sensor); /* having said yes, unless it now sends */
        sensor_set_rate(&ubx_driver, sensor, bus, UBX_RATE);
        sensor->step = (uint16_t)((which + 1) * AT_A_RATE);
        *wait_us = LISTEN_US;
        return SENSOR_STEP_LISTEN;
    }
    sensor->step = (uint16_t)(which * AT_A_RATE + next);
    return sent ? SENSOR_STEP_WAIT : SENSOR_STEP_FAILED;
}
