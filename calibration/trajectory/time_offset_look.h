/* Amplitudes and phases of the reflectors in each half window. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_LOOK_H
#define NFSAR_CALIBRATION_TIME_OFFSET_LOOK_H

#include <complex.h>

#include "calibration/trajectory/time_offset_moving.h"

/* Phases are used that noise leaves to this, radians. */
#define SURE 0.5

/* What was seen in the half windows, for a state of n reflectors. */
struct seen {
    const struct offset_data *data;
    struct moving moving;
    size_t stride;         /* half windows that are put together */
    double complex *value; /* [n_window][n] amplitude of each reflector */
    double *noise;         /* [n_window][n] of its phase, radians; INFINITY: not seen */
    double *energy;        /* [n_window] of what moves, and what the reflectors are of it */
    double *explained;     /* [n_window] */
};

/* false: no memory. Release with seen_free(), also then. */
bool seen_make(const struct offset_data *data, const struct offset_maps *maps,
               const struct offset_state *state, struct seen *seen);
void seen_free(struct seen *seen);

/* Fill it for a state with as many reflectors. false: no memory. */
bool seen_look(struct seen *seen, const struct offset_state *state);

/* So many half windows together, up to eight, that half of the phases in them are sure. */
bool seen_choose_stride(struct seen *seen, const struct offset_state *state);

/* Part of the energy that is explained. */
double seen_explained(const struct seen *seen);

#endif
