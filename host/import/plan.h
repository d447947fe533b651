/* The counts of a recording, from the rig file and the sizes of the files: what multiplies to its
 * size, and which of its frames become pulses. */
#ifndef NFSAR_HOST_IMPORT_PLAN_H
#define NFSAR_HOST_IMPORT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

#include "host/import/rig.h"

/* A recording holds header_bytes, then lead frames, then rows_here rows of frames_per_row frames;
 * of those the first skip are left out and positions * per_position used. A frame is loops *
 * n_tx chirps of n_rx * n_sample samples of 4 bytes. Arrays have no frames: there only the counts
 * of what is measured are used. */
struct plan {
    size_t n_tx, n_rx, n_sample; /* as recorded, antennas that are not used included */
    size_t n_wave;               /* of a pulsed radar: what a line of an array holds; else 0 */
    size_t loops, per_position;
    size_t positions, rows;
    size_t rows_here; /* in one recording */
    size_t frames_per_row, skip, lead;
    size_t header_bytes;
    size_t chirp_bytes, frame_bytes; /* raw only */
    enum rig_repeats repeats;
    bool positions_found; /* from the size, not from the rig file */
    bool rows_found;
};

/* Where a pulse was measured: look < loops * per_position, 0 when looks are averaged. */
struct plan_place {
    size_t row, position, look;
};

/* Counts of a raw recording: *plan comes with n_tx, n_rx and n_sample, the rest is filled in.
 * n_recording recordings are there, of the given sizes; name(context, i) names one. The arithmetic
 * is shown when a size does not fit. */
struct plan_sizes {
    size_t n;
    const uint64_t *bytes;                              /* [n] */
    const char *(*name)(const void *context, size_t i); /* for messages */
    const void *context;
};
enum nfsar_status plan_raw(const struct rig *rig, const struct plan_sizes *sizes, struct plan *plan,
                           nfsar_error *error);

/* Counts common to raw recordings and arrays, from the rig file alone: loops, repeats, positions
 * and rows (0 where not given). */
void plan_start(const struct rig *rig, struct plan *plan);

/* Check what both kinds need: rows and positions known, products that fit. */
enum nfsar_status plan_finish(struct plan *plan, nfsar_error *error);

/* Measurements at one position, and pulses made of them. */
size_t plan_looks(const struct plan *plan);
size_t plan_pulses_at(const struct plan *plan);
/* Pulses of the whole capture. */
size_t plan_pulses(const struct plan *plan);
struct plan_place plan_place(const struct plan *plan, size_t pulse);

/* "400 frames x 1 chirp x 4 Rx x 512 samples x 4 bytes = 3276800 bytes" for one recording. */
void plan_arithmetic(const struct plan *plan, char *text, size_t size);

#endif
