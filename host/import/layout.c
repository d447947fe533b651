/* The order of 16-bit words in raw recordings (interfaces: DCA1000, TSW1400; docs/import.md). */
#include <nfsar/import.h>

#include <stdint.h>

/* Where the two words of a sample lie: word = base + rx * per_rx + sample * per_sample, and for
 * pairs of samples the odd one lies per_odd further. */
struct order {
    size_t per_rx, per_sample, per_odd;
    size_t imaginary; /* distance from the first word of a sample to the second */
};

static bool find_order(enum nfsar_raw_layout layout, size_t n_rx, size_t n_sample,
                       struct order *order) {
    switch (layout) {
    case NFSAR_RAW_4LANE:
        /* I0 I1 I2 I3 Q0 Q1 Q2 Q3 */
        *order = (struct order){1, 2 * n_rx, 2 * n_rx, n_rx};
        return true;
    case NFSAR_RAW_2LANE:
        /* I0 I1 Q0 Q1: even samples start a group of four words, odd ones follow by one. */
        *order = (struct order){2 * n_sample, 2, 1, 2};
        return true;
    case NFSAR_RAW_4LANE_REORDERED:
    case NFSAR_RAW_TSW1400:
        /* I0 Q0 I1 Q1 I2 Q2 I3 Q3 */
        *order = (struct order){2, 2 * n_rx, 2 * n_rx, 1};
        return true;
    case NFSAR_RAW_2LANE_REORDERED:
        *order = (struct order){2 * n_sample, 2, 2, 1};
        return true;
    }
    return false;
}

static size_t sample_word(const struct order *order, size_t rx, size_t sample) {
    return rx * order->per_rx + (sample & ~(size_t)1) * order->per_sample +
           (sample & 1) * order->per_odd;
}

static float word_value(const unsigned char *bytes, size_t word, bool offset_binary) {
    uint16_t bits = (uint16_t)(bytes[2 * word] | bytes[2 * word + 1] << 8);
    return offset_binary ? (float)((int)bits - 32768) : (float)(int16_t)bits;
}

enum nfsar_status nfsar_raw_decode_chirp(enum nfsar_raw_layout layout, bool q_first, size_t n_rx,
                                         size_t n_sample, const unsigned char *bytes,
                                         float complex *out, nfsar_error *error) {
    struct order order;
    if (!find_order(layout, n_rx, n_sample, &order)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "there is no raw layout %d", (int)layout);
    }
    if ((layout == NFSAR_RAW_4LANE || layout == NFSAR_RAW_4LANE_REORDERED) && n_rx != 4) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "4-lane recordings hold 4 receivers in each chirp, not %zu", n_rx);
    }
    if ((layout == NFSAR_RAW_2LANE || layout == NFSAR_RAW_2LANE_REORDERED) && n_sample % 2 != 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "2-lane recordings hold samples in pairs: %zu samples is odd", n_sample);
    }
    bool offset_binary = layout == NFSAR_RAW_TSW1400;
    for (size_t rx = 0; rx < n_rx; rx++) {
        for (size_t sample = 0; sample < n_sample; sample++) {
            size_t word = sample_word(&order, rx, sample);
            float first = word_value(bytes, word, offset_binary);
            float second = word_value(bytes, word + order.imaginary, offset_binary);
            out[rx * n_sample + sample] = q_first ? CMPLXF(second, first) : CMPLXF(first, second);
        }
    }
    return NFSAR_OK;
}
