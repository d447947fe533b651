#include "host/session/unpack.h"

#include <stdlib.h>
#include <string.h>

/* Index, in a chirp, of the int16 that is I (part 0) or Q (part 1) of a sample. */
static size_t place(const struct session *session, size_t receiver, size_t sample, size_t part) {
    const size_t samples = session->radar.frame.samples;
    part ^= session->radar.q_first ? 1 : 0;
    if (session->card.lanes == 4) { /* I of four receivers, Q of four receivers */
        return sample * 8 + part * 4 + receiver;
    }
    /* A receiver after the other; two samples as I0 I1 Q0 Q1. */
    return receiver * samples * 2 + sample / 2 * 4 + part * 2 + sample % 2;
}

enum nfsar_status unpack_make(const struct session *session, struct unpack *unpack,
                              nfsar_error *error) {
    const struct ti_cfg_frame *frame = &session->radar.frame;
    const size_t chirp = session->receivers * frame->samples * 2;
    const size_t channels = session->array.n_channel;
    *unpack = (struct unpack){.values = channels * frame->samples * 2,
                              .loops = frame->loops,
                              .loop_values = chirp * frame->chirps};
    if (session->card.lanes == 2 && frame->samples % 2 != 0) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "radar.cfg: %zu samples; over two lanes their number is even",
                          frame->samples);
    }
    unpack->source = calloc(unpack->values, sizeof *unpack->source);
    if (unpack->source == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    uint32_t *at = unpack->source;
    for (size_t c = 0; c < channels; c++) {
        const size_t begin = session->line[c] / session->receivers * chirp;
        const size_t receiver = session->line[c] % session->receivers;
        for (size_t i = 0; i < frame->samples; i++) {
            *at++ = (uint32_t)(begin + place(session, receiver, i, 0));
            *at++ = (uint32_t)(begin + place(session, receiver, i, 1));
        }
    }
    return NFSAR_OK;
}

void unpack_free(struct unpack *unpack) {
    free(unpack->source);
    memset(unpack, 0, sizeof *unpack);
}

void unpack_pulse(const struct unpack *unpack, const uint8_t *frame, size_t loop, int16_t *out) {
    const uint8_t *from = frame + loop * unpack->loop_values * 2;
    for (size_t i = 0; i < unpack->values; i++) {
        const uint8_t *at = from + (size_t)unpack->source[i] * 2;
        out[i] = (int16_t)(uint16_t)(at[0] | at[1] << 8);
    }
}
