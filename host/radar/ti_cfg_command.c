/* Numbers and ranges of the commands: TI mmWave SDK 1.2 to 3.5, cli_mmwave.c and mmw_cli.c, and
 * mmwavelink's rl_sensor.h. */
#include "host/radar/ti_cfg_command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 14 };

struct value {
    const char *name;
    double least, most;
    bool whole;
};

struct command {
    const char *name;
    size_t n; /* values; the first `optional` of them may be left out together */
    size_t optional;
    struct value value[VALUES];
    /* Keeps what was said. NULL or what is wrong. */
    const char *(*keep)(struct ti_cfg *cfg, unsigned line, const double *v, size_t given);
};

#define FROM_TO(name, least, most)                                                                 \
    { name, least, most, true }
#define REAL(name, least, most)                                                                    \
    { name, least, most, false }
/* The last chirp, the rate: what is wrong with them is said by the command's own function. */
#define ANY(name)                                                                                  \
    { name, -INFINITY, INFINITY, false }
#define CHIRP (TI_CFG_CHIRPS - 1)

static const char *keep_stop(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)line;
    (void)v;
    (void)given;
    cfg->stops = true;
    return NULL;
}

static const char *keep_start(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)v;
    (void)given;
    cfg->start_line = cfg->starts ? cfg->start_line : line;
    cfg->starts = true;
    return NULL;
}

static const char *keep_flush(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)line;
    (void)v;
    (void)given;
    ti_cfg_forget(cfg);
    cfg->flushes = true;
    return NULL;
}

static const char *keep_mode(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)line;
    (void)given;
    cfg->output_mode = (int)v[0];
    return NULL;
}

static const char *keep_channels(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    cfg->channel_line = line;
    cfg->rx_mask = (int)v[0];
    cfg->tx_mask = (int)v[1];
    return NULL;
}

static void keep_complex(struct ti_cfg *cfg) {
    cfg->complex_samples = !cfg->adc_real && !cfg->adcbuf_real;
}

static const char *keep_adc(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    cfg->adc_line = line;
    cfg->adc_bits = 12 + 2 * (int)v[0];
    cfg->adc_real = v[1] == 0.0 || v[1] == 3.0;
    keep_complex(cfg);
    return NULL;
}

static const char *keep_adcbuf(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    cfg->adcbuf_line = line;
    cfg->adcbuf_values = (int)given;
    cfg->adcbuf_real = v[1] == 1.0;
    keep_complex(cfg);
    cfg->sample_swap = (int)v[2];
    cfg->interleaved = (int)v[3];
    return NULL;
}

static const char *keep_profile(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    if (v[9] < 1.0 || v[9] > 65536.0 || floor(v[9]) != v[9] || v[10] <= 0.0 || v[10] > 1e6) {
        return "has no usable samples and rate";
    }
    cfg->profile[(int)v[0]] = (struct ti_cfg_profile){.known = true,
                                                      .line = line,
                                                      .start_hz = v[1] * 1e9,
                                                      .idle_s = v[2] * 1e-6,
                                                      .adc_start_s = v[3] * 1e-6,
                                                      .ramp_end_s = v[4] * 1e-6,
                                                      .slope_hz_per_s = v[7] * 1e12,
                                                      .samples = (size_t)v[9],
                                                      .rate_hz = v[10] * 1e3};
    return NULL;
}

static const char *keep_chirps(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    if (v[1] < v[0]) {
        return "needs a last chirp that is not before the first";
    }
    for (int i = (int)v[0]; i <= (int)v[1]; i++) {
        cfg->chirp_profile[i] = (int)v[2];
        cfg->chirp_tx[i] = (int)v[7];
        cfg->chirp_varies[i] = v[3] != 0.0 || v[4] != 0.0 || v[5] != 0.0 || v[6] != 0.0;
        cfg->chirp_line[i] = line;
    }
    return NULL;
}

static const char *keep_frame(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    if (v[1] < v[0]) {
        return "needs a last chirp that is not before the first";
    }
    cfg->has_frame = true;
    cfg->frame_line = line;
    cfg->first_chirp = (int)v[0];
    cfg->last_chirp = (int)v[1];
    cfg->loops = (int)v[2];
    cfg->frames = (int)v[3];
    cfg->frame_period_s = v[4] * 1e-3;
    cfg->trigger = (int)v[5];
    return NULL;
}

