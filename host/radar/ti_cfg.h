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
    TI_CFG_TEXT = 254,     /* bytes of a line at most: the radar reads 255 with the line's end */
    TI_CFG_FILE = 1 << 18, /* bytes of a file at most */
    TI_CFG_UNKNOWN = -1    /* of an int below: the file does not say */
};

enum ti_cfg_trigger { TI_CFG_SOFTWARE = 1, TI_CFG_HARDWARE = 2 };

struct ti_cfg_profile {
    bool known;
    unsigned line; /* of the file, from 1; here and below 0: there is none */
    double start_hz, idle_s, adc_start_s, ramp_end_s, slope_hz_per_s, rate_hz;
    size_t samples;
};

/* A line as it is sent: words separated by one blank, comment and blanks at the ends gone,
 * printable ASCII of at most TI_CFG_TEXT bytes. */
struct ti_cfg_line {
    unsigned number; /* in the file, from 1 */
    char *text;      /* owned */
};

struct ti_cfg {
    char *path; /* owned */
    struct ti_cfg_line *lines;
    size_t n_lines;
    int output_mode; /* dfeDataOutputMode: 1 frames, 2 continuous, 3 subframes */
    struct ti_cfg_profile profile[TI_CFG_PROFILES];
    int chirp_profile[TI_CFG_CHIRPS];   /* -1: not known */
    int chirp_tx[TI_CFG_CHIRPS];        /* mask */
    bool chirp_varies[TI_CFG_CHIRPS];   /* chirpCfg changes something of the profile */
    unsigned chirp_line[TI_CFG_CHIRPS]; /* where it is said */
    bool has_frame;
    int first_chirp, last_chirp, loops, frames; /* frames 0: endless */
    double frame_period_s;
    int trigger; /* enum ti_cfg_trigger */
    int rx_mask, tx_mask;
    int adc_bits;               /* 12, 14, 16 */
    bool adc_real, adcbuf_real; /* what adcCfg and adcbufCfg say of the samples */
    int complex_samples;        /* 0 real, by one of them; 1 */
    int sample_swap;            /* adcbufCfg's: 1: Q first */
    int interleaved;   /* adcbufCfg's chanInterleave: 0 interleaved (xWR14xx only), 1 not */
    int adcbuf_values; /* 4: the form of SDK 1, before lvdsStreamCfg was; 5 */
    int lvds_format;   /* lvdsStreamCfg's dataFmt: 0 off, 1 ADC, 4 CP+ADC+CQ */
    int lvds_header;   /* lvdsStreamCfg's enableHeader */
    int lvds_software; /* lvdsStreamCfg's enableSW */
    bool bpm;          /* bpmCfg is on: transmitters send at once, with signs */
    unsigned frame_line, channel_line, adc_line, adcbuf_line, lvds_line, bpm_line;
    unsigned start_line;         /* of the first sensorStart */
    bool starts, stops, flushes; /* sensorStart, sensorStop, flushCfg are there */
};

/* Reads and checks each line that it knows; others are kept as text. What flushCfg makes the radar
 * forget is forgotten here too. Errors name path, line and word. Free with ti_cfg_free(), also
 * after a failure. */
enum nfsar_status ti_cfg_load(const char *path, struct ti_cfg *cfg, nfsar_error *error);
/* The same of n bytes of text; path is for the errors. */
enum nfsar_status ti_cfg_parse(const char *path, const char *text, size_t n, struct ti_cfg *cfg,
                               nfsar_error *error);
void ti_cfg_free(struct ti_cfg *cfg);

/* Is this the command of a line's text: ti_cfg_is(line->text, "sensorStart")? */
bool ti_cfg_is(const char *text, const char *command);

/* What one frame is, when its chirps have one profile. */
struct ti_cfg_frame {
    nfsar_fmcw fmcw;
    size_t samples, chirps, loops, receivers;
    double chirp_period_s, frame_s; /* loops * chirps * chirp period: when the radar is busy */
    double frame_period_s;
    unsigned transmitter[TI_CFG_CHIRPS]; /* of each chirp, from 1; Tx3 is 3 */
    unsigned receiver[4]; /* of each in the stream, from 1; 0: off, but four lanes carry it */
    size_t bytes; /* that the card sends for it: loops * chirps * receivers(lanes) * samples * 4 */
};

/* lanes: 2 or 4. Four lanes always carry four receivers. Fails with the line that is missing or
 * does not fit: several profiles or transmitters at once, real samples, a ramp that leaves the band
 * or ends before the last sample, a frame longer than its period. */
enum nfsar_status ti_cfg_frame(const struct ti_cfg *cfg, unsigned lanes, struct ti_cfg_frame *frame,
                               nfsar_error *error);

/* What a recording with the card wants of the file: LVDS of raw samples without headers, complex
 * samples of 16 bits, hardware trigger where `triggered`, endless frames, sensorStart not among the
 * lines before the end. Each thing that is wrong is one call of tell(). Returns how many. */
typedef void ti_cfg_tell(void *context, const char *text);
size_t ti_cfg_check_recording(const struct ti_cfg *cfg, unsigned lanes, unsigned bits,
                              bool triggered, ti_cfg_tell *tell, void *context);

#endif
