/* Where the reflectors of nfsar_instrument_find() stand, and how late they seem to be. */
#ifndef NFSAR_CALIBRATION_INSTRUMENT_REFLECTORS_H
#define NFSAR_CALIBRATION_INSTRUMENT_REFLECTORS_H

#include <nfsar/instrument.h>

#include "calibration/channels_lines.h"

/* The taper that its lines are opened with. */
#define INSTRUMENT_TAPER NFSAR_WINDOW_HANN
/* A radar that moves less is at rest: a tenth of a millimetre tells no place. */
#define INSTRUMENT_REST_M 1e-4
/* Standard deviation of the angle to what was put up straight ahead by eye. */
#define INSTRUMENT_AHEAD_RAD 0.1

struct reflector {
    nfsar_vec3 place;
    /* Directions across the line of sight in which the pulses tell the place, and how well. */
    int told;
    nfsar_vec3 direction[2];
    double sigma_m[2];
    double contrast; /* power over the median of the profile */
    double delay_s;  /* of the instrument, to a part of a range cell, by this one alone */
    /* How much of its echoes adds up over the pulses at its range; NaN at rest. */
    double coherence;
    /* Its range and standard deviation by the wavefronts alone; NaN where those do not tell it. */
    double seen_m, seen_sigma_m;
    double seen_delay_s; /* mean of the channels' there */
    /* Another echo within the search: power over this one's, and how much later. 0: none. */
    double other, other_late_s;
};

struct reflectors {
    size_t pulse; /* of the whole capture: the one nearest the middle of all positions */
    nfsar_vec3 centre;
    nfsar_quaternion orientation; /* of the radar there */
    double extent_m;              /* how far from there the radar gets */
    double delay_s;               /* of the instrument, to a part of a range cell */
    struct reflector one[2];
};

/* The first four of the above, from all poses of a capture whatever samples are used. */
enum nfsar_status reflectors_find_middle(const nfsar_capture *capture, struct reflectors *r,
                                         nfsar_error *error);

/* Find them: n_range of the options at their ranges from the radar at that pulse, standing still.
 * NFSAR_ERROR_FORMAT when one is not there. */
enum nfsar_status reflectors_find(struct channel_lines *lines,
                                  const nfsar_instrument_options *options, struct reflectors *found,
                                  nfsar_error *error);

/* Standard deviation of a delay that goes with the reflector's place as h, by what is not known of
 * the place beside its range. */
double reflectors_sigma(const struct reflectors *r, size_t which, nfsar_vec3 h);

#endif
