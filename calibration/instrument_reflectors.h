/* Where the reflectors of nfsar_instrument_find() stand, and how late they seem to be. */
#ifndef NFSAR_CALIBRATION_INSTRUMENT_REFLECTORS_H
#define NFSAR_CALIBRATION_INSTRUMENT_REFLECTORS_H

#include <nfsar/instrument.h>

#include "calibration/channels_lines.h"

/* The taper that its lines are opened with. */
#define INSTRUMENT_TAPER NFSAR_WINDOW_HANN

struct reflector {
    nfsar_vec3 place;
    /* Directions across the line of sight in which the pulses tell the place, and how well. */
    int told;
    nfsar_vec3 direction[2];
    double sigma_m[2];
    double contrast; /* power over the median of the profile */
    /* Another echo within the search: power over this one's, and how much later. 0: none. */
    double other, other_late_s;
};

struct reflectors {
    size_t pulse; /* of the lines: the one nearest the middle of the positions */
    nfsar_vec3 centre;
    nfsar_quaternion orientation; /* of the radar there */
    double extent_m;              /* how far from there the radar gets */
    double delay_s;               /* of the instrument, to a part of a range cell */
    struct reflector one[2];
};

/* Find them: n_range of the options at their ranges from the radar at that pulse, standing still.
 * NFSAR_ERROR_FORMAT when one is not there. */
enum nfsar_status reflectors_find(struct channel_lines *lines,
                                  const nfsar_instrument_options *options, struct reflectors *found,
                                  nfsar_error *error);

/* Standard deviation of a delay that goes with the reflector's place as h, by what is not known of
 * the place beside its range. */
double reflectors_sigma(const struct reflectors *r, size_t which, nfsar_vec3 h);

#endif
