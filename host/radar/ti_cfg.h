/* The radar's own description: a .cfg file of TI's mmWave SDK demo, as it is sent line by line.
 * Meaning of the lines: mmWave SDK user guide, "Configuration (.cfg) File Format". */
#ifndef NFSAR_HOST_RADAR_TI_CFG_H
#define NFSAR_HOST_RADAR_TI_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>
#include <nfsar/waveform.h>

enum {
    TI_CFG_PROFILES = 4,
    TI_CFG_CHIRPS = 512,
    TI_CFG_LINES = 1024,
    TI_CFG_UNKNOWN = -1 /* of an int below: the file does not say */
};

enum ti_cfg_trigger { TI_CFG_SOFTWARE = 1, TI_CFG_HARDWARE = 2 };

struct ti_cfg_profile {
    bool known;
    double start_hz, idle_s, adc_start_s, ramp_end_s, slope_hz_per_s, rate_hz;
    size_t samples;
};

/* A line as it is sent: words separated by one blank, comment and blanks at the ends gone. */
struct ti_cfg_line {
    unsigned number; /* in the file, from 1 */
    char *text;      /* owned */
};

struct ti_cfg {
    char *path; /* owned */
    struct ti_cfg_line *lines;
    size_t n_lines;
    struct ti_cfg_profile profile[TI_CFG_PROFILES];
    int chirp_profile[TI_CFG_CHIRPS]; /* -1: not known */
    int chirp_tx[TI_CFG_CHIRPS];      /* mask */
    bool has_frame;
    int first_chirp, last_chirp, loops, frames; /* frames 0: endless */
    double frame_period_s;
    int trigger; /* enum ti_cfg_trigger */
    int rx_mask, tx_mask;
    int adc_bits;        /* 12, 14, 16 */
    int complex_samples; /* 0 real, 1 */
    int sample_swap;     /* 1: Q first */
    int interleaved;     /* adcbufCfg's chanInterleave: 0 interleaved (xWR14xx only), 1 not */
    int lvds_format;     /* lvdsStreamCfg's dataFmt: 0 off, 1 ADC, 4 CP+ADC+CQ */
    int lvds_header;     /* lvdsStreamCfg's enableHeader */
    int lvds_software;   /* lvdsStreamCfg's enableSW */
    bool starts, stops, flushes; /* sensorStart, sensorStop, flushCfg are there */
};

/* Reads and checks each line that it knows; others are kept as text. Errors name path, line and
 * word. Free with ti_cfg_free(), also after a failure. */
enum nfsar_status ti_cfg_load(const char *path, struct ti_cfg *cfg, nfsar_error *error);
void ti_cfg_free(struct ti_cfg *cfg);

/* What one frame is, when its chirps have one profile. */
struct ti_cfg_frame {
    nfsar_fmcw fmcw;
    size_t samples, chirps, loops, receivers;
    double chirp_period_s, frame_s; /* loops * chirps * chirp period: when the radar is busy */
    double frame_period_s;
    unsigned transmitter[TI_CFG_CHIRPS]; /* of each chirp, from 1 */
    unsigned receiver[4];                /* from 1 */
    size_t bytes; /* that the card sends for it: loops * chirps * receivers(lanes) * samples * 4 */
};

/* lanes: 2 or 4. Four lanes always carry four receivers. Fails with the line that is missing or
 * does not fit. */
enum nfsar_status ti_cfg_frame(const struct ti_cfg *cfg, unsigned lanes, struct ti_cfg_frame *frame,
                               nfsar_error *error);

/* What a recording with the card wants of the file: LVDS of raw samples without headers, complex
 * samples of 16 bits, hardware trigger where `triggered`, endless frames, sensorStart not among the
 * lines before the end. Each thing that is wrong is one call of tell(). Returns how many. */
typedef void ti_cfg_tell(void *context, const char *text);
size_t ti_cfg_check_recording(const struct ti_cfg *cfg, unsigned lanes, unsigned bits,
                              bool triggered, ti_cfg_tell *tell, void *context);

#endif
