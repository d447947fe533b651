/* Which echoes are looked at: one channel's, within the gate; and what takes them to ranges. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_ECHO_H
#define NFSAR_CALIBRATION_TIME_OFFSET_ECHO_H

#include "calibration/trajectory/time_offset_data.h"

/* The channel in which what moves stands out best. All channels of an array have the same poses,
 * and so the same error of the poses, which is what limits the offset; more of them would only make
 * noise less. The first one where others are no better by a decibel. */
enum nfsar_status echo_choose_channel(const struct offset_data *data,
                                      const nfsar_echo_source *source, size_t *channel,
                                      nfsar_error *error);

/* Its samples of all pulses, data->echo. */
enum nfsar_status echo_read(struct offset_data *data, const nfsar_echo_source *source,
                            size_t channel, nfsar_error *error);

/* Take out of them what is not in the gate, a range cell wider. Where frequencies are not evenly
 * spaced they stay as they are. */
enum nfsar_status echo_gate(struct offset_data *data, nfsar_error *error);

/* exp(-j 4 pi f r / c) at the ranges r = from_m + b step_m, times the taper: a range profile is the
 * sum of samples times turn[n_range][n_sample]. */
void echo_transform(const struct offset_data *data, double from_m, double step_m, size_t n_range,
                    float complex *turn);

#endif
