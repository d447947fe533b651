#include <nfsar/array.h>

#include <stdlib.h>
#include <string.h>

/* Largest number of antennas or channels that is believed: a cascade of four chips has 12 x 16. */
#define ANTENNA_LIMIT 4096

enum nfsar_status nfsar_array_create(size_t n_tx, size_t n_rx, nfsar_array *array,
                                     nfsar_error *error) {
    memset(array, 0, sizeof *array);
    if (n_tx < 1 || n_rx < 1 || n_tx > ANTENNA_LIMIT || n_rx > ANTENNA_LIMIT ||
        n_tx * n_rx > ANTENNA_LIMIT) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "an array of %zu transmitters and %zu receivers: at least one of each, "
                          "at most %d channels",
                          n_tx, n_rx, ANTENNA_LIMIT);
    }
    array->n_tx = n_tx;
    array->n_rx = n_rx;
    array->n_channel = n_tx * n_rx;
    array->tx_m = calloc(n_tx, sizeof *array->tx_m);
    array->rx_m = calloc(n_rx, sizeof *array->rx_m);
    array->channel = calloc(array->n_channel, sizeof *array->channel);
    array->channel_time_s = calloc(array->n_channel, sizeof *array->channel_time_s);
    if (array->tx_m == NULL || array->rx_m == NULL || array->channel == NULL ||
        array->channel_time_s == NULL) {
        nfsar_array_free(array);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < array->n_channel; i++) {
        array->channel[i] = (nfsar_channel){(int32_t)(i / n_rx), (int32_t)(i % n_rx)};
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_array_copy(const nfsar_array *from, nfsar_array *to, nfsar_error *error) {
    enum nfsar_status status = nfsar_array_create(from->n_tx, from->n_rx, to, error);
    if (status != NFSAR_OK) {
        return status;
    }
    /* A file may list fewer or more channels than all pairs. */
    nfsar_channel *channel = calloc(from->n_channel + 1, sizeof *channel);
    double *time = calloc(from->n_channel + 1, sizeof *time);
    if (channel == NULL || time == NULL) {
        free(channel);
        free(time);
        nfsar_array_free(to);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    free(to->channel);
    free(to->channel_time_s);
    to->channel = channel;
    to->channel_time_s = time;
    to->n_channel = from->n_channel;
    memcpy(to->tx_m, from->tx_m, from->n_tx * sizeof *to->tx_m);
    memcpy(to->rx_m, from->rx_m, from->n_rx * sizeof *to->rx_m);
    memcpy(channel, from->channel, from->n_channel * sizeof *channel);
    memcpy(time, from->channel_time_s, from->n_channel * sizeof *time);
    return NFSAR_OK;
}

void nfsar_array_free(nfsar_array *array) {
    free(array->tx_m);
    free(array->rx_m);
    free(array->channel);
    free(array->channel_time_s);
    memset(array, 0, sizeof *array);
}

nfsar_vec3 nfsar_array_phase_centre(const nfsar_array *array, size_t channel) {
    return nfsar_vec3_midpoint(array->tx_m[array->channel[channel].tx],
                               array->rx_m[array->channel[channel].rx]);
}

/* ---- presets ------------------------------------------------------------------------------- */

#define LAMBDA (NFSAR_SPEED_OF_LIGHT / 79e9)

/* Antennas of an evaluation board: `along` is the line of the array, `across` is at right angles
 * to it. Lengths in metres. */
struct board {
    const char *name;
    size_t n_tx;
    double tx_along[3], tx_across[3];
};

/* xWR1443BOOST: Rx at 0, 1/2, 1, 3/2 lambda; Tx at 3/2 lambda + 5 mm + {0, 1, 2} lambda.
 * The xWR1843BOOST has the same spacings; docs/arrays.md says what is known of its Tx-Rx gap. */
static const struct board boards[] = {
    {"xwr1443-2tx", 2, {1.5 * LAMBDA + 5e-3, 3.5 * LAMBDA + 5e-3}, {0.0, 0.0}},
    {"xwr1443-3tx",
     3,
     {1.5 * LAMBDA + 5e-3, 2.5 * LAMBDA + 5e-3, 3.5 * LAMBDA + 5e-3},
     {0.0, -0.5 * LAMBDA, 0.0}},
    {"xwr1843-2tx", 2, {1.5 * LAMBDA + 5e-3, 3.5 * LAMBDA + 5e-3}, {0.0, 0.0}},
    {"xwr1843-3tx",
     3,
     {1.5 * LAMBDA + 5e-3, 2.5 * LAMBDA + 5e-3, 3.5 * LAMBDA + 5e-3},
     {0.0, 0.5 * LAMBDA, 0.0}},
};

enum { BOARDS = sizeof boards / sizeof boards[0] };

const char *const *nfsar_array_preset_names(void) {
    static const char *const names[] = {"single",      "xwr1443-2tx", "xwr1443-3tx",
                                        "xwr1843-2tx", "xwr1843-3tx", NULL};
    return names;
}

static nfsar_vec3 place(enum nfsar_array_axis axis, double along, double across) {
    return axis == NFSAR_ARRAY_ALONG_X ? (nfsar_vec3){along, across, 0.0}
                                       : (nfsar_vec3){across, along, 0.0};
}

static enum nfsar_status make_board(const struct board *board, enum nfsar_array_axis axis,
                                    nfsar_array *array, nfsar_error *error) {
    enum nfsar_status status = nfsar_array_create(board->n_tx, 4, array, error);
    if (status != NFSAR_OK) {
        return status;
    }
    /* Mean phase centre of the outer transmitters with all receivers. */
    double mean_tx = 0.5 * (board->tx_along[0] + board->tx_along[board->n_tx - 1]);
    double origin = 0.5 * (mean_tx + 0.75 * LAMBDA);
    for (size_t i = 0; i < board->n_tx; i++) {
        array->tx_m[i] = place(axis, board->tx_along[i] - origin, board->tx_across[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        array->rx_m[i] = place(axis, 0.5 * LAMBDA * (double)i - origin, 0.0);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_array_preset(const char *name, enum nfsar_array_axis axis,
                                     nfsar_array *array, nfsar_error *error) {
    if (strcmp(name, "single") == 0) {
        return nfsar_array_create(1, 1, array, error);
    }
    for (size_t i = 0; i < BOARDS; i++) {
        if (strcmp(name, boards[i].name) == 0) {
            return make_board(&boards[i], axis, array, error);
        }
    }
    memset(array, 0, sizeof *array);
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "there is no array preset '%s'; known are single, xwr1443-2tx, xwr1443-3tx, "
                      "xwr1843-2tx, xwr1843-3tx",
                      name);
}
