/* Does the scan still bring what it should? */
#include "host/session/recorder.h"

enum { PACKETS_SURE = 8 /* of samples: the card fills a packet before it sends it */ };

#define LOOK_S       0.1
#define NO_SAMPLES_S 4.0
#define SILENT_S     15.0

/* Samples that triggers should have brought, and did not, for some seconds. */
enum nfsar_status recorder_check_samples(struct recorder *recorder, nfsar_error *error) {
    const uint64_t frame = recorder->session->radar.frame.bytes;
    const uint64_t due = (uint64_t)recorder->n_triggers * frame;
    const double now = recorder_now_s();
    if (now - recorder->looked_s < LOOK_S) {
        return NFSAR_OK;
    }
    struct nfsar_dca1000_counters card;
    nfsar_dca1000_counters(recorder->card, &card);
    recorder->looked_s = now;
    if (card.end_byte != recorder->end_byte || due < card.end_byte + frame + PACKETS_SURE * 1456) {
        recorder->end_byte = card.end_byte;
        recorder->came_s = now;
        return NFSAR_OK;
    }
    if (now - recorder->came_s < NO_SAMPLES_S) {
        return NFSAR_OK;
    }
    char notices[256];
    nfsar_dca1000_notice_text(card.notices, notices, sizeof notices);
    const char *says = card.notices != 0 ? "; the card says: " : "";
    if (card.packets > 0) {
        return nfsar_fail(
            error, NFSAR_ERROR_DEVICE,
            "samples stopped coming after %llu of %zu frames%s%s; does the radar still "
            "run, is its cable to the card plugged?",
            (unsigned long long)(card.end_byte / frame), recorder->n_triggers, says,
            card.notices != 0 ? notices : "");
    }
    return nfsar_fail(
        error, NFSAR_ERROR_DEVICE,
        "%zu triggers, and not one packet of samples came%s%s; is the radar's cable to "
        "the card plugged, is SYNC_IN connected, does a firewall drop UDP port %u?",
        recorder->n_triggers, says, card.notices != 0 ? notices : "",
        recorder->session->card.data_port);
}

/* Nothing from the hub for longer than it may be away from the USB. */
enum nfsar_status recorder_check_hub(const struct recorder *recorder, nfsar_error *error) {
    const double silent_s = recorder_now_s() - recorder->heard_s;
    return silent_s < SILENT_S
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_DEVICE,
                            "the hub has said nothing for %.0f s; is it powered and connected? The "
                            "stage may still move: use its emergency stop",
                            silent_s);
}

enum nfsar_status recorder_check_notices(struct recorder *recorder, nfsar_error *error) {
    const uint32_t notices = recorder->result->state.card.notices;
    char text[256];
    if ((notices & RECORDER_NOTICES_FATAL) == 0) {
        return NFSAR_OK;
    }
    return nfsar_fail(
        error, NFSAR_ERROR_DEVICE,
        "the card lost samples inside (%s): make card.packet_delay_s shorter, or the "
        "triggers slower",
        nfsar_dca1000_notice_text(notices & RECORDER_NOTICES_FATAL, text, sizeof text));
}
