/* The place of a point from how the delays and phases of its echo change from pulse to pulse. */
#ifndef NFSAR_CALIBRATION_CHANNELS_FIT_H
#define NFSAR_CALIBRATION_CHANNELS_FIT_H

#include <stdbool.h>

#include <nfsar/channels.h>

#include "calibration/channels_lines.h"

struct channel_fit {
    struct channel_lines *lines;
    const nfsar_channels_options *options;
    nfsar_vec3 place;
    /* Where range_m > 0 the place stays so far from there, and only its direction is free. */
    nfsar_vec3 centre;
    double range_m;
    double *delay_s;         /* [n_channel] excess delay; owned by the caller */
    double *t;               /* [n_line] delays at which the sums below were taken */
    double complex *s0, *s1; /* [n_line] */
    nfsar_vec3 *gradient;    /* [n_line] */
    /* What the last step knew of the place: unit vectors and standard deviations. */
    nfsar_vec3 direction[3];
    double sigma_m[3];
    int told;
    int by_pulses; /* how many directions the pulses tell without the point */
};

enum nfsar_status channel_fit_open(struct channel_fit *fit, nfsar_error *error);
void channel_fit_close(struct channel_fit *fit);

/* Place and delays from delays alone, which no wavelength makes ambiguous. */
enum nfsar_status channel_fit_delays(struct channel_fit *fit, nfsar_error *error);

/* Then from phases, of which this looks for the right wavelength; ends with sums that belong to the
 * place and the delays. */
enum nfsar_status channel_fit_phases(struct channel_fit *fit, nfsar_error *error);

/* The same from a place that is right to a part of a wavelength. */
enum nfsar_status channel_fit_settle(struct channel_fit *fit, nfsar_error *error);

/* Sums at the place and delays as they are. */
enum nfsar_status channel_fit_sum(struct channel_fit *fit, nfsar_error *error);

/* Mean over the pulses of s0 of a channel, and Im(s1 / s0) of the means. */
double complex channel_fit_gain(const struct channel_fit *fit, size_t channel);
double channel_fit_late(const struct channel_fit *fit, size_t channel);

#endif
