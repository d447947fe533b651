/* The capture card: does it answer, and, where that is asked for, do samples come through it? */
#include <stdio.h>
#include <string.h>

#include "host/devices/doctor_check.h"
#include "host/devices/transport.h"

enum { TRIGGERS = 64, PULSE_NS = 5000, AWAIT_MS = 3000, ANSWER_MS = 500 };

static void say_silent(struct doctor *doctor, const nfsar_error *error) {
    doctor_say(
        doctor, "capture card", DOCTOR_WRONG,
        "switch it on (5 V), or off and on once, its cable straight to this computer; another "
        "address than its usual one is card.address in the session",
        "%s", error->message);
}

void doctor_card(struct doctor *doctor) {
    struct nfsar_dca1000_options options = doctor->card;
    nfsar_dca1000 *card = NULL;
    nfsar_error error;
    unsigned major = 0, minor = 0;
    if (!doctor->has_address || !doctor->ports_free) {
        doctor_say(doctor, "capture card", DOCTOR_UNKNOWN, NULL,
                   "not asked: its way is not free, see above");
        return;
    }
    options.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : ANSWER_MS;
    enum nfsar_status status = nfsar_dca1000_open(&options, &card, &error);
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_alive(card, &error);
    }
    doctor->card_answers = status == NFSAR_OK;
    if (status != NFSAR_OK) {
        say_silent(doctor, &error);
    } else if (nfsar_dca1000_version(card, &major, &minor, NULL, &error) != NFSAR_OK) {
        doctor_say(doctor, "capture card", DOCTOR_UNKNOWN, NULL, "it answers, but: %s",
                   error.message);
    } else {
        doctor_say(doctor, "capture card", DOCTOR_OK, NULL, "%s answers, FPGA %u.%u",
                   options.card_address, major, minor);
    }
    nfsar_dca1000_close(card);
}

/* ---- samples --------------------------------------------------------------------------------- */

/* What a short recording brought. */
struct taken {
    unsigned triggers; /* 0: the radar runs by itself */
    size_t frames, whole;
    struct nfsar_dca1000_counters counters;
};

static enum nfsar_status trigger(struct nfsar_hub *hub, const struct ti_cfg_frame *frame,
                                 nfsar_error *error) {
    const struct nfsar_wire_do_trigger_set set = {
        .frame_ns = (uint32_t)(frame->frame_period_s * 1e9), .pulse_ns = PULSE_NS};
    const struct nfsar_wire_do_trigger_arm arm = {
        .mode = 1, .period_ns = (uint64_t)(frame->frame_period_s * 1.5e9), .count = TRIGGERS};
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    const enum nfsar_status status =
        nfsar_hub_do(hub, NFSAR_WIRE_DO_TRIGGER_SET, 0, payload,
                     nfsar_wire_pack_do_trigger_set(payload, &set), NULL, error);
    return status != NFSAR_OK
               ? status
               : nfsar_hub_do(hub, NFSAR_WIRE_DO_TRIGGER_ARM, 0, payload,
                              nfsar_wire_pack_do_trigger_arm(payload, &arm), NULL, error);
}

/* Has all come but what waits in the card for the last, short packet? */
static bool nearly_all(const nfsar_dca1000 *card, size_t frame_bytes) {
    enum { PACKET = 1472 };
    struct nfsar_dca1000_counters counters;
    nfsar_dca1000_counters(card, &counters);
    return counters.end_byte + PACKET >= (uint64_t)TRIGGERS * frame_bytes;
}

static void count(const struct nfsar_dca1000_frame *frame, struct taken *taken) {
    if (frame != NULL) {
        taken->frames++;
        taken->whole += frame->missing_bytes == 0;
    }
}

/* Frames until nearly as many came as were triggered, or the time is over. */
static enum nfsar_status take(const struct doctor *doctor, nfsar_dca1000 *card, nfsar_hub *hub,
                              unsigned limit_ms, struct taken *taken, nfsar_error *error) {
    const uint64_t began = transport_now_ms();
    const size_t bytes = doctor->session->radar.frame.bytes;
    enum nfsar_status status = NFSAR_OK;
    while (status == NFSAR_OK && taken->frames < TRIGGERS && !nearly_all(card, bytes) &&
           !doctor_cancelled(doctor) && transport_now_ms() - began <= limit_ms) {
        const struct nfsar_dca1000_frame *frame = NULL;
        if (hub != NULL) {
            status = nfsar_hub_listen(hub, 1, error);
        }
        if (status == NFSAR_OK) {
            status = nfsar_dca1000_next(card, 10, &frame, error);
        }
        count(frame, taken);
    }
    return status;
}

/* What was in the last, short packet, and waits. */
static enum nfsar_status take_rest(nfsar_dca1000 *card, struct taken *taken, nfsar_error *error) {
    const struct nfsar_dca1000_frame *frame = NULL;
    enum nfsar_status status = NFSAR_OK;
    do {
        status = nfsar_dca1000_next(card, 0, &frame, error);
        count(status == NFSAR_OK ? frame : NULL, taken);
    } while (status == NFSAR_OK && frame != NULL);
    return status;
}

