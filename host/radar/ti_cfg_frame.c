/* What the lines of a .cfg make together: one frame, and whether a recording can have it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/radar/ti_cfg.h"

/* The synthesizers' ranges; datasheets of xWR14xx (both of 76 to 81 GHz) and xWR68xx. */
static const struct {
    double low_hz, high_hz;
} bands[] = {{76e9, 78e9}, {77e9, 81e9}, {57e9, 61e9}, {60e9, 64e9}};

static enum nfsar_status check_profile(const struct ti_cfg *cfg, const struct ti_cfg_profile *p,
                                       nfsar_error *error) {
    const double last_s = p->adc_start_s + (double)p->samples / p->rate_hz;
    if (last_s > p->ramp_end_s + 1e-9) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %u: profileCfg: %zu samples at %.9g ksps from %.9g us end at "
                          "%.9g us, after the ramp's end at %.9g us",
                          cfg->path, p->line, p->samples, p->rate_hz / 1e3, p->adc_start_s * 1e6,
                          last_s * 1e6, p->ramp_end_s * 1e6);
    }
    const double end_hz = p->start_hz + p->slope_hz_per_s * p->ramp_end_s;
    const double low = fmin(p->start_hz, end_hz), high = fmax(p->start_hz, end_hz);
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        if (low >= bands[i].low_hz - 1e6 && high <= bands[i].high_hz + 1e6) {
            return NFSAR_OK;
        }
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%s: line %u: profileCfg: the ramp goes from %.6g to %.6g GHz; a radar has "
                      "76 to 78 or 77 to 81 (xWR68xx 57 to 61 or 60 to 64)",
                      cfg->path, p->line, p->start_hz / 1e9, end_hz / 1e9);
}

/* The one profile of the frame's chirps. */
static enum nfsar_status find_profile(const struct ti_cfg *cfg,
                                      const struct ti_cfg_profile **profile, nfsar_error *error) {
    if (cfg->output_mode > 1) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: dfeDataOutputMode %d is not 1 (frames of chirps)", cfg->path,
                          cfg->output_mode);
    }
    if (!cfg->has_frame) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no frameCfg", cfg->path);
    }
    const int used = cfg->chirp_profile[cfg->first_chirp];
    for (int i = cfg->first_chirp; i <= cfg->last_chirp; i++) {
        if (cfg->chirp_profile[i] < 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: frameCfg wants chirp %d, which no chirpCfg describes",
                              cfg->path, cfg->frame_line, i);
        }
        if (cfg->chirp_profile[i] != used) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: chirp %d has profile %d, and chirp %d has %d; the "
                              "chirps of a frame must have one",
                              cfg->path, cfg->chirp_line[i], i, cfg->chirp_profile[i],
                              cfg->first_chirp, used);
        }
        if (cfg->chirp_varies[i]) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: chirp %d changes its profile (values 4 to 7 of "
                              "chirpCfg), which is not read; write 0 there",
                              cfg->path, cfg->chirp_line[i], i);
        }
    }
    if (!cfg->profile[used].known) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %u: chirp %d has profile %d, which no profileCfg describes",
                          cfg->path, cfg->chirp_line[cfg->first_chirp], cfg->first_chirp, used);
    }
    *profile = &cfg->profile[used];
    return check_profile(cfg, *profile, error);
}

static enum nfsar_status find_transmitters(const struct ti_cfg *cfg, struct ti_cfg_frame *frame,
                                           nfsar_error *error) {
    static const unsigned number[16] = {[1] = 1, [2] = 2, [4] = 3, [8] = 4};
    if (cfg->bpm) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %u: bpmCfg lets two transmitters send at once (BPM); nfsar "
                          "wants one after the other: bpmCfg -1 0 0 1",
                          cfg->path, cfg->bpm_line);
    }
    for (size_t i = 0; i < frame->chirps; i++) {
        const int chirp = cfg->first_chirp + (int)i, mask = cfg->chirp_tx[chirp];
        const unsigned line = cfg->chirp_line[chirp];
        if (number[mask] == 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: chirp %d sends with mask %d, %s; nfsar wants one "
                              "transmitter in each chirp: 1, 2 or 4 for Tx1, Tx2, Tx3",
                              cfg->path, line, chirp, mask,
                              mask == 0 ? "no transmitter" : "several transmitters at once (BPM)");
        }
        if ((mask & cfg->tx_mask) == 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %u: chirp %d sends with Tx%u, which channelCfg (line %u, "
                              "mask %d) does not switch on",
                              cfg->path, line, chirp, number[mask], cfg->channel_line,
                              cfg->tx_mask);
        }
        frame->transmitter[i] = number[mask];
    }
    return NFSAR_OK;
}

