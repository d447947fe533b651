/* A rig file as it is written (docs/import.md), form checked by the schema and meaning by
 * rig_check.c. What may be left out is a pointer, NULL when it is. */
#ifndef NFSAR_HOST_IMPORT_RIG_H
#define NFSAR_HOST_IMPORT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

/* How samples are stored: the raw layouts of nfsar_raw_layout in their order, then arrays. */
enum rig_layout {
    RIG_LAYOUT_4LANE,
    RIG_LAYOUT_2LANE,
    RIG_LAYOUT_4LANE_REORDERED,
    RIG_LAYOUT_2LANE_REORDERED,
    RIG_LAYOUT_TSW1400,
    RIG_LAYOUT_MAT,
    RIG_LAYOUT_NPY
};

enum rig_holds { RIG_HOLDS_SCAN, RIG_HOLDS_ROW };
enum rig_repeats { RIG_REPEATS_MEAN, RIG_REPEATS_FIRST, RIG_REPEATS_EACH };
enum rig_axis { RIG_ALONG_X, RIG_ALONG_Y };
enum rig_path { RIG_PATH_RASTER, RIG_PATH_SERPENTINE };
enum rig_motion { RIG_MOTION_STOP_AND_GO, RIG_MOTION_FLY_BY };

/* What an axis of a MATLAB or NumPy array counts. */
enum rig_dimension {
    RIG_DIMENSION_SAMPLE,
    RIG_DIMENSION_RX,
    RIG_DIMENSION_TX,
    RIG_DIMENSION_CHANNEL, /* tx * n_rx + rx */
    RIG_DIMENSION_LOOP,    /* repeated measurements at one position */
    RIG_DIMENSION_X,       /* lattice coordinate, whatever the path */
    RIG_DIMENSION_Y,
    RIG_DIMENSION_POSITION, /* order in time within a row */
    RIG_DIMENSION_ROW,
    RIG_DIMENSION_PULSE,   /* order in time: row * positions + position */
    RIG_DIMENSION_COMPLEX, /* real, imaginary */
    RIG_DIMENSIONS
};

struct rig_files {
    char *pattern;
    char **list;
    unsigned n_list;
    enum rig_holds holds;
    bool *joined;
    uint64_t *header_bytes;
    bool ignore_rest;
    char *variable;
    enum rig_dimension *axes;
    unsigned n_axes;
};

/* A pulsed radar: samples are the echo's waveform along range. */
struct rig_pulsed {
    double *first_range_m, *step_m, *low_hz, *high_hz;
};

struct rig_radar {
    char *model;
    char *waveform;
    double *start_frequency_hz, *slope_hz_per_s, *adc_start_s, *sample_rate_hz;
    double *first_frequency_hz, *frequency_step_hz;
    double *frequency_list;
    unsigned n_frequency_list;
    char *frequency_variable;
    char *cfg;
    struct rig_pulsed *pulsed;
    uint64_t *samples;
    double *chirp_period_s, *frame_period_s;
};

struct rig_frames {
    uint64_t *loops, *per_position, *per_row, *skip, *lead;
    enum rig_repeats repeats;
};

struct rig_array {
    char *preset;
    enum rig_axis *along;
    double (*tx_m)[3];
    unsigned n_tx_m;
    double (*rx_m)[3];
    unsigned n_rx_m;
    uint64_t *tx;
    unsigned n_tx;
    uint64_t *rx;
    unsigned n_rx;
    bool upside_down;
};

struct rig_scan {
    enum rig_axis rows_along;
    enum rig_path path;
    enum rig_motion motion;
    uint64_t *positions, *rows;
    double *step_m, *row_step_m, *speed_m_per_s, *row_period_s;
    double *centre_m, *start_m; /* [2] each */
    unsigned n_centre_m, n_start_m;
    double *z_m;
};

/* Names of variables of the MATLAB files, one number for each pulse. */
struct rig_correct {
    char *range_m, *phase_rad;
};

/* Poses that were recorded, in place of a scan. A name that begins with - is negated. */
struct rig_poses {
    char **position_m; /* [3] x, y, z of the world */
    unsigned n_position_m;
    char *time_s;
    char *reference_range_m; /* the samples have lost exp(+j 2 k reference) */
    struct rig_correct *correct;
};

struct rig_calibration {
    double *delay_s, *range_bias_m;
    double *channel_delay_s;
    unsigned n_channel_delay_s;
    double (*channel_gain)[2];
    unsigned n_channel_gain;
};

struct rig {
    struct rig_files files;
    enum rig_layout layout;
    bool *q_first;
    bool conjugate;
    struct rig_radar radar;
    struct rig_frames frames;
    struct rig_array array;
    struct rig_scan *scan;   /* NULL: the radar stood still, or poses */
    struct rig_poses *poses; /* NULL, or scan is */
    struct rig_calibration calibration;
};

/* Read and check a rig file; errors start with its path. Free it with rig_free(). */
enum nfsar_status rig_load(const char *path, struct rig **rig, nfsar_error *error);
/* Release; NULL is allowed. */
void rig_free(struct rig *rig);

/* Check the meaning: finite numbers, counts in range, keys that go together (rig_check.c). The
 * message starts with the key. */
enum nfsar_status rig_check(const struct rig *rig, nfsar_error *error);

/* Put "key: " before the message and make the status NFSAR_ERROR_FORMAT, which is returned: what is
 * wrong is the content of the rig file, not an argument of the caller. */
enum nfsar_status rig_wrong(nfsar_error *error, const char *key);

/* The words of the rig file. */
const char *rig_layout_name(enum rig_layout layout);
const char *rig_dimension_name(enum rig_dimension dimension);

/* True for the layouts of a raw file, which nfsar_raw_decode_chirp() reads. */
bool rig_layout_is_raw(enum rig_layout layout);

/* The value, or what stands for one that was left out. */
static inline double rig_number(const double *given, double otherwise) {
    return given != NULL ? *given : otherwise;
}
static inline uint64_t rig_count(const uint64_t *given, uint64_t otherwise) {
    return given != NULL ? *given : otherwise;
}
static inline bool rig_flag(const bool *given, bool otherwise) {
    return given != NULL ? *given : otherwise;
}

#endif
