/* What a radar's .cfg says, into the rig. */
#include "host/import/ti_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/channels.h"
#include "host/radar/ti_cfg.h"

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

/* Number, in the rig's array, of the transmitter that a mask switches on; 0 when there is none.
 */
static unsigned antenna_of_mask(const struct rig_array *array, int mask) {
    static const unsigned bit[] = {[1] = 1, [2] = 2, [4] = 3, [8] = 4};
    unsigned number = mask == 1 || mask == 2 || mask == 4 || mask == 8 ? bit[mask] : 0;
    return channels_antenna(array, number);
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
    const struct ti_cfg_profile *profile = &cfg->profile[used];
    struct rig_radar *radar = &rig->radar;
    bool room = give_number(&radar->start_frequency_hz, profile->start_hz) &&
                give_number(&radar->slope_hz_per_s, profile->slope_hz_per_s) &&
                give_number(&radar->adc_start_s, profile->adc_start_s) &&
                give_number(&radar->sample_rate_hz, profile->rate_hz) &&
                give_number(&radar->chirp_period_s, profile->idle_s + profile->ramp_end_s) &&
                give_count(&radar->samples, (double)profile->samples);
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

static enum nfsar_status read_cfg(const char *path, struct ti_cfg *cfg, nfsar_error *error) {
    const enum nfsar_status status = ti_cfg_load(path, cfg, error);
    if (status == NFSAR_ERROR_FILE) {
        return nfsar_fail_in(error, status, "radar.cfg");
    }
    if (status == NFSAR_OK && cfg->adcbuf_real) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %u: adcbufCfg stores real samples, which are not read", path,
                          cfg->adcbuf_line);
    }
    return status;
}

enum nfsar_status ti_cfg_apply(const char *folder, struct rig *rig, nfsar_error *error) {
    char path[4352];
    const char *name = rig->radar.cfg;
    bool relative = name[0] != '/' && folder[0] != '\0';
    int length =
        snprintf(path, sizeof path, "%s%s%s", relative ? folder : "", relative ? "/" : "", name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "radar.cfg: the file's name is too long");
    }
    struct ti_cfg *cfg = calloc(1, sizeof *cfg);
    enum nfsar_status status = cfg != NULL ? read_cfg(path, cfg, error)
                                           : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
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
    ti_cfg_free(cfg);
    free(cfg);
    return status;
}
