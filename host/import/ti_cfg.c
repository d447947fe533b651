/* Meaning of the lines: TI mmWave SDK user guide, "Configuration (.cfg) File Format". */
#include "host/import/ti_cfg.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILES = 4, CHIRPS = 512, NUMBERS = 24 };

struct profile {
    bool known;
    double start_hz, idle_s, adc_start_s, ramp_end_s, slope_hz_per_s, rate_hz;
    double samples;
};

struct ti_cfg {
    struct profile profile[PROFILES];
    int chirp_profile[CHIRPS]; /* -1: not known */
    int chirp_tx[CHIRPS];      /* mask */
    bool has_frame;
    int first_chirp, last_chirp;
    double loops, frame_period_s;
    int rx_mask, sample_swap; /* -1: not known */
};

/* Is it a whole number from least to most? */
static bool whole(double value, double least, double most) {
    return value >= least && value <= most && floor(value) == value;
}

static const char *read_profile(struct ti_cfg *cfg, const double *v, size_t n) {
    if (n < 11 || !whole(v[0], 0, PROFILES - 1)) {
        return "needs id, start, idle, ADC start, ramp end, ... slope, ... samples, rate";
    }
    cfg->profile[(int)v[0]] = (struct profile){.known = true,
                                               .start_hz = v[1] * 1e9,
                                               .idle_s = v[2] * 1e-6,
                                               .adc_start_s = v[3] * 1e-6,
                                               .ramp_end_s = v[4] * 1e-6,
                                               .slope_hz_per_s = v[7] * 1e12,
                                               .samples = v[9],
                                               .rate_hz = v[10] * 1e3};
    return whole(v[9], 1, 65536) && v[10] > 0.0 ? NULL : "has no usable samples and rate";
}

static const char *read_chirps(struct ti_cfg *cfg, const double *v, size_t n) {
    if (n < 8 || !whole(v[0], 0, CHIRPS - 1) || !whole(v[1], v[0], CHIRPS - 1) ||
        !whole(v[2], 0, PROFILES - 1) || !whole(v[7], 0, 15)) {
        return "needs first chirp, last chirp, profile, 4 variations and the transmitter mask";
    }
    for (int i = (int)v[0]; i <= (int)v[1]; i++) {
        cfg->chirp_profile[i] = (int)v[2];
        cfg->chirp_tx[i] = (int)v[7];
    }
    return NULL;
}

static const char *read_frame(struct ti_cfg *cfg, const double *v, size_t n) {
    if (n < 5 || !whole(v[0], 0, CHIRPS - 1) || !whole(v[1], v[0], CHIRPS - 1) ||
        !whole(v[2], 1, 65535)) {
        return "needs first chirp, last chirp, loops, frames and period";
    }
    cfg->has_frame = true;
    cfg->first_chirp = (int)v[0];
    cfg->last_chirp = (int)v[1];
    cfg->loops = v[2];
    cfg->frame_period_s = v[4] * 1e-3;
    return NULL;
}

static const char *read_line(struct ti_cfg *cfg, const char *word, const double *v, size_t n) {
    if (strcmp(word, "profileCfg") == 0) {
        return read_profile(cfg, v, n);
    }
    if (strcmp(word, "chirpCfg") == 0) {
        return read_chirps(cfg, v, n);
    }
    if (strcmp(word, "frameCfg") == 0) {
        return read_frame(cfg, v, n);
    }
    if (strcmp(word, "channelCfg") == 0) {
        cfg->rx_mask = n > 0 && whole(v[0], 1, 15) ? (int)v[0] : -1;
        return cfg->rx_mask > 0 ? NULL : "has no receiver mask of 1 to 15";
    }
    if (strcmp(word, "adcbufCfg") == 0) {
        /* Newer versions of the SDK put the subframe first. */
        const double *at = n >= 5 ? v + 1 : v;
        if (n < 4 || at[0] != 0.0) {
            return n < 4 ? "needs 4 or 5 numbers" : "stores real samples, which are not read";
        }
        cfg->sample_swap = at[1] != 0.0;
    }
    if (strcmp(word, "advFrameCfg") == 0) {
        return "describes several subframes, which are not read";
    }
    return NULL;
}

static enum nfsar_status parse(FILE *file, const char *path, struct ti_cfg *cfg,
                               nfsar_error *error) {
    char line[512], word[64];
    for (int number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        double value[NUMBERS];
        size_t n = 0;
        int used = 0;
        if (line[0] == '%' || sscanf(line, "%63s%n", word, &used) != 1) {
            continue;
        }
        const char *at = line + used;
        for (char *end = NULL; n < NUMBERS; at = end) {
            value[n] = strtod(at, &end);
            if (end == at || !isfinite(value[n])) {
                break;
            }
            n++;
        }
        const char *wrong = read_line(cfg, word, value, n);
        if (wrong != NULL) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %d: %s %s", path, number, word,
                              wrong);
        }
    }
    return ferror(file) ? nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read", path)
                        : NFSAR_OK;
}

/* ---- into the rig ---------------------------------------------------------------------------- */

/* The rig's optional values are freed by libcyaml, with free(). */
static bool give_number(double **to, double value) {
    if (*to == NULL && (*to = malloc(sizeof **to)) != NULL) {
        **to = value;
    }
    return *to != NULL;
}

static bool give_count(uint64_t **to, double value) {
    if (*to == NULL && (*to = malloc(sizeof **to)) != NULL) {
        **to = (uint64_t)value;
    }
    return *to != NULL;
}

