#include "firmware/app/pps.h"

#include <string.h>

/* Seconds without an edge, and without one that was a second after another: a missing pulse leaves
 * three between two that are accepted. */
enum { SILENT_S = 3, REFUSED_S = 5 };

void pps_init(struct pps *pps, uint32_t count_hz, uint32_t tolerance_ppm) {
    memset(pps, 0, sizeof *pps);
    pps->count_hz = count_hz;
    pps->tolerance = count_hz / 1000000U * tolerance_ppm;
}

bool pps_pulse(struct pps *pps, uint64_t count) {
    const uint64_t since = count - pps->last;
    const int64_t late = (int64_t)since - (int64_t)pps->count_hz;
    const int64_t most = pps->tolerance;
    const bool first = !pps->running;
    pps->last = count;
    if (!first && (late < -most || late > most)) {
        pps->refused++;
        /* The next good second may start from here: a single wrong pulse costs two intervals. */
        pps->intervals = 0;
        pps->utc_ns = 0;
        return false;
    }
    if (!first) {
        pps->behind[pps->intervals % PPS_WINDOW] = (int32_t)late;
        pps->intervals++;
    }
    pps->running = true;
    pps->accepted = count;
    pps->pulses++;
    pps->utc_ns = 0;
    return true;
}

bool pps_name(struct pps *pps, uint64_t count, uint64_t utc_ns) {
    if (!pps->running || count != pps->accepted) {
        return false;
    }
    pps->utc_ns = utc_ns;
    return true;
}

bool pps_stopped(struct pps *pps, uint64_t count) {
    const uint64_t second = pps->count_hz;
    if (!pps->running || count < pps->last ||
        (count - pps->last < SILENT_S * second && count - pps->accepted < REFUSED_S * second)) {
        return false;
    }
    pps->running = false;
    pps->intervals = 0;
    pps->utc_ns = 0;
    return true;
}

bool pps_drift(const struct pps *pps, float *drift_ppm, float *spread_ns) {
    const uint32_t n = pps->intervals < PPS_WINDOW ? pps->intervals : PPS_WINDOW;
    if (n < 2) {
        return false;
    }
    /* Least squares of the n + 1 pulses' lateness over their number. */
    float late[PPS_WINDOW + 1] = {0};
    for (uint32_t i = 0; i < n; i++) {
        late[i + 1] = late[i] + (float)pps->behind[(pps->intervals - n + i) % PPS_WINDOW];
    }
    const float middle = (float)n / 2;
    float mean = 0;
    for (uint32_t i = 0; i <= n; i++) {
        mean += late[i] / (float)(n + 1);
    }
    float with = 0;
    float squares = 0;
    for (uint32_t i = 0; i <= n; i++) {
        with += ((float)i - middle) * (late[i] - mean);
        squares += ((float)i - middle) * ((float)i - middle);
    }
    const float slope = with / squares;
    float rest = 0;
    for (uint32_t i = 0; i <= n; i++) {
        const float off = late[i] - mean - slope * ((float)i - middle);
        rest += off * off / (float)(n + 1);
    }
    *drift_ppm = slope / (float)pps->count_hz * 1e6F;
    *spread_ns = __builtin_sqrtf(rest) / (float)pps->count_hz * 1e9F;
    return true;
}
