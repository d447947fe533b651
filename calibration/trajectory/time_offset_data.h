/* What the steps of nfsar_time_offset_find() share: the echoes of one channel, windows of time, and
 * where its antennas were for a given offset. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_DATA_H
#define NFSAR_CALIBRATION_TIME_OFFSET_DATA_H

#include <nfsar/time_offset.h>

enum { REFLECTORS = NFSAR_TIME_OFFSET_REFLECTORS };

/* The antennas at one time. */
struct sight {
    nfsar_vec3 tx, rx;
    bool told; /* by the poses */
};

struct offset_data {
    const nfsar_capture *capture;
    const nfsar_pose_track *track;
    double gap_s; /* of the track */
    size_t n_pulse, n_sample;
    double *time_s;      /* [n_pulse] of the channel, radar clock */
    float complex *echo; /* [n_pulse][n_sample] */
    double *taper;       /* [n_sample] Hann over the band */
    double step_hz;      /* between frequencies; 0 where they are not evenly spaced */
    nfsar_vec3 tx_m, rx_m;
    double wavelength_m; /* at the mean frequency of the echo's power */
    double cell_m;       /* range resolution */
    double unambiguous_m;
    double nyquist_m_per_s; /* of range rates */
    double gate_m[2];       /* ranges that are asked for; 0, INFINITY: all */
    double range_m;         /* of the strongest echo */
    double near_m, far_m;   /* between these echoes are worth looking at */
    double fastest_m_per_s; /* of the poses, over a window */
    /* Windows, half of each in the next. */
    double window_s;
    size_t n_window, *first, *count; /* [n_window] pulses */
    double *middle_s;                /* [n_window] radar clock */
};

enum nfsar_status offset_data_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                   const nfsar_pose_track *track,
                                   const nfsar_time_offset_options *options,
                                   struct offset_data *data, nfsar_error *error);
void offset_data_free(struct offset_data *data);

/* Where the antennas are at a time of the radar's clock. */
struct sight offset_sight(const struct offset_data *data, double time_s, double offset_s);

/* The point one metre ahead of the antennas. */
nfsar_vec3 offset_ahead(const struct offset_data *data, double time_s, double offset_s);

/* Half the way from transmitter over a point to receiver. */
double offset_range(const struct sight *sight, nfsar_vec3 point);

/* Its gradient by the point. */
nfsar_vec3 offset_gradient(const struct sight *sight, nfsar_vec3 point);

/* Power over range and range rate in each window, what stands still taken out. */
struct offset_maps {
    size_t n_window, n_range, n_rate;
    double range_from_m, range_step_m;
    double rate_from, rate_step; /* m/s */
    double rate_cell, notch;     /* resolution; rates below are not looked at */
    /* [n_window][n_range][n_rate]: natural logarithm of the amplitude over the window's median,
     * from 0 on, less its mean over the window; 0 below the notch. */
    float *score;
    float *mean; /* [n_window] that was taken off */
};
#define CONTRAST 3.0f

enum nfsar_status offset_maps_make(const struct offset_data *data,
                                   const nfsar_time_offset_options *options,
                                   struct offset_maps *maps, nfsar_error *error);
void offset_maps_free(struct offset_maps *maps);

/* Score at a range and a range rate, CONTRAST at most; 0 where the map does not reach. */
float offset_maps_at(const struct offset_data *data, const struct offset_maps *maps, size_t window,
                     double range_m, double rate);

/* The strongest place of the map near a range and a rate, less than `reach` half cells from each,
 * interpolated; false where nothing stands out. */
bool offset_maps_peak(const struct offset_data *data, const struct offset_maps *maps, size_t window,
                      double range_m, double rate, long reach, double *peak_range_m,
                      double *peak_rate);

/* Reflectors and offset, as they are known so far. */
struct offset_state {
    double offset_s, bias_m;
    size_t n;
    nfsar_vec3 place[REFLECTORS];
    double strength[REFLECTORS]; /* coarse score */
    bool known;                  /* places are given, and not to be changed */
    long reach;                  /* of peaks about what is predicted, half cells */
    /* Found beside them. */
    double sigma_s, bias_sigma_m;
    double residual_m[REFLECTORS];
    size_t windows[REFLECTORS];
    bool phases;      /* the phases were told */
    double agree;     /* mean cosine of the phases' steps less predicted */
    double sure;      /* part of the phases that noise leaves */
    double explained; /* part of the moving echoes' energy that reflectors whose phases follow the
                         model are */
};

/* Whether a place is within the gate during half of the windows at least. */
bool offset_in_gate(const struct offset_data *data, const struct offset_state *state,
                    nfsar_vec3 place);

/* The whole search by the maps: the offsets at which most of them agree, best first. */
enum { CANDIDATES = 4 };
enum nfsar_status offset_coarse(const struct offset_data *data, const struct offset_maps *maps,
                                const nfsar_time_offset_options *options,
                                double offset_s[CANDIDATES], size_t *n_offset, nfsar_error *error);

/* The reflectors that an offset makes of the maps: the strongest, then the strongest of what is
 * left of the maps without it, and so on. Sets *state, n 0 where there are none. */
enum nfsar_status offset_places(const struct offset_data *data, const struct offset_maps *maps,
                                const nfsar_time_offset_options *options, double offset_s,
                                struct offset_state *state, nfsar_error *error);

/* Least squares on ranges and rates of the maps' peaks. */
enum nfsar_status offset_rates(const struct offset_data *data, const struct offset_maps *maps,
                               struct offset_state *state, nfsar_error *error);

/* Reflectors from places to start at, sharper than the maps show them. */
enum nfsar_status offset_sharpen(const struct offset_data *data, const struct offset_maps *maps,
                                 const nfsar_vec3 *start, size_t n_start,
                                 struct offset_state *state, nfsar_error *error);

/* Least squares on the phases of the echoes. Where they do not follow the model state->phases is
 * false, and all but that and `explained` is as before. */
enum nfsar_status offset_phases(const struct offset_data *data, const struct offset_maps *maps,
                                struct offset_state *state, nfsar_error *error);

/* Places that explain the phases better than those of the state do: *changed where there are. By
 * phases as they are; less what the reflectors have in common, as errors of the poses are; or all
 * reflectors turned alike, by the phases' steps. */
enum ghosts { GHOSTS_AS_THEY_ARE, GHOSTS_LESS_COMMON, GHOSTS_TOGETHER, GHOSTS_WAYS };
enum nfsar_status offset_ghosts(const struct offset_data *data, const struct offset_maps *maps,
                                enum ghosts how, struct offset_state *state, bool *changed,
                                nfsar_error *error);

/* Leave out reflectors that are where one before them is, and those outside the gate; whether there
 * were some. */
bool offset_prune(const struct offset_data *data, struct offset_state *state);

/* Look for a range bias that explains more, where phases leave it open. */
enum nfsar_status offset_bias(const struct offset_data *data, const struct offset_maps *maps,
                              struct offset_state *state, nfsar_error *error);

#endif
