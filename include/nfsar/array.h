/** @file
 * Antenna arrays: phase centres and the transmit-receive pairs that are sampled.
 */
#ifndef NFSAR_ARRAY_H
#define NFSAR_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/geometry.h>
#include <nfsar/status.h>

/** One sampled pair. */
typedef struct nfsar_channel {
    int32_t tx; /**< index into nfsar_array::tx_m */
    int32_t rx; /**< index into nfsar_array::rx_m */
} nfsar_channel;

/** An array in the body frame. All pointers are owned by the array. */
typedef struct nfsar_array {
    size_t n_tx;            /**< transmitters */
    size_t n_rx;            /**< receivers */
    size_t n_channel;       /**< sampled pairs */
    nfsar_vec3 *tx_m;       /**< [n_tx] phase centres */
    nfsar_vec3 *rx_m;       /**< [n_rx] phase centres */
    nfsar_channel *channel; /**< [n_channel] */
    double *channel_time_s; /**< [n_channel] when the channel is sampled, after the pulse's time */
} nfsar_array;

/** Along which body axis a preset's line of antennas lies. */
enum nfsar_array_axis {
    NFSAR_ARRAY_ALONG_Y = 0, /**< vertical: the usual way on an x-y scanner */
    NFSAR_ARRAY_ALONG_X      /**< horizontal */
};

/** Make an array of @p n_tx transmitters and @p n_rx receivers at the body's origin, with all
 * n_tx * n_rx channels, transmitter slowest (the order in which TDM chirps arrive).
 * Free it with nfsar_array_free(). */
enum nfsar_status nfsar_array_create(size_t n_tx, size_t n_rx, nfsar_array *array,
                                     nfsar_error *error);

/** Fill @p array from a preset.
 *
 * - "single": one antenna that sends and receives at the origin.
 * - "xwr1443-2tx": Tx1 and Tx3 of the IWR/AWR1443BOOST, 8 channels whose phase centres are a
 *   uniform line of lambda/4 steps.
 * - "xwr1443-3tx": with Tx2, which sits lambda/2 aside; 12 channels.
 * - "xwr1843-2tx", "xwr1843-3tx": the xWR1843BOOST; same spacings, Tx2 offset to the other
 *   side; distance between the Tx and Rx groups as documented in docs/arrays.md.
 *
 * Lengths are in wavelengths of 79 GHz. Source of the 1443's numbers: the public MIMO-SAR
 * toolbox of Yanik and Torlak (Rx at 0, 1/2, 1, 3/2 lambda; Tx at 3/2 lambda + 5 mm +
 * {0, 1, 2} lambda, Tx2 moved by -lambda/2 across). The reference point (body origin) is the
 * mean of the channels' phase centres of the two-transmitter array.
 * NFSAR_ERROR_ARGUMENT with the list of names when @p name is unknown. */
enum nfsar_status nfsar_array_preset(const char *name, enum nfsar_array_axis axis,
                                     nfsar_array *array, nfsar_error *error);

/** NULL-terminated list of preset names. */
const char *const *nfsar_array_preset_names(void);

/** Deep copy. */
enum nfsar_status nfsar_array_copy(const nfsar_array *from, nfsar_array *to, nfsar_error *error);

/** Release what the array owns and zero it. */
void nfsar_array_free(nfsar_array *array);

/** Body-frame phase centre (tx + rx) / 2 of a channel. */
nfsar_vec3 nfsar_array_phase_centre(const nfsar_array *array, size_t channel);

#endif
