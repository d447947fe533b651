/* The order of 16-bit words in raw recordings (interfaces: DCA1000, TSW1400; docs/import.md). */
#include "host/import/layout.h"

#include <stdint.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* Words are taken eight at a time: one sample of four receivers, or four of one. Vectors of GCC, as
 * every machine has instructions for these. */
typedef int16_t words8 __attribute__((vector_size(16)));
typedef float floats8 __attribute__((vector_size(32)));
typedef int32_t order8 __attribute__((vector_size(32)));
typedef uint64_t samples4 __attribute__((vector_size(32)));

/* How eight words become four samples (re, im). All members are constants where it is used, so
 * that each layout is compiled for itself. */
struct form {
    order8 order;   /* which word each part is */
    bool conjugate; /* negate the imaginary parts */
    bool offset_binary;
};

#define INLINE static inline __attribute__((always_inline))

/* A word as it is in the file: little-endian. */
INLINE void load(const unsigned char *bytes, words8 *words) {
    memcpy(words, bytes, sizeof *words);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    *words = (*words << 8) | (words8)(((*words) >> 8) & 255);
#endif
}

INLINE void decode8(const struct form *form, const unsigned char *bytes, floats8 *out) {
    words8 words;
    load(bytes, &words);
    if (form->offset_binary) {
        words ^= (words8){0} + (int16_t)INT16_MIN;
    }
    floats8 values = __builtin_shuffle(__builtin_convertvector(words, floats8), form->order);
    /* Zero is negated as well, as conjf() does. */
    *out = form->conjugate ? values * (floats8){1, -1, 1, -1, 1, -1, 1, -1} : values;
}

/* n groups of eight words that are four samples of a line each. */
INLINE void decode_line(const struct form *form, const unsigned char *bytes, size_t n,
                        float complex *out) {
    for (size_t i = 0; i < n; i++) {
        floats8 values;
        decode8(form, bytes + 16 * i, &values);
        memcpy(out + 4 * i, &values, sizeof values);
    }
}

/* n groups of eight words that are one sample of four lines each. */
INLINE void decode_lines(const struct form *form, const unsigned char *bytes, size_t n,
                         float complex *out) {
    for (size_t i = 0; i < n; i++) {
        floats8 values;
        decode8(form, bytes + 16 * i, &values);
        samples4 lines = (samples4)values;
        for (size_t rx = 0; rx < 4; rx++) {
            memcpy(out + rx * n + i, (const char *)&lines + 8 * rx, 8);
        }
    }
}

/* Constants in place of variables. */
#define FOR_EACH_SIGN(function, words, offset, ...)                                                \
    do {                                                                                           \
        if (conjugate) {                                                                           \
            const struct form form = {words, true, offset};                                        \
            function(&form, __VA_ARGS__);                                                          \
        } else {                                                                                   \
            const struct form form = {words, false, offset};                                       \
            function(&form, __VA_ARGS__);                                                          \
        }                                                                                          \
    } while (0)

#define ORDER(...)     ((order8){__VA_ARGS__})
#define APART          ORDER(0, 4, 1, 5, 2, 6, 3, 7) /* I0 I1 I2 I3 Q0 Q1 Q2 Q3 */
#define APART_Q_FIRST  ORDER(4, 0, 5, 1, 6, 2, 7, 3)
#define PAIRED         ORDER(0, 2, 1, 3, 4, 6, 5, 7) /* I0 I1 Q0 Q1 I2 I3 Q2 Q3 */
#define PAIRED_Q_FIRST ORDER(2, 0, 3, 1, 6, 4, 7, 5)
#define CLOSE          ORDER(0, 1, 2, 3, 4, 5, 6, 7) /* I0 Q0 I1 Q1 I2 Q2 I3 Q3 */
#define CLOSE_Q_FIRST  ORDER(1, 0, 3, 2, 5, 4, 7, 6)

MULTIVERSION
static void decode_apart(bool q_first, bool conjugate, const unsigned char *bytes, size_t n,
                         float complex *out) {
    if (q_first) {
        FOR_EACH_SIGN(decode_lines, APART_Q_FIRST, false, bytes, n, out);
    } else {
        FOR_EACH_SIGN(decode_lines, APART, false, bytes, n, out);
    }
}