static const char *keep_lvds(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    if (v[2] != 0.0 && v[2] != 1.0 && v[2] != 4.0) {
        return "needs a data format of 0 (off), 1 (ADC samples) or 4 (with chirp quality)";
    }
    cfg->lvds_line = line;
    cfg->lvds_header = (int)v[1];
    cfg->lvds_format = (int)v[2];
    cfg->lvds_software = (int)v[3];
    return NULL;
}

static const char *keep_bpm(struct ti_cfg *cfg, unsigned line, const double *v, size_t given) {
    (void)given;
    cfg->bpm = v[1] != 0.0;
    cfg->bpm_line = line;
    return NULL;
}

static const struct command commands[] = {
    {"sensorStop", 0, 0, {{0}}, keep_stop},
    {"sensorStart", 1, 1, {FROM_TO("0", 0, 1)}, keep_start},
    {"flushCfg", 0, 0, {{0}}, keep_flush},
    {"dfeDataOutputMode", 1, 0, {FROM_TO("mode", 1, 3)}, keep_mode},
    {"channelCfg",
     3,
     0,
     {FROM_TO("rxMask", 1, 15), FROM_TO("txMask", 0, 15), FROM_TO("cascading", 0, 2)},
     keep_channels},
    {"adcCfg", 2, 0, {FROM_TO("bits", 0, 2), FROM_TO("format", 0, 3)}, keep_adc},
    {"adcbufCfg",
     5,
     1,
     {FROM_TO("subframe", -1, 3), FROM_TO("format", 0, 1), FROM_TO("sampleSwap", 0, 1),
      FROM_TO("chanInterleave", 0, 1), FROM_TO("chirpThreshold", 0, 8)},
     keep_adcbuf},
    {"profileCfg",
     14,
     0,
     {FROM_TO("profile", 0, TI_CFG_PROFILES - 1), REAL("startGHz", 1, 200), REAL("idle_us", 0, 1e6),
      REAL("adcStart_us", 0, 1e6), REAL("rampEnd_us", 0, 1e6), FROM_TO("txBackoff", 0, 16777215),
      FROM_TO("txPhase", 0, 16777215), REAL("slope_MHz/us", -1000, 1000),
      REAL("txStart_us", -1e6, 1e6), ANY("samples"), ANY("rate_ksps"), FROM_TO("hpf1", 0, 3),
      FROM_TO("hpf2", 0, 3), FROM_TO("rxGain", 0, 255)},
     keep_profile},
    {"chirpCfg",
     8,
     0,
     {FROM_TO("firstChirp", 0, CHIRP), FROM_TO("lastChirp", 0, CHIRP),
      FROM_TO("profile", 0, TI_CFG_PROFILES - 1), ANY("dStart"), ANY("dSlope"), ANY("dIdle"),
      ANY("dAdcStart"), FROM_TO("txMask", 0, 15)},
     keep_chirps},
    {"frameCfg",
     7,
     0,
     {FROM_TO("firstChirp", 0, CHIRP), FROM_TO("lastChirp", 0, CHIRP), FROM_TO("loops", 1, 255),
      FROM_TO("frames", 0, 65535), REAL("period_ms", 0.001, 1342.2), FROM_TO("trigger", 1, 2),
      REAL("delay_ms", 0, 1342.2)},
     keep_frame},
    {"lowPower", 2, 0, {FROM_TO("0", 0, 1), FROM_TO("adcMode", 0, 1)}, NULL},
    {"lvdsStreamCfg",
     4,
     0,
     {FROM_TO("subframe", -1, 3), FROM_TO("header", 0, 1), FROM_TO("format", 0, 4),
      FROM_TO("software", 0, 1)},
     keep_lvds},
    {"bpmCfg",
     4,
     0,
     {FROM_TO("subframe", -1, 3), FROM_TO("on", 0, 1), FROM_TO("chirp0", 0, CHIRP),
      FROM_TO("chirp1", 0, CHIRP)},
     keep_bpm},
};