static void find_receivers(const struct ti_cfg *cfg, unsigned lanes, struct ti_cfg_frame *frame) {
    for (unsigned i = 0; i < 4; i++) {
        const bool on = (cfg->rx_mask >> i & 1) != 0;
        if (on || lanes == 4) {
            frame->receiver[frame->receivers++] = on ? i + 1 : 0;
        }
    }
}

enum nfsar_status ti_cfg_frame(const struct ti_cfg *cfg, unsigned lanes, struct ti_cfg_frame *frame,
                               nfsar_error *error) {
    memset(frame, 0, sizeof *frame);
    if (lanes != 2 && lanes != 4) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%u LVDS lanes: expected 2 or 4", lanes);
    }
    const struct ti_cfg_profile *profile = NULL;
    enum nfsar_status status = find_profile(cfg, &profile, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (cfg->rx_mask <= 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: has no channelCfg", cfg->path);
    }
    if (cfg->complex_samples == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %u: real samples, which are not read: adcCfg 2 1 and format 0 "
                          "in adcbufCfg give complex ones",
                          cfg->path, cfg->adcbuf_line > 0 ? cfg->adcbuf_line : cfg->adc_line);
    }
    frame->fmcw = (nfsar_fmcw){.start_frequency_hz = profile->start_hz,
                               .slope_hz_per_s = profile->slope_hz_per_s,
                               .sample_rate_hz = profile->rate_hz,
                               .adc_start_s = profile->adc_start_s};
    frame->samples = profile->samples;
    frame->chirps = (size_t)(cfg->last_chirp - cfg->first_chirp) + 1;
    frame->loops = (size_t)cfg->loops;
    frame->chirp_period_s = profile->idle_s + profile->ramp_end_s;
    frame->frame_s = (double)(frame->loops * frame->chirps) * frame->chirp_period_s;
    frame->frame_period_s = cfg->frame_period_s;
    if (frame->frame_s > frame->frame_period_s + 1e-9) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %u: frameCfg: %zu chirps of %.9g us last %.9g ms, longer than "
                          "the frame's period of %.9g ms",
                          cfg->path, cfg->frame_line, frame->loops * frame->chirps,
                          frame->chirp_period_s * 1e6, frame->frame_s * 1e3,
                          frame->frame_period_s * 1e3);
    }
    find_receivers(cfg, lanes, frame);
    frame->bytes = frame->loops * frame->chirps * frame->receivers * frame->samples * 4;
    return find_transmitters(cfg, frame, error);
}

/* ---- what a recording wants ------------------------------------------------------------------ */

struct teller {
    const struct ti_cfg *cfg;
    ti_cfg_tell *tell;
    void *context;
    size_t told;
};

/* line 0: it is nowhere. */
static void tell(struct teller *teller, unsigned line, const char *text) {
    char sentence[640];
    if (line > 0) {
        snprintf(sentence, sizeof sentence, "%s: line %u: %s", teller->cfg->path, line, text);
    } else {
        snprintf(sentence, sizeof sentence, "%s: %s", teller->cfg->path, text);
    }
    teller->told++;
    if (teller->tell != NULL) {
        teller->tell(teller->context, sentence);
    }
}

