/* The radar and array of a scene. */
#ifndef NFSAR_HOST_SCENE_RADAR_H
#define NFSAR_HOST_SCENE_RADAR_H

#include <nfsar/array.h>
#include <nfsar/waveform.h>

#include "host/scene/description.h"

/* The samples' frequencies and, when a chirp gives them, the chirp. */
struct radar_waveform {
    double *frequency_hz; /* [n_sample], owned */
    size_t n_sample;
    bool has_fmcw;
    nfsar_fmcw fmcw;
};

enum nfsar_status radar_waveform_make(const struct scene_radar *radar,
                                      struct radar_waveform *waveform, nfsar_error *error);

/* Preset or own antennas; transmitters fire one after the other at the chirp interval. */
enum nfsar_status radar_array_make(const struct scene_array *description, nfsar_array *array,
                                   nfsar_error *error);

#endif
