#include "host/import/channels.h"

#include <stdlib.h>
#include <string.h>

/* Antennas in the order of the slots of a recording: used of them, slot[i] that of antenna[i]. */
struct selection {
    size_t slots, used;
    size_t *slot;
    size_t *antenna;
};

static void selection_free(struct selection *selection) {
    free(selection->slot);
    free(selection->antenna);
}

/* list[i] is the number, from 1, of the antenna of slot i, 0 for a slot that is left out; without
 * a list slot i belongs to antenna i. */
static enum nfsar_status select_antennas(const char *key, const uint64_t *list, size_t n_list,
                                         size_t n_antenna, struct selection *selection,
                                         nfsar_error *error) {
    *selection = (struct selection){.slots = list != NULL ? n_list : n_antenna};
    selection->slot = calloc(selection->slots, sizeof *selection->slot);
    selection->antenna = calloc(selection->slots, sizeof *selection->antenna);
    if (selection->slot == NULL || selection->antenna == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < selection->slots; i++) {
        uint64_t number = list != NULL ? list[i] : i + 1;
        if (number > n_antenna) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: there is no antenna %llu, the array has %zu (0 leaves out what "
                              "was recorded)",
                              key, (unsigned long long)number, n_antenna);
        }
        for (size_t j = 0; number > 0 && j < selection->used; j++) {
            if (selection->antenna[j] == number - 1) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "%s: antenna %llu is there twice (repeated chirps are "
                                  "frames.loops)",
                                  key, (unsigned long long)number);
            }
        }
        if (number > 0) {
            selection->slot[selection->used] = i;
            selection->antenna[selection->used++] = (size_t)number - 1;
        }
    }
    return selection->used > 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: no antenna is used", key);
}

static enum nfsar_status make_base(const struct rig_array *rig, nfsar_array *base,
                                   nfsar_error *error) {
    if (rig->preset != NULL) {
        enum nfsar_array_axis along = rig->along != NULL && *rig->along == RIG_ALONG_X
                                          ? NFSAR_ARRAY_ALONG_X
                                          : NFSAR_ARRAY_ALONG_Y;
        enum nfsar_status status = nfsar_array_preset(rig->preset, along, base, error);
        return status == NFSAR_ERROR_ARGUMENT ? rig_wrong(error, "array.preset") : status;
    }
    enum nfsar_status status = nfsar_array_create(rig->n_tx_m, rig->n_rx_m, base, error);
    if (status != NFSAR_OK) {
        return status == NFSAR_ERROR_ARGUMENT ? rig_wrong(error, "array") : status;
    }
    for (size_t i = 0; i < rig->n_tx_m; i++) {
        base->tx_m[i] = (nfsar_vec3){rig->tx_m[i][0], rig->tx_m[i][1], rig->tx_m[i][2]};
    }
    for (size_t i = 0; i < rig->n_rx_m; i++) {
        base->rx_m[i] = (nfsar_vec3){rig->rx_m[i][0], rig->rx_m[i][1], rig->rx_m[i][2]};
    }
    return NFSAR_OK;
}

/* Half a turn about boresight. */
static nfsar_vec3 turned(nfsar_vec3 place, bool upside_down) {
    return upside_down ? (nfsar_vec3){0.0 - place.x, 0.0 - place.y, place.z} : place;
}

static enum nfsar_status choose(const struct rig *rig, const nfsar_array *base,
                                const struct selection *tx, const struct selection *rx,
                                nfsar_array *array, struct channels *channels, nfsar_error *error) {
    bool four = rig->layout == RIG_LAYOUT_4LANE || rig->layout == RIG_LAYOUT_4LANE_REORDERED;
    if (four && rx->slots != 4) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "array.rx: %zu receivers, but %s recordings always hold 4; write 0 for "
                          "those that are not used, such as rx: [1, 2, 0, 0]",
                          rx->slots, rig_layout_name(rig->layout));
    }
    enum nfsar_status status = nfsar_array_create(tx->used, rx->used, array, error);
    if (status != NFSAR_OK) {
        return status;
    }
    *channels = (struct channels){.n_tx = tx->slots, .n_rx = rx->slots, .n = array->n_channel};
    channels->line = calloc(channels->n, sizeof *channels->line);
    if (channels->line == NULL) {
        nfsar_array_free(array);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < tx->used; i++) {
        array->tx_m[i] = turned(base->tx_m[tx->antenna[i]], rig->array.upside_down);
    }
    for (size_t i = 0; i < rx->used; i++) {
        array->rx_m[i] = turned(base->rx_m[rx->antenna[i]], rig->array.upside_down);
    }
    for (size_t c = 0; c < channels->n; c++) {
        channels->line[c] = tx->slot[c / rx->used] * rx->slots + rx->slot[c % rx->used];
    }
    return NFSAR_OK;
}

enum nfsar_status channels_make(const struct rig *rig, nfsar_array *array,
                                struct channels *channels, nfsar_error *error) {
    nfsar_array base = {0};
    struct selection tx = {0}, rx = {0};
    memset(array, 0, sizeof *array);
    memset(channels, 0, sizeof *channels);
    enum nfsar_status status = make_base(&rig->array, &base, error);
    if (status == NFSAR_OK) {
        status = select_antennas("array.tx", rig->array.tx, rig->array.n_tx, base.n_tx, &tx, error);
    }
    if (status == NFSAR_OK) {
        status = select_antennas("array.rx", rig->array.rx, rig->array.n_rx, base.n_rx, &rx, error);
    }
    if (status == NFSAR_OK) {
        status = choose(rig, &base, &tx, &rx, array, channels, error);
    }
    selection_free(&tx);
    selection_free(&rx);
    nfsar_array_free(&base);
    return status;
}

unsigned channels_antenna(const struct rig_array *array, unsigned number) {
    const char *preset = array->preset != NULL ? array->preset : "";
    if (strstr(preset, "-2tx") != NULL) {
        return number == 1 ? 1 : number == 3 ? 2 : 0;
    }
    return strcmp(preset, "single") == 0 && number > 0 ? 1 : number;
}

void channels_free(struct channels *channels) {
    free(channels->line);
    memset(channels, 0, sizeof *channels);
}