MULTIVERSION
static void decode_close(bool q_first, bool conjugate, bool offset_binary,
                         const unsigned char *bytes, size_t n, float complex *out) {
    if (q_first && offset_binary) {
        FOR_EACH_SIGN(decode_lines, CLOSE_Q_FIRST, true, bytes, n, out);
    } else if (q_first) {
        FOR_EACH_SIGN(decode_lines, CLOSE_Q_FIRST, false, bytes, n, out);
    } else if (offset_binary) {
        FOR_EACH_SIGN(decode_lines, CLOSE, true, bytes, n, out);
    } else {
        FOR_EACH_SIGN(decode_lines, CLOSE, false, bytes, n, out);
    }
}

MULTIVERSION
static void decode_paired(bool q_first, bool conjugate, const unsigned char *bytes, size_t n,
                          float complex *out) {
    if (q_first) {
        FOR_EACH_SIGN(decode_line, PAIRED_Q_FIRST, false, bytes, n, out);
    } else {
        FOR_EACH_SIGN(decode_line, PAIRED, false, bytes, n, out);
    }
}

MULTIVERSION
static void decode_in_turn(bool q_first, bool conjugate, const unsigned char *bytes, size_t n,
                           float complex *out) {
    if (q_first) {
        FOR_EACH_SIGN(decode_line, CLOSE_Q_FIRST, false, bytes, n, out);
    } else {
        FOR_EACH_SIGN(decode_line, CLOSE, false, bytes, n, out);
    }
}

/* ---- what does not come in eights, one by one ----------------------------------------------- */

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

struct chirp {
    enum nfsar_raw_layout layout;
    bool q_first, conjugate;
    size_t n_rx, n_sample;
    const unsigned char *bytes;
};

/* The samples of a receiver from the given one on. */
static void decode_rest(const struct chirp *chirp, const struct order *order, size_t rx,
                        size_t first, float complex *out) {
    bool offset_binary = chirp->layout == NFSAR_RAW_TSW1400;
    for (size_t sample = first; sample < chirp->n_sample; sample++) {
        size_t word = sample_word(order, rx, sample);
        float one = word_value(chirp->bytes, word, offset_binary);
        float other = word_value(chirp->bytes, word + order->imaginary, offset_binary);
        float complex value = chirp->q_first ? CMPLXF(other, one) : CMPLXF(one, other);
        out[rx * chirp->n_sample + sample] = chirp->conjugate ? conjf(value) : value;
    }
}

/* All that comes in eights. Returns how many samples of each receiver that were. */
static size_t decode_eights(const struct chirp *chirp, float complex *out) {
    size_t n = chirp->n_sample;
    const unsigned char *bytes = chirp->bytes;
    bool pairs = chirp->layout == NFSAR_RAW_2LANE;
    if (pairs || chirp->layout == NFSAR_RAW_2LANE_REORDERED) {
        for (size_t rx = 0; rx < chirp->n_rx; rx++) {
            (pairs ? decode_paired : decode_in_turn)(chirp->q_first, chirp->conjugate,
                                                     bytes + 4 * rx * n, n / 4, out + rx * n);
        }
        return n / 4 * 4;
    }
    if (chirp->n_rx != 4) {
        return 0;
    }
    if (chirp->layout == NFSAR_RAW_4LANE) {
        decode_apart(chirp->q_first, chirp->conjugate, bytes, n, out);
    } else {
        decode_close(chirp->q_first, chirp->conjugate, chirp->layout == NFSAR_RAW_TSW1400, bytes, n,
                     out);
    }
    return n;
}

enum nfsar_status raw_decode_chirp(enum nfsar_raw_layout layout, bool q_first, bool conjugate,
                                   size_t n_rx, size_t n_sample, const unsigned char *bytes,
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
    const struct chirp chirp = {layout, q_first, conjugate, n_rx, n_sample, bytes};
    size_t done = decode_eights(&chirp, out);
    for (size_t rx = 0; rx < n_rx; rx++) {
        decode_rest(&chirp, &order, rx, done, out);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_raw_decode_chirp(enum nfsar_raw_layout layout, bool q_first, size_t n_rx,
                                         size_t n_sample, const unsigned char *bytes,
                                         float complex *out, nfsar_error *error) {
    return raw_decode_chirp(layout, q_first, false, n_rx, n_sample, bytes, out, error);
}