static enum nfsar_status record(struct doctor *doctor, nfsar_dca1000 *card, nfsar_hub *hub,
                                struct radar_control *radar, struct taken *taken,
                                nfsar_error *error) {
    const struct ti_cfg *cfg = &doctor->session->radar.cfg;
    const struct ti_cfg_frame *frame = &doctor->session->radar.frame;
    const unsigned limit_ms = AWAIT_MS + (unsigned)(frame->frame_period_s * 1.5e3 * TRIGGERS);
    enum nfsar_status status = nfsar_dca1000_configure(card, error);
    if (status == NFSAR_OK) {
        status = radar_send(radar, cfg, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_start(card, frame->bytes, error);
    }
    if (status == NFSAR_OK) {
        status = radar_start(radar, cfg, error);
    }
    const bool started = status == NFSAR_OK;
    if (started && cfg->trigger == TI_CFG_HARDWARE && hub != NULL) {
        taken->triggers = TRIGGERS;
        status = trigger(hub, frame, error);
    }
    if (status == NFSAR_OK) {
        status = take(doctor, card, hub, limit_ms, taken, error);
    }
    if (started) { /* whatever became of the rest; the first error is told */
        nfsar_error late;
        doctor->stopping = true;
        if (hub != NULL && taken->triggers > 0) {
            nfsar_hub_do(hub, NFSAR_WIRE_DO_TRIGGER_STOP, 0, NULL, 0, NULL, &late);
        }
        const enum nfsar_status stopped = radar_stop(radar, status == NFSAR_OK ? error : &late);
        status = status == NFSAR_OK ? stopped : status;
        doctor->stopping = false;
    }
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_stop(card, 0, error);
    }
    if (status == NFSAR_OK) {
        status = take_rest(card, taken, error);
    }
    nfsar_dca1000_counters(card, &taken->counters);
    return status;
}

static void say_taken(struct doctor *doctor, const struct taken *taken) {
    const struct nfsar_dca1000_counters *counters = &taken->counters;
    char notices[256];
    nfsar_dca1000_notice_text(counters->notices, notices, sizeof notices);
    if (counters->bytes == 0) {
        doctor_say(doctor, "LVDS", DOCTOR_WRONG,
                   "the 60-pin cable between radar and card; a firmware that streams "
                   "(docs/radar-cfg.md); for triggers the hub's output to SYNC_IN",
                   "no sample came from the radar%s%s", notices[0] != '\0' ? ": " : "", notices);
    } else if (taken->triggers > 0 && taken->frames < taken->triggers) {
        doctor_say(doctor, "LVDS", DOCTOR_WRONG,
                   "lanes and samples of the session as the radar has them (docs/radar-cfg.md); "
                   "the trigger's wire",
                   "%u triggers made %zu frames (%llu bytes)", taken->triggers, taken->frames,
                   (unsigned long long)counters->bytes);
    } else if (taken->whole < taken->frames || counters->lost_bytes > 0) {
        doctor_say(doctor, "LVDS", DOCTOR_WRONG,
                   "see receive buffer and network link above; a longer card.packet_delay_s",
                   "%zu of %zu frames are whole, %llu bytes were lost", taken->whole, taken->frames,
                   (unsigned long long)counters->lost_bytes);
    } else {
        doctor_say(doctor, "LVDS", DOCTOR_OK, NULL, "%zu frames came, all whole", taken->frames);
    }
}

void doctor_lvds(struct doctor *doctor, nfsar_hub *hub, struct radar_control *radar) {
    struct taken taken = {0};
    nfsar_dca1000 *card = NULL;
    nfsar_error error;
    if (doctor->session == NULL || !doctor->card_answers) {
        doctor_say(doctor, "LVDS", DOCTOR_UNKNOWN, NULL, "not tried: it wants %s",
                   doctor->session == NULL ? "a session (--rig)" : "the capture card");
        return;
    }
    if (doctor->session->radar.cfg.trigger == TI_CFG_HARDWARE && hub == NULL) {
        doctor_say(doctor, "LVDS", DOCTOR_UNKNOWN, NULL,
                   "not tried: the radar waits for triggers, and there is no hub to give them");
        return;
    }
    enum nfsar_status status = nfsar_dca1000_open(&doctor->card, &card, &error);
    if (status == NFSAR_OK) {
        status = record(doctor, card, hub, radar, &taken, &error);
    }
    nfsar_dca1000_close(card);
    if (status == NFSAR_OK) {
        say_taken(doctor, &taken);
    } else if (status != NFSAR_ERROR_CANCELLED) {
        doctor_say(doctor, "LVDS", DOCTOR_WRONG, NULL, "%s", error.message);
    }
}
