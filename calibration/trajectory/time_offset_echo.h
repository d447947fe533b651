/* Which echoes are looked at: one channel's, within the gate. */
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

#endif
