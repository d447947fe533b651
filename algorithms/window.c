#include <nfsar/window.h>

/* liquid.h spells complex types its own way unless complex.h came first. */
#include <complex.h>

#include <liquid/liquid.h>

#include "algorithms/choice.h"

static const char *const names[] = {
    [NFSAR_WINDOW_RECTANGULAR] = "rectangular", [NFSAR_WINDOW_HANN] = "hann",
    [NFSAR_WINDOW_HAMMING] = "hamming",         [NFSAR_WINDOW_BLACKMAN_HARRIS] = "blackman-harris",
    [NFSAR_WINDOW_KAISER] = "kaiser",
};

enum nfsar_status nfsar_window_parse(const char *name, enum nfsar_window *window,
                                     nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status =
        choice_parse("window", names, sizeof names / sizeof names[0], name, &index, error);
    if (status == NFSAR_OK) {
        *window = (enum nfsar_window)index;
    }
    return status;
}

const char *nfsar_window_name(enum nfsar_window window) {
    return names[window];
}

static float coefficient(enum nfsar_window window, unsigned i, unsigned n) {
    switch (window) {
    case NFSAR_WINDOW_RECTANGULAR:
        break;
    case NFSAR_WINDOW_HANN:
        return liquid_hann(i, n);
    case NFSAR_WINDOW_HAMMING:
        return liquid_hamming(i, n);
    case NFSAR_WINDOW_BLACKMAN_HARRIS:
        return liquid_blackmanharris(i, n);
    case NFSAR_WINDOW_KAISER:
        return liquid_kaiser(i, n, kaiser_beta_As(60.0f));
    }
    return 1.0f;
}

void nfsar_window_taper(enum nfsar_window window, size_t n, float *taper) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        taper[i] = n > 1 ? coefficient(window, (unsigned)i, (unsigned)n) : 1.0f;
        sum += (double)taper[i];
    }
    /* A Hann window of two samples is zero everywhere: leave such short lists alone. */
    for (size_t i = 0; i < n; i++) {
        taper[i] = sum > 0.0 ? (float)((double)taper[i] * (double)n / sum) : 1.0f;
    }
}
