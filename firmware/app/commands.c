#include "firmware/app/commands.h"

#include <string.h>

#include "firmware/app/hub.h"
#include "firmware/boards/board.h"

typedef enum nfsar_wire_result command(struct hub *hub, const struct nfsar_wire_message *message,
                                       uint32_t count, struct answer *answer);

/* Field i of a command cannot have the value it has. */
static enum nfsar_wire_result bad_field(struct answer *answer, unsigned i) {
    answer->detail = (uint16_t)i;
    return NFSAR_WIRE_RESULT_VALUE;
}

static enum nfsar_wire_result do_hello(struct hub *hub, const struct nfsar_wire_message *message,
                                       uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_hello hello = {0};
    (void)count;
    nfsar_wire_unpack_do_hello(&hello, message->payload, message->bytes);
    answer->detail = NFSAR_WIRE_MAJOR;
    if (hello.major != NFSAR_WIRE_MAJOR) {
        return NFSAR_WIRE_RESULT_VERSION;
    }
    hub->greeted = true;
    hub->streams = hub_streams;
    hub_say_hello(hub);
    hub_say_crash(hub);
    errors_repeat(&hub->errors);
    stage_tell_again(&hub->stage);
    sensors_tell_again(hub);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_echo(struct hub *hub, const struct nfsar_wire_message *message,
                                      uint32_t count, struct answer *answer) {
    (void)hub;
    (void)count;
    answer->n = message->bytes;
    if (answer->n > NFSAR_WIRE_PAYLOAD_MAX - NFSAR_WIRE_REPLY_BYTES) {
        answer->n = 0;
        return NFSAR_WIRE_RESULT_FULL;
    }
    memcpy(answer->bytes, message->payload, answer->n);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_time(struct hub *hub, const struct nfsar_wire_message *message,
                                      uint32_t count, struct answer *answer) {
    (void)message;
    uint8_t *at = answer->bytes;
    nfsar_wire_put_u64(&at, clock_stamp_ns(&hub->clock, count));
    answer->n = sizeof(uint64_t);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_status(struct hub *hub, const struct nfsar_wire_message *message,
                                        uint32_t count, struct answer *answer) {
    (void)message;
    (void)count;
    (void)answer;
    hub_say_status(hub);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_clear(struct hub *hub, const struct nfsar_wire_message *message,
                                       uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_clear clear = {0};
    (void)count;
    nfsar_wire_unpack_do_clear(&clear, message->payload, message->bytes);
    if (stage_emergency_latched(&hub->stage)) {
        clear.errors &= ~(1U << NFSAR_WIRE_ERROR_EMERGENCY_STOP); /* released by its own command */
    }
    stage_clear(hub, clear.errors);
    errors_clear(&hub->errors, clear.errors);
    /* What is still latched, so that the host sees what cannot be cleared yet. */
    uint8_t *at = answer->bytes;
    nfsar_wire_put_u32(&at, hub->errors.latched);
    answer->n = sizeof(uint32_t);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_crash(struct hub *hub, const struct nfsar_wire_message *message,
                                       uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_crash crash = {0};
    (void)count;
    nfsar_wire_unpack_do_crash(&crash, message->payload, message->bytes);
    if (crash.forget > 1) {
        return bad_field(answer, 0);
    }
    if (crash.forget == 1) {
        crash_forget();
    } else {
        hub_say_crash(hub);
    }
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_restart(struct hub *hub, const struct nfsar_wire_message *message,
                                         uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_restart restart = {0};
    (void)count;
    nfsar_wire_unpack_do_restart(&restart, message->payload, message->bytes);
    if (restart.magic != NFSAR_WIRE_MAGIC) {
        return bad_field(answer, 0);
    }
    stage_emergency(hub);
    hub->restart_ns = hub->now_ns + HUB_RESTART_MS * UINT64_C(1000000);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_streams(struct hub *hub, const struct nfsar_wire_message *message,
                                         uint32_t count, struct answer *answer) {
    (void)count;
    (void)answer;
    nfsar_wire_unpack_do_streams(&hub->streams, message->payload, message->bytes);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_inject(struct hub *hub, const struct nfsar_wire_message *message,
                                        uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_inject inject = {0};
    (void)count;
    nfsar_wire_unpack_do_inject(&inject, message->payload, message->bytes);
    if (inject.magic != NFSAR_WIRE_MAGIC) {
        return bad_field(answer, 0);
    }
    if (!stage_idle(&hub->stage)) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    switch (inject.fault) {
    case NFSAR_WIRE_FAULT_BUS:
    case NFSAR_WIRE_FAULT_HANG:
        hub->injected = inject.fault;
        hub->inject_ns = hub->now_ns + HUB_RESTART_MS * UINT64_C(1000000);
        break;
    case NFSAR_WIRE_FAULT_STALL:
        hub->stall_ms = inject.value;
        break;
    case NFSAR_WIRE_FAULT_FLOOD:
        hub->flood = inject.value;
        break;
    default:
        return bad_field(answer, 1);
    }
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_sensor(struct hub *hub, const struct nfsar_wire_message *message,
                                        uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_sensor_set set = {0};
    (void)count;
    nfsar_wire_unpack_do_sensor_set(&set, message->payload, message->bytes);
    if (set.on > 1) {
        return bad_field(answer, 0);
    }
    return sensors_set(hub, message->header.channel, set.on == 1);
}

static enum nfsar_wire_result do_radar_text(struct hub *hub,
                                            const struct nfsar_wire_message *message,
                                            uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_radar_text text = {0};
    (void)count;
    (void)answer;
    nfsar_wire_unpack_do_radar_text(&text, message->payload, message->bytes);
    return radar_add(&hub->radar, text.offset, message->payload + NFSAR_WIRE_DO_RADAR_TEXT_BYTES,
                     message->bytes - NFSAR_WIRE_DO_RADAR_TEXT_BYTES);
}

static enum nfsar_wire_result do_radar_run(struct hub *hub,
                                           const struct nfsar_wire_message *message, uint32_t count,
                                           struct answer *answer) {
    struct nfsar_wire_do_radar_run run = {0};
    (void)count;
    (void)answer;
    nfsar_wire_unpack_do_radar_run(&run, message->payload, message->bytes);
    return radar_run(&hub->radar, &run, hub->now_ns);
}

static enum nfsar_wire_result do_radar_line(struct hub *hub,
                                            const struct nfsar_wire_message *message,
                                            uint32_t count, struct answer *answer) {
    (void)count;
    (void)answer;
    return radar_say(&hub->radar, message->payload, message->bytes, hub->now_ns);
}

static enum nfsar_wire_result do_radar_cancel(struct hub *hub,
                                              const struct nfsar_wire_message *message,
                                              uint32_t count, struct answer *answer) {
    (void)message;
    (void)count;
    (void)answer;
    radar_cancel(&hub->radar, hub->now_ns);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result do_radar_reset(struct hub *hub,
                                             const struct nfsar_wire_message *message,
                                             uint32_t count, struct answer *answer) {
    struct nfsar_wire_do_radar_reset reset = {0};
    (void)count;
    (void)answer;
    nfsar_wire_unpack_do_radar_reset(&reset, message->payload, message->bytes);
    return radar_reset(&hub->radar, &reset, hub->now_ns);
}

static const struct {
    uint8_t kind;
    uint8_t bytes; /* of the payload, at least */
    command *run;
} table[] = {
    {NFSAR_WIRE_DO_HELLO, NFSAR_WIRE_DO_HELLO_BYTES, do_hello},
    {NFSAR_WIRE_DO_ECHO, 0, do_echo},
    {NFSAR_WIRE_DO_TIME, 0, do_time},
    {NFSAR_WIRE_DO_STATUS, 0, do_status},
    {NFSAR_WIRE_DO_CLEAR, NFSAR_WIRE_DO_CLEAR_BYTES, do_clear},
    {NFSAR_WIRE_DO_CRASH, NFSAR_WIRE_DO_CRASH_BYTES, do_crash},
    {NFSAR_WIRE_DO_RESTART, NFSAR_WIRE_DO_RESTART_BYTES, do_restart},
    {NFSAR_WIRE_DO_STREAMS, NFSAR_WIRE_DO_STREAMS_BYTES, do_streams},
    {NFSAR_WIRE_DO_INJECT, NFSAR_WIRE_DO_INJECT_BYTES, do_inject},
    {NFSAR_WIRE_DO_TRIGGER_SET, NFSAR_WIRE_DO_TRIGGER_SET_BYTES, stage_command},
    {NFSAR_WIRE_DO_TRIGGER_ARM, NFSAR_WIRE_DO_TRIGGER_ARM_BYTES, stage_command},
    {NFSAR_WIRE_DO_TRIGGER_STOP, 0, stage_command},
    {NFSAR_WIRE_DO_AXIS_SET, NFSAR_WIRE_DO_AXIS_SET_BYTES, stage_command},
    {NFSAR_WIRE_DO_AXIS_MOVE, NFSAR_WIRE_DO_AXIS_MOVE_BYTES, stage_command},
    {NFSAR_WIRE_DO_AXIS_STOP, 0, stage_command},
    {NFSAR_WIRE_DO_AXIS_HOME, 0, stage_command},
    {NFSAR_WIRE_DO_AXIS_PLACE, NFSAR_WIRE_DO_AXIS_PLACE_BYTES, stage_command},
    {NFSAR_WIRE_DO_AXIS_ENABLE, NFSAR_WIRE_DO_AXIS_ENABLE_BYTES, stage_command},
    {NFSAR_WIRE_DO_EMERGENCY, NFSAR_WIRE_DO_EMERGENCY_BYTES, stage_command},
    {NFSAR_WIRE_DO_PROGRAM_LOAD, NFSAR_WIRE_DO_PROGRAM_LOAD_BYTES, stage_command},
    {NFSAR_WIRE_DO_PROGRAM_START, 0, stage_command},
    {NFSAR_WIRE_DO_PROGRAM_ABORT, 0, stage_command},
    {NFSAR_WIRE_DO_SENSOR_SET, NFSAR_WIRE_DO_SENSOR_SET_BYTES, do_sensor},
    {NFSAR_WIRE_DO_RADAR_TEXT, NFSAR_WIRE_DO_RADAR_TEXT_BYTES, do_radar_text},
    {NFSAR_WIRE_DO_RADAR_RUN, NFSAR_WIRE_DO_RADAR_RUN_BYTES, do_radar_run},
    {NFSAR_WIRE_DO_RADAR_LINE, 1, do_radar_line},
    {NFSAR_WIRE_DO_RADAR_CANCEL, 0, do_radar_cancel},
    {NFSAR_WIRE_DO_RADAR_RESET, NFSAR_WIRE_DO_RADAR_RESET_BYTES, do_radar_reset},
};

static enum nfsar_wire_result run(struct hub *hub, const struct nfsar_wire_message *message,
                                  uint32_t count, struct answer *answer) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].kind != message->header.kind) {
            continue;
        }
        if (message->bytes < table[i].bytes) {
            answer->detail = table[i].bytes;
            return NFSAR_WIRE_RESULT_LENGTH;
        }
        /* Stopping is never refused; letting go is for a host that has said who it is. */
        const bool stop =
            message->header.kind == NFSAR_WIRE_DO_EMERGENCY && message->payload[0] != 0;
        const bool always = stop || message->header.kind == NFSAR_WIRE_DO_HELLO;
        if (!hub->greeted && !always) {
            /* Whoever greeted the hub before it restarted: over USB nobody has told it yet. */
            hub_say_hello(hub);
            answer->detail = NFSAR_WIRE_MAJOR;
            return NFSAR_WIRE_RESULT_VERSION;
        }
        return table[i].run(hub, message, count, answer);
    }
    return NFSAR_WIRE_RESULT_UNKNOWN;
}

size_t commands_do(void *context, const struct nfsar_wire_message *message, uint32_t count,
                   uint8_t bytes[NFSAR_WIRE_PAYLOAD_MAX]) {
    struct answer answer = {.bytes = bytes + NFSAR_WIRE_REPLY_BYTES};
    const enum nfsar_wire_result result = run(context, message, count, &answer);
    const struct nfsar_wire_reply reply = {.command = message->header.kind,
                                           .result = (uint8_t)result,
                                           .detail = answer.detail,
                                           .number = message->header.sequence};
    return nfsar_wire_pack_reply(bytes, &reply) + answer.n;
}
