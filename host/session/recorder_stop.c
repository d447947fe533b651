/* Stage, radar and card come to a stand, whatever happened before. */
#include "host/session/recorder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { LISTEN_MS = 2, FRAMES_A_TURN = 4096, BOOT_MS = 10000 };

/* Keeps the first of two failures. */
enum nfsar_status recorder_first(enum nfsar_status status, enum nfsar_status next,
                                 const nfsar_error *what, nfsar_error *error) {
    if (status == NFSAR_OK && next != NFSAR_OK) {
        *error = *what;
        return next;
    }
    return status;
}

/* The card's last packet takes seconds, and the hub goes on speaking: what it says is heard, lest
 * it is lost. The card belongs to its thread until that ends. */
struct stopping {
    nfsar_dca1000 *card;
    nfsar_error *error;
    atomic_bool done;
    enum nfsar_status status;
};

static void *stop_card_thread(void *context) {
    struct stopping *stopping = context;
    stopping->status = nfsar_dca1000_stop(stopping->card, 0, stopping->error);
    atomic_store(&stopping->done, true);
    return NULL;
}

static enum nfsar_status stop_card(struct recorder *recorder, nfsar_error *error) {
    struct stopping stopping = {.card = recorder->card, .error = error};
    pthread_t thread;
    if (pthread_create(&thread, NULL, stop_card_thread, &stopping) != 0) {
        return nfsar_dca1000_stop(recorder->card, 0, error);
    }
    nfsar_error late = {0};
    enum nfsar_status heard = NFSAR_OK;
    while (!atomic_load(&stopping.done)) {
        if (heard == NFSAR_OK) {
            heard = recorder_listen(recorder, LISTEN_MS, &late);
        } else {
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        }
    }
    pthread_join(thread, NULL);
    return recorder_first(stopping.status, heard, &late, error);
}

/* Resets the radar: by the hub's line to NRESET, or the card's. True when its command line answers.
 */
bool recorder_reset_radar(struct recorder *recorder) {
    static const char ask[] = "version\n";
    const struct nfsar_wire_do_radar_reset reset = {.sop = 1};
    uint8_t payload[NFSAR_WIRE_DO_RADAR_RESET_BYTES];
    nfsar_error error;
    enum nfsar_status status = NFSAR_OK;
    if (recorder->session->radar.port == NULL) {
        status = nfsar_hub_do(recorder->hub, NFSAR_WIRE_DO_RADAR_RESET, 0, payload,
                              nfsar_wire_pack_do_radar_reset(payload, &reset), NULL, &error);
    } else {
        status = nfsar_dca1000_reset_radar(recorder->card, &error);
    }
    const uint64_t end = recorder_now_ms() + BOOT_MS;
    bool answers = false;
    while (status == NFSAR_OK && !answers && recorder_now_ms() < end) {
        nfsar_hub_listen(recorder->hub, 200, &error);
        const enum nfsar_status said =
            radar_send_text(recorder->radar, "reset", ask, sizeof ask - 1, &error);
        answers = said == NFSAR_OK || said == NFSAR_ERROR_REFUSED;
    }
    return answers;
}

/* Some radars hang in sensorStop while they wait for SYNC_IN. Everything is recorded by then: a
 * note, and a reset, so that the next scan finds a radar that answers. */
static void stop_radar(struct recorder *recorder) {
    nfsar_error error;
    if (radar_stop(recorder->radar, &error) == NFSAR_OK) {
        return;
    }
    recorder_say(recorder, "the radar was not stopped: %s; it is reset", error.message);
    if (!recorder_reset_radar(recorder)) {
        recorder_say(recorder, "the radar does not answer after its reset; switch it off and on");
    }
}

/* Stage, radar and card come to a stand whatever failed before; what they still say is kept. */
enum nfsar_status recorder_stop(struct recorder *recorder, enum nfsar_status status,
                                nfsar_error *error) {
    nfsar_error late = {0};
    recorder->stopping = true;
    recorder->broken = status != NFSAR_OK;
    const bool broken = status != NFSAR_OK || recorder->result->interrupted ||
                        recorder->session->scan.kind == SESSION_PERIOD;
    if (recorder->hub != NULL && nfsar_hub_restarted(recorder->hub)) {
        /* It has forgotten the scan, and takes no command before it is greeted; the radar runs. */
        recorder->scanning = nfsar_hub_greet(recorder->hub, &late) != NFSAR_OK;
    }
    if (recorder->scanning && broken) {
        status = recorder_first(status, recorder_stop_scan(recorder, &late), &late, error);
    }
    if (recorder->radar != NULL && recorder->card != NULL && recorder->recording != NULL) {
        stop_radar(recorder);
    }
    if (recorder->recording == NULL || recorder->card == NULL) {
        return status;
    }
    recorder_look(recorder, "waiting for the last packet");
    status = recorder_first(status, stop_card(recorder, &late), &late, error);
    size_t n = 1;
    while (n > 0) {
        const enum nfsar_status taken = recorder_take_frames(recorder, FRAMES_A_TURN, &n, &late);
        status = recorder_first(status, taken, &late, error);
        if (taken != NFSAR_OK) {
            break;
        }
    }
    status = recorder_first(status, recorder_listen(recorder, LISTEN_MS, &late), &late, error);
    recorder_count_triggers(recorder);
    nfsar_dca1000_counters(recorder->card, &recorder->result->state.card);
    status = recorder_first(status, recorder_check_notices(recorder, &late), &late, error);
    return recorder_first(status, recorder_keep_losses(recorder, true, &late), &late, error);
}