/* Commands of modes that a recording of frames cannot have. */
static const struct {
    const char *name, *wrong;
} refused[] = {
    {"advFrameCfg", "describes several subframes, which are not read"},
    {"subFrameCfg", "describes several subframes, which are not read"},
    {"contModeCfg", "describes a continuous wave, which is not read"},
    {"bpmCfgAdvanced", "sends with several transmitters at once (BPM), which is not read"},
};

/* Decimal numbers alone: strtod() would also take nan, inf and hexadecimal ones. */
static bool read_number(const char *word, double *value) {
    char *end = NULL;
    *value = strtod(word, &end);
    return strspn(word, "+-.0123456789eE") == strlen(word) && end != word && *end == '\0' &&
           isfinite(*value);
}

static void say_count(const struct command *command, size_t given, char *wrong, size_t size) {
    char names[192] = "";
    size_t used = 0;
    for (size_t i = 0; i < command->n && used < sizeof names; i++) {
        const bool optional = i < command->optional;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s%s%s", i > 0 ? " " : "",
                                 optional ? "[" : "", command->value[i].name, optional ? "]" : "");
    }
    char counts[32];
    if (command->optional > 0) {
        snprintf(counts, sizeof counts, "%zu or %zu", command->n - command->optional, command->n);
    } else {
        snprintf(counts, sizeof counts, "%zu", command->n);
    }
    snprintf(wrong, size, "needs %s value%s%s%s%s and has %zu", counts, command->n == 1 ? "" : "s",
             names[0] != '\0' ? " (" : "", names, names[0] != '\0' ? ")" : "", given);
}

/* The words' numbers into v, where what is left out in front is 0. */
static bool read_values(const struct command *command, char *const *words, size_t given, double *v,
                        char *wrong, size_t size) {
    if (given != command->n && given != command->n - command->optional) {
        say_count(command, given, wrong, size);
        return false;
    }
    const size_t absent = command->n - given;
    for (size_t i = absent; i < command->n; i++) {
        const struct value *value = &command->value[i];
        const char *word = words[i - absent];
        if (!read_number(word, &v[i]) || v[i] < value->least || v[i] > value->most ||
            (value->whole && floor(v[i]) != v[i])) {
            const bool any = !isfinite(value->least);
            char range[64];
            snprintf(range, sizeof range, any ? "a number" : "%s%.9g to %.9g",
                     value->whole ? "a whole number of " : "", value->least, value->most);
            snprintf(wrong, size, "needs %s for %s (value %zu), and has '%.40s'", range,
                     value->name, i - absent + 1, word);
            return false;
        }
    }
    return true;
}

bool ti_cfg_take(struct ti_cfg *cfg, unsigned number, char *const *words, size_t n, char *wrong,
                 size_t size) {
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcmp(refused[i].name, words[0]) == 0) {
            snprintf(wrong, size, "%s", refused[i].wrong);
            return false;
        }
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *command = &commands[i];
        if (strcmp(command->name, words[0]) == 0) {
            double v[VALUES] = {0};
            if (!read_values(command, words + 1, n - 1, v, wrong, size)) {
                return false;
            }
            const char *said = command->keep != NULL ? command->keep(cfg, number, v, n - 1) : NULL;
            snprintf(wrong, size, "%s", said != NULL ? said : "");
            return said == NULL;
        }
    }
    return true;
}

void ti_cfg_forget(struct ti_cfg *cfg) {
    cfg->output_mode = TI_CFG_UNKNOWN;
    memset(cfg->profile, 0, sizeof cfg->profile);
    for (int i = 0; i < TI_CFG_CHIRPS; i++) {
        cfg->chirp_profile[i] = TI_CFG_UNKNOWN;
        cfg->chirp_tx[i] = 0;
        cfg->chirp_varies[i] = false;
        cfg->chirp_line[i] = 0;
    }
    cfg->has_frame = false;
    cfg->frame_line = cfg->channel_line = cfg->adc_line = 0;
    cfg->trigger = cfg->rx_mask = cfg->tx_mask = cfg->adc_bits = TI_CFG_UNKNOWN;
    cfg->adc_real = false;
    cfg->complex_samples = cfg->adcbuf_line == 0 ? TI_CFG_UNKNOWN : !cfg->adcbuf_real;
}
