/* Poses that were recorded with the echo, one for each pulse, in place of a scan (rig.h's poses):
 * where the pulses of several recordings lie, and what turns their samples into the echo model. */
#ifndef NFSAR_HOST_IMPORT_POSE_TABLE_H
#define NFSAR_HOST_IMPORT_POSE_TABLE_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/capture.h>

#include "host/import/recording.h"
#include "host/import/rig.h"

/* Recordings follow each other: number i holds the pulses [first[i], first[i + 1]). */
struct pose_table {
    size_t n_recording;
    size_t *first;       /* [n_recording + 1] */
    double *position[3]; /* [n] metres, axes of the world */
    double *time_s;      /* [n], or NULL */
    double *reference_m; /* [n], correction included, or NULL: nothing is to be turned by range */
    double *phase_rad;   /* [n], or NULL */
};

/* Read the variables of all recordings; pulses[i] are in recording i. An error names the file, the
 * variable and what it should hold. Free with pose_table_free(), after a failure also. */
enum nfsar_status pose_table_read(const struct rig_poses *poses,
                                  const struct recordings *recordings, const size_t *pulses,
                                  struct pose_table *table, nfsar_error *error);
void pose_table_free(struct pose_table *table);

/* The recording that holds a pulse. */
size_t pose_table_recording(const struct pose_table *table, size_t pulse);

/* Poses and, where they are known, times of all pulses. */
enum nfsar_status pose_table_fill(const struct pose_table *table, nfsar_capture *capture,
                                  nfsar_error *error);

/* samples[n_channel][n_sample] of a pulse, in the sign of the echo model, get back exp(+j 2 k
 * reference) and lose the phase error. conjugate: they were recorded in the other sign, and so was
 * the phase. */
void pose_table_turn(const struct pose_table *table, const nfsar_capture *capture, size_t pulse,
                     bool conjugate, float complex *samples);

#endif
