/* The bytes that the capture card takes from the radar's LVDS lanes (docs/import.md). */
#ifndef NFSAR_TESTS_RIG_LAYOUT_H
#define NFSAR_TESTS_RIG_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rig_layout {
    unsigned lanes; /* 4: per sample all receivers' I, then their Q; 2: receiver after receiver */
    bool q_first;   /* SampleSwap */
    size_t chirps;  /* of a frame, loops counted */
    size_t receivers, samples; /* two lanes: an even number of samples */
};

/* A sample as the ADC gives it. */
struct rig_sample {
    int16_t i, q;
};

size_t rig_layout_bytes(const struct rig_layout *layout);

/* samples[chirps][receivers][samples] into bytes[rig_layout_bytes()]. */
void rig_layout_pack(const struct rig_layout *layout, const struct rig_sample *samples,
                     uint8_t *bytes);

#endif