static void check_lvds(struct teller *teller) {
    const struct ti_cfg *cfg = teller->cfg;
    if (cfg->lvds_line == 0) {
        /* The firmware of SDK 1 that streams has no such command, and always does. */
        if (cfg->adcbuf_values != 4) {
            tell(teller, 0,
                 "has no lvdsStreamCfg, so the radar sends nothing to the card: add "
                 "'lvdsStreamCfg -1 0 1 0'");
        }
        return;
    }
    if (cfg->lvds_format == 0) {
        tell(teller, cfg->lvds_line,
             "lvdsStreamCfg has format 0, so the radar sends nothing to the card: "
             "'lvdsStreamCfg -1 0 1 0'");
    } else if (cfg->lvds_format != 1) {
        tell(teller, cfg->lvds_line,
             "lvdsStreamCfg mixes chirp quality into the samples: 'lvdsStreamCfg -1 0 1 0'");
    }
    if (cfg->lvds_header == 1) {
        tell(teller, cfg->lvds_line,
             "lvdsStreamCfg puts headers between the samples: 'lvdsStreamCfg -1 0 1 0'");
    }
    if (cfg->lvds_software == 1) {
        tell(teller, cfg->lvds_line,
             "lvdsStreamCfg sends the demo's own results too: 'lvdsStreamCfg -1 0 1 0'");
    }
}

static void check_samples(struct teller *teller, unsigned lanes, unsigned bits) {
    const struct ti_cfg *cfg = teller->cfg;
    char text[256];
    if (cfg->adc_line == 0) {
        tell(teller, 0, "has no adcCfg: add 'adcCfg 2 1' (16 bits, complex)");
    } else if (cfg->adc_bits != (int)bits) {
        snprintf(text, sizeof text,
                 "adcCfg gives samples of %d bits, the card is set to %u: first value %u, or "
                 "card.bits",
                 cfg->adc_bits, bits, (bits - 12) / 2);
        tell(teller, cfg->adc_line, text);
    }
    if (cfg->adcbuf_line == 0) {
        tell(teller, 0, "has no adcbufCfg, which says the order of I and Q");
        return;
    }
    if (cfg->complex_samples == 0) {
        tell(teller, cfg->adcbuf_line,
             "real samples, which are not read: 'adcCfg 2 1' and format 0 in adcbufCfg");
    }
    if (lanes == 4 && cfg->interleaved == 1) {
        tell(teller, cfg->adcbuf_line,
             "adcbufCfg's chanInterleave 1 is of radars with two lanes; four lanes (xWR14xx) "
             "want 0");
    } else if (lanes == 2 && cfg->interleaved == 0) {
        tell(teller, cfg->adcbuf_line,
             "adcbufCfg's chanInterleave 0 is of xWR14xx, which has four lanes; two lanes want 1");
    }
}

static void check_start(struct teller *teller, bool triggered) {
    const struct ti_cfg *cfg = teller->cfg;
    if (!cfg->has_frame) {
        tell(teller, 0, "has no frameCfg");
        return;
    }
    if (triggered && cfg->trigger != TI_CFG_HARDWARE) {
        tell(teller, cfg->frame_line,
             "frameCfg starts frames by the radar's own clock; the hub triggers them, which "
             "wants 2 as the sixth value");
    } else if (!triggered && cfg->trigger == TI_CFG_HARDWARE) {
        tell(teller, cfg->frame_line,
             "frameCfg waits for a pulse at SYNC_IN for each frame, and nothing is to give one: "
             "1 as the sixth value");
    }
    if (cfg->frames != 0) {
        tell(teller, cfg->frame_line,
             "frameCfg ends after a number of frames: 0 as the fourth value is endless");
    }
    if (cfg->starts && cfg->start_line != cfg->lines[cfg->n_lines - 1].number) {
        tell(teller, cfg->start_line,
             "lines follow sensorStart, which is held back until the card records: put it last");
    }
}

size_t ti_cfg_check_recording(const struct ti_cfg *cfg, unsigned lanes, unsigned bits,
                              bool triggered, ti_cfg_tell *told, void *context) {
    struct teller teller = {cfg, told, context, 0};
    check_lvds(&teller);
    check_samples(&teller, lanes, bits);
    check_start(&teller, triggered);
    return teller.told;
}