/* Number, in the rig's array, of the transmitter that a mask switches on; 0 when there is none. The
 * two-transmitter presets are the first and the third of the board. */
static unsigned antenna_of_mask(const struct rig_array *array, int mask) {
    static const unsigned bit[] = {[1] = 1, [2] = 2, [4] = 3, [8] = 4};
    unsigned number = mask == 1 || mask == 2 || mask == 4 || mask == 8 ? bit[mask] : 0;
    const char *preset = array->preset != NULL ? array->preset : "";
    if (strstr(preset, "-2tx") != NULL) {
        return number == 1 ? 1 : number == 3 ? 2 : 0;
    }
    return strcmp(preset, "single") == 0 && number > 0 ? 1 : number;
}

static enum nfsar_status give_transmitters(const struct ti_cfg *cfg, const char *path,
                                           struct rig_array *array, nfsar_error *error) {
    unsigned n = (unsigned)(cfg->last_chirp - cfg->first_chirp + 1);
    if (array->tx != NULL) {
        return NFSAR_OK;
    }
    array->tx = calloc(n, sizeof *array->tx);
    if (array->tx == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    array->n_tx = n;
    for (unsigned i = 0; i < n; i++) {
        int mask = cfg->chirp_tx[cfg->first_chirp + (int)i];
        array->tx[i] = antenna_of_mask(array, mask);
        if (array->tx[i] == 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: chirp %u sends with mask %d, which is not one antenna of "
                              "the array; say array.tx",
                              path, (unsigned)cfg->first_chirp + i, mask);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status give_receivers(const struct ti_cfg *cfg, const struct rig *rig,
                                        struct rig_array *array, nfsar_error *error) {
    if (array->rx != NULL || cfg->rx_mask < 0 || cfg->rx_mask == 15) {
        return NFSAR_OK;
    }
    array->rx = calloc(4, sizeof *array->rx);
    if (array->rx == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    /* Four lanes are always there; two lanes carry only what is switched on. */
    bool four = rig->layout == RIG_LAYOUT_4LANE || rig->layout == RIG_LAYOUT_4LANE_REORDERED;
    for (unsigned i = 0; i < 4; i++) {
        bool on = (cfg->rx_mask >> i & 1) != 0;
        if (on || four) {
            array->rx[array->n_rx++] = on ? i + 1 : 0;
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status give_all(const struct ti_cfg *cfg, const char *path, struct rig *rig,
                                  nfsar_error *error) {
    int used = cfg->has_frame ? cfg->chirp_profile[cfg->first_chirp] : -1;
    for (int i = cfg->first_chirp; cfg->has_frame && i <= cfg->last_chirp; i++) {
        if (cfg->chirp_profile[i] != used || used < 0) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: the chirps of frameCfg have not one profile", path);
        }
    }
    if (used < 0 || !cfg->profile[used].known) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has no frameCfg, chirpCfg and profileCfg that belong together",
                          path);
    }
    const struct profile *profile = &cfg->profile[used];
    struct rig_radar *radar = &rig->radar;
    bool room = give_number(&radar->start_frequency_hz, profile->start_hz) &&
                give_number(&radar->slope_hz_per_s, profile->slope_hz_per_s) &&
                give_number(&radar->adc_start_s, profile->adc_start_s) &&
                give_number(&radar->sample_rate_hz, profile->rate_hz) &&
                give_number(&radar->chirp_period_s, profile->idle_s + profile->ramp_end_s) &&
                give_count(&radar->samples, profile->samples);
    if (room && rig_layout_is_raw(rig->layout)) {
        room = give_count(&rig->frames.loops, cfg->loops);
    }
    if (room && cfg->frame_period_s > 0.0) {
        room = give_number(&radar->frame_period_s, cfg->frame_period_s);
    }
    if (room && rig->q_first == NULL && cfg->sample_swap > 0 && rig_layout_is_raw(rig->layout)) {
        rig->q_first = malloc(sizeof *rig->q_first);
        room = rig->q_first != NULL;
        if (room) {
            *rig->q_first = true;
        }
    }
    if (!room) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = give_transmitters(cfg, path, &rig->array, error);
    return status == NFSAR_OK ? give_receivers(cfg, rig, &rig->array, error) : status;
}

enum nfsar_status ti_cfg_apply(const char *folder, struct rig *rig, nfsar_error *error) {
    char path[4352];
    const char *name = rig->radar.cfg;
    bool relative = name[0] != '/' && folder[0] != '\0';
    int length =
        snprintf(path, sizeof path, "%s%s%s", relative ? folder : "", relative ? "/" : "", name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "radar.cfg: %s: %s", path, strerror(errno));
    }
    struct ti_cfg *cfg = calloc(1, sizeof *cfg);
    enum nfsar_status status =
        cfg != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (int i = 0; cfg != NULL && i < CHIRPS; i++) {
        cfg->chirp_profile[i] = -1;
    }
    if (status == NFSAR_OK) {
        cfg->rx_mask = cfg->sample_swap = -1;
        status = parse(file, path, cfg, error);
    }
    fclose(file);
    if (status == NFSAR_OK) {
        status = give_all(cfg, path, rig, error);
    }
    if (status == NFSAR_OK) {
        /* The file's numbers are checked as if they had been written in the rig file. */
        char *given = rig->radar.cfg;
        rig->radar.cfg = NULL;
        status = rig_check(rig, error);
        rig->radar.cfg = given;
    }
    free(cfg);
    return status;
}
