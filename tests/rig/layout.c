#include "tests/rig/layout.h"

size_t rig_layout_bytes(const struct rig_layout *layout) {
    return layout->chirps * layout->receivers * layout->samples * 4;
}

static uint8_t *put(uint8_t *at, int16_t value) {
    at[0] = (uint8_t)((uint16_t)value & 255U);
    at[1] = (uint8_t)((uint16_t)value >> 8);
    return at + 2;
}

/* The first (of I and Q) that is sent, or the second. */
static int16_t part(const struct rig_layout *layout, struct rig_sample sample, bool second) {
    return second != layout->q_first ? sample.q : sample.i;
}

static uint8_t *pack_four(const struct rig_layout *layout, const struct rig_sample *chirp,
                          uint8_t *at) {
    for (size_t sample = 0; sample < layout->samples; sample++) {
        for (unsigned second = 0; second < 2; second++) {
            for (size_t rx = 0; rx < layout->receivers; rx++) {
                at = put(at, part(layout, chirp[rx * layout->samples + sample], second != 0));
            }
        }
    }
    return at;
}

static uint8_t *pack_two(const struct rig_layout *layout, const struct rig_sample *chirp,
                         uint8_t *at) {
    for (size_t pair = 0; pair < layout->receivers * layout->samples / 2; pair++) {
        for (unsigned second = 0; second < 2; second++) {
            at = put(at, part(layout, chirp[2 * pair], second != 0));
            at = put(at, part(layout, chirp[2 * pair + 1], second != 0));
        }
    }
    return at;
}

void rig_layout_pack(const struct rig_layout *layout, const struct rig_sample *samples,
                     uint8_t *bytes) {
    for (size_t chirp = 0; chirp < layout->chirps; chirp++) {
        bytes = layout->lanes == 4 ? pack_four(layout, samples, bytes)
                                   : pack_two(layout, samples, bytes);
        samples += layout->receivers * layout->samples;
    }
}
