/* The bytes of a frame as samples of the capture's channels. Layouts: docs/import.md, from TI's
 * SWRA581B; the index of each sample is worked out once. */
#ifndef NFSAR_HOST_SESSION_UNPACK_H
#define NFSAR_HOST_SESSION_UNPACK_H

#include <stdint.h>

#include "host/session/session.h"

struct unpack {
    size_t values;      /* int16 of one pulse: channels * samples * 2 */
    size_t loops;       /* pulses of a frame */
    size_t loop_values; /* int16 from loop to loop of a frame */
    uint32_t *source;   /* [values] where each comes from, within a loop */
};

/* Free with unpack_free(). */
enum nfsar_status unpack_make(const struct session *session, struct unpack *unpack,
                              nfsar_error *error);
void unpack_free(struct unpack *unpack);

/* Pulse `loop` of a frame into out[channels][samples][2], I first. */
void unpack_pulse(const struct unpack *unpack, const uint8_t *frame, size_t loop, int16_t *out);

#endif
