/* Power profiles of a scan's lines, in which a reflector is looked for before anything is known of
 * phases; and whether what is found there is one. */
#ifndef NFSAR_CALIBRATION_CHANNELS_PROFILES_H
#define NFSAR_CALIBRATION_CHANNELS_PROFILES_H

#include <nfsar/status.h>
#include <nfsar/window.h>

#include "calibration/channels_lines.h"

/* Half a main lobe and some more, in cells. */
#define CHANNEL_PROFILES_LOBE 2.5

struct channel_profiles {
    const struct channel_lines *lines;
    size_t stride, n_row; /* pulses 0, stride, 2 stride, ... */
    size_t n;             /* delays first + i step */
    double first, step;
    float *power; /* [n_row][n_channel][n] */
};

enum nfsar_status channel_profiles_open(struct channel_lines *lines, double first, double last,
                                        struct channel_profiles *p, nfsar_error *error);
void channel_profiles_close(struct channel_profiles *p);

/* Power of a row's channel at a delay; 0 beyond the profile. */
double channel_profiles_at(const struct channel_profiles *p, size_t row, size_t channel, double t);

/* Mean power of one channel (or of all: channel == n_channel) at the place's delay and more. */
double channel_profiles_power(const struct channel_profiles *p, size_t channel, nfsar_vec3 place,
                              double more);

/* Median over the delays of the mean power of all lines. */
enum nfsar_status channel_profiles_median(const struct channel_profiles *p, double *median,
                                          nfsar_error *error);

/* How far above the median a reflector must stand: what noise alone comes to at the best of so many
 * places once in a thousand captures, and never less than what may lead a search. */
double channel_profiles_noise_db(const struct channel_profiles *p, double tried);

/* Least, mean and largest delay of a place over all lines. */
void channel_profiles_delays(const struct channel_lines *lines, nfsar_vec3 place, double *least,
                             double *mean, double *most);

/* Range, metres, up to which a board's own leakage reaches, main lobe included. */
double channel_profiles_leakage_m(const struct channel_lines *lines);

/* Whether a stronger echo outside the window of delays that was searched accounts for what was
 * found in it `common` behind the place; *from is then where that is. */
bool channel_profiles_side_lobe(const struct channel_profiles *p, enum nfsar_window taper,
                                nfsar_vec3 place, const double window[2], double common,
                                double *from);

#endif
